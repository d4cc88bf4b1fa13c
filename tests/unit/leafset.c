#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/leafset.h"

#include <stdlib.h>

static void add(struct leafset *set, uint64_t first, uint64_t last)
{
	struct error err;
	assert_int_equal(leafset_add(set, first, last, &err), 0);
}

static void runs_that_touch_become_one(void **state)
{
	/* whatever order leaves come in, a settled set has rising runs with room between them */
	struct leafset set;
	(void)state;
	leafset_init(&set);
	add(&set, 10, 12);
	add(&set, 13, 13);
	add(&set, 2, 4);
	add(&set, 3, 8);
	add(&set, 9, 9);
	add(&set, 20, 20);
	leafset_settle(&set);
	assert_int_equal(set.run_count, 2);
	assert_int_equal(set.runs[0].first, 2);
	assert_int_equal(set.runs[0].last, 13);
	assert_int_equal(leafset_count(&set), 13);
	assert_true(leafset_has(&set, 2) && leafset_has(&set, 13) && leafset_has(&set, 20));
	assert_false(leafset_has(&set, 1) || leafset_has(&set, 14) || leafset_has(&set, 21));
	assert_true(leafset_meets(&set, 14, 20));
	assert_false(leafset_meets(&set, 14, 19));
	for (uint64_t first = 0; first < 32; first++) {
		for (uint64_t last = first; last < 32; last++) {
			bool all = true;
			for (uint64_t leaf = first; leaf <= last; leaf++) {
				all = all && leafset_has(&set, leaf);
			}
			assert_int_equal(leafset_covers(&set, first, last), all);
		}
	}
	leafset_done(&set);
}

static void it_agrees_with_a_table(void **state)
{
	/* against an array of flags: membership, count, what two sets share, and union, for random sets */
	enum { LEAVES = 200 };
	(void)state;
	srand(7);
	for (int round = 0; round < 200; round++) {
		struct leafset sets[2];
		bool flags[2][LEAVES] = {{false}};
		uint64_t shared = 0;
		for (int k = 0; k < 2; k++) {
			leafset_init(&sets[k]);
			for (int i = 0; i < round % 17; i++) {
				uint64_t first = (uint64_t)rand() % (LEAVES - 9);
				uint64_t last = first + (uint64_t)rand() % 9;
				add(&sets[k], first, last);
				memset(&flags[k][first], true, (size_t)(last - first) + 1);
			}
			leafset_settle(&sets[k]);
		}
		for (uint64_t leaf = 0; leaf < LEAVES; leaf++) {
			assert_int_equal(leafset_has(&sets[0], leaf), flags[0][leaf]);
			shared += flags[0][leaf] && flags[1][leaf] ? 1 : 0;
		}
		assert_int_equal(leafset_shared(&sets[0], &sets[1]), shared);
		uint64_t sum = leafset_count(&sets[0]) + leafset_count(&sets[1]);
		struct error err;
		assert_int_equal(leafset_unite(&sets[0], &sets[1], &err), 0);
		assert_int_equal(leafset_count(&sets[0]), sum - shared);
		leafset_done(&sets[0]);
		leafset_done(&sets[1]);
	}
}

static void the_code_gives_the_set_back(void **state)
{
	/* encode and decode; and what is no code is refused and leaves an empty set */
	struct leafset set, back;
	struct buf code;
	struct error err;
	(void)state;
	leafset_init(&set);
	leafset_init(&back);
	buf_init(&code, 1000);
	add(&set, 0, 0);
	add(&set, 5, 300);
	add(&set, 1u << 30, 1u << 30);
	leafset_encode(&set, &code);
	assert_int_equal(leafset_decode(buf_str(&code), &back, &err), 0);
	assert_int_equal(back.run_count, 3);
	assert_memory_equal(back.runs, set.runs, 3 * sizeof set.runs[0]);
	leafset_clear(&back);
	struct str cut = str_slice(buf_str(&code), 0, code.len - 1);
	assert_int_equal(leafset_decode(cut, &back, &err), -ERR_CORRUPT);
	assert_int_equal(back.run_count, 0);
	assert_int_equal(leafset_decode(STR_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01"),
					&back, &err),
			 -ERR_CORRUPT);
	buf_done(&code);
	leafset_done(&set);
	leafset_done(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_that_touch_become_one),
		cmocka_unit_test(it_agrees_with_a_table),
		cmocka_unit_test(the_code_gives_the_set_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
