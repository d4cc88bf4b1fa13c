#include "store/log/anchors.h"

#include "base/wire.h"
#include "store/checksum.h"
#include "store/handle.h"

#include <assert.h>
#include <stdio.h>

#define RECEIPT_MAX (1 << 20)

/* A reader asks within its snapshot, when it has one. */
static struct catalog *place_to_read(struct store *store)
{
	return store->snapshot_users > 0 ? store->reading : store->catalog;
}

static void copy_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
	struct str text = catalog_column_bytes(statement, column);
	size_t len = text.len < size - 1 ? text.len : size - 1;
	if (len > 0) {
		memcpy(out, text.ptr, len);
	}
	out[len] = '\0';
}

#define NUMBERS 5

static void numbers_of(const struct anchor_state *state, int64_t out[NUMBERS])
{
	const int64_t numbers[NUMBERS] = {(int64_t)state->taken_size, state->taken_ns,
					  (int64_t)state->known_size, state->failures,
					  state->next_ns};
	memcpy(out, numbers, sizeof numbers);
}

static uint32_t state_crc(const struct anchor_state *state)
{
	int64_t numbers[NUMBERS];
	struct buf bytes;
	buf_init(&bytes, 0);
	numbers_of(state, numbers);
	for (size_t i = 0; i < NUMBERS; i++) {
		wire_put_u64(&bytes, (uint64_t)numbers[i]);
	}
	wire_put_block(&bytes, str_of(state->name));
	wire_put_block(&bytes, str_of(state->type));
	wire_put_block(&bytes, str_of(state->text));
	wire_put_block(&bytes, str_of(state->origin));
	uint32_t crc = checksum_crc32c(buf_str(&bytes));
	buf_done(&bytes);
	return crc;
}

static uint32_t receipt_crc(const struct anchor_receipt *receipt, struct str note_sha256)
{
	struct buf bytes;
	buf_init(&bytes, 0);
	wire_put_u64(&bytes, receipt->size);
	wire_put_u64(&bytes, (uint64_t)receipt->time_ns);
	wire_put_u64(&bytes, (uint64_t)receipt->kind);
	wire_put_block(&bytes, receipt->anchor);
	wire_put_block(&bytes, note_sha256);
	wire_put_block(&bytes, receipt->bytes);
	uint32_t crc = checksum_crc32c(buf_str(&bytes));
	buf_done(&bytes);
	return crc;
}

static int take_row(const struct catalog *catalog, sqlite3_stmt *statement,
		    struct anchor_state *out, struct error *err)
{
	struct anchor_state state = {
		.taken_size = (uint64_t)sqlite3_column_int64(statement, 2),
		.taken_ns = sqlite3_column_int64(statement, 3),
		.known_size = (uint64_t)sqlite3_column_int64(statement, 4),
		.failures = (uint32_t)sqlite3_column_int64(statement, 5),
		.next_ns = sqlite3_column_int64(statement, 6),
	};
	copy_text(statement, 0, state.name, sizeof state.name);
	copy_text(statement, 1, state.type, sizeof state.type);
	copy_text(statement, 7, state.text, sizeof state.text);
	copy_text(statement, 8, state.origin, sizeof state.origin);
	if (sqlite3_column_int64(statement, 9) != state_crc(&state) ||
	    state.taken_size > INT64_MAX || state.known_size > INT64_MAX) {
		return error_set(err, ERR_CORRUPT, "%s: the anchor %s is damaged", catalog->path,
				 state.name);
	}
	*out = state;
	return 0;
}

