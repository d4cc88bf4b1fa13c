#include "model/tsql/walk.h"

#include <stdlib.h>

#define PARTS_MAX 4 /* of a name that is compared with itself */
#define STRIP_MAX 8 /* pairs of parentheses round a condition */

static bool is_literal(enum tsql_kind kind)
{
	return kind == TSQL_STRING || kind == TSQL_NUMBER || kind == TSQL_HEX || kind == TSQL_MONEY;
}

static bool is_name(enum tsql_kind kind)
{
	return kind == TSQL_WORD || kind == TSQL_QUOTED || kind == TSQL_VARIABLE;
}

/* An operand: pieces first..last. */
struct operand {
	size_t first, last;
	bool literal;
};

static bool read_left(const struct tsql_scan *scan, size_t op, struct operand *out)
{
	out->last = op - 1;
	out->first = op - 1;
	out->literal = is_literal(tsql_kind_at(scan, op - 1));
	if (out->literal) {
		return true;
	}
	if (!is_name(tsql_kind_at(scan, op - 1))) {
		return false;
	}
	for (int i = 1; i < PARTS_MAX && tsql_mark_at(scan, out->first - 1) == '.' &&
			is_name(tsql_kind_at(scan, out->first - 2));
	     i++) {
		out->first -= 2;
	}
	return true;
}

static bool read_right(const struct tsql_scan *scan, size_t op, struct operand *out)
{
	out->first = op + 1;
	out->last = op + 1;
	out->literal = is_literal(tsql_kind_at(scan, op + 1));
	if (out->literal) {
		return true;
	}
	if (!is_name(tsql_kind_at(scan, op + 1))) {
		return false;
	}
	for (int i = 1; i < PARTS_MAX && tsql_mark_at(scan, out->last + 1) == '.' &&
			is_name(tsql_kind_at(scan, out->last + 2));
	     i++) {
		out->last += 2;
	}
	return true;
}

/* What stands between the quotes of a string, or a number as it is. */
static struct str value_of(const struct tsql_scan *scan, size_t i)
{
	const struct tsql_piece *piece = tsql_piece_at(scan, i);
	struct str whole = tsql_text_at(scan, i);
	size_t open = 0;

	if (piece->kind == TSQL_MONEY) {
		open = whole.ptr[0] == '$' ? 1 : 0;
	} else if (piece->kind == TSQL_STRING) {
		open = whole.ptr[0] == 'N' || whole.ptr[0] == 'n' ? 2 : 1;
		whole.len -= (piece->flags & PIECE_CLOSED) != 0 ? 1 : 0;
	}
	return str_slice(whole, open, whole.len);
}

/* The value of digits with a point and an exponent; false when it is no number of moderate length. */
static bool to_number(struct str text, double *out)
{
	char copy[64];
	char *end;

	if (text.len == 0 || text.len >= sizeof(copy) || text.ptr[0] > '9') {
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*out = strtod(copy, &end);
	return end == copy + text.len;
}

/* How two literals compare: -1, 0, 1; 2 when that is not known. */
static int compare_literals(const struct tsql_scan *scan, size_t a, size_t b)
{
	struct str left = value_of(scan, a);
	struct str right = value_of(scan, b);
	double x;
	double y;

	if (tsql_kind_at(scan, a) == TSQL_STRING && tsql_kind_at(scan, b) == TSQL_STRING) {
		if (str_equal_fold(left, right)) {
			return 0;
		}
		return str_compare(left, right) < 0 ? -1 : 1;
	}
	if (tsql_kind_at(scan, a) == TSQL_HEX && tsql_kind_at(scan, b) == TSQL_HEX) {
		return str_equal_fold(left, right) ? 0 : 2;
	}
	if (!to_number(str_trim(left), &x) || !to_number(str_trim(right), &y)) {
		return 2;
	}
	return x < y ? -1 : x > y ? 1 : 0;
}

static bool same_name(const struct tsql_scan *scan, const struct operand *a,
		      const struct operand *b)
{
	if (a->last - a->first != b->last - b->first) {
		return false;
	}
	for (size_t i = 0; i <= a->last - a->first; i++) {
		if (!str_equal_fold(tsql_text_at(scan, a->first + i),
				    tsql_text_at(scan, b->first + i))) {
			return false;
		}
	}
	return true;
}

/* Whether a comparison that comes out as order (-1, 0, 1) makes the operator true. */
static bool holds(struct str op, int order)
{
	if (str_is(op, "=")) {
		return order == 0;
	}
	if (str_is(op, "<") || str_is(op, "!>=")) {
		return order < 0;
	}
	if (str_is(op, ">")) {
		return order > 0;
	}
	if (str_is(op, "<=") || str_is(op, "!>")) {
		return order <= 0;
	}
	if (str_is(op, ">=") || str_is(op, "!<")) {
		return order >= 0;
	}
	return (str_is(op, "<>") || str_is(op, "!=")) && order != 0;
}

static bool is_all_percent(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '%') {
			return false;
		}
	}
	return text.len > 0;
}

