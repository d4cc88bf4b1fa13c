#include "query/command.h"

#include "model/redact.h"

#define UNREADABLE_MAX \
	65536              /* leaves one after the other: then nothing behind them is looked for */
#define UNREADABLE_TOLD 20 /* each in a line of its own */

struct export
{
	struct output *out, *messages;
	struct str source;
	uint64_t next; /* leaf */
	uint64_t line_count;
	uint64_t unreadable, told;
	uint64_t redacted; /* lines that the store has no more */
};

static int put_raw(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		   struct error *err)
{
	struct export *export = owner;
	struct record record;
	(void)ingest_ns;
	int result = record_decode(encoded, &record, err);
	if (result != 0) {
		return result;
	}
	export->next = leaf + 1;
	bool wanted = record.kind == RECORD_REQUEST || record.kind == RECORD_STATEMENT ||
		      record.kind == RECORD_REJECT;
	if (!wanted || !str_equal(record.source, export->source)) {
		return 0;
	}
	if (!record_has(&record, FIELD_raw)) {
		export->redacted += redact_degree_of(&record, NULL) != REDACT_NOTHING ? 1 : 0;
		return 0;
	}
	buf_put_str(&export->out->text, record_text(&record, FIELD_raw));
	/* the file source adds it last, so no key of the line itself is taken for it */
	if (!str_has_suffix(record_text(&record, FIELD_extra),
			    STR_LIT("\"file_newline\":false}"))) {
		buf_put_byte(&export->out->text, '\n');
	}
	export->line_count++;
	output_row_done(export->out);
	if (export->out->failure.code != 0) {
		return error_set(err, (enum error_code) export->out->failure.code, "%s",
				 export->out->failure.text);
	}
	return 0;
}

/* Tells of records that cannot be read: the first few one by one. */
static void tell_damage(void *owner, uint64_t records, const struct error *what)
{
	struct export *export = owner;
	export->unreadable += records;
	if (export->told++ < UNREADABLE_TOLD) {
		buf_putf(&export->messages->text, "not readable: %s\n", what->text);
	}
}

/* Walks through all records; in the head, one by one behind those that are damaged. Returns 0 or an error. */
static int put_all(struct session *session, struct export *export, struct error *err)
{
	uint64_t in_a_row = 0, before = 0;
	struct store_walk walk = {.kinds = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT |
					   1u << RECORD_REJECT,
				  .source = export->source,
				  .each = put_raw,
				  .owner = export,
				  .damaged = tell_damage};
	for (;;) {
		walk.first = export->next;
		int result = store_walk_with(session->store, &walk, err);
		if (result != -ERR_CORRUPT || export->next >= store_leaf_count(session->store)) {
			return result;
		}
		in_a_row = export->next == before ? in_a_row + 1 : 0;
		if (in_a_row == 0) {
			buf_putf(&session->err.text, "not readable: %s\n", err->text);
		}
		export->unreadable++;
		if (in_a_row == UNREADABLE_MAX) {
			return result;
		}
		export->next++;
		before = export->next;
		error_clear(err);
	}
}

static int check_source(struct session *session, const char *name, struct error *err)
{
	const struct store_source *sources;
	size_t count;
	const char *names[256];
	size_t name_count = 0;
	int result = store_sources(session->store, &sources, &count, err);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(sources[i].name, name) == 0) {
			return 0;
		}
		if (name_count < sizeof(names) / sizeof(names[0])) {
			names[name_count++] = sources[i].name;
		}
	}
	const char *near = str_nearest(str_of(name), names, name_count);
	if (near != NULL) {
		return error_set(err, ERR_USAGE, "there is no source \"%s\"; did you mean \"%s\"?",
				 name, near);
	}
	return error_set(
		err, ERR_USAGE,
		"there is no source \"%s\" in this store; \"querytrail status\" lists them", name);
}

/* What the store gave up by retention or erasure is no damage: it is said, and the lines that are left are all that there are. */
static int tell_gone(struct session *session, const struct export *export, struct error *err)
{
	struct store_removed removed;
	int result = store_removed(session->store, &removed, err);
	if (result == 0 && export->redacted > 0) {
		buf_putf(&session->err.text,
			 "%llu lines of %.*s are not here: retention or an erasure took them\n",
			 (unsigned long long)export->redacted, STR_ARG(export->source));
	}
	if (result == 0 && removed.records > 0) {
		buf_putf(&session->err.text,
			 "retention removed %llu records of the store; lines of %.*s may be "
			 "among them\n",
			 (unsigned long long)removed.records, STR_ARG(export->source));
	}
	return result;
}

int cmd_export(struct session *session, struct error *err)
{
	const char *source = session_option(session, OPTION_SOURCE);
	if (session_option(session, OPTION_RAW) == NULL || source == NULL) {
		return error_set(
			err, ERR_USAGE,
			"say what to export: querytrail export --raw --source NAME; \"querytrail "
			"who --format jsonl\" gives whole trails");
	}
	int result = check_source(session, source, err);
	if (result != 0) {
		return result;
	}
	struct export export = {
		.out = &session->out, .messages = &session->err, .source = str_of(source)};
	result = put_all(session, &export, err);
	result = result != 0 ? result : tell_gone(session, &export, err);
	if (result != 0) {
		return result;
	}
	if (export.unreadable > 0) {
		buf_putf(&session->err.text,
			 "%llu records of the store could not be read; what they held of %s is "
			 "missing here\n",
			 (unsigned long long)export.unreadable, source);
		return EXIT_INCOMPLETE;
	}
	return export.line_count > 0 ? EXIT_FOUND : EXIT_NONE;
}
