/* anchor-timestamp - a time stamp after RFC 3161 over the bytes of a checkpoint, as `openssl ts -query -sha256 -cert` asks for it. The reply is kept whole, so that
 * `openssl ts -verify -data CHECKPOINT -in REPLY` checks it. Tests: tests/integration/anchors.py */
#include "base/digest.h"
#include "correlator/notify/anchor-http.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define NONCE_BYTES 8

struct anchor {
	struct anchor_http http;
	const char *url, *ca_file; /* borrowed from the configuration */
};

static void close_anchor(struct anchor *anchor)
{
	anchor_http_done(&anchor->http);
	free(anchor);
}

static int open_anchor(const struct channel_settings *settings, const atomic_bool *stop,
		       struct anchor **out_anchor, struct error *err)
{
	struct anchor *anchor = calloc(1, sizeof(*anchor));

	if (anchor == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the anchor %s", settings->name);
	}
	anchor->url = config_text(settings->config, settings->section, "url");
	anchor->ca_file = config_text(settings->config, settings->section, "tsa_ca_file");
	int rc = anchor_http_init(&anchor->http, settings, stop, err);
	if (rc != 0) {
		close_anchor(anchor);
		return rc;
	}
	*out_anchor = anchor;
	return 0;
}

/* SHA-256 of the bytes, as an imprint. */
static bool set_imprint(TS_REQ *query, struct str bytes)
{
	uint8_t digest[DIGEST_BYTES];
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();

	digest_sha256(bytes, digest);
	bool good = imprint != NULL && algorithm != NULL &&
		    X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
		    TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
		    TS_MSG_IMPRINT_set_msg(imprint, digest, sizeof(digest)) == 1 &&
		    TS_REQ_set_msg_imprint(query, imprint) == 1;
	TS_MSG_IMPRINT_free(imprint);
	X509_ALGOR_free(algorithm);
	return good;
}

/* A number that only the answer to this query can hold. */
static bool set_nonce(TS_REQ *query)
{
	uint8_t bytes[NONCE_BYTES];
	ASN1_INTEGER *nonce = NULL;
	BIGNUM *number = NULL;

	if (RAND_bytes(bytes, sizeof(bytes)) == 1) {
		bytes[0] |= 1; /* never 0 */
		number = BN_bin2bn(bytes, sizeof(bytes), NULL);
		nonce = number != NULL ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
	}
	bool good = nonce != NULL && TS_REQ_set_nonce(query, nonce) == 1;
	BN_free(number);
	ASN1_INTEGER_free(nonce);
	return good;
}

static TS_REQ *make_query(struct str note)
{
	TS_REQ *query = TS_REQ_new();

	if (query != NULL && TS_REQ_set_version(query, 1) == 1 && set_imprint(query, note) &&
	    set_nonce(query) && TS_REQ_set_cert_req(query, 1) == 1) {
		return query;
	}
	TS_REQ_free(query);
	return NULL;
}

/* OpenSSL's first reason, for a message. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_get_error());

	ERR_clear_error();
	return text != NULL ? text : "unknown";
}

/* Whether the reply grants a stamp for this query, signed by one whom the configured authorities vouch for. NULL, or what is wrong. */
static const char *check(const struct anchor *anchor, TS_REQ *query, TS_RESP *reply)
{
	const char *wrong = NULL;
	TS_VERIFY_CTX *context = TS_REQ_to_TS_VERIFY_CTX(query, NULL);
	X509_STORE *store = X509_STORE_new();

	ERR_clear_error();
	if (context == NULL || store == NULL) {
		X509_STORE_free(store);
		wrong = "no memory";
	} else if (X509_STORE_load_file(store, anchor->ca_file) != 1) {
		X509_STORE_free(store);
		ERR_clear_error();
		wrong = "tsa_ca_file holds no certificates";
	} else {
		TS_VERIFY_CTX_add_flags(context, TS_VFY_SIGNATURE);
		TS_VERIFY_CTX_set_store(context, store); /* takes it over */
		wrong = TS_RESP_verify_response(context, reply) == 1 ? NULL : reason();
	}
	TS_VERIFY_CTX_free(context);
	return wrong;
}

static void judge(const struct anchor *anchor, TS_REQ *query, struct anchor_reply *reply)
{
	struct str answer = buf_str(&anchor->http.answer);
	const unsigned char *at = (const unsigned char *)answer.ptr;

	if (!str_equal_fold(str_slice(anchor_http_type(&anchor->http), 0, 27),
			    STR_LIT("application/timestamp-reply"))) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "the answer is no time stamp reply");
		return;
	}
	TS_RESP *response = answer.len > 0 ? d2i_TS_RESP(NULL, &at, (long)answer.len) : NULL;
	if (response == NULL || at != (const unsigned char *)answer.ptr + answer.len) {
		ERR_clear_error();
		anchor_reply_set(reply, FEED_NOT_TAKEN, "the answer is no time stamp reply");
	} else {
		const char *wrong = check(anchor, query, response);
		if (wrong == NULL) {
			buf_put_str(&reply->receipt, answer);
			anchor_reply_set(reply, FEED_TAKEN, "stamped");
		} else {
			anchor_reply_set(reply, FEED_NOT_TAKEN, "the time stamp is not good: %s",
					 wrong);
		}
	}
	TS_RESP_free(response);
}

static void send_task(struct anchor *anchor, const struct anchor_task *task,
		      struct anchor_reply *reply)
{
	unsigned char *bytes = NULL;
	TS_REQ *query = make_query(task->note);
	int len = query != NULL ? i2d_TS_REQ(query, &bytes) : -1;

	if (len <= 0) {
		ERR_clear_error();
		anchor_reply_set(reply, FEED_NOT_TAKEN, "no memory for a query");
	} else {
		const struct anchor_post post = {.url = anchor->url,
						 .content_type = "application/timestamp-query",
						 .body = str_make(bytes, (size_t)len)};
		long status = anchor_http_post(&anchor->http, &post, reply);
		if (status == 200) {
			judge(anchor, query, reply);
		} else if (status != 0) {
			anchor_reply_set(reply, FEED_NOT_TAKEN, "HTTP %ld: %.*s", status,
					 STR_ARG(anchor_http_line(&anchor->http)));
		}
	}
	OPENSSL_free(bytes);
	TS_REQ_free(query);
}

const struct anchor_type anchor_timestamp = {
	.name = "timestamp",
	.open = open_anchor,
	.send = send_task,
	.close = close_anchor,
};
