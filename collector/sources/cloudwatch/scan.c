#include "collector/sources/cloudwatch/scan.h"

#include "base/wire.h"

#include <assert.h>

#define CURSOR_VERSION  1
#define HOUR_MS         (INT64_C(3600) * 1000)
#define WINDOW_FIRST_MS HOUR_MS
#define WINDOW_MAX_MS   (7 * 24 * HOUR_MS)
#define PAGES_MANY      32

void scans_init(struct scans *scans)
{
	*scans = (struct scans){.origin_ms = SCAN_NONE,
				.tail_end_ms = SCAN_NONE,
				.settled_ms = SCAN_NONE,
				.window_ms = WINDOW_FIRST_MS};
	for (int i = 0; i < SCAN_KINDS; i++) {
		scans->began_ms[i] = SCAN_NONE;
		buf_init(&scans->scan[i].token, SCAN_TOKEN_MAX);
	}
}

void scans_done(struct scans *scans)
{
	for (int i = 0; i < SCAN_KINDS; i++) {
		buf_done(&scans->scan[i].token);
	}
}

static void read_scan(struct wire_reader *reader, struct scan *scan)
{
	scan->active = true;
	scan->start_ms = wire_zigzag(reader);
	scan->end_ms = wire_zigzag(reader);
	scan->goal_ms = wire_zigzag(reader);
	scan->started_ms = wire_zigzag(reader);
	scan->token_ms = wire_zigzag(reader);
	buf_put_str(&scan->token, wire_block(reader, SCAN_TOKEN_MAX - 1));
	scan->slice = wire_varint(reader);
}

/* Whether a scan makes sense: what a cursor says is not trusted to be ours. */
static bool plausible(const struct scan *scan)
{
	return !scan->active || (scan->start_ms >= 0 && scan->start_ms <= scan->end_ms &&
				 scan->end_ms <= scan->goal_ms && scan->goal_ms < INT64_MAX / 4 &&
				 !scan->token.failed);
}

int scans_read(struct scans *scans, struct str cursor, struct error *err)
{
	struct wire_reader reader = wire_reader(cursor);
	bool good = true;

	scans_done(scans);
	scans_init(scans);
	if (cursor.len == 0) {
		return 0;
	}
	uint8_t version = wire_u8(&reader);
	scans->serial = wire_varint(&reader);
	scans->origin_ms = wire_zigzag(&reader);
	scans->tail_end_ms = wire_zigzag(&reader);
	scans->settled_ms = wire_zigzag(&reader);
	for (int i = 0; i < SCAN_KINDS; i++) {
		scans->began_ms[i] = wire_zigzag(&reader);
	}
	uint8_t active = wire_u8(&reader);
	for (unsigned i = 0; i < SCAN_KINDS; i++) {
		if ((active >> i & 1) != 0) {
			read_scan(&reader, &scans->scan[i]);
		}
		good = good && plausible(&scans->scan[i]);
	}
	if (reader.failed || wire_left(&reader) > 0 || version != CURSOR_VERSION || !good ||
	    active >= 1u << SCAN_KINDS) {
		scans_done(scans);
		scans_init(scans);
		return error_set(err, ERR_CORRUPT,
				 "the stored cursor (%zu bytes) is not one of ours", cursor.len);
	}
	return 0;
}

void scans_put(const struct scans *scans, struct buf *out)
{
	uint8_t active = 0;

	wire_put_u8(out, CURSOR_VERSION);
	wire_put_varint(out, scans->serial);
	wire_put_zigzag(out, scans->origin_ms);
	wire_put_zigzag(out, scans->tail_end_ms);
	wire_put_zigzag(out, scans->settled_ms);
	for (unsigned i = 0; i < SCAN_KINDS; i++) {
		wire_put_zigzag(out, scans->began_ms[i]);
		active = (uint8_t)(active | (scans->scan[i].active ? 1u << i : 0));
	}
	wire_put_u8(out, active);
	for (int i = 0; i < SCAN_KINDS; i++) {
		const struct scan *scan = &scans->scan[i];
		if (scan->active) {
			wire_put_zigzag(out, scan->start_ms);
			wire_put_zigzag(out, scan->end_ms);
			wire_put_zigzag(out, scan->goal_ms);
			wire_put_zigzag(out, scan->started_ms);
			wire_put_zigzag(out, scan->token_ms);
			wire_put_block(out, buf_str(&scan->token));
			wire_put_varint(out, scan->slice);
		}
	}
}

