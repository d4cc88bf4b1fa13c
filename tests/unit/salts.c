#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "store/log/salts.h"
#include "tests/unit/naive-tree.h"
#include "tests/unit/store-filled.h"

#define ALL (UINT64_C(1) << SALTS_HEIGHT)

/* A catalog whose root seed is 00 01 .. 1f. */
struct bench {
	struct filled filled; /* its store stays closed */
	struct catalog *catalog;
	struct salts *salts;
	struct error err;
};

static void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof *bench);
	fixture_init(&bench->filled.fixture);
	assert_int_equal(catalog_open(bench->filled.fixture.dir, CATALOG_CREATE, &bench->catalog,
				      &bench->err),
			 0);
	filled_sql(&bench->filled, "INSERT INTO seeds VALUES (48, 0, x'000102030405060708090a0b0c0d"
				   "0e0f101112131415161718191a1b1c1d1e1f')");
	assert_int_equal(salts_load(bench->catalog, &bench->salts, &bench->err), 0);
}

static void bench_done(struct bench *bench)
{
	salts_free(bench->salts);
	catalog_close(bench->catalog);
	fixture_done(&bench->filled.fixture);
}

static int reload(struct bench *bench)
{
	salts_free(bench->salts);
	bench->salts = NULL;
	return salts_load(bench->catalog, &bench->salts, &bench->err);
}

/* The salt by its definition, from the root. */
static struct log_salt naive_salt(uint64_t leaf)
{
	char seed[DIGEST_BYTES + 1];
	struct log_salt salt;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		seed[i] = (char)i;
	}
	for (unsigned height = SALTS_HEIGHT; height > 0; height--) {
		seed[DIGEST_BYTES] = (char)(leaf >> (height - 1) & 1);
		digest_sha256(str_make(seed, sizeof seed), salt.bytes);
		memcpy(seed, salt.bytes, DIGEST_BYTES);
	}
	return salt;
}

static void check_salt(struct bench *bench, uint64_t leaf, bool forgotten)
{
	struct log_salt salt;
	int rc = salts_get(bench->salts, leaf, &salt);
	assert_int_equal(rc, forgotten ? -ERR_GONE : 0);
	if (!forgotten) {
		struct log_salt expected = naive_salt(leaf);
		assert_memory_equal(salt.bytes, expected.bytes, sizeof salt.bytes);
	}
}

static void forget(struct bench *bench, const struct leafset *leaves, enum catalog_statement last)
{
	assert_int_equal(catalog_run(bench->catalog, CATALOG_BEGIN_WRITE, &bench->err), 0);
	assert_int_equal(salts_forget(bench->salts, bench->catalog, leaves, &bench->err), 0);
	assert_int_equal(catalog_run(bench->catalog, last, &bench->err), 0);
}

static int64_t ask(struct bench *bench, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(bench->catalog->db, sql, -1, &statement, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t answer = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement); /* only read */
	return answer;
}

static void known_answers(void **state)
{
	/* salts that Python's hashlib gives for the same root, in any order of asking */
	const struct {
		uint64_t leaf;
		const char *salt;
	} answers[] = {
		{5, "bd0189dbba02875af340929b0aee59bc090362b5ec0e9b151f8b23c2461a1218"},
		{(UINT64_C(1) << 40) + 3,
		 "d422e1bb413d3d44ffa75e8b0e1d209e3a21c5b976db56498754aa26278c5b7f"},
		{0, "c3c75255ed391c7f31dae4432e7c76dc8bf22fad81cf1e3f6d0a272451a6a994"},
		{ALL - 1, "1ec0e30624443fc12775ea2b58a3fe062b1b7a7ce5f01e6955aa7bc10ff6e28a"},
		{1, "e8b33c2e238da40072a893b8716a1c8c734c54e9c806664c5ca48fa01eef67ba"},
	};
	struct bench bench;
	(void)state;
	bench_init(&bench);
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct log_salt salt;
		uint8_t expected[DIGEST_BYTES];
		naive_hex(answers[i].salt, expected, sizeof expected);
		assert_int_equal(salts_get(bench.salts, answers[i].leaf, &salt), 0);
		assert_memory_equal(salt.bytes, expected, sizeof expected);
	}
	assert_int_equal(salts_get(bench.salts, ALL, &(struct log_salt){{0}}), -ERR_GONE);
	bench_done(&bench);
}

static void every_store_has_its_own(void **state)
{
	/* two new roots differ */
	struct log_salt salts[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bench bench;
		bench_init(&bench);
		filled_sql(&bench.filled, "DELETE FROM seeds");
		assert_int_equal(salts_create(bench.catalog, &bench.err), 0);
		assert_int_equal(reload(&bench), 0);
		assert_int_equal(salts_get(bench.salts, 0, &salts[i]), 0);
		bench_done(&bench);
	}
	assert_memory_not_equal(&salts[0], &salts[1], sizeof salts[0]);
}

/* No seed in the catalog stands above a forgotten leaf, so none leads to its salt. */
static void check_rows(struct bench *bench, const struct leafset *forgotten)
{
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(bench->catalog->db, "SELECT height, number FROM seeds",
					    -1, &statement, NULL),
			 SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		int height = sqlite3_column_int(statement, 0);
		uint64_t number = (uint64_t)sqlite3_column_int64(statement, 1);
		assert_false(
			leafset_meets(forgotten, number << height, ((number + 1) << height) - 1));
	}
	(void)sqlite3_finalize(statement); /* only read */
}

