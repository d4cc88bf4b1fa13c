#include "correlator/alerting.h"

#include "base/hash.h"
#include "correlator/hits.h"
#include "correlator/orders.h"
#include "correlator/rulebook.h"
#include "model/alert.h"

#include <stdlib.h>

#define SUBJECT_KNOWN 1

struct alerting {
	struct store *store;
	struct alertlog log;
	int64_t resolve_after_ns;
	struct ruleset *ruleset;
	struct matcher *matcher;
	struct strmap rules; /* id to index in the pack */
	struct rulebook book;
	struct u64map subjects; /* leaves that alerts rest on */
	bool bury; /* deliveries to channels that are gone, with the next transaction */
	struct buf verdict, statement, request; /* copies of stored records */
	struct buf texts;
	struct hits hits; /* of the event that is looked at */
	uint64_t fired, revoked;
};

struct subject { /* what an alert rests on */
	char id[RECORD_ID_DIGITS + 1];
	enum record_kind kind;
	enum rules_stage stage;
	uint64_t leaf, statement_leaf, request_leaf, other_leaf, verdict_leaf;
	int64_t time_ns;
	struct str reason; /* of the verdict */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for alerts");
}

static int know_subject(void *owner, const struct store_alert *alert, struct error *err)
{
	struct alerting *alerting = owner;
	int rc = u64map_put(&alerting->subjects, alerts_subject(alert), SUBJECT_KNOWN);
	return rc < 0 ? no_memory(err) : 0;
}

int alerting_new(struct store *store, struct alerting **out_alerting, struct error *err)
{
	struct alerting *alerting = calloc(1, sizeof *alerting);
	if (alerting == NULL) {
		return no_memory(err);
	}
	alerting->store = store;
	alertlog_init(&alerting->log, store);
	strmap_init(&alerting->rules, PACK_RULES_MAX);
	rulebook_init(&alerting->book);
	u64map_init(&alerting->subjects, ALERTING_SUBJECTS_MAX);
	buf_init(&alerting->verdict, RECORD_MAX_BYTES);
	buf_init(&alerting->statement, RECORD_MAX_BYTES);
	buf_init(&alerting->request, RECORD_MAX_BYTES);
	buf_init(&alerting->texts, 0);
	hits_init(&alerting->hits);
	int rc = alerts_walk(store, &(struct alerts_walk){know_subject, alerting}, err);
	if (rc < 0) {
		alerting_free(alerting);
		return rc;
	}
	*out_alerting = alerting;
	return 0;
}

void alerting_free(struct alerting *alerting)
{
	if (alerting == NULL) {
		return;
	}
	alertlog_done(&alerting->log);
	matcher_free(alerting->matcher);
	ruleset_free(alerting->ruleset);
	strmap_done(&alerting->rules);
	rulebook_done(&alerting->book);
	u64map_done(&alerting->subjects);
	buf_done(&alerting->verdict);
	buf_done(&alerting->statement);
	buf_done(&alerting->request);
	buf_done(&alerting->texts);
	hits_done(&alerting->hits);
	free(alerting);
}

void alerting_set(struct alerting *alerting, const struct alerting_settings *settings)
{
	alerting->log.outbox.channels = settings->channels;
	alerting->log.hold_ns = settings->hold_ns;
	alerting->log.max_age_ns = settings->max_age_ns;
	alerting->resolve_after_ns = settings->resolve_after_ns;
	alerting->bury = settings->all_channels;
}

static int index_rules(const struct pack *pack, struct strmap *out, struct error *err)
{
	int rc = 0;
	for (size_t i = 0; i < pack_rule_count(pack) && rc == 0; i++) {
		rc = strmap_put(out, pack_rule(pack, i)->id, i);
	}
	return rc < 0 ? no_memory(err) : 0;
}

/* What `querytrail status` says of the rules. */
static int put_state(const struct alerting *alerting, struct error *err)
{
	struct alerting_figures figures = alerting_figures(alerting);
	struct buf text;
	buf_init(&text, 256);
	buf_putf(&text, "%zu loaded, %zu bad, %zu idle", figures.rules, figures.bad_rules,
		 figures.idle_rules);
	int rc = store_meta_put(alerting->store, RULEBOOK_STATE_KEY, buf_str(&text), err);
	buf_done(&text);
	return rc;
}

