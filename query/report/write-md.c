/* Markdown with tables (GitHub's dialect); no text becomes markup, a link or a line. */
#include "query/report/writer.h"

#include "base/utf8.h"
#include "query/report/cell.h"
#include "query/report/form.h"

#include <stdlib.h>

#define BAR_COLUMNS 30

struct md {
	struct buf cell, printable;
};

/* What each ASCII character is written as; NULL: as itself. Backslashes and pipes are written as entities, since tables are cut at pipes
 * before anything else is read. */
static const char *const escapes[128] = {
	['\\'] = "&#92;", ['|'] = "&#124;", ['`'] = "&#96;", ['<'] = "&lt;", ['>'] = "&gt;",
	['&'] = "&amp;",  ['@'] = "&#64;",  ['*'] = "\\*",   ['_'] = "\\_",  ['['] = "\\[",
	[']'] = "\\]",    ['~'] = "\\~",    ['$'] = "\\$",   ['^'] = "\\^",
};

/* Whether a bare address begins here, which some readers make a link of: its mark is written as an entity. */
static bool links(struct str text, size_t at)
{
	if (text.ptr[at] == ':') {
		return str_has_prefix(str_slice(text, at, 3), STR_LIT("://")) ||
		       (at >= 6 && str_equal_fold(str_slice(text, at - 6, 6), STR_LIT("mailto"))) ||
		       (at >= 4 && str_equal_fold(str_slice(text, at - 4, 4), STR_LIT("xmpp")));
	}
	return text.ptr[at] == '.' && at >= 3 &&
	       str_equal_fold(str_slice(text, at - 3, 3), STR_LIT("www"));
}

static bool is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c >= 128;
}

/* Whether an @ stands as in a mail address: as code it makes no link. */
static bool is_address(struct str text, size_t at)
{
	if (at == 0 || at + 1 >= text.len || text.ptr[at] != '@') {
		return false;
	}
	unsigned char before = (unsigned char)text.ptr[at - 1];
	return (is_word(before) || memchr(".+-_", before, 4) != NULL) &&
	       is_word((unsigned char)text.ptr[at + 1]);
}

/* Whether all of the text is one plain mail address, as users often are: readable as code. */
static bool is_plain_address(struct str text)
{
	size_t marks = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		marks += c == '@';
		if (c >= 128 || (!is_word(c) && memchr(".+-_@", c, 5) == NULL)) {
			return false;
		}
	}
	return marks == 1;
}

/* Whether text up to here would be the number of a list: "1." at its beginning. */
static bool numbers(struct str text, size_t at)
{
	if (at == 0 || (text.ptr[at] != '.' && text.ptr[at] != ')') ||
	    (at + 1 < text.len && text.ptr[at + 1] != ' ')) {
		return false;
	}
	for (size_t i = 0; i < at; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return false;
		}
	}
	return true;
}

/* Appends text on one line, escaped. */
static void put_text(struct report_writer *writer, struct buf *out, struct str text)
{
	struct md *md = writer->state;
	buf_clear(&md->printable);
	utf8_put_printable(&md->printable, text);
	struct str safe = buf_str(&md->printable);
	if (is_plain_address(safe)) {
		buf_putf(out, "`%.*s`", STR_ARG(safe));
		return;
	}
	for (size_t i = 0; i < safe.len; i++) {
		unsigned char c = (unsigned char)safe.ptr[i];
		const char *escape = c < 128 ? escapes[c] : NULL;
		if (is_address(safe, i)) {
			buf_put_text(out, "`@`");
		} else if (escape != NULL) {
			buf_put_text(out, escape);
		} else if (links(safe, i) || numbers(safe, i) ||
			   (i == 0 && memchr("-+=# ", c, 5) != NULL)) {
			buf_putf(out, "&#%u;", c);
		} else {
			buf_put_byte(out, c);
		}
	}
}

static void put_line(struct report_writer *writer, const char *before, struct str text,
		     const char *behind)
{
	struct buf *out = &writer->out->text;
	buf_put_text(out, before);
	put_text(writer, out, text);
	buf_put_text(out, behind);
}

