#include "tests/sim/world-state.h"

#include "model/context.h"

#include <assert.h>
#include <stdlib.h>

struct work { /* one request while it runs */
	struct world *world;
	struct session *session;
	const struct service *service;
	uint32_t index;
	int64_t now_ns;
	int64_t carried; /* whose id statements without an own carrier are found to carry */
	bool comment;    /* this request writes comments */
};

static bool refused(uint16_t status)
{
	return status == 400 || status == 401 || status == 403;
}

/* Whether the fault makes a difference that the truth can tell in this service. */
static bool fault_fits(uint8_t fault, uint8_t service)
{
	switch (fault) {
	case FAULT_REPLACED:
	case FAULT_HUGE:
		return true;
	case FAULT_FORGED_ID:
		return service == SERVICE_LEGACY;
	case FAULT_SIGNATURE:
		return service == SERVICE_CRM;
	default:
		return service == SERVICE_ORDERS || service == SERVICE_CRM;
	}
}

static uint8_t choose_fault(struct world *world, uint16_t route, uint16_t status)
{
	struct chance *chance = &world->chance;
	if (refused(status) || company_route(route)->template_count == 0) {
		bool forges = world->options.hostile && status == 403;
		return forges && chance_permille(chance, 300) ? FAULT_REFUSED : FAULT_NONE;
	}
	if (chance_permille(chance, world->options.stale_permille)) {
		return FAULT_FORGETS;
	}
	if (!world->options.hostile || !chance_permille(chance, 20)) {
		return FAULT_NONE;
	}
	static const uint8_t faults[] = {FAULT_REPLACED, FAULT_FORGED_ID, FAULT_EXTENDED,
					 FAULT_LOGIN,    FAULT_ASYNC,     FAULT_BACKGROUND,
					 FAULT_HUGE,     FAULT_PRINCIPAL, FAULT_SIGNATURE};
	uint8_t fault = faults[chance_below(chance, sizeof(faults))];
	return fault_fits(fault, company_route(route)->service) ? fault : FAULT_NONE;
}

static uint16_t choose_status(struct chance *chance)
{
	static const struct {
		uint16_t status, permille;
	} table[] = {{404, 15}, {403, 10}, {400, 10}, {500, 6}, {401, 4}};
	uint64_t dice = chance_below(chance, 1000);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (dice < table[i].permille) {
			return table[i].status;
		}
		dice -= table[i].permille;
	}
	return 200;
}

