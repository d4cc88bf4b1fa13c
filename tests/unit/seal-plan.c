#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "store/seal-plan.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS 400

struct world {
	struct seal_item items[ITEMS];
	size_t count;
	struct seal_limits limits;
	struct seal_range elsewhere[4];
	struct seal_plan plan;
	struct error err;
	uint64_t random;
};

static uint64_t draw(struct world *world, uint64_t limit)
{
	world->random = hash_u64(world->random + UINT64_C(0x9e3779b97f4a7c15));
	return world->random % limit;
}

static void world_init(struct world *world, uint64_t seed)
{
	*world = (struct world){.random = seed};
	world->limits = (struct seal_limits){
		.requests = 4, .rows = 40, .settled_ns = INT64_MIN, .elsewhere = world->elsewhere};
}

static struct seal_item *add(struct world *world, enum record_kind kind, uint64_t leaf)
{
	struct seal_item *item = &world->items[world->count++];
	*item = (struct seal_item){.leaf = leaf,
				   .time_ns = (int64_t)leaf,
				   .subject = SEAL_NO_LEAF,
				   .request = SEAL_NO_LEAF,
				   .row = (uint32_t)world->count - 1,
				   .kind = (uint8_t)kind};
	return item;
}

static struct seal_item *add_verdict(struct world *world, uint64_t leaf, uint64_t subject,
				     uint64_t request)
{
	struct seal_item *item = add(world, RECORD_VERDICT, leaf);
	item->subject = subject;
	item->request = request;
	item->is_final = true;
	return item;
}

static void make(struct world *world)
{
	assert_int_equal(seal_plan_make(world->items, world->count, &world->limits, &world->plan,
					&world->err),
			 0);
}

/* The block of a leaf. */
static size_t block_of(const struct world *world, uint64_t leaf)
{
	const struct seal_plan *plan = &world->plan;
	for (size_t b = 0; b < plan->block_count; b++) {
		for (size_t i = 0; i < plan->blocks[b].count; i++) {
			if (world->items[plan->order[plan->blocks[b].first + i]].leaf == leaf) {
				return b;
			}
		}
	}
	fail_msg("leaf %llu has no place", (unsigned long long)leaf);
	return 0;
}

static const struct seal_item *item_of(const struct world *world, uint64_t leaf)
{
	for (size_t i = 0; i < world->count; i++) {
		if (world->items[i].leaf == leaf) {
			return &world->items[i];
		}
	}
	return NULL;
}

static const struct seal_item *newest_on(const struct world *world, uint64_t subject)
{
	const struct seal_item *newest = NULL;
	for (size_t i = 0; i < world->count; i++) {
		const struct seal_item *item = &world->items[i];
		if (item->kind != RECORD_VERDICT || item->subject != subject) {
			continue;
		}
		if (newest == NULL || item->revision > newest->revision ||
		    (item->revision == newest->revision && item->leaf > newest->leaf)) {
			newest = item;
		}
	}
	return newest;
}

static bool is_elsewhere(const struct world *world, uint64_t leaf)
{
	for (size_t i = 0; i < world->limits.elsewhere_count; i++) {
		if (leaf >= world->elsewhere[i].first && leaf <= world->elsewhere[i].last) {
			return true;
		}
	}
	return false;
}

/* The request of a statement among the items, or NULL. */
static const struct seal_item *parent_of(const struct world *world, const struct seal_item *item)
{
	const struct seal_item *newest = newest_on(world, item->leaf);
	const struct seal_item *request = newest != NULL ? item_of(world, newest->request) : NULL;
	return request != NULL && request->kind == RECORD_REQUEST ? request : NULL;
}

/* The subject of a verdict among the items, or NULL. */
static const struct seal_item *subject_of(const struct world *world, const struct seal_item *item)
{
	const struct seal_item *subject = item_of(world, item->subject);
	bool fits = subject != NULL &&
		    (subject->kind == RECORD_REQUEST || subject->kind == RECORD_STATEMENT);
	return fits ? subject : NULL;
}

