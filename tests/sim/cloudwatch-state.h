/* cloudwatch-state - what the files of the CloudWatch simulator share.
 *
 * Shape:   a call is one HTTP request with its answer; events are sorted as FilterLogEvents orders them.
 * Threads: events and options never change; everything else in struct cloudwatch is under its lock.
 * Tests:   tests/unit/cloudwatch.c
 */
#ifndef TESTS_SIM_CLOUDWATCH_STATE_H
#define TESTS_SIM_CLOUDWATCH_STATE_H

#include "base/arena.h"
#include "tests/sim/cloudwatch.h"
#include "tests/sim/sigv4.h"

#include <jansson.h>
#include <pthread.h>

#define FAULTS_MAX    64
#define SESSIONS_KEPT 64

struct event {
	int64_t time_ms, ingestion_ms, visible_ns;
	struct str message, stream, id;
};

struct stream {
	struct str name;
	uint32_t first, last; /* indexes of its earliest and latest event */
	int64_t bytes;
};

enum fault_kind {
	FAULT_KIND_NONE,
	FAULT_KIND_THROTTLE,
	FAULT_KIND_SERVER_ERROR,
	FAULT_KIND_DENIED,
	FAULT_KIND_EXPIRED,
	FAULT_KIND_BAD_TOKEN,
	FAULT_KIND_HTML,
	FAULT_KIND_TRUNCATE,
	FAULT_KIND_HALF_JSON,
	FAULT_KIND_RESET,
	FAULT_KIND_DRIP,
	FAULT_KIND_SILENCE,
	FAULT_KIND_MISSHAPEN,
};

struct fault {
	enum fault_kind kind;
	char op[48], code[64];
	int64_t after, times, status, ms;
};

struct settings {
	bool hide_group, freeze, duplicate, quirks, opaque_ids;
	int64_t retention_ms, skew_ms, page_lines, token_life_ms, session_life_ms;
	int64_t frozen_ns; /* when freeze was set */
};

struct key { /* temporary credentials */
	char access_key[32], secret_key[64], token[96];
	int64_t expires_ns;
};

struct cloudwatch {
	struct cloudwatch_options options;
	struct MHD_Daemon *daemon;
	struct arena arena;
	struct event *events;
	uint32_t event_count;
	struct stream *streams;
	uint32_t stream_count;
	uint8_t token_key[32];
	pthread_mutex_t lock;
	struct fault faults[FAULTS_MAX];
	size_t fault_count;
	struct settings settings;
	struct key keys[SESSIONS_KEPT];
	uint64_t key_number; /* how many were given out */
	char imds_token[64];
	struct buf secret;
	uint64_t secret_version;
	struct cloudwatch_counts counts;
};

struct call {
	struct cloudwatch *server;
	struct sigv4_request request;
	struct buf target, body; /* memory of request */
	bool too_large;
	int64_t now_ns; /* of the service, with its skew */
	struct settings settings;
	struct fault fault;
	const char *op; /* "FilterLogEvents" */
	unsigned status;
	const char *content_type;
	char error_type[64];
	struct buf reply;
};

/* tests/sim/cloudwatch-events.c */

/* Fills events and streams from the world. False without memory. */
bool events_load(struct cloudwatch *server);
/* The first event at or after time_ms. */
uint32_t events_from(const struct cloudwatch *server, int64_t time_ms);
/* Whether this call may see the event. */
bool events_visible(const struct call *call, const struct event *event);

/* tests/sim/cloudwatch-faults.c */

/* Takes the next fault for call->op, and a copy of the settings. */
void faults_take(struct call *call);
/* Appends the counters as one JSON object. */
void faults_put_stats(struct cloudwatch *server, struct buf *out);
/* Hands lines to the SQL Server beside us, up to the first that it refuses (ERR_INPUT). */
int faults_neighbour(struct cloudwatch *server, struct str lines, struct error *err);

/* tests/sim/cloudwatch-auth.c */

/* Whether the call is signed for the service; else the refusal is written into the call, as JSON or XML. */
bool auth_check(struct call *call, const char *service);
/* Gives out new temporary credentials. */
struct key auth_issue(struct call *call, int64_t life_ns);

/* Refusals: JSON of the Logs and Secrets Manager services, XML of STS. */
void call_refuse(struct call *call, unsigned status, const char *type, const char *message);
void call_refuse_xml(struct call *call, unsigned status, const char *code, const char *message);

/* tests/sim/cloudwatch-logs.c, cloudwatch-filter.c, cloudwatch-identity.c: the operations. input is borrowed. */
void logs_filter(struct call *call, const json_t *input);
void logs_get(struct call *call, const json_t *input);
void logs_groups(struct call *call, const json_t *input);
void logs_streams(struct call *call, const json_t *input);
void identity_sts(struct call *call);
void identity_imds(struct call *call);
void identity_secret(struct call *call, const json_t *input);

/* Whether input names the log group that there is; else the refusal is written. */
bool logs_group_named(struct call *call, const json_t *input);
/* A text member, or the empty str; an integer member, or fallback. */
struct str input_text(const json_t *input, const char *name);
int64_t input_int(const json_t *input, const char *name, int64_t fallback);
/* Appends one event to the reply as FilterLogEvents (with stream and id) or GetLogEvents (without) gives it. */
void logs_put_event(struct call *call, const struct event *event, bool full);

#endif
