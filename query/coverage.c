#include "query/coverage.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "query/when.h"

#define GAPS_SHOWN 8

int coverage_make(struct store *store, const struct plan *plan, const struct run_result *result,
		  struct coverage *out_coverage, struct error *err)
{
	struct coverage coverage = {
		.result = result,
		.from_ns = plan->from_ns,
		.to_ns = plan->to_ns,
		.matched = result->row_count,
		.returned = result->row_count,
		.given_up = plan_given_up(plan),
	};
	int rc = store_sources(store, &coverage.sources, &coverage.source_count, err);
	rc = rc < 0 ? rc : store_removed(store, &coverage.removed, err);
	rc = rc < 0 ? rc : anchor_view_read(store, &coverage.anchors, err);
	if (rc == 0) {
		*out_coverage = coverage;
	}
	return rc;
}

/* serve reports who asked, and persons give orders; they have no events that an answer could lack. */
static bool is_collector(const struct store_source *source)
{
	return strcmp(source->type, "serve") != 0 && strcmp(source->type, "person") != 0 &&
	       strcmp(source->name, "querytraild") != 0;
}

bool coverage_source_lacks(const struct coverage *coverage, const struct store_source *source,
			   const char **out_why)
{
	struct str state = str_of(source->state);
	if (str_is(state, "done") || !is_collector(source)) {
		return false;
	}
	if (str_is(state, "failed")) {
		*out_why = "has failed";
	} else if (str_is(state, "silent")) {
		*out_why = "is silent";
	} else if (str_is(state, "retrying")) {
		*out_why = "cannot be reached";
	} else if (coverage->to_ns != INT64_MAX && coverage->to_ns <= coverage->now_ns &&
		   source->watermark_ns < coverage->to_ns) {
		*out_why = "is not yet read to the end of the time asked for";
	} else if (!source->caught_up && source->watermark_ns < coverage->to_ns) {
		*out_why = "is still being caught up with";
	} else {
		return false;
	}
	return true;
}

uint64_t coverage_rejected(const struct coverage *coverage)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < coverage->source_count; i++) {
		sum += coverage->sources[i].rejected;
	}
	return sum;
}

bool coverage_incomplete(const struct coverage *coverage)
{
	const char *why;
	if (verified_failed(coverage->verified)) {
		return true;
	}
	if (coverage->result->gap_count > 0 || coverage->result->stats.blocks_damaged > 0 ||
	    coverage->unread > 0 || coverage->given_up > 0) {
		return true;
	}
	for (size_t i = 0; i < coverage->source_count; i++) {
		if (coverage_source_lacks(coverage, &coverage->sources[i], &why)) {
			return true;
		}
	}
	return false;
}

static uint64_t statements(const struct coverage *coverage)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < GRADE_COUNT; i++) {
		sum += coverage->result->statements[i];
	}
	return sum;
}

static void put_time(struct buf *out, const struct zone *zone, int64_t ns, const char *unknown)
{
	if (ns == INT64_MIN || ns == INT64_MAX) {
		buf_put_text(out, unknown);
	} else {
		when_put(out, zone, ns, 0, true);
	}
}

static void put_watermarks(const struct coverage *coverage, const struct zone *zone,
			   struct buf *out)
{
	const char *separator = "\n  read up to: ";
	for (size_t i = 0; i < coverage->source_count; i++) {
		const struct store_source *source = &coverage->sources[i];
		if (!is_collector(source) ||
		    (source->watermark_ns == INT64_MIN && source->received == 0)) {
			continue;
		}
		buf_put_text(out, separator);
		buf_put_text(out, source->name);
		buf_put_byte(out, ' ');
		if (strcmp(source->state, "done") == 0 || source->watermark_ns == INT64_MAX) {
			buf_put_text(out, "to its end");
		} else {
			put_time(out, zone, source->watermark_ns, "(not known)");
		}
		separator = ", ";
	}
}

/* The newest event of collectors that were not finished; INT64_MIN when there is none. An import is finished, so it is at rest. */
static int64_t newest_unfinished(const struct coverage *coverage)
{
	int64_t newest_ns = INT64_MIN;
	for (size_t i = 0; i < coverage->source_count; i++) {
		const struct store_source *source = &coverage->sources[i];
		if (is_collector(source) && strcmp(source->state, "done") != 0 &&
		    source->stored > 0 && source->last_time_ns != INT64_MAX &&
		    source->last_time_ns > newest_ns) {
			newest_ns = source->last_time_ns;
		}
	}
	return newest_ns;
}

/* Whether the answer may seem to reach up to now, but cannot. */
static bool is_stopped(const struct coverage *coverage)
{
	bool open_ended = coverage->to_ns == INT64_MAX || coverage->to_ns > coverage->now_ns;
	return coverage->daemon_stopped && open_ended && newest_unfinished(coverage) != INT64_MIN;
}

