#include "tests/bench/world-state.h"

#include <math.h>
#include <stdlib.h>

/* 2026-11-22T00:00:00Z in ticks */
#define DAY_START     (INT64_C(1795305600) * TICKS_PER_SEC)
#define DAY_TICKS     (86400 * TICKS_PER_SEC)
#define RATE          23.0 /* requests a second on average */
#define FIRST_ORDER   71000000u
#define LINE_MAX_TEXT 4096

static const unsigned statuses[WORLD_STATUSES] = {200, 201, 404, 403, 400, 500, 401};

/* Requests a second at this time of the day. */
static double rate_at(const struct world *world)
{
	double day = (double)((world->now_ticks - DAY_START) % DAY_TICKS) / (double)DAY_TICKS;
	double wave = sin(M_PI * day);
	return RATE * (0.35 + 1.3 * wave * wave);
}

/* Sets that are shorter than a day stand around 06:00, where the rate is the average one. */
static int64_t begin_at(const struct world_options *options)
{
	double half = (double)options->requests / RATE / 2 * (double)TICKS_PER_SEC;
	double six = (double)DAY_TICKS / 4;
	int64_t into = half > six ? 0 : (int64_t)(six - half);
	return DAY_START + (int64_t)options->day * DAY_TICKS + into / TICKS_PER_MS * TICKS_PER_MS;
}

static int put_row(struct world *world, struct error *err)
{
	const struct pending *row = queue_pop(&world->queue[WORLD_AUDIT]);
	char bytes[LINE_MAX_TEXT];
	struct line line = {.ptr = bytes, .max = sizeof(bytes)};
	audit_finish(world, row, &line);
	world->shape->lines[WORLD_AUDIT]++;
	world->shape->bytes[WORLD_AUDIT] += line.len;
	return world->sink.put(world->sink.owner, WORLD_AUDIT, str_make(bytes, line.len), err);
}

static int put_line(struct world *world, struct error *err)
{
	const struct pending *line = queue_pop(&world->queue[WORLD_ACCESS]);
	struct world_shape *shape = world->shape;
	int64_t late_ms = (world->last_start_ticks - line->start_ticks) / TICKS_PER_MS;
	if (late_ms > 0) {
		shape->late_lines++;
		shape->most_late_ms = late_ms > shape->most_late_ms ? late_ms : shape->most_late_ms;
	}
	world->last_start_ticks = line->start_ticks;
	shape->lines[WORLD_ACCESS]++;
	shape->bytes[WORLD_ACCESS] += line->len;
	return world->sink.put(world->sink.owner, WORLD_ACCESS, str_make(line->bytes, line->len),
			       err);
}

/* Writes what no later request can come before. */
static int flush_until(struct world *world, int64_t ticks, struct error *err)
{
	struct queue *lines = &world->queue[WORLD_ACCESS], *rows = &world->queue[WORLD_AUDIT];
	int rc = 0;
	while (rc == 0 && lines->count > 0 && lines->heap[0]->at_ticks <= ticks) {
		rc = put_line(world, err);
	}
	while (rc == 0 && rows->count > 0 && rows->heap[0]->at_ticks <= ticks) {
		rc = put_row(world, err);
	}
	return rc;
}

static unsigned draw_status(struct world *world, const struct plan_route *route)
{
	static const double shares[] = {0.955, 0.015, 0.01, 0.01, 0.006, 0.004};
	double x = dice_unit(&world->dice);
	size_t at = 0;
	while (at < 5 && x >= shares[at]) {
		x -= shares[at++];
	}
	world->dice.bits[WORLD_STATUS] -= log2(shares[at]);
	size_t shown = at > 0 ? at + 1 : route->method[1] == 'O' ? 1 : 0; /* POST creates: 201 */
	world->shape->status[shown]++;
	return statuses[shown];
}

static void draw_path_id(struct world *world, struct request *request)
{
	switch (request->route->path) {
	case PATH_NONE:
		return;
	case PATH_CUSTOMER:
		request->path_id = draw_customer(&world->dice, WORLD_PATH);
		return;
	case PATH_ORDER:
		request->path_id = draw_order(world, WORLD_PATH);
		return;
	}
}

