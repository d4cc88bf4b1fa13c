#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/sections.h"
#include "tests/unit/head-damage.h"
#include "tests/unit/store-filled.h"

#define RECORDS 140
#define BATCH   70

/* The sections of the last batch of a store, and that batch. */
struct bench {
	struct filled filled;
	struct catalog *catalog;
	struct segments segments;
	struct sections sections;
	struct head_batch batch;
	struct error err;
};

static void bench_init(struct bench *bench, bool ids)
{
	memset(bench, 0, sizeof(*bench));
	filled_init(&bench->filled, RECORDS, BATCH);
	const char *dir = bench->filled.fixture.dir;
	assert_int_equal(catalog_open(dir, CATALOG_READ, &bench->catalog, &bench->err), 0);
	assert_int_equal(head_last(bench->catalog, &bench->batch, &bench->err), 0);
	assert_int_equal(bench->batch.record_count, BATCH);
	segments_init(&bench->segments, dir);
	sections_init(&bench->sections, &bench->segments, ids);
}

static void bench_done(struct bench *bench)
{
	sections_done(&bench->sections);
	segments_done(&bench->segments);
	catalog_close(bench->catalog);
	filled_done(&bench->filled);
}

static int go(struct bench *bench)
{
	return sections_go(&bench->sections, &bench->batch, &bench->err);
}

static void expect_corrupt(struct bench *bench, int rc)
{
	char batch[40];
	assert_int_equal(rc, -ERR_CORRUPT);
	(void)snprintf(batch, sizeof(batch), "batch %llu", (unsigned long long)bench->batch.batch);
	assert_non_null(strstr(bench->err.text, batch));
	assert_non_null(strstr(bench->err.text, bench->filled.fixture.dir));
}

static void kinds_are_those_of_the_rows(void **state)
{
	/* the kinds of a batch are those of its records, in order, and no more is read than the front and that section */
	uint8_t kinds[BATCH];
	struct buf scratch;
	struct bench bench;
	(void)state;
	bench_init(&bench, false);
	buf_init(&scratch, 1 << 20);
	assert_int_equal(go(&bench), 0);
	uint64_t front = bench.sections.bytes_read;
	assert_true(front > 0);
	assert_int_equal(sections_read_kinds(&bench.sections, &scratch, kinds, &bench.err), 0);
	assert_int_equal(bench.sections.bytes_read, front + scratch.len);
	assert_true(bench.sections.bytes_read < bench.sections.blob.len + COLUMNS_FRONT_BYTES);
	for (uint64_t i = 0; i < BATCH; i++) {
		struct str encoded;
		const struct record *record =
			fixture_record(&bench.filled.fixture, RECORDS - BATCH + i, &encoded);
		assert_int_equal(kinds[i], record->kind);
	}
	buf_done(&scratch);
	bench_done(&bench);
}

static void another_batchs_blob_is_refused(void **state)
{
	/* a blob of another number of rows, or with another checksum than the catalog says: ERR_CORRUPT, with file and batch; so for ids */
	(void)state;
	for (int ids = 0; ids < 2; ids++) {
		struct bench bench;
		bench_init(&bench, ids != 0);
		assert_int_equal(go(&bench), 0);
		bench.batch.record_count++;
		expect_corrupt(&bench, go(&bench));
		bench.batch.record_count--;
		if (ids != 0) {
			bench.batch.extent.columns_crc ^= 1; /* not the one that counts here */
			assert_int_equal(go(&bench), 0);
			bench.batch.extent.ids_crc ^= 1;
		} else {
			bench.batch.extent.ids_crc ^= 1;
			assert_int_equal(go(&bench), 0);
			bench.batch.extent.columns_crc ^= 1;
		}
		expect_corrupt(&bench, go(&bench));
		bench_done(&bench);
	}
}

static void kinds_must_be_there(void **state)
{
	/* the ids tell the kinds as well; a blob without that section: ERR_CORRUPT, with file and batch */
	uint8_t kinds[BATCH];
	struct buf scratch;
	struct bench bench;
	(void)state;
	bench_init(&bench, true);
	buf_init(&scratch, 1 << 20);
	assert_int_equal(go(&bench), 0);
	assert_int_equal(sections_read_kinds(&bench.sections, &scratch, kinds, &bench.err), 0);
	assert_int_equal(kinds[0], RECORD_REQUEST); /* record 70 of the world */
	bench.sections.directory.section_count = 0;
	expect_corrupt(&bench, sections_read_kinds(&bench.sections, &scratch, kinds, &bench.err));
	assert_non_null(strstr(bench.err.text, "do not tell the kinds"));
	buf_done(&scratch);
	bench_done(&bench);
}

static void damage_is_found(void **state)
{
	/* damaged bytes in a blob: ERR_CORRUPT, with file and batch; the other blob can still be read */
	(void)state;
	for (int ids = 0; ids < 2; ids++) {
		struct bench bench;
		bench_init(&bench, ids != 0);
		head_damage(bench.filled.fixture.dir, bench.batch.first_leaf,
			    ids != 0 ? HEAD_IDS : HEAD_COLUMNS);
		expect_corrupt(&bench, go(&bench));
		sections_done(&bench.sections);
		sections_init(&bench.sections, &bench.segments, ids == 0);
		assert_int_equal(go(&bench), 0);
		bench_done(&bench);
	}
}

static void missing_file_is_told(void **state)
{
	/* a segment that is gone: a failure with file and batch */
	struct bench bench;
	char path[128];
	(void)state;
	bench_init(&bench, false);
	head_segment_path(bench.filled.fixture.dir, extent_columns(&bench.batch).number, path);
	assert_int_equal(unlink(path), 0);
	assert_true(go(&bench) < 0);
	assert_non_null(strstr(bench.err.text, path));
	bench_done(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_those_of_the_rows),
		cmocka_unit_test(another_batchs_blob_is_refused),
		cmocka_unit_test(kinds_must_be_there),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(missing_file_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
