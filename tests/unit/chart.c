#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/chart.h"

#define WIDTH 500.0

/* A canvas that checks that everything stays inside, and counts. */
struct board {
	double height;
	size_t boxes, texts;
	double risk_area, bar_area;
	struct buf said;
};

static void draw_box(struct canvas *canvas, const struct canvas_box *box, enum tone tone)
{
	struct board *board = canvas->state;
	assert_true(box->x >= -0.01 && box->y >= -0.01);
	assert_true(box->x + box->width <= WIDTH + 0.01);
	assert_true(box->y + box->height <= board->height + 0.01);
	board->boxes++;
	board->risk_area += tone == TONE_RISK ? box->width * box->height : 0.0;
	board->bar_area += tone == TONE_BAR ? box->width * box->height : 0.0;
}

static void draw_text(struct canvas *canvas, const struct canvas_text *where, struct str text)
{
	struct board *board = canvas->state;
	double width = canvas->text_width(canvas, text, where->size);
	double left = where->anchor == ANCHOR_START    ? where->x
		      : where->anchor == ANCHOR_MIDDLE ? where->x - width / 2
						       : where->x - width;
	assert_true(left >= -0.01 && left + width <= WIDTH + 0.01);
	assert_true(where->y <= board->height + 0.01);
	board->texts++;
	buf_put_str(&board->said, text);
	buf_put_byte(&board->said, '\n');
}

static double text_width(struct canvas *canvas, struct str text, double size)
{
	(void)canvas;
	return (double)text.len * size * 0.5;
}

static struct board draw(const struct report_chart *chart)
{
	struct board board = {.height = chart_height(chart, WIDTH)};
	struct canvas canvas = {.state = &board,
				.width = WIDTH,
				.box = draw_box,
				.line = draw_box,
				.text = draw_text,
				.text_width = text_width};
	buf_init(&board.said, 0);
	chart_draw(chart, &canvas);
	return board;
}

/* Bars stay inside, a too long label is cut with an ellipsis, numbers are whole, and the marked part is as large as its share. */
static void test_bars(void **state)
{
	(void)state;
	char label[300];
	memset(label, 'x', sizeof(label));
	const struct report_bar bars[] = {{str_make(label, sizeof(label)), 1000000, 250000},
					  {STR_LIT("b"), 0, 0},
					  {STR_LIT("c"), 1, 1}};
	const struct report_chart chart = {REPORT_BARS, STR_LIT("t"), STR_LIT("u"),
					   "marked",    bars,         3};
	struct board board = draw(&chart);
	assert_non_null(strstr(board.said.ptr, "\xe2\x80\xa6"));
	assert_non_null(strstr(board.said.ptr, "1,000,000"));
	assert_non_null(strstr(board.said.ptr, "marked"));
	assert_true(board.risk_area > board.bar_area * 0.2);
	assert_true(board.risk_area < board.bar_area * 0.5);
	buf_done(&board.said);
}

/* A time line of any number of bars stays inside and says its first, middle and last period. */
static void test_timeline(void **state)
{
	(void)state;
	struct report_bar bars[REPORT_BARS_MAX];
	for (size_t count = 1; count <= REPORT_BARS_MAX; count += 73) {
		for (size_t i = 0; i < count; i++) {
			bars[i] = (struct report_bar){STR_LIT("12:00"), (int64_t)i, (int64_t)i / 2};
		}
		bars[0].label = STR_LIT("first");
		const struct report_chart chart = {
			REPORT_TIMELINE, STR_LIT("t"), STR_LIT("rows"), NULL, bars, count};
		struct board board = draw(&chart);
		assert_non_null(strstr(board.said.ptr, "first"));
		assert_non_null(strstr(board.said.ptr, "at most"));
		buf_done(&board.said);
	}
}

/* A stack shows each part with its share, and parts that are all zero divide nothing by zero. */
static void test_stack(void **state)
{
	(void)state;
	struct report_bar bars[] = {{STR_LIT("A"), 3, 0}, {STR_LIT("X"), 1, 0}};
	struct report_chart chart = {REPORT_STACK, STR_LIT("t"), STR_LIT("u"), NULL, bars, 2};
	struct board board = draw(&chart);
	assert_non_null(strstr(board.said.ptr, "A  3 (75.0 %)"));
	assert_non_null(strstr(board.said.ptr, "X  1 (25.0 %)"));
	buf_done(&board.said);
	bars[0].value = 0;
	bars[1].value = 0;
	board = draw(&chart);
	assert_non_null(strstr(board.said.ptr, "A  0 (0.0 %)"));
	buf_done(&board.said);
}

/* Nothing to be drawn takes no room and draws nothing. */
static void test_empty(void **state)
{
	(void)state;
	const struct report_chart chart = {.kind = REPORT_TIMELINE};
	struct board board = draw(&chart);
	assert_true(board.height <= 0.0);
	assert_int_equal(board.boxes + board.texts, 0);
	buf_done(&board.said);
}

/* A grade's tone tells sure, doubtful, bad and silent apart. */
static void test_tones(void **state)
{
	(void)state;
	assert_int_equal(chart_grade_tone(STR_LIT("A")), TONE_GOOD);
	assert_int_equal(chart_grade_tone(STR_LIT("C")), TONE_DOUBT);
	assert_int_equal(chart_grade_tone(STR_LIT("U1")), TONE_BAD);
	assert_int_equal(chart_grade_tone(STR_LIT("U2")), TONE_SILENT);
	assert_int_equal(chart_grade_tone(STR_LIT("AA")), TONE_SILENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bars),  cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_stack), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_tones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
