/* held - what legal holds cover, asked of querytrail: the daemon does not know the filter language.
 *
 * How:     `querytrail hold leaves` runs as a child and prints the leaves that each hold covers (docs/format.md section 10.5). The daemon goes on meanwhile.
 * Closed:  as long as that is not known, or when it fails, nothing may be removed, masked or erased. What came into the store after the child began is
 *          unknown too.
 * Threads: one per thread. Blocking: held_begin for a moment. Tests: tests/unit/held.c
 */
#ifndef CORRELATOR_HELD_H
#define CORRELATOR_HELD_H

#include "base/process.h"
#include "model/leafset.h"
#include "store/holds.h"

#define HELD_OUTPUT_MAX (1u << 30)

struct held_one {
	char name[HOLDS_NAME_MAX + 1];
	struct leafset leaves;
};

struct held {
	struct process process;
	bool runs;
	int out_fd; /* what it prints; -1: none */
	struct held_one *list;
	size_t count;
	struct leafset all; /* of all holds */
};

/* Prepares without holds; ends the child and frees. */
void held_init(struct held *held);
void held_done(struct held *held);

/* Forgets what is covered, and ends the child. */
void held_clear(struct held *held);

/* Starts the child. config is the path of the configuration, or NULL. Returns 0, ERR_GONE (there is no querytrail), ERR_IO. */
int held_begin(struct held *held, const char *store_dir, const char *config, struct error *err);

/* Whether it ended; then what is covered is known. Returns 0, or ERR_IO with what it said, ERR_CORRUPT, ERR_NOMEM: nothing is known. */
int held_look(struct held *held, bool *out_known, struct error *err);

/* Reads what the child prints. Returns 0, ERR_CORRUPT or ERR_NOMEM. */
int held_read(struct held *held, struct str text, struct error *err);

/* Appends the names of the holds that cover one of the leaves, with ", " between them. */
void held_put_names(const struct held *held, const struct leafset *leaves, struct buf *out);

#endif
