#include "query/report/chart.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

#define TEXT_SIZE     9.0
#define ROW_HEIGHT    18.0
#define BAR_HEIGHT    11.0
#define LABEL_SHARE   0.30 /* of the width, for the labels of bars */
#define VALUE_WIDTH   70.0
#define TIME_HEIGHT   90.0
#define TIME_TOP      14.0
#define TIME_FOOT     16.0
#define STACK_HEIGHT  18.0
#define LEGEND_HEIGHT 16.0
#define LEGEND_COLUMN 170.0
#define SWATCH        9.0

void chart_put_number(struct buf *out, int64_t number)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64,
			   number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
	if (number < 0) {
		buf_put_byte(out, '-');
	}
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			buf_put_byte(out, ',');
		}
		buf_put_byte(out, (uint8_t)digits[i]);
	}
}

enum tone chart_grade_tone(struct str grade)
{
	if (str_is(grade, "A") || str_is(grade, "B")) {
		return TONE_GOOD;
	}
	if (str_is(grade, "C") || str_is(grade, "D")) {
		return TONE_DOUBT;
	}
	return str_is(grade, "X") || str_is(grade, "U1") ? TONE_BAD : TONE_SILENT;
}

static int64_t largest(const struct report_chart *chart)
{
	int64_t most = 1;
	for (size_t i = 0; i < chart->bar_count; i++) {
		most = chart->bars[i].value > most ? chart->bars[i].value : most;
	}
	return most;
}

static bool has_risk(const struct report_chart *chart)
{
	for (size_t i = 0; i < chart->bar_count; i++) {
		if (chart->bars[i].part_risk > 0) {
			return true;
		}
	}
	return false;
}

static size_t legend_columns(double width)
{
	double fit = width / LEGEND_COLUMN;
	return fit < 1.0 ? 1 : (size_t)fit;
}

static double legend_height(const struct report_chart *chart)
{
	return has_risk(chart) && chart->risk_title != NULL ? LEGEND_HEIGHT : 0.0;
}

double chart_height(const struct report_chart *chart, double width)
{
	if (chart->bar_count == 0) {
		return 0.0;
	}
	size_t columns = legend_columns(width);
	switch (chart->kind) {
	case REPORT_BARS:
		return (double)chart->bar_count * ROW_HEIGHT + legend_height(chart);
	case REPORT_TIMELINE:
		return TIME_TOP + TIME_HEIGHT + TIME_FOOT + legend_height(chart);
	case REPORT_STACK:
		return STACK_HEIGHT + 6.0 +
		       (double)((chart->bar_count + columns - 1) / columns) * LEGEND_HEIGHT;
	}
	return 0.0;
}

/* Draws text, cut to the width with an ellipsis. */
static void put_fitting(struct canvas *canvas, const struct canvas_text *where, struct str text,
			double width)
{
	if (canvas->text_width(canvas, text, where->size) <= width) {
		canvas->text(canvas, where, text);
		return;
	}
	struct buf cut;
	buf_init(&cut, 4096);
	size_t end = 0;
	double dots = canvas->text_width(canvas, STR_LIT("\xe2\x80\xa6"), where->size);
	while (end < text.len) {
		size_t next = end;
		(void)utf8_next(text, &next);
		if (canvas->text_width(canvas, str_slice(text, 0, next), where->size) + dots >
		    width) {
			break;
		}
		end = next;
	}
	buf_put_str(&cut, str_slice(text, 0, end));
	buf_put_text(&cut, "\xe2\x80\xa6");
	canvas->text(canvas, where, buf_str(&cut));
	buf_done(&cut);
}

static void draw_risk_legend(const struct report_chart *chart, struct canvas *canvas, double y)
{
	if (legend_height(chart) <= 0.0) {
		return;
	}
	struct canvas_box swatch = {.x = 0, .y = y + 4, .width = SWATCH, .height = SWATCH};
	struct canvas_text where = {
		.x = SWATCH + 5, .y = y + 12, .size = TEXT_SIZE, .tone = TONE_FAINT};
	canvas->box(canvas, &swatch, TONE_RISK);
	put_fitting(canvas, &where, str_of(chart->risk_title), canvas->width - where.x);
}

