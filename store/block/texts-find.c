#include "store/block/texts-find.h"

#include <stdlib.h>

/* A template that is searched: what its chunks do, and which slots can do anything from no state. */
struct look {
	struct find *find;
	const struct texts_place *place;
	struct find_step *steps; /* of each chunk */
	bool *alive;             /* of each slot */
	bool certain;            /* fixed bytes hold the needle: so do all texts */
	bool possible;           /* some value may make one hold it */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "There is no memory for a search.");
}

/* Rows by template. */
static int sort_rows(struct texts *texts, struct error *err)
{
	if (texts->rows != NULL) {
		return 0;
	}
	texts->row_starts = calloc(texts->roots.count + 1, sizeof(*texts->row_starts));
	texts->rows = calloc(texts->about.count + 1, sizeof(*texts->rows));
	if (texts->row_starts == NULL || texts->rows == NULL) {
		return no_memory(err);
	}
	for (size_t code = 0; code < texts->roots.count; code++) {
		texts->row_starts[code + 1] = texts->row_starts[code] + texts->counts[code];
	}
	for (size_t row = 0; row < texts->about.count; row++) {
		if (texts->codes[row] != UINT32_MAX) {
			texts->rows[texts->row_starts[texts->codes[row]] + texts->ordinals[row]] =
				(uint32_t)row;
		}
	}
	return 0;
}

/* What the texts in a slot of kind TEXT may do: all its sub-patterns together. */
static int text_reach(struct look *look, size_t slot, uint64_t states, struct find_reach *out)
{
	struct texts *texts = look->find->texts;
	size_t first = texts->starts[look->place->first_start + slot];
	uint32_t last = UINT32_MAX;

	*out = (struct find_reach){.states = 0};
	/* a slot's sub-patterns have places in a row, in the order of their first use */
	for (size_t i = first; i < first + look->place->count; i++) {
		uint32_t place = texts->entry_place[i];
		struct find_reach reach;
		int result;

		if (last != UINT32_MAX && place <= last) {
			continue;
		}
		last = place;
		result = find_sub_reach(look->find,
					(size_t)(texts->places[place].pattern - texts->sub_pattern),
					states, &reach);
		if (result != 0) {
			return result;
		}
		out->states |= reach.states;
		out->found |= reach.found;
	}
	return 0;
}

static int slot_reach(struct look *look, size_t slot, uint64_t states, struct find_reach *out)
{
	struct pattern_slot kind = look->place->pattern->slots[slot];

	return kind.kind == PATTERN_TEXT ? text_reach(look, slot, states, out)
					 : find_slot_reach(look->find, kind, states, out);
}

/* Walks a template with all that its values may do. */
static int walk_template(struct look *look)
{
	const struct pattern *pattern = look->place->pattern;
	uint64_t found = (uint64_t)1 << look->find->len;
	uint64_t states = 0;

	for (size_t i = 0; i <= pattern->slot_count; i++) {
		struct find_reach alone;
		struct find_reach reach;
		int result;

		look->steps[i] = find_step(look->find, pattern->chunks[i]);
		if (look->steps[i].holds_all) {
			look->certain = true;
			return 0;
		}
		states = find_apply(look->find, &look->steps[i], states);
		if ((states & found) != 0) {
			look->possible = true;
			states = look->steps[i].tail & ~found;
		}
		if (i == pattern->slot_count) {
			break;
		}
		result = slot_reach(look, i, 0, &alone);
		reach = alone;
		if (result == 0 && states != 0) {
			result = slot_reach(look, i, states, &reach);
		}
		if (result != 0) {
			return result;
		}
		look->alive[i] = alone.found || alone.states != 0;
		look->possible |= reach.found;
		states = reach.states | alone.states;
	}
	return 0;
}

/* States behind the value of a slot. */
static int move_value(struct look *look, struct texts_at *where, uint64_t *states)
{
	struct find *find = look->find;
	struct texts *texts = find->texts;
	uint8_t kind = look->place->pattern->slots[where->slot].kind;
	int result = 0;

	if (kind == PATTERN_TEXT && *states == 0) {
		size_t entry = texts->starts[look->place->first_start + where->slot] + where->at;
		struct find_reach reach;

		result = find_sub_reach(find,
					(size_t)(texts->places[texts->entry_place[entry]].pattern -
						 texts->sub_pattern),
					0, &reach);
		if (result != 0 || (!reach.found && reach.states == 0)) {
			return result;
		}
	}
	if ((kind == PATTERN_TEXT || kind <= PATTERN_DECIMAL) && !texts->is_resolved) {
		result = texts_resolve(texts, find->err);
	}
	buf_clear(&texts->text);
	if (result == 0) {
		result = texts_put_token(texts, where, &texts->text, find->err);
	}
	if (result == 0 && texts->text.failed) {
		result = no_memory(find->err);
	}
	*states = find_move(find, *states, buf_str(&texts->text));
	return result;
}