static const struct seal_item *root_of(const struct world *world, const struct seal_item *item)
{
	if (item->kind == RECORD_VERDICT && subject_of(world, item) != NULL) {
		return root_of(world, subject_of(world, item));
	}
	if (item->kind == RECORD_STATEMENT && parent_of(world, item) != NULL) {
		return parent_of(world, item);
	}
	return item;
}

/* Whether a record waits by itself: the header's rules, once more. */
static bool waits(const struct world *world, const struct seal_item *item)
{
	const struct seal_item *newest = newest_on(world, item->leaf);
	bool late = item->time_ns > (item->kind == RECORD_REQUEST ? world->limits.settled_ns
								  : world->limits.judged_ns);
	bool judged = newest != NULL && newest->is_final;
	switch ((enum record_kind)item->kind) {
	case RECORD_REQUEST:
		return late && !judged;
	case RECORD_STATEMENT:
		return (late && !judged) ||
		       (newest != NULL && parent_of(world, item) == NULL &&
			newest->request != SEAL_NO_LEAF && is_elsewhere(world, newest->request));
	case RECORD_VERDICT:
		return subject_of(world, item) == NULL && item->subject != SEAL_NO_LEAF &&
		       is_elsewhere(world, item->subject);
	case RECORD_ALERT:
	case RECORD_ACCESS:
	case RECORD_LIFECYCLE:
	case RECORD_GAP:
	case RECORD_REJECT:
		break;
	}
	return false;
}

static void shuffle(struct world *world)
{
	for (size_t i = world->count; i > 1; i--) {
		size_t other = draw(world, i);
		struct seal_item item = world->items[i - 1];
		world->items[i - 1] = world->items[other];
		world->items[other] = item;
	}
	for (size_t i = 0; i < world->count; i++) {
		world->items[i].row = (uint32_t)i;
	}
}

/* Requests, statements before and after them, revisions, verdicts before what they are about, strangers, leaves that are elsewhere. */
static void fill(struct world *world)
{
	size_t count = 1 + draw(world, ITEMS - 1);
	for (size_t i = 0; i < count; i++) {
		uint64_t leaf = 1000 + 3 * i + draw(world, 3);
		uint64_t other = 1000 + draw(world, 3 * count + 30);
		uint64_t what = draw(world, 20);
		if (what < 4) {
			add(world, RECORD_REQUEST, leaf);
		} else if (what < 10) {
			add(world, RECORD_STATEMENT, leaf);
		} else if (what < 19) {
			size_t target = draw(world, count);
			uint64_t subject =
				target < world->count ? world->items[target].leaf : other;
			size_t named = draw(world, count);
			uint64_t request = named < world->count  ? world->items[named].leaf
					   : draw(world, 3) == 0 ? SEAL_NO_LEAF
								 : other;
			struct seal_item *item =
				add_verdict(world, leaf,
					    draw(world, 30) == 0 ? SEAL_NO_LEAF : subject, request);
			item->revision = (uint32_t)draw(world, 4);
			item->is_final = draw(world, 3) != 0;
		} else {
			add(world, RECORD_GAP, leaf);
		}
		world->items[world->count - 1].time_ns =
			draw(world, 10) == 0 ? (int64_t)draw(world, 5000)
					     : (int64_t)leaf + (int64_t)draw(world, 20);
	}
	if (draw(world, 2) == 0) {
		shuffle(world);
	}
	world->limits.requests = 1 + draw(world, 12);
	world->limits.rows = 4 + draw(world, 60);
	world->limits.close = draw(world, 3) == 0;
	world->limits.settled_ns =
		draw(world, 4) == 0 ? INT64_MIN : (int64_t)(1000 + draw(world, 3 * count));
	world->limits.judged_ns = draw(world, 4) == 0 ? INT64_MIN : world->limits.settled_ns;
	for (size_t i = 0; i < draw(world, 4); i++) {
		uint64_t first = 1000 + draw(world, 3 * count + 30);
		world->elsewhere[i] = (struct seal_range){first, first + draw(world, 100)};
		world->limits.elsewhere_count = i + 1;
	}
	world->limits.elsewhere_count =
		seal_ranges_join(world->elsewhere, world->limits.elsewhere_count);
}

