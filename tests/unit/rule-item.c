/* Items: equal tests of all rules are one, and what cannot be compiled is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/item.h"

#include <stdlib.h>
#include <string.h>

struct bench {
	struct ruleset ruleset;
	struct item_maker maker;
	struct error err;
};

static void bench_init(struct bench *bench, size_t arena_bytes)
{
	memset(bench, 0, sizeof(*bench));
	error_clear(&bench->err);
	arena_init(&bench->ruleset.arena, arena_bytes);
	item_maker_init(&bench->maker, &bench->ruleset);
}

static void bench_done(struct bench *bench)
{
	item_maker_done(&bench->maker);
	for (size_t i = 0; i < bench->ruleset.regex_count; i++) {
		regex_free(bench->ruleset.regexes[i]);
	}
	free(bench->ruleset.regexes);
	free(bench->ruleset.items);
	free(bench->ruleset.slots);
	arena_done(&bench->ruleset.arena);
}

/* The place of an item of one value. */
static uint32_t make(struct bench *bench, enum log log, const struct rule_item *item)
{
	uint32_t place = UINT32_MAX;

	if (item_make(&bench->maker, log, item, &place, &bench->err) != 0) {
		fail_msg("%s", bench->err.text);
	}
	return place;
}

static int refuse(struct bench *bench, enum log log, const struct rule_item *item)
{
	uint32_t place = 77;
	int result = item_make(&bench->maker, log, item, &place, &bench->err);

	assert_int_equal(place, 77); /* untouched */
	return result;
}

static struct rule_item item_of(const char *field, const struct rule_value *value)
{
	return (struct rule_item){.field = str_of(field), .values = value, .value_count = 1};
}

static const uint16_t shop[] = {'s', 'h', 'o', 'p'};
static const uint16_t shops[] = {'s', 'h', 'o', 'p', RULE_ANY_TEXT};

#define GLOB(codes)                                                                               \
	{                                                                                         \
		.op = RULE_OP_GLOB, .glob = (codes), .glob_len = sizeof(codes) / sizeof(codes[0]) \
	}

static void equal_tests_are_one(void **state)
{ /* proves that the same test of two rules is one item, under any name of the field that means the same */
	const struct rule_value value = GLOB(shop);
	struct rule_item item = item_of("user_agent", &value);
	struct bench bench;

	(void)state;
	bench_init(&bench, 1 << 20);
	uint32_t first = make(&bench, L_WEB, &item);
	assert_int_equal(make(&bench, L_WEB, &item), first);
	item.field = STR_LIT("cs-user-agent");
	item.line = 9;
	assert_int_equal(make(&bench, L_WEB, &item), first);
	assert_int_equal(bench.ruleset.item_count, 1);
	assert_int_equal(bench.ruleset.slot_count, 1);
	assert_true(str_is(bench.ruleset.items[first].field, "user_agent"));
	bench_done(&bench);
}

static void every_difference_counts(void **state)
{ /* proves that tests which differ in one thing only are two */
	const struct rule_value plain[] = {GLOB(shop)};
	const struct rule_value open[] = {GLOB(shops)};
	const struct rule_value number[] = {{.op = RULE_OP_EQUALS, .number = 12}};
	const struct rule_value other_number[] = {{.op = RULE_OP_EQUALS, .number = 13}};
	const struct rule_value less[] = {{.op = RULE_OP_LT, .number = 12}};
	const struct rule_value regex[] = {{.op = RULE_OP_REGEX, .text = STR_LIT("a+")}};
	const struct rule_value folding[] = {
		{.op = RULE_OP_REGEX, .text = STR_LIT("a+"), .flags = RULE_REGEX_FOLD}};
	const struct rule_value network[] = {{.op = RULE_OP_CIDR, .text = STR_LIT("10.0.0.0/8")}};
	const struct rule_value other_network[] = {
		{.op = RULE_OP_CIDR, .text = STR_LIT("10.0.0.0/9")}};
	struct rule_value apart[] = {GLOB(shop), GLOB(shops)};
	struct rule_value together[] = {GLOB(shop), GLOB(shops)};
	const struct rule_item items[] = {
		{.field = STR_LIT("database"), .values = plain, .value_count = 1},
		{.field = STR_LIT("server"), .values = plain, .value_count = 1},
		{.field = STR_LIT(""), .values = plain, .value_count = 1},
		{.field = STR_LIT("database"), .values = plain, .value_count = 1, .all = true},
		{.field = STR_LIT("database"), .values = plain, .value_count = 1, .negated = true},
		{.field = STR_LIT("database"), .values = plain, .value_count = 1, .cased = true},
		{.field = STR_LIT("database"),
		 .values = plain,
		 .value_count = 1,
		 .part = RULE_PART_HOUR},
		{.field = STR_LIT("database"),
		 .values = plain,
		 .value_count = 1,
		 .part = RULE_PART_DAY},
		{.field = STR_LIT("database"), .values = open, .value_count = 1},
		{.field = STR_LIT("database"), .values = number, .value_count = 1},
		{.field = STR_LIT("database"), .values = other_number, .value_count = 1},
		{.field = STR_LIT("database"), .values = less, .value_count = 1},
		{.field = STR_LIT("database"), .values = regex, .value_count = 1},
		{.field = STR_LIT("database"), .values = folding, .value_count = 1},
		{.field = STR_LIT("database"), .values = network, .value_count = 1},
		{.field = STR_LIT("database"), .values = other_network, .value_count = 1},
		{.field = STR_LIT("database"), .values = apart, .value_count = 2},
		{.field = STR_LIT("database"), .values = together, .value_count = 2},
	};
	size_t count = sizeof(items) / sizeof(items[0]);
	struct rule_value moved[] = {GLOB(shop), GLOB(shops)};
	struct bench bench;

	(void)state;
	together[1].alternative = 0;
	apart[1].alternative = 1;
	moved[0].alternative = 4;
	moved[1].alternative = 5;
	bench_init(&bench, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(make(&bench, L_SQL, &items[i]), i);
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(make(&bench, L_SQL, &items[i]), i);
	}
	struct rule_item same = items[16]; /* how alternatives are counted does not matter */
	same.values = moved;
	assert_int_equal(make(&bench, L_SQL, &same), 16);
	assert_int_equal(bench.ruleset.item_count, count);
	assert_int_equal(bench.ruleset.regex_count, 2);
	bench_done(&bench);
}

