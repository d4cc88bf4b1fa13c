#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/head.h"
#include "tests/unit/store-filled.h"

static struct catalog *open_catalog(struct filled *filled)
{
	struct catalog *catalog = NULL;
	assert_int_equal(catalog_open(filled->fixture.dir, CATALOG_READ, &catalog, &filled->err),
			 0);
	return catalog;
}

static void last_batch(void **state)
{
	/* ERR_GONE in an empty head; else the row of the last commit with its counts and times */
	struct filled filled;
	struct head_batch batch;
	(void)state;
	filled_init(&filled, 0, 1);
	struct catalog *catalog = open_catalog(&filled);
	assert_int_equal(head_last(catalog, &batch, &filled.err), -ERR_GONE);
	catalog_close(catalog);
	filled_done(&filled);
	filled_init(&filled, 90, 40);
	catalog = open_catalog(&filled);
	assert_int_equal(head_last(catalog, &batch, &filled.err), 0);
	assert_int_equal(batch.batch, 3);
	assert_int_equal(batch.first_leaf, 80);
	assert_int_equal(batch.record_count, 10);
	uint64_t record_bytes = 0;
	for (uint64_t n = 80; n < 90; n++) {
		struct str encoded;
		(void)fixture_record(&filled.fixture, n, &encoded); /* only its size counts */
		record_bytes += encoded.len;
	}
	assert_int_equal(batch.record_bytes, record_bytes);
	assert_true(batch.min_time_ns < batch.max_time_ns);
	assert_true(batch.ingest_ns == FIXTURE_START_NS + 80);
	catalog_close(catalog);
	filled_done(&filled);
}

static void every_column_of_the_row_is_checked(void **state)
{
	/* any changed number in a head row is ERR_CORRUPT with the batch */
	static const char *const columns[] = {
		"first_leaf",  "record_count",  "min_time_ns", "max_time_ns", "ingest_ns",
		"kinds",       "record_bytes",  "segment",     "start",       "chunks_bytes",
		"chunk_count", "columns_bytes", "ids_bytes",   "index_crc",   "columns_crc",
		"ids_crc",     "crc",
	};
	struct head_batch batch;
	(void)state;
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		struct filled filled;
		char sql[128];
		filled_init(&filled, 40, 40);
		int len = snprintf(sql, sizeof sql, "UPDATE head SET %s = %s + 1", columns[i],
				   columns[i]);
		assert_true(len > 0 && (size_t)len < sizeof sql);
		filled_sql(&filled, sql);
		struct catalog *catalog = open_catalog(&filled);
		assert_int_equal(head_last(catalog, &batch, &filled.err), -ERR_CORRUPT);
		assert_non_null(strstr(filled.err.text, "batch 1"));
		catalog_close(catalog);
		filled_done(&filled);
	}
}

static void batch_of_a_leaf(void **state)
{
	/* every leaf leads to the batch that holds it; past the end it is ERR_GONE */
	struct filled filled;
	(void)state;
	filled_init(&filled, 300, 100);
	struct catalog *catalog = open_catalog(&filled);
	sqlite3_stmt *batch_at = NULL;
	struct head_batch batch;
	assert_int_equal(catalog_prepare(catalog, CATALOG_HEAD_AT, &batch_at, &filled.err), 0);
	for (uint64_t leaf = 0; leaf < 300; leaf++) {
		assert_int_equal(head_batch_of(catalog, batch_at, leaf, &batch, &filled.err), 0);
		assert_int_equal(batch.first_leaf, leaf / 100 * 100);
	}
	assert_int_equal(head_batch_of(catalog, batch_at, 300, &batch, &filled.err), -ERR_GONE);
	assert_int_equal(sqlite3_finalize(batch_at), SQLITE_OK);
	catalog_close(catalog);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_batch),
		cmocka_unit_test(every_column_of_the_row_is_checked),
		cmocka_unit_test(batch_of_a_leaf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
