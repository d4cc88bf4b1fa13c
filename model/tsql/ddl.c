#include "model/tsql/walk.h"

static const struct {
	enum tsql_class kind;
	const char *text;
} classes[] = {
#define CLASS(name, number, text) {TSQL_CLASS_##name, text},
#include "model/tsql/classes.def"
#undef CLASS
};

/* The piece behind the words of text at i, or i. */
static size_t match_words(const struct tsql_scan *scan, size_t i, const char *text)
{
	struct str rest = str_of(text);
	size_t next = i;

	while (rest.ptr != NULL) {
		struct str word = str_split(&rest, ' ');

		if (tsql_kind_at(scan, next) != TSQL_WORD ||
		    !str_equal_fold(tsql_text_at(scan, next), word)) {
			return i;
		}
		next++;
	}
	return next;
}

/* The class whose words stand at *i, which is moved behind them; NONE leaves it. */
static enum tsql_class read_class(const struct tsql_scan *scan, size_t *i)
{
	if (tsql_word_at(scan, *i) == TSQL_W_PROC) {
		(*i)++;
		return TSQL_CLASS_PROCEDURE;
	}
	for (size_t k = 1; k < sizeof(classes) / sizeof(classes[0]); k++) {
		size_t next = match_words(scan, *i, classes[k].text);

		if (next != *i) {
			*i = next;
			return classes[k].kind;
		}
	}
	return TSQL_CLASS_NONE;
}

/* Passes over what may stand between CREATE and the class: OR ALTER, UNIQUE CLUSTERED, .. */
static size_t skip_modifiers(const struct tsql_scan *scan, size_t i)
{
	static const char *const modifiers[] = {
		"OR",          "ALTER",   "UNIQUE",  "CLUSTERED", "NONCLUSTERED",
		"COLUMNSTORE", "PRIMARY", "SPATIAL", "SELECTIVE", "VECTOR"};
	size_t before;

	do {
		before = i;
		for (size_t k = 0; k < sizeof(modifiers) / sizeof(modifiers[0]); k++) {
			i = match_words(scan, i, modifiers[k]);
		}
		if (tsql_word_at(scan, i) == TSQL_W_XML &&
		    tsql_word_at(scan, i + 1) == TSQL_W_INDEX) {
			i++;
		}
	} while (i != before);
	return i;
}

/* Passes over IF [NOT] EXISTS at i. */
static size_t skip_if_exists(const struct tsql_scan *scan, size_t i)
{
	if (tsql_word_at(scan, i) != TSQL_W_IF) {
		return i;
	}
	i += tsql_word_at(scan, i + 1) == TSQL_W_NOT ? 2 : 1;
	return tsql_word_at(scan, i) == TSQL_W_EXISTS ? i + 1 : i;
}

static enum tsql_access access_of(enum tsql_verb verb)
{
	switch (verb) {
	case TSQL_VERB_CREATE:
	case TSQL_VERB_ADD:
		return TSQL_CREATED;
	case TSQL_VERB_DROP:
		return TSQL_DROPPED;
	case TSQL_VERB_TRUNCATE:
	case TSQL_VERB_RESTORE:
	case TSQL_VERB_BULK_INSERT:
		return TSQL_WRITE;
	case TSQL_VERB_BACKUP:
		return TSQL_READ;
	case TSQL_VERB_GRANT:
	case TSQL_VERB_DENY:
	case TSQL_VERB_REVOKE:
		return TSQL_GRANTED;
	default:
		return TSQL_ALTERED;
	}
}

/* Takes the names at i, with commas between them when several may stand there. */
static size_t read_names(struct tsql_walk *walk, size_t i, enum tsql_class kind, bool several)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_name name;

	for (;;) {
		size_t next = tsql_name_read(scan, i, &name);

		if (next == i) {
			/* after IF EXISTS and :: a name may look like a word of ours: ALTER USER public */
			return i;
		}
		(void)tsql_note_object(scan, &name, kind, access_of(walk->verb));
		if (!several || tsql_mark_at(scan, next) != ',') {
			return next;
		}
		i = next + 1;
	}
}

