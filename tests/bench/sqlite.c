/* The plain SQLite database that the store is compared with: typed columns and the indexes that the questions need.
 *
 * usage: bench-sqlite load DB ACCESS AUDIT     both files of bench-world
 *        bench-sqlite ask DB SQL               opens, asks and reads all rows; prints rows, milliseconds and the peak in KiB */
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define BATCH 4096

/* columns in the order of the keys; i: integer, t: text. A statement's request id is taken out of its comment into the last column. */
struct table {
	const char *create, *insert, *types;
	bool has_statement;
};

static const struct table requests = {
	.create = "CREATE TABLE requests (requestId TEXT, extendedRequestId TEXT, "
		  "integrationRequestId TEXT, requestTimeEpoch INTEGER, requestTime TEXT, "
		  "httpMethod TEXT, resourcePath TEXT, path TEXT, protocol TEXT, status INTEGER, "
		  "responseLength INTEGER, responseLatency INTEGER, integrationLatency INTEGER, "
		  "integrationStatus INTEGER, apiId TEXT, stage TEXT, accountId TEXT, "
		  "domainName TEXT, sourceIp TEXT, userAgent TEXT, principalId TEXT, email TEXT, "
		  "wafResponseCode TEXT); CREATE INDEX requests_id ON requests (requestId);"
		  "CREATE INDEX requests_user ON requests (email);"
		  "CREATE INDEX requests_time ON requests (requestTimeEpoch)",
	.insert = "INSERT INTO requests VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	.types = "tttitttttiiiiittttttttt",
};
static const struct table statements = {
	.create = "CREATE TABLE statements (event_time TEXT, sequence_number INTEGER, action_id "
		  "TEXT, succeeded INTEGER, session_id INTEGER, object_id INTEGER, class_type "
		  "TEXT, session_server_principal_name TEXT, server_principal_name TEXT, "
		  "database_principal_name TEXT, server_instance_name TEXT, database_name TEXT, "
		  "schema_name TEXT, object_name TEXT, statement TEXT, file_name TEXT, "
		  "audit_file_offset INTEGER, transaction_id INTEGER, client_ip TEXT, "
		  "application_name TEXT, duration_milliseconds INTEGER, response_rows INTEGER, "
		  "affected_rows INTEGER, connection_id TEXT, host_name TEXT, request_id TEXT);"
		  "CREATE INDEX statements_request ON statements (request_id);"
		  "CREATE INDEX statements_time ON statements (event_time)",
	.insert = "INSERT INTO statements VALUES "
		  "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	.types = "titiiittttttttttiittiiitt",
	.has_statement = true,
};

static void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench-sqlite: %s: %s\n", what, why);
	exit(1);
}

static void check(sqlite3 *db, int result)
{
	if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW) {
		die("SQLite", sqlite3_errmsg(db));
	}
}

