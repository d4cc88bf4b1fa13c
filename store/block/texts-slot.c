#include "store/block/texts-writer.h"

#include <stdlib.h>

#define ID_USES_MAX 2 /* an id that comes again after so many uses becomes a word */
#define POLICY_SHARE \
	4 /* a shape of which more than every so manieth text has a pattern of its own has its words as tokens */

bool texts_grow(struct texts_writer *writer, void *array, size_t *room, size_t count,
		size_t item_bytes)
{
	size_t wanted = *room * 2 + 64;
	void *grown;
	void *old;

	if (count < *room) {
		return true;
	}
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, wanted * item_bytes);
	if (grown == NULL) {
		writer->failure = -ERR_NOMEM;
		return false;
	}
	memcpy(array, &grown, sizeof(grown));
	*room = wanted;
	return true;
}

/* Both arrays of a log to a new room. */
static bool grow_log(struct texts_log *log)
{
	size_t room = log->room * 2 + 1024;
	uint32_t *bucket = realloc(log->bucket, room * sizeof(*bucket));
	int64_t *value;

	if (bucket == NULL) {
		return false;
	}
	log->bucket = bucket;
	value = realloc(log->value, room * sizeof(*value));
	if (value == NULL) {
		return false;
	}
	log->value = value;
	log->room = room;
	return true;
}

void texts_log_put(struct texts_writer *writer, struct texts_log *log, uint32_t bucket,
		   int64_t value)
{
	if (log->count == log->room && (log->count >= TEXTS_VALUES_MAX || !grow_log(log))) {
		writer->failure = log->count >= TEXTS_VALUES_MAX ? -ERR_LIMIT : -ERR_NOMEM;
		return;
	}
	log->bucket[log->count] = bucket;
	log->value[log->count++] = value;
}

uint32_t texts_node_new(struct texts_writer *writer, uint32_t code, const struct pattern *pattern)
{
	uint32_t number = (uint32_t)writer->node_count;

	if (!texts_grow(writer, &writer->nodes, &writer->node_room, number,
			sizeof(*writer->nodes))) {
		return UINT32_MAX;
	}
	writer->nodes[number] = (struct texts_node){.first_bucket = (uint32_t)writer->bucket_count,
						    .code = code,
						    .slot_count = (uint32_t)pattern->slot_count,
						    .next = UINT32_MAX};
	for (size_t i = 0; i < pattern->slot_count; i++) {
		if (!texts_grow(writer, &writer->buckets, &writer->bucket_room,
				writer->bucket_count, sizeof(*writer->buckets))) {
			return UINT32_MAX;
		}
		writer->buckets[writer->bucket_count++] = pattern->slots[i];
	}
	writer->node_count++;
	return number;
}

void texts_put_pooled(struct texts_writer *writer, uint32_t bucket, struct pattern_slot slot,
		      int64_t number)
{
	uint32_t place = texts_pool_find(&writer->pool, number, slot.arg);

	texts_log_put(writer, &writer->logs[TEXTS_POOLED], bucket, number);
	buf_put_byte(&writer->refs, (uint8_t)place);
	if (place == 0) {
		texts_pool_put(&writer->pool, number, slot.arg);
	}
}

/* Notes what bytes stand in an id, for searches. */
static void note_id(struct texts_writer *writer, uint8_t number)
{
	struct str id = writer->ids[number];

	if ((writer->ids_used >> number & 1) != 0) {
		return;
	}
	writer->ids_used |= 1u << number;
	for (size_t i = 0; i < id.len; i++) {
		uint8_t byte = (uint8_t)id.ptr[i];

		writer->id_bytes[number][byte / 8] =
			(uint8_t)(writer->id_bytes[number][byte / 8] | 1u << byte % 8);
	}
}

