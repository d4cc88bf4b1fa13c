/* verified - an answer of --verified: what it rests on was computed anew from the leaves, and these compared with what was signed.
 *
 * How:     before the question is run, in one snapshot that is held until the answer is out: each leaf of the store is computed from its record and compared with the tree
 *          (store/log/audit.h), the tree with what was signed, and each index, summary, filter and column with the records (store/log/indexes.h). Where all agree, an answer
 *          from indexes is the answer from the leaves. Any difference makes it incomplete, and is named.
 * Trust:   the keys of --policy, else the store's own list. Behind serve the store's alone: a policy is a file of the one who asks.
 * Cost:    that of reading the whole store, whatever is asked.
 * Threads: one per thread. Blocking: disk and processor. Tests: tests/golden/, tests/integration/attacks.c
 */
#ifndef QUERY_VERIFIED_H
#define QUERY_VERIFIED_H

#include "query/claims.h"
#include "query/session.h"

#define VERIFIED_SHOWN 8

struct verified {
	bool asked;
	struct store *store; /* whose snapshot is held; NULL: none */
	uint64_t leaves, signed_leaves;
	uint64_t problems;
	char problem[VERIFIED_SHOWN][ERROR_TEXT_MAX + 64]; /* the first ones */
	char origin[NOTE_NAME_MAX + 1];
	bool from_policy;
};

/* Does it when --verified was given; else *out says that it was not asked. verified_end in any case. Returns 0 also when something differs; ERR_USAGE: --policy without
 * --verified, or behind serve. */
int verified_begin(struct session *session, struct verified *out, struct error *err);
void verified_end(struct verified *verified);

/* Whether it was asked and can't be said. */
bool verified_failed(const struct verified *verified);

/* Appends lines as coverage has them ("\n  verified against .."); a member "verified" with its value; nothing when it was not asked or verified is NULL. */
void verified_put_text(const struct verified *verified, struct buf *out);
void verified_put_json(const struct verified *verified, struct buf *out);

#endif
