#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "query/report/bars.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A dataset of which only the times matter. */
static size_t no_fields(const struct dataset_type *type, struct dataset_field *out)
{
	(void)type;
	(void)out;
	return 0;
}

static const struct dataset_type made_type = {
	.name = "made", .has_time = true, .fields = no_fields};

struct drawn {
	struct zone zone;
	struct dataset dataset;
	struct definition_chart chart;
	struct tally tally;
	struct buf out;
	struct error err;
};

/* A timeline by a period: 0 hour, 1 day, 2 month. */
static void drawn_init(struct drawn *drawn, unsigned period)
{
	memset(drawn, 0, sizeof(*drawn));
	drawn->zone = zone_utc();
	drawn->dataset = (struct dataset){.type = &made_type, .question = {.zone = &drawn->zone}};
	drawn->chart = (struct definition_chart){
		.kind = REPORT_TIMELINE,
		.title = STR_LIT("t"),
		.unit = STR_LIT("rows"),
		.by = period,
		.tally = {.key = {period},
			  .key_count = 1,
			  .figure = {{TALLY_COUNT, 0}},
			  .figure_count = 1,
			  .succeeded_field = -1,
			  .grade_field = -1},
		.first = 12,
	};
	tally_init(&drawn->tally, &drawn->chart.tally);
	buf_init(&drawn->out, 0);
}

static void add(struct drawn *drawn, int64_t ns)
{
	drawn->dataset.time_ns = ns;
	assert_int_equal(tally_add(&drawn->tally, &drawn->dataset, &drawn->err), 0);
}

static void draw(struct drawn *drawn)
{
	char piece[65536];
	struct targets *targets = calloc(1, sizeof(*targets));
	struct bars_question question = {&drawn->chart, &drawn->dataset, &drawn->zone};
	struct target_place place = {.fd = memfd_create("bars", MFD_CLOEXEC)};
	const struct report_head head = {.name = STR_LIT("r")};
	assert_true(targets != NULL && place.fd >= 0);
	targets_init(targets, &drawn->zone);
	assert_int_equal(targets_add(targets, &write_jsonl, &place, &drawn->err), 0);
	assert_int_equal(targets_begin(targets, &head, &drawn->err), 0);
	assert_int_equal(bars_write(&question, &drawn->tally, targets, &drawn->err), 0);
	assert_int_equal(targets_end(targets, &drawn->err), 0);
	targets_done(targets);
	free(targets);
	assert_int_equal(lseek(place.fd, 0, SEEK_SET), 0);
	ssize_t got = read(place.fd, piece, sizeof(piece));
	assert_true(got > 0);
	buf_put(&drawn->out, piece, (size_t)got);
	(void)close(place.fd);
}

static void drawn_done(struct drawn *drawn)
{
	tally_done(&drawn->tally);
	buf_done(&drawn->out);
}

static size_t count(const struct drawn *drawn, const char *part)
{
	size_t found = 0;
	for (const char *at = strstr(drawn->out.ptr, part); at != NULL; at = strstr(at + 1, part)) {
		found++;
	}
	return found;
}

static void test_holes(void **state)
{
	/* Proves: a timeline has every hour from the first to the last, and those without rows are 0. */
	(void)state;
	struct drawn drawn;
	drawn_init(&drawn, DATASET_HOUR);
	add(&drawn, 59 * NS_PER_MIN);
	add(&drawn, 59 * NS_PER_MIN);
	add(&drawn, 3 * NS_PER_HOUR);
	draw(&drawn);
	assert_int_equal(count(&drawn, "\"label\""), 4);
	assert_int_equal(count(&drawn, "{\"label\":\"1970-01-01 00:00\",\"value\":2}"), 1);
	assert_int_equal(count(&drawn, "{\"label\":\"1970-01-01 02:00\",\"value\":0}"), 1);
	assert_int_equal(count(&drawn, "{\"label\":\"1970-01-01 03:00\",\"value\":1}"), 1);
	drawn_done(&drawn);
}

static void test_coarser(void **state)
{
	/* Proves: what would be too many hours becomes days, too many days months, and too many months years; no row is lost. */
	(void)state;
	static const struct {
		int64_t span_ns;
		const char *first, *last;
		size_t bars;
	} spans[] = {
		{20 * NS_PER_DAY, "1970-01-01", "1970-01-21", 21},
		{1000 * NS_PER_DAY, "1970-01", "1972-09", 33},
		{40000 * NS_PER_DAY, "1970", "2079", 110},
	};
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		struct drawn drawn;
		char label[64];
		drawn_init(&drawn, DATASET_HOUR);
		add(&drawn, 0);
		add(&drawn, NS_PER_HOUR);
		add(&drawn, spans[i].span_ns);
		draw(&drawn);
		assert_int_equal(count(&drawn, "\"label\""), spans[i].bars);
		(void)snprintf(label, sizeof(label), "[{\"label\":\"%s\",\"value\":2}",
			       spans[i].first);
		assert_int_equal(count(&drawn, label), 1);
		(void)snprintf(label, sizeof(label), "{\"label\":\"%s\",\"value\":1}]",
			       spans[i].last);
		assert_int_equal(count(&drawn, label), 1);
		drawn_done(&drawn);
	}
}

static void test_widest(void **state)
{
	/* Proves: the first and the last time there are make a chart, within the limit of bars. */
	(void)state;
	struct drawn drawn;
	drawn_init(&drawn, DATASET_MONTH);
	add(&drawn, INT64_MIN + NS_PER_DAY);
	add(&drawn, INT64_MAX - NS_PER_DAY);
	draw(&drawn);
	assert_true(count(&drawn, "\"label\"") <= REPORT_BARS_MAX);
	assert_true(count(&drawn, "\"label\"") > 300);
	assert_int_equal(count(&drawn, "\"value\":1}"), 2);
	drawn_done(&drawn);
}

static void test_summer(void **state)
{
	/* Proves: the hour that a zone has twice is one bar, and the one that it leaves out is none. */
	(void)state;
	struct drawn drawn;
	drawn_init(&drawn, DATASET_HOUR);
	assert_int_equal(zone_open(STR_LIT("Europe/Berlin"), NULL, &drawn.zone, &drawn.err), 0);
	const int64_t change_ns = INT64_C(1792890000000000000); /* 2026-10-25 01:00 UTC */
	add(&drawn, change_ns - 30 * NS_PER_MIN); /* 02:30 in summer, 02:30 in winter */
	add(&drawn, change_ns + 30 * NS_PER_MIN);
	add(&drawn, change_ns + 90 * NS_PER_MIN);
	draw(&drawn);
	assert_int_equal(count(&drawn, "\"label\""), 2);
	assert_int_equal(count(&drawn, "{\"label\":\"2026-10-25 02:00\",\"value\":2}"), 1);
	assert_int_equal(count(&drawn, "{\"label\":\"2026-10-25 03:00\",\"value\":1}"), 1);
	zone_close(&drawn.zone);
	drawn_done(&drawn);
}

static void test_empty(void **state)
{
	/* Proves: without rows there is no chart. */
	(void)state;
	struct drawn drawn;
	drawn_init(&drawn, DATASET_DAY);
	draw(&drawn);
	assert_int_equal(count(&drawn, "\"record\":\"chart\""), 0);
	drawn_done(&drawn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holes),  cmocka_unit_test(test_coarser),
		cmocka_unit_test(test_widest), cmocka_unit_test(test_summer),
		cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
