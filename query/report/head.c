#include "query/report/head.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "query/report/chart.h"
#include "query/report/definition.h"
#include "query/report/form.h"
#include "query/version.h"
#include "query/when.h"

#define ARENA_MAX (8u << 20)
#define GAPS_TOLD 5

enum {
	SCOPE,
	QUERY,
	RANGE,
	AS_OF,
	COUNTS,
	GRADES,
	UNMATCHED,
	GAPS,
	REJECTS,
	CLOCKS,
	ANCHORED,
	ASKED_BY,
	PROGRAM,
	DEFINITION,
	FACT_COUNT
};

static const char *const names[FACT_COUNT] = {
	[SCOPE] = "scope",         [QUERY] = "query",
	[RANGE] = "range",         [AS_OF] = "as_of",
	[COUNTS] = "counts",       [GRADES] = "grades",
	[UNMATCHED] = "unmatched", [GAPS] = "gaps",
	[REJECTS] = "rejects",     [CLOCKS] = "clocks",
	[ANCHORED] = "anchored",   [ASKED_BY] = "asked_by",
	[PROGRAM] = "program",     [DEFINITION] = "definition",
};

static const char *const titles[FACT_COUNT] = {
	[SCOPE] = "Sources",
	[QUERY] = "Filter",
	[RANGE] = "Range",
	[AS_OF] = "Data as of",
	[COUNTS] = "Statements",
	[GRADES] = "Attribution grades",
	[UNMATCHED] = "Without a request",
	[GAPS] = "Missing",
	[REJECTS] = "Not parsed",
	[CLOCKS] = "Clocks",
	[ANCHORED] = "Anchored",
	[ASKED_BY] = "Prepared for",
	[PROGRAM] = "Prepared by",
	[DEFINITION] = "Definition",
};

const char *const *head_fact_names(size_t *out_count)
{
	*out_count = FACT_COUNT;
	return names;
}

static void put_count(struct buf *out, uint64_t count)
{
	chart_put_number(out, count > INT64_MAX ? INT64_MAX : (int64_t)count);
}

struct making {
	const struct head_question *question;
	struct coverage coverage;
	struct head *head;
	struct buf text;
	bool failed;
};

static bool is_ours(const struct store_source *source)
{
	return strcmp(source->type, "serve") == 0 || strcmp(source->name, "querytraild") == 0;
}

static void put_instant(const struct making *making, struct buf *out, int64_t ns,
			const char *unknown)
{
	if (ns == INT64_MIN || ns == INT64_MAX) {
		buf_put_text(out, unknown);
	} else {
		when_put(out, making->question->zone, ns, ns % NS_PER_SEC == 0 ? 0 : 9, true);
	}
}

static bool is_wanted(const struct making *making, unsigned fact)
{
	const struct definition *definition = making->question->definition;
	for (size_t i = 0; i < definition->fact_count; i++) {
		if (str_is(definition->fact[i], names[fact])) {
			return true;
		}
	}
	return definition->fact_count == 0;
}

/* Takes what was written as a fact. */
static void take(struct making *making, unsigned fact, bool warns)
{
	struct head *head = making->head;
	struct report_fact *out = &head->fact[head->fact_count];
	if (!warns && !is_wanted(making, fact)) {
		buf_clear(&making->text);
		return;
	}
	*out = (struct report_fact){.name = names[fact], .title = titles[fact], .warns = warns};
	if (making->text.failed ||
	    arena_str(&head->arena, buf_str(&making->text), &out->text) != 0) {
		making->failed = true;
		return;
	}
	head->fact_count++;
	buf_clear(&making->text);
}

static void take_scope(struct making *making)
{
	struct buf *out = &making->text;
	uint64_t records = 0;
	for (size_t i = 0; i < making->coverage.source_count; i++) {
		const struct store_source *source = &making->coverage.sources[i];
		if (is_ours(source)) {
			continue;
		}
		buf_putf(out, "%s%s (%s)", out->len > 0 ? ", " : "", source->name, source->type);
		records += source->stored;
	}
	if (out->len == 0) {
		buf_put_text(out, "none");
	}
	buf_put_text(out, "; ");
	put_count(out, records);
	buf_put_text(out, records == 1 ? " record" : " records");
	take(making, SCOPE, false);
}

static void take_query(struct making *making)
{
	const struct head_question *question = making->question;
	struct buf *out = &making->text;
	if (question->filter.len == 0) {
		buf_put_text(out, "none: all statements");
		take(making, QUERY, false);
		return;
	}
	buf_put_str(out, question->filter);
	struct buf normal;
	buf_init(&normal, 0);
	query_put(question->plan->query, &normal);
	if (!str_equal(buf_str(&normal), question->filter)) {
		buf_put_text(out, " (understood as: ");
		buf_put_str(out, buf_str(&normal));
		buf_put_byte(out, ')');
	}
	buf_done(&normal);
	take(making, QUERY, false);
}

