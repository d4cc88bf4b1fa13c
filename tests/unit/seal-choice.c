#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/seal-choice.h"

#include <string.h>

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)

struct world {
	struct seal_batch_stock batches[64];
	struct seal_block_stock blocks[64];
	struct seal_stock stock;
	struct seal_wish wish;
	struct seal_choice choice;
};

/* Blocks of 100 requests: 800 rows are due, 2,400 are taken at most. Nothing is settled, nothing is old. */
static void world_init(struct world *world)
{
	*world = (struct world){.wish = {.settled_ns = INT64_MIN,
					 .judged_ns = INT64_MIN,
					 .requests = 100,
					 .head_bytes = 1000000,
					 .age_ns = HOUR,
					 .now_ns = 10 * HOUR}};
	world->stock.batches = world->batches;
	world->stock.blocks = world->blocks;
}

/* A batch whose records happened within [from, to] seconds; it came a minute ago. */
static struct seal_batch_stock *add_batch(struct world *world, uint64_t rows, int64_t from,
					  int64_t to)
{
	size_t i = world->stock.batch_count++;
	uint64_t first = i > 0 ? world->batches[i - 1].end_leaf : 5000;
	world->batches[i] =
		(struct seal_batch_stock){.end_leaf = first + rows,
					  .rows = rows,
					  .bytes = rows * 100,
					  .min_time_ns = from * SECOND,
					  .max_time_ns = to * SECOND,
					  .ingest_ns = world->wish.now_ns - 60 * SECOND};
	return &world->batches[i];
}

static struct seal_block_stock *add_block(struct world *world, uint64_t requests, uint64_t rows,
					  int64_t from, int64_t to)
{
	size_t i = world->stock.block_count++;
	world->blocks[i] = (struct seal_block_stock){.number = i + 1,
						     .requests = requests,
						     .rows = rows,
						     .min_time_ns = from * SECOND,
						     .max_time_ns = to * SECOND};
	return &world->blocks[i];
}

static const struct seal_order *choose(struct world *world)
{
	assert_int_equal(seal_choose_from(&world->stock, &world->wish, &world->choice), 0);
	return &world->choice.order;
}

static void not_due(struct world *world)
{
	assert_int_equal(seal_choose_from(&world->stock, &world->wish, &world->choice), -ERR_GONE);
}

static void settle(struct world *world, int64_t until_ns)
{
	world->wish.settled_ns = until_ns;
	world->wish.judged_ns = until_ns;
}

static void an_empty_store(void **state)
{
	/* nothing is due where nothing is, not even at the end */
	struct world world;
	(void)state;
	world_init(&world);
	not_due(&world);
	world.wish.finish = true;
	not_due(&world);
}

static void enough_settled(void **state)
{
	/* due when a block's worth is settled; batches are taken up to the last with something settled, and it is not closed */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.settled_ns = 100 * SECOND;
	add_batch(&world, 400, 0, 50);
	add_batch(&world, 399, 50, 100);
	add_batch(&world, 300, 99, 101);
	add_batch(&world, 300, 101, 150);
	not_due(&world);
	world.batches[1].rows++;
	const struct seal_order *order = choose(&world);
	assert_int_equal(order->head_end, world.batches[2].end_leaf);
	assert_false(order->close);
	assert_true(order->settled_ns == 100 * SECOND);
	assert_int_equal(order->requests, 100);
	assert_true(order->now_ns == world.wish.now_ns);
	seal_choice_done(&world.choice);
}

static void nothing_settles(void **state)
{
	/* while nothing can settle the head (one side was never seen), as many rows are sealed as they are */
	struct world world;
	(void)state;
	world_init(&world);
	add_batch(&world, 799, 0, 50);
	not_due(&world);
	add_batch(&world, 1, 0, 50);
	const struct seal_order *order = choose(&world);
	assert_true(order->close);
	assert_int_equal(order->head_end, world.batches[1].end_leaf);
	assert_true(order->settled_ns == INT64_MIN);
	seal_choice_done(&world.choice);
}

static void a_large_head(void **state)
{
	/* a head past its limit is sealed though little of it is settled */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.settled_ns = SECOND;
	add_batch(&world, 500, 10, 50);
	not_due(&world);
	world.batches[0].bytes = 1000000;
	assert_true(choose(&world)->close);
	assert_int_equal(world.choice.order.head_end, world.batches[0].end_leaf);
	seal_choice_done(&world.choice);
}

