/* book - what the join remembers: requests, statements, what the statements claim, and the ids by which both meet.
 *
 * Shape:   arrays that only grow; everything refers to everything else by index, BOOK_NONE where there is nothing. No text is
 *          kept but names that few records share (sources, files, logins); ids are fingerprints.
 * Rules:   whatever changes what a verdict rests on marks its statements or requests dirty; nothing is judged here.
 *          No decision may hang on an index or a leaf, as these follow the order of arrival: ties go by `tie`.
 * Limits:  max_records, at most 2^31 - 1.
 * Life:    until book_done. Threads: one book per thread. Blocking: never.
 * Tests:   tests/unit/book.c
 */
#ifndef CORRELATOR_JOIN_BOOK_H
#define CORRELATOR_JOIN_BOOK_H

#include "correlator/join/fingerprint.h"
#include "correlator/join/join.h"
#include "correlator/join/past.h"
#include "correlator/join/slots.h"
#include "correlator/join/statement.h"
#include "correlator/join/timeline.h"

#define BOOK_NONE    UINT32_MAX
#define BOOK_UNKNOWN (UINT32_MAX - 1) /* a marker that may be outside of the book */

enum id_kind { ID_EXTENDED, ID_LAMBDA, ID_REQUEST, ID_KINDS };

enum role { /* where a statement's claim stands; the first four are fields of the row */
	    ROLE_COLUMN,
	    ROLE_MARK, /* what the row sets for its session */
	    ROLE_APPLICATION,
	    ROLE_COMMENT,
	    ROLE_COUNT,
};

struct id { /* one id of one kind, whoever bears it */
	struct fingerprint print;
	uint32_t requests; /* head of the chain by request.next[kind] */
	uint32_t request;  /* the one to name: of several equal lines that with the smallest tie */
	uint32_t claims;   /* head of the chain by claim.next[kind] */
	uint64_t key;      /* carried_key of its text */
	uint8_t kind;
	uint8_t whole; /* ID_REQUESTS, ID_CLAIMS: of these none is outside; << ID_ASKED: asked for */
	bool reused;   /* borne by requests that differ */
};

#define ID_REQUESTS 1U
#define ID_CLAIMS   2U
#define ID_ASKED    4U  /* times ID_REQUESTS or ID_CLAIMS */
#define ID_PUT_OFF  16U /* likewise: enough for those on whom no verdict stands */

#define REQUEST_DIRTY      1U
#define REQUEST_OPEN       2U /* no final verdict yet */
#define REQUEST_NO_LATENCY 4U
#define REQUEST_HAS_USER   8U
#define REQUEST_NEW        16U /* not judged yet, and it did not come from outside */
#define REQUEST_LEFT \
	32U /* the last statement that named it does so no more, and nothing was said since */

struct request {
	uint64_t leaf, tie, identity, user;
	int64_t start_ns, end_ns;
	uint32_t id[ID_KINDS], next[ID_KINDS];
	uint32_t named; /* statements whose verdict names it */
	uint32_t rule;  /* the first route rule that fits, or BOOK_NONE */
	uint16_t status;
	uint16_t flags;
	struct said said;
};

#define CLAIM_DIRTY     1U
#define CLAIM_PRINCIPAL 2U
#define CLAIM_HINT      4U /* a bare id, of which nobody said that it is the gateway's */
#define CLAIM_REPLACED  8U /* its request id was an invalid one, which the gateway replaced */

struct claim { /* what a context says; equal contexts are one claim */
	uint64_t principal;
	uint32_t id[ID_KINDS], next[ID_KINDS];
	uint32_t column;   /* head of the chain by statement.next_column */
	uint32_t carried;  /* head of the chain by carried.next_of_claim */
	uint8_t signature; /* enum context_signature */
	uint8_t flags;
};

struct carried { /* a claim of a statement that does not stand in its session context column; few have one */
	uint32_t statement, claim, next_of_statement, next_of_claim;
	enum role role;
};

struct registers { /* statements whose marks govern, BOOK_NONE or BOOK_UNKNOWN */
	uint32_t write, replay;
};

struct session {
	struct fingerprint print;
	uint64_t key; /* carried_session of its rows */
	struct timeline timeline;
	uint32_t fresh; /* statements in it that it has not looked at */
	uint32_t sets;  /* batches in it that set or clear */
	uint16_t source;
	bool dirty;
	bool rebased; /* what stands at its base has changed */
	struct session_past past;
};

struct source {
	struct str name; /* owned */
	int64_t offset_ns;
};

struct login {
	struct str name[3]; /* principal, session principal, database user; owned by the first */
};

struct indexes {
	uint32_t *at;
	uint32_t count, capacity;
};

