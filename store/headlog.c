#include "store/headlog.h"

#include "base/io.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define PATH_BYTES 4096

static void put_path(const char *dir, const char *name, char out[PATH_BYTES])
{
	(void)snprintf(out, PATH_BYTES, "%s/%s", dir,
		       name); /* one that is too long does not exist */
}

static void segment_path(const struct headlog *log, uint32_t number, char out[PATH_BYTES])
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(number, name);
	put_path(log->dir, name, out);
}

/* Makes what was made or removed in a folder durable. */
static int sync_folder(const char *path, struct error *err)
{
	IO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		return error_errno(err, "%s can't be made durable", path);
	}
	return 0;
}

static int make_folder(const struct headlog *log, struct error *err)
{
	char path[PATH_BYTES];
	struct stat st;
	put_path(log->dir, SEGMENT_FOLDER, path);
	bool made = mkdir(path, 0700) == 0;
	if (!made && errno != EEXIST) {
		return error_errno(err, "%s can't be made", path);
	}
	/* a folder that hands its group down makes one that does so too: chmod would take that away */
	if (made && (stat(path, &st) != 0 ||
		     chmod(path, (st.st_mode & S_ISGID) | (log->group ? 0750u : 0700u)) != 0)) {
		return error_errno(err, "%s can't be made", path);
	}
	return sync_folder(log->dir,
			   err); /* also when it is there: who made it may have died before */
}

typedef int segment_fn(void *owner, int folder_fd, uint32_t number, const char *name,
		       struct error *err);

/* Calls back for each segment in DIR/head, in no order. */
static int each_segment(const char *dir, segment_fn *each, void *owner, struct error *err)
{
	char path[PATH_BYTES];
	put_path(dir, SEGMENT_FOLDER, path);
	DIR *folder = opendir(path);
	if (folder == NULL) {
		return errno == ENOENT ? 0 : error_errno(err, "%s can't be read", path);
	}
	int rc = 0;
	for (const struct dirent *entry = readdir(folder); entry != NULL && rc == 0;
	     entry = readdir(folder)) {
		uint32_t number = segment_number(entry->d_name);
		rc = number != 0 ? each(owner, dirfd(folder), number, entry->d_name, err) : 0;
	}
	(void)closedir(folder); /* only read */
	return rc;
}

static int find_beyond(void *owner, int folder_fd, uint32_t number, const char *name,
		       struct error *err)
{
	const struct headlog *log = owner;
	(void)folder_fd;
	if (number > log->number + 1) {
		return error_set(err, ERR_CORRUPT,
				 "%s/" SEGMENT_FOLDER "/%s is newer than the catalog, which ends "
				 "in segment %u: was an older catalog put back?",
				 log->dir, name, log->number);
	}
	return 0;
}

/* Removes the segment that a crash may have left before its first batch was committed. */
static int remove_orphan(const struct headlog *log, struct error *err)
{
	char path[PATH_BYTES];
	segment_path(log, log->number + 1, path);
	if (unlink(path) == 0) {
		put_path(log->dir, SEGMENT_FOLDER, path);
		return sync_folder(path, err);
	}
	return errno == ENOENT ? 0 : error_errno(err, "%s can't be removed", path);
}

/* Opens the last segment and cuts off what was never committed. */
static int open_last(struct headlog *log, struct error *err)
{
	char path[PATH_BYTES];
	struct stat st;
	segment_path(log, log->number, path);
	log->fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (log->fd < 0) {
		return errno == ENOENT
			       ? error_set(err, ERR_CORRUPT,
					   "%s is missing, but the catalog has records there", path)
			       : error_errno(err, "%s can't be opened", path);
	}
	if (fstat(log->fd, &st) != 0) {
		return error_errno(err, "%s can't be looked at", path);
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < log->end) {
		return error_set(
			err, ERR_CORRUPT,
			"%s is too short: the catalog has records up to byte %llu of it, not %llu",
			path, (unsigned long long)log->end, (unsigned long long)st.st_size);
	}
	if ((uint64_t)st.st_size > log->end && ftruncate(log->fd, (off_t)log->end) != 0) {
		return error_errno(err, "%s can't be cut to its committed bytes", path);
	}
	return 0;
}

int headlog_open(struct headlog *log, const char *dir, bool group, const struct headlog_end *end,
		 struct error *err)
{
	*log = (struct headlog){
		.dir = dir, .group = group, .fd = -1, .number = end->number, .end = end->end};
	int rc = make_folder(log, err);
	rc = rc < 0 ? rc : each_segment(dir, find_beyond, log, err);
	rc = rc < 0 || log->number == 0 || log->end == 0 ? rc : open_last(log, err);
	return rc < 0 ? rc : remove_orphan(log, err);
}

void headlog_retire(struct headlog *log)
{
	headlog_close(log);
	log->end = 0;
}

