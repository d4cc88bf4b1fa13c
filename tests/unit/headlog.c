#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/headlog.h"
#include "tests/unit/head-damage.h"
#include "tests/unit/store-filled.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static off_t size_of(struct fixture *fixture, const char *name)
{
	struct stat st;
	return stat(fixture_path(fixture, name), &st) == 0 ? st.st_size : -1;
}

static struct headlog_end write_one(struct headlog *log, struct str bytes)
{
	struct headlog_end start = {0};
	struct error err;
	const struct str parts[] = {bytes, STR_LIT("."), {0}};
	assert_int_equal(headlog_write(log, parts, 3, &start, &err), 0);
	return start;
}

static void batches_follow_each_other(void **state)
{
	/* committed batches stand one behind the other, one that was rolled back is written over, and the next opening goes on there */
	struct fixture fixture;
	struct headlog log;
	struct error err;
	struct headlog_end end = {0};
	(void)state;
	fixture_init(&fixture);
	assert_int_equal(headlog_open(&log, fixture.dir, false, &end, &err), 0);
	assert_false(headlog_has_segments(fixture.dir));
	struct headlog_end start = write_one(&log, STR_LIT("first"));
	assert_int_equal(start.number, 1);
	assert_int_equal(start.end, SEGMENT_HEADER_BYTES);
	headlog_commit(&log);
	start = write_one(&log, STR_LIT("given up"));
	assert_int_equal(start.end, SEGMENT_HEADER_BYTES + 6);
	headlog_rollback(&log);
	assert_int_equal(size_of(&fixture, "head/000001.qth"), SEGMENT_HEADER_BYTES + 6);
	start = write_one(&log, STR_LIT("2nd"));
	assert_int_equal(start.end, SEGMENT_HEADER_BYTES + 6);
	headlog_commit(&log);
	headlog_close(&log);
	assert_true(headlog_has_segments(fixture.dir));
	end = (struct headlog_end){.number = 1, .end = SEGMENT_HEADER_BYTES + 10};
	assert_int_equal(headlog_open(&log, fixture.dir, false, &end, &err), 0);
	start = write_one(&log, STR_LIT("3rd"));
	assert_int_equal(start.end, SEGMENT_HEADER_BYTES + 10);
	headlog_close(&log);
	fixture_done(&fixture);
}

static void a_full_segment_makes_the_next(void **state)
{
	/* a batch that would pass the limit begins a new segment; one that is larger than a segment gets its own */
	struct fixture fixture;
	struct headlog log;
	struct error err;
	struct headlog_end end = {0};
	struct buf large;
	uint64_t bytes = 0;
	(void)state;
	fixture_init(&fixture);
	buf_init(&large, 0);
	buf_put_fill(&large, 'x', SEGMENT_BYTES + 10);
	assert_int_equal(headlog_open(&log, fixture.dir, false, &end, &err), 0);
	assert_int_equal(write_one(&log, buf_str(&large)).number, 1);
	headlog_commit(&log);
	struct headlog_end start = write_one(&log, STR_LIT("small"));
	assert_int_equal(start.number, 2);
	assert_int_equal(start.end, SEGMENT_HEADER_BYTES);
	headlog_commit(&log);
	assert_int_equal(write_one(&log, STR_LIT("small")).number, 2);
	headlog_commit(&log);
	assert_int_equal(headlog_size(fixture.dir, &bytes, &err), 0);
	assert_int_equal(bytes, 2 * SEGMENT_HEADER_BYTES + SEGMENT_BYTES + 11 + 12);
	headlog_close(&log);
	buf_done(&large);
	fixture_done(&fixture);
}

static void the_rest_of_a_crash_goes(void **state)
{
	/* bytes behind the committed ones and a segment that was only begun are gone after opening; more than that is ERR_CORRUPT */
	struct filled filled;
	(void)state;
	filled_init(&filled, 100, 50);
	store_close(filled.store);
	off_t good = size_of(&filled.fixture, "head/000001.qth");
	assert_int_equal(truncate(fixture_path(&filled.fixture, "head/000001.qth"), good + 5000),
			 0);
	fclose(fopen(fixture_path(&filled.fixture, "head/000002.qth"), "w"));
	filled_open(&filled, STORE_READ); /* a reader changes nothing */
	store_close(filled.store);
	assert_int_equal(size_of(&filled.fixture, "head/000001.qth"), good + 5000);
	filled_open(&filled, STORE_WRITE);
	assert_int_equal(size_of(&filled.fixture, "head/000001.qth"), good);
	assert_int_equal(size_of(&filled.fixture, "head/000002.qth"), -1);
	filled_add(&filled, 100, 10);
	store_close(filled.store);
	fclose(fopen(fixture_path(&filled.fixture, "head/000003.qth"), "w"));
	assert_int_equal(store_open(filled.fixture.dir, STORE_WRITE, &filled.store, &filled.err),
			 -ERR_CORRUPT);
	assert_non_null(strstr(filled.err.text, "000003.qth"));
	assert_int_equal(size_of(&filled.fixture, "head/000003.qth"), 0);
	fixture_done(&filled.fixture);
}

