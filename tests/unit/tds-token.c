/* Tokens of the simulated SQL Server have the bytes that [MS-TDS] gives them. */
#include "tests/sim/tds-token.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_bytes(const struct buf *got, const char *hex)
{
	struct buf text;
	buf_init(&text, 0);
	buf_put_hex(&text, buf_str(got));
	assert_string_equal(text.ptr != NULL ? text.ptr : "", hex);
	buf_done(&text);
}

/* Text leaves as UTF-16LE: pairs for what is beyond the first plane, lone surrogates as they are. */
static void test_utf16(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	assert_int_equal(tds_put_utf16(&out, STR_LIT("a\xc3\xb8\xf0\x9f\x98\x80\xed\xa0\xbd"), 99),
			 5);
	assert_bytes(&out, "6100f8003dd800de3dd8");
	buf_clear(&out);
	tds_put_wtf8(&out, STR_LIT("a\0\xf8\0\x3d\xd8\x00\xde\x3d\xd8"));
	assert_bytes(&out, "61c3b8f09f9880eda0bd");
	buf_done(&out);
}

/* A pair is not cut in two, an invalid byte is one replacement character. */
static void test_utf16_limits(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	assert_int_equal(tds_put_utf16(&out, STR_LIT("ab\xf0\x9f\x98\x80"), 3), 2);
	buf_clear(&out);
	assert_int_equal(tds_put_utf16(&out, STR_LIT("\xff\xc3"), 99), 2);
	assert_bytes(&out, "fdfffdff");
	assert_int_equal(tds_utf16_units(STR_LIT("\xf0\x9f\x98\x80x")), 3);
	buf_done(&out);
}

/* An error of severity 11 and more is ERROR, a milder one INFO; the length counts what follows it. */
static void test_message(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	struct tds_message message = {.number = 33225,
				      .state = 1,
				      .severity = 16,
				      .text = STR_LIT("no"),
				      .server = STR_LIT("S"),
				      .line = 2};
	tds_put_message(&out, &message);
	assert_bytes(&out, "aa1400"
			   "c9810000"
			   "01"
			   "10"
			   "02006e006f00"
			   "015300"
			   "00"
			   "02000000");
	buf_clear(&out);
	message.severity = 10;
	tds_put_message(&out, &message);
	assert_int_equal((uint8_t)out.ptr[0], TDS_TOKEN_INFO);
	buf_done(&out);
}

/* ENVCHANGE, LOGINACK, RETURNSTATUS and the three DONE. */
static void test_small_tokens(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	tds_put_envchange(&out, TDS_ENV_DATABASE, STR_LIT("m"), STR_LIT(""));
	assert_bytes(&out, "e3050001016d0000");
	buf_clear(&out);
	tds_put_collation(&out);
	assert_bytes(&out, "e3080007050904d0003400");
	buf_clear(&out);
	tds_put_loginack(&out, STR_LIT("X"), (const uint8_t[]){16, 0, 0x10, 9});
	assert_bytes(&out, "ad0c00017400000401580010001009");
	buf_clear(&out);
	tds_put_returnstatus(&out, -1);
	tds_put_done(&out, TDS_TOKEN_DONEPROC, TDS_DONE_COUNT, 3);
	assert_bytes(&out, "79ffffffff"
			   "fe1000c1000300000000000000");
	buf_done(&out);
}

