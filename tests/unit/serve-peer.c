#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "model/feed.h"
#include "model/options.h"
#include "query/command.h"
#include "query/protocol.h"
#include "query/serve.h"
#include "tests/golden/story-store.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A place where querytrail-serve answers: a store, a folder for sockets, and what the daemon says to the report. */
struct desk {
	struct story_store story;
	struct serve serve;
	struct config *config;
	char folder[40], feed_path[60];
	int feed_fd;
	pid_t daemon;
	struct buf out, err; /* what the peer was shown */
	int status;          /* -1: no END */
	bool order_kept;     /* nothing came behind END */
};

/* The daemon, once: takes an ACCESS record and answers. Returns 0 when its arguments and user id are as they should be. */
static int daemon_talk(int listen_fd, enum feed_type answer, const char *arguments)
{
	struct buf buffer, scratch;
	struct arena arena;
	struct feed_frame frame;
	struct record record;
	buf_init(&buffer, FEED_FRAME_MAX + 64);
	buf_init(&scratch, FEED_FRAME_MAX + 64);
	arena_init(&arena, 1 << 20);
	struct pollfd polled = {.fd = listen_fd, .events = POLLIN};
	(void)poll(&polled, 1, 5000); /* the socket does not block */
	int fd = accept(listen_fd, NULL, NULL);
	const struct feed_frame welcome = {.type = FEED_WELCOME};
	const struct feed_frame reply = {
		.type = answer, .sequence = 1, .stored = 1, .code = ERR_IO, .text = STR_LIT("no")};
	if (fd < 0 || feed_receive(fd, &buffer, &arena, &frame, NULL) != 0 ||
	    feed_send(fd, &welcome, &scratch, NULL) != 0 ||
	    feed_receive(fd, &buffer, &arena, &frame, NULL) != 0 || frame.record_count != 1 ||
	    record_decode(frame.records[0], &record, NULL) != 0) {
		return 1;
	}
	bool good = record.kind == RECORD_ACCESS &&
		    str_is(record_text(&record, FIELD_arguments), arguments) &&
		    record_number(&record, FIELD_peer_uid, -1) == (int64_t)getuid();
	return feed_send(fd, &reply, &scratch, NULL) != 0 || !good ? 1 : 0;
}

/* answer 0: no daemon runs. */
static void desk_init(struct desk *desk, enum feed_type answer, const char *arguments)
{
	char text[300];
	struct error err;
	memset(desk, 0, sizeof(*desk));
	story_store_init(&desk->story, true, false);
	(void)snprintf(desk->folder, sizeof(desk->folder), "/tmp/querytrail-peer-XXXXXX");
	assert_non_null(mkdtemp(desk->folder));
	(void)snprintf(desk->feed_path, sizeof(desk->feed_path), "%s/feed.sock", desk->folder);
	(void)snprintf(text, sizeof(text), "runtime: %s\nstore: %s\n", desk->folder,
		       desk->story.dir);
	const struct config_input input = {"test", str_of(text)};
	assert_int_equal(config_parse(options_schema(), &input, &desk->config, NULL, &err), 0);
	desk->serve = (struct serve){
		.config = desk->config, .listen_fd = -1, .signal_fd = -1, .readers = (gid_t)-1};
	desk->daemon = -1;
	desk->feed_fd = -1;
	if (answer != 0) {
		assert_int_equal(io_unix_listen(desk->feed_path, 0600, &desk->feed_fd, &err), 0);
		desk->daemon = fork();
		if (desk->daemon == 0) {
			_exit(daemon_talk(desk->feed_fd, answer, arguments));
		}
	}
	buf_init(&desk->out, 4 << 20);
	buf_init(&desk->err, 4 << 20);
}

/* Whether the daemon heard what it should; the desk is gone. */
static bool desk_done(struct desk *desk)
{
	char path[60];
	int status = 0;
	if (desk->daemon > 0) {
		assert_int_equal(waitpid(desk->daemon, &status, 0), desk->daemon);
		assert_int_equal(close(desk->feed_fd), 0);
	}
	(void)unlink(desk->feed_path); /* may not be there, nor the lock */
	(void)snprintf(path, sizeof(path), "%s/serve.lock", desk->folder);
	(void)unlink(path);
	assert_int_equal(rmdir(desk->folder), 0);
	config_free(desk->config);
	buf_done(&desk->out);
	buf_done(&desk->err);
	story_store_done(&desk->story);
	return status == 0;
}

/* Reads what the peer is sent until the end. */
static void hear(struct desk *desk, int fd)
{
	struct buf buffer;
	struct error err;
	enum protocol_type type;
	struct str payload;
	buf_init(&buffer, PROTOCOL_FRAME_MAX + 16);
	desk->status = -1;
	desk->order_kept = true;
	while (protocol_receive(fd, &buffer, &type, &payload, &err) == 0) {
		desk->order_kept = desk->order_kept && desk->status == -1;
		if (type == PROTOCOL_END) {
			assert_int_equal(payload.len, 1);
			desk->status = payload.ptr[0];
		} else {
			buf_put_str(type == PROTOCOL_OUT ? &desk->out : &desk->err, payload);
		}
	}
	buf_put_byte(&desk->out, '\0');
	buf_put_byte(&desk->err, '\0');
	buf_done(&buffer);
}

