/* block - sealed records: laid out under their request, column by column, compressed; decodable without any other block.
 *
 * Shape:   a block holds any set of records (their leaves need not follow one another). Rows stand in this order: requests by
 *          leaf; statements, those of one request together in order of time, in the order of their requests, then those without a
 *          request in this block by time; verdicts in the order of their subjects, then by revision; all other records by kind, then leaf.
 *          So the rows of a kind are one run. A statement's request is the one that its newest verdict in the block names, when
 *          that request is in the block too; BLOCK_NO_ROW otherwise.
 * Exact:   each record comes back bit for bit as canonical bytes, with its leaf and ingest time, whatever its fields hold: what no
 *          rule regenerates is kept as it is.
 * Reading: only the streams that are asked for are read and unpacked (store/block/streams.h); they stay in memory until block_close.
 * Damage:  any bytes at all give records or ERR_CORRUPT with block and stream named, never a bad access. A checksum covers each stream.
 * Limits:  BLOCK_ROWS_MAX rows. Building takes about as much memory as the records without their raw bytes.
 * Threads: one block per thread. Blocking: disk (reading from a file).
 * Source:  docs/format.md section 9. Tests: tests/unit/block.c, tests/fuzz/block.c
 */
#ifndef STORE_BLOCK_H
#define STORE_BLOCK_H

#include "base/buf.h"
#include "base/byteset.h"
#include "base/error.h"
#include "model/record.h"

#define BLOCK_ROWS_MAX (1u << 20)
#define BLOCK_NO_ROW   UINT32_MAX

/* Builder. */
struct block_builder;

/* Returns NULL without memory. */
struct block_builder *block_builder_new(void);
void block_builder_free(struct block_builder *builder);

/* Adds a record; leaves come in any order, each once. Copies what it keeps. Returns 0, ERR_CORRUPT (not canonical), ERR_LIMIT or ERR_NOMEM;
 * after a failure the builder must be cleared. */
int block_builder_add(struct block_builder *builder, uint64_t leaf, int64_t ingest_ns,
		      struct str encoded, struct error *err);

/* What a finished block says of itself; for the catalog. */
struct block_about {
	uint64_t number;
	uint32_t row_count;
	uint32_t of_kind[RECORD_KIND_COUNT];
	uint64_t min_leaf, max_leaf;
	int64_t min_time_ns, max_time_ns; /* event times */
	uint64_t record_bytes;            /* of the canonical records */
	uint64_t raw_bytes;               /* of their raw fields: the original lines and rows */
};

/* Writes the block (out is cleared first) and empties the builder for the next one.
 * Returns 0, ERR_LIMIT or ERR_NOMEM. */
struct block_seal {
	uint64_t number;    /* of the block, never used again */
	const uint8_t *key; /* 32 bytes when blocks are encrypted, else NULL */
};
int block_builder_finish(struct block_builder *builder, const struct block_seal *seal,
			 struct buf *out, struct block_about *out_about, struct error *err);

/* Forgets all records; keeps the memory. */
void block_builder_clear(struct block_builder *builder);

/* Reader. */
struct block;

/* Opens a block: reads its directory and the small streams that everything needs (kinds, leaves, parents, times).
 *   fd      read with pread, borrowed until block_close; or -1, then bytes holds the whole block, borrowed likewise
 *   name    for errors: "blocks/2026-11/00000123.qtb"; borrowed
 *   number  that it must have
 * Returns 0 and *out_block, ERR_CORRUPT, ERR_CONFIG (encrypted and no key), ERR_IO or ERR_NOMEM. */
struct block_place {
	int fd;
	struct str bytes;
	const char *name;
	uint64_t number;
	const uint8_t *key;
	struct gauge *gauge; /* for block_measure; else NULL */
};
int block_open(const struct block_place *place, struct block **out_block, struct error *err);
void block_close(struct block *block);

/* What it says of itself; lives as long as the block. */
const struct block_about *block_about(const struct block *block);

/* Per row; the arrays live as long as the block. */
const uint8_t *block_kinds(const struct block *block);
const uint64_t *block_leaves(const struct block *block);
const int64_t *block_times(const struct block *block);

/* Per row, read at the first use: the row of the request of a statement, or of the subject of a verdict; BLOCK_NO_ROW: none. */
int block_parents(struct block *block, const uint32_t **out_parents, struct error *err);
int block_ingest_times(struct block *block, const int64_t **out_ingest_ns, struct error *err);

/* The same of one row, without the others as long as few are asked for. */
int block_ingest_at(struct block *block, uint32_t row, int64_t *out_ingest_ns, struct error *err);

/* The rows of a kind: first and count. */
struct block_run {
	uint32_t first, count;
};
struct block_run block_run(const struct block *block, enum record_kind kind);

/* The row of a leaf, or BLOCK_NO_ROW. */
uint32_t block_row_of(struct block *block, uint64_t leaf);

/* One field of all rows of a kind: value i is that of row run.first + i. They live until block_close.
 * Text: codes into a dictionary (UINT32_MAX: absent). Number: INT64_MIN where absent. Fields in dictionaries or number columns cost
 * little; others (statement, raw, ids) are put together row by row, so that the dictionary may be as long as the run. */
