#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/carried.h"
#include "tests/unit/join-rows.h"

static void test_session_context_gives_a(void **state)
{
	/* A statement whose session context names the gateway's id is the request's, whichever came first. */
	(void)state;
	for (int request_first = 0; request_first < 2; request_first++) {
		struct bench bench = bench_new();
		struct row row = {
			.time_ns = T0 + 100 * MS, .column = "qt1 x=XA r=RA", .session = 51};
		if (request_first) {
			add_line(&bench, 1, alice);
			add_row(&bench, 2, row);
		} else {
			add_row(&bench, 2, row);
			assert_int_equal(drain(&bench), 0);
			add_line(&bench, 1, alice);
		}
		assert_int_equal(drain(&bench), 1);
		expect(&bench, 2, "A", 1);
		assert_string_equal(bench.last[2].carrier, "session_context");
		assert_string_equal(bench.last[2].matched_by, "extended_request_id");
		assert_int_equal(bench.last[2].settled, JOIN_FINAL);
		assert_int_equal(settle_all(&bench), 0);
		join_free(bench.join);
	}
}

static void test_unmatched_waits_for_watermarks(void **state)
{
	/* Without a match nothing is said before its age, then provisionally, then finally once both watermarks have passed. */
	(void)state;
	struct bench bench = bench_new();
	size_t statements, requests;
	add_row(&bench, 1, (struct row){.time_ns = T0, .session = 51});
	add_line(&bench, 2, alice);
	join_settle(bench.join, T0 + S, T0 + S);
	assert_int_equal(drain(&bench), 0);
	join_settle(bench.join, T0 + S, T0 + 130 * S);
	assert_int_equal(drain(&bench), 2);
	expect(&bench, 1, "U1", JOIN_NO_LEAF);
	expect(&bench, 2, "U2", 2);
	assert_int_equal(bench.last[1].settled, JOIN_PROVISIONAL);
	assert_int_equal(bench.last[2].settled, JOIN_FINAL);
	join_pending(bench.join, &statements, &requests);
	assert_int_equal(statements, 1);
	assert_int_equal(requests, 0);
	join_settle(bench.join, T0 + 10 * S, T0);
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 1, "U1", JOIN_NO_LEAF);
	assert_int_equal(bench.last[1].settled, JOIN_FINAL);
	assert_int_equal(bench.last[1].revision, 1);
	join_free(bench.join);
}

static void test_nothing_is_missing_without_a_source(void **state)
{
	/* Until there is a source of statements no request is said to be without one; then those of before are. */
	(void)state;
	struct bench bench = bench_new();
	size_t statements, requests;
	add_line(&bench, 1, alice);
	join_settle(bench.join, T0 + 500 * S, INT64_MIN);
	assert_int_equal(drain(&bench), 0);
	join_settle(bench.join, INT64_MAX, INT64_MIN);
	assert_int_equal(drain(&bench), 0);
	join_pending(bench.join, &statements, &requests);
	assert_int_equal(requests, 1);
	join_settle(bench.join, INT64_MAX, T0 + 1);
	assert_int_equal(drain(&bench), 0); /* its statements may still come */
	join_settle(bench.join, INT64_MAX, INT64_MAX);
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 1, "U2", 1);
	assert_int_equal(bench.last[1].settled, JOIN_FINAL);
	join_free(bench.join);
}

static void test_late_request_revises(void **state)
{
	/* A final U1 and the request's U2 are both revised by what comes later. */
	(void)state;
	struct bench bench = bench_new();
	add_row(&bench, 1,
		(struct row){.time_ns = T0 + 50 * MS, .column = "qt1 x=XA", .session = 5});
	settle_all(&bench);
	expect(&bench, 1, "U1", JOIN_NO_LEAF);
	assert_string_equal(bench.reason[1], "the context names a request that never arrived");
	add_line(&bench, 2, alice);
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 1, "A", 2);
	assert_int_equal(bench.last[1].revision, 1);
	assert_int_equal(bench.said[2], 0);
	join_free(bench.join);
}

