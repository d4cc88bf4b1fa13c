#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/cloudwatch.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>

#define GROUP "/aws/apigateway/fjordkjop-prod"

struct fixture {
	struct world *world;
	struct cloudwatch *server;
	uint16_t port;
	int64_t now_ns;
	const char *service, *user; /* what requests are signed with; user NULL: not at all */
	const char *method;         /* NULL: as libcurl chooses */
	const char *extra_header;   /* NULL: none */
	size_t neighbour_lines;     /* that the server beside was given */
};

struct answer {
	long status;
	CURLcode result;
	struct buf body;
	json_t *json;
};

static int64_t fixture_now(void *owner)
{
	const struct fixture *fixture = owner;
	return fixture->now_ns != 0 ? fixture->now_ns : clock_now_ns();
}

static int neighbour_fault(void *owner, struct str line, struct error *err)
{
	size_t *lines = owner;
	if (str_is(line, "bad")) {
		return error_set(err, ERR_INPUT, "bad");
	}
	*lines += 1;
	return 0;
}

static void neighbour_stats(void *owner, struct buf *out)
{
	const size_t *lines = owner;
	buf_putf(out, "{\"lines\":%zu}", *lines);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	struct world_options world = world_defaults(4, 1500, clock_now_ns());
	fixture->world = world_new(&world);
	assert_non_null(fixture->world);
	struct cloudwatch_options options = cloudwatch_defaults(fixture->world);
	options.clock = (struct clock){fixture_now, fixture};
	options.secret_text = "{\"password\":\"one\"}";
	options.sql = (struct cloudwatch_neighbour){neighbour_fault, neighbour_stats,
						    &fixture->neighbour_lines};
	struct error err;
	assert_int_equal(cloudwatch_start(&options, &fixture->server, &fixture->port, &err), 0);
	fixture->service = "aws:amz:eu-north-1:logs";
	fixture->user = "AKIASIMULATED0000001:sim/not+a+secret/0123456789abcdefghijklm";
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	cloudwatch_stop(fixture->server);
	world_free(fixture->world);
	free(fixture);
	return 0;
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *owner)
{
	struct answer *answer = owner;
	buf_put(&answer->body, bytes, size * count);
	return size * count;
}

/* One call by libcurl, whose signer is not ours. */
static struct answer call(const struct fixture *fixture, const char *path, const char *header,
			  const char *body)
{
	struct answer answer = {0};
	char url[256];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", fixture->port, path);
	buf_init(&answer.body, 0);
	CURL *curl = curl_easy_init();
	assert_non_null(curl);
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/x-amz-json-1.1");
	headers = header != NULL ? curl_slist_append(headers, header) : headers;
	headers = fixture->extra_header != NULL ? curl_slist_append(headers, fixture->extra_header)
						: headers;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (fixture->method != NULL) {
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, fixture->method);
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	if (fixture->user != NULL) {
		curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, fixture->service);
		curl_easy_setopt(curl, CURLOPT_USERPWD, fixture->user);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
	answer.result = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	answer.json = json_loadb(answer.body.ptr != NULL ? answer.body.ptr : "", answer.body.len, 0,
				 NULL);
	return answer;
}

static struct answer logs(const struct fixture *fixture, const char *op, const char *body)
{
	char header[128];
	(void)snprintf(header, sizeof(header), "X-Amz-Target: Logs_20140328.%s", op);
	return call(fixture, "/", header, body);
}

static void done(struct answer *answer)
{
	json_decref(answer->json);
	buf_done(&answer->body);
}

static const char *member(const struct answer *answer, const char *name)
{
	const char *text = json_string_value(json_object_get(answer->json, name));
	return text != NULL ? text : "";
}

static void fault(const struct fixture *fixture, const char *script)
{
	struct error err;
	assert_int_equal(cloudwatch_fault(fixture->server, str_of(script), &err), 0);
}

static void expect_error(const struct fixture *fixture, const char *op, const char *body,
			 const char *type)
{
	struct answer answer = logs(fixture, op, body);
	assert_int_equal(answer.status, 400);
	assert_string_equal(member(&answer, "__type"), type);
	done(&answer);
}

