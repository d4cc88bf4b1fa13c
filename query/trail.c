#include "query/trail.h"

#include <stdio.h>

#define PART_VERDICT_LEAF (PART_LEAF + 1)
#define PART_INGEST       (PART_LEAF + 2)

int trail_reader_open(struct trail_reader *reader, struct store *store, struct error *err)
{
	*reader = (struct trail_reader){0};
	int result = scan_fetch_open(store, &reader->statements, err);
	if (result == 0) {
		result = scan_fetch_open(store, &reader->verdicts, err);
	}
	if (result == 0) {
		result = scan_fetch_open(store, &reader->requests, err);
	}
	if (result != 0) {
		trail_reader_close(reader);
		return result;
	}
	scan_fetch_beside(reader->requests, reader->statements); /* which is read first */
	return 0;
}

void trail_reader_close(struct trail_reader *reader)
{
	scan_fetch_close(reader->statements);
	scan_fetch_close(reader->verdicts);
	scan_fetch_close(reader->requests);
	*reader = (struct trail_reader){0};
}

int trail_read(struct trail_reader *reader, const struct run_row *row, struct trail *out_trail,
	       struct error *err)
{
	struct trail *trail = out_trail;
	int64_t ignored;
	trail->has_statement = row->leaf != row->request_leaf;
	trail->has_verdict = false;
	trail->has_request = false;
	trail->leaf = row->leaf;
	trail->verdict_leaf = row->verdict_leaf;
	trail->request_leaf = row->request_leaf;
	trail->time_ns = row->time_ns;
	trail->grade = GRADE_PENDING;
	int result = scan_fetch_record(reader->statements, row->leaf,
				       trail->has_statement ? &trail->statement : &trail->request,
				       &trail->ingest_ns, err);
	if (result != 0) { /* the record still holds what was read before it */
		trail->has_statement = false;
		return result == -ERR_CORRUPT ? -ERR_GONE : result;
	}
	trail->has_request = !trail->has_statement;
	if (row->verdict_leaf != RUN_NO_LEAF) {
		result = scan_fetch_record(reader->verdicts, row->verdict_leaf, &trail->verdict,
					   &ignored, err);
		trail->has_verdict = result == 0;
		trail->grade = result == 0 ? grade_of(record_text(&trail->verdict, FIELD_grade))
					   : GRADE_PENDING;
	}
	result = result == -ERR_GONE ? 0 : result; /* removed: that is no damage */
	if (row->request_leaf != RUN_NO_LEAF && trail->has_statement) {
		int rc = scan_fetch_record(reader->requests, row->request_leaf, &trail->request,
					   &ignored, err);
		trail->has_request = rc == 0;
		result = rc != 0 && rc != -ERR_GONE ? rc : result;
	}
	return result;
}

struct columns { /* being collected */
	struct trail_column *out;
	size_t count;
};

static void add(struct columns *columns, const char *prefix, const char *name,
		struct trail_column column)
{
	(void)snprintf(column.name, sizeof(column.name), "%s%s", prefix,
		       name); /* names are short */
	columns->out[columns->count++] = column;
}

static bool held_by(unsigned field, enum record_kind kind)
{
	return (field_info(field)->kinds >> kind & 1u) != 0;
}

/* The fields of one side in number order; a name that both sides have gets its side as prefix. */
static void add_fields(struct columns *columns, enum side side)
{
	enum record_kind kind = side == SIDE_REQUEST ? RECORD_REQUEST : RECORD_STATEMENT;
	enum record_kind other = side == SIDE_REQUEST ? RECORD_STATEMENT : RECORD_REQUEST;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		if (field_info(field)->name == NULL || !held_by(field, kind)) {
			continue;
		}
		const char *prefix = "";
		if (held_by(field, other)) {
			prefix = side == SIDE_REQUEST ? "request_" : "statement_";
		}
		add(columns, prefix, field_info(field)->name,
		    (struct trail_column){
			    .side = side, .field = field, .is_raw = field == FIELD_raw});
	}
}

