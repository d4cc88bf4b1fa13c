#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/dataset.h"
#include "store/alerts.h"
#include "tests/golden/story-store.h"

struct asking {
	struct story_store story;
	struct zone zone;
	struct query query;
	struct arena arena;
	struct plan *plan;
	struct dataset dataset;
	struct error err;
};

static void asking_init(struct asking *asking, const char *filter)
{
	memset(asking, 0, sizeof(*asking));
	story_store_init(&asking->story, false, false);
	asking->zone = zone_utc();
	asking->plan = calloc(1, sizeof(*asking->plan));
	assert_non_null(asking->plan);
	arena_init(&asking->arena, 1u << 20);
	struct plan_options options = {INT64_MIN, INT64_MAX, 0, {&asking->zone, STORY_NOW_NS}};
	assert_int_equal(query_parse(str_of(filter), &asking->arena, &asking->query, &asking->err),
			 0);
	assert_int_equal(plan_make(&asking->query, &options, asking->plan, &asking->err), 0);
}

static void asking_open(struct asking *asking, const struct dataset_type *type)
{
	struct dataset_question question = {asking->story.store, &asking->zone, asking->plan};
	assert_int_equal(dataset_open(type, &question, &asking->dataset, &asking->err), 0);
}

static void asking_store(struct asking *asking, enum store_mode mode)
{
	store_close(asking->story.store);
	asking->story.store = NULL;
	assert_int_equal(store_open(asking->story.dir, mode, &asking->story.store, &asking->err),
			 0);
}

static void asking_done(struct asking *asking)
{
	dataset_close(&asking->dataset);
	arena_done(&asking->arena);
	free(asking->plan);
	story_store_done(&asking->story);
}

/* The value of a field by its name, of the row that was read. */
static struct trail_value value_of(struct asking *asking, const char *name)
{
	struct dataset_field fields[DATASET_FIELDS_MAX];
	size_t count = dataset_fields(asking->dataset.type, fields);
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(fields[i].name, name) == 0) {
			struct trail_value value = dataset_value(&asking->dataset, i);
			assert_true(value.type == TRAIL_ABSENT || value.type == fields[i].type);
			return value;
		}
	}
	fail_msg("there is no field %s", name);
	return (struct trail_value){.type = TRAIL_ABSENT};
}

#define assert_text(asking, name, wanted)   assert_true(str_is(value_of(asking, name).text, wanted))
#define assert_number(asking, name, wanted) assert_int_equal(value_of(asking, name).number, wanted)

static void test_fields(void **state)
{
	/* Proves: each dataset is found by its name, and no two of its fields have one name. */
	(void)state;
	size_t type_count;
	const struct dataset_type *const *types = dataset_types(&type_count);
	assert_int_equal(type_count, 8);
	for (size_t t = 0; t < type_count; t++) {
		struct dataset_field fields[DATASET_FIELDS_MAX];
		size_t count = dataset_fields(types[t], fields);
		assert_ptr_equal(dataset_type_find(str_of(types[t]->name)), types[t]);
		for (size_t i = 0; i < count; i++) {
			for (size_t k = 0; k < i; k++) {
				assert_string_not_equal(fields[i].name, fields[k].name);
			}
		}
	}
	assert_null(dataset_type_find(STR_LIT("trail")));
}

static void test_trails(void **state)
{
	/* Proves: trails are those of the filter in the order of time, with the values of statement, verdict and request. */
	(void)state;
	struct asking asking;
	asking_init(&asking, "user:bob*");
	asking_store(&asking, STORE_READ);
	asking_open(&asking, &dataset_trails);
	assert_int_equal(asking.dataset.row_count, 3);
	assert_int_equal(dataset_read(&asking.dataset, 1, &asking.err), 0);
	assert_text(&asking, "user", "bob@example.com");
	assert_text(&asking, "grade", "C");
	assert_text(&asking, "verb", "UPDATE");
	assert_text(&asking, "hour", "2026-11-22 10:00");
	assert_text(&asking, "day", "2026-11-22");
	assert_text(&asking, "month", "2026-11");
	assert_int_equal(asking.dataset.unread, 0);
	asking_done(&asking);
}

