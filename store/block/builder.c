#include "store/block.h"

#include "store/block/coder.h"
#include "store/block/families.h"
#include "store/block/frame.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX ((size_t)1 << 31)
#define NO_RECIPE UINT32_MAX

struct kept {
	int64_t ingest_ns;
	size_t start; /* in bytes */
	uint32_t len;
	uint32_t recipe;           /* NO_RECIPE: the whole record stands there */
	char id[RECORD_ID_DIGITS]; /* stable id, of what verdicts judge */
};

struct block_builder {
	struct member *members;
	struct kept *kept;
	size_t count, room;
	uint64_t record_bytes, raw_bytes;
	struct buf bytes;
	struct recipes *recipes;
	struct recipe_fit fit;
	struct record record;
};

struct block_builder *block_builder_new(void)
{
	struct block_builder *builder = calloc(1, sizeof *builder);
	if (builder == NULL) {
		return NULL;
	}
	buf_init(&builder->bytes, BYTES_MAX);
	builder->recipes = recipes_new();
	if (builder->recipes == NULL) {
		block_builder_free(builder);
		return NULL;
	}
	return builder;
}

void block_builder_free(struct block_builder *builder)
{
	if (builder == NULL) {
		return;
	}
	free(builder->members);
	free(builder->kept);
	buf_done(&builder->bytes);
	recipes_free(builder->recipes);
	free(builder);
}

void block_builder_clear(struct block_builder *builder)
{
	builder->count = 0;
	builder->raw_bytes = 0;
	builder->record_bytes = 0;
	buf_clear(&builder->bytes);
	recipes_clear(builder->recipes);
}

static bool make_room(struct block_builder *builder)
{
	if (builder->count < builder->room) {
		return true;
	}
	size_t room = builder->room > 0 ? builder->room * 2 : 4096;
	struct member *members = realloc(builder->members, room * sizeof members[0]);
	if (members == NULL) {
		return false;
	}
	builder->members = members;
	struct kept *kept = realloc(builder->kept, room * sizeof kept[0]);
	if (kept == NULL) {
		return false;
	}
	builder->kept = kept;
	builder->room = room;
	return true;
}

static uint64_t leaf_of(const struct record *record, unsigned field)
{
	int64_t leaf = record->kind == RECORD_VERDICT ? record_number(record, field, -1) : -1;
	return leaf < 0 ? FAMILIES_NO_LEAF : (uint64_t)leaf;
}

static int no_memory(const struct block_builder *builder, struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for a block of %zu records", builder->count);
}

static int say(const struct block_builder *builder, int rc, struct error *err)
{
	if (rc == -ERR_LIMIT) {
		return error_set(err, ERR_LIMIT,
				 "%zu records are too many, or too unlike, for one block",
				 builder->count);
	}
	return rc < 0 ? no_memory(builder, err) : 0;
}

/* Keeps what no recipe gives back; of a verdict all, until it is known whether its subject is here. */
static int keep(struct block_builder *builder, const struct record *record, struct str encoded,
		struct kept *kept)
{
	kept->start = builder->bytes.len;
	kept->recipe = NO_RECIPE;
	if (record->kind == RECORD_VERDICT) {
		buf_put_str(&builder->bytes, encoded);
	} else {
		int rc = recipes_fit(builder->recipes, record, NULL, &builder->fit);
		if (rc < 0) {
			return rc;
		}
		kept->recipe = builder->fit.recipe;
		gather_put(recipes_at(builder->recipes, kept->recipe), record, &builder->fit,
			   &builder->bytes);
	}
	if (record->kind == RECORD_REQUEST || record->kind == RECORD_STATEMENT) {
		char id[RECORD_ID_DIGITS + 1];
		record_stable_id(record->source, record->key, id);
		memcpy(kept->id, id, RECORD_ID_DIGITS);
	}
	kept->len = (uint32_t)(builder->bytes.len - kept->start);
	return builder->bytes.failed ? -ERR_NOMEM : 0;
}

