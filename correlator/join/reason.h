/* reason - why a verdict is what it is, in sentences that an auditor understands.
 *
 * Rules:   a sentence depends on nothing but the records; the same case gives the same bytes in each run.
 * Threads: pure. Tests: tests/unit/reason.c
 */
#ifndef CORRELATOR_JOIN_REASON_H
#define CORRELATOR_JOIN_REASON_H

#include <stddef.h>
#include <stdint.h>

#define REASON_TEXT_MAX 256

enum reason {
	REASON_NONE,
	/* A and B */
	REASON_GATEWAY_ID,
	REASON_SIGNED,
	REASON_LAMBDA_ID,
	/* C */
	REASON_SOON_AFTER,     /* detail: ns since the end */
	REASON_SHORTLY_BEFORE, /* detail: ns until the start */
	REASON_NO_LATENCY,
	REASON_SAME_BATCH,
	REASON_HISTORY,
	REASON_CALLER_ID,
	REASON_COMMENT,
	REASON_UNSIGNED,
	/* X */
	REASON_BAD_SIGNATURE,
	REASON_REUSED,
	REASON_IDS_DIFFER,
	REASON_CARRIERS_DIFFER,
	REASON_LONG_AFTER,  /* detail: ns since the end */
	REASON_LONG_BEFORE, /* detail: ns until the start */
	REASON_PRINCIPAL,
	REASON_LOGIN_ROUTE,
	/* U1 */
	REASON_NO_CONTEXT,
	REASON_NEVER_ARRIVED,
	REASON_APPLICATION_UNKNOWN,
	REASON_REPLACED_ID,
	REASON_LOGIN,
	REASON_LOGOUT,
	REASON_CLEARS,
	/* U2 */
	REASON_NO_STATEMENT,
	REASON_REFUSED, /* detail: status */
	REASON_FAILED,  /* detail: status */
	REASON_CONTRADICTED,
	REASON_COUNT,
};

/* The sentence, written into out with a NUL when it holds a detail, else static. */
const char *reason_text(enum reason reason, int64_t detail, char out[REASON_TEXT_MAX]);

#endif
