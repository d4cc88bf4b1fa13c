/* Names of audit files: their order, their folder, the pattern of their audit. */
#include "collector/sources/sqlserver/auditfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Files sort by their number, not by its digits; names without one sort by bytes. */
static void test_compare(void **state)
{
	(void)state;
	struct str nine = STR_LIT("app_0D_0_9.sqlaudit");
	struct str ten = STR_LIT("app_0D_0_10.sqlaudit");
	assert_true(auditfile_compare(nine, ten) < 0);
	assert_true(auditfile_compare(ten, nine) > 0);
	assert_int_equal(auditfile_compare(ten, ten), 0);
	assert_true(auditfile_compare(STR_LIT("a.sqlaudit"), STR_LIT("b.sqlaudit")) < 0);
	assert_true(auditfile_compare(STR_LIT("x_1_5.SQLAUDIT"), STR_LIT("a_1_6.sqlaudit")) < 0);
	/* A number beyond 64 bits is no number. */
	assert_true(auditfile_compare(STR_LIT("a_99999999999999999999999"), STR_LIT("b_1")) < 0);
}

static void check_pattern(const char *path, const char *expected)
{
	struct buf out;
	buf_init(&out, 0);
	auditfile_put_pattern(&out, str_of(path));
	assert_string_equal(out.ptr, expected);
	buf_done(&out);
}

/* The pattern keeps folder, audit and GUID; any other name is left to its folder. */
static void test_pattern(void **state)
{
	(void)state;
	check_pattern("D:\\audit\\app_x_0D3C-11_0_132.sqlaudit",
		      "D:\\audit\\app_x_0D3C-11_*.sqlaudit");
	check_pattern("/var/opt/mssql/app_0D_0_132.sqlaudit", "/var/opt/mssql/app_0D_*.sqlaudit");
	check_pattern("D:\\audit\\odd.sqlaudit", "D:\\audit\\*.sqlaudit");
	check_pattern("D:\\audit\\_1_2.sqlaudit", "D:\\audit\\*.sqlaudit");
}

/* The folder ends with its separator; transmitted follows with the same one. */
static void test_folder(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 0);
	assert_true(str_is(auditfile_folder(STR_LIT("D:\\a\\b.sqlaudit")), "D:\\a\\"));
	assert_int_equal(auditfile_folder(STR_LIT("b.sqlaudit")).len, 0);
	auditfile_put_transmitted(&out, STR_LIT("D:\\a\\"));
	assert_string_equal(out.ptr, "D:\\a\\transmitted\\");
	buf_clear(&out);
	auditfile_put_transmitted(&out, STR_LIT("/a/"));
	assert_string_equal(out.ptr, "/a/transmitted/");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
