#include "tests/simulation/join-world.h"

#include "model/context.h"

#include <assert.h>
#include <stdio.h>

static const char *const extended[SMALL_IDS] = {
	"XaoAMEvFw=", "XboAMEvFw=", "XcoAMEvFw=", "XdoAMEvFw="};
static const char *const lambda[SMALL_IDS] = {
	"aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002",
	"aaaaaaaa-0000-4000-8000-000000000003", "aaaaaaaa-0000-4000-8000-000000000004"};
static const char *const request[SMALL_IDS] = {
	"bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002",
	"bbbbbbbb-0000-4000-8000-000000000003", "bbbbbbbb-0000-4000-8000-000000000004"};
static const char *const replaced = "bbbbbbbb-0000-4000-8000-000000000009_REPLACED_INVALID_"
				    "REQUEST_ID";
static const char *const users[SMALL_IDS] = {"alice", "bob", "carl", "d\xc3\xb3ra"};
static const char *const routes[2] = {"GET /open", "GET /closed/{id}"};
static const char *const logins[2] = {"svc_closed", "svc_open"};

uint64_t small_below(uint64_t *state, uint64_t limit)
{
	*state += 0x9e3779b97f4a7c15ULL;
	uint64_t mix = *state;
	mix = (mix ^ mix >> 30) * 0xbf58476d1ce4e5b9ULL;
	mix = (mix ^ mix >> 27) * 0x94d049bb133111ebULL;
	return (mix ^ mix >> 31) % limit;
}

static int number(uint64_t *state, int limit)
{
	return (int)small_below(state, (uint64_t)limit);
}

/* An id, or none in `missing` of ten cases. */
static int maybe(uint64_t *state, int missing)
{
	return number(state, 10) < missing ? -1 : number(state, SMALL_IDS);
}

static void make_line(struct small_world *world, int index, uint64_t *state)
{
	static const int64_t latencies[] = {0, 200, 500, 1000, 3000, 500, 1000, -1};
	struct small_line *line = &world->line[index];
	if (index > 0 && number(state, 8) == 0) {
		*line = world->line[number(state, index)]; /* the same request, logged twice */
		return;
	}
	line->time_ns = SMALL_T0 + number(state, 40) * 250 * SMALL_MS;
	line->latency_ms = latencies[number(state, 8)];
	/* Mostly consistent ids, so that matches are common; then one in five at random. */
	line->x = line->l = line->r = index % SMALL_IDS;
	line->x = number(state, 5) == 0 ? maybe(state, 4) : line->x;
	line->l = number(state, 5) == 0 ? maybe(state, 4) : line->l;
	line->r = number(state, 5) == 0 ? maybe(state, 4) : line->r;
	line->user = index % SMALL_IDS;
	line->user = number(state, 4) == 0 ? -1 : line->user;
	line->route = number(state, 3) - 1;
	line->status = number(state, 4) == 0 ? 403 : 200;
	line->replaced = number(state, 10) == 0;
	line->r = line->replaced ? -1 : line->r;
}

static enum small_signature maybe_signed(uint64_t *state)
{
	int dice = number(state, 8);
	return dice == 0 ? SMALL_BAD : dice == 1 ? SMALL_GOOD : SMALL_UNSIGNED;
}

/* Now and then an id or a user that has nothing to do with the line. */
static void spoil(struct small_claim *claim, uint64_t *state)
{
	if (number(state, 8) == 0) {
		claim->l = number(state, SMALL_IDS);
	}
	if (number(state, 16) == 0) {
		claim->user = number(state, SMALL_IDS);
	}
	claim->replaced = number(state, 12) == 0;
	if (claim->x < 0 && claim->l < 0 && claim->r < 0 && !claim->replaced) {
		claim->x = number(state, SMALL_IDS);
	}
	claim->r = claim->replaced ? -1 : claim->r;
}

/* A claim that mostly names this line. */
static struct small_claim make_claim(const struct small_world *world, int near, uint64_t *state)
{
	static const char *const shapes[] = {"xl", "xr", "x", "x", "x", "l", "r", "r"};
	struct small_claim claim = {.present = true, .x = -1, .l = -1, .r = -1, .user = -1};
	const struct small_line *line =
		&world->line[number(state, 4) > 0 ? near : number(state, world->line_count)];
	for (const char *kind = shapes[number(state, 8)]; *kind != '\0'; kind++) {
		claim.x = *kind == 'x' ? line->x : claim.x;
		claim.l = *kind == 'l' ? line->l : claim.l;
		claim.r = *kind == 'r' ? line->r : claim.r;
	}
	claim.user = number(state, 4) == 0 ? line->user : -1;
	spoil(&claim, state);
	claim.signature = maybe_signed(state);
	return claim;
}

