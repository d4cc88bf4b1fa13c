/* buf - text or bytes that grow.
 *
 * Shape:   ptr, len, capacity; ptr[len] is always a NUL that len does not count, once anything was written.
 * Limits:  max_bytes given at buf_init; a write past it fails, changes nothing and sets failed (sticky until buf_clear).
 * Errors:  the buf_put_* calls return nothing: check buf->failed once at the end (a writer with a sticky error).
 * Threads: one buf per thread. Blocking: never.
 * Tests:   tests/unit/buf.c
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

struct buf {
	char *ptr;
	size_t len;
	size_t capacity;
	size_t max_bytes;
	bool failed; /* a write did not fit or memory was out */
};

/* Prepares an empty buf; allocates nothing. max_bytes 0 means no more than 1 GiB. */
void buf_init(struct buf *buf, size_t max_bytes);

/* Frees the memory; the buf may be initialised again. */
void buf_done(struct buf *buf);

/* Empties the buf and its failed flag; keeps the memory. */
void buf_clear(struct buf *buf);

/* What is in the buf; borrowed until the next write, clear or done. */
static inline struct str buf_str(const struct buf *buf)
{
	return (struct str){.ptr = buf->ptr, .len = buf->len};
}

/* Makes room for extra more bytes. Returns 0 or -ERR_LIMIT; then failed is set. */
int buf_reserve(struct buf *buf, size_t extra);

/* Appends bytes; a failed buf ignores it. */
void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_put_str(struct buf *buf, struct str s);
void buf_put_text(struct buf *buf, const char *text);
void buf_put_byte(struct buf *buf, uint8_t byte);
void buf_put_fill(struct buf *buf, uint8_t byte, size_t count);
void buf_putf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Decimal text of a number. */
void buf_put_i64(struct buf *buf, int64_t value);
void buf_put_u64(struct buf *buf, uint64_t value);

/* Lower-case hexadecimal of bytes. */
void buf_put_hex(struct buf *buf, struct str bytes);

/* Cuts the buf back to len bytes; len <= buf->len. */
void buf_truncate(struct buf *buf, size_t len);

/* Removes the first count bytes; count <= buf->len. Costs a move of the rest. */
void buf_consume(struct buf *buf, size_t count);

/* 0 when every write went in, else -ERR_LIMIT with a sentence that names what (a noun: "the reply") and the limit. */
int buf_check(const struct buf *buf, const char *what, struct error *err);

#endif
