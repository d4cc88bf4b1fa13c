/* Whole worlds under bad conditions: skewed clocks, lost and late lines, duplicates, forgetful pools, servers without connection
 * ids. Nobody else is ever named at A or B, not even in between; and with the clock configured every grade is the deserved one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "correlator/join/join.h"
#include "tests/sim/chance.h"
#include "tests/sim/company.h"
#include "tests/simulation/world-records.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW_NS (INT64_C(1795255200) * NS_PER_SEC)

struct conditions {
	const char *name;
	uint64_t seed;
	uint32_t requests;
	int64_t span_ns;      /* all of it happens within this */
	int64_t skew_ns;      /* of the server's clock */
	bool configured;      /* and the configuration knows it */
	uint32_t stale, lost; /* permille */
	int64_t late_ns;      /* records arrive up to this late */
	bool connections;
};

struct arrival {
	int64_t at_ns;
	uint32_t item;
};

struct run {
	struct world *world;
	struct world_records records;
	struct join *join;
	struct arrival *arrival; /* some items twice */
	size_t arrival_count;
	int64_t *leaf_of_item; /* -1: not arrived yet */
	uint32_t *item_of_leaf;
	struct join_verdict *last; /* by item */
	int64_t leaf_count;
	size_t wrong, attributed;
};

static int by_arrival(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;
	if (x->at_ns != y->at_ns) {
		return x->at_ns < y->at_ns ? -1 : 1;
	}
	return (x->item > y->item) - (x->item < y->item);
}

static void plan_arrivals(struct run *run, const struct conditions *conditions)
{
	struct chance chance;
	chance_init(&chance, conditions->seed + 1000);
	run->arrival = reallocarray(NULL, run->records.count * 2, sizeof *run->arrival);
	assert_non_null(run->arrival);
	for (uint32_t i = 0; i < run->records.count; i++) {
		int copies = chance_permille(&chance, 100) ? 2 : 1;
		for (int copy = 0; copy < copies; copy++) {
			int64_t late = conditions->late_ns > 0
					       ? chance_between(&chance, 0, conditions->late_ns)
					       : 0;
			run->arrival[run->arrival_count++] = (struct arrival){
				.at_ns = run->records.item[i].time_ns + late, .item = i};
		}
	}
	qsort(run->arrival, run->arrival_count, sizeof *run->arrival, by_arrival);
}

static struct join *new_join(const struct world *world, const struct conditions *conditions)
{
	static struct join_route_rule rules[ROUTES];
	static struct str logins[ROUTES];
	static char names[ROUTES][128];
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *route = company_route(i);
		(void)snprintf(names[i], sizeof names[i], "%s %s", route->method, route->path);
		logins[i] = str_of(company_service(route->service)->login);
		rules[i] = (struct join_route_rule){str_of(names[i]), &logins[i], 1};
	}
	struct join_server_clock clock = {STR_LIT("database"), -conditions->skew_ns};
	struct join_options options = {
		.tolerance_ns = 100 * NS_PER_MS,
		.slack_ns = 5 * NS_PER_SEC,
		.provisional_ns = 120 * NS_PER_SEC,
		.signing_key = world_signing_key(world),
		.routes = rules,
		.route_count = ROUTES,
		.clocks = &clock,
		.clock_count = conditions->configured ? 1 : 0,
		.max_records = 1 << 20,
	};
	struct join *join = NULL;
	struct error err;
	assert_int_equal(join_new(&options, &join, &err), 0);
	return join;
}

/* Whether a verdict at A or B, said now or standing at the end, names somebody else. */
static bool names_another(const struct run *run, const struct join_verdict *verdict)
{
	if (verdict->grade[0] != 'A' && verdict->grade[0] != 'B') {
		return false;
	}
	uint32_t count;
	const struct world_statement *statements = world_statements(run->world, &count);
	const struct world_item *item =
		&run->records.item[run->item_of_leaf[verdict->statement_leaf]];
	const struct world_item *request =
		&run->records.item[run->item_of_leaf[verdict->request_leaf]];
	return statements[item->truth].request != (int64_t)request->truth;
}

static void take(struct run *run)
{
	struct join_verdict verdict;
	while (join_take(run->join, &verdict)) {
		if (verdict.statement_leaf == JOIN_NO_LEAF) {
			continue;
		}
		if (names_another(run, &verdict)) {
			print_message("# wrong: leaf %d %s %s\n", (int)verdict.statement_leaf,
				      verdict.grade, verdict.reason);
			run->wrong++;
		}
		run->last[run->item_of_leaf[verdict.statement_leaf]] = verdict;
	}
}

/* No record with an earlier time is still to come, of each kind. */
static void settle(struct run *run, size_t next)
{
	int64_t low[2] = {INT64_MAX, INT64_MAX};
	for (size_t i = next; i < run->arrival_count; i++) {
		const struct world_item *item = &run->records.item[run->arrival[i].item];
		if (run->leaf_of_item[run->arrival[i].item] < 0 &&
		    item->time_ns < low[item->is_request]) {
			low[item->is_request] = item->time_ns;
		}
	}
	join_settle(run->join, low[1], low[0]);
}

static void feed(struct run *run)
{
	for (size_t i = 0; i < run->arrival_count; i++) {
		struct record record;
		struct error err;
		uint32_t item = run->arrival[i].item;
		world_records_get(&run->records, item, &record);
		if (run->leaf_of_item[item] < 0) {
			run->item_of_leaf[run->leaf_count] = item;
			run->leaf_of_item[item] = run->leaf_count++;
		}
		assert_int_equal(
			join_add(run->join, (uint64_t)run->leaf_of_item[item], &record, &err), 0);
		if (i % 97 == 0) {
			settle(run, i + 1);
			take(run);
		}
	}
	join_settle(run->join, INT64_MAX, INT64_MAX);
	take(run);
}

