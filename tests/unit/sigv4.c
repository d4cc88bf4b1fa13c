#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/sigv4.h"

#include "base/clock.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

struct vector {
	const char *name, *method, *target, *headers, *body, *authorization;
};

static const struct vector vectors[] = {
#define VECTOR(name, method, target, headers, body, authorization) \
	{name, method, target, headers, body, authorization},
#include "tests/unit/sigv4-vectors.def"
#undef VECTOR
};

static void read_vector(const struct vector *vector, struct sigv4_request *out)
{
	*out = (struct sigv4_request){.method = str_of(vector->method),
				      .target = str_of(vector->target),
				      .body = str_of(vector->body)};
	struct str rest = str_of(vector->headers);
	while (rest.len > 0) {
		struct str value = str_split(&rest, '\n');
		struct str name = str_split(&value, ':');
		out->header[out->header_count++] = (struct sigv4_header){name, value};
	}
	out->header[out->header_count++] =
		(struct sigv4_header){STR_LIT("Authorization"), str_of(vector->authorization)};
}

static struct sigv4_expect expect_at(const char *time)
{
	struct sigv4_expect expect = {.secret_key = STR_LIT(SECRET),
				      .region = STR_LIT("us-east-1"),
				      .service = STR_LIT("service")};
	assert_true(clock_parse_rfc3339(str_of(time), &expect.now_ns));
	return expect;
}

static enum sigv4_result check(const struct sigv4_request *request,
			       const struct sigv4_expect *expect)
{
	struct sigv4_claim claim;
	enum sigv4_result result = sigv4_read(request, &claim);
	return result == SIGV4_OK ? sigv4_check(request, &claim, expect) : result;
}

static const struct vector *vanilla(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		if (strcmp(vectors[i].name, "post-vanilla") == 0) {
			return &vectors[i];
		}
	}
	fail_msg("the vector is there");
	return NULL;
}

static void test_vectors(void **state)
{
	/* proves that the verifier accepts every request of AWS's own test suite */
	(void)state;
	struct sigv4_expect expect = expect_at("2015-08-30T12:36:00Z");
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct sigv4_request request;
		read_vector(&vectors[i], &request);
		if (check(&request, &expect) != SIGV4_OK) {
			struct buf canonical;
			buf_init(&canonical, 0);
			sigv4_put_canonical(&request, STR_LIT("host;x-amz-date"), &canonical);
			fail_msg("%s: %s", vectors[i].name, canonical.ptr);
		}
	}
	assert_int_equal(sizeof(vectors) / sizeof(vectors[0]), 27);
}

static void test_changed_request(void **state)
{
	/* proves that a changed body, target, header or key is a mismatch */
	(void)state;
	struct sigv4_expect expect = expect_at("2015-08-30T12:36:00Z");
	struct sigv4_request request;
	read_vector(vanilla(), &request);
	request.body = STR_LIT("{}");
	assert_int_equal(check(&request, &expect), SIGV4_MISMATCH);
	read_vector(vanilla(), &request);
	request.target = STR_LIT("/?a=b");
	assert_int_equal(check(&request, &expect), SIGV4_MISMATCH);
	read_vector(vanilla(), &request);
	request.header[0].value = STR_LIT("example.com");
	assert_int_equal(check(&request, &expect), SIGV4_MISMATCH);
	read_vector(vanilla(), &request);
	expect.secret_key = STR_LIT("another");
	assert_int_equal(check(&request, &expect), SIGV4_MISMATCH);
}

static void test_body_digest_header(void **state)
{
	/* proves that an x-amz-content-sha256 that is not the body's is refused even before the signature */
	(void)state;
	struct sigv4_expect expect = expect_at("2015-08-30T12:36:00Z");
	struct sigv4_request request;
	read_vector(vanilla(), &request);
	struct sigv4_claim claim;
	assert_int_equal(sigv4_read(&request, &claim), SIGV4_OK);
	request.header[request.header_count++] =
		(struct sigv4_header){STR_LIT("X-Amz-Content-Sha256"), STR_LIT("00")};
	assert_int_equal(sigv4_check(&request, &claim, &expect), SIGV4_MISMATCH);
}

static void test_time(void **state)
{
	/* proves the five minutes on both sides */
	(void)state;
	struct sigv4_request request;
	read_vector(vanilla(), &request);
	struct sigv4_expect expect = expect_at("2015-08-30T12:41:00Z");
	assert_int_equal(check(&request, &expect), SIGV4_OK);
	expect = expect_at("2015-08-30T12:41:01Z");
	assert_int_equal(check(&request, &expect), SIGV4_SKEWED);
	expect = expect_at("2015-08-30T12:30:59Z");
	assert_int_equal(check(&request, &expect), SIGV4_SKEWED);
}

static void test_scope(void **state)
{
	/* proves that another region or service in the scope is refused */
	(void)state;
	struct sigv4_request request;
	read_vector(vanilla(), &request);
	struct sigv4_expect expect = expect_at("2015-08-30T12:36:00Z");
	expect.region = STR_LIT("eu-north-1");
	assert_int_equal(check(&request, &expect), SIGV4_SCOPE);
	expect.region = STR_LIT("us-east-1");
	expect.service = STR_LIT("logs");
	assert_int_equal(check(&request, &expect), SIGV4_SCOPE);
}

static void test_incomplete(void **state)
{
	/* proves that no claim, a doubled part, an unsorted list and an unsigned x-amz header are told apart from a mismatch */
	(void)state;
	struct sigv4_expect expect = expect_at("2015-08-30T12:36:00Z");
	struct sigv4_request request;
	read_vector(vanilla(), &request);
	size_t last = request.header_count - 1;
	request.header_count = last;
	assert_int_equal(check(&request, &expect), SIGV4_MISSING);
	static const char *const bad[] = {
		"Basic YTpi",
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request",
		"AWS4-HMAC-SHA256 Credential=A/1/2/3/4, Credential=B/1/2/3/4, SignedHeaders=host, "
		"Signature=00",
		"AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/service/aws4_request, "
		"SignedHeaders=x-amz-date;host, "
		"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/service/aws4_request, "
		"SignedHeaders=host, "
		"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	};
	request.header_count = last + 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		request.header[last].value = str_of(bad[i]);
		assert_int_equal(check(&request, &expect), SIGV4_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_changed_request),
		cmocka_unit_test(test_body_digest_header),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_incomplete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
