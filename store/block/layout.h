/* layout - the columns of a block: what each holds, how it is coded, what it is coded given; and the rows that they stand in.
 *
 * Shape:   a column belongs to one kind. Row r of the kind has a value when its recipe says so; the values of a column stand in row order without
 *          gaps. A column depends on columns before it only. docs/format.md section 9.10.
 * Threads: one per thread. Blocking: never. Tests: tests/unit/layout.c
 */
#ifndef STORE_BLOCK_LAYOUT_H
#define STORE_BLOCK_LAYOUT_H

#include "base/wire.h"
#include "store/block.h"
#include "store/block/recipe.h"
#include "store/block/streams.h"

#define LAYOUT_COLUMNS_MAX 4096
#define LAYOUT_NONE        UINT16_MAX

/* Streams besides those of columns. */
#define LAYOUT_FRAME   0 /* part 0 about, 1 recipes, 2 columns */
#define LAYOUT_RECIPES 1 /* part 16 * kind: ranks */
#define LAYOUT_LEAVES  2 /* part 16 * kind: ints */
#define LAYOUT_TIMES   3 /* likewise */
#define LAYOUT_PARENTS 4 /* part 0: ints, statements of each request; part 16: ints, verdicts */
#define LAYOUT_INGEST  5 /* part 0: ints, lengths of runs; part 16: ints, steps of time */
#define LAYOUT_HINTS \
	6 /* part 16 * kind, of requests and statements: LAYOUT_HINT_BITS of each row's stable id */
#define LAYOUT_FIRST 16 /* column c is stream column LAYOUT_FIRST + c */
#define LAYOUT_PART  16

/* So many bits of a stable id, its last ones, stand in the block for each row: it follows from the record's raw bytes and takes long to make, so
 * that looking for one must not make them all. More bits, fewer in vain; each costs an eighth of a byte an event. */
#define LAYOUT_HINT_BITS 6

/* Parts of a column. */
#define LAYOUT_WORDS 0  /* wordlist; LIST: ints */
#define LAYOUT_RANKS 32 /* ranks */

#define LAYOUT_WHAT_KEY  0 /* else a field's number */
#define LAYOUT_WHAT_SLOT FIELD_LIMIT

enum layout_coding {                         /* stored */
		     LAYOUT_WORDS_RANKS = 0, /* distinct texts and the code of each row */
		     LAYOUT_LIST_RANKS = 1,  /* distinct numbers likewise */
		     LAYOUT_INTS = 2,
		     LAYOUT_TEXTS = 3,
		     LAYOUT_TSQL = 4, /* texts that are statements */
};
#define LAYOUT_CODINGS 5

enum layout_context { /* stored */
		      LAYOUT_GIVEN_NOTHING = 0,
		      LAYOUT_GIVEN_COLUMN = 1, /* the code of another column of the same row */
		      LAYOUT_GIVEN_PARENT = 2, /* the row's parent */
		      LAYOUT_GIVEN_PARENT_COLUMN = 3, /* the code of a column of the parent */
		      LAYOUT_GIVEN_PLACE = 4, /* that code and which of the parent's rows it is */
		      LAYOUT_BY_LEAF = 5,     /* ints only: values stand in the order of leaves */
};
#define LAYOUT_CONTEXTS 6

struct layout_column {
	uint8_t kind, coding, context;
	bool is_number;
	uint16_t what;
	uint16_t given; /* column, where the context needs one */
	uint16_t base;  /* ints: the column whose number is added; LAYOUT_NONE: none */
	uint32_t name;  /* of a slot */
	/* when it is known: */
	uint32_t *code; /* of each row of its kind; UINT32_MAX: absent */
	int64_t *number;
};

/* The rows of a block, and the columns as far as they are known. */
struct layout {
	uint32_t row_count;
	struct block_run runs[RECORD_KIND_COUNT];
	uint32_t *recipe_of; /* of each row */
	uint32_t *parents;
	uint64_t *leaves;
	int64_t *times;
	const struct recipes *recipes;
	struct layout_column *columns;
	size_t count;
};

/* Whether records of a recipe have a value in the column. */
bool layout_has(const struct layout *layout, const struct layout_column *column, uint32_t recipe);

/* The rows of the column's kind that have a value, counted from the kind's first row. Returns how many. out_rows has room for all. */
size_t layout_rows(const struct layout *layout, const struct layout_column *column,
		   uint32_t *out_rows);

/* What the values of the rows are coded given: one number for each. False: there is none (nothing is given). */
struct layout_given {
	uint8_t kind, context;
	uint16_t given;
};
bool layout_context(const struct layout *layout, const struct layout_given *given,
		    const uint32_t *rows, size_t count, uint32_t *out_context);

/* Sorts rows by keys[row]; equal ones stay in order. False without memory. */
bool layout_sort(const uint64_t *keys, uint32_t *rows, size_t count);

/* The rows of a kind, counted from its first, in the order in which their leaves are written. False without memory. Times are known; for
 * the order of parents also their leaves. */
enum layout_leaves {
	LAYOUT_LEAVES_BY_ROW = 0,
	LAYOUT_LEAVES_BY_TIME = 1,
	LAYOUT_LEAVES_BY_PARENT = 2
};
bool layout_leaf_order(const struct layout *layout, uint8_t kind, unsigned order,
		       uint32_t *out_rows);

/* The description of all columns as bytes, and back (checked whole). Reading allocates columns. Returns 0, -ERR_CORRUPT or -ERR_NOMEM. */
void layout_save(const struct layout *layout, struct buf *out);
int layout_load(struct layout *layout, struct recipes *recipes, struct str bytes);

/* Times that follow from others: what is added to the number that is stored for a row. durations: of statements in ms, by row of the kind, INT64_MIN
 * where absent; NULL: none. Rows before it have their times. */
int64_t layout_expected_time(const struct layout *layout, uint32_t row, const int64_t *durations);

/* The bucket of that number: 0 the first statement of a request, 1 one that follows, 2 one without a request. */
uint32_t layout_time_bucket(const struct layout *layout, uint32_t row);

#endif
