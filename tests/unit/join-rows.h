/* join-rows - short ways to make requests and audit rows for the tests of the join, and to take its verdicts.
 *
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

#endif
