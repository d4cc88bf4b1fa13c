#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/log/anchors.h"
#include "tests/unit/log-fixture.h"

static void states_are_kept(void **state)
{
	/* a state comes back as it was put, also after the store was opened again; another put takes its place; a drop takes it away */
	struct log_fixture log;
	struct anchor_state out, put = {.name = "w1",
					.type = "witness",
					.taken_size = 7,
					.taken_ns = 123,
					.known_size = 9,
					.failures = 2,
					.next_ns = 456,
					.text = "away",
					.origin = "example.com/log"};
	struct error err;
	(void)state;
	log_fixture_init(&log, 5);
	assert_int_equal(anchors_get(log.filled.store, "w1", &out, &err), -ERR_GONE);
	assert_int_equal(anchors_put(log.filled.store, &put, &err), 0);
	store_close(log.filled.store);
	filled_open(&log.filled, STORE_WRITE);
	assert_int_equal(anchors_get(log.filled.store, "w1", &out, &err), 0);
	assert_string_equal(out.type, "witness");
	assert_string_equal(out.text, "away");
	assert_string_equal(out.origin, "example.com/log");
	assert_true(out.taken_size == 7 && out.taken_ns == 123 && out.known_size == 9 &&
		    out.failures == 2 && out.next_ns == 456);
	put.taken_ns = INT64_MIN;
	assert_int_equal(anchors_put(log.filled.store, &put, &err), 0);
	assert_int_equal(anchors_get(log.filled.store, "w1", &out, &err), 0);
	assert_true(out.taken_ns == INT64_MIN);
	assert_int_equal(anchors_drop(log.filled.store, "w1", &err), 0);
	assert_int_equal(anchors_get(log.filled.store, "w1", &out, &err), -ERR_GONE);
	log_fixture_done(&log);
}

static int count_states(void *owner, const struct anchor_state *anchor, struct error *err)
{
	char *names = owner;
	(void)err;
	names[strlen(names)] = anchor->name[0];
	return 0;
}

static void states_are_walked_by_name(void **state)
{
	/* every state is given, by name; a callback's result ends the walk */
	struct log_fixture log;
	struct error err;
	char names[64] = "";
	(void)state;
	log_fixture_init(&log, 5);
	for (const char *name = "cab"; *name != '\0'; name++) {
		const struct anchor_state put = {.name = {*name}, .type = "file"};
		assert_int_equal(anchors_put(log.filled.store, &put, &err), 0);
	}
	assert_int_equal(anchors_walk(log.filled.store, count_states, names, &err), 0);
	assert_string_equal(names, "abc");
	log_fixture_done(&log);
}

static void cosignatures_stand_below_their_checkpoint(void **state)
{
	/* the note comes with the cosignatures that were given for it, not with those of another checkpoint of the same size, and without time stamps */
	struct log_fixture log;
	struct checkpoint last;
	struct buf note, out;
	struct error err;
	(void)state;
	log_fixture_init(&log, 5);
	buf_init(&note, 0);
	buf_init(&out, 0);
	struct anchor_receipt receipt = {.anchor = STR_LIT("w1"),
					 .size = 5,
					 .time_ns = 1,
					 .kind = ANCHOR_COSIGNATURE,
					 .note = buf_str(&log.note),
					 .bytes = STR_LIT("-- one\n")};
	assert_int_equal(anchors_put_receipt(log.filled.store, &receipt, &err), 0);
	receipt.anchor = STR_LIT("w2");
	receipt.bytes = STR_LIT("-- two\n");
	assert_int_equal(anchors_put_receipt(log.filled.store, &receipt, &err), 0);
	receipt.anchor = STR_LIT("w3");
	receipt.note = STR_LIT("another checkpoint");
	receipt.bytes = STR_LIT("-- three\n");
	assert_int_equal(anchors_put_receipt(log.filled.store, &receipt, &err), 0);
	receipt.anchor = STR_LIT("tsa");
	receipt.note = buf_str(&log.note);
	receipt.kind = ANCHOR_TIMESTAMP;
	assert_int_equal(anchors_put_receipt(log.filled.store, &receipt, &err), 0);
	assert_int_equal(checkpoints_last(log.filled.store, &last, &note, &err), 0);
	assert_int_equal(anchors_note(log.filled.store, &last, &out, &err), 0);
	buf_put_text(&note, "-- one\n-- two\n");
	assert_true(str_equal(buf_str(&out), buf_str(&note)));
	receipt.bytes.len = 0;
	assert_int_equal(anchors_put_receipt(log.filled.store, &receipt, &err), -ERR_LIMIT);
	buf_done(&note);
	buf_done(&out);
	log_fixture_done(&log);
}

static int count_receipts(void *owner, const struct anchor_receipt *receipt, struct error *err)
{
	unsigned *count = owner;
	(void)receipt;
	(void)err;
	++*count;
	return 0;
}

static void old_receipts_are_thinned_out(void **state)
{
	/* of receipts of more than a day ago the last of each hour stays, of later ones all, of other anchors all */
	struct log_fixture log;
	struct error err;
	unsigned kept = 0, expected = 0;
	(void)state;
	log_fixture_init(&log, 5);
	for (uint64_t minute = 0; minute < 30 * 60; minute += 10) {
		struct anchor_receipt receipt = {.anchor = STR_LIT("w1"),
						 .size = minute,
						 .time_ns = (int64_t)minute * NS_PER_MIN,
						 .kind = ANCHOR_COSIGNATURE,
						 .note = STR_LIT("n"),
						 .bytes = STR_LIT("x")};
		assert_int_equal(anchors_put_receipt(log.filled.store, &receipt, &err), 0);
	}
	for (uint64_t minute = 0; minute < 30 * 60; minute += 10) {
		const struct checkpoint checkpoint = {.size = minute, .note = STR_LIT("n")};
		unsigned before = kept;
		assert_int_equal(anchors_receipts(log.filled.store, &checkpoint, count_receipts,
						  &kept, &err),
				 0);
		bool is_old = minute < 30 * 60 - 10 - 24 * 60;
		bool stays = !is_old || minute % 60 == 50;
		assert_int_equal(kept - before, stays ? 1 : 0);
		expected += stays ? 1 : 0;
	}
	assert_int_equal(kept, expected);
	log_fixture_done(&log);
}

static void damage_is_told(void **state)
{
	/* rows that cannot be are ERR_CORRUPT */
	struct log_fixture log;
	struct error err;
	struct anchor_state out;
	unsigned count = 0;
	(void)state;
	log_fixture_init(&log, 5);
	filled_sql(&log.filled,
		   "INSERT INTO anchors VALUES ('a', 'file', 1, 0, 0, 0, 0, '', '', 7);"
		   "INSERT INTO receipts VALUES ('a', 5, 0, 1, x'00', x'01', 7)");
	filled_sql(&log.filled,
		   "UPDATE receipts SET note_sha256 = x'"
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'");
	assert_int_equal(anchors_get(log.filled.store, "a", &out, &err), -ERR_CORRUPT);
	const struct checkpoint checkpoint = {.size = 5};
	assert_int_equal(
		anchors_receipts(log.filled.store, &checkpoint, count_receipts, &count, &err),
		-ERR_CORRUPT);
	log_fixture_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_kept),
		cmocka_unit_test(states_are_walked_by_name),
		cmocka_unit_test(cosignatures_stand_below_their_checkpoint),
		cmocka_unit_test(old_receipts_are_thinned_out),
		cmocka_unit_test(damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
