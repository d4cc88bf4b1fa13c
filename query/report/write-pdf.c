#include "query/report/cell.h"
#include "query/report/chart.h"
#include "query/report/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ROW_SIZE      7.6
#define ROW_LEADING   9.8
#define HEAD_SIZE     7.6
#define CELL_GAP      5.0
#define ROW_PAD       2.4
#define CELL_LINES    6  /* of a narrow cell; the jsonl has the whole */
#define WIDE_LINES    14 /* of a text that has a line of its own */
#define WIDE_COLUMNS  6  /* a table of this many columns gives its longest text a line of its own */
#define TITLE_LINES   4
#define PIECE_BYTES   4096
#define NO_COLUMN     SIZE_MAX
#define CONTENTS_MAX  256
#define PDF_MAX_BYTES (1u << 30)
#define TITLE_BYTES   512
#define ELLIPSIS      "\xe2\x80\xa6"

struct entry {       /* of the table of contents */
	size_t page; /* where the line of the contents stands */
	double y;
	size_t target; /* SIZE_MAX: the section did not come */
	double x, width;
	struct pdf_style style;
};

struct sheet {
	struct pdf *pdf;
	struct page page;
	struct buf text, safe;
	struct entry entry[CONTENTS_MAX];
	size_t entry_count, section_count;
	/* the open table */
	double x[REPORT_COLUMNS_MAX], width[REPORT_COLUMNS_MAX];
	size_t wide; /* the column with a line of its own, or NO_COLUMN */
	bool striped;
};

static const struct pdf_style row_sans = {.font = PDF_SANS, .size = ROW_SIZE};
static const struct pdf_style row_bold = {.font = PDF_BOLD, .size = HEAD_SIZE};
static const struct pdf_style row_mono = {.font = PDF_MONO, .size = ROW_SIZE - 0.6};

static void put_plain(struct sheet *sheet, enum pdf_font font, double size, struct str text)
{
	struct page_text how = {
		.font = font, .size = size, .x = PAGE_LEFT, .width = PAGE_WIDTH, .rgb = PAGE_INK};
	page_put(&sheet->page, &how, text);
}

static void put_title(struct sheet *sheet, double size, struct str title)
{
	struct page_text how = {.font = PDF_BOLD,
				.size = size,
				.x = PAGE_LEFT,
				.width = PAGE_WIDTH,
				.rgb = PAGE_INK,
				.max_lines = TITLE_LINES};
	page_put(&sheet->page, &how, title);
}

static void put_clauses(struct sheet *sheet, const struct report_head *head)
{
	if (head->clause_count == 0) {
		return;
	}
	page_need(&sheet->page, 50);
	put_plain(sheet, PDF_BOLD, 10, STR_LIT("Evidence for"));
	for (size_t i = 0; i < head->clause_count; i++) {
		const struct report_clause *clause = &head->clauses[i];
		struct buf line;
		buf_init(&line, PIECE_BYTES);
		buf_put_str(&line, clause->framework);
		buf_put_byte(&line, ' ');
		buf_put_str(&line, clause->clause);
		buf_put_text(&line, ": ");
		buf_put_str(&line, clause->text);
		put_plain(sheet, PDF_SANS, 9, buf_str(&line));
		buf_done(&line);
	}
	sheet->page.y += 8;
}

static void put_contents(struct sheet *sheet, const struct report_head *head)
{
	if (head->content_count < 2) {
		return;
	}
	page_need(&sheet->page, 80);
	put_plain(sheet, PDF_BOLD, 10, STR_LIT("Contents"));
	sheet->page.y += 2;
	for (size_t i = 0; i < head->content_count && i < CONTENTS_MAX; i++) {
		unsigned top = head->contents[0].level;
		bool is_sub = head->contents[i].level > top;
		struct page_text how = {.font = is_sub ? PDF_SANS : PDF_BOLD,
					.size = 9,
					.x = PAGE_LEFT + (is_sub ? 14 : 0),
					.width = PAGE_WIDTH - 60,
					.rgb = is_sub ? PAGE_FAINT : PAGE_INK,
					.max_lines = 1};
		page_need(&sheet->page, 14);
		sheet->entry[i] = (struct entry){.page = pdf_page_count(sheet->pdf) - 1,
						 .y = sheet->page.y,
						 .target = SIZE_MAX,
						 .x = PAGE_LEFT,
						 .width = PAGE_WIDTH,
						 .style = {.font = how.font, .size = how.size}};
		page_put(&sheet->page, &how, head->contents[i].title);
		sheet->page.y += 1.5;
		sheet->entry_count++;
	}
	sheet->page.y += 8;
}