void headlog_close(struct headlog *log)
{
	if (log->fd >= 0) {
		(void)close(log->fd); /* what counts was made durable */
	}
	log->fd = -1;
}

/* Writes all parts at offset, restarting after signals and short writes. */
static int write_parts(int fd, struct iovec *parts, size_t count, uint64_t offset)
{

	while (count > 0) {
		ssize_t done = pwritev(fd, parts, (int)count, (off_t)offset);
		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			return -1;
		}
		offset += (uint64_t)done;
		size_t rest = (size_t)done;
		while (count > 0 && rest >= parts->iov_len) {
			rest -= parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + rest;
			parts->iov_len -= rest;
		}
	}
	return 0;
}

/* Begins the next segment; the one before stays open until this one stands. */
static int next_segment(struct headlog *log, struct error *err)
{
	char path[PATH_BYTES];
	uint8_t header[SEGMENT_HEADER_BYTES];
	mode_t mode = log->group ? 0640 : 0600;
	segment_path(log, log->number + 1, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0) {
		return error_errno(err, "%s can't be made", path);
	}
	segment_header(log->number + 1, header);
	struct iovec part = {.iov_base = header, .iov_len = sizeof header};
	int rc = 0;
	if (fchmod(fd, mode) != 0 || write_parts(fd, &part, 1, 0) != 0) {
		rc = error_errno(err, "%s can't be written", path);
	}
	put_path(log->dir, SEGMENT_FOLDER, path);
	rc = rc < 0 ? rc : sync_folder(path, err);
	if (rc < 0) {
		(void)close(fd); /* nothing of it counts */
		return rc;
	}
	headlog_close(log);
	log->fd = fd;
	log->number++;
	log->end = SEGMENT_HEADER_BYTES;
	return 0;
}

int headlog_write(struct headlog *log, const struct str *parts, size_t part_count,
		  struct headlog_end *out_start, struct error *err)
{
	struct iovec vector[HEADLOG_PARTS];
	char path[PATH_BYTES];
	uint64_t bytes = 0;
	assert(part_count > 0 && part_count <= HEADLOG_PARTS && log->pending == 0);
	for (size_t i = 0; i < part_count; i++) {
		vector[i] =
			(struct iovec){.iov_base = (char *)parts[i].ptr, .iov_len = parts[i].len};
		bytes += parts[i].len;
	}
	if (log->broken) {
		return error_set(err, ERR_IO, "%s: an earlier write was lost; start again",
				 log->dir);
	}
	bool full = log->end > SEGMENT_HEADER_BYTES && log->end + bytes > SEGMENT_BYTES;
	if (log->number == 0 || log->fd < 0 || full) {
		int rc = next_segment(log, err);
		if (rc < 0) {
			return rc;
		}
	}
	segment_path(log, log->number, path);
	log->pending = bytes;
	if (write_parts(log->fd, vector, part_count, log->end) != 0) {
		return error_errno(err, "writing failed in %s", path);
	}
	if (fdatasync(log->fd) != 0) {
		log->broken = true; /* what the kernel could not write it may have forgotten */
		return error_errno(err, "%s can't be made durable", path);
	}
	if (parts[0].len >= HEADLOG_FLOOD_BYTES) {
		(void)posix_fadvise(log->fd, (off_t)log->end, (off_t)parts[0].len,
				    POSIX_FADV_DONTNEED); /* a hint */
	}
	*out_start = (struct headlog_end){.number = log->number, .end = log->end};
	return 0;
}

void headlog_commit(struct headlog *log)
{
	log->end += log->pending;
	log->pending = 0;
}

void headlog_rollback(struct headlog *log)
{
	if (log->pending > 0) {
		log->pending = 0;
		(void)!ftruncate(log->fd, (off_t)log->end); /* what stays is written over */
	}
}

void headlog_abandon(struct headlog *log)
{
	log->broken = log->broken || log->pending > 0;
	log->pending = 0;
}

static int found_one(void *owner, int folder_fd, uint32_t number, const char *name,
		     struct error *err)
{
	(void)folder_fd;
	(void)number;
	(void)name;
	(void)err;
	*(bool *)owner = true;
	return 0;
}

bool headlog_has_segments(const char *dir)
{
	bool found = false;
	struct error err;
	return each_segment(dir, found_one, &found, &err) == 0 && found;
}

static int add_size(void *owner, int folder_fd, uint32_t number, const char *name,
		    struct error *err)
{
	uint64_t *bytes = owner;
	struct stat st;
	(void)number;
	(void)err;
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
		*bytes += (uint64_t)st.st_size;
	}
	return 0;
}

int headlog_size(const char *dir, uint64_t *bytes, struct error *err)
{
	return each_segment(dir, add_size, bytes, err);
}
