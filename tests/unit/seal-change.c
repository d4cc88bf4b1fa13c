#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/fault.h"
#include "tests/unit/seal-oracle.h"

#include <errno.h>

/* Removes some whole blocks. */
static void remove_blocks(struct oracle *oracle)
{
	uint64_t all[NUMBERS_MAX], numbers[NUMBERS_MAX];
	size_t count = seal_world_blocks(&oracle->world, false, all, NUMBERS_MAX);
	struct seal_removal removal = {.blocks = numbers, .now_ns = 1};
	struct seal_result result;
	struct store *store = oracle->world.filled.store;
	struct error err;
	for (size_t i = 0; i < count; i++) {
		if (chance(oracle, 4) == 0) {
			numbers[removal.count++] = all[i];
		}
	}
	const struct blocks_list *list = NULL;
	struct blocks *blocks = blocks_new(store->dir, store->catalog, NULL);
	assert_int_equal(blocks_load(blocks, &list, NULL, &err), 0);
	for (size_t i = 0; i < list->count; i++) {
		struct block *block = NULL;
		bool goes = false;
		for (size_t k = 0; k < removal.count; k++) {
			goes = goes || numbers[k] == list->rows[i].about.number;
		}
		assert_int_equal(blocks_get(blocks, &list->rows[i], &block, &err), 0);
		for (uint32_t row = 0; goes && row < block_about(block)->row_count; row++) {
			oracle->known[block_leaves(block)[row]].drop = true;
			settle(oracle, block_leaves(block)[row]);
		}
	}
	blocks_free(blocks);
	if (removal.count > 0) {
		assert_int_equal(seal_remove(store, &removal, &result, &err), 0);
		assert_int_equal(result.blocks_removed, removal.count);
		assert_true(result.dropped == result.records && result.bytes_before > 0);
	}
}

static void stores_are_changed_by_chance(void **state)
{
	/* records change, leave or go with their block, in any order with commits, merges and starts: each other record stays bit by bit, each leaf
	 * keeps its number, and sums of rows stay right */
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct oracle oracle;
		oracle_init(&oracle, seed);
		for (int step = 0; step < 12; step++) {
			struct error err;
			uint64_t what = chance(&oracle, 6);
			if (what == 0 && oracle.count + 70 < RECORDS_MAX) {
				filled_add(&oracle.world.filled, oracle.count,
					   1 + chance(&oracle, 60));
				learn(&oracle);
			} else if (what < 3) {
				wish(&oracle);
				seal_all(&oracle, chance(&oracle, 2) == 0);
			} else if (what == 3) {
				remove_blocks(&oracle);
			} else if (what == 4) {
				assert_int_equal(
					seal_tidy(oracle.world.filled.store, true, 1, &err), 0);
			} else {
				seal_world_reopen(&oracle.world, STORE_WRITE);
			}
			check(&oracle);
		}
		seal_world_reopen(&oracle.world, STORE_READ);
		check(&oracle);
		oracle_done(&oracle);
	}
}

static void all_can_go(void **state)
{
	/* a store of which everything was removed is empty but sound: no block is made, and new records get new leaves */
	struct oracle oracle;
	(void)state;
	oracle_init(&oracle, 1);
	for (uint64_t leaf = 0; leaf < oracle.count; leaf++) {
		oracle.known[leaf].drop = true;
	}
	seal_all(&oracle, false);
	uint64_t numbers[4];
	assert_int_equal(seal_world_blocks(&oracle.world, false, numbers, 4), 0);
	check(&oracle);
	filled_add(&oracle.world.filled, RECORDS, 20);
	learn(&oracle);
	check(&oracle);
	seal_world_reopen(&oracle.world, STORE_WRITE);
	check(&oracle);
	assert_int_equal(store_leaf_count(oracle.world.filled.store), RECORDS + 20);
	oracle_done(&oracle);
}

static void blocks_count_what_was_redacted(void **state)
{
	/* the list of blocks says how many rows were redacted, over a new start too; verdicts do not count */
	struct oracle oracle;
	struct error err;
	const struct blocks_list *list = NULL;
	uint64_t redacted = 0;
	(void)state;
	oracle_init(&oracle, 1);
	for (uint64_t leaf = 0; leaf < 70; leaf++) {
		oracle.known[leaf].wanted = REDACT_LITERALS;
	}
	seal_all(&oracle, false);
	seal_world_reopen(&oracle.world, STORE_WRITE);
	struct store *store = oracle.world.filled.store;
	struct blocks *blocks = blocks_new(store->dir, store->catalog, NULL);
	assert_int_equal(blocks_load(blocks, &list, NULL, &err), 0);
	for (size_t i = 0; i < list->count; i++) {
		redacted += list->rows[i].redacted;
	}
	assert_int_equal(redacted, 70 - 30); /* of ten periods, without their verdicts */
	blocks_free(blocks);
	oracle_done(&oracle);
}

