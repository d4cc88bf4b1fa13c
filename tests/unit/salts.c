#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "store/handle.h"
#include "tests/unit/store-filled.h"

#include <string.h>

#define LEAVES 600

static struct salts *load(struct filled *filled)
{
	struct salts *salts = NULL;
	assert_int_equal(salts_load(filled->store->catalog, &salts, &filled->err), 0);
	return salts;
}

/* The salt by the definition, from the root. */
static void naive(struct log_salt seed, uint64_t leaf, struct log_salt *out)
{
	for (unsigned height = SALTS_HEIGHT; height-- > 0;) {
		char bit = (char)(leaf >> height & 1);
		const struct str parts[] = {str_make((const char *)seed.bytes, DIGEST_BYTES),
					    str_make(&bit, 1)};
		digest_sha256_parts(parts, 2, seed.bytes);
	}
	*out = seed;
}

static struct log_salt root_of(struct filled *filled)
{
	struct log_salt root;
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(filled->store->catalog->db, "SELECT seed FROM seeds",
					    -1, &statement, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_bytes(statement, 0), DIGEST_BYTES);
	memcpy(root.bytes, sqlite3_column_blob(statement, 0), DIGEST_BYTES);
	(void)sqlite3_finalize(statement); /* only read */
	return root;
}

static void forget(struct filled *filled, struct salts *salts, const struct leafset *set)
{
	struct catalog *catalog = filled->store->catalog;
	assert_int_equal(catalog_run(catalog, CATALOG_BEGIN_WRITE, &filled->err), 0);
	assert_int_equal(salts_forget(salts, catalog, set, &filled->err), 0);
	assert_int_equal(catalog_run(catalog, CATALOG_COMMIT, &filled->err), 0);
}

static void salts_follow_from_the_root(void **state)
{
	/* in order, out of order and far out, each salt is the one of the definition; two stores have different ones */
	struct filled one, other;
	struct log_salt expected, is;
	(void)state;
	filled_init(&one, 3, 3);
	filled_init(&other, 3, 3);
	struct log_salt root = root_of(&one);
	struct salts *salts = load(&one);
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t leaf = i % 3 != 2 ? i : hash_u64(i) >> (64 - SALTS_HEIGHT);
		naive(root, leaf, &expected);
		assert_int_equal(salts_get(salts, leaf, &is), 0);
		assert_memory_equal(&is, &expected, sizeof is);
	}
	struct log_salt second = root_of(&other);
	assert_memory_not_equal(&root, &second, sizeof root);
	salts_free(salts);
	filled_done(&one);
	filled_done(&other);
}

static void what_is_forgotten_is_gone(void **state)
{
	/* random sets are forgotten one after another: those are gone, all others as before, in memory and after a new start; no seed that is left leads to one that is gone */
	struct filled filled;
	(void)state;
	filled_init(&filled, 3, 3);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	struct log_salt root = root_of(&filled);
	struct salts *salts = load(&filled);
	bool gone[LEAVES] = {false};
	for (uint64_t round = 0; round < 6; round++) {
		struct leafset set;
		leafset_init(&set);
		for (uint64_t i = 0; i < 25; i++) {
			uint64_t first = hash_u64(round * 100 + i) % LEAVES;
			uint64_t last = first + i % 5 < LEAVES ? first + i % 5 : first;
			assert_int_equal(leafset_add(&set, first, last, &filled.err), 0);
			for (uint64_t leaf = first; leaf <= last; leaf++) {
				gone[leaf] = true;
			}
		}
		leafset_settle(&set);
		forget(&filled, salts, &set);
		leafset_done(&set);
		struct salts *again = load(&filled);
		for (uint64_t leaf = 0; leaf < LEAVES; leaf++) {
			struct log_salt expected, is, loaded;
			naive(root, leaf, &expected);
			assert_int_equal(salts_get(salts, leaf, &is), gone[leaf] ? -ERR_GONE : 0);
			assert_int_equal(salts_get(again, leaf, &loaded),
					 gone[leaf] ? -ERR_GONE : 0);
			assert_true(gone[leaf] || (memcmp(&is, &expected, sizeof is) == 0 &&
						   memcmp(&loaded, &expected, sizeof is) == 0));
		}
		salts_free(again);
	}
	salts_free(salts);
	filled_done(&filled);
}

static void damage_is_told(void **state)
{
	/* no seeds, two over one leaf, and one of another length are ERR_CORRUPT */
	static const char *const wrong[] = {
		"INSERT INTO seeds VALUES (3, 1, zeroblob(32))",
		"DELETE FROM seeds",
		"INSERT INTO seeds VALUES (48, 0, zeroblob(31))",
		"DELETE FROM seeds; INSERT INTO seeds VALUES (49, 0, zeroblob(32))",
		"DELETE FROM seeds; INSERT INTO seeds VALUES (40, 256, zeroblob(32))",
	};
	struct filled filled;
	(void)state;
	filled_init(&filled, 3, 3);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct salts *salts = NULL;
		filled_sql(&filled, wrong[i]);
		assert_int_equal(salts_load(filled.store->catalog, &salts, &filled.err),
				 -ERR_CORRUPT);
	}
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(salts_follow_from_the_root),
		cmocka_unit_test(what_is_forgotten_is_gone),
		cmocka_unit_test(damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
