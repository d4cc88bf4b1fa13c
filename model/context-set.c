#include "model/context.h"

#include "base/buf.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "model/context-part.h"
#include "model/tsql/token.h"

#define DEPTH_MAX           4   /* of statements within strings */
#define LOOKUPS_MAX         16  /* of variables in one statement: each reads all of it */
#define CONTEXT_INFO_DIGITS 256 /* the server keeps 128 bytes */
#define TYPE_TOKENS_MAX     8   /* between the parentheses of a type */
#define UNESCAPED_MAX       (1u << 28)

struct scope {
	struct str text;
	const struct scope *outer; /* the statement in whose string this one stands */
	unsigned depth;
};

struct walk {
	struct str key;
	struct context context; /* of the last call that sets one */
	bool sets, clears;      /* what the last call does */
	unsigned lookups;
};

/* Passes over a type: nvarchar(400), AS decimal(9, 2). Leaves the token behind it in *token. */
static bool skip_type(struct tsql_reader *reader, struct tsql_token *token)
{
	if (tsql_is_word(token, "AS") && !tsql_next_code(reader, token)) {
		return false;
	}
	if (token->kind != TSQL_WORD || !tsql_next_code(reader, token)) {
		return false;
	}
	if (!tsql_is_mark(token, '(')) {
		return true;
	}
	for (int i = 0; i < TYPE_TOKENS_MAX && tsql_next_code(reader, token); i++) {
		if (tsql_is_mark(token, ')')) {
			return tsql_next_code(reader, token);
		}
	}
	return false;
}

/* The literal that stands behind "=" at the reader, a type between them or not; false when something else does. */
static bool literal_follows(struct tsql_reader reader, struct tsql_token *out_literal)
{
	struct tsql_token token;

	if (!tsql_next_code(&reader, &token)) {
		return false;
	}
	if (!tsql_is_mark(&token, '=') &&
	    (!skip_type(&reader, &token) || !tsql_is_mark(&token, '='))) {
		return false;
	}
	return tsql_next_code(&reader, out_literal) &&
	       (out_literal->kind == TSQL_STRING || out_literal->kind == TSQL_HEX ||
		tsql_is_word(out_literal, "NULL"));
}

/* Whether "=" comes next: an assignment, of whatever. */
static bool equals_follows(struct tsql_reader reader)
{
	struct tsql_token token;

	return tsql_next_code(&reader, &token) && tsql_is_mark(&token, '=');
}

/* The one literal that a variable is given anywhere in the text; false when there is none, several, or another value. */
static bool assigned_literal(struct str text, struct str name, struct tsql_token *out_literal)
{
	struct tsql_reader reader = tsql_reader(text);
	struct tsql_token token;
	struct tsql_token literal;
	bool found = false;

	while (tsql_next_code(&reader, &token)) {
		if (token.kind != TSQL_VARIABLE || !str_equal_fold(token.text, name)) {
			continue;
		}
		if (!literal_follows(reader, &literal)) {
			if (equals_follows(reader)) {
				return false;
			}
			continue;
		}
		if (found) {
			return false;
		}
		*out_literal = literal;
		found = true;
	}
	return found;
}

/* Turns a variable into its literal where the text tells it; other tokens stay. False when it cannot be told. */
static bool resolve(struct walk *walk, const struct scope *scope, struct tsql_token *token)
{
	struct str name = token->text;

	if (token->kind != TSQL_VARIABLE) {
		return true;
	}
	for (; scope != NULL && walk->lookups < LOOKUPS_MAX; scope = scope->outer) {
		walk->lookups++;
		if (assigned_literal(scope->text, name, token)) {
			return true;
		}
	}
	return false;
}

static void note(struct walk *walk, bool sets)
{
	walk->sets = sets;
	walk->clears = !sets;
}

struct call {
	struct str name; /* of the procedure, without database and schema */
	struct tsql_token argument[2];
	bool has_argument[2];
};

/* Reads the name of the procedure; false when it is none. */
static bool read_name(struct tsql_reader *reader, struct call *call)
{
	struct tsql_reader ahead;
	struct tsql_token token;
	bool named = false;

	while (tsql_next_code(reader, &token)) {
		if (token.kind == TSQL_WORD || token.kind == TSQL_QUOTED) {
			call->name = token.text;
			named = true;
		} else if (token.kind == TSQL_VARIABLE && !named) { /* @result = procedure */
			if (!tsql_next_code(reader, &token) || !tsql_is_mark(&token, '=')) {
				return false;
			}
			continue;
		} else if (!tsql_is_mark(&token, '.')) {
			return false;
		}
		ahead = *reader;
		if (named && (!tsql_next_code(&ahead, &token) || !tsql_is_mark(&token, '.'))) {
			return true;
		}
		if (named) {
			*reader = ahead;
			named = false;
		}
	}
	return false;
}

/* Which of the two first arguments a name means, or -1. */
static int argument_index(struct str name)
{
	static const char *const names[][2] = {{"@key", "@value"}, {"@stmt", "@params"}};

	for (int i = 0; i < 2; i++) {
		if (str_equal_fold(name, str_of(names[0][i])) ||
		    str_equal_fold(name, str_of(names[1][i]))) {
			return i;
		}
	}
	return -1;
}

static void read_arguments(struct tsql_reader *reader, struct call *call)
{
	struct tsql_token token;

	for (int position = 0; tsql_next_code(reader, &token); position++) {
		int index = position < 2 ? position : -1;
		struct tsql_reader ahead = *reader;
		struct tsql_token next;

		if (token.kind == TSQL_VARIABLE && tsql_next_code(&ahead, &next) &&
		    tsql_is_mark(&next, '=')) {
			index = argument_index(token.text);
			*reader = ahead;
			if (!tsql_next_code(reader, &token)) {
				return;
			}
		}
		if (index >= 0 && token.kind != TSQL_MARK) {
			call->argument[index] = token;
			call->has_argument[index] = true;
		}
		if (!tsql_next_code(reader, &token) || !tsql_is_mark(&token, ',')) {
			return;
		}
	}
}

