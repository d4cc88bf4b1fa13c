#include "query/writer.h"

#include "base/io.h"
#include "base/parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

/* The process id that the last holder wrote into the lock file, or 0. */
static uint64_t read_holder(const char *path)
{
	char text[32];
	uint64_t pid = 0;
	IO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (len <= 0 || !parse_u64(str_trim(str_make(text, (size_t)len)), &pid) ||
	    pid > INT32_MAX) {
		return 0;
	}
	return pid;
}

/* Whether a line tells of a lock on the inode: "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF". Only the inode tells on every
 * file system. */
static bool is_lock(const char *line, ino_t inode, long *out_pid)
{
	unsigned long long number;
	return sscanf(line, "%*d: FLOCK %*s WRITE %ld %*x:%*x:%llu", out_pid, &number) == 2 &&
	       number == inode;
}

static bool file_tells_lock(int folder, const char *name, ino_t inode)
{
	char line[LINE_MAX_BYTES];
	long pid;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	IO_FCLOSE FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	if (file == NULL) {
		if (fd >= 0) {
			(void)close(fd); /* it was only for reading */
		}
		return false;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "lock:", 5) == 0 && is_lock(line + 5, inode, &pid)) {
			return true;
		}
	}
	return false;
}

/* Asks the process itself, through its open files. */
static enum answer ask_process(uint64_t pid, ino_t inode)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%llu/fdinfo", (unsigned long long)pid);
	DIR *folder = opendir(path);
	if (folder == NULL) {
		bool is_gone = kill((pid_t)pid, 0) != 0 && errno == ESRCH;
		return is_gone ? ANSWER_NO : ANSWER_UNKNOWN;
	}
	enum answer answer = ANSWER_NO;
	for (const struct dirent *entry = readdir(folder); entry != NULL && answer == ANSWER_NO;
	     entry = readdir(folder)) {
		if (entry->d_name[0] != '.' &&
		    file_tells_lock(dirfd(folder), entry->d_name, inode)) {
			answer = ANSWER_YES;
		}
	}
	(void)closedir(folder); /* it was only for reading */
	return answer;
}

/* The kernel's list of all locks. It halts every processor for it, which takes some 15 ms. */
static bool ask_list(ino_t inode, long *out_pid)
{
	char line[LINE_MAX_BYTES];
	long pid;
	IO_FCLOSE FILE *locks = fopen("/proc/locks", "re");
	while (locks != NULL && fgets(line, sizeof(line), locks) != NULL) {
		if (is_lock(line, inode, &pid)) {
			*out_pid = pid > 0 ? pid : 0;
			return true;
		}
	}
	return false;
}

bool writer_alive(const char *dir, long *out_pid)
{
	char path[4096];
	struct stat status;
	int len = snprintf(path, sizeof(path), "%s/lock", dir);
	if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &status) != 0) {
		return false;
	}
	uint64_t holder = read_holder(path);
	enum answer answer = holder == 0 ? ANSWER_UNKNOWN : ask_process(holder, status.st_ino);
	if (answer == ANSWER_UNKNOWN) {
		return ask_list(status.st_ino, out_pid);
	}
	if (answer == ANSWER_YES) {
		*out_pid = (long)holder;
	}
	return answer == ANSWER_YES;
}
