/* ask - one question to the command, and what it says.
 *
 * Threads: one at a time.
 */
#ifndef TESTS_UNIT_ASK_H
#define TESTS_UNIT_ASK_H

#include "base/buf.h"
#include "query/command.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#define ASK_WORDS_MAX 12

struct asked {
	int status;
	struct buf out, err;
};

static inline void ask_read(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t count;
	buf_init(out, 0);
	off_t begin = lseek(fd, 0, SEEK_SET);
	assert(begin == 0);
	(void)begin; /* asserted */
	while ((count = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_put(out, chunk, (size_t)count);
	}
	(void)close(fd); /* a memfd */
}

/* Asks with words (NULL-terminated) about the store in dir, unless dir is NULL. asked must be done. */
static inline void ask(struct asked *asked, const char *dir, const char *const *words,
		       int64_t now_ns)
{
	const char *argv[ASK_WORDS_MAX + 4] = {"querytrail"};
	int argc = 1;
	for (; *words != NULL && argc < ASK_WORDS_MAX; words++) {
		argv[argc++] = *words;
	}
	if (dir != NULL) {
		argv[argc++] = "--store";
		argv[argc++] = dir;
	}
	struct surroundings surroundings = {.out_fd = memfd_create("out", MFD_CLOEXEC),
					    .err_fd = memfd_create("err", MFD_CLOEXEC),
					    .now_ns = now_ns,
					    .tz = ""};
	assert(surroundings.out_fd >= 0 && surroundings.err_fd >= 0);
	asked->status = command_main(argc, (char *const *)argv, &surroundings);
	ask_read(surroundings.out_fd, &asked->out);
	ask_read(surroundings.err_fd, &asked->err);
}

static inline void asked_done(struct asked *asked)
{
	buf_done(&asked->out);
	buf_done(&asked->err);
}

static inline bool asked_said(const struct asked *asked, const char *words)
{
	return str_find(buf_str(&asked->out), str_of(words), 0) >= 0 ||
	       str_find(buf_str(&asked->err), str_of(words), 0) >= 0;
}

#endif
