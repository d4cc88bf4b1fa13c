#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/writer.h"

static void test_table(void **state)
{
	/* Proves: each format is found by its name, has an ending and all functions; another name finds none. */
	(void)state;
	size_t count;
	const struct report_writer_type *const *types = report_writer_types(&count);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++) {
		const struct report_writer_type *type = types[i];
		assert_ptr_equal(report_writer_find(type->name), type);
		assert_int_equal(type->extension[0], '.');
		assert_true(strlen(type->help) > 10);
		assert_true(type->begin != NULL && type->section != NULL && type->facts != NULL &&
			    type->chart != NULL && type->table_begin != NULL && type->row != NULL &&
			    type->table_end != NULL && type->note != NULL && type->end != NULL);
	}
	assert_null(report_writer_find("xls"));
	assert_null(report_writer_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
