#include "query/report/tally.h"

#include "query/report/form.h"

#include <assert.h>
#include <stdlib.h>

static const struct kind_name {
	const char *name;
	enum tally_kind kind;
	const char *field; /* that it is about; "*": the rest of the name */
} kinds[] = {
	{"count", TALLY_COUNT, ""},
	{"failed", TALLY_FAILED, ""},
	{"unmatched", TALLY_UNMATCHED, ""},
	{"conflicts", TALLY_CONFLICTS, ""},
	{"share", TALLY_SHARE, ""},
	{"failed_share", TALLY_FAILED_SHARE, ""},
	{"unmatched_share", TALLY_UNMATCHED_SHARE, ""},
	{"first_seen", TALLY_FIRST_SEEN, ""},
	{"last_seen", TALLY_LAST_SEEN, ""},
	{"users", TALLY_DISTINCT, "user"},
	{"distinct_", TALLY_DISTINCT, "*"},
	{"sum_", TALLY_SUM, "*"},
	{"min_", TALLY_MIN, "*"},
	{"max_", TALLY_MAX, "*"},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

bool tally_kind_find(struct str name, enum tally_kind *out_kind, struct str *out_field)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct str known = str_of(kinds[i].name);
		bool open = kinds[i].field[0] == '*';
		if (open ? str_has_prefix(name, known) && name.len > known.len
			 : str_equal(name, known)) {
			*out_kind = kinds[i].kind;
			*out_field = open ? str_slice(name, known.len, name.len)
					  : str_of(kinds[i].field);
			return true;
		}
	}
	return false;
}

void tally_put_names(struct buf *out)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		buf_putf(out, "%s%s%s", i > 0 ? ", " : "", kinds[i].name,
			 kinds[i].field[0] == '*' ? "FIELD" : "");
	}
}

enum report_form tally_form(enum tally_kind kind, enum trail_type field_type)
{
	switch (kind) {
	case TALLY_SHARE:
	case TALLY_FAILED_SHARE:
	case TALLY_UNMATCHED_SHARE:
		return REPORT_SHARE;
	case TALLY_FIRST_SEEN:
	case TALLY_LAST_SEEN:
		return REPORT_TIME;
	case TALLY_MIN:
	case TALLY_MAX:
		return field_type == TRAIL_TIME ? REPORT_TIME : REPORT_NUMBER;
	case TALLY_COUNT:
	case TALLY_FAILED:
	case TALLY_UNMATCHED:
	case TALLY_CONFLICTS:
	case TALLY_DISTINCT:
	case TALLY_SUM:
		return REPORT_NUMBER;
	}
	return REPORT_NUMBER;
}

void tally_init(struct tally *tally, const struct tally_spec *spec)
{
	*tally = (struct tally){.spec = spec};
	arena_init(&tally->arena, TALLY_BYTES_MAX);
	strmap_init(&tally->index, TALLY_GROUPS_MAX);
	strmap_init(&tally->distinct, 8 * (size_t)TALLY_GROUPS_MAX);
	buf_init(&tally->joined, 0);
}

void tally_done(struct tally *tally)
{
	free(tally->groups);
	arena_done(&tally->arena);
	strmap_done(&tally->index);
	strmap_done(&tally->distinct);
	buf_done(&tally->joined);
	*tally = (struct tally){0};
}

static int too_many(struct error *err)
{
	return error_set(err, ERR_LIMIT,
			 "a section has too many different values to group; narrow the time or the "
			 "filter");
}

/* A value as bytes: what differs is written differently. */
static void put_value(struct buf *out, const struct trail_value *value)
{
	buf_put_byte(out, (uint8_t)('0' + value->type));
	switch (value->type) {
	case TRAIL_ABSENT:
		break;
	case TRAIL_TEXT:
	case TRAIL_BYTES:
		buf_putf(out, "%zu:", value->text.len);
		buf_put_str(out, value->text);
		break;
	case TRAIL_NUMBER:
	case TRAIL_TIME:
	case TRAIL_BOOL:
		buf_put_i64(out, value->number);
		buf_put_byte(out, ';');
		break;
	}
}

static bool is_text(const struct trail_value *value)
{
	return value->type == TRAIL_TEXT || value->type == TRAIL_BYTES;
}

