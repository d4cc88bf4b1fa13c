#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/block-atoms.h"
#include "tests/golden/story-store.h"

static const char *const filters[] = {
	"user:alice* rows>0 grade:A orders",
	"time:today leaf<9 source:sql01",
	"status:2* latency<40 ok:true",
	"reason:id carrier:comment revision=1",
	"request_time>09:00 extra:* statement:select",
	"table:orders id:req-1 ip:10.0.0.7 login:app_*",
	"statement~\"from\\s+dbo|update\" text~o.d user!~^bob source~sql table~orders$",
	"raw:SELECT settled:final statement_id:*",
};

/* The atoms of one record looked at alone. */
static uint64_t alone(const struct plan *plan, const struct record *record, uint64_t leaf)
{
	static const enum side sides[] = {SIDE_STATEMENT, SIDE_REQUEST, SIDE_VERDICT};
	for (size_t s = 0; s < 3; s++) {
		if (record->kind == side_kind(sides[s])) {
			return plan_record_atoms(plan, sides[s], record, leaf);
		}
	}
	return 0;
}

static size_t compare_blocks(struct store *store, const struct plan *plan)
{
	struct block_atoms atoms = {0};
	struct scan *scan;
	const struct scan_block *block;
	struct scan_options all = {0, INT64_MIN, INT64_MAX};
	size_t rows = 0;
	struct error err;
	assert_int_equal(scan_open(store, &all, &scan, &err), 0);
	while (scan_next(scan, &block, &err) == 0) {
		assert_int_equal(block_atoms_load(&atoms, plan, ~0u, block, &err), 0);
		for (size_t row = 0; row < scan_row_count(block); row++) {
			struct record record;
			assert_int_equal(scan_record(block, row, &record, &err), 0);
			assert_true(atoms.bits[row] ==
				    alone(plan, &record, scan_leaves(block)[row]));
			rows++;
		}
	}
	scan_close(scan);
	block_atoms_done(&atoms);
	return rows;
}

static void test_same_as_records(void **state)
{
	/* Proves: the atoms found through dictionaries and columns are those of each record looked at alone, for every row. */
	(void)state;
	static struct plan plan;
	struct story_store story;
	struct store *store;
	struct error err;
	size_t rows = 0;
	story_store_init(&story, false, false);
	assert_int_equal(store_open(story.dir, STORE_READ, &store, &err), 0);
	for (size_t f = 0; f < sizeof(filters) / sizeof(filters[0]); f++) {
		struct arena arena;
		struct query query;
		struct zone zone = zone_utc();
		struct plan_options options = {INT64_MIN, INT64_MAX, 0, {&zone, STORY_NOW_NS}};
		arena_init(&arena, 1 << 20);
		assert_int_equal(query_parse(str_of(filters[f]), &arena, &query, &err), 0);
		assert_int_equal(plan_make(&query, &options, &plan, &err), 0);
		rows += compare_blocks(store, &plan);
		arena_done(&arena);
	}
	assert_true(rows > 100);
	store_close(store);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_as_records)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
