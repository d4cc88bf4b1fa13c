#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/carried.h"
#include "tests/simulation/sealed-world.h"

struct kept {
	struct sealed_world world;
	struct buf bytes;
	struct sealed_record records[8];
	size_t ends[8], count;
	struct error err;
};

static void put(struct kept *kept, const struct record *record)
{
	assert_int_equal(record_encode(record, &kept->bytes, &kept->err), 0);
	kept->ends[kept->count++] = kept->bytes.len;
}

static void put_request(struct kept *kept, const char *key, const char *id, int64_t time_ns)
{
	struct record record;
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	record.key = str_of(key);
	record.time_ns = time_ns;
	record_set_text(&record, FIELD_request_id, str_of(id));
	put(kept, &record);
}

static void put_statement(struct kept *kept, const char *key, const char *text, int64_t time_ns)
{
	struct record record;
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record.key = str_of(key);
	record.time_ns = time_ns;
	record_set_text(&record, FIELD_action, STR_LIT("BCM"));
	record_set_text(&record, FIELD_statement, str_of(text));
	record_set_number(&record, FIELD_session_id, 51);
	put(kept, &record);
}

static void put_verdict(struct kept *kept, int64_t statement, int64_t revision)
{
	struct record record;
	record_init(&record, RECORD_VERDICT);
	record.source = STR_LIT("querytraild");
	record.key =
		revision == 0 ? STR_LIT("s0123456789abcdef.0") : STR_LIT("s0123456789abcdef.1");
	record_set_text(&record, FIELD_grade, STR_LIT("U1"));
	record_set_text(&record, FIELD_reason, STR_LIT("r"));
	record_set_text(&record, FIELD_settled,
			revision == 0 ? STR_LIT("provisional") : STR_LIT("final"));
	record_set_number(&record, FIELD_revision, revision);
	record_set_text(&record, FIELD_statement_id, STR_LIT("0123456789abcdef"));
	record_set_number(&record, FIELD_statement_leaf, statement);
	put(kept, &record);
}

static void lay(struct kept *kept)
{
	for (size_t i = 0; i < kept->count; i++) {
		size_t start = i > 0 ? kept->ends[i - 1] : 0;
		kept->records[i] = (struct sealed_record){
			.leaf = i,
			.encoded = str_make(kept->bytes.ptr + start, kept->ends[i] - start)};
	}
	sealed_world_lay(&kept->world, kept->records, kept->count, 3);
}

static void setup(struct kept *kept)
{
	*kept = (struct kept){0};
	buf_init(&kept->bytes, 0);
	sealed_world_init(&kept->world);
	put_request(kept, "r0", "id-a", 100);
	put_request(kept, "r1", "id-b", 200);
	put_statement(kept, "s2", "SELECT 1 /*request_id=id-a*/", 110);
	put_statement(kept, "s3", "EXEC sp_set_session_context N'querytrail', N'qt1 r=id-b'", 210);
	put_verdict(kept, 2, 0);
	put_verdict(kept, 2, 1);
	lay(kept);
}

static void teardown(struct kept *kept)
{
	sealed_world_done(&kept->world);
	buf_done(&kept->bytes);
}

/* How many entries all blocks have for a key; the leaf and note of one of them. */
static size_t find(struct kept *kept, enum recall_index index, uint64_t key, uint64_t *leaf,
		   uint32_t *note)
{
	size_t blocks = 0, found = 0;
	(void)recall_blocks(kept->world.recall, &blocks);
	for (size_t place = 0; place < blocks; place++) {
		struct recall_run run;
		struct record record;
		assert_int_equal(recall_rows(kept->world.recall,
					     (struct recall_key){place, index, key}, &run,
					     &kept->err),
				 0);
		found += run.count;
		if (run.count > 0) {
			*note = run.entries[run.count - 1].note;
			assert_int_equal(
				recall_record(
					kept->world.recall,
					(struct recall_row){place, run.entries[run.count - 1].row},
					&record, leaf, &kept->err),
				0);
		}
	}
	return found;
}

