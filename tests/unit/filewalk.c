/* The reader finds its way through the files: oldest first, to the end of each, past deleted and moved ones. */
#include "tests/unit/auditreader-desk.h"

/* Full files are followed one by one, oldest first, each read to its end; reading rows never uses a pattern. */
static void test_file_steps(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	for (int f = 0; f < 6; f++) {
		struct script_file *file = script_add_file(&desk.script);
		for (int i = 0; i < 3; i++) {
			char text[32];
			snprintf(text, sizeof(text), "f%dr%d", f, i);
			script_add_row(file, 1024 * (i + 1), text);
		}
	}
	desk_drain(&desk);
	assert_int_equal(desk.statements, 18);
	assert_int_equal(desk.repeats, 0);
	assert_int_equal(desk.gaps, 0);
	assert_true(str_has_prefix(buf_str(&desk.texts), STR_LIT("f0r0,f0r1,f0r2,f1r0,")));
	assert_int_equal(desk.script.list_count, 1);
	desk_done(&desk);
}

/* A last row that is written just before the server turns to the next file is still read. */
static void test_row_before_rollover(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *first = script_add_file(&desk.script);
	script_add_row(first, 1024, "a");
	desk_drain(&desk);
	script_add_row(first, 1024, "b");
	script_add_row(first, 2048, "c");
	script_add_row(script_add_file(&desk.script), 1024, "d");
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a,b,c,d,"));
	desk_done(&desk);
}

/* A file that goes away while it is read becomes a gap with its place and times, and reading goes on in the oldest one left. */
static void test_deleted_file(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	desk.options.batch_rows = 2;
	desk_restart(&desk);
	struct script_file *first = script_add_file(&desk.script);
	for (int i = 0; i < 4; i++) {
		script_add_row(first, 1024 * (i + 1), "x");
	}
	struct error err;
	assert_int_equal(desk_fetch(&desk, false, &err), 0);
	first->deleted = true;
	struct script_file *second = script_add_file(&desk.script);
	struct script_file *third = script_add_file(&desk.script);
	script_add_row(second, 1024, "y")->time_ns = SCRIPT_TIME + 5 * NS_PER_SEC;
	script_add_row(third, 1024, "z");
	desk_drain(&desk);
	assert_int_equal(desk.gaps, 1);
	const struct record *gap = &desk.last_gap;
	assert_int_equal(record_number(gap, FIELD_gap_from, 0), SCRIPT_TIME + NS_PER_MS);
	assert_int_equal(record_number(gap, FIELD_gap_to, 0), SCRIPT_TIME + 5 * NS_PER_SEC);
	assert_int_equal(record_number(gap, FIELD_file_offset, 0), 2048);
	assert_int_equal(desk.statements, 4);
	assert_true(str_has_suffix(buf_str(&desk.texts), STR_LIT("y,z,")));
	desk_drain(&desk);
	assert_int_equal(desk.gaps, 1);
	desk_done(&desk);
}

/* An offset that is valid no longer in a file that is still there: the file is read anew, nothing is missed or doubled, and the
 * gap says so once. */
static void test_invalid_offset(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	script_add_row(file, 1024, "a");
	script_add_row(file, 2048, "b");
	desk_drain(&desk);
	desk.script.bad_offset = true;
	script_add_row(file, 4096, "c");
	struct error err;
	assert_int_equal(desk_fetch(&desk, false, &err), 0);
	assert_int_equal(desk.statements, 3);
	assert_int_equal(desk.gaps, 1);
	desk_done(&desk);
}

/* When every file is gone the source waits, tells it, and goes on with the first new one. */
static void test_all_files_gone(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	script_add_row(file, 1024, "a");
	desk_drain(&desk);
	file->deleted = true;
	desk_drain(&desk);
	assert_true(desk_noted(&desk, "is gone and there is no newer one"));
	assert_int_equal(desk.gaps, 0);
	script_add_row(script_add_file(&desk.script), 1024, "b");
	desk_drain(&desk);
	assert_int_equal(desk.gaps, 1);
	assert_true(str_is(buf_str(&desk.texts), "a,b,"));
	desk_done(&desk);
}

