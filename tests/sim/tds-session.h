/* tds-session - one client from its PRELOGIN to its end.
 *
 * Shape:   PRELOGIN, TLS, LOGIN7, then batches and sp_executesql calls, each answered before the next is read; ATTENTION stops an answer.
 * Faults:  those of the wire (close, silent, drip, packet, write, bad-length, bad-token) are done here, when they are set.
 * Threads: one for each session. Blocking: until the client goes or tds_link_shut.
 * Source:  [MS-TDS] 3.3.5 (server states). Tests: tests/unit/tds-session.c, tests/integration/tds-tsql.sh
 */
#ifndef TESTS_SIM_TDS_SESSION_H
#define TESTS_SIM_TDS_SESSION_H

#include "tests/sim/tds-service.h"

/* Serves the client behind fd (which is taken over) as session number spid. */
void tds_session_run(struct tds_service *service, int fd, int16_t spid);

#endif
