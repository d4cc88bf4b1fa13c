/* syslog - RFC 5424 messages with octet counting (RFC 6587), over TCP or TLS (RFC 5425).
 *
 * The protocol has no answer. A message counts as delivered when the receiver's system has confirmed all bytes (TCP) and the receiver
 * has neither closed nor refused the connection. Without TLS the receiver's own end of the connection is awaited for a moment, which
 * shows that it has read everything; with TLS its refusal of our certificate. One connection a message: alerts are rare, and a dead
 * connection shows at once.
 * Tests: tests/integration/notify-syslog.py */
#include "base/clock.h"
#include "correlator/notify/syslogline.h"
#include "correlator/notify/transfer.h"

#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES_MAX      (8u << 20)
#define STEP_MS         100
#define CONFIRM_STEP_US 2000
#define REFUSAL_NS      (500 * NS_PER_MS)
#define LAST_WORD_NS    (2 * NS_PER_SEC) /* how long the receiver's end is waited for */
#define HOST_BYTES      255

struct channel {
	struct transfer transfer;
	struct buf url, frames;
	struct syslog_how how;
	bool tls;
	char host[HOST_BYTES + 1];
};

static void close_channel(struct channel *channel)
{
	transfer_done(&channel->transfer);
	buf_done(&channel->url);
	buf_done(&channel->frames);
	free(channel);
}

/* Our host name as RFC 5424 has it: printable ASCII, or "-". */
static void find_host(struct channel *channel)
{
	if (gethostname(channel->host, sizeof(channel->host) - 1) != 0) {
		channel->host[0] = '\0';
	}
	for (char *each = channel->host; *each != '\0'; each++) {
		if (*each <= ' ' || *each > '~') {
			*each = '?';
		}
	}
	channel->how.host = channel->host[0] != '\0' ? channel->host : "-";
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
	const char *host = config_text(config, section, "host");
	bool brackets = strchr(host, ':') != NULL && host[0] != '[';
	channel->tls = config_bool(config, section, "tls");
	channel->how.cef = strcmp(config_text(config, section, "content"), "cef") == 0;
	channel->how.facility = (unsigned)config_int(config, section, "facility");
	find_host(channel);
	buf_init(&channel->url, 0);
	buf_init(&channel->frames, FRAMES_MAX);
	buf_putf(&channel->url, "%s://%s%s%s:%lld", channel->tls ? "https" : "http",
		 brackets ? "[" : "", host, brackets ? "]" : "",
		 (long long)config_int(config, section, "port"));
	int rc = transfer_init(&channel->transfer, settings, stop, err);
	if (rc != 0) {
		close_channel(channel);
		return rc;
	}
	*out_channel = channel;
	return 0;
}

/* Where a send stands: the connection, its end in time, and why it failed. */
struct attempt {
	struct channel *channel;
	int fd;
	int64_t end_ns; /* monotonic */
	const char *problem;
};

static bool time_left(struct attempt *attempt)
{
	if (atomic_load(attempt->channel->transfer.stop)) {
		attempt->problem = "stopped before the receiver had taken it";
		return false;
	}
	if (clock_monotonic_ns() >= attempt->end_ns) {
		attempt->problem = "no answer in time: the receiver does not take the message";
		return false;
	}
	return true;
}

static bool write_all(struct attempt *attempt)
{
	struct str left = buf_str(&attempt->channel->frames);

	while (left.len > 0) {
		size_t sent = 0;
		CURLcode code =
			curl_easy_send(attempt->channel->transfer.easy, left.ptr, left.len, &sent);
		if (code != CURLE_OK && code != CURLE_AGAIN) {
			attempt->problem = "the receiver closed the connection";
			return false;
		}
		left = str_slice(left, sent, left.len);
		struct pollfd ready = {.fd = attempt->fd, .events = POLLOUT};
		if (left.len > 0 && sent == 0) {
			if (!time_left(attempt)) {
				return false;
			}
			(void)poll(&ready, 1, STEP_MS);
		}
	}
	return true;
}

/* Whether the receiver still holds the connection; what it may say (TLS tickets) is read and passed over. */
static bool still_there(struct attempt *attempt, bool *out_ended)
{
	char bytes[512];
	size_t len = 0;
	CURLcode code;

	do {
		code = curl_easy_recv(attempt->channel->transfer.easy, bytes, sizeof(bytes), &len);
	} while (code == CURLE_OK && len > 0);
	*out_ended = code == CURLE_OK;
	if (code != CURLE_OK && code != CURLE_AGAIN) {
		attempt->problem = "the receiver refused the connection or broke it off";
		return false;
	}
	return true;
}

/* Waits until the receiver's system has all bytes. */
static bool await_confirmed(struct attempt *attempt)
{
	bool ended = false;

	for (;;) {
		int unconfirmed = 0;
		if (!still_there(attempt, &ended)) {
			return false;
		}
		if (ended) {
			attempt->problem = "the receiver closed the connection before it had all";
			return false;
		}
		if (ioctl(attempt->fd, SIOCOUTQ, &unconfirmed) != 0 || unconfirmed == 0) {
			return true;
		}
		if (!time_left(attempt)) {
			return false;
		}
		(void)usleep(CONFIRM_STEP_US);
	}
}

