/* http - one HTTP request at a time over one connection.
 *
 * Rules:   TLS 1.2 or newer, certificate and name verified; no redirects, no proxy for http (for https the one that $https_proxy names), no
 *          cookies, no compression asked for. Headers are sent exactly as given (nothing of libcurl's own but Host).
 * Limits:  a reply's body <= HTTP_BODY_MAX; the time limit of each request.
 * Life:    a reply borrows from the http until its next request.
 * Threads: one per process. Blocking: http_send, until timeout_ns or stop_fd.
 * Tests:   tests/integration/cloudwatch-faults.py
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_HTTP_H
#define COLLECTOR_SOURCES_CLOUDWATCH_HTTP_H

#include "base/buf.h"

#include <stdint.h>

#define HTTP_BODY_MAX   (16u << 20)
#define HTTP_HEADER_MAX 24

struct http;

struct http_request {
	const char *method; /* "POST" */
	const char *url;
	const char *const *headers; /* "Name: value", without line ends; header_count of them */
	size_t header_count;
	struct str body;
	const char *ca_file; /* NULL or "": $AWS_CA_BUNDLE, else the system's */
	int64_t timeout_ns;
	int stop_fd; /* readable: give up with ERR_CANCELLED; <= 0: none */
};

struct http_reply {
	long status;
	struct str body;
	const char *error_type; /* x-amzn-ErrorType, "" when absent */
	int64_t date_ns;        /* Date, 0 when absent or unreadable */
};

/* Returns 0 or ERR_NOMEM. */
int http_new(struct http **out_http, struct error *err);
void http_free(struct http *http);

/* Sends the request and reads the whole reply, whatever its status is.
 * Returns 0, or
 *   ERR_AGAIN      no connection, a connection that broke, a time limit, half a body
 *   ERR_CONFIG     the URL, the CA file, or the certificate is not acceptable
 *   ERR_INPUT      the body is larger than HTTP_BODY_MAX, or no HTTP
 *   ERR_CANCELLED  stop_fd */
int http_send(struct http *http, const struct http_request *request, struct http_reply *out_reply,
	      struct error *err);

/* Overwrites and frees the body of the last reply, which held secrets. */
void http_wipe(struct http *http);

#endif
