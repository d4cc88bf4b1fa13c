#include "store/scan.h"

#include "store/handle.h"

#include <stdlib.h>

struct scan_fetch {
	struct store *store;
	sqlite3_stmt *
		chunk_at; /* stands on the row of the current chunk: its bytes are borrowed from SQLite's page */
	sqlite3_stmt *batch_at;
	struct head_chunk chunk; /* record_count 0: none */
	struct head_batch batch; /* record_count 0: none */
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
	rc = catalog_prepare(store->reading, CATALOG_RECORDS_AT, &fetch->chunk_at, err);
	if (rc == 0) {
		rc = catalog_prepare(store->reading, CATALOG_HEAD_AT, &fetch->batch_at, err);
	}
	if (rc < 0) {
		scan_fetch_close(fetch);
		return rc;
	}
	*out_fetch = fetch;
	return 0;
}

void scan_fetch_close(struct scan_fetch *fetch)
{
	if (fetch == NULL) {
		return;
	}
	(void)sqlite3_finalize(fetch->chunk_at); /* both repeat errors that were told */
	(void)sqlite3_finalize(fetch->batch_at);
	store_snapshot_end(fetch->store);
	free(fetch);
}

static int find_ingest(struct scan_fetch *fetch, uint64_t leaf, int64_t *out_ingest_ns,
		       struct error *err)
{
	if (leaf < fetch->batch.first_leaf ||
	    leaf - fetch->batch.first_leaf >= fetch->batch.record_count) {
		fetch->batch.record_count = 0;
		int rc = head_batch_of(fetch->store->reading, fetch->batch_at, leaf, &fetch->batch,
				       err);
		if (rc == -ERR_GONE) { /* the record is there, its batch is not */
			return error_set(err, ERR_CORRUPT, "%s: the batch of leaf %llu is missing",
					 fetch->store->reading->path, (unsigned long long)leaf);
		}
		if (rc < 0) {
			return rc;
		}
	}
	*out_ingest_ns = fetch->batch.ingest_ns;
	return 0;
}

static int find_chunk(struct scan_fetch *fetch, uint64_t leaf, struct error *err)
{
	struct head_chunk *chunk = &fetch->chunk;
	if (leaf >= chunk->first_leaf && leaf - chunk->first_leaf < chunk->chunk.record_count) {
		return 0;
	}
	chunk->chunk.record_count = 0;
	return head_chunk_of(fetch->store->reading, fetch->chunk_at, leaf, chunk, err);
}

int scan_fetch_record(struct scan_fetch *fetch, uint64_t leaf, struct record *out_record,
		      int64_t *out_ingest_ns, struct error *err)
{
	struct store *store = fetch->store;
	if (leaf >= store->snapshot_leaf_count) {
		return error_set(err, ERR_GONE, "%s has no leaf %llu", store->reading->path,
				 (unsigned long long)leaf);
	}
	int rc = find_chunk(fetch, leaf, err);
	if (rc < 0) {
		return rc;
	}
	int64_t ingest_ns = 0;
	rc = find_ingest(fetch, leaf, &ingest_ns, err);
	if (rc < 0) {
		return rc;
	}
	struct str encoded;
	rc = chunk_record(&fetch->chunk.chunk, leaf - fetch->chunk.first_leaf, &encoded, err);
	rc = rc < 0 ? rc : record_decode(encoded, out_record, err);
	if (rc < 0) {
		error_prefix(err, "%s, leaf %llu", store->reading->path, /* rc says the same */
			     (unsigned long long)leaf);
		return rc;
	}
	*out_ingest_ns = ingest_ns;
	return 0;
}
