#include "query/serve.h"

#include "base/io.h"
#include "base/log.h"
#include "base/service.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define GROUP_BYTES 65536

static int find_group(const char *name, gid_t *out_gid, struct error *err)
{
	char text[GROUP_BYTES];
	struct group entry;
	struct group *found = NULL;
	*out_gid = (gid_t)-1;
	if (name[0] == '\0') {
		return 0;
	}
	if (getgrnam_r(name, &entry, text, sizeof(text), &found) != 0 || found == NULL) {
		return error_set(err, ERR_CONFIG, "daemon.readers: there is no group \"%s\"", name);
	}
	*out_gid = entry.gr_gid;
	return 0;
}

static int open_signals(int *out_fd, struct error *err)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
		return error_errno(err, "signals cannot be blocked");
	}
	*out_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *out_fd < 0 ? error_errno(err, "signals cannot be received") : 0;
}

int serve_open(const struct config *config, struct serve *out_serve, struct error *err)
{
	struct serve serve = {.config = config, .listen_fd = -1, .signal_fd = -1};
	char path[4096];
	const char *folder = config_text(config, "", "runtime");
	int result = find_group(config_text(config, "daemon", "readers"), &serve.readers, err);
	if (result == 0) {
		result = io_make_dir(folder, 0755, err);
	}
	if (result == 0) {
		result = open_signals(&serve.signal_fd, err);
	}
	if (result == 0) {
		(void)snprintf(path, sizeof(path), "%s/query.sock", folder);
		/* Whoever may connect is asked who he is; the kernel answers. */
		result = io_unix_listen(path, 0666, &serve.listen_fd, err);
	}
	if (result != 0) {
		serve_close(&serve);
		return result;
	}
	*out_serve = serve;
	return 0;
}

void serve_close(struct serve *serve)
{
	io_close_cleanup(&serve->listen_fd);
	io_close_cleanup(&serve->signal_fd);
}

/* In the child that answers: signals as a program expects them. */
static void reset_signals(void)
{
	sigset_t set;
	(void)sigfillset(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL); /* a peer that goes is an error value */
}

static void take_peer(struct serve *serve)
{
	IO_CLOSE int fd = accept4(serve->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		return;
	}
	pid_t child = fork();
	if (child == 0) {
		reset_signals();
		io_close_cleanup(&serve->listen_fd);
		io_close_cleanup(&serve->signal_fd);
		serve_peer(serve, fd);
		_exit(0);
	}
	if (child < 0) {
		log_write(LOG_LEVEL_WARNING, "serve-fork",
			  "a question could not be taken: no process");
		return;
	}
	serve->peer_count++;
}

/* Takes signals in. Returns false when it is time to go. */
static bool take_signals(struct serve *serve)
{
	struct signalfd_siginfo info;
	bool stay = true;
	while (read(serve->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		stay = stay && info.ssi_signo == SIGCHLD;
	}
	while (serve->peer_count > 0 && waitpid(-1, NULL, WNOHANG) > 0) {
		serve->peer_count--;
	}
	return stay;
}

int serve_run(struct serve *serve, struct error *err)
{
	service_ready();
	for (;;) {
		bool full = serve->peer_count >= SERVE_PEERS_MAX;
		struct pollfd polled[2] = {{.fd = serve->signal_fd, .events = POLLIN},
					   {.fd = full ? -1 : serve->listen_fd, .events = POLLIN}};
		int64_t watchdog = service_watchdog_ns();
		int timeout = watchdog > 0 ? (int)(watchdog / 1000000) : -1;
		if (poll(polled, 2, timeout) < 0 && errno != EINTR) {
			return error_errno(err, "query.sock cannot be watched");
		}
		service_watchdog();
		if (polled[0].revents != 0 && !take_signals(serve)) {
			service_stopping();
			return 0;
		}
		if (polled[1].revents != 0) {
			take_peer(serve);
		}
	}
}
