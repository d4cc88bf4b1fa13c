#include "tests/sim/tds-lexer.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	unsigned char folded = (unsigned char)(c | 0x20);
	return (folded >= 'a' && folded <= 'z') || is_digit(c) || c == '_' || c == '#' ||
	       c == '$' || c == '@' || (unsigned char)c >= 0x80;
}

static void skip(struct tds_lexer *lexer, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		lexer->line += lexer->rest.ptr[i] == '\n';
	}
	lexer->rest = str_slice(lexer->rest, count, SIZE_MAX);
}

static bool at(const struct tds_lexer *lexer, size_t offset, char c)
{
	return offset < lexer->rest.len && lexer->rest.ptr[offset] == c;
}

/* Length of the comment at the start, or 0; SIZE_MAX when it has no end. Comments of this kind nest. */
static size_t comment(const struct tds_lexer *lexer)
{
	if (at(lexer, 0, '-') && at(lexer, 1, '-')) {
		ptrdiff_t end = str_find_byte(lexer->rest, '\n', 0);
		return end >= 0 ? (size_t)end : lexer->rest.len;
	}
	if (!at(lexer, 0, '/') || !at(lexer, 1, '*')) {
		return 0;
	}
	size_t depth = 1;
	for (size_t i = 2; i + 1 < lexer->rest.len; i++) {
		if (at(lexer, i, '*') && at(lexer, i + 1, '/')) {
			depth--;
			i++;
		} else if (at(lexer, i, '/') && at(lexer, i + 1, '*')) {
			depth++;
			i++;
		}
		if (depth == 0) {
			return i + 1;
		}
	}
	return SIZE_MAX;
}

/* The token of `kind` that takes `take` bytes from the start and whose text is within. */
static struct tds_lexeme cut(struct tds_lexer *lexer, enum tds_lex kind, size_t take,
			     struct str text)
{
	struct tds_lexeme out = {.kind = kind, .text = text, .line = lexer->line};
	skip(lexer, take);
	return out;
}

/* A text from an opening mark before `from` to its closing mark, which doubled stands for itself. */
static struct tds_lexeme marked(struct tds_lexer *lexer, enum tds_lex kind, size_t from, char close)
{
	size_t end = from;
	while (end < lexer->rest.len && (!at(lexer, end, close) || at(lexer, end + 1, close))) {
		end += at(lexer, end, close) ? 2 : 1;
	}
	if (end >= lexer->rest.len) {
		return cut(lexer, TDS_LEX_BROKEN, lexer->rest.len,
			   str_slice(lexer->rest, from, SIZE_MAX));
	}
	return cut(lexer, kind, end + 1, str_slice(lexer->rest, from, end - from));
}

static size_t run(const struct tds_lexer *lexer, size_t from, bool (*belongs)(char))
{
	size_t end = from;
	while (end < lexer->rest.len && belongs(lexer->rest.ptr[end])) {
		end++;
	}
	return end;
}

static struct tds_lexeme word(struct tds_lexer *lexer)
{
	struct str rest = lexer->rest;
	char c = rest.ptr[0];
	if (c == '0' && (at(lexer, 1, 'x') || at(lexer, 1, 'X'))) {
		size_t end = run(lexer, 2, is_word);
		return cut(lexer, TDS_LEX_BINARY, end, str_slice(rest, 2, end - 2));
	}
	if (is_digit(c)) {
		size_t end = run(lexer, 0, is_digit);
		return cut(lexer, TDS_LEX_NUMBER, end, str_slice(rest, 0, end));
	}
	size_t end = run(lexer, 0, is_word);
	enum tds_lex kind = c != '@'            ? TDS_LEX_NAME
			    : at(lexer, 1, '@') ? TDS_LEX_GLOBAL
						: TDS_LEX_VARIABLE;
	return cut(lexer, kind, end, str_slice(rest, 0, end));
}

/* Skips space and comments; false at a comment without an end. */
static bool skip_blank(struct tds_lexer *lexer)
{
	for (;;) {
		skip(lexer, run(lexer, 0, is_space));
		size_t len = comment(lexer);
		if (len == SIZE_MAX) {
			return false;
		}
		if (len == 0) {
			return true;
		}
		skip(lexer, len);
	}
}

/* Bytes of the sign at the start: two for a comparison like <=, else one. */
static size_t sign_length(struct str rest)
{
	static const char *const two[] = {"<=", ">=", "<>", "!=", "!<", "!>"};
	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
		if (str_has_prefix(rest, str_of(two[i]))) {
			return 2;
		}
	}
	return 1;
}

struct tds_lexeme tds_lexer_next(struct tds_lexer *lexer)
{
	if (!skip_blank(lexer)) {
		return cut(lexer, TDS_LEX_BROKEN, lexer->rest.len, lexer->rest);
	}
	struct str rest = lexer->rest;
	if (rest.len == 0) {
		return (struct tds_lexeme){.kind = TDS_LEX_END, .line = lexer->line};
	}
	char c = rest.ptr[0];
	if (c == '\'') {
		return marked(lexer, TDS_LEX_STRING, 1, '\'');
	}
	if ((c == 'N' || c == 'n') && at(lexer, 1, '\'')) {
		return marked(lexer, TDS_LEX_NSTRING, 2, '\'');
	}
	if (c == '[' || c == '"') {
		return marked(lexer, TDS_LEX_QUOTED, 1, c == '[' ? ']' : '"');
	}
	if (is_word(c)) {
		return word(lexer);
	}
	size_t take = sign_length(rest);
	return cut(lexer, TDS_LEX_SIGN, take, str_slice(rest, 0, take));
}
