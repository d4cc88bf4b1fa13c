/* Finding items of an array by key. */
#include "correlator/join/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT 1000

static uint64_t bad_hash(const void *owner, uint32_t index)
{
	return ((const uint64_t *)owner)[index] % 7; /* many keys share a hash */
}

static bool equal(const void *owner, uint32_t index, const void *key)
{
	return ((const uint64_t *)owner)[index] == *(const uint64_t *)key;
}

/* Every item is found again through growth and collisions, and nothing that was not put. */
static void test_put_find(void **state)
{
	(void)state;
	static const struct slots_type type = {.hash = bad_hash, .equal = equal};
	static uint64_t items[COUNT];
	struct slots slots = {0};
	uint64_t key = 5;
	assert_int_equal(slots_find(&slots, &type, items, 5, &key), SLOTS_NONE);
	for (uint32_t i = 0; i < COUNT; i++) {
		items[i] = i * 3;
		assert_int_equal(slots_put(&slots, &type, items, i), 0);
	}
	for (uint64_t wanted = 0; wanted < COUNT * 3; wanted++) {
		uint32_t found = slots_find(&slots, &type, items, wanted % 7, &wanted);
		assert_int_equal(found, wanted % 3 == 0 ? (uint32_t)wanted / 3 : SLOTS_NONE);
	}
	slots_done(&slots);
	assert_int_equal(slots.slot_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_put_find)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
