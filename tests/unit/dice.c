#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/dice.h"

#include <math.h>
#include <string.h>

#define DRAWS 200000

static double bits_per_draw(const struct dice *dice, enum world_field field)
{
	return dice->bits[field] / DRAWS;
}

static void test_same_seed(void **state)
{
	/* Proves: a seed decides the whole sequence, another seed gives another one. */
	(void)state;
	struct dice a, b, c;
	dice_init(&a, 7);
	dice_init(&b, 7);
	dice_init(&c, 8);
	size_t same = 0;
	for (size_t i = 0; i < 1000; i++) {
		uint64_t value = dice_u64(&a);
		assert_true(value == dice_u64(&b));
		same += value == dice_u64(&c) ? 1 : 0;
	}
	assert_int_equal(same, 0);
}

static void test_uniform(void **state)
{
	/* Proves: uniform draws reach every value about equally often and count log2 of their number; a UUID counts 122 bits. */
	(void)state;
	struct dice dice;
	size_t counts[10] = {0};
	uint8_t uuid[16];
	dice_init(&dice, 1);
	for (size_t i = 0; i < DRAWS; i++) {
		counts[dice_below(&dice, WORLD_STATUS, 10)]++;
	}
	for (size_t i = 0; i < 10; i++) {
		assert_in_range(counts[i], DRAWS / 10 - 800, DRAWS / 10 + 800);
	}
	assert_true(fabs(bits_per_draw(&dice, WORLD_STATUS) - log2(10)) < 1e-6);
	dice_uuid(&dice, WORLD_REQUEST_ID, uuid);
	assert_int_equal(uuid[6] >> 4, 4);
	assert_int_equal(uuid[8] >> 6, 2);
	assert_true(dice.bits[WORLD_REQUEST_ID] == 122);
}

static void test_chance(void **state)
{
	/* Proves: a chance comes true as often as it says and counts the entropy of that. */
	(void)state;
	struct dice dice;
	size_t yes = 0;
	dice_init(&dice, 2);
	for (size_t i = 0; i < DRAWS; i++) {
		yes += dice_chance(&dice, WORLD_STATUS, 0.2) ? 1 : 0;
	}
	assert_in_range(yes, DRAWS / 5 - 1000, DRAWS / 5 + 1000);
	double entropy = -0.2 * log2(0.2) - 0.8 * log2(0.8);
	assert_true(fabs(bits_per_draw(&dice, WORLD_STATUS) - entropy) < 0.01);
}

static void test_zipf(void **state)
{
	/* Proves: the first of 50 by Zipf 0.9 has 19 % as the facts say, and the bits are the entropy of the table. */
	(void)state;
	static struct zipf zipf;
	struct dice dice;
	size_t first = 0;
	double entropy = 0, before = 0;
	zipf_init(&zipf, 50, 0.9);
	for (size_t i = 0; i < 50; i++) {
		double p = zipf.up_to[i] - before;
		before = zipf.up_to[i];
		entropy -= p * log2(p);
		assert_true(fabs(zipf.bits[i] + log2(p)) < 1e-6);
	}
	dice_init(&dice, 3);
	for (size_t i = 0; i < DRAWS; i++) {
		uint32_t value = dice_zipf(&dice, WORLD_ROUTE, &zipf);
		assert_in_range(value, 0, 49);
		first += value == 0 ? 1 : 0;
	}
	assert_true(fabs((double)first / DRAWS - 0.19) < 0.01);
	assert_true(fabs(bits_per_draw(&dice, WORLD_ROUTE) - entropy) < 0.02);
}

static void test_gap(void **state)
{
	/* Proves: gaps have the mean asked for and count log2(e * mean / step) bits. */
	(void)state;
	struct dice dice;
	double sum = 0;
	dice_init(&dice, 4);
	for (size_t i = 0; i < DRAWS; i++) {
		sum += dice_gap(&dice, WORLD_EPOCH, 43.5, 1);
	}
	assert_true(fabs(sum / DRAWS - 43.5) < 0.5);
	assert_true(fabs(bits_per_draw(&dice, WORLD_EPOCH) - log2(M_E * 43.5)) < 0.02);
}

static void test_lognormal(void **state)
{
	/* Proves: small and large lognormal values have their median and count the entropy of the whole number: the formula of the facts
	 * for large ones, the table of frequencies for small ones. */
	(void)state;
	static struct lognormal large, small;
	static uint32_t counts[256];
	struct dice dice;
	size_t below = 0;
	double entropy = 0;
	lognormal_init(&large, 8000, 1.1);
	lognormal_init(&small, 5, 0.5);
	dice_init(&dice, 5);
	for (size_t i = 0; i < DRAWS; i++) {
		below += dice_lognormal(&dice, WORLD_LITERAL_MONEY, &large) < 8000 ? 1 : 0;
		double value = dice_lognormal(&dice, WORLD_RESPONSE_ROWS, &small);
		counts[value < 255 ? (size_t)value : 255]++;
	}
	assert_in_range(below, DRAWS / 2 - 1500, DRAWS / 2 + 1500);
	double wanted = log2(8000 * 1.1 * sqrt(2 * M_PI * M_E));
	assert_true(fabs(bits_per_draw(&dice, WORLD_LITERAL_MONEY) - wanted) < 0.03);
	for (size_t i = 0; i < 256; i++) {
		double p = (double)counts[i] / DRAWS;
		entropy -= p > 0 ? p * log2(p) : 0;
	}
	assert_true(fabs(bits_per_draw(&dice, WORLD_RESPONSE_ROWS) - entropy) < 0.02);
}

static void test_power(void **state)
{
	/* Proves: ids of customers stay in their range and count log2(c k) - (k - 1) log2 e bits. */
	(void)state;
	static const double form[3] = {1e5, 1e6, 2.2};
	struct dice dice;
	dice_init(&dice, 6);
	for (size_t i = 0; i < DRAWS; i++) {
		assert_in_range(dice_power(&dice, WORLD_PATH, form), 100000, 1100000);
	}
	double wanted = log2(1e6 * 2.2) - 1.2 * M_LOG2E;
	assert_true(fabs(bits_per_draw(&dice, WORLD_PATH) - wanted) < 0.03);
}

static void test_names(void **state)
{
	/* Proves: every field has a name, and no two the same. */
	(void)state;
	for (int i = 0; i < WORLD_FIELD_COUNT; i++) {
		const char *name = world_field_name((enum world_field)i);
		assert_true(strlen(name) > 0);
		for (int other = 0; other < i; other++) {
			assert_string_not_equal(name, world_field_name((enum world_field)other));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_seed), cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_chance),    cmocka_unit_test(test_zipf),
		cmocka_unit_test(test_gap),       cmocka_unit_test(test_lognormal),
		cmocka_unit_test(test_power),     cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
