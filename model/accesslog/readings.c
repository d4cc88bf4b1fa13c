#include "model/accesslog/readings.h"

#include <stdlib.h>

struct ends { /* of one value: offsets in the line, ascending */
	uint32_t at[READINGS_ENDS_MAX];
	bool alive[READINGS_ENDS_MAX]; /* the rest of the line can be read from here */
	size_t count;
	bool overflow;
};

struct search {
	const struct accesslog_format *format;
	struct str line;
	struct ends *ends; /* one for each slot */
	size_t reached;    /* slots for which ends were found */
};

static struct str literal_behind(const struct search *search, size_t slot)
{
	const struct accesslog_format *format = search->format;

	return slot + 1 < format->slot_count ? format->slot[slot + 1].before : format->last;
}

static bool is_last(const struct search *search, size_t slot)
{
	return slot + 1 == search->format->slot_count;
}

/* How many places a value may begin at, and the one of an index. */
static size_t start_count(const struct search *search, size_t slot)
{
	return slot == 0 ? 1 : search->ends[slot - 1].count;
}

static size_t start_at(const struct search *search, size_t slot, size_t index)
{
	size_t literal = search->format->slot[slot].before.len;

	return slot == 0 ? literal : search->ends[slot - 1].at[index] + literal;
}

static bool fits(const struct search *search, size_t slot, size_t start, size_t end)
{
	return start <= end && shape_fits(search->format->slot[slot].variable->shape,
					  str_make(search->line.ptr + start, end - start));
}

/* Adds an end, once; keeps them ascending. */
static void add_end(struct ends *ends, size_t at)
{
	size_t place = ends->count;

	while (place > 0 && ends->at[place - 1] > at) {
		place--;
	}
	if (place > 0 && ends->at[place - 1] == at) {
		return;
	}
	if (ends->count == READINGS_ENDS_MAX) {
		ends->overflow = true;
		return;
	}
	memmove(ends->at + place + 1, ends->at + place,
		(ends->count - place) * sizeof(ends->at[0]));
	ends->at[place] = (uint32_t)at;
	ends->count++;
}

/* The last value ends where the template's last literal ends the line. */
static void find_last_end(struct search *search, size_t slot)
{
	struct str last = search->format->last;
	size_t end = search->line.len - last.len;

	if (!str_has_suffix(search->line, last)) {
		return;
	}
	for (size_t i = 0; i < start_count(search, slot); i++) {
		if (fits(search, slot, start_at(search, slot, i), end)) {
			add_end(&search->ends[slot], end);
			return;
		}
	}
}

/* Anything may stand in the value: it ends wherever the literal stands behind the first start. */
static void find_free_ends(struct search *search, size_t slot)
{
	struct ends *ends = &search->ends[slot];
	struct str literal = literal_behind(search, slot);
	size_t from = start_at(search, slot, 0);
	ptrdiff_t at = from <= search->line.len ? str_find(search->line, literal, from) : -1;

	while (at >= 0 && !ends->overflow) {
		add_end(ends, (size_t)at);
		at = str_find(search->line, literal, (size_t)at + 1);
	}
}

static bool stands_at(struct str line, size_t pos, struct str text)
{
	return pos <= line.len && line.len - pos >= text.len &&
	       memcmp(line.ptr + pos, text.ptr, text.len) == 0;
}

/* The value has a shape: from each start it goes on only as far as the shape does. */
static void find_shaped_ends(struct search *search, size_t slot)
{
	static const struct str none = {"(none)", 6};
	enum shape shape = search->format->slot[slot].variable->shape;
	struct str literal = literal_behind(search, slot);
	struct str line = search->line;
	size_t limit = shape_limit(shape);

	for (size_t i = 0; i < start_count(search, slot); i++) {
		size_t start = start_at(search, slot, i);

		if (stands_at(line, start, none) && stands_at(line, start + none.len, literal)) {
			add_end(&search->ends[slot], start + none.len);
		}
		for (size_t end = start; end <= line.len && end - start <= limit; end++) {
			if (stands_at(line, end, literal)) {
				add_end(&search->ends[slot], end);
			}
			if (end == line.len || !shape_has_byte(shape, (uint8_t)line.ptr[end])) {
				break;
			}
		}
	}
}

