#include "store/seal-plan.h"

#include <assert.h>
#include <stdlib.h>

#define NONE UINT32_MAX

enum item_flag {
	WAITS = 1, /* of the first record of a unit: the unit does */
	ALONE = 2, /* taken out of a family that is too large */
};

struct by_leaf {
	uint64_t leaf;
	uint32_t item;
};

struct by_time {
	int64_t time_ns;
	uint32_t item;
};

/* A unit is a family or a single; it is named by its first record (its root). */
struct planning {
	const struct seal_item *items;
	size_t count;
	const struct seal_limits *limits;
	struct by_leaf *leaves;
	uint32_t *about;  /* of a verdict: the item that it is about, or NONE */
	uint32_t *newest; /* of a request or statement: its newest verdict, or NONE */
	uint32_t *root;
	uint32_t *rows;  /* of a root: records of its unit */
	uint32_t *block; /* of a root */
	uint8_t *flags;
	struct by_time *singles;
	size_t single_count;
	struct seal_cut *cuts;
	size_t cut_count, cut_room;
};

static int compare_leaves(const void *a, const void *b)
{
	const struct by_leaf *left = a, *right = b;
	return left->leaf < right->leaf ? -1 : left->leaf > right->leaf;
}

static int compare_times(const void *a, const void *b)
{
	const struct by_time *left = a, *right = b;
	if (left->time_ns != right->time_ns) {
		return left->time_ns < right->time_ns ? -1 : 1;
	}
	return left->item < right->item ? -1 : left->item > right->item;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct seal_range *left = a, *right = b;
	return left->first < right->first ? -1 : left->first > right->first;
}

size_t seal_ranges_join(struct seal_range *ranges, size_t count)
{
	if (count == 0) {
		return 0;
	}
	size_t last = 0;
	qsort(ranges, count, sizeof ranges[0], compare_ranges);
	for (size_t i = 1; i < count; i++) {
		struct seal_range *joined = &ranges[last];
		if (joined->last == UINT64_MAX || ranges[i].first <= joined->last + 1) {
			joined->last =
				ranges[i].last > joined->last ? ranges[i].last : joined->last;
		} else {
			ranges[++last] = ranges[i];
		}
	}
	return last + 1;
}

bool seal_is_small(const struct seal_limits *limits, size_t requests, size_t rows)
{
	return requests < limits->requests / 2 + 1 && rows < limits->rows / 2 + 1;
}

