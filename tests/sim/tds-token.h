/* tds-token - the tokens that a SQL Server sends: types, values, rows, messages.
 *
 * Shape:   every put call appends one whole token (or one part, where it says so) to a buf, whose failed flag is the sticky error.
 *          Text is WTF-8 (UTF-8, with lone surrogates as three bytes) and leaves as UTF-16LE, unit for unit.
 * Limits:  names of at most 255 units and messages of at most 2,048 units; longer ones are cut.
 * Threads: pure. Blocking: never.
 * Source:  [MS-TDS] 2.2.5 (types), 2.2.7 (tokens). Tests: tests/unit/tds-token.c
 */
#ifndef TESTS_SIM_TDS_TOKEN_H
#define TESTS_SIM_TDS_TOKEN_H

#include "base/buf.h"

#define TDS_LENGTH_MAX 0xffff /* length of nvarchar(max), varchar(max), varbinary(max) */

enum tds_kind {
	TDS_INT,
	TDS_BIT,
	TDS_VARCHAR,
	TDS_NVARCHAR,
	TDS_VARBINARY,
	TDS_DATETIME2,
	TDS_GUID,
	TDS_VARIANT
};

struct tds_type {
	enum tds_kind kind;
	uint16_t length; /* INT: 1, 2, 4 or 8 bytes; texts: characters; VARBINARY: bytes; else 0 */
};

struct tds_value {
	enum tds_kind kind; /* never VARIANT */
	bool null;
	int64_t number;  /* INT, BIT; DATETIME2: 100 ns since 0001-01-01 */
	struct str text; /* VARCHAR, NVARCHAR: WTF-8; VARBINARY: bytes; GUID: 16 bytes as sent */
};

struct tds_column {
	struct str name;
	struct tds_type type;
};

struct tds_message {
	uint32_t number;
	uint8_t state, severity; /* severity 10 and less is sent as INFO */
	struct str text, server;
	uint32_t line;
};

enum tds_token {
	TDS_TOKEN_RETURNSTATUS = 0x79,
	TDS_TOKEN_COLMETADATA = 0x81,
	TDS_TOKEN_ERROR = 0xaa,
	TDS_TOKEN_INFO = 0xab,
	TDS_TOKEN_LOGINACK = 0xad,
	TDS_TOKEN_ROW = 0xd1,
	TDS_TOKEN_NBCROW = 0xd2,
	TDS_TOKEN_ENVCHANGE = 0xe3,
	TDS_TOKEN_DONE = 0xfd,
	TDS_TOKEN_DONEPROC = 0xfe,
	TDS_TOKEN_DONEINPROC = 0xff,
};

enum tds_done_status {
	TDS_DONE_MORE = 0x01,
	TDS_DONE_ERROR = 0x02,
	TDS_DONE_COUNT = 0x10,
	TDS_DONE_ATTENTION = 0x20
};

enum tds_envchange {
	TDS_ENV_DATABASE = 1,
	TDS_ENV_LANGUAGE = 2,
	TDS_ENV_PACKET_SIZE = 4,
	TDS_ENV_COLLATION = 7
};

/* 100 ns ticks since 0001-01-01 of a time in ns since 1970, rounded towards the past; and back (false: out of range). */
int64_t tds_ticks(int64_t ns);
bool tds_ticks_to_ns(int64_t ticks, int64_t *out_ns);

/* Appends text as UTF-16LE, at most max_units of them (a pair is never cut by it). Returns how many units were put. */
size_t tds_put_utf16(struct buf *out, struct str text, size_t max_units);

/* How many UTF-16 units text has. */
size_t tds_utf16_units(struct str text);

/* Appends UTF-16LE as WTF-8: pairs become one character, lone surrogates stay. An odd last byte is left out. */
void tds_put_wtf8(struct buf *out, struct str utf16le);

/* A change of the environment with text values; and of the collation. */
void tds_put_envchange(struct buf *out, enum tds_envchange what, struct str now, struct str before);
void tds_put_collation(struct buf *out);

/* INFO or ERROR, by its severity. */
void tds_put_message(struct buf *out, const struct tds_message *message);

/* LOGINACK of TDS 7.4. version is the server's, major first. */
void tds_put_loginack(struct buf *out, struct str program, const uint8_t version[4]);

/* DONE, DONEPROC or DONEINPROC. status: tds_done_status bits; command: 0xc1 for SELECT. */
void tds_put_done(struct buf *out, enum tds_token token, uint16_t status, uint64_t row_count);

/* The return value of a procedure. */
void tds_put_returnstatus(struct buf *out, int32_t value);

/* The columns of the rows that follow. */
void tds_put_colmetadata(struct buf *out, const struct tds_column *column, size_t column_count);

/* One row: ROW, or NBCROW when a value is NULL. A value of another kind than its column's is a bug of the caller. A text longer
 * than its column is cut. */
void tds_put_row(struct buf *out, const struct tds_column *column, const struct tds_value *value,
		 size_t column_count);

#endif
