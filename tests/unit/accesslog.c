#include "base/clock.h"
#include "tests/unit/accesslog-fixture.h"

static const char rest_template[] =
	"{\"requestId\":\"$context.requestId\",\"ext\":\"$context.extendedRequestId\","
	"\"fn\":\"$context.integration.requestId\",\"t\":\"$context.requestTimeEpoch\","
	"\"api\":\"$context.apiId\",\"stage\":\"$context.stage\",\"m\":\"$context.httpMethod\","
	"\"r\":\"$context.resourcePath\",\"path\":\"$context.path\",\"s\":$context.status,"
	"\"lat\":$context.responseLatency,\"len\":\"$context.responseLength\","
	"\"ilat\":\"$context.integration.latency\",\"ip\":\"$context.identity.sourceIp\","
	"\"ua\":\"$context.identity.userAgent\",\"sub\":\"$context.authorizer.claims.sub\","
	"\"email\":\"$context.authorizer.claims.email\",\"err\":$context.error.messageString}";

static void reads_a_rest_line(void **state)
{
	/* every variable of a REST template arrives in its field, the rest in extra */
	struct fixture *f = *state;

	use_format(f, rest_template);
	assert_int_equal(
		parse(f, "{\"requestId\":\"" UUID
			 "\",\"ext\":\"GQIVriFLIAMEMsA=\",\"fn\":\"f-1\",\"t\":\"1720635321799\","
			 "\"api\":\"a1\",\"stage\":\"prod\",\"m\":\"GET\",\"r\":\"/orders/{id}\","
			 "\"path\":\"/prod/orders/7\",\"s\":200,\"lat\":12,\"len\":\"345\","
			 "\"ilat\":\"9\",\"ip\":\"203.0.113.7\",\"ua\":\"curl/8\",\"sub\":\"u-1\","
			 "\"email\":\"a@b.example\",\"err\":\"Internal \\\"x\\\"\"}"),
		0);
	check_text(f, FIELD_parse, "ok");
	check_text(f, FIELD_request_id, UUID);
	check_text(f, FIELD_extended_request_id, "GQIVriFLIAMEMsA=");
	check_text(f, FIELD_lambda_request_id, "f-1");
	check_text(f, FIELD_api, "a1");
	check_text(f, FIELD_stage, "prod");
	check_text(f, FIELD_method, "GET");
	check_text(f, FIELD_route, "GET /orders/{id}");
	check_text(f, FIELD_path, "/prod/orders/7");
	check_text(f, FIELD_source_ip, "203.0.113.7");
	check_text(f, FIELD_user_agent, "curl/8");
	check_text(f, FIELD_user, "a@b.example");
	check_text(f, FIELD_user_kind, "jwt");
	check_text(f, FIELD_error, "Internal \"x\"");
	check_text(f, FIELD_extra,
		   "{\"integration.latency\":\"9\",\"authorizer.claims.sub\":\"u-1\"}");
	assert_int_equal(record_number(&f->record, FIELD_status, 0), 200);
	assert_int_equal(record_number(&f->record, FIELD_latency_ms, 0), 12);
	assert_int_equal(record_number(&f->record, FIELD_response_bytes, 0), 345);
	assert_int_equal(f->record.time_ns, INT64_C(1720635321799) * NS_PER_MS);
}

