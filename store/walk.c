#include "store/handle.h"
#include "store/walk-sealed.h"

#define RUN_BYTES (2u << 20)

struct walk {
	struct store *store;
	uint64_t next; /* leaf that is due */
	store_record_fn *each;
	void *owner;
	struct extent_index index;
	struct buf run;           /* chunks that were read in one go */
	struct segment_span span; /* where they stand; len 0: none */
};

static int damaged(const struct walk *walk, uint64_t leaf, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "%s: leaves %llu to %llu are missing",
			 walk->store->reading->path, (unsigned long long)walk->next,
			 (unsigned long long)(leaf - 1));
}

/* Calls back for the records of a chunk that are due and belong to the batch. */
static int walk_chunk(struct walk *walk, const struct head_batch *batch,
		      const struct extent_chunk *place, const struct chunk *chunk,
		      struct error *err)
{
	uint64_t end = place->first_leaf + place->record_count;
	while (walk->next < end) {
		struct str encoded;
		int rc = chunk_record(chunk, (size_t)(walk->next - place->first_leaf), &encoded,
				      err);
		if (rc < 0) {
			(void)segments_blame(&walk->store->segments, place->span.number, err, rc);
			error_prefix(err, "leaf %llu", (unsigned long long)walk->next);
			return rc;
		}
		rc = walk->each(walk->owner, walk->next, batch->ingest_ns, encoded, err);
		if (rc != 0) {
			return rc;
		}
		walk->next++;
	}
	return 0;
}

/* Reads the chunk and, as far as the run goes, those behind it, which will be wanted next. */
static int read_run(struct walk *walk, const struct head_batch *batch,
		    const struct extent_chunk *place, struct error *err)
{
	uint64_t rest = batch->extent.start + batch->extent.chunks_bytes - place->span.offset;
	walk->span = place->span;
	walk->span.once = true;
	walk->span.len = rest < RUN_BYTES ? (size_t)rest : RUN_BYTES;
	if (walk->span.len < place->span.len) {
		walk->span.len = place->span.len;
	}
	int rc = segments_read_buf(&walk->store->segments, &walk->span, &walk->run, err);
	if (rc == -ERR_CORRUPT) { /* a file that was cut off may still have this one */
		walk->span.len = place->span.len;
		rc = segments_read_buf(&walk->store->segments, &walk->span, &walk->run, err);
	}
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)place->first_leaf);
		walk->span.len = 0;
	}
	return rc;
}

static int go_to_chunk(struct walk *walk, const struct head_batch *batch,
		       const struct extent_chunk *place, struct chunk *out_chunk, struct error *err)
{
	const struct segment_span *span = &walk->span;
	bool there = span->number == place->span.number && place->span.offset >= span->offset &&
		     place->span.offset + place->span.len <= span->offset + span->len;
	int rc = there ? 0 : read_run(walk, batch, place, err);
	if (rc < 0) {
		return rc;
	}
	const char *bytes = walk->run.ptr + (place->span.offset - span->offset);
	return extent_chunk_open(&walk->store->segments, place, bytes, out_chunk, err);
}

static int walk_batch(struct walk *walk, const struct head_batch *batch, struct error *err)
{
	struct segments *segments = &walk->store->segments;
	if (batch->first_leaf > walk->next) {
		return damaged(walk, batch->first_leaf, err);
	}
	uint64_t end = batch->first_leaf + batch->record_count;
	int rc = extent_index_load(&walk->index, segments, batch, err);
	while (rc == 0 && walk->next < end) {
		struct chunk chunk;
		struct extent_chunk place = extent_index_find(&walk->index, walk->next);
		rc = go_to_chunk(walk, batch, &place, &chunk, err);
		rc = rc < 0 ? rc : walk_chunk(walk, batch, &place, &chunk, err);
	}
	return rc;
}

