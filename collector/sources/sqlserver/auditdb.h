/* auditdb - what the reader asks of a SQL Server: rows of audit files, names of audit files, and how the audit is set up.
 *
 * A port: auditserver.c answers over TDS, tests answer from a script. One read may be open at a time; any other call ends it.
 *
 * Errors, of every call: ERR_AGAIN (away, time-out, closed in the middle), ERR_AUTH (login or right refused), ERR_CONFIG
 *          (certificate, database, function missing), ERR_INPUT, ERR_NOMEM, ERR_LIMIT, and where said
 *          ERR_GONE    messages 33224 and 33225: the pattern matches nothing, or file and offset are valid no longer
 * Life:    texts given out live in the arena. Threads: one. Blocking: until the deadline given to begin.
 * Tests:   tests/unit/auditreader.c has the scripted one
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITDB_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITDB_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/auditrow/auditrow.h"

struct auditdb_range {
	struct str
		pattern; /* an exact path: a pattern opens every file, and pins the oldest against deletion */
	struct str file; /* the path to begin in; empty: at the beginning of pattern */
	int64_t offset;  /* begin in the buffer behind the one at this offset */
	uint64_t row_limit;
};

enum auditdb_item_kind {
	AUDITDB_END,
	AUDITDB_ROW,     /* row is filled */
	AUDITDB_BAD_ROW, /* reason says why it could not be converted; raw is what came */
	AUDITDB_SKIPPED, /* message 33226: the server left records out; reason is its text */
	AUDITDB_TOLD,    /* another message without an error; reason is its text */
};

struct auditdb_item {
	enum auditdb_item_kind kind;
	struct auditrow row; /* with texts in the arena; line and key not set */
	struct str reason;
	struct str raw;
};

struct auditdb_status {       /* sys.dm_server_audit_status */
	unsigned audit_count; /* that write files and have the name asked for */
	struct str names;     /* theirs, separated by ", " */
	struct str state;     /* STARTED, RUNTIME_FAIL, ...: of the last one */
	struct str path;      /* of the file that it writes now; empty when unknown */
};

struct auditdb_settings { /* sys.server_file_audits */
	unsigned audit_count;
	struct str folder, file_name; /* file_name: <audit>_<GUID>.sqlaudit */
	int64_t queue_delay_ns;
	struct str on_failure; /* CONTINUE, FAIL_OPERATION, SHUTDOWN SERVER INSTANCE */
};

struct auditdb_server {
	int64_t now_ns;                /* the server's clock, while it answered */
	int64_t asked_ns, answered_ns; /* our clock before and after */
	struct str name, version;
};

struct auditdb {
	void *owner;
	/* Connects when there is no connection; all calls until the next begin must be over by deadline_ns (monotonic). */
	int (*begin)(void *owner, int64_t deadline_ns, struct error *err);
	/* Starts to read rows in the order of the files. Also ERR_GONE. */
	int (*read)(void *owner, const struct auditdb_range *range, struct error *err);
	/* The next of it. After an error or AUDITDB_END the read is over. Also ERR_GONE. */
	int (*next)(void *owner, struct arena *arena, struct auditdb_item *out, struct error *err);
	/* Ends a read before its end. */
	void (*stop)(void *owner);
	/* Appends the name of the first file behind (file, offset) other than file, as the server gives it; nothing when there
	 * is none. Also ERR_GONE. */
	int (*next_file)(void *owner, const struct auditdb_range *range, struct str base_name,
			 struct buf *out, struct error *err);
	/* Appends the names of all files that match, each ended by NUL; nothing when there is none. */
	int (*list_files)(void *owner, struct str pattern, struct buf *out, struct error *err);
	/* Appends the name of the first file that matches; nothing when there is none. */
	int (*first_file)(void *owner, struct str pattern, struct buf *out, struct error *err);
	/* Metadata; audit may be empty. ERR_AUTH when the login may not see it, ERR_CONFIG when the server has no such view. */
	int (*status)(void *owner, struct str audit, struct arena *arena,
		      struct auditdb_status *out, struct error *err);
	int (*settings)(void *owner, struct str audit, struct arena *arena,
			struct auditdb_settings *out, struct error *err);
	int (*server)(void *owner, struct arena *arena, struct auditdb_server *out,
		      struct error *err);
};

#endif
