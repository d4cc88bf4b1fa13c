#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/alert-show.h"
#include "tests/unit/store-filled.h"

static void put(struct filled *f, const char *id)
{
	const struct store_alert alert = {.id = str_of(id),
					  .state = ALERT_STATE_FIRING,
					  .revision = 1,
					  .severity = 4,
					  .rule = STR_LIT("a-rule"),
					  .leaf = ALERTS_NO_LEAF,
					  .verdict_leaf = ALERTS_NO_LEAF,
					  .statement_leaf = ALERTS_NO_LEAF,
					  .request_leaf = ALERTS_NO_LEAF,
					  .other_leaf = ALERTS_NO_LEAF,
					  .time_ns = FIXTURE_START_NS,
					  .fired_ns = FIXTURE_START_NS,
					  .changed_ns = FIXTURE_START_NS};
	assert_int_equal(alerts_put(f->store, &alert, &f->err), 0);
}

static int find(struct filled *f, const char *id, char out_id[17])
{
	struct buf texts;
	struct store_alert alert = {0};
	buf_init(&texts, 0);
	int result = alert_find(f->store, str_of(id), &texts, &alert, &f->err);
	(void)snprintf(out_id, 17, "%.*s", STR_ARG(alert.id)); /* 16 digits */
	buf_done(&texts);
	return result;
}

static void an_alert_is_found_by_what_is_unique(void **state)
{
	/* the whole id and a beginning of one id alone find it; a short, a shared and an unknown beginning are told apart */
	struct filled f;
	char id[17];
	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_init(&f.fixture);
	filled_open(&f, STORE_CREATE);
	assert_int_equal(store_begin(f.store, FIXTURE_START_NS, &f.err), 0);
	put(&f, "abcdef0000000001");
	put(&f, "abcdef0000000002");
	put(&f, "abcdee0000000003");
	assert_int_equal(store_commit(f.store, &f.err), 0);
	assert_int_equal(find(&f, "abcdef0000000002", id), 0);
	assert_string_equal(id, "abcdef0000000002");
	assert_int_equal(find(&f, "abcdee", id), 0);
	assert_string_equal(id, "abcdee0000000003");
	assert_int_equal(find(&f, "abcde", id), -ERR_USAGE);
	assert_non_null(strstr(f.err.text, "too short"));
	assert_int_equal(find(&f, "abcdef", id), -ERR_USAGE);
	assert_non_null(strstr(f.err.text, "2 alerts begin with \"abcdef\""));
	assert_int_equal(find(&f, "abcdff", id), -ERR_GONE);
	assert_non_null(strstr(f.err.text, "there is no alert \"abcdff\""));
	assert_int_equal(find(&f, "", id), -ERR_GONE);
	filled_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_alert_is_found_by_what_is_unique)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
