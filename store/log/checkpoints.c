#include "store/log/checkpoints.h"

#include "store/handle.h"

#include <assert.h>

static int take_row(const struct catalog *catalog, sqlite3_stmt *statement, struct checkpoint *out,
		    struct error *err)
{
	int64_t size = sqlite3_column_int64(statement, 1);
	*out = (struct checkpoint){
		.id = (uint64_t)sqlite3_column_int64(statement, 0),
		.size = (uint64_t)size,
		.time_ns = sqlite3_column_int64(statement, 2),
		.note = catalog_column_bytes(statement, 3),
	};
	if (size < 0 || out->note.len == 0 || out->note.len > NOTE_MAX_BYTES) {
		return error_set(err, ERR_CORRUPT, "%s: checkpoint %llu is damaged", catalog->path,
				 (unsigned long long)out->id);
	}
	return 0;
}

int checkpoints_put(struct store *store, struct str note, uint64_t size, int64_t now_ns,
		    struct error *err)
{
	struct catalog *catalog = store->catalog;
	sqlite3_stmt *statement = NULL;
	assert(store->writable && size <= INT64_MAX);
	int rc = catalog_statement(catalog, CATALOG_LOG_PUT_CHECKPOINT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int64(statement, 1, (sqlite3_int64)size);
	bound = bound == SQLITE_OK ? sqlite3_bind_int64(statement, 2, now_ns) : bound;
	bound = bound == SQLITE_OK ? catalog_bind_text(statement, 3, note) : bound;
	if (bound != SQLITE_OK) {
		return catalog_error(catalog, bound, "storing a checkpoint", err);
	}
	return catalog_done(catalog, statement, "storing a checkpoint", err);
}

/* A reader asks within its snapshot, when it has one. */
static struct catalog *place_to_read(struct store *store)
{
	return store->snapshot_users > 0 ? store->reading : store->catalog;
}

int checkpoints_last(struct store *store, struct checkpoint *out, struct buf *buffer,
		     struct error *err)
{
	struct catalog *catalog = place_to_read(store);
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_LAST_CHECKPOINT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		rc = take_row(catalog, statement, out, err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s: nothing was signed yet", catalog->path);
	} else {
		rc = catalog_error(catalog, step, "reading the newest checkpoint", err);
	}
	if (rc == 0) {
		buf_clear(buffer);
		buf_put_str(buffer, out->note);
		out->note = buf_str(buffer);
		rc = buffer->failed ? error_set(err, ERR_NOMEM, "no memory for a checkpoint") : 0;
	}
	(void)sqlite3_reset(statement); /* the step's error was told */
	return rc;
}

int checkpoints_walk(struct store *store, uint64_t after, checkpoints_fn *each, void *owner,
		     struct error *err)
{
	struct catalog *catalog = place_to_read(store);
	CATALOG_FINALIZE sqlite3_stmt *statement = NULL; /* the callback may ask for others */
	int rc = catalog_prepare(catalog, CATALOG_LOG_CHECKPOINTS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_bind_int64(statement, 1, (sqlite3_int64)after);
	step = step == SQLITE_OK ? sqlite3_step(statement) : step;
	for (; step == SQLITE_ROW && rc == 0; step = rc == 0 ? sqlite3_step(statement) : step) {
		struct checkpoint checkpoint;
		rc = take_row(catalog, statement, &checkpoint, err);
		rc = rc < 0 ? rc : each(owner, &checkpoint, err);
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading the checkpoints", err);
	}
	return rc;
}
