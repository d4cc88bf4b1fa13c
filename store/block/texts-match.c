#include "store/block/texts-writer.h"

#define DIGITS_MAX 18

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Appends at most DIGITS_MAX + 1 digits to a number; how many there are. */
static size_t take_digits(struct str text, size_t pos, int64_t *number)
{
	size_t at = pos;

	for (; at < text.len && is_digit(text.ptr[at]) && at - pos <= DIGITS_MAX; at++) {
		*number = (int64_t)((uint64_t)*number * 10 + (uint64_t)(text.ptr[at] - '0'));
	}
	return at - pos;
}

/* The number that begins at pos, as the template's kinds INT and DECIMAL have it; how long it is, or 0. */
static size_t number_at(struct str text, size_t pos, unsigned scale, int64_t *out_number)
{
	size_t minus = pos < text.len && text.ptr[pos] == '-';
	int64_t value = 0;
	size_t whole = take_digits(text, pos + minus, &value);
	size_t end = pos + minus + whole;

	if (whole == 0 || whole + scale > DIGITS_MAX ||
	    (text.ptr[pos + minus] == '0' && whole > 1)) {
		return 0;
	}
	if (scale > 0) {
		struct str fraction = str_slice(text, end + 1, scale);

		if (end == text.len || text.ptr[end] != '.' ||
		    take_digits(fraction, 0, &value) != scale) {
			return 0;
		}
		end += 1 + scale;
	}
	if (minus > 0 && value == 0) {
		return 0;
	}
	*out_number = minus > 0 ? -value : value;
	return end - pos;
}

/* The end of a string that began before pos, or -1. */
static ptrdiff_t end_of_quote(struct str text, size_t pos)
{
	for (;;) {
		ptrdiff_t quote = str_find_byte(text, '\'', pos);

		if (quote < 0 || (size_t)quote + 1 == text.len || text.ptr[quote + 1] != '\'') {
			return quote;
		}
		pos = (size_t)quote + 2;
	}
}

/* The end of a comment that began before pos, or -1. */
static ptrdiff_t end_of_block(struct str text, size_t pos)
{
	unsigned depth = 0;

	for (; pos + 1 < text.len; pos++) {
		if (text.ptr[pos] == '*' && text.ptr[pos + 1] == '/') {
			if (depth-- == 0) {
				return (ptrdiff_t)pos;
			}
			pos++;
		} else if (text.ptr[pos] == '/' && text.ptr[pos + 1] == '*') {
			depth++;
			pos++;
		}
	}
	return -1;
}

/* The end of a number that is kept as written: where something else begins. */
static ptrdiff_t end_of_run(struct str text, size_t pos)
{
	while (pos < text.len &&
	       (is_digit(text.ptr[pos]) || (text.ptr[pos] >= 'a' && text.ptr[pos] <= 'z') ||
		(text.ptr[pos] >= 'A' && text.ptr[pos] <= 'Z') || text.ptr[pos] == '.' ||
		text.ptr[pos] == '$')) {
		pos++;
	}
	return (ptrdiff_t)pos;
}

static ptrdiff_t end_of_line(struct str text, size_t pos)
{
	while (pos < text.len && text.ptr[pos] != '\n' && text.ptr[pos] != '\r') {
		pos++;
	}
	return (ptrdiff_t)pos;
}

static ptrdiff_t end_of(enum texts_end end, struct str text, size_t pos)
{
	switch (end) {
	case TEXTS_END_CHUNK:
		return end_of_run(text, pos);
	case TEXTS_END_QUOTE:
		return end_of_quote(text, pos);
	case TEXTS_END_BLOCK:
		return end_of_block(text, pos);
	case TEXTS_END_LINE:
		return end_of_line(text, pos);
	case TEXTS_END_ALL:
		return (ptrdiff_t)text.len;
	}
	return -1;
}

static bool has_chunk(struct str text, size_t pos, struct str chunk)
{
	return chunk.len <= text.len - pos && memcmp(text.ptr + pos, chunk.ptr, chunk.len) == 0;
}

bool texts_match(const struct texts_root *root, struct str text, struct texts_literal *out_literals)
{
	const struct pattern *pattern = &root->pattern;
	size_t pos = 0;

	for (size_t i = 0; i < pattern->slot_count; i++) {
		struct pattern_slot slot = pattern->slots[i];

		if (!has_chunk(text, pos, pattern->chunks[i])) {
			return false;
		}
		pos += pattern->chunks[i].len;
		if (slot.kind == PATTERN_TEXT) {
			ptrdiff_t end = end_of((enum texts_end)root->ends[i], text, pos);

			if (end < 0) {
				return false;
			}
			out_literals[i].text = str_slice(text, pos, (size_t)end - pos);
			pos = (size_t)end;
		} else {
			size_t len =
				number_at(text, pos, slot.kind == PATTERN_DECIMAL ? slot.arg : 0,
					  &out_literals[i].number);

			if (len == 0) {
				return false;
			}
			pos += len;
		}
	}
	return text.len - pos == pattern->chunks[pattern->slot_count].len &&
	       has_chunk(text, pos, pattern->chunks[pattern->slot_count]);
}

/* One token of a quick kind; its length, or 0. */
static size_t match_token(const struct texts_writer *writer, struct pattern_slot slot,
			  struct str text, struct pattern_token *out)
{
	uint8_t bytes[PATTERN_BYTES_MAX + 1];

	out->number = 0;
	if (slot.kind == PATTERN_ID) {
		return slot.arg < writer->id_count && has_chunk(text, 0, writer->ids[slot.arg])
			       ? writer->ids[slot.arg].len
			       : 0;
	}
	if (slot.kind == PATTERN_DIGITS) {
		return take_digits(text, 0, &out->number) == slot.arg ? slot.arg : 0;
	}
	if (text.len == 0 || !is_digit(text.ptr[0])) {
		return 0;
	}
	return pattern_token_at(text, 0, out, bytes);
}

bool texts_match_sub(const struct texts_writer *writer, const struct texts_sub_state *sub,
		     struct str text, struct pattern_token *out_tokens)
{
	const struct pattern *pattern = &sub->pattern;
	size_t pos = 0;

	for (size_t i = 0; i < pattern->slot_count; i++) {
		size_t len;

		if (!has_chunk(text, pos, pattern->chunks[i])) {
			return false;
		}
		pos += pattern->chunks[i].len;
		out_tokens[i].slot = pattern->slots[i];
		len = match_token(writer, pattern->slots[i], str_slice(text, pos, text.len - pos),
				  &out_tokens[i]);
		if (len == 0 || out_tokens[i].slot.kind != pattern->slots[i].kind ||
		    out_tokens[i].slot.arg != pattern->slots[i].arg) {
			return false;
		}
		pos += len;
	}
	return text.len - pos == pattern->chunks[pattern->slot_count].len &&
	       has_chunk(text, pos, pattern->chunks[pattern->slot_count]);
}
