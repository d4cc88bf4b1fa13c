#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_DEFAULT_MAX ((size_t)1 << 30)
#define BUF_FIRST_BYTES 256

void buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){.max_bytes = max_bytes != 0 ? max_bytes : BUF_DEFAULT_MAX};
}

void buf_done(struct buf *buf)
{
	free(buf->ptr);
	buf_init(buf, buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->ptr != NULL) {
		buf->ptr[0] = '\0';
	}
}

static int fail(struct buf *buf)
{
	buf->failed = true;
	return -ERR_LIMIT;
}

/* Whether extra bytes and the NUL fit into what is allocated. */
static inline bool has_room(const struct buf *buf, size_t extra)
{
	return !buf->failed && buf->capacity > buf->len && extra < buf->capacity - buf->len;
}

int buf_reserve(struct buf *buf, size_t extra)
{
	if (buf->failed || extra > buf->max_bytes - buf->len) {
		return fail(buf);
	}
	size_t need = buf->len + extra + 1;
	if (need <= buf->capacity) {
		return 0;
	}
	size_t capacity = buf->capacity != 0 ? buf->capacity : BUF_FIRST_BYTES;
	while (capacity < need) {
		capacity *= 2;
	}
	if (capacity > buf->max_bytes + 1) {
		capacity = buf->max_bytes + 1;
	}
	char *ptr = realloc(buf->ptr, capacity);
	if (ptr == NULL) {
		return fail(buf);
	}
	buf->ptr = ptr;
	buf->capacity = capacity;
	return 0;
}

void buf_put(struct buf *buf, const void *bytes, size_t len)
{
	if (!has_room(buf, len) && buf_reserve(buf, len) != 0) {
		return;
	}
	if (len != 0) {
		memcpy(buf->ptr + buf->len, bytes, len);
	}
	buf->len += len;
	buf->ptr[buf->len] = '\0';
}

void buf_put_str(struct buf *buf, struct str s)
{
	buf_put(buf, s.ptr, s.len);
}

void buf_put_text(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void buf_put_byte(struct buf *buf, uint8_t byte)
{
	if (!has_room(buf, 1) && buf_reserve(buf, 1) != 0) {
		return;
	}
	buf->ptr[buf->len++] = (char)byte;
	buf->ptr[buf->len] = '\0';
}

void buf_put_fill(struct buf *buf, uint8_t byte, size_t count)
{
	if (buf_reserve(buf, count) != 0) {
		return;
	}
	memset(buf->ptr + buf->len, byte, count);
	buf->len += count;
	buf->ptr[buf->len] = '\0';
}

void buf_putf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 || buf_reserve(buf, (size_t)len) != 0) {
		buf->failed = true;
	} else {
		(void)vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format,
				again); /* it was measured */
		buf->len += (size_t)len;
	}
	va_end(again);
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	buf_put(buf, digits + at, sizeof(digits) - at);
}

void buf_put_i64(struct buf *buf, int64_t value)
{
	if (value < 0) {
		buf_put_byte(buf, '-');
		buf_put_u64(buf, 0 - (uint64_t)value);
	} else {
		buf_put_u64(buf, (uint64_t)value);
	}
}

void buf_put_hex(struct buf *buf, struct str bytes)
{
	static const char digits[] = "0123456789abcdef";
	if (bytes.len > SIZE_MAX / 2 || buf_reserve(buf, bytes.len * 2) != 0) {
		buf->failed = true;
		return;
	}
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t byte = (uint8_t)bytes.ptr[i];
		buf->ptr[buf->len++] = digits[byte >> 4];
		buf->ptr[buf->len++] = digits[byte & 15];
	}
	buf->ptr[buf->len] = '\0';
}

void buf_truncate(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
	if (buf->ptr != NULL) {
		buf->ptr[len] = '\0';
	}
}

void buf_consume(struct buf *buf, size_t count)
{
	assert(count <= buf->len);
	if (count == 0) {
		return;
	}
	memmove(buf->ptr, buf->ptr + count, buf->len - count + 1);
	buf->len -= count;
}

int buf_check(const struct buf *buf, const char *what, struct error *err)
{
	if (!buf->failed) {
		return 0;
	}
	return error_set(err, ERR_LIMIT, "%s is larger than %zu bytes, or memory is out", what,
			 buf->max_bytes);
}
