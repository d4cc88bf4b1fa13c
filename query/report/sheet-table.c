#include "query/report/sheet.h"

#include "query/report/cell.h"
#include "query/report/chart.h"

#define ROW_SIZE     7.6
#define ROW_LEADING  9.8
#define HEAD_SIZE    7.6
#define CELL_GAP     5.0
#define ROW_PAD      2.4
#define CELL_LINES   6  /* of a narrow cell; the jsonl has the whole */
#define WIDE_LINES   14 /* of a text that has a line of its own */
#define WIDE_COLUMNS 6  /* a table of this many columns gives its longest text a line of its own */
#define PIECE_BYTES  4096
#define ELLIPSIS     "\xe2\x80\xa6"

static const struct pdf_style row_sans = {.font = PDF_SANS, .size = ROW_SIZE};
static const struct pdf_style row_bold = {.font = PDF_BOLD, .size = HEAD_SIZE};
static const struct pdf_style row_mono = {.font = PDF_MONO, .size = ROW_SIZE - 0.6};

static const struct pdf_style *style_of(enum report_form form)
{
	return form == REPORT_CODE ? &row_mono : &row_sans;
}

/* The column that gets a line of its own below the others: in a broad table the code (a statement) that weighs most. */
static size_t wide_column(const struct report_table *table)
{
	unsigned most = 0;
	size_t wide = SHEET_NO_COLUMN;
	for (size_t i = 0; i < table->column_count && table->column_count >= WIDE_COLUMNS; i++) {
		const struct report_column *column = &table->columns[i];
		if (column->weight > most) {
			most = column->weight;
			wide = column->form == REPORT_CODE ? i : SHEET_NO_COLUMN;
		}
	}
	return wide;
}

/* The width that the longest word of a column's title takes, or a time on one line. */
static double least_width(struct sheet *sheet, const struct report_column *column)
{
	struct str rest = str_of(column->title);
	double most = column->form == REPORT_TIME ? pdf_text_width(sheet->pdf, &row_sans,
								   STR_LIT("2026-11-22 00:00:00"))
						  : 0.0;
	while (rest.ptr != NULL) {
		double width = pdf_text_width(sheet->pdf, &row_bold, str_split(&rest, ' '));
		most = width > most ? width : most;
	}
	return most + CELL_GAP + 1.0;
}

/* Shares the width among the columns by weight; none is narrower than the words of its title, as long as there is room. */
static void lay_out(struct sheet *sheet, const struct report_table *table)
{
	double least[REPORT_COLUMNS_MAX];
	double least_sum = 0.0;
	double spare_sum = 0.0; /* what columns have beyond their least */
	double lack_sum = 0.0;
	unsigned sum = 0;
	sheet->wide = wide_column(table);
	for (size_t i = 0; i < table->column_count; i++) {
		sum += i == sheet->wide
			       ? 0
			       : table->columns[i].weight + (table->columns[i].weight == 0);
	}
	for (size_t i = 0; i < table->column_count; i++) {
		unsigned weight = table->columns[i].weight + (table->columns[i].weight == 0);
		bool is_wide = i == sheet->wide;
		least[i] = is_wide ? 0.0 : least_width(sheet, &table->columns[i]);
		sheet->width[i] = is_wide ? 0.0 : PAGE_WIDTH * weight / (sum > 0 ? sum : 1);
		double over = sheet->width[i] - least[i];
		spare_sum += over > 0.0 ? over : 0.0;
		lack_sum += over < 0.0 ? -over : 0.0;
		least_sum += least[i];
	}
	double x = PAGE_LEFT;
	for (size_t i = 0; i < table->column_count; i++) {
		double over = sheet->width[i] - least[i];
		if (lack_sum > 0.0 && least_sum <= PAGE_WIDTH) {
			sheet->width[i] = over < 0.0
						  ? least[i]
						  : sheet->width[i] - over * lack_sum / spare_sum;
		}
		sheet->x[i] = x;
		x += sheet->width[i];
	}
	if (sheet->wide != SHEET_NO_COLUMN) {
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
	sheet->page.y +=
		(double)(most + (sheet->wide != SHEET_NO_COLUMN ? 1 : 0)) * ROW_LEADING + 1.5;
	page_rule(&sheet->page, PAGE_INK);
	sheet->page.y += 1.5;
	sheet->striped = false;
}

int sheet_table_begin(struct report_writer *writer, const struct report_table *table,
		      struct error *err)
{
	struct sheet *sheet = writer->state;
	(void)err;
	writer->table = table;
	lay_out(sheet, table);
	page_need(&sheet->page, 70);
	if (table->title.len > 0) {
		sheet_put(sheet, PDF_BOLD, 9.5, table->title);
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

int sheet_row(struct report_writer *writer, const struct report_cell *cells, struct error *err)
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

int sheet_table_end(struct report_writer *writer, const struct report_table_end *table_end,
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
