#include "query/match.h"

#include "base/clock.h"
#include "base/parse.h"
#include "query/when.h"

#include <stdio.h>

static const char *const grade_names[GRADE_COUNT] = {
	[GRADE_PENDING] = "pending",
	[GRADE_A] = "A",
	[GRADE_B] = "B",
	[GRADE_C] = "C",
	[GRADE_D] = "D",
	[GRADE_U1] = "U1",
	[GRADE_U2] = "U2",
	[GRADE_X] = "X",
};

enum grade grade_of(struct str text)
{
	for (enum grade grade = GRADE_A; grade < GRADE_COUNT; grade++) {
		if (str_is(text, grade_names[grade])) {
			return grade;
		}
	}
	return GRADE_PENDING;
}

const char *grade_name(enum grade grade)
{
	return grade_names[grade];
}

/* The grades of one letter; 0 when it is none. */
static unsigned grades_of_letter(char letter)
{
	switch (letter) {
	case 'a':
	case 'A':
		return 1u << GRADE_A;
	case 'b':
	case 'B':
		return 1u << GRADE_B;
	case 'c':
	case 'C':
		return 1u << GRADE_C;
	case 'd':
	case 'D':
		return 1u << GRADE_D;
	case 'u':
	case 'U':
		return 1u << GRADE_U1 | 1u << GRADE_U2;
	case 'x':
	case 'X':
		return 1u << GRADE_X;
	case 'p':
	case 'P':
		return 1u << GRADE_PENDING;
	default:
		return 0;
	}
}

bool grade_parse_set(struct str text, unsigned *out_grades)
{
	if (str_equal_fold(text, STR_LIT("pending"))) {
		*out_grades = 1u << GRADE_PENDING;
		return true;
	}
	unsigned grades = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned letter = grades_of_letter(text.ptr[i]);
		if ((letter & 1u << GRADE_U1) != 0 && i + 1 < text.len &&
		    (text.ptr[i + 1] == '1' || text.ptr[i + 1] == '2')) {
			letter = text.ptr[i + 1] == '1' ? 1u << GRADE_U1 : 1u << GRADE_U2;
			i++;
		}
		if (letter == 0 && text.ptr[i] != ',') {
			return false;
		}
		grades |= letter;
	}
	if (grades == 0) {
		return false;
	}
	*out_grades = grades;
	return true;
}

static bool has_wildcard(struct str text)
{
	return str_find_byte(text, '*', 0) >= 0 || str_find_byte(text, '?', 0) >= 0;
}

static bool is_order(enum compare_op op)
{
	return op == COMPARE_LESS || op == COMPARE_AT_MOST || op == COMPARE_MORE ||
	       op == COMPARE_AT_LEAST;
}

/* The longest run of bytes between wildcards. */
static struct str longest_piece(struct str pattern)
{
	struct str best = {pattern.ptr, 0};
	size_t begin = 0;
	for (size_t i = 0; i <= pattern.len; i++) {
		if (i < pattern.len && pattern.ptr[i] != '*' && pattern.ptr[i] != '?') {
			continue;
		}
		if (i - begin > best.len) {
			best = str_slice(pattern, begin, i - begin);
		}
		begin = i + 1;
	}
	return best;
}

static void make_text(const struct term *term, struct match *match)
{
	bool wild = has_wildcard(term->value);
	if (is_order(term->op)) {
		match->type = MATCH_ORDER;
		match->op = term->op;
	} else if (str_is(term->value, "*")) {
		match->type = MATCH_PRESENT;
	} else if (term->word.type == WORD_CONTAINS && term->op == COMPARE_HAS) {
		match->type = wild ? MATCH_CONTAINS_GLOB : MATCH_CONTAINS;
	} else if (term->word.type == WORD_TABLE && str_find_byte(term->value, '.', 0) < 0) {
		match->type = MATCH_LAST_PART;
	} else {
		match->type = wild ? MATCH_GLOB : MATCH_EQUAL;
	}
	if (match->type == MATCH_CONTAINS || match->type == MATCH_EQUAL) {
		match->holds = term->value;
	} else if (match->type != MATCH_ORDER && match->type != MATCH_PRESENT) {
		match->holds = longest_piece(term->value);
	}
}

/* Sets the range of numbers that stand in the relation op to the span [low, high]. */
static void make_range(enum compare_op op, int64_t low, int64_t high, struct match *match)
{
	match->type = MATCH_RANGE;
	match->low = INT64_MIN;
	match->high = INT64_MAX;
	switch (op) {
	case COMPARE_HAS:
	case COMPARE_EQUAL:
	case COMPARE_NOT_EQUAL: /* the parser makes it NOT = */
	case COMPARE_MATCH:     /* of texts only */
	case COMPARE_NO_MATCH:
		match->low = low;
		match->high = high;
		return;
	case COMPARE_LESS:
		match->high = low == INT64_MIN ? low : low - 1;
		return;
	case COMPARE_AT_MOST:
		match->high = high;
		return;
	case COMPARE_MORE:
		match->low = high == INT64_MAX ? high : high + 1;
		return;
	case COMPARE_AT_LEAST:
		match->low = low;
		return;
	}
}

