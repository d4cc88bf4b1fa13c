#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "correlator/daemonstate.h"
#include "model/options.h"

#include <stdlib.h>

#define RULE(ID)                                                                               \
	"title: t\nid: " ID "\nlogsource: {product: mssql}\ndetection:\n  s: {principal: x}\n" \
	"  condition: s\n"

struct rules_folder {
	char folder[32], good[48], bad[48];
	struct config *config;
	struct error err;
};

static struct config *config_of(const char *text)
{
	const struct config_input input = {.name = "t.yaml", .text = str_of(text)};
	struct config *config = NULL;
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, NULL), 0);
	return config;
}

static void rules_folder_init(struct rules_folder *f, bool good, bool bad)
{
	char text[128];
	memset(f, 0, sizeof(*f));
	memcpy(f->folder, "/tmp/ruleload-XXXXXX", sizeof("/tmp/ruleload-XXXXXX"));
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->good, sizeof(f->good), "%s/a.yml", f->folder); /* short */
	(void)snprintf(f->bad, sizeof(f->bad), "%s/b.yml", f->folder);   /* short */
	if (good) {
		assert_int_equal(io_replace_file(f->good, STR_LIT(RULE("mine")), 0600, &f->err), 0);
	}
	if (bad) {
		assert_int_equal(
			io_replace_file(f->bad, STR_LIT("title: t\nid: broken\n"), 0600, &f->err),
			0);
	}
	(void)snprintf(text, sizeof(text), "rules:\n  folders: [%s]\n", f->folder); /* short */
	f->config = config_of(text);
}

static void rules_folder_done(struct rules_folder *f)
{
	config_free(f->config);
	(void)unlink(f->good); /* not every test has it */
	(void)unlink(f->bad);
	assert_int_equal(rmdir(f->folder), 0);
}

static void good_rules_are_loaded(void **state)
{
	/* a folder with one good rule gives a set of that rule, strict or not */
	struct rules_folder f;
	(void)state;
	rules_folder_init(&f, true, false);
	for (int strict = 0; strict < 2; strict++) {
		struct ruleset *ruleset = NULL;
		assert_int_equal(ruleload_read(f.config, strict == 1, &ruleset, &f.err), 0);
		assert_non_null(ruleset);
		assert_int_equal(pack_rule_count(ruleset_pack(ruleset)), 1);
		assert_true(str_equal(pack_rule(ruleset_pack(ruleset), 0)->id, STR_LIT("mine")));
		ruleset_free(ruleset);
	}
	rules_folder_done(&f);
}

static void a_bad_rule_stops_only_the_strict(void **state)
{
	/* a bad rule beside a good one: strictly ERR_CONFIG that names its file, else the good one runs */
	struct rules_folder f;
	struct ruleset *ruleset = NULL;
	(void)state;
	rules_folder_init(&f, true, true);
	assert_int_equal(ruleload_read(f.config, true, &ruleset, &f.err), -ERR_CONFIG);
	assert_null(ruleset);
	assert_non_null(strstr(f.err.text, "1 rule is bad; "));
	assert_non_null(strstr(f.err.text, "b.yml:"));
	assert_int_equal(ruleload_read(f.config, false, &ruleset, &f.err), 0);
	assert_int_equal(pack_rule_count(ruleset_pack(ruleset)), 1);
	assert_int_equal(pack_problem_count(ruleset_pack(ruleset)), 1);
	ruleset_free(ruleset);
	rules_folder_done(&f);
}

static void no_rules_is_no_set(void **state)
{
	/* an empty folder, and shipped rules that are not installed, give no set and no failure; a folder of the configuration that is missing is ERR_CONFIG */
	struct rules_folder f;
	struct ruleset *ruleset = NULL;
	(void)state;
	rules_folder_init(&f, false, false);
	assert_int_equal(ruleload_read(f.config, true, &ruleset, &f.err), 0);
	assert_null(ruleset);
	struct config *config = config_of("rules: {}\n");
	assert_int_equal(setenv("QUERYTRAIL_RULES", "/nonexistent", 1), 0);
	assert_int_equal(ruleload_read(config, true, &ruleset, &f.err), 0);
	assert_null(ruleset);
	config_free(config);
	config = config_of("rules:\n  folders: [/nonexistent]\n");
	assert_int_equal(ruleload_read(config, false, &ruleset, &f.err), -ERR_CONFIG);
	assert_null(ruleset);
	config_free(config);
	rules_folder_done(&f);
}

static void a_start_outlives_unreadable_rules(void **state)
{
	/* a daemon for records alone reads no rules, and one whose folder is unreadable starts without them */
	struct error err;
	struct daemon daemon = {.options = {.records_only = true}};
	(void)state;
	assert_int_equal(ruleload_start(&daemon, &err), 0);
	daemon.options.records_only = false;
	daemon.config = config_of("rules:\n  folders: [/nonexistent]\n");
	assert_int_equal(ruleload_start(&daemon, &err), 0);
	config_free(daemon.config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_rules_are_loaded),
		cmocka_unit_test(a_bad_rule_stops_only_the_strict),
		cmocka_unit_test(no_rules_is_no_set),
		cmocka_unit_test(a_start_outlives_unreadable_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
