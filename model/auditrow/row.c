#include "model/auditrow/auditrow.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/parse.h"
#include "model/auditrow/column.h"
#include "model/jsontext.h"

const struct auditrow_column *auditrow_column(const struct auditrow *row, const char *name)
{
	struct str wanted = str_of(name);

	for (size_t i = 0; i < row->column_count; i++) {
		if (row->column[i].name.len == wanted.len &&
		    str_equal_fold(row->column[i].name, wanted)) {
			return &row->column[i];
		}
	}
	return NULL;
}

/* 2026-11-22T10:00:00.1234567, as the server prints it but for the T: UTC without a Z. */
static void put_time(struct buf *out, int64_t time_ns)
{
	buf_put_byte(out, '"');
	clock_put_rfc3339(out, time_ns, 7);
	if (!out->failed) {
		buf_truncate(out, out->len - 1);
	}
	buf_put_byte(out, '"');
}

void auditrow_put_value(const struct auditrow_column *column, struct buf *out)
{
	switch (column->type) {
	case AUDITROW_NULL:
		buf_put_text(out, "null");
		return;
	case AUDITROW_TEXT:
		json_put_string(out, column->text);
		return;
	case AUDITROW_INT:
		buf_put_i64(out, column->number);
		return;
	case AUDITROW_BOOL:
		buf_put_text(out, column->number != 0 ? "true" : "false");
		return;
	case AUDITROW_TIME:
		put_time(out, column->number);
		return;
	case AUDITROW_BINARY:
		buf_put_text(out, "\"0x");
		buf_put_hex(out, column->text);
		buf_put_byte(out, '"');
		return;
	}
}

void auditrow_put_line(const struct auditrow *row, struct buf *out)
{
	buf_put_byte(out, '{');
	for (size_t i = 0; i < row->column_count; i++) {
		if (i > 0) {
			buf_put_byte(out, ',');
		}
		json_put_string(out, row->column[i].name);
		buf_put_byte(out, ':');
		auditrow_put_value(&row->column[i], out);
	}
	buf_put_byte(out, '}');
}

struct line_reader {
	struct json_scanner scanner;
	struct arena *arena;
	struct auditrow *row;
	bool has_known[AUDITCOLUMN_COUNT];
	unsigned guess;   /* the known column that comes next when they come in order */
	bool out_of_room; /* the arena is full, or there are too many columns */
};

/* "0x.." as bytes in the arena; false when it is something else (then the text stays as it is). */
static bool read_binary(struct line_reader *reader, struct str text, struct str *out_bytes)
{
	size_t size = text.len / 2;
	struct buf bytes;

	if (text.len < 2 || text.ptr[0] != '0' || (text.ptr[1] | 0x20) != 'x') {
		return false;
	}
	bytes = (struct buf){
		.ptr = arena_alloc(reader->arena, size), .capacity = size, .max_bytes = size - 1};
	if (bytes.ptr == NULL) {
		reader->out_of_room = true;
		return false;
	}
	if (!parse_hex(str_slice(text, 2, text.len), &bytes)) {
		return false;
	}
	*out_bytes = buf_str(&bytes);
	return true;
}

/* Gives a text the type that its column should have; what does not fit stays text, so that nothing is lost. */
static void set_type(struct line_reader *reader, struct auditrow_column *column,
		     enum auditrow_type wanted)
{
	bool truth;
	int64_t number;

	switch (wanted) {
	case AUDITROW_INT:
		if (parse_i64(column->text, &number)) {
			column->type = AUDITROW_INT;
			column->number = number;
		}
		return;
	case AUDITROW_BOOL:
		if (str_equal_fold(column->text, STR_LIT("true")) ||
		    str_equal_fold(column->text, STR_LIT("false"))) {
			column->type = AUDITROW_BOOL;
			column->number = column->text.len == strlen("true");
		} else if (parse_bool(column->text, &truth)) {
			column->type = AUDITROW_BOOL;
			column->number = truth ? 1 : 0;
		}
		return;
	case AUDITROW_TIME:
		if (clock_parse_rfc3339(column->text, &number)) {
			column->type = AUDITROW_TIME;
			column->number = number;
		}
		return;
	case AUDITROW_BINARY:
		if (read_binary(reader, column->text, &column->text)) {
			column->type = AUDITROW_BINARY;
		}
		return;
	case AUDITROW_TEXT:
	case AUDITROW_NULL:
		return;
	}
}

/* Reads the value behind a key. wanted is the type of a known column, AUDITROW_NULL for an unknown one. */
static bool read_value(struct line_reader *reader, struct auditrow_column *column,
		       enum auditrow_type wanted)
{
	struct json_scanner *scanner = &reader->scanner;
	struct json_scanner before = *scanner;
	enum json_event event = json_next(scanner);

	column->type = AUDITROW_TEXT;
	column->text = scanner->text;
	switch (event) {
	case JSON_STRING:
		if (!jsontext_get(scanner->text, scanner->has_escapes, reader->arena,
				  &column->text)) {
			reader->out_of_room = true;
		}
		break;
	case JSON_NULL:
		column->type = AUDITROW_NULL;
		return true;
	case JSON_NUMBER:
		wanted = wanted == AUDITROW_NULL ? AUDITROW_INT : wanted;
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		wanted = wanted == AUDITROW_NULL ? AUDITROW_BOOL : wanted;
		break;
	case JSON_OBJECT_BEGIN: /* stays as its JSON text */
	case JSON_ARRAY_BEGIN:
		*scanner = before;
		return json_skip(scanner, &column->text);
	default:
		return false;
	}
	set_type(reader, column, wanted);
	return true;
}

