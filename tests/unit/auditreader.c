/* Each audit row is taken once: through buffers that grow, batches that end inside one, breaks, restarts and lost batches. */
#include "tests/unit/auditreader-desk.h"

/* Rows with equal time and offset all come, once, in order; the next poll takes nothing twice and sends no new cursor. */
static void test_ties(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	for (int i = 0; i < 5; i++) {
		char text[16];
		snprintf(text, sizeof(text), "q%d", i);
		script_add_row(file, 1024, text)->time_ns = SCRIPT_TIME;
	}
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "q0,q1,q2,q3,q4,"));
	desk_drain(&desk);
	assert_int_equal(desk.statements, 5);
	assert_int_equal(desk.repeats, 0);
	assert_int_equal(desk.batch.record_count, 0);
	desk.now_ns += NS_PER_SEC;
	struct str before = {0};
	assert_int_equal(arena_str(&desk.arena, buf_str(&desk.cursor), &before), 0);
	struct buf kept;
	buf_init(&kept, 0);
	buf_put_str(&kept, before);
	desk_drain(&desk);
	assert_true(str_equal(buf_str(&kept), buf_str(&desk.cursor)));
	buf_done(&kept);
	desk_done(&desk);
}

/* Two rows that are equal in every column are two statements, and stay two when their buffer is read again. */
static void test_true_duplicates(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	for (int i = 0; i < 3; i++) {
		script_add_row(file, 1024, "SELECT 1")->time_ns = SCRIPT_TIME;
	}
	desk_drain(&desk);
	assert_int_equal(desk.statements, 3);
	script_add_row(file, 1024, "SELECT 1")->time_ns = SCRIPT_TIME;
	desk_drain(&desk);
	assert_int_equal(desk.statements, 4);
	assert_int_equal(desk.repeats, 0);
	desk_done(&desk);
}

/* A buffer that grows between polls gives its new rows, and a row that appears in the middle of it is found too. */
static void test_growing_buffer(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	script_add_row(file, 1024, "a");
	script_add_row(file, 2048, "b");
	script_add_row(file, 2048, "d");
	desk_drain(&desk);
	assert_int_equal(desk.statements, 3);
	script_add_row(file, 2048, "c");
	struct script_row d = file->rows[2];
	file->rows[2] = file->rows[3];
	file->rows[3] = d;
	script_add_row(file, 2048, "e");
	script_add_row(file, 4096, "f");
	desk_drain(&desk);
	assert_int_equal(desk.statements, 6);
	assert_int_equal(desk.repeats, 0);
	desk_done(&desk);
}

/* TOP that ends inside a buffer makes progress, also in a buffer of many times the batch's rows. */
static void test_mid_buffer_stop(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	desk.options.batch_rows = 10;
	desk_restart(&desk);
	struct script_file *file = script_add_file(&desk.script);
	for (int i = 0; i < 1000; i++) {
		char text[16];
		snprintf(text, sizeof(text), "q%d", i);
		script_add_row(file, i < 3 ? 512 : 1024, text);
	}
	int fetches = desk_drain(&desk);
	assert_int_equal(desk.statements, 1000);
	assert_int_equal(desk.repeats, 0);
	assert_in_range(fetches, 100, 110);
	desk_done(&desk);
}

/* A connection that breaks in the middle of a row set loses nothing and doubles nothing. */
static void test_broken_read(void **state)
{
	(void)state;
	static struct desk desk;
	struct error err;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	for (int i = 0; i < 50; i++) {
		char text[16];
		snprintf(text, sizeof(text), "q%d", i);
		script_add_row(file, 1024 * (1 + i / 7), text);
	}
	for (int rows = 0; rows < 50; rows += 9) {
		desk.script.close_after = rows;
		assert_int_equal(desk_fetch(&desk, false, &err), -ERR_AGAIN);
	}
	assert_int_equal(desk.statements, 0);
	desk.script.close_after = -1;
	desk_drain(&desk);
	assert_int_equal(desk.statements, 50);
	assert_int_equal(desk.repeats, 0);
	desk_done(&desk);
}

/* Message 33226 becomes a gap between the rows around it, once, and reading goes on behind it. */
static void test_skipped_records(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	script_add_row(file, 1024, "a");
	script_add_row(file, 2048, "skipping records from file at offset 2048")->skipped = true;
	script_add_row(file, 4096, "b");
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a,b,"));
	assert_int_equal(desk.gaps, 1);
	assert_true(record_number(&desk.last_gap, FIELD_gap_to, 0) == file->rows[2].time_ns);
	desk_drain(&desk);
	desk_restart(&desk);
	desk_drain(&desk);
	assert_int_equal(desk.gaps, 1);
	assert_int_equal(desk.statements, 2);
	desk_done(&desk);
}

