#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/gauge.h"

#define MM 0.7213475204444817 /* 1 / (2 ln 2): what one more distinct value adds */

static void is_about(double got, double want)
{
	assert_true(got > want - 1e-9 && got < want + 1e-9);
}

static struct gauge *make(void)
{
	struct gauge *gauge = gauge_new();
	assert_non_null(gauge);
	return gauge;
}

static void codes_by_hand(void **state)
{
	/* Codes cost their entropy, and 1 / (2 ln 2) bits for each distinct one but the first. */
	(void)state;
	static const uint32_t even[] = {0, 0, 1, 1}, one_of_four[] = {0, 7, 7, 7},
			      same[] = {3, 3, 3};
	struct gauge *gauge = make();
	is_about(gauge_codes(gauge, even, NULL, 4), 4 + MM);
	/* 4 log2 4 - 3 log2 3 */
	is_about(gauge_codes(gauge, one_of_four, NULL, 4), 3.245112497836531 + MM);
	is_about(gauge_codes(gauge, same, NULL, 3), 0);
	is_about(gauge_codes(gauge, same, NULL, 0), 0);
	assert_false(gauge_failed(gauge));
	gauge_free(gauge);
}

static void codes_given_a_context(void **state)
{
	/* A code that follows from its context costs nothing; contexts need not stand together. */
	(void)state;
	static const uint32_t codes[] = {0, 1, 0, 1, 0, 2}, follows[] = {9, 4, 9, 4, 9, 5};
	static const uint32_t half[] = {9, 4, 9, 4, 9, 4};
	struct gauge *gauge = make();
	is_about(gauge_codes(gauge, codes, follows, 6), 0);
	/* in context 4 two of 1 and one of 2: 3 log2 3 - 2 */
	is_about(gauge_codes(gauge, codes, half, 6), 2.754887502163469 + MM);
	gauge_free(gauge);
}

static void numbers_that_repeat(void **state)
{
	/* Numbers that come often enough are judged whole, however large they are. */
	(void)state;
	uint64_t numbers[32];
	struct gauge *gauge = make();
	for (size_t i = 0; i < 32; i++) {
		numbers[i] = i % 2 == 0 ? 0 : UINT64_MAX;
	}
	is_about(gauge_bucket(gauge, numbers, 32), 32 + MM);
	is_about(gauge_rest(gauge), 0);
	gauge_free(gauge);
}

static void numbers_that_come_once(void **state)
{
	/* Numbers that come once are cut: the entropy of the magnitudes and the bits below. 8..15 are four magnitudes of two numbers with
	 * a bit below, 16..23 two of four with two: 16 log2 16 - 4 * 2 log2 2 - 2 * 4 log2 4 = 40, and 24 below. */
	(void)state;
	uint64_t numbers[16];
	struct gauge *gauge = make();
	for (size_t i = 0; i < 16; i++) {
		numbers[i] = 8 + (i * 5) % 16;
	}
	is_about(gauge_bucket(gauge, numbers, 16), 64 + 5 * MM);
	gauge_free(gauge);
}

static void small_buckets_are_taken_together(void **state)
{
	/* Buckets too small to tell anything are one bucket in the end, and only once. */
	(void)state;
	static const uint64_t zeros[8] = {0}, ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	struct gauge *gauge = make();
	is_about(gauge_bucket(gauge, zeros, 8), 0);
	is_about(gauge_bucket(gauge, ones, 8), 0);
	is_about(gauge_rest(gauge), 16 + MM);
	is_about(gauge_rest(gauge), 0);
	gauge_free(gauge);
}

static void words_are_new_once(void **state)
{
	/* A text of a list counts once for lists of one name, and again for those of another. */
	(void)state;
	const struct str texts[] = {STR_LIT("a"), STR_LIT("b"), STR_LIT("")};
	struct gauge *gauge = make();
	assert_int_equal(gauge_words(gauge, STR_LIT("user"), texts, 2), 2);
	assert_int_equal(gauge_words(gauge, STR_LIT("user"), texts, 3), 1);
	assert_int_equal(gauge_words(gauge, STR_LIT("route"), texts, 3), 3);
	gauge_free(gauge);
}

static void never_more_than_stored(void **state)
{
	/* What is added is bounded by the bytes that are stored, and taken once. */
	(void)state;
	struct gauge *gauge = make();
	gauge_add(gauge, 65535, 100, 10);
	gauge_add(gauge, 65535, 7, 10);
	is_about(gauge_take(gauge, 65535), 87);
	is_about(gauge_take(gauge, 65535), 0);
	gauge_free(gauge);
	gauge_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_by_hand),
		cmocka_unit_test(codes_given_a_context),
		cmocka_unit_test(numbers_that_repeat),
		cmocka_unit_test(numbers_that_come_once),
		cmocka_unit_test(small_buckets_are_taken_together),
		cmocka_unit_test(words_are_new_once),
		cmocka_unit_test(never_more_than_stored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
