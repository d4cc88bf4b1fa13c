#include "correlator/join/clocks.h"

#include <stdlib.h>

struct edge {
	int64_t at_ns;
	int opens; /* 1 where an interval begins, -1 where it ends */
};

static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	if (x->at_ns != y->at_ns) {
		return x->at_ns < y->at_ns ? -1 : 1;
	}
	/* Intervals that touch do intersect. */
	return y->opens - x->opens;
}

int clocks_intersect(const struct clock_interval *interval, size_t count,
		     struct join_clock_estimate *out)
{
	struct edge *edge = reallocarray(NULL, count * 2, sizeof *edge);
	if (edge == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		edge[2 * i] = (struct edge){.at_ns = interval[i].low_ns, .opens = 1};
		edge[2 * i + 1] = (struct edge){.at_ns = interval[i].high_ns, .opens = -1};
	}
	qsort(edge, count * 2, sizeof *edge, by_time);
	size_t open = 0, most = 0;
	int64_t low = 0, high = 0;
	for (size_t i = 0; i < count * 2; i++) {
		if (edge[i].opens < 0) {
			open--;
			continue;
		}
		open++;
		if (open > most) {
			most = open;
			low = edge[i].at_ns;
			high = edge[i + 1].at_ns; /* an opening edge is never the last */
		}
	}
	free(edge);
	int64_t width = book_subtract_ns(high, low);
	out->offset_ns = low + width / 2;
	out->bound_ns = width - width / 2;
	out->pair_count = most;
	out->outlier_count = count - most;
	return 0;
}

bool clocks_pair(const struct book *book, const struct statement *row, struct clock_interval *out)
{
	const struct request *request = &book->requests[row->request];
	int64_t raw_ns = book_subtract_ns(row->at_ns, book->sources[row->source].offset_ns);
	if ((request->flags & REQUEST_NO_LATENCY) != 0) {
		return false;
	}
	*out = (struct clock_interval){.low_ns = book_subtract_ns(request->start_ns, raw_ns),
				       .high_ns = book_subtract_ns(request->end_ns, raw_ns)};
	return true;
}

/* Whether a pair stands in the book again. */
static bool is_back(const struct book *book, uint64_t leaf)
{
	uint32_t item = book_find_leaf(book, leaf);
	return item != BOOK_NONE && (item & BOOK_REQUEST_BIT) == 0 &&
	       (book->statements[item].flags & STATEMENT_EXACT) != 0;
}

/* The newest forgotten pair of a source from a place on, whose statement is not back; NULL. */
static const struct past_pair *forgotten(const struct book *book, uint16_t source, uint32_t *at)
{
	const struct past *past = &book->past;
	while (*at < past->pair_count &&
	       (past->pairs[*at].source != source || is_back(book, past->pairs[*at].leaf))) {
		++*at;
	}
	return *at < past->pair_count ? &past->pairs[*at] : NULL;
}

/* The newest pairs of a source, forgotten ones too; returns their count. */
static size_t collect(const struct book *book, uint16_t source, struct clock_interval *out)
{
	const struct timeline *line = &book->statements_by_time;
	size_t count = 0;
	uint32_t i = line->count, old = 0;
	const struct past_pair *pair = forgotten(book, source, &old);
	while (count < CLOCKS_PAIRS_MAX && (i > 0 || pair != NULL)) {
		const struct statement *row = i > 0 ? &book->statements[line->at[i - 1]] : NULL;
		if (pair != NULL && (row == NULL || pair->at_ns >= row->at_ns)) {
			out[count++] = pair->interval;
			old++;
			pair = forgotten(book, source, &old);
			continue;
		}
		i--;
		if (row->source == source && (row->flags & STATEMENT_EXACT) != 0 &&
		    row->request != BOOK_NONE && clocks_pair(book, row, &out[count])) {
			count++;
		}
	}
	return count;
}

size_t clocks_estimate(const struct book *book, struct join_clock_estimate *out, size_t max)
{
	struct clock_interval *interval = reallocarray(NULL, CLOCKS_PAIRS_MAX, sizeof *interval);
	size_t written = 0;
	for (uint32_t i = 0; interval != NULL && i < book->source_count && written < max; i++) {
		size_t count = collect(book, (uint16_t)i, interval);
		if (count > 0 && clocks_intersect(interval, count, &out[written]) == 0) {
			out[written++].source = book->sources[i].name;
		}
	}
	free(interval);
	return written;
}
