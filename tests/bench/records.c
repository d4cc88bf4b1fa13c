#include "tests/bench/records.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/hash.h"
#include "model/accesslog/accesslog.h"
#include "model/auditrow/auditrow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_ROOM ((size_t)3 << 30)
#define COMMENT     "/*request_id="
#define KEY_BYTES   20

struct records {
	struct buf bytes; /* of all records, in the order of their leaves */
	size_t *ends, *request_of;
	size_t count, room;
	struct records_made made;
	struct accesslog_format *format;
	struct auditrow_joiner *joiner;
	struct arena arena;
	struct strmap requests; /* id: number */
	struct record record;
	struct auditrow row;
	struct buf lines[WORLD_FILES];
	struct world_shape shape;
};

static void die(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "the records of a data set: %s: %s\n", what, err->text);
	exit(2);
}

struct records *records_new(void)
{
	const struct accesslog_options options = {0};
	struct error err;
	struct records *records = calloc(1, sizeof *records);
	error_set(&err, ERR_NOMEM, "no memory");
	if (records == NULL) {
		die("begin", &err);
	}
	buf_init(&records->bytes, RECORD_ROOM);
	buf_init(&records->lines[0], RECORD_ROOM);
	buf_init(&records->lines[1], RECORD_ROOM);
	arena_init(&records->arena, 64 << 20);
	strmap_init(&records->requests, SIZE_MAX / 256);
	if (accesslog_format_new(&options, &records->format, &err) != 0) {
		die("format", &err);
	}
	return records;
}

void records_free(struct records *records)
{
	buf_done(&records->bytes);
	buf_done(&records->lines[0]);
	buf_done(&records->lines[1]);
	arena_done(&records->arena);
	strmap_done(&records->requests);
	accesslog_format_free(records->format);
	free(records->ends);
	free(records->request_of);
	free(records);
}

static void add(struct records *records, const struct record *record)
{
	struct error err;
	error_set(&err, ERR_NOMEM, "no memory");
	if (records->count == records->room) {
		records->room = records->room > 0 ? 2 * records->room : 65536;
		records->ends = realloc(records->ends, records->room * sizeof records->ends[0]);
		records->request_of = realloc(records->request_of, records->room * sizeof(size_t));
	}
	if (records->ends == NULL || records->request_of == NULL ||
	    record_encode(record, &records->bytes, &err) != 0) {
		die("a record", &err);
	}
	records->request_of[records->count] = SIZE_MAX;
	records->ends[records->count++] = records->bytes.len;
}

struct str records_at(const struct records *records, size_t i)
{
	size_t start = i > 0 ? records->ends[i - 1] : 0;
	return str_make(records->bytes.ptr + start, records->ends[i] - start);
}

size_t records_request_of(const struct records *records, size_t i)
{
	return records->request_of[i];
}

static int keep_line(void *owner, enum world_file file, struct str line, struct error *err)
{
	struct records *records = owner;
	buf_put_str(&records->lines[file], line);
	return records->lines[file].failed ? error_set(err, ERR_NOMEM, "no memory") : 0;
}

static void take_request(struct records *records, struct str line)
{
	struct error err;
	uint8_t digest[DIGEST_BYTES];
	char key[KEY_BYTES] = {0};
	digest_sha256(line, digest);
	memcpy(key, digest, 16);
	arena_clear(&records->arena);
	record_init(&records->record, RECORD_REQUEST);
	records->record.source = STR_LIT("api");
	records->record.key = str_make(key, sizeof key);
	records->record.time_ns = 0;
	if (accesslog_parse(records->format, line, &records->arena, &records->record, &err) != 0 ||
	    strmap_put(&records->requests, record_text(&records->record, FIELD_request_id),
		       records->count) != 0) {
		die("a line", &err);
	}
	record_set_text(&records->record, FIELD_raw, line);
	add(records, &records->record);
}

static void take_statements(struct records *records)
{
	struct error err;
	while (auditrow_joiner_take(records->joiner, &records->arena, &records->record, &err) ==
	       0) {
		add(records, &records->record);
	}
}

