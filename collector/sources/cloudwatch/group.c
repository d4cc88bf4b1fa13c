#include "collector/sources/cloudwatch/group.h"

#include "base/json.h"
#include "base/parse.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY_MAX      (SCAN_TOKEN_MAX * 6 + 8192)
#define CONTENT_TYPE  "application/x-amz-json-1.1"
#define GROUPS_LISTED 50

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static void put_url(struct group *group, const char *endpoint)
{
	bool fips = false;

	if (endpoint[0] == '\0' && environment("AWS_ENDPOINT_URL_LOGS") != NULL) {
		endpoint = environment("AWS_ENDPOINT_URL_LOGS");
	}
	if (endpoint[0] == '\0' && environment("AWS_ENDPOINT_URL") != NULL) {
		endpoint = environment("AWS_ENDPOINT_URL");
	}
	if (endpoint[0] != '\0') {
		buf_put_text(&group->url, endpoint);
		return;
	}
	(void)parse_bool(str_of(environment("AWS_USE_FIPS_ENDPOINT")),
			 &fips); /* else it stays off */
	buf_putf(&group->url, "https://logs%s.%s.amazonaws.com%s/", fips ? "-fips" : "",
		 group->region, strncmp(group->region, "cn-", 3) == 0 ? ".cn" : "");
}

int group_init(struct group *group, const struct config *config, const char *section,
	       struct error *err)
{
	*group = (struct group){.name = config_text(config, section, "log_group"),
				.region = config_text(config, section, "region"),
				.timeout_ns = config_int(config, section, "timeout"),
				.page_limit = config_int(config, section, "page_limit")};
	struct credentials_options options = {
		.profile = config_text(config, section, "profile"),
		.credentials_file = config_text(config, section, "credentials_file"),
		.region = group->region,
		.sts_endpoint = config_text(config, section, "sts_endpoint"),
		.imds_endpoint = config_text(config, section, "imds_endpoint")};
	group->limit_now = group->page_limit;
	group->client.ca_file = config_text(config, section, "ca_file");
	buf_init(&group->url, 4096);
	buf_init(&group->body, BODY_MAX);
	chain_init(&group->chain, &options);
	put_url(group, config_text(config, section, "endpoint"));
	int rc = buf_check(&group->url, "the endpoint", err);
	return rc == 0 ? http_new(&group->client.http, err) : rc;
}

void group_done(struct group *group)
{
	chain_done(&group->chain);
	http_free(group->client.http);
	buf_done(&group->url);
	buf_done(&group->body);
	*group = (struct group){0};
}

/* The time that is left for one call. */
static int64_t time_left(const struct group *group, const struct source_request *request)
{
	int64_t left_ns = request->deadline_ns - clock_monotonic_ns();

	if (left_ns < NS_PER_SEC) {
		left_ns = NS_PER_SEC;
	}
	return left_ns < group->timeout_ns ? left_ns : group->timeout_ns;
}

/* One signed call; expired credentials are looked up anew, once. */
static int call_logs(struct group *group, const char *operation, const struct group_ask *ask,
		     struct group_answer *answer, struct error *err)
{
	char target[64];
	char what[512];
	struct client_call call = {.what = what,
				   .service = "logs",
				   .region = group->region,
				   .url = group->url.ptr,
				   .content_type = CONTENT_TYPE,
				   .target = target,
				   .body = buf_str(&group->body),
				   .now_ns = ask->now_ns,
				   .timeout_ns = time_left(group, ask->request),
				   .stop_fd = ask->request->stop_fd};
	struct credentials_reach reach = {.client = &group->client,
					  .now_ns = ask->now_ns,
					  .timeout_ns = call.timeout_ns,
					  .stop_fd = ask->request->stop_fd};
	int rc = 0;

	answer->kind = AWSERROR_NONE;
	(void)snprintf(target, sizeof(target), "Logs_20140328.%s", operation); /* fits */
	(void)snprintf(what, sizeof(what), "%s on log group %.300s", operation, group->name);
	for (int tries = 0; tries < 2; tries++) {
		rc = chain_get(&group->chain, &reach, &call.credentials, err);
		if (rc != 0) {
			return rc;
		}
		rc = client_call(&group->client, &call, &answer->reply, &answer->kind, err);
		if (rc == -ERR_AUTH) {
			chain_forget(&group->chain);
		}
		if (answer->kind != AWSERROR_EXPIRED) {
			break;
		}
	}
	return rc;
}

