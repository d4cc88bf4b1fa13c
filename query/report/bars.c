#include "query/report/bars.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

#define ARENA_MAX (4u << 20)

struct drawing {
	const struct bars_question *question;
	struct tally *tally;
	struct arena arena;
	struct report_bar bar[REPORT_BARS_MAX + 1];
	size_t count;
};

static int64_t risk_of(const struct definition_chart *chart, const struct tally *tally,
		       const struct tally_group *group)
{
	return chart->risk_title != NULL ? tally_value(tally, group, 1).number : 0;
}

/* The text in the arena; empty when that is full. */
static struct str keep(struct drawing *drawing, const struct buf *text)
{
	struct str label = {0};
	return arena_str(&drawing->arena, buf_str(text), &label) == 0 ? label : (struct str){0};
}

/* The label of a group, in the arena or borrowed from the tally. */
static struct str label_of(struct drawing *drawing, const struct trail_value *value)
{
	struct buf text;
	struct str label = {0};
	switch (value->type) {
	case TRAIL_ABSENT:
		return STR_LIT("(none)");
	case TRAIL_TEXT:
	case TRAIL_BYTES:
		return value->text;
	case TRAIL_BOOL:
		return value->number != 0 ? STR_LIT("yes") : STR_LIT("no");
	case TRAIL_NUMBER:
	case TRAIL_TIME:
		break;
	}
	buf_init(&text, 64);
	if (value->type == TRAIL_TIME) {
		clock_put_rfc3339(&text, value->number, 0);
	} else {
		buf_put_i64(&text, value->number);
	}
	label = keep(drawing, &text);
	buf_done(&text);
	return label;
}

static void add_bar(struct drawing *drawing, const struct tally_group *group)
{
	const struct definition_chart *chart = drawing->question->chart;
	drawing->bar[drawing->count++] = (struct report_bar){
		.label = label_of(drawing, &group->key[0]),
		.value = (int64_t)group->count,
		.part_risk = risk_of(chart, drawing->tally, group),
	};
}

/* The largest groups, and one bar for all the others. */
static void draw_bars(struct drawing *drawing)
{
	const struct definition_chart *chart = drawing->question->chart;
	const struct tally_order order = {.by_figure = true, .number = 0, .descending = true};
	struct tally *tally = drawing->tally;
	struct report_bar rest = {0};
	tally_sort(tally, &order, 1);
	for (size_t i = 0; i < tally->group_count; i++) {
		const struct tally_group *group = &tally->groups[i];
		if (i < chart->first) {
			add_bar(drawing, group);
			continue;
		}
		rest.value += (int64_t)group->count;
		rest.part_risk += risk_of(chart, tally, group);
	}
	if (tally->group_count > chart->first) {
		struct buf text;
		buf_init(&text, 64);
		buf_putf(&text, "(%zu others)", tally->group_count - (size_t)chart->first);
		rest.label = keep(drawing, &text);
		buf_done(&text);
		drawing->bar[drawing->count++] = rest;
	}
}

static bool is_grade(const struct drawing *drawing)
{
	struct dataset_field fields[DATASET_FIELDS_MAX];
	size_t count = dataset_fields(drawing->question->dataset->type, fields);
	assert(drawing->question->chart->by < count);
	return strcmp(fields[drawing->question->chart->by].name, "grade") == 0;
}

static void draw_stack(struct drawing *drawing)
{
	struct tally *tally = drawing->tally;
	if (!is_grade(drawing)) {
		draw_bars(drawing);
		return;
	}
	for (unsigned i = 0; i < GRADE_COUNT; i++) {
		enum grade grade = (enum grade)((i + 1) % GRADE_COUNT); /* pending comes last */
		for (size_t g = 0; g < tally->group_count; g++) {
			if (str_is(tally->groups[g].key[0].text, grade_name(grade))) {
				add_bar(drawing, &tally->groups[g]);
			}
		}
	}
}

