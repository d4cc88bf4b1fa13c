/* The texts that are sent: columns by shape, names quoted, one RPC parameter at most. */
#include "collector/sources/sqlserver/auditquery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Text columns come as bytes, known ones by one cast, others through nvarchar; the rest as it is. */
static void test_rows(void **state)
{
	(void)state;
	static const struct auditquery_column columns[] = {
		{"event_time", AUDITQUERY_TIME},
		{"statement", AUDITQUERY_WIDE_TEXT},
		{"action_id", AUDITQUERY_TEXT},
		{"odd]name", AUDITQUERY_INT},
	};
	struct buf out;
	struct error err;
	buf_init(&out, 0);
	assert_int_equal(auditquery_rows(&(struct auditquery_read){AUDITQUERY_FN_GET_AUDIT_FILE,
								   columns, 4, true},
					 &out, &err),
			 0);
	assert_string_equal(out.ptr,
			    "SELECT TOP (@n) [event_time], CAST([statement] AS varbinary(8000)), "
			    "CAST(CAST([action_id] AS nvarchar(4000)) AS varbinary(8000)), "
			    "[odd]]name] FROM sys.fn_get_audit_file(@p, default, default)");
	buf_clear(&out);
	assert_int_equal(
		auditquery_rows(&(struct auditquery_read){AUDITQUERY_RDS, columns, 1, false}, &out,
				&err),
		0);
	assert_string_equal(out.ptr, "SELECT TOP (@n) [event_time] FROM "
				     "msdb.dbo.rds_fn_get_audit_file(@p, @f, @o)");
	buf_done(&out);
}

/* More columns than fit one parameter are refused, and the buf is as before. */
static void test_limit(void **state)
{
	(void)state;
	static struct auditquery_column columns[80];
	struct buf out;
	struct error err;
	for (int i = 0; i < 80; i++) {
		snprintf(columns[i].name, sizeof(columns[i].name), "column_that_is_new_%d", i);
		columns[i].shape = AUDITQUERY_TEXT;
	}
	buf_init(&out, 0);
	buf_put_text(&out, "x");
	assert_int_equal(
		auditquery_rows(&(struct auditquery_read){AUDITQUERY_RDS, columns, 80, false}, &out,
				&err),
		-ERR_LIMIT);
	assert_string_equal(out.ptr, "x");
	buf_done(&out);
}

/* Names of columns are known in any case of letters. */
static void test_wide(void **state)
{
	(void)state;
	assert_true(auditquery_is_wide(STR_LIT("Statement")));
	assert_false(auditquery_is_wide(STR_LIT("action_id")));
	assert_false(auditquery_is_wide(STR_LIT("statement2")));
}

/* Each adapter asks its own function, and no other. */
static void test_adapters(void **state)
{
	(void)state;
	const char *(*const texts[])(enum auditquery_adapter) = {
		auditquery_columns, auditquery_next_file, auditquery_list_files,
		auditquery_first_file};
	for (size_t i = 0; i < 4; i++) {
		assert_non_null(
			strstr(texts[i](AUDITQUERY_FN_GET_AUDIT_FILE), " sys.fn_get_audit_file("));
		assert_non_null(
			strstr(texts[i](AUDITQUERY_RDS), " msdb.dbo.rds_fn_get_audit_file("));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_adapters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
