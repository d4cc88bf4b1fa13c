#include "correlator/seen.h"

#include "model/carried.h"
#include "model/redact.h"

#include <stdlib.h>

#define FIRST_SLOTS 4096

void seen_init(struct seen *seen, struct store *store, size_t max_keys)
{
	*seen = (struct seen){.max_keys = max_keys, .key = hash_key_random(), .store = store};
}

void seen_done(struct seen *seen)
{
	free(seen->slots);
	*seen = (struct seen){0};
}

static uint32_t hash_of(const struct seen *seen, const struct record *record)
{
	char text[RECORD_SOURCE_MAX + 1 + RECORD_KEY_MAX];
	size_t source_len = record->source.len;
	memcpy(text, record->source.ptr, source_len);
	text[source_len] = 0;
	memcpy(text + source_len + 1, record->key.ptr, record->key.len);
	return (uint32_t)hash_bytes(&seen->key, str_make(text, source_len + 1 + record->key.len));
}

/* Of a record that was redacted the key alone counts: other settings read other fields from the same line, and it must not come back. */
static bool same_original(const struct record *a, struct str a_bytes, const struct record *b,
			  struct str b_bytes)
{
	if (redact_degree_of(a, NULL) != REDACT_NOTHING) {
		return true;
	}
	if (record_has(a, FIELD_raw) && record_has(b, FIELD_raw)) {
		return str_equal(a->value[FIELD_raw].text, b->value[FIELD_raw].text);
	}
	return str_equal(a_bytes, b_bytes);
}

struct candidate {
	const struct record *record;
	struct str encoded;
};

/* Compares a record with a stored one whose hash is the same; a foreign one leaves *verdict as it is. */
static int compare(struct store *store, uint64_t leaf, const struct candidate *candidate,
		   enum seen_verdict *verdict, struct error *err)
{
	const struct record *record = candidate->record;
	struct str stored_bytes;
	struct record stored;
	int rc = store_peek(store, leaf, &stored_bytes, err);
	rc = rc < 0 ? rc : record_decode(stored_bytes, &stored, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		return rc;
	}
	if (str_equal(stored.source, record->source) && str_equal(stored.key, record->key)) {
		*verdict = same_original(&stored, stored_bytes, record, candidate->encoded)
				   ? SEEN_DUPLICATE
				   : SEEN_CONFLICT;
	}
	return 0;
}

struct candidate_look {
	const struct record *record;
	struct recall_identity identity;
	uint64_t stable; /* carried_key of its stable id */
};

/* Whether the block holds another version of the record: same source and key. */
static int find_version(struct seen *seen, size_t place, const struct candidate_look *look,
			enum seen_verdict *verdict, struct error *err)
{
	struct recall_run run;
	int rc = recall_rows(seen->recall,
			     (struct recall_key){place, RECALL_NAMES, look->identity.note}, &run,
			     err);
	for (size_t i = 0; rc == 0 && i < run.count && *verdict == SEEN_NEW; i++) {
		struct record stored;
		uint64_t leaf = 0;
		rc = recall_record(seen->recall, (struct recall_row){place, run.entries[i].row},
				   &stored, &leaf, err);
		if (rc == 0 && str_equal(stored.source, look->record->source) &&
		    str_equal(stored.key, look->record->key)) {
			bool redacted = redact_degree_of(&stored, NULL) != REDACT_NOTHING;
			*verdict = redacted ? SEEN_DUPLICATE : SEEN_CONFLICT;
		}
	}
	return rc;
}

static int find_in_block(struct seen *seen, size_t place, const struct candidate_look *look,
			 enum seen_verdict *verdict, struct error *err)
{
	struct recall_run run;
	bool may = false;
	int rc = recall_may_hold(seen->recall, (struct recall_probe){place, true, look->stable},
				 &may, err);
	if (rc < 0 || !may) {
		return rc;
	}
	/* Filters err; what a block cannot hold for its sources is not worth an index of all its records. */
	rc = recall_rows(
		seen->recall,
		(struct recall_key){place, RECALL_SOURCES, carried_key(look->record->source)}, &run,
		err);
	if (rc < 0 || run.count == 0) {
		return rc;
	}
	rc = recall_rows(seen->recall,
			 (struct recall_key){place, RECALL_RECORDS, look->identity.key}, &run, err);
	for (size_t i = 0; rc == 0 && i < run.count; i++) {
		if (run.entries[i].note == look->identity.note) {
			*verdict = SEEN_DUPLICATE;
			return 0;
		}
	}
	return rc < 0 ? rc : find_version(seen, place, look, verdict, err);
}

