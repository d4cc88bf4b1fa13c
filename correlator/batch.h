/* batch - whether a batch of a peer may be taken.
 *
 * Threads: any. Blocking: never. Tests: tests/unit/keeper.c
 */
#ifndef CORRELATOR_BATCH_H
#define CORRELATOR_BATCH_H

#include "correlator/keeper.h"

/* Fetches the record after the next into the cache. Decoding jumps from length to length, which the processor can't foresee:
 * without this it waits for memory during a tenth of all its time. */
void batch_read_ahead(const struct keeper_batch *batch, size_t current);

/* A batch is taken whole or not at all, so all of its records are looked at first. Returns 0 or ERR_INPUT. */
int batch_check(const struct keeper_batch *batch, struct error *err);

#endif
