/* One row of the database's audit: 25 columns, the statement with its literals. */
#include "tests/bench/world-state.h"

#include <math.h>

#define FILE_BYTES      (100u << 20)
#define DAY_SECONDS     86400
#define DATES           2016
#define TIMESTAMP_RANGE (14 * DAY_SECONDS)
#define ORDER_RANGE     50000

static const double customer_form[3] = {1e5, 1e6, 2.2};

uint32_t draw_customer(struct dice *dice, enum world_field field)
{
	return dice_power(dice, field, customer_form);
}

uint32_t draw_order(struct world *world, enum world_field field)
{
	return (uint32_t)(world->order_counter - dice_below(&world->dice, field, ORDER_RANGE));
}

static void put_money(struct world *world, struct line *line)
{
	uint64_t cents =
		(uint64_t)dice_lognormal(&world->dice, WORLD_LITERAL_MONEY, &world->plan->money);
	line_number(line, cents / 100, 1);
	line_lit(line, ".");
	line_number(line, cents % 100, 2);
}

static void put_free_text(struct dice *dice, struct line *line)
{
	static const char *const words[20] = {
		"customer", "called", "about",   "late",    "delivery", "please", "refund",
		"address",  "change", "invoice", "missing", "item",     "was",    "damaged",
		"payment",  "retry",  "checked", "by",      "support",  "again"};
	uint32_t count = 3 + dice_below(dice, WORLD_LITERAL_TEXT, 9);
	for (uint32_t i = 0; i < count; i++) {
		line_put(line, " ", i > 0 ? 1 : 0);
		line_text(line, words[dice_below(dice, WORLD_LITERAL_TEXT, 20)]);
	}
}

static void put_quoted(struct world *world, enum literal_kind kind, struct line *line)
{
	struct dice *dice = &world->dice;
	struct second_text at = {0};
	int64_t day = world->day_ticks / TICKS_PER_SEC;
	uint8_t uuid[16];
	char text[40];
	switch (kind) {
	case LITERAL_DATE:
		day -= (int64_t)dice_below(dice, WORLD_LITERAL_DATE, DATES) * DAY_SECONDS;
		line_lit(line, "'");
		line_put(line, second_text(&at, day)->iso, 10);
		break;
	case LITERAL_TIMESTAMP:
		day -= (int64_t)dice_below(dice, WORLD_LITERAL_TIMESTAMP, TIMESTAMP_RANGE);
		line_lit(line, "'");
		line_put(line, second_text(&at, day)->iso, 19);
		break;
	case LITERAL_EMAIL:
		line_lit(line, "N'user");
		line_number(line, dice_below(dice, WORLD_LITERAL_EMAIL, PLAN_EMAILS), 6);
		line_lit(line, "@mail.example.org");
		break;
	case LITERAL_NAME:
		line_lit(line, "N'");
		line_text(line, plan_name(dice_below(dice, WORLD_LITERAL_NAME, PLAN_NAMES)));
		break;
	case LITERAL_TEXT:
		line_lit(line, "N'");
		put_free_text(dice, line);
		break;
	default:
		dice_uuid(dice, WORLD_LITERAL_GUID, uuid);
		plan_put_uuid(uuid, 0, text);
		(void)memcpy(world->shape->needle, text, 37);
		line_lit(line, "'");
		line_put(line, text, 36);
	}
	line_lit(line, "'");
}

/* What a slot that repeats shows, or 0 when there is nothing to repeat. */
static uint32_t repeated(const struct plan_slot *slot, const struct request *request,
			 uint32_t last_integer)
{
	uint32_t path_id = request != NULL ? request->path_id : 0;
	if (slot->source == REPEAT_PATH && path_id > 0) {
		return path_id;
	}
	if (slot->source == REPEAT_REQUEST && request != NULL && request->first_integer > 0) {
		return request->first_integer;
	}
	return last_integer > 0 ? last_integer : path_id;
}

