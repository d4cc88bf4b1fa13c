/* scan - read a store block by block, only the columns asked for, as codes and dictionaries.
 *
 * Shape:   a block is a set of records: a sealed block (store/block.h, rows in its order), or a batch of the head (in leaf order). Sealed blocks come
 *          first. Leaves of different blocks may lie between one another; each leaf comes once. A coded column has one code per row
 *          (SCAN_ABSENT: the field is absent) into a dictionary that belongs to the block; a number column has one int64 per row.
 * Snapshot: a scan sees the commits made before scan_open and none later. Scans and fetches of one struct store that are open at
 *          the same time share the snapshot of the first of them; close them soon, an old snapshot keeps the WAL growing.
 * Skipping: blocks outside the time range, without a wanted kind, or whose dictionaries hold none of a required value are not
 *          loaded; scan_stats says how many.
 * Life:    everything of a block lives until the next scan_next or scan_close.
 * Damage:  a block that can't be read is skipped and told: scan_next returns ERR_CORRUPT once for it (err names it), and may be
 *          called again to go on.
 * Threads: one scan per thread. Blocking: disk.
 * Source:  docs/format.md section 5. Tests: tests/unit/scan.c
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "base/error.h"
#include "model/record.h"
#include "store/store.h"

#define SCAN_ABSENT UINT32_MAX

struct scan;
struct scan_block;

enum scan_blocks { /* which blocks are wanted */
		   SCAN_ALL,
		   SCAN_WHOLE, /* sealed ones whose trails can be judged by themselves (store/summary.h) */
		   SCAN_NOT_WHOLE, /* all others, and the head */
};

struct scan_options {
	unsigned kinds; /* bit k; 0: all */
	int64_t from_ns,
		to_ns; /* half-open on event time, to skip blocks (rows are not filtered); from = INT64_MIN and
				  * to = INT64_MAX: all */
	enum scan_blocks blocks;
	const uint64_t
		*apart; /* numbers of whole blocks that count as not whole, rising; borrowed */
	size_t apart_count;
};

struct scan_field {
	enum record_kind kind;
	enum field field;
};

struct scan_codes {
	const uint32_t *code;   /* per row */
	const struct str *dict; /* distinct values, in no order */
	size_t dict_count;
};

struct scan_stats {
	uint64_t blocks, blocks_skipped, blocks_damaged, rows, bytes_read;
};

/* Begins a scan; options are copied. Returns 0 and *out_scan, or ERR_NOMEM, ERR_IO. */
int scan_open(struct store *store, const struct scan_options *options, struct scan **out_scan,
	      struct error *err);
void scan_close(struct scan *scan);

/* The next block: 0 and *out_block; ERR_GONE at the end; ERR_CORRUPT for a damaged block (go on with the next call); ERR_IO. */
int scan_next(struct scan *scan, const struct scan_block **out_block, struct error *err);

/* Rows in the block, and per row its leaf, kind and event time; and when a row was taken in. */
size_t scan_row_count(const struct scan_block *block);
const uint64_t *scan_leaves(const struct scan_block *block);
int scan_ingest_ns(const struct scan_block *block, size_t row, int64_t *out_ingest_ns,
		   struct error *err);
const uint8_t *scan_kinds(const struct scan_block *block);
const int64_t *scan_times(const struct scan_block *block);

/* A text column as codes, or a number column as values (absent rows are INT64_MIN). Columns that the block keeps apart
 * (store/columns.h) cost little; for others every record of the block is decoded. Returns 0, ERR_CORRUPT, ERR_NOMEM. */
int scan_text_column(const struct scan_block *block, enum field field, struct scan_codes *out_codes,
		     struct error *err);
int scan_number_column(const struct scan_block *block, enum field field, const int64_t **out_values,
		       struct error *err);

/* The same for the rows of one kind only, which costs less: value i is that of row rows.row[i]. They live until the column is
 * asked for again with another kind, or for all rows. */
struct scan_rows {
	const uint32_t *row; /* rising */
	size_t count;
};
int scan_rows_of(const struct scan_block *block, enum record_kind kind, struct scan_rows *out_rows,
		 struct error *err);
int scan_text_of(const struct scan_block *block, enum record_kind kind, enum field field,
		 struct scan_codes *out_codes, struct error *err);
