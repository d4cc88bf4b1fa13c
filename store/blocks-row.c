#include "store/blocks.h"

#include "base/digest.h"
#include "base/parse.h"
#include "base/wire.h"
#include "store/checksum.h"
#include "store/rollup.h"

#include <assert.h>
#include <stdlib.h>

#define NEXT_KEY    "blocks.next"
#define CHANGES_KEY "blocks.changes"

/* Stored. */
#define FLAG_OPEN  1
#define FLAG_WHOLE 2
#define FLAG_STRAY 4
#define FLAG_BITS  8 /* above them: the number of rows that were redacted */

static void put_about(const struct block_about *about, struct buf *out)
{
	wire_put_varint(out, about->number);
	wire_put_varint(out, about->row_count);
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		wire_put_varint(out, about->of_kind[kind]);
	}
	wire_put_varint(out, about->min_leaf);
	wire_put_varint(out, about->max_leaf);
	wire_put_zigzag(out, about->min_time_ns);
	wire_put_zigzag(out, about->max_time_ns);
	wire_put_varint(out, about->record_bytes);
	wire_put_varint(out, about->raw_bytes);
}

static bool read_about(struct str bytes, struct block_about *out)
{
	struct wire_reader reader = wire_reader(bytes);
	struct block_about about = {.number = wire_varint(&reader)};
	uint64_t rows = wire_varint(&reader);
	uint64_t sum = 0;
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		uint64_t count = wire_varint(&reader);
		about.of_kind[kind] = (uint32_t)count;
		sum += count <= BLOCK_ROWS_MAX ? count : BLOCK_ROWS_MAX + 1;
	}
	about.row_count = (uint32_t)rows;
	about.min_leaf = wire_varint(&reader);
	about.max_leaf = wire_varint(&reader);
	about.min_time_ns = wire_zigzag(&reader);
	about.max_time_ns = wire_zigzag(&reader);
	about.record_bytes = wire_varint(&reader);
	about.raw_bytes = wire_varint(&reader);
	*out = about;
	return !reader.failed && wire_left(&reader) == 0 && rows <= BLOCK_ROWS_MAX && rows == sum;
}

static void put_spans(const struct blocks_span *spans, size_t count, struct buf *out)
{
	uint64_t at = 0;
	wire_put_varint(out, count);
	for (size_t i = 0; i < count; i++) {
		assert(spans[i].first >= at && spans[i].last >= spans[i].first);
		wire_put_varint(out, spans[i].first - at);
		wire_put_varint(out, spans[i].last - spans[i].first);
		at = spans[i].last + 1;
	}
}

/* Reads spans into out, which has room for count; NULL: they are only checked. */
static bool read_spans(struct str bytes, uint64_t count, struct blocks_span *out)
{
	struct wire_reader reader = wire_reader(bytes);
	uint64_t at = 0;
	(void)wire_varint(&reader); /* the count, which is known */
	for (size_t i = 0; i < count; i++) {
		uint64_t skip = wire_varint(&reader);
		uint64_t length = wire_varint(&reader);
		if (at > INT64_MAX || skip > INT64_MAX - at || length > INT64_MAX - at - skip) {
			return false;
		}
		if (out != NULL) {
			out[i] = (struct blocks_span){at + skip, at + skip + length};
		}
		at += skip + length + 1;
	}
	return !reader.failed && wire_left(&reader) == 0;
}

/* Returns 0, -ERR_CORRUPT (they are none) or -ERR_NOMEM. */
static int take_spans(struct str bytes, struct arena *arena, struct blocks_row *row)
{
	struct wire_reader reader = wire_reader(bytes);
	uint64_t count = wire_varint(&reader);
	struct blocks_span *spans = NULL;
	row->spans = NULL;
	row->span_count = 0;
	if (reader.failed || count > BLOCKS_SPANS_MAX) {
		return -ERR_CORRUPT;
	}
	if (arena != NULL) {
		spans = arena_alloc(arena, (size_t)count * sizeof spans[0]);
		if (spans == NULL) {
			return -ERR_NOMEM;
		}
		row->spans = spans;
		row->span_count = (size_t)count;
	}
	return read_spans(bytes, count, spans) ? 0 : -ERR_CORRUPT;
}

/* Over all of a row but the blobs that have checksums of their own. */
static int64_t checksum(struct str about, struct str spans, struct str sha256, uint64_t file_bytes,
			int64_t flags)
{
	struct buf all;
	buf_init(&all, 0);
	wire_put_block(&all, about);
	wire_put_block(&all, spans);
	wire_put_block(&all, sha256);
	wire_put_u64(&all, file_bytes);
	wire_put_u64(&all, (uint64_t)flags);
	int64_t crc = all.failed ? -1 : (int64_t)checksum_crc32c(buf_str(&all));
	buf_done(&all);
	return crc;
}