static void test_records(void **state)
{
	/* Proves: gaps belong to the range that they overlap, rejects to that of their time. */
	(void)state;
	struct asking asking;
	asking_init(&asking, "");
	asking_store(&asking, STORE_READ);
	asking_open(&asking, &dataset_gaps);
	assert_int_equal(asking.dataset.row_count, 1);
	assert_int_equal(dataset_read(&asking.dataset, 0, &asking.err), 0);
	assert_text(&asking, "gap_kind", "deleted_file");
	assert_number(&asking, "gap_to", STORY_DAY_NS + 9 * NS_PER_HOUR);
	dataset_close(&asking.dataset);
	asking.plan->from_ns = STORY_DAY_NS + 9 * NS_PER_HOUR;
	asking_open(&asking, &dataset_gaps);
	assert_int_equal(asking.dataset.row_count, 0);
	dataset_close(&asking.dataset);
	asking_open(&asking, &dataset_rejects);
	assert_int_equal(asking.dataset.row_count, 1);
	assert_int_equal(dataset_read(&asking.dataset, 0, &asking.err), 0);
	assert_text(&asking, "reason", "no JSON object");
	assert_text(&asking, "source", "api");
	dataset_close(&asking.dataset);
	asking.plan->to_ns = STORY_DAY_NS + 10 * NS_PER_HOUR;
	asking_open(&asking, &dataset_rejects);
	assert_int_equal(asking.dataset.row_count, 0);
	dataset_close(&asking.dataset);
	asking_open(&asking, &dataset_accesses);
	assert_int_equal(asking.dataset.row_count, 0);
	asking_done(&asking);
}

static void test_sources(void **state)
{
	/* Proves: a source says how far it is read, whether it covers the range and why not, whether its counts add up, and its clock. */
	(void)state;
	struct asking asking;
	asking_init(&asking, "");
	asking_store(&asking, STORE_WRITE);
	assert_int_equal(store_meta_put(asking.story.store, "clock.sql01",
					STR_LIT("-1500000 2500000 40 1"), &asking.err),
			 0);
	asking_open(&asking, &dataset_sources);
	assert_int_equal(asking.dataset.row_count, 2);
	assert_int_equal(dataset_read(&asking.dataset, 0, &asking.err), 0);
	assert_text(&asking, "source", "api");
	assert_number(&asking, "complete", 1);
	assert_number(&asking, "adds_up", 1);
	assert_int_equal(value_of(&asking, "clock_offset_us").type, TRAIL_ABSENT);
	assert_int_equal(dataset_read(&asking.dataset, 1, &asking.err), 0);
	assert_text(&asking, "state", "retrying");
	assert_text(&asking, "why", "cannot be reached");
	assert_number(&asking, "complete", 0);
	assert_number(&asking, "clock_offset_us", -1500);
	assert_number(&asking, "clock_bound_us", 2500);
	asking_done(&asking);
}

static void put_alert(struct asking *asking)
{
	struct record record;
	struct buf encoded;
	uint64_t leaf = 0;
	struct store *store = asking->story.store;
	buf_init(&encoded, 0);
	record_init(&record, RECORD_ALERT);
	record.source = STR_LIT("querytraild");
	record.key = STR_LIT("alert/1");
	record.time_ns = STORY_DAY_NS + 10 * NS_PER_HOUR;
	record_set_text(&record, FIELD_title, STR_LIT("Delete by hand"));
	assert_int_equal(record_encode(&record, &encoded, &asking->err), 0);
	assert_int_equal(store_begin(store, STORY_NOW_NS, &asking->err), 0);
	assert_int_equal(store_append(store, &record, buf_str(&encoded), &leaf, &asking->err), 0);
	const struct store_alert alert = {
		.id = STR_LIT("00112233445566aa"),
		.state = ALERT_STATE_ACKNOWLEDGED,
		.revision = 2,
		.severity = 4,
		.rule = STR_LIT("rule-1"),
		.leaf = leaf,
		.verdict_leaf = ALERTS_NO_LEAF,
		.statement_leaf = asking->story.leaf[STORY_S_BOB],
		.request_leaf = asking->story.leaf[STORY_R_BOB],
		.other_leaf = ALERTS_NO_LEAF,
		.time_ns = STORY_DAY_NS + 10 * NS_PER_HOUR,
		.fired_ns = STORY_DAY_NS + 11 * NS_PER_HOUR,
		.changed_ns = STORY_DAY_NS + 11 * NS_PER_HOUR + 90 * NS_PER_SEC,
		.by = STR_LIT("carol"),
		.note = STR_LIT("known"),
	};
	assert_int_equal(alerts_put(store, &alert, &asking->err), 0);
	struct store_delivery delivery = {.alert_id = alert.id,
					  .channel = STR_LIT("mail"),
					  .revision = 2,
					  .state = DELIVERY_DONE,
					  .attempts = 1,
					  .changed_ns = alert.changed_ns};
	assert_int_equal(alerts_put_delivery(store, &delivery, &asking->err), 0);
	delivery.channel = STR_LIT("pager");
	delivery.state = DELIVERY_DEAD;
	delivery.text = STR_LIT("410 Gone");
	assert_int_equal(alerts_put_delivery(store, &delivery, &asking->err), 0);
	assert_int_equal(store_commit(store, &asking->err), 0);
	buf_done(&encoded);
}

