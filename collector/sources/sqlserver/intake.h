/* intake - takes what a read gives, item by item, into a batch: drops repeats, joins split rows, moves the cursor.
 *
 * Shape:   struct intake lives as long as the reader; struct intake_batch is one call of fetch.
 * Threads: one. Blocking: never. Tests: tests/unit/sqlserver-reader.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_INTAKE_H
#define COLLECTOR_SOURCES_SQLSERVER_INTAKE_H

#include "collector/source.h"
#include "collector/sources/sqlserver/auditdb.h"
#include "collector/sources/sqlserver/cursor.h"
#include "collector/sources/sqlserver/gap.h"
#include "collector/sources/sqlserver/survey.h"

#define INTAKE_TOLD_GAPS 16
#define INTAKE_NO_RECORD SIZE_MAX
#define INTAKE_RESERVE   64 /* records beside those of the rows: gaps */

struct intake {
	struct str source;      /* the source's name; borrowed */
	struct str server_name; /* as configured, or empty; borrowed */
	struct survey *survey;  /* borrowed */
	struct cursor cursor;   /* as read */
	struct auditrow_joiner *joiner;
	struct buf line;
	struct u64map ordinals; /* rows of the current buffer by hash: how many so far */
	int64_t ordinals_offset;
	uint64_t told_gaps[INTAKE_TOLD_GAPS];
	size_t told_gap_count;
	uint64_t row_count, repeat_count, gap_count, reject_count;
};

struct intake_batch {
	struct source_batch *batch;
	size_t capacity; /* of batch->records */
	size_t new_bytes;
	size_t new_rows;
	size_t got_rows; /* of the present read, repeats included */
	size_t open_gap; /* index of a GAP that lacks its end, or INTAKE_NO_RECORD */
	bool is_full;    /* no more records fit */
	bool is_clean;   /* the read came to its end */
};

/* Prepares an empty intake; allocates nothing. */
void intake_init(struct intake *intake, struct str source, struct str server_name,
		 struct survey *survey);
void intake_done(struct intake *intake);

/* Makes cursor and joiner from the bytes of a cursor. max_held bounds what waits for its parts.
 * Returns 0, ERR_NOMEM, or ERR_CORRUPT (of cursor or joiner). */
int intake_restore(struct intake *intake, struct str bytes, size_t max_held, struct error *err);

/* Starts a read: repeats are counted anew. */
void intake_begin_read(struct intake *intake, struct intake_batch *batch);

/* Takes one item of it. Returns 0, ERR_AGAIN (the batch's memory is full) or ERR_NOMEM. */
int intake_take(struct intake *intake, struct intake_batch *batch, struct cursor_seen *seen,
		struct auditdb_item *item, struct error *err);

/* Moves what the joiner has complete into the batch; sets is_full when it has more. */
int intake_take_records(struct intake *intake, struct intake_batch *batch, struct error *err);

/* Adds the GAP of the cursor's file that went away, ends the statements whose rest was in it, and enters next_file. */
int intake_leave_deleted(struct intake *intake, struct intake_batch *batch, struct str next_file,
			 struct str server_text, struct error *err);

#endif
