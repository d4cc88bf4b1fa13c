/* recall - sealed records by ids, sessions and keys, block by block: for the writer, who forgot them when they were sealed.
 *
 * Shape:   over each block stand its two filters (store/id-filter.h); of a few blocks, those asked for lately, indexes from 64-bit keys
 *          (model/carried.h) to rows are held. What an index finds is a candidate: 64 bits may agree by chance.
 * Damage:  a block that cannot be read holds nothing; recall_damage tells of it once.
 * Memory:  filters up to RECALL_FILTER_BYTES, the rest is read each time; indexes of up to RECALL_BLOCKS blocks and, but for one block,
 *          RECALL_INDEX_BYTES: about 50 bytes a request, 75 a statement.
 * Threads: the writer's. Blocking: disk; an index is made by a look at all rows of its kind in the block. Tests: tests/unit/recall.c
 */
#ifndef STORE_RECALL_H
#define STORE_RECALL_H

#include "store/block.h"
#include "store/blocks.h"

#define RECALL_BLOCKS       64
#define RECALL_INDEX_BYTES  (24u << 20)
#define RECALL_FILTER_BYTES (24u << 20)

struct recall;

struct recall_block {
	uint64_t number;
	uint64_t min_leaf, max_leaf;
	int64_t min_time_ns, max_time_ns; /* event times */
	bool is_open, has_strays;         /* as in store/blocks.h */
	const struct blocks_span
		*spans;    /* all leaves lie in these; rising; borrowed as the list is */
	size_t span_count; /* 0: they are not known */
};

/* Where the blocks are. */
struct recall_source {
	void *owner;
	/* All blocks; borrowed until the next call. */
	int (*list)(void *owner, const struct recall_block **out_blocks, size_t *out_count,
		    struct error *err);
	/* One of them, borrowed until the next call. */
	int (*open)(void *owner, uint64_t number, struct block **out_block, struct error *err);
	/* Appends the bytes of a filter. */
	int (*filter)(void *owner, uint64_t number, bool of_records, struct buf *out,
		      struct error *err);
	/* A number that is another one when the list has changed. */
	int (*changes)(void *owner, uint64_t *out_changes, struct error *err);
	void (*rest)(void *owner);  /* closes what is open; NULL: nothing is to be done */
	void (*close)(void *owner); /* likewise */
};

/* Over the blocks of a writer's store, which outlives it; read the list with recall_refresh first. Returns 0 or ERR_NOMEM. */
struct store;
int recall_open(struct store *store, struct recall **out_recall, struct error *err);

/* The first leaf that is not sealed. Returns 0, ERR_IO, ERR_CORRUPT. */
int recall_head(struct store *store, uint64_t *out_first, struct error *err);

/* source is copied; its owner outlives the recall. Returns 0 or ERR_NOMEM. */
int recall_new(const struct recall_source *source, struct recall **out_recall, struct error *err);
void recall_free(struct recall *recall);

/* Gives memory back before much else is needed: the blocks that are open, and with `all` the indexes. Nothing borrowed is left. */
void recall_rest(struct recall *recall, bool all);

/* Reads the list of blocks again, after a seal; what is held of blocks that are gone goes. Returns 0, or what the source says. */
int recall_refresh(struct recall *recall, struct error *err);

/* Whether the list has changed since. Until it is read again, blocks that are gone may be asked for. */
int recall_is_stale(struct recall *recall, bool *out_stale, struct error *err);

/* The blocks by their places 0 .. count - 1, in order of max_time_ns; borrowed until the next refresh. */
const struct recall_block *recall_blocks(const struct recall *recall, size_t *out_count);

/* Whether the block at a place may hold a key in one of its filters. Returns 0, or ERR_IO, ERR_NOMEM. */
struct recall_probe {
	size_t place;
	bool of_records; /* the filter of stable ids, not that of ids */
	uint64_t key;
};
int recall_may_hold(struct recall *recall, struct recall_probe probe, bool *out_may,
		    struct error *err);

enum recall_index {
	RECALL_REQUESTS, /* requests by carried_key of their ids */
	RECALL_CLAIMS,   /* statements by carried_key of each id that they carry */
	RECALL_SESSIONS, /* statements by carried_session; note: bits of enum carried_mark */
	RECALL_SUBJECTS, /* verdicts by the leaf of their subject; note: the revision, and RECALL_FINAL */
	RECALL_RECORDS, /* all but verdicts by recall_identity */
	RECALL_SOURCES, /* carried_key of each source that the block names; a row of the kind */
	RECALL_NAMES,   /* the same by the note of recall_identity: all versions of a record */
	RECALL_INDEXES,
};

#define RECALL_FINAL 1U /* of a verdict; its revision stands in the bits above */

struct recall_entry {
	uint64_t key;
	uint32_t row, note;
};

struct recall_run {
	const struct recall_entry *entries;
	size_t count;
};

/* The entries with this key of the block at a place; borrowed until an index of another block is asked for. Returns 0, ERR_IO, ERR_NOMEM. */
struct recall_key {
	size_t place;
	enum recall_index index;
	uint64_t key;
};
int recall_rows(struct recall *recall, struct recall_key key, struct recall_run *out,
		struct error *err);

/* All entries of an index, in order of keys. */
int recall_all(struct recall *recall, size_t place, enum recall_index index, struct recall_run *out,
	       struct error *err);

/* Two hashes of a record under a key of this process: of source, key and original bytes (field raw; without it all of them), and of source
 * and key alone. Both agree by chance once in 2^96 pairs. */
struct recall_identity {
	uint64_t key;
	uint32_t note;
};
struct recall_identity recall_identity(const struct recall *recall, const struct record *record,
				       struct str encoded);

/* The event times of the rows of the block at a place, and its parents (store/block.h); borrowed until another block is asked for.
 * NULL when it is damaged. Returns 0, ERR_IO, ERR_NOMEM. */
struct recall_rows_of {
	const uint8_t *kinds;
	const int64_t *times;
	const uint64_t *leaves;
	const uint32_t *parents;
	uint32_t count;
};
int recall_look(struct recall *recall, size_t place, struct recall_rows_of *out, struct error *err);

/* A row of the block at a place: decoded, borrowed until the next call. Returns 0, ERR_GONE (the block is damaged), ERR_IO,
 * ERR_NOMEM. */
struct recall_row {
	size_t place;
	uint32_t row;
};
int recall_record(struct recall *recall, struct recall_row row, struct record *out_record,
		  uint64_t *out_leaf, struct error *err);

/* The block and row of a leaf: ERR_GONE when no block has it. */
int recall_find_leaf(struct recall *recall, uint64_t leaf, struct recall_row *out,
		     struct error *err);

/* The first damage met since the last call; false when there is none. */
bool recall_damage(struct recall *recall, struct error *out_damage);

#endif