int anchors_get(struct store *store, const char *name, struct anchor_state *out, struct error *err)
{
	struct catalog *catalog = place_to_read(store);
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_ANCHOR, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = catalog_bind_text(statement, 1, str_of(name));
	step = step == SQLITE_OK ? sqlite3_step(statement) : step;
	if (step == SQLITE_ROW) {
		rc = take_row(catalog, statement, out, err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s: no anchor %s", catalog->path, name);
	} else {
		rc = catalog_error(catalog, step, "reading an anchor", err);
	}
	(void)sqlite3_reset(statement); /* the step's error was told */
	return rc;
}

int anchors_put(struct store *store, const struct anchor_state *state, struct error *err)
{
	struct catalog *catalog = store->catalog;
	sqlite3_stmt *statement = NULL;
	assert(store->writable && state->taken_size <= INT64_MAX && state->known_size <= INT64_MAX);
	int rc = catalog_statement(catalog, CATALOG_LOG_PUT_ANCHOR, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int64_t numbers[NUMBERS];
	numbers_of(state, numbers);
	int bound = catalog_bind_text(statement, 1, str_of(state->name));
	bound = bound == SQLITE_OK ? catalog_bind_text(statement, 2, str_of(state->type)) : bound;
	for (int i = 0; i < NUMBERS && bound == SQLITE_OK; i++) {
		bound = sqlite3_bind_int64(statement, 3 + i, numbers[i]);
	}
	bound = bound == SQLITE_OK ? catalog_bind_text(statement, 8, str_of(state->text)) : bound;
	bound = bound == SQLITE_OK ? catalog_bind_text(statement, 9, str_of(state->origin)) : bound;
	bound = bound == SQLITE_OK ? sqlite3_bind_int64(statement, 10, state_crc(state)) : bound;
	if (bound != SQLITE_OK) {
		return catalog_error(catalog, bound, "storing an anchor", err);
	}
	return catalog_done(catalog, statement, "storing an anchor", err);
}

int anchors_drop(struct store *store, const char *name, struct error *err)
{
	struct catalog *catalog = store->catalog;
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_DROP_ANCHOR, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = catalog_bind_text(statement, 1, str_of(name));
	return bound != SQLITE_OK ? catalog_error(catalog, bound, "forgetting an anchor", err)
				  : catalog_done(catalog, statement, "forgetting an anchor", err);
}

int anchors_walk(struct store *store, anchors_fn *each, void *owner, struct error *err)
{
	struct catalog *catalog = place_to_read(store);
	CATALOG_FINALIZE sqlite3_stmt *statement = NULL; /* the callback may ask for others */
	int rc = catalog_prepare(catalog, CATALOG_LOG_ANCHORS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	for (; step == SQLITE_ROW && rc == 0; step = rc == 0 ? sqlite3_step(statement) : step) {
		struct anchor_state state;
		rc = take_row(catalog, statement, &state, err);
		rc = rc < 0 ? rc : each(owner, &state, err);
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading the anchors", err);
	}
	return rc;
}

/* Of those before the last day one an hour stays. */
static int thin_out(struct catalog *catalog, const struct anchor_receipt *receipt,
		    struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_THIN_RECEIPTS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = catalog_bind_text(statement, 1, receipt->anchor);
	bound = bound == SQLITE_OK
			? sqlite3_bind_int64(statement, 2, receipt->time_ns - ANCHORS_ALL_NS)
			: bound;
	return bound != SQLITE_OK ? catalog_error(catalog, bound, "removing old receipts", err)
				  : catalog_done(catalog, statement, "removing old receipts", err);
}

int anchors_put_receipt(struct store *store, const struct anchor_receipt *receipt,
			struct error *err)
{
	struct catalog *catalog = store->catalog;
	sqlite3_stmt *statement = NULL;
	uint8_t digest[DIGEST_BYTES];
	assert(store->writable && receipt->size <= INT64_MAX);
	if (receipt->bytes.len == 0 || receipt->bytes.len > RECEIPT_MAX) {
		return error_set(err, ERR_LIMIT, "a receipt of an anchor has %zu bytes",
				 receipt->bytes.len);
	}
	digest_sha256(receipt->note, digest);
	int rc = catalog_statement(catalog, CATALOG_LOG_PUT_RECEIPT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = catalog_bind_text(statement, 1, receipt->anchor);
	bound = bound == SQLITE_OK ? sqlite3_bind_int64(statement, 2, (int64_t)receipt->size)
				   : bound;
	bound = bound == SQLITE_OK ? sqlite3_bind_int64(statement, 3, receipt->time_ns) : bound;
	bound = bound == SQLITE_OK ? sqlite3_bind_int(statement, 4, (int)receipt->kind) : bound;
	bound = bound == SQLITE_OK
			? catalog_bind_bytes(statement, 5, str_make(digest, sizeof digest))
			: bound;
	bound = bound == SQLITE_OK ? catalog_bind_bytes(statement, 6, receipt->bytes) : bound;
	bound = bound == SQLITE_OK
			? sqlite3_bind_int64(statement, 7,
					     receipt_crc(receipt, str_make(digest, sizeof digest)))
			: bound;
	if (bound != SQLITE_OK) {
		return catalog_error(catalog, bound, "storing a receipt", err);
	}
	rc = catalog_done(catalog, statement, "storing a receipt", err);
	return rc < 0 ? rc : thin_out(catalog, receipt, err);
}

static int take_receipt(const struct catalog *catalog, sqlite3_stmt *statement,
			struct anchor_receipt *out, struct error *err)
{
	*out = (struct anchor_receipt){
		.anchor = catalog_column_bytes(statement, 0),
		.size = (uint64_t)sqlite3_column_int64(statement, 1),
		.time_ns = sqlite3_column_int64(statement, 2),
		.kind = (enum anchor_receipt_kind)sqlite3_column_int(statement, 3),
		.bytes = catalog_column_bytes(statement, 5),
	};
	if (sqlite3_column_int64(statement, 6) !=
		    receipt_crc(out, catalog_column_bytes(statement, 4)) ||
	    (out->kind != ANCHOR_COSIGNATURE && out->kind != ANCHOR_TIMESTAMP)) {
		return error_set(err, ERR_CORRUPT, "%s: a receipt for %llu records is damaged",
				 catalog->path, (unsigned long long)out->size);
	}
	return 0;
}

int anchors_receipts(struct store *store, const struct checkpoint *checkpoint,
		     anchors_receipt_fn *each, void *owner, struct error *err)
{
	struct catalog *catalog = place_to_read(store);
	uint8_t digest[DIGEST_BYTES];
	CATALOG_FINALIZE sqlite3_stmt *statement = NULL; /* the callback may ask for others */
	int rc = catalog_prepare(catalog, CATALOG_LOG_RECEIPTS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	digest_sha256(checkpoint->note, digest);
	int step = sqlite3_bind_int64(statement, 1, (int64_t)checkpoint->size);
	step = step == SQLITE_OK ? catalog_bind_bytes(statement, 2, str_make(digest, sizeof digest))
				 : step;
	step = step == SQLITE_OK ? sqlite3_step(statement) : step;
	for (; step == SQLITE_ROW && rc == 0; step = rc == 0 ? sqlite3_step(statement) : step) {
		struct anchor_receipt receipt;
		rc = take_receipt(catalog, statement, &receipt, err);
		rc = rc < 0 ? rc : each(owner, &receipt, err);
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading receipts", err);
	}
	return rc;
}

static int put_lines(void *owner, const struct anchor_receipt *receipt, struct error *err)
{
	struct buf *out = owner;
	(void)err;
	if (receipt->kind == ANCHOR_COSIGNATURE) {
		buf_put_str(out, receipt->bytes);
	}
	return 0;
}

int anchors_note(struct store *store, const struct checkpoint *checkpoint, struct buf *out,
		 struct error *err)
{
	buf_put_str(out, checkpoint->note);
	int rc = anchors_receipts(store, checkpoint, put_lines, out, err);
	return rc < 0 ? rc : buf_check(out, "a checkpoint with its cosignatures", err);
}
