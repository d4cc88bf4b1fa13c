/* erasures - what was ordered to be erased, how far it got, and what came of it: settings of the catalog.
 *
 * Shape:   "erasures" holds one row an erasure, in the order of the orders; "erasure.ID" the leaves of one that is not over yet, and of one of which
 *          legal holds keep records. docs/format.md section 10.4.
 * Life:    ordered -> working -> done, or -> held and, when a hold is released, working again. A row stays for ever: by it the daemon knows, after a
 *          restore, which erasures of the ledger the store has not seen.
 * Commit:  puts belong to the writer's open transaction; without one each commits by itself.
 * Limits:  ERASURES_MAX rows.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 10.4. Tests: tests/unit/erasures.c
 */
#ifndef STORE_ERASURES_H
#define STORE_ERASURES_H

#include "model/leafset.h"
#include "store/store.h"

#define ERASURES_MAX         65536
#define ERASURES_ID_DIGITS   16
#define ERASURES_TEXT_MAX    4096
#define ERASURES_HASH_DIGITS 64

enum erasure_state { /* stored; never changes */
		     ERASURE_ORDERED = 1,
		     ERASURE_WORKING = 2,
		     ERASURE_HELD = 3, /* done but for what holds keep */
		     ERASURE_DONE = 4,
};

struct erasure {
	char id[ERASURES_ID_DIGITS + 1];
	char filter_digest[ERASURES_HASH_DIGITS + 1]; /* "" when the ledger brought it */
	enum erasure_state state;
	bool only_literals;
	bool again; /* the ledger brought it: the store was restored, or is another one */
	int64_t ordered_ns, done_ns;
	uint64_t asked;                 /* records that the order names */
	uint64_t records, blocks, held; /* changed; rewritten; kept by holds */
	uint64_t steps, steps_done;     /* blocks to look at, and how many were */
	char by[256], held_by[256];     /* who; names of holds */
	char reason[ERASURES_TEXT_MAX + 1];
};

struct erasures {
	struct erasure *list;
	size_t count, room;
};

/* Prepares an empty list; frees one. */
void erasures_init(struct erasures *erasures);
void erasures_done(struct erasures *erasures);

/* Reads all; what was in the list goes. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int erasures_read(struct store *store, struct erasures *erasures, struct error *err);

/* The row of an id, or NULL. */
struct erasure *erasures_find(const struct erasures *erasures, struct str id);

/* Sets a row, made when it is new. Returns 0, ERR_LIMIT, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int erasures_put(struct store *store, const struct erasure *erasure, struct error *err);

/* Orders those again of which something was kept: all, or only those that met damage (no hold keeps anything of them). Returns as erasures_put. */
int erasures_wake(struct store *store, bool only_damaged, struct error *err);

/* The leaves of an erasure: get gives an empty set when there are none. */
int erasures_put_leaves(struct store *store, const char *id, const struct leafset *leaves,
			struct error *err);
int erasures_get_leaves(struct store *store, const char *id, struct leafset *out_leaves,
			struct error *err);

#endif
