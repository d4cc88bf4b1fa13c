/* seal-oracle - a store whose records change and go, and what must be left of it, by leaf.
 *
 * Threads: one per thread. */
#ifndef TESTS_UNIT_SEAL_ORACLE_H
#define TESTS_UNIT_SEAL_ORACLE_H

#include "model/redact.h"
#include "store/blocks.h"
#include "store/handle.h"
#include "store/log/forget.h"
#include "tests/unit/seal-heads.h"
#include "tests/unit/seal-world.h"

#define RECORDS     420
#define BATCH       35
#define RECORDS_MAX 900
#define NUMBERS_MAX 128

static const struct seal_order everything = {.head_end = UINT64_MAX,
					     .settled_ns = INT64_MAX,
					     .judged_ns = INT64_MAX,
					     .requests = 16,
					     .close = true,
					     .now_ns = 1};

/* What the store must hold, by leaf. */
struct known {
	struct buf bytes; /* empty: it was removed */
	enum redact_degree wanted;
	bool drop;
	bool committed; /* the change asked for it */
	struct merkle_hash commitment;
};

struct oracle {
	struct seal_world world;
	uint64_t state; /* of chance */
	uint64_t count, removed;
	struct known known[RECORDS_MAX];
	struct redactor *redactor;
	bool fail; /* the change does */
	struct seal_heads heads;
};

static inline uint64_t chance(struct oracle *oracle, uint64_t limit)
{
	oracle->state = hash_u64(oracle->state + UINT64_C(0x9e3779b97f4a7c15));
	return oracle->state % limit;
}

static inline void learn(struct oracle *oracle)
{
	for (; oracle->count < store_leaf_count(oracle->world.filled.store); oracle->count++) {
		struct known *known = &oracle->known[oracle->count];
		struct str encoded;
		(void)fixture_record(&oracle->world.filled.fixture, oracle->count, &encoded);
		*known = (struct known){0};
		buf_init(&known->bytes, 0);
		buf_put_str(&known->bytes, encoded);
	}
}

static inline void oracle_init(struct oracle *oracle, uint64_t seed)
{
	*oracle = (struct oracle){.state = seed};
	seal_world_init(&oracle->world, RECORDS, BATCH);
	oracle->redactor = redactor_new();
	assert_non_null(oracle->redactor);
	learn(oracle);
}

static inline void oracle_done(struct oracle *oracle)
{
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		buf_done(&oracle->known[leaf].bytes);
	}
	redactor_free(oracle->redactor);
	seal_world_done(&oracle->world);
}

static inline bool drops(void *owner, const struct seal_item *item)
{
	struct oracle *oracle = owner;
	return oracle->known[item->leaf].drop;
}

static inline int change(void *owner, uint64_t leaf, struct str encoded, struct buf *out,
			 struct error *err)
{
	struct oracle *oracle = owner;
	struct redact_order order = {oracle->known[leaf].wanted, STR_LIT("o1")};
	if (oracle->fail) {
		return error_set(err, ERR_INPUT, "no");
	}
	struct known *known = &oracle->known[leaf];
	int rc = forget_commitment(oracle->world.filled.store, leaf, encoded, &known->commitment,
				   err);
	known->committed = rc == 0;
	if (rc == 0) {
		order.commitment = str_make((const char *)known->commitment.bytes, DIGEST_BYTES);
	}
	return redact_record(oracle->redactor, &order, encoded, out, err);
}

static inline struct seal_change change_of(struct oracle *oracle)
{
	return (struct seal_change){.owner = oracle, .drops = drops, .change = change};
}

/* What was wished of a leaf has happened. */
static inline void settle(struct oracle *oracle, uint64_t leaf)
{
	struct known *known = &oracle->known[leaf];
	struct error err;
	if (known->bytes.len > 0 && known->drop) {
		buf_clear(&known->bytes);
		oracle->removed++;
	} else if (known->bytes.len > 0) {
		struct redact_order order = {known->wanted, STR_LIT("o1")};
		struct buf left;
		buf_init(&left, 0);
		if (known->committed) {
			order.commitment =
				str_make((const char *)known->commitment.bytes, DIGEST_BYTES);
		}
		assert_int_equal(redact_record(oracle->redactor, &order, buf_str(&known->bytes),
					       &left, &err),
				 0);
		if (left.len > 0) {
			buf_clear(&known->bytes);
			buf_put_str(&known->bytes, buf_str(&left));
		}
		buf_done(&left);
	}
	known->drop = false;
	known->wanted = REDACT_NOTHING;
}

