/* The audit function of the simulator keeps the rules of sys.fn_get_audit_file: files, offsets, visibility, errors, RDS. */
#include "tests/unit/tds-console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW INT64_C(1795341600000000000)

static struct world_options small_world(void)
{
	return world_defaults(5, 2500, NOW);
}

static int open_console(void **state)
{
	struct world_options options = small_world();
	*state = console_open(&options, 2022, false);
	return 0;
}

static int close_console(void **state)
{
	console_close(*state);
	return 0;
}

static uint64_t counted(struct console *console, const char *text)
{
	const char *says = console_run(console, text);
	char *end;
	unsigned long long number = strtoull(says, &end, 10);
	assert_true(end != says && *end == '\n');
	return number;
}

/* One SELECT over the audit function; the path and offset are put in. */
static const char *ask(const char *format, const char *path, int64_t offset)
{
	static char text[2000];
	struct buf out;
	buf_init(&out, sizeof(text) - 1);
	for (const char *at = format; *at != '\0'; at++) {
		if (*at == '$') {
			buf_put_text(&out, path);
		} else if (*at == '#') {
			buf_put_i64(&out, offset);
		} else {
			buf_put_byte(&out, (uint8_t)*at);
		}
	}
	memcpy(text, out.ptr, out.len + 1);
	buf_done(&out);
	return text;
}

static const char *path_of(struct console *console, uint32_t file)
{
	static char path[400];
	const struct world_file *of = &console->service.file[file];
	(void)snprintf(path, sizeof(path), "%.*s%.*s", STR_ARG(of->folder), STR_ARG(of->name));
	return path;
}

/* The pattern chooses the files: all, one by name, none (33224), and a folder alone is no pattern. */
static void test_pattern(void **state)
{
	struct console *console = *state;
	const struct world_file *file = console->service.file;
	assert_true(console->service.file_count >= 3);
	assert_int_equal(counted(console,
				 "SELECT COUNT(*) FROM sys.fn_get_audit_file('d:\\AUDIT\\*', "
				 "DEFAULT, DEFAULT)"),
			 console->service.row_count);
	assert_int_equal(
		counted(console, ask("SELECT COUNT(*) FROM sys.fn_get_audit_file('$', NULL, NULL)",
				     path_of(console, 1), 0)),
		file[1].row_count);
	static const char *const none[] = {"D:\\audit\\nope*", "D:\\other\\*", "D:\\audit\\", "",
					   "*"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const char *text = ask("SELECT 1 FROM sys.fn_get_audit_file('$', DEFAULT, DEFAULT)",
				       none[i], 0);
		assert_non_null(
			strstr(console_run(console, text), "Msg 33224: The specified pattern"));
	}
	assert_string_equal(console_run(console, "SELECT TOP (0) event_time FROM "
						 "sys.fn_get_audit_file(N'', default, default)"),
			    "(0 rows)\n");
}

/* Reading begins behind the buffer of the offset, and goes on through the files that follow. */
static void test_offset(void **state)
{
	struct console *console = *state;
	const struct world_row *row = console->service.row;
	const struct world_file *file = &console->service.file[1];
	int64_t offset = row[file->first_row].offset;
	uint32_t same = 0;
	while (row[file->first_row + same].offset == offset) {
		same++;
	}
	const char *text = ask("SELECT COUNT(*) FROM sys.fn_get_audit_file('D:\\audit\\*', '$', #)",
			       path_of(console, 1), offset);
	assert_int_equal(counted(console, text),
			 console->service.row_count - file->first_row - same);
	text = ask("SELECT MIN(audit_file_offset) FROM sys.fn_get_audit_file('$', '$', #)",
		   path_of(console, 1), offset);
	assert_int_equal((int64_t)counted(console, text), row[file->first_row + same].offset);
	text = ask("SELECT COUNT(*) FROM sys.fn_get_audit_file('$', '$', #)", path_of(console, 1),
		   row[file->first_row + file->row_count - 1].offset);
	assert_int_equal(counted(console, text), 0);
}

/* File and offset must be valid together: else 33225. */
static void test_invalid_offset(void **state)
{
	struct console *console = *state;
	int64_t offset = console->service.row[0].offset;
	static const char *const forms[] = {
		"SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*', '$', 77)",
		"SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*', '$', DEFAULT)",
		"SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*', DEFAULT, #)",
		"SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*', 'D:\\audit\\x.sqlaudit', #)",
		"SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*', 'x.sqlaudit', #)",
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *text = ask(forms[i], path_of(console, 0), offset);
		assert_non_null(
			strstr(console_run(console, text), "Msg 33225: The specified values"));
	}
	const char *text = ask("SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*', '$', #)",
			       path_of(console, 0), offset);
	struct error err;
	assert_int_equal(tds_service_move(&console->service, 0, TDS_FILE_GONE, &err), 0);
	assert_non_null(strstr(console_run(console, text), "Msg 33225"));
	assert_string_equal(
		console_run(console, "SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*')"),
		"Msg 313: An insufficient number of arguments were supplied for the procedure or "
		"function "
		"fn_get_audit_file.\n");
	assert_string_equal(
		console_run(console,
			    "SELECT 1 FROM sys.fn_get_audit_file('D:\\audit\\*', NULL, NULL, 1)"),
		"Msg 8144: Procedure or function fn_get_audit_file has too many arguments "
		"specified.\n");
}