static bool is_elsewhere(const struct seal_limits *limits, uint64_t leaf)
{
	size_t low = 0, high = leaf == SEAL_NO_LEAF ? 0 : limits->elsewhere_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (limits->elsewhere[middle].last < leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return leaf != SEAL_NO_LEAF && low < limits->elsewhere_count &&
	       limits->elsewhere[low].first <= leaf;
}

static uint32_t find_item(const struct planning *work, uint64_t leaf)
{
	size_t low = 0, high = work->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (work->leaves[middle].leaf < leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	bool found = low < work->count && work->leaves[low].leaf == leaf;
	return found ? work->leaves[low].item : NONE;
}

static int sort_leaves(struct planning *work, struct error *err)
{
	bool sorted = true;
	for (size_t i = 0; i < work->count; i++) {
		work->leaves[i] = (struct by_leaf){work->items[i].leaf, (uint32_t)i};
		sorted = sorted && (i == 0 || work->items[i - 1].leaf < work->items[i].leaf);
	}
	if (sorted) {
		return 0;
	}
	qsort(work->leaves, work->count, sizeof work->leaves[0], compare_leaves);
	for (size_t i = 1; i < work->count; i++) {
		if (work->leaves[i - 1].leaf == work->leaves[i].leaf) {
			return error_set(err, ERR_CORRUPT, "leaf %llu stands in the store twice",
					 (unsigned long long)work->leaves[i].leaf);
		}
	}
	return 0;
}

static bool is_newer(const struct seal_item *a, const struct seal_item *b)
{
	return a->revision != b->revision ? a->revision > b->revision : a->leaf > b->leaf;
}

/* Finds what each verdict is about, and the newest verdict on each record. */
static void link_verdicts(struct planning *work)
{
	for (size_t i = 0; i < work->count; i++) {
		work->newest[i] = NONE;
	}
	for (size_t i = 0; i < work->count; i++) {
		const struct seal_item *verdict = &work->items[i];
		work->about[i] = NONE;
		if (verdict->kind != RECORD_VERDICT || verdict->subject == SEAL_NO_LEAF) {
			continue;
		}
		uint32_t about = find_item(work, verdict->subject);
		bool fits = about != NONE && (work->items[about].kind == RECORD_REQUEST ||
					      work->items[about].kind == RECORD_STATEMENT);
		if (!fits) {
			continue;
		}
		work->about[i] = about;
		uint32_t known = work->newest[about];
		if (known == NONE || is_newer(verdict, &work->items[known])) {
			work->newest[about] = (uint32_t)i;
		}
	}
}

/* The request that a statement belongs to, or NONE. */
static uint32_t request_of(const struct planning *work, uint32_t statement)
{
	uint32_t verdict = work->newest[statement];
	if (verdict == NONE || work->items[verdict].request == SEAL_NO_LEAF) {
		return NONE;
	}
	uint32_t request = find_item(work, work->items[verdict].request);
	bool fits = request != NONE && work->items[request].kind == RECORD_REQUEST;
	return fits ? request : NONE;
}

/* Whether a record waits for something by itself. */
static bool item_waits(const struct planning *work, uint32_t index)
{
	const struct seal_item *item = &work->items[index];
	const struct seal_limits *limits = work->limits;
	uint32_t newest = work->newest[index];
	bool judged = newest != NONE && work->items[newest].is_final;
	if (item->kind == RECORD_REQUEST) {
		return item->time_ns > limits->settled_ns && !judged;
	}
	if (item->kind == RECORD_VERDICT) {
		return work->about[index] == NONE && is_elsewhere(limits, item->subject);
	}
	if (item->kind != RECORD_STATEMENT) {
		return false;
	}
	if (item->time_ns > limits->judged_ns && !judged) {
		return true;
	}
	return newest != NONE && work->root[index] == index && (work->flags[index] & ALONE) == 0 &&
	       is_elsewhere(limits, work->items[newest].request);
}

/* Sets the root of each record, by what it hangs on. */
static void find_roots(struct planning *work)
{
	for (uint32_t i = 0; i < work->count; i++) {
		bool hangs =
			work->items[i].kind == RECORD_STATEMENT && (work->flags[i] & ALONE) == 0;
		uint32_t request = hangs ? request_of(work, i) : NONE;
		work->root[i] = request != NONE ? request : i;
	}
	for (uint32_t i = 0; i < work->count; i++) {
		if (work->about[i] != NONE && (work->flags[i] & ALONE) == 0) {
			work->root[i] = work->root[work->about[i]];
		}
	}
	memset(work->rows, 0, work->count * sizeof work->rows[0]);
	for (size_t i = 0; i < work->count; i++) {
		work->rows[work->root[i]]++;
	}
}

/* Takes the records of a kind out of units that are too large. */
static void take_apart(struct planning *work, enum record_kind kind)
{
	bool any = false;
	for (size_t i = 0; i < work->count; i++) {
		if (work->items[i].kind == kind && work->root[i] != i &&
		    work->rows[work->root[i]] > work->limits->rows) {
			work->flags[i] |= ALONE;
			any = true;
		}
	}
	if (any) {
		find_roots(work);
	}
}

static int make_units(struct planning *work)
{
	find_roots(work);
	take_apart(work, RECORD_STATEMENT);
	take_apart(work, RECORD_VERDICT);
	for (uint32_t i = 0; i < work->count; i++) {
		if (item_waits(work, i)) {
			work->flags[work->root[i]] |= WAITS;
		}
		work->single_count +=
			work->root[i] == i && work->items[i].kind != RECORD_REQUEST ? 1 : 0;
	}
	work->singles = calloc(work->single_count + 1, sizeof work->singles[0]);
	if (work->singles == NULL) {
		return -ERR_NOMEM;
	}
	size_t next = 0;
	for (size_t i = 0; i < work->count; i++) {
		uint32_t item = work->leaves[i].item;
		if (work->root[item] == item && work->items[item].kind != RECORD_REQUEST) {
			/* the place by leaf decides between equal times */
			work->singles[next++] =
				(struct by_time){work->items[item].time_ns, (uint32_t)i};
		}
	}
	qsort(work->singles, next, sizeof work->singles[0], compare_times);
	for (size_t i = 0; i < next; i++) {
		work->singles[i].item = work->leaves[work->singles[i].item].item;
	}
	return 0;
}

static int begin_block(struct planning *work)
{
	if (work->cut_count == work->cut_room) {
		size_t room = work->cut_room * 2 + 16;
		struct seal_cut *larger = realloc(work->cuts, room * sizeof larger[0]);
		if (larger == NULL) {
			return -ERR_NOMEM;
		}
		work->cuts = larger;
		work->cut_room = room;
	}
	work->cuts[work->cut_count++] = (struct seal_cut){0};
	return 0;
}

/* Gives a unit its block: the last one, or a new one when it does not fit (any more). from: the first block that it may be. */
static int place(struct planning *work, uint32_t root, size_t from)
{
	const struct seal_limits *limits = work->limits;
	bool is_family = work->items[root].kind == RECORD_REQUEST;
	struct seal_cut *last = work->cut_count > from ? &work->cuts[work->cut_count - 1] : NULL;
	if (last == NULL || last->count + work->rows[root] > limits->rows ||
	    (is_family && last->requests == limits->requests)) {
		int rc = begin_block(work);
		if (rc < 0) {
			return rc;
		}
		last = &work->cuts[work->cut_count - 1];
	}
	last->count += work->rows[root];
	last->requests += is_family ? 1 : 0;
	last->is_open = last->is_open || (work->flags[root] & WAITS) != 0;
	work->block[root] = (uint32_t)(work->cut_count - 1);
	return 0;
}

/* Which units are laid out. */
enum units { UNITS_ALL, UNITS_WAITING, UNITS_OTHER };

static int place_if(struct planning *work, uint32_t root, enum units units, size_t from)
{
	bool waits = (work->flags[root] & WAITS) != 0;
	return units == UNITS_ALL || waits == (units == UNITS_WAITING) ? place(work, root, from)
								       : 0;
}

/* Places the singles from *io_single on that happened no later than a time. */
static int place_singles(struct planning *work, size_t *io_single, int64_t until_ns,
			 enum units units, size_t from)
{
	int rc = 0;
	for (; *io_single < work->single_count && rc == 0 &&
	       work->singles[*io_single].time_ns <= until_ns;
	     (*io_single)++) {
		rc = place_if(work, work->singles[*io_single].item, units, from);
	}
	return rc;
}

/* Lays units out in order, in new blocks. */
static int lay_out(struct planning *work, enum units units)
{
	size_t from = work->cut_count, single = 0;
	int rc = 0;
	for (size_t i = 0; i < work->count && rc == 0; i++) {
		uint32_t item = work->leaves[i].item;
		if (work->items[item].kind == RECORD_REQUEST) {
			rc = place_singles(work, &single, work->items[item].time_ns, units, from);
			rc = rc < 0 ? rc : place_if(work, item, units, from);
		}
	}
	return rc < 0 ? rc : place_singles(work, &single, INT64_MAX, units, from);
}

static bool any_waits(const struct planning *work)
{
	for (size_t i = 0; i < work->count; i++) {
		if ((work->flags[i] & WAITS) != 0) {
			return true;
		}
	}
	return false;
}

/* A small rest joins what waits, instead of becoming a small block. */
static void hold_rest(struct planning *work)
{
	if (work->cut_count == 0 || !any_waits(work)) {
		return;
	}
	uint32_t block = (uint32_t)(work->cut_count - 1);
	const struct seal_cut *last = &work->cuts[block];
	if (!seal_is_small(work->limits, last->requests, last->count)) {
		return;
	}
	for (size_t i = 0; i < work->count; i++) {
		bool is_unit = work->root[i] == i && (work->flags[i] & WAITS) == 0;
		if (is_unit && work->block[i] == block) {
			work->flags[i] |= WAITS;
		}
	}
	work->cut_count--;
}

static int cut(struct planning *work)
{
	if (work->limits->close) {
		return lay_out(work, UNITS_ALL);
	}
	int rc = lay_out(work, UNITS_OTHER);
	if (rc == 0) {
		hold_rest(work);
		rc = lay_out(work, UNITS_WAITING);
	}
	return rc;
}

/* The items of each block one behind the other, as they came. */
static int put_in_order(struct planning *work, struct seal_plan *out_plan)
{
	uint32_t *order = calloc(work->count + 1, sizeof order[0]);
	if (order == NULL) {
		return -ERR_NOMEM;
	}
	size_t first = 0;
	for (size_t i = 0; i < work->cut_count; i++) {
		work->cuts[i].first = first;
		first += work->cuts[i].count;
		work->cuts[i].count = 0;
	}
	assert(first == work->count); /* each item has one place */
	for (uint32_t i = 0; i < work->count; i++) {
		struct seal_cut *block = &work->cuts[work->block[work->root[i]]];
		order[block->first + block->count++] = i;
	}
	*out_plan = (struct seal_plan){.order = order,
				       .count = work->count,
				       .blocks = work->cuts,
				       .block_count = work->cut_count};
	work->cuts = NULL;
	return 0;
}

static int allocate(struct planning *work)
{
	size_t count = work->count + 1;
	work->leaves = calloc(count, sizeof work->leaves[0]);
	work->about = calloc(count, sizeof work->about[0]);
	work->newest = calloc(count, sizeof work->newest[0]);
	work->root = calloc(count, sizeof work->root[0]);
	work->rows = calloc(count, sizeof work->rows[0]);
	work->block = calloc(count, sizeof work->block[0]);
	work->flags = calloc(count, sizeof work->flags[0]);
	bool good = work->leaves != NULL && work->about != NULL && work->newest != NULL &&
		    work->root != NULL && work->rows != NULL && work->block != NULL &&
		    work->flags != NULL;
	return good ? 0 : -ERR_NOMEM;
}

int seal_plan_make(const struct seal_item *items, size_t count, const struct seal_limits *limits,
		   struct seal_plan *out_plan, struct error *err)
{
	struct planning work = {.items = items, .count = count, .limits = limits};
	assert(count < NONE && limits->requests > 0 && limits->rows > 0);
	int rc = allocate(&work);
	if (rc == 0) {
		rc = sort_leaves(&work, err);
	}
	if (rc == 0) {
		link_verdicts(&work);
		rc = make_units(&work);
	}
	rc = rc < 0 ? rc : cut(&work);
	rc = rc < 0 ? rc : put_in_order(&work, out_plan);
	free(work.leaves);
	free(work.about);
	free(work.newest);
	free(work.root);
	free(work.rows);
	free(work.block);
	free(work.flags);
	free(work.singles);
	free(work.cuts);
	return rc == -ERR_NOMEM
		       ? error_set(err, ERR_NOMEM, "no memory to lay out %zu records", count)
		       : rc;
}

void seal_plan_done(struct seal_plan *plan)
{
	free(plan->order);
	free(plan->blocks);
	*plan = (struct seal_plan){0};
}
