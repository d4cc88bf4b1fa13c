#include <stdio.h>

#include "base/parse.h"
#include "tests/sim/tds-parser.h"

#define DEPTH_MAX 64
#define NODES_MAX 4096 /* of one batch */

/* Chains of AND and + are trees as deep as they are long: the number of nodes bounds both. */
static void too_deep(struct tds_parser *parser)
{
	tds_parser_fail(parser, 191,
			"Some part of your SQL statement is nested too deeply. Rewrite the query "
			"or break it up into "
			"smaller queries.%.*s",
			STR_LIT(""));
}

static struct tds_node *new_node(struct tds_parser *parser, enum tds_node_kind kind)
{
	parser->node_count++;
	if (parser->node_count > NODES_MAX) {
		too_deep(parser);
	}
	struct tds_node *node = tds_parser_new(parser, sizeof(*node));
	if (node != NULL) {
		node->kind = kind;
		node->line = parser->token.line;
	}
	return node;
}

/* A node over two others; NULL when one of them is. */
static struct tds_node *over(struct tds_parser *parser, enum tds_node_kind kind,
			     struct tds_node *left, struct tds_node *right)
{
	struct tds_node *node = new_node(parser, kind);
	if (node == NULL || left == NULL || right == NULL) {
		return NULL;
	}
	node->child = left;
	left->next = right;
	return node;
}

/* A copy of a node, so that one operand can stand in two places. */
static struct tds_node *again(struct tds_parser *parser, const struct tds_node *node)
{
	struct tds_node *copy = tds_parser_new(parser, sizeof(*copy));
	if (copy != NULL && node != NULL) {
		*copy = *node;
		copy->next = NULL;
	}
	return node != NULL ? copy : NULL;
}

static struct tds_node *compare(struct tds_parser *parser, char op, struct tds_node *left,
				struct tds_node *right)
{
	struct tds_node *node = over(parser, TDS_NODE_COMPARE, left, right);
	if (node != NULL) {
		node->op = op;
	}
	return node;
}

static bool enter(struct tds_parser *parser)
{
	parser->depth++;
	if (parser->depth > DEPTH_MAX) {
		too_deep(parser);
	}
	return !parser->failed;
}

static uint16_t parse_length(struct tds_parser *parser, uint16_t otherwise)
{
	uint64_t length = otherwise;
	if (tds_parser_sign(parser, "(")) {
		if (tds_parser_word(parser, "max")) {
			length = TDS_LENGTH_MAX;
		} else if (!parse_u64(parser->token.text, &length) || length > 8000) {
			tds_parser_refuse(parser);
		} else {
			tds_parser_step(parser);
		}
		tds_parser_need(parser, ")");
	}
	return (uint16_t)length;
}

struct tds_type tds_parser_type(struct tds_parser *parser)
{
	static const struct {
		const char *name;
		enum tds_kind kind;
		uint16_t length; /* when none is given */
	} known[] = {
		{"int", TDS_INT, 4},
		{"bigint", TDS_INT, 8},
		{"smallint", TDS_INT, 2},
		{"tinyint", TDS_INT, 1},
		{"bit", TDS_BIT, 0},
		{"varchar", TDS_VARCHAR, 30},
		{"char", TDS_VARCHAR, 30},
		{"nvarchar", TDS_NVARCHAR, 30},
		{"nchar", TDS_NVARCHAR, 30},
		{"sysname", TDS_NVARCHAR, 128},
		{"varbinary", TDS_VARBINARY, 30},
		{"binary", TDS_VARBINARY, 30},
		{"datetime2", TDS_DATETIME2, 0},
		{"datetime", TDS_DATETIME2, 0},
		{"uniqueidentifier", TDS_GUID, 0},
		{"sql_variant", TDS_VARIANT, 0},
	};
	struct str name = tds_parser_name(parser);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !parser->failed; i++) {
		if (!str_equal_fold(name, str_of(known[i].name))) {
			continue;
		}
		struct tds_type type = {.kind = known[i].kind, .length = known[i].length};
		if (known[i].length >= 30 || type.kind == TDS_DATETIME2) {
			type.length = parse_length(parser, type.length);
		}
		type.length = type.kind == TDS_DATETIME2 ? 0 : type.length;
		return type;
	}
	tds_parser_fail(parser, 243, "Type %.*s is not a defined system type.", name);
	return (struct tds_type){0};
}

