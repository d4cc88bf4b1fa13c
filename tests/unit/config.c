/* The configuration is checked against one table, with places and near words. */
#include "base/config.h"

#include "base/clock.h"
#include "base/io.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct config_option top_options[] = {
	{.name = "store", .type = CONFIG_PATH, .fallback = "/var/lib/x", .help = "Where."},
	{.name = "level",
	 .type = CONFIG_ENUM,
	 .fallback = "info",
	 .choices = "info|debug",
	 .help = "How much."},
};
static const struct config_option join_options[] = {
	{.name = "slack",
	 .type = CONFIG_DURATION,
	 .fallback = "5s",
	 .min = 0,
	 .max = 60 * NS_PER_SEC,
	 .help = "Slack."},
	{.name = "strict", .type = CONFIG_BOOL, .fallback = "false", .help = "Strict."},
	{.name = "memory", .type = CONFIG_SIZE, .fallback = "1MiB", .help = "Memory."},
	{.name = "roles", .type = CONFIG_MAP, .help = "Roles."},
};
static const struct config_option file_options[] = {
	{.name = "type",
	 .type = CONFIG_ENUM,
	 .fallback = "!",
	 .choices = "file|net",
	 .help = "Kind."},
	{.name = "files", .type = CONFIG_LIST, .fallback = "!", .help = "Files."},
	{.name = "secret", .type = CONFIG_SECRET, .help = "Secret."},
};
static const struct config_option net_options[] = {
	{.name = "type",
	 .type = CONFIG_ENUM,
	 .fallback = "!",
	 .choices = "file|net",
	 .help = "Kind."},
	{.name = "port",
	 .type = CONFIG_INT,
	 .fallback = "80",
	 .min = 1,
	 .max = 65535,
	 .help = "Port."},
	{.name = "name", .type = CONFIG_TEXT, .min = 2, .max = 4, .help = "Name."},
};
static const struct config_section sections[] = {
	{.path = "", .help = "Top", .options = top_options, .option_count = 2},
	{.path = "join", .help = "Join", .options = join_options, .option_count = 4},
	{.path = "sources.*",
	 .kind = "file",
	 .help = "Files",
	 .options = file_options,
	 .option_count = 3},
	{.path = "sources.*",
	 .kind = "net",
	 .help = "Net",
	 .options = net_options,
	 .option_count = 3},
};
static const struct config_schema schema = {.sections = sections, .section_count = 4};

static struct config *parse_good(const char *text)
{
	struct config_input input = {.name = "t.yaml", .text = str_of(text)};
	struct config *config = NULL;
	struct error err = {0};
	assert_int_equal(config_parse(&schema, &input, &config, NULL, &err), 0);
	return config;
}

/* An empty file gives every default. */
static void test_defaults(void **state)
{
	(void)state;
	struct config *config = parse_good("");
	assert_string_equal(config_text(config, "", "store"), "/var/lib/x");
	assert_true(config_int(config, "join", "slack") == 5 * NS_PER_SEC);
	assert_int_equal(config_int(config, "join", "memory"), 1 << 20);
	assert_false(config_bool(config, "join", "strict"));
	assert_false(config_is_set(config, "join", "strict"));
	assert_string_equal(config_place(config, "join", "strict"), "default");
	assert_int_equal(config_name_count(config, "sources"), 0);
	config_free(config);
}

