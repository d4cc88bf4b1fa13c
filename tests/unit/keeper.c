#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/keeper.h"
#include "correlator/verdict.h"
#include "tests/unit/store-filled.h"

static const struct join_options join_options = {.tolerance_ns = 100000000,
						 .slack_ns = INT64_C(5000000000),
						 .provisional_ns = INT64_C(120000000000),
						 .max_records = 100000};

struct kept {
	struct fixture fixture;
	struct keeper *keeper;
	struct error err;
	struct buf bytes;
	struct str records[400];
};

static void open_keeper(struct kept *kept)
{
	struct keeper_options options = {.store_dir = kept->fixture.dir,
					 .join = &join_options,
					 .max_keys = 100000,
					 .now_ns = FIXTURE_START_NS};
	int rc = keeper_open(&options, &kept->keeper, &kept->err);
	assert_int_equal(rc, 0);
}

static void kept_init(struct kept *kept)
{
	memset(kept, 0, sizeof *kept);
	fixture_init(&kept->fixture);
	buf_init(&kept->bytes, 0);
	open_keeper(kept);
}

static void kept_done(struct kept *kept)
{
	keeper_close(kept->keeper);
	buf_done(&kept->bytes);
	fixture_done(&kept->fixture);
}

/* Requests (kind 0) or statements (1) first .. of the fixture's world that lie in count records; returns how many. */
static size_t collect(struct kept *kept, enum record_kind kind, uint64_t first, uint64_t count)
{
	size_t ends[400];
	size_t used = 0;
	buf_clear(&kept->bytes);
	for (uint64_t n = first; n < first + count; n++) {
		struct str encoded;
		if (fixture_record(&kept->fixture, n, &encoded)->kind == kind) {
			buf_put_str(&kept->bytes, encoded);
			ends[used++] = kept->bytes.len;
		}
	}
	for (size_t i = 0; i < used; i++) {
		size_t start = i > 0 ? ends[i - 1] : 0;
		kept->records[i] = str_make(kept->bytes.ptr + start, ends[i] - start);
	}
	return used;
}

static int take(struct kept *kept, const char *name, unsigned kinds, size_t count,
		struct keeper_result *out)
{
	struct roster_source *source = NULL;
	assert_int_equal(roster_add(keeper_roster(kept->keeper), str_of(name), &source, &kept->err),
			 0);
	roster_set_type(source, STR_LIT("test"), kinds);
	struct keeper_batch batch = {.source = source,
				     .kinds = kinds,
				     .records = kept->records,
				     .record_count = count,
				     .cursor = STR_LIT("cursor"),
				     .watermark_ns = 77,
				     .now_ns = FIXTURE_START_NS};
	return keeper_take(kept->keeper, &batch, out, &kept->err);
}

static void commit(struct kept *kept)
{
	bool more = true;
	assert_int_equal(keeper_commit(kept->keeper, FIXTURE_START_NS, &more, &kept->err), 0);
	assert_false(more);
}

static void replay_adds_nothing(void **state)
{
	/* the same batch again, in one transaction, in the next and after a restart: all duplicates, and the accounts balance */
	struct kept kept;
	struct keeper_result result;
	(void)state;
	kept_init(&kept);
	size_t count = collect(&kept, RECORD_REQUEST, 0, 700);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, count, &result), 0);
	assert_int_equal(result.stored, count);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, count, &result), 0);
	assert_int_equal(result.duplicate, count);
	assert_int_equal(result.stored, 0);
	commit(&kept);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, count, &result), 0);
	assert_int_equal(result.duplicate, count);
	commit(&kept);
	keeper_close(kept.keeper);
	open_keeper(&kept);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, count, &result), 0);
	assert_int_equal(result.duplicate, count);
	commit(&kept);
	const struct store_source *about =
		&roster_find(keeper_roster(kept.keeper), STR_LIT("api"))->about;
	assert_int_equal(about->received, 4 * count);
	assert_int_equal(about->stored, count);
	assert_int_equal(about->received, about->stored + about->duplicate);
	assert_int_equal(about->watermark_ns, 77);
	assert_true(str_is(about->cursor, "cursor"));
	assert_int_equal(keeper_figures(kept.keeper).leaves, count);
	kept_done(&kept);
}

static void uncommitted_is_not_there(void **state)
{
	/* what was taken but not committed is gone after a restart, cursor and counters with it */
	struct kept kept;
	struct keeper_result result;
	(void)state;
	kept_init(&kept);
	size_t count = collect(&kept, RECORD_REQUEST, 0, 700);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, count, &result), 0);
	assert_true(keeper_has_pending(kept.keeper));
	assert_int_equal(keeper_pending_records(kept.keeper), count);
	keeper_close(kept.keeper);
	open_keeper(&kept);
	assert_null(roster_find(keeper_roster(kept.keeper), STR_LIT("api")));
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, count, &result), 0);
	assert_int_equal(result.stored, count);
	kept_done(&kept);
}

