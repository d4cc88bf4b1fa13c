/* The simulator's T-SQL: expressions, conditions and SELECT mean what they mean on SQL Server, and errors are worded as there. */
#include "tests/unit/tds-console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int open_console(void **state)
{
	struct world_options options = world_defaults(3, 60, INT64_C(1795341600000000000));
	*state = console_open(&options, 2022, false);
	return 0;
}

static int close_console(void **state)
{
	console_close(*state);
	return 0;
}

struct example {
	const char *text, *says;
};

static void check(struct console *console, const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(console_run(console, examples[i].text), examples[i].says);
	}
}

#define CHECK(console, examples) check(console, examples, sizeof(examples) / sizeof(examples[0]))

/* Literals, arithmetic, joined texts, CASE and calls give their values. */
static void test_expressions(void **state)
{
	static const struct example examples[] = {
		{"SELECT 1", "1\n(1 rows)\n"},
		{"select -3 + 2*4, 7/2, 7%4, -(2)", "5|3|3|-2\n(1 rows)\n"},
		{"SELECT N'a' + 'b''c', 0x0aff, NULL", "ab'c|0aff|NULL\n(1 rows)\n"},
		{"SELECT CASE WHEN 1=2 THEN 'a' WHEN 1=1 THEN N'b' ELSE 'c' END", "b\n(1 rows)\n"},
		{"SELECT CASE 3 WHEN 2 THEN 'x' WHEN 3 THEN 'y' END, CASE 1 WHEN 2 THEN 5 END",
		 "y|NULL\n(1 rows)\n"},
		{"SELECT LEN(N'ab  '), DATALENGTH(N'ab'), DATALENGTH('ab'), "
		 "LEN(N'\xf0\x9f\x98\x80')",
		 "2|4|2|2\n(1 rows)\n"},
		{"SELECT LEFT('abc',2), RIGHT('abc',2), SUBSTRING('abcd',2,2), RIGHT('a',9), "
		 "LEFT('',1)",
		 "ab|bc|bc|a|\n(1 rows)\n"},
		{"SELECT CHARINDEX('B','abc'), CHARINDEX('x','abc'), REVERSE('abc'), UPPER('aB'), "
		 "LOWER('aB')",
		 "2|0|cba|AB|ab\n(1 rows)\n"},
		{"SELECT ISNULL(NULL,'x'), COALESCE(NULL,NULL,3), NULLIF(1,1), CONCAT('a',NULL,1)",
		 "x|3|NULL|a1\n(1 rows)\n"},
		{"SELECT RTRIM('a ')+'.', LTRIM(' a'), TRIM(' a ')", "a.|a|a\n(1 rows)\n"},
		{"SELECT DB_NAME(), SUSER_SNAME(), HOST_NAME(), APP_NAME(), @@SPID",
		 "master|querytrail|here|test|51\n(1 rows)\n"},
		{"SELECT @@SERVERNAME, SERVERPROPERTY('MachineName'), SERVERPROPERTY('nope')",
		 "SQLPROD01\\A|SQLPROD01|NULL\n(1 rows)\n"},
		{"SELECT SERVERPROPERTY('ProductMajorVersion'), SERVERPROPERTY(N'engineedition')",
		 "16|3\n(1 rows)\n"},
		{"SELECT DATEDIFF(second, DATEADD(minute, -2, SYSUTCDATETIME()), SYSUTCDATETIME())",
		 "120\n(1 rows)\n"},
	};
	CHECK(*state, examples);
}

/* CAST and CONVERT between text, bytes, numbers, times and GUIDs. */
static void test_casts(void **state)
{
	static const struct example examples[] = {
		{"SELECT CAST(N'a\xc3\xb8' AS varbinary(8000)), CAST('ab' AS varbinary(1))",
		 "6100f800|61\n(1 rows)\n"},
		{"SELECT CAST(CAST('ab' AS nvarchar(4000)) AS varbinary(8000))",
		 "61006200\n(1 rows)\n"},
		{"SELECT CAST(0x6100 AS nvarchar(10)), CONVERT(varchar(10), 0x61ff, 1)",
		 "a|0x61FF\n(1 rows)\n"},
		{"SELECT CAST(12 AS varchar(10)), CAST(' 12 ' AS int), CAST('true' AS bit)",
		 "12|12|1\n(1 rows)\n"},
		{"SELECT CONVERT(varchar(40), CAST('2026-11-22T10:00:00.1234567' AS datetime2), "
		 "126)",
		 "2026-11-22T10:00:00.1234567\n(1 rows)\n"},
		{"SELECT CAST(CAST('2026-11-22 10:00' AS datetime2(7)) AS nvarchar(40))",
		 "2026-11-22 10:00:00.0000000\n(1 rows)\n"},
		{"SELECT CAST(CAST('01234567-89ab-cdef-0123-456789abcdef' AS uniqueidentifier) AS "
		 "varchar(36))",
		 "01234567-89AB-CDEF-0123-456789ABCDEF\n(1 rows)\n"},
		{"SELECT TRY_CAST('x' AS int), TRY_CONVERT(datetime2, 'x'), CAST(NULL AS int)",
		 "NULL|NULL|NULL\n(1 rows)\n"},
		{"SELECT CAST('abc' AS nvarchar(2)), CAST(N'a\xf0\x9f\x98\x80' AS nvarchar(3))",
		 "ab|a\xf0\x9f\x98\x80\n(1 rows)\n"},
	};
	CHECK(*state, examples);
	struct console *console = *state;
	(void)console_run(console,
			  "SELECT CAST(1 AS bigint) AS a, N'xy' b, c = 'z', SERVERPROPERTY('x')");
	assert_string_equal(console->types, "a:0:8 b:3:2 c:2:1 :7:0");
}

