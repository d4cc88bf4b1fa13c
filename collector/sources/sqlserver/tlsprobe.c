#include "collector/sources/sqlserver/tlsprobe.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#define PACKET_PRELOGIN  0x12
#define PACKET_HEADER    8
#define PACKET_MAX       32768
#define PAYLOAD_MAX      4000
#define OPTION_ENCRYPT   1
#define ENCRYPT_ON       1
#define ENCRYPT_REQUIRED 3
#define NAMES_MAX_BYTES  400

struct probe {
	const struct tlsprobe_target *target;
	int fd;
	SSL_CTX *context;
	SSL *ssl; /* owns both BIOs */
	BIO *from_peer, *to_peer;
	uint8_t packet[PACKET_MAX];
	size_t payload_len;
};

static int wait_for(const struct probe *probe, short events, struct error *err)
{
	int64_t left_ms = (probe->target->deadline_ns - clock_monotonic_ns()) / NS_PER_MS;
	struct pollfd pollfd = {.fd = probe->fd, .events = events};
	int ready = left_ms > 0 ? poll(&pollfd, 1, (int)(left_ms < 600000 ? left_ms : 600000)) : 0;
	if (ready > 0 || (ready < 0 && errno == EINTR)) {
		return 0;
	}
	return error_set(err, ERR_AGAIN, "%s:%u did not answer in time", probe->target->host,
			 probe->target->port);
}

static int connect_address(struct probe *probe, const struct addrinfo *address, struct error *err)
{
	probe->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0) {
		return error_errno(err, "socket");
	}
	int failure = 0;
	if (connect(probe->fd, address->ai_addr, address->ai_addrlen) != 0) {
		failure = errno;
		if (failure == EINPROGRESS) {
			int status = wait_for(probe, POLLOUT, err);
			socklen_t len = sizeof(failure);
			if (status != 0) {
				return status;
			}
			if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0) {
				failure = errno;
			}
		}
	}
	if (failure != 0) {
		return error_set(err, ERR_AGAIN, "%s:%u: %s", probe->target->host,
				 probe->target->port, strerror(failure));
	}
	return 0;
}

static int connect_host(struct probe *probe, struct error *err)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses = NULL;
	char port[8];
	snprintf(port, sizeof(port), "%u", probe->target->port);
	int failure = getaddrinfo(probe->target->host, port, &hints, &addresses);
	if (failure != 0) {
		return error_set(err, ERR_AGAIN, "the address of %s: %s", probe->target->host,
				 gai_strerror(failure));
	}
	int status = -ERR_AGAIN;
	for (struct addrinfo *at = addresses; at != NULL && status != 0; at = at->ai_next) {
		io_close_cleanup(&probe->fd);
		probe->fd = -1;
		status = connect_address(probe, at, err);
	}
	freeaddrinfo(addresses);
	return status;
}

static int send_bytes(struct probe *probe, const uint8_t *bytes, size_t len, struct error *err)
{
	while (len > 0) {
		ssize_t sent = send(probe->fd, bytes, len, MSG_NOSIGNAL);
		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		} else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			return error_set(err, ERR_AGAIN, "%s:%u: %s", probe->target->host,
					 probe->target->port, strerror(errno));
		} else if (wait_for(probe, POLLOUT, err) != 0) {
			return -ERR_AGAIN;
		}
	}
	return 0;
}

static int send_packet(struct probe *probe, const uint8_t *payload, size_t len, struct error *err)
{
	uint8_t packet[PACKET_HEADER + PAYLOAD_MAX] = {PACKET_PRELOGIN, 1};
	size_t total = PACKET_HEADER + len;
	packet[2] = (uint8_t)(total >> 8);
	packet[3] = (uint8_t)total;
	packet[6] = 1;
	memcpy(packet + PACKET_HEADER, payload, len);
	return send_bytes(probe, packet, total, err);
}

static int receive_bytes(struct probe *probe, uint8_t *out, size_t len, struct error *err)
{
	while (len > 0) {
		ssize_t got = recv(probe->fd, out, len, 0);
		if (got > 0) {
			out += got;
			len -= (size_t)got;
		} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			return error_set(err, ERR_AGAIN,
					 "%s:%u closed the connection before the end of the "
					 "TLS handshake",
					 probe->target->host, probe->target->port);
		} else if (wait_for(probe, POLLIN, err) != 0) {
			return -ERR_AGAIN;
		}
	}
	return 0;
}

