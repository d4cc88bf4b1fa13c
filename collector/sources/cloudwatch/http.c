#include "collector/sources/cloudwatch/http.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>

#define ERROR_TYPE_MAX 256

struct http {
	CURL *easy;
	struct buf body;
	bool too_large;
	int stop_fd;
	char error_type[ERROR_TYPE_MAX];
	int64_t date_ns;
	char problem[CURL_ERROR_SIZE];
};

int http_new(struct http **out_http, struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == 0) {
		buf_init(&http->body, HTTP_BODY_MAX);
		http->easy = curl_easy_init();
	}
	if (http == NULL || http->easy == NULL) {
		http_free(http);
		return error_set(err, ERR_NOMEM, "cannot set up libcurl");
	}
	*out_http = http;
	return 0;
}

void http_wipe(struct http *http)
{
	if (http->body.ptr != NULL) {
		explicit_bzero(http->body.ptr, http->body.capacity);
	}
	buf_done(&http->body);
	buf_init(&http->body, HTTP_BODY_MAX);
}

void http_free(struct http *http)
{
	if (http == NULL) {
		return;
	}
	if (http->easy != NULL) {
		curl_easy_cleanup(http->easy);
	}
	buf_done(&http->body);
	free(http);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
	struct http *http = owner;

	buf_put(&http->body, bytes, size * count);
	if (http->body.failed) {
		http->too_large = true;
		return 0;
	}
	return size * count;
}

/* The value of a header line of that name, or NULL ptr. */
static struct str header_value(struct str line, const char *name)
{
	struct str rest = line;
	struct str found = str_split(&rest, ':');

	return str_equal_fold(found, str_of(name)) && rest.ptr != NULL ? str_trim(rest)
								       : (struct str){0};
}

static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
	struct http *http = owner;
	struct str line = str_make(bytes, size * count);
	struct str type = header_value(line, "x-amzn-errortype");
	struct str date = header_value(line, "date");

	if (str_has_prefix(line, STR_LIT("HTTP/"))) { /* a new answer, after "100 Continue" */
		http->error_type[0] = '\0';
		http->date_ns = 0;
	}
	if (type.len > 0 && type.len < sizeof(http->error_type)) {
		memcpy(http->error_type, type.ptr, type.len);
		http->error_type[type.len] = '\0';
	}
	if (date.len > 0 && date.len < 64) {
		char text[64] = {0};
		memcpy(text, date.ptr, date.len);
		time_t seconds = curl_getdate(text, NULL);
		http->date_ns = seconds > 0 ? (int64_t)seconds * NS_PER_SEC : 0;
	}
	return size * count;
}

static int on_progress(void *owner, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
		       curl_off_t up)
{
	const struct http *http = owner;
	struct pollfd stop = {.fd = http->stop_fd, .events = POLLIN};

	(void)down_total;
	(void)down;
	(void)up_total;
	(void)up;
	return http->stop_fd > 0 && poll(&stop, 1, 0) > 0;
}

static int failed(const struct http *http, CURLcode code, const struct http_request *request,
		  struct error *err)
{
	const char *why = http->problem[0] != '\0' ? http->problem : curl_easy_strerror(code);

	switch (code) {
	case CURLE_ABORTED_BY_CALLBACK:
		return error_set(err, ERR_CANCELLED, "asked to stop");
	case CURLE_WRITE_ERROR:
		return error_set(err, http->too_large ? ERR_INPUT : ERR_NOMEM,
				 "the reply of %s is larger than %u bytes", request->url,
				 HTTP_BODY_MAX);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return error_set(err, ERR_CONFIG, "the certificate of %s is not accepted: %s",
				 request->url, why);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_NOT_BUILT_IN:
		return error_set(err, ERR_CONFIG, "the URL %s cannot be used: %s", request->url,
				 why);
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_HTTP2:
		return error_set(err, ERR_INPUT, "%s does not speak HTTP: %s", request->url, why);
	case CURLE_OUT_OF_MEMORY:
		return error_set(err, ERR_NOMEM, "no memory for a request to %s", request->url);
	default:
		return error_set(err, ERR_AGAIN, "cannot reach %s: %s", request->url, why);
	}
}

static void set_transport(struct http *http, const struct http_request *request)
{
	CURL *easy = http->easy;
	const char *bundle = getenv("AWS_CA_BUNDLE");

	curl_easy_reset(easy); /* keeps connections and TLS sessions */
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	if (strncmp(request->url, "http://", 7) ==
	    0) { /* link-local services, and tests: never by a proxy */
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	}
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->problem);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ns / NS_PER_MS + 1));
	if (request->ca_file != NULL && request->ca_file[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	} else if (bundle != NULL && bundle[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, http);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

static void set_method(struct http *http, const struct http_request *request)
{
	CURL *easy = http->easy;

	if (strcmp(request->method, "GET") == 0) {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		return;
	}
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len > 0 ? request->body.ptr : "");
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
}

/* The headers as libcurl's list, with its own ones switched off; NULL without memory. */
static struct curl_slist *header_list(const struct http_request *request)
{
	struct curl_slist *list = curl_slist_append(NULL, "Accept:");
	struct curl_slist *more = list != NULL ? curl_slist_append(list, "Expect:") : NULL;

	for (size_t i = 0; i < request->header_count && more != NULL; i++) {
		more = curl_slist_append(list, request->headers[i]);
	}
	if (more == NULL) {
		curl_slist_free_all(list);
		return NULL;
	}
	return list;
}

int http_send(struct http *http, const struct http_request *request, struct http_reply *out_reply,
	      struct error *err)
{
	struct curl_slist *headers = header_list(request);
	long status = 0;

	if (headers == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a request to %s", request->url);
	}
	buf_clear(&http->body);
	http->too_large = false;
	http->stop_fd = request->stop_fd;
	http->error_type[0] = '\0';
	http->date_ns = 0;
	http->problem[0] = '\0';
	set_transport(http, request);
	set_method(http, request);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
	CURLcode code = curl_easy_perform(http->easy);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (code != CURLE_OK) {
		return failed(http, code, request, err);
	}
	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	*out_reply = (struct http_reply){.status = status,
					 .body = buf_str(&http->body),
					 .error_type = http->error_type,
					 .date_ns = http->date_ns};
	return 0;
}
