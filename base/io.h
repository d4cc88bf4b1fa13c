/* io - files and descriptors: whole reads and writes, files that appear all at once.
 *
 * Errors:  ERR_IO with the path or the system's message; ERR_GONE when a peer closed; ERR_LIMIT when a file is too large.
 * Threads: any. Blocking: all of it, as the descriptor does.
 * Tests:   tests/unit/io.c
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/buf.h"
#include "base/error.h"

#include <stdio.h>
#include <unistd.h>

/* Cleanup attributes: int fd IO_CLOSE = -1; FILE *f IO_FCLOSE = NULL; */
void io_close_cleanup(int *fd);
void io_fclose_cleanup(FILE **file);
#define IO_CLOSE  __attribute__((cleanup(io_close_cleanup)))
#define IO_FCLOSE __attribute__((cleanup(io_fclose_cleanup)))

/* Writes all bytes, restarting after signals and short writes. Returns 0, ERR_GONE (EPIPE, ECONNRESET) or ERR_IO. */
int io_write_all(int fd, struct str bytes, struct error *err);

/* Reads exactly size bytes into out. Returns 0, ERR_GONE when the stream ends before (err says how many came), ERR_AGAIN
 * when a receive timeout set on the socket passed with nothing read, or ERR_IO. */
int io_read_exact(int fd, void *out, size_t size, struct error *err);

/* Appends the whole file to out. Returns 0, ERR_IO, or ERR_LIMIT when it has more than max_bytes. */
int io_read_file(const char *path, size_t max_bytes, struct buf *out, struct error *err);

/* Writes the file so that it appears whole or not at all: temporary file beside it, fsync, rename, fsync of the folder. On
 * failure the old file stays. */
int io_replace_file(const char *path, struct str bytes, unsigned mode, struct error *err);

/* Makes the folder and its parents (mode for new ones). An existing folder is fine. */
int io_make_dir(const char *path, unsigned mode, struct error *err);

/* Connects to, or listens at, an AF_UNIX stream socket; a path longer than the system's limit is ERR_CONFIG. A stale socket
 * file is replaced, a live one is ERR_IO. *out_fd is owned by the caller, close-on-exec. */
int io_unix_connect(const char *path, int *out_fd, struct error *err);
int io_unix_listen(const char *path, unsigned mode, int *out_fd, struct error *err);

#endif
