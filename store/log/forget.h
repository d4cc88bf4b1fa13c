/* forget - what the log keeps of records that leave the store or lose their content: enough for every proof, nothing to guess from.
 *
 * Redacted: the record holds its leaf's commitment from then on (field digest); the salt is forgotten.
 * Removed:  of a group of 256 leaves that loses some and keeps others, the hashes of those that go are kept, merged upwards (stubs); of one that goes wholly its hash in the tile is enough.
 *           The salts are forgotten.
 * Order:    forget_take while the records are there; forget_apply within the transaction in which they go. That also notes the leaves in the settings log.redacted and log.removed, until a
 *           record of the log names them (forget_pending, forget_noted): then whoever checks can tell them from records that somebody hid.
 * Errors:   ERR_CORRUPT: a record that goes can't be read, so that its hash can't be kept. ERR_IO, ERR_NOMEM.
 * Threads:  the writer's. Blocking: disk. Memory: 48 bytes a stub. Source: docs/format.md section 11.3. Tests: tests/unit/forget.c
 */
#ifndef STORE_LOG_FORGET_H
#define STORE_LOG_FORGET_H

#include "base/merkle.h"
#include "model/leafset.h"
#include "store/store.h"

struct forget_stub {
	uint64_t group, number;
	unsigned height;
	struct merkle_hash hash;
};

struct forget {
	struct leafset redacted, removed;
	uint64_t *groups; /* whose stubs are to be replaced */
	size_t group_count, group_room;
	struct forget_stub *stubs;
	size_t stub_count, stub_room;
};

/* Prepares an empty one; frees it. */
void forget_init(struct forget *forget);
void forget_done(struct forget *forget);

/* Looks at what `removed` names, which must be settled, and works out what is to be kept. No transaction may be open. */
int forget_take(struct forget *forget, struct store *store, struct error *err);

/* Writes that; within the writer's transaction, after a failure of which the log is to be read again (store_forget_log). */
int forget_apply(struct forget *forget, struct store *store, struct error *err);

/* The commitment of a leaf whose record is at hand, for redact_record. Returns 0, ERR_GONE (its salt was forgotten), or an error. */
int forget_commitment(struct store *store, uint64_t leaf, struct str encoded,
		      struct merkle_hash *out, struct error *err);

/* The leaves that no record names yet; empty sets: none. And within the transaction of a record that names them: they are. */
enum forget_kind { FORGET_REDACTED, FORGET_REMOVED };
int forget_pending(struct store *store, enum forget_kind kind, struct leafset *out,
		   struct error *err);
int forget_noted(struct store *store, enum forget_kind kind, struct error *err);

/* Takes what a record of the log names into the set of its kind; other records are passed over. */
int forget_read_note(struct str encoded, struct leafset *redacted, struct leafset *removed,
		     struct error *err);

/* The events of those records. */
#define FORGET_EVENT_REDACTED "redacted"
#define FORGET_EVENT_REMOVED  "removed"

#endif