static bool is_true(struct tsql_scan *scan, size_t op, const struct operand *left,
		    const struct operand *right)
{
	struct str text = tsql_text_at(scan, op);

	if (tsql_word_at(scan, op) == TSQL_W_LIKE) {
		return tsql_kind_at(scan, right->first) == TSQL_STRING &&
		       is_all_percent(value_of(scan, right->first));
	}
	if (left->literal && right->literal) {
		int order = compare_literals(scan, left->first, right->first);

		scan->work->from_values = true;
		return order != 2 && holds(text, order);
	}
	return !left->literal && !right->literal && holds(text, 0) && same_name(scan, left, right);
}

/* Whether a condition may begin behind piece i. */
static bool begins_condition(const struct tsql_scan *scan, size_t i)
{
	switch (tsql_word_at(scan, i)) {
	case TSQL_W_WHERE:
	case TSQL_W_AND:
	case TSQL_W_OR:
	case TSQL_W_ON:
	case TSQL_W_HAVING:
	case TSQL_W_WHEN:
	case TSQL_W_IF:
	case TSQL_W_WHILE:
		return true;
	default:
		return tsql_mark_at(scan, i) == '(';
	}
}

/* Whether a condition may end before piece i. */
static bool ends_condition(const struct tsql_scan *scan, size_t i)
{
	char mark = tsql_mark_at(scan, i);

	switch (tsql_word_at(scan, i)) {
	case TSQL_W_COLLATE:
	case TSQL_W_LIKE:
	case TSQL_W_IN:
	case TSQL_W_IS:
	case TSQL_W_BETWEEN:
	case TSQL_W_ESCAPE:
		return false;
	default:
		return tsql_kind_at(scan, i) != TSQL_MARK || mark == ')' || mark == ';' ||
		       mark == '}';
	}
}

/* What a condition that is always true, pieces first..last, means for those round it. */
static void note_true(struct tsql_walk *walk, size_t first, size_t last)
{
	struct tsql_scan *scan = walk->scan;
	unsigned depth = walk->depth;
	enum tsql_word before;
	enum tsql_word after;

	for (int k = 0; k < STRIP_MAX && depth > 0 && tsql_mark_at(scan, first - 1) == '(' &&
			tsql_mark_at(scan, last + 1) == ')';
	     k++) {
		first--;
		last++;
		depth--;
	}
	before = tsql_word_at(scan, first - 1);
	after = tsql_word_at(scan, last + 1);
	if (before == TSQL_W_AND || before == TSQL_W_NOT || after == TSQL_W_AND) {
		return;
	}
	if (before == TSQL_W_OR || after == TSQL_W_OR) {
		tsql_note_flags(scan, TSQL_OR_TRUE);
	} else if (before != TSQL_W_WHERE) {
		return;
	}
	if (scan->work->levels[depth].clause == CLAUSE_WHERE) {
		scan->work->levels[depth].where_true = true;
	}
}