static void reference_is_of_its_log(void **state)
{ /* proves that a name within a test is looked up in the rule's own log, so that two logs share no such test */
	const struct rule_value value = {.op = RULE_OP_FIELDREF, .text = STR_LIT("source")};
	struct rule_item item = item_of("", &value);
	struct bench bench;

	(void)state;
	bench_init(&bench, 1 << 20);
	uint32_t sql = make(&bench, L_SQL, &item);
	uint32_t gap = make(&bench, L_GAP, &item);
	assert_int_not_equal(sql, gap);
	assert_int_equal(make(&bench, L_SQL, &item), sql);
	bench_done(&bench);
}

static void wrong_ones_are_told(void **state)
{ /* proves that an unknown field (with what is near), a wrong expression and a wrong network are ERR_CONFIG, and add nothing */
	const struct rule_value plain = GLOB(shop);
	const struct rule_value regex = {.op = RULE_OP_REGEX, .text = STR_LIT("(a")};
	const struct rule_value network = {.op = RULE_OP_CIDR, .text = STR_LIT("10.0.0.1/8")};
	const struct rule_value reference = {.op = RULE_OP_FIELDREF, .text = STR_LIT("prncipal")};
	struct rule_item item = item_of("databse", &plain);
	struct bench bench;

	(void)state;
	bench_init(&bench, 1 << 20);
	assert_int_equal(refuse(&bench, L_SQL, &item), -ERR_CONFIG);
	assert_non_null(strstr(bench.err.text, "no field \"databse\"; did you mean \"database\"?"));
	item.field = STR_LIT("qqqqqqqqqqqqqqqqqqqq");
	assert_int_equal(refuse(&bench, L_SQL, &item), -ERR_CONFIG);
	assert_null(strstr(bench.err.text, "did you mean"));
	item = item_of("database", &regex);
	assert_int_equal(refuse(&bench, L_SQL, &item), -ERR_CONFIG);
	item = item_of("client_ip", &network);
	assert_int_equal(refuse(&bench, L_SQL, &item), -ERR_CONFIG);
	assert_non_null(strstr(bench.err.text, "\"10.0.0.1/8\" is no network"));
	item = item_of("database", &reference);
	assert_int_equal(refuse(&bench, L_SQL, &item), -ERR_CONFIG);
	assert_non_null(strstr(bench.err.text, "\"prncipal\"; did you mean \"principal\"?"));
	assert_int_equal(bench.ruleset.item_count, 0);
	item = item_of("database", &plain);
	assert_int_equal(make(&bench, L_SQL, &item), 0);
	bench_done(&bench);
}

static void memory_may_end(void **state)
{ /* proves that an arena without room is ERR_NOMEM and adds nothing */
	const struct rule_value plain = GLOB(shop);
	const struct rule_item item = item_of("database", &plain);
	struct bench bench;

	(void)state;
	bench_init(&bench, 1);
	assert_int_equal(refuse(&bench, L_SQL, &item), -ERR_NOMEM);
	assert_int_equal(bench.ruleset.item_count, 0);
	bench_done(&bench);
}

static void many_are_kept(void **state)
{ /* proves that thousands of different tests keep their places while the lists grow */
	struct bench bench;

	(void)state;
	bench_init(&bench, 8 << 20);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 3000; i++) {
			const struct rule_value value = {.op = RULE_OP_EQUALS, .number = i};
			const struct rule_item item = item_of("rows", &value);

			assert_int_equal(make(&bench, L_SQL, &item), i);
		}
	}
	assert_true(bench.ruleset.items[2999].values[0].number == 2999);
	bench_done(&bench);
}

static int cost_of(struct bench *bench, const char *field, const struct rule_value *value)
{
	const struct rule_item item = item_of(field, value);

	uint32_t place = make(bench, L_SQL, &item);

	return item_cost(&bench->ruleset, &bench->ruleset.items[place]);
}

static void dear_tests_cost_more(void **state)
{ /* proves the order in which tests are run: a comparison before a search, a search before an expression, facts of a statement last */
	static const uint16_t holds[] = {RULE_ANY_TEXT, 's', 'h', 'o', 'p', RULE_ANY_TEXT};
	const struct rule_value whole = GLOB(shop);
	const struct rule_value part = GLOB(holds);
	const struct rule_value regex = {.op = RULE_OP_REGEX, .text = STR_LIT("a+")};
	struct bench bench;

	(void)state;
	bench_init(&bench, 1 << 20);
	int compared = cost_of(&bench, "database", &whole);
	int searched = cost_of(&bench, "database", &part);
	int matched = cost_of(&bench, "database", &regex);
	int of_facts = cost_of(&bench, "flags", &whole);
	assert_true(compared < searched);
	assert_true(searched < matched);
	assert_true(matched < of_facts);
	bench_done(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_tests_are_one),
		cmocka_unit_test(every_difference_counts),
		cmocka_unit_test(reference_is_of_its_log),
		cmocka_unit_test(wrong_ones_are_told),
		cmocka_unit_test(memory_may_end),
		cmocka_unit_test(many_are_kept),
		cmocka_unit_test(dear_tests_cost_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
