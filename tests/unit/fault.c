#undef _FILE_OFFSET_BITS /* both names of a function are defined here */
#undef _FORTIFY_SOURCE
#include "tests/unit/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The one place where the functions below can find it. */
static struct {
	unsigned nth, calls;
	int error;
	bool armed, sticky, fired;
} fault;

void fault_arm(unsigned nth, int error, bool sticky)
{
	fault.nth = nth;
	fault.calls = 0;
	fault.error = error;
	fault.sticky = sticky;
	fault.fired = false;
	fault.armed = true;
}

unsigned fault_disarm(bool *out_fired)
{
	fault.armed = false;
	*out_fired = fault.fired;
	return fault.calls;
}

/* Whether this call is the one. Standard output and error are spared. */
static bool fails(int fd)
{
	if (!fault.armed || fd == 1 || fd == 2) {
		return false;
	}
	fault.calls++;
	if (fault.calls == fault.nth || (fault.sticky && fault.calls > fault.nth)) {
		fault.fired = true;
		errno = fault.error;
		return true;
	}
	return false;
}

/* libc's own function of a name. */
#define REAL(type, name)                               \
	static type *real;                             \
	if (real == NULL) {                            \
		real = (type *)dlsym(RTLD_NEXT, name); \
	}

typedef ssize_t write_fn(int, const void *, size_t);
typedef ssize_t pwrite_fn(int, const void *, size_t, off_t);
typedef ssize_t writev_fn(int, const struct iovec *, int);
typedef ssize_t pwritev_fn(int, const struct iovec *, int, off_t);
typedef int fd_fn(int);
typedef int truncate_fn(int, off_t);
typedef int allocate_fn(int, off_t, off_t);
typedef int rename_fn(const char *, const char *);
typedef int renameat_fn(int, const char *, int, const char *);
typedef int mkdir_fn(const char *, mode_t);

ssize_t write(int fd, const void *bytes, size_t size)
{
	REAL(write_fn, "write")
	return fails(fd) ? -1 : real(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	REAL(pwrite_fn, "pwrite")
	return fails(fd) ? -1 : real(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	REAL(pwrite_fn, "pwrite64")
	return fails(fd) ? -1 : real(fd, bytes, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(writev_fn, "writev")
	return fails(fd) ? -1 : real(fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	REAL(pwritev_fn, "pwritev")
	return fails(fd) ? -1 : real(fd, parts, count, offset);
}

int fsync(int fd)
{
	REAL(fd_fn, "fsync")
	return fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(fd_fn, "fdatasync")
	return fails(fd) ? -1 : real(fd);
}

int ftruncate(int fd, off_t size)
{
	REAL(truncate_fn, "ftruncate")
	return fails(fd) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off_t size)
{
	REAL(truncate_fn, "ftruncate64")
	return fails(fd) ? -1 : real(fd, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
	REAL(allocate_fn, "posix_fallocate")
	return fails(fd) ? fault.error : real(fd, offset, size);
}

int rename(const char *from, const char *to)
{
	REAL(rename_fn, "rename")
	return fails(-1) ? -1 : real(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	REAL(renameat_fn, "renameat")
	return fails(-1) ? -1 : real(from_dir, from, to_dir, to);
}

int mkdir(const char *path, mode_t mode)
{
	REAL(mkdir_fn, "mkdir")
	return fails(-1) ? -1 : real(path, mode);
}
