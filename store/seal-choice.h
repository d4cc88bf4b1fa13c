/* seal-choice - what to seal and merge next, from what the catalog says of batches and blocks.
 *
 * Due:     when as many rows are settled (no later than settled_ns) as a block usually holds, in the head and in blocks that waited for their other
 *          half; when the head is larger than it may be, or holds what nothing is known to settle; when its oldest batch is old; with finish: until
 *          everything is sealed and merged. When pressed, whatever stands in the head; what waits, waits on.
 * Taken:   batches up to the last one in which anything is settled (batches can't be cut, so some of what is not comes along), blocks that waited and are
 *          settled now, and small blocks, so that there are never many. Together at most SEAL_CHOICE_BLOCKS blocks' worth of rows.
 * Settled: settled_ns and judged_ns of the order are lowered to what the batches that stay allow.
 * Threads: pure but for seal_choose. Blocking: disk (seal_choose). Tests: tests/unit/seal-choice.c
 */
#ifndef STORE_SEAL_CHOICE_H
#define STORE_SEAL_CHOICE_H

#include "store/seal.h"

#define SEAL_ROWS_A_REQUEST 8 /* about: itself, three or four statements, and their verdicts */
#define SEAL_CHOICE_BLOCKS  3 /* taken at once */
#define SEAL_SMALL_APART_NS \
	INT64_C(2678400000000000) /* 31 days: small blocks further apart are not merged */

struct seal_wish {
	int64_t settled_ns; /* requests up to here get no more statements, by the sources that know; INT64_MIN: one does not */
	int64_t judged_ns; /* as in struct seal_order */
	unsigned
		flowing; /* kinds (bit k) of which files are being read that do not tell what is still to come. They come by and large in order of time: what
			   * is settled is then also at most what the newest batch with that kind begins with, less margin_ns */
	int64_t margin_ns;
	size_t requests;     /* of a block; >= 1 */
	uint64_t head_bytes; /* that the head may have */
	int64_t age_ns;      /* that its oldest batch may reach */
	int64_t now_ns;
	bool finish;  /* nothing more comes: seal and merge all */
	bool pressed; /* seal the head now, going by the verdicts alone: what has no final one waits in open blocks, however old it is */
	const uint64_t *
		shunned; /* numbers of blocks that are not to be touched, since they are damaged; any order */
	size_t shunned_count;
};

/* A batch of the head, and a block, as the choice sees them. */
struct seal_batch_stock {
	uint64_t end_leaf, rows, bytes;
	int64_t min_time_ns, max_time_ns, ingest_ns;
	unsigned kinds; /* bit k */
};
struct seal_block_stock {
	uint64_t number, rows, requests;
	int64_t min_time_ns, max_time_ns;
	bool is_open;
};
struct seal_stock {
	struct seal_batch_stock *batches; /* in their order */
	size_t batch_count;
	struct seal_block_stock *blocks; /* by number */
	size_t block_count;
};

/* An order and the numbers of blocks that it borrows. */
struct seal_choice {
	struct seal_order order;
	uint64_t *numbers;
	size_t open_count; /* of the blocks: those that wait now */
};

/* Chooses. Returns 0, -ERR_GONE (nothing is due) or -ERR_NOMEM; then *out_choice is untouched. */
int seal_choose_from(const struct seal_stock *stock, const struct seal_wish *wish,
		     struct seal_choice *out_choice);
void seal_choice_done(struct seal_choice *choice);

/* The same for a store. Returns 0, ERR_GONE, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int seal_choose(struct store *store, const struct seal_wish *wish, struct seal_choice *out_choice,
		struct error *err);

#endif
