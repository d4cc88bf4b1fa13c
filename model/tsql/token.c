#include "model/tsql/token.h"

#include <stdint.h>

/* What a byte may begin or go on with. */
enum {
	NAME = 1,    /* stands within a name */
	START = 2,   /* begins a name */
	DIGIT = 4,   /* 0-9 */
	HEX = 8,     /* 0-9 a-f */
	BLANK = 16,  /* white space; the server takes all control characters but NUL for it */
	SIGN = 32,   /* a mark */
	DOUBLE = 64, /* a mark that may begin a longer one */
	HIGH = 128,  /* 0x80 and above */
};

#define LETTER (NAME | START)

static const uint8_t byte_class[256] = {
	[0x01 ... 0x20] = BLANK,
	['0' ... '9'] = NAME | DIGIT | HEX,
	['A' ... 'F'] = LETTER | HEX,
	['G' ... 'Z'] = LETTER,
	['a' ... 'f'] = LETTER | HEX,
	['g' ... 'z'] = LETTER,
	['_'] = LETTER,
	['#'] = LETTER,
	['@'] = NAME,
	['$'] = NAME,
	['('] = SIGN,
	[')'] = SIGN,
	[','] = SIGN,
	[';'] = SIGN,
	['.'] = SIGN,
	['='] = SIGN,
	['?'] = SIGN,
	['~'] = SIGN,
	['{'] = SIGN,
	['}'] = SIGN,
	['\\'] = SIGN,
	[']'] = SIGN,
	['<'] = SIGN | DOUBLE,
	['>'] = SIGN | DOUBLE,
	['!'] = SIGN | DOUBLE,
	['+'] = SIGN | DOUBLE,
	['-'] = SIGN | DOUBLE,
	['*'] = SIGN | DOUBLE,
	['/'] = SIGN | DOUBLE,
	['%'] = SIGN | DOUBLE,
	['&'] = SIGN | DOUBLE,
	['|'] = SIGN | DOUBLE,
	['^'] = SIGN | DOUBLE,
	[':'] = SIGN | DOUBLE,
	[0x80 ... 0xFF] = HIGH,
};

/* What a character of several bytes is. */
enum wide {
	WIDE_NAME,
	WIDE_SPACE,
	WIDE_MONEY,
	WIDE_UNKNOWN, /* no UTF-8, or a quote that is none to the server */
};

struct tsql_reader tsql_reader(struct str text)
{
	return (struct tsql_reader){.input = text, .pos = 0};
}

/* The byte at an offset, or 0 behind the end; a NUL in the text is unknown like what is no UTF-8. */
static uint8_t at(struct str input, size_t pos)
{
	return pos < input.len ? (uint8_t)input.ptr[pos] : 0;
}

static bool is(uint8_t c, unsigned classes)
{
	return (byte_class[c] & classes) != 0;
}

/* The code point at pos, surrogates too, and its size; size 1 and UINT32_MAX for what is none. */
static uint32_t decode(struct str input, size_t pos, size_t *out_size)
{
	uint8_t lead = at(input, pos);
	size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	uint32_t value = lead & (0x7Fu >> size);
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	*out_size = 1;
	if (lead < 0xC2 || lead > 0xF4) {
		return UINT32_MAX;
	}
	for (size_t i = 1; i < size; i++) {
		uint8_t next = at(input, pos + i);

		if ((next & 0xC0) != 0x80) {
			return UINT32_MAX;
		}
		value = value << 6 | (next & 0x3F);
	}
	if (value < least[size] || value > 0x10FFFF) {
		return UINT32_MAX;
	}
	*out_size = size;
	return value;
}

static bool is_wide_space(uint32_t value)
{
	return value == 0x85 || value == 0xA0 || value == 0x1680 ||
	       (value >= 0x2000 && value <= 0x200B) || value == 0x2028 || value == 0x2029 ||
	       value == 0x202F || value == 0x205F || value == 0x3000 || value == 0xFEFF;
}

/* What the character of several bytes at pos is, and its size. */
static enum wide wide_at(struct str input, size_t pos, size_t *out_size)
{
	uint32_t value = decode(input, pos, out_size);

	if (value == UINT32_MAX || (value >= 0x2018 && value <= 0x201F)) {
		return WIDE_UNKNOWN;
	}
	if (is_wide_space(value)) {
		return WIDE_SPACE;
	}
	if ((value >= 0xA2 && value <= 0xA5) || (value >= 0x20A0 && value <= 0x20CF)) {
		return WIDE_MONEY;
	}
	return WIDE_NAME;
}

