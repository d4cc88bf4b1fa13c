#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "tests/golden/story-store.h"
#include "tests/unit/ask.h"

#include <sys/stat.h>

/* Files to import, a store to be, and a program in the place of querytraild. */
struct place {
	char dir[40], store[60], file[60], program[60], seen[60], config[60];
	struct asked asked;
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(io_replace_file(path, str_of(text), mode, NULL), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* script: what querytraild does; "$3" is the configuration that it is given. NULL: there is no such program. */
static void place_init(struct place *place, const char *script)
{
	char text[600];
	memset(place, 0, sizeof(*place));
	(void)snprintf(place->dir, sizeof(place->dir), "/tmp/querytrail-cmdimport-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	(void)snprintf(place->store, sizeof(place->store), "%s/store", place->dir);
	(void)snprintf(place->file, sizeof(place->file), "%s/a.log", place->dir);
	(void)snprintf(place->program, sizeof(place->program), "%s/querytraild", place->dir);
	(void)snprintf(place->seen, sizeof(place->seen), "%s/seen", place->dir);
	(void)snprintf(place->config, sizeof(place->config), "%s/c.yaml", place->dir);
	write_file(place->file, "{}\n", 0600);
	write_file(place->config, "{}\n", 0600);
	if (script != NULL) {
		(void)snprintf(text, sizeof(text), "#!/bin/sh\necho \"$@\" > %s\n%s\n", place->seen,
			       script);
		write_file(place->program, text, 0700);
	}
	assert_int_equal(setenv("QUERYTRAIL_LIBEXEC", place->dir, 1), 0);
}

static void place_done(struct place *place)
{
	asked_done(&place->asked);
	store_folder_remove(place->store);
	store_folder_remove(place->dir);
}

/* Asks for an import of file into the store; extra: one more word, or NULL. */
static void import(struct place *place, const char *file, const char *extra)
{
	const char *words[] = {"import",   "--source",    "api", "--type", "access-log",
			       "--config", place->config, file,  extra,    NULL};
	asked_done(&place->asked);
	ask(&place->asked, place->store, words, STORY_NOW_NS);
}

static bool said(const struct place *place, const char *words)
{
	return asked_said(&place->asked, words);
}

/* Whether the configuration that the program was given is still there. */
static bool is_left_behind(const struct place *place)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	assert_int_equal(io_read_file(place->seen, 1 << 20, &text, NULL), 0);
	buf_put_byte(&text, '\0');
	char *path = strstr(text.ptr, "/tmp/querytrail-import-");
	assert_non_null(path);
	path[strlen("/tmp/querytrail-import-XXXXXX")] = '\0';
	bool left = access(path, F_OK) == 0;
	buf_done(&text);
	return left;
}

static void files_are_checked_first(void **state)
{
	/* a missing file and a folder end it before a store is made or anything is started */
	struct place place;
	(void)state;
	place_init(&place, "exit 0");
	import(&place, "/nonexistent/a.log", NULL);
	assert_int_equal(place.asked.status, EXIT_ERROR);
	assert_true(said(&place, "/nonexistent/a.log"));
	import(&place, place.dir, NULL);
	assert_int_equal(place.asked.status, EXIT_ERROR);
	assert_true(said(&place, "is a folder; name its files"));
	import(&place, place.file, "/nonexistent/b.log");
	assert_int_equal(place.asked.status, EXIT_ERROR);
	assert_true(said(&place, "b.log"));
	assert_int_not_equal(access(place.store, F_OK), 0);
	assert_int_not_equal(access(place.seen, F_OK), 0);
	place_done(&place);
}

static void running_daemon_is_not_disturbed(void **state)
{
	/* a store that a process writes is refused with status 78 and the process's number */
	struct place place;
	struct store *writer = NULL;
	char number[40];
	(void)state;
	place_init(&place, "exit 0");
	assert_int_equal(store_open(place.store, STORE_CREATE, &writer, NULL), 0);
	import(&place, place.file, NULL);
	assert_int_equal(place.asked.status, 78);
	(void)snprintf(number, sizeof(number), "process %ld already writes", (long)getpid());
	assert_true(said(&place, number));
	assert_int_not_equal(access(place.seen, F_OK), 0);
	store_close(writer);
	place_done(&place);
}

static void missing_program_is_named(void **state)
{
	/* without querytraild: its name and an error */
	struct place place;
	(void)state;
	place_init(&place, NULL);
	if (access("/usr/libexec/querytrail/querytraild", X_OK) == 0) {
		place_done(&place);
		skip();
	}
	import(&place, place.file, NULL);
	assert_int_equal(place.asked.status, EXIT_ERROR);
	assert_true(said(&place, "querytraild"));
	place_done(&place);
}

static void failed_daemon_is_told(void **state)
{
	/* its status is told, a bad configuration as 78; what it was given is gone afterwards */
	static const struct {
		const char *script;
		int status;
	} cases[] = {{"exit 78", 78}, {"exit 5", EXIT_ERROR}, {"kill -9 $$", EXIT_ERROR}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place place;
		place_init(&place, cases[i].script);
		import(&place, place.file, NULL);
		assert_int_equal(place.asked.status, cases[i].status);
		assert_true(said(&place, "querytraild ended with status"));
		assert_true(said(&place, "what it committed stays"));
		assert_false(is_left_behind(&place));
		place_done(&place);
	}
}

static void daemon_is_told_what_to_do(void **state)
{
	/* it is started for an import, with a configuration that names store, source, content and the files as absolute paths */
	struct place place;
	struct buf text;
	(void)state;
	place_init(&place, "cat $3 >> ${0%/*}/seen; exit 0");
	buf_init(&text, 1 << 20);
	import(&place, place.file, NULL);
	assert_int_equal(place.asked.status, EXIT_FOUND);
	assert_int_equal(io_read_file(place.seen, 1 << 20, &text, NULL), 0);
	buf_put_byte(&text, '\0');
	assert_non_null(strstr(text.ptr, "--spawn --config /tmp/querytrail-import-"));
	assert_non_null(strstr(text.ptr, "--import-until-done"));
	assert_non_null(strstr(text.ptr, place.store));
	assert_non_null(strstr(text.ptr, place.file));
	assert_non_null(strstr(text.ptr, "access-log"));
	assert_true(said(&place, "api: 1 file, 0 records: 0 new, 0 already there, 0 rejected"));
	assert_true(said(&place, "nothing to take in: these files hold no lines"));
	buf_done(&text);
	place_done(&place);
}

static void summary_is_of_this_import(void **state)
{
	/* what the source has more than before is told, as words or JSON; a second import of the same adds nothing */
	struct story_store story;
	struct place place;
	char script[200];
	(void)state;
	story_store_init(&story, true, false);
	(void)snprintf(script, sizeof(script), "cp -r %s/. ${0%%/*}/store/; exit 0", story.dir);
	place_init(&place, script);
	import(&place, place.file, NULL);
	assert_int_equal(place.asked.status, EXIT_INCOMPLETE); /* the story has a reject */
	assert_true(said(&place, "what did not parse, and why: querytrail coverage --store "));
	assert_false(said(&place, "api: 1 file, 0 records"));
	assert_false(said(&place, " 0 new"));
	assert_true(said(&place, "next: querytrail who --store "));
	import(&place, place.file, NULL);
	assert_int_equal(place.asked.status, EXIT_FOUND);
	assert_true(said(&place, "api: 1 file, 0 records: 0 new"));
	import(&place, place.file, "--json");
	assert_true(said(&place, "{\"source\":\"api\",\"received\":0,\"stored\":0,\"duplicate\":0,"
				 "\"rejected\":0,\"gaps\":0,\"files\":1,\"blocks\":0,"));
	assert_false(said(&place, "nothing"));
	place_done(&place);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_checked_first),
		cmocka_unit_test(running_daemon_is_not_disturbed),
		cmocka_unit_test(missing_program_is_named),
		cmocka_unit_test(failed_daemon_is_told),
		cmocka_unit_test(daemon_is_told_what_to_do),
		cmocka_unit_test(summary_is_of_this_import),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