static void every_index_finds_its_rows(void **state)
{
	/* requests by id, statements by what they carry and by session, verdicts by subject; what is not there is not found */
	(void)state;
	struct kept kept;
	uint64_t leaf = 99, session = 0;
	uint32_t note = 0;
	setup(&kept);
	assert_int_equal(find(&kept, RECALL_REQUESTS, carried_key(STR_LIT("id-b")), &leaf, &note),
			 1);
	assert_int_equal(leaf, 1);
	assert_int_equal(find(&kept, RECALL_CLAIMS, carried_key(STR_LIT("id-a")), &leaf, &note), 1);
	assert_int_equal(leaf, 2);
	assert_int_equal(find(&kept, RECALL_CLAIMS, carried_key(STR_LIT("id-c")), &leaf, &note), 0);
	struct record row;
	assert_int_equal(record_decode(kept.records[3].encoded, &row, &kept.err), 0);
	assert_true(carried_session(&row, &session));
	assert_int_equal(find(&kept, RECALL_SESSIONS, session, &leaf, &note), 2);
	assert_int_equal(find(&kept, RECALL_SUBJECTS, 2, &leaf, &note), 2);
	struct recall_identity identity =
		recall_identity(kept.world.recall, &row, kept.records[3].encoded);
	assert_int_equal(find(&kept, RECALL_RECORDS, identity.key, &leaf, &note), 1);
	assert_int_equal(leaf, 3);
	assert_int_equal(note, identity.note);
	assert_int_equal(find(&kept, RECALL_NAMES, identity.note, &leaf, &note), 1);
	assert_int_equal(leaf, 3);
	assert_int_equal(find(&kept, RECALL_NAMES, identity.note ^ 1, &leaf, &note), 0);
	teardown(&kept);
}

static void one_pass_gives_sessions_and_claims(void **state)
{
	/* whichever of both indexes is asked for first, the other one holds the same as when it is made by itself */
	(void)state;
	for (int sessions_first = 0; sessions_first < 2; sessions_first++) {
		struct kept kept;
		struct record row;
		uint64_t leaf = 99, session = 0;
		uint32_t note = 0;
		setup(&kept);
		assert_int_equal(record_decode(kept.records[3].encoded, &row, &kept.err), 0);
		assert_true(carried_session(&row, &session));
		if (sessions_first) {
			assert_int_equal(find(&kept, RECALL_SESSIONS, session, &leaf, &note), 2);
		}
		assert_int_equal(
			find(&kept, RECALL_CLAIMS, carried_key(STR_LIT("id-b")), &leaf, &note), 1);
		assert_int_equal(leaf, 3);
		assert_int_equal(find(&kept, RECALL_SESSIONS, session, &leaf, &note), 2);
		assert_int_equal(note, carried_marks(&row));
		teardown(&kept);
	}
}

static void a_block_tells_its_sources(void **state)
{
	/* the sources of its records are found, others are not */
	(void)state;
	struct kept kept;
	uint64_t leaf = 99;
	uint32_t note = 0;
	setup(&kept);
	assert_true(find(&kept, RECALL_SOURCES, carried_key(STR_LIT("api")), &leaf, &note) > 0);
	assert_true(find(&kept, RECALL_SOURCES, carried_key(STR_LIT("db")), &leaf, &note) > 0);
	assert_int_equal(find(&kept, RECALL_SOURCES, carried_key(STR_LIT("ap")), &leaf, &note), 0);
	teardown(&kept);
}

static bool may_hold(struct kept *kept, size_t place, uint64_t key)
{
	bool may = false;
	assert_int_equal(recall_may_hold(kept->world.recall,
					 (struct recall_probe){place, false, key}, &may,
					 &kept->err),
			 0);
	return may;
}

