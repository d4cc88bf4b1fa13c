#include "correlator/compose.h"

#include "base/clock.h"
#include "correlator/disposition.h"

#define ARENA_BYTES (1u << 20)
#define ELLIPSIS    "\xe2\x80\xa6"

static const struct taken { /* texts and numbers that are told as they stand in a record */
	enum alert_field to;
	enum compose_part part;
	unsigned field;
} table[] = {
	{ALERT_title, COMPOSE_ALERT, FIELD_title},
	{ALERT_tags, COMPOSE_ALERT, FIELD_tags},
	{ALERT_matched, COMPOSE_ALERT, FIELD_matched},
	{ALERT_statement_id, COMPOSE_ALERT, FIELD_statement_id},
	{ALERT_user, COMPOSE_REQUEST, FIELD_user},
	{ALERT_user_kind, COMPOSE_REQUEST, FIELD_user_kind},
	{ALERT_source_ip, COMPOSE_REQUEST, FIELD_source_ip},
	{ALERT_user_agent, COMPOSE_REQUEST, FIELD_user_agent},
	{ALERT_route, COMPOSE_REQUEST, FIELD_route},
	{ALERT_status, COMPOSE_REQUEST, FIELD_status},
	{ALERT_request_id, COMPOSE_REQUEST, FIELD_request_id},
	{ALERT_extended_request_id, COMPOSE_REQUEST, FIELD_extended_request_id},
	{ALERT_lambda_request_id, COMPOSE_REQUEST, FIELD_lambda_request_id},
	{ALERT_server, COMPOSE_STATEMENT, FIELD_server},
	{ALERT_database, COMPOSE_STATEMENT, FIELD_database},
	{ALERT_table, COMPOSE_STATEMENT, FIELD_table},
	{ALERT_verb, COMPOSE_STATEMENT, FIELD_verb},
	{ALERT_action, COMPOSE_STATEMENT, FIELD_action},
	{ALERT_principal, COMPOSE_STATEMENT, FIELD_principal},
	{ALERT_application, COMPOSE_STATEMENT, FIELD_application},
	{ALERT_host, COMPOSE_STATEMENT, FIELD_host},
	{ALERT_client_ip, COMPOSE_STATEMENT, FIELD_client_ip},
	{ALERT_succeeded, COMPOSE_STATEMENT, FIELD_succeeded},
	{ALERT_rows, COMPOSE_STATEMENT, FIELD_rows},
	{ALERT_grade, COMPOSE_VERDICT, FIELD_grade},
	{ALERT_grade_reason, COMPOSE_VERDICT, FIELD_reason},
	{ALERT_gap, COMPOSE_OTHER, FIELD_reason},
};

void composer_init(struct composer *composer, struct store *store, const struct alerting *alerting)
{
	*composer = (struct composer){.store = store, .alerting = alerting};
	for (size_t i = 0; i < COMPOSE_PARTS; i++) {
		buf_init(&composer->bytes[i], RECORD_MAX_BYTES);
	}
	buf_init(&composer->text, RECORD_MAX_BYTES);
	arena_init(&composer->arena, ARENA_BYTES + 2 * RECORD_MAX_BYTES);
}

void composer_done(struct composer *composer)
{
	for (size_t i = 0; i < COMPOSE_PARTS; i++) {
		buf_done(&composer->bytes[i]);
	}
	buf_done(&composer->text);
	arena_done(&composer->arena);
}

static int read_part(struct composer *composer, enum compose_part part, uint64_t leaf,
		     struct error *err)
{
	struct str encoded;
	composer->has[part] = leaf != ALERTS_NO_LEAF;
	if (leaf == ALERTS_NO_LEAF) {
		return 0;
	}
	int rc = store_peek(composer->store, leaf, &encoded, err);
	if (rc == 0) {
		buf_clear(&composer->bytes[part]);
		buf_put_str(&composer->bytes[part], encoded);
		rc = buf_check(&composer->bytes[part], "a stored record", err);
	}
	rc = rc < 0 ? rc
		    : record_decode(buf_str(&composer->bytes[part]), &composer->records[part], err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
	}
	return rc;
}

static int read_parts(struct composer *composer, const struct store_alert *row, struct error *err)
{
	const struct record *verdict = &composer->records[COMPOSE_VERDICT];
	uint64_t request_leaf = row->request_leaf;
	int rc = read_part(composer, COMPOSE_ALERT, row->leaf, err);
	rc = rc < 0 ? rc : read_part(composer, COMPOSE_STATEMENT, row->statement_leaf, err);
	rc = rc < 0 ? rc : read_part(composer, COMPOSE_OTHER, row->other_leaf, err);
	rc = rc < 0 ? rc : read_part(composer, COMPOSE_VERDICT, row->verdict_leaf, err);
	if (rc == 0 && row->statement_leaf != ALERTS_NO_LEAF && composer->has[COMPOSE_VERDICT]) {
		bool named = record_has(verdict, FIELD_request_leaf);
		request_leaf = named ? (uint64_t)record_number(verdict, FIELD_request_leaf, 0)
				     : ALERTS_NO_LEAF;
	}
	return rc < 0 ? rc : read_part(composer, COMPOSE_REQUEST, request_leaf, err);
}