/* Every value of every row is the world's. */
static void test_values(void **state)
{
	struct console *console = *state;
	struct buf expected;
	buf_init(&expected, 0);
	for (uint32_t i = 0; i < console->service.row_count; i++) {
		const struct world_row *row = &console->service.row[i];
		buf_putf(&expected, "%lld|%d|%lld|", (long long)tds_ticks(row->time_ns),
			 row->sequence, (long long)row->offset);
		buf_put_str(&expected, row->statement_text);
		buf_put_byte(&expected, '|');
		struct str context = row->session_context;
		buf_put_str(&expected, context.len > 0 ? context : STR_LIT("NULL"));
		buf_putf(&expected, "|%lld|", (long long)row->transaction_id);
		buf_put_hex(&expected, str_make(row->sequence_group_id, 16));
		buf_putf(&expected, "|%.*s|%d\n", STR_ARG(row->host), row->succeeded);
	}
	buf_putf(&expected, "(%u rows)\n", console->service.row_count);
	assert_string_equal(
		console_run(
			console,
			"SELECT event_time, sequence_number, audit_file_offset, statement, "
			"session_context, "
			"transaction_id, sequence_group_id, host_name, succeeded "
			"FROM sys.fn_get_audit_file('D:\\audit\\*.sqlaudit', default, default)"),
		expected.ptr);
	buf_done(&expected);
}

/* A release has the columns that it had. */
static void test_releases(void **state)
{
	(void)state;
	static const struct {
		int release;
		size_t count;
	} cases[] = {{2008, 28}, {2012, 30}, {2016, 33}, {2017, 35}, {2019, 41}, {2022, 47}};
	struct world_options options = world_defaults(5, 20, NOW);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct console *console = console_open(&options, cases[i].release, false);
		(void)console_run(
			console,
			"SELECT TOP 1 * FROM sys.fn_get_audit_file('D:\\audit\\*', NULL, NULL)");
		assert_int_equal(console->column_count, cases[i].count);
		assert_memory_equal(console->types,
				    "event_time:5:0 sequence_number:0:4 action_id:2:4 ", 48);
		console_close(console);
	}
}

/* Rows and files come into sight with the clock; a buffer may grow; freeze stops it. */
static void test_visibility(void **state)
{
	(void)state;
	struct world_options options = small_world();
	options.visible_base_ns = options.from_ns + (options.to_ns - options.from_ns) / 4;
	options.visible_speed = 1;
	struct console *console = console_open(&options, 2022, false);
	const char *count =
		"SELECT COUNT(*) FROM sys.fn_get_audit_file('D:\\audit\\*', NULL, NULL)";
	const char *files =
		"SELECT DISTINCT file_name FROM sys.fn_get_audit_file('D:\\audit\\*', NULL, NULL)";
	const char *current = "SELECT audit_file_path FROM sys.dm_server_audit_status";
	int64_t step = (options.to_ns - options.from_ns) / 20;
	uint64_t seen = 0;
	for (int i = 0; i <= 21; i++) {
		console->now_ns = options.from_ns + i * step;
		uint64_t expected = 0;
		for (uint32_t row = 0; row < console->service.row_count; row++) {
			expected += console->service.row[row].visible_ns <= console->now_ns;
		}
		assert_int_equal(counted(console, count), expected);
		assert_true(expected >= seen);
		seen = expected;
		char path[400];
		(void)snprintf(path, sizeof(path), "%s", console_run(console, current));
		*strchr(path, '\n') = '\0';
		if (expected > 0) {
			assert_non_null(strstr(console_run(console, files), path));
		}
	}
	console->now_ns = options.from_ns + 10 * step;
	seen = counted(console, count);
	tds_service_freeze(&console->service, true);
	console->now_ns = INT64_MAX;
	assert_int_equal(counted(console, count), seen);
	tds_service_freeze(&console->service, false);
	assert_int_equal(counted(console, count), console->service.row_count);
	console_close(console);
}

