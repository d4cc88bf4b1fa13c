#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rewrite.h"
#include "store/handle.h"
#include "store/shelf.h"
#include "tests/unit/seal-world.h"

#define RECORDS 140

struct stage {
	struct seal_world world;
	struct rewrite rewrite;
	struct error err;
};

static void begin(struct stage *stage, bool sealed)
{
	memset(stage, 0, sizeof *stage);
	seal_world_init(&stage->world, RECORDS, 35);
	if (sealed) {
		const struct seal_order order = {.head_end = RECORDS,
						 .settled_ns = INT64_MAX,
						 .judged_ns = INT64_MAX,
						 .close = true,
						 .now_ns = 1};
		(void)seal_world_run(&stage->world, &order);
	}
	struct store *store = stage->world.filled.store;
	assert_int_equal(rewrite_init(&stage->rewrite, store, &stage->err), 0);
}

static void end(struct stage *stage)
{
	rewrite_done(&stage->rewrite);
	seal_world_done(&stage->world);
}

/* All steps with a block, or the head. */
static struct seal_result run(struct stage *stage, const struct rewrite_wish *wish, uint64_t number)
{
	struct seal_result result = {0};
	bool done = false;
	assert_int_equal(rewrite_begin(&stage->rewrite, wish, number, &stage->err), 0);
	while (!done) {
		assert_int_equal(rewrite_step(&stage->rewrite, &done, &result, &stage->err), 0);
	}
	assert_null(stage->rewrite.seal);
	return result;
}

static uint64_t only_block(struct stage *stage)
{
	uint64_t number = 0;
	assert_int_equal(seal_world_blocks(&stage->world, false, &number, 2), 1);
	return number;
}

struct seen {
	enum redact_degree degree[RECORDS];
	bool there[RECORDS];
	bool has_raw[RECORDS];
};

static int note(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		struct error *err)
{
	struct seen *seen = owner;
	struct record record;
	struct str id;
	(void)ingest_ns;
	int rc = record_decode(encoded, &record, err);
	seen->degree[leaf] = redact_degree_of(&record, &id);
	seen->there[leaf] = true;
	seen->has_raw[leaf] = record_has(&record, FIELD_raw);
	return rc;
}

static struct seen look(struct stage *stage)
{
	struct seen seen;
	memset(&seen, 0, sizeof seen);
	assert_int_equal(store_walk(stage->world.filled.store, 0, note, &seen, &stage->err), 0);
	return seen;
}

static void what_is_meant_is_redacted(void **state)
{
	/* of a block and of the head alike: only what is meant and not held loses anything, a second time nothing changes */
	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		struct stage stage;
		struct leafset only = {0};
		struct leafset except = {0};
		begin(&stage, sealed == 1);
		assert_int_equal(leafset_add(&only, 0, 13, &stage.err), 0);
		assert_int_equal(leafset_add(&except, 7, 13, &stage.err), 0);
		struct rewrite_wish wish = {.degree = REDACT_ALL,
					    .only = &only,
					    .except = &except,
					    .id = "0123456789abcdef",
					    .is_settled = true,
					    .at_once = true,
					    .now_ns = 1};
		struct seal_result result =
			run(&stage, &wish, sealed == 1 ? only_block(&stage) : 0);
		assert_int_equal(result.changed, 1 + FIXTURE_STATEMENTS);
		struct seen seen = look(&stage);
		for (uint64_t leaf = 0; leaf < RECORDS; leaf++) {
			uint64_t place = leaf % FIXTURE_PERIOD;
			bool from_outside = place <= FIXTURE_STATEMENTS;
			assert_true(seen.there[leaf]);
			assert_int_equal(seen.degree[leaf],
					 leaf < 7 && from_outside ? REDACT_ALL : REDACT_NOTHING);
			assert_int_equal(seen.has_raw[leaf], leaf >= 7 && from_outside);
		}
		result = run(&stage, &wish, only_block(&stage));
		assert_int_equal(result.changed, 0);
		leafset_done(&only);
		leafset_done(&except);
		end(&stage);
	}
}

