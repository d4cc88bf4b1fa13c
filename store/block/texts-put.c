#include "store/block/texts-writer.h"

#include <assert.h>
#include <stdlib.h>

#define TRIES_MAX 16 /* templates of the same beginning that are tried */

/* The state of a root, made when it is new. */
static struct texts_root_state *state_of(struct texts_writer *writer, struct str stored,
					 uint32_t *out_code)
{
	size_t known = writer->roots.count;
	int result = wordset_code(&writer->roots, stored, out_code);
	struct texts_root_state *state;

	if (result != 0) {
		writer->failure = result;
		return NULL;
	}
	if (*out_code < known) {
		return &writer->root_states[*out_code];
	}
	if (!texts_grow(writer, &writer->root_states, &writer->root_room, *out_code,
			sizeof(*state))) {
		return NULL;
	}
	state = &writer->root_states[*out_code];
	/* the set's bytes move: the form is read from a copy */
	*state = (struct texts_root_state){.next = UINT32_MAX,
					   .first_sub = (uint32_t)writer->text_slot_count};
	if (arena_str(&writer->arena, stored, &stored) != 0 ||
	    !texts_root_read(stored, &writer->arena, &state->root)) {
		writer->failure = -ERR_NOMEM;
		return NULL;
	}
	for (uint32_t i = 0; i < state->root.sub_count; i++) {
		if (!texts_grow(writer, &writer->text_slots, &writer->text_slot_room,
				writer->text_slot_count, sizeof(*writer->text_slots))) {
			return NULL;
		}
		writer->text_slots[writer->text_slot_count++] =
			(struct texts_sub){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	}
	state->node = texts_node_new(writer, *out_code, &state->root.pattern);
	return state->node == UINT32_MAX ? NULL : state;
}

/* A text by its pattern alone. */
static uint32_t put_pattern(struct texts_writer *writer, struct str text)
{
	size_t known = writer->roots.count;
	struct texts_root_state *state;
	uint32_t code;

	if (!texts_split(writer, text, TEXTS_FRESH_ROOTS)) {
		return 0;
	}
	buf_clear(&writer->scratch);
	buf_put_byte(&writer->scratch, 0);
	buf_put_str(&writer->scratch, buf_str(&writer->splitter.stored));
	if (writer->scratch.failed) {
		writer->failure = -ERR_NOMEM;
		return 0;
	}
	state = state_of(writer, buf_str(&writer->scratch), &code);
	if (state == NULL) {
		return 0;
	}
	if (code == known) {
		texts_split_was_new(writer);
	}
	texts_put_tokens(writer, writer->nodes[state->node].first_bucket);
	return code;
}

/* Puts the literals of a statement. */
static void put_literals(struct texts_writer *writer, uint32_t code)
{
	const struct texts_root_state *state = &writer->root_states[code];
	const struct pattern *pattern = &state->root.pattern;
	uint32_t bucket = writer->nodes[state->node].first_bucket;
	uint32_t text_slot = state->first_sub;

	for (uint32_t i = 0; i < pattern->slot_count; i++) {
		if (pattern->slots[i].kind == PATTERN_TEXT) {
			texts_put_slot(writer, text_slot++, writer->literals[i].text);
		} else {
			texts_put_pooled(writer, bucket + i, pattern->slots[i],
					 writer->literals[i].number);
		}
	}
}

static uint32_t *prefix_of(struct texts_writer *writer, struct str text)
{
	uint64_t parts[2] = {0, 0};

	memcpy(parts, text.ptr, text.len < TEXTS_PREFIX ? text.len : TEXTS_PREFIX);
	return &writer->prefixes[hash_u64(parts[0] ^ hash_u64(parts[1])) % TEXTS_GUESSES];
}

static bool ends_in_doubt(const struct texts_root *root)
{
	return root->pattern.slot_count > 0 &&
	       root->ends[root->pattern.slot_count - 1] == TEXTS_END_ALL;
}

/* Splits a statement by the lexer; UINT32_MAX: it has too many literals, or a failure. */
static uint32_t split_statement(struct texts_writer *writer, struct str text)
{
	struct tsql_template *template = &writer->template;
	size_t known = writer->roots.count;
	uint32_t *prefix = prefix_of(writer, text);
	struct texts_root_state *state;
	uint32_t code;

	if (tsql_template_split(template, text, NULL) != 0) {
		writer->failure = -ERR_NOMEM;
		return UINT32_MAX;
	}
	buf_clear(&writer->scratch);
	if (tsql_template_join(buf_str(&template->text), template->literals,
			       template->literal_count, &writer->scratch, NULL) != 0 ||
	    !str_equal(buf_str(&writer->scratch), text)) {
		return UINT32_MAX;
	}
	buf_clear(&writer->scratch);
	if (!texts_root_put(template, &writer->scratch)) {
		return UINT32_MAX;
	}
	state = writer->scratch.failed ? NULL : state_of(writer, buf_str(&writer->scratch), &code);
	if (state == NULL) {
		writer->failure = writer->failure != 0 ? writer->failure : -ERR_NOMEM;
		return UINT32_MAX;
	}
	if (code == known && !ends_in_doubt(&state->root)) {
		state->next = *prefix - 1; /* 0 becomes the end of the list */
		*prefix = code + 1;
	}
	for (size_t i = 0; i < template->literal_count; i++) {
		writer->literals[i].number = template->literals[i].number;
		writer->literals[i].text = template->literals[i].text;
	}
	return code;
}

/* The root of a statement, its literals in the writer; UINT32_MAX as split_statement. */
static uint32_t find_statement(struct texts_writer *writer, struct str text, uint32_t context)
{
	uint32_t *guess = &writer->guesses[hash_u64((uint64_t)context << 32 | writer->last_root) %
					   TEXTS_GUESSES];
	uint32_t code = *guess - 1;
	unsigned tries = 0;

	if (*guess == 0 || !texts_match(&writer->root_states[code].root, text, writer->literals)) {
		code = *prefix_of(writer, text) - 1;
		while (code != UINT32_MAX &&
		       (tries++ == TRIES_MAX ||
			!texts_match(&writer->root_states[code].root, text, writer->literals))) {
			code = tries > TRIES_MAX ? UINT32_MAX : writer->root_states[code].next;
		}
	}
	if (code == UINT32_MAX) {
		code = split_statement(writer, text);
	}
	if (code != UINT32_MAX && !ends_in_doubt(&writer->root_states[code].root)) {
		*guess = code + 1;
	}
	writer->last_root = code;
	return code;
}

/* The pool and the ids of a row's family, when it is not that of the row before. */
static void turn_to_family(struct texts_writer *writer, size_t row)
{
	const struct texts_column *about = writer->about;
	uint32_t family = about->family != NULL ? about->family[row] : TEXTS_NO_FAMILY;
	int64_t seed = INT64_MIN;

	if (family != TEXTS_NO_FAMILY && row > 0 && about->family[row - 1] == family) {
		return;
	}
	writer->id_count = 0;
	writer->ids_used = 0;
	if (family != TEXTS_NO_FAMILY && about->ids_of != NULL) {
		writer->id_count = about->ids_of(about->owner, family, writer->ids, &seed);
		assert(writer->id_count <= TEXTS_IDS_MAX);
	}
	texts_pool_clear(&writer->pool, seed);
}

static void put_row(struct texts_writer *writer, size_t row, struct str text)
{
	const struct texts_column *about = writer->about;
	uint32_t code = UINT32_MAX;

	turn_to_family(writer, row);
	if (about->is_tsql) {
		code = find_statement(writer, text,
				      about->context != NULL ? about->context[row] : 0);
		if (code != UINT32_MAX && writer->failure == 0) {
			put_literals(writer, code);
		}
	}
	if (code == UINT32_MAX && writer->failure == 0) {
		code = put_pattern(writer, text);
	}
	writer->codes[row] = code + 1;
}

static bool writer_init(struct texts_writer *writer, const struct texts_column *about)
{
	writer->about = about;
	arena_init(&writer->arena, SIZE_MAX);
	tsql_template_init(&writer->template);
	pattern_splitter_init(&writer->splitter);
	wordset_init(&writer->roots);
	wordset_init(&writer->shapes);
	wordset_init(&writer->subs);
	wordset_init(&writer->words);
	wordset_init(&writer->ids_seen);
	u64map_init(&writer->children, SIZE_MAX / 2);
	buf_init(&writer->bytes, 256u << 20);
	buf_init(&writer->refs, 0);
	buf_init(&writer->scratch, 0);
	writer->codes = calloc(about->count + 1, sizeof(*writer->codes));
	writer->literals = calloc(PATTERN_SLOTS_MAX, sizeof(*writer->literals));
	return writer->codes != NULL && writer->literals != NULL;
}

static void writer_done(struct texts_writer *writer)
{
	arena_done(&writer->arena);
	tsql_template_done(&writer->template);
	pattern_splitter_done(&writer->splitter);
	wordset_done(&writer->roots);
	wordset_done(&writer->shapes);
	wordset_done(&writer->subs);
	wordset_done(&writer->words);
	wordset_done(&writer->ids_seen);
	free(writer->id_uses);
	u64map_done(&writer->children);
	buf_done(&writer->bytes);
	buf_done(&writer->refs);
	buf_done(&writer->scratch);
	for (size_t i = 0; i < TEXTS_NONE; i++) {
		free(writer->logs[i].bucket);
		free(writer->logs[i].value);
	}
	free(writer->sub_log.bucket);
	free(writer->sub_log.value);
	free(writer->root_states);
	free(writer->nodes);
	free(writer->text_slots);
	free(writer->buckets);
	free(writer->policies);
	free(writer->sub_states);
	free(writer->codes);
	free(writer->literals);
}

int texts_put(struct streams_writer *streams, const struct texts_column *about,
	      const struct str *texts)
{
	struct texts_writer *writer = calloc(1, sizeof(*writer));
	int result;

	if (writer == NULL) {
		return -ERR_NOMEM;
	}
	if (!writer_init(writer, about)) {
		writer->failure = -ERR_NOMEM;
	}
	for (size_t row = 0; row < about->count && writer->failure == 0; row++) {
		if (texts[row].ptr != NULL) {
			put_row(writer, row, texts[row]);
		} else {
			turn_to_family(writer, row);
		}
	}
	if (writer->failure == 0 && (writer->bytes.failed || writer->refs.failed)) {
		writer->failure = -ERR_LIMIT;
	}
	result = writer->failure != 0 ? writer->failure : texts_finish(writer, streams);
	for (size_t row = 0; result == 0 && about->out_codes != NULL && row < about->count; row++) {
		about->out_codes[row] = writer->codes[row] - 1; /* 0, absent: UINT32_MAX */
	}
	writer_done(writer);
	free(writer);
	return result;
}
