#include "store/dict.h"

#include <assert.h>
#include <stdlib.h>

void dict_init(struct dict *dict)
{
	memset(dict, 0, sizeof *dict);
	buf_init(&dict->bytes, 0);
	dict->key = hash_key_random();
}

void dict_done(struct dict *dict)
{
	buf_done(&dict->bytes);
	free(dict->ends);
	free(dict->slots);
	free(dict->hashes);
	memset(dict, 0, sizeof *dict);
}

void dict_clear(struct dict *dict)
{
	if (dict->count == 0) {
		return;
	}
	buf_clear(&dict->bytes);
	memset(dict->slots, 0, dict->slot_count * sizeof dict->slots[0]);
	memset(dict->cache, 0, sizeof dict->cache);
	dict->count = 0;
}

struct str dict_text(const struct dict *dict, uint32_t code)
{
	assert(code < dict->count);
	size_t start = code > 0 ? dict->ends[code - 1] : 0;
	return str_make(dict->bytes.ptr + start, dict->ends[code] - start);
}

/* A cheap mix for the cache only: who floods it with equal ones only sends himself to the keyed table behind it. */
static size_t cache_index(struct str text)
{
	uint64_t front = 0;
	uint64_t back = 0;
	size_t part = text.len < sizeof front ? text.len : sizeof front;
	if (part > 0) {
		memcpy(&front, text.ptr, part);
		memcpy(&back, text.ptr + text.len - part, part);
	}
	return hash_u64(front ^ (back << 1) ^ text.len) % DICT_CACHE;
}

static void link_code(struct dict *dict, uint32_t code)
{
	size_t at = dict->hashes[code] & (dict->slot_count - 1);
	while (dict->slots[at] != 0) {
		at = (at + 1) & (dict->slot_count - 1);
	}
	dict->slots[at] = code + 1;
}

static int grow(struct dict *dict)
{
	size_t room = dict->room > 0 ? dict->room * 2 : 64;
	uint32_t *ends = realloc(dict->ends, room * sizeof ends[0]);
	if (ends == NULL) {
		return -ERR_NOMEM;
	}
	dict->ends = ends;
	uint64_t *hashes = realloc(dict->hashes, room * sizeof hashes[0]);
	if (hashes == NULL) {
		return -ERR_NOMEM;
	}
	dict->hashes = hashes;
	uint32_t *slots = calloc(room * 2, sizeof slots[0]);
	if (slots == NULL) {
		return -ERR_NOMEM;
	}
	free(dict->slots);
	dict->slots = slots;
	dict->slot_count = room * 2;
	dict->room = room;
	for (uint32_t code = 0; code < dict->count; code++) {
		link_code(dict, code);
	}
	return 0;
}

/* Finds text by its keyed hash; UINT32_MAX when it is not there. */
static uint32_t find(const struct dict *dict, struct str text, uint64_t hash)
{
	if (dict->slot_count == 0) {
		return UINT32_MAX;
	}
	size_t at = hash & (dict->slot_count - 1);
	for (; dict->slots[at] != 0; at = (at + 1) & (dict->slot_count - 1)) {
		uint32_t code = dict->slots[at] - 1;
		if (dict->hashes[code] == hash && str_equal(dict_text(dict, code), text)) {
			return code;
		}
	}
	return UINT32_MAX;
}

static int add(struct dict *dict, struct str text, uint64_t hash, uint32_t *out_code)
{
	if (dict->count == DICT_MAX || text.len > UINT32_MAX - dict->bytes.len) {
		return -ERR_LIMIT;
	}
	if (dict->count == dict->room) {
		int rc = grow(dict);
		if (rc < 0) {
			return rc;
		}
	}
	if (buf_reserve(&dict->bytes, text.len + 1) < 0) {
		dict->bytes.failed = false;
		return -ERR_LIMIT;
	}
	buf_put_str(&dict->bytes, text);
	uint32_t code = (uint32_t)dict->count++;
	dict->ends[code] = (uint32_t)dict->bytes.len;
	dict->hashes[code] = hash;
	link_code(dict, code);
	*out_code = code;
	return 0;
}

int dict_code(struct dict *dict, struct str text, uint32_t *out_code)
{
	size_t cached = cache_index(text);
	uint32_t code = dict->cache[cached];
	if (code != 0 && str_equal(dict_text(dict, code - 1), text)) {
		*out_code = code - 1;
		return 0;
	}
	uint64_t hash = hash_bytes(&dict->key, text);
	code = find(dict, text, hash);
	if (code == UINT32_MAX) {
		int rc = add(dict, text, hash, &code);
		if (rc < 0) {
			return rc;
		}
	}
	dict->cache[cached] = code + 1;
	*out_code = code;
	return 0;
}
