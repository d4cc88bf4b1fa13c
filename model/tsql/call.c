#include "model/tsql/walk.h"

#define ARGUMENTS_MAX 64 /* that are looked at for a text */

/* Procedures that run a text: which argument it is, by place (-1: only by name) and by name. */
static const struct runner {
	const char *name;
	int place;
	const char *argument;
	enum tsql_via via;
} runners[] = {
	{"sp_executesql", 0, "@stmt", TSQL_SP_EXECUTESQL},
	{"sp_prepare", 2, "@stmt", TSQL_PREPARED},
	{"sp_prepexec", 2, "@stmt", TSQL_PREPARED},
	{"sp_prepexecrpc", 1, "@stmt", TSQL_PREPARED},
	{"sp_cursoropen", 1, "@stmt", TSQL_PREPARED},
	{"sp_cursorprepare", 2, "@stmt", TSQL_PREPARED},
	{"sp_cursorprepexec", 3, "@stmt", TSQL_PREPARED},
	{"sp_sqlexec", 0, "@p1", TSQL_EXEC_STRING},
	{"sp_MSforeachdb", 0, "@command1", TSQL_EXEC_STRING},
	{"sp_MSforeachtable", 0, "@command1", TSQL_EXEC_STRING},
	{"sp_execute_remote", 1, "@stmt", TSQL_EXEC_AT},
	{"xp_execresultset", 0, "@cmd", TSQL_EXEC_STRING},
	{"sp_add_jobstep", -1, "@command", TSQL_EXEC_STRING},
	{"sp_send_dbmail", -1, "@query", TSQL_EXEC_STRING},
};

static const struct runner *find_runner(struct str name)
{
	for (size_t i = 0; i < sizeof(runners) / sizeof(runners[0]); i++) {
		if (str_equal_fold(name, str_of(runners[i].name))) {
			return &runners[i];
		}
	}
	return NULL;
}

/* Notes the text at piece i, as far as it is known. Returns the piece behind it. */
static size_t take_text(struct tsql_walk *walk, size_t i, enum tsql_via via, struct str server)
{
	struct tsql_folded folded;

	tsql_note_flags(walk->scan, TSQL_DYNAMIC_SQL);
	walk->scan->work->from_values = true;
	if (!tsql_fold(walk->scan, i, &folded)) {
		tsql_note_flags(walk->scan, TSQL_UNKNOWN_DYNAMIC);
		return i;
	}
	walk->fold_end = folded.next;
	if (folded.unknown) {
		tsql_note_flags(walk->scan, TSQL_UNKNOWN_DYNAMIC);
	}
	if (folded.changed) {
		tsql_note_flags(walk->scan, TSQL_FOLDED);
	}
	if (folded.char_count >= 3) {
		tsql_note_flags(walk->scan, TSQL_CHAR_BUILDING);
	}
	if (folded.text.len > 0) {
		/* a variable alone tells nothing */
		bool alone = folded.unknown && folded.text.ptr[0] == '@' &&
			     str_find_byte(folded.text, ' ', 0) < 0;

		if (!alone) {
			tsql_note_inner(walk->scan,
					(struct tsql_inner){.text = folded.text,
							    .via = via,
							    .folded = folded.changed},
					server);
		}
	}
	return folded.next;
}

/* Whether arguments end at i. */
static bool is_end(const struct tsql_scan *scan, size_t i)
{
	enum tsql_kind kind = tsql_kind_at(scan, i);

	return i >= scan->end || kind == TSQL_GO || tsql_mark_at(scan, i) == ';' ||
	       (kind == TSQL_WORD &&
		(tsql_word_properties(tsql_word_at(scan, i)) & TSQL_WORD_STARTS) != 0);
}

/* Finds the text among the arguments at i. */
static void take_argument(struct tsql_walk *walk, size_t i, const struct runner *runner)
{
	const struct tsql_scan *scan = walk->scan;

	for (int place = 0; place < ARGUMENTS_MAX && !is_end(scan, i); place++) {
		bool is_it = place == runner->place;

		if (tsql_kind_at(scan, i) == TSQL_VARIABLE && tsql_mark_at(scan, i + 1) == '=') {
			struct str name = tsql_text_at(scan, i);

			is_it = str_equal_fold(name, str_of(runner->argument)) ||
				(runner->place == 0 && str_equal_fold(name, STR_LIT("@statement")));
			i += 2;
		}
		if (is_it) {
			(void)take_text(walk, i, runner->via, str_make(NULL, 0)); /* only noted */
			return;
		}
		while (!is_end(scan, i) && tsql_mark_at(scan, i) != ',') {
			i = tsql_mark_at(scan, i) == '(' ? tsql_behind(scan, i) : i + 1;
		}
		i++;
	}
}

