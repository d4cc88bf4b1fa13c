#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/log/indexes.h"
#include "store/rollup.h"
#include "tests/unit/seal-world.h"
#include "tests/unit/tamper.h"

#define RECORDS 700
#define BATCH   50
#define SEALED  600

struct found {
	size_t count, damaged;
	uint64_t block, batch, first, last;
	char text[1024]; /* of all, one a line */
};

static void remember(void *owner, const struct indexes_finding *finding)
{
	struct found *found = owner;
	size_t len = strlen(found->text);
	found->count++;
	found->damaged += finding->damaged ? 1 : 0;
	found->block = finding->block;
	found->batch = finding->batch;
	found->first = finding->first;
	found->last = finding->last;
	(void)snprintf(found->text + len, sizeof found->text - len, "%s\n", finding->text);
}

static const char *dir_of(const struct seal_world *world)
{
	return world->filled.fixture.dir;
}

/* A store with 600 records in blocks of ten requests and 100 in the head; closed. */
static void prepare(struct seal_world *world)
{
	const struct seal_order order = {.head_end = SEALED, .requests = 10, .close = true};
	struct error err;
	seal_world_init(world, RECORDS, BATCH);
	(void)seal_world_run(world, &order);
	assert_int_equal(rollup_update(world->filled.store->catalog, NULL, &err), 0);
	store_close(world->filled.store);
	world->filled.store = NULL;
}

static struct indexes_result look(const struct seal_world *world, struct found *found)
{
	struct store *store = NULL;
	struct indexes_result result;
	struct error err;
	const struct indexes_options options = {.owner = found, .found = remember};
	*found = (struct found){0};
	assert_int_equal(store_open(dir_of(world), STORE_READ, &store, &err), 0);
	if (indexes_check(store, &options, &result, &err) != 0) {
		fail_msg("indexes: %s", err.text);
	}
	store_close(store);
	return result;
}

/* One finding with this in its text, about this block or batch. */
static void expect(const struct seal_world *world, uint64_t block, uint64_t batch, const char *text)
{
	struct found found;
	struct indexes_result result = look(world, &found);
	if (found.count != 1 || strstr(found.text, text) == NULL) {
		fail_msg("not one finding with \"%s\" but %zu: %s", text, found.count, found.text);
	}
	assert_int_equal(result.findings, 1);
	assert_int_equal(found.damaged, 0);
	assert_int_equal(found.block, block);
	assert_int_equal(found.batch, batch);
	assert_true(found.first <= found.last);
}

static void a_true_store_has_no_findings(void **state)
{
	/* all blocks, batches and records are looked at, and all say what the records say */
	struct seal_world world;
	struct found found;
	(void)state;
	prepare(&world);
	struct indexes_result result = look(&world, &found);
	if (found.count > 0) {
		fail_msg("%s", found.text);
	}
	assert_int_equal(result.records, RECORDS);
	assert_int_equal(result.batches, (RECORDS - SEALED) / BATCH);
	assert_true(result.blocks >= 8);
	assert_int_equal(result.rollups, 1);
	seal_world_done(&world);
}

/* The block itself, with what the catalog says of it made of other records. */
struct pair {
	struct tamper_set is, shown;
	struct tamper_built is_built, shown_built;
};

static void pair_open(struct pair *pair, const struct seal_world *world, uint64_t number)
{
	pair->is = tamper_block(dir_of(world), number);
	pair->shown = tamper_block(dir_of(world), number);
}

static void pair_build(struct pair *pair, uint64_t number)
{
	tamper_build(&pair->is, number, &pair->is_built);
	tamper_build(&pair->shown, number, &pair->shown_built);
}

static void pair_close(struct pair *pair)
{
	tamper_built_done(&pair->is_built);
	tamper_built_done(&pair->shown_built);
	tamper_set_done(&pair->is);
	tamper_set_done(&pair->shown);
}

