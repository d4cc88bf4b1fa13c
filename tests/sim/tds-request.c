#include "tests/sim/tds-request.h"

#include "base/wire.h"

#define LOGIN_FIXED_BYTES 94
#define PLP_NULL          UINT64_MAX
#define PLP_UNKNOWN       (UINT64_MAX - 1)
#define TICKS_PER_DAY     INT64_C(864000000000)
#define LAST_DAY          3652058 /* 9999-12-31 */
#define VALUE_BYTES_MAX   (16U << 20)

int tds_parse_prelogin(struct str message, struct tds_prelogin *out, struct error *err)
{
	*out = (struct tds_prelogin){.encrypt = TDS_ENCRYPT_NOT_SUP};
	for (size_t at = 0;; at += 5) {
		if (at >= message.len) {
			return error_set(err, ERR_INPUT,
					 "The option table of the PRELOGIN has no end.");
		}
		uint8_t token = (uint8_t)message.ptr[at];
		if (token == 0xff) {
			return 0;
		}
		if (at + 5 > message.len) {
			return error_set(err, ERR_INPUT, "Option %u of the PRELOGIN at %zu is cut.",
					 token, at);
		}
		const uint8_t *field = (const uint8_t *)message.ptr + at + 1;
		size_t offset = (size_t)field[0] << 8 | field[1];
		size_t len = (size_t)field[2] << 8 | field[3];
		if (offset + len > message.len) {
			return error_set(err, ERR_INPUT,
					 "Option %u of the PRELOGIN lies at %zu, behind its end.",
					 token, offset);
		}
		if (token == 0 && len == sizeof(out->version)) {
			memcpy(out->version, message.ptr + offset, len);
		} else if (token == 1 && len == 1) {
			out->encrypt = (uint8_t)message.ptr[offset];
		} else if (token <= 1) {
			return error_set(err, ERR_INPUT, "Option %u of the PRELOGIN has %zu bytes.",
					 token, len);
		}
	}
}

/* UTF-16LE into the arena as WTF-8. */
static int keep_text(struct arena *arena, struct str utf16le, struct str *out, struct error *err)
{
	struct buf text __attribute__((cleanup(buf_done)));
	buf_init(&text, 0);
	tds_put_wtf8(&text, utf16le);
	if (text.failed || arena_str(arena, buf_str(&text), out) != 0) {
		return error_set(err, ERR_LIMIT,
				 "A text of %zu bytes is too long for the simulator.", utf16le.len);
	}
	return 0;
}

/* The text of a LOGIN7 whose offset and length stand at `at`. */
static int login_text(struct str message, size_t at, struct str *out_utf16le, struct error *err)
{
	struct wire_reader reader = wire_reader(str_slice(message, at, 4));
	size_t offset = wire_u16(&reader);
	size_t bytes = 2 * (size_t)wire_u16(&reader);
	if (bytes != 0 && (offset < LOGIN_FIXED_BYTES || offset + bytes > message.len)) {
		return error_set(err, ERR_INPUT,
				 "The LOGIN7 field at %zu lies outside of the message.", at);
	}
	*out_utf16le = bytes != 0 ? str_slice(message, offset, bytes) : STR_LIT("");
	return 0;
}

/* Each byte of a password was sent with its halves swapped and then XORed with 0xA5. */
static int reveal(struct str hidden, struct arena *arena, struct str *out, struct error *err)
{
	struct str clear;
	if (arena_str(arena, hidden, &clear) != 0) {
		return error_set(err, ERR_LIMIT, "The password is too long for the simulator.");
	}
	char *bytes = (char *)(uintptr_t)clear.ptr; /* ours: it was just allocated */
	for (size_t i = 0; i < clear.len; i++) {
		unsigned byte = (uint8_t)bytes[i] ^ 0xa5U;
		bytes[i] = (char)((byte << 4 | byte >> 4) & 0xff);
	}
	return keep_text(arena, clear, out, err);
}

