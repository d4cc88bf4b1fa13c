#include "store/seal-input.h"

#include "store/sections.h"

#include <assert.h>
#include <stdlib.h>

int seal_inputs_init(struct seal_inputs *inputs, struct store *store, const uint8_t *key,
		     struct error *err)
{
	*inputs = (struct seal_inputs){.store = store};
	inputs->blocks = blocks_new(store->dir, store->catalog, key);
	extent_reader_init(&inputs->reader, store->catalog, &store->segments);
	buf_init(&inputs->record, RECORD_MAX_BYTES);
	return inputs->blocks != NULL ? 0 : error_set(err, ERR_NOMEM, "no memory to seal");
}

void seal_inputs_done(struct seal_inputs *inputs)
{
	blocks_free(inputs->blocks);
	extent_reader_done(&inputs->reader);
	buf_done(&inputs->record);
	free(inputs->list);
	*inputs = (struct seal_inputs){0};
}

static int add(struct seal_inputs *inputs, struct seal_input **out_input, struct error *err)
{
	if (inputs->count == inputs->room) {
		size_t room = inputs->room * 2 + 8;
		struct seal_input *larger = realloc(inputs->list, room * sizeof larger[0]);
		if (larger == NULL) {
			return error_set(err, ERR_NOMEM, "no memory to seal %zu batches", room);
		}
		inputs->list = larger;
		inputs->room = room;
	}
	*out_input = &inputs->list[inputs->count++];
	memset(*out_input, 0, sizeof **out_input);
	return 0;
}

int seal_inputs_add_head(struct seal_inputs *inputs, uint64_t head_end, struct error *err)
{
	struct catalog *catalog = inputs->store->catalog;
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	int rc = catalog_prepare(catalog, CATALOG_HEAD_FROM, &head, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(head, 1, 0); /* can't fail: the index is right */
	int step = sqlite3_step(head);
	for (; step == SQLITE_ROW; step = sqlite3_step(head)) {
		struct seal_input *input = NULL;
		struct head_batch batch;
		rc = head_read_row(catalog, head, &batch, err);
		if (rc < 0) {
			return rc;
		}
		if (batch.first_leaf + batch.record_count > head_end) {
			return 0;
		}
		rc = add(inputs, &input, err);
		if (rc < 0) {
			return rc;
		}
		input->batch = batch;
		input->bytes = extent_end(&batch) - batch.extent.start;
	}
	return step == SQLITE_DONE ? 0 : catalog_error(catalog, step, "reading the head", err);
}

int seal_inputs_add_block(struct seal_inputs *inputs, uint64_t number, struct error *err)
{
	const struct blocks_list *list = NULL;
	struct error damage;
	int rc = blocks_load(inputs->blocks, &list, &damage, err);
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		struct seal_input *input = NULL;
		if (list->rows[i].about.number != number) {
			continue;
		}
		rc = add(inputs, &input, err);
		if (rc == 0) {
			input->is_block = true;
			input->row = list->rows[i];
			input->bytes = input->row.file_bytes;
		}
		return rc;
	}
	return rc < 0 ? rc
		      : error_set(err, ERR_GONE, "%s has no block %llu", inputs->store->dir,
				  (unsigned long long)number);
}

size_t seal_input_rows(const struct seal_input *input)
{
	return input->is_block ? input->row.about.row_count : (size_t)input->batch.record_count;
}

uint64_t seal_inputs_records(const struct seal_inputs *inputs)
{
	uint64_t records = 0;
	for (size_t i = 0; i < inputs->count; i++) {
		records += seal_input_rows(&inputs->list[i]);
	}
	return records;
}

/* A leaf as a verdict says it; INT64_MIN: it says none. */
static uint64_t leaf_of(int64_t number)
{
	return number >= 0 ? (uint64_t)number : SEAL_NO_LEAF;
}

/* What the columns say of the verdicts of an input; each array has one entry per verdict, or per row. */
struct verdict_columns {
	const int64_t *statement, *request, *revision;
	const uint32_t *settled; /* codes */
	uint32_t final;          /* the code of "final" */
};