static void a_summary_without_a_user(void **state)
{
	/* a block would be passed over when this user is asked for */
	struct seal_world world;
	struct pair pair;
	struct record record;
	struct found found;
	(void)state;
	prepare(&world);
	tamper_sql(dir_of(&world), "DELETE FROM rollups");
	pair_open(&pair, &world, 3);
	struct tamper_record *request =
		&pair.shown.records[tamper_find(&pair.shown, 0, RECORD_REQUEST)];
	tamper_decode(request, &record);
	record_set_text(&record, FIELD_user, STR_LIT("nobody@example.com"));
	tamper_encode(request, &record);
	pair_build(&pair, 3);
	pair.is_built.row.summary = pair.shown_built.row.summary;
	tamper_put_block(dir_of(&world), &pair.is_built.row);
	expect(&world, 3, 0, "summary says other than its records (user)");
	pair.is_built.row.summary = (struct str){0}; /* none: it is read, and nothing is hidden */
	tamper_put_block(dir_of(&world), &pair.is_built.row);
	(void)look(&world, &found);
	assert_int_equal(found.count, 0);
	pair_close(&pair);
	seal_world_done(&world);
}

static void a_filter_without_an_id(void **state)
{
	/* a search for the id would pass the block over, by either filter */
	struct seal_world world;
	struct pair pair;
	(void)state;
	prepare(&world);
	pair_open(&pair, &world, 2);
	tamper_drop(&pair.shown, tamper_find(&pair.shown, 0, RECORD_REQUEST));
	pair_build(&pair, 2);
	struct str filter = pair.is_built.row.filter_ids;
	pair.is_built.row.filter_ids = pair.shown_built.row.filter_ids;
	tamper_put_block(dir_of(&world), &pair.is_built.row);
	expect(&world, 2, 0, "filter of ids lacks");
	pair.is_built.row.filter_ids = filter;
	pair.is_built.row.filter_records = pair.shown_built.row.filter_records;
	tamper_put_block(dir_of(&world), &pair.is_built.row);
	expect(&world, 2, 0, "filter of records lacks 1 of");
	pair_close(&pair);
	seal_world_done(&world);
}

static void times_leaves_and_counts_of_a_block(void **state)
{
	/* each number in the catalog's row that a block is passed over by, one at a time */
	struct seal_world world;
	struct pair pair;
	(void)state;
	prepare(&world);
	pair_open(&pair, &world, 4);
	pair_build(&pair, 4);
	struct blocks_new *row = &pair.is_built.row;
	struct block_about about = *row->about;
	row->about = &about;
	about.max_time_ns--;
	tamper_put_block(dir_of(&world), row);
	expect(&world, 4, 0, "other event times");
	about = pair.is_built.about;
	about.of_kind[RECORD_STATEMENT]--;
	about.of_kind[RECORD_REJECT]++;
	tamper_put_block(dir_of(&world), row);
	expect(&world, 4, 0, "other counts of records");
	about = pair.is_built.about;
	struct blocks_span spans[BLOCKS_SPANS_MAX];
	memcpy(spans, row->spans, row->span_count * sizeof spans[0]);
	spans[row->span_count - 1].last--;
	row->spans = spans;
	tamper_put_block(dir_of(&world), row);
	expect(&world, 4, 0, "other leaves");
	pair_close(&pair);
	seal_world_done(&world);
}

static void a_summary_of_several_blocks(void **state)
{
	/* one that was made while a block's summary lied */
	struct seal_world world;
	struct error err;
	struct pair pair;
	struct record record;
	(void)state;
	prepare(&world);
	pair_open(&pair, &world, 1);
	struct tamper_record *request =
		&pair.shown.records[tamper_find(&pair.shown, 0, RECORD_REQUEST)];
	tamper_decode(request, &record);
	record_set_text(&record, FIELD_user, STR_LIT("nobody@example.com"));
	tamper_encode(request, &record);
	pair_build(&pair, 1);
	struct str summary = pair.is_built.row.summary;
	pair.is_built.row.summary = pair.shown_built.row.summary;
	tamper_put_block(dir_of(&world), &pair.is_built.row);
	tamper_sql(dir_of(&world), "DELETE FROM rollups");
	struct catalog *catalog = tamper_open(dir_of(&world));
	assert_int_equal(rollup_update(catalog, NULL, &err), 0);
	catalog_close(catalog);
	pair.is_built.row.summary = summary;
	tamper_put_block(dir_of(&world), &pair.is_built.row);
	expect(&world, 0, 0, "the summary of blocks 1 to");
	pair_close(&pair);
	seal_world_done(&world);
}

