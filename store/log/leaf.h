/* leaf - what stands in the log for a record: an entry of at most LOG_ENTRY_MAX bytes, which says when and whence it came, and commits to the rest.
 *
 * Shape:   u8 1, u8 kind, u8 length and source, u8 length and key, u64 event time, u64 ingest time, 32 bytes commitment. Numbers are little-endian. The commitment is
 *          SHA-256(salt, canonical record). Where the salt was forgotten, the record was redacted and holds the commitment itself (field digest).
 * Errors:  ERR_CORRUPT: bytes that are no record, or a redacted one without its commitment.
 * Threads: pure. Blocking: never. Source: docs/format.md section 11.1. Tests: tests/unit/leaf.c
 */
#ifndef STORE_LOG_LEAF_H
#define STORE_LOG_LEAF_H

#include "base/merkle.h"
#include "model/record.h"
#include "store/log/salts.h"

#define LOG_ENTRY_VERSION 1
#define LOG_ENTRY_MAX     (2 + 1 + RECORD_SOURCE_MAX + 1 + RECORD_KEY_MAX + 8 + 8 + DIGEST_BYTES)

struct log_leaf {
	enum record_kind kind;
	struct str source, key; /* borrowed */
	int64_t time_ns, ingest_ns;
	struct merkle_hash commitment;
};

struct log_entry {
	size_t len;
	char bytes[LOG_ENTRY_MAX];
};

/* SHA-256(salt, encoded). */
void log_commit(const struct log_salt *salt, struct str encoded, struct merkle_hash *out);

/* The leaf of a record. Borrows from encoded.
 *   salt  NULL: it was forgotten, which only a redacted record can do without
 * Returns 0 or ERR_CORRUPT. */
int log_leaf_of(struct str encoded, int64_t ingest_ns, const struct log_salt *salt,
		struct log_leaf *out, struct error *err);

/* Its entry, and back. Parse borrows; returns 0 or ERR_CORRUPT. */
void log_entry_make(const struct log_leaf *leaf, struct log_entry *out);
int log_entry_parse(struct str bytes, struct log_leaf *out, struct error *err);

#endif
