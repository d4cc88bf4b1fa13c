/* tds-table - what a SELECT can stand on: the audit function and the catalog views.
 *
 * Shape:   find (columns are known), open (arguments are known; now it can fail as the server does), then next until it is false.
 * Life:    a table borrows from the service and lives in the arena of its statement.
 * Errors:  a struct tds_message as SQL Server words it.
 * Threads: one table per thread. Blocking: never.
 * Source:  Microsoft "sys.fn_get_audit_file", "sys.dm_server_audit_status", "sys.server_file_audits", "sys.dm_audit_actions".
 * Tests:   tests/unit/tds-audit.c
 */
#ifndef TESTS_SIM_TDS_TABLE_H
#define TESTS_SIM_TDS_TABLE_H

#include "tests/sim/tds-eval.h"
#include "tests/sim/tds-service.h"

struct tds_table {
	struct tds_rows rows;
	struct tds_service *service;
	int64_t now_ns;
	bool is_audit;
	/* An INFO to be sent; number 0: none. The reader of the table clears it. */
	struct tds_message notice;
	/* a view: */
	const struct tds_value *cell;
	size_t row, row_count; /* row counts from 1; 0: before the first */
	/* the audit function: */
	const uint8_t *place; /* of each column in the list of all that there are */
	/* Of each file, an enum tds_file_state; GONE also when the pattern leaves it out. */
	const uint8_t *state;
	uint32_t file;        /* the current one */
	uint32_t next_row;    /* in the file's rows */
	uint32_t current;     /* index of the world's row */
	int64_t after_offset; /* rows of the first file up to here are left out */
	int64_t given;        /* rows so far */
	int64_t skip_at;      /* fault: the row at which a buffer is left out; -1: none */
	int64_t skip_offset;  /* the buffer that is being left out; -1: none */
	struct arena *arena;
};

/* Finds the table of a FROM for the login's database. False: message 208 (or 300, 297) in *out_error. */
bool tds_table_find(struct tds_service *service, const struct tds_from *from,
		    struct tds_scope *scope, struct tds_table *out);

/* Opens it with the values of the arguments (three for the audit function, else none). False: see scope->error. */
bool tds_table_open(struct tds_table *table, const struct tds_value *argument,
		    struct tds_scope *scope);

/* Moves to the next row. */
bool tds_table_next(struct tds_table *table);

/* The two kinds, found and opened. */
void tds_audit_find(struct tds_table *table);
bool tds_audit_open(struct tds_table *table, const struct tds_value *argument,
		    struct tds_scope *scope);
bool tds_audit_next(struct tds_table *table);
bool tds_catalog_find(struct tds_table *table, struct str name, struct tds_scope *scope);

#endif
