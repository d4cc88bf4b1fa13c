#include "tests/sim/world-state.h"

#include "base/io.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TOLERANCE_NS (100 * NS_PER_MS)
#define SLACK_NS     (5 * NS_PER_SEC)

static const char *const default_why[] = {
	[CARRIER_JSON] = "session context holds the gateway's extended id",
	[CARRIER_SIGNED] = "signed session context",
	[CARRIER_AUDIT] = "sp_audit_write at the start of the request",
	[CARRIER_REPLAY] = "audited sp_set_session_context at the start of the request",
	[CARRIER_APP] = "application name holds the Lambda request id",
	[CARRIER_LAMBDA] = "session context holds the Lambda request id alone",
	[CARRIER_COMMENT] = "comment holds the caller-settable request id",
	[CARRIER_NONE] = "the service sends no context",
};

static enum world_expect grade_of(enum carrier carrier)
{
	switch (carrier) {
	case CARRIER_JSON:
	case CARRIER_SIGNED:
	case CARRIER_AUDIT:
	case CARRIER_REPLAY:
		return WORLD_A;
	case CARRIER_APP:
	case CARRIER_LAMBDA:
		return WORLD_B;
	case CARRIER_COMMENT:
		return WORLD_C;
	case CARRIER_NONE:
		break;
	}
	return WORLD_U1;
}

/* What is wrong with naming the request that the evidence names; NULL: nothing. */
static const char *contradiction(const struct world *world, const struct draft *draft)
{
	const struct note *note = &world->notes[draft->carried];
	const struct service *service = company_service(company_route(note->route)->service);
	if (note->fault == FAULT_SIGNATURE) {
		return "context is signed with another key";
	}
	if (note->fault == FAULT_PRINCIPAL) {
		return "context names another user than the gateway";
	}
	if (!str_is(draft->row.principal, service->login)) {
		return "login does not fit the route";
	}
	if (draft->carrier == CARRIER_COMMENT
		    ? note->id_reused
		    : draft->carrier != CARRIER_LAMBDA && draft->carrier != CARRIER_APP &&
			      note->extended_reused) {
		return "id was used by two requests";
	}
	return NULL;
}

static bool outside(const struct world *world, const struct draft *draft, int64_t slack_ns)
{
	const struct world_request *request = &world->requests[draft->carried];
	int64_t at = draft->row.time_ns;
	return at < request->time_ns - slack_ns || at > request->end_ns + slack_ns;
}

struct judgement {
	enum world_expect expect;
	const char *why;
};

/* A statement whose evidence names a request. */
static struct judgement judge_named(const struct world *world, const struct draft *draft)
{
	const struct note *note = &world->notes[draft->carried];
	const char *wrong = contradiction(world, draft);
	if (note->lost) {
		return (struct judgement){WORLD_U1, "the request's access log line was lost"};
	}
	if (draft->carrier == CARRIER_COMMENT && note->fault == FAULT_REPLACED) {
		return (struct judgement){WORLD_U1,
					  "the comment names only an id that the caller made up"};
	}
	if (wrong != NULL) {
		return (struct judgement){WORLD_X, draft->why != NULL ? draft->why : wrong};
	}
	if (outside(world, draft, SLACK_NS)) {
		return (struct judgement){WORLD_X,
					  draft->carried == draft->cause
						  ? "runs long after its request ended"
						  : "pooled session kept the context of another "
						    "request"};
	}
	if (outside(world, draft, TOLERANCE_NS)) {
		return (struct judgement){WORLD_C, "runs shortly after its request ended"};
	}
	return (struct judgement){grade_of(draft->carrier),
				  draft->why != NULL ? draft->why : default_why[draft->carrier]};
}

void truth_judge(const struct world *world, const struct draft *draft,
		 struct world_statement *statement)
{
	const char *why = draft->why != NULL ? draft->why : default_why[CARRIER_NONE];
	struct judgement judgement = {WORLD_U1, why};
	if (draft->any) {
		judgement.expect = WORLD_ANY;
	} else if (draft->carrier != CARRIER_NONE && draft->carried >= 0) {
		judgement = judge_named(world, draft);
	} else if (draft->carrier != CARRIER_NONE && draft->why == NULL) {
		judgement.why = "the middleware set no context";
	}
	statement->expect = judgement.expect;
	statement->why = str_of(judgement.why);
}

static int finish(FILE **file, bool failed)
{
	bool bad = ferror(*file) != 0 || failed;
	int closed = fclose(*file);
	*file = NULL;
	return bad || closed != 0 ? -1 : 0;
}

static void put_member(struct buf *out, const char *key, struct str value)
{
	buf_putf(out, ",\"%s\":", key);
	json_put_string(out, value);
}

static void put_truth(const struct world *world, const struct world_statement *statement,
		      struct buf *out)
{
	static const char *const names[] = {"A", "B", "C", "U1", "X", "any"};
	const struct world_row *row = &world->rows[statement->first_row];
	buf_putf(out, "{\"transaction_id\":%lld,\"time\":\"", (long long)row->transaction_id);
	clock_put_rfc3339(out, row->time_ns, 7);
	buf_putf(out, "\",\"session_id\":%d,\"expect\":\"%s\"", row->session_id,
		 names[statement->expect]);
	if (statement->request >= 0 && !world->notes[statement->request].lost) {
		const struct world_request *request = &world->requests[statement->request];
		put_member(out, "user", request->user);
		put_member(out, "route", request->route);
		put_member(out, "extended_request_id", request->extended_request_id);
	}
	put_member(out, "why", statement->why);
	buf_put_text(out, "}\n");
}