static void bad_batch_is_refused_whole(void **state)
{
	/* a malformed record, one of another source or of a kind that the source may not give: nothing of the batch is taken */
	struct kept kept;
	struct keeper_result result;
	(void)state;
	kept_init(&kept);
	size_t count = collect(&kept, RECORD_REQUEST, 0, 700);
	struct str good = kept.records[count - 1];
	kept.records[count - 1] = str_slice(good, 0, good.len - 1);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, count, &result), -ERR_INPUT);
	kept.records[count - 1] = good;
	assert_int_equal(take(&kept, "other", 1u << RECORD_REQUEST, count, &result), -ERR_INPUT);
	assert_int_equal(take(&kept, "api", 1u << RECORD_STATEMENT, count, &result), -ERR_INPUT);
	assert_int_equal(keeper_pending_records(kept.keeper), 0);
	commit(&kept);
	assert_int_equal(keeper_figures(kept.keeper).leaves, 0);
	kept_done(&kept);
}

struct counted {
	size_t verdicts, provisional;
	uint32_t last_revision;
};

static int count_verdict(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			 struct error *err)
{
	struct counted *counted = owner;
	struct record record;
	(void)leaf;
	(void)ingest_ns;
	int rc = record_decode(encoded, &record, err);
	if (rc == 0 && record.kind == RECORD_VERDICT) {
		counted->verdicts++;
		counted->provisional +=
			str_is(record_text(&record, FIELD_settled), "provisional") ? 1 : 0;
		counted->last_revision = (uint32_t)record_number(&record, FIELD_revision, 0);
		assert_true(str_is(record.source, VERDICT_SOURCE));
	}
	return rc;
}

static struct counted count_verdicts(struct kept *kept)
{
	struct store *store = NULL;
	struct counted counted = {0};
	assert_int_equal(store_open(kept->fixture.dir, STORE_READ, &store, &kept->err), 0);
	assert_int_equal(store_walk(store, 0, count_verdict, &counted, &kept->err), 0);
	store_close(store);
	return counted;
}

static void verdicts_are_said_once(void **state)
{
	/* unmatched statements get one final verdict each when all is done; a restart and a rejoin repeat none of them */
	struct kept kept;
	struct keeper_result result;
	(void)state;
	kept_init(&kept);
	size_t count = collect(&kept, RECORD_STATEMENT, 0, 350);
	assert_int_equal(take(&kept, "db", 1u << RECORD_STATEMENT, count, &result), 0);
	commit(&kept);
	size_t requests = collect(&kept, RECORD_REQUEST, 0, 7);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, requests, &result), 0);
	struct roster *roster = keeper_roster(kept.keeper);
	for (size_t i = 0; i < roster->count; i++) {
		roster_set_state(roster->sources[i], "done", (struct str){0}, 1);
	}
	commit(&kept);
	struct counted counted = count_verdicts(&kept);
	assert_int_equal(counted.verdicts, count + requests);
	assert_int_equal(counted.provisional, 0);
	keeper_close(kept.keeper);
	open_keeper(&kept);
	commit(&kept);
	assert_int_equal(count_verdicts(&kept).verdicts, count + requests);
	assert_int_equal(keeper_rejoin(kept.keeper, &join_options, &kept.err), 0);
	commit(&kept);
	assert_int_equal(count_verdicts(&kept).verdicts, count + requests);
	kept_done(&kept);
}

static void full_join_does_not_stop_storing(void **state)
{
	/* past the join's limit records are stored all the same, and the figures say so */
	static const struct join_options small = {.slack_ns = 1, .max_records = 10};
	struct kept kept;
	struct keeper_result result;
	(void)state;
	kept_init(&kept);
	assert_int_equal(keeper_rejoin(kept.keeper, &small, &kept.err), 0);
	size_t count = collect(&kept, RECORD_STATEMENT, 0, 350);
	assert_int_equal(take(&kept, "db", 1u << RECORD_STATEMENT, count, &result), 0);
	commit(&kept);
	assert_int_equal(keeper_figures(kept.keeper).leaves, count);
	assert_true(keeper_figures(kept.keeper).join_full);
	kept_done(&kept);
}

