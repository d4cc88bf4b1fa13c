#include "store/handle.h"

#include "base/parse.h"
#include "store/removed.h"

struct leaves {
	uint64_t begin, end;
};

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

/* Where the head begins and ends; both are `fallback` when it is empty. */
static int find_head(struct catalog *catalog, uint64_t fallback, struct leaves *out,
		     struct error *err)
{
	struct head_batch first, last;
	int rc = head_first(catalog, &first, err);
	rc = rc < 0 ? rc : head_last(catalog, &last, err);
	if (rc == -ERR_GONE) {
		*out = (struct leaves){fallback, fallback};
		error_clear(err);
		return 0;
	}
	if (rc == 0) {
		*out = (struct leaves){first.first_leaf, last.first_leaf + last.record_count};
	}
	return rc;
}

int store_check_head(struct catalog *catalog, struct error *err)
{
	struct head_end cut = {.leaf = 0};
	struct leaves head = {0};
	int rc = head_removed_last(catalog, &cut, err);
	if (rc == -ERR_GONE) { /* none ever were */
		error_clear(err);
		rc = 0;
	}
	rc = rc < 0 ? rc : find_head(catalog, cut.begin, &head, err);
	if (rc == 0 && head.begin != cut.begin) {
		rc = error_set(err, ERR_CORRUPT,
			       "%s is damaged: the head begins at leaf %llu, not at %llu",
			       catalog->path, (unsigned long long)head.begin,
			       (unsigned long long)cut.begin);
	}
	return rc;
}

/* Whether the blocks end where the head begins. Returns 0 or ERR_CORRUPT. */
static int compare(const struct catalog *catalog, uint64_t sealed, uint64_t head, struct error *err)
{
	return head == sealed ? 0
			      : error_set(err, ERR_CORRUPT,
					  "%s is damaged: %llu records are in blocks or were "
					  "removed, but the "
					  "head begins at leaf %llu",
					  catalog->path, (unsigned long long)sealed,
					  (unsigned long long)head);
}

int store_check_blocks(struct store *store, struct error *err)
{
	const struct blocks_list *list = NULL;
	struct store_removed removed;
	struct error damage;
	struct leaves head = {0};
	int rc = blocks_load(store->peek_blocks, &list, &damage, err);
	rc = rc < 0 ? rc : removed_read(store->catalog, &removed, err);
	rc = rc < 0 ? rc : find_head(store->catalog, store->leaf_count, &head, err);
	if (rc < 0 || damage.code != 0) { /* what a damaged row speaks of is not known */
		return rc;
	}
	uint64_t sealed = removed.records;
	for (size_t i = 0; i < list->count; i++) {
		sealed += list->rows[i].about.row_count;
	}
	return compare(store->catalog, sealed, head.begin, err);
}

int store_tally(struct store *store, struct error *err)
{
	struct leaves head = {0};
	int rc = find_head(store->reading, store->snapshot_leaf_count, &head, err);
	if (rc == -ERR_CORRUPT) { /* of the head: who reads it is told */
		error_clear(err);
		return 0;
	}
	if (rc == 0) {
		(void)compare(store->reading, store->sealed_end, head.begin, &store->sealed_damage);
	}
	return rc;
}
