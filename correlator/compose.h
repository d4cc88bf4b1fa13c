/* compose - an alert as the outside is told of it: its row, its rule, and the records that it rests on, as they stand now.
 *
 * Shape:   the person, route and grade are those of the newest verdict, so an alert that is sent later, or again, says more than one that could
 *          not wait. The words of the rule are those of the rules in use; of a rule that is gone only title, tags and severity are left.
 * Limits:  as model/alert-make.h.
 * Life:    the alert borrows from the composer until the next compose_alert.
 * Threads: one per thread. Blocking: reads the store. Tests: tests/unit/compose.c
 */
#ifndef CORRELATOR_COMPOSE_H
#define CORRELATOR_COMPOSE_H

#include "base/arena.h"
#include "correlator/alerting.h"
#include "model/alert-make.h"

enum compose_part {
	COMPOSE_ALERT,
	COMPOSE_STATEMENT,
	COMPOSE_VERDICT,
	COMPOSE_REQUEST,
	COMPOSE_OTHER,
	COMPOSE_PARTS
};

struct composer {
	struct store *store;             /* borrowed; the writer's */
	const struct alerting *alerting; /* borrowed */
	size_t statement_bytes;          /* how much of a statement is told; 0: none */
	struct buf bytes[COMPOSE_PARTS];
	struct record records[COMPOSE_PARTS];
	bool has[COMPOSE_PARTS];
	struct arena arena;
	struct buf text;
};

/* Prepares; no statement is told until statement_bytes is set. */
void composer_init(struct composer *composer, struct store *store, const struct alerting *alerting);
/* Frees. */
void composer_done(struct composer *composer);

/* Puts the alert together. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int compose_alert(struct composer *composer, const struct store_alert *row, struct alert *out_alert,
		  struct error *err);

#endif