static void put_page_body(struct group *group, const struct scan *scan)
{
	struct buf *body = &group->body;
	bool first = true;

	buf_clear(body);
	buf_put_byte(body, '{');
	json_put_key(body, &first,
		     strncmp(group->name, "arn:", 4) == 0 ? "logGroupIdentifier" : "logGroupName");
	json_put_string(body, str_of(group->name));
	json_put_key(body, &first, "startTime");
	buf_put_i64(body, scan->start_ms);
	json_put_key(body, &first, "endTime");
	buf_put_i64(body, scan->end_ms);
	json_put_key(body, &first, "limit");
	buf_put_i64(body, group->limit_now);
	if (scan->token.len > 0) {
		json_put_key(body, &first, "nextToken");
		json_put_string(body, buf_str(&scan->token));
	}
	buf_put_byte(body, '}');
}

int group_page(struct group *group, const struct scan *scan, const struct group_ask *ask,
	       struct group_answer *answer, struct error *err)
{
	put_page_body(group, scan);
	int rc = buf_check(&group->body, "the request for a page", err);
	if (rc == 0) {
		rc = call_logs(group, "FilterLogEvents", ask, answer, err);
	}
	if (rc == -ERR_INPUT && answer->kind == AWSERROR_NONE && group->limit_now > 1) {
		group->limit_now /= 2; /* the next page may fit */
	}
	if (rc != 0) {
		return rc;
	}
	rc = reply_parse(answer->reply.body, answer->arena, &answer->page, err);
	if (rc != 0) {
		err->code = ERR_INPUT;
		error_prefix(err, "FilterLogEvents on log group %s", group->name);
		return -ERR_INPUT;
	}
	if (group->limit_now < group->page_limit) {
		group->limit_now++;
	}
	return 0;
}

/* The name in "arn:aws:logs:region:account:log-group:NAME:*"; all of a text that is no ARN. */
static struct str bare_name(const char *name)
{
	struct str text = str_of(name);
	ptrdiff_t at = str_find(text, STR_LIT(":log-group:"), 0);

	if (!str_has_prefix(text, STR_LIT("arn:")) || at < 0) {
		return text;
	}
	text = str_slice(text, (size_t)at + strlen(":log-group:"), text.len);
	return str_has_suffix(text, STR_LIT(":*")) ? str_slice(text, 0, text.len - 2) : text;
}

/* Reads one group of the list; true when it is ours. */
static bool read_group(struct str object, struct str wanted, int64_t *out_days)
{
	struct buf name;
	struct buf days;

	buf_init(&name, 4096);
	buf_init(&days, 64);
	bool ours =
		reply_member(object, "logGroupName", &name) && str_equal(buf_str(&name), wanted);
	*out_days = 0;
	if (ours && reply_member(object, "retentionInDays", &days)) {
		(void)parse_i64(buf_str(&days), out_days); /* else it is for ever */
	}
	buf_done(&name);
	buf_done(&days);
	return ours;
}

static bool find_group(struct str body, struct str wanted, int64_t *out_days)
{
	struct json_scanner scanner = json_scanner(body);
	struct str object;

	if (json_next(&scanner) != JSON_OBJECT_BEGIN) {
		return false;
	}
	while (json_next(&scanner) == JSON_KEY) {
		if (!str_is(scanner.text, "logGroups")) {
			if (!json_skip(&scanner, &object)) {
				return false;
			}
			continue;
		}
		if (json_next(&scanner) != JSON_ARRAY_BEGIN) {
			return false;
		}
		while (json_skip(&scanner, &object)) {
			if (object.len > 0 && object.ptr[0] == '{' &&
			    read_group(object, wanted, out_days)) {
				return true;
			}
		}
		return false;
	}
	return false;
}

int group_retention(struct group *group, const struct group_ask *ask, int64_t *out_days,
		    struct error *err)
{
	struct group_answer answer = {0};
	struct str name = bare_name(group->name);
	bool first = true;

	buf_clear(&group->body);
	buf_put_byte(&group->body, '{');
	json_put_key(&group->body, &first, "logGroupNamePrefix");
	json_put_string(&group->body, name);
	buf_putf(&group->body, ",\"limit\":%d}", GROUPS_LISTED);
	int rc = buf_check(&group->body, "the request for the retention", err);
	if (rc == 0) {
		rc = call_logs(group, "DescribeLogGroups", ask, &answer, err);
	}
	if (rc == -ERR_AUTH || rc == -ERR_CONFIG || rc == -ERR_GONE) {
		err->code = ERR_GONE;
		return -ERR_GONE;
	}
	if (rc == 0 && !find_group(answer.reply.body, name, out_days)) {
		return error_set(err, ERR_GONE, "DescribeLogGroups does not list log group %s",
				 group->name);
	}
	return rc;
}
