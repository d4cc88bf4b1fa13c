#include <stdio.h>

#include "base/clock.h"
#include "base/parse.h"
#include "tests/sim/tds-eval.h"

struct tds_value tds_null(enum tds_kind kind)
{
	return (struct tds_value){.kind = kind, .null = true};
}

struct tds_value tds_number(enum tds_kind kind, int64_t number)
{
	return (struct tds_value){.kind = kind, .number = number};
}

struct tds_value tds_text(enum tds_kind kind, struct str text)
{
	return (struct tds_value){.kind = kind, .text = text};
}

struct str tds_keep(struct tds_scope *scope, struct arena *arena, struct str text)
{
	struct str kept = STR_LIT("");
	if (arena_str(arena, text, &kept) != 0) {
		tds_scope_fail(scope, 701, 17,
			       "There is insufficient system memory to run this query.%.*s",
			       STR_LIT(""));
	}
	return kept;
}

static bool is_text(enum tds_kind kind)
{
	return kind == TDS_VARCHAR || kind == TDS_NVARCHAR;
}

static bool is_number(enum tds_kind kind)
{
	return kind == TDS_INT || kind == TDS_BIT;
}

/* "0BADCAFE-...": the first three groups are little-endian on the wire. */
static const uint8_t guid_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static void put_guid(struct buf *out, struct str guid)
{
	for (size_t i = 0; i < 16 && i < guid.len; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			buf_put_byte(out, '-');
		}
		buf_putf(out, "%02X", (unsigned)(uint8_t)guid.ptr[guid_order[i]]);
	}
}

static void put_time(struct buf *out, int64_t ticks, int64_t style)
{
	int64_t ns;
	if (!tds_ticks_to_ns(ticks, &ns)) {
		buf_put_text(out, "0001-01-01 00:00:00.0000000");
		return;
	}
	size_t begin = out->len;
	clock_put_rfc3339(out, ns, 7);
	bool iso = style == 126 || style == 127;
	if (!iso && !out->failed) {
		out->ptr[begin + 10] = ' ';
	}
	if (style != 127 && !out->failed) {
		buf_truncate(out, out->len - 1); /* the Z */
	}
}

/* Any value as text. Binary: its bytes are the text (styles 1 and 2: hexadecimal). */
static void put_text(struct buf *out, struct tds_value value, struct tds_type to, int64_t style)
{
	switch (value.kind) {
	case TDS_INT:
	case TDS_BIT:
		buf_put_i64(out, value.number);
		break;
	case TDS_VARCHAR:
	case TDS_NVARCHAR:
		buf_put_str(out, value.text);
		break;
	case TDS_VARBINARY:
		if (style != 0) {
			buf_put_text(out, style == 1 ? "0x" : "");
			for (size_t i = 0; i < value.text.len; i++) {
				buf_putf(out, "%02X", (unsigned)(uint8_t)value.text.ptr[i]);
			}
		} else if (to.kind == TDS_NVARCHAR) {
			tds_put_wtf8(out, value.text);
		} else {
			buf_put_str(out, value.text);
		}
		break;
	case TDS_DATETIME2:
		put_time(out, value.number, style);
		break;
	case TDS_GUID:
		put_guid(out, value.text);
		break;
	case TDS_VARIANT:
		break; /* a value never is one */
	}
}

/* Puts value into bytes: UTF-16LE of NVARCHAR, the bytes of the others, numbers big-endian in their width. */
static void put_bytes(struct buf *out, struct tds_value value)
{
	if (value.kind == TDS_NVARCHAR) {
		(void)tds_put_utf16(out, value.text, SIZE_MAX); /* out tells the length */
	} else if (is_number(value.kind)) {
		for (int shift = 56; shift >= 0; shift -= 8) {
			buf_put_byte(out, (uint8_t)(value.number >> shift & 0xff));
		}
	} else {
		buf_put_str(out, value.text);
	}
}

