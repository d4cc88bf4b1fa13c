#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/log/checkpoints.h"
#include "tests/unit/store-filled.h"

struct seen {
	uint64_t count, last_id, stop_at;
};

static int see(void *owner, const struct checkpoint *checkpoint, struct error *err)
{
	struct seen *seen = owner;
	(void)err;
	assert_true(checkpoint->id > seen->last_id);
	assert_int_equal(checkpoint->size, checkpoint->time_ns * 10);
	seen->last_id = checkpoint->id;
	seen->count++;
	return seen->count == seen->stop_at ? 7 : 0;
}

static void they_come_in_order(void **state)
{
	/* what was put last is the newest; a walk gives all above an id, and ends when it is told to */
	struct filled filled;
	struct checkpoint last;
	struct buf note;
	struct seen seen = {0};
	(void)state;
	filled_init(&filled, 3, 3);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	buf_init(&note, NOTE_MAX_BYTES);
	assert_int_equal(checkpoints_last(filled.store, &last, &note, &filled.err), -ERR_GONE);
	for (int64_t i = 1; i <= 5; i++) {
		assert_int_equal(checkpoints_put(filled.store, STR_LIT("a note"), (uint64_t)i * 10,
						 i, &filled.err),
				 0);
	}
	assert_int_equal(checkpoints_last(filled.store, &last, &note, &filled.err), 0);
	assert_true(last.size == 50 && last.time_ns == 5 && str_is(last.note, "a note"));
	assert_int_equal(checkpoints_walk(filled.store, 0, see, &seen, &filled.err), 0);
	assert_int_equal(seen.count, 5);
	seen = (struct seen){.last_id = last.id - 2};
	assert_int_equal(checkpoints_walk(filled.store, last.id - 2, see, &seen, &filled.err), 0);
	assert_int_equal(seen.count, 2);
	seen = (struct seen){.stop_at = 3};
	assert_int_equal(checkpoints_walk(filled.store, 0, see, &seen, &filled.err), 7);
	assert_int_equal(seen.count, 3);
	filled_sql(&filled, "UPDATE checkpoints SET size = -1");
	assert_int_equal(checkpoints_last(filled.store, &last, &note, &filled.err), -ERR_CORRUPT);
	buf_done(&note);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_come_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
