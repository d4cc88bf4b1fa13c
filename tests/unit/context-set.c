#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "model/context.h"

static const struct str no_key;

static void session_context_calls(void **state)
{
	/* every way to write the call with a literal sets the context */
	static const char *const statements[] = {
		"EXEC sp_set_session_context N'querytrail', N'qt1 x=a-1'",
		"exec sys.sp_set_session_context 'querytrail','qt1 x=a-1',1",
		"EXECUTE [sys].[sp_set_session_context] @key=N'querytrail', @value=N'qt1 x=a-1', "
		"@read_only=1;",
		"EXEC master..sp_set_session_context @value = N'qt1 x=a-1', @key = N'querytrail'",
		"EXEC @rc = sp_set_session_context N'querytrail', N'qt1 x=a-1'",
		"sp_set_session_context querytrail, 'qt1 x=a-1'",
		"SET NOCOUNT ON; EXEC sp_set_session_context N'querytrail', /* why */ N'qt1 "
		"x=a-1'; SELECT 1",
		"(@p int)EXEC sp_set_session_context N'querytrail', N'qt1 x=a-1'",
		"EXEC sp_executesql N'EXEC sp_set_session_context N''querytrail'', N''qt1 x=a-1'''",
		"EXEC sp_executesql N'EXEC sp_set_session_context N''querytrail'', @v', N'@v "
		"nvarchar(99)', @v=N'qt1 x=a-1'",
		"EXEC('EXEC sp_set_session_context ''querytrail'', ''qt1 x=a-1''')",
		"DECLARE @c nvarchar(400) = N'qt1 x=a-1'; EXEC sp_set_session_context "
		"N'querytrail', @c",
		"DECLARE @c AS sql_variant; SET @c = N'qt1 x=a-1'; EXEC sp_set_session_context "
		"@key=N'querytrail', @value=@c",
		"EXEC sp_set_session_context N'querytrail', N'qt1 x=old'; EXEC "
		"sp_set_session_context N'querytrail', N'qt1 x=a-1'",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		struct context context;
		bool clears = true;

		if (!context_from_set(str_of(statements[i]), no_key, &context, &clears)) {
			fail_msg("sets nothing: %s", statements[i]);
		}
		assert_false(clears);
		assert_true(str_is(context.extended_request_id, "a-1"));
	}
}

static void clearing_calls(void **state)
{
	/* NULL, empty, unreadable and unknown values end what an earlier call set */
	static const char *const statements[] = {
		"EXEC sp_set_session_context N'querytrail', NULL",
		"EXEC sp_set_session_context N'querytrail', N''",
		"EXEC sp_set_session_context N'querytrail', @v",
		"EXEC sp_set_session_context N'querytrail', N'hello'",
		"EXEC sp_set_session_context N'querytrail', 0",
		"EXEC sp_set_session_context N'querytrail', N'qt1 x=a'; EXEC "
		"sp_set_session_context N'querytrail', NULL",
		"DECLARE @v int = NULL; EXEC sp_set_session_context N'querytrail', @v",
		"SET @v = N'qt1 x=a'; SET @v = N'qt1 x=b'; EXEC sp_set_session_context "
		"N'querytrail', @v",
		"SET @v = N'qt1 x=a'; SET @v = @w; EXEC sp_set_session_context N'querytrail', @v",
		"SELECT 1 WHERE @v > 1 AND name = N'qt1 x=a'; EXEC sp_set_session_context "
		"N'querytrail', @v",
		"SET CONTEXT_INFO 0x",
		"SET CONTEXT_INFO 0x0000000000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		struct context context;
		bool clears = false;

		if (context_from_set(str_of(statements[i]), no_key, &context, &clears) || !clears) {
			fail_msg("does not clear: %s", statements[i]);
		}
	}
}

static void other_statements_change_nothing(void **state)
{
	/* neither literals nor comments nor other keys nor other products' context count */
	static const char *const statements[] = {
		"SELECT N'EXEC sp_set_session_context N''querytrail'', N''qt1 x=a'''",
		"-- EXEC sp_set_session_context N'querytrail', N'qt1 x=a'\nSELECT 1",
		"/* EXEC sp_set_session_context N'querytrail', N'qt1 x=a' */ SELECT 1",
		"EXEC sp_set_session_context N'tenant', N'qt1 x=a'",
		"EXEC sp_set_session_context @k, N'qt1 x=a'",
		"EXEC sp_set_session_context N'querytrail'",
		"EXEC sp_set_session_context",
		"EXEC sp_set_session_context_x N'querytrail', N'qt1 x=a'",
		"SELECT sp_set_session_context N'querytrail', N'qt1 x=a'",
		"SET CONTEXT_INFO 0x1234abcd",
		"SET CONTEXT_INFO @x",
		"SET CONTEXT_INFO 0x123",
		"SELECT context FROM t",
		"EXEC",
		"SET",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		struct context context;
		bool clears = true;

		if (context_from_set(str_of(statements[i]), no_key, &context, &clears) || clears) {
			fail_msg("changes the context: %s", statements[i]);
		}
	}
}

static void context_info_in_both_encodings(void **state)
{
	/* the text stands in CONTEXT_INFO as UTF-8 or UTF-16LE, padded with zeros or not */
	static const char *const statements[] = {
		"SET CONTEXT_INFO 0x71743120783D612D31",
		"set context_info 0x71743120783d612d310000000000;",
		"SET CONTEXT_INFO 0x710074003100200078003D0061002D003100",
		"SET CONTEXT_INFO 0x710074003100200078003D0061002D00310000000000",
		"DECLARE @c varbinary(128) = 0x71743120783D612D31; SET CONTEXT_INFO @c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		struct context context;
		bool clears = true;

		if (!context_from_set(str_of(statements[i]), no_key, &context, &clears)) {
			fail_msg("sets nothing: %s", statements[i]);
		}
		assert_false(clears);
		assert_true(str_is(context.extended_request_id, "a-1"));
	}
}

static void signature_is_checked_in_strings(void **state)
{
	/* a signed value inside dynamic SQL is verified like any other */
	struct context minimal = {.request_id = STR_LIT("r"), .time_ms = 5};
	struct context context;
	bool clears;
	struct buf statement;

	(void)state;
	buf_init(&statement, 0);
	buf_put_text(&statement,
		     "EXEC sp_executesql N'EXEC sp_set_session_context N''querytrail'', N''");
	context_put(&minimal, STR_LIT("k"), &statement);
	buf_put_text(&statement, "''");
	buf_put_text(&statement, "'");
	/* context_put signs from where it began, so the text before it does not matter */
	assert_true(context_from_set(buf_str(&statement), STR_LIT("k"), &context, &clears));
	assert_int_equal(context.signature, CONTEXT_SIGNATURE_OK);
	assert_true(str_is(context.request_id, "r"));
	buf_done(&statement);
}

static void many_lookups_stay_cheap(void **state)
{
	/* a statement full of variables to look up ends in time, and without a context */
	struct context context;
	bool clears;
	struct buf statement;

	(void)state;
	buf_init(&statement, 0);
	for (int i = 0; i < 4000; i++) {
		buf_put_text(&statement, "EXEC sp_set_session_context N'querytrail', @v;\n");
	}
	assert_false(context_from_set(buf_str(&statement), no_key, &context, &clears));
	assert_true(clears);
	buf_done(&statement);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_context_calls),
		cmocka_unit_test(clearing_calls),
		cmocka_unit_test(other_statements_change_nothing),
		cmocka_unit_test(context_info_in_both_encodings),
		cmocka_unit_test(signature_is_checked_in_strings),
		cmocka_unit_test(many_lookups_stay_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
