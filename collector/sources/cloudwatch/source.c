/* cloudwatch - API Gateway access logs from a CloudWatch log group.
 *
 * Cursor:  struct scans (scan.h). One fetch is one call at most; a page that is too large for one batch is given in slices from
 *          memory, and the cursor of a slice says which one comes next.
 * Replay:  the cursor that was given last is continued in memory; any other makes the source forget what it gave and ask for the
 *          whole page again. The same events then come with the same keys.
 */
#include "collector/source.h"
#include "collector/sources/cloudwatch/group.h"
#include "collector/sources/cloudwatch/line.h"
#include "collector/sources/cloudwatch/pace.h"
#include "collector/sources/cloudwatch/recent.h"
#include "collector/sources/cloudwatch/scan.h"
#include "collector/sources/cloudwatch/tallies.h"
#include "model/feed.h"

#include <stdlib.h>

#define SLICE_RECORDS      1024u
#define SLICE_BYTES        (1u << 20)
#define PAGE_ARENA_MAX     (16u << 20)
#define USER_FIELDS        64
#define RETENTION_LEAST_NS (23 * NS_PER_HOUR) /* AWS keeps lines for a day at least */
#define TOKENS_LOST_MAX    48 /* more than the halvings from weeks to a millisecond */

struct source {
	struct buf name;
	struct clock clock;
	bool finite;
	struct scan_options options;
	struct accesslog_format *format;
	struct group group;
	struct scans scans;
	struct recent recent;
	struct tallies tallies;
	struct pace pace;
	struct buf
		given; /* the cursor that the last fetch gave; empty: nothing in memory to go on with */
	struct buf scratch;
	struct arena page_arena;
	struct group_answer answer; /* the page in memory */
	bool have_page;
	enum scan_kind page_kind;   /* the scan that it belongs to */
	size_t page_next;           /* its first event that is not given yet */
	unsigned tokens_lost;       /* since a window was finished */
	int64_t retention_asked_ms; /* for the scan that began then the retention is known */
	bool gone;                  /* the group did not exist at the last call */
	const char *note;           /* static */
};

static void cloudwatch_close(struct source *source)
{
	if (source == NULL) {
		return;
	}
	accesslog_format_free(source->format);
	group_done(&source->group);
	scans_done(&source->scans);
	recent_done(&source->recent);
	buf_done(&source->name);
	buf_done(&source->given);
	buf_done(&source->scratch);
	arena_done(&source->page_arena);
	free(source);
}

static void read_options(struct source *source, const struct config *config, const char *section)
{
	struct scan_options *options = &source->options;

	options->start_ms = config_int(config, section, "start") / NS_PER_MS;
	options->poll_ms = config_int(config, section, "poll_interval") / NS_PER_MS;
	options->overlap_ms = config_int(config, section, "overlap") / NS_PER_MS;
	options->settle_interval_ms = config_int(config, section, "settle_interval") / NS_PER_MS;
	options->settle_window_ms = config_int(config, section, "settle_window") / NS_PER_MS;
	options->settle_delay_ms = config_int(config, section, "settle_delay") / NS_PER_MS;
	options->deep_interval_ms = config_int(config, section, "deep_interval") / NS_PER_MS;
	options->deep_window_ms = config_int(config, section, "deep_window") / NS_PER_MS;
	pace_init(&source->pace, config_int(config, section, "requests_per_second"));
}

static int open_format(struct source *source, const struct config *config, const char *section,
		       struct error *err)
{
	const char *users[USER_FIELDS];
	size_t count = config_list_count(config, "identity", "user");

	if (count > USER_FIELDS) {
		return error_set(err, ERR_CONFIG, "%s: more than %d fields name the user",
				 config_place(config, "identity", "user"), USER_FIELDS);
	}
	for (size_t i = 0; i < count; i++) {
		users[i] = config_list(config, "identity", "user", i);
	}
	struct accesslog_options options = {.format =
						    str_of(config_text(config, section, "format")),
					    .user_fields = users,
					    .user_field_count = count};
	return accesslog_format_new(&options, &source->format, err);
}

static int cloudwatch_open(const struct source_open *how, struct source **out_source,
			   struct error *err)
{
	struct source *source = calloc(1, sizeof(*source));