static void make_row(struct small_world *world, int index, uint64_t *state)
{
	static const enum small_kind kinds[] = {SMALL_PLAIN, SMALL_PLAIN, SMALL_PLAIN, SMALL_PLAIN,
						SMALL_PLAIN, SMALL_TELLS, SMALL_SETS,  SMALL_KINDS};
	struct small_row *row = &world->row[index];
	*row = (struct small_row){.session = number(state, 4) - 1, .login = number(state, 3) - 1};
	int near = number(state, world->line_count);
	row->time_ns = SMALL_T0 - world->offset_ns + number(state, 200) * 60 * SMALL_MS;
	if (number(state, 4) > 0) {
		row->time_ns = world->line[near].time_ns - world->offset_ns +
			       (number(state, 26) - 2) * 40 * SMALL_MS;
	}
	row->sequence = index + 1;
	row->kind = kinds[number(state, 8)];
	if (row->kind == SMALL_KINDS) {
		row->kind = (enum small_kind)number(state, SMALL_KINDS);
	}
	row->by_info = number(state, 3) == 0;
	row->mixed = number(state, 3) == 0;
	row->duration_ms = number(state, 2) * 400;
	if (row->kind == SMALL_TELLS || row->kind == SMALL_SETS) {
		row->mark = make_claim(world, near, state);
	}
	if (row->kind == SMALL_SETS &&
	    (row->mark.signature != SMALL_UNSIGNED || row->mark.replaced)) {
		row->by_info = false; /* CONTEXT_INFO has 128 bytes, too few for these */
	}
	int column = number(state, 4);
	if (column == 0) {
		row->column = make_claim(world, near, state);
	}
	row->column_other = column == 1;
	if (number(state, 8) == 0) {
		row->application = (struct small_claim){.present = true,
							.bare = true,
							.x = -1,
							.l = number(state, SMALL_IDS),
							.r = -1,
							.user = -1};
	}
	if (number(state, 6) == 0) {
		row->comment = make_claim(world, near, state);
		const struct small_claim *made = &row->comment;
		row->comment.bare = made->x < 0 && made->l < 0 && made->user < 0 &&
				    made->signature == SMALL_UNSIGNED;
	}
}

static void put_claim(const struct small_world *world, const struct small_claim *claim,
		      struct buf *out)
{
	struct context context = {0};
	context.extended_request_id = str_of(claim->x < 0 ? NULL : extended[claim->x]);
	context.lambda_request_id = str_of(claim->l < 0 ? NULL : lambda[claim->l]);
	context.request_id = str_of(claim->replaced ? replaced
				    : claim->r < 0  ? NULL
						    : request[claim->r]);
	if (claim->user >= 0) {
		struct str user = str_of(users[claim->user]);
		memcpy(context.principal, user.ptr, user.len);
		context.principal_len = user.len;
	}
	struct str key = world->options.signing_key;
	if (claim->signature == SMALL_BAD) {
		key = STR_LIT("another key");
	} else if (claim->signature == SMALL_UNSIGNED) {
		key = (struct str){0};
	}
	context_put(&context, key, out);
}

static void put_set(const struct small_world *world, const struct small_row *row, struct buf *out)
{
	struct buf value;
	buf_init(&value, 0);
	if (row->kind == SMALL_SETS) {
		put_claim(world, &row->mark, &value);
	}
	if (row->by_info) {
		buf_put_text(out, "SET CONTEXT_INFO 0x");
		buf_put_hex(out, row->kind == SMALL_SETS ? buf_str(&value) : STR_LIT("\1\2\3"));
	} else if (row->kind == SMALL_SETS) {
		buf_putf(out, "EXEC sp_set_session_context N'querytrail', N'%.*s'",
			 STR_ARG(buf_str(&value)));
	} else {
		buf_put_text(out, row->sequence % 2 == 0
					  ? "EXEC sp_set_session_context N'querytrail', NULL"
					  : "EXEC sp_set_session_context N'querytrail', @value");
	}
	buf_put_text(out, row->mixed ? "; SELECT 1" : "");
	buf_done(&value);
}

static const char *action_of(enum small_kind kind)
{
	switch (kind) {
	case SMALL_PLAIN:
		return "SL";
	case SMALL_TELLS:
	case SMALL_TELLS_NONE:
	case SMALL_TELLS_OTHER:
		return "UDAU";
	case SMALL_SETS:
	case SMALL_CLEARS:
		return "BCM";
	case SMALL_LOGIN:
		return "LGIS";
	case SMALL_LOGOUT:
		return "LGO ";
	case SMALL_KINDS:
		break;
	}
	return "";
}

static struct str keep(char *out, struct buf *text)
{
	assert(!text->failed && text->len < SMALL_TEXT);
	if (text->len > 0) {
		memcpy(out, text->ptr, text->len);
	}
	struct str kept = str_make(out, text->len);
	buf_clear(text);
	return kept;
}

static void write_statement(const struct small_world *world, const struct small_row *row,
			    struct buf *text)
{
	if (row->comment.present && !row->comment.bare) {
		buf_put_text(text, "/* ");
		put_claim(world, &row->comment, text);
		buf_put_text(text, " */ ");
	} else if (row->comment.present && !row->comment.replaced) {
		buf_putf(text, "/*request_id=%s*/ ", request[row->comment.r]);
	} else if (row->comment.present) {
		buf_putf(text, "/*request_id=%s*/ ", replaced);
	}
	if (row->kind == SMALL_SETS || row->kind == SMALL_CLEARS) {
		put_set(world, row, text);
	} else {
		buf_put_text(text, "SELECT 1");
	}
}

