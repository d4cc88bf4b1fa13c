#include "store/log/tree.h"

#include "base/wire.h"
#include "store/checksum.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define STATE_KEY  "log.state"
#define TILE_SHIFT 48 /* the row of a tile: its level above its number */

/* A node of height 8, 16, .. that is complete since the last save. */
struct node {
	unsigned level;
	uint64_t number;
	struct merkle_hash hash;
	struct locator locator;
};

struct tree {
	struct merkle_range range;
	struct locator open;   /* of the group that is not full */
	struct locator filled; /* of the group that became full just now */
	struct node *nodes;
	size_t node_count, room;
	bool failed;                         /* no memory for a node */
	struct tree_tile tiles[TREE_LEVELS]; /* the last of each level, from level 1 on */
	bool unsaved[TREE_LEVELS];
};

static int damaged(const struct catalog *catalog, const char *what, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "%s: the log's %s is damaged", catalog->path, what);
}

/* The bytes of a tile with the row's number before them, all of which its checksum covers. */
static void put_tile(const struct tree_tile *tile, unsigned level, struct buf *out)
{
	buf_clear(out);
	wire_put_u64(out, (uint64_t)level << TILE_SHIFT | tile->number);
	buf_put_str(out,
		    str_make((const char *)tile->hashes, tile->count * sizeof tile->hashes[0]));
	if (level == 1) {
		buf_put_str(out, str_make((const char *)tile->locators,
					  tile->count * sizeof tile->locators[0]));
	}
}

static int save_tile(struct catalog *catalog, const struct tree_tile *tile, unsigned level,
		     struct error *err)
{
	sqlite3_stmt *statement = NULL;
	struct buf bytes;
	buf_init(&bytes, 0);
	put_tile(tile, level, &bytes);
	int rc = bytes.failed ? error_set(err, ERR_NOMEM, "no memory for a tile of the log")
			      : catalog_statement(catalog, CATALOG_LOG_PUT_TILE, &statement, err);
	if (rc == 0) {
		int64_t row = (int64_t)((uint64_t)level << TILE_SHIFT | tile->number);
		struct str body = str_make(bytes.ptr + 8, bytes.len - 8);
		int bound = sqlite3_bind_int64(statement, 1, row);
		bound = bound == SQLITE_OK ? catalog_bind_bytes(statement, 2, body) : bound;
		bound = bound == SQLITE_OK
				? sqlite3_bind_int64(statement, 3, checksum_crc32c(buf_str(&bytes)))
				: bound;
		rc = bound == SQLITE_OK
			     ? catalog_done(catalog, statement, "storing a tile of the log", err)
			     : catalog_error(catalog, bound, "storing a tile of the log", err);
	}
	buf_done(&bytes);
	return rc;
}

static int take_tile(struct catalog *catalog, sqlite3_stmt *statement, unsigned level,
		     struct tree_tile *out, struct error *err)
{
	struct str bytes = catalog_column_bytes(statement, 0);
	size_t each = DIGEST_BYTES + (level == 1 ? LOCATOR_BYTES : 0);
	out->count = bytes.len / each;
	bool fits = out->count > 0 && out->count <= TREE_TILE && out->count * each == bytes.len;
	if (fits) {
		size_t hashes = out->count * DIGEST_BYTES;
		memcpy(out->hashes, bytes.ptr, hashes);
		memcpy(out->locators, bytes.ptr + hashes, bytes.len - hashes);
		struct buf all;
		buf_init(&all, 0);
		put_tile(out, level, &all);
		fits = !all.failed && checksum_crc32c(buf_str(&all)) ==
					      (uint32_t)sqlite3_column_int64(statement, 1);
		buf_done(&all);
	}
	return fits ? 0
		    : error_set(err, ERR_CORRUPT, "%s: tile %llu of level %u of the log is damaged",
				catalog->path, (unsigned long long)out->number, level);
}

int tree_read_tile(struct catalog *catalog, unsigned level, uint64_t number, struct tree_tile *out,
		   struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_TILE, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int64_t row = (int64_t)((uint64_t)level << TILE_SHIFT | number);
	int step = sqlite3_bind_int64(statement, 1, row);
	step = step == SQLITE_OK ? sqlite3_step(statement) : step;
	out->number = number;
	if (step == SQLITE_ROW) {
		rc = take_tile(catalog, statement, level, out, err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s: the log has no tile %llu of level %u",
			       catalog->path, (unsigned long long)number, level);
	} else {
		rc = catalog_error(catalog, step, "reading a tile of the log", err);
	}
	(void)sqlite3_reset(statement); /* the step's error was told */
	return rc;
}

