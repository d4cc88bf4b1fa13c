/* One JSON object a line, exact: the authority among the formats. */
#include "query/report/writer.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/utf8.h"

#include <stdlib.h>

struct jsonl {
	uint64_t row_count, table_count;
};

static struct buf *out_of(struct report_writer *writer)
{
	return &writer->out->text;
}

/* Bytes that are no text stay exact as base64. */
static void put_text(struct buf *out, struct str text)
{
	if (utf8_invalid(text) < 0) {
		json_put_string(out, text);
		return;
	}
	buf_put_text(out, "{\"base64\":\"");
	parse_put_base64(out, text);
	buf_put_text(out, "\"}");
}

static bool begin_record(struct report_writer *writer, const char *kind)
{
	bool first = true;
	buf_put_byte(out_of(writer), '{');
	json_put_key(out_of(writer), &first, "record");
	json_put_string(out_of(writer), str_of(kind));
	return first;
}

static void end_record(struct report_writer *writer)
{
	buf_put_text(out_of(writer), "}\n");
	output_row_done(writer->out);
}

static void put_pair(struct buf *out, bool *first, const char *key, struct str text)
{
	json_put_key(out, first, key);
	put_text(out, text);
}

static void put_count(struct buf *out, bool *first, const char *key, uint64_t number)
{
	json_put_key(out, first, key);
	buf_put_u64(out, number);
}

static void put_flag(struct buf *out, bool *first, const char *key, bool value)
{
	json_put_key(out, first, key);
	buf_put_text(out, value ? "true" : "false");
}

static void put_fact_list(struct buf *out, const struct report_fact *facts, size_t count)
{
	buf_put_byte(out, '[');
	for (size_t i = 0; i < count; i++) {
		bool first = true;
		buf_put_text(out, i > 0 ? ",{" : "{");
		put_pair(out, &first, "name", str_of(facts[i].name));
		put_pair(out, &first, "title", str_of(facts[i].title));
		put_pair(out, &first, "text", facts[i].text);
		put_flag(out, &first, "warns", facts[i].warns);
		buf_put_byte(out, '}');
	}
	buf_put_byte(out, ']');
}

static int jsonl_begin(struct report_writer *writer, const struct report_head *head,
		       struct error *err)
{
	struct buf *out = out_of(writer);
	writer->state = calloc(1, sizeof(struct jsonl));
	if (writer->state == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the format");
	}
	bool first = begin_record(writer, "head");
	put_count(out, &first, "version", 1);
	put_pair(out, &first, "report", head->name);
	put_pair(out, &first, "title", head->title);
	put_pair(out, &first, "purpose", head->purpose);
	put_flag(out, &first, "complete", !head->incomplete);
	put_pair(out, &first, "zone", str_of(head->zone_name));
	json_put_key(out, &first, "clauses");
	buf_put_byte(out, '[');
	for (size_t i = 0; i < head->clause_count; i++) {
		bool inner = true;
		buf_put_text(out, i > 0 ? ",{" : "{");
		put_pair(out, &inner, "framework", head->clauses[i].framework);
		put_pair(out, &inner, "clause", head->clauses[i].clause);
		put_pair(out, &inner, "text", head->clauses[i].text);
		buf_put_byte(out, '}');
	}
	buf_put_byte(out, ']');
	json_put_key(out, &first, "facts");
	put_fact_list(out, head->facts, head->fact_count);
	end_record(writer);
	return 0;
}

static int jsonl_section(struct report_writer *writer, const struct report_section *section,
			 struct error *err)
{
	struct buf *out = out_of(writer);
	bool first = begin_record(writer, "section");
	(void)err;
	put_pair(out, &first, "anchor", str_of(section->anchor));
	put_count(out, &first, "level", section->level);
	put_pair(out, &first, "title", section->title);
	put_pair(out, &first, "text", section->text);
	end_record(writer);
	return 0;
}

static int jsonl_facts(struct report_writer *writer, const struct report_fact *facts, size_t count,
		       struct error *err)
{
	bool first = begin_record(writer, "facts");
	(void)err;
	json_put_key(out_of(writer), &first, "facts");
	put_fact_list(out_of(writer), facts, count);
	end_record(writer);
	return 0;
}

static int jsonl_chart(struct report_writer *writer, const struct report_chart *chart,
		       struct error *err)
{
	static const char *const kinds[] = {"bars", "timeline", "stack"};
	struct buf *out = out_of(writer);
	bool first = begin_record(writer, "chart");
	(void)err;
	put_pair(out, &first, "kind", str_of(kinds[chart->kind]));
	put_pair(out, &first, "title", chart->title);
	put_pair(out, &first, "unit", chart->unit);
	if (chart->risk_title != NULL) {
		put_pair(out, &first, "risk", str_of(chart->risk_title));
	}
	json_put_key(out, &first, "bars");
	buf_put_byte(out, '[');
	for (size_t i = 0; i < chart->bar_count; i++) {
		bool inner = true;
		buf_put_text(out, i > 0 ? ",{" : "{");
		put_pair(out, &inner, "label", chart->bars[i].label);
		put_count(out, &inner, "value", (uint64_t)chart->bars[i].value);
		if (chart->risk_title != NULL) {
			put_count(out, &inner, "risk", (uint64_t)chart->bars[i].part_risk);
		}
		buf_put_byte(out, '}');
	}
	buf_put_byte(out, ']');
	end_record(writer);
	return 0;
}

