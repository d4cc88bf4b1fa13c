#include "correlator/notify/desk.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <stdio.h>

#define CROWDED_NS NS_PER_MIN      /* what did not fit is asked for again after this */
#define FAR_NS     (INT64_MAX / 2) /* by then everything is due */

int desk_init(struct desk *desk, const struct channel_settings *settings, int wake_fd,
	      struct error *err)
{
	*desk = (struct desk){.settings = *settings};
	int rc = worker_start(&desk->settings, wake_fd, &desk->worker, err);
	if (rc != 0) {
		return rc;
	}
	queue_init(&desk->queue, &desk->settings);
	bucket_init(&desk->bucket, desk->settings.rate_per_min, clock_now_ns());
	if (desk->settings.resend_ns > 0) {
		firing_init(&desk->firing, desk->settings.resend_ns);
	}
	return 0;
}

static void free_list(struct delivery **list)
{
	while (*list != NULL) {
		struct delivery *delivery = *list;
		*list = delivery->next;
		delivery_free(delivery);
	}
}

/* The message in hand is over. */
static void clear_message(struct desk *desk)
{
	for (size_t i = 0; i < desk->notice_count; i++) {
		notice_drop(desk->notices[i]);
	}
	desk->notice_count = 0;
	desk->resending = false;
}

void desk_done(struct desk *desk)
{
	worker_stop(desk->worker);
	desk->worker = NULL;
	clear_message(desk);
	free_list(&desk->flight);
	free_list(&desk->unsaid);
	queue_done(&desk->queue);
	firing_done(&desk->firing);
}

/* What became of a delivery. */
struct result {
	enum feed_outcome outcome;
	uint32_t attempts;
	int64_t next_ns;
	const char *text;
};

static bool say(struct desk *desk, const struct notice *notice, const struct result *result)
{
	struct feed_delivery delivery = {.channel = str_of(desk->settings.name),
					 .attempts = result->attempts,
					 .next_ns = result->next_ns};
	struct feed_frame frame = {.type = FEED_RECEIPT,
				   .sequence = notice->revision,
				   .alert = notice->alert.value[ALERT_id],
				   .deliveries = &delivery,
				   .delivery_count = 1,
				   .outcome = result->outcome,
				   .text = str_of(result->text)};

	return desk->call.each(desk->call.owner, &frame);
}

static bool is(const struct delivery *delivery, const struct notice *notice)
{
	return delivery->notice->revision == notice->revision &&
	       str_equal(delivery->notice->alert.value[ALERT_id], notice->alert.value[ALERT_id]);
}

/* Confirms what was sent while nobody listened. */
static bool confirm_unsaid(struct desk *desk, const struct notice *notice)
{
	for (struct delivery **place = &desk->unsaid; *place != NULL; place = &(*place)->next) {
		struct delivery *delivery = *place;
		if (!is(delivery, notice)) {
			continue;
		}
		struct result result = {.outcome = FEED_DELIVERED,
					.attempts = delivery->attempts,
					.text = "taken while querytraild was away"};
		if (say(desk, notice, &result)) {
			*place = delivery->next;
			delivery_free(delivery);
		}
		return true;
	}
	return false;
}

static bool in_flight(const struct desk *desk, const struct notice *notice)
{
	for (const struct delivery *each = desk->flight; each != NULL; each = each->next) {
		if (is(each, notice)) {
			return true;
		}
	}
	return false;
}

void desk_hear(struct desk *desk, struct notice *notice, int64_t now_ns)
{
	struct error err;

	if (desk->settings.resend_ns == 0) {
		return;
	}
	if (!str_is(notice->alert.value[ALERT_state], "firing")) {
		firing_remove(&desk->firing, notice->alert.value[ALERT_id]);
	} else if (channel_wants(&desk->settings, &notice->alert)) {
		size_t before = desk->firing.count;
		if (firing_add(&desk->firing, notice, now_ns, &err) != 0) {
			log_error(LOG_LEVEL_WARNING, "channel-firing-limit", &err);
		}
		if (desk->firing.count > before) {
			firing_hurry(&desk->firing);
		}
	}
}