static int pdf_begin(struct report_writer *writer, const struct report_head *head,
		     struct error *err)
{
	struct sheet *sheet = calloc(1, sizeof(*sheet));
	if (sheet == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a PDF");
	}
	writer->state = sheet;
	writer->head = head;
	buf_init(&sheet->text, 0);
	buf_init(&sheet->safe, 0);
	int rc = pdf_new(head->title, NULL, &sheet->pdf, err);
	if (rc < 0) {
		return rc;
	}
	page_init(&sheet->page, sheet->pdf);
	struct page_text eyebrow = {.font = PDF_SANS,
				    .size = 8,
				    .x = PAGE_LEFT,
				    .width = PAGE_WIDTH,
				    .rgb = PAGE_FAINT};
	page_put(&sheet->page, &eyebrow, STR_LIT("QUERYTRAIL REPORT"));
	put_title(sheet, 20, head->title);
	sheet->page.y += 3;
	put_plain(sheet, PDF_SANS, 10, head->purpose);
	sheet->page.y += 10;
	if (head->incomplete) {
		struct page_text banner = {.font = PDF_BOLD,
					   .size = 10,
					   .x = PAGE_LEFT,
					   .width = PAGE_WIDTH,
					   .rgb = PAGE_RISK};
		page_put(&sheet->page, &banner,
			 STR_LIT("This report is incomplete: something that belongs in it is "
				 "missing. The lines in bold below say what."));
		sheet->page.y += 6;
	}
	page_rule(&sheet->page, PAGE_INK);
	page_put_facts(&sheet->page, head->facts, head->fact_count);
	put_clauses(sheet, head);
	put_contents(sheet, head);
	return 0;
}

static int pdf_section(struct report_writer *writer, const struct report_section *section,
		       struct error *err)
{
	struct sheet *sheet = writer->state;
	const struct report_head *head = writer->head;
	bool is_report = section->level <= 1;
	(void)err;
	if (is_report && sheet->section_count > 0) {
		page_need(&sheet->page, PAGE_BOTTOM); /* a report of a bundle begins on a page */
	}
	page_need(&sheet->page, 90);
	sheet->page.y += sheet->page.y > PAGE_TOP ? 12 : 0;
	if (sheet->section_count < sheet->entry_count) {
		sheet->entry[sheet->section_count].target = pdf_page_count(sheet->pdf) - 1;
	}
	buf_clear(&sheet->text);
	pdf_put_safe(sheet->pdf, PDF_BOLD, section->title, &sheet->text);
	unsigned top = head->content_count > 0 ? head->contents[0].level : section->level;
	pdf_bookmark(sheet->pdf, section->level > top ? 2 : 1, buf_str(&sheet->text),
		     sheet->page.y - 6);
	sheet->section_count++;
	if (is_report) {
		page_rule(&sheet->page, PAGE_INK);
		sheet->page.y += 5;
	}
	put_title(sheet, is_report ? 16 : 12.5, section->title);
	sheet->page.y += 2;
	if (section->text.len > 0) {
		put_plain(sheet, PDF_SANS, 9.5, section->text);
		sheet->page.y += 4;
	}
	return 0;
}

static int pdf_facts(struct report_writer *writer, const struct report_fact *facts, size_t count,
		     struct error *err)
{
	struct sheet *sheet = writer->state;
	(void)err;
	page_put_facts(&sheet->page, facts, count);
	return 0;
}

static int pdf_chart(struct report_writer *writer, const struct report_chart *chart,
		     struct error *err)
{
	struct sheet *sheet = writer->state;
	(void)err;
	page_put_chart(&sheet->page, chart);
	return 0;
}

static const struct pdf_style *style_of(enum report_form form)
{
	return form == REPORT_CODE ? &row_mono : &row_sans;
}

