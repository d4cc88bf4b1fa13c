#include "tests/bench/world-plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const first_names[PLAN_NAMES] = {
	"Anna",   "Bjorn",  "Carla",  "David",   "Elena",  "Frank",  "Greta",   "Henrik", "Ida",
	"Jonas",  "Katrin", "Lars",   "Maria",   "Nils",   "Olga",   "Peter",   "Quinn",  "Rosa",
	"Sven",   "Tanja",  "Ulrich", "Vera",    "Walter", "Xenia",  "Yannick", "Zoe",    "Aaron",
	"Birgit", "Claus",  "Doris",  "Emil",    "Fiona",  "Georg",  "Hanna",   "Igor",   "Julia",
	"Karl",   "Lena",   "Martin", "Nora",    "Oskar",  "Paula",  "Ralf",    "Sofia",  "Thomas",
	"Ursula", "Viktor", "Wanda",  "Andreas", "Beate",  "Dieter", "Esther",  "Felix",  "Gisela",
	"Holger", "Inge",   "Jakob",  "Klara",   "Ludwig", "Monika",
};

static const char *const things[] = {"orders",    "customers", "invoices", "payments",  "shipments",
				     "products",  "carts",     "returns",  "contracts", "tickets",
				     "addresses", "coupons",   "reviews"};
static const char *const parts[] = {"",        "/items",   "/history", "/documents",
				    "/status", "/summary", "/notes"};

static const char *const table_names[] = {
	"Orders",     "OrderLines", "Customers", "Addresses", "Invoices",  "InvoiceLines",
	"Payments",   "Refunds",    "Shipments", "Parcels",   "Products",  "Prices",
	"Stock",      "Warehouses", "Carts",     "CartLines", "Returns",   "Contracts",
	"Tickets",    "Messages",   "Coupons",   "Reviews",   "Accounts",  "Ledger",
	"Balances",   "Sessions",   "Devices",   "Consents",  "Documents", "Attachments",
	"Categories", "Suppliers",  "Purchases", "Receipts",  "TaxRates",  "Currencies",
	"Campaigns",  "Segments",   "Events",    "AuditTrail"};
static const char *const schemas[] = {"dbo", "sales", "billing", "logistics", "crm", "catalog"};
static const char *const databases[] = {"Shop", "Billing", "Logistics", "Crm"};

const char *plan_name(size_t index)
{
	assert(index < PLAN_NAMES);
	return first_names[index];
}

void plan_put_uuid(const uint8_t uuid[16], int upper, char out[40])
{
	static const char digits[2][17] = {"0123456789abcdef", "0123456789ABCDEF"};
	const char *digit = digits[upper ? 1 : 0];
	char *at = out;
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			*at++ = '-';
		}
		*at++ = digit[uuid[i] >> 4];
		*at++ = digit[uuid[i] & 15];
	}
	*at = '\0';
}

static uint32_t draw(struct dice *dice, size_t count)
{
	return dice_below(dice, WORLD_TABLES, (uint32_t)count);
}

/* The lower-case form of a name, for addresses. */
static void put_lower(const char *name, char out[16])
{
	size_t i = 0;
	for (; name[i] != '\0' && i < 15; i++) {
		out[i] = (char)(name[i] | 0x20);
	}
	out[i] = '\0';
}

static void draw_agents(struct world_plan *plan, struct dice *dice)
{
	static const char *const systems[] = {"Windows NT 10.0; Win64; x64",
					      "Macintosh; Intel Mac OS X 10_15_7",
					      "X11; Linux x86_64", "Linux; Android 15; Pixel 9"};
	for (size_t i = 0; i < PLAN_AGENTS; i++) {
		char *agent = plan->agents[i];
		unsigned version = 118 + draw(dice, 14), patch = draw(dice, 200);
		if (i % 2 == 0) {
			(void)snprintf(agent, sizeof(plan->agents[i]),
				       "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) "
				       "Chrome/%u.0.%u.%u Safari/537.36",
				       systems[i / 2 % 4], version, 6000 + draw(dice, 900),
				       patch); /* fits */
		} else {
			(void)snprintf(agent, sizeof(plan->agents[i]),
				       "shop-app/%u.%u (Android %u)", version - 110, patch,
				       10 + draw(dice, 6)); /* fits */
		}
	}
}

