/* anchor - a place outside this host that takes the log's checkpoints: the contract of an anchor type, what it is given, and what it answers.
 *
 * Shape:   one struct anchor_type per kind, one file each, one row in the table of anchor.c. Whose turn it is and what an answer means for the log is the daemon's business
 *          (correlator/anchoring.h).
 * Trust:   what an anchor says is only believed as far as it proves it: signatures are verified before they count as taken.
 * Errors:  open: ERR_CONFIG, ERR_NOMEM. send never fails otherwise than by its reply.
 * Threads: an anchor is used by one thread at a time. Blocking: send, up to the timeout, less when *stop becomes true.
 * Source:  docs/anchors.md. Tests: tests/unit/notify-anchor.c, tests/integration/anchors.py
 */
#ifndef CORRELATOR_NOTIFY_ANCHOR_H
#define CORRELATOR_NOTIFY_ANCHOR_H

#include "base/note.h"
#include "correlator/notify/channel.h"

/* A checkpoint on its way. */
struct anchor_task {
	uint64_t size, old_size;
	struct str note;  /* borrowed */
	struct str proof; /* hashes, borrowed; from old_size */
};

struct anchor_reply {
	enum feed_anchored outcome;
	uint64_t known_size; /* OTHER_SIZE, AHEAD: what it has */
	struct buf receipt;  /* TAKEN: what proves it; may be empty */
	char text[CHANNEL_TEXT_MAX];
};

struct anchor;

struct anchor_type {
	const char *name; /* as in the option type */
	/* settings and stop are borrowed for the anchor's life; of settings only name, section, config and timeout_ns are set */
	int (*open)(const struct channel_settings *settings, const atomic_bool *stop,
		    struct anchor **out_anchor, struct error *err);
	/* receipt is empty before */
	void (*send)(struct anchor *anchor, const struct anchor_task *task,
		     struct anchor_reply *reply);
	void (*close)(struct anchor *anchor);
};

/* The type of that name, or NULL. */
const struct anchor_type *anchor_type_by_name(const char *name);

/* The settings of the anchor called name, which borrow from config. Returns 0 or ERR_CONFIG. */
int anchor_settings_load(const struct config *config, const char *name,
			 struct channel_settings *out_settings, const struct anchor_type **out_type,
			 struct error *err);

/* Fills outcome and text, which is made printable and cut. */
void anchor_reply_set(struct anchor_reply *reply, enum feed_anchored outcome, const char *format,
		      ...) __attribute__((format(printf, 3, 4)));

extern const struct anchor_type anchor_file, anchor_syslog, anchor_witness, anchor_timestamp;

#endif