static int bad_value(const struct query *query, const struct term *term, const char *wanted,
		     struct error *err)
{
	return lexer_error(query->text, term->value_offset, err, "\"%s\" wants %s, not \"%.*s\"",
			   term->word.name, wanted, STR_ARG(term->value));
}

static int make_number(const struct query *query, const struct term *term, struct match *match,
		       struct error *err)
{
	int64_t value;
	uint64_t size;
	int64_t duration;
	struct str text = term->value;
	if (parse_i64(text, &value)) {
		make_range(term->op, value, value, match);
		return 0;
	}
	if (term->word.type == WORD_MS && clock_parse_duration(text, &duration)) {
		make_range(term->op, duration / NS_PER_MS, duration / NS_PER_MS, match);
		return 0;
	}
	if (term->word.type == WORD_NUMBER && parse_size(text, &size) && size <= INT64_MAX) {
		make_range(term->op, (int64_t)size, (int64_t)size, match);
		return 0;
	}
	if (has_wildcard(text) && !is_order(term->op)) {
		match->type = str_is(text, "*") ? MATCH_PRESENT : MATCH_NUMBER_GLOB;
		return 0;
	}
	return bad_value(query, term,
			 term->word.type == WORD_MS
				 ? "milliseconds or a duration such as 250ms or 2s"
				 : "a number",
			 err);
}

static int make_time(const struct query *query, const struct term *term,
		     const struct match_context *context, struct match *match, struct error *err)
{
	struct when when;
	if (str_is(term->value, "*") && !is_order(term->op)) {
		match->type = MATCH_PRESENT;
		return 0;
	}
	if (when_parse(term->value, context->zone, context->now_ns, &when, NULL) != 0) {
		return bad_value(query, term,
				 "a time such as 2026-11-22, \"2026-11-22 10:00\", 2h or yesterday",
				 err);
	}
	make_range(term->op, when.from_ns, when.to_ns - 1, match);
	return 0;
}

static int make_bool(const struct query *query, const struct term *term, struct match *match,
		     struct error *err)
{
	bool value;
	if (str_is(term->value, "*") && !is_order(term->op)) {
		match->type = MATCH_PRESENT;
		return 0;
	}
	if (is_order(term->op) || !parse_bool(term->value, &value)) {
		return bad_value(query, term, "true or false", err);
	}
	make_range(term->op, value ? 1 : 0, value ? 1 : 0, match);
	return 0;
}

/* Where byte `at` of a term's value stands in the filter: a quoted one may have escapes. */
static size_t place_in_value(const struct query *query, const struct term *term, size_t at)
{
	size_t pos = term->value_offset + (term->is_quoted ? 1 : 0);
	for (size_t i = 0; i < at && pos < query->text.len; i++) {
		bool escaped =
			term->is_quoted && query->text.ptr[pos] == '\\' &&
			pos + 1 < query->text.len &&
			(query->text.ptr[pos + 1] == '"' || query->text.ptr[pos + 1] == '\\');
		pos += escaped ? 2 : 1;
	}
	return pos;
}

static int make_expression(const struct query *query, const struct term *term, struct match *match,
			   struct error *err)
{
	struct error what;
	size_t at = 0;
	enum word_type type = term->word.type;
	if (type != WORD_TEXT && type != WORD_CONTAINS && type != WORD_TABLE) {
		return lexer_error(query->text, term->value_offset, err,
				   "\"%s\" is no text; ~ looks through texts with a regular "
				   "expression",
				   term->word.name);
	}
	match->type = MATCH_EXPRESSION;
	int result = expression_new(term->value, query->arena, &match->expression, &at, &what);
	if (result == -ERR_CONFIG) {
		return lexer_error(query->text, place_in_value(query, term, at), err,
				   "the regular expression is wrong here: %s", what.text);
	}
	if (result != 0 && err != NULL) {
		*err = what;
	}
	return result;
}

