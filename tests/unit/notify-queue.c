#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/queue.h"
#include "tests/unit/notify-fixture.h"

#include <stdio.h>

struct bench {
	struct config *config;
	struct channel_settings settings;
	struct queue queue;
	uint64_t revision; /* of the alerts that are added */
};

static void open_bench(struct bench *bench, const char *lines)
{
	bench->revision = 1;
	bench->config = fixture_config(lines);
	bench->settings = fixture_settings(bench->config);
	queue_init(&bench->queue, &bench->settings);
}

static void close_bench(struct bench *bench)
{
	queue_done(&bench->queue);
	assert_int_equal(bench->queue.count, 0);
	assert_int_equal(bench->queue.bytes, 0);
	config_free(bench->config);
}

#define GROUPING                                                                              \
	"    type: webhook\n    url: http://x\n    group_wait: 10s\n    group_interval: 5m\n" \
	"    group_limit: 3\n"
#define PLAIN "    type: syslog\n    host: x\n"

static void add(struct bench *bench, const char *id, const char *user, struct feed_delivery how,
		int64_t now_ns)
{
	struct alert set = {0};
	struct error err;

	if (user != NULL) {
		set.value[ALERT_user] = str_of(user);
	}
	struct notice *notice = fixture_notice(id, bench->revision, &set);
	assert_int_equal(queue_add(&bench->queue, notice, &how, now_ns, &err), 0);
	notice_drop(notice);
}

static const struct feed_delivery fresh = {0};

/* Takes a message and writes its ids, separated by spaces; "" for none. */
static const char *take(struct bench *bench, int64_t now_ns, char *out, size_t size)
{
	size_t more = 0;
	struct buf ids;
	struct delivery *list = queue_take(&bench->queue, now_ns, &more);

	buf_init(&ids, 0);
	while (list != NULL) {
		struct delivery *next = list->next;
		buf_put_text(&ids, ids.len > 0 ? " " : "");
		buf_put_str(&ids, list->notice->alert.value[ALERT_id]);
		delivery_free(list);
		list = next;
	}
	if (more > 0) {
		buf_putf(&ids, " +%zu", more);
	}
	(void)snprintf(out, size, "%s", ids.len > 0 ? ids.ptr : "");
	buf_done(&ids);
	return out;
}

static void test_groups_wait(void **state)
{
	/* proves: a group waits group_wait for others and then group_interval between messages; persons are apart; limits and rest */
	struct bench bench;
	char ids[256];

	(void)state;
	open_bench(&bench, GROUPING);
	assert_int_equal(queue_due_ns(&bench.queue, T0), QUEUE_NEVER);
	add(&bench, "a1", "alice", fresh, T0);
	add(&bench, "b1", "bob", fresh, T0 + NS_PER_SEC);
	for (int i = 2; i <= 5; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "a%d", i);
		add(&bench, id, "alice", fresh, T0 + 2 * NS_PER_SEC);
	}
	assert_int_equal(queue_due_ns(&bench.queue, T0), T0 + 10 * NS_PER_SEC);
	assert_string_equal(take(&bench, T0 + 9 * NS_PER_SEC, ids, sizeof(ids)), "");
	assert_string_equal(take(&bench, T0 + 10 * NS_PER_SEC, ids, sizeof(ids)), "a1 a2 a3 +2");
	assert_string_equal(take(&bench, T0 + 11 * NS_PER_SEC, ids, sizeof(ids)), "b1");
	assert_string_equal(take(&bench, T0 + 12 * NS_PER_SEC, ids, sizeof(ids)), "");
	assert_int_equal(queue_due_ns(&bench.queue, T0 + 12 * NS_PER_SEC),
			 T0 + 10 * NS_PER_SEC + 5 * NS_PER_MIN);
	assert_string_equal(take(&bench, T0 + 6 * NS_PER_MIN, ids, sizeof(ids)), "a4 a5");
	close_bench(&bench);
}

