#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/hits.h"
#include "tests/unit/rules-text.h"

#define DROP RULE_TEXT("drop", "statement", "    statement|contains: DROP\n")
#define ANY  RULE_TEXT("any", "statement", "    statement: '*'\n")

static void hits_are_of_the_last_event(void **state)
{
	/* every rule that fires is kept with what matched, cut when it is long, until the next event or until they are cleared */
	struct ruleset *ruleset = rules_make(DROP "---\n" ANY);
	struct matcher *matcher = NULL;
	struct hits hits;
	struct error err;
	struct record record;
	char large[20000];
	(void)state;
	assert_int_equal(matcher_new(ruleset, &matcher, &err), 0);
	hits_init(&hits);
	record_init(&record, RECORD_STATEMENT);
	const struct rules_event event = {.stage = RULES_STAGE_RECORD, .statement = &record};
	record_set_text(&record, FIELD_statement, STR_LIT("DROP TABLE a"));
	assert_int_equal(hits_ask(&hits, matcher, &event, &err), 0);
	assert_int_equal(hits.count, 2);
	assert_true(hits_have(&hits, STR_LIT("drop")));
	assert_true(hits_have(&hits, STR_LIT("any")));
	assert_false(hits_have(&hits, STR_LIT("other")));
	assert_true(hits.items[0].matched.len > 0);
	memset(large, 'x', sizeof large);
	record_set_text(&record, FIELD_statement, str_make(large, sizeof large));
	assert_int_equal(hits_ask(&hits, matcher, &event, &err), 0);
	assert_int_equal(hits.count, 1);
	assert_false(hits_have(&hits, STR_LIT("drop")));
	assert_true(hits.items[0].matched.len <= HITS_MATCHED_MAX);
	hits_clear(&hits);
	assert_false(hits_have(&hits, STR_LIT("any")));
	hits_done(&hits);
	matcher_free(matcher);
	ruleset_free(ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hits_are_of_the_last_event)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
