/* anchor-syslog - a checkpoint as one RFC 5424 message. Tests: tests/integration/anchors.py */
#include "base/clock.h"
#include "correlator/notify/anchor.h"
#include "correlator/notify/syslogline.h"
#include "correlator/notify/syslogsend.h"

#include <stdlib.h>

struct anchor {
	struct syslog_sender sender;
	struct syslog_how how;
};

static void close_anchor(struct anchor *anchor)
{
	syslog_sender_done(&anchor->sender);
	free(anchor);
}

static int open_anchor(const struct channel_settings *settings, const atomic_bool *stop,
		       struct anchor **out_anchor, struct error *err)
{
	struct anchor *anchor = calloc(1, sizeof(*anchor));

	if (anchor == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the anchor %s", settings->name);
	}
	anchor->how.facility =
		(unsigned)config_int(settings->config, settings->section, "facility");
	anchor->how.host = anchor->sender.host;
	int rc = syslog_sender_init(&anchor->sender, settings, stop, err);
	if (rc != 0) {
		close_anchor(anchor);
		return rc;
	}
	*out_anchor = anchor;
	return 0;
}

static void send_task(struct anchor *anchor, const struct anchor_task *task,
		      struct anchor_reply *reply)
{
	struct channel_reply sent = {0};
	struct error err;

	anchor->how.now_ns = clock_now_ns();
	buf_clear(&anchor->sender.frames);
	if (syslog_put_checkpoint(task->note, &anchor->how, &anchor->sender.frames, &err) != 0) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "%s", err.text);
		return;
	}
	syslog_sender_send(&anchor->sender, 1, &sent);
	anchor_reply_set(reply, sent.outcome == FEED_DELIVERED ? FEED_TAKEN : FEED_NOT_TAKEN, "%s",
			 sent.text);
}

const struct anchor_type anchor_syslog = {
	.name = "syslog",
	.open = open_anchor,
	.send = send_task,
	.close = close_anchor,
};
