#include "store/catalog.h"

#include "base/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char schema[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE sources ("
	" name TEXT PRIMARY KEY, type TEXT NOT NULL, cursor BLOB NOT NULL, kinds INTEGER NOT NULL,"
	" watermark_ns INTEGER NOT NULL, first_time_ns INTEGER NOT NULL, last_time_ns INTEGER NOT "
	"NULL,"
	" last_batch_ns INTEGER NOT NULL, caught_up INTEGER NOT NULL,"
	" received INTEGER NOT NULL, stored INTEGER NOT NULL, duplicate INTEGER NOT NULL,"
	" rejected INTEGER NOT NULL, gaps INTEGER NOT NULL,"
	" state TEXT NOT NULL, state_text TEXT NOT NULL, state_since_ns INTEGER NOT NULL,"
	" crc INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE head ("
	" batch INTEGER PRIMARY KEY, first_leaf INTEGER NOT NULL UNIQUE, record_count INTEGER NOT "
	"NULL,"
	" min_time_ns INTEGER NOT NULL, max_time_ns INTEGER NOT NULL, ingest_ns INTEGER NOT NULL,"
	" kinds INTEGER NOT NULL, record_bytes INTEGER NOT NULL,"
	" segment INTEGER NOT NULL, start INTEGER NOT NULL,"
	" chunks_bytes INTEGER NOT NULL, chunk_count INTEGER NOT NULL,"
	" columns_bytes INTEGER NOT NULL, ids_bytes INTEGER NOT NULL,"
	" index_crc INTEGER NOT NULL, columns_crc INTEGER NOT NULL, ids_crc INTEGER NOT NULL,"
	" crc INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE alerts ("
	" id TEXT PRIMARY KEY, state INTEGER NOT NULL, revision INTEGER NOT NULL,"
	" severity INTEGER NOT NULL, rule TEXT NOT NULL, leaf INTEGER NOT NULL,"
	" verdict_leaf INTEGER NOT NULL, statement_leaf INTEGER NOT NULL,"
	" request_leaf INTEGER NOT NULL, other_leaf INTEGER NOT NULL,"
	" subject_leaf INTEGER NOT NULL, time_ns INTEGER NOT NULL, fired_ns INTEGER NOT NULL,"
	" changed_ns INTEGER NOT NULL, quiet INTEGER NOT NULL,"
	" by_whom TEXT NOT NULL, note TEXT NOT NULL, crc INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX alerts_by_time ON alerts (time_ns, id);"
	"CREATE INDEX alerts_by_subject ON alerts (subject_leaf);"
	"CREATE INDEX alerts_unsent ON alerts (id) WHERE state = 1 AND quiet = 1;"
	"CREATE INDEX alerts_that_fire ON alerts (fired_ns, id) WHERE state = 1;"
	"CREATE TABLE outbox ("
	" alert_id TEXT NOT NULL, channel TEXT NOT NULL, revision INTEGER NOT NULL,"
	" state INTEGER NOT NULL, attempts INTEGER NOT NULL, next_ns INTEGER NOT NULL,"
	" changed_ns INTEGER NOT NULL, text TEXT NOT NULL, crc INTEGER NOT NULL,"
	" PRIMARY KEY (alert_id, channel)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX outbox_waiting ON outbox (next_ns, alert_id, channel) WHERE state = 1;"
	"CREATE INDEX outbox_dead ON outbox (alert_id) WHERE state = 3;";

static const char schema_blocks[] =
	"CREATE TABLE blocks ("
	" number INTEGER PRIMARY KEY, about BLOB NOT NULL, spans BLOB NOT NULL,"
	" file_bytes INTEGER NOT NULL, sha256 BLOB NOT NULL, flags INTEGER NOT NULL,"
	" crc INTEGER NOT NULL,"
	" filter_ids BLOB NOT NULL, filter_records BLOB NOT NULL, summary BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE graves (name TEXT PRIMARY KEY, since_ns INTEGER NOT NULL) STRICT, WITHOUT "
	"ROWID;"
	"INSERT OR IGNORE INTO meta VALUES ('blocks.next', x'31');"
	"INSERT OR IGNORE INTO meta VALUES ('next_leaf', x'30');";

