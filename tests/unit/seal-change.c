#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "model/redact.h"
#include "store/blocks.h"
#include "store/handle.h"
#include "store/summary.h"
#include "tests/unit/fault.h"
#include "tests/unit/seal-world.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

#define RECORDS     420
#define BATCH       35
#define RECORDS_MAX 900
#define NUMBERS_MAX 128
#define FILE_MAX    (1u << 28)

static const struct seal_order everything = {.head_end = UINT64_MAX,
					     .settled_ns = INT64_MAX,
					     .judged_ns = INT64_MAX,
					     .requests = 16,
					     .close = true,
					     .now_ns = 1};

/* What the store must hold, by leaf. */
struct known {
	struct buf bytes; /* empty: it was removed */
	enum redact_degree wanted;
	bool drop;
};

struct oracle {
	struct seal_world world;
	uint64_t state; /* of chance */
	uint64_t count, removed;
	struct known known[RECORDS_MAX];
	struct redactor *redactor;
	bool fail; /* the change does */
};

static uint64_t chance(struct oracle *oracle, uint64_t limit)
{
	oracle->state = hash_u64(oracle->state + UINT64_C(0x9e3779b97f4a7c15));
	return oracle->state % limit;
}

static void learn(struct oracle *oracle)
{
	for (; oracle->count < store_leaf_count(oracle->world.filled.store); oracle->count++) {
		struct known *known = &oracle->known[oracle->count];
		struct str encoded;
		(void)fixture_record(&oracle->world.filled.fixture, oracle->count, &encoded);
		*known = (struct known){0};
		buf_init(&known->bytes, 0);
		buf_put_str(&known->bytes, encoded);
	}
}

static void oracle_init(struct oracle *oracle, uint64_t seed)
{
	*oracle = (struct oracle){.state = seed};
	seal_world_init(&oracle->world, RECORDS, BATCH);
	oracle->redactor = redactor_new();
	assert_non_null(oracle->redactor);
	learn(oracle);
}

static void oracle_done(struct oracle *oracle)
{
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		buf_done(&oracle->known[leaf].bytes);
	}
	redactor_free(oracle->redactor);
	seal_world_done(&oracle->world);
}

static bool drops(void *owner, const struct seal_item *item)
{
	struct oracle *oracle = owner;
	return oracle->known[item->leaf].drop;
}

static int change(void *owner, uint64_t leaf, struct str encoded, struct buf *out,
		  struct error *err)
{
	struct oracle *oracle = owner;
	struct redact_order order = {oracle->known[leaf].wanted, STR_LIT("o1")};
	if (oracle->fail) {
		return error_set(err, ERR_INPUT, "no");
	}
	return redact_record(oracle->redactor, &order, encoded, out, err);
}

static struct seal_change change_of(struct oracle *oracle)
{
	return (struct seal_change){.owner = oracle, .drops = drops, .change = change};
}

/* What was wished of a leaf has happened. */
static void settle(struct oracle *oracle, uint64_t leaf)
{
	struct known *known = &oracle->known[leaf];
	struct error err;
	if (known->bytes.len > 0 && known->drop) {
		buf_clear(&known->bytes);
		oracle->removed++;
	} else if (known->bytes.len > 0) {
		struct redact_order order = {known->wanted, STR_LIT("o1")};
		struct buf left;
		buf_init(&left, 0);
		assert_int_equal(redact_record(oracle->redactor, &order, buf_str(&known->bytes),
					       &left, &err),
				 0);
		if (left.len > 0) {
			buf_clear(&known->bytes);
			buf_put_str(&known->bytes, buf_str(&left));
		}
		buf_done(&left);
	}
	known->drop = false;
	known->wanted = REDACT_NOTHING;
}

struct walked {
	struct oracle *oracle;
	uint64_t next;
};