static int walk_batches(struct walk *walk, sqlite3_stmt *head, struct error *err)
{
	struct catalog *catalog = walk->store->reading;
	int step = sqlite3_step(head);
	for (; step == SQLITE_ROW; step = sqlite3_step(head)) {
		struct head_batch batch;
		int rc = head_read_row(catalog, head, &batch, err);
		rc = rc < 0 ? rc : walk_batch(walk, &batch, err);
		if (rc != 0) {
			return rc;
		}
	}
	if (step != SQLITE_DONE) {
		return catalog_error(catalog, step, "walking through the batches", err);
	}
	if (walk->next < walk->store->snapshot_leaf_count) {
		return damaged(walk, walk->store->snapshot_leaf_count, err);
	}
	return 0;
}

/* The first leaf of the batch that holds `first`, so that the walk can begin in the middle of a batch. */
static int find_start(struct walk *walk, uint64_t *out_start, struct error *err)
{
	struct catalog *catalog = walk->store->reading;
	CATALOG_FINALIZE sqlite3_stmt *batch_at = NULL;
	int rc = catalog_prepare(catalog, CATALOG_HEAD_AT, &batch_at, err);
	if (rc < 0) {
		return rc;
	}
	struct head_batch batch = {.first_leaf = walk->next};
	rc = head_batch_of(catalog, batch_at, walk->next, &batch, err);
	if (rc == -ERR_GONE) { /* then the walk finds nothing there and says what is missing */
		error_clear(err);
		rc = 0;
	}
	*out_start = batch.first_leaf;
	return rc;
}

static int walk_snapshot(struct walk *walk, struct error *err)
{
	struct catalog *catalog = walk->store->reading;
	uint64_t start = 0;
	int rc = find_start(walk, &start, err);
	if (rc < 0) {
		return rc;
	}
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	rc = catalog_prepare(catalog, CATALOG_HEAD_FROM, &head, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(head, 1, (int64_t)start); /* can't fail: the index is right */
	return walk_batches(walk, head, err);
}

/* Leaves below the first batch of the head are sealed; *out_start is behind the last leaf when the head is empty. */
static int find_head(struct store *store, uint64_t *out_start, struct error *err)
{
	struct catalog *catalog = store->reading;
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	struct head_batch batch;
	int rc = catalog_prepare(catalog, CATALOG_HEAD_FROM, &head, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(head, 1, 0); /* can't fail: the index is right */
	int step = sqlite3_step(head);
	if (step == SQLITE_ROW) {
		rc = head_read_row(catalog, head, &batch, err);
		*out_start = rc == 0 ? batch.first_leaf : 0;
		error_clear(err);
		return 0; /* the walk itself says what is damaged */
	}
	*out_start = store->snapshot_leaf_count;
	return step == SQLITE_DONE ? 0 : catalog_error(catalog, step, "looking for the head", err);
}

static int walk_head(struct store *store, const struct store_walk *options, uint64_t first,
		     struct error *err)
{
	struct walk walk = {
		.store = store, .next = first, .each = options->each, .owner = options->owner};
	extent_index_init(&walk.index);
	buf_init(&walk.run, 0);
	int rc = walk_snapshot(&walk, err);
	extent_index_done(&walk.index);
	buf_done(&walk.run);
	return rc;
}

int store_walk_with(struct store *store, const struct store_walk *options, struct error *err)
{
	uint64_t head = 0;
	uint64_t first = options->first;
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		return rc;
	}
	if (first < store->snapshot_leaf_count) {
		rc = find_head(store, &head, err);
		/* nothing was ever sealed: what is missing before the head is damage of the head */
		bool has_sealed = store->sealed_end > 0 || store->sealed_damage.code != 0;
		if (rc == 0 && has_sealed && first < head && !options->head_only) {
			rc = walk_sealed(store, options, head, err);
		}
		first = (has_sealed || options->head_only) && first < head ? head : first;
		if (rc == 0 && first < store->snapshot_leaf_count) {
			rc = walk_head(store, options, first, err);
		}
	}
	store_snapshot_end(store);
	return rc;
}

int store_walk(struct store *store, uint64_t first, store_record_fn *each, void *owner,
	       struct error *err)
{
	struct store_walk options = {.first = first, .each = each, .owner = owner};
	return store_walk_with(store, &options, err);
}
