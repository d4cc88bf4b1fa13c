#include "correlator/compose.h"

#define ARENA_BYTES (1u << 20)

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
	if (rc == -ERR_GONE && part != COMPOSE_ALERT) { /* removed; the alert says what it can */
		error_clear(err);
		composer->has[part] = false;
		return 0;
	}
	if (rc == -ERR_GONE) {
		rc = error_set(err, ERR_CORRUPT, "its record was removed");
	}
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

static const struct record *part(const struct composer *composer, enum compose_part part)
{
	return composer->has[part] ? &composer->records[part] : NULL;
}

int compose_alert(struct composer *composer, const struct store_alert *row, struct alert *out_alert,
		  struct error *err)
{
	arena_clear(&composer->arena);
	buf_clear(&composer->text);
	int rc = read_parts(composer, row, err);
	if (rc < 0) {
		error_prefix(err, "alert %.*s", STR_ARG(row->id));
		return rc;
	}
	alerts_put_resolution(row, record_text(&composer->records[COMPOSE_ALERT], FIELD_reason),
			      &composer->text);
	const struct rule *rule = alerting_rule(composer->alerting, row->rule);
	const struct alert_parts parts = {
		.id = row->id,
		.rule = row->rule,
		.explanation = rule != NULL ? rule->explanation : (struct str){0},
		.next_steps = rule != NULL ? rule->next_steps : (struct str){0},
		.resolution = buf_str(&composer->text),
		.severity = row->severity,
		.time_ns = row->time_ns,
		.fired_ns = row->fired_ns,
		.resolved_ns = row->changed_ns,
		.alert = part(composer, COMPOSE_ALERT),
		.statement = part(composer, COMPOSE_STATEMENT),
		.verdict = part(composer, COMPOSE_VERDICT),
		.request = part(composer, COMPOSE_REQUEST),
		.other = part(composer, COMPOSE_OTHER),
		.statement_bytes = composer->statement_bytes};
	if (composer->text.failed || alert_make(&parts, &composer->arena, out_alert) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for alert %.*s", STR_ARG(row->id));
	}
	return 0;
}
