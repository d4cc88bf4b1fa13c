/* Summaries: two of them compared, and those of several blocks with the sum of theirs. */
#include "store/log/indexes-inner.h"
#include "store/rollup.h"
#include "store/summary-inner.h"

static bool is_same(const struct summary_field *a, const struct summary_field *b)
{
	bool same = a->count == b->count && a->absent_rows == b->absent_rows &&
		    a->absent_statements == b->absent_statements;
	for (size_t i = 0; same && i < a->count; i++) {
		bool statements = a->statements == NULL || b->statements == NULL ||
				  a->statements[i] == b->statements[i];
		same = a->rows[i] == b->rows[i] && statements &&
		       str_equal(a->values[i], b->values[i]);
	}
	return same;
}

const char *indexes_compare(const struct summary *stored, const struct summary *made)
{
	struct summary_field was, is;
	for (size_t i = 0; i < SUMMARY_COLUMNS; i++) {
		struct summary_column column = summary_column_at(i);
		if (!summary_field(stored, column.kind, column.field, &was)) {
			continue;
		}
		if (!summary_field(made, column.kind, column.field, &is) || !is_same(&was, &is)) {
			return field_info(column.field)->name;
		}
	}
	if (summary_lone_statements(stored) != summary_lone_statements(made)) {
		return "statements without a request";
	}
	return summary_is_whole(stored) && !summary_is_whole(made) ? "wholeness" : NULL;
}

static int open_of(struct indexes *indexes, uint64_t number, struct summary **out,
		   struct error *err)
{
	struct store *store = indexes->store;
	buf_clear(&indexes->stored);
	int rc = blocks_blob(store->reading, number, BLOCKS_SUMMARY, &indexes->stored, err);
	return rc < 0 ? rc : summary_open(number, buf_str(&indexes->stored), store->key, out, err);
}

/* Adds one block's summary to the sum. */
static int add(struct indexes *indexes, struct summary **sum, uint64_t number, struct error *err)
{
	struct summary *both[2] = {*sum, NULL};
	int rc = open_of(indexes, number, &both[1], err);
	if (rc < 0 || *sum == NULL) {
		*sum = rc < 0 ? *sum : both[1];
		return rc;
	}
	const struct summary_set set = {both, 2, number, indexes->store->key};
	buf_clear(&indexes->made);
	rc = summary_add_up(&set, &indexes->made, err);
	summary_close(both[0]);
	summary_close(both[1]);
	*sum = NULL;
	return rc < 0 ? rc
		      : summary_open(number, buf_str(&indexes->made), indexes->store->key, sum,
				     err);
}

/* The leaves of these blocks. */
static struct indexes_place place_of(const struct indexes *indexes, const uint64_t *numbers,
				     size_t count)
{
	const struct blocks_list *list = indexes->store->sealed;
	struct indexes_place place = {.first = UINT64_MAX};
	for (size_t i = 0, at = 0; i < list->count && at < count; i++) {
		const struct block_about *about = &list->rows[i].about;
		if (about->number == numbers[at]) {
			at++;
			place.first = about->min_leaf < place.first ? about->min_leaf : place.first;
			place.last = about->max_leaf > place.last ? about->max_leaf : place.last;
		}
	}
	place.first = place.first < place.last ? place.first : place.last;
	return place;
}

static int check_one(void *owner, const struct rollup_seen *seen, struct error *err)
{
	struct indexes *indexes = owner;
	struct summary *sum = NULL;
	int rc = 0;
	indexes->result.rollups++;
	for (size_t i = 0; rc == 0 && i < seen->count; i++) {
		rc = add(indexes, &sum, seen->numbers[i], err);
	}
	if (rc == -ERR_GONE) { /* a block that is no more: it answers nobody */
		error_clear(err);
		rc = 0;
	} else if (rc == 0) {
		const char *name = indexes_compare(seen->summary, sum);
		const struct indexes_place place = place_of(indexes, seen->numbers, seen->count);
		if (name != NULL) {
			indexes_tell(indexes, &place,
				     "the summary of blocks %llu to %llu says other than theirs "
				     "(%s)",
				     (unsigned long long)seen->numbers[0],
				     (unsigned long long)seen->numbers[seen->count - 1], name);
		}
	}
	summary_close(sum);
	/* a block's summary that is damaged was told with its block */
	if (rc == -ERR_CORRUPT) {
		error_clear(err);
		rc = 0;
	}
	return rc;
}

int indexes_rollups(struct indexes *indexes, struct error *err)
{
	struct store *store = indexes->store;
	return rollup_walk(store->reading, store->key, check_one, indexes, err);
}
