#include "store/block/frame.h"

#include "store/block/ints.h"
#include "store/block/ranks.h"

#include <stdlib.h>

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for a block");
}

int frame_get(struct streams *streams, struct frame *out, struct error *err)
{
	struct str bytes;
	struct block_about *about = &out->about;
	uint64_t sum = 0;
	bool fits = true;
	int rc = streams_get(streams, LAYOUT_FRAME, 0, &bytes, err);
	if (rc < 0) {
		return rc;
	}
	struct wire_reader reader = wire_reader(bytes);
	uint64_t rows = wire_varint(&reader);
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		uint64_t count = wire_varint(&reader);
		out->leaf_order[kind] = wire_u8(&reader);
		fits = fits && count <= BLOCK_ROWS_MAX &&
		       out->leaf_order[kind] <= LAYOUT_LEAVES_BY_PARENT;
		about->of_kind[kind] = (uint32_t)count;
		sum += fits ? count : 0;
	}
	about->row_count = (uint32_t)rows;
	about->min_leaf = wire_varint(&reader);
	about->max_leaf = wire_varint(&reader);
	about->min_time_ns = wire_zigzag(&reader);
	about->max_time_ns = wire_zigzag(&reader);
	about->record_bytes = wire_varint(&reader);
	about->raw_bytes = wire_varint(&reader);
	if (reader.failed || wire_left(&reader) != 0 || !fits || sum != rows ||
	    rows > BLOCK_ROWS_MAX) {
		return streams_blame(streams, LAYOUT_FRAME, "its rows do not fit", err);
	}
	return 0;
}

int frame_get_recipes(struct streams *streams, struct layout *layout, struct error *err)
{
	size_t recipes = recipes_count(layout->recipes);
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		struct block_run run = layout->runs[kind];
		const struct ranks_column about = {.column = LAYOUT_RECIPES,
						   .part = (uint8_t)(LAYOUT_PART * kind),
						   .count = run.count};
		if (run.count == 0) {
			continue;
		}
		int rc = ranks_get(streams, &about, layout->recipe_of + run.first, err);
		if (rc < 0) {
			return rc;
		}
		uint32_t known = UINT32_MAX; /* the row before has it: most have the same */
		for (uint32_t row = run.first; row < run.first + run.count; row++) {
			uint32_t recipe = layout->recipe_of[row];
			if (recipe != known &&
			    (recipe >= recipes ||
			     recipes_at(layout->recipes, recipe)->kind != kind)) {
				return streams_blame(streams, LAYOUT_RECIPES,
						     "a row has no recipe of its kind", err);
			}
			known = recipe;
		}
	}
	return 0;
}

/* Whether the recipe of the row before gave its time: most rows have the same. */
struct time_maker {
	uint32_t recipe;
	bool makes;
};

static bool makes_time(const struct layout *layout, uint32_t row, struct time_maker *maker)
{
	uint32_t recipe = layout->recipe_of[row];
	if (recipe != maker->recipe) {
		maker->recipe = recipe;
		maker->makes = recipes_at(layout->recipes, recipe)->makes_time;
	}
	return maker->makes;
}

/* The values that stand for the rows whose recipe gives no time. */
static int get_left(struct streams *streams, const struct layout *layout, uint8_t kind,
		    int64_t *left, struct error *err)
{
	struct block_run run = layout->runs[kind];
	uint32_t *bucket = malloc(((size_t)run.count + 1) * sizeof bucket[0]);
	size_t count = 0;
	if (bucket == NULL) {
		return no_memory(err);
	}
	struct time_maker maker = {.recipe = UINT32_MAX};
	for (uint32_t row = run.first; row < run.first + run.count; row++) {
		if (!makes_time(layout, row, &maker)) {
			bucket[count++] =
				kind == RECORD_STATEMENT ? layout_time_bucket(layout, row) : 0;
		}
	}
	const struct ints_column about = {.column = LAYOUT_TIMES,
					  .part = (uint8_t)(LAYOUT_PART * kind),
					  .count = count,
					  .bucket = kind == RECORD_STATEMENT ? bucket : NULL};
	int rc = ints_get(streams, &about, left, err);
	free(bucket);
	return rc;
}

int frame_get_times(struct streams *streams, struct layout *layout, uint8_t kind,
		    const int64_t *durations, struct error *err)
{
	struct block_run run = layout->runs[kind];
	int64_t *left = malloc(((size_t)run.count + 1) * sizeof left[0]);
	size_t next = 0;
	if (left == NULL) {
		return no_memory(err);
	}
	int rc = get_left(streams, layout, kind, left, err);
	struct time_maker maker = {.recipe = UINT32_MAX};
	for (uint32_t row = run.first; rc == 0 && row < run.first + run.count; row++) {
		uint32_t parent = layout->parents[row];
		if (!makes_time(layout, row, &maker)) {
			int64_t expected = kind == RECORD_STATEMENT
						   ? layout_expected_time(layout, row, durations)
						   : 0;
			layout->times[row] = (int64_t)((uint64_t)left[next++] + (uint64_t)expected);
		} else if (parent < row) {
			layout->times[row] = layout->times[parent];
		} else {
			rc = streams_blame(streams, LAYOUT_TIMES, "a row has no subject", err);
		}
	}
	free(left);
	return rc;
}

