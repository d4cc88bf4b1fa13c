#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

void io_close_cleanup(int *fd)
{
	if (*fd >= 0) {
		(void)close(
			*fd); /* what was written was synced or sent before; nothing is left to report */
	}
}

void io_fclose_cleanup(FILE **file)
{
	if (*file != NULL) {
		(void)fclose(*file); /* as above */
	}
}

int io_write_all(int fd, struct str bytes, struct error *err)
{
	while (bytes.len != 0) {
		ssize_t wrote = write(fd, bytes.ptr, bytes.len);
		if (wrote < 0 && errno == EINTR) {
			continue;
		}
		if (wrote < 0 && (errno == EPIPE || errno == ECONNRESET)) {
			return error_set(err, ERR_GONE, "the other side closed the connection");
		}
		if (wrote < 0) {
			return error_errno(err, "write of %zu bytes", bytes.len);
		}
		bytes = str_slice(bytes, (size_t)wrote, bytes.len);
	}
	return 0;
}

int io_read_exact(int fd, void *out, size_t size, struct error *err)
{
	size_t have = 0;
	while (have < size) {
		ssize_t got = read(fd, (char *)out + have, size - have);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0 && errno == EAGAIN && have == 0) {
			return error_set(err, ERR_AGAIN, "nothing came within the time limit");
		}
		if (got == 0 || (got < 0 && errno == ECONNRESET)) {
			return error_set(err, ERR_GONE,
					 "the connection closed after %zu of %zu bytes", have,
					 size);
		}
		if (got < 0) {
			return error_errno(err, "read of %zu bytes", size - have);
		}
		have += (size_t)got;
	}
	return 0;
}

int io_read_file(const char *path, size_t max_bytes, struct buf *out, struct error *err)
{
	IO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		(void)error_errno(err, "open %s", path); /* the code is always IO here */
		return -ERR_IO;
	}
	size_t start = out->len;
	for (;;) {
		char chunk[16384];
		ssize_t got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return error_errno(err, "read %s", path);
		}
		if (got == 0) {
			return 0;
		}
		if ((size_t)got > max_bytes - (out->len - start)) {
			return error_set(err, ERR_LIMIT, "%s has more than %zu bytes", path,
					 max_bytes);
		}
		buf_put(out, chunk, (size_t)got);
		if (out->failed) {
			return buf_check(out, path, err);
		}
	}
}

/* Makes a rename or a new file last: syncs the folder that holds path. */
static int sync_folder(const char *path, struct error *err)
{
	struct buf folder;
	buf_init(&folder, 4096);
	const char *slash = strrchr(path, '/');
	buf_put(&folder, slash != NULL ? path : ".",
		slash != NULL ? (size_t)(slash - path) + 1 : 1);
	int result = buf_check(&folder, "the path", err);
	if (result == 0) {
		IO_CLOSE int fd = open(folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsync(fd) != 0) {
			result = error_errno(err, "sync the folder %s", folder.ptr);
		}
	}
	buf_done(&folder);
	return result;
}

static int write_synced(const char *path, struct str bytes, unsigned mode, struct error *err)
{
	IO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	if (fd < 0) {
		return error_errno(err, "create %s", path);
	}
	int result = io_write_all(fd, bytes, err);
	if (result != 0) {
		error_prefix(err, "%s", path);
		return result;
	}
	if (fsync(fd) != 0) {
		return error_errno(err, "sync %s", path);
	}
	return 0;
}

int io_replace_file(const char *path, struct str bytes, unsigned mode, struct error *err)
{
	struct buf temporary;
	buf_init(&temporary, 4096);
	buf_putf(&temporary, "%s.%ld.tmp", path, (long)getpid());
	int result = buf_check(&temporary, "the path", err);
	if (result == 0) {
		result = write_synced(temporary.ptr, bytes, mode, err);
		if (result == 0 && rename(temporary.ptr, path) != 0) {
			result = error_errno(err, "rename %s to %s", temporary.ptr, path);
		}
		if (result != 0) {
			(void)unlink(temporary.ptr); /* the failure before is the one to tell */
		}
	}
	if (result == 0) {
		result = sync_folder(path, err);
	}
	buf_done(&temporary);
	return result;
}

int io_make_dir(const char *path, unsigned mode, struct error *err)
{
	struct buf copy;
	buf_init(&copy, 4096);
	buf_put_text(&copy, path);
	int result = buf_check(&copy, "the path", err);
	for (size_t i = 1; result == 0 && i <= copy.len; i++) {
		if (copy.ptr[i] != '/' && copy.ptr[i] != '\0') {
			continue;
		}
		char kept = copy.ptr[i];
		copy.ptr[i] = '\0';
		if (mkdir(copy.ptr, (mode_t)mode) != 0 && errno != EEXIST) {
			result = error_errno(err, "make the folder %s", copy.ptr);
		}
		copy.ptr[i] = kept;
	}
	struct stat about;
	if (result == 0 && (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))) {
		result = error_set(err, ERR_IO, "%s is not a folder", path);
	}
	buf_done(&copy);
	return result;
}

static int unix_address(const char *path, struct sockaddr_un *out, struct error *err)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len >= sizeof(out->sun_path)) {
		return error_set(err, ERR_CONFIG,
				 "the socket path %s has %zu bytes; the system takes %zu", path,
				 len, sizeof(out->sun_path) - 1);
	}
	memcpy(out->sun_path, path, len + 1);
	return 0;
}

int io_unix_connect(const char *path, int *out_fd, struct error *err)
{
	struct sockaddr_un address;
	int result = unix_address(path, &address, err);
	if (result != 0) {
		return result;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return error_errno(err, "make a socket");
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		result = error_errno(err, "connect to %s", path);
		(void)close(fd); /* nothing was sent */
		return result;
	}
	*out_fd = fd;
	return 0;
}

int io_unix_listen(const char *path, unsigned mode, int *out_fd, struct error *err)
{
	struct sockaddr_un address;
	int result = unix_address(path, &address, err);
	if (result != 0) {
		return result;
	}
	int other = -1;
	if (io_unix_connect(path, &other, NULL) == 0) {
		(void)close(other); /* it only asked whether somebody listens */
		return error_set(err, ERR_IO, "another process listens at %s", path);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return error_errno(err, "make a socket");
	}
	(void)unlink(path); /* a stale file; when it can't be removed, bind says so */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(path, (mode_t)mode) != 0 || listen(fd, SOMAXCONN) != 0) {
		result = error_errno(err, "listen at %s", path);
		(void)close(fd); /* nothing was accepted */
		return result;
	}
	*out_fd = fd;
	return 0;
}
