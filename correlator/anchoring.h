/* anchoring - the log's checkpoints on their way out of this host: which anchor is due, what it is sent, and what its answer means.
 *
 * Order:   the newest checkpoint goes to each anchor that does not have it, at most every `interval`; one at a time an anchor. What failed is tried again after a wait that
 *          doubles up to ANCHORING_WAIT_MAX_NS. State is in the store (store/log/anchors.h), so both sides may be restarted at any time.
 * Refusal: an anchor that has more than was signed here, or another tree, means that this store was put back or changed: that is said in the log and in the setting
 *          ROLLBACK_KEY (correlator/rollback.h), and nothing is signed or sent any more.
 * Errors:  ERR_CORRUPT, ERR_IO, ERR_NOMEM end the daemon.
 * Threads: the daemon's. Blocking: disk. Tests: tests/unit/anchoring.c, tests/integration/anchors.py
 */
#ifndef CORRELATOR_ANCHORING_H
#define CORRELATOR_ANCHORING_H

#include "base/config.h"
#include "model/feed.h"
#include "store/store.h"

#define ANCHORING_WAIT_MAX_NS   (INT64_C(300) * 1000000000)
#define ANCHORING_WAIT_FIRST_NS (INT64_C(5) * 1000000000)

struct anchoring;

struct anchoring_options {
	struct store *store; /* borrowed; the writer's */
	/* Gives a frame to querytrail-notify, if it is there; borrowed until return. */
	int (*send)(void *owner, const struct feed_frame *frame, struct error *err);
	void *owner;
};

/* Makes one; nobody is connected and there are no anchors. Returns 0 or ERR_NOMEM. */
int anchoring_new(const struct anchoring_options *options, struct anchoring **out_anchoring,
		  struct error *err);
void anchoring_free(struct anchoring *anchoring); /* NULL is fine */

/* Goes by the anchors of a configuration; those that it has not are forgotten. On failure all is as before. No transaction may be open. */
int anchoring_set(struct anchoring *anchoring, const struct config *config, struct error *err);

/* Whether an anchor has seen what this store has not: then nothing may be signed. NULL: no. */
bool anchoring_refused(const struct anchoring *anchoring);

/* How many there are. */
size_t anchoring_count(const struct anchoring *anchoring);

/* querytrail-notify came, or went: what was in its hands is sent again. */
void anchoring_connected(struct anchoring *anchoring);
void anchoring_lost(struct anchoring *anchoring);

/* Sends what is due; no transaction may be open. *out_next_ns: when to be called again, by the wall clock; INT64_MAX: when something changes. */
int anchoring_pump(struct anchoring *anchoring, int64_t now_ns, int64_t *out_next_ns,
		   struct error *err);

/* Takes an ANCHORED frame; no transaction may be open. Returns 0 (also for an anchor that is not known, or not asked), or an error. */
int anchoring_received(struct anchoring *anchoring, const struct feed_frame *frame, int64_t now_ns,
		       struct error *err);

#endif