static size_t rows_of_unit(const struct world *world, const struct seal_item *root)
{
	size_t rows = 0;
	for (size_t i = 0; i < world->count; i++) {
		rows += root_of(world, &world->items[i]) == root ? 1 : 0;
	}
	return rows;
}

/* Each item stands in one block, in the order in which it came; limits hold. */
static void check_partition(const struct world *world)
{
	const struct seal_plan *plan = &world->plan;
	bool seen[ITEMS] = {false};
	size_t next = 0;
	assert_int_equal(plan->count, world->count);
	for (size_t b = 0; b < plan->block_count; b++) {
		const struct seal_cut *cut = &plan->blocks[b];
		size_t requests = 0;
		assert_int_equal(cut->first, next);
		assert_true(cut->count > 0);
		assert_true(cut->count <= world->limits.rows);
		next += cut->count;
		for (size_t i = cut->first; i < next; i++) {
			assert_true(plan->order[i] < world->count);
			assert_false(seen[plan->order[i]]);
			seen[plan->order[i]] = true;
			assert_true(i == cut->first || plan->order[i - 1] < plan->order[i]);
			requests += world->items[plan->order[i]].kind == RECORD_REQUEST ? 1 : 0;
		}
		assert_int_equal(requests, cut->requests);
		assert_true(requests <= world->limits.requests);
	}
	assert_int_equal(next, world->count);
}

/* Families are together, and where they belong. */
static void check_families(const struct world *world)
{
	const struct seal_plan *plan = &world->plan;
	bool open[ITEMS] = {false}; /* blocks in which something waits */
	for (size_t i = 0; i < world->count; i++) {
		const struct seal_item *item = &world->items[i];
		const struct seal_item *root = root_of(world, item);
		if (rows_of_unit(world, root) > world->limits.rows) {
			open[block_of(world, item->leaf)] = true; /* taken apart: another test */
			continue;
		}
		assert_int_equal(block_of(world, item->leaf), block_of(world, root->leaf));
		if (waits(world, item)) {
			open[block_of(world, item->leaf)] = true;
			assert_true(plan->blocks[block_of(world, item->leaf)].is_open);
		}
	}
	for (size_t b = 0; b + 1 < plan->block_count; b++) {
		/* open ones stand behind the others, unless there is one order for all */
		assert_true(world->limits.close || !plan->blocks[b].is_open ||
			    plan->blocks[b + 1].is_open);
	}
	for (size_t b = 0; b < plan->block_count; b++) {
		bool must_wait = plan->blocks[b].is_open && world->limits.close;
		assert_true(!must_wait || open[b]);
	}
}

/* Requests rise from block to block, in those that are open and those that are not. */
static void check_order(const struct world *world)
{
	const struct seal_plan *plan = &world->plan;
	uint64_t largest[2] = {0, 0};
	for (size_t b = 0; b < plan->block_count; b++) {
		const struct seal_cut *cut = &plan->blocks[b];
		unsigned stream = !world->limits.close && cut->is_open ? 1 : 0;
		uint64_t low = UINT64_MAX, high = 0;
		for (size_t i = cut->first; i < cut->first + cut->count; i++) {
			const struct seal_item *item = &world->items[plan->order[i]];
			if (item->kind == RECORD_REQUEST) {
				low = item->leaf < low ? item->leaf : low;
				high = item->leaf > high ? item->leaf : high;
			}
		}
		assert_true(low > largest[stream]);
		largest[stream] = high > largest[stream] ? high : largest[stream];
	}
}

static void any_families(void **state)
{
	/* random families with straddlers, revisions, strangers: each record in one block, families whole, what waits apart */
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct world world;
		world_init(&world, seed * 7919);
		fill(&world);
		make(&world);
		check_partition(&world);
		check_families(&world);
		check_order(&world);
		seal_plan_done(&world.plan);
	}
}

