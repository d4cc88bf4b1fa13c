#include "correlator/rules/auditevent.h"

#include "base/clock.h"

struct line {
	const char *column;
	unsigned field;    /* 0: told by `fixed` */
	const char *fixed; /* what stands there when the record has no value */
};

static const struct line lines[] = {
	{"sequence_number:", FIELD_sequence, "1"},
	{"action_id:", FIELD_action, ""},
	{"succeeded:", FIELD_succeeded, "true"},
	{"is_column_permission:", 0, "false"},
	{"session_id:", FIELD_session_id, "0"},
	{"object_id:", FIELD_object_id, "0"},
	{"user_defined_event_id:", FIELD_user_defined_event_id, "0"},
	{"transaction_id:", FIELD_transaction_id, "0"},
	{"class_type:", FIELD_class, ""},
	{"duration_milliseconds:", FIELD_duration_ms, "0"},
	{"response_rows:", FIELD_rows, "0"},
	{"affected_rows:", FIELD_rows, "0"},
	{"client_ip:", FIELD_client_ip, ""},
	{"sequence_group_id:", FIELD_sequence_group_id, ""},
	{"session_server_principal_name:", FIELD_session_principal, ""},
	{"server_principal_name:", FIELD_principal, ""},
	{"database_principal_name:", FIELD_db_user, ""},
	{"server_instance_name:", FIELD_server, ""},
	{"database_name:", FIELD_database, ""},
	{"schema_name:", FIELD_schema, ""},
	{"object_name:", FIELD_object, ""},
	{"statement:", FIELD_statement, ""},
	{"additional_information:", FIELD_additional_information, ""},
	{"user_defined_information:", FIELD_user_defined_information, ""},
	{"application_name:", FIELD_application, ""},
	{"connection_id:", FIELD_connection_id, ""},
	{"host_name:", FIELD_host, ""},
};

static void put_value(const struct record *record, const struct line *line, struct buf *out)
{
	if (line->field == 0 || !record_has(record, line->field)) {
		buf_put_text(out, line->fixed);
		return;
	}
	switch (field_info(line->field)->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		buf_put_str(out, record->value[line->field].text);
		break;
	case FIELD_TYPE_BOOL:
		buf_put_text(out, record->value[line->field].number != 0 ? "true" : "false");
		break;
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		buf_put_i64(out, record->value[line->field].number);
		break;
	}
}

void auditevent_put_row(const struct record *statement, struct buf *out)
{
	size_t start;

	buf_put_text(out, "Audit event: audit_schema_version:1\nevent_time:");
	start = out->len;
	clock_put_rfc3339(out, statement->time_ns, 7);
	if (!out->failed && out->len >= start + 20) { /* 2026-11-22 10:00:00.1234567 */
		out->ptr[start + 10] = ' ';
		buf_truncate(out, out->len - 1);
	}
	buf_put_byte(out, '\n');
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_put_text(out, lines[i].column);
		put_value(statement, &lines[i], out);
		buf_put_byte(out, '\n');
	}
}

bool auditevent_is_failed_login(const struct record *statement)
{
	struct str action = record_text(statement, FIELD_action);

	return str_is(action, "LGIF") || str_is(action, "DBAF");
}

void auditevent_put_login(const struct record *statement, struct buf *out)
{
	struct str text = record_text(statement, FIELD_statement);
	struct str client = record_text(statement, FIELD_client_ip);
	struct str login = record_text(statement, record_has(statement, FIELD_principal)
							  ? FIELD_principal
							  : FIELD_session_principal);

	if (str_has_prefix(text, STR_LIT("Login failed for user"))) {
		buf_put_str(out, text); /* the server's own words */
		if (str_find(text, STR_LIT("[CLIENT:"), 0) >= 0) {
			return;
		}
	} else {
		buf_put_text(out, "Login failed for user '");
		buf_put_str(out, login);
		buf_put_text(out, "'.");
	}
	buf_put_text(out, " [CLIENT: ");
	if (str_is(client, "local machine")) {
		buf_put_text(out, "<local machine>");
	} else if (client.len == 0) {
		buf_put_text(out, "<unknown>");
	} else {
		buf_put_str(out, client);
	}
	buf_put_byte(out, ']');
}
