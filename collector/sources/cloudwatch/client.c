#include "collector/sources/cloudwatch/client.h"

#include "base/clock.h"
#include "collector/sources/cloudwatch/sigv4.h"

#include <stdio.h>

#define SKEW_MIN_NS (30 * NS_PER_SEC)
#define HEADERS     6
#define TEXT_MAX    65536

/* The parts of "https://host:port/path?query". False when it is no such URL. */
static bool split_url(const char *url, struct str *out_host, struct str *out_path)
{
	struct str rest = str_of(url);
	ptrdiff_t scheme = str_find(rest, STR_LIT("://"), 0);

	if (scheme <= 0) {
		return false;
	}
	rest = str_slice(rest, (size_t)scheme + 3, rest.len);
	ptrdiff_t slash = str_find_byte(rest, '/', 0);
	*out_host = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash);
	*out_path = slash < 0 ? STR_LIT("/") : str_slice(rest, (size_t)slash, rest.len);
	return out_host->len > 0 && str_find_byte(*out_host, '@', 0) < 0 &&
	       str_find_byte(rest, '?', 0) < 0 && str_find_byte(rest, '#', 0) < 0;
}

struct signed_headers {
	struct sigv4_header header[HEADERS];
	size_t count;
	struct buf text; /* "Name: value\0" of each, one behind the other */
	const char *lines[HEADERS + 1];
	struct buf authorization;
	char date[SIGV4_DATE_CHARS];
};

static void add_header(struct signed_headers *headers, const char *name, struct str value)
{
	if (value.len > 0) {
		headers->header[headers->count++] =
			(struct sigv4_header){.name = str_of(name), .value = value};
	}
}

/* Fills in the headers of one try, and their signature. */
static int sign(const struct client *client, const struct client_call *call,
		struct signed_headers *headers, struct error *err)
{
	struct str host;
	struct str path;
	int64_t time_ns = call->now_ns + client->skew_ns;

	if (!split_url(call->url, &host, &path)) {
		return error_set(err, ERR_CONFIG, "\"%s\" is no URL of a service", call->url);
	}
	headers->count = 0;
	add_header(headers, "Host", host);
	add_header(headers, "Content-Type", str_of(call->content_type));
	add_header(headers, "X-Amz-Target", str_of(call->target));
	if (call->credentials == NULL) {
		return 0;
	}
	sigv4_date(time_ns, headers->date);
	add_header(headers, "X-Amz-Date", str_of(headers->date));
	add_header(headers, "X-Amz-Security-Token", secret_peek(&call->credentials->session_token));
	struct sigv4_request request = {.method = "POST",
					.path = path,
					.headers = headers->header,
					.header_count = headers->count,
					.body = call->body};
	struct sigv4_scope scope = {
		.region = call->region, .service = call->service, .time_ns = time_ns};
	buf_clear(&headers->authorization);
	struct sigv4_key key = {.access_key_id = str_of(call->credentials->access_key_id),
				.secret_key = secret_peek(&call->credentials->secret_key)};
	return sigv4_authorization(&request, &scope, &key, &headers->authorization, err);
}

static bool has_line_end(struct str value)
{
	return str_find_byte(value, '\r', 0) >= 0 || str_find_byte(value, '\n', 0) >= 0;
}

/* The header lines as libcurl takes them. */
static int put_lines(struct signed_headers *headers, size_t *out_count, struct error *err)
{
	size_t starts[HEADERS + 1];
	size_t count = 0;

	buf_clear(&headers->text);
	for (size_t i = 0; i < headers->count; i++) {
		if (has_line_end(headers->header[i].value)) {
			return error_set(err, ERR_CONFIG, "the header %.*s would hold a line end",
					 STR_ARG(headers->header[i].name));
		}
		starts[count++] = headers->text.len;
		buf_put_str(&headers->text, headers->header[i].name);
		buf_put_text(&headers->text, ": ");
		buf_put_str(&headers->text, headers->header[i].value);
		buf_put_byte(&headers->text, 0);
	}
	if (headers->authorization.len > 0) {
		starts[count++] = headers->text.len;
		buf_put_text(&headers->text, "Authorization: ");
		buf_put_str(&headers->text, buf_str(&headers->authorization));
		buf_put_byte(&headers->text, 0);
	}
	int rc = buf_check(&headers->text, "the headers of a call", err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		headers->lines[i] = headers->text.ptr + starts[i];
	}
	*out_count = count;
	return rc;
}

static int send_once(struct client *client, const struct client_call *call,
		     struct signed_headers *headers, struct http_reply *out_reply,
		     struct error *err)
{
	size_t count = 0;
	int rc = sign(client, call, headers, err);

	if (rc == 0) {
		rc = put_lines(headers, &count, err);
	}
	if (rc == 0) {
		struct http_request request = {.method = "POST",
					       .url = call->url,
					       .headers = headers->lines,
					       .header_count = count,
					       .body = call->body,
					       .ca_file = client->ca_file,
					       .timeout_ns = call->timeout_ns,
					       .stop_fd = call->stop_fd};
		rc = http_send(client->http, &request, out_reply, err);
	}
	return rc;
}

/* Whether the reply shows another clock than the one that was signed with; then takes over the difference. */
static bool learn_skew(struct client *client, const struct client_call *call,
		       const struct http_reply *reply)
{
	if (reply->date_ns == 0) {
		return false;
	}
	int64_t skew_ns = reply->date_ns - call->now_ns;
	int64_t change_ns = skew_ns - client->skew_ns;
	if (change_ns < SKEW_MIN_NS && change_ns > -SKEW_MIN_NS) {
		return false;
	}
	client->skew_ns = skew_ns;
	return true;
}

int client_call(struct client *client, const struct client_call *call, struct http_reply *out_reply,
		enum awserror_kind *out_kind, struct error *err)
{
	struct signed_headers headers = {0};
	struct http_reply reply = {0};

	*out_kind = AWSERROR_NONE;
	buf_init(&headers.text, 2 * TEXT_MAX);
	buf_init(&headers.authorization, TEXT_MAX);
	int rc = send_once(client, call, &headers, &reply, err);
	if (rc == 0) {
		*out_kind = awserror_of(&reply, call->what, err);
		bool skewed = *out_kind == AWSERROR_SKEW || *out_kind == AWSERROR_EXPIRED;
		if (skewed && call->credentials != NULL && learn_skew(client, call, &reply)) {
			rc = send_once(client, call, &headers, &reply, err);
			*out_kind = rc == 0 ? awserror_of(&reply, call->what, err) : AWSERROR_NONE;
		}
	}
	if (headers.text.ptr != NULL) {
		explicit_bzero(headers.text.ptr,
			       headers.text.capacity); /* it held the session token */
	}
	buf_done(&headers.text);
	buf_done(&headers.authorization);
	if (rc == 0 && *out_kind != AWSERROR_NONE) {
		rc = -err->code;
	}
	if (rc == 0) {
		*out_reply = reply;
	}
	return rc;
}