/* EXEC (..) [AS ..] [AT server]; i is the "(". */
static size_t exec_string(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	size_t next = tsql_behind(scan, i);
	struct tsql_name server = {.object = {NULL, 0}};
	enum tsql_via via = TSQL_EXEC_STRING;

	if (tsql_word_at(scan, next) == TSQL_W_AS) {
		next += 2; /* AS USER = 'name' */
		next += tsql_mark_at(scan, next) == '=' ? 2 : 0;
		tsql_note_flags(scan, TSQL_EXECUTE_AS);
	}
	if (tsql_word_at(scan, next) == TSQL_W_AT) {
		next = tsql_name_read(scan, next + 1, &server);
		via = TSQL_EXEC_AT;
		tsql_note_flags(scan, TSQL_LINKED_SERVER);
	}
	(void)take_text(walk, i + 1, via,
			server.object); /* what is behind the text is passed over */
	return next;
}

/* EXEC @name: the name of the procedure, or a text, when the variable's value is known. */
static size_t exec_variable(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	const struct tsql_variable *variable = tsql_variable_find(scan, tsql_text_at(scan, i));
	struct tsql_name name = {.object = {NULL, 0}};
	struct str rest;

	tsql_note_flags(scan, TSQL_DYNAMIC_SQL);
	scan->work->from_values = true;
	if (variable == NULL || variable->value.ptr == NULL) {
		tsql_note_flags(scan, TSQL_UNKNOWN_DYNAMIC);
		return i + 1;
	}
	for (rest = str_trim(variable->value); rest.ptr != NULL;) {
		struct str part = str_trim(str_split(&rest, '.'));

		if (part.len > 1 && (part.ptr[0] == '[' || part.ptr[0] == '"')) {
			part = str_slice(part, 1, part.len - 2);
		}
		name.server = name.database;
		name.database = name.schema;
		name.schema = name.object;
		name.object = part;
	}
	(void)tsql_note_object(scan, &name, TSQL_CLASS_PROCEDURE, TSQL_EXECUTED);
	return i + 1;
}

size_t tsql_exec_read(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	const struct runner *runner;
	struct tsql_name name;
	size_t next;

	if (tsql_mark_at(scan, i) == '(') {
		return exec_string(walk, i);
	}
	if (tsql_kind_at(scan, i) == TSQL_VARIABLE && tsql_mark_at(scan, i + 1) == '=') {
		i += 2;
	}
	if (tsql_kind_at(scan, i) == TSQL_VARIABLE) {
		return exec_variable(walk, i);
	}
	next = tsql_name_read(scan, i, &name);
	if (next == i) {
		return i;
	}
	(void)tsql_note_object(scan, &name, TSQL_CLASS_PROCEDURE, TSQL_EXECUTED);
	runner = find_runner(name.object);
	if (runner != NULL) {
		take_argument(walk, next, runner);
	}
	return next;
}

/* The piece behind the next comma at or behind i, within parentheses that end at end; end when there is none. */
static size_t behind_comma(const struct tsql_scan *scan, size_t i, size_t end)
{
	while (i < end && tsql_mark_at(scan, i) != ',') {
		i = tsql_mark_at(scan, i) == '(' ? tsql_behind(scan, i) : i + 1;
	}
	return i < end ? i + 1 : end;
}

void tsql_rowset_read(struct tsql_walk *walk, size_t i)
{
	struct tsql_scan *scan = walk->scan;
	enum tsql_word word = tsql_word_at(scan, i);
	struct tsql_name function = {.object = tsql_text_at(scan, i)};
	struct tsql_name server = {.object = {NULL, 0}};
	size_t end = tsql_behind(scan, i + 1) - 1;
	size_t argument = i + 2;

	if (word == TSQL_W_OPENXML) {
		return;
	}
	if (word == TSQL_W_OPENQUERY) {
		(void)tsql_name_read(scan, argument, &server); /* none: the name stays empty */
		function.server = server.object;
	}
	(void)tsql_note_object(scan, &function, TSQL_CLASS_ROWSET, TSQL_EXECUTED);
	if (tsql_word_at(scan, argument) == TSQL_W_BULK) {
		return;
	}
	tsql_note_flags(scan, TSQL_LINKED_SERVER);
	argument = behind_comma(scan, argument, end);
	if (word == TSQL_W_OPENROWSET) {
		argument = behind_comma(scan, argument, end);
	}
	if (word != TSQL_W_OPENDATASOURCE && tsql_kind_at(scan, argument) == TSQL_STRING) {
		(void)take_text(walk, argument,
				word == TSQL_W_OPENQUERY ? TSQL_OPENQUERY : TSQL_OPENROWSET,
				server.object); /* only noted */
	}
}