static void unset_values_are_absent(void **state)
{
	/* "-", "" and "(none)" are no values, quoted or bare; a number that is none goes to extra */
	struct fixture *f = *state;

	use_format(f, rest_template);
	assert_int_equal(
		parse(f, "{\"requestId\":\"" UUID
			 "\",\"ext\":\"-\",\"fn\":\"\",\"t\":\"-\",\"api\":\"(none)\","
			 "\"stage\":\"-\",\"m\":\"-\",\"r\":\"-\",\"path\":\"-\",\"s\":-,"
			 "\"lat\":-,\"len\":\"12kB\",\"ilat\":\"-\",\"ip\":\"-\",\"ua\":\"-\","
			 "\"sub\":\"-\",\"email\":\"-\",\"err\":-}"),
		0);
	check_text(f, FIELD_request_id, UUID);
	check_text(f, FIELD_extended_request_id, NULL);
	check_text(f, FIELD_lambda_request_id, NULL);
	check_text(f, FIELD_api, NULL);
	check_text(f, FIELD_route, NULL);
	check_text(f, FIELD_user, NULL);
	check_text(f, FIELD_user_kind, "none");
	check_text(f, FIELD_error, NULL);
	check_text(f, FIELD_extra, "{\"responseLength\":\"12kB\"}");
	assert_false(record_has(&f->record, FIELD_status));
	assert_false(record_has(&f->record, FIELD_latency_ms));
	assert_int_equal(f->record.time_ns, 0);
}

static void reads_an_http_line(void **state)
{
	/* an HTTP API gives routeKey and seconds; the transport's time stays when there is one */
	struct fixture *f = *state;

	use_format(f, "{\"id\":\"$context.requestId\",\"t\":\"$context.requestTimeEpoch\","
		      "\"r\":\"$context.routeKey\",\"s\":\"$context.status\"}");
	assert_int_equal(parse(f, "{\"id\":\"GQIVriFLIAMEMsA=\",\"t\":\"1747602530\","
				  "\"r\":\"GET /pets/{id}\",\"s\":\"200\"}\n"),
			 0);
	check_text(f, FIELD_route, "GET /pets/{id}");
	check_text(f, FIELD_method, "GET");
	check_text(f, FIELD_parse, "ok");
	assert_int_equal(f->record.time_ns, INT64_C(1747602530) * NS_PER_SEC);
	record_init(&f->record, RECORD_REQUEST);
	f->record.time_ns = INT64_C(1747602530) * NS_PER_SEC + 999;
	assert_int_equal(accesslog_parse(f->format,
					 STR_LIT("{\"id\":\"G\",\"t\":\"1747602530\",\"r\":"
						 "\"$default\",\"s\":\"200\"}"),
					 &f->arena, &f->record, &f->err),
			 0);
	assert_int_equal(f->record.time_ns, INT64_C(1747602530) * NS_PER_SEC + 999);
	check_text(f, FIELD_route, "$default");
	check_text(f, FIELD_method, NULL);
	check_text(f, FIELD_extra, NULL);
}

static void escapes_are_resolved(void **state)
{
	/* escaped quotes, backslashes, non-ASCII and lone surrogates in values come out as text, and parse stays ok */
	struct fixture *f = *state;

	use_format(f, "{\"id\":\"$context.requestId\",\"ua\":\"$context.identity.userAgent\","
		      "\"c\":\"$context.authorizer.claims.name\"}");
	assert_int_equal(parse(f, "{\"id\":\"i\",\"ua\":\"x\\\",\\\"user\\\":\\\"boss \\\\ "
				  "\\ud83d\\ude00 \\ud800\",\"c\":\"J\\u00f8rgen\"}"),
			 0);
	check_text(f, FIELD_parse, "ok");
	check_text(f, FIELD_user_agent, "x\",\"user\":\"boss \\ \xF0\x9F\x98\x80 \xED\xA0\x80");
	check_text(f, FIELD_extra, "{\"authorizer.claims.name\":\"J\xC3\xB8rgen\"}");
}

