/* join - which request caused which statement: records in, verdicts out.
 *
 * Pure:    no clock, file, thread or random; the same records in any order, any repetition of the same leaf, and any chunking give
 *          the same standing verdict for every statement and request once join_settle has said that nothing more will come.
 *          (Which revisions came in between depends on the order of arrival; the last one does not.)
 * Exact:   ids are looked up in both directions without a window; watermarks only turn an open "unmatched" into a said one.
 * Grades:  docs/grades.md. A wrong person is never named at A or B: on any doubt the grade falls to C or X, with its reason.
 * Memory:  about 150 bytes a record; max_records given at join_new, past it ERR_LIMIT.
 * Past:    records that are kept outside (sealed) may be forgotten, at any moment. The join then says which of them it must see before it can
 *          judge what came (join_wants); whoever keeps them gives them back (join_recall) with the newest verdict on each (join_restore),
 *          and says that this was all (join_answer). What stands at the end is the same as if nothing had been forgotten.
 * Threads: one join per thread. Blocking: never.
 * Source:  docs/grades.md. Tests: tests/unit/join.c, tests/simulation/
 */
#ifndef CORRELATOR_JOIN_JOIN_H
#define CORRELATOR_JOIN_JOIN_H

#include "base/buf.h"
#include "base/error.h"
#include "model/record.h"

struct join;

struct join_route_rule {
	struct str route;             /* glob over "GET /orders/{id}" */
	const struct str *principals; /* globs over the login, session login or database user */
	size_t principal_count;
};

struct join_server_clock {
	struct str source;
	int64_t offset_ns; /* what to add to the server's times to get the gateway's; from the configuration */
};

struct join_options {
	int64_t tolerance_ns; /* a statement this far outside its request still counts as inside (clock precision) */
	int64_t slack_ns; /* between tolerance and slack: grade C, doubtful; beyond: X, impossible */
	int64_t provisional_ns; /* an unmatched record older than this is said, provisionally */
	struct str signing_key; /* empty: signatures are not checked */
	bool require_signature; /* an unsigned context then grades C */
	const struct join_route_rule *routes;
	size_t route_count;
	const struct join_server_clock *clocks;
	size_t clock_count;
	size_t max_records;
};

enum join_settled { JOIN_PROVISIONAL = 1, JOIN_FINAL = 2 };

#define JOIN_NO_LEAF UINT64_MAX

struct join_verdict {
	uint64_t statement_leaf; /* JOIN_NO_LEAF for a U2 */
	uint64_t request_leaf; /* JOIN_NO_LEAF for a U1, and for an X without one request to name */
	char grade[3];         /* "A", "B", "C", "U1", "U2", "X" */
	const char *carrier;   /* static; "" when there was none */
	const char *matched_by; /* static; "" when nothing matched */
	const char *reason;     /* borrowed until the next join call; a sentence */
	enum join_settled settled;
	uint32_t revision;
};

struct join_clock_estimate {
	struct str source;
	int64_t offset_ns; /* add this to the server's times */
	int64_t bound_ns; /* the true one lies within offset +- bound, going by pair_count exact pairs */
	uint64_t pair_count, outlier_count;
};

/* options is copied. Returns 0 and *out_join, or ERR_CONFIG, ERR_NOMEM. */
int join_new(const struct join_options *options, struct join **out_join, struct error *err);
void join_free(struct join *join);

/* Takes in a record (REQUEST, STATEMENT; other kinds are ignored); copies what it keeps. Leaves may come in any order; one that
 * was added before is ignored. Returns 0, ERR_LIMIT or ERR_NOMEM. */
int join_add(struct join *join, uint64_t leaf, const struct record *record, struct error *err);

/* From now on there are records outside, all those with leaves below `end`; it only rises. */
void join_seal(struct join *join, uint64_t end);

/* Forgets records that are outside with the newest verdict on them, and whatever is of no use without them: at least those of
 * requests, of rows without a session, and of rows behind which nothing of their session stays. Of no effect while a verdict waits
 * to be taken. Returns 0 or ERR_NOMEM. */
int join_forget(struct join *join, struct error *err);

/* How many records are in memory. */
size_t join_count(const struct join *join);

