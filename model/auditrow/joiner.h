/* joiner - how the joiner keeps what it holds: between joiner.c and the file that saves and restores it.
 *
 * Shape:   two lists: statements that wait for parts, in the order of their first row, and those that are done and wait for
 *          auditrow_joiner_take, in the order in which they were done.
 * Threads: one joiner per thread. Blocking: never. Tests: tests/unit/auditrow-joiner.c
 */
#ifndef MODEL_AUDITROW_JOINER_H
#define MODEL_AUDITROW_JOINER_H

#include "model/auditrow/part.h"

struct held {
	struct held *next;
	struct part *first, *last;
	size_t part_count;
	size_t size_bytes;
	bool broken; /* a part is missing at the front or in the middle */
	bool full;   /* the last part is as long as a row can be: another one should follow */
	bool incomplete;
};

struct held_list {
	struct held *first;
	struct held **end; /* where the next one is hung */
};

struct auditrow_joiner {
	struct held_list waiting, done;
	struct buf scratch;
	size_t waiting_bytes;
	size_t max_bytes;
	struct str source;
	char source_text[RECORD_SOURCE_MAX];
};

/* Appends a part to a statement, or a new statement that begins with it; takes the part over. joiner_begin returns NULL without
 * memory, and the part is still the caller's. */
struct held *joiner_begin(struct auditrow_joiner *joiner, struct part *part);
void joiner_append(struct auditrow_joiner *joiner, struct held *held, struct part *part);

/* Ends the wait of the statement that hangs at link; *link is the next one then. */
void joiner_finish(struct auditrow_joiner *joiner, struct held **link);

/* Frees all that is held. */
void joiner_clear(struct auditrow_joiner *joiner);

#endif
