#include "store/handle.h"

int store_sealed_record(struct blocks *blocks, uint64_t leaf, struct buf *out,
			int64_t *out_ingest_ns, struct error *err)
{
	struct block *block = NULL;
	uint32_t row = 0;
	const int64_t *ingest_ns = NULL;
	buf_clear(out);
	int rc = blocks_find_leaf(blocks, leaf, &block, &row, err);
	rc = rc < 0 ? rc : block_ingest_times(block, &ingest_ns, err);
	rc = rc < 0 ? rc : block_record(block, row, out, err);
	if (rc == 0) {
		*out_ingest_ns = ingest_ns[row];
	}
	return rc;
}

int store_head_removed(struct store *store, struct error *err)
{
	struct head_batch last;
	int rc = head_last(store->catalog, &last, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		headlog_retire(&store->log);
		rc = 0;
	}
	return rc;
}

int store_sweep(struct store *store, int64_t now_ns, struct error *err)
{
	return blocks_sweep(store->dir, store->catalog, now_ns, err);
}
