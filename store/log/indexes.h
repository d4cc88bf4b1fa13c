/* indexes - whether what questions are answered from without reading records says what the records say.
 *
 * What:    of each block the row in the catalog (counts, times, leaves, spans, flags), its filters, its summary, the order and families of its rows, its
 *          columns, and the hints by which ids are found; of each batch of the head its row, columns and ids; the summaries of several blocks; that each leaf is in one place.
 *          All is made anew from the records and compared. What is absent hides nothing, and is no finding.
 * Trust:   records are taken as they are: whether they are those that were committed is what an audit tells (store/log/audit.h).
 * Errors:  a finding is no error. ERR_IO, ERR_NOMEM, ERR_CONFIG (encrypted and no key); ERR_CANCELLED: progress said so. What can't be read is a finding, and the
 *          rest is looked at.
 * Memory:  that of one block, and a bit per leaf. Threads: as the store. Blocking: disk and processor, about 10 us a record.
 * Source:  docs/format.md sections 5, 9 and 11. Tests: tests/unit/indexes.c
 */
#ifndef STORE_LOG_INDEXES_H
#define STORE_LOG_INDEXES_H

#include "store/store.h"

struct indexes_finding {
	uint64_t block;       /* its number; 0: none */
	uint64_t batch;       /* of the head; 0: none */
	uint64_t first, last; /* leaves that it can hide */
	bool damaged;         /* it could not be read */
	const char *text;     /* a sentence that names the block or batch */
};

struct indexes_options {
	void *owner;
	void (*found)(void *owner, const struct indexes_finding *finding);
	bool (*progress)(void *owner, uint64_t done,
			 uint64_t total); /* records; false: give up; may be NULL */
};

struct indexes_result {
	uint64_t blocks, batches, rollups, records; /* looked at */
	uint64_t findings;
};

/* Looks at all that the store's snapshot has; within a share in it that the caller holds, it is what he sees. Returns 0 also when there are findings. */
int indexes_check(struct store *store, const struct indexes_options *options,
		  struct indexes_result *out_result, struct error *err);

#endif