/* A row that cannot be converted is rejected with its bytes, once, and its neighbours come. */
static void test_bad_row(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	script_add_row(file, 1024, "a");
	script_add_row(file, 1024, "event_time=day 99999999")->bad = true;
	script_add_row(file, 1024, "b");
	desk_drain(&desk);
	assert_int_equal(desk.rejects, 1);
	assert_true(str_is(buf_str(&desk.texts), "a,b,"));
	desk_drain(&desk);
	assert_int_equal(desk.batch.record_count, 0);
	assert_int_equal(desk.repeats, 0);
	desk_done(&desk);
}

static void fill_text(struct script_row *row, char with, size_t len)
{
	memset(row->text, with, len);
	row->text[len] = '\0';
}

/* A statement in three rows is one record, also when the rows come in different polls with a restart between them. */
static void test_split_statement(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	for (int part = 1; part <= 3; part++) {
		struct script_row *row = script_add_row(file, 1024 * part, "");
		fill_text(row, (char)('a' + part), part < 3 ? 4000 : 17);
		row->time_ns = SCRIPT_TIME;
		row->sequence = part;
		desk_drain(&desk);
		assert_int_equal(desk.statements, part < 3 ? 0 : 1);
		desk_restart(&desk);
	}
	assert_int_equal(desk.texts.len, 8017 + 1);
	assert_int_equal(desk.repeats, 0);
	desk_done(&desk);
}

/* A statement of so many rows that they do not fit the cursor is whole too, through a restart in the middle. */
static void test_huge_statement(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	desk.options.batch_rows = 20;
	desk_restart(&desk);
	struct script_file *file = script_add_file(&desk.script);
	script_add_row(file, 512, "before");
	for (int part = 1; part <= 120; part++) {
		struct script_row *row = script_add_row(file, 1024 * part, "");
		fill_text(row, 'h', part < 120 ? 4000 : 1);
		row->time_ns = SCRIPT_TIME + NS_PER_SEC;
		row->sequence = part;
	}
	script_add_row(file, 1024 * 200, "after");
	struct error err;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(desk_fetch(&desk, false, &err), 0);
	}
	desk_restart(&desk);
	desk_drain(&desk);
	assert_int_equal(desk.statements, 3);
	assert_int_equal(desk.texts.len, 7 + 119 * 4000 + 1 + 1 + 6);
	desk_done(&desk);
}

/* A batch that is lost while the cursor stands before the parts of such a statement is given again. */
static void test_lost_beside_huge(void **state)
{
	(void)state;
	static struct desk desk;
	struct error err;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	for (int part = 1; part <= 60; part++) {
		struct script_row *row = script_add_row(file, 1024 * part, "");
		fill_text(row, 'h', 4000);
		row->time_ns = SCRIPT_TIME;
		row->sequence = part;
	}
	script_add_row(file, 1024 * 61, "a")->session = 52;
	desk_drain(&desk);
	script_add_row(file, 1024 * 62, "b")->session = 52;
	assert_int_equal(desk_fetch(&desk, true, &err), 0);
	assert_int_equal(desk.batch.record_count, 1);
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a,b,"));
	desk_done(&desk);
}

/* A statement whose rest never comes is given as incomplete after part_timeout, not before. */
static void test_part_timeout(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	fill_text(script_add_row(script_add_file(&desk.script), 1024, ""), 'x', 4000);
	desk_drain(&desk);
	desk.now_ns += 59 * NS_PER_SEC;
	desk_drain(&desk);
	assert_int_equal(desk.statements, 0);
	desk.now_ns += 2 * NS_PER_SEC;
	desk_drain(&desk);
	assert_int_equal(desk.statements, 1);
	assert_int_equal(record_number(&desk.batch.records[0], FIELD_incomplete, 0), 1);
	desk_done(&desk);
}

/* A batch that was never committed is given again. */
static void test_lost_batch(void **state)
{
	(void)state;
	static struct desk desk;
	struct error err;
	desk_init(&desk);
	struct script_file *file = script_add_file(&desk.script);
	script_add_row(file, 1024, "a");
	desk_drain(&desk);
	script_add_row(file, 2048, "b");
	assert_int_equal(desk_fetch(&desk, true, &err), 0);
	assert_int_equal(desk.batch.record_count, 1);
	desk_drain(&desk);
	assert_true(str_is(buf_str(&desk.texts), "a,b,"));
	desk_done(&desk);
}

