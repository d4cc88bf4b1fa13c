#include "model/accesslog/wellknown.h"

#define KEY_BYTES_MAX 64

static bool is_key_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '_' || c == '-' || c == '$' || c == ':';
}

static size_t skip_space(struct str line, size_t pos)
{
	while (pos < line.len && (line.ptr[pos] == ' ' || line.ptr[pos] == '\t')) {
		pos++;
	}
	return pos;
}

static char at(struct str line, size_t pos)
{
	return pos < line.len ? line.ptr[pos] : '\0';
}

/* Reads "key": at pos, behind a comma or the opening brace. Sets where its value begins. */
static bool read_key(struct str line, size_t pos, struct str *out_key, size_t *out_value)
{
	size_t end = skip_space(line, pos);
	size_t start = end + 1;

	if (at(line, end) != '"') {
		return false;
	}
	for (end = start; end < line.len && is_key_byte(line.ptr[end]);) {
		end++;
	}
	if (end == start || end - start > KEY_BYTES_MAX || at(line, end) != '"') {
		return false;
	}
	*out_key = str_slice(line, start, end - start);
	end = skip_space(line, end + 1);
	if (at(line, end) != ':') {
		return false;
	}
	*out_value = skip_space(line, end + 1);
	return true;
}

/* Whether a value may end at pos: a comma and another key, or a brace, or the line, come next. */
static bool may_end(struct str line, size_t pos)
{
	struct str key;
	size_t value;

	pos = skip_space(line, pos);
	return pos == line.len || at(line, pos) == '}' ||
	       (at(line, pos) == ',' && read_key(line, pos + 1, &key, &value));
}

/* The value that begins at pos, up to the first place where it may end. Sets what stands behind it. */
static struct str read_value(struct str line, size_t pos, size_t *out_next)
{
	size_t start = pos;
	bool quoted = at(line, pos) == '"';

	start += quoted ? 1 : 0;
	for (size_t end = start; end < line.len; end++) {
		char c = line.ptr[end];

		if (quoted && c == '"' && may_end(line, end + 1)) {
			*out_next = end + 1;
			return str_slice(line, start, end - start);
		}
		if (!quoted && (c == ',' || c == '}')) {
			*out_next = end;
			return str_trim(str_slice(line, start, end - start));
		}
	}
	*out_next = line.len;
	return str_make(NULL, 0); /* cut off: what is left of it can't be trusted */
}

bool wellknown_recover(struct str line, struct wellknown_memo *memo, struct reading *reading)
{
	size_t pos = 0;

	reading->count = 0;
	reading->damage = DAMAGE_RECOVERED;
	reading->by_slot = false;
	while (pos < line.len && reading->count < FORMAT_SLOTS_MAX) {
		struct value value = {.escaped = false};
		struct str key;
		size_t start;

		if ((line.ptr[pos] != ',' && line.ptr[pos] != '{') ||
		    !read_key(line, pos + 1, &key, &start)) {
			pos++;
			continue;
		}
		value.text = read_value(line, start, &pos);
		wellknown_add(reading, memo, key, &value);
	}
	wellknown_distrust(reading);
	return reading->count > 0;
}
