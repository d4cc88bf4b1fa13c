#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "correlator/sealer.h"
#include "store/blocks.h"
#include "store/handle.h"
#include "tests/unit/fault.h"
#include "tests/unit/seal-world.h"

#include <errno.h>

#define RECORDS 1400 /* 200 requests */

static const struct sealer_settings settings = {
	.requests = 20, .head_bytes = UINT64_MAX, .age_ns = INT64_MAX / 2};

struct desk {
	struct seal_world world;
	struct sealer sealer;
	struct sealer_now now;
};

static int64_t time_of(uint64_t n)
{
	return FIXTURE_START_NS + (int64_t)n * 1000000;
}

static void desk_init(struct desk *desk)
{
	log_set_level(LOG_LEVEL_ERROR);
	seal_world_init(&desk->world, RECORDS, 100);
	sealer_init(&desk->sealer, desk->world.filled.store, &settings);
	desk->now = (struct sealer_now){.wall_ns = time_of(RECORDS),
					.monotonic_ns = 1000 * NS_PER_SEC,
					.requests_ns = INT64_MAX,
					.statements_ns = INT64_MAX,
					.judged_ns = INT64_MAX};
}

static void desk_done(struct desk *desk)
{
	sealer_done(&desk->sealer);
	seal_world_done(&desk->world);
}

static struct seal_view look(struct desk *desk)
{
	struct seal_view view;
	struct error err;
	assert_int_equal(seal_look(desk->world.filled.store, &view, &err), 0);
	return view;
}

/* Turns until there is nothing to do now; returns how many turns that took. */
static unsigned turn_all(struct desk *desk)
{
	unsigned turns = 0;
	int64_t next_ns = 0;
	do {
		next_ns = sealer_turn(&desk->sealer, &desk->now);
		turns++;
		assert_true(turns < 1000);
	} while (next_ns <= desk->now.monotonic_ns);
	return turns;
}

static void turn_by_turn(void **state)
{
	/* what is settled is sealed, one block a turn, until less than a block's worth is left; then it waits for more or for time */
	struct desk desk;
	(void)state;
	desk_init(&desk);
	unsigned turns = turn_all(&desk);
	struct seal_view view = look(&desk);
	assert_true(view.head_records < 20 * SEAL_ROWS_A_REQUEST);
	assert_true(view.blocks >= 8);
	assert_true(turns > view.blocks);
	assert_true(sealer_turn(&desk.sealer, &desk.now) == desk.now.monotonic_ns + SEALER_LOOK_NS);
	seal_world_check(&desk.world, RECORDS);
	desk_done(&desk);
}

static void by_the_lower_watermark(void **state)
{
	/* only what both watermarks have passed, less slack and what requests last, is sealed as complete */
	struct desk desk;
	(void)state;
	desk_init(&desk);
	desk.now.slack_ns = 0;
	desk.now.statements_ns = time_of(700) + SEALER_LONGEST_NS;
	desk.now.judged_ns = desk.now.statements_ns;
	(void)turn_all(&desk);
	struct seal_view view = look(&desk);
	assert_true(view.head_first_leaf >= 600 && view.head_first_leaf <= 800);
	assert_true(view.blocks_open <= 1);
	seal_world_check(&desk.world, RECORDS);
	desk_done(&desk);
}

static void the_end_seals_all(void **state)
{
	/* at the end the head is empty, nothing waits, and the log of the catalog is empty */
	struct desk desk;
	(void)state;
	desk_init(&desk);
	assert_true(sealer_turn(&desk.sealer, &desk.now) <= desk.now.monotonic_ns);
	sealer_finish(&desk.sealer, &desk.now);
	struct seal_view view = look(&desk);
	assert_int_equal(view.head_records, 0);
	assert_int_equal(view.blocks_open, 0);
	FILE *log = fopen(fixture_path(&desk.world.filled.fixture, "catalog.db-wal"), "r");
	assert_non_null(log);
	assert_int_equal(fseek(log, 0, SEEK_END), 0);
	assert_int_equal(ftell(log), 0);
	assert_int_equal(fclose(log), 0);
	seal_world_check(&desk.world, RECORDS);
	desk_done(&desk);
}

static void pressed(void **state)
{
	/* when the join waits for a seal, the head is sealed at once, without regard to the time of the last look; what has no final verdict stays open
	 * although the watermarks passed it, and is closed when all is judged */
	struct desk desk;
	(void)state;
	desk_init(&desk);
	desk.sealer.look_ns = INT64_MAX;
	desk.sealer.seen_end = RECORDS;
	assert_true(sealer_turn(&desk.sealer, &desk.now) == INT64_MAX);
	desk.now.pressed = true;
	(void)turn_all(&desk);
	struct seal_view view = look(&desk);
	assert_int_equal(view.head_records, 0);
	assert_true(view.blocks_open > 0);
	desk.now.pressed = false;
	sealer_finish(&desk.sealer, &desk.now);
	assert_int_equal(look(&desk).blocks_open, 0);
	seal_world_check(&desk.world, RECORDS);
	desk_done(&desk);
}