void desk_take(struct desk *desk, struct notice *notice, const struct feed_delivery *how,
	       int64_t now_ns)
{
	struct error err;

	if (desk->settings.resend_ns > 0 && !str_is(notice->alert.value[ALERT_state], "firing")) {
		firing_remove(&desk->firing, notice->alert.value[ALERT_id]);
	}
	if (in_flight(desk, notice) || confirm_unsaid(desk, notice)) {
		return;
	}
	if (desk->gone) {
		struct result dead = {.outcome = FEED_DEAD,
				      .attempts = how->attempts,
				      .text = "the receiver has answered 410 Gone; it gets nothing "
					      "until the configuration is loaded again"};
		(void)say(desk, notice, &dead); /* else it is asked for again */
		return;
	}
	if (queue_add(&desk->queue, notice, how, now_ns, &err) != 0) {
		struct result later = {.outcome = FEED_RETRY,
				       .attempts = how->attempts,
				       .next_ns = now_ns + CROWDED_NS,
				       .text = err.text};
		(void)say(desk, notice, &later); /* else it is asked for again */
	}
}

static void note_result(struct desk *desk, const struct channel_reply *reply)
{
	if (reply->outcome == FEED_DELIVERED) {
		if (desk->failures > 0) {
			log_write(LOG_LEVEL_NOTICE, "channel-recovered",
				  "channel %s takes messages again after %llu failed tries",
				  desk->settings.name, (unsigned long long)desk->failures);
		}
		desk->failures = 0;
		return;
	}
	if (desk->failures++ == 0 || reply->outcome == FEED_DEAD) {
		log_write(reply->outcome == FEED_DEAD ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			  reply->outcome == FEED_DEAD ? "channel-refused" : "channel-failed",
			  "channel %s: %s", desk->settings.name, reply->text);
	}
}

/* Whatever waits for a receiver that is gone is dead. */
static void bury(struct desk *desk, const char *text)
{
	struct delivery *list;
	size_t more;

	desk->gone = true;
	while ((list = queue_take(&desk->queue, FAR_NS, &more)) != NULL) {
		for (struct delivery *each = list; each != NULL; each = each->next) {
			struct result dead = {
				.outcome = FEED_DEAD, .attempts = each->attempts, .text = text};
			(void)say(desk, each->notice, &dead); /* else it is asked for again */
		}
		free_list(&list);
	}
}

/* One delivery was delivered, or not. Takes it over. */
static void settle(struct desk *desk, struct delivery *delivery, const struct channel_reply *reply,
		   int64_t wait_ns, int64_t now_ns)
{
	char text[CHANNEL_TEXT_MAX + 64];
	struct result result = {
		.outcome = reply->outcome, .attempts = delivery->attempts, .text = reply->text};
	struct error err;

	if (reply->outcome != FEED_DELIVERED) {
		result.attempts++;
	}
	if (reply->outcome == FEED_RETRY && result.attempts >= desk->settings.tries) {
		(void)snprintf(text, sizeof(text), "given up after %u tries: %s", result.attempts,
			       reply->text); /* cut is fine */
		result.outcome = FEED_DEAD;
		result.text = text;
		log_write(LOG_LEVEL_ERROR, "delivery-dead", "channel %s: %s", desk->settings.name,
			  text);
	}
	result.next_ns = result.outcome == FEED_RETRY ? now_ns + wait_ns : 0;
	if (result.outcome == FEED_DELIVERED && desk->settings.resend_ns > 0 &&
	    str_is(delivery->notice->alert.value[ALERT_state], "firing") &&
	    firing_add(&desk->firing, delivery->notice, now_ns, &err) != 0) {
		log_error(LOG_LEVEL_WARNING, "channel-firing-limit", &err);
	}
	if (!say(desk, delivery->notice, &result) && result.outcome == FEED_DELIVERED) {
		delivery->next = desk->unsaid;
		desk->unsaid = delivery;
		return;
	}
	delivery_free(delivery);
}

