/* memory - what a witness has seen of one log: the newest checkpoint that it signed, in a file.
 *
 * Shape:   FOLDER/<SHA-256 of the origin in hexadecimal>.checkpoint: the checkpoint as the log signed it. It appears whole, and is on disk before it counts.
 * Errors:  ERR_CORRUPT: the file holds no checkpoint of this log that one of its keys signed. ERR_IO.
 * Threads: one thread. Blocking: disk. Tests: tests/unit/witness.c
 */
#ifndef WITNESS_MEMORY_H
#define WITNESS_MEMORY_H

#include "base/note.h"

/* The keys of one origin. */
struct memory_log {
	const struct note_key *const *keys;
	size_t count;
};

/* Whether one of the keys signed the note, and none of them wrongly. Returns 0, ERR_GONE (none of them) or ERR_INPUT. */
int memory_verify(const struct memory_log *log, const struct note *note, struct error *err);

/* What was seen last; the empty tree when nothing was. */
int memory_load(const char *folder, const struct memory_log *log, struct merkle_head *out,
		struct error *err);

/* Keeps a checkpoint, which is checked. */
int memory_save(const char *folder, struct str origin, struct str note, struct error *err);

#endif