static int compare_times(const void *a, const void *b)
{
	const struct world_request *x = a, *y = b;
	int by_time = (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
	return by_time != 0
		       ? by_time
		       : (x->ingestion_ns > y->ingestion_ns) - (x->ingestion_ns < y->ingestion_ns);
}

static void plan_request(struct world *world, uint32_t index)
{
	struct chance *chance = &world->chance;
	struct note *note = &world->notes[index];
	struct world_request *request = &world->requests[index];
	/* the last route is the export of the incident, which nobody else calls */
	note->route = (uint16_t)chance_zipf(chance, ROUTES - 1);
	const struct route *route = company_route(note->route);
	uint32_t count = world->user_count[route->user_kind];
	note->user = &world->users[route->user_kind][chance_zipf(chance, count)];
	note->path_id = route->path[1] == 'c' ? 100000 + (int64_t)chance_below(chance, 900000)
					      : 71000000 + (int64_t)chance_below(chance, 50000);
	request->status = choose_status(chance);
	note->fault = choose_fault(world, note->route, request->status);
	note->lost =
		note->fault == FAULT_NONE && chance_permille(chance, world->options.lost_permille);
}

void requests_plan(struct world *world)
{
	struct chance *chance = &world->chance;
	const struct world_options *options = &world->options;
	/* the end stays free, so that every statement of a request lies before to_ns */
	int64_t span = options->to_ns - options->from_ns;
	int64_t tail = span > 20 * NS_PER_SEC ? 2 * NS_PER_SEC : span / 10;
	uint32_t incident = incident_count(world);
	for (uint32_t i = 0; i < world->request_count; i++) {
		int64_t at = options->from_ns + chance_between(chance, 0, span - tail);
		struct world_request *request = &world->requests[i];
		request->time_ns = i < incident ? incident_time(world, i) : at - at % NS_PER_MS;
		request->ingestion_ns =
			i < incident ? (int64_t)i : -1; /* until the request is performed */
	}
	if (world->request_count > 0) {
		qsort(world->requests, world->request_count, sizeof(world->requests[0]),
		      compare_times);
	}
	for (uint32_t i = 0; i < world->request_count; i++) {
		int64_t ordinal = world->requests[i].ingestion_ns;
		if (ordinal >= 0) {
			incident_request(world, i, (uint32_t)ordinal);
		} else {
			plan_request(world, i);
		}
	}
}

/* An attacker or a broken gateway gives the request ids of an earlier one. */
static void copy_ids(struct world *world, uint32_t index, int64_t earlier)
{
	struct world_request *request = &world->requests[index];
	struct note *note = &world->notes[index];
	if (note->fault == FAULT_FORGED_ID) {
		request->request_id = world->requests[earlier].request_id;
		note->id_reused = world->notes[earlier].id_reused = true;
	} else if (note->fault == FAULT_EXTENDED) {
		request->extended_request_id = world->requests[earlier].extended_request_id;
		note->extended_reused = world->notes[earlier].extended_reused = true;
	}
}

static void give_ids(struct world *world, uint32_t index)
{
	struct world_request *request = &world->requests[index];
	struct note *note = &world->notes[index];
	int64_t *earlier = &world->last_plain[company_route(note->route)->service];
	struct buf *text = &world->text;
	uint8_t bytes[11];
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	buf_clear(text);
	chance_bytes(&world->chance, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		buf_put_byte(text, (uint8_t)base64[bytes[i] % 64]);
	}
	buf_put_text(text, "oAMEvFw=");
	request->extended_request_id = world_keep(world, text);
	chance_put_uuid(&world->chance, text);
	buf_put_text(text, note->fault == FAULT_REPLACED ? "_REPLACED_INVALID_REQUEST_ID" : "");
	request->request_id = world_keep(world, text);
	if (!refused(request->status)) {
		chance_put_uuid(&world->chance, text);
		request->lambda_request_id = world_keep(world, text);
	}
	if (*earlier >= 0) {
		copy_ids(world, index, *earlier);
	}
	bool plain = note->fault == FAULT_NONE && !note->lost && !note->incident;
	if (plain && !refused(request->status)) {
		*earlier = index;
		world->victim = chance_permille(&world->chance, 100) ? index : world->victim;
	}
}

/* The user that the context names: the request's, or somebody else who asks at the same desk. */
static struct str context_user(const struct work *work)
{
	const struct note *note = &work->world->notes[work->index];
	const struct user *first = &work->world->users[note->user->kind][0];
	const struct user *other = note->user == first ? first + 1 : first;
	return note->fault == FAULT_PRINCIPAL ? other->name : note->user->name;
}

static void put_context(const struct work *work, struct buf *out)
{
	const struct world_request *request = &work->world->requests[work->index];
	enum carrier carrier = work->service->carrier;
	struct context context = {.time_ms = work->now_ns / NS_PER_MS};
	context.lambda_request_id = request->lambda_request_id;
	if (carrier != CARRIER_LAMBDA) {
		struct str user = context_user(work);
		context.extended_request_id = request->extended_request_id;
		context.request_id = request->request_id;
		assert(user.len <= sizeof(context.principal));
		memcpy(context.principal, user.ptr, user.len);
		context.principal_len = user.len;
	}
	struct str key = carrier == CARRIER_SIGNED ? work->world->signing_key : (struct str){0};
	if (work->world->notes[work->index].fault == FAULT_SIGNATURE) {
		key = STR_LIT("the key of another environment");
	}
	context_put(&context, key, out);
}

/* Sends the context to the database in the service's way. */
static void begin_context(struct work *work)
{
	struct world *world = work->world;
	struct session *session = work->session;
	enum carrier carrier = work->service->carrier;
	if (carrier == CARRIER_APP || carrier == CARRIER_COMMENT || carrier == CARRIER_NONE) {
		return;
	}
	struct buf *text = &world->text;
	buf_clear(text);
	put_context(work, text);
	struct str value = world_keep(world, text);
	session->context_request = work->index;
	work->carried = work->index;
	if (carrier != CARRIER_AUDIT && carrier != CARRIER_REPLAY) {
		buf_putf(text, "{%s\"querytrail\":\"%.*s\"}",
			 carrier == CARRIER_JSON ? "\"tenant\":\"no\"," : "", STR_ARG(value));
		session->context = world_keep(world, text);
		return;
	}
	struct draft *draft = world_draft(world, session, work->now_ns);
	draft->cause = draft->carried = work->index;
	draft->carrier = carrier;
	draft->any = true;
	draft->why = "carries the context";
	if (carrier == CARRIER_AUDIT) {
		draft->row.action_id = STR_LIT("UDAU");
		draft->row.user_defined_event_id = 7;
		draft->row.user_defined_information = value;
	} else {
		draft->row.action_id = STR_LIT("BCM");
		buf_putf(text, "EXEC sp_set_session_context N'querytrail', N'%.*s'",
			 STR_ARG(value));
		draft->row.statement_text = world_keep(world, text);
	}
	work->now_ns = session->row_ns + chance_between(&world->chance, 100000, 700000);
}

/* Takes the context away again, which middleware sometimes forgets. */
static void end_context(struct work *work)
{
	struct world *world = work->world;
	struct session *session = work->session;
	enum carrier carrier = work->service->carrier;
	if (session->context_request < 0 ||
	    chance_permille(&world->chance, world->options.stale_permille > 0 ? 300 : 0)) {
		return;
	}
	session->context_request = -1;
	session->context = carrier == CARRIER_AUDIT || carrier == CARRIER_REPLAY ? (struct str){0}
										 : STR_LIT("{}");
	if (carrier != CARRIER_AUDIT && carrier != CARRIER_REPLAY) {
		return;
	}
	struct draft *draft = world_draft(world, session, work->now_ns);
	draft->cause = work->index;
	draft->carrier = carrier;
	draft->any = true;
	draft->why = "clears the context";
	if (carrier == CARRIER_AUDIT) {
		draft->row.action_id = STR_LIT("UDAU");
		draft->row.user_defined_event_id = 7;
	} else {
		draft->row.action_id = STR_LIT("BCM");
		draft->row.statement_text =
			STR_LIT("EXEC sp_set_session_context N'querytrail', NULL");
	}
	work->now_ns = session->row_ns + chance_between(&world->chance, 100000, 700000);
}

static void put_huge(struct world *world, const struct table *table, struct buf *out)
{
	/* one in eight has about 200 KB, the others a few parts */
	size_t size = chance_permille(&world->chance, 125)
			      ? 200000
			      : 4100 + chance_below(&world->chance, 12000);
	size_t start = out->len;
	buf_putf(out, "SELECT * FROM %s.%s WHERE Id IN (", table->schema, table->name);
	while (out->len - start < size) {
		buf_putf(out, "%u, ", 71000000 + (unsigned)chance_below(&world->chance, 50000));
		buf_put_text(out,
			     chance_permille(&world->chance, 20) ? "/* \xf0\x9f\x9a\x9a */ " : "");
	}
	buf_put_text(out, "0)");
}

static void put_trace(struct chance *chance, struct buf *out)
{
	buf_put_text(out, "traceparent='00-");
	chance_put_hex(chance, 32, out);
	buf_put_byte(out, '-');
	chance_put_hex(chance, 16, out);
	buf_put_text(out, "-01'");
}

static void put_comment(const struct work *work, bool leading, struct buf *out)
{
	const struct world_request *request = &work->world->requests[work->index];
	bool sqlcommenter = work->index % 2 == 1;
	if (work->service->carrier == CARRIER_NONE && sqlcommenter && !leading) {
		/* an agent for performance says which trace, which tells nobody which request */
		buf_put_text(out, " /*");
		put_trace(&work->world->chance, out);
		buf_put_text(out, "*/");
	}
	if (!work->comment || leading == sqlcommenter) {
		return;
	}
	if (leading) {
		buf_putf(out, "/*request_id='%.*s'*/ ", STR_ARG(request->request_id));
		return;
	}
	buf_putf(out, " /*request_id='%.*s',", STR_ARG(request->request_id));
	put_trace(&work->world->chance, out);
	buf_put_text(out, "*/");
}

static struct draft *run_template(struct work *work, const struct template *template)
{
	struct world *world = work->world;
	const struct note *note = &world->notes[work->index];
	struct literal literal = {.path_id = note->path_id,
				  .page_size = note->page_size,
				  .time_ns = work->now_ns,
				  .hostile = world->options.hostile && !note->incident};
	struct draft *draft = world_draft(world, work->session, work->now_ns);
	const struct table *table = company_table(template->table);
	struct buf *text = &world->text;
	buf_clear(text);
	put_comment(work, true, text);
	if (note->fault == FAULT_HUGE && template->action[0] == 'S') {
		put_huge(world, table, text);
	} else {
		literal_fill(world, template->text, &literal, text);
	}
	put_comment(work, false, text);
	draft->row.statement_text = world_keep(world, text);
	draft->row.action_id = str_of(template->action);
	draft->row.class_type = template->action[0] == 'E' ? STR_LIT("P ") : STR_LIT("U ");
	draft->row.database = str_of(table->database);
	draft->row.schema = str_of(table->schema);
	draft->row.object = str_of(table->name);
	draft->row.object_id = company_object_id(table);
	bool reads = template->action[0] == 'S';
	int64_t rows = 1 + (int64_t)chance_lognormal(&world->chance, reads ? 4.0 : 0.2, 1.2);
	draft->row.response_rows = reads ? (note->page_size > 0 ? note->page_size : rows) : 0;
	draft->row.affected_rows = rows;
	draft->row.duration_ms = (int64_t)chance_lognormal(&world->chance, 6.0, 0.8);
	draft->row.succeeded = !chance_permille(&world->chance, 3);
	draft->cause = work->index;
	draft->carried = work->comment ? work->index : work->carried;
	draft->carrier = work->service->carrier;
	work->now_ns = work->session->row_ns + draft->row.duration_ms * NS_PER_MS +
		       chance_between(&world->chance, 200000, 1000000);
	return draft;
}

static void run_statements(struct work *work)
{
	struct world *world = work->world;
	const struct note *note = &world->notes[work->index];
	const struct route *route = company_route(note->route);
	size_t odd = note->fault == FAULT_LOGIN
			     ? chance_below(&world->chance, route->template_count)
			     : SIZE_MAX;
	for (size_t i = 0; i < route->template_count; i++) {
		const struct template *template = company_template(route->templates[i]);
		uint64_t repeat = chance_permille(&world->chance, 200) && note->page_size == 0
					  ? 1 + chance_below(&world->chance, 3)
					  : 1;
		for (uint64_t n = 0; n < repeat; n++) {
			struct draft *draft = run_template(work, template);
			if (i == odd) {
				draft->row.principal = STR_LIT(REPORTS_LOGIN);
				draft->row.db_user = STR_LIT(REPORTS_LOGIN);
				draft->row.session_principal = STR_LIT(REPORTS_LOGIN);
				draft->why = "runs under a login that does not fit the route";
			}
		}
	}
}

/* A statement that the function started and did not wait for. */
static void run_after(struct work *work)
{
	struct world *world = work->world;
	const struct note *note = &world->notes[work->index];
	const struct route *route = company_route(note->route);
	if (note->fault == FAULT_ASYNC) {
		work->now_ns += 500 * NS_PER_MS + chance_between(&world->chance, 0, 3 * NS_PER_SEC);
	} else {
		work->now_ns += 10 * NS_PER_SEC;
	}
	if (work->now_ns + NS_PER_SEC < world->options.to_ns) {
		(void)run_template(work,
				   company_template(route->templates[0])); /* only the row counts */
	}
}

/* The session of the request. *out_forgets stays true only if nothing of another request can be taken for its own: a context
 * that is younger than the slack would name the wrong person with reason. */
static struct session *begin_session(struct work *work, bool *out_forgets)
{
	struct world *world = work->world;
	const struct note *note = &world->notes[work->index];
	uint8_t service = company_route(note->route)->service;
	const struct world_request *request = &world->requests[work->index];
	bool forgets = note->fault == FAULT_FORGETS;
	struct session *session = NULL;
	if (work->service->carrier == CARRIER_APP) {
		struct buf *text = &world->text;
		buf_clear(text);
		buf_putf(text, "lambda:%s:%.*s", work->service->name,
			 STR_ARG(request->lambda_request_id));
		*out_forgets = false;
		return session_open(world, service, world_keep(world, text), work->index,
				    work->now_ns);
	}
	if (forgets) {
		session = session_take(world, service, work->now_ns, true);
	}
	if (session == NULL) {
		session = session_take(world, service, work->now_ns, false);
		forgets = forgets && session != NULL && session->context_request < 0;
	}
	*out_forgets = forgets;
	return session;
}

static void run(struct work *work)
{
	struct world *world = work->world;
	const struct note *note = &world->notes[work->index];
	bool forgets = false;
	work->session = begin_session(work, &forgets);
	if (work->session == NULL) {
		return; /* world->failed is set */
	}
	int64_t ready_ns = work->session->row_ns + chance_between(&world->chance, 50000, 400000);
	work->now_ns = work->now_ns > ready_ns ? work->now_ns : ready_ns;
	enum carrier carrier = work->service->carrier;
	work->comment = carrier == CARRIER_COMMENT && !forgets;
	work->carried = carrier == CARRIER_APP ? work->index : work->session->context_request;
	if (!forgets) {
		begin_context(work);
	}
	run_statements(work);
	struct world_request *request = &world->requests[work->index];
	int64_t overhead = chance_between(&world->chance, 1, 6) * NS_PER_MS;
	bool after = note->fault == FAULT_ASYNC || note->fault == FAULT_BACKGROUND;
	if (!after && !forgets) {
		end_context(work);
	}
	int64_t end = work->now_ns + overhead;
	request->end_ns = end - end % NS_PER_MS + NS_PER_MS;
	if (after) {
		work->now_ns = request->end_ns;
		run_after(work);
		end_context(work);
	}
	if (carrier == CARRIER_APP) {
		session_close(world, work->session, work->now_ns);
	} else {
		work->session->free_ns =
			work->now_ns > request->end_ns ? work->now_ns : request->end_ns;
	}
}

void request_perform(struct world *world, uint32_t index)
{
	struct world_request *request = &world->requests[index];
	struct note *note = &world->notes[index];
	const struct route *route = company_route(note->route);
	struct chance *chance = &world->chance;
	give_ids(world, index);
	request->user = note->user->name;
	buf_clear(&world->text);
	buf_putf(&world->text, "%s %s", route->method, route->path);
	request->route = world_keep(world, &world->text);
	struct work work = {.world = world,
			    .index = index,
			    .service = company_service(route->service),
			    .now_ns = request->time_ns +
				      (int64_t)(chance_lognormal(chance, 3.0, 0.5) * 1e6)};
	request->end_ns = request->time_ns + chance_between(chance, 1, 20) * NS_PER_MS;
	bool ran = request->lambda_request_id.len > 0;
	if (ran && route->template_count > 0) {
		run(&work);
	}
	bool late = chance_permille(chance, world->options.late_permille);
	int64_t lag = (int64_t)(chance_lognormal(chance, 2.5, 0.6) * 1e9);
	request->ingestion_ns = request->end_ns + lag;
	if (late && world->options.late_max_ns > 0) {
		request->ingestion_ns += chance_between(chance, 0, world->options.late_max_ns);
	}
	request->visible_ns =
		note->lost ? INT64_MAX : world_visible(&world->options, request->ingestion_ns);
	access_line_write(world, index);
}
