#include "model/tsql/walk.h"

/* The CTE that a name is, or NULL. */
static const struct tsql_cte *find_cte(const struct tsql_work *work, const struct tsql_name *name)
{
	if (name->schema.ptr != NULL) {
		return NULL;
	}
	for (size_t i = 0; i < work->cte_count; i++) {
		if (str_equal_fold(work->ctes[i].name, name->object)) {
			return &work->ctes[i];
		}
	}
	return NULL;
}

size_t tsql_alias_read(struct tsql_walk *walk, size_t i, int object)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_work *work = scan->work;
	bool named = tsql_word_at(scan, i) == TSQL_W_AS;
	struct tsql_name name;
	enum tsql_kind kind;

	i += named ? 1 : 0;
	kind = tsql_kind_at(scan, i);
	if (kind != TSQL_QUOTED &&
	    (kind != TSQL_WORD ||
	     (tsql_word_properties(tsql_word_at(scan, i)) & TSQL_WORD_RESERVED) != 0)) {
		return i;
	}
	if (tsql_name_read(scan, i, &name) != i + 1) {
		return i;
	}
	if (work->alias_count < TSQL_ALIASES_MAX) {
		work->aliases[work->alias_count++] = (struct tsql_alias){
			.name = name.object, .object = object, .level = walk->depth};
	} else {
		tsql_note_flags(scan, TSQL_TRUNCATED);
	}
	i++;
	return tsql_mark_at(scan, i) == '(' ? tsql_behind(scan, i) : i;
}

/* Passes over FOR SYSTEM_TIME .. at i. */
static size_t skip_system_time(const struct tsql_scan *scan, size_t i)
{
	if (tsql_word_at(scan, i) != TSQL_W_FOR ||
	    tsql_word_at(scan, i + 1) != TSQL_W_SYSTEM_TIME) {
		return i;
	}
	switch (tsql_word_at(scan, i + 2)) {
	case TSQL_W_AS:
		return i + 5; /* AS OF time */
	case TSQL_W_FROM:
	case TSQL_W_BETWEEN:
		return i + 6; /* FROM time TO time */
	case TSQL_W_ALL:
		return i + 3;
	default: /* CONTAINED IN (time, time), or nothing that is known */
		return tsql_mark_at(scan, i + 4) == '(' ? tsql_behind(scan, i + 4) : i + 2;
	}
}

/* Whether the parentheses at i hold a hint of the old form: FROM t (NOLOCK). */
static bool is_hint(const struct tsql_scan *scan, size_t i)
{
	static const char *const hints[] = {
		"NOLOCK",        "HOLDLOCK",       "UPDLOCK", "READPAST", "ROWLOCK",
		"TABLOCK",       "TABLOCKX",       "XLOCK",   "PAGLOCK",  "READUNCOMMITTED",
		"SERIALIZABLE",  "REPEATABLEREAD", "NOWAIT",  "INDEX",    "NOEXPAND",
		"READCOMMITTED", "FORCESEEK"};
	struct str word = tsql_text_at(scan, i + 1);

	for (size_t k = 0; k < sizeof(hints) / sizeof(hints[0]); k++) {
		if (str_equal_fold(word, str_of(hints[k]))) {
			return true;
		}
	}
	return false;
}

/* A function in the place of a table; i is its "(". */
static size_t read_function(struct tsql_walk *walk, size_t i, const struct tsql_name *name)
{
	struct tsql_scan *scan = walk->scan;

	/* one part is a function of the server's own; nodes() is a method of an XML column */
	if (name->schema.ptr != NULL && !str_equal_fold(name->object, STR_LIT("nodes"))) {
		(void)tsql_note_object(scan, name, TSQL_CLASS_FUNCTION, TSQL_READ);
	}
	return tsql_alias_read(walk, tsql_behind(scan, i), -1);
}

/* A table by name; next is the piece behind the name. */
static size_t read_table(struct tsql_walk *walk, size_t next, const struct tsql_name *name)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_level *level = tsql_level_of(walk);
	const struct tsql_cte *cte = find_cte(scan->work, name);
	int object;

	if (cte != NULL) {
		object = cte->object;
		level->source_unbounded = !cte->bounded;
	} else {
		object = tsql_note_object(scan, name, TSQL_CLASS_TABLE, TSQL_READ);
		level->real_count += object >= 0 ? 1 : 0;
	}
	level->first_object = level->first_object < 0 ? object : level->first_object;
	if (tsql_mark_at(scan, next) == '(' && is_hint(scan, next)) {
		next = tsql_behind(scan, next);
	}
	next = skip_system_time(scan, next);
	return tsql_alias_read(walk, next, object);
}

