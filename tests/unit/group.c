#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/group.h"
#include "tests/golden/story-store.h"

static void test_fields(void **state)
{
	/* Proves: words and aliases become fields in their order; unknown ones, too many and empty ones are told. */
	(void)state;
	struct group_field fields[GROUP_FIELDS_MAX];
	struct error err;
	size_t count = 0;
	assert_int_equal(group_fields_read(STR_LIT("app, who"), fields, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(fields[0].name, "application");
	assert_string_equal(fields[1].name, "user");
	assert_int_equal(group_fields_read(STR_LIT("uzer"), fields, &count, &err), -ERR_USAGE);
	assert_non_null(strstr(err.text, "did you mean \"user\""));
	assert_int_equal(group_fields_read(STR_LIT("user,"), fields, &count, &err), -ERR_USAGE);
	assert_int_equal(group_fields_read(STR_LIT(""), fields, &count, &err), -ERR_USAGE);
	assert_int_equal(group_fields_read(STR_LIT("a,b,c,d,e"), fields, &count, &err), -ERR_USAGE);
	assert_int_equal(
		group_fields_read(STR_LIT("user,user,user,user,user"), fields, &count, &err),
		-ERR_USAGE);
	assert_int_equal(group_fields_read(STR_LIT("user,user,user,user"), fields, &count, &err),
			 0);
}

static void test_order(void **state)
{
	/* Proves: equal values are one group, absent and empty are two; larger groups come first, equal ones by value, absent last. */
	(void)state;
	struct group_field fields[GROUP_FIELDS_MAX];
	struct group_set groups;
	struct error err;
	size_t count = 0;
	assert_int_equal(group_fields_read(STR_LIT("user"), fields, &count, &err), 0);
	group_set_init(&groups, fields, 1);
	static const char *const values[] = {"b", NULL, "", "a", "b", "z", "z", "z"};
	for (size_t i = 0; i < 8; i++) {
		struct str value = {0};
		if (values[i] != NULL) {
			value = str_of(values[i]);
		}
		assert_int_equal(group_set_add(&groups, &value, 1, &err), 0);
	}
	group_set_sort(&groups);
	assert_int_equal(groups.count, 5);
	assert_int_equal(groups.statements, 8);
	assert_true(str_is(groups.group[0].value[0], "z") && groups.group[0].statements == 3);
	assert_true(str_is(groups.group[1].value[0], "b") && groups.group[1].statements == 2);
	assert_true(groups.group[2].value[0].ptr != NULL && groups.group[2].value[0].len == 0);
	assert_true(str_is(groups.group[3].value[0], "a"));
	assert_null(groups.group[4].value[0].ptr);
	group_set_done(&groups);
}

static void test_as_who(void **state)
{
	/* Proves: the counts are those of the rows that the same plan finds, value by value. */
	(void)state;
	struct story_store story;
	struct store *store;
	struct error err;
	struct arena arena;
	struct query query;
	struct plan plan;
	struct group_field fields[GROUP_FIELDS_MAX];
	struct group_set groups;
	struct run_result rows, counted;
	struct trail_reader reader;
	struct trail trail;
	size_t count = 0;
	story_store_init(&story, true, false);
	arena_init(&arena, 1 << 20);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
	assert_int_equal(query_parse(STR_LIT("-verb:UPDATE"), &arena, &query, &err), 0);
	struct plan_options options = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	assert_int_equal(plan_make(&query, &options, &plan, &err), 0);
	assert_int_equal(group_fields_read(STR_LIT("user"), fields, &count, &err), 0);
	group_set_init(&groups, fields, count);
	assert_int_equal(run_plan(store, &plan, &rows, &err), 0);
	assert_int_equal(group_set_run(&groups, store, &plan, &counted, &err), 0);
	assert_true(rows.row_count > 5 && groups.statements == rows.row_count);
	assert_int_equal(trail_reader_open(&reader, store, &err), 0);
	for (size_t i = 0; i < rows.row_count; i++) {
		assert_int_equal(trail_read(&reader, &rows.rows[i], &trail, &err), 0);
		bool has = trail.has_request && record_has(&trail.request, FIELD_user);
		struct str user = trail_text(&trail, SIDE_REQUEST, FIELD_user);
		bool found = false;
		for (size_t g = 0; g < groups.count && !found; g++) {
			struct str value = groups.group[g].value[0];
			found = groups.group[g].statements > 0 && (value.ptr != NULL) == has &&
				(!has || str_equal(value, user));
			groups.group[g].statements -= found ? 1 : 0;
		}
		assert_true(found);
	}
	for (size_t g = 0; g < groups.count; g++) {
		assert_true(groups.group[g].statements == 0);
	}
	trail_reader_close(&reader);
	run_result_clear(&rows);
	run_result_clear(&counted);
	group_set_done(&groups);
	store_close(store);
	arena_done(&arena);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_as_who),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
