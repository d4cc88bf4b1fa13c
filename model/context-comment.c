#include "model/context.h"

#include "base/buf.h"
#include "base/parse.h"
#include "model/context-part.h"
#include "model/tsql/token.h"

#define TRACEPARENT_BYTES 55 /* 00-<32 hex>-<16 hex>-<2 hex>; W3C Trace Context, section 3.2.2 */
#define TRACE_ID_BYTES    32

static bool is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-' || c == '.' || c == '%';
}

static bool ends_bare_value(char c)
{
	return c <= ' ' || c == ',' || c == ';' || c == '\'' || c == '"' || c == '*';
}

/* The value that begins at *pos: quoted (a backslash keeps a quote inside) or bare. Moves *pos behind it. */
static struct str read_value(struct str text, size_t *pos)
{
	size_t start = *pos;
	size_t end = start;

	if (start < text.len && text.ptr[start] == '\'') {
		for (end = ++start; end < text.len && text.ptr[end] != '\''; end++) {
			end += text.ptr[end] == '\\' && end + 1 < text.len ? 1 : 0;
		}
		*pos = end < text.len ? end + 1 : text.len;
		/* a quote that never closes makes the value unsure: take none */
		return end < text.len ? str_slice(text, start, end - start) : str_make(NULL, 0);
	}
	while (end < text.len && !ends_bare_value(text.ptr[end])) {
		end++;
	}
	*pos = end;
	return str_slice(text, start, end - start);
}

/* Sets the request id from its percent-encoded form; false when it is none or contradicts another one. */
static bool take_request_id(struct context *context, struct str value)
{
	struct buf decoded;
	struct str id;
	bool coded = str_find_byte(value, '%', 0) >= 0; /* most are not, and stand for themselves */
	bool ok;

	buf_init(&decoded, CONTEXT_ID_MAX);
	ok = !coded || (parse_percent(value, &decoded) && !decoded.failed);
	id = coded ? buf_str(&decoded) : value;
	ok = ok && context_is_id(id);
	if (ok && context->request_id.len != 0) {
		ok = str_equal(context->request_id, id);
	} else if (ok) {
		context->request_id = id;
		ok = id.ptr == value.ptr || context_keep(context, &context->request_id);
	}
	buf_done(&decoded);
	return ok;
}

static bool is_lower_hex(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
			return false;
		}
	}
	return true;
}

static bool take_traceparent(struct context *context, struct str value)
{
	struct str id = str_slice(value, 3, TRACE_ID_BYTES);

	if (value.len < TRACEPARENT_BYTES || value.ptr[2] != '-' || value.ptr[35] != '-' ||
	    value.ptr[52] != '-' || !is_lower_hex(id) ||
	    str_is(id, "00000000000000000000000000000000")) {
		return false;
	}
	if (context->trace_id.len != 0) {
		return str_equal(context->trace_id, id);
	}
	context->trace_id = id;
	return true;
}

/* Reads the pairs of a comment; false when it has none that we know, or two that contradict one another. */
static bool read_pairs(struct str text, struct context *context)
{
	size_t pos = 0;

	while (pos < text.len) {
		size_t start = pos;
		struct str name;
		struct str value;

		while (pos < text.len && is_name_byte(text.ptr[pos])) {
			pos++;
		}
		name = str_slice(text, start, pos - start);
		if (name.len == 0) {
			/* a quoted text that is no value of ours is passed over whole */
			pos = start + 1;
			if (text.ptr[start] == '\'') {
				pos = start;
				(void)read_value(text, &pos); /* only its end matters */
			}
			continue;
		}
		if (pos >= text.len || text.ptr[pos] != '=') {
			continue;
		}
		pos++;
		value = read_value(text, &pos);
		if ((str_is(name, "request_id") && !take_request_id(context, value)) ||
		    (str_is(name, "traceparent") && !take_traceparent(context, value))) {
			return false;
		}
	}
	return context->request_id.len + context->trace_id.len != 0;
}

static bool read_comment(struct str text, struct str key, struct context *out_context)
{
	struct context context = {.signature = CONTEXT_UNSIGNED};
	ptrdiff_t inner = str_find(text, STR_LIT("/*"), 0);

	if (inner >= 0) {
		text = str_slice(text, 0, (size_t)inner);
	}
	if (context_parse(text, key, out_context)) {
		return true;
	}
	if (!read_pairs(text, &context)) {
		return false;
	}
	context_publish(&context, out_context);
	return true;
}

/* The comment with which the statement begins; false when it begins with something else. */
static bool leading_comment(struct str statement, struct str *out_text)
{
	struct tsql_reader reader = tsql_reader(statement);
	struct tsql_token token;

	tsql_skip_parameters(&reader);
	while (tsql_next(&reader, &token)) {
		if (token.kind == TSQL_COMMENT && token.closed) {
			*out_text = token.text;
			return true;
		}
		if (token.kind != TSQL_SPACE) {
			return false;
		}
	}
	return false;
}

static bool is_space_or_mark(char c)
{
	return (c >= 0 && c <= ' ') || c == ';';
}