struct block_codes {
	const uint32_t *code;
	const struct str *dict;
	size_t dict_count;
};
int block_text_column(struct block *block, enum record_kind kind, enum field field,
		      struct block_codes *out, struct error *err);
int block_number_column(struct block *block, enum record_kind kind, enum field field,
			const int64_t **out_values, struct error *err);
/* The sources of the rows of a kind. */
int block_source_column(struct block *block, enum record_kind kind, struct block_codes *out,
			struct error *err);

/* Appends to out_rows (as uint32_t, rising) the rows of a kind whose field is exactly this text; quicker than to look through its column. */
struct block_field {
	enum record_kind kind;
	enum field field;
};
int block_find_exact(struct block *block, struct block_field where, struct str text,
		     struct buf *out_rows, struct error *err);

/* What texts are looked through for. */
struct block_needle {
	const struct str *any; /* a text that matches holds one of these; none: any text may */
	size_t any_count;
	bool ignore_case; /* of ASCII letters in them */
	const struct byteset *
		classes; /* when there are some: it holds a byte of each, one after another, or one of any */
	size_t class_count;
	struct dfa *
		automaton; /* says the same as matches, or that it is in doubt; NULL: there is none */
	bool (*matches)(const void *owner, struct str text); /* NULL: to hold one is enough */
	const void *owner;
};

/* Sets bit i of out_rows for each of count codes whose text matches. False without memory. */
bool block_needle_in_codes(const struct block_needle *needle, const struct block_codes *codes,
			   size_t count, uint64_t *out_rows);

/* Sets bit i of out_rows for each row i of a kind, counted from its first, whose text matches; other bits stay. Of texts that vary the
 * templates are looked at first, and only those in doubt are put together; of others each distinct one is looked at once. */
int block_find_text(struct block *block, struct block_field where,
		    const struct block_needle *needle, uint64_t *out_rows, struct error *err);

/* Opens a block of which few rows are asked for: parents, times and leaves are read when they are needed. As long as it is not complete only
 * block_about, block_kinds, block_run, block_parents, block_ingest_*, block_leaf_of, block_find_leaf, block_find_exact, block_find_stable,
 * block_may_have and block_record may be called. */
int block_open_slim(const struct block_place *place, struct block **out_block, struct error *err);

/* Reads the rest of what block_open reads; nothing when it is there. */
int block_complete(struct block *block, struct error *err);
bool block_is_complete(const struct block *block);

/* The leaf of a row, and the row of a leaf (BLOCK_NO_ROW: none), of a block that need not be complete. */
int block_leaf_of(struct block *block, uint32_t row, uint64_t *out_leaf, struct error *err);
int block_find_leaf(struct block *block, uint64_t leaf, uint32_t *out_row, struct error *err);

/* False: no row of the kind has exactly this text in the field. */
int block_may_have(struct block *block, struct block_field where, struct str text, bool *out_may,
		   struct error *err);

/* Likewise the rows of any kind but verdicts whose record has this stable id. */
int block_find_stable(struct block *block, struct str id, struct buf *out_rows, struct error *err);

/* Whether what block_find_stable goes by leads to a row whose record has this stable id (record_stable_number). */
int block_hint_fits(struct block *block, uint32_t row, uint64_t stable, bool *out_fits,
		    struct error *err);

/* Appends the canonical bytes of a row. */
int block_record(struct block *block, uint32_t row, struct buf *out, struct error *err);

/* For whoever checks a block against what it was built from: the key that the record of the next block_record had. A rule that makes keys of
 * 16 or 20 bytes from a digest of the record is followed until it gave such a key once; then the key is taken as it is, for the writer has
 * followed the same rule for each record. key: borrowed until block_record returns. */
void block_expect_key(struct block *block, struct str key);

/* The stable id of the row that block_record gave last, as record_stable_number; 0: not known. */
uint64_t block_last_stable(const struct block *block);

/* The record that block_record gave last, taken apart; it lives until the next call on the block. */
const struct record *block_last_record(const struct block *block);

/* Bytes of each column as stored, for `querytrail status` and the bench: called once for each. */
typedef void block_column_fn(void *owner, const char *column, uint64_t stored_bytes,
			     uint64_t value_count);
void block_columns(struct block *block, block_column_fn *each, void *owner);

/* The same, with what the values need at least (store/block/gauge.h): reads all columns of a block that was opened with a gauge and asked nothing
 * yet. Call once. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
struct block_measured {
	const char *column; /* "statement duration_ms" */
	const char *
		given; /* what its values are coded given: "statement statement", "its request"; "": nothing */
	uint8_t kind; /* of its records; 0: all */
	uint64_t value_count;
	uint64_t stored_bytes;
	uint64_t
		text_bytes; /* of the values as texts, numbers in decimal; of texts in patterns an eighth is counted; 0: unknown */
	double floor_bits;
};
typedef void block_measured_fn(void *owner, const struct block_measured *measured);
int block_measure(struct block *block, block_measured_fn *each, void *owner, struct error *err);

#endif
