#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/alerts.h"
#include "tests/unit/store-filled.h"

static struct store_alert sample(const char *id, int64_t time_ns)
{
	return (struct store_alert){.id = str_of(id),
				    .state = ALERT_STATE_FIRING,
				    .revision = 1,
				    .severity = 4,
				    .rule = STR_LIT("a-rule"),
				    .leaf = 12,
				    .verdict_leaf = ALERTS_NO_LEAF,
				    .statement_leaf = 7,
				    .request_leaf = ALERTS_NO_LEAF,
				    .other_leaf = ALERTS_NO_LEAF,
				    .time_ns = time_ns,
				    .fired_ns = time_ns + 5,
				    .changed_ns = time_ns + 6,
				    .by = STR_LIT("an\0n"),
				    .note = STR_LIT("seen \"it\"\n")};
}

static struct store_delivery waiting(const char *id, const char *channel, int64_t next_ns)
{
	return (struct store_delivery){.alert_id = str_of(id),
				       .channel = str_of(channel),
				       .revision = 1,
				       .state = DELIVERY_WAITING,
				       .next_ns = next_ns,
				       .changed_ns = 1,
				       .text = STR_LIT("refused")};
}

static void begin(struct filled *filled)
{
	memset(filled, 0, sizeof *filled);
	fixture_init(&filled->fixture);
	filled_open(filled, STORE_CREATE);
	assert_int_equal(store_begin(filled->store, 1, &filled->err), 0);
}

struct seen_rows {
	char text[512];
	size_t count;
	int answer;
};

static int see_alert(void *owner, const struct store_alert *alert, struct error *err)
{
	struct seen_rows *seen = owner;
	size_t len = strlen(seen->text);
	(void)err;
	(void)snprintf(seen->text + len, sizeof seen->text - len, "%.*s ", STR_ARG(alert->id));
	seen->count++;
	return seen->answer;
}

static int see_delivery(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct seen_rows *seen = owner;
	size_t len = strlen(seen->text);
	(void)err;
	(void)snprintf(seen->text + len, sizeof seen->text - len, "%.*s/%.*s ",
		       STR_ARG(delivery->alert_id), STR_ARG(delivery->channel));
	seen->count++;
	return seen->answer;
}

static void a_row_comes_back_whole(void **state)
{
	/* every value of an alert and of a delivery comes back, to the writer before the commit and to a reader after it */
	struct filled filled;
	struct buf texts;
	struct store_alert put = sample("00000000000000aa", 100);
	struct store_alert got;
	(void)state;
	begin(&filled);
	buf_init(&texts, 0);
	assert_int_equal(alerts_put(filled.store, &put, &filled.err), 0);
	put.state = ALERT_STATE_ACKNOWLEDGED;
	put.revision = 2;
	put.quiet = true;
	assert_int_equal(alerts_put(filled.store, &put, &filled.err), 0);
	assert_int_equal(alerts_get(filled.store, put.id, &texts, &got, &filled.err), 0);
	assert_int_equal(got.revision, 2);
	assert_int_equal(store_commit(filled.store, &filled.err), 0);
	store_close(filled.store);
	filled_open(&filled, STORE_READ);
	assert_int_equal(alerts_get(filled.store, put.id, &texts, &got, &filled.err), 0);
	assert_true(str_equal(got.id, put.id));
	assert_true(str_equal(got.rule, put.rule));
	assert_true(str_equal(got.by, put.by));
	assert_true(str_equal(got.note, put.note));
	assert_int_equal(got.state, ALERT_STATE_ACKNOWLEDGED);
	assert_int_equal(got.severity, 4);
	assert_int_equal(got.leaf, 12);
	assert_true(got.verdict_leaf == ALERTS_NO_LEAF);
	assert_int_equal(got.statement_leaf, 7);
	assert_true(got.request_leaf == ALERTS_NO_LEAF);
	assert_true(got.other_leaf == ALERTS_NO_LEAF);
	assert_int_equal(got.time_ns, 100);
	assert_int_equal(got.fired_ns, 105);
	assert_int_equal(got.changed_ns, 106);
	assert_true(got.quiet);
	assert_int_equal(alerts_get(filled.store, STR_LIT("none"), &texts, &got, &filled.err),
			 -ERR_GONE);
	buf_done(&texts);
	filled_done(&filled);
}