/* The table behind ON, of an index, trigger or statistics: it is altered. */
static size_t read_on_table(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_name name;
	size_t next;

	if (tsql_word_at(scan, i) != TSQL_W_ON || tsql_word_at(scan, i + 1) == TSQL_W_DATABASE ||
	    tsql_word_at(scan, i + 1) == TSQL_W_ALL) {
		return i;
	}
	next = tsql_name_read(scan, i + 1, &name);
	if (next != i + 1) {
		(void)tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_ALTERED);
	}
	return next;
}

/* The member of ALTER ROLE r ADD MEMBER m at i. */
static size_t read_member(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	enum tsql_word word = tsql_word_at(scan, i);
	struct tsql_name name;
	size_t next;

	if ((word != TSQL_W_ADD && word != TSQL_W_DROP) ||
	    tsql_word_at(scan, i + 1) != TSQL_W_MEMBER) {
		return i;
	}
	next = tsql_name_read(scan, i + 2, &name);
	if (next != i + 2) {
		(void)tsql_note_object(scan, &name,
				       walk->kind == TSQL_CLASS_SERVER_ROLE ? TSQL_CLASS_LOGIN
									    : TSQL_CLASS_USER,
				       TSQL_GRANTED);
	}
	return next;
}

/* Whether the AS of a module stands at i, not that of a parameter: @a AS int. */
static bool is_head_end(const struct tsql_scan *scan, size_t i)
{
	enum tsql_word next = tsql_word_at(scan, i + 1);

	return tsql_word_at(scan, i) == TSQL_W_AS &&
	       (tsql_kind_at(scan, i - 1) != TSQL_VARIABLE ||
		(tsql_word_properties(next) & TSQL_WORD_STARTS) != 0);
}

/* Whether a module's body begins at i although its AS is missing. */
static bool is_body(const struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;
	enum tsql_word word = tsql_word_at(scan, i);
	bool starts = (tsql_word_properties(word) & TSQL_WORD_STARTS) != 0;

	if (tsql_mark_at(scan, i) == ';' || tsql_kind_at(scan, i) == TSQL_GO) {
		return true;
	}
	if (word == TSQL_W_BEGIN || word == TSQL_W_RETURN) {
		return true;
	}
	return starts && walk->kind != TSQL_CLASS_TRIGGER && word != TSQL_W_WITH &&
	       word != TSQL_W_EXECUTE && word != TSQL_W_EXEC;
}

/* Passes over the head of a module to the piece behind its AS, from which on all is its body. */
static size_t skip_head(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;

	for (; i < scan->end && !is_body(walk, i); i++) {
		enum tsql_word word = tsql_word_at(scan, i);

		if (is_head_end(scan, i)) {
			return i + 1;
		}
		if ((word == TSQL_W_EXECUTE || word == TSQL_W_EXEC) &&
		    tsql_word_at(scan, i + 1) == TSQL_W_AS) {
			tsql_note_flags(scan, TSQL_EXECUTE_AS);
			i += 2;
		}
	}
	return i;
}

/* What stands behind the name, by the class of object. */
static size_t read_tail(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;

	switch (walk->kind) {
	case TSQL_CLASS_INDEX:
	case TSQL_CLASS_STATISTICS:
	case TSQL_CLASS_FULLTEXT_INDEX:
		return read_on_table(walk, i);
	case TSQL_CLASS_ROLE:
	case TSQL_CLASS_SERVER_ROLE:
		return read_member(walk, i);
	case TSQL_CLASS_PROCEDURE:
	case TSQL_CLASS_FUNCTION:
	case TSQL_CLASS_TRIGGER:
	case TSQL_CLASS_VIEW:
		i = walk->kind == TSQL_CLASS_TRIGGER ? read_on_table(walk, i) : i;
		if (walk->verb == TSQL_VERB_CREATE || walk->verb == TSQL_VERB_ALTER) {
			i = skip_head(walk, i);
			scan->origin.defined = true;
			walk->ended = true;
		}
		return i;
	default:
		return i;
	}
}