void tsql_sign_condition(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	struct operand left;
	struct operand right;

	if (read_left(scan, i, &left) && read_right(scan, i, &right) &&
	    begins_condition(scan, left.first - 1) && ends_condition(scan, right.last + 1) &&
	    is_true(scan, i, &left, &right)) {
		tsql_note_flags(scan, TSQL_TAUTOLOGY);
		note_true(walk, left.first, right.last);
	}
}

/* Whether a line comment at the end cuts off what the author of the statement wrote behind a literal. */
static bool is_comment_tail(const struct tsql_scan *scan)
{
	size_t last = scan->end - 1;
	const struct tsql_piece *piece = tsql_piece_at(scan, last);
	char mark = tsql_mark_at(scan, last);
	struct str text = scan->tail.text;
	bool adjacent =
		piece->start + piece->len == (size_t)(scan->tail.whole.ptr - scan->text.ptr);
	bool behind_value = is_literal((enum tsql_kind)piece->kind) || mark == ')' || mark == ';';
	size_t quote_count = 0;

	if (scan->tail.kind != TSQL_COMMENT || scan->begin == scan->end) {
		return false;
	}
	scan->work->from_values = scan->work->from_values || scan->tail.whole.ptr[0] == '-';
	if (scan->tail.whole.ptr[0] == '/') {
		return !scan->tail.closed && adjacent && behind_value;
	}
	for (size_t i = 0; i < text.len; i++) {
		quote_count += text.ptr[i] == '\'' ? 1 : 0;
	}
	return quote_count % 2 == 1 || str_trim(text).len == 0 ||
	       (behind_value && adjacent && str_find_byte(text, '=', 0) < 0);
}

/* Whether a statement follows a literal that closed another one. */
static bool has_stacked(const struct tsql_scan *scan)
{
	for (size_t i = scan->begin; i + 2 < scan->end; i++) {
		enum tsql_kind kind = tsql_kind_at(scan, i);
		size_t next = tsql_mark_at(scan, i + 1) == ')' ? i + 2 : i + 1;

		if (kind != TSQL_STRING && kind != TSQL_NUMBER) {
			continue;
		}
		if (tsql_mark_at(scan, next) == ';') {
			next++;
		} else if (kind != TSQL_STRING) {
			continue;
		}
		switch (tsql_word_at(scan, next)) {
		case TSQL_W_ELSE:
		case TSQL_W_END:
		case TSQL_W_WITH:
		case TSQL_W_NONE:
			break;
		default:
			if ((tsql_word_properties(tsql_word_at(scan, next)) & TSQL_WORD_STARTS) !=
			    0) {
				return true;
			}
		}
	}
	return false;
}

static bool has_split(const struct tsql_scan *scan)
{
	for (size_t i = scan->begin + 1; i < scan->end; i++) {
		const struct tsql_piece *piece = tsql_piece_at(scan, i);

		if ((piece->flags & (PIECE_COMMENTED | PIECE_SPACED)) == PIECE_COMMENTED &&
		    (piece->kind == TSQL_WORD || tsql_kind_at(scan, i - 1) == TSQL_WORD) &&
		    piece->kind != TSQL_MARK && tsql_kind_at(scan, i - 1) != TSQL_MARK) {
			return true;
		}
	}
	return false;
}

void tsql_sign_text(struct tsql_scan *scan)
{
	const struct tsql_piece *last = tsql_piece_at(scan, scan->end - 1);
	bool open = scan->end > scan->begin && (last->flags & PIECE_CLOSED) == 0;
	uint32_t flags = 0;

	if (is_comment_tail(scan)) {
		flags |= TSQL_COMMENT_TAIL;
	}
	if ((open || flags != 0) && has_stacked(scan)) {
		flags |= TSQL_STACKED;
	}
	if (has_split(scan)) {
		flags |= TSQL_INLINE_COMMENT_SPLIT;
	}
	if (flags != 0) {
		tsql_note_flags(scan, flags);
	}
}
