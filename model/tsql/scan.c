#include "model/tsql/walk.h"

/* How a statement that begins with a word is read. */
enum manner {
	MANNER_QUERY, /* SELECT, INSERT, .. */
	MANNER_DDL,   /* verb, class, name */
	MANNER_GRANT,
	MANNER_EXEC,
	MANNER_NAMED,   /* verb, class, name that is read or written */
	MANNER_PLAIN,   /* only its expressions matter */
	MANNER_NOTHING, /* a word that structures the text: no statement of its own */
};

static const struct manners {
	enum tsql_word word;
	enum tsql_verb verb;
	enum manner manner;
} manners[] = {
	{TSQL_W_SELECT, TSQL_VERB_SELECT, MANNER_QUERY},
	{TSQL_W_INSERT, TSQL_VERB_INSERT, MANNER_QUERY},
	{TSQL_W_UPDATE, TSQL_VERB_UPDATE, MANNER_QUERY},
	{TSQL_W_DELETE, TSQL_VERB_DELETE, MANNER_QUERY},
	{TSQL_W_MERGE, TSQL_VERB_MERGE, MANNER_QUERY},
	{TSQL_W_WITH, TSQL_VERB_NONE, MANNER_QUERY},
	{TSQL_W_EXEC, TSQL_VERB_EXECUTE, MANNER_EXEC},
	{TSQL_W_EXECUTE, TSQL_VERB_EXECUTE, MANNER_EXEC},
	{TSQL_W_CALL, TSQL_VERB_EXECUTE, MANNER_EXEC},
	{TSQL_W_SET, TSQL_VERB_SET, MANNER_PLAIN},
	{TSQL_W_DECLARE, TSQL_VERB_DECLARE, MANNER_PLAIN},
	{TSQL_W_IF, TSQL_VERB_IF, MANNER_PLAIN},
	{TSQL_W_WHILE, TSQL_VERB_WHILE, MANNER_PLAIN},
	{TSQL_W_BEGIN, TSQL_VERB_TRANSACTION, MANNER_NOTHING},
	{TSQL_W_END, TSQL_VERB_NONE, MANNER_NOTHING},
	{TSQL_W_ELSE, TSQL_VERB_NONE, MANNER_NOTHING},
	{TSQL_W_CREATE, TSQL_VERB_CREATE, MANNER_DDL},
	{TSQL_W_ALTER, TSQL_VERB_ALTER, MANNER_DDL},
	{TSQL_W_DROP, TSQL_VERB_DROP, MANNER_DDL},
	{TSQL_W_ADD, TSQL_VERB_ADD, MANNER_DDL},
	{TSQL_W_ENABLE, TSQL_VERB_ENABLE, MANNER_DDL},
	{TSQL_W_DISABLE, TSQL_VERB_DISABLE, MANNER_DDL},
	{TSQL_W_TRUNCATE, TSQL_VERB_TRUNCATE, MANNER_DDL},
	{TSQL_W_BACKUP, TSQL_VERB_BACKUP, MANNER_DDL},
	{TSQL_W_RESTORE, TSQL_VERB_RESTORE, MANNER_DDL},
	{TSQL_W_GRANT, TSQL_VERB_GRANT, MANNER_GRANT},
	{TSQL_W_REVOKE, TSQL_VERB_REVOKE, MANNER_GRANT},
	{TSQL_W_DENY, TSQL_VERB_DENY, MANNER_GRANT},
	{TSQL_W_BULK, TSQL_VERB_BULK_INSERT, MANNER_NAMED},
	{TSQL_W_USE, TSQL_VERB_USE, MANNER_PLAIN},
	{TSQL_W_DBCC, TSQL_VERB_DBCC, MANNER_PLAIN},
	{TSQL_W_SHUTDOWN, TSQL_VERB_SHUTDOWN, MANNER_PLAIN},
	{TSQL_W_KILL, TSQL_VERB_KILL, MANNER_PLAIN},
	{TSQL_W_WAITFOR, TSQL_VERB_WAITFOR, MANNER_PLAIN},
	{TSQL_W_RECONFIGURE, TSQL_VERB_RECONFIGURE, MANNER_PLAIN},
	{TSQL_W_REVERT, TSQL_VERB_REVERT, MANNER_PLAIN},
	{TSQL_W_COMMIT, TSQL_VERB_TRANSACTION, MANNER_PLAIN},
	{TSQL_W_ROLLBACK, TSQL_VERB_TRANSACTION, MANNER_PLAIN},
	{TSQL_W_SAVE, TSQL_VERB_TRANSACTION, MANNER_PLAIN},
	{TSQL_W_PRINT, TSQL_VERB_PRINT, MANNER_PLAIN},
	{TSQL_W_RAISERROR, TSQL_VERB_RAISERROR, MANNER_PLAIN},
	{TSQL_W_THROW, TSQL_VERB_RAISERROR, MANNER_PLAIN},
	{TSQL_W_RETURN, TSQL_VERB_RETURN, MANNER_PLAIN},
	{TSQL_W_GOTO, TSQL_VERB_GOTO, MANNER_PLAIN},
	{TSQL_W_BREAK, TSQL_VERB_GOTO, MANNER_PLAIN},
	{TSQL_W_CONTINUE, TSQL_VERB_GOTO, MANNER_PLAIN},
	{TSQL_W_OPEN, TSQL_VERB_CURSOR, MANNER_PLAIN},
	{TSQL_W_CLOSE, TSQL_VERB_CURSOR, MANNER_PLAIN},
	{TSQL_W_FETCH, TSQL_VERB_CURSOR, MANNER_PLAIN},
	{TSQL_W_DEALLOCATE, TSQL_VERB_CURSOR, MANNER_PLAIN},
	{TSQL_W_RECEIVE, TSQL_VERB_RECEIVE, MANNER_PLAIN},
	{TSQL_W_SEND, TSQL_VERB_SEND, MANNER_PLAIN},
	{TSQL_W_CHECKPOINT, TSQL_VERB_CHECKPOINT, MANNER_PLAIN},
	{TSQL_W_READTEXT, TSQL_VERB_TEXT, MANNER_PLAIN},
	{TSQL_W_WRITETEXT, TSQL_VERB_TEXT, MANNER_PLAIN},
	{TSQL_W_UPDATETEXT, TSQL_VERB_TEXT, MANNER_PLAIN},
};

