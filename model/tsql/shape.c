#include "model/tsql/template.h"

#include "model/tsql/word.h"

/* A shape on its way. */
struct shape {
	struct buf *out;
	size_t begin;             /* where it stands in out */
	bool in_list;             /* behind IN ( */
	bool has_value;           /* the list has its "?" */
	bool tight;               /* no blank before what comes next */
	enum tsql_word last_word; /* of the token before, NONE for other kinds */
	bool after_in;
	bool in_values;   /* behind VALUES, rows follow */
	unsigned depth;   /* of parentheses */
	size_t row_start; /* where the row that is open begins */
	size_t row_begin; /* the row before it; row_end 0 = none */
	size_t row_end;
};

static void put(struct shape *shape, struct str text)
{
	if (!shape->tight && shape->out->len > shape->begin) {
		buf_put_byte(shape->out, ' ');
	}
	shape->tight = false;
	buf_put_str(shape->out, text);
}

static void put_upper(struct shape *shape, struct str text)
{
	char c;

	put(shape, STR_LIT(""));
	for (size_t i = 0; i < text.len; i++) {
		c = text.ptr[i];
		buf_put_byte(shape->out, (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
	}
}

static void put_word(struct shape *shape, struct str text)
{
	enum tsql_word word = tsql_word_of(text);
	bool is_name = shape->tight && shape->out->len > shape->begin &&
		       shape->out->ptr[shape->out->len - 1] == '.';

	if (word != TSQL_W_NONE && !is_name) {
		put_upper(shape, text);
	} else {
		put(shape, text);
	}
	if (!is_name && shape->depth == 0) {
		shape->in_values = word == TSQL_W_VALUES;
		shape->row_end = 0;
	}
	shape->after_in = word == TSQL_W_IN;
	shape->last_word = word;
}

static void put_literal(struct shape *shape)
{
	if (!shape->in_list || !shape->has_value) {
		put(shape, STR_LIT("?"));
	}
	shape->has_value = true;
	shape->after_in = false;
}

/* A row of VALUES is closed: when it reads like the one before, it goes. */
static void end_row(struct shape *shape)
{
	struct buf *out = shape->out;
	struct str row = str_slice(buf_str(out), shape->row_start, out->len);
	struct str before =
		str_slice(buf_str(out), shape->row_begin, shape->row_end - shape->row_begin);

	if (shape->row_end != 0 && str_equal(row, before)) {
		buf_truncate(out, shape->row_end);
		return;
	}
	shape->row_begin = shape->row_start;
	shape->row_end = out->len;
}

static void open_paren(struct shape *shape, bool is_call)
{
	shape->tight = shape->tight || is_call;
	put(shape, STR_LIT("("));
	shape->tight = true;
	shape->in_list = shape->after_in;
	shape->has_value = false;
	if (shape->depth == 0 && shape->in_values) {
		shape->row_start = shape->out->len - 1;
	}
	shape->depth++;
}

static void close_paren(struct shape *shape)
{
	shape->tight = true;
	put(shape, STR_LIT(")"));
	shape->in_list = false;
	if (shape->depth > 0 && --shape->depth == 0 && shape->in_values) {
		end_row(shape);
	}
}

static void put_mark(struct shape *shape, const struct tsql_token *token, bool after_name)
{
	char mark = token->whole.ptr[0];

	if (tsql_is_mark(token, '(')) {
		open_paren(shape, after_name && !shape->after_in);
	} else if (tsql_is_mark(token, ')')) {
		close_paren(shape);
	} else if (tsql_is_mark(token, ',') && shape->in_list && shape->has_value) {
		/* the list of literals is one */
	} else if (mark == '.' || mark == ',' || mark == ';') {
		shape->tight = true;
		put(shape, token->whole);
		shape->tight = mark == '.';
	} else {
		put(shape, token->whole);
		shape->in_list = false;
	}
	shape->after_in = false;
	shape->last_word = TSQL_W_NONE;
}

void tsql_shape_put(struct str text, const struct tsql_options *options, struct buf *out)
{
	struct shape shape = {.out = out, .begin = out->len, .tight = true};
	struct tsql_reader reader = tsql_reader(text);
	struct tsql_token token;
	bool after_name = false;

	reader.quotes_are_strings = options != NULL && options->quotes_are_strings;
	while (tsql_next(&reader, &token)) {
		if (token.kind == TSQL_UNKNOWN || !token.closed) {
			put(&shape, STR_LIT("?"));
			return;
		}
		switch (token.kind) {
		case TSQL_SPACE:
		case TSQL_COMMENT:
			continue;
		case TSQL_STRING:
		case TSQL_NUMBER:
		case TSQL_HEX:
		case TSQL_MONEY:
			put_literal(&shape);
			break;
		case TSQL_WORD:
			put_word(&shape, token.whole);
			break;
		case TSQL_VARIABLE:
		case TSQL_QUOTED:
		case TSQL_GO:
		case TSQL_UNKNOWN:
			shape.in_list = false;
			put(&shape, token.whole);
			break;
		case TSQL_MARK:
			put_mark(&shape, &token, after_name);
			break;
		}
		after_name = token.kind == TSQL_QUOTED ||
			     (token.kind == TSQL_WORD &&
			      (tsql_word_properties(shape.last_word) & TSQL_WORD_RESERVED) == 0);
	}
}
