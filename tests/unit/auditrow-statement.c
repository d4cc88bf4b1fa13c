#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/auditrow/auditrow.h"

struct fixture {
	struct arena arena;
	struct auditrow_joiner *joiner;
	struct auditrow row;
	struct record record;
	struct error err;
};

static int make(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	arena_init(&f->arena, 16 << 20);
	f->joiner = auditrow_joiner_new(STR_LIT("db"), 1 << 20);
	*state = f;
	return f->joiner == NULL;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	auditrow_joiner_free(f->joiner);
	arena_done(&f->arena);
	test_free(f);
	return 0;
}

/* The record that a line gives. */
static void read_line(struct fixture *f, const char *line)
{
	assert_int_equal(auditrow_parse_line(str_of(line), &f->arena, &f->row, &f->err), 0);
	assert_int_equal(auditrow_joiner_add(f->joiner, &f->row, &f->err), 0);
	auditrow_joiner_flush(f->joiner, true);
	assert_int_equal(auditrow_joiner_take(f->joiner, &f->arena, &f->record, &f->err), 0);
}

static void check_text(const struct fixture *f, unsigned field, const char *text)
{
	struct str found = record_text(&f->record, field);

	if (!record_has(&f->record, field) || !str_is(found, text)) {
		fail_msg("%s is \"%.*s\", not \"%s\"", field_info(field)->name, STR_ARG(found),
			 text);
	}
}

static void check_number(const struct fixture *f, unsigned field, int64_t number)
{
	assert_true(record_has(&f->record, field));
	assert_int_equal(record_number(&f->record, field, 0), number);
}

#define START "{\"event_time\":\"2026-11-22T10:00:00.1234567\","

static void columns_become_fields(void **state)
{
	/* every column arrives in its field, trimmed, joined or in hexadecimal where the field says so; the line stays as it was */
	static const char line[] = START
		"\"sequence_number\":1,\"action_id\":\"SL  \",\"succeeded\":true,\"session_id\":51,"
		"\"object_id\":7,\"class_type\":\"U \",\"session_server_principal_name\":\"app\","
		"\"server_principal_name\":\"svc\",\"database_principal_name\":\"u\","
		"\"server_instance_name\":\"SQL1\",\"database_name\":\"crm\",\"schema_name\":"
		"\"dbo\","
		"\"object_name\":\"Orders\",\"statement\":\"select "
		"1\",\"additional_information\":\"<x/>\","
		"\"file_name\":\"D:\\\\audit\\\\a_0.sqlaudit\",\"audit_file_offset\":4096,"
		"\"user_defined_event_id\":0,\"user_defined_information\":\"\","
		"\"sequence_group_id\":\"0xAB01\",\"transaction_id\":99,\"client_ip\":\"10.0.0.1\","
		"\"application_name\":\"api\",\"duration_milliseconds\":0,\"response_rows\":5,"
		"\"affected_rows\":5,\"connection_id\":\"C0FFEE\",\"host_name\":\"h\","
		"\"session_context\":\"k=v\",\"client_tls_version_name\":\"1.2\"}";
	struct fixture *f = *state;

	read_line(f, line);
	check_text(f, FIELD_action, "SL");
	check_text(f, FIELD_verb, "SELECT");
	check_text(f, FIELD_class, "U");
	check_text(f, FIELD_session_principal, "app");
	check_text(f, FIELD_principal, "svc");
	check_text(f, FIELD_db_user, "u");
	check_text(f, FIELD_server, "SQL1");
	check_text(f, FIELD_database, "crm");
	check_text(f, FIELD_schema, "dbo");
	check_text(f, FIELD_object, "Orders");
	check_text(f, FIELD_table, "dbo.Orders");
	check_text(f, FIELD_statement, "select 1");
	check_text(f, FIELD_additional_information, "<x/>");
	check_text(f, FIELD_file, "a_0.sqlaudit");
	check_text(f, FIELD_sequence_group_id, "ab01");
	check_text(f, FIELD_client_ip, "10.0.0.1");
	check_text(f, FIELD_application, "api");
	check_text(f, FIELD_connection_id, "C0FFEE");
	check_text(f, FIELD_host, "h");
	check_text(f, FIELD_session_context, "k=v");
	check_text(f, FIELD_client_tls_version, "1.2");
	check_text(f, FIELD_parse, "ok");
	check_text(f, FIELD_raw, line);
	check_number(f, FIELD_succeeded, 1);
	check_number(f, FIELD_session_id, 51);
	check_number(f, FIELD_object_id, 7);
	check_number(f, FIELD_file_offset, 4096);
	check_number(f, FIELD_transaction_id, 99);
	check_number(f, FIELD_duration_ms, 0);
	check_number(f, FIELD_rows, 5);
	check_number(f, FIELD_parts, 1);
	check_number(f, FIELD_sequence, 1);
	assert_false(record_has(&f->record, FIELD_extra));
	assert_false(record_has(&f->record, FIELD_user_defined_event_id));
	assert_false(record_has(&f->record, FIELD_user_defined_information));
	assert_int_equal(record_text(&f->record, FIELD_statement_id).len, RECORD_ID_DIGITS);
}

