/* sigv4 - checks the AWS Signature Version 4 of a request, as the service would.
 *
 * Shape:   a request as it came over the wire; the answer says which of AWS's refusals it earns.
 * Trust:   written apart from the collector's signer on purpose: the two must agree only through AWS's specification.
 * Threads: pure. Blocking: never.
 * Source:  AWS "Create a signed AWS API request" and its test suite. Tests: tests/unit/sigv4.c
 */
#ifndef TESTS_SIM_SIGV4_H
#define TESTS_SIM_SIGV4_H

#include "base/buf.h"

#include <stdint.h>

#define SIGV4_HEADERS_MAX 64
#define SIGV4_SKEW_NS     (INT64_C(300) * 1000000000)

struct sigv4_header {
	struct str name, value; /* as received */
};

struct sigv4_request {
	struct str method;
	struct str target; /* the request target: path and query, raw */
	struct str body;
	struct sigv4_header header[SIGV4_HEADERS_MAX];
	size_t header_count;
};

struct sigv4_claim { /* what the Authorization header says; borrows from it */
	struct str access_key, date, region, service, terminator; /* of the credential scope */
	struct str signed_headers, signature;
	struct str time;  /* X-Amz-Date */
	struct str token; /* X-Amz-Security-Token; empty: none */
};

enum sigv4_result {
	SIGV4_OK,
	SIGV4_MISSING, /* no Authorization header */
	SIGV4_MALFORMED, /* a part is missing, doubled or in a wrong form, or a header that must be signed is not */
	SIGV4_SKEWED,   /* the time differs from now_ns by more than five minutes */
	SIGV4_SCOPE,    /* date, region, service or terminator of the scope is another one */
	SIGV4_MISMATCH, /* everything is there, but the signature is another one */
};

/* The value of a header by name in any case; ptr NULL when there is none. */
struct str sigv4_header(const struct sigv4_request *request, const char *name);

/* Reads the claim: SIGV4_OK, SIGV4_MISSING or SIGV4_MALFORMED. */
enum sigv4_result sigv4_read(const struct sigv4_request *request, struct sigv4_claim *out_claim);

struct sigv4_expect {
	struct str secret_key;
	struct str region, service;
	int64_t now_ns;
};

/* Checks time, scope and signature of a claim that sigv4_read gave. */
enum sigv4_result sigv4_check(const struct sigv4_request *request, const struct sigv4_claim *claim,
			      const struct sigv4_expect *expect);

/* Appends the canonical request, for tests and for the message of a mismatch. */
void sigv4_put_canonical(const struct sigv4_request *request, struct str signed_headers,
			 struct buf *out);

#endif
