#include "base/parse.h"
#include "store/blocks.h"
#include "store/head.h"
#include "store/segments.h"

#include <stdlib.h>

/* What must stay known when no batch is left: decimal numbers, batch, leaf behind the last record, segment; and the leaf that the head begins at. */
#define LAST_KEY "head.removed"

static int put_last(struct catalog *catalog, const struct head_batch *last, struct error *err)
{
	struct buf text;
	struct head_batch first;
	uint64_t end = last->first_leaf + last->record_count;
	int rc = head_first(catalog, &first, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		first.first_leaf = end;
		rc = 0;
	}
	if (rc < 0) {
		return rc;
	}
	buf_init(&text, 128);
	buf_putf(&text, "%llu %llu %lu %llu", (unsigned long long)last->batch,
		 (unsigned long long)end, (unsigned long)last->extent.segment,
		 (unsigned long long)first.first_leaf);
	rc = catalog_meta_put(catalog, LAST_KEY, buf_str(&text), err);
	buf_done(&text);
	return rc;
}

int head_removed_last(struct catalog *catalog, struct head_end *out_end, struct error *err)
{
	struct buf text;
	struct head_end end = {0};
	buf_init(&text, 128);
	int rc = catalog_meta_get(catalog, LAST_KEY, &text, err);
	struct str rest = buf_str(&text);
	uint64_t numbers[4] = {0};
	bool fits = true;
	for (size_t i = 0; rc == 0 && i < 4; i++) {
		fits = parse_u64(str_split(&rest, ' '), &numbers[i]) && fits;
	}
	buf_done(&text);
	if (rc == 0 && (!fits || numbers[2] > UINT32_MAX)) {
		return error_set(err, ERR_CORRUPT, "%s: the setting %s is damaged", catalog->path,
				 LAST_KEY);
	}
	end.batch = numbers[0];
	end.leaf = numbers[1];
	end.segment = (uint32_t)numbers[2];
	end.begin = numbers[3];
	if (rc == 0) {
		*out_end = end;
	}
	return rc;
}

/* The segments that batches stand in, in rising order; a zero behind them. */
static int list_segments(struct catalog *catalog, struct buf *out, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_HEAD_SEGMENTS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	for (; step == SQLITE_ROW; step = sqlite3_step(statement)) {
		uint32_t segment = (uint32_t)sqlite3_column_int64(statement, 0);
		buf_put(out, &segment, sizeof segment);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	if (step != SQLITE_DONE) {
		return catalog_error(catalog, step, "looking at the segments", err);
	}
	return out->failed ? error_set(err, ERR_NOMEM, "no memory for the segments") : 0;
}

static bool holds(const struct buf *list, uint32_t segment)
{
	for (size_t at = 0; at < list->len; at += sizeof segment) {
		if (memcmp(list->ptr + at, &segment, sizeof segment) == 0) {
			return true;
		}
	}
	return false;
}

/* Digs graves for the segments of before that after has no more. */
static int bury(struct catalog *catalog, const struct buf *before, const struct buf *after,
		int64_t now_ns, struct error *err)
{
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < before->len; at += sizeof(uint32_t)) {
		uint32_t segment = 0;
		char name[SEGMENT_NAME_BYTES];
		memcpy(&segment, before->ptr + at, sizeof segment);
		if (!holds(after, segment)) {
			segment_name(segment, name);
			rc = blocks_dig_grave(catalog, name, now_ns, err);
		}
	}
	return rc;
}

static int delete_rows(struct catalog *catalog, uint64_t end, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_HEAD_REMOVE, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, (int64_t)end); /* can't fail: the index is right */
	return catalog_done(catalog, statement, "taking batches away", err);
}

int head_remove(struct catalog *catalog, uint64_t end, int64_t now_ns, struct error *err)
{
	struct head_batch last;
	struct buf before, after;
	int rc = head_last(catalog, &last, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		return 0;
	}
	buf_init(&before, 0);
	buf_init(&after, 0);
	rc = rc < 0 ? rc : list_segments(catalog, &before, err);
	rc = rc < 0 ? rc : delete_rows(catalog, end, err);
	rc = rc < 0 ? rc : put_last(catalog, &last, err);
	rc = rc < 0 ? rc : list_segments(catalog, &after, err);
	rc = rc < 0 ? rc : bury(catalog, &before, &after, now_ns, err);
	buf_done(&before);
	buf_done(&after);
	return rc;
}
