/* logpolicy - the auditor's root of trust: which keys may sign the log, which witnesses there are, and how many of them must have signed.
 *
 * Shape:   lines: "log VKEY [URL]", "witness NAME VKEY [URL]", "group NAME any|all|K MEMBER..", "quorum NAME|none"; # begins a comment line, empty lines are fine.
 *          Names of witnesses and groups share one space and are declared before they are used; a quorum line stands exactly once.
 * Errors:  ERR_INPUT names the line.
 * Limits:  LOGPOLICY_MAX_BYTES; LOGPOLICY_KEYS_MAX logs, as many witnesses, as many groups.
 * Threads: pure. Blocking: never. Source: C2SP tlog-policy. Tests: tests/unit/logpolicy.c, tests/fuzz/logpolicy.c
 */
#ifndef BASE_LOGPOLICY_H
#define BASE_LOGPOLICY_H

#include "base/note.h"

#define LOGPOLICY_MAX_BYTES (256u << 10)
#define LOGPOLICY_KEYS_MAX  64

struct logpolicy;

/* Returns 0 and *out_policy, ERR_INPUT or ERR_NOMEM. */
int logpolicy_parse(struct str bytes, struct logpolicy **out_policy, struct error *err);
void logpolicy_free(struct logpolicy *policy); /* NULL is fine */

/* The keys that may sign the log. */
size_t logpolicy_logs(const struct logpolicy *policy);
const struct note_key *logpolicy_log(const struct logpolicy *policy, size_t index);

/* What a checked checkpoint is worth. */
struct logpolicy_verdict {
	struct note_checkpoint checkpoint; /* borrows from the note */
	const struct note_key *key;        /* of the log that signed */
	size_t witnesses;                  /* valid cosignatures of witnesses in the policy */
	int64_t witnessed_s;               /* the newest one's time; 0: none */
};

/* Checks a note by the policy: at least one log key signed it, no known key's signature is wrong, the origin is the signing key's name, and the quorum of witnesses
 * is there. Returns 0 or ERR_INPUT. */
int logpolicy_check(const struct logpolicy *policy, const struct note *note,
		    struct logpolicy_verdict *out, struct error *err);

#endif
