#include "query/command.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "query/anchor-view.h"
#include "query/column-sizes.h"
#include "query/coverage.h"
#include "query/fmt.h"
#include "query/layout.h"
#include "query/life-view.h"
#include "query/store-sizes.h"
#include "query/when.h"
#include "query/writer.h"
#include "store/alerts.h"

#include <stdlib.h>
#include <unistd.h>

#define CLOCK_KEY_MAX 64 /* of the store's settings */

struct status {
	const struct store_source *sources;
	size_t source_count;
	uint64_t statements[GRADE_COUNT];
	uint64_t gaps, damaged_blocks;
	char damage[ERROR_TEXT_MAX];
	uint64_t records;
	struct store_sizes sizes;
	bool writer;
	bool disk_full; /* there is no room for a commit */
	long writer_pid;
	char paused[128]; /* why the daemon takes nothing in; empty: it does */
	int64_t now_ns;
	struct alerts_counts alerts;
	struct anchor_view anchors;
};

enum { NAME, TYPE, STATE, UP_TO, LAG, RECEIVED, STORED, DUPLICATE, REJECTED, GAPS, COLUMN_COUNT };

static const struct layout_column template[COLUMN_COUNT] = {
	[NAME] = {"SOURCE", 0, 6, 40, false, 0, 0},
	[TYPE] = {"TYPE", 3, 10, 0, false, 0, 0},
	[STATE] = {"STATE", 0, 8, 0, false, 0, 0},
	[UP_TO] = {"READ UP TO", 1, 19, 0, false, 0, 0},
	[LAG] = {"BEHIND", 6, 6, 0, true, 0, 0},
	[RECEIVED] = {"RECEIVED", 7, 8, 0, true, 0, 0},
	[STORED] = {"STORED", 5, 6, 0, true, 0, 0},
	[DUPLICATE] = {"DOUBLE", 4, 6, 0, true, 0, 0},
	[REJECTED] = {"REJECTED", 8, 8, 0, true, 0, 0},
	[GAPS] = {"GAPS", 9, 4, 0, true, 0, 0},
};

static bool has_watermark(const struct store_source *source)
{
	return source->watermark_ns != INT64_MIN && source->watermark_ns != INT64_MAX;
}

static void put_cell(struct session *session, const struct status *status,
		     const struct store_source *source, unsigned column, struct buf *out)
{
	switch (column) {
	case NAME:
		utf8_put_printable(out, str_of(source->name));
		return;
	case TYPE:
		utf8_put_printable(out, str_of(source->type));
		return;
	case STATE:
		utf8_put_printable(out, str_of(source->state[0] != '\0' ? source->state : "-"));
		return;
	case UP_TO:
		if (has_watermark(source)) {
			when_put(out, &session->zone, source->watermark_ns, 0, false);
		} else {
			buf_put_text(out, source->watermark_ns == INT64_MAX ? "(its end)" : "-");
		}
		return;
	case LAG:
		if (has_watermark(source)) {
			when_put_age(out, status->now_ns - source->watermark_ns);
		} else {
			buf_put_byte(out, '-');
		}
		return;
	case RECEIVED:
		buf_put_u64(out, source->received);
		return;
	case STORED:
		buf_put_u64(out, source->stored);
		return;
	case DUPLICATE:
		buf_put_u64(out, source->duplicate);
		return;
	case REJECTED:
		buf_put_u64(out, source->rejected);
		return;
	case GAPS:
		buf_put_u64(out, source->gaps);
		return;
	default:
		return;
	}
}

static void put_line(struct session *session, const struct layout_column *columns,
		     const struct status *status, const struct store_source *source)
{
	struct buf *out = &session->out.text;
	struct buf cell;
	bool first = true;
	buf_init(&cell, 4096);
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width == 0) {
			continue;
		}
		buf_clear(&cell);
		if (source != NULL) {
			put_cell(session, status, source, i, &cell);
		} else {
			buf_put_text(&cell, columns[i].title);
		}
		buf_put_text(out, first ? "" : "  ");
		first = false;
		bool bad = source != NULL && i == STATE &&
			   (strcmp(source->state, "failed") == 0 ||
			    strcmp(source->state, "silent") == 0);
		if (bad) {
			output_style(&session->out, STYLE_BAD);
		}
		layout_put_cell(out, &columns[i], buf_str(&cell), i == GAPS,
				session->out.width > 0);
		if (bad) {
			output_style(&session->out, STYLE_NONE);
		}
	}
	buf_put_byte(out, '\n');
	buf_done(&cell);
}