static int check_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			struct error *err)
{
	struct walked *walked = owner;
	struct oracle *oracle = walked->oracle;
	(void)ingest_ns; /* of the batch */
	while (walked->next < leaf && oracle->known[walked->next].bytes.len == 0) {
		walked->next++;
	}
	bool right =
		walked->next++ == leaf && str_equal(encoded, buf_str(&oracle->known[leaf].bytes));
	return right ? 0
		     : error_set(err, ERR_CORRUPT, "leaf %llu is not what it should be",
				 (unsigned long long)leaf);
}

/* The rows that a scan gives, in all. */
static uint64_t scan_all(struct store *store)
{
	const struct scan_options all = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	const struct scan_block *block = NULL;
	struct scan *scan = NULL;
	struct error err;
	uint64_t rows = 0;
	assert_int_equal(scan_open(store, &all, &scan, &err), 0);
	int rc = scan_next(scan, &block, &err);
	for (; rc == 0; rc = scan_next(scan, &block, &err)) {
		rows += scan_row_count(block);
	}
	if (rc != -ERR_GONE) {
		fail_msg("scan: %s", err.text);
	}
	scan_close(scan);
	return rows;
}

/* All that is left is as it should be, by each way of reading; nothing else is there. */
static void check(struct oracle *oracle)
{
	struct store *store = oracle->world.filled.store;
	struct walked walked = {.oracle = oracle};
	struct store_removed removed;
	struct scan_fetch *fetch = NULL;
	struct error err;
	if (store_walk(store, 0, check_record, &walked, &err) != 0) {
		fail_msg("walk: %s", err.text);
	}
	while (walked.next < oracle->count && oracle->known[walked.next].bytes.len == 0) {
		walked.next++;
	}
	assert_int_equal(walked.next, oracle->count);
	assert_int_equal(store_removed(store, &removed, &err), 0);
	assert_int_equal(removed.records, oracle->removed);
	assert_int_equal(scan_all(store), oracle->count - oracle->removed);
	assert_int_equal(scan_fetch_open(store, &fetch, &err), 0);
	for (uint64_t leaf = 0; leaf < oracle->count; leaf += 3) {
		struct record record;
		int64_t ingest_ns = 0;
		int rc = scan_fetch_record(fetch, leaf, &record, &ingest_ns, &err);
		assert_int_equal(rc, oracle->known[leaf].bytes.len > 0 ? 0 : -ERR_GONE);
	}
	scan_fetch_close(fetch);
}

/* Seals with the change; what was wished has happened then to all that was taken in. */
static void seal_all(struct oracle *oracle, bool no_grace)
{
	struct seal_change changes = change_of(oracle);
	struct seal_order order = everything;
	struct seal_result result = {0};
	struct error err;
	uint64_t numbers[NUMBERS_MAX];
	order.change = &changes;
	order.no_grace = no_grace;
	order.blocks = numbers;
	order.block_count = seal_world_blocks(&oracle->world, false, numbers, NUMBERS_MAX);
	int rc = seal_run(oracle->world.filled.store, &order, &result, &err);
	if (rc != 0 && rc != -ERR_GONE) {
		fail_msg("seal: %s", err.text);
	}
	uint64_t before = oracle->removed;
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		settle(oracle, leaf);
	}
	assert_int_equal(result.dropped, oracle->removed - before);
}

/* Removes some whole blocks. */
static void remove_blocks(struct oracle *oracle)
{
	uint64_t all[NUMBERS_MAX], numbers[NUMBERS_MAX];
	size_t count = seal_world_blocks(&oracle->world, false, all, NUMBERS_MAX);
	struct seal_removal removal = {.blocks = numbers, .now_ns = 1};
	struct seal_result result;
	struct store *store = oracle->world.filled.store;
	struct error err;
	for (size_t i = 0; i < count; i++) {
		if (chance(oracle, 4) == 0) {
			numbers[removal.count++] = all[i];
		}
	}
	const struct blocks_list *list = NULL;
	struct blocks *blocks = blocks_new(store->dir, store->catalog, NULL);
	assert_int_equal(blocks_load(blocks, &list, NULL, &err), 0);
	for (size_t i = 0; i < list->count; i++) {
		struct block *block = NULL;
		bool goes = false;
		for (size_t k = 0; k < removal.count; k++) {
			goes = goes || numbers[k] == list->rows[i].about.number;
		}
		assert_int_equal(blocks_get(blocks, &list->rows[i], &block, &err), 0);
		for (uint32_t row = 0; goes && row < block_about(block)->row_count; row++) {
			oracle->known[block_leaves(block)[row]].drop = true;
			settle(oracle, block_leaves(block)[row]);
		}
	}
	blocks_free(blocks);
	if (removal.count > 0) {
		assert_int_equal(seal_remove(store, &removal, &result, &err), 0);
		assert_int_equal(result.blocks_removed, removal.count);
		assert_true(result.dropped == result.records && result.bytes_before > 0);
	}
}

