#include "correlator/notify/transfer.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <assert.h>

#define SECOND_MS 1000L

int transfer_global(struct error *err)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
		       ? 0
		       : error_set(err, ERR_NOMEM, "cannot set up libcurl");
}

int transfer_init(struct transfer *transfer, const struct channel_settings *settings,
		  const atomic_bool *stop, struct error *err)
{
	*transfer = (struct transfer){.settings = settings, .stop = stop, .easy = curl_easy_init()};
	return transfer->easy != NULL
		       ? 0
		       : error_set(err, ERR_NOMEM, "channel %s: cannot set up libcurl",
				   settings->name);
}

void transfer_done(struct transfer *transfer)
{
	curl_slist_free_all(transfer->headers);
	if (transfer->easy != NULL) {
		curl_easy_cleanup(transfer->easy);
	}
	*transfer = (struct transfer){0};
}

/* Appends what still belongs to the first line that is not empty. */
static void keep_line(char line[TRANSFER_LINE_MAX], const char *bytes, size_t len, bool *ended)
{
	size_t used = strlen(line);

	for (size_t i = 0; i < len && !*ended; i++) {
		bool is_end = bytes[i] == '\n' || bytes[i] == '\r';
		*ended = (is_end && used > 0) || used == TRANSFER_LINE_MAX - 1;
		if (!is_end && !*ended && bytes[i] != '\0') {
			line[used++] = bytes[i];
		}
	}
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
	struct transfer *transfer = owner;
	size_t len = size * count;
	bool ended = transfer->body_bytes > TRANSFER_LINE_MAX ||
		     strlen(transfer->line) == TRANSFER_LINE_MAX - 1;

	keep_line(transfer->line, bytes, len, &ended);
	transfer->body_bytes += len;
	transfer->too_large = transfer->body_bytes > TRANSFER_REPLY_MAX;
	return transfer->too_large ? 0 : len;
}

static int on_progress(void *owner, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
		       curl_off_t up)
{
	const struct transfer *transfer = owner;

	(void)down_total;
	(void)down;
	(void)up_total;
	(void)up;
	return atomic_load(transfer->stop);
}

void transfer_reset(struct transfer *transfer, const char *url, const char *protocols)
{
	CURL *easy = transfer->easy;
	const char *ca_file = channel_option(transfer->settings, "ca_file");

	curl_easy_reset(easy);
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	transfer->problem[0] = '\0';
	memset(transfer->line, 0, sizeof(transfer->line));
	memset(transfer->refused, 0, sizeof(transfer->refused));
	transfer->body_bytes = 0;
	transfer->too_large = false;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
			 1L); /* a name server that hangs holds up no end */
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->problem);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			 (long)(transfer->settings->timeout_ns / NS_PER_MS + 1));
	if (ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (strncmp(url, "https://", 8) != 0) {
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	}
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((uint8_t)*text < 0x20 || *text == 0x7f) {
			return true;
		}
	}
	return false;
}

bool transfer_header(struct transfer *transfer, const char *name, const char *value)
{
	struct buf line;
	bool fits = false;

	buf_init(&line, SECRET_MAX_BYTES + 256);
	buf_putf(&line, value[0] != '\0' ? "%s: %s" : "%s:", name, value);
	if (!line.failed && !has_control(line.ptr)) {
		struct curl_slist *more = curl_slist_append(transfer->headers, line.ptr);
		fits = more != NULL;
		transfer->headers = fits ? more : transfer->headers;
	}
	if (line.ptr != NULL) { /* it may be a token */
		explicit_bzero(line.ptr, line.capacity);
	}
	buf_done(&line);
	return fits;
}

/* The secret of an option as libcurl's option; nothing when it is not set. */
static int use_secret(struct transfer *transfer, const char *name, CURLoption option,
		      struct error *err)
{
	const char *path = channel_option(transfer->settings, name);
	struct secret secret;

	if (path == NULL) {
		return 0;
	}
	secret_init(&secret);
	int rc = secret_read(&secret, path, err);
	if (rc == 0) {
		curl_easy_setopt(transfer->easy, option, secret.ptr);
	}
	secret_done(&secret);
	return rc;
}

int transfer_identify(struct transfer *transfer, struct error *err)
{
	const char *certificate = channel_option(transfer->settings, "certificate_file");
	const char *key_file = channel_option(transfer->settings, "key_file");
	struct secret key;

	if (certificate == NULL && key_file == NULL) {
		return 0;
	}
	if (certificate == NULL || key_file == NULL) {
		return error_set(err, ERR_CONFIG,
				 "channel %s: certificate_file and key_file need each other",
				 transfer->settings->name);
	}
	secret_init(&key);
	int rc = secret_read(&key, key_file, err);
	if (rc == 0) {
		struct curl_blob blob = {.data = key.ptr, .len = key.len, .flags = CURL_BLOB_COPY};
		curl_easy_setopt(transfer->easy, CURLOPT_SSLCERT, certificate);
		curl_easy_setopt(transfer->easy, CURLOPT_SSLKEY_BLOB, &blob);
	}
	secret_done(&key);
	return rc;
}

