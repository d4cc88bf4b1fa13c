/* tds-certificate - certificates for the simulator, made when it starts: a good one and three that a client must refuse.
 *
 * Shape:   ECDSA P-256; a certificate authority, a server certificate under it, one of them for another host, one that has expired,
 *          and one under an authority that nobody knows. Keys never leave the process; only the authority's certificate is written.
 * Threads: made by one thread, then read-only; an SSL_CTX may be used by all.
 * Source:  OpenSSL 3.0; RFC 5280. Tests: tests/unit/tds-certificate.c
 */
#ifndef TESTS_SIM_TDS_CERTIFICATE_H
#define TESTS_SIM_TDS_CERTIFICATE_H

#include <openssl/ssl.h>

#include "base/error.h"

enum tds_certificate_kind {
	TDS_CERTIFICATE_GOOD,
	TDS_CERTIFICATE_WRONG_NAME,
	TDS_CERTIFICATE_UNKNOWN_CA,
	TDS_CERTIFICATE_EXPIRED,
	TDS_CERTIFICATE_KINDS,
};

struct tds_certificates {
	SSL_CTX *context[TDS_CERTIFICATE_KINDS]; /* servers of TLS 1.2, ready for SSL_new */
};

/* Makes all of them for the host `name` (NULL: localhost and 127.0.0.1) and writes the authority's certificate as PEM to ca_path
 * unless that is NULL. Returns 0, or ERR_IO (OpenSSL or the file failed); then out holds nothing to free. */
int tds_certificates_init(struct tds_certificates *out, const char *name, const char *ca_path,
			  struct error *err);
void tds_certificates_done(struct tds_certificates *certificates);

#endif
