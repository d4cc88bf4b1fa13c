#include "model/tsql/template.h"

#include "base/digest.h"

#include <stdlib.h>

#define DIGITS_MAX 18 /* fit an int64_t, whatever they are */

void tsql_template_init(struct tsql_template *template)
{
	*template = (struct tsql_template){.literals = NULL};
	buf_init(&template->text, 0);
}

void tsql_template_done(struct tsql_template *template)
{
	buf_done(&template->text);
	free(template->literals);
	template->literals = NULL;
	template->literal_count = template->literal_capacity = 0;
}

/* A split on its way through the text. */
struct split {
	struct tsql_template *template;
	struct str text;
	size_t done;  /* bytes of the text that are in the template */
	bool operand; /* a minus that comes next subtracts */
	bool failed;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whether a number of digits is written as the number itself would be. */
static bool is_canonical(struct str digits)
{
	return digits.len > 0 && (digits.len == 1 || digits.ptr[0] != '0');
}

/* Reads a number of the kind INT or DECIMAL; false when it would not come back as it is written. */
static bool read_number(struct str text, struct tsql_literal *literal)
{
	size_t digit_count = 0;
	size_t point = text.len;
	int64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '.' && point == text.len) {
			point = i;
		} else if (!is_digit(text.ptr[i]) || ++digit_count > DIGITS_MAX) {
			return false;
		} else {
			value = value * 10 + (text.ptr[i] - '0');
		}
	}
	if (!is_canonical(str_slice(text, 0, point)) || point + 1 == text.len) {
		return false;
	}
	literal->number = value;
	literal->scale = point == text.len ? 0 : (uint8_t)(text.len - point - 1);
	literal->kind = point == text.len ? TSQL_LITERAL_INT : TSQL_LITERAL_DECIMAL;
	return true;
}

static struct tsql_literal of_number(const struct tsql_token *token)
{
	struct tsql_literal literal = {.kind = TSQL_LITERAL_TEXT, .text = token->whole};

	if (!read_number(token->whole, &literal) && (str_find_byte(token->whole, 'e', 0) >= 0 ||
						     str_find_byte(token->whole, 'E', 0) >= 0)) {
		literal.kind = TSQL_LITERAL_FLOAT;
	}
	return literal;
}

static struct tsql_literal of_string(const struct tsql_token *token)
{
	struct tsql_literal literal = {.kind = TSQL_LITERAL_TEXT, .text = token->whole};

	if (token->whole.ptr[0] == '\'') {
		literal.kind = TSQL_LITERAL_STRING;
		literal.text = token->text;
	} else if (token->whole.ptr[0] == 'N') {
		literal.kind = TSQL_LITERAL_NSTRING;
		literal.text = token->text;
	}
	return literal;
}

static struct tsql_literal of_hex(const struct tsql_token *token)
{
	struct tsql_literal literal = {.kind = TSQL_LITERAL_TEXT, .text = token->whole};

	if (token->whole.ptr[1] == 'x') {
		literal.kind = TSQL_LITERAL_HEX;
		literal.text = token->text;
	}
	return literal;
}

static void add(struct split *split, struct tsql_literal literal)
{
	struct tsql_template *template = split->template;

	if (template->literal_count == template->literal_capacity) {
		size_t capacity = template->literal_capacity * 2 + 16;
		struct tsql_literal *grown = realloc(template->literals, capacity * sizeof(*grown));

		if (grown == NULL) {
			split->failed = true;
			return;
		}
		template->literals = grown;
		template->literal_capacity = capacity;
	}
	template->literals[template->literal_count++] = literal;
}

/* Copies the text up to an offset into the template as it is. */
static void copy_to(struct split *split, size_t offset)
{
	buf_put_str(&split->template->text,
		    str_slice(split->text, split->done, offset - split->done));
	split->done = offset;
}

/* Puts a literal in the place of the size bytes at offset. */
static void replace(struct split *split, size_t offset, size_t size, struct tsql_literal literal)
{
	copy_to(split, offset);
	buf_put_byte(&split->template->text, '?');
	add(split, literal);
	split->done = offset + size;
	split->operand = true;
}

