#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/head-damage.h"
#include "tests/unit/store-filled.h"

static void any_order(void **state)
{
	/* records by leaf, rising and jumping, with the ingest time of their batch */
	struct filled filled;
	struct scan_fetch *fetch = NULL;
	struct record record;
	struct str encoded;
	int64_t ingest_ns = 0;
	uint64_t leaf = 0;
	(void)state;
	filled_init(&filled, 1000, 300);
	assert_int_equal(scan_fetch_open(filled.store, &fetch, &filled.err), 0);
	for (uint64_t i = 0; i < 3000; i++) {
		leaf = i < 1000 ? i : hash_u64(i) % 1000;
		const struct record *expected = fixture_record(&filled.fixture, leaf, &encoded);
		assert_int_equal(scan_fetch_record(fetch, leaf, &record, &ingest_ns, &filled.err),
				 0);
		assert_true(str_equal(record.key, expected->key));
		assert_true(ingest_ns == FIXTURE_START_NS + (int64_t)(leaf / 300 * 300));
	}
	assert_int_equal(scan_fetch_record(fetch, 1000, &record, &ingest_ns, &filled.err),
			 -ERR_CORRUPT);
	assert_int_equal(scan_fetch_record(fetch, UINT64_MAX, &record, &ingest_ns, &filled.err),
			 -ERR_CORRUPT);
	scan_fetch_close(fetch);
	filled_done(&filled);
}

static void damage_is_named(void **state)
{
	/* a changed chunk, chunk index or batch row is ERR_CORRUPT with file and leaf for its records, not for others */
	static const struct {
		const char *sql; /* NULL: the part in the segment */
		enum head_part part;
		const char *file;
	} damages[] = {
		{NULL, HEAD_CHUNK, "head/000001.qth"},
		{NULL, HEAD_INDEX, "head/000001.qth"},
		{"UPDATE head SET record_count = record_count - 1 WHERE batch = 2", 0,
		 "catalog.db"},
		{"UPDATE head SET segment = 7 WHERE batch = 2", 0, "catalog.db"},
		{"DELETE FROM head WHERE batch = 2", 0, "catalog.db"},
	};
	struct record record;
	int64_t ingest_ns = 0;
	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		struct filled filled;
		struct scan_fetch *fetch = NULL;
		filled_init(&filled, 900, 300);
		if (damages[i].sql != NULL) {
			filled_sql(&filled, damages[i].sql);
		} else {
			head_damage(filled.fixture.dir, 300, damages[i].part);
		}
		assert_int_equal(scan_fetch_open(filled.store, &fetch, &filled.err), 0);
		assert_int_equal(scan_fetch_record(fetch, 300, &record, &ingest_ns, &filled.err),
				 -ERR_CORRUPT);
		assert_non_null(strstr(filled.err.text, damages[i].file));
		assert_int_equal(scan_fetch_record(fetch, 299, &record, &ingest_ns, &filled.err),
				 0);
		assert_int_equal(scan_fetch_record(fetch, 600, &record, &ingest_ns, &filled.err),
				 0);
		scan_fetch_close(fetch);
		filled_done(&filled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),
		cmocka_unit_test(damage_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
