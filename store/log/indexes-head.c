/* The batches of the head: their rows, columns and ids made anew from their records. */
#include "store/log/indexes-inner.h"

/* What the records of a batch say. */
struct head_check {
	struct indexes *indexes;
	const struct head_batch *batch;
	struct indexes_place place;
	struct columns_builder *columns;
	int64_t min_ns, max_ns;
	unsigned kinds;
	uint64_t bytes;
};

static int read_records(struct head_check *check, struct error *err)
{
	struct store *store = check->indexes->store;
	const struct head_batch *batch = check->batch;
	struct extent_reader reader;
	struct record record;
	int rc = 0;
	extent_reader_init(&reader, store->reading, &store->segments);
	for (uint64_t row = 0; rc == 0 && row < batch->record_count; row++) {
		struct str encoded;
		uint64_t leaf = batch->first_leaf + row;
		rc = extent_reader_get(&reader, leaf, &encoded, NULL, err);
		rc = rc < 0 ? rc : record_decode(encoded, &record, err);
		if (rc < 0) {
			break;
		}
		indexes_see(check->indexes, &check->place, leaf);
		check->min_ns = record.time_ns < check->min_ns ? record.time_ns : check->min_ns;
		check->max_ns = record.time_ns > check->max_ns ? record.time_ns : check->max_ns;
		check->kinds |= 1u << record.kind;
		check->bytes += encoded.len;
		if (columns_builder_add(check->columns, &record) < 0) {
			rc = error_set(err, ERR_NOMEM, "no memory for the columns of a batch");
		}
	}
	extent_reader_done(&reader);
	return rc == -ERR_GONE ? error_set(err, ERR_CORRUPT, "a record is missing") : rc;
}

/* The name of a section, for people. */
static const char *name_of(unsigned id)
{
	switch (id) {
	case COLUMNS_KIND:
		return "kind";
	case COLUMNS_TIME:
		return "time";
	case COLUMNS_SOURCE:
		return "source";
	case COLUMNS_RECORD:
		return "stable id";
	default:
		return field_info(id)->name != NULL ? field_info(id)->name : "no field";
	}
}

/* The first section in which two blobs differ; 0: none, or there is no telling. */
static unsigned find_section(struct str stored, struct str made)
{
	struct columns_directory was, is;
	size_t front = COLUMNS_FRONT_BYTES;
	if (columns_directory_read(str_slice(stored, 0, front), stored.len, &was, NULL) < 0 ||
	    columns_directory_read(str_slice(made, 0, front), made.len, &is, NULL) < 0) {
		return 0;
	}
	for (size_t i = 0; i < is.section_count; i++) {
		const struct columns_section *a = &is.sections[i];
		const struct columns_section *b = columns_directory_find(&was, a->id);
		if (b == NULL || a->kinds != b->kinds || a->form != b->form ||
		    !str_equal(str_slice(stored, b->offset, b->length),
			       str_slice(made, a->offset, a->length))) {
			return a->id;
		}
	}
	return 0;
}

static int compare_blob(struct head_check *check, const struct segment_span *span, struct str made,
			struct error *err)
{
	struct indexes *indexes = check->indexes;
	int rc = segments_read_buf(&indexes->store->segments, span, &indexes->stored, err);
	if (rc < 0) {
		return rc;
	}
	struct str stored = buf_str(&indexes->stored);
	if (!str_equal(stored, made)) {
		unsigned id = find_section(stored, made);
		indexes_tell(indexes, &check->place,
			     "its columns say other than its records (%s): what is asked of them "
			     "can pass over records",
			     id > 0 ? name_of(id) : "another layout");
	}
	return 0;
}

static int compare(struct head_check *check, struct error *err)
{
	const struct head_batch *batch = check->batch;
	struct indexes *indexes = check->indexes;
	const struct segment_span columns = extent_columns(batch);
	const struct segment_span ids = extent_ids(batch);
	struct buf ids_made;
	if (batch->min_time_ns != check->min_ns || batch->max_time_ns != check->max_ns) {
		indexes_tell(indexes, &check->place,
			     "the catalog says other event times than its records: a time range "
			     "can pass it over");
	}
	if (batch->kinds != check->kinds || batch->record_bytes != check->bytes) {
		indexes_tell(indexes, &check->place,
			     "the catalog says other kinds or sizes than its records");
	}
	buf_init(&ids_made, 0);
	int rc = columns_builder_finish(check->columns, &indexes->made, &ids_made);
	rc = rc < 0 ? error_set(err, ERR_NOMEM, "no memory for the columns of a batch")
		    : compare_blob(check, &columns, buf_str(&indexes->made), err);
	rc = rc < 0 ? rc : compare_blob(check, &ids, buf_str(&ids_made), err);
	buf_done(&ids_made);
	return rc;
}

int indexes_batch(struct indexes *indexes, const struct head_batch *batch, struct error *err)
{
	struct head_check check = {
		.indexes = indexes,
		.batch = batch,
		.place = {.batch = batch->batch,
			  .first = batch->first_leaf,
			  .last = batch->first_leaf + batch->record_count - 1},
		.columns = columns_builder_new(),
		.min_ns = INT64_MAX,
		.max_ns = INT64_MIN,
	};
	if (check.columns == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the columns of a batch");
	}
	int rc = read_records(&check, err);
	rc = rc < 0 ? rc : compare(&check, err);
	columns_builder_free(check.columns);
	return indexes_pass(indexes, &check.place, rc, err);
}
