#include "tests/sim/tds-token.h"

#include <assert.h>

#include "base/clock.h"
#include "base/wire.h"

#define DAYS_TO_1970   719162 /* from 0001-01-01 */
#define TICKS_PER_DAY  INT64_C(864000000000)
#define PLP_CHUNK      8000
#define COMMAND_SELECT 0xc1
#define VARIANT_MAX    8009

/* SQL_Latin1_General_CP1_CI_AS */
static const uint8_t collation[5] = {0x09, 0x04, 0xd0, 0x00, 0x34};

int64_t tds_ticks(int64_t ns)
{
	int64_t ticks = ns / 100;
	if (ns % 100 < 0) {
		ticks--;
	}
	return ticks + DAYS_TO_1970 * TICKS_PER_DAY;
}

bool tds_ticks_to_ns(int64_t ticks, int64_t *out_ns)
{
	int64_t ns;
	if (__builtin_mul_overflow(ticks - DAYS_TO_1970 * TICKS_PER_DAY, INT64_C(100), &ns)) {
		return false;
	}
	*out_ns = ns;
	return true;
}

/* The character at *pos, moved behind it; a byte that begins none counts as U+FFFD. Surrogates are let through. */
static uint32_t next_character(struct str text, size_t *pos)
{
	uint8_t lead = (uint8_t)text.ptr[*pos];
	(*pos)++;
	size_t more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
	if (lead < 0x80) {
		return lead;
	}
	if (more == 0 || lead >= 0xf5 || *pos + more > text.len) {
		return 0xfffd;
	}
	uint32_t cp = lead & (0x3fU >> more);
	for (size_t i = 0; i < more; i++) {
		uint8_t byte = (uint8_t)text.ptr[*pos + i];
		if ((byte & 0xc0) != 0x80) {
			return 0xfffd;
		}
		cp = cp << 6 | (byte & 0x3fU);
	}
	static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
	if (cp < least[more] || cp > 0x10ffff) {
		return 0xfffd;
	}
	*pos += more;
	return cp;
}

size_t tds_put_utf16(struct buf *out, struct str text, size_t max_units)
{
	if (buf_reserve(out, 2 * text.len + 2) != 0) {
		return 0;
	}
	size_t units = 0;
	uint8_t *to = (uint8_t *)out->ptr + out->len;
	for (size_t pos = 0; pos < text.len && units < max_units;) {
		uint32_t cp = next_character(text, &pos);
		if (cp >= 0x10000) {
			if (units + 2 > max_units) {
				break;
			}
			cp -= 0x10000;
			uint32_t high = 0xd800 | cp >> 10;
			to[2 * units] = (uint8_t)high;
			to[2 * units + 1] = (uint8_t)(high >> 8);
			units++;
			cp = 0xdc00 | (cp & 0x3ff);
		}
		to[2 * units] = (uint8_t)cp;
		to[2 * units + 1] = (uint8_t)(cp >> 8);
		units++;
	}
	out->len += 2 * units;
	out->ptr[out->len] = '\0';
	return units;
}

size_t tds_utf16_units(struct str text)
{
	size_t units = 0;
	for (size_t pos = 0; pos < text.len; units++) {
		units += next_character(text, &pos) >= 0x10000;
	}
	return units;
}