static void what_is_not_committed_is_gone(void **state)
{
	/* rows of a transaction that is given up are not there */
	struct filled filled;
	struct buf texts;
	struct store_alert alert = sample("00000000000000aa", 100);
	struct store_delivery delivery = waiting("00000000000000aa", "mail", 1);
	struct alerts_counts counts;
	(void)state;
	begin(&filled);
	buf_init(&texts, 0);
	assert_int_equal(alerts_put(filled.store, &alert, &filled.err), 0);
	assert_int_equal(alerts_put_delivery(filled.store, &delivery, &filled.err), 0);
	assert_int_equal(alerts_count(filled.store, &counts, &filled.err), 0);
	assert_int_equal(counts.firing, 1);
	assert_int_equal(counts.waiting, 1);
	store_rollback(filled.store);
	assert_int_equal(alerts_get(filled.store, alert.id, &texts, &alert, &filled.err),
			 -ERR_GONE);
	assert_int_equal(alerts_count(filled.store, &counts, &filled.err), 0);
	assert_int_equal(counts.firing + counts.waiting + counts.dead, 0);
	buf_done(&texts);
	filled_done(&filled);
}

static void walks_go_in_order_and_can_be_ended(void **state)
{
	/* all alerts by time and id; those of one record; those that fire behind a place; an answer other than 0 ends a walk */
	struct filled filled;
	struct seen_rows seen = {0};
	const struct alerts_walk walk = {see_alert, &seen};
	struct store_alert alerts[] = {sample("0000000000000003", 10),
				       sample("0000000000000001", 20),
				       sample("0000000000000002", 10)};
	(void)state;
	begin(&filled);
	alerts[2].statement_leaf = ALERTS_NO_LEAF;
	alerts[2].request_leaf = 99;
	alerts[1].state = ALERT_STATE_EXPIRED;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(alerts_put(filled.store, &alerts[i], &filled.err), 0);
	}
	assert_int_equal(alerts_walk(filled.store, &walk, &filled.err), 0);
	assert_string_equal(seen.text, "0000000000000002 0000000000000003 0000000000000001 ");
	seen = (struct seen_rows){0};
	assert_int_equal(alerts_of_record(filled.store, 99, &walk, &filled.err), 0);
	assert_string_equal(seen.text, "0000000000000002 ");
	seen = (struct seen_rows){0};
	struct alerts_place place = {.ns = INT64_MIN, .max = 9};
	assert_int_equal(alerts_firing(filled.store, &place, &walk, &filled.err), 0);
	assert_string_equal(seen.text, "0000000000000002 0000000000000003 ");
	seen = (struct seen_rows){0};
	place = (struct alerts_place){.ns = 15, .alert_id = STR_LIT("0000000000000002"), .max = 9};
	assert_int_equal(alerts_firing(filled.store, &place, &walk, &filled.err), 0);
	assert_string_equal(seen.text, "0000000000000003 ");
	seen = (struct seen_rows){.answer = 5};
	assert_int_equal(alerts_walk(filled.store, &walk, &filled.err), 5);
	assert_int_equal(seen.count, 1);
	filled_done(&filled);
}

