#include "tests/sim/tds-sql.h"

#include <stdio.h>

#include "tests/sim/tds-parser.h"

void *tds_parser_new(struct tds_parser *parser, size_t size)
{
	void *made = parser->failed ? NULL : arena_calloc(parser->arena, 1, size);
	if (made == NULL && !parser->failed) {
		parser->failed = true;
		*parser->error = (struct tds_message){
			.number = 701,
			.severity = 17,
			.text = STR_LIT("There is insufficient system memory to run this query."),
		};
	}
	return made;
}

void tds_parser_fail(struct tds_parser *parser, uint32_t number, const char *format,
		     struct str text)
{
	if (parser->failed) {
		return;
	}
	/* Room for any of our formats and the longest text that is worth showing. */
	char *sentence = tds_parser_new(parser, 512);
	if (sentence == NULL) {
		return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(sentence, 512, format,
		       STR_ARG(str_slice(text, 0, 128))); /* a cut sentence is fine */
#pragma GCC diagnostic pop
	parser->failed = true;
	*parser->error = (struct tds_message){.number = number,
					      .state = 1,
					      .severity = 15,
					      .text = str_of(sentence),
					      .line = parser->token.line};
}

static bool is_reserved(struct str word)
{
	static const char *const reserved[] = {
		"ALL",     "AND",      "AS",       "ASC",    "BEGIN",  "BETWEEN", "BY",
		"CASE",    "COALESCE", "CONVERT",  "CREATE", "CROSS",  "DECLARE", "DEFAULT",
		"DELETE",  "DESC",     "DISTINCT", "DROP",   "ELSE",   "END",     "EXEC",
		"EXECUTE", "EXISTS",   "FOR",      "FROM",   "FULL",   "GROUP",   "HAVING",
		"IF",      "IN",       "INNER",    "INSERT", "INTO",   "IS",      "JOIN",
		"LEFT",    "LIKE",     "MERGE",    "NOT",    "NULL",   "ON",      "OPTION",
		"OR",      "ORDER",    "OUTER",    "PRINT",  "RIGHT",  "SELECT",  "SET",
		"THEN",    "TOP",      "TRUNCATE", "UNION",  "UPDATE", "USE",     "VALUES",
		"WHEN",    "WHERE",    "WHILE",    "WITH",
	};
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (str_equal_fold(word, str_of(reserved[i]))) {
			return true;
		}
	}
	return false;
}

void tds_parser_refuse(struct tds_parser *parser)
{
	struct tds_lexeme token = parser->token;
	if (token.kind == TDS_LEX_BROKEN) {
		tds_parser_fail(parser, 105,
				"Unclosed quotation mark after the character string '%.*s'.",
				token.text);
	} else if (token.kind == TDS_LEX_NAME && is_reserved(token.text)) {
		tds_parser_fail(parser, 156, "Incorrect syntax near the keyword '%.*s'.",
				token.text);
	} else {
		tds_parser_fail(parser, 102, "Incorrect syntax near '%.*s'.", token.text);
	}
}

void tds_parser_step(struct tds_parser *parser)
{
	parser->token = tds_lexer_next(&parser->lexer);
	if (parser->token.kind == TDS_LEX_BROKEN) {
		tds_parser_refuse(parser);
	}
}

bool tds_parser_at_word(const struct tds_parser *parser, const char *word)
{
	return parser->token.kind == TDS_LEX_NAME &&
	       str_equal_fold(parser->token.text, str_of(word));
}

bool tds_parser_at_sign(const struct tds_parser *parser, const char *sign)
{
	return parser->token.kind == TDS_LEX_SIGN && str_is(parser->token.text, sign);
}

bool tds_parser_word(struct tds_parser *parser, const char *word)
{
	bool there = tds_parser_at_word(parser, word);
	if (there) {
		tds_parser_step(parser);
	}
	return there;
}

bool tds_parser_sign(struct tds_parser *parser, const char *sign)
{
	bool there = tds_parser_at_sign(parser, sign);
	if (there) {
		tds_parser_step(parser);
	}
	return there;
}

void tds_parser_need(struct tds_parser *parser, const char *sign)
{
	if (!tds_parser_sign(parser, sign)) {
		tds_parser_refuse(parser);
	}
}

