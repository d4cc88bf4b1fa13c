#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

#define ARENA_ALIGN       16
#define ARENA_CHUNK_BYTES 65536

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* bytes behind the header */
	size_t used;
	char pad[8]; /* keeps data aligned to ARENA_ALIGN */
	char data[];
};

_Static_assert(offsetof(struct arena_chunk, data) % ARENA_ALIGN == 0, "chunk data is aligned");

void arena_init(struct arena *arena, size_t max_bytes)
{
	*arena = (struct arena){.chunk = NULL, .used_bytes = 0, .max_bytes = max_bytes};
}

struct arena_end {
	struct arena_end *before;
	void (*done)(void *owner);
	void *owner;
};

static void run_ends(struct arena *arena)
{
	while (arena->ends != NULL) {
		const struct arena_end *end = arena->ends;
		arena->ends = end->before;
		end->done(end->owner);
	}
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
}

void arena_done(struct arena *arena)
{
	run_ends(arena);
	free_chunks(arena->chunk);
	arena_init(arena, arena->max_bytes);
}

void arena_clear(struct arena *arena)
{
	run_ends(arena);
	struct arena_chunk *largest = arena->chunk;
	for (struct arena_chunk *chunk = arena->chunk; chunk != NULL; chunk = chunk->next) {
		if (chunk->size > largest->size) {
			largest = chunk;
		}
	}
	for (struct arena_chunk *chunk = arena->chunk; chunk != NULL;) {
		struct arena_chunk *next = chunk->next;
		if (chunk != largest) {
			free(chunk);
		}
		chunk = next;
	}
	if (largest != NULL) {
		largest->next = NULL;
		largest->used = 0;
	}
	arena->chunk = largest;
	arena->used_bytes = 0;
}

/* Chunks double up to 1 MiB, so that a large batch takes few. */
static struct arena_chunk *add_chunk(struct arena *arena, size_t need)
{
	size_t size = arena->chunk != NULL ? arena->chunk->size * 2 : ARENA_CHUNK_BYTES;
	if (size > (1u << 20)) {
		size = 1u << 20;
	}
	if (size < need) {
		size = need;
	}
	struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);
	if (chunk == NULL) {
		return NULL;
	}
	chunk->next = arena->chunk;
	chunk->size = size;
	chunk->used = 0;
	arena->chunk = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX - ARENA_ALIGN) {
		return NULL;
	}
	size_t need =
		size == 0 ? ARENA_ALIGN : (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	assert(arena->used_bytes <= arena->max_bytes);
	if (need > arena->max_bytes - arena->used_bytes) {
		return NULL;
	}
	struct arena_chunk *chunk = arena->chunk;
	if (chunk == NULL || chunk->size - chunk->used < need) {
		chunk = add_chunk(arena, need);
		if (chunk == NULL) {
			return NULL;
		}
	}
	void *ptr = chunk->data + chunk->used;
	chunk->used += need;
	arena->used_bytes += need;
	return ptr;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		return NULL;
	}
	void *ptr = arena_alloc(arena, bytes);
	if (ptr != NULL) {
		memset(ptr, 0, bytes);
	}
	return ptr;
}

bool arena_at_end(struct arena *arena, void (*done)(void *owner), void *owner)
{
	struct arena_end *end = arena_alloc(arena, sizeof(*end));
	if (end == NULL) {
		return false;
	}
	*end = (struct arena_end){arena->ends, done, owner};
	arena->ends = end;
	return true;
}

int arena_str(struct arena *arena, struct str s, struct str *out)
{
	if (s.len == SIZE_MAX) {
		return -ERR_LIMIT;
	}
	char *copy = arena_alloc(arena, s.len + 1);
	if (copy == NULL) {
		return -ERR_LIMIT;
	}
	if (s.len != 0) {
		memcpy(copy, s.ptr, s.len);
	}
	copy[s.len] = '\0';
	*out = str_make(copy, s.len);
	return 0;
}
