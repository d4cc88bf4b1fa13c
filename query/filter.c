#include "query/filter.h"

#include <assert.h>

struct parser {
	struct lexer lexer;
	struct token token; /* the next one, not yet taken */
	struct arena *arena;
	unsigned depth;
	unsigned term_count;
	struct error *err;
};

static int parse_or(struct parser *parser, struct node **out_node);

static int advance(struct parser *parser)
{
	return lexer_next(&parser->lexer, &parser->token, parser->err);
}

static int new_node(struct parser *parser, enum node_type type, struct node **out_node)
{
	struct node *node = arena_calloc(parser->arena, 1, sizeof(*node));
	if (node == NULL) {
		return error_set(parser->err, ERR_LIMIT, "the query does not fit its memory limit");
	}
	node->type = type;
	*out_node = node;
	return 0;
}

static int unknown_field(struct parser *parser, const struct token *field)
{
	const char *refusal = word_refusal(field->text);
	if (refusal != NULL) {
		return lexer_error(parser->lexer.input, field->offset, parser->err,
				   "field \"%.*s\" %s", STR_ARG(field->text), refusal);
	}
	const char *near = word_nearest(field->text);
	if (near != NULL) {
		return lexer_error(parser->lexer.input, field->offset, parser->err,
				   "unknown field \"%.*s\"; did you mean \"%s\"?",
				   STR_ARG(field->text), near);
	}
	return lexer_error(parser->lexer.input, field->offset, parser->err,
			   "unknown field \"%.*s\"; \"querytrail help filter\" lists the fields, "
			   "and text to look for goes in quotes",
			   STR_ARG(field->text));
}

static int parse_term(struct parser *parser, struct node **out_node)
{
	struct token token = parser->token;
	if (parser->term_count >= QUERY_TERMS_MAX) {
		return error_set(parser->err, ERR_LIMIT, "the query has more than %d terms",
				 QUERY_TERMS_MAX);
	}
	struct node *node;
	int result = new_node(parser, NODE_TERM, &node);
	if (result != 0) {
		return result;
	}
	node->term = arena_calloc(parser->arena, 1, sizeof(*node->term));
	if (node->term == NULL) {
		return error_set(parser->err, ERR_LIMIT, "the query does not fit its memory limit");
	}
	node->index = parser->term_count++;
	struct token value = token;
	node->term->word = word_free_text();
	if (token.type == TOKEN_FIELD) {
		if (!word_find(token.text, &node->term->word)) {
			return unknown_field(parser, &token);
		}
		result = lexer_value(&parser->lexer, &token, &value, parser->err);
		if (result != 0) {
			return result;
		}
	}
	bool unequal = token.op == COMPARE_NOT_EQUAL || token.op == COMPARE_NO_MATCH;
	node->term->op = token.op == COMPARE_NOT_EQUAL  ? COMPARE_EQUAL
			 : token.op == COMPARE_NO_MATCH ? COMPARE_MATCH
							: token.op;
	node->term->value = value.text;
	node->term->value_offset = value.offset;
	node->term->is_quoted = value.type == TOKEN_PHRASE;
	*out_node = node;
	if (unequal) {
		result = new_node(parser, NODE_NOT, out_node);
		if (result != 0) {
			return result;
		}
		(*out_node)->left = node;
	}
	return advance(parser);
}

static int parse_group(struct parser *parser, struct node **out_node)
{
	size_t open = parser->token.offset;
	int result = advance(parser);
	if (result == 0 && parser->token.type == TOKEN_CLOSE) {
		return lexer_error(parser->lexer.input, open, parser->err,
				   "there is nothing between these parentheses");
	}
	if (result == 0) {
		result = parse_or(parser, out_node);
	}
	if (result != 0) {
		return result;
	}
	if (parser->token.type != TOKEN_CLOSE) {
		return lexer_error(parser->lexer.input, open, parser->err,
				   "the parenthesis that opens here is never closed");
	}
	return advance(parser);
}

static int expected_term(struct parser *parser)
{
	const struct token *token = &parser->token;
	switch (token->type) {
	case TOKEN_END:
		return lexer_error(parser->lexer.input, token->offset, parser->err,
				   "the query ends where a term should come");
	case TOKEN_CLOSE:
		return lexer_error(parser->lexer.input, token->offset, parser->err,
				   "this parenthesis closes nothing");
	case TOKEN_OPEN:
	case TOKEN_NOT:
	case TOKEN_OR:
	case TOKEN_AND:
	case TOKEN_FIELD:
	case TOKEN_WORD:
	case TOKEN_PHRASE:
		break;
	}
	return lexer_error(parser->lexer.input, token->offset, parser->err,
			   "\"%.*s\" needs a term on either side; put it in quotes to look for it "
			   "as text",
			   STR_ARG(token->text));
}

