#include "tests/bench/peer.h"

#include "base/buf.h"
#include "base/clock.h"
#include "tests/bench/shape.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define KINDS        (1u << RECORD_REQUEST | 1u << RECORD_STATEMENT)
#define FIXED_FIELDS 4 /* kind, source, key, time */

struct peer {
	sqlite3 *db;
	sqlite3_stmt *insert;
	unsigned fields[FIELD_LIMIT];
	int field_count;
};

static void check(const struct peer *peer, int result)
{
	if (result != SQLITE_OK && result != SQLITE_DONE) {
		fprintf(stderr, "the plain SQLite database: %s\n", sqlite3_errmsg(peer->db));
		exit(1);
	}
}

static void run(const struct peer *peer, const char *sql)
{
	check(peer, sqlite3_exec(peer->db, sql, NULL, NULL, NULL));
}

/* The table, its indexes and the statement that fills it, all from the field table. */
static void make_table(struct peer *peer)
{
	struct buf table, insert;
	buf_init(&table, 0);
	buf_init(&insert, 0);
	buf_put_text(&table, "CREATE TABLE events (kind INTEGER, source TEXT, key BLOB, "
			     "time_ns INTEGER");
	buf_put_text(&insert, "INSERT INTO events VALUES (?, ?, ?, ?");
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		if (info->name == NULL || (info->kinds & KINDS) == 0) {
			continue;
		}
		bool text = info->type == FIELD_TYPE_TEXT || info->type == FIELD_TYPE_BYTES;
		peer->fields[peer->field_count++] = field;
		buf_putf(&table, ", \"%s\" %s", info->name, text ? "TEXT" : "INTEGER");
		buf_put_text(&insert, ", ?");
	}
	buf_put_text(&table, "); CREATE UNIQUE INDEX by_key ON events (source, key);"
			     "CREATE INDEX by_time ON events (time_ns);"
			     "CREATE INDEX by_user ON events (\"user\");"
			     "CREATE INDEX by_request ON events (extended_request_id);"
			     "CREATE INDEX by_table ON events (\"table\")");
	buf_put_text(&insert, ")");
	run(peer, table.ptr);
	check(peer, sqlite3_prepare_v2(peer->db, insert.ptr, -1, &peer->insert, NULL));
	buf_done(&table);
	buf_done(&insert);
}

static void bind_text(const struct peer *peer, int index, struct str text)
{
	check(peer, sqlite3_bind_text64(peer->insert, index, text.ptr, text.len, SQLITE_STATIC,
					SQLITE_UTF8));
}

static void add(const struct peer *peer, const struct record *record)
{
	check(peer, sqlite3_bind_int64(peer->insert, 1, record->kind));
	bind_text(peer, 2, record->source);
	check(peer, sqlite3_bind_blob64(peer->insert, 3, record->key.ptr, record->key.len,
					SQLITE_STATIC));
	check(peer, sqlite3_bind_int64(peer->insert, 4, record->time_ns));
	for (int i = 0; i < peer->field_count; i++) {
		unsigned field = peer->fields[i];
		enum field_type type = field_info(field)->type;
		int index = FIXED_FIELDS + 1 + i;
		if (!record_has(record, field)) {
			check(peer, sqlite3_bind_null(peer->insert, index));
		} else if (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES) {
			bind_text(peer, index, record->value[field].text);
		} else {
			check(peer,
			      sqlite3_bind_int64(peer->insert, index, record->value[field].number));
		}
	}
	check(peer, sqlite3_step(peer->insert));
	check(peer, sqlite3_reset(peer->insert));
}

static double cpu_seconds(void)
{
	struct timespec spent = {0};
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent); /* can't fail for this clock */
	return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

/* CPU seconds that making the events alone takes, which the peer is not charged for. */
static double cost_of_events(uint64_t event_count)
{
	struct shape shape;
	struct record record;
	double start = cpu_seconds();
	shape_init(&shape, 1, INT64_C(1790000000) * NS_PER_SEC);
	for (uint64_t i = 0; i < event_count; i++) {
		shape_next(&shape, &record);
	}
	shape_done(&shape);
	return cpu_seconds() - start;
}

struct peer_result peer_run(const char *path, uint64_t event_count, size_t batch_records)
{
	struct peer peer = {0};
	struct shape shape;
	struct record record;
	struct stat status = {0};
	double making = cost_of_events(event_count), start = cpu_seconds();
	check(&peer, sqlite3_open(path, &peer.db));
	run(&peer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		   "PRAGMA cache_size = -16384");
	make_table(&peer);
	shape_init(&shape, 1, INT64_C(1790000000) * NS_PER_SEC);
	for (uint64_t i = 0; i < event_count; i++) {
		if (i % batch_records == 0) {
			run(&peer, i == 0 ? "BEGIN" : "COMMIT; BEGIN");
		}
		shape_next(&shape, &record);
		add(&peer, &record);
	}
	run(&peer, "COMMIT");
	check(&peer, sqlite3_finalize(peer.insert));
	check(&peer,
	      sqlite3_close(peer.db)); /* the last one to close puts the -wal into the file */
	struct peer_result result = {.cpu_seconds = cpu_seconds() - start - making};
	(void)stat(path, &status); /* it was closed just now */
	result.bytes = (uint64_t)status.st_size;
	shape_done(&shape);
	return result;
}
