#include "model/tsql/part.h"

#include "base/utf8.h"

#define DEPTH_MAX 16 /* of calls in calls */

struct fold {
	struct tsql_scan *scan;
	struct buf *out; /* values stand one behind the other; what is done with is cut off */
	size_t i;
	unsigned depth;
	bool changed, unknown;
	unsigned char_count;
};

static bool expression(struct fold *fold);

static bool spend(struct fold *fold, size_t steps)
{
	struct tsql_work *work = fold->scan->work;

	if (work->fold_steps < steps) {
		work->fold_steps = 0;
		work->flags |= TSQL_TRUNCATED;
		work->from_values = true;
		return false;
	}
	work->fold_steps -= steps;
	return !fold->out->failed;
}

static bool take_mark(struct fold *fold, char mark)
{
	if (tsql_mark_at(fold->scan, fold->i) != mark) {
		return false;
	}
	fold->i++;
	return true;
}

/* The bytes of a backslash and the line end behind it at an offset, or 0. */
static size_t joined_size(struct str text, size_t at)
{
	if (str_has_prefix(str_slice(text, at, 2), STR_LIT("\\\n"))) {
		return 2;
	}
	return str_has_prefix(str_slice(text, at, 3), STR_LIT("\\\r\n")) ? 3 : 0;
}

/* What stands between the quotes: doubled ones are one, a backslash with its line end is nothing. */
static void put_string(struct fold *fold, const struct tsql_piece *piece)
{
	struct str text = str_slice(fold->scan->text, piece->start, piece->len);
	size_t at = text.ptr[0] == 'N' || text.ptr[0] == 'n' ? 2 : 1;
	char quote = text.ptr[at - 1];

	text.len -= (piece->flags & PIECE_CLOSED) != 0 ? 1 : 0;
	while (at < text.len) {
		size_t run = at;
		size_t joined;

		while (run < text.len && text.ptr[run] != quote && text.ptr[run] != '\\') {
			run++;
		}
		buf_put(fold->out, text.ptr + at, run - at);
		at = run;
		joined = joined_size(text, at);
		if (at < text.len && joined == 0) {
			buf_put_byte(fold->out, (uint8_t)text.ptr[at]);
			joined = text.ptr[at] == quote ? 2 : 1;
		}
		at += joined;
	}
}

