#include "store/block/frame.h"

#include "store/block/bits.h"
#include "store/block/ints.h"
#include "store/block/ranks.h"

#include <stdlib.h>

int frame_put_recipes(struct streams_writer *streams, const struct layout *layout, uint8_t kind)
{
	struct block_run run = layout->runs[kind];
	const struct ranks_column about = {.column = LAYOUT_RECIPES,
					   .part = (uint8_t)(LAYOUT_PART * kind),
					   .count = run.count};
	return ranks_put(streams, &about, layout->recipe_of + run.first);
}

int frame_put_times(struct streams_writer *streams, const struct layout *layout, uint8_t kind,
		    const int64_t *durations)
{
	struct block_run run = layout->runs[kind];
	int64_t *left = malloc(((size_t)run.count + 1) * sizeof left[0]);
	uint32_t *bucket = malloc(((size_t)run.count + 1) * sizeof bucket[0]);
	size_t count = 0;
	int rc = -ERR_NOMEM;
	if (left != NULL && bucket != NULL) {
		for (uint32_t row = run.first; row < run.first + run.count; row++) {
			if (recipes_at(layout->recipes, layout->recipe_of[row])->makes_time) {
				continue;
			}
			bucket[count] = layout_time_bucket(layout, row);
			left[count++] =
				(int64_t)((uint64_t)layout->times[row] -
					  (uint64_t)layout_expected_time(layout, row, durations));
		}
		const struct ints_column about = {.column = LAYOUT_TIMES,
						  .part = (uint8_t)(LAYOUT_PART * kind),
						  .count = count,
						  .bucket =
							  kind == RECORD_STATEMENT ? bucket : NULL};
		rc = ints_put(streams, &about, left);
	}
	free(left);
	free(bucket);
	return rc;
}

int frame_put_leaves(struct streams_writer *streams, const struct layout *layout, uint8_t kind,
		     uint8_t *out_order)
{
	struct block_run run = layout->runs[kind];
	uint32_t *rows = malloc(((size_t)run.count + 1) * sizeof rows[0]);
	int64_t *leaves = malloc(((size_t)run.count + 1) * sizeof leaves[0]);
	uint64_t best = UINT64_MAX;
	int rc = rows != NULL && leaves != NULL ? 0 : -ERR_NOMEM;
	*out_order = 0;
	for (unsigned order = 0; rc == 0 && order <= LAYOUT_LEAVES_BY_PARENT + 1u; order++) {
		bool is_last =
			order > LAYOUT_LEAVES_BY_PARENT; /* once more the best one, to be written */
		if (!layout_leaf_order(layout, kind, is_last ? *out_order : order, rows)) {
			rc = -ERR_NOMEM;
			break;
		}
		for (uint32_t i = 0; i < run.count; i++) {
			leaves[i] = (int64_t)layout->leaves[run.first + rows[i]];
		}
		if (is_last) {
			const struct ints_column about = {.column = LAYOUT_LEAVES,
							  .part = (uint8_t)(LAYOUT_PART * kind),
							  .count = run.count};
			rc = ints_put(streams, &about, leaves);
			break;
		}
		uint64_t bits = ints_cost(leaves, NULL, run.count);
		if (order == 0 || bits + 64 < best) {
			best = bits;
			*out_order = (uint8_t)order;
		}
	}
	free(rows);
	free(leaves);
	return rc;
}

int frame_put_parents(struct streams_writer *streams, const struct layout *layout)
{
	struct block_run requests = layout->runs[RECORD_REQUEST];
	struct block_run statements = layout->runs[RECORD_STATEMENT];
	struct block_run verdicts = layout->runs[RECORD_VERDICT];
	size_t room = (size_t)requests.count + verdicts.count + 1;
	int64_t *numbers = calloc(room, sizeof numbers[0]);
	if (numbers == NULL) {
		return -ERR_NOMEM;
	}
	for (uint32_t row = statements.first; row < statements.first + statements.count; row++) {
		if (layout->parents[row] != BLOCK_NO_ROW) {
			numbers[layout->parents[row] - requests.first]++;
		}
	}
	struct ints_column about = {.column = LAYOUT_PARENTS, .count = requests.count};
	int rc = ints_put(streams, &about, numbers);
	for (uint32_t i = 0; i < verdicts.count; i++) {
		uint32_t parent = layout->parents[verdicts.first + i];
		numbers[i] = parent == BLOCK_NO_ROW ? (int64_t)layout->row_count : parent;
	}
	about.part = LAYOUT_PART;
	about.count = verdicts.count;
	rc = rc < 0 ? rc : ints_put(streams, &about, numbers);
	free(numbers);
	return rc;
}