/* 0x80 in each byte of word that equals the byte of pattern; a false one only above a true one. */
static uint64_t equal_bytes(uint64_t word, uint64_t pattern)
{
	uint64_t different = word ^ pattern;

	return (different - UINT64_C(0x0101010101010101)) & ~different &
	       UINT64_C(0x8080808080808080);
}

/* The offset of the first a or b at or behind pos, or the length. */
static size_t find_either(struct str input, size_t pos, char a, char b)
{
	uint64_t pattern_a = UINT64_C(0x0101010101010101) * (uint8_t)a;
	uint64_t pattern_b = UINT64_C(0x0101010101010101) * (uint8_t)b;
	uint64_t word;

	for (; pos + sizeof(word) <= input.len; pos += sizeof(word)) {
		memcpy(&word, input.ptr + pos, sizeof(word));
		if ((equal_bytes(word, pattern_a) | equal_bytes(word, pattern_b)) != 0) {
			break;
		}
	}
	while (pos < input.len && input.ptr[pos] != a && input.ptr[pos] != b) {
		pos++;
	}
	return pos;
}

/* The offset behind a text that begins at pos (behind its opening quote) and ends with a single close; doubled ones belong
 * to it. */
static size_t quoted_end(struct str input, size_t pos, char close, bool *out_closed)
{
	while (pos < input.len) {
		const char *found = memchr(input.ptr + pos, close, input.len - pos);

		if (found == NULL) {
			break;
		}
		pos = (size_t)(found - input.ptr) + 1;
		if (at(input, pos) != (uint8_t)close) {
			*out_closed = true;
			return pos;
		}
		pos++;
	}
	*out_closed = false;
	return input.len;
}

static size_t block_comment_end(struct str input, size_t pos, bool *out_closed)
{
	size_t depth = 1;

	for (; (pos = find_either(input, pos, '*', '/')) + 1 < input.len; pos++) {
		if (input.ptr[pos] == '*' && input.ptr[pos + 1] == '/') {
			pos++;
			if (--depth == 0) {
				*out_closed = true;
				return pos + 1;
			}
		} else if (input.ptr[pos] == '/' && input.ptr[pos + 1] == '*') {
			pos++;
			depth++;
		}
	}
	*out_closed = false;
	return input.len;
}

static struct str between(struct str input, size_t start, size_t end)
{
	return str_make(input.ptr + start, end - start);
}

/* Fills a token that stands between quotes or comment signs of these lengths. */
static void set_enclosed(struct tsql_token *token, struct str whole, size_t open, size_t close)
{
	token->whole = whole;
	token->text = between(whole, open, whole.len - (token->closed ? close : 0));
}

/* Fills a token that is its own text; returns end. */
static size_t set_plain(struct tsql_token *token, struct str input, size_t pos, size_t end)
{
	token->whole = between(input, pos, end);
	token->text = token->whole;
	return end;
}

/* A line ends at LF or CR: on doubt text is code, so that nothing hides in a comment. */
static size_t read_comment(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end;

	token->kind = TSQL_COMMENT;
	if (input.ptr[pos] == '-') {
		end = find_either(input, pos + 2, '\n', '\r');
		set_enclosed(token, between(input, pos, end), 2, 0);
	} else {
		end = block_comment_end(input, pos + 2, &token->closed);
		set_enclosed(token, between(input, pos, end), 2, 2);
	}
	return end;
}

static size_t read_quoted(const struct tsql_reader *reader, size_t pos, struct tsql_token *token)
{
	struct str input = reader->input;
	char open = input.ptr[pos];
	size_t prefix = open == 'N' || open == 'n' ? 2 : 1;
	bool is_string = prefix == 2 || open == '\'' || (open == '"' && reader->quotes_are_strings);
	size_t end;

	token->kind = is_string ? TSQL_STRING : TSQL_QUOTED;
	if (prefix == 2) {
		open = '\'';
	}
	end = quoted_end(input, pos + prefix, open == '[' ? ']' : open, &token->closed);
	set_enclosed(token, between(input, pos, end), prefix, 1);
	return end;
}

/* The bytes of a backslash and the line end behind it, or 0. */
static size_t continuation_size(struct str input, size_t pos)
{
	if (at(input, pos) != '\\') {
		return 0;
	}
	if (at(input, pos + 1) == '\n') {
		return 2;
	}
	return at(input, pos + 1) == '\r' && at(input, pos + 2) == '\n' ? 3 : 0;
}