int tds_parse_login(struct str message, struct arena *arena, struct tds_login *out,
		    struct error *err)
{
	*out = (struct tds_login){0};
	struct wire_reader reader = wire_reader(message);
	uint32_t length = wire_u32(&reader);
	out->tds_version = wire_u32(&reader);
	out->packet_size = wire_u32(&reader);
	if (message.len < LOGIN_FIXED_BYTES || length != message.len) {
		return error_set(err, ERR_INPUT, "The LOGIN7 says %u bytes and has %zu.", length,
				 message.len);
	}
	const struct {
		size_t at;
		struct str *to;
	} field[] = {
		{36, &out->host},     {40, &out->user},     {48, &out->application},
		{64, &out->language}, {68, &out->database},
	};
	struct str utf16le;
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		int rc = login_text(message, field[i].at, &utf16le, err);
		rc = rc == 0 ? keep_text(arena, utf16le, field[i].to, err) : rc;
		if (rc != 0) {
			return rc;
		}
	}
	int rc = login_text(message, 44, &utf16le, err);
	return rc == 0 ? reveal(utf16le, arena, &out->password, err) : rc;
}

/* Moves the reader behind ALL_HEADERS. */
static int skip_headers(struct wire_reader *reader, struct error *err)
{
	uint32_t total = wire_u32(reader);
	if (reader->failed || total < 4 || total - 4 > wire_left(reader)) {
		return error_set(err, ERR_INPUT,
				 "ALL_HEADERS says %u bytes, more than the message has.", total);
	}
	struct wire_reader header = wire_reader(wire_bytes(reader, total - 4));
	while (wire_left(&header) > 0) {
		uint32_t length = wire_u32(&header);
		if (header.failed || length < 6) {
			return error_set(err, ERR_INPUT, "A header of %u bytes in ALL_HEADERS.",
					 length);
		}
		(void)wire_bytes(&header, length - 4); /* failed is checked below */
		if (header.failed) {
			return error_set(err, ERR_INPUT, "A header in ALL_HEADERS is cut.");
		}
	}
	return 0;
}

int tds_parse_batch(struct str message, struct arena *arena, struct str *out_text,
		    struct error *err)
{
	struct wire_reader reader = wire_reader(message);
	int rc = skip_headers(&reader, err);
	if (rc != 0) {
		return rc;
	}
	size_t left = wire_left(&reader);
	if (left % 2 != 0) {
		return error_set(err, ERR_INPUT, "The batch has an odd number of bytes: %zu.",
				 left);
	}
	return keep_text(arena, wire_bytes(&reader, left), out_text, err);
}

struct wire_type {
	uint8_t code;
	enum tds_kind kind;
	bool fixed;       /* no length before the value */
	bool partial;     /* a max type: chunks */
	bool text_units;  /* NVARCHAR or NTEXT: UTF-16LE */
	bool long_length; /* NTEXT: 4 bytes of length before the value */
	uint32_t size;
};

/* Reads what follows the code of a type; sets type->partial and size. */
static int read_type(struct wire_reader *reader, struct wire_type *out, struct error *err)
{
	static const struct wire_type known[] = {
		{.code = 0x1f, .kind = TDS_INT, .fixed = true, .size = 0},
		{.code = 0x30, .kind = TDS_INT, .fixed = true, .size = 1},
		{.code = 0x34, .kind = TDS_INT, .fixed = true, .size = 2},
		{.code = 0x38, .kind = TDS_INT, .fixed = true, .size = 4},
		{.code = 0x7f, .kind = TDS_INT, .fixed = true, .size = 8},
		{.code = 0x32, .kind = TDS_BIT, .fixed = true, .size = 1},
		{.code = 0x26, .kind = TDS_INT},
		{.code = 0x68, .kind = TDS_BIT},
		{.code = 0x24, .kind = TDS_GUID},
		{.code = 0x2a, .kind = TDS_DATETIME2},
		{.code = 0xa7, .kind = TDS_VARCHAR},
		{.code = 0xa5, .kind = TDS_VARBINARY},
		{.code = 0xe7, .kind = TDS_NVARCHAR, .text_units = true},
		{.code = 0x63, .kind = TDS_NVARCHAR, .text_units = true, .long_length = true},
	};
	size_t at = reader->pos;
	uint8_t code = wire_u8(reader);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].code != code) {
			continue;
		}
		*out = known[i];
		if (out->fixed) {
			return 0;
		}
		bool text = out->kind == TDS_VARCHAR || out->kind == TDS_NVARCHAR;
		if (out->long_length) {
			out->size = wire_u32(reader);
		} else if (text || out->kind == TDS_VARBINARY) {
			out->size = wire_u16(reader);
			out->partial = out->size == TDS_LENGTH_MAX;
		} else {
			out->size = wire_u8(reader);
		}
		(void)wire_bytes(reader, text ? 5 : 0); /* the collation: we know one */
		return 0;
	}
	return error_set(err, ERR_INPUT, "A parameter of type 0x%02x at %zu is not supported.",
			 code, at);
}