static void take_range(struct making *making)
{
	const struct plan *plan = making->question->plan;
	struct buf *out = &making->text;
	if (plan->from_ns == INT64_MIN && plan->to_ns == INT64_MAX) {
		buf_put_text(out, "all times");
	} else {
		put_instant(making, out, plan->from_ns, "the beginning");
		buf_put_text(out, plan->to_ns == INT64_MAX ? " to " : " to before ");
		put_instant(making, out, plan->to_ns, "the end of the data");
	}
	buf_putf(out, " (zone %s)", making->question->zone->name);
	take(making, RANGE, false);
}

static void take_as_of(struct making *making)
{
	int64_t newest = INT64_MIN;
	for (size_t i = 0; i < making->coverage.source_count; i++) {
		const struct store_source *source = &making->coverage.sources[i];
		if (!is_ours(source) && source->stored > 0 && source->last_batch_ns > newest) {
			newest = source->last_batch_ns;
		}
	}
	if (newest == INT64_MIN) {
		buf_put_text(&making->text, "no data yet");
	} else {
		when_put(&making->text, making->question->zone, newest, 0, true);
		buf_put_text(&making->text, ", the last commit of new records");
	}
	take(making, AS_OF, false);
}

static uint64_t statements(const struct making *making)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < GRADE_COUNT; i++) {
		sum += making->question->found->statements[i];
	}
	return sum;
}

static void take_counts(struct making *making)
{
	const struct run_result *found = making->question->found;
	struct buf *out = &making->text;
	put_count(out, statements(making));
	buf_put_text(out, " in this range");
	if (making->question->filter.len > 0) {
		buf_put_text(out, ", of which ");
		put_count(out, found->row_count);
		buf_put_text(out, " match the filter");
	}
	buf_put_text(out, "; none of them is left out");
	take(making, COUNTS, false);
	const char *separator = "";
	for (enum grade grade = 0; grade < GRADE_COUNT; grade++) {
		if (found->statements[grade] > 0 || grade == GRADE_A || grade == GRADE_U1 ||
		    grade == GRADE_X) {
			buf_putf(out, "%s%s ", separator, grade_name(grade));
			put_count(out, found->statements[grade]);
			separator = ", ";
		}
	}
	take(making, GRADES, false);
}

static void take_unmatched(struct making *making)
{
	uint64_t total = statements(making);
	uint64_t alone = making->question->found->statements[GRADE_U1];
	int64_t share = report_share(alone, total);
	put_count(&making->text, alone);
	buf_put_text(&making->text, " of ");
	put_count(&making->text, total);
	buf_put_text(&making->text, " statements");
	if (total > 0) {
		buf_putf(&making->text, ", %lld.%lld %%", (long long)(share / 10),
			 (long long)(share % 10));
		buf_put_text(&making->text,
			     alone > 0 ? "; logins and logouts count as statements" : "");
	}
	take(making, UNMATCHED, false);
}

static void put_lacks(struct making *making)
{
	struct buf *out = &making->text;
	for (size_t i = 0; i < making->coverage.source_count; i++) {
		const struct store_source *source = &making->coverage.sources[i];
		const char *why;
		if (coverage_source_lacks(&making->coverage, source, &why)) {
			buf_putf(out, "%ssource %s %s", out->len > 0 ? "; " : "", source->name,
				 why);
		}
	}
}

static void take_missing(struct making *making)
{
	const struct run_result *found = making->question->found;
	struct buf *out = &making->text;
	put_lacks(making);
	for (size_t i = 0; i < found->gap_count && i < GAPS_TOLD; i++) {
		const struct run_gap *gap = &found->gaps[i];
		buf_putf(out, "%ssource %s has a gap from ", out->len > 0 ? "; " : "", gap->source);
		put_instant(making, out, gap->from_ns, "(unknown)");
		buf_put_text(out, " to ");
		put_instant(making, out, gap->to_ns, "(unknown)");
	}
	if (found->gap_count > GAPS_TOLD) {
		buf_putf(out, "; and %zu more gaps", found->gap_count - GAPS_TOLD);
	}
	if (found->stats.blocks_damaged > 0) {
		buf_putf(out, "%s%llu damaged blocks could not be read", out->len > 0 ? "; " : "",
			 (unsigned long long)found->stats.blocks_damaged);
	}
	bool warns = out->len > 0;
	making->head->incomplete = warns;
	if (!warns) {
		buf_put_text(out, "nothing is known to be missing");
	}
	take(making, GAPS, warns);
	uint64_t rejected = coverage_rejected(&making->coverage);
	if (rejected == 0) {
		buf_put_text(out, "everything that was received could be read");
	} else {
		buf_putf(out, "%llu %s; kept as received, at an unknown time",
			 (unsigned long long)rejected,
			 rejected == 1 ? "record did not parse" : "records did not parse");
	}
	take(making, REJECTS, rejected > 0);
}

