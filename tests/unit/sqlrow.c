/* Cells of a row become an audit row bit for bit: times to 100 ns, text with lone surrogates, GUIDs as SQL Server writes them. */
#include "collector/sources/sqlserver/sqlrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* .1234567 at 03:04:05 on 1970-01-02 (day 25568 since 1900); and the ends of what fits. */
static void test_time(void **state)
{
	(void)state;
	int64_t ns = 0;
	assert_true(sqlrow_time_ns(25568, INT64_C(110451234567), &ns));
	assert_true(ns == INT64_C(86400000000000) + INT64_C(11045123456700));
	assert_true(sqlrow_time_ns(25567 - 1, 0, &ns));
	assert_true(ns == -INT64_C(86400000000000));
	assert_false(sqlrow_time_ns(2958463, 0, &ns)); /* 9999-12-31 */
	assert_false(sqlrow_time_ns(-693595, 0, &ns)); /* 0001-01-01 */
	assert_false(sqlrow_time_ns(25567, INT64_C(864000000000), &ns));
	assert_false(sqlrow_time_ns(25567, -1, &ns));
}

static int convert_text(struct str utf16, struct arena *arena, struct str *out)
{
	static const struct auditquery_column column = {"statement", AUDITQUERY_WIDE_TEXT};
	struct sqlrow_cell cell = {.bytes = utf16};
	static struct auditrow row;
	struct error err;
	int status = sqlrow_convert(&(struct sqlrow){&column, &cell, 1}, arena, &row, &err);
	*out = row.column[0].text;
	return status;
}

/* Pairs become four bytes, lone surrogates three, NUL stays, half a unit is refused. */
static void test_text(void **state)
{
	(void)state;
	struct arena arena;
	struct str text;
	arena_init(&arena, 1 << 16);
	static const char pair[] = "A\0\x3D\xD8\x00\xDE\xE5\0";
	assert_int_equal(convert_text(str_make(pair, 8), &arena, &text), 0);
	assert_true(str_is(text, "A\xF0\x9F\x98\x80\xC3\xA5"));
	static const char lone[] = "\x00\xDE"
				   "b\0\x3D\xD8";
	assert_int_equal(convert_text(str_make(lone, 6), &arena, &text), 0);
	assert_true(str_is(text, "\xED\xB8\x80"
				 "b\xED\xA0\xBD"));
	static const char nul[] = "a\0\0\0\xFF\xFF";
	assert_int_equal(convert_text(str_make(nul, 6), &arena, &text), 0);
	assert_int_equal(text.len, 5);
	assert_memory_equal(text.ptr, "a\0\xEF\xBF\xBF", 5);
	assert_int_equal(convert_text(str_make(nul, 5), &arena, &text), -ERR_INPUT);
	assert_int_equal(convert_text((struct str){0}, &arena, &text), 0);
	assert_int_equal(text.len, 0);
	arena_done(&arena);
}

/* Every shape arrives under its name; NULL is NULL in each. */
static void test_shapes(void **state)
{
	(void)state;
	static const struct auditquery_column columns[] = {
		{"session_id", AUDITQUERY_INT},
		{"succeeded", AUDITQUERY_BIT},
		{"event_time", AUDITQUERY_TIME},
		{"sequence_group_id", AUDITQUERY_BINARY},
		{"connection_id", AUDITQUERY_GUID},
		{"action_id", AUDITQUERY_TEXT},
		{"session_context", AUDITQUERY_WIDE_TEXT},
	};
	static const struct sqlrow_cell cells[] = {
		{.number = -7},
		{.number = 1},
		{.days = 25567, .time_100ns = 1},
		{.bytes = {"\x00\xFF", 2}},
		{.bytes = {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x10", 16}},
		{.bytes = {"S\0L\0", 4}},
		{.is_null = true},
	};
	static struct auditrow row;
	struct arena arena;
	struct error err;
	arena_init(&arena, 1 << 16);
	assert_int_equal(sqlrow_convert(&(struct sqlrow){columns, cells, 7}, &arena, &row, &err),
			 0);
	assert_int_equal(row.column_count, 7);
	assert_int_equal(row.column[0].number, -7);
	assert_int_equal(row.column[1].type, AUDITROW_BOOL);
	assert_int_equal(row.column[2].number, 100);
	assert_memory_equal(row.column[3].text.ptr, "\x00\xFF", 2);
	assert_true(str_is(row.column[4].text, "04030201-0605-0807-090A-0B0C0D0E0F10"));
	assert_true(str_is(row.column[5].text, "SL"));
	assert_int_equal(row.column[6].type, AUDITROW_NULL);
	struct buf line;
	buf_init(&line, 0);
	auditrow_put_line(&row, &line);
	assert_false(line.failed);
	assert_true(str_find(buf_str(&line),
			     STR_LIT("\"event_time\":\"1970-01-01T00:00:00.0000001\""), 0) > 0);
	buf_done(&line);
	arena_done(&arena);
}

/* A row that does not convert says which column, and its bytes can be told. */
static void test_failures(void **state)
{
	(void)state;
	static const struct auditquery_column columns[] = {{"event_time", AUDITQUERY_TIME},
							   {"connection_id", AUDITQUERY_GUID}};
	struct sqlrow_cell cells[] = {{.days = 9999999}, {.bytes = STR_LIT("xy")}};
	static struct auditrow row;
	struct arena arena;
	struct error err;
	struct buf raw;
	arena_init(&arena, 1 << 10);
	buf_init(&raw, 0);
	assert_int_equal(sqlrow_convert(&(struct sqlrow){columns, cells, 2}, &arena, &row, &err),
			 -ERR_INPUT);
	assert_non_null(strstr(err.text, "event_time"));
	cells[0].days = 25567;
	assert_int_equal(sqlrow_convert(&(struct sqlrow){columns, cells, 2}, &arena, &row, &err),
			 -ERR_INPUT);
	assert_non_null(strstr(err.text, "connection_id"));
	sqlrow_put_raw(&(struct sqlrow){columns, cells, 2}, &raw);
	assert_string_equal(raw.ptr, "event_time=day 25567 time 0 connection_id=0x7879");
	static const struct auditquery_column text = {"statement", AUDITQUERY_TEXT};
	static char large[4096];
	struct sqlrow_cell cell = {.bytes = {large, sizeof(large)}};
	assert_int_equal(sqlrow_convert(&(struct sqlrow){&text, &cell, 1}, &arena, &row, &err),
			 -ERR_LIMIT);
	assert_int_equal(sqlrow_convert(&(struct sqlrow){&text, &cell, AUDITROW_COLUMNS_MAX + 1},
					&arena, &row, &err),
			 -ERR_LIMIT);
	buf_done(&raw);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_failures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