static void one_side_alone(void **state)
{
	/* when the other side was never seen, records are sealed as they are and wait in open blocks; they come together when it is */
	struct desk desk;
	(void)state;
	desk_init(&desk);
	desk.now.statements_ns = INT64_MIN;
	desk.now.judged_ns = INT64_MIN;
	sealer_finish(&desk.sealer, &desk.now);
	struct seal_view view = look(&desk);
	assert_int_equal(view.head_records, 0);
	uint64_t blocks = view.blocks;
	desk.now.statements_ns = INT64_MAX;
	desk.now.judged_ns = INT64_MAX;
	sealer_finish(&desk.sealer, &desk.now);
	view = look(&desk);
	assert_int_equal(view.blocks_open, 0);
	assert_true(view.blocks <= blocks);
	seal_world_check(&desk.world, RECORDS);
	desk_done(&desk);
}

static void a_full_disk_is_tried_again(void **state)
{
	/* a failing disk holds the sealer for a while; nothing is lost, and then it goes on */
	struct desk desk;
	bool fired = false;
	(void)state;
	desk_init(&desk);
	log_set_level(LOG_LEVEL_ERROR);
	(void)sealer_turn(&desk.sealer, &desk.now);
	fault_arm(1, ENOSPC, true);
	int64_t next_ns = sealer_turn(&desk.sealer, &desk.now);
	(void)fault_disarm(&fired);
	assert_true(fired);
	assert_true(next_ns == desk.now.monotonic_ns + SEALER_RETRY_NS);
	assert_true(sealer_turn(&desk.sealer, &desk.now) == next_ns);
	seal_world_check(&desk.world, RECORDS);
	assert_int_equal(look(&desk).blocks, 0);
	desk.now.monotonic_ns = next_ns;
	(void)turn_all(&desk);
	assert_true(look(&desk).blocks > 0);
	seal_world_check(&desk.world, RECORDS);
	desk_done(&desk);
}

static void damaged_blocks_are_let_alone(void **state)
{
	/* a damaged block stops neither the head's sealing nor the end; it is not tried again and again */
	struct desk desk;
	struct error err;
	uint64_t numbers[8];
	char name[BLOCKS_NAME_BYTES];
	struct seal_result result;
	(void)state;
	desk_init(&desk);
	const struct seal_order order = {.head_end = 100,
					 .settled_ns = INT64_MIN,
					 .judged_ns = INT64_MIN,
					 .requests = 20,
					 .now_ns = 1};
	assert_int_equal(seal_run(desk.world.filled.store, &order, &result, &err), 0);
	assert_int_equal(seal_world_blocks(&desk.world, true, numbers, 8), 1);
	struct block_about about = {
		.number = numbers[0], .row_count = 1, .min_time_ns = FIXTURE_START_NS};
	blocks_name(&about, name);
	fixture_patch(&desk.world.filled.fixture, name, 100, STR_LIT("damage that shows"));
	sealer_finish(&desk.sealer, &desk.now);
	struct seal_view view = look(&desk);
	assert_int_equal(view.head_records, 0);
	assert_true(view.blocks_open >= 1); /* it, and what belongs to records in it */
	assert_int_equal(desk.sealer.shunned_count, 1);
	assert_int_equal(desk.sealer.shunned[0], numbers[0]);
	desk_done(&desk);
}

static void settings_change(void **state)
{
	/* new settings hold from the next look on */
	struct desk desk;
	(void)state;
	desk_init(&desk);
	desk.now.statements_ns = time_of(0); /* nothing is settled */
	sealer_turn(&desk.sealer, &desk.now);
	assert_int_equal(look(&desk).blocks, 0);
	struct sealer_settings small = settings;
	small.head_bytes = 1;
	sealer_set(&desk.sealer, &small);
	desk.now.monotonic_ns += SEALER_LOOK_NS;
	(void)turn_all(&desk);
	assert_int_equal(look(&desk).head_records, 0);
	seal_world_check(&desk.world, RECORDS);
	desk_done(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pressed),
		cmocka_unit_test(turn_by_turn),
		cmocka_unit_test(by_the_lower_watermark),
		cmocka_unit_test(the_end_seals_all),
		cmocka_unit_test(one_side_alone),
		cmocka_unit_test(a_full_disk_is_tried_again),
		cmocka_unit_test(damaged_blocks_are_let_alone),
		cmocka_unit_test(settings_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
