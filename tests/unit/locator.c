#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/log/locator.h"

#include <string.h>

static struct merkle_hash hash_of(uint32_t number)
{
	struct merkle_hash hash;
	digest_sha256(str_make((const char *)&number, sizeof number), hash.bytes);
	return hash;
}

/* The locator of a group in which leaves were replaced. */
static struct locator group_with(const unsigned *places, size_t count)
{
	struct locator locator = {{0}};
	for (unsigned i = 0; i < LOCATOR_GROUP; i++) {
		uint32_t number = i;
		for (size_t k = 0; k < count; k++) {
			number += places[k] == i ? 100000 : 0;
		}
		struct merkle_hash hash = hash_of(number);
		locator_add(&locator, &hash);
	}
	return locator;
}

static void wrong_leaves_are_named(void **state)
{
	/* each single leaf, and each pair that is tried, is told by its place */
	struct locator was = group_with(NULL, 0);
	unsigned found[LOCATOR_MAX];
	(void)state;
	for (unsigned i = 0; i < LOCATOR_GROUP; i++) {
		struct locator is = group_with(&i, 1);
		assert_int_equal(locator_find(&was, &is, found), 1);
		assert_int_equal(found[0], i);
	}
	for (unsigned i = 0; i < LOCATOR_GROUP; i += 17) {
		for (unsigned j = i + 1; j < LOCATOR_GROUP; j += 23) {
			const unsigned both[] = {i, j};
			struct locator is = group_with(both, 2);
			assert_int_equal(locator_find(&was, &is, found), 2);
			assert_true(found[0] == i && found[1] == j);
		}
	}
}

static void others_are_not_guessed(void **state)
{
	/* equal groups, and those with three wrong leaves, name none */
	struct locator was = group_with(NULL, 0);
	unsigned found[LOCATOR_MAX];
	(void)state;
	assert_int_equal(locator_find(&was, &was, found), 0);
	for (unsigned i = 0; i < 8; i++) {
		const unsigned three[] = {i, 100 + i, 250 - i};
		struct locator is = group_with(three, 3);
		assert_int_equal(locator_find(&was, &is, found), 0);
	}
}

static void bytes_come_back(void **state)
{
	/* a group of one leaf: the sums are what the format says; and bytes are read back */
	struct locator locator = {{0}};
	struct merkle_hash hash = {{0x34, 0x12}};
	uint8_t bytes[LOCATOR_BYTES];
	(void)state;
	locator_add(&locator, &hash);
	locator_put(&locator, bytes);
	assert_memory_equal(bytes, "\x34\x12\x34\x12\x34\x12\x34\x12", LOCATOR_BYTES);
	locator_add(&locator, &hash); /* times x, x^2, x^3, and the value again */
	assert_int_equal(locator.sum[0], 0);
	assert_int_equal(locator.sum[1], 0x2468 ^ 0x1234);
	assert_int_equal(locator.sum[2], 0x48d0 ^ 0x1234);
	assert_int_equal(locator.sum[3], 0x91a0 ^ 0x1234);
	locator_put(&locator, bytes);
	struct locator back = locator_get(bytes);
	assert_memory_equal(&back, &locator, sizeof back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_leaves_are_named),
		cmocka_unit_test(others_are_not_guessed),
		cmocka_unit_test(bytes_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