/* The watermark trails the server's clock by queue delay and margin once caught up, and never goes back. */
static void test_watermark(void **state)
{
	(void)state;
	static struct desk desk;
	desk_init(&desk);
	script_add_row(script_add_file(&desk.script), 1024, "a");
	desk_drain(&desk);
	int64_t first = desk.batch.watermark_ns;
	/* The scripted server's clock is 3 s ahead; its delay is 1 s, the margin 2 s. */
	assert_true(first == SCRIPT_TIME);
	/* Then older rows come, more than one batch of them. */
	struct error err;
	for (int i = 0; i < 150; i++) {
		script_add_row(&desk.script.files[0], 2048, "late")->time_ns =
			SCRIPT_TIME - NS_PER_HOUR;
	}
	assert_int_equal(desk_fetch(&desk, false, &err), 0);
	assert_true(desk.batch.more);
	assert_true(desk.batch.watermark_ns == first);
	desk_drain(&desk);
	/* Without the queue delay, 10 s are taken. */
	desk.script.deny_settings = true;
	desk.now_ns += 61 * NS_PER_SEC;
	desk_drain(&desk);
	assert_true(desk.batch.watermark_ns == SCRIPT_TIME + (61 + 3 - 10 - 2) * NS_PER_SEC);
	desk_done(&desk);
}

/* The server's name is set when the configuration gives one; a finite source ends. */
static void test_server_name_and_end(void **state)
{
	(void)state;
	static struct desk desk;
	struct error err;
	desk_init(&desk);
	desk.options.finite = true;
	desk_restart(&desk);
	script_add_row(script_add_file(&desk.script), 1024, "a");
	assert_int_equal(desk_fetch(&desk, false, &err), 0);
	assert_true(desk.batch.done);
	assert_true(str_is(record_text(&desk.batch.records[0], FIELD_server), "DB01"));
	desk.options.server_name = "orders-db";
	buf_clear(&desk.cursor);
	desk_restart(&desk);
	assert_int_equal(desk_fetch(&desk, false, &err), 0);
	assert_true(str_is(record_text(&desk.batch.records[0], FIELD_server), "orders-db"));
	desk_done(&desk);
}

/* Several audits and no choice is the operator's to solve; a damaged cursor too. */
static void test_refusals(void **state)
{
	(void)state;
	static struct desk desk;
	struct error err;
	desk_init(&desk);
	script_add_file(&desk.script);
	desk.script.audit_count = 2;
	assert_int_equal(desk_fetch(&desk, false, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "audit"));
	desk.script.audit_count = 1;
	buf_put_text(&desk.cursor, "\001garbage");
	assert_int_equal(desk_fetch(&desk, false, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "cursor"));
	desk_done(&desk);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* One random change of the world or of our luck. Returns how many rows were added. */
static size_t shake(struct desk *desk, uint64_t *seed, int64_t *offset, int number)
{
	struct error err;
	struct script *script = &desk->script;
	char text[32];
	switch (next_random(seed) % 8) {
	case 0:
		if (script->file_count < SCRIPT_FILES) {
			script_add_file(script);
			*offset = 0;
		}
		return 0;
	case 1:
		*offset += 512;
		return 0;
	case 2:
		desk_restart(desk);
		return 0;
	case 3:
		script->close_after = (int)(next_random(seed) % 12);
		(void)desk_fetch(desk, false, &err); /* fails or not */
		script->close_after = -1;
		return 0;
	case 4:
		assert_int_equal(desk_fetch(desk, true, &err), 0);
		return 0;
	case 5:
		assert_int_equal(desk_fetch(desk, false, &err), 0);
		return 0;
	default:
		/* Every third text is the same, with the same time: only its ordinal tells it from the others. */
		snprintf(text, sizeof(text), "r%d", number % 3 == 0 ? 0 : number);
		script_add_row(&script->files[script->file_count - 1], *offset, text)->time_ns =
			SCRIPT_TIME;
		return 1;
	}
}

/* Under any order of growth, new files, restarts, broken reads and lost batches each row is stored once. */
static void test_any_history(void **state)
{
	(void)state;
	static struct desk desk;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t random = seed * 7919;
		int64_t offset = 0;
		size_t added = 0;
		desk_init(&desk);
		desk.options.batch_rows = 1 + (uint32_t)(seed % 9);
		desk_restart(&desk);
		script_add_file(&desk.script);
		for (int i = 0; i < 300; i++) {
			added += shake(&desk, &random, &offset, i);
		}
		desk_drain(&desk);
		assert_int_equal(desk.statements, added);
		assert_int_equal(desk.gaps, 0);
		desk_done(&desk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ties),           cmocka_unit_test(test_true_duplicates),
		cmocka_unit_test(test_growing_buffer), cmocka_unit_test(test_mid_buffer_stop),
		cmocka_unit_test(test_broken_read),    cmocka_unit_test(test_skipped_records),
		cmocka_unit_test(test_bad_row),        cmocka_unit_test(test_split_statement),
		cmocka_unit_test(test_huge_statement), cmocka_unit_test(test_lost_beside_huge),
		cmocka_unit_test(test_part_timeout),   cmocka_unit_test(test_lost_batch),
		cmocka_unit_test(test_watermark),      cmocka_unit_test(test_server_name_and_end),
		cmocka_unit_test(test_refusals),       cmocka_unit_test(test_any_history),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
