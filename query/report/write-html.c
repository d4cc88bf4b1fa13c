#include "query/report/cell.h"
#include "query/report/html-style.h"
#include "query/report/svg.h"

#include <stdlib.h>

#define LONG_BYTES  1200 /* a longer text is folded: its beginning, and the whole on demand */
#define FOLD_BYTES  600
#define LABEL_BYTES 64

struct html {
	bool in_body; /* of a table */
	struct buf text;
};

static void put(struct report_writer *writer, const char *markup)
{
	buf_put_text(&writer->out->text, markup);
}

static void put_text(struct report_writer *writer, struct str text)
{
	svg_put_escaped(&writer->out->text, text);
}

static void put_clauses(struct report_writer *writer, const struct report_head *head)
{
	if (head->clause_count == 0) {
		return;
	}
	put(writer, "<div class=\"wide\"><table class=\"clauses\"><caption>Evidence for</caption>"
		    "<thead><tr><th>Framework</th><th>Clause</th><th>In short</th></tr></thead>"
		    "<tbody>\n");
	for (size_t i = 0; i < head->clause_count; i++) {
		put(writer, "<tr><td>");
		put_text(writer, head->clauses[i].framework);
		put(writer, "</td><td>");
		put_text(writer, head->clauses[i].clause);
		put(writer, "</td><td>");
		put_text(writer, head->clauses[i].text);
		put(writer, "</td></tr>\n");
	}
	put(writer, "</tbody></table></div>\n");
}

static void put_contents(struct report_writer *writer, const struct report_head *head)
{
	if (head->content_count < 2) {
		return;
	}
	put(writer, "<nav><strong>Contents</strong><ol>\n");
	for (size_t i = 0; i < head->content_count; i++) {
		const struct report_section *section = &head->contents[i];
		bool is_sub = section->level > 1 && head->contents[0].level < section->level;
		put(writer, is_sub ? "<li class=\"sub\"><a href=\"#" : "<li><a href=\"#");
		put_text(writer, str_of(section->anchor));
		put(writer, "\">");
		put_text(writer, section->title);
		put(writer, "</a></li>\n");
	}
	put(writer, "</ol></nav>\n");
}

static int html_facts(struct report_writer *writer, const struct report_fact *facts, size_t count,
		      struct error *err)
{
	put(writer, "<dl>\n");
	for (size_t i = 0; i < count; i++) {
		put(writer, "<dt>");
		put_text(writer, str_of(facts[i].title));
		put(writer, facts[i].warns ? "</dt><dd class=\"warns\">" : "</dt><dd>");
		put_text(writer, facts[i].text);
		put(writer, "</dd>\n");
	}
	put(writer, "</dl>\n");
	output_row_done(writer->out);
	return buf_check(&writer->out->text, "the report", err);
}

static int html_begin(struct report_writer *writer, const struct report_head *head,
		      struct error *err)
{
	struct html *html = calloc(1, sizeof(*html));
	if (html == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for an HTML report");
	}
	buf_init(&html->text, 0);
	writer->state = html;
	writer->head = head;
	put(writer, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src 'unsafe-inline'; img-src data:\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"referrer\" content=\"no-referrer\">\n"
		    "<link rel=\"icon\" href=\"data:,\">\n<title>");
	put_text(writer, head->title);
	put(writer, "</title>\n<style>");
	put(writer, html_style);
	put(writer,
	    "</style></head>\n<body>\n<header><p class=\"eyebrow\">querytrail report</p><h1>");
	put_text(writer, head->title);
	put(writer, "</h1>\n<p class=\"purpose\">");
	put_text(writer, head->purpose);
	put(writer, "</p>\n");
	if (head->incomplete) {
		put(writer, "<p class=\"banner\">This report is incomplete: something that belongs "
			    "in it is missing. The marked lines below say what.</p>\n");
	}
	int rc = html_facts(writer, head->facts, head->fact_count, err);
	put_clauses(writer, head);
	put(writer, "</header>\n");
	put_contents(writer, head);
	put(writer, "<main>\n");
	return rc;
}