int alerting_use(struct alerting *alerting, struct ruleset *ruleset, struct error *err)
{
	struct matcher *matcher = NULL;
	struct strmap rules;
	int rc = 0;
	strmap_init(&rules, PACK_RULES_MAX);
	if (ruleset != NULL) {
		rc = matcher_new(ruleset, &matcher, err);
		rc = rc < 0 ? rc : index_rules(ruleset_pack(ruleset), &rules, err);
		rc = rc < 0 ? rc
			    : rulebook_use(&alerting->book, alerting->store, ruleset_pack(ruleset),
					   err);
	} else {
		rc = rulebook_stop(alerting->store, err);
	}
	if (rc < 0) {
		matcher_free(matcher);
		ruleset_free(ruleset);
		strmap_done(&rules);
		return rc;
	}
	matcher_free(alerting->matcher);
	ruleset_free(alerting->ruleset);
	strmap_done(&alerting->rules);
	alerting->matcher = matcher;
	alerting->ruleset = ruleset;
	alerting->rules = rules;
	return put_state(alerting, err);
}

const struct ruleset *alerting_rules(const struct alerting *alerting)
{
	return alerting->ruleset;
}

const struct rule *alerting_rule(const struct alerting *alerting, struct str id)
{
	const uint64_t *index = alerting->ruleset != NULL ? strmap_get(&alerting->rules, id) : NULL;
	return index != NULL ? pack_rule(ruleset_pack(alerting->ruleset), *index) : NULL;
}

static int join_tags(struct alerting *alerting, const struct rule *rule, struct str *out)
{
	struct buf tags;
	buf_init(&tags, 4096);
	for (size_t i = 0; i < rule->tag_count; i++) {
		buf_put_text(&tags, i > 0 ? " " : "");
		buf_put_str(&tags, rule->tags[i]);
	}
	int rc = arena_str(&alerting->hits.arena, buf_str(&tags), out);
	buf_done(&tags);
	return rc;
}

/* A rule fires for the first time for this record. */
static int raise_alert(struct alerting *alerting, const struct subject *subject,
		       struct store_alert *alert, const struct alertlog_said *said,
		       struct error *err)
{
	bool hold = subject->stage == RULES_STAGE_RECORD && subject->kind == RECORD_STATEMENT;
	int rc = alertlog_raise(&alerting->log, alert, hold, said, err);
	if (rc == 0 && u64map_put(&alerting->subjects, subject->leaf, SUBJECT_KNOWN) < 0) {
		rc = no_memory(err);
	}
	alerting->fired++;
	return rc;
}

static int fire(struct alerting *alerting, const struct subject *subject, const struct hit *hit,
		struct error *err)
{
	const struct rule *rule = hit->rule;
	char id[ALERT_ID_DIGITS + 1];
	struct store_alert alert;
	struct alertlog_said said = {.event = "fired",
				     .title = rule->title,
				     .matched = hit->matched,
				     .reason = subject->reason};
	if (subject->kind == RECORD_STATEMENT) {
		said.statement_id = str_of(subject->id);
	}
	if (subject->leaf < rulebook_since(&alerting->book, rule->id)) {
		return 0; /* the record was there before the rule */
	}
	if (join_tags(alerting, rule, &said.tags) < 0) {
		return no_memory(err);
	}
	alert_id(rule->id, subject->id, id);
	int rc = alerts_get(alerting->store, str_of(id), &alerting->texts, &alert, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		alert = (struct store_alert){.id = str_of(id),
					     .severity = rule->severity,
					     .rule = rule->id,
					     .verdict_leaf = subject->verdict_leaf,
					     .statement_leaf = subject->statement_leaf,
					     .request_leaf = subject->request_leaf,
					     .other_leaf = subject->other_leaf,
					     .time_ns = subject->time_ns,
					     .fired_ns = alerting->log.outbox.now_ns,
					     .changed_ns = alerting->log.outbox.now_ns};
		return raise_alert(alerting, subject, &alert, &said, err);
	}
	if (rc < 0) {
		return rc;
	}
	enum alert_state state = disposition_next(alert.state, DISPOSITION_FIRES);
	if (state == alert.state) {
		return 0;
	}
	alert.fired_ns = alerting->log.outbox.now_ns;
	alert.verdict_leaf = subject->verdict_leaf;
	alert.request_leaf = subject->request_leaf;
	alerting->fired++;
	return alertlog_change(&alerting->log, &alert, state, &said, err);
}