static void draw_bars(const struct report_chart *chart, struct canvas *canvas)
{
	double left = canvas->width * LABEL_SHARE;
	double room = canvas->width - left - VALUE_WIDTH;
	double scale = room / (double)largest(chart);
	struct buf number;
	buf_init(&number, 64);
	for (size_t i = 0; i < chart->bar_count; i++) {
		const struct report_bar *bar = &chart->bars[i];
		double y = (double)i * ROW_HEIGHT;
		struct canvas_text label = {.x = left - 6,
					    .y = y + 12,
					    .size = TEXT_SIZE,
					    .anchor = ANCHOR_END,
					    .tone = TONE_INK};
		struct canvas_box box = {.x = left,
					 .y = y + (ROW_HEIGHT - BAR_HEIGHT) / 2,
					 .width = (double)bar->value * scale,
					 .height = BAR_HEIGHT};
		put_fitting(canvas, &label, bar->label, left - 8);
		box.width = bar->value > 0 && box.width < 1.0 ? 1.0 : box.width;
		canvas->box(canvas, &box, TONE_BAR);
		double end = box.width;
		if (bar->part_risk > 0) {
			box.width = (double)bar->part_risk * scale;
			box.width = box.width < 1.0 ? 1.0 : box.width;
			canvas->box(canvas, &box, TONE_RISK);
		}
		buf_clear(&number);
		chart_put_number(&number, bar->value);
		struct canvas_text value = {
			.x = left + end + 5, .y = y + 12, .size = TEXT_SIZE, .tone = TONE_INK};
		canvas->text(canvas, &value, buf_str(&number));
	}
	buf_done(&number);
	draw_risk_legend(chart, canvas, (double)chart->bar_count * ROW_HEIGHT);
}

/* The label of a bar under the axis, kept inside of the drawing. */
static void draw_time_label(const struct report_chart *chart, struct canvas *canvas, size_t index)
{
	double step = canvas->width / (double)chart->bar_count;
	struct canvas_text where = {.x = ((double)index + 0.5) * step,
				    .y = TIME_TOP + TIME_HEIGHT + 12,
				    .size = TEXT_SIZE,
				    .anchor = ANCHOR_MIDDLE,
				    .tone = TONE_FAINT};
	if (index == 0 && chart->bar_count > 1) {
		where.anchor = ANCHOR_START;
		where.x = 0;
	} else if (index + 1 == chart->bar_count && index > 0) {
		where.anchor = ANCHOR_END;
		where.x = canvas->width;
	}
	canvas->text(canvas, &where, chart->bars[index].label);
}

static void draw_timeline(const struct report_chart *chart, struct canvas *canvas)
{
	int64_t most = largest(chart);
	double step = canvas->width / (double)chart->bar_count;
	double gap = step > 6.0 ? 1.5 : step * 0.15;
	double base = TIME_TOP + TIME_HEIGHT;
	struct buf text;
	buf_init(&text, 256);
	buf_put_text(&text, "at most ");
	chart_put_number(&text, most);
	buf_put_byte(&text, ' ');
	buf_put_str(&text, chart->unit);
	struct canvas_text top = {.x = 0, .y = 9, .size = TEXT_SIZE, .tone = TONE_FAINT};
	struct canvas_box grid = {.x = 0, .y = TIME_TOP, .width = canvas->width};
	canvas->text(canvas, &top, buf_str(&text));
	canvas->line(canvas, &grid, TONE_GRID);
	for (size_t i = 0; i < chart->bar_count; i++) {
		const struct report_bar *bar = &chart->bars[i];
		double height = TIME_HEIGHT * (double)bar->value / (double)most;
		double risk = TIME_HEIGHT * (double)bar->part_risk / (double)most;
		height = bar->value > 0 && height < 1.0 ? 1.0 : height;
		risk = bar->part_risk > 0 && risk < 1.0 ? 1.0 : risk;
		struct canvas_box box = {.x = (double)i * step + gap / 2,
					 .y = base - height,
					 .width = step - gap,
					 .height = height};
		if (height > 0.0) {
			canvas->box(canvas, &box, TONE_BAR);
		}
		if (risk > 0.0) {
			box.y = base - risk;
			box.height = risk;
			canvas->box(canvas, &box, TONE_RISK);
		}
	}
	grid.y = base;
	canvas->line(canvas, &grid, TONE_FAINT);
	draw_time_label(chart, canvas, 0);
	if (chart->bar_count > 2) {
		draw_time_label(chart, canvas, chart->bar_count / 2);
	}
	if (chart->bar_count > 1) {
		draw_time_label(chart, canvas, chart->bar_count - 1);
	}
	buf_done(&text);
	draw_risk_legend(chart, canvas, base + TIME_FOOT);
}

