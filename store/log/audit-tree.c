#include "store/log/audit-inner.h"

#include <string.h>

/* Tells that a tile does not hold what it should; which leaves stand below it. */
static void tell_tile(struct audit_part *part, unsigned level, uint64_t number, const char *what)
{
	uint64_t first = number * TREE_TILE << level * TREE_LEVEL_BITS;
	uint64_t width = (uint64_t)TREE_TILE << level * TREE_LEVEL_BITS;
	uint64_t size = part->audit->range.size;
	const struct audit_finding finding = {
		.kind = AUDIT_TREE,
		.first = first,
		.last = first + width < size ? first + width - 1 : size - 1,
	};
	audit_tell(part->audit, &finding, "tile %llu of level %u of the log %s",
		   (unsigned long long)number, level, what);
}

/* Loads a tile. Returns 0, ERR_GONE (it is not as it must be, which was told) or an error. */
static int load(struct audit_part *part, unsigned level, uint64_t number, struct tree_tile *out,
		struct error *err)
{
	uint64_t nodes = part->audit->range.size >> level * TREE_LEVEL_BITS;
	uint64_t left = nodes - number * TREE_TILE;
	size_t count = left < TREE_TILE ? (size_t)left : TREE_TILE;
	struct error why;
	int rc = tree_read_tile(part->store->reading, level, number, out, &why);
	if (rc == -ERR_GONE || rc == -ERR_CORRUPT) {
		tell_tile(part, level, number, rc == -ERR_GONE ? "is missing" : "is damaged");
		return -ERR_GONE;
	}
	if (rc < 0) {
		*err = why;
		return rc;
	}
	if (out->count != count) {
		tell_tile(part, level, number,
			  out->count < count ? "is cut off" : "holds more than there is");
		return -ERR_GONE;
	}
	return 0;
}

/* Compares a tile with the hash that stands above it. */
static void compare_above(struct audit_part *part, unsigned level, const struct tree_tile *tile,
			  const struct merkle_hash *above)
{
	struct merkle_range range;
	struct merkle_hash root;
	merkle_range_init(&range);
	for (size_t i = 0; i < TREE_TILE; i++) {
		merkle_range_add(&range, &tile->hashes[i], NULL, NULL);
	}
	merkle_range_root(&range, &root);
	if (!merkle_equal(&root, above)) {
		tell_tile(part, level, tile->number, "does not lead to the hash above it");
	}
}

static int check_level(struct audit_part *part, unsigned level, struct error *err)
{
	uint64_t nodes = part->audit->range.size >> level * TREE_LEVEL_BITS;
	int rc = 0;
	for (uint64_t number = 0; number * TREE_TILE < nodes; number++) {
		struct tree_tile below;
		rc = load(part, level, number, &part->high, err);
		for (size_t i = 0; rc == 0 && i < part->high.count; i++) {
			rc = load(part, level - 1, number * TREE_TILE + i, &below, err);
			if (rc == 0) {
				compare_above(part, level - 1, &below, &part->high.hashes[i]);
			}
			rc = rc == -ERR_GONE ? 0 : rc;
		}
		if (rc < 0 && rc != -ERR_GONE) {
			return rc;
		}
	}
	return 0;
}

/* The peaks of the state that stand over whole groups follow from the hashes of these. */
static int check_peaks(struct audit_part *part, struct error *err)
{
	const struct merkle_range *state = &part->audit->range;
	uint64_t groups = state->size >> TREE_LEVEL_BITS;
	struct merkle_range range;
	struct tree_tile *tile = &part->high;
	merkle_range_init(&range);
	for (uint64_t group = 0; group < groups; group++) {
		int rc = group % TREE_TILE != 0 ? 0
						: tree_read_tile(part->store->reading, 1,
								 group / TREE_TILE, tile, err);
		if (rc == -ERR_GONE || rc == -ERR_CORRUPT ||
		    (rc == 0 && group % TREE_TILE >= tile->count)) {
			error_clear(err);
			return 0; /* that is told with the group */
		}
		if (rc < 0) {
			return rc;
		}
		merkle_range_add(&range, &tile->hashes[group % TREE_TILE], NULL, NULL);
	}
	unsigned peaks = merkle_range_peaks(groups);
	if (memcmp(range.peaks, state->peaks, peaks * sizeof range.peaks[0]) != 0) {
		const struct audit_finding finding = {
			.kind = AUDIT_TREE, .first = 0, .last = groups * LOCATOR_GROUP - 1};
		audit_tell(part->audit, &finding,
			   "the state of the log does not follow from its tiles");
	}
	return 0;
}

int audit_tree(struct audit_part *part, struct error *err)
{
	int rc = check_peaks(part, err);
	for (unsigned level = TREE_LEVELS; level > 1 && rc == 0; level--) {
		rc = check_level(part, level, err);
	}
	part->high_level = 0;
	return rc;
}
