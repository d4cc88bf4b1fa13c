/* tds-reply - the answer to one request on its way out: a sink for results that writes tokens, and misbehaves as told.
 *
 * Shape:   a reply is begun, filled by the sink's calls, and ended; then status says how the session goes on.
 * Threads: one. Blocking: while the client does not read.
 * Source:  [MS-TDS] 2.2.7. Tests: tests/unit/tds-session.c
 */
#ifndef TESTS_SIM_TDS_REPLY_H
#define TESTS_SIM_TDS_REPLY_H

#include "tests/sim/tds-link.h"
#include "tests/sim/tds-select.h"

struct tds_reply {
	struct tds_link *link;
	struct tds_service *service;
	struct tds_facts *facts; /* USE changes the database */
	struct buf token;
	bool procedure; /* answers an RPC: DONEINPROC, RETURNSTATUS, DONEPROC */
	bool attention; /* the client has asked to stop */
	int status;     /* 0, or the ERR_* after which the session is over */
	uint64_t rows;
	int64_t close_at, silent_at; /* row numbers; -1: no such fault */
	struct error error;
};

/* Begins a reply and sets the link's pace from the faults. */
void tds_reply_begin(struct tds_reply *reply, struct tds_link *link, struct tds_service *service,
		     struct tds_facts *facts);

/* The sink that writes into the reply. */
struct tds_sink tds_reply_sink(struct tds_reply *reply);

/* Sends what is in reply->token, which is then empty. False when the client is gone. */
bool tds_reply_send(struct tds_reply *reply);

/* Sends the rest; after an ATTENTION its DONE. Frees. Returns 0, or a negative ERR_*: then the session is over. */
int tds_reply_end(struct tds_reply *reply);

#endif
