#include "tests/sim/tds-eval.h"

#include <stdio.h>

#define SENTENCE_BYTES 512

void tds_scope_fail(struct tds_scope *scope, uint32_t number, uint8_t severity, const char *format,
		    struct str text)
{
	if (scope->failed) {
		return;
	}
	scope->failed = true;
	char sentence[SENTENCE_BYTES];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(sentence, sizeof(sentence), format,
		       STR_ARG(str_slice(text, 0, 256))); /* may be cut */
#pragma GCC diagnostic pop
	scope->error =
		(struct tds_message){.number = number, .state = 1, .severity = severity, .line = 1};
	scope->error.text = tds_keep(scope, scope->arena, str_of(sentence));
}

static bool bind_column(struct tds_scope *scope, struct tds_node *node)
{
	const struct tds_rows *rows = scope->rows;
	if (rows == NULL ||
	    (node->qualifier.len != 0 && !str_equal_fold(node->qualifier, rows->alias) &&
	     !str_equal_fold(node->qualifier, rows->name))) {
		if (node->qualifier.len != 0) {
			tds_scope_fail(scope, 4104, 16,
				       "The multi-part identifier \"%.*s\" could not be bound.",
				       node->qualifier);
		}
		tds_scope_fail(scope, 207, 16, "Invalid column name '%.*s'.", node->name);
		return false;
	}
	for (size_t i = 0; i < rows->column_count; i++) {
		if (str_equal_fold(node->name, rows->column[i].name)) {
			node->index = i;
			node->type = rows->column[i].type;
			return true;
		}
	}
	tds_scope_fail(scope, 207, 16, "Invalid column name '%.*s'.", node->name);
	return false;
}

static bool bind_variable(struct tds_scope *scope, struct tds_node *node)
{
	for (size_t i = 0; i < scope->variable_count; i++) {
		if (str_equal_fold(node->name, scope->variable[i].name)) {
			node->index = i;
			node->type = scope->variable[i].type;
			return true;
		}
	}
	tds_scope_fail(scope, 137, 15, "Must declare the scalar variable \"%.*s\".", node->name);
	return false;
}

/* The globals there are; the index is the place in this list. */
static const struct {
	const char *name;
	struct tds_type type;
} globals[] = {
	{"@@VERSION", {TDS_NVARCHAR, 300}},
	{"@@SERVERNAME", {TDS_NVARCHAR, 128}},
	{"@@SPID", {TDS_INT, 2}},
	{"@@ROWCOUNT", {TDS_INT, 4}},
	{"@@TRANCOUNT", {TDS_INT, 4}},
	{"@@ERROR", {TDS_INT, 4}},
	{"@@LANGUAGE", {TDS_NVARCHAR, 128}},
	{"@@MICROSOFTVERSION", {TDS_INT, 4}},
};

static bool bind_global(struct tds_scope *scope, struct tds_node *node)
{
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
		if (str_equal_fold(node->name, str_of(globals[i].name))) {
			node->index = i;
			node->type = globals[i].type;
			return true;
		}
	}
	tds_scope_fail(scope, 137, 15, "Must declare the scalar variable \"%.*s\".", node->name);
	return false;
}

static bool bind_call(struct tds_scope *scope, struct tds_node *node)
{
	const struct tds_function *function = tds_function_find(node->name);
	size_t count = 0;
	for (const struct tds_node *child = node->child; child != NULL; child = child->next) {
		count++;
	}
	if (function == NULL) {
		tds_scope_fail(scope, 195, 15, "'%.*s' is not a recognized built-in function name.",
			       node->name);
		return false;
	}
	if (!tds_function_takes(function, count)) {
		tds_scope_fail(scope, 174, 15,
			       "The %.*s function requires another number of arguments.",
			       node->name);
		return false;
	}
	node->index = tds_function_index(function);
	node->type = tds_function_type(node->index, node);
	return true;
}

/* The type of several branches: the one that has precedence, with the greatest length. NULL literals do not count. */
static struct tds_type wider(struct tds_type left, const struct tds_node *right)
{
	static const int order[] = {
		[TDS_VARBINARY] = 0, [TDS_VARCHAR] = 1, [TDS_NVARCHAR] = 2,  [TDS_GUID] = 3,
		[TDS_BIT] = 4,       [TDS_INT] = 5,     [TDS_DATETIME2] = 6, [TDS_VARIANT] = 7,
	};
	struct tds_type type = right->type;
	if (right->kind == TDS_NODE_VALUE && right->value.null) {
		return left;
	}
	bool numeric = left.kind == TDS_INT || type.kind == TDS_INT;
	uint16_t length = left.length > type.length && !(numeric && left.kind != TDS_INT)
				  ? left.length
				  : type.length;
	type.kind = order[left.kind] > order[type.kind] ? left.kind : type.kind;
	type.length = length;
	return type;
}