static void put_state(const struct merkle_range *range, const struct locator *open, struct buf *out)
{
	uint8_t locator[LOCATOR_BYTES];
	locator_put(open, locator);
	wire_put_varint(out, range->size);
	buf_put_str(out, str_make((const char *)range->peaks,
				  merkle_range_peaks(range->size) * sizeof range->peaks[0]));
	buf_put_str(out, str_make((const char *)locator, sizeof locator));
	wire_put_u32(out, checksum_crc32c(buf_str(out)));
}

static int save_state(const struct merkle_range *range, const struct locator *open,
		      struct catalog *catalog, struct error *err)
{
	struct buf state;
	buf_init(&state, 0);
	put_state(range, open, &state);
	int rc = state.failed ? error_set(err, ERR_NOMEM, "no memory for the state of the log")
			      : catalog_meta_put(catalog, STATE_KEY, buf_str(&state), err);
	buf_done(&state);
	return rc;
}

int tree_create(struct catalog *catalog, struct error *err)
{
	struct merkle_range range;
	merkle_range_init(&range);
	return save_state(&range, &(struct locator){{0}}, catalog, err);
}

static bool take_state(struct str bytes, struct merkle_range *out, struct locator *out_open)
{
	struct wire_reader reader = wire_reader(bytes);
	merkle_range_init(out);
	uint64_t size = wire_varint(&reader);
	if (size > INT64_MAX) {
		return false;
	}
	out->size = size;
	struct str peaks = wire_bytes(&reader, merkle_range_peaks(size) * DIGEST_BYTES);
	struct str open = wire_bytes(&reader, LOCATOR_BYTES);
	size_t covered = reader.pos;
	uint32_t crc = wire_u32(&reader);
	if (reader.failed || wire_left(&reader) > 0 ||
	    crc != checksum_crc32c(str_make(bytes.ptr, covered))) {
		return false;
	}
	memcpy(out->peaks, peaks.ptr, peaks.len);
	*out_open = locator_get((const uint8_t *)open.ptr);
	return true;
}

int tree_read_state(struct catalog *catalog, struct merkle_range *out, struct locator *out_open,
		    struct error *err)
{
	struct buf state;
	buf_init(&state, 0);
	int rc = catalog_meta_get(catalog, STATE_KEY, &state, err);
	if (rc == -ERR_GONE || (rc == 0 && !take_state(buf_str(&state), out, out_open))) {
		rc = damaged(catalog, "state", err);
	}
	buf_done(&state);
	return rc;
}

