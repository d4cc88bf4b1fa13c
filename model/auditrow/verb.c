#include "model/auditrow/auditrow.h"

#include "model/tsql/token.h"

struct entry {
	const char *word;
	const char *verb;
};

/* Audit actions that say by themselves what was done (sys.dm_audit_actions). */
static const struct entry actions[] = {
	{"SL", "SELECT"},
	{"IN", "INSERT"},
	{"UP", "UPDATE"},
	{"DL", "DELETE"},
	{"EX", "EXECUTE"},
	{"RF", "REFERENCES"},
	{"RC", "RECEIVE"},
	{"VW", "VIEW CHANGE TRACKING"},
	{"G", "GRANT"},
	{"GWG", "GRANT"},
	{"D", "DENY"},
	{"DWC", "DENY"},
	{"R", "REVOKE"},
	{"RWG", "REVOKE"},
	{"RWC", "REVOKE"},
	{"LGIS", "LOGIN"},
	{"LGIF", "LOGIN"},
	{"DBAS", "LOGIN"},
	{"DBAF", "LOGIN"},
	{"DAGS", "LOGIN"},
	{"DAGF", "LOGIN"},
	{"LGO", "LOGOUT"},
	{"DBL", "LOGOUT"},
	{"DAGL", "LOGOUT"},
	{"APRL", "ALTER ROLE"},
	{"DPRL", "ALTER ROLE"},
	{"ADDP", "ALTER ROLE"},
	{"ADSP", "ALTER SERVER ROLE"},
	{"DPSP", "ALTER SERVER ROLE"},
	{"IMP", "EXECUTE AS"},
	{"IMDP", "EXECUTE AS"},
	{"PWC", "ALTER LOGIN"},
	{"PWCS", "ALTER LOGIN"},
	{"PWR", "ALTER LOGIN"},
	{"PWRS", "ALTER LOGIN"},
	{"BA", "BACKUP"},
	{"BAL", "BACKUP"},
	{"RS", "RESTORE"},
	{"DBCC", "DBCC"},
	{"AUSC", "AUDIT"},
	{"AUSF", "AUDIT"},
	{"CNAU", "AUDIT"},
	{"UDAU", "AUDIT WRITE"},
	{"TO", "TAKE OWNERSHIP"},
	{"VSST", "VIEW STATE"},
	{"VDST", "VIEW STATE"},
	{"ADBO", "BULK INSERT"},
};

/* The same for actions whose object the text names. */
static const struct entry vague_actions[] = {{"CR", "CREATE"}, {"AL", "ALTER"}, {"DR", "DROP"}};

/* Words that begin a statement which does something. */
static const struct entry verbs[] = {
	{"SELECT", "SELECT"},
	{"INSERT", "INSERT"},
	{"UPDATE", "UPDATE"},
	{"DELETE", "DELETE"},
	{"MERGE", "MERGE"},
	{"EXEC", "EXECUTE"},
	{"EXECUTE", "EXECUTE"},
	{"TRUNCATE", "TRUNCATE TABLE"},
	{"CREATE", "CREATE"},
	{"ALTER", "ALTER"},
	{"DROP", "DROP"},
	{"GRANT", "GRANT"},
	{"DENY", "DENY"},
	{"REVOKE", "REVOKE"},
	{"BACKUP", "BACKUP"},
	{"RESTORE", "RESTORE"},
	{"BULK", "BULK INSERT"},
	{"DBCC", "DBCC"},
	{"KILL", "KILL"},
	{"SHUTDOWN", "SHUTDOWN"},
	{"RECONFIGURE", "RECONFIGURE"},
	{"RECEIVE", "RECEIVE"},
	{"READTEXT", "SELECT"},
	{"UPDATETEXT", "UPDATE"},
	{"WRITETEXT", "UPDATE"},
	{"ENABLE", "ALTER TRIGGER"},
	{"DISABLE", "ALTER TRIGGER"},
};

/* Words that begin a statement which only prepares, decides or ends: the verb of a batch that has nothing else. */
static const struct entry frames[] = {
	{"DECLARE", "DECLARE"},
	{"SET", "SET"},
	{"USE", "USE"},
	{"BEGIN", "BEGIN"},
	{"COMMIT", "COMMIT"},
	{"ROLLBACK", "ROLLBACK"},
	{"SAVE", "SAVE"},
	{"IF", "IF"},
	{"WHILE", "WHILE"},
	{"WITH", "WITH"},
	{"PRINT", "PRINT"},
	{"RAISERROR", "RAISERROR"},
	{"THROW", "THROW"},
	{"WAITFOR", "WAITFOR"},
	{"REVERT", "REVERT"},
	{"RETURN", "RETURN"},
	{"OPEN", "OPEN"},
	{"FETCH", "FETCH"},
	{"CLOSE", "CLOSE"},
	{"DEALLOCATE", "DEALLOCATE"},
	{"CHECKPOINT", "CHECKPOINT"},
	{"GOTO", "GOTO"},
	{"ELSE", "IF"},
	{"END", "BEGIN"},
	{"GO", "GO"},
};

struct object_kind {
	const char *word;
	const char *verb[3]; /* of CREATE, ALTER, DROP */
};

#define KIND(word, name)                                            \
	{                                                           \
		word,                                               \
		{                                                   \
			"CREATE " name, "ALTER " name, "DROP " name \
		}                                                   \
	}

