#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/catalog.h"
#include "store/store.h"
#include "tests/unit/store-filled.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void leaves_count_up(void **state)
{
	/* records get leaves 0, 1, 2, .. over transactions and restarts */
	struct filled filled = {0};
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	assert_int_equal(store_leaf_count(filled.store), 0);
	filled_add(&filled, 0, 10);
	filled_add(&filled, 10, 1);
	assert_int_equal(store_leaf_count(filled.store), 11);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	assert_int_equal(store_leaf_count(filled.store), 11);
	filled_add(&filled, 11, 5);
	assert_int_equal(store_leaf_count(filled.store), 16);
	filled_done(&filled);
}

static void rollback_leaves_nothing(void **state)
{
	/* what was not committed is gone: by rollback, by close, and its leaves are given out again */
	struct filled filled = {0};
	struct str encoded;
	uint64_t leaf = 99;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
		const struct record *record = fixture_record(&filled.fixture, 5, &encoded);
		assert_int_equal(store_append(filled.store, record, encoded, &leaf, &filled.err),
				 0);
		assert_int_equal(leaf, 0);
		if (round == 0) {
			store_rollback(filled.store);
		} else {
			store_close(filled.store);
			filled_open(&filled, STORE_WRITE);
		}
		assert_int_equal(store_leaf_count(filled.store), 0);
	}
	filled_add(&filled, 0, 3);
	filled_done(&filled);
}

static void second_writer_is_refused(void **state)
{
	/* ERR_CONFIG names the process that writes; a reader may come at any time; after close a writer may */
	struct filled filled = {0};
	struct store *other = NULL;
	char pid[32];
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	assert_int_equal(store_open(filled.fixture.dir, STORE_WRITE, &other, &filled.err),
			 -ERR_CONFIG);
	assert_true(snprintf(pid, sizeof pid, "process %ld", (long)getpid()) > 0);
	assert_non_null(strstr(filled.err.text, pid));
	assert_null(other);
	assert_int_equal(store_open(filled.fixture.dir, STORE_READ, &other, &filled.err), 0);
	store_close(other);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	filled_done(&filled);
}

static void what_is_no_store(void **state)
{
	/* missing, empty, foreign, newer: ERR_CONFIG with the place; garbage: ERR_CORRUPT; nothing is made by looking */
	struct filled filled = {0};
	const char *dir = filled.fixture.dir;
	(void)state;
	fixture_init(&filled.fixture);
	assert_int_equal(store_open("/nowhere/at/all", STORE_READ, &filled.store, &filled.err),
			 -ERR_CONFIG);
	assert_non_null(strstr(filled.err.text, "/nowhere/at/all"));
	assert_int_equal(store_open("/dev/null", STORE_READ, &filled.store, &filled.err),
			 -ERR_CONFIG);
	assert_int_equal(store_open(dir, STORE_READ, &filled.store, &filled.err), -ERR_CONFIG);
	assert_int_equal(store_open(dir, STORE_WRITE, &filled.store, &filled.err), -ERR_CONFIG);
	assert_int_not_equal(access(fixture_path(&filled.fixture, "catalog.db"), F_OK), 0);
	filled_sql(&filled, "CREATE TABLE t (a)");
	assert_int_equal(store_open(dir, STORE_CREATE, &filled.store, &filled.err), -ERR_CONFIG);
	assert_non_null(strstr(filled.err.text, "another program"));
	assert_int_equal(unlink(fixture_path(&filled.fixture, "catalog.db")), 0);
	filled_open(&filled, STORE_CREATE);
	store_close(filled.store);
	filled_sql(&filled, "PRAGMA user_version = 9");
	assert_int_equal(store_open(dir, STORE_WRITE, &filled.store, &filled.err), -ERR_CONFIG);
	assert_non_null(strstr(filled.err.text, "version 9, of a newer"));
	filled_sql(&filled, "PRAGMA user_version = 1");
	assert_int_equal(store_open(dir, STORE_CREATE, &filled.store, &filled.err), -ERR_CONFIG);
	assert_non_null(strstr(filled.err.text, "version 1, of an older"));
	filled_sql(&filled, "PRAGMA wal_checkpoint(TRUNCATE)");
	fixture_patch(&filled.fixture, "catalog.db", 0, STR_LIT("This is a letter, not a store."));
	assert_int_equal(store_open(dir, STORE_READ, &filled.store, &filled.err), -ERR_CORRUPT);
	fixture_done(&filled.fixture);
}

static void half_made_store_is_finished(void **state)
{
	/* a crash between making the file and its schema leaves an empty file: CREATE goes on, others say that it is empty */
	struct filled filled = {0};
	(void)state;
	fixture_init(&filled.fixture);
	int fd = open(fixture_path(&filled.fixture, "catalog.db"), O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(store_open(filled.fixture.dir, STORE_READ, &filled.store, &filled.err),
			 -ERR_CONFIG);
	assert_non_null(strstr(filled.err.text, "empty"));
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 3);
	filled_done(&filled);
}

