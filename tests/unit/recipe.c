#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/recipe.h"

#include <string.h>

static void test_times(void **state)
{
	/* Proves: the form of a time is found only when it gives the text back, and other forms are refused. */
	(void)state;
	static const struct {
		const char *text;
		unsigned form;
	} cases[] = {
		{"1763805600123", 1},
		{"1763805600", 2},
		{"22/Nov/2025:10:00:00 +0000", 3},
		{"2025-11-22T10:00:00.1234567", 16 + 7},
		{"2025-11-22 10:00:00.123Z", 16 + 3 + 32 + 64},
		{"2025-11-22T10:00:00", 16},
		{"2025-11-22T10:00:01", 0},
		{"22/Nov/2025:10:00:00 +0100", 0},
		{"no time at all", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			recipe_time_form(INT64_C(1763805600123456700), str_of(cases[i].text)),
			cases[i].form);
	}
	struct buf out;
	buf_init(&out, 100);
	assert_false(recipe_put_time(0, 0, &out));
	assert_false(recipe_put_time(0, 15, &out));
	assert_false(recipe_put_time(0, 128, &out));
	buf_done(&out);
}

static void fit_line(struct recipes *recipes, struct record *record, struct recipe_fit *fit)
{
	record_init(record, RECORD_REQUEST);
	record->source = STR_LIT("api");
	record->key = STR_LIT("k");
	record->time_ns = INT64_C(1763805600123000000);
	record_set_text(record, FIELD_raw,
			STR_LIT("{\"requestId\":\"r-1\",\"t\":\"1763805600123\",\"status\":200,"
				"\"other\":\"x\\ty\",\"n\":7}"));
	record_set_text(record, FIELD_extra, STR_LIT("{\"other\":\"x\\ty\",\"n\":\"7\"}"));
	record_set_text(record, FIELD_request_id, STR_LIT("r-1"));
	record_set_number(record, FIELD_status, 200);
	assert_int_equal(recipes_fit(recipes, record, NULL, fit), 0);
}

static void test_line(void **state)
{
	/* Proves: raw and extra are made of fields, the time and two values of their own, bit for bit; a saved recipe does the same, and any
	 * part of it alone is refused. */
	(void)state;
	struct recipes *recipes = recipes_new();
	struct recipes *other = recipes_new();
	struct recipe_fit fit;
	struct record record;
	struct buf saved, out;
	buf_init(&saved, 1 << 16);
	buf_init(&out, 1 << 16);
	fit_line(recipes, &record, &fit);
	recipes_save(recipes, &saved);
	assert_int_equal(recipes_load(other, buf_str(&saved)), 0);
	assert_int_equal(recipes_count(other), 1);
	const struct recipe *recipe = recipes_at(other, 0);
	assert_int_equal(recipe->slot_count, 2);
	struct str raw = record_text(&record, FIELD_raw);
	struct str extra = record_text(&record, FIELD_extra);
	const struct recipe_input input = {.recipe = recipe, .record = &record, .slots = fit.slot};
	assert_true(recipe_write(&input, recipe_rule_for(recipe, FIELD_raw), &out));
	assert_true(str_equal(buf_str(&out), raw));
	buf_clear(&out);
	assert_true(recipe_write(&input, recipe_rule_for(recipe, FIELD_extra), &out));
	assert_true(str_equal(buf_str(&out), extra));
	assert_null(recipe_rule_for(recipe, RECIPE_KEY));
	for (size_t len = 0; len < saved.len; len++) {
		recipes_clear(other);
		assert_int_equal(recipes_load(other, str_make(saved.ptr, len)), -ERR_CORRUPT);
	}
	buf_done(&saved);
	buf_done(&out);
	recipes_free(recipes);
	recipes_free(other);
}

/* What a recipe makes of a record's fields and slots is the record. Returns whether raw is made. */
static bool comes_back(struct recipes *recipes, struct record *record, const struct recipe_fit *fit)
{
	static const unsigned targets[] = {FIELD_raw, FIELD_extra, RECIPE_KEY};
	const struct recipe *recipe = recipes_at(recipes, fit->recipe);
	const struct recipe_input input = {.recipe = recipe, .record = record, .slots = fit->slot};
	struct buf out;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		const struct recipe_rule *rule = recipe_rule_for(recipe, targets[i]);
		struct str wanted =
			targets[i] == RECIPE_KEY ? record->key : record_text(record, targets[i]);
		buf_clear(&out);
		assert_true(rule == NULL || recipe_write(&input, rule, &out));
		assert_true(rule == NULL || str_equal(buf_str(&out), wanted));
	}
	buf_done(&out);
	return recipe_rule_for(recipe, FIELD_raw) != NULL;
}