static void columns_of_the_head(void **state)
{
	/* who asks for the user of a request in the head would not find it */
	struct seal_world world;
	struct record record;
	(void)state;
	prepare(&world);
	struct head_batch batch = tamper_batch(dir_of(&world), SEALED);
	uint64_t end = batch.first_leaf + batch.record_count;
	struct tamper_set is = tamper_walk(dir_of(&world), batch.first_leaf, end);
	struct tamper_set shown = tamper_walk(dir_of(&world), batch.first_leaf, end);
	struct tamper_record *request = &shown.records[tamper_find(&shown, 0, RECORD_REQUEST)];
	tamper_decode(request, &record);
	record_set_text(&record, FIELD_user, STR_LIT("nobody@example.com"));
	tamper_encode(request, &record);
	tamper_rebatch(dir_of(&world), batch, &is, &shown);
	expect(&world, 0, batch.batch, "its columns say other than its records (user)");
	tamper_decode(request, &record);
	record_set_text(&record, FIELD_request_id, STR_LIT("another"));
	tamper_encode(request, &record);
	tamper_rebatch(dir_of(&world), batch, &is, &is);
	struct found found;
	(void)look(&world, &found);
	assert_int_equal(found.count, 0);
	tamper_set_done(&is);
	tamper_set_done(&shown);
	seal_world_done(&world);
}

static void a_leaf_in_two_places(void **state)
{
	/* the same leaf in two blocks */
	struct seal_world world;
	(void)state;
	prepare(&world);
	tamper_sql(dir_of(&world), "DELETE FROM rollups");
	struct tamper_set other = tamper_block(dir_of(&world), 2);
	struct tamper_set set = tamper_block(dir_of(&world), 3);
	const struct tamper_record *twice = &other.records[0];
	(void)tamper_add(&set, twice->leaf, twice->ingest_ns, tamper_bytes(twice));
	tamper_sort(&set);
	tamper_rebuild(dir_of(&world), 3, &set);
	struct found found;
	(void)look(&world, &found);
	assert_non_null(strstr(found.text, "is here and elsewhere too"));
	tamper_set_done(&set);
	tamper_set_done(&other);
	seal_world_done(&world);
}

static void damage_is_passed_over(void **state)
{
	/* a block that can't be read is named, and the others are looked at */
	struct seal_world world;
	struct found found;
	(void)state;
	prepare(&world);
	struct catalog *catalog = tamper_open(dir_of(&world));
	struct blocks_row row;
	struct error err;
	assert_int_equal(blocks_read_row(catalog, 2, &row, &err), 0);
	catalog_close(catalog);
	fixture_patch(&world.filled.fixture, row.name, (long)row.file_bytes / 2, STR_LIT("damage"));
	struct indexes_result result = look(&world, &found);
	assert_true(found.count >= 1);
	assert_int_equal(found.block, 2);
	assert_true(result.blocks >= 8);
	assert_int_equal(result.batches, (RECORDS - SEALED) / BATCH);
	seal_world_done(&world);
}

static bool refuse(void *owner, uint64_t done, uint64_t total)
{
	(void)owner;
	assert_true(done <= total);
	return false;
}

static void it_can_be_given_up(void **state)
{
	/* when progress says so */
	struct seal_world world;
	struct store *store = NULL;
	struct found found = {0};
	struct indexes_result result;
	struct error err;
	const struct indexes_options options = {
		.owner = &found, .found = remember, .progress = refuse};
	(void)state;
	prepare(&world);
	assert_int_equal(store_open(dir_of(&world), STORE_READ, &store, &err), 0);
	assert_int_equal(indexes_check(store, &options, &result, &err), -ERR_CANCELLED);
	store_close(store);
	seal_world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_true_store_has_no_findings),
		cmocka_unit_test(a_summary_without_a_user),
		cmocka_unit_test(a_filter_without_an_id),
		cmocka_unit_test(times_leaves_and_counts_of_a_block),
		cmocka_unit_test(a_summary_of_several_blocks),
		cmocka_unit_test(columns_of_the_head),
		cmocka_unit_test(a_leaf_in_two_places),
		cmocka_unit_test(damage_is_passed_over),
		cmocka_unit_test(it_can_be_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