size_t trail_columns(struct trail_column *out)
{
	static const unsigned verdict_fields[] = {FIELD_grade,   FIELD_carrier,  FIELD_matched_by,
						  FIELD_settled, FIELD_revision, FIELD_reason};
	struct columns columns = {out, 0};
	add(&columns, "", "time",
	    (struct trail_column){.side = SIDE_STATEMENT, .field = PART_TIME});
	for (size_t i = 0; i < sizeof(verdict_fields) / sizeof(verdict_fields[0]); i++) {
		add(&columns, "", field_info(verdict_fields[i])->name,
		    (struct trail_column){.side = SIDE_VERDICT, .field = verdict_fields[i]});
	}
	add(&columns, "", "request_time",
	    (struct trail_column){.side = SIDE_REQUEST, .field = PART_TIME});
	add_fields(&columns, SIDE_REQUEST);
	add_fields(&columns, SIDE_STATEMENT);
	add(&columns, "", "source",
	    (struct trail_column){.side = SIDE_STATEMENT, .field = PART_SOURCE});
	add(&columns, "", "request_source",
	    (struct trail_column){.side = SIDE_REQUEST, .field = PART_SOURCE});
	add(&columns, "", "leaf",
	    (struct trail_column){.side = SIDE_STATEMENT, .field = PART_LEAF});
	add(&columns, "", "request_leaf",
	    (struct trail_column){.side = SIDE_REQUEST, .field = PART_LEAF});
	add(&columns, "", "verdict_leaf",
	    (struct trail_column){.side = SIDE_VERDICT, .field = PART_VERDICT_LEAF});
	add(&columns, "", "ingest_time",
	    (struct trail_column){.side = SIDE_STATEMENT, .field = PART_INGEST});
	return columns.count;
}

static const struct record *record_of(const struct trail *trail, enum side side)
{
	switch (side) {
	case SIDE_STATEMENT:
		return trail->has_statement ? &trail->statement : NULL;
	case SIDE_REQUEST:
		return trail->has_request ? &trail->request : NULL;
	case SIDE_VERDICT:
		return trail->has_verdict ? &trail->verdict : NULL;
	}
	return NULL;
}

static struct trail_value leaf_value(uint64_t leaf)
{
	if (leaf == RUN_NO_LEAF) {
		return (struct trail_value){.type = TRAIL_ABSENT};
	}
	return (struct trail_value){.type = TRAIL_NUMBER, .number = (int64_t)leaf};
}

/* The parts that are no fields. The row's own time, leaf and source are there even without a statement. */
static struct trail_value part_value(const struct trail *trail, const struct trail_column *column)
{
	const struct record *record = record_of(trail, column->side);
	bool own = column->side == SIDE_STATEMENT;
	if (own && record == NULL) {
		record = &trail->request;
	}
	switch (column->field) {
	case PART_LEAF:
		return leaf_value(own ? trail->leaf : trail->request_leaf);
	case PART_VERDICT_LEAF:
		return leaf_value(trail->verdict_leaf);
	case PART_INGEST:
		return (struct trail_value){.type = TRAIL_TIME, .number = trail->ingest_ns};
	case PART_TIME:
		if (record != NULL) {
			return (struct trail_value){.type = TRAIL_TIME, .number = record->time_ns};
		}
		break;
	case PART_SOURCE:
		if (record != NULL) {
			return (struct trail_value){.type = TRAIL_TEXT, .text = record->source};
		}
		break;
	default:
		break;
	}
	return (struct trail_value){.type = TRAIL_ABSENT};
}

struct trail_value trail_value(const struct trail *trail, const struct trail_column *column)
{
	if (column->field >= FIELD_LIMIT) {
		return part_value(trail, column);
	}
	const struct record *record = record_of(trail, column->side);
	if (record == NULL || !record_has(record, column->field)) {
		struct trail_value pending = {.type = TRAIL_TEXT, .text = STR_LIT("pending")};
		return column->field == FIELD_grade ? pending
						    : (struct trail_value){.type = TRAIL_ABSENT};
	}
	static const enum trail_type types[] = {
		[FIELD_TYPE_TEXT] = TRAIL_TEXT,  [FIELD_TYPE_BYTES] = TRAIL_BYTES,
		[FIELD_TYPE_INT] = TRAIL_NUMBER, [FIELD_TYPE_TIME] = TRAIL_TIME,
		[FIELD_TYPE_BOOL] = TRAIL_BOOL,
	};
	struct trail_value value = {.type = types[field_info(column->field)->type]};
	if (value.type == TRAIL_TEXT || value.type == TRAIL_BYTES) {
		value.text = record_text(record, column->field);
	} else {
		value.number = record_number(record, column->field, 0);
	}
	return value;
}

struct str trail_text(const struct trail *trail, enum side side, unsigned field)
{
	const struct record *record = record_of(trail, side);
	return record != NULL ? record_text(record, field) : (struct str){NULL, 0};
}
