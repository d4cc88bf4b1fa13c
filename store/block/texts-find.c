#include "store/block/texts-find.h"

#include <stdlib.h>

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "There is no memory for a search.");
}

/* Rows by template: the values of a template's texts stand in that order. */
static int sort_rows(struct texts *texts, struct error *err)
{
	if (texts->rows != NULL) {
		return 0;
	}
	free(texts->row_starts);
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

/* Looks at those ids of each family that are wanted once. */
static int look_at_ids(struct find *find, unsigned wanted)
{
	struct texts *texts = find->texts;
	const uint32_t *family = texts->about.family;
	struct str ids[TEXTS_IDS_MAX];
	int64_t seed;
	unsigned live = 0;

	find->live_ids = calloc(texts->about.count + 1, 1);
	if (find->live_ids == NULL) {
		return no_memory(find->err);
	}
	for (size_t row = 0; row < texts->about.count && family != NULL; row++) {
		if (row == 0 || family[row] != family[row - 1]) {
			size_t count = texts_part_of_family(texts, row, wanted, ids, &seed);

			live = 0;
			for (size_t i = 0; i < count; i++) {
				live |= (wanted >> i & 1) != 0 && find_move(find, 0, ids[i]) != 0
						? 1u << i
						: 0;
			}
		}
		find->live_ids[row] = (uint8_t)live;
	}
	return 0;
}

/* Whether a row of a template may hold the needle. */
static int look_at(struct find *find, struct find_at *where, bool *out_found)
{
	const struct find_plan *plan = where->plan;
	uint64_t states = 0;
	int result;

	*out_found = false;
	if (!plan->more &&
	    (find->live_ids == NULL || (find->live_ids[where->row] & plan->ids) == 0)) {
		return 0;
	}
	result = find_move_place(find, where, &states);
	*out_found = (states & find->found) != 0;
	return result;
}

/* Marks the rows of a template that may match: all when it is certain, else those whose values say so. */
static int look_through(struct find *find, size_t code)
{
	struct texts *texts = find->texts;
	const uint32_t *rows = texts->rows + texts->row_starts[code];
	struct find_at where = {.plan = &find->roots[code]};
	int result = 0;

	if (!where.plan->certain && !where.plan->possible) {
		return 0;
	}
	if (!where.plan->certain) {
		result = texts_load_places(texts, find->err);
		where.place = result == 0 ? &texts->places[code] : NULL;
	}
	for (uint32_t at = 0; at < texts->counts[code] && result == 0; at++) {
		bool found = where.plan->certain;

		where.at = at;
		where.row = rows[at];
		if (!found) {
			result = look_at(find, &where, &found);
		}
		if (found && result == 0) {
			find->rows[where.row / 64] |= (uint64_t)1 << where.row % 64;
		}
	}
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
	if (needle->matches == NULL && find->whole == find->len) {
		return 0;
	}
	buf_clear(&texts->text);
	result = texts_put_text(texts, row, &texts->text, find->err);
	if (result != 0) {
		return result;
	}
	text = buf_str(&texts->text);
	if (find->whole > find->len) {
		*out_matches = (needle->ignore_case ? str_find_fold(text, needle->needle, 0)
						    : str_find(text, needle->needle, 0)) >= 0;
	}
	if (*out_matches && needle->matches != NULL) {
		*out_matches = needle->matches(needle->owner, text);
	}
	return 0;
}

/* Makes the plans; whether any template can have a match, and which ids matter for it. */
static int plan_all(struct find *find, bool *out_any, unsigned *out_ids)
{
	struct texts *texts = find->texts;
	int result = find_plan_subs(find);

	for (size_t code = 0; code < texts->roots.count && result == 0; code++) {
		const struct find_plan *plan = &find->roots[code];

		if (texts->counts[code] == 0) {
			continue;
		}
		result = find_plan_root(find, code);
		*out_any |= plan->certain || plan->possible;
		*out_ids |= !plan->certain && plan->possible ? plan->ids : 0u;
	}
	return result;
}

/* Marks all rows that may match. */
static int mark_rows(struct find *find)
{
	struct texts *texts = find->texts;
	bool any = false;
	unsigned ids = 0;
	int result = plan_all(find, &any, &ids);

	find->rows = calloc(texts->about.count / 64 + 1, sizeof(*find->rows));
	if (result == 0 && find->rows == NULL) {
		result = no_memory(find->err);
	}
	if (result != 0 || !any) {
		return result;
	}
	result = sort_rows(texts, find->err);
	if (result == 0 && ids != 0) {
		result = look_at_ids(find, ids);
	}
	for (size_t code = 0; code < texts->roots.count && result == 0; code++) {
		result = look_through(find, code);
	}
	return result;
}

int texts_find(struct texts *texts, const struct texts_needle *needle, uint64_t *out_rows,
	       struct error *err)
{
	struct find *find = malloc(sizeof(*find));
	bool all = needle->needle.len == 0 && needle->class_count == 0;
	int result;

	if (needle->automaton != NULL) {
		free(find);
		return texts_walk(texts, needle, out_rows, err);
	}
	if (find == NULL) {
		return no_memory(err);
	}
	result = find_init(find, texts, needle, err);
	if (result == 0 && !all) {
		result = mark_rows(find);
	}
	for (size_t row = 0; row < texts->about.count && result == 0; row++) {
		bool matches = texts->codes[row] != UINT32_MAX &&
			       (all || (find->rows[row / 64] >> row % 64 & 1) != 0);

		if (matches) {
			result = check_row(find, row, &matches);
		}
		if (result == 0 && matches) {
			out_rows[row / 64] |= (uint64_t)1 << row % 64;
		}
	}
	find_done(find);
	free(find);
	return result;
}
