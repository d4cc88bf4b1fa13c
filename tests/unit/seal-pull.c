#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/seal-pull.h"

#include <stdlib.h>

#define BLOCKS 4
#define ITEMS  64

/* Blocks 1..4 hold leaves 1000..1031, 2000..2031, ..; their events happened at these times. All are open, nothing is settled. */
struct world {
	struct blocks_row *rows;
	struct blocks_span spans[BLOCKS][2];
	struct blocks_list list;
	struct seal_item items[ITEMS];
	struct seal_pull pull;
	uint64_t *numbers;
	size_t count;
};

static void world_init(struct world *world)
{
	*world = (struct world){.rows = calloc(BLOCKS, sizeof world->rows[0])};
	assert_non_null(world->rows);
	for (size_t i = 0; i < BLOCKS; i++) {
		struct blocks_row *row = &world->rows[i];
		row->about.number = i + 1;
		row->about.row_count = 32;
		row->about.max_time_ns = (int64_t)(i + 1) * 1000 + 31;
		world->spans[i][0] = (struct blocks_span){(i + 1) * 1000, (i + 1) * 1000 + 15};
		world->spans[i][1] = (struct blocks_span){(i + 1) * 1000 + 16, (i + 1) * 1000 + 31};
		row->spans = world->spans[i];
		row->span_count = 2;
		row->is_open = true;
	}
	world->list = (struct blocks_list){.rows = world->rows, .count = BLOCKS};
	world->pull = (struct seal_pull){.items = world->items,
					 .blocks = &world->list,
					 .settled_ns = INT64_MIN,
					 .close = true,
					 .rows_max = 1000};
}

static void world_done(struct world *world)
{
	free(world->rows);
	free(world->numbers);
}

static void add(struct world *world, enum record_kind kind, uint64_t subject, uint64_t request)
{
	world->items[world->pull.count] = (struct seal_item){.leaf = 9000 - world->pull.count,
							     .kind = (uint8_t)kind,
							     .subject = subject,
							     .request = request};
	world->pull.count++;
}

static void find(struct world *world)
{
	free(world->numbers);
	assert_int_equal(seal_pull_find(&world->pull, &world->numbers, &world->count), 0);
}

static void many_name_it(void **state)
{
	/* a block is taken when verdicts name more than a sixteenth of its rows, as their request or their subject */
	struct world world;
	(void)state;
	world_init(&world);
	for (uint64_t i = 0; i < 3; i++) {
		add(&world, RECORD_VERDICT, 500 + i, 2010 + i);
		add(&world, RECORD_VERDICT, 3000 + i, SEAL_NO_LEAF);
	}
	add(&world, RECORD_VERDICT, 4000, 4000); /* one on a request counts once */
	add(&world, RECORD_VERDICT, 4001, 4001);
	add(&world, RECORD_STATEMENT, 1001, 1001); /* not a verdict */
	add(&world, RECORD_STATEMENT, 1002, 1002);
	add(&world, RECORD_STATEMENT, 1003, 1003);
	find(&world);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.numbers[0], 2);
	assert_int_equal(world.numbers[1], 3);
	world_done(&world);
}

static void what_is_there_is_not_named(void **state)
{
	/* leaves that are among the items, leaves of no block and blocks that are taken do not count */
	struct world world;
	const uint64_t taken[] = {3};
	(void)state;
	world_init(&world);
	world.pull.taken = taken;
	world.pull.taken_count = 1;
	for (uint64_t i = 0; i < 4; i++) {
		add(&world, RECORD_VERDICT, 1000 + i, 3000 + i);
		add(&world, RECORD_VERDICT, 700 + i, 5000 + i);
		add(&world, RECORD_REQUEST, SEAL_NO_LEAF, SEAL_NO_LEAF);
		world.items[world.pull.count - 1].leaf = 1000 + i;
	}
	find(&world);
	assert_int_equal(world.count, 0);
	world_done(&world);
}

static void blocks_that_wait_are_let_be(void **state)
{
	/* an open block whose time has not passed gets more later: it is not taken yet, a closed one is */
	struct world world;
	(void)state;
	world_init(&world);
	world.pull.close = false;
	world.pull.settled_ns = 2031;
	world.rows[3].is_open = false;
	for (uint64_t i = 0; i < 5; i++) {
		add(&world, RECORD_VERDICT, 500 + i, 2000 + i);
		add(&world, RECORD_VERDICT, 600 + i, 3000 + i);
		add(&world, RECORD_VERDICT, 700 + i, 4000 + i);
	}
	find(&world);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.numbers[0], 2);
	assert_int_equal(world.numbers[1], 4);
	/* no more rows than allowed */
	world.pull.rows_max = 63;
	find(&world);
	assert_int_equal(world.count, 1);
	world.pull.rows_max = 31;
	find(&world);
	assert_int_equal(world.count, 0);
	world_done(&world);
}

static void spans_over_one_another(void **state)
{
	/* a leaf under several spans counts for the one that begins last and reaches it */
	struct world world;
	(void)state;
	world_init(&world);
	world.spans[0][0] = (struct blocks_span){0, 10000};
	world.rows[0].span_count = 1;
	for (uint64_t i = 0; i < 5; i++) {
		add(&world, RECORD_VERDICT, 500 + i, 2000 + i);
	}
	find(&world);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.numbers[0], 1); /* leaves 500.. */
	assert_int_equal(world.numbers[1], 2);
	world_done(&world);
}

static void no_blocks(void **state)
{
	/* without blocks nothing is found */
	struct world world;
	(void)state;
	world_init(&world);
	world.list.count = 0;
	add(&world, RECORD_VERDICT, 500, 2000);
	find(&world);
	assert_int_equal(world.count, 0);
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_name_it),
		cmocka_unit_test(what_is_there_is_not_named),
		cmocka_unit_test(blocks_that_wait_are_let_be),
		cmocka_unit_test(spans_over_one_another),
		cmocka_unit_test(no_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
