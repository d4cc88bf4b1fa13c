#include "correlator/notify/anchor-http.h"

int anchor_http_init(struct anchor_http *http, const struct channel_settings *settings,
		     const atomic_bool *stop, struct error *err)
{
	*http = (struct anchor_http){0};
	buf_init(&http->answer, FEED_RECEIPT_MAX);
	return transfer_init(&http->transfer, settings, stop, err);
}

void anchor_http_done(struct anchor_http *http)
{
	transfer_done(&http->transfer);
	buf_done(&http->answer);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
	struct anchor_http *http = owner;

	buf_put(&http->answer, bytes, size * count);
	http->too_large = http->answer.failed;
	return http->too_large ? 0 : size * count;
}

long anchor_http_post(struct anchor_http *http, const struct anchor_post *post,
		      struct anchor_reply *reply)
{
	struct transfer *transfer = &http->transfer;
	struct channel_reply failure = {0};
	struct error err;
	long status = 0;

	buf_clear(&http->answer);
	http->too_large = false;
	transfer_reset(transfer, post->url, "http,https");
	if (transfer_identify(transfer, &err) != 0) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "%s", err.text);
		return 0;
	}
	curl_easy_setopt(transfer->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(transfer->easy, CURLOPT_USERAGENT, "querytrail-notify");
	curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, post->body.ptr);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, http);
	if (!transfer_header(transfer, "Expect", "") ||
	    !transfer_header(transfer, "Content-Type", post->content_type)) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "no memory for a request");
		return 0;
	}
	CURLcode code = transfer_run(transfer);
	if (http->too_large) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "the answer has more than %d bytes",
				 FEED_RECEIPT_MAX);
		return 0;
	}
	if (code != CURLE_OK) {
		transfer_failed(transfer, code, 1, &failure);
		anchor_reply_set(reply, FEED_NOT_TAKEN, "%s", failure.text);
		return 0;
	}
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 0) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "an answer without a status");
	}
	return status;
}

struct str anchor_http_type(const struct anchor_http *http)
{
	char *type = NULL;

	(void)curl_easy_getinfo(http->transfer.easy, CURLINFO_CONTENT_TYPE, &type);
	return str_of(type);
}

struct str anchor_http_line(const struct anchor_http *http)
{
	struct str rest = buf_str(&http->answer);

	return str_slice(str_split(&rest, '\n'), 0, 200);
}
