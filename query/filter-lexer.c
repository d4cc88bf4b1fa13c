#include "query/filter-lexer.h"

#include "base/utf8.h"

#include <stdio.h>

struct lexer lexer_over(struct str input, struct arena *arena)
{
	return (struct lexer){.input = input, .pos = 0, .arena = arena};
}

const char *compare_op_text(enum compare_op op)
{
	static const char *const text[] = {
		[COMPARE_HAS] = ":",       [COMPARE_EQUAL] = "=",    [COMPARE_NOT_EQUAL] = "!=",
		[COMPARE_LESS] = "<",      [COMPARE_AT_MOST] = "<=", [COMPARE_MORE] = ">",
		[COMPARE_AT_LEAST] = ">=", [COMPARE_MATCH] = "~",    [COMPARE_NO_MATCH] = "!~",
	};
	return text[op];
}

int lexer_error(struct str input, size_t offset, struct error *err, const char *format, ...)
{
	size_t line = 1;
	size_t column = 1;
	for (size_t pos = 0; pos < offset && pos < input.len;) {
		if (input.ptr[pos] == '\n') {
			line++;
			column = 1;
			pos++;
			continue;
		}
		(void)utf8_next(input, &pos); /* only its length counts */
		column++;
	}
	va_list args;
	va_start(args, format);
	int result = error_vset(err, ERR_USAGE, format, args);
	va_end(args);
	error_prefix(err, "query:%zu:%zu", line, column);
	return result;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static void skip_space(struct lexer *lexer)
{
	while (lexer->pos < lexer->input.len && is_space(lexer->input.ptr[lexer->pos])) {
		lexer->pos++;
	}
}

/* The operator at pos, and its length; 0 when there is none. */
static size_t operator_at(struct str input, size_t pos, enum compare_op *out_op)
{
	static const enum compare_op order[] = {
		COMPARE_NOT_EQUAL, COMPARE_NO_MATCH, COMPARE_AT_MOST,
		COMPARE_AT_LEAST,  COMPARE_LESS,     COMPARE_MORE,
		COMPARE_EQUAL,     COMPARE_MATCH,    COMPARE_HAS};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct str text = str_of(compare_op_text(order[i]));
		if (str_has_prefix(str_slice(input, pos, text.len), text)) {
			*out_op = order[i];
			return text.len;
		}
	}
	return 0;
}

/* A name with an operator: name:  name>=  and, with space between, name >= (but not name :). */
static bool read_field(struct lexer *lexer, struct token *out_token)
{
	size_t end = lexer->pos;
	while (end < lexer->input.len && is_name_byte(lexer->input.ptr[end])) {
		end++;
	}
	if (end == lexer->pos) {
		return false;
	}
	size_t at = end;
	while (at < lexer->input.len && lexer->input.ptr[at] == ' ') {
		at++;
	}
	enum compare_op op;
	size_t len = operator_at(lexer->input, at, &op);
	if (len == 0 || (at > end && op == COMPARE_HAS)) {
		return false;
	}
	*out_token = (struct token){
		TOKEN_FIELD, op, str_slice(lexer->input, lexer->pos, end - lexer->pos), lexer->pos};
	lexer->pos = at + len;
	return true;
}

static bool is_escape(struct str text, size_t at)
{
	return text.ptr[at] == '\\' && at + 1 < text.len &&
	       (text.ptr[at + 1] == '"' || text.ptr[at + 1] == '\\');
}

/* text without the backslashes of its escapes. */
static int unescape(struct lexer *lexer, struct str *text, struct error *err)
{
	char *copy = arena_alloc(lexer->arena, text->len);
	if (copy == NULL) {
		return error_set(err, ERR_LIMIT, "the query does not fit its memory limit");
	}
	size_t len = 0;
	for (size_t i = 0; i < text->len; i++) {
		i += is_escape(*text, i) ? 1 : 0;
		copy[len++] = text->ptr[i];
	}
	*text = str_make(copy, len);
	return 0;
}

