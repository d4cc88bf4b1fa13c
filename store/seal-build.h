/* seal-build - one new block: built from records of the inputs, written, read back from its file and compared record by record.
 *
 * Compared: the SHA-256 of each record's canonical bytes and its ingest time, as they were read from the input, with those that the file gives;
 *          each leaf once. The filters are made of what the file gives.
 * Life:    a seal_built owns all that the catalog's row needs; its file counts only once the row is committed.
 * Errors:  ERR_CORRUPT names leaf and file; ERR_IO (a full disk), ERR_LIMIT, ERR_NOMEM. After each the file is gone, as far as the disk lets.
 * Threads: the writer's. Blocking: disk. Tests: tests/unit/seal-build.c
 */
#ifndef STORE_SEAL_BUILD_H
#define STORE_SEAL_BUILD_H

#include "store/seal-input.h"
#include "store/seal.h"

#define SEAL_BLOCK_BYTES \
	(160u << 20) /* a block ends when its records take as much, whatever was planned */

struct seal_built {
	struct block_about about;
	struct buf bytes, filter_ids, filter_records, summary;
	struct blocks_span *spans;
	size_t span_count;
	uint32_t redacted; /* as in struct blocks_row */
	uint64_t changed;  /* records that came in otherwise */
	bool is_open, is_whole, has_strays;
	bool is_written; /* there is a file */
};

/* Builds a block of the records items[order[0]], items[order[1]], .. and writes it. It holds the first about.row_count of them, fewer than count
 * when they pass SEAL_BLOCK_BYTES. out_built is to be freed with seal_built_done in any case. */
struct seal_part {
	const struct seal_item *items;
	const uint32_t *order;
	size_t count;
	size_t made; /* blocks that are built already and not put yet: their numbers are taken */
	bool is_open;
	const struct seal_change *change; /* NULL: none */
	struct leafset *redacted;         /* gets the leaves of changed records */
};
int seal_build(struct seal_inputs *inputs, const struct seal_part *part, const uint8_t *key,
	       struct seal_built *out_built, struct error *err);

/* What the catalog gets. */
struct blocks_new seal_built_row(const struct seal_built *built);

/* Frees; the file stays. */
void seal_built_done(struct seal_built *built);

/* Removes the file of a block that was not registered. */
void seal_built_undo(struct seal_built *built, const char *dir);

#endif
