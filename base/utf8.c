#include "base/utf8.h"

#define REPLACEMENT 0xfffd

/* Length of the sequence that a lead byte announces, 0 for a byte that can't lead. */
static size_t lead_length(uint8_t lead)
{
	if (lead < 0x80) {
		return 1;
	}
	if (lead < 0xc2 || lead > 0xf4) {
		return 0;
	}
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Whether the second byte may follow the lead (excludes overlong forms, surrogates and values past U+10FFFF). */
static bool second_fits(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return second >= 0x80 && second <= 0xbf;
	}
}

/* Reads one character at pos: its length with *out_cp set, or minus the length of the invalid maximal subpart. */
static int read_one(struct str s, size_t pos, uint32_t *out_cp)
{
	uint8_t lead = (uint8_t)s.ptr[pos];
	size_t len = lead_length(lead);
	if (len == 0) {
		return -1;
	}
	if (len == 1) {
		*out_cp = lead;
		return 1;
	}
	uint32_t cp = lead & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (pos + i >= s.len) {
			return -(int)i;
		}
		uint8_t byte = (uint8_t)s.ptr[pos + i];
		if (i == 1 ? !second_fits(lead, byte) : (byte & 0xc0) != 0x80) {
			return -(int)i;
		}
		cp = cp << 6 | (byte & 0x3f);
	}
	*out_cp = cp;
	return (int)len;
}

/* How many bytes from pos on are plain ASCII, eight at a time: most text is. */
static size_t ascii_run(struct str s, size_t pos)
{
	size_t at = pos;
	while (s.len - at >= 8) {
		uint64_t word;
		memcpy(&word, s.ptr + at, 8);
		if ((word & UINT64_C(0x8080808080808080)) != 0) {
			break;
		}
		at += 8;
	}
	while (at < s.len && (uint8_t)s.ptr[at] < 0x80) {
		at++;
	}
	return at - pos;
}

ptrdiff_t utf8_invalid(struct str s)
{
	size_t pos = 0;
	while (pos < s.len) {
		pos += ascii_run(s, pos);
		if (pos >= s.len) {
			break;
		}
		uint32_t cp;
		int len = read_one(s, pos, &cp);
		if (len < 0) {
			return (ptrdiff_t)pos;
		}
		pos += (size_t)len;
	}
	return -1;
}

uint32_t utf8_next(struct str s, size_t *pos)
{
	uint32_t cp = REPLACEMENT;
	int len = read_one(s, *pos, &cp);
	*pos += (size_t)(len < 0 ? -len : len);
	return len < 0 ? REPLACEMENT : cp;
}

void utf8_put(struct buf *buf, uint32_t cp)
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
		cp = REPLACEMENT;
	}
	if (cp < 0x80) {
		buf_put_byte(buf, (uint8_t)cp);
	} else if (cp < 0x800) {
		uint8_t bytes[2] = {(uint8_t)(0xc0 | cp >> 6), (uint8_t)(0x80 | (cp & 0x3f))};
		buf_put(buf, bytes, sizeof(bytes));
	} else if (cp < 0x10000) {
		uint8_t bytes[3] = {(uint8_t)(0xe0 | cp >> 12), (uint8_t)(0x80 | (cp >> 6 & 0x3f)),
				    (uint8_t)(0x80 | (cp & 0x3f))};
		buf_put(buf, bytes, sizeof(bytes));
	} else {
		uint8_t bytes[4] = {(uint8_t)(0xf0 | cp >> 18), (uint8_t)(0x80 | (cp >> 12 & 0x3f)),
				    (uint8_t)(0x80 | (cp >> 6 & 0x3f)),
				    (uint8_t)(0x80 | (cp & 0x3f))};
		buf_put(buf, bytes, sizeof(bytes));
	}
}

void utf8_put_clean(struct buf *buf, struct str s)
{
	size_t pos = 0;
	while (pos < s.len) {
		ptrdiff_t bad = utf8_invalid(str_make(s.ptr + pos, s.len - pos));
		if (bad < 0) {
			buf_put(buf, s.ptr + pos, s.len - pos);
			return;
		}
		buf_put(buf, s.ptr + pos, (size_t)bad);
		pos += (size_t)bad;
		(void)utf8_next(s, &pos); /* moves over the invalid part */
		utf8_put(buf, REPLACEMENT);
	}
}

static uint16_t unit_at(struct str utf16le, size_t index)
{
	return (uint16_t)((uint8_t)utf16le.ptr[2 * index] | (uint8_t)utf16le.ptr[2 * index + 1]
								    << 8);
}

size_t utf8_put_utf16le(struct buf *buf, struct str utf16le)
{
	size_t count = utf16le.len / 2;
	size_t replaced = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t unit = unit_at(utf16le, i);
		bool high = unit >= 0xd800 && unit <= 0xdbff;
		uint32_t next = high && i + 1 < count ? unit_at(utf16le, i + 1) : 0;
		if (next >= 0xdc00 && next <= 0xdfff) {
			utf8_put(buf, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
			i++;
		} else {
			replaced += unit >= 0xd800 && unit <= 0xdfff;
			utf8_put(buf, unit);
		}
	}
	if (utf16le.len % 2 != 0) {
		utf8_put(buf, REPLACEMENT);
		replaced++;
	}
	return replaced;
}