/* Text of a definition: its paragraphs stay apart. */
static void put_prose(struct report_writer *writer, struct str text)
{
	while (text.ptr != NULL && text.len > 0) {
		struct str line = str_trim(str_split(&text, '\n'));
		if (line.len > 0) {
			put_line(writer, "", line, "\n");
		} else {
			buf_put_byte(&writer->out->text, '\n');
		}
	}
	buf_put_byte(&writer->out->text, '\n');
}

static void put_facts(struct report_writer *writer, const struct report_fact *facts, size_t count)
{
	struct buf *out = &writer->out->text;
	buf_put_text(out, "| | |\n|---|---|\n");
	for (size_t i = 0; i < count; i++) {
		put_line(writer, facts[i].warns ? "| **" : "| ", str_of(facts[i].title),
			 facts[i].warns ? " (warning)** | " : " | ");
		put_text(writer, out, facts[i].text);
		buf_put_text(out, " |\n");
	}
	buf_put_byte(out, '\n');
}

static void put_clauses(struct report_writer *writer, const struct report_head *head)
{
	struct buf *out = &writer->out->text;
	if (head->clause_count == 0) {
		return;
	}
	buf_put_text(out, "Evidence for:\n\n");
	for (size_t i = 0; i < head->clause_count; i++) {
		put_line(writer, "* ", head->clauses[i].framework, " ");
		put_line(writer, "", head->clauses[i].clause, ": ");
		put_line(writer, "", head->clauses[i].text, "\n");
	}
	buf_put_byte(out, '\n');
}

static int md_begin(struct report_writer *writer, const struct report_head *head, struct error *err)
{
	struct md *md = calloc(1, sizeof(*md));
	struct buf *out = &writer->out->text;
	if (md == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the format");
	}
	buf_init(&md->cell, 0);
	buf_init(&md->printable, 0);
	writer->state = md;
	put_line(writer, "# ", head->title, "\n\n");
	put_prose(writer, head->purpose);
	if (head->incomplete) {
		buf_put_text(out, "**This report is incomplete: see the warnings below.**\n\n");
	}
	put_facts(writer, head->facts, head->fact_count);
	put_clauses(writer, head);
	for (size_t i = 0; i < head->content_count; i++) {
		bool below = head->contents[i].level > head->contents[0].level;
		buf_put_text(out, below ? "    * " : "* ");
		put_line(writer, "[", head->contents[i].title, "]");
		buf_putf(out, "(#%s)\n", head->contents[i].anchor);
	}
	buf_put_text(out, head->content_count > 0 ? "\n" : "");
	return 0;
}

static int md_section(struct report_writer *writer, const struct report_section *section,
		      struct error *err)
{
	struct buf *out = &writer->out->text;
	(void)err;
	buf_putf(out, "<a id=\"%s\"></a>\n\n", section->anchor);
	put_line(writer, section->level > 1 ? "### " : "## ", section->title, "\n\n");
	if (section->text.len > 0) {
		put_prose(writer, section->text);
	}
	return 0;
}

static int md_facts(struct report_writer *writer, const struct report_fact *facts, size_t count,
		    struct error *err)
{
	(void)err;
	put_facts(writer, facts, count);
	return 0;
}

