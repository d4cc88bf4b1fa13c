#include "tests/sim/tds-reply.h"

#define ATTENTION_EVERY 64 /* rows between two looks for an ATTENTION */

static void set_pace(struct tds_reply *reply)
{
	struct tds_faults *faults = &reply->service->faults;
	struct tds_pace *pace = &reply->link->pace;
	struct tds_fault fault;
	*pace = (struct tds_pace){0};
	if (tds_faults_use(faults, TDS_FAULT_WRITE, NULL, &fault)) {
		pace->write_bytes = (size_t)fault.bytes;
	}
	if (tds_faults_use(faults, TDS_FAULT_DRIP, NULL, &fault)) {
		pace->wait_ms = fault.number;
		pace->write_bytes = (size_t)fault.bytes;
	}
	if (tds_faults_use(faults, TDS_FAULT_PACKET, NULL, &fault)) {
		pace->packet_bytes = (size_t)(fault.bytes < 32000 ? fault.bytes : 32000);
	}
	pace->bad_length = tds_faults_use(faults, TDS_FAULT_BAD_LENGTH, "packet", &fault);
}

void tds_reply_begin(struct tds_reply *reply, struct tds_link *link, struct tds_service *service,
		     struct tds_facts *facts)
{
	struct tds_fault fault;
	*reply = (struct tds_reply){
		.link = link, .service = service, .facts = facts, .close_at = -1, .silent_at = -1};
	buf_init(&reply->token, 0);
	set_pace(reply);
	if (tds_faults_look(&service->faults, TDS_FAULT_CLOSE, NULL, &fault)) {
		reply->close_at = fault.number;
	}
	if (tds_faults_look(&service->faults, TDS_FAULT_SILENT, "row", &fault)) {
		reply->silent_at = fault.number;
	}
}

bool tds_reply_send(struct tds_reply *reply)
{
	if (reply->status == 0) {
		reply->status = buf_check(&reply->token, "a token of the simulator", &reply->error);
	}
	if (reply->status == 0) {
		reply->status = tds_link_put(reply->link, buf_str(&reply->token), &reply->error);
	}
	buf_clear(&reply->token);
	return reply->status == 0;
}

/* Whether a bad-length fault for this kind of token is used now. */
static bool spoils(struct tds_reply *reply, const char *where)
{
	struct tds_fault fault;
	return tds_faults_use(&reply->service->faults, TDS_FAULT_BAD_LENGTH, where, &fault);
}

/* Puts a length that cannot be at an offset: in a row it falls on the first column, or on the bits that say which are NULL. */
static void spoil(struct tds_reply *reply, size_t at)
{
	if (at + 1 < reply->token.len) {
		reply->token.ptr[at] = (char)0xf0;
		reply->token.ptr[at + 1] = (char)0x7f;
	}
}

static bool send_columns(void *owner, const struct tds_column *column, size_t column_count)
{
	struct tds_reply *reply = owner;
	struct tds_fault fault;
	tds_put_colmetadata(&reply->token, column, column_count);
	if (spoils(reply, "colmetadata")) {
		spoil(reply, 1);
	}
	if (tds_faults_use(&reply->service->faults, TDS_FAULT_BAD_TOKEN, NULL, &fault)) {
		buf_put_byte(&reply->token, 0x17);
	}
	return tds_reply_send(reply);
}

/* Ends the session in the middle of a row, or says nothing more; what was put so far goes out. */
static bool break_off(struct tds_reply *reply, enum tds_fault_kind kind)
{
	struct tds_fault fault;
	if (!tds_faults_use(&reply->service->faults, kind, kind == TDS_FAULT_SILENT ? "row" : NULL,
			    &fault)) {
		return true; /* another connection was first */
	}
	if (kind == TDS_FAULT_CLOSE) {
		buf_truncate(&reply->token, reply->token.len / 2);
	} else {
		buf_clear(&reply->token);
	}
	(void)tds_reply_send(reply); /* the session ends whether or not it went out */
	reply->status = tds_link_part(reply->link, &reply->error);
	if (kind == TDS_FAULT_SILENT && reply->status == 0) {
		reply->status = tds_link_wait(reply->link, -1, &reply->error);
	}
	reply->status = reply->status != 0 ? reply->status : -ERR_GONE;
	return false;
}