static const struct manners *find_manner(enum tsql_word word)
{
	for (size_t i = 0; word != TSQL_W_NONE && i < sizeof(manners) / sizeof(manners[0]); i++) {
		if (manners[i].word == word) {
			return &manners[i];
		}
	}
	return NULL;
}

/* Begins a statement in the first level; what the one before left is gone. */
static void begin(struct tsql_walk *walk, size_t i, enum tsql_level_kind kind)
{
	struct tsql_work *work = walk->scan->work;

	walk->begin = i;
	walk->depth = 0;
	work->levels[0] = (struct tsql_level){.kind = kind, .first_object = -1};
	work->alias_count = 0;
	work->cte_count = 0;
	work->call_count = 0;
}

/* UPDATE STATISTICS and INSERT BULK begin like others; the piece from which to go on, or i. */
static size_t read_disguised(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_name name;
	size_t next;

	if (walk->verb == TSQL_VERB_UPDATE && tsql_word_at(scan, i + 1) == TSQL_W_STATISTICS) {
		walk->statement =
			tsql_note_statement(scan, TSQL_VERB_UPDATE, TSQL_CLASS_STATISTICS);
		next = tsql_name_read(scan, i + 2, &name);
		if (next != i + 2) {
			(void)tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_ALTERED);
		}
		return next;
	}
	if ((walk->verb == TSQL_VERB_INSERT && tsql_word_at(scan, i + 1) == TSQL_W_BULK) ||
	    (walk->verb == TSQL_VERB_BULK_INSERT && tsql_word_at(scan, i + 1) == TSQL_W_INSERT)) {
		walk->verb = TSQL_VERB_BULK_INSERT;
		walk->statement = tsql_note_statement(scan, walk->verb, TSQL_CLASS_TABLE);
		next = tsql_name_read(scan, i + 2, &name);
		if (next != i + 2) {
			(void)tsql_note_object(scan, &name, TSQL_CLASS_TABLE, TSQL_WRITE);
		}
		return next;
	}
	return i;
}

