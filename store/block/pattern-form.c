#include "store/block/pattern.h"

#include <stdlib.h>

/* How many slots a stored form has; false when it is none. */
static bool count_slots(struct str stored, size_t *out_count)
{
	size_t count = 0;

	for (size_t pos = 0; pos < stored.len;) {
		ptrdiff_t zero = str_find_byte(stored, '\0', pos);

		if (zero < 0) {
			break;
		}
		pos = (size_t)zero + 2;
		if (pos > stored.len) {
			return false;
		}
		if (stored.ptr[pos - 1] != 0) {
			count++;
			pos++;
		}
	}
	*out_count = count;
	return count <= PATTERN_TOKENS_MAX;
}

bool pattern_read(struct str stored, struct arena *arena, struct pattern *out)
{
	size_t count;
	size_t chunk = 0;
	char *bytes;
	size_t used = 0;

	if (!count_slots(stored, &count)) {
		return false;
	}
	out->slot_count = count;
	out->chunks = arena_calloc(arena, count + 1, sizeof(*out->chunks));
	out->slots = arena_calloc(arena, count + 1, sizeof(*out->slots));
	bytes = arena_alloc(arena, stored.len);
	if (out->chunks == NULL || out->slots == NULL || bytes == NULL) {
		return false;
	}
	out->chunks[0].ptr = bytes;
	for (size_t pos = 0; pos < stored.len; pos++) {
		if (stored.ptr[pos] != 0 || stored.ptr[pos + 1] == 0) {
			bytes[used++] = stored.ptr[pos];
			out->chunks[chunk].len++;
			pos += stored.ptr[pos] == 0;
			continue;
		}
		if (pos + 2 >= stored.len) {
			return false;
		}
		out->slots[chunk] = (struct pattern_slot){(uint8_t)stored.ptr[pos + 1],
							  (uint8_t)stored.ptr[pos + 2]};
		if (!pattern_slot_valid(out->slots[chunk])) {
			return false;
		}
		out->chunks[++chunk].ptr = bytes + used;
		pos += 2;
	}
	return true;
}
