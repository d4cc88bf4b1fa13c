/* world-state - the world while it is being made: what the files of the generator share.
 *
 * Shape:   requests are planned and sorted first, then performed in order of time; each statement becomes a draft; at the end
 *          drafts are laid out into audit files and become rows (tests/sim/world-files.c).
 * Errors:  sticky: out of memory sets failed, and everything after it writes into a spare draft.
 * Threads: one thread makes a world. Tests: tests/unit/world.c
 */
#ifndef TESTS_SIM_WORLD_STATE_H
#define TESTS_SIM_WORLD_STATE_H

#include "base/clock.h"
#include "tests/sim/company.h"
#include "tests/sim/world.h"

#define SERVER_NAME   "SQLPROD01"
#define AUDIT_NAME    "fjordkjop"
#define AUDIT_FOLDER  "D:\\audit\\"
#define SESSIONS_MAX  4096
#define POOL_MAX      512
#define REPORTS_LOGIN "svc_reports"
#define BYPASS_LOGIN  "dba_henrik"

enum request_fault {
	FAULT_NONE,
	FAULT_FORGETS,    /* runs on a pooled session without setting its context */
	FAULT_REPLACED,   /* the caller sent an x-amzn-RequestId that is no UUID */
	FAULT_FORGED_ID,  /* the caller sent the id of an earlier request */
	FAULT_EXTENDED,   /* the gateway logs the extended id of an earlier request */
	FAULT_LOGIN,      /* one statement runs under a login that does not fit the route */
	FAULT_ASYNC,      /* one statement runs up to 4 s after the end */
	FAULT_BACKGROUND, /* one statement runs 10 s after the end */
	FAULT_HUGE,       /* a statement in many parts */
	FAULT_PRINCIPAL,  /* its context names another user than the gateway does */
	FAULT_SIGNATURE,  /* its context is signed with another key */
	FAULT_REFUSED,    /* 403 with a user agent that forges the rest of the line */
};

struct note { /* what the generator knows of a request beyond struct world_request */
	uint16_t route;
	uint8_t fault;
	bool lost, id_reused, extended_reused;
	bool incident;
	const struct user *user;
	int64_t path_id;
	int64_t page_size; /* of the incident, or 0 */
};

struct draft {
	struct world_row row;
	int64_t cause;   /* the request that ran it, or -1 */
	int64_t carried; /* the request whose id its evidence names, or -1 */
	enum carrier carrier;
	bool any; /* no grade is promised */
	const char *why;
};

struct session {
	int32_t id;
	uint8_t service;
	uint8_t connection_id[16];
	struct str client_ip, host, application, login;
	int64_t free_ns; /* when its last request ended */
	int64_t row_ns;  /* time of its last row */
	uint32_t uses, max_uses;
	int64_t owner;           /* the one request that the session serves, or -1 */
	int64_t context_request; /* whose context stands in the session, or -1 */
	struct str context;      /* as the session_context column shows it; ptr NULL: no column */
};

struct pool {
	struct session *sessions[POOL_MAX];
	size_t count;
};

struct world {
	struct world_options options;
	struct arena arena;
	struct chance chance;
	struct buf text;
	bool failed;
	int64_t *id_free_ns; /* per session id: free from this time on */
	struct pool pools[SERVICES];
	struct user *users[USER_KINDS];
	uint32_t user_count[USER_KINDS];
	struct world_request *requests;
	struct note *notes;
	uint32_t request_count;
	struct draft *drafts;
	uint32_t draft_count, draft_capacity;
	struct draft spare;
	struct world_row *rows;
	uint32_t row_count, row_capacity;
	struct world_statement *statements;
	struct world_file *files;
	uint32_t file_count, file_capacity;
	int64_t transaction_id;
	int64_t victim; /* a request that hostile text names */
	int64_t last_plain
		[SERVICES]; /* latest request of a service, to be copied by an attacker; -1 */
	struct str signing_key, identity, format;
	struct world_story story;
};

/* Copies the buf into the arena and clears it. */
struct str world_keep(struct world *world, struct buf *buf);

/* Appends a draft at this time of the true clock on this session, with all fields of the session filled in. Never NULL. */
struct draft *world_draft(struct world *world, struct session *session, int64_t time_ns);

/* tests/sim/session.c: sessions of pools and of people. */

/* Opens a session at time_ns with its login row; it is the caller's until session_close. NULL without memory.
 *   owner  the request that it is opened for and closed with, or -1 for a pooled session */
struct session *session_open(struct world *world, size_t service, struct str application,
			     int64_t owner, int64_t time_ns);
struct session *session_open_person(struct world *world, struct str login, struct str host,
				    struct str application, int64_t time_ns);
/* Writes the logout row and gives the id back; frees. */
void session_close(struct world *world, struct session *session, int64_t time_ns);
/* A session of the service's pool that is free at time_ns, opened if needed. With `stale` the one that has been idle for the
 * longest, at least 6 s, and still holds a context; NULL when there is none. It belongs to the pool. */
struct session *session_take(struct world *world, size_t service, int64_t time_ns, bool stale);
void session_free_all(struct world *world);

/* tests/sim/literal.c: statement text. */

struct literal {
	int64_t path_id;
	int64_t page_size; /* 0: any */
	int64_t time_ns;
	bool hostile;
};

/* Appends the template's text with its placeholders filled. */
void literal_fill(struct world *world, const char *text, const struct literal *literal,
		  struct buf *out);

/* tests/sim/access-line.c: one access log line. */

/* Sets request->line, stream and event id from the request, its note and its times. */
void access_line_write(struct world *world, uint32_t index);
/* The format template of the lines. */
const char *access_line_format(void);
/* A user agent that closes its quotes and forges other fields; unescaped on purpose. */
const char *access_line_hostile_agent(uint64_t index);

/* tests/sim/requests.c */

/* Plans request_count requests over the time and performs them. */
void requests_plan(struct world *world);
void request_perform(struct world *world, uint32_t index);

/* tests/sim/staff.c: people and jobs who go to the database directly; each call performs one visit that begins at time_ns. */
void staff_visit(struct world *world, int64_t time_ns);
void staff_job(struct world *world, int64_t time_ns);
void staff_attack(struct world *world, int64_t time_ns);
void staff_bypass(struct world *world, int64_t time_ns);

/* tests/sim/incident.c: how many requests it takes (0: no incident), when each of them and the bypass happen, what they ask. */
uint32_t incident_count(const struct world *world);
int64_t incident_time(const struct world *world, uint32_t ordinal);
int64_t incident_bypass_time(const struct world *world);
void incident_request(struct world *world, uint32_t index, uint32_t ordinal);
/* Fills world->story. */
void incident_tell(struct world *world);

/* tests/sim/world-files.c: drafts become rows, statements and files. */
void files_lay_out(struct world *world);

/* tests/sim/truth.c: the grade that the evidence of a draft deserves, and why. */
void truth_judge(const struct world *world, const struct draft *draft,
		 struct world_statement *statement);

/* The wall time at which something that appears at world time time_ns becomes visible. */
int64_t world_visible(const struct world_options *options, int64_t time_ns);

#endif
