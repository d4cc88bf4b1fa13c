#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/alert-make.h"

#define NOW INT64_C(1795305600000000000)

static struct record statement(struct str text)
{
	struct record record;
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record_set_text(&record, FIELD_statement, text);
	record_set_text(&record, FIELD_server, STR_LIT(""));
	record_set_number(&record, FIELD_rows, -3);
	record_set_number(&record, FIELD_succeeded, 0);
	return record;
}

static void records_become_one_alert(void **state)
{
	/* texts, numbers and truths of all records stand in it, absent ones are absent, and present empty ones are empty */
	struct arena arena;
	struct alert alert;
	struct record request, other;
	(void)state;
	arena_init(&arena, 1 << 20);
	struct record row = statement(STR_LIT("SELECT 1"));
	record_init(&request, RECORD_REQUEST);
	request.source = STR_LIT("api");
	record_set_text(&request, FIELD_user, STR_LIT("ann"));
	record_set_number(&request, FIELD_status, 200);
	record_init(&other, RECORD_GAP);
	other.source = STR_LIT("files");
	record_set_text(&other, FIELD_reason, STR_LIT("a file is gone"));
	struct alert_parts parts = {.id = STR_LIT("00000000000000aa"),
				    .rule = STR_LIT("r"),
				    .severity = 5,
				    .time_ns = NOW,
				    .fired_ns = NOW + 1000000,
				    .statement = &row,
				    .request = &request,
				    .statement_bytes = 100};
	assert_int_equal(alert_make(&parts, &arena, &alert), 0);
	assert_true(str_is(alert.value[ALERT_severity], "critical"));
	assert_true(str_is(alert.value[ALERT_state], "firing"));
	assert_true(str_is(alert.value[ALERT_time], "2026-11-22T00:00:00.000Z"));
	assert_true(str_is(alert.value[ALERT_fired], "2026-11-22T00:00:00.001Z"));
	assert_true(str_is(alert.value[ALERT_user], "ann"));
	assert_true(str_is(alert.value[ALERT_status], "200"));
	assert_true(str_is(alert.value[ALERT_rows], "-3"));
	assert_true(str_is(alert.value[ALERT_succeeded], "false"));
	assert_true(str_is(alert.value[ALERT_statement], "SELECT 1"));
	assert_true(str_is(alert.value[ALERT_source], "db"));
	assert_non_null(alert.value[ALERT_server].ptr);
	assert_int_equal(alert.value[ALERT_server].len, 0);
	assert_null(alert.value[ALERT_database].ptr);
	assert_null(alert.value[ALERT_resolved].ptr);
	assert_null(alert.value[ALERT_gap].ptr);
	parts = (struct alert_parts){.id = parts.id,
				     .rule = parts.rule,
				     .severity = 1,
				     .resolution = STR_LIT("expired"),
				     .resolved_ns = NOW,
				     .other = &other};
	assert_int_equal(alert_make(&parts, &arena, &alert), 0);
	assert_true(str_is(alert.value[ALERT_state], "resolved"));
	assert_true(str_is(alert.value[ALERT_resolution], "expired"));
	assert_true(str_is(alert.value[ALERT_resolved], "2026-11-22T00:00:00.000Z"));
	assert_true(str_is(alert.value[ALERT_gap], "a file is gone"));
	assert_true(str_is(alert.value[ALERT_source], "files"));
	assert_null(alert.value[ALERT_statement].ptr);
	arena_done(&arena);
}

static void long_texts_are_cut_between_characters(void **state)
{
	/* at every length the cut statement is whole characters and an ellipsis, and no length is read past its end; 0 is none */
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
	struct arena arena;
	struct alert alert;
	(void)state;
	arena_init(&arena, 1 << 20);
	struct record row = statement(str_of(text));
	for (size_t max = 1; max < 11; max++) {
		const struct alert_parts parts = {.id = STR_LIT("a"),
						  .severity = 1,
						  .statement = &row,
						  .statement_bytes = max};
		assert_int_equal(alert_make(&parts, &arena, &alert), 0);
		struct str cut = alert.value[ALERT_statement];
		assert_int_equal(cut.len, kept[max] + 3);
		assert_true(str_has_suffix(cut, STR_LIT("\xe2\x80\xa6")));
		assert_memory_equal(cut.ptr, text, kept[max]);
	}
	const struct alert_parts none = {.severity = 1, .statement = &row};
	assert_int_equal(alert_make(&none, &arena, &alert), 0);
	assert_null(alert.value[ALERT_statement].ptr);
	arena_done(&arena);
}

static void no_memory_is_told(void **state)
{
	/* an arena that is too small for the values is an error */
	struct arena arena;
	struct alert alert;
	(void)state;
	arena_init(&arena, 8);
	const struct alert_parts parts = {.severity = 1};
	assert_int_equal(alert_make(&parts, &arena, &alert), -ERR_NOMEM);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_become_one_alert),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(no_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
