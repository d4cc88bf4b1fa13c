#include "query/row-order.h"

#include "query/marks.h"

#include <stdlib.h>

static int compare_leaves(const void *left, const void *right)
{
	const struct run_row *a = left;
	const struct run_row *b = right;
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

static int compare_leaf(const void *key, const void *element)
{
	const uint64_t *leaf = key;
	const struct run_row *row = element;
	return (*leaf > row->leaf) - (*leaf < row->leaf);
}

/* The rows, sorted by leaf, and which leaves are wanted: one bit each, so that most of a block is passed over at a glance. */
struct wanted {
	struct run_row *rows;
	size_t count;
	uint8_t *bits;
	uint64_t end; /* of the bits */
};

/* Sets the times of the rows whose leaves lie in the block. */
static void take_times(const struct scan_block *block, const struct wanted *wanted)
{
	const uint64_t *leaves = scan_leaves(block);
	for (size_t i = 0; i < scan_row_count(block); i++) {
		uint64_t leaf = leaves[i];
		if (leaf >= wanted->end || (wanted->bits[leaf / 8] >> leaf % 8 & 1) == 0) {
			continue;
		}
		struct run_row *row = bsearch(&leaf, wanted->rows, wanted->count,
					      sizeof(wanted->rows[0]), compare_leaf);
		row->time_ns = scan_times(block)[i]; /* its bit is set, so it is there */
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

static int read_times(struct store *store, const struct wanted *wanted, struct error *damage,
		      struct error *err)
{
	const struct scan_options trail = {1u << RECORD_STATEMENT | 1u << RECORD_REQUEST, INT64_MIN,
					   INT64_MAX};
	struct scan *scan;
	struct error local;
	int result = scan_open(store, &trail, &scan, err);
	if (result != 0) {
		return result;
	}
	do {
		const struct scan_block *block;
		result = scan_next(scan, &block, &local);
		if (result == 0) {
			take_times(block, wanted);
		} else if (result == -ERR_CORRUPT && damage->code == 0) {
			*damage = local;
		}
	} while (result == 0 || result == -ERR_CORRUPT);
	scan_close(scan);
	if (result == -ERR_GONE) {
		return 0;
	}
	return error_set(err, (enum error_code) - result, "%s", local.text);
}

int row_order_times(struct store *store, struct run_row *rows, size_t count, struct error *err)
{
	if (!has_unknown(rows, count)) {
		return 0;
	}
	qsort(rows, count, sizeof(*rows), compare_leaves);
	struct wanted wanted = {.rows = rows, .count = count, .end = rows[count - 1].leaf + 1};
	wanted.bits = calloc((size_t)(wanted.end / 8 + 1), 1);
	if (wanted.bits == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to put %zu rows in order", count);
	}
	for (size_t i = 0; i < count; i++) {
		if (rows[i].time_ns == MARKS_TIME_UNKNOWN) {
			wanted.bits[rows[i].leaf / 8] |= (uint8_t)(1u << rows[i].leaf % 8);
		}
	}
	struct error damage = {0};
	int result = read_times(store, &wanted, &damage, err);
	free(wanted.bits);
	if (result != 0 || !has_unknown(rows, count)) {
		return result;
	}
	if (damage.code == 0) {
		return error_set(err, ERR_CORRUPT, "records of the answer are not found again");
	}
	return error_set(err, (enum error_code)damage.code, "%s", damage.text);
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
