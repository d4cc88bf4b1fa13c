/* client - asks querytrail-serve to run a command and passes its answer on.
 *
 * Threads: one per process. Blocking: until serve has answered.
 * Source:  docs/format.md section 8. Tests: tests/unit/client.c, tests/integration/serve.sh
 */
#ifndef QUERY_CLIENT_H
#define QUERY_CLIENT_H

#include "query/session.h"

/* Sends the command line and the surroundings over query.sock of the configuration's runtime folder; writes what comes back.
 * Returns the exit status, or -ERR_GONE / -ERR_IO with err when serve cannot be asked. */
int client_ask(struct session *session, int argc, char *const *argv, struct error *err);

#endif
