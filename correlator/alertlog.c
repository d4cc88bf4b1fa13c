#include "correlator/alertlog.h"

#include "correlator/verdict.h"
#include "model/alert.h"

#include <assert.h>
#include <stdio.h>

void alertlog_init(struct alertlog *log, struct store *store)
{
	static const struct channels none = {0};
	*log = (struct alertlog){.outbox = {.store = store, .channels = &none}};
	buf_init(&log->encoded, RECORD_MAX_BYTES);
}

void alertlog_done(struct alertlog *log)
{
	buf_done(&log->encoded);
}

static void set_leaf(struct record *record, unsigned field, uint64_t leaf)
{
	if (leaf != ALERTS_NO_LEAF) {
		record_set_number(record, field, (int64_t)leaf);
	}
}

static void set_text(struct record *record, unsigned field, struct str text)
{
	if (text.len > 0) {
		record_set_text(record, field, text);
	}
}

/* Appends the ALERT record of a change; the row's leaf becomes its leaf. */
static int append_record(struct alertlog *log, struct store_alert *alert,
			 const struct alertlog_said *said, struct error *err)
{
	struct record record;
	char key[RECORD_KEY_MAX];
	int len = snprintf(key, sizeof key, "a%.*s.%u", STR_ARG(alert->id),
			   (unsigned)alert->revision);
	assert(len > 0 && (size_t)len < sizeof key);
	record_init(&record, RECORD_ALERT);
	record.source = STR_LIT(VERDICT_SOURCE);
	record.key = str_make(key, (size_t)len);
	record.time_ns = alert->time_ns;
	record_set_text(&record, FIELD_event, str_of(said->event));
	record_set_text(&record, FIELD_alert_id, alert->id);
	record_set_text(&record, FIELD_rule, alert->rule);
	record_set_text(&record, FIELD_severity, str_of(alert_severity_word(alert->severity)));
	set_text(&record, FIELD_title, said->title);
	set_text(&record, FIELD_tags, said->tags);
	set_text(&record, FIELD_matched, said->matched);
	set_text(&record, FIELD_reason, said->reason);
	set_text(&record, FIELD_statement_id, said->statement_id);
	set_leaf(&record, FIELD_statement_leaf, alert->statement_leaf);
	set_leaf(&record, FIELD_request_leaf, alert->request_leaf);
	set_leaf(&record, FIELD_gap_leaf, alert->other_leaf);
	buf_clear(&log->encoded);
	int rc = record_encode(&record, &log->encoded, err);
	rc = rc < 0 ? rc
		    : store_append(log->outbox.store, &record, buf_str(&log->encoded), &alert->leaf,
				   err);
	log->appended += rc == 0 ? 1 : 0;
	return rc;
}

int alertlog_raise(struct alertlog *log, struct store_alert *alert, bool hold,
		   const struct alertlog_said *said, struct error *err)
{
	int64_t now_ns = log->outbox.now_ns;
	alert->state = disposition_next(DISPOSITION_NONE, DISPOSITION_FIRES);
	alert->revision = 1;
	alert->quiet = alert->time_ns < now_ns && now_ns - alert->time_ns > log->max_age_ns;
	int rc = append_record(log, alert, said, err);
	rc = rc < 0 ? rc : alerts_put(log->outbox.store, alert, err);
	if (rc == 0 && !alert->quiet) {
		rc = outbox_post(&log->outbox, alert, hold ? now_ns + log->hold_ns : now_ns, err);
	}
	return rc;
}

int alertlog_change(struct alertlog *log, struct store_alert *alert, enum alert_state state,
		    const struct alertlog_said *said, struct error *err)
{
	bool did_fire = disposition_fires(alert->state);
	alert->state = state;
	alert->revision++;
	alert->changed_ns = log->outbox.now_ns;
	int rc = said != NULL ? append_record(log, alert, said, err) : 0;
	rc = rc < 0 ? rc : alerts_put(log->outbox.store, alert, err);
	if (rc < 0) {
		return rc;
	}
	if (did_fire == disposition_fires(state)) {
		return outbox_follow(&log->outbox, alert, err);
	}
	if (did_fire) {
		return outbox_end(&log->outbox, alert, err);
	}
	return alert->quiet ? 0 : outbox_post(&log->outbox, alert, log->outbox.now_ns, err);
}
