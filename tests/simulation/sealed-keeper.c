/* Small nasty worlds through the real keeper and the real store: sealed, merged, forgotten, restarted and sent again at any moment, and the
 * standing verdicts are those of the oracle; what comes twice adds nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parse.h"
#include "correlator/keeper.h"
#include "store/blocks.h"
#include "store/handle.h"
#include "store/seal.h"
#include "tests/simulation/join-oracle.h"
#include "tests/unit/store-fixture.h"

#define ITEMS_MAX   (SMALL_LINES_MAX + SMALL_ROWS_MAX)
#define BLOCKS_ROOM 256

struct run {
	const struct small_world *world;
	struct fixture fixture;
	struct keeper *keeper;
	struct error err;
	uint64_t random;
	int order[ITEMS_MAX];
	int count, next;
	int64_t watermark_ns[2]; /* of statements, of requests */
	unsigned seals, restarts;
	size_t visits; /* together, at most; 0: as many as the daemon does */
	unsigned pressed;
};

static void open_keeper(struct run *run)
{
	const struct keeper_options options = {.store_dir = run->fixture.dir,
					       .join = &run->world->options,
					       .max_keys = 100000,
					       .visits = run->visits,
					       .now_ns = SMALL_T0};
	assert_int_equal(keeper_open(&options, &run->keeper, &run->err), 0);
}

/* What the keeper waits for, or word that there is none. */
static void press(struct run *run)
{
	struct seal_result result;
	struct store *store = keeper_store(run->keeper);
	const struct seal_order order = {.head_end = store_leaf_count(store),
					 .settled_ns = INT64_MIN,
					 .judged_ns = INT64_MIN,
					 .pull_rows = 1000,
					 .pull_open = true,
					 .requests = 1 + small_below(&run->random, 4),
					 .now_ns = SMALL_T0};
	if (small_below(&run->random, 3) == 0 ||
	    seal_run(store, &order, &result, &run->err) == -ERR_GONE) {
		keeper_go_on(run->keeper);
	}
	run->pressed++;
}

static void commit(struct run *run)
{
	bool more = true;
	for (int round = 0; more; round++) {
		assert_true(round < 1000);
		if (keeper_commit(run->keeper, SMALL_T0, &more, &run->err) != 0) {
			fail_msg("commit: %s", run->err.text);
		}
		if (keeper_wants_seal(run->keeper)) {
			assert_true(more);
			press(run);
		}
	}
}

/* Sends a record (-1: none, but the watermark). */
static struct keeper_result send(struct run *run, int item, bool request)
{
	struct roster_source *source = NULL;
	struct keeper_result result = {0};
	struct buf bytes;
	unsigned kinds = 1u << (request ? RECORD_REQUEST : RECORD_STATEMENT);
	buf_init(&bytes, 0);
	if (item >= 0) {
		assert_int_equal(record_encode(&run->world->record[item], &bytes, &run->err), 0);
	}
	struct str records[1] = {buf_str(&bytes)};
	assert_int_equal(roster_add(keeper_roster(run->keeper), str_of(request ? "api" : "db"),
				    &source, &run->err),
			 0);
	roster_set_type(source, STR_LIT("test"), kinds);
	struct keeper_batch batch = {.source = source,
				     .kinds = kinds,
				     .records = records,
				     .record_count = item >= 0 ? 1 : 0,
				     .cursor = STR_LIT("c"),
				     .watermark_ns = run->watermark_ns[request],
				     .now_ns = SMALL_T0};
	if (keeper_take(run->keeper, &batch, &result, &run->err) != 0) {
		fail_msg("take: %s", run->err.text);
	}
	buf_done(&bytes);
	return result;
}

/* Some of the blocks there are. */
static size_t choose_blocks(struct run *run, uint64_t numbers[BLOCKS_ROOM])
{
	const struct blocks_list *list = NULL;
	size_t count = 0;
	struct store *store = keeper_store(run->keeper);
	struct blocks *blocks = blocks_new(run->fixture.dir, store->catalog, NULL);
	assert_non_null(blocks);
	assert_int_equal(blocks_load(blocks, &list, NULL, &run->err), 0);
	for (size_t i = 0; i < list->count && count < BLOCKS_ROOM; i++) {
		if (small_below(&run->random, 2) == 0) {
			numbers[count++] = list->rows[i].about.number;
		}
	}
	blocks_free(blocks);
	return count;
}

