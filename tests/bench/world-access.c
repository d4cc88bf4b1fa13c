/* One line of the gateway: 23 fields under the well-known keys. */
#include "tests/bench/world-state.h"

static void put_path(const struct request *request, struct line *line)
{
	for (const char *at = request->route->path_text; *at != '\0'; at++) {
		if (*at == '\1') {
			line_number(line, request->path_id, 1);
		} else {
			line_put(line, at, 1);
		}
	}
}

/* 11 bytes in Base64, of which 8 are random and the middle ones nearly constant. */
static void put_extended_id(struct dice *dice, struct line *line)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t random = dice_u64(dice);
	char text[16];
	dice->bits[WORLD_EXTENDED_REQUEST_ID] += 64;
	for (size_t i = 0; i < 8; i++) {
		text[i] = digits[random >> (6 * i) & 63];
	}
	text[8] = 'D';
	text[9] = 'o';
	text[10] = 'E';
	text[11] = dice_chance(dice, WORLD_EXTENDED_REQUEST_ID, 0.95) ? 'F' : 'E';
	text[12] = digits[random >> 48 & 63];
	text[13] = digits[random >> 54 & 63];
	text[14] = digits[(random >> 60 & 15) << 2];
	text[15] = '=';
	line_put(line, text, sizeof(text));
}

static void put_ids(struct world *world, const struct request *request, struct line *line)
{
	uint8_t uuid[16];
	char text[40];
	line_lit(line, "{\"requestId\":\"");
	line_put(line, request->id, 36);
	line_lit(line, "\",\"extendedRequestId\":\"");
	put_extended_id(&world->dice, line);
	line_lit(line, "\",\"integrationRequestId\":\"");
	dice_uuid(&world->dice, WORLD_INTEGRATION_REQUEST_ID, uuid);
	plan_put_uuid(uuid, 0, text);
	line_put(line, text, 36);
}

static void put_caller(struct world *world, const struct request *request, struct line *line)
{
	const struct plan_user *user = request->user;
	struct dice *dice = &world->dice;
	size_t ip = 0;
	if (user->ip_count > 1 && !dice_chance(dice, WORLD_SOURCE_IP, 0.8)) {
		ip = user->ip_count == 2 ? 1 : 1 + dice_below(dice, WORLD_SOURCE_IP, 2);
	}
	int other = !dice_chance(dice, WORLD_USER_AGENT, 0.9);
	line_lit(line, "\",\"sourceIp\":\"");
	line_text(line, user->ip[ip]);
	line_lit(line, "\",\"userAgent\":\"");
	line_text(line, world->plan->agents[user->agents[other]]);
	line_lit(line, "\",\"principalId\":\"");
	line_text(line, user->principal);
	line_lit(line, "\",\"email\":\"");
	line_text(line, user->email);
	line_lit(line, "\",\"wafResponseCode\":\"WAF_ALLOW\"}\n");
}

void access_render(struct world *world, const struct request *request, struct pending *out)
{
	struct line line = {.ptr = out->bytes, .max = sizeof(out->bytes)};
	int64_t start_ms = request->start_ticks / TICKS_PER_MS;
	double length =
		dice_lognormal(&world->dice, WORLD_RESPONSE_LENGTH, &request->route->length);
	put_ids(world, request, &line);
	line_lit(&line, "\",\"requestTimeEpoch\":\"");
	line_number(&line, (uint64_t)start_ms, 1);
	line_lit(&line, "\",\"requestTime\":\"");
	line_put(&line, second_text(&world->line_second, start_ms / 1000)->common, 26);
	line_lit(&line, "\",\"httpMethod\":\"");
	line_text(&line, request->route->method);
	line_lit(&line, "\",\"resourcePath\":\"");
	line_text(&line, request->route->resource);
	line_lit(&line, "\",\"path\":\"/prod");
	put_path(request, &line);
	line_lit(&line, "\",\"protocol\":\"HTTP/1.1\",\"status\":\"");
	line_number(&line, request->status, 3);
	line_lit(&line, "\",\"responseLength\":\"");
	line_number(&line, (uint64_t)length, 1);
	line_lit(&line, "\",\"responseLatency\":\"");
	line_number(&line, request->overhead_ms + request->integration_ms, 1);
	line_lit(&line, "\",\"integrationLatency\":\"");
	line_number(&line, request->integration_ms, 1);
	line_lit(&line, "\",\"integrationStatus\":\"");
	line_number(&line, request->status < 400 ? 200 : request->status, 3);
	line_lit(&line, "\",\"apiId\":\"a1b2c3d4e5\",\"stage\":\"prod\",\"accountId\":"
			"\"123456789012\",\"domainName\":\"api.example.com");
	put_caller(world, request, &line);
	out->len = line.len;
	out->start_ticks = request->start_ticks;
	out->at_ticks = request->start_ticks +
			(request->overhead_ms + request->integration_ms) * TICKS_PER_MS;
}
