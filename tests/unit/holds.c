#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/holds.h"
#include "tests/unit/store-filled.h"

static struct hold hold_of(const char *name)
{
	return (struct hold){.name = str_of(name),
			     .filter = STR_LIT("user:alice"),
			     .note = STR_LIT("court order"),
			     .by = STR_LIT("ann"),
			     .since_ns = 42};
}

static void open_store(struct filled *filled)
{
	memset(filled, 0, sizeof *filled);
	fixture_init(&filled->fixture);
	filled_open(filled, STORE_CREATE);
}

static void holds_come_and_go(void **state)
{
	/* what was added is read back whole and in order, also after the store was opened again; one that was removed is gone */
	struct filled f;
	struct holds holds;
	(void)state;
	open_store(&f);
	holds_init(&holds);
	assert_int_equal(holds_read(f.store, &holds, &f.err), 0);
	assert_int_equal(holds.count, 0);
	const struct hold first = hold_of("case-1");
	const struct hold second = hold_of("case-2");
	assert_int_equal(holds_add(f.store, &first, &f.err), 0);
	assert_int_equal(holds_add(f.store, &second, &f.err), 0);
	store_close(f.store);
	filled_open(&f, STORE_WRITE);
	assert_int_equal(holds_read(f.store, &holds, &f.err), 0);
	assert_int_equal(holds.count, 2);
	const struct hold *found = holds_find(&holds, STR_LIT("case-2"));
	assert_ptr_equal(found, &holds.list[1]);
	assert_true(str_is(found->filter, "user:alice") && str_is(found->note, "court order"));
	assert_true(str_is(found->by, "ann") && found->since_ns == 42);
	assert_int_equal(holds_remove(f.store, STR_LIT("case-1"), &f.err), 0);
	assert_int_equal(holds_read(f.store, &holds, &f.err), 0);
	assert_int_equal(holds.count, 1);
	assert_null(holds_find(&holds, STR_LIT("case-1")));
	holds_done(&holds);
	filled_done(&f);
}

static void what_cannot_be_is_refused(void **state)
{
	/* a name that is taken, one that does not exist, a bad name and a long filter change nothing */
	struct filled f;
	struct holds holds;
	char large[HOLDS_FILTER_MAX + 2];
	(void)state;
	open_store(&f);
	holds_init(&holds);
	struct hold hold = hold_of("case-1");
	assert_int_equal(holds_add(f.store, &hold, &f.err), 0);
	assert_int_equal(holds_add(f.store, &hold, &f.err), -ERR_INPUT);
	assert_int_equal(holds_remove(f.store, STR_LIT("case-2"), &f.err), -ERR_INPUT);
	hold = hold_of("case 3");
	assert_int_equal(holds_add(f.store, &hold, &f.err), -ERR_LIMIT);
	memset(large, 'f', sizeof large);
	hold = hold_of("case-3");
	hold.filter = str_make(large, sizeof large);
	assert_int_equal(holds_add(f.store, &hold, &f.err), -ERR_LIMIT);
	assert_int_equal(holds_read(f.store, &holds, &f.err), 0);
	assert_int_equal(holds.count, 1);
	holds_done(&holds);
	filled_done(&f);
}

static void damage_is_not_taken_for_no_holds(void **state)
{
	/* a list that was cut or is of another version is ERR_CORRUPT at every length */
	struct filled f;
	struct holds holds;
	struct buf bytes;
	(void)state;
	open_store(&f);
	holds_init(&holds);
	buf_init(&bytes, 0);
	const struct hold hold = hold_of("case-1");
	assert_int_equal(holds_add(f.store, &hold, &f.err), 0);
	assert_int_equal(store_meta_get(f.store, "holds", &bytes, &f.err), 0);
	for (size_t len = 2; len < bytes.len; len++) {
		struct str cut = str_slice(buf_str(&bytes), 0, len);
		assert_int_equal(store_meta_put(f.store, "holds", cut, &f.err), 0);
		assert_int_equal(holds_read(f.store, &holds, &f.err), -ERR_CORRUPT);
		assert_int_equal(holds.count, 0);
	}
	bytes.ptr[0] = 9;
	assert_int_equal(store_meta_put(f.store, "holds", buf_str(&bytes), &f.err), 0);
	assert_int_equal(holds_read(f.store, &holds, &f.err), -ERR_CORRUPT);
	assert_int_equal(holds_add(f.store, &hold, &f.err), -ERR_CORRUPT);
	buf_done(&bytes);
	holds_done(&holds);
	filled_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_come_and_go),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(damage_is_not_taken_for_no_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
