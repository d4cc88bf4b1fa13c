/* The map of bytes keeps copies of its keys and survives many puts and removals. */
#include "base/buf.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Keys are copied, may hold NULs, and all of them are found, changed, walked and removed. */
static void test_many(void **state)
{
	(void)state;
	struct strmap map;
	struct buf key;
	strmap_init(&map, 100000);
	buf_init(&key, 0);
	for (uint64_t i = 0; i < 5000; i++) {
		buf_clear(&key);
		buf_put(&key, "k\0", 2);
		buf_put_u64(&key, i);
		assert_int_equal(strmap_put(&map, buf_str(&key), i), 0);
	}
	for (uint64_t i = 0; i < 5000; i += 2) {
		buf_clear(&key);
		buf_put(&key, "k\0", 2);
		buf_put_u64(&key, i);
		assert_true(strmap_remove(&map, buf_str(&key)));
		assert_false(strmap_remove(&map, buf_str(&key)));
	}
	for (uint64_t i = 0; i < 5000; i++) {
		buf_clear(&key);
		buf_put(&key, "k\0", 2);
		buf_put_u64(&key, i);
		const uint64_t *value = strmap_get(&map, buf_str(&key));
		assert_int_equal(value != NULL, i % 2);
		assert_true(value == NULL || *value == i);
	}
	size_t cursor = 0, seen = 0;
	struct str name;
	uint64_t value;
	while (strmap_next(&map, &cursor, &name, &value)) {
		assert_true(name.len > 2 && value % 2 == 1);
		seen++;
	}
	assert_int_equal(seen, 2500);
	buf_done(&key);
	strmap_done(&map);
}

/* The limit is told; the empty key is a key. */
static void test_limit(void **state)
{
	(void)state;
	struct strmap map;
	strmap_init(&map, 1);
	assert_null(strmap_get(&map, STR_LIT("")));
	assert_int_equal(strmap_put(&map, STR_LIT(""), 3), 0);
	assert_int_equal(*strmap_get(&map, STR_LIT("")), 3);
	assert_int_equal(strmap_put(&map, STR_LIT("b"), 3), -ERR_LIMIT);
	strmap_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