/* Puts a backslash before what in a mark or a name would be taken for a literal's place. */
static void escape(struct split *split, size_t offset, struct str token)
{
	for (size_t i = 0; i < token.len; i++) {
		if (token.ptr[i] == '?' || token.ptr[i] == '\\') {
			copy_to(split, offset + i);
			buf_put_byte(&split->template->text, '\\');
		}
	}
}

/* Whether a word is followed by a value: a minus behind it is a sign. */
static bool expects_value(const struct tsql_token *token)
{
	static const char *const words[] = {"SELECT", "AND",  "OR",    "BETWEEN", "THEN", "ELSE",
					    "WHEN",   "LIKE", "WHERE", "RETURN",  "BY",   "NOT"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (tsql_is_word(token, words[i])) {
			return true;
		}
	}
	return false;
}

/* A minus at offset that is the sign of a number: both are one literal, if that regenerates them. Moves the reader behind
 * the number. */
static bool take_sign(struct split *split, struct tsql_reader *reader, size_t offset)
{
	struct tsql_reader ahead = *reader;
	struct tsql_token token;
	struct tsql_literal literal;

	if (split->operand || ahead.pos >= ahead.input.len ||
	    !is_digit(ahead.input.ptr[ahead.pos]) || !tsql_next(&ahead, &token) ||
	    token.kind != TSQL_NUMBER) {
		return false;
	}
	literal = of_number(&token);
	if (literal.number == 0 ||
	    (literal.kind != TSQL_LITERAL_INT && literal.kind != TSQL_LITERAL_DECIMAL)) {
		return false;
	}
	literal.number = -literal.number;
	literal.text = str_slice(split->text, offset, token.whole.len + 1);
	replace(split, offset, token.whole.len + 1, literal);
	*reader = ahead;
	return true;
}

static void take_comment(struct split *split, const struct tsql_token *token)
{
	struct tsql_literal literal = {.kind = TSQL_LITERAL_COMMENT, .text = token->text};
	bool operand = split->operand;

	replace(split, (size_t)(token->text.ptr - split->text.ptr), token->text.len, literal);
	split->operand = operand;
}

static void take(struct split *split, struct tsql_reader *reader, const struct tsql_token *token)
{
	size_t offset = (size_t)(token->whole.ptr - split->text.ptr);

	switch (token->kind) {
	case TSQL_SPACE:
		break;
	case TSQL_COMMENT:
		take_comment(split, token);
		break;
	case TSQL_STRING:
		replace(split, offset, token->whole.len, of_string(token));
		break;
	case TSQL_NUMBER:
		replace(split, offset, token->whole.len, of_number(token));
		break;
	case TSQL_HEX:
		replace(split, offset, token->whole.len, of_hex(token));
		break;
	case TSQL_MONEY:
		replace(split, offset, token->whole.len,
			(struct tsql_literal){.kind = TSQL_LITERAL_MONEY, .text = token->whole});
		break;
	case TSQL_MARK:
		if (tsql_is_mark(token, '-') && take_sign(split, reader, offset)) {
			break;
		}
		escape(split, offset, token->whole);
		split->operand = tsql_is_mark(token, ')');
		break;
	case TSQL_QUOTED:
		escape(split, offset, token->whole);
		split->operand = true;
		break;
	case TSQL_VARIABLE:
		split->operand = true;
		break;
	case TSQL_GO:
		split->operand = false;
		break;
	case TSQL_WORD:
		/* most words are not followed by a minus: look at this one only if it is */
		split->operand =
			str_find_byte(str_slice(split->text, reader->pos, 2), '-', 0) < 0 ||
			!expects_value(token);
		break;
	case TSQL_UNKNOWN:
		break;
	}
}

int tsql_template_split(struct tsql_template *template, struct str text,
			const struct tsql_options *options)
{
	struct split split = {.template = template, .text = text};
	struct tsql_reader reader = tsql_reader(text);
	struct tsql_token token;

	reader.quotes_are_strings = options != NULL && options->quotes_are_strings;
	buf_clear(&template->text);
	template->literal_count = 0;
	while (tsql_next(&reader, &token)) {
		if (token.kind == TSQL_UNKNOWN || !token.closed) {
			size_t offset = (size_t)(token.whole.ptr - text.ptr);
			struct str rest = str_slice(text, offset, text.len - offset);

			replace(&split, offset, rest.len,
				(struct tsql_literal){.kind = TSQL_LITERAL_REST, .text = rest});
			break;
		}
		take(&split, &reader, &token);
	}
	copy_to(&split, text.len);
	if (split.failed || template->text.failed) {
		buf_clear(&template->text);
		template->literal_count = 0;
		return -ERR_NOMEM;
	}
	return 0;
}