/* The log: nodes of its tree, seeds of its salts, hashes of what was removed, what was signed. */
static const char schema_log[] =
	"CREATE TABLE tiles (tile INTEGER PRIMARY KEY, bytes BLOB NOT NULL, crc INTEGER NOT NULL) "
	"STRICT;"
	"CREATE TABLE seeds ("
	" height INTEGER NOT NULL, number INTEGER NOT NULL, seed BLOB NOT NULL,"
	" PRIMARY KEY (height, number)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE stubs ("
	" leaf_group INTEGER NOT NULL, height INTEGER NOT NULL, number INTEGER NOT NULL,"
	" hash BLOB NOT NULL, PRIMARY KEY (leaf_group, height, number)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE checkpoints ("
	" id INTEGER PRIMARY KEY, size INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
	" note TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE anchors ("
	" name TEXT PRIMARY KEY, type TEXT NOT NULL, taken_size INTEGER NOT NULL,"
	" taken_ns INTEGER NOT NULL, known_size INTEGER NOT NULL, failures INTEGER NOT NULL,"
	" next_ns INTEGER NOT NULL, text TEXT NOT NULL, origin TEXT NOT NULL,"
	" crc INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE receipts ("
	" anchor TEXT NOT NULL, size INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, note_sha256 BLOB NOT NULL, bytes BLOB NOT NULL,"
	" crc INTEGER NOT NULL,"
	" PRIMARY KEY (anchor, size)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX receipts_by_size ON receipts (size);";

/* Came later, and may be missing: what it holds follows from the summaries of blocks (store/rollup.h). */
static const char schema_rollups[] =
	"CREATE TABLE IF NOT EXISTS rollups ("
	" level INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" blocks BLOB NOT NULL, crc INTEGER NOT NULL, summary BLOB NOT NULL,"
	" PRIMARY KEY (level, first)"
	") STRICT;";