/* A line of a log whose values are told by n. */
static void put_line(unsigned n, struct buf *raw, struct buf *id, struct record *record)
{
	record_init(record, RECORD_REQUEST);
	record->source = STR_LIT("api");
	record->key = STR_LIT("k");
	record->time_ns = INT64_C(1763805600000000000) + n * INT64_C(1000000);
	buf_clear(id);
	buf_putf(id, "r-%u", n * 7919);
	buf_clear(raw);
	buf_putf(raw,
		 "{\"requestId\":\"%.*s\",\"t\":%llu,\"status\":%u,\"size\":%u,\"who\":\"u %u\"}",
		 STR_ARG(buf_str(id)), 1763805600000ULL + n, n % 2 == 0 ? 200U : 404U, n * n,
		 n % 5);
	record_set_text(record, FIELD_raw, buf_str(raw));
	record_set_text(record, FIELD_request_id, buf_str(id));
	record_set_number(record, FIELD_status, n % 2 == 0 ? 200 : 404);
}

static void test_like(void **state)
{
	/* Proves: lines of one shape take one recipe once it is learnt, and any change of a byte of them still comes back bit for bit. */
	(void)state;
	struct recipes *recipes = recipes_new();
	static struct recipe_fit fit;
	struct record record;
	struct buf raw, id;
	uint64_t random = 1;
	size_t learnt = 0, made = 0;
	buf_init(&raw, 1 << 16);
	buf_init(&id, 1 << 16);
	for (unsigned n = 0; n < 300; n++) {
		put_line(n, &raw, &id, &record);
		assert_int_equal(recipes_fit(recipes, &record, NULL, &fit), 0);
		assert_true(comes_back(recipes, &record, &fit));
		learnt = n == 20 ? recipes_count(recipes) : learnt;
	}
	assert_int_equal(recipes_count(recipes), learnt);
	for (unsigned n = 0; n < 20000; n++) {
		static const char bytes[] = "\"\\{},:0123456789-.eu \x01\x7f\xc3\xa9";
		put_line(n % 300, &raw, &id, &record);
		random = random * 6364136223846793005U + 1442695040888963407U;
		raw.ptr[(random >> 33) % raw.len] = bytes[(random >> 20) % (sizeof bytes - 1)];
		assert_int_equal(recipes_fit(recipes, &record, NULL, &fit), 0);
		made += comes_back(recipes, &record, &fit) ? 1 : 0;
	}
	assert_true(made > 10000);
	buf_done(&raw);
	buf_done(&id);
	recipes_free(recipes);
}

static void test_missing(void **state)
{
	/* Proves: a rule that reads what a record lacks gives nothing, but no harm. */
	(void)state;
	struct recipes *recipes = recipes_new();
	struct recipe_fit fit;
	struct record record, empty;
	struct buf out;
	buf_init(&out, 1 << 16);
	fit_line(recipes, &record, &fit);
	record_init(&empty, RECORD_REQUEST);
	const struct recipe *recipe = recipes_at(recipes, fit.recipe);
	const struct recipe_input input = {.recipe = recipe, .record = &empty, .slots = fit.slot};
	assert_false(recipe_write(&input, recipe_rule_for(recipe, FIELD_raw), &out));
	buf_done(&out);
	recipes_free(recipes);
}

static void test_too_many(void **state)
{
	/* Proves: lines that are all unlike make no more than RECIPES_MAX recipes; then raw is kept as it is. */
	(void)state;
	struct recipes *recipes = recipes_new();
	static struct recipe_fit fit;
	struct record record;
	struct buf line;
	buf_init(&line, 1 << 16);
	for (unsigned i = 0; i < RECIPES_MAX + 100; i++) {
		buf_clear(&line);
		buf_putf(&line, "{\"k%u\":1}", i);
		record_init(&record, RECORD_REQUEST);
		record.source = STR_LIT("api");
		record.key = STR_LIT("k");
		record_set_text(&record, FIELD_raw, buf_str(&line));
		assert_int_equal(recipes_fit(recipes, &record, NULL, &fit), 0);
	}
	assert_in_range(recipes_count(recipes), RECIPES_MAX, RECIPES_MAX + 1);
	assert_null(recipe_rule_for(recipes_at(recipes, fit.recipe), FIELD_raw));
	buf_done(&line);
	recipes_free(recipes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),    cmocka_unit_test(test_line),
		cmocka_unit_test(test_like),     cmocka_unit_test(test_missing),
		cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
