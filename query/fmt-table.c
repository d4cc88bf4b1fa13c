#include "query/fmt.h"

#include "base/utf8.h"
#include "query/layout.h"
#include "query/when.h"

#include <stdlib.h>

#define SAMPLE_ROWS      1000 /* rows that decide the widths */
#define WIDE_COLUMNS     120  /* from here on times have milliseconds */
#define WIDE_STATEMENT   32
#define NARROW_STATEMENT 15
#define ASKED_IMPORTANCE 20
#define SAMPLE_BYTES     (4u << 20) /* of their cells */

enum { TIME, GRADE, USER, ROUTE, VERB, TABLE, ROWS, LOGIN, SERVER, STATEMENT, COLUMN_COUNT };

static const struct layout_column template[COLUMN_COUNT] = {
	[TIME] = {"TIME", 0, 19, 0, false, 0, 0},
	[GRADE] = {"GRADE", 0, 2, 0, false, 0, 0},
	[USER] = {"USER", 0, 14, 28, false, 0, 0},
	[ROUTE] = {"ROUTE", 10, 14, 32, false, 0, 0},
	[VERB] = {"VERB", 2, 6, 12, false, 0, 0},
	[TABLE] = {"TABLE", 6, 10, 28, false, 0, 0},
	[ROWS] = {"ROWS", 7, 4, 0, true, 0, 0},
	[LOGIN] = {"LOGIN", 4, 8, 20, false, 0, 0},
	[SERVER] = {"SERVER", 3, 6, 20, false, 0, 0},
	[STATEMENT] = {"STATEMENT", 11, 20, 20, false, 0, 0},
};

struct sampled {                       /* a row that waits until the widths are known */
	size_t cell_end[COLUMN_COUNT]; /* offsets in cells */
	enum grade grade;
};

struct table {
	struct layout_column column[COLUMN_COUNT];
	struct sampled *rows;
	size_t row_count;
	struct buf cells; /* of the sampled rows, one behind the other */
	bool decided;
	int digits; /* of the seconds' fraction */
};

/* A comment in front, where middleware puts the request's id, would hide the statement in a narrow column. */
static struct str without_comment(struct str text, struct buf *out)
{
	text = str_trim(text);
	ptrdiff_t end = str_has_prefix(text, STR_LIT("/*")) ? str_find(text, STR_LIT("*/"), 2) : -1;
	if (end < 0) {
		return text;
	}
	buf_put_text(out, "/*\xe2\x80\xa6*/ ");
	return str_slice(text, (size_t)end + 2, text.len);
}

static void put_cell_text(struct fmt *fmt, const struct trail *trail, unsigned column,
			  struct buf *out)
{
	const struct table *table = fmt->state;
	struct str text = {NULL, 0};
	switch (column) {
	case TIME:
		when_put(out, fmt->out->zone, trail->time_ns, table->digits, false);
		return;
	case GRADE:
		buf_put_text(out, trail->grade == GRADE_PENDING ? "P" : grade_name(trail->grade));
		return;
	case ROWS:
		if (trail->has_statement && record_has(&trail->statement, FIELD_rows)) {
			buf_put_i64(out, record_number(&trail->statement, FIELD_rows, 0));
		}
		return;
	case USER:
		text = trail_text(trail, SIDE_REQUEST, FIELD_user);
		break;
	case ROUTE:
		text = trail_text(trail, SIDE_REQUEST, FIELD_route);
		break;
	case VERB:
		text = trail_text(trail, SIDE_STATEMENT, FIELD_verb);
		break;
	case TABLE:
		text = trail_text(trail, SIDE_STATEMENT, FIELD_table);
		break;
	case LOGIN:
		text = trail_text(trail, SIDE_STATEMENT, FIELD_principal);
		break;
	case SERVER:
		text = trail_text(trail, SIDE_STATEMENT, FIELD_server);
		break;
	case STATEMENT:
		text = trail->has_statement ? trail_text(trail, SIDE_STATEMENT, FIELD_statement)
					    : STR_LIT("(no statement)");
		break;
	default:
		return;
	}
	if (text.len == 0) {
		buf_put_byte(out, '-');
		return;
	}
	if (column == STATEMENT && fmt->out->width > 0) {
		text = without_comment(text, out);
	}
	/* More than the width can never be shown, so it need not be looked at. */
	size_t limit = fmt->out->width > 0 ? fmt->out->width * 8 + 64 : text.len;
	fmt_put_one_line(out, str_slice(text, 0, limit));
}

static void put_row(struct fmt *fmt, const struct sampled *row, const char *cells, size_t begin)
{
	struct table *table = fmt->state;
	struct buf *out = &fmt->out->text;
	bool first = true;
	unsigned last = COLUMN_COUNT;
	while (last > 0 && table->column[last - 1].width == 0) {
		last--;
	}
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		struct str cell = str_make(cells + begin, row->cell_end[i] - begin);
		begin = row->cell_end[i];
		if (table->column[i].width == 0) {
			continue;
		}
		if (!first) {
			buf_put_fill(out, ' ', LAYOUT_GAP);
		}
		first = false;
		if (i == GRADE) {
			output_style(fmt->out, fmt_grade_style(row->grade));
		}
		layout_put_cell(out, &table->column[i], cell, i + 1 == last, fmt->out->width > 0);
		if (i == GRADE) {
			output_style(fmt->out, STYLE_NONE);
		}
	}
	buf_put_byte(out, '\n');
}

