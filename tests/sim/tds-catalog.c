#include "tests/sim/tds-table.h"

#define AUDIT_ID 65536

struct view {
	const char *name;
	const struct tds_column *column;
	size_t column_count;
	/* Fills the cells of all rows; returns how many rows, at most most_rows. */
	size_t (*fill)(struct tds_table *table, struct tds_scope *scope, struct tds_value *cell);
	size_t most_rows;
};

#define COLUMN(column_name, ...)                                                        \
	{                                                                               \
		.name = {column_name, sizeof(column_name) - 1}, .type = { __VA_ARGS__ } \
	}

static const struct tds_column status_columns[] = {
	COLUMN("audit_id", TDS_INT, 4),
	COLUMN("name", TDS_NVARCHAR, 128),
	COLUMN("status", TDS_INT, 2),
	COLUMN("status_desc", TDS_NVARCHAR, 60),
	COLUMN("status_time", TDS_DATETIME2, 0),
	COLUMN("event_session_address", TDS_VARBINARY, 8),
	COLUMN("audit_file_path", TDS_NVARCHAR, 260),
	COLUMN("audit_file_size", TDS_INT, 8),
};

/* sys.server_audits has all but the last six. */
static const struct tds_column file_audit_columns[] = {
	COLUMN("audit_id", TDS_INT, 4),
	COLUMN("name", TDS_NVARCHAR, 128),
	COLUMN("audit_guid", TDS_GUID, 0),
	COLUMN("create_date", TDS_DATETIME2, 0),
	COLUMN("modify_date", TDS_DATETIME2, 0),
	COLUMN("principal_id", TDS_INT, 4),
	COLUMN("type", TDS_VARCHAR, 2),
	COLUMN("type_desc", TDS_NVARCHAR, 60),
	COLUMN("on_failure", TDS_INT, 1),
	COLUMN("on_failure_desc", TDS_NVARCHAR, 60),
	COLUMN("is_state_enabled", TDS_BIT, 0),
	COLUMN("queue_delay", TDS_INT, 4),
	COLUMN("predicate", TDS_NVARCHAR, 3000),
	COLUMN("max_file_size", TDS_INT, 8),
	COLUMN("max_rollover_files", TDS_INT, 4),
	COLUMN("max_files", TDS_INT, 4),
	COLUMN("reserve_disk_space", TDS_BIT, 0),
	COLUMN("log_file_path", TDS_NVARCHAR, 260),
	COLUMN("log_file_name", TDS_NVARCHAR, 260),
};

static const struct tds_column action_columns[] = {
	COLUMN("action_id", TDS_VARCHAR, 4),
	COLUMN("name", TDS_NVARCHAR, 128),
	COLUMN("class_desc", TDS_NVARCHAR, 35),
	COLUMN("covering_action_name", TDS_NVARCHAR, 128),
	COLUMN("parent_class_desc", TDS_NVARCHAR, 35),
	COLUMN("covering_parent_action_name", TDS_NVARCHAR, 128),
	COLUMN("configuration_level", TDS_NVARCHAR, 10),
	COLUMN("containing_group_name", TDS_NVARCHAR, 128),
	COLUMN("action_in_log", TDS_BIT, 0),
};

