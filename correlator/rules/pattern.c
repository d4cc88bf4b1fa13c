#include "correlator/rules/pattern.h"

#include "base/parse.h"
#include "base/utf8.h"

/* The characters that windash takes for each other. */
static const struct str dashes[] = {
	{"-", 1}, {"/", 1}, {"\xe2\x80\x93", 3}, {"\xe2\x80\x94", 3}, {"\xe2\x80\x95", 3}};
#define DASH_COUNT (sizeof(dashes) / sizeof(dashes[0]))

int pattern_put(struct rule_reader *reader, struct place place, struct pattern *pattern,
		uint16_t code)
{
	if (pattern->count == pattern->capacity) {
		size_t capacity = pattern->capacity != 0 ? pattern->capacity * 2 : 32;
		uint16_t *codes = arena_alloc(reader->scratch, capacity * sizeof(*pattern->codes));
		if (codes == NULL) {
			return rule_reader_full(reader, place);
		}
		if (pattern->count != 0) {
			memcpy(codes, pattern->codes, pattern->count * sizeof(*codes));
		}
		pattern->codes = codes;
		pattern->capacity = capacity;
	}
	if (++reader->code_count > READER_CODES_MAX) {
		return rule_reader_fail(reader, place, "the values of the rule grow too long");
	}
	pattern->codes[pattern->count++] = code;
	return 0;
}

static int put_bytes(struct rule_reader *reader, struct place place, struct pattern *pattern,
		     struct str bytes)
{
	int result = 0;
	for (size_t i = 0; i < bytes.len && result == 0; i++) {
		result = pattern_put(reader, place, pattern, (uint8_t)bytes.ptr[i]);
	}
	return result;
}

int pattern_put_text(struct rule_reader *reader, struct place place, struct pattern *pattern,
		     struct str text)
{
	int result = 0;
	for (size_t i = 0; i < text.len && result == 0; i++) {
		char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
		uint16_t code = (uint8_t)text.ptr[i];
		if (code == '\\' && (next == '\\' || next == '*' || next == '?')) {
			code = (uint8_t)next;
			i++;
		} else if (code == '*') {
			code = RULE_ANY_TEXT;
		} else if (code == '?') {
			code = RULE_ANY_BYTE;
		}
		result = pattern_put(reader, place, pattern, code);
	}
	return result;
}

int patterns_add(struct rule_reader *reader, struct place place, struct patterns *list,
		 struct pattern pattern)
{
	if (reader->value_count + list->count >= PACK_VALUES_MAX) {
		return rule_reader_fail(reader, place, "the rule grows to more than %d values",
					PACK_VALUES_MAX);
	}
	if (list->count == list->capacity) {
		size_t capacity = list->capacity != 0 ? list->capacity * 2 : 8;
		struct pattern *items =
			arena_alloc(reader->scratch, capacity * sizeof(*list->items));
		if (items == NULL) {
			return rule_reader_full(reader, place);
		}
		if (list->count != 0) {
			memcpy(items, list->items, list->count * sizeof(*items));
		}
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = pattern;
	return 0;
}

static bool has_wildcard(const struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++) {
		if (pattern->codes[i] > 255) {
			return true;
		}
	}
	return false;
}

/* The bytes of a pattern without wildcards, appended to out. */
static int take_bytes(struct rule_reader *reader, struct place place, const struct pattern *pattern,
		      struct buf *out)
{
	if (has_wildcard(pattern)) {
		return rule_reader_fail(reader, place,
					"a text with wildcards cannot be encoded; write contains, "
					"startswith or endswith behind the encoding");
	}
	for (size_t i = 0; i < pattern->count; i++) {
		buf_put_byte(out, (uint8_t)pattern->codes[i]);
	}
	return out->failed ? rule_reader_full(reader, place) : 0;
}

/* "*" at the ends where the step wants it, if none is there. */
static int add_ends(struct rule_reader *reader, struct place place, enum modifier_step step,
		    struct pattern *pattern)
{
	struct pattern wider = {0};
	bool front = step != STEP_STARTSWITH &&
		     !(pattern->count != 0 && pattern->codes[0] == RULE_ANY_TEXT);
	bool back = step != STEP_ENDSWITH &&
		    !(pattern->count != 0 && pattern->codes[pattern->count - 1] == RULE_ANY_TEXT);
	int result = front ? pattern_put(reader, place, &wider, RULE_ANY_TEXT) : 0;
	for (size_t i = 0; i < pattern->count && result == 0; i++) {
		result = pattern_put(reader, place, &wider, pattern->codes[i]);
	}
	if (result == 0 && back && !(wider.count == 1 && wider.codes[0] == RULE_ANY_TEXT)) {
		result = pattern_put(reader, place, &wider, RULE_ANY_TEXT);
	}
	if (result == 0) {
		*pattern = wider;
	}
	return result;
}

static void put_utf16(struct buf *out, struct str text, enum modifier_step step)
{
	if (step == STEP_UTF16) {
		buf_put(out, "\xff\xfe", 2);
	}
	size_t from = out->len;
	utf8_put_as_utf16le(out, text);
	if (step == STEP_UTF16BE) {
		for (size_t i = from; i + 1 < out->len; i += 2) {
			char low = out->ptr[i];
			out->ptr[i] = out->ptr[i + 1];
			out->ptr[i + 1] = low;
		}
	}
}