static void test_states_are_apart(void **state)
{
	/* proves: what fires and what is resolved never share a message, nor do two rules */
	struct bench bench;
	struct alert set = {0};
	struct error err;
	char ids[256];

	(void)state;
	open_bench(&bench, GROUPING);
	add(&bench, "a1", "alice", fresh, T0);
	set.value[ALERT_user] = STR_LIT("alice");
	set.value[ALERT_state] = STR_LIT("resolved");
	struct notice *resolved = fixture_notice("a2", 1, &set);
	assert_int_equal(queue_add(&bench.queue, resolved, &fresh, T0 + 1, &err), 0);
	notice_drop(resolved);
	set.value[ALERT_state] = STR_LIT("firing");
	set.value[ALERT_rule] = STR_LIT("other");
	struct notice *other = fixture_notice("a3", 1, &set);
	assert_int_equal(queue_add(&bench.queue, other, &fresh, T0 + 2, &err), 0);
	notice_drop(other);
	assert_string_equal(take(&bench, T0 + NS_PER_MIN, ids, sizeof(ids)), "a1");
	assert_string_equal(take(&bench, T0 + NS_PER_MIN, ids, sizeof(ids)), "a2");
	assert_string_equal(take(&bench, T0 + NS_PER_MIN, ids, sizeof(ids)), "a3");
	close_bench(&bench);
}

static void test_ungrouped_goes_at_once(void **state)
{
	/* proves: a channel without groups sends all that waits, in order of arrival, without a wait */
	struct bench bench;
	char ids[256];

	(void)state;
	open_bench(&bench, PLAIN);
	add(&bench, "1", "alice", fresh, T0);
	add(&bench, "2", "bob", fresh, T0);
	assert_int_equal(queue_due_ns(&bench.queue, T0), T0);
	assert_string_equal(take(&bench, T0, ids, sizeof(ids)), "1 2");
	close_bench(&bench);
}

static void test_tried_ones_stay_together(void **state)
{
	/* proves: alerts that were given back together form the same message again, apart from fresh ones, past group_interval */
	struct bench bench;
	char ids[256];

	(void)state;
	open_bench(&bench, GROUPING);
	add(&bench, "f", "alice", fresh, T0);
	add(&bench, "1", "alice", (struct feed_delivery){.attempts = 2}, T0);
	add(&bench, "2", "alice", (struct feed_delivery){.attempts = 2}, T0);
	assert_string_equal(take(&bench, T0 + NS_PER_SEC, ids, sizeof(ids)), "1 2");
	assert_string_equal(take(&bench, T0 + NS_PER_SEC, ids, sizeof(ids)), "");
	add(&bench, "3", "alice",
	    (struct feed_delivery){.attempts = 1, .next_ns = T0 + NS_PER_HOUR}, T0);
	assert_string_equal(take(&bench, T0 + NS_PER_MIN, ids, sizeof(ids)), "f");
	assert_string_equal(take(&bench, T0 + NS_PER_HOUR - 1, ids, sizeof(ids)), "");
	assert_string_equal(take(&bench, T0 + NS_PER_HOUR + NS_PER_SEC, ids, sizeof(ids)), "3");
	close_bench(&bench);
}

static void test_revisions(void **state)
{
	/* proves: the same alert is there once; a newer revision takes the place of an older one, an older one is dropped */
	struct bench bench;
	char ids[256];

	(void)state;
	open_bench(&bench, PLAIN);
	add(&bench, "1", "x", fresh, T0);
	add(&bench, "1", "x", fresh, T0);
	assert_int_equal(bench.queue.count, 1);
	add(&bench, "2", "x", fresh, T0);
	bench.revision = 3;
	add(&bench, "1", "x", fresh, T0);
	bench.revision = 2;
	add(&bench, "1", "x", fresh, T0);
	assert_int_equal(bench.queue.count, 2);
	assert_true(queue_holds(&bench.queue, STR_LIT("1"), 3));
	assert_true(queue_holds(&bench.queue, STR_LIT("1"), 2));
	assert_false(queue_holds(&bench.queue, STR_LIT("1"), 4));
	assert_false(queue_holds(&bench.queue, STR_LIT("3"), 1));
	assert_string_equal(take(&bench, T0, ids, sizeof(ids)), "2 1");
	bench.revision = 1;
	add(&bench, "3", "x", fresh, T0);
	bench.revision = 2;
	add(&bench, "3", "x", fresh, T0);
	assert_string_equal(take(&bench, T0, ids, sizeof(ids)), "3");
	close_bench(&bench);
}