static int count_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			struct error *err)
{
	uint64_t *seen = owner;
	(void)leaf;
	(void)ingest_ns;
	(void)encoded;
	(void)err;
	(*seen)++;
	return 0;
}

static void emptied_store_is_told(void **state)
{
	/* a catalog that was cut to nothing is ERR_CORRUPT for everybody, and no new store is made in its place */
	static const enum store_mode modes[] = {STORE_READ, STORE_WRITE, STORE_CREATE};
	struct filled filled = {0};
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 3);
	store_close(filled.store);
	filled.store = NULL;
	assert_int_equal(truncate(fixture_path(&filled.fixture, "catalog.db"), 0), 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(
			store_open(filled.fixture.dir, modes[i], &filled.store, &filled.err),
			-ERR_CORRUPT);
		assert_non_null(strstr(filled.err.text, "catalog.db is damaged: it is empty"));
	}
	filled_done(&filled);
}

static void cut_store_is_read(void **state)
{
	/* a catalog that lost its end opens for no writer; a reader gets all records or is told of the damage, and what is whole he reads */
	struct filled filled = {0};
	struct stat st;
	unsigned whole = 0;
	unsigned told = 0;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 3000);
	store_close(filled.store);
	filled.store = NULL;
	/* something that reading records does not need stands last */
	filled_sql(&filled, "INSERT INTO tiles VALUES (0, zeroblob(65536), 0)");
	const char *path = fixture_path(&filled.fixture, "catalog.db");
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - CATALOG_PAGE_BYTES; size > 0; size -= CATALOG_PAGE_BYTES) {
		uint64_t seen = 0;
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(
			store_open(filled.fixture.dir, STORE_WRITE, &filled.store, &filled.err),
			-ERR_CORRUPT);
		int rc = store_open(filled.fixture.dir, STORE_READ, &filled.store, &filled.err);
		if (rc == 0) {
			rc = store_walk(filled.store, 0, count_record, &seen, &filled.err);
			store_close(filled.store);
		}
		filled.store = NULL;
		assert_true(rc == 0 ? seen == 3000 : rc == -ERR_CORRUPT && seen < 3000);
		whole += rc == 0 ? 1 : 0;
		told += rc != 0 ? 1 : 0;
	}
	assert_true(whole > 0 && told > 0);
	filled_done(&filled);
}

static void access_follows_the_folder(void **state)
{
	/* 0600 in a folder for the owner, 0640 in one that the group may read */
	struct filled filled = {0};
	struct stat st;
	(void)state;
	for (int group = 0; group < 2; group++) {
		static const char *const names[] = {"catalog.db", "catalog.db-wal", "lock"};
		fixture_init(&filled.fixture);
		assert_int_equal(chmod(filled.fixture.dir, group != 0 ? 0750 : 0700), 0);
		filled_open(&filled, STORE_CREATE);
		filled_add(&filled, 0, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(stat(fixture_path(&filled.fixture, names[i]), &st), 0);
			assert_int_equal(st.st_mode & 0777, group != 0 ? 0640 : 0600);
		}
		filled_done(&filled);
	}
}

static void limits_of_a_transaction(void **state)
{
	/* record 65,537 is ERR_LIMIT; the 65,536 before it are committed all the same */
	struct filled filled = {0};
	struct str encoded;
	uint64_t leaf = 0;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	const struct record *record = fixture_record(&filled.fixture, 5, &encoded);
	for (int i = 0; i < 65536; i++) {
		assert_int_equal(store_append(filled.store, record, encoded, &leaf, &filled.err),
				 0);
	}
	assert_int_equal(store_append(filled.store, record, encoded, &leaf, &filled.err),
			 -ERR_LIMIT);
	assert_int_equal(store_commit(filled.store, &filled.err), 0);
	assert_int_equal(store_leaf_count(filled.store), 65536);
	filled_done(&filled);
}

static void peek_sees_stored_and_open(void **state)
{
	/* the writer reads back what is committed and what is not yet; past the end it is ERR_GONE */
	struct filled filled = {0};
	struct str encoded, seen;
	uint64_t leaf = 0;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 200);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	for (uint64_t n = 200; n < 300; n++) {
		const struct record *record = fixture_record(&filled.fixture, n, &encoded);
		assert_int_equal(store_append(filled.store, record, encoded, &leaf, &filled.err),
				 0);
	}
	for (uint64_t n = 0; n < 300; n += 7) {
		(void)fixture_record(&filled.fixture, n, &encoded); /* only the bytes count */
		assert_int_equal(store_peek(filled.store, n, &seen, &filled.err), 0);
		assert_true(str_equal(seen, encoded));
	}
	assert_int_equal(store_peek(filled.store, 300, &seen, &filled.err), -ERR_GONE);
	store_rollback(filled.store);
	assert_int_equal(store_peek(filled.store, 200, &seen, &filled.err), -ERR_GONE);
	filled_done(&filled);
}