int frame_get_leaves(struct streams *streams, struct layout *layout, uint8_t kind, uint8_t order,
		     struct error *err)
{
	struct block_run run = layout->runs[kind];
	uint32_t *rows = malloc(((size_t)run.count + 1) * sizeof rows[0]);
	int64_t *leaves = malloc(((size_t)run.count + 1) * sizeof leaves[0]);
	const struct ints_column about = {
		.column = LAYOUT_LEAVES, .part = (uint8_t)(LAYOUT_PART * kind), .count = run.count};
	int rc = rows != NULL && leaves != NULL ? ints_get(streams, &about, leaves, err)
						: no_memory(err);
	if (rc == 0 && !layout_leaf_order(layout, kind, order, rows)) {
		rc = no_memory(err);
	}
	for (uint32_t i = 0; rc == 0 && i < run.count; i++) {
		layout->leaves[run.first + rows[i]] = (uint64_t)leaves[i];
	}
	free(rows);
	free(leaves);
	return rc;
}

static int get_statement_parents(struct streams *streams, struct layout *layout,
				 const int64_t *numbers, struct error *err)
{
	struct block_run requests = layout->runs[RECORD_REQUEST];
	struct block_run statements = layout->runs[RECORD_STATEMENT];
	uint32_t next = 0;
	for (uint32_t i = 0; i < requests.count; i++) {
		if (numbers[i] < 0 || numbers[i] > statements.count - next) {
			return streams_blame(streams, LAYOUT_PARENTS,
					     "requests have more statements than there are", err);
		}
		for (int64_t k = 0; k < numbers[i]; k++) {
			layout->parents[statements.first + next++] = requests.first + i;
		}
	}
	return 0;
}

static int get_verdict_parents(struct streams *streams, struct layout *layout,
			       const int64_t *numbers, struct error *err)
{
	struct block_run verdicts = layout->runs[RECORD_VERDICT];
	for (uint32_t i = 0; i < verdicts.count; i++) {
		bool is_none = numbers[i] == (int64_t)layout->row_count;
		if (!is_none && (numbers[i] < 0 || numbers[i] >= verdicts.first)) {
			return streams_blame(streams, LAYOUT_PARENTS, "a verdict has no subject",
					     err);
		}
		layout->parents[verdicts.first + i] = is_none ? BLOCK_NO_ROW : (uint32_t)numbers[i];
	}
	return 0;
}

int frame_get_parents(struct streams *streams, struct layout *layout, struct error *err)
{
	struct ints_column about = {.column = LAYOUT_PARENTS,
				    .count = layout->runs[RECORD_REQUEST].count};
	size_t verdicts = layout->runs[RECORD_VERDICT].count;
	size_t room = (about.count > verdicts ? about.count : verdicts) + 1;
	int64_t *numbers = malloc(room * sizeof numbers[0]);
	if (numbers == NULL) {
		return no_memory(err);
	}
	for (uint32_t row = 0; row < layout->row_count; row++) {
		layout->parents[row] = BLOCK_NO_ROW;
	}
	int rc = ints_get(streams, &about, numbers, err);
	rc = rc < 0 ? rc : get_statement_parents(streams, layout, numbers, err);
	about.part = LAYOUT_PART;
	about.count = verdicts;
	rc = rc < 0 ? rc : ints_get(streams, &about, numbers, err);
	rc = rc < 0 ? rc : get_verdict_parents(streams, layout, numbers, err);
	free(numbers);
	return rc;
}

/* Runs of ingest times, by rising leaf. */
struct ingest_runs {
	int64_t *length, *time_ns;
	size_t count;
};

static void runs_done(struct ingest_runs *runs)
{
	free(runs->length);
	free(runs->time_ns);
}

static int check_runs(struct streams *streams, const struct ingest_runs *runs,
		      const struct layout *layout, struct error *err)
{
	uint64_t left = layout->row_count;
	for (size_t i = 0; i < runs->count; i++) {
		if (runs->length[i] < 1 || (uint64_t)runs->length[i] > left) {
			return streams_blame(streams, LAYOUT_INGEST, "its runs do not fit", err);
		}
		left -= (uint64_t)runs->length[i];
	}
	return left == 0 ? 0 : streams_blame(streams, LAYOUT_INGEST, "its runs do not fit", err);
}

