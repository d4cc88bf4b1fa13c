#include "tests/sim/tds-session.h"

#include <stdio.h>

#include "tests/sim/tds-reply.h"
#include "tests/sim/tds-request.h"

#define BATCH_BYTES_MAX   (1024U << 20) /* what a batch may hold: all for an ORDER BY */
#define SCRATCH_BYTES_MAX (64U << 20)
#define PACKET_SIZE_LEAST 512
#define PACKET_SIZE_MOST  32767

struct session {
	struct tds_service *service;
	struct tds_link link;
	struct tds_facts facts;
	struct arena login_arena; /* the texts of the login */
	struct arena arena;       /* of one request */
	struct arena scratch;     /* of one row */
	struct buf message;
	struct tds_rpc rpc;
	struct tds_variable variable[TDS_VARIABLES_MAX];
	struct error error;
};

/* Whether the session is to say nothing from here on; it then waits until the client goes. */
static bool falls_silent(struct session *session, const char *when)
{
	struct tds_fault fault;
	if (!tds_faults_use(&session->service->faults, TDS_FAULT_SILENT, when, &fault)) {
		return false;
	}
	(void)tds_link_wait(&session->link, -1,
			    &session->error); /* how it ends makes no difference */
	return true;
}

static uint8_t choose_encryption(const struct session *session, uint8_t asked, bool refuse)
{
	enum tds_encryption mode = session->service->options.encryption;
	if (refuse || mode == TDS_ENCRYPTION_OFF) {
		return TDS_ENCRYPT_NOT_SUP;
	}
	if (asked == TDS_ENCRYPT_NOT_SUP) {
		return mode == TDS_ENCRYPTION_REQUIRED ? TDS_ENCRYPT_REQ : TDS_ENCRYPT_NOT_SUP;
	}
	return TDS_ENCRYPT_ON;
}

static int send_prelogin(struct session *session, uint8_t encrypt)
{
	/* VERSION, ENCRYPTION, INSTOPT, THREADID and MARS, in the order of their offsets */
	const uint8_t answer[] = {0,  0,   26, 0, 6,    1,    0, 32, 0,       1, 2,  0,
				  33, 0,   1,  3, 0,    34,   0, 0,  4,       0, 34, 0,
				  1,  255, 16, 0, 0x10, 0x09, 0, 0,  encrypt, 0, 0};
	int rc = tds_link_put(&session->link, str_make(answer, sizeof(answer)), &session->error);
	return rc == 0 ? tds_link_end(&session->link, &session->error) : rc;
}

static SSL_CTX *choose_certificate(struct session *session)
{
	struct tds_fault fault;
	enum tds_certificate_kind kind = TDS_CERTIFICATE_GOOD;
	if (tds_faults_use(&session->service->faults, TDS_FAULT_BAD_CERTIFICATE, NULL, &fault)) {
		kind = strcmp(fault.word, "name") == 0 ? TDS_CERTIFICATE_WRONG_NAME
		       : strcmp(fault.word, "ca") == 0 ? TDS_CERTIFICATE_UNKNOWN_CA
						       : TDS_CERTIFICATE_EXPIRED;
	}
	return session->service->certificates.context[kind];
}

/* PRELOGIN and, when both sides want it, TLS. */
static int greet(struct session *session)
{
	uint8_t type = 0;
	struct error *err = &session->error;
	int rc = tds_link_receive(&session->link, &type, &session->message, err);
	if (rc != 0) {
		return rc;
	}
	if (falls_silent(session, "prelogin")) {
		return -ERR_GONE;
	}
	if (type != TDS_PACKET_PRELOGIN) {
		return error_set(err, ERR_INPUT, "A client began with a packet of type 0x%02x.",
				 type);
	}
	struct tds_prelogin prelogin;
	rc = tds_parse_prelogin(buf_str(&session->message), &prelogin, err);
	if (rc != 0) {
		return rc;
	}
	struct tds_fault fault;
	bool refuse =
		tds_faults_use(&session->service->faults, TDS_FAULT_NO_ENCRYPTION, NULL, &fault);
	uint8_t encrypt = choose_encryption(session, prelogin.encrypt, refuse);
	rc = send_prelogin(session, encrypt);
	if (rc == 0 && encrypt == TDS_ENCRYPT_REQ) {
		return error_set(err, ERR_AUTH, "A client that cannot encrypt was turned away.");
	}
	if (rc == 0 && encrypt == TDS_ENCRYPT_ON) {
		rc = tds_link_secure(&session->link, choose_certificate(session), err);
	}
	return rc;
}

