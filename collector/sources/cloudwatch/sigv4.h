/* sigv4 - AWS Signature Version 4 of one HTTP request.
 *
 * Shape:   the request as it will be sent, but path and query unescaped; out comes the value of the Authorization header.
 * Rules:   all headers given are signed; Host and X-Amz-Date must be among them. The path is normalised (no dot segments, no
 *          empty ones) and escaped once, as for every service but S3; repeated headers are joined by a comma.
 * Limits:  SIGV4_HEADERS_MAX headers, SIGV4_PARAMS_MAX query parameters.
 * Secrets: intermediate keys are wiped; nothing of the secret is in any output.
 * Threads: pure. Blocking: never.
 * Source:  AWS "Signature Version 4 signing process". Tests: tests/unit/cloudwatch-sigv4.c (AWS's vectors)
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_SIGV4_H
#define COLLECTOR_SOURCES_CLOUDWATCH_SIGV4_H

#include "base/buf.h"

#include <stdint.h>

#define SIGV4_HEADERS_MAX 32
#define SIGV4_PARAMS_MAX  64
#define SIGV4_DATE_CHARS  17 /* "20150830T123600Z" and its NUL */

struct sigv4_header {
	struct str name, value;
};

struct sigv4_request {
	const char *method;
	struct str path;  /* unescaped; empty: "/" */
	struct str query; /* unescaped, without the question mark */
	const struct sigv4_header *headers;
	size_t header_count;
	struct str body;
};

struct sigv4_scope {
	const char *region, *service;
	int64_t time_ns;
};

struct sigv4_key {
	struct str access_key_id, secret_key;
};

/* The text of X-Amz-Date for a time. */
void sigv4_date(int64_t time_ns, char out[SIGV4_DATE_CHARS]);

/* Appends the canonical request. Returns 0, or ERR_LIMIT for too many headers or parameters. */
int sigv4_canonical_request(const struct sigv4_request *request, struct buf *out,
			    struct error *err);

/* Appends the string to sign. Errors as above. */
int sigv4_string_to_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
			 struct buf *out, struct error *err);

/* Appends the value of the Authorization header. Errors as above. */
int sigv4_authorization(const struct sigv4_request *request, const struct sigv4_scope *scope,
			const struct sigv4_key *key, struct buf *out, struct error *err);

#endif
