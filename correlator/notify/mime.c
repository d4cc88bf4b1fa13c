#include "correlator/notify/mime.h"

#include "base/parse.h"

#define WORD_FRAME 13 /* space, =?utf-8?B? and ?= */
#define WORD_BYTES 45 /* in Base64 60 characters, with =?utf-8?B? and ?= 72 */

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((uint8_t)text.ptr[i] < 0x20 || (uint8_t)text.ptr[i] > 0x7e) {
			return false;
		}
	}
	return str_find(text, STR_LIT("=?"), 0) < 0;
}

/* Words of plain text, on lines that are short enough; a word that is too long for a line is none of ours to fold. */
static bool put_folded(struct buf *out, struct str text, size_t column)
{
	size_t start = out->len;

	for (struct str rest = text; rest.ptr != NULL;) {
		struct str word = str_split(&rest, ' ');
		if (column + 1 + word.len > MIME_LINE_MAX && out->len > start) {
			buf_put_text(out, "\r\n");
			column = 0;
		}
		if (word.len == 0 || 1 + word.len > MIME_LINE_MAX - 20) {
			return false; /* two spaces, or a long word: encoded words keep them */
		}
		buf_put_byte(out, ' ');
		buf_put_str(out, word);
		column += 1 + word.len;
	}
	return true;
}

/* Words on lines of their own, but for the first, which has the header's name before it. */
static void put_encoded(struct buf *out, struct str text, size_t column)
{
	size_t room = column + WORD_FRAME < MIME_LINE_MAX ? MIME_LINE_MAX - column - WORD_FRAME : 0;
	size_t most = room / 4 * 3 < WORD_BYTES ? room / 4 * 3 : WORD_BYTES;

	while (text.len > 0) {
		size_t len = text.len < most ? text.len : most;
		while (len > 0 && len < text.len && ((uint8_t)text.ptr[len] & 0xc0) == 0x80) {
			len--;
		}
		if (len == 0 && most < WORD_BYTES) { /* no room beside the name */
			buf_put_text(out, "\r\n");
			most = WORD_BYTES;
			continue;
		}
		len = len > 0 ? len : most; /* not UTF-8: cut where it comes */
		buf_put_text(out, " =?utf-8?B?");
		parse_put_base64(out, str_slice(text, 0, len));
		buf_put_text(out, "?=");
		text = str_slice(text, len, text.len);
		buf_put_text(out, text.len > 0 ? "\r\n" : "");
		most = WORD_BYTES;
	}
}

void mime_put_header(struct buf *out, const char *name, struct str text)
{
	buf_putf(out, "%s:", name);
	size_t before = out->len;
	if (text.len == 0 || !is_plain(text) || !put_folded(out, text, strlen(name) + 1)) {
		buf_truncate(out, before);
		put_encoded(out, text, strlen(name) + 1);
	}
	buf_put_text(out, "\r\n");
}

/* Whether the byte may stand for itself; a space or a tab only inside a line, a dot not at its start: relays have stumbled over both. */
static bool stands_for_itself(uint8_t byte, size_t column, bool last)
{
	if (byte == ' ') {
		return !last;
	}
	if (byte == '.' || byte == 'F') { /* "From " at the start of a line is changed by some */
		return column > 0;
	}
	return byte > 0x20 && byte < 0x7f && byte != '=';
}

void mime_put_quoted(struct buf *out, struct str text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];
		if (byte == '\n') {
			buf_put_text(out, "\r\n");
			column = 0;
			continue;
		}
		bool last = i + 1 == text.len || text.ptr[i + 1] == '\n';
		bool plain = stands_for_itself(byte, column, last);
		size_t width = plain ? 1 : 3;
		if (column + width > MIME_LINE_MAX - 1) {
			buf_put_text(out, "=\r\n");
			column = 0;
			plain = stands_for_itself(byte, 0, last);
			width = plain ? 1 : 3;
		}
		if (plain) {
			buf_put_byte(out, byte);
		} else {
			buf_putf(out, "=%02X", byte);
		}
		column += width;
	}
	if (column > 0) {
		buf_put_text(out, "\r\n");
	}
}
