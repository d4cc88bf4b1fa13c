#include "model/tsql/walk.h"

#include "base/utf8.h"

#define FOLDED_MIN 4 /* bytes of a text that folding brings to light */

/* A handler of a word; returns the piece from which to go on. */
typedef size_t word_handler(struct tsql_walk *walk, size_t i);

static bool is_query(const struct tsql_level *level)
{
	return level->kind == LEVEL_QUERY && level->verb != TSQL_VERB_NONE;
}

static size_t on_verb(struct tsql_walk *walk, size_t i)
{
	const struct tsql_level *level = tsql_level_of(walk);
	enum tsql_verb verb = TSQL_VERB_SELECT;

	switch (tsql_word_at(walk->scan, i)) {
	case TSQL_W_INSERT:
		verb = TSQL_VERB_INSERT;
		break;
	case TSQL_W_UPDATE:
		verb = TSQL_VERB_UPDATE;
		break;
	case TSQL_W_DELETE:
		verb = TSQL_VERB_DELETE;
		break;
	case TSQL_W_MERGE:
		verb = TSQL_VERB_MERGE;
		break;
	default:
		break;
	}
	if (level->kind == LEVEL_QUERY &&
	    (level->verb == TSQL_VERB_NONE ||
	     (verb == TSQL_VERB_SELECT && level->verb == TSQL_VERB_INSERT))) {
		return tsql_query_begin(walk, i + 1, verb);
	}
	return i + 1;
}

static size_t on_from(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	if (is_query(level) || walk->verb == TSQL_VERB_RECEIVE) {
		level->clause = CLAUSE_FROM;
		level->expect_source = true;
	}
	return i + 1;
}

static size_t on_using(struct tsql_walk *walk, size_t i)
{
	return tsql_level_of(walk)->verb == TSQL_VERB_MERGE ? on_from(walk, i) : i + 1;
}

static size_t on_join(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	if (level->clause == CLAUSE_FROM) {
		level->joined = true;
		level->expect_source = true;
		tsql_join_note(walk, i);
	}
	return i + 1;
}

static size_t on_where(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	if (level->kind == LEVEL_QUERY) {
		level->where = true;
		level->clause = CLAUSE_WHERE;
	}
	return i + 1;
}

static size_t on_group(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	level->clause = CLAUSE_OTHER;
	level->grouped = true;
	return i + 1;
}

/* Words behind which neither tables nor columns follow. */
static size_t on_other(struct tsql_walk *walk, size_t i)
{
	tsql_level_of(walk)->clause = CLAUSE_OTHER;
	return i + 1;
}

static size_t on_offset(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	level->top = level->top || level->clause == CLAUSE_OTHER;
	return i + 1;
}

static size_t on_for(struct tsql_walk *walk, size_t i)
{
	enum tsql_word next = tsql_word_at(walk->scan, i + 1);

	if (next == TSQL_W_XML || next == TSQL_W_JSON || next == TSQL_W_BROWSE) {
		return on_other(walk, i);
	}
	return i + 1;
}

/* UNION, EXCEPT, INTERSECT: the next query stands in the same level. */
static size_t on_union(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);
	size_t next = i + 1;

	if (level->kind != LEVEL_QUERY) {
		return next;
	}
	tsql_query_end(walk);
	next += tsql_word_at(walk->scan, next) == TSQL_W_ALL ? 1 : 0;
	if (tsql_word_at(walk->scan, i) == TSQL_W_UNION &&
	    (tsql_word_at(walk->scan, next) == TSQL_W_SELECT ||
	     tsql_mark_at(walk->scan, next) == '(')) {
		tsql_note_flags(walk->scan, TSQL_UNION_SELECT);
	}
	*level = (struct tsql_level){.kind = LEVEL_QUERY,
				     .is_source = level->is_source,
				     .is_cte = level->is_cte,
				     .exists = level->exists,
				     .first_object = level->first_object};
	return next;
}