static int bind_row(sqlite3_stmt *statement, const struct blocks_new *block, struct str about,
		    struct str spans)
{
	uint8_t sha256[DIGEST_BYTES];
	digest_sha256(block->bytes, sha256);
	struct str hash = str_make((const char *)sha256, sizeof sha256);
	int64_t flags = (block->is_open ? FLAG_OPEN : 0) | (block->is_whole ? FLAG_WHOLE : 0) |
			(block->has_strays ? FLAG_STRAY : 0) |
			(int64_t)block->redacted << FLAG_BITS;
	int64_t crc = checksum(about, spans, hash, block->bytes.len, flags);
	int bound = sqlite3_bind_int64(statement, 1, (int64_t)block->about->number);
	bound |= catalog_bind_bytes(statement, 2, about);
	bound |= catalog_bind_bytes(statement, 3, spans);
	bound |= sqlite3_bind_int64(statement, 4, (int64_t)block->bytes.len);
	bound |= sqlite3_bind_blob(statement, 5, sha256, sizeof sha256, SQLITE_TRANSIENT);
	bound |= sqlite3_bind_int64(statement, 6, flags);
	bound |= sqlite3_bind_int64(statement, 7, crc);
	bound |= catalog_bind_bytes(statement, 8, block->filter_ids);
	bound |= catalog_bind_bytes(statement, 9, block->filter_records);
	bound |= catalog_bind_bytes(statement, 10, block->summary);
	return crc < 0 ? SQLITE_NOMEM : bound;
}

/* Counts changes of the list, so that who has read it knows when to read again. */
static int count_change(struct catalog *catalog, struct error *err)
{
	struct buf text;
	uint64_t changes = 0;
	buf_init(&text, 64);
	int rc = blocks_changes(catalog, &changes, err);
	buf_put_u64(&text, changes + 1);
	rc = rc < 0 ? rc : catalog_meta_put(catalog, CHANGES_KEY, buf_str(&text), err);
	buf_done(&text);
	return rc;
}

static int read_number(struct catalog *catalog, const char *key, uint64_t fallback, uint64_t *out,
		       struct error *err)
{
	struct buf text;
	buf_init(&text, 64);
	uint64_t number = fallback;
	int rc = catalog_meta_get(catalog, key, &text, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	} else if (rc == 0 && !parse_u64(buf_str(&text), &number)) {
		rc = error_set(err, ERR_CORRUPT, "%s: the setting %s is damaged", catalog->path,
			       key);
	}
	buf_done(&text);
	if (rc == 0) {
		*out = number;
	}
	return rc;
}

int blocks_changes(struct catalog *catalog, uint64_t *out_changes, struct error *err)
{
	return read_number(catalog, CHANGES_KEY, 0, out_changes, err);
}

int blocks_next_number(struct catalog *catalog, uint64_t *out_number, struct error *err)
{
	uint64_t number = 0;
	int rc = read_number(catalog, NEXT_KEY, 0, &number, err);
	if (rc == 0 && (number == 0 || number > INT64_MAX)) {
		rc = error_set(err, ERR_CORRUPT, "%s: the setting %s is missing or damaged",
			       catalog->path, NEXT_KEY);
	}
	if (rc == 0) {
		*out_number = number;
	}
	return rc;
}

/* The numbers up to this one never come again. */
static int use_number(struct catalog *catalog, uint64_t number, struct error *err)
{
	uint64_t next = 0;
	struct buf text;
	int rc = blocks_next_number(catalog, &next, err);
	if (rc < 0 || number < next) {
		return rc;
	}
	buf_init(&text, 64);
	buf_put_u64(&text, number + 1);
	rc = catalog_meta_put(catalog, NEXT_KEY, buf_str(&text), err);
	buf_done(&text);
	return rc;
}