static void draw_users(struct world_plan *plan, struct dice *dice)
{
	for (size_t i = 0; i < PLAN_USERS; i++) {
		struct plan_user *user = &plan->users[i];
		char first[16];
		uint8_t uuid[16];
		double before = dice->bits[WORLD_TABLES];
		put_lower(first_names[draw(dice, PLAN_NAMES)], first);
		(void)snprintf(user->email, sizeof(user->email), "%s.%04zu@example.com", first,
			       i); /* fits */
		dice_uuid(dice, WORLD_TABLES, uuid);
		plan_put_uuid(uuid, 0, user->principal);
		user->ip_count = (uint8_t)(1 + draw(dice, 3));
		for (size_t ip = 0; ip < user->ip_count; ip++) {
			(void)snprintf(user->ip[ip], sizeof(user->ip[ip]), "%u.%u.%u.%u",
				       20 + draw(dice, 180), draw(dice, 256), draw(dice, 256),
				       1 + draw(dice, 254)); /* fits */
		}
		user->agents[0] = (uint8_t)draw(dice, PLAN_AGENTS);
		user->agents[1] = (uint8_t)draw(dice, PLAN_AGENTS);
		user->bits = (float)(dice->bits[WORLD_TABLES] - before);
	}
}

/* Numbers from a range in which about 55 of 240 meet another one. */
static void draw_session(struct dice *dice, struct plan_session *session)
{
	uint8_t uuid[16];
	unsigned net = draw(dice, 4), host = 4 + draw(dice, 250);
	dice_uuid(dice, WORLD_TABLES, uuid);
	plan_put_uuid(uuid, 1, session->connection);
	session->number = 51 + draw(dice, 432);
	(void)snprintf(session->ip, sizeof(session->ip), "10.20.%u.%u", net, host);  /* fits */
	(void)snprintf(session->host, sizeof(session->host), "ip-%u-%u", net, host); /* fits */
}

static void draw_logins(struct world_plan *plan, struct dice *dice)
{
	static const char *const applications[] = {"Microsoft SQL Server Management Studio - Query",
						   "SQLAgent - TSQL JobStep",
						   "dbatools PowerShell module", "azdata-Query"};
	for (size_t i = 0; i < PLAN_LOGINS; i++) {
		struct plan_login *login = &plan->logins[i];
		char first[16];
		put_lower(first_names[i * 3], first);
		(void)snprintf(login->name, sizeof(login->name), i % 4 == 1 ? "job_%s" : "dba_%s",
			       first); /* fits */
		(void)snprintf(login->application, sizeof(login->application), "%s",
			       applications[i % 4]); /* fits */
		draw_session(dice, &login->session);
	}
}

static void draw_tables(struct world_plan *plan, struct dice *dice)
{
	for (size_t i = 0; i < PLAN_TABLES; i++) {
		struct plan_table *table = &plan->tables[i];
		(void)snprintf(table->name, sizeof(table->name), "%s", table_names[i]); /* fits */
		(void)snprintf(table->schema, sizeof(table->schema), "%s",
			       schemas[draw(dice, 6)]); /* fits */
		(void)snprintf(table->database, sizeof(table->database), "%s",
			       databases[draw(dice, 4)]); /* fits */
		table->object_id = 100000000 + draw(dice, 2000000000);
		table->procedure_id = 100000000 + draw(dice, 2000000000);
	}
}

/* The index with the largest share still to be given. */
static size_t neediest(const double *missing, size_t count)
{
	size_t best = 0;
	for (size_t i = 1; i < count; i++) {
		best = missing[i] > missing[best] ? i : best;
	}
	return best;
}

static double weigh_counts(const struct world_plan *plan)
{
	double mean = 0;
	for (size_t i = 0; i < PLAN_ROUTES; i++) {
		mean += plan->routes[i].weight * (double)plan->routes[i].template_count;
	}
	return mean;
}

/* 114 templates over 50 routes, 1 to 4 each, so that a request that reaches the database has 3.31 rows on average, all requests
 * counted: templates move from one route to another while that brings the mean nearer. */
