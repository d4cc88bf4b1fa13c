/* bundle - a folder of evidence that can be checked without a store: files, and a manifest that names each of them.
 *
 * Shape:   for each leaf N: N.record (canonical bytes), N.salt (32 bytes; none when it was redacted), N.entry (what the log's tree is made of), N.tlog-proof, N.json (the
 *          record for people); and once: checkpoint, policy, README.txt, manifest-sha256.txt in the form of sha256sum -c.
 *          Where the checkpoint has time stamps: checkpoint.note (what was stamped) and ANCHOR.tsr.
 * Order:   the manifest comes last: a folder without one is not finished.
 * Errors:  ERR_CONFIG: the folder is not empty. ERR_IO, ERR_NOMEM.
 * Threads: one per thread. Blocking: disk. Source: docs/log.md. Tests: tests/unit/bundle.c
 */
#ifndef QUERY_BUNDLE_H
#define QUERY_BUNDLE_H

#include "base/buf.h"

#define BUNDLE_MANIFEST "manifest-sha256.txt"
#define BUNDLE_NAME_MAX 255

struct bundle {
	struct str dir; /* borrowed */
	struct buf manifest;
};

/* Makes the folder, which must be empty if it is there. */
int bundle_begin(struct bundle *bundle, const char *dir, struct error *err);

/* Writes a file. name is plain: no slash. */
int bundle_put(struct bundle *bundle, const char *name, struct str bytes, struct error *err);

/* Writes the manifest, when all else is on the disk. */
int bundle_end(struct bundle *bundle, struct error *err);

/* Frees; files stay. */
void bundle_done(struct bundle *bundle);

#endif
