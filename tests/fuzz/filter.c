/* Proves: any text is a filter or an error with a place; the normal form reads back to itself; a plan over it never fails in another
 * way; times never overflow. */
#include "base/clock.h"
#include "query/plan.h"
#include "query/when.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void normal_form(const struct query *query, struct arena *arena)
{
	struct buf once;
	struct buf twice;
	struct query again;
	buf_init(&once, 0);
	buf_init(&twice, 0);
	query_put(query, &once);
	int result = query_parse(buf_str(&once), arena, &again, NULL);
	/* The parentheses of the normal form may make it longer or deeper than what is allowed. */
	assert(result == 0 || result == -ERR_LIMIT);
	if (result == 0) {
		query_put(&again, &twice);
		assert(str_equal(buf_str(&once), buf_str(&twice)));
	}
	buf_done(&once);
	buf_done(&twice);
}

static void round_trip(struct str text, const struct zone *zone)
{
	struct when when;
	struct when again;
	if (when_parse(text, zone, INT64_C(1795341600) * NS_PER_SEC, &when, NULL) != 0) {
		return;
	}
	struct buf buf;
	buf_init(&buf, 0);
	when_put(&buf, zone, when.from_ns, 9, true);
	if (when.from_ns > INT64_C(-9000000000) * NS_PER_SEC &&
	    when.from_ns < INT64_C(9000000000) * NS_PER_SEC) {
		assert(when_parse(buf_str(&buf), zone, 0, &again, NULL) == 0);
		assert(again.from_ns == when.from_ns);
	}
	buf_done(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct zone zone = zone_utc();
	struct arena arena;
	struct query query;
	struct error err;
	arena_init(&arena, 8u << 20);
	if (query_parse(text, &arena, &query, &err) == 0) {
		struct plan_options options = {INT64_MIN, INT64_MAX, 0, {&zone, 0}};
		struct plan *plan = calloc(1, sizeof(*plan));
		assert(plan != NULL);
		int result = plan_make(&query, &options, plan, &err);
		assert(result == 0 || result == -ERR_USAGE || result == -ERR_LIMIT);
		if (result == 0) {
			struct record record;
			record_init(&record, RECORD_STATEMENT);
			record_set_text(&record, FIELD_statement, text);
			record_set_number(&record, FIELD_rows, (int64_t)size);
			(void)plan_holds(plan,
					 plan_record_atoms(plan, SIDE_STATEMENT, &record, size));
		}
		normal_form(&query, &arena);
		free(plan);
	} else {
		assert(err.code == ERR_LIMIT || strncmp(err.text, "query:", 6) == 0);
	}
	round_trip(text, &zone);
	arena_done(&arena);
	return 0;
}
