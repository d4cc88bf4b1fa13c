#include "store/log/forget.h"

#include "store/handle.h"
#include "store/log/group.h"
#include "store/log/nodes.h"

#include <assert.h>
#include <stdlib.h>

#define WRITER_SOURCE "querytraild" /* whose records name what was taken */

static const char *const keys[] = {
	[FORGET_REDACTED] = "log.redacted", [FORGET_REMOVED] = "log.removed"};

void forget_init(struct forget *forget)
{
	*forget = (struct forget){.group_count = 0};
	leafset_init(&forget->redacted);
	leafset_init(&forget->removed);
}

void forget_done(struct forget *forget)
{
	leafset_done(&forget->redacted);
	leafset_done(&forget->removed);
	free(forget->groups);
	free(forget->stubs);
	forget_init(forget);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for what the log keeps of removed records");
}

static int add_group(struct forget *forget, uint64_t group, struct error *err)
{
	if (forget->group_count == forget->group_room) {
		size_t room = forget->group_room * 2 + 64;
		uint64_t *groups = realloc(forget->groups, room * sizeof groups[0]);
		if (groups == NULL) {
			return no_memory(err);
		}
		forget->groups = groups;
		forget->group_room = room;
	}
	forget->groups[forget->group_count++] = group;
	return 0;
}

static int add_stub(struct forget *forget, const struct forget_stub *stub, struct error *err)
{
	if (forget->stub_count == forget->stub_room) {
		size_t room = forget->stub_room * 2 + 64;
		struct forget_stub *stubs = realloc(forget->stubs, room * sizeof stubs[0]);
		if (stubs == NULL) {
			return no_memory(err);
		}
		forget->stubs = stubs;
		forget->stub_room = room;
	}
	forget->stubs[forget->stub_count++] = *stub;
	return 0;
}

/* Which nodes of a group hold nothing but leaves that are gone or go now. */
struct gone {
	bool node[2 * LOCATOR_GROUP];
};

/* Keeps the largest such nodes below place `at`. */
static int keep_nodes(struct forget *forget, const struct log_group *group, const struct gone *gone,
		      size_t at, struct error *err)
{
	unsigned depth = 63u - (unsigned)__builtin_clzll(at);
	if (!gone->node[at]) {
		int rc = at < LOCATOR_GROUP ? keep_nodes(forget, group, gone, 2 * at, err) : 0;
		return rc < 0 || at >= LOCATOR_GROUP
			       ? rc
			       : keep_nodes(forget, group, gone, 2 * at + 1, err);
	}
	unsigned height = TREE_LEVEL_BITS - depth;
	uint64_t first = group->number << (TREE_LEVEL_BITS - height);
	const struct forget_stub stub = {
		.group = group->number,
		.number = first + (at - ((size_t)1 << depth)),
		.height = height,
		.hash = group->hashes[at],
	};
	if (!group->known[at]) {
		return error_set(err, ERR_CORRUPT,
				 "what leaf %llu was can't be told, so it can't be removed",
				 (unsigned long long)(stub.number << height));
	}
	return add_stub(forget, &stub, err);
}

/* A group that loses leaves and may keep others. */
static int take_group(void *owner, const struct log_group *group, const uint64_t has_record[4],
		      struct error *err)
{
	struct forget *forget = owner;
	struct gone gone = {{false}};
	uint64_t first = group->number * LOCATOR_GROUP;
	for (size_t i = 0; i < LOCATOR_GROUP; i++) {
		bool recorded = (has_record[i / 64] >> i % 64 & 1) != 0;
		gone.node[LOCATOR_GROUP + i] = leafset_has(&forget->removed, first + i) ||
					       (!recorded && group_covers(group, first + i));
	}
	for (size_t at = LOCATOR_GROUP; at-- > 1;) {
		gone.node[at] = gone.node[2 * at] && gone.node[2 * at + 1];
	}
	return gone.node[1] ? 0 : keep_nodes(forget, group, &gone, 1, err);
}

/* Lists the groups that lose leaves: those that go wholly in one run first, then, from *out_rest on, the others. */
static int list_groups(struct forget *forget, size_t *out_rest, struct error *err)
{
	int rc = 0;
	for (int whole = 1; whole >= 0 && rc == 0; whole--) {
		uint64_t next = 0; /* the group that was not looked at yet */
		*out_rest = whole ? 0 : forget->group_count;
		for (size_t i = 0; i < forget->removed.run_count && rc == 0; i++) {
			const struct leafset_run *run = &forget->removed.runs[i];
			uint64_t group = run->first / LOCATOR_GROUP;
			group = group < next ? next : group;
			for (; group <= run->last / LOCATOR_GROUP && rc == 0; group++) {
				uint64_t first = group * LOCATOR_GROUP;
				bool is_whole = run->first <= first &&
						run->last >= first + LOCATOR_GROUP - 1;
				rc = is_whole == (whole == 1) ? add_group(forget, group, err) : 0;
				next = group + 1;
			}
		}
	}
	return rc;
}

int forget_take(struct forget *forget, struct store *store, struct error *err)
{
	struct log_nodes *nodes = NULL;
	size_t rest = 0;
	assert(!forget->removed.is_loose);
	if (forget->removed.run_count == 0) {
		return 0;
	}
	int rc = list_groups(forget, &rest, err);
	rc = rc < 0 ? rc : log_nodes_open(store, &nodes, err);
	if (rc == 0 && rest < forget->group_count) {
		const struct log_groups groups = {.numbers = forget->groups + rest,
						  .count = forget->group_count - rest,
						  .each = take_group,
						  .owner = forget};
		rc = log_nodes_groups(nodes, &groups, err);
	}
	log_nodes_close(nodes);
	return rc;
}

