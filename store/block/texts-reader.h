/* texts-reader - a column of texts as it is read: templates and codes at once, values by group at the first use.
 *
 * Threads: one per thread. Source: docs/format.md section 9.5. Tests: tests/unit/texts.c
 */
#ifndef STORE_BLOCK_TEXTS_READER_H
#define STORE_BLOCK_TEXTS_READER_H

#include "store/block/texts-inner.h"

/* A root or a sub-pattern in a slot of one: its texts stand in the order of rows. */
struct texts_place {
	const struct pattern *pattern;
	uint32_t count;
	uint32_t first_start; /* its slots' places in starts */
	bool has_numbers;     /* in its slots or theirs */
};

/* A text of a slot of kind TEXT: its place, its number in it. */
struct texts_entry {
	uint32_t place, at;
};

/* The places of the texts of a slot of kind TEXT. */
struct texts_children {
	uint32_t first, count;
	bool has_numbers;
};

/* A bucket of numbers that has some. */
struct texts_run {
	size_t start;
	uint32_t count;
};

#define TEXTS_REF_NONE 255 /* of a number of a bucket that keeps all its values */

struct texts {
	struct streams *streams;
	struct texts_column about;
	struct arena arena;
	struct wordlist roots, subs, words;
	struct texts_root *root; /* by code */
	struct str *shown;
	uint32_t *codes;    /* of each row: root, or UINT32_MAX */
	uint32_t *ordinals; /* of each row: how many rows before have its root */
	uint32_t *counts;   /* of each root: its rows */
	uint32_t *rows;     /* rows by root, in order; made at the first search */
	size_t *row_starts; /* of each root, in rows */

	bool is_broken; /* a read failed and left half of what it reads */
	bool has_subs, has_words;
	bool has_places; /* all below is read */
	struct pattern *sub_pattern;
	struct texts_place *places; /* roots by code, then sub-patterns */
	size_t place_count, place_room;
	struct texts_children *children; /* of each slot of kind TEXT */
	size_t *starts; /* of each slot: where its values begin in its group, or its texts in entries */
	size_t start_count, start_room;
	struct texts_entry *entries; /* of each text of a slot */
	size_t sizes[TEXTS_NONE];    /* entries, or bytes, of each group */
	struct texts_run *runs;
	size_t run_count, run_room;

	uint8_t *refs;    /* of each number */
	int64_t *numbers; /* those that are kept; once is_resolved, all */
	bool is_resolved;
	int64_t *values[TEXTS_INT_GROUPS];
	bool has_group[TEXTS_NONE];
	struct str bytes[TEXTS_NONE];

	struct texts_pool pool; /* before pool_row, in its family */
	size_t pool_row;        /* SIZE_MAX: none */
	uint32_t ids_family;
	struct str ids[TEXTS_IDS_MAX];
	size_t id_count;
	int64_t seed;
	struct buf text; /* of one row, for searching */
};

/* Reads what values need: sub-patterns, where each bucket begins, the words' list. */
int texts_load_places(struct texts *texts, struct error *err);

/* Reads the sub-patterns; the words' list. Nothing when they are there. */
int texts_load_subs(struct texts *texts, struct error *err);
int texts_load_words(struct texts *texts, struct error *err);

/* Reads a group's values; nothing when they are there. */
int texts_load_group(struct texts *texts, enum texts_group group, struct error *err);

/* Reads the numbers that are kept; part of texts_load_group. */
int texts_load_numbers(struct texts *texts, struct error *err);

/* Reads the ints of a part into new memory; count is what the templates ask for. */
int texts_read_ints(struct texts *texts, size_t part, size_t count, int64_t **out_values,
		    struct error *err);

/* Resolves all numbers. */
int texts_resolve(struct texts *texts, struct error *err);

/* The ids and the seed of the family of a row. */
void texts_turn_to_family(struct texts *texts, size_t row);

/* The ids that are wanted (as bits; others may be empty) and, with TEXTS_WANT_SEED, the seed; how many ids there are. Borrowed until the next call, or one
 * of texts_turn_to_family. */
size_t texts_part_of_family(struct texts *texts, size_t row, unsigned wanted,
			    struct str out_ids[TEXTS_IDS_MAX], int64_t *out_seed);

/* Puts the pool to what it is before a row. */
int texts_seek(struct texts *texts, size_t row, struct error *err);

/* Appends one token: number `at` of a place's slot i; row is the one whose ids count. */
struct texts_at {
	const struct texts_place *place;
	uint32_t slot;
	uint32_t at;
	size_t row;
};
int texts_put_token(struct texts *texts, const struct texts_at *where, struct buf *out,
		    struct error *err);

/* An ERR_CORRUPT that names the column. */
int texts_blame(const struct texts *texts, const char *what, struct error *err);

#endif
