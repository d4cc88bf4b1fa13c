/* Fingerprints: SipHash with 128 bits. */
#include "correlator/join/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The vectors of SipHash-2-4-128 (reference implementation, vectors.h) come out: key 00..0f, input 00, 01, ... */
static void test_vectors(void **state)
{
	(void)state;
	static const struct hash_key key = {.k0 = 0x0706050403020100ULL,
					    .k1 = 0x0f0e0d0c0b0a0908ULL};
	static const char input[] = "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16";
	static const struct {
		size_t len;
		uint8_t want[16];
	} vectors[] = {
		{0,
		 {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
		  0x55, 0x02, 0x93}},
		{1,
		 {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
		  0x22, 0xfc, 0x45}},
		{15,
		 {0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97,
		  0xcf, 0xc3, 0xd9}},
	};
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		struct fingerprint print = fingerprint_of(&key, str_make(input, vectors[i].len));
		uint8_t have[16];
		memcpy(have, &print.lo, 8);
		memcpy(have + 8, &print.hi, 8);
		assert_memory_equal(have, vectors[i].want, 16);
	}
}

/* Another key, another text or another number gives another fingerprint; the fixed one is the same in each run. */
static void test_differences(void **state)
{
	(void)state;
	struct hash_key a = {1, 2}, b = {1, 3};
	struct fingerprint print = fingerprint_of(&a, STR_LIT("qt1"));
	assert_true(fingerprint_equal(print, fingerprint_of(&a, STR_LIT("qt1"))));
	assert_false(fingerprint_equal(print, fingerprint_of(&b, STR_LIT("qt1"))));
	assert_false(fingerprint_equal(print, fingerprint_of(&a, STR_LIT("qt0"))));
	assert_false(fingerprint_equal(fingerprint_with(print, 0), print));
	assert_false(fingerprint_equal(fingerprint_with(print, 0), fingerprint_with(print, 1)));
	assert_true(fingerprint_fixed(STR_LIT("row1")).lo == fingerprint_fixed(STR_LIT("row1")).lo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_differences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
