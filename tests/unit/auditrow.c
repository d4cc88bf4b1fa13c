#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/auditrow/auditrow.h"

#define TIME_NS INT64_C(1795341600123456700) /* 2026-11-22T10:00:00.1234567 */

struct fixture {
	struct arena arena;
	struct auditrow row;
	struct error err;
};

static int make(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	arena_init(&f->arena, 16 << 20);
	*state = f;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	arena_done(&f->arena);
	test_free(f);
	return 0;
}

static int parse(struct fixture *f, const char *line)
{
	return auditrow_parse_line(str_of(line), &f->arena, &f->row, &f->err);
}

static void check_number(const struct fixture *f, const char *name, enum auditrow_type type,
			 int64_t number)
{
	const struct auditrow_column *column = auditrow_column(&f->row, name);

	assert_non_null(column);
	assert_int_equal(column->type, type);
	assert_int_equal(column->number, number);
}

static void check_text(const struct fixture *f, const char *name, enum auditrow_type type,
		       struct str text)
{
	const struct auditrow_column *column = auditrow_column(&f->row, name);

	assert_non_null(column);
	assert_int_equal(column->type, type);
	assert_true(str_equal(column->text, text));
}

static struct auditrow_column named(const char *name, enum auditrow_type type)
{
	return (struct auditrow_column){.name = str_of(name), .type = type};
}

static void written_is_read_back(void **state)
{
	/* a row of every type is written in the documented bytes and read back the same, a lone surrogate included */
	static const char expected[] =
		"{\"event_time\":\"2026-11-22T10:00:00.1234567\",\"action_id\":\"SL  "
		"\",\"succeeded\":true,"
		"\"session_id\":-7,\"server_principal_sid\":\"0x0105ff\",\"statement\":\"a\\\"b\\n"
		"\xC3\xB8\\ud83d\",\"schema_name\":null,\"permission_bitmask\":\"0x\"}";
	struct fixture *f = *state;
	struct auditrow row = {.column_count = 8};
	struct buf out;
	struct buf again;

	row.column[0] = named("event_time", AUDITROW_TIME);
	row.column[0].number = TIME_NS;
	row.column[1] = named("action_id", AUDITROW_TEXT);
	row.column[1].text = STR_LIT("SL  ");
	row.column[2] = named("succeeded", AUDITROW_BOOL);
	row.column[2].number = 1;
	row.column[3] = named("session_id", AUDITROW_INT);
	row.column[3].number = -7;
	row.column[4] = named("server_principal_sid", AUDITROW_BINARY);
	row.column[4].text = STR_LIT("\x01\x05\xFF");
	row.column[5] = named("statement", AUDITROW_TEXT);
	row.column[5].text = STR_LIT("a\"b\n\xC3\xB8\xED\xA0\xBD");
	row.column[6] = named("schema_name", AUDITROW_NULL);
	row.column[7] = named("permission_bitmask", AUDITROW_BINARY);
	buf_init(&out, 0);
	buf_init(&again, 0);
	auditrow_put_line(&row, &out);
	assert_string_equal(out.ptr, expected);
	assert_int_equal(parse(f, out.ptr), 0);
	assert_int_equal(f->row.column_count, row.column_count);
	for (size_t i = 0; i < row.column_count; i++) {
		assert_true(str_equal(f->row.column[i].name, row.column[i].name));
		assert_int_equal(f->row.column[i].type, row.column[i].type);
		if (row.column[i].type == AUDITROW_TEXT || row.column[i].type == AUDITROW_BINARY) {
			assert_true(str_equal(f->row.column[i].text, row.column[i].text));
		} else {
			assert_int_equal(f->row.column[i].number, row.column[i].number);
		}
	}
	auditrow_put_line(&f->row, &again);
	assert_string_equal(again.ptr, expected);
	buf_done(&again);
	buf_done(&out);
}

