#include "model/tsql/facts.h"

#include "model/tsql/part.h"

#include <stdlib.h>

void tsql_scratch_init(struct tsql_scratch *scratch)
{
	arena_init(&scratch->arena, TSQL_ARENA_BYTES);
	scratch->work = NULL;
}

void tsql_scratch_done(struct tsql_scratch *scratch)
{
	if (scratch->work != NULL) {
		buf_done(&scratch->work->fold);
		free(scratch->work->pieces);
		free(scratch->work);
		scratch->work = NULL;
	}
	arena_done(&scratch->arena);
}

/* Makes the work ready for another text. */
static bool begin(struct tsql_scratch *scratch, const struct tsql_options *options)
{
	struct tsql_work *work = scratch->work;

	if (work == NULL) {
		work = calloc(1, sizeof(*work));
		if (work == NULL) {
			return false;
		}
		buf_init(&work->fold, TSQL_INNER_BYTES_MAX);
		work->arena = &scratch->arena;
		scratch->work = work;
	}
	arena_clear(&scratch->arena);
	work->options = (struct tsql_options){.quotes_are_strings = false};
	if (options != NULL) {
		work->options = *options;
	}
	work->piece_count = 0;
	work->statement_count = work->object_count = 0;
	work->inner_count = work->inner_bytes = 0;
	work->variable_count = 0;
	work->fold_steps = TSQL_FOLD_STEPS;
	work->flags = 0;
	work->from_values = work->no_memory = false;
	return true;
}

/* Whether a statement does something by itself, rather than prepares, decides or ends. */
static bool is_deed(const struct tsql_work *work, size_t statement)
{
	switch (work->statements[statement].verb) {
	case TSQL_VERB_NONE:
	case TSQL_VERB_DECLARE:
	case TSQL_VERB_SET:
	case TSQL_VERB_IF:
	case TSQL_VERB_WHILE:
	case TSQL_VERB_BEGIN:
	case TSQL_VERB_TRANSACTION:
	case TSQL_VERB_PRINT:
	case TSQL_VERB_RAISERROR:
	case TSQL_VERB_RETURN:
	case TSQL_VERB_GOTO:
	case TSQL_VERB_USE:
	case TSQL_VERB_CURSOR:
	case TSQL_VERB_EXECUTE_AS:
	case TSQL_VERB_REVERT:
		return false;
	case TSQL_VERB_EXECUTE:
		for (size_t i = 0; i < work->object_count; i++) {
			if (work->objects[i].statement == statement) {
				return !str_equal_fold(work->objects[i].name.object,
						       STR_LIT("sp_set_session_context"));
			}
		}
		return true;
	default:
		return true;
	}
}

static enum tsql_verb verb_of(const struct tsql_work *work)
{
	for (size_t i = 0; i < work->statement_count; i++) {
		if (work->statements[i].depth == 0 && is_deed(work, i)) {
			return work->statements[i].verb;
		}
	}
	return work->statement_count > 0 ? work->statements[0].verb : TSQL_VERB_NONE;
}

int tsql_facts_of(struct str text, const struct tsql_options *options, struct tsql_scratch *scratch,
		  struct tsql_facts *out)
{
	struct tsql_work *work;
	struct tsql_scan scan = {.text = text};

	if (!begin(scratch, options)) {
		return -ERR_NOMEM;
	}
	work = scratch->work;
	scan.work = work;
	tsql_pieces_read(&scan);
	tsql_scan_run(&scan);
	if (work->no_memory) {
		return -ERR_NOMEM;
	}
	*out = (struct tsql_facts){
		.statements = work->statements,
		.statement_count = work->statement_count,
		.objects = work->objects,
		.object_count = work->object_count,
		.inner = work->inner,
		.inner_count = work->inner_count,
		.flags = work->flags,
		.verb = verb_of(work),
		.from_values = work->from_values,
	};
	return 0;
}

/* Appends a text without its comments and with white space as one blank. */
static void put_plain(struct str text, const struct tsql_options *options, struct buf *out)
{
	struct tsql_reader reader = tsql_reader(text);
	struct tsql_token token;
	size_t begin = out->len;
	bool blank = false;

	reader.quotes_are_strings = options != NULL && options->quotes_are_strings;
	while (tsql_next(&reader, &token)) {
		if (token.kind == TSQL_SPACE || token.kind == TSQL_COMMENT) {
			blank = out->len > begin;
			continue;
		}
		if (blank) {
			buf_put_byte(out, ' ');
		}
		blank = false;
		buf_put_str(out, token.whole);
	}
}

void tsql_match_text(struct str text, const struct tsql_facts *facts,
		     const struct tsql_options *options, struct buf *out)
{
	put_plain(text, options, out);
	for (size_t i = 0; facts != NULL && i < facts->inner_count; i++) {
		buf_put_byte(out, '\n');
		put_plain(facts->inner[i].text, options, out);
	}
}

void tsql_name_put(const struct tsql_name *name, struct buf *out)
{
	const struct str parts[] = {name->server, name->database, name->schema, name->object};
	bool any = false;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (any) {
			buf_put_byte(out, '.');
		}
		buf_put_str(out, parts[i]);
		any = any || parts[i].len > 0;
	}
}

const char *tsql_verb_text(enum tsql_verb verb)
{
	switch (verb) {
#define VERB(name, number, text) \
	case TSQL_VERB_##name:   \
		return text;
#include "model/tsql/verbs.def"
#undef VERB
	}
	return "";
}

const char *tsql_class_text(enum tsql_class kind)
{
	switch (kind) {
#define CLASS(name, number, text) \
	case TSQL_CLASS_##name:   \
		return text;
#include "model/tsql/classes.def"
#undef CLASS
	}
	return "";
}

const char *tsql_flag_text(enum tsql_flag flag)
{
	switch (flag) {
#define FLAG(name, bit, text, meaning) \
	case TSQL_##name:              \
		return text;
#include "model/tsql/flags.def"
#undef FLAG
	}
	return "";
}

const char *tsql_access_text(enum tsql_access access)
{
	static const char *const texts[] = {
		[TSQL_READ] = "read",     [TSQL_WRITE] = "write",  [TSQL_CREATED] = "create",
		[TSQL_ALTERED] = "alter", [TSQL_DROPPED] = "drop", [TSQL_EXECUTED] = "execute",
		[TSQL_GRANTED] = "grant",
	};

	return (unsigned)access < sizeof(texts) / sizeof(texts[0]) ? texts[access] : "";
}

const char *tsql_via_text(enum tsql_via via)
{
	static const char *const texts[] = {
		[TSQL_DIRECT] = "direct",
		[TSQL_EXEC_STRING] = "exec_string",
		[TSQL_SP_EXECUTESQL] = "sp_executesql",
		[TSQL_OPENQUERY] = "openquery",
		[TSQL_OPENROWSET] = "openrowset",
		[TSQL_EXEC_AT] = "exec_at",
		[TSQL_PREPARED] = "prepared",
	};

	return (unsigned)via < sizeof(texts) / sizeof(texts[0]) ? texts[via] : "";
}
