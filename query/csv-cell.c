#include "query/csv-cell.h"

#include "base/utf8.h"

/* Whether a spreadsheet would take the cell for a formula. White space in front does not stop it. */
static bool acts(struct str cell)
{
	static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
					   "\xef\xbc\xa0"}; /* full-width = + - @ */
	if (cell.len > 0 && memchr("\t\r\n", cell.ptr[0], 3) != NULL) {
		return true;
	}
	size_t begin = 0;
	while (begin < cell.len && memchr(" \t\r\n\v\f", cell.ptr[begin], 6) != NULL) {
		begin++;
	}
	if (begin < cell.len && memchr("=+-@", cell.ptr[begin], 4) != NULL) {
		return true;
	}
	for (size_t i = 0; i < 4; i++) {
		if (str_has_prefix(str_slice(cell, begin, 3), str_of(wide[i]))) {
			return true;
		}
	}
	return false;
}

/* Whether nothing in it could be obeyed: what nearly all cells are. */
static bool is_plain(struct str cell)
{
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.ptr[i] < ' ' || cell.ptr[i] > '~') {
			return false;
		}
	}
	return true;
}

/* Appends cell with what a terminal obeys escaped; the line breaks and tabs of a statement stay unless it goes to a
 * terminal. */
static void put_visible(struct buf *out, struct str cell, bool is_terminal)
{
	size_t begin = 0;
	for (size_t i = 0; i <= cell.len; i++) {
		bool keep = i < cell.len && !is_terminal &&
			    (cell.ptr[i] == '\n' || cell.ptr[i] == '\t' ||
			     (cell.ptr[i] == '\r' && i + 1 < cell.len && cell.ptr[i + 1] == '\n'));
		if (i == cell.len || keep) {
			utf8_put_printable(out, str_slice(cell, begin, i - begin));
			begin = i + 1;
		}
		if (keep) {
			buf_put_byte(out, (uint8_t)cell.ptr[i]);
		}
	}
}

bool csv_cell_defuse(struct str text, bool is_terminal, struct buf *out)
{
	size_t start = out->len;
	bool marks = acts(text);
	if (marks) {
		buf_put_byte(out, '\'');
	}
	if (is_plain(text)) {
		buf_put_str(out, text);
		return marks;
	}
	size_t begin = out->len;
	put_visible(out, text, is_terminal);
	struct str written = str_slice(buf_str(out), begin, out->len - begin);
	if (!marks && acts(written)) { /* writing out made a formula of it */
		struct buf copy;
		buf_init(&copy, 0);
		buf_put_str(&copy, written);
		buf_truncate(out, start);
		buf_put_byte(out, '\'');
		buf_put_str(out, buf_str(&copy));
		buf_done(&copy);
		return true;
	}
	return marks || !str_equal(written, text);
}

void csv_cell_put(struct buf *out, struct str text, bool first)
{
	if (!first) {
		buf_put_byte(out, ',');
	}
	bool quote = false;
	for (size_t i = 0; i < text.len && !quote; i++) {
		quote = memchr("\",\r\n\t ;'", text.ptr[i], 8) != NULL;
	}
	if (!quote) {
		buf_put_str(out, text);
		return;
	}
	buf_put_byte(out, '"');
	while (text.ptr != NULL) {
		buf_put_str(out, str_split(&text, '"'));
		buf_put_text(out, text.ptr != NULL ? "\"\"" : "\"");
	}
}
