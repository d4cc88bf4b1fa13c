#include "query/report/sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TITLE_LINES 4
#define PIECE_BYTES 4096
#define TITLE_BYTES 512
#define ELLIPSIS    "\xe2\x80\xa6"

void sheet_put(struct sheet *sheet, enum pdf_font font, double size, struct str text)
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
	sheet_put(sheet, PDF_BOLD, 10, STR_LIT("Evidence for"));
	for (size_t i = 0; i < head->clause_count; i++) {
		const struct report_clause *clause = &head->clauses[i];
		struct buf line;
		buf_init(&line, PIECE_BYTES);
		buf_put_str(&line, clause->framework);
		buf_put_byte(&line, ' ');
		buf_put_str(&line, clause->clause);
		buf_put_text(&line, ": ");
		buf_put_str(&line, clause->text);
		sheet_put(sheet, PDF_SANS, 9, buf_str(&line));
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
	sheet_put(sheet, PDF_BOLD, 10, STR_LIT("Contents"));
	sheet->page.y += 2;
	for (size_t i = 0; i < head->content_count && i < SHEET_CONTENTS_MAX; i++) {
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
	sheet_put(sheet, PDF_SANS, 10, head->purpose);
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
		sheet_put(sheet, PDF_SANS, 9.5, section->text);
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
	.table_begin = sheet_table_begin,
	.row = sheet_row,
	.table_end = sheet_table_end,
	.note = pdf_note,
	.end = pdf_end,
	.done = pdf_done,
};
