/* verdict - what the join says, as a record that is stored like any other.
 *
 * Shape:   source "querytraild"; key "s<stable id of the statement>.<revision>", or "r<stable id of the request>.<revision>" for
 *          a request without statement; time of the statement (or request).
 * Life:    the record borrows from the struct verdict and from the join's verdict.
 * Threads: a value. Blocking: verdict_make reads the store. Tests: tests/unit/verdict.c
 */
#ifndef CORRELATOR_VERDICT_H
#define CORRELATOR_VERDICT_H

#include "correlator/join/join.h"
#include "store/store.h"

#define VERDICT_SOURCE "querytraild"

struct verdict {
	struct record record;
	char key[RECORD_KEY_MAX];
	char statement_id[RECORD_ID_DIGITS + 1];
};

/* Fills out from what the join said; its statement and request stand in the store or its open transaction.
 * Returns 0, or what store_peek or record_decode say. */
int verdict_make(struct store *store, const struct join_verdict *said, struct verdict *out,
		 struct error *err);

#endif
