#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "query/group.h"
#include "query/run.h"
#include "store/seal.h"
#include "tests/golden/story-store.h"

#define STORES      14
#define RECORDS_MAX 160
#define START_NS    STORY_DAY_NS
#define NONE        RUN_NO_LEAF

/* A random store: its records as a plain reader sees them. */
struct known {
	enum record_kind kind;
	int64_t time_ns, gap_from, gap_to;
	uint64_t statement, request; /* of a verdict */
	enum grade grade;
	char id[RECORD_ID_DIGITS + 1];
	uint64_t bits;  /* atoms of the plan at hand, on the record's side */
	int64_t judged; /* how often */
};

struct oracle {
	struct story_store story; /* the folder and the store */
	uint64_t state;           /* of chance */
	uint64_t count;
	struct known known[RECORDS_MAX];
	struct arena arena;
	struct query query;
	struct plan plan;
	struct run_row rows[RECORDS_MAX];
	size_t row_count;
	uint64_t statements[GRADE_COUNT];
	size_t gap_count;
};

static uint64_t chance(struct oracle *oracle, uint64_t limit)
{
	oracle->state = hash_u64(oracle->state + UINT64_C(0x9e3779b97f4a7c15));
	return oracle->state % limit;
}

static const char *pick(struct oracle *oracle, const char *const *texts, size_t count)
{
	return texts[chance(oracle, count)];
}

