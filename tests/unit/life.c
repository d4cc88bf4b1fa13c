#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/log.h"
#include "correlator/life.h"
#include "correlator/lifeorders.h"
#include "model/leafset.h"
#include "model/redact.h"
#include "store/erasures.h"
#include "store/holds.h"
#include "store/seal.h"
#include "tests/unit/store-filled.h"

#include <time.h>

#define RECORDS 70
#define ID      "0123456789abcdef"
#define TURNS   5000

static const struct join_options join_options = {.tolerance_ns = 100000000,
						 .slack_ns = INT64_C(5000000000),
						 .provisional_ns = INT64_C(120000000000),
						 .max_records = 100000};

/* A store with records, of which the first half is sealed, a daemon's keeper on it, and a place for ledger and programs. */
struct stage {
	struct fixture places;
	struct filled filled;
	struct keeper *keeper;
	struct life *life;
	char ledger[128];
	struct retention_settings settings;
	struct error err;
};

static void open_life(struct stage *stage)
{
	const struct keeper_options keeper = {.store_dir = stage->filled.fixture.dir,
					      .join = &join_options,
					      .records_only = true,
					      .max_keys = 100000,
					      .now_ns = FIXTURE_START_NS};
	const struct life_options life = {.store_dir = stage->filled.fixture.dir,
					  .settings = &stage->settings};
	assert_int_equal(keeper_open(&keeper, &stage->keeper, &stage->err), 0);
	struct life_options options = life;
	options.keeper = stage->keeper;
	assert_int_equal(life_new(&options, &stage->life, &stage->err), 0);
}

static void close_life(struct stage *stage)
{
	life_free(stage->life);
	keeper_close(stage->keeper);
}

static void make_store(struct stage *stage)
{
	filled_init(&stage->filled, RECORDS, RECORDS / 2);
	store_close(stage->filled.store);
	filled_open(&stage->filled, STORE_WRITE);
	const struct seal_order order = {.head_end = RECORDS / 2,
					 .settled_ns = INT64_MAX,
					 .judged_ns = INT64_MAX,
					 .close = true,
					 .now_ns = 1};
	struct seal_result result;
	assert_int_equal(seal_run(stage->filled.store, &order, &result, &stage->err), 0);
	store_close(stage->filled.store);
	stage->filled.store = NULL;
}

static void begin(struct stage *stage)
{
	memset(stage, 0, sizeof *stage);
	fixture_init(&stage->places);
	(void)snprintf(stage->ledger, sizeof stage->ledger, "%s/ledger", stage->places.dir);
	stage->settings =
		(struct retention_settings){.interval_ns = NS_PER_HOUR, .ledger = stage->ledger};
	log_set_level(LOG_LEVEL_ERROR);
	make_store(stage);
	open_life(stage);
}

static void end(struct stage *stage)
{
	close_life(stage);
	filled_done(&stage->filled);
	fixture_done(&stage->places);
}

static void commit(struct stage *stage)
{
	bool more = true;
	while (more) {
		assert_int_equal(keeper_commit(stage->keeper, clock_now_ns(), &more, &stage->err),
				 0);
	}
}

/* Turns until nothing is to be done now. */
static void work(struct stage *stage)
{
	for (int i = 0; i < TURNS; i++) {
		int64_t now_ns = clock_monotonic_ns();
		int64_t next_ns = life_turn(stage->life, now_ns);
		if (keeper_is_open(stage->keeper)) {
			commit(stage);
		} else if (next_ns > now_ns + NS_PER_MIN / 2) {
			return;
		} else if (next_ns > now_ns) { /* a child is waited for */
			(void)nanosleep(&(struct timespec){0, 2 * NS_PER_MS}, NULL);
		}
	}
	fail_msg("it never ends");
}

/* What persons order; the key is the event's and the name's. */
static void give(struct stage *stage, const char *event, const char *name, struct str leaves)
{
	struct record record;
	char key[RECORD_KEY_MAX];
	bool erases = str_is(str_of(event), LIFEORDERS_ERASE);
	record_init(&record, RECORD_LIFECYCLE);
	int len = snprintf(key, sizeof key, "%s%s", event, name);
	record.source = STR_LIT("querytrail");
	record.key = str_make(key, (size_t)len);
	record_set_text(&record, FIELD_event, str_of(event));
	record_set_text(&record, FIELD_user, STR_LIT("ann"));
	record_set_text(&record, FIELD_note, STR_LIT("why not"));
	record_set_text(&record, erases ? FIELD_erasure : FIELD_hold, str_of(name));
	if (erases) {
		record_set_text(&record, FIELD_data_class, STR_LIT("records"));
		record_set_text(&record, FIELD_filter_digest, STR_LIT("abcd"));
		record_set_text(&record, FIELD_leaves, leaves);
	} else {
		record_set_text(&record, FIELD_filter, STR_LIT("user:alice"));
	}
	assert_int_equal(keeper_note(stage->keeper, &record, clock_now_ns(), &stage->err), 0);
	commit(stage);
}

