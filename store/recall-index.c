#include "store/recall-index.h"

#include "model/carried.h"

#include <stdlib.h>

struct recall_identity recall_index_identity(const struct hash_key *process_key,
					     const struct record *record, struct str encoded)
{
	struct hash_key key = *process_key;
	struct str original =
		record_has(record, FIELD_raw) ? record->value[FIELD_raw].text : encoded;
	key.k1 ^= hash_bytes(&key, record->source);
	uint64_t name = hash_bytes(&key, record->key);
	key.k0 ^= name;
	return (struct recall_identity){.key = hash_bytes(&key, original), .note = (uint32_t)name};
}

static int add(struct recall_entries *index, uint64_t key, uint32_t row, uint32_t note)
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
	struct recall_entries *index;
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

/* The fields of statements that say which ids they carry and which session they are of. */
enum part { PART_TEXTS = 7 };
static const enum field parts[PART_TEXTS] = {
	FIELD_statement,
	FIELD_session_context,
	FIELD_application,
	FIELD_action,
	FIELD_server,
	FIELD_connection_id,
	FIELD_user_defined_information,
};

struct statements {
	struct block_codes source, text[PART_TEXTS];
	const int64_t *session_id;
};

static int read_statements(struct block *block, struct statements *out, struct error *err)
{
	int rc = block_source_column(block, RECORD_STATEMENT, &out->source, err);
	for (size_t i = 0; rc == 0 && i < PART_TEXTS; i++) {
		rc = block_text_column(block, RECORD_STATEMENT, parts[i], &out->text[i], err);
	}
	return rc < 0 ? rc
		      : block_number_column(block, RECORD_STATEMENT, FIELD_session_id,
					    &out->session_id, err);
}

/* As much of a statement's record as matters here; borrows from the block. */
static void put_statement(const struct statements *from, uint32_t n, struct record *out)
{
	record_init(out, RECORD_STATEMENT);
	uint32_t source = from->source.code[n];
	out->source = source != UINT32_MAX ? from->source.dict[source] : (struct str){0};
	for (size_t i = 0; i < PART_TEXTS; i++) {
		uint32_t code = from->text[i].code[n];
		if (code != UINT32_MAX) {
			record_set_text(out, parts[i], from->text[i].dict[code]);
		}
	}
	if (from->session_id[n] != INT64_MIN) {
		record_set_number(out, FIELD_session_id, from->session_id[n]);
	}
}

static int add_session(struct recall_entries *index, uint32_t row, const struct record *record)
{
	uint64_t key = 0;
	return carried_session(record, &key) ? add(index, key, row, carried_marks(record)) : 0;
}

static int add_statement(const struct recall_making *by, struct recall_entries *index, uint32_t row,
			 const struct record *record)
{
	struct recall_entries *claims = by->which == RECALL_CLAIMS ? index : by->twin;
	struct recall_entries *sessions = by->which == RECALL_SESSIONS ? index : by->twin;
	struct making making = {.index = claims, .row = row};
	if (claims != NULL) {
		carried_ids(record, add_carried, &making);
	}
	return making.rc == 0 && sessions != NULL ? add_session(sessions, row, record) : making.rc;
}

static int by_key(const void *a, const void *b)
{
	const struct recall_entry *x = a, *y = b;
	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	return x->row < y->row ? -1 : x->row > y->row;
}

int recall_index_row(struct block *block, uint32_t row, struct buf *bytes, struct record *out,
		     struct error *err)
{
	buf_clear(bytes);
	int rc = block_record(block, row, bytes, err);
	if (rc == 0) {
		*out = *block_last_record(block);
	}
	return rc;
}

static int index_records(const struct recall_making *by, struct recall_entries *index,
			 struct error *err)
{
	struct block *block = by->block;
	const uint8_t *kind = block_kinds(block);
	struct record record;
	for (uint32_t row = 0; row < block_about(block)->row_count; row++) {
		if (kind[row] == RECORD_VERDICT) {
			continue;
		}
		int rc = recall_index_row(block, row, by->scratch, &record, err);
		if (rc < 0) {
			return rc;
		}
		struct recall_identity identity =
			recall_index_identity(by->key, &record, buf_str(by->scratch));
		if (add(index, identity.key, row, identity.note) != 0) {
			return error_set(err, ERR_NOMEM, "no memory for the index of a block");
		}
	}
	return 0;
}

static int index_statements(const struct recall_making *by, struct recall_entries *index,
			    struct error *err)
{
	struct block_run run = block_run(by->block, RECORD_STATEMENT);
	struct statements statements;
	struct record record;
	int rc = run.count > 0 ? read_statements(by->block, &statements, err) : 0;
	for (uint32_t n = 0; rc == 0 && n < run.count; n++) {
		put_statement(&statements, n, &record);
		if (add_statement(by, index, run.first + n, &record) != 0) {
			rc = error_set(err, ERR_NOMEM, "no memory for the index of a block");
		}
	}
	return rc;
}

static int index_requests(struct block *block, struct recall_entries *index, struct error *err)
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

static int index_subjects(struct block *block, struct recall_entries *index, struct error *err)
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

