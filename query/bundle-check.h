/* bundle-check - whether a folder of evidence (query/bundle.h) holds: every file is the manifest's, the checkpoint is signed by keys of a policy, and each record is a
 * leaf of the tree that was signed.
 *
 * Trust:   of the policy alone. The one in the folder came with the evidence, so it only shows that the folder is whole; the auditor brings his own.
 * Errors:  ERR_INPUT names the first file that is wrong, and what is wrong with it. ERR_IO, ERR_NOMEM.
 * Threads: one per thread. Blocking: reads files. Source: docs/log.md. Tests: tests/unit/bundle-check.c, tests/integration/verify-it-yourself.sh
 */
#ifndef QUERY_BUNDLE_CHECK_H
#define QUERY_BUNDLE_CHECK_H

#include "base/logpolicy.h"

struct bundle_checked {
	uint64_t files, records,
		redacted; /* files of the manifest; records of which a proof holds */
	uint64_t size;    /* of the tree that was signed */
	char origin[NOTE_NAME_MAX + 1];
	size_t witnesses;    /* valid cosignatures */
	int64_t witnessed_s; /* of the newest; 0: none */
	bool own_policy;     /* the folder's */
	struct buf unknown;  /* files that nothing vouches for, a name a line */
};

/* Checks a folder.
 *   policy  a file; NULL: the folder's
 * Returns 0, also when there are unknown files, or an error. *out must be done either way. */
int bundle_check(const char *dir, const char *policy, struct bundle_checked *out,
		 struct error *err);
void bundle_checked_done(struct bundle_checked *checked);

#endif
