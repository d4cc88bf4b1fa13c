#include "store/block/shape-token.h"

#include "model/jsontext.h"

#define DEPTH_MAX 8
#define NAME_MAX  96

/* The length of the string that begins at pos with a quote; 0 when it does not end. */
static size_t string_len(struct str raw, size_t pos)
{
	size_t from = pos + 1;
	while (from < raw.len) {
		const char *end = memchr(raw.ptr + from, '"', raw.len - from);
		if (end == NULL) {
			return 0;
		}
		size_t at = (size_t)(end - raw.ptr);
		size_t slashes = 0;
		while (at - slashes > pos + 1 && raw.ptr[at - slashes - 1] == '\\') {
			slashes++;
		}
		if (slashes % 2 == 0) {
			return at + 1 - pos;
		}
		from = at + 1;
	}
	return 0;
}

/* The length of the array or object that begins at pos; 0 when it does not end. */
static size_t bracket_len(struct str raw, size_t pos)
{
	size_t depth = 0;
	for (size_t at = pos; at < raw.len; at++) {
		char byte = raw.ptr[at];
		if (byte == '"') {
			size_t len = string_len(raw, at);
			if (len == 0) {
				return 0;
			}
			at += len - 1;
		} else if (byte == '{' || byte == '[') {
			depth++;
		} else if (byte == '}' || byte == ']') {
			depth--;
			if (depth == 0) {
				return at + 1 - pos;
			}
		}
	}
	return 0;
}

static bool ends_word(char byte)
{
	return (uint8_t)byte <= ' ' || byte == ',' || byte == ']' || byte == '}' || byte == '[' ||
	       byte == '{' || byte == '"';
}

size_t token_len(struct str raw, size_t pos)
{
	if (pos >= raw.len) {
		return 0;
	}
	if (raw.ptr[pos] == '"') {
		return string_len(raw, pos);
	}
	if (raw.ptr[pos] == '{' || raw.ptr[pos] == '[') {
		return bracket_len(raw, pos);
	}
	size_t end = pos;
	while (end < raw.len && !ends_word(raw.ptr[end])) {
		end++;
	}
	return end - pos;
}

size_t token_cell_len(struct str raw, size_t pos)
{
	bool quoted = false;
	size_t end = pos;
	while (end < raw.len) {
		char byte = raw.ptr[end];
		if (byte == '"') {
			quoted = !quoted;
		} else if (!quoted && (byte == ',' || byte == '\r' || byte == '\n')) {
			break;
		}
		end++;
	}
	return end - pos;
}

struct cutter {
	struct str raw;
	struct arena *arena;
	struct token_cut *cut;
	size_t pos, fixed_from, fixed_bytes;
	struct str outer[DEPTH_MAX]; /* names of the objects around */
	size_t depth;
	unsigned line;
	bool failed;
};

/* "identity.sourceIp", from the second line on "2:event_time". */
static struct str full_name(struct cutter *cutter, struct str name)
{
	char text[NAME_MAX];
	struct buf out = {.ptr = text, .capacity = sizeof text, .max_bytes = sizeof text - 1};
	if (cutter->line > 1) {
		buf_put_u64(&out, cutter->line);
		buf_put_byte(&out, ':');
	}
	for (size_t i = 1; i < cutter->depth; i++) {
		buf_put_str(&out, cutter->outer[i]);
		buf_put_byte(&out, '.');
	}
	buf_put_str(&out, name);
	struct str kept = name;
	if (arena_str(cutter->arena, out.failed ? name : buf_str(&out), &kept) != 0) {
		cutter->failed = true;
	}
	return kept;
}

static void add_place(struct cutter *cutter, struct str name, size_t len)
{
	struct token_cut *cut = cutter->cut;
	size_t fixed = cutter->pos - cutter->fixed_from;
	cutter->fixed_bytes += fixed;
	if (cut->count == PLACES_MAX || cutter->fixed_bytes > SKELETON_MAX) {
		cutter->failed = true;
		return;
	}
	cut->token[cut->count] = (struct token){(uint32_t)cutter->pos, (uint32_t)len};
	cut->place[cut->count++] = (struct place){
		.before = str_make(cutter->raw.ptr + cutter->fixed_from, fixed),
		.key = full_name(cutter, name),
		.name = NO_NAME,
		.other = NO_NAME,
	};
	cutter->pos += len;
	cutter->fixed_from = cutter->pos;
}

static void skip_space(struct cutter *cutter)
{
	while (cutter->pos < cutter->raw.len && (uint8_t)cutter->raw.ptr[cutter->pos] <= ' ') {
		cutter->pos++;
	}
}