/* CAST(x AS type), CONVERT(type, x [, style]) and their TRY_ forms; the token stands behind the name. */
static struct tds_node *parse_cast(struct tds_parser *parser, bool convert, bool try)
{
	struct tds_node *node = new_node(parser, TDS_NODE_CAST);
	tds_parser_need(parser, "(");
	if (node == NULL) {
		return NULL;
	}
	node->negated = try;
	if (convert) {
		node->type = tds_parser_type(parser);
		tds_parser_need(parser, ",");
		node->child = tds_parser_expression(parser);
		if (tds_parser_sign(parser, ",") && node->child != NULL) {
			node->child->next = tds_parser_expression(parser);
		}
	} else {
		node->child = tds_parser_expression(parser);
		if (!tds_parser_word(parser, "AS")) {
			tds_parser_refuse(parser);
		}
		node->type = tds_parser_type(parser);
	}
	tds_parser_need(parser, ")");
	return node;
}

/* The list of arguments behind an opening parenthesis, up to and with the closing one. */
static void parse_arguments(struct tds_parser *parser, struct tds_node *call)
{
	struct tds_node **to = &call->child;
	if (tds_parser_sign(parser, ")")) {
		return;
	}
	do {
		if (tds_parser_at_sign(parser, "*")) {
			*to = new_node(parser, TDS_NODE_STAR);
			tds_parser_step(parser);
		} else {
			*to = tds_parser_expression(parser);
		}
		if (*to == NULL) {
			return;
		}
		to = &(*to)->next;
	} while (tds_parser_sign(parser, ","));
	tds_parser_need(parser, ")");
}

static struct tds_node *parse_case(struct tds_parser *parser)
{
	struct tds_node *node = new_node(parser, TDS_NODE_CASE);
	struct tds_node *subject =
		tds_parser_at_word(parser, "WHEN") ? NULL : tds_parser_expression(parser);
	struct tds_node **to = node != NULL ? &node->child : NULL;
	if (!tds_parser_at_word(parser, "WHEN")) {
		tds_parser_refuse(parser);
	}
	while (!parser->failed && tds_parser_word(parser, "WHEN")) {
		struct tds_node *when = subject == NULL
						? tds_parser_condition(parser)
						: compare(parser, '=', again(parser, subject),
							  tds_parser_expression(parser));
		if (!tds_parser_word(parser, "THEN")) {
			tds_parser_refuse(parser);
		}
		struct tds_node *then = tds_parser_expression(parser);
		if (when == NULL || then == NULL) {
			return NULL;
		}
		*to = when;
		when->next = then;
		to = &then->next;
	}
	if (!parser->failed && tds_parser_word(parser, "ELSE")) {
		*to = tds_parser_expression(parser);
	}
	if (!tds_parser_word(parser, "END")) {
		tds_parser_refuse(parser);
	}
	return node;
}

/* A name: a column, a call, or a column behind its table's name. */
static struct tds_node *parse_named(struct tds_parser *parser)
{
	bool bare = parser->token.kind == TDS_LEX_NAME;
	struct str name = tds_parser_name(parser);
	bool call = tds_parser_at_sign(parser, "(");
	if (bare && call) {
		bool try = str_has_prefix(name, STR_LIT("TRY_")) ||
			   str_has_prefix(name, STR_LIT("try_"));
		struct str plain = str_slice(name, try ? 4 : 0, SIZE_MAX);
		if (str_equal_fold(plain, STR_LIT("CAST")) ||
		    str_equal_fold(plain, STR_LIT("CONVERT"))) {
			return parse_cast(parser, plain.len == 7, try);
		}
	}
	struct tds_node *node = new_node(parser, call ? TDS_NODE_CALL : TDS_NODE_COLUMN);
	if (node == NULL) {
		return NULL;
	}
	node->name = name;
	if (tds_parser_sign(parser, "(")) {
		parse_arguments(parser, node);
		return node;
	}
	while (tds_parser_sign(parser, ".")) {
		node->qualifier = node->name; /* of schema.table.column the table is what we know */
		if (tds_parser_sign(parser, "*")) {
			node->kind = TDS_NODE_STAR;
			return node;
		}
		node->name = tds_parser_name(parser);
	}
	return node;
}

static struct tds_node *value_node(struct tds_parser *parser, enum tds_kind kind, size_t length)
{
	struct tds_node *node = new_node(parser, TDS_NODE_VALUE);
	if (node != NULL) {
		node->value.kind = kind;
		node->type = (struct tds_type){.kind = kind, .length = (uint16_t)length};
	}
	return node;
}

/* A quoted text with its doubled marks undone. */
static struct str unquote(struct tds_parser *parser, struct str text, char mark)
{
	char *copy = tds_parser_new(parser, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; copy != NULL && i < text.len; i++) {
		copy[len] = text.ptr[i];
		len++;
		i += text.ptr[i] == mark;
	}
	return str_make(copy, len);
}