/* Chooses the column that gets a line of its own, and shares the width among the others. */
static void lay_out(struct sheet *sheet, const struct report_table *table)
{
	unsigned sum = 0;
	unsigned most = 0;
	sheet->wide = NO_COLUMN;
	for (size_t i = 0; i < table->column_count && table->column_count >= WIDE_COLUMNS; i++) {
		bool is_text = table->columns[i].form == REPORT_CODE ||
			       table->columns[i].form == REPORT_TEXT;
		if (is_text && table->columns[i].weight > most) {
			most = table->columns[i].weight;
			sheet->wide = i;
		}
	}
	for (size_t i = 0; i < table->column_count; i++) {
		sum += i == sheet->wide               ? 0
		       : table->columns[i].weight > 0 ? table->columns[i].weight
						      : 1;
	}
	double x = PAGE_LEFT;
	for (size_t i = 0; i < table->column_count; i++) {
		unsigned weight = table->columns[i].weight > 0 ? table->columns[i].weight : 1;
		sheet->x[i] = x;
		sheet->width[i] =
			i == sheet->wide ? 0.0 : PAGE_WIDTH * weight / (sum > 0 ? sum : 1);
		x += sheet->width[i];
	}
	if (sheet->wide != NO_COLUMN) {
		sheet->x[sheet->wide] = PAGE_LEFT + 12;
		sheet->width[sheet->wide] = PAGE_WIDTH - 12;
	}
}

struct cell_place {
	double x, width, y;
	bool to_right;
	size_t max_lines;
	unsigned rgb;
};

/* Puts (or, with draw false, only measures) a text as lines; returns how many. */
static size_t put_lines(struct sheet *sheet, const struct pdf_style *style,
			const struct cell_place *place, struct str text, bool draw)
{
	size_t lines = 0;
	size_t at = 0;
	do {
		struct str rest = str_slice(text, at, text.len - at);
		size_t fit = pdf_fit(sheet->pdf, style, rest, place->width);
		struct str line = str_slice(rest, 0, fit);
		bool is_cut = lines + 1 == place->max_lines && at + fit < text.len;
		if (is_cut) {
			fit = pdf_fit(sheet->pdf, style, rest, place->width - style->size);
			line = str_slice(rest, 0, fit);
		}
		double y = place->y + (double)(lines + 1) * ROW_LEADING - 2.4;
		if (draw) {
			struct str shown = str_trim(line);
			double width = place->to_right || is_cut
					       ? pdf_text_width(sheet->pdf, style, line)
					       : 0.0;
			double x = place->to_right ? place->x + place->width - width : place->x;
			pdf_color(sheet->pdf, place->rgb);
			pdf_text(sheet->pdf, style, x, y, place->to_right ? shown : line);
			if (is_cut) {
				pdf_text(sheet->pdf, style, x + width, y, STR_LIT(ELLIPSIS));
			}
		}
		lines++;
		at += fit;
	} while (at < text.len && lines < place->max_lines);
	return lines;
}

static void put_table_head(void *owner)
{
	struct report_writer *writer = owner;
	struct sheet *sheet = writer->state;
	const struct report_table *table = writer->table;
	size_t most = 1;
	for (int draw = 0; draw <= 1; draw++) {
		for (size_t i = 0; i < table->column_count; i++) {
			bool is_wide = i == sheet->wide;
			struct cell_place place = {
				.x = sheet->x[i],
				.width = sheet->width[i] - CELL_GAP,
				.y = sheet->page.y + (is_wide ? (double)most * ROW_LEADING : 0.0),
				.to_right = cell_is_number(table->columns[i].form),
				.max_lines = 3,
				.rgb = PAGE_INK};
			size_t lines = put_lines(sheet, &row_bold, &place,
						 str_of(table->columns[i].title), draw != 0);
			most = !is_wide && lines > most ? lines : most;
		}
	}
	sheet->page.y += (double)(most + (sheet->wide != NO_COLUMN ? 1 : 0)) * ROW_LEADING + 1.5;
	page_rule(&sheet->page, PAGE_INK);
	sheet->page.y += 1.5;
	sheet->striped = false;
}

static int pdf_table_begin(struct report_writer *writer, const struct report_table *table,
			   struct error *err)
{
	struct sheet *sheet = writer->state;
	(void)err;
	writer->table = table;
	lay_out(sheet, table);
	page_need(&sheet->page, 70);
	if (table->title.len > 0) {
		put_plain(sheet, PDF_BOLD, 9.5, table->title);
		sheet->page.y += 2;
	}
	put_table_head(writer);
	sheet->page.begun = put_table_head;
	sheet->page.owner = writer;
	return 0;
}