/* The next packet's payload, in probe->packet. */
static int receive_packet(struct probe *probe, struct error *err)
{
	uint8_t header[PACKET_HEADER];
	int status = receive_bytes(probe, header, sizeof(header), err);
	if (status != 0) {
		return status;
	}
	size_t total = (size_t)header[2] << 8 | header[3];
	if (total < PACKET_HEADER || total > PACKET_MAX) {
		return error_set(err, ERR_AGAIN, "%s:%u does not speak TDS", probe->target->host,
				 probe->target->port);
	}
	probe->payload_len = total - PACKET_HEADER;
	return receive_bytes(probe, probe->packet, probe->payload_len, err);
}

/* The value of the ENCRYPTION option in a PRELOGIN reply, or -1. */
static int encryption_of(const uint8_t *reply, size_t len)
{
	for (size_t at = 0; at + 5 <= len && reply[at] != 0xFF; at += 5) {
		size_t offset = (size_t)reply[at + 1] << 8 | reply[at + 2];
		if (reply[at] == OPTION_ENCRYPT && offset < len) {
			return reply[offset];
		}
	}
	return -1;
}

static int prelogin(struct probe *probe, struct error *err)
{
	static const uint8_t hello[] = {
		0x00,       0x00, 0x0B, 0x00, 0x06,       /* VERSION at 11, 6 bytes */
		0x01,       0x00, 0x11, 0x00, 0x01,       /* ENCRYPTION at 17, 1 byte */
		0xFF,                                     /* end */
		0x10,       0x00, 0x00, 0x00, 0x00, 0x00, /* version 16.0 */
		ENCRYPT_ON,
	};
	int status = send_packet(probe, hello, sizeof(hello), err);
	if (status == 0) {
		status = receive_packet(probe, err);
	}
	if (status != 0) {
		return status;
	}
	int encryption = encryption_of(probe->packet, probe->payload_len);
	if (encryption < 0) {
		return error_set(err, ERR_AGAIN, "%s:%u does not speak TDS", probe->target->host,
				 probe->target->port);
	}
	if (encryption != ENCRYPT_ON && encryption != ENCRYPT_REQUIRED) {
		return error_set(err, ERR_CONFIG,
				 "%s:%u does not offer encryption; without it password and "
				 "statements would be sent in the clear, so no login was tried "
				 "(give the server a certificate, or set encrypt: false)",
				 probe->target->host, probe->target->port);
	}
	return 0;
}

static const char *tls_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	return reason != NULL ? reason : "unknown reason";
}

static int start_tls(struct probe *probe, struct error *err)
{
	const char *name = probe->target->name;
	probe->context = SSL_CTX_new(TLS_client_method());
	if (probe->context == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for TLS");
	}
	/* As TDS 7.4 has it. The result of the verification is asked for after the handshake, so that it can be told. */
	SSL_CTX_set_max_proto_version(probe->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(probe->context, SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_load_verify_file(probe->context, probe->target->ca_file) != 1) {
		return error_set(err, ERR_CONFIG, "ca_file %s: %s", probe->target->ca_file,
				 tls_reason());
	}
	probe->ssl = SSL_new(probe->context);
	probe->from_peer = BIO_new(BIO_s_mem());
	probe->to_peer = BIO_new(BIO_s_mem());
	if (probe->ssl == NULL || probe->from_peer == NULL || probe->to_peer == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for TLS");
	}
	SSL_set_bio(probe->ssl, probe->from_peer, probe->to_peer);
	SSL_set_connect_state(probe->ssl);
	int set = 0;
	if (parse_is_ip(str_of(name))) {
		set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(probe->ssl), name);
	} else {
		set = SSL_set1_host(probe->ssl, name) == 1 &&
		      SSL_set_tlsext_host_name(probe->ssl, name) == 1;
	}
	return set == 1 ? 0 : error_set(err, ERR_CONFIG, "%s is no host name", name);
}

static int flush_tls(struct probe *probe, struct error *err)
{
	uint8_t bytes[PAYLOAD_MAX];
	int len;
	while ((len = BIO_read(probe->to_peer, bytes, sizeof(bytes))) > 0) {
		int status = send_packet(probe, bytes, (size_t)len, err);
		if (status != 0) {
			return status;
		}
	}
	return 0;
}

