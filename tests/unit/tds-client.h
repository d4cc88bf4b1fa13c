/* tds-client - messages that a TDS client would send, for tests of what reads them.
 *
 * Shape:   each call appends a message, or a part of one, without packet headers, unless it says so.
 * Threads: pure.
 */
#ifndef TESTS_UNIT_TDS_CLIENT_H
#define TESTS_UNIT_TDS_CLIENT_H

#include "base/wire.h"
#include "tests/sim/tds-request.h"

/* ASCII as UTF-16LE. */
static inline void client_put_wide(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		buf_put_byte(out, (uint8_t)*text);
		buf_put_byte(out, 0);
	}
}

/* Puts one text of a LOGIN7 and its place in the table. */
static inline void client_put_field(struct buf *login, struct buf *data, const char *text)
{
	wire_put_u16(login, (uint16_t)(94 + data->len));
	wire_put_u16(login, (uint16_t)strlen(text));
	client_put_wide(data, text);
}

/* A LOGIN7 of "user" with a password, for the database msdb. */
static inline void client_put_login(struct buf *out, const char *password)
{
	struct buf data;
	buf_init(&data, 0);
	wire_put_u32(out, 0);
	wire_put_u32(out, 0x74000004);
	wire_put_u32(out, 4096);
	buf_put_fill(out, 0, 24);
	const char *fields[] = {"host", "user", password, "app", "server", "", "lib", "", "msdb"};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		client_put_field(out, &data, fields[i]);
	}
	buf_put_fill(out, 0, 94 - out->len);
	size_t at = 8 + 2 * strlen("host") - 8; /* behind host: user, then the password */
	at += 2 * strlen("user");
	for (size_t i = 0; i < 2 * strlen(password); i++) {
		unsigned byte = (uint8_t)data.ptr[at + i];
		data.ptr[at + i] = (char)(((byte << 4 | byte >> 4) & 0xff) ^ 0xa5);
	}
	buf_put_str(out, buf_str(&data));
	out->ptr[0] = (char)out->len;
	out->ptr[1] = (char)(out->len >> 8);
	buf_done(&data);
}

/* ALL_HEADERS with a transaction descriptor. */
static inline void client_put_headers(struct buf *out)
{
	wire_put_u32(out, 22);
	wire_put_u32(out, 18);
	wire_put_u16(out, 2);
	buf_put_fill(out, 0, 12);
}

/* The bytes as one packet, or cut into packets of most_bytes of payload. */
static inline void client_put_packets(struct buf *out, uint8_t type, struct str message,
				      size_t most_bytes)
{
	size_t pos = 0;
	do {
		struct str part = str_slice(message, pos, most_bytes);
		size_t total = part.len + 8;
		pos += part.len;
		const uint8_t header[8] = {type, pos >= message.len, (uint8_t)(total >> 8),
					   (uint8_t)total};
		buf_put(out, header, sizeof(header));
		buf_put_str(out, part);
	} while (pos < message.len);
}

#endif
