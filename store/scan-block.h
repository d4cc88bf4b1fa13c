/* scan-block - what a scan keeps of the block at hand; shared by scan.c (blocks, records) and scan-column.c (columns) alone.
 *
 * Life:    memory stays from block to block. Threads: as the scan. Tests: tests/unit/scan.c, tests/unit/scan-column.c
 */
#ifndef STORE_SCAN_BLOCK_H
#define STORE_SCAN_BLOCK_H

#include "base/arena.h"
#include "store/dict.h"
#include "store/handle.h"
#include "store/scan.h"
#include "store/sections.h"

/* One column of the current block. The memory stays for the next block. */
struct scan_column {
	bool loaded;
	uint8_t kind;              /* loaded for the rows of this kind only; 0: for all */
	struct buf bytes;          /* the section */
	struct columns_codes text; /* its texts borrow from bytes, or from made */
	int64_t *numbers;
	size_t codes_room, numbers_room;
	struct dict *made; /* of a column that was read from the records */
};

/* The rows of one kind. The memory stays for the next block. */
struct kind_rows {
	bool made;
	uint32_t *row;
	size_t room;
};

struct scan_block {
	struct scan *scan;
	struct block *sealed; /* NULL: a batch of the head */
	const struct blocks_row *sealed_row;
	uint64_t sealed_number;
	bool is_pinned; /* in the store's list of open blocks; else sealed and sealed_fd are the scan's own */
	int sealed_fd;
	struct head_batch batch;
	size_t row_count;
	const uint64_t *leaves; /* own_leaves, or the sealed block's; kinds and times likewise */
	const uint8_t *kinds;
	const int64_t *times;
	uint64_t *own_leaves;
	size_t leaves_room;
	uint8_t *own_kinds;
	struct columns_rows rows; /* of kinds */
	struct kind_rows of_kind[RECORD_KIND_COUNT];
	size_t kinds_room;
	struct str *records; /* per row; ptr NULL: not read yet */
	size_t records_room;
	bool records_begun;
};

struct scan {
	struct store *store;
	struct scan_options options;
	sqlite3_stmt *head;
	size_t next_sealed;        /* in the list of blocks */
	bool sealed_told;          /* what is wrong with the list of blocks was told */
	struct buf sealed_record;  /* a record of a sealed block */
	struct extent_index index; /* of the block, from the first record that is read */
	bool row_waits;            /* the head statement stands on a row that was not used yet */
	bool done;
	bool leaf_known; /* whether next_leaf is known; it is not behind damage */
	uint64_t next_leaf;
	struct sections sections;
	struct arena arena; /* chunks of the block that were read */
	struct scan_column columns[COLUMNS_ID_MAX];
	struct scan_block block;
	struct scan_stats stats;
};

/* Makes *room at least count elements of size bytes; what was there is lost. */
int scan_make_room(void **memory, size_t *room, size_t count, size_t size);

/* The event times of all rows, into columns[COLUMNS_TIME]. */
int scan_load_times(struct scan *scan, struct error *err);

/* Whether the options ask for a sealed block. */
bool scan_wants_sealed(const struct scan_options *options, const struct blocks_row *row);

/* Goes to a sealed block and away from it. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int scan_sealed_enter(struct scan *scan, const struct blocks_row *row, struct error *err);
void scan_sealed_leave(struct scan *scan);

/* Columns of the sealed block at hand; kind 0: all kinds. id is a field, or COLUMNS_SOURCE. Returns and memory as scan_text_of. */
int scan_sealed_text(struct scan *scan, unsigned id, unsigned kind, struct scan_codes *out_codes,
		     struct error *err);
int scan_sealed_number(struct scan *scan, unsigned field, unsigned kind, const int64_t **out_values,
		       struct error *err);

/* As scan_find_text, in the sealed block at hand. */
int scan_sealed_find(const struct scan_block *block, struct scan_field where,
		     const struct block_needle *needle, uint64_t *out_rows, struct error *err);

/* One row of it. */
int scan_sealed_record(struct scan *scan, size_t row, struct record *out_record, struct error *err);

/* Makes room for the codes and numbers of a column. */
int scan_codes_room(struct scan_column *column, size_t count, struct error *err);
int scan_numbers_room(struct scan_column *column, size_t count, struct error *err);

/* Frees a column. */
void scan_column_done(struct scan_column *column);

#endif
