/* tlsprobe - what is wrong with the TLS of a SQL Server, in words: FreeTDS only says that the login failed.
 *
 * How:     one connection of its own: PRELOGIN that asks for encryption, the TLS handshake inside PRELOGIN packets, verification by
 *          OpenSSL, and no login. It also gives the server's certificate, so that a later connection can insist on this very one.
 * Errors:  ERR_CONFIG  the server does not offer encryption, or its certificate has another name, an unknown issuer, or is out of
 *                      date: which of them, and what it has
 *          ERR_AGAIN   no connection, silence, a reply that is not TDS
 * Threads: one. Blocking: until deadline_ns. Source: [MS-TDS] 2.2.6.5 (PRELOGIN). Tests: tests/integration/sqlserver.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_TLSPROBE_H
#define COLLECTOR_SOURCES_SQLSERVER_TLSPROBE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct tlsprobe_target {
	const char *host;
	uint16_t port;
	const char *name;    /* to be in the certificate: a host name or an address */
	const char *ca_file; /* PEM */
	int64_t deadline_ns; /* monotonic */
};

/* Returns 0 when the server's certificate is valid for the name; out_pem (may be NULL) then gets the certificate appended. */
int tlsprobe_run(const struct tlsprobe_target *target, struct buf *out_pem, struct error *err);

#endif
