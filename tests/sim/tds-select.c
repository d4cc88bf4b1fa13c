#include "tests/sim/tds-select.h"

#include "tests/sim/tds-table.h"

enum aggregate {
	AGGREGATE_NONE,
	AGGREGATE_COUNT,
	AGGREGATE_COUNT_BIG,
	AGGREGATE_MIN,
	AGGREGATE_MAX
};

struct output { /* one column of the result */
	struct tds_node *node;
	enum aggregate aggregate;
	struct tds_value sum; /* of an aggregate so far; a count is its number */
};

struct select {
	struct tds_engine *engine;
	struct tds_scope *scope;
	struct tds_statement *statement;
	struct tds_table table;
	struct output *output;
	struct tds_column *column;
	struct tds_value *value, *key;
	size_t column_count, key_count;
	bool aggregates;
	bool only_given; /* without a table there is one row, and it was given */
	uint64_t top;    /* rows at most */
	uint64_t row_count;
	bool ended; /* by the sink */
};

static enum aggregate aggregate_of(const struct tds_node *node)
{
	static const char *const names[] = {
		[AGGREGATE_COUNT] = "COUNT",
		[AGGREGATE_COUNT_BIG] = "COUNT_BIG",
		[AGGREGATE_MIN] = "MIN",
		[AGGREGATE_MAX] = "MAX",
	};
	for (size_t i = 1; node->kind == TDS_NODE_CALL && i < sizeof(names) / sizeof(names[0]);
	     i++) {
		bool one = node->child != NULL && node->child->next == NULL;
		if (one && str_equal_fold(node->name, str_of(names[i]))) {
			return (enum aggregate)i;
		}
	}
	return AGGREGATE_NONE;
}

/* Binds an item of the list and sets its column. */
static bool bind_item(struct select *run, const struct tds_item *item)
{
	struct output *output = &run->output[run->column_count];
	struct tds_column *column = &run->column[run->column_count];
	*output = (struct output){.node = item->node, .aggregate = aggregate_of(item->node)};
	struct tds_node *operand = item->node->child;
	if (output->aggregate == AGGREGATE_NONE) {
		if (!tds_bind(run->scope, item->node)) {
			return false;
		}
		column->type = item->node->type;
	} else {
		bool counts = output->aggregate <= AGGREGATE_COUNT_BIG;
		if (!(counts && operand->kind == TDS_NODE_STAR) && !tds_bind(run->scope, operand)) {
			return false;
		}
		uint16_t width = output->aggregate == AGGREGATE_COUNT ? 4 : 8;
		column->type = counts ? (struct tds_type){TDS_INT, width} : operand->type;
		output->sum = counts ? tds_number(TDS_INT, 0) : tds_null(operand->type.kind);
		run->aggregates = true;
	}
	bool named = item->node->kind == TDS_NODE_COLUMN && item->alias.len == 0;
	column->name = named ? item->node->name : item->alias;
	run->column_count++;
	return true;
}

/* Adds all columns of the table in place of a star. */
static bool bind_star(struct select *run)
{
	const struct tds_rows *rows = run->scope->rows;
	if (rows == NULL) {
		tds_scope_fail(run->scope, 263, 16, "Must specify table to select from.%.*s",
			       STR_LIT(""));
		return false;
	}
	for (size_t i = 0; i < rows->column_count; i++) {
		struct tds_node *node = arena_calloc(run->scope->arena, 1, sizeof(*node));
		if (node == NULL || run->column_count == TDS_COLUMNS_MAX) {
			return false;
		}
		*node = (struct tds_node){.kind = TDS_NODE_COLUMN, .name = rows->column[i].name};
		if (!bind_item(run, &(struct tds_item){.node = node})) {
			return false;
		}
	}
	return true;
}

static bool bind_items(struct select *run)
{
	for (const struct tds_item *item = run->statement->item; item != NULL; item = item->next) {
		if (run->column_count == TDS_COLUMNS_MAX) {
			tds_scope_fail(run->scope, 1056, 15,
				       "The number of elements in the select list exceeds %.*s.",
				       STR_LIT("the maximum allowed number"));
			return false;
		}
		bool bound =
			item->node->kind == TDS_NODE_STAR ? bind_star(run) : bind_item(run, item);
		if (!bound) {
			return false;
		}
	}
	for (size_t i = 0; i < run->column_count && run->aggregates; i++) {
		const struct output *output = &run->output[i];
		if (output->aggregate == AGGREGATE_NONE && output->node->kind != TDS_NODE_VALUE) {
			tds_scope_fail(run->scope, 8120, 16,
				       "Column '%.*s' is invalid in the select list because it is "
				       "not contained in either "
				       "an aggregate function or the GROUP BY clause.",
				       run->column[i].name);
			return false;
		}
	}
	return true;
}

