#include "store/store.h"

#include "base/io.h"
#include "base/parse.h"
#include "store/checksum.h"
#include "store/handle.h"
#include "store/lock.h"
#include "store/removed.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int read_next_leaf(struct catalog *catalog, uint64_t *out, struct error *err)
{
	struct buf text;
	buf_init(&text, 64);
	int rc = catalog_meta_get(catalog, STORE_NEXT_LEAF_KEY, &text, err);
	uint64_t next = 0;
	if (rc == -ERR_GONE || (rc == 0 && !parse_u64(buf_str(&text), &next))) {
		rc = error_set(err, ERR_CORRUPT,
			       "%s: the number of the next leaf is missing or damaged",
			       catalog->path);
	} else if (rc < 0) {
		rc = error_set(err, (enum error_code) - rc, "%s can't be read", catalog->path);
	}
	buf_done(&text);
	if (rc == 0) {
		*out = next;
	}
	return rc;
}

/* Where the head ends: behind its last batch, or, when all were sealed, where the last one was. */
static int find_end(struct catalog *catalog, struct head_end *last, struct headlog_end *end,
		    struct error *err)
{
	struct head_batch batch;
	int rc = head_last(catalog, &batch, err);
	if (rc == 0) {
		*last = (struct head_end){batch.batch, batch.first_leaf + batch.record_count,
					  batch.extent.segment};
		*end = (struct headlog_end){batch.extent.segment, extent_end(&batch)};
		return 0;
	}
	if (rc == -ERR_GONE) {
		rc = head_removed_last(catalog, last, err);
		end->number = last->segment; /* and no end in it: the next batch begins a new one */
	}
	if (rc == -ERR_GONE) { /* nothing was ever committed */
		error_clear(err);
		rc = 0;
	}
	return rc;
}

/* Where the next batch goes on; a head that does not end where the count says is damaged. */
static int load_end(struct store *store, bool group, struct error *err)
{
	int rc = read_next_leaf(store->catalog, &store->leaf_count, err);
	if (rc < 0 || !store->writable) {
		return rc;
	}
	struct head_end last = {0};
	struct headlog_end end = {0};
	rc = find_end(store->catalog, &last, &end, err);
	if (rc == 0 && last.leaf != store->leaf_count) {
		rc = error_set(err, ERR_CORRUPT,
			       "%s holds records up to leaf %llu, but %llu were committed",
			       store->catalog->path, (unsigned long long)last.leaf,
			       (unsigned long long)store->leaf_count);
	}
	if (rc < 0) {
		return rc;
	}
	rc = store_check_head(store->catalog, err);
	if (rc < 0) {
		return rc;
	}
	store->last_batch = last.batch;
	return headlog_open(&store->log, store->dir, group, &end, err);
}

/* Whether the catalog was never made, or never finished. */
static bool has_no_catalog(const char *dir)
{
	char path[4096];
	struct stat st;
	int len = snprintf(path, sizeof path, "%s/%s", dir, CATALOG_FILE);
	return len > 0 && (size_t)len < sizeof path &&
	       (stat(path, &st) != 0 ? errno == ENOENT : st.st_size == 0);
}

static int check_dir(const char *dir, enum store_mode mode, bool *out_group, struct error *err)
{
	if (mode == STORE_CREATE) {
		int rc = io_make_dir(dir, 0700, err);
		if (rc < 0) {
			return rc;
		}
	}
	struct stat st;
	if (stat(dir, &st) != 0) {
		if (errno == ENOENT) {
			return error_set(err, ERR_CONFIG,
					 "there is no store: the folder %s does not exist", dir);
		}
		return error_errno(err, "%s can't be looked at", dir);
	}
	if (!S_ISDIR(st.st_mode)) {
		return error_set(err, ERR_CONFIG, "%s is not a folder, so this is no store", dir);
	}
	*out_group = (st.st_mode & S_IRGRP) != 0;
	return 0;
}

