#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "store/log/tree.h"
#include "tests/unit/naive-tree.h"
#include "tests/unit/store-filled.h"

#define LEAVES_MAX 65538

/* A catalog with a log of its own, and the leaves that stand in it. */
struct bench {
	struct filled filled; /* its store stays closed */
	struct catalog *catalog;
	struct tree *tree;
	struct merkle_hash *leaves;
	struct error err;
};

static int put_new(struct bench *bench)
{
	assert_int_equal(catalog_run(bench->catalog, CATALOG_BEGIN_WRITE, &bench->err), 0);
	assert_int_equal(tree_create(bench->catalog, &bench->err), 0);
	return catalog_run(bench->catalog, CATALOG_COMMIT, &bench->err);
}

static void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof *bench);
	fixture_init(&bench->filled.fixture);
	bench->leaves = calloc(LEAVES_MAX, sizeof bench->leaves[0]);
	assert_non_null(bench->leaves);
	for (uint64_t i = 0; i < LEAVES_MAX; i++) {
		bench->leaves[i] = naive_leaf(i);
	}
	assert_int_equal(catalog_open(bench->filled.fixture.dir, CATALOG_CREATE, &bench->catalog,
				      &bench->err),
			 0);
	assert_int_equal(put_new(bench), 0);
	assert_int_equal(tree_load(bench->catalog, &bench->tree, &bench->err), 0);
}

static void bench_done(struct bench *bench)
{
	tree_free(bench->tree);
	catalog_close(bench->catalog);
	free(bench->leaves);
	fixture_done(&bench->filled.fixture);
}

static uint64_t size_of(const struct bench *bench)
{
	return tree_range(bench->tree)->size;
}

/* Adds leaves up to size and saves them, in one transaction that `last` ends. */
static void grow(struct bench *bench, uint64_t size, enum catalog_statement last)
{
	assert_int_equal(catalog_run(bench->catalog, CATALOG_BEGIN_WRITE, &bench->err), 0);
	while (size_of(bench) < size) {
		assert_int_equal(tree_add(bench->tree, &bench->leaves[size_of(bench)]), 0);
	}
	assert_int_equal(tree_save(bench->tree, bench->catalog, &bench->err), 0);
	assert_int_equal(catalog_run(bench->catalog, last, &bench->err), 0);
}

static int reload(struct bench *bench)
{
	tree_free(bench->tree);
	bench->tree = NULL;
	return tree_load(bench->catalog, &bench->tree, &bench->err);
}

/* Size and root are those of the definition. */
static void check_head(struct bench *bench, uint64_t size)
{
	struct merkle_head head;
	tree_head(bench->tree, &head);
	assert_int_equal(head.size, size);
	if (size > 0) {
		struct merkle_hash expected = naive_root(bench->leaves, (size_t)size);
		assert_true(merkle_equal(&head.root, &expected));
	}
}

static struct locator locate(const struct bench *bench, uint64_t first, uint64_t end)
{
	struct locator locator = {{0}};
	for (uint64_t leaf = first; leaf < end; leaf++) {
		locator_add(&locator, &bench->leaves[leaf]);
	}
	return locator;
}

