/* Our signatures are those of AWS's own test suite. */
#include "collector/sources/cloudwatch/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct vector {
	const char *name, *method, *target, *headers, *body, *authorization;
} vectors[] = {
#define VECTOR(name, method, target, headers, body, authorization) \
	{name, method, target, headers, body, authorization},
#include "tests/unit/sigv4-vectors.def"
#undef VECTOR
};

static const struct sigv4_scope scope = {
	.region = "us-east-1", .service = "service", .time_ns = INT64_C(1440938160) * NS_PER_SEC};
static const struct sigv4_key key = {
	.access_key_id = {.ptr = "AKIDEXAMPLE", .len = 11},
	.secret_key = {.ptr = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", .len = 40}};

/* Reads a vector; headers must hold SIGV4_HEADERS_MAX. */
static struct sigv4_request read_vector(const struct vector *vector, struct sigv4_header *headers)
{
	struct str query = str_of(vector->target);
	struct str path = str_split(&query, '?');
	struct sigv4_request request = {.method = vector->method,
					.path = path,
					.query = query,
					.headers = headers,
					.body = str_of(vector->body)};
	struct str rest = str_of(vector->headers);

	while (rest.len > 0) {
		struct str value = str_split(&rest, '\n');
		struct str name = str_split(&value, ':');
		assert_true(request.header_count < SIGV4_HEADERS_MAX);
		if (str_is(name, "Content-Length")) {
			continue; /* the suite does not sign it, and here all headers given are signed */
		}
		headers[request.header_count++] = (struct sigv4_header){name, value};
	}
	return request;
}

/* Every vector of the suite gives its Authorization header. */
static void test_vectors(void **state)
{
	(void)state;
	size_t count = sizeof(vectors) / sizeof(vectors[0]);
	assert_true(count >= 20);
	for (size_t i = 0; i < count; i++) {
		struct sigv4_header headers[SIGV4_HEADERS_MAX];
		struct sigv4_request request = read_vector(&vectors[i], headers);
		struct buf out;
		struct error err;
		buf_init(&out, 0);
		assert_int_equal(sigv4_authorization(&request, &scope, &key, &out, &err), 0);
		if (!str_is(buf_str(&out), vectors[i].authorization)) {
			fail_msg("%s: %s", vectors[i].name, out.ptr);
		}
		buf_done(&out);
	}
}

/* Another secret, body, header, time or region gives another signature. */
static void test_everything_is_signed(void **state)
{
	(void)state;
	struct sigv4_header headers[] = {{STR_LIT("Host"), STR_LIT("h")},
					 {STR_LIT("X-Amz-Date"), STR_LIT("20150830T123600Z")}};
	struct sigv4_request base = {
		.method = "POST", .headers = headers, .header_count = 2, .body = STR_LIT("{}")};
	struct sigv4_header other_headers[] = {{STR_LIT("Host"), STR_LIT("i")}, headers[1]};
	struct sigv4_request requests[4] = {base, base, base, base};
	struct sigv4_scope other_region = scope;
	struct sigv4_key other_key = key;
	struct buf out[6];
	struct error err;

	requests[1].body = STR_LIT("{ }");
	requests[2].headers = other_headers;
	requests[3].query = STR_LIT("a=b");
	other_region.region = "eu-north-1";
	other_key.secret_key = STR_LIT("another");
	for (size_t i = 0; i < 6; i++) {
		buf_init(&out[i], 0);
		assert_int_equal(sigv4_authorization(&requests[i < 4 ? i : 0],
						     i == 4 ? &other_region : &scope,
						     i == 5 ? &other_key : &key, &out[i], &err),
				 0);
	}
	for (size_t i = 1; i < 6; i++) {
		struct str first = str_slice(buf_str(&out[0]), out[0].len - 64, 64);
		assert_false(str_equal(first, str_slice(buf_str(&out[i]), out[i].len - 64, 64)));
	}
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(str_find(buf_str(&out[i]), key.secret_key, 0), -1);
		buf_done(&out[i]);
	}
}

/* Dot segments and empty ones leave the path; what is not unreserved is escaped once. */
static void test_path(void **state)
{
	(void)state;
	static const char *const paths[][2] = {{"", "/"},
					       {"/", "/"},
					       {"//", "/"},
					       {"/a/../..", "/"},
					       {"/./a//b/", "/a/b/"},
					       {"/a b", "/a%20b"},
					       {"/a/.", "/a/"},
					       {"/\xe1\x88\xb4", "/%E1%88%B4"}};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct sigv4_request request = {.method = "GET", .path = str_of(paths[i][0])};
		struct buf out;
		struct error err;
		buf_init(&out, 0);
		assert_int_equal(sigv4_canonical_request(&request, &out, &err), 0);
		struct str rest = buf_str(&out);
		assert_true(str_is(str_split(&rest, '\n'), "GET"));
		struct str path = str_split(&rest, '\n');
		if (!str_is(path, paths[i][1])) {
			fail_msg("%s: %.*s", paths[i][0], STR_ARG(path));
		}
		buf_done(&out);
	}
}

/* Too many headers, parameters or path segments, and too long a secret, are ERR_LIMIT. */
static void test_limits(void **state)
{
	(void)state;
	struct sigv4_header headers[SIGV4_HEADERS_MAX + 1];
	struct sigv4_request request = {
		.method = "GET", .headers = headers, .header_count = SIGV4_HEADERS_MAX + 1};
	struct buf out;
	struct buf many;
	struct error err;
	struct sigv4_key long_key = key;

	for (size_t i = 0; i <= SIGV4_HEADERS_MAX; i++) {
		headers[i] = (struct sigv4_header){STR_LIT("a"), STR_LIT("b")};
	}
	buf_init(&out, 0);
	buf_init(&many, 0);
	assert_int_equal(sigv4_authorization(&request, &scope, &key, &out, &err), -ERR_LIMIT);
	request.header_count = 0;
	buf_put_fill(&many, '&', SIGV4_PARAMS_MAX + 1);
	request.query = buf_str(&many);
	assert_int_equal(sigv4_canonical_request(&request, &out, &err), -ERR_LIMIT);
	request.query = (struct str){0};
	for (int i = 0; i < 70; i++) {
		buf_put_text(&many, "/a");
	}
	request.path = buf_str(&many);
	assert_int_equal(sigv4_string_to_sign(&request, &scope, &out, &err), -ERR_LIMIT);
	request.path = (struct str){0};
	buf_put_fill(&many, 'k', 600);
	long_key.secret_key = buf_str(&many);
	assert_int_equal(sigv4_authorization(&request, &scope, &long_key, &out, &err), -ERR_LIMIT);
	buf_done(&many);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_everything_is_signed),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