static void run(sqlite3 *db, const char *sql)
{
	check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static sqlite3 *open_database(const char *path)
{
	sqlite3 *db = NULL;
	if (sqlite3_open(path, &db) != SQLITE_OK) {
		die(path, "does not open");
	}
	run(db, "PRAGMA cache_size = -131072"); /* 128 MiB: what querytrail may use in all */
	return db;
}

/* The statement without its comment, and the id in it. */
static void bind_statement(sqlite3 *db, sqlite3_stmt *insert, int index, struct str text, int id)
{
	static const char comment[] = "/*request_id=";
	const size_t rear = sizeof(comment) - 1 + 36 + 2;
	size_t len = text.len;
	if (len > rear && memcmp(text.ptr + len - rear, comment, sizeof(comment) - 1) == 0) {
		len -= rear;
		check(db, sqlite3_bind_text64(insert, id, text.ptr + len + sizeof(comment) - 1, 36,
					      SQLITE_TRANSIENT, SQLITE_UTF8));
	} else {
		check(db, sqlite3_bind_null(insert, id));
	}
	check(db, sqlite3_bind_text64(insert, index, text.ptr, len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

static void bind_value(sqlite3 *db, sqlite3_stmt *insert, int index, const struct json_scanner *at,
		       char type)
{
	static struct buf plain; /* static: keeps its memory from value to value */
	struct str text = at->text;
	int64_t number = 0;
	if (at->has_escapes) {
		buf_clear(&plain);
		(void)json_unescape(text, true, &plain); /* the count of lone surrogates: none */
		text = buf_str(&plain);
	}
	if (type == 'i') {
		if (!parse_i64(text, &number)) {
			number = str_is(text, "true") ? 1 : 0;
		}
		check(db, sqlite3_bind_int64(insert, index, number));
	} else {
		check(db, sqlite3_bind_text64(insert, index, text.ptr, text.len, SQLITE_TRANSIENT,
					      SQLITE_UTF8));
	}
}

static void add_line(sqlite3 *db, sqlite3_stmt *insert, const struct table *table, struct str line)
{
	struct json_scanner scanner = json_scanner(line);
	int columns = (int)strlen(table->types), index = 0;
	enum json_event event = json_next(&scanner);
	bool is_statement = false;
	for (; event != JSON_END; event = json_next(&scanner)) {
		if (event == JSON_ERROR || index > columns) {
			die("a line", "is not what bench-world writes");
		}
		if (event == JSON_KEY) {
			index++;
			is_statement = table->has_statement && str_is(scanner.text, "statement");
		} else if (event != JSON_OBJECT_BEGIN && event != JSON_OBJECT_END) {
			if (is_statement && !scanner.has_escapes) {
				bind_statement(db, insert, index, scanner.text, columns + 1);
			} else {
				bind_value(db, insert, index, &scanner, table->types[index - 1]);
			}
		}
	}
	check(db, sqlite3_step(insert));
	check(db, sqlite3_reset(insert));
}

static void load_file(sqlite3 *db, const struct table *table, const char *path)
{
	FILE *file = fopen(path, "r");
	sqlite3_stmt *insert = NULL;
	char *line = NULL;
	size_t size = 0, count = 0;
	if (file == NULL) {
		die(path, strerror(errno));
	}
	run(db, table->create);
	check(db, sqlite3_prepare_v2(db, table->insert, -1, &insert, NULL));
	run(db, "BEGIN");
	for (ssize_t len = getline(&line, &size, file); len > 0;
	     len = getline(&line, &size, file)) {
		add_line(db, insert, table, str_make(line, (size_t)len - 1));
		if (++count % BATCH == 0) {
			run(db, "COMMIT; BEGIN");
		}
	}
	run(db, "COMMIT");
	check(db, sqlite3_finalize(insert));
	free(line);
	(void)fclose(file); /* was only read */
}

static int load(const char *path, const char *access, const char *audit)
{
	sqlite3 *db = open_database(path);
	run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	load_file(db, &requests, access);
	load_file(db, &statements, audit);
	run(db, "PRAGMA wal_checkpoint(TRUNCATE); ANALYZE");
	check(db, sqlite3_close(db));
	return 0;
}

static int ask(const char *path, const char *sql)
{
	int64_t start = clock_monotonic_ns();
	sqlite3 *db = open_database(path);
	sqlite3_stmt *question = NULL;
	struct rusage usage;
	size_t rows = 0, values = 0;
	int64_t sum = 0; /* of the last column where it holds integers */
	check(db, sqlite3_prepare_v2(db, sql, -1, &question, NULL));
	int rc = sqlite3_step(question);
	for (; rc == SQLITE_ROW; rc = sqlite3_step(question)) {
		rows++;
		for (int i = 0; i < sqlite3_column_count(question); i++) {
			values += sqlite3_column_text(question, i) != NULL ? 1 : 0;
		}
		sum += sqlite3_column_int64(question, sqlite3_column_count(question) - 1);
	}
	check(db, rc);
	double ms = (double)(clock_monotonic_ns() - start) / 1e6;
	check(db, sqlite3_finalize(question));
	check(db, sqlite3_close(db));
	(void)getrusage(RUSAGE_SELF, &usage); /* can't fail with these arguments */
	(void)printf("{\"rows\": %zu, \"values\": %zu, \"sum\": %lld, \"ms\": %.3f, "
		     "\"peak_kib\": %ld}\n",
		     rows, values, (long long)sum, ms, usage.ru_maxrss);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "load") == 0) {
		return load(argv[2], argv[3], argv[4]);
	}
	if (argc == 4 && strcmp(argv[1], "ask") == 0) {
		return ask(argv[2], argv[3]);
	}
	(void)fprintf(stderr, "usage: bench-sqlite load DB ACCESS AUDIT | ask DB SQL\n");
	return 2;
}