static void wish(struct oracle *oracle)
{
	for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
		uint64_t what = chance(oracle, 10);
		oracle->known[leaf].drop = what == 0;
		oracle->known[leaf].wanted = what < 3   ? REDACT_LITERALS
					     : what < 5 ? REDACT_ALL
							: REDACT_NOTHING;
	}
}

static void stores_are_changed_by_chance(void **state)
{
	/* records change, leave or go with their block, in any order with commits, merges and starts: each other record stays bit by bit, each leaf
	 * keeps its number, and sums of rows stay right */
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct oracle oracle;
		oracle_init(&oracle, seed);
		for (int step = 0; step < 12; step++) {
			struct error err;
			uint64_t what = chance(&oracle, 6);
			if (what == 0 && oracle.count + 70 < RECORDS_MAX) {
				filled_add(&oracle.world.filled, oracle.count,
					   1 + chance(&oracle, 60));
				learn(&oracle);
			} else if (what < 3) {
				wish(&oracle);
				seal_all(&oracle, chance(&oracle, 2) == 0);
			} else if (what == 3) {
				remove_blocks(&oracle);
			} else if (what == 4) {
				assert_int_equal(
					seal_tidy(oracle.world.filled.store, true, 1, &err), 0);
			} else {
				seal_world_reopen(&oracle.world, STORE_WRITE);
			}
			check(&oracle);
		}
		seal_world_reopen(&oracle.world, STORE_READ);
		check(&oracle);
		oracle_done(&oracle);
	}
}

static void all_can_go(void **state)
{
	/* a store of which everything was removed is empty but sound: no block is made, and new records get new leaves */
	struct oracle oracle;
	(void)state;
	oracle_init(&oracle, 1);
	for (uint64_t leaf = 0; leaf < oracle.count; leaf++) {
		oracle.known[leaf].drop = true;
	}
	seal_all(&oracle, false);
	uint64_t numbers[4];
	assert_int_equal(seal_world_blocks(&oracle.world, false, numbers, 4), 0);
	check(&oracle);
	filled_add(&oracle.world.filled, RECORDS, 20);
	learn(&oracle);
	check(&oracle);
	seal_world_reopen(&oracle.world, STORE_WRITE);
	check(&oracle);
	assert_int_equal(store_leaf_count(oracle.world.filled.store), RECORDS + 20);
	oracle_done(&oracle);
}

/* Whether any file of a folder, at any depth, holds a text. */
static bool stands_in_files(const char *dir, const char *text)
{
	char path[256];
	char *const paths[] = {path, NULL};
	bool found = false;
	(void)snprintf(path, sizeof path, "%s", dir); /* fits */
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	assert_non_null(tree);
	for (const FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree)) {
		struct buf bytes;
		struct error err;
		buf_init(&bytes, 0);
		if (entry->fts_info == FTS_F) {
			assert_int_equal(io_read_file(entry->fts_path, FILE_MAX, &bytes, &err), 0);
		}
		found = found || str_find(buf_str(&bytes), str_of(text), 0) >= 0;
		buf_done(&bytes);
	}
	(void)fts_close(tree); /* only read */
	return found;
}