static const char *const statement_sql[CATALOG_STATEMENT_COUNT] = {
#define ALERTS_SQL(name, sql) [CATALOG_##name] = (sql),
#include "store/alerts.def"
#undef ALERTS_SQL
#define BLOCKS_SQL(name, sql) [CATALOG_##name] = (sql),
#include "store/blocks.def"
#undef BLOCKS_SQL
#define LOG_SQL(name, sql) [CATALOG_LOG_##name] = (sql),
#include "store/log/log.def"
#undef LOG_SQL
	[CATALOG_BEGIN_READ] = "BEGIN",
	[CATALOG_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[CATALOG_COMMIT] = "COMMIT",
	[CATALOG_ROLLBACK] = "ROLLBACK",
	[CATALOG_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[CATALOG_META_PUT] = "INSERT INTO meta VALUES (?1, ?2)"
			     " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	[CATALOG_SOURCE_PUT] = "INSERT OR REPLACE INTO sources VALUES"
			       " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
			       "?15, ?16, ?17, ?18)",
	[CATALOG_SOURCE_LIST] = "SELECT * FROM sources ORDER BY name",
	[CATALOG_HEAD_PUT] = "INSERT INTO head VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
			     "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
	[CATALOG_HEAD_LAST] = "SELECT * FROM head ORDER BY batch DESC LIMIT 1",
	[CATALOG_HEAD_FROM] = "SELECT * FROM head WHERE first_leaf >= ?1 ORDER BY first_leaf",
	[CATALOG_HEAD_AT] =
		"SELECT * FROM head WHERE first_leaf <= ?1 ORDER BY first_leaf DESC LIMIT 1",
};

int catalog_error(const struct catalog *catalog, int rc, const char *what, struct error *err)
{
	const char *said = catalog->db != NULL ? sqlite3_errmsg(catalog->db) : sqlite3_errstr(rc);
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_MISMATCH:
	case SQLITE_ERROR: /* our SQL is fixed: only a damaged schema makes it fail */
	case SQLITE_CONSTRAINT:
		return error_set(err, ERR_CORRUPT, "%s is damaged, or not a store (%s: %s)",
				 catalog->path, what, said);
	case SQLITE_NOMEM:
		return error_set(err, ERR_NOMEM, "no memory while %s in %s", what, catalog->path);
	case SQLITE_TOOBIG:
		return error_set(err, ERR_LIMIT, "too much for %s (%s)", catalog->path, what);
	default:
		break;
	}
	int system = catalog->db != NULL ? sqlite3_system_errno(catalog->db) : 0;
	(void)error_set(err, ERR_IO, "%s failed in %s: %s", what, catalog->path, said);
	if (err != NULL) {
		err->full = (rc & 0xff) == SQLITE_FULL ||
			    ((rc & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT));
	}
	return -ERR_IO;
}

int catalog_prepare(struct catalog *catalog, enum catalog_statement which,
		    sqlite3_stmt **out_statement, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v3(catalog->db, statement_sql[which], -1,
				    SQLITE_PREPARE_PERSISTENT, &statement, NULL);
	if (rc != SQLITE_OK) {
		return catalog_error(catalog, rc, "preparing", err);
	}
	*out_statement = statement;
	return 0;
}

void catalog_finalize_cleanup(sqlite3_stmt **statement)
{
	(void)sqlite3_finalize(*statement); /* repeats the error of the last step, which was told */
}

int catalog_statement(struct catalog *catalog, enum catalog_statement which,
		      sqlite3_stmt **out_statement, struct error *err)
{
	sqlite3_stmt **kept = &catalog->statements[which];
	if (*kept == NULL) {
		int rc = catalog_prepare(catalog, which, kept, err);
		if (rc < 0) {
			return rc;
		}
	}
	(void)sqlite3_reset(*kept); /* repeats the error of the last step, which was told */
	(void)sqlite3_clear_bindings(*kept); /* can't fail */
	*out_statement = *kept;
	return 0;
}

int catalog_done(struct catalog *catalog, sqlite3_stmt *statement, const char *what,
		 struct error *err)
{
	int rc = sqlite3_step(statement);
	if (rc == SQLITE_DONE || rc == SQLITE_ROW) {
		(void)sqlite3_reset(statement); /* the step went well */
		return 0;
	}
	int code = catalog_error(catalog, rc, what, err);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return code;
}

int catalog_run(struct catalog *catalog, enum catalog_statement which, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, which, &statement, err);
	return rc < 0 ? rc : catalog_done(catalog, statement, statement_sql[which], err);
}

static int run_sql(struct catalog *catalog, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(catalog->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : catalog_error(catalog, rc, "setting up", err);
}

/* One integer from a statement such as PRAGMA user_version. */
static int ask_number(struct catalog *catalog, const char *sql, int64_t *out, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(catalog->db, sql, -1, &statement, NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(statement);
	}
	if (rc != SQLITE_ROW) {
		return catalog_error(catalog, rc, "opening", err);
	}
	*out = sqlite3_column_int64(statement, 0);
	return 0;
}

int catalog_shrink(struct catalog *catalog, bool all, struct error *err)
{
	int64_t unused = 0, count = 0;
	char pragma[64];
	int rc = ask_number(catalog, "PRAGMA freelist_count", &unused, err);
	rc = rc < 0 ? rc : ask_number(catalog, "PRAGMA page_count", &count, err);
	if (rc < 0 || unused == 0 || (!all && unused < count / 4)) {
		return rc;
	}
	int len = snprintf(pragma, sizeof pragma, "PRAGMA incremental_vacuum(%lld)",
			   (long long)(all ? unused : unused - count / 8));
	assert(len > 0 && (size_t)len < sizeof pragma);
	return run_sql(catalog, pragma, err);
}

/* Makes the tables. */
static int make_schema(struct catalog *catalog, struct error *err)
{
	/* the first works only while there is no table */
	int rc = run_sql(catalog,
			 "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
			 "BEGIN IMMEDIATE",
			 err);
	if (rc < 0) {
		return rc;
	}
	rc = run_sql(catalog, schema, err);
	rc = rc < 0 ? rc : run_sql(catalog, schema_blocks, err);
	rc = rc < 0 ? rc : run_sql(catalog, schema_log, err);
	if (rc == 0) {
		char pragmas[96];
		int len = snprintf(pragmas, sizeof pragmas,
				   "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
				   CATALOG_APPLICATION_ID, CATALOG_VERSION);
		assert(len > 0 && (size_t)len < sizeof pragmas);
		rc = run_sql(catalog, pragmas, err);
	}
	if (rc < 0) {
		(void)sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL,
				   NULL); /* the first error counts */
	}
	return rc;
}

