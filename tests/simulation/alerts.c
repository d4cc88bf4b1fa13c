/* Small nasty worlds through the keeper, in many orders, with replays, restarts and times without rules: the alerts that are not revoked
 * are always the same, and they are exactly those that the rules see in the store when everything has come. */
#include "base/parse.h"
#include "correlator/keeper.h"
#include "model/alert.h"
#include "tests/simulation/join-world.h"
#include "tests/unit/store-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS_MAX  (SMALL_LINES_MAX + SMALL_ROWS_MAX)
#define ALERTS_MAX 512
#define ID_BYTES   (ALERT_ID_DIGITS + 1)
#define LEAVES_MAX 8192
#define ORDERS     5

#define RULE(name, product, service, detection)                                       \
	"title: " name "\nid: " name "\nlevel: high\nlogsource:\n  product: " product \
	"\n  service: " service "\ndetection:\n  s:\n" detection "  condition: s\n"

static const char rules[] =
	RULE("has-login", "mssql", "audit", "    principal: '*'\n") "---\n" RULE("any-request", "querytrail", "request", "    request_id: '*'\n") "---\n" RULE(
		"nobody", "querytrail", "trail",
		"    grade: U1\n") "---\n" RULE("conflict", "querytrail", "trail",
						"    grade: X\n") "---\n" RULE("sure",
									       "querytrai"
									       "l",
									       "trail",
									       "    "
									       "grade:\n  "
									       "    - A\n "
									       "     - "
									       "B\n") "---"
										      "\n" RULE(
											      "sile"
											      "nt-"
											      "requ"
											      "est",
											      "quer"
											      "ytra"
											      "il",
											      "trai"
											      "l",
											      "    "
											      "grad"
											      "e: "
											      "U2"
											      "\n");

struct alert_set { /* sorted by id */
	char id[ALERTS_MAX][ID_BYTES];
	size_t count;
};

struct run {
	const struct small_world *world;
	struct fixture fixture;
	struct keeper *keeper;
	struct error err;
	uint64_t random;
	int order[2 * ITEMS_MAX];
	int count, next, committed; /* of order: fed, and fed and committed */
	uint64_t revoked;
	struct channels channels;
};

static struct ruleset *make_rules(void)
{
	struct pack *pack = NULL;
	struct ruleset *ruleset = NULL;
	struct error err;
	const struct pack_options options = {0};
	assert_int_equal(pack_parse("rules.yml", str_of(rules), &options, &pack, &err), 0);
	if (pack_problem_count(pack) > 0) {
		fail_msg("%s", pack_problem(pack, 0)->text);
	}
	assert_int_equal(ruleset_new(pack, &ruleset, &err), 0);
	if (pack_problem_count(ruleset_pack(ruleset)) > 0) {
		fail_msg("%s", pack_problem(ruleset_pack(ruleset), 0)->text);
	}
	return ruleset;
}

static void open_keeper(struct run *run, bool with_rules)
{
	const struct keeper_options options = {.store_dir = run->fixture.dir,
					       .join = &run->world->options,
					       .max_keys = 100000,
					       .now_ns = SMALL_T0};
	assert_int_equal(keeper_open(&options, &run->keeper, &run->err), 0);
	alerting_set(keeper_alerting(run->keeper),
		     &(struct alerting_settings){.channels = &run->channels,
						 .hold_ns = 5,
						 .resolve_after_ns = INT64_C(1) << 60,
						 .max_age_ns = INT64_MAX});
	if (with_rules) {
		assert_int_equal(
			alerting_use(keeper_alerting(run->keeper), make_rules(), &run->err), 0);
	}
}

/* Without rules in the middle the position stays where it was, as when their folder can't be read. */
static void reopen(struct run *run, bool with_rules)
{
	run->revoked += alerting_figures(keeper_alerting(run->keeper)).revoked;
	keeper_close(run->keeper);
	open_keeper(run, with_rules);
}

static void commit(struct run *run)
{
	bool more = true;
	for (int round = 0; more; round++) {
		assert_true(round < 100);
		assert_int_equal(keeper_commit(run->keeper, SMALL_T0, &more, &run->err), 0);
	}
	run->committed = run->next;
}

static void feed(struct run *run, const struct record *record, int64_t watermark_ns)
{
	struct roster_source *source = NULL;
	struct keeper_result result;
	struct buf bytes;
	buf_init(&bytes, 0);
	bool request = record->kind == RECORD_REQUEST;
	assert_int_equal(record_encode(record, &bytes, &run->err), 0);
	assert_int_equal(roster_add(keeper_roster(run->keeper), record->source, &source, &run->err),
			 0);
	unsigned kinds = 1u << (request ? RECORD_REQUEST : RECORD_STATEMENT);
	roster_set_type(source, STR_LIT("test"), kinds);
	struct str encoded = buf_str(&bytes);
	const struct keeper_batch batch = {.source = source,
					   .kinds = kinds,
					   .records = &encoded,
					   .record_count = 1,
					   .cursor = STR_LIT("c"),
					   .watermark_ns = watermark_ns,
					   .now_ns = SMALL_T0};
	assert_int_equal(keeper_take(run->keeper, &batch, &result, &run->err), 0);
	buf_done(&bytes);
}

