#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/chunk.h"

static void build(struct buf *out, size_t count, size_t size)
{
	struct chunk_builder builder;
	char record[64];
	assert_true(size <= sizeof record);
	chunk_builder_begin(&builder, out);
	for (size_t i = 0; i < count; i++) {
		memset(record, (int)i, sizeof record);
		assert_true(chunk_builder_fits(&builder, size));
		chunk_builder_add(&builder, str_make(record, size));
		assert_int_equal(chunk_builder_record(&builder, i).len, size);
	}
	chunk_builder_finish(&builder);
	assert_false(out->failed);
}

static void gives_records_back(void **state)
{
	/* what went in comes out, record by record, also behind other bytes in the same buffer */
	struct buf out;
	struct chunk chunk;
	struct error err;
	(void)state;
	buf_init(&out, 0);
	buf_put_text(&out, "before");
	build(&out, 5, 60);
	assert_int_equal(chunk_open(str_slice(buf_str(&out), 6, out.len), &chunk, &err), 0);
	assert_int_equal(chunk.record_count, 5);
	for (size_t i = 0; i < 5; i++) {
		struct str record;
		assert_int_equal(chunk_record(&chunk, i, &record, &err), 0);
		assert_int_equal(record.len, 60);
		assert_int_equal(record.ptr[59], i);
	}
	buf_done(&out);
}

static void stays_within_a_page(void **state)
{
	/* records go in as long as the chunk fits a page, never more; a large one goes in alone */
	struct buf out;
	struct chunk_builder builder;
	char record[100] = "x";
	(void)state;
	buf_init(&out, 0);
	chunk_builder_begin(&builder, &out);
	assert_true(chunk_builder_fits(&builder, 1000000));
	while (chunk_builder_fits(&builder, sizeof record)) {
		chunk_builder_add(&builder, str_make(record, sizeof record));
	}
	chunk_builder_finish(&builder);
	assert_in_range(out.len, CHUNK_BYTES - 108, CHUNK_BYTES);
	buf_done(&out);
}

static void count_is_bounded(void **state)
{
	/* empty records stop at CHUNK_RECORDS_MAX */
	struct buf out;
	struct chunk_builder builder;
	size_t count = 0;
	(void)state;
	buf_init(&out, 0);
	chunk_builder_begin(&builder, &out);
	for (; chunk_builder_fits(&builder, 0); count++) {
		chunk_builder_add(&builder, STR_LIT(""));
	}
	assert_int_equal(count, CHUNK_RECORDS_MAX);
	buf_done(&out);
}

static void every_flipped_bit_is_told(void **state)
{
	/* no bit of a chunk can change without ERR_CORRUPT for some record, and the others stay readable */
	struct buf out;
	(void)state;
	buf_init(&out, 0);
	build(&out, 3, 20);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		struct chunk chunk;
		struct str record;
		out.ptr[bit / 8] = (char)(out.ptr[bit / 8] ^ 1 << bit % 8);
		int rc = chunk_open(buf_str(&out), &chunk, NULL);
		for (size_t i = 0; rc == 0 && i < chunk.record_count; i++) {
			rc = chunk_record(&chunk, i, &record, NULL);
		}
		assert_int_equal(rc, -ERR_CORRUPT);
		if (bit < 20 * 8) {
			assert_int_equal(chunk_open(buf_str(&out), &chunk, NULL), 0);
			assert_int_equal(chunk_record(&chunk, 2, &record, NULL), 0);
		}
		out.ptr[bit / 8] = (char)(out.ptr[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t len = 0; len < out.len; len++) {
		struct chunk chunk;
		assert_int_equal(chunk_open(str_make(out.ptr, len), &chunk, NULL), -ERR_CORRUPT);
	}
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_records_back),
		cmocka_unit_test(stays_within_a_page),
		cmocka_unit_test(count_is_bounded),
		cmocka_unit_test(every_flipped_bit_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
