#include "collector/sources/cloudwatch/sigv4.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/parse.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define SEGMENTS_MAX   64
#define SECRET_KEY_MAX 512

void sigv4_date(int64_t time_ns, char out[SIGV4_DATE_CHARS])
{
	struct civil civil;

	clock_to_civil(time_ns, &civil);
	int len = snprintf(out, SIGV4_DATE_CHARS, "%04d%02d%02dT%02d%02d%02dZ", civil.year % 10000,
			   civil.month % 100, civil.day % 100, civil.hour % 100, civil.minute % 100,
			   civil.second % 100);
	assert(len == SIGV4_DATE_CHARS - 1);
}

/* Removes dot segments and empty ones, and escapes the rest; a slash at the end stays. */
static int put_path(struct str path, struct buf *out, struct error *err)
{
	struct str segments[SEGMENTS_MAX];
	size_t count = 0;
	struct str rest = path;
	bool slash_at_end = path.len == 0 || path.ptr[path.len - 1] == '/';

	while (rest.ptr != NULL) {
		struct str segment = str_split(&rest, '/');
		bool dots = str_is(segment, ".") || str_is(segment, "..");
		if (dots && rest.ptr == NULL) {
			slash_at_end = true;
		}
		if (str_is(segment, "..") && count > 0) {
			count--;
		}
		if (segment.len == 0 || dots) {
			continue;
		}
		if (count == SEGMENTS_MAX) {
			return error_set(err, ERR_LIMIT, "a path to sign has more than %d parts",
					 SEGMENTS_MAX);
		}
		segments[count++] = segment;
	}
	for (size_t i = 0; i < count; i++) {
		buf_put_byte(out, '/');
		parse_put_percent(out, segments[i]);
	}
	if (count == 0 || slash_at_end) {
		buf_put_byte(out, '/');
	}
	return 0;
}

struct param {
	size_t name_start, name_len, value_start, value_len; /* in a buf of escaped text */
	const struct buf *text;
};

static int compare_params(const void *left, const void *right)
{
	const struct param *a = left;
	const struct param *b = right;
	int order = str_compare(str_make(a->text->ptr + a->name_start, a->name_len),
				str_make(b->text->ptr + b->name_start, b->name_len));

	return order != 0 ? order
			  : str_compare(str_make(a->text->ptr + a->value_start, a->value_len),
					str_make(b->text->ptr + b->value_start, b->value_len));
}

/* Escapes names and values into text and sorts them by their escaped form. */
static int read_params(struct str query, struct buf *text, struct param *params, size_t *out_count,
		       struct error *err)
{
	size_t count = 0;
	struct str rest = query;

	while (rest.ptr != NULL && query.len > 0) {
		struct str value = str_split(&rest, '&');
		struct str name = str_split(&value, '=');
		if (count == SIGV4_PARAMS_MAX) {
			return error_set(err, ERR_LIMIT, "a query to sign has more than %d parts",
					 SIGV4_PARAMS_MAX);
		}
		struct param *param = &params[count++];
		param->text = text;
		param->name_start = text->len;
		parse_put_percent(text, name);
		param->name_len = text->len - param->name_start;
		param->value_start = text->len;
		parse_put_percent(text, value);
		param->value_len = text->len - param->value_start;
	}
	*out_count = count;
	return buf_check(text, "a query to sign", err);
}

static int put_query(struct str query, struct buf *out, struct error *err)
{
	struct param params[SIGV4_PARAMS_MAX];
	struct buf text;
	size_t count = 0;

	buf_init(&text, 65536);
	buf_put_text(&text, "");
	int rc = read_params(query, &text, params, &count, err);
	if (rc == 0) {
		qsort(params, count, sizeof(params[0]), compare_params);
		for (size_t i = 0; i < count; i++) {
			buf_put_text(out, i > 0 ? "&" : "");
			buf_put(out, text.ptr + params[i].name_start, params[i].name_len);
			buf_put_byte(out, '=');
			buf_put(out, text.ptr + params[i].value_start, params[i].value_len);
		}
	}
	buf_done(&text);
	return rc;
}

struct indexed_header {
	const struct sigv4_header *header;
	size_t index; /* equal names keep their order */
};

static int compare_names(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < len; i++) {
		int left = a.ptr[i] >= 'A' && a.ptr[i] <= 'Z' ? a.ptr[i] + 32 : a.ptr[i];
		int right = b.ptr[i] >= 'A' && b.ptr[i] <= 'Z' ? b.ptr[i] + 32 : b.ptr[i];
		if (left != right) {
			return left - right;
		}
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int compare_headers(const void *left, const void *right)
{
	const struct indexed_header *a = left;
	const struct indexed_header *b = right;
	int order = compare_names(a->header->name, b->header->name);

	return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static int sort_headers(const struct sigv4_request *request,
			struct indexed_header sorted[SIGV4_HEADERS_MAX], struct error *err)
{
	if (request->header_count > SIGV4_HEADERS_MAX) {
		return error_set(err, ERR_LIMIT, "a request to sign has more than %d headers",
				 SIGV4_HEADERS_MAX);
	}
	for (size_t i = 0; i < request->header_count; i++) {
		sorted[i] = (struct indexed_header){.header = &request->headers[i], .index = i};
	}
	qsort(sorted, request->header_count, sizeof(sorted[0]), compare_headers);
	return 0;
}

static bool same_name(const struct indexed_header *sorted, size_t i)
{
	return i > 0 && compare_names(sorted[i].header->name, sorted[i - 1].header->name) == 0;
}

static void put_lower(struct buf *out, struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		buf_put_byte(out, (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c));
	}
}

/* Without white space around it, and with one space for each run of it inside. */
static void put_header_value(struct buf *out, struct str value)
{
	struct str text = str_trim(value);

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != ' ' || text.ptr[i - 1] != ' ') {
			buf_put_byte(out, (uint8_t)text.ptr[i]);
		}
	}
}

