#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "query/command.h"
#include "tests/golden/story-store.h"

#include <sys/mman.h>

struct asked {
	struct story_store story;
	char dir[64];
	struct surroundings surroundings;
	struct buf out, messages;
};

static int asked_init(void **state)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	assert_non_null(asked);
	(void)unsetenv("QUERYTRAIL_STORE");
	(void)setenv("QUERYTRAIL_CONFIG", "/nonexistent/querytrail.yaml", 1);
	story_store_init(&asked->story, true, false);
	memcpy(asked->dir, "/tmp/qt-cmd-report-XXXXXX", 26);
	assert_non_null(mkdtemp(asked->dir));
	asked->surroundings =
		(struct surroundings){.now_ns = STORY_NOW_NS, .tz = "", .asker = "auditor"};
	buf_init(&asked->out, 0);
	buf_init(&asked->messages, 0);
	*state = asked;
	return 0;
}

static int asked_done(void **state)
{
	struct asked *asked = *state;
	DIR *dir = opendir(asked->dir);
	for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	(void)closedir(dir);
	assert_int_equal(rmdir(asked->dir), 0);
	story_store_done(&asked->story);
	buf_done(&asked->out);
	buf_done(&asked->messages);
	free(asked);
	return 0;
}

static void read_back(int fd, struct buf *out)
{
	char chunk[4096];
	buf_clear(out);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	for (ssize_t got = 1; got > 0;) {
		got = read(fd, chunk, sizeof(chunk));
		buf_put(out, chunk, got > 0 ? (size_t)got : 0);
	}
	buf_put_byte(out, '\0');
}

/* Runs "querytrail report" with words; DIR at the beginning of one is the test's own folder, STORE the store. */
static int ask(struct asked *asked, const char *const *words)
{
	char paths[12][160];
	const char *argv[16] = {"querytrail", "report"};
	int argc = 2;
	for (size_t i = 0; words[i] != NULL; i++) {
		argv[argc] = words[i];
		if (strncmp(words[i], "DIR", 3) == 0) {
			(void)snprintf(paths[i], sizeof(paths[i]), "%s%s", asked->dir,
				       words[i] + 3);
			argv[argc] = paths[i];
		} else if (strcmp(words[i], "STORE") == 0) {
			argv[argc++] = "--store";
			argv[argc] = asked->story.dir;
		}
		argc++;
	}
	IO_CLOSE int out = memfd_create("out", MFD_CLOEXEC);
	IO_CLOSE int messages = memfd_create("messages", MFD_CLOEXEC);
	asked->surroundings.out_fd = out;
	asked->surroundings.err_fd = messages;
	int status = command_main(argc, (char *const *)argv, &asked->surroundings);
	read_back(out, &asked->out);
	read_back(messages, &asked->messages);
	return status;
}

#define ASK(asked, ...) ask(asked, (const char *const[]){__VA_ARGS__, NULL})

static bool has(const struct asked *asked, const char *name)
{
	char path[160];
	(void)snprintf(path, sizeof(path), "%s/%s", asked->dir, name);
	return access(path, F_OK) == 0;
}

static void test_formats(void **state)
{
	/* Proves: the ending of the file names the format unless --format does; a folder gets all formats, or those that are named, each once. */
	struct asked *asked = *state;
	assert_int_equal(ASK(asked, "who-ran-what-by-user", "STORE", "-o", "DIR/a.html"), 0);
	assert_true(has(asked, "a.html"));
	assert_int_equal(ASK(asked, "who-ran-what-by-user", "STORE", "--format", "csv", "--output",
			     "DIR/a.txt"),
			 0);
	assert_true(has(asked, "a.txt"));
	assert_non_null(strstr(asked->messages.ptr, "wrote "));
	assert_int_equal(ASK(asked, "who-ran-what-by-user", "STORE", "--format", "csv", "--format",
			     "md", "--format", "csv", "-o", "DIR"),
			 0);
	assert_true(has(asked, "who-ran-what-by-user.csv") &&
		    has(asked, "who-ran-what-by-user.md"));
	assert_false(has(asked, "who-ran-what-by-user.pdf"));
	assert_int_equal(ASK(asked, "coverage-and-gaps", "STORE", "-o", "DIR/"), 0);
	assert_true(has(asked, "coverage-and-gaps.html") && has(asked, "coverage-and-gaps.pdf") &&
		    has(asked, "coverage-and-gaps.jsonl") &&
		    has(asked, "coverage-and-gaps.sources.csv"));
	assert_int_equal(ASK(asked, "coverage-and-gaps", "STORE", "--json"), 0);
	assert_int_equal(strncmp(asked->out.ptr, "{\"record\":\"head\"", 16), 0);
	assert_int_equal(ASK(asked, "coverage-and-gaps", "STORE", "-o", "-"), 0);
	assert_int_equal(strncmp(asked->out.ptr, "# Coverage", 10), 0);
}

static void test_refused(void **state)
{
	/* Proves: what cannot be is refused before a file is touched, and says how it can. */
	struct asked *asked = *state;
	assert_int_equal(ASK(asked, "pci", "STORE", "-o", "DIR/a"), 2);
	assert_non_null(strstr(asked->messages.ptr, "name it with --format"));
	assert_int_equal(ASK(asked, "pci", "STORE", "--format", "csv", "--format", "md"), 2);
	assert_non_null(strstr(asked->messages.ptr, "several formats need -o FOLDER"));
	assert_int_equal(ASK(asked, "pci", "STORE", "-o", "DIR/a.md", "--since", "tomorow"), 2);
	assert_int_equal(ASK(asked, "list", "x"), 2);
	assert_int_equal(ASK(asked, "check", "DIR", "y"), 2);
	assert_int_equal(ASK(asked, "pci", "-o"), 2);
	assert_non_null(strstr(asked->messages.ptr, "-o needs a value"));
	assert_int_equal(ASK(asked, "pci"), 78); /* neither a store nor a configuration */
	assert_false(has(asked, "a") || has(asked, "a.md"));
}

static void test_served(void **state)
{
	/* Proves: behind serve a report is made for the one who asked, under his name, and no folder is read for him. */
	struct asked *asked = *state;
	asked->surroundings.served = asked->story.dir;
	asked->surroundings.asker_uid = 4242;
	assert_int_equal(ASK(asked, "who-ran-what-by-user"), 0);
	assert_non_null(strstr(asked->out.ptr, "auditor (uid 4242)"));
	assert_int_equal(ASK(asked, "check", "/etc"), 4);
	assert_int_equal(ASK(asked, "list"), 4);
	asked->surroundings.served = NULL;
	assert_int_equal(ASK(asked, "list"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_formats, asked_init, asked_done),
		cmocka_unit_test_setup_teardown(test_refused, asked_init, asked_done),
		cmocka_unit_test_setup_teardown(test_served, asked_init, asked_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
