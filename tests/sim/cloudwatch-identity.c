#include "tests/sim/cloudwatch-state.h"

#include "base/parse.h"
#include "tests/sim/json-text.h"

#include <stdio.h>

#define IMDS_TTL_MAX   21600
#define DEFAULT_LIFE_S 3600

/* The value of a field of the form in the body, decoded into out; false when it is not there. */
static bool form_field(const struct call *call, const char *name, struct buf *out)
{
	struct str rest = call->request.body;
	while (rest.len > 0) {
		struct str value = str_split(&rest, '&');
		struct str key = str_split(&value, '=');
		if (!str_is(key, name)) {
			continue;
		}
		struct buf spaced;
		buf_init(&spaced, 0);
		for (size_t i = 0; i < value.len; i++) {
			buf_put_byte(&spaced, value.ptr[i] == '+' ? ' ' : (uint8_t)value.ptr[i]);
		}
		bool good = parse_percent(buf_str(&spaced), out);
		buf_done(&spaced);
		return good;
	}
	return false;
}

static bool field_is(const struct call *call, const char *name, const char *value)
{
	struct buf text;
	buf_init(&text, 0);
	bool same = form_field(call, name, &text) && str_is(buf_str(&text), value);
	buf_done(&text);
	return same;
}

/* DurationSeconds, 900 to 43200; false when it is something else. */
static bool read_life(const struct call *call, int64_t *out_s)
{
	struct buf text;
	buf_init(&text, 64);
	*out_s = DEFAULT_LIFE_S;
	bool good = !form_field(call, "DurationSeconds", &text) ||
		    (parse_i64(buf_str(&text), out_s) && *out_s >= 900 && *out_s <= 43200);
	buf_done(&text);
	return good;
}

static void put_role_arn(const struct cloudwatch *server, struct buf *out)
{
	buf_putf(out, "arn:aws:iam::%s:role/%s", server->options.account, server->options.role);
}

static bool role_fits(const struct call *call)
{
	struct buf arn;
	buf_init(&arn, 0);
	put_role_arn(call->server, &arn);
	bool fits = !arn.failed && field_is(call, "RoleArn", arn.ptr);
	buf_done(&arn);
	return fits;
}

static void put_credentials_xml(struct call *call, const char *action, int64_t life_s)
{
	int64_t life_ns = call->settings.session_life_ms > 0
				  ? call->settings.session_life_ms * NS_PER_MS
				  : life_s * NS_PER_SEC;
	struct key key = auth_issue(call, life_ns);
	struct buf *out = &call->reply;
	call->content_type = "text/xml";
	buf_putf(out, "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n", action);
	buf_putf(out, "  <%sResult>\n    <Credentials>\n      <AccessKeyId>%s</AccessKeyId>\n",
		 action, key.access_key);
	buf_putf(out, "      <SecretAccessKey>%s</SecretAccessKey>\n", key.secret_key);
	buf_putf(out, "      <SessionToken>%s</SessionToken>\n      <Expiration>", key.token);
	clock_put_rfc3339(out, key.expires_ns, 0);
	buf_putf(
		out,
		"</Expiration>\n    </Credentials>\n    <AssumedRoleUser>\n      <Arn>arn:aws:sts::"
		"%s:assumed-role/%s/session</Arn>\n",
		call->server->options.account, call->server->options.role);
	buf_putf(out,
		 "      <AssumedRoleId>AROASIMULATED:session</AssumedRoleId>\n    "
		 "</AssumedRoleUser>\n"
		 "  </%sResult>\n</%sResponse>\n",
		 action, action);
}

static void assume(struct call *call, const char *action)
{
	int64_t life_s = 0;
	struct buf name;
	buf_init(&name, 0);
	bool named = form_field(call, "RoleSessionName", &name) && name.len >= 2 && name.len <= 64;
	buf_done(&name);
	if (!named || !read_life(call, &life_s)) {
		call_refuse_xml(
			call, 400, "ValidationError",
			"RoleSessionName or DurationSeconds does not satisfy its constraint");
	} else if (!role_fits(call)) {
		call_refuse_xml(
			call, 403, "AccessDenied",
			"User is not authorized to perform: sts:AssumeRole on this resource");
	} else {
		put_credentials_xml(call, action, life_s);
	}
}

void identity_sts(struct call *call)
{
	if (field_is(call, "Action", "AssumeRoleWithWebIdentity")) {
		if (!field_is(call, "WebIdentityToken", call->server->options.web_identity_token)) {
			call_refuse_xml(
				call, 400, "InvalidIdentityToken",
				"The web identity token that was passed could not be validated");
			return;
		}
		assume(call, "AssumeRoleWithWebIdentity");
		return;
	}
	if (!auth_check(call, "sts")) {
		return;
	}
	if (field_is(call, "Action", "AssumeRole")) {
		assume(call, "AssumeRole");
	} else if (field_is(call, "Action", "GetCallerIdentity")) {
		call->content_type = "text/xml";
		buf_putf(&call->reply,
			 "<GetCallerIdentityResponse "
			 "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
			 "<GetCallerIdentityResult><Arn>arn:aws:iam::%s:user/sim</"
			 "Arn><UserId>AIDASIM"
			 "</UserId><Account>%s</Account></GetCallerIdentityResult>"
			 "</GetCallerIdentityResponse>\n",
			 call->server->options.account, call->server->options.account);
	} else {
		call_refuse_xml(call, 400, "InvalidAction",
				"Could not find operation for version 2011-06-15");
	}
}