static int md_chart(struct report_writer *writer, const struct report_chart *chart,
		    struct error *err)
{
	struct buf *out = &writer->out->text;
	int64_t most = 1;
	(void)err;
	put_line(writer, "**", chart->title, "**\n\n");
	buf_put_text(out, "| | ");
	put_text(writer, out, chart->unit);
	if (chart->risk_title != NULL) {
		put_line(writer, " | ", str_of(chart->risk_title), "");
	}
	buf_put_text(out, chart->risk_title != NULL ? " | |\n|---|---:|---:|---|\n"
						    : " | |\n|---|---:|---|\n");
	for (size_t i = 0; i < chart->bar_count; i++) {
		most = chart->bars[i].value > most ? chart->bars[i].value : most;
	}
	for (size_t i = 0; i < chart->bar_count; i++) {
		const struct report_bar *bar = &chart->bars[i];
		put_line(writer, "| ", bar->label, " | ");
		buf_put_i64(out, bar->value);
		if (chart->risk_title != NULL) {
			buf_putf(out, " | %lld", (long long)bar->part_risk);
		}
		buf_put_text(out, " | ");
		int64_t columns = (bar->value * BAR_COLUMNS + most - 1) / most;
		for (int64_t k = 0; k < columns; k++) {
			buf_put_text(out, "\xe2\x96\x88"); /* a full block */
		}
		buf_put_text(out, " |\n");
	}
	buf_put_byte(out, '\n');
	output_row_done(writer->out);
	return 0;
}

static bool is_right(enum report_form form)
{
	return form == REPORT_NUMBER || form == REPORT_SHARE;
}

static int md_table_begin(struct report_writer *writer, const struct report_table *table,
			  struct error *err)
{
	struct buf *out = &writer->out->text;
	(void)err;
	writer->table = table;
	for (size_t i = 0; i < table->column_count; i++) {
		put_line(writer, "| ", str_of(table->columns[i].title), " ");
	}
	buf_put_text(out, "|\n");
	for (size_t i = 0; i < table->column_count; i++) {
		buf_put_text(out, is_right(table->columns[i].form) ? "|---:" : "|---");
	}
	buf_put_text(out, "|\n");
	return 0;
}

static int md_row(struct report_writer *writer, const struct report_cell *cells, struct error *err)
{
	struct md *md = writer->state;
	struct buf *out = &writer->out->text;
	(void)err;
	for (size_t i = 0; i < writer->table->column_count; i++) {
		enum report_form form = writer->table->columns[i].form;
		buf_clear(&md->cell);
		cell_put(&md->cell, &writer->table->columns[i], &cells[i], writer->out->zone);
		buf_put_text(out, "| ");
		if (report_form_is_text(form)) {
			put_text(writer, out, buf_str(&md->cell));
		} else {
			buf_put_str(out, buf_str(&md->cell));
		}
		buf_put_byte(out, ' ');
	}
	buf_put_text(out, "|\n");
	output_row_done(writer->out);
	return 0;
}

static int md_table_end(struct report_writer *writer, const struct report_table_end *table_end,
			struct error *err)
{
	struct buf *out = &writer->out->text;
	(void)err;
	buf_put_byte(out, '\n');
	if (table_end->row_count < table_end->row_matched) {
		buf_putf(out, "*The first %llu of %llu rows, as the report's definition says.*\n\n",
			 (unsigned long long)table_end->row_count,
			 (unsigned long long)table_end->row_matched);
	} else {
		buf_putf(out, "*%llu %s.*\n\n", (unsigned long long)table_end->row_count,
			 table_end->row_count == 1 ? "row" : "rows");
	}
	return 0;
}

static int md_note(struct report_writer *writer, struct str text, bool warns, struct error *err)
{
	(void)err;
	put_line(writer, warns ? "**Warning:** " : "", text, "\n\n");
	return 0;
}

static int md_end(struct report_writer *writer, struct error *err)
{
	(void)err;
	buf_put_text(&writer->out->text, "---\n\nEnd of the report.\n");
	return 0;
}

static void md_done(struct report_writer *writer)
{
	struct md *md = writer->state;
	if (md != NULL) {
		buf_done(&md->cell);
		buf_done(&md->printable);
		free(md);
	}
	writer->state = NULL;
}

const struct report_writer_type write_md = {
	.name = "md",
	.extension = ".md",
	.help = "Markdown with tables",
	.begin = md_begin,
	.section = md_section,
	.facts = md_facts,
	.chart = md_chart,
	.table_begin = md_table_begin,
	.row = md_row,
	.table_end = md_table_end,
	.note = md_note,
	.end = md_end,
	.done = md_done,
};