/* The last tile of each level, which goes on growing. */
static int load_tiles(struct tree *tree, struct catalog *catalog, struct error *err)
{
	for (unsigned level = 1; level <= TREE_LEVELS; level++) {
		struct tree_tile *tile = &tree->tiles[level - 1];
		uint64_t nodes = tree->range.size >> level * TREE_LEVEL_BITS;
		size_t count = (size_t)(nodes % TREE_TILE);
		tile->number = nodes / TREE_TILE;
		tile->count = 0;
		if (count == 0) {
			continue;
		}
		int rc = tree_read_tile(catalog, level, tile->number, tile, err);
		if (rc == -ERR_GONE || (rc == 0 && tile->count != count)) {
			return error_set(err, ERR_CORRUPT,
					 "%s: tile %llu of level %u of the log is not complete",
					 catalog->path, (unsigned long long)tile->number, level);
		}
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* Gives nodes of height 8 and more out of the tiles that were loaded. */
static int loaded_node(void *owner, unsigned height, uint64_t number, struct merkle_hash *out,
		       struct error *err)
{
	const struct tree *tree = owner;
	unsigned level = height / TREE_LEVEL_BITS;
	unsigned above = height % TREE_LEVEL_BITS;
	const struct tree_tile *tile = &tree->tiles[level - 1];
	struct merkle_range range;
	uint64_t first = number << above;
	(void)err;
	merkle_range_init(&range);
	for (uint64_t i = first; i < first + (UINT64_C(1) << above); i++) {
		merkle_range_add(&range, &tile->hashes[i % TREE_TILE], NULL, NULL);
	}
	merkle_range_root(&range, out);
	return 0;
}

/* The peaks of height 8 and more follow from the tiles: they must be the same. */
static bool state_fits(struct tree *tree)
{
	struct merkle_range *range = &tree->range;
	unsigned at = 0;
	for (unsigned h = 63; h-- > TREE_LEVEL_BITS;) {
		struct merkle_hash expected;
		if ((range->size >> h & 1) == 0) {
			continue;
		}
		uint64_t number = range->size >> h;
		if (h / TREE_LEVEL_BITS > TREE_LEVELS ||
		    loaded_node(tree, h, number - 1, &expected, NULL) < 0 ||
		    !merkle_equal(&expected, &range->peaks[at++])) {
			return false;
		}
	}
	return true;
}

int tree_load(struct catalog *catalog, struct tree **out_tree, struct error *err)
{
	struct tree *tree = calloc(1, sizeof *tree);
	if (tree == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the log");
	}
	int rc = tree_read_state(catalog, &tree->range, &tree->open, err);
	rc = rc < 0 ? rc : load_tiles(tree, catalog, err);
	if (rc == 0 && !state_fits(tree)) {
		rc = error_set(err, ERR_CORRUPT, "%s: the log's state does not fit its tiles",
			       catalog->path);
	}
	if (rc < 0) {
		tree_free(tree);
		return rc;
	}
	*out_tree = tree;
	return 0;
}

void tree_free(struct tree *tree)
{
	if (tree != NULL) {
		free(tree->nodes);
		free(tree);
	}
}

static void keep_node(void *owner, unsigned height, uint64_t number, const struct merkle_hash *hash)
{
	struct tree *tree = owner;
	if (height == 0 || height % TREE_LEVEL_BITS != 0) {
		return;
	}
	if (tree->node_count == tree->room) {
		size_t room = tree->room > 0 ? tree->room * 2 : 64;
		struct node *nodes = realloc(tree->nodes, room * sizeof nodes[0]);
		if (nodes == NULL) {
			tree->failed = true;
			return;
		}
		tree->nodes = nodes;
		tree->room = room;
	}
	tree->nodes[tree->node_count++] = (struct node){
		.level = height / TREE_LEVEL_BITS,
		.number = number,
		.hash = *hash,
		.locator = tree->filled,
	};
}

int tree_add(struct tree *tree, const struct merkle_hash *leaf)
{
	locator_add(&tree->open, leaf);
	if ((tree->range.size + 1) % LOCATOR_GROUP == 0) {
		tree->filled = tree->open;
		tree->open = (struct locator){{0}};
	}
	merkle_range_add(&tree->range, leaf, keep_node, tree);
	return tree->failed ? -ERR_NOMEM : 0;
}

/* Puts a node into the last tile of its level, which is written when it is full. */
static int save_node(struct tree *tree, const struct node *node, struct catalog *catalog,
		     struct error *err)
{
	struct tree_tile *tile = &tree->tiles[node->level - 1];
	size_t slot = (size_t)(node->number % TREE_TILE);
	if (slot == 0) {
		tile->number = node->number / TREE_TILE;
		tile->count = 0;
	}
	assert(slot == tile->count);
	tile->hashes[slot] = node->hash;
	locator_put(&node->locator, tile->locators[slot]);
	tile->count++;
	tree->unsaved[node->level - 1] = tile->count < TREE_TILE;
	return tile->count < TREE_TILE ? 0 : save_tile(catalog, tile, node->level, err);
}

int tree_save(struct tree *tree, struct catalog *catalog, struct error *err)
{
	int rc = 0;
	for (size_t i = 0; i < tree->node_count && rc == 0; i++) {
		rc = save_node(tree, &tree->nodes[i], catalog, err);
	}
	for (unsigned level = 1; level <= TREE_LEVELS && rc == 0; level++) {
		if (tree->unsaved[level - 1]) {
			rc = save_tile(catalog, &tree->tiles[level - 1], level, err);
			tree->unsaved[level - 1] = false;
		}
	}
	tree->node_count = 0;
	return rc < 0 ? rc : save_state(&tree->range, &tree->open, catalog, err);
}

void tree_head(const struct tree *tree, struct merkle_head *out)
{
	out->size = tree->range.size;
	merkle_range_root(&tree->range, &out->root);
}

const struct merkle_range *tree_range(const struct tree *tree)
{
	return &tree->range;
}
