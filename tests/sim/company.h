/* company - who works and buys at Fjordkjøp: services, tables, statement templates, routes, users. Static tables, and users made
 * from a seed.
 *
 * Shape:   a service owns routes and one login; a route runs up to four templates; a template touches one table. Placeholders
 *          in template text are filled by tests/sim/literal.c.
 * Life:    tables are static; users live in the arena that they were made in.
 * Threads: read-only. Tests: tests/unit/world.c
 */
#ifndef TESTS_SIM_COMPANY_H
#define TESTS_SIM_COMPANY_H

#include "base/arena.h"
#include "tests/sim/chance.h"

enum carrier {
	CARRIER_JSON,   /* session_context column, unsigned qt1 among other keys */
	CARRIER_SIGNED, /* session_context column, signed qt1 */
	CARRIER_AUDIT,  /* sp_audit_write at start and end of a request */
	CARRIER_REPLAY, /* audited sp_set_session_context at start and end, no column */
	CARRIER_APP, /* application name lambda:<function>:<Lambda id>, one connection an invocation */
	CARRIER_LAMBDA,  /* session_context column, qt1 with l= alone */
	CARRIER_COMMENT, /* leading request_id comment, or sqlcommenter at the end */
	CARRIER_NONE,
};

enum user_kind { USER_CUSTOMER, USER_STAFF, USER_IAM, USER_KEY, USER_KINDS };

enum service_id {
	SERVICE_ORDERS,
	SERVICE_CRM,
	SERVICE_BILLING,
	SERVICE_STOCK,
	SERVICE_CATALOG,
	SERVICE_PRICING,
	SERVICE_LEGACY,
	SERVICE_PARTNER,
	SERVICES
};

struct service {
	const char *name, *login, *application, *host;
	enum carrier carrier;
	bool pool_resets; /* the driver resets sessions at checkout, which the audit shows as pooled logins */
};

struct table {
	const char *database, *schema, *name;
};

struct template
{
	uint8_t table;
	const char *action; /* audit action code; "BCM" names no object */
	const char *text;
};

#define ROUTE_TEMPLATES 4

struct route {
	const char *method, *path;
	uint8_t service;
	uint8_t user_kind;
	uint8_t template_count;
	uint8_t templates[ROUTE_TEMPLATES];
};

enum table_id {
#define TABLE(id, database, schema, name) TABLE_##id,
#include "tests/sim/tables.def"
#undef TABLE
	TABLES
};

enum template_id {
#define STATEMENT(id, table, action, text) STATEMENT_##id,
#include "tests/sim/statements.def"
#undef STATEMENT
	STATEMENTS
};

enum { ROUTES = 50 };

struct user {
	enum user_kind kind;
	struct str name;    /* what the identity section chooses: e-mail, ARN or key id */
	struct str subject; /* the token's subject; empty for the others */
	struct str ip[2];
	uint8_t agent;
};

/* The row of each table; index is below SERVICES, TABLES, STATEMENTS or ROUTES. */
const struct service *company_service(size_t index);
/* As above: a table. */
const struct table *company_table(size_t index);
/* As above: a statement template. */
const struct template *company_template(size_t index);
/* As above: a route. */
const struct route *company_route(size_t index);

/* The index of the route "METHOD path"; asserts that there is one. */
size_t company_find_route(const char *method, const char *path);

/* Object id of a table, stable and positive. */
int32_t company_object_id(const struct table *table);

/* Makes users of a kind; texts and the array live in arena. NULL without memory. count >= 1. */
struct user *company_users(struct arena *arena, struct chance *chance, enum user_kind kind,
			   uint32_t count);

/* First and last names; index is taken modulo their number. */
const char *company_first_name(uint64_t index);
/* The same for last names. */
const char *company_last_name(uint64_t index);

#endif