static struct tds_node *parse_text(struct tds_parser *parser)
{
	bool wide = parser->token.kind == TDS_LEX_NSTRING;
	struct str text = unquote(parser, parser->token.text, '\'');
	size_t units = tds_utf16_units(text);
	size_t length = units == 0 ? 1 : units > (wide ? 4000 : 8000) ? TDS_LENGTH_MAX : units;
	struct tds_node *node = value_node(parser, wide ? TDS_NVARCHAR : TDS_VARCHAR, length);
	if (node != NULL) {
		node->value.text = text;
	}
	tds_parser_step(parser);
	return node;
}

static struct tds_node *parse_number(struct tds_parser *parser)
{
	int64_t number;
	if (!parse_i64(parser->token.text, &number)) {
		tds_parser_fail(parser, 1007,
				"The number '%.*s' is out of the range for numeric representation.",
				parser->token.text);
		return NULL;
	}
	struct tds_node *node = value_node(parser, TDS_INT, number > INT32_MAX ? 8 : 4);
	if (node != NULL) {
		node->value.number = number;
	}
	tds_parser_step(parser);
	return node;
}

static struct tds_node *parse_binary(struct tds_parser *parser)
{
	struct buf bytes __attribute__((cleanup(buf_done)));
	buf_init(&bytes, 0);
	struct str digits = parser->token.text;
	if (digits.len % 2 == 1) { /* 0x1 is 0x01 */
		char first[2] = {'0', digits.ptr[0]};
		if (!parse_hex(str_make(first, 2), &bytes)) {
			tds_parser_refuse(parser);
		}
		digits = str_slice(digits, 1, SIZE_MAX);
	}
	if (!parse_hex(digits, &bytes)) {
		tds_parser_refuse(parser);
	}
	struct tds_node *node = value_node(parser, TDS_VARBINARY, bytes.len > 0 ? bytes.len : 1);
	if (node != NULL && arena_str(parser->arena, buf_str(&bytes), &node->value.text) != 0) {
		return NULL;
	}
	tds_parser_step(parser);
	return node;
}

static struct tds_node *parse_variable(struct tds_parser *parser)
{
	bool global = parser->token.kind == TDS_LEX_GLOBAL;
	struct tds_node *node = new_node(parser, global ? TDS_NODE_GLOBAL : TDS_NODE_VARIABLE);
	if (node != NULL) {
		node->name = parser->token.text;
	}
	tds_parser_step(parser);
	return node;
}

/* Minus and plus before an operand: 0 - operand. */
static struct tds_node *parse_primary(struct tds_parser *parser);
static struct tds_node *parse_signed(struct tds_parser *parser, char sign)
{
	struct tds_node *operand = parse_primary(parser);
	if (sign == '+' || operand == NULL) {
		return operand;
	}
	struct tds_node *node = over(parser, TDS_NODE_SUM, value_node(parser, TDS_INT, 4), operand);
	if (node != NULL) {
		node->op = '-';
	}
	return node;
}

static struct tds_node *parse_sign(struct tds_parser *parser)
{
	if (tds_parser_sign(parser, "(")) {
		struct tds_node *node = tds_parser_condition(parser);
		tds_parser_need(parser, ")");
		return node;
	}
	char sign = parser->token.text.ptr[0];
	if (sign != '-' && sign != '+') {
		tds_parser_refuse(parser);
		return NULL;
	}
	tds_parser_step(parser);
	return parse_signed(parser, sign);
}

static struct tds_node *parse_primary_inner(struct tds_parser *parser)
{
	switch (parser->token.kind) {
	case TDS_LEX_STRING:
	case TDS_LEX_NSTRING:
		return parse_text(parser);
	case TDS_LEX_NUMBER:
		return parse_number(parser);
	case TDS_LEX_BINARY:
		return parse_binary(parser);
	case TDS_LEX_VARIABLE:
	case TDS_LEX_GLOBAL:
		return parse_variable(parser);
	case TDS_LEX_SIGN:
		return parse_sign(parser);
	case TDS_LEX_NAME:
	case TDS_LEX_QUOTED:
		if (tds_parser_at_word(parser, "NULL") || tds_parser_at_word(parser, "DEFAULT")) {
			tds_parser_step(parser);
			struct tds_node *node = value_node(parser, TDS_INT, 4);
			if (node != NULL) {
				node->value.null = true;
			}
			return node;
		}
		if (tds_parser_word(parser, "CASE")) {
			return parse_case(parser);
		}
		/* LEFT and RIGHT are reserved words and functions at once. */
		if (tds_parser_at_name(parser) || tds_parser_at_word(parser, "LEFT") ||
		    tds_parser_at_word(parser, "RIGHT") || tds_parser_at_word(parser, "CONVERT") ||
		    tds_parser_at_word(parser, "COALESCE")) {
			return parse_named(parser);
		}
		break;
	case TDS_LEX_END:
	case TDS_LEX_BROKEN:
		break;
	}
	tds_parser_refuse(parser);
	return NULL;
}