static void put_stopped(const struct coverage *coverage, const struct zone *zone, struct buf *out)
{
	if (is_stopped(coverage)) {
		buf_put_text(out, "\n  querytraild is not running; the newest record is from ");
		when_put(out, zone, newest_unfinished(coverage), 0, true);
	}
}

static const char *damage_at(const struct run_result *result, size_t index)
{
	return index == 0 ? result->damage : result->more_damage[index - 1];
}

static size_t damages_told(const struct run_result *result)
{
	size_t told = 0;
	while (told < RUN_DAMAGES_MAX && damage_at(result, told)[0] != '\0') {
		told++;
	}
	return told;
}

static void put_damage(const struct coverage *coverage, struct buf *out)
{
	const struct run_result *result = coverage->result;
	uint64_t count = result->stats.blocks_damaged;
	size_t told = damages_told(result);
	for (size_t i = 0; i < told; i++) {
		buf_put_text(out, "\n  missing: ");
		utf8_put_printable(out, str_of(damage_at(result, i)));
	}
	if (count > told) {
		buf_putf(out, "\n  missing: %llu %sdamaged blocks",
			 (unsigned long long)(count - told), told > 0 ? "more " : "");
	}
	if (coverage->unread > 0) {
		buf_putf(out, "\n  missing: %llu rows that cannot be read",
			 (unsigned long long)coverage->unread);
	}
}

static void put_missing(const struct coverage *coverage, const struct zone *zone, struct buf *out)
{
	const struct run_result *result = coverage->result;
	for (size_t i = 0; i < coverage->source_count; i++) {
		const struct store_source *source = &coverage->sources[i];
		const char *why;
		if (!coverage_source_lacks(coverage, source, &why)) {
			continue;
		}
		buf_putf(out, "\n  missing: source %s %s", source->name, why);
		if (source->state_text[0] != '\0') {
			buf_put_text(out, ": ");
			utf8_put_printable(out, str_of(source->state_text));
		}
	}
	for (size_t i = 0; i < coverage->source_count; i++) {
		const struct store_source *source = &coverage->sources[i];
		if (source->rejected > 0) {
			buf_putf(out,
				 "\n  not parsed: %llu of source %s; querytrail "
				 "coverage lists them",
				 (unsigned long long)source->rejected, source->name);
		}
	}
	for (size_t i = 0; i < result->gap_count && i < GAPS_SHOWN; i++) {
		const struct run_gap *gap = &result->gaps[i];
		buf_putf(out, "\n  missing: source %s has a gap from ", gap->source);
		put_time(out, zone, gap->from_ns, "(unknown)");
		buf_put_text(out, " to ");
		put_time(out, zone, gap->to_ns, "(unknown)");
		buf_putf(out, " (leaf %llu)", (unsigned long long)gap->leaf);
	}
	if (result->gap_count > GAPS_SHOWN) {
		buf_putf(out, "\n  missing: %zu more gaps; querytrail coverage lists them",
			 result->gap_count - GAPS_SHOWN);
	}
	if (coverage->given_up > 0) {
		buf_putf(out,
			 "\n  missing: %llu texts that took the regular expression too much work; "
			 "they may match",
			 (unsigned long long)coverage->given_up);
	}
	put_damage(coverage, out);
}

/* What is not there any more, by the owner's own will. */
static void put_removed(const struct coverage *coverage, const struct zone *zone, struct buf *out)
{
	const struct store_removed *removed = &coverage->removed;
	if (removed->records == 0) {
		return;
	}
	buf_putf(out, "\n  retention has removed %llu records",
		 (unsigned long long)removed->records);
	if (removed->floor_ns != INT64_MIN) {
		buf_put_text(out, ", all from before ");
		when_put(out, zone, removed->floor_ns, 0, true);
	}
}

void coverage_put_text(const struct coverage *coverage, const struct zone *zone, struct buf *out)
{
	uint64_t total = statements(coverage);
	const uint64_t *by_grade = coverage->result->statements;
	buf_putf(out, "%llu %s", (unsigned long long)coverage->matched,
		 coverage->matched == 1 ? "row" : "rows");
	if (coverage->returned < coverage->matched) {
		buf_putf(out, " match, the first %llu are shown (--limit)",
			 (unsigned long long)coverage->returned);
	}
	buf_putf(out, "; %s.\n",
		 coverage_incomplete(coverage)     ? "INCOMPLETE"
		 : coverage_rejected(coverage) > 0 ? "nothing is missing but what did not parse"
						   : "nothing is missing");
	buf_putf(out, "  statements in this time: %llu, of which %llu U1, %llu X, %llu pending",
		 (unsigned long long)total, (unsigned long long)by_grade[GRADE_U1],
		 (unsigned long long)by_grade[GRADE_X],
		 (unsigned long long)by_grade[GRADE_PENDING]);
	put_watermarks(coverage, zone, out);
	put_stopped(coverage, zone, out);
	put_missing(coverage, zone, out);
	put_removed(coverage, zone, out);
	anchor_view_put_line(&coverage->anchors, coverage->now_ns, out);
	verified_put_text(coverage->verified, out);
	buf_put_byte(out, '\n');
}

