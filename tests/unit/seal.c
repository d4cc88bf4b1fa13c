#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/blocks.h"
#include "store/handle.h"
#include "tests/unit/fault.h"
#include "tests/unit/seal-world.h"

#include <errno.h>
#include <sys/stat.h>

#define RECORDS 700
#define BATCH   50

static const struct seal_order everything = {.head_end = UINT64_MAX,
					     .settled_ns = INT64_MAX,
					     .requests = 16,
					     .close = true,
					     .now_ns = 1};

static int64_t time_of(uint64_t n)
{
	return FIXTURE_START_NS + (int64_t)n * 1000000;
}

static void sealing_keeps_all(void **state)
{
	/* after sealing the head is empty, and each record comes as before: in the writer, in a reader, after a new start */
	struct seal_world world;
	struct seal_view view;
	struct error err;
	(void)state;
	seal_world_init(&world, RECORDS, BATCH);
	assert_int_equal(seal_look(world.filled.store, &view, &err), 0);
	assert_int_equal(view.head_records, RECORDS);
	assert_int_equal(view.head_first_leaf, 0);
	assert_true(view.head_oldest_ingest_ns == FIXTURE_START_NS);
	struct seal_result result = seal_world_run(&world, &everything);
	assert_int_equal(result.records, RECORDS);
	assert_int_equal(result.blocks_made, 7); /* 100 requests, 16 each */
	assert_int_equal(result.blocks_open, 0);
	assert_int_equal(result.blocks_removed, 0);
	assert_true(result.bytes_before > 0 && result.bytes_after > 0);
	seal_world_check(&world, RECORDS);
	assert_int_equal(seal_look(world.filled.store, &view, &err), 0);
	assert_int_equal(view.head_records, 0);
	assert_true(view.head_first_leaf == UINT64_MAX);
	assert_int_equal(view.blocks, 7);
	assert_int_equal(view.blocks_open, 0);
	seal_world_reopen(&world, STORE_READ);
	seal_world_check(&world, RECORDS);
	seal_world_reopen(&world, STORE_WRITE);
	seal_world_check(&world, RECORDS);
	assert_int_equal(store_leaf_count(world.filled.store), RECORDS);
	seal_world_done(&world);
}

static void nothing_to_seal(void **state)
{
	/* an empty head, or batches that all end later, are ERR_GONE; so is a block that is not there */
	struct seal_world world;
	struct seal_result result;
	struct error err;
	const uint64_t stranger = 99;
	(void)state;
	seal_world_init(&world, 10, 10);
	struct seal_order order = everything;
	order.head_end = 9;
	assert_int_equal(seal_run(world.filled.store, &order, &result, &err), -ERR_GONE);
	order.blocks = &stranger;
	order.block_count = 1;
	assert_int_equal(seal_run(world.filled.store, &order, &result, &err), -ERR_GONE);
	(void)seal_world_run(&world, &everything);
	assert_int_equal(seal_run(world.filled.store, &everything, &result, &err), -ERR_GONE);
	seal_world_done(&world);
}

static void the_head_goes_on(void **state)
{
	/* records that come after a seal get the next leaves, also when the head was empty and the store was opened anew */
	struct seal_world world;
	(void)state;
	seal_world_init(&world, 200, BATCH);
	(void)seal_world_run(&world, &everything);
	filled_add(&world.filled, 200, 33);
	seal_world_remember(&world);
	seal_world_check(&world, 233);
	(void)seal_world_run(&world, &everything);
	seal_world_reopen(&world, STORE_WRITE);
	filled_add(&world.filled, 233, 20);
	seal_world_remember(&world);
	seal_world_reopen(&world, STORE_READ);
	seal_world_check(&world, 253);
	seal_world_done(&world);
}

static void halves_come_together(void **state)
{
	/* what waits goes into an open block, which the next seal takes in: never more than one, and none at the end */
	struct seal_world world;
	uint64_t open[8];
	(void)state;
	seal_world_init(&world, RECORDS, BATCH);
	struct seal_order order = everything;
	order.close = false;
	for (uint64_t end = 100; end <= RECORDS; end += 100) {
		order.head_end = end;
		order.settled_ns = end == RECORDS ? INT64_MAX : time_of(end - 30);
		order.judged_ns = order.settled_ns;
		order.blocks = open;
		order.block_count = seal_world_blocks(&world, true, open, 8);
		assert_true(order.block_count <= 1);
		struct seal_result result = seal_world_run(&world, &order);
		assert_int_equal(result.blocks_removed, order.block_count);
		seal_world_check(&world, RECORDS);
	}
	assert_int_equal(seal_world_blocks(&world, true, open, 8), 0);
	uint64_t all[16];
	size_t blocks = seal_world_blocks(&world, false, all, 16);
	assert_true(blocks >= 7 &&
		    blocks <= 10); /* 100 requests, more than 8 in each but the last */
	seal_world_reopen(&world, STORE_WRITE);
	seal_world_check(&world, RECORDS);
	seal_world_done(&world);
}