static void test_put_back(void **state)
{
	/* proves: what was taken and not sent comes first again, at once; those that stand alone go one by one */
	struct bench bench;
	char ids[256];
	size_t more;

	(void)state;
	open_bench(&bench, GROUPING);
	add(&bench, "1", "x", fresh, T0);
	add(&bench, "2", "x", fresh, T0);
	struct delivery *list = queue_take(&bench.queue, T0 + NS_PER_MIN, &more);
	list->alone = true;
	list->next->alone = true;
	add(&bench, "3", "x", fresh, T0 + NS_PER_MIN);
	queue_put_back(&bench.queue, list, T0 + NS_PER_MIN);
	queue_put_back(&bench.queue, NULL, T0 + NS_PER_MIN);
	assert_int_equal(bench.queue.count, 3);
	assert_string_equal(take(&bench, T0 + NS_PER_MIN, ids, sizeof(ids)), "1 +2");
	assert_string_equal(take(&bench, T0 + 10 * NS_PER_MIN, ids, sizeof(ids)), "2 +1");
	assert_string_equal(take(&bench, T0 + 20 * NS_PER_MIN, ids, sizeof(ids)), "3");
	close_bench(&bench);
}

static void test_full(void **state)
{
	/* proves: past QUEUE_MAX a delivery is refused and named so, and what is there stays */
	struct bench bench;
	struct error err;
	char id[24];

	(void)state;
	open_bench(&bench, PLAIN);
	for (unsigned i = 0; i < QUEUE_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%u", i);
		add(&bench, id, NULL, fresh, T0);
	}
	struct notice *one = fixture_notice("more", 1, NULL);
	assert_int_equal(queue_add(&bench.queue, one, &fresh, T0, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.text, "8192"));
	assert_int_equal(one->holders, 1);
	notice_drop(one);
	assert_int_equal(bench.queue.count, QUEUE_MAX);
	close_bench(&bench);
}

static void test_bytes(void **state)
{
	/* proves: large alerts are refused before there are many of them, and what leaves makes room again */
	struct bench bench;
	struct alert set = {0};
	struct buf text;
	struct error err;
	size_t more;
	unsigned count = 0;

	(void)state;
	open_bench(&bench, PLAIN);
	buf_init(&text, 0);
	buf_put_fill(&text, 'x', 1000000);
	set.value[ALERT_statement] = buf_str(&text);
	for (int rc = 0; rc == 0; count++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%u", count);
		struct notice *notice = fixture_notice(id, 1, &set);
		rc = queue_add(&bench.queue, notice, &fresh, T0, &err);
		assert_true(rc == 0 || rc == -ERR_LIMIT);
		notice_drop(notice);
	}
	assert_int_equal(count, 34);
	assert_true(bench.queue.bytes <= QUEUE_BYTES);
	struct delivery *list = queue_take(&bench.queue, T0, &more);
	assert_int_equal(bench.queue.bytes, 0);
	queue_put_back(&bench.queue, list, T0);
	assert_true(bench.queue.bytes > 33000000);
	buf_done(&text);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups_wait),
		cmocka_unit_test(test_states_are_apart),
		cmocka_unit_test(test_ungrouped_goes_at_once),
		cmocka_unit_test(test_tried_ones_stay_together),
		cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