int scan_source_of(const struct scan_block *block, enum record_kind kind,
		   struct scan_codes *out_codes, struct error *err);
int scan_number_of(const struct scan_block *block, enum record_kind kind, enum field field,
		   const int64_t **out_values, struct error *err);

/* Sets bit i of out_rows for each row rows.row[i] of a kind whose text matches: of a sealed block without putting its texts together
 * (store/block.h). Room for a bit of each row; other bits stay. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
struct block_needle;
int scan_find_text(const struct scan_block *block, struct scan_field where,
		   const struct block_needle *needle, uint64_t *out_rows, struct error *err);

/* The kinds that the block has rows of: bit k. */
unsigned scan_held(const struct scan_block *block);

/* The source names of the rows, as codes. */
int scan_source_column(const struct scan_block *block, struct scan_codes *out_codes,
		       struct error *err);

/* Whether the trails of the block can be judged by the block alone. If so, scan_parents gives for each row that of its request (of a statement) or of its
 * subject (of a verdict), or SCAN_ABSENT; the last verdict on a subject stands. */
bool scan_is_whole(const struct scan_block *block);

/* Adds to the sentence of a damage that was met in a sealed block what is lost with it (blocks_tell_loss). */
void scan_tell_loss(const struct scan_block *block, struct error *err);
int scan_parents(const struct scan_block *block, const uint32_t **out_parents, struct error *err);

/* The number of a sealed block, 0 of a batch of the head. */
uint64_t scan_number(const struct scan_block *block);

/* The numbers of whole blocks that may hold one of the leaves (rising), appended to out as uint64_t. Returns 0, ERR_IO or ERR_NOMEM. */
int scan_blocks_of(struct store *store, const uint64_t *leaves, size_t count, struct buf *out,
		   struct error *err);

/* The sealed blocks that a scan would give, by number, without reading them: their numbers, appended to out as uint64_t. Damage of the list is left to a scan. */
int scan_sealed_numbers(struct store *store, const struct scan_options *options, struct buf *out,
			struct error *err);

/* The summary of a sealed block (store/summary.h), with the columns that asked names (number, bytes and key are filled in); to be closed. Returns 0,
 * ERR_GONE (it has none), ERR_CORRUPT, or what the catalog says. */
struct summary;
struct summary_asked;
int scan_summary(struct store *store, uint64_t number, const struct summary_asked *asked,
		 struct summary **out_summary, struct error *err);

/* Summaries of many of these blocks together, as rollup_ask of store/rollup.h. */
struct rollup_ask;
int scan_rollups(struct store *store, const struct rollup_ask *ask, struct error *err);

/* One row whole, decoded; borrows from the block, of a sealed one until the next scan_record. */
int scan_record(const struct scan_block *block, size_t row, struct record *out_record,
		struct error *err);

/* Records by leaf, at random: decoded, borrowing from the fetch until the next call of it. Cheap when leaves come in rising
 * order. Returns 0, ERR_GONE (it was removed), ERR_CORRUPT (also: no such leaf), ERR_IO. */
struct scan_fetch;
int scan_fetch_open(struct store *store, struct scan_fetch **out_fetch, struct error *err);
void scan_fetch_close(struct scan_fetch *fetch);

/* From now on fetch also takes records from where other stands, since a statement and its request are often neighbours; such a
 * record borrows from other until the next call of other. other stays open as long as fetch is used. */
void scan_fetch_beside(struct scan_fetch *fetch, struct scan_fetch *other);
int scan_fetch_record(struct scan_fetch *fetch, uint64_t leaf, struct record *out_record,
		      int64_t *out_ingest_ns, struct error *err);

/* Leaves of records that hold this id in one of their id fields (request ids, trace id, statement_id, connection_id) or as stable
 * id, in rising order: at most found->max of them are written, and found->count is how many there are in all. Returns 0;
 * ERR_CORRUPT when some records could not be searched or read: found holds the others; ERR_IO or ERR_NOMEM: found is untouched. */
struct scan_found {
	uint64_t *leaves; /* room for max */
	size_t max;
	size_t count;
};
int scan_find_id(struct store *store, struct str id, struct scan_found *found, struct error *err);

/* What the scan has done so far. */
struct scan_stats scan_stats(const struct scan *scan);

#endif
