#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/alerting.h"
#include "correlator/compose.h"
#include "tests/unit/rules-text.h"
#include "tests/unit/store-filled.h"

#define DROP  RULE_TEXT("drop", "statement", "    statement|contains: DROP\n")
#define OTHER RULE_TEXT("other", "statement", "    statement|contains: DROP\n")
#define ALICE RULE_TEXT("alice", "trail", "    user: alice\n")
#define NOW   FIXTURE_START_NS

struct scene {
	struct filled filled;
	struct alerting *alerting;
	struct channel mail;
	struct channels channels;
	struct buf texts, encoded;
	uint64_t end; /* next leaf of the open transaction */
};

static void scene_init(struct scene *scene, const char *rules)
{
	memset(scene, 0, sizeof *scene);
	fixture_init(&scene->filled.fixture);
	filled_open(&scene->filled, STORE_CREATE);
	scene->mail = (struct channel){.name = STR_LIT("mail"), .min_severity = 1};
	scene->channels = (struct channels){.items = &scene->mail, .count = 1};
	buf_init(&scene->texts, 0);
	buf_init(&scene->encoded, 0);
	assert_int_equal(alerting_new(scene->filled.store, &scene->alerting, &scene->filled.err),
			 0);
	alerting_set(scene->alerting, &(struct alerting_settings){.channels = &scene->channels,
								  .hold_ns = 500,
								  .resolve_after_ns = 100,
								  .max_age_ns = 1000000000});
	if (rules != NULL) {
		assert_int_equal(
			alerting_use(scene->alerting, rules_make(rules), &scene->filled.err), 0);
	}
}

static void scene_done(struct scene *scene)
{
	alerting_free(scene->alerting);
	buf_done(&scene->texts);
	buf_done(&scene->encoded);
	filled_done(&scene->filled);
}

static void begin(struct scene *scene)
{
	assert_int_equal(store_begin(scene->filled.store, NOW, &scene->filled.err), 0);
	scene->end = store_leaf_count(scene->filled.store);
}

static uint64_t append(struct scene *scene, const struct record *record)
{
	uint64_t leaf = 0;
	buf_clear(&scene->encoded);
	assert_int_equal(record_encode(record, &scene->encoded, &scene->filled.err), 0);
	assert_int_equal(store_append(scene->filled.store, record, buf_str(&scene->encoded), &leaf,
				      &scene->filled.err),
			 0);
	scene->end++;
	return leaf;
}

static uint64_t statement(struct scene *scene, const char *key, const char *text)
{
	struct record record;
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record.key = str_of(key);
	record.time_ns = NOW - 10;
	record_set_text(&record, FIELD_statement, str_of(text));
	record_set_text(&record, FIELD_database, STR_LIT("shop"));
	return append(scene, &record);
}

static uint64_t request(struct scene *scene, const char *key, const char *user)
{
	struct record record;
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	record.key = str_of(key);
	record.time_ns = NOW - 20;
	record_set_text(&record, FIELD_user, str_of(user));
	record_set_text(&record, FIELD_route, STR_LIT("GET /x"));
	return append(scene, &record);
}

static uint64_t verdict(struct scene *scene, uint64_t statement_leaf, uint64_t request_leaf,
			const char *grade)
{
	struct record record;
	char key[RECORD_KEY_MAX];
	record_init(&record, RECORD_VERDICT);
	int len = snprintf(key, sizeof key, "s%llu.%llu", (unsigned long long)statement_leaf,
			   (unsigned long long)scene->end);
	record.source = STR_LIT("querytraild");
	record.key = str_make(key, (size_t)len);
	record.time_ns = NOW - 10;
	record_set_text(&record, FIELD_grade, str_of(grade));
	record_set_text(&record, FIELD_settled, STR_LIT("final"));
	record_set_text(&record, FIELD_reason, STR_LIT("the ids say so"));
	if (statement_leaf != ALERTS_NO_LEAF) {
		record_set_number(&record, FIELD_statement_leaf, (int64_t)statement_leaf);
	}
	if (request_leaf != ALERTS_NO_LEAF) {
		record_set_number(&record, FIELD_request_leaf, (int64_t)request_leaf);
	}
	return append(scene, &record);
}

static bool look(struct scene *scene, int64_t now_ns)
{
	bool more = false;
	assert_int_equal(
		alerting_catch_up(scene->alerting, scene->end, now_ns, &more, &scene->filled.err),
		0);
	return more;
}

static bool commit(struct scene *scene)
{
	bool more = look(scene, NOW);
	assert_int_equal(store_commit(scene->filled.store, &scene->filled.err), 0);
	return more;
}

static int count_one(void *owner, const struct store_alert *alert, struct error *err)
{
	size_t *counts = owner;
	(void)err;
	counts[alert->state]++;
	return 0;
}

/* How many alerts are in a state. */
static size_t alerts_in(struct scene *scene, enum alert_state state)
{
	size_t counts[8] = {0};
	assert_int_equal(alerts_walk(scene->filled.store, &(struct alerts_walk){count_one, counts},
				     &scene->filled.err),
			 0);
	return counts[state];
}