static int delete_stubs(struct catalog *catalog, uint64_t group, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_DELETE_STUBS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int64(statement, 1, (sqlite3_int64)group);
	return bound == SQLITE_OK
		       ? catalog_done(catalog, statement, "forgetting removed leaves", err)
		       : catalog_error(catalog, bound, "forgetting removed leaves", err);
}

static int put_stub(struct catalog *catalog, const struct forget_stub *stub, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	struct str hash = str_make((const char *)stub->hash.bytes, sizeof stub->hash.bytes);
	int rc = catalog_statement(catalog, CATALOG_LOG_PUT_STUB, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int64(statement, 1, (sqlite3_int64)stub->group);
	bound = bound == SQLITE_OK ? sqlite3_bind_int(statement, 2, (int)stub->height) : bound;
	bound = bound == SQLITE_OK ? sqlite3_bind_int64(statement, 3, (sqlite3_int64)stub->number)
				   : bound;
	bound = bound == SQLITE_OK ? catalog_bind_bytes(statement, 4, hash) : bound;
	return bound == SQLITE_OK
		       ? catalog_done(catalog, statement, "keeping hashes of removed leaves", err)
		       : catalog_error(catalog, bound, "keeping hashes of removed leaves", err);
}

int forget_pending(struct store *store, enum forget_kind kind, struct leafset *out,
		   struct error *err)
{
	struct buf code;
	buf_init(&code, 0);
	leafset_clear(out);
	int rc = catalog_meta_get(store->catalog, keys[kind], &code, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	}
	rc = rc < 0 || code.len == 0 ? rc : leafset_decode(buf_str(&code), out, err);
	if (rc == -ERR_CORRUPT) {
		error_prefix(err, "%s: the setting %s", store->catalog->path, keys[kind]);
	}
	buf_done(&code);
	return rc;
}

int forget_noted(struct store *store, enum forget_kind kind, struct error *err)
{
	return catalog_meta_put(store->catalog, keys[kind], (struct str){.ptr = "", .len = 0}, err);
}

/* Adds to what waits for a record. */
static int put_pending(struct store *store, enum forget_kind kind, const struct leafset *leaves,
		       struct error *err)
{
	struct leafset all;
	struct buf code;
	if (leaves->run_count == 0) {
		return 0;
	}
	leafset_init(&all);
	buf_init(&code, 0);
	int rc = forget_pending(store, kind, &all, err);
	rc = rc < 0 ? rc : leafset_unite(&all, leaves, err);
	if (rc == 0) {
		leafset_encode(&all, &code);
		rc = code.failed
			     ? no_memory(err)
			     : catalog_meta_put(store->catalog, keys[kind], buf_str(&code), err);
	}
	buf_done(&code);
	leafset_done(&all);
	return rc;
}

int forget_apply(struct forget *forget, struct store *store, struct error *err)
{
	struct leafset all;
	leafset_init(&all);
	leafset_settle(&forget->redacted);
	int rc = leafset_unite(&all, &forget->removed, err);
	rc = rc < 0 ? rc : leafset_unite(&all, &forget->redacted, err);
	if (rc == 0 && all.run_count > 0) {
		rc = store_ready_log(store, err);
		rc = rc < 0 ? rc : salts_forget(store->salts, store->catalog, &all, err);
	}
	for (size_t i = 0; i < forget->group_count && rc == 0; i++) {
		rc = delete_stubs(store->catalog, forget->groups[i], err);
	}
	for (size_t i = 0; i < forget->stub_count && rc == 0; i++) {
		rc = put_stub(store->catalog, &forget->stubs[i], err);
	}
	rc = rc < 0 ? rc : put_pending(store, FORGET_REDACTED, &forget->redacted, err);
	rc = rc < 0 ? rc : put_pending(store, FORGET_REMOVED, &forget->removed, err);
	leafset_done(&all);
	return rc;
}

int forget_commitment(struct store *store, uint64_t leaf, struct str encoded,
		      struct merkle_hash *out, struct error *err)
{
	struct log_salt salt;
	int rc = store_ready_log(store, err);
	if (rc < 0) {
		return rc;
	}
	if (salts_get(store->salts, leaf, &salt) < 0) {
		return error_set(err, ERR_GONE, "the salt of leaf %llu was forgotten",
				 (unsigned long long)leaf);
	}
	log_commit(&salt, encoded, out);
	return 0;
}

int forget_read_note(struct str encoded, struct leafset *redacted, struct leafset *removed,
		     struct error *err)
{
	struct record record;
	struct leafset named;
	int rc = record_decode(encoded, &record, err);
	if (rc < 0 || record.kind != RECORD_LIFECYCLE || !str_is(record.source, WRITER_SOURCE) ||
	    !record_has(&record, FIELD_leaves)) {
		return rc;
	}
	struct str event = record_text(&record, FIELD_event);
	struct leafset *set = str_is(event, FORGET_EVENT_REDACTED)  ? redacted
			      : str_is(event, FORGET_EVENT_REMOVED) ? removed
								    : NULL;
	if (set == NULL) {
		return 0;
	}
	leafset_init(&named);
	rc = leafset_decode(record_text(&record, FIELD_leaves), &named, err);
	rc = rc < 0 ? rc : leafset_unite(set, &named, err);
	leafset_done(&named);
	return rc;
}