/* Three-valued logic, and comparisons that ignore case and trailing spaces. */
static void test_conditions(void **state)
{
	static const struct example examples[] = {
		{"SELECT 1 WHERE 'SL  ' = N'sl' AND NOT 1 > 2", "1\n(1 rows)\n"},
		{"SELECT 1 WHERE NULL = NULL OR NOT NULL = 1", "(0 rows)\n"},
		{"SELECT 1 WHERE NULL IS NULL AND 1 IS NOT NULL AND (NULL = 1 OR 1 = 1)",
		 "1\n(1 rows)\n"},
		{"SELECT 1 WHERE 2 IN (1, 2) AND 3 NOT IN (1, 2)", "1\n(1 rows)\n"},
		{"SELECT 1 WHERE 3 NOT IN (1, NULL)", "(0 rows)\n"},
		{"SELECT 1 WHERE 2 BETWEEN 1 AND 3 AND 4 NOT BETWEEN 1 AND 3", "1\n(1 rows)\n"},
		{"SELECT 1 WHERE 'abc' LIKE 'A%C' AND 'abc' LIKE '_b[a-d]' AND 'abc' NOT LIKE "
		 "'[^a]%'",
		 "1\n(1 rows)\n"},
		{"SELECT 1 WHERE '10' = 10 AND 1 <> 2 AND 1 != 2 AND 1 <= 1 AND 2 >= 1 AND 1 !> 1",
		 "1\n(1 rows)\n"},
		{"SELECT 1 WHERE CAST('2026-01-02' AS datetime2) > '2026-01-01T23:59:59.9999999'",
		 "1\n(1 rows)\n"},
	};
	CHECK(*state, examples);
}

/* Errors have the number and the words of SQL Server. */
static void test_errors(void **state)
{
	static const struct example examples[] = {
		{"SELEC 1", "Msg 102: Incorrect syntax near 'SELEC'.\n"},
		{"SELECT 1 FROM", "Msg 102: Incorrect syntax near ''.\n"},
		{"SELECT FROM x", "Msg 156: Incorrect syntax near the keyword 'FROM'.\n"},
		{"SELECT 'a", "Msg 105: Unclosed quotation mark after the character string 'a'.\n"},
		{"SELECT x", "Msg 207: Invalid column name 'x'.\n"},
		{"SELECT x.y FROM sys.server_audits a",
		 "Msg 4104: The multi-part identifier \"x\" could not be bound.\n"},
		{"SELECT @x", "Msg 137: Must declare the scalar variable \"@x\".\n"},
		{"SELECT FOO(1)", "Msg 195: 'FOO' is not a recognized built-in function name.\n"},
		{"SELECT 1 FROM dbo.Orders", "Msg 208: Invalid object name 'dbo.Orders'.\n"},
		{"SELECT 1 FROM a.b.c", "Msg 208: Invalid object name 'a.b.c'.\n"},
		{"USE nowhere", "Msg 911: Database 'nowhere' does not exist. Make sure that the "
				"name is entered correctly.\n"},
		{"SELECT 1/0", "Msg 8134: Divide by zero error encountered.\n"},
		{"SELECT CAST('x' AS int)", "Msg 245: Conversion failed when converting the value "
					    "'x' to another data type.\n"},
		{"SELECT CAST(1 AS money)", "Msg 243: Type money is not a defined system type.\n"},
		{"SET NOSUCH ON", "Msg 195: 'NOSUCH' is not a recognized SET option.\n"},
		{"SELECT 1 WHERE 1",
		 "Msg 4145: An expression of non-boolean type specified in a context where a "
		 "condition is expected.\n"},
		{"SELECT LEN()",
		 "Msg 174: The LEN function requires another number of arguments.\n"},
		{"SELECT *", "Msg 263: Must specify table to select from.\n"},
		{"SELECT 1 ORDER BY 2",
		 "Msg 108: The ORDER BY position number is out of range of the number of items in "
		 "the select list.\n"},
		{"SELECT 99999999999999999999",
		 "Msg 1007: The number '99999999999999999999' is out of the range for "
		 "numeric representation.\n"},
	};
	CHECK(*state, examples);
}

