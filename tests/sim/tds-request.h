/* tds-request - what a TDS client sends, parsed: PRELOGIN, LOGIN7, SQL batches and sp_executesql calls.
 *
 * Shape:   one whole message (the payloads of its packets, joined) in, a struct out. Every byte comes from outside.
 * Life:    texts live in the arena; nothing borrows from the input.
 * Errors:  ERR_INPUT with the field that is wrong and its offset; ERR_LIMIT when the arena is full. Outputs are then unspecified.
 * Threads: pure. Blocking: never.
 * Source:  [MS-TDS] 2.2.6.4 (LOGIN7), 2.2.6.5 (PRELOGIN), 2.2.6.6 (RPC), 2.2.6.7 (SQLBatch).
 * Tests:   tests/unit/tds-request.c, tests/fuzz/tds-request.c
 */
#ifndef TESTS_SIM_TDS_REQUEST_H
#define TESTS_SIM_TDS_REQUEST_H

#include "base/arena.h"
#include "base/error.h"
#include "tests/sim/tds-token.h"

#define TDS_PARAMETERS_MAX 64

enum tds_packet {
	TDS_PACKET_BATCH = 0x01,
	TDS_PACKET_RPC = 0x03,
	TDS_PACKET_REPLY = 0x04,
	TDS_PACKET_ATTENTION = 0x06,
	TDS_PACKET_LOGIN7 = 0x10,
	TDS_PACKET_PRELOGIN = 0x12,
};

enum tds_encrypt {
	TDS_ENCRYPT_OFF = 0,
	TDS_ENCRYPT_ON = 1,
	TDS_ENCRYPT_NOT_SUP = 2,
	TDS_ENCRYPT_REQ = 3
};

struct tds_prelogin {
	uint8_t version[6];
	uint8_t encrypt; /* an enum tds_encrypt, or whatever was sent; NOT_SUP when absent */
};

struct tds_login {
	uint32_t tds_version; /* 0x74000004 */
	uint32_t packet_size;
	struct str host, user, password, application, database, language; /* WTF-8 */
};

struct tds_parameter {
	struct str name; /* with its @; may be empty */
	struct tds_value value;
	bool large; /* came as a max or text type */
};

struct tds_rpc {
	struct str procedure; /* its name; a call by number has the name of that number, or "" */
	uint16_t number;      /* 0: by name */
	struct tds_parameter parameter[TDS_PARAMETERS_MAX];
	size_t parameter_count;
};

/* Reads the option table of a PRELOGIN. */
int tds_parse_prelogin(struct str message, struct tds_prelogin *out, struct error *err);

/* Reads a LOGIN7; the password comes out in the clear. */
int tds_parse_login(struct str message, struct arena *arena, struct tds_login *out,
		    struct error *err);

/* Reads the text of a SQL batch behind its ALL_HEADERS. */
int tds_parse_batch(struct str message, struct arena *arena, struct str *out_text,
		    struct error *err);

/* Reads the first call of an RPC message; a message with more calls is ERR_INPUT. Values may be INTN and its fixed forms, BITN,
 * (BIG)VARCHAR, NVARCHAR, (max) forms of these and VARBINARY, NTEXT, DATETIME2, UNIQUEIDENTIFIER and NULL. */
int tds_parse_rpc(struct str message, struct arena *arena, struct tds_rpc *out, struct error *err);

#endif
