#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "correlator/join/join.h"
#include "model/accesslog/accesslog.h"
#include "model/auditrow/auditrow.h"
#include "tests/sim/company.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW_NS (INT64_C(1795255200) * NS_PER_SEC)

struct run {
	struct world *world;
	struct join *join;
	uint64_t leaf_count;
	uint32_t *statement_of_leaf;   /* of statement records */
	struct join_verdict *verdicts; /* the last one of each statement */
	size_t statement_count;
	size_t ambiguous; /* lines with two readings */
};

static void add(struct run *run, const struct record *record)
{
	struct error err;
	assert_int_equal(join_add(run->join, run->leaf_count++, record, &err), 0);
}

static struct accesslog_format *compile_format(const struct world *world)
{
	static const char *const user_fields[] = {"authorizer.claims.email", "identity.userArn",
						  "identity.apiKeyId"};
	struct accesslog_options options = {
		.format = world_format(world), .user_fields = user_fields, .user_field_count = 3};
	struct accesslog_format *format = NULL;
	struct error err;
	assert_int_equal(accesslog_format_new(&options, &format, &err), 0);
	return format;
}

/* What a reader of the line must have found, or must have left open where the line has two readings. */
static void check_request(const struct world_request *request, const struct record *record)
{
	bool whole = !str_is(record_text(record, FIELD_parse), "ambiguous");
	bool has_user = record_has(record, FIELD_user);
	assert_true(str_equal(record_text(record, FIELD_extended_request_id),
			      request->extended_request_id));
	assert_true(str_equal(record_text(record, FIELD_request_id), request->request_id));
	assert_true(str_equal(record_text(record, FIELD_route), request->route));
	assert_int_equal(record_number(record, FIELD_status, -1), request->status);
	assert_true(whole == has_user);
	assert_true(!has_user || str_equal(record_text(record, FIELD_user), request->user));
	assert_true(str_equal(record_text(record, FIELD_raw), request->line));
}

static void add_requests(struct run *run)
{
	uint32_t count = 0;
	const struct world_request *requests = world_requests(run->world, &count);
	struct accesslog_format *format = compile_format(run->world);
	struct arena arena;
	arena_init(&arena, 16 << 20);
	for (uint32_t i = 0; i < count; i++) {
		const struct world_request *request = &requests[i];
		struct record record;
		struct error err;
		if (request->visible_ns == INT64_MAX) {
			continue;
		}
		record_init(&record, RECORD_REQUEST);
		record.source = STR_LIT("gateway");
		record.key = request->event_id;
		record.time_ns = request->time_ns;
		if (accesslog_parse(format, request->line, &arena, &record, &err) != 0) {
			fail_msg("%s: %.*s", err.text, STR_ARG(request->line));
		}
		check_request(request, &record);
		run->ambiguous += str_is(record_text(&record, FIELD_parse), "ambiguous");
		add(run, &record);
		arena_clear(&arena);
	}
	arena_done(&arena);
	accesslog_format_free(format);
}

