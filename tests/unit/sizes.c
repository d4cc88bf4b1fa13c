#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/handle.h"
#include "store/sizes.h"
#include "tests/unit/seal-world.h"

#define RECORDS 700

struct summed {
	uint64_t columns, stored;
	double floor;
};

static void see(void *owner, const struct block_measured *measured)
{
	struct summed *summed = owner;
	summed->columns++;
	summed->stored += measured->stored_bytes;
	summed->floor += measured->floor_bits / 8;
}

static struct store_sizes sizes_of(struct store *store)
{
	struct store_sizes sizes;
	struct error err;
	uint64_t all = 0;
	assert_int_equal(store_sizes(store, &sizes, &err), 0);
	assert_int_equal(store_size(store, &all, &err), 0);
	assert_int_equal(sizes.all_bytes, all);
	assert_true(sizes.head_bytes + sizes.block_bytes + sizes.replaced_bytes +
			    sizes.catalog_bytes <=
		    all);
	assert_true(sizes.filter_bytes + sizes.summary_bytes + sizes.free_bytes <
		    sizes.catalog_bytes);
	return sizes;
}

static void before_and_after_a_seal(void **state)
{
	/* all records are in the head, then in blocks, whose counts and bytes are those of the records; measuring tells all their columns */
	(void)state;
	struct seal_world world;
	struct error err;
	struct summed summed = {0};
	struct store_measured measured;
	const struct store_measure all = {UINT64_MAX, see, &summed};
	seal_world_init(&world, RECORDS, 100);
	struct store_sizes before = sizes_of(world.filled.store);
	assert_int_equal(before.head_records, RECORDS);
	assert_true(before.head_bytes > 0 && before.block_count == 0 && before.raw_bytes == 0);
	assert_int_equal(store_measure(world.filled.store, &all, &measured, &err), 0);
	assert_true(measured.block_count == 0 && summed.columns == 0);

	const struct seal_order order = {.head_end = UINT64_MAX,
					 .settled_ns = INT64_MAX,
					 .requests = 16,
					 .close = true,
					 .now_ns = 1};
	(void)seal_world_run(&world, &order);
	struct store_sizes after = sizes_of(world.filled.store);
	assert_int_equal(after.head_records, 0);
	assert_int_equal(after.sealed_records, RECORDS);
	assert_true(after.block_count > 1 && after.block_bytes > 0 && after.filter_bytes > 0);
	assert_true(after.raw_bytes > 0 && after.raw_bytes < after.record_bytes);
	assert_int_equal(after.of_kind[RECORD_REQUEST], RECORDS / FIXTURE_PERIOD);

	assert_int_equal(store_measure(world.filled.store, &all, &measured, &err), 0);
	assert_int_equal(measured.block_count, after.block_count);
	assert_int_equal(measured.rows, RECORDS);
	assert_true(summed.stored < after.block_bytes && summed.floor <= (double)summed.stored);
	seal_world_done(&world);
}

static void a_sample_and_damage(void **state)
{
	/* few rows asked for give one block at least; one that is missing is left out, told, and the others are measured */
	(void)state;
	struct seal_world world;
	struct error err;
	struct summed summed = {0};
	struct store_measured measured;
	char path[256];
	const struct store_measure one = {1, see, &summed};
	const struct store_measure all = {UINT64_MAX, see, &summed};
	const struct seal_order order = {.head_end = UINT64_MAX,
					 .settled_ns = INT64_MAX,
					 .requests = 16,
					 .close = true,
					 .now_ns = 1};
	seal_world_init(&world, RECORDS, 100);
	(void)seal_world_run(&world, &order);
	assert_int_equal(store_measure(world.filled.store, &one, &measured, &err), 0);
	assert_int_equal(measured.block_count, 1);
	assert_true(measured.all_count > 2 && measured.damage.code == 0);
	const struct blocks_list *list = NULL;
	struct error damage;
	struct blocks *blocks =
		blocks_new(world.filled.fixture.dir, world.filled.store->catalog, NULL);
	assert_int_equal(blocks_load(blocks, &list, &damage, &err), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", world.filled.fixture.dir, list->rows[1].name);
	blocks_free(blocks);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_measure(world.filled.store, &all, &measured, &err), 0);
	assert_int_equal(measured.block_count, measured.all_count - 1);
	assert_int_equal(measured.damage.code, ERR_CORRUPT);
	assert_non_null(strstr(measured.damage.text, "is missing"));
	seal_world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_and_after_a_seal),
		cmocka_unit_test(a_sample_and_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