/* Reads a value in chunks. *out_null when it is NULL. */
static int read_partial(struct wire_reader *reader, struct buf *out, bool *out_null,
			struct error *err)
{
	uint64_t total = wire_u64(reader);
	*out_null = total == PLP_NULL;
	while (total != PLP_NULL && !reader->failed) {
		uint32_t chunk = wire_u32(reader);
		if (chunk == 0) {
			break;
		}
		buf_put_str(out, wire_bytes(reader, chunk));
		if (out->failed) {
			return error_set(err, ERR_LIMIT, "A parameter is longer than %u bytes.",
					 VALUE_BYTES_MAX);
		}
	}
	if (reader->failed || (total < PLP_UNKNOWN && total != out->len)) {
		return error_set(err, ERR_INPUT,
				 "A parameter in chunks has another length than it says.");
	}
	return 0;
}

/* Reads the bytes of a value. *out_null when it is NULL. */
static int read_bytes(struct wire_reader *reader, const struct wire_type *type, struct buf *out,
		      bool *out_null, struct error *err)
{
	if (type->partial) {
		return read_partial(reader, out, out_null, err);
	}
	bool wide = type->kind == TDS_VARCHAR || type->kind == TDS_NVARCHAR ||
		    type->kind == TDS_VARBINARY;
	uint32_t len = type->size;
	if (type->fixed) {
		*out_null = len == 0;
	} else if (type->long_length) {
		len = wire_u32(reader);
		*out_null = len == UINT32_MAX;
	} else if (wide) {
		len = wire_u16(reader);
		*out_null = len == 0xffff;
	} else {
		len = wire_u8(reader);
		*out_null = len == 0;
	}
	if (*out_null || reader->failed) {
		return 0;
	}
	buf_put_str(out, wire_bytes(reader, len));
	if (out->failed) {
		return error_set(err, ERR_LIMIT, "A parameter is longer than %u bytes.",
				 VALUE_BYTES_MAX);
	}
	return 0;
}

/* The number in little-endian bytes; sign-extended, but for a single byte, which has no sign in TDS. */
static int64_t number_of(struct str bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes.len && i < 8; i++) {
		value |= (uint64_t)(uint8_t)bytes.ptr[i] << (8 * i);
	}
	if (bytes.len == 2) {
		return (int16_t)value;
	}
	return bytes.len == 4 ? (int32_t)value : (int64_t)value;
}

/* Unsigned, up to 5 bytes. */
static int64_t small_number(struct str bytes)
{
	int64_t value = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		value |= (int64_t)(uint8_t)bytes.ptr[i] << (8 * i);
	}
	return value;
}

/* The ticks of a DATETIME2: 3, 4 or 5 bytes of time in units of its scale, 3 of days. False when there is no such time. */
static bool ticks_of(struct str bytes, uint32_t scale, int64_t *out)
{
	if (bytes.len < 6 || bytes.len > 8 || scale > 7) {
		return false;
	}
	int64_t time = small_number(str_slice(bytes, 0, bytes.len - 3));
	int64_t day = small_number(str_slice(bytes, bytes.len - 3, 3));
	int64_t unit = 1; /* in ticks */
	for (uint32_t i = scale; i < 7; i++) {
		unit *= 10;
	}
	if (time >= TICKS_PER_DAY / unit || day > LAST_DAY) {
		return false;
	}
	*out = day * TICKS_PER_DAY + time * unit;
	return true;
}

