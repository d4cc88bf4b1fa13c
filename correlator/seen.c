#include "correlator/seen.h"

void seen_init(struct seen *seen, struct store *store, size_t max_keys)
{
	u64map_init(&seen->leaves, max_keys);
	seen->key = hash_key_random();
	seen->store = store;
}

void seen_done(struct seen *seen)
{
	u64map_done(&seen->leaves);
}

static uint64_t first_slot(const struct seen *seen, const struct record *record)
{
	char text[RECORD_SOURCE_MAX + 1 + RECORD_KEY_MAX];
	size_t source_len = record->source.len;
	memcpy(text, record->source.ptr, source_len);
	text[source_len] = 0;
	memcpy(text + source_len + 1, record->key.ptr, record->key.len);
	return hash_bytes(&seen->key, str_make(text, source_len + 1 + record->key.len));
}

/* The next place for the same key. The odd constant keeps 0 from leading to itself. */
static uint64_t next_slot(uint64_t slot)
{
	return hash_u64(slot + UINT64_C(0x9e3779b97f4a7c15));
}

static bool same_original(const struct record *a, struct str a_bytes, const struct record *b,
			  struct str b_bytes)
{
	if (record_has(a, FIELD_raw) && record_has(b, FIELD_raw)) {
		return str_equal(a->value[FIELD_raw].text, b->value[FIELD_raw].text);
	}
	return str_equal(a_bytes, b_bytes);
}

int seen_find(struct seen *seen, const struct record *record, struct str encoded,
	      enum seen_verdict *out_verdict, uint64_t *out_slot, struct error *err)
{
	uint64_t slot = first_slot(seen, record);
	enum seen_verdict verdict = SEEN_NEW;
	for (const uint64_t *leaf = u64map_get(&seen->leaves, slot); leaf != NULL;
	     leaf = u64map_get(&seen->leaves, slot)) {
		struct str stored_bytes;
		int rc = store_peek(seen->store, *leaf, &stored_bytes, err);
		if (rc < 0) {
			return rc;
		}
		struct record stored;
		rc = record_decode(stored_bytes, &stored, err);
		if (rc < 0) {
			return error_prefix(err, "leaf %llu", (unsigned long long)*leaf);
		}
		if (str_equal(stored.source, record->source) &&
		    str_equal(stored.key, record->key)) {
			if (same_original(&stored, stored_bytes, record, encoded)) {
				*out_verdict = SEEN_DUPLICATE;
				return 0;
			}
			verdict = SEEN_CONFLICT;
		} /* else a foreign record with our hash, which is passed by */
		slot = next_slot(slot);
	}
	*out_verdict = verdict;
	*out_slot = slot;
	return 0;
}

int seen_add(struct seen *seen, uint64_t slot, uint64_t leaf, struct error *err)
{
	int rc = u64map_put(&seen->leaves, slot, leaf);
	if (rc == -ERR_LIMIT) {
		return error_set(err, ERR_LIMIT, "the table of known event keys is full at %zu",
				 seen->leaves.entry_count);
	}
	return rc < 0 ? error_set(err, ERR_NOMEM, "no memory for the table of known event keys")
		      : 0;
}

int seen_restore(struct seen *seen, const struct record *record, uint64_t leaf, struct error *err)
{
	uint64_t slot = first_slot(seen, record);
	while (u64map_get(&seen->leaves, slot) != NULL) {
		slot = next_slot(slot);
	}
	return seen_add(seen, slot, leaf, err);
}
