/* auditserver - a SQL Server as the reader sees it: the auditdb over a connection.
 *
 * Columns: discovered at each new login (TOP (0) *), so that a newer server's columns come along; unknown ones as text.
 * Life:    the auditdb borrows from the server. Threads: one. Blocking: as the connection.
 * Tests:   tests/integration/sqlserver.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITSERVER_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITSERVER_H

#include "base/clock.h"
#include "collector/sources/sqlserver/auditdb.h"
#include "collector/sources/sqlserver/dbconnection.h"

struct auditserver;

/* Makes one; no connection yet. clock is for measuring the server's. Returns 0, ERR_CONFIG or ERR_NOMEM. */
int auditserver_new(const struct dbconnection_options *options, enum auditquery_adapter adapter,
		    struct clock clock, struct auditserver **out_server, struct error *err);
void auditserver_free(struct auditserver *server);

/* Its auditdb; borrowed. */
const struct auditdb *auditserver_auditdb(const struct auditserver *server);

/* Ends what blocks when fd becomes readable; <= 0: none. */
void auditserver_set_stop_fd(struct auditserver *server, int fd);

#endif
