/* group - the nodes over one group of 256 leaves, as far as they are known.
 *
 * Shape:   a heap: node (height h, number k of the whole tree) stands at place (256 >> h) + k mod (256 >> h).
 * Errors:  ERR_CORRUPT: a stub is damaged. ERR_IO. Threads: as the catalog. Blocking: group_take_stubs.
 * Source:  docs/format.md section 11.3. Tests: tests/unit/nodes.c, tests/unit/forget.c
 */
#ifndef STORE_LOG_GROUP_H
#define STORE_LOG_GROUP_H

#include "store/catalog.h"
#include "store/log/tree.h"

#define GROUP_NONE UINT64_MAX

struct log_group {
	uint64_t number; /* GROUP_NONE: none */
	bool known[2 * LOCATOR_GROUP];
	struct merkle_hash hashes[2 * LOCATOR_GROUP];
};

/* Begins a group of which nothing is known. */
void group_begin(struct log_group *group, uint64_t number);

/* The place of a node below height 9. */
static inline size_t group_place(unsigned height, uint64_t number)
{
	size_t width = (size_t)LOCATOR_GROUP >> height;
	return width + (size_t)(number % width);
}

/* Sets the hash of a leaf. */
void group_put(struct log_group *group, uint64_t leaf, const struct merkle_hash *hash);

/* Takes in what is kept of removed leaves. */
int group_take_stubs(struct log_group *group, struct catalog *catalog, struct error *err);

/* Fills in each node whose children are known. */
void group_fill(struct log_group *group);

/* Whether a leaf's hash is known, or that of a node above it which holds removed leaves alone. */
bool group_covers(const struct log_group *group, uint64_t leaf);

#endif
