/* tds-select - runs parsed statements and hands what comes out to a sink.
 *
 * Shape:   a batch runs statement by statement and ends at the first error, as most errors of these kinds do on the server.
 * Limits:  1,024 columns; results that must be held (DISTINCT, ORDER BY) up to what the arena takes (message 701).
 * Threads: one engine per thread. Blocking: only in the sink.
 * Source:  Transact-SQL reference, SELECT. Tests: tests/unit/tds-select.c
 */
#ifndef TESTS_SIM_TDS_SELECT_H
#define TESTS_SIM_TDS_SELECT_H

#include "tests/sim/tds-eval.h"
#include "tests/sim/tds-service.h"

#define TDS_COLUMNS_MAX 1024

struct tds_done {
	bool counted; /* row_count means something */
	bool failed;
	bool last; /* nothing comes after it */
	uint64_t row_count;
};

/* Where results go. Each call returns false to end the batch: the client is gone or has asked to stop. */
struct tds_sink {
	void *owner;
	bool (*columns)(void *owner, const struct tds_column *column, size_t column_count);
	bool (*row)(void *owner, const struct tds_column *column, const struct tds_value *value,
		    size_t column_count);
	bool (*message)(void *owner, const struct tds_message *message);
	bool (*use)(void *owner, struct str database);
	bool (*done)(void *owner, const struct tds_done *done);
};

struct tds_engine {
	struct tds_service *service;
	struct tds_facts *facts; /* the database changes with USE */
	const struct tds_sink *sink;
	struct arena *arena;   /* of the batch */
	struct arena *scratch; /* cleared for each row */
	struct tds_variable *variable;
	size_t variable_count;
};

/* Runs a batch. False when the sink ended it. */
bool tds_run(struct tds_engine *engine, struct tds_statement *first);

/* Tells the sink a message and that the batch has failed. */
bool tds_run_failed(struct tds_engine *engine, const struct tds_message *message);

/* One SELECT; *out_failed when it told an error. False when the sink ended it. */
bool tds_select(struct tds_engine *engine, struct tds_scope *scope, struct tds_statement *select,
		uint64_t *out_row_count);

/* Whether there is a database of this name; *out_name is it in static text. */
bool tds_database(struct str name, struct str *out_name);

/* Results that are held until all are there. */
struct tds_held;

/* One that sorts by keys (count 0: not at all) and drops repeated rows when distinct; in the arena; NULL when that is full. */
struct tds_held *tds_held_new(struct tds_scope *scope, size_t column_count,
			      const struct tds_item *order, bool distinct);

/* Adds copies of a row and of its keys. False: message 701 is in the scope. */
bool tds_held_add(struct tds_held *held, const struct tds_value *value,
		  const struct tds_value *key);

/* How many rows are held; the n-th of them in order. Sorting is done at the first call of it. */
size_t tds_held_count(const struct tds_held *held);
const struct tds_value *tds_held_row(struct tds_held *held, size_t index);

#endif