/* Before the first file there is nothing to read; then the oldest is read from its beginning. */
static void test_no_file_yet(void **state)
{
	(void)state;
	static struct desk desk;
	struct error err;
	desk_init(&desk);
	desk.script.deny_status = true;
	desk.options.file_pattern = "D:\\audit\\app_*.sqlaudit";
	desk_restart(&desk);
	desk_drain(&desk);
	assert_true(desk_noted(&desk, "there is no audit file yet"));
	script_add_row(script_add_file(&desk.script), 1024, "a");
	desk_drain(&desk);
	assert_int_equal(desk.statements, 1);

	/* Without any hint where files are it is the operator's turn. */
	desk.script.deny_settings = true;
	desk.options.file_pattern = "";
	buf_clear(&desk.cursor);
	desk_restart(&desk);
	assert_int_equal(desk_fetch(&desk, false, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "file_pattern"));
	desk_done(&desk);
}

/* Without the right to see which file is written, rows of all files come, and that is told once. */
static void test_denied_metadata(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	desk.script.deny_status = desk.script.deny_settings = true;
	desk.options.file_pattern = "D:\\audit\\app_*.sqlaudit";
	desk_restart(&desk);
	script_add_row(script_add_file(&desk.script), 1024, "a");
	script_add_row(script_add_file(&desk.script), 1024, "b");
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a,b,"));
	assert_true(desk_noted(&desk, "VIEW SERVER STATE was denied"));
	assert_true(desk_noted(&desk, "VIEW ANY DEFINITION was denied"));
	size_t noted = desk.note.len;
	unsigned steps = desk.script.next_count;
	for (int i = 0; i < 9; i++) {
		desk.now_ns += NS_PER_SEC;
		desk_drain(&desk);
	}
	assert_int_equal(desk.note.len, noted);
	assert_in_range(desk.script.next_count - steps, 0, 1);
	script_add_row(script_add_file(&desk.script), 1024, "c");
	desk.now_ns += 10 * NS_PER_SEC;
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a,b,c,"));
	desk_done(&desk);
}

/* On Amazon RDS a file that moved to the folder transmitted is read on there, without a gap. */
static void test_rds_transmitted(void **state)
{
	(void)state;
	static struct desk desk;
	struct error err;
	desk_init(&desk);
	desk.options.rds = true;
	desk.options.batch_rows = 2;
	desk_restart(&desk);
	struct script_file *first = script_add_file(&desk.script);
	for (int i = 0; i < 6; i++) {
		char text[16];
		snprintf(text, sizeof(text), "a%d", i);
		script_add_row(first, 1024 * (i + 1), text);
	}
	assert_int_equal(desk_fetch(&desk, false, &err), 0);
	script_add_row(script_add_file(&desk.script), 1024, "b");
	script_add_row(script_add_file(&desk.script), 1024, "c");
	desk.script.files[0].transmitted = true;
	desk.script.files[1].transmitted = true;
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a0,a1,a2,a3,a4,a5,b,c,"));
	assert_int_equal(desk.gaps, 0);
	desk_done(&desk);
}

/* When the server needs too long to list all files, its first one is taken, and the others follow. */
static void test_late_list(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	desk.script.list_late = true;
	script_add_row(script_add_file(&desk.script), 1024, "a");
	script_add_row(script_add_file(&desk.script), 1024, "b");
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a,b,"));
	desk_done(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_steps),      cmocka_unit_test(test_row_before_rollover),
		cmocka_unit_test(test_deleted_file),    cmocka_unit_test(test_invalid_offset),
		cmocka_unit_test(test_all_files_gone),  cmocka_unit_test(test_no_file_yet),
		cmocka_unit_test(test_denied_metadata), cmocka_unit_test(test_rds_transmitted),
		cmocka_unit_test(test_late_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