/* Every type's head in COLMETADATA. */
static void test_colmetadata(void **state)
{
	(void)state;
	static const struct {
		struct tds_type type;
		const char *head;
	} cases[] = {
		{{TDS_INT, 8}, "2608"},
		{{TDS_BIT, 0}, "6801"},
		{{TDS_VARCHAR, 4}, "a704000904d00034"},
		{{TDS_NVARCHAR, 4000}, "e7401f0904d00034"},
		{{TDS_NVARCHAR, TDS_LENGTH_MAX}, "e7ffff0904d00034"},
		{{TDS_VARBINARY, 8000}, "a5401f"},
		{{TDS_VARBINARY, TDS_LENGTH_MAX}, "a5ffff"},
		{{TDS_DATETIME2, 0}, "2a07"},
		{{TDS_GUID, 0}, "2410"},
		{{TDS_VARIANT, 0}, "62491f0000"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;
		buf_init(&out, 0);
		struct tds_column column = {.name = STR_LIT("c"), .type = cases[i].type};
		tds_put_colmetadata(&out, &column, 1);
		char hex[100];
		(void)snprintf(hex, sizeof(hex),
			       "810100"
			       "00000000"
			       "0100"
			       "%s"
			       "016300",
			       cases[i].head);
		assert_bytes(&out, hex);
		buf_done(&out);
	}
}

/* Values of every type in a ROW. */
static void test_row(void **state)
{
	(void)state;
	const struct tds_column column[] = {
		{.type = {TDS_INT, 2}},       {.type = {TDS_BIT, 0}},
		{.type = {TDS_VARCHAR, 4}},   {.type = {TDS_NVARCHAR, 2}},
		{.type = {TDS_VARBINARY, 9}}, {.type = {TDS_DATETIME2, 0}},
		{.type = {TDS_GUID, 0}},      {.type = {TDS_NVARCHAR, TDS_LENGTH_MAX}},
		{.type = {TDS_VARIANT, 0}},
	};
	const struct tds_value value[] = {
		{.kind = TDS_INT, .number = -2},
		{.kind = TDS_BIT, .number = 1},
		{.kind = TDS_VARCHAR, .text = STR_LIT("SL\xc3\xb8")},
		{.kind = TDS_NVARCHAR, .text = STR_LIT("abc")},
		{.kind = TDS_VARBINARY, .text = STR_LIT("\x01\x02")},
		{.kind = TDS_DATETIME2, .number = tds_ticks(0) + 1},
		{.kind = TDS_GUID, .text = STR_LIT("0123456789abcdef")},
		{.kind = TDS_NVARCHAR, .text = STR_LIT("x")},
		{.kind = TDS_INT, .number = 7},
	};
	struct buf out;
	buf_init(&out, 0);
	tds_put_row(&out, column, value, 9);
	assert_bytes(&out, "d1"
			   "02feff"
			   "0101"
			   "0300534c3f"   /* no such letter in ASCII */
			   "040061006200" /* cut at the column's length */
			   "02000102"
			   "08"
			   "0100000000"
			   "3af90a" /* 719162 days */
			   "1030313233343536373839616263646566"
			   "0200000000000000"
			   "02000000"
			   "7800"
			   "00000000"
			   "06000000"
			   "3800"
			   "07000000");
	buf_done(&out);
}

/* With a NULL the row is an NBCROW: a bit for each column, and nothing else of it. */
static void test_nbcrow(void **state)
{
	(void)state;
	struct tds_column column[9];
	struct tds_value value[9];
	for (size_t i = 0; i < 9; i++) {
		column[i] = (struct tds_column){.type = {TDS_BIT, 0}};
		value[i] = (struct tds_value){.kind = TDS_BIT, .null = i != 1};
	}
	struct buf out;
	buf_init(&out, 0);
	tds_put_row(&out, column, value, 9);
	assert_bytes(&out, "d2"
			   "fd01"
			   "0100");
	buf_done(&out);
}

/* A long text goes in chunks whose lengths add up to the first one. */
static void test_chunks(void **state)
{
	(void)state;
	static char text[10000];
	memset(text, 'a', sizeof(text));
	struct tds_column column = {.type = {TDS_VARBINARY, TDS_LENGTH_MAX}};
	struct tds_value value = {.kind = TDS_VARBINARY, .text = str_make(text, sizeof(text))};
	struct buf out;
	buf_init(&out, 0);
	tds_put_row(&out, &column, &value, 1);
	assert_int_equal(out.len, 1 + 8 + 4 + 8000 + 4 + 2000 + 4);
	assert_memory_equal(out.ptr + 1, "\x10\x27\0\0\0\0\0\0\x40\x1f\0\0", 12);
	assert_memory_equal(out.ptr + out.len - 4, "\0\0\0\0", 4);
	buf_done(&out);
}

/* Ticks and nanoseconds turn into one another; a time before 1970 is rounded towards the past. */
static void test_ticks(void **state)
{
	(void)state;
	int64_t ns = 0;
	struct str text = STR_LIT("2026-11-22T10:00:00.1234567Z");
	assert_true(clock_parse_rfc3339(text, &ns));
	int64_t back = 0;
	assert_true(tds_ticks_to_ns(tds_ticks(ns), &back));
	assert_int_equal(back, ns);
	assert_int_equal(tds_ticks(-1), tds_ticks(-100));
	assert_false(tds_ticks_to_ns(0, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf16),       cmocka_unit_test(test_utf16_limits),
		cmocka_unit_test(test_message),     cmocka_unit_test(test_small_tokens),
		cmocka_unit_test(test_colmetadata), cmocka_unit_test(test_row),
		cmocka_unit_test(test_nbcrow),      cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_ticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
