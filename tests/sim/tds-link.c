#include "tests/sim/tds-link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/sim/tds-request.h"

#define HEADER_BYTES      8
#define PACKET_BYTES_MAX  32767
#define MESSAGE_BYTES_MAX (16U << 20)
#define OUTGOING_BYTES    (64U << 10)
#define READ_BYTES        (16U << 10)
#define STATUS_END        0x01

void tds_link_init(struct tds_link *link, int fd)
{
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on)); /* slower without it, not wrong */
	*link = (struct tds_link){.fd = fd, .packet_size = 4096};
	buf_init(&link->arrived, 0);
	buf_init(&link->reply, 0);
	buf_init(&link->outgoing, 0);
}

void tds_link_done(struct tds_link *link)
{
	SSL_free(link->ssl);
	if (link->fd >= 0) {
		tds_link_shut(
			link->fd);     /* the server holds the socket too, to be able to wake us */
		(void)close(link->fd); /* nothing is left to lose */
	}
	buf_done(&link->arrived);
	buf_done(&link->reply);
	buf_done(&link->outgoing);
	*link = (struct tds_link){.fd = -1};
}

void tds_link_shut(int fd)
{
	(void)shutdown(fd, SHUT_RDWR); /* fails when the peer was faster */
}

int tds_link_wait(struct tds_link *link, int64_t ms, struct error *err)
{
	int64_t until = clock_monotonic_ns() + ms * NS_PER_MS;
	for (;;) {
		int64_t left_ms = (until - clock_monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;
		if (ms >= 0 && left_ms <= 0) {
			return 0;
		}
		struct pollfd ready = {.fd = link->fd,
				       .events = (short)(ms < 0 ? POLLIN | POLLRDHUP : POLLRDHUP)};
		int count = poll(&ready, 1, ms < 0 || left_ms > 1000 ? 1000 : (int)left_ms);
		if (count < 0 && errno != EINTR) {
			return error_errno(err, "Waiting on a connection");
		}
		if (count <= 0) {
			continue;
		}
		char thrown[4096];
		bool ended = (ready.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
		if (ended || recv(link->fd, thrown, sizeof(thrown), MSG_DONTWAIT) == 0) {
			return error_set(err, ERR_GONE, "The client has gone.");
		}
	}
}

/* Writes bytes to the socket at the pace of the link. */
static int write_socket(struct tds_link *link, struct str bytes, struct error *err)
{
	size_t step = link->pace.write_bytes != 0 ? link->pace.write_bytes : bytes.len;
	for (size_t pos = 0; pos < bytes.len;) {
		if (link->pace.wait_ms > 0) {
			int rc = tds_link_wait(link, link->pace.wait_ms, err);
			if (rc != 0) {
				return rc;
			}
		}
		struct str part = str_slice(bytes, pos, step);
		ssize_t sent = send(link->fd, part.ptr, part.len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0) {
			bool gone = errno == EPIPE || errno == ECONNRESET;
			return gone ? error_set(err, ERR_GONE, "The client has gone.")
				    : error_errno(err, "Writing to a client");
		}
		pos += (size_t)sent;
	}
	return 0;
}

static int tls_failed(struct error *err)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return error_set(err, ERR_IO, "TLS failed: %s.",
			 reason != NULL ? reason : "the client ended it");
}

/* Writes bytes, through TLS when it stands. */
static int write_out(struct tds_link *link, struct str bytes, struct error *err)
{
	if (link->ssl == NULL) {
		return write_socket(link, bytes, err);
	}
	for (size_t pos = 0; pos < bytes.len;) {
		size_t written = 0;
		struct str part = str_slice(bytes, pos, READ_BYTES);
		if (SSL_write_ex(link->ssl, part.ptr, part.len, &written) != 1) {
			return tls_failed(err);
		}
		pos += written;
	}
	char *sealed;
	long sealed_len = BIO_get_mem_data(SSL_get_wbio(link->ssl), &sealed);
	int rc = write_socket(link, str_make(sealed, (size_t)sealed_len), err);
	(void)BIO_reset(SSL_get_wbio(link->ssl)); /* a memory BIO cannot fail at it */
	return rc;
}

static int flush(struct tds_link *link, struct error *err)
{
	int rc = buf_check(&link->outgoing, "the reply of the simulator", err);
	rc = rc == 0 ? write_out(link, buf_str(&link->outgoing), err) : rc;
	buf_clear(&link->outgoing);
	return rc;
}

/* Puts one packet into outgoing. */
static void pack(struct tds_link *link, uint8_t type, struct str payload, bool last)
{
	size_t total = HEADER_BYTES + payload.len;
	if (link->pace.bad_length) {
		total = 3;
		link->pace.bad_length = false;
	}
	link->packet_id++;
	const uint8_t header[HEADER_BYTES] = {
		[0] = type,           [1] = last ? STATUS_END : 0, [2] = (uint8_t)(total >> 8),
		[3] = (uint8_t)total, [6] = link->packet_id,
	};
	buf_put(&link->outgoing, header, sizeof(header));
	buf_put_str(&link->outgoing, payload);
}

/* Payload that goes into one packet. */
static size_t packet_room(const struct tds_link *link)
{
	return link->pace.packet_bytes != 0 ? link->pace.packet_bytes
					    : link->packet_size - HEADER_BYTES;
}

/* Sends packets from the reply while more than `keep` bytes of it are left; a packet that takes all of it is the last when
 * `end` is set. */
static int pack_reply(struct tds_link *link, uint8_t type, size_t keep, bool end, struct error *err)
{
	size_t room = packet_room(link);
	size_t pos = 0;
	int rc = buf_check(&link->reply, "the reply of the simulator", err);
	while (rc == 0 && link->reply.len - pos > keep) {
		struct str payload = str_slice(buf_str(&link->reply), pos, room);
		pos += payload.len;
		pack(link, type, payload, end && pos == link->reply.len);
		if (link->outgoing.len >= OUTGOING_BYTES) {
			rc = flush(link, err);
		}
	}
	buf_consume(&link->reply, pos);
	return rc;
}

int tds_link_put(struct tds_link *link, struct str bytes, struct error *err)
{
	buf_put_str(&link->reply, bytes);
	/* What fits the last packet stays, so that an end can go with it. */
	return link->reply.len < OUTGOING_BYTES
		       ? 0
		       : pack_reply(link, TDS_PACKET_REPLY, packet_room(link), false, err);
}

int tds_link_part(struct tds_link *link, struct error *err)
{
	int rc = pack_reply(link, TDS_PACKET_REPLY, 0, false, err);
	return rc == 0 ? flush(link, err) : rc;
}

int tds_link_end(struct tds_link *link, struct error *err)
{
	int rc = pack_reply(link, TDS_PACKET_REPLY, 0, true, err);
	link->packet_id = 0;
	return rc == 0 ? flush(link, err) : rc;
}

/* Decrypts what lies in the BIO into arrived. */
static int decrypt(struct tds_link *link, struct error *err)
{
	char clear[READ_BYTES];
	size_t got;
	while (SSL_read_ex(link->ssl, clear, sizeof(clear), &got) == 1) {
		buf_put(&link->arrived, clear, got);
	}
	int why = SSL_get_error(link->ssl, 0);
	if (why == SSL_ERROR_ZERO_RETURN) {
		return error_set(err, ERR_GONE, "The client has ended TLS.");
	}
	return why == SSL_ERROR_WANT_READ ? 0 : tls_failed(err);
}

/* Reads once from the socket into arrived. *out_got is false when nothing was there (only with MSG_DONTWAIT). */
static int read_socket(struct tds_link *link, int flags, bool *out_got, struct error *err)
{
	char bytes[READ_BYTES];
	ssize_t got = recv(link->fd, bytes, sizeof(bytes), flags);
	*out_got = got > 0;
	if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
		return 0;
	}
	if (got == 0 || (got < 0 && errno == ECONNRESET)) {
		return error_set(err, ERR_GONE, "The client has gone.");
	}
	if (got < 0) {
		return error_errno(err, "Reading from a client");
	}
	if (link->ssl != NULL && SSL_is_init_finished(link->ssl)) {
		if (BIO_write(SSL_get_rbio(link->ssl), bytes, (int)got) != got) {
			return tls_failed(err);
		}
		return decrypt(link, err);
	}
	buf_put(&link->arrived, bytes, (size_t)got);
	return buf_check(&link->arrived, "what a client sent", err);
}

