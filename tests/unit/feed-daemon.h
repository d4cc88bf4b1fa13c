/* feed-daemon - one conversation as the daemon at feed.sock, in a child, for tests of those who report to it.
 *
 * Rules:   include it after cmocka.h.
 * Threads: one at a time. */
#ifndef TESTS_UNIT_FEED_DAEMON_H
#define TESTS_UNIT_FEED_DAEMON_H

#include "base/io.h"
#include "model/feed.h"
#include "model/record.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct feed_daemon {
	char folder[32], path[64];
	int listen_fd;
	pid_t child;
};

/* Takes one batch of one LIFECYCLE record whose note is "seen", and answers. Returns the child's exit status. */
static inline int feed_daemon_talk(int listen_fd, enum feed_type answer, int code)
{
	struct buf buffer, scratch;
	struct arena arena;
	struct feed_frame frame;
	struct record record;
	buf_init(&buffer, FEED_FRAME_MAX + 64);
	buf_init(&scratch, FEED_FRAME_MAX + 64);
	arena_init(&arena, 1 << 20);
	struct pollfd polled = {.fd = listen_fd, .events = POLLIN};
	(void)poll(&polled, 1, 10000); /* the socket does not block */
	int fd = accept(listen_fd, NULL, NULL);
	const struct feed_frame welcome = {.type = FEED_WELCOME};
	const struct feed_frame reply = {.type = answer,
					 .sequence = 1,
					 .stored = 1,
					 .code = code,
					 .state = FEED_STATE_OK,
					 .text = STR_LIT("not you")};
	if (fd < 0 || feed_receive(fd, &buffer, &arena, &frame, NULL) != 0 ||
	    frame.type != FEED_HELLO || !str_is(frame.source_type, "person") ||
	    frame.kinds != 1u << RECORD_LIFECYCLE || feed_send(fd, &welcome, &scratch, NULL) != 0 ||
	    feed_receive(fd, &buffer, &arena, &frame, NULL) != 0 || frame.record_count != 1 ||
	    record_decode(frame.records[0], &record, NULL) != 0 ||
	    !str_is(record_text(&record, FIELD_note), "seen") ||
	    feed_send(fd, &reply, &scratch, NULL) != 0) {
		return 1;
	}
	return 0;
}

static inline void feed_daemon_start(struct feed_daemon *daemon, enum feed_type answer, int code)
{
	*daemon = (struct feed_daemon){.folder = "/tmp/querytrail-feed-XXXXXX"};
	assert_non_null(mkdtemp(daemon->folder));
	(void)snprintf(daemon->path, sizeof(daemon->path), "%s/feed.sock", daemon->folder);
	assert_int_equal(io_unix_listen(daemon->path, 0600, &daemon->listen_fd, NULL), 0);
	daemon->child = fork();
	if (daemon->child == 0) {
		_exit(feed_daemon_talk(daemon->listen_fd, answer, code));
	}
}

/* Waits for its end; 0 when it heard what it should. */
static inline int feed_daemon_end(struct feed_daemon *daemon)
{
	int status = 0;
	assert_int_equal(waitpid(daemon->child, &status, 0), daemon->child);
	(void)close(daemon->listen_fd);
	(void)unlink(daemon->path);
	(void)rmdir(daemon->folder);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