/* Cuts a text of bytes in place to the type's length. */
static void cut(struct buf *text, struct tds_type type)
{
	if (type.length == TDS_LENGTH_MAX) {
		return;
	}
	if (type.kind != TDS_NVARCHAR) {
		buf_truncate(text, text->len < type.length ? text->len : type.length);
		return;
	}
	if (text->len <= type.length) {
		return; /* never more units than bytes */
	}
	struct buf units __attribute__((cleanup(buf_done)));
	buf_init(&units, 0);
	(void)tds_put_utf16(&units, buf_str(text), type.length); /* units tells how much came */
	buf_clear(text);
	tds_put_wtf8(text, buf_str(&units));
}

static struct tds_value cast_to_text(struct tds_scope *scope, struct tds_value value,
				     struct tds_type type, int64_t style)
{
	bool fits = type.length == TDS_LENGTH_MAX || value.text.len <= type.length;
	if (is_text(value.kind) && is_text(type.kind) && fits) {
		value.kind = type.kind;
		return value;
	}
	struct buf text __attribute__((cleanup(buf_done)));
	buf_init(&text, 0);
	if (type.kind == TDS_VARBINARY) {
		put_bytes(&text, value);
	} else {
		put_text(&text, value, type, style);
	}
	cut(&text, type);
	return tds_text(type.kind, tds_keep(scope, scope->scratch, buf_str(&text)));
}

/* A time as the server reads it: seconds, and the whole time of day, may be left out. */
static bool parse_time(struct str text, int64_t *out_ticks)
{
	char whole[48];
	text = str_trim(text);
	if (text.len >= sizeof(whole) - 16) {
		return false;
	}
	const char *rest = text.len == 10 ? " 00:00:00" : text.len == 16 ? ":00" : "";
	int len = snprintf(whole, sizeof(whole), "%.*s%s", STR_ARG(text), rest);
	int64_t ns;
	if (len < 0 || !clock_parse_rfc3339(str_of(whole), &ns)) {
		return false;
	}
	*out_ticks = tds_ticks(ns);
	return true;
}

static bool parse_guid(struct tds_scope *scope, struct str text, struct str *out)
{
	uint8_t plain[16];
	uint8_t wire[16];
	if (!parse_uuid(str_trim(text), plain)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(wire); i++) {
		wire[i] = plain[guid_order[i]];
	}
	*out = tds_keep(scope, scope->scratch, str_make(wire, sizeof(wire)));
	return true;
}

static bool fits(int64_t number, struct tds_type type)
{
	int64_t most = type.length == 1 ? 255 : type.length == 2 ? INT16_MAX : INT32_MAX;
	int64_t least = type.length == 1 ? 0 : -most - 1;
	return type.kind != TDS_INT || type.length == 8 || (number <= most && number >= least);
}

static bool cast_to_number(struct tds_value value, struct tds_type type, int64_t *out)
{
	int64_t number = value.number;
	if (is_text(value.kind)) {
		struct str text = str_trim(value.text);
		number = 0;
		if (text.len != 0 && !parse_i64(text, &number)) {
			bool yes = false;
			bool read = type.kind == TDS_BIT && parse_bool(text, &yes);
			*out = yes;
			return read;
		}
	} else if (value.kind == TDS_VARBINARY) {
		uint64_t bits = 0;
		for (size_t i = 0; i < value.text.len; i++) {
			bits = bits << 8 | (uint8_t)value.text.ptr[i];
		}
		number = (int64_t)bits;
	} else if (!is_number(value.kind)) {
		return false;
	}
	if (!fits(number, type)) {
		return false;
	}
	*out = type.kind == TDS_BIT ? number != 0 : number;
	return true;
}

