#include "store/log/audit-inner.h"

#include <stdio.h>
#include <string.h>

static const char no_record[] = "there is no record, and none in the log says that it was removed";

/* The tile of a level >= 1 that holds the node with that number; ERR_GONE: it is not usable, which audit_tree or this has told. */
static int tile_of(struct audit_part *part, unsigned level, uint64_t node,
		   const struct tree_tile **out, struct error *err)
{
	struct tree_tile *tile = level == 1 ? &part->tile : &part->high;
	uint64_t number = node / TREE_TILE;
	bool loaded = tile->count > 0 && tile->number == number &&
		      (level == 1 || part->high_level == level);
	int rc = 0;
	if (!loaded) {
		rc = tree_read_tile(part->store->reading, level, number, tile, err);
		part->high_level = level == 1 ? part->high_level : level;
	}
	if (rc < 0) {
		tile->count = 0;
		return rc == -ERR_CORRUPT ? -ERR_GONE : rc;
	}
	*out = tile;
	return node % TREE_TILE < tile->count ? 0 : -ERR_GONE;
}

/* Any node: of the group at hand, or out of tiles. */
static int fetch(void *owner, unsigned height, uint64_t number, struct merkle_hash *out,
		 struct error *err)
{
	struct audit_part *part = owner;
	struct merkle_range range;
	if (height < TREE_LEVEL_BITS) {
		size_t at = group_place(height, number);
		bool known = number >> (TREE_LEVEL_BITS - height) == part->group.number &&
			     part->group.known[at];
		*out = part->group.hashes[at];
		return known ? 0 : error_set(err, ERR_GONE, "a node is not known");
	}
	unsigned level = height / TREE_LEVEL_BITS;
	unsigned above = height % TREE_LEVEL_BITS;
	merkle_range_init(&range);
	for (uint64_t i = number << above; i < (number + 1) << above; i++) {
		const struct tree_tile *tile = NULL;
		int rc = tile_of(part, level, i, &tile, err);
		if (rc < 0) {
			return rc;
		}
		merkle_range_add(&range, &tile->hashes[i % TREE_TILE], NULL, NULL);
	}
	merkle_range_root(&range, out);
	return 0;
}

/* The claims whose last leaf stands in this group. */
static int compare_claims(struct audit_part *part, struct error *err)
{
	const struct audit_options *options = part->audit->options;
	uint64_t end = (part->group.number + 1) * LOCATOR_GROUP;
	const struct merkle_source source = {.fetch = fetch, .owner = part};
	for (; part->claim < options->claim_count; part->claim++) {
		struct audit_claim *claim = &options->claims[part->claim];
		struct merkle_hash root;
		if (claim->head.size > end || claim->head.size > part->audit->range.size) {
			break;
		}
		int rc = merkle_root_fetch(claim->head.size, &source, &root, err);
		if (rc < 0 && rc != -ERR_GONE) {
			return rc;
		}
		claim->checked = rc == 0;
		claim->failed = rc == 0 && !merkle_equal(&root, &claim->head.root);
		error_clear(err);
	}
	return 0;
}

void audit_tell_missing(struct audit_part *part)
{
	if (part->missing_first > part->missing_last) {
		return;
	}
	const struct audit_finding finding = {
		.kind = AUDIT_MISSING,
		.first = part->missing_first,
		.last = part->missing_last,
		.exact = true,
	};
	audit_tell(part->audit, &finding, "%s", no_record);
	part->missing_first = 1;
	part->missing_last = 0;
}

static void add_missing(struct audit_part *part, uint64_t leaf)
{
	if (part->missing_first <= part->missing_last && leaf == part->missing_last + 1) {
		part->missing_last = leaf;
		return;
	}
	audit_tell_missing(part);
	part->missing_first = leaf;
	part->missing_last = leaf;
}

/* Names the leaves of a group that are not what they were, when the locator can tell. */
static void tell_wrong(struct audit_part *part, const struct tree_tile *tile, uint64_t first)
{
	struct log_group *group = &part->group;
	struct locator is = {{0}};
	unsigned places[LOCATOR_MAX];
	size_t count = 0;
	bool all = part->present == LOCATOR_GROUP;
	for (uint64_t leaf = first; all && leaf < first + LOCATOR_GROUP; leaf++) {
		locator_add(&is, &group->hashes[group_place(0, leaf)]);
	}
	if (all) {
		struct locator was = locator_get(tile->locators[group->number % TREE_TILE]);
		count = locator_find(&was, &is, places);
	}
	for (size_t i = 0; i < count; i++) {
		const struct audit_finding finding = {
			.kind = AUDIT_LEAF,
			.first = first + places[i],
			.last = first + places[i],
			.exact = true,
		};
		audit_tell(part->audit, &finding, "the record is not the one that was committed");
	}
	if (count == 0) {
		const struct audit_finding finding = {
			.kind = AUDIT_LEAF,
			.first = first,
			.last = first + LOCATOR_GROUP - 1,
		};
		audit_tell(part->audit, &finding,
			   "some of these records are not those that were committed");
	}
}

