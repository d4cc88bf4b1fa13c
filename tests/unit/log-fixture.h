/* log-fixture - a filled store with a key, and checkpoints of its log that the key signed.
 *
 * Threads: one per thread. */
#ifndef TESTS_UNIT_LOG_FIXTURE_H
#define TESTS_UNIT_LOG_FIXTURE_H

#include "base/note.h"
#include "store/log/checkpoints.h"
#include "store/log/nodes.h"
#include "tests/unit/store-filled.h"

struct log_fixture {
	struct filled filled;
	struct note_signer signer;
	struct buf note; /* the newest checkpoint */
};

/* A checkpoint of the first size leaves of a store; `forged`: with another root. */
static inline void log_fixture_note(struct log_fixture *fixture, uint64_t size, bool forged)
{
	struct log_nodes *nodes = NULL;
	struct note_checkpoint checkpoint = {.origin = str_of(fixture->signer.key.name),
					     .head.size = size};
	struct buf text;
	struct error err;
	int rc = log_nodes_open(fixture->filled.store, &nodes, &err);
	assert(rc == 0);
	const struct merkle_source source = log_nodes_source(nodes);
	struct merkle_head head;
	log_nodes_head(nodes, &head);
	if (size <= head.size) {
		rc = merkle_root_fetch(size, &source, &checkpoint.head.root, &err);
		assert(rc == 0);
	}
	log_nodes_close(nodes);
	checkpoint.head.root.bytes[0] ^= forged ? 1 : 0;
	buf_init(&text, 0);
	note_checkpoint_put(&checkpoint, &text);
	buf_clear(&fixture->note);
	buf_put_str(&fixture->note, buf_str(&text));
	buf_put_byte(&fixture->note, '\n');
	rc = note_sign(&fixture->signer, buf_str(&text), 0, &fixture->note, &err);
	assert(rc == 0);
	buf_done(&text);
	(void)rc; /* asserted */
}

/* Signs the store as it is. */
static inline void log_fixture_sign(struct log_fixture *fixture)
{
	struct error err;
	uint64_t size = store_leaf_count(fixture->filled.store);
	log_fixture_note(fixture, size, false);
	int rc = checkpoints_put(fixture->filled.store, buf_str(&fixture->note), size,
				 FIXTURE_START_NS, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
}

/* A store of count records, open for writing, and signed. */
static inline void log_fixture_init(struct log_fixture *fixture, uint64_t count)
{
	struct error err;
	memset(fixture, 0, sizeof *fixture);
	buf_init(&fixture->note, 0);
	filled_init(&fixture->filled, count, count);
	store_close(fixture->filled.store);
	filled_open(&fixture->filled, STORE_WRITE);
	int rc = note_signer_make(&fixture->signer, STR_LIT("example.com/log"), NOTE_ED25519, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
	log_fixture_sign(fixture);
}

/* count more records, and a checkpoint. */
static inline void log_fixture_grow(struct log_fixture *fixture, uint64_t count)
{
	filled_add(&fixture->filled, store_leaf_count(fixture->filled.store), count);
	log_fixture_sign(fixture);
}

static inline void log_fixture_done(struct log_fixture *fixture)
{
	note_signer_done(&fixture->signer);
	buf_done(&fixture->note);
	filled_done(&fixture->filled);
}

#endif
