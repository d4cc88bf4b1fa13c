/* tds - a SQL Server that knows one question: what does its audit say. TDS 7.4 over TLS, on loopback, for tests and the demo.
 *
 * Shape:   serves the audit files of a world through sys.fn_get_audit_file (or msdb.dbo.rds_fn_get_audit_file) and the catalog views
 *          that an audit collector asks. Not a SQL engine: SELECT over one of these with expressions, WHERE, ORDER BY, DISTINCT,
 *          TOP and joins; anything else is answered with the error of SQL Server.
 * Faults:  scriptable while it runs (tds_server_fault); they change what the next connections and answers do.
 *          querytrail-sim takes the same lines on its standard input, behind "sql ".
 * Limits:  256 connections at a time; a request of at most 16 MiB.
 * Threads: one for accept, one for each connection; the calls below may come from any thread.
 * Source:  [MS-TDS] 2.2; facts on SQL Server Audit in docs. Tests: tests/unit/tds-*.c, tests/integration/tds-*
 */
#ifndef TESTS_SIM_TDS_H
#define TESTS_SIM_TDS_H

#include "base/clock.h"
#include "base/error.h"
#include "tests/sim/world.h"

enum tds_encryption {
	TDS_ENCRYPTION_REQUIRED, /* a client that cannot is turned away */
	TDS_ENCRYPTION_OPTIONAL, /* TLS for all who can */
	TDS_ENCRYPTION_OFF,      /* never */
};

struct tds_server_options {
	const struct world *world; /* borrowed until tds_server_stop */
	struct clock clock;        /* decides which rows are visible */
	uint16_t port;             /* of 127.0.0.1; 0: a free one */
	const char *user;          /* the one login; NULL: "querytrail" */
	const char *password;      /* NULL: "Auditor-1" */
	enum tds_encryption encryption;
	const char *certificate_name; /* NULL: "localhost" and the address 127.0.0.1 */
	const char *
		ca_path; /* the authority's certificate is written here as PEM; NULL: not written */
	int release; /* 2008, 2012, 2016, 2017, 2019 or 2022 (also 0): which columns there are */
	bool rds;    /* Amazon RDS: rds_fn_get_audit_file alone may be used */
	bool rds_retention; /* a full file moves to \transmitted\; else it is gone from the server */
	bool base_names;    /* file_name without its folder */
	int queue_delay_ms; /* as the catalog says; 0 is 1000 */
};

struct tds_server;

/* Options of the demo: the world, the system's clock, everything else at its default. */
struct tds_server_options tds_server_defaults(const struct world *world);

/* Starts to serve. All texts of options are copied, the world is borrowed.
 * Returns 0 with the server and its port, or
 *   ERR_IO      no socket, no thread, or ca_path cannot be written
 *   ERR_CONFIG  a release that does not exist
 *   ERR_NOMEM */
int tds_server_start(const struct tds_server_options *options, struct tds_server **out_server,
		     uint16_t *out_port, struct error *err);

/* Closes all connections, waits for their threads, frees. NULL is fine. */
void tds_server_stop(struct tds_server *server);

/* Sets or clears a fault from one line of words: a name, then key=value pairs. `times=N` on any of them ends it after N uses
 * (else it stays until "clear"). What there is:
 *   clear                       no fault any more; deleted files stay deleted
 *   error number=N              the next audit reads fail with message N (33225, 33224, 33201; any other number too)
 *   skip row=N                  message 33226, severity 10, and the rest of the buffer of row N of the answer is left out
 *   login-failed                18456 although the password is right
 *   close rows=N                the connection is closed in the middle of row N of an answer
 *   silent when=W rows=N        says nothing more; W is prelogin, login, query or row (then after N rows)
 *   drip ms=N bytes=N           waits N ms before every `bytes` bytes
 *   packet bytes=N              TDS packets carry N bytes each (1 is allowed)
 *   write bytes=N               N bytes in each write to the socket
 *   bad-length where=W          a wrong length in: row, colmetadata, info, packet
 *   bad-token                   a token that does not exist stands before the first row
 *   no-encryption               says that it cannot encrypt
 *   bad-certificate kind=K      K is name (another host), ca (unknown authority) or expired
 *   deny object=NAME            message 300 for each question about NAME: dm_server_audit_status, server_file_audits, ...;
 *                               object=fn_get_audit_file: 300 for the reading itself
 *   freeze                      no row becomes visible any more
 *   delete-file index=N         audit file N (of the world) is gone; without index the oldest that is there
 *   transmit-file index=N       it moved to the folder transmitted
 *   gone                        stops listening and closes all connections; "back" listens again on the same port
 * Returns 0, or ERR_INPUT for a line that is none of these, ERR_IO when "back" cannot listen. */
int tds_server_fault(struct tds_server *server, struct str line, struct error *err);

/* What happened so far. */
struct tds_server_counts {
	uint64_t connections, logins, refused_logins, batches, rpcs, attentions, rows, errors;
};
struct tds_server_counts tds_server_counts(struct tds_server *server);

#endif