struct totals {
	size_t events, pages, empty_pages, part_full, repeated, out_of_order;
};

/* Reads a scan to its end. parameters is the inside of a JSON object. */
static struct totals scan(const struct fixture *fixture, const char *parameters)
{
	struct totals totals = {0};
	char token[1024] = "", last[64] = "";
	json_int_t last_time = 0;
	do {
		char body[4096];
		(void)snprintf(body, sizeof(body), "{\"logGroupName\":\"" GROUP "\",%s%s%s%s}",
			       parameters, token[0] != '\0' ? ",\"nextToken\":\"" : "", token,
			       token[0] != '\0' ? "\"" : "");
		struct answer answer = logs(fixture, "FilterLogEvents", body);
		assert_int_equal(answer.status, 200);
		const json_t *events = json_object_get(answer.json, "events");
		size_t count = json_array_size(events);
		for (size_t i = 0; i < count; i++) {
			const json_t *event = json_array_get(events, i);
			const char *id = json_string_value(json_object_get(event, "eventId"));
			json_int_t time = json_integer_value(json_object_get(event, "timestamp"));
			totals.repeated += strcmp(id, last) == 0;
			totals.out_of_order += time < last_time;
			last_time = time;
			(void)snprintf(last, sizeof(last), "%s", id);
		}
		totals.events += count;
		totals.pages++;
		totals.empty_pages += count == 0;
		(void)snprintf(token, sizeof(token), "%s", member(&answer, "nextToken"));
		totals.part_full += count > 0 && count < 100 && token[0] != '\0';
		done(&answer);
		assert_true(totals.pages < 1000);
	} while (token[0] != '\0');
	return totals;
}

static size_t visible_lines(const struct fixture *fixture)
{
	uint32_t count = 0;
	size_t visible = 1; /* the line of the subscription check */
	const struct world_request *requests = world_requests(fixture->world, &count);
	for (uint32_t i = 0; i < count; i++) {
		visible += requests[i].visible_ns != INT64_MAX;
	}
	return visible;
}

static void test_scan_gives_everything_once(void **state)
{
	/* proves that a scan through part-full and empty pages gives each visible event once and in order of time */
	const struct fixture *fixture = *state;
	struct totals totals = scan(fixture, "\"limit\":100");
	assert_int_equal(totals.events, visible_lines(fixture));
	assert_int_equal(totals.repeated, 0);
	assert_int_equal(totals.out_of_order, 0);
	assert_true(totals.empty_pages > 2);
	assert_true(totals.part_full > 2);
}

static void test_times_are_inclusive(void **state)
{
	/* proves that startTime and endTime both belong to the window */
	const struct fixture *fixture = *state;
	uint32_t count = 0;
	const struct world_request *requests = world_requests(fixture->world, &count);
	uint32_t index = 700;
	while (requests[index].visible_ns == INT64_MAX) {
		index++;
	}
	long long ms = (long long)(requests[index].time_ns / NS_PER_MS);
	char parameters[128];
	(void)snprintf(parameters, sizeof(parameters), "\"startTime\":%lld,\"endTime\":%lld", ms,
		       ms);
	assert_true(scan(fixture, parameters).events >= 1);
	(void)snprintf(parameters, sizeof(parameters), "\"startTime\":%lld,\"endTime\":%lld",
		       ms + 1, ms + 1);
	assert_int_equal(scan(fixture, parameters).events, 0);
}

static void test_streams_and_pattern(void **state)
{
	/* proves that stream names, a stream prefix and a pattern narrow the scan */
	const struct fixture *fixture = *state;
	assert_int_equal(scan(fixture,
			      "\"logStreamNames\":[\"log_stream_created_by_aws_to_validate_"
			      "log_delivery_subscriptions\"]")
				 .events,
			 1);
	assert_int_equal(scan(fixture, "\"logStreamNamePrefix\":\"log_stream\"").events, 1);
	size_t exports = scan(fixture, "\"filterPattern\":\"\\\"customers/export\\\"\"").events;
	assert_int_equal(exports, 12);
	expect_error(fixture, "FilterLogEvents",
		     "{\"logGroupName\":\"" GROUP
		     "\",\"logStreamNames\":[\"a\"],\"logStreamNamePrefix\":\"b\"}",
		     "InvalidParameterException");
}

