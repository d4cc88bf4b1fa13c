/* smtp - e-mail through libcurl.
 *
 * STARTTLS or TLS is required unless the configuration says never. A receiver that the server refuses does not keep the mail from the others;
 * the receipt then says so. Tests: tests/integration/notify-mail.py */
#include "base/clock.h"
#include "correlator/notify/mail.h"
#include "correlator/notify/transfer.h"

#include <ctype.h>
#include <stdlib.h>

struct channel {
	struct transfer transfer;
	struct curl_slist *receivers;
	struct buf mail;
	size_t sent; /* bytes of mail that libcurl has taken */
};

static void close_channel(struct channel *channel)
{
	transfer_done(&channel->transfer);
	curl_slist_free_all(channel->receivers);
	buf_done(&channel->mail);
	free(channel);
}

/* The bare address of "Name <a@b>" or "a@b", without what SMTP could take for something else. Returns 0 or ERR_CONFIG. */
static int bare_address(const char *text, struct buf *out, struct error *err)
{
	struct str address = str_trim(str_of(text));
	ptrdiff_t open = str_find_byte(address, '<', 0);
	ptrdiff_t close = str_find_byte(address, '>', 0);

	if (open >= 0 && close == (ptrdiff_t)address.len - 1) {
		address = str_slice(address, (size_t)open + 1, address.len - (size_t)open - 2);
	}
	bool clean = str_find_byte(address, '@', 0) > 0;
	for (size_t i = 0; i < address.len; i++) {
		uint8_t byte = (uint8_t)address.ptr[i];
		clean = clean && byte > 0x20 && byte != 0x7f && byte != '<' && byte != '>';
	}
	if (!clean) {
		return error_set(err, ERR_CONFIG, "\"%s\" is not a mail address", text);
	}
	buf_clear(out);
	buf_put_str(out, address);
	return 0;
}

static int list_receivers(struct channel *channel, const struct channel_settings *settings,
			  struct error *err)
{
	size_t count = config_list_count(settings->config, settings->section, "to");
	struct buf address;
	int rc = 0;

	buf_init(&address, 0);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = bare_address(config_list(settings->config, settings->section, "to", i),
				  &address, err);
		struct curl_slist *more =
			rc == 0 ? curl_slist_append(channel->receivers, address.ptr) : NULL;
		if (rc == 0 && more == NULL) {
			rc = error_set(err, ERR_NOMEM, "no memory for the receivers");
		}
		channel->receivers = more != NULL ? more : channel->receivers;
	}
	if (rc == 0 && count == 0) {
		rc = error_set(err, ERR_CONFIG, "there is nobody in \"to\"");
	}
	if (rc == 0) { /* also the sender's, which is used for each mail */
		rc = bare_address(config_text(settings->config, settings->section, "from"),
				  &address, err);
	}
	buf_done(&address);
	return rc;
}

static int open_channel(const struct channel_settings *settings, const atomic_bool *stop,
			struct channel **out_channel, struct error *err)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (channel == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the channel %s", settings->name);
	}
	buf_init(&channel->mail, MAIL_MAX);
	int rc = transfer_init(&channel->transfer, settings, stop, err);
	if (rc == 0) {
		rc = list_receivers(channel, settings, err);
		if (rc != 0) {
			error_prefix(err, "channel %s", settings->name);
		}
	}
	if (rc != 0) {
		close_channel(channel);
		return rc;
	}
	*out_channel = channel;
	return 0;
}

static size_t on_read(char *out, size_t size, size_t count, void *owner)
{
	struct channel *channel = owner;
	size_t left = channel->mail.len - channel->sent;
	size_t len = size * count < left ? size * count : left;

	memcpy(out, channel->mail.ptr + channel->sent, len);
	channel->sent += len;
	return len;
}

/* Replies of the server come as header lines: the refusals are remembered. */
static size_t on_reply(char *bytes, size_t size, size_t count, void *owner)
{
	struct channel *channel = owner;
	struct str line = str_trim(str_make(bytes, size * count));
	bool refuses = line.len > 3 && (line.ptr[0] == '4' || line.ptr[0] == '5') &&
		       isdigit((unsigned char)line.ptr[1]) && isdigit((unsigned char)line.ptr[2]);

	if (refuses) {
		size_t len = line.len < TRANSFER_LINE_MAX - 1 ? line.len : TRANSFER_LINE_MAX - 1;
		memcpy(channel->transfer.refused, line.ptr, len);
		channel->transfer.refused[len] = '\0';
	}
	return size * count;
}

static int prepare(struct channel *channel, struct error *err)
{
	const struct channel_settings *settings = channel->transfer.settings;
	CURL *easy = channel->transfer.easy;
	const char *url = config_text(settings->config, settings->section, "url");
	const char *tls = config_text(settings->config, settings->section, "tls");
	struct buf from;

	transfer_reset(&channel->transfer, url, "smtp,smtps");
	buf_init(&from, 0);
	int rc = bare_address(config_text(settings->config, settings->section, "from"), &from, err);
	if (rc == 0) {
		curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from.ptr);
		rc = transfer_identify(&channel->transfer, err);
	}
	if (rc == 0) {
		rc = transfer_authorize(&channel->transfer, err);
	}
	buf_done(&from);
	curl_easy_setopt(easy, CURLOPT_USE_SSL,
			 strcmp(tls, "required") == 0 ? (long)CURLUSESSL_ALL
						      : (long)CURLUSESSL_NONE);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, channel->receivers);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)channel->mail.len);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, channel);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, channel);
	channel->sent = 0;
	return rc;
}

static void judge(struct channel *channel, CURLcode code, size_t taken,
		  struct channel_reply *out_reply)
{
	const char *refused = channel->transfer.refused;

	if (code == CURLE_OK) {
		channel_reply_set(out_reply, FEED_DELIVERED, taken, "%s%s",
				  refused[0] != '\0' ? "taken, but not for all receivers: "
						     : "taken by the mail server",
				  refused);
		return;
	}
	/* 5xx is the server's last word about this mail; but a wrong password is about us, and somebody may put it right */
	bool dead = refused[0] == '5' && code != CURLE_LOGIN_DENIED &&
		    code != CURLE_USE_SSL_FAILED && code != CURLE_ABORTED_BY_CALLBACK;
	if (dead) {
		channel_reply_set(out_reply, FEED_DEAD, taken, "the mail server refuses: %s",
				  refused);
		return;
	}
	transfer_failed(&channel->transfer, code, taken, out_reply);
	if (refused[0] != '\0' && code != CURLE_ABORTED_BY_CALLBACK) {
		channel_reply_set(out_reply, FEED_RETRY, taken, "the mail server %s: %s",
				  code == CURLE_LOGIN_DENIED ? "refuses user and password" : "says",
				  refused);
	}
}

static void send_message(struct channel *channel, const struct channel_message *message,
			 struct channel_reply *out_reply)
{
	struct error err;

	size_t taken = mail_write(channel->transfer.settings, message, &channel->mail);
	if (taken == 0) {
		channel_reply_set(out_reply, FEED_RETRY, 1, "no memory for the mail");
		return;
	}
	if (prepare(channel, &err) != 0) {
		channel_reply_set(out_reply, FEED_RETRY, taken, "%s", err.text);
		return;
	}
	judge(channel, transfer_run(&channel->transfer), taken, out_reply);
}

const struct channel_type channel_smtp = {
	.name = "smtp",
	.groups = true,
	.open = open_channel,
	.send = send_message,
	.close = close_channel,
};
