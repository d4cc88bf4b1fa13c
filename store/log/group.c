#include "store/log/group.h"

#include <string.h>

void group_begin(struct log_group *group, uint64_t number)
{
	group->number = number;
	memset(group->known, 0, sizeof group->known);
}

void group_put(struct log_group *group, uint64_t leaf, const struct merkle_hash *hash)
{
	size_t at = group_place(0, leaf);
	group->hashes[at] = *hash;
	group->known[at] = true;
}

static bool take_stub(struct log_group *group, sqlite3_stmt *statement)
{
	int64_t height = sqlite3_column_int64(statement, 0);
	uint64_t index = (uint64_t)sqlite3_column_int64(statement, 1);
	struct str hash = catalog_column_bytes(statement, 2);
	if (height < 0 || height >= TREE_LEVEL_BITS || hash.len != DIGEST_BYTES ||
	    index >> (TREE_LEVEL_BITS - height) != group->number) {
		return false;
	}
	size_t at = group_place((unsigned)height, index);
	memcpy(group->hashes[at].bytes, hash.ptr, hash.len);
	group->known[at] = true;
	return true;
}

int group_take_stubs(struct log_group *group, struct catalog *catalog, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_STUBS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_bind_int64(statement, 1, (sqlite3_int64)group->number);
	step = step == SQLITE_OK ? sqlite3_step(statement) : step;
	for (; step == SQLITE_ROW && rc == 0; step = sqlite3_step(statement)) {
		if (!take_stub(group, statement)) {
			rc = error_set(err, ERR_CORRUPT,
				       "%s: what is kept of removed leaves from %llu on is damaged",
				       catalog->path,
				       (unsigned long long)(group->number * LOCATOR_GROUP));
		}
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading what is kept of removed leaves", err);
	}
	(void)sqlite3_reset(statement); /* the step's error was told */
	return rc;
}

void group_fill(struct log_group *group)
{
	for (size_t at = LOCATOR_GROUP; at-- > 1;) {
		if (!group->known[at] && group->known[2 * at] && group->known[2 * at + 1]) {
			merkle_node(&group->hashes[2 * at], &group->hashes[2 * at + 1],
				    &group->hashes[at]);
			group->known[at] = true;
		}
	}
}

bool group_covers(const struct log_group *group, uint64_t leaf)
{
	for (size_t at = group_place(0, leaf); at > 0; at /= 2) {
		if (group->known[at]) {
			return true;
		}
	}
	return false;
}