static void draw_request(struct world *world, struct request *request)
{
	static const char letters[] =
		"GOUE"; /* GET, POST, PUT, DELETE: by the second, but for GET */
	struct dice *dice = &world->dice;
	struct world_shape *shape = world->shape;
	uint32_t route = dice_zipf(dice, WORLD_ROUTE, &world->plan->routes_zipf);
	uint32_t user = dice_zipf(dice, WORLD_USER, &world->plan->users_zipf);
	uint8_t uuid[16];
	*request = (struct request){.route = &world->plan->routes[route],
				    .user = &world->plan->users[user],
				    .start_ticks = world->now_ticks};
	request->session = &world->plan->sessions[dice_below(dice, WORLD_SESSION, PLAN_SESSIONS)];
	dice_uuid(dice, WORLD_REQUEST_ID, uuid);
	plan_put_uuid(uuid, 0, request->id);
	draw_path_id(world, request);
	request->status = draw_status(world, request->route);
	request->overhead_ms =
		1 + (uint32_t)dice_lognormal(dice, WORLD_LATENCY, &world->plan->overhead);
	request->integration_ms =
		(uint32_t)dice_lognormal(dice, WORLD_LATENCY, &request->route->latency);
	const char *method = request->route->method;
	size_t at = 0;
	while (at < 3 && letters[at] != method[at > 0 ? 1 : 0]) {
		at++;
	}
	world->order_counter += at == 1 ? 1 : 0;
	shape->method[at]++;
	shape->path[request->route->path]++;
	shape->route[route]++;
	shape->user[user]++;
	if (shape->request_id[0] == '\0' ||
	    shape->lines[WORLD_ACCESS] * 2 < world->options.requests) {
		(void)memcpy(shape->request_id, request->id, 37);
	}
}

/* A row at this time; *ticks moves behind its end. */
static int make_row(struct world *world, struct request *request, size_t template_number,
		    double *ticks, struct error *err)
{
	struct pending *row = queue_take(&world->queue[WORLD_AUDIT]);
	if (row == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a row of the data set");
	}
	row->at_ticks = (int64_t)*ticks;
	*ticks += audit_render(world, request, template_number, row);
	queue_push(&world->queue[WORLD_AUDIT], row);
	return 0;
}

static int make_rows(struct world *world, struct request *request, struct error *err)
{
	struct dice *dice = &world->dice;
	const double ms = (double)TICKS_PER_MS;
	double ticks = (double)request->start_ticks + request->overhead_ms / 2.0 * ms +
		       dice_unit(dice) * ms;
	int rc = 0;
	size_t made = 0;
	if (request->status == 400 || request->status == 401 || request->status == 403) {
		return 0;
	}
	for (size_t t = 0; rc == 0 && t < request->route->template_count; t++) {
		uint32_t times = 1;
		if (dice_chance(dice, WORLD_ROWS, PLAN_REPEAT_CHANCE)) {
			times += dice_below(dice, WORLD_ROWS, 3);
		}
		for (uint32_t i = 0; rc == 0 && i < times; i++) {
			/* 13.29 bits for a uniform ms in ticks; behind a row its duration's fraction is added */
			dice->bits[WORLD_EVENT_TIME] += log2(ms);
			if (made++ > 0) {
				dice->bits[WORLD_EVENT_TIME] += 0.4 * M_LOG2E;
			}
			rc = make_row(world, request, request->route->templates[t], &ticks, err);
			ticks += (0.2 + 0.8 * dice_unit(dice)) * ms;
		}
	}
	return rc;
}

