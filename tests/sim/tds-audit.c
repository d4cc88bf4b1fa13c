#include "tests/sim/tds-table.h"

#include <stddef.h>

#define COLUMNS_MAX 64

enum source { /* where a column's value is found in struct world_row */
	      FROM_NULL,
	      FROM_ZERO,
	      FROM_ONE,
	      FROM_EMPTY,
	      FROM_TIME,
	      FROM_TEXT,   /* struct str */
	      FROM_FILLED, /* the same, NULL when empty */
	      FROM_PADDED, /* the same, padded to the column's length */
	      FROM_INT,    /* int32_t */
	      FROM_LONG,   /* int64_t */
	      FROM_BOOL,
	      FROM_BYTES, /* uint8_t[16] */
	      FROM_GUID,  /* the same, as the text has them: the wire has another order */
	      FROM_SID,   /* made from the principal's name */
	      FROM_FILE,
};

struct audit_column {
	const char *name;
	int release; /* the first that has it */
	struct tds_type type;
	enum source source;
	size_t offset;
};

#define FIELD_AT(field) offsetof(struct world_row, field)

static const struct audit_column known[] = {
	{"event_time", 2008, {TDS_DATETIME2, 0}, FROM_TIME, 0},
	{"sequence_number", 2008, {TDS_INT, 4}, FROM_INT, FIELD_AT(sequence)},
	{"action_id", 2008, {TDS_VARCHAR, 4}, FROM_PADDED, FIELD_AT(action_id)},
	{"succeeded", 2008, {TDS_BIT, 0}, FROM_BOOL, FIELD_AT(succeeded)},
	{"permission_bitmask", 2008, {TDS_VARBINARY, 16}, FROM_ZERO, 0},
	{"is_column_permission", 2008, {TDS_BIT, 0}, FROM_ZERO, 0},
	{"session_id", 2008, {TDS_INT, 2}, FROM_INT, FIELD_AT(session_id)},
	{"server_principal_id", 2008, {TDS_INT, 4}, FROM_ONE, 0},
	{"database_principal_id", 2008, {TDS_INT, 4}, FROM_ONE, 0},
	{"target_server_principal_id", 2008, {TDS_INT, 4}, FROM_ZERO, 0},
	{"target_database_principal_id", 2008, {TDS_INT, 4}, FROM_ZERO, 0},
	{"object_id", 2008, {TDS_INT, 4}, FROM_INT, FIELD_AT(object_id)},
	{"class_type", 2008, {TDS_VARCHAR, 2}, FROM_PADDED, FIELD_AT(class_type)},
	{"session_server_principal_name",
	 2008,
	 {TDS_NVARCHAR, 128},
	 FROM_TEXT,
	 FIELD_AT(session_principal)},
	{"server_principal_name", 2008, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(principal)},
	{"server_principal_sid", 2008, {TDS_VARBINARY, 85}, FROM_SID, 0},
	{"database_principal_name", 2008, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(db_user)},
	{"target_server_principal_name", 2008, {TDS_NVARCHAR, 128}, FROM_NULL, 0},
	{"target_server_principal_sid", 2008, {TDS_VARBINARY, 85}, FROM_NULL, 0},
	{"target_database_principal_name", 2008, {TDS_NVARCHAR, 128}, FROM_NULL, 0},
	{"server_instance_name", 2008, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(server)},
	{"database_name", 2008, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(database)},
	{"schema_name", 2008, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(schema)},
	{"object_name", 2008, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(object)},
	{"statement", 2008, {TDS_NVARCHAR, 4000}, FROM_TEXT, FIELD_AT(statement_text)},
	{"additional_information",
	 2008,
	 {TDS_NVARCHAR, 4000},
	 FROM_TEXT,
	 FIELD_AT(additional_information)},
	{"file_name", 2008, {TDS_NVARCHAR, 260}, FROM_FILE, 0},
	{"audit_file_offset", 2008, {TDS_INT, 8}, FROM_LONG, FIELD_AT(offset)},
	{"user_defined_event_id", 2012, {TDS_INT, 2}, FROM_INT, FIELD_AT(user_defined_event_id)},
	{"user_defined_information",
	 2012,
	 {TDS_NVARCHAR, 4000},
	 FROM_TEXT,
	 FIELD_AT(user_defined_information)},
	{"audit_schema_version", 2016, {TDS_INT, 4}, FROM_ONE, 0},
	{"sequence_group_id", 2016, {TDS_VARBINARY, 85}, FROM_BYTES, FIELD_AT(sequence_group_id)},
	{"transaction_id", 2016, {TDS_INT, 8}, FROM_LONG, FIELD_AT(transaction_id)},
	{"client_ip", 2017, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(client_ip)},
	{"application_name", 2017, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(application)},
	{"duration_milliseconds", 2019, {TDS_INT, 8}, FROM_LONG, FIELD_AT(duration_ms)},
	{"response_rows", 2019, {TDS_INT, 8}, FROM_LONG, FIELD_AT(response_rows)},
	{"affected_rows", 2019, {TDS_INT, 8}, FROM_LONG, FIELD_AT(affected_rows)},
	{"connection_id", 2019, {TDS_GUID, 0}, FROM_GUID, FIELD_AT(connection_id)},
	{"data_sensitivity_information", 2019, {TDS_NVARCHAR, 4000}, FROM_EMPTY, 0},
	{"host_name", 2019, {TDS_NVARCHAR, 128}, FROM_TEXT, FIELD_AT(host)},
	{"session_context", 2022, {TDS_NVARCHAR, 4000}, FROM_FILLED, FIELD_AT(session_context)},
	{"client_tls_version", 2022, {TDS_INT, 8}, FROM_ZERO, 0},
	{"client_tls_version_name", 2022, {TDS_NVARCHAR, 128}, FROM_EMPTY, 0},
	{"database_transaction_id", 2022, {TDS_INT, 8}, FROM_ZERO, 0},
	{"ledger_start_sequence_number", 2022, {TDS_INT, 8}, FROM_ZERO, 0},
	{"external_policy_permissions_checked", 2022, {TDS_NVARCHAR, 4000}, FROM_EMPTY, 0},
};
#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))
_Static_assert(KNOWN_COUNT <= COLUMNS_MAX, "columns fit");

