/* catalog - catalog.db: one SQLite connection with the store's schema, its statements and its errors.
 *
 * Shape:   WAL, synchronous=FULL, pages of 4,096 bytes, application_id "QTrl", user_version CATALOG_VERSION.
 *          Tables: meta, sources, alerts, outbox, head (one row per batch; its bytes stand in a segment, store/extent.h),
 *          blocks, graves (store/blocks.h); tiles, seeds, stubs, checkpoints, anchors, receipts (store/log/). docs/format.md section 5.1.
 * Errors:  every SQLite result becomes one of ours with the file's name in the sentence: damaged pages ERR_CORRUPT, a full or
 *          failing disk ERR_IO.
 * Threads: one catalog per thread. Blocking: disk; at most CATALOG_BUSY_MS for another process's lock.
 * Source:  docs/format.md section 5.1. Tests: tests/unit/catalog.c
 */
#ifndef STORE_CATALOG_H
#define STORE_CATALOG_H

#include "base/buf.h"
#include "base/error.h"

#include <sqlite3.h>
#include <stdint.h>

#define CATALOG_FILE           "catalog.db"
#define CATALOG_VERSION        4
#define CATALOG_APPLICATION_ID 0x5154726c /* "QTrl" */
#define CATALOG_PAGE_BYTES     4096
#define CATALOG_BUSY_MS        5000

enum catalog_mode { CATALOG_READ, CATALOG_WRITE, CATALOG_CREATE };

enum catalog_statement {
	CATALOG_BEGIN_READ,
	CATALOG_BEGIN_WRITE,
	CATALOG_COMMIT,
	CATALOG_ROLLBACK,
	CATALOG_META_GET,
	CATALOG_META_PUT,
	CATALOG_SOURCE_PUT,
	CATALOG_SOURCE_LIST,
	CATALOG_HEAD_PUT,
	CATALOG_HEAD_LAST,
	CATALOG_HEAD_FROM,
	CATALOG_HEAD_AT,
#define ALERTS_SQL(name, sql) CATALOG_##name,
#include "store/alerts.def"
#undef ALERTS_SQL
#define BLOCKS_SQL(name, sql) CATALOG_##name,
#include "store/blocks.def"
#undef BLOCKS_SQL
#define LOG_SQL(name, sql) CATALOG_LOG_##name,
#include "store/log/log.def"
#undef LOG_SQL
	CATALOG_STATEMENT_COUNT,
};

struct catalog {
	sqlite3 *db;
	char *path;
	bool has_rollups; /* there is the table of rollups; whoever writes makes it */
	sqlite3_stmt *statements[CATALOG_STATEMENT_COUNT]; /* prepared at first use */
};

/* Opens DIR/catalog.db and checks that it is a store of a version that we know.
 *   CATALOG_CREATE  makes file and schema when they are not there (or were only half made)
 * Returns 0 and *out_catalog, or ERR_CONFIG (no store there, another format), ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
int catalog_open(const char *dir, enum catalog_mode mode, struct catalog **out_catalog,
		 struct error *err);

/* Closes; an open transaction is rolled back. NULL is fine. */
void catalog_close(struct catalog *catalog);

/* Sets err from an SQLite result; what is a phrase: "reading a batch". Returns the negative code. */
int catalog_error(const struct catalog *catalog, int rc, const char *what, struct error *err);

/* The statement, reset and with its bindings cleared; the catalog keeps it. Returns 0 or an error. */
int catalog_statement(struct catalog *catalog, enum catalog_statement which,
		      sqlite3_stmt **out_statement, struct error *err);

/* Prepares a statement of which the caller needs one of his own (nested walks); he finalizes it. */
int catalog_prepare(struct catalog *catalog, enum catalog_statement which,
		    sqlite3_stmt **out_statement, struct error *err);
void catalog_finalize_cleanup(sqlite3_stmt **statement);
#define CATALOG_FINALIZE __attribute__((cleanup(catalog_finalize_cleanup)))

/* Runs a statement that gives no rows, then resets it. Returns 0 or an error. */
int catalog_run(struct catalog *catalog, enum catalog_statement which, struct error *err);
int catalog_done(struct catalog *catalog, sqlite3_stmt *statement, const char *what,
		 struct error *err);

/* Gives pages that nothing uses back to the file system: all of them, or, when they are more than a quarter of the file, down to an eighth: blocks to come
 * need some. No transaction may be open. Returns 0, ERR_IO. */
int catalog_shrink(struct catalog *catalog, bool all, struct error *err);

/* Settings in meta. get appends nothing and returns ERR_GONE when there is none. */
int catalog_meta_get(struct catalog *catalog, const char *key, struct buf *out, struct error *err);
int catalog_meta_put(struct catalog *catalog, const char *key, struct str value, struct error *err);

/* Binds bytes that live until the statement is run. */
int catalog_bind_bytes(sqlite3_stmt *statement, int index, struct str bytes);
int catalog_bind_text(sqlite3_stmt *statement, int index, struct str text);

/* A column's bytes, borrowed until the next step. */
struct str catalog_column_bytes(sqlite3_stmt *statement, int index);

#endif
