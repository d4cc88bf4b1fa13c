#include "store/block/opened.h"

#include <stdlib.h>
#include <string.h>

#define INGEST_FEW 32 /* times of single rows, before all are read */

static bool allocate(struct block *block)
{
	size_t rows = (size_t)block->frame.about.row_count + 1;
	struct layout *layout = &block->layout;
	layout->recipe_of = malloc(rows * sizeof layout->recipe_of[0]);
	layout->parents = malloc(rows * sizeof layout->parents[0]);
	layout->leaves = malloc(rows * sizeof layout->leaves[0]);
	layout->times = malloc(rows * sizeof layout->times[0]);
	block->kinds = malloc(rows);
	block->answers =
		calloc((size_t)RECORD_KIND_COUNT * OPENED_ANSWERS, sizeof block->answers[0]);
	block->row = opened_row_new();
	block->subject = opened_row_new();
	return layout->recipe_of != NULL && layout->parents != NULL && layout->leaves != NULL &&
	       layout->times != NULL && block->kinds != NULL && block->answers != NULL &&
	       block->row != NULL && block->subject != NULL;
}

/* Kinds follow one another. */
static void set_runs(struct block *block)
{
	const struct block_about *about = &block->frame.about;
	struct layout *layout = &block->layout;
	layout->row_count = about->row_count;
	uint32_t first = 0;
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		layout->runs[kind] = (struct block_run){first, about->of_kind[kind]};
		memset(block->kinds + first, (int)kind, about->of_kind[kind]);
		first += about->of_kind[kind];
	}
}

/* Recipes and the descriptions of columns. */
static int read_layout(struct block *block, struct error *err)
{
	struct str recipes, columns;
	int rc = streams_get(block->streams, LAYOUT_FRAME, 1, &recipes, err);
	rc = rc < 0 ? rc : streams_get(block->streams, LAYOUT_FRAME, 2, &columns, err);
	if (rc < 0) {
		return rc;
	}
	block->layout.recipes = block->recipes;
	int loaded = recipes_load(block->recipes, recipes);
	loaded = loaded < 0 ? loaded : layout_load(&block->layout, block->recipes, columns);
	if (loaded == -ERR_CORRUPT) {
		return streams_blame(block->streams, LAYOUT_FRAME,
				     "its recipes or columns do not fit", err);
	}
	if (loaded < 0) {
		return opened_no_memory(block, err);
	}
	for (uint32_t row = 0; row < block->layout.runs[RECORD_REQUEST].count; row++) {
		block->layout.parents[row] = BLOCK_NO_ROW; /* as long as no other row is read */
	}
	block->columns = calloc(block->layout.count + 1, sizeof block->columns[0]);
	block->known = calloc(recipes_count(block->recipes) + 1, sizeof block->known[0]);
	return block->columns != NULL && block->known != NULL ? 0 : opened_no_memory(block, err);
}

static int read_block(struct block *block, const struct block_place *place, struct error *err)
{
	const struct streams_place streams = {.fd = place->fd,
					      .bytes = place->bytes,
					      .name = block->name,
					      .number = place->number,
					      .key = place->key};
	int rc = streams_open(&streams, &block->streams, err);
	if (rc == 0) {
		streams_use_gauge(block->streams, place->gauge);
	}
	rc = rc < 0 ? rc : frame_get(block->streams, &block->frame, err);
	if (rc < 0) {
		return rc;
	}
	block->frame.about.number = place->number;
	if (!allocate(block)) {
		return opened_no_memory(block, err);
	}
	set_runs(block);
	rc = read_layout(block, err);
	return rc < 0 ? rc : frame_get_recipes(block->streams, &block->layout, err);
}

typedef int read_fn(struct block *block, struct error *err);

static int open_and_read(const struct block_place *place, read_fn *read, struct block **out_block,
			 struct error *err)
{
	struct block *block = calloc(1, sizeof *block);
	if (block == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %s", place->name);
	}
	buf_init(&block->id_texts, RECORD_MAX_BYTES);
	block->name = strdup(place->name);
	block->recipes = recipes_new();
	int rc = block->name == NULL || block->recipes == NULL
			 ? error_set(err, ERR_NOMEM, "no memory for %s", place->name)
			 : read_block(block, place, err);
	rc = rc < 0 ? rc : read(block, err);
	if (rc < 0) {
		block_close(block);
		return rc;
	}
	*out_block = block;
	return 0;
}