static void put_literal(struct world *world, struct request *request, const struct plan_slot *slot,
			uint32_t *last_integer, struct line *line)
{
	enum literal_kind kind = (enum literal_kind)slot->kind;
	uint32_t number = 0;
	if (kind == LITERAL_REPEAT) {
		number = repeated(slot, request, *last_integer);
		kind = number == 0 ? LITERAL_CUSTOMER : kind; /* nothing yet: a new one */
	}
	world->shape->literal[kind]++;
	switch (kind) {
	case LITERAL_INT:
		number = dice_below(&world->dice, WORLD_LITERAL_INT, 200);
		break;
	case LITERAL_CUSTOMER:
		number = draw_customer(&world->dice, WORLD_LITERAL_CUSTOMER);
		break;
	case LITERAL_ORDER:
		number = draw_order(world, WORLD_LITERAL_ORDER);
		break;
	case LITERAL_CONSTANT:
		line_number(line, slot->constant, 1);
		return;
	case LITERAL_REPEAT:
		line_number(line, number, 1);
		return;
	case LITERAL_MONEY:
		put_money(world, line);
		return;
	default:
		put_quoted(world, kind, line);
		return;
	}
	line_number(line, number, 1);
	*last_integer = number;
	if (request != NULL && request->first_integer == 0) {
		request->first_integer = number;
	}
}

static void put_statement(struct world *world, struct request *request,
			  const struct plan_template *template, struct line *line)
{
	struct world_shape *shape = world->shape;
	size_t start = line->len, from = 0;
	uint32_t last_integer = 0;
	for (size_t i = 0; i <= template->slot_count; i++) {
		line_put(line, template->text + from, template->piece_end[i] - from);
		from = template->piece_end[i];
		if (i < template->slot_count) {
			put_literal(world, request, &template->slots[i], &last_integer, line);
		}
	}
	if (request != NULL) {
		line_lit(line, "/*request_id=");
		line_put(line, request->id, 36);
		line_lit(line, "*/");
	}
	size_t bytes = line->len - start;
	shape->text_bytes[bytes < WORLD_TEXT_MAX ? bytes : WORLD_TEXT_MAX - 1]++;
	shape->literals[template->slot_count]++;
	shape->parameter_rows += template->has_parameters ? 1u : 0u;
}

static const char *const services[PLAN_SERVICES] = {"orders",  "customers", "billing", "shipping",
						    "catalog", "returns",   "support", "identity"};

static void put_principals(const struct request *request, const struct plan_login *login,
			   struct line *line)
{
	const char *name = request != NULL ? "app" : login->name;
	line_lit(line, ",\"session_server_principal_name\":\"");
	line_text(line, name);
	line_lit(line, "\",\"server_principal_name\":\"");
	line_text(line, name);
	line_lit(line, "\",\"database_principal_name\":\"");
	if (request != NULL) {
		line_lit(line, "svc_");
		line_text(line, services[request->route->service]);
	} else {
		line_lit(line, "dbo");
	}
}

static void put_object(const struct plan_table *table, bool is_procedure, struct line *line)
{
	line_lit(line, "\",\"server_instance_name\":\"SQL01\",\"database_name\":\"");
	line_text(line, table->database);
	line_lit(line, "\",\"schema_name\":\"");
	line_text(line, table->schema);
	line_lit(line, "\",\"object_name\":\"");
	if (is_procedure) {
		line_lit(line, "usp_Refresh");
	}
	line_text(line, table->name);
	line_lit(line, "\",\"statement\":\"");
}

/* What stands behind the transaction id; returns the duration in ms with its fraction. */
static double put_rear(struct world *world, const struct request *request,
		       const struct plan_login *login, struct plan_template *template,
		       struct line *line)
{
	const struct plan_session *session = request != NULL ? request->session : &login->session;
	double rows = 0;
	double duration = dice_lognormal(&world->dice, WORLD_DURATION, &template->duration);
	if (template->verb == VERB_SELECT) {
		rows = dice_lognormal(&world->dice, WORLD_RESPONSE_ROWS, &template->rows);
	}
	line_lit(line, ",\"client_ip\":\"");
	line_text(line, session->ip);
	line_lit(line, "\",\"application_name\":\"");
	if (request != NULL) {
		line_lit(line, "lambda-");
		line_text(line, services[request->route->service]);
		line_lit(line, "");
	} else {
		line_text(line, login->application);
	}
	line_lit(line, "\",\"duration_milliseconds\":");
	line_number(line, (uint64_t)duration, 1);
	line_lit(line, ",\"response_rows\":");
	line_number(line, (uint64_t)rows, 1);
	line_lit(line, ",\"affected_rows\":");
	line_number(line, template->affected_rows, 1);
	line_lit(line, ",\"connection_id\":\"");
	line_text(line, session->connection);
	line_lit(line, "\",\"host_name\":\"");
	line_text(line, session->host);
	line_lit(line, "\"}\n");
	return duration;
}

