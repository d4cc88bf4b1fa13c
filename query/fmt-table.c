#include "query/fmt.h"

#include "base/utf8.h"
#include "query/layout.h"
#include "query/when.h"

#include <stdlib.h>

#define SAMPLE_ROWS      1000 /* rows that decide the widths */
#define ONE_LINE_COLUMNS 100  /* below, a row takes two lines */
#define WIDE_COLUMNS     140  /* from here on times have milliseconds */
#define NAME_COLUMNS     40   /* of user and route where a row is one line */
#define USER_COLUMNS     32   /* that routes stand behind where a row is two lines */
#define ONE_TABLE        24
#define ONE_STATEMENT    18 /* the least of a statement in one line */
#define NARROW_STATEMENT 15
#define LEAST_REASON     24
#define INDENT           4 /* of a second line */
#define ASKED_IMPORTANCE 20
#define SAMPLE_BYTES     (4u << 20) /* of their cells */

/* SERVER stands where the second line begins, so that it can be left out of it. */
enum {
	TIME,
	GRADE,
	USER,
	ROUTE,
	SERVER,
	VERB,
	TABLE,
	ROWS,
	LOGIN,
	STATEMENT,
	COLUMN_COUNT,
	REASON = COLUMN_COUNT, /* a cell without a column */
	CELL_COUNT
};

static const struct layout_column template[COLUMN_COUNT] = {
	[TIME] = {"TIME", 0, 19, 0, false, 0, 0},
	[GRADE] = {"GRADE", 0, 2, 0, false, 0, 0},
	[USER] = {"USER", 0, 4, NAME_COLUMNS, false, 0, 0},
	[ROUTE] = {"ROUTE", 0, 5, NAME_COLUMNS, false, 0, 0},
	[SERVER] = {"SERVER", 3, 6, 20, false, 0, 0},
	[VERB] = {"VERB", 2, 6, 12, false, 0, 0},
	[TABLE] = {"TABLE", 6, 10, 28, false, 0, 0},
	[ROWS] = {"ROWS", 7, 4, 0, true, 0, 0},
	[LOGIN] = {"LOGIN", 4, 8, 20, false, 0, 0},
	[STATEMENT] = {"STATEMENT", 11, ONE_STATEMENT, 32, false, 0, 0},
};

struct sampled {                     /* a row that waits until the widths are known */
	size_t cell_end[CELL_COUNT]; /* offsets in cells */
	enum grade grade;
	bool nobody; /* no request, so neither user nor route */
};

