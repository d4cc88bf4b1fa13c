#include "query/fmt.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <stdlib.h>

struct csv {
	struct buf cell;
	struct buf safe;
	struct buf defanged; /* names of this row's cells that were changed */
};

/* Whether a spreadsheet would take the cell for a formula. White space in front does not stop it. */
static bool acts(struct str cell)
{
	static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
					   "\xef\xbc\xa0"}; /* full-width = + - @ */
	if (cell.len > 0 && memchr("\t\r\n", cell.ptr[0], 3) != NULL) {
		return true;
	}
	size_t begin = 0;
	while (begin < cell.len && memchr(" \t\r\n\v\f", cell.ptr[begin], 6) != NULL) {
		begin++;
	}
	if (begin < cell.len && memchr("=+-@", cell.ptr[begin], 4) != NULL) {
		return true;
	}
	for (size_t i = 0; i < 4; i++) {
		if (str_has_prefix(str_slice(cell, begin, 3), str_of(wide[i]))) {
			return true;
		}
	}
	return false;
}

/* Appends cell with what a terminal obeys escaped; the line breaks and tabs of a statement stay unless it goes to a
 * terminal. Returns whether anything was changed. */
static bool put_visible(struct csv *csv, struct str cell, bool is_terminal)
{
	buf_clear(&csv->safe);
	size_t begin = 0;
	for (size_t i = 0; i <= cell.len; i++) {
		bool keep = i < cell.len && !is_terminal &&
			    (cell.ptr[i] == '\n' || cell.ptr[i] == '\t' ||
			     (cell.ptr[i] == '\r' && i + 1 < cell.len && cell.ptr[i + 1] == '\n'));
		if (i == cell.len || keep) {
			utf8_put_printable(&csv->safe, str_slice(cell, begin, i - begin));
			begin = i + 1;
		}
		if (keep) {
			buf_put_byte(&csv->safe, (uint8_t)cell.ptr[i]);
		}
	}
	return !str_equal(buf_str(&csv->safe), cell);
}

static void put_cell(struct buf *out, struct str text, bool first)
{
	if (!first) {
		buf_put_byte(out, ',');
	}
	bool quote = false;
	for (size_t i = 0; i < text.len && !quote; i++) {
		quote = memchr("\",\r\n\t ;'", text.ptr[i], 8) != NULL;
	}
	if (!quote) {
		buf_put_str(out, text);
		return;
	}
	buf_put_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"') {
			buf_put_byte(out, '"');
		}
		buf_put_byte(out, (uint8_t)text.ptr[i]);
	}
	buf_put_byte(out, '"');
}

static int csv_begin(struct fmt *fmt, struct error *err)
{
	struct csv *csv = calloc(1, sizeof(*csv));
	if (csv == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the format");
	}
	buf_init(&csv->cell, 0);
	buf_init(&csv->safe, 0);
	buf_init(&csv->defanged, 0);
	fmt->state = csv;
	bool first = true;
	for (size_t i = 0; i < fmt->column_count; i++) {
		if (!fmt->column[i].is_raw || fmt->with_raw) {
			put_cell(&fmt->out->text, str_of(fmt->column[i].name), first);
			first = false;
		}
	}
	buf_put_text(&fmt->out->text, ",defanged\r\n");
	return 0;
}

/* A value's text in csv->cell or borrowed, made harmless; its column is noted when it was changed. */
static struct str harmless(struct fmt *fmt, const struct trail_column *column,
			   const struct trail_value *value)
{
	struct csv *csv = fmt->state;
	buf_clear(&csv->cell);
	switch (value->type) {
	case TRAIL_ABSENT:
		return buf_str(&csv->cell);
	case TRAIL_NUMBER:
		buf_put_i64(&csv->cell, value->number); /* -5 is a number and no formula */
		return buf_str(&csv->cell);
	case TRAIL_TIME:
		clock_put_rfc3339(&csv->cell, value->number, 9);
		return buf_str(&csv->cell);
	case TRAIL_BOOL:
		buf_put_text(&csv->cell, value->number != 0 ? "true" : "false");
		return buf_str(&csv->cell);
	case TRAIL_TEXT:
	case TRAIL_BYTES:
		break;
	}
	bool changed = put_visible(csv, value->text, fmt->out->is_terminal);
	if (acts(value->text) || acts(buf_str(&csv->safe))) {
		buf_put_byte(&csv->cell, '\'');
		changed = true;
	}
	buf_put_str(&csv->cell, buf_str(&csv->safe));
	if (changed) {
		buf_put_text(&csv->defanged, csv->defanged.len > 0 ? " " : "");
		buf_put_text(&csv->defanged, column->name);
	}
	return buf_str(&csv->cell);
}

static int csv_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	struct csv *csv = fmt->state;
	bool first = true;
	(void)err;
	buf_clear(&csv->defanged);
	for (size_t i = 0; i < fmt->column_count; i++) {
		const struct trail_column *column = &fmt->column[i];
		if (column->is_raw && !fmt->with_raw) {
			continue;
		}
		struct trail_value value = trail_value(trail, column);
		put_cell(&fmt->out->text, harmless(fmt, column, &value), first);
		first = false;
	}
	put_cell(&fmt->out->text, buf_str(&csv->defanged), false);
	buf_put_text(&fmt->out->text, "\r\n");
	return 0;
}

static int csv_end(struct fmt *fmt, const struct coverage *coverage, struct error *err)
{
	(void)fmt;
	(void)coverage;
	(void)err;
	return 0;
}

static void csv_done(struct fmt *fmt)
{
	struct csv *csv = fmt->state;
	if (csv != NULL) {
		buf_done(&csv->cell);
		buf_done(&csv->safe);
		buf_done(&csv->defanged);
		free(csv);
	}
	fmt->state = NULL;
}

const struct fmt_type fmt_csv = {
	"csv",
	"RFC 4180 for spreadsheets; cells that could act begin with ' and are named in `defanged`",
	false,
	csv_begin,
	csv_row,
	csv_end,
	csv_done};