/* Lets serve answer one frame of a peer who then only listens. */
static void converse(struct desk *desk, enum protocol_type type, struct str payload)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(protocol_send(pair[1], type, payload, NULL), 0);
	serve_peer(&desk->serve, pair[0]);
	assert_int_equal(close(pair[0]), 0);
	hear(desk, pair[1]);
	assert_int_equal(close(pair[1]), 0);
}

static void put_question(struct buf *out, const char *const *words, int64_t now_ns)
{
	struct ask ask = {.surroundings = {.now_ns = now_ns, .tz = ""},
			  .argv = (char *const *)(uintptr_t)words};
	while (words[ask.argc] != NULL) {
		ask.argc++;
	}
	buf_init(out, PROTOCOL_FRAME_MAX);
	ask_encode(&ask, out);
}

static void ask_at(struct desk *desk, const char *const *words, int64_t now_ns)
{
	struct buf payload;
	put_question(&payload, words, now_ns);
	converse(desk, PROTOCOL_ASK, buf_str(&payload));
	buf_done(&payload);
}

static void ask_now(struct desk *desk, const char *const *words)
{
	ask_at(desk, words, clock_now_ns());
}

static void answers_what_was_reported(void **state)
{
	/* the daemon hears who asks what, word for word; then rows, messages and the exit status come, in this order */
	static const char *const words[] = {"querytrail", "who",   "user:alice@example.com",
					    "--format",   "jsonl", NULL};
	struct desk desk;
	(void)state;
	desk_init(&desk, FEED_COMMITTED, "who user:alice@example.com --format jsonl");
	ask_now(&desk, words);
	assert_int_equal(desk.status, EXIT_FOUND);
	assert_true(desk.order_kept);
	assert_non_null(strstr(desk.out.ptr, "alice@example.com"));
	assert_null(strstr(desk.out.ptr, "bob@example.com"));
	assert_true(desk_done(&desk));
}

static void status_is_the_commands(void **state)
{
	/* nothing found is 1 here as without serve */
	static const char *const words[] = {"querytrail", "who", "user:nobody", NULL};
	struct desk desk;
	(void)state;
	desk_init(&desk, FEED_COMMITTED, "who user:nobody");
	ask_now(&desk, words);
	assert_int_equal(desk.status, EXIT_NONE);
	assert_true(desk_done(&desk));
}

static void arguments_are_quoted(void **state)
{
	/* spaces, quotes and empty words cannot be mistaken for others in the record */
	static const char *const words[] = {"querytrail", "who", "it's here", "", "a\"b", NULL};
	struct desk desk;
	(void)state;
	desk_init(&desk, FEED_COMMITTED, "who 'it'\\''s here' '' 'a\"b'");
	ask_now(&desk, words);
	assert_true(desk.status != -1);
	assert_true(desk_done(&desk));
}

static void nothing_is_shown_unrecorded(void **state)
{
	/* the daemon refuses, or there is none: no row, a sentence, and no status of success */
	static const char *const words[] = {"querytrail", "who", NULL};
	struct desk desk;
	(void)state;
	desk_init(&desk, FEED_ERROR, "who");
	ask_now(&desk, words);
	assert_string_equal(desk.out.ptr, "");
	assert_int_equal(desk.status, 2);
	assert_non_null(strstr(desk.err.ptr, "querytrail: "));
	assert_true(desk_done(&desk));
	desk_init(&desk, 0, NULL);
	ask_now(&desk, words);
	assert_string_equal(desk.out.ptr, "");
	assert_int_equal(desk.status, 2);
	assert_non_null(strstr(desk.err.ptr, "feed.sock"));
	assert_true(desk_done(&desk));
}

static void only_questions_are_served(void **state)
{
	/* what writes, and what names paths of this machine, is refused with status 4 before anything is recorded */
	static const char *const refused[][6] = {
		{"querytrail", "import", "x", NULL},
		{"querytrail", "demo", NULL},
		{"querytrail", "config", "show", NULL},
		{"querytrail", "who", "--store", "/etc", NULL},
		{"querytrail", "report", "access", "--output", "/tmp/x", NULL},
	};
	struct desk desk;
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		desk_init(&desk, 0, NULL); /* with no daemon a report would end with 2 */
		ask_now(&desk, refused[i]);
		assert_int_equal(desk.status, 4);
		assert_string_equal(desk.out.ptr, "");
		assert_non_null(strstr(desk.err.ptr, "does not run this"));
		assert_true(desk_done(&desk));
	}
}