static void write_row(struct small_world *world, int index)
{
	const struct small_row *row = &world->row[index];
	struct record *record = &world->record[world->line_count + index];
	char(*into)[SMALL_TEXT] = world->text[world->line_count + index];
	struct buf text;
	buf_init(&text, 0);
	record_init(record, RECORD_STATEMENT);
	record->source = STR_LIT("db");
	buf_putf(&text, "row%d", index);
	record->key = keep(into[0], &text);
	record->time_ns = row->time_ns;
	record_set_text(record, FIELD_action, str_of(action_of(row->kind)));
	write_statement(world, row, &text);
	record_set_text(record, FIELD_statement, keep(into[1], &text));
	if (row->column.present) {
		buf_put_text(&text, "{\"tenant\":\"no\",\"querytrail\":\"");
		put_claim(world, &row->column, &text);
		buf_put_text(&text, "\"}");
		record_set_text(record, FIELD_session_context, keep(into[2], &text));
	} else if (row->column_other) {
		record_set_text(record, FIELD_session_context, STR_LIT("{}"));
	}
	if (row->kind == SMALL_TELLS) {
		put_claim(world, &row->mark, &text);
	} else if (row->kind == SMALL_TELLS_OTHER) {
		buf_put_text(&text, "nightly job done");
	} else if (row->kind == SMALL_TELLS_NONE) {
		buf_put_text(&text, row->sequence % 2 == 0 ? "qt0" : "qt1 z=");
	}
	if (text.len > 0) {
		record_set_text(record, FIELD_user_defined_information, keep(into[3], &text));
	}
	if (row->application.present) {
		buf_putf(&text, "lambda:orders:%s", lambda[row->application.l]);
		record_set_text(record, FIELD_application, keep(into[4], &text));
	}
	if (row->login >= 0) {
		record_set_text(record, FIELD_principal, str_of(logins[row->login]));
	}
	if (row->session >= 0) {
		record_set_number(record, FIELD_session_id, 51 + row->session);
	}
	record_set_number(record, FIELD_duration_ms, row->duration_ms);
	record_set_number(record, FIELD_sequence, row->sequence);
	buf_done(&text);
}

static void write_line(struct small_world *world, int index)
{
	const struct small_line *line = &world->line[index];
	struct record *record = &world->record[index];
	record_init(record, RECORD_REQUEST);
	record->source = STR_LIT("api");
	(void)snprintf(world->text[index][0], SMALL_TEXT, "line%d", index); /* fits */
	record->key = str_of(world->text[index][0]);
	record->time_ns = line->time_ns;
	if (line->x >= 0) {
		record_set_text(record, FIELD_extended_request_id, str_of(extended[line->x]));
	}
	if (line->l >= 0) {
		record_set_text(record, FIELD_lambda_request_id, str_of(lambda[line->l]));
	}
	if (line->r >= 0 || line->replaced) {
		record_set_text(record, FIELD_request_id,
				str_of(line->replaced ? replaced : request[line->r]));
	}
	if (line->user >= 0) {
		record_set_text(record, FIELD_user, str_of(users[line->user]));
	}
	if (line->route >= 0) {
		record_set_text(record, FIELD_route, str_of(routes[line->route]));
	}
	if (line->latency_ms >= 0) {
		record_set_number(record, FIELD_latency_ms, line->latency_ms);
	}
	record_set_number(record, FIELD_status, line->status);
}

void small_world_make(struct small_world *world, uint64_t seed)
{
	uint64_t state = seed * 2 + 1;
	*world = (struct small_world){0};
	world->offset_ns = number(&state, 3) * 700 * SMALL_MS - 700 * SMALL_MS;
	world->clock =
		(struct join_server_clock){.source = STR_LIT("db"), .offset_ns = world->offset_ns};
	world->principal = STR_LIT("SVC_closed*");
	world->rule = (struct join_route_rule){.route = STR_LIT("GET /closed/*"),
					       .principals = &world->principal,
					       .principal_count = 1};
	world->options = (struct join_options){
		.tolerance_ns = 100 * SMALL_MS,
		.slack_ns = 2000 * SMALL_MS,
		.provisional_ns = 1000 * SMALL_MS,
		.signing_key = STR_LIT("the key"),
		.require_signature = number(&state, 10) == 0,
		.routes = &world->rule,
		.route_count = number(&state, 2) == 0 ? 1 : 0,
		.clocks = &world->clock,
		.clock_count = 1,
		.max_records = 1000,
	};
	world->line_count = 1 + number(&state, SMALL_LINES_MAX);
	world->row_count = 1 + number(&state, SMALL_ROWS_MAX);
	for (int i = 0; i < world->line_count; i++) {
		make_line(world, i, &state);
		write_line(world, i);
	}
	for (int i = 0; i < world->row_count; i++) {
		make_row(world, i, &state);
		write_row(world, i);
	}
}
