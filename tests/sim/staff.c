#include "tests/sim/world-state.h"

#include <assert.h>

struct person {
	const char *login, *host, *application;
};

static const struct person persons[] = {
	{BYPASS_LOGIN, "LT-0457", "Microsoft SQL Server Management Studio - Query"},
	{"FJORD\\ingrid.dba", "LT-0112", "Microsoft SQL Server Management Studio - Query"},
	{"FJORD\\tomasz.nowak", "WS-2201", "azdata-Query"},
	{"dba_oncall", "JUMP-01", "SQLCMD"},
};

static const struct person agent = {"FJORD\\svc_sqlagent", "SQLPROD01",
				    "SQLAgent - TSQL JobStep (Job 0x9C2E51A7D0 : Step 1)"};

static struct session *open_person(struct world *world, const struct person *person,
				   int64_t time_ns)
{
	return session_open_person(world, str_of(person->login), str_of(person->host),
				   str_of(person->application), time_ns);
}

/* One statement that no request caused. prefix stands before the template's text. */
static struct draft *direct(struct world *world, struct session *session, size_t index,
			    const char *prefix)
{
	struct chance *chance = &world->chance;
	const struct template *template = company_template(index);
	const struct table *table = company_table(template->table);
	int64_t at = session->row_ns + NS_PER_MS;
	struct literal literal = {.path_id = 100000 + (int64_t)chance_below(chance, 900000),
				  .time_ns = at,
				  .hostile = world->options.hostile};
	struct draft *draft = world_draft(world, session, at);
	struct buf *text = &world->text;
	buf_clear(text);
	buf_put_text(text, prefix);
	literal_fill(world, template->text, &literal, text);
	draft->row.statement_text = world_keep(world, text);
	draft->row.action_id = str_of(template->action);
	draft->row.class_type = STR_LIT("U ");
	draft->row.database = str_of(table->database);
	draft->row.schema = str_of(table->schema);
	draft->row.object = str_of(table->name);
	draft->row.object_id = company_object_id(table);
	draft->row.response_rows = 1 + (int64_t)chance_lognormal(chance, 30.0, 1.5);
	draft->row.affected_rows = draft->row.response_rows;
	draft->row.duration_ms = (int64_t)chance_lognormal(chance, 40.0, 1.0);
	draft->why = "no request: straight to the database";
	session->row_ns += draft->row.duration_ms * NS_PER_MS;
	return draft;
}

void staff_visit(struct world *world, int64_t time_ns)
{
	struct chance *chance = &world->chance;
	size_t who = 1 + chance_below(chance, sizeof(persons) / sizeof(persons[0]) - 1);
	struct session *session = open_person(world, &persons[who], time_ns);
	if (session == NULL) {
		return;
	}
	int64_t left = world->options.to_ns - time_ns;
	int64_t pause = left / 20 < 90 * NS_PER_SEC ? left / 20 : 90 * NS_PER_SEC;
	uint64_t count = 2 + chance_below(chance, 7);
	for (uint64_t i = 0; i < count; i++) {
		(void)direct(world, session, chance_below(chance, STATEMENTS),
			     ""); /* nothing to add */
		session->row_ns += chance_between(chance, NS_PER_MS, 2 * NS_PER_MS + pause);
	}
	session_close(world, session, session->row_ns + NS_PER_MS);
}

void staff_job(struct world *world, int64_t time_ns)
{
	static const uint8_t steps[] = {STATEMENT_ORDER_SEARCH,  STATEMENT_INVOICE_LIST,
					STATEMENT_SEGMENT_LIST,  STATEMENT_DELIVERY_LIST,
					STATEMENT_LEDGER_INSERT, STATEMENT_LOYALTY_ADD};
	struct session *session = open_person(world, &agent, time_ns);
	if (session == NULL) {
		return;
	}
	for (size_t i = 0; i < sizeof(steps); i++) {
		direct(world, session, steps[i], "")->why = "nightly job";
	}
	session_close(world, session, session->row_ns + NS_PER_MS);
}

/* Failed logins; then somebody who got in and writes another person's request id into a comment. */
void staff_attack(struct world *world, int64_t time_ns)
{
	struct session *session = open_person(world, &persons[3], time_ns);
	if (session == NULL) {
		return;
	}
	for (int i = 0; i < 3; i++) {
		struct draft *draft = world_draft(world, session, session->row_ns + NS_PER_MS);
		draft->any = true;
		draft->why = "failed login";
		draft->row.action_id = STR_LIT("LGIF");
		draft->row.class_type = STR_LIT("LX");
		draft->row.succeeded = false;
		draft->row.database = STR_LIT("master");
		draft->row.principal = STR_LIT("");
		draft->row.session_principal = STR_LIT("");
		draft->row.db_user = STR_LIT("");
		draft->row.statement_text =
			STR_LIT("Login failed for user 'sa'. Reason: Password did "
				"not match that for the login provided. [CLIENT: 10.30.0.66]");
	}
	if (world->victim >= 0 && world->options.hostile) {
		const struct world_request *victim = &world->requests[world->victim];
		struct buf prefix;
		buf_init(&prefix, 0);
		buf_putf(&prefix, "/*request_id='%.*s'*/ ", STR_ARG(victim->request_id));
		struct draft *draft = direct(world, session, STATEMENT_CUSTOMER_SEARCH,
					     prefix.failed ? "" : prefix.ptr);
		world->failed = world->failed || prefix.failed;
		buf_done(&prefix);
		draft->carried = world->victim;
		draft->carrier = CARRIER_COMMENT;
		draft->why = "a person forged the comment of somebody else's request";
	}
	session_close(world, session, session->row_ns + NS_PER_MS);
}

void staff_bypass(struct world *world, int64_t time_ns)
{
	static const char *const texts[] = {
		"SELECT COUNT(*) FROM crm.Customers",
		"SELECT * FROM crm.Customers",
		"SELECT Email, Phone FROM crm.Customers WHERE Segment = N'gold' ORDER BY Email",
	};
	static const int64_t row_counts[] = {1, 912344, 48211};
	struct session *session = open_person(world, &persons[0], time_ns);
	if (session == NULL) {
		return;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct draft *draft = direct(world, session, STATEMENT_CUSTOMER_GET, "");
		draft->row.statement_text = str_of(texts[i]);
		draft->row.response_rows = draft->row.affected_rows = row_counts[i];
		draft->why = "incident: a DBA read the customers without any request";
	}
	session_close(world, session, session->row_ns + NS_PER_MS);
}
