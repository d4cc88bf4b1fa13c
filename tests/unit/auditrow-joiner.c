#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/auditrow/auditrow.h"

#define TIME_NS    INT64_C(1795341600123456700)
#define FULL_UNITS 4000

struct fixture {
	struct arena arena;
	struct auditrow_joiner *joiner;
	struct record record;
	struct error err;
	struct buf text;
	uint8_t next_key;
};

static int make(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	arena_init(&f->arena, 64 << 20);
	buf_init(&f->text, 0);
	f->joiner = auditrow_joiner_new(STR_LIT("db"), 8 << 20);
	*state = f;
	return f->joiner == NULL;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	auditrow_joiner_free(f->joiner);
	buf_done(&f->text);
	arena_done(&f->arena);
	test_free(f);
	return 0;
}

static void set_text(struct auditrow *row, const char *name, struct str text)
{
	row->column[row->column_count++] =
		(struct auditrow_column){.name = str_of(name), .type = AUDITROW_TEXT, .text = text};
}

static void set_int(struct auditrow *row, const char *name, int64_t number)
{
	row->column[row->column_count++] = (struct auditrow_column){
		.name = str_of(name), .type = AUDITROW_INT, .number = number};
}

/* A row with what the parts of one statement share; each has a key of its own. */
static struct auditrow row_of(struct fixture *f, int64_t session, int64_t sequence,
			      struct str statement)
{
	struct auditrow row = {.column_count = 1};

	row.column[0] = (struct auditrow_column){
		.name = STR_LIT("event_time"), .type = AUDITROW_TIME, .number = TIME_NS};
	set_int(&row, "sequence_number", sequence);
	set_text(&row, "action_id", STR_LIT("BCM "));
	set_int(&row, "session_id", session);
	set_text(&row, "statement", statement);
	row.key[0] = ++f->next_key;
	return row;
}

static void add(struct fixture *f, int64_t session, int64_t sequence, struct str statement)
{
	struct auditrow row = row_of(f, session, sequence, statement);

	assert_int_equal(auditrow_joiner_add(f->joiner, &row, &f->err), 0);
}

static bool take(struct fixture *f)
{
	bool has = auditrow_joiner_has(f->joiner);
	int code = auditrow_joiner_take(f->joiner, &f->arena, &f->record, &f->err);

	assert_int_equal(code, has ? 0 : -ERR_GONE);
	return code == 0;
}

/* A text of FULL_UNITS, a letter repeated. */
static struct str full_text(struct fixture *f, char letter)
{
	buf_clear(&f->text);
	buf_put_fill(&f->text, (uint8_t)letter, FULL_UNITS);
	return buf_str(&f->text);
}

static void check_statement(const struct fixture *f, size_t len, int64_t parts, bool incomplete)
{
	assert_int_equal(record_text(&f->record, FIELD_statement).len, len);
	assert_int_equal(record_number(&f->record, FIELD_parts, 0), parts);
	assert_int_equal(record_has(&f->record, FIELD_incomplete), incomplete);
}

static void whole_rows_come_one_by_one(void **state)
{
	/* a row that is not full comes out as soon as another follows, the last one by flush; nothing is then left */
	struct fixture *f = *state;

	add(f, 51, 1, STR_LIT("SELECT 1"));
	assert_false(take(f));
	add(f, 51, 1, STR_LIT("SELECT 2"));
	assert_true(take(f));
	assert_true(str_is(record_text(&f->record, FIELD_statement), "SELECT 1"));
	assert_true(str_is(record_text(&f->record, FIELD_action), "BCM"));
	assert_true(str_is(record_text(&f->record, FIELD_verb), "SELECT"));
	assert_true(str_is(f->record.source, "db"));
	assert_int_equal(f->record.key.ptr[0], 1);
	assert_int_equal(f->record.time_ns, TIME_NS);
	check_statement(f, 8, 1, false);
	assert_false(take(f));
	auditrow_joiner_flush(f->joiner, false);
	assert_true(take(f));
	assert_int_equal(auditrow_joiner_held(f->joiner), 0);
}