static size_t read_hex(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = pos + 2;
	size_t joined;

	do {
		while (is(at(input, end), HEX)) {
			end++;
		}
		joined = continuation_size(input, end);
		end += joined;
	} while (joined != 0);
	token->kind = TSQL_HEX;
	set_enclosed(token, between(input, pos, end), 2, 0);
	return end;
}

static size_t digits_end(struct str input, size_t pos)
{
	while (is(at(input, pos), DIGIT)) {
		pos++;
	}
	return pos;
}

/* The offset behind digits with a point; at least one of them stands at pos. */
static size_t decimal_end(struct str input, size_t pos)
{
	pos = digits_end(input, pos);
	return at(input, pos) == '.' ? digits_end(input, pos + 1) : pos;
}

static size_t read_number(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = decimal_end(input, pos);

	if ((at(input, end) | 0x20) == 'e') {
		uint8_t next = at(input, end + 1);
		size_t sign = next == '+' || next == '-' ? 1 : 0;

		if (is(at(input, end + 1 + sign), DIGIT)) {
			end = digits_end(input, end + 1 + sign);
		} else if (!is(next, NAME | HIGH)) {
			end++; /* 1e is a float; 1else is a number and a word */
		}
	}
	token->kind = TSQL_NUMBER;
	return set_plain(token, input, pos, end);
}

/* The offset behind blanks and TABs at pos. */
static size_t blanks_end(struct str input, size_t pos)
{
	while (at(input, pos) == ' ' || at(input, pos) == '\t') {
		pos++;
	}
	return pos;
}

static bool is_line_end(uint8_t c)
{
	return c == '\n' || c == '\r';
}

/* Whether GO, which ends at end, stands alone on its line; a count may follow. */
static bool is_alone(struct str input, size_t pos, size_t end)
{
	while (pos > 0 && (input.ptr[pos - 1] == ' ' || input.ptr[pos - 1] == '\t')) {
		pos--;
	}
	if (pos > 0 && !is_line_end(at(input, pos - 1))) {
		return false;
	}
	end = blanks_end(input, digits_end(input, blanks_end(input, end)));
	end = at(input, end) == ';' ? blanks_end(input, end + 1) : end;
	return end >= input.len || is_line_end(at(input, end)) ||
	       (at(input, end) == '-' && at(input, end + 1) == '-');
}

static size_t read_name(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = pos + 1;
	size_t size;

	token->kind = input.ptr[pos] == '@' ? TSQL_VARIABLE : TSQL_WORD;
	if (is((uint8_t)input.ptr[pos], HIGH)) {
		end = pos;
	}
	for (;;) {
		while (end < input.len && is((uint8_t)input.ptr[end], NAME)) {
			end++;
		}
		if (end >= input.len || (uint8_t)input.ptr[end] < 0x80 ||
		    wide_at(input, end, &size) != WIDE_NAME) {
			break;
		}
		end += size;
	}
	if (end - pos == 2 && (input.ptr[pos] | 0x20) == 'g' &&
	    (input.ptr[pos + 1] | 0x20) == 'o' && is_alone(input, pos, end)) {
		token->kind = TSQL_GO;
	}
	return set_plain(token, input, pos, end);
}

static size_t read_space(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = pos;
	size_t size;

	for (;;) {
		while (end < input.len && is((uint8_t)input.ptr[end], BLANK)) {
			end++;
		}
		if (end >= input.len || (uint8_t)input.ptr[end] < 0x80 ||
		    wide_at(input, end, &size) != WIDE_SPACE) {
			break;
		}
		end += size;
	}
	token->kind = TSQL_SPACE;
	return set_plain(token, input, pos, end);
}

static size_t mark_size(struct str input, size_t pos)
{
	uint8_t next = at(input, pos + 1);

	switch (at(input, pos)) {
	case ':':
		return next == ':' ? 2 : 1;
	case '|':
		if (next == '|') {
			return at(input, pos + 2) == '=' ? 3 : 2;
		}
		break;
	case '<':
		if (next == '>' || next == '<') {
			return 2;
		}
		break;
	case '>':
		if (next == '>') {
			return 2;
		}
		break;
	case '!':
		if (next == '<' || next == '>') {
			return 2;
		}
		break;
	default:
		break;
	}
	return next == '=' ? 2 : 1;
}

/* The sign of a currency of size bytes at pos, and the number behind it. */
static size_t read_money(struct str input, size_t pos, size_t size, struct tsql_token *token)
{
	size_t end = pos + size;

	if (is(at(input, end), DIGIT) || (at(input, end) == '.' && is(at(input, end + 1), DIGIT))) {
		end = decimal_end(input, end);
	}
	token->kind = TSQL_MONEY;
	return set_plain(token, input, pos, end);
}