/* Length of the packet at the start of arrived; 0 when it is not all there. */
static int whole_packet(const struct tds_link *link, size_t *out_total, struct error *err)
{
	*out_total = 0;
	if (link->arrived.len < HEADER_BYTES) {
		return 0;
	}
	const uint8_t *header = (const uint8_t *)link->arrived.ptr;
	size_t total = (size_t)header[2] << 8 | header[3];
	if (total < HEADER_BYTES || total > PACKET_BYTES_MAX) {
		return error_set(err, ERR_INPUT, "A client sent a packet that says %zu bytes.",
				 total);
	}
	*out_total = link->arrived.len >= total ? total : 0;
	return 0;
}

int tds_link_receive(struct tds_link *link, uint8_t *out_type, struct buf *out_message,
		     struct error *err)
{
	buf_clear(out_message);
	for (bool first = true;; first = false) {
		size_t total = 0;
		int rc = whole_packet(link, &total, err);
		while (rc == 0 && total == 0) {
			bool got;
			rc = read_socket(link, 0, &got, err);
			rc = rc == 0 ? whole_packet(link, &total, err) : rc;
		}
		if (rc != 0) {
			return rc;
		}
		uint8_t type = (uint8_t)link->arrived.ptr[0];
		bool last = ((uint8_t)link->arrived.ptr[1] & STATUS_END) != 0;
		if (!first && type != *out_type) {
			return error_set(
				err, ERR_INPUT,
				"A packet of type 0x%02x inside of a message of type 0x%02x.", type,
				*out_type);
		}
		*out_type = type;
		buf_put(out_message, link->arrived.ptr + HEADER_BYTES, total - HEADER_BYTES);
		buf_consume(&link->arrived, total);
		if (out_message->failed || out_message->len > MESSAGE_BYTES_MAX) {
			return error_set(err, ERR_INPUT, "A message of more than %u bytes.",
					 MESSAGE_BYTES_MAX);
		}
		if (last) {
			return 0;
		}
	}
}