/* Alerts that were refused together are tried one by one. */
static void separate(struct desk *desk, size_t count)
{
	size_t i = 0;

	for (struct delivery *each = desk->flight; each != NULL && i < count; each = each->next) {
		each->alone = true;
		i++;
	}
}

static void take_reply(struct desk *desk, const struct channel_reply *reply, int64_t now_ns)
{
	uint64_t random = hash_key_random().k0;

	note_result(desk, reply);
	if (desk->resending) { /* the next round tries again */
		clear_message(desk);
		return;
	}
	if (reply->outcome == FEED_DEAD && reply->taken > 1 && !reply->gone) {
		separate(desk, reply->taken);
	} else {
		for (size_t i = 0; i < reply->taken; i++) {
			struct delivery *delivery = desk->flight;
			int64_t wait_ns = retry_wait_ns(&desk->settings, delivery->attempts + 1,
							reply->retry_after_ns, random);
			desk->flight = delivery->next;
			settle(desk, delivery, reply, wait_ns, now_ns);
		}
	}
	queue_put_back(&desk->queue, desk->flight, now_ns);
	desk->flight = NULL;
	clear_message(desk);
	if (reply->gone) {
		bury(desk, reply->text);
	}
}

/* The next message: what waits comes before what is only repeated. */
static bool pick(struct desk *desk, int64_t now_ns)
{
	desk->flight = queue_take(&desk->queue, now_ns, &desk->more_count);
	for (struct delivery *each = desk->flight; each != NULL; each = each->next) {
		desk->notices[desk->notice_count++] = notice_hold(each->notice);
	}
	if (desk->notice_count == 0 && desk->settings.resend_ns > 0 && !desk->gone) {
		desk->more_count = 0;
		desk->notice_count = firing_take(&desk->firing, now_ns, desk->notices,
						 desk->settings.type->batch);
		desk->resending = desk->notice_count > 0;
	}
	return desk->notice_count > 0;
}

void desk_work(struct desk *desk, int64_t now_ns)
{
	struct channel_reply reply;

	if (worker_take(desk->worker, &reply)) {
		take_reply(desk, &reply, now_ns);
	}
	if (!worker_idle(desk->worker) || bucket_ready_ns(&desk->bucket, 1, now_ns) > now_ns ||
	    !pick(desk, now_ns)) {
		return;
	}
	struct channel_message message = {.notices = desk->notices,
					  .notice_count = desk->notice_count,
					  .more_count = desk->more_count,
					  .now_ns = now_ns};
	channel_message_id(&message);
	bucket_take(&desk->bucket, desk->settings.type->rate_counts_alert ? desk->notice_count : 1,
		    now_ns);
	worker_give(desk->worker, &message);
}

int64_t desk_due_ns(const struct desk *desk, int64_t now_ns)
{
	if (!worker_idle(desk->worker)) {
		return QUEUE_NEVER; /* its reply wakes us */
	}
	int64_t due_ns = queue_due_ns(&desk->queue, now_ns);
	if (desk->settings.resend_ns > 0 && !desk->gone) {
		int64_t again_ns = firing_due_ns(&desk->firing, now_ns);
		due_ns = again_ns < due_ns ? again_ns : due_ns;
	}
	if (due_ns == QUEUE_NEVER) {
		return due_ns;
	}
	int64_t rate_ns = bucket_ready_ns(&desk->bucket, 1, now_ns);
	return due_ns > rate_ns ? due_ns : rate_ns;
}

void desk_forget(struct desk *desk)
{
	queue_done(&desk->queue);
}

void desk_finish(struct desk *desk, int64_t end_ns)
{
	struct channel_reply reply;

	if (worker_idle(desk->worker)) {
		return;
	}
	int64_t left_ns = end_ns - clock_monotonic_ns();
	if (worker_finish(desk->worker, left_ns > 0 ? left_ns : 0, &reply)) {
		bool cut_off = reply.outcome == FEED_RETRY && clock_monotonic_ns() >= end_ns;
		if (!cut_off) { /* what we broke off ourselves is no failed try */
			take_reply(desk, &reply, clock_now_ns());
		}
	}
}