static void what_is_forgotten_is_gone(void **state)
{
	/* sets by chance, alone and in runs, some forgotten before: their salts are gone, in memory and after a new start, all others are as they were */
	(void)state;
	for (uint64_t seed = 0; seed < 6; seed++) {
		struct bench bench;
		struct leafset all, some;
		uint64_t span = UINT64_C(1) << (8 + 7 * seed);
		bench_init(&bench);
		leafset_init(&all);
		leafset_init(&some);
		for (uint64_t step = 0; step < 5; step++) {
			leafset_clear(&some);
			for (uint64_t i = 0; i < 12; i++) {
				uint64_t dice = hash_u64(seed * 1000 + step * 100 + i);
				uint64_t first = dice % span;
				uint64_t last = first + (i % 3 == 0 ? dice >> 58 : 0);
				assert_int_equal(leafset_add(&some, first, last, &bench.err), 0);
			}
			leafset_settle(&some);
			assert_int_equal(leafset_unite(&all, &some, &bench.err), 0);
			forget(&bench, &some, CATALOG_COMMIT);
			if (step % 2 == 0) {
				assert_int_equal(reload(&bench), 0);
			}
			check_rows(&bench, &all);
			for (size_t i = 0; i < all.run_count; i++) {
				uint64_t first = all.runs[i].first;
				uint64_t last = all.runs[i].last;
				check_salt(&bench, first, true);
				check_salt(&bench, last, true);
				check_salt(&bench, last + 1, false);
				check_salt(&bench, first + span, leafset_has(&all, first + span));
			}
		}
		leafset_done(&all);
		leafset_done(&some);
		bench_done(&bench);
	}
}

static void a_rollback_forgets_nothing(void **state)
{
	/* after loading again all salts are there */
	struct bench bench;
	struct leafset leaves;
	(void)state;
	bench_init(&bench);
	leafset_init(&leaves);
	assert_int_equal(leafset_add(&leaves, 3, 9, &bench.err), 0);
	leafset_settle(&leaves);
	forget(&bench, &leaves, CATALOG_ROLLBACK);
	check_salt(&bench, 5, true);
	assert_int_equal(reload(&bench), 0);
	check_salt(&bench, 5, false);
	assert_int_equal(ask(&bench, "SELECT count(*) FROM seeds"), 1);
	leafset_done(&leaves);
	bench_done(&bench);
}

static void few_seeds_are_left(void **state)
{
	/* a run of leaves costs at most two seeds a height; scattered ones at most the height each; a long run is no work */
	struct bench bench;
	struct leafset leaves;
	(void)state;
	bench_init(&bench);
	leafset_init(&leaves);
	assert_int_equal(leafset_add(&leaves, 12345, (UINT64_C(1) << 46) + 7, &bench.err), 0);
	leafset_settle(&leaves);
	forget(&bench, &leaves, CATALOG_COMMIT);
	assert_true(ask(&bench, "SELECT count(*) FROM seeds") <= 2 * SALTS_HEIGHT);
	check_salt(&bench, 12344, false);
	check_salt(&bench, 12345, true);
	check_salt(&bench, (UINT64_C(1) << 46) + 8, false);
	leafset_clear(&leaves);
	uint64_t base = UINT64_C(1) << 47;
	for (uint64_t i = 0; i < 5000; i++) {
		uint64_t leaf = base + hash_u64(i) % 1000000;
		assert_int_equal(leafset_add(&leaves, leaf, leaf, &bench.err), 0);
	}
	leafset_settle(&leaves);
	forget(&bench, &leaves, CATALOG_COMMIT);
	assert_true(ask(&bench, "SELECT count(*) FROM seeds") < 5000 * 12);
	check_rows(&bench, &leaves);
	leafset_done(&leaves);
	bench_done(&bench);
}

static void expect_damage(const char *sql)
{
	struct bench bench;
	bench_init(&bench);
	filled_sql(&bench.filled, sql);
	assert_int_equal(reload(&bench), -ERR_CORRUPT);
	assert_null(bench.salts);
	assert_non_null(strstr(bench.err.text, "catalog.db"));
	bench_done(&bench);
}

static void damage_is_told(void **state)
{
	/* no seed at all, one that is cut, one of a height or number that can't be, two over the same leaf: ERR_CORRUPT */
	(void)state;
	expect_damage("DELETE FROM seeds");
	expect_damage("UPDATE seeds SET seed = substr(seed, 2)");
	expect_damage("UPDATE seeds SET height = 49");
	expect_damage("UPDATE seeds SET height = -1");
	expect_damage("UPDATE seeds SET number = 1");
	expect_damage("UPDATE seeds SET number = -1");
	expect_damage("INSERT INTO seeds SELECT 0, 77, seed FROM seeds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(every_store_has_its_own),
		cmocka_unit_test(what_is_forgotten_is_gone),
		cmocka_unit_test(a_rollback_forgets_nothing),
		cmocka_unit_test(few_seeds_are_left),
		cmocka_unit_test(damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