static void put_titles(struct fmt *fmt)
{
	struct table *table = fmt->state;
	struct buf *out = &fmt->out->text;
	bool first = true;
	output_style(fmt->out, STYLE_TITLE);
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		struct layout_column *column = &table->column[i];
		if (column->width == 0) {
			continue;
		}
		const char *title = i == GRADE && column->width < 5 ? "G" : column->title;
		if (!first) {
			buf_put_fill(out, ' ', LAYOUT_GAP);
		}
		first = false;
		layout_put_cell(out, column, str_of(title), i == STATEMENT, fmt->out->width > 0);
	}
	output_style(fmt->out, STYLE_NONE);
	buf_put_byte(out, '\n');
}

/* Fixes the widths and writes the rows that waited. */
static void decide(struct fmt *fmt)
{
	struct table *table = fmt->state;
	if (table->decided) {
		return;
	}
	table->decided = true;
	if (table->row_count == 0) {
		return;
	}
	layout_decide(table->column, COLUMN_COUNT, fmt->out->width);
	put_titles(fmt);
	size_t begin = 0;
	for (size_t i = 0; i < table->row_count; i++) {
		put_row(fmt, &table->rows[i], table->cells.ptr, begin);
		begin = table->rows[i].cell_end[COLUMN_COUNT - 1];
		output_row_done(fmt->out);
	}
}

/* A column that the filter compares, and so leaves open, is one that the reader wants to see. */
static void keep_asked(const struct fmt *fmt, struct table *table)
{
	static const struct {
		unsigned column, field;
	} pairs[] = {{ROWS, FIELD_rows},       {VERB, FIELD_verb},     {TABLE, FIELD_table},
		     {LOGIN, FIELD_principal}, {SERVER, FIELD_server}, {ROUTE, FIELD_route}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		unsigned field = pairs[i].field;
		if ((fmt->asked[field / 64] >> (field % 64) & 1u) != 0) {
			table->column[pairs[i].column].importance = ASKED_IMPORTANCE;
			table->column[STATEMENT].least = NARROW_STATEMENT;
		}
	}
}

static int table_begin(struct fmt *fmt, struct error *err)
{
	struct table *table = calloc(1, sizeof(*table));
	struct sampled *rows = calloc(SAMPLE_ROWS, sizeof(*rows));
	if (table == NULL || rows == NULL) {
		free(table);
		free(rows);
		return error_set(err, ERR_NOMEM, "no memory for the table");
	}
	memcpy(table->column, template, sizeof(template));
	table->rows = rows;
	buf_init(&table->cells, 0);
	layout_begin(table->column, COLUMN_COUNT);
	table->column[GRADE].wanted = 2;
	keep_asked(fmt, table);
	if (fmt->out->width >= WIDE_COLUMNS) {
		table->column[STATEMENT].least = WIDE_STATEMENT;
		table->column[STATEMENT].most = WIDE_STATEMENT;
	}
	table->digits = fmt->out->width == 0 || fmt->out->width >= WIDE_COLUMNS ? 3 : 0;
	table->column[TIME].least = when_width(table->digits);
	fmt->state = table;
	return 0;
}

static int table_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	struct table *table = fmt->state;
	struct sampled row = {.grade = trail->grade};
	if (table->decided) {
		buf_clear(&table->cells);
	}
	size_t begin = table->cells.len;
	size_t cell = begin;
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		put_cell_text(fmt, trail, i, &table->cells);
		row.cell_end[i] = table->cells.len;
		if (!table->decided) {
			layout_see(&table->column[i],
				   utf8_width(str_slice(buf_str(&table->cells), cell,
							table->cells.len - cell)));
		}
		cell = table->cells.len;
	}
	if (table->cells.failed) {
		return error_set(err, ERR_NOMEM, "no memory for a row of the table");
	}
	if (table->decided) {
		put_row(fmt, &row, table->cells.ptr, begin);
		return 0;
	}
	table->rows[table->row_count++] = row;
	if (table->row_count == SAMPLE_ROWS || table->cells.len > SAMPLE_BYTES) {
		decide(fmt);
	}
	return 0;
}

static int table_end(struct fmt *fmt, const struct coverage *coverage, struct error *err)
{
	(void)coverage;
	(void)err;
	decide(fmt);
	return 0;
}

static void table_done(struct fmt *fmt)
{
	struct table *table = fmt->state;
	if (table != NULL) {
		buf_done(&table->cells);
		free(table->rows);
		free(table);
	}
	fmt->state = NULL;
}

const struct fmt_type fmt_table = {
	"table",   "columns that fit the terminal; whole texts when piped",
	false,     table_begin,
	table_row, table_end,
	table_done};