static size_t compare(struct run *run)
{
	static const char *const grades[] = {"A", "B", "C", "U1", "X"};
	uint32_t count;
	size_t differ = 0;
	const struct world_statement *statements = world_statements(run->world, &count);
	for (size_t i = 0; i < run->records.count; i++) {
		const struct world_item *item = &run->records.item[i];
		if (item->is_request) {
			continue;
		}
		const struct world_statement *truth = &statements[item->truth];
		const char *grade = run->last[i].grade;
		assert_true(grade[0] != '\0');
		run->attributed += grade[0] == 'A' || grade[0] == 'B';
		if (truth->expect != WORLD_ANY && strcmp(grade, grades[truth->expect]) != 0) {
			if (differ++ < 5) {
				print_message("# expected %s (%.*s), got %s\n",
					      grades[truth->expect], STR_ARG(truth->why), grade);
			}
		}
	}
	return differ;
}

static void check_clock(const struct run *run, const struct conditions *conditions)
{
	struct join_clock_estimate estimate;
	assert_int_equal(join_clocks(run->join, &estimate, 1), 1);
	int64_t error_ns = estimate.offset_ns + conditions->skew_ns;
	print_message("# clock: %+.1f ms off by %+.1f ms, bound %.1f ms, %d pairs, %d outliers\n",
		      (double)estimate.offset_ns / 1e6, (double)error_ns / 1e6,
		      (double)estimate.bound_ns / 1e6, (int)estimate.pair_count,
		      (int)estimate.outlier_count);
	assert_true(error_ns <= estimate.bound_ns && error_ns >= -estimate.bound_ns);
	assert_true(estimate.bound_ns < 50 * NS_PER_MS);
}

static void run_under(const struct conditions *conditions)
{
	struct world_options options =
		world_defaults(conditions->seed, conditions->requests, NOW_NS);
	options.from_ns = NOW_NS - conditions->span_ns;
	options.server_skew_ns = conditions->skew_ns;
	options.stale_permille = conditions->stale;
	options.lost_permille = conditions->lost;
	struct run run = {.world = world_new(&options)};
	assert_non_null(run.world);
	world_records_read(&run.records, run.world, conditions->connections);
	run.leaf_of_item = reallocarray(NULL, run.records.count, sizeof *run.leaf_of_item);
	run.item_of_leaf = reallocarray(NULL, run.records.count, sizeof *run.item_of_leaf);
	run.last = calloc(run.records.count, sizeof *run.last);
	assert_true(run.leaf_of_item != NULL && run.item_of_leaf != NULL && run.last != NULL);
	memset(run.leaf_of_item, 0xff, run.records.count * sizeof *run.leaf_of_item);
	plan_arrivals(&run, conditions);
	run.join = new_join(run.world, conditions);
	feed(&run);
	size_t differ = compare(&run);
	print_message("# %s: %d records, %d at A or B, %d wrong, %d grades differ\n",
		      conditions->name, (int)run.records.count, (int)run.attributed, (int)run.wrong,
		      (int)differ);
	assert_int_equal(run.wrong, 0);
	assert_true(run.attributed > run.records.count / 4);
	if (conditions->configured || conditions->skew_ns == 0) {
		assert_int_equal(differ, 0);
	} else {
		/* Within the tolerance only rows near a border change their grade. */
		assert_true(differ * 100 < run.records.count);
	}
	check_clock(&run, conditions);
	join_free(run.join);
	world_records_free(&run.records);
	world_free(run.world);
	free(run.arrival);
	free(run.leaf_of_item);
	free(run.item_of_leaf);
	free(run.last);
}

#define DAY (24 * NS_PER_HOUR)

/* Any of these conditions costs grades at most, never the right person. */
static void test_conditions(void **state)
{
	(void)state;
	static const struct conditions all[] = {
		{"plain", 31, 1500, DAY, 0, false, 20, 10, 0, true},
		{"server 50 ms ahead", 32, 1500, DAY, 50 * NS_PER_MS, false, 20, 10, 0, true},
		{"server 50 ms behind", 33, 1500, DAY, -50 * NS_PER_MS, false, 20, 10, 0, true},
		{"server 7 s ahead, known", 34, 1500, DAY, 7 * NS_PER_SEC, true, 20, 10, 0, true},
		{"server 1 h behind, known", 35, 1500, DAY, -NS_PER_HOUR, true, 20, 10, 0, true},
		{"a fifth lost", 36, 1500, DAY, 0, false, 20, 200, 0, true},
		{"up to an hour late", 37, 1500, DAY, 0, false, 20, 10, NS_PER_HOUR, true},
		{"forgetful pools", 38, 1500, DAY, 0, false, 200, 10, NS_PER_MIN, true},
		{"no connection ids", 39, 1500, DAY, 0, false, 50, 10, NS_PER_MIN, false},
		{"crowded", 40, 3000, 30 * NS_PER_SEC, 0, false, 50, 50, 10 * NS_PER_SEC, true},
		{"crowded, no connection ids", 41, 3000, 30 * NS_PER_SEC, 0, false, 100, 50,
		 10 * NS_PER_SEC, false},
		{"crowded, 50 ms ahead", 42, 3000, 30 * NS_PER_SEC, 50 * NS_PER_MS, false, 100, 50,
		 NS_PER_SEC, true},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		run_under(&all[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_conditions)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
