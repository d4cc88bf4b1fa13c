/* auditintake - takes what a read gives, item by item, into a batch: drops repeats, joins split rows, moves the cursor.
 *
 * Shape:   struct auditintake lives as long as the reader; struct auditintake_batch is one call of fetch.
 * Threads: one. Blocking: never. Tests: tests/unit/auditreader.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITINTAKE_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITINTAKE_H

#include "collector/source.h"
#include "collector/sources/sqlserver/auditcursor.h"
#include "collector/sources/sqlserver/auditdb.h"
#include "collector/sources/sqlserver/auditgap.h"
#include "collector/sources/sqlserver/auditsurvey.h"

#define AUDITINTAKE_TOLD_GAPS 16
#define AUDITINTAKE_NO_RECORD SIZE_MAX
#define AUDITINTAKE_RESERVE   64 /* records beside those of the rows: gaps */

struct auditintake {
	struct str source;          /* the source's name; borrowed */
	struct str server_name;     /* as configured, or empty; borrowed */
	struct auditsurvey *survey; /* borrowed */
	struct auditcursor cursor;  /* as read */
	struct auditrow_joiner *joiner;
	struct buf line;
	struct u64map ordinals; /* rows of the current buffer by hash: how many so far */
	int64_t ordinals_offset;
	uint64_t told_gaps[AUDITINTAKE_TOLD_GAPS];
	size_t told_gap_count;
	uint64_t row_count, repeat_count, gap_count, reject_count;
};

struct auditintake_batch {
	struct source_batch *batch;
	size_t capacity; /* of batch->records */
	size_t new_bytes;
	size_t new_rows;
	size_t got_rows; /* of the present read, repeats included */
	size_t open_gap; /* index of a GAP that lacks its end, or AUDITINTAKE_NO_RECORD */
	bool is_full;    /* no more records fit */
	bool is_clean;   /* the read came to its end */
};

/* Prepares an empty intake; allocates nothing. */
void auditintake_init(struct auditintake *intake, struct str source, struct str server_name,
		      struct auditsurvey *survey);
void auditintake_done(struct auditintake *intake);

/* Makes cursor and joiner from the bytes of a cursor. max_held bounds what waits for its parts.
 * Returns 0, ERR_NOMEM, or ERR_CORRUPT (of cursor or joiner). */
int auditintake_restore(struct auditintake *intake, struct str bytes, size_t max_held,
			struct error *err);

/* Starts a read: repeats are counted anew. */
void auditintake_begin_read(struct auditintake *intake, struct auditintake_batch *batch);

/* Takes one item of it. Returns 0, ERR_AGAIN (the batch's memory is full) or ERR_NOMEM. */
int auditintake_take(struct auditintake *intake, struct auditintake_batch *batch,
		     struct auditcursor_seen *seen, struct auditdb_item *item, struct error *err);

/* Moves what the joiner has complete into the batch; sets is_full when it has more. */
int auditintake_take_records(struct auditintake *intake, struct auditintake_batch *batch,
			     struct error *err);

/* Adds the GAP of the cursor's file that went away, ends the statements whose rest was in it, and enters next_file. */
int auditintake_leave_deleted(struct auditintake *intake, struct auditintake_batch *batch,
			      struct str next_file, struct str server_text, struct error *err);

#endif