static size_t on_into(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	const struct tsql_level *level = tsql_level_of(walk);
	struct tsql_name name;
	size_t next = tsql_name_read(scan, i + 1, &name);

	if (next == i + 1) {
		return next;
	}
	if (level->clause == CLAUSE_OUTPUT) {
		(void)tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_WRITE);
	} else if (level->clause == CLAUSE_ITEMS && level->verb == TSQL_VERB_SELECT &&
		   tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_CREATED) >= 0) {
		tsql_note_flags(scan, TSQL_SELECT_INTO);
	}
	return next;
}

static size_t on_output(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	if (level->verb != TSQL_VERB_SELECT && is_query(level)) {
		level->clause = CLAUSE_OUTPUT;
	}
	return i + 1;
}

/* The table of a foreign key is neither read nor changed. */
static size_t on_references(struct tsql_walk *walk, size_t i)
{
	struct tsql_name name;

	return tsql_name_read(walk->scan, i + 1, &name);
}

static size_t on_set(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	if (level->verb == TSQL_VERB_UPDATE || level->verb == TSQL_VERB_MERGE) {
		level->clause = CLAUSE_SET;
	}
	return i + 1;
}

/* WHEN of a MERGE ends its tables. */
static size_t on_when(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	if (level->verb == TSQL_VERB_MERGE && level->case_depth == 0) {
		level->clause = CLAUSE_OTHER;
	}
	return i + 1;
}

static size_t on_with(struct tsql_walk *walk, size_t i)
{
	enum tsql_word next = tsql_word_at(walk->scan, i + 1);

	if ((next == TSQL_W_EXECUTE || next == TSQL_W_EXEC) &&
	    tsql_word_at(walk->scan, i + 2) == TSQL_W_AS) {
		tsql_note_flags(walk->scan, TSQL_EXECUTE_AS);
		return i + 3;
	}
	return tsql_mark_at(walk->scan, i + 1) == '(' ? tsql_behind(walk->scan, i + 1) : i + 1;
}

static size_t on_exists(struct tsql_walk *walk, size_t i)
{
	if (tsql_mark_at(walk->scan, i + 1) != '(') {
		return i + 1;
	}
	tsql_level_open(walk, i + 2, false);
	tsql_level_of(walk)->exists = true;
	return i + 2;
}

static size_t on_case(struct tsql_walk *walk, size_t i)
{
	tsql_level_of(walk)->case_depth++;
	return i + 1;
}

static size_t on_end(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	level->case_depth -= level->case_depth > 0 ? 1 : 0;
	return i + 1;
}

static size_t on_like(struct tsql_walk *walk, size_t i)
{
	tsql_sign_condition(walk, i);
	return i + 1;
}

static size_t on_exec(struct tsql_walk *walk, size_t i)
{
	if (walk->verb != TSQL_VERB_INSERT || walk->depth > 0 || walk->has_call) {
		return i + 1;
	}
	walk->has_call = true;
	return tsql_exec_read(walk, i + 1);
}

static size_t on_rowset(struct tsql_walk *walk, size_t i)
{
	if (tsql_mark_at(walk->scan, i + 1) != '(') {
		return i + 1;
	}
	tsql_rowset_read(walk, i);
	return tsql_behind(walk->scan, i + 1);
}

static size_t on_aggregate(struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;
	struct tsql_level *level = tsql_level_of(walk);

	if (level->clause == CLAUSE_ITEMS && tsql_mark_at(scan, i + 1) == '(' &&
	    tsql_word_at(scan, tsql_behind(scan, i + 1)) != TSQL_W_OVER) {
		level->aggregate = true;
	}
	return i + 1;
}

/* BACKUP .. TO URL = '..' */
static size_t on_url(struct tsql_walk *walk, size_t i)
{
	if (walk->verb == TSQL_VERB_BACKUP && tsql_mark_at(walk->scan, i + 1) == '=') {
		tsql_note_flags(walk->scan, TSQL_BACKUP_TO_URL);
	}
	return i + 1;
}