static void put_code_point(struct buf *out, uint32_t cp)
{
	if (cp < 0x80) {
		buf_put_byte(out, (uint8_t)cp);
		return;
	}
	if (cp < 0x800) {
		buf_put_byte(out, (uint8_t)(0xc0 | cp >> 6));
	} else {
		if (cp < 0x10000) {
			buf_put_byte(out, (uint8_t)(0xe0 | cp >> 12));
		} else {
			buf_put_byte(out, (uint8_t)(0xf0 | cp >> 18));
			buf_put_byte(out, (uint8_t)(0x80 | (cp >> 12 & 0x3f)));
		}
		buf_put_byte(out, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
	}
	buf_put_byte(out, (uint8_t)(0x80 | (cp & 0x3f)));
}

void tds_put_wtf8(struct buf *out, struct str utf16le)
{
	const uint8_t *from = (const uint8_t *)utf16le.ptr;
	size_t units = utf16le.len / 2;
	for (size_t i = 0; i < units; i++) {
		uint32_t cp = from[2 * i] | (uint32_t)from[2 * i + 1] << 8;
		if (cp >= 0xd800 && cp < 0xdc00 && i + 1 < units) {
			uint32_t low = from[2 * i + 2] | (uint32_t)from[2 * i + 3] << 8;
			if (low >= 0xdc00 && low < 0xe000) {
				cp = 0x10000 + ((cp & 0x3ff) << 10) + (low & 0x3ff);
				i++;
			}
		}
		put_code_point(out, cp);
	}
}

/* Sets the 16-bit number at offset at of out. */
static void set_u16(struct buf *out, size_t at, size_t value)
{
	if (!out->failed) {
		out->ptr[at] = (char)(value & 0xff);
		out->ptr[at + 1] = (char)(value >> 8 & 0xff);
	}
}

/* A text behind its count of units in one byte (or two). */
static void put_b_varchar(struct buf *out, struct str text)
{
	size_t at = out->len;
	buf_put_byte(out, 0);
	size_t units = tds_put_utf16(out, text, 255);
	if (!out->failed) {
		out->ptr[at] = (char)units;
	}
}

static void put_us_varchar(struct buf *out, struct str text, size_t max_units)
{
	size_t at = out->len;
	wire_put_u16(out, 0);
	set_u16(out, at, tds_put_utf16(out, text, max_units));
}

/* Begins a token whose 16-bit length end_token fills in. Returns where. */
static size_t begin_token(struct buf *out, enum tds_token token)
{
	buf_put_byte(out, (uint8_t)token);
	size_t at = out->len;
	wire_put_u16(out, 0);
	return at;
}

static void end_token(struct buf *out, size_t at)
{
	set_u16(out, at, out->len - at - 2);
}

void tds_put_envchange(struct buf *out, enum tds_envchange what, struct str now, struct str before)
{
	size_t at = begin_token(out, TDS_TOKEN_ENVCHANGE);
	buf_put_byte(out, (uint8_t)what);
	put_b_varchar(out, now);
	put_b_varchar(out, before);
	end_token(out, at);
}

void tds_put_collation(struct buf *out)
{
	size_t at = begin_token(out, TDS_TOKEN_ENVCHANGE);
	buf_put_byte(out, TDS_ENV_COLLATION);
	buf_put_byte(out, sizeof(collation));
	buf_put(out, collation, sizeof(collation));
	buf_put_byte(out, 0);
	end_token(out, at);
}

void tds_put_message(struct buf *out, const struct tds_message *message)
{
	size_t at = begin_token(out, message->severity <= 10 ? TDS_TOKEN_INFO : TDS_TOKEN_ERROR);
	wire_put_u32(out, message->number);
	buf_put_byte(out, message->state);
	buf_put_byte(out, message->severity);
	put_us_varchar(out, message->text, 2048);
	put_b_varchar(out, message->server);
	put_b_varchar(out, STR_LIT(""));
	wire_put_u32(out, message->line);
	end_token(out, at);
}

void tds_put_loginack(struct buf *out, struct str program, const uint8_t version[4])
{
	static const uint8_t tds_7_4[4] = {0x74, 0x00, 0x00, 0x04};
	size_t at = begin_token(out, TDS_TOKEN_LOGINACK);
	buf_put_byte(out, 1); /* the interface: T-SQL */
	buf_put(out, tds_7_4, sizeof(tds_7_4));
	put_b_varchar(out, program);
	buf_put(out, version, 4);
	end_token(out, at);
}

void tds_put_done(struct buf *out, enum tds_token token, uint16_t status, uint64_t row_count)
{
	buf_put_byte(out, (uint8_t)token);
	wire_put_u16(out, status);
	wire_put_u16(out, (status & TDS_DONE_COUNT) != 0 ? COMMAND_SELECT : 0);
	wire_put_u64(out, row_count);
}

void tds_put_returnstatus(struct buf *out, int32_t value)
{
	buf_put_byte(out, TDS_TOKEN_RETURNSTATUS);
	wire_put_u32(out, (uint32_t)value);
}

/* The length of a text or binary column in bytes as its type says it. */
static uint16_t length_bytes(struct tds_type type)
{
	if (type.length == TDS_LENGTH_MAX) {
		return TDS_LENGTH_MAX;
	}
	unsigned factor = type.kind == TDS_NVARCHAR ? 2 : 1;
	unsigned bytes = factor * (type.length > 0 ? type.length : 1U);
	return (uint16_t)(bytes > 8000 ? 8000 : bytes);
}

static void put_type(struct buf *out, struct tds_type type)
{
	static const uint8_t code[] = {
		[TDS_INT] = 0x26,       [TDS_BIT] = 0x68,       [TDS_VARCHAR] = 0xa7,
		[TDS_NVARCHAR] = 0xe7,  [TDS_VARBINARY] = 0xa5, [TDS_GUID] = 0x24,
		[TDS_DATETIME2] = 0x2a, [TDS_VARIANT] = 0x62,
	};
	buf_put_byte(out, code[type.kind]);
	switch (type.kind) {
	case TDS_INT:
		buf_put_byte(out, (uint8_t)type.length);
		break;
	case TDS_BIT:
		buf_put_byte(out, 1);
		break;
	case TDS_VARCHAR:
	case TDS_NVARCHAR:
		wire_put_u16(out, length_bytes(type));
		buf_put(out, collation, sizeof(collation));
		break;
	case TDS_VARBINARY:
		wire_put_u16(out, length_bytes(type));
		break;
	case TDS_DATETIME2:
		buf_put_byte(out, 7);
		break;
	case TDS_GUID:
		buf_put_byte(out, 16);
		break;
	case TDS_VARIANT:
		wire_put_u32(out, VARIANT_MAX);
		break;
	}
}

void tds_put_colmetadata(struct buf *out, const struct tds_column *column, size_t column_count)
{
	assert(column_count > 0 && column_count < 0xffff);
	buf_put_byte(out, TDS_TOKEN_COLMETADATA);
	wire_put_u16(out, (uint16_t)column_count);
	for (size_t i = 0; i < column_count; i++) {
		wire_put_u32(out, 0);      /* user type */
		wire_put_u16(out, 0x0001); /* nullable */
		put_type(out, column[i].type);
		put_b_varchar(out, column[i].name);
	}
}

/* Appends the bytes of a text in the code page of the collation: ASCII as it is, all else a question mark. */
static void put_code_page(struct buf *out, struct str text, size_t max)
{
	size_t put = 0;
	for (size_t pos = 0; pos < text.len && put < max; put++) {
		uint32_t cp = next_character(text, &pos);
		buf_put_byte(out, cp < 0x80 ? (uint8_t)cp : '?');
	}
}

/* Appends what the column holds, without a length. */
static void put_content(struct buf *out, struct tds_type type, const struct tds_value *value)
{
	size_t max = type.length == TDS_LENGTH_MAX ? SIZE_MAX : length_bytes(type);
	if (type.kind == TDS_NVARCHAR) {
		(void)tds_put_utf16(out, value->text, max / 2); /* the buf tells how much came */
	} else if (type.kind == TDS_VARCHAR) {
		put_code_page(out, value->text, max);
	} else {
		buf_put_str(out, str_slice(value->text, 0, max));
	}
}

static void put_partial(struct buf *out, struct tds_type type, const struct tds_value *value)
{
	struct buf content __attribute__((cleanup(buf_done)));
	buf_init(&content, 0);
	put_content(&content, type, value);
	out->failed = out->failed || content.failed;
	wire_put_u64(out, content.len);
	for (size_t pos = 0; pos < content.len; pos += PLP_CHUNK) {
		struct str chunk = str_slice(buf_str(&content), pos, PLP_CHUNK);
		wire_put_u32(out, (uint32_t)chunk.len);
		buf_put_str(out, chunk);
	}
	wire_put_u32(out, 0);
}

static void put_datetime2(struct buf *out, int64_t ticks)
{
	int64_t time = ticks % TICKS_PER_DAY;
	int64_t day = ticks / TICKS_PER_DAY;
	for (int i = 0; i < 5; i++) {
		buf_put_byte(out, (uint8_t)(time >> (8 * i) & 0xff));
	}
	for (int i = 0; i < 3; i++) {
		buf_put_byte(out, (uint8_t)(day >> (8 * i) & 0xff));
	}
}

static void put_int(struct buf *out, int64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		buf_put_byte(out, (uint8_t)(number >> (8 * i) & 0xff));
	}
}

