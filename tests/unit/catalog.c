#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/catalog.h"
#include "tests/unit/store-fixture.h"

#include <sys/stat.h>

static int64_t ask(struct catalog *catalog, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(catalog->db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return value;
}

static void settings_of_the_file(void **state)
{
	/* WAL, FULL, page size, ids, and no trust in what a schema may bring */
	struct fixture fixture;
	struct catalog *catalog = NULL;
	struct error err;
	(void)state;
	fixture_init(&fixture);
	assert_int_equal(catalog_open(fixture.dir, CATALOG_CREATE, &catalog, &err), 0);
	assert_int_equal(ask(catalog, "PRAGMA synchronous"), 2);
	assert_int_equal(ask(catalog, "PRAGMA page_size"), CATALOG_PAGE_BYTES);
	assert_int_equal(ask(catalog, "PRAGMA application_id"), CATALOG_APPLICATION_ID);
	assert_int_equal(ask(catalog, "PRAGMA user_version"), CATALOG_VERSION);
	assert_int_equal(ask(catalog, "SELECT count(*) FROM pragma_journal_mode"
				      " WHERE journal_mode = 'wal'"),
			 1);
	assert_int_equal(ask(catalog, "PRAGMA trusted_schema"), 0);
	assert_int_equal(ask(catalog, "PRAGMA cell_size_check"), 1);
	catalog_close(catalog);
	catalog_close(NULL);
	fixture_done(&fixture);
}

static void results_become_our_codes(void **state)
{
	/* each SQLite result says what the caller must do, with the file's name */
	static const struct {
		int rc, code;
	} cases[] = {{SQLITE_CORRUPT, ERR_CORRUPT}, {SQLITE_NOTADB, ERR_CORRUPT},
		     {SQLITE_NOMEM, ERR_NOMEM},     {SQLITE_TOOBIG, ERR_LIMIT},
		     {SQLITE_FULL, ERR_IO},         {SQLITE_IOERR_FSYNC, ERR_IO},
		     {SQLITE_READONLY, ERR_IO},     {SQLITE_BUSY, ERR_IO},
		     {SQLITE_CANTOPEN, ERR_IO}};
	char path[] = "/x/catalog.db";
	struct catalog catalog = {.path = path};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error err;
		assert_int_equal(catalog_error(&catalog, cases[i].rc, "trying", &err),
				 -cases[i].code);
		assert_non_null(strstr(err.text, path));
	}
}

