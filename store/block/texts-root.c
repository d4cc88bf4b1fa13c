#include "base/wire.h"
#include "store/block/texts-inner.h"

/* The stored form of a row's template: 0 and a pattern, or 1, a varint count of literals, the kind of each (enum tsql_literal_kind, DECIMAL
 * as 16 + scale) and the template as model/tsql/template.h makes it. */

enum { FORM_PATTERN = 0, FORM_TEMPLATE = 1 };
#define KIND_DECIMAL 16
#define SCALE_MAX    17

enum texts_group texts_group_of(struct pattern_slot slot)
{
	switch ((enum pattern_kind)slot.kind) {
	case PATTERN_NUMBER:
	case PATTERN_DECIMAL:
		return TEXTS_POOLED;
	case PATTERN_DATE:
		return TEXTS_DATES;
	case PATTERN_TIME:
		return TEXTS_TIMES;
	case PATTERN_DIGITS:
	case PATTERN_HEX:
		return TEXTS_WIDES;
	case PATTERN_WORD:
		return TEXTS_WORDS;
	case PATTERN_UUID4:
		return TEXTS_UUIDS;
	case PATTERN_UUID:
	case PATTERN_HEXBYTES:
	case PATTERN_HEXUPPER:
	case PATTERN_BASE64:
	case PATTERN_BASE64URL:
		return TEXTS_BYTES;
	case PATTERN_ID:
	case PATTERN_TEXT:
		break;
	}
	return TEXTS_NONE;
}

bool texts_root_put(const struct tsql_template *template, struct buf *out)
{
	if (template->literal_count > PATTERN_SLOTS_MAX) {
		return false;
	}
	wire_put_u8(out, FORM_TEMPLATE);
	wire_put_varint(out, template->literal_count);
	for (size_t i = 0; i < template->literal_count; i++) {
		const struct tsql_literal *literal = &template->literals[i];

		wire_put_u8(out, literal->kind == TSQL_LITERAL_DECIMAL
					 ? (uint8_t)(KIND_DECIMAL + literal->scale)
					 : (uint8_t)literal->kind);
	}
	buf_put_str(out, buf_str(&template->text));
	return true;
}

/* A template on its way to chunks and slots. */
struct reading {
	struct texts_root *root;
	char *bytes; /* of all chunks; room for the template and the signs of the literals */
	size_t used;
	size_t slot;
};

static void put_sign(struct reading *reading, const char *sign)
{
	for (; *sign != '\0'; sign++) {
		reading->bytes[reading->used++] = *sign;
	}
}

/* The end of a comment's text, by the signs before it. */
static enum texts_end end_of_comment(const struct reading *reading)
{
	return reading->used >= 2 && reading->bytes[reading->used - 1] == '*' ? TEXTS_END_BLOCK
									      : TEXTS_END_LINE;
}

/* One literal: its slot, the signs around it, and how it ends. False: there is no such kind. */
static bool read_literal(struct reading *reading, uint8_t kind)
{
	struct texts_root *root = reading->root;
	struct pattern_slot slot = {.kind = PATTERN_TEXT};
	enum texts_end end = TEXTS_END_CHUNK;
	const char *behind = "";
	size_t start = reading->used;

	if (kind == TSQL_LITERAL_STRING || kind == TSQL_LITERAL_NSTRING) {
		put_sign(reading, kind == TSQL_LITERAL_STRING ? "'" : "N'");
		behind = "'";
		end = TEXTS_END_QUOTE;
	} else if (kind == TSQL_LITERAL_HEX) {
		put_sign(reading, "0x");
	} else if (kind == TSQL_LITERAL_COMMENT) {
		end = end_of_comment(reading);
	} else if (kind == TSQL_LITERAL_REST) {
		end = TEXTS_END_ALL;
	} else if (kind == TSQL_LITERAL_INT) {
		slot.kind = PATTERN_NUMBER;
	} else if (kind > KIND_DECIMAL && kind <= KIND_DECIMAL + SCALE_MAX) {
		slot = (struct pattern_slot){PATTERN_DECIMAL, (uint8_t)(kind - KIND_DECIMAL)};
	} else if (kind != TSQL_LITERAL_TEXT && kind != TSQL_LITERAL_FLOAT &&
		   kind != TSQL_LITERAL_MONEY) {
		return false;
	}
	root->pattern.chunks[reading->slot].len += reading->used - start;
	root->pattern.slots[reading->slot] = slot;
	root->ends[reading->slot] = (uint8_t)end;
	root->sub_count += slot.kind == PATTERN_TEXT;
	start = reading->used;
	put_sign(reading, behind);
	root->pattern.chunks[++reading->slot] =
		str_make(reading->bytes + start, reading->used - start);
	return true;
}

/* Cuts a template into chunks at its places. */
static bool read_template(struct str template, struct str kinds, struct reading *reading)
{
	struct pattern *pattern = &reading->root->pattern;

	pattern->chunks[0] = str_make(reading->bytes, 0);
	for (size_t pos = 0; pos < template.len; pos++) {
		char c = template.ptr[pos];

		if (c == '?') {
			if (reading->slot == kinds.len ||
			    !read_literal(reading, (uint8_t)kinds.ptr[reading->slot])) {
				return false;
			}
			continue;
		}
		if (c == '\\' && ++pos == template.len) {
			return false;
		}
		reading->bytes[reading->used++] = template.ptr[pos];
		pattern->chunks[reading->slot].len++;
	}
	return reading->slot == kinds.len;
}

bool texts_root_read(struct str stored, struct arena *arena, struct texts_root *out)
{
	struct wire_reader reader = wire_reader(stored);
	uint8_t form = wire_u8(&reader);
	struct reading reading = {.root = out};
	struct str kinds;
	size_t count;

	*out = (struct texts_root){.is_template = form == FORM_TEMPLATE};
	if (reader.failed || form > FORM_TEMPLATE) {
		return false;
	}
	if (form == FORM_PATTERN) {
		out->shown = wire_bytes(&reader, wire_left(&reader));
		return pattern_read(out->shown, arena, &out->pattern);
	}
	count = wire_varint(&reader);
	if (count > PATTERN_SLOTS_MAX) {
		return false;
	}
	kinds = wire_bytes(&reader, count);
	out->shown = wire_bytes(&reader, wire_left(&reader));
	if (reader.failed) {
		return false;
	}
	out->pattern.slot_count = count;
	out->pattern.chunks = arena_calloc(arena, count + 1, sizeof(*out->pattern.chunks));
	out->pattern.slots = arena_calloc(arena, count + 1, sizeof(*out->pattern.slots));
	out->ends = arena_calloc(arena, count + 1, 1);
	reading.bytes = arena_alloc(arena, out->shown.len + 3 * count);
	return out->pattern.chunks != NULL && out->pattern.slots != NULL && out->ends != NULL &&
	       reading.bytes != NULL && read_template(out->shown, kinds, &reading);
}
