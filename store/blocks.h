/* blocks - the sealed blocks of a store: the catalog's list of them, and their files blocks/YYYY-MM/NNNNNNNN.qtb.
 *
 * Shape:   one file per block, in the folder of the month (UTC) of its smallest event time, written once: temporary name, fsync, rename, fsync
 *          of the folder; then one catalog transaction makes it count. Only the catalog says which blocks there are. A file that it does not
 *          know, with a number that is still to come, is the rest of a crash: the writer removes it when it opens the store. One with a lower number
 *          is a sign that the catalog is damaged: it stays, and is told.
 * Row:     number (never used again), what block_about says, spans (the leaves: a list of runs first..last, rough, that cover them), file size, SHA-256
 *          of the file, filters (store/id-filter.h), summary (store/summary.h), crc. docs/format.md section 9.7.
 * Removal: a replaced or expired block leaves the catalog in the same transaction that brings its successor; its file goes BLOCKS_GRACE_NS
 *          later (table `graves`), or when the writer closes, so that readers with an older snapshot can end.
 * Reading: struct blocks keeps a few blocks open, by their number and their rows (least recently used goes); fds and unpacked streams with them.
 * Errors:  ERR_CORRUPT names the file. A block file that is missing or wrong is damage; the others are read.
 * Threads: one per thread. Blocking: disk. Source: docs/format.md section 9.7. Tests: tests/unit/blocks.c
 */
#ifndef STORE_BLOCKS_H
#define STORE_BLOCKS_H

#include "base/arena.h"
#include "store/block.h"
#include "store/catalog.h"

#define BLOCKS_FOLDER   "blocks"
#define BLOCKS_OPEN_MAX 8
#define BLOCKS_OPEN_ROWS \
	(1u << 19) /* of all that are open; a row whose columns were read takes some 150 bytes */
#define BLOCKS_NAME_BYTES 64
#define BLOCKS_GRACE_NS   INT64_C(60000000000)
#define BLOCKS_SPANS_MAX  256

struct blocks_span {
	uint64_t first, last;
};

/* The name of a block's file under the store's folder: "blocks/2026-11/00000123.qtb". */
void blocks_name(const struct block_about *about, char out[BLOCKS_NAME_BYTES]);

/* What the catalog says of a block, without filters and summary. */
struct blocks_row {
	struct block_about about;
	char name[BLOCKS_NAME_BYTES]; /* "blocks/2026-11/00000123.qtb" */
	uint64_t file_bytes;
	uint8_t sha256[32];
	const struct blocks_span *
		spans; /* rising, not overlapping; they live as long as the list; none in a row that was read alone */
	size_t span_count;
	uint32_t
		redacted; /* requests, statements and rejects of which something was taken: model/redact.h */
	bool is_open;    /* holds records whose other half may still come: to be merged */
	bool is_whole;   /* its trails can be judged by itself: store/summary.h */
	bool has_strays; /* verdicts on records that are not in it */
};

/* All blocks by number, as of the connection's snapshot; kept until the catalog changes. */
struct blocks_list {
	struct blocks_row *rows;
	size_t count;
};

struct blocks;

/* dir and catalog are borrowed. key: 32 bytes or NULL. Returns NULL without memory. */
struct blocks *blocks_new(const char *dir, struct catalog *catalog, const uint8_t *key);
void blocks_free(struct blocks *blocks);

/* Closes the blocks that are open but not pinned: they take memory that something else is about to need. */
void blocks_rest(struct blocks *blocks);

/* The key for blocks that are opened from now on; borrowed. */
void blocks_use_key(struct blocks *blocks, const uint8_t *key);

/* The list; read again when the catalog changed. Borrowed until the next call. A damaged row is left out and told in damage (its code 0: none). */
int blocks_load(struct blocks *blocks, const struct blocks_list **out_list, struct error *damage,
		struct error *err);

/* An open block by its place in the list; borrowed until another one is asked for. */
int blocks_get(struct blocks *blocks, const struct blocks_row *row, struct block **out_block,
	       struct error *err);

/* The same without completing it (store/block.h, block_open_slim). */
int blocks_get_slim(struct blocks *blocks, const struct blocks_row *row, struct block **out_block,
		    struct error *err);

/* Opens a block for the caller alone, who closes block and fd; row is borrowed until then. */
int blocks_open_row(struct blocks *blocks, const struct blocks_row *row, int *out_fd,
		    struct block **out_block, struct error *err);

