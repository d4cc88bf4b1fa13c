#include "collector/sources/file/csv.h"

#include "base/json.h"

#include <assert.h>

#define HEADER_MAX 16384

void csv_init(struct csv *csv)
{
	*csv = (struct csv){.separator = ','};
	buf_init(&csv->header, HEADER_MAX);
}

void csv_done(struct csv *csv)
{
	buf_done(&csv->header);
}

static char guess_separator(struct str header)
{
	static const char candidates[] = {',', ';', '\t'};
	char best = ',';
	size_t most = 0;

	for (size_t i = 0; i < sizeof(candidates); i++) {
		size_t count = 0;
		for (size_t k = 0; k < header.len; k++) {
			count += header.ptr[k] == candidates[i];
		}
		if (count > most) {
			most = count;
			best = candidates[i];
		}
	}
	return best;
}

struct field {
	struct str raw; /* without the quotes around it, with "" inside */
	bool quoted;
};

/* The next field of *rest, which moves behind its separator, or becomes NULL after the last one. False: a quote is wrong. */
static bool next_field(char separator, struct str *rest, struct field *out)
{
	size_t pos = 0;
	size_t start = 0;
	size_t end;

	out->quoted = rest->len > 0 && rest->ptr[0] == '"';
	if (out->quoted) {
		start = 1;
		for (pos = 1;; pos++) {
			if (pos >= rest->len) {
				return false;
			}
			if (rest->ptr[pos] != '"') {
				continue;
			}
			if (pos + 1 < rest->len && rest->ptr[pos + 1] == '"') {
				pos++;
				continue;
			}
			break;
		}
		end = pos++;
	} else {
		ptrdiff_t at = str_find_byte(*rest, separator, 0);
		end = pos = at < 0 ? rest->len : (size_t)at;
	}
	out->raw = str_slice(*rest, start, end - start);
	if (pos >= rest->len) {
		*rest = (struct str){0};
		return true;
	}
	if (rest->ptr[pos] != separator) {
		return false;
	}
	*rest = str_make(rest->ptr + pos + 1, rest->len - pos - 1);
	return true;
}

static void unquote(const struct field *field, struct buf *out)
{
	for (size_t i = 0; i < field->raw.len; i++) {
		buf_put_byte(out, (uint8_t)field->raw.ptr[i]);
		if (field->quoted && field->raw.ptr[i] == '"') {
			i++; /* "" stands for one */
		}
	}
}

static struct str clean_row(struct str row)
{
	if (row.len > 0 && row.ptr[row.len - 1] == '\r') {
		row.len--;
	}
	return row;
}

int csv_header(struct csv *csv, struct str row, struct error *err)
{
	struct str names[CSV_COLUMNS_MAX];
	struct field field;

	csv->column_count = 0;
	buf_clear(&csv->header);
	buf_put_str(&csv->header, clean_row(row));
	int rc = buf_check(&csv->header, "the header row", err);
	if (rc != 0) {
		err->code = ERR_INPUT;
		return -ERR_INPUT;
	}
	csv->separator = guess_separator(buf_str(&csv->header));
	struct str rest = buf_str(&csv->header);
	size_t count = 0;
	while (rest.ptr != NULL) {
		if (!next_field(csv->separator, &rest, &field) || field.raw.len == 0) {
			return error_set(err, ERR_INPUT, "column %zu of the header row has no name",
					 count + 1);
		}
		if (count == CSV_COLUMNS_MAX) {
			return error_set(err, ERR_INPUT, "the header row has more than %d columns",
					 CSV_COLUMNS_MAX);
		}
		for (size_t i = 0; i < count; i++) {
			if (str_equal_fold(names[i], field.raw)) {
				return error_set(err, ERR_INPUT,
						 "the header row names column %.*s twice",
						 STR_ARG(field.raw));
			}
		}
		names[count++] = field.raw;
	}
	if (count == 0) {
		return error_set(err, ERR_INPUT, "the header row is empty");
	}
	csv->column_count = count;
	return 0;
}

static void put_value(const struct field *field, struct buf *scratch, struct buf *out)
{
	if (!field->quoted && (field->raw.len == 0 || str_is(field->raw, "NULL"))) {
		buf_put_text(out, "null");
		return;
	}
	buf_clear(scratch);
	unquote(field, scratch);
	json_put_string(out, buf_str(scratch));
}

int csv_put_json(const struct csv *csv, struct str row, struct buf *out, struct error *err)
{
	assert(csv->column_count > 0);
	struct str names = buf_str(&csv->header);
	struct str rest = clean_row(row);
	struct buf scratch;
	struct field name;
	struct field value;
	size_t before = out->len;
	size_t count = 0;
	bool well = true;

	if (rest.ptr == NULL) {
		rest.ptr = "";
	}
	buf_init(&scratch, 0);
	buf_put_byte(out, '{');
	while (well && names.ptr != NULL && rest.ptr != NULL) {
		well = next_field(csv->separator, &names, &name) &&
		       next_field(csv->separator, &rest, &value);
		if (well) {
			buf_put_text(out, count++ > 0 ? "," : "");
			buf_clear(&scratch);
			unquote(&name, &scratch);
			json_put_string(out, buf_str(&scratch));
			buf_put_byte(out, ':');
			put_value(&value, &scratch, out);
		}
	}
	buf_put_byte(out, '}');
	buf_done(&scratch);
	if (!well || names.ptr != NULL || rest.ptr != NULL) {
		buf_truncate(out, before);
		return error_set(err, ERR_INPUT,
				 well ? "the row has not the %zu fields of the header row"
				      : "a quote is left open in a row of %zu fields",
				 csv->column_count);
	}
	return buf_check(out, "the row as JSON", err);
}
