#include "query/command.h"

#include "base/utf8.h"
#include "query/argument.h"
#include "query/fmt.h"
#include "query/when.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX (4u << 20)

struct question {
	struct buf text; /* the filter */
	struct arena arena;
	struct query query;
	struct plan_options options;
	struct plan plan;
	const struct fmt_type *format;
	uint64_t limit;
};

static int read_format(const struct session *session, const struct fmt_type **out_format,
		       struct error *err)
{
	const char *name = session_option(session, OPTION_FORMAT);
	if (session_option(session, OPTION_JSON) != NULL) {
		name = "json";
	}
	*out_format = fmt_find(name != NULL ? name : "table");
	if (*out_format == NULL) {
		return error_set(
			err, ERR_USAGE,
			"--format %s is unknown; there are table, text, json, jsonl and csv", name);
	}
	return 0;
}

/* Appends the line of the filter that the error names, and a mark below the place. */
static void show_place(const struct buf *filter, struct error *err)
{
	char sentence[ERROR_TEXT_MAX];
	size_t line = 0;
	size_t column = 0;
	if (sscanf(err->text, "query:%zu:%zu:", &line, &column) != 2) {
		return;
	}
	struct str rest = buf_str(filter);
	struct str text = rest;
	for (size_t i = 0; i < line; i++) {
		text = str_split(&rest, '\n');
	}
	if (text.len == 0 || utf8_width(text) > 200) {
		return;
	}
	struct buf safe;
	buf_init(&safe, ERROR_TEXT_MAX);
	utf8_put_printable(&safe, text);
	memcpy(sentence, err->text, sizeof(sentence));
	(void)snprintf(err->text, sizeof(err->text), "%.600s\n  %.*s\n  %*s", sentence,
		       STR_ARG(buf_str(&safe)), (int)column,
		       "^"); /* a cut one still has the place */
	buf_done(&safe);
}

static int read_question(struct session *session, struct question *question, struct error *err)
{
	struct plan_options *options = &question->options;
	int result = read_format(session, &question->format, err);
	if (result == 0) {
		result = session_number(session, OPTION_LIMIT, UINT64_MAX, &question->limit, err);
	}
	if (result == 0) {
		result = session_range(session, &options->from_ns, &options->to_ns, err);
	}
	const char *grades = session_option(session, OPTION_GRADE);
	if (result == 0 && grades != NULL && !grade_parse_set(str_of(grades), &options->grades)) {
		return error_set(err, ERR_USAGE,
				 "--grade wants grades out of A B C D U1 U2 U X pending, as in AB, "
				 "not \"%s\"",
				 grades);
	}
	if (result != 0) {
		return result;
	}
	options->context = (struct match_context){&session->zone, session->surroundings->now_ns};
	argument_join(session->line.word, session->line.word_count, &question->text);
	result = query_parse(buf_str(&question->text), &question->arena, &question->query, err);
	if (result == 0) {
		result = plan_make(&question->query, options, &question->plan, err);
	}
	if (result == -ERR_USAGE) {
		show_place(&question->text, err);
	}
	return result;
}

static int write_rows(struct session *session, struct fmt *fmt, const struct question *question,
		      struct coverage *coverage, struct error *err)
{
	struct trail_reader reader;
	struct trail trail;
	const struct run_result *found = coverage->result;
	int result = trail_reader_open(&reader, session->store, err);
	if (result != 0) {
		return result;
	}
	result = question->format->begin(fmt, err);
	coverage->returned = 0;
	for (size_t i = 0; result == 0 && i < found->row_count && i < question->limit; i++) {
		result = trail_read(&reader, &found->rows[i], &trail, err);
		if (result == -ERR_CORRUPT || result == -ERR_GONE) {
			coverage->unread++;
			result = result == -ERR_GONE ? -ERR_CORRUPT : 0;
		}
		if (result == -ERR_CORRUPT) {
			result = 0;
			continue;
		}
		result = result == 0 ? question->format->row(fmt, &trail, err) : result;
		fmt->row_count++;
		coverage->returned++;
		output_row_done(fmt->out);
		if (fmt->out->failure.code != 0) {
			break;
		}
	}
	trail_reader_close(&reader);
	if (result == 0) {
		result = question->format->end(fmt, coverage, err);
	}
	return result;
}

static void explain(struct session *session, const struct question *question,
		    const struct run_result *found)
{
	struct buf *out = &session->err.text;
	struct buf normal;
	buf_init(&normal, 0);
	query_put(&question->query, &normal);
	buf_put_text(out, "understood as: ");
	if (normal.len == 0) {
		buf_put_text(out, "(everything)");
	}
	output_safe(&session->err, buf_str(&normal));
	buf_done(&normal);
	buf_put_text(out, "\ntime: ");
	if (question->plan.from_ns == INT64_MIN) {
		buf_put_text(out, "(the beginning)");
	} else {
		when_put(out, &session->zone, question->plan.from_ns, 9, true);
	}
	buf_put_text(out, " to ");
	if (question->plan.to_ns == INT64_MAX) {
		buf_put_text(out, "(the end)");
	} else {
		when_put(out, &session->zone, question->plan.to_ns, 9, true);
	}
	const struct scan_stats *stats = &found->stats;
	buf_putf(out, "\nread: %llu blocks, %llu skipped, %llu rows scanned, %llu bytes\n",
		 (unsigned long long)stats->blocks, (unsigned long long)stats->blocks_skipped,
		 (unsigned long long)stats->rows, (unsigned long long)stats->bytes_read);
}

static int answer(struct session *session, const struct question *question,
		  const struct run_result *found, struct error *err)
{
	struct coverage coverage;
	int result = coverage_make(session->store, &question->plan, found, &coverage, err);
	if (result != 0) {
		return result;
	}
	coverage.now_ns = session->surroundings->now_ns;
	coverage.daemon_stopped = !session_daemon_runs(session);
	struct fmt *fmt = calloc(1, sizeof(*fmt));
	if (fmt == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the answer");
	}
	fmt_init(fmt, &session->out, session_option(session, OPTION_WITH_RAW) != NULL);
	fmt_note_asked(fmt, &question->query);
	result = write_rows(session, fmt, question, &coverage, err);
	if (question->format->done != NULL) {
		question->format->done(fmt);
	}
	free(fmt);
	if (result != 0) {
		return result;
	}
	result = output_flush(&session->out,
			      err); /* the rows stand before what is said about them */
	if (result != 0) {
		return result;
	}
	if (!question->format->has_coverage) {
		output_style(&session->err, STYLE_DIM);
		coverage_put_text(&coverage, &session->zone, &session->err.text);
		output_style(&session->err, STYLE_NONE);
	}
	if (session_option(session, OPTION_EXPLAIN) != NULL) {
		explain(session, question, found);
	}
	if (coverage_incomplete(&coverage)) {
		return EXIT_INCOMPLETE;
	}
	return coverage.matched > 0 ? EXIT_FOUND : EXIT_NONE;
}

int cmd_who(struct session *session, struct error *err)
{
	struct question *question = calloc(1, sizeof(*question));
	if (question == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the query");
	}
	buf_init(&question->text, 1u << 20);
	arena_init(&question->arena, ARENA_MAX);
	int result = read_question(session, question, err);
	if (result == 0) {
		struct run_result found;
		result = run_plan(session->store, &question->plan, &found, err);
		if (result == 0) {
			result = answer(session, question, &found, err);
			run_result_clear(&found);
		}
	}
	buf_done(&question->text);
	arena_done(&question->arena);
	free(question);
	return result;
}
