#include "model/tsql/walk.h"

static bool is_one_of(enum tsql_word word, const enum tsql_word *words)
{
	for (; *words != TSQL_W_NONE; words++) {
		if (*words == word) {
			return true;
		}
	}
	return false;
}

/* Whether the verb at i says what a foreign key does, ON DELETE CASCADE: SET NOCOUNT ON DELETE t is two statements. */
static bool is_reaction(const struct tsql_scan *scan, size_t i)
{
	enum tsql_word word = tsql_word_at(scan, i);
	enum tsql_word next = tsql_word_at(scan, i + 1);

	return tsql_word_at(scan, i - 1) == TSQL_W_ON &&
	       (word == TSQL_W_DELETE || word == TSQL_W_UPDATE) &&
	       (next == TSQL_W_NO || next == TSQL_W_SET ||
		str_equal_fold(tsql_text_at(scan, i + 1), STR_LIT("CASCADE")));
}

/* Words behind which a verb goes on with a statement. */
static bool goes_on_behind(enum tsql_word word, enum tsql_word previous)
{
	static const enum tsql_word before_select[] = {TSQL_W_UNION,     TSQL_W_ALL, TSQL_W_EXCEPT,
						       TSQL_W_INTERSECT, TSQL_W_FOR, TSQL_W_NONE};
	static const enum tsql_word before_change[] = {TSQL_W_FOR, TSQL_W_AFTER, TSQL_W_OF,
						       TSQL_W_NONE};
	static const enum tsql_word before_merge[] = {TSQL_W_INNER, TSQL_W_LEFT,  TSQL_W_RIGHT,
						      TSQL_W_FULL,  TSQL_W_OUTER, TSQL_W_NONE};
	static const enum tsql_word before_fetch[] = {TSQL_W_ROWS, TSQL_W_ROW, TSQL_W_NONE};
	static const enum tsql_word before_set[] = {TSQL_W_UPDATE, TSQL_W_DELETE, TSQL_W_NONE};

	switch (word) {
	case TSQL_W_SELECT:
		return is_one_of(previous, before_select);
	case TSQL_W_INSERT:
	case TSQL_W_UPDATE:
	case TSQL_W_DELETE:
		return is_one_of(previous, before_change);
	case TSQL_W_MERGE:
		return is_one_of(previous, before_merge);
	case TSQL_W_FETCH:
		return is_one_of(previous, before_fetch);
	case TSQL_W_SET:
		return is_one_of(previous, before_set);
	case TSQL_W_EXEC:
	case TSQL_W_EXECUTE:
	case TSQL_W_GRANT:
		return previous == TSQL_W_WITH;
	default:
		return false;
	}
}

/* Whether a verb goes on with a query: INSERT .. SELECT, MERGE .. THEN UPDATE, WITH .. DELETE. */
static bool goes_on_query(const struct tsql_walk *walk, size_t i, enum tsql_word word)
{
	const struct tsql_level *level = tsql_level_of(walk);
	enum tsql_word previous = tsql_word_at(walk->scan, i - 1);
	bool is_change = word == TSQL_W_INSERT || word == TSQL_W_UPDATE || word == TSQL_W_DELETE;

	switch (walk->verb) {
	case TSQL_VERB_NONE: /* WITH .. */
		return word == TSQL_W_SELECT || word == TSQL_W_MERGE || is_change;
	case TSQL_VERB_INSERT:
		return (word == TSQL_W_SELECT && !walk->has_select) ||
		       ((word == TSQL_W_EXEC || word == TSQL_W_EXECUTE) && !walk->has_call &&
			!walk->has_select);
	case TSQL_VERB_UPDATE:
		return word == TSQL_W_SET && level->clause == CLAUSE_TARGET;
	case TSQL_VERB_MERGE:
		return is_change && previous == TSQL_W_THEN;
	case TSQL_VERB_IF:
	case TSQL_VERB_WHILE:
		return word == TSQL_W_UPDATE && tsql_mark_at(walk->scan, i + 1) == '(';
	default:
		return false;
	}
}

/* Whether a verb goes on with ALTER or CREATE: ALTER TABLE t DROP COLUMN .. */
static bool goes_on_change(const struct tsql_walk *walk, size_t i, enum tsql_word word)
{
	enum tsql_word next = tsql_word_at(walk->scan, i + 1);
	static const enum tsql_word parts[] = {
		TSQL_W_COLUMN, TSQL_W_CONSTRAINT, TSQL_W_MEMBER, TSQL_W_PERIOD,     TSQL_W_IF,
		TSQL_W_FILTER, TSQL_W_BLOCK,      TSQL_W_FILE,   TSQL_W_CREDENTIAL, TSQL_W_NONE};

	if (walk->verb != TSQL_VERB_ALTER && walk->verb != TSQL_VERB_CREATE &&
	    walk->verb != TSQL_VERB_DROP) {
		return false;
	}
	switch (word) {
	case TSQL_W_SET:
		return tsql_kind_at(walk->scan, i + 1) != TSQL_VARIABLE;
	case TSQL_W_ALTER:
	case TSQL_W_DROP:
		return is_one_of(next, parts) || tsql_mark_at(walk->scan, i + 1) == '(' ||
		       (next == TSQL_W_NONE && word == TSQL_W_DROP);
	case TSQL_W_IF:
		return next == TSQL_W_EXISTS && tsql_mark_at(walk->scan, i + 2) != '(';
	default:
		return false;
	}
}

bool tsql_border(const struct tsql_walk *walk, size_t i)
{
	const struct tsql_scan *scan = walk->scan;
	const struct tsql_level *level = tsql_level_of(walk);
	enum tsql_word word = tsql_word_at(scan, i);
	enum tsql_word previous = tsql_word_at(scan, i - 1);

	if (tsql_kind_at(scan, i) == TSQL_GO || tsql_mark_at(scan, i) == ';') {
		return true;
	}
	if (walk->depth > 0 || walk->overflow > 0 || level->case_depth > 0 ||
	    (tsql_word_properties(word) & TSQL_WORD_STARTS) == 0 || word == TSQL_W_WITH ||
	    i == walk->begin) {
		return false;
	}
	if (tsql_mark_at(scan, i - 1) == '.' || tsql_mark_at(scan, i + 1) == '.' ||
	    previous == TSQL_W_AS) {
		return false;
	}
	return !goes_on_behind(word, previous) && !is_reaction(scan, i) &&
	       !goes_on_query(walk, i, word) && !goes_on_change(walk, i, word);
}
