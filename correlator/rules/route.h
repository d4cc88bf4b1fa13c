/* route - the rules for one kind of event, and the filters that find candidates among them.
 *
 * Threads: read-only once made. Blocking: never. Tests: tests/unit/rule-route.c
 */
#ifndef CORRELATOR_RULES_ROUTE_H
#define CORRELATOR_RULES_ROUTE_H

#include "correlator/rules/compiled.h"

/* Makes a route of rules, which are places in the ruleset in rising order and live in its arena. Returns 0, ERR_NOMEM or ERR_LIMIT; what
 * was made is freed by route_done in any case. */
int route_make(struct ruleset *ruleset, struct route *route, struct error *err);
void route_done(struct route *route);

/* The place of a text among the lists of a filter, or NULL. */
const uint64_t *route_find_text(const struct ruleset *ruleset, const struct route_filter *filter,
				struct str folded);

/* The same for a number. */
const uint64_t *route_find_number(const struct route_filter *filter, double number);

#endif
