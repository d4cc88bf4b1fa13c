#include "store/recall.h"

#include "base/hash.h"
#include "model/carried.h"
#include "store/id-filter.h"

#include <stdlib.h>

#define FILTERS 2

struct index {
	struct recall_entry *entries;
	size_t count, room;
	bool made;
};

struct held {            /* of a block that was asked for lately */
	uint64_t number; /* 0: nothing */
	uint64_t used;   /* when, in looks */
	struct index index[RECALL_INDEXES];
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

static int read_filter(struct recall *recall, const struct known *known, bool of_records,
		       struct buf *bytes, struct id_filter *out_filter, struct error *err)
{
	buf_clear(bytes);
	int rc = recall->source.filter(recall->source.owner, known->block.number, of_records, bytes,
				       err);
	return rc < 0 ? rc : id_filter_open(buf_str(bytes), out_filter, err);
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
		rc = read_filter(recall, known, of_records, bytes, &known->filter[of_records], err);
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
	rc = read_filter(recall, known, of_records, &recall->bytes, &recall->filter, err);
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
	struct hash_key key = recall->key;
	struct str original =
		record_has(record, FIELD_raw) ? record->value[FIELD_raw].text : encoded;
	key.k1 ^= hash_bytes(&key, record->source);
	uint64_t name = hash_bytes(&key, record->key);
	key.k0 ^= name;
	return (struct recall_identity){.key = hash_bytes(&key, original), .note = (uint32_t)name};
}

static int add(struct index *index, uint64_t key, uint32_t row, uint32_t note)
{
	if (index->count == index->room) {
		size_t room = index->room < 1024 ? 1024 : index->room + index->room / 2;
		struct recall_entry *entries = reallocarray(index->entries, room, sizeof *entries);
		if (entries == NULL) {
			return -ERR_NOMEM;
		}
		index->entries = entries;
		index->room = room;
	}
	index->entries[index->count++] = (struct recall_entry){key, row, note};
	return 0;
}

struct making {
	struct index *index;
	uint32_t row;
	int rc;
};

static void add_carried(void *owner, struct str id)
{
	struct making *making = owner;
	if (making->rc == 0) {
		making->rc = add(making->index, carried_key(id), making->row, 0);
	}
}

static int add_row(const struct recall *recall, enum recall_index which, struct making *making,
		   const struct record *record, struct str encoded)
{
	uint64_t key = 0;
	if (which == RECALL_CLAIMS) {
		carried_ids(record, add_carried, making);
		return making->rc;
	}
	if (which == RECALL_SESSIONS) {
		return carried_session(record, &key)
			       ? add(making->index, key, making->row, carried_marks(record))
			       : 0;
	}
	struct recall_identity identity = recall_identity(recall, record, encoded);
	return add(making->index, identity.key, making->row, identity.note);
}

static int by_key(const void *a, const void *b)
{
	const struct recall_entry *x = a, *y = b;
	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	return x->row < y->row ? -1 : x->row > y->row;
}

static int read_row(struct block *block, uint32_t row, struct buf *bytes, struct record *out,
		    struct error *err)
{
	buf_clear(bytes);
	int rc = block_record(block, row, bytes, err);
	return rc < 0 ? rc : record_decode(buf_str(bytes), out, err);
}

static int index_records(struct recall *recall, struct block *block, enum recall_index which,
			 struct index *index, struct error *err)
{
	unsigned kinds = which == RECALL_RECORDS ? ~(1u << RECORD_VERDICT) : 1u << RECORD_STATEMENT;
	const uint8_t *kind = block_kinds(block);
	struct record record;
	for (uint32_t row = 0; row < block_about(block)->row_count; row++) {
		struct making making = {.index = index, .row = row};
		if ((kinds >> kind[row] & 1) == 0) {
			continue;
		}
		int rc = read_row(block, row, &recall->record, &record, err);
		if (rc == 0 &&
		    add_row(recall, which, &making, &record, buf_str(&recall->record)) != 0) {
			rc = error_set(err, ERR_NOMEM, "no memory for the index of a block");
		}
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int index_requests(struct block *block, struct index *index, struct error *err)
{
	static const enum field ids[] = {FIELD_extended_request_id, FIELD_lambda_request_id,
					 FIELD_request_id};
	struct block_run run = block_run(block, RECORD_REQUEST);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct block_codes codes;
		int rc = block_text_column(block, RECORD_REQUEST, ids[i], &codes, err);
		for (uint32_t n = 0; rc == 0 && n < run.count; n++) {
			if (codes.code[n] != UINT32_MAX &&
			    add(index, carried_key(codes.dict[codes.code[n]]), run.first + n, 0) !=
				    0) {
				rc = error_set(err, ERR_NOMEM,
					       "no memory for the index of a block");
			}
		}
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int index_subjects(struct block *block, struct index *index, struct error *err)
{
	struct block_run run = block_run(block, RECORD_VERDICT);
	const int64_t *statement = NULL, *request = NULL, *revision = NULL;
	struct block_codes settled;
	int rc = block_number_column(block, RECORD_VERDICT, FIELD_statement_leaf, &statement, err);
	rc = rc < 0 ? rc
		    : block_number_column(block, RECORD_VERDICT, FIELD_request_leaf, &request, err);
	rc = rc < 0 ? rc
		    : block_number_column(block, RECORD_VERDICT, FIELD_revision, &revision, err);
	rc = rc < 0 ? rc : block_text_column(block, RECORD_VERDICT, FIELD_settled, &settled, err);
	for (uint32_t n = 0; rc == 0 && n < run.count; n++) {
		int64_t subject = statement[n] != INT64_MIN ? statement[n] : request[n];
		bool final = settled.code[n] != UINT32_MAX &&
			     str_is(settled.dict[settled.code[n]], "final");
		uint32_t note = (uint32_t)revision[n] << 1 | (final ? RECALL_FINAL : 0);
		if (add(index, (uint64_t)subject, run.first + n, note) != 0) {
			rc = error_set(err, ERR_NOMEM, "no memory for the index of a block");
		}
	}
	return rc;
}

static int make_index(struct recall *recall, struct block *block, enum recall_index which,
		      struct index *index, struct error *err)
{
	int rc = 0;
	index->count = 0;
	switch (which) {
	case RECALL_REQUESTS:
		rc = index_requests(block, index, err);
		break;
	case RECALL_SUBJECTS:
		rc = index_subjects(block, index, err);
		break;
	case RECALL_CLAIMS:
	case RECALL_SESSIONS:
	case RECALL_RECORDS:
		rc = index_records(recall, block, which, index, err);
		break;
	case RECALL_INDEXES:
		break;
	}
	if (rc == 0 && index->count > 1) {
		qsort(index->entries, index->count, sizeof *index->entries, by_key);
	}
	index->made = rc == 0;
	index->room = index->count; /* a smaller one is kept; without success the larger one */
	struct recall_entry *entries =
		reallocarray(index->entries, index->count + 1, sizeof *entries);
	index->entries = entries != NULL ? entries : index->entries;
	return rc;
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

int recall_all(struct recall *recall, size_t place, enum recall_index which, struct recall_run *out,
	       struct error *err)
{
	struct known *known = &recall->known[place];
	struct error local;
	struct block *block = NULL;
	error_clear(&local);
	*out = (struct recall_run){0};
	if (known->damaged) {
		return 0;
	}
	struct held *held = hold(recall, known->block.number);
	struct index *index = &held->index[which];
	if (!index->made) {
		int rc = recall->source.open(recall->source.owner, known->block.number, &block,
					     &local);
		rc = rc < 0 ? rc : make_index(recall, block, which, index, &local);
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
	rc = rc < 0 ? rc : read_row(block, row.row, &recall->record, out_record, &local);
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

int recall_find_leaf(struct recall *recall, uint64_t leaf, struct recall_row *out,
		     struct error *err)
{
	for (size_t place = 0; place < recall->count; place++) {
		struct known *known = &recall->known[place];
		struct error local;
		struct block *block = NULL;
		error_clear(&local);
		if (known->damaged || leaf < known->block.min_leaf ||
		    leaf > known->block.max_leaf) {
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
