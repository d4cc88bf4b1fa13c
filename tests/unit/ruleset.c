/* Rules from their text to what fires: routing, names of foreign logs, facts, stages and problems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/matcher-fixture.h"

static void expect(const char *rule, const struct record *record, size_t wanted)
{
	struct bench_rules rules;

	fixture_open(&rules, rule);
	assert_string_equal(fixture_problem(&rules), "");
	assert_int_equal(fixture_run_record(&rules, record), wanted);
	fixture_close(&rules);
}

#define XP_CMDSHELL                                                                     \
	RULE_TEXT("xp", "product: windows\n  service: application",                     \
		  "  s:\n    Provider_Name: 'MSSQLSERVER$AUDIT'\n    EventID: 33205\n"  \
		  "    Data|contains|all:\n      - 'object_name:xp_cmdshell'\n      - " \
		  "'statement:EXEC'\n")

static void audit_event_rules_fire(void **state)
{ /* proves that a rule on event 33205 finds object and statement of an audit row, and not another's */
	struct record record = fixture_statement("EXEC xp_cmdshell 'dir'");

	(void)state;
	expect(XP_CMDSHELL, &record, 0); /* the row names no object */
	record_set_text(&record, FIELD_object, STR_LIT("xp_cmdshell"));
	expect(XP_CMDSHELL, &record, 1);
	record_set_text(&record, FIELD_statement, STR_LIT("SELECT 'statement: EXEC'"));
	expect(XP_CMDSHELL, &record, 0);
}

#define EXTERNAL_LOGIN                                                                         \
	"title: t\nid: ext\nlogsource:\n  product: windows\n  service: application\n"          \
	"detection:\n  s:\n    Provider_Name|contains: 'MSSQL'\n    EventID: 18456\n"          \
	"  f:\n    Data|contains:\n      - 'CLIENT: 10.'\n      - 'CLIENT: <local machine>'\n" \
	"  condition: s and not 1 of f*\n"

static void failed_login_rules_fire(void **state)
{ /* proves that a failed login is event 18456 with its client, and that the rule's filter of local addresses holds */
	struct record record = fixture_statement("x");

	(void)state;
	expect(EXTERNAL_LOGIN, &record, 0);
	record_set_text(&record, FIELD_action, STR_LIT("LGIF"));
	expect(EXTERNAL_LOGIN, &record, 0);
	record_set_text(&record, FIELD_client_ip, STR_LIT("local machine"));
	expect(EXTERNAL_LOGIN, &record, 0);
	record_set_text(&record, FIELD_client_ip, STR_LIT("203.0.113.7"));
	expect(EXTERNAL_LOGIN, &record, 1);
}

static void web_rules_fire(void **state)
{ /* proves that W3C names of web servers find what the gateway logged */
	struct record record = fixture_request("/prod/a.php?id=1+UNION+SELECT");

	(void)state;
	record_set_text(&record, FIELD_extra,
			STR_LIT("{\"referer\":\"http:\\/\\/evil\",\"domainName\":\"x\"}"));
	expect(RULE_TEXT("w", "category: webserver",
			 "  s:\n    cs-method: get\n    cs-uri-query|contains: union+select\n"
			 "    cs-uri-stem|endswith: .php\n    sc-status: 404\n"
			 "    cs-user-agent|startswith: SQLMAP\n    c-useragent|contains: map\n"
			 "    cs-referer|startswith: http://\n    cs-host: X\n"
			 "    c-ip|cidr: 203.0.113.0/24\n    cs-username|endswith: example.com\n"),
	       &record, 1);
	expect(RULE_TEXT("w", "category: webserver",
			 "  s:\n    cs-uri-query|contains: select+union\n"),
	       &record, 0);
}

static void cloudtrail_rules_are_read(void **state)
{ /* proves that CloudTrail's names are known, those that are never there too */
	struct record record = fixture_request("/x");

	(void)state;
	expect(RULE_TEXT(
		       "a", "product: aws\n  service: cloudtrail",
		       "  s:\n    eventSource: execute-api.amazonaws.com\n"
		       "    sourceIPAddress: 203.0.113.9\n    userIdentity.type: WebIdentityUser\n"
		       "    requestParameters.bucketName: null\n"),
	       &record, 1);
	expect(RULE_TEXT("a", "product: aws\n  service: cloudtrail",
			 "  s:\n    responseElements.x.y|contains: a\n"),
	       &record, 0);
}

static void facts_are_fields(void **state)
{ /* proves that what the text does can be asked for, also where the words are hidden */
	struct record record = fixture_statement("DELETE /* all */ FROM Orders");

	(void)state;
	expect(RULE_TEXT("f", "product: mssql",
			 "  s:\n    flags: delete_without_where\n    tables_written: dbo.orders\n"
			 "    verbs: delete\n    normalized: delete from orders\n"),
	       &record, 1);
	record = fixture_statement("DELETE FROM Orders WHERE id = 7");
	expect(RULE_TEXT("f", "product: mssql", "  s:\n    flags: delete_without_where\n"), &record,
	       0);
	record = fixture_statement("EXEC ('DROP ' + 'TABLE dbo.Pay')");
	expect(RULE_TEXT("f", "product: mssql",
			 "  s:\n    ddl: DROP TABLE\n    normalized|contains: drop table\n"
			 "    flags|contains|all: [dynamic, folded]\n"),
	       &record, 1);
}