struct cached_claim { /* of a text that was read lately */
	struct fingerprint print;
	uint32_t claim;
};

struct restored { /* a verdict that came before its statement or request */
	uint64_t leaf;
	struct said said;
};

struct horizon { /* what the watermarks mean, in the gateway's time; INT64_MAX: everything has passed */
	int64_t history_ns;     /* all rows before this are here */
	int64_t statement_ns;   /* and no request can come for a statement before this */
	int64_t request_ns;     /* no statement can come for a request that ended before this */
	int64_t provisional_ns; /* what is not younger is said, provisionally */
	int64_t lone_ns; /* and so of requests; INT64_MIN until there is a source of statements */
};

struct book {
	struct hash_key key;
	struct join_options options; /* texts owned */
	struct join_route_rule *rules;

	struct request *requests;
	struct statement *statements;
	struct claim *claims;
	struct carried *carried;
	struct id *ids;
	struct session *sessions;
	struct restored *restored;
	uint32_t request_count, statement_count, claim_count, carried_count, id_count,
		session_count, restored_count;
	uint32_t request_capacity, statement_capacity, claim_capacity, carried_capacity,
		id_capacity, session_capacity, restored_capacity;

	uint64_t leaf_end;    /* above all leaves */
	bool leaves_jumped;   /* they did not come in ascending order: then by_leaf finds them */
	struct slots by_leaf; /* statements; requests with BOOK_REQUEST_BIT */
	struct slots by_claim, by_id, by_session, by_restored;

	struct source *sources;
	struct str *files;
	struct login *logins;
	uint32_t source_count, file_count, login_count;
	uint32_t source_capacity, file_capacity, login_capacity;
	struct strmap login_map, file_map;
	uint32_t last_source, last_file;
	struct cached_claim *cache;

	struct timeline statements_by_time, requests_by_end;
	struct indexes dirty_statements, dirty_requests, dirty_claims, dirty_sessions;

	struct past past;

	int64_t min_offset_ns;              /* the smallest clock offset, at most 0 */
	int64_t requests_ns, statements_ns; /* watermarks */
	struct horizon horizon;
};

#define BOOK_REQUEST_BIT 0x80000000U
#define BOOK_CACHE_COUNT 4096

/* Makes an empty book; options is copied. Returns 0, ERR_CONFIG or ERR_NOMEM (then book_done is still to be called). */
int book_init(struct book *book, const struct join_options *options, struct error *err);
void book_done(struct book *book);

/* Room for one more item in an array; items is the address of the pointer to it. Returns 0 or -ERR_NOMEM. */
int book_reserve(void *items, uint32_t *capacity, uint32_t count, size_t item_bytes);

/* The statement index, or request index with BOOK_REQUEST_BIT, of a leaf, or BOOK_NONE. */
uint32_t book_find_leaf(const struct book *book, uint64_t leaf);

/* Makes an added item findable by its leaf. Returns 0 or -ERR_NOMEM. */
int book_put_leaf(struct book *book, uint32_t item);

/* Makes the tables of leaves and ids anew, after items have moved. Returns 0 or -ERR_NOMEM. */
int book_reindex(struct book *book);

/* The claim of a statement in a role, or BOOK_NONE. */
uint32_t book_claim(const struct book *book, const struct statement *statement, enum role role);

/* The index of a source, a file, a trio of logins; a new one is added. Returns 0, or -ERR_NOMEM, -ERR_LIMIT. */
int book_source(struct book *book, struct str name, uint32_t *out_index);
int book_file(struct book *book, struct str name, uint32_t *out_index);
int book_login(struct book *book, const struct str name[3], uint32_t *out_index);

/* The index of the id with this text and kind; a new one is added. Returns 0 or -ERR_NOMEM. */
int book_id(struct book *book, enum id_kind kind, struct str text, uint32_t *out_index);

/* Marks what must be judged again. Without memory for the list the mark is lost, so they return 0 or -ERR_NOMEM. */
int book_touch_statement(struct book *book, uint32_t statement);
int book_touch_request(struct book *book, uint32_t request);
int book_touch_claim(struct book *book, uint32_t claim);
int book_touch_session(struct book *book, uint32_t session);

/* Takes out the verdict that book_restore kept for a leaf; false when there is none. */
bool book_take_restored(struct book *book, uint64_t leaf, struct said *out_said);

/* Keeps what was said about a leaf that is not here yet; an older one is replaced, a newer one stays. Returns 0 or -ERR_NOMEM. */
int book_keep_restored(struct book *book, uint64_t leaf, const struct said *said);

/* a + b, a - b, held at the ends of int64. */
int64_t book_add_ns(int64_t a, int64_t b);
int64_t book_subtract_ns(int64_t a, int64_t b);

#endif