static void an_old_head(void **state)
{
	/* on quiet days what is settled is sealed after some time, however little; what nothing settles too */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.settled_ns = 60 * SECOND;
	add_batch(&world, 5, 10, 50);
	add_batch(&world, 5, 70, 80);
	not_due(&world);
	world.batches[0].ingest_ns = world.wish.now_ns - HOUR;
	const struct seal_order *order = choose(&world);
	assert_int_equal(order->head_end, world.batches[0].end_leaf);
	assert_false(order->close);
	seal_choice_done(&world.choice);
	world.wish.settled_ns = SECOND;
	order = choose(&world);
	assert_int_equal(order->head_end, world.batches[1].end_leaf);
	assert_true(order->close);
	seal_choice_done(&world.choice);
}

static void not_all_at_once(void **state)
{
	/* a head of many batches is taken in parts; what stays lowers what counts as settled */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.finish = true;
	world.wish.settled_ns = INT64_MAX;
	world.wish.judged_ns = INT64_MAX;
	for (int64_t i = 0; i < 20; i++) {
		add_batch(&world, 500, i * 10, i * 10 + 9);
	}
	const struct seal_order *order = choose(&world);
	assert_int_equal(order->head_end, world.batches[2].end_leaf); /* 1,500 of 1,800 */
	assert_true(order->settled_ns == 30 * SECOND - 1);
	assert_true(order->judged_ns == 30 * SECOND - 1);
	seal_choice_done(&world.choice);
	world.batches[0].rows = 100000; /* one batch is taken whatever its size */
	assert_int_equal(choose(&world)->head_end, world.batches[0].end_leaf);
	seal_choice_done(&world.choice);
}

static void those_that_waited(void **state)
{
	/* open blocks whose time has passed are taken, by time; those that still wait are not, nor large closed ones */
	struct world world;
	(void)state;
	world_init(&world);
	settle(&world, 100 * SECOND);
	add_batch(&world, 700, 0, 90);
	add_block(&world, 100, 100, 0, 60)->is_open = true;
	add_block(&world, 100, 100, 60, 101)->is_open = true;
	add_block(&world, 100, 700, 0, 60);
	add_block(&world, 100, 3000, 0, 60)->is_open = true; /* more than may be taken at once */
	const struct seal_order *order = choose(&world);
	assert_int_equal(order->block_count, 1);
	assert_int_equal(order->blocks[0], 1);
	assert_int_equal(world.choice.open_count, 1);
	seal_choice_done(&world.choice);
	world.batches[0].rows = 600; /* with the block's rows it is not enough */
	not_due(&world);
	/* blocks alone are due as well */
	world.stock.batch_count = 0;
	world.blocks[3].rows = 1000;
	order = choose(&world);
	assert_int_equal(order->block_count, 2);
	assert_int_equal(order->blocks[0], 1);
	assert_int_equal(order->blocks[1], 4);
	assert_int_equal(order->head_end, 0);
	seal_choice_done(&world.choice);
	/* what is settled but not judged yet would wait on: it is not taken, or it would be made again at each look */
	world.wish.judged_ns = INT64_MIN;
	not_due(&world);
}

static void small_ones_come_along(void **state)
{
	/* small blocks go with what is sealed, unless they are of another month or wait for what is not settled */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.settled_ns = 9000000 * SECOND;
	add_batch(&world, 800, 8000000, 8000100);
	add_block(&world, 10, 80, 7999000, 7999100);
	add_block(&world, 10, 80, 1000, 2000);
	add_block(&world, 10, 80, 7999000, 7999100)->is_open = true;
	add_block(&world, 10, 80, 9000001, 9000002)->is_open = true;
	add_block(&world, 90, 200, 7999000, 7999100);
	add_block(&world, 10, 80, 80000000, 80000001);
	const struct seal_order *order = choose(&world);
	assert_int_equal(order->block_count, 2);
	assert_int_equal(order->blocks[0], 1);
	assert_int_equal(order->blocks[1], 3);
	seal_choice_done(&world.choice);
	/* damaged ones are let alone */
	const uint64_t shunned[] = {3};
	world.wish.shunned = shunned;
	world.wish.shunned_count = 1;
	order = choose(&world);
	assert_int_equal(order->block_count, 1);
	assert_int_equal(world.choice.open_count, 0);
	seal_choice_done(&world.choice);
	world.stock.batch_count = 0;
	not_due(&world);
}

static void the_end_of_an_import(void **state)
{
	/* at the end all of the head is due, then what waited, then small blocks while there are two */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.finish = true;
	add_batch(&world, 1, 0, 0);
	assert_true(choose(&world)->close);
	assert_int_equal(world.choice.order.head_end, world.batches[0].end_leaf);
	seal_choice_done(&world.choice);
	world.stock.batch_count = 0;
	add_block(&world, 1, 1, 0, 10);
	not_due(&world);
	add_block(&world, 1, 1, 5, 10);
	assert_int_equal(choose(&world)->block_count, 2);
	seal_choice_done(&world.choice);
	world.stock.block_count = 0;
	settle(&world, INT64_MAX);
	add_block(&world, 100, 500, 0, 10)->is_open = true;
	assert_int_equal(choose(&world)->block_count, 1);
	seal_choice_done(&world.choice);
	settle(&world, 9 * SECOND);
	not_due(&world);
}