static const struct tds_column class_columns[] = {
	COLUMN("class_type", TDS_VARCHAR, 2),
	COLUMN("class_type_desc", TDS_NVARCHAR, 35),
	COLUMN("securable_class_desc", TDS_NVARCHAR, 35),
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct tds_value text(const char *constant)
{
	return constant != NULL ? tds_text(TDS_NVARCHAR, str_of(constant)) : tds_null(TDS_NVARCHAR);
}

static int64_t first_time(const struct tds_service *service)
{
	return service->row_count > 0 ? tds_ticks(service->row[0].time_ns) : 0;
}

/* Bytes written of the current file: up to the end of its last visible buffer. */
static int64_t written_bytes(const struct tds_table *table, uint32_t index)
{
	const struct world_file *file = &table->service->file[index];
	for (uint32_t i = 0; i < file->row_count; i++) {
		const struct world_row *row = &table->service->row[file->first_row + i];
		if (row->visible_ns > table->now_ns) {
			return row->offset;
		}
	}
	return file->size_bytes;
}

static size_t fill_status(struct tds_table *table, struct tds_scope *scope, struct tds_value *cell)
{
	struct tds_service *service = table->service;
	uint32_t current = tds_service_current(service, table->now_ns);
	struct buf path __attribute__((cleanup(buf_done)));
	buf_init(&path, 0);
	if (service->file_count > 0) {
		tds_service_put_path(service, current, TDS_FILE_PRESENT, &path);
	}
	struct tds_value row[] = {
		tds_number(TDS_INT, AUDIT_ID),
		tds_text(TDS_NVARCHAR, world_audit(service->options.world)),
		tds_number(TDS_INT, 1),
		text("STARTED"),
		tds_number(TDS_DATETIME2, first_time(service)),
		tds_text(TDS_VARBINARY, STR_LIT("\0\0\0\0\1\2\3\4")),
		tds_text(TDS_NVARCHAR, tds_keep(scope, scope->arena, buf_str(&path))),
		tds_number(TDS_INT, service->file_count > 0 ? written_bytes(table, current) : 0),
	};
	memcpy(cell, row, sizeof(row));
	return 1;
}

static size_t fill_file_audits(struct tds_table *table, struct tds_scope *scope,
			       struct tds_value *cell)
{
	struct tds_service *service = table->service;
	struct str audit = world_audit(service->options.world);
	struct buf folder __attribute__((cleanup(buf_done)));
	struct buf name __attribute__((cleanup(buf_done)));
	buf_init(&folder, 0);
	buf_init(&name, 0);
	tds_service_put_folder(service, &folder);
	buf_put_str(&name, audit);
	buf_put_text(&name, "_B4D1C0DE-0000-4000-8000-51A2B3C4D5E6.sqlaudit");
	int64_t born = first_time(service);
	struct tds_value row[] = {
		tds_number(TDS_INT, AUDIT_ID),
		tds_text(TDS_NVARCHAR, audit),
		tds_text(TDS_GUID,
			 STR_LIT("\xde\xc0\xd1\xb4\0\0\0\x40\x80\0\x51\xa2\xb3\xc4\xd5\xe6")),
		tds_number(TDS_DATETIME2, born),
		tds_number(TDS_DATETIME2, born),
		tds_number(TDS_INT, 1),
		tds_text(TDS_VARCHAR, STR_LIT("FL")),
		text("FILE"),
		tds_number(TDS_INT, 0),
		text("CONTINUE"),
		tds_number(TDS_BIT, 1),
		tds_number(TDS_INT, service->options.queue_delay_ms),
		text(NULL),
		tds_number(TDS_INT, 100),
		tds_number(TDS_INT, INT32_MAX),
		tds_number(TDS_INT, 0),
		tds_number(TDS_BIT, 0),
		tds_text(TDS_NVARCHAR, tds_keep(scope, scope->arena, buf_str(&folder))),
		tds_text(TDS_NVARCHAR, tds_keep(scope, scope->arena, buf_str(&name))),
	};
	memcpy(cell, row, table->rows.column_count * sizeof(*row));
	return 1;
}

/* What dm_audit_actions says of the actions that the world logs. */
static const struct {
	const char *id, *name, *class_desc, *level, *group;
} actions[] = {
	{"SL  ", "SELECT", "OBJECT", "Database", "SCHEMA_OBJECT_ACCESS_GROUP"},
	{"IN  ", "INSERT", "OBJECT", "Database", "SCHEMA_OBJECT_ACCESS_GROUP"},
	{"UP  ", "UPDATE", "OBJECT", "Database", "SCHEMA_OBJECT_ACCESS_GROUP"},
	{"DL  ", "DELETE", "OBJECT", "Database", "SCHEMA_OBJECT_ACCESS_GROUP"},
	{"EX  ", "EXECUTE", "OBJECT", "Database", "SCHEMA_OBJECT_ACCESS_GROUP"},
	{"BCM ", "BATCH COMPLETED", "DATABASE", NULL, "BATCH_COMPLETED_GROUP"},
	{"RCM ", "RPC COMPLETED", "DATABASE", NULL, "BATCH_COMPLETED_GROUP"},
	{"LGIS", "LOGIN SUCCEEDED", "LOGIN", NULL, "SUCCESSFUL_LOGIN_GROUP"},
	{"LGIF", "LOGIN FAILED", "LOGIN", NULL, "FAILED_LOGIN_GROUP"},
	{"LGO ", "LOGOUT", "LOGIN", NULL, "LOGOUT_GROUP"},
	{"UDAU", "USER DEFINED AUDIT", "SERVER", NULL, "USER_DEFINED_AUDIT_GROUP"},
	{"AUSC", "AUDIT SESSION CHANGED", "SERVER AUDIT", NULL, "AUDIT_CHANGE_GROUP"},
	{"CR  ", "CREATE", "DATABASE", NULL, "DATABASE_CHANGE_GROUP"},
	{"AL  ", "ALTER", "OBJECT", NULL, "SCHEMA_OBJECT_CHANGE_GROUP"},
	{"DR  ", "DROP", "OBJECT", NULL, "SCHEMA_OBJECT_CHANGE_GROUP"},
	{"G   ", "GRANT", "OBJECT", NULL, "SCHEMA_OBJECT_PERMISSION_CHANGE_GROUP"},
	{"APRL", "ADD MEMBER", "DATABASE ROLE", NULL, "DATABASE_ROLE_MEMBER_CHANGE_GROUP"},
};

static const struct {
	const char *type, *desc, *securable;
} classes[] = {
	{"A ", "SERVER AUDIT", "SERVER"}, {"DB", "DATABASE", "DATABASE"},
	{"LX", "LOGIN", "LOGIN"},         {"P ", "STORED PROCEDURE", "OBJECT"},
	{"RL", "ROLE", "ROLE"},           {"SC", "SCHEMA", "SCHEMA"},
	{"SR", "SERVER", "SERVER"},       {"U ", "TABLE", "OBJECT"},
	{"US", "USER", "USER"},           {"V ", "VIEW", "OBJECT"},
};

static size_t fill_actions(struct tds_table *table, struct tds_scope *scope, struct tds_value *cell)
{
	(void)table;
	(void)scope;
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		struct tds_value row[] = {
			tds_text(TDS_VARCHAR, str_of(actions[i].id)),
			text(actions[i].name),
			text(actions[i].class_desc),
			text(NULL),
			text(NULL),
			text(NULL),
			text(actions[i].level),
			text(actions[i].group),
			tds_number(TDS_BIT, 1),
		};
		memcpy(cell + i * COUNT_OF(row), row, sizeof(row));
	}
	return COUNT_OF(actions);
}

