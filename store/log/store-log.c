/* The log of a store that is open for writing. */
#include "store/handle.h"
#include "store/log/leaf.h"

#include <assert.h>

/* A store without a record gets its log; one with records and without one is damaged, which tree_load says. */
static int create(struct store *store, struct error *err)
{
	struct catalog *catalog = store->catalog;
	struct merkle_range range;
	struct locator open;
	int rc = store->leaf_count > 0 ? 0 : tree_read_state(catalog, &range, &open, err);
	if (rc != -ERR_CORRUPT) {
		return rc;
	}
	error_clear(err);
	rc = catalog_run(catalog, CATALOG_BEGIN_WRITE, err);
	if (rc < 0) {
		return rc;
	}
	rc = salts_create(catalog, err);
	rc = rc < 0 ? rc : tree_create(catalog, err);
	rc = rc < 0 ? rc : catalog_run(catalog, CATALOG_COMMIT, err);
	if (rc < 0 && !sqlite3_get_autocommit(catalog->db)) {
		(void)catalog_run(catalog, CATALOG_ROLLBACK, NULL); /* the first error counts */
	}
	return rc;
}

int store_open_log(struct store *store, struct error *err)
{
	int rc = create(store, err);
	return rc < 0 ? rc : store_ready_log(store, err);
}

int store_ready_log(struct store *store, struct error *err)
{
	int rc = 0;
	if (store->tree == NULL) {
		rc = tree_load(store->catalog, &store->tree, err);
	}
	if (rc == 0 && store->salts == NULL) {
		rc = salts_load(store->catalog, &store->salts, err);
	}
	if (rc == 0 && tree_range(store->tree)->size != store->leaf_count) {
		rc = error_set(err, ERR_CORRUPT,
			       "%s: the log has %llu leaves, but %llu records were committed",
			       store->catalog->path,
			       (unsigned long long)tree_range(store->tree)->size,
			       (unsigned long long)store->leaf_count);
	}
	return rc;
}

int store_log_record(struct store *store, uint64_t leaf, struct str encoded)
{
	struct log_salt salt;
	struct log_leaf about;
	struct log_entry entry;
	struct merkle_hash hash;
	int rc = salts_get(store->salts, leaf, &salt);
	assert(rc == 0 && leaf == tree_range(store->tree)->size); /* it was never used before */
	rc = log_leaf_of(encoded, store->pending.batch.ingest_ns, &salt, &about, NULL);
	if (rc < 0) {
		return rc;
	}
	log_entry_make(&about, &entry);
	merkle_leaf(str_make(entry.bytes, entry.len), &hash);
	return tree_add(store->tree, &hash);
}

int store_save_log(struct store *store, struct error *err)
{
	return tree_save(store->tree, store->catalog, err);
}

void store_forget_log(struct store *store)
{
	tree_free(store->tree);
	salts_free(store->salts);
	store->tree = NULL;
	store->salts = NULL;
}

void store_close_log(struct store *store)
{
	store_forget_log(store);
}
