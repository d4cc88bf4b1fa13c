#include "store/block/texts-writer.h"

#include <stdlib.h>

/* Putting the buckets in order, sorting the logs by them, and writing the streams. */

static bool order_init(struct texts_order *order, struct texts_writer *writer)
{
	size_t most = writer->sub_log.count;
	size_t places = writer->bucket_count > writer->text_slot_count ? writer->bucket_count
								       : writer->text_slot_count;

	for (size_t i = 0; i < TEXTS_NONE; i++) {
		most = writer->logs[i].count > most ? writer->logs[i].count : most;
	}
	order->root_code = calloc(writer->roots.count + 1, sizeof(*order->root_code));
	order->bucket = calloc(writer->bucket_count + 1, sizeof(*order->bucket));
	order->by_place = calloc(writer->bucket_count + 1, sizeof(*order->by_place));
	order->text_slot = calloc(writer->text_slot_count + 1, sizeof(*order->text_slot));
	order->starts = calloc(places + 2, sizeof(*order->starts));
	order->sorted = calloc(most + 1, sizeof(*order->sorted));
	return order->root_code != NULL && order->bucket != NULL && order->by_place != NULL &&
	       order->text_slot != NULL && order->starts != NULL && order->sorted != NULL;
}

static void order_done(struct texts_order *order)
{
	free(order->root_code);
	free(order->bucket);
	free(order->by_place);
	free(order->text_slot);
	free(order->starts);
	free(order->sorted);
}

/* Writes the texts of a set in the order of first use in codes, and replaces the codes by it. */
static int put_words(struct texts_order *order, const struct wordset *set, int64_t *codes,
		     size_t count, uint8_t part)
{
	uint32_t *new_code = malloc((set->count + 1) * sizeof(*new_code));
	struct str *texts = calloc(set->count + 1, sizeof(*texts));
	size_t used = 0;
	int result = -ERR_NOMEM;

	if (new_code != NULL && texts != NULL) {
		memset(new_code, 0xff, (set->count + 1) * sizeof(*new_code));
		for (size_t i = 0; i < count; i++) {
			uint32_t code = (uint32_t)codes[i];

			if (new_code[code] == UINT32_MAX) {
				texts[used] = wordset_text(set, code);
				new_code[code] = (uint32_t)used++;
			}
			codes[i] = new_code[code];
		}
		result = wordlist_put(order->streams, order->writer->about->column, part, texts,
				      used);
	}
	free(new_code);
	free(texts);
	return result;
}

/* Roots in the order that packs best, and the code of each row. */
static int put_roots(struct texts_order *order)
{
	struct texts_writer *writer = order->writer;
	size_t count = writer->roots.count;
	struct str *texts = calloc(count + 1, sizeof(*texts));
	struct str *sorted = calloc(count + 1, sizeof(*sorted));
	struct ranks_column about = {.column = writer->about->column,
				     .part = TEXTS_PART_CODES,
				     .count = writer->about->count,
				     .context = writer->about->context};
	int result = -ERR_NOMEM;

	if (texts == NULL || sorted == NULL) {
		goto end;
	}
	for (size_t i = 0; i < count; i++) {
		texts[i] = wordset_text(&writer->roots, (uint32_t)i);
	}
	result = wordlist_sort(texts, count, order->root_code);
	if (result != 0) {
		goto end;
	}
	for (size_t i = 0; i < count; i++) {
		sorted[order->root_code[i]] = texts[i];
	}
	for (size_t row = 0; row < about.count; row++) {
		if (writer->codes[row] != 0) {
			writer->codes[row] = order->root_code[writer->codes[row] - 1] + 1;
		}
	}
	result = wordlist_put(order->streams, about.column, TEXTS_PART_ROOTS, sorted, count);
	if (result == 0 && about.count > 0) {
		result = ranks_put(order->streams, &about, writer->codes);
	}
end:
	free(texts);
	free(sorted);
	return result;
}

