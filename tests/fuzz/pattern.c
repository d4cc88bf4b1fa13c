/* Any bytes are split into a pattern and tokens that are the bytes again, with the words in it or as tokens; any bytes read as a pattern
 * are one or are refused, and any number of its slots is written or refused. */
#include "store/block/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_so)
{
	if (!is_so) {
		__builtin_trap();
	}
}

static void put_token(const struct pattern_token *token, const struct str *ids, struct buf *out)
{
	if (token->slot.kind == PATTERN_WORD) {
		buf_put_str(out, token->text);
	} else if (token->slot.kind == PATTERN_ID) {
		buf_put_str(out, ids[token->slot.arg]);
	} else if (pattern_slot_bytes(token->slot) > 0) {
		check(token->text.len == pattern_slot_bytes(token->slot));
		pattern_put_bytes(token->slot, (const uint8_t *)token->text.ptr, out);
	} else {
		check(pattern_put_number(token->slot, token->number, out));
	}
}

static void check_split(const struct pattern_splitter *splitter, struct str text,
			const struct str *ids)
{
	struct arena arena;
	struct pattern pattern;
	struct buf out;

	arena_init(&arena, 1u << 22);
	buf_init(&out, 0);
	check(pattern_read(buf_str(&splitter->stored), &arena, &pattern));
	check(pattern.slot_count == splitter->token_count);
	for (size_t i = 0; i < pattern.slot_count; i++) {
		const struct pattern_token *token = &splitter->tokens[i];
		size_t start;

		check(pattern.slots[i].kind == token->slot.kind &&
		      pattern.slots[i].arg == token->slot.arg);
		buf_put_str(&out, pattern.chunks[i]);
		start = out.len;
		put_token(token, ids, &out);
		check(out.len - start <= pattern_slot_longest(token->slot));
		for (size_t pos = start; pos < out.len; pos++) {
			check(pattern_slot_holds(token->slot, pos - start, (uint8_t)out.ptr[pos]));
		}
	}
	buf_put_str(&out, pattern.chunks[pattern.slot_count]);
	check(str_equal(buf_str(&out), text));
	buf_done(&out);
	arena_done(&arena);
}

static void try_stored(struct str stored)
{
	struct arena arena;
	struct pattern pattern;
	struct buf out;

	arena_init(&arena, 1u << 22);
	buf_init(&out, 0);
	if (pattern_read(stored, &arena, &pattern)) {
		for (size_t i = 0; i < pattern.slot_count; i++) {
			int64_t number = (int64_t)(i * 0x9e3779b97f4a7c15u);

			check(pattern_slot_valid(pattern.slots[i]));
			(void)pattern_put_number(pattern.slots[i], number, &out);
			(void)pattern_put_number(pattern.slots[i], number >> 40, &out);
		}
	}
	buf_done(&out);
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct str ids[2] = {STR_LIT("0f8fad5b-d9cb-469f-a165-70867728950e"),
			     str_slice(text, size / 2, 8)};
	struct pattern_splitter splitter;

	pattern_splitter_init(&splitter);
	check(pattern_split(&splitter, text, ids, 2) == 0);
	check_split(&splitter, text, ids);
	for (size_t i = 0; i < splitter.token_count; i += 3) {
		pattern_reword(&splitter, i);
	}
	check_split(&splitter, text, ids);
	check(pattern_fold(&splitter) == 0);
	check_split(&splitter, text, ids);
	pattern_splitter_done(&splitter);
	try_stored(text);
	return 0;
}
