/* Any bytes as a file: every byte belongs to one piece, and pieces do not depend on how much of the file was in memory. */
#include "collector/sources/file/csv.h"
#include "collector/sources/file/split.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Appends where each piece begins, how long it is and whether a newline followed. */
static void cut(struct str text, enum split_mode mode, size_t step, struct buf *out)
{
	size_t pos = 0;
	size_t seen = step < text.len ? step : text.len;

	for (;;) {
		struct split_piece piece =
			split_next(mode, str_slice(text, pos, seen - pos), seen == text.len);
		if (piece.kind == SPLIT_END) {
			assert(pos == text.len);
			return;
		}
		assert(piece.kind != SPLIT_TOO_LONG);
		if (piece.kind == SPLIT_MORE) {
			assert(seen < text.len);
			seen = text.len - seen > step ? seen + step : text.len;
			continue;
		}
		assert(piece.size > 0 && piece.size <= seen - pos);
		if (piece.kind == SPLIT_PIECE) {
			assert(piece.raw.ptr == text.ptr + pos);
			assert(piece.raw.len + piece.newline == piece.size);
			buf_putf(out, "%zu %zu %d,", pos, piece.raw.len, piece.newline);
		}
		pos += piece.size;
	}
}

static void try_rows(struct str text)
{
	struct csv csv;
	struct buf out;
	struct error err;
	struct split_piece piece = split_next(SPLIT_CSV, text, true);

	csv_init(&csv);
	buf_init(&out, 0);
	if (piece.kind == SPLIT_PIECE && csv_header(&csv, piece.raw, &err) == 0) {
		struct str rest = str_slice(text, piece.size, text.len);
		int rc = csv_put_json(&csv, rest, &out, &err);
		assert(rc == 0 || out.len == 0);
	}
	buf_done(&out);
	csv_done(&csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size < 4096 ? size : 4096);
	struct buf whole;
	struct buf parts;

	buf_init(&whole, 0);
	buf_init(&parts, 0);
	for (int mode = SPLIT_LINES; mode <= SPLIT_CSV; mode++) {
		buf_clear(&whole);
		buf_clear(&parts);
		cut(text, (enum split_mode)mode, text.len, &whole);
		cut(text, (enum split_mode)mode, 1 + size % 7, &parts);
		assert(str_equal(buf_str(&whole), buf_str(&parts)));
	}
	(void)split_probe(text, size % 2 == 0, true); /* only that it ends */
	try_rows(text);
	buf_done(&whole);
	buf_done(&parts);
	return 0;
}