static void test_bad_parameters(void **state)
{
	/* proves that wrong limits, tokens, groups, operations and bodies are refused as the service does */
	const struct fixture *fixture = *state;
	expect_error(fixture, "FilterLogEvents", "{\"logGroupName\":\"" GROUP "\",\"limit\":10001}",
		     "InvalidParameterException");
	expect_error(fixture, "FilterLogEvents",
		     "{\"logGroupName\":\"" GROUP "\",\"nextToken\":\"abc\"}",
		     "InvalidParameterException");
	expect_error(fixture, "FilterLogEvents", "{\"logGroupName\":\"none\"}",
		     "ResourceNotFoundException");
	expect_error(fixture, "FilterLogEvents", "{}", "InvalidParameterException");
	expect_error(fixture, "FilterLogEvents", "{\"logGroupName\":", "SerializationException");
	expect_error(fixture, "PutLogEvents", "{}", "UnknownOperationException");
	expect_error(fixture, "GetLogEvents",
		     "{\"logGroupName\":\"" GROUP "\",\"logStreamName\":\"x\"}",
		     "ResourceNotFoundException");
}

static void test_token_is_bound(void **state)
{
	/* proves that a nextToken is good for its own parameters and for its life only */
	struct fixture *fixture = *state;
	struct answer answer =
		logs(fixture, "FilterLogEvents", "{\"logGroupName\":\"" GROUP "\",\"limit\":5}");
	char body[2048];
	(void)snprintf(body, sizeof(body),
		       "{\"logGroupName\":\"" GROUP "\",\"startTime\":5,\"nextToken\":\"%s\"}",
		       member(&answer, "nextToken"));
	expect_error(fixture, "FilterLogEvents", body, "InvalidParameterException");
	(void)snprintf(body, sizeof(body), "{\"logGroupName\":\"" GROUP "\",\"nextToken\":\"%s\"}",
		       member(&answer, "nextToken"));
	done(&answer);
	answer = logs(fixture, "FilterLogEvents", body);
	assert_int_equal(answer.status, 200);
	done(&answer);
	fault(fixture, "{\"settings\":{\"token_life_ms\":1}}");
	struct answer again = logs(fixture, "FilterLogEvents", body);
	assert_int_equal(again.status, 400);
	assert_non_null(strstr(member(&again, "message"), "expired"));
	done(&again);
}

static void test_signature(void **state)
{
	/* proves that no key, an unknown key, a wrong secret, another service and a skewed clock are refused, each in its way */
	struct fixture *fixture = *state;
	const char *body = "{\"logGroupName\":\"" GROUP "\"}";
	const char *user = fixture->user;
	fixture->user = NULL;
	expect_error(fixture, "FilterLogEvents", body, "MissingAuthenticationTokenException");
	fixture->user = "AKIANOBODY:secret";
	expect_error(fixture, "FilterLogEvents", body, "UnrecognizedClientException");
	fixture->user = "AKIASIMULATED0000001:wrong";
	expect_error(fixture, "FilterLogEvents", body, "InvalidSignatureException");
	fixture->user = user;
	fixture->service = "aws:amz:eu-north-1:s3";
	expect_error(fixture, "FilterLogEvents", body, "InvalidSignatureException");
	fixture->service = "aws:amz:eu-north-1:logs";
	fault(fixture, "{\"settings\":{\"skew_ms\":400000}}");
	expect_error(fixture, "FilterLogEvents", body, "InvalidSignatureException");
	assert_int_equal(cloudwatch_counts(fixture->server).refused_signatures, 5);
}