static int html_section(struct report_writer *writer, const struct report_section *section,
			struct error *err)
{
	put(writer, section->level <= 1 ? "<h2 class=\"report\" id=\""
		    : writer->head->content_count > 0 && writer->head->contents[0].level <= 1
			    ? "<h3 id=\""
			    : "<h2 id=\"");
	bool is_sub = section->level > 1 && writer->head->content_count > 0 &&
		      writer->head->contents[0].level <= 1;
	put_text(writer, str_of(section->anchor));
	put(writer, "\">");
	put_text(writer, section->title);
	put(writer, is_sub ? "</h3>\n" : "</h2>\n");
	if (section->text.len > 0) {
		put(writer, "<p>");
		put_text(writer, section->text);
		put(writer, "</p>\n");
	}
	output_row_done(writer->out);
	return buf_check(&writer->out->text, "the report", err);
}

static int html_chart(struct report_writer *writer, const struct report_chart *chart,
		      struct error *err)
{
	if (chart->bar_count == 0) {
		return 0;
	}
	put(writer, "<figure><figcaption>");
	put_text(writer, chart->title);
	put(writer, "</figcaption>");
	svg_put_chart(&writer->out->text, chart);
	put(writer, "</figure>\n");
	output_row_done(writer->out);
	return buf_check(&writer->out->text, "the report", err);
}

static int html_table_begin(struct report_writer *writer, const struct report_table *table,
			    struct error *err)
{
	unsigned sum = 0;
	for (size_t i = 0; i < table->column_count; i++) {
		sum += table->columns[i].weight > 0 ? table->columns[i].weight : 1;
	}
	writer->table = table;
	put(writer, "<div class=\"wide\"><table>");
	if (table->title.len > 0) {
		put(writer, "<caption>");
		put_text(writer, table->title);
		put(writer, "</caption>");
	}
	put(writer, "<colgroup>");
	for (size_t i = 0; i < table->column_count; i++) {
		unsigned weight = table->columns[i].weight > 0 ? table->columns[i].weight : 1;
		buf_putf(&writer->out->text, "<col style=\"width:%.1f%%\">",
			 100.0 * weight / (sum > 0 ? sum : 1));
	}
	put(writer, "</colgroup>\n<thead><tr>");
	for (size_t i = 0; i < table->column_count; i++) {
		put(writer, cell_is_number(table->columns[i].form) ? "<th class=\"n\">" : "<th>");
		put_text(writer, str_of(table->columns[i].title));
		put(writer, "</th>");
	}
	put(writer, "</tr></thead>\n<tbody>\n");
	return buf_check(&writer->out->text, "the report", err);
}

static const char *grade_class(struct str grade)
{
	switch (chart_grade_tone(grade)) {
	case TONE_GOOD:
		return "good";
	case TONE_DOUBT:
		return "doubt";
	case TONE_BAD:
		return "bad";
	default:
		return "silent";
	}
}

static const char *severity_class(struct str severity)
{
	if (str_is(severity, "critical") || str_is(severity, "high")) {
		return "bad";
	}
	return str_is(severity, "medium") ? "doubt" : "silent";
}

static void put_mark(struct report_writer *writer, const char *kind, const char *class,
		     struct str text)
{
	buf_putf(&writer->out->text, "<td><span class=\"%s %s\">", kind, class);
	put_text(writer, text);
	put(writer, "</span></td>");
}

/* Line breaks of a statement stay; what is invisible is shown. */
static void put_lines(struct report_writer *writer, struct str text)
{
	struct str rest = text;
	while (rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		if (rest.ptr != NULL && line.len > 0 && line.ptr[line.len - 1] == '\r') {
			line.len--;
		}
		put_text(writer, line);
		put(writer, rest.ptr != NULL ? "\n" : "");
	}
}

static void put_plain(struct report_writer *writer, struct str text)
{
	if (text.len <= LONG_BYTES) {
		put_lines(writer, text);
		return;
	}
	size_t end = FOLD_BYTES;
	while (end > 0 && ((unsigned char)text.ptr[end] & 0xc0u) == 0x80u) {
		end--;
	}
	put_lines(writer, str_slice(text, 0, end));
	buf_putf(&writer->out->text, "&#8230;<details><summary>all %zu bytes</summary>", text.len);
	put_lines(writer, text);
	put(writer, "</details>");
}