static bool is_text(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.ptr[i];

		if (c < ' ' && c != '\n' && c != '\r' && c != '\t') {
			return false;
		}
	}
	return str_trim(text).len >= FOLDED_MIN;
}

/* Looks whether an expression of literals begins at i, and what it comes to. */
static size_t on_fold(struct tsql_walk *walk, size_t i)
{
	struct tsql_folded folded;

	if (i < walk->fold_end || !tsql_fold(walk->scan, i, &folded)) {
		return i + 1;
	}
	walk->fold_end = folded.next;
	if (folded.char_count >= 3) {
		tsql_note_flags(walk->scan, TSQL_CHAR_BUILDING);
	}
	if (folded.changed && is_text(folded.text)) {
		tsql_note_flags(walk->scan, TSQL_FOLDED);
		tsql_note_inner(walk->scan,
				(struct tsql_inner){
					.text = folded.text, .via = TSQL_DIRECT, .folded = true},
				str_make(NULL, 0));
	}
	return i + 1;
}

static size_t on_function(struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;
	enum tsql_word word = tsql_word_at(scan, i);

	if (tsql_mark_at(scan, i + 1) != '(' ||
	    (word == TSQL_W_CAST && tsql_kind_at(scan, i + 2) == TSQL_STRING &&
	     tsql_word_at(scan, i + 3) == TSQL_W_AS)) {
		return i + 1;
	}
	return on_fold(walk, i);
}

static const struct {
	enum tsql_word word;
	word_handler *handle;
} handlers[] = {
	{TSQL_W_SELECT, on_verb},
	{TSQL_W_FROM, on_from},
	{TSQL_W_WHERE, on_where},
	{TSQL_W_JOIN, on_join},
	{TSQL_W_APPLY, on_join},
	{TSQL_W_INTO, on_into},
	{TSQL_W_SET, on_set},
	{TSQL_W_VALUES, on_other},
	{TSQL_W_INSERT, on_verb},
	{TSQL_W_UPDATE, on_verb},
	{TSQL_W_DELETE, on_verb},
	{TSQL_W_MERGE, on_verb},
	{TSQL_W_LIKE, on_like},
	{TSQL_W_CASE, on_case},
	{TSQL_W_END, on_end},
	{TSQL_W_EXISTS, on_exists},
	{TSQL_W_WITH, on_with},
	{TSQL_W_GROUP, on_group},
	{TSQL_W_HAVING, on_group},
	{TSQL_W_ORDER, on_other},
	{TSQL_W_OPTION, on_other},
	{TSQL_W_OFFSET, on_offset},
	{TSQL_W_FOR, on_for},
	{TSQL_W_UNION, on_union},
	{TSQL_W_EXCEPT, on_union},
	{TSQL_W_INTERSECT, on_union},
	{TSQL_W_OUTPUT, on_output},
	{TSQL_W_USING, on_using},
	{TSQL_W_WHEN, on_when},
	{TSQL_W_EXEC, on_exec},
	{TSQL_W_EXECUTE, on_exec},
	{TSQL_W_OPENQUERY, on_rowset},
	{TSQL_W_OPENROWSET, on_rowset},
	{TSQL_W_OPENDATASOURCE, on_rowset},
	{TSQL_W_COUNT, on_aggregate},
	{TSQL_W_COUNT_BIG, on_aggregate},
	{TSQL_W_SUM, on_aggregate},
	{TSQL_W_MIN, on_aggregate},
	{TSQL_W_MAX, on_aggregate},
	{TSQL_W_AVG, on_aggregate},
	{TSQL_W_STRING_AGG, on_aggregate},
	{TSQL_W_CHECKSUM_AGG, on_aggregate},
	{TSQL_W_STDEV, on_aggregate},
	{TSQL_W_VAR, on_aggregate},
	{TSQL_W_URL, on_url},
	{TSQL_W_REFERENCES, on_references},
	{TSQL_W_CHAR, on_function},
	{TSQL_W_NCHAR, on_function},
	{TSQL_W_CAST, on_function},
	{TSQL_W_TRY_CAST, on_function},
	{TSQL_W_CONVERT, on_function},
	{TSQL_W_TRY_CONVERT, on_function},
	{TSQL_W_REVERSE, on_function},
	{TSQL_W_REPLACE, on_function},
	{TSQL_W_CONCAT, on_function},
	{TSQL_W_SUBSTRING, on_function},
};

