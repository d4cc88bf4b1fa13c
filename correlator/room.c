#include "correlator/room.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int no_room(const char *dir, uint64_t need, uint64_t left, struct error *err)
{
	return error_set(err, ERR_AGAIN,
			 "disk full: %s has room for %llu bytes, and %llu are needed", dir,
			 (unsigned long long)left, (unsigned long long)need);
}

/* Takes the room for a moment: a quota shows itself in no other way. */
static int try_room(const char *dir, uint64_t need, struct error *err)
{
	IO_CLOSE int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 && errno != ENOSPC && errno != EDQUOT) {
		return 0; /* no nameless files here: the commit itself will tell */
	}
	if (fd >= 0 && fallocate(fd, 0, 0, (off_t)need) == 0) {
		return 0;
	}
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	if (!full) {
		return 0;
	}
	return error_set(err, ERR_AGAIN, "disk full: %s has no room for %llu bytes (%s)", dir,
			 (unsigned long long)need,
			 errno == EDQUOT  ? "the quota is used up"
			 : errno == EFBIG ? "the limit of a file's size"
					  : "no space left");
}

int room_look(const char *dir, uint64_t bytes, struct error *err)
{
	struct statvfs fs;
	uint64_t need = 2 * bytes + ROOM_RESERVE;
	if (statvfs(dir, &fs) != 0) {
		return error_errno(err, "the file system of %s can't be asked for its room", dir);
	}
	uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (fs.f_blocks > 0 && left < need) {
		return no_room(dir, need, left, err);
	}
	return try_room(dir, need, err);
}
