/* context - the request context that a statement carries, in whichever of its spellings.
 *
 * Shape:   "qt1 x=<extendedRequestId> l=<Lambda request id> r=<requestId> p=<principal, percent-encoded> t=<unix ms>
 *          s=<base64url HMAC-SHA256 over all before ' s='>": one line, pairs separated by one space; at least one of x l r.
 *          Also read: a leading or trailing comment with request_id=ID, request_id='..', traceparent='..' (sqlcommenter,
 *          percent-encoded), and ids named by the configuration.
 * Limits:  a value <= CONTEXT_MAX bytes; an id <= CONTEXT_ID_MAX bytes of printable ASCII.
 * Life:    texts borrow from the input, or from the struct itself (decoded) where the input spells them in another way (%3D, hex,
 *          doubled quotes): use them while both live, and do not copy the struct by value.
 * Threads: pure. Blocking: never.
 * Source:  docs/format.md section 3. Tests: tests/unit/context.c, tests/fuzz/context.c
 */
#ifndef MODEL_CONTEXT_H
#define MODEL_CONTEXT_H

#include "base/str.h"

#include <stdint.h>

#define CONTEXT_MAX           4000
#define CONTEXT_ID_MAX        128
#define CONTEXT_PRINCIPAL_MAX 512
#define CONTEXT_DECODED_MAX   512

enum context_signature {
	CONTEXT_UNSIGNED,
	CONTEXT_SIGNED, /* carries s=, not checked (no key) */
	CONTEXT_SIGNATURE_OK,
	CONTEXT_SIGNATURE_BAD,
};

struct context {
	struct str extended_request_id; /* x */
	struct str lambda_request_id;   /* l */
	struct str request_id;          /* r, or a bare request_id= */
	struct str trace_id;            /* of a traceparent */
	char principal[CONTEXT_PRINCIPAL_MAX];
	size_t principal_len;
	int64_t time_ms; /* t, or 0 */
	enum context_signature signature;
	char decoded[CONTEXT_DECODED_MAX]; /* ids that the input spells in another way */
	size_t decoded_len;
};

/* Finds and reads the first context value ("qt1 ...") in text, which may hold more around it (JSON, XML, key=value).
 *   key  of the signature; empty when none is configured
 * Returns false when there is none or it is malformed; *out_context untouched. */
bool context_parse(struct str text, struct str key, struct context *out_context);

/* Reads the context that a statement carries in its first leading or its last trailing comment (leading first). The comment
 * may be a block or a line comment. Comments inside the statement and text inside string literals never count. */
bool context_from_comment(struct str statement, struct str key, struct context *out_context);

/* Reads the context that a statement sets for its session: EXEC sp_set_session_context with key querytrail, or SET CONTEXT_INFO
 * with hexadecimal text of a context value. *out_clears is true when it sets the key to NULL, to an empty value, or to one
 * that can't be read here (a parameter), so that an earlier one no longer holds (then false is returned). The call may be one of
 * several statements in the batch; its place is the batch's, and the last one counts. CONTEXT_INFO of others changes nothing. */
bool context_from_set(struct str statement, struct str key, struct context *out_context,
		      bool *out_clears);

/* Appends the context value, signed when key is not empty. For tests, simulators and middleware checks. */
struct buf;
void context_put(const struct context *context, struct str key, struct buf *out);

#endif
