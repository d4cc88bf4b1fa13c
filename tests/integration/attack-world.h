/* attack-world - a small store that is signed, sealed and anchored, and what an administrator needs to forge one: rewrite records, compute the log anew, sign.
 *
 * Shape:   1,500 records: 0 to 999 in blocks, the others in batches of 50 in the head. Signed at 300, 700, 1,100 and 1,500 records; all four notes are in the auditor's folder.
 * Errors:  end the program. Threads: one. */
#ifndef TESTS_INTEGRATION_ATTACK_WORLD_H
#define TESTS_INTEGRATION_ATTACK_WORLD_H

#include "base/note.h"
#include "tests/unit/tamper.h"

#define WORLD_RECORDS 1500
#define WORLD_SEALED  1000
#define WORLD_BATCH   50
#define WORLD_PATH    512

struct world {
	char dir[64]; /* everything is under it: store, older (at 700 records), other (another store), work, anchors, policy */
	char store[WORLD_PATH], older[WORLD_PATH], other[WORLD_PATH], work[WORLD_PATH],
		anchors[WORLD_PATH], policy[WORLD_PATH];
	struct note_signer signer, forger; /* the log's key; one that the administrator made */
};

/* Makes it in a new folder; removes it. */
void world_make(struct world *world);
void world_remove(struct world *world);

/* Runs a command line of the shell, with what it says in a file; its status, -1: it was killed. The other one must succeed. */
int world_shell(const char *line, const char *out_path);
void world_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A fresh copy of a folder as work. */
void world_copy(const struct world *world, const char *from);

/* Appends records from..to of another history (salted by `history`; 0: the true one) and commits them by batches. */
void world_append(const char *dir, uint64_t from, uint64_t to, uint64_t history);

/* Computes tiles and state anew from the records that are there. */
void world_relog(const char *dir);

/* Signs the tree as it is and stores the checkpoint; out: the note, too (NULL: not wanted). Takes all checkpoints away. */
void world_sign(const char *dir, const struct note_signer *signer, struct buf *out);
void world_unsign(const char *dir);

/* The block that holds a leaf; 0: none. */
uint64_t world_block_of(const char *dir, uint64_t leaf);

/* Changes the record of a leaf where it stands; all that hangs on it follows. */
typedef void world_edit_fn(struct tamper_record *record);
void world_edit(const char *dir, uint64_t leaf, world_edit_fn *edit);

/* Cuts the head off at a batch's first leaf, which is then the next one. */
void world_cut(const char *dir, uint64_t leaf);

/* Summaries of several blocks anew. */
void world_rollups(const char *dir);

/* A setting of the store. */
void world_meta(const char *dir, const char *key, uint64_t value);

#endif
