#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/golden/story-alerts.h"
#include "tests/unit/ask.h"
#include "tests/unit/head-damage.h"

struct question {
	const char *words[6];
	int status;
	const char *said;
};

static void every_wrong_word_is_told(void **state)
{
	/* what is missing, unknown or too much is a usage error with the way out; an id that is none is exit 1 */
	static const struct question questions[] = {
		{{"alerts", "shwo"}, 2, "did you mean show"},
		{{"alerts", "show"}, 2, "needs the id"},
		{{"alerts", "list", "x"}, 2, "takes no word"},
		{{"alerts", "ack", "00000000000000a1"}, 2, "--note"},
		{{"alerts", "ack", "ffffffff", "--note", "x"}, 1, "there is no alert \"ffffffff\""},
		{{"alerts", "replay"}, 2, "--dead"},
		{{"alerts", "replay", "--dead", "--channel", "x"}, 2, "all dead"},
		{{"alerts", "replay", "ffffffff"}, 1, "there is no alert"},
		{{"alerts", "test"}, 2, "name of a channel"},
		{{"alerts", "--state", "open"}, 2, "acknowledged"},
		{{"alerts", "--severity", "bad"}, 2, "critical"},
		{{"alerts", "failed", "--format", "csv"}, 2, "text and json"},
		{{"alerts", "show", "00000000000000a1", "--format", "csv"}, 2, "text and json"},
	};
	struct story_store story;
	(void)state;
	(void)setenv("QUERYTRAIL_CONFIG", "/nonexistent/querytrail.yaml", 1);
	story_alerts_init(&story);
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
		struct asked asked;
		ask(&asked, story.dir, questions[i].words, STORY_NOW_NS);
		if (asked.status != questions[i].status || !asked_said(&asked, questions[i].said)) {
			fail_msg("question %zu: status %d: %.*s", i, asked.status,
				 STR_ARG(buf_str(&asked.err)));
		}
		asked_done(&asked);
	}
	story_store_done(&story);
}

static void damage_is_told_and_gone_over(void **state)
{
	/* alerts whose records can't be read are listed all the same, and the answer says that it is incomplete */
	static const char *const words[][4] = {
		{"alerts"}, {"alerts", "--json"}, {"alerts", "show", "00000000000000b2"}};
	struct story_store story;
	(void)state;
	story_alerts_init(&story);
	head_damage(story.dir, 4, HEAD_CHUNK); /* the statements */
	for (size_t i = 0; i < 3; i++) {
		struct asked asked;
		ask(&asked, story.dir, words[i], STORY_NOW_NS);
		assert_int_equal(asked.status, EXIT_INCOMPLETE);
		assert_true(asked_said(&asked, "00000000000000b2"));
		assert_true(asked_said(&asked, "INCOMPLETE"));
		asked_done(&asked);
	}
	story_store_done(&story);
}

static void filters_choose(void **state)
{
	/* state, severity, rule by id or title, and time each leave what fits */
	static const struct question questions[] = {
		{{"alerts", "--state", "firing, expired"}, 0, "2 alerts, 1 firing"},
		{{"alerts", "--severity", "high"}, 0, "2 alerts, 1 firing"},
		{{"alerts", "--rule", "sal*"}, 0, "1 alert, 0 firing"},
		{{"alerts", "--rule", "emptied"}, 0, "1 alert, 1 firing"},
		{{"alerts", "--since", "2026-11-22 11:00"}, 1, "0 alerts"},
		{{"alerts", "--until", "2026-11-22 11:00"}, 0, "4 alerts"},
	};
	struct story_store story;
	(void)state;
	story_alerts_init(&story);
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
		struct asked asked;
		ask(&asked, story.dir, questions[i].words, STORY_NOW_NS);
		if (asked.status != questions[i].status || !asked_said(&asked, questions[i].said)) {
			fail_msg("question %zu: status %d: %.*s", i, asked.status,
				 STR_ARG(buf_str(&asked.err)));
		}
		asked_done(&asked);
	}
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_word_is_told),
		cmocka_unit_test(damage_is_told_and_gone_over),
		cmocka_unit_test(filters_choose),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
