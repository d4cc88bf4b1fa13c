#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/scan.h"
#include "tests/unit/head-damage.h"
#include "tests/unit/store-filled.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct scan_options everything = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};

static struct scan *open_scan(struct filled *filled, const struct scan_options *options)
{
	struct scan *scan = NULL;
	assert_int_equal(scan_open(filled->store, options, &scan, &filled->err), 0);
	return scan;
}

static void check_text(struct filled *filled, const struct scan_block *block, enum field field)
{
	struct scan_codes codes;
	struct str encoded;
	assert_int_equal(scan_text_column(block, field, &codes, &filled->err), 0);
	for (size_t row = 0; row < scan_row_count(block); row++) {
		const struct record *record =
			fixture_record(&filled->fixture, scan_leaves(block)[row], &encoded);
		if (!record_has(record, field)) {
			assert_int_equal(codes.code[row], SCAN_ABSENT);
			continue;
		}
		assert_true(codes.code[row] < codes.dict_count);
		assert_true(str_equal(codes.dict[codes.code[row]], record->value[field].text));
	}
}

static void check_number(struct filled *filled, const struct scan_block *block, enum field field)
{
	const int64_t *values = NULL;
	struct str encoded;
	assert_int_equal(scan_number_column(block, field, &values, &filled->err), 0);
	for (size_t row = 0; row < scan_row_count(block); row++) {
		const struct record *record =
			fixture_record(&filled->fixture, scan_leaves(block)[row], &encoded);
		assert_true(values[row] == record_number(record, field, INT64_MIN));
	}
}

static void every_field_of_every_row(void **state)
{
	/* all fields, kept apart or read from records, read as they were stored, in all blocks */
	struct filled filled;
	const struct scan_block *block = NULL;
	struct record record;
	struct str encoded;
	uint64_t rows = 0;
	(void)state;
	filled_init(&filled, 900, 400);
	struct scan *scan = open_scan(&filled, &everything);
	int rc = scan_next(scan, &block, &filled.err);
	for (; rc == 0; rc = scan_next(scan, &block, &filled.err)) {
		int64_t ingest_ns = 0;
		assert_int_equal(scan_leaves(block)[0], rows);
		assert_int_equal(scan_ingest_ns(block, 0, &ingest_ns, &filled.err), 0);
		assert_true(ingest_ns == FIXTURE_START_NS + (int64_t)rows);
		for (unsigned field = 1; field < FIELD_LIMIT; field++) {
			enum field_type type = field_info(field)->type;
			if (field_info(field)->name == NULL) {
				continue;
			}
			if (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES) {
				check_text(&filled, block, (enum field)field);
			} else {
				check_number(&filled, block, (enum field)field);
			}
		}
		struct scan_codes sources;
		assert_int_equal(scan_source_column(block, &sources, &filled.err), 0);
		for (size_t row = 0; row < scan_row_count(block); row++, rows++) {
			const struct record *expected =
				fixture_record(&filled.fixture, rows, &encoded);
			assert_int_equal(scan_record(block, row, &record, &filled.err), 0);
			assert_true(str_equal(record.key, expected->key));
			assert_int_equal(scan_kinds(block)[row], expected->kind);
			assert_true(scan_times(block)[row] == expected->time_ns);
			assert_true(str_equal(sources.dict[sources.code[row]], expected->source));
		}
	}
	assert_int_equal(rc, -ERR_GONE);
	assert_int_equal(rows, 900);
	assert_int_equal(scan_next(scan, &block, &filled.err), -ERR_GONE);
	assert_int_equal(scan_stats(scan).rows, 900);
	assert_int_equal(scan_stats(scan).blocks, 3);
	scan_close(scan);
	filled_done(&filled);
}

static size_t count_blocks(struct filled *filled, const struct scan_options *options,
			   struct scan_stats *out_stats)
{
	const struct scan_block *block = NULL;
	struct scan *scan = open_scan(filled, options);
	size_t count = 0;
	while (scan_next(scan, &block, &filled->err) == 0) {
		count++;
	}
	*out_stats = scan_stats(scan);
	scan_close(scan);
	return count;
}