static void families_are_whole(void **state)
{
	/* statements go with the request that their newest verdict names, not with the one of an older revision */
	struct world world;
	(void)state;
	world_init(&world, 1);
	world.limits.requests = 1;
	world.limits.settled_ns = 100;
	add(&world, RECORD_REQUEST, 1);
	add(&world, RECORD_REQUEST, 2);
	add(&world, RECORD_STATEMENT, 3);
	add_verdict(&world, 4, 3, 2)->revision = 1;
	add_verdict(&world, 5, 3, 1)->revision = 0;
	make(&world);
	assert_int_equal(world.plan.block_count, 2);
	assert_int_equal(block_of(&world, 1), 0);
	for (uint64_t leaf = 2; leaf <= 5; leaf++) {
		assert_int_equal(block_of(&world, leaf), 1);
	}
	seal_plan_done(&world.plan);
}

static void what_waits_stands_apart(void **state)
{
	/* a request that may still get statements, a statement without its verdict and one whose request is elsewhere wait in an open block */
	struct world world;
	(void)state;
	world_init(&world, 1);
	world.limits.settled_ns = 3;
	world.limits.judged_ns = 3;
	world.elsewhere[0] = (struct seal_range){100, UINT64_MAX};
	world.limits.elsewhere_count = 1;
	for (uint64_t leaf = 0; leaf < 4; leaf++) {
		add(&world, RECORD_REQUEST, leaf);
	}
	add(&world, RECORD_REQUEST, 10);   /* later than settled_ns */
	add(&world, RECORD_STATEMENT, 11); /* no verdict */
	add(&world, RECORD_STATEMENT, 12); /* its request is elsewhere */
	add_verdict(&world, 13, 12, 150);
	add_verdict(&world, 14, 300, SEAL_NO_LEAF); /* its subject is elsewhere */
	add(&world, RECORD_STATEMENT, 15);          /* its request is gone: it is complete */
	add_verdict(&world, 16, 15, 50);
	add(&world, RECORD_REQUEST, 17); /* later, but judged */
	add_verdict(&world, 18, 17, 17);
	add(&world, RECORD_STATEMENT, 19); /* belongs to one that waits */
	add_verdict(&world, 20, 19, 10);
	make(&world);
	assert_int_equal(world.plan.block_count, 2);
	assert_false(world.plan.blocks[0].is_open);
	assert_true(world.plan.blocks[1].is_open);
	const uint64_t waiting[] = {10, 11, 12, 13, 14, 19, 20, 17, 18};
	for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++) {
		assert_int_equal(block_of(&world, waiting[i]), 1);
	}
	/* 15 and 16 are complete and later than the last full block: a small rest, which joins what waits */
	assert_int_equal(block_of(&world, 0), 0);
	assert_int_equal(block_of(&world, 3), 0);
	seal_plan_done(&world.plan);
}

static void close_lays_out_all(void **state)
{
	/* with close there is one order for all; only blocks in which something waits are open */
	struct world world;
	(void)state;
	world_init(&world, 1);
	world.limits.settled_ns = 7;
	world.limits.close = true;
	for (uint64_t leaf = 0; leaf < 12; leaf++) {
		add(&world, RECORD_REQUEST, leaf);
	}
	make(&world);
	assert_int_equal(world.plan.block_count, 3);
	assert_false(world.plan.blocks[0].is_open);
	assert_false(world.plan.blocks[1].is_open);
	assert_true(world.plan.blocks[2].is_open);
	seal_plan_done(&world.plan);
}

static void nothing_settled_all_waits(void **state)
{
	/* without a watermark everything waits, unless a final verdict is there */
	struct world world;
	(void)state;
	world_init(&world, 1);
	for (uint64_t leaf = 0; leaf < 9; leaf++) {
		add(&world, RECORD_REQUEST, leaf);
	}
	make(&world);
	assert_int_equal(world.plan.block_count, 3);
	for (size_t b = 0; b < 3; b++) {
		assert_true(world.plan.blocks[b].is_open);
	}
	seal_plan_done(&world.plan);
}

