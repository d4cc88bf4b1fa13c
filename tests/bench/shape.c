#include "tests/bench/shape.h"

#include "base/clock.h"
#include "base/hash.h"

#include <stdio.h>

void shape_init(struct shape *shape, uint64_t seed, int64_t start_ns)
{
	*shape = (struct shape){.random = seed, .time_ns = start_ns};
	buf_init(&shape->raw, 0);
	buf_init(&shape->text, 0);
	buf_init(&shape->context, 0);
}

void shape_done(struct shape *shape)
{
	buf_done(&shape->raw);
	buf_done(&shape->text);
	buf_done(&shape->context);
}

static uint64_t draw(struct shape *shape)
{
	shape->random += UINT64_C(0x9e3779b97f4a7c15);
	return hash_u64(shape->random);
}

/* Small numbers often: the exponent 0.9 of the real distribution is near to 1 / (1 - x). */
static unsigned draw_zipf(struct shape *shape, unsigned count)
{
	double x = (double)(draw(shape) >> 11) / 9007199254740992.0;
	double scale = __builtin_log((double)count);
	unsigned value = (unsigned)(__builtin_exp(x * scale) - 1.0);
	return value < count ? value : count - 1;
}

void shape_user(unsigned number, char out[40])
{
	(void)snprintf(out, 40, "user%04u@example.com", number); /* fits */
}

