/* store-fixture - folders and believable records for the tests of store/ and of the daemon.
 *
 * Shape:   record n of a world where each request is followed by FIXTURE_STATEMENTS statements and as many verdicts; the same n
 *          gives the same record.
 * Life:    texts of a record live in its fixture until the next fixture_record.
 * Threads: one fixture per thread.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "base/buf.h"
#include "base/hash.h"
#include "model/record.h"
#include "tests/unit/store-folder.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIXTURE_STATEMENTS 3
#define FIXTURE_PERIOD     (1 + 2 * FIXTURE_STATEMENTS)
#define FIXTURE_USERS      97
#define FIXTURE_START_NS   INT64_C(1790000000000000000)

struct fixture {
	char dir[64];
	char text[16][160];
	char raw[512];
	struct record record;
	struct buf encoded;
};

/* A new empty folder that fixture_done removes with what is in it. */
static inline void fixture_init(struct fixture *fixture)
{
	memset(fixture, 0, sizeof *fixture);
	memcpy(fixture->dir, "/tmp/qt-test-XXXXXX", 20);
	char *made = mkdtemp(fixture->dir);
	assert(made != NULL);
	buf_init(&fixture->encoded, 0);
}

static inline void fixture_done(struct fixture *fixture)
{
	store_folder_remove(fixture->dir);
	buf_done(&fixture->encoded);
}

/* Keeps a formatted text in slot and gives it back. */
__attribute__((format(printf, 3, 4))) static inline struct str
fixture_text(struct fixture *fixture, size_t slot, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(fixture->text[slot], sizeof fixture->text[slot], format, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < sizeof fixture->text[slot]);
	return str_make(fixture->text[slot], (size_t)len);
}

static inline unsigned long long fixture_mix(uint64_t n)
{
	return (unsigned long long)hash_u64(n);
}

static inline void fixture_request(struct fixture *fixture, uint64_t n)
{
	struct record *record = &fixture->record;
	uint64_t request = n / FIXTURE_PERIOD;
	record_init(record, RECORD_REQUEST);
	record->source = STR_LIT("api");
	record->key = fixture_text(fixture, 0, "%026llu", (unsigned long long)n);
	record->time_ns = FIXTURE_START_NS + (int64_t)n * 1000000;
	int len = snprintf(
		fixture->raw, sizeof fixture->raw,
		"{\"requestId\":\"%016llx-%016llx\",\"path\":\"/orders/%llu\",\"status\":200}",
		fixture_mix(n), fixture_mix(n + 1), (unsigned long long)request);
	assert(len > 0);
	record_set_text(record, FIELD_raw, str_make(fixture->raw, (size_t)len));
	record_set_text(
		record, FIELD_request_id,
		fixture_text(fixture, 1, "%016llx-%016llx", fixture_mix(n), fixture_mix(n + 1)));
	record_set_text(record, FIELD_extended_request_id,
			fixture_text(fixture, 2, "x%014llx=", fixture_mix(n + 2) >> 8));
	record_set_text(record, FIELD_lambda_request_id,
			fixture_text(fixture, 3, "%016llx-l", fixture_mix(n + 3)));
	record_set_text(record, FIELD_api, STR_LIT("a1b2c3"));
	record_set_text(record, FIELD_stage, STR_LIT("prod"));
	record_set_text(
		record, FIELD_route,
		fixture_text(fixture, 4, "GET /things%llu/{id}", fixture_mix(request) % 40));
	record_set_text(record, FIELD_method, STR_LIT("GET"));
	record_set_text(record, FIELD_path,
			fixture_text(fixture, 5, "/things/%llu", (unsigned long long)request));
	record_set_number(record, FIELD_status, request % 50 == 0 ? 500 : 200);
	record_set_text(record, FIELD_user,
			fixture_text(fixture, 6, "user%llu@example.com",
				     fixture_mix(request + 7) % FIXTURE_USERS));
	record_set_text(record, FIELD_user_kind, STR_LIT("jwt"));
	record_set_text(record, FIELD_source_ip,
			fixture_text(fixture, 7, "10.1.%llu.9", fixture_mix(request) % 200));
	record_set_text(record, FIELD_user_agent, STR_LIT("Mozilla/5.0 (X11; Linux x86_64)"));
	record_set_number(record, FIELD_latency_ms, (int64_t)(fixture_mix(n) % 300));
}