struct walked {
	struct oracle *oracle;
	uint64_t next;
};

static inline int check_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			       struct error *err)
{
	struct walked *walked = owner;
	struct oracle *oracle = walked->oracle;
	(void)ingest_ns; /* of the batch */
	while (walked->next < leaf && oracle->known[walked->next].bytes.len == 0) {
		walked->next++;
	}
	bool right =
		walked->next++ == leaf && str_equal(encoded, buf_str(&oracle->known[leaf].bytes));
	return right ? 0
		     : error_set(err, ERR_CORRUPT, "leaf %llu is not what it should be",
				 (unsigned long long)leaf);
}

/* The rows that a scan gives, in all. */
static inline uint64_t scan_all(struct store *store)
{
	const struct scan_options all = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	const struct scan_block *block = NULL;
	struct scan *scan = NULL;
	struct error err;
	uint64_t rows = 0;
	assert_int_equal(scan_open(store, &all, &scan, &err), 0);
	int rc = scan_next(scan, &block, &err);
	for (; rc == 0; rc = scan_next(scan, &block, &err)) {
		rows += scan_row_count(block);
	}
	if (rc != -ERR_GONE) {
		fail_msg("scan: %s", err.text);
	}
	scan_close(scan);
	return rows;
}

/* All that is left is as it should be, by each way of reading; nothing else is there. */
static inline void check(struct oracle *oracle)
{
	struct store *store = oracle->world.filled.store;
	struct walked walked = {.oracle = oracle};
	struct store_removed removed;
	struct scan_fetch *fetch = NULL;
	struct error err;
	if (store_walk(store, 0, check_record, &walked, &err) != 0) {
		fail_msg("walk: %s", err.text);
	}
	while (walked.next < oracle->count && oracle->known[walked.next].bytes.len == 0) {
		walked.next++;
	}
	assert_int_equal(walked.next, oracle->count);
	assert_int_equal(store_removed(store, &removed, &err), 0);
	assert_int_equal(removed.records, oracle->removed);
	assert_int_equal(scan_all(store), oracle->count - oracle->removed);
	assert_int_equal(scan_fetch_open(store, &fetch, &err), 0);
	for (uint64_t leaf = 0; leaf < oracle->count; leaf += 3) {
		struct record record;
		int64_t ingest_ns = 0;
		int rc = scan_fetch_record(fetch, leaf, &record, &ingest_ns, &err);
		assert_int_equal(rc, oracle->known[leaf].bytes.len > 0 ? 0 : -ERR_GONE);
	}
	scan_fetch_close(fetch);
	seal_heads_check(&oracle->heads, store, oracle->removed);
}

/* Seals with the change; what was wished has happened then to all that was taken in. */
static inline void seal_all(struct oracle *oracle, bool no_grace)
{
	struct seal_change changes = change_of(oracle);
	struct seal_order order = everything;
	struct seal_result result = {0};
	struct error err;
	uint64_t numbers[NUMBERS_MAX];
	order.change = &changes;
	order.no_grace = no_grace;
	order.blocks = numbers;
	order.block_count = seal_world_blocks(&oracle->world, false, numbers, NUMBERS_MAX);
	int rc = seal_run(oracle->world.filled.store, &order, &result, &err);
	if (rc != 0 && rc != -ERR_GONE) {
		fail_msg("seal: %s", err.text);
	}
	uint64_t before = oracle->removed;
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		settle(oracle, leaf);
	}
	assert_int_equal(result.dropped, oracle->removed - before);
}

static inline void wish(struct oracle *oracle)
{
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		uint64_t what = chance(oracle, 10);
		oracle->known[leaf].drop = what == 0;
		oracle->known[leaf].wanted = what < 3   ? REDACT_LITERALS
					     : what < 5 ? REDACT_ALL
							: REDACT_NOTHING;
	}
}

#endif