static void copy_without_wal_is_read(void **state)
{
	/* a catalog alone in a folder that can't be written is read as it lies, also with odd letters in its path */
	struct fixture fixture;
	struct catalog *catalog = NULL;
	struct error err;
	char dir[128];
	char from[128];
	char to[160];
	(void)state;
	if (geteuid() == 0 && (setegid(12345) != 0 || seteuid(54321) != 0)) {
		skip();
	}
	fixture_init(&fixture);
	assert_int_equal(catalog_open(fixture.dir, CATALOG_CREATE, &catalog, &err), 0);
	assert_int_equal(catalog_meta_put(catalog, "k", STR_LIT("v"), &err), 0);
	(void)ask(catalog, "PRAGMA wal_checkpoint(TRUNCATE)"); /* its row is not of interest */
	catalog_close(catalog);
	assert_true(snprintf(dir, sizeof dir, "%s/a?b#c%%20d", fixture.dir) > 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_true(snprintf(from, sizeof from, "%s/catalog.db", fixture.dir) > 0);
	assert_true(snprintf(to, sizeof to, "%s/catalog.db", dir) > 0);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(chmod(dir, 0500), 0);
	assert_int_equal(catalog_open(dir, CATALOG_READ, &catalog, &err), 0);
	struct buf out;
	buf_init(&out, 10);
	assert_int_equal(catalog_meta_get(catalog, "k", &out, &err), 0);
	assert_true(str_is(buf_str(&out), "v"));
	buf_done(&out);
	catalog_close(catalog);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(rmdir(dir), 0);
	fixture_done(&fixture);
	if (getuid() == 0) {
		assert_int_equal(seteuid(0) | setegid(0), 0);
	}
}

static void unreadable_is_told(void **state)
{
	/* a folder instead of the file is ERR_CONFIG; a file without permission is an error that names it */
	struct fixture fixture;
	struct catalog *catalog = NULL;
	struct error err;
	(void)state;
	fixture_init(&fixture);
	assert_int_equal(mkdir(fixture_path(&fixture, "catalog.db"), 0700), 0);
	assert_int_equal(catalog_open(fixture.dir, CATALOG_READ, &catalog, &err), -ERR_CONFIG);
	assert_int_equal(rmdir(fixture_path(&fixture, "catalog.db")), 0);
	if (geteuid() == 0) {
		assert_int_equal(catalog_open(fixture.dir, CATALOG_CREATE, &catalog, &err), 0);
		catalog_close(catalog);
		assert_int_equal(chmod(fixture.dir, 0755), 0);
		assert_int_equal(setegid(12345) | seteuid(54321), 0);
		assert_int_equal(catalog_open(fixture.dir, CATALOG_READ, &catalog, &err), -ERR_IO);
		assert_non_null(strstr(err.text, "Permission denied"));
		assert_int_equal(seteuid(0) | setegid(0), 0);
	}
	fixture_done(&fixture);
}

static void missing_setting_is_gone(void **state)
{
	/* a setting that was never put is ERR_GONE, and a buffer too small for one is ERR_LIMIT */
	struct fixture fixture;
	struct catalog *catalog = NULL;
	struct error err;
	struct buf out;
	(void)state;
	buf_init(&out, 2);
	fixture_init(&fixture);
	assert_int_equal(catalog_open(fixture.dir, CATALOG_CREATE, &catalog, &err), 0);
	assert_int_equal(catalog_meta_get(catalog, "k", &out, &err), -ERR_GONE);
	assert_int_equal(catalog_meta_put(catalog, "k", STR_LIT("long"), &err), 0);
	assert_int_equal(catalog_meta_get(catalog, "k", &out, &err), -ERR_LIMIT);
	buf_done(&out);
	catalog_close(catalog);
	fixture_done(&fixture);
}

static void fill(struct catalog *catalog, int rows)
{
	char sql[160];
	(void)snprintf(sql, sizeof sql,
		       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT %d) "
		       "INSERT OR REPLACE INTO meta SELECT 'k' || i, randomblob(4000) FROM n",
		       rows);
	assert_int_equal(sqlite3_exec(catalog->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void unused_pages_are_given_back(void **state)
{
	/* few unused pages stay for what comes, of many an eighth of the file; at the end none; and what is stored stays */
	struct fixture fixture;
	struct catalog *catalog = NULL;
	struct buf out;
	struct error err;
	(void)state;
	fixture_init(&fixture);
	buf_init(&out, 8000);
	assert_int_equal(catalog_open(fixture.dir, CATALOG_CREATE, &catalog, &err), 0);
	fill(catalog, 400);
	assert_int_equal(
		sqlite3_exec(catalog->db, "DELETE FROM meta WHERE key > 'k95'", NULL, NULL, NULL),
		SQLITE_OK);
	int64_t pages = ask(catalog, "PRAGMA page_count");
	int64_t few = ask(catalog, "PRAGMA freelist_count");
	assert_true(few > 0 && few < pages / 4);
	assert_int_equal(catalog_shrink(catalog, false, &err), 0);
	assert_int_equal(ask(catalog, "PRAGMA freelist_count"), few);
	assert_int_equal(
		sqlite3_exec(catalog->db, "DELETE FROM meta WHERE key > 'k2'", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(catalog_shrink(catalog, false, &err), 0);
	assert_in_range(ask(catalog, "PRAGMA freelist_count"), 1, (uintmax_t)pages / 8);
	assert_true(ask(catalog, "PRAGMA page_count") < pages / 2);
	assert_int_equal(catalog_shrink(catalog, true, &err), 0);
	assert_int_equal(ask(catalog, "PRAGMA freelist_count"), 0);
	assert_int_equal(catalog_meta_get(catalog, "k17", &out, &err), 0);
	assert_int_equal(out.len, 4000);
	assert_int_equal(ask(catalog, "SELECT count(*) FROM pragma_integrity_check "
				      "WHERE integrity_check = 'ok'"),
			 1);
	buf_done(&out);
	catalog_close(catalog);
	fixture_done(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_of_the_file),
		cmocka_unit_test(results_become_our_codes),
		cmocka_unit_test(copy_without_wal_is_read),
		cmocka_unit_test(unreadable_is_told),
		cmocka_unit_test(missing_setting_is_gone),
		cmocka_unit_test(unused_pages_are_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
