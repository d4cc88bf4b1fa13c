/* Every shape of an AWS error tells its code, its message and what to do. */
#include "collector/sources/cloudwatch/awserror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct expectation {
	long status;
	const char *header, *body;
	enum awserror_kind kind;
	int code;
	const char *sentence;
};

static const struct expectation expectations[] = {
	{200, "", "{}", AWSERROR_NONE, 0, ""},
	{400, "", "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
	 AWSERROR_THROTTLED, ERR_AGAIN, "call: HTTP 400 ThrottlingException: Rate exceeded"},
	{400, "com.amazonaws.logs#ResourceNotFoundException:http://internal/",
	 "{\"Message\":\"no group\"}", AWSERROR_GONE, ERR_GONE,
	 "call: HTTP 400 ResourceNotFoundException: no group"},
	{400, "", "{\"__type\":\"com.amazonaws#ExpiredTokenException\"}", AWSERROR_EXPIRED,
	 ERR_AUTH,
	 "call: HTTP 400 ExpiredTokenException: "
	 "{\"__type\":\"com.amazonaws#ExpiredTokenException\"}"},
	{403, "",
	 "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no "
	 "key</Message></Error></ErrorResponse>",
	 AWSERROR_REFUSED, ERR_AUTH, "call: HTTP 403 InvalidClientTokenId: no key"},
	{502, "", "<html><head><title>502 Bad Gateway</title></head></html>", AWSERROR_AWAY,
	 ERR_AGAIN, "call: HTTP 502: 502 Bad Gateway"},
	{429, "", "", AWSERROR_THROTTLED, ERR_AGAIN, "call: HTTP 429"},
	{503, "", "{\"message\":null}", AWSERROR_AWAY, ERR_AGAIN,
	 "call: HTTP 503: {\"message\":null}"},
	{400, "", "{\"__type\":\"InvalidParameterException\",\"message\":\"bad \\u0041\"}",
	 AWSERROR_PARAMETER, ERR_CONFIG, "call: HTTP 400 InvalidParameterException: bad A"},
	{400, "", "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}",
	 AWSERROR_SKEW, ERR_AUTH, "call: HTTP 400 InvalidSignatureException: Signature expired"},
	{400, "", "{\"__type\":\"SomethingNew\",\"message\":\"x\"}", AWSERROR_OTHER, ERR_CONFIG,
	 "call: HTTP 400 SomethingNew: x"},
	{403, "", "", AWSERROR_REFUSED, ERR_AUTH, "call: HTTP 403"},
	{301, "", "", AWSERROR_OTHER, ERR_CONFIG, "call: HTTP 301"},
	{500, "", "{\"__type\":\"{{{\",", AWSERROR_AWAY, ERR_AGAIN,
	 "call: HTTP 500 {{{: {\"__type\":\"{{{\","},
};

/* Header, JSON, XML and HTML bodies, and no body at all. */
static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
		const struct expectation *expected = &expectations[i];
		struct http_reply reply = {.status = expected->status,
					   .error_type = expected->header,
					   .body = str_of(expected->body)};
		struct error err;
		error_clear(&err);
		assert_int_equal(awserror_of(&reply, "call", &err), expected->kind);
		assert_int_equal(err.code, expected->code);
		assert_string_equal(err.text, expected->sentence);
	}
}

/* Control bytes of a hostile server do not reach the sentence, and a long body is cut. */
static void test_hostile(void **state)
{
	(void)state;
	struct buf body;
	struct error err;

	buf_init(&body, 0);
	buf_put_text(&body, "{\"message\":\"\\u001b[31m");
	buf_put_fill(&body, 'A', 100000);
	buf_put_text(&body, "\"}");
	struct http_reply reply = {.status = 400, .error_type = "", .body = buf_str(&body)};
	assert_int_equal(awserror_of(&reply, "call", &err), AWSERROR_OTHER);
	assert_null(strchr(err.text, 0x1b));
	assert_true(strlen(err.text) < 700);
	buf_done(&body);
}

/* The first element of a name, trimmed; false without one. */
static void test_xml(void **state)
{
	(void)state;
	struct buf out;

	buf_init(&out, 0);
	assert_true(awserror_xml(STR_LIT("<a><b> x </b><b>y</b></a>"), "b", &out));
	assert_true(str_is(buf_str(&out), "x"));
	assert_false(awserror_xml(STR_LIT("<a><b>x</a>"), "b", &out));
	assert_false(awserror_xml(STR_LIT("<bb>x</bb>"), "b", &out));
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds),
					   cmocka_unit_test(test_hostile),
					   cmocka_unit_test(test_xml)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
