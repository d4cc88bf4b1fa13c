/* auditgap - the records that say what is missing or did not parse, for the sqlserver source.
 *
 * Keys:    made of what is missing, not of when it was noticed, so that a replay gives the same key.
 * Life:    texts in the arena. Threads: pure. Blocking: never. Tests: tests/unit/auditreader.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITGAP_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITGAP_H

#include "base/arena.h"
#include "model/record.h"

struct auditgap_place {
	struct str source; /* the source's name */
	struct str file;   /* base name */
	int64_t offset;    /* of the last buffer that was read, or -1 */
	int64_t time_ns;   /* event time of the last row that was read, or 0 */
};

/* GAP deleted_file: place.file went away before its end was surely read; reading goes on in next_file.
 * Returns 0 or ERR_LIMIT (arena full). */
int auditgap_deleted_file(const struct auditgap_place *place, struct str next_file,
			  struct str server_text, struct arena *arena, struct record *out);

/* GAP skipped_records: the server left records out behind place (message 33226). Returns 0 or ERR_LIMIT. */
int auditgap_skipped_records(const struct auditgap_place *place, struct str server_text,
			     struct arena *arena, struct record *out);

/* Says up to when what is missing reaches: the first event time behind it. */
void auditgap_close(struct record *record, int64_t time_ns);

/* REJECT: a row at place that could not be converted; raw is what came. Returns 0 or ERR_LIMIT. */
int auditgap_reject(const struct auditgap_place *place, struct str reason, struct str raw,
		    struct arena *arena, struct record *out);

#endif
