#include "base/process.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES_MAX 8192

static bool is_program(const char *path)
{
	struct stat about;
	return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

/* Tries folder/name; folder is cut off again. */
static bool try_folder(struct buf *path, struct str folder, const char *name)
{
	buf_clear(path);
	buf_put_str(path, folder);
	buf_putf(path, "/%s", name);
	return !path->failed && folder.len != 0 && is_program(path->ptr);
}

/* The folder of the running program. */
static void own_folder(struct buf *out)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	while (len > 1 && path[len - 1] != '/') {
		len--;
	}
	buf_put(out, path, len > 1 ? (size_t)len - 1 : 0);
}

static bool find_near(struct buf *path, const char *name)
{
	static const char *const neighbours[] = {
		"",          "/../collector", "/../correlator", "/../correlator/notify",
		"/notify",   "/../query",     "/../tests/sim",  "/../libexec/querytrail",
		"/../../bin"};
	struct buf folder;
	buf_init(&folder, PATH_BYTES_MAX);
	own_folder(&folder);
	size_t len = folder.len;
	bool found = false;
	for (size_t i = 0; !found && i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
		buf_truncate(&folder, len);
		buf_put_text(&folder, neighbours[i]);
		found = try_folder(path, buf_str(&folder), name);
	}
	buf_done(&folder);
	return found;
}

int process_find(const char *name, struct buf *out_path, struct error *err)
{
	struct buf path;
	buf_init(&path, PATH_BYTES_MAX);
	struct str rest = str_of(getenv("QUERYTRAIL_LIBEXEC"));
	bool found = false;
	while (!found && rest.ptr != NULL) {
		found = try_folder(&path, str_split(&rest, ':'), name);
	}
	found = found || find_near(&path, name) ||
		try_folder(&path, STR_LIT("/usr/libexec/querytrail"), name);
	if (found) {
		buf_put_str(out_path, buf_str(&path));
	}
	buf_done(&path);
	return found ? 0
		     : error_set(err, ERR_GONE,
				 "the program %s is not installed: it is neither beside this one "
				 "nor in "
				 "/usr/libexec/querytrail",
				 name);
}

/* In the child: descriptors 0, 1, 2 as asked, nothing else open, signals as a new program expects them. Only calls that are safe
 * after fork. */
static void become(const struct process_start *how, const int fds[3], pid_t parent)
{
	sigset_t none;
	struct sigaction normal = {.sa_handler = SIG_DFL};
	(void)sigemptyset(&none);                    /* can't fail */
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* as above */
	for (int number = 1; number < 32; number++) {
		(void)sigaction(number, &normal, NULL); /* KILL and STOP refuse, rightly */
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* without it the child only lives longer */
	if (getppid() != parent) {
		_exit(127);
	}
	for (int i = 0; i < 3; i++) {
		int copy = fcntl(fds[i], F_DUPFD, 3);
		if (copy < 0) {
			_exit(127);
		}
		if (dup2(copy, i) < 0) {
			_exit(127);
		}
	}
	(void)syscall(SYS_close_range, 3u, ~0u,
		      0u); /* an old kernel leaves them; ours are close-on-exec */
	execv(how->path, (char *const *)(uintptr_t)how->argv);
	_exit(127);
}

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0) {
			(void)close(pair[i]); /* nothing was written yet */
			pair[i] = -1;
		}
	}
}

/* fork, with what the child shall have as 0, 1 and 2. */
static int start_child(const struct process_start *how, const int fds[3], pid_t *out_pid,
		       struct error *err)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0) {
		return error_errno(err, "start %s", how->path);
	}
	if (pid == 0) {
		become(how, fds, parent);
	}
	*out_pid = pid;
	return 0;
}

int process_start(const struct process_start *how, struct process *out_process, struct error *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	int result = 0;
	if (how->pipe_in ? pipe2(in, O_CLOEXEC) != 0
			 : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) {
		result = error_errno(err, "prepare the input of %s", how->path);
	} else if (how->pipe_out && pipe2(out, O_CLOEXEC) != 0) {
		result = error_errno(err, "prepare the output of %s", how->path);
	}
	pid_t pid = -1;
	if (result == 0) {
		int plain_out = how->out_fd >= 0 ? how->out_fd : STDOUT_FILENO;
		int fds[3] = {in[0], how->pipe_out ? out[1] : plain_out,
			      how->err_fd >= 0 ? how->err_fd : STDERR_FILENO};
		result = start_child(how, fds, &pid, err);
	}
	if (result != 0) {
		close_pair(in);
		close_pair(out);
		return result;
	}
	(void)close(in[0]); /* the child's end */
	if (out[1] >= 0) {
		(void)close(out[1]); /* the child's end */
	}
	*out_process = (struct process){.pid = pid, .in_fd = in[1], .out_fd = out[0]};
	return 0;
}

static int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool process_wait(struct process *process, int timeout_ms, int *out_status)
{
	assert(process->pid > 0);
	int64_t deadline = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	int pause_ms = 1;
	for (;;) {
		int wait_status = 0;
		pid_t got = waitpid(process->pid, &wait_status, timeout_ms < 0 ? 0 : WNOHANG);
		if (got == process->pid || (got < 0 && errno == ECHILD)) {
			process->pid = -1;
			if (out_status != NULL) {
				*out_status = got < 0 ? 0 : status_of(wait_status);
			}
			return true;
		}
		if (timeout_ms >= 0 && clock_monotonic_ns() >= deadline) {
			return false;
		}
		if (timeout_ms >= 0) {
			(void)poll(NULL, 0,
				   pause_ms); /* a pause; being woken early only asks sooner */
			pause_ms = pause_ms < 20 ? pause_ms * 2 : 20;
		}
	}
}

int process_stop(struct process *process, int grace_ms)
{
	int status = 0;
	int *const fds[] = {&process->in_fd, &process->out_fd};
	for (size_t i = 0; i < 2; i++) {
		if (*fds[i] >= 0) {
			(void)close(*fds[i]); /* the child sees the end of its input */
			*fds[i] = -1;
		}
	}
	if (process->pid <= 0) {
		return 0;
	}
	(void)kill(process->pid, SIGTERM); /* it may have ended by itself */
	if (!process_wait(process, grace_ms, &status)) {
		(void)kill(process->pid, SIGKILL);        /* as above */
		(void)process_wait(process, -1, &status); /* waits for ever, so it ended */
	}
	return status;
}