static void test_audit_write_governs_session(void **state)
{
	/* An audit_write row gives its context to the later rows of its session, until cleared or until the next login. */
	(void)state;
	struct bench bench = bench_new();
	add_line(&bench, 1, alice);
	add_row(&bench, 2, (struct row){T0 + 10 * MS, "UDAU", .told = "qt1 x=XA", .session = 51});
	add_row(&bench, 3, (struct row){T0 + 20 * MS, .session = 51});
	add_row(&bench, 4, (struct row){T0 + 20 * MS, .session = 52});
	add_row(&bench, 5, (struct row){T0 + 30 * MS, "UDAU", .told = "qt0", .session = 51});
	add_row(&bench, 6, (struct row){T0 + 40 * MS, .session = 51});
	add_row(&bench, 7, (struct row){T0 + 50 * MS, "UDAU", .told = "qt1 x=XA", .session = 51});
	add_row(&bench, 8, (struct row){T0 + 60 * MS, "LGIS", .session = 51});
	add_row(&bench, 9, (struct row){T0 + 70 * MS, .session = 51});
	settle_all(&bench);
	expect(&bench, 2, "A", 1);
	expect(&bench, 3, "A", 1);
	assert_string_equal(bench.last[3].carrier, "audit_write");
	expect(&bench, 4, "U1", JOIN_NO_LEAF);
	expect(&bench, 5, "A", 1);
	expect(&bench, 6, "U1", JOIN_NO_LEAF);
	expect(&bench, 8, "U1", JOIN_NO_LEAF);
	assert_string_equal(bench.reason[8], "a login belongs to no request");
	expect(&bench, 9, "U1", JOIN_NO_LEAF);
	join_free(bench.join);
}

static void test_late_reset_re_evaluates(void **state)
{
	/* A set that arrives late takes the rows behind it away from the context that stood before. */
	(void)state;
	struct bench bench = bench_new();
	const char *set_a = "EXEC sp_set_session_context N'querytrail', N'qt1 x=XA'";
	const char *set_b = "EXEC sp_set_session_context N'querytrail', N'qt1 x=XB'";
	add_line(&bench, 1, alice);
	add_line(&bench, 2, bob);
	add_row(&bench, 3, (struct row){T0 + 10 * MS, "BCM", .text = set_a, .session = 51});
	add_row(&bench, 4, (struct row){T0 + 450 * MS, .session = 51});
	drain(&bench);
	assert_int_equal(bench.said[4], 0);
	add_row(&bench, 5, (struct row){T0 + 420 * MS, "BCM", .text = set_b, .session = 51});
	settle_all(&bench);
	expect(&bench, 4, "A", 2);
	assert_string_equal(bench.last[4].carrier, "session_replay");
	add_row(&bench, 6, (struct row){T0 + 430 * MS, "LGO", .session = 51});
	drain(&bench);
	expect(&bench, 4, "U1", JOIN_NO_LEAF);
	expect(&bench, 5, "A", 2);
	join_free(bench.join);
}

static void test_history_holds_a(void **state)
{
	/* Before the session's history must be complete, a replayed context is no more than a provisional C. */
	(void)state;
	struct bench bench = bench_new();
	add_line(&bench, 1, alice);
	add_row(&bench, 2, (struct row){T0 + 10 * MS, "UDAU", .told = "qt1 x=XA", .session = 51});
	add_row(&bench, 3, (struct row){T0 + 20 * MS, .session = 51});
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 2, "A", 1);
	join_settle(bench.join, T0 + 200 * S, INT64_MIN);
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 3, "C", 1);
	assert_int_equal(bench.last[3].settled, JOIN_PROVISIONAL);
	join_settle(bench.join, T0, T0 + S);
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 3, "A", 1);
	assert_int_equal(bench.last[3].settled, JOIN_FINAL);
	join_free(bench.join);
}

static void test_stale_context(void **state)
{
	/* A context that a pooled session kept is C soon after its request's end and X long after it, never A. */
	(void)state;
	struct bench bench = bench_new();
	add_line(&bench, 1, alice);
	add_row(&bench, 2, (struct row){T0 + 590 * MS, .column = "qt1 x=XA", .session = 51});
	add_row(&bench, 3, (struct row){T0 + 3700 * MS, .column = "qt1 x=XA", .session = 51});
	add_row(&bench, 4, (struct row){T0 + 60 * S, .column = "qt1 x=XA", .session = 51});
	add_row(&bench, 5, (struct row){T0 - 6 * S, .column = "qt1 x=XA", .session = 51});
	settle_all(&bench);
	expect(&bench, 2, "A", 1);
	expect(&bench, 3, "C", 1);
	assert_string_equal(bench.reason[3],
			    "the context belongs to a request that had ended 3.2 s "
			    "before; a pooled session may have kept it");
	expect(&bench, 4, "X", 1);
	expect(&bench, 5, "X", 1);
	join_free(bench.join);
}