struct table {
	struct layout_column column[COLUMN_COUNT];
	struct sampled *rows;
	size_t row_count;
	struct buf cells; /* of the sampled rows, one behind the other */
	bool decided;
	bool two_lines;
	bool all_nobody; /* of the sampled rows: their reasons say more than two empty columns */
	unsigned lower;  /* the first column of the second line */
	int digits;      /* of the seconds' fraction */
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
	case REASON:
		text = trail_text(trail, SIDE_VERDICT, FIELD_reason);
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

static struct str cell_of(const struct sampled *row, const char *cells, size_t begin, unsigned cell)
{
	size_t from = cell == 0 ? begin : row->cell_end[cell - 1];
	return str_make(cells + from, row->cell_end[cell] - from);
}

/* The columns first .. last - 1 of a row; the titles when row is NULL. */
static void put_columns(struct fmt *fmt, const struct sampled *row, const char *cells, size_t begin,
			const unsigned range[2])
{
	struct table *table = fmt->state;
	struct buf *out = &fmt->out->text;
	bool first = true;
	unsigned last = range[1];
	while (last > range[0] && table->column[last - 1].width == 0) {
		last--;
	}
	for (unsigned i = range[0]; i < last; i++) {
		struct layout_column *column = &table->column[i];
		const char *title = i == GRADE && column->width < 5 ? "G" : column->title;
		if (column->width == 0) {
			continue;
		}
		buf_put_fill(out, ' ', first ? 0 : LAYOUT_GAP);
		first = false;
		if (i == GRADE && row != NULL) {
			output_style(fmt->out, fmt_grade_style(row->grade));
		}
		layout_put_cell(out, column,
				row != NULL ? cell_of(row, cells, begin, i) : str_of(title),
				i + 1 == last, fmt->out->width > 0);
		if (i == GRADE && row != NULL) {
			output_style(fmt->out, STYLE_NONE);
		}
	}
}

/* Text, cut to what is left of a line. */
static void put_cut(struct buf *out, struct str text, size_t columns)
{
	struct layout_column column = {.width = columns};
	layout_put_cell(out, &column, text, true, true);
}

/* Columns from the line's begin to behind column last, with the gap. */
static size_t columns_to(const struct table *table, unsigned first, unsigned last)
{
	size_t sum = 0;
	for (unsigned i = first; i <= last; i++) {
		sum += table->column[i].width > 0 ? table->column[i].width + LAYOUT_GAP : 0;
	}
	return sum;
}

/* Time, grade, user and route in full; a route that does not fit takes a line of its own. Nobody: the reason instead. */
static void put_upper(struct fmt *fmt, const struct sampled *row, const char *cells, size_t begin)
{
	const struct table *table = fmt->state;
	struct buf *out = &fmt->out->text;
	static const unsigned range[2] = {TIME, USER};
	size_t used = columns_to(table, TIME, GRADE);
	size_t left = fmt->out->width > used ? fmt->out->width - used : 1;
	struct str user = cell_of(row, cells, begin, USER);
	struct str route = cell_of(row, cells, begin, ROUTE);
	struct str reason = cell_of(row, cells, begin, REASON);
	put_columns(fmt, row, cells, begin, range);
	/* layout_put_cell pads no last cell, and the grade is one here */
	size_t grade = utf8_width(cell_of(row, cells, begin, GRADE));
	buf_put_fill(out, ' ', table->column[GRADE].width - grade + LAYOUT_GAP);
	if (row->nobody) {
		static const char known[] = "nobody known: ";
		bool room = !str_is(reason, "-") && left > sizeof(known) + LEAST_REASON;
		struct str none =
			row->grade == GRADE_PENDING ? STR_LIT("not joined yet") : STR_LIT("-");
		buf_put_text(out, room ? known : "");
		put_cut(out, room ? reason : none, room ? left - sizeof(known) + 1 : left);
		buf_put_byte(out, '\n');
		return;
	}
	size_t width = utf8_width(user);
	size_t user_width = width > table->column[USER].width ? width : table->column[USER].width;
	bool fits = user_width + LAYOUT_GAP + utf8_width(route) <= left;
	if (!fits) {
		user_width = width;
		fits = user_width + LAYOUT_GAP + utf8_width(route) <= left;
	}
	put_cut(out, user, left);
	if (fits) {
		buf_put_fill(out, ' ', user_width - width + LAYOUT_GAP);
		buf_put_str(out, route);
	} else {
		buf_put_byte(out, '\n');
		buf_put_fill(out, ' ', INDENT);
		put_cut(out, route, fmt->out->width > INDENT ? fmt->out->width - INDENT : 1);
	}
	buf_put_byte(out, '\n');
}

/* What ran and what contradicts it: "SELECT dbo.Stock, 5 rows: the context names another user than the request". */
static void put_contradiction(struct fmt *fmt, const struct sampled *row, const char *cells,
			      size_t begin)
{
	struct str table = cell_of(row, cells, begin, TABLE);
	struct str rows = cell_of(row, cells, begin, ROWS);
	struct buf line;
	buf_init(&line, 0);
	buf_put_str(&line, cell_of(row, cells, begin, VERB));
	if (!str_is(table, "-")) {
		buf_put_byte(&line, ' ');
		buf_put_str(&line, table);
	}
	if (rows.len > 0) {
		buf_put_text(&line, ", ");
		buf_put_str(&line, rows);
		buf_put_text(&line, str_is(rows, "1") ? " row" : " rows");
	}
	buf_put_text(&line, ": ");
	size_t used = utf8_width(buf_str(&line)) + INDENT;
	buf_put_str(&fmt->out->text, buf_str(&line));
	buf_done(&line);
	output_style(fmt->out, fmt_grade_style(row->grade));
	put_cut(&fmt->out->text, cell_of(row, cells, begin, REASON),
		fmt->out->width > used ? fmt->out->width - used : 1);
	output_style(fmt->out, STYLE_NONE);
}

/* What ran. A contradiction is told instead of login and statement when there is room. */
static void put_lower(struct fmt *fmt, const struct sampled *row, const char *cells, size_t begin)
{
	const struct table *table = fmt->state;
	unsigned range[2] = {table->lower, COLUMN_COUNT};
	size_t what = utf8_width(cell_of(row, cells, begin, VERB)) +
		      utf8_width(cell_of(row, cells, begin, TABLE)) +
		      utf8_width(cell_of(row, cells, begin, ROWS));
	bool room = INDENT + what + LEAST_REASON + 10 <= fmt->out->width;
	buf_put_fill(&fmt->out->text, ' ', INDENT);
	if (row->grade == GRADE_X && room && !str_is(cell_of(row, cells, begin, REASON), "-")) {
		put_contradiction(fmt, row, cells, begin);
	} else {
		put_columns(fmt, row, cells, begin, range);
	}
	buf_put_byte(&fmt->out->text, '\n');
}

static void put_row(struct fmt *fmt, const struct sampled *row, const char *cells, size_t begin)
{
	static const unsigned all[2] = {TIME, COLUMN_COUNT};
	const struct table *table = fmt->state;
	if (table->two_lines) {
		put_upper(fmt, row, cells, begin);
		put_lower(fmt, row, cells, begin);
	} else {
		put_columns(fmt, row, cells, begin, all);
		buf_put_byte(&fmt->out->text, '\n');
	}
}

static void put_titles(struct fmt *fmt)
{
	const struct table *table = fmt->state;
	struct buf *out = &fmt->out->text;
	unsigned upper[2] = {TIME, table->two_lines ? SERVER : COLUMN_COUNT};
	unsigned lower[2] = {table->lower, COLUMN_COUNT};
	output_style(fmt->out, STYLE_TITLE);
	put_columns(fmt, NULL, NULL, 0, upper);
	if (table->two_lines) {
		buf_put_byte(out, '\n');
		buf_put_fill(out, ' ', INDENT);
		put_columns(fmt, NULL, NULL, 0, lower);
	}
	output_style(fmt->out, STYLE_NONE);
	buf_put_byte(out, '\n');
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One line a row while user and route have their room and a statement can still be told; else two. */
static void decide_widths(struct fmt *fmt)
{
	struct table *table = fmt->state;
	struct layout_column *column = table->column;
	size_t width = fmt->out->width;
	for (unsigned i = USER; i <= ROUTE; i++) {
		column[i].least = smaller(column[i].wanted, NAME_COLUMNS);
	}
	size_t least = column[TIME].least + column[GRADE].least + column[USER].least +
		       column[ROUTE].least + column[TABLE].least + column[ROWS].wanted +
		       smaller(column[STATEMENT].wanted, ONE_STATEMENT) + 6 * LAYOUT_GAP;
	table->two_lines = width > 0 && (width < ONE_LINE_COLUMNS || least > width ||
					 (table->all_nobody && width < WIDE_COLUMNS));
	if (!table->two_lines) {
		size_t spare = width > least ? width - least : 0;
		size_t table_width = smaller(column[TABLE].wanted, ONE_TABLE);
		size_t grown = table_width > column[TABLE].least
				       ? smaller(table_width - column[TABLE].least, spare)
				       : 0;
		column[TABLE].least += grown;
		column[STATEMENT].least =
			smaller(ONE_STATEMENT + spare - grown, column[STATEMENT].most);
		layout_decide(column, COLUMN_COUNT, width);
		return;
	}
	column[USER].most = USER_COLUMNS;
	column[USER].least = 4;
	column[ROUTE].least = 5;
	column[STATEMENT].least = NARROW_STATEMENT;
	table->lower = column[SERVER].importance == ASKED_IMPORTANCE ? SERVER : VERB;
	layout_decide(column, SERVER, width);
	column[SERVER].width = 0;
	layout_decide(&column[table->lower], COLUMN_COUNT - table->lower,
		      width > INDENT ? width - INDENT : 1);
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
	decide_widths(fmt);
	put_titles(fmt);
	size_t begin = 0;
	for (size_t i = 0; i < table->row_count; i++) {
		put_row(fmt, &table->rows[i], table->cells.ptr, begin);
		begin = table->rows[i].cell_end[CELL_COUNT - 1];
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
	table->digits = fmt->out->width == 0 || fmt->out->width >= WIDE_COLUMNS ? 3 : 0;
	table->column[TIME].least = when_width(table->digits);
	fmt->state = table;
	return 0;
}

static int table_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	struct table *table = fmt->state;
	struct sampled row = {.grade = trail->grade,
			      .nobody = !trail->has_request && (trail->grade == GRADE_U1 ||
								trail->grade == GRADE_PENDING)};
	if (table->decided) {
		buf_clear(&table->cells);
	}
	size_t begin = table->cells.len;
	size_t cell = begin;
	for (unsigned i = 0; i < CELL_COUNT; i++) {
		put_cell_text(fmt, trail, i, &table->cells);
		row.cell_end[i] = table->cells.len;
		if (!table->decided && i < COLUMN_COUNT) {
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
	table->all_nobody = row.nobody && (table->row_count == 0 || table->all_nobody);
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
	"table",   "columns that fit the terminal, two lines a row when narrow; whole when piped",
	false,     table_begin,
	table_row, table_end,
	table_done};
