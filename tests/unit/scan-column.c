#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/scan.h"
#include "tests/golden/story-store.h"

static bool is_text(unsigned field)
{
	enum field_type type = field_info(field)->type;
	return type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES;
}

static struct str text_of(const struct scan_codes *codes, size_t i)
{
	return codes->code[i] == SCAN_ABSENT ? STR_LIT("(absent)") : codes->dict[codes->code[i]];
}

/* Compares a field of one kind's rows, first read as a column of all rows, then alone, or the other way round. */
static size_t compare_field(const struct scan_block *block, enum record_kind kind, unsigned field,
			    bool alone_first)
{
	struct scan_rows rows;
	struct error err;
	size_t present = 0;
	assert_int_equal(scan_rows_of(block, kind, &rows, &err), 0);
	for (size_t i = 0; i < rows.count; i++) {
		struct record record;
		struct scan_codes codes;
		const int64_t *values = NULL;
		assert_int_equal(scan_kinds(block)[rows.row[i]], kind);
		assert_int_equal(scan_record(block, rows.row[i], &record, &err), 0);
		present += record_has(&record, field) ? 1 : 0;
		if (is_text(field)) {
			if (!alone_first) {
				assert_int_equal(
					scan_text_column(block, (enum field)field, &codes, &err),
					0);
			}
			assert_int_equal(scan_text_of(block, kind, (enum field)field, &codes, &err),
					 0);
			struct str want = record_has(&record, field) ? record_text(&record, field)
								     : STR_LIT("(absent)");
			assert_true(str_equal(text_of(&codes, i), want));
			continue;
		}
		if (!alone_first) {
			assert_int_equal(
				scan_number_column(block, (enum field)field, &values, &err), 0);
		}
		assert_int_equal(scan_number_of(block, kind, (enum field)field, &values, &err), 0);
		assert_true(values[i] == record_number(&record, field, INT64_MIN));
	}
	return present;
}

static void test_one_kind(void **state)
{
	/* Proves: every field of the rows of each kind is what the records hold, alone and after the column of all rows. */
	(void)state;
	struct story_store story;
	struct store *store;
	struct scan *scan;
	const struct scan_block *block;
	struct scan_options all = {0, INT64_MIN, INT64_MAX};
	struct error err;
	size_t present = 0;
	story_store_init(&story, false, false);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
	assert_int_equal(scan_open(store, &all, &scan, &err), 0);
	while (scan_next(scan, &block, &err) == 0) {
		for (unsigned field = 1; field < FIELD_LIMIT; field++) {
			for (unsigned kind = 1;
			     field_info(field)->name != NULL && kind < RECORD_KIND_COUNT; kind++) {
				present += compare_field(block, (enum record_kind)kind, field,
							 (field + kind) % 2 == 0);
			}
		}
	}
	assert_true(present > 200);
	scan_close(scan);
	store_close(store);
	story_store_done(&story);
}

static void test_rows_and_sources(void **state)
{
	/* Proves: the rows of the kinds are all rows of a block, each once, scan_held names their kinds, and sources are theirs. */
	(void)state;
	struct story_store story;
	struct store *store;
	struct scan *scan;
	const struct scan_block *block;
	struct scan_options all = {0, INT64_MIN, INT64_MAX};
	struct error err;
	story_store_init(&story, false, false);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
	assert_int_equal(scan_open(store, &all, &scan, &err), 0);
	while (scan_next(scan, &block, &err) == 0) {
		size_t sum = 0;
		for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
			struct scan_rows rows;
			struct scan_codes sources;
			struct record record;
			assert_int_equal(scan_rows_of(block, (enum record_kind)kind, &rows, &err),
					 0);
			assert_int_equal(
				scan_source_of(block, (enum record_kind)kind, &sources, &err), 0);
			assert_int_equal(rows.count > 0, scan_held(block) >> kind & 1u);
			for (size_t i = 0; i < rows.count; i++) {
				assert_true(i == 0 || rows.row[i] > rows.row[i - 1]);
				assert_int_equal(scan_record(block, rows.row[i], &record, &err), 0);
				assert_true(str_equal(text_of(&sources, i), record.source));
			}
			sum += rows.count;
		}
		assert_int_equal(sum, scan_row_count(block));
	}
	scan_close(scan);
	store_close(store);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_kind),
		cmocka_unit_test(test_rows_and_sources),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