static int open_parts(struct store *store, enum store_mode mode, struct error *err)
{
	static const enum catalog_mode catalog_modes[] = {
		[STORE_READ] = CATALOG_READ,
		[STORE_WRITE] = CATALOG_WRITE,
		[STORE_CREATE] = CATALOG_CREATE,
	};
	bool group = false;
	int rc = check_dir(store->dir, mode, &group, err);
	if (rc == 0 && store->writable) {
		rc = lock_take(store->dir, group, &store->lock_fd, err);
	}
	if (rc == 0 && mode == STORE_CREATE && has_no_catalog(store->dir) &&
	    headlog_has_segments(store->dir)) {
		rc = error_set(err, ERR_CORRUPT,
			       "%s/%s is damaged: it is empty or missing, but %s/" SEGMENT_FOLDER
			       " holds records; put it back",
			       store->dir, CATALOG_FILE, store->dir);
	}
	rc = rc < 0 ? rc : catalog_open(store->dir, catalog_modes[mode], &store->catalog, err);
	if (rc < 0) {
		return rc;
	}
	extent_reader_init(&store->peek, store->catalog, &store->segments);
	store->peek_blocks = blocks_new(store->dir, store->catalog, store->key);
	if (store->peek_blocks == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to open the store %s", store->dir);
	}
	rc = load_end(store, group, err);
	if (rc < 0 || !store->writable) {
		return rc;
	}
	rc = store_check_blocks(store, err);
	rc = rc < 0 ? rc : store_open_log(store, err);
	return rc < 0 ? rc : blocks_sweep_rests(store->dir, store->catalog, &store->strangers, err);
}

int store_open(const char *dir, enum store_mode mode, struct store **out_store, struct error *err)
{
	struct store *store = calloc(1, sizeof *store);
	if (store == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to open the store %s", dir);
	}
	store->lock_fd = -1;
	store->log.fd = -1;
	store->writable = mode != STORE_READ;
	buf_init(&store->text, 0);
	buf_init(&store->peek_bytes, RECORD_MAX_BYTES);
	buf_init(&store->pending.bytes, STORE_BATCH_BYTES + STORE_BATCH_BYTES / 8);
	buf_init(&store->pending.index, 0);
	buf_init(&store->pending.columns_blob, 0);
	buf_init(&store->pending.ids_blob, 0);
	store->dir = strdup(dir);
	segments_init(&store->segments, store->dir);
	if (store->writable) {
		store->pending.columns = columns_builder_new();
	}
	int rc = 0;
	if (store->dir == NULL || (store->writable && store->pending.columns == NULL)) {
		rc = error_set(err, ERR_NOMEM, "no memory to open the store %s", dir);
	}
	rc = rc < 0 ? rc : open_parts(store, mode, err);
	if (rc < 0) {
		store_close(store);
		return rc;
	}
	store->reading = store->writable ? NULL : store->catalog;
	*out_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (store == NULL) {
		return;
	}
	assert(store->snapshot_users == 0);
	store_rollback(store);
	if (store->writable &&
	    store->peek_blocks != NULL) { /* what fails is done at the next open */
		(void)blocks_sweep(store->dir, store->catalog, INT64_MAX, NULL);
	}
	if (store->blocks != store->peek_blocks) {
		blocks_free(store->blocks);
	}
	blocks_free(store->peek_blocks);
	buf_done(&store->peek_bytes);
	extent_reader_done(&store->peek);
	segments_done(&store->segments);
	headlog_close(&store->log);
	if (store->reading != store->catalog) {
		catalog_close(store->reading);
	}
	catalog_close(store->catalog);
	if (store->lock_fd >= 0) {
		(void)close(store->lock_fd); /* only a lock */
	}
	store_close_log(store);
	columns_builder_free(store->pending.columns);
	buf_done(&store->pending.columns_blob);
	buf_done(&store->pending.ids_blob);
	buf_done(&store->pending.bytes);
	buf_done(&store->pending.index);
	free(store->pending.starts);
	free(store->pending.sizes);
	free(store->sources);
	buf_done(&store->text);
	explicit_bzero(store->key_bytes, sizeof store->key_bytes);
	free(store->dir);
	free(store);
}

static int peek_committed(struct store *store, uint64_t leaf, struct str *out_encoded,
			  struct error *err)
{
	const struct blocks_list *list = NULL;
	int64_t ingest_ns = 0;
	int rc = extent_reader_get(&store->peek, leaf, out_encoded, NULL, err);
	if (rc != -ERR_GONE) {
		return rc;
	}
	rc = blocks_load(store->peek_blocks, &list, NULL, err);
	rc = rc < 0 ? rc
		    : store_sealed_record(store->peek_blocks, leaf, &store->peek_bytes, &ingest_ns,
					  err);
	if (rc == 0) {
		*out_encoded = buf_str(&store->peek_bytes);
	}
	return rc;
}

