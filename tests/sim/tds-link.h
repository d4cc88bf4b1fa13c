/* tds-link - one TDS connection seen from the server: packets in and out, TLS inside and around them.
 *
 * Shape:   messages are whole (all packets of one joined) when they are received, and cut into packets when they are sent. TLS begins
 *          inside of PRELOGIN packets (memory BIOs) and, once it stands, lies around everything.
 * Limits:  packets of 8..32,767 bytes, messages of at most 16 MiB.
 * Errors:  ERR_GONE the peer closed (or the server stops); ERR_INPUT its bytes are no TDS; ERR_IO the socket or TLS failed.
 *          After an error the link can only be closed.
 * Threads: one thread, but tds_link_shut. Blocking: receive, send and wait, until the socket is shut down.
 * Source:  [MS-TDS] 2.2.3 (packets), 3.2.5 (TLS in PRELOGIN). Tests: tests/unit/tds-session.c, tests/integration/tds-tsql.sh
 */
#ifndef TESTS_SIM_TDS_LINK_H
#define TESTS_SIM_TDS_LINK_H

#include <openssl/ssl.h>

#include "base/buf.h"

struct tds_pace {            /* how the next message goes out; all 0: as fast as it can */
	int64_t wait_ms;     /* before each write */
	size_t write_bytes;  /* 0: any */
	size_t packet_bytes; /* of payload in a packet; 0: as agreed */
	bool bad_length;     /* the first packet says a length that is impossible */
};

struct tds_link {
	int fd;
	SSL *ssl; /* NULL: in the clear */
	size_t packet_size;
	uint8_t packet_id;
	struct buf arrived;  /* bytes in the clear that are no whole packet yet */
	struct buf reply;    /* payload that is not in a packet yet */
	struct buf outgoing; /* packets that are not written yet */
	struct tds_pace pace;
};

/* Takes over fd. */
void tds_link_init(struct tds_link *link, int fd);

/* Closes the socket and frees. */
void tds_link_done(struct tds_link *link);

/* Wakes a thread that is blocked in the link; the link is then at its end. From any thread. */
void tds_link_shut(int fd);

/* The next message. *out_message is cleared first. */
int tds_link_receive(struct tds_link *link, uint8_t *out_type, struct buf *out_message,
		     struct error *err);

/* Appends to the reply and sends the packets that are full. */
int tds_link_put(struct tds_link *link, struct str bytes, struct error *err);

/* Sends what is left of the reply as its last packet. */
int tds_link_end(struct tds_link *link, struct error *err);

/* Sends what was put so far in packets of which none is the last. */
int tds_link_part(struct tds_link *link, struct error *err);

/* Makes the TLS handshake as a server. */
int tds_link_secure(struct tds_link *link, SSL_CTX *context, struct error *err);

/* Whether the client asks to stop: an ATTENTION has come in. Does not block. ERR_* as above when the link failed. */
int tds_link_attention(struct tds_link *link, bool *out_asked, struct error *err);

/* Waits for ms, or until the peer closes (ms < 0: until then, throwing away what it says). Returns 0 or ERR_GONE. */
int tds_link_wait(struct tds_link *link, int64_t ms, struct error *err);

#endif