static void plain(struct call *call, unsigned status, const char *text)
{
	call->status = status;
	call->content_type = "text/plain";
	buf_put_text(&call->reply, text);
}

static void imds_put_token(struct call *call)
{
	struct cloudwatch *server = call->server;
	struct str ttl = sigv4_header(&call->request, "x-aws-ec2-metadata-token-ttl-seconds");
	uint64_t seconds = 0;
	if (!parse_u64(ttl, &seconds) || seconds < 1 || seconds > IMDS_TTL_MAX) {
		plain(call, 400, "Bad Request");
		return;
	}
	struct key key = auth_issue(call, NS_PER_SEC); /* only for its unpredictable text */
	pthread_mutex_lock(&server->lock);
	(void)snprintf(server->imds_token, sizeof(server->imds_token),
		       "AQAEA%.40s==", key.secret_key);
	buf_put_text(&call->reply, server->imds_token);
	pthread_mutex_unlock(&server->lock);
	call->content_type = "text/plain";
}

static void imds_put_credentials(struct call *call)
{
	int64_t life_ns = call->server->options.session_life_ns > 0
				  ? call->server->options.session_life_ns
				  : 6 * NS_PER_HOUR;
	if (call->settings.session_life_ms > 0) {
		life_ns = call->settings.session_life_ms * NS_PER_MS;
	}
	struct key key = auth_issue(call, life_ns);
	struct buf *out = &call->reply;
	call->content_type = "text/plain"; /* as the real one */
	buf_put_text(out, "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"");
	clock_put_rfc3339(out, call->now_ns, 0);
	buf_putf(out, "\",\n  \"Type\" : \"AWS-HMAC\",\n  \"AccessKeyId\" : \"%s\",\n",
		 key.access_key);
	buf_putf(out,
		 "  \"SecretAccessKey\" : \"%s\",\n  \"Token\" : \"%s\",\n  \"Expiration\" : \"",
		 key.secret_key, key.token);
	clock_put_rfc3339(out, key.expires_ns, 0);
	buf_put_text(out, "\"\n}");
}

void identity_imds(struct call *call)
{
	struct cloudwatch *server = call->server;
	static const char folder[] = "/latest/meta-data/iam/security-credentials/";
	struct str path = call->request.target;
	if (str_is(call->request.method, "PUT") && str_is(path, "/latest/api/token")) {
		imds_put_token(call);
		return;
	}
	struct str token = sigv4_header(&call->request, "x-aws-ec2-metadata-token");
	pthread_mutex_lock(&server->lock);
	bool known = token.len > 0 && str_is(token, server->imds_token);
	pthread_mutex_unlock(&server->lock);
	if (!known) {
		plain(call, 401, "Unauthorized");
		return;
	}
	struct str name = str_slice(path, sizeof(folder) - 1, path.len);
	if (str_is(path, "/latest/meta-data/placement/region")) {
		plain(call, 200, server->options.region);
	} else if (!str_has_prefix(path, str_of(folder))) {
		plain(call, 404, "Not Found");
	} else if (name.len == 0) {
		plain(call, 200, server->options.role);
	} else if (str_is(name, server->options.role)) {
		imds_put_credentials(call);
	} else {
		plain(call, 404, "Not Found");
	}
}

void identity_secret(struct call *call, const json_t *input)
{
	struct cloudwatch *server = call->server;
	struct str id = input_text(input, "SecretId");
	struct str stage = input_text(input, "VersionStage");
	struct buf arn;
	buf_init(&arn, 0);
	buf_putf(&arn, "arn:aws:secretsmanager:%s:%s:secret:%s-a1B2c3", server->options.region,
		 server->options.account, server->options.secret_name);
	pthread_mutex_lock(&server->lock);
	bool known = server->secret.len > 0 &&
		     (str_is(id, server->options.secret_name) || str_equal(id, buf_str(&arn))) &&
		     (stage.ptr == NULL || str_is(stage, "AWSCURRENT"));
	if (known) {
		buf_putf(&call->reply, "{\"ARN\":\"%s\",\"Name\":\"%s\",\"VersionId\":", arn.ptr,
			 server->options.secret_name);
		buf_putf(&call->reply, "\"00000000-0000-4000-8000-%012llu\",\"SecretString\":",
			 (unsigned long long)server->secret_version);
		json_text_put(&call->reply, buf_str(&server->secret));
		buf_putf(&call->reply,
			 ",\"VersionStages\":[\"AWSCURRENT\"],\"CreatedDate\":%lld.5}",
			 (long long)(call->now_ns / NS_PER_SEC));
	}
	pthread_mutex_unlock(&server->lock);
	buf_done(&arn);
	if (!known) {
		call_refuse(call, 400, "ResourceNotFoundException",
			    "Secrets Manager can't find the specified secret.");
	}
}
