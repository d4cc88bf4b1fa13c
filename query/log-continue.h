/* log-continue - goes on with a store that may not be signed any more, under a new origin and key, and says so in the log itself.
 *
 * When:    the store was put back from an older copy, its key is lost, or it was changed: querytraild refuses to sign it.
 * Does:    takes the writer's lock; keeps the old key file as FILE.NAME (slashes as -); makes a new key; in one transaction a LIFECYCLE record that names the old origin, size,
 *          root and why, the new origin, and the end of the refusal. What anchors have is forgotten, so that they begin anew. Checkpoints and receipts stay.
 * Errors:  ERR_CONFIG: a daemon runs. ERR_IO, ERR_CORRUPT, ERR_NOMEM.
 * Threads: one per process. Blocking: disk. Source: docs/log.md. Tests: tests/unit/cmd-log.c, tests/integration/log-continue.sh
 */
#ifndef QUERY_LOG_CONTINUE_H
#define QUERY_LOG_CONTINUE_H

#include "base/note.h"

struct log_continue {
	const char *dir;
	const char *key_file; /* NULL: log.key in dir */
	struct str store_key; /* as store_use_key; empty: none */
	const char *why;
	int64_t now_ns;
	char kept[4096];                /* set: where the old key is; empty: there was none */
	char origin[NOTE_NAME_MAX + 1]; /* set: the new one */
};

/* Does it. Returns 0 or an error; after one it may be done again. */
int log_continue(struct log_continue *work, struct error *err);

#endif