/* Ends our side and waits a moment for the other; a reset in that time means that not everything was read. */
static bool await_end(struct attempt *attempt)
{
	int64_t until_ns = clock_monotonic_ns() + LAST_WORD_NS;
	bool ended = false;

	if (shutdown(attempt->fd, SHUT_WR) != 0) {
		attempt->problem = "the receiver broke the connection off";
		return false;
	}
	while (clock_monotonic_ns() < until_ns) {
		struct pollfd ready = {.fd = attempt->fd, .events = POLLIN};
		if (atomic_load(attempt->channel->transfer.stop)) {
			attempt->problem = "stopped before it was clear that the receiver has it";
			return false;
		}
		(void)poll(&ready, 1, STEP_MS);
		if (!still_there(attempt, &ended)) {
			return false;
		}
		if (ended) {
			return true;
		}
	}
	return true;
}

/* With TLS 1.3 a receiver judges our certificate after we think that the connection stands: its refusal is waited for. */
static bool await_refusal(struct attempt *attempt)
{
	int64_t until_ns = clock_monotonic_ns() + REFUSAL_NS;
	bool ended = false;

	while (clock_monotonic_ns() < until_ns) {
		struct pollfd ready = {.fd = attempt->fd, .events = POLLIN};
		if (atomic_load(attempt->channel->transfer.stop)) {
			attempt->problem = "stopped before it was clear that the receiver has it";
			return false;
		}
		(void)poll(&ready, 1, STEP_MS);
		if (!still_there(attempt, &ended)) {
			return false;
		}
		if (ended) {
			attempt->problem = "the receiver closed the connection at once";
			return false;
		}
	}
	return true;
}

static bool connect_receiver(struct channel *channel, size_t count, struct channel_reply *out_reply)
{
	CURL *easy = channel->transfer.easy;
	struct error err;

	transfer_reset(&channel->transfer, channel->url.ptr, "http,https");
	if (transfer_identify(&channel->transfer, &err) != 0) {
		channel_reply_set(out_reply, FEED_RETRY, count, "%s", err.text);
		return false;
	}
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	CURLcode code = transfer_run(&channel->transfer);
	if (code != CURLE_OK) {
		transfer_failed(&channel->transfer, code, count, out_reply);
	}
	return code == CURLE_OK;
}

/* Closes the connection: libcurl keeps one that was made with CONNECT_ONLY as long as its handle. */
static void disconnect(struct channel *channel)
{
	const struct channel_settings *settings = channel->transfer.settings;
	const atomic_bool *stop = channel->transfer.stop;
	struct error ignored;

	transfer_done(&channel->transfer);
	/* without memory easy stays NULL, which the next send reports */
	(void)transfer_init(&channel->transfer, settings, stop, &ignored);
}

/* The frames of as many notices as fit. */
static size_t put_frames(struct channel *channel, const struct channel_message *message)
{
	size_t taken = 0;

	channel->how.test = message->test;
	channel->how.now_ns = message->now_ns;
	buf_clear(&channel->frames);
	for (; taken < message->notice_count; taken++) {
		size_t before = channel->frames.len;
		syslog_put_frame(message->notices[taken], &channel->how, &channel->frames);
		if (channel->frames.failed) {
			channel->frames.failed = false;
			buf_truncate(&channel->frames, before);
			break;
		}
	}
	return taken;
}

static void send_message(struct channel *channel, const struct channel_message *message,
			 struct channel_reply *out_reply)
{
	struct attempt attempt = {.channel = channel, .fd = -1};
	curl_socket_t fd = -1;

	size_t taken = put_frames(channel, message);
	if (taken == 0 || channel->transfer.easy == NULL) {
		channel_reply_set(out_reply, FEED_RETRY, 1, "no memory for the message");
		disconnect(channel);
		return;
	}
	attempt.end_ns = clock_monotonic_ns() + channel->transfer.settings->timeout_ns;
	if (!connect_receiver(channel, taken, out_reply)) {
		disconnect(channel);
		return;
	}
	(void)curl_easy_getinfo(channel->transfer.easy, CURLINFO_ACTIVESOCKET, &fd);
	attempt.fd = fd;
	bool taken_all = write_all(&attempt) && await_confirmed(&attempt) &&
			 (channel->tls ? await_refusal(&attempt) : await_end(&attempt));
	disconnect(channel);
	if (taken_all) {
		channel_reply_set(out_reply, FEED_DELIVERED, taken,
				  "the receiver's system has confirmed it");
	} else {
		channel_reply_set(out_reply, FEED_RETRY, taken, "%s", attempt.problem);
	}
}

const struct channel_type channel_syslog = {
	.name = "syslog",
	.batch = 100,
	.rate_counts_alert = true,
	.open = open_channel,
	.send = send_message,
	.close = close_channel,
};