static void set_verdict(struct seal_item *item, const struct verdict_columns *columns, size_t at)
{
	int64_t revision = columns->revision[at];
	item->request = leaf_of(columns->request[at]);
	item->subject = leaf_of(columns->statement[at]);
	if (item->subject == SEAL_NO_LEAF) {
		item->subject = item->request; /* one on a request */
	}
	item->revision = revision < 0 ? 0 : revision > UINT32_MAX ? UINT32_MAX : (uint32_t)revision;
	item->is_final = columns->final != UINT32_MAX && columns->settled[at] == columns->final;
}

static uint32_t code_of(const struct str *dict, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (str_is(dict[i], word)) {
			return (uint32_t)i;
		}
	}
	return UINT32_MAX;
}

static void set_places(struct seal_item *items, size_t count, size_t input)
{
	for (size_t row = 0; row < count; row++) {
		items[row].subject = SEAL_NO_LEAF;
		items[row].request = SEAL_NO_LEAF;
		items[row].input = (uint32_t)input;
		items[row].row = (uint32_t)row;
		items[row].revision = 0;
		items[row].is_final = false;
	}
}

static int list_block(struct seal_inputs *inputs, size_t index, struct seal_item *out_items,
		      struct error *err)
{
	struct block *block = NULL;
	const struct blocks_row *row = &inputs->list[index].row;
	int rc = blocks_get(inputs->blocks, row, &block, err);
	if (rc < 0) {
		return rc;
	}
	if (block_about(block)->row_count != row->about.row_count) {
		return error_set(err, ERR_CORRUPT, "%s has %u records, but the catalog knows %u",
				 row->name, block_about(block)->row_count, row->about.row_count);
	}
	set_places(out_items, row->about.row_count, index);
	for (size_t i = 0; i < row->about.row_count; i++) {
		out_items[i].leaf = block_leaves(block)[i];
		out_items[i].time_ns = block_times(block)[i];
		out_items[i].kind = block_kinds(block)[i];
	}
	struct block_run run = block_run(block, RECORD_VERDICT);
	if (run.count == 0) {
		return 0;
	}
	struct verdict_columns columns = {0};
	struct block_codes settled;
	rc = block_number_column(block, RECORD_VERDICT, FIELD_statement_leaf, &columns.statement,
				 err);
	rc = rc < 0 ? rc
		    : block_number_column(block, RECORD_VERDICT, FIELD_request_leaf,
					  &columns.request, err);
	rc = rc < 0 ? rc
		    : block_number_column(block, RECORD_VERDICT, FIELD_revision, &columns.revision,
					  err);
	rc = rc < 0 ? rc : block_text_column(block, RECORD_VERDICT, FIELD_settled, &settled, err);
	if (rc < 0) {
		return rc;
	}
	columns.settled = settled.code;
	columns.final = code_of(settled.dict, settled.dict_count, "final");
	for (size_t i = 0; i < run.count; i++) {
		set_verdict(&out_items[run.first + i], &columns, i);
	}
	return 0;
}

/* The columns of a batch that are read, and where they are put. */
struct batch_columns {
	struct sections sections;
	struct buf bytes;
	uint8_t *kinds;
	int64_t *times, *statement, *request, *revision;
	struct columns_codes settled;
	struct columns_rows rows;
};

static void batch_columns_done(struct batch_columns *columns)
{
	sections_done(&columns->sections);
	buf_done(&columns->bytes);
	free(columns->kinds);
	free(columns->times);
	free(columns->statement);
	free(columns->request);
	free(columns->revision);
	free(columns->settled.codes);
	free(columns->settled.texts);
}

static int batch_columns_init(struct batch_columns *columns, struct segments *segments, size_t rows)
{
	*columns = (struct batch_columns){0};
	sections_init(&columns->sections, segments, false);
	buf_init(&columns->bytes, 0);
	columns->kinds = calloc(rows, 1);
	columns->times = calloc(rows, sizeof columns->times[0]);
	columns->statement = calloc(rows, sizeof columns->statement[0]);
	columns->request = calloc(rows, sizeof columns->request[0]);
	columns->revision = calloc(rows, sizeof columns->revision[0]);
	columns->settled.codes = calloc(rows, sizeof columns->settled.codes[0]);
	bool good = columns->kinds != NULL && columns->times != NULL &&
		    columns->statement != NULL && columns->request != NULL &&
		    columns->revision != NULL && columns->settled.codes != NULL;
	return good ? 0 : -ERR_NOMEM;
}

