#include "tests/sim/cloudwatch-state.h"

#include "base/io.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#define BODY_MAX  (1 << 20)
#define DRIP_SIZE 7

enum op_group { OP_LOGS, OP_SECRETS };

static const struct {
	const char *target;
	enum op_group group;
	void (*run)(struct call *call, const json_t *input);
	size_t counter; /* offset in struct cloudwatch_counts */
} operations[] = {
	{"Logs_20140328.FilterLogEvents", OP_LOGS, logs_filter,
	 offsetof(struct cloudwatch_counts, filter_log_events)},
	{"Logs_20140328.GetLogEvents", OP_LOGS, logs_get,
	 offsetof(struct cloudwatch_counts, get_log_events)},
	{"Logs_20140328.DescribeLogGroups", OP_LOGS, logs_groups,
	 offsetof(struct cloudwatch_counts, describe)},
	{"Logs_20140328.DescribeLogStreams", OP_LOGS, logs_streams,
	 offsetof(struct cloudwatch_counts, describe)},
	{"secretsmanager.GetSecretValue", OP_SECRETS, identity_secret,
	 offsetof(struct cloudwatch_counts, secrets)},
};

static void count(struct cloudwatch *server, size_t counter)
{
	pthread_mutex_lock(&server->lock);
	(*(uint64_t *)((char *)&server->counts + counter))++;
	pthread_mutex_unlock(&server->lock);
}

/* Faults that stand in place of an answer. Returns whether the call is answered with it. */
static bool answer_fault(struct call *call)
{
	const struct fault *fault = &call->fault;
	switch (fault->kind) {
	case FAULT_KIND_THROTTLE:
		call_refuse(call, (unsigned)fault->status, fault->code, "Rate exceeded");
		return true;
	case FAULT_KIND_SERVER_ERROR:
		call_refuse(call, (unsigned)fault->status, fault->code,
			    "We encountered an internal error. Please try again.");
		return true;
	case FAULT_KIND_DENIED:
		call_refuse(
			call, 400, fault->code,
			"User is not authorized to perform this action because no identity-based "
			"policy allows it");
		return true;
	case FAULT_KIND_EXPIRED:
		call_refuse(call, 400, fault->code,
			    "The security token included in the request is expired");
		return true;
	case FAULT_KIND_HTML:
		call->status = (unsigned)fault->status;
		call->content_type = "text/html";
		buf_put_text(&call->reply, "<html><head><title>502 Bad Gateway</title></head><body>"
					   "<h1>Bad Gateway</h1></body></html>\n");
		return true;
	case FAULT_KIND_MISSHAPEN:
		buf_put_text(&call->reply, "{\"events\":{\"0\":null},\"nextToken\":17}");
		return true;
	case FAULT_KIND_NONE:
	case FAULT_KIND_BAD_TOKEN:
	case FAULT_KIND_TRUNCATE:
	case FAULT_KIND_HALF_JSON:
	case FAULT_KIND_RESET:
	case FAULT_KIND_DRIP:
	case FAULT_KIND_SILENCE:
		break;
	}
	return false;
}

static void run_operation(struct call *call, struct str target)
{
	size_t count_of = sizeof(operations) / sizeof(operations[0]), index = 0;
	while (index < count_of && !str_is(target, operations[index].target)) {
		index++;
	}
	if (index == count_of) {
		call_refuse(call, 400, "UnknownOperationException", "");
		return;
	}
	call->op = strchr(operations[index].target, '.') + 1;
	count(call->server, operations[index].counter);
	faults_take(call);
	call->now_ns += call->settings.skew_ms * NS_PER_MS;
	if (answer_fault(call) ||
	    !auth_check(call, operations[index].group == OP_LOGS ? "logs" : "secretsmanager")) {
		return;
	}
	json_error_t problem;
	json_t *input = json_loadb(call->body.ptr != NULL ? call->body.ptr : "", call->body.len, 0,
				   &problem);
	if (!json_is_object(input)) {
		call_refuse(call, 400, "SerializationException", "The body is no JSON object.");
	} else {
		operations[index].run(call, input);
	}
	json_decref(input);
}