static void test_faults(void **state)
{
	/* proves that each scripted fault changes what it says, as often as it says, and then goes away */
	const struct fixture *fixture = *state;
	const char *body = "{\"logGroupName\":\"" GROUP "\"}";
	fault(fixture, "{\"faults\":[{\"kind\":\"throttle\",\"times\":2},{\"kind\":\"server-"
		       "error\",\"status\":503,"
		       "\"code\":\"ServiceUnavailableException\"},{\"kind\":\"html\"},{\"kind\":"
		       "\"truncate\"},"
		       "{\"kind\":\"half-json\"},{\"kind\":\"reset\"},{\"kind\":\"misshapen\"}]}");
	expect_error(fixture, "FilterLogEvents", body, "ThrottlingException");
	expect_error(fixture, "FilterLogEvents", body, "ThrottlingException");
	struct answer answer = logs(fixture, "FilterLogEvents", body);
	assert_int_equal(answer.status, 503);
	assert_string_equal(member(&answer, "__type"), "ServiceUnavailableException");
	done(&answer);
	answer = logs(fixture, "FilterLogEvents", body);
	assert_int_equal(answer.status, 502);
	assert_null(answer.json);
	done(&answer);
	answer = logs(fixture, "FilterLogEvents", body);
	assert_int_equal(answer.result, CURLE_PARTIAL_FILE);
	done(&answer);
	answer = logs(fixture, "FilterLogEvents", body);
	assert_int_equal(answer.result, CURLE_OK);
	assert_null(answer.json);
	done(&answer);
	answer = logs(fixture, "FilterLogEvents", body);
	assert_int_equal(answer.result, CURLE_RECV_ERROR);
	done(&answer);
	answer = logs(fixture, "FilterLogEvents", body);
	assert_false(json_is_array(json_object_get(answer.json, "events")));
	done(&answer);
	answer = logs(fixture, "FilterLogEvents", body);
	assert_true(json_is_array(json_object_get(answer.json, "events")));
	done(&answer);
	assert_int_equal(cloudwatch_counts(fixture->server).faults, 8);
}

static void test_fault_choice(void **state)
{
	/* proves that `op` and `after` choose the call that a fault strikes */
	const struct fixture *fixture = *state;
	fault(fixture,
	      "{\"faults\":[{\"kind\":\"denied\",\"op\":\"DescribeLogGroups\",\"after\":1}]}");
	struct answer answer = logs(fixture, "FilterLogEvents", "{\"logGroupName\":\"" GROUP "\"}");
	assert_int_equal(answer.status, 200);
	done(&answer);
	answer = logs(fixture, "DescribeLogGroups", "{}");
	assert_int_equal(answer.status, 200);
	done(&answer);
	expect_error(fixture, "DescribeLogGroups", "{}", "AccessDeniedException");
}

static void test_settings(void **state)
{
	/* proves that a hidden group, a retention, repeated edges and small pages show in the answers */
	const struct fixture *fixture = *state;
	fault(fixture, "{\"settings\":{\"duplicate\":true,\"page_lines\":50}}");
	struct totals totals = scan(fixture, "\"limit\":1000");
	assert_true(totals.repeated > 10);
	assert_int_equal(totals.events - totals.repeated, visible_lines(fixture));
	fault(fixture, "{\"clear\":true,\"settings\":{\"retention_ms\":3600000}}");
	totals = scan(fixture, "\"limit\":1000");
	assert_in_range(totals.events, 1, visible_lines(fixture) / 4);
	fault(fixture, "{\"clear\":true,\"settings\":{\"opaque_ids\":true}}");
	struct answer answer =
		logs(fixture, "FilterLogEvents", "{\"logGroupName\":\"" GROUP "\",\"limit\":1}");
	const json_t *event = json_array_get(json_object_get(answer.json, "events"), 0);
	const char *id = json_string_value(json_object_get(event, "eventId"));
	assert_true(id != NULL && strncmp(id, "event-", 6) == 0);
	done(&answer);
	fault(fixture, "{\"settings\":{\"hide_group\":true}}");
	expect_error(fixture, "FilterLogEvents", "{\"logGroupName\":\"" GROUP "\"}",
		     "ResourceNotFoundException");
	struct error err;
	assert_int_equal(
		cloudwatch_fault(fixture->server, STR_LIT("{\"faults\":[{\"kind\":\"x\"}]}"), &err),
		-ERR_INPUT);
	assert_int_equal(cloudwatch_fault(fixture->server, STR_LIT("[]"), &err), -ERR_INPUT);
}