/* The text of a cell as it is shown, in sheet->safe. */
static struct str cell_text(struct report_writer *writer, size_t column,
			    const struct report_cell *cell)
{
	struct sheet *sheet = writer->state;
	const struct report_column *about = &writer->table->columns[column];
	buf_clear(&sheet->text);
	buf_clear(&sheet->safe);
	cell_put(&sheet->text, about, cell, writer->out->zone);
	struct str text = buf_str(&sheet->text);
	bool is_long = text.len > PIECE_BYTES;
	size_t end = is_long ? PIECE_BYTES : text.len;
	while (is_long && end > 0 && ((unsigned char)text.ptr[end] & 0xc0u) == 0x80u) {
		end--;
	}
	for (size_t i = 0; i < end; i++) { /* a line break of a statement is a space here */
		if (text.ptr[i] == '\n' || text.ptr[i] == '\t' || text.ptr[i] == '\r') {
			sheet->text.ptr[i] = ' ';
		}
	}
	pdf_put_safe(sheet->pdf, style_of(about->form)->font, str_slice(text, 0, end),
		     &sheet->safe);
	return buf_str(&sheet->safe);
}

static unsigned cell_color(const struct report_column *column, const struct report_cell *cell)
{
	bool is_risk =
		!cell->absent &&
		((column->form == REPORT_GRADE && chart_grade_tone(cell->text) == TONE_BAD) ||
		 (column->form == REPORT_SEVERITY &&
		  (str_is(cell->text, "critical") || str_is(cell->text, "high"))));
	return is_risk ? PAGE_RISK : cell->absent ? PAGE_FAINT : PAGE_INK;
}

static size_t put_cell(struct report_writer *writer, size_t column, const struct report_cell *cell,
		       double y, bool draw)
{
	struct sheet *sheet = writer->state;
	const struct report_column *about = &writer->table->columns[column];
	bool is_wide = column == sheet->wide;
	bool is_mark = about->form == REPORT_GRADE || about->form == REPORT_SEVERITY;
	struct cell_place place = {.x = sheet->x[column],
				   .width = sheet->width[column] - CELL_GAP,
				   .y = y,
				   .to_right = cell_is_number(about->form),
				   .max_lines = is_wide ? WIDE_LINES : CELL_LINES,
				   .rgb = cell_color(about, cell)};
	return put_lines(sheet, is_mark ? &row_bold : style_of(about->form), &place,
			 cell_text(writer, column, cell), draw);
}

static int pdf_row(struct report_writer *writer, const struct report_cell *cells, struct error *err)
{
	struct sheet *sheet = writer->state;
	size_t most = 1;
	size_t wide_lines = 0;
	(void)err;
	for (size_t i = 0; i < writer->table->column_count; i++) {
		size_t lines = i == sheet->wide && cells[i].absent
				       ? 0
				       : put_cell(writer, i, &cells[i], 0.0, false);
		if (i == sheet->wide) {
			wide_lines = lines;
		} else {
			most = lines > most ? lines : most;
		}
	}
	double height = (double)(most + wide_lines) * ROW_LEADING + ROW_PAD;
	page_need(&sheet->page, height);
	if (sheet->striped) {
		struct pdf_box band = {.x = PAGE_LEFT - 3,
				       .y = sheet->page.y,
				       .width = PAGE_WIDTH + 6,
				       .height = height};
		pdf_color(sheet->pdf, PAGE_BAND);
		pdf_fill(sheet->pdf, &band);
	}
	sheet->striped = !sheet->striped;
	for (size_t i = 0; i < writer->table->column_count; i++) {
		bool is_wide = i == sheet->wide;
		if (!is_wide || wide_lines > 0) {
			(void)put_cell(writer, i, &cells[i], /* lines were counted above */
				       sheet->page.y + (is_wide ? (double)most * ROW_LEADING : 0.0),
				       true);
		}
	}
	sheet->page.y += height;
	return 0;
}

static int pdf_table_end(struct report_writer *writer, const struct report_table_end *table_end,
			 struct error *err)
{
	struct sheet *sheet = writer->state;
	(void)err;
	sheet->page.begun = NULL;
	writer->table = NULL;
	buf_clear(&sheet->text);
	if (table_end->row_matched == 0) {
		buf_put_text(&sheet->text, "No rows: nothing matched.");
	} else if (table_end->row_matched > table_end->row_count) {
		buf_put_text(&sheet->text, "The first ");
		chart_put_number(&sheet->text, (int64_t)table_end->row_count);
		buf_put_text(&sheet->text, " of ");
		chart_put_number(&sheet->text, (int64_t)table_end->row_matched);
		buf_put_text(&sheet->text, " rows, as this report is defined.");
	} else {
		chart_put_number(&sheet->text, (int64_t)table_end->row_count);
		buf_put_text(&sheet->text, table_end->row_count == 1 ? " row, all of them."
								     : " rows, all of them.");
	}
	struct page_text how = {.font = PDF_SANS,
				.size = 8,
				.x = PAGE_LEFT,
				.width = PAGE_WIDTH,
				.rgb = PAGE_FAINT};
	sheet->page.y += 3;
	page_put(&sheet->page, &how, buf_str(&sheet->text));
	sheet->page.y += 8;
	return 0;
}

