/* gather - the values of one kind's rows, taken apart into columns, while a block is built.
 *
 * Shape:   a row's values stand one behind the other as block_builder_add left them: kept fields by number, slots, key. Here each column gets its
 *          own, in row order without gaps.
 * Life:    texts borrow from the bytes that were gathered. Threads: one per thread. Tests: tests/unit/block.c
 */
#ifndef STORE_BLOCK_GATHER_H
#define STORE_BLOCK_GATHER_H

#include "base/hash.h"
#include "store/block/layout.h"
#include "store/block/wordset.h"

struct gathered {
	struct layout_column column; /* what it is; coding and context are chosen later */
	size_t count, room;
	uint32_t *rows; /* of the kind */
	struct str *texts;
	int64_t *numbers;
	/* of the distinct values, when they are few enough; else codes is NULL */
	uint32_t *codes; /* by first use */
	size_t distinct;
	uint32_t *firsts; /* which value is the first of each code */
	bool is_counted;  /* while rows are taken: distinct values are looked for */
	union {
		struct wordset text_set;
		struct u64map number_set;
	};
};

struct gather {
	struct layout *layout;
	struct gathered *columns;
	size_t count;
	int32_t *first_of; /* of each recipe: where its columns begin in list, or -1 */
	uint32_t *list;
	size_t list_count, list_room;
};

/* What a record keeps, as bytes: appended to out. */
void gather_put(const struct recipe *recipe, const struct record *record,
		const struct recipe_fit *fit, struct buf *out);

/* Prepares for the layout's recipes; gather_done after any result. Returns 0 or -ERR_NOMEM. */
int gather_init(struct gather *gather, struct layout *layout);
void gather_done(struct gather *gather);

/* Takes a row, counted from the kind's first. Returns 0, -ERR_LIMIT (too many columns) or -ERR_NOMEM. */
int gather_row(struct gather *gather, uint32_t row, uint32_t recipe, struct str bytes);

/* Once all rows are taken: keeps the codes of columns whose values are repeated. */
void gather_distinct(struct gather *gather);

/* The column of a field, or NULL; and its text in a row of the kind (ptr NULL: absent). */
const struct gathered *gather_field(const struct gather *gather, unsigned field);
struct str gathered_text(const struct gathered *column, uint32_t row);

#endif