static void unknown_columns_go_to_extra(void **state)
{
	/* columns without a field, and values that do not fit theirs, are kept in extra; what says nothing is not */
	struct fixture *f = *state;

	read_line(f,
		  START "\"action_id\":\"SL\",\"session_id\":\"none\",\"server_principal_id\":5,"
			"\"database_principal_id\":0,\"server_principal_sid\":\"0x0105\","
			"\"permission_bitmask\":\"0x\",\"future\":\"a\\\"b\",\"future_null\":null,"
			"\"future_time\":\"2026-01-01\",\"is_column_permission\":true}");
	check_text(f, FIELD_extra,
		   "{\"session_id\":\"none\",\"server_principal_id\":5,\"server_principal_sid\":"
		   "\"0x0105\",\"future\":\"a\\\"b\",\"future_time\":\"2026-01-01\","
		   "\"is_column_permission\":true}");
	assert_false(record_has(&f->record, FIELD_session_id));
	assert_false(record_has(&f->record, FIELD_statement));
}

static void rows_are_returned_or_affected(void **state)
{
	/* rows returned count when there are any, else rows affected; what the one word does not tell is kept in extra */
	static const struct {
		const char *columns;
		int64_t rows;
		const char *extra;
	} cases[] = {
		{"\"response_rows\":3,\"affected_rows\":0", 3, NULL},
		{"\"response_rows\":0,\"affected_rows\":4", 4, NULL},
		{"\"response_rows\":0,\"affected_rows\":0", 0, NULL},
		{"\"response_rows\":0", 0, NULL},
		{"\"affected_rows\":4", 4, NULL},
		{"\"response_rows\":3,\"affected_rows\":4", 3, "{\"affected_rows\":4}"},
		{"\"response_rows\":null,\"affected_rows\":null", -1, NULL},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[256];

		snprintf(line, sizeof(line), START "\"action_id\":\"BCM\",%s}", cases[i].columns);
		read_line(f, line);
		assert_int_equal(record_number(&f->record, FIELD_rows, -1), cases[i].rows);
		assert_int_equal(record_has(&f->record, FIELD_extra), cases[i].extra != NULL);
		if (cases[i].extra != NULL) {
			check_text(f, FIELD_extra, cases[i].extra);
		}
	}
}

static void user_defined_rows(void **state)
{
	/* a row of sp_audit_write keeps its id and text */
	struct fixture *f = *state;

	read_line(f, START "\"action_id\":\"UDAU\",\"user_defined_event_id\":27,"
			   "\"user_defined_information\":\"qt1 x=a\"}");
	check_number(f, FIELD_user_defined_event_id, 27);
	check_text(f, FIELD_user_defined_information, "qt1 x=a");
	check_text(f, FIELD_verb, "AUDIT WRITE");
}

static void records_encode(void **state)
{
	/* the record of a row passes through its canonical bytes unchanged */
	struct fixture *f = *state;
	struct buf bytes;
	struct buf again;
	struct record *decoded = test_malloc(sizeof(*decoded));

	buf_init(&bytes, 0);
	buf_init(&again, 0);
	read_line(f, START "\"action_id\":\"SL\",\"statement\":\"\\ud800 x\",\"new\":[1]}");
	assert_int_equal(record_encode(&f->record, &bytes, &f->err), 0);
	assert_int_equal(record_decode(buf_str(&bytes), decoded, &f->err), 0);
	assert_int_equal(record_encode(decoded, &again, &f->err), 0);
	assert_true(str_equal(buf_str(&bytes), buf_str(&again)));
	assert_true(str_is(record_text(decoded, FIELD_statement), "\xED\xA0\x80 x"));
	buf_done(&again);
	buf_done(&bytes);
	test_free(decoded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(columns_become_fields, make, unmake),
		cmocka_unit_test_setup_teardown(unknown_columns_go_to_extra, make, unmake),
		cmocka_unit_test_setup_teardown(rows_are_returned_or_affected, make, unmake),
		cmocka_unit_test_setup_teardown(user_defined_rows, make, unmake),
		cmocka_unit_test_setup_teardown(records_encode, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
