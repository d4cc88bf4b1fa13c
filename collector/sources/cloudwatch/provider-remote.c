#include "collector/sources/cloudwatch/provider.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"

#include <stdlib.h>

#define IMDS_TIMEOUT_NS      NS_PER_SEC
#define CONTAINER_TIMEOUT_NS (2 * NS_PER_SEC)
#define TOKEN_MAX_BYTES      65536
#define IMDS_DEFAULT         "http://169.254.169.254"

/* A GET or PUT of a link-local service, which is not there on most machines. */
static int fetch(const struct credentials_reach *reach, const struct http_request *how,
		 struct http_reply *out_reply, struct error *err)
{
	struct http_request request = *how;

	request.stop_fd = reach->stop_fd;
	return http_send(reach->client->http, &request, out_reply, err);
}

/* The path below the metadata service as a URL. */
static void put_imds_url(const struct credentials_options *options, const char *path,
			 struct buf *out)
{
	const char *base = options->imds_endpoint;
	struct str text = str_of(base != NULL && base[0] != '\0' ? base : IMDS_DEFAULT);

	while (text.len > 0 && text.ptr[text.len - 1] == '/') {
		text.len--;
	}
	buf_clear(out);
	buf_put_str(out, text);
	buf_put_text(out, path);
}

/* The session token of version 2 as a header line. ERR_GONE when there is no metadata service here. */
static int imds_token(const struct credentials_options *options,
		      const struct credentials_reach *reach, struct buf *out_header,
		      struct error *err)
{
	static const char *const headers[] = {"x-aws-ec2-metadata-token-ttl-seconds: 21600"};
	struct http_reply reply = {0};
	struct buf url;
	struct error ignored;

	buf_init(&url, 4096);
	put_imds_url(options, "/latest/api/token", &url);
	struct http_request request = {.method = "PUT",
				       .url = url.ptr,
				       .headers = headers,
				       .header_count = 1,
				       .timeout_ns = IMDS_TIMEOUT_NS};
	int rc = url.failed ? -ERR_GONE : fetch(reach, &request, &reply, &ignored);
	buf_done(&url);
	if (rc != 0) {
		return rc == -ERR_CANCELLED ? error_set(err, ERR_CANCELLED, "asked to stop")
					    : -ERR_GONE;
	}
	if (reply.status != 200 || reply.body.len == 0 || reply.body.len > 1024 ||
	    str_find_byte(reply.body, '\n', 0) >= 0 || str_find_byte(reply.body, '\r', 0) >= 0) {
		return reply.status == 400
			       ? error_set(err, ERR_CONFIG,
					   "instance metadata refuses the token request")
			       : -ERR_GONE;
	}
	buf_put_text(out_header, "x-aws-ec2-metadata-token: ");
	buf_put_str(out_header, reply.body);
	return 0;
}

static int imds_get(const struct credentials_options *options,
		    const struct credentials_reach *reach, const char *token_header,
		    const char *path, struct http_reply *out_reply)
{
	const char *headers[] = {token_header};
	struct buf url;
	struct error ignored;

	buf_init(&url, 4096);
	put_imds_url(options, path, &url);
	struct http_request request = {.method = "GET",
				       .url = url.ptr,
				       .headers = headers,
				       .header_count = 1,
				       .timeout_ns = IMDS_TIMEOUT_NS};
	int rc = url.failed ? -ERR_AGAIN : fetch(reach, &request, out_reply, &ignored);
	buf_done(&url);
	return rc == 0 && out_reply->status == 200 ? 0 : -ERR_AGAIN;
}

int provider_instance(const struct credentials_options *options,
		      const struct credentials_reach *reach, struct credentials *out,
		      struct error *err)
{
	static const char folder[] = "/latest/meta-data/iam/security-credentials/";
	struct http_reply reply = {0};
	struct buf header;
	struct buf path;
	bool disabled = false;

