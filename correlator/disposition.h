/* disposition - what becomes of an alert: from one state to the next.
 *
 * Shape:   none -> firing -> acknowledged | revoked | expired. What the evidence says (fires, does not) goes before what persons and time
 *          say: a revoked alert stays revoked until its rule fires again, and an acknowledged or expired one is revoked all the same.
 *          So two stores that hold the same records agree on which alerts are revoked, whatever came first.
 * Told:    channels know two states, firing and resolved; they are told when that changes.
 * Threads: pure. Blocking: never. Source: docs/decisions.md. Tests: tests/unit/disposition.c
 */
#ifndef CORRELATOR_DISPOSITION_H
#define CORRELATOR_DISPOSITION_H

#include "store/alerts.h"

#define DISPOSITION_NONE ((enum alert_state)0) /* there is no such alert yet */

enum disposition_event {
	DISPOSITION_FIRES,        /* the rule fires for the record */
	DISPOSITION_FIRES_NOT,    /* by a later verdict it does not */
	DISPOSITION_ACKNOWLEDGED, /* by a person */
	DISPOSITION_EXPIRES,      /* resolve_after has passed since it fired */
};

/* The state that follows; the same when nothing changes. */
enum alert_state disposition_next(enum alert_state state, enum disposition_event event);

/* Whether channels know a state as firing. */
bool disposition_fires(enum alert_state state);

#endif
