#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/filecursor.h"

static void comes_back(void **state)
{
	/* what is written is read back, and the reader stands behind it */
	(void)state;
	const struct filecursor cursor = {UINT64_MAX - 3, 300, INT64_MAX};
	struct filecursor read;
	struct buf out;
	buf_init(&out, 0);
	filecursor_put(&cursor, &out);
	buf_put_text(&out, "rest");
	struct wire_reader reader = wire_reader(buf_str(&out));
	assert_true(filecursor_read(&reader, &read));
	assert_true(read.files_hash == cursor.files_hash && read.file_index == 300 &&
		    read.offset == INT64_MAX);
	assert_int_equal(wire_left(&reader), 4);
	buf_done(&out);
}

static void anything_else_is_none(void **state)
{
	/* no bytes, each cut, another version and an offset that no file has are no cursor */
	(void)state;
	struct filecursor read = {.offset = 7};
	struct buf out;
	buf_init(&out, 0);
	filecursor_put(&(struct filecursor){1, 2, 3}, &out);
	for (size_t len = 0; len < out.len; len++) {
		struct wire_reader reader = wire_reader(str_make(out.ptr, len));
		assert_false(filecursor_read(&reader, &read));
	}
	out.ptr[0] = 1;
	struct wire_reader old = wire_reader(buf_str(&out));
	assert_false(filecursor_read(&old, &read));
	buf_clear(&out);
	filecursor_put(&(struct filecursor){1, 2, (uint64_t)INT64_MAX + 1}, &out);
	struct wire_reader beyond = wire_reader(buf_str(&out));
	assert_false(filecursor_read(&beyond, &read));
	assert_int_equal(read.offset, 7);
	buf_done(&out);
}

static void lists_differ(void **state)
{
	/* the hash of a list changes with each path and with their order, and stays what it is */
	(void)state;
	uint64_t one = filecursor_hash(filecursor_hash(2, STR_LIT("a")), STR_LIT("b"));
	assert_true(one != filecursor_hash(filecursor_hash(2, STR_LIT("b")), STR_LIT("a")));
	assert_true(one != filecursor_hash(filecursor_hash(3, STR_LIT("a")), STR_LIT("b")));
	assert_true(one == filecursor_hash(filecursor_hash(2, STR_LIT("a")), STR_LIT("b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(anything_else_is_none),
		cmocka_unit_test(lists_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
