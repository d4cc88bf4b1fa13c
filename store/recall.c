#include "store/recall.h"

#include "base/hash.h"
#include "store/id-filter.h"
#include "store/recall-index.h"

#include <stdlib.h>

#define FILTERS 2

struct held {            /* of a block that was asked for lately */
	uint64_t number; /* 0: nothing */
	uint64_t used;   /* when, in looks */
	struct recall_entries index[RECALL_INDEXES];
};

struct known { /* a block of the list */
	struct recall_block block;
	struct buf bytes[FILTERS]; /* of the filters of ids and of records; empty: not held */
	struct id_filter filter[FILTERS];
	bool damaged;
};

struct recall {
	struct recall_source source;
	struct hash_key key;
	struct known *known;
	struct recall_block *blocks;
	size_t count;
	struct held held[RECALL_BLOCKS];
	uint64_t looks, changes;
	bool listed;
	size_t filter_bytes;
	struct buf record; /* of recall_record */
	struct buf bytes;  /* of the one filter that was asked for last and is not held */
	struct id_filter filter;
	uint64_t filter_number; /* its block, or 0 */
	bool filter_of_records;
	struct error damage;
};

int recall_new(const struct recall_source *source, struct recall **out_recall, struct error *err)
{
	struct recall *recall = calloc(1, sizeof *recall);
	if (recall == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for looking into sealed blocks");
	}
	recall->source = *source;
	recall->key = hash_key_random();
	buf_init(&recall->record, 0);
	buf_init(&recall->bytes, 0);
	*out_recall = recall;
	return 0;
}

static size_t held_bytes(const struct recall *recall)
{
	size_t bytes = 0;
	for (size_t i = 0; i < RECALL_BLOCKS; i++) {
		for (int k = 0; k < RECALL_INDEXES; k++) {
			bytes += recall->held[i].index[k].room * sizeof(struct recall_entry);
		}
	}
	return bytes;
}

static void drop_held(struct held *held)
{
	for (int i = 0; i < RECALL_INDEXES; i++) {
		free(held->index[i].entries);
	}
	*held = (struct held){0};
}

static void drop_known(struct recall *recall, struct known *known)
{
	for (int i = 0; i < FILTERS; i++) {
		recall->filter_bytes -= known->bytes[i].len;
		buf_done(&known->bytes[i]);
	}
}

void recall_free(struct recall *recall)
{
	if (recall == NULL) {
		return;
	}
	for (size_t i = 0; i < recall->count; i++) {
		drop_known(recall, &recall->known[i]);
	}
	for (size_t i = 0; i < RECALL_BLOCKS; i++) {
		drop_held(&recall->held[i]);
	}
	if (recall->source.close != NULL) {
		recall->source.close(recall->source.owner);
	}
	free(recall->known);
	free(recall->blocks);
	buf_done(&recall->record);
	buf_done(&recall->bytes);
	free(recall);
}

void recall_rest(struct recall *recall, bool all)
{
	for (size_t i = 0; all && i < RECALL_BLOCKS; i++) {
		drop_held(&recall->held[i]);
	}
	if (recall->source.rest != NULL) {
		recall->source.rest(recall->source.owner);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	if (x->block.max_time_ns != y->block.max_time_ns) {
		return x->block.max_time_ns < y->block.max_time_ns ? -1 : 1;
	}
	return x->block.number < y->block.number ? -1 : x->block.number > y->block.number;
}

static struct known *find_known(struct recall *recall, uint64_t number)
{
	for (size_t i = 0; i < recall->count; i++) {
		if (recall->known[i].block.number == number) {
			return &recall->known[i];
		}
	}
	return NULL;
}

/* Takes over what was held of blocks that are still there. */
static void take_over(struct recall *recall, struct known *known, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct known *old = find_known(recall, known[i].block.number);
		buf_init(&known[i].bytes[0], 0);
		buf_init(&known[i].bytes[1], 0);
		if (old != NULL) {
			struct recall_block block = known[i].block;
			known[i] = *old;
			known[i].block = block;
			old->bytes[0] = old->bytes[1] = (struct buf){0};
		}
	}
	for (size_t i = 0; i < recall->count; i++) {
		drop_known(recall, &recall->known[i]);
	}
}

