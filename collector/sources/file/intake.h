/* intake - pieces of files become records: access log lines requests, audit rows statements, what does not parse rejects.
 *
 * Shape:   give pieces in file order; take what is complete. Split audit rows wait inside for their parts.
 * Keys:    an access log line: tally_key. An audit row: auditrow_key when it names its file and offset, else tally_key[:16].
 * Extra:   a record whose line was not followed by a newline has "file_newline":false in extra (docs/format.md section 6).
 * Life:    records live in the arena given.
 * Threads: one per thread. Blocking: never. Tests: tests/unit/file-source.c
 */
#ifndef COLLECTOR_SOURCES_FILE_INTAKE_H
#define COLLECTOR_SOURCES_FILE_INTAKE_H

#include "base/arena.h"
#include "collector/sources/file/csv.h"
#include "collector/sources/file/reader.h"
#include "collector/sources/file/tally.h"
#include "model/accesslog/accesslog.h"
#include "model/auditrow/auditrow.h"

struct intake {
	struct str source;               /* borrowed: the source's name */
	struct arena *arena;             /* borrowed: of the batch, set before each give and take */
	struct accesslog_format *format; /* access logs; NULL for audit rows */
	struct auditrow_joiner *joiner;  /* audit rows */
	struct csv csv;
	struct tally tally;
	struct buf scratch;
	struct str file;      /* borrowed: base name of the file that is being read */
	int64_t file_time_ns; /* its mtime: the time of rejects */
	enum split_mode mode;
	struct auditrow row;
	struct buf unended; /* audit rows: the last line of the file, when no newline followed it */
};

struct intake_options {
	const char *source;
	bool rows;
	struct accesslog_options accesslog;
};

/* Returns 0, ERR_CONFIG for a format that does not compile, ERR_NOMEM. intake_done is fine after a failure. */
int intake_init(struct intake *intake, const struct intake_options *options, struct error *err);
void intake_done(struct intake *intake);

/* A new file begins. file is borrowed until the next one. */
void intake_file(struct intake *intake, struct str file, int64_t file_time_ns,
		 enum split_mode mode);

/* Goes over a piece that was read before, only to count it and to take a CSV header. Returns 0 or ERR_NOMEM. */
int intake_recount(struct intake *intake, const struct reader_item *item, struct error *err);

/* Takes a piece. out_record is set when it gave a record at once (*out_given): a request or a reject; audit rows come out of
 * intake_take. Returns 0, ERR_LIMIT (arena full: give the piece again with an empty one; but it is counted), ERR_NOMEM. */
int intake_give(struct intake *intake, const struct reader_item *item, struct record *out_record,
		bool *out_given, struct error *err);

/* The next complete statement. Returns 0, ERR_GONE when there is none now, ERR_LIMIT. */
int intake_take(struct intake *intake, struct record *out_record, struct error *err);

#endif