/* Whether this is our format; makes it when nothing was made yet and that is allowed. */
static int check_format(struct catalog *catalog, enum catalog_mode mode, struct error *err)
{
	int64_t application = 0;
	int64_t version = 0;
	int64_t tables = 0;
	int rc = ask_number(catalog, "PRAGMA application_id", &application, err);
	rc = rc < 0 ? rc : ask_number(catalog, "PRAGMA user_version", &version, err);
	rc = rc < 0 ? rc : ask_number(catalog, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (rc < 0) {
		return rc;
	}
	if (application == 0 && version == 0 && tables == 0) {
		if (mode == CATALOG_CREATE) {
			return make_schema(catalog, err);
		}
		return error_set(err, ERR_CONFIG, "%s is empty: no store was made there yet",
				 catalog->path);
	}
	if (application != CATALOG_APPLICATION_ID) {
		return error_set(err, ERR_CONFIG,
				 "%s is an SQLite file of another program, not a store",
				 catalog->path);
	}
	if (version != CATALOG_VERSION) {
		return error_set(err, ERR_CONFIG,
				 "%s has format version %lld, of %s querytrail; this program reads "
				 "version %d",
				 catalog->path, (long long)version,
				 version < CATALOG_VERSION ? "an older" : "a newer",
				 CATALOG_VERSION);
	}
	return 0;
}

/* Whether there are rollups; a writer makes their table. */
static int check_rollups(struct catalog *catalog, enum catalog_mode mode, struct error *err)
{
	int64_t tables = 0;
	int rc = ask_number(catalog, "SELECT count(*) FROM sqlite_schema WHERE name = 'rollups'",
			    &tables, err);
	if (rc == 0 && tables == 0 && mode != CATALOG_READ) {
		rc = run_sql(catalog, schema_rollups, err);
		tables = 1;
	}
	catalog->has_rollups = tables > 0;
	return rc;
}

static int harden(struct catalog *catalog, struct error *err)
{
	(void)sqlite3_extended_result_codes(catalog->db, 1); /* these only set flags */
	(void)sqlite3_busy_timeout(catalog->db, CATALOG_BUSY_MS);
	(void)sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	/* A reader sees most pages once: a cache that stays in the processor's is quicker than one that takes new memory for each. */
	return run_sql(
		catalog,
		"PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -1024;"
		"PRAGMA temp_store = MEMORY",
		err);
}

static int set_up_writer(struct catalog *catalog, struct error *err)
{
	/* The -wal and -shm files stay behind when the last writer leaves: a reader of another user can't make them. */
	int keep = 1;
	(void)sqlite3_file_control(catalog->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	return run_sql(catalog,
		       "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA "
		       "wal_autocheckpoint = 2000;"
		       "PRAGMA cache_size = -4096;"
		       "PRAGMA journal_size_limit = 67108864",
		       err);
}

/* A file beside catalog.db: "-wal". */
static bool has_companion(const char *path, const char *suffix)
{
	char name[4096];
	int len = snprintf(name, sizeof name, "%s%s", path, suffix);
	struct stat st;
	return len > 0 && (size_t)len < sizeof name && stat(name, &st) == 0;
}

/* file:PATH?immutable=1, with what has a meaning in a URI as %XX. */
static void put_immutable_uri(struct buf *buf, const char *path)
{
	buf_put_text(buf, "file:");
	for (const char *at = path; *at != 0; at++) {
		if (*at == '%' || *at == '?' || *at == '#') {
			buf_putf(buf, "%%%02X", (unsigned)(unsigned char)*at);
		} else {
			buf_put_byte(buf, (uint8_t)*at);
		}
	}
	buf_put_text(buf, "?immutable=1");
}

/* A store on a medium that can't be written to has no -wal: nobody can change it, so it is read as it lies. */
static int reopen_immutable(struct catalog *catalog)
{
	struct buf uri;
	buf_init(&uri, 16384);
	put_immutable_uri(&uri, catalog->path);
	(void)sqlite3_close(catalog->db); /* nothing was prepared on it */
	catalog->db = NULL;
	int rc = uri.failed ? SQLITE_NOMEM
			    : sqlite3_open_v2(uri.ptr, &catalog->db,
					      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	buf_done(&uri);
	return rc;
}

/* A file that was cut off is one that SQLite does not open. With a schema that may be written to (which a reader cannot) it takes what
 * pages there are; those that are missing are damage like any other, told by whoever needs them. */
static int read_damaged(struct catalog *catalog, struct error *err)
{
	struct error ignored;
	(void)sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL); /* a flag */
	if (run_sql(catalog, "PRAGMA writable_schema = ON", &ignored) < 0 ||
	    check_format(catalog, CATALOG_READ, &ignored) < 0) {
		return -ERR_CORRUPT; /* err says what was wrong at first */
	}
	(void)check_rollups(catalog, CATALOG_READ, &ignored); /* then there are none */
	error_clear(err);
	return 0;
}

/* Opens the file; without a -wal that can be made, as it lies. */
static int open_file(struct catalog *catalog, enum catalog_mode mode)
{
	int flags = mode == CATALOG_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	flags |= mode == CATALOG_CREATE ? SQLITE_OPEN_CREATE : 0;
	int rc = sqlite3_open_v2(catalog->path, &catalog->db, flags, NULL);
	if (rc == SQLITE_OK && mode == CATALOG_READ && !has_companion(catalog->path, "-wal")) {
		int tried =
			sqlite3_exec(catalog->db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
		bool no_wal =
			(tried & 0xff) == SQLITE_CANTOPEN || (tried & 0xff) == SQLITE_READONLY;
		rc = no_wal ? reopen_immutable(catalog) : rc;
	}
	return rc;
}

static int open_connection(struct catalog *catalog, enum catalog_mode mode, struct error *err)
{
	int rc = open_file(catalog, mode);
	if (rc != SQLITE_OK) {
		return catalog_error(catalog, rc, "opening", err);
	}
	int code = harden(catalog, err);
	if (code == 0 && mode == CATALOG_CREATE) {
		char pragma[64];
		int len = snprintf(pragma, sizeof pragma, "PRAGMA page_size = %d",
				   CATALOG_PAGE_BYTES);
		assert(len > 0 && (size_t)len < sizeof pragma);
		code = run_sql(catalog, pragma, err);
	}
	code = code < 0 ? code : check_format(catalog, mode, err);
	code = code < 0 ? code : check_rollups(catalog, mode, err);
	if (code == -ERR_CORRUPT && mode == CATALOG_READ) {
		code = read_damaged(catalog, err);
	}
	if (code == 0 && mode != CATALOG_READ) {
		code = set_up_writer(catalog, err);
	}
	return code;
}

/* Makes the empty file with the access that the folder grants; SQLite gives -wal and -shm the same. */
static int make_file(const char *dir, const char *path, struct error *err)
{
	struct stat st;
	if (stat(dir, &st) != 0) {
		return error_errno(err, "%s can't be looked at", dir);
	}
	mode_t mode = (st.st_mode & S_IRGRP) != 0 ? 0640 : 0600;
	IO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode) != 0) {
		return error_errno(err, "%s can't be made", path);
	}
	return 0;
}

/* The file must be there, unless it may be made. */
static int check_presence(const char *dir, const char *path, enum catalog_mode mode,
			  struct error *err)
{
	struct stat st;
	if (stat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode)) {
			return error_set(err, ERR_CONFIG, "%s is not a file, so this is no store",
					 path);
		}
		if (faccessat(AT_FDCWD, path, mode == CATALOG_READ ? R_OK : R_OK | W_OK,
			      AT_EACCESS) != 0) {
			return error_errno(err, "%s can't be opened", path);
		}
		/* SQLite writes to the file before it makes its -wal: an empty one beside a -wal was emptied */
		if (st.st_size == 0 && has_companion(path, "-wal")) {
			return error_set(err, ERR_CORRUPT,
					 "%s is damaged: it is empty, but a store was there", path);
		}
		return 0;
	}
	if (errno != ENOENT && errno != ENOTDIR) {
		return error_errno(err, "%s can't be looked at", path);
	}
	if (mode == CATALOG_CREATE) {
		return make_file(dir, path, err);
	}
	return error_set(err, ERR_CONFIG, "there is no store: %s does not exist", path);
}