static void other_spellings_are_read(void **state)
{
	/* numbers and truths as text, any letter case and order, times with a space, unknown and odd columns */
	struct fixture *f = *state;

	assert_int_equal(
		parse(f,
		      " {\"Session_ID\":\"51\",\"ACTION_ID\":\"SL\",\"succeeded\":\"True\","
		      "\"is_column_permission\":0,\"event_time\":\"2026-11-22 10:00:00.1234567\","
		      "\"response_rows\":\"many\",\"new_column\":12,\"new_flag\":false,"
		      "\"new_list\":[1,{\"a\":2}],\"class_type\":85,\"new_real\":1.5} "),
		0);
	check_number(f, "session_id", AUDITROW_INT, 51);
	check_number(f, "succeeded", AUDITROW_BOOL, 1);
	check_number(f, "is_column_permission", AUDITROW_BOOL, 0);
	check_number(f, "event_time", AUDITROW_TIME, TIME_NS);
	check_text(f, "response_rows", AUDITROW_TEXT, STR_LIT("many"));
	check_number(f, "new_column", AUDITROW_INT, 12);
	check_number(f, "new_flag", AUDITROW_BOOL, 0);
	check_text(f, "new_list", AUDITROW_TEXT, STR_LIT("[1,{\"a\":2}]"));
	check_text(f, "class_type", AUDITROW_TEXT, STR_LIT("85"));
	check_text(f, "new_real", AUDITROW_TEXT, STR_LIT("1.5"));
	assert_null(auditrow_column(&f->row, "statement"));
}

static void bad_lines_are_refused(void **state)
{
	/* no object, broken JSON, a column twice, no time or action: ERR_INPUT, with the place */
	static const char *const lines[] = {
		"",
		"[]",
		"x",
		"{\"event_time\":\"2026-11-22T10:00:00\",\"action_id\":\"SL\"",
		"{\"event_time\":\"2026-11-22T10:00:00\",\"action_id\":\"SL\"} x",
		"{\"event_time\":\"2026-11-22\",\"action_id\":\"SL\",\"Action_Id\":\"UP\"}",
		"{\"event_time\":\"2026-11-22T10:00:00\",\"action_id\":\"SL\",\"new\":1,\"NEW\":2}",
		"{\"event_time\":\"yesterday\",\"action_id\":\"SL\"}",
		"{\"event_time\":null,\"action_id\":\"SL\"}",
		"{\"action_id\":\"SL\"}",
		"{\"event_time\":\"2026-11-22T10:00:00\"}",
		"{\"event_time\":\"2026-11-22T10:00:00\",\"action_id\":}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(f, lines[i]) != -ERR_INPUT) {
			fail_msg("taken: %s", lines[i]);
		}
		assert_non_null(strstr(f->err.text, "byte"));
	}
}

static void limits_hold(void **state)
{
	/* a line that is too long, too many columns, and an arena that is full are ERR_LIMIT */
	struct fixture *f = *state;
	struct arena small;
	struct buf line;

	buf_init(&line, 0);
	buf_put_text(&line, "{\"event_time\":\"2026-11-22T10:00:00\",\"action_id\":\"SL\"");
	for (int i = 0; i < AUDITROW_COLUMNS_MAX - 2; i++) {
		buf_putf(&line, ",\"c%d\":1", i);
	}
	buf_put_byte(&line, '}');
	assert_int_equal(parse(f, line.ptr), 0);
	buf_truncate(&line, line.len - 1);
	buf_put_text(&line, ",\"more\":1}");
	assert_int_equal(parse(f, line.ptr), -ERR_LIMIT);
	buf_put_fill(&line, ' ', AUDITROW_LINE_MAX);
	assert_int_equal(parse(f, line.ptr), -ERR_LIMIT);
	buf_done(&line);
	arena_init(&small, 4);
	assert_int_equal(
		auditrow_parse_line(STR_LIT("{\"event_time\":\"2026-11-22T10:00:00\",\"action_id\":"
					    "\"SL\",\"statement\":\"a\\nbcdefghijklmnop\"}"),
				    &small, &f->row, &f->err),
		-ERR_LIMIT);
	arena_done(&small);
}

static void keys_name_rows(void **state)
{
	/* file, offset, line and ordinal all count in the key, the folder does not */
	struct auditrow row = {.line = STR_LIT("{}")};
	struct auditrow other = {.line = STR_LIT("{} ")};
	uint8_t key[16];
	static const uint8_t vector[16] = {0xce, 0xa0, 0x6a, 0x3a, 0xde, 0x83, 0x90, 0x0c,
					   0x40, 0x8f, 0x45, 0x9e, 0xf5, 0xcb, 0x99, 0xe1};

	(void)state;
	auditrow_key(&row, STR_LIT("D:\\audit\\a.sqlaudit"), 512, 0);
	memcpy(key, row.key, sizeof(key));
	assert_memory_equal(key, vector, sizeof(key));
	auditrow_key(&row, STR_LIT("https://x/y/a.sqlaudit"), 512, 0);
	assert_memory_equal(row.key, key, sizeof(key));
	auditrow_key(&row, STR_LIT("b.sqlaudit"), 512, 0);
	assert_memory_not_equal(row.key, key, sizeof(key));
	auditrow_key(&row, STR_LIT("a.sqlaudit"), 513, 0);
	assert_memory_not_equal(row.key, key, sizeof(key));
	auditrow_key(&row, STR_LIT("a.sqlaudit"), 512, 1);
	assert_memory_not_equal(row.key, key, sizeof(key));
	auditrow_key(&other, STR_LIT("a.sqlaudit"), 512, 0);
	assert_memory_not_equal(other.key, key, sizeof(key));
}

