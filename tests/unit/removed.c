#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/removed.h"
#include "tests/unit/seal-oracle.h"

static void removals_add_up(void **state)
{
	/* what several transactions took away is one sum; nothing taken writes nothing; a damaged sum is told */
	struct oracle oracle;
	struct error err;
	struct store_removed removed;
	(void)state;
	oracle_init(&oracle, 1);
	struct catalog *catalog = oracle.world.filled.store->catalog;
	assert_int_equal(removed_add(catalog, 0, &err), 0);
	assert_int_equal(removed_read(catalog, &removed, &err), 0);
	assert_int_equal(removed.records, 0);
	assert_int_equal(removed_add(catalog, 40, &err), 0);
	assert_int_equal(removed_add(catalog, 2, &err), 0);
	assert_int_equal(removed_read(catalog, &removed, &err), 0);
	assert_int_equal(removed.records, 42);
	store_close(oracle.world.filled.store);
	filled_sql(&oracle.world.filled,
		   "UPDATE meta SET value = x'2d31' WHERE key = 'removed.records'");
	filled_open(&oracle.world.filled, STORE_READ);
	assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), -ERR_CORRUPT);
	oracle_done(&oracle);
}

static void the_floor_only_rises(void **state)
{
	/* without a floor there is none; a lower one changes nothing; it survives a start, and a rolled back one does not count */
	struct oracle oracle;
	struct error err;
	struct store_removed removed;
	(void)state;
	oracle_init(&oracle, 1);
	assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), 0);
	assert_true(removed.floor_ns == INT64_MIN);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, -5, &err), 0);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, 700, &err), 0);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, 600, &err), 0);
	assert_int_equal(store_begin(oracle.world.filled.store, 1, &err), 0);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, 900, &err), 0);
	store_rollback(oracle.world.filled.store);
	seal_world_reopen(&oracle.world, STORE_READ);
	assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), 0);
	assert_true(removed.floor_ns == 700);
	store_close(oracle.world.filled.store);
	filled_sql(&oracle.world.filled,
		   "UPDATE meta SET value = x'78' WHERE key = 'removed.floor'");
	filled_open(&oracle.world.filled, STORE_READ);
	assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), -ERR_CORRUPT);
	oracle_done(&oracle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removals_add_up),
		cmocka_unit_test(the_floor_only_rises),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