static void reads_clf_and_csv(void **state)
{
	/* AWS's own CLF (with and without its missing space), CSV and XML-like formats, with a template and without */
	static const char *const lines[] = {
		"1.2.3.4 - AIDAX [22/Nov/2026:10:00:00 +0000]\"GET /orders/{id} HTTP/1.1\" 200 17 "
		"rid-1 ext=",
		"1.2.3.4 - AIDAX [22/Nov/2026:10:00:00 +0000] \"GET /orders/{id} HTTP/1.1\" 200 17 "
		"rid-1 ext=",
		"1.2.3.4,-,AIDAX,22/Nov/2026:11:00:00 "
		"+0100,GET,/orders/{id},HTTP/1.1,200,17,rid-1,ext=",
	};
	struct fixture *f = *state;

	use_format(f, "");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(f, lines[i]), 0);
		check_text(f, FIELD_parse, "ok");
		check_text(f, FIELD_request_id, "rid-1");
		check_text(f, FIELD_extended_request_id, "ext=");
		check_text(f, FIELD_route, "GET /orders/{id}");
		check_text(f, FIELD_user, "AIDAX");
		check_text(f, FIELD_user_kind, "iam");
		assert_int_equal(record_number(&f->record, FIELD_status, 0), 200);
		assert_int_equal(f->record.time_ns, INT64_C(1795341600) * NS_PER_SEC);
	}
	use_format(f, "<request id=\"$context.requestId\"><ip>$context.identity.sourceIp</ip>"
		      "<user>$context.identity.user</user></request>");
	assert_int_equal(parse(f, "<request id=\"r\"><ip>::1</ip><user>-</user></request>"), 0);
	check_text(f, FIELD_source_ip, "::1");
	check_text(f, FIELD_parse, "ok");
}

static void parts_of_a_string(void **state)
{
	/* several variables in one string are told apart by what stands between them */
	struct fixture *f = *state;

	use_format(f, "{\"route\":\"$context.httpMethod "
		      "$context.resourcePath\",\"id\":\"$context.requestId\"}");
	assert_int_equal(parse(f, "{\"route\":\"POST /a/{b}\",\"id\":\"i\"}"), 0);
	check_text(f, FIELD_route, "POST /a/{b}");
	check_text(f, FIELD_parse, "ok");
}

static void user_fields_are_configured(void **state)
{
	/* the configured variables name the user, in their order, and nothing else does */
	static const char *const fields[] = {"authorizer.principalId", "$context.identity.apiKeyId",
					     "identity.cognitoAuthenticationProvider"};
	struct accesslog_options options = {
		.format = STR_LIT("$context.requestId $context.authorizer.principalId "
				  "$context.identity.apiKeyId "
				  "$context.identity.cognitoAuthenticationProvider "
				  "$context.identity.userArn"),
		.user_fields = fields,
		.user_field_count = 3};
	struct fixture *f = *state;

	assert_int_equal(accesslog_format_new(&options, &f->format, &f->err), 0);
	assert_int_equal(parse(f, "r p k - arn"), 0);
	check_text(f, FIELD_user, "p");
	check_text(f, FIELD_user_kind, "authorizer");
	assert_int_equal(parse(f, "r - k - arn"), 0);
	check_text(f, FIELD_user, "k");
	check_text(f, FIELD_user_kind, "api_key");
	assert_int_equal(parse(f, "r - - a.com/p,a.com/p:CognitoSignIn:u-7 arn"), 0);
	check_text(f, FIELD_user, "u-7");
	check_text(f, FIELD_user_kind, "cognito");
	assert_int_equal(parse(f, "r - - - arn"), 0);
	check_text(f, FIELD_user, NULL);
	check_text(f, FIELD_user_kind, "none");
}

static void bad_templates_are_refused(void **state)
{
	/* each mistake in a template is said with its offset */
	static const char *const templates[] = {
		"{\"a\":\"$context.status\"}",
		"$context.requestId$context.status",
		"$context.requestId $context. x",
		"{\"a\":\"$context.requestId\",\n\"b\":\"$context.status\"}",
		"no variable",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		struct accesslog_options options = {.format = str_of(templates[i])};

		assert_int_equal(accesslog_format_new(&options, &f->format, &f->err), -ERR_CONFIG);
		assert_non_null(strstr(f->err.text, "offset"));
	}
}