/* The part of the Base64 text that is the same wherever the bytes stand at this offset (mod 3) of a longer text. */
static int put_base64_at(struct rule_reader *reader, struct place place, struct str bytes,
			 size_t offset, struct patterns *out)
{
	static const size_t front[] = {0, 2, 3}, back[] = {0, 3, 2};
	struct buf shifted, encoded;
	struct pattern pattern = {0};
	buf_init(&shifted, 0);
	buf_init(&encoded, 0);
	buf_put_fill(&shifted, ' ', offset);
	buf_put_str(&shifted, bytes);
	parse_put_base64(&encoded, buf_str(&shifted));
	int result = shifted.failed || encoded.failed ? rule_reader_full(reader, place) : 0;
	size_t cut = back[shifted.len % 3];
	if (result == 0 && encoded.len > front[offset] + cut) {
		result = put_bytes(reader, place, &pattern,
				   str_slice(buf_str(&encoded), front[offset],
					     encoded.len - front[offset] - cut));
	}
	if (result == 0 && pattern.count == 0) {
		result = rule_reader_fail(reader, place, "the text is too short for base64offset");
	}
	buf_done(&shifted);
	buf_done(&encoded);
	return result == 0 ? patterns_add(reader, place, out, pattern) : result;
}

static int encode(struct rule_reader *reader, struct place place, enum modifier_step step,
		  const struct pattern *pattern, struct patterns *out)
{
	struct buf bytes, encoded;
	struct pattern made = {0};
	buf_init(&bytes, 0);
	buf_init(&encoded, 0);
	int result = take_bytes(reader, place, pattern, &bytes);
	if (result == 0 && step == STEP_BASE64OFFSET) {
		for (size_t offset = 0; offset < 3 && result == 0; offset++) {
			result = put_base64_at(reader, place, buf_str(&bytes), offset, out);
		}
	} else if (result == 0) {
		if (step == STEP_BASE64) {
			parse_put_base64(&encoded, buf_str(&bytes));
		} else {
			put_utf16(&encoded, buf_str(&bytes), step);
		}
		result = encoded.failed ? rule_reader_full(reader, place)
					: put_bytes(reader, place, &made, buf_str(&encoded));
		result = result == 0 ? patterns_add(reader, place, out, made) : result;
	}
	buf_done(&bytes);
	buf_done(&encoded);
	return result;
}

static bool is_word(uint16_t code)
{
	return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
	       (code >= 'A' && code <= 'Z') || code == '_' || (code >= 0x80 && code <= 0xff);
}

/* The length of a dash that begins an option at this place: nothing of a word before it, a word behind it. Else 0. */
static size_t dash_at(const struct pattern *pattern, size_t at)
{
	for (size_t i = 0; i < DASH_COUNT; i++) {
		size_t len = dashes[i].len, k = 0;
		while (k < len && at + k < pattern->count &&
		       pattern->codes[at + k] == (uint8_t)dashes[i].ptr[k]) {
			k++;
		}
		if (k == len && (at == 0 || !is_word(pattern->codes[at - 1])) &&
		    at + len < pattern->count && is_word(pattern->codes[at + len])) {
			return len;
		}
	}
	return 0;
}

/* The pattern with its dashes as the digits of number say, to the base of DASH_COUNT. */
static int put_dashes(struct rule_reader *reader, struct place place, const struct pattern *pattern,
		      size_t number, struct patterns *out)
{
	struct pattern made = {0};
	int result = 0;
	for (size_t i = 0; i < pattern->count && result == 0;) {
		size_t len = dash_at(pattern, i);
		if (len == 0) {
			result = pattern_put(reader, place, &made, pattern->codes[i++]);
			continue;
		}
		result = put_bytes(reader, place, &made, dashes[number % DASH_COUNT]);
		number /= DASH_COUNT;
		i += len;
	}
	return result == 0 ? patterns_add(reader, place, out, made) : result;
}

static int expand_dashes(struct rule_reader *reader, struct place place,
			 const struct pattern *pattern, struct patterns *out)
{
	size_t count = 1;
	for (size_t i = 0; i < pattern->count;) {
		size_t len = dash_at(pattern, i);
		count *= len != 0 ? DASH_COUNT : 1;
		i += len != 0 ? len : 1;
		if (count > PACK_VALUES_MAX) {
			return rule_reader_fail(reader, place, "too many dashes for windash");
		}
	}
	int result = 0;
	for (size_t number = 0; number < count && result == 0; number++) {
		result = put_dashes(reader, place, pattern, number, out);
	}
	return result;
}

int patterns_step(struct rule_reader *reader, struct place place, enum modifier_step step,
		  struct patterns *list)
{
	struct patterns out = {0};
	int result = 0;
	for (size_t i = 0; i < list->count && result == 0; i++) {
		struct pattern *pattern = &list->items[i];
		switch (step) {
		case STEP_CONTAINS:
		case STEP_STARTSWITH:
		case STEP_ENDSWITH:
			result = add_ends(reader, place, step, pattern);
			result = result == 0 ? patterns_add(reader, place, &out, *pattern) : result;
			break;
		case STEP_WINDASH:
			result = expand_dashes(reader, place, pattern, &out);
			break;
		case STEP_BASE64:
		case STEP_BASE64OFFSET:
		case STEP_UTF16:
		case STEP_UTF16LE:
		case STEP_UTF16BE:
			result = encode(reader, place, step, pattern, &out);
			break;
		}
	}
	if (result == 0) {
		*list = out;
	}
	return result;
}
