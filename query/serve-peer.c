#include "query/serve.h"

#include "base/clock.h"
#include "base/io.h"
#include "query/access-report.h"
#include "query/command.h"
#include "query/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#define ASK_TIMEOUT_S  10
#define CLOCK_TRUST_NS (24 * NS_PER_HOUR)
#define PASSWD_BYTES   65536
#define CHUNK_BYTES    65536

struct peer {
	int fd;
	struct ucred who;
	char name[256];
};

bool serve_allows(uid_t uid, gid_t gid, gid_t readers)
{
	if (uid == 0 || uid == getuid() || (readers != (gid_t)-1 && gid == readers)) {
		return true;
	}
	char text[PASSWD_BYTES];
	struct passwd entry;
	struct passwd *found = NULL;
	if (readers == (gid_t)-1 || getpwuid_r(uid, &entry, text, sizeof(text), &found) != 0 ||
	    found == NULL) {
		return false;
	}
	gid_t groups[256];
	int count = 256;
	if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) < 0) {
		return false; /* more than 256 groups: told to the operator as a refusal */
	}
	for (int i = 0; i < count; i++) {
		if (groups[i] == readers) {
			return true;
		}
	}
	return false;
}

static void read_name(struct peer *peer)
{
	char text[PASSWD_BYTES];
	struct passwd entry;
	struct passwd *found = NULL;
	if (getpwuid_r(peer->who.uid, &entry, text, sizeof(text), &found) == 0 && found != NULL) {
		(void)snprintf(peer->name, sizeof(peer->name), "%s", entry.pw_name);
	} else {
		(void)snprintf(peer->name, sizeof(peer->name), "uid:%u", (unsigned)peer->who.uid);
	}
}

/* Ends the conversation with a message. What the peer does not take, it does not want. */
static void end(const struct peer *peer, int status, const char *text)
{
	struct buf line;
	buf_init(&line, 2 * ERROR_TEXT_MAX);
	if (text != NULL) {
		buf_putf(&line, "querytrail: %s\n", text);
		(void)protocol_send(peer->fd, PROTOCOL_ERR, buf_str(&line), NULL);
	}
	char code = (char)status;
	(void)protocol_send(peer->fd, PROTOCOL_END, str_make(&code, 1), NULL);
	buf_done(&line);
}

static void put_arguments(const struct ask *ask, struct buf *out)
{
	for (int i = 1; i < ask->argc; i++) {
		bool plain = ask->argv[i][0] != '\0' && strpbrk(ask->argv[i], " \t\n'\"\\") == NULL;
		buf_put_text(out, i > 1 ? " " : "");
		if (plain) {
			buf_put_text(out, ask->argv[i]);
			continue;
		}
		buf_put_byte(out, '\'');
		for (const char *at = ask->argv[i]; *at != '\0'; at++) {
			if (*at == '\'') {
				buf_put_text(out, "'\\''");
			} else {
				buf_put_byte(out, (uint8_t)*at);
			}
		}
		buf_put_byte(out, '\'');
	}
}

/* One report at a time: the daemon takes one connection of a source. The lock goes with its descriptor. */
static int report(const struct serve *serve, const struct peer *peer, const struct ask *ask,
		  struct error *err)
{
	char path[4096];
	const char *folder = config_text(serve->config, "", "runtime");
	(void)snprintf(path, sizeof(path), "%s/serve.lock",
		       folder); /* a cut path can't be opened */
	IO_CLOSE int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0 || flock(lock, LOCK_EX) != 0) {
		return error_errno(err, "%s", path);
	}
	struct buf arguments;
	buf_init(&arguments, PROTOCOL_FRAME_MAX * 4);
	put_arguments(ask, &arguments);
	struct access_report access = {
		.user = str_of(peer->name),
		.peer_uid = peer->who.uid,
		.arguments = buf_str(&arguments),
		.now_ns = clock_now_ns(),
	};
	(void)snprintf(path, sizeof(path), "%s/feed.sock", folder);
	int result = access_report_send(path, &access, err);
	buf_done(&arguments);
	return result;
}

/* Bounds what one question may take. The address sanitizer maps terabytes that it never touches, so a build with it has no
 * bound on memory. */
static bool bound_child(void)
{
	struct rlimit cpu = {SERVE_CPU_S, SERVE_CPU_S};
	struct rlimit none = {0, 0};
	bool good = setrlimit(RLIMIT_CPU, &cpu) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
#ifndef SANITIZED_BUILD
	struct rlimit memory = {SERVE_MEMORY_BYTES, SERVE_MEMORY_BYTES};
	good = good && setrlimit(RLIMIT_AS, &memory) == 0;
#endif
	return good;
}

/* The child: the command with its output in the pipes. Never returns. */
static void run_child(const struct serve *serve, const struct peer *peer, struct ask *ask,
		      const int out[2], const int messages[2])
{
	(void)prctl(PR_SET_PDEATHSIG,
		    SIGKILL); /* without it a pipe without reader ends the child */
	if (!bound_child()) {
		_exit(EXIT_ERROR);
	}
	int64_t now = clock_now_ns();
	struct surroundings *surroundings = &ask->surroundings;
	if (surroundings->now_ns < now - CLOCK_TRUST_NS || surroundings->now_ns > now) {
		surroundings->now_ns = now;
	}
	surroundings->out_fd = out[1];
	surroundings->err_fd = messages[1];
	surroundings->served = config_text(serve->config, "", "store");
	surroundings->runtime = config_text(serve->config, "", "runtime");
	surroundings->config = serve->config;
	surroundings->asker = peer->name;
	surroundings->asker_uid = peer->who.uid;
	(void)close(out[0]);
	(void)close(messages[0]);
	_exit(command_main(ask->argc, ask->argv, surroundings));
}