static void what_is_held_stays_when_all_goes(void **state)
{
	/* records go whole but for what is held; the others' leaves never come again, and a block without any of them is gone */
	struct stage stage;
	struct leafset except = {0};
	(void)state;
	begin(&stage, true);
	assert_int_equal(leafset_add(&except, 14, 20, &stage.err), 0);
	struct rewrite_wish wish = {.degree = REDACT_NOTHING,
				    .except = &except,
				    .before_ns = INT64_MAX,
				    .id = "records",
				    .is_settled = true,
				    .now_ns = 1};
	struct seal_result result = run(&stage, &wish, only_block(&stage));
	assert_int_equal(result.dropped, RECORDS - 7);
	struct seen seen = look(&stage);
	for (uint64_t leaf = 0; leaf < RECORDS; leaf++) {
		assert_int_equal(seen.there[leaf], leaf >= 14 && leaf <= 20);
	}
	wish.except = NULL;
	result = run(&stage, &wish, only_block(&stage));
	assert_int_equal(result.dropped, 7);
	uint64_t number = 0;
	assert_int_equal(seal_world_blocks(&stage.world, false, &number, 2), 0);
	assert_int_equal(rewrite_begin(&stage.rewrite, &wish, 99, &stage.err), -ERR_GONE);
	assert_int_equal(rewrite_begin(&stage.rewrite, &wish, 0, &stage.err), -ERR_GONE);
	leafset_done(&except);
	end(&stage);
}

static void what_is_given_up_changes_nothing(void **state)
{
	/* a rewrite that is dropped in the middle leaves the store as it was; lifecycle records, and young accesses and gaps, last */
	struct stage stage;
	(void)state;
	begin(&stage, true);
	seal_world_remember(&stage.world);
	const struct rewrite_wish wish = {
		.degree = REDACT_ALL, .id = "x", .is_settled = true, .now_ns = 1};
	uint64_t number = only_block(&stage);
	assert_int_equal(rewrite_begin(&stage.rewrite, &wish, number, &stage.err), 0);
	rewrite_drop(&stage.rewrite);
	seal_world_check(&stage.world, RECORDS);
	assert_int_equal(only_block(&stage), number);
	assert_true(rewrite_lasts(RECORD_LIFECYCLE, 1, 100));
	assert_true(rewrite_lasts(RECORD_ACCESS, 100, 100) && rewrite_lasts(RECORD_GAP, 100, 100));
	assert_false(rewrite_lasts(RECORD_ACCESS, 99, 100) || rewrite_lasts(RECORD_GAP, 99, 100));
	assert_false(rewrite_lasts(RECORD_REQUEST, 1000, 100));
	end(&stage);
}

static int count_block(void *owner, const struct blocks_row *row, struct error *err)
{
	uint64_t *rows = owner;
	(void)err;
	*rows += row->about.row_count;
	return 0;
}

static void count_rows(void *owner, const struct shelf_rows *rows)
{
	uint64_t *kinds = owner;
	for (size_t i = 0; i < rows->count; i++) {
		assert_true(rows->leaves[i] < RECORDS && rows->times[i] >= FIXTURE_START_NS);
		kinds[rows->kinds[i]]++;
	}
}

static void blocks_stand_on_the_shelf(void **state)
{
	/* each block is given with its rows, kinds and times; one that does not exist is ERR_GONE, a missing file ERR_CORRUPT */
	struct stage stage;
	struct error damage;
	struct blocks_row row;
	uint64_t rows = 0;
	uint64_t kinds[RECORD_KIND_COUNT] = {0};
	char path[160];
	(void)state;
	begin(&stage, true);
	struct store *store = stage.world.filled.store;
	assert_int_equal(shelf_walk(store, count_block, &rows, &damage, &stage.err), 0);
	assert_int_equal(rows, RECORDS);
	assert_int_equal(damage.code, 0);
	assert_int_equal(shelf_row(store, 99, &row, &stage.err), -ERR_GONE);
	assert_int_equal(shelf_row(store, only_block(&stage), &row, &stage.err), 0);
	assert_int_equal(shelf_open(store, &row, count_rows, kinds, &stage.err), 0);
	assert_int_equal(kinds[RECORD_REQUEST], RECORDS / FIXTURE_PERIOD);
	assert_int_equal(kinds[RECORD_STATEMENT], RECORDS / FIXTURE_PERIOD * FIXTURE_STATEMENTS);
	assert_true(snprintf(path, sizeof path, "%s/%s", stage.world.filled.fixture.dir, row.name) >
		    0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(shelf_open(store, &row, count_rows, kinds, &stage.err), -ERR_CORRUPT);
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_meant_is_redacted),
		cmocka_unit_test(what_is_held_stays_when_all_goes),
		cmocka_unit_test(what_is_given_up_changes_nothing),
		cmocka_unit_test(blocks_stand_on_the_shelf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
