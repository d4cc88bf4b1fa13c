#include "collector/sources/cloudwatch/credentials.h"

#include "base/clock.h"
#include "collector/sources/cloudwatch/provider.h"
#include "collector/sources/cloudwatch/reply.h"

#include <stdlib.h>

#define RETRY_NS     NS_PER_MIN
#define DOCUMENT_MAX 65536

void credentials_init(struct credentials *credentials)
{
	*credentials = (struct credentials){.from = "nowhere"};
	secret_init(&credentials->secret_key);
	secret_init(&credentials->session_token);
}

void credentials_done(struct credentials *credentials)
{
	secret_done(&credentials->secret_key);
	secret_done(&credentials->session_token);
	credentials_init(credentials);
}

int credentials_set(struct credentials *credentials, const struct credentials_parts *parts,
		    struct error *err)
{
	struct str access_key_id = parts->access_key_id;

	credentials_done(credentials);
	if (access_key_id.len == 0 || parts->secret_key.len == 0) {
		return error_set(err, ERR_CONFIG, "credentials from %s lack their %s", parts->from,
				 access_key_id.len == 0 ? "access key id" : "secret access key");
	}
	if (access_key_id.len >= ACCESS_KEY_MAX) {
		return error_set(err, ERR_CONFIG, "the access key id from %s has %zu characters",
				 parts->from, access_key_id.len);
	}
	memcpy(credentials->access_key_id, access_key_id.ptr, access_key_id.len);
	credentials->access_key_id[access_key_id.len] = '\0';
	credentials->from = parts->from;
	int rc = secret_set(&credentials->secret_key, parts->secret_key, err);
	if (rc == 0 && parts->session_token.len > 0) {
		rc = secret_set(&credentials->session_token, parts->session_token, err);
	}
	if (rc != 0) {
		credentials_done(credentials);
	}
	return rc;
}

/* A member of the document as text in a buf of its own. */
static struct str member(struct str body, const char *name, struct buf *out)
{
	buf_clear(out);
	return reply_member(body, name, out) ? buf_str(out) : (struct str){0};
}

static void wipe(struct buf *buf)
{
	if (buf->ptr != NULL) {
		explicit_bzero(buf->ptr, buf->capacity);
	}
	buf_done(buf);
}

int credentials_from_json(struct credentials *credentials, struct str body, const char *from,
			  struct error *err)
{
	struct buf id;
	struct buf secret;
	struct buf token;
	struct buf expiry;
	int64_t expires_ns = 0;

	buf_init(&id, DOCUMENT_MAX);
	buf_init(&secret, DOCUMENT_MAX);
	buf_init(&token, DOCUMENT_MAX);
	buf_init(&expiry, DOCUMENT_MAX);
	struct str session = member(body, "SessionToken", &token);
	if (session.len == 0) {
		session = member(body, "Token", &token);
	}
	struct str end = member(body, "Expiration", &expiry);
	int rc = 0;
	if (end.len > 0 && !clock_parse_rfc3339(end, &expires_ns)) {
		rc = error_set(err, ERR_INPUT,
			       "%s gave an end of the credentials that is no time: %.*s", from,
			       STR_ARG(end));
	}
	struct credentials_parts parts = {.access_key_id = member(body, "AccessKeyId", &id),
					  .secret_key = member(body, "SecretAccessKey", &secret),
					  .session_token = session,
					  .from = from};
	if (rc == 0 && credentials_set(credentials, &parts, err) != 0) {
		rc = error_set(err, ERR_INPUT, "%s gave a document without credentials", from);
	}
	if (rc == 0) {
		credentials->expires_ns = expires_ns;
	}
	buf_done(&id);
	wipe(&secret);
	wipe(&token);
	buf_done(&expiry);
	return rc;
}

void chain_init(struct chain *chain, const struct credentials_options *options)
{
	*chain = (struct chain){.options = *options};
	credentials_init(&chain->current);
}

void chain_done(struct chain *chain)
{
	credentials_done(&chain->current);
}

void chain_forget(struct chain *chain)
{
	credentials_done(&chain->current);
	chain->next_try_ns = 0;
}

static const char *set_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Asks the places in order. */
static int look_up(const struct credentials_options *options, const struct credentials_reach *reach,
		   struct credentials *out, struct error *err)
{
	struct provider_choice choice = {.profile = set_or_null(options->profile)};
	int rc = -ERR_GONE;

	if (choice.profile == NULL) {
		choice.profile = set_or_null(getenv("AWS_PROFILE"));
	}
	choice.chosen = choice.profile != NULL;
	if (!choice.chosen) {
		choice.profile = "default";
		/* a configured file is a choice too */
		if (set_or_null(options->credentials_file) == NULL) {
			rc = provider_environment(out, err);
		}
	}
	if (rc == -ERR_GONE && !choice.chosen) {
		rc = provider_web_identity(options, reach, out, err);
	}
	if (rc == -ERR_GONE) {
		rc = provider_profile(options, &choice, reach, out, err);
	}
	if (rc == -ERR_GONE) {
		rc = provider_container(reach, out, err);
	}
	if (rc == -ERR_GONE) {
		rc = provider_instance(options, reach, out, err);
	}
	if (rc == -ERR_GONE) {
		return error_set(err, ERR_AUTH,
				 "no AWS credentials: none in the environment, the shared files "
				 "(profile %s), "
				 "a container endpoint or instance metadata",
				 choice.profile);
	}
	return rc;
}

int chain_get(struct chain *chain, const struct credentials_reach *reach,
	      const struct credentials **out_credentials, struct error *err)
{
	struct credentials *current = &chain->current;
	bool have = current->access_key_id[0] != '\0';
	int64_t left_ns =
		current->expires_ns == 0 ? INT64_MAX : current->expires_ns - reach->now_ns;

	*out_credentials = current;
	if (have && (left_ns > CREDENTIALS_ADVISORY_NS ||
		     (left_ns > CREDENTIALS_MANDATORY_NS && reach->now_ns < chain->next_try_ns))) {
		return 0;
	}
	struct credentials fresh;
	credentials_init(&fresh);
	int rc = look_up(&chain->options, reach, &fresh, err);
	if (rc == 0) {
		credentials_done(current);
		*current = fresh;
		return 0;
	}
	credentials_done(&fresh);
	if (have && left_ns > CREDENTIALS_MANDATORY_NS && rc != -ERR_CANCELLED) {
		chain->next_try_ns = reach->now_ns + RETRY_NS;
		return 0;
	}
	return rc;
}
