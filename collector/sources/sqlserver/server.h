/* server - a SQL Server as the reader sees it: the auditdb over a connection.
 *
 * Columns: discovered at each new login (TOP (0) *), so that a newer server's columns come along; unknown ones as text.
 * Life:    the auditdb borrows from the server. Threads: one. Blocking: as the connection.
 * Tests:   tests/integration/sqlserver-source.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_SERVER_H
#define COLLECTOR_SOURCES_SQLSERVER_SERVER_H

#include "collector/sources/sqlserver/auditdb.h"
#include "collector/sources/sqlserver/connection.h"

struct server;

/* Makes one; no connection yet. clock is for measuring the server's. Returns 0, ERR_CONFIG or ERR_NOMEM. */
int server_new(const struct connection_options *options, enum query_adapter adapter,
	       struct clock clock, struct server **out_server, struct error *err);
void server_free(struct server *server);

/* Its auditdb; borrowed. */
const struct auditdb *server_auditdb(const struct server *server);

/* Ends what blocks when fd becomes readable; <= 0: none. */
void server_set_stop_fd(struct server *server, int fd);

#endif