static void spread_templates(struct world_plan *plan)
{
	static const uint8_t pattern[] = {4, 2, 3, 1, 2, 3, 2, 1, 2, 3};
	const double wanted = 3.308 / (1 - PLAN_DENIED) / (1 + PLAN_REPEAT_CHANCE);
	size_t sum = 0;
	for (size_t i = 0; i < PLAN_ROUTES; i++) {
		sum += plan->routes[i].template_count = pattern[i % 10];
	}
	for (size_t i = 0; sum > PLAN_ROUTE_TEMPLATES; i++) { /* 115 by the pattern */
		sum -= plan->routes[i].template_count-- > 0 ? 1 : 0;
	}
	for (int round = 0; round < 200; round++) {
		double off = weigh_counts(plan) - wanted, best = off < 0 ? -off : off;
		struct plan_route *from = NULL, *to = NULL;
		for (size_t pair = 0; pair < (size_t)PLAN_ROUTES * PLAN_ROUTES; pair++) {
			struct plan_route *a = &plan->routes[pair / PLAN_ROUTES];
			struct plan_route *b = &plan->routes[pair % PLAN_ROUTES];
			double left = off + b->weight - a->weight;
			left = left < 0 ? -left : left;
			if (a->template_count > 1 && b->template_count < 4 && left < best - 1e-9) {
				best = left;
				from = a;
				to = b;
			}
		}
		if (from == NULL) {
			break;
		}
		from->template_count--;
		to->template_count++;
	}
}

static void name_route(struct plan_route *route, size_t index)
{
	static const char *const id_of[] = {"", "/{customerId}", "/{orderId}"};
	const char *thing = things[index % 13];
	const char *part = parts[index / 13 + (route->path == PATH_NONE ? 0 : 1)];
	(void)snprintf(route->resource, sizeof(route->resource), "/v2/%s%s%s", thing,
		       id_of[route->path], part); /* fits */
	(void)snprintf(route->path_text, sizeof(route->path_text), "/v2/%s%s%s", thing,
		       route->path == PATH_NONE ? "" : "/\1", part); /* fits */
}

static void draw_routes(struct world_plan *plan, struct dice *dice)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	double method_missing[4] = {0.75, 0.13, 0.06, 0.06};
	double path_missing[3] = {0.32, 0.68 * 2 / 3, 0.68 / 3};
	size_t next = 0;
	for (size_t i = 0; i < PLAN_ROUTES; i++) {
		struct plan_route *route = &plan->routes[i];
		size_t method = neediest(method_missing, 4);
		size_t path = neediest(path_missing, 3);
		route->weight =
			plan->routes_zipf.up_to[i] - (i > 0 ? plan->routes_zipf.up_to[i - 1] : 0);
		method_missing[method] -= route->weight;
		path_missing[path] -= route->weight;
		route->method = methods[method];
		route->path = (enum path_kind)path;
		route->service = (uint8_t)draw(dice, PLAN_SERVICES);
		name_route(route, i);
		struct lognormal medians;
		lognormal_init(&medians, 900, 1);
		lognormal_init(&route->length, 50 + dice_lognormal(dice, WORLD_TABLES, &medians),
			       0.3);
		lognormal_init(&medians, 25, 0.6);
		lognormal_init(&route->latency, 3 + dice_lognormal(dice, WORLD_TABLES, &medians),
			       0.45);
	}
	spread_templates(plan);
	for (size_t i = 0; i < PLAN_ROUTES; i++) {
		for (size_t t = 0; t < plan->routes[i].template_count; t++) {
			plan->routes[i].templates[t] = (uint16_t)next++;
		}
	}
	assert(next == PLAN_ROUTE_TEMPLATES);
}

struct world_plan *world_plan_new(struct dice *dice)
{
	struct world_plan *plan = calloc(1, sizeof(*plan));
	if (plan == NULL) {
		return NULL;
	}
	zipf_init(&plan->routes_zipf, PLAN_ROUTES, 0.9);
	zipf_init(&plan->users_zipf, PLAN_USERS, 0.9);
	lognormal_init(&plan->overhead, 4, 0.5);
	lognormal_init(&plan->money, 8000, 1.1);
	draw_agents(plan, dice);
	draw_users(plan, dice);
	draw_tables(plan, dice);
	for (size_t i = 0; i < PLAN_SESSIONS; i++) {
		draw_session(dice, &plan->sessions[i]);
	}
	draw_logins(plan, dice);
	draw_routes(plan, dice);
	plan_draw_templates(plan, dice);
	return plan;
}

void world_plan_free(struct world_plan *plan)
{
	free(plan);
}
