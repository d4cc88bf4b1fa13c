#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/carried.h"

struct heard {
	char ids[256];
};

static void hear(void *owner, struct str id)
{
	struct heard *heard = owner;
	size_t len = strlen(heard->ids);
	assert_true(len + id.len + 2 < sizeof heard->ids);
	memcpy(heard->ids + len, id.ptr, id.len);
	memcpy(heard->ids + len + id.len, " ", 2);
}

static struct record row_of(const char *action, const char *statement)
{
	struct record row;
	record_init(&row, RECORD_STATEMENT);
	row.source = STR_LIT("db");
	row.key = STR_LIT("k");
	record_set_text(&row, FIELD_action, str_of(action));
	record_set_text(&row, FIELD_statement, str_of(statement));
	return row;
}

static void all_places_are_read(void **state)
{
	/* column, application, what a batch sets, what it tells, and comments each give their ids */
	(void)state;
	struct heard heard = {""};
	struct record row = row_of("BCM ", "EXEC sp_set_session_context N'querytrail', N'qt1 x=X1 "
					   "r=R1' /*request_id=R2*/");
	record_set_text(&row, FIELD_session_context, STR_LIT("{\"querytrail\":\"qt1 l=L3\"}"));
	record_set_text(&row, FIELD_application,
			STR_LIT("lambda:AAAAAAAA-0000-4000-8000-000000000001"));
	carried_ids(&row, hear, &heard);
	assert_string_equal(heard.ids, "L3 aaaaaaaa-0000-4000-8000-000000000001 X1 R1 R2 ");
	row = row_of("UDAU", "EXEC sp_audit_write 1, 1, N'..'");
	record_set_text(&row, FIELD_user_defined_information, STR_LIT("qt1 x=X9"));
	heard.ids[0] = '\0';
	carried_ids(&row, hear, &heard);
	assert_string_equal(heard.ids, "X9 ");
	row = row_of("SL", "SELECT 1");
	heard.ids[0] = '\0';
	carried_ids(&row, hear, &heard);
	assert_string_equal(heard.ids, "");
}

static void what_may_mark(void **state)
{
	/* logins, logouts, sp_audit_write and texts that speak of a context may mark; others do not */
	(void)state;
	static const struct {
		const char *action, *statement;
		unsigned marks;
	} rows[] = {
		{"LGIS", "", CARRIED_RESETS},
		{"LGO ", "", CARRIED_RESETS},
		{"DBAS", "", CARRIED_RESETS},
		{"UDAU", "EXEC x_context", CARRIED_WRITES},
		{"BCM", "EXEC SP_SET_SESSION_CONTEXT @a", CARRIED_SETS},
		{"SL", "set CONTEXT_INFO 0x00", CARRIED_SETS},
		{"SL", "SELECT a_b FROM some_table", 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct record row = row_of(rows[i].action, rows[i].statement);
		assert_int_equal(carried_marks(&row), rows[i].marks);
	}
}

static void keys_of_sessions(void **state)
{
	/* a session is its source and connection, or server and number; zeros are no connection */
	(void)state;
	uint64_t a = 0, b = 0;
	struct record row = row_of("SL", "");
	assert_false(carried_session(&row, &a));
	record_set_text(&row, FIELD_connection_id, STR_LIT("00000000-0000-0000-0000-000000000000"));
	assert_false(carried_session(&row, &a));
	record_set_number(&row, FIELD_session_id, 51);
	assert_true(carried_session(&row, &a));
	record_set_number(&row, FIELD_session_id, 52);
	assert_true(carried_session(&row, &b));
	assert_true(a != b);
	record_set_text(&row, FIELD_connection_id, STR_LIT("00000000-0000-0000-0000-000000000001"));
	assert_true(carried_session(&row, &a));
	record_set_number(&row, FIELD_session_id, 53);
	assert_true(carried_session(&row, &b));
	assert_true(a == b);
	row.source = STR_LIT("db2");
	assert_true(carried_session(&row, &b));
	assert_true(a != b);
	assert_true(carried_key_borne(a) != a);
	assert_true(carried_key_marks(a, CARRIED_SETS) != carried_key_marks(a, CARRIED_WRITES));
}

static void uuids_in_application_names(void **state)
{
	/* only a UUID that stands on its own counts */
	(void)state;
	char uuid[CARRIED_UUID];
	assert_true(carried_uuid(STR_LIT("f-AAAAAAAA-0000-4000-8000-00000000000F"), uuid));
	assert_memory_equal(uuid, "aaaaaaaa-0000-4000-8000-00000000000f", CARRIED_UUID);
	assert_false(carried_uuid(STR_LIT("fAAAAAAAA-0000-4000-8000-00000000000F"), uuid));
	assert_false(carried_uuid(STR_LIT("orders"), uuid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_places_are_read),
		cmocka_unit_test(what_may_mark),
		cmocka_unit_test(keys_of_sessions),
		cmocka_unit_test(uuids_in_application_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
