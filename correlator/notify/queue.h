/* queue - the alerts that wait for one channel: due, grouped, in order, bounded.
 *
 * Order:   by arrival within a group. Types that group: a group is the rule, the person (user, else principal) and the state; its first
 *          alert waits group_wait for others, and two messages are at least group_interval apart. Alerts that were tried
 *          before form a group with those that were given back with them (same due time), so that the message is the same again.
 *          Types that do not group: one group of all, sent at once.
 * Limits:  QUEUE_MAX deliveries, QUEUE_BYTES of alerts; past them queue_add refuses.
 * Rules:   one delivery an alert: a newer revision takes the place of one that waits, an older one or the same is dropped.
 * Threads: one thread. Blocking: never; now comes in.
 * Tests:   tests/unit/notify-queue.c
 */
#ifndef CORRELATOR_NOTIFY_QUEUE_H
#define CORRELATOR_NOTIFY_QUEUE_H

#include "correlator/notify/channel.h"

#define QUEUE_MAX     8192
#define QUEUE_BYTES   (32u << 20)
#define QUEUE_NEVER   INT64_MAX
#define QUEUE_MESSAGE 128 /* alerts in a message, at most */

struct delivery {
	struct delivery *next;
	struct notice *notice; /* held */
	uint32_t attempts;     /* that failed */
	int64_t due_ns;        /* not before */
	bool alone; /* in a message of its own: one that was refused may be so for another's sake */
};

struct queue {
	const struct channel_settings *settings; /* borrowed */
	struct queue_group *groups;              /* in order of their first arrival */
	size_t count, bytes;
};

/* An empty queue. */
void queue_init(struct queue *queue, const struct channel_settings *settings);

/* Drops all that waits. */
void queue_done(struct queue *queue);

/* Takes a delivery; holds the notice. Returns 0 (also when it is there already), ERR_LIMIT, ERR_NOMEM. */
int queue_add(struct queue *queue, struct notice *notice, const struct feed_delivery *how,
	      int64_t now_ns, struct error *err);

/* When the next message is due, or QUEUE_NEVER. */
int64_t queue_due_ns(const struct queue *queue, int64_t now_ns);

/* Takes the deliveries of the message that is due longest, as a list that the caller owns; NULL when none is due.
 * *out_more is how many of the group stay. */
struct delivery *queue_take(struct queue *queue, int64_t now_ns, size_t *out_more);

/* Puts deliveries back that were taken and not sent, in front of their group; they are due now. Their order stays. */
void queue_put_back(struct queue *queue, struct delivery *list, int64_t now_ns);

/* Whether the queue holds this revision of this alert, or a newer one. */
bool queue_holds(const struct queue *queue, struct str id, uint64_t revision);

/* Frees one delivery; lets go of its notice. */
void delivery_free(struct delivery *delivery);

#endif