/* A variant that holds an int or a text of at most 4,000 units. */
static void put_variant(struct buf *out, const struct tds_value *value)
{
	size_t at = out->len;
	wire_put_u32(out, 0);
	if (value->kind == TDS_INT || value->kind == TDS_BIT) {
		buf_put_byte(out, 0x38);
		buf_put_byte(out, 0);
		put_int(out, value->number, 4);
	} else {
		buf_put_byte(out, 0xe7);
		buf_put_byte(out, 7);
		buf_put(out, collation, sizeof(collation));
		wire_put_u16(out, 8000);
		(void)tds_put_utf16(out, value->text, 4000); /* the length below tells it */
	}
	set_u16(out, at, out->len - at - 4);
}

static void put_null(struct buf *out, struct tds_type type)
{
	bool text =
		type.kind == TDS_VARCHAR || type.kind == TDS_NVARCHAR || type.kind == TDS_VARBINARY;
	if (text && type.length == TDS_LENGTH_MAX) {
		wire_put_u64(out, UINT64_MAX);
	} else if (text) {
		wire_put_u16(out, 0xffff);
	} else if (type.kind == TDS_VARIANT) {
		wire_put_u32(out, 0);
	} else {
		buf_put_byte(out, 0);
	}
}

static void put_value(struct buf *out, struct tds_type type, const struct tds_value *value)
{
	assert(value->kind == type.kind || type.kind == TDS_VARIANT || value->null);
	if (value->null) {
		put_null(out, type);
		return;
	}
	switch (type.kind) {
	case TDS_INT:
		buf_put_byte(out, (uint8_t)type.length);
		put_int(out, value->number, type.length);
		break;
	case TDS_BIT:
		buf_put_byte(out, 1);
		buf_put_byte(out, value->number != 0);
		break;
	case TDS_VARCHAR:
	case TDS_NVARCHAR:
	case TDS_VARBINARY:
		if (type.length == TDS_LENGTH_MAX) {
			put_partial(out, type, value);
		} else {
			size_t at = out->len;
			wire_put_u16(out, 0);
			put_content(out, type, value);
			set_u16(out, at, out->len - at - 2);
		}
		break;
	case TDS_DATETIME2:
		buf_put_byte(out, 8);
		put_datetime2(out, value->number);
		break;
	case TDS_GUID:
		buf_put_byte(out, 16);
		buf_put_str(out, str_slice(value->text, 0, 16));
		break;
	case TDS_VARIANT:
		put_variant(out, value);
		break;
	}
}

void tds_put_row(struct buf *out, const struct tds_column *column, const struct tds_value *value,
		 size_t column_count)
{
	bool nulls = false;
	for (size_t i = 0; i < column_count; i++) {
		nulls = nulls || value[i].null;
	}
	buf_put_byte(out, nulls ? TDS_TOKEN_NBCROW : TDS_TOKEN_ROW);
	if (nulls) {
		for (size_t i = 0; i < column_count; i += 8) {
			uint8_t bits = 0;
			for (size_t k = i; k < i + 8 && k < column_count; k++) {
				bits = (uint8_t)(bits | (value[k].null ? 1U << (k - i) : 0U));
			}
			buf_put_byte(out, bits);
		}
	}
	for (size_t i = 0; i < column_count; i++) {
		if (!nulls || !value[i].null) {
			put_value(out, column[i].type, &value[i]);
		}
	}
}
