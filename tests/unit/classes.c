#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/classes.h"
#include "tests/unit/streams-fixture.h"

#define COUNT  20000
#define GROUPS 100

static void test_alike(void **state)
{
	/* Proves: groups of one nature stay in one class, and so does a column without groups or of few bytes. */
	(void)state;
	static uint8_t bytes[COUNT];
	static uint32_t ends[GROUPS];
	struct streams_fixture random = {.seed = 1};
	struct classes classes;
	for (size_t i = 0; i < COUNT; i++) {
		bytes[i] = (uint8_t)(fixture_random(&random) % 11);
	}
	for (uint32_t g = 0; g < GROUPS; g++) {
		ends[g] = (g + 1) * (COUNT / GROUPS);
	}
	struct classes_input inputs[] = {{bytes, ends, COUNT, GROUPS},
					 {bytes, NULL, COUNT, 0},
					 {bytes, ends, COUNT / GROUPS, 1}};
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(classes_make(&inputs[k], &classes), 0);
		assert_int_equal(classes.count, 1);
		assert_null(classes.of);
		assert_in_range(classes.bits, inputs[k].count * 3, inputs[k].count * 4);
		classes_done(&classes);
	}
}

static void test_two_natures(void **state)
{
	/* Proves: groups of two natures are told apart, all of one in the same classes, and the estimate is that of both. */
	(void)state;
	static uint8_t bytes[COUNT];
	static uint32_t ends[GROUPS];
	struct streams_fixture random = {.seed = 1};
	struct classes classes;
	for (uint32_t i = 0; i < COUNT; i++) { /* even groups: always 3; odd ones: 16 alike */
		bool is_odd = i / (COUNT / GROUPS) % 2 != 0;
		bytes[i] = (uint8_t)(is_odd ? fixture_random(&random) % 16 : 3);
	}
	for (uint32_t g = 0; g < GROUPS; g++) {
		ends[g] = (g + 1) * (COUNT / GROUPS);
	}
	struct classes_input input = {bytes, ends, COUNT, GROUPS};
	assert_int_equal(classes_make(&input, &classes), 0);
	assert_in_range(classes.count, 2, 4);
	for (size_t g = 2; g < GROUPS; g += 2) {
		assert_int_equal(classes.of[g], classes.of[0]);
		assert_true(classes.of[g + 1] != classes.of[0]);
	}
	assert_in_range(classes.bits, COUNT * 2, COUNT * 2 + 500);
	classes_done(&classes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_two_natures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
