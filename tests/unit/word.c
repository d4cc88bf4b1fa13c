#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/word.h"

static void test_find(void **state)
{
	/* Proves: fields, aliases and special words are found in any letter case, with their places. */
	(void)state;
	struct word word;
	assert_true(word_find(STR_LIT("user"), &word));
	assert_int_equal(word.place[0].side, SIDE_REQUEST);
	assert_int_equal(word.place[0].field, FIELD_user);
	assert_true(word_find(STR_LIT("APP"), &word));
	assert_string_equal(word.name, "application");
	assert_true(word_find(STR_LIT("duration_ms"), &word));
	assert_int_equal(word.type, WORD_MS);
	assert_true(word_find(STR_LIT("succeeded"), &word));
	assert_int_equal(word.type, WORD_BOOL);
	assert_true(word_find(STR_LIT("reason"), &word));
	assert_int_equal(word.place[0].side, SIDE_VERDICT);
	assert_true(word_find(STR_LIT("extra"), &word));
	assert_int_equal(word.place_count, 2);
	assert_true(word_find(STR_LIT("table"), &word));
	assert_int_equal(word.type, WORD_TABLE);
	assert_false(word_find(STR_LIT("gap_kind"), &word));
	assert_false(word_find(STR_LIT(""), &word));
}

static void test_every_trail_field(void **state)
{
	/* Proves: each field of requests, statements and verdicts can be asked for, and every alias has its word. */
	(void)state;
	unsigned trail = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT | 1u << RECORD_VERDICT;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		struct word word;
		if (field_info(field)->name != NULL) {
			assert_int_equal(word_find(str_of(field_info(field)->name), &word),
					 (field_info(field)->kinds & trail) != 0);
		}
	}
	static const char *const aliases[] = {"agent",   "at",      "db",        "duration",
					      "latency", "ok",      "role",      "session",
					      "sql",     "stmt",    "trace",     "transaction",
					      "who",     "request", "event_time"};
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		struct word word;
		assert_true(word_find(str_of(aliases[i]), &word));
	}
}

static void test_help(void **state)
{
	/* Proves: near names are offered, refusals are said, and the help lists fields with their short forms. */
	(void)state;
	assert_string_equal(word_nearest(STR_LIT("rout")), "route");
	assert_null(word_nearest(STR_LIT("zzzzzzzzzzz")));
	assert_non_null(word_refusal(STR_LIT("gap_kind")));
	assert_null(word_refusal(STR_LIT("zzz")));
	assert_string_equal(word_free_text().name, "text");
	struct buf buf;
	buf_init(&buf, 0);
	word_put_help(&buf);
	assert_true(str_find(buf_str(&buf), STR_LIT("(short: app)"), 0) > 0);
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_every_trail_field),
		cmocka_unit_test(test_help),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