static int fire_hits(struct alerting *alerting, const struct subject *subject, struct error *err)
{
	int rc = 0;
	for (size_t i = 0; i < alerting->hits.count && rc == 0; i++) {
		rc = fire(alerting, subject, &alerting->hits.items[i], err);
	}
	return rc;
}

static struct subject subject_of(const struct record *record, uint64_t leaf)
{
	struct subject subject = {.kind = record->kind,
				  .stage = RULES_STAGE_RECORD,
				  .leaf = leaf,
				  .statement_leaf = ALERTS_NO_LEAF,
				  .request_leaf = ALERTS_NO_LEAF,
				  .other_leaf = ALERTS_NO_LEAF,
				  .verdict_leaf = ALERTS_NO_LEAF,
				  .time_ns = record->time_ns};
	record_stable_id(record->source, record->key, subject.id);
	uint64_t *of_kind = record->kind == RECORD_STATEMENT ? &subject.statement_leaf
			    : record->kind == RECORD_REQUEST ? &subject.request_leaf
							     : &subject.other_leaf;
	*of_kind = leaf;
	return subject;
}

static int look_at_record(struct alerting *alerting, uint64_t leaf, const struct record *record,
			  struct error *err)
{
	struct rules_event event = {.stage = RULES_STAGE_RECORD};
	if (!ruleset_has_stage(alerting->ruleset, RULES_STAGE_RECORD)) {
		return 0;
	}
	if (record->kind == RECORD_STATEMENT) {
		event.statement = record;
	} else if (record->kind == RECORD_REQUEST) {
		event.request = record;
	} else {
		event.other = record;
	}
	int rc = hits_ask(&alerting->hits, alerting->matcher, &event, err);
	if (rc < 0 || alerting->hits.count == 0) {
		return rc;
	}
	const struct subject subject = subject_of(record, leaf);
	return fire_hits(alerting, &subject, err);
}

/* A stored record, copied and decoded. */
static int read_record(struct alerting *alerting, uint64_t leaf, struct buf *bytes,
		       struct record *out, struct error *err)
{
	struct str encoded;
	int rc = store_peek(alerting->store, leaf, &encoded, err);
	if (rc < 0) {
		return rc;
	}
	buf_clear(bytes);
	buf_put_str(bytes, encoded);
	rc = buf_check(bytes, "a stored record", err);
	rc = rc < 0 ? rc : record_decode(buf_str(bytes), out, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
	}
	return rc;
}

struct kept_alerts { /* the ids of alerts, gathered before they are changed */
	struct buf ids;
	size_t count;
};

static int keep_id(void *owner, const struct store_alert *alert, struct error *err)
{
	struct kept_alerts *kept = owner;
	buf_put_str(&kept->ids, alert->id);
	kept->count++;
	return buf_check(&kept->ids, "the ids of alerts", err);
}

static struct str kept_id(const struct kept_alerts *kept, size_t index)
{
	return str_slice(buf_str(&kept->ids), index * ALERT_ID_DIGITS, ALERT_ID_DIGITS);
}

/* A verdict on what an alert rests on: who it was is known now. revoke: a TRAIL rule that did not fire for it takes it back. */
struct news {
	uint64_t subject_leaf, verdict_leaf;
	bool revoke;
	bool only_revoke; /* it is no verdict on this record itself */
	struct str reason, statement_id;
};

static int tell_alert(struct alerting *alerting, struct str id, const struct news *news,
		      struct error *err)
{
	struct store_alert alert;
	int rc = alerts_get(alerting->store, id, &alerting->texts, &alert, err);
	if (rc < 0) {
		return rc;
	}
	const struct rule *rule = alerting_rule(alerting, alert.rule);
	bool trail = rule != NULL && !rule->idle &&
		     ruleset_stage(alerting->ruleset, rule) == RULES_STAGE_TRAIL;
	alert.verdict_leaf = news->verdict_leaf;
	enum alert_state state = disposition_next(alert.state, DISPOSITION_FIRES_NOT);
	if (news->revoke && trail && !hits_have(&alerting->hits, alert.rule) &&
	    state != alert.state) {
		struct alertlog_said said = {.event = "revoked",
					     .title = rule->title,
					     .reason = news->reason,
					     .statement_id = news->statement_id};
		if (join_tags(alerting, rule, &said.tags) < 0) {
			return no_memory(err);
		}
		alerting->revoked++;
		return alertlog_change(&alerting->log, &alert, state, &said, err);
	}
	if (news->only_revoke) {
		return 0;
	}
	rc = alerts_put(alerting->store, &alert, err);
	return rc < 0 ? rc : outbox_release(&alerting->log.outbox, id, err);
}