double audit_render(struct world *world, struct request *request, size_t template_number,
		    struct pending *out)
{
	static const char *const actions[VERB_COUNT] = {"SL", "IN", "UP", "EX", "DL"};
	struct plan_template *template = &world->plan->templates[template_number];
	const struct plan_table *table = &world->plan->tables[template->table];
	const struct plan_login *login = NULL;
	struct line line = {.ptr = out->bytes, .max = sizeof(out->bytes)};
	bool is_procedure = template->verb == VERB_EXEC;
	if (request == NULL) {
		login = &world->plan->logins[dice_below(&world->dice, WORLD_LOGIN, PLAN_LOGINS)];
	}
	line_lit(&line, "\",\"sequence_number\":1,\"action_id\":\"");
	line_text(&line, actions[template->verb]);
	line_lit(&line, "\",\"succeeded\":");
	line_text(&line, dice_chance(&world->dice, WORLD_SUCCEEDED, 0.0025) ? "false" : "true");
	line_lit(&line, ",\"session_id\":");
	line_number(&line, (login != NULL ? &login->session : request->session)->number, 1);
	line_lit(&line, ",\"object_id\":");
	line_number(&line, is_procedure ? table->procedure_id : table->object_id, 1);
	line_lit(&line, ",\"class_type\":\"");
	line_text(&line, is_procedure ? "P\"" : "U\"");
	put_principals(request, login, &line);
	put_object(table, is_procedure, &line);
	put_statement(world, request, template, &line);
	out->front_bytes = line.len;
	double duration = put_rear(world, request, login, template, &line);
	out->len = line.len;
	out->is_write = template->verb != VERB_SELECT;
	world->shape->template[template_number]++;
	world->shape->verb[template->verb]++;
	return duration * (double)TICKS_PER_MS;
}

static void begin_file(struct world *world, int64_t at_ticks)
{
	/* the server counts the file's time from 1601, in ticks */
	uint64_t since_1601 = (uint64_t)at_ticks + UINT64_C(116444736000000000);
	(void)snprintf(world->file_name, sizeof(world->file_name),
		       "D:\\\\Audit\\\\Shop_0_%llu."
		       "sqlaudit",
		       (unsigned long long)since_1601); /* fits */
	world->file_offset = 0;
}

void audit_finish(struct world *world, const struct pending *row, struct line *line)
{
	uint64_t record = (row->len + 160 + 511) / 512 * 512;
	if (world->file_name[0] == '\0' || world->file_offset + record > FILE_BYTES) {
		begin_file(world, row->at_ticks);
	}
	if (row->is_write) {
		world->transaction += 1 + dice_below(&world->dice, WORLD_TRANSACTION, 3);
	}
	line_lit(line, "{\"event_time\":\"");
	line_put(line, second_text(&world->row_second, row->at_ticks / TICKS_PER_SEC)->iso, 19);
	line_lit(line, ".");
	line_number(line, (uint64_t)(row->at_ticks % TICKS_PER_SEC), 7);
	line_put(line, row->bytes, row->front_bytes);
	line_lit(line, "\",\"file_name\":\"");
	line_text(line, world->file_name);
	line_lit(line, "\",\"audit_file_offset\":");
	line_number(line, world->file_offset, 1);
	line_lit(line, ",\"transaction_id\":");
	line_number(line, world->transaction, 1);
	line_put(line, row->bytes + row->front_bytes, row->len - row->front_bytes);
	world->file_offset += record;
}
