#include "model/accesslog/readings.h"

/* The clean way, one pass. It may be taken only when no value holds a quote: then the quotes of the line and those of the
 * template's literals are as many, each stands for its own, and the line has no other reading. So nothing a caller writes into
 * a value can move a border here; a value with a quote ends this way and goes to readings.c. */

static struct str next_literal(const struct accesslog_format *format, size_t slot)
{
	return slot + 1 < format->slot_count ? format->slot[slot + 1].before : format->last;
}

/* Finds the end of the value that begins at pos. */
static bool find_end(const struct accesslog_format *format, size_t i, struct str line, size_t pos,
		     size_t *out_end)
{
	struct str next = next_literal(format, i);
	const char *end = line.ptr + line.len;
	struct str value;

	if (next.len != 0) {
		end = memchr(line.ptr + pos, next.ptr[0], line.len - pos);
		if (end == NULL) {
			return false;
		}
	}
	*out_end = (size_t)(end - line.ptr);
	if (next.len != 0 && next.ptr[0] == '"') {
		return true;
	}
	value = str_make(line.ptr + pos, *out_end - pos);
	if (format->slot[i].variable->shape == SHAPE_FREE) {
		return value_is_unset(value); /* with more in it, its end takes a second look */
	}
	return shape_fits(format->slot[i].variable->shape, value);
}

static bool starts_with(struct str line, size_t pos, struct str literal)
{
	return line.len - pos >= literal.len &&
	       (literal.len == 0 || memcmp(line.ptr + pos, literal.ptr, literal.len) == 0);
}

static bool split_clean(const struct accesslog_format *format, struct str line,
			struct reading *reading)
{
	size_t pos = 0;
	size_t end;

	for (size_t i = 0; i < format->slot_count; i++) {
		const struct slot *slot = &format->slot[i];

		if (!starts_with(line, pos, slot->before)) {
			return false;
		}
		pos += slot->before.len;
		if (!find_end(format, i, line, pos, &end)) {
			return false;
		}
		reading->value[i] = (struct value){.name = slot->name,
						   .variable = slot->variable,
						   .text = str_make(line.ptr + pos, end - pos),
						   .sure = true};
		pos = end;
	}
	reading->count = format->slot_count;
	reading->damage = DAMAGE_NONE;
	return line.len - pos == format->last.len && starts_with(line, pos, format->last);
}

/* Whether a line holds control bytes, eight at a time. */
static bool has_control(struct str line)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t found = 0;
	size_t i = 0;

	for (; i + 8 <= line.len; i += 8) {
		uint64_t word;

		memcpy(&word, line.ptr + i, 8);
		found |= (word - 0x20 * ones) & ~word & (0x80 * ones);
	}
	for (; i < line.len; i++) {
		found |= (uint8_t)line.ptr[i] < 0x20 ? 1 : 0;
	}
	return found != 0;
}

/* Whether what stands between quotes is well formed JSON: no bare quote, only escapes that exist. */
static bool is_json_text(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"') {
			return false;
		}
		if (text.ptr[i] != '\\') {
			continue;
		}
		i++;
		if (i == text.len || text.ptr[i] == '\0' ||
		    strchr("\"\\/bfnrtu", text.ptr[i]) == NULL) {
			return false;
		}
		if (text.ptr[i] == 'u') {
			struct str digits = str_slice(text, i + 1, 4);

			for (size_t k = 0; k < 4; k++) {
				if (k >= digits.len ||
				    strchr("0123456789abcdefABCDEF", digits.ptr[k]) == NULL) {
					return false;
				}
			}
		}
	}
	return true;
}

/* A bare value of a JSON template: a quoted text (error.messageString brings its own quotes) or a number or word. */
static bool read_bare(struct value *value)
{
	struct str text = value->text;

	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
		value->text = str_slice(text, 1, text.len - 2);
		return is_json_text(value->text);
	}
	return text.len != 0 && !str_is(text, "-") && shape_fits(SHAPE_WORD, text);
}

/* Marks the values that have escapes, and whether the whole line is the JSON that its template promises. */
static void check_json(const struct accesslog_format *format, struct str line,
		       struct reading *reading)
{
	bool well_formed = !has_control(line);
	bool suspicious = str_find_byte(line, '\\', 0) >= 0 || reading->damage != DAMAGE_NONE;

	for (size_t i = 0; i < reading->count; i++) {
		struct value *value = &reading->value[i];
		bool json = true;

		if (!value->sure) {
			continue;
		}
		if (!format->slot[i].quoted) {
			json = read_bare(value) || value_is_unset(value->text);
		} else if (suspicious) {
			json = is_json_text(value->text);
		}
		value->escaped = json && suspicious && str_find_byte(value->text, '\\', 0) >= 0;
		well_formed = well_formed && json;
	}
	if (reading->damage == DAMAGE_RECOVERED && well_formed) {
		reading->damage = DAMAGE_NONE;
	} else if (reading->damage == DAMAGE_NONE && !well_formed) {
		reading->damage = DAMAGE_RECOVERED;
	}
}

/* A variable that the template names twice has one value; two are a sign of forgery, and neither counts. */
static void check_repeats(const struct accesslog_format *format, struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		struct value *value = &reading->value[i];
		struct value *first;

		if (format->slot[i].repeats == 0) {
			continue;
		}
		first = &reading->value[format->slot[i].repeats - 1];
		if (!value->sure || !first->sure || !str_equal(value->text, first->text)) {
			reading->damage = DAMAGE_AMBIGUOUS;
			first->sure = false;
		}
		value->sure = false; /* the first one stands for both */
		value->text = str_make(NULL, 0);
	}
}

enum split split_line(const struct accesslog_format *format, struct str line,
		      struct reading *reading)
{
	enum split result = SPLIT_WHOLE;

	if (!format->stops_cleanly || !split_clean(format, line, reading)) {
		result = readings_find(format, line, reading);
		if (result == SPLIT_NOTHING) {
			return result;
		}
		/* one reading whose values hold quotes: well formed only if the quotes are escaped */
		if (reading->damage == DAMAGE_NONE && format->json) {
			reading->damage = DAMAGE_RECOVERED;
		}
	}
	reading->by_slot = true;
	if (format->json && result == SPLIT_WHOLE) {
		check_json(format, line, reading);
	}
	check_repeats(format, reading);
	return result;
}