void utf8_put_as_utf16le(struct buf *buf, struct str utf8)
{
	for (size_t pos = 0; pos < utf8.len;) {
		uint32_t cp = utf8_next(utf8, &pos);
		uint32_t high = cp >= 0x10000 ? 0xd800 + ((cp - 0x10000) >> 10) : 0;
		uint32_t low = cp >= 0x10000 ? 0xdc00 + ((cp - 0x10000) & 0x3ff) : cp;
		if (high != 0) {
			buf_put_byte(buf, (uint8_t)high);
			buf_put_byte(buf, (uint8_t)(high >> 8));
		}
		buf_put_byte(buf, (uint8_t)low);
		buf_put_byte(buf, (uint8_t)(low >> 8));
	}
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t cp, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (cp >= ranges[i].first && cp <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

/* Characters that act on a terminal, reorder text or can't be seen: controls, zero width, line separators, bidi controls,
 * interlinear marks, tags, and the byte order mark. */
static bool is_hidden(uint32_t cp)
{
	static const struct range hidden[] = {{0x00, 0x1f},     {0x7f, 0x9f},      {0xad, 0xad},
					      {0x61c, 0x61c},   {0x180e, 0x180e},  {0x200b, 0x200f},
					      {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
					      {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
	return in_ranges(cp, hidden, sizeof(hidden) / sizeof(hidden[0]));
}

/* Writes one unit of text as utf8_put_printable promises. */
static void put_shown(struct buf *buf, struct str s, size_t start, size_t end, uint32_t cp)
{
	if (cp == '\n') {
		buf_put_text(buf, "\\n");
	} else if (cp == '\r') {
		buf_put_text(buf, "\\r");
	} else if (cp == '\t') {
		buf_put_text(buf, "\\t");
	} else if (is_hidden(cp)) {
		buf_putf(buf, "\\u{%x}", cp);
	} else {
		buf_put(buf, s.ptr + start, end - start);
	}
}

void utf8_put_printable(struct buf *buf, struct str s)
{
	for (size_t pos = 0; pos < s.len;) {
		size_t start = pos;
		uint32_t cp = 0;
		int len = read_one(s, pos, &cp);
		if (len > 0) {
			pos += (size_t)len;
			put_shown(buf, s, start, pos, cp);
			continue;
		}
		for (pos += (size_t)-len; start < pos; start++) {
			buf_putf(buf, "\\x%02x", (uint8_t)s.ptr[start]);
		}
	}
}

/* Columns of a visible character: East Asian wide and emoji 2, combining marks 0. */
static size_t cp_width(uint32_t cp)
{
	static const struct range combining[] = {
		{0x300, 0x36f},   {0x483, 0x489},     {0x591, 0x5bd},    {0x610, 0x61a},
		{0x64b, 0x65f},   {0x6d6, 0x6dc},     {0x900, 0x902},    {0x93c, 0x93c},
		{0x941, 0x948},   {0xe31, 0xe31},     {0xe34, 0xe3a},    {0xe47, 0xe4e},
		{0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},   {0x20d0, 0x20ff},  {0xfe00, 0xfe0f},
		{0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef}};
	static const struct range wide[] = {
		{0x1100, 0x115f},   {0x2329, 0x232a},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
		{0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},
		{0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
		{0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
		{0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};
	if (in_ranges(cp, combining, sizeof(combining) / sizeof(combining[0]))) {
		return 0;
	}
	return in_ranges(cp, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

/* Columns of the character at *pos as it would be shown; moves *pos behind it. */
static size_t next_width(struct str s, size_t *pos)
{
	uint32_t cp = 0;
	int len = read_one(s, *pos, &cp);
	if (len < 0) {
		*pos += (size_t)-len;
		return (size_t)-len * 4;
	}
	*pos += (size_t)len;
	if (cp == '\n' || cp == '\r' || cp == '\t') {
		return 2;
	}
	if (!is_hidden(cp)) {
		return cp < 0x300 ? 1 : cp_width(cp);
	}
	size_t columns = 4;
	for (; cp != 0; cp >>= 4) {
		columns++;
	}
	return columns > 4 ? columns : 5;
}

size_t utf8_width(struct str s)
{
	size_t columns = 0;
	for (size_t pos = 0; pos < s.len;) {
		columns += next_width(s, &pos);
	}
	return columns;
}

struct str utf8_fit(struct str s, size_t columns)
{
	size_t pos = 0;
	while (pos < s.len) {
		size_t next = pos;
		size_t width = next_width(s, &next);
		if (width > columns) {
			break;
		}
		columns -= width;
		pos = next;
	}
	return str_make(s.ptr, pos);
}
