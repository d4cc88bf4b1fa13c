/* world - a believable company in memory: who asked what at the gateway, and which statements that caused. One seed, one world.
 *
 * Shape:   requests (access log lines) and audit rows, each with the time it happened and the time it becomes visible to a reader, and
 *          the truth: which request caused which statement, and how the evidence for it was made.
 * Company: "Fjordkjøp", an online shop: customers, orders, invoices, support; 50 routes, users of several kinds, one login a
 *          service plus roles, pooled sessions, nightly jobs, DBAs who go to the database directly, and an incident (see
 *          world_story). Names, literals and user agents vary, with non-ASCII and hostile text in places.
 * Carriers: each service carries its context in one way: session context, sp_audit_write, audited sp_set_session_context, Lambda id
 *          in the application name, signed context, comment, none.
 * Limits:  everything in memory: about 2 KB an event; at most 2,000,000 requests.
 * Threads: read-only once made.
 * Tests:   tests/unit/world.c
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct world;

struct world_options {
	uint64_t seed;
	uint32_t request_count;
	int64_t from_ns, to_ns;  /* event times lie in [from, to) */
	int64_t visible_base_ns; /* everything that happened before is visible at once */
	int64_t wall_start_ns; /* the wall time at which world time is visible_base_ns; 0: the same number */
	double visible_speed; /* after that, world time runs this many times as fast as the wall clock; 0: all visible at once */
	int64_t server_skew_ns; /* added to the SQL Server's times */
	uint32_t
		stale_permille; /* statements that run on a pooled session without setting its context */
	uint32_t lost_permille; /* access log lines that never arrive */
	uint32_t late_permille; /* lines that become visible up to late_max_ns later */
	int64_t late_max_ns;
	bool hostile; /* hostile user agents, paths and SQL text among the rest */
	bool incident;
};

enum world_expect { /* the grade that evidence as made deserves */
		    WORLD_A,
		    WORLD_B,
		    WORLD_C,
		    WORLD_U1,
		    WORLD_X,
		    WORLD_ANY, /* logins, logouts and rows that only carry or clear a context: no grade is promised, but at A or
				* B nobody but the user of `request` may be named */
};

struct world_request {
	int64_t time_ns, end_ns;
	int64_t visible_ns; /* wall time at which CloudWatch shows it; 0: always; INT64_MAX: never (a lost line) */
	int64_t ingestion_ns;
	struct str line; /* the access log line as logged */
	struct str stream;
	struct str event_id; /* 56 decimal digits (facts/aws.md section 5) */
	struct str extended_request_id, lambda_request_id, request_id;
	struct str user, route;
	uint16_t status;
};

struct world_row { /* one row of sys.fn_get_audit_file; texts UTF-8 (WTF-8 for lone surrogates) */
	int64_t time_ns; /* the server's clock, 100 ns resolution */
	int64_t visible_ns;
	uint32_t statement; /* index of the statement that it is a part of */
	uint32_t file;      /* index of the audit file */
	int64_t offset;     /* of its buffer */
	int32_t sequence;   /* sequence_number, from 1 */
	struct str action_id, class_type;
	bool succeeded;
	int32_t session_id, object_id;
	int64_t transaction_id; /* unique per statement */
	struct str session_principal, principal, db_user, server, database, schema, object;
	struct str statement_text, additional_information;
	int32_t user_defined_event_id;
	struct str user_defined_information;
	uint8_t sequence_group_id[16];
	uint8_t connection_id[16];
	struct str client_ip, application, host, session_context;
	int64_t duration_ms, response_rows, affected_rows;
};

struct world_statement { /* the truth */
	uint32_t first_row, row_count;
	int64_t request; /* index of the request that caused it, or -1 */
	enum world_expect expect;
	struct str why; /* "pooled session kept the context of another request" */
};

struct world_file {
	struct str name;   /* <audit>_<GUID>_0_<FILETIME>.sqlaudit */
	struct str folder; /* D:\audit\ */
	uint32_t first_row, row_count;
	int64_t size_bytes;
};

/* Makes a world; NULL without memory. The same options give the same bytes. */
struct world *world_new(const struct world_options *options);
void world_free(struct world *world);

/* Options of the demo and of most tests: 24 hours up to now_ns, all visible at once, incident, hostile text. */
struct world_options world_defaults(uint64_t seed, uint32_t request_count, int64_t now_ns);

/* The parts, as arrays. Requests are sorted by time, rows by file, offset, position. Borrowed for the world's life. */
const struct world_request *world_requests(const struct world *world, uint32_t *out_count);
const struct world_row *world_rows(const struct world *world, uint32_t *out_count);
const struct world_statement *world_statements(const struct world *world, uint32_t *out_count);
const struct world_file *world_files(const struct world *world, uint32_t *out_count);

/* The access log format template that the lines were written by, the audit's name, the server's name. */
struct str world_format(const struct world *world);
struct str world_audit(const struct world *world);
struct str world_server(const struct world *world);

/* The key with which signed contexts are signed; and the identity section (YAML) that describes the company's routes and logins. */
struct str world_signing_key(const struct world *world);
struct str world_identity_yaml(const struct world *world);

/* The incident in words for the demo, one fact a line; names used in it. */
struct world_story {
	struct str insider;             /* the user who exports customers through the API */
	struct str bypass_login;        /* the login that reads without a request */
	struct str table;               /* "crm.Customers" */
	struct str extended_request_id; /* one request worth showing */
};
struct world_story world_story(const struct world *world);

/* Writes the truth as JSON lines: {"transaction_id":..,"time":"..","session_id":..,"expect":"A","user":..,"route":..,
 * "extended_request_id":..,"why":..}. user, route and id only when a request caused it and its line was not lost; expect is
 * "any" for WORLD_ANY. Returns 0 or -1. */
int world_write_truth(const struct world *world, const char *path);

/* Writes the access log lines (in order of visibility) and the audit rows (in file order) as JSON lines, for imports. */
int world_write_access_log(const struct world *world, const char *path);
int world_write_audit_rows(const struct world *world, const char *path);

#endif
