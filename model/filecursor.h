/* filecursor - how far the cursor of a file source has come: for the source, and for whoever shows its progress.
 *
 * Shape:   a cursor begins with a version, a hash of the list of files, the place of the file in that list and an offset in its unpacked bytes.
 *          What follows is the source's own.
 * Threads: pure. Blocking: never. Source: docs/format.md section 6. Tests: tests/unit/filecursor.c
 */
#ifndef MODEL_FILECURSOR_H
#define MODEL_FILECURSOR_H

#include "base/wire.h"

#define FILECURSOR_VERSION 2

struct filecursor {
	uint64_t files_hash;
	uint64_t file_index; /* as many as there are files: all were read */
	uint64_t offset;
};

/* Appends the beginning of a cursor. */
void filecursor_put(const struct filecursor *cursor, struct buf *out);

/* Reads it, and leaves the reader behind it. False: it is none, or of another version. */
bool filecursor_read(struct wire_reader *reader, struct filecursor *out);

/* The hash of a list of files: begun with their count, then each path in order. */
uint64_t filecursor_hash(uint64_t hash, struct str path);

#endif
