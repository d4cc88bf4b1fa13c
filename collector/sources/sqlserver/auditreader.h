/* auditreader - reads audit files row by row, exactly once: what was taken before is dropped, what is lost is said.
 *
 * How:     each fetch asks for the rows behind the buffer before the last one (auditcursor.h), from one exact file. A clean end of the
 *          rows while the server writes another file means: go on in the next file. Messages 33224 and 33225 mean that the file
 *          is gone: go on in the oldest one left, with a GAP record. Message 33226 becomes a GAP record and reading goes on.
 * Limits:  batch_rows new rows and AUDITREADER_BATCH_BYTES of them a fetch. TOP grows by the rows to be dropped, so that a buffer with
 *          more rows than a batch is got through. Parts that wait for their rest: AUDITREADER_HELD_BYTES.
 * Errors:  of the auditdb; after one the state is made anew from the cursor of the next request.
 * Threads: one. Blocking: as the auditdb. Tests: tests/unit/auditreader.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITREADER_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITREADER_H

#include "collector/source.h"
#include "collector/sources/sqlserver/auditdb.h"
#include "collector/sources/sqlserver/auditquery.h"

#define AUDITREADER_BATCH_BYTES (2u << 20)
#define AUDITREADER_HELD_BYTES  (4u << 20)

struct auditreader_options { /* texts are borrowed for the reader's life; NULL or "" where not configured */
	const char *source_name;
	const char *audit;
	const char *file_pattern;
	const char *server_name;
	const char *warning; /* told with the first batch */
	bool rds;
	bool finite;
	uint32_t batch_rows;
	int64_t part_timeout_ns;
	int64_t poll_interval_ns;
	struct clock clock;
};

struct auditreader;

/* Makes a reader. db is borrowed. Returns 0 or ERR_NOMEM. */
int auditreader_new(const struct auditreader_options *options, const struct auditdb *db,
		    struct auditreader **out_reader, struct error *err);
void auditreader_free(struct auditreader *reader);

/* As source_type.fetch. */
int auditreader_fetch(struct auditreader *reader, const struct source_request *request,
		      struct source_batch *batch, struct error *err);

#endif
