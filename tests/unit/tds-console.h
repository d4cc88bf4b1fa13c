/* tds-console - runs T-SQL against the simulated server's interpreter, without a network, and gives what comes out as text.
 *
 * Shape:   rows as "value|value" lines, NULL as "NULL", bytes and GUIDs in hexadecimal, times as ticks; then "(N rows)" for what
 *          is counted, "Msg NUMBER: text" for messages.
 * Life:    the text lives until the next run.
 * Threads: one.
 */
#ifndef TESTS_UNIT_TDS_CONSOLE_H
#define TESTS_UNIT_TDS_CONSOLE_H

#include "tests/sim/tds-select.h"

#include <stdlib.h>

struct console {
	struct world *world;
	int64_t now_ns; /* what the server's clock says */
	struct tds_service service;
	struct tds_facts facts;
	struct arena arena, scratch;
	struct buf out;
	struct tds_variable variable[TDS_VARIABLES_MAX];
	size_t column_count;
	char types[512]; /* of the last result: name:kind:length, with a space between */
};

static inline bool console_columns(void *owner, const struct tds_column *column,
				   size_t column_count)
{
	struct console *console = owner;
	struct buf types;
	buf_init(&types, sizeof(console->types) - 1);
	for (size_t i = 0; i < column_count && i < 8; i++) {
		buf_putf(&types, "%s%.*s:%d:%u", i > 0 ? " " : "", STR_ARG(column[i].name),
			 (int)column[i].type.kind, (unsigned)column[i].type.length);
	}
	memcpy(console->types, types.ptr, types.len + 1);
	buf_done(&types);
	console->column_count = column_count;
	return true;
}

static inline void console_put(struct buf *out, const struct tds_value *value)
{
	if (value->null) {
		buf_put_text(out, "NULL");
	} else if (value->kind == TDS_VARBINARY || value->kind == TDS_GUID) {
		buf_put_hex(out, value->text);
	} else if (value->kind == TDS_VARCHAR || value->kind == TDS_NVARCHAR) {
		buf_put_str(out, value->text);
	} else {
		buf_put_i64(out, value->number);
	}
}

static inline bool console_row(void *owner, const struct tds_column *column,
			       const struct tds_value *value, size_t column_count)
{
	struct console *console = owner;
	(void)column;
	for (size_t i = 0; i < column_count; i++) {
		buf_put_text(&console->out, i > 0 ? "|" : "");
		console_put(&console->out, &value[i]);
	}
	buf_put_byte(&console->out, '\n');
	return true;
}

static inline bool console_message(void *owner, const struct tds_message *message)
{
	struct console *console = owner;
	buf_putf(&console->out, "Msg %u: %.*s\n", message->number, STR_ARG(message->text));
	return true;
}

static inline bool console_use(void *owner, struct str database)
{
	struct console *console = owner;
	console->facts.database = database;
	return true;
}

static inline bool console_done(void *owner, const struct tds_done *done)
{
	struct console *console = owner;
	if (done->counted) {
		buf_putf(&console->out, "(%llu rows)\n", (unsigned long long)done->row_count);
	}
	return true;
}

static inline int64_t console_now(void *owner)
{
	return ((const struct console *)owner)->now_ns;
}

/* Opens a server of a release over a world; both are the console's. */
static inline struct console *console_open(const struct world_options *world, int release, bool rds)
{
	struct console *console = calloc(1, sizeof(*console));
	console->now_ns = world->to_ns;
	console->world = world_new(world);
	struct tds_server_options options = tds_server_defaults(console->world);
	options.clock = (struct clock){.now_ns = console_now, .owner = console};
	options.release = release;
	options.rds = rds;
	options.rds_retention = rds;
	struct error err;
	if (tds_service_init(&console->service, &options, &err) != 0) {
		abort();
	}
	arena_init(&console->arena, 256U << 20);
	arena_init(&console->scratch, 1U << 20);
	buf_init(&console->out, 0);
	console->facts = (struct tds_facts){.server = STR_LIT("SQLPROD01\\A"),
					    .database = STR_LIT("master"),
					    .user = STR_LIT("querytrail"),
					    .application = STR_LIT("test"),
					    .host = STR_LIT("here"),
					    .version_text = STR_LIT("Microsoft SQL Server"),
					    .product_version = STR_LIT("16.0.1"),
					    .spid = 51};
	return console;
}

static inline void console_close(struct console *console)
{
	tds_service_done(&console->service);
	world_free(console->world);
	arena_done(&console->arena);
	arena_done(&console->scratch);
	buf_done(&console->out);
	free(console);
}

/* Runs a batch; what it says. */
static inline const char *console_run(struct console *console, const char *text)
{
	const struct tds_sink sink = {.owner = console,
				      .columns = console_columns,
				      .row = console_row,
				      .message = console_message,
				      .use = console_use,
				      .done = console_done};
	struct tds_engine engine = {.service = &console->service,
				    .facts = &console->facts,
				    .sink = &sink,
				    .arena = &console->arena,
				    .scratch = &console->scratch,
				    .variable = console->variable};
	struct tds_statement *first;
	struct tds_message message;
	arena_clear(&console->arena);
	arena_clear(&console->scratch);
	buf_clear(&console->out);
	buf_put_text(&console->out, "");
	(void)(tds_sql_parse(str_of(text), &console->arena, &first, &message)
		       ? tds_run(&engine, first)
		       : tds_run_failed(&engine, &message));
	return console->out.ptr;
}

/* Whether a fault line is taken. */
static inline int console_fault(struct console *console, const char *line)
{
	struct tds_fault fault;
	int rc = tds_fault_parse(str_of(line), &fault, NULL);
	return rc == 0 ? tds_faults_set(&console->service.faults, &fault, NULL) : rc;
}

#endif
