#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/marks.h"

#include <stdlib.h>

static void test_kinds_and_bounds(void **state)
{
	/* Proves: statements outside the bounds have no mark, requests outside have one of their own, other kinds never have one,
	 * and past the end there is none. */
	(void)state;
	static const uint8_t kinds[] = {RECORD_REQUEST,   RECORD_STATEMENT, RECORD_VERDICT,
					RECORD_STATEMENT, RECORD_REQUEST,   RECORD_GAP};
	static const int64_t times[] = {10, 10, 10, 20, 20, 20};
	static const struct {
		int64_t from_ns, to_ns;
		enum mark want[6];
	} cases[] = {
		{INT64_MIN,
		 INT64_MAX,
		 {MARK_REQUEST_IN_RANGE, MARK_STATEMENT, MARK_NONE, MARK_STATEMENT,
		  MARK_REQUEST_IN_RANGE, MARK_NONE}},
		{INT64_MIN,
		 20,
		 {MARK_REQUEST_IN_RANGE, MARK_STATEMENT, MARK_NONE, MARK_NONE, MARK_REQUEST,
		  MARK_NONE}},
		{11,
		 INT64_MAX,
		 {MARK_REQUEST, MARK_NONE, MARK_NONE, MARK_STATEMENT, MARK_REQUEST_IN_RANGE,
		  MARK_NONE}},
	};
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct marks marks;
		struct plan plan = {.from_ns = cases[c].from_ns, .to_ns = cases[c].to_ns};
		struct marks_block block = {1, 6, kinds, times};
		assert_int_equal(marks_init(&marks, 7, 1), 0);
		marks_add_block(&marks, &plan, &block);
		assert_int_equal(marks_kind(&marks, 0), MARK_NONE);
		for (uint64_t i = 0; i < 6; i++) {
			assert_int_equal(marks_kind(&marks, i + 1), cases[c].want[i]);
		}
		assert_int_equal(marks_kind(&marks, 7), MARK_NONE);
		assert_int_equal(marks_kind(&marks, UINT64_MAX), MARK_NONE);
		marks_done(&marks);
	}
}

static void test_parts_apart(void **state)
{
	/* Proves: kind, row, grade and atoms of a leaf do not touch each other or the neighbours, inline and beside the marks. */
	(void)state;
	static const size_t atom_counts[] = {0, 1, 2, 3, 8, 9, 64};
	static const uint8_t kinds[] = {RECORD_STATEMENT, RECORD_STATEMENT, RECORD_STATEMENT};
	static const int64_t times[] = {1, 2, 3};
	for (size_t c = 0; c < sizeof(atom_counts) / sizeof(atom_counts[0]); c++) {
		struct marks marks;
		struct plan plan = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
		struct marks_block block = {0, 3, kinds, times};
		uint64_t all =
			atom_counts[c] == 64 ? UINT64_MAX : (UINT64_C(1) << atom_counts[c]) - 1;
		uint64_t top = all ^ all >> 1;
		assert_int_equal(marks_init(&marks, 3, atom_counts[c]), 0);
		marks_add_block(&marks, &plan, &block);
		for (int grade = 0; grade < GRADE_COUNT; grade++) {
			marks_set_grade(&marks, 1, (enum grade)grade);
			assert_int_equal(marks_grade(&marks, 1), grade);
			assert_int_equal(marks_kind(&marks, 1), MARK_STATEMENT);
			assert_true(marks_bits(&marks, 1) == 0);
		}
		marks_add_bits(&marks, 1, top);
		assert_true(marks_bits(&marks, 1) == top);
		marks_add_bits(&marks, 1, all);
		marks.mark[1] |= MARKS_ROW;
		assert_true(marks_bits(&marks, 1) == all);
		assert_int_equal(marks_grade(&marks, 1), GRADE_COUNT - 1);
		assert_int_equal(marks_kind(&marks, 1), MARK_STATEMENT);
		marks.mark[1] &= (uint8_t)~MARKS_ROW;
		assert_true(marks_bits(&marks, 1) == all);
		assert_true(marks_bits(&marks, 0) == 0 && marks_bits(&marks, 2) == 0);
		assert_int_equal(marks_grade(&marks, 0), GRADE_PENDING);
		marks_done(&marks);
	}
}

static void keep(struct marks *marks, uint64_t first, size_t count)
{
	int64_t *times = malloc(count * sizeof(*times));
	assert_non_null(times);
	for (size_t i = 0; i < count; i++) {
		times[i] = (int64_t)(1000 * (first + i));
	}
	struct marks_block block = {first, count, NULL, times};
	marks_keep_times(marks, &block);
	free(times);
}

static void test_recent_times(void **state)
{
	/* Proves: a time is the leaf's own or unknown, never another leaf's: after many blocks, after one larger than the memory,
	 * after a hole and in a second pass. */
	(void)state;
	static const struct {
		uint64_t first;
		size_t count;
		uint64_t from, to; /* whose times are known then */
	} steps[] = {
		{0, 10, 0, 10},
		{10, 20000, 0, 20010},
		{20010, 20000, 40010 - MARKS_RECENT, 40010},
		{50000, 7, 50000, 50007},
		{50007, 65536, 115543 - MARKS_RECENT, 115543},
		{5, 5, 5, 10},
		{10, 1, 5, 11},
	};
	struct marks marks;
	assert_int_equal(marks_init(&marks, 200000, 1), 0);
	for (uint64_t leaf = 0; leaf < 100; leaf++) {
		assert_true(marks_time(&marks, leaf) == MARKS_TIME_UNKNOWN);
	}
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		keep(&marks, steps[s].first, steps[s].count);
		for (uint64_t leaf = 0; leaf < 120000; leaf++) {
			bool known = leaf >= steps[s].from && leaf < steps[s].to;
			assert_true(marks_time(&marks, leaf) ==
				    (known ? (int64_t)(1000 * leaf) : MARKS_TIME_UNKNOWN));
		}
	}
	marks_done(&marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_and_bounds),
		cmocka_unit_test(test_parts_apart),
		cmocka_unit_test(test_recent_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