static void basenames(void **state)
{
	/* the part behind the last slash or backslash */
	(void)state;
	assert_true(str_is(auditrow_basename(STR_LIT("D:\\a\\b.sqlaudit")), "b.sqlaudit"));
	assert_true(str_is(auditrow_basename(STR_LIT("https://h/c/b.xel")), "b.xel"));
	assert_true(str_is(auditrow_basename(STR_LIT("b")), "b"));
	assert_int_equal(auditrow_basename(STR_LIT("a/")).len, 0);
}

static void verbs(void **state)
{
	/* the verb comes from the action where it says it, else from the text behind its preliminaries */
	static const struct {
		const char *action, *statement, *verb;
	} cases[] = {
		{"SL", "anything", "SELECT"},
		{"LGIS", "", "LOGIN"},
		{"CR", "CREATE UNIQUE CLUSTERED INDEX i ON t(a)", "CREATE INDEX"},
		{"CR", "", "CREATE"},
		{"AL", "CREATE OR ALTER PROC p AS SELECT 1", "ALTER"},
		{"BCM", "SELECT 1", "SELECT"},
		{"BCM", "/* DROP TABLE */ -- DROP\n select 1", "SELECT"},
		{"BCM", "DECLARE @a int = (SELECT 1); SET @a = 2; USE db; UPDATE t SET a = @a",
		 "UPDATE"},
		{"BCM", "SET NOCOUNT ON; INSERT INTO t VALUES ('DELETE')", "INSERT"},
		{"BCM", "WITH c AS (SELECT 1 a) DELETE FROM c", "DELETE"},
		{"BCM", "IF EXISTS (SELECT 1) DROP TABLE t", "DROP TABLE"},
		{"BCM", "(@p int)SELECT @p", "SELECT"},
		{"BCM", "EXEC sp_set_session_context N'k', N'v'; MERGE t USING s ON 1=1", "MERGE"},
		{"BCM", "EXEC sp_set_session_context N'k', N'v'", "EXECUTE"},
		{"BCM", "EXECUTE AS USER = 'x'; TRUNCATE TABLE t", "TRUNCATE TABLE"},
		{"BCM", "exec dbo.p @a = 1", "EXECUTE"},
		{"BCMG", "dbo.p @a = 1", "EXECUTE"},
		{"BCM", "[dbo].[p]", "EXECUTE"},
		{"BCM", "SET NOCOUNT ON", "SET"},
		{"BCM", "BEGIN TRAN", "BEGIN"},
		{"BCM", "UPDATE STATISTICS t", "UPDATE STATISTICS"},
		{"BCM", "INSERT BULK t (a int)", "BULK INSERT"},
		{"BCM", "(SELECT 1) UNION (SELECT 2)", "SELECT"},
		{"BCM", "ALTER SERVER AUDIT a WITH (STATE = OFF)", "ALTER AUDIT"},
		{"BCM", "'DROP TABLE t'", ""},
		{"BCM", "", ""},
		{"??", "SELECT 1", "SELECT"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *verb =
			auditrow_verb(str_of(cases[i].action), str_of(cases[i].statement));

		if (strcmp(verb, cases[i].verb) != 0) {
			fail_msg("%s %s: %s, not %s", cases[i].action, cases[i].statement, verb,
				 cases[i].verb);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_is_read_back, make, unmake),
		cmocka_unit_test_setup_teardown(other_spellings_are_read, make, unmake),
		cmocka_unit_test_setup_teardown(bad_lines_are_refused, make, unmake),
		cmocka_unit_test_setup_teardown(limits_hold, make, unmake),
		cmocka_unit_test(keys_name_rows),
		cmocka_unit_test(basenames),
		cmocka_unit_test(verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