int block_builder_add(struct block_builder *builder, uint64_t leaf, int64_t ingest_ns,
		      struct str encoded, struct error *err)
{
	struct record *record = &builder->record;
	int rc = record_decode(encoded, record, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		return rc;
	}
	if (builder->count == BLOCK_ROWS_MAX) {
		return error_set(err, ERR_LIMIT, "a block holds at most %u records",
				 BLOCK_ROWS_MAX);
	}
	if (!make_room(builder)) {
		return no_memory(builder, err);
	}
	struct kept *kept = &builder->kept[builder->count];
	kept->ingest_ns = ingest_ns;
	rc = keep(builder, record, encoded, kept);
	if (rc < 0) {
		return say(builder, rc, err);
	}
	builder->members[builder->count] = (struct member){
		.leaf = leaf,
		.time_ns = record->time_ns,
		.statement_leaf = leaf_of(record, FIELD_statement_leaf),
		.request_leaf = leaf_of(record, FIELD_request_leaf),
		.revision = record->kind == RECORD_VERDICT
				    ? record_number(record, FIELD_revision, 0)
				    : 0,
		.kind = (uint8_t)record->kind,
		.index = (uint32_t)builder->count,
	};
	builder->record_bytes += encoded.len;
	builder->raw_bytes +=
		record_has(record, FIELD_raw) ? record_text(record, FIELD_raw).len : 0;
	builder->count++;
	return 0;
}

static void tell_about(const struct block_builder *builder, uint64_t number,
		       struct block_about *out)
{
	*out = (struct block_about){.number = number,
				    .row_count = (uint32_t)builder->count,
				    .min_leaf = UINT64_MAX,
				    .min_time_ns = INT64_MAX,
				    .max_time_ns = INT64_MIN,
				    .record_bytes = builder->record_bytes,
				    .raw_bytes = builder->raw_bytes};
	for (size_t i = 0; i < builder->count; i++) {
		const struct member *member = &builder->members[i];
		out->of_kind[member->kind]++;
		out->min_leaf = member->leaf < out->min_leaf ? member->leaf : out->min_leaf;
		out->max_leaf = member->leaf > out->max_leaf ? member->leaf : out->max_leaf;
		out->min_time_ns =
			member->time_ns < out->min_time_ns ? member->time_ns : out->min_time_ns;
		out->max_time_ns =
			member->time_ns > out->max_time_ns ? member->time_ns : out->max_time_ns;
	}
}

/* What a block is written from. */
struct building {
	struct block_builder *builder;
	struct layout layout;
	struct streams_writer *streams;
	struct coder coder;
	struct gather requests, others;
	struct frame frame;
	int64_t *ingest_ns, *durations;
};

static bool allocate(struct building *building)
{
	size_t rows = building->builder->count + 1;
	struct layout *layout = &building->layout;
	layout->recipe_of = malloc(rows * sizeof layout->recipe_of[0]);
	layout->parents = malloc(rows * sizeof layout->parents[0]);
	layout->leaves = malloc(rows * sizeof layout->leaves[0]);
	layout->times = malloc(rows * sizeof layout->times[0]);
	layout->columns = calloc(LAYOUT_COLUMNS_MAX, sizeof layout->columns[0]);
	building->ingest_ns = malloc(rows * sizeof building->ingest_ns[0]);
	building->streams = streams_writer_new();
	return layout->recipe_of != NULL && layout->parents != NULL && layout->leaves != NULL &&
	       layout->times != NULL && layout->columns != NULL && building->ingest_ns != NULL &&
	       building->streams != NULL;
}

static void building_done(struct building *building)
{
	struct layout *layout = &building->layout;
	for (size_t i = 0; i < layout->count; i++) {
		free(layout->columns[i].code);
	}
	free(layout->columns);
	free(layout->recipe_of);
	free(layout->parents);
	free(layout->leaves);
	free(layout->times);
	free(building->ingest_ns);
	free(building->durations);
	gather_done(&building->requests);
	gather_done(&building->others);
	streams_writer_free(building->streams);
}

