/* alert-fixture - a store, two channels, and rows of alerts, for the tests of what alerts become.
 *
 * Rules:   include it after cmocka.h. A transaction is open until alert_fixture_done.
 * Threads: one per thread. */
#ifndef TESTS_UNIT_ALERT_FIXTURE_H
#define TESTS_UNIT_ALERT_FIXTURE_H

#include "correlator/alertlog.h"
#include "tests/unit/store-filled.h"

#define ALERT_ID  "00000000000000aa"
#define ALERT_ID2 "00000000000000bb"
#define NOW       FIXTURE_START_NS

struct alert_fixture {
	struct filled filled;
	struct alertlog log;
	struct channel items[2];
	struct channels channels;
	struct str pager_rules[1];
	struct buf texts;
	struct error err;
};

/* "mail" takes everything; "pager" takes what is high and of rules page-*. */
static inline void alert_fixture_init(struct alert_fixture *f)
{
	memset(f, 0, sizeof *f);
	fixture_init(&f->filled.fixture);
	filled_open(&f->filled, STORE_CREATE);
	f->pager_rules[0] = STR_LIT("page-*");
	f->items[0] = (struct channel){.name = STR_LIT("mail"), .min_severity = 1};
	f->items[1] = (struct channel){.name = STR_LIT("pager"),
				       .min_severity = 4,
				       .rules = f->pager_rules,
				       .rule_count = 1};
	f->channels = (struct channels){.items = f->items, .count = 2};
	alertlog_init(&f->log, f->filled.store);
	f->log.outbox.channels = &f->channels;
	f->log.outbox.now_ns = NOW;
	f->log.hold_ns = 5000;
	f->log.max_age_ns = 100000;
	buf_init(&f->texts, 0);
	assert_int_equal(store_begin(f->filled.store, NOW, &f->err), 0);
}

static inline void alert_fixture_done(struct alert_fixture *f)
{
	alertlog_done(&f->log);
	buf_done(&f->texts);
	filled_done(&f->filled);
}

/* A row that is not put yet. */
static inline struct store_alert fixture_alert(const char *id, const char *rule, int severity)
{
	return (struct store_alert){.id = str_of(id),
				    .severity = severity,
				    .rule = str_of(rule),
				    .verdict_leaf = ALERTS_NO_LEAF,
				    .statement_leaf = ALERTS_NO_LEAF,
				    .request_leaf = ALERTS_NO_LEAF,
				    .other_leaf = ALERTS_NO_LEAF,
				    .time_ns = NOW - 1000,
				    .fired_ns = NOW,
				    .changed_ns = NOW};
}

/* Raises an alert of rule page-x and severity 4: both channels take it. */
static inline struct store_alert fixture_raise(struct alert_fixture *f, const char *id, bool hold)
{
	struct store_alert alert = fixture_alert(id, "page-x", 4);
	const struct alertlog_said said = {.event = "fired", .title = STR_LIT("Title")};
	assert_int_equal(alertlog_raise(&f->log, &alert, hold, &said, &f->err), 0);
	return alert;
}

/* The alert as it stands now. */
static inline struct store_alert fixture_get(struct alert_fixture *f, const char *id)
{
	struct store_alert alert = {0};
	assert_int_equal(alerts_get(f->filled.store, str_of(id), &f->texts, &alert, &f->err), 0);
	return alert;
}

struct fixture_rows {
	char text[1024];
	size_t count;
};

static inline int fixture_see(void *owner, const struct store_delivery *row, struct error *err)
{
	struct fixture_rows *rows = owner;
	size_t len = strlen(rows->text);
	(void)err;
	(void)snprintf(rows->text + len, sizeof rows->text - len, "%.*s:%s:%u:%lld:%u ",
		       STR_ARG(row->channel), alerts_delivery_word(row->state), row->revision,
		       (long long)(row->next_ns - NOW), row->attempts);
	rows->count++;
	return 0;
}

/* "channel:state:revision:next_ns - NOW:attempts " of each delivery of an alert, as text. */
static inline const char *fixture_deliveries(struct alert_fixture *f, const char *id)
{
	static struct fixture_rows rows;
	const struct alerts_delivery_filter filter = {.alert_id = str_of(id), .states = ~0u};
	rows = (struct fixture_rows){0};
	assert_int_equal(alerts_walk_deliveries(f->filled.store, &filter,
						&(struct alerts_delivery_walk){fixture_see, &rows},
						&f->err),
			 0);
	return rows.text;
}

#endif
