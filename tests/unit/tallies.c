/* Lateness falls into its class, and the line for people names what there is. */
#include "collector/sources/cloudwatch/tallies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each border belongs to the class below it. */
static void test_classes(void **state)
{
	(void)state;
	struct tallies tallies = {0};
	static const int64_t late_ms[] = {-5,    0,      1000,    1001,    10000,   30000,
					  60000, 300000, 1800000, 7200000, 7200001, INT64_MAX};
	static const uint64_t expected[TALLIES_CLASSES] = {3, 2, 1, 1, 1, 1, 1, 2};

	for (size_t i = 0; i < sizeof(late_ms) / sizeof(late_ms[0]); i++) {
		tallies_late(&tallies, late_ms[i]);
	}
	assert_memory_equal(tallies.late, expected, sizeof(expected));
}

/* What is zero is left out, but for the two figures that size the overlap. */
static void test_text(void **state)
{
	(void)state;
	struct tallies tallies = {0};
	struct buf out;

	buf_init(&out, 0);
	tallies_put(&tallies, &out);
	assert_string_equal(out.ptr, "lines 0, found only by sweeps 0");
	buf_clear(&out);
	tallies =
		(struct tallies){.lines = 5, .rejects = 1, .found_by_sweep = 2, .late = {3, 0, 2}};
	tallies_put(&tallies, &out);
	assert_string_equal(
		out.ptr,
		"lines 5, found only by sweeps 2, rejects 1; visible after <=1s 3, <=30s 2");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes),
					   cmocka_unit_test(test_text)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