int catalog_open(const char *dir, enum catalog_mode mode, struct catalog **out_catalog,
		 struct error *err)
{
	struct catalog *catalog = calloc(1, sizeof *catalog);
	if (catalog == NULL || asprintf(&catalog->path, "%s/%s", dir, CATALOG_FILE) < 0) {
		free(catalog);
		return error_set(err, ERR_NOMEM, "no memory to open the store %s", dir);
	}
	int rc = check_presence(dir, catalog->path, mode, err);
	rc = rc < 0 ? rc : open_connection(catalog, mode, err);
	if (rc < 0) {
		catalog_close(catalog);
		return rc;
	}
	*out_catalog = catalog;
	return 0;
}

void catalog_close(struct catalog *catalog)
{
	if (catalog == NULL) {
		return;
	}
	for (size_t i = 0; i < CATALOG_STATEMENT_COUNT; i++) {
		(void)sqlite3_finalize(catalog->statements[i]); /* repeats an error that was told */
	}
	if (catalog->db != NULL && sqlite3_db_readonly(catalog->db, "main") == 0) {
		/* what readers need of the -wal stays; its room is given back */
		(void)sqlite3_wal_checkpoint_v2(catalog->db, "main", SQLITE_CHECKPOINT_TRUNCATE,
						NULL, NULL);
	}
	int rc = sqlite3_close(catalog->db);
	assert(rc == SQLITE_OK); /* busy would mean that a statement was left open */
	free(catalog->path);
	free(catalog);
}

