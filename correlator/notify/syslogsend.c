#include "correlator/notify/syslogsend.h"

#include "base/clock.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES_MAX      (8u << 20)
#define STEP_MS         100
#define CONFIRM_STEP_US 2000
#define REFUSAL_NS      (500 * NS_PER_MS)
#define LAST_WORD_NS    (2 * NS_PER_SEC) /* how long the receiver's end is waited for */

/* Our host name as RFC 5424 has it: printable ASCII, or "-". */
static void find_host(struct syslog_sender *sender)
{
	if (gethostname(sender->host, sizeof(sender->host) - 1) != 0) {
		sender->host[0] = '\0';
	}
	for (char *each = sender->host; *each != '\0'; each++) {
		if (*each <= ' ' || *each > '~') {
			*each = '?';
		}
	}
	if (sender->host[0] == '\0') {
		sender->host[0] = '-';
	}
}

int syslog_sender_init(struct syslog_sender *sender, const struct channel_settings *settings,
		       const atomic_bool *stop, struct error *err)
{
	const struct config *config = settings->config;
	const char *section = settings->section;
	const char *host = config_text(config, section, "host");
	bool brackets = strchr(host, ':') != NULL && host[0] != '[';

	*sender = (struct syslog_sender){.tls = config_bool(config, section, "tls")};
	find_host(sender);
	buf_init(&sender->url, 0);
	buf_init(&sender->frames, FRAMES_MAX);
	buf_putf(&sender->url, "%s://%s%s%s:%lld", sender->tls ? "https" : "http",
		 brackets ? "[" : "", host, brackets ? "]" : "",
		 (long long)config_int(config, section, "port"));
	return transfer_init(&sender->transfer, settings, stop, err);
}

void syslog_sender_done(struct syslog_sender *sender)
{
	transfer_done(&sender->transfer);
	buf_done(&sender->url);
	buf_done(&sender->frames);
}

/* Where a send stands: the connection, its end in time, and why it failed. */
struct attempt {
	struct syslog_sender *sender;
	int fd;
	int64_t end_ns; /* monotonic */
	const char *problem;
};

static bool time_left(struct attempt *attempt)
{
	if (atomic_load(attempt->sender->transfer.stop)) {
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
	struct str left = buf_str(&attempt->sender->frames);

	while (left.len > 0) {
		size_t sent = 0;
		CURLcode code =
			curl_easy_send(attempt->sender->transfer.easy, left.ptr, left.len, &sent);
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
		code = curl_easy_recv(attempt->sender->transfer.easy, bytes, sizeof(bytes), &len);
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
		if (atomic_load(attempt->sender->transfer.stop)) {
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
		if (atomic_load(attempt->sender->transfer.stop)) {
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

static bool connect_receiver(struct syslog_sender *sender, size_t count,
			     struct channel_reply *out_reply)
{
	CURL *easy = sender->transfer.easy;
	struct error err;

	transfer_reset(&sender->transfer, sender->url.ptr, "http,https");
	if (transfer_identify(&sender->transfer, &err) != 0) {
		channel_reply_set(out_reply, FEED_RETRY, count, "%s", err.text);
		return false;
	}
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	CURLcode code = transfer_run(&sender->transfer);
	if (code != CURLE_OK) {
		transfer_failed(&sender->transfer, code, count, out_reply);
	}
	return code == CURLE_OK;
}

/* Closes the connection: libcurl keeps one that was made with CONNECT_ONLY as long as its handle. */
static void disconnect(struct syslog_sender *sender)
{
	const struct channel_settings *settings = sender->transfer.settings;
	const atomic_bool *stop = sender->transfer.stop;
	struct error ignored;

	transfer_done(&sender->transfer);
	/* without memory easy stays NULL, which the next send reports */
	(void)transfer_init(&sender->transfer, settings, stop, &ignored);
}

void syslog_sender_send(struct syslog_sender *sender, size_t count, struct channel_reply *out_reply)
{
	struct attempt attempt = {.sender = sender, .fd = -1};
	curl_socket_t fd = -1;

	if (count == 0 || sender->frames.failed || sender->transfer.easy == NULL) {
		channel_reply_set(out_reply, FEED_RETRY, 1, "no memory for the message");
		disconnect(sender);
		return;
	}
	attempt.end_ns = clock_monotonic_ns() + sender->transfer.settings->timeout_ns;
	if (!connect_receiver(sender, count, out_reply)) {
		disconnect(sender);
		return;
	}
	(void)curl_easy_getinfo(sender->transfer.easy, CURLINFO_ACTIVESOCKET, &fd);
	attempt.fd = fd;
	bool taken_all = write_all(&attempt) && await_confirmed(&attempt) &&
			 (sender->tls ? await_refusal(&attempt) : await_end(&attempt));
	disconnect(sender);
	if (taken_all) {
		channel_reply_set(out_reply, FEED_DELIVERED, count,
				  "the receiver's system has confirmed it");
	} else {
		channel_reply_set(out_reply, FEED_RETRY, count, "%s", attempt.problem);
	}
}
