#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "tests/unit/seal-oracle.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

#define FILE_MAX (1u << 28)

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stays_in_files),
		cmocka_unit_test(a_file_with_another_name_is_left),
		cmocka_unit_test(a_reader_delays_the_purge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
