#include "store/scan.h"

#include "store/handle.h"

#include <stdlib.h>

struct scan_fetch {
	struct store *store;
	struct extent_reader reader;
	struct buf sealed;         /* a record out of a block */
	struct scan_fetch *beside; /* NULL: none */
};

int scan_fetch_open(struct store *store, struct scan_fetch **out_fetch, struct error *err)
{
	struct scan_fetch *fetch = calloc(1, sizeof *fetch);
	if (fetch == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to fetch records");
	}
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		free(fetch);
		return rc;
	}
	fetch->store = store;
	extent_reader_init(&fetch->reader, store->reading, &store->segments);
	buf_init(&fetch->sealed, RECORD_MAX_BYTES);
	*out_fetch = fetch;
	return 0;
}

void scan_fetch_close(struct scan_fetch *fetch)
{
	if (fetch == NULL) {
		return;
	}
	extent_reader_done(&fetch->reader);
	buf_done(&fetch->sealed);
	store_snapshot_end(fetch->store);
	free(fetch);
}

void scan_fetch_beside(struct scan_fetch *fetch, struct scan_fetch *other)
{
	fetch->beside = other;
}

/* The bytes of a leaf out of the head. */
static int from_head(struct scan_fetch *fetch, uint64_t leaf, struct str *out_encoded,
		     int64_t *out_ingest_ns, struct error *err)
{
	const struct head_batch *batch = NULL;
	bool is_beside = fetch->beside != NULL && extent_reader_holds(&fetch->beside->reader, leaf);
	struct extent_reader *reader = is_beside ? &fetch->beside->reader : &fetch->reader;
	int rc = extent_reader_get(reader, leaf, out_encoded, &batch, err);
	if (rc == 0) {
		*out_ingest_ns = batch->ingest_ns;
	}
	return rc;
}

/* The bytes of a leaf, out of a block when one has it. */
static int find_bytes(struct scan_fetch *fetch, uint64_t leaf, struct str *out_encoded,
		      int64_t *out_ingest_ns, struct error *err)
{
	struct store *store = fetch->store;
	struct error sealed;
	error_clear(&sealed);
	if (store->sealed->count > 0) {
		int rc = store_sealed_record(store->blocks, leaf, &fetch->sealed, out_ingest_ns,
					     &sealed);
		if (rc == 0) {
			*out_encoded = buf_str(&fetch->sealed);
			return 0;
		}
	}
	if (store->sealed_damage.code != 0 && (sealed.code == 0 || sealed.code == ERR_GONE)) {
		sealed = store->sealed_damage; /* the block whose row is damaged may hold it */
	}
	int rc = from_head(fetch, leaf, out_encoded, out_ingest_ns, err);
	if (rc == -ERR_GONE && sealed.code != 0 && sealed.code != ERR_GONE) {
		return error_set(err, (enum error_code)sealed.code, "%s", sealed.text);
	}
	return rc;
}

int scan_fetch_record(struct scan_fetch *fetch, uint64_t leaf, struct record *out_record,
		      int64_t *out_ingest_ns, struct error *err)
{
	struct store *store = fetch->store;
	struct str encoded;
	if (leaf >= store->snapshot_leaf_count) {
		return error_set(err, ERR_CORRUPT, "%s has no leaf %llu", store->reading->path,
				 (unsigned long long)leaf);
	}
	int rc = find_bytes(fetch, leaf, &encoded, out_ingest_ns, err);
	if (rc == -ERR_GONE && store->removed > 0 && leaf < store->sealed_end) {
		return error_set(err, ERR_GONE, "leaf %llu was removed from %s",
				 (unsigned long long)leaf, store->dir);
	}
	if (rc == -ERR_GONE) { /* it was committed, its batch is not there */
		return error_set(err, ERR_CORRUPT, "%s: the batch of leaf %llu is missing",
				 store->reading->path, (unsigned long long)leaf);
	}
	if (rc < 0) {
		return rc;
	}
	rc = record_decode(encoded, out_record, err);
	if (rc < 0) {
		error_prefix(err, "%s, leaf %llu", store->dir,
			     (unsigned long long)leaf); /* as rc */
	}
	return rc;
}
