/* holds - legal holds: what is under one is neither removed, masked nor erased.
 *
 * Shape:   one setting of the catalog, "holds": all holds in the order in which they were made. A hold is a filter of the query language; what it covers
 *          is looked up when it matters, so records that come after it are covered too. docs/format.md section 10.3.
 * Commit:  holds_put belongs to the writer's open transaction, that of the lifecycle record; without one it commits by itself.
 * Limits:  HOLDS_MAX.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 10.3. Tests: tests/unit/holds.c
 */
#ifndef STORE_HOLDS_H
#define STORE_HOLDS_H

#include "store/store.h"

#define HOLDS_MAX        1024
#define HOLDS_NAME_MAX   64
#define HOLDS_FILTER_MAX 4096
#define HOLDS_NOTE_MAX   4096

struct hold {
	struct str name;   /* 1..HOLDS_NAME_MAX of A-Z a-z 0-9 . _ - */
	struct str filter; /* read with UTC, and with since_ns as the present */
	struct str note, by;
	int64_t since_ns;
};

struct holds {
	struct hold *list;
	size_t count;
	struct buf bytes; /* what the texts stand in */
};

/* Prepares an empty list; frees one. */
void holds_init(struct holds *holds);
void holds_done(struct holds *holds);

/* Reads all holds; what was in the list goes. Returns 0, ERR_CORRUPT (then nothing may be removed), ERR_IO or ERR_NOMEM. */
int holds_read(struct store *store, struct holds *holds, struct error *err);

/* The hold of a name, or NULL. */
const struct hold *holds_find(const struct holds *holds, struct str name);

/* Adds a hold, or takes the one of a name away. Returns 0; ERR_INPUT: there is one of that name, or none; ERR_LIMIT; ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
int holds_add(struct store *store, const struct hold *hold, struct error *err);
int holds_remove(struct store *store, struct str name, struct error *err);

#endif