static void test_get_log_events(void **state)
{
	/* proves that GetLogEvents reads a stream forwards to its end, where the same token comes again */
	const struct fixture *fixture = *state;
	struct answer streams =
		logs(fixture, "DescribeLogStreams", "{\"logGroupName\":\"" GROUP "\",\"limit\":1}");
	const json_t *stream = json_array_get(json_object_get(streams.json, "logStreams"), 0);
	const char *name = json_string_value(json_object_get(stream, "logStreamName"));
	assert_non_null(name);
	char body[2048], token[512] = "";
	size_t events = 0;
	for (int page = 0; page < 100; page++) {
		(void)snprintf(body, sizeof(body),
			       "{\"logGroupName\":\"" GROUP
			       "\",\"logStreamName\":\"%s\",\"limit\":2,"
			       "\"startFromHead\":true%s%s%s}",
			       name, token[0] != '\0' ? ",\"nextToken\":\"" : "", token,
			       token[0] != '\0' ? "\"" : "");
		struct answer answer = logs(fixture, "GetLogEvents", body);
		assert_int_equal(answer.status, 200);
		events += json_array_size(json_object_get(answer.json, "events"));
		bool last = strcmp(token, member(&answer, "nextForwardToken")) == 0;
		(void)snprintf(token, sizeof(token), "%s", member(&answer, "nextForwardToken"));
		done(&answer);
		if (last) {
			break;
		}
	}
	char parameters[256];
	(void)snprintf(parameters, sizeof(parameters), "\"logStreamNames\":[\"%s\"]", name);
	assert_int_equal(events, scan(fixture, parameters).events);
	done(&streams);
}

static void test_secret(void **state)
{
	/* proves that Secrets Manager gives the secret, and a new version after a rotation */
	struct fixture *fixture = *state;
	fixture->service = "aws:amz:eu-north-1:secretsmanager";
	const char *target = "X-Amz-Target: secretsmanager.GetSecretValue";
	const char *body = "{\"SecretId\":\"prod/sqlserver/querytrail\"}";
	struct answer answer = call(fixture, "/", target, body);
	assert_string_equal(member(&answer, "SecretString"), "{\"password\":\"one\"}");
	fault(fixture, "{\"secret\":\"{\\\"password\\\":\\\"two\\\"}\"}");
	struct answer second = call(fixture, "/", target, body);
	assert_string_equal(member(&second, "SecretString"), "{\"password\":\"two\"}");
	assert_string_not_equal(member(&second, "VersionId"), member(&answer, "VersionId"));
	done(&answer);
	done(&second);
	answer = call(fixture, "/", target, "{\"SecretId\":\"other\"}");
	assert_string_equal(member(&answer, "__type"), "ResourceNotFoundException");
	done(&answer);
}

static void test_metadata(void **state)
{
	/* proves that IMDS asks for its token, and that its credentials sign with their session token until they expire */
	struct fixture *fixture = *state;
	const char *folder = "/latest/meta-data/iam/security-credentials/";
	fixture->user = NULL;
	struct answer answer = call(fixture, folder, NULL, NULL);
	assert_int_equal(answer.status, 401);
	done(&answer);
	fixture->method = "PUT";
	answer = call(fixture, "/latest/api/token", NULL, "");
	assert_int_equal(answer.status, 400);
	done(&answer);
	answer = call(fixture, "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600",
		      "");
	assert_int_equal(answer.status, 200);
	char header[256], path[256], user[256], session[256];
	(void)snprintf(header, sizeof(header), "X-aws-ec2-metadata-token: %s", answer.body.ptr);
	done(&answer);
	fixture->method = NULL;
	answer = call(fixture, folder, header, NULL);
	assert_string_equal(answer.body.ptr, "querytrail-reader");
	(void)snprintf(path, sizeof(path), "%s%s", folder, answer.body.ptr);
	done(&answer);
	answer = call(fixture, path, header, NULL);
	(void)snprintf(user, sizeof(user), "%s:%s", member(&answer, "AccessKeyId"),
		       member(&answer, "SecretAccessKey"));
	(void)snprintf(session, sizeof(session), "X-Amz-Security-Token: %s",
		       member(&answer, "Token"));
	done(&answer);
	fixture->user = user;
	expect_error(fixture, "DescribeLogGroups", "{}", "UnrecognizedClientException");
	fixture->extra_header = session;
	answer = logs(fixture, "DescribeLogGroups", "{}");
	assert_int_equal(answer.status, 200);
	done(&answer);
	fixture->now_ns = clock_now_ns() + 7 * NS_PER_HOUR; /* the credentials live for 6 */
	expect_error(fixture, "DescribeLogGroups", "{}", "InvalidSignatureException");
	fixture->now_ns = 0;
}