static void stages_are_chosen(void **state)
{ /* proves that a statement rule that asks for its user runs once the verdict is there, all others at the record */
	struct bench_rules rules;
	struct record statement = fixture_statement("SELECT 1");
	struct record request = fixture_request("/x");
	struct rules_event trail = {RULES_STAGE_TRAIL, &statement, NULL, &request, NULL};
	const char *text =
		RULE_TEXT("r", "product: mssql", "  s:\n    database: shop\n") "---\n" RULE_TEXT(
			"u", "product: mssql",
			"  s:\n    user|startswith: alice\n") "---\n" RULE_TEXT("t",
										"product: "
										"querytrail\n  "
										"service: trail",
										"  s:\n    "
										"route|contains: "
										"orders\n    "
										"grade: null\n");

	(void)state;
	fixture_open(&rules, text);
	assert_string_equal(fixture_problem(&rules), "");
	assert_true(ruleset_has_stage(rules.ruleset, RULES_STAGE_RECORD));
	assert_true(ruleset_has_stage(rules.ruleset, RULES_STAGE_TRAIL));
	assert_int_equal(ruleset_stage(rules.ruleset, pack_rule(ruleset_pack(rules.ruleset), 1)),
			 RULES_STAGE_TRAIL);
	assert_int_equal(fixture_run_record(&rules, &statement), 1);
	assert_string_equal(rules.matched, "r=database: Shop");
	assert_int_equal(fixture_run(&rules, &trail), 2);
	assert_string_equal(rules.matched,
			    "u=user: alice@example.com|t=grade: absent; route: GET /orders/{id}");
	trail.statement = NULL; /* a request alone is no statement, but a trail */
	assert_int_equal(fixture_run(&rules, &trail), 1);
	fixture_close(&rules);
}

static void expect_problem(const char *rule, const char *part)
{
	struct bench_rules rules;

	fixture_open(&rules, rule);
	assert_int_equal(pack_rule_count(ruleset_pack(rules.ruleset)), 0);
	assert_non_null(strstr(fixture_problem(&rules), part));
	fixture_close(&rules);
}

static void problems_are_told(void **state)
{ /* proves that unknown names, log sources, and wrong patterns refuse the rule with a reason */
	(void)state;
	expect_problem(RULE_TEXT("p", "product: mssql", "  s:\n    statment: x\n"),
		       "did you mean \"statement\"?");
	expect_problem(RULE_TEXT("p", "product: linux\n  service: auditd", "  s:\n    a: x\n"),
		       "no events of product \"linux\"");
	expect_problem(RULE_TEXT("p", "product: querytrail\n  service: trial", "  s:\n    a: x\n"),
		       "not \"trial\"");
	expect_problem(RULE_TEXT("p", "product: mssql", "  s:\n    statement|re: '(a'\n"),
		       "regular expression");
	expect_problem(RULE_TEXT("p", "product: mssql", "  s:\n    client_ip|cidr: 10.0.0.1/8\n"),
		       "is no network");
	expect_problem(RULE_TEXT("p", "product: mssql", "  s:\n    principal|fieldref: dbuser\n"),
		       "no field \"dbuser\"");
}

static void others_run_when_one_is_bad(void **state)
{ /* proves that a bad rule does not stop its neighbours */
	struct bench_rules rules;
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	fixture_open(&rules,
		     RULE_TEXT("a", "product: mssql", "  s:\n    nosuch: x\n") "---\n" RULE_TEXT(
			     "b", "product: mssql", "  s:\n    database: Shop\n"));
	assert_int_equal(pack_rule_count(ruleset_pack(rules.ruleset)), 1);
	assert_int_equal(fixture_run_record(&rules, &record), 1);
	fixture_close(&rules);
}

static void nothing_runs_without_rules(void **state)
{ /* proves that an empty pack is a ruleset that fires never */
	struct bench_rules rules;
	struct record record = fixture_statement("SELECT 1");

	(void)state;
	fixture_open(&rules, "");
	assert_false(ruleset_has_stage(rules.ruleset, RULES_STAGE_RECORD));
	assert_int_equal(fixture_run_record(&rules, &record), 0);
	fixture_close(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(audit_event_rules_fire),
		cmocka_unit_test(failed_login_rules_fire),
		cmocka_unit_test(web_rules_fire),
		cmocka_unit_test(cloudtrail_rules_are_read),
		cmocka_unit_test(facts_are_fields),
		cmocka_unit_test(stages_are_chosen),
		cmocka_unit_test(problems_are_told),
		cmocka_unit_test(others_run_when_one_is_bad),
		cmocka_unit_test(nothing_runs_without_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
