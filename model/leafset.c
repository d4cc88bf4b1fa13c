#include "model/leafset.h"

#include "base/wire.h"

#include <assert.h>
#include <stdlib.h>

#define LEAF_MAX INT64_MAX

void leafset_init(struct leafset *set)
{
	*set = (struct leafset){0};
}

void leafset_done(struct leafset *set)
{
	free(set->runs);
	*set = (struct leafset){0};
}

void leafset_clear(struct leafset *set)
{
	set->run_count = 0;
	set->is_loose = false;
}

int leafset_add(struct leafset *set, uint64_t first, uint64_t last, struct error *err)
{
	assert(last >= first);
	struct leafset_run *end = set->run_count > 0 ? &set->runs[set->run_count - 1] : NULL;
	if (end != NULL && first > end->last && first - end->last == 1) {
		end->last = last;
		return 0;
	}
	if (set->run_count == set->room) {
		size_t room = set->room > 0 ? set->room * 2 : 64;
		struct leafset_run *larger = realloc(set->runs, room * sizeof *larger);
		if (larger == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for a set of %zu leaves", room);
		}
		set->runs = larger;
		set->room = room;
		end = set->run_count > 0 ? &set->runs[set->run_count - 1] : NULL;
	}
	set->is_loose = set->is_loose || (end != NULL && first <= end->last);
	set->runs[set->run_count++] = (struct leafset_run){first, last};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct leafset_run *left = a;
	const struct leafset_run *right = b;
	return left->first < right->first ? -1 : left->first > right->first;
}

void leafset_settle(struct leafset *set)
{
	size_t kept = 0;
	if (!set->is_loose) {
		return;
	}
	qsort(set->runs, set->run_count, sizeof set->runs[0], compare);
	for (size_t i = 1; i < set->run_count; i++) {
		struct leafset_run *end = &set->runs[kept];
		const struct leafset_run *run = &set->runs[i];
		if (run->first <= end->last || run->first - end->last == 1) {
			end->last = run->last > end->last ? run->last : end->last;
		} else {
			set->runs[++kept] = *run;
		}
	}
	set->run_count = kept + 1;
	set->is_loose = false;
}

/* The first run that ends at or behind the leaf. */
static size_t seek(const struct leafset *set, uint64_t leaf)
{
	size_t low = 0;
	size_t high = set->run_count;
	assert(!set->is_loose);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (set->runs[middle].last < leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

bool leafset_meets(const struct leafset *set, uint64_t first, uint64_t last)
{
	size_t at = seek(set, first);
	return at < set->run_count && set->runs[at].first <= last;
}

bool leafset_covers(const struct leafset *set, uint64_t first, uint64_t last)
{
	size_t at = seek(set, first);
	return at < set->run_count && set->runs[at].first <= first && set->runs[at].last >= last;
}

bool leafset_has(const struct leafset *set, uint64_t leaf)
{
	return leafset_meets(set, leaf, leaf);
}

uint64_t leafset_count(const struct leafset *set)
{
	uint64_t count = 0;
	assert(!set->is_loose);
	for (size_t i = 0; i < set->run_count; i++) {
		count += set->runs[i].last - set->runs[i].first + 1;
	}
	return count;
}

uint64_t leafset_shared(const struct leafset *a, const struct leafset *b)
{
	uint64_t count = 0;
	size_t i = 0;
	size_t k = 0;
	assert(!a->is_loose && !b->is_loose);
	while (i < a->run_count && k < b->run_count) {
		const struct leafset_run *left = &a->runs[i];
		const struct leafset_run *right = &b->runs[k];
		uint64_t first = left->first > right->first ? left->first : right->first;
		uint64_t last = left->last < right->last ? left->last : right->last;
		count += last >= first ? last - first + 1 : 0;
		if (left->last < right->last) {
			i++;
		} else {
			k++;
		}
	}
	return count;
}

int leafset_unite(struct leafset *set, const struct leafset *other, struct error *err)
{
	int rc = 0;
	for (size_t i = 0; i < other->run_count && rc == 0; i++) {
		rc = leafset_add(set, other->runs[i].first, other->runs[i].last, err);
	}
	leafset_settle(set);
	return rc;
}

void leafset_encode(const struct leafset *set, struct buf *out)
{
	uint64_t next = 0;
	assert(!set->is_loose);
	for (size_t i = 0; i < set->run_count; i++) {
		const struct leafset_run *run = &set->runs[i];
		wire_put_varint(out, run->first - next);
		wire_put_varint(out, run->last - run->first);
		next = run->last + 1;
	}
}

int leafset_decode(struct str code, struct leafset *set, struct error *err)
{
	struct wire_reader reader = wire_reader(code);
	uint64_t next = 0;
	int rc = 0;
	while (rc == 0 && wire_left(&reader) > 0) {
		uint64_t skipped = wire_varint(&reader);
		uint64_t more = wire_varint(&reader);
		uint64_t first = 0;
		uint64_t last = 0;
		if (reader.failed || __builtin_add_overflow(next, skipped, &first) ||
		    __builtin_add_overflow(first, more, &last) || last > LEAF_MAX) {
			rc = error_set(err, ERR_CORRUPT,
				       "a set of leaves is damaged at byte %zu of %zu", reader.pos,
				       code.len);
		} else {
			rc = leafset_add(set, first, last, err);
			next = last + 1;
		}
	}
	leafset_settle(set);
	if (rc < 0) {
		leafset_clear(set);
	}
	return rc;
}
