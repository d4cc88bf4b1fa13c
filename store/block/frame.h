/* frame - what a block holds besides its columns: about, recipes, rows' leaves, times, parents and ingest times.
 *
 * Shape:   docs/format.md section 9.10. The writer goes kind by kind in rising order; the reader likewise.
 * Threads: one per thread. Tests: tests/unit/block.c
 */
#ifndef STORE_BLOCK_FRAME_H
#define STORE_BLOCK_FRAME_H

#include "store/block/layout.h"

struct frame {
	struct block_about about;
	uint8_t leaf_order[RECORD_KIND_COUNT];
};

/* Writers return 0 or -ERR_NOMEM. durations as in layout_expected_time. */
int frame_put_recipes(struct streams_writer *streams, const struct layout *layout, uint8_t kind);
int frame_put_times(struct streams_writer *streams, const struct layout *layout, uint8_t kind,
		    const int64_t *durations);
int frame_put_leaves(struct streams_writer *streams, const struct layout *layout, uint8_t kind,
		     uint8_t *out_order);
int frame_put_parents(struct streams_writer *streams, const struct layout *layout);
int frame_put_ingest(struct streams_writer *streams, const struct layout *layout,
		     const int64_t *ingest_ns);
int frame_put(struct streams_writer *streams, const struct layout *layout,
	      const struct frame *frame);

/* hints: of each row of a kind; only the low LAYOUT_HINT_BITS count. */
int frame_put_hints(struct streams_writer *streams, uint8_t kind, const uint8_t *hints,
		    size_t count);

/* Readers; arrays of the layout have room for all its rows. Return 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int frame_get(struct streams *streams, struct frame *out, struct error *err);
int frame_get_recipes(struct streams *streams, struct layout *layout, struct error *err);
int frame_get_times(struct streams *streams, struct layout *layout, uint8_t kind,
		    const int64_t *durations, struct error *err);
int frame_get_leaves(struct streams *streams, struct layout *layout, uint8_t kind, uint8_t order,
		     struct error *err);
int frame_get_parents(struct streams *streams, struct layout *layout, struct error *err);
int frame_get_ingest(struct streams *streams, const struct layout *layout, int64_t *out_ingest_ns,
		     struct error *err);
int frame_ingest_is_one(struct streams *streams, bool *out_is_one, struct error *err);
int frame_get_ingest_at(struct streams *streams, const struct layout *layout, uint32_t row,
			int64_t *out_ingest_ns, struct error *err);

/* The hint of a stable id in 16 hexadecimal digits; the hints of a kind as bits, empty when the block has none (all rows count then). */
uint8_t frame_hint(struct str id);
int frame_get_hints(struct streams *streams, const struct layout *layout, uint8_t kind,
		    struct str *out_bits, struct error *err);

#endif