static void template_limits(void **state)
{
	/* 128 variables and 16 KiB are taken, more is refused */
	struct fixture *f = *state;
	struct accesslog_options options;
	struct buf text;

	buf_init(&text, 0);
	buf_put_text(&text, "$context.requestId");
	for (int i = 1; i < 128; i++) {
		buf_putf(&text, " $context.v%d", i);
	}
	options = (struct accesslog_options){.format = buf_str(&text)};
	assert_int_equal(accesslog_format_new(&options, &f->format, &f->err), 0);
	buf_put_text(&text, " $context.more");
	options.format = buf_str(&text);
	accesslog_format_free(f->format);
	f->format = NULL;
	assert_int_equal(accesslog_format_new(&options, &f->format, &f->err), -ERR_CONFIG);
	buf_clear(&text);
	buf_put_text(&text, "$context.requestId");
	buf_put_fill(&text, 'x', 16384);
	options.format = buf_str(&text);
	assert_int_equal(accesslog_format_new(&options, &f->format, &f->err), -ERR_CONFIG);
	buf_done(&text);
}

static void line_and_arena_limits(void **state)
{
	/* a line of 1 MiB is read; a longer one, and one without room, is ERR_LIMIT */
	struct fixture *f = *state;
	struct arena small;
	struct buf line;

	use_format(f, "{\"id\":\"$context.requestId\",\"ua\":\"$context.identity.userAgent\",\"x\":"
		      "\"$context.foo\"}");
	buf_init(&line, 0);
	buf_put_text(&line, "{\"id\":\"i\",\"ua\":\"");
	buf_put_fill(&line, 'u', ACCESSLOG_LINE_MAX - line.len - 10);
	buf_put_text(&line, "\",\"x\":\"y\"}");
	assert_int_equal(line.len, ACCESSLOG_LINE_MAX);
	assert_int_equal(parse_str(f, buf_str(&line)), 0);
	check_text(f, FIELD_request_id, "i");
	buf_put_byte(&line, ' ');
	assert_int_equal(parse_str(f, buf_str(&line)), -ERR_LIMIT);
	buf_done(&line);
	arena_init(&small, 8);
	record_init(&f->record, RECORD_REQUEST);
	assert_int_equal(accesslog_parse(f->format,
					 STR_LIT("{\"id\":\"i\",\"ua\":\"u\",\"x\":\"yyyyyyyy\"}"),
					 &small, &f->record, &f->err),
			 -ERR_LIMIT);
	arena_done(&small);
}

static void noise_is_told(void **state)
{
	/* CloudWatch's test stream and empty lines are noise, a request is not */
	(void)state;
	assert_true(accesslog_is_noise(
		STR_LIT("log_stream_created_by_aws_to_validate_log_delivery_subscriptions"),
		STR_LIT("Permissions are set correctly")));
	assert_true(accesslog_is_noise(STR_LIT("s"), STR_LIT(" \r\n")));
	assert_false(accesslog_is_noise(STR_LIT("s"), STR_LIT("{}")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_a_rest_line, make, unmake),
		cmocka_unit_test_setup_teardown(unset_values_are_absent, make, unmake),
		cmocka_unit_test_setup_teardown(reads_an_http_line, make, unmake),
		cmocka_unit_test_setup_teardown(escapes_are_resolved, make, unmake),
		cmocka_unit_test_setup_teardown(reads_clf_and_csv, make, unmake),
		cmocka_unit_test_setup_teardown(parts_of_a_string, make, unmake),
		cmocka_unit_test_setup_teardown(user_fields_are_configured, make, unmake),
		cmocka_unit_test_setup_teardown(bad_templates_are_refused, make, unmake),
		cmocka_unit_test_setup_teardown(template_limits, make, unmake),
		cmocka_unit_test_setup_teardown(line_and_arena_limits, make, unmake),
		cmocka_unit_test(noise_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