int transfer_authorize(struct transfer *transfer, struct error *err)
{
	const char *user = channel_option(transfer->settings, "username");
	const bool has_token = strcmp(transfer->settings->type->name, "alertmanager") == 0;

	if (user != NULL) {
		curl_easy_setopt(transfer->easy, CURLOPT_USERNAME, user);
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	}
	int rc = use_secret(transfer, "password_file", CURLOPT_PASSWORD, err);
	if (rc == 0 && has_token && channel_option(transfer->settings, "token_file") != NULL) {
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		rc = use_secret(transfer, "token_file", CURLOPT_XOAUTH2_BEARER, err);
	}
	return rc;
}

CURLcode transfer_run(struct transfer *transfer)
{
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	CURLcode code = curl_easy_perform(transfer->easy);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
	return code;
}

void transfer_failed(const struct transfer *transfer, CURLcode code, size_t count,
		     struct channel_reply *out_reply)
{
	const char *why =
		transfer->problem[0] != '\0' ? transfer->problem : curl_easy_strerror(code);
	const char *what = "";

	switch (code) {
	case CURLE_ABORTED_BY_CALLBACK:
		channel_reply_set(out_reply, FEED_RETRY, count,
				  "stopped before the receiver had answered");
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		what = "the receiver's certificate is not accepted: ";
		break;
	case CURLE_LOGIN_DENIED:
		what = "the receiver refuses user and password: ";
		break;
	case CURLE_OPERATION_TIMEDOUT:
		what = "no answer in time: ";
		break;
	default:
		break;
	}
	channel_reply_set(out_reply, FEED_RETRY, count, "%s%s", what, why);
}

/* Whether a status is the receiver's trouble of the moment, so that the same message may be taken later. */
static bool passes_by(long status)
{
	return status < 300 || status >= 500 || status == 408 || status == 425 || status == 429;
}

/* A status means what RFC 9110 and Standard Webhooks say. */
static void judge(struct transfer *transfer, long status, size_t count,
		  struct channel_reply *out_reply)
{
	const char *gap = transfer->line[0] != '\0' ? ": " : "";
	curl_off_t after_s = 0;

	if (status >= 200 && status <= 299) {
		channel_reply_set(out_reply, FEED_DELIVERED, count, "HTTP %ld%s%s", status, gap,
				  transfer->line);
		return;
	}
	if (status == 410) {
		channel_reply_set(out_reply, FEED_DEAD, count,
				  "HTTP 410: the receiver wants no more messages%s%s", gap,
				  transfer->line);
		out_reply->gone = true;
		return;
	}
	if (status >= 300 && status <= 399) {
		channel_reply_set(out_reply, FEED_DEAD, count,
				  "HTTP %ld: redirects are not followed; put the new address into "
				  "the configuration",
				  status);
		return;
	}
	bool passes = passes_by(status);
	channel_reply_set(out_reply, passes ? FEED_RETRY : FEED_DEAD, count, "HTTP %ld%s%s", status,
			  gap, transfer->line);
	if (passes &&
	    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &after_s) == CURLE_OK &&
	    after_s > 0) {
		int64_t most_s = transfer->settings->retry_max_ns / NS_PER_SEC + 1;
		out_reply->retry_after_ns = (after_s < most_s ? after_s : most_s) * NS_PER_SEC;
	}
}

void transfer_post(struct transfer *transfer, struct str body, size_t count,
		   struct channel_reply *out_reply)
{
	long status = 0;

	curl_easy_setopt(transfer->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(transfer->easy, CURLOPT_USERAGENT, "querytrail-notify");
	curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, body.ptr);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	if (!transfer_header(transfer, "Expect", "") ||
	    !transfer_header(transfer, "Content-Type", "application/json")) {
		channel_reply_set(out_reply, FEED_RETRY, count, "no memory for a request");
		return;
	}
	CURLcode code = transfer_run(transfer);
	/* A status that has come is the receiver's answer, even when the rest never ends or breaks off. */
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK && (status == 0 || code == CURLE_ABORTED_BY_CALLBACK)) {
		transfer_failed(transfer, code, count, out_reply);
		return;
	}
	judge(transfer, status, count, out_reply);
}
