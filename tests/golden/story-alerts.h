/* story-alerts - the story's store with alerts on it, hostile texts in every place that a rule, a person or a channel fills.
 *
 * Threads: as the store.
 */
#ifndef TESTS_GOLDEN_STORY_ALERTS_H
#define TESTS_GOLDEN_STORY_ALERTS_H

#include "store/alerts.h"
#include "tests/golden/story-store.h"

struct story_alert {
	const char *id, *rule, *title, *matched, *by, *note;
	int item; /* of the story that it rests on */
	int request;
	int severity;
	enum alert_state state;
	bool quiet;
};

static inline void story_alert(struct story_store *story, const struct story_alert *alert)
{
	struct record record;
	char key[64];
	int64_t time_ns = STORY_DAY_NS + 10 * NS_PER_HOUR + 40 * NS_PER_SEC;
	bool on_request = alert->item < STORY_S_ALICE_1;
	(void)snprintf(key, sizeof(key), "a%s.1", alert->id);
	record_init(&record, RECORD_ALERT);
	record.source = STR_LIT("querytraild");
	record.key = str_of(key);
	record.time_ns = time_ns;
	record_set_text(&record, FIELD_event, STR_LIT("fired"));
	record_set_text(&record, FIELD_rule, str_of(alert->rule));
	record_set_text(&record, FIELD_title, str_of(alert->title));
	record_set_text(&record, FIELD_alert_id, str_of(alert->id));
	record_set_text(&record, FIELD_matched, str_of(alert->matched));
	record_set_text(&record, FIELD_severity, STR_LIT("high"));
	story_append(story, &record, STORY_ITEMS);
	const struct store_alert row = {
		.id = str_of(alert->id),
		.state = alert->state,
		.revision = alert->state == ALERT_STATE_FIRING ? 1 : 2,
		.severity = alert->severity,
		.rule = str_of(alert->rule),
		.leaf = story->leaf[STORY_ITEMS],
		.verdict_leaf = ALERTS_NO_LEAF,
		.statement_leaf = on_request ? ALERTS_NO_LEAF : story->leaf[alert->item],
		.request_leaf = alert->request >= 0 ? story->leaf[alert->request] : ALERTS_NO_LEAF,
		.other_leaf = ALERTS_NO_LEAF,
		.time_ns = time_ns,
		.fired_ns = time_ns + 2 * NS_PER_SEC,
		.changed_ns = time_ns + 60 * NS_PER_SEC,
		.quiet = alert->quiet,
		.by = str_of(alert->by),
		.note = str_of(alert->note)};
	assert(alerts_put(story->store, &row, NULL) == 0);
}

static inline void story_deliveries(struct story_store *story)
{
	const struct store_delivery rows[] = {
		{.alert_id = STR_LIT("00000000000000a1"),
		 .channel = STR_LIT("mail"),
		 .revision = 1,
		 .state = DELIVERY_DONE,
		 .changed_ns = STORY_NOW_NS},
		{.alert_id = STR_LIT("00000000000000a1"),
		 .channel = STR_LIT("pager"),
		 .revision = 1,
		 .state = DELIVERY_DEAD,
		 .attempts = 12,
		 .changed_ns = STORY_NOW_NS,
		 .text = STR_LIT("HTTP 500: \033[2J<b>no</b>\nand more")},
		{.alert_id = STR_LIT("00000000000000b2"),
		 .channel = STR_LIT("pager"),
		 .revision = 2,
		 .state = DELIVERY_WAITING,
		 .attempts = 1,
		 .next_ns = STORY_NOW_NS + NS_PER_HOUR,
		 .changed_ns = STORY_NOW_NS,
		 .text = STR_LIT("connection refused")}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert(alerts_put_delivery(story->store, &rows[i], NULL) == 0);
	}
}

/* Makes the complete story with its alerts in a new folder. */
static inline void story_alerts_init(struct story_store *story)
{
	static const struct story_alert alerts[] = {
		{"00000000000000a1", "delete-without-key", "Table Emptied by a Person",
		 "flags: delete_without_where", "", "", STORY_S_ADMIN, -1, 5, ALERT_STATE_FIRING,
		 false},
		{"00000000000000b2", "salaries", "Classified Table Read", "table: dbo.Salaries",
		 "auditor", "agreed\033[31m with the\nowner", STORY_S_CONFLICT, STORY_R_EVE, 4,
		 ALERT_STATE_ACKNOWLEDGED, false},
		{"00000000000000c3", "=cmd|' /c calc'!A1",
		 "Odd \xe2\x80\xaetfel\033]0;owned\007 Title", "statement: \033[2J", "", "",
		 STORY_S_HOSTILE, STORY_R_EVE, 2, ALERT_STATE_EXPIRED, true},
		{"00000000000000d4", "health", "Odd Request", "route: GET /health", "", "",
		 STORY_R_IDLE, STORY_R_IDLE, 1, ALERT_STATE_REVOKED, false}};
	story_store_init(story, true, false);
	assert(store_open(story->dir, STORE_WRITE, &story->store, NULL) == 0);
	assert(store_begin(story->store, STORY_NOW_NS, NULL) == 0);
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
		story_alert(story, &alerts[i]);
	}
	story_deliveries(story);
	assert(store_commit(story->store, NULL) == 0);
	store_close(story->store);
	story->store = NULL;
}

#endif
