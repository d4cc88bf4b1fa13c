#include "query/command.h"

#include "query/fmt.h"
#include "query/question.h"
#include "query/when.h"

#include <stdlib.h>

struct asking { /* a question and how its answer is to look */
	struct question question;
	const struct fmt_type *format;
	struct verified verified;
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

static int write_rows(struct session *session, struct fmt *fmt, const struct asking *asking,
		      struct coverage *coverage, struct error *err)
{
	struct trail_reader reader;
	struct trail trail;
	const struct run_result *found = coverage->result;
	int result = trail_reader_open(&reader, session->store, err);
	if (result != 0) {
		return result;
	}
	result = asking->format->begin(fmt, err);
	coverage->returned = 0;
	for (size_t i = 0; result == 0 && i < found->row_count && i < asking->question.limit; i++) {
		result = trail_read(&reader, &found->rows[i], &trail, err);
		if (result == -ERR_CORRUPT || result == -ERR_GONE) {
			coverage->unread++;
			result = result == -ERR_GONE ? -ERR_CORRUPT : 0;
		}
		if (result == -ERR_CORRUPT) {
			result = 0;
			continue;
		}
		result = result == 0 ? asking->format->row(fmt, &trail, err) : result;
		fmt->row_count++;
		coverage->returned++;
		output_row_done(fmt->out);
		if (fmt->out->failure.code != 0) {
			break;
		}
	}
	trail_reader_close(&reader);
	if (result == 0) {
		result = asking->format->end(fmt, coverage, err);
	}
	return result;
}

static void explain(struct session *session, const struct asking *asking,
		    const struct run_result *found)
{
	struct buf *out = &session->err.text;
	struct buf normal;
	buf_init(&normal, 0);
	query_put(&asking->question.query, &normal);
	buf_put_text(out, "understood as: ");
	if (normal.len == 0) {
		buf_put_text(out, "(everything)");
	}
	output_safe(&session->err, buf_str(&normal));
	buf_done(&normal);
	buf_put_text(out, "\ntime: ");
	if (asking->question.plan.from_ns == INT64_MIN) {
		buf_put_text(out, "(the beginning)");
	} else {
		when_put(out, &session->zone, asking->question.plan.from_ns, 9, true);
	}
	buf_put_text(out, " to ");
	if (asking->question.plan.to_ns == INT64_MAX) {
		buf_put_text(out, "(the end)");
	} else {
		when_put(out, &session->zone, asking->question.plan.to_ns, 9, true);
	}
	const struct scan_stats *stats = &found->stats;
	buf_putf(out, "\nread: %llu blocks, %llu skipped, %llu rows scanned, %llu bytes\n",
		 (unsigned long long)stats->blocks, (unsigned long long)stats->blocks_skipped,
		 (unsigned long long)stats->rows, (unsigned long long)stats->bytes_read);
}

static int answer(struct session *session, const struct asking *asking,
		  const struct run_result *found, struct error *err)
{
	struct coverage coverage;
	int result = coverage_make(session->store, &asking->question.plan, found, &coverage, err);
	if (result != 0) {
		return result;
	}
	coverage.verified = &asking->verified;
	coverage.now_ns = session->surroundings->now_ns;
	coverage.daemon_stopped = !session_daemon_runs(session);
	struct fmt *fmt = calloc(1, sizeof(*fmt));
	if (fmt == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the answer");
	}
	fmt_init(fmt, &session->out, session_option(session, OPTION_WITH_RAW) != NULL);
	fmt_note_asked(fmt, &asking->question.query);
	result = write_rows(session, fmt, asking, &coverage, err);
	if (asking->format->done != NULL) {
		asking->format->done(fmt);
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
	if (!asking->format->has_coverage) {
		output_style(&session->err, STYLE_DIM);
		coverage_put_text(&coverage, &session->zone, &session->err.text);
		output_style(&session->err, STYLE_NONE);
	}
	if (session_option(session, OPTION_EXPLAIN) != NULL) {
		explain(session, asking, found);
	}
	if (coverage_incomplete(&coverage)) {
		return EXIT_INCOMPLETE;
	}
	return coverage.matched > 0 ? EXIT_FOUND : EXIT_NONE;
}

int cmd_who(struct session *session, struct error *err)
{
	struct asking *asking = calloc(1, sizeof(*asking));
	if (asking == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the query");
	}
	struct question *question = &asking->question;
	question_init(question);
	int result = read_format(session, &asking->format, err);
	if (result == 0) {
		result = question_read(session, session->line.word, session->line.word_count,
				       question, err);
	}
	if (result == 0) {
		result = verified_begin(session, &asking->verified, err);
	}
	if (result == 0) {
		struct run_result found;
		result = run_plan(session->store, &question->plan, &found, err);
		if (result == 0) {
			result = answer(session, asking, &found, err);
			run_result_clear(&found);
		}
	}
	verified_end(&asking->verified);
	question_done(question);
	free(asking);
	return result;
}
