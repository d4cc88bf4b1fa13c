#include "store/block/texts-reader.h"

/* Rows that may have exactly a text. A template whose values are as long in each text has its bytes compared as they stand; what that leaves
 * open is put together by the caller. */

#define DOUBTS 8 /* a part of all rows: when more are left open, the search by states is quicker */

struct exact {
	struct texts *texts;
	struct str text;
	uint64_t *rows;
};

static bool fits_at(struct str text, size_t pos, struct str chunk)
{
	return pos + chunk.len <= text.len && memcmp(text.ptr + pos, chunk.ptr, chunk.len) == 0;
}

/* How long each token of a slot is; 0: that differs, or is not told here. */
static size_t width_of(struct pattern_slot slot)
{
	switch (slot.kind) {
	case PATTERN_UUID4:
	case PATTERN_UUID:
		return 36;
	case PATTERN_HEXBYTES:
	case PATTERN_HEXUPPER:
		return 2 * (size_t)slot.arg;
	case PATTERN_BASE64:
		return ((size_t)slot.arg + 2) / 3 * 4;
	case PATTERN_BASE64URL:
		return ((size_t)slot.arg * 4 + 2) / 3;
	case PATTERN_HEX:
		return slot.arg & 0x1f;
	case PATTERN_DIGITS:
		return slot.arg;
	default:
		return 0;
	}
}

static unsigned hex_of(char c)
{
	return c <= '9' ? (unsigned)(c - '0') & 15 : ((unsigned)c - 'A' + 10) & 15;
}

static unsigned sextet_of(char c)
{
	if (c >= 'a') {
		return (unsigned)(c - 'a' + 26) & 63;
	}
	if (c >= 'A' && c <= 'Z') {
		return (unsigned)(c - 'A');
	}
	return c == '+' || c == '-'   ? 62
	       : c == '/' || c == '_' ? 63
				      : (unsigned)(c - '0' + 52) & 63;
}

/* The bytes of a token that stands for some; anything for a text that stands for none. */
static void read_bytes(struct pattern_slot slot, struct str token, uint8_t *out)
{
	size_t count = pattern_slot_bytes(slot);
	if (slot.kind == PATTERN_BASE64 || slot.kind == PATTERN_BASE64URL) {
		unsigned bits = 0, have = 0;
		for (size_t i = 0, at = 0; at < count; i++) {
			bits = bits << 6 | sextet_of(token.ptr[i]);
			have += 6;
			if (have >= 8) {
				have -= 8;
				out[at++] = (uint8_t)(bits >> have);
			}
		}
		return;
	}
	for (size_t i = 0, at = 0; at < count && i + 1 < token.len; i += 2) {
		i += token.ptr[i] == '-' && i + 2 < token.len ? 1 : 0;
		out[at++] = (uint8_t)(hex_of(token.ptr[i]) << 4 | hex_of(token.ptr[i + 1]));
	}
}

static void mark(struct exact *exact, uint32_t code, size_t at)
{
	const struct texts *texts = exact->texts;
	for (size_t row = 0; row < texts->about.count; row++) {
		if (texts->codes[row] == code && texts->ordinals[row] == at) {
			exact->rows[row / 64] |= UINT64_C(1) << row % 64;
		}
	}
}

static void mark_all(struct exact *exact, uint32_t code)
{
	const struct texts *texts = exact->texts;
	for (size_t row = 0; row < texts->about.count; row++) {
		if (texts->codes[row] == code) {
			exact->rows[row / 64] |= UINT64_C(1) << row % 64;
		}
	}
}

/* The bytes of all tokens of a slot stand byte by byte: the first ones, the second ones, .. */
static void compare_bytes(struct exact *exact, uint32_t code, const char *first,
			  const uint8_t *wanted, size_t width)
{
	size_t count = exact->texts->counts[code];
	for (size_t at = 0; at < count; at++) {
		const char *found = memchr(first + at, wanted[0], count - at);
		if (found == NULL) {
			return;
		}
		at = (size_t)(found - first);
		size_t same = 1;
		while (same < width && (uint8_t)first[same * count + at] == wanted[same]) {
			same++;
		}
		if (same == width) {
			mark(exact, code, at);
		}
	}
}

