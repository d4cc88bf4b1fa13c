/* Civil time, RFC 3339 and durations read back what they write. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Known instants, both ways, also before 1970 and at the ends of int64. */
static void test_known(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} known[] = {
		{"1970-01-01T00:00:00.000000000Z", 0},
		{"2026-11-22T10:20:30.123456789Z", INT64_C(1795342830123456789)},
		{"2000-02-29T23:59:59.000000001Z", INT64_C(951868799000000001)},
		{"1969-12-31T23:59:59.999999999Z", -1},
		{"1677-09-21T00:12:43.145224193Z", INT64_MIN + 1},
		{"2262-04-11T23:47:16.854775807Z", INT64_MAX},
	};
	struct buf out;
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int64_t ns = 1;
		buf_clear(&out);
		clock_put_rfc3339(&out, known[i].ns, 9);
		assert_string_equal(out.ptr, known[i].text);
		if (known[i].ns > INT64_MIN + NS_PER_SEC) {
			assert_true(clock_parse_rfc3339(str_of(known[i].text), &ns));
			assert_true(ns == known[i].ns);
		}
	}
	buf_done(&out);
}

/* A time is cut, not rounded, to the digits asked for; the ends of int64 have four digits of year. */
static void test_digits(void **state)
{
	(void)state;
	static const char *const want[] = {
		"2026-11-02T03:04:05Z",        "2026-11-02T03:04:05.0Z",
		"2026-11-02T03:04:05.08Z",     "2026-11-02T03:04:05.089Z",
		"2026-11-02T03:04:05.0899Z",   "2026-11-02T03:04:05.08999Z",
		"2026-11-02T03:04:05.089999Z", "2026-11-02T03:04:05.0899990Z",
	};
	struct buf out;
	buf_init(&out, 0);
	for (int digits = 0; digits < 8; digits++) {
		buf_clear(&out);
		clock_put_rfc3339(&out, INT64_C(1793588645089999012), digits);
		assert_string_equal(out.ptr, want[digits]);
	}
	buf_clear(&out);
	clock_put_rfc3339(&out, INT64_MIN, 9);
	clock_put_rfc3339(&out, INT64_MAX, 9);
	assert_string_equal(out.ptr,
			    "1677-09-21T00:12:43.145224192Z2262-04-11T23:47:16.854775807Z");
	buf_done(&out);
}

/* Every day of 800 years goes there and back. */
static void test_days(void **state)
{
	(void)state;
	int64_t day = -100000;
	for (; day < 106000; day++) {
		struct civil civil;
		int64_t ns = 0;
		clock_to_civil(day * NS_PER_DAY + 1, &civil);
		assert_true(clock_from_civil(&civil, &ns));
		assert_true(ns == day * NS_PER_DAY + 1);
	}
}

/* Offsets, fractions, a space for the T, bare dates; and what is refused. */
static void test_parse(void **state)
{
	(void)state;
	int64_t a = 0, b = 1;
	assert_true(clock_parse_rfc3339(STR_LIT("2026-11-22T12:00:00+02:00"), &a));
	assert_true(clock_parse_rfc3339(STR_LIT("2026-11-22 10:00:00"), &b) && a == b);
	assert_true(clock_parse_rfc3339(STR_LIT("2026-11-22t10:00:00.0z"), &b) && a == b);
	assert_true(clock_parse_rfc3339(STR_LIT("2026-11-22"), &a));
	assert_true(b - a == 10 * NS_PER_HOUR);
	static const char *const wrong[] = {"",
					    "2026",
					    "2026-13-01",
					    "2026-02-29",
					    "2026-11-22T",
					    "2026-11-22T10:00",
					    "2026-11-22T10:00:00.",
					    "2026-11-22T24:00:00",
					    "2026-11-22T10:00:00+2",
					    "2026-11-22T10:00:00Zx",
					    "2026-11-22T10:00:00.1234567890Z",
					    "2263-01-01",
					    "x026-11-22",
					    "2026-11-22T10:00:00+24:00"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(clock_parse_rfc3339(str_of(wrong[i]), &a));
	}
}

/* Durations: units, fractions, limits, and a round trip. */
static void test_duration(void **state)
{
	(void)state;
	int64_t ns = 0;
	assert_true(clock_parse_duration(STR_LIT("250ms"), &ns) && ns == 250 * NS_PER_MS);
	assert_true(clock_parse_duration(STR_LIT("1.5h"), &ns) && ns == 90 * NS_PER_MIN);
	assert_true(clock_parse_duration(STR_LIT("2d"), &ns) && ns == 2 * NS_PER_DAY);
	assert_true(clock_parse_duration(STR_LIT("1w"), &ns) && ns == 7 * NS_PER_DAY);
	assert_true(clock_parse_duration(STR_LIT("3min"), &ns) && ns == 3 * NS_PER_MIN);
	static const char *const wrong[] = {"",    "5",   "ms",  "5x",
					    "-5s", "5 s", "1.s", "99999999999w"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(clock_parse_duration(str_of(wrong[i]), &ns));
	}
	static const int64_t values[] = {
		0, 1, 1500, 250 * NS_PER_MS, 90 * NS_PER_SEC, NS_PER_DAY, 3 * NS_PER_HOUR};
	struct buf out;
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		buf_clear(&out);
		clock_put_duration(&out, values[i]);
		assert_true(clock_parse_duration(buf_str(&out), &ns) && ns == values[i]);
	}
	buf_done(&out);
}

static int64_t fixed_now(void *owner)
{
	return *(int64_t *)owner;
}

/* A clock can be replaced, and the system's moves forward. */
static void test_clock(void **state)
{
	(void)state;
	int64_t now = 42;
	struct clock fake = {.now_ns = fixed_now, .owner = &now};
	assert_int_equal(clock_now(&fake), 42);
	struct clock real = clock_system();
	assert_true(clock_now(&real) > INT64_C(1700000000000000000));
	int64_t before = clock_monotonic_ns();
	assert_true(clock_monotonic_ns() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),    cmocka_unit_test(test_days),
		cmocka_unit_test(test_digits),   cmocka_unit_test(test_parse),
		cmocka_unit_test(test_duration), cmocka_unit_test(test_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
