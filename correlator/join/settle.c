#include "correlator/join/settle.h"

static int by_time(uint32_t a, uint32_t b, const void *owner)
{
	const struct book *book = owner;
	int64_t x = book->statements[a].at_ns, y = book->statements[b].at_ns;
	return x < y ? -1 : x > y;
}

static int by_end(uint32_t a, uint32_t b, const void *owner)
{
	const struct book *book = owner;
	int64_t x = book->requests[a].end_ns, y = book->requests[b].end_ns;
	return x < y ? -1 : x > y;
}

static struct horizon horizon_of(const struct book *book)
{
	int64_t slack_ns = book->options.slack_ns, newest_ns;
	int64_t requests_ns = book->requests_ns, statements_ns = book->statements_ns;
	bool all = requests_ns == INT64_MAX && statements_ns == INT64_MAX;
	if (requests_ns == INT64_MAX && statements_ns != INT64_MIN) {
		newest_ns = statements_ns;
	} else if (statements_ns == INT64_MAX && requests_ns != INT64_MIN) {
		newest_ns = requests_ns;
	} else {
		newest_ns = requests_ns > statements_ns ? requests_ns : statements_ns;
	}
	struct horizon horizon = {.history_ns = statements_ns, .provisional_ns = newest_ns};
	if (statements_ns != INT64_MAX && statements_ns != INT64_MIN) {
		horizon.history_ns = book_add_ns(statements_ns, book->min_offset_ns);
	}
	horizon.request_ns = horizon.history_ns;
	if (horizon.history_ns != INT64_MAX) {
		horizon.request_ns = book_add_ns(horizon.history_ns, -slack_ns);
	}
	horizon.statement_ns = requests_ns;
	if (requests_ns != INT64_MAX) {
		horizon.statement_ns = book_add_ns(requests_ns, -slack_ns);
	}
	if (horizon.history_ns < horizon.statement_ns) {
		horizon.statement_ns = horizon.history_ns;
	}
	if (!all && newest_ns != INT64_MAX) {
		horizon.provisional_ns = book_add_ns(newest_ns, -book->options.provisional_ns);
	}
	horizon.lone_ns = statements_ns == INT64_MIN ? INT64_MIN : horizon.provisional_ns;
	return horizon;
}

static uint32_t first_at_or_after(const struct timeline *line, const struct book *book,
				  bool requests, int64_t time_ns)
{
	uint32_t low = 0, high = line->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int64_t at_ns = requests ? book->requests[line->at[middle]].end_ns
					 : book->statements[line->at[middle]].at_ns;
		if (at_ns < time_ns) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* Marks what is still open and lies between where a horizon was and where it is. */
static int touch_between(struct book *book, bool requests, int64_t was_ns, int64_t is_ns)
{
	const struct timeline *line = requests ? &book->requests_by_end : &book->statements_by_time;
	if (was_ns >= is_ns) {
		return 0;
	}
	for (uint32_t i = first_at_or_after(line, book, requests, was_ns); i < line->count; i++) {
		uint32_t item = line->at[i];
		int64_t at_ns =
			requests ? book->requests[item].end_ns : book->statements[item].at_ns;
		bool open = requests ? (book->requests[item].flags & REQUEST_OPEN) != 0
				     : (book->statements[item].flags & STATEMENT_OPEN) != 0;
		if (at_ns > is_ns) {
			break;
		}
		int rc = !open      ? 0
			 : requests ? book_touch_request(book, item)
				    : book_touch_statement(book, item);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

int settle_to(struct book *book, int64_t requests_ns, int64_t statements_ns)
{
	book->requests_ns = requests_ns > book->requests_ns ? requests_ns : book->requests_ns;
	book->statements_ns =
		statements_ns > book->statements_ns ? statements_ns : book->statements_ns;
	struct horizon was = book->horizon, is = horizon_of(book);
	/* Horizons only rise: one watermark at its end may leave the other, lower one to go by. */
	if (is.provisional_ns < was.provisional_ns) {
		is.provisional_ns = was.provisional_ns;
	}
	is.lone_ns = is.lone_ns < was.lone_ns ? was.lone_ns : is.lone_ns;
	uint32_t first;
	int rc = timeline_sort(&book->statements_by_time, by_time, book, &first);
	if (rc == 0) {
		rc = timeline_sort(&book->requests_by_end, by_end, book, &first);
	}
	book->horizon = is;
	rc = rc != 0 ? rc : touch_between(book, false, was.history_ns, is.history_ns);
	rc = rc != 0 ? rc : touch_between(book, false, was.statement_ns, is.statement_ns);
	rc = rc != 0 ? rc : touch_between(book, false, was.provisional_ns, is.provisional_ns);
	rc = rc != 0 ? rc : touch_between(book, true, was.request_ns, is.request_ns);
	rc = rc != 0 ? rc : touch_between(book, true, was.lone_ns, is.lone_ns);
	return rc;
}