static void place_buckets(struct texts_order *order, const struct texts_node *node, uint32_t *place)
{
	for (uint32_t i = 0; i < node->slot_count; i++) {
		order->by_place[*place] = node->first_bucket + i;
		order->bucket[node->first_bucket + i] = (*place)++;
	}
}

/* Gives each bucket and slot its place: roots by code, slots, sub-patterns by first use, slots. */
static int place_all(struct texts_order *order)
{
	struct texts_writer *writer = order->writer;
	uint32_t *by_code = malloc((writer->roots.count + 1) * sizeof(*by_code));
	uint32_t place = 0;
	uint32_t text_place = 0;

	if (by_code == NULL) {
		return -ERR_NOMEM;
	}
	for (uint32_t i = 0; i < writer->roots.count; i++) {
		by_code[order->root_code[i]] = i;
	}
	for (size_t code = 0; code < writer->roots.count; code++) {
		const struct texts_root_state *state = &writer->root_states[by_code[code]];
		const struct texts_node *node = &writer->nodes[state->node];
		uint32_t text_slot = state->first_sub;

		for (uint32_t i = 0; i < node->slot_count; i++) {
			if (writer->buckets[node->first_bucket + i].kind != PATTERN_TEXT) {
				order->by_place[place] = node->first_bucket + i;
				order->bucket[node->first_bucket + i] = place++;
				continue;
			}
			for (uint32_t child = writer->text_slots[text_slot].first;
			     child != UINT32_MAX; child = writer->nodes[child].next) {
				place_buckets(order, &writer->nodes[child], &place);
			}
			order->text_slot[text_slot++] = text_place++;
		}
	}
	free(by_code);
	return 0;
}

void texts_sort_log(struct texts_order *order, const struct texts_log *log, const uint32_t *place,
		    size_t place_count)
{
	size_t *starts = order->starts;

	memset(starts, 0, (place_count + 2) * sizeof(*starts));
	for (size_t i = 0; i < log->count; i++) {
		starts[place[log->bucket[i]] + 2]++;
	}
	for (size_t i = 2; i <= place_count; i++) {
		starts[i] += starts[i - 1];
	}
	/* each start is one place ahead, and has moved back when all values stand */
	for (size_t i = 0; i < log->count; i++) {
		order->sorted[starts[place[log->bucket[i]] + 1]++] = log->value[i];
	}
}

int texts_put_ints(struct texts_order *order, size_t part, const int64_t *values, size_t count)
{
	struct ints_column about = {
		.column = order->writer->about->column, .part = (uint8_t)part, .count = count};

	return count > 0 ? ints_put(order->streams, &about, values) : 0;
}

static int put_subs(struct texts_order *order)
{
	struct texts_writer *writer = order->writer;
	size_t count = writer->sub_log.count;
	int result;

	texts_sort_log(order, &writer->sub_log, order->text_slot, writer->text_slot_count);
	for (size_t i = 0; i < count; i++) {
		order->sorted[i] = writer->nodes[order->sorted[i]].code;
	}
	result = put_words(order, &writer->subs, order->sorted, count, TEXTS_PART_SUBS);
	return result == 0 ? texts_put_ints(order, TEXTS_PART_SUB_CODES, order->sorted, count)
			   : result;
}

/* 122 of the 128 bits of UUIDs of version 4: 15 bytes each, then two bits each. */
static void put_uuid_bucket(const struct texts_order *order, size_t first, size_t end,
			    struct buf *out)
{
	const char *bytes = order->writer->bytes.ptr;
	size_t bits_at;

	for (size_t i = first; i < end; i++) {
		const uint8_t *uuid = (const uint8_t *)bytes + order->sorted[i];

		buf_put(out, uuid, 6);
		buf_put(out, uuid + 7, 1);
		buf_put(out, uuid + 9, 7);
		buf_put_byte(out, (uint8_t)(uuid[6] << 4 | (uuid[8] & 15)));
	}
	bits_at = out->len;
	buf_put_fill(out, 0, (end - first + 3) / 4);
	for (size_t i = first; i < end && !out->failed; i++) {
		unsigned two = (uint8_t)bytes[order->sorted[i] + 8] >> 4 & 3;
		uint8_t *at = (uint8_t *)out->ptr + bits_at + (i - first) / 4;

		*at = (uint8_t)(*at | two << (i - first) % 4 * 2);
	}
}