static size_t read_query(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	size_t next = read_disguised(walk, i);

	if (next != i) {
		return next;
	}
	tsql_level_of(walk)->kind = LEVEL_QUERY;
	walk->statement = tsql_note_statement(scan, walk->verb, TSQL_CLASS_NONE);
	if (walk->verb != TSQL_VERB_NONE) {
		return tsql_query_begin(walk, i + 1, walk->verb);
	}
	next = i + 1;
	if (tsql_mark_at(scan, next + 1) == '(' &&
	    (tsql_word_at(scan, next) == TSQL_W_XMLNAMESPACES ||
	     tsql_word_at(scan, next) == TSQL_W_CHANGE_TRACKING_CONTEXT)) {
		next = tsql_behind(scan, next + 1);
		if (tsql_mark_at(scan, next) != ',') {
			return next;
		}
		next++;
	}
	return tsql_cte_read(walk, next);
}

static size_t read_exec(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;

	if (tsql_word_at(scan, i + 1) == TSQL_W_AS) {
		walk->verb = TSQL_VERB_EXECUTE_AS;
		walk->statement = tsql_note_statement(scan, walk->verb, TSQL_CLASS_NONE);
		tsql_note_flags(scan, TSQL_EXECUTE_AS);
		return i + 2;
	}
	walk->statement = tsql_note_statement(scan, TSQL_VERB_EXECUTE, TSQL_CLASS_NONE);
	return tsql_exec_read(walk, i + 1);
}

static size_t read_plain(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	enum tsql_word next = tsql_word_at(scan, i + 1);

	walk->statement = tsql_note_statement(scan, walk->verb, TSQL_CLASS_NONE);
	if (walk->verb == TSQL_VERB_WAITFOR && (next == TSQL_W_DELAY || next == TSQL_W_TIME)) {
		tsql_note_flags(scan, TSQL_WAITFOR_DELAY);
	}
	if (walk->verb == TSQL_VERB_DECLARE || walk->verb == TSQL_VERB_RECEIVE) {
		tsql_level_of(walk)->kind = LEVEL_QUERY; /* a cursor's SELECT, a queue */
	}
	return i + 1;
}

/* BEGIN, ELSE, END: passes over the word and what belongs to it. Returns i when it begins a statement after all. */
static size_t skip_structure(const struct tsql_scan *scan, size_t i)
{
	enum tsql_word next = tsql_word_at(scan, i + 1);

	if (next == TSQL_W_TRY || next == TSQL_W_CATCH) {
		return i + 2;
	}
	if (tsql_word_at(scan, i) == TSQL_W_BEGIN) {
		if (next == TSQL_W_TRAN || next == TSQL_W_TRANSACTION || next == TSQL_W_DIALOG ||
		    next == TSQL_W_CONVERSATION) {
			return i;
		}
		if (str_equal_fold(tsql_text_at(scan, i + 1), STR_LIT("DISTRIBUTED"))) {
			return i;
		}
		if (next == TSQL_W_ATOMIC) { /* BEGIN ATOMIC WITH (..) */
			return tsql_mark_at(scan, i + 3) == '(' ? tsql_behind(scan, i + 3) : i + 2;
		}
	}
	return i + 1;
}

/* Reads the head of the statement at i; the piece from which to walk. */
static size_t read_head(struct tsql_walk *walk, size_t i, enum manner manner)
{
	switch (manner) {
	case MANNER_QUERY:
		return read_query(walk, i);
	case MANNER_DDL:
		return tsql_ddl_read(walk, i + 1);
	case MANNER_GRANT:
		return tsql_grant_read(walk, i + 1);
	case MANNER_EXEC:
		return read_exec(walk, i);
	case MANNER_NAMED:
		return read_disguised(walk, i);
	case MANNER_PLAIN:
	case MANNER_NOTHING:
		break;
	}
	return read_plain(walk, i);
}

/* Whether a word that is not reserved begins a statement here. */
static bool is_really(const struct tsql_scan *scan, size_t i)
{
	enum tsql_word next = tsql_word_at(scan, i + 1);

	switch (tsql_word_at(scan, i)) {
	case TSQL_W_ENABLE:
	case TSQL_W_DISABLE:
		return next == TSQL_W_TRIGGER;
	case TSQL_W_ADD:
		return next == TSQL_W_SENSITIVITY || next == TSQL_W_SIGNATURE;
	case TSQL_W_CALL:
		return tsql_mark_at(scan, i - 1) == '{' || tsql_mark_at(scan, i - 1) == '=';
	default:
		return true;
	}
}