static void test_duplicate_leaf_is_ignored(void **state)
{
	/* The same leaf twice is one record, and a restart that restores the verdicts says nothing again. */
	(void)state;
	struct bench bench = bench_new();
	struct row row = {.time_ns = T0 + 100 * MS, .column = "qt1 x=XA", .session = 51};
	add_line(&bench, 1, alice);
	add_row(&bench, 2, row);
	add_row(&bench, 2, row);
	add_line(&bench, 1, alice);
	assert_int_equal(settle_all(&bench), 1);
	expect(&bench, 2, "A", 1);
	join_free(bench.join);
}

/* Leaves in any order are each known again, whether or not they came ascending. */
static void test_leaves_in_any_order(void **state)
{
	(void)state;
	static const uint64_t leaves[] = {10, 11, 30, 20, 5, 31, 12};
	struct join_options options = rows_options();
	options.max_records = 7;
	struct bench bench = bench_with(&options);
	for (int i = 0; i < 7; i++) {
		for (int j = 0; j <= i; j++) {
			if (leaves[j] % 2 == 0) {
				add_line(&bench, leaves[j], alice);
			} else {
				add_row(&bench, leaves[j], (struct row){.time_ns = T0});
			}
		}
	}
	struct record record = rows_request(&bob, "one more");
	struct error err;
	assert_int_equal(join_add(bench.join, 13, &record, &err), -ERR_LIMIT);
	join_free(bench.join);
}

/* Past the configured number of records a new one is refused with the number; what is there stays usable. */
static void test_limit(void **state)
{
	(void)state;
	struct join_options options = rows_options();
	options.max_records = 2;
	struct bench bench = bench_with(&options);
	struct row row = {.time_ns = T0 + 100 * MS, .column = "qt1 x=XA"};
	struct record record = rows_statement(&row, "one more");
	struct error err;
	add_line(&bench, 1, alice);
	add_row(&bench, 2, row);
	assert_int_equal(join_add(bench.join, 3, &record, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.text, "2 records"));
	assert_int_equal(join_add(bench.join, 2, &record, &err), 0);
	settle_all(&bench);
	expect(&bench, 2, "A", 1);
	join_free(bench.join);
}

/* Records of other kinds are none of the join's business. */
static void test_other_kinds(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	struct record record;
	struct error err;
	record_init(&record, RECORD_GAP);
	assert_int_equal(join_add(bench.join, 1, &record, &err), 0);
	assert_int_equal(settle_all(&bench), 0);
	join_free(bench.join);
}

static struct record stored(const char *grade, int64_t statement, int64_t request,
			    const char *reason)
{
	struct record record;
	record_init(&record, RECORD_VERDICT);
	record_set_text(&record, FIELD_grade, str_of(grade));
	record_set_text(&record, FIELD_settled, STR_LIT("final"));
	record_set_text(&record, FIELD_reason, str_of(reason));
	record_set_number(&record, FIELD_revision, 4);
	if (statement >= 0) {
		record_set_number(&record, FIELD_statement_leaf, statement);
	}
	if (request >= 0) {
		record_set_number(&record, FIELD_request_leaf, request);
	}
	return record;
}

/* Stored verdicts that say nothing are refused; a good one is not said again, and the next revision counts on. */
static void test_restore(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	struct error err;
	struct record record = stored("Z", 1, -1, "");
	assert_int_equal(join_restore(bench.join, 0, &record, &err), -ERR_INPUT);
	record = stored("A", -1, -1, "");
	assert_int_equal(join_restore(bench.join, 0, &record, &err), -ERR_INPUT);
	record = stored("A", 1, 2, "");
	record.kind = RECORD_ALERT;
	assert_int_equal(join_restore(bench.join, 0, &record, &err), -ERR_INPUT);
	record = stored("U1", 1, -1, "the context names a request that never arrived");
	assert_int_equal(join_restore(bench.join, 0, &record, &err), 0);
	add_row(&bench, 1, (struct row){.time_ns = T0 + 50 * MS, .column = "qt1 x=XA"});
	assert_int_equal(settle_all(&bench), 0);
	add_line(&bench, 2, alice);
	assert_int_equal(drain(&bench), 1);
	expect(&bench, 1, "A", 2);
	assert_int_equal(bench.last[1].revision, 5);
	join_free(bench.join);
}