/* Replaces a key that names a column of the result, or counts it, by that column's tree. */
static bool bind_key(struct select *run, struct tds_item *item)
{
	struct tds_node *node = item->node;
	if (node->kind == TDS_NODE_VALUE && node->type.kind == TDS_INT && !node->value.null) {
		if (node->value.number < 1 || node->value.number > (int64_t)run->column_count) {
			tds_scope_fail(run->scope, 108, 15,
				       "The ORDER BY position number is out of range of the number "
				       "of items in the "
				       "select list.%.*s",
				       STR_LIT(""));
			return false;
		}
		item->node = run->output[node->value.number - 1].node;
		return true;
	}
	for (size_t i = 0; i < run->column_count && node->kind == TDS_NODE_COLUMN; i++) {
		if (node->qualifier.len == 0 && str_equal_fold(node->name, run->column[i].name)) {
			item->node = run->output[i].node;
			return true;
		}
	}
	return tds_bind(run->scope, node);
}

static bool bind_where(struct select *run)
{
	struct tds_node *where = run->statement->where;
	if (where == NULL) {
		return true;
	}
	if (!tds_is_condition(where)) {
		tds_scope_fail(run->scope, 4145, 15,
			       "An expression of non-boolean type specified in a context where a "
			       "condition is expected.%.*s",
			       STR_LIT(""));
		return false;
	}
	return tds_bind(run->scope, where);
}

static bool find_table(struct select *run)
{
	const struct tds_from *from = &run->statement->from;
	if (from->object.len == 0) {
		return true;
	}
	for (struct tds_node *argument = from->argument; argument != NULL;
	     argument = argument->next) {
		if (!tds_bind(run->scope, argument)) {
			return false;
		}
	}
	if (!tds_table_find(run->engine->service, from, run->scope, &run->table)) {
		return false;
	}
	run->scope->rows = &run->table.rows;
	return true;
}

static bool bind_top(struct select *run)
{
	run->top = UINT64_MAX;
	struct tds_node *top = run->statement->top;
	if (top == NULL) {
		return true;
	}
	if (!tds_bind(run->scope, top)) {
		return false;
	}
	struct tds_value value = tds_cast(run->scope, tds_eval(run->scope, top),
					  (struct tds_type){TDS_INT, 8}, 0, false);
	if (value.null || value.number < 0) {
		tds_scope_fail(run->scope, 1060, 15,
			       "The number of rows provided for a TOP or FETCH clauses row count "
			       "parameter must be an "
			       "integer.%.*s",
			       STR_LIT(""));
		return false;
	}
	run->top = (uint64_t)value.number;
	return !run->scope->failed;
}

/* Finds and binds everything; allocates. */
static bool prepare(struct select *run)
{
	struct arena *arena = run->scope->arena;
	for (const struct tds_item *item = run->statement->order; item != NULL; item = item->next) {
		run->key_count++;
	}
	run->output = arena_calloc(arena, TDS_COLUMNS_MAX, sizeof(*run->output));
	run->column = arena_calloc(arena, TDS_COLUMNS_MAX, sizeof(*run->column));
	run->value = arena_calloc(arena, TDS_COLUMNS_MAX, sizeof(*run->value));
	run->key = arena_calloc(arena, run->key_count + 1, sizeof(*run->key));
	if (run->output == NULL || run->column == NULL || run->value == NULL || run->key == NULL) {
		tds_scope_fail(run->scope, 701, 17,
			       "There is insufficient system memory to run this query.%.*s",
			       STR_LIT(""));
		return false;
	}
	if (!bind_top(run) || !find_table(run) || !bind_items(run) || !bind_where(run)) {
		return false;
	}
	for (struct tds_item *item = run->statement->order; item != NULL; item = item->next) {
		if (!bind_key(run, item)) {
			return false;
		}
	}
	return true;
}

static bool open_table(struct select *run)
{
	const struct tds_from *from = &run->statement->from;
	struct tds_value argument[3];
	size_t count = 0;
	if (from->object.len == 0) {
		return true;
	}
	for (const struct tds_node *node = from->argument; node != NULL; node = node->next) {
		struct tds_value value = tds_eval(run->scope, node);
		struct tds_type type = count == 2 ? (struct tds_type){TDS_INT, 8}
						  : (struct tds_type){TDS_NVARCHAR, TDS_LENGTH_MAX};
		if (count < 3) {
			argument[count] = tds_cast(run->scope, value, type, 0, false);
		}
		count++;
	}
	if (from->function && count != 3) {
		uint32_t number = count < 3 ? 313 : 8144;
		tds_scope_fail(
			run->scope, number, 16,
			count < 3 ? "An insufficient number of arguments were supplied for the "
				    "procedure or function "
				    "%.*s."
				  : "Procedure or function %.*s has too many arguments specified.",
			from->object);
	}
	return !run->scope->failed && tds_table_open(&run->table, argument, run->scope);
}

