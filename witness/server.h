/* server - the witness's HTTP: POST /add-checkpoint, and nothing else.
 *
 * Order:   one thread serves all, one request after the other; slow clients hold up nobody.
 * Limits:  REQUEST_MAX_BYTES a body, SERVER_CLIENTS connections, of which SERVER_CLIENTS_EACH from one address, SERVER_IDLE_S without a byte, SERVER_BODY_NS for a body.
 * Errors:  ERR_CONFIG: the address is none. ERR_IO: it cannot be listened at.
 * Threads: start and stop from one thread. Blocking: stop. Source: C2SP tlog-witness v1.0.0; libmicrohttpd 0.9.75. Tests: tests/integration/witness.py
 */
#ifndef WITNESS_SERVER_H
#define WITNESS_SERVER_H

#include "witness/witness.h"

#define SERVER_CLIENTS      256
#define SERVER_CLIENTS_EACH 64
#define SERVER_IDLE_S       10
#define SERVER_BODY_NS      INT64_C(30000000000)

struct server;

/* Listens at "ADDRESS:PORT" ("[::1]:8080"; port 0: any that is free). *out_port is where. */
int server_start(struct witness *witness, const char *listen, struct server **out_server,
		 unsigned *out_port, struct error *err);
void server_stop(struct server *server); /* NULL is fine */

#endif
