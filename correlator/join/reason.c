#include "correlator/join/reason.h"

#include <stdio.h>

enum detail { PLAIN, SPAN, NUMBER };

static const struct {
	const char *text;
	enum detail detail;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = {"", PLAIN},
	[REASON_GATEWAY_ID] = {"the id that only the gateway sets travelled with the statement",
			       PLAIN},
	[REASON_SIGNED] =
		{"the context is signed by the application, and its id matches one request", PLAIN},
	[REASON_LAMBDA_ID] =
		{"the id of the Lambda invocation, which the gateway logged, travelled "
		 "with the statement",
		 PLAIN},
	[REASON_SOON_AFTER] =
		{"the context belongs to a request that had ended %s before; a pooled "
		 "session may have kept it",
		 SPAN},
	[REASON_SHORTLY_BEFORE] =
		{"the statement ran %s before its request began; check the clocks", SPAN},
	[REASON_NO_LATENCY] = {"the access log has no latency, so nobody knows whether the request "
			       "was still running; add $context.responseLatency to its format",
			       PLAIN},
	[REASON_SAME_BATCH] = {"the session's context changed at about this time; the statement "
			       "may belong to another "
			       "request",
			       PLAIN},
	[REASON_HISTORY] = {"earlier rows of this session may still be missing", PLAIN},
	[REASON_CALLER_ID] = {"only requestId matched, which a caller may choose", PLAIN},
	[REASON_COMMENT] = {"the id stands in a comment, which whoever writes the SQL can forge",
			    PLAIN},
	[REASON_UNSIGNED] = {"the context has no valid signature, which the configuration asks for",
			     PLAIN},
	[REASON_BAD_SIGNATURE] = {"the signature of the context is wrong: it was forged or altered",
				  PLAIN},
	[REASON_REUSED] = {"several different requests bear this id, so it names none", PLAIN},
	[REASON_IDS_DIFFER] = {"the ids of the context belong to different requests", PLAIN},
	[REASON_CARRIERS_DIFFER] =
		{"the session's context and another carrier of the statement name "
		 "different requests",
		 PLAIN},
	[REASON_LONG_AFTER] =
		{"the context belongs to a request that had ended %s before; a pooled "
		 "session kept it",
		 SPAN},
	[REASON_LONG_BEFORE] = {"the statement ran %s before the request that its context names",
				SPAN},
	[REASON_PRINCIPAL] = {"the context names another user than the request", PLAIN},
	[REASON_LOGIN_ROUTE] = {"the login is none that the route of the request may use", PLAIN},
	[REASON_NO_CONTEXT] = {"the statement carries no request context", PLAIN},
	[REASON_NEVER_ARRIVED] = {"the context names a request that never arrived", PLAIN},
	[REASON_APPLICATION_UNKNOWN] = {"the application name holds an id that no request bears",
					PLAIN},
	[REASON_REPLACED_ID] =
		{"the context names only a request id that the caller made up and the "
		 "gateway replaced",
		 PLAIN},
	[REASON_LOGIN] = {"a login belongs to no request", PLAIN},
	[REASON_LOGOUT] = {"a logout belongs to no request", PLAIN},
	[REASON_CLEARS] = {"it only clears the session's context, which belongs to no request",
			   PLAIN},
	[REASON_NO_STATEMENT] = {"no statement came for this request", PLAIN},
	[REASON_REFUSED] =
		{"the request was refused with status %d; such requests run no statement", NUMBER},
	[REASON_FAILED] = {"the request failed with status %d, and no statement came for it",
			   NUMBER},
	[REASON_CONTRADICTED] =
		{"statements bear this request's id, but contradict it or each other", PLAIN},
};

static void span_text(int64_t span_ns, char out[32])
{
	int64_t ms = span_ns / 1000000;
	if (ms < 1000) {
		(void)snprintf(out, 32, "%d ms", (int)ms); /* 32 bytes hold each of these */
	} else if (ms < 60000) {
		(void)snprintf(out, 32, "%d.%d s", (int)(ms / 1000), (int)(ms % 1000 / 100));
	} else if (ms < 3600000) {
		(void)snprintf(out, 32, "%d min %d s", (int)(ms / 60000), (int)(ms % 60000 / 1000));
	} else if (ms < 86400000) {
		(void)snprintf(out, 32, "%d h %d min", (int)(ms / 3600000),
			       (int)(ms % 3600000 / 60000));
	} else {
		(void)snprintf(out, 32, "%d days", (int)(ms / 86400000));
	}
}

/* Copies text with its %s or %d replaced: a format that is no literal would escape the compiler's checks. */
static void fill(const char *text, const char *value, char out[REASON_TEXT_MAX])
{
	size_t at = 0;
	for (; *text != '\0' && at + 1 < REASON_TEXT_MAX; text++) {
		if (*text != '%') {
			out[at++] = *text;
			continue;
		}
		text++;
		for (const char *from = value; *from != '\0' && at + 1 < REASON_TEXT_MAX; from++) {
			out[at++] = *from;
		}
	}
	out[at] = '\0';
}

const char *reason_text(enum reason reason, int64_t detail, char out[REASON_TEXT_MAX])
{
	char value[32];
	switch (reasons[reason].detail) {
	case PLAIN:
		return reasons[reason].text;
	case SPAN:
		span_text(detail, value);
		break;
	case NUMBER:
		(void)snprintf(value, sizeof value, "%d", (int)detail); /* fits */
		break;
	}
	fill(reasons[reason].text, value, out);
	return out;
}