static size_t fill_classes(struct tds_table *table, struct tds_scope *scope, struct tds_value *cell)
{
	(void)table;
	(void)scope;
	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		cell[3 * i] = tds_text(TDS_VARCHAR, str_of(classes[i].type));
		cell[3 * i + 1] = text(classes[i].desc);
		cell[3 * i + 2] = text(classes[i].securable);
	}
	return COUNT_OF(classes);
}

static const struct view views[] = {
	{"dm_server_audit_status", status_columns, COUNT_OF(status_columns), fill_status, 1},
	{"server_audits", file_audit_columns, COUNT_OF(file_audit_columns) - 6, fill_file_audits,
	 1},
	{"server_file_audits", file_audit_columns, COUNT_OF(file_audit_columns), fill_file_audits,
	 1},
	{"dm_audit_actions", action_columns, COUNT_OF(action_columns), fill_actions,
	 COUNT_OF(actions)},
	{"dm_audit_class_type_map", class_columns, COUNT_OF(class_columns), fill_classes,
	 COUNT_OF(classes)},
};

static void catalog_get(const void *owner, size_t column, struct arena *scratch,
			struct tds_value *out)
{
	const struct tds_table *table = owner;
	(void)scratch;
	*out = table->cell[(table->row - 1) * table->rows.column_count + column];
}

bool tds_catalog_find(struct tds_table *table, struct str name, struct tds_scope *scope)
{
	for (size_t i = 0; i < COUNT_OF(views); i++) {
		const struct view *view = &views[i];
		if (!str_equal_fold(name, str_of(view->name))) {
			continue;
		}
		struct tds_value *cell = arena_calloc(
			scope->arena, view->most_rows * view->column_count, sizeof(*cell));
		table->rows.column = view->column;
		table->rows.column_count = view->column_count;
		table->rows.get = catalog_get;
		table->rows.owner = table;
		table->cell = cell;
		table->row_count = cell != NULL ? view->fill(table, scope, cell) : 0;
		return cell != NULL;
	}
	return false;
}
