/* Values of events: types, and those that are made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "correlator/rules/values.h"
#include "tests/unit/matcher-fixture.h"

static struct values get(struct values_maker *maker, enum log log, const char *name)
{
	struct name_ref ref;
	struct values values;
	struct error err;

	assert_true(names_find(log, str_of(name), &ref));
	assert_int_equal(values_get(maker, ref, &values, &err), 0);
	return values;
}

static void expect(struct values_maker *maker, enum log log, const char *name, const char *wanted)
{
	struct values values = get(maker, log, name);

	assert_int_equal(values.count, wanted != NULL);
	if (wanted != NULL) {
		assert_true(str_is(values.first[0].text, wanted));
	}
}

static void requests_have_the_names_of_web_servers(void **state)
{ /* proves how path, query and whole address come from the path and from extra */
	struct record request = fixture_request("/a/b?x=1&y=2");
	struct rules_event event = {.stage = RULES_STAGE_RECORD, .request = &request};
	struct values_maker maker;
	struct values values;
	struct error err;

	(void)state;
	assert_int_equal(values_init(&maker, &err), 0);
	values_begin(&maker, &event);
	expect(&maker, L_WEB, "cs-uri-stem", "/a/b");
	values = get(&maker, L_WEB, "cs-uri-query");
	assert_int_equal(values.count, 2);
	assert_true(str_is(values.first[0].text, "x=1&y=2"));
	assert_true(str_is(values.first[1].text, "/a/b?x=1&y=2"));
	expect(&maker, L_WEB, "cs-uri", "/a/b?x=1&y=2");
	expect(&maker, L_WEB, "sc-status", "404");
	expect(&maker, L_WEB, "cs-cookie", NULL);
	expect(&maker, L_AWS, "userIdentity.type", "WebIdentityUser");
	expect(&maker, L_AWS, "userIdentity.arn", NULL);
	expect(&maker, L_AWS, "requestParameters.x", NULL);
	record_set_text(&request, FIELD_path, STR_LIT("/a"));
	record_set_text(
		&request, FIELD_extra,
		STR_LIT("{\"queryString\":\"q=2\",\"userArn\":\"arn:aws:sts::1:assumed-role/r/s\","
			"\"domainName\":\"ab.execute-api.eu-west-1.amazonaws.com\"}"));
	record_set_text(&request, FIELD_user_kind, STR_LIT("iam"));
	values_begin(&maker, &event);
	assert_true(str_is(get(&maker, L_WEB, "cs-uri-query").first[0].text, "q=2"));
	expect(&maker, L_WEB, "cs-uri", "/a?q=2");
	expect(&maker, L_AWS, "userIdentity.type", "AssumedRole");
	expect(&maker, L_AWS, "awsRegion", "eu-west-1");
	values_done(&maker);
}

static void statements_are_events(void **state)
{ /* proves the values of SQL Server's events, one for an audit row and two for a failed login */
	struct record statement = fixture_statement("SELECT 1");
	struct rules_event event = {.stage = RULES_STAGE_RECORD, .statement = &statement};
	struct values_maker maker;
	struct values values;
	struct error err;

	(void)state;
	assert_int_equal(values_init(&maker, &err), 0);
	values_begin(&maker, &event);
	expect(&maker, L_SQL, "EventID", "33205");
	expect(&maker, L_SQL, "Provider_Name", "MSSQLSERVER$AUDIT");
	expect(&maker, L_SQL, "succeeded", "true");
	expect(&maker, L_SQL, "rows", "12");
	expect(&maker, L_SQL, "time", "2026-09-21T14:13:20.000000000Z");
	expect(&maker, L_SQL, "user", NULL);
	record_set_text(&statement, FIELD_action, STR_LIT("LGIF"));
	values_begin(&maker, &event);
	values = get(&maker, L_SQL, "EventID");
	assert_int_equal(values.count, 2);
	assert_int_equal(values.first[1].number, 18456);
	values = get(&maker, L_SQL, "Data");
	assert_int_equal(values.count, 2);
	assert_true(str_is(values.first[1].text,
			   "Login failed for user 'App_Orders'. [CLIENT: 10.0.3.17]"));
	values_done(&maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_have_the_names_of_web_servers),
		cmocka_unit_test(statements_are_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