int recall_refresh(struct recall *recall, struct error *err)
{
	const struct recall_block *blocks = NULL;
	size_t count = 0;
	int rc = recall->source.changes(recall->source.owner, &recall->changes, err);
	rc = rc < 0 ? rc : recall->source.list(recall->source.owner, &blocks, &count, err);
	if (rc < 0) {
		return rc;
	}
	struct known *known = calloc(count + 1, sizeof *known);
	struct recall_block *copy = calloc(count + 1, sizeof *copy);
	if (known == NULL || copy == NULL) {
		free(known);
		free(copy);
		return error_set(err, ERR_NOMEM, "no memory for the list of %zu blocks", count);
	}
	for (size_t i = 0; i < count; i++) {
		known[i].block = blocks[i];
	}
	take_over(recall, known, count);
	qsort(known, count, sizeof *known, by_time);
	for (size_t i = 0; i < count; i++) {
		copy[i] = known[i].block;
	}
	free(recall->known);
	free(recall->blocks);
	recall->listed = true;
	recall->known = known;
	recall->blocks = copy;
	recall->count = count;
	for (size_t i = 0; i < RECALL_BLOCKS; i++) {
		if (recall->held[i].number != 0 &&
		    find_known(recall, recall->held[i].number) == NULL) {
			drop_held(&recall->held[i]);
		}
	}
	return 0;
}

int recall_is_stale(struct recall *recall, bool *out_stale, struct error *err)
{
	uint64_t changes = 0;
	int rc = recall->source.changes(recall->source.owner, &changes, err);
	*out_stale = !recall->listed || changes != recall->changes;
	return rc;
}

const struct recall_block *recall_blocks(const struct recall *recall, size_t *out_count)
{
	*out_count = recall->count;
	return recall->blocks;
}

bool recall_damage(struct recall *recall, struct error *out_damage)
{
	if (recall->damage.code == 0) {
		return false;
	}
	*out_damage = recall->damage;
	error_clear(&recall->damage);
	return true;
}

/* A block that can't be read is passed over from now on. */
static int pass_over(struct recall *recall, struct known *known, int rc, struct error *local,
		     struct error *err)
{
	if (rc != -ERR_CORRUPT && rc != -ERR_CONFIG) {
		return error_set(err, (enum error_code) - rc, "%s", local->text);
	}
	known->damaged = true;
	if (recall->damage.code == 0) {
		recall->damage = *local;
	}
	return 0;
}

static int read_filter(struct recall *recall, uint64_t number, bool of_records, struct buf *bytes,
		       struct error *err)
{
	buf_clear(bytes);
	return recall->source.filter(recall->source.owner, number, of_records, bytes, err);
}

/* The filter of a block, read when it is not held. */
static int find_filter(struct recall *recall, struct known *known, bool of_records,
		       const struct id_filter **out_filter, struct error *err)
{
	struct buf *bytes = &known->bytes[of_records];
	int rc = 0;
	if (bytes->len > 0) {
		*out_filter = &known->filter[of_records];
		return 0;
	}
	if (recall->filter_bytes < RECALL_FILTER_BYTES) {
		*out_filter = &known->filter[of_records];
		rc = read_filter(recall, known->block.number, of_records, bytes, err);
		rc = rc < 0 ? rc : id_filter_open(buf_str(bytes), &known->filter[of_records], err);
		if (rc < 0) {
			buf_clear(bytes);
		}
		recall->filter_bytes += bytes->len;
		return rc;
	}
	*out_filter = &recall->filter;
	if (recall->filter_number == known->block.number &&
	    recall->filter_of_records == of_records) {
		return 0;
	}
	recall->filter_number = 0;
	rc = read_filter(recall, known->block.number, of_records, &recall->bytes, err);
	rc = rc < 0 ? rc : id_filter_open(buf_str(&recall->bytes), &recall->filter, err);
	recall->filter_number = rc == 0 ? known->block.number : 0;
	recall->filter_of_records = of_records;
	return rc;
}