enum join_want_kind {
	JOIN_WANT_LEAF,     /* this record */
	JOIN_WANT_REQUESTS, /* those that bear an id in a field of their own */
	JOIN_WANT_CLAIMS,   /* the statements that carry an id (model/carried.h) */
	JOIN_WANT_ROWS,     /* the statements of a session in a span of time */
	JOIN_WANT_MARKS,    /* those of them that may mark */
	JOIN_WANT_BASE, /* of those before to_ns that may do `marks`, the newest, with all others of its time */
};

struct join_want {
	enum join_want_kind kind;
	unsigned marks; /* BASE: bits of enum carried_mark */
	uint64_t key;   /* the leaf; carried_key of the id; carried_session */
	int64_t from_ns,
		to_ns; /* event times as they stand in the records: from_ns <= t < to_ns; INT64_MAX as to_ns: no end */
	bool urgent;   /* a verdict stands that may rest on it: later is too late */
	uint32_t item; /* the join's own */
};

/* What must come back before more can be judged; borrowed until the next join call but join_recall, join_restore and join_answer. While
 * there is any, join_take gives nothing. Ask again after taking what join_take gives. Returns how many; 0: nothing. */
size_t join_wants(struct join *join, const struct join_want **out_wants);

/* Gives a record back that a want names (a known one is fine), or with want NULL one that has no final verdict yet, so that it
 * is judged. Returns as join_add. */
int join_recall(struct join *join, const struct join_want *want, uint64_t leaf,
		const struct record *record, struct error *err);

/* A request that was given back without a want stands without a verdict because a statement named it and does so no more: it stays
 * until something is said of it, since nobody outside finds it. An unknown leaf is passed over. */
void join_hold(struct join *join, uint64_t leaf);

/* A request came back after the want by which it was looked for had been answered: whoever claims its ids is judged again. An unknown leaf is
 * passed over. Returns 0 or ERR_NOMEM. */
int join_late(struct join *join, uint64_t leaf, struct error *err);

/* All that a want names is back. answer: of these bits. Returns 0 or ERR_NOMEM. */
#define JOIN_NOTHING_OLDER \
	1U /* of MARKS: no record outside with an earlier time than from_ns may mark this session */
#define JOIN_PUT_OFF \
	2U /* of REQUESTS and CLAIMS that are not urgent: the rest comes later (join_late), perhaps */
int join_answer(struct join *join, const struct join_want *want, unsigned answer,
		struct error *err);

/* What was put off has been looked up. */
void join_looked_up(struct join *join);

/* Takes in a verdict that was stored before a restart, so that it is not said again and revisions go on counting. Verdicts must
 * come in leaf order; they may come before or after their statements. Take nothing before all is back: verdicts on a part would be
 * said as revisions. An older one than is known is passed over. leaf: its own. Returns 0, ERR_INPUT or ERR_NOMEM. */
int join_restore(struct join *join, uint64_t leaf, const struct record *verdict, struct error *err);

/* The watermark of all request sources and of all statement sources: no record with an earlier event time is still to come.
 * A statement before requests_ns without a match becomes a final U1; a request whose end lies before statements_ns without a
 * statement a final U2. Watermarks only rise. Between arrival and watermark an unmatched item has no verdict; after
 * provisional_ns (an age, by the larger watermark) it gets a provisional one; a request not before there is a source of statements.
 * INT64_MIN: no such source yet. INT64_MAX: nothing more will come. */
void join_settle(struct join *join, int64_t requests_ns, int64_t statements_ns);

/* The next verdict that differs from what was said before on its statement or request; false when there is none now. Order:
 * by statement (request) event time, then leaf. */
bool join_take(struct join *join, struct join_verdict *out_verdict);

/* Under which leaf the verdict that was taken last is stored. Without it, its subject is not forgotten. */
void join_stored(struct join *join, uint64_t leaf);

/* How many statements and requests have no final verdict yet. */
void join_pending(const struct join *join, size_t *out_statements, size_t *out_requests);

/* The estimated clock offset per statement source, from pairs whose ids agree exactly (also those that are X by their time alone);
 * at most max are written. */
size_t join_clocks(const struct join *join, struct join_clock_estimate *out, size_t max);

#endif
