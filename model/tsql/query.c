#include "model/tsql/walk.h"

static const struct tsql_level no_level = {.kind = LEVEL_PLAIN, .first_object = -1};

void tsql_level_open(struct tsql_walk *walk, size_t i, bool is_source)
{
	const struct tsql_scan *scan = walk->scan;
	struct tsql_level *level;
	size_t inside = i;

	if (walk->depth + 1 >= TSQL_LEVELS_MAX) {
		walk->overflow++;
		tsql_note_flags(walk->scan, TSQL_TRUNCATED);
		return;
	}
	while (inside < i + 16 && tsql_mark_at(scan, inside) == '(') {
		inside++;
	}
	walk->depth++;
	level = tsql_level_of(walk);
	*level = no_level;
	level->is_source = is_source;
	switch (tsql_word_at(scan, inside)) {
	case TSQL_W_SELECT:
	case TSQL_W_INSERT:
	case TSQL_W_UPDATE:
	case TSQL_W_DELETE:
		level->kind = LEVEL_QUERY;
		break;
	default: /* MERGE is no query here, but a hint: OPTION (MERGE JOIN) */
		if (is_source && tsql_word_at(scan, inside) != TSQL_W_VALUES) {
			level->kind = LEVEL_SOURCES;
			level->clause = CLAUSE_FROM;
			level->expect_source = true;
		}
		break;
	}
}

/* Whether all rows of one table come out of the query of a level. */
static bool is_unbounded(const struct tsql_level *level)
{
	bool limited = (level->where && !level->where_true) || level->top || level->joined ||
		       level->grouped || level->aggregate || level->exists;

	return level->verb == TSQL_VERB_SELECT && !limited && level->source_count == 1 &&
	       (level->real_count == 1 || level->source_unbounded);
}

/* The target as an object that is written: the table that an alias or a CTE stands for, or the name itself. */
static int resolve_target(struct tsql_walk *walk, const struct tsql_level *level)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_work *work = scan->work;
	const struct tsql_name *name = &level->target;

	for (size_t i = work->alias_count; name->schema.ptr == NULL && i > 0; i--) {
		const struct tsql_alias *alias = &work->aliases[i - 1];

		if (alias->level == walk->depth && str_equal_fold(alias->name, name->object)) {
			return alias->object;
		}
	}
	for (size_t i = 0; name->schema.ptr == NULL && i < work->cte_count; i++) {
		if (str_equal_fold(work->ctes[i].name, name->object)) {
			return work->ctes[i].object;
		}
	}
	return tsql_note_object(scan, name, TSQL_CLASS_TABLE, TSQL_WRITE);
}

/* The target was noted last; when it was noted as read before, both are one: UPDATE t SET .. FROM t JOIN ..
 * Returns its index. */
static int merge_read(struct tsql_work *work, int target)
{
	const struct tsql_object *written = &work->objects[target];

	for (int i = 0; i < target; i++) {
		struct tsql_object *object = &work->objects[i];

		if (object->statement == written->statement && object->access == TSQL_READ &&
		    object->kind == TSQL_CLASS_TABLE &&
		    str_equal_fold(object->name.object, written->name.object) &&
		    str_equal_fold(object->name.schema, written->name.schema) &&
		    str_equal_fold(object->name.database, written->name.database)) {
			*object = *written;
			work->object_hashes[i] = work->object_hashes[target];
			work->object_count--;
			return i;
		}
	}
	return target;
}

static void end_target(struct tsql_walk *walk, const struct tsql_level *level)
{
	struct tsql_work *work = walk->scan->work;
	bool limited = (level->where && !level->where_true) || level->top || level->limits;
	size_t before = work->object_count;
	int object = resolve_target(walk, level);
	int first = level->first_object;

	if (object < 0) {
		return;
	}
	if (work->objects[object].access == TSQL_READ) {
		work->objects[object].access = TSQL_WRITE;
		work->object_hashes[object] += (uint32_t)TSQL_WRITE - (uint32_t)TSQL_READ;
	} else if (work->object_count > before) {
		object = merge_read(work, object);
	}
	for (size_t i = 0; i < work->cte_count; i++) {
		limited = limited || (work->ctes[i].object == object && work->ctes[i].bounded);
	}
	limited = limited || (level->outer && object != first);
	if (!limited) {
		tsql_note_flags(walk->scan, level->verb == TSQL_VERB_DELETE
						    ? TSQL_DELETE_WITHOUT_WHERE
						    : TSQL_UPDATE_WITHOUT_WHERE);
	}
}

void tsql_query_end(struct tsql_walk *walk)
{
	struct tsql_level *level = tsql_level_of(walk);
	bool counts = walk->depth == 0 || !level->exists;

	if (level->has_target) {
		level->has_target = false;
		end_target(walk, level);
	}
	if (level->verb != TSQL_VERB_SELECT) {
		return;
	}
	if (level->star && counts && level->real_count > 0) {
		tsql_note_flags(walk->scan, TSQL_SELECT_STAR);
	}
	if (walk->depth == 0 && is_unbounded(level)) {
		tsql_note_flags(walk->scan, TSQL_UNBOUNDED_SELECT);
	}
}