static void blocks_are_merged(void **state)
{
	/* many small blocks become few, and nothing else changes */
	struct seal_world world;
	uint64_t numbers[64];
	(void)state;
	seal_world_init(&world, RECORDS, BATCH);
	struct seal_order order = everything;
	for (uint64_t end = BATCH; end <= RECORDS; end += BATCH) {
		order.head_end = end;
		(void)seal_world_run(&world, &order);
	}
	order.head_end = 0;
	order.block_count = seal_world_blocks(&world, false, numbers, 64);
	order.blocks = numbers;
	assert_true(order.block_count >= RECORDS / BATCH);
	struct seal_result result = seal_world_run(&world, &order);
	assert_int_equal(result.blocks_made, 7);
	assert_int_equal(result.blocks_removed, order.block_count);
	seal_world_check(&world, RECORDS);
	struct error err;
	assert_int_equal(seal_tidy(world.filled.store, true, 1, &err), 0);
	seal_world_reopen(&world, STORE_READ);
	seal_world_check(&world, RECORDS);
	seal_world_done(&world);
}

static void batches_come_between_steps(void **state)
{
	/* records that are committed while a seal is under way stay in the head */
	struct seal_world world;
	struct seal *seal = NULL;
	struct seal_result result;
	struct error err;
	bool done = false;
	uint64_t next = RECORDS;
	(void)state;
	seal_world_init(&world, RECORDS, BATCH);
	assert_int_equal(seal_start(world.filled.store, &everything, &seal, &err), 0);
	while (!done) {
		assert_int_equal(seal_step(seal, &done, &result, &err), 0);
		filled_add(&world.filled, next, 5);
		next += 5;
		seal_world_remember(&world);
	}
	seal_free(seal);
	assert_int_equal(result.records, RECORDS);
	seal_world_check(&world, next);
	seal_world_reopen(&world, STORE_WRITE);
	seal_world_check(&world, next);
	seal_world_done(&world);
}

static void a_seal_is_given_up(void **state)
{
	/* a seal that is freed halfway leaves no trace */
	struct seal_world world;
	struct seal *seal = NULL;
	struct seal_result result;
	struct error err;
	bool done = false;
	uint64_t numbers[8], before = 0, after = 0;
	(void)state;
	seal_world_init(&world, RECORDS, BATCH);
	assert_int_equal(store_size(world.filled.store, &before, &err), 0);
	assert_int_equal(seal_start(world.filled.store, &everything, &seal, &err), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(seal_step(seal, &done, &result, &err), 0);
		assert_false(done);
	}
	seal_free(seal);
	assert_int_equal(seal_world_blocks(&world, false, numbers, 8), 0);
	seal_world_check(&world, RECORDS);
	assert_int_equal(seal_tidy(world.filled.store, true, 1, &err), 0);
	assert_int_equal(store_size(world.filled.store, &after, &err), 0);
	assert_true(after <= before + 65536); /* no blocks; the catalog and its log may differ */
	(void)seal_world_run(&world, &everything);
	seal_world_check(&world, RECORDS);
	seal_world_done(&world);
}

static void damage_stops_a_seal(void **state)
{
	/* a damaged batch, or block, is told; nothing is taken away, and the rest of the store can be sealed */
	struct seal_world world;
	struct seal_result result;
	struct error err;
	uint64_t numbers[8];
	(void)state;
	seal_world_init(&world, RECORDS, BATCH);
	struct seal_order order = everything;
	order.head_end = 350;
	(void)seal_world_run(&world, &order);
	assert_int_equal(seal_world_blocks(&world, false, numbers, 8), 4);
	store_close(world.filled.store);
	struct stat status;
	assert_int_equal(stat(fixture_path(&world.filled.fixture, "head/000001.qth"), &status), 0);
	fixture_patch(&world.filled.fixture, "head/000001.qth", (long)status.st_size * 3 / 4,
		      STR_LIT("damage"));
	filled_open(&world.filled, STORE_WRITE);
	int rc = seal_run(world.filled.store, &everything, &result, &err);
	assert_int_equal(rc, -ERR_CORRUPT);
	struct seal_view view;
	assert_int_equal(seal_look(world.filled.store, &view, &err), 0);
	assert_int_equal(view.head_records, 350);
	assert_int_equal(view.blocks, 4);
	order.head_end = 0;
	order.blocks = numbers;
	order.block_count = 4;
	assert_int_equal(seal_run(world.filled.store, &order, &result, &err), 0);
	seal_world_done(&world);
}

/* Opens the world again after a fault, whatever became of the writer, and checks it. */
static void check_after_fault(struct seal_world *world, unsigned nth)
{
	struct error err;
	seal_world_check(world, RECORDS);
	seal_world_reopen(world, STORE_WRITE);
	seal_world_check(world, RECORDS);
	struct seal_result result;
	int rc = seal_run(world->filled.store, &everything, &result, &err);
	if (rc != 0 && rc != -ERR_GONE) {
		fail_msg("after the fault at call %u: %s", nth, err.text);
	}
	seal_world_check(world, RECORDS);
}

