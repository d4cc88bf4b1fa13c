/* shelf - the sealed blocks one by one, for whoever decides what becomes of them as a whole.
 *
 * Threads: the writer's. Blocking: disk. Tests: tests/unit/rewrite.c
 */
#ifndef STORE_SHELF_H
#define STORE_SHELF_H

#include "store/blocks.h"
#include "store/store.h"

/* Calls back with each block as committed, by number; a result other than 0 ends it and is returned. A row of the catalog that cannot be read is passed over
 * and told in *out_damage (code 0: none). The store is not to be written to meanwhile. */
typedef int shelf_fn(void *owner, const struct blocks_row *row, struct error *err);
int shelf_walk(struct store *store, shelf_fn *each, void *owner, struct error *out_damage,
	       struct error *err);

/* The catalog's row of one block. Returns 0, ERR_GONE, ERR_CORRUPT or ERR_IO. */
int shelf_row(struct store *store, uint64_t number, struct blocks_row *out_row, struct error *err);

/* The rows of one block; the arrays are borrowed until the callback returns. */
struct shelf_rows {
	size_t count;
	const uint8_t *kinds;
	const uint64_t *leaves;
	const int64_t *times; /* of the events */
};
typedef void shelf_rows_fn(void *owner, const struct shelf_rows *rows);

/* Opens a block and calls back once. Returns 0, ERR_CORRUPT, ERR_IO, ERR_CONFIG (no key) or ERR_NOMEM. */
int shelf_open(struct store *store, const struct blocks_row *row, shelf_rows_fn *each, void *owner,
	       struct error *err);

#endif