int frame_put_ingest(struct streams_writer *streams, const struct layout *layout,
		     const int64_t *ingest_ns)
{
	size_t count = layout->row_count, runs = 0;
	uint32_t *rows = malloc((count + 1) * sizeof rows[0]);
	int64_t *lengths = malloc((count + 1) * sizeof lengths[0]);
	int64_t *times = malloc((count + 1) * sizeof times[0]);
	int rc = -ERR_NOMEM;
	for (uint32_t row = 0; rows != NULL && row < count; row++) {
		rows[row] = row;
	}
	if (rows != NULL && lengths != NULL && times != NULL &&
	    layout_sort(layout->leaves, rows, count)) {
		for (size_t i = 0; i < count; i++) {
			int64_t here = ingest_ns[rows[i]];
			if (runs == 0 || times[runs - 1] != here) {
				lengths[runs] = 0;
				times[runs++] = here;
			}
			lengths[runs - 1]++;
		}
		struct ints_column about = {.column = LAYOUT_INGEST, .count = runs};
		rc = ints_put(streams, &about, lengths);
		about.part = LAYOUT_PART;
		rc = rc < 0 ? rc : ints_put(streams, &about, times);
		struct buf count_bytes;
		buf_init(&count_bytes, 64);
		wire_put_varint(&count_bytes, runs);
		streams_put(streams, LAYOUT_INGEST, 2 * LAYOUT_PART, buf_str(&count_bytes), -1);
		buf_done(&count_bytes);
	}
	free(rows);
	free(lengths);
	free(times);
	return rc;
}

static void put_about(const struct frame *frame, struct buf *out)
{
	const struct block_about *about = &frame->about;
	wire_put_varint(out, about->row_count);
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		wire_put_varint(out, about->of_kind[kind]);
		wire_put_u8(out, frame->leaf_order[kind]);
	}
	wire_put_varint(out, about->min_leaf);
	wire_put_varint(out, about->max_leaf);
	wire_put_zigzag(out, about->min_time_ns);
	wire_put_zigzag(out, about->max_time_ns);
	wire_put_varint(out, about->record_bytes);
	wire_put_varint(out, about->raw_bytes);
}

int frame_put(struct streams_writer *streams, const struct layout *layout,
	      const struct frame *frame)
{
	struct buf out;
	buf_init(&out, STREAM_BYTES_MAX);
	put_about(frame, &out);
	bool failed = out.failed;
	streams_put(streams, LAYOUT_FRAME, 0, buf_str(&out), 0);
	buf_clear(&out);
	recipes_save(layout->recipes, &out);
	failed = failed || out.failed;
	streams_put(streams, LAYOUT_FRAME, 1, buf_str(&out), 0);
	buf_clear(&out);
	layout_save(layout, &out);
	failed = failed || out.failed;
	streams_put(streams, LAYOUT_FRAME, 2, buf_str(&out), 0);
	buf_done(&out);
	return failed ? -ERR_NOMEM : 0;
}

int frame_put_hints(struct streams_writer *streams, uint8_t kind, const uint8_t *hints,
		    size_t count)
{
	struct buf out;
	buf_init(&out, STREAM_BYTES_MAX);
	struct bits_writer bits = {.out = &out};
	for (size_t i = 0; i < count; i++) {
		bits_put(&bits, hints[i], LAYOUT_HINT_BITS);
	}
	bits_end(&bits);
	bool failed = out.failed;
	streams_put(streams, LAYOUT_HINTS, (uint8_t)(LAYOUT_PART * kind), buf_str(&out), -1);
	buf_done(&out);
	return failed ? -ERR_NOMEM : 0;
}