static int pdf_note(struct report_writer *writer, struct str text, bool warns, struct error *err)
{
	struct sheet *sheet = writer->state;
	struct page_text how = {.font = warns ? PDF_BOLD : PDF_SANS,
				.size = 9,
				.x = PAGE_LEFT + 8,
				.width = PAGE_WIDTH - 8,
				.rgb = warns ? PAGE_RISK : PAGE_INK};
	(void)err;
	page_put(&sheet->page, &how, text);
	sheet->page.y += 5;
	return 0;
}

/* Numbers of the pages in the contents. */
static void put_targets(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->entry_count; i++) {
		const struct entry *entry = &sheet->entry[i];
		char number[32];
		if (entry->target == SIZE_MAX) {
			continue;
		}
		(void)snprintf(number, sizeof(number), "%zu", entry->target + 1); /* fits */
		double width = pdf_text_width(sheet->pdf, &entry->style, str_of(number));
		struct pdf_box box = {
			.x = entry->x, .y = entry->y, .width = entry->width, .height = 12};
		pdf_turn_to(sheet->pdf, entry->page);
		pdf_color(sheet->pdf, PAGE_INK);
		pdf_text(sheet->pdf, &entry->style, entry->x + entry->width - width,
			 entry->y + entry->style.size, str_of(number));
		pdf_link(sheet->pdf, &box, entry->target);
	}
}

static void put_feet(struct sheet *sheet, const struct report_head *head)
{
	const struct pdf_style style = {.font = PDF_SANS, .size = 8};
	size_t count = pdf_page_count(sheet->pdf);
	buf_clear(&sheet->safe);
	pdf_put_safe(sheet->pdf, PDF_SANS, str_slice(head->title, 0, TITLE_BYTES), &sheet->safe);
	struct str title = buf_str(&sheet->safe);
	title = str_slice(title, 0, pdf_fit(sheet->pdf, &style, title, PAGE_WIDTH - 80));
	for (size_t i = 0; i < count; i++) {
		char number[64];
		(void)snprintf(number, sizeof(number), "%zu / %zu", i + 1, count); /* fits */
		double width = pdf_text_width(sheet->pdf, &style, str_of(number));
		pdf_turn_to(sheet->pdf, i);
		pdf_color(sheet->pdf, PAGE_FAINT);
		pdf_text(sheet->pdf, &style, PAGE_LEFT, PAGE_BOTTOM + 24, title);
		pdf_text(sheet->pdf, &style, PAGE_LEFT + PAGE_WIDTH - width, PAGE_BOTTOM + 24,
			 str_of(number));
	}
}

static int take_piece(void *owner, struct str piece, struct error *err)
{
	struct report_writer *writer = owner;
	buf_put_str(&writer->out->text, piece);
	output_row_done(writer->out);
	return buf_check(&writer->out->text, "the report", err);
}

static int pdf_end(struct report_writer *writer, struct error *err)
{
	struct sheet *sheet = writer->state;
	struct page_text how = {.font = PDF_SANS,
				.size = 8,
				.x = PAGE_LEFT,
				.width = PAGE_WIDTH,
				.rgb = PAGE_FAINT};
	sheet->page.y += 8;
	page_put(&sheet->page, &how,
		 STR_LIT("Long texts are cut here and end in " ELLIPSIS "; invisible and control "
			 "characters are spelled out. The same report in the format jsonl is "
			 "whole and exact, and is the one to rely on."));
	put_targets(sheet);
	put_feet(sheet, writer->head);
	int rc = pdf_finish(sheet->pdf, take_piece, writer, err);
	return rc;
}

static void pdf_done(struct report_writer *writer)
{
	struct sheet *sheet = writer->state;
	if (sheet != NULL) {
		page_done(&sheet->page);
		pdf_free(sheet->pdf);
		buf_done(&sheet->text);
		buf_done(&sheet->safe);
	}
	free(sheet);
	writer->state = NULL;
}

const struct report_writer_type write_pdf = {
	.name = "pdf",
	.extension = ".pdf",
	.help = "pages of A4, to be filed",
	.begin = pdf_begin,
	.section = pdf_section,
	.facts = pdf_facts,
	.chart = pdf_chart,
	.table_begin = pdf_table_begin,
	.row = pdf_row,
	.table_end = pdf_table_end,
	.note = pdf_note,
	.end = pdf_end,
	.done = pdf_done,
};