bool tds_parser_at_name(const struct tds_parser *parser)
{
	return parser->token.kind == TDS_LEX_QUOTED ||
	       (parser->token.kind == TDS_LEX_NAME && !is_reserved(parser->token.text));
}

struct str tds_parser_name(struct tds_parser *parser)
{
	struct str text = parser->token.text;
	bool special = tds_parser_at_word(parser, "LEFT") || tds_parser_at_word(parser, "RIGHT") ||
		       tds_parser_at_word(parser, "CONVERT") ||
		       tds_parser_at_word(parser, "COALESCE");
	if (!tds_parser_at_name(parser) && !special) {
		tds_parser_refuse(parser);
		return STR_LIT("");
	}
	if (parser->token.kind == TDS_LEX_QUOTED) {
		char *copy = tds_parser_new(parser, text.len + 1);
		size_t len = 0;
		for (size_t i = 0; copy != NULL && i < text.len; i++) {
			copy[len] = text.ptr[i];
			len++;
			i += text.ptr[i] == ']' || text.ptr[i] == '"';
		}
		text = str_make(copy, len);
	}
	tds_parser_step(parser);
	return text;
}

/* The name behind AS, or a name that just stands there. */
static struct str parse_alias(struct tds_parser *parser)
{
	if (tds_parser_word(parser, "AS") || tds_parser_at_name(parser)) {
		if (parser->token.kind == TDS_LEX_STRING || parser->token.kind == TDS_LEX_NSTRING) {
			struct str text = parser->token.text;
			tds_parser_step(parser);
			return text;
		}
		return tds_parser_name(parser);
	}
	return STR_LIT("");
}

/* One item of a SELECT list: *, expression [AS alias], alias = expression. */
static struct tds_item *parse_item(struct tds_parser *parser)
{
	struct tds_item *item = tds_parser_new(parser, sizeof(*item));
	if (item == NULL) {
		return NULL;
	}
	if (tds_parser_at_sign(parser, "*")) {
		item->node = tds_parser_new(parser, sizeof(*item->node));
		if (item->node != NULL) {
			item->node->kind = TDS_NODE_STAR;
		}
		tds_parser_step(parser);
		return item;
	}
	if (tds_parser_at_name(parser)) {
		struct tds_parser before = *parser;
		item->alias = tds_parser_name(parser);
		if (tds_parser_sign(parser, "=")) {
			item->node = tds_parser_expression(parser);
			return item;
		}
		if (!parser->failed) {
			*parser = before;
		}
	}
	item->node = tds_parser_expression(parser);
	item->alias = parse_alias(parser);
	return item;
}

static struct tds_item *parse_items(struct tds_parser *parser)
{
	struct tds_item *first = NULL;
	struct tds_item **to = &first;
	do {
		*to = parse_item(parser);
		if (*to == NULL) {
			return first;
		}
		to = &(*to)->next;
	} while (tds_parser_sign(parser, ","));
	return first;
}

static struct tds_item *parse_order(struct tds_parser *parser)
{
	struct tds_item *first = NULL;
	struct tds_item **to = &first;
	do {
		struct tds_item *item = tds_parser_new(parser, sizeof(*item));
		if (item == NULL) {
			return first;
		}
		item->node = tds_parser_expression(parser);
		item->descending = tds_parser_word(parser, "DESC");
		if (!item->descending) {
			(void)tds_parser_word(parser, "ASC"); /* says what holds anyway */
		}
		*to = item;
		to = &item->next;
	} while (tds_parser_sign(parser, ","));
	return first;
}

/* A table or function with up to three parts in its name. */
static void parse_from(struct tds_parser *parser, struct tds_from *from)
{
	from->object = tds_parser_name(parser);
	for (int part = 0; part < 2 && tds_parser_sign(parser, "."); part++) {
		from->database = from->schema;
		from->schema = from->object;
		from->object =
			tds_parser_at_sign(parser, ".") ? STR_LIT("dbo") : tds_parser_name(parser);
	}
	from->function = tds_parser_sign(parser, "(");
	struct tds_node **to = &from->argument;
	if (from->function && !tds_parser_sign(parser, ")")) {
		do {
			*to = tds_parser_expression(parser);
			if (*to == NULL) {
				return;
			}
			to = &(*to)->next;
		} while (tds_parser_sign(parser, ","));
		tds_parser_need(parser, ")");
	}
	from->alias = parse_alias(parser);
	if (tds_parser_word(parser, "WITH")) { /* (NOLOCK): there are no locks here */
		tds_parser_need(parser, "(");
		(void)tds_parser_name(parser); /* which hint makes no difference */
		tds_parser_need(parser, ")");
	}
}

