/* dbhandler - what DB-Library and the server say while a call runs, kept for the one who made the call.
 *
 * Why:     DB-Library reports errors only through two handlers of the whole process, and a wrong return value of theirs ends the
 *          process. These always return INT_CANCEL, and keep the first real error: the server's own text before the library's.
 * Routing: by dbsetuserdata; during login, when a DBPROCESS has none yet, to the one that is logging in.
 * Threads: one. Blocking: never. Tests: tests/integration/sqlserver.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_DBHANDLER_H
#define COLLECTOR_SOURCES_SQLSERVER_DBHANDLER_H

#include "base/buf.h"
#include "base/error.h"

struct dbhandler {
	int message; /* number of the server's first error message, or 0 */
	int severity, state;
	int library; /* DB-Library's first error number, or 0 */
	int system;  /* errno with it, or 0 */
	bool timed_out;
	char text[ERROR_TEXT_MAX / 2]; /* of the message, else of the library's error */
	struct buf skipped;            /* texts of messages 33226, each ended by NUL */
	struct buf told; /* texts of other messages without an error, each ended by NUL */
};

/* Prepares an empty one. */
void dbhandler_init(struct dbhandler *handler);
void dbhandler_done(struct dbhandler *handler);

/* Forgets the error, not what was skipped or told. */
void dbhandler_clear(struct dbhandler *handler);

/* Sets both handlers of the process; to be called once before the first login. */
void dbhandler_install(void);

/* Says whose login runs now; NULL when it is over. */
void dbhandler_set_login(struct dbhandler *handler);

/* What a failed call means: fills err with what was kept and returns -ERR_AGAIN, AUTH, CONFIG or GONE (33224, 33225).
 *   where  "SQL Server db.example.com:1433" */
int dbhandler_error(const struct dbhandler *handler, const char *where, struct error *err);

#endif