/* Numbers of all rows; a field that the batch has no section of is absent in all (no row may hold it). */
static int read_numbers(struct batch_columns *columns, unsigned id, int64_t *out, struct error *err)
{
	const struct columns_section *section =
		columns_directory_find(&columns->sections.directory, id);
	if (section == NULL || section->form != COLUMNS_NUMBERS) {
		for (size_t row = 0; row < columns->rows.row_count; row++) {
			out[row] = INT64_MIN;
		}
		return 0;
	}
	int rc = sections_read(&columns->sections, section, &columns->bytes, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_read_numbers(section, buf_str(&columns->bytes), &columns->rows, out, err);
	return rc < 0 ? sections_blame(&columns->sections, err, rc) : 0;
}

static int read_settled(struct batch_columns *columns, struct error *err)
{
	const struct columns_section *section =
		columns_directory_find(&columns->sections.directory, FIELD_settled);
	if (section == NULL || section->form != COLUMNS_CODES) {
		return error_set(err, ERR_CORRUPT, "verdicts without their column");
	}
	int rc = sections_read(&columns->sections, section, &columns->bytes, err);
	if (rc < 0) {
		return rc;
	}
	return columns_read_codes(section, buf_str(&columns->bytes), &columns->rows,
				  &columns->settled, err);
}

static int read_verdicts(struct batch_columns *columns, struct seal_item *items, struct error *err)
{
	int rc = read_numbers(columns, FIELD_statement_leaf, columns->statement, err);
	rc = rc < 0 ? rc : read_numbers(columns, FIELD_request_leaf, columns->request, err);
	rc = rc < 0 ? rc : read_numbers(columns, FIELD_revision, columns->revision, err);
	if (rc < 0) {
		return rc;
	}
	rc = read_settled(columns, err);
	if (rc < 0) {
		return sections_blame(&columns->sections, err, rc);
	}
	struct verdict_columns verdicts = {.statement = columns->statement,
					   .request = columns->request,
					   .revision = columns->revision,
					   .settled = columns->settled.codes};
	verdicts.final = code_of(columns->settled.texts, columns->settled.text_count, "final");
	for (size_t row = 0; row < columns->rows.row_count; row++) {
		if (items[row].kind == RECORD_VERDICT) {
			set_verdict(&items[row], &verdicts, row);
		}
	}
	return 0;
}

static int list_batch(struct seal_inputs *inputs, size_t index, struct seal_item *out_items,
		      struct error *err)
{
	const struct head_batch *batch = &inputs->list[index].batch;
	size_t count = (size_t)batch->record_count;
	struct batch_columns columns;
	int rc = 0;
	if (batch_columns_init(&columns, &inputs->store->segments, count) < 0) {
		rc = error_set(err, ERR_NOMEM, "no memory for the columns of %zu records", count);
	}
	rc = rc < 0 ? rc : sections_go(&columns.sections, batch, err);
	rc = rc < 0 ? rc
		    : sections_read_kinds(&columns.sections, &columns.bytes, columns.kinds, err);
	if (rc == 0) {
		columns.rows = columns_rows(columns.kinds, count);
		rc = read_numbers(&columns, COLUMNS_TIME, columns.times, err);
	}
	if (rc == 0) {
		set_places(out_items, count, index);
		for (size_t row = 0; row < count; row++) {
			out_items[row].leaf = batch->first_leaf + row;
			out_items[row].time_ns = columns.times[row];
			out_items[row].kind = columns.kinds[row];
		}
	}
	if (rc == 0 && columns.rows.of_kind[RECORD_VERDICT] > 0) {
		rc = read_verdicts(&columns, out_items, err);
	}
	batch_columns_done(&columns);
	return rc;
}

int seal_input_list(struct seal_inputs *inputs, size_t index, struct seal_item *out_items,
		    struct error *err)
{
	assert(index < inputs->count);
	return inputs->list[index].is_block ? list_block(inputs, index, out_items, err)
					    : list_batch(inputs, index, out_items, err);
}

int seal_input_read(struct seal_inputs *inputs, const struct seal_item *item,
		    struct str *out_encoded, int64_t *out_ingest_ns, struct error *err)
{
	const struct seal_input *input = &inputs->list[item->input];
	if (!input->is_block) {
		const struct head_batch *batch = NULL;
		int rc = extent_reader_get(&inputs->reader, item->leaf, out_encoded, &batch, err);
		if (rc == 0) {
			*out_ingest_ns = batch->ingest_ns;
		}
		return rc;
	}
	struct block *block = NULL;
	const int64_t *ingest_ns = NULL;
	buf_clear(&inputs->record);
	int rc = blocks_get(inputs->blocks, &input->row, &block, err);
	rc = rc < 0 ? rc : block_ingest_times(block, &ingest_ns, err);
	rc = rc < 0 ? rc : block_record(block, item->row, &inputs->record, err);
	if (rc == 0) {
		*out_encoded = buf_str(&inputs->record);
		*out_ingest_ns = ingest_ns[item->row];
	}
	return rc;
}

static bool is_taken(const struct seal_inputs *inputs, uint64_t number)
{
	for (size_t i = 0; i < inputs->count; i++) {
		if (inputs->list[i].is_block && inputs->list[i].row.about.number == number) {
			return true;
		}
	}
	return false;
}

/* The first leaf of the head that is not taken: behind the last batch that is, or behind all blocks. */
static int head_rest(struct seal_inputs *inputs, struct seal_range *out_range, struct error *err)
{
	uint64_t first = 0;
	for (size_t i = 0; i < inputs->count; i++) {
		const struct head_batch *batch = &inputs->list[i].batch;
		if (!inputs->list[i].is_block) {
			first = batch->first_leaf + batch->record_count;
		}
	}
	if (first == 0) {
		struct head_batch batch;
		CATALOG_FINALIZE sqlite3_stmt *head = NULL;
		int rc = catalog_prepare(inputs->store->catalog, CATALOG_HEAD_FROM, &head, err);
		if (rc < 0) {
			return rc;
		}
		(void)sqlite3_bind_int64(head, 1, 0); /* can't fail: the index is right */
		first = inputs->store->leaf_count;    /* nothing stands in the head */
		if (sqlite3_step(head) == SQLITE_ROW) {
			rc = head_read_row(inputs->store->catalog, head, &batch, err);
			first = rc == 0 ? batch.first_leaf : first;
		}
		if (rc < 0) {
			return rc;
		}
	}
	*out_range = (struct seal_range){first, UINT64_MAX};
	return 0;
}

int seal_inputs_elsewhere(struct seal_inputs *inputs, struct seal_range **out_ranges,
			  size_t *out_count, struct error *err)
{
	const struct blocks_list *list = NULL;
	struct error damage;
	int rc = blocks_load(inputs->blocks, &list, &damage, err);
	size_t count = 1;
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		count += list->rows[i].is_open ? list->rows[i].span_count : 0;
	}
	struct seal_range *ranges = rc == 0 ? calloc(count, sizeof ranges[0]) : NULL;
	if (ranges == NULL) {
		return rc < 0 ? rc : error_set(err, ERR_NOMEM, "no memory to seal");
	}
	rc = head_rest(inputs, &ranges[0], err);
	size_t used = 1;
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		const struct blocks_row *row = &list->rows[i];
		bool waits = row->is_open && !is_taken(inputs, row->about.number);
		for (size_t s = 0; waits && s < row->span_count; s++) {
			ranges[used++] =
				(struct seal_range){row->spans[s].first, row->spans[s].last};
		}
	}
	if (rc < 0) {
		free(ranges);
		return rc;
	}
	*out_count = seal_ranges_join(ranges, used);
	*out_ranges = ranges;
	return 0;
}
