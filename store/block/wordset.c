#include "store/block/wordset.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

#define BYTES_MAX (256u << 20)
#define COUNT_MAX (1u << 31)

void wordset_init(struct wordset *set)
{
	*set = (struct wordset){.count = 0};
	buf_init(&set->bytes, BYTES_MAX);
	set->key = hash_key_random().k0;
}

void wordset_done(struct wordset *set)
{
	buf_done(&set->bytes);
	free(set->ends);
	free(set->hashes);
	free(set->slots);
	*set = (struct wordset){.count = 0};
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *at, size_t len)
{
	uint64_t value = 0;

	memcpy(&value, at, len);
	return value;
}

/* A fast keyed hash (the folded products of wyhash); whoever does not know the key can't aim at a slot. */
static uint64_t hash_of(uint64_t key, struct str text)
{
	uint64_t hash = mix(key ^ 0xa0761d6478bd642fu, text.len ^ 0xe7037ed1a0b428dbu);
	const char *at = text.ptr;
	size_t left = text.len;

	for (; left > 16; left -= 16, at += 16) {
		hash = mix(load(at, 8) ^ 0x8ebc6af09c88c6e3u ^ key, load(at + 8, 8) ^ hash);
	}
	if (left > 8) {
		return mix(load(at, 8) ^ 0x589965cc75374cc3u ^ key, load(at + 8, left - 8) ^ hash);
	}
	return mix((left > 0 ? load(at, left) : 0) ^ 0x589965cc75374cc3u ^ key, hash);
}

struct str wordset_text(const struct wordset *set, uint32_t code)
{
	size_t start = code > 0 ? set->ends[code - 1] : 0;

	assert(code < set->count);
	return str_make(set->bytes.ptr + start, set->ends[code] - start);
}

static void link_code(struct wordset *set, uint32_t code)
{
	size_t at = set->hashes[code] & (set->slot_count - 1);

	while (set->slots[at] != 0) {
		at = (at + 1) & (set->slot_count - 1);
	}
	set->slots[at] = code + 1;
}

/* Makes room for one more text. */
static int grow(struct wordset *set)
{
	size_t room = set->room * 2 + 64;
	size_t *ends;
	uint64_t *hashes;
	uint32_t *slots;

	if (set->count == set->room) {
		ends = realloc(set->ends, room * sizeof(*ends));
		if (ends == NULL) {
			return -ERR_NOMEM;
		}
		set->ends = ends;
		hashes = realloc(set->hashes, room * sizeof(*hashes));
		if (hashes == NULL) {
			return -ERR_NOMEM;
		}
		set->hashes = hashes;
		set->room = room;
	}
	if (set->count * 2 >= set->slot_count) {
		size_t slot_count = set->slot_count > 0 ? set->slot_count * 2 : 256;

		slots = calloc(slot_count, sizeof(*slots));
		if (slots == NULL) {
			return -ERR_NOMEM;
		}
		free(set->slots);
		set->slots = slots;
		set->slot_count = slot_count;
		for (size_t code = 0; code < set->count; code++) {
			link_code(set, (uint32_t)code);
		}
	}
	return 0;
}

int wordset_code(struct wordset *set, struct str text, uint32_t *out_code)
{
	uint64_t hash = hash_of(set->key, text);
	int result;

	for (size_t at = set->slot_count > 0 ? hash & (set->slot_count - 1) : 0;
	     set->slot_count > 0 && set->slots[at] != 0; at = (at + 1) & (set->slot_count - 1)) {
		uint32_t code = set->slots[at] - 1;

		if (set->hashes[code] == hash && str_equal(wordset_text(set, code), text)) {
			*out_code = code;
			return 0;
		}
	}
	if (set->count == COUNT_MAX) {
		return -ERR_LIMIT;
	}
	result = grow(set);
	if (result != 0) {
		return result;
	}
	buf_put_str(&set->bytes, text);
	if (set->bytes.failed) {
		set->bytes.failed = false; /* nothing went in: the set is as it was */
		return -ERR_LIMIT;
	}
	set->ends[set->count] = set->bytes.len;
	set->hashes[set->count] = hash;
	*out_code = (uint32_t)set->count;
	link_code(set, (uint32_t)set->count++);
	return 0;
}
