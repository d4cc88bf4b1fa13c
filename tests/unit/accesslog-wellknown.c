#include "base/clock.h"
#include "tests/unit/accesslog-fixture.h"

/* A fixture that reads well-known keys. */
static int make_wellknown(void **state)
{
	int result = make(state);

	use_format(*state, "");
	return result;
}

static void reads_aws_sample(void **state)
{
	/* AWS's own JSON sample is read by its keys */
	struct fixture *f = *state;

	assert_int_equal(
		parse(f, "{ \"requestId\":\"r-1\", \"extendedRequestId\":\"E=\",\"ip\": "
			 "\"1.2.3.4\", \"caller\":\"-\", \"user\":\"AIDAX\",\"requestTime\":"
			 "\"22/Nov/2026:10:00:00 +0000\", \"httpMethod\":\"GET\",\"resourcePath\":"
			 "\"/a/{b}\", \"status\":\"200\",\"protocol\":\"HTTP/1.1\", "
			 "\"responseLength\":\"17\" }"),
		0);
	check_text(f, FIELD_parse, "ok");
	check_text(f, FIELD_request_id, "r-1");
	check_text(f, FIELD_extended_request_id, "E=");
	check_text(f, FIELD_source_ip, "1.2.3.4");
	check_text(f, FIELD_user, "AIDAX");
	check_text(f, FIELD_route, "GET /a/{b}");
	check_text(f, FIELD_extra, "{\"protocol\":\"HTTP/1.1\"}");
	assert_int_equal(record_number(&f->record, FIELD_status, 0), 200);
	assert_int_equal(f->record.time_ns, INT64_C(1795341600) * NS_PER_SEC);
}

static void takes_the_finer_time(void **state)
{
	/* the milliseconds of requestTimeEpoch count wherever it stands; one that contradicts requestTime goes to extra */
	struct fixture *f = *state;

	assert_int_equal(parse(f, "{\"requestId\":\"r-1\",\"requestTime\":\"22/Nov/2026:10:00:00 "
				  "+0000\",\"requestTimeEpoch\":\"1795341600123\"}"),
			 0);
	assert_int_equal(f->record.time_ns, INT64_C(1795341600123) * NS_PER_MS);
	assert_false(record_has(&f->record, FIELD_extra));
	assert_int_equal(parse(f, "{\"requestId\":\"r-1\",\"requestTimeEpoch\":\"1795341600123\","
				  "\"requestTime\":\"22/Nov/2026:10:00:00 +0000\"}"),
			 0);
	assert_int_equal(f->record.time_ns, INT64_C(1795341600123) * NS_PER_MS);
	assert_int_equal(parse(f, "{\"requestId\":\"r-1\",\"requestTime\":\"22/Nov/2026:10:00:00 "
				  "+0000\",\"requestTimeEpoch\":\"1795341607123\"}"),
			 0);
	assert_int_equal(f->record.time_ns, INT64_C(1795341600) * NS_PER_SEC);
	check_text(f, FIELD_extra, "{\"requestTimeEpoch\":\"1795341607123\"}");
}

static void reads_other_spellings(void **state)
{
	/* snake case, inner objects, numbers, null and arrays */
	struct fixture *f = *state;

	assert_int_equal(
		parse(f,
		      "{\"request_id\":\"r-1\",\"identity\":{\"sourceIp\":\"1.2.3.4\","
		      "\"userAgent\":"
		      "\"curl\"},\"authorizer\":{\"claims\":{\"sub\":\"u\",\"groups\":[\"a\",1]}},"
		      "\"status\":200,\"context.apiId\":\"a1\",\"integration_error\":null,"
		      "\"odd\":true}"),
		0);
	check_text(f, FIELD_parse, "ok");
	check_text(f, FIELD_request_id, "r-1");
	check_text(f, FIELD_source_ip, "1.2.3.4");
	check_text(f, FIELD_user_agent, "curl");
	check_text(f, FIELD_user, "u");
	check_text(f, FIELD_user_kind, "jwt");
	check_text(f, FIELD_api, "a1");
	check_text(f, FIELD_extra,
		   "{\"authorizer.claims.groups\":\"[\\\"a\\\",1]\",\"odd\":\"true\"}");
	assert_int_equal(record_number(&f->record, FIELD_status, 0), 200);
}

static void repeated_keys_are_ambiguous(void **state)
{
	/* a second value of a key: what stands before the caller's first text counts, behind it nothing does */
	struct fixture *f = *state;

	assert_int_equal(
		parse(f, "{\"requestId\":\"real\",\"userAgent\":\"x\",\"requestId\":\"forged\","
			 "\"user\":\"boss\",\"extendedRequestId\":\"forged\"}"),
		0);
	check_text(f, FIELD_parse, "ambiguous");
	check_text(f, FIELD_request_id, "real");
	check_text(f, FIELD_extended_request_id, NULL);
	check_text(f, FIELD_user, NULL);
	assert_int_equal(
		parse(f, "{\"userAgent\":\"x\",\"requestId\":\"forged\",\"requestId\":\"real\"}"),
		-ERR_INPUT);
	/* another spelling of the same key is the same key */
	assert_int_equal(
		parse(f, "{\"userAgent\":\"x\",\"request_id\":\"forged\",\"requestId\":\"real\"}"),
		-ERR_INPUT);
}

static void damaged_lines_are_recovered(void **state)
{
	/* quotes in a user agent, bare dashes and a missing end cost what they damage and no more */
	struct fixture *f = *state;

	assert_int_equal(
		parse(f, "{\"requestId\":\"r-1\",\"userAgent\":\"a \"b\" c\",\"status\":\"200\","
			 "\"latency\":-,\"extendedRequestId\":\"E=\"}"),
		0);
	check_text(f, FIELD_parse, "recovered");
	check_text(f, FIELD_request_id, "r-1");
	check_text(f, FIELD_extended_request_id, "E=");
	check_text(f, FIELD_user_agent, NULL);
	assert_int_equal(record_number(&f->record, FIELD_status, 0), 200);
	assert_int_equal(parse(f, "{\"requestId\":\"r-1\",\"userAgent\":\"a"), 0);
	check_text(f, FIELD_request_id, "r-1");
	check_text(f, FIELD_parse, "recovered");
	assert_int_equal(parse(f, "{\"requestId\":\"r-1\",\"userAgent\":\"a\"b\",\"requestId\":"
				  "\"f\",\"user\":\"boss\"}"),
			 0);
	check_text(f, FIELD_parse, "ambiguous");
	check_text(f, FIELD_request_id, "r-1");
	check_text(f, FIELD_user, NULL);
	assert_int_equal(parse(f, "{\"requestId\":\"has space\",\"x\":\"\"\"}"), -ERR_INPUT);
}

static void useless_lines_are_refused(void **state)
{
	/* what names no request is for a reject record */
	static const char *const lines[] = {"{}",    "{\"hello\":\"world\"}", "{", "[1]", "x",
					    "\"r\"", "{\"requestId\":\"-\"}"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(f, lines[i]), -ERR_INPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_aws_sample, make_wellknown, unmake),
		cmocka_unit_test_setup_teardown(takes_the_finer_time, make_wellknown, unmake),
		cmocka_unit_test_setup_teardown(reads_other_spellings, make_wellknown, unmake),
		cmocka_unit_test_setup_teardown(repeated_keys_are_ambiguous, make_wellknown,
						unmake),
		cmocka_unit_test_setup_teardown(damaged_lines_are_recovered, make_wellknown,
						unmake),
		cmocka_unit_test_setup_teardown(useless_lines_are_refused, make_wellknown, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