static bool told_notice(struct select *run)
{
	struct tds_table *table = &run->table;
	if (table->notice.number == 0) {
		return true;
	}
	const struct tds_sink *sink = run->engine->sink;
	run->ended = !sink->message(sink->owner, &table->notice);
	table->notice.number = 0;
	return !run->ended;
}

/* Moves to the next row that the WHERE lets through. */
static bool next_row(struct select *run)
{
	bool table = run->scope->rows != NULL;
	while (!run->scope->failed) {
		arena_clear(run->scope->scratch);
		bool there = table ? tds_table_next(&run->table) : !run->only_given;
		run->only_given = true;
		if (!told_notice(run) || !there) {
			return false;
		}
		const struct tds_node *where = run->statement->where;
		if (where == NULL) {
			return true;
		}
		struct tds_value yes = tds_eval(run->scope, where);
		if (!yes.null && yes.number != 0 && !run->scope->failed) {
			return true;
		}
	}
	return false;
}

/* Computes the current row's values, each of its column's kind. */
static void compute(struct select *run)
{
	for (size_t i = 0; i < run->column_count; i++) {
		struct tds_value value = tds_eval(run->scope, run->output[i].node);
		enum tds_kind kind = run->column[i].type.kind;
		if (value.kind != kind && kind != TDS_VARIANT) {
			value = tds_cast(run->scope, value, run->column[i].type, 0, false);
		}
		run->value[i] = value;
	}
	size_t at = 0;
	for (const struct tds_item *item = run->statement->order; item != NULL; item = item->next) {
		run->key[at] = tds_eval(run->scope, item->node);
		at++;
	}
}

static bool give(struct select *run, const struct tds_value *value)
{
	const struct tds_sink *sink = run->engine->sink;
	run->row_count++;
	run->ended = !sink->row(sink->owner, run->column, value, run->column_count);
	return !run->ended;
}

static void stream_rows(struct select *run)
{
	while (run->row_count < run->top && next_row(run)) {
		compute(run);
		if (run->scope->failed || !give(run, run->value)) {
			return;
		}
	}
}

static void hold_rows(struct select *run)
{
	struct tds_held *held = tds_held_new(run->scope, run->column_count, run->statement->order,
					     run->statement->distinct);
	bool all = run->statement->order != NULL; /* else TOP can stop early */
	while (held != NULL && (all || tds_held_count(held) < run->top) && next_row(run)) {
		compute(run);
		if (run->scope->failed || !tds_held_add(held, run->value, run->key)) {
			return;
		}
	}
	for (size_t i = 0; held != NULL && !run->ended && i < tds_held_count(held) && i < run->top;
	     i++) {
		(void)give(run, tds_held_row(held, i)); /* ended is looked at */
	}
}

/* Takes the current row into an aggregate. */
static void take_in(struct select *run, struct output *output)
{
	struct tds_value value = tds_number(TDS_INT, 1);
	if (output->node->child->kind != TDS_NODE_STAR) {
		value = tds_eval(run->scope, output->node->child);
	}
	if (value.null) {
		return;
	}
	if (output->aggregate <= AGGREGATE_COUNT_BIG) {
		output->sum.number++;
		return;
	}
	int order = output->sum.null ? 0 : tds_compare(run->scope, value, output->sum);
	if (output->sum.null || (output->aggregate == AGGREGATE_MIN ? order < 0 : order > 0)) {
		output->sum = value;
		output->sum.text = tds_keep(run->scope, run->scope->arena, value.text);
	}
}

static void aggregate_rows(struct select *run)
{
	while (next_row(run)) {
		for (size_t i = 0; i < run->column_count; i++) {
			if (run->output[i].aggregate != AGGREGATE_NONE) {
				take_in(run, &run->output[i]);
			}
		}
	}
	for (size_t i = 0; i < run->column_count; i++) {
		const struct output *output = &run->output[i];
		run->value[i] =
			output->aggregate != AGGREGATE_NONE ? output->sum : output->node->value;
	}
	if (!run->scope->failed && !run->ended && run->top > 0) {
		(void)give(run, run->value); /* ended is looked at */
	}
}

bool tds_select(struct tds_engine *engine, struct tds_scope *scope, struct tds_statement *select,
		uint64_t *out_row_count)
{
	struct select run = {.engine = engine, .scope = scope, .statement = select};
	*out_row_count = 0;
	if (!prepare(&run)) {
		return true;
	}
	const struct tds_sink *sink = engine->sink;
	if (!sink->columns(sink->owner, run.column, run.column_count)) {
		return false;
	}
	/* TOP (0) is answered without a look at the table, as the server's optimizer does. */
	if (run.top > 0 && open_table(&run)) {
		if (run.aggregates) {
			aggregate_rows(&run);
		} else if (select->distinct || select->order != NULL) {
			hold_rows(&run);
		} else {
			stream_rows(&run);
		}
	}
	scope->rows = NULL;
	*out_row_count = run.row_count;
	return !run.ended;
}