static void put_microseconds(struct buf *out, int64_t ns)
{
	uint64_t us = (uint64_t)(ns < 0 ? -ns : ns) / (uint64_t)NS_PER_US;
	buf_putf(out, "%llu.%03llu ms", (unsigned long long)(us / 1000),
		 (unsigned long long)(us % 1000));
}

static void take_clocks(struct making *making)
{
	struct buf *out = &making->text;
	for (size_t i = 0; i < making->coverage.source_count; i++) {
		int64_t numbers[4];
		const struct store_source *source = &making->coverage.sources[i];
		if (!dataset_read_clock(making->question->store, source->name, numbers)) {
			continue;
		}
		buf_putf(out, "%s%s is ", out->len > 0 ? "; " : "", source->name);
		put_microseconds(out, numbers[0]);
		buf_putf(out, " %s the gateway, within ", numbers[0] < 0 ? "ahead of" : "behind");
		put_microseconds(out, numbers[1]);
		buf_putf(out, ", by %lld pairs", (long long)numbers[2]);
	}
	if (out->len == 0) {
		buf_put_text(out, "no estimate: it takes statements whose requests are certain");
	}
	take(making, CLOCKS, false);
}

/* By the wall clock and not by age: the same store gives the same report. */
static void take_anchored(struct making *making)
{
	const struct anchor_view *view = &making->coverage.anchors;
	struct buf *out = &making->text;
	bool warns = view->refused[0] != '\0' || view->damage[0] != '\0';
	if (view->count == 0 && !warns) {
		return; /* the log stays on its host */
	}
	for (size_t i = 0; i < view->count && i < ANCHOR_VIEW_MAX; i++) {
		const struct anchor_state *state = &view->anchors[i];
		buf_putf(out, "%s%s (%s) ", out->len > 0 ? "; " : "", state->name, state->type);
		if (!anchor_view_has(view, state)) {
			buf_put_text(out, "nothing yet");
			continue;
		}
		put_count(out, state->taken_size);
		buf_put_text(out, " of ");
		put_count(out, view->signed_size);
		buf_put_text(out, " signed records at ");
		when_put(out, making->question->zone, state->taken_ns, 0, true);
	}
	if (view->count > ANCHOR_VIEW_MAX) {
		buf_putf(out, "; and %zu more", view->count - ANCHOR_VIEW_MAX);
	}
	if (warns) {
		buf_put_text(out, out->len > 0 ? "; " : "");
		buf_put_text(out, view->refused[0] != '\0' ? "the log is refused by an anchor: "
							   : "damaged: ");
		utf8_put_printable(out,
				   str_of(view->refused[0] != '\0' ? view->refused : view->damage));
	}
	take(making, ANCHORED, warns);
}

static void take_origin(struct making *making)
{
	const struct head_question *question = making->question;
	struct buf *out = &making->text;
	buf_putf(out, "%s (uid %lld)", question->asker.name, (long long)question->asker.uid);
	take(making, ASKED_BY, false);
	buf_put_text(out, "querytrail " QUERYTRAIL_VERSION);
	take(making, PROGRAM, false);
	buf_putf(out, "%.*s, SHA-256 %s", STR_ARG(question->definition->name),
		 question->definition->digest);
	take(making, DEFINITION, false);
}

/* The store gives them only until its next call. */
static void keep_sources(struct making *making)
{
	size_t count = making->coverage.source_count;
	struct store_source *copy = arena_calloc(&making->head->arena, count + 1, sizeof(*copy));
	if (copy == NULL) {
		making->failed = true;
		making->coverage.source_count = 0;
		return;
	}
	if (count > 0) {
		memcpy(copy, making->coverage.sources, count * sizeof(*copy));
	}
	making->coverage.sources = copy;
}

int head_make(const struct head_question *question, struct head *out_head, struct error *err)
{
	struct making making = {.question = question, .head = out_head};
	*out_head = (struct head){.matched = question->found->row_count};
	int result = coverage_make(question->store, question->plan, question->found,
				   &making.coverage, err);
	if (result != 0) {
		return result;
	}
	making.coverage.now_ns =
		INT64_MAX; /* what lies ahead is not covered, whenever it is asked */
	arena_init(&out_head->arena, ARENA_MAX);
	buf_init(&making.text, 4u << 20);
	keep_sources(&making);
	take_scope(&making);
	take_query(&making);
	take_range(&making);
	take_as_of(&making);
	take_counts(&making);
	take_unmatched(&making);
	take_missing(&making);
	take_clocks(&making);
	take_anchored(&making);
	take_origin(&making);
	buf_done(&making.text);
	if (making.failed) {
		head_done(out_head);
		return error_set(err, ERR_NOMEM, "no memory for the head of the report");
	}
	return 0;
}

void head_done(struct head *head)
{
	arena_done(&head->arena);
	*head = (struct head){0};
}
