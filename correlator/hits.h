/* hits - what the rules say of one event, kept until the next.
 *
 * Why:     a rule that fires makes a record, and the store's memory may move under the event while that is appended. So all rules are asked
 *          first.
 * Limits:  `matched` is cut to HITS_MATCHED_MAX bytes.
 * Threads: one per thread. Blocking: never. Tests: tests/unit/hits.c
 */
#ifndef CORRELATOR_HITS_H
#define CORRELATOR_HITS_H

#include "base/arena.h"
#include "correlator/rules/ruleset.h"

#define HITS_MATCHED_MAX 2048

struct hit {
	const struct rule *rule;
	struct str matched;
};

struct hits {
	struct hit *items;
	size_t count, room;
	struct arena arena; /* of what they say; others may put texts there that live as long */
};

/* Prepares for the first event. */
void hits_init(struct hits *hits);
/* Frees. */
void hits_done(struct hits *hits);

/* Asks all rules of the event's stage. Returns 0 or ERR_NOMEM. */
int hits_ask(struct hits *hits, struct matcher *matcher, const struct rules_event *event,
	     struct error *err);

/* Forgets what was said. */
void hits_clear(struct hits *hits);

/* Whether the rule of this id fired. */
bool hits_have(const struct hits *hits, struct str rule_id);

#endif