static int tell_alerts(struct alerting *alerting, const struct news *news, struct error *err)
{
	struct kept_alerts kept = {0};
	if (u64map_get(&alerting->subjects, news->subject_leaf) == NULL) {
		return 0;
	}
	buf_init(&kept.ids, 0);
	int rc = alerts_of_record(alerting->store, news->subject_leaf,
				  &(struct alerts_walk){keep_id, &kept}, err);
	for (size_t i = 0; i < kept.count && rc == 0; i++) {
		rc = tell_alert(alerting, kept_id(&kept, i), news, err);
	}
	buf_done(&kept.ids);
	return rc;
}

struct trail {         /* what a verdict is about */
	uint64_t leaf; /* of the verdict */
	uint64_t statement_leaf, request_leaf;
	bool final;
};

/* Runs the TRAIL rules on a final verdict. */
static int look_at_trail(struct alerting *alerting, const struct trail *trail,
			 const struct record *verdict, struct error *err)
{
	struct record statement, request;
	struct rules_event event = {.stage = RULES_STAGE_TRAIL, .verdict = verdict};
	int rc = 0;
	if (trail->statement_leaf != ALERTS_NO_LEAF) {
		rc = read_record(alerting, trail->statement_leaf, &alerting->statement, &statement,
				 err);
		event.statement = &statement;
	}
	if (rc == 0 && trail->request_leaf != ALERTS_NO_LEAF) {
		rc = read_record(alerting, trail->request_leaf, &alerting->request, &request, err);
		event.request = &request;
	}
	if (rc == -ERR_GONE) { /* a part of the trail was removed: nothing can be said of it */
		error_clear(err);
		return 0;
	}
	rc = rc < 0 ? rc : hits_ask(&alerting->hits, alerting->matcher, &event, err);
	if (rc < 0 || alerting->hits.count == 0) {
		return rc;
	}
	bool on_statement = event.statement != NULL;
	struct subject subject =
		subject_of(on_statement ? &statement : &request,
			   on_statement ? trail->statement_leaf : trail->request_leaf);
	subject.stage = RULES_STAGE_TRAIL;
	subject.request_leaf = trail->request_leaf;
	subject.verdict_leaf = trail->leaf;
	subject.reason = record_text(verdict, FIELD_reason);
	return fire_hits(alerting, &subject, err);
}

static uint64_t leaf_of(const struct record *record, unsigned field)
{
	return record_has(record, field) ? (uint64_t)record_number(record, field, 0)
					 : ALERTS_NO_LEAF;
}

static int look_at_verdict(struct alerting *alerting, uint64_t leaf, struct error *err)
{
	struct record verdict;
	int rc = read_record(alerting, leaf, &alerting->verdict, &verdict, err);
	if (rc < 0) {
		return rc;
	}
	struct trail trail = {.leaf = leaf,
			      .statement_leaf = leaf_of(&verdict, FIELD_statement_leaf),
			      .request_leaf = leaf_of(&verdict, FIELD_request_leaf),
			      .final = str_is(record_text(&verdict, FIELD_settled), "final")};
	bool on_statement = trail.statement_leaf != ALERTS_NO_LEAF;
	bool judged = trail.final && ruleset_has_stage(alerting->ruleset, RULES_STAGE_TRAIL);
	struct news news = {.subject_leaf =
				    on_statement ? trail.statement_leaf : trail.request_leaf,
			    .verdict_leaf = leaf,
			    .revoke = judged,
			    .reason = record_text(&verdict, FIELD_reason),
			    .statement_id = record_text(&verdict, FIELD_statement_id)};
	hits_clear(&alerting->hits);
	if (judged) {
		rc = look_at_trail(alerting, &trail, &verdict, err);
	}
	rc = rc < 0 ? rc : tell_alerts(alerting, &news, err);
	if (rc == 0 && on_statement && trail.request_leaf != ALERTS_NO_LEAF) {
		/* the request has a statement: what was said of it alone is taken back, as the join does */
		hits_clear(&alerting->hits);
		news.subject_leaf = trail.request_leaf;
		news.revoke = true;
		news.only_revoke = true;
		news.statement_id = (struct str){0};
		rc = tell_alerts(alerting, &news, err);
	}
	return rc;
}

