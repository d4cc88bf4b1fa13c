#include "store/checksum.h"
#include "store/handle.h"

#include "base/wire.h"

#include <assert.h>
#include <stdlib.h>

#define NUMBER_COUNT 12

/* The numbers of a source in the order of the table's columns, texts left out. */
static void source_numbers(const struct store_source *source, int64_t out[NUMBER_COUNT])
{
	const int64_t numbers[NUMBER_COUNT] = {
		(int64_t)source->kinds,    source->watermark_ns,    source->first_time_ns,
		source->last_time_ns,      source->last_batch_ns,   source->caught_up ? 1 : 0,
		(int64_t)source->received, (int64_t)source->stored, (int64_t)source->duplicate,
		(int64_t)source->rejected, (int64_t)source->gaps,   source->state_since_ns,
	};
	memcpy(out, numbers, sizeof numbers);
}

/* Over all columns, so that a flipped bit in a cursor is not taken for a place to read on from. */
static uint32_t source_checksum(const struct store_source *source, struct buf *scratch)
{
	int64_t numbers[NUMBER_COUNT];
	source_numbers(source, numbers);
	buf_clear(scratch);
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		wire_put_u64(scratch, (uint64_t)numbers[i]);
	}
	wire_put_block(scratch, str_of(source->name));
	wire_put_block(scratch, str_of(source->type));
	wire_put_block(scratch, source->cursor);
	wire_put_block(scratch, str_of(source->state));
	wire_put_block(scratch, str_of(source->state_text));
	return checksum_crc32c(buf_str(scratch));
}

int store_put_source(struct store *store, const struct store_source *source, struct error *err)
{
	assert(store->writable && store->pending.open);
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(store->catalog, CATALOG_SOURCE_PUT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	struct buf scratch;
	buf_init(&scratch, 0);
	uint32_t crc = source_checksum(source, &scratch);
	bool failed = scratch.failed;
	buf_done(&scratch);
	int64_t numbers[NUMBER_COUNT];
	source_numbers(source, numbers);
	int bound = catalog_bind_text(statement, 1, str_of(source->name));
	bound |= catalog_bind_text(statement, 2, str_of(source->type));
	bound |= catalog_bind_bytes(statement, 3, source->cursor);
	for (int i = 0; i < NUMBER_COUNT - 1; i++) {
		bound |= sqlite3_bind_int64(statement, 4 + i, numbers[i]);
	}
	bound |= catalog_bind_text(statement, 15, str_of(source->state));
	bound |= catalog_bind_text(statement, 16, str_of(source->state_text));
	bound |= sqlite3_bind_int64(statement, 17, source->state_since_ns);
	bound |= sqlite3_bind_int64(statement, 18, crc);
	if (bound != SQLITE_OK || failed) {
		return error_set(err, ERR_NOMEM, "no memory to store source %s", source->name);
	}
	return catalog_done(store->catalog, statement, "storing a source", err);
}

static bool copy_text(char *out, size_t room, struct str text)
{
	if (text.len >= room) {
		return false;
	}
	if (text.len > 0) {
		memcpy(out, text.ptr, text.len);
	}
	out[text.len] = 0;
	return strlen(out) == text.len;
}

/* Reads the row a statement stands on; the cursor borrows from the statement. */
static bool read_row(sqlite3_stmt *row, struct store_source *out)
{
	*out = (struct store_source){
		.cursor = catalog_column_bytes(row, 2),
		.kinds = (unsigned)sqlite3_column_int64(row, 3),
		.watermark_ns = sqlite3_column_int64(row, 4),
		.first_time_ns = sqlite3_column_int64(row, 5),
		.last_time_ns = sqlite3_column_int64(row, 6),
		.last_batch_ns = sqlite3_column_int64(row, 7),
		.caught_up = sqlite3_column_int64(row, 8) != 0,
		.received = (uint64_t)sqlite3_column_int64(row, 9),
		.stored = (uint64_t)sqlite3_column_int64(row, 10),
		.duplicate = (uint64_t)sqlite3_column_int64(row, 11),
		.rejected = (uint64_t)sqlite3_column_int64(row, 12),
		.gaps = (uint64_t)sqlite3_column_int64(row, 13),
		.state_since_ns = sqlite3_column_int64(row, 16),
	};
	return copy_text(out->name, sizeof out->name, catalog_column_bytes(row, 0)) &&
	       copy_text(out->type, sizeof out->type, catalog_column_bytes(row, 1)) &&
	       copy_text(out->state, sizeof out->state, catalog_column_bytes(row, 14)) &&
	       copy_text(out->state_text, sizeof out->state_text, catalog_column_bytes(row, 15));
}

static int make_room(struct store *store, struct error *err)
{
	if (store->source_count < store->source_room) {
		return 0;
	}
	size_t room = store->source_room > 0 ? store->source_room * 2 : 8;
	struct store_source *sources = realloc(store->sources, room * sizeof sources[0]);
	if (sources == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu sources", room);
	}
	store->sources = sources;
	store->source_room = room;
	return 0;
}

static int take_row(struct store *store, sqlite3_stmt *row, struct buf *scratch, struct error *err)
{
	int rc = make_room(store, err);
	if (rc < 0) {
		return rc;
	}
	struct store_source *source = &store->sources[store->source_count];
	if (!read_row(row, source) ||
	    sqlite3_column_int64(row, 17) != source_checksum(source, scratch)) {
		return error_set(err, ERR_CORRUPT,
				 "%s: the row of a source (number %zu by name) is damaged",
				 store->catalog->path, store->source_count + 1);
	}
	buf_put_str(&store->text, source->cursor);
	rc = buf_check(&store->text, "the cursors of all sources", err);
	store->source_count += rc == 0 ? 1 : 0;
	return rc;
}

/* The text buffer may have moved while it grew: cursors are set when all stand in it. */
static void place_cursors(struct store *store)
{
	size_t at = 0;
	for (size_t i = 0; i < store->source_count; i++) {
		struct str *cursor = &store->sources[i].cursor;
		cursor->ptr = cursor->len > 0 ? store->text.ptr + at : NULL;
		at += cursor->len;
	}
}

int store_sources_read(struct store *store, struct error *err)
{
	struct catalog *catalog = store->catalog;
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_SOURCE_LIST, &statement, err);
	if (rc < 0) {
		return rc;
	}
	struct buf scratch;
	buf_init(&scratch, 0);
	buf_clear(&store->text);
	store->source_count = 0;
	int step = sqlite3_step(statement);
	for (; step == SQLITE_ROW && rc == 0; step = sqlite3_step(statement)) {
		rc = take_row(store, statement, &scratch, err);
		if (rc < 0) {
			break;
		}
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading the sources", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	buf_done(&scratch);
	place_cursors(store);
	return rc;
}

int store_sources(struct store *store, const struct store_source **out_sources, size_t *out_count,
		  struct error *err)
{
	int rc = store_sources_read(store, err);
	if (rc == 0 && !store->writable && store->snapshot_users == 0) {
		rc = store_refresh(store, err);
	}
	if (rc < 0) {
		return rc;
	}
	*out_sources = store->sources;
	*out_count = store->source_count;
	return 0;
}