/* Whether the text may end in a comment: cheap, and saves reading most statements. */
static bool may_end_in_comment(struct str statement)
{
	size_t end = statement.len;
	ptrdiff_t last = -1;

	while (end > 0 && is_space_or_mark(statement.ptr[end - 1])) {
		end--;
	}
	if (end >= 2 && statement.ptr[end - 1] == '/' && statement.ptr[end - 2] == '*') {
		return true;
	}
	statement.len = end;
	for (ptrdiff_t at = str_find_byte(statement, '-', 0); at >= 0;
	     at = str_find_byte(statement, '-', (size_t)at + 1)) {
		last = (size_t)at + 1 < end && statement.ptr[at + 1] == '-' ? at : last;
	}
	return last >= 0 && str_find_byte(statement, '\n', (size_t)last) < 0 &&
	       str_find_byte(statement, '\r', (size_t)last) < 0;
}

/* The comment behind which no code follows, the last one if there are several; false when there is none. */
static bool trailing_comment(struct str statement, struct str *out_text)
{
	struct tsql_reader reader = tsql_reader(statement);
	struct tsql_token token;
	bool found = false;

	if (!may_end_in_comment(statement)) {
		return false;
	}
	while (tsql_next(&reader, &token)) {
		if (token.kind == TSQL_COMMENT && token.closed) {
			*out_text = token.text;
			found = true;
		} else if (token.kind != TSQL_SPACE && !tsql_is_mark(&token, ';')) {
			found = false;
		}
	}
	return found;
}

/* Bytes that may begin more than meets the eye: names in quotes, money, joined lines, letters beyond ASCII, control bytes. */
static bool is_doubtful(char c)
{
	uint8_t byte = (uint8_t)c;

	return byte >= 0x7f || c == '"' || c == '[' || c == '\\' || c == '$' ||
	       (byte < ' ' && c != '\n' && c != '\r' && c != '\t');
}

#define RUN_BYTES 32

/* Whether a run of bytes holds one that is_plain has to look at. Without a branch, so that the compiler takes many at a time. */
static bool run_has_mark(const char *run)
{
	unsigned marks = 0;

	for (size_t i = 0; i < RUN_BYTES; i++) {
		signed char c = (signed char)run[i]; /* bytes beyond ASCII are less than a space */

		marks |= (unsigned)(c < ' ') | (unsigned)(c == 0x7f) | (unsigned)(c == '\'') |
			 (unsigned)(c == '"') | (unsigned)(c == '[') | (unsigned)(c == '\\') |
			 (unsigned)(c == '$') | (unsigned)(c == '-') | (unsigned)(c == '/');
	}
	return marks != 0;
}

/* Whether nothing but plain code and '..' strings stands in the text, so that what follows is code again. */
static bool is_plain(struct str text)
{
	size_t watched = 0; /* up to here bytes are looked at one by one */

	for (size_t i = 0; i < text.len; i++) {
		if (i >= watched) {
			while (text.len - i >= RUN_BYTES && !run_has_mark(text.ptr + i)) {
				i += RUN_BYTES;
			}
			if (i == text.len) {
				break;
			}
			watched = i + RUN_BYTES;
		}
		char c = text.ptr[i];
		char next = i + 1 < text.len ? text.ptr[i + 1] : ' ';

		if (c == '\'') {
			ptrdiff_t close = str_find_byte(text, '\'', i + 1);

			if (close < 0) {
				return false;
			}
			i = (size_t)
				close; /* a doubled one opens the next string at once: the same extent */
		} else if (is_doubtful(c) || (c == '-' && next == '-') ||
			   (c == '/' && next == '*')) {
			return false;
		}
	}
	return true;
}

/* The block comment that ends a plain statement, as nearly all have it: found from behind, without cutting the statement into tokens. False on any
 * doubt; then trailing_comment decides. */
static bool plain_trailing_comment(struct str statement, struct str *out_text)
{
	size_t end = statement.len;
	const char *star = NULL;
	size_t start;

	while (end > 0 && memchr(" \t\r\n;", statement.ptr[end - 1], 5) != NULL) {
		end--;
	}
	if (end < 4 || statement.ptr[end - 1] != '/' || statement.ptr[end - 2] != '*') {
		return false;
	}
	end -= 2;
	for (size_t from = end; from > 1; from = (size_t)(star - statement.ptr)) {
		star = memrchr(statement.ptr + 1, '*', from - 1);
		if (star == NULL) {
			return false;
		}
		if (star[1] == '/' && star + 2 <= statement.ptr + end) {
			return false; /* it closes there */
		}
		if (star[-1] == '/') {
			break;
		}
	}
	if (star == NULL || star[-1] != '/') {
		return false;
	}
	start = (size_t)(star - statement.ptr) - 1;
	if (!is_plain(str_slice(statement, 0, start))) {
		return false;
	}
	*out_text = str_slice(statement, start + 2, end - (start + 2));
	return true;
}

bool context_from_comment(struct str statement, struct str key, struct context *out_context)
{
	struct str text;

	if (leading_comment(statement, &text) && read_comment(text, key, out_context)) {
		return true;
	}
	return (plain_trailing_comment(statement, &text) || trailing_comment(statement, &text)) &&
	       read_comment(text, key, out_context);
}
