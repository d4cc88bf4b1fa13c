#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/erasures.h"
#include "tests/unit/store-filled.h"

static void open_store(struct filled *filled)
{
	memset(filled, 0, sizeof *filled);
	fixture_init(&filled->fixture);
	filled_open(filled, STORE_CREATE);
}

static struct erasure erasure_of(const char *id)
{
	struct erasure erasure = {.state = ERASURE_HELD,
				  .only_literals = true,
				  .again = true,
				  .ordered_ns = -5,
				  .done_ns = 7,
				  .asked = 1,
				  .records = 2,
				  .blocks = 3,
				  .held = 4,
				  .steps = 5,
				  .steps_done = 300,
				  .filter_digest = "abc",
				  .by = "ann",
				  .held_by = "case-1, case-2",
				  .reason = "request 4711"};
	(void)snprintf(erasure.id, sizeof erasure.id, "%s", id);
	return erasure;
}

/* Members alone: what stands behind a text's end, and between members, is nobody's. */
static void assert_same(const struct erasure *row, const struct erasure *want)
{
	assert_string_equal(row->id, want->id);
	assert_string_equal(row->filter_digest, want->filter_digest);
	assert_int_equal(row->state, want->state);
	assert_int_equal(row->only_literals, want->only_literals);
	assert_int_equal(row->again, want->again);
	assert_int_equal(row->ordered_ns, want->ordered_ns);
	assert_int_equal(row->done_ns, want->done_ns);
	assert_int_equal(row->asked, want->asked);
	assert_int_equal(row->records, want->records);
	assert_int_equal(row->blocks, want->blocks);
	assert_int_equal(row->held, want->held);
	assert_int_equal(row->steps, want->steps);
	assert_int_equal(row->steps_done, want->steps_done);
	assert_string_equal(row->by, want->by);
	assert_string_equal(row->held_by, want->held_by);
	assert_string_equal(row->reason, want->reason);
}

static void rows_are_read_back(void **state)
{
	/* every member comes back; a second put of an id changes its row and adds none */
	struct filled f;
	struct erasures all;
	(void)state;
	open_store(&f);
	erasures_init(&all);
	assert_int_equal(erasures_read(f.store, &all, &f.err), 0);
	assert_int_equal(all.count, 0);
	for (int i = 0; i < 20; i++) {
		char id[ERASURES_ID_DIGITS + 1];
		(void)snprintf(id, sizeof id, "%016x", (unsigned)i);
		struct erasure erasure = erasure_of(id);
		assert_int_equal(erasures_put(f.store, &erasure, &f.err), 0);
	}
	struct erasure changed = erasure_of("0000000000000003");
	changed.state = ERASURE_DONE;
	changed.only_literals = changed.again = false;
	assert_int_equal(erasures_put(f.store, &changed, &f.err), 0);
	assert_int_equal(erasures_read(f.store, &all, &f.err), 0);
	assert_int_equal(all.count, 20);
	const struct erasure want = erasure_of("0000000000000013");
	const struct erasure *row = erasures_find(&all, STR_LIT("0000000000000013"));
	assert_ptr_equal(row, &all.list[19]);
	assert_same(row, &want);
	assert_same(erasures_find(&all, STR_LIT("0000000000000003")), &changed);
	assert_null(erasures_find(&all, STR_LIT("00000000000000ff")));
	erasures_done(&all);
	filled_done(&f);
}

static void leaves_are_kept_beside(void **state)
{
	/* the leaves of an id come back; of another there are none; damage of them is told */
	struct filled f;
	struct leafset leaves, back;
	(void)state;
	open_store(&f);
	leafset_init(&leaves);
	leafset_init(&back);
	assert_int_equal(leafset_add(&leaves, 3, 900, &f.err), 0);
	assert_int_equal(erasures_put_leaves(f.store, "00aa", &leaves, &f.err), 0);
	assert_int_equal(erasures_get_leaves(f.store, "00aa", &back, &f.err), 0);
	assert_int_equal(leafset_count(&back), 898);
	assert_int_equal(erasures_get_leaves(f.store, "00bb", &back, &f.err), 0);
	assert_int_equal(leafset_count(&back), 0);
	assert_int_equal(store_meta_put(f.store, "erasure.00aa", STR_LIT("\xff"), &f.err), 0);
	assert_int_equal(erasures_get_leaves(f.store, "00aa", &back, &f.err), -ERR_CORRUPT);
	leafset_done(&leaves);
	leafset_done(&back);
	filled_done(&f);
}

static void damage_is_told(void **state)
{
	/* a list that was cut is ERR_CORRUPT at every length, and is not written over */
	struct filled f;
	struct erasures all;
	struct buf bytes;
	(void)state;
	open_store(&f);
	erasures_init(&all);
	buf_init(&bytes, 0);
	const struct erasure erasure = erasure_of("0000000000000001");
	assert_int_equal(erasures_put(f.store, &erasure, &f.err), 0);
	assert_int_equal(store_meta_get(f.store, "erasures", &bytes, &f.err), 0);
	for (size_t len = 2; len < bytes.len; len++) {
		struct str cut = str_slice(buf_str(&bytes), 0, len);
		assert_int_equal(store_meta_put(f.store, "erasures", cut, &f.err), 0);
		assert_int_equal(erasures_read(f.store, &all, &f.err), -ERR_CORRUPT);
	}
	assert_int_equal(erasures_put(f.store, &erasure, &f.err), -ERR_CORRUPT);
	buf_done(&bytes);
	erasures_done(&all);
	filled_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_back),
		cmocka_unit_test(leaves_are_kept_beside),
		cmocka_unit_test(damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
