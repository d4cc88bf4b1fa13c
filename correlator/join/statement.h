/* statement - an audit row as the join keeps it, and what was said of it.
 *
 * Shape:   indexes into the arrays of its book; BOOK_NONE where there is nothing.
 * Threads: a value. Tests: tests/unit/book.c, tests/unit/session.c
 */
#ifndef CORRELATOR_JOIN_STATEMENT_H
#define CORRELATOR_JOIN_STATEMENT_H

#include <stdint.h>

struct said {          /* the verdict that stands */
	uint64_t leaf; /* its own; UINT64_MAX until it is stored */
	uint64_t request_leaf;
	uint32_t reason; /* of its text: part of a fixed fingerprint */
	uint16_t what;   /* grade, carrier, matched, settled in one; 0: none stands */
	uint16_t count;  /* how often one was said; stays at its largest value */
};

#define STATEMENT_DIRTY        (1U << 0)
#define STATEMENT_FRESH        (1U << 1) /* its session has not looked at it yet */
#define STATEMENT_OPEN         (1U << 2)
#define STATEMENT_WRITES       (1U << 3) /* an audit_write row that sets or clears */
#define STATEMENT_SETS         (1U << 4) /* a batch that sets or clears the session's context */
#define STATEMENT_BY_INFO      (1U << 5) /* ... with SET CONTEXT_INFO */
#define STATEMENT_MIXED        (1U << 6) /* ... and does more in the same batch */
#define STATEMENT_LOGIN        (1U << 7)
#define STATEMENT_LOGOUT       (1U << 8)
#define STATEMENT_RESETS       (1U << 9)
#define STATEMENT_COLUMN_OTHER (1U << 10) /* its session context column holds no context */
#define STATEMENT_EXACT        (1U << 11) /* ids agree exactly: a measure of the clock */
#define STATEMENT_DOUBT        (1U << 12) /* it is not sure that it is part of batch_marker */
#define STATEMENT_QUIET        (1U << 13) /* from outside, for what it does to others: not judged */
#define STATEMENT_HOT          (1U << 14) /* what it governs may be outside */
#define STATEMENT_PLACED       (1U << 15) /* it stands in the timeline of its session */

struct statement {
	uint64_t leaf;
	int64_t at_ns; /* the server's time plus the configured offset */
	int64_t file_offset;
	uint32_t file, sequence, tie;
	uint32_t session;
	uint32_t column, next_column;         /* claim in its session context column */
	uint32_t carried;                     /* head of the chain by carried.next_of_statement */
	uint32_t write_marker, replay_marker; /* statements whose mark governs this one */
	union {
		uint32_t batch_marker; /* the next batch that sets, when this row is part of it */
		uint32_t duration_ms;  /* of a row that sets, which is part of no other batch */
	};
	uint32_t login;
	uint32_t request; /* named by the verdict of now */
	uint16_t source;
	uint16_t flags;
	struct said said;
};

#endif