/* Whether the row already has the column; known ones are marked, unknown ones compared. */
static bool is_repeated(struct line_reader *reader, struct str name, unsigned known)
{
	bool repeated = false;

	if (known < AUDITCOLUMN_COUNT) {
		repeated = reader->has_known[known];
		reader->has_known[known] = true;
		return repeated;
	}
	for (size_t i = 0; i < reader->row->column_count && !repeated; i++) {
		repeated = str_equal_fold(reader->row->column[i].name, name);
	}
	return repeated;
}

/* Reads the value of one key; returns NULL or what is wrong. */
static const char *read_member(struct line_reader *reader)
{
	struct auditrow *row = reader->row;
	struct auditrow_column column = {.type = AUDITROW_NULL};
	enum auditrow_type wanted = AUDITROW_NULL;
	unsigned known;

	if (row->column_count == AUDITROW_COLUMNS_MAX ||
	    !jsontext_get(reader->scanner.text, reader->scanner.has_escapes, reader->arena,
			  &column.name)) {
		reader->out_of_room = true;
		return "more columns than a row may have, or too little room";
	}
	known = auditcolumn_find(column.name, reader->guess);
	if (is_repeated(reader, column.name, known)) {
		return "a column twice";
	}
	if (known < AUDITCOLUMN_COUNT) {
		wanted = auditcolumn_info(known)->type;
		reader->guess = known + 1;
	}
	if (!read_value(reader, &column, wanted)) {
		return "a value that is not JSON";
	}
	row->column[row->column_count++] = column;
	return reader->out_of_room ? "more text than there is room for" : NULL;
}

static const char *read_row(struct line_reader *reader)
{
	const struct auditrow_column *time;
	enum json_event event = json_next(&reader->scanner);
	const char *wrong = NULL;

	if (event != JSON_OBJECT_BEGIN) {
		return "no JSON object";
	}
	while (wrong == NULL && (event = json_next(&reader->scanner)) == JSON_KEY) {
		wrong = read_member(reader);
	}
	if (wrong != NULL) {
		return wrong;
	}
	if (event != JSON_OBJECT_END) {
		return "text that is not JSON";
	}
	if (str_trim(str_slice(reader->scanner.input, reader->scanner.pos,
			       reader->scanner.input.len))
		    .len != 0) {
		return "text behind its JSON object";
	}
	time = auditrow_column(reader->row, "event_time");
	if (time == NULL || time->type != AUDITROW_TIME) {
		return "no event_time that can be read";
	}
	return reader->has_known[AUDITCOLUMN_action_id] ? NULL : "no action_id";
}

int auditrow_parse_line(struct str line, struct arena *arena, struct auditrow *row,
			struct error *err)
{
	struct line_reader reader = {
		.scanner = json_scanner(line), .arena = arena, .row = row, .guess = 0};
	const char *wrong;

	if (line.len > AUDITROW_LINE_MAX) {
		return error_set(err, ERR_LIMIT, "an audit row of %zu bytes is longer than %d",
				 line.len, AUDITROW_LINE_MAX);
	}
	row->column_count = 0;
	row->line = line;
	memset(row->key, 0, sizeof(row->key));
	wrong = read_row(&reader);
	if (wrong != NULL) {
		return error_set(err, reader.out_of_room ? ERR_LIMIT : ERR_INPUT,
				 "the audit row has %s, at byte %zu of %zu", wrong,
				 reader.scanner.pos, line.len);
	}
	return 0;
}

void auditrow_key(struct auditrow *row, struct str file, int64_t offset, uint64_t ordinal)
{
	uint8_t line_digest[DIGEST_BYTES];

	digest_sha256(row->line, line_digest);
	auditrow_key_of(row, file, offset, ordinal, line_digest);
}

void auditrow_key_of(struct auditrow *row, struct str file, int64_t offset, uint64_t ordinal,
		     const uint8_t line_digest[32])
{
	uint8_t digest[DIGEST_BYTES];
	char digits[24];
	uint8_t count[8];
	int digit_count = snprintf(digits, sizeof(digits), "%" PRId64, offset);
	const struct str parts[] = {
		auditrow_basename(file),
		str_make("", 1), /* the NUL */
		str_make(digits, (size_t)digit_count),
		str_make("", 1),
		str_make(line_digest, DIGEST_BYTES),
		str_make(count, sizeof(count)),
	};

	for (unsigned i = 0; i < sizeof(count); i++) {
		count[i] = (uint8_t)(ordinal >> (8 * i));
	}
	digest_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), digest);
	memcpy(row->key, digest, sizeof(row->key));
}

struct str auditrow_basename(struct str path)
{
	size_t start = path.len;

	while (start > 0 && path.ptr[start - 1] != '/' && path.ptr[start - 1] != '\\') {
		start--;
	}
	return str_slice(path, start, path.len);
}