static int read_phrase(struct lexer *lexer, struct token *out_token, struct error *err)
{
	size_t begin = lexer->pos + 1;
	size_t end = begin;
	bool has_escape = false;
	while (end < lexer->input.len && lexer->input.ptr[end] != '"') {
		bool escape = is_escape(lexer->input, end);
		has_escape = has_escape || escape;
		end += escape ? 2 : 1;
	}
	if (end >= lexer->input.len) {
		return lexer_error(lexer->input, lexer->pos, err,
				   "the quote that opens here is never closed");
	}
	struct str text = str_slice(lexer->input, begin, end - begin);
	int result = has_escape ? unescape(lexer, &text, err) : 0;
	if (result != 0) {
		return result;
	}
	*out_token = (struct token){TOKEN_PHRASE, COMPARE_HAS, text, lexer->pos};
	lexer->pos = end + 1;
	return 0;
}

static void read_bare(struct lexer *lexer, struct token *out_token)
{
	size_t end = lexer->pos;
	while (end < lexer->input.len && !is_space(lexer->input.ptr[end]) &&
	       lexer->input.ptr[end] != ')' && lexer->input.ptr[end] != '(' &&
	       lexer->input.ptr[end] != '"') {
		end++;
	}
	*out_token =
		(struct token){TOKEN_WORD, COMPARE_HAS,
			       str_slice(lexer->input, lexer->pos, end - lexer->pos), lexer->pos};
	lexer->pos = end;
}

int lexer_next(struct lexer *lexer, struct token *out_token, struct error *err)
{
	if (lexer->input.len > LEXER_TEXT_MAX) {
		return error_set(err, ERR_LIMIT, "the query has %zu bytes; the limit is %d",
				 lexer->input.len, LEXER_TEXT_MAX);
	}
	skip_space(lexer);
	size_t pos = lexer->pos;
	if (pos >= lexer->input.len) {
		*out_token = (struct token){TOKEN_END, COMPARE_HAS, {NULL, 0}, pos};
		return 0;
	}
	char c = lexer->input.ptr[pos];
	if (c == '(' || c == ')') {
		*out_token = (struct token){c == '(' ? TOKEN_OPEN : TOKEN_CLOSE, COMPARE_HAS,
					    str_slice(lexer->input, pos, 1), pos};
		lexer->pos++;
		return 0;
	}
	if (c == '"') {
		return read_phrase(lexer, out_token, err);
	}
	if (c == '-' && pos + 1 < lexer->input.len && !is_space(lexer->input.ptr[pos + 1])) {
		*out_token = (struct token){TOKEN_NOT, COMPARE_HAS, str_slice(lexer->input, pos, 1),
					    pos};
		lexer->pos++;
		return 0;
	}
	if (read_field(lexer, out_token)) {
		return 0;
	}
	read_bare(lexer, out_token);
	if (str_is(out_token->text, "OR")) {
		out_token->type = TOKEN_OR;
	} else if (str_is(out_token->text, "AND")) {
		out_token->type = TOKEN_AND;
	} else if (str_is(out_token->text, "NOT")) {
		out_token->type = TOKEN_NOT;
	}
	return 0;
}

int lexer_value(struct lexer *lexer, const struct token *field, struct token *out_token,
		struct error *err)
{
	if (field->op != COMPARE_HAS) {
		skip_space(lexer);
	}
	if (lexer->pos < lexer->input.len && lexer->input.ptr[lexer->pos] == '"') {
		return read_phrase(lexer, out_token, err);
	}
	read_bare(lexer, out_token);
	if (out_token->text.len == 0) {
		return lexer_error(
			lexer->input, field->offset, err,
			"\"%.*s%s\" needs a value, as in %.*s%sVALUE or %.*s%s\"SOME TEXT\"",
			STR_ARG(field->text), compare_op_text(field->op), STR_ARG(field->text),
			compare_op_text(field->op), STR_ARG(field->text),
			compare_op_text(field->op));
	}
	return 0;
}
