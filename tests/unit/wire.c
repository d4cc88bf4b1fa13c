/* Binary fields come back as written; torn and overlong ones fail and stay failed. */
#include "base/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every kind of field is read back, to the last byte. */
static void test_round_trip(void **state)
{
	(void)state;
	static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
	struct buf buf;
	buf_init(&buf, 0);
	wire_put_u8(&buf, 7);
	wire_put_u16(&buf, 0x1234);
	wire_put_u32(&buf, 0x12345678);
	wire_put_u64(&buf, UINT64_C(0x123456789abcdef0));
	for (size_t i = 0; i < 8; i++) {
		wire_put_varint(&buf, values[i]);
		wire_put_zigzag(&buf, (int64_t)values[i]);
	}
	wire_put_zigzag(&buf, INT64_MIN);
	wire_put_block(&buf, STR_LIT("block"));
	struct wire_reader reader = wire_reader(buf_str(&buf));
	assert_int_equal(wire_u8(&reader), 7);
	assert_int_equal(wire_u16(&reader), 0x1234);
	assert_int_equal(wire_u32(&reader), 0x12345678);
	assert_true(wire_u64(&reader) == UINT64_C(0x123456789abcdef0));
	for (size_t i = 0; i < 8; i++) {
		assert_true(wire_varint(&reader) == values[i]);
		assert_true(wire_zigzag(&reader) == (int64_t)values[i]);
	}
	assert_true(wire_zigzag(&reader) == INT64_MIN);
	assert_true(str_is(wire_block(&reader, 5), "block"));
	assert_int_equal(wire_left(&reader), 0);
	assert_false(reader.failed);
	buf_done(&buf);
}

/* Every truncation fails, reads zero afterwards, and never reads past the end. */
static void test_truncated(void **state)
{
	(void)state;
	struct wire_reader reader = wire_reader(str_make("\x01\x02\x03", 3));
	assert_int_equal(wire_u32(&reader), 0);
	assert_true(reader.failed);
	assert_int_equal(wire_u8(&reader), 0);
	assert_int_equal(wire_left(&reader), 0);
	reader = wire_reader(str_make("\x80\x80", 2));
	assert_int_equal(wire_varint(&reader), 0);
	assert_true(reader.failed);
	reader = wire_reader(str_make("\x05"
				      "abc",
				      4));
	assert_int_equal(wire_block(&reader, 10).len, 0);
	assert_true(reader.failed);
}

/* A varint in more bytes than needed, or past 64 bits, and a block over its limit are refused. */
static void test_not_minimal(void **state)
{
	(void)state;
	struct wire_reader reader = wire_reader(str_make("\x80\x00", 2));
	assert_int_equal(wire_varint(&reader), 0);
	assert_true(reader.failed);
	reader = wire_reader(str_make("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
	(void)wire_varint(&reader); /* only the failure counts */
	assert_true(reader.failed);
	reader = wire_reader(str_make("\x03"
				      "abc",
				      4));
	assert_int_equal(wire_block(&reader, 2).len, 0);
	assert_true(reader.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_not_minimal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
