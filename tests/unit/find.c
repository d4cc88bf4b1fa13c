#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/head-damage.h"
#include "tests/unit/store-filled.h"

static size_t find(struct filled *filled, struct str id, uint64_t *out_first)
{
	uint64_t leaves[4] = {UINT64_MAX};
	struct scan_found found = {.leaves = leaves, .max = 4};
	assert_int_equal(scan_find_id(filled->store, id, &found, &filled->err), 0);
	*out_first = leaves[0];
	return found.count;
}

static void each_kind_of_id(void **state)
{
	/* request ids, statement ids (statement and verdict), connection ids and stable ids lead to their leaves in order */
	struct filled filled;
	struct str encoded;
	uint64_t leaf = 0;
	char stable[RECORD_ID_DIGITS + 1];
	(void)state;
	filled_init(&filled, 700, 300);
	const struct record *record = fixture_record(&filled.fixture, 350, &encoded);
	assert_int_equal(find(&filled, record_text(record, FIELD_request_id), &leaf), 1);
	assert_int_equal(leaf, 350);
	assert_int_equal(find(&filled, record_text(record, FIELD_extended_request_id), &leaf), 1);
	assert_int_equal(find(&filled, record_text(record, FIELD_lambda_request_id), &leaf), 1);
	record_stable_id(record->source, record->key, stable);
	assert_int_equal(find(&filled, str_of(stable), &leaf), 1);
	assert_int_equal(leaf, 350);
	record = fixture_record(&filled.fixture, 352, &encoded);
	assert_int_equal(find(&filled, record_text(record, FIELD_statement_id), &leaf), 2);
	assert_int_equal(leaf, 352);
	assert_int_equal(find(&filled, record_text(record, FIELD_connection_id), &leaf), 3);
	assert_int_equal(leaf, 262);
	assert_int_equal(find(&filled, STR_LIT("nobody"), &leaf), 0);
	assert_int_equal(find(&filled, STR_LIT(""), &leaf), 0);
	assert_int_equal(find(&filled, STR_LIT("00000000000000zz"), &leaf), 0);
	filled_done(&filled);
}

static void damaged_ids_are_told(void **state)
{
	/* ids that can't be read are ERR_CORRUPT: "none" would be a lie; what the other batches hold is found */
	struct filled filled;
	uint64_t leaf = 0;
	struct scan_found found = {.leaves = &leaf, .max = 1, .count = 7};
	(void)state;
	filled_init(&filled, 300, 100);
	head_damage(filled.fixture.dir, 100, HEAD_IDS);
	assert_int_equal(scan_find_id(filled.store, STR_LIT("x"), &found, &filled.err),
			 -ERR_CORRUPT);
	assert_int_equal(found.count, 0);
	assert_non_null(strstr(filled.err.text, "batch 2"));
	char id[RECORD_ID_DIGITS + 1];
	struct str encoded;
	const struct record *record = fixture_record(&filled.fixture, 5, &encoded);
	record_stable_id(record->source, record->key, id);
	assert_int_equal(scan_find_id(filled.store, str_of(id), &found, &filled.err), -ERR_CORRUPT);
	assert_int_equal(found.count, 1);
	assert_int_equal(leaf, 5);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_id),
		cmocka_unit_test(damaged_ids_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