/* Sends what the handshake has to say, inside of PRELOGIN packets. */
static int send_handshake(struct tds_link *link, SSL *ssl, struct error *err)
{
	char *bytes;
	long len = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);
	if (len <= 0) {
		return 0;
	}
	buf_put(&link->reply, bytes, (size_t)len);
	(void)BIO_reset(SSL_get_wbio(ssl)); /* a memory BIO cannot fail at it */
	int rc = pack_reply(link, TDS_PACKET_PRELOGIN, 0, true, err);
	return rc == 0 ? flush(link, err) : rc;
}

static int shake_hands(struct tds_link *link, SSL *ssl, struct error *err)
{
	struct buf message __attribute__((cleanup(buf_done)));
	buf_init(&message, 0);
	while (!SSL_is_init_finished(ssl)) {
		uint8_t type = 0;
		int rc = tds_link_receive(link, &type, &message, err);
		if (rc != 0) {
			return rc;
		}
		if (type != TDS_PACKET_PRELOGIN ||
		    BIO_write(SSL_get_rbio(ssl), message.ptr, (int)message.len) !=
			    (int)message.len) {
			return error_set(err, ERR_INPUT,
					 "A packet of type 0x%02x instead of a TLS handshake.",
					 type);
		}
		int done = SSL_do_handshake(ssl);
		bool failed = done != 1 && SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ;
		rc = send_handshake(link, ssl, err); /* also the alert of a failed one */
		if (failed || rc != 0) {
			return failed ? tls_failed(err) : rc;
		}
	}
	return 0;
}

int tds_link_secure(struct tds_link *link, SSL_CTX *context, struct error *err)
{
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem());
	BIO *out = BIO_new(BIO_s_mem());
	if (ssl == NULL || in == NULL || out == NULL) {
		SSL_free(ssl);
		BIO_free(in);
		BIO_free(out);
		return error_set(err, ERR_NOMEM, "No memory for TLS.");
	}
	(void)BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(ssl, in, out);
	SSL_set_accept_state(ssl);
	int rc = shake_hands(link, ssl, err);
	if (rc != 0) {
		SSL_free(ssl);
		return rc;
	}
	link->packet_id = 0;
	link->ssl = ssl;
	struct buf early =
		link->arrived; /* what came behind the last packet of the handshake is encrypted */
	buf_init(&link->arrived, 0);
	if (early.len > 0 && BIO_write(in, early.ptr, (int)early.len) == (int)early.len) {
		rc = decrypt(link, err);
	}
	buf_done(&early);
	return rc;
}

int tds_link_attention(struct tds_link *link, bool *out_asked, struct error *err)
{
	size_t total = 0;
	bool got;
	*out_asked = false;
	int rc = read_socket(link, MSG_DONTWAIT, &got, err);
	rc = rc == 0 ? whole_packet(link, &total, err) : rc;
	if (rc == 0 && total != 0 && (uint8_t)link->arrived.ptr[0] == TDS_PACKET_ATTENTION) {
		buf_consume(&link->arrived, total);
		*out_asked = true;
	}
	return rc;
}