/* Rows in order, with parents, leaves, times and recipes. */
static int lay_out(struct building *building)
{
	struct block_builder *builder = building->builder;
	struct layout *layout = &building->layout;
	int rc = families_lay_out(builder->members, builder->count, layout->parents);
	if (rc < 0) {
		return rc;
	}
	layout->row_count = (uint32_t)builder->count;
	for (uint32_t row = 0; row < layout->row_count; row++) {
		const struct member *member = &builder->members[row];
		struct block_run *run = &layout->runs[member->kind];
		run->first = run->count == 0 ? row : run->first;
		run->count++;
		layout->leaves[row] = member->leaf;
		layout->times[row] = member->time_ns;
		layout->recipe_of[row] = builder->kept[member->index].recipe;
		building->ingest_ns[row] = builder->kept[member->index].ingest_ns;
	}
	return 0;
}

/* The recipes of verdicts, now that their subjects are known. Their values take the place of the whole records. */
static int fit_verdict(struct building *building, uint32_t row)
{
	struct block_builder *builder = building->builder;
	const struct layout *layout = &building->layout;
	struct kept *kept = &builder->kept[builder->members[row].index];
	uint32_t parent = layout->parents[row];
	struct recipe_links links = {.request_leaf = RECIPE_NO_LEAF};
	if (parent != BLOCK_NO_ROW) {
		bool on_request = builder->members[parent].kind == RECORD_REQUEST;
		uint32_t request = on_request ? parent : layout->parents[parent];
		links = (struct recipe_links){
			.subject_id = str_make(builder->kept[builder->members[parent].index].id,
					       RECORD_ID_DIGITS),
			.subject_leaf = layout->leaves[parent],
			.request_leaf =
				request != BLOCK_NO_ROW ? layout->leaves[request] : RECIPE_NO_LEAF,
			.subject_time_ns = layout->times[parent],
		};
	}
	struct buf copy; /* bytes may move while they grow */
	buf_init(&copy, RECORD_MAX_BYTES);
	buf_put(&copy, builder->bytes.ptr + kept->start, kept->len);
	int rc = copy.failed ? -ERR_NOMEM : record_decode(buf_str(&copy), &builder->record, NULL);
	rc = rc < 0 ? rc
		    : recipes_fit(builder->recipes, &builder->record,
				  parent != BLOCK_NO_ROW ? &links : NULL, &builder->fit);
	if (rc == 0) {
		kept->recipe = builder->fit.recipe;
		kept->start = builder->bytes.len;
		gather_put(recipes_at(builder->recipes, kept->recipe), &builder->record,
			   &builder->fit, &builder->bytes);
		kept->len = (uint32_t)(builder->bytes.len - kept->start);
		rc = builder->bytes.failed ? -ERR_NOMEM : 0;
		building->layout.recipe_of[row] = kept->recipe;
	}
	buf_done(&copy);
	return rc;
}

static int fit_verdicts(struct building *building)
{
	struct block_run run = building->layout.runs[RECORD_VERDICT];
	int rc = 0;
	for (uint32_t row = run.first; rc == 0 && row < run.first + run.count; row++) {
		rc = fit_verdict(building, row);
	}
	return rc;
}

/* The durations of statements by row, for the times of those that follow them. */
static int take_durations(struct building *building, const struct gather *gather)
{
	const struct gathered *column = gather_field(gather, FIELD_duration_ms);
	size_t rows = building->layout.runs[RECORD_STATEMENT].count;
	building->durations = malloc((rows + 1) * sizeof building->durations[0]);
	if (building->durations == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < rows; i++) {
		building->durations[i] = INT64_MIN;
	}
	for (size_t i = 0; column != NULL && i < column->count; i++) {
		building->durations[column->rows[i]] = column->numbers[i];
	}
	return 0;
}

