/* sections - the columns (or ids) blob of one batch, of which only the wanted sections are read.
 *
 * Errors:  ERR_CORRUPT names file and batch; ERR_IO, ERR_NOMEM.
 * Threads: one per thread. Blocking: disk. Tests: tests/unit/sections.c, tests/unit/scan.c
 */
#ifndef STORE_SECTIONS_H
#define STORE_SECTIONS_H

#include "store/columns.h"
#include "store/extent.h"

struct sections {
	struct segments *segments; /* borrowed */
	bool ids;                  /* the ids blob, else the columns blob */
	struct segment_span blob;
	uint64_t batch;
	struct columns_directory directory;
	struct buf front;
	uint64_t bytes_read;
};

/* Prepares; reads nothing. The segments are borrowed. */
void sections_init(struct sections *sections, struct segments *segments, bool ids);
void sections_done(struct sections *sections);

/* Goes to a batch: reads and checks its directory. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int sections_go(struct sections *sections, const struct head_batch *batch, struct error *err);

/* Reads a section's bytes into out (cleared first). */
int sections_read(struct sections *sections, const struct columns_section *section, struct buf *out,
		  struct error *err);

/* Reads the kinds of the batch's rows; out_kinds has room for all. */
int sections_read_kinds(struct sections *sections, struct buf *scratch, uint8_t *out_kinds,
			struct error *err);

/* Puts file and batch before the sentence. Returns the negative code. */
int sections_blame(const struct sections *sections, struct error *err, int rc);

#endif
