#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "query/report/folder.h"

#include <stdio.h>
#include <stdlib.h>

#define REPORT "title: %s\npurpose: P\nsections: [{name: a, title: A, columns: [time]}]\n"

struct reports {
	char first[64], second[64];
	struct folders folders;
	struct arena arena;
	struct folder_names names;
	struct error err;
};

static void put(const char *dir, const char *name, const char *title)
{
	char path[256];
	char text[256];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(io_make_dir(path, 0700, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/report.yaml", dir, name);
	(void)snprintf(text, sizeof(text), REPORT, title);
	assert_int_equal(io_replace_file(path, str_of(text), 0600, NULL), 0);
}

static int reports_init(void **state)
{
	struct reports *reports = calloc(1, sizeof(*reports));
	assert_non_null(reports);
	memcpy(reports->first, "/tmp/qt-folder-XXXXXX", 22);
	memcpy(reports->second, "/tmp/qt-folder-XXXXXX", 22);
	assert_true(mkdtemp(reports->first) != NULL && mkdtemp(reports->second) != NULL);
	arena_init(&reports->arena, 1u << 20);
	(void)setenv("QUERYTRAIL_REPORTS", reports->second, 1);
	*state = reports;
	return 0;
}

static int reports_done(void **state)
{
	struct reports *reports = *state;
	static const char *const names[] = {"one", "two", "Bad", "none"};
	for (size_t i = 0; i < 8; i++) {
		char path[256];
		const char *dir = i < 4 ? reports->first : reports->second;
		(void)snprintf(path, sizeof(path), "%s/%s/report.yaml", dir, names[i % 4]);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i % 4]);
		(void)rmdir(path);
	}
	assert_int_equal(rmdir(reports->first), 0);
	assert_int_equal(rmdir(reports->second), 0);
	(void)unsetenv("QUERYTRAIL_REPORTS");
	arena_done(&reports->arena);
	free(reports);
	return 0;
}

static void test_order(void **state)
{
	/* Proves: the folder that is named comes before the built-in ones; a name stands once in the list; folders with other names or without a
	 * report are passed over. */
	struct reports *reports = *state;
	struct definition *definition = calloc(1, sizeof(*definition));
	char empty[256];
	assert_non_null(definition);
	put(reports->first, "one", "mine");
	put(reports->second, "one", "theirs");
	put(reports->second, "two", "theirs too");
	put(reports->second, "Bad", "no name");
	(void)snprintf(empty, sizeof(empty), "%s/none", reports->first);
	assert_int_equal(io_make_dir(empty, 0700, NULL), 0);
	assert_int_equal(folders_find(reports->first, &reports->folders, &reports->err), 0);
	assert_int_equal(folders_list(&reports->folders, SIZE_MAX, &reports->arena, &reports->names,
				      &reports->err),
			 0);
	assert_int_equal(reports->names.count, 2);
	assert_string_equal(reports->names.name[0], "one");
	assert_string_equal(reports->names.name[1], "two");
	assert_int_equal(
		folders_list(&reports->folders, 0, &reports->arena, &reports->names, &reports->err),
		0);
	assert_int_equal(reports->names.count, 1);
	assert_int_equal(folders_load(&reports->folders, STR_LIT("one"), definition, &reports->err),
			 0);
	assert_true(str_is(definition->title, "mine"));
	definition_done(definition);
	free(definition);
}

static void test_unknown(void **state)
{
	/* Proves: a name that no folder has is an error with the nearest one; a path is no name; a folder that is not there is told. */
	struct reports *reports = *state;
	struct definition *definition = calloc(1, sizeof(*definition));
	assert_non_null(definition);
	put(reports->second, "two", "T");
	assert_int_equal(folders_find(NULL, &reports->folders, &reports->err), 0);
	assert_int_equal(folders_load(&reports->folders, STR_LIT("tow"), definition, &reports->err),
			 -ERR_USAGE);
	assert_non_null(strstr(reports->err.text, "did you mean \"two\"?"));
	assert_int_equal(
		folders_load(&reports->folders, STR_LIT("../two"), definition, &reports->err),
		-ERR_USAGE);
	assert_int_equal(folders_find("/nonexistent", &reports->folders, &reports->err),
			 -ERR_USAGE);
	free(definition);
}

static void test_unreadable(void **state)
{
	/* Proves: a report that is larger than a definition may be, or that is no text, is an error that names its file. */
	struct reports *reports = *state;
	struct definition *definition = calloc(1, sizeof(*definition));
	struct buf large;
	char path[256];
	assert_non_null(definition);
	put(reports->second, "two", "T");
	(void)snprintf(path, sizeof(path), "%s/two/report.yaml", reports->second);
	buf_init(&large, 0);
	buf_put_fill(&large, 'x', YAML_MAX_BYTES + 1);
	assert_int_equal(folders_find(NULL, &reports->folders, &reports->err), 0);
	assert_int_equal(io_replace_file(path, buf_str(&large), 0600, NULL), 0);
	assert_int_equal(folders_load(&reports->folders, STR_LIT("two"), definition, &reports->err),
			 -ERR_LIMIT);
	assert_non_null(strstr(reports->err.text, "two/report.yaml"));
	assert_int_equal(io_replace_file(path, STR_LIT("title: \xff"), 0600, NULL), 0);
	assert_int_equal(folders_load(&reports->folders, STR_LIT("two"), definition, &reports->err),
			 -ERR_CONFIG);
	assert_non_null(strstr(reports->err.text, "two/report.yaml:1:8: not UTF-8 text"));
	buf_done(&large);
	free(definition);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, reports_init, reports_done),
		cmocka_unit_test_setup_teardown(test_unknown, reports_init, reports_done),
		cmocka_unit_test_setup_teardown(test_unreadable, reports_init, reports_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
