#include "query/wrap.h"

#include "base/utf8.h"

#define LEAST_COLUMNS 20

/* Where a full line can end inside part: behind the returned number of bytes; 0: nowhere. */
static size_t border(struct str part, bool *out_space)
{
	bool blank = true;
	size_t space = 0;
	for (size_t i = 0; i < part.len; i++) {
		if (part.ptr[i] != ' ') {
			blank = false;
		} else if (!blank) {
			space = i;
		}
	}
	*out_space = space > 0;
	if (space > 0) {
		return space;
	}
	for (size_t i = part.len; i > part.len / 4; i--) {
		if (memchr(",;&", part.ptr[i - 1], 3) != NULL) {
			return i;
		}
	}
	return 0;
}

struct str wrap_take(struct str *rest, size_t width)
{
	struct str text = *rest;
	if (width == WRAP_NEVER || utf8_width(text) <= width) {
		*rest = str_slice(text, text.len, text.len);
		return text;
	}
	struct str part = utf8_fit(text, width);
	if (part.len == 0) {
		size_t pos = 0;
		(void)utf8_next(text, &pos); /* only where it ends is wanted */
		*rest = str_slice(text, pos, text.len);
		return str_slice(text, 0, pos);
	}
	bool space = part.len < text.len && text.ptr[part.len] == ' ';
	size_t end = space ? part.len : border(part, &space);
	end = end > 0 ? end : part.len;
	*rest = str_slice(text, end + (space ? 1 : 0), text.len);
	return str_slice(text, 0, end);
}

size_t wrap_width(const struct output *out, size_t indent)
{
	return out->width > indent + LEAST_COLUMNS ? out->width - indent : WRAP_NEVER;
}

void wrap_put_safe(struct output *out, const char *indent, struct str text)
{
	size_t width = wrap_width(out, strlen(indent));
	struct buf safe;
	struct str rest = text;
	buf_init(&safe, 0);
	do {
		struct str line = str_split(&rest, '\n');
		buf_clear(&safe);
		utf8_put_printable(&safe, line);
		struct str left = buf_str(&safe);
		do {
			struct str part = wrap_take(&left, width);
			buf_put_text(&out->text, indent);
			buf_put_str(&out->text, part);
			buf_put_byte(&out->text, '\n');
		} while (left.len > 0);
	} while (rest.ptr != NULL);
	buf_done(&safe);
}

void wrap_put_behind(struct output *out, size_t used, size_t indent, struct str text)
{
	size_t width = wrap_width(out, used);
	for (;;) {
		struct str part = wrap_take(&text, width);
		buf_put_str(&out->text, part);
		buf_put_byte(&out->text, '\n');
		if (text.len == 0) {
			return;
		}
		buf_put_fill(&out->text, ' ', indent);
		width = wrap_width(out, indent);
	}
}