/* Tiles of level 1 hold what their groups give, and none more; those of level 2 what those of level 1 give. */
static void check_tiles(struct bench *bench, uint64_t size)
{
	struct tree_tile tile;
	struct merkle_range range;
	struct locator open;
	uint64_t groups = size / LOCATOR_GROUP;
	for (uint64_t n = 0; n * TREE_TILE < groups; n++) {
		uint64_t count = groups - n * TREE_TILE;
		assert_int_equal(tree_read_tile(bench->catalog, 1, n, &tile, &bench->err), 0);
		assert_int_equal(tile.count, count < TREE_TILE ? count : TREE_TILE);
		for (size_t i = 0; i < tile.count; i += 1 + i / 8) {
			uint64_t first = (n * TREE_TILE + i) * LOCATOR_GROUP;
			struct merkle_hash expected =
				naive_root(bench->leaves + first, LOCATOR_GROUP);
			struct locator locator = locate(bench, first, first + LOCATOR_GROUP);
			uint8_t bytes[LOCATOR_BYTES];
			locator_put(&locator, bytes);
			assert_true(merkle_equal(&tile.hashes[i], &expected));
			assert_memory_equal(tile.locators[i], bytes, sizeof bytes);
		}
	}
	uint64_t behind = (groups + TREE_TILE - 1) / TREE_TILE;
	assert_int_equal(tree_read_tile(bench->catalog, 1, behind, &tile, &bench->err), -ERR_GONE);
	int rc = tree_read_tile(bench->catalog, 2, 0, &tile, &bench->err);
	assert_int_equal(rc, groups >= TREE_TILE ? 0 : -ERR_GONE);
	if (rc == 0) {
		struct merkle_hash expected = naive_root(bench->leaves, TREE_TILE * TREE_TILE);
		assert_true(tile.count == 1 && merkle_equal(&tile.hashes[0], &expected));
	}
	assert_int_equal(tree_read_state(bench->catalog, &range, &open, &bench->err), 0);
	struct locator expected = locate(bench, groups * LOCATOR_GROUP, size);
	assert_int_equal(range.size, size);
	assert_memory_equal(&open, &expected, sizeof open);
}

static void known_answers(void **state)
{
	/* roots that Python's hashlib gives for the same leaves */
	const struct {
		uint64_t size;
		const char *root;
	} answers[] = {
		{0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{1, "3e7077fd2f66d689e0cee6a7cf5b37bf2dca7c979af356d0a31cbc5c85605c7d"},
		{255, "a330188d222b358176cc4d997db8abbc209e9688d89c151b0910fd8e312fed95"},
		{256, "c222fe277b78757c38dbf67e895e994b6c2cbd00340e99e3a5a65508ab2cad55"},
		{257, "560be157513ca708077e0324f486f9b6c99d950b662fc9af9ade92dedf96499f"},
		{65537, "b9bb14355e815be874f4ecae8d2d319ef0745fa4ab480558734c86bc570e21f4"},
	};
	struct bench bench;
	(void)state;
	bench_init(&bench);
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct merkle_head head;
		uint8_t expected[DIGEST_BYTES];
		grow(&bench, answers[i].size, CATALOG_COMMIT);
		naive_hex(answers[i].root, expected, sizeof expected);
		tree_head(bench.tree, &head);
		assert_memory_equal(head.root.bytes, expected, sizeof expected);
	}
	bench_done(&bench);
}

static void it_is_the_tree_of_the_definition(void **state)
{
	/* grown by steps of any size, read again between them or not: head, tiles, locators and state are what the definition gives */
	const uint64_t edges[] = {1, 255, 256, 257, 511, 512, 65535, 65536, 65537};
	(void)state;
	for (uint64_t seed = 0; seed < 2; seed++) {
		struct bench bench;
		size_t edge = 0;
		bench_init(&bench);
		for (uint64_t step = 0; edge < sizeof edges / sizeof edges[0]; step++) {
			uint64_t room = size_of(&bench) < 2000 ? 300 : 30000;
			uint64_t size = size_of(&bench) + 1 + hash_u64(seed * 1000 + step) % room;
			if (seed == 0 || size >= edges[edge]) {
				size = edges[edge++];
			}
			grow(&bench, size, CATALOG_COMMIT);
			check_head(&bench, size);
			check_tiles(&bench, size);
			if (step % 2 == 0) {
				assert_int_equal(reload(&bench), 0);
				check_head(&bench, size);
			}
		}
		bench_done(&bench);
	}
}

