#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/columns.h"
#include "tests/unit/store-fixture.h"

static void columns_def_names_fitting_types(void **state)
{
	/* CODES and IDS are texts, NUMBERS are numbers, and no field stands twice */
	unsigned hot = 0;
	(void)state;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		enum field_type type = field_info(field)->type;
		bool is_text = type == FIELD_TYPE_TEXT;
		enum columns_form form = columns_form(field);
		hot += form != 0 ? 1 : 0;
		assert_true(form == 0 || is_text == (form == COLUMNS_CODES || form == COLUMNS_IDS));
	}
	size_t rows = 0;
#define COLUMN(field, form) rows++;
#include "store/columns.def"
#undef COLUMN
	assert_int_equal(hot, rows);
}

static void refuses_one_row_too_many(void **state)
{
	/* COLUMNS_ROWS_MAX rows go in, the next is ERR_LIMIT; cleared, it takes rows again */
	struct columns_builder *builder = columns_builder_new();
	struct record record;
	(void)state;
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT("s");
	record.key = STR_LIT("k");
	for (size_t i = 0; i < COLUMNS_ROWS_MAX; i++) {
		assert_int_equal(columns_builder_add(builder, &record), 0);
	}
	assert_int_equal(columns_builder_add(builder, &record), -ERR_LIMIT);
	columns_builder_clear(builder);
	assert_int_equal(columns_builder_add(builder, &record), 0);
	columns_builder_free(builder);
}

static void same_rows_same_bytes(void **state)
{
	/* the blobs depend on the rows alone, not on what the builder held before */
	struct fixture fixture;
	struct columns_builder *used = columns_builder_new();
	struct columns_builder *fresh = columns_builder_new();
	struct buf a, b, c, d;
	struct str encoded;
	(void)state;
	fixture_init(&fixture);
	buf_init(&a, 0);
	buf_init(&b, 0);
	buf_init(&c, 0);
	buf_init(&d, 0);
	for (uint64_t n = 500; n < 900; n++) {
		assert_int_equal(columns_builder_add(used, fixture_record(&fixture, n, &encoded)),
				 0);
	}
	columns_builder_clear(used);
	for (uint64_t n = 0; n < 300; n++) {
		assert_int_equal(columns_builder_add(used, fixture_record(&fixture, n, &encoded)),
				 0);
		assert_int_equal(columns_builder_add(fresh, fixture_record(&fixture, n, &encoded)),
				 0);
	}
	assert_int_equal(columns_builder_finish(used, &a, &b), 0);
	assert_int_equal(columns_builder_finish(fresh, &c, &d), 0);
	assert_true(str_equal(buf_str(&a), buf_str(&c)));
	assert_true(str_equal(buf_str(&b), buf_str(&d)));
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
	buf_done(&d);
	columns_builder_free(used);
	columns_builder_free(fresh);
	fixture_done(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_def_names_fitting_types),
		cmocka_unit_test(refuses_one_row_too_many),
		cmocka_unit_test(same_rows_same_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