int recall_may_hold(struct recall *recall, struct recall_probe probe, bool *out_may,
		    struct error *err)
{
	struct known *known = &recall->known[probe.place];
	const struct id_filter *filter = NULL;
	struct error local;
	error_clear(&local);
	*out_may = false;
	if (known->damaged) {
		return 0;
	}
	int rc = find_filter(recall, known, probe.of_records, &filter, &local);
	if (rc < 0) {
		return pass_over(recall, known, rc, &local, err);
	}
	*out_may = id_filter_may_hold(filter, probe.key);
	return 0;
}

struct recall_identity recall_identity(const struct recall *recall, const struct record *record,
				       struct str encoded)
{
	return recall_index_identity(&recall->key, record, encoded);
}

/* The one not asked for longest, other than `but`; NULL when nothing else is held. */
static struct held *oldest_held(struct recall *recall, const struct held *but)
{
	struct held *oldest = NULL;
	for (size_t i = 0; i < RECALL_BLOCKS; i++) {
		struct held *held = &recall->held[i];
		if (held != but && held->number != 0 &&
		    (oldest == NULL || held->used < oldest->used)) {
			oldest = held;
		}
	}
	return oldest;
}

/* The place for what is held of a block. */
static struct held *hold(struct recall *recall, uint64_t number)
{
	struct held *empty = NULL;
	for (size_t i = 0; i < RECALL_BLOCKS; i++) {
		struct held *held = &recall->held[i];
		if (held->number == number) {
			held->used = ++recall->looks;
			return held;
		}
		empty = held->number == 0 ? held : empty;
	}
	if (empty == NULL) {
		empty = oldest_held(recall, NULL);
		drop_held(empty);
	}
	empty->number = number;
	empty->used = ++recall->looks;
	return empty;
}

static void make_room(struct recall *recall, const struct held *held)
{
	struct held *oldest = oldest_held(recall, held);
	while (oldest != NULL && held_bytes(recall) > RECALL_INDEX_BYTES) {
		drop_held(oldest);
		oldest = oldest_held(recall, held);
	}
}

/* Makes an index that is not held. */
static int make_index(struct recall *recall, struct held *held, enum recall_index which,
		      struct error *err)
{
	struct recall_entries *index = &held->index[which];
	struct block *block = NULL;
	struct recall_making making = {
		.which = which, .key = &recall->key, .scratch = &recall->record};
	if (which == RECALL_NAMES) {
		making.records = &held->index[RECALL_RECORDS];
		int rc = making.records->made ? 0 : make_index(recall, held, RECALL_RECORDS, err);
		return rc < 0 ? rc : recall_index_make(&making, index, err);
	}
	int rc = recall->source.open(recall->source.owner, held->number, &block, err);
	if (which == RECALL_CLAIMS || which == RECALL_SESSIONS) {
		struct recall_entries *twin =
			&held->index[which == RECALL_CLAIMS ? RECALL_SESSIONS : RECALL_CLAIMS];
		bool room = held_bytes(recall) < RECALL_INDEX_BYTES / 2;
		making.twin = room && !twin->made ? twin : NULL;
	}
	making.block = block;
	return rc < 0 ? rc : recall_index_make(&making, index, err);
}

int recall_all(struct recall *recall, size_t place, enum recall_index which, struct recall_run *out,
	       struct error *err)
{
	struct known *known = &recall->known[place];
	struct error local;
	error_clear(&local);
	*out = (struct recall_run){0};
	if (known->damaged) {
		return 0;
	}
	struct held *held = hold(recall, known->block.number);
	struct recall_entries *index = &held->index[which];
	if (!index->made) {
		int rc = make_index(recall, held, which, &local);
		if (rc < 0) {
			return pass_over(recall, known, rc, &local, err);
		}
		make_room(recall, held);
	}
	*out = (struct recall_run){index->entries, index->count};
	return 0;
}

