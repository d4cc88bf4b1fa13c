/* Whatever T-SQL the simulated SQL Server is sent, it parses and runs it or says a message, and every value has its column's type. */
#include "tests/sim/tds-select.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
	struct world *world;
	struct tds_service service;
	struct buf out;
};

static bool take_columns(void *owner, const struct tds_column *column, size_t column_count)
{
	struct target *target = owner;
	buf_clear(&target->out);
	tds_put_colmetadata(&target->out, column, column_count);
	return !target->out.failed;
}

static bool take_row(void *owner, const struct tds_column *column, const struct tds_value *value,
		     size_t column_count)
{
	struct target *target = owner;
	buf_clear(&target->out);
	tds_put_row(&target->out, column, value, column_count);
	return !target->out.failed;
}

static bool take_message(void *owner, const struct tds_message *message)
{
	struct target *target = owner;
	assert(message->text.len < 70000);
	tds_put_message(&target->out, message);
	return true;
}

static bool take_use(void *owner, struct str database)
{
	(void)owner;
	return database.len > 0;
}

static bool take_done(void *owner, const struct tds_done *done)
{
	(void)owner;
	(void)done;
	return true;
}

static struct target *open_target(void)
{
	struct target *target = calloc(1, sizeof(*target));
	struct world_options world = world_defaults(1, 4, INT64_C(1795341600000000000));
	target->world = world_new(&world);
	struct tds_server_options options = tds_server_defaults(target->world);
	if (tds_service_init(&target->service, &options, NULL) != 0) {
		abort();
	}
	buf_init(&target->out, 64 << 20);
	return target;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target *target; /* made once: it takes far longer than a run */
	if (target == NULL) {
		target = open_target();
	}
	struct arena arena;
	struct arena scratch;
	struct tds_variable variable[TDS_VARIABLES_MAX];
	struct tds_facts facts = {.server = STR_LIT("S"),
				  .database = STR_LIT("master"),
				  .product_version = STR_LIT("16.0")};
	const struct tds_sink sink = {.owner = target,
				      .columns = take_columns,
				      .row = take_row,
				      .message = take_message,
				      .use = take_use,
				      .done = take_done};
	arena_init(&arena, 16 << 20);
	arena_init(&scratch, 1 << 20);
	struct tds_engine engine = {.service = &target->service,
				    .facts = &facts,
				    .sink = &sink,
				    .arena = &arena,
				    .scratch = &scratch,
				    .variable = variable};
	struct tds_statement *first;
	struct tds_message message;
	struct str text = {0};
	if (arena_str(&arena, str_make(data, size), &text) == 0) {
		(void)(tds_sql_parse(text, &arena, &first, &message)
			       ? tds_run(&engine, first)
			       : tds_run_failed(&engine, &message));
	}
	arena_done(&arena);
	arena_done(&scratch);
	return 0;
}