static void put_legend_text(const struct report_bar *bar, int64_t sum, struct buf *out)
{
	int64_t permille = sum > 0 ? (int64_t)((double)bar->value * 1000.0 / (double)sum + 0.5) : 0;
	buf_put_str(out, bar->label);
	buf_put_text(out, "  ");
	chart_put_number(out, bar->value);
	buf_putf(out, " (%" PRId64 ".%" PRId64 " %%)", permille / 10, permille % 10);
}

static void draw_stack(const struct report_chart *chart, struct canvas *canvas)
{
	int64_t sum = 0;
	size_t columns = legend_columns(canvas->width);
	double x = 0.0;
	struct buf text;
	buf_init(&text, 4096);
	for (size_t i = 0; i < chart->bar_count; i++) {
		sum += chart->bars[i].value;
	}
	for (size_t i = 0; i < chart->bar_count; i++) {
		const struct report_bar *bar = &chart->bars[i];
		enum tone tone = chart_grade_tone(bar->label);
		double width = sum > 0 ? canvas->width * (double)bar->value / (double)sum : 0.0;
		struct canvas_box part = {.x = x, .y = 0, .width = width, .height = STACK_HEIGHT};
		if (width > 0.0) {
			canvas->box(canvas, &part, tone);
			part.width = 0;
			canvas->line(canvas, &part, TONE_PAPER); /* parts of one tone stay apart */
		}
		if (width > 16.0) {
			struct canvas_text name = {.x = x + width / 2,
						   .y = 13,
						   .size = TEXT_SIZE,
						   .anchor = ANCHOR_MIDDLE,
						   .tone = tone == TONE_SILENT ? TONE_INK
									       : TONE_PAPER,
						   .strong = true};
			canvas->text(canvas, &name, bar->label);
		}
		x += width;
		double column = canvas->width / (double)columns;
		double left = (double)(i % columns) * column;
		double y = STACK_HEIGHT + 6.0 + (double)(i / columns) * LEGEND_HEIGHT;
		struct canvas_box swatch = {
			.x = left, .y = y + 3, .width = SWATCH, .height = SWATCH};
		struct canvas_text where = {
			.x = left + SWATCH + 5, .y = y + 11, .size = TEXT_SIZE, .tone = TONE_INK};
		canvas->box(canvas, &swatch, tone);
		buf_clear(&text);
		put_legend_text(bar, sum, &text);
		put_fitting(canvas, &where, buf_str(&text), column - SWATCH - 10);
	}
	buf_done(&text);
}

void chart_draw(const struct report_chart *chart, struct canvas *canvas)
{
	if (chart->bar_count == 0) {
		return;
	}
	switch (chart->kind) {
	case REPORT_BARS:
		draw_bars(chart, canvas);
		return;
	case REPORT_TIMELINE:
		draw_timeline(chart, canvas);
		return;
	case REPORT_STACK:
		draw_stack(chart, canvas);
		return;
	}
}