static int parse_unary(struct parser *parser, struct node **out_node)
{
	if (parser->depth >= QUERY_DEPTH_MAX) {
		return error_set(parser->err, ERR_LIMIT, "the query is nested deeper than %d",
				 QUERY_DEPTH_MAX);
	}
	parser->depth++;
	int result = 0;
	switch (parser->token.type) {
	case TOKEN_NOT: {
		struct node *node;
		result = new_node(parser, NODE_NOT, &node);
		result = result == 0 ? advance(parser) : result;
		result = result == 0 ? parse_unary(parser, &node->left) : result;
		if (result == 0) {
			*out_node = node;
		}
		break;
	}
	case TOKEN_OPEN:
		result = parse_group(parser, out_node);
		break;
	case TOKEN_FIELD:
	case TOKEN_WORD:
	case TOKEN_PHRASE:
		result = parse_term(parser, out_node);
		break;
	case TOKEN_END:
	case TOKEN_CLOSE:
	case TOKEN_OR:
	case TOKEN_AND:
		result = expected_term(parser);
		break;
	}
	parser->depth--;
	return result;
}

/* Joins what stands left and the next operand under a new node of the type. */
static int extend(struct parser *parser, enum node_type type, struct node **left,
		  int (*operand)(struct parser *, struct node **))
{
	struct node *node;
	int result = new_node(parser, type, &node);
	if (result != 0) {
		return result;
	}
	node->left = *left;
	result = operand(parser, &node->right);
	if (result == 0) {
		*left = node;
	}
	return result;
}

static int parse_and(struct parser *parser, struct node **out_node)
{
	int result = parse_unary(parser, out_node);
	while (result == 0 && parser->token.type != TOKEN_END &&
	       parser->token.type != TOKEN_CLOSE && parser->token.type != TOKEN_OR) {
		if (parser->token.type == TOKEN_AND) {
			result = advance(parser);
		}
		if (result == 0) {
			result = extend(parser, NODE_AND, out_node, parse_unary);
		}
	}
	return result;
}

static int parse_or(struct parser *parser, struct node **out_node)
{
	int result = parse_and(parser, out_node);
	while (result == 0 && parser->token.type == TOKEN_OR) {
		result = advance(parser);
		if (result == 0) {
			result = extend(parser, NODE_OR, out_node, parse_and);
		}
	}
	return result;
}

int query_parse(struct str text, struct arena *arena, struct query *out_query, struct error *err)
{
	struct parser parser = {.lexer = lexer_over(text, arena), .arena = arena, .err = err};
	int result = advance(&parser);
	struct node *root = NULL;
	if (result == 0 && parser.token.type == TOKEN_END) {
		result = new_node(&parser, NODE_ALL, &root);
	} else if (result == 0) {
		result = parse_or(&parser, &root);
	}
	if (result == 0 && parser.token.type != TOKEN_END) {
		result = expected_term(&parser);
	}
	if (result != 0) {
		return result;
	}
	*out_query = (struct query){
		.text = text, .root = root, .term_count = parser.term_count, .arena = arena};
	return 0;
}

static void put_quoted(struct str text, struct buf *out)
{
	buf_put_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\') {
			buf_put_byte(out, '\\');
		}
		buf_put_byte(out, (uint8_t)text.ptr[i]);
	}
	buf_put_byte(out, '"');
}

static void put_node(const struct node *node, struct buf *out)
{
	switch (node->type) {
	case NODE_ALL:
		return;
	case NODE_TERM:
		if (strcmp(node->term->word.name, word_free_text().name) != 0 ||
		    node->term->op != COMPARE_HAS) {
			buf_put_text(out, node->term->word.name);
			buf_put_text(out, compare_op_text(node->term->op));
		}
		put_quoted(node->term->value, out);
		return;
	case NODE_NOT:
		buf_put_text(out, "NOT ");
		put_node(node->left, out);
		return;
	case NODE_AND:
	case NODE_OR:
		buf_put_byte(out, '(');
		put_node(node->left, out);
		buf_put_text(out, node->type == NODE_AND ? " AND " : " OR ");
		put_node(node->right, out);
		buf_put_byte(out, ')');
		return;
	}
}

void query_put(const struct query *query, struct buf *out)
{
	put_node(query->root, out);
}
