#include "query/word.h"

#include "base/str.h"

#include <assert.h>

#define S(name)                              \
	{                                    \
		SIDE_STATEMENT, FIELD_##name \
	}
#define R(name)                            \
	{                                  \
		SIDE_REQUEST, FIELD_##name \
	}

/* Words that are no single field of one kind, or that read their value in their own way. */
static const struct word specials[] = {
	{"time", WORD_TIME, "when the statement ran", {{SIDE_STATEMENT, PART_TIME}}, 1},
	{"request_time", WORD_TIME, "when the request came in", {{SIDE_REQUEST, PART_TIME}}, 1},
	{"source",
	 WORD_TEXT,
	 "the source of the statement or of the request",
	 {{SIDE_STATEMENT, PART_SOURCE}, {SIDE_REQUEST, PART_SOURCE}},
	 2},
	{"leaf", WORD_NUMBER, "the statement's leaf number", {{SIDE_STATEMENT, PART_LEAF}}, 1},
	{"grade",
	 WORD_GRADE,
	 "how sure the attribution is: A B C D U1 U2 X or pending; AB is A or B",
	 {{SIDE_VERDICT, FIELD_grade}},
	 1},
	{"table", WORD_TABLE, "schema.object, or the object alone", {S(table), S(object)}, 2},
	{"ip",
	 WORD_TEXT,
	 "address of the caller or of the database client",
	 {R(source_ip), S(client_ip)},
	 2},
	{"id",
	 WORD_TEXT,
	 "any id of the request or the statement",
	 {R(request_id), R(extended_request_id), R(lambda_request_id), R(trace_id), S(statement_id),
	  S(connection_id)},
	 6},
	{"login",
	 WORD_TEXT,
	 "principal or session_principal",
	 {S(principal), S(session_principal)},
	 2},
};

static const struct word free_text = {
	"text",
	WORD_CONTAINS,
	"text without a word: looked for in all of these",
	{S(statement), S(table), S(object), S(database), S(server), S(principal), S(db_user),
	 S(application), S(host), R(path), R(route), R(user), R(source_ip), R(user_agent), R(api),
	 R(error)},
	16,
};

static const struct alias {
	const char *name;
	const char *word;
} aliases[] = {
	{"agent", "user_agent"},
	{"app", "application"},
	{"at", "time"},
	{"connection", "connection_id"},
	{"db", "database"},
	{"duration", "duration_ms"},
	{"event_time", "time"},
	{"latency", "latency_ms"},
	{"ok", "succeeded"},
	{"request", "request_id"},
	{"role", "db_user"},
	{"session", "session_id"},
	{"sql", "statement"},
	{"statement_time", "time"},
	{"stmt", "statement"},
	{"trace", "trace_id"},
	{"transaction", "transaction_id"},
	{"who", "user"},
};

/* Long texts, where the whole value is never asked for. */
static bool is_long_text(unsigned field)
{
	switch (field) {
	case FIELD_raw:
	case FIELD_extra:
	case FIELD_reason:
	case FIELD_user_agent:
	case FIELD_error:
	case FIELD_statement:
	case FIELD_additional_information:
	case FIELD_user_defined_information:
	case FIELD_session_context:
		return true;
	default:
		return false;
	}
}

static enum word_type type_of_field(unsigned field)
{
	const struct field_info *info = field_info(field);
	switch (info->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		return is_long_text(field) ? WORD_CONTAINS : WORD_TEXT;
	case FIELD_TYPE_INT:
		return strcmp(info->unit, "ms") == 0 ? WORD_MS : WORD_NUMBER;
	case FIELD_TYPE_TIME:
		return WORD_TIME;
	case FIELD_TYPE_BOOL:
		return WORD_BOOL;
	}
	return WORD_TEXT;
}

static bool word_of_field(unsigned field, struct word *out_word)
{
	const struct field_info *info = field_info(field);
	struct word word = {info->name, type_of_field(field), info->help, {{0}}, 0};
	if ((info->kinds >> RECORD_STATEMENT & 1) != 0) {
		word.place[word.place_count++] = (struct place){SIDE_STATEMENT, field};
	}
	if ((info->kinds >> RECORD_REQUEST & 1) != 0) {
		word.place[word.place_count++] = (struct place){SIDE_REQUEST, field};
	}
	if (word.place_count == 0 && (info->kinds >> RECORD_VERDICT & 1) != 0) {
		word.place[word.place_count++] = (struct place){SIDE_VERDICT, field};
	}
	if (word.place_count == 0) {
		return false;
	}
	*out_word = word;
	return true;
}

static const char *unalias(struct str name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (str_equal_fold(name, str_of(aliases[i].name))) {
			return aliases[i].word;
		}
	}
	return NULL;
}

bool word_find(struct str name, struct word *out_word)
{
	const char *full = unalias(name);
	if (full != NULL) {
		name = str_of(full);
	}
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		if (str_equal_fold(name, str_of(specials[i].name))) {
			*out_word = specials[i];
			return true;
		}
	}
	if (str_equal_fold(name, str_of(free_text.name))) {
		*out_word = free_text;
		return true;
	}
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const char *field_name = field_info(field)->name;
		if (field_name != NULL && str_equal_fold(name, str_of(field_name))) {
			return word_of_field(field, out_word);
		}
	}
	return false;
}

struct word word_free_text(void)
{
	return free_text;
}

const char *word_refusal(struct str name)
{
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const char *field_name = field_info(field)->name;
		if (field_name != NULL && str_equal_fold(name, str_of(field_name))) {
			return "is not a field of requests, statements or verdicts";
		}
	}
	return NULL;
}

const char *word_nearest(struct str name)
{
	const char *names[FIELD_LIMIT + 64];
	size_t count = 0;
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		names[count++] = specials[i].name;
	}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		names[count++] = aliases[i].name;
	}
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		struct word word;
		if (field_info(field)->name != NULL && word_of_field(field, &word)) {
			names[count++] = word.name;
		}
	}
	names[count++] = free_text.name;
	assert(count <= sizeof(names) / sizeof(names[0]));
	return str_nearest(name, names, count);
}

static void put_help_line(struct buf *out, const char *name, const char *help)
{
	buf_putf(out, "  %-23s %s", name, help);
	const char *separator = " (short: ";
	bool any = false;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(aliases[i].word, name) == 0) {
			buf_putf(out, "%s%s", separator, aliases[i].name);
			separator = ", ";
			any = true;
		}
	}
	buf_put_text(out, any ? ")\n" : "\n");
}

void word_put_help(struct buf *out)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		put_help_line(out, specials[i].name, specials[i].help);
	}
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		struct word word;
		if (field == FIELD_grade || field == FIELD_table ||
		    field_info(field)->name == NULL || !word_of_field(field, &word)) {
			continue;
		}
		put_help_line(out, word.name, word.help);
	}
}
