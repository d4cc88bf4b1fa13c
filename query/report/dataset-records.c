/* The datasets that are the records of one kind: gaps, rejects, accesses, lifecycle. */
#include "query/report/dataset.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS_MAX 50000000

struct found_row {
	int64_t time_ns;
	uint64_t leaf;
	char id[RECORD_ID_DIGITS]; /* of the record: the order among equal times */
};

struct records {
	struct found_row *rows;
	size_t count, room;
	struct scan_fetch *fetch;
	struct record record;
	int64_t ingest_ns;
	unsigned field[FIELD_LIMIT + 8]; /* by the dataset's number */
};

enum { ROW_TIME = FIELD_LIMIT, ROW_SOURCE, ROW_LEAF, ROW_INGEST };

static const struct record_part {
	const char *name;
	enum trail_type type;
	unsigned field;
} parts[] = {
	{"time", TRAIL_TIME, ROW_TIME},
	{"source", TRAIL_TEXT, ROW_SOURCE},
	{"leaf", TRAIL_NUMBER, ROW_LEAF},
	{"ingest_time", TRAIL_TIME, ROW_INGEST},
};

static void add_field(struct dataset_field *out, const char *name, enum trail_type type)
{
	out->type = type;
	(void)snprintf(out->name, sizeof(out->name), "%s", name); /* names are short */
}

/* The fields of the kind; numbers (may be NULL) gets the record's field of each. */
static size_t list_fields(unsigned kinds, struct dataset_field *out, unsigned *numbers)
{
	static const enum trail_type types[] = {
		[FIELD_TYPE_TEXT] = TRAIL_TEXT,  [FIELD_TYPE_BYTES] = TRAIL_BYTES,
		[FIELD_TYPE_INT] = TRAIL_NUMBER, [FIELD_TYPE_TIME] = TRAIL_TIME,
		[FIELD_TYPE_BOOL] = TRAIL_BOOL,
	};
	size_t count = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		add_field(&out[count], parts[i].name, parts[i].type);
		if (numbers != NULL) {
			numbers[count] = parts[i].field;
		}
		count++;
	}
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		if (info->name == NULL || (info->kinds & kinds) == 0) {
			continue;
		}
		add_field(&out[count], info->name, types[info->type]);
		if (numbers != NULL) {
			numbers[count] = field;
		}
		count++;
	}
	return count;
}

static size_t records_fields(const struct dataset_type *type, struct dataset_field *out)
{
	return list_fields(type->kinds, out, NULL);
}

static void records_close(struct dataset *dataset)
{
	struct records *records = dataset->state;
	if (records != NULL) {
		scan_fetch_close(records->fetch);
		free(records->rows);
		free(records);
	}
	dataset->state = NULL;
}

/* Whether a record belongs to the time asked for: a gap by what it covers, all others by their time. */
static bool in_range(const struct dataset *dataset, const struct record *record)
{
	const struct plan *plan = dataset->question.plan;
	if (record->kind == RECORD_GAP) {
		return record_number(record, FIELD_gap_to, INT64_MAX) > plan->from_ns &&
		       record_number(record, FIELD_gap_from, INT64_MIN) < plan->to_ns;
	}
	return plan_time(plan, record->time_ns);
}

static int add_row(struct records *records, const struct record *record, uint64_t leaf,
		   struct error *err)
{
	if (records->count == records->room) {
		size_t room = records->room > 0 ? records->room * 2 : 64;
		struct found_row *larger =
			room <= ROWS_MAX ? realloc(records->rows, room * sizeof(*larger)) : NULL;
		if (larger == NULL) {
			return error_set(err, ERR_NOMEM,
					 "no memory for the rows found; narrow the time");
		}
		records->rows = larger;
		records->room = room;
	}
	char id[RECORD_ID_DIGITS + 1];
	struct found_row *row = &records->rows[records->count++];
	row->time_ns = record->time_ns;
	row->leaf = leaf;
	record_stable_id(record->source, record->key, id);
	memcpy(row->id, id, sizeof(row->id));
	return 0;
}

static int take_block(struct dataset *dataset, const struct scan_block *block, struct error *err)
{
	const uint8_t *kinds = scan_kinds(block);
	int result = 0;
	for (size_t row = 0; result == 0 && row < scan_row_count(block); row++) {
		struct record record;
		if ((dataset->type->kinds >> kinds[row] & 1u) == 0) {
			continue;
		}
		result = scan_record(block, row, &record, err);
		if (result == 0 && !record_has(&record, FIELD_skipped) &&
		    in_range(dataset, &record)) {
			result = add_row(dataset->state, &record, scan_leaves(block)[row], err);
		}
	}
	return result;
}

