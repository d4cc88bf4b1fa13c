#include "store/block/opened.h"

#include "store/block/bits.h"

#include <stdlib.h>

static void put_row(const struct block *block, enum record_kind kind, size_t at, struct buf *out)
{
	uint32_t row = block->layout.runs[kind].first + (uint32_t)at;
	buf_put(out, &row, sizeof row);
}

static int find_by_codes(const struct block *block, enum record_kind kind,
			 const struct block_codes *codes, struct str text, struct buf *out)
{
	uint32_t count = block->layout.runs[kind].count;
	for (size_t wanted = 0; wanted < codes->dict_count; wanted++) {
		if (!str_equal(codes->dict[wanted], text)) {
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (codes->code[i] == wanted) {
				put_row(block, kind, i, out);
			}
		}
	}
	return out->failed ? -ERR_NOMEM : 0;
}

/* Whether the text of a value is exactly this one. */
static int is_equal(struct texts *texts, size_t value, struct str text, struct buf *room,
		    bool *out_equal)
{
	struct error err;
	buf_clear(room);
	int rc = texts_put_text(texts, value, room, &err);
	*out_equal = rc == 0 && str_equal(buf_str(room), text);
	return rc == -ERR_GONE ? 0 : rc;
}

/* The values that may be the text, then those of them that are. */
static int find_in_texts(struct block *block, uint16_t column, struct str text, struct buf *out)
{
	struct opened_column *opened = &block->columns[column];
	enum record_kind kind = (enum record_kind)block->layout.columns[column].kind;
	struct buf room;
	struct error err;
	uint64_t *found = calloc(opened->count / 64 + 1, sizeof found[0]);
	if (found == NULL) {
		return -ERR_NOMEM;
	}
	buf_init(&room, RECORD_MAX_BYTES);
	int rc = texts_find_exact(opened->texts, text, found, &err);
	for (uint32_t row = 0; rc == 0 && row < block->layout.runs[kind].count; row++) {
		uint32_t value = opened->value_of != NULL ? opened->value_of[row] : row;
		bool equal = false;
		if (value == UINT32_MAX || (found[value / 64] >> value % 64 & 1) == 0) {
			continue;
		}
		rc = is_equal(opened->texts, value, text, &room, &equal);
		if (equal) {
			put_row(block, kind, row, out);
		}
	}
	buf_done(&room);
	free(found);
	return rc == 0 && out->failed ? -ERR_NOMEM : rc;
}

/* Whether a text is among the distinct ones of a column; the codes of rows are not read. */
static int is_among(struct block *block, uint16_t column, struct str text, bool *out_is,
		    struct error *err)
{
	const struct wordlist *words = &block->columns[column].words;
	int rc = opened_words(block, column, err);
	*out_is = false;
	for (size_t i = 0; rc == 0 && !*out_is && i < words->count; i++) {
		*out_is = str_equal(words->texts[i], text);
	}
	return rc;
}

/* Without the codes of rows, which take most of the time: whether a column of few distinct texts has one that is looked for. */
static int is_out(struct block *block, int column, struct str text, bool *out_is_out,
		  struct error *err)
{
	bool has_words = column >= 0 &&
			 block->layout.columns[column].coding == LAYOUT_WORDS_RANKS &&
			 !block->columns[column].is_loaded;
	bool is = true;
	int rc = has_words && text.len > 0 ? is_among(block, (uint16_t)column, text, &is, err) : 0;
	*out_is_out = rc == 0 && !is;
	return rc;
}

int block_find_exact(struct block *block, struct block_field where, struct str text,
		     struct buf *out_rows, struct error *err)
{
	struct block_codes codes;
	int column = opened_only_column(block, where.kind, where.field);
	bool has_texts = column >= 0 && column != LAYOUT_NONE && text.len > 0;
	if (block->layout.runs[where.kind].count == 0 || column == LAYOUT_NONE) {
		return 0;
	}
	bool is_nowhere = false;
	int rc = is_out(block, column, text, &is_nowhere, err);
	if (rc < 0 || is_nowhere) {
		return rc;
	}
	rc = has_texts ? opened_load(block, (uint16_t)column, err) : 0;
	if (rc == 0 && has_texts && block->columns[column].texts != NULL) {
		rc = find_in_texts(block, (uint16_t)column, text, out_rows);
	} else if (rc == 0) {
		rc = block_text_column(block, where.kind, where.field, &codes, err);
		rc = rc < 0 ? rc : find_by_codes(block, where.kind, &codes, text, out_rows);
	} else {
		return rc;
	}
	if (rc == -ERR_NOMEM) {
		return opened_no_memory(block, err);
	}
	return rc == 0 ? 0
		       : streams_blame(block->streams, LAYOUT_RECIPES,
				       "a column of texts can't be searched", err);
}