static void blocks_are_skipped(void **state)
{
	/* by time, half-open, and by kind; the count of skipped ones is told */
	struct filled filled;
	struct scan_stats stats;
	(void)state;
	filled_init(&filled, 1000, 100); /* 1 ms a record */
	struct scan_options options = everything;
	options.from_ns = FIXTURE_START_NS + 100 * 1000000;
	options.to_ns = FIXTURE_START_NS + 200 * 1000000;
	assert_int_equal(count_blocks(&filled, &options, &stats), 1);
	assert_int_equal(stats.blocks_skipped, 9);
	options.to_ns++;
	assert_int_equal(count_blocks(&filled, &options, &stats), 2);
	options = everything;
	options.kinds = 1u << RECORD_GAP;
	assert_int_equal(count_blocks(&filled, &options, &stats), 0);
	assert_int_equal(stats.blocks_skipped, 10);
	assert_int_equal(stats.rows, 0);
	options.kinds |= 1u << RECORD_VERDICT;
	assert_int_equal(count_blocks(&filled, &options, &stats), 10);
	filled_done(&filled);
}

static void writer_scans_beside_its_transaction(void **state)
{
	/* a scan of the writer sees what was committed before it, neither the open transaction nor later commits */
	struct filled filled = {0};
	const struct scan_block *block = NULL;
	struct scan_stats stats;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 100);
	struct scan *scan = open_scan(&filled, &everything);
	filled_add(&filled, 100, 100);
	assert_int_equal(scan_next(scan, &block, &filled.err), 0);
	assert_int_equal(scan_next(scan, &block, &filled.err), -ERR_GONE);
	scan_close(scan);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	assert_int_equal(count_blocks(&filled, &everything, &stats), 2);
	store_rollback(filled.store);
	filled_done(&filled);
}

static void empty_store_has_an_end(void **state)
{
	/* no records: the first block is ERR_GONE */
	struct filled filled;
	struct scan_stats stats;
	(void)state;
	filled_init(&filled, 0, 1);
	assert_int_equal(count_blocks(&filled, &everything, &stats), 0);
	assert_int_equal(stats.blocks, 0);
	filled_done(&filled);
}

struct outcome {
	size_t good, corrupt, rows;
};

/* Scans everything, reading each column of each block that opens. */
static struct outcome scan_damaged(struct filled *filled)
{
	struct outcome outcome = {0};
	const struct scan_block *block = NULL;
	struct scan *scan = open_scan(filled, &everything);
	int rc = 0;
	do {
		rc = scan_next(scan, &block, &filled->err);
		assert_true(rc == 0 || rc == -ERR_CORRUPT || rc == -ERR_GONE);
		outcome.good += rc == 0 ? 1 : 0;
		outcome.rows += rc == 0 ? scan_row_count(block) : 0;
		outcome.corrupt += rc == -ERR_CORRUPT ? 1 : 0;
		assert_true(outcome.good + outcome.corrupt < 100);
	} while (rc != -ERR_GONE);
	assert_int_equal(scan_stats(scan).blocks_damaged, outcome.corrupt);
	scan_close(scan);
	return outcome;
}

static void damage_is_contained(void **state)
{
	/* one damaged or missing part costs its block, is named, and the other blocks are read */
	static const char *const damages[] = {
		NULL, /* the columns in the segment */
		"UPDATE head SET ingest_ns = ingest_ns + 1 WHERE batch = 3",
		"UPDATE head SET kinds = 1 WHERE batch = 3",
		"DELETE FROM head WHERE batch = 3",
		"DELETE FROM head WHERE batch = 5",
	};
	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		struct filled filled;
		filled_init(&filled, 500, 100);
		if (damages[i] != NULL) {
			filled_sql(&filled, damages[i]);
		} else {
			head_damage(filled.fixture.dir, 200, HEAD_COLUMNS);
		}
		struct outcome outcome = scan_damaged(&filled);
		assert_int_equal(outcome.good, 4);
		assert_int_equal(outcome.corrupt, 1);
		assert_int_equal(outcome.rows, 400);
		filled_done(&filled);
	}
}

static void damaged_column_is_told(void **state)
{
	/* a column whose bytes changed is ERR_CORRUPT with its name and batch; the other columns of the block are read */
	struct filled filled;
	const struct scan_block *block = NULL;
	const int64_t *values = NULL;
	struct scan_codes codes;
	(void)state;
	filled_init(&filled, 100, 100);
	/* the last bytes of the blob belong to the last section that is not empty: latency_ms of the requests */
	struct segment_span span = head_part_span(filled.fixture.dir, 0, HEAD_COLUMNS);
	span.offset += span.len - 1;
	span.len = 1;
	head_flip(filled.fixture.dir, span);
	struct scan *scan = open_scan(&filled, &everything);
	assert_int_equal(scan_next(scan, &block, &filled.err), 0);
	assert_int_equal(scan_number_column(block, FIELD_latency_ms, &values, &filled.err),
			 -ERR_CORRUPT);
	assert_non_null(strstr(filled.err.text, "latency_ms"));
	assert_non_null(strstr(filled.err.text, "batch 1"));
	assert_int_equal(scan_text_column(block, FIELD_user, &codes, &filled.err), 0);
	scan_close(scan);
	filled_done(&filled);
}

