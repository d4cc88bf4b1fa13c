/* sign - who signs the log's checkpoints: the keys, what they signed last, and the refusal to sign what does not extend it.
 *
 * Shape:   one or more Ed25519 keys of one name, the log's origin; each signs every checkpoint, so that an old and a new key overlap. The signer gets the head of the tree and a proof
 *          that it extends the last one, checks that itself, and gives back a signed note: all that a signer in another process would need.
 * Rules:   the tree must be durable before it is signed. Two heads that do not agree are never signed.
 * Errors:  ERR_CONFIG: a key file is missing, open to others, or holds no key of this log. ERR_INPUT: the head does not extend the last one. ERR_NOMEM, ERR_IO.
 * Threads: one thread. Blocking: open reads files. Source: C2SP tlog-checkpoint; docs/format.md section 11. Tests: tests/unit/sign.c
 */
#ifndef STORE_SIGN_H
#define STORE_SIGN_H

#include "base/note.h"

#define SIGN_KEYS_MAX 8

struct sign;

/* Opens the keys. Files hold PRIVATE+KEY+.. texts (base/note.h). */
int sign_open(const char *const *key_files, size_t count, struct sign **out_sign,
	      struct error *err);
void sign_close(struct sign *sign); /* NULL is fine */

/* Makes a key and writes it to a file, mode 0600.
 *   name  the origin; NULL: that of a new log, HOST/querytrail-XXXXXXXX, of which no two are the same */
int sign_make_key(const char *path, const char *name, struct error *err);

/* The keys; the first one's name is the origin. */
size_t sign_key_count(const struct sign *sign);
const struct note_key *sign_key(const struct sign *sign, size_t index);

/* What was signed last, by an earlier process; to be told once, before the first head is signed. */
void sign_resume(struct sign *sign, const struct merkle_head *last);

/* Appends the signed note of a head.
 *   proof  that head extends what was signed last; of no hashes when nothing was or the size is the same
 * Returns 0, ERR_INPUT (it does not extend it; nothing is signed) or ERR_NOMEM. */
int sign_head(struct sign *sign, const struct merkle_head *head, const struct merkle_proof *proof,
	      struct buf *out_note, struct error *err);

#endif
