#include "store/block/pattern.h"

/* What a pattern's tokens look like as text. */

#define SECONDS_OF_DAY 86400

static const char lower_digits[] = "0123456789abcdef";
static const char upper_digits[] = "0123456789ABCDEF";

bool pattern_slot_valid(struct pattern_slot slot)
{
	unsigned low = slot.arg & 0x7f;

	switch ((enum pattern_kind)slot.kind) {
	case PATTERN_NUMBER:
	case PATTERN_DATE:
	case PATTERN_WORD:
		return slot.arg == 0;
	case PATTERN_DECIMAL:
		return slot.arg >= 1 && slot.arg <= 17;
	case PATTERN_DIGITS:
		return slot.arg >= 1 && slot.arg <= 18;
	case PATTERN_HEX:
		return low >= 1 && low <= 16;
	case PATTERN_TIME:
		return low <= 9;
	case PATTERN_UUID4:
	case PATTERN_UUID:
		return slot.arg <= 1;
	case PATTERN_HEXBYTES:
	case PATTERN_HEXUPPER:
	case PATTERN_BASE64:
	case PATTERN_BASE64URL:
		return slot.arg >= 1;
	case PATTERN_ID:
		return true;
	case PATTERN_TEXT:
		return false;
	}
	return false; /* a number from outside that is no kind */
}

size_t pattern_slot_bytes(struct pattern_slot slot)
{
	switch (slot.kind) {
	case PATTERN_UUID4:
	case PATTERN_UUID:
		return 16;
	case PATTERN_HEXBYTES:
	case PATTERN_HEXUPPER:
	case PATTERN_BASE64:
	case PATTERN_BASE64URL:
		return slot.arg;
	default: /* kinds without bytes */
		return 0;
	}
}

/* Writes width digits of value, zeros in front, ending before end. False: it does not fit. */
static bool write_digits(char *end, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++) {
		*--end = (char)('0' + value % 10);
		value /= 10;
	}
	return value == 0;
}

static bool put_decimal(unsigned scale, int64_t number, struct buf *out)
{
	char text[24];
	char *end = text + sizeof(text);
	uint64_t value = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	unsigned written = 0;

	while (value > 0 || written <= scale) {
		*--end = (char)('0' + value % 10);
		value /= 10;
		if (++written == scale) {
			*--end = '.';
		}
		if (written > 20) {
			return false;
		}
	}
	if (number < 0) {
		*--end = '-';
	}
	buf_put(out, end, (size_t)(text + sizeof(text) - end));
	return true;
}

static void put_integer(int64_t number, struct buf *out)
{
	char text[24];
	char *end = text + sizeof(text);
	uint64_t value = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	if (number < 0) {
		*--end = '-';
	}
	buf_put(out, end, (size_t)(text + sizeof(text) - end));
}

static bool put_hex(unsigned arg, int64_t number, struct buf *out)
{
	const char *alphabet = (arg & 0x80) != 0 ? upper_digits : lower_digits;
	unsigned width = arg & 0x1f;
	uint64_t value = (uint64_t)number;
	char text[16];

	for (unsigned i = width; i-- > 0;) {
		text[i] = alphabet[value & 15];
		value >>= 4;
	}
	buf_put(out, text, width);
	return value == 0;
}

/* Writes yyyy-mm-dd; false for a day outside the years 1900 to 2199. */
static bool write_date(char *text, int64_t days)
{
	int64_t of_era, year_of_era, of_year, shifted_month, day, month, year;

	if (days < -25567 || days > 84005) {
		return false;
	}
	days += 719468;
	of_era = days % 146097;
	year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	shifted_month = (5 * of_year + 2) / 153;
	day = of_year - (153 * shifted_month + 2) / 5 + 1;
	month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
	year = year_of_era + days / 146097 * 400 + (month <= 2);
	text[4] = text[7] = '-';
	return write_digits(text + 4, 4, (uint64_t)year) &&
	       write_digits(text + 7, 2, (uint64_t)month) &&
	       write_digits(text + 10, 2, (uint64_t)day);
}

