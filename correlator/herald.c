#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/log.h"

#define QUEUE_BYTES (4u << 20) /* more is not given to notify before it takes what there is */
#define LOOK_MAX_NS (15 * NS_PER_SEC)

bool herald_is_notify(const struct feed_frame *hello)
{
	return str_is(hello->source_type, "notify") && hello->kinds == 0;
}

static bool has_room(void *owner)
{
	const struct daemon *daemon = owner;
	return daemon->notify != NULL && !daemon->stopping &&
	       feedpeer_queued(daemon->notify) < QUEUE_BYTES;
}

/* What notify does not take, it gets again on its next connection. */
static int send_frame(void *owner, const struct feed_frame *frame, struct error *err)
{
	struct daemon *daemon = owner;
	struct error why;
	(void)err;
	if (daemon->notify != NULL && feedpeer_send(daemon->notify, frame, &why) < 0) {
		feedpeer_refuse(daemon->notify, &why);
	}
	return 0;
}

static int on_timer(void *owner, struct error *err)
{
	struct daemon *daemon = owner;
	if (keeper_is_open(daemon->keeper)) {
		daemon->urgent = true;
		intake_schedule(daemon); /* the pump comes behind the commit */
		return 0;
	}
	return herald_pump(daemon, err);
}

int herald_open(struct daemon *daemon, struct error *err)
{
	const struct settings_alerts *alerts = &daemon->settings.alerts;
	const struct dispatch_options options = {.store = keeper_store(daemon->keeper),
						 .alerting = keeper_alerting(daemon->keeper),
						 .channels = &alerts->channels,
						 .statement_bytes = alerts->statement_bytes,
						 .has_room = has_room,
						 .send = send_frame,
						 .owner = daemon};
	const struct anchoring_options anchoring = {
		.store = keeper_store(daemon->keeper), .send = send_frame, .owner = daemon};
	int rc = dispatch_new(&options, &daemon->dispatch, err);
	rc = rc < 0 ? rc : anchoring_new(&anchoring, &daemon->anchoring, err);
	rc = rc < 0 ? rc : anchoring_set(daemon->anchoring, daemon->config, err);
	return rc < 0 ? rc
		      : loop_add_timer(daemon->loop, (struct loop_call){on_timer, daemon},
				       &daemon->alert_timer, err);
}

int herald_hello(struct daemon *daemon, struct feedpeer *peer, struct error *err)
{
	if (daemon->notify != NULL) {
		if (!feedpeer_is_dead(daemon->notify)) {
			return error_set(err, ERR_AGAIN,
					 "another querytrail-notify is connected already");
		}
		struct error why;
		(void)error_set(&why, ERR_GONE, "the connection ended"); /* only told */
		feedpeer_refuse(daemon->notify, &why);
	}
	daemon->notify = peer;
	daemon->strange_receipt = false;
	dispatch_connected(daemon->dispatch);
	anchoring_connected(daemon->anchoring);
	log_write(LOG_LEVEL_INFO, "notify-connected", "querytrail-notify is connected");
	loop_set_timer(daemon->alert_timer, clock_monotonic_ns()); /* behind WELCOME */
	return 0;
}

void herald_gone(struct daemon *daemon, const struct error *why)
{
	daemon->notify = NULL;
	dispatch_lost(daemon->dispatch);
	anchoring_lost(daemon->anchoring);
	loop_unset_timer(daemon->alert_timer);
	if (why != NULL) {
		log_write(LOG_LEVEL_WARNING, "notify-lost", "querytrail-notify: %s", why->text);
	} else {
		log_write(LOG_LEVEL_INFO, "notify-left", "querytrail-notify left");
	}
}

int herald_receipt(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		   struct error *err)
{
	struct daemon *daemon = owner;
	bool known = false;
	if (peer != daemon->notify || frame->delivery_count != 1) {
		return error_set(err, ERR_INPUT, "a RECEIPT of one who is not querytrail-notify");
	}
	const struct feed_delivery *delivery = &frame->deliveries[0];
	const struct outbox_receipt receipt = {.alert_id = frame->alert,
					       .channel = delivery->channel,
					       .revision = (uint32_t)frame->sequence,
					       .outcome = frame->outcome,
					       .attempts = delivery->attempts,
					       .next_ns = delivery->next_ns,
					       .text = frame->text};
	int rc = keeper_receive(daemon->keeper, &receipt, clock_now_ns(), &known, err);
	if (rc < 0) {
		return rc == -ERR_LIMIT || rc == -ERR_INPUT ? -ERR_IO
							    : rc; /* it is not the peer's fault */
	}
	if (!known && !daemon->strange_receipt) {
		daemon->strange_receipt = true; /* once a connection */
		log_write(LOG_LEVEL_WARNING, "receipt-unknown",
			  "querytrail-notify gave a receipt for a delivery that does not exist");
	}
	dispatch_received(daemon->dispatch, frame->alert, delivery->channel,
			  (uint32_t)frame->sequence);
	intake_schedule(daemon);
	return 0;
}

int herald_anchored(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		    struct error *err)
{
	struct daemon *daemon = owner;
	if (peer != daemon->notify) {
		return error_set(err, ERR_INPUT, "ANCHORED of one who is not querytrail-notify");
	}
	int rc = anchoring_received(daemon->anchoring, frame, clock_now_ns(), err);
	if (rc < 0) {
		return rc == -ERR_LIMIT || rc == -ERR_INPUT ? -ERR_IO
							    : rc; /* it is not the peer's fault */
	}
	loop_set_timer(daemon->alert_timer, clock_monotonic_ns()); /* the next one may be due */
	return 0;
}

int herald_drained(void *owner, struct feedpeer *peer, struct error *err)
{
	struct daemon *daemon = owner;
	if (peer != daemon->notify) {
		return 0;
	}
	return on_timer(daemon, err);
}

int herald_pump(struct daemon *daemon, struct error *err)
{
	int64_t now_ns = clock_now_ns();
	int64_t next_ns = INT64_MAX, anchor_ns = INT64_MAX;
	if (daemon->notify == NULL || keeper_is_open(daemon->keeper)) {
		return 0;
	}
	int rc = dispatch_pump(daemon->dispatch, now_ns, &next_ns, err);
	rc = rc < 0 ? rc : anchoring_pump(daemon->anchoring, now_ns, &anchor_ns, err);
	if (rc < 0 || daemon->notify == NULL) {
		return rc;
	}
	next_ns = anchor_ns < next_ns ? anchor_ns : next_ns;
	int64_t wait_ns = next_ns - now_ns;
	wait_ns = next_ns == INT64_MAX || wait_ns > LOOK_MAX_NS ? LOOK_MAX_NS : wait_ns;
	loop_set_timer(daemon->alert_timer, clock_monotonic_ns() + (wait_ns > 0 ? wait_ns : 0));
	return 0;
}
