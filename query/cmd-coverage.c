#include "query/command.h"

#include "base/json.h"
#include "query/coverage.h"
#include "query/fmt.h"
#include "query/when.h"

#include <stdlib.h>

#define REJECTS_SHOWN 1000

static void put_bound(struct session *session, int64_t ns)
{
	if (ns == INT64_MIN || ns == INT64_MAX) {
		buf_put_text(&session->out.text, "(unknown)");
	} else {
		when_put(&session->out.text, &session->zone, ns, 3, true);
	}
}

/* One line a gap with the reason that the record gives. */
static int put_gaps(struct session *session, const struct run_result *found, struct error *err)
{
	struct scan_fetch *fetch;
	int result = scan_fetch_open(session->store, &fetch, err);
	for (size_t i = 0; result == 0 && i < found->gap_count && i < RUN_GAPS_MAX; i++) {
		const struct run_gap *gap = &found->gaps[i];
		struct record record;
		int64_t ignored;
		buf_putf(&session->out.text, "%s  ", gap->source);
		put_bound(session, gap->from_ns);
		buf_put_text(&session->out.text, "  ");
		put_bound(session, gap->to_ns);
		if (scan_fetch_record(fetch, gap->leaf, &record, &ignored, NULL) == 0) {
			buf_put_text(&session->out.text, "  ");
			fmt_put_one_line(&session->out.text, record_text(&record, FIELD_gap_kind));
			buf_put_text(&session->out.text, ": ");
			fmt_put_one_line(&session->out.text, record_text(&record, FIELD_reason));
		}
		buf_put_byte(&session->out.text, '\n');
	}
	if (result == 0) {
		scan_fetch_close(fetch);
	}
	return result;
}

static void put_reject(struct session *session, const struct record *record, uint64_t leaf)
{
	struct buf *out = &session->out.text;
	fmt_put_one_line(out, record->source);
	buf_putf(out, "  leaf %llu  did not parse: ", (unsigned long long)leaf);
	fmt_put_one_line(out, record_text(record, FIELD_reason));
	buf_put_byte(out, '\n');
}

/* One line for each record that did not parse, with the reason. */
static int put_rejects(struct session *session, struct error *err)
{
	struct scan_options options = {
		.kinds = 1u << RECORD_REJECT, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct scan *scan;
	uint64_t count = 0;
	int result = scan_open(session->store, &options, &scan, err);
	while (result == 0) {
		const struct scan_block *block;
		result = scan_next(scan, &block, err);
		if (result == -ERR_CORRUPT) { /* told by the coverage below */
			result = 0;
			continue;
		}
		for (size_t row = 0; result == 0 && row < scan_row_count(block); row++) {
			struct record record;
			if (scan_kinds(block)[row] != RECORD_REJECT ||
			    scan_record(block, row, &record, NULL) != 0 ||
			    record_has(&record, FIELD_skipped)) {
				continue;
			}
			if (count++ < REJECTS_SHOWN) {
				put_reject(session, &record, scan_leaves(block)[row]);
			}
		}
		if (result == -ERR_GONE) {
			break;
		}
	}
	if (result != 0 && result != -ERR_GONE) {
		return result;
	}
	if (count > REJECTS_SHOWN) {
		buf_putf(&session->out.text, "(and %llu more that did not parse)\n",
			 (unsigned long long)(count - REJECTS_SHOWN));
	}
	error_clear(err);
	scan_close(scan);
	return 0;
}

static int answer(struct session *session, const struct plan *plan, const struct run_result *found,
		  bool json, struct error *err)
{
	struct coverage coverage;
	int result = coverage_make(session->store, plan, found, &coverage, err);
	if (result != 0) {
		return result;
	}
	coverage.now_ns = session->surroundings->now_ns;
	coverage.daemon_stopped = !session_daemon_runs(session);
	if (json) {
		coverage_put_json(&coverage, &session->out.text);
		buf_put_byte(&session->out.text, '\n');
	} else {
		result = put_gaps(session, found, err);
		if (result == 0 && coverage_rejected(&coverage) > 0) {
			result = put_rejects(session, err);
		}
		coverage_put_text(&coverage, &session->zone, &session->err.text);
	}
	if (result != 0) {
		return result;
	}
	return coverage_incomplete(&coverage) ? EXIT_INCOMPLETE : EXIT_FOUND;
}

int cmd_coverage(struct session *session, struct error *err)
{
	struct plan_options options = {.context = {&session->zone, session->surroundings->now_ns}};
	const char *format = session_option(session, OPTION_FORMAT);
	bool json = session_option(session, OPTION_JSON) != NULL ||
		    (format != NULL && strcmp(format, "json") == 0);
	if (format != NULL && !json && strcmp(format, "table") != 0) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail coverage\" has the formats table and json");
	}
	int result = session_range(session, &options.from_ns, &options.to_ns, err);
	if (result != 0) {
		return result;
	}
	struct arena arena;
	struct query query;
	struct run_result found;
	struct plan *plan = calloc(1, sizeof(*plan));
	if (plan == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the query");
	}
	arena_init(&arena, 65536);
	result = query_parse((struct str){NULL, 0}, &arena, &query, err);
	result = result == 0 ? plan_make(&query, &options, plan, err) : result;
	result = result == 0 ? run_plan(session->store, plan, &found, err) : result;
	if (result == 0) {
		result = answer(session, plan, &found, json, err);
		run_result_clear(&found);
	}
	arena_done(&arena);
	free(plan);
	return result;
}