static void a_change_can_fail(void **state)
{
	/* its error ends the seal and names the leaf; nothing has changed */
	struct oracle oracle;
	struct error err;
	struct seal_result result;
	(void)state;
	oracle_init(&oracle, 1);
	struct seal_change changes = change_of(&oracle);
	struct seal_order order = everything;
	order.change = &changes;
	oracle.fail = true;
	assert_int_equal(seal_run(oracle.world.filled.store, &order, &result, &err), -ERR_INPUT);
	assert_true(strncmp(err.text, "leaf ", 5) == 0);
	check(&oracle);
	oracle_done(&oracle);
}

static void only_known_blocks_are_removed(void **state)
{
	/* one number that is no block's, and nothing is removed */
	struct oracle oracle;
	struct error err;
	uint64_t numbers[NUMBERS_MAX];
	struct seal_result result;
	(void)state;
	oracle_init(&oracle, 1);
	seal_all(&oracle, false);
	size_t count = seal_world_blocks(&oracle.world, false, numbers, NUMBERS_MAX - 1);
	numbers[count] = 999999;
	struct seal_removal removal = {.blocks = numbers, .count = count + 1, .now_ns = 1};
	assert_int_equal(seal_remove(oracle.world.filled.store, &removal, &result, &err),
			 -ERR_GONE);
	check(&oracle);
	oracle_done(&oracle);
}

/* A world with blocks and a head, some of whose records are to change and to go. */
static void prepare(struct oracle *oracle)
{
	oracle_init(oracle, 3);
	struct seal_order order = everything;
	order.head_end = 210;
	(void)seal_world_run(&oracle->world, &order);
	wish(oracle);
}

/* The store is either as before or as wished. */
static void check_either(struct oracle *oracle, unsigned nth)
{
	struct store_removed removed;
	struct error err;
	seal_world_reopen(&oracle->world, STORE_WRITE);
	struct store *store = oracle->world.filled.store;
	assert_int_equal(store_removed(store, &removed, &err), 0);
	if (removed.records == 0) {
		check(oracle);
		seal_all(oracle, true); /* now it works */
	} else {
		for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
			settle(oracle, leaf);
		}
	}
	bool clean = false;
	if (seal_purge(store, &clean, &err) != 0) {
		fail_msg("after the fault at call %u: %s", nth, err.text);
	}
	check(oracle);
}

static void each_call_fails(void **state)
{
	/* whichever write, fsync, rename or the like fails once, or the disk is full from then on: the store is as before or as wished */
	(void)state;
	for (int sticky = 0; sticky < 2; sticky++) {
		bool fired = true;
		for (unsigned nth = 1; fired; nth += sticky ? 5 : 2) {
			struct oracle oracle;
			struct seal_result result;
			struct error err;
			uint64_t numbers[NUMBERS_MAX];
			bool clean = false;
			prepare(&oracle);
			struct seal_change changes = change_of(&oracle);
			struct seal_order order = everything;
			order.change = &changes;
			order.no_grace = true;
			order.blocks = numbers;
			order.block_count =
				seal_world_blocks(&oracle.world, false, numbers, NUMBERS_MAX);
			fault_arm(nth, sticky ? ENOSPC : EIO, sticky);
			int rc = seal_run(oracle.world.filled.store, &order, &result, &err);
			rc = rc < 0 ? rc : seal_purge(oracle.world.filled.store, &clean, &err);
			(void)fault_disarm(&fired);
			assert_true(rc == 0 || (fired && rc == -ERR_IO));
			check_either(&oracle, nth);
			oracle_done(&oracle);
		}
	}
}

static void each_call_of_a_removal_fails(void **state)
{
	/* whichever call fails while blocks are taken away and their files deleted: they are there, or they are gone */
	bool fired = true;
	(void)state;
	for (unsigned nth = 1; fired; nth++) {
		struct oracle oracle;
		struct seal_result result;
		struct store_removed removed;
		struct error err;
		uint64_t numbers[NUMBERS_MAX];
		bool clean = false;
		oracle_init(&oracle, 3);
		seal_all(&oracle, false);
		size_t count = seal_world_blocks(&oracle.world, false, numbers, NUMBERS_MAX);
		struct seal_removal removal = {
			.blocks = numbers, .count = count, .no_grace = true, .now_ns = 1};
		fault_arm(nth, nth % 2 == 0 ? EIO : ENOSPC, false);
		int rc = seal_remove(oracle.world.filled.store, &removal, &result, &err);
		rc = rc < 0 ? rc : seal_purge(oracle.world.filled.store, &clean, &err);
		(void)fault_disarm(&fired);
		assert_true(rc == 0 || (fired && rc == -ERR_IO));
		seal_world_reopen(&oracle.world, STORE_WRITE);
		assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), 0);
		for (uint64_t leaf = 0; removed.records > 0 && leaf < oracle.count; leaf++) {
			oracle.known[leaf].drop = true;
			settle(&oracle, leaf);
		}
		check(&oracle);
		oracle_done(&oracle);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_are_changed_by_chance),
		cmocka_unit_test(all_can_go),
		cmocka_unit_test(blocks_count_what_was_redacted),
		cmocka_unit_test(a_change_can_fail),
		cmocka_unit_test(only_known_blocks_are_removed),
		cmocka_unit_test(each_call_fails),
		cmocka_unit_test(each_call_of_a_removal_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