/* The rows of logins until the next request. */
static int make_adhoc(struct world *world, struct error *err)
{
	int rc = 0;
	while (rc == 0 && world->adhoc_ticks < world->now_ticks) {
		double ticks = (double)world->adhoc_ticks;
		size_t template_number = dice_below(&world->dice, WORLD_TEMPLATE, PLAN_TEMPLATES);
		world->shape->adhoc_rows++;
		rc = make_row(world, NULL, template_number, &ticks, err);
		double mean = (double)TICKS_PER_SEC / rate_at(world) / PLAN_ADHOC_PER_REQUEST;
		world->adhoc_ticks += (int64_t)dice_gap(&world->dice, WORLD_EVENT_TIME, mean, 1);
	}
	return rc;
}

static int make_request(struct world *world, struct error *err)
{
	struct request request;
	double gap = dice_gap(&world->dice, WORLD_EPOCH, 1000 / rate_at(world), 1);
	world->arrival_ms += gap;
	world->now_ticks = world->begin_ticks + (int64_t)world->arrival_ms * TICKS_PER_MS;
	int rc = make_adhoc(world, err);
	rc = rc == 0 ? flush_until(world, world->now_ticks, err) : rc;
	if (rc != 0) {
		return rc;
	}
	draw_request(world, &request);
	struct pending *line = queue_take(&world->queue[WORLD_ACCESS]);
	if (line == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a line of the data set");
	}
	access_render(world, &request, line);
	queue_push(&world->queue[WORLD_ACCESS], line);
	return make_rows(world, &request, err);
}

static void sum_up(struct world *world)
{
	struct world_shape *shape = world->shape;
	bool seen[1024] = {false};
	for (size_t i = 0; i < PLAN_SESSIONS; i++) {
		uint32_t number = world->plan->sessions[i].number;
		shape->sessions += seen[number] ? 0 : 1;
		seen[number] = true;
	}
	shape->first_ms = world->begin_ticks / TICKS_PER_MS;
	shape->last_ms = world->now_ticks / TICKS_PER_MS;
	(void)memcpy(shape->bits, world->dice.bits, sizeof(shape->bits));
	for (size_t i = 0; i < PLAN_USERS; i++) { /* who never asks is not in the files */
		shape->bits[WORLD_TABLES] -= shape->user[i] == 0 && world->options.day == 0
						     ? (double)world->plan->users[i].bits
						     : 0;
	}
	(void)memcpy(shape->user_top, world->plan->users[6].email, sizeof(shape->user_top));
	(void)memcpy(shape->user_middle, world->plan->users[500].email, sizeof(shape->user_middle));
}

static int run(struct world *world, struct error *err)
{
	int rc = 0;
	for (uint64_t i = 0; rc == 0 && i < world->options.requests; i++) {
		rc = make_request(world, err);
	}
	rc = rc == 0 ? flush_until(world, INT64_MAX, err) : rc;
	sum_up(world);
	return rc;
}

int world_write(const struct world_options *options, const struct world_sink *sink,
		struct world_shape *out_shape, struct error *err)
{
	assert(options->requests >= 1);
	struct world *world = calloc(1, sizeof(*world));
	if (world == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the data set's writer");
	}
	*out_shape = (struct world_shape){0};
	world->options = *options;
	world->sink = *sink;
	world->shape = out_shape;
	world->order_counter = FIRST_ORDER + (uint64_t)options->day * (options->requests / 8);
	world->transaction = UINT64_C(8123456789) + options->day * options->requests * 4;
	world->begin_ticks = world->now_ticks = begin_at(options);
	world->adhoc_ticks = world->now_ticks;
	world->day_ticks = DAY_START + (int64_t)options->day * DAY_TICKS;
	dice_init(&world->dice, options->seed);
	world->plan = world_plan_new(&world->dice);
	if (options->day > 0) { /* the tables are those of the first day: known */
		dice_init(&world->dice, options->seed + options->day * UINT64_C(0x100000001));
	}
	int rc = world->plan == NULL ? error_set(err, ERR_NOMEM, "no memory for the plan")
				     : run(world, err);
	world_plan_free(world->plan);
	queue_done(&world->queue[WORLD_ACCESS]);
	queue_done(&world->queue[WORLD_AUDIT]);
	free(world);
	return rc;
}