/* Decimal text of number / 10^scale. */
static bool put_decimal(const struct tsql_literal *literal, struct buf *out)
{
	char digits[24];
	uint64_t value =
		literal->number < 0 ? 0 - (uint64_t)literal->number : (uint64_t)literal->number;
	size_t at = sizeof(digits);
	unsigned written = 0;

	if (literal->scale < 1 || literal->scale >= DIGITS_MAX) {
		return false;
	}
	while (value > 0 || written <= literal->scale) {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
		if (++written == literal->scale) {
			digits[--at] = '.';
		}
	}
	if (literal->number < 0) {
		digits[--at] = '-';
	}
	buf_put(out, digits + at, sizeof(digits) - at);
	return true;
}

bool tsql_literal_put(const struct tsql_literal *literal, struct buf *out)
{
	switch (literal->kind) {
	case TSQL_LITERAL_TEXT:
	case TSQL_LITERAL_FLOAT:
	case TSQL_LITERAL_MONEY:
	case TSQL_LITERAL_COMMENT:
	case TSQL_LITERAL_REST:
		buf_put_str(out, literal->text);
		return true;
	case TSQL_LITERAL_NSTRING:
		buf_put_byte(out, 'N');
		__attribute__((fallthrough));
	case TSQL_LITERAL_STRING:
		buf_put_byte(out, '\'');
		buf_put_str(out, literal->text);
		buf_put_byte(out, '\'');
		return true;
	case TSQL_LITERAL_INT:
		buf_put_i64(out, literal->number);
		return true;
	case TSQL_LITERAL_DECIMAL:
		return put_decimal(literal, out);
	case TSQL_LITERAL_HEX:
		buf_put_text(out, "0x");
		buf_put_str(out, literal->text);
		return true;
	}
	return false; /* a number from outside that is no kind */
}

/* The offset of the next place or backslash at or behind pos, or the length. */
static size_t find_special(struct str template, size_t pos)
{
	while (pos < template.len && template.ptr[pos] != '?' && template.ptr[pos] != '\\') {
		pos++;
	}
	return pos;
}

static int corrupt(struct buf *out, size_t len, const char *why, struct error *err)
{
	buf_truncate(out, len);
	return error_set(err, ERR_CORRUPT, "The template of a statement %s.", why);
}

int tsql_template_join(struct str template, const struct tsql_literal *literals,
		       size_t literal_count, struct buf *out, struct error *err)
{
	size_t before = out->len;
	size_t used = 0;

	for (size_t pos = 0; pos < template.len;) {
		size_t end = find_special(template, pos);

		buf_put_str(out, str_slice(template, pos, end - pos));
		pos = end + 1;
		if (end == template.len) {
			break;
		}
		if (template.ptr[end] == '\\') {
			if (pos == template.len) {
				return corrupt(out, before, "ends in a backslash", err);
			}
			buf_put_byte(out, (uint8_t) template.ptr[pos++]);
		} else if (used == literal_count) {
			return corrupt(out, before, "has more places than literals", err);
		} else if (!tsql_literal_put(&literals[used++], out)) {
			return corrupt(out, before, "has a literal of an unknown kind", err);
		}
	}
	if (used != literal_count) {
		return corrupt(out, before, "has fewer places than literals", err);
	}
	if (out->failed) {
		buf_truncate(out, before);
		return error_set(err, ERR_LIMIT, "A statement is longer than %zu bytes.",
				 out->max_bytes);
	}
	return 0;
}

uint64_t tsql_template_hash(struct str template)
{
	uint8_t digest[DIGEST_BYTES];
	uint64_t hash = 0;

	digest_sha256(template, digest);
	for (size_t i = 0; i < sizeof(hash); i++) {
		hash = hash << 8 | digest[i];
	}
	return hash;
}