	if (source == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for source %s", how->name);
	}
	source->clock = how->clock;
	source->finite = how->finite;
	buf_init(&source->name, RECORD_SOURCE_MAX);
	buf_init(&source->given, FEED_CURSOR_MAX);
	buf_init(&source->scratch, HTTP_BODY_MAX);
	arena_init(&source->page_arena, PAGE_ARENA_MAX);
	recent_init(&source->recent, RECENT_MAX);
	scans_init(&source->scans);
	read_options(source, how->config, how->section);
	buf_put_text(&source->name, how->name);
	int rc = buf_check(&source->name, "the name of the source", err);
	if (rc == 0) {
		rc = open_format(source, how->config, how->section, err);
	}
	if (rc == 0) {
		rc = group_init(&source->group, how->config, how->section, err);
	}
	if (rc != 0) {
		error_prefix(err, "source %s", how->name);
		cloudwatch_close(source);
		return rc == -ERR_LIMIT ? -ERR_CONFIG : rc;
	}
	*out_source = source;
	return 0;
}

static int64_t now_ms(const struct source *source)
{
	return clock_now(&source->clock) / NS_PER_MS;
}

/* Nothing in memory is known to be committed: the next fetch begins from its cursor. */
static void forget(struct source *source)
{
	buf_clear(&source->given);
	source->have_page = false;
	recent_clear(&source->recent, INT64_MAX);
}

static int take_cursor(struct source *source, struct str cursor, struct error *err)
{
	if (source->given.len > 0 && str_equal(buf_str(&source->given), cursor)) {
		return 0;
	}
	forget(source);
	if (scans_read(&source->scans, cursor, err) != 0) {
		err->code = ERR_CONFIG;
		error_prefix(err, "source %s", source->name.ptr);
		return -ERR_CONFIG;
	}
	for (int i = 0; i < SCAN_KINDS; i++) {
		source->scans.scan[i].slice = 0; /* the page is not in memory: all of it again */
	}
	return 0;
}

/* Writes the next cursor. moved: it must differ from the one before. */
static int give_cursor(struct source *source, bool moved, struct buf *out, struct error *err)
{
	source->scans.serial += moved;
	scans_put(&source->scans, out);
	buf_clear(&source->given);
	buf_put_str(&source->given, buf_str(out));
	int rc = buf_check(out, "the cursor", err);
	if (rc != 0 || source->given.failed) {
		forget(source);
	}
	return rc;
}

struct gap_span {
	const char *kind;
	int64_t from_ms, to_ms;
};

/* A gap record in the batch. Kind and from_ms are its key, so that a replay gives the same one. */
static int put_gap(struct source *source, struct source_batch *batch, const struct gap_span *span,
		   struct error *err)
{
	struct record *gap = arena_alloc(batch->arena, sizeof(*gap));
	struct str key;
	struct str reason;

	buf_clear(&source->scratch);
	buf_putf(&source->scratch, "gap-%s-%lld", span->kind, (long long)span->from_ms);
	bool fits = gap != NULL && arena_str(batch->arena, buf_str(&source->scratch), &key) == 0;
	buf_clear(&source->scratch);
	buf_putf(&source->scratch,
		 strcmp(span->kind, "retention") == 0
			 ? "log group %s no longer keeps the lines of this "
			   "time, and they were not read before"
			 : "log group %s did not exist for a while: lines "
			   "of this time that were not read before are lost",
		 source->group.name);
	fits = fits && arena_str(batch->arena, buf_str(&source->scratch), &reason) == 0;
	if (!fits) {
		return error_set(err, ERR_NOMEM, "no memory for a gap record");
	}
	record_init(gap, RECORD_GAP);
	gap->source = buf_str(&source->name);
	gap->key = key;
	gap->time_ns = span->from_ms * NS_PER_MS;
	record_set_number(gap, FIELD_gap_from, span->from_ms * NS_PER_MS);
	record_set_number(gap, FIELD_gap_to, span->to_ms * NS_PER_MS);
	record_set_text(gap, FIELD_gap_kind, str_of(span->kind));
	record_set_text(gap, FIELD_reason, reason);
	batch->records = gap;
	batch->record_count = 1;
	return 0;
}

/* From when on lines have not been read yet; SCAN_NONE at the very beginning. */
static int64_t unread_from(const struct source *source)
{
	const struct scan *tail = &source->scans.scan[SCAN_TAIL];

	return tail->active ? tail->start_ms : source->scans.tail_end_ms;
}

/* After a long absence: does the group still keep what was not read? *out_asked: a call was made. */
static int check_retention(struct source *source, const struct source_request *request,
			   struct source_batch *batch, bool *out_asked, struct error *err)
{
	int64_t now_ns = clock_now(&source->clock);
	int64_t from_ms = unread_from(source);
	int64_t days = 0;
	struct group_ask ask = {.request = request, .now_ns = now_ns};

	int64_t began_ms = source->scans.began_ms[SCAN_TAIL];