/* error, skip and deny do what they say, as often as they say. */
static void test_faults(void **state)
{
	struct console *console = *state;
	const char *count =
		"SELECT COUNT(*) FROM sys.fn_get_audit_file('D:\\audit\\*', NULL, NULL)";
	assert_int_equal(console_fault(console, "error number=33201 times=1"), 0);
	assert_non_null(
		strstr(console_run(console, count), "Msg 33201: An error occurred in reading"));
	assert_int_equal(counted(console, count), console->service.row_count);
	assert_int_equal(console_fault(console, "error number=777 times=1"), 0);
	assert_non_null(strstr(console_run(console, count), "Msg 777: "));

	const struct world_row *row = console->service.row;
	uint32_t left_out = 0;
	for (uint32_t i = 100; row[i].offset == row[100].offset; i++) {
		left_out++;
	}
	assert_int_equal(console_fault(console, "skip row=100 times=1"), 0);
	const char *says = console_run(console, count);
	char expected[500];
	(void)snprintf(expected, sizeof(expected),
		       "Msg 33226: The fn_get_audit_file function is skipping records from '%s' at "
		       "offset %lld.\n%u\n(1 rows)\n",
		       path_of(console, 0), (long long)row[100].offset,
		       console->service.row_count - left_out);
	assert_string_equal(says, expected);
	assert_int_equal(counted(console, count), console->service.row_count);

	assert_int_equal(console_fault(console, "deny object=dm_server_audit_status"), 0);
	assert_int_equal(console_fault(console, "deny object=fn_get_audit_file"), 0);
	assert_non_null(strstr(console_run(console, "SELECT * FROM sys.dm_server_audit_status"),
			       "Msg 300: VIEW SERVER SECURITY STATE permission was denied"));
	assert_non_null(strstr(console_run(console, count),
			       "Msg 300: VIEW SERVER SECURITY AUDIT permission"));
	assert_non_null(strstr(
		console_run(console, "SELECT queue_delay FROM sys.server_file_audits"), "1000"));
}

/* On RDS its own function alone may be used, and full files lie in the folder transmitted. */
static void test_rds(void **state)
{
	(void)state;
	struct world_options options = small_world();
	struct console *console = console_open(&options, 2019, true);
	uint32_t last = console->service.file_count - 1;
	assert_non_null(strstr(
		console_run(console, "SELECT 1 FROM sys.fn_get_audit_file('D:\\x\\*', NULL, NULL)"),
		"Msg 300"));
	assert_non_null(strstr(
		console_run(console,
			    "SELECT 1 FROM dbo.rds_fn_get_audit_file('D:\\x\\*', NULL, NULL)"),
		"Msg 208"));
	assert_int_equal(counted(console, "SELECT COUNT(*) FROM msdb.dbo.rds_fn_get_audit_file("
					  "'D:\\rdsdbdata\\SQLAudit\\*', NULL, NULL)"),
			 console->service.file[last].row_count);
	assert_int_equal(counted(console,
				 "USE msdb SELECT COUNT(*) FROM dbo.rds_fn_get_audit_file("
				 "'D:\\rdsdbdata\\SQLAudit\\transmitted\\*', default, default)"),
			 console->service.row_count - console->service.file[last].row_count);
	console_close(console);
	console = console_open(&options, 2019, false);
	assert_non_null(strstr(
		console_run(console,
			    "SELECT 1 FROM msdb.dbo.rds_fn_get_audit_file('D:\\x\\*', NULL, NULL)"),
		"Msg 208: Invalid object name 'msdb.dbo.rds_fn_get_audit_file'"));
	console_close(console);
}

/* The texts that the collector sends are understood. */
static void test_collector_queries(void **state)
{
	struct console *console = *state;
	char text[1200];
	(void)snprintf(text, sizeof(text),
		       "DECLARE @p nvarchar(4000) = N'D:\\audit\\*', @f nvarchar(4000) = N'%s', @o "
		       "bigint = %lld, @b nvarchar(260) = "
		       "N'%.*s' SELECT TOP (1) file_name FROM sys.fn_get_audit_file(@p, @f, @o) "
		       "WHERE RIGHT(file_name, LEN(@b)) "
		       "<> @b",
		       path_of(console, 0), (long long)console->service.row[0].offset,
		       STR_ARG(console->service.file[0].name));
	assert_non_null(strstr(console_run(console, text), console->service.file[1].name.ptr));
	assert_string_equal(
		console_run(console,
			    "DECLARE @a nvarchar(128) SELECT name, status_desc FROM "
			    "sys.dm_server_audit_status "
			    "WHERE audit_file_path IS NOT NULL AND (@a IS NULL OR name = @a)"),
		"fjordkjop|STARTED\n(1 rows)\n");
	assert_non_null(strstr(
		console_run(console,
			    "SELECT SYSUTCDATETIME() AS now, CAST(@@SERVERNAME AS nvarchar(128)) "
			    "AS name, "
			    "CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version"),
		"|SQLPROD01\\A|16.0.1\n"));
	(void)console_run(console,
			  "DECLARE @n int = 2 SELECT TOP (@n) [event_time], CAST([statement] AS "
			  "varbinary(8000)), "
			  "CAST(CAST([action_id] AS nvarchar(4000)) AS varbinary(8000)) FROM "
			  "sys.fn_get_audit_file('D:\\audit\\*', default, default)");
	assert_string_equal(console->types, "event_time:5:0 :4:8000 :4:8000");
}

int main(void)
{
#define ON_CONSOLE(test) cmocka_unit_test_setup_teardown(test, open_console, close_console)
	const struct CMUnitTest tests[] = {
		ON_CONSOLE(test_pattern),
		ON_CONSOLE(test_offset),
		ON_CONSOLE(test_invalid_offset),
		ON_CONSOLE(test_values),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_visibility),
		ON_CONSOLE(test_faults),
		cmocka_unit_test(test_rds),
		ON_CONSOLE(test_collector_queries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