#define PICK(oracle, ...)                                \
	pick(oracle, (const char *const[]){__VA_ARGS__}, \
	     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void append(struct oracle *oracle, struct record *record)
{
	char key[24];
	struct buf encoded;
	uint64_t leaf = 0;
	(void)snprintf(key, sizeof(key), "%016llx-%llu",
		       (unsigned long long)chance(oracle, UINT64_MAX),
		       (unsigned long long)(oracle->count % 1000));
	record->key = str_of(key);
	/* Few different times, so that many are equal. */
	record->time_ns = START_NS + (int64_t)chance(oracle, 12) * NS_PER_SEC;
	buf_init(&encoded, 0);
	assert_int_equal(record_encode(record, &encoded, NULL), 0);
	assert_int_equal(store_append(oracle->story.store, record, buf_str(&encoded), &leaf, NULL),
			 0);
	assert_true(leaf == oracle->count);
	buf_done(&encoded);
	oracle->known[oracle->count++].kind = record->kind;
}

static void add_request(struct oracle *oracle)
{
	struct record record;
	record_init(&record, RECORD_REQUEST);
	record.source = str_of(PICK(oracle, "api", "api2"));
	if (chance(oracle, 5) > 0) {
		record_set_text(&record, FIELD_user,
				str_of(PICK(oracle, "alice", "bob", "Alice", "eve")));
	}
	record_set_text(&record, FIELD_route, str_of(PICK(oracle, "GET /orders", "POST /x")));
	record_set_text(&record, FIELD_path, str_of(PICK(oracle, "/orders/1", "/x?q=salaries")));
	record_set_number(&record, FIELD_status, (int64_t)(200 + 100 * chance(oracle, 4)));
	if (chance(oracle, 2) == 0) {
		record_set_number(&record, FIELD_latency_ms, (int64_t)chance(oracle, 100));
	}
	append(oracle, &record);
}

static void add_statement(struct oracle *oracle)
{
	struct record record;
	record_init(&record, RECORD_STATEMENT);
	record.source = str_of(PICK(oracle, "sql01", "api"));
	record_set_text(&record, FIELD_table, str_of(PICK(oracle, "dbo.Orders", "hr.Salaries")));
	record_set_text(&record, FIELD_verb, str_of(PICK(oracle, "SELECT", "DELETE")));
	record_set_text(&record, FIELD_statement,
			str_of(PICK(oracle, "select 1 from orders", "delete salaries", "x")));
	if (chance(oracle, 3) > 0) {
		record_set_number(&record, FIELD_rows, (int64_t)chance(oracle, 2000));
	}
	append(oracle, &record);
}

/* A leaf of a kind that was added before, or NONE. */
static uint64_t earlier(struct oracle *oracle, enum record_kind kind)
{
	for (int i = 0; oracle->count > 0 && i < 40; i++) {
		uint64_t leaf = chance(oracle, oracle->count);
		if (oracle->known[leaf].kind == kind) {
			return leaf;
		}
	}
	return NONE;
}

static void add_verdict(struct oracle *oracle)
{
	struct record record;
	bool lone = chance(oracle, 4) == 0;
	uint64_t statement = lone ? NONE : earlier(oracle, RECORD_STATEMENT);
	uint64_t request = !lone && chance(oracle, 4) == 0 ? NONE : earlier(oracle, RECORD_REQUEST);
	if (statement == NONE && request == NONE) {
		return;
	}
	const char *grade = PICK(oracle, "A", "B", "C", "D", "X");
	if (statement == NONE) {
		grade = PICK(oracle, "U2", "U2", "U2", "A");
	} else if (request == NONE) {
		grade = PICK(oracle, "U1", "X", "U1");
	}
	record_init(&record, RECORD_VERDICT);
	record.source = STR_LIT("querytraild");
	record_set_text(&record, FIELD_grade, str_of(grade));
	record_set_text(&record, FIELD_settled, str_of(PICK(oracle, "final", "provisional")));
	record_set_text(&record, FIELD_reason,
			str_of(PICK(oracle, "two requests have this id", "the id", "role")));
	uint64_t subject = statement != NONE ? statement : request;
	record_set_number(&record, FIELD_revision, oracle->known[subject].judged++);
	if (chance(oracle, 2) == 0) {
		record_set_text(&record, FIELD_carrier, str_of(PICK(oracle, "comment", "x")));
	}
	if (statement != NONE) {
		record_set_number(&record, FIELD_statement_leaf, (int64_t)statement);
	}
	if (request != NONE) {
		record_set_number(&record, FIELD_request_leaf, (int64_t)request);
	}
	append(oracle, &record);
}

static void add_other(struct oracle *oracle)
{
	struct record record;
	record_init(&record, chance(oracle, 2) == 0 ? RECORD_GAP : RECORD_REJECT);
	record.source = STR_LIT("sql01");
	if (record.kind == RECORD_GAP) {
		int64_t from_ns = START_NS + (int64_t)chance(oracle, 12) * NS_PER_SEC;
		record_set_number(&record, FIELD_gap_from, from_ns);
		record_set_number(&record, FIELD_gap_to, from_ns + NS_PER_SEC);
	} else {
		record_set_text(&record, FIELD_raw, STR_LIT("{"));
	}
	append(oracle, &record);
}

/* Batches of 1 to 40 records, all kinds mixed; later ones mostly verdicts, so that many statements have several. */
static void make_store(struct oracle *oracle, uint64_t seed)
{
	struct story_store *story = &oracle->story;
	*story = (struct story_store){.dir = "/tmp/querytrail-oracle-XXXXXX"};
	oracle->state = seed;
	oracle->count = 0;
	assert_non_null(mkdtemp(story->dir));
	assert_int_equal(store_open(story->dir, STORE_CREATE, &story->store, NULL), 0);
	while (oracle->count < RECORDS_MAX - 40) {
		uint64_t size = 1 + chance(oracle, 40);
		uint64_t verdicts = chance(oracle, 10);
		assert_int_equal(store_begin(story->store, STORY_NOW_NS, NULL), 0);
		add_other(oracle); /* a batch is never empty */
		for (uint64_t i = 1; i < size; i++) {
			if (chance(oracle, 10) < verdicts) {
				add_verdict(oracle);
			} else if (chance(oracle, 12) == 0) {
				add_other(oracle);
			} else if (chance(oracle, 2) == 0) {
				add_request(oracle);
			} else {
				add_statement(oracle);
			}
		}
		assert_int_equal(store_commit(story->store, NULL), 0);
	}
	store_close(story->store);
	assert_int_equal(store_open(story->dir, STORE_READ, &story->store, NULL), 0);
}

static uint64_t leaf_of(const struct record *record, enum field field)
{
	return (uint64_t)record_number(record, field, -1);
}

/* Reads every record by itself. */
static void read_known(struct oracle *oracle)
{
	struct scan_fetch *fetch;
	assert_int_equal(scan_fetch_open(oracle->story.store, &fetch, NULL), 0);
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		struct record record;
		int64_t ingest_ns;
		struct known *known = &oracle->known[leaf];
		enum side side = SIDE_VERDICT;
		assert_int_equal(scan_fetch_record(fetch, leaf, &record, &ingest_ns, NULL), 0);
		side = record.kind == RECORD_STATEMENT ? SIDE_STATEMENT : side;
		side = record.kind == RECORD_REQUEST ? SIDE_REQUEST : side;
		known->time_ns = record.time_ns;
		known->statement = leaf_of(&record, FIELD_statement_leaf);
		known->request = leaf_of(&record, FIELD_request_leaf);
		known->grade = grade_of(record_text(&record, FIELD_grade));
		known->gap_from = record_number(&record, FIELD_gap_from, 0);
		known->gap_to = record_number(&record, FIELD_gap_to, 0);
		known->bits = plan_record_atoms(&oracle->plan, side, &record, leaf);
		record_stable_id(record.source, record.key, known->id);
	}
	scan_fetch_close(fetch);
}