/* A name in an expression: of several parts with parentheses behind it, it may be a function that is called. */
static size_t step_name(struct tsql_walk *walk, size_t i)
{
	static const char *const methods[] = {"value", "query", "exist", "modify", "nodes"};
	struct tsql_work *work = walk->scan->work;
	struct tsql_name name;
	size_t next;

	if (tsql_mark_at(walk->scan, i + 1) != '.') {
		return i + 1;
	}
	next = tsql_name_read(walk->scan, i, &name);
	if (next == i) {
		return i + 1;
	}
	if (tsql_mark_at(walk->scan, next) != '(' || name.object.len == 0) {
		return next;
	}
	for (size_t k = 0; k < sizeof(methods) / sizeof(methods[0]); k++) {
		if (str_equal_fold(name.object, str_of(methods[k]))) {
			return next;
		}
	}
	if (work->call_count < TSQL_CALLS_MAX) {
		work->calls[work->call_count++].name = name;
	} else {
		tsql_note_flags(walk->scan, TSQL_TRUNCATED);
	}
	return next;
}

static size_t step_word(struct tsql_walk *walk, size_t i)
{
	enum tsql_word word = tsql_word_at(walk->scan, i);

	if (tsql_mark_at(walk->scan, i + 1) == '.') {
		return step_name(walk, i);
	}
	for (size_t k = 0; word != TSQL_W_NONE && k < sizeof(handlers) / sizeof(handlers[0]); k++) {
		if (handlers[k].word == word) {
			return handlers[k].handle(walk, i);
		}
	}
	return i + 1;
}

/* Remembers what a variable is given: name [type] = or += at i. */
static void assign(struct tsql_walk *walk, struct str name, size_t i, bool appends)
{
	const struct tsql_variable *old = tsql_variable_find(walk->scan, name);
	struct tsql_variable variable = {.name = name};
	struct tsql_folded folded;
	char *joined;

	if (tsql_fold(walk->scan, i, &folded)) {
		variable.value = folded.text;
		variable.changed = folded.changed;
		variable.unknown = folded.unknown;
	}
	if (appends && old != NULL && old->value.ptr != NULL && variable.value.ptr != NULL) {
		size_t len = old->value.len + variable.value.len;

		joined = len > TSQL_INNER_BYTES_MAX ? NULL
						    : arena_alloc(walk->scan->work->arena, len);
		if (joined == NULL) {
			tsql_note_flags(walk->scan, TSQL_TRUNCATED);
			return;
		}
		memcpy(joined, old->value.ptr, old->value.len);
		memcpy(joined + old->value.len, variable.value.ptr, variable.value.len);
		variable.value = str_make(joined, len);
		variable.changed = true;
		variable.unknown = variable.unknown || old->unknown;
	}
	tsql_variable_set(walk->scan, &variable);
}

