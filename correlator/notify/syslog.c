/* syslog - alerts as RFC 5424 messages. Tests: tests/integration/notify-syslog.py */
#include "correlator/notify/syslogline.h"
#include "correlator/notify/syslogsend.h"

#include <stdlib.h>

struct channel {
	struct syslog_sender sender;
	struct syslog_how how;
};

static void close_channel(struct channel *channel)
{
	syslog_sender_done(&channel->sender);
	free(channel);
}

static int open_channel(const struct channel_settings *settings, const atomic_bool *stop,
			struct channel **out_channel, struct error *err)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	const struct config *config = settings->config;
	const char *section = settings->section;

	if (channel == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the channel %s", settings->name);
	}
	channel->how.cef = strcmp(config_text(config, section, "content"), "cef") == 0;
	channel->how.facility = (unsigned)config_int(config, section, "facility");
	channel->how.host = channel->sender.host;
	int rc = syslog_sender_init(&channel->sender, settings, stop, err);
	if (rc != 0) {
		close_channel(channel);
		return rc;
	}
	*out_channel = channel;
	return 0;
}

/* The frames of as many notices as fit. */
static size_t put_frames(struct channel *channel, const struct channel_message *message)
{
	size_t taken = 0;

	channel->how.test = message->test;
	channel->how.now_ns = message->now_ns;
	buf_clear(&channel->sender.frames);
	for (; taken < message->notice_count; taken++) {
		size_t before = channel->sender.frames.len;
		syslog_put_frame(message->notices[taken], &channel->how, &channel->sender.frames);
		if (channel->sender.frames.failed) {
			channel->sender.frames.failed = false;
			buf_truncate(&channel->sender.frames, before);
			break;
		}
	}
	return taken;
}

static void send_message(struct channel *channel, const struct channel_message *message,
			 struct channel_reply *out_reply)
{
	syslog_sender_send(&channel->sender, put_frames(channel, message), out_reply);
}

const struct channel_type channel_syslog = {
	.name = "syslog",
	.batch = 100,
	.rate_counts_alert = true,
	.open = open_channel,
	.send = send_message,
	.close = close_channel,
};
