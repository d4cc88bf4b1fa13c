/* SipHash gives the published values; the maps behave like a list under random work. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The reference vector of the paper: key 00..0f, message 00..0e. */
static void test_vector(void **state)
{
	(void)state;
	struct hash_key key = {.k0 = UINT64_C(0x0706050403020100),
			       .k1 = UINT64_C(0x0f0e0d0c0b0a0908)};
	char message[15];
	for (size_t i = 0; i < sizeof(message); i++) {
		message[i] = (char)i;
	}
	assert_true(hash_bytes(&key, str_make(message, 15)) == UINT64_C(0xa129ca6149be45e5));
	assert_true(hash_bytes(&key, str_make(message, 0)) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(hash_bytes(&key, str_make(message, 8)) == UINT64_C(0x93f5f5799a932462));
}

/* Two random keys differ. */
static void test_key(void **state)
{
	(void)state;
	struct hash_key a = hash_key_random();
	struct hash_key b = hash_key_random();
	assert_true(a.k0 != b.k0 || a.k1 != b.k1);
	assert_true(hash_u64(1) != hash_u64(2));
}

/* The fast hash tells bytes apart by each bit, by their length, and by the key. */
static void fast(void **state)
{
	(void)state;
	const struct hash_key key = {1, 2}, other = {1, 3};
	char bytes[100] = {0};
	uint64_t seen[100 * 8 + 100];
	size_t count = 0;
	for (size_t len = 0; len < sizeof bytes; len++) {
		seen[count++] = hash_fast(&key, str_make(bytes, len));
	}
	for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
		bytes[bit / 8] = (char)(1 << bit % 8);
		seen[count++] = hash_fast(&key, str_make(bytes, sizeof bytes));
		assert_true(seen[count - 1] == hash_fast(&key, str_make(bytes, sizeof bytes)));
		assert_true(seen[count - 1] != hash_fast(&other, str_make(bytes, sizeof bytes)));
		bytes[bit / 8] = 0;
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_true(seen[i] != seen[k]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_key),
		cmocka_unit_test(fast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