/* Copies a text behind which the arena keeps `extra` bytes of padding. */
static struct str padded(struct arena *scratch, struct str text, size_t length)
{
	if (text.len >= length) {
		return text;
	}
	char *copy = arena_alloc(scratch, length);
	if (copy == NULL) {
		return text;
	}
	memset(copy, ' ', length);
	if (text.len > 0) {
		memcpy(copy, text.ptr, text.len);
	}
	return str_make(copy, length);
}

/* A SID as SQL logins have them: 16 bytes, here from the name. */
static struct str sid_of(struct arena *scratch, struct str name)
{
	uint8_t *sid = arena_calloc(scratch, 1, 16);
	uint64_t mixed = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < 16 + name.len; i++) {
		mixed = (mixed ^ (i < name.len ? (uint8_t)name.ptr[i] : 0)) *
			UINT64_C(0x100000001b3);
		if (sid != NULL) {
			sid[i % 16] = (uint8_t)(mixed >> 40);
		}
	}
	return str_make(sid, sid != NULL ? 16 : 0);
}

static struct str guid_of(struct arena *scratch, const uint8_t *plain)
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t *wire = arena_alloc(scratch, 16);
	for (size_t i = 0; wire != NULL && i < 16; i++) {
		wire[i] = plain[order[i]];
	}
	return str_make(wire, wire != NULL ? 16 : 0);
}

static struct str path_of(const struct tds_table *table, struct arena *scratch)
{
	const struct tds_service *service = table->service;
	struct str name = service->file[table->file].name;
	if (service->options.base_names) {
		return name;
	}
	struct buf path __attribute__((cleanup(buf_done)));
	buf_init(&path, 0);
	tds_service_put_path(service, table->file, table->state[table->file], &path);
	return arena_str(scratch, buf_str(&path), &name) == 0 ? name : STR_LIT("");
}

static struct str zeros(void)
{
	static const char none[16];
	return str_make(none, sizeof(none));
}

