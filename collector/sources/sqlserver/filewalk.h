/* filewalk - which audit file to read: the oldest at the start, the next one when one is full, the oldest left after a deletion.
 *
 * Why:     a pattern with * opens every file, and SQL Server tries to delete only the oldest at rollover: a reader that holds it
 *          defeats MAX_ROLLOVER_FILES and fills the disk. So rows are read from one exact file, and a pattern is used for one
 *          short question at each step.
 * RDS:     a finished file moves to the folder transmitted below; it is looked for in both.
 * Life:    owns its texts. Threads: one. Blocking: as the auditdb.
 * Tests:   tests/unit/auditreader.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_FILEWALK_H
#define COLLECTOR_SOURCES_SQLSERVER_FILEWALK_H

#include "collector/sources/sqlserver/auditcursor.h"
#include "collector/sources/sqlserver/auditdb.h"

struct filewalk {
	const struct auditdb *db;
	bool has_transmitted; /* Amazon RDS */
	bool transmitted;     /* the cursor's file is there now */
	bool configured;      /* the pattern was given by the operator and stays */
	struct buf folder;    /* with its last separator */
	struct buf pattern;   /* all files of the audit */
	struct buf current;   /* base name of the file that the server writes; empty when unknown */
	struct buf scratch, path;
};

/* file_pattern: empty when not configured. Allocates at most a few KB; buf failures are told by filewalk_ready. */
void filewalk_init(struct filewalk *walk, const struct auditdb *db, bool has_transmitted,
		   struct str file_pattern);
void filewalk_done(struct filewalk *walk);

/* Takes what the server said about its audit. */
void filewalk_learn_status(struct filewalk *walk, const struct auditdb_status *status);
void filewalk_learn_settings(struct filewalk *walk, const struct auditdb_settings *settings);

/* Returns 0, or ERR_CONFIG when nothing tells where the audit files are. */
int filewalk_ready(const struct filewalk *walk, struct error *err);

/* The range that goes on at the cursor: its exact file, behind the buffer before the last. Borrows from walk and cursor until the
 * next call. */
struct auditdb_range filewalk_range(struct filewalk *walk, const struct auditcursor *cursor,
				    uint64_t row_limit);

/* Appends the base name of the oldest file that is not older than `from` (empty: the oldest of all); nothing when there is none.
 * Reads all files when the server can do so in time, else takes the server's first one. */
int filewalk_oldest(struct filewalk *walk, struct str from, struct buf *out, struct error *err);

/* Appends the base name of the file after the cursor's; nothing when there is none yet. Also ERR_GONE. */
int filewalk_next(struct filewalk *walk, const struct auditcursor *cursor, struct buf *out,
		  struct error *err);

/* Whether the cursor's file may be in the other folder of Amazon RDS; turns to it once. */
bool filewalk_try_transmitted(struct filewalk *walk);

#endif
