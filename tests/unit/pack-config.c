#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "correlator/rules/pack-config.h"
#include "model/options.h"

#include <stdlib.h>

static const char rule_text[] = "title: t\nid: mine\nlogsource: {product: mssql}\ndetection:\n"
				"  s: {tables|expand: '%classified_tables%'}\n  condition: s\n";

static struct config *config_of(const char *text)
{
	const struct config_input input = {.name = "t.yaml", .text = str_of(text)};
	struct config *config = NULL;
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, NULL), 0);
	return config;
}

static void a_configuration_gives_folders_and_lists(void **state)
{
	/* folders, lists and what is disabled come from the configuration; without its list the rule is idle */
	char folder[] = "/tmp/packconfig-XXXXXX", path[64], text[512];
	struct pack *pack;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/a.yml", folder); /* short */
	assert_int_equal(io_replace_file(path, str_of(rule_text), 0600, &err), 0);
	(void)snprintf(text, sizeof(text),
		       "rules:\n  folders: [%s]\n  lists: {classified_tables: [a, b], x: [y]}\n",
		       folder); /* short */
	struct config *config = config_of(text);
	assert_int_equal(pack_read_config(config, NULL, &pack, &err), 0);
	assert_int_equal(pack_rule_count(pack), 1);
	assert_false(pack_rule(pack, 0)->idle);
	assert_int_equal(pack_rule(pack, 0)->condition->item->value_count, 2);
	pack_free(pack);
	config_free(config);

	(void)snprintf(text, sizeof(text), "rules:\n  folders: %s\n", folder); /* short */
	config = config_of(text);
	assert_int_equal(pack_read_config(config, NULL, &pack, &err), 0);
	assert_true(pack_rule(pack, 0)->idle);
	pack_free(pack);
	config_free(config);

	config = config_of("rules:\n  disabled: m*\n");
	const char *const folders[] = {folder};
	const struct pack_wish wish = {.folders = folders, .folder_count = 1};
	assert_int_equal(pack_read_config(config, &wish, &pack, &err), 0);
	assert_int_equal(pack_rule_count(pack), 0);
	assert_int_equal(pack_disabled_count(pack), 1);
	pack_free(pack);
	config_free(config);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void the_shipped_rules_are_found(void **state)
{
	/* without a configuration the rules that came with the program are read, or those that QUERYTRAIL_RULES names */
	struct pack *pack;
	struct error err;
	struct buf folder;

	(void)state;
	buf_init(&folder, 0);
	assert_int_equal(setenv("QUERYTRAIL_RULES", "/nonexistent", 1), 0);
	pack_shipped_folder(&folder);
	assert_string_equal(folder.ptr, "/nonexistent");
	assert_int_equal(pack_read_config(NULL, NULL, &pack, &err), -ERR_CONFIG);
	assert_int_equal(setenv("QUERYTRAIL_RULES", RULES_SOURCE, 1), 0);
	assert_int_equal(pack_read_config(NULL, NULL, &pack, &err), 0);
	assert_true(pack_rule_count(pack) >= 40);
	assert_int_equal(pack_problem_count(pack), 0);
	pack_free(pack);
	assert_int_equal(unsetenv("QUERYTRAIL_RULES"), 0);
	buf_clear(&folder);
	pack_shipped_folder(&folder);
	assert_true(folder.len > 0 && folder.ptr[0] == '/');
	buf_done(&folder);
}

static bool has_technique_and_tactic(const struct rule *rule)
{
	bool technique = false, tactic = false;
	for (size_t i = 0; i < rule->tag_count; i++) {
		struct str tag = rule->tags[i];
		bool number = str_has_prefix(tag, STR_LIT("attack.t")) && tag.len > 8 &&
			      tag.ptr[8] >= '0' && tag.ptr[8] <= '9';
		technique = technique || number;
		tactic = tactic || (!number && str_has_prefix(tag, STR_LIT("attack.")));
	}
	return technique && tactic;
}

static void every_shipped_rule_is_whole(void **state)
{
	/* each rule of the pack has its texts, level, tags, an explanation, next steps, and examples of both kinds */
	const char *const folders[] = {RULES_SOURCE};
	const struct pack_wish wish = {
		.folders = folders, .folder_count = 1, .example_lists = true};
	struct pack *pack;
	struct error err;

	(void)state;
	assert_int_equal(pack_read_config(NULL, &wish, &pack, &err), 0);
	assert_true(pack_rule_count(pack) >= 40);
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		const struct rule *rule = pack_rule(pack, i);
		size_t fires = 0, quiet = 0;
		for (size_t k = 0; k < rule->example_count; k++) {
			fires += rule->examples[k].fires;
			quiet += !rule->examples[k].fires;
		}
		bool whole = rule->id.len == 36 && rule->title.len > 0 &&
			     rule->description.len > 0 && rule->status.len > 0 &&
			     rule->severity >= 1 && has_technique_and_tactic(rule) &&
			     rule->falsepositive_count > 0 && rule->explanation.len > 40 &&
			     rule->next_steps.len > 10 && fires > 0 && quiet > 0 && !rule->idle;
		if (!whole) {
			fail_msg("%s lacks something", rule->file);
		}
	}
	pack_free(pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_gives_folders_and_lists),
		cmocka_unit_test(the_shipped_rules_are_found),
		cmocka_unit_test(every_shipped_rule_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
