/* tally - which of several equal lines of a file this is, so that each has a key of its own.
 *
 * Shape:   the ordinal of a line among the lines of the same file with the same SHA-256. A pure function of the file's lines so
 *          far: reading a file again from its start gives the same ordinals.
 * Limits:  TALLY_LINES_MAX different lines are remembered; then all are forgotten at once, so that equal lines which lie further
 *          apart share an ordinal and count as one.
 * Threads: one per thread. Blocking: never. Tests: tests/unit/tally.c
 */
#ifndef COLLECTOR_SOURCES_FILE_TALLY_H
#define COLLECTOR_SOURCES_FILE_TALLY_H

#include "base/digest.h"
#include "base/hash.h"

#define TALLY_LINES_MAX 100000
#define TALLY_KEY_BYTES 20 /* SHA-256[:16], then the ordinal as u32, little-endian */

struct tally {
	struct u64map seen;
	size_t max_lines;
	uint8_t digest[DIGEST_BYTES]; /* SHA-256 of the line that was counted last */
};

/* Without lines; remembers at most max_lines (TALLY_LINES_MAX, fewer in tests). */
void tally_init(struct tally *tally, size_t max_lines);
void tally_done(struct tally *tally);

/* Forgets all: a new file begins. */
void tally_clear(struct tally *tally);

/* Counts a line. Sets *out_ordinal and the key of the line. Returns 0 or ERR_NOMEM. */
int tally_add(struct tally *tally, struct str line, uint32_t *out_ordinal,
	      uint8_t out_key[TALLY_KEY_BYTES], struct error *err);

#endif
