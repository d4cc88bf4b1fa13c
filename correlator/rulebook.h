/* rulebook - which records rules have looked at, and from which record on each rule counts; both live with the store.
 *
 * Position: the first leaf that no rule has looked at. It moves with the transaction of what the rules say, so that nothing is looked at twice
 *          or never. Settings of the store: "rules.position", a decimal number, or "off" after a daemon without rules wrote.
 * Since:   a rule does not fire on records below its own leaf: those that were there before the rule was. A rule keeps it for as long
 *          as it stays in the configuration under its id. Setting "rules.known".
 * Threads: one per thread. Blocking: disk. Source: docs/format.md section 5.1. Tests: tests/unit/rulebook.c
 */
#ifndef CORRELATOR_RULEBOOK_H
#define CORRELATOR_RULEBOOK_H

#include "base/hash.h"
#include "correlator/rules/pack.h"
#include "store/store.h"

#define RULEBOOK_POSITION_KEY "rules.position"
#define RULEBOOK_KNOWN_KEY    "rules.known"
#define RULEBOOK_STATE_KEY    "rules.state" /* for `querytrail status`: "87 loaded, 0 bad, 3 idle" */

struct rulebook {
	struct strmap since;
	uint64_t position, stored_position;
};

/* Prepares an empty book. */
void rulebook_init(struct rulebook *book);
/* Frees. */
void rulebook_done(struct rulebook *book);

/* Goes over to the rules of a pack, outside of a transaction: rules that are new begin at the store's next leaf, and so does the position
 * when no rules ran before. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM; then the book is as before. */
int rulebook_use(struct rulebook *book, struct store *store, const struct pack *pack,
		 struct error *err);

/* There are no rules: what comes from now on is not looked at later either. */
int rulebook_stop(struct store *store, struct error *err);

/* The first leaf of a rule; UINT64_MAX for one that is not in use. */
uint64_t rulebook_since(const struct rulebook *book, struct str rule_id);

/* Stores the position within the open transaction, when it has moved. */
int rulebook_put(struct rulebook *book, struct store *store, struct error *err);

#endif