static void run_control(struct call *call)
{
	struct error err;
	int result = 0;
	call->content_type = "application/json";
	if (str_is(call->request.target, "/_sim/stats")) {
		faults_put_stats(call->server, &call->reply);
	} else if (str_is(call->request.target, "/_sim/faults")) {
		result = cloudwatch_fault(call->server, call->request.body, &err);
	} else if (str_is(call->request.target, "/_sim/sql-faults")) {
		result = faults_neighbour(call->server, call->request.body, &err);
	} else {
		result = error_set(&err, ERR_INPUT,
				   "There are /_sim/faults, /_sim/sql-faults and /_sim/stats.");
	}
	if (result != 0) {
		call_refuse(call, 400, "InvalidScript", err.text);
	} else if (call->reply.len == 0) {
		buf_put_text(&call->reply, "{}");
	}
}

/* Fills in the call's answer. */
static void run(struct call *call)
{
	struct cloudwatch *server = call->server;
	call->now_ns = clock_now(&server->options.clock);
	call->status = 200;
	call->content_type = "application/x-amz-json-1.1";
	call->op = "";
	struct str target = sigv4_header(&call->request, "x-amz-target");
	if (str_has_prefix(call->request.target, STR_LIT("/_sim/"))) {
		run_control(call);
		return;
	}
	count(server, offsetof(struct cloudwatch_counts, calls));
	if (call->too_large) {
		call_refuse(call, 413, "RequestEntityTooLarge", "The body is over 1 MiB.");
	} else if (target.ptr != NULL) {
		run_operation(call, target);
	} else if (str_has_prefix(call->request.target, STR_LIT("/latest/"))) {
		count(server, offsetof(struct cloudwatch_counts, imds));
		call->op = "imds";
		faults_take(call);
		if (!answer_fault(call)) {
			identity_imds(call);
		}
	} else {
		count(server, offsetof(struct cloudwatch_counts, sts));
		call->op = "sts";
		faults_take(call);
		call->now_ns += call->settings.skew_ms * NS_PER_MS;
		if (!answer_fault(call)) {
			identity_sts(call);
		}
	}
}

static void pause_ms(int64_t ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	(void)nanosleep(&time, NULL); /* a signal may end it early */
}

static ssize_t read_reply(void *owner, uint64_t pos, char *out, size_t max)
{
	struct call *call = owner;
	size_t end = call->reply.len;
	if (call->fault.kind == FAULT_KIND_TRUNCATE) {
		end /= 2;
		if (pos >= end) {
			return MHD_CONTENT_READER_END_WITH_ERROR;
		}
	}
	size_t size = end - (size_t)pos < max ? end - (size_t)pos : max;
	if (call->fault.kind == FAULT_KIND_DRIP) {
		pause_ms(call->fault.ms);
		size = size < DRIP_SIZE ? size : DRIP_SIZE;
	}
	memcpy(out, call->reply.ptr + pos, size);
	return (ssize_t)size;
}

static enum MHD_Result reset(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	/* a connect to nowhere makes Linux drop the connection with a reset; close alone would end it in good order */
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	if (info != NULL) {
		(void)connect(info->connect_fd, &nowhere, sizeof(nowhere));
	}
	return MHD_NO;
}