static void short_or_missing_is_told(void **state)
{
	/* a last segment that is gone or lost its end is ERR_CORRUPT with its name, for the writer; what cannot be made is ERR_IO */
	struct filled filled;
	(void)state;
	filled_init(&filled, 100, 50);
	store_close(filled.store);
	const char *path = fixture_path(&filled.fixture, "head/000001.qth");
	off_t good = size_of(&filled.fixture, "head/000001.qth");
	path = fixture_path(&filled.fixture, "head/000001.qth");
	assert_int_equal(truncate(path, good - 1), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			store_open(filled.fixture.dir, STORE_WRITE, &filled.store, &filled.err),
			-ERR_CORRUPT);
		assert_non_null(strstr(filled.err.text, "head/000001.qth"));
		path = fixture_path(&filled.fixture, "head/000001.qth");
		assert_true(i == 1 || unlink(path) == 0);
	}
	struct headlog log;
	struct headlog_end end = {0};
	assert_int_equal(headlog_open(&log, "/dev/null", false, &end, &filled.err), -ERR_IO);
	headlog_close(&log);
	fixture_done(&filled.fixture);
}

static void no_catalog_is_no_new_store(void **state)
{
	/* segments without a catalog are never overwritten by a new store */
	struct filled filled;
	(void)state;
	filled_init(&filled, 100, 50);
	store_close(filled.store);
	off_t good = size_of(&filled.fixture, "head/000001.qth");
	static const char *const names[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm"};
	for (size_t i = 0; i < 3; i++) {
		(void)unlink(fixture_path(&filled.fixture, names[i])); /* -shm may not be there */
	}
	assert_int_equal(store_open(filled.fixture.dir, STORE_CREATE, &filled.store, &filled.err),
			 -ERR_CORRUPT);
	assert_non_null(strstr(filled.err.text, "catalog.db"));
	assert_int_equal(size_of(&filled.fixture, "head/000001.qth"), good);
	fixture_done(&filled.fixture);
}

/* Ends without closing anything, between the write of the segment and the commit of the catalog. */
static void die_before_commit(struct filled *filled)
{
	struct headlog log;
	struct error err;
	struct segment_span ids = head_part_span(filled->fixture.dir, 99, HEAD_IDS);
	struct headlog_end end = {.number = ids.number, .end = ids.offset + ids.len};
	if (headlog_open(&log, filled->fixture.dir, false, &end, &err) == 0) {
		(void)write_one(&log, STR_LIT("what nobody will ever know of"));
	}
	_exit(0);
}

static void crash_before_the_commit(void **state)
{
	/* a process that dies between segment and catalog leaves the committed records, all of them, and the store goes on */
	struct filled filled;
	struct record record;
	int64_t ingest_ns = 0;
	(void)state;
	filled_init(&filled, 100, 50);
	store_close(filled.store);
	off_t good = size_of(&filled.fixture, "head/000001.qth");
	pid_t child = fork();
	if (child == 0) {
		die_before_commit(&filled);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(size_of(&filled.fixture, "head/000001.qth") > good);
	filled_open(&filled, STORE_WRITE);
	assert_int_equal(store_leaf_count(filled.store), 100);
	filled_add(&filled, 100, 50);
	struct scan_fetch *fetch = NULL;
	assert_int_equal(scan_fetch_open(filled.store, &fetch, &filled.err), 0);
	for (uint64_t leaf = 0; leaf < 150; leaf++) {
		assert_int_equal(scan_fetch_record(fetch, leaf, &record, &ingest_ns, &filled.err),
				 0);
	}
	scan_fetch_close(fetch);
	filled_done(&filled);
}

/* Fills the segment until it may not grow; the exit status says what went wrong. */
static int fill_up(const char *dir)
{
	struct headlog log;
	struct error err;
	struct buf bytes;
	struct headlog_end end = {0};
	struct headlog_end start = {0};
	struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000};
	(void)sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	buf_init(&bytes, 0);
	buf_put_fill(&bytes, 'y', 60000);
	const struct str part = buf_str(&bytes);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
	    headlog_open(&log, dir, false, &end, &err) != 0 ||
	    headlog_write(&log, &part, 1, &start, &err) != 0) {
		return 1;
	}
	headlog_commit(&log);
	struct stat st;
	if (headlog_write(&log, &part, 1, &start, &err) != -ERR_IO ||
	    strstr(err.text, "head/000001.qth") == NULL) {
		return 2;
	}
	headlog_rollback(&log);
	if (fstat(log.fd, &st) != 0 || st.st_size != SEGMENT_HEADER_BYTES + 60000) {
		return 3;
	}
	const struct str small = STR_LIT("fits");
	return headlog_write(&log, &small, 1, &start, &err) == 0 ? 0 : 4;
}