static void the_outbox_gives_what_is_due(void **state)
{
	/* due deliveries by time, alert and channel behind a place and at most as many as asked for; the next time; counts by state */
	struct filled filled;
	struct seen_rows seen = {0};
	const struct alerts_delivery_walk walk = {see_delivery, &seen};
	struct store_delivery rows[] = {waiting("b", "mail", 5), waiting("a", "web", 5),
					waiting("a", "mail", 7), waiting("c", "mail", 5),
					waiting("d", "mail", 5)};
	struct alerts_counts counts;
	int64_t next_ns = 0;
	(void)state;
	begin(&filled);
	rows[3].state = DELIVERY_DEAD;
	rows[4].state = DELIVERY_DONE;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(alerts_put_delivery(filled.store, &rows[i], &filled.err), 0);
	}
	struct alerts_place place = {.ns = INT64_MIN, .max = 9};
	assert_int_equal(alerts_due(filled.store, 6, &place, &walk, &filled.err), 0);
	assert_string_equal(seen.text, "a/web b/mail ");
	seen = (struct seen_rows){0};
	place = (struct alerts_place){
		.ns = 5, .alert_id = STR_LIT("a"), .channel = STR_LIT("web"), .max = 1};
	assert_int_equal(alerts_due(filled.store, 7, &place, &walk, &filled.err), 0);
	assert_string_equal(seen.text, "b/mail ");
	assert_int_equal(alerts_next_due(filled.store, 5, &next_ns, &filled.err), 0);
	assert_int_equal(next_ns, 7);
	assert_int_equal(alerts_next_due(filled.store, 7, &next_ns, &filled.err), 0);
	assert_true(next_ns == INT64_MAX);
	assert_int_equal(alerts_count(filled.store, &counts, &filled.err), 0);
	assert_int_equal(counts.waiting, 3);
	assert_int_equal(counts.dead, 1);
	seen = (struct seen_rows){0};
	struct alerts_delivery_filter filter = {.states =
							1u << DELIVERY_DEAD | 1u << DELIVERY_DONE};
	assert_int_equal(alerts_walk_deliveries(filled.store, &filter, &walk, &filled.err), 0);
	assert_string_equal(seen.text, "c/mail d/mail ");
	seen = (struct seen_rows){.answer = 3};
	filter = (struct alerts_delivery_filter){.alert_id = STR_LIT("a"), .states = ~0u};
	assert_int_equal(alerts_walk_deliveries(filled.store, &filter, &walk, &filled.err), 3);
	assert_string_equal(seen.text, "a/mail ");
	filled_done(&filled);
}

static void damage_is_told(void **state)
{
	/* a row that was changed behind the store's back is damage, alert or delivery */
	struct filled filled;
	struct buf texts;
	struct seen_rows seen = {0};
	struct store_alert alert = sample("00000000000000aa", 100);
	struct store_delivery delivery = waiting("00000000000000aa", "mail", 1);
	(void)state;
	begin(&filled);
	buf_init(&texts, 0);
	assert_int_equal(alerts_put(filled.store, &alert, &filled.err), 0);
	assert_int_equal(alerts_put_delivery(filled.store, &delivery, &filled.err), 0);
	assert_int_equal(store_commit(filled.store, &filled.err), 0);
	store_close(filled.store);
	filled_sql(&filled, "UPDATE alerts SET state = 2; UPDATE outbox SET next_ns = 2");
	filled_open(&filled, STORE_READ);
	assert_int_equal(
		alerts_get(filled.store, STR_LIT("00000000000000aa"), &texts, &alert, &filled.err),
		-ERR_CORRUPT);
	assert_int_equal(
		alerts_walk(filled.store, &(struct alerts_walk){see_alert, &seen}, &filled.err),
		-ERR_CORRUPT);
	assert_int_equal(alerts_walk_deliveries(
				 filled.store, &(struct alerts_delivery_filter){.states = ~0u},
				 &(struct alerts_delivery_walk){see_delivery, &seen}, &filled.err),
			 -ERR_CORRUPT);
	assert_int_equal(seen.count, 0);
	buf_done(&texts);
	filled_done(&filled);
}

static void words_go_both_ways(void **state)
{
	/* every state has its word and is found by it; what is none has none */
	(void)state;
	for (int i = ALERT_STATE_FIRING; i <= ALERT_STATE_EXPIRED; i++) {
		const char *word = alerts_state_word((enum alert_state)i);
		assert_non_null(word);
		assert_int_equal(alerts_state_of(str_of(word)), i);
	}
	assert_null(alerts_state_word((enum alert_state)0));
	assert_null(alerts_state_word((enum alert_state)9));
	assert_int_equal(alerts_state_of(STR_LIT("open")), 0);
	assert_string_equal(alerts_delivery_word(DELIVERY_DEAD), "dead");
	assert_null(alerts_delivery_word((enum delivery_state)4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_comes_back_whole),
		cmocka_unit_test(what_is_not_committed_is_gone),
		cmocka_unit_test(walks_go_in_order_and_can_be_ended),
		cmocka_unit_test(the_outbox_gives_what_is_due),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(words_go_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
