/* The integer map agrees with a plain array under puts, changes and removals. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KEYS 1000

/* A long random mix of put, get and remove on few keys gives what an array gives. */
static void test_model(void **state)
{
	(void)state;
	static uint64_t model[KEYS];
	static bool there[KEYS];
	struct u64map map;
	u64map_init(&map, KEYS);
	uint64_t random = 1;
	size_t count = 0;
	for (int i = 0; i < 200000; i++) {
		random = hash_u64(random + (uint64_t)i);
		uint64_t key = random % KEYS;
		if (random >> 60 < 7) {
			assert_int_equal(u64map_remove(&map, key), there[key]);
			count -= there[key];
			there[key] = false;
		} else {
			assert_int_equal(u64map_put(&map, key, random), 0);
			count += !there[key];
			there[key] = true;
			model[key] = random;
		}
		uint64_t other = (random >> 20) % KEYS;
		const uint64_t *value = u64map_get(&map, other);
		assert_int_equal(value != NULL, there[other]);
		assert_true(value == NULL || *value == model[other]);
	}
	size_t cursor = 0, seen = 0;
	uint64_t key, value;
	while (u64map_next(&map, &cursor, &key, &value)) {
		assert_true(there[key] && model[key] == value);
		seen++;
	}
	assert_int_equal(seen, count);
	u64map_done(&map);
}

/* The limit is told, and changing what is there is still possible. */
static void test_limit(void **state)
{
	(void)state;
	struct u64map map;
	u64map_init(&map, 2);
	assert_null(u64map_get(&map, 0));
	assert_false(u64map_remove(&map, 0));
	assert_int_equal(u64map_put(&map, 0, 1), 0);
	assert_int_equal(u64map_put(&map, 5, 1), 0);
	assert_int_equal(u64map_put(&map, 6, 1), -ERR_LIMIT);
	assert_int_equal(u64map_put(&map, 5, 9), 0);
	assert_int_equal(*u64map_get(&map, 5), 9);
	u64map_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
