/* join-world - small nasty worlds for the join: few ids, borne by many, and rows that contradict each other.
 *
 * Shape:   at most 8 access log lines and 20 audit rows; each row both as a record to feed and as plain numbers for the oracle.
 *          Ids are numbers below SMALL_IDS, -1 for none.
 * Life:    records borrow from the world, which must not move.
 * Threads: a value. Tests: used by tests/simulation/join-property.c
 */
#ifndef TESTS_SIMULATION_JOIN_WORLD_H
#define TESTS_SIMULATION_JOIN_WORLD_H

#include "correlator/join/join.h"

#define SMALL_IDS       4
#define SMALL_LINES_MAX 8
#define SMALL_ROWS_MAX  20
#define SMALL_TEXT      512
#define SMALL_T0        INT64_C(1700000000000000000)
#define SMALL_MS        INT64_C(1000000)

struct small_line {
	int64_t time_ns, latency_ms; /* -1: absent */
	int x, l, r, user, route;
	int64_t status;
	bool replaced; /* its request id was invalid */
};

enum small_signature { SMALL_UNSIGNED, SMALL_GOOD, SMALL_BAD };

struct small_claim {
	bool present, bare, replaced;
	int x, l, r, user;
	enum small_signature signature;
};

enum small_kind { /* from SMALL_SETS on: what ends or begins a context of the session */
		  SMALL_PLAIN,
		  SMALL_TELLS,       /* audit_write with a context */
		  SMALL_TELLS_NONE,  /* audit_write that clears, or whose context cannot be read */
		  SMALL_TELLS_OTHER, /* audit_write of something else */
		  SMALL_SETS,
		  SMALL_CLEARS, /* or sets what cannot be read */
		  SMALL_LOGIN,
		  SMALL_LOGOUT,
		  SMALL_KINDS,
};

struct small_row {
	int64_t time_ns; /* the server's clock */
	int session;     /* -1: none */
	int sequence;    /* differs in each row */
	enum small_kind kind;
	bool by_info, mixed, column_other;
	int64_t duration_ms;
	int login; /* -1: absent */
	struct small_claim column, mark, application, comment;
};

struct small_world {
	struct join_options options;
	struct str principal;
	struct join_route_rule rule;
	struct join_server_clock clock;
	int64_t offset_ns;
	struct small_line line[SMALL_LINES_MAX];
	struct small_row row[SMALL_ROWS_MAX];
	int line_count, row_count;
	struct record record[SMALL_LINES_MAX + SMALL_ROWS_MAX]; /* lines, then rows */
	char text[SMALL_LINES_MAX + SMALL_ROWS_MAX][6][SMALL_TEXT];
};

/* The next number below limit of a seeded row of numbers. */
uint64_t small_below(uint64_t *state, uint64_t limit);

/* Fills the world from its seed. */
void small_world_make(struct small_world *world, uint64_t seed);

#endif
