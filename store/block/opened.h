/* opened - a block that is open for reading: what the files of its reader share.
 *
 * Life:    what a column holds is read at its first use and stays until the block is closed. Threads: one per block. Tests: tests/unit/block.c
 */
#ifndef STORE_BLOCK_OPENED_H
#define STORE_BLOCK_OPENED_H

#include "base/arena.h"
#include "store/block/frame.h"
#include "store/block/texts.h"
#include "store/block/wordlist.h"

/* A column as far as it was read. Codes and numbers by row stand in the layout. */
struct opened_column {
	bool is_loaded, is_loading, has_words;
	size_t count;       /* of values */
	uint32_t *rows;     /* of values, while they are read, or with a gauge */
	uint32_t *value_of; /* of a row: which value; NULL: the row's number; TEXTS only */
	uint32_t *context, *family;
	struct wordlist words;
	struct texts *texts;
};

/* A value of a recipe's records: the key (0), a field, or slot i as OPENED_SLOT + i. */
#define OPENED_SLOT FIELD_LIMIT
struct opened_part {
	uint16_t what, column;
	bool is_number, is_bool;
};

/* Where the values of a recipe's records are. */
struct opened_recipe {
	bool is_key_proven;              /* its rule gave a key that was expected */
	uint16_t column_of[FIELD_LIMIT]; /* of kept fields; [0]: of the key; LAYOUT_NONE */
	uint16_t slot_column[RECIPE_SLOTS_MAX];
	size_t part_count;
	struct opened_part parts[FIELD_LIMIT + RECIPE_SLOTS_MAX];
};

/* A record while it is put together. */
struct opened_row {
	uint32_t row;
	struct record record;
	union field_value slots[RECIPE_SLOTS_MAX];
	union field_value key;
	struct buf texts; /* out of texts columns */
	bool has_texts;   /* some wait for it to stand still */
	struct buf made[RECIPE_RULES_MAX];
};

/* An answer to block_text_column. */
struct opened_answer {
	bool is_known;
	struct block_codes codes;
	uint32_t *own_code;
	struct str *own_dict;
	int64_t *numbers;
	struct buf texts;
};

#define OPENED_SOURCE  FIELD_LIMIT
#define OPENED_ANSWERS (FIELD_LIMIT + 1)

struct block {
	char *name;
	struct streams *streams;
	struct frame frame;
	struct recipes *recipes;
	struct layout layout;
	uint8_t kinds_known; /* as many kinds, from the first on, have their times and leaves */
	bool has_parents, is_reading_rows;
	uint8_t *kinds;
	int64_t *ingest_ns;
	uint32_t *by_leaf;     /* rows in the order of leaves */
	uint32_t ingest_asked; /* how often for the ingest time of one row */
	uint32_t leaves_asked; /* how often a row was looked for by its leaf */
	struct opened_column *columns;
	struct opened_recipe **known;   /* of each recipe */
	struct opened_answer **answers; /* RECORD_KIND_COUNT * OPENED_ANSWERS */
	struct opened_row *row, *subject;
	struct str expected_key;
	uint64_t *
		ids; /* stable ids of rows that were put together and may be subjects, as numbers; 0: not known */
	struct buf id_texts; /* of a family */
};

/* Reads a column. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int opened_load(struct block *block, uint16_t column, struct error *err);

/* Reads the parents of all rows; the times and leaves of the rows of the kinds up to this one. Nothing when they are there. */
int opened_parents(struct block *block, struct error *err);
int opened_rows(struct block *block, uint8_t kind, struct error *err);

/* Reads the distinct texts of a column that has few. */
int opened_words(struct block *block, uint16_t column, struct error *err);

/* Frees what a column holds, but for codes and numbers in the layout. */
void opened_column_done(struct opened_column *column);

/* The columns of a recipe; NULL after a failure. */
struct opened_recipe *opened_recipe(struct block *block, uint32_t recipe, struct error *err);

/* Appends the text of a column in a row of its kind. Returns 0, ERR_GONE (absent) or as opened_load. */
int opened_text(struct block *block, uint16_t column, uint32_t row, struct buf *out,
		struct error *err);

/* A number that a record of a row has: kept, or by rule. INT64_MIN: absent. */
int opened_number(struct block *block, uint32_t row, unsigned field, int64_t *out_number,
		  struct error *err);

/* The only column that holds a field of a kind when no recipe has a rule for it; LAYOUT_NONE: there is none; -1: not so simple. */
int opened_only_column(const struct block *block, enum record_kind kind, unsigned field);

/* The texts of a field that rules make of few distinct ones, as codes. Returns 0, 1 (not so), or as opened_load. */
int opened_folded(struct block *block, enum record_kind kind, unsigned field,
		  struct block_codes *out, struct error *err);

/* Puts the record of a row together. It lives until the next row is put together in the same place. */
int opened_record(struct block *block, uint32_t row, struct opened_row *out, struct error *err);

/* Returns NULL without memory. */
struct opened_row *opened_row_new(void);
void opened_row_free(struct opened_row *row);

/* Sets an ERR_NOMEM that names the block. Returns -ERR_NOMEM. */
int opened_no_memory(const struct block *block, struct error *err);

#endif
