#include "tests/sim/world.h"

#include "tests/sim/world-state.h"

#include <assert.h>
#include <stdlib.h>

#define ARENA_MAX       (UINT64_C(1) << 36)
#define REQUESTS_MAX    2000000
#define JOB_INTERVAL_NS (6 * NS_PER_HOUR)

enum visit { VISIT_STAFF, VISIT_JOB, VISIT_ATTACK, VISIT_BYPASS };

struct plan { /* a visit that no request causes */
	int64_t time_ns;
	enum visit visit;
};

int64_t world_visible(const struct world_options *options, int64_t time_ns)
{
	if (options->visible_speed <= 0 || time_ns <= options->visible_base_ns) {
		return 0;
	}
	int64_t wall =
		options->wall_start_ns != 0 ? options->wall_start_ns : options->visible_base_ns;
	return wall +
	       (int64_t)((double)(time_ns - options->visible_base_ns) / options->visible_speed);
}

struct str world_keep(struct world *world, struct buf *buf)
{
	struct str kept = {0};
	if (buf->failed || arena_str(&world->arena, buf_str(buf), &kept) != 0) {
		world->failed = true;
		kept = STR_LIT("");
	}
	buf_clear(buf);
	return kept;
}

static struct draft *new_draft(struct world *world)
{
	if (world->draft_count == world->draft_capacity) {
		uint32_t wanted = world->draft_capacity > 0 ? world->draft_capacity * 2 : 1024;
		void *grown = reallocarray(world->drafts, wanted, sizeof(world->drafts[0]));
		if (grown == NULL) {
			world->failed = true;
			return &world->spare;
		}
		world->drafts = grown;
		world->draft_capacity = wanted;
	}
	return &world->drafts[world->draft_count++];
}

struct draft *world_draft(struct world *world, struct session *session, int64_t time_ns)
{
	struct draft *draft = new_draft(world);
	/* no two rows of a session share a time, so that what follows what is never in doubt */
	int64_t after = session->row_ns + 30 * NS_PER_US;
	time_ns = time_ns > after ? time_ns : after;
	time_ns -= time_ns % 100;
	session->row_ns = time_ns;
	world->transaction_id += 1 + (int64_t)chance_below(&world->chance, 3);
	struct str empty = STR_LIT("");
	*draft = (struct draft){
		.cause = -1,
		.carried = -1,
		.carrier = CARRIER_NONE,
		.row = {.time_ns = time_ns,
			.action_id = empty,
			.class_type = STR_LIT("DB"),
			.succeeded = true,
			.session_id = session->id,
			.transaction_id = world->transaction_id,
			.session_principal = session->login,
			.principal = session->login,
			.db_user = session->login,
			.server = STR_LIT(SERVER_NAME),
			.database =
				session->service < SERVICES ? STR_LIT("Shop") : STR_LIT("master"),
			.schema = empty,
			.object = empty,
			.statement_text = empty,
			.additional_information = empty,
			.user_defined_information = empty,
			.client_ip = session->client_ip,
			.application = session->application,
			.host = session->host,
			.session_context = session->context},
	};
	memcpy(draft->row.connection_id, session->connection_id, 16);
	chance_bytes(&world->chance, draft->row.sequence_group_id, 16);
	return draft;
}

static void make_identity(struct world *world)
{
	struct buf *text = &world->text;
	buf_clear(text);
	buf_put_text(text, "identity:\n  user: [authorizer.claims.email, identity.userArn, "
			   "identity.apiKeyId]\n  routes:\n");
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *route = company_route(i);
		buf_putf(text, "    \"%s %s\": [%s]\n", route->method, route->path,
			 company_service(route->service)->login);
	}
	world->identity = world_keep(world, text);
	chance_put_hex(&world->chance, 64, text);
	world->signing_key = world_keep(world, text);
	world->format = str_of(access_line_format());
}

static void make_users(struct world *world)
{
	uint32_t customers = world->request_count / 20 + 20;
	world->user_count[USER_CUSTOMER] = customers < 5000 ? customers : 5000;
	world->user_count[USER_STAFF] = 30;
	world->user_count[USER_IAM] = 12;
	world->user_count[USER_KEY] = 10;
	for (int kind = 0; kind < USER_KINDS; kind++) {
		world->users[kind] = company_users(&world->arena, &world->chance,
						   (enum user_kind)kind, world->user_count[kind]);
		world->failed = world->failed || world->users[kind] == NULL;
	}
}

