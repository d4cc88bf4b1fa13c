/* arena - memory for one batch of work, freed at once.
 *
 * Shape:   a chain of chunks; allocations are 16-byte aligned and never move.
 * Limits:  max_bytes given at arena_init; passing it makes the allocation return NULL (ERR_LIMIT to the caller).
 * Life:    everything lives until arena_clear or arena_done; nothing is freed in between.
 * Threads: one arena per thread. Blocking: never.
 * Tests:   tests/unit/arena.c
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_chunk;
struct arena_end;

struct arena {
	struct arena_chunk *chunk;
	struct arena_end *ends;
	size_t used_bytes; /* handed out since the last clear, with alignment */
	size_t max_bytes;
};

/* Prepares an empty arena that will hand out at most max_bytes; allocates nothing. */
void arena_init(struct arena *arena, size_t max_bytes);

/* Frees all memory; the arena may be initialised again. */
void arena_done(struct arena *arena);

/* Empties the arena and keeps its largest chunk for reuse. All pointers into it become invalid. */
void arena_clear(struct arena *arena);

/* size bytes, uninitialised, or NULL when max_bytes would be passed or memory is out. size 0 gives a unique pointer. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, warn_unused_result));

/* The same, zeroed, for count objects of size bytes; NULL also on overflow. */
void *arena_calloc(struct arena *arena, size_t count, size_t size)
	__attribute__((malloc, warn_unused_result));

/* Lets done(owner) be called when the arena is emptied or freed, the last one first: for what lives as long, and is more than memory.
 * False when max_bytes would be passed or memory is out. */
bool arena_at_end(struct arena *arena, void (*done)(void *owner), void *owner)
	__attribute__((warn_unused_result));

/* Copies s into the arena and sets *out to the copy, which also ends in a NUL that len does not count.
 * Returns 0, or -ERR_LIMIT with *out untouched. */
int arena_str(struct arena *arena, struct str s, struct str *out)
	__attribute__((warn_unused_result));

#endif