struct tds_type tds_type_of_branches(const struct tds_node *first)
{
	struct tds_type type = first->type;
	bool only_nulls = first->kind == TDS_NODE_VALUE && first->value.null;
	for (const struct tds_node *at = first->next; at != NULL; at = at->next) {
		type = only_nulls ? at->type : wider(type, at);
		only_nulls = only_nulls && at->kind == TDS_NODE_VALUE && at->value.null;
	}
	return type;
}

/* The type of a node whose children are bound. */
static struct tds_type type_of(const struct tds_node *node)
{
	struct tds_type type = node->child != NULL ? node->child->type : node->type;
	switch (node->kind) {
	case TDS_NODE_SUM: {
		struct tds_type sum = wider(type, node->child->next);
		bool text = sum.kind == TDS_VARCHAR || sum.kind == TDS_NVARCHAR;
		unsigned length = (unsigned)type.length + node->child->next->type.length;
		unsigned most = sum.kind == TDS_NVARCHAR ? 4000 : 8000;
		if (text && sum.length != TDS_LENGTH_MAX) {
			sum.length = (uint16_t)(length > most ? most : length);
		}
		return sum.kind == TDS_BIT ? (struct tds_type){TDS_INT, 4} : sum;
	}
	case TDS_NODE_CASE: {
		bool first = true;
		for (const struct tds_node *at = node->child; at != NULL; at = at->next) {
			const struct tds_node *result = at->next != NULL ? at->next : at;
			type = first ? result->type : wider(type, result);
			first = first && result->kind == TDS_NODE_VALUE && result->value.null;
			at = result;
		}
		return type;
	}
	case TDS_NODE_COMPARE:
	case TDS_NODE_LIKE:
	case TDS_NODE_IN:
	case TDS_NODE_IS_NULL:
	case TDS_NODE_AND:
	case TDS_NODE_OR:
	case TDS_NODE_NOT:
		return (struct tds_type){TDS_BIT, 0};
	case TDS_NODE_VALUE:
	case TDS_NODE_VARIABLE:
	case TDS_NODE_GLOBAL:
	case TDS_NODE_COLUMN:
	case TDS_NODE_STAR:
	case TDS_NODE_CALL:
	case TDS_NODE_CAST:
		break;
	}
	return node->type;
}

/* Functions whose first argument is a word of its own: DATEADD(hour, ...). */
static bool takes_word(const struct tds_node *node)
{
	return node->kind == TDS_NODE_CALL && (str_equal_fold(node->name, STR_LIT("DATEADD")) ||
					       str_equal_fold(node->name, STR_LIT("DATEDIFF")) ||
					       str_equal_fold(node->name, STR_LIT("DATEDIFF_BIG")));
}

bool tds_bind(struct tds_scope *scope, struct tds_node *node)
{
	struct tds_node *child = node->child;
	if (takes_word(node) && child != NULL) {
		child = child->next;
	}
	for (; child != NULL; child = child->next) {
		if (!tds_bind(scope, child)) {
			return false;
		}
	}
	switch (node->kind) {
	case TDS_NODE_COLUMN:
		return bind_column(scope, node);
	case TDS_NODE_VARIABLE:
		return bind_variable(scope, node);
	case TDS_NODE_GLOBAL:
		return bind_global(scope, node);
	case TDS_NODE_CALL:
		return bind_call(scope, node);
	case TDS_NODE_STAR:
		tds_scope_fail(scope, 102, 15, "Incorrect syntax near '%.*s'.", STR_LIT("*"));
		return false;
	case TDS_NODE_VALUE:
	case TDS_NODE_CAST:
	case TDS_NODE_CASE:
	case TDS_NODE_SUM:
	case TDS_NODE_COMPARE:
	case TDS_NODE_LIKE:
	case TDS_NODE_IN:
	case TDS_NODE_IS_NULL:
	case TDS_NODE_AND:
	case TDS_NODE_OR:
	case TDS_NODE_NOT:
		break;
	}
	node->type = type_of(node);
	return true;
}

bool tds_is_condition(const struct tds_node *node)
{
	return node->kind >= TDS_NODE_COMPARE;
}

static struct tds_value eval_global(const struct tds_scope *scope, const struct tds_node *node)
{
	const struct tds_facts *facts = scope->facts;
	switch (node->index) {
	case 0:
		return tds_text(TDS_NVARCHAR, facts->version_text);
	case 1:
		return tds_text(TDS_NVARCHAR, facts->server);
	case 2:
		return tds_number(TDS_INT, facts->spid);
	case 3:
		return tds_number(TDS_INT, facts->row_count);
	case 6:
		return tds_text(TDS_NVARCHAR, STR_LIT("us_english"));
	case 7:
		return tds_number(TDS_INT, 16 << 24);
	default:
		return tds_number(TDS_INT, 0);
	}
}

