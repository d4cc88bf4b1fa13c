#include "tests/sim/world-state.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_ID       51
#define STALE_AFTER_NS (6 * NS_PER_SEC)

static int32_t take_id(struct world *world, int64_t time_ns)
{
	for (int32_t id = FIRST_ID; id < SESSIONS_MAX; id++) {
		if (world->id_free_ns[id] < time_ns) {
			world->id_free_ns[id] = INT64_MAX;
			return id;
		}
	}
	world->failed = true;
	return FIRST_ID;
}

static void login_row(struct world *world, struct session *session, int64_t time_ns,
		      const char *action)
{
	struct draft *draft = world_draft(world, session, time_ns);
	bool pooled = session->uses > 0;
	draft->any = true;
	draft->cause = session->owner;
	draft->row.action_id = str_of(action);
	draft->row.class_type = STR_LIT("LX");
	draft->row.database = STR_LIT("master");
	draft->row.db_user = STR_LIT("");
	draft->row.session_context = (struct str){0};
	struct buf *text = &world->text;
	buf_clear(text);
	if (action[2] == 'I') {
		buf_put_text(text, "-- network protocol: TCP/IP\r\nset quoted_identifier on\r\nset "
				   "ansi_warnings on\r\n");
	}
	draft->row.statement_text = world_keep(world, text);
	buf_put_text(text, "<action_info "
			   "xmlns=\"http://schemas.microsoft.com/sqlserver/2008/sqlaudit_data\">");
	buf_putf(text,
		 "<pooled_connection>%d</pooled_connection><client_options>0x28000020</"
		 "client_options>",
		 pooled);
	buf_putf(text, "<client_options1>0x0001f438</client_options1><connect_options>0x00000000</"
		       "connect_options>");
	buf_putf(text,
		 "<packet_data_size>8000</packet_data_size><address>%.*s</address><is_dac>0</"
		 "is_dac></action_info>",
		 STR_ARG(session->client_ip));
	draft->row.additional_information = world_keep(world, text);
	draft->why = "login or logout";
}

static struct session *new_session(struct world *world, int64_t time_ns)
{
	struct session *session = calloc(1, sizeof(*session));
	if (session == NULL) {
		world->failed = true;
		return NULL;
	}
	session->id = take_id(world, time_ns);
	session->row_ns = time_ns;
	session->free_ns = time_ns;
	session->context_request = session->owner = -1;
	session->max_uses = 20 + (uint32_t)chance_below(&world->chance, 180);
	chance_bytes(&world->chance, session->connection_id, sizeof(session->connection_id));
	return session;
}

struct session *session_open(struct world *world, size_t service, struct str application,
			     int64_t owner, int64_t time_ns)
{
	struct session *session = new_session(world, time_ns);
	if (session == NULL) {
		return NULL;
	}
	const struct service *row = company_service(service);
	session->service = (uint8_t)service;
	session->owner = owner;
	session->login = str_of(row->login);
	session->host = str_of(row->host);
	session->application = application.len > 0 ? application : str_of(row->application);
	buf_clear(&world->text);
	buf_putf(&world->text, "10.20.%zu.%u", service + 1,
		 11 + (unsigned)chance_below(&world->chance, 4));
	session->client_ip = world_keep(world, &world->text);
	login_row(world, session, time_ns, "LGIS");
	return session;
}

struct session *session_open_person(struct world *world, struct str login, struct str host,
				    struct str application, int64_t time_ns)
{
	struct session *session = new_session(world, time_ns);
	if (session == NULL) {
		return NULL;
	}
	session->service = SERVICES;
	session->login = login;
	session->host = host;
	session->application = application;
	buf_clear(&world->text);
	buf_putf(&world->text, "10.30.0.%u", 20 + (unsigned)chance_below(&world->chance, 40));
	session->client_ip = world_keep(world, &world->text);
	login_row(world, session, time_ns, "LGIS");
	return session;
}

void session_close(struct world *world, struct session *session, int64_t time_ns)
{
	session->uses = 0;
	login_row(world, session, time_ns, "LGO");
	world->id_free_ns[session->id] = session->row_ns;
	free(session);
}

static size_t find_free(const struct pool *pool, int64_t time_ns, bool stale)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < pool->count; i++) {
		const struct session *session = pool->sessions[i];
		if (session->free_ns > time_ns) {
			continue;
		}
		if (stale) {
			bool old = session->context_request >= 0 &&
				   session->free_ns + STALE_AFTER_NS < time_ns;
			if (old && (best == SIZE_MAX ||
				    session->free_ns < pool->sessions[best]->free_ns)) {
				best = i;
			}
		} else if (best == SIZE_MAX || session->free_ns > pool->sessions[best]->free_ns) {
			best = i; /* the last one used first, as pools do */
		}
	}
	return best;
}

/* Closes sessions that served long enough and have been idle since. */
static void retire(struct world *world, struct pool *pool, int64_t time_ns)
{
	for (size_t i = 0; i < pool->count; i++) {
		struct session *session = pool->sessions[i];
		if (session->uses >= session->max_uses && session->free_ns + NS_PER_SEC < time_ns) {
			pool->sessions[i] = pool->sessions[--pool->count];
			session_close(world, session, session->free_ns + NS_PER_SEC / 2);
			return;
		}
	}
}

/* The driver reset the session: the audit shows a logout and a login of a pooled connection, and the context is gone. */
static void pooled_login(struct world *world, struct session *session, int64_t time_ns)
{
	login_row(world, session, time_ns, "LGO");
	login_row(world, session, time_ns + 40 * NS_PER_US, "LGIS");
	session->context_request = -1;
	session->context = (struct str){0};
}

struct session *session_take(struct world *world, size_t service, int64_t time_ns, bool stale)
{
	struct pool *pool = &world->pools[service];
	if (!stale) {
		retire(world, pool, time_ns);
	}
	size_t found = find_free(pool, time_ns, stale);
	struct session *session = NULL;
	if (found != SIZE_MAX) {
		session = pool->sessions[found];
		session->uses++;
		if (company_service(service)->pool_resets) {
			pooled_login(world, session, time_ns);
		}
	} else if (!stale && pool->count < POOL_MAX) {
		session = session_open(world, service, (struct str){0}, -1, time_ns);
		if (session != NULL) {
			pool->sessions[pool->count++] = session;
		}
	} else if (!stale) {
		world->failed = true;
	}
	return session;
}

void session_free_all(struct world *world)
{
	for (size_t service = 0; service < SERVICES; service++) {
		struct pool *pool = &world->pools[service];
		for (size_t i = 0; i < pool->count; i++) {
			free(pool->sessions[i]);
		}
		pool->count = 0;
	}
}
