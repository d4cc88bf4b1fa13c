#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/rule-list.h"

#define RULE(id, title)             \
	"title: " title "\nid: " id \
	"\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\n"

static struct pack *pack_of(const char *name, const char *text)
{
	const struct pack_options options = {0};
	struct pack *pack = NULL;
	assert_int_equal(pack_parse(name, str_of(text), &options, &pack, NULL), 0);
	return pack;
}

static void a_file_is_named_without_what_is_common(void **state)
{
	/* files are shown from their folder on; a pack of one file shows the file's name */
	struct pack *pack = pack_of("/a/b/rules/x.yml", RULE("i", "t"));

	(void)state;
	assert_true(str_is(rule_list_file(pack, "/a/b/rules/x.yml"), "x.yml"));
	assert_true(str_is(rule_list_file(pack, "/a/b/rules/sub/y.yml"), "sub/y.yml"));
	assert_true(str_is(rule_list_file(pack, "/other/y.yml"), "other/y.yml"));
	pack_free(pack);
}

static void every_format_is_written(void **state)
{
	/* each format holds each rule once, with nothing that a terminal or a spreadsheet obeys; another format is refused */
	static const char *const formats[] = {NULL, "table", "json", "jsonl", "csv"};
	struct pack *pack = pack_of(
		"x.yml", RULE("one", "=cmd()") "---\n" RULE("two", "\"a \\e[31m \\\"b\\\"\""));
	struct error err;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct output out;
		output_init(&out, 1, NULL);
		assert_int_equal(rule_list_put(&out, pack, formats[i], &err), 0);
		struct str text = buf_str(&out.text);
		assert_true(str_find(text, STR_LIT("one"), 0) >= 0);
		assert_true(str_find(text, STR_LIT("two"), 0) >= 0);
		assert_true(str_find_byte(text, '\x1b', 0) < 0);
		if (i == 4) {
			assert_true(str_find(text, STR_LIT("\"'=cmd()\""), 0) >= 0);
			assert_true(str_find(text, STR_LIT("\"\"b\"\""), 0) >= 0);
		}
		buf_clear(&out.text);
		output_done(&out);
	}
	struct output out;
	output_init(&out, 1, NULL);
	assert_int_equal(rule_list_put(&out, pack, "xml", &err), -ERR_USAGE);
	output_done(&out);
	pack_free(pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_named_without_what_is_common),
		cmocka_unit_test(every_format_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