	*out_asked = false;
	if (from_ms == SCAN_NONE || began_ms == SCAN_NONE ||
	    began_ms == source->retention_asked_ms ||
	    now_ns / NS_PER_MS - began_ms < RETENTION_LEAST_NS / NS_PER_MS) {
		return 0;
	}
	*out_asked = true;
	pace_call(&source->pace, clock_monotonic_ns());
	int rc = group_retention(&source->group, &ask, &days, err);
	if (rc == -ERR_GONE) {
		source->retention_asked_ms = began_ms;
		source->note = "logs:DescribeLogGroups is refused, so whether lines were deleted "
			       "while the collector was away cannot be told";
		return 0;
	}
	if (rc != 0) {
		return rc;
	}
	source->retention_asked_ms = began_ms;
	int64_t kept_ms = (now_ns - days * NS_PER_DAY) / NS_PER_MS;
	struct gap_span span = {.kind = "retention", .from_ms = from_ms, .to_ms = kept_ms};
	return days > 0 && days < 36500 && kept_ms > from_ms ? put_gap(source, batch, &span, err)
							     : 0;
}

/* A page was refused. A lost token is no failure of the fetch, as long as it does not happen again and again. */
static int page_failed(struct source *source, enum scan_kind kind, int rc, struct error *err)
{
	const struct scan *scan = &source->scans.scan[kind];

	if (source->answer.kind == AWSERROR_THROTTLED) {
		pace_throttled(&source->pace);
		source->tallies.throttled++;
	}
	if (source->answer.kind == AWSERROR_GONE) {
		source->gone = true;
	}
	if (source->answer.kind != AWSERROR_PARAMETER || scan->token.len == 0) {
		return rc;
	}
	scans_token_lost(&source->scans, kind);
	source->tallies.tokens_lost++;
	if (++source->tokens_lost <= TOKENS_LOST_MAX) {
		return 0;
	}
	err->code = ERR_AGAIN;
	return -ERR_AGAIN;
}

/* Asks for the next page of a scan. *out_have stays false when its token was lost. */
static int fetch_page(struct source *source, const struct source_request *request,
		      enum scan_kind kind, bool *out_have, struct error *err)
{
	struct group_ask ask = {.request = request, .now_ns = clock_now(&source->clock)};

	arena_clear(&source->page_arena);
	source->answer = (struct group_answer){.arena = &source->page_arena};
	pace_call(&source->pace, clock_monotonic_ns());
	int rc = group_page(&source->group, &source->scans.scan[kind], &ask, &source->answer, err);
	if (rc != 0) {
		return page_failed(source, kind, rc, err);
	}
	pace_good(&source->pace);
	source->tallies.pages++;
	if (source->answer.page.next_token.len == 0) {
		source->tokens_lost = 0;
	}
	source->have_page = true;
	source->page_kind = kind;
	source->page_next = 0;
	*out_have = true;
	return 0;
}

/* Counts a line that is given for the first time in this process. */
static void count_line(struct source *source, const struct reply_event *event,
		       const struct line *line)
{
	struct tallies *tallies = &source->tallies;

	tallies->lines++;
	if (event->timestamp_ms != INT64_MIN && event->ingestion_ms != INT64_MIN) {
		int64_t late_ms;
		if (!__builtin_sub_overflow(event->ingestion_ms, event->timestamp_ms, &late_ms)) {
			tallies_late(tallies, late_ms);
		}
	}
	if (source->page_kind != SCAN_TAIL && line->exact &&
	    event->timestamp_ms >= source->recent.complete_ms) {
		tallies->found_by_sweep++;
	}
	if (line->exact) {
		recent_add(&source->recent, line->key, event->timestamp_ms);
	}
}

/* One event; it takes the next place in the batch unless it was given before or is noise. */
static int give_event(struct source *source, const struct reply_event *event,
		      struct source_batch *batch, size_t *io_bytes, struct error *err)
{
	struct line line;
	struct line_context context = {.source = buf_str(&source->name),
				       .format = source->format,
				       .fallback_ms =
					       source->scans.scan[source->page_kind].start_ms,
				       .arena = batch->arena};

	*io_bytes += event->message.len;
	int rc = line_read(event, batch->arena, &source->scratch, &line, err);
	if (rc != 0) {
		return rc;
	}
	if (line.noise) {
		source->tallies.noise++;
		return 0;
	}
	if (line.exact && recent_has(&source->recent, line.key)) {
		source->tallies.repeats++;
		return 0;
	}
	struct record *record = &batch->records[batch->record_count];
	rc = line_record(&context, event, &line, record, err);
	if (rc != 0) {
		return rc;
	}
	batch->record_count++;
	source->tallies.rejects += record->kind == RECORD_REJECT;
	count_line(source, event, &line);
	return 0;
}