/* Casts to what is neither text nor binary; false when the value cannot be one. */
static bool cast_scalar(struct tds_scope *scope, struct tds_value value, struct tds_type type,
			struct tds_value *out)
{
	*out = (struct tds_value){.kind = type.kind};
	switch (type.kind) {
	case TDS_INT:
	case TDS_BIT:
		return cast_to_number(value, type, &out->number);
	case TDS_DATETIME2:
		return is_text(value.kind) && parse_time(value.text, &out->number);
	case TDS_GUID:
		if (value.kind == TDS_VARBINARY && value.text.len >= 16) {
			out->text = str_slice(value.text, 0, 16);
			return true;
		}
		return is_text(value.kind) && parse_guid(scope, value.text, &out->text);
	case TDS_VARCHAR:
	case TDS_NVARCHAR:
	case TDS_VARBINARY:
	case TDS_VARIANT:
		break;
	}
	return false;
}

struct tds_value tds_cast(struct tds_scope *scope, struct tds_value value, struct tds_type type,
			  int64_t style, bool try)
{
	if (type.kind == TDS_VARIANT) {
		return value;
	}
	if (value.null) {
		return tds_null(type.kind);
	}
	if (is_text(type.kind) || type.kind == TDS_VARBINARY) {
		return cast_to_text(scope, value, type, style);
	}
	if (value.kind == type.kind && type.kind != TDS_INT) {
		return value;
	}
	struct tds_value out;
	if (cast_scalar(scope, value, type, &out)) {
		return out;
	}
	if (!try && type.kind == TDS_DATETIME2) {
		tds_scope_fail(scope, 241, 16,
			       "Conversion failed when converting date and/or time from character "
			       "string.%.*s",
			       STR_LIT(""));
	} else if (!try && type.kind == TDS_GUID) {
		tds_scope_fail(scope, 8169, 16,
			       "Conversion failed when converting from a character string to "
			       "uniqueidentifier.%.*s",
			       STR_LIT(""));
	} else if (!try) {
		tds_scope_fail(
			scope, 245, 16,
			"Conversion failed when converting the value '%.*s' to another data type.",
			is_text(value.kind) ? value.text : STR_LIT("?"));
	}
	return tds_null(type.kind);
}

/* Text without trailing spaces, which do not count. */
static struct str without_padding(struct str text)
{
	while (text.len > 0 && text.ptr[text.len - 1] == ' ') {
		text.len--;
	}
	return text;
}

static int compare_text(struct str left, struct str right)
{
	left = without_padding(left);
	right = without_padding(right);
	size_t len = left.len < right.len ? left.len : right.len;
	for (size_t i = 0; i < len; i++) {
		int a = (unsigned char)left.ptr[i];
		int b = (unsigned char)right.ptr[i];
		a += a >= 'A' && a <= 'Z' ? 32 : 0;
		b += b >= 'A' && b <= 'Z' ? 32 : 0;
		if (a != b) {
			return a - b;
		}
	}
	return (left.len > right.len) - (left.len < right.len);
}

static int precedence(enum tds_kind kind)
{
	static const int order[] = {
		[TDS_VARBINARY] = 0, [TDS_VARCHAR] = 1, [TDS_NVARCHAR] = 2,  [TDS_GUID] = 3,
		[TDS_BIT] = 4,       [TDS_INT] = 5,     [TDS_DATETIME2] = 6, [TDS_VARIANT] = 7,
	};
	return order[kind];
}

int tds_compare(struct tds_scope *scope, struct tds_value left, struct tds_value right)
{
	enum tds_kind kind =
		precedence(left.kind) > precedence(right.kind) ? left.kind : right.kind;
	uint16_t length = is_text(kind) || kind == TDS_VARBINARY ? TDS_LENGTH_MAX : 8;
	struct tds_type type = {.kind = kind, .length = length};
	left = left.kind == kind ? left : tds_cast(scope, left, type, 0, false);
	right = right.kind == kind ? right : tds_cast(scope, right, type, 0, false);
	if (is_number(kind) || kind == TDS_DATETIME2) {
		return (left.number > right.number) - (left.number < right.number);
	}
	return is_text(kind) ? compare_text(left.text, right.text)
			     : str_compare(left.text, right.text);
}