int store_peek(struct store *store, uint64_t leaf, struct str *out_encoded, struct error *err)
{
	const struct store_pending *pending = &store->pending;
	if (leaf < store->leaf_count) {
		return peek_committed(store, leaf, out_encoded, err);
	}
	uint64_t index = leaf - store->leaf_count;
	if (!pending->open || index >= pending->batch.record_count) {
		return error_set(err, ERR_GONE, "%s has no leaf %llu", store->catalog->path,
				 (unsigned long long)leaf);
	}
	*out_encoded = str_make(pending->bytes.ptr + pending->starts[index], pending->sizes[index]);
	return 0;
}

const struct error *store_strangers(const struct store *store)
{
	return store->strangers.code != 0 ? &store->strangers : NULL;
}

uint64_t store_leaf_count(const struct store *store)
{
	return store->leaf_count;
}

/* The list of blocks of the snapshot. */
static int load_sealed(struct store *store, struct error *err)
{
	if (store->blocks == NULL) {
		store->blocks = store->reading == store->catalog
					? store->peek_blocks
					: blocks_new(store->dir, store->reading, store->key);
	}
	if (store->blocks == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the blocks of %s", store->dir);
	}
	struct store_removed removed = {0};
	int rc = blocks_load(store->blocks, &store->sealed, &store->sealed_damage, err);
	rc = rc < 0 ? rc : removed_read(store->reading, &removed, err);
	store->removed = removed.records;
	store->sealed_end = removed.records;
	for (size_t i = 0; rc == 0 && i < store->sealed->count; i++) {
		store->sealed_end += store->sealed->rows[i].about.row_count;
	}
	if (rc == 0 && store->sealed_damage.code == 0) {
		rc = store_tally(store, err);
	}
	return rc;
}

int store_snapshot_begin(struct store *store, struct error *err)
{
	if (store->reading == NULL) {
		int rc = catalog_open(store->dir, CATALOG_READ, &store->reading, err);
		if (rc < 0) {
			return rc;
		}
	}
	if (store->snapshot_users > 0) {
		store->snapshot_users++;
		return 0;
	}
	int rc = catalog_run(store->reading, CATALOG_BEGIN_READ, err);
	if (rc < 0) {
		return rc;
	}
	rc = read_next_leaf(store->reading, &store->snapshot_leaf_count, err);
	rc = rc < 0 ? rc : load_sealed(store, err);
	if (rc < 0) {
		(void)catalog_run(store->reading, CATALOG_ROLLBACK, NULL); /* nothing was written */
		return rc;
	}
	if (!store->writable) {
		store->leaf_count = store->snapshot_leaf_count;
	}
	store->snapshot_users = 1;
	return 0;
}

int store_refresh(struct store *store, struct error *err)
{
	return read_next_leaf(store->catalog, &store->leaf_count, err);
}

void store_snapshot_end(struct store *store)
{
	assert(store->snapshot_users > 0);
	if (--store->snapshot_users == 0) {
		(void)catalog_run(store->reading, CATALOG_ROLLBACK, NULL); /* nothing was written */
	}
}

int store_meta_get(struct store *store, const char *key, struct buf *out, struct error *err)
{
	return catalog_meta_get(store->catalog, key, out, err);
}

int store_meta_put(struct store *store, const char *key, struct str value, struct error *err)
{
	assert(store->writable && strlen(key) <= 64);
	return catalog_meta_put(store->catalog, key, value, err);
}

int store_size(struct store *store, uint64_t *out_bytes, struct error *err)
{
	DIR *dir = opendir(store->dir);
	if (dir == NULL) {
		return error_errno(err, "%s can't be read", store->dir);
	}
	uint64_t bytes = 0;
	for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		struct stat st;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode)) {
			bytes += (uint64_t)st.st_size;
		}
	}
	(void)closedir(dir); /* only read */
	int rc = headlog_size(store->dir, &bytes, err);
	rc = rc < 0 ? rc : blocks_size(store->dir, &bytes, err);
	if (rc == 0) {
		*out_bytes = bytes;
	}
	return rc;
}