static void put_headers(const struct indexed_header *sorted, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (same_name(sorted, i)) {
			buf_put_byte(out, ',');
		} else {
			buf_put_text(out, i > 0 ? "\n" : "");
			put_lower(out, sorted[i].header->name);
			buf_put_byte(out, ':');
		}
		put_header_value(out, sorted[i].header->value);
	}
	buf_put_text(out, count > 0 ? "\n" : "");
}

static void put_signed_names(const struct indexed_header *sorted, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (!same_name(sorted, i)) {
			buf_put_text(out, i > 0 ? ";" : "");
			put_lower(out, sorted[i].header->name);
		}
	}
}

static void put_digest(struct buf *out, struct str bytes)
{
	uint8_t digest[DIGEST_BYTES];

	digest_sha256(bytes, digest);
	buf_put_hex(out, str_make(digest, sizeof(digest)));
}

int sigv4_canonical_request(const struct sigv4_request *request, struct buf *out, struct error *err)
{
	struct indexed_header sorted[SIGV4_HEADERS_MAX];

	int rc = sort_headers(request, sorted, err);
	if (rc != 0) {
		return rc;
	}
	buf_put_text(out, request->method);
	buf_put_byte(out, '\n');
	rc = put_path(request->path, out, err);
	if (rc != 0) {
		return rc;
	}
	buf_put_byte(out, '\n');
	rc = put_query(request->query, out, err);
	if (rc != 0) {
		return rc;
	}
	buf_put_byte(out, '\n');
	put_headers(sorted, request->header_count, out);
	buf_put_byte(out, '\n');
	put_signed_names(sorted, request->header_count, out);
	buf_put_byte(out, '\n');
	put_digest(out, request->body);
	return buf_check(out, "the canonical request", err);
}

static void put_scope(const struct sigv4_scope *scope, const char *date, struct buf *out)
{
	buf_putf(out, "%.8s/%s/%s/aws4_request", date, scope->region, scope->service);
}

int sigv4_string_to_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
			 struct buf *out, struct error *err)
{
	struct buf canonical;
	char date[SIGV4_DATE_CHARS];

	buf_init(&canonical, 1u << 20);
	int rc = sigv4_canonical_request(request, &canonical, err);
	if (rc == 0) {
		sigv4_date(scope->time_ns, date);
		buf_putf(out, "AWS4-HMAC-SHA256\n%s\n", date);
		put_scope(scope, date, out);
		buf_put_byte(out, '\n');
		put_digest(out, buf_str(&canonical));
		rc = buf_check(out, "the string to sign", err);
	}
	buf_done(&canonical);
	return rc;
}

/* The chain of keys from the secret to the day, region and service. */
static int signing_key(const struct sigv4_scope *scope, const char *date, struct str secret_key,
		       uint8_t out_key[DIGEST_BYTES], struct error *err)
{
	char first[4 + SECRET_KEY_MAX];

	if (secret_key.len > SECRET_KEY_MAX) {
		return error_set(err, ERR_LIMIT, "the secret access key is longer than %d bytes",
				 SECRET_KEY_MAX);
	}
	memcpy(first, "AWS4", 4);
	if (secret_key.len > 0) {
		memcpy(first + 4, secret_key.ptr, secret_key.len);
	}
	struct str key = str_make(out_key, DIGEST_BYTES);
	digest_hmac_sha256(str_make(first, 4 + secret_key.len), str_make(date, 8), out_key);
	digest_hmac_sha256(key, str_of(scope->region), out_key);
	digest_hmac_sha256(key, str_of(scope->service), out_key);
	digest_hmac_sha256(key, STR_LIT("aws4_request"), out_key);
	explicit_bzero(first, sizeof(first));
	return 0;
}

int sigv4_authorization(const struct sigv4_request *request, const struct sigv4_scope *scope,
			const struct sigv4_key *key, struct buf *out, struct error *err)
{
	struct indexed_header sorted[SIGV4_HEADERS_MAX];
	struct buf to_sign;
	char date[SIGV4_DATE_CHARS];
	uint8_t day_key[DIGEST_BYTES];
	uint8_t signature[DIGEST_BYTES];

	buf_init(&to_sign, 4096);
	sigv4_date(scope->time_ns, date);
	int rc = sort_headers(request, sorted, err);
	if (rc == 0) {
		rc = sigv4_string_to_sign(request, scope, &to_sign, err);
	}
	if (rc == 0) {
		rc = signing_key(scope, date, key->secret_key, day_key, err);
	}
	if (rc == 0) {
		digest_hmac_sha256(str_make(day_key, sizeof(day_key)), buf_str(&to_sign),
				   signature);
		buf_putf(out, "AWS4-HMAC-SHA256 Credential=%.*s/", STR_ARG(key->access_key_id));
		put_scope(scope, date, out);
		buf_put_text(out, ", SignedHeaders=");
		put_signed_names(sorted, request->header_count, out);
		buf_put_text(out, ", Signature=");
		buf_put_hex(out, str_make(signature, sizeof(signature)));
		rc = buf_check(out, "the Authorization header", err);
	}
	explicit_bzero(day_key, sizeof(day_key));
	buf_done(&to_sign);
	return rc;
}
