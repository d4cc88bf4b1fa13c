/* tdslogin - one login to a SQL Server by FreeTDS, over TLS that is required and verified.
 *
 * How:     FreeTDS 1.3 takes TLS settings only from a configuration file, and the name in the certificate only from its host entry.
 *          So the file is written anew for each login into memory (memfd). When certificate_host differs from host, tlsprobe.h
 *          verifies chain and name first, and FreeTDS then accepts no certificate but that very one.
 * Errors:  ERR_AGAIN, ERR_AUTH, ERR_CONFIG, ERR_IO, ERR_NOMEM. What FreeTDS hides about TLS is asked for by a probe.
 * Threads: one; file and handlers are the process's. Blocking: until deadline_ns. Tests: tests/integration/sqlserver.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_TDSLOGIN_H
#define COLLECTOR_SOURCES_SQLSERVER_TDSLOGIN_H

#include "collector/sources/sqlserver/dbconnection.h"
#include "collector/sources/sqlserver/dbhandler.h"

struct tds_dblib_dbprocess; /* DBPROCESS */

struct tdslogin {
	const struct dbconnection_options *options;
	const char *where; /* "SQL Server host:port" */
	struct dbhandler *handler;
	int64_t deadline_ns; /* monotonic */
};

/* Removes from the environment what overrides the configuration, or has queries and rows written to a file. */
void tdslogin_clear_environment(void);

/* Whether the text can stand as a host in FreeTDS's file: it has no comment sign, second word or line in it. */
bool tdslogin_is_host(const char *host);

/* Logs in. *out_process is to be closed by dbclose. */
int tdslogin_open(const struct tdslogin *login, struct tds_dblib_dbprocess **out_process,
		  struct error *err);

#endif