static int index_sources(struct block *block, struct recall_entries *index, struct error *err)
{
	int rc = 0;
	for (int kind = 0; rc == 0 && kind < RECORD_KIND_COUNT; kind++) {
		struct block_codes sources;
		struct block_run run = block_run(block, (enum record_kind)kind);
		if (run.count == 0 || kind == RECORD_VERDICT) {
			continue;
		}
		rc = block_source_column(block, (enum record_kind)kind, &sources, err);
		for (size_t i = 0; rc == 0 && i < sources.dict_count; i++) {
			if (add(index, carried_key(sources.dict[i]), run.first, 0) != 0) {
				rc = error_set(err, ERR_NOMEM,
					       "no memory for the index of a block");
			}
		}
	}
	return rc;
}

/* The index of records says it all, in another order. */
static int index_names(const struct recall_entries *records, struct recall_entries *index,
		       struct error *err)
{
	struct recall_entry *entries =
		reallocarray(index->entries, records->count + 1, sizeof *entries);
	if (entries == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the index of a block");
	}
	index->entries = entries;
	index->room = records->count + 1;
	for (size_t i = 0; i < records->count; i++) {
		const struct recall_entry *record = &records->entries[i];
		index->entries[i] = (struct recall_entry){.key = record->note, .row = record->row};
	}
	index->count = records->count;
	return 0;
}

static bool is_sorted(const struct recall_entries *index)
{
	size_t i = 1;
	while (i < index->count && by_key(&index->entries[i - 1], &index->entries[i]) <= 0) {
		i++;
	}
	return i >= index->count;
}

#define SMALL 16 /* so many are sorted faster by insertion */

static void sort_small(struct recall_entry *entries, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct recall_entry entry = entries[i];
		size_t at = i;
		for (; at > 0 && by_key(&entry, &entries[at - 1]) < 0; at--) {
			entries[at] = entries[at - 1];
		}
		entries[at] = entry;
	}
}

/* Sorts entries that begin at ends[b - 1] and end at ends[b], bucket by bucket. */
static void sort_buckets(struct recall_entry *entries, const uint32_t *ends, size_t buckets)
{
	size_t from = 0;
	for (size_t b = 0; b < buckets; b++) {
		size_t count = ends[b] - from;
		if (count > SMALL) {
			qsort(entries + from, count, sizeof *entries, by_key);
		} else if (count > 1) {
			sort_small(entries + from, count);
		}
		from = ends[b];
	}
}

/* Most keys are hashes: shared out by their upper bits, about one comes into each bucket. False without memory. */
static bool sort_spread(struct recall_entries *index)
{
	const struct recall_entry *entries = index->entries;
	uint64_t min = UINT64_MAX, max = 0;
	for (size_t i = 0; i < index->count; i++) {
		min = entries[i].key < min ? entries[i].key : min;
		max = entries[i].key > max ? entries[i].key : max;
	}
	unsigned shift = 0;
	while ((max - min) >> shift >= index->count) {
		shift++;
	}
	size_t buckets = (size_t)((max - min) >> shift) + 1;
	uint32_t *ends = calloc(buckets + 1, sizeof *ends);
	struct recall_entry *spread = reallocarray(NULL, index->count + 1, sizeof *spread);
	if (ends == NULL || spread == NULL) {
		free(ends);
		free(spread);
		return false;
	}
	for (size_t i = 0; i < index->count; i++) {
		ends[((entries[i].key - min) >> shift) + 1]++;
	}
	for (size_t b = 1; b <= buckets; b++) {
		ends[b] += ends[b - 1];
	}
	for (size_t i = 0; i < index->count; i++) {
		spread[ends[(entries[i].key - min) >> shift]++] = entries[i];
	}
	sort_buckets(spread, ends, buckets);
	free(index->entries);
	index->entries = spread;
	index->room = index->count + 1;
	free(ends);
	return true;
}

static void finish(struct recall_entries *index)
{
	if (!is_sorted(index) && !sort_spread(index)) {
		qsort(index->entries, index->count, sizeof *index->entries, by_key);
	}
	index->made = true;
	if (index->room == index->count + 1) {
		return;
	}
	struct recall_entry *smaller =
		reallocarray(index->entries, index->count + 1, sizeof *smaller);
	if (smaller != NULL) { /* else the larger one is kept */
		index->entries = smaller;
		index->room = index->count + 1;
	}
}

int recall_index_make(const struct recall_making *by, struct recall_entries *index,
		      struct error *err)
{
	int rc = 0;
	index->count = 0;
	if (by->twin != NULL) {
		by->twin->count = 0;
	}
	switch (by->which) {
	case RECALL_REQUESTS:
		rc = index_requests(by->block, index, err);
		break;
	case RECALL_SUBJECTS:
		rc = index_subjects(by->block, index, err);
		break;
	case RECALL_CLAIMS:
	case RECALL_SESSIONS:
		rc = index_statements(by, index, err);
		break;
	case RECALL_RECORDS:
		rc = index_records(by, index, err);
		break;
	case RECALL_SOURCES:
		rc = index_sources(by->block, index, err);
		break;
	case RECALL_NAMES:
		rc = index_names(by->records, index, err);
		break;
	case RECALL_INDEXES:
		break;
	}
	if (rc == 0) {
		finish(index);
	}
	if (rc == 0 && by->twin != NULL) {
		finish(by->twin);
	}
	return rc;
}