static struct tds_value eval_numbers(struct tds_scope *scope, char op, int64_t left, int64_t right)
{
	int64_t out = 0;
	bool broken = false;
	if ((op == '/' || op == '%') && right == 0) {
		tds_scope_fail(scope, 8134, 16, "Divide by zero error encountered.%.*s",
			       STR_LIT(""));
		return tds_null(TDS_INT);
	}
	if (op == '+') {
		broken = __builtin_add_overflow(left, right, &out);
	} else if (op == '-') {
		broken = __builtin_sub_overflow(left, right, &out);
	} else if (op == '*') {
		broken = __builtin_mul_overflow(left, right, &out);
	} else if (right == -1) {
		broken = op == '/' && __builtin_sub_overflow(INT64_C(0), left, &out);
	} else {
		out = op == '/' ? left / right : left % right;
	}
	if (broken) {
		tds_scope_fail(scope, 8115, 16,
			       "Arithmetic overflow error converting expression to data type %.*s.",
			       STR_LIT("bigint"));
	}
	return tds_number(TDS_INT, out);
}

static struct tds_value eval_sum(struct tds_scope *scope, const struct tds_node *node)
{
	struct tds_value left = tds_eval(scope, node->child);
	struct tds_value right = tds_eval(scope, node->child->next);
	if (left.null || right.null) {
		return tds_null(node->type.kind);
	}
	bool text = node->type.kind == TDS_VARCHAR || node->type.kind == TDS_NVARCHAR ||
		    node->type.kind == TDS_VARBINARY;
	struct tds_type type = node->type;
	type.length = text ? TDS_LENGTH_MAX : 8;
	left = tds_cast(scope, left, type, 0, false);
	right = tds_cast(scope, right, type, 0, false);
	if (scope->failed) {
		return tds_null(type.kind);
	}
	if (!text && type.kind != TDS_INT) {
		tds_scope_fail(scope, 8117, 16,
			       "Operand data type %.*s is invalid for this operator.",
			       STR_LIT("datetime2"));
		return tds_null(type.kind);
	}
	if (!text) {
		return eval_numbers(scope, node->op, left.number, right.number);
	}
	char *joined = arena_alloc(scope->scratch, left.text.len + right.text.len + 1);
	if (joined == NULL || node->op != '+') {
		tds_scope_fail(scope, 8117, 16,
			       "Operand data type %.*s is invalid for this operator.",
			       STR_LIT("nvarchar"));
		return tds_null(type.kind);
	}
	if (left.text.len > 0) {
		memcpy(joined, left.text.ptr, left.text.len);
	}
	if (right.text.len > 0) {
		memcpy(joined + left.text.len, right.text.ptr, right.text.len);
	}
	return tds_text(type.kind, str_make(joined, left.text.len + right.text.len));
}

static struct tds_value condition(bool known, bool yes)
{
	return (struct tds_value){.kind = TDS_BIT, .null = !known, .number = known && yes};
}

static struct tds_value eval_compare(struct tds_scope *scope, const struct tds_node *node)
{
	struct tds_value left = tds_eval(scope, node->child);
	struct tds_value right = tds_eval(scope, node->child->next);
	if (left.null || right.null) {
		return condition(false, false);
	}
	int order = tds_compare(scope, left, right);
	bool yes = false;
	switch (node->op) {
	case '=':
		yes = order == 0;
		break;
	case 'n':
		yes = order != 0;
		break;
	case '<':
		yes = order < 0;
		break;
	case '>':
		yes = order > 0;
		break;
	case 'l':
		yes = order <= 0;
		break;
	default:
		yes = order >= 0;
		break;
	}
	return condition(true, yes);
}

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Whether c belongs to the set at *at of the pattern ([a-f], [^x]); moves *at behind it. */
static bool in_set(struct str pattern, size_t *at, char c)
{
	size_t i = *at + 1;
	bool negated = i < pattern.len && pattern.ptr[i] == '^';
	bool found = false;
	for (i += negated; i < pattern.len && pattern.ptr[i] != ']'; i++) {
		unsigned char low = fold(pattern.ptr[i]);
		unsigned char high = low;
		if (i + 2 < pattern.len && pattern.ptr[i + 1] == '-' && pattern.ptr[i + 2] != ']') {
			high = fold(pattern.ptr[i + 2]);
			i += 2;
		}
		found = found || (fold(c) >= low && fold(c) <= high);
	}
	*at = i + 1;
	return found != negated;
}

