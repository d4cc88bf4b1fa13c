#include "correlator/rules/fold.h"

struct fold_range {
	uint16_t first, last;
	int16_t add;
	bool pairs; /* every second one is a capital, the next its small letter */
};

static const struct fold_range ranges[] = {
	{0x00B5, 0x00B5, 0x3BC - 0xB5, false},
	{0x00C0, 0x00D6, 32, false},
	{0x00D8, 0x00DE, 32, false},
	{0x0100, 0x012F, 1, true},
	{0x0132, 0x0137, 1, true},
	{0x0139, 0x0148, 1, true},
	{0x014A, 0x0177, 1, true},
	{0x0178, 0x0178, 0xFF - 0x178, false},
	{0x0179, 0x017E, 1, true},
	{0x017F, 0x017F, 's' - 0x17F, false},
	{0x0386, 0x0386, 38, false},
	{0x0388, 0x038A, 37, false},
	{0x038C, 0x038C, 64, false},
	{0x038E, 0x038F, 63, false},
	{0x0391, 0x03A1, 32, false},
	{0x03A3, 0x03AB, 32, false},
	{0x03C2, 0x03C2, 1, false},
	{0x03D8, 0x03EF, 1, true},
	{0x0400, 0x040F, 80, false},
	{0x0410, 0x042F, 32, false},
	{0x0460, 0x0481, 1, true},
	{0x048A, 0x04BF, 1, true},
	{0x04C0, 0x04C0, 15, false},
	{0x04C1, 0x04CE, 1, true},
	{0x04D0, 0x052F, 1, true},
	{0x0531, 0x0556, 48, false},
	{0xFF21, 0xFF3A, 32, false},
};

uint32_t fold_point(uint32_t point)
{
	if (point < 0x80) {
		return point - 'A' < 26 ? point + 32 : point;
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && point >= ranges[i].first;
	     i++) {
		const struct fold_range *range = &ranges[i];

		if (point <= range->last) {
			if (range->pairs && (point - range->first) % 2 != 0) {
				return point;
			}
			return (uint32_t)((int32_t)point + range->add);
		}
	}
	return point == 0x212A ? 'k' : point;
}

/* The code point of a sequence of two or three bytes at ptr, and its length; 0 when there is none. */
static size_t decode(const uint8_t *ptr, size_t left, uint32_t *out_point)
{
	if (left >= 2 && ptr[0] >= 0xC2 && ptr[0] < 0xE0 && (ptr[1] & 0xC0) == 0x80) {
		*out_point = (uint32_t)(ptr[0] & 0x1F) << 6 | (ptr[1] & 0x3Fu);
		return 2;
	}
	if (left >= 3 && (ptr[0] & 0xF0) == 0xE0 && (ptr[1] & 0xC0) == 0x80 &&
	    (ptr[2] & 0xC0) == 0x80) {
		*out_point = (uint32_t)(ptr[0] & 0x0F) << 12 | (uint32_t)(ptr[1] & 0x3F) << 6 |
			     (ptr[2] & 0x3Fu);
		return *out_point >= 0x800 ? 3 : 0;
	}
	return 0;
}

static size_t encode(uint32_t point, uint8_t *out)
{
	if (point < 0x80) {
		out[0] = (uint8_t)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (uint8_t)(0xC0 | point >> 6);
		out[1] = (uint8_t)(0x80 | (point & 0x3F));
		return 2;
	}
	out[0] = (uint8_t)(0xE0 | point >> 12);
	out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
	out[2] = (uint8_t)(0x80 | (point & 0x3F));
	return 3;
}

/* Folds what is beyond ASCII, in place. */
static size_t fold_wide(uint8_t *text, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len;) {
		uint32_t point;
		size_t size = text[from] < 0x80 ? 0 : decode(text + from, len - from, &point);

		if (size == 0) {
			text[to++] = text[from++];
			continue;
		}
		from += size;
		to += encode(fold_point(point), text + to);
	}
	return to;
}

size_t fold_text(struct str text, char *out)
{
	uint8_t high = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];

		high |= byte;
		out[i] = (char)(byte | ((uint8_t)(byte - 'A') < 26 ? 0x20 : 0));
	}
	return high < 0x80 ? text.len : fold_wide((uint8_t *)out, text.len);
}
