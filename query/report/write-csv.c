/* All of a report as lines of CSV whose first cell says what the line is, or one table alone. */
#include "query/report/writer.h"

#include "base/clock.h"
#include "query/csv-cell.h"
#include "query/report/form.h"

#include <stdlib.h>

struct csv {
	struct buf cell;
	struct buf defanged; /* names of the row's cells that were changed */
	bool first;          /* of its line */
	uint64_t row_count;
};

static void put_text(struct report_writer *writer, struct str text)
{
	struct csv *csv = writer->state;
	buf_clear(&csv->cell);
	(void)csv_cell_defuse(text, writer->out->is_terminal, &csv->cell); /* no row: not marked */
	csv_cell_put(&writer->out->text, buf_str(&csv->cell), csv->first);
	csv->first = false;
}

static void put_number(struct report_writer *writer, uint64_t number)
{
	struct csv *csv = writer->state;
	buf_put_text(&writer->out->text, csv->first ? "" : ",");
	buf_put_u64(&writer->out->text, number);
	csv->first = false;
}

static void begin_line(struct report_writer *writer, const char *kind)
{
	struct csv *csv = writer->state;
	csv->first = true;
	if (kind != NULL) {
		put_text(writer, str_of(kind));
	}
}

static void end_line(struct report_writer *writer)
{
	buf_put_text(&writer->out->text, "\r\n");
	output_row_done(writer->out);
}

static void put_facts(struct report_writer *writer, const struct report_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		begin_line(writer, "fact");
		put_text(writer, str_of(facts[i].name));
		put_text(writer, str_of(facts[i].title));
		put_text(writer, facts[i].text);
		put_text(writer, str_of(facts[i].warns ? "warning" : ""));
		end_line(writer);
	}
}

static int csv_begin(struct report_writer *writer, const struct report_head *head,
		     struct error *err)
{
	struct csv *csv = calloc(1, sizeof(*csv));
	if (csv == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the format");
	}
	buf_init(&csv->cell, 0);
	buf_init(&csv->defanged, 0);
	writer->state = csv;
	if (writer->alone) {
		return 0;
	}
	begin_line(writer, "report");
	put_text(writer, head->name);
	put_text(writer, head->title);
	put_text(writer, head->purpose);
	put_text(writer, str_of(head->incomplete ? "incomplete" : "complete"));
	end_line(writer);
	for (size_t i = 0; i < head->clause_count; i++) {
		begin_line(writer, "clause");
		put_text(writer, head->clauses[i].framework);
		put_text(writer, head->clauses[i].clause);
		put_text(writer, head->clauses[i].text);
		end_line(writer);
	}
	put_facts(writer, head->facts, head->fact_count);
	return 0;
}

static int csv_section(struct report_writer *writer, const struct report_section *section,
		       struct error *err)
{
	(void)err;
	if (!writer->alone) {
		begin_line(writer, "section");
		put_text(writer, str_of(section->anchor));
		put_number(writer, section->level);
		put_text(writer, section->title);
		put_text(writer, section->text);
		end_line(writer);
	}
	return 0;
}

static int csv_facts(struct report_writer *writer, const struct report_fact *facts, size_t count,
		     struct error *err)
{
	(void)err;
	if (!writer->alone) {
		put_facts(writer, facts, count);
	}
	return 0;
}

static int csv_chart(struct report_writer *writer, const struct report_chart *chart,
		     struct error *err)
{
	static const char *const kinds[] = {"bars", "timeline", "stack"};
	(void)err;
	if (writer->alone) {
		return 0;
	}
	begin_line(writer, "chart");
	put_text(writer, str_of(kinds[chart->kind]));
	put_text(writer, chart->title);
	put_text(writer, chart->unit);
	put_text(writer, str_of(chart->risk_title));
	end_line(writer);
	for (size_t i = 0; i < chart->bar_count; i++) {
		begin_line(writer, "bar");
		put_text(writer, chart->bars[i].label);
		put_number(writer, (uint64_t)chart->bars[i].value);
		put_number(writer, (uint64_t)chart->bars[i].part_risk);
		end_line(writer);
	}
	return 0;
}