/* ALTER AUTHORIZATION ON class::name, GRANT .. ON class::name: i is behind ON. */
static size_t read_classed(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	size_t next = i;
	enum tsql_class kind = read_class(scan, &next);

	if (!str_is(tsql_text_at(scan, next), "::")) {
		kind = TSQL_CLASS_OBJECT;
		next = i;
	} else {
		next++;
	}
	walk->kind = kind;
	scan->work->statements[walk->statement].kind = kind;
	return read_names(walk, next, kind, false);
}

static bool has_name(enum tsql_class kind)
{
	switch (kind) {
	case TSQL_CLASS_NONE:
	case TSQL_CLASS_SENSITIVITY:
	case TSQL_CLASS_SIGNATURE:
	case TSQL_CLASS_MASTER_KEY:
	case TSQL_CLASS_SERVICE_MASTER_KEY:
	case TSQL_CLASS_DATABASE_KEY:
	case TSQL_CLASS_SERVER_CONFIGURATION:
	case TSQL_CLASS_DATABASE_CONFIGURATION:
	case TSQL_CLASS_RESOURCE_GOVERNOR:
		return false;
	default:
		return true;
	}
}

size_t tsql_ddl_read(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	bool several;

	if (walk->verb == TSQL_VERB_ALTER || walk->verb == TSQL_VERB_CREATE) {
		i = skip_modifiers(scan, i);
	}
	walk->kind = read_class(scan, &i);
	walk->statement = tsql_note_statement(scan, walk->verb, walk->kind);
	if (walk->kind == TSQL_CLASS_AUTHORIZATION && tsql_word_at(scan, i) == TSQL_W_ON) {
		i = read_classed(walk, i + 1);
		walk->kind = scan->work->statements[walk->statement].kind =
			TSQL_CLASS_AUTHORIZATION;
		return i;
	}
	i = skip_if_exists(scan, i);
	if (walk->kind == TSQL_CLASS_INDEX || walk->kind == TSQL_CLASS_TRIGGER) {
		i += tsql_word_at(scan, i) == TSQL_W_ALL ? 1 : 0;
	}
	several = walk->verb == TSQL_VERB_DROP || walk->verb == TSQL_VERB_DISABLE ||
		  walk->verb == TSQL_VERB_ENABLE;
	if (walk->kind == TSQL_CLASS_FULLTEXT_INDEX) {
		return read_on_table(walk, i);
	}
	if (has_name(walk->kind)) {
		i = read_names(walk, i, walk->kind, several);
	}
	return read_tail(walk, i);
}

/* Whether the list of permissions ends at i. */
static bool ends_permissions(const struct tsql_scan *scan, size_t i)
{
	enum tsql_word word = tsql_word_at(scan, i);

	return i >= scan->end || word == TSQL_W_ON || word == TSQL_W_TO || word == TSQL_W_FROM ||
	       tsql_mark_at(scan, i) == ';' || tsql_kind_at(scan, i) == TSQL_GO;
}

size_t tsql_grant_read(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;

	walk->statement = tsql_note_statement(scan, walk->verb, TSQL_CLASS_NONE);
	while (!ends_permissions(scan, i)) {
		i = tsql_mark_at(scan, i) == '(' ? tsql_behind(scan, i) : i + 1;
	}
	if (tsql_word_at(scan, i) == TSQL_W_ON) {
		i = read_classed(walk, i + 1);
	}
	if (tsql_mark_at(scan, i) == '(') {
		i = tsql_behind(scan, i); /* columns */
	}
	if (tsql_word_at(scan, i) == TSQL_W_TO || tsql_word_at(scan, i) == TSQL_W_FROM) {
		i = read_names(walk, i + 1, TSQL_CLASS_USER, true);
	}
	return i;
}
