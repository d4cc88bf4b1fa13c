/* leafset - a set of leaf numbers, as runs.
 *
 * Shape:   runs first..last, rising, with at least one leaf between two of them, once it is settled. Adding takes leaves in any order and as often as
 *          one likes; leafset_settle puts them in order. All that asks wants a settled set.
 * Code:    for each run two varints: the leaves skipped before it, and how many leaves follow its first one. docs/format.md section 10.
 * Limits:  memory; 16 bytes a run.
 * Threads: a value. Blocking: never.
 * Source:  docs/format.md section 10. Tests: tests/unit/leafset.c
 */
#ifndef MODEL_LEAFSET_H
#define MODEL_LEAFSET_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct leafset_run {
	uint64_t first, last; /* both are in it */
};

struct leafset {
	struct leafset_run *runs;
	size_t run_count, room;
	bool is_loose; /* something was added since it was settled */
};

/* Prepares an empty set; frees one, which is then empty. */
void leafset_init(struct leafset *set);
void leafset_done(struct leafset *set);

/* Empties it; the memory stays. */
void leafset_clear(struct leafset *set);

/* Adds all leaves from first to last, last >= first. Returns 0 or ERR_NOMEM. */
int leafset_add(struct leafset *set, uint64_t first, uint64_t last, struct error *err);

/* Puts what was added in order. */
void leafset_settle(struct leafset *set);

/* Whether it has the leaf; whether it has any from first to last, or all of them; how many it has. */
bool leafset_has(const struct leafset *set, uint64_t leaf);
bool leafset_meets(const struct leafset *set, uint64_t first, uint64_t last);
bool leafset_covers(const struct leafset *set, uint64_t first, uint64_t last);
uint64_t leafset_count(const struct leafset *set);

/* How many leaves both have. */
uint64_t leafset_shared(const struct leafset *a, const struct leafset *b);

/* Adds all that the other has, and settles. Returns 0 or ERR_NOMEM. */
int leafset_unite(struct leafset *set, const struct leafset *other, struct error *err);

/* Appends the code. */
void leafset_encode(const struct leafset *set, struct buf *out);

/* Reads the code into an empty set. Returns 0, ERR_CORRUPT (numbers beyond 2^63, or cut off) or ERR_NOMEM; then the set is empty. */
int leafset_decode(struct str code, struct leafset *set, struct error *err);

#endif