static struct tds_node *parse_primary(struct tds_parser *parser)
{
	struct tds_node *node = enter(parser) ? parse_primary_inner(parser) : NULL;
	parser->depth--;
	return node;
}

/* Operands joined by the signs of one level, from the left. */
static struct tds_node *parse_chain(struct tds_parser *parser, const char *signs,
				    struct tds_node *(*operand)(struct tds_parser *))
{
	struct tds_node *node = operand(parser);
	while (node != NULL && parser->token.kind == TDS_LEX_SIGN && parser->token.text.len == 1) {
		char op = parser->token.text.ptr[0];
		if (op == '\0' || strchr(signs, op) == NULL) {
			break;
		}
		tds_parser_step(parser);
		node = over(parser, TDS_NODE_SUM, node, operand(parser));
		if (node != NULL) {
			node->op = op;
		}
	}
	return node;
}

static struct tds_node *parse_product(struct tds_parser *parser)
{
	return parse_chain(parser, "*/%", parse_primary);
}

struct tds_node *tds_parser_expression(struct tds_parser *parser)
{
	return parse_chain(parser, "+-", parse_product);
}

/* [NOT] IN (...), LIKE, BETWEEN behind their left operand. */
static struct tds_node *parse_named_predicate(struct tds_parser *parser, struct tds_node *left)
{
	bool negated = tds_parser_word(parser, "NOT");
	struct tds_node *node = NULL;
	if (tds_parser_word(parser, "IN")) {
		node = new_node(parser, TDS_NODE_IN);
		tds_parser_need(parser, "(");
		if (node != NULL) {
			parse_arguments(parser, node);
			left->next = node->child;
			node->child = left;
		}
	} else if (tds_parser_word(parser, "LIKE")) {
		node = over(parser, TDS_NODE_LIKE, left, tds_parser_expression(parser));
	} else if (tds_parser_word(parser, "BETWEEN")) {
		struct tds_node *low =
			compare(parser, 'g', again(parser, left), tds_parser_expression(parser));
		if (!tds_parser_word(parser, "AND")) {
			tds_parser_refuse(parser);
		}
		node = over(parser, TDS_NODE_AND, low,
			    compare(parser, 'l', left, tds_parser_expression(parser)));
	} else {
		tds_parser_refuse(parser);
	}
	if (node != NULL && negated) {
		struct tds_node *not = new_node(parser, TDS_NODE_NOT);
		if (not != NULL) {
			not ->child = node;
		}
		return not ;
	}
	return node;
}

static struct tds_node *parse_predicate(struct tds_parser *parser)
{
	static const struct {
		const char *sign;
		char op;
	} signs[] = {{"=", '='},  {"<>", 'n'}, {"!=", 'n'}, {"<", '<'}, {">", '>'},
		     {"<=", 'l'}, {">=", 'g'}, {"!<", 'g'}, {"!>", 'l'}};
	struct tds_node *left = tds_parser_expression(parser);
	for (size_t i = 0; left != NULL && i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (tds_parser_sign(parser, signs[i].sign)) {
			return compare(parser, signs[i].op, left, tds_parser_expression(parser));
		}
	}
	if (left != NULL && tds_parser_word(parser, "IS")) {
		struct tds_node *node = new_node(parser, TDS_NODE_IS_NULL);
		bool negated = tds_parser_word(parser, "NOT");
		if (!tds_parser_word(parser, "NULL")) {
			tds_parser_refuse(parser);
		}
		if (node != NULL) {
			node->negated = negated;
			node->child = left;
		}
		return node;
	}
	bool named = tds_parser_at_word(parser, "NOT") || tds_parser_at_word(parser, "IN") ||
		     tds_parser_at_word(parser, "LIKE") || tds_parser_at_word(parser, "BETWEEN");
	return left != NULL && named ? parse_named_predicate(parser, left) : left;
}

static struct tds_node *parse_not(struct tds_parser *parser)
{
	if (!tds_parser_word(parser, "NOT")) {
		return parse_predicate(parser);
	}
	struct tds_node *node = new_node(parser, TDS_NODE_NOT);
	if (node != NULL && enter(parser)) {
		node->child = parse_not(parser);
	}
	parser->depth--;
	return node;
}

static struct tds_node *parse_and(struct tds_parser *parser)
{
	struct tds_node *node = parse_not(parser);
	while (node != NULL && tds_parser_word(parser, "AND")) {
		node = over(parser, TDS_NODE_AND, node, parse_not(parser));
	}
	return node;
}

struct tds_node *tds_parser_condition(struct tds_parser *parser)
{
	struct tds_node *node = parse_and(parser);
	while (node != NULL && tds_parser_word(parser, "OR")) {
		node = over(parser, TDS_NODE_OR, node, parse_and(parser));
	}
	return node;
}