static char peek(const struct cutter *cutter)
{
	return cutter->pos < cutter->raw.len ? cutter->raw.ptr[cutter->pos] : 0;
}

/* Reads "key": value; false where that is not what stands there. */
static bool cut_member(struct cutter *cutter)
{
	size_t key_len = string_len(cutter->raw, cutter->pos);
	if (key_len == 0) {
		return false;
	}
	struct str key = str_make(cutter->raw.ptr + cutter->pos + 1, key_len - 2);
	cutter->pos += key_len;
	skip_space(cutter);
	if (peek(cutter) != ':') {
		return false;
	}
	cutter->pos++;
	skip_space(cutter);
	if (peek(cutter) == '{' && cutter->depth < DEPTH_MAX) {
		cutter->outer[cutter->depth++] = key;
		cutter->pos++;
		return true;
	}
	size_t len = token_len(cutter->raw, cutter->pos);
	if (len == 0) {
		return false;
	}
	add_place(cutter, key, len);
	return !cutter->failed;
}

/* One or more objects; whatever stands between members is fixed text. */
static bool cut_objects(struct cutter *cutter)
{
	for (;;) {
		skip_space(cutter);
		char byte = peek(cutter);
		if (cutter->depth == 0 && byte == '{') {
			cutter->line++;
			cutter->outer[cutter->depth++] = (struct str){0};
		} else if (cutter->depth > 0 && byte == '}') {
			cutter->depth--;
		} else if (cutter->depth > 0 && byte == '"') {
			if (!cut_member(cutter)) {
				return false;
			}
			continue;
		} else if (cutter->depth == 0 || byte != ',') {
			return cutter->pos == cutter->raw.len && cutter->depth == 0;
		}
		cutter->pos++;
	}
}

static void add_numbered(struct cutter *cutter, const char *noun, size_t len)
{
	char name[24];
	struct buf out = {.ptr = name, .capacity = sizeof name, .max_bytes = sizeof name - 1};
	buf_put_text(&out, noun);
	buf_put_u64(&out, cutter->cut->count + 1);
	add_place(cutter, buf_str(&out), len);
}

/* Cells, what stands between them is fixed text. */
static bool cut_cells(struct cutter *cutter)
{
	for (;;) {
		add_numbered(cutter, "cell ", token_cell_len(cutter->raw, cutter->pos));
		if (!cutter->failed) {
			cutter->cut->place[cutter->cut->count - 1].flags = PLACE_CELL;
		}
		if (cutter->failed || cutter->pos == cutter->raw.len) {
			return !cutter->failed;
		}
		cutter->pos++;
	}
}

/* Words and strings, what stands between them is fixed text. */
static bool cut_words(struct cutter *cutter)
{
	while (cutter->pos < cutter->raw.len && !cutter->failed) {
		char byte = peek(cutter);
		size_t len = byte != '{' && byte != '[' ? token_len(cutter->raw, cutter->pos) : 0;
		if (len == 0) {
			cutter->pos++;
			continue;
		}
		add_numbered(cutter, "word ", len);
	}
	return !cutter->failed;
}

bool token_cut(struct str raw, bool csv, struct arena *arena, struct token_cut *out)
{
	struct cutter cutter = {.raw = raw, .arena = arena, .cut = out};
	out->count = 0;
	if (raw.len == 0 || raw.len > UINT32_MAX) {
		return false;
	}
	ptrdiff_t brace = str_find_byte(str_slice(raw, 0, 64), '{', 0);
	if (brace > 4 && raw.ptr[0] != '{') { /* an export's time, or a byte order mark */
		add_place(&cutter, STR_LIT("before"), token_len(raw, 0));
	} else if (brace > 0) {
		cutter.pos = (size_t)brace;
	}
	out->is_json = brace >= 0 && !cutter.failed && cut_objects(&cutter);
	if (!out->is_json) {
		cutter = (struct cutter){.raw = raw, .arena = arena, .cut = out};
		out->count = 0;
		if (!(csv ? cut_cells(&cutter) : cut_words(&cutter))) {
			return false;
		}
	}
	out->last = str_slice(raw, cutter.fixed_from, raw.len);
	return out->count > 0 && out->last.len <= SKELETON_MAX;
}

bool token_text(struct str token, struct arena *arena, struct str *out_text)
{
	*out_text = token;
	if (token.len < 2 || token.ptr[0] != '"') {
		return true;
	}
	struct str inner = str_make(token.ptr + 1, token.len - 2);
	bool escaped = memchr(inner.ptr, '\\', inner.len) != NULL;
	return jsontext_get(inner, escaped, arena, out_text);
}
