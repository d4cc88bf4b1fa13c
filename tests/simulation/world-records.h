/* world-records - a whole world as the records that collectors would send, through the parsers of model/, each with its truth.
 *
 * Shape:   requests first, then statements; a record is kept as canonical bytes.
 * Life:    until world_records_free. Threads: one. Errors: asserts of cmocka.
 * Tests:   used by tests/simulation/join-sweep.c
 */
#ifndef TESTS_SIMULATION_WORLD_RECORDS_H
#define TESTS_SIMULATION_WORLD_RECORDS_H

#include "base/buf.h"
#include "model/record.h"
#include "tests/sim/world.h"

struct world_item {
	size_t offset, len; /* in bytes */
	int64_t time_ns;    /* the record's own */
	uint32_t truth;     /* index of the request, or of the statement */
	bool is_request;
};

struct world_records {
	struct buf bytes;
	struct world_item *item;
	size_t count, capacity;
};

/* Reads the world. Without connections rows are told apart by session number alone, as on servers before SQL Server 2022. */
void world_records_read(struct world_records *records, const struct world *world, bool connections);
void world_records_free(struct world_records *records);

/* The record of an item; borrows from records. */
void world_records_get(const struct world_records *records, size_t index, struct record *out);

#endif
