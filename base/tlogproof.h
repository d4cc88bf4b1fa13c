/* tlogproof - a proof of one leaf in a file: "c2sp.org/tlog-proof@v1", the leaf's number, its path, and the checkpoint that it leads to.
 *
 * Shape:   lines "c2sp.org/tlog-proof@v1", "extra BASE64" (may be missing), "index N", one line of Base64 a hash, an empty line, the checkpoint with its signatures.
 * Errors:  ERR_INPUT names the line. Limits: NOTE_MAX_BYTES; MERKLE_PROOF_MAX hashes; extra TLOGPROOF_EXTRA_MAX bytes.
 * Threads: pure. Blocking: never. Source: C2SP tlog-proof. Tests: tests/unit/tlogproof.c, tests/fuzz/tlogproof.c
 */
#ifndef BASE_TLOGPROOF_H
#define BASE_TLOGPROOF_H

#include "base/note.h"

#define TLOGPROOF_EXTRA_MAX 65535

struct tlogproof {
	uint64_t index;
	struct merkle_proof path;
	struct str checkpoint; /* the signed note, borrowed */
};

/* Writes a proof; extra empty: no line. */
void tlogproof_put(const struct tlogproof *proof, struct str extra, struct buf *out);

/* Reads one; extra's bytes are appended to out_extra. Returns 0, ERR_INPUT or ERR_NOMEM. */
int tlogproof_parse(struct str bytes, struct tlogproof *out, struct buf *out_extra,
		    struct error *err);

#endif
