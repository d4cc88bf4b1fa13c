#include "collector/sources/file/reader.h"

#include <errno.h>
#include <zlib.h>

void reader_init(struct reader *reader)
{
	*reader = (struct reader){0};
	buf_init(&reader->window, SPLIT_PIECE_MAX + 2 * READER_CHUNK);
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
	reader->in_long = false;
}

void reader_done(struct reader *reader)
{
	reader_close(reader);
	buf_done(&reader->window);
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

/* The next part of a piece that is too long; of a file that still grows only one that is full or ends. *out_none: there is none now. */
static int next_part(struct reader *reader, struct reader_item *out_item, bool *out_none,
		     struct error *err)
{
	size_t separator = 0;
	ptrdiff_t end;

	for (;;) {
		struct str left = str_slice(window_left(reader), 0, SPLIT_PIECE_MAX + 1);
		end = end_of_long(reader, left, &separator);
		if (end >= 0 || left.len > SPLIT_PIECE_MAX || reader->eof) {
			break;
		}
		int rc = refill(reader, err);
		if (rc != 0) {
			return rc;
		}
	}
	struct str left = str_slice(window_left(reader), 0, SPLIT_PIECE_MAX);
	bool ends = end >= 0 && (size_t)end <= left.len;
	if (ends) {
		left = str_slice(left, 0, (size_t)end);
	}
	reader->in_long = !ends;
	*out_none = !ends && left.len < SPLIT_PIECE_MAX && (reader->follow || left.len == 0);
	if (*out_none) {
		return 0;
	}
	separator = ends ? separator : 0;
	reader->pos += left.len + separator;
	out_item->kind = READER_LONG_PART;
	out_item->raw = left;
	out_item->newline = separator == 1;
	out_item->next = reader_offset(reader);
	return 0;
}

static void end_of_file(struct reader *reader, struct reader_item *out_item)
{
	out_item->next = out_item->offset;
	out_item->kind = READER_END;
	if (reader->problem != NULL && !reader->told) {
		out_item->kind = READER_DAMAGED;
		out_item->reason = reader->problem;
		reader->told = true;
	}
}

/* A part, or the end when there is none now. */
static int part_or_end(struct reader *reader, struct reader_item *out_item, struct error *err)
{
	bool none = false;
	int rc = next_part(reader, out_item, &none, err);
	if (rc == 0 && none) {
		end_of_file(reader, out_item);
	}
	return rc;
}

int reader_next(struct reader *reader, struct reader_item *out_item, struct error *err)
{
	if (reader->follow) {
		reader->eof = false; /* there may be more by now */
	}
	*out_item = (struct reader_item){.offset = reader_offset(reader)};
	if (reader->in_long) {
		return part_or_end(reader, out_item, err);
	}
	for (;;) {
		bool final = reader->eof && !reader->follow;
		struct split_piece piece = split_next(reader->mode, window_left(reader), final);
		switch (piece.kind) {
		case SPLIT_PIECE:
		case SPLIT_BLANK:
			reader->pos += piece.size;
			out_item->kind =
				piece.kind == SPLIT_BLANK ? READER_BLANK_PIECE : READER_PIECE;
			out_item->raw = piece.raw;
			out_item->newline = piece.newline;
			out_item->next = reader_offset(reader);
			return 0;
		case SPLIT_TOO_LONG:
			return part_or_end(reader, out_item, err);
		case SPLIT_END:
		case SPLIT_MORE:
			if (reader->eof) {
				end_of_file(reader, out_item);
				return 0;
			}
			int rc = refill(reader, err);
			if (rc != 0) {
				return rc;
			}
			break;
		}
	}
}
