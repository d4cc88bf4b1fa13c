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
	struct head_batch batch;
	size_t row_count;
	uint64_t *leaves;
	size_t leaves_room;
	uint8_t *kinds;
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

/* Frees a column. */
void scan_column_done(struct scan_column *column);

#endif