/* complexity: one case for each way in which a column is stored. */
static void audit_get(const void *owner, size_t index, struct arena *scratch, struct tds_value *out)
{
	const struct tds_table *table = owner;
	const struct audit_column *column = &known[table->place[index]];
	const struct world_row *row = &table->service->row[table->current];
	const char *at = (const char *)row + column->offset;
	*out = (struct tds_value){.kind = column->type.kind};
	switch (column->source) {
	case FROM_NULL:
		out->null = true;
		break;
	case FROM_ZERO:
		out->text = column->type.kind == TDS_VARBINARY ? zeros() : STR_LIT("");
		break;
	case FROM_ONE:
		out->number = 1;
		break;
	case FROM_EMPTY:
		break;
	case FROM_TIME:
		out->number = tds_ticks(row->time_ns);
		break;
	case FROM_TEXT:
		out->text = *(const struct str *)(const void *)at;
		break;
	case FROM_FILLED:
		out->text = *(const struct str *)(const void *)at;
		out->null = out->text.len == 0;
		break;
	case FROM_PADDED:
		out->text =
			padded(scratch, *(const struct str *)(const void *)at, column->type.length);
		break;
	case FROM_INT:
		out->number = *(const int32_t *)(const void *)at;
		break;
	case FROM_LONG:
		out->number = *(const int64_t *)(const void *)at;
		break;
	case FROM_BOOL:
		out->number = *(const bool *)at;
		break;
	case FROM_BYTES:
		out->text = str_make(at, 16);
		break;
	case FROM_GUID:
		out->text = guid_of(scratch, (const uint8_t *)at);
		break;
	case FROM_SID:
		out->text = sid_of(scratch, row->principal);
		break;
	case FROM_FILE:
		out->text = path_of(table, scratch);
		break;
	}
}

void tds_audit_find(struct tds_table *table)
{
	struct tds_column *column = arena_calloc(table->arena, KNOWN_COUNT, sizeof(*column));
	uint8_t *places = arena_calloc(table->arena, KNOWN_COUNT, 1);
	size_t count = 0;
	for (size_t i = 0; i < KNOWN_COUNT && column != NULL && places != NULL; i++) {
		if (known[i].release <= table->service->options.release) {
			places[count] = (uint8_t)i;
			column[count] = (struct tds_column){.name = str_of(known[i].name),
							    .type = known[i].type};
			count++;
		}
	}
	table->is_audit = true;
	table->place = places;
	table->rows.column = column;
	table->rows.column_count = count;
	table->rows.get = audit_get;
	table->rows.owner = table;
	table->skip_at = -1;
	table->skip_offset = -1;
}

/* Splits a path into its folder (with the last backslash) and the rest. */
static struct str split_path(struct str path, struct str *out_name)
{
	size_t at = path.len;
	while (at > 0 && path.ptr[at - 1] != '\\' && path.ptr[at - 1] != '/') {
		at--;
	}
	*out_name = str_slice(path, at, SIZE_MAX);
	return str_slice(path, 0, at);
}

/* Whether the file lies where the pattern looks and has a name that it matches. */
static bool matches(struct tds_table *table, uint32_t file, enum tds_file_state state,
		    struct str pattern)
{
	struct buf path __attribute__((cleanup(buf_done)));
	buf_init(&path, 0);
	tds_service_put_path(table->service, file, state, &path);
	struct str name;
	struct str wanted;
	struct str folder = split_path(buf_str(&path), &name);
	struct str looked = split_path(pattern, &wanted);
	return wanted.len != 0 && str_equal_fold(folder, looked) && str_glob_fold(name, wanted);
}

/* Marks the files of the pattern. Returns how many there are; the first in *out_first. */
static uint32_t choose_files(struct tds_table *table, struct str pattern, uint8_t *state,
			     uint32_t *out_first)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < table->service->file_count; i++) {
		enum tds_file_state now = tds_service_file(table->service, i, table->now_ns);
		bool in = now != TDS_FILE_GONE && matches(table, i, now, pattern);
		state[i] = (uint8_t)(in ? now : TDS_FILE_GONE);
		if (in && count == 0) {
			*out_first = i;
		}
		count += in;
	}
	return count;
}

static bool refuse(struct tds_scope *scope, int64_t number)
{
	static const struct {
		uint32_t number;
		const char *text;
	} texts[] = {
		{33224, "The specified pattern did not return any files or does not represent a "
			"valid file share. Verify the "
			"pattern parameter and rerun the command.%.*s"},
		{33225, "The specified values for initial_file_name and audit_record_offset do not "
			"represent a valid location "
			"within the audit file set. Verify the file name and offset location, and "
			"then rerun the command.%.*s"},
		{33201, "An error occurred in reading from the audit file or file-set: '%.*s'."},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].number == number) {
			struct str file = number == 33201 ? STR_LIT("D:\\audit") : STR_LIT("");
			tds_scope_fail(scope, texts[i].number, 16, texts[i].text, file);
			return false;
		}
	}
	tds_scope_fail(scope, (uint32_t)number, 16, "The simulator was told to fail.%.*s",
		       STR_LIT(""));
	return false;
}