/* A procedure that is called without EXEC: only as the first of a batch. */
static size_t read_bare_call(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	struct tsql_name name;

	if (tsql_name_read(scan, i, &name) == i || tsql_mark_at(scan, i + 1) == ':') {
		return i;
	}
	walk->verb = TSQL_VERB_EXECUTE;
	walk->statement = tsql_note_statement(scan, walk->verb, TSQL_CLASS_NONE);
	return tsql_exec_read(walk, i);
}

/* Whether i is the first piece of a batch. */
static bool is_first(const struct tsql_scan *scan, size_t i)
{
	return i == scan->begin || tsql_kind_at(scan, i - 1) == TSQL_GO ||
	       (tsql_kind_at(scan, i - 1) == TSQL_NUMBER && tsql_kind_at(scan, i - 2) == TSQL_GO);
}

/* Reads one statement at i; returns the piece behind it, which is not i. */
static size_t read_statement(struct tsql_scan *scan, size_t i, bool first)
{
	const struct manners *found = find_manner(tsql_word_at(scan, i));
	struct tsql_walk walk = {.scan = scan};
	size_t next = i;

	begin(&walk, i, LEVEL_PLAIN);
	if (found != NULL && found->manner == MANNER_NOTHING) {
		next = skip_structure(scan, i);
		if (next != i) {
			return next;
		}
	}
	if (found != NULL && is_really(scan, i)) {
		walk.verb = found->verb;
		next = read_head(&walk, i, found->manner);
	} else if (first) {
		next = read_bare_call(&walk, i);
	}
	if (next == i) { /* nothing that begins a statement */
		return i + 1;
	}
	return tsql_walk(&walk, next);
}

/* The first piece behind the server's list of parameters, or i: (@a int,@b nvarchar(40))SELECT .. */
static size_t skip_parameters(const struct tsql_scan *scan, size_t i)
{
	return tsql_mark_at(scan, i) == '(' && tsql_kind_at(scan, i + 1) == TSQL_VARIABLE
		       ? tsql_behind(scan, i)
		       : i;
}

static void run_text(struct tsql_scan *outer, size_t which)
{
	struct tsql_work *work = outer->work;
	const struct tsql_inner *inner = &work->inner[which];
	struct str server = work->inner_servers[which];
	size_t piece_count = work->piece_count;
	size_t variable_count = work->variable_count;
	struct tsql_scan scan = {
		.work = work,
		.text = inner->text,
		.origin = {.via = inner->via,
			   .depth = outer->origin.depth + 1,
			   .defined = outer->origin.defined,
			   .server = server.len > 0 ? server : outer->origin.server},
		.variable_base = variable_count,
	};

	if (scan.origin.depth > TSQL_DEPTH_MAX) {
		tsql_note_flags(outer, TSQL_TRUNCATED);
		return;
	}
	tsql_pieces_read(&scan);
	tsql_scan_run(&scan);
	work->piece_count = piece_count;
	work->variable_count = variable_count;
}

void tsql_scan_run(struct tsql_scan *scan)
{
	struct tsql_work *work = scan->work;
	size_t i = skip_parameters(scan, scan->begin);
	bool first = true;

	while (i < scan->end && !work->no_memory) {
		size_t inner = work->inner_count;
		size_t inner_end;

		if (tsql_kind_at(scan, i) == TSQL_GO) {
			scan->origin.defined = scan->origin.defined && scan->origin.depth > 0;
			i += tsql_kind_at(scan, i + 1) == TSQL_NUMBER ? 2 : 1;
			first = true;
			continue;
		}
		i = read_statement(scan, i, first || is_first(scan, i));
		first = false;
		inner_end = work->inner_count;
		for (; inner < inner_end; inner++) {
			if (work->inner[inner].via != TSQL_DIRECT) {
				run_text(scan, inner);
			}
		}
	}
	if (scan->origin.depth == 0) {
		tsql_sign_text(scan);
	}
}
