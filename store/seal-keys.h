/* seal-keys - the keys of the two filters of a block (store/id-filter.h), gathered from its records in the order of its rows.
 *
 * Threads: pure. Blocking: never. Source: docs/format.md section 9.8. Tests: tests/unit/seal-keys.c
 */
#ifndef STORE_SEAL_KEYS_H
#define STORE_SEAL_KEYS_H

#include "base/buf.h"
#include "base/error.h"
#include "model/record.h"

#define SEAL_KEYS_OWN 4 /* ids of a request */

struct seal_keys {
	uint64_t *ids, *records;
	size_t id_count, id_room, record_count, record_room;
	uint64_t (*own)[SEAL_KEYS_OWN]; /* of each request, by row; 0: none */
	size_t request_count;
	const uint64_t *parent_keys; /* of the statement at hand */
	uint64_t
		stable; /* record_stable_number of the record at hand, when it is known already; else 0 */
	bool has_strays; /* verdicts whose subject is not in the block */
	bool failed;
};

/* Prepares for a block whose first request_count rows are its requests. Returns 0 or -ERR_NOMEM. */
int seal_keys_init(struct seal_keys *keys, size_t request_count);
void seal_keys_done(struct seal_keys *keys);

/* Takes the record of a row; rows come in their order.
 *   parent  the row of a statement's request or a verdict's subject; UINT32_MAX: not in the block
 * A failure is remembered. */
void seal_keys_add(struct seal_keys *keys, const struct record *record, uint32_t row,
		   uint32_t parent);

/* Appends the filters. Returns 0 or -ERR_NOMEM. */
int seal_keys_finish(struct seal_keys *keys, struct buf *out_ids, struct buf *out_records);

#endif
