/* sealer - when the writer seals and merges: in turns of at most about a second, between commits.
 *
 * Looks:   at what is due (store/seal-choice.h) when so many records were committed, or SEALER_LOOK_NS passed, since the last look.
 * Failure: a full disk is tried again after SEALER_RETRY_NS; blocks of a seal that met damage are let alone until the next start, the head is
 *          tried without them. Each is logged once, when it happens. A commit that failed for good shows in the next commit of the writer.
 * Threads: the writer's. Blocking: disk and processor. Tests: tests/unit/sealer.c, tests/crash/
 */
#ifndef CORRELATOR_SEALER_H
#define CORRELATOR_SEALER_H

#include "base/clock.h"
#include "store/seal-choice.h"

#define SEALER_LOOK_NS  (10 * NS_PER_SEC)
#define SEALER_RETRY_NS (60 * NS_PER_SEC)
#define SEALER_TIDY_NS  (60 * NS_PER_SEC)
#define SEALER_LONGEST_NS \
	(30 * NS_PER_SEC) /* of a request, as a rule: its statements come so late */
#define SEALER_SHUNNED 64

struct sealer_settings {
	size_t requests; /* of a block */
	uint64_t head_bytes;
	int64_t age_ns;
};

struct sealer {
	struct store *store;
	struct sealer_settings settings;
	struct seal *seal; /* NULL: none is under way */
	struct seal_choice choice;
	int64_t begun_ns;  /* of it, monotonic */
	int64_t look_ns;   /* not looked at before, monotonic */
	int64_t hold_ns;   /* nothing is begun before, monotonic */
	int64_t tidy_ns;   /* likewise */
	uint64_t seen_end; /* the leaves at the last look */
	uint64_t shunned[SEALER_SHUNNED];
	size_t shunned_count;
};

/* What the daemon knows at the moment. All that the watermarks tell is judged and committed.
 *   requests_ns, statements_ns  up to where each is all there: watermarks; INT64_MIN: not known, INT64_MAX: all is there, or tells by its progress
 *   judged_ns                   the lower of the watermarks by which the join judges
 *   pressed                     the join waits for a seal, to forget; by far not all is judged
 *   flowing                     kinds (bit k) whose sources tell only by their progress, see struct seal_wish
 *   slack_ns                    of the join */
struct sealer_now {
	int64_t wall_ns, monotonic_ns;
	int64_t requests_ns, statements_ns, judged_ns;
	unsigned flowing;
	int64_t slack_ns;
	bool pressed;
};

/* Prepares; the store is borrowed. done gives up what is under way. */
void sealer_init(struct sealer *sealer, struct store *store,
		 const struct sealer_settings *settings);
void sealer_done(struct sealer *sealer);
void sealer_set(struct sealer *sealer, const struct sealer_settings *settings);

/* Does one piece of work, if there is any; no transaction may be open. Returns when to call again, monotonic. */
int64_t sealer_turn(struct sealer *sealer, const struct sealer_now *now);

/* Does all there is, and tidies up. */
void sealer_finish(struct sealer *sealer, const struct sealer_now *now);

#endif
