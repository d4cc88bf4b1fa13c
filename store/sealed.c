#include "store/handle.h"

#include "base/parse.h"

int store_sealed_record(struct blocks *blocks, uint64_t leaf, struct buf *out,
			int64_t *out_ingest_ns, struct error *err)
{
	struct block *block = NULL;
	uint32_t row = 0;
	buf_clear(out);
	int rc = blocks_find_leaf(blocks, leaf, &block, &row, err);
	rc = rc < 0 ? rc : block_ingest_at(block, row, out_ingest_ns, err);
	return rc < 0 ? rc : block_record(block, row, out, err);
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

int store_use_key(struct store *store, struct str key, struct error *err)
{
	struct buf bytes;
	buf_init(&bytes, STORE_KEY_BYTES + 1);
	bool fits = key.len == (size_t)2 * STORE_KEY_BYTES && parse_hex(key, &bytes) &&
		    bytes.len == STORE_KEY_BYTES;
	if (fits) {
		memcpy(store->key_bytes, bytes.ptr, STORE_KEY_BYTES);
		store->key = store->key_bytes;
		blocks_use_key(store->peek_blocks, store->key);
		if (store->blocks != NULL) {
			blocks_use_key(store->blocks, store->key);
		}
	}
	if (bytes.len > 0) {
		explicit_bzero(bytes.ptr, bytes.len);
	}
	buf_done(&bytes);
	return fits ? 0
		    : error_set(err, ERR_CONFIG,
				"the key of the store is not 64 hexadecimal digits");
}