static void test_expired_credentials(void **state)
{
	/* proves that credentials of AssumeRoleWithWebIdentity stop to work when their life is over */
	struct fixture *fixture = *state;
	char user[256], session[256];
	const char *keys[] = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
	char values[3][128];
	fixture->user = NULL;
	fault(fixture, "{\"settings\":{\"session_life_ms\":1}}");
	const char *form =
		"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=unit&"
		"RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fquerytrail-reader&"
		"WebIdentityToken=";
	char body[512];
	(void)snprintf(body, sizeof(body), "%s%s", form, "wrong");
	struct answer answer = call(fixture, "/", NULL, body);
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body.ptr, "<Code>InvalidIdentityToken</Code>"));
	done(&answer);
	(void)snprintf(body, sizeof(body), "%s%s", form, "eyJhbGciOiJub25lIn0.simulated.");
	answer = call(fixture, "/", NULL, body);
	assert_int_equal(answer.status, 200);
	for (size_t i = 0; i < 3; i++) {
		const char *start = strstr(answer.body.ptr, keys[i]);
		assert_non_null(start);
		start += strlen(keys[i]) + 1;
		(void)snprintf(values[i], sizeof(values[i]), "%.*s", (int)strcspn(start, "<"),
			       start);
	}
	done(&answer);
	(void)snprintf(user, sizeof(user), "%s:%s", values[0], values[1]);
	(void)snprintf(session, sizeof(session), "X-Amz-Security-Token: %s", values[2]);
	fixture->user = user;
	fixture->extra_header = session;
	fixture->now_ns = clock_now_ns() + NS_PER_SEC;
	expect_error(fixture, "DescribeLogGroups", "{}", "ExpiredTokenException");
}

static void test_stats(void **state)
{
	/* proves that the counters can be read over the control interface */
	struct fixture *fixture = *state;
	struct answer answer = logs(fixture, "DescribeLogGroups", "{}");
	done(&answer);
	answer = call(fixture, "/_sim/stats", NULL, NULL);
	assert_int_equal(json_integer_value(json_object_get(answer.json, "describe")), 1);
	assert_true(json_integer_value(json_object_get(answer.json, "bytes")) > 0);
	done(&answer);
	answer = call(fixture, "/_sim/faults", NULL, "{\"faults\":[{\"kind\":\"nonsense\"}]}");
	assert_int_equal(answer.status, 400);
	done(&answer);
}

static void test_neighbour(void **state)
{
	/* proves that the SQL Server beside is controlled line by line, and its counters come with ours */
	struct fixture *fixture = *state;
	struct answer answer = call(fixture, "/_sim/sql-faults", NULL, "one\n\n two \n");
	assert_int_equal(answer.status, 200);
	done(&answer);
	assert_int_equal(fixture->neighbour_lines, 2);
	answer = call(fixture, "/_sim/sql-faults", NULL, "three\nbad\nfour");
	assert_int_equal(answer.status, 400);
	done(&answer);
	assert_int_equal(fixture->neighbour_lines, 3);
	answer = call(fixture, "/_sim/stats", NULL, NULL);
	const json_t *sql = json_object_get(answer.json, "sql");
	assert_int_equal(json_integer_value(json_object_get(sql, "lines")), 3);
	done(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scan_gives_everything_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_times_are_inclusive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_streams_and_pattern, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_parameters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_token_is_bound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_signature, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fault_choice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_get_log_events, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_secret, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_metadata, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_expired_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stats, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_neighbour, set_up, tear_down),
	};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int result = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return result;
}