	if (parse_bool(str_of(getenv("AWS_EC2_METADATA_DISABLED")), &disabled) && disabled) {
		return -ERR_GONE;
	}
	buf_init(&header, 4096);
	buf_init(&path, 4096);
	int rc = imds_token(options, reach, &header, err);
	if (rc == 0 && imds_get(options, reach, header.ptr, folder, &reply) != 0) {
		rc = error_set(err, ERR_AUTH,
			       "this instance has no role (instance metadata, HTTP %ld)",
			       reply.status);
	}
	if (rc == 0) {
		struct str rest = reply.body;
		struct str role = str_trim(str_split(&rest, '\n'));
		buf_put_text(&path, folder);
		parse_put_percent(&path, role);
		rc = role.len == 0 || path.failed
			     ? error_set(err, ERR_AUTH, "this instance has no role")
			     : imds_get(options, reach, header.ptr, path.ptr, &reply);
		if (rc == -ERR_AGAIN) {
			(void)error_set(err, ERR_AGAIN,
					"instance metadata did not give the role's credentials");
		}
	}
	if (rc == 0) {
		rc = credentials_from_json(out, reply.body, "instance metadata", err);
		http_wipe(reach->client->http);
	}
	buf_done(&header);
	buf_done(&path);
	return rc;
}

/* The only hosts that a plain container endpoint may have; https may have any. */
static bool container_host_allowed(struct str url)
{
	static const char *const allowed[] = {"http://127.0.0.1",      "http://localhost",
					      "http://169.254.170.2",  "http://169.254.170.23",
					      "http://[fd00:ec2::23]", "http://[::1]"};

	if (str_has_prefix(url, STR_LIT("https://"))) {
		return true;
	}
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		struct str host = str_of(allowed[i]);
		if (str_has_prefix(url, host) &&
		    (url.len == host.len || url.ptr[host.len] == ':' || url.ptr[host.len] == '/')) {
			return true;
		}
	}
	return false;
}

/* The Authorization header of the container endpoint; empty when there is none. */
static int container_header(struct buf *out, struct error *err)
{
	const char *path = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	int rc = 0;

	if (path != NULL && path[0] != '\0') {
		buf_put_text(out, "Authorization: ");
		rc = io_read_file(path, TOKEN_MAX_BYTES, out, err);
	} else if (token != NULL && token[0] != '\0') {
		buf_put_text(out, "Authorization: ");
		buf_put_text(out, token);
	}
	struct str text = buf_str(out);
	if (rc == 0 && (out->failed || str_find_byte(text, '\r', 0) >= 0 ||
			str_find_byte(text, '\n', 0) >= 0)) {
		rc = error_set(
			err, ERR_CONFIG,
			"the authorization token of the container endpoint holds a line end");
	}
	return rc;
}

int provider_container(const struct credentials_reach *reach, struct credentials *out,
		       struct error *err)
{
	const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct buf url;
	struct buf header;
	struct http_reply reply = {0};

	if ((relative == NULL || relative[0] == '\0') && (full == NULL || full[0] == '\0')) {
		return -ERR_GONE;
	}
	buf_init(&url, 4096);
	buf_init(&header, TOKEN_MAX_BYTES + 64);
	if (relative != NULL && relative[0] != '\0') {
		buf_putf(&url, "http://169.254.170.2%s", relative);
	} else {
		buf_put_text(&url, full);
	}
	int rc = buf_check(&url, "the URL of the container endpoint", err);
	if (rc == 0 && !container_host_allowed(buf_str(&url))) {
		rc = error_set(err, ERR_CONFIG,
			       "the container endpoint %s is not https and not local", url.ptr);
	}
	if (rc == 0) {
		rc = container_header(&header, err);
	}
	if (rc == 0) {
		const char *headers[] = {header.ptr};
		struct http_request request = {.method = "GET",
					       .url = url.ptr,
					       .headers = headers,
					       .header_count = header.len > 0,
					       .timeout_ns = CONTAINER_TIMEOUT_NS};
		rc = fetch(reach, &request, &reply, err);
	}
	if (rc == 0 && reply.status != 200) {
		rc = error_set(err, ERR_AGAIN, "the container endpoint %s answers HTTP %ld",
			       url.ptr, reply.status);
	}
	if (rc == 0) {
		rc = credentials_from_json(out, reply.body, "the container endpoint", err);
		http_wipe(reach->client->http);
	}
	buf_done(&url);
	if (header.ptr != NULL) {
		explicit_bzero(header.ptr, header.capacity);
	}
	buf_done(&header);
	return rc;
}

static void put_parameter(struct buf *body, const char *name, struct str value)
{
	if (value.len > 0) {
		buf_putf(body, "&%s=", name);
		parse_put_percent(body, value);
	}
}

