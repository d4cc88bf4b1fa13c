#include "model/alert-make.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>

#define ELLIPSIS    "\xe2\x80\xa6"
#define NUMBER_MAX  24
#define TIME_DIGITS 3

enum part { ALERT_ITSELF, STATEMENT, VERDICT, REQUEST, OTHER };

static const struct taken { /* what is told as it stands in a record */
	enum alert_field to;
	enum part part;
	unsigned field;
} table[] = {
	{ALERT_title, ALERT_ITSELF, FIELD_title},
	{ALERT_tags, ALERT_ITSELF, FIELD_tags},
	{ALERT_matched, ALERT_ITSELF, FIELD_matched},
	{ALERT_statement_id, ALERT_ITSELF, FIELD_statement_id},
	{ALERT_user, REQUEST, FIELD_user},
	{ALERT_user_kind, REQUEST, FIELD_user_kind},
	{ALERT_source_ip, REQUEST, FIELD_source_ip},
	{ALERT_user_agent, REQUEST, FIELD_user_agent},
	{ALERT_route, REQUEST, FIELD_route},
	{ALERT_status, REQUEST, FIELD_status},
	{ALERT_request_id, REQUEST, FIELD_request_id},
	{ALERT_extended_request_id, REQUEST, FIELD_extended_request_id},
	{ALERT_lambda_request_id, REQUEST, FIELD_lambda_request_id},
	{ALERT_server, STATEMENT, FIELD_server},
	{ALERT_database, STATEMENT, FIELD_database},
	{ALERT_table, STATEMENT, FIELD_table},
	{ALERT_verb, STATEMENT, FIELD_verb},
	{ALERT_action, STATEMENT, FIELD_action},
	{ALERT_principal, STATEMENT, FIELD_principal},
	{ALERT_application, STATEMENT, FIELD_application},
	{ALERT_host, STATEMENT, FIELD_host},
	{ALERT_client_ip, STATEMENT, FIELD_client_ip},
	{ALERT_succeeded, STATEMENT, FIELD_succeeded},
	{ALERT_rows, STATEMENT, FIELD_rows},
	{ALERT_grade, VERDICT, FIELD_grade},
	{ALERT_grade_reason, VERDICT, FIELD_reason},
	{ALERT_gap, OTHER, FIELD_reason},
};

struct maker {
	const struct alert_parts *parts;
	struct arena *arena;
	struct alert alert;
	bool failed;
};

static const struct record *part_of(const struct alert_parts *parts, enum part part)
{
	switch (part) {
	case ALERT_ITSELF:
		return parts->alert;
	case STATEMENT:
		return parts->statement;
	case VERDICT:
		return parts->verdict;
	case REQUEST:
		return parts->request;
	case OTHER:
		return parts->other;
	}
	return NULL;
}

static void keep(struct maker *maker, enum alert_field field, struct str text)
{
	maker->failed =
		arena_str(maker->arena, text, &maker->alert.value[field]) < 0 || maker->failed;
}

/* A text, cut to at most max bytes and never within a character; then it ends in an ellipsis. */
static void put_text(struct maker *maker, enum alert_field field, struct str text, size_t max)
{
	if (text.len <= max) {
		maker->alert.value[field] = text.ptr != NULL ? text : STR_LIT("");
		return;
	}
	size_t len = max;
	while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
		len--;
	}
	char *copy = arena_alloc(maker->arena, len + sizeof ELLIPSIS);
	if (copy == NULL) {
		maker->failed = true;
		return;
	}
	memcpy(copy, text.ptr, len);
	memcpy(copy + len, ELLIPSIS, sizeof ELLIPSIS);
	maker->alert.value[field] = str_make(copy, len + sizeof ELLIPSIS - 1);
}

static void put_value(struct maker *maker, const struct taken *taken)
{
	const struct record *record = part_of(maker->parts, taken->part);
	char number[NUMBER_MAX];
	if (record == NULL || !record_has(record, taken->field)) {
		return;
	}
	switch (field_info(taken->field)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		put_text(maker, taken->to, record_text(record, taken->field), ALERT_TEXT_MAX);
		return;
	case FIELD_TYPE_BOOL:
		maker->alert.value[taken->to] = record_number(record, taken->field, 0) != 0
							? STR_LIT("true")
							: STR_LIT("false");
		return;
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME: {
		int len = snprintf(number, sizeof number, "%lld",
				   (long long)record_number(record, taken->field, 0));
		assert(len > 0 && (size_t)len < sizeof number);
		keep(maker, taken->to, str_make(number, (size_t)len));
		return;
	}
	}
}

static void put_time(struct maker *maker, enum alert_field field, int64_t ns)
{
	struct buf text;
	buf_init(&text, 128);
	clock_put_rfc3339(&text, ns, TIME_DIGITS);
	keep(maker, field, buf_str(&text));
	maker->failed = maker->failed || text.failed;
	buf_done(&text);
}

static void put_given(struct maker *maker, enum alert_field field, struct str text)
{
	if (text.len > 0) {
		put_text(maker, field, text, ALERT_TEXT_MAX);
	}
}

/* The source of the record that it rests on. */
static void put_source(struct maker *maker)
{
	const struct alert_parts *parts = maker->parts;
	const struct record *record = parts->statement != NULL ? parts->statement
				      : parts->other != NULL   ? parts->other
							       : parts->request;
	if (record != NULL) {
		maker->alert.value[ALERT_source] = record->source;
	}
}

int alert_make(const struct alert_parts *parts, struct arena *arena, struct alert *out_alert)
{
	struct maker maker = {.parts = parts, .arena = arena};
	bool fires = parts->resolution.len == 0;
	put_given(&maker, ALERT_id, parts->id);
	maker.alert.value[ALERT_state] = fires ? STR_LIT("firing") : STR_LIT("resolved");
	maker.alert.value[ALERT_severity] = str_of(alert_severity_word(parts->severity));
	put_given(&maker, ALERT_rule, parts->rule);
	put_given(&maker, ALERT_explanation, parts->explanation);
	put_given(&maker, ALERT_next_steps, parts->next_steps);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		put_value(&maker, &table[i]);
	}
	put_time(&maker, ALERT_time, parts->time_ns);
	put_time(&maker, ALERT_fired, parts->fired_ns);
	if (!fires) {
		put_time(&maker, ALERT_resolved, parts->resolved_ns);
		put_given(&maker, ALERT_resolution, parts->resolution);
	}
	if (parts->statement != NULL && record_has(parts->statement, FIELD_statement) &&
	    parts->statement_bytes > 0) {
		put_text(&maker, ALERT_statement, record_text(parts->statement, FIELD_statement),
			 parts->statement_bytes);
	}
	put_source(&maker);
	if (maker.failed) {
		return -ERR_NOMEM;
	}
	*out_alert = maker.alert;
	return 0;
}
