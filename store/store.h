/* store - the directory that holds every record: opened by one writer (the daemon) and any number of readers.
 *
 * Shape:   DIR/catalog.db, SQLite in WAL mode, synchronous=FULL, and DIR/head/, append-only segments. Records get leaf numbers 0, 1,
 *          2, .. in commit order. A committed batch is one row of the catalog, which says where in a segment its bytes stand: the
 *          records' canonical bytes and its columns (store/columns.h). docs/format.md section 5.
 * Commit:  records, cursors, watermarks and counters of a transaction become durable together or not at all.
 * Errors:  ERR_IO from a commit or fsync is final: the caller must exit without retrying (the pages may be gone).
 *          ERR_CORRUPT names file, batch and leaf. ERR_CONFIG: not a store, a newer version, or a second writer.
 * Access:  DIR is made with mode 0700; its files are 0600, or 0640 when the group may read DIR (0750). A reader never writes and never uses immutable=1
 *          on a live catalog.
 * Threads: one struct store per thread. Blocking: disk.
 * Source:  docs/format.md section 5. Tests: tests/unit/store.c, tests/crash/
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/error.h"
#include "model/record.h"

struct store;

enum store_mode {
	STORE_READ,   /* must exist */
	STORE_WRITE,  /* must exist; takes the writer's lock */
	STORE_CREATE, /* made when it does not exist; takes the writer's lock */
};

/* Opens DIR. Returns 0 and *out_store, or ERR_CONFIG, ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
int store_open(const char *dir, enum store_mode mode, struct store **out_store, struct error *err);

/* For a writer: what was found when it opened the store of files that the catalog should know and does not, or NULL. They are kept: what they hold is
 * missing until the catalog is put back. */
const struct error *store_strangers(const struct store *store);

/* Closes; an open transaction is rolled back. NULL is fine. */
void store_close(struct store *store);

/* From now on blocks are written encrypted, and those that are encrypted can be read. Blocks that are not stay readable.
 *   key  64 hexadecimal digits; copied
 * Returns 0 or ERR_CONFIG, which does not tell the key. */
int store_use_key(struct store *store, struct str key, struct error *err);

/* What is known of a source. Texts borrow from the store until the next store call. */
struct store_source {
	char name[RECORD_SOURCE_MAX + 1];
	char type[32];
	unsigned kinds; /* bit k: may give record kind k */
	struct str cursor;
	int64_t watermark_ns; /* INT64_MIN: none yet */
	int64_t first_time_ns,
		last_time_ns;  /* event times of records stored; INT64_MIN when none */
	int64_t last_batch_ns; /* wall time of the last committed batch */
	bool caught_up;
	uint64_t received, stored, duplicate,
		rejected; /* received = stored + duplicate; rejected are REJECT records among stored */
	uint64_t gaps;
	char state[16]; /* ok, retrying, failed, done, silent, "" */
	char state_text[512];
	int64_t state_since_ns;
};

/* Begins a transaction; there must be none. now_ns is its ingest time. */
int store_begin(struct store *store, int64_t now_ns, struct error *err);

/* Adds one record.
 *   record   decoded form of encoded; both borrowed until return
 *   out_leaf its number
 * Returns 0, ERR_LIMIT (a transaction holds at most 65,536 records and 256 MiB; this record is not in it), or ERR_NOMEM: then
 * the transaction was rolled back. */
int store_append(struct store *store, const struct record *record, struct str encoded,
		 uint64_t *out_leaf, struct error *err);

/* The canonical bytes of a record, committed or appended in the open transaction; for the writer, who compares what comes twice.
 * Borrowed until the next call on the store. Returns 0, ERR_GONE (no such leaf), ERR_CORRUPT or ERR_IO. */
int store_peek(struct store *store, uint64_t leaf, struct str *out_encoded, struct error *err);

/* Sets what is known of a source within the transaction (cursor and all); made when it is new. */
int store_put_source(struct store *store, const struct store_source *source, struct error *err);

/* Makes the transaction durable. Returns 0 or ERR_IO / ERR_NOMEM / ERR_CORRUPT; on failure nothing of it is stored and it is
 * rolled back. */
int store_commit(struct store *store, struct error *err);

/* Gives the transaction up. */
void store_rollback(struct store *store);

/* The next leaf number: as many records were committed, and store_removed says how many of them are gone. A reader learns of new ones by store_open,
 * store_sources, store_walk, scan_open and scan_fetch_open. */
uint64_t store_leaf_count(const struct store *store);

/* All sources, sorted by name; *out_sources is an array of *out_count, owned by the store until the next call. A reader sees
 * the newest committed state. */
int store_sources(struct store *store, const struct store_source **out_sources, size_t *out_count,
		  struct error *err);

/* Reads committed records in leaf order from first on: calls back with leaf, ingest time and canonical bytes (borrowed until the
 * callback returns). A callback result other than 0 ends the walk and is returned.
 * Returns 0, the callback's result, ERR_CORRUPT or ERR_IO. */
typedef int store_record_fn(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			    struct error *err);
int store_walk(struct store *store, uint64_t first, store_record_fn *each, void *owner,
	       struct error *err);

/* The same for a part of the records. Of sealed blocks only records of the kinds and the source are put together, of the head all are given. */
struct store_walk {
	uint64_t first;
	unsigned kinds;    /* bit k; 0: all */
	struct str source; /* empty: all */
	bool head_only;    /* not the sealed ones */
	store_record_fn *each;
	void *owner;
	/* Told of a block (or record) that cannot be read; then the walk goes on behind it. NULL: the walk ends with ERR_CORRUPT. */
	void (*damaged)(void *owner, uint64_t records, const struct error *what);
};
int store_walk_with(struct store *store, const struct store_walk *options, struct error *err);

/* Small settings that live with the store (text keys <= 64 bytes). get returns ERR_GONE when there is none. A put outside a
 * transaction commits by itself. */
int store_meta_get(struct store *store, const char *key, struct buf *out, struct error *err);
int store_meta_put(struct store *store, const char *key, struct str value, struct error *err);

/* What retention has taken away for good, as committed; for a reader the newest. */
struct store_removed {
	uint64_t records; /* leaves that are in no batch and no block any more */
	int64_t floor_ns; /* events before it are not wanted: they are refused when they come (again); INT64_MIN: none is */
};
int store_removed(struct store *store, struct store_removed *out, struct error *err);

/* Raises the floor; a lower one changes nothing. Within an open transaction it belongs to it, else it commits by itself. */
int store_raise_floor(struct store *store, int64_t floor_ns, struct error *err);

/* Removes the files that blocks and segments left behind and that no reader needs any more; for the writer, now and then. */
int store_sweep(struct store *store, int64_t now_ns, struct error *err);

/* Size of the directory's files and of the segments in bytes. */
int store_size(struct store *store, uint64_t *out_bytes, struct error *err);

#endif
