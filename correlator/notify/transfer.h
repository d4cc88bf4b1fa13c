/* transfer - libcurl for channels: one transfer at a time, bounded in time and size, TLS verified, stopped when asked.
 *
 * Rules:   TLS >= 1.2 with a verified name and chain; redirects are never followed; of a reply at most TRANSFER_REPLY_MAX bytes are
 *          read, then the transfer ends; http:// never goes through a proxy.
 * Threads: one struct transfer per thread. Blocking: transfer_post, transfer_run, up to the timeout; *stop ends them within a second.
 * Source:  libcurl 7.88. Tests: tests/unit/notify-transfer.c, tests/integration/notify-webhook.py
 */
#ifndef CORRELATOR_NOTIFY_TRANSFER_H
#define CORRELATOR_NOTIFY_TRANSFER_H

#include "base/secret.h"
#include "correlator/notify/channel.h"

#include <curl/curl.h>

#define TRANSFER_REPLY_MAX 65536
#define TRANSFER_LINE_MAX  256

struct transfer {
	const struct channel_settings *settings; /* borrowed */
	const atomic_bool *stop;                 /* borrowed */
	CURL *easy;
	struct curl_slist *headers;
	char problem[CURL_ERROR_SIZE];
	char line[TRANSFER_LINE_MAX];    /* first line of the reply's body */
	char refused[TRANSFER_LINE_MAX]; /* mail: the last reply to RCPT that was a refusal */
	size_t body_bytes;
	bool too_large;
};

/* Sets up libcurl for a channel. Returns 0, ERR_NOMEM. Must be called once before threads start: transfer_global. */
int transfer_init(struct transfer *transfer, const struct channel_settings *settings,
		  const atomic_bool *stop, struct error *err);
void transfer_done(struct transfer *transfer);

/* Prepares libcurl for the process; once, before there are threads. Returns 0 or ERR_NOMEM. */
int transfer_global(struct error *err);

/* Begins anew: forgets headers and options, keeps connections. protocols: "http,https". */
void transfer_reset(struct transfer *transfer, const char *url, const char *protocols);

/* Adds a header line. false without memory, or when the line has a control byte in it. */
bool transfer_header(struct transfer *transfer, const char *name, const char *value);

/* Our own certificate and its key, for a receiver that asks for one; nothing when the channel has none. Returns 0 or ERR_CONFIG. */
int transfer_identify(struct transfer *transfer, struct error *err);

/* User and password, or a bearer token, from the channel's options. Returns 0 or ERR_CONFIG (a secret file that cannot be read). */
int transfer_authorize(struct transfer *transfer, struct error *err);

/* Runs it. The reply of libcurl. */
CURLcode transfer_run(struct transfer *transfer);

/* Posts body and says what came of it, for count alerts. */
void transfer_post(struct transfer *transfer, struct str body, size_t count,
		   struct channel_reply *out_reply);

/* What a failed transfer means: a try that may be repeated, with a sentence. */
void transfer_failed(const struct transfer *transfer, CURLcode code, size_t count,
		     struct channel_reply *out_reply);

#endif