static void own_records_and_gaps(void **state)
{
	/* a lifecycle record is stored once; a GAP and a REJECT from a source are counted as such */
	struct kept kept;
	struct keeper_result result;
	struct record record;
	struct buf gap, reject;
	(void)state;
	kept_init(&kept);
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT(VERDICT_SOURCE);
	record.key = STR_LIT("start:1");
	record_set_text(&record, FIELD_event, STR_LIT("start"));
	assert_int_equal(keeper_note(kept.keeper, &record, 5, &kept.err), 0);
	assert_int_equal(keeper_note(kept.keeper, &record, 5, &kept.err), 0);
	commit(&kept);
	assert_int_equal(keeper_figures(kept.keeper).leaves, 1);
	buf_init(&gap, 0);
	buf_init(&reject, 0);
	record_init(&record, RECORD_GAP);
	record.source = STR_LIT("api");
	record.key = STR_LIT("g");
	assert_int_equal(record_encode(&record, &gap, &kept.err), 0);
	record_init(&record, RECORD_REJECT);
	record.source = STR_LIT("api");
	record.key = STR_LIT("r");
	assert_int_equal(record_encode(&record, &reject, &kept.err), 0);
	kept.records[0] = buf_str(&gap);
	kept.records[1] = buf_str(&reject);
	assert_int_equal(take(&kept, "api", 1u << RECORD_REQUEST, 2, &result), 0);
	commit(&kept);
	const struct store_source *about =
		&roster_find(keeper_roster(kept.keeper), STR_LIT("api"))->about;
	assert_int_equal(result.rejected, 1);
	assert_int_equal(about->rejected, 1);
	assert_int_equal(about->gaps, 1);
	assert_int_equal(about->stored, 2);
	assert_true(about->first_time_ns == INT64_MIN);
	buf_done(&gap);
	buf_done(&reject);
	kept_done(&kept);
}

static void only_orders_of_persons_are_taken(void **state)
{
	/* a lifecycle record of a peer is an acknowledgement or a replay, which is done with it; any other refuses the batch */
	struct kept kept;
	struct keeper_result result;
	struct record record;
	struct buf bytes;
	(void)state;
	kept_init(&kept);
	buf_init(&bytes, 0);
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT("querytrail");
	record.key = STR_LIT("1");
	record_set_text(&record, FIELD_event, STR_LIT("stop"));
	assert_int_equal(record_encode(&record, &bytes, &kept.err), 0);
	kept.records[0] = buf_str(&bytes);
	assert_int_equal(take(&kept, "querytrail", 1u << RECORD_LIFECYCLE, 1, &result), -ERR_INPUT);
	record_set_text(&record, FIELD_event, STR_LIT("alert_replay"));
	buf_clear(&bytes);
	assert_int_equal(record_encode(&record, &bytes, &kept.err), 0);
	kept.records[0] = buf_str(&bytes);
	assert_int_equal(take(&kept, "querytrail", 1u << RECORD_LIFECYCLE, 1, &result), 0);
	assert_int_equal(result.stored, 1);
	assert_true(keeper_is_open(kept.keeper));
	commit(&kept);
	assert_false(keeper_is_open(kept.keeper));
	bool known = true;
	const struct outbox_receipt receipt = {.alert_id = STR_LIT("00000000000000aa"),
					       .channel = STR_LIT("mail"),
					       .revision = 1,
					       .outcome = FEED_DELIVERED};
	assert_int_equal(keeper_receive(kept.keeper, &receipt, 5, &known, &kept.err), 0);
	assert_false(known);
	bool more = true;
	commit(&kept);
	assert_int_equal(keeper_expire(kept.keeper, 5, &more, &kept.err), 0);
	assert_false(more);
	assert_false(keeper_is_open(kept.keeper)); /* nothing was due */
	buf_done(&bytes);
	kept_done(&kept);
}

static void second_keeper_is_refused(void **state)
{
	/* two daemons on one store: the second gets ERR_CONFIG */
	struct kept kept;
	struct keeper *other = NULL;
	(void)state;
	kept_init(&kept);
	struct keeper_options options = {
		.store_dir = kept.fixture.dir, .join = &join_options, .max_keys = 10};
	assert_int_equal(keeper_open(&options, &other, &kept.err), -ERR_CONFIG);
	assert_null(other);
	kept_done(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_adds_nothing),
		cmocka_unit_test(uncommitted_is_not_there),
		cmocka_unit_test(bad_batch_is_refused_whole),
		cmocka_unit_test(verdicts_are_said_once),
		cmocka_unit_test(full_join_does_not_stop_storing),
		cmocka_unit_test(own_records_and_gaps),
		cmocka_unit_test(only_orders_of_persons_are_taken),
		cmocka_unit_test(second_keeper_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