static void take_value(struct walk *walk, const struct scope *scope, struct tsql_token value)
{
	bool sets = resolve(walk, scope, &value) && value.kind == TSQL_STRING && value.closed;

	/* what stands in a string of a string is gone when the walk ends, and is kept */
	if (sets && scope->depth > 0) {
		sets = context_parse_decoded(value.text, walk->key, &walk->context);
	} else if (sets) {
		sets = context_parse(value.text, walk->key, &walk->context);
	}
	note(walk, sets);
}

static void take_context_info(struct walk *walk, struct tsql_token value)
{
	struct buf bytes;
	struct buf text;
	size_t len;

	buf_init(&bytes, CONTEXT_INFO_DIGITS / 2);
	buf_init(&text, CONTEXT_INFO_DIGITS);
	if (value.text.len <= CONTEXT_INFO_DIGITS && parse_hex(value.text, &bytes)) {
		len = bytes.len;
		while (len > 0 && bytes.ptr[len - 1] == '\0') {
			len--;
		}
		if (len == 0) {
			note(walk, false);
		} else if (len > 1 && bytes.ptr[1] == '\0') {
			utf8_put_utf16le(&text, str_make(bytes.ptr, len + len % 2));
		} else {
			buf_put(&text, bytes.ptr, len);
		}
		if (context_parse_decoded(buf_str(&text), walk->key, &walk->context)) {
			note(walk, true);
		}
	}
	buf_done(&text);
	buf_done(&bytes);
}

static void walk_statement(struct walk *walk, const struct scope *scope);

/* Walks through a statement that stands in a string. */
static void walk_string(struct walk *walk, const struct scope *scope, struct tsql_token token)
{
	struct buf text;
	struct str rest = token.text;

	if (scope->depth >= DEPTH_MAX || !resolve(walk, scope, &token) ||
	    token.kind != TSQL_STRING || !token.closed ||
	    str_find_fold(token.text, STR_LIT("context"), 0) < 0) {
		return;
	}
	buf_init(&text, UNESCAPED_MAX);
	for (rest = token.text; rest.len > 0;) {
		ptrdiff_t quote = str_find_byte(rest, '\'', 0);
		size_t end = quote < 0 ? rest.len : (size_t)quote + 1;

		buf_put(&text, rest.ptr, end);
		rest = str_slice(rest, quote < 0 ? end : end + 1, rest.len);
	}
	if (!text.failed) {
		struct scope inner = {
			.text = buf_str(&text), .outer = scope, .depth = scope->depth + 1};

		walk_statement(walk, &inner);
	}
	buf_done(&text);
}

/* Reads what follows EXEC. */
static void walk_call(struct walk *walk, const struct scope *scope, struct tsql_reader reader)
{
	struct call call = {.name = {NULL, 0}};
	struct tsql_reader ahead = reader;
	struct tsql_token token;

	if (tsql_next_code(&ahead, &token) && tsql_is_mark(&token, '(')) {
		if (tsql_next_code(&ahead, &token)) {
			walk_string(walk, scope, token);
		}
		return;
	}
	if (!read_name(&reader, &call)) {
		return;
	}
	if (str_equal_fold(call.name, STR_LIT("sp_executesql"))) {
		read_arguments(&reader, &call);
		if (call.has_argument[0]) {
			walk_string(walk, scope, call.argument[0]);
		}
		return;
	}
	if (!str_equal_fold(call.name, STR_LIT("sp_set_session_context"))) {
		return;
	}
	read_arguments(&reader, &call);
	if (call.has_argument[0] && call.has_argument[1] &&
	    resolve(walk, scope, &call.argument[0]) &&
	    str_equal_fold(call.argument[0].text, STR_LIT("querytrail"))) {
		take_value(walk, scope, call.argument[1]);
	}
}

static void walk_set(struct walk *walk, const struct scope *scope, struct tsql_reader reader)
{
	struct tsql_token token;

	if (tsql_next_code(&reader, &token) && tsql_is_word(&token, "CONTEXT_INFO") &&
	    tsql_next_code(&reader, &token) && resolve(walk, scope, &token) &&
	    token.kind == TSQL_HEX) {
		take_context_info(walk, token);
	}
}

static void walk_statement(struct walk *walk, const struct scope *scope)
{
	struct tsql_reader reader = tsql_reader(scope->text);
	struct tsql_reader before;
	struct tsql_token token;
	bool first = true; /* the first procedure of a batch needs no EXEC */

	tsql_skip_parameters(&reader);
	for (before = reader; tsql_next_code(&reader, &token); before = reader) {
		if (tsql_is_word(&token, "EXEC") || tsql_is_word(&token, "EXECUTE")) {
			walk_call(walk, scope, reader);
		} else if (tsql_is_word(&token, "SET")) {
			walk_set(walk, scope, reader);
		} else if (first) {
			walk_call(walk, scope, before);
		}
		first = false;
	}
}

bool context_from_set(struct str statement, struct str key, struct context *out_context,
		      bool *out_clears)
{
	struct walk walk = {.key = key};
	struct scope scope = {.text = statement};

	*out_clears = false;
	if (str_find_fold(statement, STR_LIT("context"), 0) < 0) {
		return false;
	}
	walk_statement(&walk, &scope);
	*out_clears = walk.clears;
	if (walk.sets) {
		context_publish(&walk.context, out_context);
	}
	return walk.sets;
}
