#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/blocks.h"
#include "store/handle.h"
#include "store/log/forget.h"
#include "store/log/nodes.h"
#include "tests/unit/seal-world.h"

static bool drop_some(void *owner, const struct seal_item *item)
{
	const struct leafset *gone = owner;
	return leafset_has(gone, item->leaf);
}

static void stubs_are_as_few_as_can_be(void **state)
{
	/* of groups that go wholly nothing is kept, of others the largest nodes; when the rest goes too, the stubs go */
	struct seal_world world;
	struct leafset gone;
	struct error err;
	(void)state;
	seal_world_init(&world, 1024, 64);
	leafset_init(&gone);
	struct seal_change change = {.owner = &gone, .drops = drop_some};
	struct seal_order order = {.head_end = UINT64_MAX,
				   .settled_ns = INT64_MAX,
				   .judged_ns = INT64_MAX,
				   .close = true,
				   .change = &change,
				   .now_ns = 1};
	assert_int_equal(leafset_add(&gone, 128, 519, &err),
			 0); /* half of group 0, group 1, 8 leaves of 2 */
	leafset_settle(&gone);
	struct seal_result result = seal_world_run(&world, &order);
	assert_int_equal(result.dropped, 392);
	sqlite3_stmt *statement = NULL;
	sqlite3 *db = world.filled.store->catalog->db;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT leaf_group, height, number FROM stubs", -1,
					    &statement, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 0);
	assert_int_equal(sqlite3_column_int(statement, 1), 7);
	assert_int_equal(sqlite3_column_int(statement, 2), 1);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 2);
	assert_int_equal(sqlite3_column_int(statement, 1), 3);
	assert_int_equal(sqlite3_column_int(statement, 2), 64);
	assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
	assert_int_equal(leafset_add(&gone, 0, 127, &err), 0);
	leafset_settle(&gone);
	uint64_t numbers[64];
	order.blocks = numbers;
	order.block_count = seal_world_blocks(&world, false, numbers, 64);
	order.head_end = 0;
	(void)seal_world_run(&world, &order);
	(void)sqlite3_reset(statement); /* it was done */
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 2);
	assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
	(void)sqlite3_finalize(statement); /* only read */
	leafset_done(&gone);
	seal_world_done(&world);
}

static void what_went_waits_for_its_record(void **state)
{
	/* removed leaves are pending until a record named them, over a new start too; their evidence is gone, that of others is not */
	struct seal_world world;
	struct leafset gone, pending;
	struct error err;
	(void)state;
	seal_world_init(&world, 300, 50);
	leafset_init(&gone);
	leafset_init(&pending);
	struct seal_change change = {.owner = &gone, .drops = drop_some};
	const struct seal_order order = {.head_end = UINT64_MAX,
					 .settled_ns = INT64_MAX,
					 .judged_ns = INT64_MAX,
					 .close = true,
					 .change = &change,
					 .now_ns = 1};
	assert_int_equal(leafset_add(&gone, 7, 7, &err), 0);
	leafset_settle(&gone);
	(void)seal_world_run(&world, &order);
	seal_world_reopen(&world, STORE_WRITE);
	struct store *store = world.filled.store;
	assert_int_equal(forget_pending(store, FORGET_REMOVED, &pending, &err), 0);
	assert_true(leafset_count(&pending) == 1 && leafset_has(&pending, 7));
	assert_int_equal(forget_pending(store, FORGET_REDACTED, &pending, &err), 0);
	assert_int_equal(leafset_count(&pending), 0);
	assert_int_equal(forget_noted(store, FORGET_REMOVED, &err), 0);
	assert_int_equal(forget_pending(store, FORGET_REMOVED, &pending, &err), 0);
	assert_int_equal(leafset_count(&pending), 0);
	struct log_nodes *nodes = NULL;
	struct log_evidence evidence;
	struct merkle_hash commitment;
	assert_int_equal(log_nodes_open(store, &nodes, &err), 0);
	assert_int_equal(log_nodes_leaf(nodes, 7, &evidence, &err), -ERR_GONE);
	assert_int_equal(log_nodes_leaf(nodes, 6, &evidence, &err), 0);
	assert_int_equal(forget_commitment(store, 6, evidence.encoded, &commitment, &err), 0);
	assert_true(merkle_equal(&commitment, &evidence.leaf.commitment));
	assert_int_equal(forget_commitment(store, 7, evidence.encoded, &commitment, &err),
			 -ERR_GONE);
	log_nodes_close(nodes);
	leafset_done(&gone);
	leafset_done(&pending);
	seal_world_done(&world);
}

static void notes_are_read(void **state)
{
	/* only records of the daemon with one of the two events count */
	static const struct {
		const char *source, *event;
		uint64_t redacted, removed;
	} cases[] = {
		{"querytraild", "redacted", 3, 0},
		{"querytraild", "removed", 0, 3},
		{"querytraild", "retention", 0, 0},
		{"somebody", "removed", 0, 0},
	};
	struct leafset named;
	struct buf code, encoded;
	struct error err;
	(void)state;
	leafset_init(&named);
	buf_init(&code, 0);
	buf_init(&encoded, 0);
	assert_int_equal(leafset_add(&named, 4, 6, &err), 0);
	leafset_settle(&named);
	leafset_encode(&named, &code);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct record record;
		struct leafset redacted, removed;
		leafset_init(&redacted);
		leafset_init(&removed);
		record_init(&record, RECORD_LIFECYCLE);
		record.source = str_of(cases[i].source);
		record.key = STR_LIT("k");
		record_set_text(&record, FIELD_event, str_of(cases[i].event));
		record_set_text(&record, FIELD_leaves, buf_str(&code));
		buf_clear(&encoded);
		assert_int_equal(record_encode(&record, &encoded, &err), 0);
		assert_int_equal(forget_read_note(buf_str(&encoded), &redacted, &removed, &err), 0);
		assert_int_equal(leafset_count(&redacted), cases[i].redacted);
		assert_int_equal(leafset_count(&removed), cases[i].removed);
		leafset_done(&redacted);
		leafset_done(&removed);
	}
	leafset_done(&named);
	buf_done(&code);
	buf_done(&encoded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stubs_are_as_few_as_can_be),
		cmocka_unit_test(what_went_waits_for_its_record),
		cmocka_unit_test(notes_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
