/* Sessions: which context governs which row. */
#include "correlator/join/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/join-rows.h"

#define SET_A "EXEC sp_set_session_context N'querytrail', N'qt1 x=XA'"
#define SET_B "EXEC sp_set_session_context N'querytrail', N'qt1 x=XB'"

/* Two overlapping requests, and a row of each kind that sets. */
static struct bench two_requests(void)
{
	struct bench bench = bench_new();
	add_line(&bench, 0, alice);
	add_line(&bench, 1, bob);
	return bench;
}

/* Sessions are told apart by connection id; without one, or with zeros, by session number, and always by source. */
static void test_identity(void **state)
{
	(void)state;
	const char *c1 = "11111111-0000-0000-0000-000000000000";
	const char *c2 = "22222222-0000-0000-0000-000000000000";
	const char *zero = "00000000-0000-0000-0000-000000000000";
	struct bench bench = two_requests();
	add_row(&bench, 10,
		(struct row){T0 + 1 * MS, "UDAU", .told = "qt1 x=XA", .session = 5,
			     .connection = c1});
	add_row(&bench, 11, (struct row){T0 + 2 * MS, .session = 6, .connection = c1});
	add_row(&bench, 12, (struct row){T0 + 2 * MS, .session = 5, .connection = c2});
	add_row(&bench, 13, (struct row){T0 + 2 * MS, .session = 5});
	add_row(&bench, 14,
		(struct row){T0 + 3 * MS, "UDAU", .told = "qt1 x=XA", .session = 7,
			     .connection = zero});
	add_row(&bench, 15, (struct row){T0 + 4 * MS, .session = 7});
	add_row(&bench, 16, (struct row){T0 + 4 * MS, .session = 7, .source = "db2"});
	add_row(&bench, 17, (struct row){T0 + 4 * MS});
	settle_all(&bench);
	expect(&bench, 11, "A", 0);
	expect(&bench, 12, "U1", JOIN_NO_LEAF);
	expect(&bench, 13, "U1", JOIN_NO_LEAF);
	expect(&bench, 15, "A", 0);
	expect(&bench, 16, "U1", JOIN_NO_LEAF);
	expect(&bench, 17, "U1", JOIN_NO_LEAF);
	join_free(bench.join);
}

/* Rows of one time go by sequence number, and rows that agree in all of that still have one order, whatever came first. */
static void test_order(void **state)
{
	(void)state;
	const char *grade[2];
	struct bench bench = two_requests();
	add_row(&bench, 10,
		(struct row){T0 + 450 * MS, "UDAU", .told = "qt1 x=XB", .session = 5,
			     .sequence = 3});
	add_row(&bench, 11, (struct row){T0 + 450 * MS, .session = 5, .sequence = 2});
	add_row(&bench, 12,
		(struct row){T0 + 450 * MS, "UDAU", .told = "qt1 x=XA", .session = 5,
			     .sequence = 1});
	add_row(&bench, 13, (struct row){T0 + 450 * MS, .session = 5, .sequence = 4});
	settle_all(&bench);
	expect(&bench, 11, "A", 0);
	expect(&bench, 13, "A", 1);
	join_free(bench.join);
	static char kept[2][3];
	for (int order = 0; order < 2; order++) {
		bench = two_requests();
		struct row set = {T0 + 450 * MS, "UDAU", .told = "qt1 x=XA", .session = 5};
		struct row plain = {T0 + 450 * MS, .session = 5};
		for (int i = 0; i < 2; i++) {
			/* The keys stay with the rows, only the leaves and the order change. */
			bool first = (i == 0) == (order == 0);
			struct record record =
				rows_statement(first ? &set : &plain, first ? "a" : "b");
			struct error err;
			assert_int_equal(join_add(bench.join, first ? 20 : 21, &record, &err), 0);
		}
		settle_all(&bench);
		(void)snprintf(kept[order], 3, "%s", bench.last[21].grade);
		grade[order] = kept[order];
		join_free(bench.join);
	}
	assert_string_equal(grade[0], grade[1]);
}

/* Session context and CONTEXT_INFO are two places: an APM agent's CONTEXT_INFO takes only the second away. */
static void test_two_places(void **state)
{
	(void)state;
	struct bench bench = two_requests();
	const char *info_a = "SET CONTEXT_INFO 0x71743120783d5841",
		   *agent = "SET CONTEXT_INFO 0x0102";
	add_row(&bench, 10, (struct row){T0 + 1 * MS, "BCM", .text = SET_A, .session = 5});
	add_row(&bench, 11, (struct row){T0 + 2 * MS, "BCM", .text = agent, .session = 5});
	add_row(&bench, 12, (struct row){T0 + 3 * MS, .session = 5});
	add_row(&bench, 13, (struct row){T0 + 1 * MS, "BCM", .text = info_a, .session = 6});
	add_row(&bench, 14, (struct row){T0 + 2 * MS, .session = 6});
	add_row(&bench, 15, (struct row){T0 + 3 * MS, "BCM", .text = agent, .session = 6});
	add_row(&bench, 16, (struct row){T0 + 4 * MS, .session = 6});
	settle_all(&bench);
	expect(&bench, 12, "A", 0);
	expect(&bench, 14, "A", 0);
	expect(&bench, 16, "U1", JOIN_NO_LEAF);
	join_free(bench.join);
}