static const char *type_word(enum report_form form)
{
	static const char *const words[] = {
		[REPORT_TEXT] = "text",   [REPORT_CODE] = "text",     [REPORT_NUMBER] = "integer",
		[REPORT_SHARE] = "share", [REPORT_TIME] = "time",     [REPORT_GRADE] = "text",
		[REPORT_BOOL] = "bool",   [REPORT_SEVERITY] = "text",
	};
	return words[form];
}

static int jsonl_table_begin(struct report_writer *writer, const struct report_table *table,
			     struct error *err)
{
	struct jsonl *jsonl = writer->state;
	struct buf *out = out_of(writer);
	bool first = begin_record(writer, "table");
	(void)err;
	writer->table = table;
	jsonl->table_count++;
	put_pair(out, &first, "table", str_of(table->name));
	put_pair(out, &first, "title", table->title);
	json_put_key(out, &first, "columns");
	buf_put_byte(out, '[');
	for (size_t i = 0; i < table->column_count; i++) {
		bool inner = true;
		buf_put_text(out, i > 0 ? ",{" : "{");
		put_pair(out, &inner, "name", str_of(table->columns[i].name));
		put_pair(out, &inner, "title", str_of(table->columns[i].title));
		put_pair(out, &inner, "type", str_of(type_word(table->columns[i].form)));
		buf_put_byte(out, '}');
	}
	buf_put_byte(out, ']');
	end_record(writer);
	return 0;
}

static void put_cell(struct buf *out, enum report_form form, const struct report_cell *cell)
{
	if (cell->absent) {
		buf_put_text(out, "null");
		return;
	}
	switch (form) {
	case REPORT_TEXT:
	case REPORT_CODE:
	case REPORT_GRADE:
	case REPORT_SEVERITY:
		put_text(out, cell->text);
		return;
	case REPORT_NUMBER:
		buf_put_i64(out, cell->number);
		return;
	case REPORT_SHARE:
		buf_putf(out, "%lld.%03lld", (long long)(cell->number / 1000),
			 (long long)(cell->number % 1000));
		return;
	case REPORT_TIME:
		buf_put_byte(out, '"');
		clock_put_rfc3339(out, cell->number, 9);
		buf_put_byte(out, '"');
		return;
	case REPORT_BOOL:
		buf_put_text(out, cell->number != 0 ? "true" : "false");
		return;
	}
}

static int jsonl_row(struct report_writer *writer, const struct report_cell *cells,
		     struct error *err)
{
	struct jsonl *jsonl = writer->state;
	struct buf *out = out_of(writer);
	const struct report_table *table = writer->table;
	bool first = begin_record(writer, "row");
	(void)err;
	jsonl->row_count++;
	put_pair(out, &first, "table", str_of(table->name));
	json_put_key(out, &first, "cells");
	buf_put_byte(out, '{');
	bool inner = true;
	for (size_t i = 0; i < table->column_count; i++) {
		json_put_key(out, &inner, table->columns[i].name);
		put_cell(out, table->columns[i].form, &cells[i]);
	}
	buf_put_byte(out, '}');
	end_record(writer);
	return 0;
}

static int jsonl_table_end(struct report_writer *writer, const struct report_table_end *table_end,
			   struct error *err)
{
	struct buf *out = out_of(writer);
	bool first = begin_record(writer, "table_end");
	(void)err;
	put_pair(out, &first, "table", str_of(writer->table->name));
	put_count(out, &first, "returned", table_end->row_count);
	put_count(out, &first, "matched", table_end->row_matched);
	end_record(writer);
	return 0;
}

static int jsonl_note(struct report_writer *writer, struct str text, bool warns, struct error *err)
{
	bool first = begin_record(writer, "note");
	(void)err;
	put_pair(out_of(writer), &first, "text", text);
	put_flag(out_of(writer), &first, "warns", warns);
	end_record(writer);
	return 0;
}

static int jsonl_end(struct report_writer *writer, struct error *err)
{
	const struct jsonl *jsonl = writer->state;
	bool first = begin_record(writer, "end");
	(void)err;
	put_count(out_of(writer), &first, "tables", jsonl->table_count);
	put_count(out_of(writer), &first, "rows", jsonl->row_count);
	end_record(writer);
	return 0;
}

static void jsonl_done(struct report_writer *writer)
{
	free(writer->state);
	writer->state = NULL;
}

const struct report_writer_type write_jsonl = {
	.name = "jsonl",
	.extension = ".jsonl",
	.help = "one JSON object a line, exact: the authority among the formats",
	.begin = jsonl_begin,
	.section = jsonl_section,
	.facts = jsonl_facts,
	.chart = jsonl_chart,
	.table_begin = jsonl_table_begin,
	.row = jsonl_row,
	.table_end = jsonl_table_end,
	.note = jsonl_note,
	.end = jsonl_end,
	.done = jsonl_done,
};