static unsigned hex_value(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The text of a binary value: UTF-16 when its second byte is 0, else a byte a letter. */
static void put_hex(struct fold *fold, struct str whole)
{
	struct buf *out = fold->out;
	struct buf bytes;
	unsigned digit_count = 0;
	unsigned value = 0;

	buf_init(&bytes, TSQL_INNER_BYTES_MAX);
	for (size_t i = 2; i < whole.len; i++) {
		if (!is_hex(whole.ptr[i])) {
			continue;
		}
		value = value << 4 | hex_value(whole.ptr[i]);
		if (++digit_count % 2 == 0) {
			buf_put_byte(&bytes, (uint8_t)value);
		}
	}
	if (bytes.len > 1 && bytes.ptr[1] == '\0') {
		utf8_put_utf16le(out, buf_str(&bytes));
	} else {
		for (size_t i = 0; i < bytes.len; i++) {
			utf8_put(out, (uint8_t)bytes.ptr[i]);
		}
	}
	buf_done(&bytes);
}

/* A small whole number, decimal or hex, in parentheses or not. */
static bool take_number(struct fold *fold, uint32_t *out)
{
	struct str text = tsql_text_at(fold->scan, fold->i);
	enum tsql_kind kind = tsql_kind_at(fold->scan, fold->i);
	uint32_t value = 0;

	if (kind != TSQL_NUMBER && kind != TSQL_HEX) {
		return false;
	}
	fold->scan->work->from_values = true; /* whether this folds hangs on the value */
	if (text.len > 9) {
		return false;
	}
	for (size_t i = kind == TSQL_HEX ? 2 : 0; i < text.len; i++) {
		if (kind == TSQL_HEX ? !is_hex(text.ptr[i])
				     : text.ptr[i] < '0' || text.ptr[i] > '9') {
			return false;
		}
		value = kind == TSQL_HEX ? value << 4 | hex_value(text.ptr[i])
					 : value * 10 + (uint32_t)(text.ptr[i] - '0');
	}
	fold->i++;
	*out = value;
	return true;
}

static bool call_char(struct fold *fold)
{
	uint32_t value;

	if (!take_number(fold, &value) || value > 0x10FFFF) {
		return false;
	}
	utf8_put(fold->out, value);
	fold->char_count++;
	return true;
}

static bool call_space(struct fold *fold)
{
	uint32_t count;

	if (!take_number(fold, &count) || !spend(fold, count)) {
		return false;
	}
	buf_put_fill(fold->out, ' ', count);
	return true;
}

/* CAST (expression AS type): what is behind the expression says nothing that matters here. */
static bool call_cast(struct fold *fold)
{
	return expression(fold) && tsql_word_at(fold->scan, fold->i) == TSQL_W_AS;
}

static bool call_convert(struct fold *fold)
{
	fold->i++; /* the type */
	if (tsql_mark_at(fold->scan, fold->i) == '(') {
		fold->i = tsql_behind(fold->scan, fold->i);
	}
	return take_mark(fold, ',') && expression(fold);
}

static bool call_reverse(struct fold *fold)
{
	size_t start = fold->out->len;
	char *text;
	size_t len;

	if (!expression(fold) || !spend(fold, fold->out->len - start)) {
		return false;
	}
	if (fold->out->len == start) {
		return true;
	}
	text = fold->out->ptr + start;
	len = fold->out->len - start;
	for (size_t i = 0; i < len / 2; i++) {
		char c = text[i];

		text[i] = text[len - 1 - i];
		text[len - 1 - i] = c;
	}
	return true;
}

/* Replaces from by to in the value, all of which stand in out behind start, and leaves the result there. */
static bool replace_all(struct fold *fold, size_t start, struct str from, struct str to)
{
	struct buf *out = fold->out;
	struct str value = str_make(out->ptr + start, (size_t)(from.ptr - (out->ptr + start)));
	struct buf result;
	size_t at = 0;

	buf_init(&result, TSQL_INNER_BYTES_MAX);
	while (from.len > 0 && at < value.len) {
		ptrdiff_t found = str_find_fold(value, from, at);

		if (found < 0) {
			break;
		}
		buf_put_str(&result, str_slice(value, at, (size_t)found - at));
		buf_put_str(&result, to);
		at = (size_t)found + from.len;
	}
	buf_put_str(&result, str_slice(value, at, value.len));
	buf_truncate(out, start);
	buf_put_str(out, buf_str(&result));
	if (result.failed) {
		out->failed = true;
	}
	buf_done(&result);
	return !out->failed;
}

static bool call_replace(struct fold *fold)
{
	size_t starts[3];
	struct buf *out = fold->out;

	for (size_t k = 0; k < 3; k++) {
		starts[k] = out->len;
		if ((k > 0 && !take_mark(fold, ',')) || !expression(fold)) {
			return false;
		}
	}
	/* a search of from in the value may compare them all over */
	if (!spend(fold, (starts[1] - starts[0]) * (1 + (starts[2] - starts[1]) / 8) + out->len)) {
		return false;
	}
	if (starts[2] == starts[1]) { /* nothing to look for */
		buf_truncate(out, starts[1]);
		return true;
	}
	return replace_all(fold, starts[0], str_make(out->ptr + starts[1], starts[2] - starts[1]),
			   str_make(out->ptr + starts[2], out->len - starts[2]));
}

static bool call_concat(struct fold *fold)
{
	do {
		if (!expression(fold)) {
			return false;
		}
	} while (take_mark(fold, ','));
	return true;
}

static bool call_substring(struct fold *fold)
{
	size_t start = fold->out->len;
	uint32_t from;
	uint32_t count;
	struct str part;

	if (!expression(fold) || !take_mark(fold, ',') || !take_number(fold, &from) ||
	    !take_mark(fold, ',') || !take_number(fold, &count) || from == 0 ||
	    !spend(fold, fold->out->len - start)) {
		return false;
	}
	part = str_slice(buf_str(fold->out), start, fold->out->len - start);
	part = str_slice(part, from - 1, count);
	if (part.len > 0) {
		memmove(fold->out->ptr + start, part.ptr, part.len);
	}
	buf_truncate(fold->out, start + part.len);
	return true;
}

static bool call_quotename(struct fold *fold)
{
	buf_put_byte(fold->out, '[');
	if (!expression(fold)) {
		return false;
	}
	buf_put_byte(fold->out, ']');
	return true;
}

/* Functions whose value is that of their first argument as far as text is concerned. */
static bool call_same(struct fold *fold)
{
	return expression(fold);
}

static const struct function {
	enum tsql_word word;
	bool (*call)(struct fold *fold);
	bool changes;
} functions[] = {
	{TSQL_W_CHAR, call_char, true},
	{TSQL_W_NCHAR, call_char, true},
	{TSQL_W_CAST, call_cast, false},
	{TSQL_W_TRY_CAST, call_cast, false},
	{TSQL_W_CONVERT, call_convert, false},
	{TSQL_W_TRY_CONVERT, call_convert, false},
	{TSQL_W_REVERSE, call_reverse, true},
	{TSQL_W_REPLACE, call_replace, true},
	{TSQL_W_CONCAT, call_concat, false},
	{TSQL_W_SUBSTRING, call_substring, true},
	{TSQL_W_QUOTENAME, call_quotename, false},
	{TSQL_W_SPACE, call_space, false},
	{TSQL_W_UPPER, call_same, false},
	{TSQL_W_LOWER, call_same, false},
	{TSQL_W_LTRIM, call_same, false},
	{TSQL_W_RTRIM, call_same, false},
	{TSQL_W_TRIM, call_same, false},
	{TSQL_W_ISNULL, call_same, false},
	{TSQL_W_COALESCE, call_same, false},
};

static bool call(struct fold *fold)
{
	enum tsql_word word = tsql_word_at(fold->scan, fold->i);
	size_t open = fold->i + 1;

	for (size_t k = 0; k < sizeof(functions) / sizeof(functions[0]); k++) {
		if (functions[k].word != word) {
			continue;
		}
		fold->i = open + 1;
		fold->depth++;
		if (fold->depth > DEPTH_MAX || !functions[k].call(fold)) {
			return false;
		}
		fold->depth--;
		fold->changed = fold->changed || functions[k].changes;
		fold->i = tsql_behind(fold->scan, open);
		return true;
	}
	return false;
}

static bool take_variable(struct fold *fold)
{
	struct str name = tsql_text_at(fold->scan, fold->i);
	const struct tsql_variable *variable = tsql_variable_find(fold->scan, name);

	fold->i++;
	if (variable == NULL || variable->value.ptr == NULL) {
		fold->unknown = true;
		buf_put_str(fold->out, name);
		return spend(fold, name.len);
	}
	fold->changed = fold->changed || variable->changed;
	fold->unknown = fold->unknown || variable->unknown;
	buf_put_str(fold->out, variable->value);
	return spend(fold, variable->value.len);
}

/* One term; false with nothing taken when it is none that folds. */
static bool term(struct fold *fold)
{
	const struct tsql_piece *piece = tsql_piece_at(fold->scan, fold->i);

	if (!spend(fold, 1 + piece->len)) {
		return false;
	}
	switch ((enum tsql_kind)piece->kind) {
	case TSQL_STRING:
		put_string(fold, piece);
		fold->i++;
		return true;
	case TSQL_HEX:
		put_hex(fold, tsql_text_at(fold->scan, fold->i));
		fold->changed = true;
		fold->i++;
		return true;
	case TSQL_VARIABLE:
		return take_variable(fold);
	case TSQL_WORD:
		return tsql_mark_at(fold->scan, fold->i + 1) == '(' && call(fold);
	case TSQL_MARK:
		if (fold->depth >= DEPTH_MAX || !take_mark(fold, '(')) {
			return false;
		}
		fold->depth++;
		if (!expression(fold) || !take_mark(fold, ')')) {
			return false;
		}
		fold->depth--;
		return true;
	case TSQL_SPACE:
	case TSQL_COMMENT:
	case TSQL_QUOTED:
	case TSQL_NUMBER:
	case TSQL_MONEY:
	case TSQL_GO:
	case TSQL_UNKNOWN:
		break;
	}
	return false;
}

/* Passes over a term that does not fold: a column or a call. A variable's name stands for it. */
static bool skip_term(struct fold *fold)
{
	struct tsql_name name;
	size_t next = tsql_name_read(fold->scan, fold->i, &name);

	if (next == fold->i && tsql_kind_at(fold->scan, next) == TSQL_WORD &&
	    tsql_mark_at(fold->scan, next + 1) == '(') {
		next++;
	}
	if (next == fold->i) {
		return false;
	}
	fold->i = tsql_mark_at(fold->scan, next) == '(' ? tsql_behind(fold->scan, next) : next;
	fold->unknown = true;
	buf_put_text(fold->out, "@p");
	return true;
}

static bool expression(struct fold *fold)
{
	unsigned known_count = 0; /* terms in a row whose value is known */

	for (bool is_first = true;; is_first = false) {
		size_t i = fold->i;
		size_t len = fold->out->len;
		unsigned depth = fold->depth;
		bool was_unknown = fold->unknown;

		fold->unknown = false;
		if (!term(fold)) {
			fold->i = i;
			fold->depth = depth;
			buf_truncate(fold->out, len);
			if (is_first || !skip_term(fold)) {
				return false;
			}
		}
		known_count = fold->unknown ? 0 : known_count + 1;
		fold->unknown = fold->unknown || was_unknown;
		fold->changed = fold->changed || known_count > 1;
		if (!take_mark(fold, '+')) {
			return true;
		}
	}
}

bool tsql_fold(struct tsql_scan *scan, size_t i, struct tsql_folded *out)
{
	struct tsql_work *work = scan->work;
	struct fold fold = {.scan = scan, .out = &work->fold, .i = i};
	struct str text;

	buf_clear(&work->fold);
	if (!expression(&fold)) {
		/* that it does not fold hangs on values only if it was for their length */
		work->from_values = work->from_values || work->fold.failed;
		return false;
	}
	if (work->fold.failed || arena_str(work->arena, buf_str(&work->fold), &text) != 0) {
		work->flags |= TSQL_TRUNCATED;
		work->from_values = true;
		return false;
	}
	work->from_values = work->from_values || fold.changed;
	*out = (struct tsql_folded){.text = text,
				    .next = fold.i,
				    .changed = fold.changed,
				    .unknown = fold.unknown,
				    .char_count = fold.char_count};
	return true;
}