/* OPENQUERY and its kin; i is the word. */
static size_t read_rowset(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	enum tsql_word word = tsql_word_at(scan, i);
	size_t next = tsql_behind(scan, i + 1);
	struct tsql_name name;

	if (word == TSQL_W_CONTAINSTABLE || word == TSQL_W_FREETEXTTABLE) {
		if (tsql_name_read(scan, i + 2, &name) != i + 2) {
			(void)tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_READ);
		}
		return tsql_alias_read(walk, next, -1);
	}
	tsql_rowset_read(walk, i);
	if (tsql_mark_at(scan, next) == '.') { /* OPENDATASOURCE(..).database.schema.table */
		size_t behind = tsql_name_read(scan, next + 1, &name);

		if (behind != next + 1) {
			(void)tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_READ);
		}
		next = behind;
	}
	return tsql_alias_read(walk, next, -1);
}

/* A table variable, or a method of an XML variable; i is behind its name. */
static size_t read_variable(struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;

	if (tsql_mark_at(scan, i) == '.' && tsql_mark_at(scan, i + 2) == '(') {
		i = tsql_behind(scan, i + 2);
	}
	return tsql_alias_read(walk, i, -1);
}

size_t tsql_source_read(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_level *level = tsql_level_of(walk);
	struct tsql_name name;
	size_t next;

	level->expect_source = false;
	if (tsql_mark_at(scan, i) == '(') {
		tsql_level_open(walk, i + 1, true);
		return i + 1;
	}
	level->source_count++;
	level->source_unbounded = false;
	if (tsql_kind_at(scan, i) == TSQL_VARIABLE) {
		return read_variable(walk, i + 1);
	}
	switch (tsql_word_at(scan, i)) {
	case TSQL_W_OPENROWSET:
	case TSQL_W_OPENQUERY:
	case TSQL_W_OPENDATASOURCE:
	case TSQL_W_OPENXML:
	case TSQL_W_CONTAINSTABLE:
	case TSQL_W_FREETEXTTABLE:
		return tsql_mark_at(scan, i + 1) == '(' ? read_rowset(walk, i) : i + 1;
	default: /* a name, or nothing that is a table */
		break;
	}
	next = tsql_name_read(scan, i, &name);
	if (next == i) {
		level->source_count--;
		return i;
	}
	if (tsql_mark_at(scan, next) == '(' && !is_hint(scan, next)) {
		return read_function(walk, next, &name);
	}
	return read_table(walk, next, &name);
}

size_t tsql_cte_read(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_work *work = scan->work;
	struct tsql_name name;
	size_t next = tsql_name_read(scan, i, &name);

	if (next != i + 1) {
		return i;
	}
	if (tsql_mark_at(scan, next) == '(') {
		next = tsql_behind(scan, next);
	}
	if (tsql_word_at(scan, next) != TSQL_W_AS || tsql_mark_at(scan, next + 1) != '(') {
		return i;
	}
	if (work->cte_count < TSQL_CTES_MAX) {
		work->ctes[work->cte_count++] =
			(struct tsql_cte){.name = name.object, .object = -1, .bounded = true};
	} else {
		tsql_note_flags(scan, TSQL_TRUNCATED);
	}
	tsql_level_open(walk, next + 2, false);
	tsql_level_of(walk)->is_cte = true;
	return next + 2;
}

void tsql_join_note(struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;
	struct tsql_level *level = tsql_level_of(walk);
	bool applies = tsql_word_at(scan, i) == TSQL_W_APPLY;
	enum tsql_word kind = TSQL_W_INNER;

	for (size_t back = 1; back <= 3 && back <= i; back++) { /* LEFT OUTER HASH JOIN */
		enum tsql_word word = tsql_word_at(scan, i - back);

		if (word == TSQL_W_CROSS || word == TSQL_W_LEFT || word == TSQL_W_FULL) {
			kind = word;
			break;
		}
		if (applies && word == TSQL_W_OUTER) {
			kind = TSQL_W_LEFT;
			break;
		}
		if (tsql_kind_at(scan, i - back) != TSQL_WORD || word == TSQL_W_JOIN) {
			break;
		}
	}
	level->outer = level->outer || kind == TSQL_W_LEFT;
	level->limits = level->limits || kind == TSQL_W_INNER || (applies && kind == TSQL_W_CROSS);
}