static int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The time at which a kind of scan is due: now or earlier means now; INT64_MAX while it has to wait for another. */
static int64_t due_ms(const struct scans *scans, const struct scan_options *options,
		      enum scan_kind kind, int64_t now_ms)
{
	int64_t began_ms = scans->began_ms[kind];
	int64_t interval_ms = 0;

	if (scans->scan[kind].active) {
		return now_ms;
	}
	switch (kind) {
	case SCAN_TAIL:
		interval_ms = options->poll_ms;
		break;
	case SCAN_SETTLE: /* the first follows the first finished tail at once */
		interval_ms = options->settle_interval_ms;
		if (scans->tail_end_ms == SCAN_NONE || scans->scan[SCAN_TAIL].active) {
			return INT64_MAX;
		}
		break;
	case SCAN_DEEP:
		interval_ms = options->deep_interval_ms;
		if (scans->tail_end_ms == SCAN_NONE) {
			return INT64_MAX;
		}
		break;
	}
	if (began_ms == SCAN_NONE || began_ms > now_ms) { /* never, or the clock was set back */
		return now_ms;
	}
	return began_ms + interval_ms;
}

/* Where the scan's range lies; false when there is nothing to ask for. */
static bool range_of(const struct scans *scans, const struct scan_options *options,
		     enum scan_kind kind, int64_t now_ms, struct scan *scan)
{
	int64_t settled_ms = scans->settled_ms;

	switch (kind) {
	case SCAN_TAIL:
		scan->goal_ms = now_ms;
		scan->start_ms = scans->tail_end_ms == SCAN_NONE
					 ? scans->origin_ms
					 : min_of(scans->tail_end_ms, now_ms) - options->overlap_ms;
		break;
	case SCAN_SETTLE: /* back to what is settled, also after a long absence */
		scan->goal_ms = now_ms - options->settle_delay_ms;
		scan->start_ms = min_of(now_ms - options->settle_window_ms,
					settled_ms == SCAN_NONE ? scans->origin_ms : settled_ms);
		break;
	case SCAN_DEEP:
		scan->goal_ms = now_ms - options->settle_delay_ms;
		scan->start_ms = now_ms - options->deep_window_ms;
		break;
	}
	scan->start_ms = max_of(max_of(scan->start_ms, scans->origin_ms), 0);
	if (kind == SCAN_TAIL) {
		scan->start_ms = min_of(scan->start_ms, scan->goal_ms);
	}
	return scan->start_ms <= scan->goal_ms;
}

static void first_page(struct scan *scan)
{
	buf_clear(&scan->token);
	scan->token_ms = 0;
	scan->slice = 0;
}

/* Begins a scan; false when there is nothing to ask for yet. */
static bool begin(struct scans *scans, const struct scan_options *options, enum scan_kind kind,
		  int64_t now_ms)
{
	struct scan *scan = &scans->scan[kind];

	if (scans->origin_ms == SCAN_NONE) {
		scans->origin_ms = max_of(now_ms - options->start_ms, 0);
		scans->began_ms[SCAN_DEEP] =
			now_ms; /* nothing older than the first scan is wanted */
	}
	scans->began_ms[kind] = now_ms;
	if (!range_of(scans, options, kind, now_ms, scan)) {
		return false;
	}
	scan->active = true;
	scan->started_ms = now_ms;
	scan->end_ms = min_of(scan->start_ms + scans->window_ms, scan->goal_ms);
	first_page(scan);
	if (kind == SCAN_TAIL) {
		scans->window_pages = 0;
	}
	return true;
}

