/* texts-inner - what writing and reading a column of texts share: its parts, its groups of values, templates, the pool of a family.
 *
 * Tree:    a root is the template of a row; a TEXT slot of it holds a sub-pattern; a node is a root, or a sub-pattern in a slot of a root.
 *          A bucket is a slot of a node other than TEXT. Buckets stand in the order of roots, slots, sub-patterns in the order in
 *          which the rows bring them, and slots; in each stand the values of the node's texts in the order of rows.
 * Source:  docs/format.md section 9.5. Tests: tests/unit/texts.c
 */
#ifndef STORE_BLOCK_TEXTS_INNER_H
#define STORE_BLOCK_TEXTS_INNER_H

#include "model/tsql/template.h"
#include "store/block/pattern.h"
#include "store/block/texts.h"

#define TEXTS_CLASSES 5

/* Parts of the column. */
enum texts_part {
	TEXTS_PART_ROOTS = 0,
	TEXTS_PART_CODES = TEXTS_PART_ROOTS + WORDLIST_PARTS,
	TEXTS_PART_SUBS = TEXTS_PART_CODES + RANKS_PARTS,
	TEXTS_PART_SUB_CODES = TEXTS_PART_SUBS + WORDLIST_PARTS,
	TEXTS_PART_WORDS = TEXTS_PART_SUB_CODES + INTS_PARTS,
	TEXTS_PART_MODES = TEXTS_PART_WORDS + WORDLIST_PARTS,
	TEXTS_PART_BASES = TEXTS_PART_MODES + INTS_PARTS,
	TEXTS_PART_REFS = TEXTS_PART_BASES + INTS_PARTS,
	TEXTS_PART_CLASSES = TEXTS_PART_REFS + INTS_PARTS,
	TEXTS_PART_GROUPS = TEXTS_PART_CLASSES + TEXTS_CLASSES * INTS_PARTS,
	TEXTS_PART_UUIDS = TEXTS_PART_GROUPS + 4 * INTS_PARTS,
	TEXTS_PART_BYTES,
	TEXTS_PART_ID_BYTES,
	TEXTS_PART_END,
};
_Static_assert(TEXTS_PART_END <= TEXTS_PARTS, "the parts of a column of texts");

/* Values of one nature. The first four are an ints column each, UUIDS and BYTES are bytes, POOLED is below. */
enum texts_group {
	TEXTS_DATES,
	TEXTS_TIMES,
	TEXTS_WIDES,  /* DIGITS, HEX */
	TEXTS_WORDS,  /* codes in the list of words */
	TEXTS_UUIDS,  /* of version 4 */
	TEXTS_BYTES,  /* other kinds of bytes */
	TEXTS_POOLED, /* NUMBER, DECIMAL */
	TEXTS_NONE,   /* ID, TEXT: no values */
};
#define TEXTS_INT_GROUPS 4

/* How a bucket of numbers is kept, as is smaller: all its values, or for each number a ref (0: its value is kept; else its place in the
 * pool + 1). Values less the bucket's base stand in the stream of a class by how far they reach; class 0: they are the base. */
#define TEXTS_MODE_ALL   8
#define TEXTS_MODE_CLASS 7

#define TEXTS_VALUES_MAX (1u << 26) /* of a group */
#define UUID4_BYTES      15         /* of each; and two bits behind all of a bucket */

/* The group whose entries a slot has, one for each text of its node. */
enum texts_group texts_group_of(struct pattern_slot slot);

/* How the text of a slot ends, for finding it again in a statement. */
enum texts_end {
	TEXTS_END_CHUNK, /* where the next chunk first stands */
	TEXTS_END_QUOTE, /* at a quote that is not doubled */
	TEXTS_END_BLOCK, /* at the end of a comment in stars, others within it */
	TEXTS_END_LINE,
	TEXTS_END_ALL,
};

/* A template or pattern of a row. */
struct texts_root {
	struct pattern pattern;
	uint8_t *ends;      /* enum texts_end, of each slot */
	struct str shown;   /* without what only this module needs */
	uint32_t sub_count; /* slots of kind TEXT */
	bool is_template;
};

/* Appends the stored form of the template of a statement. False: it has too many literals. */
bool texts_root_put(const struct tsql_template *template, struct buf *out);

/* Reads a stored form; what it points to is made in the arena, or borrowed from stored. False: it is none (or memory is out). */
bool texts_root_read(struct str stored, struct arena *arena, struct texts_root *out);

/* The numbers that a family's texts held last. */
#define TEXTS_POOL 12
struct texts_pool {
	int64_t number[TEXTS_POOL];
	uint8_t tag[TEXTS_POOL]; /* digits behind the point */
	uint32_t count;
	uint32_t next; /* place of the next one once it is full; the first stays */
};

static inline void texts_pool_clear(struct texts_pool *pool, int64_t seed)
{
	pool->count = seed != INT64_MIN;
	pool->next = 1;
	pool->number[0] = seed;
	pool->tag[0] = 0;
}

static inline void texts_pool_put(struct texts_pool *pool, int64_t number, uint8_t tag)
{
	uint32_t at = pool->count < TEXTS_POOL ? pool->count++ : pool->next;

	pool->number[at] = number;
	pool->tag[at] = tag;
	if (pool->count == TEXTS_POOL) {
		pool->next = at + 1 < TEXTS_POOL ? at + 1 : 1;
	}
}

/* The place of a number + 1, or 0. */
static inline uint32_t texts_pool_find(const struct texts_pool *pool, int64_t number, uint8_t tag)
{
	for (uint32_t i = 0; i < pool->count; i++) {
		if (pool->number[i] == number && pool->tag[i] == tag) {
			return i + 1;
		}
	}
	return 0;
}

#endif
