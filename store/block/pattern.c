#include "store/block/pattern.h"

#define MIXED_CHANGES_MAX 4 /* between letters and digits, beyond which a run is one word */
#define ID_BYTES_MIN      4 /* shorter ids are not looked for */

enum { MARK, DIGIT, LETTER, PLUS };

static unsigned class_of(char c)
{
	if (c >= '0' && c <= '9') {
		return DIGIT;
	}
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (uint8_t)c >= 0x80) {
		return LETTER;
	}
	return c == '+' || c == '/' ? PLUS : MARK;
}

static bool is_alnum(char c)
{
	unsigned class = class_of(c);

	return class == DIGIT || class == LETTER;
}

void pattern_splitter_init(struct pattern_splitter *splitter)
{
	splitter->token_count = 0;
	buf_init(&splitter->stored, 0);
	buf_init(&splitter->folded, 0);
}

void pattern_splitter_done(struct pattern_splitter *splitter)
{
	buf_done(&splitter->stored);
	buf_done(&splitter->folded);
}

/* A split on its way. */
struct split {
	struct pattern_splitter *splitter;
	struct str text;
	const struct str *ids;
	size_t id_count;
	size_t done;       /* bytes of the text that are in the pattern */
	size_t not_base64; /* up to here runs were looked at and are none */
	bool full;         /* more tokens than there is room for */
};

/* Copies the text up to an offset into the pattern. */
static void copy_to(struct split *split, size_t offset)
{
	struct buf *stored = &split->splitter->stored;
	struct str part = str_slice(split->text, split->done, offset - split->done);

	while (part.len > 0) {
		ptrdiff_t zero = str_find_byte(part, '\0', 0);
		size_t len = zero < 0 ? part.len : (size_t)zero + 1;

		buf_put(stored, part.ptr, len);
		if (zero >= 0) {
			buf_put_byte(stored, 0);
		}
		part = str_slice(part, len, part.len - len);
	}
	split->done = offset;
}

static void put_token(struct split *split, size_t offset, size_t len,
		      const struct pattern_token *token)
{
	struct pattern_splitter *splitter = split->splitter;
	uint8_t mark[3] = {0, token->slot.kind, token->slot.arg};

	if (splitter->token_count == PATTERN_TOKENS_MAX) {
		split->full = true;
		return;
	}
	copy_to(split, offset);
	buf_put(&splitter->stored, mark, sizeof(mark));
	splitter->tokens[splitter->token_count] = *token;
	splitter->tokens[splitter->token_count++].whole = str_slice(split->text, offset, len);
	split->done = offset + len;
}

static void put_word(struct split *split, size_t offset, size_t len, bool loose)
{
	struct pattern_token token = {.slot = {.kind = PATTERN_WORD},
				      .text = str_slice(split->text, offset, len),
				      .loose = loose};

	put_token(split, offset, len, &token);
}

/* The id that stands at pos; its length, or 0. */
static size_t find_id(const struct split *split, size_t pos, uint8_t *out_number)
{
	for (size_t i = 0; i < split->id_count; i++) {
		struct str id = split->ids[i];

		if (id.len >= ID_BYTES_MIN && id.len <= split->text.len - pos &&
		    memcmp(split->text.ptr + pos, id.ptr, id.len) == 0) {
			*out_number = (uint8_t)i;
			return id.len;
		}
	}
	return 0;
}

/* Digits from offset on: a number, or pieces with their width. Beside letters the width is kept: it is that of a name's number, while
 * a number of its own may be one that the family's pool knows. */
static void put_digits(struct split *split, size_t offset, size_t len, bool beside_letters)
{
	bool wide = beside_letters || len > 18 || len <= 2 || split->text.ptr[offset] == '0';

	while (len > 0) {
		size_t part = len > 18 ? 18 : len;
		struct pattern_token token = {.slot = {.kind = PATTERN_NUMBER}};

		if (wide) {
			token.slot = (struct pattern_slot){PATTERN_DIGITS, (uint8_t)part};
		}
		for (size_t i = 0; i < part; i++) {
			token.number = token.number * 10 + (split->text.ptr[offset + i] - '0');
		}
		put_token(split, offset, part, &token);
		offset += part;
		len -= part;
	}
}

/* Whether what ends before pos is a name that a number follows: letters and a point, dash or underscore. */
static bool continues_name(struct str text, size_t pos)
{
	return pos >= 2 && class_of(text.ptr[pos - 2]) == LETTER &&
	       (text.ptr[pos - 1] == '.' || text.ptr[pos - 1] == '-' || text.ptr[pos - 1] == '_');
}

