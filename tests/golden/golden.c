/* Proves: what each command prints, on stdout and stderr, and its exit status, at 80 and 200 columns and piped, stays as the files
 * beside this one say. golden --update writes them anew; look at the difference before committing it. */
#include "base/io.h"
#include "query/command.h"
#include "tests/golden/story-alerts.h"

#include <fcntl.h>
#include <sys/mman.h>

#define WORDS_MAX 12

static const struct golden_case {
	const char *name;
	size_t width; /* 0: piped */
	bool color;
	bool complete;
	const char *words[WORDS_MAX]; /* STORE stands for --store and the folder */
} cases[] = {
#define CASE(name, width, color, complete, ...) {name, width, color, complete, {__VA_ARGS__}},
#include "tests/golden/cases.def"
#undef CASE
};

static void read_back(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t count;
	assert(lseek(fd, 0, SEEK_SET) == 0);
	while ((count = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_put(out, chunk, (size_t)count);
	}
}

/* Replaces the folder of the store, and sizes that depend on the SQLite version. */
static void put_masked(struct buf *out, struct str text, const char *dir)
{
	size_t pos = 0;
	for (;;) {
		ptrdiff_t at = str_find(text, str_of(dir), pos);
		size_t end = at < 0 ? text.len : (size_t)at;
		buf_put_str(out, str_slice(text, pos, end - pos));
		if (at < 0) {
			return;
		}
		buf_put_text(out, "STORE");
		pos = end + strlen(dir);
	}
}

/* The numbers behind all names that end so. */
static void mask_json(struct buf *out, struct str line)
{
	size_t pos = 0;
	for (;;) {
		ptrdiff_t at = str_find(line, STR_LIT("_bytes\":"), pos);
		size_t end = at < 0 ? line.len : (size_t)at + 8;
		buf_put_str(out, str_slice(line, pos, end - pos));
		if (at < 0) {
			return;
		}
		buf_put_byte(out, 'N');
		for (pos = end; pos < line.len && line.ptr[pos] >= '0' && line.ptr[pos] <= '9';) {
			pos++;
		}
	}
}

static void mask_bytes(struct buf *text)
{
	struct buf out;
	buf_init(&out, 0);
	struct str rest = buf_str(text);
	while (rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		ptrdiff_t at = str_find(line, STR_LIT(" bytes"), 0);
		bool json = str_find(line, STR_LIT("_bytes\":"), 0) >= 0;
		size_t begin = at < 0 ? 0 : (size_t)at;
		while (begin > 0 && line.ptr[begin - 1] >= '0' && line.ptr[begin - 1] <= '9') {
			begin--;
		}
		if (json) {
			mask_json(&out, line);
		} else if (at >= 0) {
			buf_put_str(&out, str_slice(line, 0, begin));
			buf_put_byte(&out, 'N');
			buf_put_str(&out, str_slice(line, (size_t)at, line.len));
		} else {
			buf_put_str(&out, line);
		}
		if (rest.ptr != NULL) {
			buf_put_byte(&out, '\n');
		}
	}
	buf_clear(text);
	buf_put_str(text, buf_str(&out));
	buf_done(&out);
}

static void run_case(const struct golden_case *test, const char *dir, struct buf *out)
{
	const char *argv[WORDS_MAX + 3] = {"querytrail"};
	int argc = 1;
	buf_put_text(out, "$ querytrail");
	for (size_t i = 0; i < WORDS_MAX && test->words[i] != NULL; i++) {
		if (strcmp(test->words[i], "STORE") == 0) {
			argv[argc++] = "--store";
			argv[argc++] = dir;
			continue;
		}
		argv[argc++] = test->words[i];
		buf_putf(out, strchr(test->words[i], ' ') != NULL ? " '%s'" : " %s",
			 test->words[i]);
	}
	IO_CLOSE int out_fd = memfd_create("out", MFD_CLOEXEC);
	IO_CLOSE int err_fd = memfd_create("err", MFD_CLOEXEC);
	assert(out_fd >= 0 && err_fd >= 0);
	struct surroundings surroundings = {
		.out_fd = out_fd,
		.err_fd = err_fd,
		.out_is_terminal = test->width > 0,
		.err_is_terminal = test->width > 0,
		.color = test->color,
		.width = test->width,
		.now_ns = STORY_NOW_NS,
		.tz = "",
		.asker = "auditor", /* who runs the tests does not show */
		.asker_uid = 1000,
	};
	int status = command_main(argc, (char *const *)argv, &surroundings);
	struct buf text;
	buf_init(&text, 0);
	read_back(out_fd, &text);
	buf_put_text(&text, "--- messages\n");
	read_back(err_fd, &text);
	mask_bytes(&text);
	buf_put_byte(out, '\n');
	put_masked(out, buf_str(&text), dir);
	buf_putf(out, "--- exit %d\n", status);
	buf_done(&text);
}

static bool check_case(const struct golden_case *test, const char *dir, const char *folder,
		       bool update)
{
	char path[4096];
	struct buf got;
	struct buf want;
	bool good = true;
	buf_init(&got, 0);
	buf_init(&want, 0);
	run_case(test, dir, &got);
	(void)snprintf(path, sizeof(path), "%s/%s.txt", folder, test->name);
	if (update) {
		good = io_replace_file(path, buf_str(&got), 0644, NULL) == 0;
	} else {
		good = io_read_file(path, 1u << 24, &want, NULL) == 0 &&
		       str_equal(buf_str(&got), buf_str(&want));
	}
	if (!good) {
		(void)printf("not as in %s:\n%.*s", path, STR_ARG(buf_str(&got)));
	}
	buf_done(&got);
	buf_done(&want);
	return good;
}

int main(int argc, char **argv)
{
	struct story_store whole;
	struct story_store broken;
	struct story_store alerted;
	size_t failed = 0;
	size_t count = sizeof(cases) / sizeof(cases[0]);
	assert(argc >= 2);
	bool update = argc > 2 && strcmp(argv[2], "--update") == 0;
	assert(chdir(argv[1]) == 0); /* cases name files of this folder */
	(void)unsetenv("QUERYTRAIL_STORE");
	(void)setenv("QUERYTRAIL_CONFIG", "/nonexistent/querytrail.yaml", 1);
	story_store_init(&whole, true, false);
	story_store_init(&broken, false, false);
	story_alerts_init(&alerted);
	for (size_t i = 0; i < count; i++) {
		bool on_alerts = strncmp(cases[i].name, "alerts-", 7) == 0;
		const struct story_store *story = on_alerts           ? &alerted
						  : cases[i].complete ? &whole
								      : &broken;
		failed += check_case(&cases[i], story->dir, ".", update) ? 0 : 1;
	}
	story_store_done(&whole);
	story_store_done(&broken);
	story_store_done(&alerted);
	(void)printf("%zu passed, %zu failed\n", count - failed, failed);
	return failed == 0 ? 0 : 1;
}
