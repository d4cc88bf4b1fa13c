/* syslogsend - RFC 5424 messages with octet counting (RFC 6587), over TCP or TLS (RFC 5425).
 *
 * The protocol has no answer. A message counts as delivered when the receiver's system has confirmed all bytes (TCP) and the receiver
 * has neither closed nor refused the connection. Without TLS the receiver's own end of the connection is awaited for a moment, which
 * shows that it has read everything; with TLS its refusal of our certificate. One connection a message: they are rare, and a dead
 * connection shows at once.
 *
 * Threads: one a sender. Blocking: send, up to the timeout; *stop ends it. Tests: tests/integration/notify-syslog.py
 */
#ifndef CORRELATOR_NOTIFY_SYSLOGSEND_H
#define CORRELATOR_NOTIFY_SYSLOGSEND_H

#include "correlator/notify/transfer.h"

struct syslog_sender {
	struct transfer transfer;
	struct buf url, frames; /* frames: what is to be sent; the caller fills it */
	bool tls;
	char host[256]; /* ours, or "-" */
};

/* Reads host, port and tls of the section. settings and stop are borrowed. Returns 0 or ERR_NOMEM; done in both cases. */
int syslog_sender_init(struct syslog_sender *sender, const struct channel_settings *settings,
		       const atomic_bool *stop, struct error *err);
void syslog_sender_done(struct syslog_sender *sender);

/* Sends the frames, which are count messages. */
void syslog_sender_send(struct syslog_sender *sender, size_t count,
			struct channel_reply *out_reply);

#endif
