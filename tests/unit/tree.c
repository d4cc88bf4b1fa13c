#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/handle.h"
#include "tests/unit/store-filled.h"

#include <stdlib.h>

static struct merkle_hash leaf_of(uint64_t number)
{
	struct merkle_hash hash;
	merkle_leaf(str_make((const char *)&number, sizeof number), &hash);
	return hash;
}

/* RFC 6962, as it is written. */
static struct merkle_hash naive(uint64_t first, uint64_t count)
{
	struct merkle_hash hash;
	if (count == 0) {
		digest_sha256((struct str){0}, hash.bytes);
		return hash;
	}
	if (count == 1) {
		return leaf_of(first);
	}
	uint64_t split = 1;
	while (split * 2 < count) {
		split *= 2;
	}
	struct merkle_hash left = naive(first, split);
	struct merkle_hash right = naive(first + split, count - split);
	merkle_node(&left, &right, &hash);
	return hash;
}

static void grow(struct tree *tree, struct catalog *catalog, uint64_t to, struct error *err)
{
	assert_int_equal(catalog_run(catalog, CATALOG_BEGIN_WRITE, err), 0);
	for (uint64_t i = tree_range(tree)->size; i < to; i++) {
		struct merkle_hash leaf = leaf_of(i);
		assert_int_equal(tree_add(tree, &leaf), 0);
	}
	assert_int_equal(tree_save(tree, catalog, err), 0);
	assert_int_equal(catalog_run(catalog, CATALOG_COMMIT, err), 0);
}

static void empty_log(struct filled *filled)
{
	memset(filled, 0, sizeof *filled);
	fixture_init(&filled->fixture);
	filled_open(filled, STORE_CREATE);
}

static void tree_grows_over_starts(void **state)
{
	/* over sizes around groups and tiles the root is that of RFC 6962, whether the tree is kept or read again */
	static const uint64_t sizes[] = {0,    1,     2,     255,   256,         257,
					 1000, 65535, 65536, 65537, 65536 + 256, 66000};
	struct filled filled;
	struct tree *kept = NULL;
	(void)state;
	empty_log(&filled);
	struct catalog *catalog = filled.store->catalog;
	assert_int_equal(tree_load(catalog, &kept, &filled.err), 0);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct merkle_head head, loaded;
		struct tree *again = NULL;
		struct merkle_hash expected = naive(0, sizes[i]);
		grow(kept, catalog, sizes[i], &filled.err);
		tree_head(kept, &head);
		assert_int_equal(head.size, sizes[i]);
		assert_true(merkle_equal(&head.root, &expected));
		assert_int_equal(tree_load(catalog, &again, &filled.err), 0);
		tree_head(again, &loaded);
		assert_true(loaded.size == head.size && merkle_equal(&loaded.root, &head.root));
		if (i % 2 == 0) { /* go on with the one that was read */
			tree_free(kept);
			kept = again;
		} else {
			tree_free(again);
		}
	}
	tree_free(kept);
	filled_done(&filled);
}

static void tiles_hold_nodes(void **state)
{
	/* level 1 holds the hashes of groups with the locator over their leaves, level 2 those of whole tiles; there is no other tile */
	struct filled filled;
	struct tree *tree = NULL;
	struct tree_tile *tile = malloc(sizeof *tile);
	(void)state;
	assert_non_null(tile);
	empty_log(&filled);
	struct catalog *catalog = filled.store->catalog;
	assert_int_equal(tree_load(catalog, &tree, &filled.err), 0);
	grow(tree, catalog, 65536 + 300, &filled.err);
	tree_free(tree);
	assert_int_equal(tree_read_tile(catalog, 1, 0, tile, &filled.err), 0);
	assert_int_equal(tile->count, 256);
	struct merkle_hash expected = naive(256, 256);
	assert_true(merkle_equal(&tile->hashes[1], &expected));
	struct locator locator = {{0}};
	uint8_t bytes[LOCATOR_BYTES];
	for (uint64_t i = 256; i < 512; i++) {
		struct merkle_hash leaf = leaf_of(i);
		locator_add(&locator, &leaf);
	}
	locator_put(&locator, bytes);
	assert_memory_equal(tile->locators[1], bytes, LOCATOR_BYTES);
	assert_int_equal(tree_read_tile(catalog, 1, 1, tile, &filled.err), 0);
	assert_int_equal(tile->count, 1);
	assert_int_equal(tree_read_tile(catalog, 2, 0, tile, &filled.err), 0);
	expected = naive(0, 65536);
	assert_true(tile->count == 1 && merkle_equal(&tile->hashes[0], &expected));
	assert_int_equal(tree_read_tile(catalog, 1, 2, tile, &filled.err), -ERR_GONE);
	free(tile);
	filled_done(&filled);
}

static void damage_is_told(void **state)
{
	/* a state or tile of other bytes, missing, or that does not fit the other, is ERR_CORRUPT */
	static const char *const wrong[] = {
		"UPDATE meta SET value = substr(value, 1, 40) WHERE key = 'log.state'",
		"DELETE FROM meta WHERE key = 'log.state'",
		"UPDATE tiles SET bytes = zeroblob(length(bytes))",
		"UPDATE tiles SET crc = crc + 1",
		"DELETE FROM tiles",
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct filled filled;
		struct tree *tree = NULL;
		filled_init(&filled, 600, 100);
		filled_sql(&filled, wrong[i]);
		assert_int_equal(tree_load(filled.store->catalog, &tree, &filled.err),
				 -ERR_CORRUPT);
		filled_done(&filled);
	}
}

static void rolled_back_is_as_before(void **state)
{
	/* what a transaction added is gone with it, and the next one goes on from what was committed */
	struct filled filled;
	struct merkle_range is;
	struct locator open;
	(void)state;
	filled_init(&filled, 500, 100);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	for (uint64_t n = 500; n < 600; n++) {
		struct str encoded;
		uint64_t leaf = 0;
		const struct record *record = fixture_record(&filled.fixture, n, &encoded);
		assert_int_equal(store_append(filled.store, record, encoded, &leaf, &filled.err),
				 0);
	}
	store_rollback(filled.store);
	assert_int_equal(tree_read_state(filled.store->catalog, &is, &open, &filled.err), 0);
	assert_int_equal(is.size, 500);
	filled_add(&filled, 500, 100);
	assert_int_equal(tree_read_state(filled.store->catalog, &is, &open, &filled.err), 0);
	assert_int_equal(is.size, 600);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_grows_over_starts),
		cmocka_unit_test(tiles_hold_nodes),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(rolled_back_is_as_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