static int compare_ids(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* The statement with a transaction id; pairs of id and index, sorted. */
static uint32_t find_statement(const int64_t (*pairs)[2], size_t count, int64_t id)
{
	const int64_t key[2] = {id, 0};
	const int64_t(*found)[2] = bsearch(&key, pairs, count, sizeof(pairs[0]), compare_ids);
	assert_non_null(found);
	return (uint32_t)(*found)[1];
}

static void take_statements(struct run *run, struct auditrow_joiner *joiner,
			    const int64_t (*pairs)[2])
{
	struct arena arena;
	struct error err;
	arena_init(&arena, 64 << 20);
	for (;;) {
		struct record record;
		int result = auditrow_joiner_take(joiner, &arena, &record, &err);
		if (result == -ERR_GONE) {
			break;
		}
		assert_int_equal(result, 0);
		int64_t id = record_number(&record, FIELD_transaction_id, -1);
		uint32_t statement = find_statement(pairs, run->statement_count, id);
		run->statement_of_leaf[run->leaf_count] = statement;
		add(run, &record);
		arena_clear(&arena);
	}
	arena_done(&arena);
}

/* The rows as an import would read them, from the file that the simulator writes. */
static void add_statements(struct run *run, const int64_t (*pairs)[2])
{
	char path[] = "/tmp/world-truth.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(world_write_audit_rows(run->world, path), 0);
	struct buf lines;
	struct error err;
	buf_init(&lines, 0);
	assert_int_equal(io_read_file(path, 1 << 30, &lines, &err), 0);
	(void)unlink(path);
	struct auditrow_joiner *joiner = auditrow_joiner_new(STR_LIT("database"), 16 << 20);
	assert_non_null(joiner);
	struct arena arena;
	arena_init(&arena, 16 << 20);
	struct auditrow *row = calloc(1, sizeof(*row));
	assert_non_null(row);
	struct str rest = buf_str(&lines);
	uint64_t ordinal = 0;
	while (rest.len > 0) {
		assert_int_equal(auditrow_parse_line(str_split(&rest, '\n'), &arena, row, &err), 0);
		auditrow_key(row, STR_LIT("file"), 0, ordinal++);
		assert_int_equal(auditrow_joiner_add(joiner, row, &err), 0);
		take_statements(run, joiner, pairs);
		arena_clear(&arena);
	}
	auditrow_joiner_flush(joiner, true);
	take_statements(run, joiner, pairs);
	free(row);
	arena_done(&arena);
	auditrow_joiner_free(joiner);
	buf_done(&lines);
}

static void start_join(struct run *run, int64_t skew_ns)
{
	static struct join_route_rule rules[ROUTES];
	static struct str logins[ROUTES];
	static char names[ROUTES][128];
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *route = company_route(i);
		(void)snprintf(names[i], sizeof(names[i]), "%s %s", route->method, route->path);
		logins[i] = str_of(company_service(route->service)->login);
		rules[i] = (struct join_route_rule){str_of(names[i]), &logins[i], 1};
	}
	struct join_server_clock clock = {STR_LIT("database"), -skew_ns};
	struct join_options options = {.clocks = &clock,
				       .clock_count = 1,
				       .tolerance_ns = 100 * NS_PER_MS,
				       .slack_ns = 5 * NS_PER_SEC,
				       .signing_key = world_signing_key(run->world),
				       .routes = rules,
				       .route_count = ROUTES,
				       .max_records = 1 << 20};
	struct error err;
	assert_int_equal(join_new(&options, &run->join, &err), 0);
}

static void take_verdicts(struct run *run)
{
	struct join_verdict verdict;
	join_settle(run->join, INT64_MAX, INT64_MAX);
	while (join_take(run->join, &verdict)) {
		if (verdict.statement_leaf != JOIN_NO_LEAF) {
			run->verdicts[run->statement_of_leaf[verdict.statement_leaf]] = verdict;
		}
	}
}

static void open_run(struct run *run, const struct world_options *options)
{
	*run = (struct run){.world = world_new(options)};
	assert_non_null(run->world);
	uint32_t statement_count = 0, request_count = 0;
	const struct world_statement *statements = world_statements(run->world, &statement_count);
	const struct world_row *rows = world_rows(run->world, &request_count);
	(void)world_requests(run->world, &request_count);
	run->statement_count = statement_count;
	run->statement_of_leaf =
		calloc((size_t)statement_count + request_count, sizeof(run->statement_of_leaf[0]));
	run->verdicts = calloc(statement_count, sizeof(run->verdicts[0]));
	int64_t(*pairs)[2] = calloc(statement_count, sizeof(pairs[0]));
	assert_true(run->statement_of_leaf != NULL && run->verdicts != NULL && pairs != NULL);
	for (uint32_t i = 0; i < statement_count; i++) {
		pairs[i][0] = rows[statements[i].first_row].transaction_id;
		pairs[i][1] = i;
	}
	qsort(pairs, statement_count, sizeof(pairs[0]), compare_ids);
	start_join(run, options->server_skew_ns);
	add_requests(run);
	add_statements(run, (const int64_t(*)[2])pairs);
	take_verdicts(run);
	free(pairs);
}