/* LIKE: % any run, _ one byte, [..] one of a set. */
static bool like(struct str text, struct str pattern)
{
	size_t t = 0;
	size_t p = 0;
	size_t star = SIZE_MAX;
	size_t resume = 0;
	while (t < text.len) {
		size_t after = p + 1;
		bool more = p < pattern.len;
		if (more && pattern.ptr[p] == '%') {
			star = p;
			resume = t;
			p++;
			continue;
		}
		bool hit = more &&
			   (pattern.ptr[p] == '_' ||
			    (pattern.ptr[p] == '[' && in_set(pattern, &(size_t){p}, text.ptr[t])) ||
			    (pattern.ptr[p] != '[' && fold(pattern.ptr[p]) == fold(text.ptr[t])));
		if (hit) {
			if (pattern.ptr[p] == '[') {
				after = p;
				(void)in_set(pattern, &after,
					     text.ptr[t]); /* only to move behind the set */
			}
			p = after;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			resume++;
			t = resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '%') {
		p++;
	}
	return p >= pattern.len;
}

static struct tds_value eval_like(struct tds_scope *scope, const struct tds_node *node)
{
	const struct tds_type text = {TDS_NVARCHAR, TDS_LENGTH_MAX};
	struct tds_value left = tds_cast(scope, tds_eval(scope, node->child), text, 0, false);
	struct tds_value right =
		tds_cast(scope, tds_eval(scope, node->child->next), text, 0, false);
	bool known = !left.null && !right.null;
	return condition(known, known && like(left.text, right.text));
}

static struct tds_value eval_in(struct tds_scope *scope, const struct tds_node *node)
{
	struct tds_value left = tds_eval(scope, node->child);
	bool unknown = left.null;
	for (const struct tds_node *at = node->child->next; at != NULL && !left.null;
	     at = at->next) {
		struct tds_value right = tds_eval(scope, at);
		if (!right.null && tds_compare(scope, left, right) == 0) {
			return condition(true, true);
		}
		unknown = unknown || right.null;
	}
	return condition(!unknown, false);
}

static bool is_true(struct tds_value value)
{
	return !value.null && value.number != 0;
}

static struct tds_value eval_logic(struct tds_scope *scope, const struct tds_node *node)
{
	struct tds_value left = tds_eval(scope, node->child);
	if (node->kind == TDS_NODE_NOT) {
		return condition(!left.null, left.number == 0);
	}
	bool decides = !left.null && (left.number != 0) == (node->kind == TDS_NODE_OR);
	if (decides) {
		return left;
	}
	struct tds_value right = tds_eval(scope, node->child->next);
	bool right_decides = !right.null && (right.number != 0) == (node->kind == TDS_NODE_OR);
	return right_decides || !left.null ? right : left;
}

static struct tds_value eval_case(struct tds_scope *scope, const struct tds_node *node)
{
	for (const struct tds_node *at = node->child; at != NULL; at = at->next->next) {
		if (at->next == NULL) {
			return tds_cast(scope, tds_eval(scope, at), node->type, 0, false);
		}
		if (is_true(tds_eval(scope, at))) {
			return tds_cast(scope, tds_eval(scope, at->next), node->type, 0, false);
		}
	}
	return tds_null(node->type.kind);
}

static struct tds_value eval_cast(struct tds_scope *scope, const struct tds_node *node)
{
	struct tds_value style = tds_number(TDS_INT, 0);
	if (node->child->next != NULL) {
		style = tds_eval(scope, node->child->next);
	}
	return tds_cast(scope, tds_eval(scope, node->child), node->type, style.number,
			node->negated);
}

/* A dispatch over all kinds of nodes, hence its size. */
struct tds_value tds_eval(struct tds_scope *scope, const struct tds_node *node)
{
	struct tds_value value = tds_null(node->type.kind);
	if (scope->failed) {
		return value;
	}
	switch (node->kind) {
	case TDS_NODE_VALUE:
		return node->value;
	case TDS_NODE_VARIABLE:
		return scope->variable[node->index].value;
	case TDS_NODE_GLOBAL:
		return eval_global(scope, node);
	case TDS_NODE_COLUMN:
		scope->rows->get(scope->rows->owner, node->index, scope->scratch, &value);
		return value;
	case TDS_NODE_CALL:
		return tds_function_call(scope, node);
	case TDS_NODE_CAST:
		return eval_cast(scope, node);
	case TDS_NODE_CASE:
		return eval_case(scope, node);
	case TDS_NODE_SUM:
		return eval_sum(scope, node);
	case TDS_NODE_COMPARE:
		return eval_compare(scope, node);
	case TDS_NODE_LIKE:
		return eval_like(scope, node);
	case TDS_NODE_IN:
		return eval_in(scope, node);
	case TDS_NODE_IS_NULL:
		return condition(true, tds_eval(scope, node->child).null != node->negated);
	case TDS_NODE_AND:
	case TDS_NODE_OR:
	case TDS_NODE_NOT:
		return eval_logic(scope, node);
	case TDS_NODE_STAR:
		break;
	}
	return value;
}