static int keep_key(struct tally *tally, struct tally_group *group,
		    const struct trail_value *values)
{
	group->figure =
		arena_calloc(&tally->arena, tally->spec->figure_count + 1, sizeof(*group->figure));
	if (group->figure == NULL ||
	    arena_str(&tally->arena, buf_str(&tally->joined), &group->joined) != 0) {
		return -ERR_LIMIT;
	}
	for (size_t i = 0; i < tally->spec->key_count; i++) {
		group->key[i] = values[i];
		if (is_text(&values[i]) &&
		    arena_str(&tally->arena, values[i].text, &group->key[i].text) != 0) {
			return -ERR_LIMIT;
		}
	}
	return 0;
}

/* The group of the row, made when it is new. */
static int group_of(struct tally *tally, struct dataset *dataset, struct tally_group **out_group,
		    struct error *err)
{
	struct trail_value values[TALLY_KEYS_MAX];
	buf_clear(&tally->joined);
	for (size_t i = 0; i < tally->spec->key_count; i++) {
		values[i] = dataset_value(dataset, tally->spec->key[i]);
		put_value(&tally->joined, &values[i]);
	}
	const uint64_t *known = strmap_get(&tally->index, buf_str(&tally->joined));
	if (known != NULL) {
		*out_group = &tally->groups[*known];
		return 0;
	}
	if (tally->group_count == tally->group_room) {
		size_t room = tally->group_room > 0 ? tally->group_room * 2 : 64;
		void *larger = realloc(tally->groups, room * sizeof(*tally->groups));
		if (larger == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for the groups of a section");
		}
		tally->groups = larger;
		tally->group_room = room;
	}
	struct tally_group *group = &tally->groups[tally->group_count];
	*group = (struct tally_group){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
	if (keep_key(tally, group, values) != 0 ||
	    strmap_put(&tally->index, buf_str(&tally->joined), tally->group_count) != 0) {
		return too_many(err);
	}
	tally->group_count++;
	*out_group = group;
	return 0;
}

/* Counts a value that the group has not had yet. */
static int count_distinct(struct tally *tally, struct tally_group *group, unsigned figure,
			  const struct trail_value *value)
{
	buf_clear(&tally->joined);
	buf_putf(&tally->joined, "%zu/%u/", (size_t)(group - tally->groups), figure);
	put_value(&tally->joined, value);
	if (strmap_get(&tally->distinct, buf_str(&tally->joined)) != NULL) {
		return 0;
	}
	int result = strmap_put(&tally->distinct, buf_str(&tally->joined), 1);
	group->figure[figure] += result == 0 ? 1 : 0;
	return result;
}

static int take_figure(struct tally *tally, struct tally_group *group, unsigned figure,
		       struct dataset *dataset)
{
	const struct tally_figure *asked = &tally->spec->figure[figure];
	if (asked->kind < TALLY_DISTINCT) {
		return 0;
	}
	struct trail_value value = dataset_value(dataset, asked->field);
	int64_t *sum = &group->figure[figure];
	bool is_first = (group->seen >> figure & 1u) == 0;
	if (value.type == TRAIL_ABSENT) {
		return 0;
	}
	group->seen |= UINT64_C(1) << figure;
	if (asked->kind == TALLY_DISTINCT) {
		return count_distinct(tally, group, figure, &value);
	}
	if (asked->kind == TALLY_SUM) {
		if (__builtin_add_overflow(*sum, value.number, sum)) {
			*sum = value.number > 0 ? INT64_MAX : INT64_MIN;
		}
		return 0;
	}
	bool better = asked->kind == TALLY_MIN ? value.number < *sum : value.number > *sum;
	if (is_first || better) {
		*sum = value.number;
	}
	return 0;
}

int tally_add(struct tally *tally, struct dataset *dataset, struct error *err)
{
	const struct tally_spec *spec = tally->spec;
	struct tally_group *group;
	int result = group_of(tally, dataset, &group, err);
	if (result != 0) {
		return result;
	}
	tally->row_count++;
	group->count++;
	if (dataset->type->has_time) {
		group->first_ns =
			dataset->time_ns < group->first_ns ? dataset->time_ns : group->first_ns;
		group->last_ns =
			dataset->time_ns > group->last_ns ? dataset->time_ns : group->last_ns;
	}
	if (spec->succeeded_field >= 0) {
		struct trail_value value = dataset_value(dataset, (unsigned)spec->succeeded_field);
		group->failed += value.type == TRAIL_BOOL && value.number == 0;
	}
	if (spec->grade_field >= 0) {
		struct trail_value value = dataset_value(dataset, (unsigned)spec->grade_field);
		group->unmatched += is_text(&value) && str_is(value.text, "U1");
		group->conflicts += is_text(&value) && str_is(value.text, "X");
	}
	for (unsigned i = 0; result == 0 && i < spec->figure_count; i++) {
		result = take_figure(tally, group, i, dataset);
	}
	return result == 0 ? 0 : too_many(err);
}

static struct trail_value number(int64_t value)
{
	return (struct trail_value){.type = TRAIL_NUMBER, .number = value};
}

static struct trail_value instant(const struct tally_group *group, int64_t ns)
{
	return group->first_ns == INT64_MAX
		       ? (struct trail_value){.type = TRAIL_ABSENT}
		       : (struct trail_value){.type = TRAIL_TIME, .number = ns};
}

struct trail_value tally_value(const struct tally *tally, const struct tally_group *group,
			       unsigned figure)
{
	assert(figure < tally->spec->figure_count);
	switch (tally->spec->figure[figure].kind) {
	case TALLY_COUNT:
		return number((int64_t)group->count);
	case TALLY_FAILED:
		return number((int64_t)group->failed);
	case TALLY_UNMATCHED:
		return number((int64_t)group->unmatched);
	case TALLY_CONFLICTS:
		return number((int64_t)group->conflicts);
	case TALLY_SHARE:
		return number(report_share(group->count, tally->row_count));
	case TALLY_FAILED_SHARE:
		return number(report_share(group->failed, group->count));
	case TALLY_UNMATCHED_SHARE:
		return number(report_share(group->unmatched, group->count));
	case TALLY_FIRST_SEEN:
		return instant(group, group->first_ns);
	case TALLY_LAST_SEEN:
		return instant(group, group->last_ns);
	case TALLY_DISTINCT:
	case TALLY_SUM:
		return number(group->figure[figure]);
	case TALLY_MIN:
	case TALLY_MAX:
		break;
	}
	return (group->seen >> figure & 1u) != 0 ? number(group->figure[figure])
						 : (struct trail_value){.type = TRAIL_ABSENT};
}

static int compare_values(const struct trail_value *a, const struct trail_value *b)
{
	if (a->type == TRAIL_ABSENT || b->type == TRAIL_ABSENT) { /* absent ones last */
		return (a->type == TRAIL_ABSENT) - (b->type == TRAIL_ABSENT);
	}
	if (is_text(a) && is_text(b)) {
		return str_compare(a->text, b->text);
	}
	return (a->number > b->number) - (a->number < b->number);
}

struct sorting {
	const struct tally *tally;
	const struct tally_order *order;
	size_t order_count;
};

static int compare_groups(const void *left, const void *right, void *context)
{
	const struct tally_group *a = left;
	const struct tally_group *b = right;
	const struct sorting *sorting = context;
	for (size_t i = 0; i < sorting->order_count; i++) {
		const struct tally_order *order = &sorting->order[i];
		struct trail_value x = order->by_figure
					       ? tally_value(sorting->tally, a, order->number)
					       : a->key[order->number];
		struct trail_value y = order->by_figure
					       ? tally_value(sorting->tally, b, order->number)
					       : b->key[order->number];
		int result = compare_values(&x, &y);
		if (result != 0) {
			bool turned = order->descending && x.type != TRAIL_ABSENT &&
				      y.type != TRAIL_ABSENT;
			return turned ? -result : result;
		}
	}
	return str_compare(a->joined, b->joined);
}

void tally_sort(struct tally *tally, const struct tally_order *order, size_t order_count)
{
	struct sorting sorting = {tally, order, order_count};
	if (tally->group_count > 1) {
		qsort_r(tally->groups, tally->group_count, sizeof(*tally->groups), compare_groups,
			&sorting);
	}
}