/* All types are read, named sections by their kind, and places are kept. */
static void test_values(void **state)
{
	(void)state;
	struct config *config = parse_good("store: /x\n"
					   "join:\n"
					   "  slack: 1.5s\n"
					   "  strict: yes\n"
					   "  roles: {\"GET /a*\": [r1, r2], b: r3}\n"
					   "sources:\n"
					   "  f: {type: file, files: one.log}\n"
					   "  n: {type: net, port: 8080, name: no}\n");
	assert_true(config_int(config, "join", "slack") == 1500 * NS_PER_MS);
	assert_true(config_bool(config, "join", "strict"));
	assert_string_equal(config_place(config, "join", "slack"), "t.yaml:3:10");
	assert_int_equal(config_map_count(config, "join", "roles"), 2);
	assert_string_equal(config_map_key(config, "join", "roles", 0), "GET /a*");
	assert_int_equal(config_map_value_count(config, "join", "roles", 0), 2);
	assert_string_equal(config_map_value(config, "join", "roles", 0, 1), "r2");
	assert_string_equal(config_map_value(config, "join", "roles", 1, 0), "r3");
	assert_int_equal(config_name_count(config, "sources"), 2);
	assert_string_equal(config_name(config, "sources", 1), "n");
	assert_int_equal(config_list_count(config, "sources.f", "files"), 1);
	assert_string_equal(config_list(config, "sources.f", "files", 0), "one.log");
	assert_int_equal(config_int(config, "sources.n", "port"), 8080);
	assert_string_equal(config_text(config, "sources.n", "name"), "no");
	config_free(config);
}

struct wrong {
	const char *text;
	const char *problem;
};

/* Every kind of mistake is told with its place. */
static void test_problems(void **state)
{
	(void)state;
	static const struct wrong wrongs[] = {
		{"stroe: /x\n",
		 "t.yaml:1:1: unknown section or option \"stroe\"; did you mean \"store\"?"},
		{"jion:\n  x: 1\n",
		 "t.yaml:1:1: unknown section or option \"jion\"; did you mean \"join\"?"},
		{"join:\n  slak: 1s\n",
		 "t.yaml:2:3: unknown option \"slak\" in join; did you mean \"slack\"?"},
		{"join:\n  slack: soon\n", "t.yaml:2:10: slack should be a duration"},
		{"join:\n  slack: 2m\n",
		 "t.yaml:2:10: slack: 2m is out of range; it may be 0s to 1m"},
		{"join:\n  strict: maybe\n", "t.yaml:2:11: strict should be true or false"},
		{"join:\n  strict:\n", "strict should be true or false"},
		{"join:\n  roles: [a]\n", "t.yaml:2:10: roles should be a mapping"},
		{"join: 5\n", "t.yaml:1:7: join should be a mapping"},
		{"level: loud\n", "t.yaml:1:8: level should be one of info|debug"},
		{"sources:\n  x: {files: a}\n", "t.yaml:2:3: sources.x needs the option \"type\""},
		{"sources:\n  x: {type: nte}\n", "type should be one of file|net"},
		{"sources:\n  x: {type: file}\n", "sources.x needs the option \"files\""},
		{"sources:\n  x: {type: net, port: 0}\n", "out of range; it may be 1 to 65535"},
		{"sources:\n  x: {type: net, name: abcde}\n",
		 "out of range; it may be 2 to 4 bytes long"},
		{"sources:\n  x/y: {type: net}\n", "t.yaml:2:3: \"x/y\" can't be a name"},
		{"sources: 5\n", "sources should be a mapping"},
		{"store: a\nstore: b\n", "t.yaml:2:1: the key \"store\" stands twice"},
		{": x\n", "should be a mapping of options"},
		{"store: a\nb: \xff\n", "t.yaml:2:4: not UTF-8 text"},
		{"\x01\x02\n", "t.yaml:1:"},
		{"store: &a b\n", "anchors and tags are not allowed"},
		{"store: !!str b\n", "anchors and tags are not allowed"},
		{"store: [a\n", "t.yaml:"},
		{"- a\n", "the file should be a mapping"},
		{"store: a\n---\nstore: b\n", "t.yaml:"},
	};
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct config_input input = {.name = "t.yaml", .text = str_of(wrongs[i].text)};
		struct config *config = NULL;
		struct error err = {0};
		assert_int_equal(config_parse(&schema, &input, &config, NULL, &err), -ERR_CONFIG);
		if (strstr(err.text, wrongs[i].problem) == NULL) {
			fail_msg("%s: %s", wrongs[i].text, err.text);
		}
		assert_null(config);
	}
}