int blocks_put(struct catalog *catalog, const struct blocks_new *block, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	struct buf about, spans;
	assert(block->span_count <= BLOCKS_SPANS_MAX);
	int rc = catalog_statement(catalog, CATALOG_BLOCK_PUT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	buf_init(&about, 0);
	buf_init(&spans, 0);
	put_about(block->about, &about);
	put_spans(block->spans, block->span_count, &spans);
	if (about.failed || spans.failed ||
	    bind_row(statement, block, buf_str(&about), buf_str(&spans)) != SQLITE_OK) {
		rc = error_set(err, ERR_NOMEM, "no memory to register a block");
	}
	rc = rc < 0 ? rc : catalog_done(catalog, statement, "registering a block", err);
	buf_done(&about);
	buf_done(&spans);
	rc = rc < 0 ? rc : use_number(catalog, block->about->number, err);
	return rc < 0 ? rc : count_change(catalog, err);
}

int blocks_take_row(struct catalog *catalog, sqlite3_stmt *statement, struct arena *arena,
		    struct blocks_row *out_row, struct error *err)
{
	int64_t number = sqlite3_column_int64(statement, 0);
	struct str about = catalog_column_bytes(statement, 1);
	struct str spans = catalog_column_bytes(statement, 2);
	struct str sha256 = catalog_column_bytes(statement, 4);
	out_row->file_bytes = (uint64_t)sqlite3_column_int64(statement, 3);
	int64_t flags = sqlite3_column_int64(statement, 5);
	out_row->is_open = (flags & FLAG_OPEN) != 0;
	out_row->is_whole = (flags & FLAG_WHOLE) != 0;
	out_row->has_strays = (flags & FLAG_STRAY) != 0;
	out_row->redacted = (uint32_t)((uint64_t)flags >> FLAG_BITS);
	int64_t crc = checksum(about, spans, sha256, out_row->file_bytes, flags);
	int read = take_spans(spans, arena, out_row);
	if (read == -ERR_NOMEM) {
		return error_set(err, ERR_NOMEM, "no memory for the list of blocks");
	}
	if (read != 0 || crc != sqlite3_column_int64(statement, 6) || sha256.len != DIGEST_BYTES ||
	    !read_about(about, &out_row->about) || out_row->about.number != (uint64_t)number) {
		return error_set(err, ERR_CORRUPT, "%s: the row of block %lld is damaged",
				 catalog->path, (long long)number);
	}
	memcpy(out_row->sha256, sha256.ptr, DIGEST_BYTES);
	blocks_name(&out_row->about, out_row->name);
	return 0;
}

int blocks_read_row(struct catalog *catalog, uint64_t number, struct blocks_row *out_row,
		    struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_BLOCK_ONE, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, (int64_t)number); /* can't fail */
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		rc = blocks_take_row(catalog, statement, NULL, out_row, err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s has no block %llu", catalog->path,
			       (unsigned long long)number);
	} else {
		rc = catalog_error(catalog, step, "reading a block's row", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

int blocks_shred_graves(struct catalog *catalog, struct error *err)
{
	return catalog_run(catalog, CATALOG_GRAVE_SHRED, err);
}

int blocks_dig_grave(struct catalog *catalog, const char *name, int64_t since_ns, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_GRAVE_PUT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	if (catalog_bind_text(statement, 1, str_of(name)) != SQLITE_OK ||
	    sqlite3_bind_int64(statement, 2, since_ns) != SQLITE_OK) {
		return error_set(err, ERR_NOMEM, "no memory to remove %s", name);
	}
	return catalog_done(catalog, statement, "noting a file that is to be removed", err);
}

int blocks_remove(struct catalog *catalog, uint64_t number, int64_t now_ns, struct error *err)
{
	struct blocks_row *row = calloc(1, sizeof *row);
	sqlite3_stmt *statement = NULL;
	if (row == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to remove a block");
	}
	int rc = blocks_read_row(catalog, number, row, err);
	rc = rc < 0 ? rc : blocks_dig_grave(catalog, row->name, now_ns, err);
	free(row);
	rc = rc < 0 ? rc : catalog_statement(catalog, CATALOG_BLOCK_REMOVE, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, (int64_t)number); /* can't fail */
	rc = catalog_done(catalog, statement, "removing a block", err);
	rc = rc < 0 ? rc : rollup_forget(catalog, number, err);
	return rc < 0 ? rc : count_change(catalog, err);
}

int blocks_blob(struct catalog *catalog, uint64_t number, enum blocks_blob which, struct buf *out,
		struct error *err)
{
	static const enum catalog_statement statements[] = {
		[BLOCKS_FILTER_IDS] = CATALOG_BLOCK_FILTER_IDS,
		[BLOCKS_FILTER_RECORDS] = CATALOG_BLOCK_FILTER_RECORDS,
		[BLOCKS_SUMMARY] = CATALOG_BLOCK_SUMMARY,
	};
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, statements[which], &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, (int64_t)number); /* can't fail */
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		buf_put_str(out, catalog_column_bytes(statement, 0));
		rc = buf_check(out, "a part of a block's row", err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s has no block %llu", catalog->path,
			       (unsigned long long)number);
	} else {
		rc = catalog_error(catalog, step, "reading a part of a block's row", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}
