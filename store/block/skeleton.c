#include "store/block/skeleton.h"

static const int64_t powers[SKELETON_DIGITS + 1] = {
	1,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static size_t run_length(struct str text, size_t at)
{
	size_t end = at;
	while (end < text.len && is_digit(text.ptr[end])) {
		end++;
	}
	return end - at;
}

static void put_verbatim(struct str bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t byte = (uint8_t)bytes.ptr[i];
		if (byte <= SKELETON_ESCAPE) {
			buf_put_byte(out, SKELETON_ESCAPE);
			byte = (uint8_t)(byte + SKELETON_SHIFT);
		}
		buf_put_byte(out, byte);
	}
}

void skeleton_split(struct str text, enum skeleton_cut cut, struct buf *out,
		    struct buf *out_numbers)
{
	size_t done = 0; /* what is written */
	for (size_t i = 0; cut != SKELETON_WHOLE && i < text.len;) {
		size_t len = run_length(text, i);
		bool fits = len > 0 && len <= SKELETON_DIGITS &&
			    (cut == SKELETON_WIDE || len == 1 || text.ptr[i] != '0');
		if (fits) {
			int64_t number = 0;
			for (size_t k = 0; k < len; k++) {
				number = number * 10 + (text.ptr[i + k] - '0');
			}
			put_verbatim(str_slice(text, done, i - done), out);
			buf_put_byte(out, cut == SKELETON_WIDE ? PLACE_WIDE : PLACE_PLAIN);
			if (cut == SKELETON_WIDE) {
				buf_put_byte(out, (uint8_t)(SKELETON_WIDTH_0 + len));
			}
			buf_put(out_numbers, &number, sizeof(number));
			done = i + len;
		}
		i += len > 0 ? len : 1;
	}
	put_verbatim(str_slice(text, done, text.len - done), out);
}

bool skeleton_has_wide(struct str text)
{
	for (size_t i = 0; i < text.len;) {
		size_t len = run_length(text, i);
		if (len > 1 && len <= SKELETON_DIGITS && text.ptr[i] == '0') {
			return true;
		}
		i += len > 0 ? len : 1;
	}
	return false;
}

bool skeleton_check(struct str skeleton, size_t *out_places)
{
	size_t places = 0;
	for (size_t i = 0; i < skeleton.len; i++) {
		uint8_t byte = (uint8_t)skeleton.ptr[i];
		if (byte > SKELETON_ESCAPE) {
			continue;
		}
		places += byte != SKELETON_ESCAPE;
		if (byte == PLACE_PLAIN) {
			continue;
		}
		i++;
		uint8_t next = i < skeleton.len ? (uint8_t)skeleton.ptr[i] : 0;
		bool is_known =
			byte == SKELETON_ESCAPE
				? next >= SKELETON_SHIFT && next <= SKELETON_SHIFT + SKELETON_ESCAPE
				: next > SKELETON_WIDTH_0 &&
					  next <= SKELETON_WIDTH_0 + SKELETON_DIGITS;
		if (byte == 0 || !is_known) {
			return false;
		}
	}
	*out_places = places;
	return true;
}

static size_t digits_of(int64_t number)
{
	size_t digits = 1;
	while (digits < SKELETON_DIGITS && number >= powers[digits]) {
		digits++;
	}
	return digits;
}

size_t skeleton_length(struct str skeleton, const int64_t *numbers)
{
	size_t len = 0;
	for (size_t i = 0; i < skeleton.len; i++) {
		uint8_t byte = (uint8_t)skeleton.ptr[i];
		if (byte > SKELETON_ESCAPE) {
			len++;
			continue;
		}
		if (byte == SKELETON_ESCAPE) {
			len++;
			i++;
			continue;
		}
		int64_t number = *numbers++;
		size_t width = SKELETON_DIGITS;
		if (byte == PLACE_WIDE) {
			width = (size_t)((uint8_t)skeleton.ptr[++i] - SKELETON_WIDTH_0);
		}
		if (number < 0 || number >= powers[width]) {
			return SIZE_MAX;
		}
		len += byte == PLACE_WIDE ? width : digits_of(number);
	}
	return len;
}

void skeleton_fill(struct str skeleton, const int64_t *numbers, char *out)
{
	for (size_t i = 0; i < skeleton.len; i++) {
		uint8_t byte = (uint8_t)skeleton.ptr[i];
		if (byte > SKELETON_ESCAPE) {
			*out++ = (char)byte;
			continue;
		}
		if (byte == SKELETON_ESCAPE) {
			*out++ = (char)(skeleton.ptr[++i] - SKELETON_SHIFT);
			continue;
		}
		int64_t number = *numbers++;
		size_t width = byte == PLACE_WIDE
				       ? (size_t)((uint8_t)skeleton.ptr[++i] - SKELETON_WIDTH_0)
				       : digits_of(number);
		for (size_t k = width; k > 0; k--) {
			out[k - 1] = (char)('0' + number % 10);
			number /= 10;
		}
		out += width;
	}
}