static void a_small_rest_stays_small_alone(void **state)
{
	/* a rest becomes a small block when nothing waits, since there is nothing that it could join */
	struct world world;
	(void)state;
	world_init(&world, 1);
	world.limits.settled_ns = INT64_MAX;
	for (uint64_t leaf = 0; leaf < 5; leaf++) {
		add(&world, RECORD_REQUEST, leaf);
	}
	make(&world);
	assert_int_equal(world.plan.block_count, 2);
	assert_int_equal(world.plan.blocks[0].requests, 4);
	assert_int_equal(world.plan.blocks[1].requests, 1);
	assert_false(world.plan.blocks[1].is_open);
	assert_true(seal_is_small(&world.limits, 1, 1));
	assert_true(seal_is_small(&world.limits, 2, 1));
	assert_false(seal_is_small(&world.limits, 3, 3));
	assert_false(seal_is_small(&world.limits, 0, 21));
	seal_plan_done(&world.plan);
}

static void a_huge_family_is_taken_apart(void **state)
{
	/* a request with more statements than a block holds, and a statement with more verdicts: blocks keep their limit, nothing is lost */
	struct world world;
	(void)state;
	world_init(&world, 1);
	world.limits.settled_ns = INT64_MAX;
	add(&world, RECORD_REQUEST, 0);
	for (uint64_t i = 0; i < 60; i++) {
		add(&world, RECORD_STATEMENT, 1 + i);
		add_verdict(&world, 100 + i, 1 + i, 0);
	}
	for (uint64_t i = 0; i < 90; i++) {
		add_verdict(&world, 200 + i, 7, 0)->revision = (uint32_t)i + 1;
	}
	make(&world);
	check_partition(&world);
	assert_true(world.plan.block_count >= 6);
	for (size_t b = 0; b < world.plan.block_count; b++) {
		assert_false(world.plan.blocks[b].is_open);
	}
	assert_int_equal(block_of(&world, 20), block_of(&world, 119)); /* statement and verdict */
	seal_plan_done(&world.plan);
}

static void a_leaf_twice_is_damage(void **state)
{
	/* a leaf that comes from two inputs is refused by its number, wherever it stands */
	struct world world;
	(void)state;
	world_init(&world, 1);
	add(&world, RECORD_REQUEST, 77);
	add(&world, RECORD_REQUEST, 5);
	add(&world, RECORD_STATEMENT, 77);
	struct seal_plan plan = {0};
	assert_int_equal(seal_plan_make(world.items, 3, &world.limits, &plan, &world.err),
			 -ERR_CORRUPT);
	assert_non_null(strstr(world.err.text, "leaf 77"));
	assert_null(plan.order);
	world.items[0].leaf = 5; /* neighbours that look sorted */
	assert_int_equal(seal_plan_make(world.items, 2, &world.limits, &plan, &world.err),
			 -ERR_CORRUPT);
}

static void ranges_are_joined(void **state)
{
	/* ranges come out rising and apart, the last leaf of all included */
	struct seal_range ranges[] = {{50, UINT64_MAX}, {5, 9},   {10, 12},
				      {20, 30},         {25, 26}, {60, 70}};
	(void)state;
	assert_int_equal(seal_ranges_join(ranges, 6), 3);
	assert_true(ranges[0].first == 5 && ranges[0].last == 12);
	assert_true(ranges[1].first == 20 && ranges[1].last == 30);
	assert_true(ranges[2].first == 50 && ranges[2].last == UINT64_MAX);
	assert_int_equal(seal_ranges_join(ranges, 0), 0);
}

static void nothing_makes_no_blocks(void **state)
{
	/* no records, no blocks */
	struct world world;
	(void)state;
	world_init(&world, 1);
	make(&world);
	assert_int_equal(world.plan.block_count, 0);
	seal_plan_done(&world.plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_families),
		cmocka_unit_test(families_are_whole),
		cmocka_unit_test(what_waits_stands_apart),
		cmocka_unit_test(close_lays_out_all),
		cmocka_unit_test(nothing_settled_all_waits),
		cmocka_unit_test(a_small_rest_stays_small_alone),
		cmocka_unit_test(a_huge_family_is_taken_apart),
		cmocka_unit_test(a_leaf_twice_is_damage),
		cmocka_unit_test(ranges_are_joined),
		cmocka_unit_test(nothing_makes_no_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