static void put_token(struct texts_writer *writer, uint32_t bucket,
		      const struct pattern_token *token)
{
	enum texts_group group = texts_group_of(token->slot);
	uint32_t code = 0;
	int result;

	switch (group) {
	case TEXTS_POOLED:
		texts_put_pooled(writer, bucket, token->slot, token->number);
		break;
	case TEXTS_DATES:
	case TEXTS_TIMES:
	case TEXTS_WIDES:
		texts_log_put(writer, &writer->logs[group], bucket, token->number);
		break;
	case TEXTS_WORDS:
		result = wordset_code(&writer->words, token->text, &code);
		if (result != 0) {
			writer->failure = result;
			break;
		}
		texts_log_put(writer, &writer->logs[group], bucket, code);
		break;
	case TEXTS_UUIDS:
	case TEXTS_BYTES:
		texts_log_put(writer, &writer->logs[group], bucket, (int64_t)writer->bytes.len);
		buf_put_str(&writer->bytes, token->text);
		break;
	case TEXTS_NONE:
		note_id(writer, token->slot.arg);
		break;
	}
}

void texts_put_tokens(struct texts_writer *writer, uint32_t first_bucket)
{
	for (size_t i = 0; i < writer->splitter.token_count; i++) {
		put_token(writer, first_bucket + (uint32_t)i, &writer->splitter.tokens[i]);
	}
}

static struct texts_policy *policy_of(struct texts_writer *writer, struct str shape)
{
	size_t known = writer->shapes.count;
	uint32_t code;
	int result = wordset_code(&writer->shapes, shape, &code);

	if (result != 0) {
		writer->failure = result;
		return NULL;
	}
	if (!texts_grow(writer, &writer->policies, &writer->policy_room, code,
			sizeof(*writer->policies))) {
		return NULL;
	}
	if (code == known) {
		writer->policies[code] = (struct texts_policy){.total = 0};
	}
	writer->last_shape = code;
	return &writer->policies[code];
}

/* Tokens of bytes that come again and again are words: each is kept once then. */
static bool reword_ids(struct texts_writer *writer)
{
	for (size_t i = 0; i < writer->splitter.token_count; i++) {
		const struct pattern_token *token = &writer->splitter.tokens[i];
		size_t known = writer->ids_seen.count;
		uint32_t code;
		int result;

		if (pattern_slot_bytes(token->slot) == 0) {
			continue;
		}
		result = wordset_code(&writer->ids_seen, token->text, &code);
		if (result != 0) {
			writer->failure = result;
			return false;
		}
		if (!texts_grow(writer, &writer->id_uses, &writer->id_room, code,
				sizeof(*writer->id_uses))) {
			return false;
		}
		if (code == known) {
			writer->id_uses[code] = 0;
		}
		if (writer->id_uses[code] == ID_USES_MAX) {
			pattern_reword(&writer->splitter, i);
		} else {
			writer->id_uses[code]++;
		}
	}
	return true;
}

bool texts_split(struct texts_writer *writer, struct str text, uint32_t fresh_max)
{
	struct texts_policy *policy;
	int result = pattern_split(&writer->splitter, text, writer->ids, writer->id_count);

	if (result == 0 && !reword_ids(writer)) {
		return false;
	}
	if (result == 0) {
		policy = policy_of(writer, buf_str(&writer->splitter.stored));
		if (policy == NULL) {
			return false;
		}
		policy->total++;
		if (policy->fresh > fresh_max && policy->fresh > policy->total / POLICY_SHARE) {
			policy->words = true;
		}
		result = policy->words ? 0 : pattern_fold(&writer->splitter);
	}
	if (result != 0) {
		writer->failure = result;
	}
	return result == 0;
}

void texts_split_was_new(struct texts_writer *writer)
{
	writer->policies[writer->last_shape].fresh++;
}