static int put_columns(struct building *building, uint8_t kind)
{
	struct block_builder *builder = building->builder;
	struct layout *layout = &building->layout;
	struct block_run run = layout->runs[kind];
	struct gather *gather = kind == RECORD_REQUEST ? &building->requests : &building->others;
	int rc = gather_init(gather, layout);
	for (uint32_t i = 0; rc == 0 && i < run.count; i++) {
		uint32_t row = run.first + i;
		const struct kept *kept = &builder->kept[builder->members[row].index];
		rc = gather_row(gather, i, kept->recipe,
				str_make(builder->bytes.ptr + kept->start, kept->len));
	}
	rc = rc < 0 ? rc : coder_put(&building->coder, gather);
	if (kind == RECORD_STATEMENT) {
		rc = rc < 0 ? rc : take_durations(building, gather);
	}
	if (kind != RECORD_REQUEST) {
		gather_done(gather);
	}
	return rc;
}

/* Of requests and statements, whose keys follow from their raw bytes. */
static int put_hints(struct building *building, uint8_t kind)
{
	const struct block_builder *builder = building->builder;
	struct block_run run = building->layout.runs[kind];
	uint8_t *hints = malloc((size_t)run.count + 1);
	if (hints == NULL) {
		return -ERR_NOMEM;
	}
	for (uint32_t i = 0; i < run.count; i++) {
		const struct kept *kept = &builder->kept[builder->members[run.first + i].index];
		hints[i] = frame_hint(str_make(kept->id, RECORD_ID_DIGITS));
	}
	int rc = frame_put_hints(building->streams, kind, hints, run.count);
	free(hints);
	return rc;
}

static int put_kind(struct building *building, uint8_t kind)
{
	struct streams_writer *streams = building->streams;
	const struct layout *layout = &building->layout;
	int rc = frame_put_recipes(streams, layout, kind);
	rc = rc < 0 ? rc : put_columns(building, kind);
	rc = rc < 0 ? rc : frame_put_times(streams, layout, kind, building->durations);
	if (rc == 0 && (kind == RECORD_REQUEST || kind == RECORD_STATEMENT)) {
		rc = put_hints(building, kind);
	}
	return rc < 0 ? rc
		      : frame_put_leaves(streams, layout, kind, &building->frame.leaf_order[kind]);
}

static int build(struct building *building)
{
	struct layout *layout = &building->layout;
	int rc = allocate(building) ? lay_out(building) : -ERR_NOMEM;
	rc = rc < 0 ? rc : fit_verdicts(building);
	building->coder = (struct coder){.layout = layout,
					 .streams = building->streams,
					 .requests = &building->requests,
					 .route = LAYOUT_NONE};
	for (uint8_t kind = 1; rc == 0 && kind < RECORD_KIND_COUNT; kind++) {
		if (layout->runs[kind].count > 0) {
			rc = put_kind(building, kind);
		}
	}
	rc = rc < 0 ? rc : frame_put_parents(building->streams, layout);
	rc = rc < 0 ? rc : frame_put_ingest(building->streams, layout, building->ingest_ns);
	return rc < 0 ? rc : frame_put(building->streams, layout, &building->frame);
}

int block_builder_finish(struct block_builder *builder, const struct block_seal *seal,
			 struct buf *out, struct block_about *out_about, struct error *err)
{
	uint64_t number = seal->number;
	const uint8_t *key = seal->key;
	struct building *building = calloc(1, sizeof *building);
	buf_clear(out);
	if (building == NULL) {
		return no_memory(builder, err);
	}
	building->builder = builder;
	building->layout.recipes = builder->recipes;
	tell_about(builder, number, &building->frame.about);
	int rc = say(builder, build(building), err);
	rc = rc < 0 ? rc : streams_finish(building->streams, number, key, out, err);
	if (rc == 0) {
		*out_about = building->frame.about;
		block_builder_clear(builder);
	}
	building_done(building);
	free(building);
	return rc;
}