/* What a source in parentheses, a query or a join, tells of the level around it. */
static void join_source(struct tsql_level *outer, const struct tsql_level *closed)
{
	bool is_query = closed->kind == LEVEL_QUERY;

	outer->source_count += is_query ? 1 : closed->source_count;
	outer->real_count += is_query ? 0 : closed->real_count;
	outer->joined = outer->joined || (!is_query && closed->joined);
	outer->limits = outer->limits || (!is_query && closed->limits);
	outer->outer = outer->outer || (!is_query && closed->outer);
	outer->source_unbounded = is_query && is_unbounded(closed);
	if (outer->first_object < 0) {
		outer->first_object = closed->first_object;
	}
}

size_t tsql_level_close(struct tsql_walk *walk, size_t i)
{
	struct tsql_work *work = walk->scan->work;
	struct tsql_level closed;
	struct tsql_level *outer;

	if (walk->overflow > 0) {
		walk->overflow--;
		return i;
	}
	if (walk->depth == 0) {
		return i;
	}
	if (tsql_level_of(walk)->kind == LEVEL_QUERY) {
		tsql_query_end(walk);
	}
	closed = *tsql_level_of(walk);
	walk->depth--;
	outer = tsql_level_of(walk);
	if (closed.is_cte && work->cte_count > 0) {
		struct tsql_cte *cte = &work->ctes[work->cte_count - 1];

		cte->object = closed.first_object;
		cte->bounded = !is_unbounded(&closed);
		return tsql_mark_at(walk->scan, i) == ',' ? tsql_cte_read(walk, i + 1) : i;
	}
	if (closed.is_source) {
		join_source(outer, &closed);
		return tsql_alias_read(walk, i, -1);
	}
	return i;
}

/* Passes over TOP (n) [PERCENT] [WITH TIES] at i. */
static size_t skip_top(struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;

	if (tsql_word_at(scan, i) != TSQL_W_TOP) {
		return i;
	}
	i = tsql_mark_at(scan, i + 1) == '(' ? tsql_behind(scan, i + 1) : i + 2;
	if (tsql_word_at(scan, i) == TSQL_W_PERCENT) {
		i++;
	} else {
		tsql_level_of(walk)->top = true;
	}
	if (tsql_word_at(scan, i) == TSQL_W_WITH && tsql_word_at(scan, i + 1) == TSQL_W_TIES) {
		i += 2;
	}
	return i;
}

static size_t begin_select(struct tsql_walk *walk, size_t i)
{
	struct tsql_level *level = tsql_level_of(walk);

	for (;;) {
		enum tsql_word word = tsql_word_at(walk->scan, i);

		if (word == TSQL_W_DISTINCT || word == TSQL_W_ALL) {
			i++;
		} else if (word == TSQL_W_TOP) {
			i = skip_top(walk, i);
		} else {
			break;
		}
	}
	level->clause = CLAUSE_ITEMS;
	level->expect_item = true;
	walk->has_select = walk->has_select || walk->depth == 0;
	return i;
}

/* The table that INSERT or MERGE writes, or that UPDATE or DELETE name. */
static size_t read_target(struct tsql_walk *walk, size_t i, enum tsql_verb verb)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_level *level = tsql_level_of(walk);
	struct tsql_name name;
	size_t next = tsql_name_read(scan, i, &name);
	int object = -1;

	if (next == i) {
		enum tsql_word word = tsql_word_at(scan, i);

		if (tsql_mark_at(scan, i + 1) == '(' &&
		    (word == TSQL_W_OPENQUERY || word == TSQL_W_OPENROWSET ||
		     word == TSQL_W_OPENDATASOURCE)) {
			tsql_rowset_read(walk, i);
			return tsql_behind(scan, i + 1);
		}
		return tsql_kind_at(scan, i) == TSQL_VARIABLE ? i + 1 : i;
	}
	if (verb == TSQL_VERB_UPDATE || verb == TSQL_VERB_DELETE) {
		level->target = name;
		level->has_target = true;
		return next;
	}
	object = tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_WRITE);
	if (verb == TSQL_VERB_INSERT) {
		bool has_columns = tsql_mark_at(scan, next) == '(' &&
				   tsql_word_at(scan, next + 1) != TSQL_W_SELECT;

		return has_columns ? tsql_behind(scan, next) : next;
	}
	return tsql_alias_read(walk, next, object);
}

size_t tsql_query_begin(struct tsql_walk *walk, size_t i, enum tsql_verb verb)
{
	struct tsql_level *level = tsql_level_of(walk);

	level->verb = verb;
	level->clause = CLAUSE_TARGET;
	if (walk->verb == TSQL_VERB_NONE && walk->depth == 0) {
		walk->verb = verb;
		walk->scan->work->statements[walk->statement].verb = verb;
	}
	if (verb == TSQL_VERB_SELECT) {
		return begin_select(walk, i);
	}
	i = skip_top(walk, i);
	if (tsql_word_at(walk->scan, i) == TSQL_W_INTO ||
	    (verb == TSQL_VERB_DELETE && tsql_word_at(walk->scan, i) == TSQL_W_FROM)) {
		i++;
	}
	return read_target(walk, i, verb);
}
