#include "query/command.h"

struct export
{
	struct output *out;
	struct str source;
	uint64_t line_count;
};

static int put_raw(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		   struct error *err)
{
	struct export *export = owner;
	struct record record;
	(void)leaf;
	(void)ingest_ns;
	int result = record_decode(encoded, &record, err);
	if (result != 0) {
		return result;
	}
	bool wanted = record.kind == RECORD_REQUEST || record.kind == RECORD_STATEMENT ||
		      record.kind == RECORD_REJECT;
	if (!wanted || !str_equal(record.source, export->source) ||
	    !record_has(&record, FIELD_raw)) {
		return 0;
	}
	buf_put_str(&export->out->text, record_text(&record, FIELD_raw));
	buf_put_byte(&export->out->text, '\n');
	export->line_count++;
	output_row_done(export->out);
	if (export->out->failure.code != 0) {
		return error_set(err, (enum error_code) export->out->failure.code, "%s",
				 export->out->failure.text);
	}
	return 0;
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
	struct export export = {&session->out, str_of(source), 0};
	result = store_walk(session->store, 0, put_raw, &export, err);
	if (result != 0) {
		return result;
	}
	return export.line_count > 0 ? EXIT_FOUND : EXIT_NONE;
}