static void put_json_time(struct buf *out, int64_t ns)
{
	if (ns == INT64_MIN || ns == INT64_MAX) {
		buf_put_text(out, "null");
		return;
	}
	buf_put_byte(out, '"');
	clock_put_rfc3339(out, ns, 9);
	buf_put_byte(out, '"');
}

static void put_json_sources(const struct coverage *coverage, struct buf *out)
{
	const char *separator = "{";
	buf_put_byte(out, '[');
	for (size_t i = 0; i < coverage->source_count; i++) {
		const struct store_source *source = &coverage->sources[i];
		const char *why = NULL;
		bool lacks = coverage_source_lacks(coverage, source, &why);
		bool first = true;
		if (!is_collector(source)) {
			continue;
		}
		buf_put_text(out, separator);
		separator = ",{";
		json_put_key(out, &first, "source");
		json_put_string(out, str_of(source->name));
		json_put_key(out, &first, "state");
		json_put_string(out, str_of(source->state));
		json_put_key(out, &first, "watermark");
		put_json_time(out, source->watermark_ns);
		json_put_key(out, &first, "complete");
		buf_put_text(out, lacks ? "false" : "true");
		if (lacks) {
			json_put_key(out, &first, "why");
			json_put_string(out, str_of(why));
		}
		buf_put_byte(out, '}');
	}
	buf_put_byte(out, ']');
}

static void put_json_damage(const struct run_result *result, struct buf *out)
{
	size_t told = damages_told(result);
	buf_put_byte(out, '[');
	for (size_t i = 0; i < told; i++) {
		buf_put_text(out, i > 0 ? "," : "");
		json_put_string(out, str_of(damage_at(result, i)));
	}
	buf_put_byte(out, ']');
}

static void put_json_gaps(const struct coverage *coverage, struct buf *out)
{
	const struct run_result *result = coverage->result;
	buf_put_byte(out, '[');
	for (size_t i = 0; i < result->gap_count && i < RUN_GAPS_MAX; i++) {
		const struct run_gap *gap = &result->gaps[i];
		bool first = true;
		buf_put_text(out, i > 0 ? ",{" : "{");
		json_put_key(out, &first, "source");
		json_put_string(out, str_of(gap->source));
		json_put_key(out, &first, "from");
		put_json_time(out, gap->from_ns);
		json_put_key(out, &first, "to");
		put_json_time(out, gap->to_ns);
		json_put_key(out, &first, "leaf");
		buf_put_u64(out, gap->leaf);
		buf_put_byte(out, '}');
	}
	buf_put_byte(out, ']');
}

static void put_json_number(struct buf *out, bool *first, const char *key, uint64_t value)
{
	json_put_key(out, first, key);
	buf_put_u64(out, value);
}

void coverage_put_json(const struct coverage *coverage, struct buf *out)
{
	bool first = true;
	buf_put_byte(out, '{');
	put_json_number(out, &first, "matched", coverage->matched);
	put_json_number(out, &first, "returned", coverage->returned);
	json_put_key(out, &first, "complete");
	buf_put_text(out, coverage_incomplete(coverage) ? "false" : "true");
	put_json_number(out, &first, "removed", coverage->removed.records);
	json_put_key(out, &first, "removed_before");
	put_json_time(out, coverage->removed.floor_ns);
	json_put_key(out, &first, "from");
	put_json_time(out, coverage->from_ns);
	json_put_key(out, &first, "to");
	put_json_time(out, coverage->to_ns);
	json_put_key(out, &first, "daemon_running");
	buf_put_text(out, coverage->daemon_stopped ? "false" : "true");
	json_put_key(out, &first, "statements");
	bool first_grade = true;
	buf_put_byte(out, '{');
	for (enum grade grade = 0; grade < GRADE_COUNT; grade++) {
		put_json_number(out, &first_grade, grade_name(grade),
				coverage->result->statements[grade]);
	}
	buf_put_byte(out, '}');
	json_put_key(out, &first, "sources");
	put_json_sources(coverage, out);
	json_put_key(out, &first, "gaps");
	put_json_gaps(coverage, out);
	put_json_number(out, &first, "damaged_blocks", coverage->result->stats.blocks_damaged);
	if (coverage->result->damage[0] != '\0') {
		json_put_key(out, &first, "damage");
		put_json_damage(coverage->result, out);
	}
	if (coverage->given_up > 0) {
		put_json_number(out, &first, "given_up_texts", coverage->given_up);
	}
	put_json_number(out, &first, "unreadable_rows", coverage->unread);
	put_json_number(out, &first, "rejected", coverage_rejected(coverage));
	anchor_view_put_json(&coverage->anchors, coverage->now_ns, &first, out);
	verified_put_json(coverage->verified, out);
	buf_put_byte(out, '}');
}
