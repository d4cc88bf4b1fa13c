#include "collector/sources/sqlserver/auditquery.h"

#define AUDIT_FILE "sys.fn_get_audit_file"
#define RDS_FILE   "msdb.dbo.rds_fn_get_audit_file"

/* A text for each adapter: the function's name is the only difference. */
#define BOTH(head, tail)                                 \
	{                                                \
		head AUDIT_FILE tail, head RDS_FILE tail \
	}

static const char *const columns_text[] = BOTH("SELECT TOP (0) * FROM ", "(@p, default, default)");
static const char *const next_text[] = BOTH("SELECT TOP (1) file_name FROM ",
					    "(@p, @f, @o) WHERE RIGHT(file_name, LEN(@b)) <> @b");
static const char *const list_text[] =
	BOTH("SELECT DISTINCT file_name FROM ", "(@p, default, default)");
static const char *const first_text[] =
	BOTH("SELECT TOP (1) file_name FROM ", "(@p, default, default)");

/* nvarchar or sysname in every release since 2008; all others are cast to nvarchar first, which also serves varchar. */
static const char *const wide_columns[] = {
	"session_server_principal_name",
	"server_principal_name",
	"database_principal_name",
	"target_server_principal_name",
	"target_database_principal_name",
	"server_instance_name",
	"database_name",
	"schema_name",
	"object_name",
	"statement",
	"additional_information",
	"user_defined_information",
	"client_ip",
	"application_name",
	"host_name",
	"data_sensitivity_information",
	"session_context",
};

bool auditquery_is_wide(struct str column)
{
	for (size_t i = 0; i < sizeof(wide_columns) / sizeof(wide_columns[0]); i++) {
		if (str_equal_fold(column, str_of(wide_columns[i]))) {
			return true;
		}
	}
	return false;
}

const char *auditquery_columns(enum auditquery_adapter adapter)
{
	return columns_text[adapter];
}

const char *auditquery_next_file(enum auditquery_adapter adapter)
{
	return next_text[adapter];
}

const char *auditquery_list_files(enum auditquery_adapter adapter)
{
	return list_text[adapter];
}

const char *auditquery_first_file(enum auditquery_adapter adapter)
{
	return first_text[adapter];
}

const char *auditquery_status(void)
{
	return "SELECT name, status_desc, audit_file_path FROM sys.dm_server_audit_status "
	       "WHERE audit_file_path IS NOT NULL AND (@a IS NULL OR name = @a)";
}

const char *auditquery_settings(void)
{
	return "SELECT name, log_file_path, log_file_name, queue_delay, on_failure_desc "
	       "FROM sys.server_file_audits WHERE @a IS NULL OR name = @a";
}

const char *auditquery_server(void)
{
	return "SELECT SYSUTCDATETIME() AS now, CAST(@@SERVERNAME AS nvarchar(128)) AS name, "
	       "CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version";
}

/* [name], with ] doubled, as QUOTENAME does. */
static void put_identifier(struct buf *out, const char *name)
{
	buf_put_byte(out, '[');
	for (const char *c = name; *c != '\0'; c++) {
		if (*c == ']') {
			buf_put_byte(out, ']');
		}
		buf_put_byte(out, (uint8_t)*c);
	}
	buf_put_byte(out, ']');
}

static void put_column(struct buf *out, const struct auditquery_column *column)
{
	switch (column->shape) {
	case AUDITQUERY_INT:
	case AUDITQUERY_BIT:
	case AUDITQUERY_TIME:
	case AUDITQUERY_BINARY:
	case AUDITQUERY_GUID:
		put_identifier(out, column->name);
		return;
	case AUDITQUERY_WIDE_TEXT:
		buf_put_text(out, "CAST(");
		put_identifier(out, column->name);
		buf_put_text(out, " AS varbinary(8000))");
		return;
	case AUDITQUERY_TEXT:
		buf_put_text(out, "CAST(CAST(");
		put_identifier(out, column->name);
		buf_put_text(out, " AS nvarchar(4000)) AS varbinary(8000))");
		return;
	}
}

int auditquery_rows(const struct auditquery_read *read, struct buf *out, struct error *err)
{
	size_t begin = out->len;
	buf_put_text(out, "SELECT TOP (@n) ");
	for (size_t i = 0; i < read->column_count; i++) {
		if (i > 0) {
			buf_put_text(out, ", ");
		}
		put_column(out, &read->columns[i]);
	}
	buf_put_text(out,
		     read->adapter == AUDITQUERY_RDS ? " FROM " RDS_FILE : " FROM " AUDIT_FILE);
	buf_put_text(out, read->from_start ? "(@p, default, default)" : "(@p, @f, @o)");
	if (out->failed || out->len - begin > AUDITQUERY_TEXT_MAX) {
		size_t len = out->len - begin;
		buf_truncate(out, begin);
		return error_set(err, ERR_LIMIT,
				 "the audit function has %zu columns, the query for them %zu "
				 "bytes; at most %d are possible",
				 read->column_count, len, AUDITQUERY_TEXT_MAX);
	}
	return 0;
}
