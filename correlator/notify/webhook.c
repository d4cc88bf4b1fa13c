/* webhook - HTTP POST of alerts as JSON, signed after Standard Webhooks 1.0.0.
 *
 * The id of a message stays the same when it is tried again; the time stamp is that of the try and is part of what is signed.
 * Tests: tests/integration/notify-webhook.py */
#include "base/clock.h"
#include "correlator/notify/signature.h"
#include "correlator/notify/transfer.h"
#include "correlator/notify/webhookbody.h"

#include <stdio.h>
#include <stdlib.h>

struct channel {
	struct transfer transfer;
	struct buf body, content, signature;
};

static void close_channel(struct channel *channel)
{
	transfer_done(&channel->transfer);
	buf_done(&channel->body);
	buf_done(&channel->content);
	buf_done(&channel->signature);
	free(channel);
}

static int open_channel(const struct channel_settings *settings, const atomic_bool *stop,
			struct channel **out_channel, struct error *err)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (channel == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the channel %s", settings->name);
	}
	buf_init(&channel->body, 0);
	buf_init(&channel->content, 0);
	buf_init(&channel->signature, 0);
	int rc = transfer_init(&channel->transfer, settings, stop, err);
	if (rc != 0) {
		close_channel(channel);
		return rc;
	}
	*out_channel = channel;
	return 0;
}

/* The header webhook-signature, with the secrets as they are in the file now; none without a file. */
static int sign(struct channel *channel, const char *id, const char *seconds, struct error *err)
{
	const char *path = channel_option(channel->transfer.settings, "secret_file");
	struct secret keys;

	buf_clear(&channel->signature);
	if (path == NULL) {
		return 0;
	}
	buf_clear(&channel->content);
	buf_putf(&channel->content, "%s.%s.", id, seconds);
	buf_put_str(&channel->content, buf_str(&channel->body));
	secret_init(&keys);
	int rc = secret_read(&keys, path, err);
	if (rc == 0) {
		rc = signature_put(secret_peek(&keys), buf_str(&channel->content),
				   &channel->signature, err);
	}
	secret_done(&keys);
	return rc;
}

static void send_message(struct channel *channel, const struct channel_message *message,
			 struct channel_reply *out_reply)
{
	const struct channel_settings *settings = channel->transfer.settings;
	char seconds[32];
	struct error err;

	size_t taken = webhook_body(message, &channel->body);
	if (taken == 0) {
		channel_reply_set(out_reply, FEED_RETRY, 1, "no memory for the message");
		return;
	}
	struct channel_message part = *message;
	part.notice_count = taken;
	channel_message_id(&part);
	(void)snprintf(seconds, sizeof(seconds), "%lld",
		       (long long)(clock_now_ns() / NS_PER_SEC)); /* 19 digits at most */
	if (sign(channel, part.id, seconds, &err) != 0) {
		channel_reply_set(out_reply, FEED_RETRY, taken, "%s", err.text);
		return;
	}
	transfer_reset(&channel->transfer, config_text(settings->config, settings->section, "url"),
		       "http,https");
	if (transfer_identify(&channel->transfer, &err) != 0) {
		channel_reply_set(out_reply, FEED_RETRY, taken, "%s", err.text);
		return;
	}
	bool fits =
		transfer_header(&channel->transfer, "webhook-id", part.id) &&
		transfer_header(&channel->transfer, "webhook-timestamp", seconds) &&
		(channel->signature.len == 0 ||
		 transfer_header(&channel->transfer, "webhook-signature", channel->signature.ptr));
	if (!fits) {
		channel_reply_set(out_reply, FEED_RETRY, taken, "no memory for the request");
		return;
	}
	transfer_post(&channel->transfer, buf_str(&channel->body), taken, out_reply);
}

const struct channel_type channel_webhook = {
	.name = "webhook",
	.groups = true,
	.open = open_channel,
	.send = send_message,
	.close = close_channel,
};