static void put_cell(struct report_writer *writer, const struct report_column *column,
		     const struct report_cell *cell)
{
	struct html *html = writer->state;
	static const char *const classes[] = {[REPORT_CODE] = "<td class=\"c\">",
					      [REPORT_NUMBER] = "<td class=\"n\">",
					      [REPORT_SHARE] = "<td class=\"n\">",
					      [REPORT_TIME] = "<td class=\"t\">",
					      [REPORT_BOOL] = "<td>"};
	if (cell->absent) {
		put(writer, cell_is_number(column->form) ? "<td class=\"n none\">&#8211;</td>"
							 : "<td class=\"none\">&#8211;</td>");
		return;
	}
	if (column->form == REPORT_GRADE) {
		put_mark(writer, "g", grade_class(cell->text), cell->text);
		return;
	}
	if (column->form == REPORT_SEVERITY) {
		put_mark(writer, "s", severity_class(cell->text), cell->text);
		return;
	}
	buf_clear(&html->text);
	cell_put(&html->text, column, cell, writer->out->zone);
	put(writer, column->form == REPORT_TEXT ? "<td>" : classes[column->form]);
	put_plain(writer, buf_str(&html->text));
	put(writer, "</td>");
}

static int html_row(struct report_writer *writer, const struct report_cell *cells,
		    struct error *err)
{
	put(writer, "<tr>");
	for (size_t i = 0; i < writer->table->column_count; i++) {
		put_cell(writer, &writer->table->columns[i], &cells[i]);
	}
	put(writer, "</tr>\n");
	output_row_done(writer->out);
	return buf_check(&writer->out->text, "the report", err);
}

static int html_table_end(struct report_writer *writer, const struct report_table_end *table_end,
			  struct error *err)
{
	put(writer, "</tbody></table></div>\n<p class=\"count\">");
	if (table_end->row_matched == 0) {
		put(writer, "No rows: nothing matched.");
	} else if (table_end->row_matched > table_end->row_count) {
		put(writer, "The first ");
		chart_put_number(&writer->out->text, (int64_t)table_end->row_count);
		put(writer, " of ");
		chart_put_number(&writer->out->text, (int64_t)table_end->row_matched);
		put(writer, " rows, as this report is defined.");
	} else {
		chart_put_number(&writer->out->text, (int64_t)table_end->row_count);
		put(writer,
		    table_end->row_count == 1 ? " row, all of them." : " rows, all of them.");
	}
	put(writer, "</p>\n");
	writer->table = NULL;
	return buf_check(&writer->out->text, "the report", err);
}

static int html_note(struct report_writer *writer, struct str text, bool warns, struct error *err)
{
	put(writer, warns ? "<p class=\"note warns\">" : "<p class=\"note\">");
	put_text(writer, text);
	put(writer, "</p>\n");
	return buf_check(&writer->out->text, "the report", err);
}

static int html_end(struct report_writer *writer, struct error *err)
{
	put(writer, "</main>\n<footer><p>Texts from logs are shown with invisible and control "
		    "characters spelled out. The same report in the format jsonl is exact and is "
		    "the one to rely on.</p></footer>\n</body></html>\n");
	return buf_check(&writer->out->text, "the report", err);
}

static void html_done(struct report_writer *writer)
{
	struct html *html = writer->state;
	if (html != NULL) {
		buf_done(&html->text);
	}
	free(html);
	writer->state = NULL;
}

const struct report_writer_type write_html = {
	.name = "html",
	.extension = ".html",
	.help = "one self-contained page, for screen and paper",
	.begin = html_begin,
	.section = html_section,
	.facts = html_facts,
	.chart = html_chart,
	.table_begin = html_table_begin,
	.row = html_row,
	.table_end = html_table_end,
	.note = html_note,
	.end = html_end,
	.done = html_done,
};