static void put_info(struct session *session, struct buf *out, uint32_t number, const char *format,
		     struct str name)
{
	char text[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(text, sizeof(text), format,
		       STR_ARG(name)); /* names have at most 128 characters */
#pragma GCC diagnostic pop
	struct tds_message info = {.number = number,
				   .state = 2,
				   .text = str_of(text),
				   .server = session->facts.server,
				   .line = 1};
	tds_put_message(out, &info);
}

static void put_login_done(struct session *session, const struct tds_login *login, struct buf *out)
{
	static const uint8_t version[4] = {16, 0, 0x10, 0x09};
	tds_put_envchange(out, TDS_ENV_DATABASE, session->facts.database, STR_LIT("master"));
	put_info(session, out, 5701, "Changed database context to '%.*s'.",
		 session->facts.database);
	tds_put_collation(out);
	tds_put_envchange(out, TDS_ENV_LANGUAGE, STR_LIT("us_english"), STR_LIT(""));
	put_info(session, out, 5703, "Changed language setting to %.*s.", STR_LIT("us_english"));
	tds_put_loginack(out, STR_LIT("Microsoft SQL Server"), version);
	char now[16];
	char before[16];
	(void)snprintf(now, sizeof(now), "%zu", session->link.packet_size); /* fits */
	(void)snprintf(before, sizeof(before), "%u", login->packet_size);   /* fits */
	tds_put_envchange(out, TDS_ENV_PACKET_SIZE, str_of(now), str_of(before));
	tds_put_done(out, TDS_TOKEN_DONE, 0, 0);
}

/* Answers a login; ERR_AUTH when it was refused. */
static int answer_login(struct session *session, const struct tds_login *login)
{
	struct tds_service *service = session->service;
	struct tds_fault fault;
	struct tds_reply reply;
	bool known = str_equal_fold(login->user, str_of(service->user)) &&
		     str_is(login->password, service->password);
	bool forced = tds_faults_use(&service->faults, TDS_FAULT_LOGIN_FAILED, NULL, &fault);
	struct str wanted = login->database.len != 0 ? login->database : STR_LIT("master");
	bool database = tds_database(wanted, &session->facts.database);
	tds_reply_begin(&reply, &session->link, service, &session->facts);
	struct tds_sink sink = tds_reply_sink(&reply);
	char text[400] = "";
	struct tds_message message = {.state = 1, .line = 1};
	if (!known || forced) {
		(void)snprintf(text, sizeof(text), "Login failed for user '%.*s'.",
			       STR_ARG(login->user)); /* may be cut */
		message.number = 18456;
		message.severity = 14;
	} else if (!database) {
		(void)snprintf(
			text, sizeof(text),
			"Cannot open database \"%.*s\" requested by the login. The login failed.",
			STR_ARG(wanted)); /* may be cut */
		message.number = 4060;
		message.severity = 11;
	}
	message.text = str_of(text);
	bool refused = message.number != 0;
	if (refused) {
		tds_service_count(service, refused_logins, 1);
		(void)sink.message(sink.owner, &message); /* the reply keeps the status */
		tds_put_done(&reply.token, TDS_TOKEN_DONE, TDS_DONE_ERROR, 0);
	} else {
		tds_service_count(service, logins, 1);
		put_login_done(session, login, &reply.token);
	}
	(void)tds_reply_send(&reply); /* the reply keeps the status */
	int rc = tds_reply_end(&reply);
	return rc == 0 && refused ? error_set(&session->error, ERR_AUTH, "%s", text) : rc;
}

static int log_in(struct session *session)
{
	uint8_t type = 0;
	struct tds_login login;
	struct error *err = &session->error;
	int rc = tds_link_receive(&session->link, &type, &session->message, err);
	if (rc == 0 && type != TDS_PACKET_LOGIN7) {
		rc = error_set(err, ERR_INPUT, "A packet of type 0x%02x instead of LOGIN7.", type);
	}
	rc = rc == 0 ? tds_parse_login(buf_str(&session->message), &session->login_arena, &login,
				       err)
		     : rc;
	if (rc != 0) {
		return rc;
	}
	if (falls_silent(session, "login")) {
		return -ERR_GONE;
	}
	session->facts.user = login.user;
	session->facts.application = login.application;
	session->facts.host = login.host;
	bool sane = login.packet_size >= PACKET_SIZE_LEAST && login.packet_size <= PACKET_SIZE_MOST;
	session->link.packet_size = sane ? login.packet_size : 4096;
	return answer_login(session, &login);
}

static struct tds_engine engine_for(struct session *session, const struct tds_sink *sink)
{
	return (struct tds_engine){
		.service = session->service,
		.facts = &session->facts,
		.sink = sink,
		.arena = &session->arena,
		.scratch = &session->scratch,
		.variable = session->variable,
	};
}

/* Parses and runs a text. */
static void run_text(struct tds_engine *engine, struct str text)
{
	struct tds_statement *first;
	struct tds_message message;
	bool going = tds_sql_parse(text, engine->arena, &first, &message)
			     ? tds_run(engine, first)
			     : tds_run_failed(engine, &message);
	(void)going; /* the reply keeps the status */
}

/* Sets the variables that sp_executesql declares to the values that came with it; false when it failed (and has said so). */
static bool pass_parameters(struct tds_engine *engine, const struct tds_rpc *rpc)
{
	struct tds_statement *declared = NULL;
	struct tds_message message;
	struct tds_scope scope = {.arena = engine->arena, .scratch = engine->scratch};
	if (rpc->parameter_count > 1 &&
	    !tds_sql_parse_parameters(rpc->parameter[1].value.text, engine->arena, &declared,
				      &message)) {
		(void)tds_run_failed(engine, &message); /* the reply keeps the status */
		return false;
	}
	size_t next = 2;
	for (const struct tds_statement *at = declared; at != NULL && !scope.failed;
	     at = at->next) {
		const struct tds_parameter *given =
			next < rpc->parameter_count ? &rpc->parameter[next] : NULL;
		for (size_t i = 2; i < rpc->parameter_count; i++) {
			given = str_equal_fold(rpc->parameter[i].name, at->name)
					? &rpc->parameter[i]
					: given;
		}
		if (given == NULL || engine->variable_count == TDS_VARIABLES_MAX) {
			tds_scope_fail(&scope, 8178, 16,
				       "The parameterized query expects the parameter '%.*s', "
				       "which was not supplied.",
				       at->name);
			break;
		}
		engine->variable[engine->variable_count] = (struct tds_variable){
			.name = at->name,
			.type = at->type,
			.value = tds_cast(&scope, given->value, at->type, 0, false),
		};
		struct str *text = &engine->variable[engine->variable_count].value.text;
		*text = tds_keep(&scope, engine->arena, *text);
		engine->variable_count++;
		next++;
	}
	if (scope.failed) {
		(void)tds_run_failed(engine, &scope.error); /* the reply keeps the status */
	}
	return !scope.failed;
}

static void run_rpc(struct session *session, struct tds_engine *engine)
{
	const struct tds_rpc *rpc = &session->rpc;
	struct tds_message message = {.number = 2812, .state = 62, .severity = 16, .line = 1};
	struct str name = rpc->procedure;
	struct str prefix = STR_LIT("sys.");
	if (str_has_prefix(name, prefix)) {
		name = str_slice(name, prefix.len, SIZE_MAX);
	}
	if (!str_equal_fold(name, STR_LIT("sp_executesql"))) {
		char text[400];
		(void)snprintf(text, sizeof(text), "Could not find stored procedure '%.*s'.",
			       STR_ARG(name)); /* may be cut */
		message.text = str_of(text);
		(void)tds_run_failed(engine, &message); /* the reply keeps the status */
		return;
	}
	bool text = rpc->parameter_count > 0 && !rpc->parameter[0].value.null &&
		    rpc->parameter[0].value.kind == TDS_NVARCHAR;
	if (!text) {
		message.number = 214;
		message.text = STR_LIT(
			"Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.");
		(void)tds_run_failed(engine, &message); /* the reply keeps the status */
		return;
	}
	if (pass_parameters(engine, rpc)) {
		run_text(engine, rpc->parameter[0].value.text);
	}
}

/* Answers one batch or call. */
static int answer(struct session *session, uint8_t type)
{
	struct error *err = &session->error;
	struct str text = STR_LIT("");
	arena_clear(&session->arena);
	arena_clear(&session->scratch);
	int rc = type == TDS_PACKET_BATCH
			 ? tds_parse_batch(buf_str(&session->message), &session->arena, &text, err)
			 : tds_parse_rpc(buf_str(&session->message), &session->arena, &session->rpc,
					 err);
	if (rc != 0) {
		return rc;
	}
	if (falls_silent(session, "query")) {
		return -ERR_GONE;
	}
	struct tds_reply reply;
	tds_reply_begin(&reply, &session->link, session->service, &session->facts);
	reply.procedure = type == TDS_PACKET_RPC;
	struct tds_sink sink = tds_reply_sink(&reply);
	struct tds_engine engine = engine_for(session, &sink);
	if (reply.procedure) {
		tds_service_count(session->service, rpcs, 1);
		run_rpc(session, &engine);
	} else {
		tds_service_count(session->service, batches, 1);
		run_text(&engine, text);
	}
	return tds_reply_end(&reply);
}

static int answer_attention(struct session *session)
{
	struct tds_reply reply;
	tds_reply_begin(&reply, &session->link, session->service, &session->facts);
	reply.attention = true;
	return tds_reply_end(&reply);
}

static int serve(struct session *session)
{
	int rc = greet(session);
	rc = rc == 0 ? log_in(session) : rc;
	while (rc == 0) {
		uint8_t type = 0;
		rc = tds_link_receive(&session->link, &type, &session->message, &session->error);
		if (rc != 0) {
			break;
		}
		if (type == TDS_PACKET_BATCH || type == TDS_PACKET_RPC) {
			rc = answer(session, type);
		} else if (type == TDS_PACKET_ATTENTION) {
			rc = answer_attention(session);
		} else {
			rc = error_set(&session->error, ERR_INPUT,
				       "A packet of type 0x%02x in a session.", type);
		}
	}
	return rc;
}

void tds_session_run(struct tds_service *service, int fd, int16_t spid)
{
	struct session session = {.service = service};
	tds_link_init(&session.link, fd);
	arena_init(&session.login_arena, 1U << 20);
	arena_init(&session.arena, BATCH_BYTES_MAX);
	arena_init(&session.scratch, SCRATCH_BYTES_MAX);
	buf_init(&session.message, 0);
	session.facts = (struct tds_facts){
		.server = world_server(service->options.world),
		.database = STR_LIT("master"),
		.version_text = STR_LIT(
			"Microsoft SQL Server 2022 (RTM-CU13) (KB5036432) - 16.0.4105.2 (X64)"),
		.product_version = STR_LIT("16.0.4105.2"),
		.spid = spid,
	};
	(void)serve(
		&session); /* a session ends in one way or another; the counts tell of refused ones */
	buf_done(&session.message);
	arena_done(&session.scratch);
	arena_done(&session.arena);
	arena_done(&session.login_arena);
	tds_link_done(&session.link);
}
