#include "store/segments.h"

#include "base/io.h"
#include "base/parse.h"
#include "store/checksum.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define SUFFIX  ".qth"
#define VERSION 1

/* Linux 6.14, include/uapi/linux/fs.h; older kernels refuse it */
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x00000080
#endif

void segment_name(uint32_t number, char out[SEGMENT_NAME_BYTES])
{
	(void)snprintf(out, SEGMENT_NAME_BYTES, SEGMENT_FOLDER "/%06u" SUFFIX, number); /* fits */
}

uint32_t segment_number(const char *file_name)
{
	struct str name = str_of(file_name);
	uint64_t number = 0;
	char expected[SEGMENT_NAME_BYTES];
	if (name.len <= sizeof SUFFIX - 1 ||
	    !parse_u64(str_make(name.ptr, name.len - (sizeof SUFFIX - 1)), &number) ||
	    number > UINT32_MAX) {
		return 0;
	}
	segment_name((uint32_t)number, expected);
	return str_is(name, expected + sizeof SEGMENT_FOLDER) ? (uint32_t)number : 0;
}

void segment_header(uint32_t number, uint8_t out[SEGMENT_HEADER_BYTES])
{
	uint32_t parts[3] = {htole32(VERSION), htole32(number), 0};
	memcpy(out, "QTrlHead", 8);
	memcpy(out + 8, parts, sizeof parts);
	uint32_t crc = htole32(checksum_crc32c(str_make((const char *)out, 20)));
	memcpy(out + 20, &crc, sizeof crc);
}

void segments_init(struct segments *segments, const char *dir)
{
	*segments = (struct segments){.dir = dir};
}

void segments_done(struct segments *segments)
{
	for (size_t i = 0; i < SEGMENT_OPEN_MAX; i++) {
		if (segments->open[i].number != 0) {
			(void)close(segments->open[i].fd); /* only read */
			segments->open[i].number = 0;
		}
	}
}

int segments_blame(const struct segments *segments, uint32_t number, struct error *err, int rc)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(number, name);
	error_prefix(err, "%s/%s", segments->dir, name); /* rc says the same */
	return rc;
}

/* Reads span->len bytes unless the file ends before; returns how many there were, or -1. */
static ssize_t read_at(int fd, const struct segment_span *span, char *out)
{
	size_t done = 0;
	int flags = span->once ? RWF_DONTCACHE : 0;
	while (done < span->len) {
		struct iovec rest = {.iov_base = out + done, .iov_len = span->len - done};
		ssize_t got = preadv2(fd, &rest, 1, (off_t)(span->offset + done), flags);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0 && flags != 0 && errno == EOPNOTSUPP) {
			flags = 0;
			continue;
		}
		if (got < 0) {
			return -1;
		}
		if (got == 0) {
			break;
		}
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Whether an open file is the segment of that number. */
static int check_header(int fd, uint32_t number, struct error *err)
{
	uint8_t expected[SEGMENT_HEADER_BYTES];
	char found[SEGMENT_HEADER_BYTES];
	const struct segment_span span = {.number = number, .len = sizeof found};
	struct stat st;
	segment_header(number, expected);
	if (fstat(fd, &st) != 0) {
		return error_errno(err, "it can't be looked at");
	}
	if (!S_ISREG(st.st_mode)) {
		return error_set(err, ERR_CORRUPT, "it is not a file");
	}
	ssize_t got = read_at(fd, &span, found);
	if (got < 0) {
		return error_errno(err, "it can't be read");
	}
	if (got != sizeof found || memcmp(found, expected, sizeof found) != 0) {
		return error_set(err, ERR_CORRUPT,
				 "it is damaged: it does not begin as this segment does");
	}
	return 0;
}

static int open_segment(const struct segments *segments, uint32_t number, int *out_fd,
			struct error *err)
{
	char name[SEGMENT_NAME_BYTES];
	char path[4096];
	segment_name(number, name);
	int len = snprintf(path, sizeof path, "%s/%s", segments->dir, name);
	if (len < 0 || (size_t)len >= sizeof path) {
		return error_set(err, ERR_IO, "the path is too long");
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us */
	if (fd < 0) {
		return errno == ENOENT
			       ? error_set(err, ERR_CORRUPT,
					   "it is missing, but the catalog has records there")
			       : error_errno(err, "it can't be opened");
	}
	int rc = check_header(fd, number, err);
	if (rc < 0) {
		(void)close(fd); /* only read */
		return rc;
	}
	*out_fd = fd;
	return 0;
}

/* The descriptor of a segment; the one that was not used for longest makes room. */
static int descriptor(struct segments *segments, uint32_t number, int *out_fd, struct error *err)
{
	size_t oldest = 0;
	segments->uses++;
	for (size_t i = 0; i < SEGMENT_OPEN_MAX; i++) {
		if (segments->open[i].number == number) {
			segments->open[i].used = segments->uses;
			*out_fd = segments->open[i].fd;
			return 0;
		}
		oldest = segments->open[i].used < segments->open[oldest].used ? i : oldest;
	}
	int fd = -1;
	int rc = open_segment(segments, number, &fd, err);
	if (rc < 0) {
		return rc;
	}
	if (segments->open[oldest].number != 0) {
		(void)close(segments->open[oldest].fd); /* only read */
	}
	segments->open[oldest].number = number;
	segments->open[oldest].fd = fd;
	segments->open[oldest].used = segments->uses;
	*out_fd = fd;
	return 0;
}

int segments_read(struct segments *segments, const struct segment_span *span, char *out,
		  struct error *err)
{
	int fd = -1;
	assert(span->number != 0);
	int rc = descriptor(segments, span->number, &fd, err);
	if (rc == 0) {
		ssize_t got = read_at(fd, span, out);
		if (got < 0) {
			rc = error_errno(err, "reading failed at byte %llu",
					 (unsigned long long)span->offset);
		} else if ((size_t)got != span->len) {
			rc = error_set(err, ERR_CORRUPT,
				       "it is too short: it ends at byte %llu, before byte %llu",
				       (unsigned long long)span->offset + (unsigned long long)got,
				       (unsigned long long)(span->offset + span->len));
		}
	}
	return rc < 0 ? segments_blame(segments, span->number, err, rc) : 0;
}

int segments_read_buf(struct segments *segments, const struct segment_span *span, struct buf *out,
		      struct error *err)
{
	buf_clear(out);
	if (buf_reserve(out, span->len + 1) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for %zu bytes of the head", span->len);
	}
	int rc = segments_read(segments, span, out->ptr, err);
	if (rc == 0) {
		out->len = span->len;
		out->ptr[out->len] = 0;
	}
	return rc;
}
