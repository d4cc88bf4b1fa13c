#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "tests/unit/rule-fixture.h"

#include <sys/stat.h>

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

/* What a pack holds as one line: ids of rules, then files and texts of problems. To be freed. */
static char *contents(const struct pack *pack)
{
	struct buf out;
	buf_init(&out, 0);
	buf_put_text(&out, "");
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		buf_put_str(&out, pack_rule(pack, i)->id);
		buf_put_byte(&out, ' ');
	}
	for (size_t i = 0; i < pack_problem_count(pack); i++) {
		const struct pack_problem *problem = pack_problem(pack, i);
		const char *slash = strrchr(problem->file, '/');
		buf_putf(&out, "[%s:%d:%d: %s]", slash != NULL ? slash + 1 : problem->file,
			 problem->line, problem->column, problem->text);
	}
	return out.ptr;
}

static void put_rule(struct buf *out, const char *id, const char *condition)
{
	buf_putf(out,
		 "title: t\nid: %s\nlogsource: {product: mssql}\ndetection:\n  s: {verb: DROP}\n"
		 "  condition: %s\n",
		 id, condition);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name); /* short */
	assert_int_equal(io_replace_file(path, str_of(text), 0600, NULL), 0);
}

static void folders_are_read_in_order(void **state)
{
	/* all rule files of a folder and its subfolders are read by name; bad ones are problems, others are left alone */
	char folder[] = "/tmp/pack-XXXXXX", sub[64], fifo[64];
	struct buf text;
	struct error err;
	struct pack *pack;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(sub, sizeof(sub), "%s/b", folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	buf_init(&text, 0);
	put_rule(&text, "one", "s");
	write_file(folder, "c.yaml", text.ptr);
	write_file(folder, "ignored.txt", text.ptr);
	write_file(folder, ".hidden.yml", text.ptr);
	write_file(folder, "z.yml", text.ptr);
	buf_clear(&text);
	put_rule(&text, "two", "s");
	buf_put_text(&text, "---\n");
	put_rule(&text, "bad", "t");
	buf_put_text(&text, "---\n");
	put_rule(&text, "three", "not s");
	write_file(sub, "x.yml", text.ptr);
	write_file(folder, "empty.yml", "# nothing\n");
	write_file(folder, "broken.yml", "title: [\n");
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo.yml", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	const char *const folders[] = {folder};
	const struct pack_options options = {.folders = folders, .folder_count = 1};
	assert_int_equal(pack_read(&options, &pack, &err), 0);
	char wanted[1024];
	(void)snprintf(
		wanted, sizeof(wanted),
		"two three one [x.yml:13:14: the detection has no search \"t\"; did you mean "
		"\"s\"?][broken.yml:2:1: flow sequence without a closing bracket]"
		"[empty.yml:1:1: the file holds no rule][fifo.yml:0:0: is no file]"
		"[z.yml:2:5: the id \"one\" stands in %s/c.yaml already]",
		folder); /* short */
	assert_outcome(contents(pack), wanted);
	pack_free(pack);
	buf_done(&text);
	static const char *const names[] = {"c.yaml",  "ignored.txt", ".hidden.yml", "z.yml",
					    "b/x.yml", "empty.yml",   "broken.yml",  "fifo.yml"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]); /* short */
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(sub), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_link_to_an_outer_folder_is_not_walked(void **state)
{
	/* each file is read once though a link in a subfolder leads back to the folder that holds it */
	char folder[] = "/tmp/pack-XXXXXX", sub[64], loop[64], file[64];
	const char *const folders[] = {folder};
	const struct pack_options options = {.folders = folders, .folder_count = 1};
	struct buf text;
	struct error err;
	struct pack *pack;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(sub, sizeof(sub), "%s/b", folder);
	(void)snprintf(loop, sizeof(loop), "%s/b/a", folder);
	(void)snprintf(file, sizeof(file), "%s/c.yml", folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(symlink("..", loop), 0);
	buf_init(&text, 0);
	put_rule(&text, "one", "s");
	write_file(folder, "c.yml", text.ptr);
	buf_done(&text);
	assert_int_equal(pack_read(&options, &pack, &err), 0);
	assert_outcome(contents(pack), "one ");
	pack_free(pack);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(unlink(loop), 0);
	assert_int_equal(rmdir(sub), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void what_is_disabled_is_read_past(void **state)
{
	/* rules are switched off by their id or the name of their file, with wildcards */
	const struct str disabled[] = {STR_LIT("two*"), STR_LIT("other")};
	const struct pack_options options = {.disabled = disabled, .disabled_count = 2};
	struct buf text;
	struct pack *pack;
	struct error err;

	(void)state;
	buf_init(&text, 0);
	put_rule(&text, "one", "s");
	buf_put_text(&text, "---\n");
	put_rule(&text, "two-b", "s");
	assert_int_equal(pack_parse("a.yml", buf_str(&text), &options, &pack, &err), 0);
	assert_outcome(contents(pack), "one ");
	assert_int_equal(pack_disabled_count(pack), 1);
	pack_free(pack);
	assert_int_equal(pack_parse("x/other.yml", buf_str(&text), &options, &pack, &err), 0);
	assert_outcome(contents(pack), "");
	assert_int_equal(pack_disabled_count(pack), 2);
	pack_free(pack);
	buf_done(&text);
}

static void a_rule_can_be_refused_later(void **state)
{
	/* what only the compiler sees takes a rule out and adds its problem */
	const struct pack_options options = {0};
	const struct pack_problem problem = {
		.file = "a.yml", .line = 5, .column = 3, .text = "no such field"};
	struct buf text;
	struct pack *pack;
	struct error err;

	(void)state;
	buf_init(&text, 0);
	put_rule(&text, "one", "s");
	buf_put_text(&text, "---\n");
	put_rule(&text, "two", "s");
	assert_int_equal(pack_parse("a.yml", buf_str(&text), &options, &pack, &err), 0);
	assert_int_equal(pack_refuse(pack, pack_rule(pack, 0), &problem, &err), 0);
	assert_outcome(contents(pack), "two [a.yml:5:3: no such field]");
	assert_null(pack_rule(pack, 1));
	assert_null(pack_problem(pack, 1));
	pack_free(pack);
	buf_done(&text);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	/* a configured folder must be readable */
	const char *const folders[] = {"/nonexistent/rules"};
	const struct pack_options options = {.folders = folders, .folder_count = 1};
	struct pack *pack;
	struct error err;

	(void)state;
	assert_int_equal(pack_read(&options, &pack, &err), -ERR_CONFIG);
	assert_string_equal(err.text, "can't read the rules /nonexistent/rules: No such file or "
				      "directory");
}

static void large_and_hostile_files_are_bounded(void **state)
{
	/* a megabyte of values is read or refused within a second, and larger files are refused */
	const struct pack_options options = {0};
	struct buf text;
	struct pack *pack;
	struct error err;

	(void)state;
	buf_init(&text, 0);
	buf_put_text(&text, "title: t\nid: i\nlogsource: {product: mssql}\ndetection:\n"
			    "  condition: s\n  s:\n    f|base64offset|contains:\n");
	for (int i = 0; i < 60000; i++) {
		buf_putf(&text, "    - w%d\n", i);
	}
	assert_int_equal(pack_parse("a.yml", buf_str(&text), &options, &pack, &err), 0);
	assert_int_equal(pack_rule_count(pack), 0);
	assert_int_equal(pack_problem_count(pack), 1);
	pack_free(pack);
	buf_clear(&text);
	buf_put_text(&text, "title: t\nid: i\nlogsource: {product: mssql}\ndetection:\n"
			    "  s: a\n  condition: ");
	for (int i = 0; i < 100000; i++) {
		buf_put_text(&text, "s and ");
	}
	buf_put_text(&text, "s\n");
	assert_int_equal(pack_parse("a.yml", buf_str(&text), &options, &pack, &err), 0);
	assert_outcome(contents(pack), "[a.yml:6:600015: the rule has more than 65536 tests]");
	pack_free(pack);
	buf_clear(&text);
	buf_put_text(&text, "title: t\nid: i\nlogsource: {product: mssql}\ndetection:\n"
			    "  condition: s\n  s: {f: '");
	for (int i = 0; i < 600; i++) {
		buf_put_text(&text, "?a");
	}
	buf_put_text(&text, "'}\n");
	assert_int_equal(pack_parse("a.yml", buf_str(&text), &options, &pack, &err), 0);
	assert_outcome(contents(pack),
		       "[a.yml:6:10: a value with the wildcard \"?\" is longer than "
		       "1024 characters]");
	pack_free(pack);
	buf_clear(&text);
	buf_put_fill(&text, 'a', YAML_MAX_BYTES + 1);
	assert_int_equal(pack_parse("a.yml", buf_str(&text), &options, &pack, &err), 0);
	assert_outcome(contents(pack), "[a.yml:1:1: larger than 1 MiB]");
	pack_free(pack);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_read),
		cmocka_unit_test(folders_are_read_in_order),
		cmocka_unit_test(what_is_disabled_is_read_past),
		cmocka_unit_test(a_rule_can_be_refused_later),
		cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
		cmocka_unit_test(a_link_to_an_outer_folder_is_not_walked),
		cmocka_unit_test(large_and_hostile_files_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
