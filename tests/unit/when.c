#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "query/when.h"

#include <stdlib.h>

#define NOW (INT64_C(1795341600) * NS_PER_SEC) /* 2026-11-22T10:00:00Z, a Sunday */

static void test_grammar(void **state)
{
	/* Proves: every spelling names the span that people mean. */
	(void)state;
	static const struct {
		const char *text, *from, *to;
	} cases[] = {
		{"2026-11-22", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		{"2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"2026", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"2026-11-22T10:00", "2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z"},
		{"2026-11-22 10:00:05", "2026-11-22T10:00:05Z", "2026-11-22T10:00:06Z"},
		{"2026-11-22t10:00:05.25z", "2026-11-22T10:00:05.25Z", "2026-11-22T10:00:05.26Z"},
		{"2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z", "2026-11-22T08:00:01Z"},
		{"2026-11-22T10:00:00-0130", "2026-11-22T11:30:00Z", "2026-11-22T11:30:01Z"},
		{"10:30", "2026-11-22T10:30:00Z", "2026-11-22T10:31:00Z"},
		{"now", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000001Z"},
		{"Today", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"yesterday", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
		{"this week", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"last-week", "2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z"},
		{"this month", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		{"last_month", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"},
		{"this-year", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"2h", "2026-11-22T08:00:00Z", "2026-11-22T08:00:00.000000001Z"},
		{"2 hours ago", "2026-11-22T08:00:00Z", "2026-11-22T08:00:00.000000001Z"},
		{"1.5 days", "2026-11-20T22:00:00Z", "2026-11-20T22:00:00.000000001Z"},
		{"90s", "2026-11-22T09:58:30Z", "2026-11-22T09:58:30.000000001Z"},
		{"1w", "2026-11-15T10:00:00Z", "2026-11-15T10:00:00.000000001Z"},
		{" 250ms ", "2026-11-22T09:59:59.75Z", "2026-11-22T09:59:59.750000001Z"},
		{"@1795341600.5", "2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00.500000001Z"},
	};
	struct zone zone = zone_utc();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct when when;
		int64_t from;
		int64_t to;
		assert_int_equal(when_parse(str_of(cases[i].text), &zone, NOW, &when, NULL), 0);
		assert_true(clock_parse_rfc3339(str_of(cases[i].from), &from));
		assert_true(clock_parse_rfc3339(str_of(cases[i].to), &to));
		if (when.from_ns != from || when.to_ns != to) {
			print_error("%s\n", cases[i].text);
		}
		assert_true(when.from_ns == from);
		assert_true(when.to_ns == to);
	}
}

static void test_refused(void **state)
{
	/* Proves: what is no time is ERR_USAGE with examples, and the output stays. */
	(void)state;
	static const char *const cases[] = {
		"",
		"soon",
		"2026-13",
		"2026-02-30",
		"2026-11-22T",
		"2026-11-22T25:00",
		"2026-11-22T10:60",
		"2026-11-22T10:00:00+99:00",
		"2h3",
		"h",
		"2 fortnights",
		"@",
		"@x",
		"99999999999999d",
		"10:3",
		"2026-11-22x",
		"26-11-22",
		"0001-01-01",
		"9999-01-01",
		"2026-11-22T10:00:00.",
	};
	struct zone zone = zone_utc();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct when when = {1, 2};
		struct error err;
		if (when_parse(str_of(cases[i]), &zone, NOW, &when, &err) != -ERR_USAGE) {
			print_error("%s\n", cases[i]);
			fail();
		}
		assert_non_null(strstr(err.text, "is not a time; say"));
		assert_true(when.from_ns == 1 && when.to_ns == 2);
	}
}

static void test_round_trip(void **state)
{
	/* Proves: whatever is printed, in any zone and with any number of digits, is read back as a span that holds it. */
	(void)state;
	struct zone zones[3] = {zone_utc(), zone_utc(), zone_utc()};
	assert_int_equal(zone_open(STR_LIT("-03:30"), NULL, &zones[1], NULL), 0);
	assert_int_equal(zone_open(STR_LIT("+14:00"), NULL, &zones[2], NULL), 0);
	uint64_t seed = 7;
	for (int i = 0; i < 20000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		int64_t ns = (int64_t)(seed % (UINT64_C(4000000000) * 1000000000)) -
			     INT64_C(1000000000) * 1000000000;
		const struct zone *zone = &zones[i % 3];
		int digits = i % 10;
		struct buf buf;
		buf_init(&buf, 0);
		when_put(&buf, zone, ns, digits, i % 2 == 0);
		assert_int_equal(str_slice(buf_str(&buf), 0, when_width(digits)).len,
				 when_width(digits));
		struct when when;
		assert_int_equal(when_parse(buf_str(&buf), zone, NOW, &when, NULL), 0);
		assert_true(ns >= when.from_ns && ns < when.to_ns);
		assert_true(digits < 9 || when.from_ns == ns);
		buf_done(&buf);
	}
	struct buf buf;
	buf_init(&buf, 0);
	when_put(&buf, &zones[2], INT64_MAX, 9, true); /* must not overflow */
	when_put(&buf, &zones[1], INT64_MIN, 9, true);
	assert_false(buf.failed);
	buf_done(&buf);
}

static void test_age(void **state)
{
	/* Proves: ages are said in the unit that a person would take. */
	(void)state;
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {{-1, "0 s"},
		     {NS_PER_SEC * 3, "3 s"},
		     {NS_PER_MIN * 12, "12 min"},
		     {NS_PER_HOUR * 5, "5 h"},
		     {NS_PER_DAY * 9, "9 days"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf buf;
		buf_init(&buf, 0);
		when_put_age(&buf, cases[i].ns - (cases[i].ns < 0 ? NS_PER_SEC : 0));
		assert_true(str_is(buf_str(&buf), cases[i].want));
		buf_done(&buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
