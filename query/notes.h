/* notes - what the records of a log say was taken from others: the leaves that were redacted and removed by an order or by retention.
 *
 * Threads: one per thread. Blocking: disk. Tests: tests/golden/, tests/integration/attacks.c
 */
#ifndef QUERY_NOTES_H
#define QUERY_NOTES_H

#include "model/leafset.h"
#include "store/store.h"

struct notes {
	struct leafset redacted, removed;
};

/* Prepares empty sets; frees them. */
void notes_init(struct notes *notes);
void notes_done(struct notes *notes);

/* Fills and settles them. What is damaged is passed over. Returns 0, ERR_IO or ERR_NOMEM. */
int notes_read(struct notes *notes, struct store *store, struct error *err);

#endif