static void expect_row(struct oracle *oracle, uint64_t leaf, uint64_t verdict, uint64_t request)
{
	oracle->rows[oracle->row_count++] = (struct run_row){
		.time_ns = oracle->known[leaf].time_ns,
		.leaf = leaf,
		.verdict_leaf = verdict,
		.request_leaf = request,
	};
}

static void expect_statement(struct oracle *oracle, uint64_t leaf)
{
	const struct known *known = oracle->known;
	uint64_t verdict = NONE;
	for (uint64_t later = leaf; later < oracle->count; later++) {
		bool names = known[later].kind == RECORD_VERDICT && known[later].statement == leaf;
		verdict = names ? later : verdict;
	}
	enum grade grade = verdict == NONE ? GRADE_PENDING : known[verdict].grade;
	uint64_t request = verdict == NONE ? NONE : known[verdict].request;
	uint64_t bits = known[leaf].bits;
	bits |= verdict == NONE ? oracle->plan.pending_bits : known[verdict].bits;
	bits |= request == NONE ? 0 : known[request].bits;
	oracle->statements[grade]++;
	if (plan_grade(&oracle->plan, grade) && plan_holds_tree(&oracle->plan, bits)) {
		expect_row(oracle, leaf, verdict, request);
	}
}

static void expect_request(struct oracle *oracle, uint64_t leaf)
{
	const struct known *known = oracle->known;
	uint64_t standing = NONE;
	for (uint64_t later = leaf; later < oracle->count; later++) {
		if (known[later].kind == RECORD_VERDICT && known[later].request == leaf) {
			bool lone = known[later].statement == NONE &&
				    known[later].grade == GRADE_U2 &&
				    plan_grade(&oracle->plan, GRADE_U2);
			uint64_t bits = known[later].bits | known[leaf].bits |
					plan_lone_atoms(&oracle->plan, known[leaf].time_ns, leaf);
			standing = lone && plan_holds_tree(&oracle->plan, bits) ? later : NONE;
		}
	}
	if (standing != NONE && oracle->plan.lone_requests) {
		expect_row(oracle, leaf, standing, leaf);
	}
}

static bool stands_before(const struct oracle *oracle, const struct run_row *a,
			  const struct run_row *b)
{
	if (a->time_ns != b->time_ns) {
		return a->time_ns < b->time_ns;
	}
	return strcmp(oracle->known[a->leaf].id, oracle->known[b->leaf].id) < 0;
}

static void expect(struct oracle *oracle)
{
	const struct plan *plan = &oracle->plan;
	oracle->row_count = 0;
	oracle->gap_count = 0;
	memset(oracle->statements, 0, sizeof(oracle->statements));
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		const struct known *known = &oracle->known[leaf];
		bool in_range = plan_time(plan, known->time_ns);
		if (known->kind == RECORD_STATEMENT && in_range) {
			expect_statement(oracle, leaf);
		} else if (known->kind == RECORD_REQUEST && in_range) {
			expect_request(oracle, leaf);
		} else if (known->kind == RECORD_GAP && known->gap_to > plan->from_ns &&
			   known->gap_from < plan->to_ns) {
			oracle->gap_count++;
		}
	}
	for (size_t i = 1; i < oracle->row_count; i++) {
		for (size_t j = i;
		     j > 0 && stands_before(oracle, &oracle->rows[j], &oracle->rows[j - 1]); j--) {
			struct run_row row = oracle->rows[j];
			oracle->rows[j] = oracle->rows[j - 1];
			oracle->rows[j - 1] = row;
		}
	}
}

