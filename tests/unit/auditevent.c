/* A statement as SQL Server's events 33205 and 18456. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/auditevent.h"

static void rows_are_lines(void **state)
{ /* proves that each column is a line "column:value", and that the text is SQL Server's */
	struct record record;
	struct buf text;

	(void)state;
	buf_init(&text, 0);
	record_init(&record, RECORD_STATEMENT);
	record.time_ns = INT64_C(1690974407327042400);
	record_set_text(&record, FIELD_action, STR_LIT("EX"));
	record_set_text(&record, FIELD_object, STR_LIT("xp_cmdshell"));
	record_set_text(&record, FIELD_statement, STR_LIT("EXEC xp_cmdshell\n'dir'"));
	record_set_number(&record, FIELD_session_id, 57);
	record_set_number(&record, FIELD_succeeded, 0);
	auditevent_put_row(&record, &text);
	assert_non_null(strstr(text.ptr,
			       "Audit event: audit_schema_version:1\nevent_time:2023-08-02 "
			       "11:06:47.3270424\nsequence_number:1\naction_id:EX\n"
			       "succeeded:false\n"));
	assert_non_null(strstr(text.ptr, "\nsession_id:57\n"));
	assert_non_null(
		strstr(text.ptr, "\nobject_name:xp_cmdshell\nstatement:EXEC xp_cmdshell\n'dir'\n"));
	assert_non_null(strstr(text.ptr, "\ndatabase_name:\n"));
	buf_done(&text);
}

static void expect_login(const char *statement, const char *client, const char *wanted)
{
	struct record record;
	struct buf text;

	buf_init(&text, 0);
	record_init(&record, RECORD_STATEMENT);
	record_set_text(&record, FIELD_action, STR_LIT("LGIF"));
	record_set_text(&record, FIELD_principal, STR_LIT("sa"));
	if (statement != NULL) {
		record_set_text(&record, FIELD_statement, str_of(statement));
	}
	if (client != NULL) {
		record_set_text(&record, FIELD_client_ip, str_of(client));
	}
	assert_true(auditevent_is_failed_login(&record));
	auditevent_put_login(&record, &text);
	assert_string_equal(text.ptr, wanted);
	buf_done(&text);
}

static void failed_logins_name_their_client(void **state)
{ /* proves that the server's own words are kept, and made where there are none */
	struct record record;

	(void)state;
	expect_login(NULL, "10.0.0.1", "Login failed for user 'sa'. [CLIENT: 10.0.0.1]");
	expect_login(NULL, "local machine",
		     "Login failed for user 'sa'. [CLIENT: <local machine>]");
	expect_login(NULL, NULL, "Login failed for user 'sa'. [CLIENT: <unknown>]");
	expect_login("Login failed for user 'x'. Reason: no. [CLIENT: ::1]", "10.0.0.1",
		     "Login failed for user 'x'. Reason: no. [CLIENT: ::1]");
	expect_login("Login failed for user 'x'. Reason: no.", "10.0.0.1",
		     "Login failed for user 'x'. Reason: no. [CLIENT: 10.0.0.1]");
	record_init(&record, RECORD_STATEMENT);
	record_set_text(&record, FIELD_action, STR_LIT("LGIS"));
	assert_false(auditevent_is_failed_login(&record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_lines),
		cmocka_unit_test(failed_logins_name_their_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