static void parse_top(struct tds_parser *parser, struct tds_statement *select)
{
	if (!tds_parser_word(parser, "TOP")) {
		return;
	}
	bool parenthesis = tds_parser_at_sign(parser, "(");
	if (!parenthesis && parser->token.kind != TDS_LEX_NUMBER) {
		tds_parser_refuse(parser);
		return;
	}
	struct tds_node *node;
	if (parenthesis) {
		tds_parser_step(parser);
		node = tds_parser_expression(parser);
		tds_parser_need(parser, ")");
	} else { /* a bare number: what follows is the first item, even a star */
		node = tds_parser_new(parser, sizeof(*node));
		uint64_t number = 0;
		for (size_t i = 0; i < parser->token.text.len && number < INT32_MAX; i++) {
			number = 10 * number + (uint64_t)(parser->token.text.ptr[i] - '0');
		}
		if (node != NULL) {
			node->value.number = (int64_t)number;
			node->type.length = 8;
		}
		tds_parser_step(parser);
	}
	select->top = node;
}

static void parse_select(struct tds_parser *parser, struct tds_statement *select)
{
	select->kind = TDS_SELECT;
	select->distinct = tds_parser_word(parser, "DISTINCT");
	if (!select->distinct) {
		(void)tds_parser_word(parser, "ALL"); /* says what holds anyway */
	}
	parse_top(parser, select);
	select->item = parse_items(parser);
	if (tds_parser_word(parser, "FROM")) {
		parse_from(parser, &select->from);
	}
	if (tds_parser_word(parser, "WHERE")) {
		select->where = tds_parser_condition(parser);
	}
	if (tds_parser_word(parser, "ORDER")) {
		if (!tds_parser_word(parser, "BY")) {
			tds_parser_refuse(parser);
		}
		select->order = parse_order(parser);
	}
	if (tds_parser_word(parser,
			    "OPTION")) { /* (RECOMPILE), (MAXDOP 1): there are no plans here */
		tds_parser_need(parser, "(");
		while (!parser->failed && !tds_parser_at_sign(parser, ")") &&
		       parser->token.kind != TDS_LEX_END) {
			tds_parser_step(parser);
		}
		tds_parser_need(parser, ")");
	}
}

static bool at_statement(const struct tds_parser *parser)
{
	return tds_parser_at_word(parser, "SELECT") || tds_parser_at_word(parser, "SET") ||
	       tds_parser_at_word(parser, "USE") || tds_parser_at_word(parser, "DECLARE") ||
	       tds_parser_at_word(parser, "PRINT") || tds_parser_at_sign(parser, ";") ||
	       parser->token.kind == TDS_LEX_END;
}

static void parse_set(struct tds_parser *parser, struct tds_statement *set)
{
	static const char *const known[] = {
		"ANSI_DEFAULTS",
		"ANSI_NULLS",
		"ANSI_NULL_DFLT_ON",
		"ANSI_PADDING",
		"ANSI_WARNINGS",
		"ARITHABORT",
		"CONCAT_NULL_YIELDS_NULL",
		"CONTEXT_INFO",
		"CURSOR_CLOSE_ON_COMMIT",
		"DATEFIRST",
		"DATEFORMAT",
		"DEADLOCK_PRIORITY",
		"IMPLICIT_TRANSACTIONS",
		"LANGUAGE",
		"LOCK_TIMEOUT",
		"NOCOUNT",
		"NUMERIC_ROUNDABORT",
		"QUERY_GOVERNOR_COST_LIMIT",
		"QUOTED_IDENTIFIER",
		"ROWCOUNT",
		"TEXTSIZE",
		"TRANSACTION",
		"XACT_ABORT",
	};
	if (parser->token.kind == TDS_LEX_VARIABLE) {
		set->kind = TDS_SET_VARIABLE;
		set->name = parser->token.text;
		tds_parser_step(parser);
		tds_parser_need(parser, "=");
		set->value = tds_parser_expression(parser);
		return;
	}
	set->kind = TDS_SET_OPTION;
	bool found = false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		found = found || tds_parser_at_word(parser, known[i]);
	}
	if (!found) {
		tds_parser_fail(parser, 195, "'%.*s' is not a recognized SET option.",
				parser->token.text);
		return;
	}
	tds_parser_step(parser);
	if (at_statement(parser)) {
		tds_parser_refuse(parser);
	}
	while (!parser->failed && !at_statement(parser)) {
		tds_parser_step(parser);
	}
}