/* How long the text of a period is, from the finest that fits: hour, day, month, year. */
static size_t label_length(const struct drawing *drawing, int64_t first_ns, int64_t last_ns)
{
	static const struct {
		size_t len;
		int64_t ns;
	} units[] = {{16, NS_PER_HOUR}, {10, NS_PER_DAY}, {7, 30 * NS_PER_DAY}};
	size_t asked = drawing->tally->groups[0].key[0].text.len;
	uint64_t span = (uint64_t)last_ns - (uint64_t)first_ns;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].len <= asked && span / (uint64_t)units[i].ns + 2 <= REPORT_BARS_MAX) {
			return units[i].len;
		}
	}
	return 4;
}

static void add_period(struct drawing *drawing, const char *text, size_t len)
{
	struct report_bar *last = drawing->count > 0 ? &drawing->bar[drawing->count - 1] : NULL;
	if ((last != NULL && str_equal(last->label, str_make(text, len))) ||
	    drawing->count == REPORT_BARS_MAX) {
		return;
	}
	struct report_bar bar = {0};
	if (arena_str(&drawing->arena, str_make(text, len), &bar.label) == 0) {
		drawing->bar[drawing->count++] = bar;
	}
}

static void draw_timeline(struct drawing *drawing)
{
	const struct tally_order order = {.by_figure = false, .number = 0, .descending = false};
	struct tally *tally = drawing->tally;
	tally_sort(tally, &order, 1);
	int64_t first_ns = tally->groups[0].first_ns;
	int64_t last_ns = tally->groups[tally->group_count - 1].last_ns;
	size_t len = label_length(drawing, first_ns, last_ns);
	int64_t step = len == 16 ? NS_PER_HOUR / 4 : len == 10 ? NS_PER_DAY / 4 : 10 * NS_PER_DAY;
	char text[DATASET_PERIOD_BYTES];
	for (int64_t at = first_ns;;) { /* steps are so small that none is passed over */
		enum dataset_period period = len == 16 ? DATASET_HOUR : DATASET_DAY;
		(void)dataset_period_text(drawing->question->zone, at, period, text);
		add_period(drawing, text, len);
		if (at == last_ns) {
			break;
		}
		at = (uint64_t)last_ns - (uint64_t)at <= (uint64_t)step ? last_ns : at + step;
	}
	size_t bar = 0;
	for (size_t i = 0; i < tally->group_count; i++) {
		struct str label = str_slice(tally->groups[i].key[0].text, 0, len);
		while (bar + 1 < drawing->count &&
		       str_compare(drawing->bar[bar].label, label) < 0) {
			bar++;
		}
		drawing->bar[bar].value += (int64_t)tally->groups[i].count;
		drawing->bar[bar].part_risk +=
			risk_of(drawing->question->chart, tally, &tally->groups[i]);
	}
}

int bars_write(const struct bars_question *question, struct tally *tally, struct targets *targets,
	       struct error *err)
{
	if (tally->group_count == 0) {
		return 0;
	}
	struct drawing *drawing = calloc(1, sizeof(*drawing));
	if (drawing == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a chart");
	}
	drawing->question = question;
	drawing->tally = tally;
	arena_init(&drawing->arena, ARENA_MAX);
	switch (question->chart->kind) {
	case REPORT_BARS:
		draw_bars(drawing);
		break;
	case REPORT_TIMELINE:
		draw_timeline(drawing);
		break;
	case REPORT_STACK:
		draw_stack(drawing);
		break;
	}
	struct report_chart chart = {
		.kind = question->chart->kind,
		.title = question->chart->title,
		.unit = question->chart->unit,
		.risk_title = question->chart->risk_title,
		.bars = drawing->bar,
		.bar_count = drawing->count,
	};
	int result = targets_chart(targets, &chart, err);
	arena_done(&drawing->arena);
	free(drawing);
	return result;
}