/* The next part of the page in memory; the last part moves its scan on. */
static int give_slice(struct source *source, struct source_batch *batch, struct error *err)
{
	const struct reply_page *page = &source->answer.page;
	size_t left = page->event_count - source->page_next;
	size_t most = left < SLICE_RECORDS ? left : SLICE_RECORDS;
	size_t bytes = 0;

	batch->records = arena_alloc(batch->arena, (most + 1) * sizeof(*batch->records));
	if (batch->records == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu lines", most);
	}
	if (source->recent.complete_ms == INT64_MAX) {
		/* what this process gives from here on is remembered */
		source->recent.complete_ms = source->page_kind == SCAN_TAIL
						     ? source->scans.scan[SCAN_TAIL].start_ms
						     : INT64_MAX;
	}
	for (size_t i = 0; i < most && bytes < SLICE_BYTES; i++) {
		int rc = give_event(source, &page->events[source->page_next], batch, &bytes, err);
		if (rc != 0) {
			return rc;
		}
		source->page_next++;
	}
	if (source->page_next < page->event_count) {
		source->scans.scan[source->page_kind].slice++;
		return 0;
	}
	source->have_page = false;
	scans_page_done(&source->scans, &source->options, source->page_kind, page->next_token,
			now_ms(source));
	return 0;
}

/* The group is back after it was gone: what stood between was not read. */
static int note_return(struct source *source, struct source_batch *batch, bool *out_given,
		       struct error *err)
{
	int64_t from_ms = unread_from(source);

	*out_given = source->gone && from_ms != SCAN_NONE;
	source->gone = false;
	struct gap_span span = {
		.kind = "lost_records", .from_ms = from_ms, .to_ms = now_ms(source)};
	return *out_given ? put_gap(source, batch, &span, err) : 0;
}

/* What the batch says besides its records. */
static void describe(struct source *source, struct source_batch *batch)
{
	int64_t wall_ms = now_ms(source);
	int64_t settled_ms = source->scans.settled_ms;
	int64_t pace_ns = pace_wait_ns(&source->pace, clock_monotonic_ns());
	int64_t wait_ns = scans_wait_ms(&source->scans, &source->options, wall_ms) * NS_PER_MS;
	struct str counts;

	batch->watermark_ns =
		settled_ms == SCAN_NONE ? FEED_WATERMARK_NONE : settled_ms * NS_PER_MS;
	batch->more = source->have_page || scans_busy(&source->scans);
	batch->pace_ns = source->have_page ? 0 : pace_ns;
	batch->wait_ns = wait_ns > pace_ns ? wait_ns : pace_ns;
	batch->done = source->finite && !batch->more;
	batch->note = source->note;
	buf_clear(&source->scratch);
	tallies_put(&source->tallies, &source->scratch);
	if (arena_str(batch->arena, buf_str(&source->scratch), &counts) == 0) {
		batch->counts = counts.ptr;
	}
}

/* At most one call, and the records that come of it. *out_moved: the cursor must change. */
static int advance(struct source *source, const struct source_request *request,
		   struct source_batch *batch, bool *out_moved, struct error *err)
{
	enum scan_kind kind;
	int64_t wait_ms;
	bool asked = false;

	if (!source->have_page) {
		int rc = check_retention(source, request, batch, &asked, err);
		if (rc != 0 || asked) {
			*out_moved = batch->record_count > 0;
			return rc;
		}
		if (!scans_choose(&source->scans, &source->options, now_ms(source), &kind,
				  &wait_ms)) {
			return 0;
		}
		bool have = false;
		rc = fetch_page(source, request, kind, &have, err);
		*out_moved = true;
		if (rc != 0 || !have) {
			return rc;
		}
		bool gap = false;
		rc = note_return(source, batch, &gap, err);
		if (rc != 0 || gap) {
			return rc;
		}
	}
	*out_moved = true;
	return give_slice(source, batch, err);
}

static int cloudwatch_fetch(struct source *source, const struct source_request *request,
			    struct source_batch *batch, struct error *err)
{
	struct error own;
	bool moved = false;

	err = err != NULL ? err : &own;
	int rc = take_cursor(source, request->cursor, err);
	if (rc != 0) {
		return rc;
	}
	batch->record_count = 0;
	size_t before = source->page_next;
	bool had_page = source->have_page;
	rc = advance(source, request, batch, &moved, err);
	if (rc != 0) {
		if (source->have_page || had_page || before != source->page_next) {
			forget(source); /* some lines of the page may count as given already */
		}
		return rc;
	}
	describe(source, batch);
	return give_cursor(source, moved, batch->cursor, err);
}

const struct source_type source_cloudwatch = {
	.name = "cloudwatch",
	.summary = "API Gateway access logs from a CloudWatch log group.",
	.kinds = 1u << RECORD_REQUEST,
	.open = cloudwatch_open,
	.fetch = cloudwatch_fetch,
	.close = cloudwatch_close,
};