static void fifty_parts_make_one(void **state)
{
	/* a statement of 200 KB in 50 parts, with the state saved and restored between them, is put together whole */
	struct fixture *f = *state;
	struct buf saved;
	struct str raw;
	size_t lines = 1;

	buf_init(&saved, 4 << 20);
	for (int part = 1; part <= 50; part++) {
		struct auditrow_joiner *fresh = auditrow_joiner_new(STR_LIT("db"), 8 << 20);

		add(f, 51, part,
		    part < 50 ? full_text(f, (char)('a' + part % 26)) : STR_LIT("end"));
		auditrow_joiner_flush(f->joiner, false);
		assert_int_equal(take(f), part == 50);
		buf_clear(&saved);
		auditrow_joiner_save(f->joiner, &saved);
		assert_int_equal(auditrow_joiner_restore(fresh, buf_str(&saved), &f->err), 0);
		assert_int_equal(auditrow_joiner_held(fresh), part == 50 ? 0 : part);
		auditrow_joiner_free(f->joiner);
		f->joiner = fresh;
	}
	check_statement(f, 49 * FULL_UNITS + 3, 50, false);
	assert_int_equal(record_text(&f->record, FIELD_statement).ptr[FULL_UNITS], 'c');
	assert_int_equal(record_number(&f->record, FIELD_sequence, 0), 50);
	assert_int_equal(f->record.key.ptr[0], 1);
	raw = record_text(&f->record, FIELD_raw);
	for (size_t i = 0; i < raw.len; i++) {
		lines += raw.ptr[i] == '\n' ? 1 : 0;
	}
	assert_int_equal(lines, 50);
	buf_done(&saved);
}

static void saved_state_is_small(void **state)
{
	/* parts are saved as what differs, so the state takes about as much as their text */
	struct fixture *f = *state;
	struct buf saved;

	buf_init(&saved, 0);
	for (int part = 1; part <= 10; part++) {
		add(f, 51, part, full_text(f, (char)('a' + part)));
	}
	auditrow_joiner_save(f->joiner, &saved);
	assert_true(saved.len < 10 * (FULL_UNITS + 60) + 300);
	buf_done(&saved);
}

static void halved_characters_are_joined(void **state)
{
	/* a surrogate pair cut by the border of two parts is one character again; other lone surrogates stay as they are */
	struct fixture *f = *state;
	struct str text;

	buf_put_fill(&f->text, 'x', FULL_UNITS - 1);
	buf_put_text(&f->text, "\xED\xA0\xBD");
	add(f, 51, 1, buf_str(&f->text));
	add(f, 51, 2, STR_LIT("\xED\xB8\x80 \xED\xB8\x80"));
	auditrow_joiner_flush(f->joiner, true);
	assert_true(take(f));
	text = record_text(&f->record, FIELD_statement);
	assert_true(str_is(str_slice(text, FULL_UNITS - 1, 100), "\xF0\x9F\x98\x80 \xED\xB8\x80"));
}

static void missing_parts_are_said(void **state)
{
	/* a lost first, middle or last part makes the statement incomplete */
	struct fixture *f = *state;

	add(f, 51, 2, STR_LIT("tail"));
	auditrow_joiner_flush(f->joiner, false);
	assert_false(take(f));
	auditrow_joiner_flush(f->joiner, true);
	assert_true(take(f));
	check_statement(f, 4, 1, true);

	add(f, 51, 1, full_text(f, 'a'));
	add(f, 51, 3, STR_LIT("tail"));
	auditrow_joiner_flush(f->joiner, true);
	assert_true(take(f));
	check_statement(f, FULL_UNITS + 4, 2, true);

	add(f, 51, 1, full_text(f, 'a'));
	auditrow_joiner_flush(f->joiner, false);
	assert_false(take(f));
	add(f, 51, 1, STR_LIT("next of the same session"));
	assert_true(take(f));
	check_statement(f, FULL_UNITS, 1, true);
}

