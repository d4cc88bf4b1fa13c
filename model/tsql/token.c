#include "model/tsql/token.h"

#include <stdint.h>

struct tsql_reader tsql_reader(struct str text)
{
	return (struct tsql_reader){.input = text, .pos = 0};
}

/* The byte at an offset, or 0 behind the end; a NUL in the text is a mark like any other. */
static uint8_t at(struct str input, size_t pos)
{
	return pos < input.len ? (uint8_t)input.ptr[pos] : 0;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name_start(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '#' ||
	       c >= 0x80;
}

static bool is_name(uint8_t c)
{
	return is_name_start(c) || is_digit(c) || c == '@' || c == '$';
}

/* Bytes of a Unicode space at pos that the server takes for white space, else 0. */
static size_t unicode_space_size(struct str input, size_t pos)
{
	static const struct str spaces[] = {
		{"\xC2\xA0", 2}, {"\xC2\x85", 2}, {"\xE3\x80\x80", 3}, {"\xEF\xBB\xBF", 3}};
	uint8_t third = at(input, pos + 2);

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (str_equal(str_slice(input, pos, spaces[i].len), spaces[i])) {
			return spaces[i].len;
		}
	}
	if (at(input, pos) == 0xE2 && at(input, pos + 1) == 0x80 && third >= 0x80 &&
	    third <= 0x8B) {
		return 3;
	}
	return 0;
}

/* Bytes of white space at pos, or 0. */
static size_t space_size(struct str input, size_t pos)
{
	uint8_t c = at(input, pos);

	if (c < 0x80) {
		return c == ' ' || (c >= '\t' && c <= '\r') ? 1 : 0;
	}
	return unicode_space_size(input, pos);
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

	for (; pos + 1 < input.len; pos++) {
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

/* A line ends at LF or CR: on doubt text is code, so that nothing hides in a comment. */
static size_t line_end(struct str input, size_t pos)
{
	while (pos < input.len && input.ptr[pos] != '\n' && input.ptr[pos] != '\r') {
		pos++;
	}
	return pos;
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

static size_t read_comment(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end;

	token->kind = TSQL_COMMENT;
	if (input.ptr[pos] == '-') {
		end = line_end(input, pos + 2);
		token->closed = true;
		set_enclosed(token, between(input, pos, end), 2, 0);
	} else {
		end = block_comment_end(input, pos + 2, &token->closed);
		set_enclosed(token, between(input, pos, end), 2, 2);
	}
	return end;
}

static size_t read_quoted(struct str input, size_t pos, struct tsql_token *token)
{
	char open = input.ptr[pos];
	size_t prefix = open == 'N' || open == 'n' ? 2 : 1;
	size_t end;

	token->kind = prefix == 2 || open == '\'' ? TSQL_STRING : TSQL_QUOTED;
	if (token->kind == TSQL_STRING) {
		open = '\'';
	}
	end = quoted_end(input, pos + prefix, open == '[' ? ']' : open, &token->closed);
	set_enclosed(token, between(input, pos, end), prefix, 1);
	return end;
}

static size_t read_number(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = pos + 1;

	if (input.ptr[pos] == '0' && (at(input, end) | 0x20) == 'x') {
		for (end++; is_hex(at(input, end));) {
			end++;
		}
		token->kind = TSQL_HEX;
		set_enclosed(token, between(input, pos, end), 2, 0);
		return end;
	}
	while (is_digit(at(input, end)) || at(input, end) == '.') {
		end++;
	}
	token->kind = TSQL_NUMBER;
	set_enclosed(token, between(input, pos, end), 0, 0);
	return end;
}

static size_t read_name(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = pos;

	token->kind = input.ptr[pos] == '@' ? TSQL_VARIABLE : TSQL_WORD;
	while (end < input.len && is_name(at(input, end)) && space_size(input, end) == 0) {
		end++;
	}
	set_enclosed(token, between(input, pos, end), 0, 0);
	return end;
}

static size_t read_space(struct str input, size_t pos, struct tsql_token *token)
{
	size_t end = pos;
	size_t size;

	while ((size = space_size(input, end)) != 0) {
		end += size;
	}
	token->kind = TSQL_SPACE;
	set_enclosed(token, between(input, pos, end), 0, 0);
	return end;
}

bool tsql_next(struct tsql_reader *reader, struct tsql_token *out_token)
{
	struct str input = reader->input;
	size_t pos = reader->pos;
	uint8_t c = at(input, pos);
	uint8_t next = at(input, pos + 1);

	if (pos >= input.len) {
		return false;
	}
	out_token->closed = true;
	if (space_size(input, pos) != 0) {
		reader->pos = read_space(input, pos, out_token);
	} else if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
		reader->pos = read_comment(input, pos, out_token);
	} else if (c == '\'' || c == '"' || c == '[' || ((c | 0x20) == 'n' && next == '\'')) {
		reader->pos = read_quoted(input, pos, out_token);
	} else if (is_digit(c)) {
		reader->pos = read_number(input, pos, out_token);
	} else if (is_name_start(c) || c == '@') {
		reader->pos = read_name(input, pos, out_token);
	} else {
		out_token->kind = TSQL_MARK;
		set_enclosed(out_token, between(input, pos, pos + 1), 0, 0);
		reader->pos = pos + 1;
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
	return token->kind == TSQL_MARK && token->text.ptr[0] == mark;
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
