#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/store-sizes.h"

static void bytes_for_people(void **state)
{
	/* bytes get the largest unit in which they are at least 1 */
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {{0, "0 B"},
		     {999, "999 B"},
		     {1000, "1.0 kB"},
		     {20418560, "20.4 MB"},
		     {999949999, "999.9 MB"},
		     {999950000, "1.0 GB"},
		     {UINT64_MAX, "18446744.1 TB"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;
		buf_init(&out, 0);
		sizes_put(&out, cases[i].bytes);
		assert_string_equal(out.ptr, cases[i].want);
		buf_done(&out);
	}
}

static void ratios(void **state)
{
	/* two digits behind the point below ten, one above; nothing to divide by is a dash */
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	sizes_put_ratio(&out, 9.994, 1);
	buf_put_byte(&out, ' ');
	sizes_put_ratio(&out, 9.995, 1);
	buf_put_byte(&out, ' ');
	sizes_put_ratio(&out, 37, 2);
	buf_put_byte(&out, ' ');
	sizes_put_ratio(&out, 1, 0);
	assert_string_equal(out.ptr, "9.99 10.0 18.5 -");
	buf_done(&out);
}

static void lines_of_a_sealed_store(void **state)
{
	/* 100 events in 2,000 bytes of blocks and 500 of catalog: 20 and 25 bytes an event; 40,000 bytes of lines are 20 and 16 times as much */
	(void)state;
	struct output out;
	const struct zone zone = zone_utc();
	struct store_sizes sizes = {.all_bytes = 3700,
				    .head_bytes = 1000,
				    .head_records = 7,
				    .block_bytes = 2000,
				    .block_count = 3,
				    .open_count = 1,
				    .replaced_bytes = 200,
				    .catalog_bytes = 500,
				    .filter_bytes = 100,
				    .summary_bytes = 50,
				    .sealed_records = 150,
				    .raw_bytes = 40000};
	sizes.of_kind[RECORD_REQUEST] = 30;
	sizes.of_kind[RECORD_STATEMENT] = 70;
	output_init(&out, -1, &zone);
	sizes_put_text(&out, &sizes);
	assert_string_equal(
		out.text.ptr,
		"head:        7 records, 1000 bytes\n"
		"blocks:      3 (1 open), 150 records, 2000 bytes\n"
		"replaced:    200 bytes of old blocks, to be removed\n"
		"catalog:     500 bytes: filters 100 B, summaries 50 B, free 0 B\n"
		"sealed:      20.0 bytes an event in blocks, 25.0 with the catalog\n"
		"originals:   40.0 kB, 20.0 times the blocks, 16.0 times with the catalog\n");
	output_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_for_people),
		cmocka_unit_test(ratios),
		cmocka_unit_test(lines_of_a_sealed_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