static void test_alerts(void **state)
{
	/* Proves: an alert shows its state, what it rests on, the person, the time to acknowledge and its deliveries. */
	(void)state;
	struct asking asking;
	asking_init(&asking, "");
	asking_store(&asking, STORE_WRITE);
	put_alert(&asking);
	asking_open(&asking, &dataset_alerts);
	assert_int_equal(asking.dataset.row_count, 1);
	assert_int_equal(dataset_read(&asking.dataset, 0, &asking.err), 0);
	assert_text(&asking, "state", "acknowledged");
	assert_text(&asking, "severity", "high");
	assert_text(&asking, "title", "Delete by hand");
	assert_text(&asking, "user", "bob@example.com");
	assert_text(&asking, "route", "POST /orders");
	assert_text(&asking, "verb", "INSERT");
	assert_text(&asking, "note", "known");
	assert_text(&asking, "day", "2026-11-22");
	assert_number(&asking, "ack_seconds", 90);
	assert_number(&asking, "deliveries", 2);
	assert_number(&asking, "delivered", 1);
	assert_number(&asking, "dead", 1);
	dataset_close(&asking.dataset);
	asking_open(&asking, &dataset_deliveries);
	assert_int_equal(asking.dataset.row_count, 2);
	assert_int_equal(dataset_read(&asking.dataset, 1, &asking.err), 0);
	assert_text(&asking, "channel", "pager");
	assert_text(&asking, "state", "dead");
	assert_text(&asking, "text", "410 Gone");
	assert_number(&asking, "attempts", 1);
	dataset_close(&asking.dataset);
	asking.plan->from_ns = STORY_DAY_NS + 11 * NS_PER_HOUR; /* of the event, not of the alert */
	asking_open(&asking, &dataset_alerts);
	assert_int_equal(asking.dataset.row_count, 0);
	asking_done(&asking);
}

static void test_narrowed(void **state)
{
	/* Proves: the filter of the command line leaves the alerts whose statement, verdict and request match it, and their deliveries. */
	(void)state;
	static const struct {
		const char *filter;
		size_t alerts;
	} filters[] = {{"user:bob*", 1},  {"user:alice*", 0},   {"verb:INSERT user:bob*", 1},
		       {"-user:bob*", 0}, {"grade:pending", 1}, {"time>2026-11-23", 0}};
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct asking asking;
		asking_init(&asking, filters[i].filter);
		asking_store(&asking, STORE_WRITE);
		put_alert(&asking);
		asking_open(&asking, &dataset_alerts);
		assert_int_equal(asking.dataset.row_count, filters[i].alerts);
		dataset_close(&asking.dataset);
		asking_open(&asking, &dataset_deliveries);
		assert_int_equal(asking.dataset.row_count, 2 * filters[i].alerts);
		asking_done(&asking);
	}
}

static void test_unread(void **state)
{
	/* Proves: an alert whose statement cannot be read is shown all the same, and counted. */
	(void)state;
	struct asking asking;
	asking_init(&asking, "");
	asking_store(&asking, STORE_WRITE);
	asking.story.leaf[STORY_S_BOB] = 1000000;
	put_alert(&asking);
	asking_open(&asking, &dataset_alerts);
	assert_int_equal(dataset_read(&asking.dataset, 0, &asking.err), 0);
	assert_int_equal(value_of(&asking, "verb").type, TRAIL_ABSENT);
	assert_text(&asking, "user", "bob@example.com");
	assert_int_equal(asking.dataset.unread, 1);
	asking_done(&asking);
}

static void test_periods(void **state)
{
	/* Proves: periods are local, before 1970 too. */
	(void)state;
	char text[DATASET_PERIOD_BYTES];
	struct zone zone;
	assert_int_equal(zone_open(STR_LIT("-03:30"), NULL, &zone, NULL), 0);
	assert_int_equal(dataset_period_text(&zone, 0, DATASET_HOUR, text), 16);
	assert_string_equal(text, "1969-12-31 20:00");
	assert_int_equal(dataset_period_text(&zone, -1, DATASET_MONTH, text), 7);
	assert_string_equal(text, "1969-12");
	zone_close(&zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),   cmocka_unit_test(test_trails),
		cmocka_unit_test(test_records),  cmocka_unit_test(test_sources),
		cmocka_unit_test(test_alerts),   cmocka_unit_test(test_unread),
		cmocka_unit_test(test_narrowed), cmocka_unit_test(test_periods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