/* Lets each call in turn fail; returns how many there were. */
static unsigned fail_each(int error, bool sticky, unsigned stride)
{
	for (unsigned nth = 1;; nth += stride) {
		struct seal_world world;
		struct seal_result result;
		struct error err;
		bool fired = false;
		seal_world_init(&world, RECORDS, BATCH);
		struct seal_order order = everything;
		order.head_end = 300;
		(void)seal_world_run(&world, &order); /* so that there is something to merge */
		uint64_t numbers[8];
		order = everything;
		order.blocks = numbers;
		order.block_count = seal_world_blocks(&world, false, numbers, 8);
		fault_arm(nth, error, sticky);
		int rc = seal_run(world.filled.store, &order, &result, &err);
		unsigned calls = fault_disarm(&fired);
		if (fired && rc != 0 && rc != -ERR_IO) {
			fail_msg("call %u: not ERR_IO but %d: %s", nth, rc, err.text);
		}
		if (!fired) {
			assert_int_equal(rc, 0);
		}
		check_after_fault(&world, nth);
		seal_world_done(&world);
		if (!fired) {
			return calls;
		}
	}
}

static void each_call_fails_once(void **state)
{
	/* whichever write, fsync, rename or the like fails once: nothing is lost, nothing comes twice, the next seal does it */
	(void)state;
	assert_true(fail_each(EIO, false, 1) > 20);
}

static void the_disk_is_full(void **state)
{
	/* from any call on the disk takes nothing more: nothing is lost, and when there is room again the next seal does it */
	(void)state;
	assert_true(fail_each(ENOSPC, true, 3) > 20);
}

static void a_full_disk_passes(void **state)
{
	/* a seal that failed on a full disk harms neither the open store nor its next commits */
	(void)state;
	for (unsigned nth = 1; nth < 60; nth += 4) {
		struct seal_world world;
		struct seal_result result;
		struct error err;
		bool fired = false;
		seal_world_init(&world, RECORDS, BATCH);
		fault_arm(nth, ENOSPC, true);
		int rc = seal_run(world.filled.store, &everything, &result, &err);
		(void)fault_disarm(&fired);
		filled_add(&world.filled, RECORDS, 21);
		seal_world_remember(&world);
		seal_world_check(&world, RECORDS + 21);
		if (rc != 0) {
			(void)seal_world_run(&world, &everything);
		}
		seal_world_check(&world, RECORDS + 21);
		seal_world_reopen(&world, STORE_READ);
		seal_world_check(&world, RECORDS + 21);
		seal_world_done(&world);
	}
}

/* One thing that may happen to a store. */
static void do_something(struct seal_world *world, uint64_t *random, uint64_t *count)
{
	uint64_t numbers[128];
	struct seal_result result;
	struct error err;
	*random = hash_u64(*random + UINT64_C(0x9e3779b97f4a7c15));
	uint64_t dice = *random;
	switch (dice % 4) {
	case 0:
		filled_add(&world->filled, *count, 1 + dice / 8 % 40);
		*count += 1 + dice / 8 % 40;
		seal_world_remember(world);
		return;
	case 1:
		seal_world_reopen(world, STORE_WRITE);
		return;
	default:
		break;
	}
	size_t blocks = seal_world_blocks(world, false, numbers, 128), kept = 0;
	for (size_t i = 0; i < blocks; i++) {
		if ((hash_u64(dice + i) & 3) == 0) {
			numbers[kept++] = numbers[i];
		}
	}
	struct seal_order order = {
		.head_end = dice / 16 % (*count + 20),
		.blocks = numbers,
		.block_count = kept,
		.settled_ns = time_of(dice / 64 % (*count + 100)),
		.judged_ns = (dice & 128) != 0 ? INT64_MIN : time_of(dice / 64 % (*count + 100)),
		.pull_rows = (dice & 256) != 0 ? 100 : 0,
		.requests = 3 + dice / 1024 % 9,
		.close = (dice & 32) != 0,
		.now_ns = 1};
	int rc = seal_run(world->filled.store, &order, &result, &err);
	if (rc != 0 && rc != -ERR_GONE) {
		fail_msg("seal: %s", err.text);
	}
}

static void any_order_of_things(void **state)
{
	/* random batches, seals, merges and starts, in any order: what was stored is what comes */
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct seal_world world;
		uint64_t random = seed * 1000003, count = 60;
		seal_world_init(&world, count, 20);
		for (int i = 0; i < 40; i++) {
			do_something(&world, &random, &count);
			seal_world_check(&world, count);
		}
		seal_world_reopen(&world, STORE_READ);
		seal_world_check(&world, count);
		seal_world_done(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealing_keeps_all),
		cmocka_unit_test(nothing_to_seal),
		cmocka_unit_test(the_head_goes_on),
		cmocka_unit_test(halves_come_together),
		cmocka_unit_test(blocks_are_merged),
		cmocka_unit_test(batches_come_between_steps),
		cmocka_unit_test(a_seal_is_given_up),
		cmocka_unit_test(damage_stops_a_seal),
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(the_disk_is_full),
		cmocka_unit_test(a_full_disk_passes),
		cmocka_unit_test(any_order_of_things),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