int match_make(const struct query *query, const struct term *term,
	       const struct match_context *context, struct match *out_match, struct error *err)
{
	struct match match = {.pattern = term->value};
	int result = 0;
	if (term->op == COMPARE_MATCH) {
		result = make_expression(query, term, &match, err);
		*out_match = match;
		return result;
	}
	switch (term->word.type) {
	case WORD_TEXT:
	case WORD_CONTAINS:
	case WORD_TABLE:
		make_text(term, &match);
		break;
	case WORD_NUMBER:
	case WORD_MS:
		result = make_number(query, term, &match, err);
		break;
	case WORD_TIME:
		result = make_time(query, term, context, &match, err);
		break;
	case WORD_BOOL:
		result = make_bool(query, term, &match, err);
		break;
	case WORD_GRADE:
		match.type = MATCH_GRADES;
		if (is_order(term->op) || !grade_parse_set(term->value, &match.grades)) {
			result =
				bad_value(query, term,
					  "grades out of A B C D U1 U2 U X pending, as in AB", err);
		}
		break;
	}
	if (result == 0) {
		*out_match = match;
	}
	return result;
}

static bool contains_glob(struct str value, struct str pattern)
{
	/* Every start is tried once; str_glob_fold is linear, and a * that leads the pattern makes one try enough. */
	char text[LEXER_TEXT_MAX + 2];
	if (pattern.len > LEXER_TEXT_MAX) {
		return false;
	}
	text[0] = '*';
	memcpy(text + 1, pattern.ptr, pattern.len);
	text[pattern.len + 1] = '*';
	return str_glob_fold(value, str_make(text, pattern.len + 2));
}

static bool last_part(struct str value, struct str pattern)
{
	size_t begin = 0;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '.') {
			begin = i + 1;
		}
	}
	return str_glob_fold(value, pattern) ||
	       (begin > 0 && str_glob_fold(str_slice(value, begin, value.len), pattern));
}

static bool in_order(const struct match *match, struct str value)
{
	int order = str_compare(value, match->pattern);
	switch (match->op) {
	case COMPARE_LESS:
		return order < 0;
	case COMPARE_AT_MOST:
		return order <= 0;
	case COMPARE_MORE:
		return order > 0;
	case COMPARE_AT_LEAST:
		return order >= 0;
	case COMPARE_HAS:
	case COMPARE_EQUAL:
	case COMPARE_NOT_EQUAL:
	case COMPARE_MATCH:
	case COMPARE_NO_MATCH:
		break;
	}
	return false;
}

bool match_text(const struct match *match, struct str value)
{
	bool hit = false;
	switch (match->type) {
	case MATCH_EQUAL:
		hit = str_equal_fold(value, match->pattern);
		break;
	case MATCH_GLOB:
		hit = str_glob_fold(value, match->pattern);
		break;
	case MATCH_CONTAINS:
		hit = str_find_fold(value, match->pattern, 0) >= 0;
		break;
	case MATCH_CONTAINS_GLOB:
		hit = contains_glob(value, match->pattern);
		break;
	case MATCH_PRESENT:
		hit = true;
		break;
	case MATCH_LAST_PART:
		hit = last_part(value, match->pattern);
		break;
	case MATCH_ORDER:
		hit = in_order(match, value);
		break;
	case MATCH_GRADES:
		hit = (match->grades >> grade_of(value) & 1u) != 0;
		break;
	case MATCH_EXPRESSION:
		hit = expression_matches(match->expression, value);
		break;
	case MATCH_RANGE:
	case MATCH_NUMBER_GLOB:
		break; /* numbers only */
	}
	return hit;
}

static bool matches(const void *owner, struct str text)
{
	return match_text(owner, text);
}

void match_needle(const struct match *match, struct block_needle *out_needle)
{
	bool holding_is_enough = match->type == MATCH_CONTAINS || match->type == MATCH_PRESENT;
	*out_needle = (struct block_needle){
		.any = &match->holds,
		.any_count = match->holds.len > 0 ? 1 : 0,
		.ignore_case = true,
		.matches = holding_is_enough ? NULL : matches,
		.owner = match,
	};
	if (match->type == MATCH_EXPRESSION) {
		out_needle->any = match->expression->must;
		out_needle->any_count = match->expression->must_count;
		out_needle->classes = match->expression->classes;
		out_needle->class_count = match->expression->class_count;
		out_needle->automaton = match->expression->automaton;
	}
}

bool match_number(const struct match *match, int64_t value)
{
	char text[24];
	bool hit = false;
	switch (match->type) {
	case MATCH_RANGE:
		hit = value >= match->low && value <= match->high;
		break;
	case MATCH_NUMBER_GLOB: {
		int len = snprintf(text, sizeof(text), "%lld", (long long)value);
		hit = str_glob_fold(str_make(text, (size_t)len), match->pattern);
		break;
	}
	case MATCH_PRESENT:
		hit = true;
		break;
	case MATCH_EQUAL:
	case MATCH_GLOB:
	case MATCH_CONTAINS:
	case MATCH_CONTAINS_GLOB:
	case MATCH_LAST_PART:
	case MATCH_ORDER:
	case MATCH_GRADES:
	case MATCH_EXPRESSION:
		break; /* text only */
	}
	return hit;
}
