#include "query/column-sizes.h"

#include "base/json.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "query/command.h"
#include "query/layout.h"
#include "query/store-sizes.h"
#include "query/wrap.h"
#include "store/sizes.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_BYTES     160
#define SHARE_LEAST    0.001 /* of the bytes; smaller columns are one line of the table */
#define BITS_PER_BYTE  8.0
#define FLOOR_DIGITS_0 0.005 /* would be shown as 0.00 */

struct line {
	char column[NAME_BYTES], given[NAME_BYTES];
	uint8_t kind;
	uint64_t values, stored, text, columns; /* columns: how many are taken together */
	double floor;                           /* bytes */
};

struct sizes_table {
	struct session *session;
	struct line *lines;
	size_t count, shown;
	struct line all;
	struct store_measured measured;
};

enum { NAME, BYTES, SHARE, EACH, TEXT, FLOOR, OVER, GIVEN, COLUMN_COUNT };

static const struct layout_column template[COLUMN_COUNT] = {
	[NAME] = {"COLUMN", 0, 27, 44, false, 0, 0}, [BYTES] = {"BYTES", 4, 5, 0, true, 0, 0},
	[SHARE] = {"SHARE", 5, 5, 0, true, 0, 0},    [EACH] = {"B/RECORD", 7, 8, 0, true, 0, 0},
	[TEXT] = {"AS TEXT", 3, 7, 0, true, 0, 0},   [FLOOR] = {"FLOOR", 8, 5, 0, true, 0, 0},
	[OVER] = {"OVER", 6, 4, 0, true, 0, 0},      [GIVEN] = {"GIVEN", 1, 12, 0, false, 0, 0},
};

static struct line *line_of(struct sizes_table *table, const struct block_measured *measured)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->lines[i].column, measured->column) == 0) {
			return &table->lines[i];
		}
	}
	if (table->count == COLUMN_SIZES_MAX) {
		return &table->lines[COLUMN_SIZES_MAX - 1];
	}
	struct line *line = &table->lines[table->count++];
	bool is_last = table->count == COLUMN_SIZES_MAX;
	(void)snprintf(line->column, NAME_BYTES, "%s",
		       is_last ? "others" : measured->column);                         /* fits */
	(void)snprintf(line->given, NAME_BYTES, "%s", is_last ? "" : measured->given); /* fits */
	line->kind = is_last ? 0 : measured->kind;
	line->columns = 1;
	return line;
}

static void add(struct line *line, uint64_t stored, uint64_t text, double floor)
{
	line->stored += stored;
	line->text += text;
	line->floor += floor;
}

static void take(void *owner, const struct block_measured *measured)
{
	struct sizes_table *table = owner;
	struct line *line = line_of(table, measured);
	double floor = measured->floor_bits / BITS_PER_BYTE;
	line->values += measured->value_count;
	add(line, measured->stored_bytes, measured->text_bytes, floor);
	add(&table->all, measured->stored_bytes, measured->text_bytes, floor);
}

static int larger_first(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	if (a->stored != b->stored) {
		return a->stored < b->stored ? 1 : -1;
	}
	return strcmp(a->column, b->column);
}

/* Records that a column is of. */
static uint64_t records_of(const struct sizes_table *table, const struct line *line)
{
	return line->kind == 0 ? table->measured.rows : table->measured.of_kind[line->kind];
}

static uint64_t events_of(const struct sizes_table *table)
{
	return table->measured.of_kind[RECORD_REQUEST] + table->measured.of_kind[RECORD_STATEMENT];
}

static void put_over(struct buf *out, const struct line *line, double records)
{
	if (line->floor / records < FLOOR_DIGITS_0) {
		buf_put_byte(out, '-');
	} else {
		buf_putf(out, "%.0f %%", ((double)line->stored / line->floor - 1) * 100);
	}
}