static void take_row(struct records *records, struct str line)
{
	struct error err;
	arena_clear(&records->arena);
	records->row.column_count = 0;
	if (auditrow_parse_line(line, &records->arena, &records->row, &err) != 0) {
		die("a row", &err);
	}
	const struct auditrow_column *file = auditrow_column(&records->row, "file_name");
	const struct auditrow_column *offset = auditrow_column(&records->row, "audit_file_offset");
	auditrow_key(&records->row, file->text, offset->number, 0);
	if (auditrow_joiner_add(records->joiner, &records->row, &err) != 0) {
		die("a row", &err);
	}
	take_statements(records);
}

/* A verdict as the correlator says it. */
static void judge(struct records *records, size_t number, const struct record *statement)
{
	char id[RECORD_ID_DIGITS + 1], key[64];
	struct record *record = &records->record;
	size_t request = records->request_of[number];
	record_stable_id(statement->source, statement->key, id);
	int len = snprintf(key, sizeof key, "s%s.0", id);
	record_init(record, RECORD_VERDICT);
	record->source = STR_LIT("querytraild");
	record->key = str_make(key, (size_t)len);
	record->time_ns = statement->time_ns;
	bool matched = request != SIZE_MAX;
	record_set_text(record, FIELD_reason,
			matched ? STR_LIT("the id stands in a comment, which whoever writes the "
					  "SQL can forge")
				: STR_LIT("the statement carries no id"));
	record_set_text(record, FIELD_grade, matched ? STR_LIT("C") : STR_LIT("U1"));
	record_set_text(record, FIELD_settled, STR_LIT("final"));
	record_set_number(record, FIELD_revision, 0);
	record_set_text(record, FIELD_statement_id, str_of(id));
	record_set_number(record, FIELD_statement_leaf,
			  (int64_t)(records->made.first_leaf + number));
	if (matched) {
		record_set_text(record, FIELD_carrier, STR_LIT("comment"));
		record_set_text(record, FIELD_matched_by, STR_LIT("request_id"));
		record_set_number(record, FIELD_request_leaf,
				  (int64_t)(records->made.first_leaf + request));
	}
	add(records, record);
}

static void judge_all(struct records *records)
{
	for (size_t i = records->made.first_statement; i < records->made.first_verdict; i++) {
		struct record statement;
		struct error err;
		if (record_decode(records_at(records, i), &statement, &err) != 0) {
			die("a record", &err);
		}
		struct str text = record_text(&statement, FIELD_statement);
		size_t before = strlen(COMMENT);
		ptrdiff_t at = str_find(text, STR_LIT(COMMENT), 0);
		const uint64_t *request =
			at < 0 ? NULL
			       : strmap_get(&records->requests,
					    str_slice(text, (size_t)at + before, 36));
		records->request_of[i] = request != NULL ? (size_t)*request : SIZE_MAX;
		judge(records, i, &statement);
	}
}

static void clear(struct records *records)
{
	buf_clear(&records->bytes);
	buf_clear(&records->lines[WORLD_ACCESS]);
	buf_clear(&records->lines[WORLD_AUDIT]);
	strmap_done(&records->requests);
	strmap_init(&records->requests, SIZE_MAX / 256);
	records->count = 0;
}

struct records_made records_make(struct records *records, const struct world_options *options,
				 uint64_t first_leaf)
{
	struct error err;
	const struct world_sink sink = {.put = keep_line, .owner = records};
	clear(records);
	records->made = (struct records_made){.first_leaf = first_leaf};
	if (world_write(options, &sink, &records->shape, &err) != 0) {
		die("the data set", &err);
	}
	for (struct str rest = buf_str(&records->lines[WORLD_ACCESS]); rest.len > 0;) {
		struct str line = str_split(&rest, '\n');
		take_request(records, line);
	}
	records->made.first_statement = records->count;
	records->joiner = auditrow_joiner_new(STR_LIT("db"), 64 << 20);
	for (struct str rest = buf_str(&records->lines[WORLD_AUDIT]); rest.len > 0;) {
		take_row(records, str_split(&rest, '\n'));
	}
	auditrow_joiner_flush(records->joiner, true);
	take_statements(records);
	auditrow_joiner_free(records->joiner);
	records->made.first_verdict = records->count;
	judge_all(records);
	records->made.count = records->count;
	for (size_t i = 0; i < WORLD_FIELD_COUNT; i++) {
		records->made.floor_bytes += records->shape.bits[i] / 8;
	}
	return records->made;
}
