/* world-plan - what is drawn once for a data set: users, routes, statement templates, sessions, logins.
 *
 * Shape:   the numbers of facts/store.md section 2: 50 routes and 5,000 users by Zipf 0.9, 300 templates of which the routes use 114 in
 *          fixed order, 240 pooled sessions, 20 logins that run statements without a request. Shares that hang on the weights of routes
 *          (methods, path ids, rows per request, parameters, kinds of literals) are not left to chance but met as closely as the
 *          weights allow: world_plan_init assigns, it does not hope.
 * Life:    one allocation; freed by world_plan_free.
 * Tests:   tests/unit/bench-world.c
 */
#ifndef TESTS_BENCH_WORLD_PLAN_H
#define TESTS_BENCH_WORLD_PLAN_H

#include "tests/bench/dice.h"

#define PLAN_ROUTES            50
#define PLAN_USERS             5000
#define PLAN_AGENTS            40
#define PLAN_TEMPLATES         300
#define PLAN_ROUTE_TEMPLATES   114
#define PLAN_PARAMETERS        75 /* templates with @P1 instead of literals */
#define PLAN_TABLES            40
#define PLAN_SESSIONS          240
#define PLAN_LOGINS            20
#define PLAN_SERVICES          8
#define PLAN_NAMES             60
#define PLAN_EMAILS            900000
#define PLAN_SLOTS             9
#define PLAN_TEXT_MAX          900
#define PLAN_ADHOC_PER_REQUEST 0.080183
#define PLAN_REPEAT_CHANCE     0.2
#define PLAN_DENIED            0.024 /* share of requests that reach no database: 400, 401, 403 */

enum literal_kind {
	LITERAL_INT,
	LITERAL_CUSTOMER,
	LITERAL_ORDER,
	LITERAL_MONEY,
	LITERAL_DATE,
	LITERAL_EMAIL,
	LITERAL_NAME,
	LITERAL_TIMESTAMP,
	LITERAL_TEXT,
	LITERAL_GUID,
	LITERAL_REPEAT,   /* of the path's id or of an earlier literal */
	LITERAL_CONSTANT, /* of the template: a page size */
	LITERAL_KINDS
};

/* Literals per row of each kind. */
double plan_literal_share(enum literal_kind kind);

enum repeat_source {
	REPEAT_PATH,    /* the path's id */
	REPEAT_OWN,     /* the last integer of this statement */
	REPEAT_REQUEST, /* the first integer of the request's earlier rows */
};

struct plan_slot {
	uint8_t kind;   /* enum literal_kind */
	uint8_t source; /* enum repeat_source */
	uint16_t constant;
};

enum plan_verb { VERB_SELECT, VERB_INSERT, VERB_UPDATE, VERB_EXEC, VERB_DELETE, VERB_COUNT };

struct plan_table {
	char name[24], schema[16], database[16];
	uint32_t object_id, procedure_id;
};

struct plan_template {
	enum plan_verb verb;
	int has_parameters;
	int on_path; /* its route has a path id */
	size_t slot_count;
	struct plan_slot slots[PLAN_SLOTS];
	char text[PLAN_TEXT_MAX]; /* the pieces between the slots, one behind the other */
	size_t piece_end[PLAN_SLOTS + 1];
	uint16_t target_bytes; /* of the text with literals and comment */
	uint16_t table;
	uint8_t affected_rows;
	double weight; /* of all rows, this share is of the template */
	struct lognormal duration, rows;
};

enum path_kind { PATH_NONE, PATH_CUSTOMER, PATH_ORDER };

struct plan_route {
	const char *method;
	enum path_kind path;
	char resource[64];
	char path_text[64]; /* the resource without its {id} */
	size_t template_count;
	uint16_t templates[4];
	uint8_t service;
	struct lognormal length, latency;
	double weight;
};

struct plan_user {
	char email[48], principal[40], ip[3][16];
	uint8_t ip_count, agents[2];
	float bits; /* what drawing this user says */
};

struct plan_session {
	uint32_t number;
	char connection[40], ip[16], host[20];
};

struct plan_login {
	char name[24], application[48];
	struct plan_session session;
};

struct world_plan {
	struct zipf routes_zipf, users_zipf;
	struct plan_route routes[PLAN_ROUTES];
	struct plan_template templates[PLAN_TEMPLATES];
	struct plan_table tables[PLAN_TABLES];
	struct plan_user users[PLAN_USERS];
	struct plan_session sessions[PLAN_SESSIONS];
	struct plan_login logins[PLAN_LOGINS];
	char agents[PLAN_AGENTS][160];
	struct lognormal overhead, money;
};

/* Draws everything; its bits are counted under WORLD_TABLES. NULL when memory is out. Free with world_plan_free. */
struct world_plan *world_plan_new(struct dice *dice);
void world_plan_free(struct world_plan *plan);

/* Writes the text of a template whose verb, table, slots and target length are set (world-text.c). */
void plan_write_text(const struct world_plan *plan, struct dice *dice,
		     struct plan_template *template);

/* Gives every template its verb, parameters, slots and length (world-templates.c). The routes have their templates and weights. */
void plan_draw_templates(struct world_plan *plan, struct dice *dice);

/* A text in the form 8-4-4-4-12, in lower or upper case; out has 37 bytes. */
void plan_put_uuid(const uint8_t uuid[16], int upper, char out[40]);

/* The name of a word list: 0 .. PLAN_NAMES - 1. */
const char *plan_name(size_t index);

#endif
