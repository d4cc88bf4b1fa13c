#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/trail.h"
#include "tests/golden/story-store.h"

static void test_columns(void **state)
{
	/* Proves: every field of a request, statement and verdict is a column but once, and each name is unique. */
	(void)state;
	static struct trail_column columns[TRAIL_COLUMNS_MAX];
	size_t count = trail_columns(columns);
	assert_true(count < TRAIL_COLUMNS_MAX);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(columns[i].name, columns[j].name);
		}
	}
	unsigned trail = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		bool found = false;
		for (size_t i = 0; i < count; i++) {
			found = found || columns[i].field == field;
		}
		assert_true(found || (field_info(field)->kinds & trail) == 0);
	}
}

static void test_read(void **state)
{
	/* Proves: a row is read with its verdict and request; a pending one and a lone request without; a bad leaf is told. */
	(void)state;
	struct story_store story;
	struct store *store;
	struct trail_reader reader;
	static struct trail trail;
	struct error err;
	story_store_init(&story, true, false);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
	assert_int_equal(trail_reader_open(&reader, store, &err), 0);
	struct run_row row = {STORY_DAY_NS, story.leaf[STORY_S_ALICE_1], 14,
			      story.leaf[STORY_R_ALICE], 0};
	assert_int_equal(trail_read(&reader, &row, &trail, &err), 0);
	assert_int_equal(trail.grade, GRADE_A);
	assert_true(str_is(trail_text(&trail, SIDE_REQUEST, FIELD_user), "alice@example.com"));
	assert_true(str_is(trail_text(&trail, SIDE_STATEMENT, FIELD_table), "dbo.Orders"));
	static struct trail_column columns[TRAIL_COLUMNS_MAX];
	size_t count = trail_columns(columns);
	size_t present = 0;
	for (size_t i = 0; i < count; i++) {
		struct trail_value value = trail_value(&trail, &columns[i]);
		present += value.type != TRAIL_ABSENT ? 1 : 0;
		assert_true(strcmp(columns[i].name, "leaf") != 0 ||
			    value.number == (int64_t)row.leaf);
		assert_true(strcmp(columns[i].name, "succeeded") != 0 || value.type == TRAIL_BOOL);
	}
	assert_true(present > 30);
	row = (struct run_row){STORY_DAY_NS, story.leaf[STORY_S_PENDING], RUN_NO_LEAF, RUN_NO_LEAF,
			       0};
	assert_int_equal(trail_read(&reader, &row, &trail, &err), 0);
	assert_false(trail.has_verdict || trail.has_request);
	assert_true(str_is(trail_value(&trail, &columns[1]).text, "pending"));
	row = (struct run_row){STORY_DAY_NS, story.leaf[STORY_R_IDLE], 22, story.leaf[STORY_R_IDLE],
			       0};
	assert_int_equal(trail_read(&reader, &row, &trail, &err), 0);
	assert_true(trail.has_request && !trail.has_statement);
	assert_true(str_is(trail_value(&trail, &columns[1]).text, "U2"));
	row.leaf = 9999;
	assert_int_equal(trail_read(&reader, &row, &trail, &err), -ERR_GONE);
	assert_false(trail.has_statement ||
		     trail.has_request); /* nothing of a row before is left */
	row = (struct run_row){STORY_DAY_NS, story.leaf[STORY_S_BOB], 9999, 9999, 0};
	assert_int_equal(trail_read(&reader, &row, &trail, &err), -ERR_CORRUPT);
	assert_true(trail.has_statement && !trail.has_request && !trail.has_verdict);
	trail_reader_close(&reader);
	store_close(store);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns),
					   cmocka_unit_test(test_read)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