static void seal(struct run *run)
{
	uint64_t numbers[BLOCKS_ROOM];
	struct seal_result result;
	commit(run);
	struct seal_order order = {
		.head_end =
			small_below(&run->random, store_leaf_count(keeper_store(run->keeper)) + 1),
		.blocks = numbers,
		.block_count = choose_blocks(run, numbers),
		.settled_ns = INT64_MIN,
		.requests = 1 + small_below(&run->random, 4),
		.close = small_below(&run->random, 3) == 0,
		.now_ns = SMALL_T0};
	int rc = seal_run(keeper_store(run->keeper), &order, &result, &run->err);
	if (rc != 0 && rc != -ERR_GONE) {
		fail_msg("seal: %s", run->err.text);
	}
	run->seals += rc == 0;
}

static void disturb(struct run *run)
{
	uint64_t dice = small_below(&run->random, 12);
	if (dice < 3 && run->next > 0) {
		int item = run->order[small_below(&run->random, (uint64_t)run->next)];
		struct keeper_result result = send(run, item, item < run->world->line_count);
		assert_int_equal(result.duplicate, 1);
	} else if (dice < 5) {
		commit(run);
	} else if (dice < 8) {
		seal(run);
	} else if (dice == 8) {
		commit(run);
		keeper_close(run->keeper);
		open_keeper(run);
		run->restarts++;
	} else if (dice < 11) {
		int64_t at_ns = SMALL_T0 + (int64_t)small_below(&run->random, 16000) * SMALL_MS;
		int64_t *mark_ns = &run->watermark_ns[dice == 9];
		*mark_ns = at_ns > *mark_ns ? at_ns : *mark_ns;
		(void)send(run, -1, dice == 9);
	}
}

struct standing {
	struct run *run;
	char text[ITEMS_MAX][400];
	int64_t revision[ITEMS_MAX];
	uint64_t leaf_of[ITEMS_MAX];
};

static int item_of(const struct run *run, uint64_t leaf, struct standing *standing)
{
	for (int i = 0; i < run->count; i++) {
		if (standing->leaf_of[i] == leaf) {
			return i;
		}
	}
	return -1;
}

static int note_leaf(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		     struct error *err)
{
	struct standing *standing = owner;
	const struct run *run = standing->run;
	struct record record;
	(void)ingest_ns;
	int rc = record_decode(encoded, &record, err);
	for (int i = 0; rc == 0 && i < run->count; i++) {
		if (record.kind == run->world->record[i].kind &&
		    str_equal(record.key, run->world->record[i].key)) {
			assert_int_equal(standing->leaf_of[i], JOIN_NO_LEAF); /* once */
			standing->leaf_of[i] = leaf;
		}
	}
	return rc;
}

/* Verdicts come in the order in which they were said: each revision of a record is the next one. */
static int note_verdict(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			struct error *err)
{
	struct standing *standing = owner;
	struct record record;
	(void)leaf;
	(void)ingest_ns;
	int rc = record_decode(encoded, &record, err);
	if (rc < 0 || record.kind != RECORD_VERDICT) {
		return rc;
	}
	int line = item_of(standing->run, (uint64_t)record_number(&record, FIELD_request_leaf, -1),
			   standing);
	int row = item_of(standing->run, (uint64_t)record_number(&record, FIELD_statement_leaf, -1),
			  standing);
	int subject = row >= 0 ? row : line;
	assert_true(subject >= 0);
	assert_int_equal(record_number(&record, FIELD_revision, -1),
			 standing->revision[subject] + 1);
	standing->revision[subject]++;
	if (line >= 0) {
		standing->text[line][0] = '\0';
	}
	(void)snprintf(standing->text[subject], sizeof standing->text[subject],
		       "%.*s %d %.*s %.*s %.*s", STR_ARG(record_text(&record, FIELD_grade)), line,
		       STR_ARG(record_text(&record, FIELD_carrier)),
		       STR_ARG(record_text(&record, FIELD_matched_by)),
		       STR_ARG(record_text(&record, FIELD_settled)));
	return 0;
}