static void put_cell(const struct sizes_table *table, const struct line *line, unsigned column,
		     struct buf *out)
{
	double records = (double)(line == &table->all ? events_of(table) : records_of(table, line));
	records = records > 0 ? records : 1;
	switch (column) {
	case NAME:
		utf8_put_printable(out, str_of(line->column));
		return;
	case BYTES:
		buf_put_u64(out, line->stored);
		return;
	case SHARE:
		buf_putf(out, "%.1f %%",
			 table->all.stored > 0
				 ? 100 * (double)line->stored / (double)table->all.stored
				 : 0);
		return;
	case EACH:
		buf_putf(out, "%.2f", (double)line->stored / records);
		return;
	case TEXT:
		if (line->text > 0) {
			buf_putf(out, "%.1f", (double)line->text / records);
		} else {
			buf_put_byte(out, '-');
		}
		return;
	case FLOOR:
		buf_putf(out, "%.2f", line->floor / records);
		return;
	case OVER:
		put_over(out, line, records);
		return;
	case GIVEN:
		utf8_put_printable(out, str_of(line->given[0] != '\0' ? line->given : "-"));
		return;
	default:
		return;
	}
}

static void put_line(struct sizes_table *table, const struct layout_column *columns,
		     const struct line *line)
{
	struct output *out = &table->session->out;
	struct buf cell;
	bool first = true;
	buf_init(&cell, 4096);
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width == 0) {
			continue;
		}
		buf_clear(&cell);
		if (line != NULL) {
			put_cell(table, line, i, &cell);
		} else {
			buf_put_text(&cell, columns[i].title);
		}
		buf_put_text(&out->text, first ? "" : "  ");
		first = false;
		layout_put_cell(&out->text, &columns[i], buf_str(&cell), i == GIVEN,
				out->width > 0);
	}
	buf_put_byte(&out->text, '\n');
	buf_done(&cell);
}

/* Small columns become one line behind the others. */
static void fold_small(struct sizes_table *table)
{
	const char *limit = session_option(table->session, OPTION_LIMIT);
	uint64_t most = UINT64_MAX;
	struct line *rest;
	(void)(limit == NULL || parse_u64(str_of(limit), &most)); /* checked before */
	table->shown = 0;
	while (table->shown < table->count &&
	       (limit != NULL ? table->shown < most
			      : (double)table->lines[table->shown].stored >=
					SHARE_LEAST * (double)table->all.stored)) {
		table->shown++;
	}
	if (table->count - table->shown < 2) {
		table->shown = table->count;
		return;
	}
	rest = &table->lines[table->shown];
	for (size_t i = table->shown + 1; i < table->count; i++) {
		add(rest, table->lines[i].stored, table->lines[i].text, table->lines[i].floor);
	}
	rest->kind = 0;
	rest->given[0] = '\0';
	(void)snprintf(rest->column, NAME_BYTES, "%zu others",
		       table->count - table->shown); /* fits */
	table->shown++;
}

static void put_notes(struct sizes_table *table)
{
	struct output *out = &table->session->out;
	const struct store_measured *measured = &table->measured;
	struct buf text;
	buf_init(&text, 4096);
	buf_putf(&text, "%llu of %llu blocks were measured: %llu records, ",
		 (unsigned long long)measured->block_count, (unsigned long long)measured->all_count,
		 (unsigned long long)measured->rows);
	sizes_put(&text, measured->block_bytes);
	buf_put_text(&text, ". FLOOR is what the values need by how often they come, given what "
			    "stands under GIVEN, in bytes a record (in the last line: an event). "
			    "docs/format.md section 9.11 says how it is estimated.");
	buf_put_byte(&out->text, '\n');
	wrap_put_behind(out, 0, 0, buf_str(&text));
	buf_done(&text);
}