struct counts {
	uint64_t whole, erased, lifecycle;
	bool kept_secret;      /* no lifecycle record has filter or leaves */
	uint64_t erased_count; /* as the last record of an erasure says */
};

static int count_one(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		     struct error *err)
{
	struct counts *counts = owner;
	struct record record;
	struct str id;
	(void)leaf;
	(void)ingest_ns;
	int rc = record_decode(encoded, &record, err);
	counts->whole += rc == 0 && record_has(&record, FIELD_raw) ? 1 : 0;
	counts->erased += rc == 0 && redact_degree_of(&record, &id) == REDACT_ALL ? 1 : 0;
	if (rc == 0 && record.kind == RECORD_LIFECYCLE) {
		counts->lifecycle++;
		counts->kept_secret = counts->kept_secret && !record_has(&record, FIELD_filter) &&
				      !record_has(&record, FIELD_leaves);
		if (str_is(record_text(&record, FIELD_event), "erasure")) {
			counts->erased_count =
				(uint64_t)record_number(&record, FIELD_record_count, 0);
		}
	}
	return rc;
}

static struct counts count(struct stage *stage)
{
	struct counts counts = {.kept_secret = true};
	struct store *store = keeper_store(stage->keeper);
	assert_int_equal(store_walk(store, 0, count_one, &counts, &stage->err), 0);
	return counts;
}

static struct erasure row_of(struct stage *stage, const char *id)
{
	struct erasures all;
	struct erasure row = {0};
	erasures_init(&all);
	assert_int_equal(erasures_read(keeper_store(stage->keeper), &all, &stage->err), 0);
	const struct erasure *found = erasures_find(&all, str_of(id));
	if (found != NULL) {
		row = *found;
	}
	erasures_done(&all);
	return row;
}

/* How many of the leaves below end come from outside. */
static uint64_t outside(uint64_t leaves)
{
	uint64_t full = leaves / FIXTURE_PERIOD * (1 + FIXTURE_STATEMENTS);
	uint64_t rest = leaves % FIXTURE_PERIOD;
	return full + (rest > 1 + FIXTURE_STATEMENTS ? 1 + FIXTURE_STATEMENTS : rest);
}

/* Leaves 28..48: the end of the block and the beginning of the head. */
static const struct str middle = {"\x1c\x14", 2};

static void an_order_is_done_in_block_and_head(void **state)
{
	/* what an erasure names is erased wherever it stands, the row and a lifecycle record say so, and neither filter nor leaves are stored */
	struct stage stage;
	(void)state;
	begin(&stage);
	give(&stage, LIFEORDERS_ERASE, ID, middle);
	assert_int_equal(row_of(&stage, ID).state, ERASURE_ORDERED);
	work(&stage);
	struct erasure row = row_of(&stage, ID);
	assert_int_equal(row.state, ERASURE_DONE);
	assert_int_equal(row.records, outside(21));
	assert_true(row.done_ns >= row.ordered_ns && row.held == 0);
	struct counts counts = count(&stage);
	assert_int_equal(counts.erased, outside(21));
	assert_int_equal(counts.whole, outside(RECORDS) - outside(21));
	assert_int_equal(counts.lifecycle, 2);
	assert_int_equal(counts.erased_count, outside(21));
	assert_true(counts.kept_secret);
	assert_int_equal(access(stage.ledger, F_OK), 0);
	end(&stage);
}

static void a_restored_store_is_erased_again(void **state)
{
	/* a store that does not know an erasure of the ledger does it when it is opened, once; and a store begun anew likewise */
	struct stage stage;
	(void)state;
	begin(&stage);
	give(&stage, LIFEORDERS_ERASE, ID, middle);
	work(&stage);
	close_life(&stage);
	fixture_done(&stage.filled.fixture);
	make_store(&stage);
	log_set_level(LOG_LEVEL_ERROR);
	for (int round = 0; round < 2; round++) {
		open_life(&stage);
		work(&stage);
		struct erasure row = row_of(&stage, ID);
		assert_true(row.state == ERASURE_DONE && row.again);
		assert_int_equal(row.records, outside(21));
		assert_int_equal(count(&stage).erased, outside(21));
		assert_int_equal(count(&stage).lifecycle, 1);
		if (round == 0) {
			close_life(&stage);
		}
	}
	end(&stage);
}