static void put_uuid(struct shape *shape, char out[40])
{
	uint64_t a = draw(shape), b = draw(shape);
	(void)snprintf(out, 40, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
		       (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
		       (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
		       (unsigned long long)(b & 0xffffffffffff)); /* 36 characters */
}

static void new_key(struct shape *shape, struct record *record)
{
	uint64_t a = draw(shape), b = draw(shape);
	memcpy(shape->key, &a, 8);
	memcpy(shape->key + 8, &b, 8);
	record->source = STR_LIT("bench");
	record->key = str_make(shape->key, sizeof(shape->key));
	record->time_ns = shape->time_ns;
	shape->number++;
}

static void set(struct record *record, unsigned field, const char *text)
{
	record_set_text(record, field, str_of(text));
}

static void make_request(struct shape *shape, struct record *record)
{
	record_init(record, RECORD_REQUEST);
	shape->time_ns += (int64_t)(draw(shape) % (20 * NS_PER_MS));
	new_key(shape, record);
	shape->user_number = draw_zipf(shape, SHAPE_USERS);
	shape->route_number = draw_zipf(shape, SHAPE_ROUTES);
	shape->session_number = (unsigned)(draw(shape) % 240);
	shape->statements_left = 1 + (unsigned)(draw(shape) % 6);
	for (size_t i = 0; i < 3; i++) {
		put_uuid(shape, shape->ids[i]);
	}
	shape->ids[1][15] = '=';
	shape->ids[1][16] = '\0';
	shape_user(shape->user_number, shape->user);
	unsigned long long item = draw(shape) % 1000000;
	(void)snprintf(shape->route, sizeof(shape->route), "GET /resource%02u/{id}",
		       shape->route_number);
	(void)snprintf(shape->path, sizeof(shape->path), "/prod/resource%02u/%llu",
		       shape->route_number, item);
	unsigned latency = 20 + (unsigned)(draw(shape) % 80);
	buf_clear(&shape->raw);
	buf_putf(&shape->raw,
		 "{\"requestId\":\"%s\",\"extendedRequestId\":\"%s\",\"lambdaRequestId\":\"%s\","
		 "\"apiId\":\"a1b2c3d4e5\","
		 "\"stage\":\"prod\",\"requestTimeEpoch\":\"%lld\",\"httpMethod\":\"GET\","
		 "\"resourcePath\":\"/resource%02u/"
		 "{id}\",\"path\":\"%s\",\"protocol\":\"HTTP/"
		 "1.1\",\"status\":\"200\",\"integrationStatus\":\"200\","
		 "\"responseLength\":\"%u\",\"responseLatency\":\"%u\",\"integrationLatency\":\"%"
		 "u\",\"principalId\":\"-\","
		 "\"email\":\"%s\",\"userArn\":\"-\",\"apiKeyId\":\"-\",\"sourceIp\":\"10.1.%u.%"
		 "u\",\"error\":\"-\","
		 "\"domainName\":\"api.example.com\",\"accountId\":\"123456789012\",\"userAgent\":"
		 "\"Mozilla/5.0 (X11; Linux "
		 "x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\"}",
		 shape->ids[0], shape->ids[1], shape->ids[2],
		 (long long)(shape->time_ns / NS_PER_MS), shape->route_number, shape->path,
		 200 + latency * 7, latency, latency - 10, shape->user, shape->user_number / 250,
		 shape->user_number % 250);
	record_set_text(record, FIELD_raw, buf_str(&shape->raw));
	set(record, FIELD_parse, "ok");
	set(record, FIELD_request_id, shape->ids[0]);
	set(record, FIELD_extended_request_id, shape->ids[1]);
	set(record, FIELD_lambda_request_id, shape->ids[2]);
	set(record, FIELD_api, "a1b2c3d4e5");
	set(record, FIELD_stage, "prod");
	set(record, FIELD_route, shape->route);
	set(record, FIELD_method, "GET");
	set(record, FIELD_path, shape->path);
	set(record, FIELD_user, shape->user);
	set(record, FIELD_user_kind, "jwt");
	set(record, FIELD_source_ip, "10.1.2.3");
	set(record, FIELD_user_agent,
	    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	    "Chrome/120.0.0.0 Safari/537.36");
	record_set_number(record, FIELD_status, 200);
	record_set_number(record, FIELD_latency_ms, latency);
	record_set_number(record, FIELD_response_bytes, 200 + latency * 7);
}

static void set_names(struct shape *shape, struct record *record)
{
	set(record, FIELD_server, "SQL-PROD-1");
	set(record, FIELD_database, "Shop");
	set(record, FIELD_schema, "dbo");
	set(record, FIELD_object, "Orders");
	set(record, FIELD_table, "dbo.Orders");
	set(record, FIELD_action, "SL");
	set(record, FIELD_verb, "SELECT");
	set(record, FIELD_class, "U");
	set(record, FIELD_principal, "app_orders");
	set(record, FIELD_session_principal, "app_orders");
	set(record, FIELD_db_user, "app_orders");
	set(record, FIELD_application, "lambda-orders:42");
	set(record, FIELD_host, "ip-10-0-3-17");
	set(record, FIELD_client_ip, "10.0.3.17");
	record_set_number(record, FIELD_session_id, 51 + shape->session_number);
	(void)snprintf(shape->session, sizeof(shape->session), "%08x-0000-4000-8000-000000000000",
		       shape->session_number);
	set(record, FIELD_connection_id, shape->session);
}

static void make_statement(struct shape *shape, struct record *record)
{
	record_init(record, RECORD_STATEMENT);
	shape->time_ns += NS_PER_MS;
	new_key(shape, record);
	shape->statements_left--;
	set_names(shape, record);
	buf_clear(&shape->text);
	buf_putf(&shape->text,
		 "SELECT o.OrderId, o.CustomerId, o.CreatedAt, o.Status, o.Total, o.Currency, "
		 "l.Sku, l.Quantity, l.Price FROM "
		 "dbo.Orders AS o INNER JOIN dbo.OrderLines AS l ON l.OrderId = o.OrderId WHERE "
		 "o.CustomerId = %llu AND "
		 "o.Status <> N'cancelled' AND o.CreatedAt >= '2026-01-%02u' ORDER BY o.CreatedAt "
		 "DESC OFFSET 0 ROWS FETCH NEXT "
		 "50 ROWS ONLY",
		 (unsigned long long)(draw(shape) % 1000000), 1 + (unsigned)(draw(shape) % 28));
	buf_clear(&shape->context);
	buf_putf(&shape->context, "qt1 x=%s l=%s r=%s", shape->ids[1], shape->ids[2],
		 shape->ids[0]);
	buf_clear(&shape->raw);
	buf_put_text(&shape->raw, "{\"event_time\":\"");
	clock_put_rfc3339(&shape->raw, shape->time_ns, 7);
	buf_putf(&shape->raw,
		 "\",\"sequence_number\":1,\"action_id\":\"SL\",\"succeeded\":true,\"session_id\":%"
		 "u,\"object_id\":245575913,"
		 "\"class_type\":\"U\",\"session_server_principal_name\":\"app_orders\",\"server_"
		 "principal_name\":\"app_orders\","
		 "\"database_principal_name\":\"app_orders\",\"server_instance_name\":\"SQL-PROD-"
		 "1\",\"database_name\":\"Shop\","
		 "\"schema_name\":\"dbo\",\"object_name\":\"Orders\",\"statement\":\"%s\",\"file_"
		 "name\":\"app_0_1.sqlaudit\","
		 "\"audit_file_offset\":%llu,\"client_ip\":\"10.0.3.17\",\"application_name\":"
		 "\"lambda-orders:42\","
		 "\"host_name\":\"ip-10-0-3-17\",\"session_context\":\"%s\"}",
		 51 + shape->session_number, shape->text.ptr,
		 (unsigned long long)(shape->number * 512), shape->context.ptr);
	record_set_text(record, FIELD_raw, buf_str(&shape->raw));
	record_set_text(record, FIELD_statement, buf_str(&shape->text));
	record_set_text(record, FIELD_session_context, buf_str(&shape->context));
	record_stable_id(record->source, record->key, shape->id);
	set(record, FIELD_statement_id, shape->id);
	set(record, FIELD_file, "app_0_1.sqlaudit");
	record_set_number(record, FIELD_file_offset, (int64_t)(shape->number * 512));
	record_set_number(record, FIELD_sequence, 1);
	record_set_number(record, FIELD_parts, 1);
	record_set_number(record, FIELD_succeeded, 1);
	record_set_number(record, FIELD_transaction_id, (int64_t)shape->number);
	record_set_number(record, FIELD_rows, 12);
	record_set_number(record, FIELD_duration_ms, 4);
}

void shape_next(struct shape *shape, struct record *out_record)
{
	if (shape->statements_left == 0) {
		make_request(shape, out_record);
	} else {
		make_statement(shape, out_record);
	}
}