/* All items, some of them twice, in an order of the seed's. */
static void shuffle(struct run *run)
{
	int items = run->world->line_count + run->world->row_count;
	for (int i = 0; i < items; i++) {
		run->order[run->count++] = i;
		if (small_below(&run->random, 4) == 0) {
			run->order[run->count++] = i;
		}
	}
	for (int i = run->count - 1; i > 0; i--) {
		int j = (int)small_below(&run->random, (uint64_t)i + 1);
		int kept = run->order[i];
		run->order[i] = run->order[j];
		run->order[j] = kept;
	}
}

/* Now and then a commit, a crash (what was not committed comes again), or a time without rules. */
static void disturb(struct run *run)
{
	switch (small_below(&run->random, 12)) {
	case 0:
	case 1:
		commit(run);
		return;
	case 2:
		reopen(run, true);
		run->next = run->committed;
		return;
	case 3:
		commit(run);
		reopen(run, small_below(&run->random, 2) == 0);
		return;
	default:
		return;
	}
}

static int64_t some_watermark(struct run *run)
{
	/* often too high: late records revise what was final */
	bool silent = small_below(&run->random, 3) != 0;
	return silent ? INT64_MIN : SMALL_T0 + (int64_t)small_below(&run->random, 40000) * SMALL_MS;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int take_alert(void *owner, const struct store_alert *alert, struct error *err)
{
	struct alert_set *set = owner;
	(void)err;
	assert_true(alert->id.len == ALERT_ID_DIGITS);
	if (alert->state == ALERT_STATE_FIRING) {
		assert_true(set->count < ALERTS_MAX);
		memcpy(set->id[set->count], alert->id.ptr, ALERT_ID_DIGITS);
		set->id[set->count++][ALERT_ID_DIGITS] = 0;
	} else {
		assert_int_equal(alert->state, ALERT_STATE_REVOKED);
	}
	return 0;
}

/* What the rules see in the whole store, from scratch. */
struct oracle {
	struct store *store;
	struct ruleset *ruleset;
	struct matcher *matcher;
	uint64_t verdict_of[LEAVES_MAX]; /* by subject; 0: none stands */
	uint64_t request_of[LEAVES_MAX];
	uint64_t leaves;
	char subject[RECORD_ID_DIGITS + 1];
	struct alert_set set;
};

static int expect_alert(void *owner, const struct matcher_hit *hit, struct error *err)
{
	struct oracle *oracle = owner;
	struct alert_set *set = &oracle->set;
	char id[ID_BYTES];
	(void)err;
	alert_id(hit->rule->id, oracle->subject, id);
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->id[i], id) == 0) {
			return 0;
		}
	}
	assert_true(set->count < ALERTS_MAX);
	memcpy(set->id[set->count++], id, ID_BYTES);
	return 0;
}

static void ask(struct oracle *oracle, const struct rules_event *event,
		const struct record *subject)
{
	struct error err;
	record_stable_id(subject->source, subject->key, oracle->subject);
	assert_int_equal(matcher_run(oracle->matcher, event,
				     &(struct matcher_run){expect_alert, oracle}, &err),
			 0);
}

static int see_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		      struct error *err)
{
	struct oracle *oracle = owner;
	struct record record;
	(void)ingest_ns;
	assert_true(leaf < LEAVES_MAX);
	oracle->leaves = leaf + 1;
	assert_int_equal(record_decode(encoded, &record, err), 0);
	if (record.kind == RECORD_STATEMENT || record.kind == RECORD_REQUEST) {
		bool statement = record.kind == RECORD_STATEMENT;
		ask(oracle,
		    &(struct rules_event){.stage = RULES_STAGE_RECORD,
					  .statement = statement ? &record : NULL,
					  .request = statement ? NULL : &record},
		    &record);
	}
	if (record.kind == RECORD_VERDICT) {
		uint64_t request = (uint64_t)record_number(&record, FIELD_request_leaf, -1);
		uint64_t statement = (uint64_t)record_number(&record, FIELD_statement_leaf, -1);
		if (request != UINT64_MAX) {
			oracle->verdict_of[request] = statement == UINT64_MAX ? leaf : 0;
			oracle->request_of[request] = request;
		}
		if (statement != UINT64_MAX) {
			oracle->verdict_of[statement] = leaf;
			oracle->request_of[statement] = request;
		}
	}
	return 0;
}

struct read { /* one record by its leaf */
	uint64_t leaf;
	struct buf bytes;
	struct record record;
};

static int find_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		       struct error *err)
{
	struct read *read = owner;
	(void)ingest_ns;
	assert_true(leaf == read->leaf);
	buf_clear(&read->bytes);
	buf_put_str(&read->bytes, encoded);
	assert_int_equal(record_decode(buf_str(&read->bytes), &read->record, err), 0);
	return 1;
}

