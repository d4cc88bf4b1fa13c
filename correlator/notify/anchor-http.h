/* anchor-http - one POST to an anchor, with the whole answer.
 *
 * Limits:  FEED_RECEIPT_MAX bytes of an answer; the settings' timeout. TLS, redirects and proxies as transfer.h.
 * Threads: one each. Blocking: post. Tests: tests/integration/anchors.py
 */
#ifndef CORRELATOR_NOTIFY_ANCHOR_HTTP_H
#define CORRELATOR_NOTIFY_ANCHOR_HTTP_H

#include "correlator/notify/anchor.h"
#include "correlator/notify/transfer.h"

struct anchor_http {
	struct transfer transfer;
	struct buf answer; /* the body */
	bool too_large;
};

/* Sets it up. Returns 0 or ERR_NOMEM; done in both cases. */
int anchor_http_init(struct anchor_http *http, const struct channel_settings *settings,
		     const atomic_bool *stop, struct error *err);
void anchor_http_done(struct anchor_http *http);

struct anchor_post {
	const char *url, *content_type;
	struct str body;
};

/* Posts. Returns the status of a whole answer, or 0: then reply says NOT_TAKEN and why. */
long anchor_http_post(struct anchor_http *http, const struct anchor_post *post,
		      struct anchor_reply *reply);

/* The content type of the answer; empty when it has none. Borrowed until the next call. */
struct str anchor_http_type(const struct anchor_http *http);

/* The answer's first line, for a message. */
struct str anchor_http_line(const struct anchor_http *http);

#endif