static void a_rollback_leaves_it_as_it_was(void **state)
{
	/* leaves that were added and saved, but not committed, are gone after loading again; growing goes on from there */
	const uint64_t sizes[] = {100, 256, 300, 511, 512, 700};
	struct bench bench;
	(void)state;
	bench_init(&bench);
	for (size_t i = 0; i + 1 < sizeof sizes / sizeof sizes[0]; i++) {
		grow(&bench, sizes[i], CATALOG_COMMIT);
		grow(&bench, sizes[i + 1] + 300, CATALOG_ROLLBACK);
		assert_int_equal(reload(&bench), 0);
		check_head(&bench, sizes[i]);
		check_tiles(&bench, sizes[i]);
	}
	bench_done(&bench);
}

/* Damages the catalog behind its back; then loading or reading the tile says ERR_CORRUPT. */
static void expect_damage(const char *sql, bool tile_only)
{
	struct bench bench;
	struct tree_tile tile;
	bench_init(&bench);
	grow(&bench, 65537, CATALOG_COMMIT);
	grow(&bench, 65537 + 1, CATALOG_COMMIT);
	filled_sql(&bench.filled, sql);
	if (tile_only) {
		assert_int_equal(tree_read_tile(bench.catalog, 1, 0, &tile, &bench.err),
				 -ERR_CORRUPT);
	} else {
		assert_int_equal(reload(&bench), -ERR_CORRUPT);
		assert_null(bench.tree);
	}
	assert_non_null(strstr(bench.err.text, "catalog.db"));
	bench_done(&bench);
}

static void damage_is_told(void **state)
{
	/* a changed, cut, emptied or moved tile, a missing one, a state that is missing, damaged, cut or of another size: ERR_CORRUPT, with the file */
	(void)state;
	expect_damage("UPDATE tiles SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE tile "
		      ">> 48 = 1",
		      true);
	expect_damage("UPDATE tiles SET bytes = substr(bytes, 1, 400) WHERE tile >> 48 = 1", true);
	expect_damage("UPDATE tiles SET bytes = x'' WHERE tile >> 48 = 1", true);
	expect_damage("UPDATE tiles SET crc = crc + 1 WHERE tile >> 48 = 1", true);
	expect_damage("UPDATE tiles SET bytes = (SELECT CAST(bytes || bytes AS BLOB) FROM tiles "
		      "WHERE tile >> 48 = 1) WHERE tile >> 48 = 1",
		      true);
	expect_damage("DELETE FROM tiles WHERE tile >> 48 = 2", false);
	expect_damage("UPDATE tiles SET crc = 0 WHERE tile >> 48 = 2", false);
	expect_damage("DELETE FROM meta WHERE key = 'log.state'", false);
	expect_damage("UPDATE meta SET value = x'00' WHERE key = 'log.state'", false);
	expect_damage("UPDATE meta SET value = x'' WHERE key = 'log.state'", false);
	expect_damage(
		"UPDATE meta SET value = CAST(value || x'00' AS BLOB) WHERE key = 'log.state'",
		false);
}

static void the_state_must_fit_the_tiles(void **state)
{
	/* a state of before with tiles of now, as a careless restore leaves them: ERR_CORRUPT */
	struct bench bench;
	struct buf state_then;
	(void)state;
	bench_init(&bench);
	buf_init(&state_then, 0);
	grow(&bench, 600, CATALOG_COMMIT);
	assert_int_equal(catalog_meta_get(bench.catalog, "log.state", &state_then, &bench.err), 0);
	grow(&bench, 1100, CATALOG_COMMIT);
	assert_int_equal(
		catalog_meta_put(bench.catalog, "log.state", buf_str(&state_then), &bench.err), 0);
	assert_int_equal(reload(&bench), -ERR_CORRUPT);
	buf_done(&state_then);
	bench_done(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(it_is_the_tree_of_the_definition),
		cmocka_unit_test(a_rollback_leaves_it_as_it_was),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(the_state_must_fit_the_tiles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
