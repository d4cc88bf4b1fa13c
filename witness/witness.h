/* witness - signs a log's checkpoints when each extends the one before: so that nobody can show different trees to different people, or take back what was there.
 *
 * Rules:   what is signed is on disk before the signature leaves; a second program on the same folder is refused; a state that cannot be read is no empty state.
 * Errors:  ERR_CONFIG: keys that are none, the witness's own among the log's, a folder in use. ERR_CORRUPT: what is in the folder. ERR_IO, ERR_NOMEM.
 * Threads: one thread. Blocking: disk. Source: C2SP tlog-witness v1.0.0, tlog-cosignature v1.0.1. Tests: tests/unit/witness.c, tests/fuzz/witness.c,
 *          tests/integration/witness.py
 */
#ifndef WITNESS_WITNESS_H
#define WITNESS_WITNESS_H

#include "base/note.h"

#define WITNESS_LOGS_MAX 64

struct witness_options {
	const char *key_file;    /* PRIVATE+KEY+.. of a cosignature key */
	const char *folder;      /* of the state; made when it is not there */
	const char *const *logs; /* vkeys; those of one name are of one log */
	size_t log_count;
};

struct witness;

/* Opens it. Returns 0 and *out_witness, or an error. */
int witness_open(const struct witness_options *options, struct witness **out_witness,
		 struct error *err);
void witness_close(struct witness *witness); /* NULL is fine */

/* The key with which it signs. */
const struct note_key *witness_key(const struct witness *witness);

/* What is answered. */
struct witness_answer {
	unsigned status;
	const char *content_type; /* static */
	struct buf body;          /* the caller inits and frees */
};

/* Handles the body of an add-checkpoint. answer.body is cleared first. */
void witness_add_checkpoint(struct witness *witness, struct str body, int64_t now_s,
			    struct witness_answer *answer);

/* Makes a key and writes it to a new file that only its owner may read. Appends the vkey to out. Returns 0, ERR_CONFIG (the name is none, the file is there), ERR_IO. */
int witness_make_key(const char *name, const char *file, struct buf *out, struct error *err);

#endif
