/* pdf-pack - the contents of PDF pages, compressed as soon as a page is full, and still open for a few words at the end.
 *
 * Why:     libharu keeps what a page draws as text until the file is written: 1.5 KB a row of a report. Compressed at once it is a tenth.
 * Shape:   the zlib format: two bytes of header; what was drawn until the page was full, as deflate blocks ended by a sync flush; what was
 *          drawn later (the foot with the number of all pages), as blocks of their own; the Adler-32 of both.
 * Errors:  ERR_NOMEM, ERR_IO; then the document is lost. Threads: one per thread. Blocking: never.
 * Source:  RFC 1950, RFC 1951; libharu 2.3 (hpdf_pages.h, hpdf_streams.h). Tests: tests/unit/pdf-pack.c
 */
#ifndef QUERY_REPORT_PDF_PACK_H
#define QUERY_REPORT_PDF_PACK_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct pdf_packer;

struct pdf_packed { /* of one page; all zero: none */
	char *bytes;
	size_t len;
	uint32_t adler;
};

/* Returns NULL without memory. */
struct pdf_packer *pdf_packer_new(void);
void pdf_packer_free(struct pdf_packer *packer);

/* Compresses the pieces of a page. out is all zero; its bytes are to be freed. */
int pdf_pack(struct pdf_packer *packer, const struct str *pieces, size_t piece_count,
	     struct pdf_packed *out, struct error *err);

/* Appends the whole: header, packed, what came after it, and the check. */
int pdf_pack_end(struct pdf_packer *packer, const struct pdf_packed *packed, struct str tail,
		 struct buf *out, struct error *err);

#endif