/* The body of the STS call. */
static int put_role_body(const struct provider_role *role, struct buf *body, struct error *err)
{
	bool web = role->token_file.len > 0;
	struct buf token;
	struct buf path;
	int rc = 0;

	buf_init(&token, TOKEN_MAX_BYTES);
	buf_init(&path, 4096);
	buf_putf(body, "Action=%s&Version=2011-06-15",
		 web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
	put_parameter(body, "RoleArn", role->role_arn);
	put_parameter(body, "RoleSessionName",
		      role->session_name.len > 0 ? role->session_name : STR_LIT("querytrail"));
	put_parameter(body, "ExternalId", role->external_id);
	if (role->duration_s > 0) {
		buf_putf(body, "&DurationSeconds=%lld", (long long)role->duration_s);
	}
	if (web) {
		buf_put_str(&path, role->token_file);
		rc = io_read_file(path.ptr, TOKEN_MAX_BYTES, &token, err);
		put_parameter(body, "WebIdentityToken", str_trim(buf_str(&token)));
	}
	buf_done(&path);
	buf_done(&token);
	return rc == 0 ? buf_check(body, "the STS call", err) : rc;
}

/* <AccessKeyId> and the others of the reply. */
static int read_role(struct str body, struct credentials *out, struct error *err)
{
	static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "SessionToken",
					    "Expiration"};
	struct buf values[4];
	int64_t expires_ns = 0;

	for (int i = 0; i < 4; i++) {
		buf_init(&values[i], TOKEN_MAX_BYTES);
		(void)awserror_xml(body, names[i], &values[i]); /* missing ones are noticed below */
	}
	struct credentials_parts parts = {.access_key_id = buf_str(&values[0]),
					  .secret_key = buf_str(&values[1]),
					  .session_token = buf_str(&values[2]),
					  .from = "the assumed role"};
	int rc = credentials_set(out, &parts, err);
	if (rc == 0 && !clock_parse_rfc3339(buf_str(&values[3]), &expires_ns)) {
		credentials_done(out);
		rc = error_set(err, ERR_INPUT, "STS gave credentials without an end");
	}
	if (rc == 0) {
		out->expires_ns = expires_ns;
	}
	for (int i = 0; i < 4; i++) {
		if (values[i].ptr != NULL) {
			explicit_bzero(values[i].ptr, values[i].capacity);
		}
		buf_done(&values[i]);
	}
	return rc == 0 || rc == -ERR_NOMEM
		       ? rc
		       : error_set(err, ERR_INPUT, "the reply of STS holds no credentials");
}

static void put_sts_url(const struct credentials_options *options, struct buf *out)
{
	const char *named = options->sts_endpoint;

	if (named == NULL || named[0] == '\0') {
		named = getenv("AWS_ENDPOINT_URL_STS");
	}
	if (named == NULL || named[0] == '\0') {
		named = getenv("AWS_ENDPOINT_URL");
	}
	if (named != NULL && named[0] != '\0') {
		buf_put_text(out, named);
		return;
	}
	buf_putf(out, "https://sts.%s.amazonaws.com%s/", options->region,
		 strncmp(options->region, "cn-", 3) == 0 ? ".cn" : "");
}

int provider_assume_role(const struct credentials_options *options,
			 const struct credentials_reach *reach, const struct provider_role *role,
			 struct credentials *out, struct error *err)
{
	struct buf url;
	struct buf body;
	struct http_reply reply = {0};
	enum awserror_kind kind;

	buf_init(&url, 4096);
	buf_init(&body, 4 * TOKEN_MAX_BYTES);
	put_sts_url(options, &url);
	int rc = put_role_body(role, &body, err);
	if (rc == 0) {
		struct client_call call = {
			.what = role->token_file.len > 0 ? "AssumeRoleWithWebIdentity"
							 : "AssumeRole",
			.service = "sts",
			.region = options->region,
			.url = url.ptr,
			.content_type = "application/x-www-form-urlencoded; charset=utf-8",
			.body = buf_str(&body),
			.credentials = role->token_file.len > 0 ? NULL : role->base,
			.now_ns = reach->now_ns,
			.timeout_ns = reach->timeout_ns,
			.stop_fd = reach->stop_fd};
		rc = client_call(reach->client, &call, &reply, &kind, err);
	}
	if (rc == 0) {
		rc = read_role(reply.body, out, err);
		http_wipe(reach->client->http);
	}
	if (rc != 0 && rc != -ERR_CANCELLED) {
		error_prefix(err, "role %.*s", STR_ARG(role->role_arn));
	}
	if (body.ptr != NULL) {
		explicit_bzero(body.ptr, body.capacity); /* it may hold the identity token */
	}
	buf_done(&url);
	buf_done(&body);
	return rc;
}