static void sessions_do_not_mix(void **state)
{
	/* parts of two sessions that come alternately go to their own statements; rows of others release nobody */
	struct fixture *f = *state;

	add(f, 51, 1, full_text(f, 'a'));
	add(f, 52, 1, full_text(f, 'b'));
	add(f, 53, 1, STR_LIT("whole"));
	add(f, 51, 2, STR_LIT("a"));
	add(f, 52, 2, STR_LIT("bb"));
	auditrow_joiner_flush(f->joiner, false);
	for (int i = 0; i < 3; i++) {
		char first;

		assert_true(take(f));
		first = record_text(&f->record, FIELD_statement).ptr[0];
		if (first == 'w') {
			check_statement(f, 5, 1, false);
		} else {
			check_statement(f, FULL_UNITS + (first == 'a' ? 1 : 2), 2, false);
		}
	}
	assert_false(take(f));
}

static void groups_tell_statements_apart(void **state)
{
	/* rows that share all but the sequence_group_id are two statements */
	struct fixture *f = *state;

	for (int group = 1; group <= 2; group++) {
		struct auditrow row = row_of(f, 51, group, STR_LIT("x"));

		row.column[row.column_count++] = (struct auditrow_column){
			.name = STR_LIT("sequence_group_id"),
			.type = AUDITROW_BINARY,
			.text = group == 1 ? STR_LIT("\x01") : STR_LIT("\x02")};
		assert_int_equal(auditrow_joiner_add(f->joiner, &row, &f->err), 0);
	}
	auditrow_joiner_flush(f->joiner, true);
	assert_true(take(f));
	check_statement(f, 1, 1, false);
	assert_true(str_is(record_text(&f->record, FIELD_sequence_group_id), "01"));
	assert_true(take(f));
	check_statement(f, 1, 1, true);
}

static void true_duplicates_stay_two(void **state)
{
	/* two rows that are equal but for their keys are two records */
	struct fixture *f = *state;

	add(f, 51, 1, STR_LIT("SELECT 1"));
	add(f, 51, 1, STR_LIT("SELECT 1"));
	auditrow_joiner_flush(f->joiner, false);
	assert_true(take(f));
	assert_int_equal(f->record.key.ptr[0], 1);
	assert_true(take(f));
	assert_int_equal(f->record.key.ptr[0], 2);
}

static void long_detail_repeats_the_statement(void **state)
{
	/* where only additional_information goes on, the repeated statement counts once */
	struct fixture *f = *state;

	for (int part = 1; part <= 2; part++) {
		struct auditrow row = row_of(f, 51, part, STR_LIT("SELECT 1"));

		set_text(&row, "additional_information",
			 part == 1 ? full_text(f, 'i') : STR_LIT("end"));
		assert_int_equal(auditrow_joiner_add(f->joiner, &row, &f->err), 0);
	}
	auditrow_joiner_flush(f->joiner, false);
	assert_true(take(f));
	check_statement(f, 8, 2, false);
	assert_int_equal(record_text(&f->record, FIELD_additional_information).len, FULL_UNITS + 3);
}

static void memory_is_bounded(void **state)
{
	/* past max_bytes the oldest one is given up as incomplete instead of held */
	struct fixture *f = *state;

	auditrow_joiner_free(f->joiner);
	f->joiner = auditrow_joiner_new(STR_LIT("db"), 20000);
	for (int session = 1; session <= 5; session++) {
		add(f, session, 1, full_text(f, 'a'));
	}
	assert_true(take(f));
	check_statement(f, FULL_UNITS, 1, true);
	assert_true(auditrow_joiner_held(f->joiner) < 5);
}