/* Reads the runs; to be freed with runs_done in any case. */
static int read_runs(struct streams *streams, const struct layout *layout, struct ingest_runs *out,
		     struct error *err)
{
	struct str bytes;
	*out = (struct ingest_runs){0};
	int rc = streams_get(streams, LAYOUT_INGEST, 2 * LAYOUT_PART, &bytes, err);
	if (rc < 0) {
		return rc;
	}
	struct wire_reader reader = wire_reader(bytes);
	uint64_t count = bytes.len > 0 ? wire_varint(&reader) : 0;
	if (reader.failed || count > layout->row_count) {
		return streams_blame(streams, LAYOUT_INGEST, "its runs do not fit", err);
	}
	out->count = (size_t)count;
	out->length = malloc((out->count + 1) * sizeof out->length[0]);
	out->time_ns = malloc((out->count + 1) * sizeof out->time_ns[0]);
	if (out->length == NULL || out->time_ns == NULL) {
		return no_memory(err);
	}
	struct ints_column about = {.column = LAYOUT_INGEST, .count = out->count};
	rc = ints_get(streams, &about, out->length, err);
	about.part = LAYOUT_PART;
	rc = rc < 0 ? rc : ints_get(streams, &about, out->time_ns, err);
	return rc < 0 ? rc : check_runs(streams, out, layout, err);
}

/* Gives each row its time. Returns 0 or -ERR_NOMEM. */
static int fill_ingest(const struct layout *layout, const struct ingest_runs *runs,
		       int64_t *out_ingest_ns)
{
	uint32_t *rows = malloc(((size_t)layout->row_count + 1) * sizeof rows[0]);
	size_t at = 0;
	for (uint32_t row = 0; rows != NULL && row < layout->row_count; row++) {
		rows[row] = row;
	}
	bool sorted = rows != NULL &&
		      (runs->count <= 1 || layout_sort(layout->leaves, rows, layout->row_count));
	for (size_t i = 0; sorted && i < runs->count; i++) {
		for (int64_t k = 0; k < runs->length[i]; k++) {
			out_ingest_ns[rows[at++]] = runs->time_ns[i];
		}
	}
	free(rows);
	return sorted ? 0 : -ERR_NOMEM;
}

int frame_get_ingest(struct streams *streams, const struct layout *layout, int64_t *out_ingest_ns,
		     struct error *err)
{
	struct ingest_runs runs;
	int rc = read_runs(streams, layout, &runs, err);
	if (rc == 0 && fill_ingest(layout, &runs, out_ingest_ns) < 0) {
		rc = no_memory(err);
	}
	runs_done(&runs);
	return rc;
}

int frame_ingest_is_one(struct streams *streams, bool *out_is_one, struct error *err)
{
	struct str bytes;
	int rc = streams_get(streams, LAYOUT_INGEST, 2 * LAYOUT_PART, &bytes, err);
	struct wire_reader reader = wire_reader(bytes);
	*out_is_one = rc == 0 && bytes.len > 0 && wire_varint(&reader) <= 1;
	return rc;
}

int frame_get_ingest_at(struct streams *streams, const struct layout *layout, uint32_t row,
			int64_t *out_ingest_ns, struct error *err)
{
	struct ingest_runs runs;
	uint64_t leaf = layout->leaves[row];
	int64_t before = 0; /* records with smaller leaves */
	int rc = read_runs(streams, layout, &runs, err);
	for (uint32_t i = 0; rc == 0 && runs.count > 1 && i < layout->row_count; i++) {
		before += layout->leaves[i] < leaf ? 1 : 0;
	}
	for (size_t i = 0; rc == 0 && i < runs.count; i++) {
		if (before < runs.length[i]) {
			*out_ingest_ns = runs.time_ns[i];
			break;
		}
		before -= runs.length[i];
	}
	runs_done(&runs);
	return rc;
}

uint8_t frame_hint(struct str id)
{
	uint8_t hint = 0;
	for (size_t i = id.len - 2; i < id.len; i++) {
		char digit = id.ptr[i];
		hint = (uint8_t)(hint << 4 | (digit <= '9' ? digit - '0' : digit - 'a' + 10));
	}
	return hint & ((1u << LAYOUT_HINT_BITS) - 1);
}

int frame_get_hints(struct streams *streams, const struct layout *layout, uint8_t kind,
		    struct str *out_bits, struct error *err)
{
	size_t count = layout->runs[kind].count;
	uint8_t part = (uint8_t)(LAYOUT_PART * kind);
	int rc = streams_get(streams, LAYOUT_HINTS, part, out_bits, err);
	if (rc == 0 && out_bits->len > 0 && out_bits->len != (count * LAYOUT_HINT_BITS + 7) / 8) {
		return streams_blame(streams, LAYOUT_HINTS, "it has not one hint a row", err);
	}
	return rc;
}
