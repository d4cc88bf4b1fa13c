#include "tests/sim/cloudwatch-state.h"

#include "base/digest.h"
#include "tests/sim/json-text.h"

#include <stdio.h>

void call_refuse(struct call *call, unsigned status, const char *type, const char *message)
{
	call->status = status;
	call->content_type = "application/x-amz-json-1.1";
	(void)snprintf(call->error_type, sizeof(call->error_type), "%s",
		       type); /* types are short */
	buf_clear(&call->reply);
	buf_put_text(&call->reply, "{\"__type\":");
	json_text_put(&call->reply, str_of(type));
	buf_put_text(&call->reply, ",\"message\":");
	json_text_put(&call->reply, str_of(message));
	buf_put_byte(&call->reply, '}');
}

void call_refuse_xml(struct call *call, unsigned status, const char *code, const char *message)
{
	call->status = status;
	call->content_type = "text/xml";
	buf_clear(&call->reply);
	buf_putf(&call->reply,
		 "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n "
		 "   "
		 "<Type>Sender</Type>\n    <Code>%s</Code>\n    <Message>%s</Message>\n  "
		 "</Error>\n  "
		 "<RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>\n</ErrorResponse>\n",
		 code, message);
}

static void refuse(struct call *call, bool xml, const char *const type[2], const char *message)
{
	pthread_mutex_lock(&call->server->lock);
	call->server->counts.refused_signatures++;
	pthread_mutex_unlock(&call->server->lock);
	if (xml) {
		call_refuse_xml(call, 403, type[1], message);
	} else {
		call_refuse(call, 400, type[0], message);
	}
}

/* The secret of an access key, with the token that belongs to it; false when there is no such key. */
static bool find_secret(struct call *call, const struct sigv4_claim *claim, struct key *out_key)
{
	struct cloudwatch *server = call->server;
	*out_key = (struct key){.expires_ns = INT64_MAX};
	if (str_is(claim->access_key, server->options.access_key)) {
		(void)snprintf(out_key->secret_key, sizeof(out_key->secret_key), "%s",
			       server->options.secret_key); /* start checked its length */
		return true;
	}
	bool found = false;
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < SESSIONS_KEPT && !found; i++) {
		found = server->keys[i].access_key[0] != '\0' &&
			str_is(claim->access_key, server->keys[i].access_key);
		if (found) {
			*out_key = server->keys[i];
		}
	}
	pthread_mutex_unlock(&server->lock);
	return found;
}

static void refuse_result(struct call *call, bool xml, enum sigv4_result result)
{
	static const char *const missing[2] = {"MissingAuthenticationTokenException",
					       "MissingAuthenticationToken"};
	static const char *const incomplete[2] = {"IncompleteSignatureException",
						  "IncompleteSignature"};
	static const char *const invalid[2] = {"InvalidSignatureException",
					       "SignatureDoesNotMatch"};
	switch (result) {
	case SIGV4_OK:
		break;
	case SIGV4_MISSING:
		refuse(call, xml, missing, "Missing Authentication Token");
		break;
	case SIGV4_MALFORMED:
		refuse(call, xml, incomplete,
		       "Authorization header requires 'Credential', 'SignedHeaders' and "
		       "'Signature' "
		       "parameters, and signed 'Host' and 'X-Amz-Date' headers.");
		break;
	case SIGV4_SKEWED:
		refuse(call, xml, invalid,
		       "Signature expired or not yet current: the request's time and the server's "
		       "differ by more than 5 min.");
		break;
	case SIGV4_SCOPE:
		refuse(call, xml, invalid,
		       "Credential should be scoped to a valid region and to the correct service.");
		break;
	case SIGV4_MISMATCH:
		refuse(call, xml, invalid,
		       "The request signature we calculated does not match the signature you "
		       "provided. Check your AWS Secret Access Key and signing method. Consult the "
		       "service documentation for details.");
		break;
	}
}

bool auth_check(struct call *call, const char *service)
{
	static const char *const unknown[2] = {"UnrecognizedClientException",
					       "InvalidClientTokenId"};
	static const char *const expired[2] = {"ExpiredTokenException", "ExpiredToken"};
	bool xml = strcmp(service, "sts") == 0;
	struct sigv4_claim claim;
	struct key key;
	enum sigv4_result result = sigv4_read(&call->request, &claim);
	if (result != SIGV4_OK) {
		refuse_result(call, xml, result);
		return false;
	}
	if (!find_secret(call, &claim, &key) || !digest_equal(claim.token, str_of(key.token))) {
		refuse(call, xml, unknown,
		       "The security token included in the request is invalid.");
		return false;
	}
	struct sigv4_expect expect = {.secret_key = str_of(key.secret_key),
				      .region = str_of(call->server->options.region),
				      .service = str_of(service),
				      .now_ns = call->now_ns};
	result = sigv4_check(&call->request, &claim, &expect);
	if (result != SIGV4_OK) {
		refuse_result(call, xml, result);
		return false;
	}
	if (key.expires_ns <= call->now_ns) {
		refuse(call, xml, expired, "The security token included in the request is expired");
		return false;
	}
	return true;
}

/* Random enough for a simulator: a digest of the server's key and a counter. */
static void put_secret_text(const struct cloudwatch *server, const char *what, uint64_t number,
			    struct buf *out)
{
	struct buf text;
	buf_init(&text, 0);
	buf_putf(&text, "%s %llu", what, (unsigned long long)number);
	uint8_t digest[DIGEST_BYTES];
	digest_hmac_sha256(str_make(server->token_key, sizeof(server->token_key)), buf_str(&text),
			   digest);
	buf_done(&text);
	buf_put_hex(out, str_make(digest, sizeof(digest)));
}

struct key auth_issue(struct call *call, int64_t life_ns)
{
	struct cloudwatch *server = call->server;
	struct key key = {.expires_ns = call->now_ns + life_ns};
	struct buf text;
	buf_init(&text, 0);
	pthread_mutex_lock(&server->lock);
	uint64_t number = server->key_number++;
	(void)snprintf(key.access_key, sizeof(key.access_key), "ASIASIMULATED%07llu",
		       (unsigned long long)(number % 10000000));
	put_secret_text(server, "secret", number, &text);
	/* cut to the length of a real secret */
	(void)snprintf(key.secret_key, sizeof(key.secret_key), "%.40s", text.ptr);
	buf_clear(&text);
	put_secret_text(server, "token", number, &text);
	(void)snprintf(key.token, sizeof(key.token), "IQoJb3JpZ2luX2VjE+/%.60s==", text.ptr);
	server->keys[number % SESSIONS_KEPT] = key;
	pthread_mutex_unlock(&server->lock);
	buf_done(&text);
	return key;
}