/* A column that says the session holds no context overrules the replay; its absence says nothing. */
static void test_column_overrules(void **state)
{
	(void)state;
	struct bench bench = two_requests();
	add_row(&bench, 10, (struct row){T0 + 1 * MS, "BCM", .text = SET_A, .session = 5});
	add_row(&bench, 11,
		(struct row){T0 + 2 * MS, .column = "{\"tenant\":\"no\"}", .session = 5});
	add_row(&bench, 12, (struct row){T0 + 3 * MS, .session = 5});
	settle_all(&bench);
	expect(&bench, 11, "U1", JOIN_NO_LEAF);
	expect(&bench, 12, "A", 0);
	join_free(bench.join);
}

/* A row just before a batch that sets another context and does more is part of it, or may be (C) where the batch has no duration. A
 * batch that only sets has no parts. */
static void test_next_batch(void **state)
{
	(void)state;
	static const struct {
		const char *batch, *want;
		int64_t duration_ms, before_ms;
		uint64_t request;
	} cases[] = {
		{SET_B "; SELECT 1", "C", 0, 40, 0},
		{SET_B "; SELECT 1", "A", 0, 150, 0},
		{SET_B "; SELECT 1", "A", 200, 40, 1},
		{SET_B "; SELECT 1", "A", 20, 40, 0},
		{SET_B, "A", 0, 40, 0},
		{SET_A "; SELECT 1", "A", 0, 40, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int late = 0; late < 2; late++) {
			struct bench bench = two_requests();
			struct row batch = {T0 + 450 * MS, "BCM", .text = cases[i].batch,
					    .session = 5, .duration_ms = cases[i].duration_ms};
			struct row plain = {T0 + (450 - cases[i].before_ms) * MS, .session = 5};
			add_row(&bench, 10,
				(struct row){T0 + 1 * MS, "BCM", .text = SET_A, .session = 5});
			if (late) {
				add_row(&bench, 12, batch);
				drain(&bench);
			}
			add_row(&bench, 11, plain);
			drain(&bench);
			if (!late) {
				add_row(&bench, 12, batch);
			}
			settle_all(&bench);
			assert_string_equal(bench.last[11].grade, cases[i].want);
			assert_int_equal(bench.last[11].request_leaf, cases[i].request);
			join_free(bench.join);
		}
	}
}

/* Parts of the first batch that sets in a session are the request's too, and follow when its line comes late. */
static void test_first_batch(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	struct row batch = {T0 + 100 * MS, "BCM", .text = SET_A "; SELECT 1", .session = 5,
			    .duration_ms = 30};
	add_row(&bench, 10, (struct row){T0 + 60 * MS, .session = 5});
	add_row(&bench, 11, (struct row){T0 + 80 * MS, .session = 5});
	add_row(&bench, 12, batch);
	batch.session = 6;
	batch.duration_ms = 0;
	add_row(&bench, 13, (struct row){T0 + 80 * MS, .session = 6});
	add_row(&bench, 14, batch);
	settle_all(&bench);
	expect(&bench, 11, "U1", JOIN_NO_LEAF);
	add_line(&bench, 0, alice);
	drain(&bench);
	expect(&bench, 10, "U1", JOIN_NO_LEAF);
	expect(&bench, 11, "A", 0);
	expect(&bench, 12, "A", 0);
	expect(&bench, 13, "C", 0);
	join_free(bench.join);
}

/* A request that comes after everything reaches the rows that a marker governs, not only the marker. */
static void test_governed_rows_follow(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	add_row(&bench, 10, (struct row){T0 + 1 * MS, "UDAU", .told = "qt1 x=XA", .session = 5});
	add_row(&bench, 11, (struct row){T0 + 2 * MS, .session = 5});
	add_row(&bench, 12, (struct row){T0 + 3 * MS, "LGO", .session = 5});
	add_row(&bench, 13, (struct row){T0 + 4 * MS, .session = 5});
	settle_all(&bench);
	expect(&bench, 11, "U1", JOIN_NO_LEAF);
	add_line(&bench, 0, alice);
	assert_int_equal(drain(&bench), 2);
	expect(&bench, 10, "A", 0);
	expect(&bench, 11, "A", 0);
	expect(&bench, 13, "U1", JOIN_NO_LEAF);
	join_free(bench.join);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),    cmocka_unit_test(test_order),
		cmocka_unit_test(test_two_places),  cmocka_unit_test(test_column_overrules),
		cmocka_unit_test(test_next_batch),  cmocka_unit_test(test_governed_rows_follow),
		cmocka_unit_test(test_first_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