static void strange_frames_end_it(void **state)
{
	/* another frame first, a question cut short, and one of a wrong line: a sentence and status 2; a peer that says nothing more: the end */
	static const char *const typo[] = {"querytrail", "whoo", NULL};
	struct desk desk;
	struct buf payload;
	(void)state;
	desk_init(&desk, 0, NULL);
	converse(&desk, PROTOCOL_OUT, STR_LIT("x"));
	assert_int_equal(desk.status, 2);
	assert_non_null(strstr(desk.err.ptr, "a question must come first"));
	put_question(&payload, typo, clock_now_ns());
	buf_clear(&desk.err);
	converse(&desk, PROTOCOL_ASK, str_slice(buf_str(&payload), 0, payload.len / 2));
	assert_int_equal(desk.status, 2);
	assert_true(desk.err.len > 20);
	buf_clear(&desk.err);
	converse(&desk, PROTOCOL_ASK, buf_str(&payload));
	assert_int_equal(desk.status, 2);
	assert_non_null(strstr(desk.err.ptr, "whoo"));
	buf_done(&payload);
	assert_true(desk_done(&desk));
}

static void strangers_are_refused(void **state)
{
	/* a user who is neither root, nor us, nor in the group is told so, with status 4, and nothing else is looked at */
	static const char *const words[] = {"querytrail", "who", NULL};
	struct desk desk;
	struct buf payload;
	int pair[2];
	(void)state;
	if (getuid() != 0) {
		skip(); /* only root can be somebody else */
	}
	desk_init(&desk, 0, NULL);
	assert_int_equal(seteuid(65534), 0); /* the kernel notes who made the socket */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(seteuid(0), 0);
	put_question(&payload, words, clock_now_ns());
	assert_int_equal(protocol_send(pair[1], PROTOCOL_ASK, buf_str(&payload), NULL), 0);
	serve_peer(&desk.serve, pair[0]);
	assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
	hear(&desk, pair[1]);
	assert_int_equal(desk.status, 4);
	assert_non_null(strstr(desk.err.ptr, "you may not ask"));
	assert_string_equal(desk.out.ptr, "");
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(close(pair[1]), 0);
	buf_done(&payload);
	assert_true(desk_done(&desk));
}

static void clock_of_the_peer_is_trusted_a_day(void **state)
{
	/* "2h" is counted from the peer's moment when that is of the last day, else from ours: nobody asks in the past or future */
	static const char *const words[] = {"querytrail", "who", "--since",   "2h",
					    "--tz",       "UTC", "--explain", NULL};
	int64_t now_ns = clock_now_ns();
	const struct {
		int64_t peer_ns, counted_ns;
	} cases[] = {{now_ns - 23 * NS_PER_HOUR, now_ns - 23 * NS_PER_HOUR},
		     {now_ns - 25 * NS_PER_HOUR, now_ns},
		     {now_ns + 3 * NS_PER_HOUR, now_ns},
		     {0, now_ns}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct desk desk;
		struct buf wanted;
		desk_init(&desk, FEED_COMMITTED, "who --since 2h --tz UTC --explain");
		ask_at(&desk, words, cases[i].peer_ns);
		buf_init(&wanted, 100);
		clock_put_rfc3339(&wanted, cases[i].counted_ns - 2 * NS_PER_HOUR, 0);
		wanted.ptr[10] = '\0'; /* the day */
		char hour[4] = {wanted.ptr[11], wanted.ptr[12], ':', '\0'};
		const char *time = strstr(desk.err.ptr, "\ntime: ");
		assert_non_null(time);
		assert_non_null(strstr(time, wanted.ptr));
		assert_non_null(strstr(time, hour));
		buf_done(&wanted);
		assert_true(desk_done(&desk));
	}
}

static void peer_may_leave(void **state)
{
	/* one that is gone before its answer holds nothing up: serve_peer returns, and the report was made */
	static const char *const words[] = {"querytrail", "who", NULL};
	struct desk desk;
	struct buf payload;
	int pair[2];
	(void)state;
	desk_init(&desk, FEED_COMMITTED, "who");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	put_question(&payload, words, clock_now_ns());
	assert_int_equal(protocol_send(pair[1], PROTOCOL_ASK, buf_str(&payload), NULL), 0);
	assert_int_equal(close(pair[1]), 0);
	int64_t start_ns = clock_monotonic_ns();
	serve_peer(&desk.serve, pair[0]);
	assert_true(clock_monotonic_ns() - start_ns < 5 * NS_PER_SEC);
	assert_int_equal(close(pair[0]), 0);
	buf_done(&payload);
	assert_true(desk_done(&desk));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_what_was_reported),
		cmocka_unit_test(status_is_the_commands),
		cmocka_unit_test(arguments_are_quoted),
		cmocka_unit_test(nothing_is_shown_unrecorded),
		cmocka_unit_test(only_questions_are_served),
		cmocka_unit_test(strange_frames_end_it),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(clock_of_the_peer_is_trusted_a_day),
		cmocka_unit_test(peer_may_leave),
	};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL); /* as serve does in its children */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
