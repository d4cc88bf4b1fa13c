#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

static const char whole_rule[] =
	"title: Table dropped\n"
	"id: 6f0d5c1e-3c55-4d42-9ab1-0b6bb6a7a001\n"
	"status: test\n"
	"description: A table is gone.\n"
	"author: us\n"
	"date: 2026-01-02\n"
	"level: high\n"
	"tags: [attack.impact, attack.t1485]\n"
	"falsepositives:\n  - Migrations\n"
	"logsource:\n  product: mssql\n  service: audit\n  category: database\n"
	"detection:\n"
	"  selection:\n    verbs: DROP\n    ddl_kind|contains: table\n"
	"  condition: selection\n"
	"querytrail:\n"
	"  explanation: It is gone.\n"
	"  next_steps:\n    - Ask.\n    - Restore.\n"
	"  examples:\n"
	"    - name: a drop\n      fires: true\n      event: {verbs: [DROP, SELECT], rows: 1}\n"
	"    - fires: false\n      event: {verbs: SELECT}\n";

static void a_rule_is_read(void **state)
{
	/* every text, word, tag, example and test of a rule stands in its place */
	struct pack_options options = {0};
	struct pack *pack;
	struct error err;

	(void)state;
	assert_int_equal(pack_parse("a/b.yml", str_of(whole_rule), &options, &pack, &err), 0);
	assert_int_equal(pack_problem_count(pack), 0);
	assert_int_equal(pack_rule_count(pack), 1);
	const struct rule *rule = pack_rule(pack, 0);
	assert_true(str_is(rule->id, "6f0d5c1e-3c55-4d42-9ab1-0b6bb6a7a001"));
	assert_true(str_is(rule->title, "Table dropped"));
	assert_true(str_is(rule->description, "A table is gone."));
	assert_true(str_is(rule->author, "us"));
	assert_true(str_is(rule->date, "2026-01-02"));
	assert_true(str_is(rule->status, "test"));
	assert_int_equal(rule->severity, 4);
	assert_true(str_is(rule->product, "mssql"));
	assert_true(str_is(rule->service, "audit"));
	assert_true(str_is(rule->category, "database"));
	assert_int_equal(rule->tag_count, 2);
	assert_true(str_is(rule->tags[1], "attack.t1485"));
	assert_int_equal(rule->falsepositive_count, 1);
	assert_true(str_is(rule->explanation, "It is gone."));
	assert_true(str_is(rule->next_steps, "Ask.\nRestore."));
	assert_int_equal(rule->example_count, 2);
	assert_true(rule->examples[0].fires);
	assert_true(str_is(rule->examples[0].name, "a drop"));
	const struct yaml_node *verbs = yaml_child(rule->examples[0].fields, "verbs");
	assert_int_equal(verbs->child_count, 2);
	assert_true(str_is(verbs->first_child->next->text, "SELECT"));
	assert_false(rule->examples[1].fires);
	assert_string_equal(rule->file, "a/b.yml");
	assert_int_equal(rule->line, 15);
	assert_false(rule->idle);
	assert_int_equal(rule->condition->type, RULE_AND);
	pack_free(pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
