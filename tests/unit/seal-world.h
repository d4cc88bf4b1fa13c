/* seal-world - a store that tests seal, and what must not change by it: the sequence of leaves, ingest times and bytes.
 *
 * Threads: one per thread. */
#ifndef TESTS_UNIT_SEAL_WORLD_H
#define TESTS_UNIT_SEAL_WORLD_H

#include "base/digest.h"
#include "store/handle.h"
#include "store/seal.h"
#include "tests/unit/store-filled.h"

struct seal_world {
	struct filled filled;
	uint8_t digest[DIGEST_BYTES]; /* of all records, as seal_world_digest */
};

struct seal_world_walk {
	uint8_t digest[DIGEST_BYTES];
	uint64_t next;
};

static inline int seal_world_record(void *owner, uint64_t leaf, int64_t ingest_ns,
				    struct str encoded, struct error *err)
{
	struct seal_world_walk *walk = owner;
	const struct str parts[] = {str_make((const char *)walk->digest, DIGEST_BYTES),
				    str_make((const char *)&leaf, sizeof leaf),
				    str_make((const char *)&ingest_ns, sizeof ingest_ns), encoded};
	if (leaf != walk->next) {
		return error_set(err, ERR_CORRUPT, "leaf %llu in place of %llu",
				 (unsigned long long)leaf, (unsigned long long)walk->next);
	}
	walk->next++;
	digest_sha256_parts(parts, 4, walk->digest);
	return 0;
}

/* Walks through all records; they come in order, without holes. */
static inline void seal_world_digest(struct store *store, uint8_t out[DIGEST_BYTES],
				     uint64_t *out_count)
{
	struct seal_world_walk walk = {.next = 0};
	struct error err;
	int rc = store_walk(store, 0, seal_world_record, &walk, &err);
	if (rc != 0) {
		fail_msg("walk: %s", err.text);
	}
	memcpy(out, walk.digest, DIGEST_BYTES);
	*out_count = walk.next;
}

/* Remembers how the store is now. */
static inline void seal_world_remember(struct seal_world *world)
{
	uint64_t count = 0;
	seal_world_digest(world->filled.store, world->digest, &count);
}

/* It is as it was, and holds count records. */
static inline void seal_world_check(struct seal_world *world, uint64_t count)
{
	uint8_t digest[DIGEST_BYTES];
	uint64_t found = 0;
	seal_world_digest(world->filled.store, digest, &found);
	assert_int_equal(found, count);
	assert_memory_equal(digest, world->digest, DIGEST_BYTES);
}

static inline void seal_world_reopen(struct seal_world *world, enum store_mode mode)
{
	store_close(world->filled.store);
	filled_open(&world->filled, mode);
}

/* A store open for writing with count records in batches of size. */
static inline void seal_world_init(struct seal_world *world, uint64_t count, uint64_t size)
{
	filled_init(&world->filled, count, size);
	seal_world_reopen(world, STORE_WRITE);
	seal_world_remember(world);
}

static inline void seal_world_done(struct seal_world *world)
{
	filled_done(&world->filled);
}

/* Seals; fails the test with the sentence when it does not work. */
static inline struct seal_result seal_world_run(struct seal_world *world,
						const struct seal_order *order)
{
	struct seal_result result = {0};
	struct error err;
	if (seal_run(world->filled.store, order, &result, &err) != 0) {
		fail_msg("seal: %s", err.text);
	}
	return result;
}

/* The numbers of all blocks (of those that wait, when only_open), at most room. */
static inline size_t seal_world_blocks(struct seal_world *world, bool only_open, uint64_t *out,
				       size_t room)
{
	const struct blocks_list *list = NULL;
	struct error damage, err;
	size_t count = 0;
	struct blocks *blocks =
		blocks_new(world->filled.fixture.dir, world->filled.store->catalog, NULL);
	assert_int_equal(blocks_load(blocks, &list, &damage, &err), 0);
	for (size_t i = 0; i < list->count; i++) {
		if (!only_open || list->rows[i].is_open) {
			assert_true(count < room);
			out[count++] = list->rows[i].about.number;
		}
	}
	blocks_free(blocks);
	return count;
}

#endif
