#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/seal-input.h"
#include "tests/unit/seal-world.h"

#include <stdlib.h>
#include <sys/stat.h>

#define RECORDS 300

static const struct seal_order first_half = {.head_end = 150,
					     .settled_ns = INT64_MAX,
					     .judged_ns = INT64_MAX,
					     .requests = 10,
					     .close = true,
					     .now_ns = 1};

/* Half of the records in blocks, half in the head; all of them taken. */
static void take_all(struct seal_world *world, struct seal_inputs *inputs)
{
	uint64_t numbers[8];
	struct error err;
	seal_world_init(world, RECORDS, 50);
	(void)seal_world_run(world, &first_half);
	assert_int_equal(seal_inputs_init(inputs, world->filled.store, NULL, &err), 0);
	assert_int_equal(seal_inputs_add_head(inputs, UINT64_MAX, &err), 0);
	size_t count = seal_world_blocks(world, false, numbers, 8);
	assert_true(count > 1);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(seal_inputs_add_block(inputs, numbers[i], &err), 0);
	}
	assert_int_equal(seal_inputs_records(inputs), RECORDS);
}

static void check_item(struct seal_world *world, struct seal_inputs *inputs,
		       const struct seal_item *item)
{
	struct str encoded, given;
	struct error err;
	int64_t ingest_ns = 0;
	const struct record *record = fixture_record(&world->filled.fixture, item->leaf, &encoded);
	assert_int_equal(item->kind, record->kind);
	assert_true(item->time_ns == record->time_ns);
	assert_int_equal(seal_input_read(inputs, item, &given, &ingest_ns, &err), 0);
	assert_true(str_equal(given, encoded));
	assert_true(ingest_ns == FIXTURE_START_NS + (int64_t)(item->leaf / 50 * 50));
	if (record->kind != RECORD_VERDICT) {
		assert_true(item->subject == SEAL_NO_LEAF && item->request == SEAL_NO_LEAF);
		return;
	}
	assert_int_equal(item->subject, record_number(record, FIELD_statement_leaf, -1));
	assert_int_equal(item->request, record_number(record, FIELD_request_leaf, -1));
	assert_int_equal(item->revision, 0);
	assert_true(item->is_final);
}

static void head_and_blocks_tell_alike(void **state)
{
	/* each record is listed once, from batches and blocks, with what its verdict says, and reads as it was stored */
	struct seal_world world;
	struct seal_inputs inputs;
	struct error err;
	bool seen[RECORDS] = {false};
	(void)state;
	take_all(&world, &inputs);
	for (size_t i = 0; i < inputs.count; i++) {
		size_t rows = seal_input_rows(&inputs.list[i]);
		struct seal_item *items = calloc(rows, sizeof items[0]);
		assert_non_null(items);
		assert_true(inputs.list[i].bytes > 0);
		assert_int_equal(seal_input_list(&inputs, i, items, &err), 0);
		for (size_t row = 0; row < rows; row++) {
			assert_int_equal(items[row].input, i);
			assert_int_equal(items[row].row, row);
			assert_true(items[row].leaf < RECORDS && !seen[items[row].leaf]);
			seen[items[row].leaf] = true;
			check_item(&world, &inputs, &items[row]);
		}
		free(items);
	}
	seal_inputs_done(&inputs);
	seal_world_done(&world);
}

static void only_whole_batches(void **state)
{
	/* a batch that goes past the end is not taken; a block that is not there is ERR_GONE */
	struct seal_world world;
	struct seal_inputs inputs;
	struct error err;
	(void)state;
	seal_world_init(&world, RECORDS, 50);
	assert_int_equal(seal_inputs_init(&inputs, world.filled.store, NULL, &err), 0);
	assert_int_equal(seal_inputs_add_head(&inputs, 149, &err), 0);
	assert_int_equal(seal_inputs_records(&inputs), 100);
	assert_int_equal(seal_inputs_add_block(&inputs, 1, &err), -ERR_GONE);
	seal_inputs_done(&inputs);
	seal_world_done(&world);
}

static void where_the_others_wait(void **state)
{
	/* what is elsewhere: the head behind the batches that are taken, and open blocks that are not */
	struct seal_world world;
	struct seal_inputs inputs;
	struct seal_range *ranges = NULL;
	size_t count = 0;
	struct error err;
	uint64_t open[8];
	(void)state;
	seal_world_init(&world, RECORDS, 50);
	struct seal_order order = first_half;
	order.close = false;
	order.settled_ns = INT64_MIN;
	order.judged_ns = INT64_MIN;
	(void)seal_world_run(&world, &order);
	assert_true(seal_world_blocks(&world, true, open, 8) > 0);
	assert_int_equal(seal_inputs_init(&inputs, world.filled.store, NULL, &err), 0);
	assert_int_equal(seal_inputs_elsewhere(&inputs, &ranges, &count, &err), 0);
	assert_int_equal(ranges[count - 1].last, UINT64_MAX);
	assert_true(ranges[0].first < 150);
	free(ranges);
	assert_int_equal(seal_inputs_add_head(&inputs, 200, &err), 0);
	for (size_t i = 0; i < seal_world_blocks(&world, true, open, 8); i++) {
		assert_int_equal(seal_inputs_add_block(&inputs, open[i], &err), 0);
	}
	assert_int_equal(seal_inputs_elsewhere(&inputs, &ranges, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(ranges[0].first, 200);
	assert_int_equal(ranges[0].last, UINT64_MAX);
	free(ranges);
	seal_inputs_done(&inputs);
	seal_world_done(&world);
}

static void damage_is_named(void **state)
{
	/* a batch whose columns are damaged is ERR_CORRUPT, with its file */
	struct seal_world world;
	struct seal_inputs inputs;
	struct seal_item items[50];
	struct stat status;
	struct error err;
	(void)state;
	seal_world_init(&world, 50, 50);
	store_close(world.filled.store);
	assert_int_equal(stat(fixture_path(&world.filled.fixture, "head/000001.qth"), &status), 0);
	for (long back = 64; back < 8000; back += 64) {
		fixture_patch(&world.filled.fixture, "head/000001.qth", (long)status.st_size - back,
			      STR_LIT("damaged!"));
	}
	filled_open(&world.filled, STORE_WRITE);
	assert_int_equal(seal_inputs_init(&inputs, world.filled.store, NULL, &err), 0);
	assert_int_equal(seal_inputs_add_head(&inputs, 50, &err), 0);
	assert_int_equal(seal_input_list(&inputs, 0, items, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.text, "000001.qth"));
	seal_inputs_done(&inputs);
	seal_world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_and_blocks_tell_alike),
		cmocka_unit_test(only_whole_batches),
		cmocka_unit_test(where_the_others_wait),
		cmocka_unit_test(damage_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