static void put_sources(struct session *session, const struct status *status)
{
	struct layout_column columns[COLUMN_COUNT];
	struct buf cell;
	memcpy(columns, template, sizeof(template));
	layout_begin(columns, COLUMN_COUNT);
	buf_init(&cell, 4096);
	for (size_t i = 0; i < status->source_count; i++) {
		for (unsigned c = 0; c < COLUMN_COUNT; c++) {
			buf_clear(&cell);
			put_cell(session, status, &status->sources[i], c, &cell);
			layout_see(&columns[c], utf8_width(buf_str(&cell)));
		}
	}
	buf_done(&cell);
	layout_decide(columns, COLUMN_COUNT, session->out.width);
	output_style(&session->out, STYLE_TITLE);
	put_line(session, columns, status, NULL);
	output_style(&session->out, STYLE_NONE);
	for (size_t i = 0; i < status->source_count; i++) {
		put_line(session, columns, status, &status->sources[i]);
	}
	for (size_t i = 0; i < status->source_count; i++) {
		if (status->sources[i].state_text[0] != '\0') {
			buf_putf(&session->out.text, "%s: ", status->sources[i].name);
			output_safe(&session->out, str_of(status->sources[i].state_text));
			buf_put_byte(&session->out.text, '\n');
		}
	}
}

struct estimate { /* of a server, as the daemon estimates it: docs/format.md section 5.1 */
	int64_t offset_ns, bound_ns, pairs, outliers;
};

/* Whether the store has an estimate of the source's clock. One that cannot be read is none: it is only an estimate. */
static bool read_clock(struct session *session, const char *source, struct estimate *out_clock)
{
	struct buf key, value;
	bool known = false;
	int64_t *const numbers[] = {&out_clock->offset_ns, &out_clock->bound_ns, &out_clock->pairs,
				    &out_clock->outliers};
	buf_init(&key, 128);
	buf_init(&value, 1024);
	buf_putf(&key, "clock.%s", source);
	if (!key.failed && key.len <= CLOCK_KEY_MAX &&
	    store_meta_get(session->store, key.ptr, &value, NULL) == 0) {
		struct str rest = buf_str(&value);
		known = true;
		for (size_t i = 0; i < 4; i++) {
			known = known && parse_i64(str_split(&rest, ' '), numbers[i]);
		}
		known = known && rest.ptr == NULL && out_clock->bound_ns >= 0;
	}
	buf_done(&key);
	buf_done(&value);
	return known;
}

static void put_ms(struct buf *out, uint64_t ns)
{
	buf_putf(out, "%llu.%03llu ms", (unsigned long long)(ns / NS_PER_MS),
		 (unsigned long long)(ns % NS_PER_MS / 1000));
}

/* "clock of sql01: 12.345 ms behind the gateway's, within 3.100 ms, by 512 pairs (2 disagree)" */
static void put_clocks(struct session *session, const struct status *status)
{
	struct buf *out = &session->out.text;
	for (size_t i = 0; i < status->source_count; i++) {
		struct estimate clock;
		if (!read_clock(session, status->sources[i].name, &clock)) {
			continue;
		}
		bool behind = clock.offset_ns >= 0;
		buf_putf(out, "clock of %s: ", status->sources[i].name);
		put_ms(out, behind ? (uint64_t)clock.offset_ns : 0 - (uint64_t)clock.offset_ns);
		buf_putf(out, " %s the gateway's, within ", behind ? "behind" : "ahead of");
		put_ms(out, (uint64_t)clock.bound_ns);
		buf_putf(out, ", by %lld %s", (long long)clock.pairs,
			 clock.pairs == 1 ? "pair" : "pairs");
		if (clock.outliers > 0) {
			buf_putf(out, " (%lld disagree)", (long long)clock.outliers);
		}
		buf_put_byte(out, '\n');
	}
}

/* "rules:       87 loaded, 0 bad, 3 idle" and "alerts:      4 firing, 1 of them too old to be sent; deliveries: 2 waiting, 1 dead" */
static void put_alerts(struct session *session, const struct status *status)
{
	struct buf *out = &session->out.text;
	const struct alerts_counts *alerts = &status->alerts;
	struct buf rules;
	buf_init(&rules, 4096);
	if (store_meta_get(session->store, "rules.state", &rules, NULL) == 0) {
		buf_put_text(out, "\nrules:       ");
		output_safe(&session->out, buf_str(&rules));
	}
	buf_done(&rules);
	buf_putf(out, "\nalerts:      %llu firing", (unsigned long long)alerts->firing);
	if (alerts->quiet > 0) {
		buf_putf(out, ", %llu of them too old to be sent",
			 (unsigned long long)alerts->quiet);
	}
	if (alerts->waiting + alerts->dead > 0) {
		buf_putf(out, "; deliveries: %llu waiting, %llu dead",
			 (unsigned long long)alerts->waiting, (unsigned long long)alerts->dead);
	}
}