static bool send_row(void *owner, const struct tds_column *column, const struct tds_value *value,
		     size_t column_count)
{
	struct tds_reply *reply = owner;
	tds_put_row(&reply->token, column, value, column_count);
	tds_service_count(reply->service, rows, 1);
	if ((int64_t)reply->rows == reply->close_at && !break_off(reply, TDS_FAULT_CLOSE)) {
		return false;
	}
	if ((int64_t)reply->rows == reply->silent_at && !break_off(reply, TDS_FAULT_SILENT)) {
		return false;
	}
	if (spoils(reply, "row")) {
		spoil(reply, 1);
	}
	reply->rows++;
	if (!tds_reply_send(reply)) {
		return false;
	}
	if (reply->rows % ATTENTION_EVERY == 0) {
		reply->status = tds_link_attention(reply->link, &reply->attention, &reply->error);
	}
	return reply->status == 0 && !reply->attention;
}

static bool send_message(void *owner, const struct tds_message *message)
{
	struct tds_reply *reply = owner;
	struct tds_message full = *message;
	full.server = reply->facts->server;
	tds_put_message(&reply->token, &full);
	if (message->severity <= 10 && spoils(reply, "info")) {
		spoil(reply, 1);
	}
	return tds_reply_send(reply);
}

static bool send_use(void *owner, struct str database)
{
	struct tds_reply *reply = owner;
	tds_put_envchange(&reply->token, TDS_ENV_DATABASE, database, reply->facts->database);
	struct buf text __attribute__((cleanup(buf_done)));
	buf_init(&text, 0);
	buf_putf(&text, "Changed database context to '%.*s'.", STR_ARG(database));
	struct tds_message info = {.number = 5701, .state = 1, .text = buf_str(&text), .line = 1};
	reply->facts->database = database;
	return send_message(reply, &info);
}

static bool send_done(void *owner, const struct tds_done *done)
{
	struct tds_reply *reply = owner;
	unsigned status =
		(done->counted ? TDS_DONE_COUNT : 0U) | (done->failed ? TDS_DONE_ERROR : 0U);
	if (!reply->procedure) {
		status |= done->last ? 0U : TDS_DONE_MORE;
		tds_put_done(&reply->token, TDS_TOKEN_DONE, (uint16_t)status, done->row_count);
		return tds_reply_send(reply);
	}
	if (done->counted) {
		tds_put_done(&reply->token, TDS_TOKEN_DONEINPROC,
			     (uint16_t)(status | TDS_DONE_MORE), done->row_count);
	}
	if (done->last) {
		tds_put_returnstatus(&reply->token, done->failed ? 1 : 0);
		tds_put_done(&reply->token, TDS_TOKEN_DONEPROC, done->failed ? TDS_DONE_ERROR : 0,
			     0);
	}
	return tds_reply_send(reply);
}

struct tds_sink tds_reply_sink(struct tds_reply *reply)
{
	return (struct tds_sink){
		.owner = reply,
		.columns = send_columns,
		.row = send_row,
		.message = send_message,
		.use = send_use,
		.done = send_done,
	};
}

int tds_reply_end(struct tds_reply *reply)
{
	if (reply->status == 0 && reply->attention && reply->rows > 0) {
		/* The answer that was stopped ends here; that it was comes in a message of its own. */
		reply->status = tds_link_end(reply->link, &reply->error);
	}
	if (reply->status == 0 && reply->attention) {
		tds_put_done(&reply->token, TDS_TOKEN_DONE, TDS_DONE_ATTENTION, 0);
		tds_service_count(reply->service, attentions, 1);
		(void)tds_reply_send(reply); /* status has it */
	}
	if (reply->status == 0) {
		reply->status = tds_link_end(reply->link, &reply->error);
	}
	buf_done(&reply->token);
	return reply->status;
}