static const struct record *read_leaf(struct oracle *oracle, struct read *read, uint64_t leaf)
{
	struct error err;
	read->leaf = leaf;
	assert_int_equal(store_walk(oracle->store, leaf, find_record, read, &err), 1);
	return &read->record;
}

static void expect_trails(struct oracle *oracle)
{
	static struct read reads[3];
	for (size_t i = 0; i < 3; i++) {
		buf_init(&reads[i].bytes, 0);
	}
	for (uint64_t leaf = 0; leaf < oracle->leaves; leaf++) {
		if (oracle->verdict_of[leaf] == 0) {
			continue;
		}
		const struct record *subject = read_leaf(oracle, &reads[0], leaf);
		struct rules_event event = {.stage = RULES_STAGE_TRAIL};
		event.verdict = read_leaf(oracle, &reads[1], oracle->verdict_of[leaf]);
		assert_true(str_is(record_text(event.verdict, FIELD_settled), "final"));
		event.statement = subject->kind == RECORD_STATEMENT ? subject : NULL;
		if (oracle->request_of[leaf] != UINT64_MAX) {
			event.request = read_leaf(oracle, &reads[2], oracle->request_of[leaf]);
		}
		ask(oracle, &event, subject);
	}
	for (size_t i = 0; i < 3; i++) {
		buf_done(&reads[i].bytes);
	}
}

static void expect(struct run *run, struct alert_set *out)
{
	static struct oracle oracle;
	struct error err;
	memset(&oracle, 0, sizeof oracle);
	oracle.store = keeper_store(run->keeper);
	oracle.ruleset = make_rules();
	assert_int_equal(matcher_new(oracle.ruleset, &oracle.matcher, &err), 0);
	assert_int_equal(store_walk(oracle.store, 0, see_record, &oracle, &err), 0);
	expect_trails(&oracle);
	matcher_free(oracle.matcher);
	ruleset_free(oracle.ruleset);
	qsort(oracle.set.id, oracle.set.count, ID_BYTES, by_id);
	*out = oracle.set;
}

static void same(const struct alert_set *a, const struct alert_set *b, uint64_t seed, int order,
		 const char *what)
{
	bool equal = a->count == b->count;
	for (size_t i = 0; i < a->count && equal; i++) {
		equal = strcmp(a->id[i], b->id[i]) == 0;
	}
	if (!equal) {
		fail_msg("seed %d order %d: %zu alerts, and %s %zu", (int)seed, order, a->count,
			 what, b->count);
	}
}

/* Runs one order and gives the alerts that fire at its end. Returns how many were revoked on the way. */
static uint64_t go(const struct small_world *world, uint64_t seed, int order, struct alert_set *out)
{
	static struct run run;
	static struct alert_set expected;
	memset(&run, 0, sizeof run);
	run.world = world;
	run.random = seed * 1000 + (uint64_t)order;
	fixture_init(&run.fixture);
	open_keeper(&run, true);
	shuffle(&run);
	while (run.next < run.count) {
		int64_t watermark_ns = some_watermark(&run);
		feed(&run, &world->record[run.order[run.next++]], watermark_ns);
		disturb(&run);
	}
	commit(&run);
	reopen(&run, true);
	for (int i = 0; i < world->line_count + world->row_count; i++) {
		feed(&run, &world->record[i], INT64_MAX); /* all of them are there already */
	}
	commit(&run);
	out->count = 0;
	assert_int_equal(alerts_walk(keeper_store(run.keeper),
				     &(struct alerts_walk){take_alert, out}, &run.err),
			 0);
	qsort(out->id, out->count, ID_BYTES, by_id);
	expect(&run, &expected);
	same(out, &expected, seed, order, "the rules see");
	run.revoked += alerting_figures(keeper_alerting(run.keeper)).revoked;
	keeper_close(run.keeper);
	fixture_done(&run.fixture);
	return run.revoked;
}

static void any_order_gives_the_same_alerts(void **state)
{
	/* the alerts that are not revoked are those of the final verdicts, whatever came when, twice, or before a restart */
	static struct small_world world;
	static struct alert_set first, other;
	const char *more = getenv("ALERT_SEEDS");
	uint64_t seeds = 40;
	uint64_t fired = 0;
	uint64_t revoked = 0;
	(void)state;
	assert_true(more == NULL || parse_u64(str_of(more), &seeds));
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		small_world_make(&world, seed);
		for (int order = 0; order < ORDERS; order++) {
			revoked += go(&world, seed, order, order == 0 ? &first : &other);
			if (order > 0) {
				same(&first, &other, seed, order, "in another order");
			}
		}
		fired += first.count;
	}
	print_message("# %d worlds, %d alerts in them, %d times one was revoked\n", (int)seeds,
		      (int)fired, (int)revoked);
	assert_true(fired > 10 * seeds);
	assert_true(revoked > seeds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(any_order_gives_the_same_alerts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
