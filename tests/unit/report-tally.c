#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/tally.h"

#include <stdio.h>
#include <stdlib.h>

/* A dataset of made-up rows: name (text, absent for every fifth), size (number), succeeded, grade. */
enum { NAME, SIZE, SUCCEEDED, GRADE, FIELDS };

struct made {
	size_t names;
	size_t row;
	char name[32];
};

static size_t made_fields(const struct dataset_type *type, struct dataset_field *out)
{
	static const struct dataset_field fields[FIELDS] = {{"name", TRAIL_TEXT},
							    {"size", TRAIL_NUMBER},
							    {"succeeded", TRAIL_BOOL},
							    {"grade", TRAIL_TEXT}};
	(void)type;
	memcpy(out, fields, sizeof(fields));
	return FIELDS;
}

static struct trail_value made_value(const struct dataset *dataset, unsigned field)
{
	const struct made *made = dataset->state;
	switch (field) {
	case NAME:
		return made->row % 5 == 4 ? (struct trail_value){.type = TRAIL_ABSENT}
					  : (struct trail_value){.type = TRAIL_TEXT,
								 .text = str_of(made->name)};
	case SIZE:
		return (struct trail_value){.type = TRAIL_NUMBER, .number = (int64_t)made->row - 3};
	case SUCCEEDED:
		return (struct trail_value){.type = TRAIL_BOOL, .number = made->row % 2 == 0};
	default:
		return (struct trail_value){.type = TRAIL_TEXT,
					    .text = made->row % 3 == 0 ? STR_LIT("U1")
								       : STR_LIT("X")};
	}
}

static const struct dataset_type made_type = {
	.name = "made", .has_time = true, .fields = made_fields, .value = made_value};

static const struct tally_spec spec = {
	.key = {NAME},
	.key_count = 1,
	.figure = {{TALLY_COUNT, 0},
		   {TALLY_FAILED, 0},
		   {TALLY_UNMATCHED, 0},
		   {TALLY_CONFLICTS, 0},
		   {TALLY_SHARE, 0},
		   {TALLY_FAILED_SHARE, 0},
		   {TALLY_UNMATCHED_SHARE, 0},
		   {TALLY_FIRST_SEEN, 0},
		   {TALLY_LAST_SEEN, 0},
		   {TALLY_DISTINCT, GRADE},
		   {TALLY_SUM, SIZE},
		   {TALLY_MIN, SIZE},
		   {TALLY_MAX, SIZE}},
	.figure_count = 13,
	.succeeded_field = SUCCEEDED,
	.grade_field = GRADE,
};

/* Adds rows in one direction or the other. */
static int add_rows(struct tally *tally, size_t names, size_t count, bool turned, struct error *err)
{
	struct made made = {.names = names};
	struct dataset dataset = {.type = &made_type, .own_count = FIELDS, .state = &made};
	int result = 0;
	for (size_t i = 0; result == 0 && i < count; i++) {
		made.row = turned ? count - 1 - i : i;
		dataset.time_ns = (int64_t)made.row * 1000;
		(void)snprintf(made.name, sizeof(made.name), "n%zu", made.row % made.names);
		result = tally_add(tally, &dataset, err);
	}
	return result;
}

static int64_t number(const struct tally *tally, size_t group, unsigned figure)
{
	return tally_value(tally, &tally->groups[group], figure).number;
}

static void test_figures(void **state)
{
	/* Proves: every figure of two groups and of the rows without a key. */
	(void)state;
	struct tally tally;
	struct error err;
	const struct tally_order order = {.by_figure = false, .number = 0};
	static const int64_t wanted[3][13] = {
		/* n0: rows 0 2 6 8 of ten; n1: 1 3 5 7; none: 4 9 */
		{4, 0, 2, 2, 400, 0, 500, 0, 8000, 2, 4, -3, 5},
		{4, 4, 1, 3, 400, 1000, 250, 1000, 7000, 2, 4, -2, 4},
		{2, 1, 1, 1, 200, 500, 500, 4000, 9000, 2, 7, 1, 6},
	};
	tally_init(&tally, &spec);
	assert_int_equal(add_rows(&tally, 2, 10, false, &err), 0);
	tally_sort(&tally, &order, 1);
	assert_int_equal(tally.group_count, 3);
	assert_int_equal(tally.groups[2].key[0].type, TRAIL_ABSENT); /* behind the others */
	for (size_t g = 0; g < 3; g++) {
		for (unsigned f = 0; f < 13; f++) {
			assert_int_equal(number(&tally, g, f), wanted[g][f]);
		}
	}
	tally_done(&tally);
}