/* The groups of the plan's rows count what the rows have. */
static void compare_groups(struct oracle *oracle)
{
	struct group_field fields[GROUP_FIELDS_MAX];
	struct group_set groups;
	struct run_result counted;
	struct trail_reader reader;
	size_t count = 0;
	const char *names[] = {"user", "table", "grade", "user,verb", "route,time"};
	assert_int_equal(group_fields_read(str_of(names[chance(oracle, 5)]), fields, &count, NULL),
			 0);
	group_set_init(&groups, fields, count);
	assert_int_equal(group_set_run(&groups, oracle->story.store, &oracle->plan, &counted, NULL),
			 0);
	assert_int_equal(groups.statements, oracle->row_count);
	assert_memory_equal(counted.statements, oracle->statements, sizeof(counted.statements));
	assert_int_equal(counted.gap_count, oracle->gap_count);
	assert_int_equal(counted.stats.blocks_damaged, 0);
	assert_int_equal(trail_reader_open(&reader, oracle->story.store, NULL), 0);
	for (size_t i = 0; i < oracle->row_count; i++) {
		struct trail trail;
		bool found = false;
		struct buf room;
		buf_init(&room, 0);
		assert_int_equal(trail_read(&reader, &oracle->rows[i], &trail, NULL), 0);
		struct str value = group_value(&fields[0], &trail, &room);
		for (size_t g = 0; g < groups.count && !found; g++) {
			struct str have = groups.group[g].value[0];
			found = groups.group[g].statements > 0 &&
				(have.ptr == NULL) == (value.ptr == NULL) && str_equal(have, value);
			groups.group[g].statements -= found ? 1 : 0;
		}
		assert_true(found);
		buf_done(&room);
	}
	trail_reader_close(&reader);
	run_result_clear(&counted);
	group_set_done(&groups);
}

/* Asks and compares; returns how many rows there were. */
static size_t compare(struct oracle *oracle, const char *filter, struct plan_options *options)
{
	struct zone zone = zone_utc();
	struct run_result found;
	options->context = (struct match_context){&zone, STORY_NOW_NS};
	arena_init(&oracle->arena, 1 << 20);
	assert_int_equal(query_parse(str_of(filter), &oracle->arena, &oracle->query, NULL), 0);
	assert_int_equal(plan_make(&oracle->query, options, &oracle->plan, NULL), 0);
	read_known(oracle);
	expect(oracle);
	assert_int_equal(run_plan(oracle->story.store, &oracle->plan, &found, NULL), 0);
	if (found.row_count != oracle->row_count) {
		print_message("filter: %s\n", filter);
	}
	assert_int_equal(found.row_count, oracle->row_count);
	for (size_t i = 0; i < found.row_count; i++) {
		assert_true(found.rows[i].time_ns == oracle->rows[i].time_ns);
		assert_true(found.rows[i].leaf == oracle->rows[i].leaf);
		assert_true(found.rows[i].verdict_leaf == oracle->rows[i].verdict_leaf);
		assert_true(found.rows[i].request_leaf == oracle->rows[i].request_leaf);
	}
	assert_memory_equal(found.statements, oracle->statements, sizeof(found.statements));
	assert_int_equal(found.gap_count, oracle->gap_count);
	assert_int_equal(found.stats.blocks_damaged, 0);
	run_result_clear(&found);
	compare_groups(oracle);
	arena_done(&oracle->arena);
	return oracle->row_count;
}

static const char *const filters[] = {
	"",
	"user:alice",
	"-user:alice",
	"user:alice table:orders",
	"user:alice OR table:salaries",
	"NOT (user:* OR grade:U1)",
	"user:nobody",
	"table:dbo.Nothing",
	"grade:A",
	"-grade:AX",
	"grade:U2",
	"grade:U2 user:alice",
	"grade:U2 leaf<60",
	"grade:U2 time<\"2026-11-22 00:00:05\"",
	"grade:U2 OR user:bob",
	"grade:pending",
	"grade:pending OR user:eve",
	"salaries",
	"-salaries",
	"two",
	"status:4* OR status=200",
	"rows>1000 latency<50",
	"carrier:comment settled:final",
	"source:api",
	"time>=\"2026-11-22 00:00:03\" time<\"2026-11-22 00:00:07\" user:alice",
	"request_time>\"2026-11-22 00:00:06\"",
	("user:a* route:get* verb:select table:orders settled:final -carrier:x rows>=0 revision<2 "
	 "source:api"),
};

