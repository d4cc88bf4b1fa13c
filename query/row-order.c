#include "query/row-order.h"

#include "query/marks.h"

#include <stdlib.h>

static int compare_leaves(const void *left, const void *right)
{
	const struct run_row *a = left;
	const struct run_row *b = right;
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

/* Sets the times of the rows from *next on whose leaves lie in the block or before it. */
static void take_times(const struct scan_block *block, struct run_row *rows, size_t count,
		       size_t *next)
{
	uint64_t first = scan_first_leaf(block);
	uint64_t end = first + scan_row_count(block);
	for (; *next < count && rows[*next].leaf < end; (*next)++) {
		struct run_row *row = &rows[*next];
		if (row->time_ns == MARKS_TIME_UNKNOWN && row->leaf >= first) {
			row->time_ns = scan_times(block)[row->leaf - first];
		}
	}
}

static bool has_unknown(const struct run_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].time_ns == MARKS_TIME_UNKNOWN) {
			return true;
		}
	}
	return false;
}

int row_order_times(struct store *store, struct run_row *rows, size_t count, struct error *err)
{
	const struct scan_options trail = {1u << RECORD_STATEMENT | 1u << RECORD_REQUEST, INT64_MIN,
					   INT64_MAX};
	size_t next = 0;
	if (!has_unknown(rows, count)) {
		return 0;
	}
	struct scan *scan;
	struct error local;
	int result = scan_open(store, &trail, &scan, err);
	if (result != 0) {
		return result;
	}
	qsort(rows, count, sizeof(*rows), compare_leaves);
	next = 0;
	struct error damage = {0};
	while (next < count) {
		const struct scan_block *block;
		result = scan_next(scan, &block, &local);
		if (result == 0) {
			take_times(block, rows, count, &next);
		} else if (result == -ERR_CORRUPT) {
			damage = damage.code == 0 ? local : damage;
		} else {
			break;
		}
	}
	scan_close(scan);
	if (next < count && result != -ERR_CORRUPT && result != -ERR_GONE) {
		damage = local;
	} else if (!has_unknown(rows, count)) {
		return 0;
	}
	if (err != NULL) {
		*err = damage;
	}
	return -damage.code;
}

static int compare_rows(const void *left, const void *right)
{
	const struct run_row *a = left;
	const struct run_row *b = right;
	if (a->time_ns != b->time_ns) {
		return a->time_ns < b->time_ns ? -1 : 1;
	}
	if (a->id != b->id) {
		return a->id < b->id ? -1 : 1;
	}
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

static uint64_t id_number(const struct record *record)
{
	char text[RECORD_ID_DIGITS + 1];
	uint64_t id = 0;
	record_stable_id(record->source, record->key, text);
	for (size_t i = 0; i < RECORD_ID_DIGITS; i++) {
		uint64_t digit =
			text[i] <= '9' ? (uint64_t)(text[i] - '0') : (uint64_t)(text[i] - 'a' + 10);
		id = id << 4 | digit;
	}
	return id;
}

/* Gives the rows, all of one time, their ids and sorts them by it. */
static void order_by_id(struct scan_fetch *fetch, struct run_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct record record;
		int64_t ingest_ns;
		if (scan_fetch_record(fetch, rows[i].leaf, &record, &ingest_ns, NULL) == 0) {
			rows[i].id = id_number(&record);
		}
	}
	qsort(rows, count, sizeof(*rows), compare_rows);
}

int row_order_sort(struct store *store, struct run_row *rows, size_t count, struct error *err)
{
	struct scan_fetch *fetch = NULL;
	int result = 0;
	if (count > 1) {
		qsort(rows, count, sizeof(*rows), compare_rows);
	}
	for (size_t begin = 0; result == 0 && begin < count;) {
		size_t end = begin + 1;
		while (end < count && rows[end].time_ns == rows[begin].time_ns) {
			end++;
		}
		if (end - begin > 1 && fetch == NULL) {
			result = scan_fetch_open(store, &fetch, err);
		}
		if (end - begin > 1 && result == 0) {
			order_by_id(fetch, rows + begin, end - begin);
		}
		begin = end;
	}
	scan_fetch_close(fetch);
	return result;
}
