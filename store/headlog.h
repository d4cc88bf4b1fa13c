/* headlog - the writer's end of the head: appends the bytes of one batch to the last segment and makes them durable.
 *
 * Order:   headlog_write, which ends with fdatasync; then the catalog's commit, which alone makes the bytes count; then headlog_commit.
 *          When anything fails before that commit is tried, headlog_rollback: the next batch is written over the same place.
 * Open:    what stands behind the catalog's end is cut off, the one segment that a crash may have begun is removed. More than
 *          that is no crash, it is a catalog that does not belong to these files: ERR_CORRUPT, nothing is touched.
 * Errors:  ERR_IO names the file. A failed fdatasync is final (the pages may be gone): every later write is refused.
 * Threads: one per thread. Blocking: disk.
 * Source:  docs/format.md section 5.2. Tests: tests/unit/headlog.c
 */
#ifndef STORE_HEADLOG_H
#define STORE_HEADLOG_H

#include "base/error.h"
#include "base/str.h"
#include "store/segments.h"

struct headlog {
	const char *dir; /* of the store; borrowed */
	bool group;      /* the folder's group may read */
	int fd; /* of segment number; -1: none yet, or the next write begins the next one */
	uint32_t number;  /* the last segment; 0: none yet */
	uint64_t end;     /* where the next batch begins in it */
	uint64_t pending; /* bytes of the batch that was written and not committed */
	bool broken;      /* fdatasync or a commit failed once */
};

/* Where the committed bytes end, as the catalog has it; number 0: nothing was committed. */
struct headlog_end {
	uint32_t number;
	uint64_t end;
};

/* Opens the last segment for writing; makes DIR/head when it is not there.
 * Returns 0, ERR_CORRUPT (the segment is missing or shorter than end, or there are segments beyond it that no crash leaves), ERR_IO. */
int headlog_open(struct headlog *log, const char *dir, bool group, const struct headlog_end *end,
		 struct error *err);
void headlog_close(struct headlog *log);

/* The records of a batch this large come from a flood (a backfill, a catch-up). They leave the page cache once they are durable: it
 * would grow by every byte of them and push out what is in use; new pages also cost far more than used ones. The records of
 * smaller batches, which somebody may ask for soon, and all columns and ids stay. */
#define HEADLOG_FLOOD_BYTES (2u << 20)

/* Writes parts one behind the other at the end of the head and waits until the disk has them.
 *   parts       at most HEADLOG_PARTS; the first are the records
 *   out_segment, out_start  where the first byte stands
 * Returns 0 or ERR_IO. */
#define HEADLOG_PARTS 4
int headlog_write(struct headlog *log, const struct str *parts, size_t part_count,
		  struct headlog_end *out_start, struct error *err);

/* Lets go of the last segment, whose batches are all gone: the next write begins the next one. Nothing may be written and not committed. */
void headlog_retire(struct headlog *log);

/* What was written counts (after the catalog's commit), or does not (no commit was tried): its bytes are given back. Without a write
 * they do nothing. */
void headlog_commit(struct headlog *log);
void headlog_rollback(struct headlog *log);

/* The catalog's commit failed. It may still be found in the WAL at the next start, so the bytes stay where they are, and every
 * later write is refused. */
void headlog_abandon(struct headlog *log);

/* Whether DIR/head holds any segment; for whoever is about to make a new catalog. */
bool headlog_has_segments(const char *dir);

/* Adds the sizes of the segments in bytes. */
int headlog_size(const char *dir, uint64_t *bytes, struct error *err);

#endif
