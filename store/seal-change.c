#include "store/seal-change.h"

#include "store/log/forget.h"
#include "store/removed.h"
#include "store/shelf.h"

#include <assert.h>
#include <stdlib.h>

int seal_change_drop(const struct seal_change *change, struct seal_item *items, size_t *io_count,
		     struct leafset *dropped, struct error *err)
{
	size_t kept = 0;
	int rc = 0;
	if (change->drops == NULL) {
		return 0;
	}
	for (size_t i = 0; i < *io_count && rc == 0; i++) {
		if (!change->drops(change->owner, &items[i])) {
			items[kept++] = items[i];
		} else {
			rc = leafset_add(dropped, items[i].leaf, items[i].leaf, err);
		}
	}
	*io_count = kept;
	leafset_settle(dropped);
	return rc;
}

int seal_commit(const struct seal_commit *commit, bool *out_unsure, struct error *err)
{
	struct store *store = commit->store;
	struct catalog *catalog = store->catalog;
	*out_unsure = false;
	int rc = catalog_run(catalog, CATALOG_BEGIN_WRITE, err);
	if (rc < 0) {
		return rc;
	}
	rc = commit->change(commit->owner, err);
	if (rc == 0) {
		rc = catalog_run(catalog, CATALOG_COMMIT, err);
		*out_unsure = rc < 0;
		if (rc < 0 && sqlite3_errcode(catalog->db) != SQLITE_FULL) {
			headlog_abandon(&store->log);
		}
	}
	if (rc < 0) {
		store_forget_log(store); /* what was forgotten is known again */
	}
	if (rc < 0 && !sqlite3_get_autocommit(catalog->db)) {
		(void)catalog_run(catalog, CATALOG_ROLLBACK,
				  NULL); /* what fails is undone at open */
	}
	return rc;
}

struct removing {
	struct store *store;
	struct forget forget;
	const struct seal_removal *removal;
	struct seal_result result;
};

static int remove_blocks(void *owner, struct error *err)
{
	struct removing *removing = owner;
	const struct seal_removal *removal = removing->removal;
	struct seal_result *result = &removing->result;
	struct catalog *catalog = removing->store->catalog;
	int64_t since_ns = removal->no_grace ? BLOCKS_SHRED_NS : removal->now_ns;
	struct blocks_row *row = calloc(1, sizeof *row);
	int rc = row != NULL ? 0 : error_set(err, ERR_NOMEM, "no memory to remove blocks");
	for (size_t i = 0; i < removal->count && rc == 0; i++) {
		rc = blocks_read_row(catalog, removal->blocks[i], row, err);
		if (rc == 0) {
			result->dropped += row->about.row_count;
			result->bytes_before += row->file_bytes;
			result->blocks_removed++;
			rc = blocks_remove(catalog, removal->blocks[i], since_ns, err);
		}
	}
	free(row);
	result->records = result->dropped;
	rc = rc < 0 ? rc : removed_add(catalog, result->dropped, err);
	rc = rc < 0 ? rc : forget_apply(&removing->forget, removing->store, err);
	return rc < 0 || !removal->no_grace ? rc : blocks_shred_graves(catalog, err);
}

struct leaves_found {
	struct leafset *leaves;
	bool failed;
};

static void find_leaves(void *owner, const struct shelf_rows *rows)
{
	struct leaves_found *found = owner;
	for (size_t i = 0; i < rows->count; i++) {
		found->failed = found->failed || leafset_add(found->leaves, rows->leaves[i],
							     rows->leaves[i], NULL) < 0;
	}
}

/* The leaves of the blocks that go, and what is to be kept of them. */
static int look_at_blocks(struct removing *removing, struct error *err)
{
	struct leafset *leaves = &removing->forget.removed;
	struct leaves_found found = {.leaves = leaves};
	int rc = 0;
	for (size_t i = 0; i < removing->removal->count && rc == 0; i++) {
		struct blocks_row row;
		rc = shelf_row(removing->store, removing->removal->blocks[i], &row, err);
		rc = rc < 0 ? rc : shelf_open(removing->store, &row, find_leaves, &found, err);
		leafset_settle(leaves);
	}
	if (rc == 0 && found.failed) {
		rc = error_set(err, ERR_NOMEM, "no memory to remove blocks");
	}
	return rc < 0 ? rc : forget_take(&removing->forget, removing->store, err);
}

int seal_remove(struct store *store, const struct seal_removal *removal,
		struct seal_result *out_result, struct error *err)
{
	struct removing removing = {.store = store, .removal = removal};
	struct seal_commit commit = {.store = store, .change = remove_blocks, .owner = &removing};
	bool unsure = false;
	assert(store->writable && !store->pending.open && removal->count > 0);
	forget_init(&removing.forget);
	int rc = look_at_blocks(&removing, err);
	rc = rc < 0 ? rc : seal_commit(&commit, &unsure, err);
	forget_done(&removing.forget);
	if (rc == 0) {
		*out_result = removing.result;
	}
	return rc;
}

int seal_purge(struct store *store, bool *out_clean, struct error *err)
{
	struct catalog *catalog = store->catalog;
	assert(store->writable && !store->pending.open);
	*out_clean = false;
	int rc = blocks_sweep(store->dir, catalog, INT64_MAX, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_busy_timeout(catalog->db, 0); /* only sets a number */
	rc = sqlite3_wal_checkpoint_v2(catalog->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	(void)sqlite3_busy_timeout(catalog->db, CATALOG_BUSY_MS); /* as before */
	*out_clean = rc == SQLITE_OK;
	bool in_the_way = (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED;
	return rc == SQLITE_OK || in_the_way
		       ? 0
		       : catalog_error(catalog, rc, "emptying the log of the catalog", err);
}