/* Whether a column of requests depends on nothing but such columns: then it is read without the rows' parents, times and leaves. */
static bool stands_alone(const struct block *block, const struct layout_column *column)
{
	while (column->kind == RECORD_REQUEST && column->context == LAYOUT_GIVEN_COLUMN) {
		column = &block->layout.columns[column->given]; /* which stands before it */
	}
	return column->kind == RECORD_REQUEST && column->context == LAYOUT_GIVEN_NOTHING;
}

int block_may_have(struct block *block, struct block_field where, struct str text, bool *out_may,
		   struct error *err)
{
	int column = opened_only_column(block, where.kind, where.field);
	bool none = block->layout.runs[where.kind].count == 0 || column == LAYOUT_NONE;
	*out_may = !none;
	if (none || column < 0 || text.len == 0) {
		return 0;
	}
	const struct layout_column *about = &block->layout.columns[column];
	if (about->coding == LAYOUT_WORDS_RANKS) {
		return is_among(block, (uint16_t)column, text, out_may, err);
	}
	/* texts of requests stand for themselves, those of statements need their parents */
	if (about->coding == LAYOUT_TEXTS && stands_alone(block, about)) {
		struct buf rows;
		buf_init(&rows, 0);
		int rc = block_find_exact(block, where, text, &rows, err);
		*out_may = rows.len > 0;
		buf_done(&rows);
		return rc;
	}
	return 0;
}

/* Whether the record of a row has a stable id. */
static int has_stable_id(struct block *block, uint32_t row, struct str id, bool *out_has,
			 struct error *err)
{
	char made[RECORD_ID_DIGITS + 1];
	int rc = opened_record(block, row, block->row, err);
	if (rc == 0) {
		record_stable_id(block->row->record.source, block->row->record.key, made);
		*out_has = str_is(id, made);
	}
	return rc;
}

static int find_in_kind(struct block *block, uint8_t kind, struct str id, struct buf *out_rows,
			struct error *err)
{
	struct block_run run = block->layout.runs[kind];
	struct str bits;
	uint8_t hint = frame_hint(id);
	int rc = frame_get_hints(block->streams, &block->layout, kind, &bits, err);
	for (uint32_t i = 0; rc == 0 && i < run.count; i++) {
		uint64_t at = (uint64_t)i * LAYOUT_HINT_BITS;
		bool has = false;
		if (bits.len > 0 && bits_at(bits, at, LAYOUT_HINT_BITS) != hint) {
			continue;
		}
		rc = has_stable_id(block, run.first + i, id, &has, err);
		if (has) {
			put_row(block, (enum record_kind)kind, i, out_rows);
		}
	}
	return rc;
}

int block_find_stable(struct block *block, struct str id, struct buf *out_rows, struct error *err)
{
	int rc = 0;
	if (id.len != RECORD_ID_DIGITS) {
		return 0;
	}
	for (uint8_t kind = 1; rc == 0 && kind < RECORD_KIND_COUNT; kind++) {
		if (kind != RECORD_VERDICT) {
			rc = find_in_kind(block, kind, id, out_rows, err);
		}
	}
	return rc == 0 && out_rows->failed ? opened_no_memory(block, err) : rc;
}

int block_hint_fits(struct block *block, uint32_t row, uint64_t stable, bool *out_fits,
		    struct error *err)
{
	char id[RECORD_ID_DIGITS + 1];
	struct str bits;
	uint8_t kind = block->kinds[row];
	uint64_t at = (uint64_t)(row - block->layout.runs[kind].first) * LAYOUT_HINT_BITS;
	int rc = frame_get_hints(block->streams, &block->layout, kind, &bits, err);
	record_stable_digits(stable, id);
	*out_fits =
		rc == 0 && (bits.len == 0 || bits_at(bits, at, LAYOUT_HINT_BITS) ==
						     frame_hint(str_make(id, RECORD_ID_DIGITS)));
	return rc;
}
