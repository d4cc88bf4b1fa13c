/* auditquery - the SQL that the sqlserver source sends, all of it.
 *
 * Shape:   each text is the first parameter of sp_executesql; what varies goes in bound parameters (@p pattern, @f file, @o offset,
 *          @n row limit, @a audit, @b base name). Only column names that the server itself gave are put into a text, in brackets.
 * Text columns are asked for as varbinary: FreeTDS would lose lone surrogates at the edge of a split statement, and what is
 *          stored must be what was audited.
 * Limits:  AUDITQUERY_TEXT_MAX bytes of text: one RPC parameter of nvarchar(4000).
 * Threads: pure. Blocking: never.
 * Source:  Microsoft "sys.fn_get_audit_file", "sys.dm_server_audit_status", "sys.server_file_audits"; Amazon RDS guide, "SQL Server
 *          Audit". Tests: tests/unit/auditquery.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITQUERY_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITQUERY_H

#include "base/buf.h"

#include <stdint.h>

#define AUDITQUERY_TEXT_MAX 4000

enum auditquery_adapter {
	AUDITQUERY_FN_GET_AUDIT_FILE, /* sys.fn_get_audit_file */
	AUDITQUERY_RDS,               /* msdb.dbo.rds_fn_get_audit_file */
};

/* How a column of the audit function is asked for and arrives. */
enum auditquery_shape {
	AUDITQUERY_INT,       /* tinyint to bigint */
	AUDITQUERY_BIT,       /* bit */
	AUDITQUERY_TIME,      /* datetime2 */
	AUDITQUERY_BINARY,    /* varbinary */
	AUDITQUERY_GUID,      /* uniqueidentifier */
	AUDITQUERY_WIDE_TEXT, /* nvarchar: CAST(c AS varbinary(8000)), UTF-16LE */
	AUDITQUERY_TEXT,      /* anything else: the same behind CAST(c AS nvarchar(4000)) */
};

struct auditquery_column {
	char name[132]; /* UTF-8 */
	enum auditquery_shape shape;
};

/* Columns of the audit function without reading a row. Parameter: @p. */
const char *auditquery_columns(enum auditquery_adapter adapter);

struct auditquery_read {
	enum auditquery_adapter adapter;
	const struct auditquery_column *columns;
	size_t column_count;
	bool from_start; /* else behind @o in @f */
};

/* Appends the text that reads rows, with the columns in their order: @n, @p and, unless from_start, @f and @o.
 * Returns 0, or ERR_LIMIT when the text passes AUDITQUERY_TEXT_MAX; then out is as before. */
int auditquery_rows(const struct auditquery_read *read, struct buf *out, struct error *err);

/* The first file behind @f and @o that is not the one of base name @b, matching @p: one row file_name, or none. */
const char *auditquery_next_file(enum auditquery_adapter adapter);

/* Every file that matches @p: rows file_name. Reads all of them. */
const char *auditquery_list_files(enum auditquery_adapter adapter);

/* The first file that matches @p, as the server enumerates them: one row file_name. */
const char *auditquery_first_file(enum auditquery_adapter adapter);

/* Audits that write files, named @a unless that is NULL: rows name, status_desc, audit_file_path. */
const char *auditquery_status(void);

/* Settings of such audits: rows name, log_file_path, log_file_name, queue_delay, on_failure_desc. */
const char *auditquery_settings(void);

/* The server's clock (UTC), name and version: one row. Needs no right. */
const char *auditquery_server(void);

/* Whether the function's column of this name is nvarchar in all releases, so that one CAST is exact. */
bool auditquery_is_wide(struct str column);

#endif