/* Finds the ends of all values, front to back. False when the line does not even begin like the template. */
static bool find_ends(struct search *search)
{
	const struct accesslog_format *format = search->format;

	if (!str_has_prefix(search->line, format->slot[0].before)) {
		return false;
	}
	for (size_t slot = 0; slot < format->slot_count; slot++) {
		struct ends *ends = &search->ends[slot];

		if (is_last(search, slot)) {
			find_last_end(search, slot);
		} else if (format->slot[slot].variable->shape == SHAPE_FREE) {
			find_free_ends(search, slot);
		} else {
			find_shaped_ends(search, slot);
		}
		if (ends->count == 0 || ends->overflow) {
			break;
		}
		search->reached = slot + 1;
	}
	return true;
}

/* Whether some living end of the next value can follow an end of this one. */
static bool leads_on(const struct search *search, size_t slot, size_t index)
{
	const struct ends *next = &search->ends[slot + 1];
	size_t start = start_at(search, slot + 1, index);

	for (size_t i = next->count; i > 0; i--) {
		if (next->alive[i - 1] && fits(search, slot + 1, start, next->at[i - 1])) {
			return true;
		}
	}
	return false;
}

/* Marks the ends from which the rest of the line can be read; with `whole` unset all of them. */
static void mark_alive(struct search *search, bool whole)
{
	for (size_t slot = search->reached; slot > 0; slot--) {
		struct ends *ends = &search->ends[slot - 1];

		for (size_t i = 0; i < ends->count; i++) {
			ends->alive[i] = !whole || is_last(search, slot - 1) ||
					 leads_on(search, slot - 1, i);
		}
	}
}

/* Counts the ways in which a value can stand (2 means several) and gives the last one seen. */
static int count_places(const struct search *search, size_t slot, struct str *out_text)
{
	const struct ends *ends = &search->ends[slot];
	int count = 0;

	for (size_t s = 0; s < start_count(search, slot) && count < 2; s++) {
		size_t start = start_at(search, slot, s);

		if (slot > 0 && !search->ends[slot - 1].alive[s]) {
			continue;
		}
		for (size_t e = 0; e < ends->count && count < 2; e++) {
			if (ends->alive[e] && fits(search, slot, start, ends->at[e])) {
				*out_text = str_make(search->line.ptr + start, ends->at[e] - start);
				count++;
			}
		}
	}
	return count;
}

/* How many slots can be told when the line does not fit to its end: those before the first that a caller sets. */
static size_t front_count(const struct search *search)
{
	size_t count = 0;

	while (count < search->reached &&
	       search->format->slot[count].variable->shape != SHAPE_FREE) {
		count++;
	}
	return count;
}

static enum split take_places(const struct search *search, bool whole, struct reading *reading)
{
	size_t told = whole ? search->format->slot_count : front_count(search);
	bool any = false;

	reading->damage = whole ? DAMAGE_NONE : DAMAGE_AMBIGUOUS;
	reading->count = search->format->slot_count;
	for (size_t i = 0; i < reading->count; i++) {
		const struct slot *slot = &search->format->slot[i];
		struct value value = {.name = slot->name, .variable = slot->variable};

		value.sure = i < told && count_places(search, i, &value.text) == 1;
		if (!value.sure) {
			value.text = str_make(NULL, 0);
			reading->damage = DAMAGE_AMBIGUOUS;
		}
		any = any || value.sure;
		reading->value[i] = value;
	}
	if (!any) {
		return SPLIT_NOTHING;
	}
	return whole ? SPLIT_WHOLE : SPLIT_FRONT;
}

enum split readings_find(const struct accesslog_format *format, struct str line,
			 struct reading *reading)
{
	struct search search = {.format = format, .line = line};
	enum split result = SPLIT_NOTHING;

	search.ends = calloc(format->slot_count, sizeof(*search.ends));
	if (search.ends == NULL) {
		return SPLIT_NOTHING;
	}
	if (find_ends(&search)) {
		bool whole = search.reached == format->slot_count;

		mark_alive(&search, whole);
		result = take_places(&search, whole, reading);
	}
	free(search.ends);
	return result;
}