/* Letters and digits from pos to end: runs of both, or one word when they change too often. */
static void put_run(struct split *split, size_t pos, size_t end)
{
	unsigned changes = 0;

	for (size_t i = pos + 1; i < end; i++) {
		changes += class_of(split->text.ptr[i]) != class_of(split->text.ptr[i - 1]);
	}
	if (changes > MIXED_CHANGES_MAX) {
		put_word(split, pos, end - pos, false);
		return;
	}
	while (pos < end) {
		unsigned class = class_of(split->text.ptr[pos]);
		size_t start = pos;

		while (pos < end && class_of(split->text.ptr[pos]) == class) {
			pos++;
		}
		if (class == DIGIT) {
			put_digits(split, start, pos - start,
				   changes > 0 || continues_name(split->text, start));
		} else {
			put_word(split, start, pos - start, true);
		}
	}
}

/* What stands at pos, where a token may begin. Returns where to go on. */
static size_t take(struct split *split, size_t pos)
{
	struct pattern_splitter *splitter = split->splitter;
	uint8_t *bytes = splitter->bytes[splitter->token_count % PATTERN_TOKENS_MAX];
	struct pattern_token token = {.slot = {.kind = PATTERN_ID}};
	size_t len = find_id(split, pos, &token.slot.arg);
	size_t end = pos;

	if (len == 0) {
		len = pattern_token_at(split->text, pos, &token, bytes);
	}
	if (len == 0 && pos >= split->not_base64) {
		len = pattern_base64_at(split->text, pos, &token, bytes);
	}
	if (len > 0) {
		put_token(split, pos, len, &token);
		return pos + len;
	}
	while (end < split->text.len && is_alnum(split->text.ptr[end])) {
		end++;
	}
	put_run(split, pos, end);
	/* the rest of a run of Base64 letters needs no second look */
	while (split->not_base64 < split->text.len &&
	       (split->not_base64 < end || is_alnum(split->text.ptr[split->not_base64]) ||
		class_of(split->text.ptr[split->not_base64]) == PLUS)) {
		split->not_base64++;
	}
	return end;
}

/* The whole text as one word. */
static void put_whole(struct split *split)
{
	buf_clear(&split->splitter->stored);
	split->splitter->token_count = 0;
	split->done = 0;
	split->full = false;
	put_word(split, 0, split->text.len, false);
}

int pattern_split(struct pattern_splitter *splitter, struct str text, const struct str *ids,
		  size_t id_count)
{
	struct split split = {.splitter = splitter, .text = text, .ids = ids, .id_count = id_count};

	buf_clear(&splitter->stored);
	splitter->token_count = 0;
	if (text.len > PATTERN_TEXT_MAX) {
		split.full = true;
	}
	for (size_t pos = 0; pos < text.len && !split.full;) {
		unsigned class = class_of(text.ptr[pos]);

		if (class == MARK || (class == PLUS && (pos > 0 || text.len < 12))) {
			pos++;
		} else if (class == PLUS) {
			struct pattern_token token = {.number = 0};
			size_t len = pattern_base64_at(text, pos, &token, splitter->bytes[0]);

			if (len > 0) {
				put_token(&split, pos, len, &token);
			}
			pos += len > 0 ? len : 1;
		} else {
			pos = take(&split, pos);
		}
	}
	if (split.full) {
		put_whole(&split);
	} else {
		copy_to(&split, text.len);
	}
	return splitter->stored.failed ? -ERR_NOMEM : 0;
}

void pattern_reword(struct pattern_splitter *splitter, size_t token)
{
	struct str stored = buf_str(&splitter->stored);
	struct pattern_token *changed = &splitter->tokens[token];

	for (size_t pos = 0; pos + 2 < stored.len; pos++) {
		if (stored.ptr[pos] != 0) {
			continue;
		}
		if (stored.ptr[pos + 1] == 0) {
			pos++;
			continue;
		}
		if (token-- == 0) {
			splitter->stored.ptr[pos + 1] = PATTERN_WORD;
			splitter->stored.ptr[pos + 2] = 0;
			break;
		}
		pos += 2;
	}
	*changed = (struct pattern_token){
		.slot = {.kind = PATTERN_WORD}, .text = changed->whole, .whole = changed->whole};
}

int pattern_fold(struct pattern_splitter *splitter)
{
	struct str stored = buf_str(&splitter->stored);
	struct buf swap;
	size_t done = 0;
	size_t read = 0;
	size_t kept = 0;

	if (splitter->token_count == 0) {
		return 0;
	}
	buf_clear(&splitter->folded);
	for (size_t pos = 0; pos < stored.len; pos++) {
		if (stored.ptr[pos] != 0) {
			continue;
		}
		if (stored.ptr[pos + 1] == 0) {
			pos++;
			continue;
		}
		if (splitter->tokens[read].loose) {
			buf_put(&splitter->folded, stored.ptr + done, pos - done);
			buf_put_str(&splitter->folded, splitter->tokens[read].text);
			done = pos + 3;
		} else {
			splitter->tokens[kept++] = splitter->tokens[read];
		}
		read++;
		pos += 2;
	}
	buf_put(&splitter->folded, stored.ptr + done, stored.len - done);
	swap = splitter->folded;
	splitter->folded = splitter->stored;
	splitter->stored = swap;
	splitter->token_count = kept;
	return splitter->stored.failed ? -ERR_NOMEM : 0;
}
