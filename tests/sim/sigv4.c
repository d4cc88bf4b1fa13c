#include "tests/sim/sigv4.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/parse.h"

#include <stdlib.h>

#define QUERY_PAIRS_MAX 64
#define SEGMENTS_MAX    64

struct str sigv4_header(const struct sigv4_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (str_equal_fold(request->header[i].name, str_of(name))) {
			return request->header[i].value;
		}
	}
	return (struct str){0};
}

static size_t count_headers(const struct sigv4_request *request, struct str name)
{
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++) {
		count += str_equal_fold(request->header[i].name, name);
	}
	return count;
}

/* Takes "NAME=value" from a comma-separated list into *out; false when it is there twice. */
static bool take_part(struct str part, const char *name, struct str *out)
{
	struct str prefix = str_of(name);
	if (!str_has_prefix(part, prefix)) {
		return true;
	}
	if (out->ptr != NULL) {
		return false;
	}
	*out = str_slice(part, prefix.len, part.len - prefix.len);
	return true;
}

static bool names(struct str signed_headers, const char *name)
{
	struct str rest = signed_headers;
	while (rest.ptr != NULL) {
		if (str_is(str_split(&rest, ';'), name)) {
			return true;
		}
	}
	return false;
}

/* Every header that must be signed is named, every named one came, and the names are sorted. */
static bool good_headers(const struct sigv4_request *request, struct str signed_headers)
{
	struct str rest = signed_headers, last = {0};
	while (rest.ptr != NULL) {
		struct str name = str_split(&rest, ';');
		if (count_headers(request, name) == 0 || str_compare(last, name) >= 0) {
			return false;
		}
		last = name;
	}
	for (size_t i = 0; i < request->header_count; i++) {
		struct str name = request->header[i].name;
		char lower[64];
		if (name.len < 6 || name.len >= sizeof(lower) ||
		    !str_equal_fold(str_slice(name, 0, 6), STR_LIT("x-amz-"))) {
			continue;
		}
		for (size_t c = 0; c < name.len; c++) {
			lower[c] =
				(char)(name.ptr[c] >= 'A' && name.ptr[c] <= 'Z' ? name.ptr[c] + 32
										: name.ptr[c]);
		}
		lower[name.len] = '\0';
		if (!names(signed_headers, lower)) {
			return false;
		}
	}
	return names(signed_headers, "host");
}

enum sigv4_result sigv4_read(const struct sigv4_request *request, struct sigv4_claim *out_claim)
{
	struct str header = sigv4_header(request, "authorization");
	if (header.ptr == NULL) {
		return SIGV4_MISSING;
	}
	struct str method = STR_LIT("AWS4-HMAC-SHA256 ");
	struct str credential = {0};
	struct sigv4_claim claim = {
		.time = str_trim(sigv4_header(request, "x-amz-date")),
		.token = str_trim(sigv4_header(request, "x-amz-security-token"))};
	if (!str_has_prefix(header, method)) {
		return SIGV4_MALFORMED;
	}
	struct str rest = str_slice(header, method.len, header.len - method.len);
	while (rest.ptr != NULL) {
		struct str part = str_trim(str_split(&rest, ','));
		if (!take_part(part, "Credential=", &credential) ||
		    !take_part(part, "SignedHeaders=", &claim.signed_headers) ||
		    !take_part(part, "Signature=", &claim.signature)) {
			return SIGV4_MALFORMED;
		}
	}
	claim.access_key = str_split(&credential, '/');
	claim.date = str_split(&credential, '/');
	claim.region = str_split(&credential, '/');
	claim.service = str_split(&credential, '/');
	claim.terminator = credential;
	bool once = count_headers(request, STR_LIT("authorization")) == 1 &&
		    count_headers(request, STR_LIT("x-amz-date")) == 1 &&
		    count_headers(request, STR_LIT("host")) == 1;
	if (!once || claim.access_key.len == 0 || claim.signature.len != 64 ||
	    claim.time.len != 16 || !good_headers(request, claim.signed_headers)) {
		return SIGV4_MALFORMED;
	}
	*out_claim = claim;
	return SIGV4_OK;
}

