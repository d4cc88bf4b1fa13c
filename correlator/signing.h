/* signing - the log's checkpoints as the daemon makes them: which keys, when, and what is not signed.
 *
 * When:    after a commit, `interval_ns` at the latest after the first record that no checkpoint covers, and when the daemon ends. What is signed is durable.
 * Keys:    the configuration's, or log.key in the store's folder, which is made with a new store. Keys that were not used before are told, so that a record says so.
 * Refusal: what was signed last must be what the store still holds, and each checkpoint extends the one before; else nothing is signed any more, and the store is not opened.
 * Errors:  signing_open: ERR_CONFIG (keys; another origin; the store lost or changed what was signed), ERR_CORRUPT, ERR_IO, ERR_NOMEM.
 * Threads: the daemon's. Blocking: disk. Tests: tests/unit/signing.c, tests/integration/log.py
 */
#ifndef CORRELATOR_SIGNING_H
#define CORRELATOR_SIGNING_H

#include "store/sign.h"
#include "store/store.h"

#define SIGNING_KEY_FILE "log.key" /* in the store's folder */

struct signing;

struct signing_options {
	struct store *store;
	const char *store_dir;
	const char *key_file, *next_key_file; /* NULL: none */
	int64_t interval_ns;
};

/* Opens the keys and looks at what was signed last. No transaction may be open. */
int signing_open(const struct signing_options *options, struct signing **out_signing,
		 struct error *err);
void signing_close(struct signing *signing); /* NULL is fine */

/* The origin, which is the name of all keys. */
const char *signing_origin(const struct signing *signing);

/* Whether keys sign that did not before: then the setting CHECKPOINTS_KEYS is to become *out_keys, and out_news is a sentence for a record. */
bool signing_news(struct signing *signing, struct buf *out_keys, struct buf *out_news);

/* Tells that something was committed; now_ns is monotonic. */
void signing_committed(struct signing *signing, int64_t now_ns);

/* When the next checkpoint is due, monotonic; INT64_MAX: nothing waits for one. */
int64_t signing_due_ns(const struct signing *signing);

/* Signs what is committed and stores the checkpoint. No transaction may be open.
 * Returns 0, ERR_INPUT (the log does not extend what was signed last: nothing was signed), ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int signing_run(struct signing *signing, struct error *err);

#endif
