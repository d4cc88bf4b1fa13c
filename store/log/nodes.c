#include "store/log/nodes.h"

#include "store/handle.h"
#include "store/log/group.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS_NEAR \
	16 /* groups between two that are read through: a walk begins as quickly as it reads these */

struct log_nodes {
	struct store *store;
	struct salts *salts;
	struct merkle_range range;
	struct tree_tile tile; /* read last; count 0: none */
	unsigned tile_level;
	struct log_group group;
	uint64_t has_record[LOCATOR_GROUP / 64];
	struct buf encoded; /* of the leaf that was asked for last */
};

/* Being loaded. */
struct loading {
	struct log_nodes *nodes;
	uint64_t end;  /* behind the last leaf of the group */
	uint64_t want; /* the leaf whose record is kept, or GROUP_NONE */
	struct log_evidence *evidence;
};

void log_nodes_close(struct log_nodes *nodes)
{
	if (nodes != NULL) {
		salts_free(nodes->salts);
		buf_done(&nodes->encoded);
		store_snapshot_end(nodes->store);
		free(nodes);
	}
}

int log_nodes_open(struct store *store, struct log_nodes **out_nodes, struct error *err)
{
	struct locator open;
	struct log_nodes *nodes = calloc(1, sizeof *nodes);
	if (nodes == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read the log");
	}
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		free(nodes);
		return rc;
	}
	nodes->store = store;
	nodes->group.number = GROUP_NONE;
	buf_init(&nodes->encoded, RECORD_MAX_BYTES);
	rc = tree_read_state(store->reading, &nodes->range, &open, err);
	rc = rc < 0 ? rc : salts_load(store->reading, &nodes->salts, err);
	if (rc < 0) {
		log_nodes_close(nodes);
		return rc;
	}
	*out_nodes = nodes;
	return 0;
}

void log_nodes_head(const struct log_nodes *nodes, struct merkle_head *out)
{
	out->size = nodes->range.size;
	merkle_range_root(&nodes->range, &out->root);
}

static int take_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		       struct error *err)
{
	struct loading *loading = owner;
	struct log_evidence evidence;
	if (leaf >= loading->end) {
		return 1; /* the walk is over */
	}
	evidence.salted = salts_get(loading->nodes->salts, leaf, &evidence.salt) == 0;
	int rc = log_leaf_of(encoded, ingest_ns, evidence.salted ? &evidence.salt : NULL,
			     &evidence.leaf, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		return rc;
	}
	struct merkle_hash hash;
	log_entry_make(&evidence.leaf, &evidence.entry);
	merkle_leaf(str_make(evidence.entry.bytes, evidence.entry.len), &hash);
	group_put(&loading->nodes->group, leaf, &hash);
	size_t index = (size_t)(leaf % LOCATOR_GROUP);
	loading->nodes->has_record[index / 64] |= UINT64_C(1) << index % 64;
	if (leaf == loading->want) {
		buf_clear(&loading->nodes->encoded);
		buf_put_str(&loading->nodes->encoded, encoded);
		*loading->evidence = evidence;
		loading->want = GROUP_NONE;
	}
	return loading->nodes->encoded.failed ? error_set(err, ERR_NOMEM, "no memory for a record")
					      : 0;
}

static int begin_group(struct log_nodes *nodes, uint64_t number, struct error *err)
{
	group_begin(&nodes->group, number);
	memset(nodes->has_record, 0, sizeof nodes->has_record);
	return group_take_stubs(&nodes->group, nodes->store->reading, err);
}

static int load_group(struct log_nodes *nodes, uint64_t number, uint64_t want,
		      struct log_evidence *evidence, struct error *err)
{
	uint64_t first = number * LOCATOR_GROUP;
	uint64_t end = first + LOCATOR_GROUP;
	struct loading loading = {
		.nodes = nodes,
		.end = end < nodes->range.size ? end : nodes->range.size,
		.want = want,
		.evidence = evidence,
	};
	int rc = begin_group(nodes, number, err);
	rc = rc < 0 ? rc : store_walk(nodes->store, first, take_record, &loading, err);
	if (rc < 0) {
		nodes->group.number = GROUP_NONE;
		return rc;
	}
	group_fill(&nodes->group);
	return want != GROUP_NONE && loading.want != GROUP_NONE ? -ERR_GONE : 0;
}

static int low_node(struct log_nodes *nodes, unsigned height, uint64_t number,
		    struct merkle_hash *out, struct error *err)
{
	uint64_t group = number >> (TREE_LEVEL_BITS - height);
	int rc = nodes->group.number == group ? 0 : load_group(nodes, group, GROUP_NONE, NULL, err);
	if (rc < 0) {
		return rc;
	}
	size_t at = group_place(height, number);
	if (!nodes->group.known[at]) {
		return error_set(err, ERR_GONE,
				 "what leaf %llu and those behind it were is not kept any more",
				 (unsigned long long)(number << height));
	}
	*out = nodes->group.hashes[at];
	return 0;
}

