/* seal-input - what a seal takes: batches of the head and blocks, their records told one by one and read at random.
 *
 * Life:    store is borrowed until seal_inputs_done; inputs stay where they are meanwhile, since only the writer takes records away.
 * Errors:  ERR_CORRUPT names the batch or block that is damaged; ERR_IO, ERR_NOMEM.
 * Threads: the writer's. Blocking: disk. Tests: tests/unit/seal-input.c
 */
#ifndef STORE_SEAL_INPUT_H
#define STORE_SEAL_INPUT_H

#include "store/blocks.h"
#include "store/extent.h"
#include "store/handle.h"
#include "store/seal-plan.h"

struct seal_input {
	bool is_block;
	struct head_batch batch;
	struct blocks_row row; /* of a block */
	uint64_t bytes;        /* that it takes on the disk */
};

struct seal_inputs {
	struct store *store;
	struct blocks *blocks;
	struct seal_input *list;
	size_t count, room;
	struct extent_reader reader;
	struct buf record; /* of a block, the last that was read */
};

/* Prepares; takes nothing. key: of blocks, or NULL. Returns 0 or ERR_NOMEM. */
int seal_inputs_init(struct seal_inputs *inputs, struct store *store, const uint8_t *key,
		     struct error *err);
void seal_inputs_done(struct seal_inputs *inputs);

/* Takes the batches whose leaves all lie below head_end; and a block. ERR_GONE: there is no such block. */
int seal_inputs_add_head(struct seal_inputs *inputs, uint64_t head_end, struct error *err);
int seal_inputs_add_block(struct seal_inputs *inputs, uint64_t number, struct error *err);

/* How many records were taken. */
uint64_t seal_inputs_records(const struct seal_inputs *inputs);

/* Tells the records of one input, in its order: out_items has room for all of them (seal_input_rows). */
size_t seal_input_rows(const struct seal_input *input);
int seal_input_list(struct seal_inputs *inputs, size_t index, struct seal_item *out_items,
		    struct error *err);

/* The canonical bytes of a record and when it was taken in; borrowed until the next call. Cheap when rows of an input rise. */
int seal_input_read(struct seal_inputs *inputs, const struct seal_item *item,
		    struct str *out_encoded, int64_t *out_ingest_ns, struct error *err);

/* The leaves of records that are not taken and may still go together with others: those of the head behind the batches that were taken, and of open
 * blocks. Rising; malloc'ed: free it. */
int seal_inputs_elsewhere(struct seal_inputs *inputs, struct seal_range **out_ranges,
			  size_t *out_count, struct error *err);

#endif