static void add_headers(const struct call *call, struct MHD_Response *response)
{
	/* the service's own clock, which a client may correct its signing time by */
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil civil;
	char date[64];
	clock_to_civil(call->now_ns, &civil);
	(void)snprintf(date, sizeof(date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
		       days[(call->now_ns / NS_PER_DAY) % 7], civil.day, months[civil.month - 1],
		       civil.year, civil.hour, civil.minute, civil.second);
	(void)MHD_add_response_header(response, "Date", date);
	(void)MHD_add_response_header(response, "Content-Type", call->content_type);
	(void)MHD_add_response_header(response, "x-amzn-RequestId",
				      "6d4a1f9e-3a0b-4a3e-9a57-0f1d2c3b4a59");
	if (call->error_type[0] != '\0') {
		(void)MHD_add_response_header(response, "x-amzn-ErrorType", call->error_type);
	}
}

static enum MHD_Result answer(struct call *call, struct MHD_Connection *connection)
{
	struct cloudwatch *server = call->server;
	run(call);
	if (call->fault.kind == FAULT_KIND_RESET) {
		return reset(connection);
	}
	if (call->fault.kind == FAULT_KIND_SILENCE) {
		pause_ms(call->fault.ms);
	}
	if (call->fault.kind == FAULT_KIND_HALF_JSON) {
		buf_truncate(&call->reply, call->reply.len / 2);
	}
	pthread_mutex_lock(&server->lock);
	server->counts.bytes += call->reply.len;
	pthread_mutex_unlock(&server->lock);
	struct MHD_Response *response =
		call->reply.failed ? NULL
				   : MHD_create_response_from_callback(call->reply.len, 65536,
								       read_reply, call, NULL);
	if (response == NULL) {
		return MHD_NO;
	}
	add_headers(call, response);
	enum MHD_Result result = MHD_queue_response(connection, call->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result take_header(void *owner, enum MHD_ValueKind kind, const char *key,
				   const char *value)
{
	struct call *call = owner;
	(void)kind; /* only headers are asked for */
	if (call->request.header_count == SIGV4_HEADERS_MAX) {
		return MHD_NO;
	}
	call->request.header[call->request.header_count++] =
		(struct sigv4_header){str_of(key), str_of(value)};
	return MHD_YES;
}

static void *begin(void *owner, const char *uri, struct MHD_Connection *connection)
{
	(void)connection; /* its headers are not read yet */
	struct call *call = calloc(1, sizeof(*call));
	if (call == NULL) {
		return NULL;
	}
	call->server = owner;
	buf_init(&call->target, 65536);
	buf_init(&call->body, BODY_MAX);
	buf_init(&call->reply, 0);
	buf_put_text(&call->target, uri);
	return call;
}

static void end(void *owner, struct MHD_Connection *connection, void **state,
		enum MHD_RequestTerminationCode code)
{
	(void)owner, (void)connection, (void)code; /* only the call is to be freed */
	struct call *call = *state;
	if (call != NULL) {
		buf_done(&call->target);
		buf_done(&call->body);
		buf_done(&call->reply);
		free(call);
	}
	*state = NULL;
}

static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_size, void **state)
{
	(void)owner, (void)url, (void)version; /* the call has the raw target */
	struct call *call = *state;
	if (call == NULL) {
		return MHD_NO;
	}
	if (call->request.method.ptr == NULL) { /* the headers are there, the body is to come */
		call->request.method = str_of(method);
		(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, call);
		return MHD_YES;
	}
	if (*data_size > 0) {
		buf_put(&call->body, data, *data_size);
		call->too_large = call->too_large || call->body.failed;
		*data_size = 0;
		return MHD_YES;
	}
	call->request.target = buf_str(&call->target);
	call->request.body = buf_str(&call->body);
	return answer(call, connection);
}

struct cloudwatch_options cloudwatch_defaults(const struct world *world)
{
	return (struct cloudwatch_options){
		.world = world,
		.clock = clock_system(),
		.region = "eu-north-1",
		.account = "123456789012",
		.log_group = "/aws/apigateway/fjordkjop-prod",
		.access_key = "AKIASIMULATED0000001",
		.secret_key = "sim/not+a+secret/0123456789abcdefghijklm",
		.role = "querytrail-reader",
		.web_identity_token = "eyJhbGciOiJub25lIn0.simulated.",
		.secret_name = "prod/sqlserver/querytrail",
	};
}

static int copy_text(struct arena *arena, const char **text)
{
	struct str copy = {0};
	if (*text == NULL) {
		return 0;
	}
	int result = arena_str(arena, str_of(*text), &copy);
	*text = copy.ptr;
	return result;
}

static int copy_options(struct cloudwatch *server)
{
	struct cloudwatch_options *options = &server->options;
	const char **texts[] = {&options->region,      &options->account,
				&options->log_group,   &options->access_key,
				&options->secret_key,  &options->role,
				&options->secret_name, &options->web_identity_token};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (copy_text(&server->arena, texts[i]) != 0) {
			return -ERR_NOMEM;
		}
	}
	buf_init(&server->secret, 0);
	buf_put_text(&server->secret, options->secret_text != NULL ? options->secret_text : "");
	return server->secret.failed ? -ERR_NOMEM : 0;
}

static int listen_on(struct cloudwatch *server, struct buf *certificate, struct buf *key,
		     struct error *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(server->options.port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_USE_SUPPRESS_DATE_NO_CLOCK; /* the Date is ours */
	struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, certificate->ptr},
				       {MHD_OPTION_HTTPS_MEM_KEY, 0, key->ptr},
				       {MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	bool secure = server->options.certificate_path != NULL;
	server->daemon = MHD_start_daemon(flags | (secure ? MHD_USE_TLS : 0), 0, NULL, NULL, handle,
					  server, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
					  MHD_OPTION_URI_LOG_CALLBACK, begin, server,
					  MHD_OPTION_NOTIFY_COMPLETED, end, server,
					  MHD_OPTION_CONNECTION_LIMIT, 256u, MHD_OPTION_ARRAY,
					  secure ? tls : none, MHD_OPTION_END);
	if (server->daemon == NULL && secure) {
		return error_set(err, ERR_CONFIG,
				 "The CloudWatch endpoint cannot start with the certificate %s.",
				 server->options.certificate_path);
	}
	return server->daemon != NULL
		       ? 0
		       : error_set(err, ERR_IO, "The CloudWatch endpoint cannot listen on port %u.",
				   server->options.port);
}

static int start(struct cloudwatch *server, struct error *err)
{
	struct buf certificate, key;
	buf_init(&certificate, 0);
	buf_init(&key, 0);
	int result = 0;
	if (copy_options(server) != 0 || !events_load(server)) {
		result = error_set(err, ERR_NOMEM, "No memory for the CloudWatch endpoint.");
	}
	if (result == 0 && server->options.certificate_path != NULL) {
		result = io_read_file(server->options.certificate_path, 65536, &certificate, err);
		result = result == 0 ? io_read_file(server->options.key_path, 65536, &key, err)
				     : result;
	}
	if (result == 0 && getrandom(server->token_key, sizeof(server->token_key), 0) !=
				   (ssize_t)sizeof(server->token_key)) {
		result = error_errno(err, "The system gives no random bytes");
	}
	if (result == 0) {
		result = listen_on(server, &certificate, &key, err);
	}
	buf_done(&certificate);
	buf_done(&key);
	return result;
}

int cloudwatch_start(const struct cloudwatch_options *options, struct cloudwatch **out_server,
		     uint16_t *out_port, struct error *err)
{
	struct cloudwatch *server = calloc(1, sizeof(*server));
	if (server == NULL) {
		return error_set(err, ERR_NOMEM, "No memory for the CloudWatch endpoint.");
	}
	server->options = *options;
	server->settings.quirks = true;
	arena_init(&server->arena, 1 << 20);
	pthread_mutex_init(&server->lock, NULL);
	int result = start(server, err);
	if (result != 0) {
		cloudwatch_stop(server);
		return result;
	}
	*out_port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	*out_server = server;
	return 0;
}

void cloudwatch_stop(struct cloudwatch *server)
{
	if (server == NULL) {
		return;
	}
	if (server->daemon != NULL) {
		MHD_stop_daemon(server->daemon);
	}
	free(server->events);
	free(server->streams);
	buf_done(&server->secret);
	arena_done(&server->arena);
	pthread_mutex_destroy(&server->lock);
	free(server);
}
