/* store-filled - a store with the fixture's records in it, for the tests that read.
 *
 * Threads: one per thread. */
#ifndef TESTS_UNIT_STORE_FILLED_H
#define TESTS_UNIT_STORE_FILLED_H

#include "store/scan.h"
#include "tests/unit/store-fixture.h"

#include <sqlite3.h>

struct filled {
	struct fixture fixture;
	struct store *store;
	struct error err;
};

/* Appends records first .. first + count - 1 in one transaction. */
static inline void filled_add(struct filled *filled, uint64_t first, uint64_t count)
{
	int rc = store_begin(filled->store, FIXTURE_START_NS + (int64_t)first, &filled->err);
	if (rc != 0) {
		fprintf(stderr, "begin: %s\n", filled->err.text);
	}
	assert(rc == 0);
	for (uint64_t n = first; n < first + count; n++) {
		struct str encoded;
		uint64_t leaf = 0;
		const struct record *record = fixture_record(&filled->fixture, n, &encoded);
		rc = store_append(filled->store, record, encoded, &leaf, &filled->err);
		assert(rc == 0 && leaf == n);
	}
	rc = store_commit(filled->store, &filled->err);
	if (rc != 0) {
		fprintf(stderr, "commit: %s\n", filled->err.text);
	}
	assert(rc == 0);
	(void)rc; /* asserted */
}

static inline void filled_open(struct filled *filled, enum store_mode mode)
{
	int rc = store_open(filled->fixture.dir, mode, &filled->store, &filled->err);
	assert(rc == 0);
	(void)rc; /* asserted */
}

/* A store that holds batches of size records until count are in it, open for reading. */
static inline void filled_init(struct filled *filled, uint64_t count, uint64_t size)
{
	memset(filled, 0, sizeof *filled);
	fixture_init(&filled->fixture);
	filled_open(filled, STORE_CREATE);
	for (uint64_t done = 0; done < count; done += size) {
		filled_add(filled, done, count - done < size ? count - done : size);
	}
	store_close(filled->store);
	filled_open(filled, STORE_READ);
}

static inline void filled_done(struct filled *filled)
{
	store_close(filled->store);
	fixture_done(&filled->fixture);
}

/* Runs SQL on the closed or open store behind its back, as damage would. */
static inline void filled_sql(struct filled *filled, const char *sql)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open(fixture_path(&filled->fixture, "catalog.db"), &db);
	assert(rc == SQLITE_OK);
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	assert(rc == SQLITE_OK);
	rc = sqlite3_close(db);
	assert(rc == SQLITE_OK);
	(void)rc; /* asserted */
}

#endif
