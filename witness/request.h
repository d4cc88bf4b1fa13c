/* request - what a log posts to a witness: how much of it the witness knows, a proof, and its new checkpoint.
 *
 * Shape:   "old SIZE", one line of Base64 a hash of the consistency proof, an empty line, the checkpoint with its signatures. Each line ends with a newline.
 * Limits:  REQUEST_MAX_BYTES; MERKLE_PROOF_MAX hashes.
 * Errors:  ERR_INPUT names what is wrong.
 * Threads: pure. Blocking: never. Source: C2SP tlog-witness v1.0.0, add-checkpoint. Tests: tests/unit/witness-request.c, tests/fuzz/witness.c
 */
#ifndef WITNESS_REQUEST_H
#define WITNESS_REQUEST_H

#include "base/note.h"

#define REQUEST_MAX_BYTES (64u << 10)

struct request {
	uint64_t old_size;
	struct merkle_proof proof;
	struct note note;                  /* borrows from the body */
	struct note_checkpoint checkpoint; /* too */
};

/* Reads a body. Returns 0 or ERR_INPUT. */
int request_parse(struct str body, struct request *out, struct error *err);

#endif