static bool put_time(unsigned arg, int64_t number, struct buf *out)
{
	static const int64_t powers[] = {1,      10,      100,      1000,      10000,
					 100000, 1000000, 10000000, 100000000, 1000000000};
	char text[32];
	unsigned scale = arg & 15;
	int64_t fraction = number % powers[scale];
	int64_t seconds = number / powers[scale];
	int64_t days;

	if (fraction < 0) {
		fraction += powers[scale];
		seconds--;
	}
	days = seconds / SECONDS_OF_DAY;
	seconds %= SECONDS_OF_DAY;
	if (seconds < 0) {
		seconds += SECONDS_OF_DAY;
		days--;
	}
	if (!write_date(text, days)) {
		return false;
	}
	text[10] = (arg & 0x80) != 0 ? ' ' : 'T';
	text[13] = text[16] = ':';
	text[19] = '.';
	(void)write_digits(text + 13, 2, (uint64_t)(seconds / 3600)); /* they fit */
	(void)write_digits(text + 16, 2, (uint64_t)(seconds / 60 % 60));
	(void)write_digits(text + 19, 2, (uint64_t)(seconds % 60));
	(void)write_digits(text + 20 + scale, scale, (uint64_t)fraction);
	buf_put(out, text, scale > 0 ? 20 + scale : 19);
	return true;
}

bool pattern_put_number(struct pattern_slot slot, int64_t number, struct buf *out)
{
	char text[20];

	switch (slot.kind) {
	case PATTERN_NUMBER:
		put_integer(number, out);
		return true;
	case PATTERN_DECIMAL:
		return put_decimal(slot.arg, number, out);
	case PATTERN_DIGITS:
		if (slot.arg > 18 || number < 0 ||
		    !write_digits(text + slot.arg, slot.arg, (uint64_t)number)) {
			return false;
		}
		buf_put(out, text, slot.arg);
		return true;
	case PATTERN_HEX:
		return put_hex(slot.arg, number, out);
	case PATTERN_DATE:
		if (!write_date(text, number)) {
			return false;
		}
		buf_put(out, text, 10);
		return true;
	case PATTERN_TIME:
		return put_time(slot.arg, number, out);
	default: /* kinds without a number */
		return false;
	}
}

static void put_uuid(const uint8_t *bytes, bool upper, struct buf *out)
{
	const char *alphabet = upper ? upper_digits : lower_digits;
	char text[36];
	size_t at = 0;

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			text[at++] = '-';
		}
		text[at++] = alphabet[bytes[i] >> 4];
		text[at++] = alphabet[bytes[i] & 15];
	}
	buf_put(out, text, sizeof(text));
}

static void put_hexbytes(const uint8_t *bytes, size_t count, const char *alphabet, struct buf *out)
{
	char text[2 * PATTERN_BYTES_MAX];

	for (size_t i = 0; i < count; i++) {
		text[2 * i] = alphabet[bytes[i] >> 4];
		text[2 * i + 1] = alphabet[bytes[i] & 15];
	}
	buf_put(out, text, 2 * count);
}

static void put_base64(const uint8_t *bytes, size_t count, bool url, struct buf *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char text[(PATTERN_BYTES_MAX + 2) / 3 * 4];
	size_t at = 0;

	for (size_t i = 0; i < count; i += 3) {
		uint32_t bits = (uint32_t)bytes[i] << 16;
		size_t left = count - i;

		bits |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		bits |= left > 2 ? bytes[i + 2] : 0;
		for (size_t k = 0; k < 4; k++) {
			unsigned value = bits >> (18 - 6 * k) & 63;

			if (k > left) {
				text[at++] = '=';
			} else if (value < 62) {
				text[at++] = letters[value];
			} else {
				text[at++] = value == 62 ? (url ? '-' : '+') : (url ? '_' : '/');
			}
		}
	}
	if (url) {
		at -= (3 - count % 3) % 3;
	}
	buf_put(out, text, at);
}

