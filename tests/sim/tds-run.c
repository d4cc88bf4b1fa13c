#include "tests/sim/tds-select.h"

static struct tds_variable *find_variable(struct tds_engine *engine, struct str name)
{
	for (size_t i = 0; i < engine->variable_count; i++) {
		if (str_equal_fold(name, engine->variable[i].name)) {
			return &engine->variable[i];
		}
	}
	return NULL;
}

static void declare(struct tds_engine *engine, struct tds_scope *scope,
		    const struct tds_statement *statement)
{
	if (find_variable(engine, statement->name) != NULL ||
	    engine->variable_count == TDS_VARIABLES_MAX) {
		tds_scope_fail(scope, 134, 15,
			       "The variable name '%.*s' has already been declared.",
			       statement->name);
		return;
	}
	engine->variable[engine->variable_count] =
		(struct tds_variable){.name = statement->name,
				      .type = statement->type,
				      .value = tds_null(statement->type.kind)};
	engine->variable_count++;
	scope->variable_count = engine->variable_count;
}

static void set_variable(struct tds_engine *engine, struct tds_scope *scope,
			 struct tds_statement *statement)
{
	if (statement->declares) {
		declare(engine, scope, statement);
	}
	struct tds_variable *variable = find_variable(engine, statement->name);
	if (variable == NULL) {
		tds_scope_fail(scope, 137, 15, "Must declare the scalar variable \"%.*s\".",
			       statement->name);
		return;
	}
	if (statement->value == NULL || scope->failed || !tds_bind(scope, statement->value)) {
		return;
	}
	struct tds_value value =
		tds_cast(scope, tds_eval(scope, statement->value), variable->type, 0, false);
	value.text = tds_keep(scope, engine->arena, value.text);
	variable->value = value;
}

bool tds_database(struct str name, struct str *out_name)
{
	static const char *const known[] = {"master", "msdb", "tempdb", "model"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_equal_fold(name, str_of(known[i]))) {
			*out_name = str_of(known[i]);
			return true;
		}
	}
	return false;
}

static bool use_database(struct tds_engine *engine, struct tds_scope *scope, struct str name)
{
	struct str known;
	if (!tds_database(name, &known)) {
		tds_scope_fail(scope, 911, 16,
			       "Database '%.*s' does not exist. Make sure that the name is entered "
			       "correctly.",
			       name);
		return true;
	}
	return engine->sink->use(engine->sink->owner, known);
}

static bool print(struct tds_engine *engine, struct tds_scope *scope, struct tds_node *node)
{
	if (!tds_bind(scope, node)) {
		return true;
	}
	const struct tds_type type = {TDS_NVARCHAR, 4000};
	struct tds_value value = tds_cast(scope, tds_eval(scope, node), type, 0, false);
	struct tds_message message = {.state = 1, .text = value.text, .line = 1};
	return scope->failed || engine->sink->message(engine->sink->owner, &message);
}

static bool run_statement(struct tds_engine *engine, struct tds_scope *scope,
			  struct tds_statement *statement, struct tds_done *done)
{
	switch (statement->kind) {
	case TDS_SELECT:
		done->counted = true;
		return tds_select(engine, scope, statement, &done->row_count);
	case TDS_SET_VARIABLE:
		set_variable(engine, scope, statement);
		return true;
	case TDS_USE:
		return use_database(engine, scope, statement->name);
	case TDS_PRINT:
		return print(engine, scope, statement->value);
	case TDS_SET_OPTION:
		break;
	}
	return true;
}

bool tds_run_failed(struct tds_engine *engine, const struct tds_message *message)
{
	const struct tds_sink *sink = engine->sink;
	tds_service_count(engine->service, errors, 1);
	return sink->message(sink->owner, message) &&
	       sink->done(sink->owner, &(struct tds_done){.failed = true, .last = true});
}

bool tds_run(struct tds_engine *engine, struct tds_statement *first)
{
	const struct tds_sink *sink = engine->sink;
	if (first == NULL) {
		return sink->done(sink->owner, &(struct tds_done){.last = true});
	}
	for (struct tds_statement *at = first; at != NULL; at = at->next) {
		engine->facts->now_ns = tds_service_now(engine->service);
		struct tds_scope scope = {
			.facts = engine->facts,
			.variable = engine->variable,
			.variable_count = engine->variable_count,
			.arena = engine->arena,
			.scratch = engine->scratch,
		};
		struct tds_done done = {.last = at->next == NULL};
		if (!run_statement(engine, &scope, at, &done)) {
			return false;
		}
		if (scope.failed) {
			scope.error.line = at->line;
			return tds_run_failed(engine, &scope.error);
		}
		engine->facts->row_count = (int64_t)done.row_count;
		if (!sink->done(sink->owner, &done)) {
			return false;
		}
	}
	return true;
}