/* Those of a UUID of version 4 stand together, without the bits that all have. */
static void compare_uuids(struct exact *exact, uint32_t code, const char *first,
			  const uint8_t wanted[16])
{
	size_t count = exact->texts->counts[code];
	for (size_t at = 0; at < count; at++) {
		if (memcmp(first + at * UUID4_BYTES, wanted, 6) == 0) {
			mark(exact, code, at);
		}
	}
}

static int compare(struct exact *exact, uint32_t code, uint32_t slot, struct str token,
		   struct error *err)
{
	struct texts *texts = exact->texts;
	struct pattern_slot about = texts->root[code].pattern.slots[slot];
	enum texts_group group = texts_group_of(about);
	uint8_t wanted[PATTERN_BYTES_MAX + 1] = {0};
	int result = texts_load_places(texts, err);

	result = result != 0 ? result : texts_load_group(texts, group, err);
	if (result != 0) {
		return result;
	}
	const char *first =
		texts->bytes[group].ptr + texts->starts[texts->places[code].first_start + slot];
	read_bytes(about, token, wanted);
	if (group == TEXTS_UUIDS) {
		compare_uuids(exact, code, first, wanted);
	} else {
		compare_bytes(exact, code, first, wanted, pattern_slot_bytes(about));
	}
	return 0;
}

enum fit { FIT_NOT, FIT_BYTES, FIT_DOUBT };

/* Whether texts of a template can be the text, and the slot of bytes that tells which. */
static enum fit fit_root(const struct exact *exact, uint32_t code, uint32_t *out_slot,
			 size_t *out_start)
{
	const struct pattern *pattern = &exact->texts->root[code].pattern;
	bool has_bytes = false;
	size_t pos = 0;
	for (uint32_t i = 0; i < pattern->slot_count; i++) {
		size_t width = width_of(pattern->slots[i]);
		if (!fits_at(exact->text, pos, pattern->chunks[i])) {
			return FIT_NOT;
		}
		if (width == 0) {
			return FIT_DOUBT;
		}
		pos += pattern->chunks[i].len;
		if (!has_bytes && pattern_slot_bytes(pattern->slots[i]) >= 6) {
			has_bytes = true;
			*out_slot = i;
			*out_start = pos;
		}
		pos += width;
	}
	if (!fits_at(exact->text, pos, pattern->chunks[pattern->slot_count]) ||
	    pos + pattern->chunks[pattern->slot_count].len != exact->text.len) {
		return FIT_NOT;
	}
	return has_bytes ? FIT_BYTES : FIT_DOUBT;
}

int texts_find_exact(struct texts *texts, struct str text, uint64_t *out_rows, struct error *err)
{
	struct exact exact = {.texts = texts, .text = text, .rows = out_rows};
	const struct texts_needle needle = {.needle = text};
	size_t doubts = 0, start = 0;
	uint32_t slot = 0;
	int result = 0;

	for (uint32_t code = 0; code < texts->roots.count; code++) {
		bool is_open = texts->counts[code] > 0 &&
			       fit_root(&exact, code, &slot, &start) == FIT_DOUBT;
		doubts += is_open ? texts->counts[code] : 0;
	}
	if (doubts > texts->about.count / DOUBTS) {
		return texts_find(texts, &needle, out_rows, err);
	}
	for (uint32_t code = 0; code < texts->roots.count && result == 0; code++) {
		enum fit fit =
			texts->counts[code] > 0 ? fit_root(&exact, code, &slot, &start) : FIT_NOT;
		if (fit == FIT_DOUBT) {
			mark_all(&exact, code);
		} else if (fit == FIT_BYTES) {
			struct pattern_slot about = texts->root[code].pattern.slots[slot];
			struct str token = str_slice(text, start, start + width_of(about));
			result = compare(&exact, code, slot, token, err);
		}
	}
	return result;
}