static int compare_plans(const void *a, const void *b)
{
	const struct plan *x = a, *y = b;
	int by_time = (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
	return by_time != 0 ? by_time : (int)x->visit - (int)y->visit;
}

static void add_plan(struct plan *plans, size_t *count, int64_t time_ns, enum visit visit)
{
	plans[(*count)++] = (struct plan){time_ns, visit};
}

/* All visits in order of time; *out_count of them. The caller frees. NULL without memory. */
static struct plan *plan_visits(struct world *world, size_t *out_count)
{
	const struct world_options *options = &world->options;
	int64_t span = options->to_ns - options->from_ns;
	size_t staff = world->request_count / 200 + 2;
	size_t jobs = (size_t)(span / JOB_INTERVAL_NS) + 1;
	size_t attacks = world->request_count / 1000 + 1;
	struct plan *plans = calloc(staff + jobs + attacks + 1, sizeof(plans[0]));
	size_t count = 0;
	if (plans == NULL) {
		world->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < staff; i++) {
		add_plan(plans, &count,
			 options->from_ns + chance_between(&world->chance, 0, span / 2),
			 VISIT_STAFF);
	}
	for (size_t i = 0; i < jobs; i++) {
		add_plan(plans, &count,
			 options->from_ns + span / 3 + (int64_t)i * span / 3 / (int64_t)jobs,
			 VISIT_JOB);
	}
	for (size_t i = 0; i < attacks; i++) {
		int64_t half = span / 2;
		add_plan(plans, &count,
			 options->from_ns + half + chance_between(&world->chance, 0, half / 2),
			 VISIT_ATTACK);
	}
	if (incident_count(world) > 0) {
		add_plan(plans, &count, incident_bypass_time(world), VISIT_BYPASS);
	}
	qsort(plans, count, sizeof(plans[0]), compare_plans);
	*out_count = count;
	return plans;
}

static void perform_visit(struct world *world, const struct plan *plan)
{
	switch (plan->visit) {
	case VISIT_STAFF:
		staff_visit(world, plan->time_ns);
		break;
	case VISIT_JOB:
		staff_job(world, plan->time_ns);
		break;
	case VISIT_ATTACK:
		staff_attack(world, plan->time_ns);
		break;
	case VISIT_BYPASS:
		staff_bypass(world, plan->time_ns);
		break;
	}
}

static void perform_all(struct world *world)
{
	size_t visit_count = 0, visit = 0;
	struct plan *plans = plan_visits(world, &visit_count);
	for (uint32_t i = 0; i < world->request_count && !world->failed; i++) {
		while (visit < visit_count && plans[visit].time_ns <= world->requests[i].time_ns) {
			perform_visit(world, &plans[visit++]);
		}
		request_perform(world, i);
	}
	while (visit < visit_count && !world->failed) {
		perform_visit(world, &plans[visit++]);
	}
	free(plans);
}

static bool allocate(struct world *world)
{
	size_t count = world->request_count + 1;
	world->requests = calloc(count, sizeof(world->requests[0]));
	world->notes = calloc(count, sizeof(world->notes[0]));
	world->id_free_ns = calloc(SESSIONS_MAX, sizeof(world->id_free_ns[0]));
	if (world->requests == NULL || world->notes == NULL || world->id_free_ns == NULL) {
		return false;
	}
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		world->id_free_ns[i] = INT64_MIN;
	}
	return true;
}

struct world *world_new(const struct world_options *options)
{
	assert(options->request_count <= REQUESTS_MAX &&
	       options->to_ns - options->from_ns >= NS_PER_SEC);
	struct world *world = calloc(1, sizeof(*world));
	if (world == NULL) {
		return NULL;
	}
	world->options = *options;
	world->request_count = options->request_count;
	world->victim = -1;
	for (size_t i = 0; i < SERVICES; i++) {
		world->last_plain[i] = -1;
	}
	world->transaction_id = 771204;
	arena_init(&world->arena, ARENA_MAX);
	buf_init(&world->text, 0);
	chance_init(&world->chance, options->seed);
	world->failed = !allocate(world);
	make_identity(world);
	make_users(world);
	if (!world->failed) {
		requests_plan(world);
		perform_all(world);
		files_lay_out(world);
		incident_tell(world);
	}
	session_free_all(world);
	free(world->drafts);
	world->drafts = NULL;
	if (world->failed) {
		world_free(world);
		return NULL;
	}
	return world;
}

void world_free(struct world *world)
{
	if (world == NULL) {
		return;
	}
	free(world->requests);
	free(world->notes);
	free(world->id_free_ns);
	free(world->drafts);
	free(world->rows);
	free(world->statements);
	free(world->files);
	buf_done(&world->text);
	arena_done(&world->arena);
	free(world);
}

struct world_options world_defaults(uint64_t seed, uint32_t request_count, int64_t now_ns)
{
	return (struct world_options){
		.seed = seed,
		.request_count = request_count,
		.from_ns = now_ns - NS_PER_DAY,
		.to_ns = now_ns,
		.stale_permille = 5,
		.lost_permille = 2,
		.hostile = true,
		.incident = true,
	};
}

const struct world_request *world_requests(const struct world *world, uint32_t *out_count)
{
	*out_count = world->request_count;
	return world->requests;
}

const struct world_row *world_rows(const struct world *world, uint32_t *out_count)
{
	*out_count = world->row_count;
	return world->rows;
}

const struct world_statement *world_statements(const struct world *world, uint32_t *out_count)
{
	*out_count = world->draft_count;
	return world->statements;
}

const struct world_file *world_files(const struct world *world, uint32_t *out_count)
{
	*out_count = world->file_count;
	return world->files;
}

struct str world_format(const struct world *world)
{
	return world->format;
}

struct str world_audit(const struct world *world)
{
	(void)world; /* one company, one audit */
	return STR_LIT(AUDIT_NAME);
}

struct str world_server(const struct world *world)
{
	(void)world; /* one company, one server */
	return STR_LIT(SERVER_NAME);
}

struct str world_signing_key(const struct world *world)
{
	return world->signing_key;
}

struct str world_identity_yaml(const struct world *world)
{
	return world->identity;
}

struct world_story world_story(const struct world *world)
{
	return world->story;
}