static int csv_table_begin(struct report_writer *writer, const struct report_table *table,
			   struct error *err)
{
	(void)err;
	writer->table = table;
	begin_line(writer, writer->alone ? NULL : "columns");
	if (!writer->alone) {
		put_text(writer, str_of(table->name));
	}
	for (size_t i = 0; i < table->column_count; i++) {
		put_text(writer, str_of(table->columns[i].name));
	}
	put_text(writer, STR_LIT("defanged"));
	end_line(writer);
	return 0;
}

static void put_value(struct report_writer *writer, const struct report_column *column,
		      const struct report_cell *value)
{
	struct csv *csv = writer->state;
	struct buf *cell = &csv->cell;
	bool changed = false;
	buf_clear(cell);
	if (value->absent) {
		csv_cell_put(&writer->out->text, buf_str(cell), csv->first);
		csv->first = false;
		return;
	}
	switch (column->form) {
	case REPORT_TEXT:
	case REPORT_CODE:
	case REPORT_GRADE:
	case REPORT_SEVERITY:
		changed = csv_cell_defuse(value->text, writer->out->is_terminal, cell);
		break;
	case REPORT_NUMBER:
		buf_put_i64(cell, value->number); /* -5 is a number and no formula */
		break;
	case REPORT_SHARE:
		buf_putf(cell, "%lld.%03lld", (long long)(value->number / 1000),
			 (long long)(value->number % 1000));
		break;
	case REPORT_TIME:
		clock_put_rfc3339(cell, value->number, 9);
		break;
	case REPORT_BOOL:
		buf_put_text(cell, value->number != 0 ? "true" : "false");
		break;
	}
	if (changed) {
		buf_put_text(&csv->defanged, csv->defanged.len > 0 ? " " : "");
		buf_put_text(&csv->defanged, column->name);
	}
	csv_cell_put(&writer->out->text, buf_str(cell), csv->first);
	csv->first = false;
}

static int csv_row(struct report_writer *writer, const struct report_cell *cells, struct error *err)
{
	struct csv *csv = writer->state;
	(void)err;
	buf_clear(&csv->defanged);
	begin_line(writer, writer->alone ? NULL : "row");
	if (!writer->alone) {
		put_text(writer, str_of(writer->table->name));
	}
	for (size_t i = 0; i < writer->table->column_count; i++) {
		put_value(writer, &writer->table->columns[i], &cells[i]);
	}
	csv_cell_put(&writer->out->text, buf_str(&csv->defanged), csv->first);
	csv->row_count++;
	end_line(writer);
	return 0;
}

static int csv_table_end(struct report_writer *writer, const struct report_table_end *table_end,
			 struct error *err)
{
	(void)err;
	if (!writer->alone) {
		begin_line(writer, "total");
		put_text(writer, str_of(writer->table->name));
		put_number(writer, table_end->row_count);
		put_number(writer, table_end->row_matched);
		end_line(writer);
	}
	return 0;
}

static int csv_note(struct report_writer *writer, struct str text, bool warns, struct error *err)
{
	(void)err;
	if (!writer->alone) {
		begin_line(writer, "note");
		put_text(writer, str_of(warns ? "warning" : ""));
		put_text(writer, text);
		end_line(writer);
	}
	return 0;
}

static int csv_end(struct report_writer *writer, struct error *err)
{
	struct csv *csv = writer->state;
	(void)err;
	if (!writer->alone) {
		begin_line(writer, "end");
		put_number(writer, csv->row_count);
		end_line(writer);
	}
	return 0;
}

static void csv_done(struct report_writer *writer)
{
	struct csv *csv = writer->state;
	if (csv != NULL) {
		buf_done(&csv->cell);
		buf_done(&csv->defanged);
		free(csv);
	}
	writer->state = NULL;
}

const struct report_writer_type write_csv = {
	.name = "csv",
	.extension = ".csv",
	.help = "RFC 4180; cells that could act begin with ' and are named in `defanged`",
	.begin = csv_begin,
	.section = csv_section,
	.facts = csv_facts,
	.chart = csv_chart,
	.table_begin = csv_table_begin,
	.row = csv_row,
	.table_end = csv_table_end,
	.note = csv_note,
	.end = csv_end,
	.done = csv_done,
};