static void pressed(void **state)
{
	/* when the join waits, the whole head is due, however little; nothing counts as settled, and blocks that wait are not taken for their
	 * time but for what verdicts say of them */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.settled_ns = INT64_MAX;
	world.wish.judged_ns = INT64_MAX;
	add_batch(&world, 1, 0, 0);
	add_batch(&world, 1, 50, 60);
	add_block(&world, 100, 500, 0, 10)->is_open = true;
	not_due(&world);
	world.wish.pressed = true;
	const struct seal_order *order = choose(&world);
	assert_int_equal(order->head_end, world.batches[1].end_leaf);
	assert_int_equal(order->block_count, 0);
	assert_true(order->settled_ns == INT64_MIN);
	assert_true(order->judged_ns == INT64_MIN);
	assert_true(order->pull_open);
	assert_false(order->close);
	seal_choice_done(&world.choice);
	world.stock.batch_count = 0;
	not_due(&world);
}

static void files_that_flow(void **state)
{
	/* of files that do not tell what is still to come, what is settled is what their newest batch begins with, less a margin; a stray old or future row
	 * changes nothing */
	struct world world;
	(void)state;
	world_init(&world);
	world.wish.settled_ns = INT64_MAX;
	world.wish.flowing = 1u << RECORD_STATEMENT;
	world.wish.margin_ns = 10 * SECOND;
	add_batch(&world, 500, 0, 50)->kinds = 1u << RECORD_STATEMENT;
	add_batch(&world, 500, 50, 9000000)->kinds = 1u << RECORD_STATEMENT;
	add_batch(&world, 500, 100, 150)->kinds = 1u << RECORD_STATEMENT | 1u << RECORD_VERDICT;
	add_batch(&world, 500, 110, 150)->kinds = 1u << RECORD_VERDICT;
	not_due(&world); /* one batch is settled, and one has a stray row */
	world.batches[1].max_time_ns = 89 * SECOND;
	const struct seal_order *order = choose(&world);
	assert_true(order->settled_ns == 90 * SECOND);
	assert_true(order->judged_ns == INT64_MIN);
	assert_int_equal(order->head_end, world.batches[1].end_leaf);
	assert_true(order->pull_rows > 0);
	seal_choice_done(&world.choice);
	world.wish.flowing |= 1u << RECORD_REQUEST; /* none of them yet */
	order = choose(&world);
	assert_true(order->settled_ns == INT64_MIN);
	assert_true(order->close);
	seal_choice_done(&world.choice);
}

static void times_at_the_ends(void **state)
{
	/* times at the ends of what a number holds overflow nothing */
	struct world world;
	(void)state;
	world_init(&world);
	settle(&world, INT64_MAX);
	world.wish.finish = true;
	for (int i = 0; i < 10; i++) {
		struct seal_batch_stock *batch = add_batch(&world, 1000, 0, 0);
		batch->min_time_ns = INT64_MIN;
		batch->max_time_ns = INT64_MAX;
	}
	struct seal_block_stock *block = add_block(&world, 1, 1, 0, 0);
	block->min_time_ns = INT64_MIN;
	block->max_time_ns = INT64_MIN;
	block = add_block(&world, 1, 1, 0, 0);
	block->min_time_ns = INT64_MAX;
	block->max_time_ns = INT64_MAX;
	assert_true(choose(&world)->settled_ns == INT64_MIN);
	assert_int_equal(world.choice.order.block_count, 2);
	seal_choice_done(&world.choice);
	world.stock.batch_count = 0;
	world.blocks[0].is_open = true;
	assert_int_equal(choose(&world)->block_count, 1);
	seal_choice_done(&world.choice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pressed),
		cmocka_unit_test(an_empty_store),
		cmocka_unit_test(enough_settled),
		cmocka_unit_test(nothing_settles),
		cmocka_unit_test(a_large_head),
		cmocka_unit_test(an_old_head),
		cmocka_unit_test(not_all_at_once),
		cmocka_unit_test(those_that_waited),
		cmocka_unit_test(small_ones_come_along),
		cmocka_unit_test(the_end_of_an_import),
		cmocka_unit_test(times_at_the_ends),
		cmocka_unit_test(files_that_flow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