static const struct object_kind object_kinds[] = {
	KIND("TABLE", "TABLE"),
	KIND("VIEW", "VIEW"),
	KIND("PROCEDURE", "PROCEDURE"),
	KIND("PROC", "PROCEDURE"),
	KIND("FUNCTION", "FUNCTION"),
	KIND("TRIGGER", "TRIGGER"),
	KIND("INDEX", "INDEX"),
	KIND("STATISTICS", "STATISTICS"),
	KIND("SCHEMA", "SCHEMA"),
	KIND("DATABASE", "DATABASE"),
	KIND("LOGIN", "LOGIN"),
	KIND("USER", "USER"),
	KIND("ROLE", "ROLE"),
	KIND("SEQUENCE", "SEQUENCE"),
	KIND("SYNONYM", "SYNONYM"),
	KIND("TYPE", "TYPE"),
	KIND("AUDIT", "AUDIT"),
	KIND("CERTIFICATE", "CERTIFICATE"),
	KIND("CREDENTIAL", "CREDENTIAL"),
	KIND("ASSEMBLY", "ASSEMBLY"),
	KIND("ENDPOINT", "ENDPOINT"),
	KIND("QUEUE", "QUEUE"),
	KIND("SERVICE", "SERVICE"),
	KIND("PARTITION", "PARTITION"),
	KIND("SECURITY", "SECURITY POLICY"),
};

/* Words that may stand between CREATE and the kind of object. */
static const char *const modifiers[] = {"OR",           "ALTER",       "UNIQUE",   "CLUSTERED",
					"NONCLUSTERED", "COLUMNSTORE", "SERVER",   "APPLICATION",
					"PRIMARY",      "SPATIAL",     "EXTERNAL", "XML"};

static const char *look_up(const struct entry *entries, size_t count, struct str word)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equal_fold(word, str_of(entries[i].word))) {
			return entries[i].verb;
		}
	}
	return NULL;
}

#define LOOK_UP(table, word) look_up(table, sizeof(table) / sizeof((table)[0]), word)

static bool is_modifier(const struct tsql_token *token)
{
	for (size_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++) {
		if (tsql_is_word(token, modifiers[i])) {
			return true;
		}
	}
	return false;
}

/* "CREATE TABLE" for the reader behind CREATE; the bare verb when the kind of object is not known. */
static const char *with_object(const char *verb, struct tsql_reader reader)
{
	size_t which = str_is(str_of(verb), "CREATE") ? 0 : str_is(str_of(verb), "ALTER") ? 1 : 2;
	struct tsql_token token;

	while (tsql_next_code(&reader, &token)) {
		if (is_modifier(&token)) {
			continue;
		}
		for (size_t i = 0; i < sizeof(object_kinds) / sizeof(object_kinds[0]); i++) {
			if (tsql_is_word(&token, object_kinds[i].word)) {
				return object_kinds[i].verb[which];
			}
		}
		break;
	}
	return verb;
}

/* Whether EXEC only changes who or for whom the session works, which is not what a batch is about. */
static bool is_frame_call(struct tsql_reader reader)
{
	struct tsql_token token;

	while (tsql_next_code(&reader, &token)) {
		if (tsql_is_word(&token, "sp_set_session_context") || tsql_is_word(&token, "AS")) {
			return true;
		}
		if (!tsql_is_word(&token, "sys") && !tsql_is_mark(&token, '.')) {
			return false;
		}
	}
	return false;
}

/* What a word that is a verb makes of what follows; NULL when the batch has to say more. */
static const char *refine(const char *verb, struct tsql_reader reader)
{
	struct str name = str_of(verb);
	struct tsql_token next;

	if (str_is(name, "EXECUTE")) {
		return is_frame_call(reader) ? NULL : verb;
	}
	if (str_is(name, "CREATE") || str_is(name, "ALTER") || str_is(name, "DROP")) {
		return with_object(verb, reader);
	}
	if (tsql_next_code(&reader, &next)) {
		if (str_is(name, "UPDATE") && tsql_is_word(&next, "STATISTICS")) {
			return "UPDATE STATISTICS";
		}
		if (str_is(name, "INSERT") && tsql_is_word(&next, "BULK")) {
			return "BULK INSERT";
		}
	}
	return verb;
}

static void count_depth(const struct tsql_token *token, size_t *depth)
{
	if (tsql_is_mark(token, '(')) {
		(*depth)++;
	} else if (tsql_is_mark(token, ')') && *depth > 0) {
		(*depth)--;
	}
}

/* The first verb outside parentheses: those of a DECLARE, SET or IF stand inside. */
static const char *verb_of_text(struct str statement)
{
	struct tsql_reader reader = tsql_reader(statement);
	struct tsql_token token;
	const char *fallback = "";
	size_t depth = 0;

	tsql_skip_parameters(&reader);
	while (tsql_next_code(&reader, &token)) {
		bool is_name = token.kind == TSQL_WORD || token.kind == TSQL_QUOTED;
		const char *verb = NULL;

		count_depth(&token, &depth);
		if (token.kind == TSQL_WORD && (depth == 0 || *fallback == '\0')) {
			verb = LOOK_UP(verbs, token.text);
		}
		if (verb != NULL) {
			const char *refined = refine(verb, reader);

			if (refined != NULL) {
				return refined;
			}
			fallback = *fallback == '\0' ? verb : fallback;
		} else if (is_name && *fallback == '\0') {
			fallback = token.kind == TSQL_WORD ? LOOK_UP(frames, token.text) : NULL;
			if (fallback == NULL) {
				return "EXECUTE"; /* a procedure that is called without EXEC */
			}
		}
	}
	return fallback;
}

const char *auditrow_verb(struct str action, struct str statement)
{
	const char *verb = LOOK_UP(actions, action);
	const char *vague = LOOK_UP(vague_actions, action);

	if (verb != NULL) {
		return verb;
	}
	verb = verb_of_text(statement);
	if (vague != NULL && !str_has_prefix(str_of(verb), str_of(vague))) {
		return vague;
	}
	return verb;
}
