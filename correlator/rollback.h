/* rollback - whether this store is behind what already left the host: it was put back from an older copy, or changed.
 *
 * Shape:   an anchor's folder holds checkpoints that this store signed (correlator/notify/anchor-file.c); the newest one must be a tree that the store's begins with.
 * Refusal: the setting ROLLBACK_KEY: "WHO SIZE ROOT TIME SENTENCE", ROOT in Base64 or -. While it stands nothing is signed. `querytrail log continue` takes it away and
 *          goes on under another origin.
 * Errors:  ERR_CONFIG: the store is behind. ERR_CORRUPT, ERR_IO, ERR_NOMEM.
 * Threads: as the store. Blocking: disk. Source: docs/anchors.md. Tests: tests/unit/rollback.c
 */
#ifndef CORRELATOR_ROLLBACK_H
#define CORRELATOR_ROLLBACK_H

#include "base/config.h"
#include "base/note.h"
#include "store/log/checkpoints.h"

#define ROLLBACK_KEY        CHECKPOINTS_REFUSED
#define ROLLBACK_NAME_BYTES 20 /* digits of the file's name */
#define ROLLBACK_SUFFIX     ".checkpoint"

/* The newest checkpoint in an anchor's folder.
 *   out_path  cleared first; its file
 *   out_note  cleared first; what is in it
 * Returns 0, ERR_GONE (none, or no such folder), ERR_IO or ERR_NOMEM. */
int rollback_newest(const char *folder, struct buf *out_path, struct buf *out_note,
		    struct error *err);

/* Compares the store with a folder. Checkpoints of another origin say nothing of this log.
 * Returns 0, ERR_CONFIG (the store is behind, or has another tree: err says what and what to do), or an error. */
int rollback_check_folder(struct store *store, const char *origin, const char *folder,
			  struct error *err);

/* The same with each folder among the anchors of a configuration. What cannot be read is no reason to refuse: it is told through the log. */
int rollback_check(struct store *store, const char *origin, const struct config *config,
		   struct error *err);

/* Who has seen what. */
struct rollback_finding {
	const char *who; /* an anchor's name */
	uint64_t size;
	const struct merkle_hash *root; /* NULL: not known */
	const char *sentence;
};

/* Writes the refusal; an earlier one stays. */
int rollback_refuse(struct store *store, const struct rollback_finding *finding, int64_t now_ns,
		    struct error *err);

/* Whether one stands; out_text is cleared first. Returns 0, ERR_GONE (none) or an error. */
int rollback_refused(struct store *store, struct buf *out_text, struct error *err);

#endif