static int make_value(const struct wire_type *type, struct str bytes, struct arena *arena,
		      struct tds_parameter *parameter, struct error *err)
{
	struct tds_value *value = &parameter->value;
	if (type->kind == TDS_INT || type->kind == TDS_BIT) {
		if (bytes.len != 1 && bytes.len != 2 && bytes.len != 4 && bytes.len != 8) {
			return error_set(err, ERR_INPUT, "A number of %zu bytes as a parameter.",
					 bytes.len);
		}
		value->number = number_of(bytes);
		return 0;
	}
	if (type->kind == TDS_DATETIME2) {
		if (!ticks_of(bytes, type->size, &value->number)) {
			return error_set(err, ERR_INPUT,
					 "A datetime2 of %zu bytes as a parameter is no time.",
					 bytes.len);
		}
		return 0;
	}
	if (type->text_units) {
		if (bytes.len % 2 != 0) {
			return error_set(err, ERR_INPUT, "An NVARCHAR parameter of %zu bytes.",
					 bytes.len);
		}
		return keep_text(arena, bytes, &value->text, err);
	}
	if (arena_str(arena, bytes, &value->text) != 0) {
		return error_set(err, ERR_LIMIT, "A parameter of %zu bytes is too long.",
				 bytes.len);
	}
	return 0;
}

static int read_parameter(struct wire_reader *reader, struct arena *arena,
			  struct tds_parameter *out, struct error *err)
{
	*out = (struct tds_parameter){0};
	size_t units = wire_u8(reader);
	int rc = keep_text(arena, wire_bytes(reader, 2 * units), &out->name, err);
	if (rc != 0) {
		return rc;
	}
	(void)wire_u8(reader); /* by reference or default: we give nothing back */
	struct wire_type type = {0};
	rc = read_type(reader, &type, err);
	if (rc != 0) {
		return rc;
	}
	struct buf bytes __attribute__((cleanup(buf_done)));
	buf_init(&bytes, VALUE_BYTES_MAX);
	rc = read_bytes(reader, &type, &bytes, &out->value.null, err);
	if (rc == 0 && reader->failed) {
		rc = error_set(err, ERR_INPUT, "A parameter of type 0x%02x is cut at %zu.",
			       type.code, reader->pos);
	}
	out->value.kind = type.kind;
	out->large = type.partial || type.long_length;
	return rc == 0 && !out->value.null ? make_value(&type, buf_str(&bytes), arena, out, err)
					   : rc;
}

/* Reads the name or number of the procedure and its option flags. */
static int read_procedure(struct wire_reader *reader, struct arena *arena, struct tds_rpc *out,
			  struct error *err)
{
	uint16_t units = wire_u16(reader);
	if (units == 0xffff) {
		out->number = wire_u16(reader);
		out->procedure = out->number == 10 ? STR_LIT("sp_executesql") : STR_LIT("");
	} else {
		int rc = keep_text(arena, wire_bytes(reader, 2 * (size_t)units), &out->procedure,
				   err);
		if (rc != 0) {
			return rc;
		}
	}
	(void)wire_u16(reader); /* option flags: recompile and the like */
	if (reader->failed) {
		return error_set(err, ERR_INPUT, "The RPC is cut in the name of its procedure.");
	}
	return 0;
}

int tds_parse_rpc(struct str message, struct arena *arena, struct tds_rpc *out, struct error *err)
{
	out->parameter_count = 0;
	out->number = 0;
	out->procedure = STR_LIT("");
	struct wire_reader reader = wire_reader(message);
	int rc = skip_headers(&reader, err);
	rc = rc == 0 ? read_procedure(&reader, arena, out, err) : rc;
	while (rc == 0 && wire_left(&reader) > 0) {
		uint8_t next = (uint8_t)message.ptr[reader.pos];
		if (next == 0xff) { /* longer than any name: the batch flag */
			return error_set(err, ERR_INPUT,
					 "More than one call in an RPC message is not supported.");
		}
		if (out->parameter_count == TDS_PARAMETERS_MAX) {
			return error_set(err, ERR_LIMIT, "More than %d parameters.",
					 TDS_PARAMETERS_MAX);
		}
		rc = read_parameter(&reader, arena, &out->parameter[out->parameter_count], err);
		out->parameter_count++;
	}
	return rc;
}
