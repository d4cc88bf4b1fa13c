#include "store/lock.h"

#include "base/io.h"
#include "base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

/* The process id that the holder wrote, or 0 when it can't be told. */
static uint64_t read_holder(int fd)
{
	char text[32];
	ssize_t len = pread(fd, text, sizeof text, 0);
	uint64_t pid = 0;
	if (len > 0 && !parse_u64(str_trim(str_make(text, (size_t)len)), &pid)) {
		pid = 0;
	}
	return pid;
}

static int write_holder(int fd, const char *path, struct error *err)
{
	char text[32];
	int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (len < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
		return error_errno(err, "%s can't be written", path);
	}
	return 0;
}

int lock_take(const char *dir, bool group_readable, int *out_fd, struct error *err)
{
	char path[4096];
	int len = snprintf(path, sizeof path, "%s/lock", dir);
	if (len < 0 || (size_t)len >= sizeof path) {
		return error_set(err, ERR_CONFIG, "the store's path is too long: %s", dir);
	}
	IO_CLOSE int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, group_readable ? 0640 : 0600);
	if (fd < 0) {
		return error_errno(err, "%s can't be opened", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK) {
			return error_errno(err, "%s can't be locked", path);
		}
		return error_set(
			err, ERR_CONFIG,
			"the store %s is already open for writing by process %llu: only one daemon "
			"may write to it",
			dir, (unsigned long long)read_holder(fd));
	}
	int rc = write_holder(fd, path, err);
	if (rc < 0) {
		return rc;
	}
	*out_fd = fd;
	fd = -1;
	return 0;
}
