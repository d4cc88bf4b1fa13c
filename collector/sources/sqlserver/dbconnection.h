/* dbconnection - one login to a SQL Server by DB-Library, and one query on it at a time.
 *
 * Login:   tdslogin.h.
 * Deadline: of connection_set_deadline, for all that blocks; checked each second while the server is silent, and at each row.
 * Queries: sp_executesql with bound parameters. Rows are read in order; a query that is not read to its end is ended by
 *          connection_stop.
 * Errors:  ERR_AGAIN (away, closed, late), ERR_AUTH, ERR_CONFIG, ERR_GONE (33224, 33225), ERR_INPUT (an answer of another form),
 *          ERR_CANCELLED (stop_fd), ERR_NOMEM. After any of them but those that the server gave as a message on a connection
 *          that lives on, the connection is closed and the next connection_begin makes a new one.
 * Process: DB-Library's handlers and configuration file are of the whole process: one connection at a time.
 * Threads: one. Source: FreeTDS 1.3 user guide and sources. Tests: tests/integration/sqlserver.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_DBCONNECTION_H
#define COLLECTOR_SOURCES_SQLSERVER_DBCONNECTION_H

#include "collector/sources/sqlserver/sqlrow.h"

#include <stdint.h>

struct dbconnection_options { /* texts are borrowed for the connection's life; NULL or "" where not configured */
	const char *host;
	uint16_t port;
	const char *user, *password_file, *database;
	const char *ca_file; /* none: the system's */
	const char *certificate_host;
	bool encrypt;
	int64_t timeout_ns; /* of a login and of each query */
};

struct dbconnection;

/* Makes one, without connecting. Returns 0, ERR_CONFIG (a host that cannot be written into a configuration file) or ERR_NOMEM. */
int dbconnection_new(const struct dbconnection_options *options, struct dbconnection **out,
		     struct error *err);
void dbconnection_free(struct dbconnection *connection);

/* Nothing on it takes longer than until then (monotonic), and it ends when stop_fd becomes readable (<= 0: none). */
void dbconnection_set_deadline(struct dbconnection *connection, int64_t deadline_ns, int stop_fd);

/* Logs in unless it is. Sets *out_is_new when it had to. */
int dbconnection_begin(struct dbconnection *connection, bool *out_is_new, struct error *err);

/* A bound parameter: nvarchar, or bigint when is_number. */
struct dbconnection_parameter {
	const char *name; /* "@p" */
	bool is_number;
	int64_t number;
	struct str text; /* UTF-8; empty: NULL */
};

/* Sends the text and waits for the first row set. Its columns are described afterwards. */
int dbconnection_query(struct dbconnection *connection, struct str text,
		       const struct dbconnection_parameter *parameters, size_t parameter_count,
		       struct error *err);

/* The next row. Returns 1, 0 at the clean end (all results were read), or an error. */
int dbconnection_next_row(struct dbconnection *connection, struct error *err);

/* Ends a query before its end; harmless without one. */
void dbconnection_stop(struct dbconnection *connection);

/* Columns of the present row set: how many, and name and natural shape of one. A name that is too long is cut. */
size_t dbconnection_column_count(const struct dbconnection *connection);
void dbconnection_column(const struct dbconnection *connection, size_t index,
			 struct auditquery_column *out);

/* Whether the column can be read as this shape: text as UTF-16 bytes comes as binary. */
bool dbconnection_column_fits(const struct dbconnection *connection, size_t index,
			      enum auditquery_shape shape);

/* The cell of the present row, which fits the shape; it borrows until the next row. */
void dbconnection_cell(const struct dbconnection *connection, size_t index,
		       enum auditquery_shape shape, struct sqlrow_cell *out);

/* The cell as UTF-8 text (catalog views, which come as text); empty for NULL. Borrows until the next row. */
struct str dbconnection_text(const struct dbconnection *connection, size_t index);

/* Messages that are no errors, since the last call: moves texts, each ended by NUL, to the end of the bufs. */
void dbconnection_take_messages(struct dbconnection *connection, struct buf *skipped,
				struct buf *told);

#endif