/* Moves what is there from a pipe to the peer. Returns false at the end of the pipe or of the peer. */
static bool pump(const struct peer *peer, int from, enum protocol_type type, bool *peer_gone)
{
	char chunk[CHUNK_BYTES];
	ssize_t count = read(from, chunk, sizeof(chunk));
	if (count < 0 && errno == EINTR) {
		return true;
	}
	if (count <= 0) {
		return false;
	}
	if (protocol_send(peer->fd, type, str_make(chunk, (size_t)count), NULL) != 0) {
		*peer_gone = true;
		return false;
	}
	return true;
}

/* Passes the child's output on until both pipes end or the peer goes. */
static bool pass_on(const struct peer *peer, int out, int messages)
{
	struct pollfd polled[3] = {{.fd = out, .events = POLLIN},
				   {.fd = messages, .events = POLLIN},
				   {.fd = peer->fd, .events = POLLRDHUP}};
	bool peer_gone = false;
	while (!peer_gone && (polled[0].fd >= 0 || polled[1].fd >= 0)) {
		if (poll(polled, 3, -1) < 0 && errno != EINTR) {
			return false;
		}
		if ((polled[2].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
			return false;
		}
		if (polled[0].fd >= 0 && polled[0].revents != 0 &&
		    !pump(peer, out, PROTOCOL_OUT, &peer_gone)) {
			polled[0].fd = -1;
		}
		if (polled[1].fd >= 0 && polled[1].revents != 0 &&
		    !pump(peer, messages, PROTOCOL_ERR, &peer_gone)) {
			polled[1].fd = -1;
		}
	}
	return !peer_gone;
}

static void answer(const struct serve *serve, const struct peer *peer, struct ask *ask)
{
	int out[2];
	int messages[2];
	if (pipe2(out, O_CLOEXEC) != 0) {
		end(peer, EXIT_ERROR, "querytrail-serve has no pipe for the answer");
		return;
	}
	if (pipe2(messages, O_CLOEXEC) != 0) {
		(void)close(out[0]);
		(void)close(out[1]);
		end(peer, EXIT_ERROR, "querytrail-serve has no pipe for the answer");
		return;
	}
	pid_t child = fork();
	if (child == 0) {
		run_child(serve, peer, ask, out, messages);
	}
	(void)close(out[1]);
	(void)close(messages[1]);
	bool whole = child > 0 && pass_on(peer, out[0], messages[0]);
	(void)close(out[0]);
	(void)close(messages[0]);
	if (child < 0) {
		end(peer, EXIT_ERROR, "querytrail-serve cannot start another process");
		return;
	}
	int status = 0;
	if (!whole) {
		(void)kill(child, SIGKILL);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (whole && WIFEXITED(status)) {
		end(peer, WEXITSTATUS(status), NULL);
	} else if (whole) {
		end(peer, EXIT_ERROR,
		    "the answer took more memory or time than one question may; narrow it");
	}
}

static void converse(const struct serve *serve, const struct peer *peer, struct buf *buffer,
		     struct arena *arena)
{
	struct error err;
	enum protocol_type type;
	struct str payload;
	struct ask ask;
	const struct command *command;
	error_clear(&err);
	int result = protocol_receive(peer->fd, buffer, &type, &payload, &err);
	if (result == 0 && type != PROTOCOL_ASK) {
		result = error_set(&err, ERR_INPUT, "a question must come first");
	}
	if (result == 0) {
		result = ask_decode(payload, arena, &ask, &err);
	}
	if (result == 0) {
		result = command_check_served(ask.argc, ask.argv, &command, &err);
	}
	if (result == 0) {
		result = report(serve, peer, &ask, &err);
	}
	if (result != 0) {
		end(peer, error_exit_status(result), err.text);
		return;
	}
	answer(serve, peer, &ask);
}

void serve_peer(const struct serve *serve, int fd)
{
	struct peer peer = {.fd = fd};
	socklen_t size = sizeof(peer.who);
	struct timeval limit = {.tv_sec = ASK_TIMEOUT_S};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer.who, &size) != 0) {
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
			 sizeof(limit)); /* then it waits longer */
	if (!serve_allows(peer.who.uid, peer.who.gid, serve->readers)) {
		end(&peer, error_exit_status(-ERR_AUTH),
		    "you may not ask querytrail-serve: it answers root, its own user and the group "
		    "`daemon.readers` of the configuration");
		return;
	}
	read_name(&peer);
	struct buf buffer;
	struct arena arena;
	buf_init(&buffer, PROTOCOL_FRAME_MAX + 16);
	arena_init(&arena, 8u << 20);
	converse(serve, &peer, &buffer, &arena);
	buf_done(&buffer);
	arena_done(&arena);
}
