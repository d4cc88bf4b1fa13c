#include "query/report/pdf-pack.h"

#include <stdlib.h>
#include <zlib.h>

#define LEVEL       3
#define WINDOW_BITS (-15) /* raw deflate: header and check are written here */
#define MEMORY      8
#define ROOM        65536
#define ADLER_BYTES 4

struct pdf_packer {
	z_stream stream;
	struct buf out;
};

struct pdf_packer *pdf_packer_new(void)
{
	struct pdf_packer *packer = calloc(1, sizeof(*packer));
	if (packer != NULL && deflateInit2(&packer->stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY,
					   Z_DEFAULT_STRATEGY) != Z_OK) {
		free(packer);
		return NULL;
	}
	if (packer != NULL) {
		buf_init(&packer->out, 0);
	}
	return packer;
}

void pdf_packer_free(struct pdf_packer *packer)
{
	if (packer == NULL) {
		return;
	}
	(void)deflateEnd(&packer->stream); /* it only frees */
	buf_done(&packer->out);
	free(packer);
}

/* Compresses one piece to the end of packer->out. */
static int put_piece(struct pdf_packer *packer, struct str piece, int flush, struct error *err)
{
	z_stream *stream = &packer->stream;
	stream->next_in = (Bytef *)(uintptr_t)piece.ptr; /* zlib reads it only */
	stream->avail_in = (uInt)piece.len;
	do {
		if (buf_reserve(&packer->out, ROOM) < 0) {
			return error_set(err, ERR_NOMEM, "no memory for a page of a PDF");
		}
		stream->next_out = (Bytef *)packer->out.ptr + packer->out.len;
		stream->avail_out = ROOM;
		if (deflate(stream, flush) == Z_STREAM_ERROR) {
			return error_set(err, ERR_IO, "a page of a PDF cannot be compressed");
		}
		packer->out.len += ROOM - stream->avail_out;
	} while (stream->avail_out == 0);
	return 0;
}

static int begin(struct pdf_packer *packer, struct error *err)
{
	buf_clear(&packer->out);
	return deflateReset(&packer->stream) == Z_OK
		       ? 0
		       : error_set(err, ERR_IO, "a page of a PDF cannot be compressed");
}

int pdf_pack(struct pdf_packer *packer, const struct str *pieces, size_t piece_count,
	     struct pdf_packed *out, struct error *err)
{
	uLong adler = adler32(0, NULL, 0);
	int rc = begin(packer, err);
	for (size_t i = 0; i < piece_count && rc == 0; i++) {
		adler = adler32(adler, (const Bytef *)pieces[i].ptr, (uInt)pieces[i].len);
		rc = put_piece(packer, pieces[i], Z_NO_FLUSH, err);
	}
	rc = rc < 0 ? rc : put_piece(packer, STR_LIT(""), Z_SYNC_FLUSH, err);
	if (rc < 0) {
		return rc;
	}
	char *bytes = malloc(packer->out.len);
	if (bytes == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a page of a PDF");
	}
	memcpy(bytes, packer->out.ptr, packer->out.len);
	*out = (struct pdf_packed){
		.bytes = bytes, .len = packer->out.len, .adler = (uint32_t)adler};
	return 0;
}

int pdf_pack_end(struct pdf_packer *packer, const struct pdf_packed *packed, struct str tail,
		 struct buf *out, struct error *err)
{
	int rc = begin(packer, err);
	rc = rc < 0 ? rc : put_piece(packer, tail, Z_FINISH, err);
	if (rc < 0) {
		return rc;
	}
	uint32_t first = packed->bytes != NULL ? packed->adler : (uint32_t)adler32(0, NULL, 0);
	uLong last = adler32(adler32(0, NULL, 0), (const Bytef *)tail.ptr, (uInt)tail.len);
	uint32_t adler = (uint32_t)adler32_combine(first, last, (z_off_t)tail.len);
	buf_put(out, "\x78\x5e", 2);
	buf_put(out, packed->bytes, packed->len);
	buf_put_str(out, buf_str(&packer->out));
	for (unsigned i = 0; i < ADLER_BYTES; i++) {
		buf_put_byte(out, (uint8_t)(adler >> (24 - 8 * i)));
	}
	return buf_check(out, "a page of a PDF", err);
}
