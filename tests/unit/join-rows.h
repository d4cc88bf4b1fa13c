/* join-rows - short ways to make requests and audit rows for the tests of the join, and to take its verdicts.
 *
 * Rules:   include it after cmocka.h.
 * Life:    records borrow from the texts given and from static memory of the test; texts live to the test's end.
 * Tests:   used by tests/unit/join*.c, claim.c, session.c, grade.c, requests.c, clocks.c
 */
#ifndef TESTS_UNIT_JOIN_ROWS_H
#define TESTS_UNIT_JOIN_ROWS_H

#include "correlator/join/join.h"

#include <stdio.h>
#include <stdlib.h>

#define MS INT64_C(1000000)
#define S  INT64_C(1000000000)

struct row { /* an audit row; NULL or 0: absent */
	int64_t time_ns;
	const char *action, *text, *column, *told, *application, *login, *connection;
	int64_t session, sequence, duration_ms;
	const char *source;
};

struct line { /* an access log line; latency_ms -1: absent */
	int64_t time_ns, latency_ms;
	const char *x, *l, *r, *user, *route;
	int64_t status;
};

/* Sets a text field when text is not NULL. */
static inline void rows_text(struct record *record, unsigned field, const char *text)
{
	if (text != NULL) {
		record_set_text(record, field, str_of(text));
	}
}

/* A statement record; key names it within its source. */
static inline struct record rows_statement(const struct row *row, const char *key)
{
	struct record record;
	record_init(&record, RECORD_STATEMENT);
	record.source = str_of(row->source != NULL ? row->source : "db");
	record.key = str_of(key);
	record.time_ns = row->time_ns;
	rows_text(&record, FIELD_action, row->action != NULL ? row->action : "SL");
	rows_text(&record, FIELD_statement, row->text);
	rows_text(&record, FIELD_session_context, row->column);
	rows_text(&record, FIELD_user_defined_information, row->told);
	rows_text(&record, FIELD_application, row->application);
	rows_text(&record, FIELD_principal, row->login);
	rows_text(&record, FIELD_connection_id, row->connection);
	rows_text(&record, FIELD_server, "sql1");
	if (row->session != 0) {
		record_set_number(&record, FIELD_session_id, row->session);
	}
	if (row->duration_ms != 0) {
		record_set_number(&record, FIELD_duration_ms, row->duration_ms);
	}
	record_set_number(&record, FIELD_sequence, row->sequence);
	return record;
}

/* A request record. */
static inline struct record rows_request(const struct line *line, const char *key)
{
	struct record record;
	record_init(&record, RECORD_REQUEST);
	record.source = str_of("api");
	record.key = str_of(key);
	record.time_ns = line->time_ns;
	rows_text(&record, FIELD_extended_request_id, line->x);
	rows_text(&record, FIELD_lambda_request_id, line->l);
	rows_text(&record, FIELD_request_id, line->r);
	rows_text(&record, FIELD_user, line->user);
	rows_text(&record, FIELD_route, line->route);
	if (line->latency_ms >= 0) {
		record_set_number(&record, FIELD_latency_ms, line->latency_ms);
	}
	if (line->status != 0) {
		record_set_number(&record, FIELD_status, line->status);
	}
	return record;
}

/* Options as most tests want them. */
static inline struct join_options rows_options(void)
{
	return (struct join_options){
		.tolerance_ns = 100 * MS,
		.slack_ns = 5 * S,
		.provisional_ns = 120 * S,
		.max_records = 100000,
	};
}

#define T0 (INT64_C(1700000000) * S)

/* A join, and the last verdict on each leaf. */
struct bench {
	struct join *join;
	struct join_verdict last[64]; /* by statement leaf, or request leaf for a U2 */
	char reason[64][256];
	unsigned said[64];
};

/* Adds an access log line, an audit row, under a leaf below 64. */
static inline void add_line(struct bench *bench, uint64_t leaf, struct line line)
{
	char key[24];
	(void)snprintf(key, sizeof key, "line%d", (int)leaf); /* fits */
	struct record record = rows_request(&line, key);
	struct error err;
	assert_int_equal(join_add(bench->join, leaf, &record, &err), 0);
}

/* Gives a line back that a want names. */
static inline void recall_line(struct bench *bench, const struct join_want *want, uint64_t leaf,
			       struct line line)
{
	char key[24];
	(void)snprintf(key, sizeof key, "line%d", (int)leaf); /* fits */
	struct record record = rows_request(&line, key);
	struct error err;
	assert_int_equal(join_recall(bench->join, want, leaf, &record, &err), 0);
}

static inline void add_row(struct bench *bench, uint64_t leaf, struct row row)
{
	char key[24];
	(void)snprintf(key, sizeof key, "row%d", (int)leaf); /* fits */
	struct record record = rows_statement(&row, key);
	struct error err;
	assert_int_equal(join_add(bench->join, leaf, &record, &err), 0);
}

/* Takes all verdicts; returns how many. */
static inline unsigned drain(struct bench *bench)
{
	struct join_verdict verdict;
	unsigned count = 0;
	while (join_take(bench->join, &verdict)) {
		uint64_t leaf = verdict.statement_leaf == JOIN_NO_LEAF ? verdict.request_leaf
								       : verdict.statement_leaf;
		assert_true(leaf < 64);
		(void)snprintf(bench->reason[leaf], 256, "%s", verdict.reason); /* as long */
		verdict.reason = bench->reason[leaf];
		bench->last[leaf] = verdict;
		bench->said[leaf]++;
		count++;
	}
	return count;
}

/* Says that nothing more will come, and takes all verdicts. */
static inline unsigned settle_all(struct bench *bench)
{
	join_settle(bench->join, INT64_MAX, INT64_MAX);
	return drain(bench);
}

/* A bench with these options, with the usual ones; free bench.join. */
static inline struct bench bench_with(const struct join_options *options)
{
	struct bench bench = {0};
	struct error err;
	assert_int_equal(join_new(options, &bench.join, &err), 0);
	return bench;
}

static inline struct bench bench_new(void)
{
	struct join_options options = rows_options();
	return bench_with(&options);
}

/* What stands of a leaf. */
static inline void expect(const struct bench *bench, uint64_t leaf, const char *grade,
			  uint64_t request)
{
	assert_string_equal(bench->last[leaf].grade, grade);
	assert_int_equal(bench->last[leaf].request_leaf, request);
}

/* Two requests that overlap. */
static const struct line alice = {
	.time_ns = T0, .latency_ms = 500, .x = "XA", .l = "LA", .r = "RA", .user = "alice"};
static const struct line bob = {.time_ns = T0 + 400 * MS,
				.latency_ms = 500,
				.x = "XB",
				.l = "LB",
				.r = "RB",
				.user = "bob"};

#endif