int recall_rows(struct recall *recall, struct recall_key key, struct recall_run *out,
		struct error *err)
{
	struct recall_run all;
	int rc = recall_all(recall, key.place, key.index, &all, err);
	size_t low = 0, high = all.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (all.entries[middle].key < key.key) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	size_t end = low;
	while (end < all.count && all.entries[end].key == key.key) {
		end++;
	}
	*out = (struct recall_run){all.entries != NULL ? all.entries + low : NULL, end - low};
	return rc;
}

int recall_record(struct recall *recall, struct recall_row row, struct record *out_record,
		  uint64_t *out_leaf, struct error *err)
{
	struct known *known = &recall->known[row.place];
	struct error local;
	struct block *block = NULL;
	error_clear(&local);
	if (known->damaged) {
		return error_set(err, ERR_GONE, "block %llu is damaged",
				 (unsigned long long)known->block.number);
	}
	int rc = recall->source.open(recall->source.owner, known->block.number, &block, &local);
	rc = rc < 0 ? rc : recall_index_row(block, row.row, &recall->record, out_record, &local);
	if (rc < 0) {
		rc = pass_over(recall, known, rc, &local, err);
		return rc < 0 ? rc : error_set(err, ERR_GONE, "%s", local.text);
	}
	*out_leaf = block_leaves(block)[row.row];
	return 0;
}

int recall_look(struct recall *recall, size_t place, struct recall_rows_of *out, struct error *err)
{
	struct known *known = &recall->known[place];
	struct error local;
	struct block *block = NULL;
	error_clear(&local);
	*out = (struct recall_rows_of){0};
	if (known->damaged) {
		return 0;
	}
	const uint32_t *parents = NULL;
	int rc = recall->source.open(recall->source.owner, known->block.number, &block, &local);
	rc = rc < 0 ? rc : block_parents(block, &parents, &local);
	if (rc < 0) {
		return pass_over(recall, known, rc, &local, err);
	}
	*out = (struct recall_rows_of){.kinds = block_kinds(block),
				       .times = block_times(block),
				       .leaves = block_leaves(block),
				       .parents = parents,
				       .count = block_about(block)->row_count};
	return 0;
}

static int by_span(const void *key, const void *element)
{
	uint64_t leaf = *(const uint64_t *)key;
	const struct blocks_span *span = element;
	return leaf < span->first ? -1 : leaf > span->last;
}

static bool may_hold_leaf(const struct recall_block *block, uint64_t leaf)
{
	return leaf >= block->min_leaf && leaf <= block->max_leaf &&
	       (block->span_count == 0 || bsearch(&leaf, block->spans, block->span_count,
						  sizeof block->spans[0], by_span) != NULL);
}

int recall_find_leaf(struct recall *recall, uint64_t leaf, struct recall_row *out,
		     struct error *err)
{
	for (size_t place = 0; place < recall->count; place++) {
		struct known *known = &recall->known[place];
		struct error local;
		struct block *block = NULL;
		error_clear(&local);
		if (known->damaged || !may_hold_leaf(&known->block, leaf)) {
			continue;
		}
		int rc = recall->source.open(recall->source.owner, known->block.number, &block,
					     &local);
		rc = rc < 0 ? pass_over(recall, known, rc, &local, err) : 0;
		if (rc < 0) {
			return rc;
		}
		uint32_t row = block == NULL ? BLOCK_NO_ROW : block_row_of(block, leaf);
		if (row != BLOCK_NO_ROW) {
			*out = (struct recall_row){place, row};
			return 0;
		}
	}
	return error_set(err, ERR_GONE, "no block holds leaf %llu", (unsigned long long)leaf);
}
