#include "query/argument.h"

#include "query/word.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next run of bytes that are no white space, at or after *pos. */
static struct str next_word(struct str text, size_t *pos)
{
	while (*pos < text.len && is_space(text.ptr[*pos])) {
		(*pos)++;
	}
	size_t begin = *pos;
	while (*pos < text.len && !is_space(text.ptr[*pos])) {
		(*pos)++;
	}
	return str_slice(text, begin, *pos - begin);
}

/* The length of a known field and its operator at the start of word, or 0. */
static size_t field_prefix(struct str word)
{
	size_t len = 0;
	while (len < word.len && memchr(":=<>!~", word.ptr[len], 6) == NULL) {
		len++;
	}
	struct word found;
	size_t skip = len > 0 && word.ptr[0] == '-' ? 1 : 0;
	if (len == word.len || !word_find(str_slice(word, skip, len - skip), &found)) {
		return 0;
	}
	while (len < word.len && memchr(":=<>!~", word.ptr[len], 6) != NULL) {
		len++;
		if (word.ptr[len - 1] == ':' || word.ptr[len - 1] == '~') {
			break;
		}
	}
	return len;
}

/* Whether a word looks like FIELD:value, whether there is such a field or not: a mistyped one must be told. */
static bool looks_like_field(struct str word)
{
	size_t len = word.len > 0 && word.ptr[0] == '-' ? 1 : 0;
	size_t begin = len;
	while (len < word.len &&
	       ((word.ptr[len] >= 'a' && word.ptr[len] <= 'z') ||
		(word.ptr[len] >= 'A' && word.ptr[len] <= 'Z') || word.ptr[len] == '_')) {
		len++;
	}
	return len > begin && len < word.len && memchr(":=<>~", word.ptr[len], 5) != NULL;
}

/* Whether text is written in the language itself, so that nothing must be quoted. */
static bool is_filter(struct str text)
{
	if (str_find_byte(text, '"', 0) >= 0 || str_find_byte(text, '(', 0) >= 0 ||
	    str_find_byte(text, ')', 0) >= 0) {
		return true;
	}
	size_t pos = 0;
	bool first = true;
	for (struct str word = next_word(text, &pos); word.len > 0; word = next_word(text, &pos)) {
		if (str_is(word, "OR") || str_is(word, "AND") || str_is(word, "NOT")) {
			return true;
		}
		bool is_field = looks_like_field(word);
		if (first && is_field && field_prefix(word) == 0) {
			return true; /* the parser says what is wrong with it */
		}
		bool is_operator = memchr("<>=!~", word.ptr[0], 5) != NULL;
		if (!first && (is_field || is_operator)) {
			return true;
		}
		first = false;
	}
	return false;
}

static void put_quoted(struct str text, struct buf *out)
{
	buf_put_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\') {
			buf_put_byte(out, '\\');
		}
		buf_put_byte(out, (uint8_t)text.ptr[i]);
	}
	buf_put_byte(out, '"');
}

static void put_argument(struct str text, struct buf *out)
{
	size_t pos = 0;
	struct str first = next_word(text, &pos);
	bool has_space = pos < text.len || (text.len > 0 && is_space(text.ptr[0]));
	if (!has_space || is_filter(text)) {
		buf_put_str(out, text);
		return;
	}
	size_t begin = (size_t)(first.ptr - text.ptr);
	size_t prefix = field_prefix(first);
	buf_put_str(out, str_slice(text, begin, prefix));
	put_quoted(str_slice(text, begin + prefix, text.len), out);
}

void argument_join(char *const *arguments, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0) {
			buf_put_byte(out, ' ');
		}
		put_argument(str_of(arguments[i]), out);
	}
}
