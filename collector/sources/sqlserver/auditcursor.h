/* auditcursor - where in the audit files the source stands: what the daemon commits with each batch.
 *
 * Shape:   the file (base name: on Amazon RDS it moves between folders), the offset of its last buffer of which rows were taken
 *          and of the distinct one before it. Reading goes on behind the one before it, so the last buffer is read once more,
 *          because it may have grown. What was taken of it is known by the hashes of its rows, which drop out one for one: true
 *          duplicates stay distinct, and an order that changed does no harm.
 *          The state of the joiner (parts of split rows) travels with it.
 * Why not event_time: it is not the order of the file, and many rows share one.
 * Limits:  encoded <= FEED_CURSOR_MAX; at most AUDITCURSOR_SEEN_SAVED hashes are saved. A buffer with more rows, which no SQL Server
 *          writes, is read again after a restart, and the daemon drops what it has.
 * Life:    a decoded cursor owns its memory; cursor_done frees it.
 * Threads: pure. Blocking: never.
 * Source:  docs/decisions.md, "SQL Server". Tests: tests/unit/auditcursor.c,
 *          tests/fuzz/auditcursor.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITCURSOR_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITCURSOR_H

#include "base/buf.h"
#include "base/hash.h"
#include "collector/sources/sqlserver/auditfile.h"

#define AUDITCURSOR_SEEN_SAVED 8192
#define AUDITCURSOR_JOINER_MAX 192000
#define AUDITCURSOR_START      (-1) /* no offset: from the beginning of the file */

struct auditcursor {
	uint64_t generation; /* counts batches: no two cursors are the same bytes */
	char file[AUDITFILE_NAME_MAX];
	size_t file_len;       /* 0: nothing was read yet */
	int64_t before_offset; /* of the distinct buffer before the last, or AUDITCURSOR_START */
	int64_t last_offset;   /* of the last buffer, or AUDITCURSOR_START */
	int64_t last_time_ns;  /* event time of the last row; 0 when there is none */
	uint64_t *seen;        /* hashes of the rows taken of the last buffer, in order */
	size_t seen_count;
	size_t seen_capacity;
	struct buf joiner; /* auditrow_joiner_save */
};

/* An empty cursor: nothing was read. Allocates nothing. */
void auditcursor_init(struct auditcursor *cursor);
void auditcursor_done(struct auditcursor *cursor);

/* The base name of its file; borrowed. */
struct str auditcursor_file(const struct auditcursor *cursor);

/* Moves to the beginning of a file. Returns 0 or ERR_LIMIT when the name is empty or too long. */
int auditcursor_enter(struct auditcursor *cursor, struct str base_name, struct error *err);

/* Notes that a row of the buffer at offset was taken. A new offset forgets the rows of the one before.
 * Returns 0 or ERR_NOMEM. */
int auditcursor_take(struct auditcursor *cursor, int64_t offset, uint64_t hash, struct error *err);

/* Appends the bytes. Returns 0 or ERR_LIMIT (the joiner's state is too large); then out is as before. */
int auditcursor_encode(const struct auditcursor *cursor, struct buf *out, struct error *err);

/* Reads bytes into an initialised cursor; empty bytes give an empty cursor. Returns 0, ERR_CORRUPT or ERR_NOMEM; then the cursor is
 * empty. */
int auditcursor_decode(struct str bytes, struct auditcursor *out, struct error *err);

/* dst becomes a copy of src. Returns 0 or ERR_NOMEM; then dst is empty. */
int auditcursor_copy(struct auditcursor *dst, const struct auditcursor *src, struct error *err);

/* The rows of one buffer that were taken, to be dropped when they come again. */
struct auditcursor_seen {
	struct u64map left; /* hash: how often it is still to come */
};

/* Prepares the set from the cursor. Returns 0 or ERR_NOMEM. */
int auditcursor_seen_init(struct auditcursor_seen *seen, const struct auditcursor *cursor,
			  struct error *err);
void auditcursor_seen_done(struct auditcursor_seen *seen);

/* Whether a row of that hash was taken; each taken row answers once. */
bool auditcursor_seen_drop(struct auditcursor_seen *seen, uint64_t hash);

#endif