int catalog_bind_bytes(sqlite3_stmt *statement, int index, struct str bytes)
{
	return sqlite3_bind_blob64(statement, index, bytes.len > 0 ? bytes.ptr : "", bytes.len,
				   SQLITE_STATIC);
}

int catalog_bind_text(sqlite3_stmt *statement, int index, struct str text)
{
	return sqlite3_bind_text64(statement, index, text.len > 0 ? text.ptr : "", text.len,
				   SQLITE_STATIC, SQLITE_UTF8);
}

struct str catalog_column_bytes(sqlite3_stmt *statement, int index)
{
	const void *bytes = sqlite3_column_blob(statement, index);
	int len = sqlite3_column_bytes(statement, index);
	return str_make(bytes, bytes != NULL && len > 0 ? (size_t)len : 0);
}

int catalog_meta_get(struct catalog *catalog, const char *key, struct buf *out, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_META_GET, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)catalog_bind_text(statement, 1, str_of(key)); /* a failure shows as no row */
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		buf_put_str(out, catalog_column_bytes(statement, 0));
		rc = buf_check(out, "a setting of the store", err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s has no setting %s", catalog->path, key);
	} else {
		rc = catalog_error(catalog, step, "reading a setting", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

int catalog_meta_put(struct catalog *catalog, const char *key, struct str value, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_META_PUT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	if (catalog_bind_text(statement, 1, str_of(key)) != SQLITE_OK ||
	    catalog_bind_bytes(statement, 2, value) != SQLITE_OK) {
		return error_set(err, ERR_NOMEM, "no memory to keep the setting %s", key);
	}
	return catalog_done(catalog, statement, "keeping a setting", err);
}
