#include "store/block/texts-find.h"

#include <stdlib.h>

/* Whether a row may hold the needle: for certain when its template does or no more than its beginning is compared. */
static int look_at(struct find *find, size_t row, bool *out_found)
{
	struct texts *texts = find->texts;
	uint32_t code = texts->codes[row];
	const struct find_plan *plan = &find->roots[code];
	struct find_at where = {.plan = plan, .at = texts->ordinals[row], .row = row};
	uint64_t states = 0;
	int result;

	*out_found = plan->certain;
	if (plan->certain || !plan->possible) {
		return 0;
	}
	if (!plan->more && (find_look_at_ids(find, row) & plan->ids) == 0) {
		return 0;
	}
	result = texts_load_places(texts, find->err);
	if (result == 0) {
		where.place = &texts->places[code];
		result = find_move_place(find, &where, &states);
	}
	*out_found = (states & find->found) != 0;
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

/* Makes the plans; whether any template can have a match. */
static int plan_all(struct find *find, bool *out_any)
{
	struct texts *texts = find->texts;
	int result = find_plan_subs(find);

	*out_any = false;
	for (size_t code = 0; code < texts->roots.count && result == 0; code++) {
		if (texts->counts[code] > 0) {
			result = find_plan_root(find, code);
			*out_any |= find->roots[code].certain || find->roots[code].possible;
		}
	}
	return result;
}

int texts_find(struct texts *texts, const struct texts_needle *needle, uint64_t *out_rows,
	       struct error *err)
{
	struct find *find = malloc(sizeof(*find));
	bool all = needle->needle.len == 0;
	bool any = true;
	int result;

	if (find == NULL) {
		return error_set(err, ERR_NOMEM, "There is no memory for a search.");
	}
	result = find_init(find, texts, needle, err);
	if (result == 0 && !all) {
		result = plan_all(find, &any);
	}
	for (size_t row = 0; row < texts->about.count && result == 0 && any; row++) {
		bool matches = all;

		if (texts->codes[row] == UINT32_MAX) {
			continue;
		}
		if (!all) {
			result = look_at(find, row, &matches);
		}
		if (result == 0 && matches) {
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
