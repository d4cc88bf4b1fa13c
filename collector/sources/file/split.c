#include "collector/sources/file/split.h"

#include "base/clock.h"
#include "base/json.h"

#define WORD_MAX 8

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static size_t skip_space(struct str s, size_t pos)
{
	while (pos < s.len && is_space(s.ptr[pos])) {
		pos++;
	}
	return pos;
}

static struct str without_bom(struct str s)
{
	return str_has_prefix(s, STR_LIT("\xef\xbb\xbf")) ? str_slice(s, 3, s.len) : s;
}

/* A line of a CloudWatch export: a time, a space, the line. */
static bool begins_with_time(struct str s)
{
	int64_t time_ns;
	ptrdiff_t space = str_find_byte(str_slice(s, 0, 64), ' ', 0);

	return space > 0 && clock_parse_rfc3339(str_slice(s, 0, (size_t)space), &time_ns);
}

/* Whether a first line names a column that every audit has. */
static bool names_columns(struct str text)
{
	static const char *const names[] = {"event_time", "action_id", "statement"};
	struct str rest = text;
	struct str line = str_split(&rest, '\n');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_find_fold(line, str_of(names[i]), 0) >= 0) {
			return true;
		}
	}
	return false;
}

enum split_mode split_probe(struct str first, bool rows, bool eof)
{
	struct str text = without_bom(str_slice(first, 0, SPLIT_PROBE_BYTES));
	size_t start = skip_space(text, 0);

	eof = eof && first.len <= SPLIT_PROBE_BYTES;
	text = str_slice(text, start, text.len);
	if (text.len == 0 || text.ptr[0] != '{') {
		return rows && !begins_with_time(text) && names_columns(text) ? SPLIT_CSV
									      : SPLIT_LINES;
	}
	ptrdiff_t newline = str_find_byte(text, '\n', 0);
	if (newline >= 0 && skip_space(text, (size_t)newline) < text.len) {
		return SPLIT_LINES;
	}
	struct json_scanner scanner = json_scanner(text);
	struct str object;
	if (!json_skip(&scanner, &object)) {
		return eof ? SPLIT_LINES : SPLIT_OBJECTS;
	}
	size_t next = skip_space(text, scanner.pos);
	return next < text.len && text.ptr[next] == '{' ? SPLIT_OBJECTS : SPLIT_LINES;
}

static struct split_piece piece_of(struct str window, size_t end)
{
	struct split_piece piece = {
		.kind = SPLIT_PIECE, .raw = str_slice(window, 0, end), .size = end};

	if (end < window.len && window.ptr[end] == '\n') {
		piece.newline = true;
		piece.size++;
	}
	if (piece.raw.len > SPLIT_PIECE_MAX) {
		return (struct split_piece){.kind = SPLIT_TOO_LONG};
	}
	if (str_trim(piece.raw).len == 0) {
		piece.kind = SPLIT_BLANK;
	}
	return piece;
}

/* The window ends before the piece does. */
static struct split_piece unfinished(struct str window, bool eof)
{
	if (window.len > SPLIT_PIECE_MAX) {
		return (struct split_piece){.kind = SPLIT_TOO_LONG};
	}
	if (!eof) {
		return (struct split_piece){.kind = SPLIT_MORE};
	}
	return piece_of(window, window.len);
}

static struct split_piece next_line(struct str window, bool eof)
{
	ptrdiff_t newline = str_find_byte(window, '\n', 0);

	return newline < 0 ? unfinished(window, eof) : piece_of(window, (size_t)newline);
}

/* Where the next object or line can begin behind a damaged one, or -1. */
static ptrdiff_t resynchronise(struct str window, size_t from)
{
	ptrdiff_t border = str_find(window, STR_LIT("}{"), from);
	ptrdiff_t newline = str_find_byte(window, '\n', from);

	if (border >= 0 && (newline < 0 || border < newline)) {
		return border + 1;
	}
	return newline;
}

/* Whether a scan that failed may succeed once more of the line is there. A text that is not closed fails at its quote; a word or
 * number that is cut off fails a few bytes before the end. */
static bool may_go_on(const struct json_scanner *scanner)
{
	return str_has_prefix(str_of(scanner->problem), STR_LIT("unterminated")) ||
	       scanner->pos + WORD_MAX >= scanner->input.len;
}

/* An object that closes at end: with the carriage return of its line end. */
static struct split_piece whole_object(struct str window, size_t end, bool eof)
{
	bool known = end < window.len && (window.ptr[end] != '\r' || end + 1 < window.len);

	if (!known && !eof) { /* whether a line end follows is not known yet */
		return unfinished(window, false);
	}
	if (end + 1 < window.len && window.ptr[end] == '\r' && window.ptr[end + 1] == '\n') {
		end++;
	}
	return piece_of(window, end);
}

static struct split_piece next_object(struct str window, bool eof)
{
	size_t bom = window.len - without_bom(window).len;
	size_t start = skip_space(window, bom);

	if (bom == 0 && start > 0) {
		return (struct split_piece){
			.kind = SPLIT_BLANK, .raw = str_slice(window, 0, start), .size = start};
	}
	/* no object goes on over a line end, so one that is not closed costs no more than its line */
	ptrdiff_t newline = str_find_byte(window, '\n', start);
	size_t line_end = newline < 0 ? window.len : (size_t)newline;
	struct json_scanner scanner = json_scanner(str_slice(window, start, line_end - start));
	struct str object;
	bool braced = start < line_end && window.ptr[start] == '{';
	if (braced && json_skip(&scanner, &object)) {
		return whole_object(window, start + scanner.pos, eof);
	}
	bool line_known = newline >= 0 || eof || window.len > SPLIT_PIECE_MAX;
	if (!line_known && (!braced || may_go_on(&scanner))) {
		return unfinished(window, false);
	}
	ptrdiff_t end = resynchronise(window, start + scanner.pos);
	return end < 0 ? unfinished(window, eof) : piece_of(window, (size_t)end);
}

static struct split_piece next_row(struct str window, bool eof)
{
	bool quoted = false;

	for (size_t i = 0; i < window.len && i <= SPLIT_PIECE_MAX; i++) {
		if (window.ptr[i] == '"') {
			quoted = !quoted;
		} else if (window.ptr[i] == '\n' && !quoted) {
			return piece_of(window, i);
		}
	}
	/* an open quote would swallow the rest of the file: give up that row at its first newline */
	if (quoted && (eof || window.len > SPLIT_PIECE_MAX)) {
		return next_line(window, eof);
	}
	return unfinished(window, eof);
}

struct split_piece split_next(enum split_mode mode, struct str window, bool eof)
{
	if (window.len == 0) {
		return (struct split_piece){.kind = eof ? SPLIT_END : SPLIT_MORE};
	}
	switch (mode) {
	case SPLIT_LINES:
		return next_line(window, eof);
	case SPLIT_OBJECTS:
		return next_object(window, eof);
	case SPLIT_CSV:
		return next_row(window, eof);
	}
	return (struct split_piece){.kind = SPLIT_END};
}