static void huge_statements_fit_records(void **state)
{
	/* a statement whose record would pass the limit comes in pieces that are said to be incomplete */
	struct fixture *f = *state;
	struct buf encoded;
	size_t total = 0;

	auditrow_joiner_free(f->joiner);
	f->joiner = auditrow_joiner_new(STR_LIT("db"), 64 << 20);
	buf_init(&encoded, 0);
	for (int part = 1; part <= 1500; part++) {
		add(f, 51, part, full_text(f, 'a'));
	}
	auditrow_joiner_flush(f->joiner, true);
	while (take(f)) {
		total += record_text(&f->record, FIELD_statement).len;
		assert_true(record_has(&f->record, FIELD_incomplete));
		buf_clear(&encoded);
		assert_int_equal(record_encode(&f->record, &encoded, &f->err), 0);
	}
	assert_int_equal(total, 1500 * FULL_UNITS);
	buf_done(&encoded);
}

static void damaged_state_is_refused(void **state)
{
	/* every prefix of a saved state but the empty one, and any changed first byte, is ERR_CORRUPT and holds nothing */
	struct fixture *f = *state;
	struct buf saved;

	buf_init(&saved, 0);
	add(f, 51, 1, STR_LIT("SELECT 1"));
	add(f, 52, 1, STR_LIT("SELECT 2"));
	auditrow_joiner_save(f->joiner, &saved);
	for (size_t len = 1; len < saved.len; len++) {
		assert_int_equal(
			auditrow_joiner_restore(f->joiner, str_make(saved.ptr, len), &f->err),
			-ERR_CORRUPT);
		assert_int_equal(auditrow_joiner_held(f->joiner), 0);
	}
	assert_int_equal(auditrow_joiner_restore(f->joiner, buf_str(&saved), &f->err), 0);
	assert_int_equal(auditrow_joiner_held(f->joiner), 2);
	assert_true(take(f)); /* what was done is still done */
	saved.ptr[0] = 9;
	assert_int_equal(auditrow_joiner_restore(f->joiner, buf_str(&saved), &f->err),
			 -ERR_CORRUPT);
	assert_int_equal(auditrow_joiner_restore(f->joiner, str_make(NULL, 0), &f->err), 0);
	buf_done(&saved);
}

static void a_full_arena_keeps_the_statement(void **state)
{
	/* take without room is ERR_LIMIT and can be repeated */
	struct fixture *f = *state;
	struct arena small;

	arena_init(&small, 64);
	add(f, 51, 1, STR_LIT("SELECT 1"));
	auditrow_joiner_flush(f->joiner, false);
	assert_int_equal(auditrow_joiner_take(f->joiner, &small, &f->record, &f->err), -ERR_LIMIT);
	arena_done(&small);
	assert_true(take(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_rows_come_one_by_one, make, unmake),
		cmocka_unit_test_setup_teardown(fifty_parts_make_one, make, unmake),
		cmocka_unit_test_setup_teardown(saved_state_is_small, make, unmake),
		cmocka_unit_test_setup_teardown(halved_characters_are_joined, make, unmake),
		cmocka_unit_test_setup_teardown(missing_parts_are_said, make, unmake),
		cmocka_unit_test_setup_teardown(sessions_do_not_mix, make, unmake),
		cmocka_unit_test_setup_teardown(groups_tell_statements_apart, make, unmake),
		cmocka_unit_test_setup_teardown(true_duplicates_stay_two, make, unmake),
		cmocka_unit_test_setup_teardown(long_detail_repeats_the_statement, make, unmake),
		cmocka_unit_test_setup_teardown(memory_is_bounded, make, unmake),
		cmocka_unit_test_setup_teardown(huge_statements_fit_records, make, unmake),
		cmocka_unit_test_setup_teardown(damaged_state_is_refused, make, unmake),
		cmocka_unit_test_setup_teardown(a_full_arena_keeps_the_statement, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