/* Keeps what stands in composer->text as the value of a field. */
static void keep(struct composer *composer, struct alert *alert, enum alert_field field)
{
	if (composer->text.failed ||
	    arena_str(&composer->arena, buf_str(&composer->text), &alert->value[field]) < 0) {
		composer->failed = true; /* told once, at the end */
	}
}

/* A text, cut to at most max bytes and never within a character; then it ends in an ellipsis. */
static void put_cut(struct composer *composer, struct alert *alert, enum alert_field field,
		    struct str text, size_t max)
{
	if (text.len <= max) {
		alert->value[field] = text;
		return;
	}
	size_t len = max;
	while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
		len--;
	}
	buf_clear(&composer->text);
	buf_put_str(&composer->text, str_slice(text, 0, len));
	buf_put_text(&composer->text, ELLIPSIS);
	keep(composer, alert, field);
}

static void put_value(struct composer *composer, struct alert *alert, const struct taken *taken)
{
	const struct record *record = &composer->records[taken->part];
	if (!composer->has[taken->part] || !record_has(record, taken->field)) {
		return;
	}
	switch (field_info(taken->field)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		put_cut(composer, alert, taken->to, record_text(record, taken->field),
			COMPOSE_TEXT_MAX);
		return;
	case FIELD_TYPE_BOOL:
		alert->value[taken->to] = record_number(record, taken->field, 0) != 0
						  ? STR_LIT("true")
						  : STR_LIT("false");
		return;
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		buf_clear(&composer->text);
		buf_put_i64(&composer->text, record_number(record, taken->field, 0));
		keep(composer, alert, taken->to);
		return;
	}
}

static void put_time(struct composer *composer, struct alert *alert, enum alert_field field,
		     int64_t ns)
{
	buf_clear(&composer->text);
	clock_put_rfc3339(&composer->text, ns, 3);
	keep(composer, alert, field);
}

static void put_statement(struct composer *composer, struct alert *alert)
{
	const struct record *record = &composer->records[COMPOSE_STATEMENT];
	if (!composer->has[COMPOSE_STATEMENT] || !record_has(record, FIELD_statement) ||
	    composer->statement_bytes == 0) {
		return;
	}
	put_cut(composer, alert, ALERT_statement, record_text(record, FIELD_statement),
		composer->statement_bytes);
}

static void put_resolution(struct composer *composer, const struct store_alert *row,
			   struct alert *alert)
{
	struct buf *text = &composer->text;
	buf_clear(text);
	switch (row->state) {
	case ALERT_STATE_FIRING:
		return;
	case ALERT_STATE_ACKNOWLEDGED:
		buf_put_text(text, "acknowledged by ");
		buf_put_str(text, row->by.len > 0 ? row->by : STR_LIT("somebody"));
		buf_put_text(text, ": ");
		buf_put_str(text, row->note);
		break;
	case ALERT_STATE_REVOKED:
		buf_put_text(text, "revoked: ");
		buf_put_str(text, record_text(&composer->records[COMPOSE_ALERT], FIELD_reason));
		break;
	case ALERT_STATE_EXPIRED:
		buf_put_text(text, "expired: nobody acknowledged it in time");
		break;
	}
	keep(composer, alert, ALERT_resolution);
	put_time(composer, alert, ALERT_resolved, row->changed_ns);
}

/* The source of the record that it rests on. */
static void put_source(const struct composer *composer, struct alert *alert)
{
	static const enum compose_part order[] = {COMPOSE_STATEMENT, COMPOSE_OTHER,
						  COMPOSE_REQUEST};
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (composer->has[order[i]]) {
			alert->value[ALERT_source] = composer->records[order[i]].source;
			return;
		}
	}
}

static void put_rule(struct composer *composer, const struct store_alert *row, struct alert *alert)
{
	const struct rule *rule = alerting_rule(composer->alerting, row->rule);
	alert->value[ALERT_rule] = row->rule;
	if (rule == NULL) {
		return;
	}
	if (rule->explanation.len > 0) {
		put_cut(composer, alert, ALERT_explanation, rule->explanation, COMPOSE_TEXT_MAX);
	}
	if (rule->next_steps.len > 0) {
		put_cut(composer, alert, ALERT_next_steps, rule->next_steps, COMPOSE_TEXT_MAX);
	}
}

int compose_alert(struct composer *composer, const struct store_alert *row, struct alert *out_alert,
		  struct error *err)
{
	struct alert alert = {0};
	arena_clear(&composer->arena);
	int rc = read_parts(composer, row, err);
	if (rc < 0) {
		error_prefix(err, "alert %.*s", STR_ARG(row->id));
		return rc;
	}
	composer->failed = false;
	alert.value[ALERT_id] = row->id;
	alert.value[ALERT_state] =
		disposition_fires(row->state) ? STR_LIT("firing") : STR_LIT("resolved");
	alert.value[ALERT_severity] = str_of(alert_severity_word(row->severity));
	put_rule(composer, row, &alert);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		put_value(composer, &alert, &table[i]);
	}
	put_time(composer, &alert, ALERT_time, row->time_ns);
	put_time(composer, &alert, ALERT_fired, row->fired_ns);
	put_statement(composer, &alert);
	put_resolution(composer, row, &alert);
	put_source(composer, &alert);
	if (composer->failed) {
		return error_set(err, ERR_NOMEM, "no memory for alert %.*s", STR_ARG(row->id));
	}
	*out_alert = alert;
	return 0;
}
