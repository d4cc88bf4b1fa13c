#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/yaml.h"

#include <stdlib.h>

/* The tree of a text as one line, or the error. To be freed. */
static void show(const struct yaml_node *node, struct buf *out)
{
	if (node->type == YAML_SCALAR) {
		buf_put_text(out, node->is_plain ? "" : "'");
		buf_put_str(out, node->text);
		buf_put_text(out, node->is_plain ? "" : "'");
		return;
	}
	buf_put_byte(out, node->type == YAML_MAPPING ? '{' : '[');
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		buf_put_text(out, one == node->first_child ? "" : ",");
		if (node->type == YAML_MAPPING) {
			buf_put_str(out, one->key);
			buf_put_byte(out, ':');
		}
		show(one, out);
	}
	buf_put_byte(out, node->type == YAML_MAPPING ? '}' : ']');
}

static char *tree(const char *text)
{
	struct arena arena;
	struct yaml_node *root = NULL;
	struct error err;
	struct buf out;
	arena_init(&arena, 64u << 20);
	buf_init(&out, 0);
	if (yaml_parse("t", str_of(text), &arena, &root, &err) != 0) {
		buf_put_text(&out, err.text);
	} else if (root != NULL) {
		show(root, &out);
	}
	buf_put_text(&out, "");
	arena_done(&arena);
	return out.ptr;
}

static void texts_are_as_they_were_meant(void **state)
{
	/* quotes, blocks, folded lines and escapes give the text that YAML says, whatever stands side by side */
	static const struct {
		const char *given, *made;
	} rows[] = {
		{"a: 1\nb: [x, 'y']", "{a:1,b:[x,'y']}"},
		{"'a '''' b'", "'a '' b'"},
		{"'''''x'''", "'''x''"},
		{"''''", "'''"},
		{"''", "''"},
		{"'it''s'", "'it's'"},
		{"'a\n  '''' b  \n\n   c'", "'a '' b\nc'"},
		{"{'k''''k': ''''''}", "{k''k:''''}"},
		{"\xef\xbb\xbf- '''''a'", "['''a']"},
		{"- '\xc3\xa9 ''''\xc3\xa9'", "['\xc3\xa9 ''\xc3\xa9']"},
		{"\"a\\n\\\\ \\\"\\\" \\u00e9\"", "'a\n\\ \"\" \xc3\xa9'"},
		{"a: |\n  x\n   y\n\n  z\n", "{a:'x\n y\n\nz\n'}"},
		{"a: >-\n  x\n  y\n", "{a:'x y'}"},
		{"a:\nb: ~", "{a:,b:~}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *made = tree(rows[i].given);
		assert_string_equal(made, rows[i].made);
		free(made);
	}
}

static void bad_texts_have_their_place(void **state)
{
	/* what is refused is told with name, line and column */
	static const struct {
		const char *given, *made;
	} rows[] = {
		{"a: &x 1\nb: *x", "t:1:7: anchors and tags are not allowed here"},
		{"b: *x", "t:1:5: aliases are not allowed here"},
		{"a: !!int 1", "t:1:10: anchors and tags are not allowed here"},
		{"a: 1\n'a': 2", "t:2:1: the key \"a\" stands twice"},
		{"[[[[[[[[[1]]]]]]]]]", "t:1:9: nested deeper than 8"},
		{"a: 1\n---\nb: 2", "t:3:1: a second document is not allowed"},
		{"a: \"x\\0y\"", "t:1:5: a text holds a NUL"},
		{"a: \xff", "t:1:4: not UTF-8 text"},
		{"? [a]\n: 1", "t:1:3: a key must be a text"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *made = tree(rows[i].given);
		assert_string_equal(made, rows[i].made);
		free(made);
	}
}

static void documents_before_a_bad_one_are_kept(void **state)
{
	/* of several documents all are read, and when one is bad those before it */
	static const char good[] = "a: 1\n---\n---\nb: 2\n", bad[] = "a: 1\n---\nb: [\n";
	struct arena arena;
	struct yaml_result result;
	struct error err;

	(void)state;
	arena_init(&arena, 1u << 20);
	assert_int_equal(yaml_read(str_of(good), &arena, &result, &err), 0);
	assert_int_equal(result.document_count, 3);
	assert_true(yaml_is_null(result.first->next->root));
	assert_non_null(yaml_child(result.first->next->next->root, "b"));
	assert_int_equal(yaml_read(str_of(bad), &arena, &result, &err), -ERR_CONFIG);
	assert_int_equal(result.document_count, 1);
	assert_non_null(yaml_child(result.first->root, "a"));
	assert_true(result.line >= 3);
	assert_null(strstr(err.text, "3:"));
	arena_done(&arena);
}

static void null_is_a_plain_word(void **state)
{
	/* null, ~ and nothing are null when they are plain, and texts in quotes */
	struct arena arena;
	struct yaml_node *root;

	(void)state;
	arena_init(&arena, 1u << 20);
	assert_int_equal(
		yaml_parse("t", STR_LIT("[null, Null, ~, 'null', '', nil]"), &arena, &root, NULL),
		0);
	const struct yaml_node *one = root->first_child;
	for (int i = 0; i < 6; i++, one = one->next) {
		assert_int_equal(yaml_is_null(one), i < 3);
	}
	arena_done(&arena);
}

static void many_keys_take_linear_time(void **state)
{
	/* 60,000 keys are read, a repeated one among them is found, and more nodes than allowed are refused */
	struct arena arena;
	struct yaml_node *root;
	struct error err;
	struct buf text;

	(void)state;
	arena_init(&arena, 64u << 20);
	buf_init(&text, 0);
	for (int i = 0; i < 60000; i++) {
		buf_putf(&text, "key%06d: 1\n", i);
	}
	assert_int_equal(yaml_parse("t", buf_str(&text), &arena, &root, &err), 0);
	assert_int_equal(root->child_count, 60000);
	buf_put_text(&text, "key000007: 1\n");
	assert_int_equal(yaml_parse("t", buf_str(&text), &arena, &root, &err), -ERR_CONFIG);
	assert_string_equal(err.text, "t:60001:1: the key \"key000007\" stands twice");
	buf_clear(&text);
	for (int i = 0; i < 70000; i++) {
		buf_put_text(&text, "- 1\n");
	}
	assert_int_equal(yaml_parse("t", buf_str(&text), &arena, &root, &err), -ERR_CONFIG);
	assert_string_equal(err.text, "t:65536:3: the file has too many values");
	buf_clear(&text);
	buf_put_fill(&text, '#', (1u << 20) + 1);
	assert_int_equal(yaml_parse("t", buf_str(&text), &arena, &root, &err), -ERR_CONFIG);
	assert_string_equal(err.text, "t:1:1: larger than 1 MiB");
	buf_done(&text);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_as_they_were_meant),
		cmocka_unit_test(bad_texts_have_their_place),
		cmocka_unit_test(documents_before_a_bad_one_are_kept),
		cmocka_unit_test(null_is_a_plain_word),
		cmocka_unit_test(many_keys_take_linear_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