/* Whether a visible buffer of the file begins at the offset. */
static bool is_buffer(const struct tds_table *table, uint32_t file, int64_t offset)
{
	const struct world_file *of = &table->service->file[file];
	for (uint32_t i = 0; i < of->row_count; i++) {
		const struct world_row *row = &table->service->row[of->first_row + i];
		if (row->offset > offset) {
			break;
		}
		if (row->offset == offset && row->visible_ns <= table->now_ns) {
			return true;
		}
	}
	return false;
}

/* Sets the table to the buffer behind an offset of a file of the set. */
static bool start_at(struct tds_table *table, struct str path, int64_t offset)
{
	struct str name;
	struct str folder = split_path(path, &name);
	for (uint32_t i = 0; i < table->service->file_count; i++) {
		if (table->state[i] == TDS_FILE_GONE ||
		    !str_equal_fold(name, table->service->file[i].name)) {
			continue;
		}
		struct buf own __attribute__((cleanup(buf_done)));
		buf_init(&own, 0);
		tds_service_put_path(table->service, i, table->state[i], &own);
		struct str own_name;
		if (!str_equal_fold(folder, split_path(buf_str(&own), &own_name)) ||
		    !is_buffer(table, i, offset)) {
			return false;
		}
		table->file = i;
		table->after_offset = offset;
		return true;
	}
	return false;
}

bool tds_audit_open(struct tds_table *table, const struct tds_value *argument,
		    struct tds_scope *scope)
{
	struct tds_fault fault;
	if (tds_faults_use(&table->service->faults, TDS_FAULT_ERROR, NULL, &fault)) {
		return refuse(scope, fault.number);
	}
	uint8_t *state = arena_calloc(table->arena, (size_t)table->service->file_count + 1, 1);
	if (state == NULL) {
		return refuse(scope, 33201);
	}
	table->state = state;
	uint32_t first = 0;
	if (argument[0].null || choose_files(table, argument[0].text, state, &first) == 0) {
		return refuse(scope, 33224);
	}
	table->file = first;
	table->after_offset = INT64_MIN;
	if (argument[1].null != argument[2].null ||
	    (!argument[1].null && !start_at(table, argument[1].text, argument[2].number))) {
		return refuse(scope, 33225);
	}
	if (tds_faults_look(&table->service->faults, TDS_FAULT_SKIP, NULL, &fault)) {
		table->skip_at = fault.number;
	}
	return true;
}

/* Begins to leave out a buffer, and says so as the server does: an INFO of severity 10. */
static void skip_buffer(struct tds_table *table, const struct world_row *row)
{
	struct tds_fault fault;
	table->skip_at = -1;
	if (!tds_faults_use(&table->service->faults, TDS_FAULT_SKIP, NULL, &fault)) {
		return;
	}
	table->skip_offset = row->offset;
	struct buf text __attribute__((cleanup(buf_done)));
	buf_init(&text, 0);
	buf_put_text(&text, "The fn_get_audit_file function is skipping records from '");
	tds_service_put_path(table->service, table->file, table->state[table->file], &text);
	buf_putf(&text, "' at offset %lld.", (long long)row->offset);
	struct tds_message notice = {.number = 33226, .state = 1, .severity = 10, .line = 1};
	if (arena_str(table->arena, buf_str(&text), &notice.text) == 0) {
		table->notice = notice;
	}
}

bool tds_audit_next(struct tds_table *table)
{
	const struct tds_service *service = table->service;
	while (table->file < service->file_count) {
		const struct world_file *file = &service->file[table->file];
		bool in = table->state[table->file] != TDS_FILE_GONE;
		while (in && table->next_row < file->row_count) {
			uint32_t index = file->first_row + table->next_row;
			const struct world_row *row = &service->row[index];
			table->next_row++;
			if (row->visible_ns > table->now_ns || row->offset <= table->after_offset) {
				continue;
			}
			if (table->given == table->skip_at) {
				skip_buffer(table, row);
			}
			if (row->offset == table->skip_offset) {
				continue;
			}
			table->skip_offset = -1;
			table->current = index;
			table->given++;
			return true;
		}
		table->file++;
		table->next_row = 0;
		table->after_offset = INT64_MIN;
		table->skip_offset = -1;
	}
	return false;
}
