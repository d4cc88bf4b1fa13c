/* hold-reach - what a legal hold covers in a store, at this moment.
 *
 * Shape:   the filter is read as it was meant when the hold was made: in UTC, with that moment as the present.
 * Threads: one per thread. Blocking: disk. Tests: tests/unit/reach.c
 */
#ifndef QUERY_HOLD_REACH_H
#define QUERY_HOLD_REACH_H

#include "query/reach.h"
#include "query/session.h"
#include "store/holds.h"

/* Looks it up; *out_reach must be done either way. Returns as reach_find, or ERR_USAGE: this version cannot read the filter. */
int hold_reach_find(struct store *store, const struct hold *hold, struct reach *out_reach,
		    struct error *err);

/* A hold and what it covers, for several of them. */
struct hold_cover {
	struct str name; /* borrowed from the holds */
	struct leafset leaves;
};
struct hold_covers {
	struct holds holds;
	struct hold_cover *list; /* one a hold */
	size_t count;
	uint64_t damaged; /* blocks that could not be read: what they hold may be covered */
	char damage[ERROR_TEXT_MAX];
};

/* All holds of a store; *out_covers must be done either way. Returns as hold_reach_find, or what holds_read says. */
int hold_covers_find(struct store *store, struct hold_covers *out_covers, struct error *err);
void hold_covers_done(struct hold_covers *covers);

#endif