/* The alert of a rule on the statement or request with this source and key. */
static struct store_alert get(struct scene *scene, const char *rule, const char *source,
			      const char *key)
{
	struct store_alert alert = {0};
	char record_id[RECORD_ID_DIGITS + 1];
	char id[ALERT_ID_DIGITS + 1];
	record_stable_id(str_of(source), str_of(key), record_id);
	alert_id(str_of(rule), record_id, id);
	assert_int_equal(alerts_get(scene->filled.store, str_of(id), &scene->texts, &alert,
				    &scene->filled.err),
			 0);
	return alert;
}

static int64_t due_ns(struct scene *scene)
{
	int64_t next_ns = 0;
	assert_int_equal(
		alerts_next_due(scene->filled.store, INT64_MIN, &next_ns, &scene->filled.err), 0);
	return next_ns;
}

static void a_rule_fires_once_for_a_record(void **state)
{
	/* looking again, in the same transaction or after a restart, fires nothing again; other records do not fire */
	struct scene scene;
	(void)state;
	scene_init(&scene, DROP);
	begin(&scene);
	statement(&scene, "1", "DROP TABLE a");
	statement(&scene, "2", "SELECT 1");
	assert_false(look(&scene, NOW));
	assert_false(commit(&scene));
	begin(&scene);
	assert_false(commit(&scene));
	alerting_free(scene.alerting);
	assert_int_equal(alerting_new(scene.filled.store, &scene.alerting, &scene.filled.err), 0);
	assert_int_equal(alerting_use(scene.alerting, rules_make(DROP), &scene.filled.err), 0);
	begin(&scene);
	assert_false(commit(&scene));
	assert_int_equal(alerts_in(&scene, ALERT_STATE_FIRING), 1);
	assert_int_equal(alerting_figures(scene.alerting).behind, 0);
	assert_int_equal(alerting_figures(scene.alerting).rules, 1);
	assert_non_null(alerting_rule(scene.alerting, STR_LIT("drop")));
	assert_null(alerting_rule(scene.alerting, STR_LIT("none")));
	scene_done(&scene);
}

static void an_alert_waits_for_its_person(void **state)
{
	/* it is held, and released by the verdict, of which the composed alert says person and grade */
	struct scene scene;
	struct composer composer;
	struct alert alert;
	(void)state;
	scene_init(&scene, DROP);
	begin(&scene);
	uint64_t leaf = statement(&scene, "1", "DROP TABLE a");
	assert_false(commit(&scene));
	assert_int_equal(due_ns(&scene), NOW + 500);
	begin(&scene);
	uint64_t who = request(&scene, "r", "alice");
	uint64_t said = verdict(&scene, leaf, who, "A");
	assert_false(commit(&scene));
	assert_int_equal(due_ns(&scene), NOW);
	struct store_alert row = get(&scene, "drop", "db", "1");
	assert_int_equal(row.verdict_leaf, said);
	composer_init(&composer, scene.filled.store, scene.alerting);
	composer.statement_bytes = 6;
	assert_int_equal(compose_alert(&composer, &row, &alert, &scene.filled.err), 0);
	assert_true(str_is(alert.value[ALERT_user], "alice"));
	assert_true(str_is(alert.value[ALERT_route], "GET /x"));
	assert_true(str_is(alert.value[ALERT_grade], "A"));
	assert_true(str_is(alert.value[ALERT_database], "shop"));
	assert_true(str_is(alert.value[ALERT_title], "Title of drop"));
	assert_true(str_is(alert.value[ALERT_explanation], "Why drop"));
	assert_true(str_is(alert.value[ALERT_next_steps], "Do drop"));
	assert_true(str_is(alert.value[ALERT_tags], "attack.t1"));
	assert_true(str_is(alert.value[ALERT_statement], "DROP T\xe2\x80\xa6"));
	assert_true(str_is(alert.value[ALERT_state], "firing"));
	assert_null(alert.value[ALERT_resolution].ptr);
	composer_done(&composer);
	scene_done(&scene);
}

static void a_trail_alert_follows_the_verdict(void **state)
{
	/* it fires by a final verdict, is revoked by the next and fires again by a third; a request's own is taken back by a statement */
	struct scene scene;
	(void)state;
	scene_init(&scene, ALICE);
	begin(&scene);
	uint64_t leaf = statement(&scene, "1", "SELECT 1");
	uint64_t alice = request(&scene, "a", "alice");
	uint64_t bob = request(&scene, "b", "bob");
	verdict(&scene, leaf, bob, "A");
	verdict(&scene, ALERTS_NO_LEAF, alice, "U2");
	assert_false(commit(&scene));
	assert_int_equal(get(&scene, "alice", "api", "a").state, ALERT_STATE_FIRING);
	assert_int_equal(alerts_in(&scene, ALERT_STATE_FIRING), 1);
	begin(&scene);
	verdict(&scene, leaf, alice, "A");
	assert_false(commit(&scene));
	assert_int_equal(get(&scene, "alice", "api", "a").state, ALERT_STATE_REVOKED);
	assert_int_equal(get(&scene, "alice", "db", "1").state, ALERT_STATE_FIRING);
	begin(&scene);
	verdict(&scene, leaf, bob, "A");
	assert_false(commit(&scene));
	assert_int_equal(get(&scene, "alice", "db", "1").state, ALERT_STATE_REVOKED);
	assert_int_equal(get(&scene, "alice", "db", "1").revision, 2);
	begin(&scene);
	verdict(&scene, leaf, alice, "A");
	assert_false(commit(&scene));
	assert_int_equal(get(&scene, "alice", "db", "1").state, ALERT_STATE_FIRING);
	assert_int_equal(get(&scene, "alice", "db", "1").revision, 3);
	assert_int_equal(alerting_figures(scene.alerting).fired, 3);
	assert_int_equal(alerting_figures(scene.alerting).revoked, 2);
	scene_done(&scene);
}

