#include "base/parse.h"

#include <arpa/inet.h>

bool parse_u64(struct str text, uint64_t *out)
{
	uint64_t value = 0;
	if (text.len == 0) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9' ||
		    __builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value)) {
			return false;
		}
	}
	*out = value;
	return true;
}

bool parse_i64(struct str text, int64_t *out)
{
	bool minus = text.len != 0 && text.ptr[0] == '-';
	uint64_t value;
	if (!parse_u64(minus ? str_slice(text, 1, text.len) : text, &value)) {
		return false;
	}
	if (value > (uint64_t)INT64_MAX + minus) {
		return false;
	}
	*out = minus ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

bool parse_decimal(struct str text, int64_t scale, int64_t *out)
{
	struct str fraction = text;
	bool minus = text.len != 0 && text.ptr[0] == '-';
	struct str whole = str_split(&fraction, '.');
	int64_t value;
	if (!parse_i64(whole, &value) || __builtin_mul_overflow(value, scale, &value)) {
		return false;
	}
	if (fraction.ptr == NULL) {
		*out = value;
		return true;
	}
	if (fraction.len == 0) {
		return false;
	}
	for (size_t i = 0; i < fraction.len; i++) {
		char c = fraction.ptr[i];
		if (c < '0' || c > '9') {
			return false;
		}
		scale /= 10;
		int64_t part = (c - '0') * scale;
		if (__builtin_add_overflow(value, minus ? -part : part, &value)) {
			return false;
		}
	}
	*out = value;
	return true;
}

bool parse_bool(struct str text, bool *out)
{
	if (str_is(text, "true") || str_is(text, "yes") || str_is(text, "1")) {
		*out = true;
		return true;
	}
	if (str_is(text, "false") || str_is(text, "no") || str_is(text, "0")) {
		*out = false;
		return true;
	}
	return false;
}

bool parse_size(struct str text, uint64_t *out_bytes)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}, {"", 1}};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct str name = str_of(units[i].name);
		uint64_t value;
		if (str_has_suffix(text, name) &&
		    parse_u64(str_slice(text, 0, text.len - name.len), &value)) {
			return !__builtin_mul_overflow(value, units[i].bytes, out_bytes);
		}
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

bool parse_hex(struct str text, struct buf *out)
{
	size_t start = out->len;
	bool ok = text.len % 2 == 0;
	for (size_t i = 0; ok && i < text.len; i += 2) {
		int high = hex_digit(text.ptr[i]);
		int low = hex_digit(text.ptr[i + 1]);
		ok = high >= 0 && low >= 0;
		if (ok) {
			buf_put_byte(out, (uint8_t)(high << 4 | low));
		}
	}
	if (!ok) {
		buf_truncate(out, start);
	}
	return ok && !out->failed;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int base64_digit(char c, const char *digits)
{
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

/* Digits without padding. Bits that are left over must be zero, so that each value has one spelling. */
static bool read_base64(struct str text, const char *digits, struct buf *out)
{
	size_t start = out->len;
	uint32_t bits = 0;
	unsigned count = 0;
	bool ok = text.len % 4 != 1;
	for (size_t i = 0; ok && i < text.len; i++) {
		int digit = base64_digit(text.ptr[i], digits);
		if (digit < 0) {
			ok = false;
			break;
		}
		bits = bits << 6 | (uint32_t)digit;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_put_byte(out, (uint8_t)(bits >> count));
			bits &= (1u << count) - 1;
		}
	}
	if (!ok || bits != 0) {
		buf_truncate(out, start);
		return false;
	}
	return !out->failed;
}

bool parse_base64(struct str text, struct buf *out)
{
	if (text.len % 4 != 0) {
		return false;
	}
	for (int i = 0; i < 2 && text.len != 0 && text.ptr[text.len - 1] == '='; i++) {
		text.len--;
	}
	return read_base64(text, base64_digits, out);
}

bool parse_base64url(struct str text, struct buf *out)
{
	return read_base64(text, base64url_digits, out);
}

static void put_base64(struct buf *buf, struct str bytes, const char *digits, bool pad)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t bits = (uint32_t)(uint8_t)bytes.ptr[i] << 16;
		bits |= left > 1 ? (uint32_t)(uint8_t)bytes.ptr[i + 1] << 8 : 0;
		bits |= left > 2 ? (uint32_t)(uint8_t)bytes.ptr[i + 2] : 0;
		char text[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
				left > 1 ? digits[bits >> 6 & 63] : '=',
				left > 2 ? digits[bits & 63] : '='};
		buf_put(buf, text, pad || left > 2 ? 4 : left + 1);
	}
}

void parse_put_base64(struct buf *buf, struct str bytes)
{
	put_base64(buf, bytes, base64_digits, true);
}

void parse_put_base64url(struct buf *buf, struct str bytes)
{
	put_base64(buf, bytes, base64url_digits, false);
}

bool parse_percent(struct str text, struct buf *out)
{
	size_t start = out->len;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '%') {
			buf_put_byte(out, (uint8_t)text.ptr[i]);
			continue;
		}
		int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
		int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
		if (high < 0 || low < 0) {
			buf_truncate(out, start);
			return false;
		}
		buf_put_byte(out, (uint8_t)(high << 4 | low));
		i += 2;
	}
	return !out->failed;
}

void parse_put_percent(struct buf *buf, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.ptr[i];
		bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
		if (plain) {
			buf_put_byte(buf, (uint8_t)c);
		} else {
			buf_putf(buf, "%%%02X", (uint8_t)c);
		}
	}
}

bool parse_uuid(struct str text, uint8_t out[16])
{
	if (text.len != 36) {
		return false;
	}
	uint8_t bytes[16];
	size_t count = 0;
	for (size_t i = 0; i < text.len;) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash) {
			if (text.ptr[i++] != '-') {
				return false;
			}
			continue;
		}
		int high = hex_digit(text.ptr[i]);
		int low = hex_digit(text.ptr[i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		bytes[count++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	memcpy(out, bytes, sizeof(bytes));
	return true;
}

bool parse_is_ip(struct str text)
{
	char copy[INET6_ADDRSTRLEN];
	if (text.len == 0 || text.len >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	struct in6_addr address;
	return strlen(copy) == text.len && (inet_pton(AF_INET, copy, &address) == 1 ||
					    inet_pton(AF_INET6, copy, &address) == 1);
}
