/* auditscript - a scripted auditdb (collector/sources/sqlserver/auditdb.h): audit files in memory that grow, fill, go away and fail
 * as told, for tests of the reader that need no network.
 *
 * Rules:   asserts that rows are read by an exact path: a pattern would pin files.
 * Threads: one. Blocking: never. Tests: it is the ground of tests/unit/auditreader.c and tests/unit/filewalk.c
 */
#ifndef TESTS_SIM_AUDITSCRIPT_H
#define TESTS_SIM_AUDITSCRIPT_H

#include "base/clock.h"
#include "collector/sources/sqlserver/auditdb.h"

#define SCRIPT_FILES 8
#define SCRIPT_ROWS  4096
#define SCRIPT_TIME \
	INT64_C(1795000000000000000) /* of the first row of a file; then one a millisecond */

struct script_row {
	int64_t offset;
	int64_t time_ns;
	int sequence;
	int session;
	bool bad;     /* cannot be converted */
	bool skipped; /* stands for message 33226 */
	char text[4001];
};

struct script_file {
	char name[128];
	bool deleted, transmitted;
	struct script_row *rows; /* SCRIPT_ROWS of them */
	size_t row_count;
};

struct script {
	struct auditdb db;
	struct script_file files[SCRIPT_FILES];
	size_t file_count;
	bool deny_status, deny_settings;
	bool bad_offset; /* 33225 for reads that begin at an offset */
	bool list_late;  /* a list of all files takes too long */
	int close_after; /* rows until the connection breaks; -1: never */
	unsigned audit_count;
	/* the read that runs */
	struct script_file *reading;
	size_t at;
	int64_t behind;
	uint64_t left;
	unsigned read_count, list_count, next_count, pattern_count;
};

/* Prepares a server with one started audit and no file. */
void script_init(struct script *script);
void script_done(struct script *script);

/* Adds an empty file, newer than the others; the server writes to it from now on. */
struct script_file *script_add_file(struct script *script);

/* Adds a row to the end of a file: sequence 1, session 51. */
struct script_row *script_add_row(struct script_file *file, int64_t offset, const char *text);

#endif