static void without_a_ledger_nothing_is_erased(void **state)
{
	/* when the ledger cannot be written the erasure waits, nothing has changed, and status says why; later it is done */
	struct stage stage;
	struct buf said;
	char good[sizeof stage.ledger];
	(void)state;
	begin(&stage);
	close_life(&stage);
	memcpy(good, stage.ledger, sizeof good);
	(void)snprintf(stage.ledger, sizeof stage.ledger, "%s/none/ledger", stage.places.dir);
	open_life(&stage);
	give(&stage, LIFEORDERS_ERASE, ID, middle);
	work(&stage);
	assert_int_equal(row_of(&stage, ID).state, ERASURE_WORKING);
	assert_int_equal(count(&stage).erased, 0);
	buf_init(&said, 0);
	assert_int_equal(store_meta_get(keeper_store(stage.keeper), LIFE_STATE, &said, &stage.err),
			 0);
	assert_non_null(strstr(said.ptr, "problem: the erasure waits"));
	assert_non_null(strstr(said.ptr, "none/ledger"));
	buf_done(&said);
	close_life(&stage);
	memcpy(stage.ledger, good, sizeof good);
	open_life(&stage);
	work(&stage);
	assert_int_equal(row_of(&stage, ID).state, ERASURE_DONE);
	assert_int_equal(count(&stage).erased, outside(21));
	end(&stage);
}

static void put_program(struct stage *stage, const char *script)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/querytrail", stage->places.dir);
	assert_int_equal(io_replace_file(path, str_of(script), 0700, &stage->err), 0);
	assert_int_equal(setenv("QUERYTRAIL_LIBEXEC", stage->places.dir, 1), 0);
}

static void what_is_held_waits_for_the_release(void **state)
{
	/* a hold keeps what it covers and names itself; without an answer what it covers nothing goes; its release does the rest */
	struct stage stage;
	(void)state;
	begin(&stage);
	give(&stage, LIFEORDERS_HOLD, "case-1", middle);
	put_program(&stage, "#!/bin/sh\nexit 3\n");
	give(&stage, LIFEORDERS_ERASE, ID, middle);
	work(&stage);
	assert_int_equal(count(&stage).erased, 0);
	close_life(&stage);
	put_program(&stage,
		    "#!/bin/sh\nprintf 'querytrail leaves 1\\nhold case-1\\n28 34\\nend 1\\n'\n");
	open_life(&stage);
	work(&stage);
	struct erasure row = row_of(&stage, ID);
	assert_int_equal(row.state, ERASURE_HELD);
	assert_int_equal(row.held, 7);
	assert_string_equal(row.held_by, "case-1");
	assert_int_equal(count(&stage).erased, outside(14));
	give(&stage, LIFEORDERS_RELEASE, "case-1", middle);
	work(&stage);
	row = row_of(&stage, ID);
	assert_int_equal(row.state, ERASURE_DONE);
	assert_int_equal(row.held, 0);
	assert_int_equal(count(&stage).erased, outside(21));
	assert_true(count(&stage).kept_secret);
	end(&stage);
}

static void the_oldest_go_when_there_is_too_much(void **state)
{
	/* a store that is too large loses its blocks, keeps what it says of itself, and tells it; at the next look nothing is left to do */
	struct stage stage;
	struct store_removed removed;
	struct buf said;
	(void)state;
	begin(&stage);
	stage.settings.size_bytes = 1;
	life_set(stage.life, &stage.settings);
	work(&stage);
	struct counts counts = count(&stage);
	assert_int_equal(counts.whole, outside(RECORDS) - outside(RECORDS / 2));
	assert_int_equal(counts.lifecycle, 1);
	struct store *store = keeper_store(stage.keeper);
	assert_int_equal(store_removed(store, &removed, &stage.err), 0);
	assert_int_equal(removed.records, RECORDS / 2);
	buf_init(&said, 0);
	assert_int_equal(store_meta_get(store, LIFE_STATE, &said, &stage.err), 0);
	assert_non_null(strstr(said.ptr, "35 records removed by size"));
	buf_done(&said);
	life_set(stage.life, &stage.settings);
	work(&stage);
	assert_int_equal(count(&stage).lifecycle, 1);
	assert_false(life_is_busy(stage.life));
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_done_in_block_and_head),
		cmocka_unit_test(a_restored_store_is_erased_again),
		cmocka_unit_test(without_a_ledger_nothing_is_erased),
		cmocka_unit_test(what_is_held_waits_for_the_release),
		cmocka_unit_test(the_oldest_go_when_there_is_too_much),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
