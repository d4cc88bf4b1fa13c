/* import-progress - how far an import is: from what the store has committed, as one line for a terminal.
 *
 * Shape:   bytes are those of the files as they lie on the disk; of a gzip file as many as the unpacked bytes that were read suggest (its last
 *          four bytes tell how many there are, modulo 2^32).
 * Phases:  reading; joining, while records still come although all files are read; sealing, while blocks take in what the head holds.
 * Line:    parts that do not fit the width are left out, the least important first. No control characters.
 * Threads: one per thread. Blocking: reads the first and last bytes of files. Tests: tests/unit/import-progress.c
 */
#ifndef QUERY_IMPORT_PROGRESS_H
#define QUERY_IMPORT_PROGRESS_H

#include "model/filecursor.h"

#include <time.h>

struct import_file {
	const char *path; /* borrowed */
	uint64_t bytes;
	uint64_t unpacked; /* as far as it tells; bytes of a plain file */
	bool is_packed;
	struct timespec changed; /* by content, name or owner, whichever was last */
};

/* Looks at a file. One that cannot be read has no bytes: the import itself says why. */
void import_file_look(const char *path, struct import_file *out);

/* A list of files: its hash as cursors have it, and its bytes. */
uint64_t import_files_hash(const struct import_file *files, size_t count);
uint64_t import_files_bytes(const struct import_file *files, size_t count);

/* The bytes of the files that lie before a cursor's place. */
uint64_t import_files_done(const struct import_file *files, size_t count,
			   const struct filecursor *cursor);

enum import_phase { IMPORT_READING, IMPORT_JOINING, IMPORT_SEALING };

struct import_state {
	enum import_phase phase;
	uint64_t done_bytes, all_bytes;
	size_t file, file_count; /* file: the one that is read, from 1 on */
	uint64_t records;        /* taken in by this import */
	uint64_t sealed, stored; /* records in blocks, of all in the store */
	double per_second;       /* records; 0: unknown */
	int64_t left_ns;         /* until the phase ends; -1: unknown */
};

/* What is behind the speed: told the same moment as the state, it keeps an average of the last seconds. */
struct import_pace {
	int64_t last_ns; /* 0: nothing yet */
	uint64_t last_records, last_done;
	enum import_phase phase;
	double records, done; /* per second */
};

/* Sets per_second and left_ns of a state at now_ns (a monotonic time). */
void import_pace_take(struct import_pace *pace, int64_t now_ns, struct import_state *state);

/* Appends the line, of at most width columns. */
void import_state_put(const struct import_state *state, size_t width, struct buf *out);

#endif