static int high_node(struct log_nodes *nodes, unsigned height, uint64_t number,
		     struct merkle_hash *out, struct error *err)
{
	unsigned level = height / TREE_LEVEL_BITS;
	unsigned above = height % TREE_LEVEL_BITS;
	uint64_t first = number << above;
	struct merkle_range range;
	merkle_range_init(&range);
	if (nodes->tile.count == 0 || nodes->tile_level != level ||
	    nodes->tile.number != first / TREE_TILE) {
		int rc = tree_read_tile(nodes->store->reading, level, first / TREE_TILE,
					&nodes->tile, err);
		if (rc < 0) {
			nodes->tile.count = 0;
			return rc == -ERR_GONE ? error_set(err, ERR_CORRUPT,
							   "%s: a tile of the log is missing",
							   nodes->store->reading->path)
					       : rc;
		}
		nodes->tile_level = level;
	}
	for (uint64_t i = first; i < first + (UINT64_C(1) << above); i++) {
		size_t at = (size_t)(i % TREE_TILE);
		if (at >= nodes->tile.count) {
			return error_set(err, ERR_CORRUPT, "%s: a tile of the log is cut off",
					 nodes->store->reading->path);
		}
		merkle_range_add(&range, &nodes->tile.hashes[at], NULL, NULL);
	}
	merkle_range_root(&range, out);
	return 0;
}

static int fetch(void *owner, unsigned height, uint64_t number, struct merkle_hash *out,
		 struct error *err)
{
	struct log_nodes *nodes = owner;
	if (height >= 63 || (number + 1) << height > nodes->range.size) {
		return error_set(err, ERR_GONE, "the log is not so long yet");
	}
	return height < TREE_LEVEL_BITS ? low_node(nodes, height, number, out, err)
					: high_node(nodes, height, number, out, err);
}

struct merkle_source log_nodes_source(struct log_nodes *nodes)
{
	return (struct merkle_source){.fetch = fetch, .owner = nodes};
}

int log_nodes_leaf(struct log_nodes *nodes, uint64_t leaf, struct log_evidence *out,
		   struct error *err)
{
	int rc = -ERR_GONE;
	if (leaf < nodes->range.size) {
		rc = load_group(nodes, leaf / LOCATOR_GROUP, leaf, out, err);
	}
	if (rc == -ERR_GONE) {
		return error_set(err, ERR_GONE, "leaf %llu is not in the store",
				 (unsigned long long)leaf);
	}
	if (rc == 0) {
		out->encoded = buf_str(&nodes->encoded);
		rc = log_leaf_of(out->encoded, out->leaf.ingest_ns, out->salted ? &out->salt : NULL,
				 &out->leaf, err);
	}
	return rc;
}

int log_nodes_group(struct log_nodes *nodes, uint64_t number, const struct log_group **out,
		    uint64_t has_record[4], struct error *err)
{
	int rc = nodes->group.number == number ? 0
					       : load_group(nodes, number, GROUP_NONE, NULL, err);
	if (rc < 0) {
		return rc;
	}
	memcpy(has_record, nodes->has_record, sizeof nodes->has_record);
	*out = &nodes->group;
	return 0;
}

/* Groups being read one after another. */
struct reading {
	struct log_nodes *nodes;
	struct log_groups groups; /* those that are near each other */
	size_t at;                /* the group that records are taken for */
};

/* Ends the group and begins the next one. */
static int next_group(struct reading *reading, struct error *err)
{
	struct log_nodes *nodes = reading->nodes;
	group_fill(&nodes->group);
	int rc = reading->groups.each(reading->groups.owner, &nodes->group, nodes->has_record, err);
	reading->at++;
	return rc != 0 || reading->at == reading->groups.count
		       ? rc
		       : begin_group(nodes, reading->groups.numbers[reading->at], err);
}

static int read_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		       struct error *err)
{
	struct reading *reading = owner;
	uint64_t number = leaf / LOCATOR_GROUP;
	struct loading loading = {.nodes = reading->nodes, .end = UINT64_MAX, .want = GROUP_NONE};
	while (number > reading->groups.numbers[reading->at]) {
		int rc = next_group(reading, err);
		if (rc != 0) {
			return rc;
		}
		if (reading->at == reading->groups.count) {
			return 1; /* the walk is over */
		}
	}
	return number == reading->groups.numbers[reading->at]
		       ? take_record(&loading, leaf, ingest_ns, encoded, err)
		       : 0;
}

/* Reads groups that are near each other. */
static int read_near(struct reading *reading, struct error *err)
{
	struct log_nodes *nodes = reading->nodes;
	const uint64_t first = reading->groups.numbers[0];
	int rc = begin_group(nodes, first, err);
	rc = rc < 0 ? rc
		    : store_walk(nodes->store, first * LOCATOR_GROUP, read_record, reading, err);
	if (rc == 1 && reading->at == reading->groups.count) {
		return 0; /* it had its last one */
	}
	while (rc == 0 && reading->at < reading->groups.count) {
		rc = next_group(reading, err);
	}
	return rc;
}

int log_nodes_groups(struct log_nodes *nodes, const struct log_groups *groups, struct error *err)
{
	const uint64_t *numbers = groups->numbers;
	size_t first = 0;
	int rc = 0;
	for (size_t i = 1; i <= groups->count && rc == 0; i++) {
		if (i < groups->count && numbers[i] - numbers[i - 1] <= GROUPS_NEAR) {
			continue;
		}
		struct reading reading = {.nodes = nodes, .groups = *groups};
		reading.groups.numbers = numbers + first;
		reading.groups.count = i - first;
		rc = read_near(&reading, err);
		first = i;
	}
	nodes->group.number = GROUP_NONE;
	return rc;
}