static int collect(struct dataset *dataset, struct error *err)
{
	struct scan_options options = {dataset->type->kinds, INT64_MIN, INT64_MAX};
	struct scan *scan;
	int result = scan_open(dataset->question.store, &options, &scan, err);
	if (result != 0) {
		return result;
	}
	while (result == 0) {
		const struct scan_block *block;
		result = scan_next(scan, &block, err);
		result = result == 0 ? take_block(dataset, block, err) : result;
		if (result == -ERR_CORRUPT) {
			dataset->damaged++;
			result = 0;
		}
	}
	scan_close(scan);
	return result == -ERR_GONE ? 0 : result;
}

static int compare_rows(const void *left, const void *right)
{
	const struct found_row *a = left;
	const struct found_row *b = right;
	if (a->time_ns != b->time_ns) {
		return a->time_ns < b->time_ns ? -1 : 1;
	}
	int order = memcmp(a->id, b->id, sizeof(a->id));
	return order != 0 ? order : (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

static int records_open(struct dataset *dataset, struct error *err)
{
	struct dataset_field fields[DATASET_FIELDS_MAX];
	struct records *records = calloc(1, sizeof(*records));
	if (records == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a section of the report");
	}
	dataset->state = records;
	(void)list_fields(dataset->type->kinds, fields, records->field); /* the count is known */
	int result = collect(dataset, err);
	if (result == 0) {
		result = scan_fetch_open(dataset->question.store, &records->fetch, err);
	}
	if (result != 0) {
		records_close(dataset);
		return result;
	}
	if (records->count > 0) {
		qsort(records->rows, records->count, sizeof(*records->rows), compare_rows);
	}
	dataset->row_count = records->count;
	error_clear(err);
	return 0;
}

static int records_read(struct dataset *dataset, size_t row, struct error *err)
{
	struct records *records = dataset->state;
	dataset->time_ns = records->rows[row].time_ns;
	return scan_fetch_record(records->fetch, records->rows[row].leaf, &records->record,
				 &records->ingest_ns, err);
}

static struct trail_value part_value(const struct records *records, unsigned part)
{
	switch (part) {
	case ROW_TIME:
		return (struct trail_value){.type = TRAIL_TIME, .number = records->record.time_ns};
	case ROW_SOURCE:
		return (struct trail_value){.type = TRAIL_TEXT, .text = records->record.source};
	case ROW_INGEST:
		return (struct trail_value){.type = TRAIL_TIME, .number = records->ingest_ns};
	default:
		return (struct trail_value){.type = TRAIL_ABSENT};
	}
}

static struct trail_value records_value(const struct dataset *dataset, unsigned field)
{
	const struct records *records = dataset->state;
	unsigned number = records->field[field];
	if (number >= FIELD_LIMIT) {
		return part_value(records, number);
	}
	if (!record_has(&records->record, number)) {
		return (struct trail_value){.type = TRAIL_ABSENT};
	}
	switch (field_info(number)->type) {
	case FIELD_TYPE_TEXT:
		return (struct trail_value){.type = TRAIL_TEXT,
					    .text = record_text(&records->record, number)};
	case FIELD_TYPE_BYTES:
		return (struct trail_value){.type = TRAIL_BYTES,
					    .text = record_text(&records->record, number)};
	case FIELD_TYPE_INT:
		return (struct trail_value){.type = TRAIL_NUMBER,
					    .number = record_number(&records->record, number, 0)};
	case FIELD_TYPE_TIME:
		return (struct trail_value){.type = TRAIL_TIME,
					    .number = record_number(&records->record, number, 0)};
	case FIELD_TYPE_BOOL:
		return (struct trail_value){.type = TRAIL_BOOL,
					    .number = record_number(&records->record, number, 0)};
	}
	return (struct trail_value){.type = TRAIL_ABSENT};
}

#define RECORDS_DATASET(name_, rows_, kind)                                           \
	{                                                                             \
		.name = name_, .rows = rows_, .has_time = true, .times = "time",      \
		.fields = records_fields, .open = records_open, .read = records_read, \
		.value = records_value, .close = records_close, .kinds = 1u << (kind) \
	}

const struct dataset_type dataset_gaps = RECORDS_DATASET("gaps", "gaps", RECORD_GAP);
const struct dataset_type dataset_rejects =
	RECORDS_DATASET("rejects", "rejected records", RECORD_REJECT);
const struct dataset_type dataset_accesses =
	RECORDS_DATASET("accesses", "questions", RECORD_ACCESS);
const struct dataset_type dataset_lifecycle =
	RECORDS_DATASET("lifecycle", "events", RECORD_LIFECYCLE);