/* A leaf without a record, whose hash is kept. */
static void note_removed(struct audit_part *part, uint64_t leaf)
{
	const struct leafset *removed = part->audit->options->removed;
	part->removed++;
	if (removed != NULL && !leafset_has(removed, leaf)) {
		const struct audit_finding finding = {
			.kind = AUDIT_MISSING, .first = leaf, .last = leaf, .exact = true};
		audit_tell(part->audit, &finding, "%s", no_record);
	}
}

/* Compares a full group with its hash in the tile. */
static int compare_tile(struct audit_part *part, uint64_t first, struct error *err)
{
	struct log_group *group = &part->group;
	const struct tree_tile *tile = NULL;
	int rc = tile_of(part, 1, group->number, &tile, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		if (!group->known[1]) {
			return 0;
		}
		const struct audit_finding finding = {
			.kind = AUDIT_TREE, .first = first, .last = first + LOCATOR_GROUP - 1};
		audit_tell(part->audit, &finding,
			   "the tile with the hash of this group is not whole");
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	const struct merkle_hash *expected = &tile->hashes[group->number % TREE_TILE];
	if (part->present == 0 && !group->known[1]) { /* all was removed: the hash is kept */
		group->hashes[1] = *expected;
		group->known[1] = true;
		for (uint64_t leaf = first; leaf < first + LOCATOR_GROUP; leaf++) {
			note_removed(part, leaf);
		}
		return 0;
	}
	if (group->known[1] && !merkle_equal(&group->hashes[1], expected)) {
		tell_wrong(part, tile, first);
	}
	return 0;
}

/* The last group, which is not full: its nodes are the smallest peaks. */
static void compare_state(struct audit_part *part, uint64_t first)
{
	const struct merkle_range *range = &part->audit->range;
	unsigned peak = merkle_range_peaks(range->size >> TREE_LEVEL_BITS);
	uint64_t start = first;
	for (unsigned h = TREE_LEVEL_BITS; h-- > 0;) {
		if ((range->size >> h & 1) == 0) {
			continue;
		}
		size_t at = group_place(h, start >> h);
		if (part->group.known[at] &&
		    !merkle_equal(&part->group.hashes[at], &range->peaks[peak])) {
			const struct audit_finding finding = {
				.kind = AUDIT_LEAF,
				.first = start,
				.last = start + (UINT64_C(1) << h) - 1,
				.exact = h == 0,
			};
			audit_tell(
				part->audit, &finding,
				h == 0 ? "the record is not the one that was committed"
				       : "some of these records are not those that were committed");
		}
		start += UINT64_C(1) << h;
		peak++;
	}
}

/* Takes in what is kept of removed leaves. */
static int take_stubs(struct audit_part *part, uint64_t first, uint64_t end, struct error *err)
{
	struct error why;
	int rc = part->present < end - first
			 ? group_take_stubs(&part->group, part->store->reading, &why)
			 : 0;
	if (rc == -ERR_CORRUPT) {
		const struct audit_finding finding = {
			.kind = AUDIT_TREE, .first = first, .last = end - 1};
		audit_tell(part->audit, &finding, "what is kept of removed records is damaged");
		return 0;
	}
	if (rc < 0) {
		*err = why;
	}
	return rc;
}

/* Counts the leaves without a record: removed ones, and those that nothing says of. */
static void count_absent(struct audit_part *part, uint64_t first, uint64_t end)
{
	for (uint64_t leaf = first; leaf < end; leaf++) {
		if (part->seen[leaf - first]) {
			continue;
		}
		if (group_covers(&part->group, leaf)) {
			note_removed(part, leaf);
		} else {
			add_missing(part, leaf);
		}
	}
}

int audit_group(struct audit_part *part, struct error *err)
{
	struct log_group *group = &part->group;
	uint64_t first = group->number * LOCATOR_GROUP;
	uint64_t size = part->audit->range.size;
	bool full = first + LOCATOR_GROUP <= size;
	uint64_t end = full ? first + LOCATOR_GROUP : size;
	int rc = take_stubs(part, first, end, err);
	if (rc < 0) {
		return rc;
	}
	group_fill(group);
	bool wholly_gone = full && part->present == 0 && !group->known[1];
	if (!wholly_gone) {
		count_absent(part, first, end);
	}
	if (full) {
		rc = compare_tile(part, first, err);
	} else {
		compare_state(part, first);
	}
	return rc < 0 ? rc : compare_claims(part, err);
}
