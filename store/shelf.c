#include "store/shelf.h"

#include "base/io.h"
#include "store/handle.h"

#include <assert.h>

int shelf_walk(struct store *store, shelf_fn *each, void *owner, struct error *out_damage,
	       struct error *err)
{
	const struct blocks_list *list = NULL;
	assert(store->writable);
	error_clear(out_damage);
	int rc = blocks_load(store->peek_blocks, &list, out_damage, err);
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		rc = each(owner, &list->rows[i], err);
	}
	return rc;
}

int shelf_row(struct store *store, uint64_t number, struct blocks_row *out_row, struct error *err)
{
	return blocks_read_row(store->catalog, number, out_row, err);
}

int shelf_open(struct store *store, const struct blocks_row *row, shelf_rows_fn *each, void *owner,
	       struct error *err)
{
	IO_CLOSE int fd = -1;
	struct block *block = NULL;
	int rc = blocks_open_row(store->peek_blocks, row, &fd, &block, err);
	if (rc < 0) {
		return rc;
	}
	const struct shelf_rows rows = {.count = block_about(block)->row_count,
					.kinds = block_kinds(block),
					.leaves = block_leaves(block),
					.times = block_times(block)};
	each(owner, &rows);
	block_close(block);
	return 0;
}
