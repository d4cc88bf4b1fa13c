#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/verdict.h"
#include "tests/unit/store-filled.h"

static void about_a_statement(void **state)
{
	/* statement, request, grade and reason stand in the record; its key names statement and revision */
	struct filled filled;
	struct verdict verdict;
	struct str encoded;
	char id[RECORD_ID_DIGITS + 1];
	(void)state;
	filled_init(&filled, 20, 20);
	const struct join_verdict said = {.statement_leaf = 1,
					  .request_leaf = 0,
					  .grade = "A",
					  .carrier = "session_context",
					  .matched_by = "extended_request_id",
					  .reason = "because",
					  .settled = JOIN_PROVISIONAL,
					  .revision = 3};
	assert_int_equal(verdict_make(filled.store, &said, &verdict, &filled.err), 0);
	const struct record *statement = fixture_record(&filled.fixture, 1, &encoded);
	const struct record *record = &verdict.record;
	record_stable_id(statement->source, statement->key, id);
	assert_true(record->time_ns == statement->time_ns);
	assert_true(str_is(record_text(record, FIELD_statement_id), id));
	assert_int_equal(record->key.len, 1 + RECORD_ID_DIGITS + 2);
	assert_memory_equal(record->key.ptr + 1, id, RECORD_ID_DIGITS);
	assert_true(str_has_suffix(record->key, STR_LIT(".3")));
	assert_true(str_is(record_text(record, FIELD_grade), "A"));
	assert_true(str_is(record_text(record, FIELD_settled), "provisional"));
	assert_true(str_is(record_text(record, FIELD_reason), "because"));
	assert_int_equal(record_number(record, FIELD_request_leaf, -1), 0);
	assert_int_equal(record_number(record, FIELD_statement_leaf, -1), 1);
	assert_int_equal(record_number(record, FIELD_revision, -1), 3);
	struct buf out;
	buf_init(&out, 0);
	assert_int_equal(record_encode(record, &out, &filled.err), 0);
	buf_done(&out);
	filled_done(&filled);
}

static void about_a_request_alone(void **state)
{
	/* a request without statement: no statement fields, another kind of key; empty texts are absent */
	struct filled filled;
	struct verdict verdict;
	(void)state;
	filled_init(&filled, 20, 20);
	const struct join_verdict said = {.statement_leaf = JOIN_NO_LEAF,
					  .request_leaf = 7,
					  .grade = "U2",
					  .carrier = "",
					  .matched_by = "",
					  .reason = "nothing came",
					  .settled = JOIN_FINAL};
	assert_int_equal(verdict_make(filled.store, &said, &verdict, &filled.err), 0);
	const struct record *record = &verdict.record;
	assert_int_equal(record->key.ptr[0], 'r');
	assert_false(record_has(record, FIELD_statement_id));
	assert_false(record_has(record, FIELD_statement_leaf));
	assert_false(record_has(record, FIELD_carrier));
	assert_false(record_has(record, FIELD_matched_by));
	assert_int_equal(record_number(record, FIELD_request_leaf, -1), 7);
	filled_done(&filled);
}

static void missing_subject_is_told(void **state)
{
	/* a leaf that the store has not is ERR_GONE, named */
	struct filled filled;
	struct verdict verdict;
	(void)state;
	filled_init(&filled, 20, 20);
	const struct join_verdict said = {.statement_leaf = 99,
					  .request_leaf = JOIN_NO_LEAF,
					  .grade = "U1",
					  .carrier = "",
					  .matched_by = "",
					  .reason = "x",
					  .settled = JOIN_FINAL};
	assert_int_equal(verdict_make(filled.store, &said, &verdict, &filled.err), -ERR_GONE);
	assert_non_null(strstr(filled.err.text, "99"));
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(about_a_statement),
		cmocka_unit_test(about_a_request_alone),
		cmocka_unit_test(missing_subject_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