/* All problems of a file are told at once; hostile text in them is escaped. */
static void test_report(void **state)
{
	(void)state;
	struct config_input input = {
		.name = "t.yaml",
		.text = STR_LIT("\"x\\e[31m\": 1\njoin: {slack: 1, strict: 2}\n")};
	struct config *config = NULL;
	struct error err = {0};
	struct buf report;
	buf_init(&report, 0);
	assert_int_equal(config_parse(&schema, &input, &config, &report, &err), -ERR_CONFIG);
	size_t lines = 0;
	for (size_t i = 0; i < report.len; i++) {
		lines += report.ptr[i] == '\n';
	}
	assert_int_equal(lines, 3);
	assert_null(strchr(report.ptr, '\x1b'));
	buf_done(&report);
}

/* A dump is read back to the same dump; the sample names every option. */
static void test_dump(void **state)
{
	(void)state;
	struct config *config =
		parse_good("store: \"/a b\"\njoin: {roles: {\"GET *\": [a, \"b c\"]}}\n"
			   "sources: {n: {type: net}}\n");
	struct buf first, second, sample;
	buf_init(&first, 0);
	buf_init(&second, 0);
	buf_init(&sample, 0);
	config_dump(config, false, &first);
	config_free(config);
	config = parse_good(first.ptr);
	config_dump(config, false, &second);
	assert_string_equal(first.ptr, second.ptr);
	buf_clear(&second);
	config_dump(config, true, &second);
	assert_non_null(strstr(second.ptr, "# t.yaml:"));
	config_sample(&schema, &sample);
	assert_non_null(strstr(sample.ptr, "#slack: 5s"));
	assert_non_null(strstr(sample.ptr, "files:"));
	config_free(config);
	config = parse_good("");
	config_free(config);
	buf_done(&first);
	buf_done(&second);
	buf_done(&sample);
}

/* Drop-ins win option by option in lexical order; relative paths start at the file; a missing file is told. */
static void test_load(void **state)
{
	(void)state;
	char folder[] = "/tmp/unit-config-XXXXXX";
	assert_non_null(mkdtemp(folder));
	struct buf path;
	struct error err = {0};
	buf_init(&path, 0);
	static const char *const files[][2] = {
		{"main.yaml", "store: data\njoin: {slack: 1s, strict: true}\n"},
		{"conf.d/20.yaml", "join: {slack: 3s}\n"},
		{"conf.d/10.yaml", "join: {slack: 2s}\n"},
		{"conf.d/note.txt", "not read: ["}};
	buf_putf(&path, "%s/conf.d", folder);
	assert_int_equal(mkdir(path.ptr, 0700), 0);
	for (size_t i = 0; i < 4; i++) {
		buf_clear(&path);
		buf_putf(&path, "%s/%s", folder, files[i][0]);
		assert_int_equal(io_replace_file(path.ptr, str_of(files[i][1]), 0600, &err), 0);
	}
	buf_clear(&path);
	buf_putf(&path, "%s/main.yaml", folder);
	struct config *config = NULL;
	assert_int_equal(config_load(&schema, path.ptr, &config, NULL, &err), 0);
	assert_true(config_int(config, "join", "slack") == 3 * NS_PER_SEC);
	assert_true(config_bool(config, "join", "strict"));
	assert_true(str_has_suffix(str_of(config_text(config, "", "store")), STR_LIT("/data")));
	assert_int_equal(config_text(config, "", "store")[0], '/');
	config_free(config);
	for (size_t i = 0; i < 4; i++) {
		buf_clear(&path);
		buf_putf(&path, "%s/%s", folder, files[i][0]);
		assert_int_equal(unlink(path.ptr), 0);
	}
	config = NULL;
	buf_clear(&path);
	buf_putf(&path, "%s/main.yaml", folder);
	assert_int_equal(config_load(&schema, path.ptr, &config, NULL, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "main.yaml"));
	buf_clear(&path);
	buf_putf(&path, "%s/conf.d", folder);
	assert_int_equal(rmdir(path.ptr), 0);
	assert_int_equal(rmdir(folder), 0);
	buf_done(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_values),
		cmocka_unit_test(test_problems), cmocka_unit_test(test_report),
		cmocka_unit_test(test_dump),     cmocka_unit_test(test_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