bool scans_busy(const struct scans *scans)
{
	for (int i = 0; i < SCAN_KINDS; i++) {
		if (scans->scan[i].active) {
			return true;
		}
	}
	return scans->tail_end_ms == SCAN_NONE || scans->began_ms[SCAN_SETTLE] == SCAN_NONE;
}

int64_t scans_wait_ms(const struct scans *scans, const struct scan_options *options, int64_t now_ms)
{
	int64_t first_ms = INT64_MAX;

	for (int i = 0; i < SCAN_KINDS; i++) {
		first_ms = min_of(first_ms, due_ms(scans, options, (enum scan_kind)i, now_ms));
	}
	return max_of(first_ms - now_ms, 0);
}

/* Begins the scan when it is due and has something to ask for; true when it is under way then. */
static bool take_up(struct scans *scans, const struct scan_options *options, enum scan_kind kind,
		    int64_t now_ms)
{
	struct scan *scan = &scans->scan[kind];

	if (due_ms(scans, options, kind, now_ms) > now_ms ||
	    (!scan->active && !begin(scans, options, kind, now_ms))) {
		return false;
	}
	if (scan->token.len > 0 && now_ms - scan->token_ms >= SCAN_TOKEN_LIFE_MS) {
		first_page(scan);
	}
	return true;
}

bool scans_choose(struct scans *scans, const struct scan_options *options, int64_t now_ms,
		  enum scan_kind *out_kind, int64_t *out_wait_ms)
{
	/* a tail that takes longer than its interval must not keep the sweeps waiting for ever */
	bool tail_last = !scans->scan[SCAN_TAIL].active && scans->last == SCAN_TAIL;

	for (int i = 0; i < SCAN_KINDS; i++) {
		enum scan_kind kind =
			tail_last ? (enum scan_kind)((i + 1) % SCAN_KINDS) : (enum scan_kind)i;
		if (take_up(scans, options, kind, now_ms)) {
			scans->last = kind;
			*out_kind = kind;
			*out_wait_ms = 0;
			return true;
		}
	}
	/* 0 would mean that a scan without anything to ask for was begun and ended */
	*out_wait_ms = max_of(scans_wait_ms(scans, options, now_ms), 1);
	return false;
}

/* Quiet windows grow, busy ones shrink, so that both an idle year and a busy hour are cut well. */
static void adapt_window(struct scans *scans)
{
	if (scans->window_pages <= 1) {
		scans->window_ms = min_of(scans->window_ms * 2, WINDOW_MAX_MS);
	} else if (scans->window_pages > PAGES_MANY) {
		scans->window_ms = max_of(scans->window_ms / 2, WINDOW_FIRST_MS);
	}
	scans->window_pages = 0;
}

void scans_page_done(struct scans *scans, const struct scan_options *options, enum scan_kind kind,
		     struct str next_token, int64_t now_ms)
{
	struct scan *scan = &scans->scan[kind];

	(void)options;
	assert(scan->active);
	first_page(scan);
	scans->window_pages += kind == SCAN_TAIL;
	if (next_token.len > 0) {
		buf_put_str(&scan->token, next_token);
		scan->token_ms = now_ms;
		return;
	}
	if (kind == SCAN_TAIL) {
		scans->tail_end_ms = scan->end_ms;
		adapt_window(scans);
	}
	if (scan->end_ms < scan->goal_ms) {
		scan->start_ms = scan->end_ms;
		scan->end_ms = min_of(scan->start_ms + scans->window_ms, scan->goal_ms);
		return;
	}
	scan->active = false;
	if (kind == SCAN_SETTLE) {
		scans->settled_ms = max_of(scans->settled_ms, scan->goal_ms);
	}
}

void scans_token_lost(struct scans *scans, enum scan_kind kind)
{
	struct scan *scan = &scans->scan[kind];

	assert(scan->active);
	first_page(scan);
	if (scan->end_ms > scan->start_ms) {
		scan->end_ms = scan->start_ms + (scan->end_ms - scan->start_ms) / 2;
		scans->window_ms = max_of(scan->end_ms - scan->start_ms, 1);
	}
}