static size_t step_variable(struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;
	size_t next = i + 1;

	if (tsql_mark_at(scan, next) == '.') {
		return next + 2; /* a method */
	}
	if (walk->verb == TSQL_VERB_DECLARE && walk->depth == 0) {
		next += tsql_word_at(scan, next) == TSQL_W_AS ? 1 : 0;
		if (tsql_kind_at(scan, next) == TSQL_WORD) {
			next++;
			next = tsql_mark_at(scan, next) == '(' ? tsql_behind(scan, next) : next;
		}
	} else if (!(walk->verb == TSQL_VERB_SET && i == walk->begin + 1) && !walk->at_item) {
		return next;
	}
	if (tsql_mark_at(scan, next) == '=') {
		assign(walk, tsql_text_at(scan, i), next + 1, false);
	} else if (str_is(tsql_text_at(scan, next), "+=")) {
		assign(walk, tsql_text_at(scan, i), next + 1, true);
	}
	return next;
}

static size_t step_mark(struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;
	struct tsql_level *level = tsql_level_of(walk);

	switch (scan->text.ptr[tsql_piece_at(scan, i)->start]) {
	case '(':
		tsql_level_open(walk, i + 1, false);
		break;
	case ')':
		return tsql_level_close(walk, i + 1);
	case ',':
		level->expect_item = level->clause == CLAUSE_ITEMS;
		level->expect_source = level->clause == CLAUSE_FROM && level->case_depth == 0;
		break;
	case '*':
		level->star = level->star || (level->clause == CLAUSE_ITEMS &&
					      (walk->at_item || tsql_mark_at(scan, i - 1) == '.'));
		break;
	case '=':
	case '<':
	case '>':
	case '!':
		tsql_sign_condition(walk, i);
		break;
	default:
		break;
	}
	return i + 1;
}

static size_t step(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	walk->at_item = level->expect_item;
	level->expect_item = false;
	if (level->expect_source) {
		size_t next = tsql_source_read(walk, i);

		if (next != i) {
			return next;
		}
	}
	switch (tsql_kind_at(walk->scan, i)) {
	case TSQL_WORD:
		return step_word(walk, i);
	case TSQL_QUOTED:
		return step_name(walk, i);
	case TSQL_VARIABLE:
		return step_variable(walk, i);
	case TSQL_MARK:
		return step_mark(walk, i);
	case TSQL_STRING:
		return tsql_mark_at(walk->scan, i + 1) == '+' ? on_fold(walk, i) : i + 1;
	case TSQL_SPACE:
	case TSQL_COMMENT:
	case TSQL_NUMBER:
	case TSQL_HEX:
	case TSQL_MONEY:
	case TSQL_GO:
	case TSQL_UNKNOWN:
		break;
	}
	return i + 1;
}

/* Notes the functions that the statement calls; a.b() is none when a is a table or its alias. */
static void note_calls(struct tsql_walk *walk)
{
	struct tsql_work *work = walk->scan->work;

	for (size_t i = 0; i < work->call_count; i++) {
		const struct tsql_name *name = &work->calls[i].name;
		struct str first = name->database.ptr != NULL ? name->database : name->schema;
		bool is_method = false;

		for (size_t k = 0; k < work->alias_count && !is_method; k++) {
			is_method = str_equal_fold(work->aliases[k].name, first);
		}
		for (size_t k = work->object_count; k > 0 && !is_method; k--) {
			const struct tsql_object *object = &work->objects[k - 1];

			if (object->statement != walk->statement) {
				break;
			}
			is_method = object->kind == TSQL_CLASS_TABLE &&
				    str_equal_fold(object->name.object, first);
		}
		if (!is_method) {
			(void)tsql_note_object(walk->scan, name, TSQL_CLASS_FUNCTION,
					       TSQL_EXECUTED);
		}
	}
	work->call_count = 0;
}

size_t tsql_walk(struct tsql_walk *walk, size_t i)
{
	while (i < walk->scan->end && !walk->ended && !tsql_border(walk, i)) {
		i = step(walk, i);
	}
	walk->overflow = 0;
	while (walk->depth > 0) {
		(void)tsql_level_close(walk, walk->scan->end); /* nothing follows */
	}
	tsql_query_end(walk);
	note_calls(walk);
	return i < walk->scan->end ? i : walk->scan->end;
}