static void no_space_gives_the_rest_back(void **state)
{
	/* a write that the disk refuses half-way is ERR_IO with the name; its bytes are given back and smaller ones fit */
	struct fixture fixture;
	(void)state;
	fixture_init(&fixture);
	pid_t child = fork();
	if (child == 0) {
		_exit(fill_up(fixture.dir));
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	fixture_done(&fixture);
}

static void a_failed_flush_is_final(void **state)
{
	/* after fdatasync failed once every write is refused: a pipe can't be flushed, nor written at an offset */
	struct fixture fixture;
	struct headlog log;
	struct error err;
	struct headlog_end end = {0};
	struct headlog_end start = {0};
	const struct str part = STR_LIT("bytes");
	(void)state;
	fixture_init(&fixture);
	assert_int_equal(headlog_open(&log, fixture.dir, false, &end, &err), 0);
	(void)write_one(&log, STR_LIT("good"));
	headlog_commit(&log);
	assert_int_equal(close(log.fd), 0);
	log.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(headlog_write(&log, &part, 1, &start, &err), -ERR_IO);
	headlog_rollback(&log);
	assert_int_equal(close(log.fd), 0);
	log.fd =
		open("/dev/null", O_WRONLY | O_CLOEXEC); /* takes every byte and has no fdatasync */
	assert_int_equal(headlog_write(&log, &part, 1, &start, &err), -ERR_IO);
	headlog_rollback(&log);
	assert_int_equal(headlog_write(&log, &part, 1, &start, &err), -ERR_IO);
	assert_non_null(strstr(err.text, "earlier write"));
	headlog_close(&log);
	fixture_done(&fixture);
}

static void a_failed_commit_leaves_its_bytes(void **state)
{
	/* after a commit that failed the bytes stay, because the next start may find it made, and every write is refused */
	struct fixture fixture;
	struct headlog log;
	struct error err;
	struct headlog_end end = {0};
	struct headlog_end start = {0};
	const struct str part = STR_LIT("bytes");
	(void)state;
	fixture_init(&fixture);
	assert_int_equal(headlog_open(&log, fixture.dir, false, &end, &err), 0);
	(void)write_one(&log, STR_LIT("good"));
	headlog_abandon(&log);
	headlog_rollback(&log);
	assert_int_equal(size_of(&fixture, "head/000001.qth"), SEGMENT_HEADER_BYTES + 5);
	assert_int_equal(headlog_write(&log, &part, 1, &start, &err), -ERR_IO);
	headlog_close(&log);
	fixture_done(&fixture);
}

static void access_follows_the_folder(void **state)
{
	/* head/ and its files are the owner's alone, or readable by the group when the store is; a folder's group is handed down */
	static const mode_t modes[] = {0700, 0750, 02750};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct filled filled = {0};
		struct stat st;
		fixture_init(&filled.fixture);
		assert_int_equal(chmod(filled.fixture.dir, modes[i]), 0);
		filled_open(&filled, STORE_CREATE);
		filled_add(&filled, 0, 3);
		assert_int_equal(stat(fixture_path(&filled.fixture, "head"), &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		assert_int_equal(stat(fixture_path(&filled.fixture, "head/000001.qth"), &st), 0);
		assert_int_equal(st.st_mode & 07777, i > 0 ? 0640 : 0600);
		filled_done(&filled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_follow_each_other),
		cmocka_unit_test(a_full_segment_makes_the_next),
		cmocka_unit_test(the_rest_of_a_crash_goes),
		cmocka_unit_test(short_or_missing_is_told),
		cmocka_unit_test(no_catalog_is_no_new_store),
		cmocka_unit_test(crash_before_the_commit),
		cmocka_unit_test(no_space_gives_the_rest_back),
		cmocka_unit_test(a_failed_flush_is_final),
		cmocka_unit_test(a_failed_commit_leaves_its_bytes),
		cmocka_unit_test(access_follows_the_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