/* The first block, by its last time, that may hold records of a time. */
static size_t first_block(const struct recall_block *blocks, size_t count, int64_t time_ns)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (blocks[middle].max_time_ns < time_ns) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static int find_sealed(struct seen *seen, const struct candidate *candidate,
		       enum seen_verdict *verdict, struct error *err)
{
	struct candidate_look look = {.record = candidate->record};
	size_t count = 0;
	int64_t time_ns = look.record->time_ns;
	const struct recall_block *blocks =
		seen->recall == NULL ? NULL : recall_blocks(seen->recall, &count);
	bool prepared = false;
	int rc = 0;
	for (size_t i = first_block(blocks, count, time_ns);
	     rc == 0 && i < count && *verdict != SEEN_DUPLICATE; i++) {
		if (blocks[i].min_time_ns > time_ns) {
			continue;
		}
		if (!prepared) {
			char id[RECORD_ID_DIGITS + 1];
			record_stable_id(look.record->source, look.record->key, id);
			look.stable = carried_key(str_of(id));
			look.identity =
				recall_identity(seen->recall, look.record, candidate->encoded);
			prepared = true;
		}
		rc = find_in_block(seen, i, &look, verdict, err);
	}
	if (rc == -ERR_GONE) { /* a damaged block: what it held can't be told from what is new */
		error_clear(err);
		rc = 0;
	}
	return rc;
}

int seen_find(struct seen *seen, const struct record *record, struct str encoded,
	      enum seen_verdict *out_verdict, struct error *err)
{
	const struct candidate candidate = {.record = record, .encoded = encoded};
	enum seen_verdict verdict = SEEN_NEW;
	uint32_t hash = hash_of(seen, record);
	seen->found_hash = hash;
	size_t mask = seen->slot_count - 1;
	size_t at = hash & mask;
	while (seen->slot_count > 0 && seen->slots[at] != 0 && verdict != SEEN_DUPLICATE) {
		if (seen->slots[at] >> 32 == hash) {
			uint64_t leaf = seen->base + (seen->slots[at] & UINT32_MAX) - 1;
			int rc = compare(seen->store, leaf, &candidate, &verdict, err);
			if (rc < 0) {
				return rc;
			}
		}
		at = (at + 1) & mask;
	}
	int rc = verdict == SEEN_NEW ? find_sealed(seen, &candidate, &verdict, err) : 0;
	*out_verdict = verdict;
	return rc;
}

static void put(uint64_t *slots, size_t slot_count, uint64_t entry)
{
	size_t at = (entry >> 32) & (slot_count - 1);
	while (slots[at] != 0) {
		at = (at + 1) & (slot_count - 1);
	}
	slots[at] = entry;
}

static int grow(struct seen *seen)
{
	size_t slot_count = seen->slot_count > 0 ? seen->slot_count * 2 : FIRST_SLOTS;
	uint64_t *slots = calloc(slot_count, sizeof slots[0]);
	if (slots == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < seen->slot_count; i++) {
		if (seen->slots[i] != 0) {
			put(slots, slot_count, seen->slots[i]);
		}
	}
	free(seen->slots);
	seen->slots = slots;
	seen->slot_count = slot_count;
	return 0;
}

int seen_forget(struct seen *seen, struct recall *recall, uint64_t end, struct error *err)
{
	size_t kept = 0, slot_count = FIRST_SLOTS;
	uint64_t below = end > seen->base ? end - seen->base : 0;
	seen->recall = recall;
	for (size_t i = 0; i < seen->slot_count; i++) {
		kept += (seen->slots[i] & UINT32_MAX) > below;
	}
	while (slot_count / 2 < kept) {
		slot_count *= 2;
	}
	uint64_t *slots = calloc(slot_count, sizeof slots[0]);
	if (slots == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the table of known event keys");
	}
	for (size_t i = 0; i < seen->slot_count; i++) {
		if ((seen->slots[i] & UINT32_MAX) > below) {
			put(slots, slot_count, seen->slots[i] - below);
		}
	}
	free(seen->slots);
	seen->slots = slots;
	seen->slot_count = slot_count;
	seen->key_count = kept;
	seen->base += below;
	return 0;
}

int seen_add_found(struct seen *seen, uint64_t leaf, struct error *err)
{
	uint64_t above = leaf - seen->base;
	if (seen->key_count >= seen->max_keys || above >= UINT32_MAX) {
		return error_set(err, ERR_LIMIT,
				 "the table of known event keys is full at %zu keys",
				 seen->key_count);
	}
	if (seen->key_count >= seen->slot_count / 4 * 3 && grow(seen) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for the table of known event keys");
	}
	put(seen->slots, seen->slot_count, (uint64_t)seen->found_hash << 32 | (above + 1));
	seen->key_count++;
	return 0;
}

int seen_add(struct seen *seen, const struct record *record, uint64_t leaf, struct error *err)
{
	seen->found_hash = hash_of(seen, record);
	return seen_add_found(seen, leaf, err);
}