/* A record whose values no compression hides: what is sought stands in the head as it is. */
static void add_canary(struct oracle *oracle, const char *canary)
{
	struct filled *filled = &oracle->world.filled;
	struct record record;
	struct buf encoded;
	struct error err;
	uint64_t leaf = 0;
	char text[400];
	buf_init(&encoded, 0);
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	record.key = STR_LIT("the canary");
	record.time_ns = FIXTURE_START_NS;
	(void)snprintf(text, sizeof text, "{\"user\":\"%s\"}", canary); /* fits */
	record_set_text(&record, FIELD_raw, str_of(text));
	record_set_text(&record, FIELD_user, str_of(canary));
	record_set_text(&record, FIELD_request_id, str_of(canary));
	record_set_text(&record, FIELD_route, STR_LIT("GET /x"));
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_int_equal(store_begin(filled->store, FIXTURE_START_NS, &err), 0);
	assert_int_equal(store_append(filled->store, &record, buf_str(&encoded), &leaf, &err), 0);
	assert_int_equal(store_commit(filled->store, &err), 0);
	assert_int_equal(leaf, oracle->count);
	oracle->known[oracle->count] = (struct known){.bytes = encoded};
	oracle->count++;
}

static void nothing_stays_in_files(void **state)
{
	/* after an erasure and a purge no file of the store has the bytes of before: not the head, not a block or its summary, not the catalog or its
	 * log; a file that somebody still has open is empty of them too */
	static const char canary[] = "Zx9-canary-Qw7!e@R5t.Y3u#I1o";
	struct oracle oracle;
	struct error err;
	bool clean = false;
	(void)state;
	oracle_init(&oracle, 1);
	const char *dir = oracle.world.filled.fixture.dir;
	add_canary(&oracle, canary);
	assert_true(stands_in_files(dir, canary));
	seal_all(&oracle, false); /* now a block has it, whose summary lists the user */
	assert_int_equal(seal_tidy(oracle.world.filled.store, true, 1, &err), 0);
	uint64_t numbers[NUMBERS_MAX];
	size_t count = seal_world_blocks(&oracle.world, false, numbers, NUMBERS_MAX);
	struct blocks_row *row = calloc(1, sizeof *row);
	char path[256];
	struct buf before, after;
	assert_int_equal(blocks_read_row(oracle.world.filled.store->catalog, numbers[0], row, &err),
			 0);
	(void)snprintf(path, sizeof path, "%s/%s", dir, row->name); /* fits */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	buf_init(&before, 0);
	buf_init(&after, 0);
	assert_int_equal(io_read_file(path, FILE_MAX, &before, &err), 0);
	add_canary(&oracle, canary); /* and the head once more */
	for (uint64_t leaf = RECORDS; leaf < oracle.count; leaf++) {
		oracle.known[leaf].wanted = REDACT_ALL;
	}
	seal_all(&oracle, true);
	assert_int_equal(seal_purge(oracle.world.filled.store, &clean, &err), 0);
	assert_true(clean);
	assert_false(stands_in_files(dir, canary));
	assert_int_equal(access(path, F_OK), -1);
	for (size_t at = 0; at < before.len; at++) {
		char byte = 1;
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		assert_int_equal(byte, 0);
	}
	(void)close(fd); /* only read */
	check(&oracle);
	assert_true(count > 0);
	free(row);
	buf_done(&before);
	buf_done(&after);
	oracle_done(&oracle);
}

