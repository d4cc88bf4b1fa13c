/* admission - which records are not taken, or not whole, because they were erased, masked or removed before.
 *
 * Ledger:  a record that it names as erased is not taken; one that it names as masked is taken without what was taken from it then.
 * Floor:   requests and statements of before retention's floor are not taken: they would be removed at once.
 * Told:    how many there were; the keeper counts them as duplicates.
 * Threads: as the keeper. Blocking: disk (admission_read). Tests: tests/unit/admission.c
 */
#ifndef CORRELATOR_ADMISSION_H
#define CORRELATOR_ADMISSION_H

#include "correlator/ledger.h"
#include "store/store.h"

struct redactor;

struct admission {
	const struct ledger *ledger; /* borrowed; NULL: none */
	int64_t floor_ns;            /* INT64_MIN: none */
	uint64_t refused;
	struct redactor *redactor; /* made at the first use */
	struct buf masked;         /* what is left of the last one that was masked */
	struct record left;        /* the same */
};

/* Prepares: everything is taken; frees. */
void admission_init(struct admission *admission);
void admission_done(struct admission *admission);

/* Reads the floor of a store. Returns 0, ERR_CORRUPT or ERR_IO. */
int admission_read(struct admission *admission, struct store *store, struct error *err);

/* Raises the floor; a lower one changes nothing. */
void admission_raise(struct admission *admission, int64_t floor_ns);

/* Whether a record is not to be taken; it is counted then. */
bool admission_refuses(struct admission *admission, const struct record *record);

/* Takes from a record what was taken from it before, if anything was: *io_record and *io_encoded then borrow from the admission until the next call.
 * Returns 0, ERR_CORRUPT, ERR_LIMIT or ERR_NOMEM. */
int admission_mask(struct admission *admission, const struct record **io_record,
		   struct str *io_encoded, struct error *err);

#endif