static void check(struct run *run, uint64_t seed)
{
	static struct standing standing;
	const struct small_world *world = run->world;
	bool named[SMALL_LINES_MAX] = {false};
	standing = (struct standing){.run = run};
	memset(standing.leaf_of, 0xff, sizeof standing.leaf_of);
	memset(standing.revision, 0xff, sizeof standing.revision);
	struct store *store = keeper_store(run->keeper);
	assert_int_equal(store_walk(store, 0, note_leaf, &standing, &run->err), 0);
	if (store_walk(store, 0, note_verdict, &standing, &run->err) != 0) {
		fail_msg("walk: %s", run->err.text);
	}
	for (int i = 0; i < world->row_count; i++) {
		struct oracle_verdict want = oracle_row(world, i);
		const char *have = standing.text[world->line_count + i];
		char grade[3] = "", words[200];
		int line = -2;
		assert_int_equal(sscanf(have, "%2s %d", grade, &line), 2);
		(void)snprintf(words, sizeof words, "%s %d %s %s final", want.grade, line,
			       want.carrier, want.matched_by);
		bool same = line < 0 || want.line < 0 ? line == want.line
						      : oracle_same(world, line, want.line);
		if (!same || strcmp(have, words) != 0) {
			fail_msg("seed %d row %d: want %s line %d, have %s", (int)seed, i, words,
				 want.line, have);
		}
		if (line >= 0) {
			named[line] = true;
		}
	}
	for (int i = 0; i < world->line_count; i++) {
		if ((standing.text[i][0] == '\0') != named[i]) {
			fail_msg("seed %d line %d: named %d, have %s", (int)seed, i, named[i],
				 standing.text[i]);
		}
	}
}

static void shuffle(struct run *run)
{
	for (int i = 0; i < run->count; i++) {
		run->order[i] = i;
	}
	for (int i = run->count - 1; i > 0; i--) {
		int j = (int)small_below(&run->random, (uint64_t)i + 1), kept = run->order[i];
		run->order[i] = run->order[j];
		run->order[j] = kept;
	}
}

static void run_world(const struct small_world *world, uint64_t seed, unsigned *seals,
		      unsigned *pressed)
{
	struct run run = {.world = world,
			  .random = seed * 77,
			  .visits = seed % 3,
			  .count = world->line_count + world->row_count,
			  .watermark_ns = {INT64_MIN, INT64_MIN}};
	fixture_init(&run.fixture);
	open_keeper(&run);
	shuffle(&run);
	while (run.next < run.count) {
		int item = run.order[run.next++];
		struct keeper_result result = send(&run, item, item < world->line_count);
		assert_int_equal(result.stored, 1);
		disturb(&run);
	}
	run.watermark_ns[0] = run.watermark_ns[1] = INT64_MAX;
	(void)send(&run, -1, false);
	(void)send(&run, -1, true);
	commit(&run);
	/* however much waited in blocks for its verdict, it came back in portions */
	assert_true(run.visits == 0 || keeper_figures(run.keeper).most_visits < 2 * run.visits);
	check(&run, seed);
	seal(&run);
	uint64_t leaves = store_leaf_count(keeper_store(run.keeper));
	keeper_close(run.keeper);
	open_keeper(&run);
	commit(&run);
	/* A restart has nothing to say, and a second import nothing to add. */
	assert_int_equal(store_leaf_count(keeper_store(run.keeper)), leaves);
	for (int i = 0; i < run.count; i++) {
		assert_int_equal(send(&run, i, i < world->line_count).duplicate, 1);
	}
	commit(&run);
	assert_int_equal(store_leaf_count(keeper_store(run.keeper)), leaves);
	*seals += run.seals;
	*pressed += run.pressed;
	keeper_close(run.keeper);
	fixture_done(&run.fixture);
}

static void test_sealed_at_any_moment(void **state)
{
	/* sealing, merging, restarts and repetition change no standing verdict */
	(void)state;
	static struct small_world world;
	const char *more = getenv("SEALED_SEEDS");
	uint64_t seeds = 60;
	unsigned seals = 0, pressed = 0;
	assert_true(more == NULL || parse_u64(str_of(more), &seeds));
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		small_world_make(&world, seed);
		run_world(&world, seed, &seals, &pressed);
	}
	print_message("# %u seals, %u that the keeper waited for\n", seals, pressed);
	assert_true(pressed > seeds / 4);
	assert_true(seals > seeds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sealed_at_any_moment)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