static void test_order(void **state)
{
	/* Proves: the groups stand in the same order whatever the order of the rows; equal ones by their key; absent ones last in both
	 * directions. */
	(void)state;
	for (int descending = 0; descending < 2; descending++) {
		struct tally one, two;
		struct error err;
		const struct tally_order orders[] = {
			{.by_figure = true, .number = 0, .descending = true},
			{.by_figure = false, .number = 0, .descending = descending == 1}};
		tally_init(&one, &spec);
		tally_init(&two, &spec);
		assert_int_equal(add_rows(&one, 40, 400, false, &err), 0);
		assert_int_equal(add_rows(&two, 40, 400, true, &err), 0);
		tally_sort(&one, orders, 2);
		tally_sort(&two, orders, 2);
		assert_int_equal(one.group_count, two.group_count);
		for (size_t i = 0; i < one.group_count; i++) {
			assert_true(str_equal(one.groups[i].joined, two.groups[i].joined));
		}
		assert_int_equal(one.groups[0].key[0].type,
				 TRAIL_ABSENT); /* it has the most rows */
		tally_sort(&one, orders + 1, 1);
		assert_int_equal(one.groups[one.group_count - 1].key[0].type, TRAIL_ABSENT);
		assert_true(str_is(one.groups[0].key[0].text, descending ? "n8" : "n0"));
		tally_done(&one);
		tally_done(&two);
	}
}

static void test_limit(void **state)
{
	/* Proves: more keys than fit are an error that says what to do. */
	(void)state;
	struct tally tally;
	struct error err;
	tally_init(&tally, &spec);
	arena_done(&tally.arena);
	arena_init(&tally.arena, 4096);
	assert_int_equal(add_rows(&tally, 1000000, 1000, false, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.text, "narrow the time or the filter"));
	tally_done(&tally);
}

static void test_sum(void **state)
{
	/* Proves: a sum that does not fit stays at its end. */
	(void)state;
	struct tally tally;
	struct error err;
	tally_init(&tally, &spec);
	assert_int_equal(add_rows(&tally, 1, 1, false, &err), 0);
	tally.groups[0].figure[10] = INT64_MAX;
	assert_int_equal(add_rows(&tally, 1, 14, false, &err), 0);
	assert_true(number(&tally, 0, 10) > INT64_MAX - 100);
	tally_done(&tally);
}

static void test_names(void **state)
{
	/* Proves: figures are found by name, with the field that they are about. */
	(void)state;
	enum tally_kind kind;
	struct str field;
	assert_true(tally_kind_find(STR_LIT("distinct_user"), &kind, &field));
	assert_true(kind == TALLY_DISTINCT && str_is(field, "user"));
	assert_true(tally_kind_find(STR_LIT("users"), &kind, &field));
	assert_true(kind == TALLY_DISTINCT && str_is(field, "user"));
	assert_true(tally_kind_find(STR_LIT("failed_share"), &kind, &field));
	assert_true(kind == TALLY_FAILED_SHARE && field.len == 0);
	assert_false(tally_kind_find(STR_LIT("distinct_"), &kind, &field));
	assert_false(tally_kind_find(STR_LIT("counts"), &kind, &field));
	assert_int_equal(tally_form(TALLY_MAX, TRAIL_TIME), REPORT_TIME);
	assert_int_equal(tally_form(TALLY_SHARE, TRAIL_NUMBER), REPORT_SHARE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures), cmocka_unit_test(test_order),
		cmocka_unit_test(test_limit),   cmocka_unit_test(test_sum),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