static inline void fixture_statement(struct fixture *fixture, uint64_t n)
{
	struct record *record = &fixture->record;
	record_init(record, RECORD_STATEMENT);
	record->source = STR_LIT("db");
	record->key = fixture_text(fixture, 0, "app_0_%llu.sqlaudit:%llu",
				   (unsigned long long)(n / 100000), (unsigned long long)n);
	record->time_ns = FIXTURE_START_NS + (int64_t)n * 1000000 + 100;
	uint64_t table = fixture_mix(n) % 60;
	int len = snprintf(
		fixture->raw, sizeof fixture->raw,
		"{\"event_time\":\"2026-11-22T10:00:00.1234567\",\"sequence_number\":1,"
		"\"action_id\":\"SL\",\"succeeded\":1,\"session_id\":%llu,\"statement\":"
		"\"SELECT id, name, total FROM dbo.T%llu WHERE id = %llu AND state = 'open'\"}",
		(unsigned long long)(n % 90 + 50), (unsigned long long)table,
		(unsigned long long)n);
	assert(len > 0);
	record_set_text(record, FIELD_raw, str_make(fixture->raw, (size_t)len));
	record_set_text(record, FIELD_server, STR_LIT("SQL01"));
	record_set_text(record, FIELD_database, STR_LIT("Shop"));
	record_set_text(record, FIELD_schema, STR_LIT("dbo"));
	record_set_text(record, FIELD_object,
			fixture_text(fixture, 1, "T%llu", (unsigned long long)table));
	record_set_text(record, FIELD_table,
			fixture_text(fixture, 2, "dbo.T%llu", (unsigned long long)table));
	record_set_text(record, FIELD_action, STR_LIT("SL"));
	record_set_text(record, FIELD_verb, n % 10 == 0 ? STR_LIT("UPDATE") : STR_LIT("SELECT"));
	record_set_text(record, FIELD_class, STR_LIT("U"));
	record_set_text(record, FIELD_principal, STR_LIT("app_orders"));
	record_set_text(record, FIELD_session_principal, STR_LIT("app_orders"));
	record_set_text(record, FIELD_db_user, STR_LIT("app_orders"));
	record_set_text(record, FIELD_application,
			fixture_text(fixture, 3, "lambda-%llu", fixture_mix(n / 5000) % 30));
	record_set_text(record, FIELD_host, STR_LIT("169.254.76.1"));
	record_set_text(record, FIELD_client_ip,
			fixture_text(fixture, 4, "10.0.0.%llu", (unsigned long long)(n % 90)));
	record_set_number(record, FIELD_session_id, (int64_t)(n % 90 + 50));
	record_set_text(record, FIELD_connection_id,
			fixture_text(fixture, 5, "%016llX", fixture_mix(n % 90)));
	record_set_number(record, FIELD_succeeded, 1);
	record_set_number(record, FIELD_rows, (int64_t)(fixture_mix(n) % 20));
	record_set_number(record, FIELD_duration_ms, (int64_t)(fixture_mix(n + 9) % 40));
	record_set_text(
		record, FIELD_statement,
		fixture_text(
			fixture, 6,
			"SELECT id, name, total FROM dbo.T%llu WHERE id = %llu AND state = 'open'",
			(unsigned long long)table, (unsigned long long)n));
	char id[RECORD_ID_DIGITS + 1];
	record_stable_id(record->source, record->key, id);
	record_set_text(record, FIELD_statement_id, fixture_text(fixture, 7, "%s", id));
}

static inline void fixture_verdict(struct fixture *fixture, uint64_t n)
{
	struct record *record = &fixture->record;
	record_init(record, RECORD_VERDICT);
	record->source = STR_LIT("querytraild");
	record->time_ns = FIXTURE_START_NS + (int64_t)n * 1000000;
	char id[RECORD_ID_DIGITS + 1];
	record->key = fixture_text(fixture, 0, "app_0_%llu.sqlaudit:%llu",
				   (unsigned long long)((n - FIXTURE_STATEMENTS) / 100000),
				   (unsigned long long)(n - FIXTURE_STATEMENTS));
	record_stable_id(STR_LIT("db"), record->key, id);
	record->key = fixture_text(fixture, 0, "%s/0", id);
	record_set_text(record, FIELD_statement_id, fixture_text(fixture, 1, "%s", id));
	record_set_text(record, FIELD_grade, n % 11 == 0 ? STR_LIT("B") : STR_LIT("A"));
	record_set_text(record, FIELD_carrier, STR_LIT("session_context"));
	record_set_text(record, FIELD_matched_by, STR_LIT("extended_request_id"));
	record_set_text(record, FIELD_settled, STR_LIT("final"));
	record_set_text(record, FIELD_reason, STR_LIT("the ids are equal and the times fit"));
	record_set_number(record, FIELD_revision, 0);
	record_set_number(record, FIELD_statement_leaf, (int64_t)(n - FIXTURE_STATEMENTS));
	record_set_number(record, FIELD_request_leaf, (int64_t)(n - n % FIXTURE_PERIOD));
}

/* Record n of the world, which gets leaf n when all are stored in order; *out_encoded are its bytes. */
static inline const struct record *fixture_record(struct fixture *fixture, uint64_t n,
						  struct str *out_encoded)
{
	if (n % FIXTURE_PERIOD == 0) {
		fixture_request(fixture, n);
	} else if (n % FIXTURE_PERIOD <= FIXTURE_STATEMENTS) {
		fixture_statement(fixture, n);
	} else {
		fixture_verdict(fixture, n);
	}
	buf_clear(&fixture->encoded);
	struct error err;
	int rc = record_encode(&fixture->record, &fixture->encoded, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
	*out_encoded = buf_str(&fixture->encoded);
	return &fixture->record;
}

/* A path inside the fixture's folder; in slot 15. */
static inline const char *fixture_path(struct fixture *fixture, const char *name)
{
	return fixture_text(fixture, 15, "%s/%s", fixture->dir, name).ptr;
}

/* Overwrites len bytes of a file at offset with bytes. */
static inline void fixture_patch(struct fixture *fixture, const char *name, long offset,
				 struct str bytes)
{
	FILE *file = fopen(fixture_path(fixture, name), "r+");
	assert(file != NULL);
	int rc = fseek(file, offset, SEEK_SET);
	assert(rc == 0);
	size_t written = fwrite(bytes.ptr, 1, bytes.len, file);
	assert(written == bytes.len);
	rc = fclose(file);
	assert(rc == 0);
}

#endif