/* The path with its dot segments resolved and each byte encoded that is not unreserved; the escapes in it are encoded again, as all
 * services but S3 want it. */
static void put_path(struct str path, struct buf *out)
{
	struct str segment[SEGMENTS_MAX];
	size_t count = 0;
	bool folder = false; /* the path ends in a slash */
	struct str rest = path;
	while (rest.ptr != NULL) {
		struct str part = str_split(&rest, '/');
		folder = part.len == 0 || str_is(part, ".") || str_is(part, "..");
		if (str_is(part, "..")) {
			count -= count > 0;
		} else if (!folder && count < SEGMENTS_MAX) {
			segment[count++] = part;
		}
	}
	for (size_t i = 0; i < count; i++) {
		buf_put_byte(out, '/');
		parse_put_percent(out, segment[i]);
	}
	if (count == 0 || folder) {
		buf_put_byte(out, '/');
	}
}

struct pair {
	struct str name, value;
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int by_name = str_compare(x->name, y->name);
	return by_name != 0 ? by_name : str_compare(x->value, y->value);
}

static struct str encode_again(struct str raw, struct buf *memory)
{
	/* decoded and encoded, so that "%2f" and "/" both become "%2F"; memory never moves: see put_query */
	struct buf plain;
	buf_init(&plain, 0);
	size_t start = memory->len;
	bool valid = parse_percent(raw, &plain);
	parse_put_percent(memory, valid ? buf_str(&plain) : raw);
	buf_done(&plain);
	return str_slice(buf_str(memory), start, memory->len - start);
}

static void put_query(struct str query, struct buf *out)
{
	struct pair pairs[QUERY_PAIRS_MAX];
	size_t count = 0;
	struct buf memory;
	buf_init(&memory, 0);
	/* reserved at once: slices of it are kept */
	bool reserved = buf_reserve(&memory, 3 * query.len + 1) == 0;
	struct str rest = query;
	while (reserved && rest.ptr != NULL && query.len > 0 && count < QUERY_PAIRS_MAX) {
		struct str value = str_split(&rest, '&');
		struct str name = str_split(&value, '=');
		pairs[count].name = encode_again(name, &memory);
		pairs[count].value = encode_again(value, &memory);
		count++;
	}
	qsort(pairs, count, sizeof(pairs[0]), compare_pairs);
	for (size_t i = 0; i < count; i++) {
		buf_put_text(out, i > 0 ? "&" : "");
		buf_put_str(out, pairs[i].name);
		buf_put_byte(out, '=');
		buf_put_str(out, pairs[i].value);
	}
	buf_done(&memory);
}

/* The value without outer white space, inner runs of spaces made one. */
static void put_value(struct str value, struct buf *out)
{
	struct str trimmed = str_trim(value);
	for (size_t i = 0; i < trimmed.len; i++) {
		if (trimmed.ptr[i] != ' ' || trimmed.ptr[i - 1] != ' ') {
			buf_put_byte(out, (uint8_t)trimmed.ptr[i]);
		}
	}
}

static void put_headers(const struct sigv4_request *request, struct str signed_headers,
			struct buf *out)
{
	struct str rest = signed_headers;
	while (rest.ptr != NULL) {
		struct str name = str_split(&rest, ';');
		buf_put_str(out, name);
		buf_put_byte(out, ':');
		bool first = true;
		for (size_t i = 0; i < request->header_count; i++) {
			if (!str_equal_fold(request->header[i].name, name)) {
				continue;
			}
			buf_put_text(out, first ? "" : ",");
			put_value(request->header[i].value, out);
			first = false;
		}
		buf_put_byte(out, '\n');
	}
}

static void put_digest(struct str bytes, struct buf *out)
{
	uint8_t digest[DIGEST_BYTES];
	digest_sha256(bytes, digest);
	buf_put_hex(out, str_make(digest, sizeof(digest)));
}