static void settings_come_back(void **state)
{
	/* a setting outside a transaction is durable at once, inside one with it; a missing one is ERR_GONE */
	struct filled filled = {0};
	struct buf out;
	(void)state;
	buf_init(&out, 100);
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	assert_int_equal(store_meta_get(filled.store, "a", &out, &filled.err), -ERR_GONE);
	assert_int_equal(store_meta_put(filled.store, "a", STR_LIT("1\0x"), &filled.err), 0);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	assert_int_equal(store_meta_put(filled.store, "a", STR_LIT("2"), &filled.err), 0);
	store_rollback(filled.store);
	store_close(filled.store);
	filled_open(&filled, STORE_READ);
	assert_int_equal(store_meta_get(filled.store, "a", &out, &filled.err), 0);
	assert_true(str_equal(buf_str(&out), STR_LIT("1\0x")));
	buf_done(&out);
	filled_done(&filled);
}

static void full_disk_is_told(void **state)
{
	/* a commit that the disk refuses is ERR_IO, and after it the store holds what was committed before */
	struct filled filled = {0};
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 50);
	store_close(filled.store);
	pid_t child = fork();
	if (child == 0) {
		struct rlimit limit = {.rlim_cur = 200000, .rlim_max = 200000};
		struct str encoded;
		uint64_t leaf = 0;
		int rc = setrlimit(RLIMIT_FSIZE, &limit);
		(void)sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
		filled_open(&filled, STORE_WRITE);
		rc |= store_begin(filled.store, 1, &filled.err);
		for (uint64_t n = 50; n < 3000; n++) {
			const struct record *record = fixture_record(&filled.fixture, n, &encoded);
			rc |= store_append(filled.store, record, encoded, &leaf, &filled.err);
		}
		if (rc != 0) {
			_exit(1);
		}
		_exit(store_commit(filled.store, &filled.err) == -ERR_IO &&
				      strstr(filled.err.text, "head/000001.qth") != NULL
			      ? 0
			      : 2);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	filled_open(&filled, STORE_WRITE);
	assert_int_equal(store_leaf_count(filled.store), 50);
	filled_add(&filled, 50, 50);
	filled_done(&filled);
}

static void size_counts_the_files(void **state)
{
	/* more records make a larger store; a folder that is gone is ERR_IO */
	struct filled filled = {0};
	uint64_t small = 0;
	uint64_t large = 0;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 10);
	assert_int_equal(store_size(filled.store, &small, &filled.err), 0);
	filled_add(&filled, 10, 1000);
	assert_int_equal(store_size(filled.store, &large, &filled.err), 0);
	assert_true(large > small + 1000 * 200);
	fixture_done(&filled.fixture);
	assert_int_equal(store_size(filled.store, &large, &filled.err), -ERR_IO);
	store_close(filled.store);
}

static void lost_end_is_told(void **state)
{
	/* a head that ends before the count of leaves is ERR_CORRUPT for the writer: he would give leaves out twice */
	struct filled filled;
	(void)state;
	filled_init(&filled, 100, 50);
	store_close(filled.store);
	filled_sql(&filled, "DELETE FROM head WHERE batch = 2");
	assert_int_equal(store_open(filled.fixture.dir, STORE_WRITE, &filled.store, &filled.err),
			 -ERR_CORRUPT);
	filled_sql(&filled, "UPDATE meta SET value = x'2d31' WHERE key = 'next_leaf'");
	assert_int_equal(store_open(filled.fixture.dir, STORE_READ, &filled.store, &filled.err),
			 -ERR_CORRUPT);
	fixture_done(&filled.fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_count_up),
		cmocka_unit_test(rollback_leaves_nothing),
		cmocka_unit_test(second_writer_is_refused),
		cmocka_unit_test(what_is_no_store),
		cmocka_unit_test(half_made_store_is_finished),
		cmocka_unit_test(emptied_store_is_told),
		cmocka_unit_test(cut_store_is_read),
		cmocka_unit_test(access_follows_the_folder),
		cmocka_unit_test(limits_of_a_transaction),
		cmocka_unit_test(peek_sees_stored_and_open),
		cmocka_unit_test(settings_come_back),
		cmocka_unit_test(full_disk_is_told),
		cmocka_unit_test(size_counts_the_files),
		cmocka_unit_test(lost_end_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
