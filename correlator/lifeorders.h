/* lifeorders - what persons order about the life of data: legal holds and erasures.
 *
 * Orders:  LIFECYCLE records from the command line. event hold_add: hold, filter, filter_digest, note. event hold_release: hold, note. event erase: erasure,
 *          data_class (records: all that says whom it is about; literals: values and lines), leaves, filter_digest, note.
 * Stored:  the record without filter and leaves; those go into the settings of holds (store/holds.h) and erasures (store/erasures.h), in the same
 *          transaction.
 * Threads: as the store. Blocking: disk. Tests: tests/unit/lifeorders.c
 */
#ifndef CORRELATOR_LIFEORDERS_H
#define CORRELATOR_LIFEORDERS_H

#include "store/store.h"

#define LIFEORDERS_HOLD    "hold_add"
#define LIFEORDERS_RELEASE "hold_release"
#define LIFEORDERS_ERASE   "erase"

/* Whether it is one of these events; and whether a peer may give the record. */
bool lifeorders_is_one(const struct record *record);
bool lifeorders_is_allowed(const struct record *record);

/* Takes from an order what is not stored with it. */
void lifeorders_strip(struct record *record);

/* Does what an order says, in the open transaction; what cannot be done is logged. Returns 0, ERR_CORRUPT, ERR_IO, ERR_LIMIT or ERR_NOMEM. */
int lifeorders_obey(struct store *store, const struct record *order, int64_t now_ns,
		    struct error *err);

#endif