static void put_table(struct sizes_table *table)
{
	struct layout_column columns[COLUMN_COUNT];
	struct output *out = &table->session->out;
	struct buf cell;
	fold_small(table);
	memcpy(columns, template, sizeof(template));
	layout_begin(columns, COLUMN_COUNT);
	buf_init(&cell, 4096);
	for (size_t i = 0; i <= table->shown; i++) {
		const struct line *line = i < table->shown ? &table->lines[i] : &table->all;
		for (unsigned c = 0; c < COLUMN_COUNT; c++) {
			buf_clear(&cell);
			put_cell(table, line, c, &cell);
			layout_see(&columns[c], utf8_width(buf_str(&cell)));
		}
	}
	buf_done(&cell);
	layout_decide(columns, COLUMN_COUNT, out->width);
	output_style(out, STYLE_TITLE);
	put_line(table, columns, NULL);
	output_style(out, STYLE_NONE);
	for (size_t i = 0; i < table->shown; i++) {
		put_line(table, columns, &table->lines[i]);
	}
	put_line(table, columns, &table->all);
	put_notes(table);
}

static void put_json_line(const struct sizes_table *table, const struct line *line, struct buf *out)
{
	bool first = true;
	buf_put_byte(out, '{');
	json_put_key(out, &first, "column");
	json_put_string(out, str_of(line->column));
	json_put_key(out, &first, "given");
	json_put_string(out, str_of(line->given));
	json_put_key(out, &first, "records");
	buf_put_u64(out, records_of(table, line));
	json_put_key(out, &first, "values");
	buf_put_u64(out, line->values);
	json_put_key(out, &first, "bytes");
	buf_put_u64(out, line->stored);
	json_put_key(out, &first, "text_bytes");
	buf_put_u64(out, line->text);
	json_put_key(out, &first, "floor_bytes");
	buf_putf(out, "%.1f", line->floor);
	buf_put_byte(out, '}');
}

static void put_json(const struct sizes_table *table, struct buf *out)
{
	const struct store_measured *measured = &table->measured;
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"blocks", measured->all_count},
		{"measured_blocks", measured->block_count},
		{"measured_records", measured->rows},
		{"measured_requests", measured->of_kind[RECORD_REQUEST]},
		{"measured_statements", measured->of_kind[RECORD_STATEMENT]},
		{"measured_bytes", measured->block_bytes},
		{"column_bytes", table->all.stored},
	};
	bool first = true;
	buf_put_byte(out, '{');
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_put_key(out, &first, numbers[i].name);
		buf_put_u64(out, numbers[i].value);
	}
	json_put_key(out, &first, "floor_bytes");
	buf_putf(out, "%.1f", table->all.floor);
	json_put_key(out, &first, "columns");
	buf_put_byte(out, '[');
	for (size_t i = 0; i < table->count; i++) {
		buf_put_text(out, i > 0 ? "," : "");
		put_json_line(table, &table->lines[i], out);
	}
	buf_put_text(out, "]}\n");
}

int column_sizes_show(struct session *session, bool json, struct error *err)
{
	struct sizes_table table = {.session = session, .all = {.column = "all, per event"}};
	const struct store_measure options = {COLUMN_SIZES_ROWS, take, &table};
	const char *limit = session_option(session, OPTION_LIMIT);
	uint64_t most;
	if (limit != NULL && !parse_u64(str_of(limit), &most)) {
		return error_set(err, ERR_USAGE, "--limit %s is no number", limit);
	}
	table.lines = calloc(COLUMN_SIZES_MAX, sizeof(table.lines[0]));
	if (table.lines == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the columns");
	}
	int result = store_measure(session->store, &options, &table.measured, err);
	if (result == 0) {
		qsort(table.lines, table.count, sizeof(table.lines[0]), larger_first);
	}
	if (result == 0 && json) {
		put_json(&table, &session->out.text);
	} else if (result == 0 && table.measured.block_count == 0) {
		buf_put_text(&session->out.text, "Nothing is sealed yet: there are no blocks.\n");
	} else if (result == 0) {
		put_table(&table);
	}
	if (result == 0 && table.measured.damage.code != 0) {
		buf_putf(&session->err.text, "left out: %s\n", table.measured.damage.text);
	}
	free(table.lines);
	return result != 0                       ? result
	       : table.measured.damage.code != 0 ? EXIT_INCOMPLETE
	       : table.measured.block_count == 0 ? EXIT_NONE
						 : EXIT_FOUND;
}