void sigv4_put_canonical(const struct sigv4_request *request, struct str signed_headers,
			 struct buf *out)
{
	struct str query = request->target;
	struct str path = str_split(&query, '?');
	buf_put_str(out, request->method);
	buf_put_byte(out, '\n');
	put_path(path, out);
	buf_put_byte(out, '\n');
	put_query(query, out);
	buf_put_byte(out, '\n');
	put_headers(request, signed_headers, out);
	buf_put_byte(out, '\n');
	buf_put_str(out, signed_headers);
	buf_put_byte(out, '\n');
	put_digest(request->body, out);
}

/* "20150830T123600Z" */
static bool read_time(struct str text, int64_t *out_ns)
{
	struct buf rfc;
	buf_init(&rfc, 64);
	buf_putf(&rfc, "%.*s-%.*s-%.*sT%.*s:%.*s:%.*sZ", 4, text.ptr, 2, text.ptr + 4, 2,
		 text.ptr + 6, 2, text.ptr + 9, 2, text.ptr + 11, 2, text.ptr + 13);
	bool good = text.ptr[8] == 'T' && text.ptr[15] == 'Z' &&
		    clock_parse_rfc3339(buf_str(&rfc), out_ns);
	buf_done(&rfc);
	return good;
}

static void sign(const struct sigv4_claim *claim, struct str secret, struct str to_sign,
		 struct buf *out)
{
	struct buf start;
	buf_init(&start, 0);
	buf_put_text(&start, "AWS4");
	buf_put_str(&start, secret);
	uint8_t key[DIGEST_BYTES];
	digest_hmac_sha256(buf_str(&start), claim->date, key);
	buf_done(&start);
	const struct str steps[] = {claim->region, claim->service, claim->terminator, to_sign};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint8_t next[DIGEST_BYTES];
		digest_hmac_sha256(str_make(key, sizeof(key)), steps[i], next);
		memcpy(key, next, sizeof(key));
	}
	buf_put_hex(out, str_make(key, sizeof(key)));
}

enum sigv4_result sigv4_check(const struct sigv4_request *request, const struct sigv4_claim *claim,
			      const struct sigv4_expect *expect)
{
	int64_t time_ns = 0;
	if (!read_time(claim->time, &time_ns)) {
		return SIGV4_MALFORMED;
	}
	if (time_ns < expect->now_ns - SIGV4_SKEW_NS || time_ns > expect->now_ns + SIGV4_SKEW_NS) {
		return SIGV4_SKEWED;
	}
	if (!str_equal(claim->date, str_slice(claim->time, 0, 8)) ||
	    !str_equal(claim->region, expect->region) ||
	    !str_equal(claim->service, expect->service) ||
	    !str_is(claim->terminator, "aws4_request")) {
		return SIGV4_SCOPE;
	}
	struct buf text, signature;
	buf_init(&text, 0);
	buf_init(&signature, 0);
	struct str body_digest = sigv4_header(request, "x-amz-content-sha256");
	put_digest(request->body, &text);
	bool same_body = body_digest.ptr == NULL || str_equal(body_digest, buf_str(&text));
	buf_clear(&text);
	sigv4_put_canonical(request, claim->signed_headers, &text);
	uint8_t digest[DIGEST_BYTES];
	digest_sha256(buf_str(&text), digest);
	buf_clear(&text);
	buf_putf(&text, "AWS4-HMAC-SHA256\n%.*s\n%.*s/%.*s/%.*s/%.*s\n", STR_ARG(claim->time),
		 STR_ARG(claim->date), STR_ARG(claim->region), STR_ARG(claim->service),
		 STR_ARG(claim->terminator));
	buf_put_hex(&text, str_make(digest, sizeof(digest)));
	sign(claim, expect->secret_key, buf_str(&text), &signature);
	bool good = same_body && !text.failed && !signature.failed &&
		    digest_equal(buf_str(&signature), claim->signature);
	buf_done(&text);
	buf_done(&signature);
	return good ? SIGV4_OK : SIGV4_MISMATCH;
}