int world_write_truth(const struct world *world, const char *path)
{
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		return -1;
	}
	struct buf text;
	buf_init(&text, 0);
	uint32_t count = 0;
	const struct world_statement *statements = world_statements(world, &count);
	for (uint32_t i = 0; i < count; i++) {
		put_truth(world, &statements[i], &text);
		(void)fwrite(text.ptr, 1, text.len, file); /* finish asks for errors */
		text.len = 0;
	}
	bool failed = text.failed;
	buf_done(&text);
	return finish(&file, failed);
}

struct visible {
	int64_t visible_ns;
	uint32_t index;
};

static int compare_visible(const void *a, const void *b)
{
	const struct visible *x = a, *y = b;
	int by_time = (x->visible_ns > y->visible_ns) - (x->visible_ns < y->visible_ns);
	return by_time != 0 ? by_time : (x->index > y->index) - (x->index < y->index);
}

int world_write_access_log(const struct world *world, const char *path)
{
	struct visible *order = reallocarray(NULL, world->request_count + 1, sizeof(order[0]));
	FILE *file = fopen(path, "we");
	if (file == NULL || order == NULL) {
		free(order);
		return file == NULL ? -1 : finish(&file, true);
	}
	for (uint32_t i = 0; i < world->request_count; i++) {
		order[i] = (struct visible){world->requests[i].ingestion_ns, i};
	}
	qsort(order, world->request_count, sizeof(order[0]), compare_visible);
	for (uint32_t i = 0; i < world->request_count; i++) {
		const struct world_request *request = &world->requests[order[i].index];
		if (request->visible_ns == INT64_MAX) {
			continue;
		}
		(void)fwrite(request->line.ptr, 1, request->line.len, file);
		(void)fputc('\n', file); /* finish asks for errors */
	}
	free(order);
	return finish(&file, false);
}

static void put_text_column(struct buf *out, const char *key, struct str value)
{
	if (value.ptr == NULL) {
		buf_putf(out, ",\"%s\":null", key);
	} else {
		put_member(out, key, value);
	}
}

static void put_number(struct buf *out, const char *key, int64_t value)
{
	buf_putf(out, ",\"%s\":%lld", key, (long long)value);
}

static void put_uuid(struct buf *out, const char *key, const uint8_t bytes[16])
{
	buf_putf(out, ",\"%s\":\"", key);
	for (size_t i = 0; i < 16; i++) {
		buf_putf(out, "%s%02X", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
	}
	buf_put_byte(out, '"');
}

static void put_row(const struct world *world, const struct world_row *row, struct buf *out)
{
	const struct world_file *file = &world->files[row->file];
	buf_put_text(out, "{\"event_time\":\"");
	clock_put_rfc3339(out, row->time_ns, 7);
	buf_truncate(out, out->len - 1); /* datetime2 has no zone */
	buf_putf(out, "\",\"sequence_number\":%d", row->sequence);
	put_text_column(out, "action_id", row->action_id);
	buf_putf(out, ",\"succeeded\":%s", row->succeeded ? "true" : "false");
	put_number(out, "session_id", row->session_id);
	put_number(out, "object_id", row->object_id);
	put_text_column(out, "class_type", row->class_type);
	put_text_column(out, "session_server_principal_name", row->session_principal);
	put_text_column(out, "server_principal_name", row->principal);
	put_text_column(out, "database_principal_name", row->db_user);
	put_text_column(out, "server_instance_name", row->server);
	put_text_column(out, "database_name", row->database);
	put_text_column(out, "schema_name", row->schema);
	put_text_column(out, "object_name", row->object);
	put_text_column(out, "statement", row->statement_text);
	put_text_column(out, "additional_information", row->additional_information);
	buf_put_text(out, ",\"file_name\":");
	struct buf name;
	buf_init(&name, 0);
	buf_put_str(&name, file->folder);
	buf_put_str(&name, file->name);
	json_put_string(out, buf_str(&name));
	out->failed = out->failed || name.failed;
	buf_done(&name);
	put_number(out, "audit_file_offset", row->offset);
	put_number(out, "user_defined_event_id", row->user_defined_event_id);
	put_text_column(out, "user_defined_information", row->user_defined_information);
	put_number(out, "audit_schema_version", 1);
	buf_put_text(out, ",\"sequence_group_id\":\"0x");
	buf_put_hex(out, str_make(row->sequence_group_id, 16));
	buf_put_byte(out, '"');
	put_number(out, "transaction_id", row->transaction_id);
	put_text_column(out, "client_ip", row->client_ip);
	put_text_column(out, "application_name", row->application);
	put_number(out, "duration_milliseconds", row->duration_ms);
	put_number(out, "response_rows", row->response_rows);
	put_number(out, "affected_rows", row->affected_rows);
	put_uuid(out, "connection_id", row->connection_id);
	put_text_column(out, "host_name", row->host);
	put_text_column(out, "session_context", row->session_context);
	buf_put_text(out, "}\n");
}

int world_write_audit_rows(const struct world *world, const char *path)
{
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		return -1;
	}
	struct buf text;
	buf_init(&text, 0);
	for (uint32_t i = 0; i < world->row_count; i++) {
		put_row(world, &world->rows[i], &text);
		(void)fwrite(text.ptr, 1, text.len, file); /* finish asks for errors */
		text.len = 0;
	}
	bool failed = text.failed;
	buf_done(&text);
	return finish(&file, failed);
}