/* Byte k of all tokens of a bucket, then byte k + 1. */
static void put_bytes_bucket(const struct texts_order *order, size_t first, size_t end,
			     size_t width, struct buf *out)
{
	size_t count = end - first;
	const char *bytes = order->writer->bytes.ptr;
	size_t at = out->len;

	buf_put_fill(out, 0, count * width);
	for (size_t k = 0; k < width && !out->failed; k++) {
		for (size_t i = 0; i < count; i++) {
			out->ptr[at++] = bytes[(size_t)order->sorted[first + i] + k];
		}
	}
}

/* UUIDS or BYTES. */
static int put_bytes(struct texts_order *order, enum texts_group group)
{
	struct texts_writer *writer = order->writer;
	struct buf out;
	int result;

	buf_init(&out, 0);
	texts_sort_log(order, &writer->logs[group], order->bucket, writer->bucket_count);
	for (size_t place = 0; place < writer->bucket_count; place++) {
		size_t first = order->starts[place];
		size_t end = order->starts[place + 1];

		if (first < end && group == TEXTS_UUIDS) {
			put_uuid_bucket(order, first, end, &out);
		} else if (first < end) {
			size_t width = pattern_slot_bytes(writer->buckets[order->by_place[place]]);

			put_bytes_bucket(order, first, end, width, &out);
		}
	}
	result = out.failed ? -ERR_LIMIT : 0;
	if (result == 0) {
		streams_put(order->streams, writer->about->column,
			    group == TEXTS_UUIDS ? TEXTS_PART_UUIDS : TEXTS_PART_BYTES,
			    buf_str(&out), group == TEXTS_UUIDS ? -1 : 0);
	}
	buf_done(&out);
	return result;
}

static int put_group(struct texts_order *order, enum texts_group group)
{
	struct texts_writer *writer = order->writer;
	const struct texts_log *log = &writer->logs[group];
	int result = 0;

	if (log->count == 0) {
		return 0;
	}
	if (group == TEXTS_POOLED) {
		return texts_put_numbers(order);
	}
	if (group >= TEXTS_INT_GROUPS) {
		return put_bytes(order, group);
	}
	texts_sort_log(order, log, order->bucket, writer->bucket_count);
	if (group == TEXTS_WORDS) {
		result = put_words(order, &writer->words, order->sorted, log->count,
				   TEXTS_PART_WORDS);
	}
	return result == 0 ? texts_put_ints(order, TEXTS_PART_GROUPS + (size_t)group * INTS_PARTS,
					    order->sorted, log->count)
			   : result;
}

/* Whether any id is used. */
static bool has_id_bytes(const struct texts_writer *writer)
{
	for (size_t i = 0; i < sizeof(writer->id_bytes); i++) {
		if (writer->id_bytes[i / 32][i % 32] != 0) {
			return true;
		}
	}
	return false;
}

int texts_finish(struct texts_writer *writer, struct streams_writer *streams)
{
	struct texts_order order = {.writer = writer, .streams = streams};
	int result = order_init(&order, writer) ? 0 : -ERR_NOMEM;

	if (result == 0) {
		result = put_roots(&order);
	}
	if (result == 0) {
		result = place_all(&order);
	}
	if (result == 0) {
		result = put_subs(&order);
	}
	for (size_t group = 0; group < TEXTS_NONE && result == 0; group++) {
		result = put_group(&order, (enum texts_group)group);
	}
	if (result == 0 && has_id_bytes(writer)) {
		streams_put(streams, writer->about->column, TEXTS_PART_ID_BYTES,
			    str_make(writer->id_bytes, sizeof(writer->id_bytes)), 0);
	}
	order_done(&order);
	return result;
}
