#include "correlator/seen.h"

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

static bool same_original(const struct record *a, struct str a_bytes, const struct record *b,
			  struct str b_bytes)
{
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
			uint64_t leaf = (seen->slots[at] & UINT32_MAX) - 1;
			int rc = compare(seen->store, leaf, &candidate, &verdict, err);
			if (rc < 0) {
				return rc;
			}
		}
		at = (at + 1) & mask;
	}
	*out_verdict = verdict;
	return 0;
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

int seen_add_found(struct seen *seen, uint64_t leaf, struct error *err)
{
	if (seen->key_count >= seen->max_keys || leaf >= UINT32_MAX) {
		return error_set(err, ERR_LIMIT,
				 "the table of known event keys is full at %zu keys",
				 seen->key_count);
	}
	if (seen->key_count >= seen->slot_count / 4 * 3 && grow(seen) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for the table of known event keys");
	}
	put(seen->slots, seen->slot_count, (uint64_t)seen->found_hash << 32 | (leaf + 1));
	seen->key_count++;
	return 0;
}

int seen_add(struct seen *seen, const struct record *record, uint64_t leaf, struct error *err)
{
	seen->found_hash = hash_of(seen, record);
	return seen_add_found(seen, leaf, err);
}
