/* client - calls of AWS services: builds the request, signs it, corrects for a clock that is off, and reads errors.
 *
 * Rules:   a reply that says the signature is out of time is asked for once more, with the difference that the Date header shows; the
 *          difference is kept for later calls.
 * Secrets: neither Authorization nor the token appears in any error.
 * Threads: one per process. Blocking: client_call. Tests: tests/integration/cloudwatch-faults.py
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_CLIENT_H
#define COLLECTOR_SOURCES_CLOUDWATCH_CLIENT_H

#include "base/secret.h"
#include "collector/sources/cloudwatch/awserror.h"

#define ACCESS_KEY_MAX 129

struct credentials {
	char access_key_id[ACCESS_KEY_MAX]; /* "" : none */
	struct secret secret_key;
	struct secret session_token; /* empty: none */
	int64_t expires_ns;          /* 0: never */
	const char *from;            /* where they come from, for messages; static */
};

struct client {
	struct http *http;
	const char *ca_file; /* borrowed; NULL or "" : the system's */
	int64_t skew_ns;     /* their clock less ours */
};

struct client_call {
	const char *what; /* for messages: "FilterLogEvents on group x" */
	const char *service, *region, *url;
	const char *content_type;
	const char *target; /* X-Amz-Target; NULL: none */
	struct str body;
	const struct credentials *credentials; /* NULL: unsigned */
	int64_t now_ns;                        /* wall time */
	int64_t timeout_ns;
	int stop_fd;
};

/* Makes the call. Returns 0 for a good reply (out_reply, until the next call), else what http_send or awserror_of say; *out_kind
 * says which error of the service it was (AWSERROR_NONE for one of transport). */
int client_call(struct client *client, const struct client_call *call, struct http_reply *out_reply,
		enum awserror_kind *out_kind, struct error *err);

#endif