/* Statements of a batch run one after the other, and no more of them after an error. */
static void test_batches(void **state)
{
	static const struct example examples[] = {
		{"", ""},
		{";;", ""},
		{"SET NOCOUNT ON SET TEXTSIZE 2147483647; SELECT 1;SELECT 2",
		 "1\n(1 rows)\n2\n(1 rows)\n"},
		{"DECLARE @a int = 2, @b nvarchar(3); SET @b = N'abcd'; SELECT @a, @b",
		 "2|abc\n(1 rows)\n"},
		{"SELECT 1 SELECT CAST('x' AS int) SELECT 3",
		 "1\n(1 rows)\nMsg 245: Conversion failed when converting the value 'x' to another "
		 "data type.\n"},
		{"USE msdb; SELECT DB_NAME() USE [master]", "msdb\n(1 rows)\n"},
		{"PRINT N'hello' -- not this\n/* nor /* this */ */ SELECT @@ROWCOUNT",
		 "Msg 0: hello\n0\n(1 rows)\n"},
		{"DECLARE @a int DECLARE @A int",
		 "Msg 134: The variable name '@A' has already been declared.\n"},
	};
	CHECK(*state, examples);
}

/* TOP, DISTINCT, ORDER BY, aggregates, aliases and stars over a table. */
static void test_select(void **state)
{
	static const struct example examples[] = {
		{"SELECT TOP 2 class_type FROM sys.dm_audit_class_type_map ORDER BY class_type "
		 "DESC",
		 "V \nUS\n(2 rows)\n"},
		{"SELECT TOP (0) * FROM sys.dm_audit_class_type_map", "(0 rows)\n"},
		{"SELECT DISTINCT securable_class_desc s FROM sys.dm_audit_class_type_map WHERE "
		 "class_type IN ('U','V','P') "
		 "ORDER BY s",
		 "OBJECT\n(1 rows)\n"},
		{"SELECT COUNT(*), MIN(class_type), MAX(class_type_desc) FROM "
		 "sys.dm_audit_class_type_map",
		 "10|A |VIEW\n(1 rows)\n"},
		{"SELECT COUNT(covering_action_name) FROM sys.dm_audit_actions", "0\n(1 rows)\n"},
		{"SELECT m.class_type AS [the class], m.* FROM sys.dm_audit_class_type_map AS m "
		 "WITH (NOLOCK) WHERE "
		 "m.class_type = 'U' OPTION (RECOMPILE)",
		 "U |U |TABLE|OBJECT\n(1 rows)\n"},
		{"SELECT name FROM master.sys.dm_audit_actions WHERE action_id = N'DL'",
		 "DELETE\n(1 rows)\n"},
		{"SELECT class_type, COUNT(*) FROM sys.dm_audit_class_type_map",
		 "Msg 8120: Column 'class_type' is invalid in the select list because it is not "
		 "contained in either an "
		 "aggregate function or the GROUP BY clause.\n"},
	};
	CHECK(*state, examples);
}

/* A NUL in a text is a sign that nothing knows. */
static void test_nul(void **state)
{
	struct console *console = *state;
	struct tds_statement *first;
	struct tds_message message;
	assert_false(tds_sql_parse(STR_LIT("SELECT 1\0 2"), &console->arena, &first, &message));
	assert_int_equal(message.number, 102);
}

/* A text that is nested, or long, beyond all reason is refused, not recursed into. */
static void test_depth(void **state)
{
	struct console *console = *state;
	struct buf text;
	buf_init(&text, 0);
	buf_put_text(&text, "SELECT ");
	buf_put_fill(&text, '(', 100000);
	assert_non_null(strstr(console_run(console, text.ptr), "Msg 191"));
	buf_clear(&text);
	buf_put_text(&text, "SELECT 1 WHERE 1=1");
	for (int i = 0; i < 20000; i++) {
		buf_put_text(&text, " AND NOT 1=2");
	}
	assert_non_null(strstr(console_run(console, text.ptr), "Msg 191"));
	buf_clear(&text);
	buf_put_text(&text, "SELECT 1 WHERE ");
	for (int i = 0; i < 500; i++) {
		buf_put_text(&text, "NOT ");
	}
	buf_put_text(&text, "1=1");
	assert_non_null(strstr(console_run(console, text.ptr), "Msg 191"));
	buf_done(&text);
}

int main(void)
{
#define ON_CONSOLE(test) cmocka_unit_test_setup_teardown(test, open_console, close_console)
	const struct CMUnitTest tests[] = {
		ON_CONSOLE(test_expressions), ON_CONSOLE(test_casts),   ON_CONSOLE(test_conditions),
		ON_CONSOLE(test_errors),      ON_CONSOLE(test_batches), ON_CONSOLE(test_select),
		ON_CONSOLE(test_depth),       ON_CONSOLE(test_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