/* Verdicts come in order of event time, then leaf. */
static void test_take_order(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	static const uint64_t want[] = {5, 3, 4, 2};
	add_row(&bench, 2, (struct row){.time_ns = T0 + 9 * MS});
	add_row(&bench, 4, (struct row){.time_ns = T0 + 5 * MS});
	add_row(&bench, 3, (struct row){.time_ns = T0 + 5 * MS});
	add_line(&bench, 5, alice);
	join_settle(bench.join, INT64_MAX, INT64_MAX);
	for (size_t i = 0; i < 4; i++) {
		struct join_verdict verdict;
		assert_true(join_take(bench.join, &verdict));
		assert_int_equal(i == 0 ? verdict.request_leaf : verdict.statement_leaf, want[i]);
	}
	join_free(bench.join);
}

/* What is outside with its verdict is forgotten; a late row asks for its request, and names it when it is back; nothing is said twice. */
static void test_forgets_and_asks(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	const struct join_want *wants = NULL;
	struct join_verdict verdict;
	struct error err;
	add_line(&bench, 1, alice);
	add_row(&bench, 2, (struct row){.time_ns = T0 + 50 * MS, .column = "qt1 x=XA"});
	assert_true(join_take(bench.join, &verdict));
	assert_string_equal(verdict.grade, "A");
	join_seal(bench.join, 3);
	assert_int_equal(join_forget(bench.join, &err), 0);
	assert_int_equal(join_count(bench.join), 1); /* the row's verdict is not outside */
	join_stored(bench.join, 2);
	assert_int_equal(join_forget(bench.join, &err), 0);
	assert_int_equal(join_count(bench.join), 0);
	add_row(&bench, 4, (struct row){.time_ns = T0 + 60 * MS, .column = "qt1 x=XA"});
	assert_false(join_take(bench.join, &verdict));
	size_t asked = 0;
	for (size_t count = 1; count > 0; asked += count) {
		count = join_wants(bench.join, &wants);
		for (size_t i = 0; i < count; i++) {
			bool requests = wants[i].kind == JOIN_WANT_REQUESTS;
			assert_true(!requests || wants[i].key == carried_key(STR_LIT("XA")));
			if (requests) {
				recall_line(&bench, &wants[i], 1, alice);
			}
			assert_int_equal(
				join_answer(bench.join, &wants[i], JOIN_NOTHING_OLDER, &err), 0);
		}
	}
	assert_true(asked > 0);
	assert_true(join_take(bench.join, &verdict));
	assert_int_equal(verdict.statement_leaf, 4);
	assert_int_equal(verdict.request_leaf, 1);
	assert_string_equal(verdict.grade, "A");
	assert_false(join_take(bench.join, &verdict));
	join_free(bench.join);
}

/* A configuration that contradicts itself makes no join. */
static void test_bad_options(void **state)
{
	(void)state;
	struct join_options options = {.tolerance_ns = 2, .slack_ns = 1};
	struct join *join = NULL;
	struct error err;
	assert_int_equal(join_new(&options, &join, &err), -ERR_CONFIG);
	assert_null(join);
	join_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_context_gives_a),
		cmocka_unit_test(test_unmatched_waits_for_watermarks),
		cmocka_unit_test(test_nothing_is_missing_without_a_source),
		cmocka_unit_test(test_late_request_revises),
		cmocka_unit_test(test_audit_write_governs_session),
		cmocka_unit_test(test_late_reset_re_evaluates),
		cmocka_unit_test(test_history_holds_a),
		cmocka_unit_test(test_stale_context),
		cmocka_unit_test(test_duplicate_leaf_is_ignored),
		cmocka_unit_test(test_leaves_in_any_order),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_take_order),
		cmocka_unit_test(test_forgets_and_asks),
		cmocka_unit_test(test_bad_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