int block_open(const struct block_place *place, struct block **out_block, struct error *err)
{
	return open_and_read(place, block_complete, out_block, err);
}

static int read_nothing(struct block *block, struct error *err)
{
	(void)block;
	(void)err;
	return 0;
}

int block_open_slim(const struct block_place *place, struct block **out_block, struct error *err)
{
	return open_and_read(place, read_nothing, out_block, err);
}

static void answers_done(struct block *block)
{
	for (size_t i = 0; block->answers != NULL && i < (size_t)RECORD_KIND_COUNT * OPENED_ANSWERS;
	     i++) {
		struct opened_answer *answer = block->answers[i];
		if (answer != NULL) {
			free(answer->own_code);
			free(answer->own_dict);
			free(answer->numbers);
			buf_done(&answer->texts);
			free(answer);
		}
	}
	free(block->answers);
}

void block_close(struct block *block)
{
	if (block == NULL) {
		return;
	}
	struct layout *layout = &block->layout;
	answers_done(block);
	for (size_t c = 0; block->columns != NULL && c < layout->count; c++) {
		opened_column_done(&block->columns[c]);
		free(layout->columns[c].code);
		free(layout->columns[c].number);
	}
	for (size_t i = 0; block->known != NULL && i < recipes_count(block->recipes); i++) {
		free(block->known[i]);
	}
	free(block->columns);
	free(block->known);
	free(layout->columns);
	free(layout->recipe_of);
	free(layout->parents);
	free(layout->leaves);
	free(layout->times);
	free(block->kinds);
	free(block->ingest_ns);
	free(block->by_leaf);
	free(block->ids);
	opened_row_free(block->row);
	opened_row_free(block->subject);
	buf_done(&block->id_texts);
	recipes_free(block->recipes);
	streams_close(block->streams);
	free(block->name);
	free(block);
}

const struct block_about *block_about(const struct block *block)
{
	return &block->frame.about;
}

const uint8_t *block_kinds(const struct block *block)
{
	return block->kinds;
}

const uint64_t *block_leaves(const struct block *block)
{
	return block->layout.leaves;
}

const int64_t *block_times(const struct block *block)
{
	return block->layout.times;
}

int block_parents(struct block *block, const uint32_t **out_parents, struct error *err)
{
	int rc = opened_parents(block, err);
	*out_parents = block->layout.parents;
	return rc;
}

int block_ingest_times(struct block *block, const int64_t **out_ingest_ns, struct error *err)
{
	if (block->ingest_ns == NULL) {
		size_t rows = (size_t)block->layout.row_count + 1;
		int known = block_complete(block, err);
		if (known < 0) {
			return known;
		}
		int64_t *ingest_ns = malloc(rows * sizeof ingest_ns[0]);
		int rc = ingest_ns != NULL
				 ? frame_get_ingest(block->streams, &block->layout, ingest_ns, err)
				 : opened_no_memory(block, err);
		if (rc < 0) {
			free(ingest_ns);
			return rc;
		}
		block->ingest_ns = ingest_ns;
	}
	*out_ingest_ns = block->ingest_ns;
	return 0;
}

int block_ingest_at(struct block *block, uint32_t row, int64_t *out_ingest_ns, struct error *err)
{
	const int64_t *all = NULL;
	if (block->ingest_ns == NULL && block->ingest_asked < INGEST_FEW) {
		bool is_one = false;
		block->ingest_asked++;
		int rc = frame_ingest_is_one(block->streams, &is_one, err);
		rc = rc < 0 || is_one ? rc : block_complete(block, err);
		return rc < 0 ? rc
			      : frame_get_ingest_at(block->streams, &block->layout, row,
						    out_ingest_ns, err);
	}
	int rc = block_ingest_times(block, &all, err);
	if (rc == 0) {
		*out_ingest_ns = all[row];
	}
	return rc;
}

struct block_run block_run(const struct block *block, enum record_kind kind)
{
	return block->layout.runs[kind];
}
