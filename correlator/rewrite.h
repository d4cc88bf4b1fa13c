/* rewrite - writes one sealed block, or the head, anew without what is to go; in steps, between other work.
 *
 * Kept:    what a legal hold covers, and lifecycle records, are never touched.
 * Threads: the writer's. Blocking: disk and processor, about one block a step. Tests: tests/unit/rewrite.c
 */
#ifndef CORRELATOR_REWRITE_H
#define CORRELATOR_REWRITE_H

#include "model/leafset.h"
#include "model/redact.h"
#include "store/seal.h"

struct rewrite_wish {
	enum redact_degree degree;    /* what is taken; REDACT_NOTHING: records go whole */
	const struct leafset *only;   /* of these records; NULL: of all. Borrowed until the end */
	const struct leafset *except; /* but not of these; NULL: none. Borrowed until the end */
	int64_t before_ns; /* records go: of those that are dated by when they were said (accesses, gaps) only older ones */
	const char *id; /* of the erasure, or of the class of retention. Borrowed until the end */
	bool is_settled; /* the block does not wait for other halves, and shall not do so afterwards */
	bool at_once;    /* the old block's file goes with the next tidying */
	int64_t now_ns;
};

struct rewrite {
	struct store *store;
	struct redactor *redactor;
	struct rewrite_wish wish;
	struct seal_change change;
	struct seal *seal; /* NULL: none is under way */
};

/* Whether a record stays when all of its block goes. */
bool rewrite_lasts(uint8_t kind, int64_t time_ns, int64_t before_ns);

/* Prepares for a writer's store. Returns 0 or ERR_NOMEM. done gives up what is under way. */
int rewrite_init(struct rewrite *rewrite, struct store *store, struct error *err);
void rewrite_done(struct rewrite *rewrite);

/* Begins with a block; number 0: with the whole head, which is sealed by that. No transaction may be open, here and in steps.
 * Returns 0, ERR_GONE (there is no such block, or no head), ERR_CORRUPT, ERR_IO, ERR_LIMIT or ERR_NOMEM. */
int rewrite_begin(struct rewrite *rewrite, const struct rewrite_wish *wish, uint64_t number,
		  struct error *err);

/* One step. *out_done: it was the last one, and *out_result says what was done. After an error it is over. */
int rewrite_step(struct rewrite *rewrite, bool *out_done, struct seal_result *out_result,
		 struct error *err);

/* Gives up what is under way: everything stays as it was. */
void rewrite_drop(struct rewrite *rewrite);

#endif
