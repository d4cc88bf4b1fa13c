#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "query/import-progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void line_is(const struct import_state *state, size_t width, const char *want)
{
	struct buf out;
	buf_init(&out, 0);
	import_state_put(state, width, &out);
	assert_true(out.len <= width);
	assert_string_equal(out.len > 0 ? out.ptr : "", want);
	buf_done(&out);
}

static void a_line_fits_its_width(void **state)
{
	/* parts go one after the other as the terminal gets narrower, and nothing at all is left of it in the end */
	(void)state;
	const struct import_state reading = {.phase = IMPORT_READING,
					     .done_bytes = 43000000,
					     .all_bytes = 100000000,
					     .file = 1,
					     .file_count = 2,
					     .records = 188000,
					     .per_second = 41200,
					     .left_ns = 8 * NS_PER_SEC};
	line_is(&reading, 120,
		"reading  [#########-------------]  43 %  file 1 of 2  43.0 MB of 100.0 MB  "
		"188000 records  "
		"41200/s  8 s left");
	line_is(&reading, 79,
		"reading  [##----]  43 %  43.0 MB of 100.0 MB  188000 records  41200/s  8 s left");
	line_is(&reading, 60, "reading  [###-----]  43 %  188000 records  41200/s  8 s left");
	line_is(&reading, 40, "reading  43 %  41200/s  8 s left");
	line_is(&reading, 24, "reading  43 %  8 s left");
	line_is(&reading, 15, "reading  43 %");
	line_is(&reading, 12, "43 %");
	line_is(&reading, 4, "43 %");
	line_is(&reading, 3, "");
	for (size_t width = 0; width < 130; width++) {
		struct buf out;
		buf_init(&out, 0);
		import_state_put(&reading, width, &out);
		assert_true(out.len <= width);
		buf_done(&out);
	}
}

static void each_phase_counts_its_own(void **state)
{
	/* joining knows no end; sealing counts records */
	(void)state;
	const struct import_state joining = {
		.phase = IMPORT_JOINING, .records = 188000, .left_ns = -1};
	const struct import_state sealing = {
		.phase = IMPORT_SEALING, .sealed = 250, .stored = 1000, .left_ns = 90 * NS_PER_SEC};
	line_is(&joining, 79, "joining  188000 records");
	line_is(&sealing, 79,
		"sealing  [#####-----------------]  25 %  250 of 1000 records  90 s left");
}

static void files_are_counted_as_they_lie(void **state)
{
	/* bytes before a place: whole files, and of the one at hand its share by unpacked bytes, never more than it has */
	(void)state;
	static const struct import_file files[] = {
		{.path = "a", .bytes = 1000, .unpacked = 1000},
		{.path = "b.gz", .bytes = 100, .unpacked = 2000, .is_packed = true},
	};
	assert_int_equal(import_files_bytes(files, 2), 1100);
	assert_int_equal(import_files_done(files, 2, &(struct filecursor){0, 0, 250}), 250);
	assert_int_equal(import_files_done(files, 2, &(struct filecursor){0, 1, 500}), 1025);
	assert_int_equal(import_files_done(files, 2, &(struct filecursor){0, 1, 9000}), 1100);
	assert_int_equal(import_files_done(files, 2, &(struct filecursor){0, 2, 0}), 1100);
	assert_int_equal(import_files_done(files, 2, &(struct filecursor){0, 77, 5}), 1100);
}

static void look_at(const char *path, struct str bytes, struct import_file *out)
{
	assert_int_equal(io_replace_file(path, bytes, 0600, NULL), 0);
	import_file_look(path, out);
	assert_int_equal(unlink(path), 0);
}

static void packed_files_say_their_size(void **state)
{
	/* the last four bytes of a gzip file; one that is larger than that says tells it modulo 2^32 */
	(void)state;
	char path[] = "/tmp/querytrail-progress-XXXXXX";
	struct import_file file;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd); /* only its name is needed */
	look_at(path, STR_LIT("\x1f\x8b 0123456789abcdef \x10\x27\x00\x00"), &file);
	assert_true(file.is_packed);
	assert_int_equal(file.unpacked, 10000);
	look_at(path, STR_LIT("\x1f\x8b 0123456789abcdef \x05\x00\x00\x00"), &file);
	assert_true(file.unpacked == (UINT64_C(1) << 32) + 5);
	look_at(path, STR_LIT("\x1f\x8b short"), &file);
	assert_false(file.is_packed);
	assert_int_equal(file.unpacked, 8);
	look_at(path, STR_LIT("0123456789abcdef 0123456789"), &file);
	assert_false(file.is_packed);
	assert_int_equal(file.bytes, 27);
	assert_true(file.changed.tv_sec > 0);
	import_file_look("/nonexistent/file", &file);
	assert_int_equal(file.bytes, 0);
	import_file_look("/tmp", &file);
	assert_int_equal(file.bytes, 0);
}

static void the_pace_is_that_of_the_last_seconds(void **state)
{
	/* a steady speed is told as it is, with what is left; another phase begins anew; too short a time says nothing */
	(void)state;
	struct import_pace pace = {0};
	struct import_state at = {.all_bytes = 10000};
	import_pace_take(&pace, NS_PER_SEC, &at);
	assert_true(at.per_second < 1 && at.left_ns == -1);
	for (int second = 2; second <= 5; second++) {
		at.records += 50;
		at.done_bytes += 1000;
		import_pace_take(&pace, second * NS_PER_SEC, &at);
		assert_true(at.per_second > 49.99 && at.per_second < 50.01);
	}
	assert_true(at.left_ns > 5990 * NS_PER_MS && at.left_ns < 6010 * NS_PER_MS);
	at.records += 1000000;
	import_pace_take(&pace, 5 * NS_PER_SEC + 1, &at);
	assert_true(at.per_second < 51);
	at.phase = IMPORT_SEALING;
	at.stored = 100;
	import_pace_take(&pace, 6 * NS_PER_SEC, &at);
	assert_int_equal(at.left_ns, -1);
	at.sealed = 50;
	import_pace_take(&pace, 7 * NS_PER_SEC, &at);
	assert_true(at.left_ns > 990 * NS_PER_MS && at.left_ns < 1010 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_fits_its_width),
		cmocka_unit_test(each_phase_counts_its_own),
		cmocka_unit_test(files_are_counted_as_they_lie),
		cmocka_unit_test(packed_files_say_their_size),
		cmocka_unit_test(the_pace_is_that_of_the_last_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
