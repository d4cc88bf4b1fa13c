#include "collector/sources/file/reader.h"

#include <errno.h>
#include <zlib.h>

void reader_init(struct reader *reader)
{
	*reader = (struct reader){0};
	buf_init(&reader->window, SPLIT_PIECE_MAX + 2 * READER_CHUNK);
	buf_init(&reader->kept, READER_TOO_LONG);
}

void reader_close(struct reader *reader)
{
	if (reader->gz != NULL) {
		(void)gzclose_r(reader->gz); /* nothing was written */
		reader->gz = NULL;
	}
	buf_clear(&reader->window);
	reader->pos = 0;
	reader->window_start = 0;
	reader->eof = false;
	reader->problem = NULL;
	reader->told = false;
}

void reader_done(struct reader *reader)
{
	reader_close(reader);
	buf_done(&reader->window);
	buf_done(&reader->kept);
}

static struct str window_left(const struct reader *reader)
{
	return str_slice(buf_str(&reader->window), reader->pos, reader->window.len);
}

int64_t reader_offset(const struct reader *reader)
{
	return reader->window_start + (int64_t)reader->pos;
}

/* Reads one more chunk into the window; sets eof at the end, damaged when the packed data is broken. */
static int refill(struct reader *reader, struct error *err)
{
	if (reader->pos > 0) {
		buf_consume(&reader->window, reader->pos);
		reader->window_start += (int64_t)reader->pos;
		reader->pos = 0;
	}
	if (buf_reserve(&reader->window, READER_CHUNK) != 0) {
		return error_set(err, ERR_LIMIT, "no memory to read %s", reader->path);
	}
	if (reader->follow) {
		gzclearerr(reader->gz); /* forgets an earlier end of file */
	}
	int got = gzread(reader->gz, reader->window.ptr + reader->window.len, READER_CHUNK);
	int code = Z_OK;
	(void)gzerror(reader->gz, &code);
	if (got < 0 && code == Z_ERRNO) {
		return error_errno(err, "cannot read %s", reader->path);
	}
	if (code == Z_BUF_ERROR) {
		reader->problem = "the packed data ends early";
	} else if (got < 0) {
		reader->problem = "the packed data is damaged";
	}
	reader->window.len += got > 0 ? (size_t)got : 0;
	reader->window.ptr[reader->window.len] = '\0';
	reader->eof = got <= 0;
	return 0;
}

int reader_open(struct reader *reader, const char *path, struct error *err)
{
	reader_close(reader);
	reader->path = path;
	errno = 0;
	reader->gz = gzopen(path, "rbe");
	if (reader->gz == NULL) {
		int rc = error_errno(err, "cannot open %s", path);
		if (rc == -ERR_IO && err != NULL) {
			err->code = ERR_CONFIG;
		}
		return rc == -ERR_IO ? -ERR_CONFIG : rc;
	}
	(void)gzbuffer(reader->gz, 2 * READER_CHUNK); /* only a matter of speed */
	while (!reader->eof && reader->window.len < SPLIT_PROBE_BYTES) {
		int rc = refill(reader, err);
		if (rc != 0) {
			reader_close(reader);
			return rc;
		}
	}
	struct str first = str_slice(buf_str(&reader->window), 0, 2);
	if (str_is(first, "\xff\xfe") || str_is(first, "\xfe\xff")) {
		reader->problem = "it is UTF-16 text; convert it to UTF-8 first";
		buf_clear(&reader->window);
		reader->eof = true;
		reader->follow = false;
	}
	reader->mode = split_probe(buf_str(&reader->window), reader->rows, reader->eof);
	return 0;
}

/* Where a piece that is too long ends within left, and how many bytes of separator follow; -1 when it goes on. */
static ptrdiff_t end_of_long(const struct reader *reader, struct str left, size_t *out_separator)
{
	ptrdiff_t newline = str_find_byte(left, '\n', 0);

	if (reader->mode == SPLIT_OBJECTS) {
		ptrdiff_t border = str_find(left, STR_LIT("}{"), 0);
		if (border >= 0 && (newline < 0 || border < newline)) {
			*out_separator = 0;
			return border + 1;
		}
	}
	*out_separator = 1;
	return newline;
}

/* Moves behind a piece that is too long, keeping its beginning. */
static int skip_long(struct reader *reader, struct reader_item *out_item, struct error *err)
{
	size_t separator = 0;

	buf_clear(&reader->kept);
	buf_put_str(&reader->kept, str_slice(window_left(reader), 0, READER_TOO_LONG));
	for (;;) {
		struct str left = window_left(reader);
		ptrdiff_t end = end_of_long(reader, left, &separator);
		if (end >= 0) {
			reader->pos += (size_t)end + separator;
			break;
		}
		if (reader->eof) {
			reader->pos += left.len;
			separator = 0;
			break;
		}
		reader->pos +=
			left.len > 0 ? left.len - 1 : 0; /* half of "}{" may stand at the border */
		int rc = refill(reader, err);
		if (rc != 0) {
			return rc;
		}
	}
	out_item->kind = READER_TOO_LONG_PIECE;
	out_item->raw = buf_str(&reader->kept);
	out_item->newline = separator == 1;
	out_item->next = reader_offset(reader);
	out_item->full_bytes = (uint64_t)(out_item->next - out_item->offset) - separator;
	return 0;
}

int reader_next(struct reader *reader, struct reader_item *out_item, struct error *err)
{
	if (reader->follow) {
		reader->eof = false; /* there may be more by now */
	}
	for (;;) {
		bool final = reader->eof && !reader->follow;
		struct split_piece piece = split_next(reader->mode, window_left(reader), final);
		*out_item = (struct reader_item){.offset = reader_offset(reader)};
		switch (piece.kind) {
		case SPLIT_PIECE:
			reader->pos += piece.size;
			out_item->raw = piece.raw;
			out_item->newline = piece.newline;
			out_item->next = reader_offset(reader);
			return 0;
		case SPLIT_BLANK:
			reader->pos += piece.size;
			break;
		case SPLIT_TOO_LONG:
			return skip_long(reader, out_item, err);
		case SPLIT_END:
		case SPLIT_MORE:
			if (!reader->eof) {
				int rc = refill(reader, err);
				if (rc != 0) {
					return rc;
				}
				break;
			}
			out_item->next = out_item->offset;
			out_item->kind = READER_END;
			if (reader->problem != NULL && !reader->told) {
				out_item->kind = READER_DAMAGED;
				out_item->reason = reader->problem;
				reader->told = true;
			}
			return 0;
		}
	}
}