static void close_run(struct run *run)
{
	join_free(run->join);
	world_free(run->world);
	free(run->statement_of_leaf);
	free(run->verdicts);
}

/* The request that a leaf stands for: leaves of requests were given in order, the lost ones left out. */
static int64_t request_of_leaf(const struct run *run, uint64_t leaf)
{
	uint32_t count = 0;
	const struct world_request *requests = world_requests(run->world, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (requests[i].visible_ns != INT64_MAX && leaf-- == 0) {
			return i;
		}
	}
	return -1;
}

static bool names_another(const struct run *run, uint32_t index)
{
	const struct join_verdict *verdict = &run->verdicts[index];
	uint32_t count = 0;
	const struct world_statement *statement = &world_statements(run->world, &count)[index];
	bool named =
		verdict->grade[0] == 'A' || verdict->grade[0] == 'B' || verdict->grade[0] == 'C';
	return named && request_of_leaf(run, verdict->request_leaf) != statement->request;
}

static size_t compare_with_truth(const struct run *run)
{
	static const char *const grades[] = {"A", "B", "C", "U1", "X", ""};
	uint32_t count = 0;
	size_t differ = 0;
	const struct world_statement *statements = world_statements(run->world, &count);
	const struct world_row *rows = world_rows(run->world, &count);
	for (uint32_t i = 0; i < run->statement_count; i++) {
		const struct join_verdict *verdict = &run->verdicts[i];
		const struct world_row *row = &rows[statements[i].first_row];
		bool any = statements[i].expect == WORLD_ANY;
		bool same = any || strcmp(verdict->grade, grades[statements[i].expect]) == 0;
		if (same && !names_another(run, i)) {
			continue;
		}
		print_message("%lld %.*s expected %s (%.*s) got %s: %.100s\n",
			      (long long)row->transaction_id, STR_ARG(row->principal),
			      grades[statements[i].expect], STR_ARG(statements[i].why),
			      verdict->grade, verdict->reason != NULL ? "" : "no verdict");
		differ++;
	}
	return differ;
}

static void test_joiner_finds_the_truth(void **state)
{
	/* proves that the joiner, given a whole world, says of every statement what the truth says, and never names a wrong person */
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct world_options options = world_defaults(seed, 3000, NOW_NS);
		struct run run;
		open_run(&run, &options);
		assert_int_equal(compare_with_truth(&run), 0);
		assert_true(run.ambiguous > 0);
		close_run(&run);
	}
}

static void test_crowded_world(void **state)
{
	/* proves the same where requests overlap: 6000 in one minute, with many faults */
	(void)state;
	struct world_options options = world_defaults(21, 6000, NOW_NS);
	options.from_ns = NOW_NS - NS_PER_MIN;
	options.stale_permille = 50;
	options.lost_permille = 50;
	struct run run;
	open_run(&run, &options);
	assert_int_equal(compare_with_truth(&run), 0);
	close_run(&run);
}

static void test_skewed_server(void **state)
{
	/* proves that a server whose clock is 90 s ahead changes nothing once the configuration says so, and that the estimate of its
	 * offset says the same */
	(void)state;
	struct world_options options = world_defaults(6, 2000, NOW_NS);
	options.server_skew_ns = 90 * NS_PER_SEC;
	struct run run;
	open_run(&run, &options);
	assert_int_equal(compare_with_truth(&run), 0);
	struct join_clock_estimate estimate;
	assert_int_equal(join_clocks(run.join, &estimate, 1), 1);
	int64_t off_ns = estimate.offset_ns + options.server_skew_ns;
	assert_true(estimate.pair_count > 500);
	assert_in_range(off_ns < 0 ? -off_ns : off_ns, 0, 50 * NS_PER_MS);
	close_run(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joiner_finds_the_truth),
		cmocka_unit_test(test_crowded_world),
		cmocka_unit_test(test_skewed_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
