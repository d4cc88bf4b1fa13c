/* show - a story for people, at any width, and as JSON.
 *
 * Trust:   every value is escaped; a statement keeps its lines, each behind a bar, so that it cannot pass for anything else.
 * Threads: one per thread. Blocking: disk. Tests: tests/unit/show.c, tests/unit/show-json.c
 */
#ifndef QUERY_SHOW_H
#define QUERY_SHOW_H

#include "query/output.h"
#include "query/story.h"
#include "query/verified.h"

struct show {
	struct output *out;
	const struct story *story;
	struct scan_fetch *fetch;
	struct store *store; /* NULL: without alerts */
	uint64_t unread;     /* records of the story that could not be read; their place says so */
	struct error damage; /* of the first */
	const struct verified *verified; /* NULL: not asked */
	bool removed; /* the record that show_fetch did not read was removed by retention */
};

/* Appends the story and goes on behind what cannot be read. Return 0, ERR_IO or ERR_NOMEM. */
int show_put_text(struct show *show, struct error *err);
int show_put_json(struct show *show, struct error *err);

/* Appends the alerts on the story's requests and statements: as lines with a heading when there are any; as a JSON list. Return 0, ERR_CORRUPT,
 * ERR_IO or ERR_NOMEM. */
int show_put_alerts(struct show *show, struct error *err);
int show_put_alerts_json(struct show *show, struct error *err);

/* Reads a record of the story. One that cannot be read is counted in show->unread (unless it was removed), and *out_read is false: then the caller says so
 * in its place. Returns 0, ERR_IO or ERR_NOMEM. */
int show_fetch(struct show *show, uint64_t leaf, struct record *out_record, bool *out_read,
	       struct error *err);

#endif