/* Opens, scans and fetches what there is. */
static void look_at_all(struct filled *filled)
{
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	struct scan_codes codes;
	if (store_open(filled->fixture.dir, STORE_READ, &filled->store, &filled->err) != 0) {
		return;
	}
	int rc = scan_open(filled->store, &everything, &scan, &filled->err);
	for (int i = 0; rc == 0 && i < 10; i++) {
		if (scan_next(scan, &block, &filled->err) == 0) {
			(void)scan_text_column(block, FIELD_statement, &codes, NULL);
			(void)scan_text_column(block, FIELD_user, &codes, NULL);
		}
	}
	scan_close(scan);
	store_close(filled->store);
}

/* Turns a byte of a file over and back again with a look between. */
static void flip_and_look(struct filled *filled, const char *name, uint64_t seed)
{
	struct stat st;
	char byte = 0;
	assert_int_equal(stat(fixture_path(&filled->fixture, name), &st), 0);
	long offset = (long)(seed % (uint64_t)st.st_size);
	FILE *file = fopen(fixture_path(&filled->fixture, name), "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	assert_int_equal(fread(&byte, 1, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	char flipped = (char)(byte ^ 1 << seed % 7);
	fixture_patch(&filled->fixture, name, offset, str_make(&flipped, 1));
	look_at_all(filled);
	fixture_patch(&filled->fixture, name, offset, str_make(&byte, 1));
}

static void flipped_file_never_crashes(void **state)
{
	/* bits flipped anywhere in catalog.db or a segment: opening, scanning and fetching end with answers or errors */
	struct filled filled;
	uint64_t seed = 42;
	(void)state;
	filled_init(&filled, 300, 100);
	store_close(filled.store);
	filled_sql(&filled, "PRAGMA wal_checkpoint(TRUNCATE)");
	for (int round = 0; round < 400; round++) {
		seed = hash_u64(seed + 1);
		flip_and_look(&filled, round % 2 == 0 ? "catalog.db" : "head/000001.qth", seed);
	}
	filled_open(&filled, STORE_READ);
	assert_int_equal(scan_damaged(&filled).good, 3);
	filled_done(&filled);
}

/* As another user with the folder's group: only looking is allowed. */
static int read_as_group(struct filled *filled)
{
	if (setgroups(0, NULL) != 0 || setegid(12345) != 0 || seteuid(54321) != 0) {
		return 3;
	}
	struct outcome outcome = {0};
	if (store_open(filled->fixture.dir, STORE_READ, &filled->store, &filled->err) != 0) {
		(void)fprintf(stderr, "%s\n", filled->err.text);
		return 4;
	}
	outcome = scan_damaged(filled);
	return outcome.good == 3 && outcome.corrupt == 0 ? 0 : 5;
}

static void reader_of_another_user(void **state)
{
	/* a process of the folder's group reads a store that has a writer, and one that has none */
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	for (int live = 0; live < 2; live++) {
		struct filled filled;
		filled_init(&filled, 0, 1);
		fixture_done(&filled.fixture);
		store_close(filled.store);
		fixture_init(&filled.fixture);
		assert_int_equal(chown(filled.fixture.dir, 0, 12345), 0);
		assert_int_equal(chmod(filled.fixture.dir, 02750), 0);
		filled_open(&filled, STORE_CREATE);
		for (uint64_t n = 0; n < 300; n += 100) {
			filled_add(&filled, n, 100);
		}
		if (live == 0) {
			store_close(filled.store);
		}
		pid_t child = fork();
		if (child == 0) {
			_exit(read_as_group(&filled));
		}
		int status = -1;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		if (live == 1) {
			store_close(filled.store);
		}
		fixture_done(&filled.fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_every_row),
		cmocka_unit_test(blocks_are_skipped),
		cmocka_unit_test(writer_scans_beside_its_transaction),
		cmocka_unit_test(empty_store_has_an_end),
		cmocka_unit_test(damage_is_contained),
		cmocka_unit_test(damaged_column_is_told),
		cmocka_unit_test(flipped_file_never_crashes),
		cmocka_unit_test(reader_of_another_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
