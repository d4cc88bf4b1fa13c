#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/carried.h"
#include "store/id-filter.h"
#include "store/seal-build.h"
#include "tests/unit/seal-world.h"

#include <stdlib.h>
#include <sys/stat.h>

#define RECORDS 210

struct parts {
	struct seal_world world;
	struct seal_inputs inputs;
	struct seal_item *items;
	uint32_t *order;
	struct seal_part part;
	struct seal_built built;
	struct error err;
};

static void parts_init(struct parts *parts)
{
	seal_world_init(&parts->world, RECORDS, RECORDS);
	assert_int_equal(
		seal_inputs_init(&parts->inputs, parts->world.filled.store, NULL, &parts->err), 0);
	assert_int_equal(seal_inputs_add_head(&parts->inputs, UINT64_MAX, &parts->err), 0);
	parts->items = calloc(RECORDS, sizeof parts->items[0]);
	parts->order = calloc(RECORDS, sizeof parts->order[0]);
	assert_true(parts->items != NULL && parts->order != NULL);
	assert_int_equal(seal_input_list(&parts->inputs, 0, parts->items, &parts->err), 0);
	for (uint32_t i = 0; i < RECORDS; i++) {
		parts->order[i] = i;
	}
	parts->part = (struct seal_part){
		.items = parts->items, .order = parts->order, .count = RECORDS, .is_open = true};
}

static int build(struct parts *parts)
{
	return seal_build(&parts->inputs, &parts->part, NULL, &parts->built, &parts->err);
}

static void parts_done(struct parts *parts)
{
	seal_built_done(&parts->built);
	seal_inputs_done(&parts->inputs);
	seal_world_done(&parts->world);
	free(parts->items);
	free(parts->order);
}

static bool has_file(struct parts *parts)
{
	char name[BLOCKS_NAME_BYTES];
	struct stat status;
	blocks_name(&parts->built.about, name);
	return stat(fixture_path(&parts->world.filled.fixture, name), &status) == 0;
}

static void a_block_with_all_about_it(void **state)
{
	/* the file is there, and the row for the catalog tells of it: counts, spans, filters, that it waits */
	struct parts parts;
	struct id_filter filter;
	struct str encoded;
	(void)state;
	parts_init(&parts);
	assert_int_equal(build(&parts), 0);
	assert_true(has_file(&parts));
	struct blocks_new row = seal_built_row(&parts.built);
	assert_int_equal(row.about->row_count, RECORDS);
	assert_int_equal(row.about->of_kind[RECORD_REQUEST], RECORDS / FIXTURE_PERIOD);
	assert_true(row.is_open);
	assert_int_equal(row.span_count, 1);
	assert_true(row.spans[0].first == 0 && row.spans[0].last == RECORDS - 1);
	const struct record *record = fixture_record(&parts.world.filled.fixture, 0, &encoded);
	uint64_t key = carried_key(record_text(record, FIELD_request_id));
	assert_int_equal(id_filter_open(row.filter_ids, &filter, &parts.err), 0);
	assert_true(id_filter_may_hold(&filter, key));
	assert_int_equal(id_filter_open(row.filter_records, &filter, &parts.err), 0);
	assert_true(row.bytes.len > 0);
	seal_built_undo(&parts.built, parts.world.filled.fixture.dir);
	assert_false(has_file(&parts));
	parts_done(&parts);
}

static void spans_cover_what_is_there(void **state)
{
	/* leaves far apart get spans of their own; more gaps than spans are bridged, and each leaf stays covered */
	struct parts parts;
	(void)state;
	parts_init(&parts);
	parts.part.count = 0;
	for (uint32_t i = 0; i < RECORDS; i += i < 100 ? 3 : 1) {
		parts.order[parts.part.count++] = i;
	}
	assert_int_equal(build(&parts), 0);
	assert_true(parts.built.span_count > 30 && parts.built.span_count <= BLOCKS_SPANS_MAX);
	for (size_t i = 0; i < parts.part.count; i++) {
		uint64_t leaf = parts.items[parts.order[i]].leaf;
		size_t covers = 0;
		for (size_t s = 0; s < parts.built.span_count; s++) {
			const struct blocks_span *span = &parts.built.spans[s];
			covers += leaf >= span->first && leaf <= span->last ? 1 : 0;
			assert_true(s == 0 || span->first > span[-1].last);
		}
		assert_int_equal(covers, 1);
	}
	parts_done(&parts);
}

static void a_leaf_that_is_not_there(void **state)
{
	/* an item whose record cannot be read ends the build, and no file stays */
	struct parts parts;
	(void)state;
	parts_init(&parts);
	parts.items[RECORDS - 1].leaf = RECORDS + 5;
	assert_int_equal(build(&parts), -ERR_GONE);
	assert_false(parts.built.is_written);
	parts_done(&parts);
}

static void other_records_are_noticed(void **state)
{
	/* a kind that is not the record's own is told when the file is read back: the block is refused and its file removed */
	struct parts parts;
	(void)state;
	parts_init(&parts);
	parts.items[1].kind = RECORD_GAP;
	assert_int_equal(build(&parts), -ERR_CORRUPT);
	assert_non_null(strstr(parts.err.text, "leaf 1 has another ingest time or kind"));
	assert_false(parts.built.is_written);
	assert_false(has_file(&parts));
	parts_done(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_with_all_about_it),
		cmocka_unit_test(spans_cover_what_is_there),
		cmocka_unit_test(a_leaf_that_is_not_there),
		cmocka_unit_test(other_records_are_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
