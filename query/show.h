/* show - a story for people, at any width, and as JSON.
 *
 * Trust:   every value is escaped; a statement keeps its lines, each behind a bar, so that it cannot pass for anything else.
 * Threads: one per thread. Blocking: disk. Tests: tests/unit/show.c
 */
#ifndef QUERY_SHOW_H
#define QUERY_SHOW_H

#include "query/output.h"
#include "query/story.h"

struct show {
	struct output *out;
	const struct story *story;
	struct scan_fetch *fetch;
};

/* Appends the story. Return 0 or a failure of the store. */
int show_put_text(struct show *show, struct error *err);
int show_put_json(struct show *show, struct error *err);

/* Appends text wrapped to the output's width behind an indent on each line; lines of the text stay lines. */
void show_put_wrapped(struct output *out, const char *indent, struct str text);

#endif
