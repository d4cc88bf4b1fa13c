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
		static const uint64_t leaves[] = {1, 2, 3, 4, 5, 6};
		struct marks_block block = {leaves, 6, kinds, times};
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
		static const uint64_t leaves[] = {0, 1, 2};
		struct marks_block block = {leaves, 3, kinds, times};
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
	uint64_t *leaves = malloc(count * sizeof(*leaves));
	uint8_t *kinds = malloc(count);
	assert_true(times != NULL && leaves != NULL && kinds != NULL);
	for (size_t i = 0; i < count; i++) {
		leaves[i] = first + i;
		times[i] = (int64_t)(1000 * leaves[i]);
		kinds[i] = i % 3 == 0 ? RECORD_REQUEST : RECORD_STATEMENT;
	}
	kinds[count - 1] = RECORD_VERDICT;
	struct marks_block block = {leaves, count, kinds, times};
	marks_keep_times(marks, &block);
	free(times);
	free(leaves);
	free(kinds);
}

static void test_recent_times(void **state)
{
	/* Proves: a time is the leaf's own or unknown, never another leaf's: after many blocks, after one larger than the memory,
	 * after a hole and in a second pass. Those of the last block are known, but for records of other kinds. */
	(void)state;
	static const struct {
		uint64_t first;
		size_t count;
	} steps[] = {{0, 10}, {10, 20000}, {20010, 20000},        {50000, 7}, {50007, MARKS_RECENT},
		     {5, 5},  {10, 2},     {MARKS_RECENT - 5, 10}};
	struct marks marks;
	assert_int_equal(marks_init(&marks, 200000, 1), 0);
	for (uint64_t leaf = 0; leaf < 100; leaf++) {
		assert_true(marks_time(&marks, leaf) == MARKS_TIME_UNKNOWN);
	}
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		uint64_t last = steps[s].first + steps[s].count - 1;
		keep(&marks, steps[s].first, steps[s].count);
		for (uint64_t leaf = 0; leaf < 120000; leaf++) {
			int64_t time_ns = marks_time(&marks, leaf);
			bool known = leaf >= steps[s].first && leaf < last;
			assert_true(time_ns == (int64_t)(1000 * leaf) ||
				    (!known && time_ns == MARKS_TIME_UNKNOWN));
		}
		if (s == 0) {
			assert_true(marks_time(&marks, last) == MARKS_TIME_UNKNOWN);
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
