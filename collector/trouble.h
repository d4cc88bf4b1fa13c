/* trouble - a failure that lasts: told once when it begins, again when it changes, and when it is over.
 *
 * Shape:   one struct per thing that may fail (the source, the daemon). A sentence that differs only in its wording is told at
 *          most once a minute; another code is told at once.
 * Threads: one per process. Blocking: never. Tests: tests/unit/trouble.c
 */
#ifndef COLLECTOR_TROUBLE_H
#define COLLECTOR_TROUBLE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct trouble {
	struct error last; /* code 0: all is well */
	uint64_t count;    /* failures since it began */
	int64_t told_ns;
};

/* Counts a failure; true when it is to be told now. now_ns is monotonic. */
bool trouble_add(struct trouble *trouble, const struct error *err, int64_t now_ns);

/* It works: true when there was trouble; *out_count is how many failures it took. */
bool trouble_end(struct trouble *trouble, uint64_t *out_count);

#endif