/* Bytes that are nothing, up to the next that is something. */
static size_t read_unknown(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = pos + 1;
	size_t size;

	if ((uint8_t)input.ptr[pos] >= 0x80) {
		(void)wide_at(input, pos, &size); /* only its size matters */
		end = pos + size;
	}
	token->kind = TSQL_UNKNOWN;
	return set_plain(token, input, pos, end);
}

static size_t read_wide(struct str input, size_t pos, struct tsql_token *token)
{
	size_t size;

	switch (wide_at(input, pos, &size)) {
	case WIDE_NAME:
		return read_name(input, pos, token);
	case WIDE_SPACE:
		return read_space(input, pos, token);
	case WIDE_MONEY:
		return read_money(input, pos, size, token);
	case WIDE_UNKNOWN:
		break;
	}
	return read_unknown(input, pos, token);
}

static bool begins_comment(uint8_t c, uint8_t next)
{
	return (c == '-' && next == '-') || (c == '/' && next == '*');
}

/* Reads what begins with a byte that is neither white space nor a letter. */
static size_t read_sign(const struct tsql_reader *reader, size_t pos, struct tsql_token *token)
{
	struct str input = reader->input;
	uint8_t c = at(input, pos);
	uint8_t next = at(input, pos + 1);

	if (c == '\'' || c == '"' || c == '[') {
		return read_quoted(reader, pos, token);
	}
	if (begins_comment(c, next)) {
		return read_comment(input, pos, token);
	}
	if (c == '.' && is(next, DIGIT)) {
		return read_number(input, pos, token);
	}
	if (is(c, SIGN)) {
		token->kind = TSQL_MARK;
		return set_plain(token, input, pos,
				 pos + (is(c, DOUBLE) ? mark_size(input, pos) : 1));
	}
	if (c == '@' || (c == '$' && is(next, START))) {
		return read_name(input, pos, token);
	}
	if (c == '$') {
		return read_money(input, pos, 1, token);
	}
	return c >= 0x80 ? read_wide(input, pos, token) : read_unknown(input, pos, token);
}

bool tsql_next(struct tsql_reader *reader, struct tsql_token *out_token)
{
	struct str input = reader->input;
	size_t pos = reader->pos;
	uint8_t c;

	if (pos >= input.len) {
		return false;
	}
	c = (uint8_t)input.ptr[pos];
	out_token->closed = true;
	if (is(c, BLANK)) {
		reader->pos = read_space(input, pos, out_token);
	} else if (is(c, START)) {
		reader->pos = (c | 0x20) == 'n' && at(input, pos + 1) == '\''
				      ? read_quoted(reader, pos, out_token)
				      : read_name(input, pos, out_token);
	} else if (is(c, DIGIT)) {
		reader->pos = c == '0' && (at(input, pos + 1) | 0x20) == 'x'
				      ? read_hex(input, pos, out_token)
				      : read_number(input, pos, out_token);
	} else {
		reader->pos = read_sign(reader, pos, out_token);
	}
	return true;
}

bool tsql_next_code(struct tsql_reader *reader, struct tsql_token *out_token)
{
	struct tsql_token token;

	while (tsql_next(reader, &token)) {
		if (token.kind != TSQL_SPACE && token.kind != TSQL_COMMENT) {
			*out_token = token;
			return true;
		}
	}
	return false;
}

bool tsql_is_word(const struct tsql_token *token, const char *word)
{
	return token->kind == TSQL_WORD && str_equal_fold(token->text, str_of(word));
}

bool tsql_is_mark(const struct tsql_token *token, char mark)
{
	return token->kind == TSQL_MARK && token->whole.len == 1 && token->text.ptr[0] == mark;
}

void tsql_skip_parameters(struct tsql_reader *reader)
{
	struct tsql_reader ahead = *reader;
	struct tsql_token token;
	int depth = 1;

	if (!tsql_next(&ahead, &token) || !tsql_is_mark(&token, '(') ||
	    !tsql_next_code(&ahead, &token) || token.kind != TSQL_VARIABLE) {
		return;
	}
	while (depth > 0 && tsql_next_code(&ahead, &token)) {
		depth += tsql_is_mark(&token, '(') ? 1 : 0;
		depth -= tsql_is_mark(&token, ')') ? 1 : 0;
	}
	if (depth == 0) {
		*reader = ahead;
	}
}
