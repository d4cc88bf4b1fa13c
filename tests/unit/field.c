#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/record.h"

static void names_lead_to_numbers_and_back(void **state)
{
	/* every field is found by its name, has a sentence and a kind; unknown names give 0 */
	unsigned count = 0;

	(void)state;
	for (unsigned field = 0; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);

		if (info->name == NULL) {
			continue;
		}
		count++;
		assert_int_equal(field_by_name(str_of(info->name)), field);
		assert_true(info->kinds != 0 && (info->kinds & 1) == 0 &&
			    info->kinds < 1u << RECORD_KIND_COUNT);
		assert_true(strlen(info->help) > 0);
	}
	assert_true(count > 70);
	assert_int_equal(field_by_name(STR_LIT("time")), 0);
	assert_int_equal(field_by_name(STR_LIT("")), 0);
	assert_int_equal(field_by_name(STR_LIT("User")), 0);
}

static void stored_numbers_never_change(void **state)
{
	/* numbers that are stored stand as they were first given out */
	(void)state;
	assert_int_equal(FIELD_raw, 1);
	assert_int_equal(FIELD_request_id, 10);
	assert_int_equal(FIELD_server, 40);
	assert_int_equal(FIELD_statement, 60);
	assert_int_equal(FIELD_grade, 80);
	assert_int_equal(FIELD_event, 100);
	assert_int_equal(FIELD_offset, 108);
	assert_int_equal(field_info(FIELD_raw)->type, FIELD_TYPE_BYTES);
	assert_int_equal(field_info(FIELD_status)->type, FIELD_TYPE_INT);
	assert_int_equal(field_info(FIELD_gap_from)->type, FIELD_TYPE_TIME);
	assert_int_equal(field_info(FIELD_succeeded)->type, FIELD_TYPE_BOOL);
}

static void kinds_have_names(void **state)
{
	/* each kind's name leads back to it, others to 0 */
	(void)state;
	for (int kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		const char *name = record_kind_name((enum record_kind)kind);

		assert_int_equal(record_kind_by_name(str_of(name)), kind);
	}
	assert_string_equal(record_kind_name(RECORD_STATEMENT), "statement");
	assert_int_equal(record_kind_by_name(STR_LIT("statements")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_numbers_and_back),
		cmocka_unit_test(stored_numbers_never_change),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