static int handshake(struct probe *probe, struct error *err)
{
	for (;;) {
		int done = SSL_do_handshake(probe->ssl);
		int reason = SSL_get_error(probe->ssl, done);
		int status = flush_tls(probe, err);
		if (status != 0 || done == 1) {
			return status;
		}
		if (reason != SSL_ERROR_WANT_READ) {
			return error_set(err, ERR_CONFIG, "TLS with %s:%u failed: %s",
					 probe->target->host, probe->target->port, tls_reason());
		}
		status = receive_packet(probe, err);
		if (status != 0) {
			return status;
		}
		if (BIO_write(probe->from_peer, probe->packet, (int)probe->payload_len) !=
		    (int)probe->payload_len) {
			return error_set(err, ERR_NOMEM, "no memory for TLS");
		}
	}
}

/* Appends the names that the certificate is for: "localhost, 127.0.0.1". */
static void put_names(X509 *certificate, struct buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && out->len < NAMES_MAX_BYTES; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const char *comma = out->len > 0 ? ", " : "";
		if (name->type == GEN_DNS) {
			const ASN1_STRING *text = name->d.dNSName;
			buf_putf(out, "%s%.*s", comma, ASN1_STRING_length(text),
				 (const char *)ASN1_STRING_get0_data(text));
		} else if (name->type == GEN_IPADD) {
			const ASN1_OCTET_STRING *bytes = name->d.iPAddress;
			char text[INET6_ADDRSTRLEN] = "?";
			inet_ntop(ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6,
				  ASN1_STRING_get0_data(bytes), text, sizeof(text));
			buf_putf(out, "%sthe address %s", comma, text);
		}
	}
	GENERAL_NAMES_free(names);
	if (out->len == 0) {
		char common[256] = "";
		X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
					  common, sizeof(common));
		buf_put_text(out, common[0] != '\0' ? common : "no name");
	}
}

static int judge(struct probe *probe, struct buf *out_pem, struct error *err)
{
	const struct tlsprobe_target *target = probe->target;
	X509 *certificate = SSL_get1_peer_certificate(probe->ssl);
	if (certificate == NULL) {
		return error_set(err, ERR_CONFIG, "%s:%u has no certificate", target->host,
				 target->port);
	}
	int status = 0;
	long verdict = SSL_get_verify_result(probe->ssl);
	struct buf names;
	buf_init(&names, 4096);
	switch (verdict) {
	case X509_V_OK:
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		put_names(certificate, &names);
		status = error_set(
			err, ERR_CONFIG,
			"the certificate of %s:%u is for %.*s, not for %s: set host to a "
			"name in it, or certificate_host",
			target->host, target->port, STR_ARG(buf_str(&names)), target->name);
		break;
	default:
		status = error_set(err, ERR_CONFIG,
				   "the certificate of %s:%u is not valid by %s: %s", target->host,
				   target->port, target->ca_file,
				   X509_verify_cert_error_string(verdict));
		break;
	}
	buf_done(&names);
	BIO *pem = status == 0 && out_pem != NULL ? BIO_new(BIO_s_mem()) : NULL;
	if (pem != NULL && PEM_write_bio_X509(pem, certificate) == 1) {
		char *text = NULL;
		long len = BIO_get_mem_data(pem, &text);
		buf_put(out_pem, text, (size_t)len);
	}
	BIO_free(pem);
	X509_free(certificate);
	return status;
}

int tlsprobe_run(const struct tlsprobe_target *target, struct buf *out_pem, struct error *err)
{
	struct probe probe = {.target = target, .fd = -1};
	ERR_clear_error();
	int status = connect_host(&probe, err);
	if (status == 0) {
		status = prelogin(&probe, err);
	}
	if (status == 0) {
		status = start_tls(&probe, err);
	}
	if (status == 0) {
		status = handshake(&probe, err);
	}
	if (status == 0) {
		status = judge(&probe, out_pem, err);
	}
	SSL_free(probe.ssl);
	SSL_CTX_free(probe.context);
	io_close_cleanup(&probe.fd);
	ERR_clear_error();
	return status;
}
