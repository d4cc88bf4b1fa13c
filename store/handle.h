/* handle - what a struct store holds; for the files of store/ only.
 *
 * Shape:   a writer has a connection that writes and, from the first scan on, a second one that reads, so that a scan's snapshot
 *          never stands in a commit's way.
 * Bytes:   the head's bytes stand in segments (store/segments.h); the catalog says which of them count.
 * Snapshot: scans, fetches and walks that are open at the same time share the snapshot of the first.
 * Threads: one struct store per thread. Tests: tests/unit/store.c
 */
#ifndef STORE_HANDLE_H
#define STORE_HANDLE_H

#include "store/blocks.h"
#include "store/catalog.h"
#include "store/chunk.h"
#include "store/columns.h"
#include "store/extent.h"
#include "store/head.h"
#include "store/headlog.h"
#include "store/log/salts.h"
#include "store/log/tree.h"
#include "store/store.h"

#define STORE_LOCK_FILE     "lock"
#define STORE_NEXT_LEAF_KEY "next_leaf"
#define STORE_KEY_BYTES     32
#define STORE_BATCH_MAX     COLUMNS_ROWS_MAX
#define STORE_BATCH_BYTES   (256u << 20)

/* The open transaction. */
struct store_pending {
	bool open;
	struct head_batch batch; /* record_count, times, kinds so far */
	struct buf bytes;        /* chunks one after another */
	size_t *starts;          /* of each record in bytes */
	uint32_t *sizes;
	size_t room;
	struct buf index; /* of the chunks */
	uint32_t chunk_count;
	struct chunk_builder builder;
	struct columns_builder *columns;
	struct buf columns_blob, ids_blob;
};

struct store {
	char *dir;
	bool writable;
	int lock_fd;
	struct catalog *catalog;   /* the writer's, or a reader's only one */
	struct catalog *reading;   /* what scans use; the same as catalog in a reader */
	struct segments segments;  /* for reading */
	struct headlog log;        /* the writer's end of the head */
	struct extent_reader peek; /* for store_peek, over committed records */
	const uint8_t *key;        /* of blocks, that is key_bytes; NULL: they are not encrypted */
	uint8_t key_bytes[STORE_KEY_BYTES];
	struct blocks *blocks;            /* of reading's snapshot */
	struct blocks *peek_blocks;       /* the writer's, over all that is committed */
	const struct blocks_list *sealed; /* of the snapshot */
	uint64_t
		sealed_end; /* records that are sealed or were removed: those with leaves below it */
	uint64_t removed;   /* of sealed_end, those that were removed */
	struct error sealed_damage; /* a row of a block that could not be read; code 0: none */
	struct error strangers;     /* files that should have a row and have none; code 0: none */
	struct buf peek_bytes;      /* of a sealed record, for store_peek */
	unsigned snapshot_users;
	uint64_t snapshot_leaf_count; /* committed when the snapshot began */
	uint64_t leaf_count;          /* committed, as last seen */
	uint64_t last_batch;
	struct store_pending pending;
	struct tree *
		tree; /* the writer's: the log with what the transaction adds; NULL: to be read again */
	struct salts *salts;          /* as tree */
	struct store_source *sources; /* what store_sources gave last */
	size_t source_count, source_room;
	struct buf text; /* cursors of sources */
};

/* Takes (a share in) a snapshot for reading and gives it back. Refreshes leaf_count of a reader. */
int store_snapshot_begin(struct store *store, struct error *err);
void store_snapshot_end(struct store *store);

/* Whether the head begins where it was last cut off, and where the blocks end; for a writer, who would else seal records again: ERR_CORRUPT. */
int store_check_head(struct catalog *catalog, struct error *err);
int store_check_blocks(struct store *store, struct error *err);

/* Compares what the snapshot's head and blocks hold with what was committed; a difference becomes sealed_damage. */
int store_tally(struct store *store, struct error *err);

/* Learns how many records are committed now; for a reader without a snapshot. */
int store_refresh(struct store *store, struct error *err);

/* The head has lost batches by a commit: its next batch goes on behind what is left. */
int store_head_removed(struct store *store, struct error *err);

/* The canonical bytes of a sealed record and when it was taken in. Returns 0, ERR_GONE (in no block), ERR_CORRUPT, ERR_IO or ERR_NOMEM.
 *   out  cleared first */
int store_sealed_record(struct blocks *blocks, uint64_t leaf, struct buf *out,
			int64_t *out_ingest_ns, struct error *err);

/* The log, for a writer: made when the store is new, read again after a rollback, grown with each record, written with the commit. */
int store_open_log(struct store *store, struct error *err);
int store_ready_log(struct store *store, struct error *err);
int store_log_record(struct store *store, uint64_t leaf, struct str encoded);
int store_save_log(struct store *store, struct error *err);
void store_forget_log(struct store *store);
void store_close_log(struct store *store);

/* Reads the sources into store->sources. */
int store_sources_read(struct store *store, struct error *err);

#endif