static void filters_never_miss(void **state)
{
	/* the block that holds a record says that it may, for each key by which it is looked for */
	(void)state;
	struct kept kept;
	size_t blocks = 0, requests = 0, claims = 0;
	setup(&kept);
	uint64_t id = carried_key(STR_LIT("id-a"));
	(void)recall_blocks(kept.world.recall, &blocks);
	for (size_t place = 0; place < blocks; place++) {
		struct recall_run run;
		assert_int_equal(recall_rows(kept.world.recall,
					     (struct recall_key){place, RECALL_REQUESTS, id}, &run,
					     &kept.err),
				 0);
		assert_true(run.count == 0 || may_hold(&kept, place, id));
		requests += run.count;
		assert_int_equal(recall_rows(kept.world.recall,
					     (struct recall_key){place, RECALL_CLAIMS, id}, &run,
					     &kept.err),
				 0);
		assert_true(run.count == 0 || may_hold(&kept, place, id) ||
			    may_hold(&kept, place, carried_key_borne(id)));
		claims += run.count;
	}
	assert_int_equal(requests, 1);
	assert_int_equal(claims, 1);
	teardown(&kept);
}

static void leaves_are_found(void **state)
{
	/* each sealed leaf is in one block, another one in none: ERR_GONE */
	(void)state;
	struct kept kept;
	setup(&kept);
	for (uint64_t leaf = 0; leaf < kept.count; leaf++) {
		struct recall_row row;
		struct record record;
		uint64_t found = 99;
		assert_int_equal(recall_find_leaf(kept.world.recall, leaf, &row, &kept.err), 0);
		assert_int_equal(recall_record(kept.world.recall, row, &record, &found, &kept.err),
				 0);
		assert_int_equal(found, leaf);
	}
	struct recall_row row;
	assert_int_equal(recall_find_leaf(kept.world.recall, 77, &row, &kept.err), -ERR_GONE);
	teardown(&kept);
}

static void a_new_list_is_seen(void **state)
{
	/* after blocks were laid anew the old list is stale until it is read again */
	(void)state;
	struct kept kept;
	bool stale = true;
	setup(&kept);
	assert_int_equal(recall_is_stale(kept.world.recall, &stale, &kept.err), 0);
	assert_false(stale);
	kept.world.number++;
	assert_int_equal(recall_is_stale(kept.world.recall, &stale, &kept.err), 0);
	assert_true(stale);
	assert_int_equal(recall_refresh(kept.world.recall, &kept.err), 0);
	assert_int_equal(recall_is_stale(kept.world.recall, &stale, &kept.err), 0);
	assert_false(stale);
	teardown(&kept);
}

static void damage_is_told_once(void **state)
{
	/* a filter that is damaged: the block holds nothing from then on, recall_damage tells it, its records are ERR_GONE */
	(void)state;
	struct kept kept;
	struct error damage;
	struct record record;
	uint64_t leaf = 0;
	bool may = true;
	setup(&kept);
	assert_false(recall_damage(kept.world.recall, &damage));
	for (size_t i = 0; i < kept.world.count; i++) {
		kept.world.blocks[i].filters[0].ptr[6] ^= 1;
	}
	assert_int_equal(recall_may_hold(kept.world.recall, (struct recall_probe){0, false, 1},
					 &may, &kept.err),
			 0);
	assert_false(may);
	assert_true(recall_damage(kept.world.recall, &damage));
	assert_int_equal(damage.code, ERR_CORRUPT);
	assert_false(recall_damage(kept.world.recall, &damage));
	assert_int_equal(recall_record(kept.world.recall, (struct recall_row){0, 0}, &record, &leaf,
				       &kept.err),
			 -ERR_GONE);
	teardown(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_index_finds_its_rows),
		cmocka_unit_test(one_pass_gives_sessions_and_claims),
		cmocka_unit_test(a_block_tells_its_sources),
		cmocka_unit_test(filters_never_miss),
		cmocka_unit_test(leaves_are_found),
		cmocka_unit_test(a_new_list_is_seen),
		cmocka_unit_test(damage_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
