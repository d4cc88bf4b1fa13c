#include "store/block/shape-escape.h"

#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>

/* What a writer of JSON escapes besides quote, backslash and control bytes. */
struct style {
	bool is_ours;
	bool ascii; /* all that is not ASCII */
	bool slash; /* as backslash, slash */
	bool html;  /* < > & U+2028 U+2029 */
	bool upper; /* hexadecimal digits in upper case */
};

static const struct style styles[ESCAPE_CSV] = {
	{.is_ours = true},
	{0},
	{.ascii = true},
	{.ascii = true, .slash = true},
	{.slash = true},
	{.html = true},
	{.ascii = true, .html = true, .upper = true},
};

bool escape_is_plain(struct str text)
{
	size_t i = 0;
	for (; i + 8 <= text.len; i += 8) {
		uint64_t word;
		memcpy(&word, text.ptr + i, 8);
		const uint64_t ones = UINT64_C(0x0101010101010101);
		uint64_t quote = word ^ ones * '"';
		uint64_t back = word ^ ones * '\\';
		uint64_t del = word ^ ones * 0x7f;
		uint64_t odd =
			(word - ones * 0x20) | (quote - ones) | (back - ones) | (del - ones) | word;
		if ((odd & ones * 0x80) != 0) {
			return false;
		}
	}
	for (; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];
		if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') {
			return false;
		}
	}
	return true;
}

static void put_unit(const struct style *style, uint32_t unit, struct buf *out)
{
	char text[8];
	int len = snprintf(text, sizeof text, style->upper ? "\\u%04X" : "\\u%04x",
			   (unsigned)(unit & 0xffff));
	buf_put(out, text, (size_t)len);
}

static void put_code(const struct style *style, uint32_t cp, struct buf *out)
{
	if (cp >= 0x10000) {
		put_unit(style, 0xd800 + ((cp - 0x10000) >> 10), out);
		put_unit(style, 0xdc00 + ((cp - 0x10000) & 0x3ff), out);
	} else {
		put_unit(style, cp, out);
	}
}

/* The letter of a short escape, or 0. */
static char short_escape(uint32_t cp)
{
	switch (cp) {
	case '"':
	case '\\':
		return (char)cp;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static bool is_html(uint32_t cp)
{
	return cp == '<' || cp == '>' || cp == '&' || cp == 0x2028 || cp == 0x2029;
}

/* A cell of CSV. */
static void put_cell(struct str text, bool bare, struct buf *out)
{
	bool quoted = !bare;
	for (size_t i = 0; i < text.len && !quoted; i++) {
		quoted = memchr(",\"\r\n", text.ptr[i], 4) != NULL;
	}
	if (!quoted) {
		buf_put_str(out, text);
		return;
	}
	buf_put_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		buf_put_fill(out, (uint8_t)text.ptr[i], text.ptr[i] == '"' ? 2 : 1);
	}
	buf_put_byte(out, '"');
}

void escape_put(unsigned style_number, struct str text, struct buf *out)
{
	if (style_number >= ESCAPE_CSV) {
		put_cell(text, style_number == ESCAPE_CSV_BARE, out);
		return;
	}
	const struct style *style = &styles[style_number];
	if (style->is_ours) {
		json_put_string(out, text);
		return;
	}
	buf_put_byte(out, '"');
	for (size_t pos = 0; pos < text.len;) {
		size_t start = pos;
		uint32_t cp = utf8_next(text, &pos);
		char letter = short_escape(cp);
		if (letter != 0 || (cp == '/' && style->slash)) {
			buf_put_byte(out, '\\');
			buf_put_byte(out, (uint8_t)(letter != 0 ? letter : '/'));
		} else if (cp < 0x20 || (style->ascii && cp >= 0x7f) ||
			   (style->html && is_html(cp))) {
			put_code(style, cp, out);
		} else {
			buf_put(out, text.ptr + start, pos - start);
		}
	}
	buf_put_byte(out, '"');
}