static int look_at(struct alerting *alerting, uint64_t leaf, struct error *err)
{
	struct str encoded;
	struct record record;
	int rc = store_peek(alerting->store, leaf, &encoded, err);
	if (rc == -ERR_GONE) { /* retention was quicker */
		error_clear(err);
		return 0;
	}
	rc = rc < 0 ? rc : record_decode(encoded, &record, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		return rc;
	}
	switch (record.kind) {
	case RECORD_ALERT:
		return 0;
	case RECORD_VERDICT:
		return look_at_verdict(alerting, leaf, err);
	case RECORD_REQUEST:
	case RECORD_STATEMENT:
	case RECORD_ACCESS:
	case RECORD_LIFECYCLE:
	case RECORD_GAP:
		break;
	case RECORD_REJECT:
		if (record_has(&record, FIELD_skipped)) {
			return 0;
		}
		break;
	}
	return look_at_record(alerting, leaf, &record, err);
}

int alerting_catch_up(struct alerting *alerting, uint64_t end, int64_t now_ns, bool *out_more,
		      struct error *err)
{
	struct rulebook *book = &alerting->book;
	int rc = 0;
	alerting->log.outbox.now_ns = now_ns;
	alerting->log.appended = 0;
	*out_more = false;
	if (alerting->bury) {
		alerting->bury = false;
		rc = outbox_bury(&alerting->log.outbox, err);
	}
	if (alerting->ruleset == NULL) {
		return rc;
	}
	for (size_t count = 0; book->position < end && rc == 0; count++) {
		if (count == ALERTING_LEAVES || alerting->log.appended >= ALERTING_ALERTS) {
			*out_more = true;
			break;
		}
		rc = look_at(alerting, book->position, err);
		book->position++;
	}
	if (book->position == end) {
		book->position =
			end + alerting->log.appended; /* what follows are the alerts of now */
	}
	return rc < 0 ? rc : rulebook_put(book, alerting->store, err);
}

int alerting_obey(struct alerting *alerting, const struct record *record, int64_t now_ns,
		  struct error *err)
{
	alerting->log.outbox.now_ns = now_ns;
	return orders_obey(&alerting->log, record, err);
}

int alerting_is_due(struct alerting *alerting, int64_t now_ns, bool *out_due, struct error *err)
{
	return orders_expiry_is_due(alerting->store, now_ns - alerting->resolve_after_ns, out_due,
				    err);
}

int alerting_expire(struct alerting *alerting, int64_t now_ns, bool *out_more, struct error *err)
{
	alerting->log.outbox.now_ns = now_ns;
	return orders_expire(&alerting->log, now_ns - alerting->resolve_after_ns, out_more, err);
}

int alerting_receive(struct alerting *alerting, const struct outbox_receipt *receipt,
		     int64_t now_ns, bool *out_known, struct error *err)
{
	alerting->log.outbox.now_ns = now_ns;
	return outbox_receive(&alerting->log.outbox, receipt, out_known, err);
}

struct alerting_figures alerting_figures(const struct alerting *alerting)
{
	struct alerting_figures figures = {.fired = alerting->fired, .revoked = alerting->revoked};
	if (alerting->ruleset == NULL) {
		return figures;
	}
	const struct pack *pack = ruleset_pack(alerting->ruleset);
	uint64_t leaves = store_leaf_count(alerting->store);
	figures.rules = pack_rule_count(pack);
	figures.bad_rules = pack_problem_count(pack);
	for (size_t i = 0; i < figures.rules; i++) {
		figures.idle_rules += pack_rule(pack, i)->idle ? 1 : 0;
	}
	figures.behind = leaves > alerting->book.position ? leaves - alerting->book.position : 0;
	return figures;
}