static void a_file_with_another_name_is_left(void **state)
{
	/* a backup by hard links keeps its bytes; the store's own name goes */
	struct oracle oracle;
	struct error err;
	uint64_t numbers[NUMBERS_MAX];
	bool clean = false;
	char path[256], other[256];
	struct buf before, after;
	(void)state;
	oracle_init(&oracle, 1);
	seal_all(&oracle, false);
	(void)seal_world_blocks(&oracle.world, false, numbers, NUMBERS_MAX);
	struct blocks_row *row = calloc(1, sizeof *row);
	assert_int_equal(blocks_read_row(oracle.world.filled.store->catalog, numbers[0], row, &err),
			 0);
	(void)snprintf(path, sizeof path, "%s/%s", oracle.world.filled.fixture.dir, row->name);
	(void)snprintf(other, sizeof other, "%s/backup", oracle.world.filled.fixture.dir);
	assert_int_equal(link(path, other), 0);
	buf_init(&before, 0);
	buf_init(&after, 0);
	assert_int_equal(io_read_file(path, FILE_MAX, &before, &err), 0);
	oracle.known[0].wanted = REDACT_ALL;
	seal_all(&oracle, true);
	assert_int_equal(seal_purge(oracle.world.filled.store, &clean, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(io_read_file(other, FILE_MAX, &after, &err), 0);
	assert_true(str_equal(buf_str(&before), buf_str(&after)));
	free(row);
	buf_done(&before);
	buf_done(&after);
	oracle_done(&oracle);
}

static void a_reader_delays_the_purge(void **state)
{
	/* a snapshot keeps the log of the catalog: the purge says so at once, and is clean when the reader has gone */
	struct oracle oracle;
	struct store *reader = NULL;
	struct scan *scan = NULL;
	struct error err;
	bool clean = true;
	const struct scan_options all = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	(void)state;
	oracle_init(&oracle, 1);
	seal_all(&oracle, false);
	assert_int_equal(store_open(oracle.world.filled.fixture.dir, STORE_READ, &reader, &err), 0);
	assert_int_equal(scan_open(reader, &all, &scan, &err), 0);
	oracle.known[0].wanted = REDACT_ALL;
	seal_all(&oracle, true);
	assert_int_equal(seal_purge(oracle.world.filled.store, &clean, &err), 0);
	assert_false(clean);
	scan_close(scan);
	assert_int_equal(seal_purge(oracle.world.filled.store, &clean, &err), 0);
	assert_true(clean);
	store_close(reader);
	check(&oracle);
	oracle_done(&oracle);
}

static void blocks_count_what_was_redacted(void **state)
{
	/* the list of blocks says how many rows were redacted, over a new start too; verdicts do not count */
	struct oracle oracle;
	struct error err;
	const struct blocks_list *list = NULL;
	uint64_t redacted = 0;
	(void)state;
	oracle_init(&oracle, 1);
	for (uint64_t leaf = 0; leaf < 70; leaf++) {
		oracle.known[leaf].wanted = REDACT_LITERALS;
	}
	seal_all(&oracle, false);
	seal_world_reopen(&oracle.world, STORE_WRITE);
	struct store *store = oracle.world.filled.store;
	struct blocks *blocks = blocks_new(store->dir, store->catalog, NULL);
	assert_int_equal(blocks_load(blocks, &list, NULL, &err), 0);
	for (size_t i = 0; i < list->count; i++) {
		redacted += list->rows[i].redacted;
	}
	assert_int_equal(redacted, 70 - 30); /* of ten periods, without their verdicts */
	blocks_free(blocks);
	oracle_done(&oracle);
}

static void a_change_can_fail(void **state)
{
	/* its error ends the seal and names the leaf; nothing has changed */
	struct oracle oracle;
	struct error err;
	struct seal_result result;
	(void)state;
	oracle_init(&oracle, 1);
	struct seal_change changes = change_of(&oracle);
	struct seal_order order = everything;
	order.change = &changes;
	oracle.fail = true;
	assert_int_equal(seal_run(oracle.world.filled.store, &order, &result, &err), -ERR_INPUT);
	assert_true(strncmp(err.text, "leaf ", 5) == 0);
	check(&oracle);
	oracle_done(&oracle);
}

static void only_known_blocks_are_removed(void **state)
{
	/* one number that is no block's, and nothing is removed */
	struct oracle oracle;
	struct error err;
	uint64_t numbers[NUMBERS_MAX];
	struct seal_result result;
	(void)state;
	oracle_init(&oracle, 1);
	seal_all(&oracle, false);
	size_t count = seal_world_blocks(&oracle.world, false, numbers, NUMBERS_MAX - 1);
	numbers[count] = 999999;
	struct seal_removal removal = {.blocks = numbers, .count = count + 1, .now_ns = 1};
	assert_int_equal(seal_remove(oracle.world.filled.store, &removal, &result, &err),
			 -ERR_GONE);
	check(&oracle);
	oracle_done(&oracle);
}

static void the_floor_only_rises(void **state)
{
	/* without a floor there is none; a lower one changes nothing; it survives a start, and a rolled back one does not count */
	struct oracle oracle;
	struct error err;
	struct store_removed removed;
	(void)state;
	oracle_init(&oracle, 1);
	assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), 0);
	assert_true(removed.floor_ns == INT64_MIN);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, -5, &err), 0);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, 700, &err), 0);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, 600, &err), 0);
	assert_int_equal(store_begin(oracle.world.filled.store, 1, &err), 0);
	assert_int_equal(store_raise_floor(oracle.world.filled.store, 900, &err), 0);
	store_rollback(oracle.world.filled.store);
	seal_world_reopen(&oracle.world, STORE_READ);
	assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), 0);
	assert_true(removed.floor_ns == 700);
	store_close(oracle.world.filled.store);
	filled_sql(&oracle.world.filled,
		   "UPDATE meta SET value = x'78' WHERE key = 'removed.floor'");
	filled_open(&oracle.world.filled, STORE_READ);
	assert_int_equal(store_removed(oracle.world.filled.store, &removed, &err), -ERR_CORRUPT);
	oracle_done(&oracle);
}