static int put_text(struct session *session, const struct status *status, struct error *err)
{
	struct buf *out = &session->out.text;
	if (status->source_count > 0) {
		put_sources(session, status);
		put_clocks(session, status);
	} else {
		buf_put_text(out, "No source has delivered anything yet.\n");
	}
	buf_put_text(out, "\nstatements:");
	for (enum grade grade = 0; grade < GRADE_COUNT; grade++) {
		enum grade shown = (enum grade)((grade + 1) % GRADE_COUNT); /* pending comes last */
		if (status->statements[shown] > 0) {
			buf_putf(out, "  %s %llu", grade_name(shown),
				 (unsigned long long)status->statements[shown]);
		}
	}
	put_alerts(session, status);
	buf_putf(out, "\nstore:       %s, %llu records, %llu bytes\n", session_store_dir(session),
		 (unsigned long long)status->records, (unsigned long long)status->sizes.all_bytes);
	sizes_put_text(&session->out, &status->sizes);
	if (status->damaged_blocks > 0) {
		buf_putf(out, "damage:      %llu blocks, the first: ",
			 (unsigned long long)status->damaged_blocks);
		output_safe(&session->out, str_of(status->damage));
		buf_put_byte(out, '\n');
	}
	int result = life_view_put(session, err);
	anchor_view_put(&status->anchors, status->now_ns, &session->out);
	if (status->disk_full) {
		buf_put_text(out, "disk:        full; collection pauses until there is room\n");
	}
	if (status->paused[0] != '\0') {
		buf_put_text(out, "collection:  ");
		output_safe(&session->out, str_of(status->paused));
		buf_put_byte(out, '\n');
	}
	if (status->writer) {
		buf_putf(out, "daemon:      running, process %ld\n", status->writer_pid);
	} else {
		buf_put_text(out, "daemon:      not running\n");
	}
	return result;
}

static void put_number(struct buf *out, bool *first, const char *key, uint64_t value)
{
	json_put_key(out, first, key);
	buf_put_u64(out, value);
}

static void put_time(struct buf *out, bool *first, const char *key, int64_t ns)
{
	json_put_key(out, first, key);
	if (ns == INT64_MIN || ns == INT64_MAX) {
		buf_put_text(out, "null");
		return;
	}
	buf_put_byte(out, '"');
	clock_put_rfc3339(out, ns, 9);
	buf_put_byte(out, '"');
}

static void put_json_clock(struct session *session, const char *source, struct buf *out)
{
	struct estimate clock;
	if (read_clock(session, source, &clock)) {
		buf_putf(out,
			 "{\"offset_ns\":%lld,\"bound_ns\":%lld,\"pairs\":%lld,\"outliers\":%lld}",
			 (long long)clock.offset_ns, (long long)clock.bound_ns,
			 (long long)clock.pairs, (long long)clock.outliers);
	} else {
		buf_put_text(out, "null");
	}
}

static void put_json_source(struct session *session, const struct store_source *source)
{
	struct buf *out = &session->out.text;
	bool first = true;
	const char *const texts[][2] = {{"source", source->name},
					{"type", source->type},
					{"state", source->state},
					{"state_text", source->state_text}};
	buf_put_byte(out, '{');
	for (size_t i = 0; i < 4; i++) {
		json_put_key(out, &first, texts[i][0]);
		json_put_string(out, str_of(texts[i][1]));
	}
	put_time(out, &first, "watermark", source->watermark_ns);
	put_time(out, &first, "first_time", source->first_time_ns);
	put_time(out, &first, "last_time", source->last_time_ns);
	put_time(out, &first, "last_batch", source->last_batch_ns);
	json_put_key(out, &first, "caught_up");
	buf_put_text(out, source->caught_up ? "true" : "false");
	put_number(out, &first, "received", source->received);
	put_number(out, &first, "stored", source->stored);
	put_number(out, &first, "duplicate", source->duplicate);
	put_number(out, &first, "rejected", source->rejected);
	put_number(out, &first, "gaps", source->gaps);
	json_put_key(out, &first, "clock");
	put_json_clock(session, source->name, out);
	buf_put_byte(out, '}');
}