static void new_rules_leave_the_past_alone(void **state)
{
	/* a rule that comes later fires neither for records before it nor for later verdicts on them */
	struct scene scene;
	(void)state;
	scene_init(&scene, DROP);
	begin(&scene);
	uint64_t leaf = statement(&scene, "1", "DROP TABLE a");
	uint64_t alice = request(&scene, "a", "alice");
	assert_false(commit(&scene));
	assert_int_equal(alerting_use(scene.alerting, rules_make(DROP "---\n" OTHER "---\n" ALICE),
				      &scene.filled.err),
			 0);
	begin(&scene);
	verdict(&scene, leaf, alice, "A");
	assert_false(commit(&scene));
	assert_int_equal(alerts_in(&scene, ALERT_STATE_FIRING), 1);
	begin(&scene);
	statement(&scene, "2", "DROP TABLE b");
	assert_false(commit(&scene));
	assert_int_equal(alerts_in(&scene, ALERT_STATE_FIRING), 3);
	assert_int_equal(alerting_use(scene.alerting, NULL, &scene.filled.err), 0);
	assert_null(alerting_rules(scene.alerting));
	begin(&scene);
	statement(&scene, "3", "DROP TABLE c");
	assert_false(commit(&scene));
	assert_int_equal(alerting_use(scene.alerting, rules_make(DROP), &scene.filled.err), 0);
	begin(&scene);
	assert_false(commit(&scene));
	assert_int_equal(alerts_in(&scene, ALERT_STATE_FIRING), 3);
	scene_done(&scene);
}

static void a_flood_is_taken_in_parts(void **state)
{
	/* more alerts than one transaction holds go with the next ones; none is lost or doubled, and the rules catch up */
	struct scene scene;
	char key[16];
	int rounds = 0;
	(void)state;
	scene_init(&scene, DROP "---\n" OTHER);
	begin(&scene);
	for (int i = 0; i < 3 * ALERTING_ALERTS / 2; i++) {
		(void)snprintf(key, sizeof key, "%d", i);
		statement(&scene, key, "DROP TABLE a");
	}
	for (bool more = commit(&scene); more; more = commit(&scene)) {
		assert_true(++rounds < 10);
		begin(&scene);
	}
	assert_int_equal(alerts_in(&scene, ALERT_STATE_FIRING), 3 * ALERTING_ALERTS);
	assert_true(rounds >= 2);
	begin(&scene);
	assert_false(commit(&scene));
	assert_int_equal(alerting_figures(scene.alerting).behind, 0);
	scene_done(&scene);
}

static void time_passes(void **state)
{
	/* an alert that has fired for resolve_after is due, and ends; an old event's alert is quiet */
	struct scene scene;
	bool due = true;
	bool more = true;
	(void)state;
	scene_init(&scene, DROP);
	begin(&scene);
	statement(&scene, "1", "DROP TABLE a");
	assert_false(look(&scene, NOW));
	assert_int_equal(alerting_is_due(scene.alerting, NOW + 100, &due, &scene.filled.err), 0);
	assert_false(due);
	assert_int_equal(alerting_is_due(scene.alerting, NOW + 101, &due, &scene.filled.err), 0);
	assert_true(due);
	assert_int_equal(alerting_expire(scene.alerting, NOW + 101, &more, &scene.filled.err), 0);
	assert_false(more);
	assert_int_equal(get(&scene, "drop", "db", "1").state, ALERT_STATE_EXPIRED);
	scene.end = store_leaf_count(scene.filled.store) + 2;
	statement(&scene, "2", "DROP TABLE b");
	assert_false(look(&scene, NOW + INT64_C(2000000000)));
	assert_true(get(&scene, "drop", "db", "2").quiet);
	store_rollback(scene.filled.store);
	assert_int_equal(alerts_in(&scene, ALERT_STATE_FIRING), 0);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_fires_once_for_a_record),
		cmocka_unit_test(an_alert_waits_for_its_person),
		cmocka_unit_test(a_trail_alert_follows_the_verdict),
		cmocka_unit_test(new_rules_leave_the_past_alone),
		cmocka_unit_test(a_flood_is_taken_in_parts),
		cmocka_unit_test(time_passes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