/* Blocks that are opened from now on tell a gauge what they hold, for block_measure; NULL: none. Borrowed. */
struct gauge;
void blocks_use_gauge(struct blocks *blocks, struct gauge *gauge);

/* Whether a block has one of the texts of fields, by looking into its file without opening the whole of it; true in doubt. One that has stays
 * open, so that blocks_get_slim is quick. */
struct blocks_look {
	const struct block_field *fields;
	size_t field_count;
	struct str text;
};
int blocks_look_into(struct blocks *blocks, const struct blocks_row *row,
		     const struct blocks_look *look, bool *out_may, struct error *err);

/* Adds to the sentence of a damage what is lost with the block: how many records, of which times. */
void blocks_tell_loss(const struct blocks_row *row, struct error *err);

/* A block that is open already, completed, which stays so until blocks_unpin; NULL: it is not. */
struct block *blocks_pin(struct blocks *blocks, uint64_t number);
void blocks_unpin(struct blocks *blocks, uint64_t number);

/* The block (perhaps slim) and row that hold a leaf, by the list as last loaded: ERR_GONE when none does; ERR_CORRUPT when one that may hold it cannot be read. */
int blocks_find_leaf(struct blocks *blocks, uint64_t leaf, struct block **out_block,
		     uint32_t *out_row, struct error *err);

/* Whether a block may hold an id (its key: model/carried.h) among its request ids and the like, or a record with this stable id. The filter
 * stays in memory with the list. A block without a filter may hold everything; a damaged filter is ERR_CORRUPT. */
enum blocks_blob { BLOCKS_FILTER_IDS, BLOCKS_FILTER_RECORDS, BLOCKS_SUMMARY };
struct blocks_asked {
	size_t index; /* in the list as last loaded */
	enum blocks_blob which;
	uint64_t key;
};
int blocks_may_hold(struct blocks *blocks, const struct blocks_asked *asked, bool *out_may,
		    struct error *err);

/* Writer: writes the file of a block and syncs it; then puts the row within the caller's transaction. remove takes a row away and
 * digs its grave. sweep removes files whose grace is over (now_ns INT64_MAX: all). sweep_rests, for when the store is opened, removes
 * what a crash left; strangers is told the files that no row and no grave knows although they should (its code 0: there are none). */
struct blocks_new {
	const struct block_about *about;
	struct str bytes;
	struct str filter_ids, filter_records, summary;
	const struct blocks_span *spans;
	size_t span_count;
	uint32_t redacted;
	bool is_open, is_whole, has_strays;
};
int blocks_write(const char *dir, const struct blocks_new *block, struct error *err);
int blocks_put(struct catalog *catalog, const struct blocks_new *block, struct error *err);
int blocks_remove(struct catalog *catalog, uint64_t number, int64_t now_ns, struct error *err);
int blocks_sweep(const char *dir, struct catalog *catalog, int64_t now_ns, struct error *err);
int blocks_sweep_rests(const char *dir, struct catalog *catalog, struct error *strangers,
		       struct error *err);

/* Adds the sizes of the files of blocks, also of those in graves. */
int blocks_size(const char *dir, uint64_t *bytes, struct error *err);

/* The number that the next block gets: one more than the highest that was ever put. Returns ERR_CORRUPT when the catalog has lost it. */
int blocks_next_number(struct catalog *catalog, uint64_t *out_number, struct error *err);

/* The row of one block: ERR_GONE, ERR_CORRUPT, ERR_NOMEM; and the one that a BLOCK_LIST statement stands on. spans: where they are put; NULL: nowhere. */
int blocks_read_row(struct catalog *catalog, uint64_t number, struct blocks_row *out_row,
		    struct error *err);
int blocks_take_row(struct catalog *catalog, sqlite3_stmt *statement, struct arena *spans,
		    struct blocks_row *out_row, struct error *err);

/* How often the list was changed so far. */
int blocks_changes(struct catalog *catalog, uint64_t *out_changes, struct error *err);

/* As since: a file that is overwritten before it is removed, without grace. */
#define BLOCKS_SHRED_NS INT64_MIN

/* Makes all graves so far such ones. */
int blocks_shred_graves(struct catalog *catalog, struct error *err);

/* Notes a file of the store ("head/000001.qth") that is to be removed when its grace is over. */
int blocks_dig_grave(struct catalog *catalog, const char *name, int64_t since_ns,
		     struct error *err);

/* Blobs of a block's row, appended to out: for searches. */
int blocks_blob(struct catalog *catalog, uint64_t number, enum blocks_blob which, struct buf *out,
		struct error *err);

#endif