/* The node of a sub-pattern in a slot, made when it is new. */
static uint32_t child_of(struct texts_writer *writer, uint32_t text_slot, uint32_t code)
{
	struct texts_sub *sub = &writer->text_slots[text_slot];
	uint64_t key = (uint64_t)text_slot << 32 | code;
	struct pattern_slot slots[PATTERN_TOKENS_MAX];
	struct pattern pattern = {.slots = slots, .slot_count = writer->splitter.token_count};
	uint64_t *known;
	uint32_t node;

	if (sub->hot_code == code) {
		return sub->hot_node;
	}
	known = u64map_get(&writer->children, key);
	if (known != NULL) {
		return (uint32_t)*known;
	}
	for (size_t i = 0; i < pattern.slot_count; i++) {
		slots[i] = writer->splitter.tokens[i].slot;
	}
	node = texts_node_new(writer, code, &pattern);
	if (node == UINT32_MAX) {
		return node;
	}
	if (u64map_put(&writer->children, key, node) != 0) {
		writer->failure = -ERR_NOMEM;
		return UINT32_MAX;
	}
	if (sub->last == UINT32_MAX) {
		sub->first = node;
	} else {
		writer->nodes[sub->last].next = node;
	}
	sub->last = node;
	return node;
}

/* The state of a sub-pattern that is new. */
static bool add_sub(struct texts_writer *writer, uint32_t code)
{
	struct texts_sub_state *state;
	struct str stored;

	if (!texts_grow(writer, &writer->sub_states, &writer->sub_room, code, sizeof(*state))) {
		return false;
	}
	state = &writer->sub_states[code];
	if (arena_str(&writer->arena, buf_str(&writer->splitter.stored), &stored) != 0 ||
	    !pattern_read(stored, &writer->arena, &state->pattern)) {
		writer->failure = -ERR_NOMEM;
		return false;
	}
	state->is_quick = true;
	for (size_t i = 0; i < state->pattern.slot_count; i++) {
		uint8_t kind = state->pattern.slots[i].kind;

		state->is_quick &= kind == PATTERN_ID || kind == PATTERN_DIGITS ||
				   kind == PATTERN_DATE || kind == PATTERN_TIME;
	}
	return true;
}

/* Puts a text that is of the sub-pattern which its slot held last; false: it is of another one, or must be split. */
static bool put_hot(struct texts_writer *writer, uint32_t text_slot, struct str text)
{
	const struct texts_sub *sub = &writer->text_slots[text_slot];
	const struct texts_sub_state *state;
	uint32_t bucket;

	if (sub->hot_code == UINT32_MAX || !writer->sub_states[sub->hot_code].is_quick) {
		return false;
	}
	state = &writer->sub_states[sub->hot_code];
	if (!texts_match_sub(writer, state, text, writer->splitter.tokens)) {
		return false;
	}
	bucket = writer->nodes[sub->hot_node].first_bucket;
	texts_log_put(writer, &writer->sub_log, text_slot, sub->hot_node);
	for (size_t i = 0; i < state->pattern.slot_count; i++) {
		put_token(writer, bucket + (uint32_t)i, &writer->splitter.tokens[i]);
	}
	return true;
}

void texts_put_slot(struct texts_writer *writer, uint32_t text_slot, struct str text)
{
	size_t known = writer->subs.count;
	uint32_t code;
	uint32_t node;
	int result;

	if (put_hot(writer, text_slot, text) || !texts_split(writer, text, TEXTS_FRESH_SUBS)) {
		return;
	}
	result = wordset_code(&writer->subs, buf_str(&writer->splitter.stored), &code);
	if (result != 0) {
		writer->failure = result;
		return;
	}
	if (code == known) {
		texts_split_was_new(writer);
		if (!add_sub(writer, code)) {
			return;
		}
	}
	node = child_of(writer, text_slot, code);
	if (node == UINT32_MAX) {
		return;
	}
	writer->text_slots[text_slot].hot_code = code;
	writer->text_slots[text_slot].hot_node = node;
	texts_log_put(writer, &writer->sub_log, text_slot, node);
	texts_put_tokens(writer, writer->nodes[node].first_bucket);
}