void pattern_put_bytes(struct pattern_slot slot, const uint8_t *bytes, struct buf *out)
{
	switch (slot.kind) {
	case PATTERN_UUID4:
	case PATTERN_UUID:
		put_uuid(bytes, slot.arg != 0, out);
		break;
	case PATTERN_HEXBYTES:
		put_hexbytes(bytes, slot.arg, lower_digits, out);
		break;
	case PATTERN_HEXUPPER:
		put_hexbytes(bytes, slot.arg, upper_digits, out);
		break;
	case PATTERN_BASE64:
		put_base64(bytes, slot.arg, false, out);
		break;
	case PATTERN_BASE64URL:
		put_base64(bytes, slot.arg, true, out);
		break;
	default: /* kinds without bytes */
		break;
	}
}

static bool is_hex(uint8_t byte, bool upper)
{
	return (byte >= '0' && byte <= '9') ||
	       (upper ? byte >= 'A' && byte <= 'F' : byte >= 'a' && byte <= 'f');
}

static bool is_base64(uint8_t byte, bool url)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z') || byte == (url ? '-' : '+') ||
	       byte == (url ? '_' : '/') || (!url && byte == '=');
}

/* Whether a byte can stand at a place of a form of d (digit) and marks. */
static bool fits(const char *form, size_t pos, uint8_t byte)
{
	return form[pos] == 'd' ? byte >= '0' && byte <= '9' : byte == (uint8_t)form[pos];
}

bool pattern_slot_holds(struct pattern_slot slot, size_t pos, uint8_t byte)
{
	bool digit = byte >= '0' && byte <= '9';

	switch ((enum pattern_kind)slot.kind) {
	case PATTERN_NUMBER:
		return digit || (byte == '-' && pos == 0);
	case PATTERN_DECIMAL:
		return digit || (byte == '-' && pos == 0) || byte == '.';
	case PATTERN_DIGITS:
		return digit;
	case PATTERN_HEX:
		return is_hex(byte, (slot.arg & 0x80) != 0);
	case PATTERN_DATE:
		return fits("dddd-dd-dd", pos, byte);
	case PATTERN_TIME:
		return fits((slot.arg & 0x80) != 0 ? "dddd-dd-dd dd:dd:dd.ddddddddd"
						   : "dddd-dd-ddTdd:dd:dd.ddddddddd",
			    pos, byte);
	case PATTERN_UUID4:
	case PATTERN_UUID:
		return pos == 8 || pos == 13 || pos == 18 || pos == 23
			       ? byte == '-'
			       : is_hex(byte, slot.arg != 0);
	case PATTERN_HEXBYTES:
		return is_hex(byte, false);
	case PATTERN_HEXUPPER:
		return is_hex(byte, true);
	case PATTERN_BASE64:
		return is_base64(byte, false);
	case PATTERN_BASE64URL:
		return is_base64(byte, true);
	case PATTERN_WORD:
	case PATTERN_ID:
	case PATTERN_TEXT:
		return true;
	}
	return true;
}

size_t pattern_slot_longest(struct pattern_slot slot)
{
	switch ((enum pattern_kind)slot.kind) {
	case PATTERN_NUMBER:
	case PATTERN_DECIMAL:
		return 22;
	case PATTERN_DIGITS:
		return slot.arg;
	case PATTERN_HEX:
		return slot.arg & 0x1f;
	case PATTERN_DATE:
		return 10;
	case PATTERN_TIME:
		return (slot.arg & 15) > 0 ? 20 + (slot.arg & 15) : 19;
	case PATTERN_UUID4:
	case PATTERN_UUID:
		return 36;
	case PATTERN_HEXBYTES:
	case PATTERN_HEXUPPER:
		return 2 * (size_t)slot.arg;
	case PATTERN_BASE64:
	case PATTERN_BASE64URL:
		return ((size_t)slot.arg + 2) / 3 * 4;
	case PATTERN_WORD:
	case PATTERN_ID:
	case PATTERN_TEXT:
		break;
	}
	return SIZE_MAX;
}