/* All filters with some grades and bounds; returns how many rows there were. */
static size_t compare_all(struct oracle *oracle)
{
	static const unsigned grades[] = {0, 1u << GRADE_A | 1u << GRADE_B, 1u << GRADE_PENDING,
					  1u << GRADE_U1 | 1u << GRADE_U2, 1u << GRADE_X};
	size_t rows = 0;
	for (size_t f = 0; f < sizeof(filters) / sizeof(filters[0]); f++) {
		struct plan_options options = {INT64_MIN, INT64_MAX, 0, {0}};
		rows += compare(oracle, filters[f], &options);
		options.grades = grades[chance(oracle, 5)];
		rows += compare(oracle, filters[f], &options);
		options.from_ns = START_NS + (int64_t)chance(oracle, 12) * NS_PER_SEC;
		rows += compare(oracle, filters[f], &options);
		options.to_ns = options.from_ns + 2 * NS_PER_SEC;
		options.grades = 0;
		rows += compare(oracle, filters[f], &options);
	}
	return rows;
}

static void test_same_as_plain(void **state)
{
	/* Proves: over random stores, with revised verdicts, conflicts, lone requests, gaps and any order of arrival, every filter,
	 * grade option and time bound gives the rows, counts and gaps that looking at every record by itself gives; and so do groups. */
	(void)state;
	static struct oracle oracle;
	size_t rows = 0;
	for (uint64_t seed = 1; seed <= STORES; seed++) {
		make_store(&oracle, seed);
		rows += compare_all(&oracle);
		story_store_done(&oracle.story);
	}
	assert_true(rows > 300 * STORES);
}

/* Seals batches of the head below a leaf, and merges all blocks when that is asked for. */
static void seal(struct oracle *oracle, uint64_t head_end, bool merge)
{
	struct seal_order order = {.head_end = head_end,
				   .settled_ns = chance(oracle, 2) == 0 ? INT64_MAX : INT64_MIN,
				   .requests = 1 + chance(oracle, 9),
				   .close = chance(oracle, 2) == 0,
				   .now_ns = STORY_NOW_NS};
	struct seal_result result;
	struct error err;
	struct buf numbers;
	struct scan_options all = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	buf_init(&numbers, 0);
	if (merge) {
		assert_int_equal(scan_sealed_numbers(oracle->story.store, &all, &numbers, &err), 0);
		order.blocks = (const uint64_t *)(const void *)numbers.ptr;
		order.block_count = numbers.len / sizeof(uint64_t);
	}
	store_close(oracle->story.store); /* it only reads */
	assert_int_equal(store_open(oracle->story.dir, STORE_WRITE, &oracle->story.store, &err), 0);
	int rc = seal_run(oracle->story.store, &order, &result, &err);
	store_close(oracle->story.store);
	assert_int_equal(store_open(oracle->story.dir, STORE_READ, &oracle->story.store, NULL), 0);
	if (rc != 0 && rc != -ERR_GONE) {
		print_message("%s\n", err.text);
	}
	assert_true(rc == 0 || rc == -ERR_GONE);
	buf_done(&numbers);
}

static void test_same_when_sealed(void **state)
{
	/* Proves: the same holds while one part of the records is sealed, in whole, open and cut up families, when all of them are,
	 * and after the blocks were merged. */
	(void)state;
	static struct oracle oracle;
	size_t rows = 0;
	for (uint64_t seed = 1; seed <= STORES / 2; seed++) {
		make_store(&oracle, seed);
		seal(&oracle, oracle.count / 3 + chance(&oracle, 60), false);
		rows += compare_all(&oracle);
		seal(&oracle, oracle.count, false);
		rows += compare_all(&oracle);
		seal(&oracle, 0, true);
		rows += compare_all(&oracle);
		story_store_done(&oracle.story);
	}
	assert_true(rows > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_plain),
		cmocka_unit_test(test_same_when_sealed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