/* Looks at one text, chunk by chunk; values are put together only where they matter. */
static int look_at(struct look *look, uint32_t at, size_t row, bool *out_found)
{
	const struct pattern *pattern = look->place->pattern;
	struct texts_at where = {.place = look->place, .at = at, .row = row};
	uint64_t found = (uint64_t)1 << look->find->len;
	uint64_t states = 0;
	int result = 0;

	for (size_t i = 0; i <= pattern->slot_count; i++) {
		states = find_apply(look->find, &look->steps[i], states);
		if (i == pattern->slot_count || (states & found) != 0) {
			break;
		}
		if (states == 0 && !look->alive[i]) {
			continue;
		}
		where.slot = (uint32_t)i;
		result = move_value(look, &where, &states);
		if (result != 0 || (states & found) != 0) {
			break;
		}
	}
	*out_found = (states & found) != 0;
	return result;
}

static void set_row(struct find *find, size_t row)
{
	find->rows[row / 64] |= (uint64_t)1 << row % 64;
}

static int look_through(struct look *look, size_t code)
{
	struct texts *texts = look->find->texts;
	const uint32_t *rows = texts->rows + texts->row_starts[code];
	int result = walk_template(look);

	for (uint32_t at = 0; at < look->place->count && result == 0; at++) {
		bool found = look->certain;

		if (!found && !look->possible) {
			break;
		}
		if (!found) {
			result = look_at(look, at, rows[at], &found);
		}
		if (found && result == 0) {
			set_row(look->find, rows[at]);
		}
	}
	return result;
}

static int find_candidates(struct find *find)
{
	struct texts *texts = find->texts;
	size_t most = 0;
	struct look look = {.find = find};
	int result = 0;

	for (size_t code = 0; code < texts->roots.count; code++) {
		size_t count = texts->root[code].pattern.slot_count;

		most = count > most ? count : most;
	}
	look.steps = calloc(most + 1, sizeof(*look.steps));
	look.alive = calloc(most + 1, sizeof(*look.alive));
	if (look.steps == NULL || look.alive == NULL) {
		result = no_memory(find->err);
	}
	for (size_t code = 0; code < texts->roots.count && result == 0; code++) {
		look.place = &texts->places[code];
		look.certain = look.possible = false;
		if (look.place->count > 0) {
			result = look_through(&look, code);
		}
	}
	free(look.steps);
	free(look.alive);
	return result;
}

/* Whether a row that may match does. */
static int check_row(struct find *find, size_t row, bool *out_matches)
{
	struct texts *texts = find->texts;
	const struct texts_needle *needle = find->needle;
	struct str text;
	int result;

	*out_matches = true;
	if (needle->matches == NULL && needle->needle.len == find->len) {
		return 0;
	}
	buf_clear(&texts->text);
	result = texts_put_text(texts, row, &texts->text, find->err);
	if (result != 0) {
		return result;
	}
	text = buf_str(&texts->text);
	if (needle->matches != NULL) {
		*out_matches = needle->matches(needle->owner, text);
	} else {
		*out_matches = (needle->ignore_case ? str_find_fold(text, needle->needle, 0)
						    : str_find(text, needle->needle, 0)) >= 0;
	}
	return 0;
}

int texts_find(struct texts *texts, const struct texts_needle *needle, uint64_t *out_rows,
	       struct error *err)
{
	struct find find;
	int result = texts_load_places(texts, err);

	if (result == 0) {
		result = sort_rows(texts, err);
	}
	if (result != 0) {
		return result;
	}
	find_init(&find, texts, needle);
	find.err = err;
	find.rows = calloc(texts->about.count / 64 + 1, sizeof(*find.rows));
	if (find.rows == NULL) {
		return no_memory(err);
	}
	if (needle->needle.len > 0) {
		result = find_candidates(&find);
	}
	for (size_t row = 0; row < texts->about.count && result == 0; row++) {
		bool matches;

		if (texts->codes[row] == UINT32_MAX ||
		    (needle->needle.len > 0 && (find.rows[row / 64] >> row % 64 & 1) == 0)) {
			continue;
		}
		result = check_row(&find, row, &matches);
		if (result == 0 && matches) {
			out_rows[row / 64] |= (uint64_t)1 << row % 64;
		}
	}
	find_done(&find);
	return result;
}