/* Variables with their types, and their values when they have one, behind DECLARE. The first is `statement` itself. */
static void parse_declare(struct tds_parser *parser, struct tds_statement *statement)
{
	for (;;) {
		if (parser->token.kind != TDS_LEX_VARIABLE) {
			tds_parser_refuse(parser);
			return;
		}
		statement->kind = TDS_SET_VARIABLE;
		statement->declares = true;
		statement->name = parser->token.text;
		tds_parser_step(parser);
		(void)tds_parser_word(parser, "AS"); /* may stand there */
		statement->type = tds_parser_type(parser);
		if (tds_parser_sign(parser, "=")) {
			statement->value = tds_parser_expression(parser);
		}
		(void)(tds_parser_word(parser, "OUTPUT") ||
		       tds_parser_word(parser, "OUT")); /* nothing goes out */
		if (!tds_parser_sign(parser, ",")) {
			return;
		}
		statement->next = tds_parser_new(parser, sizeof(*statement));
		if (statement->next == NULL) {
			return;
		}
		statement->next->line = statement->line;
		statement = statement->next;
	}
}

static void parse_statement(struct tds_parser *parser, struct tds_statement *statement)
{
	statement->line = parser->token.line;
	if (tds_parser_word(parser, "SELECT")) {
		parse_select(parser, statement);
	} else if (tds_parser_word(parser, "SET")) {
		parse_set(parser, statement);
	} else if (tds_parser_word(parser, "USE")) {
		statement->kind = TDS_USE;
		statement->name = tds_parser_name(parser);
	} else if (tds_parser_word(parser, "PRINT")) {
		statement->kind = TDS_PRINT;
		statement->value = tds_parser_expression(parser);
	} else if (tds_parser_word(parser, "DECLARE")) {
		parse_declare(parser, statement);
	} else {
		tds_parser_refuse(parser);
	}
}

static struct tds_parser parser_over(struct str text, struct arena *arena,
				     struct tds_message *out_error)
{
	struct tds_parser parser = {
		.lexer = {.rest = text, .line = 1}, .arena = arena, .error = out_error};
	tds_parser_step(&parser);
	return parser;
}

bool tds_sql_parse(struct str text, struct arena *arena, struct tds_statement **out_first,
		   struct tds_message *out_error)
{
	struct tds_parser parser = parser_over(text, arena, out_error);
	struct tds_statement *first = NULL;
	struct tds_statement **to = &first;
	while (!parser.failed) {
		while (tds_parser_sign(&parser, ";")) {
		}
		if (parser.token.kind == TDS_LEX_END) {
			break;
		}
		*to = tds_parser_new(&parser, sizeof(**to));
		if (*to == NULL) {
			break;
		}
		parse_statement(&parser, *to);
		while (*to != NULL) {
			to = &(*to)->next;
		}
		if (!parser.failed && !at_statement(&parser)) {
			tds_parser_refuse(&parser);
		}
	}
	*out_first = first;
	return !parser.failed;
}

bool tds_sql_parse_parameters(struct str text, struct arena *arena,
			      struct tds_statement **out_first, struct tds_message *out_error)
{
	struct tds_parser parser = parser_over(text, arena, out_error);
	struct tds_statement *first = NULL;
	if (!parser.failed && parser.token.kind != TDS_LEX_END) {
		first = tds_parser_new(&parser, sizeof(*first));
		if (first != NULL) {
			parse_declare(&parser, first);
		}
		if (parser.token.kind != TDS_LEX_END) {
			tds_parser_refuse(&parser);
		}
	}
	*out_first = first;
	return !parser.failed;
}