static int put_json(struct session *session, const struct status *status, struct error *err)
{
	struct buf *out = &session->out.text;
	bool first = true;
	bool first_grade = true;
	buf_put_text(out, "{");
	json_put_key(out, &first, "sources");
	buf_put_byte(out, '[');
	for (size_t i = 0; i < status->source_count; i++) {
		buf_put_text(out, i > 0 ? "," : "");
		put_json_source(session, &status->sources[i]);
	}
	buf_put_byte(out, ']');
	json_put_key(out, &first, "statements");
	buf_put_byte(out, '{');
	for (enum grade grade = 0; grade < GRADE_COUNT; grade++) {
		put_number(out, &first_grade, grade_name(grade), status->statements[grade]);
	}
	buf_put_byte(out, '}');
	put_number(out, &first, "gaps", status->gaps);
	put_number(out, &first, "damaged_blocks", status->damaged_blocks);
	put_number(out, &first, "records", status->records);
	buf_put_byte(out, ',');
	sizes_put_json(out, &status->sizes);
	put_number(out, &first, "alerts_firing", status->alerts.firing);
	put_number(out, &first, "alerts_quiet", status->alerts.quiet);
	put_number(out, &first, "deliveries_waiting", status->alerts.waiting);
	put_number(out, &first, "deliveries_dead", status->alerts.dead);
	int result = life_view_put_json(session, &first, err);
	anchor_view_put_json(&status->anchors, status->now_ns, &first, out);
	json_put_key(out, &first, "disk_full");
	buf_put_text(out, status->disk_full ? "true" : "false");
	json_put_key(out, &first, "paused");
	json_put_string(out, str_of(status->paused));
	json_put_key(out, &first, "daemon");
	buf_put_text(out, status->writer ? "\"running\"" : "\"not running\"");
	buf_put_text(out, "}\n");
	return result;
}

/* Counts by one run without a filter. */
static int count(struct session *session, struct status *status, struct error *err)
{
	struct plan_options options = {.from_ns = INT64_MIN,
				       .to_ns = INT64_MAX,
				       .context = {&session->zone, status->now_ns}};
	struct arena arena;
	struct query query;
	struct run_result found;
	struct plan *plan = calloc(1, sizeof(*plan));
	if (plan == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the query");
	}
	arena_init(&arena, 65536);
	int result = query_parse(STR_LIT("leaf<0"), &arena, &query, err);
	result = result == 0 ? plan_make(&query, &options, plan, err) : result;
	result = result == 0 ? run_plan(session->store, plan, &found, err) : result;
	if (result == 0) {
		memcpy(status->statements, found.statements, sizeof(status->statements));
		status->gaps = found.gap_count;
		status->damaged_blocks = found.stats.blocks_damaged;
		memcpy(status->damage, found.damage, sizeof(status->damage));
		run_result_clear(&found);
	}
	arena_done(&arena);
	free(plan);
	return result;
}

/* What the daemon says while the disk is full: the text of a link in the store's folder. */
static void read_pause(const struct session *session, struct status *status)
{
	struct buf path;
	if (!status->writer) {
		return; /* a daemon that was killed took no word back */
	}
	buf_init(&path, 4096);
	buf_put_text(&path, session_store_dir(session));
	buf_put_text(&path, "/paused");
	ssize_t len =
		path.failed ? -1 : readlink(path.ptr, status->paused, sizeof(status->paused) - 1);
	status->paused[len < 0 ? 0 : len] = '\0';
	buf_done(&path);
}

static int read_store(struct session *session, struct status *status, struct error *err)
{
	struct store *store = session->store;
	int rc = count(session, status, err);
	rc = rc != 0 ? rc : store_sizes(store, &status->sizes, err);
	rc = rc != 0 ? rc : anchor_view_read(store, &status->anchors, err);
	rc = rc != 0 ? rc : alerts_count(store, &status->alerts, err);
	/* borrowed until the store's next call that lists them */
	return rc != 0 ? rc : store_sources(store, &status->sources, &status->source_count, err);
}

int cmd_status(struct session *session, struct error *err)
{
	struct status status = {.now_ns = session->surroundings->now_ns};
	const char *format = session_option(session, OPTION_FORMAT);
	bool json = session_option(session, OPTION_JSON) != NULL ||
		    (format != NULL && strcmp(format, "json") == 0);
	if (format != NULL && !json && strcmp(format, "table") != 0) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail status\" has the formats table and json");
	}
	if (session_option(session, OPTION_COLUMNS) != NULL) {
		return column_sizes_show(session, json, err);
	}
	int result = read_store(session, &status, err);
	if (result != 0) {
		return result;
	}
	struct store_removed removed;
	result = store_removed(session->store, &removed, err);
	if (result != 0) {
		return result;
	}
	status.records = store_leaf_count(session->store) - removed.records;
	status.disk_full = sizes_disk_is_full(session_store_dir(session));
	status.writer = writer_alive(session_store_dir(session), &status.writer_pid);
	read_pause(session, &status);
	result = json ? put_json(session, &status, err) : put_text(session, &status, err);
	if (result != 0) {
		return result;
	}
	return status.damaged_blocks > 0 ? EXIT_INCOMPLETE : EXIT_FOUND;
}