/* A world with blocks and a head, some of whose records are to change and to go. */
static void prepare(struct oracle *oracle)
{
	oracle_init(oracle, 3);
	struct seal_order order = everything;
	order.head_end = 210;
	(void)seal_world_run(&oracle->world, &order);
	wish(oracle);
}

/* The store is either as before or as wished. */
static void check_either(struct oracle *oracle, unsigned nth)
{
	struct store_removed removed;
	struct error err;
	seal_world_reopen(&oracle->world, STORE_WRITE);
	struct store *store = oracle->world.filled.store;
	assert_int_equal(store_removed(store, &removed, &err), 0);
	if (removed.records == 0) {
		check(oracle);
		seal_all(oracle, true); /* now it works */
	} else {
		for (uint64_t leaf = 0; leaf < oracle->count; leaf++) {
			settle(oracle, leaf);
		}
	}
	bool clean = false;
	if (seal_purge(store, &clean, &err) != 0) {
		fail_msg("after the fault at call %u: %s", nth, err.text);
	}
	check(oracle);
}

static void each_call_fails(void **state)
{
	/* whichever write, fsync, rename or the like fails once, or the disk is full from then on: the store is as before or as wished */
	(void)state;
	for (int sticky = 0; sticky < 2; sticky++) {
		bool fired = true;
		for (unsigned nth = 1; fired; nth += sticky ? 5 : 2) {
			struct oracle oracle;
			struct seal_result result;
			struct error err;
			uint64_t numbers[NUMBERS_MAX];
			bool clean = false;
			prepare(&oracle);
			struct seal_change changes = change_of(&oracle);
			struct seal_order order = everything;
			order.change = &changes;
			order.no_grace = true;
			order.blocks = numbers;
			order.block_count =
				seal_world_blocks(&oracle.world, false, numbers, NUMBERS_MAX);
			fault_arm(nth, sticky ? ENOSPC : EIO, sticky);
			int rc = seal_run(oracle.world.filled.store, &order, &result, &err);
			rc = rc < 0 ? rc : seal_purge(oracle.world.filled.store, &clean, &err);
			(void)fault_disarm(&fired);
			assert_true(rc == 0 || (fired && rc == -ERR_IO));
			check_either(&oracle, nth);
			oracle_done(&oracle);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_are_changed_by_chance),
		cmocka_unit_test(all_can_go),
		cmocka_unit_test(nothing_stays_in_files),
		cmocka_unit_test(a_file_with_another_name_is_left),
		cmocka_unit_test(a_reader_delays_the_purge),
		cmocka_unit_test(blocks_count_what_was_redacted),
		cmocka_unit_test(a_change_can_fail),
		cmocka_unit_test(only_known_blocks_are_removed),
		cmocka_unit_test(the_floor_only_rises),
		cmocka_unit_test(each_call_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
