#include "tests/sim/tds-table.h"

static void refuse_right(struct tds_scope *scope, struct str right)
{
	tds_scope_fail(scope, 300, 14,
		       "%.*s permission was denied on object 'server', database 'master'.", right);
}

static bool denied(struct tds_scope *scope, struct tds_service *service, struct str object,
		   bool audit)
{
	if (!tds_faults_denies(&service->faults, object)) {
		return false;
	}
	bool modern = service->options.release >= 2022;
	struct str right =
		audit ? (modern ? STR_LIT("VIEW SERVER SECURITY AUDIT") : STR_LIT("CONTROL SERVER"))
		      : (modern ? STR_LIT("VIEW SERVER SECURITY STATE")
				: STR_LIT("VIEW SERVER STATE"));
	refuse_right(scope, right);
	return true;
}

/* Whether it is the audit function; *out_forbidden when it is the one that nobody may use on RDS. */
static bool is_audit_function(const struct tds_service *service, const struct tds_from *from,
			      struct str database, bool *out_forbidden)
{
	struct str place = from->database.len != 0 ? from->database : database;
	bool own = str_equal_fold(from->object, STR_LIT("fn_get_audit_file")) &&
		   str_equal_fold(from->schema, STR_LIT("sys"));
	bool rds = service->options.rds && str_equal_fold(place, STR_LIT("msdb")) &&
		   str_equal_fold(from->object, STR_LIT("rds_fn_get_audit_file")) &&
		   str_equal_fold(from->schema, STR_LIT("dbo"));
	*out_forbidden = own && service->options.rds;
	return from->function && (own || rds);
}

bool tds_table_find(struct tds_service *service, const struct tds_from *from,
		    struct tds_scope *scope, struct tds_table *out)
{
	struct str database = scope->facts->database;
	*out = (struct tds_table){
		.service = service, .now_ns = scope->facts->now_ns, .arena = scope->arena};
	out->rows.name = from->object;
	out->rows.alias = from->alias;
	bool forbidden;
	if (is_audit_function(service, from, database, &forbidden)) {
		if (forbidden) {
			refuse_right(scope, STR_LIT("CONTROL SERVER"));
			return false;
		}
		tds_audit_find(out);
		return !denied(scope, service, from->object, true);
	}
	if (!from->function && str_equal_fold(from->schema, STR_LIT("sys"))) {
		if (denied(scope, service, from->object, false)) {
			return false;
		}
		if (tds_catalog_find(out, from->object, scope)) {
			return true;
		}
	}
	struct buf name __attribute__((cleanup(buf_done)));
	buf_init(&name, 0);
	if (from->database.len != 0) {
		buf_put_str(&name, from->database);
		buf_put_byte(&name, '.');
	}
	if (from->schema.len != 0) {
		buf_put_str(&name, from->schema);
		buf_put_byte(&name, '.');
	}
	buf_put_str(&name, from->object);
	tds_scope_fail(scope, 208, 16, "Invalid object name '%.*s'.", buf_str(&name));
	return false;
}

bool tds_table_open(struct tds_table *table, const struct tds_value *argument,
		    struct tds_scope *scope)
{
	return table->is_audit ? tds_audit_open(table, argument, scope) : true;
}

bool tds_table_next(struct tds_table *table)
{
	if (table->is_audit) {
		return tds_audit_next(table);
	}
	table->row++;
	return table->row <= table->row_count;
}
