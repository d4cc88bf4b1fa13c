#include "tests/sim/cloudwatch-state.h"

#include <stdio.h>

static const struct {
	const char *name;
	enum fault_kind kind;
	const char *code;
	int64_t status, ms;
} kinds[] = {
	{"throttle", FAULT_KIND_THROTTLE, "ThrottlingException", 400, 0},
	{"server-error", FAULT_KIND_SERVER_ERROR, "InternalFailure", 500, 0},
	{"denied", FAULT_KIND_DENIED, "AccessDeniedException", 400, 0},
	{"expired", FAULT_KIND_EXPIRED, "ExpiredTokenException", 400, 0},
	{"bad-token", FAULT_KIND_BAD_TOKEN, "InvalidParameterException", 400, 0},
	{"html", FAULT_KIND_HTML, "", 502, 0},
	{"truncate", FAULT_KIND_TRUNCATE, "", 200, 0},
	{"half-json", FAULT_KIND_HALF_JSON, "", 200, 0},
	{"reset", FAULT_KIND_RESET, "", 0, 0},
	{"drip", FAULT_KIND_DRIP, "", 200, 20},
	{"silence", FAULT_KIND_SILENCE, "", 200, 1000},
	{"misshapen", FAULT_KIND_MISSHAPEN, "", 200, 0},
};

static int read_fault(const json_t *entry, struct fault *out, struct error *err)
{
	struct str kind = input_text(entry, "kind");
	struct str op = input_text(entry, "op"), code = input_text(entry, "code");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!str_is(kind, kinds[i].name)) {
			continue;
		}
		code = code.len > 0 ? code : str_of(kinds[i].code);
		if (op.len >= sizeof(out->op) || code.len >= sizeof(out->code)) {
			return error_set(err, ERR_INPUT, "A fault's op or code is too long.");
		}
		*out = (struct fault){.kind = kinds[i].kind,
				      .after = input_int(entry, "after", 0),
				      .times = input_int(entry, "times", 1),
				      .status = input_int(entry, "status", kinds[i].status),
				      .ms = input_int(entry, "ms", kinds[i].ms)};
		memcpy(out->op, op.ptr != NULL ? op.ptr : "", op.len);
		memcpy(out->code, code.ptr, code.len);
		return 0;
	}
	return error_set(err, ERR_INPUT, "There is no fault of the kind \"%.*s\".", STR_ARG(kind));
}

static bool setting_bool(const json_t *settings, const char *name, bool now)
{
	const json_t *value = json_object_get(settings, name);
	return json_is_boolean(value) ? json_is_true(value) : now;
}

static void read_settings(const json_t *input, int64_t now_ns, struct settings *settings)
{
	bool was_frozen = settings->freeze;
	settings->hide_group = setting_bool(input, "hide_group", settings->hide_group);
	settings->freeze = setting_bool(input, "freeze", settings->freeze);
	settings->duplicate = setting_bool(input, "duplicate", settings->duplicate);
	settings->quirks = setting_bool(input, "quirks", settings->quirks);
	settings->opaque_ids = setting_bool(input, "opaque_ids", settings->opaque_ids);
	settings->retention_ms = input_int(input, "retention_ms", settings->retention_ms);
	settings->skew_ms = input_int(input, "skew_ms", settings->skew_ms);
	settings->page_lines = input_int(input, "page_lines", settings->page_lines);
	settings->token_life_ms = input_int(input, "token_life_ms", settings->token_life_ms);
	settings->session_life_ms = input_int(input, "session_life_ms", settings->session_life_ms);
	settings->frozen_ns = settings->freeze && !was_frozen ? now_ns : settings->frozen_ns;
}

static int apply(struct cloudwatch *server, const json_t *script, struct error *err)
{
	struct fault faults[FAULTS_MAX];
	size_t count = 0;
	const json_t *list = json_object_get(script, "faults");
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (count == FAULTS_MAX) {
			return error_set(err, ERR_INPUT, "More than %d faults.", FAULTS_MAX);
		}
		int result = read_fault(json_array_get(list, i), &faults[count++], err);
		if (result != 0) {
			return result;
		}
	}
	pthread_mutex_lock(&server->lock);
	bool clear = json_is_true(json_object_get(script, "clear"));
	size_t kept = clear ? 0 : server->fault_count;
	int result = 0;
	if (kept + count > FAULTS_MAX) {
		result = error_set(err, ERR_INPUT, "More than %d faults.", FAULTS_MAX);
	} else {
		memcpy(&server->faults[kept], faults, count * sizeof(faults[0]));
		server->fault_count = kept + count;
		server->settings = clear ? (struct settings){.quirks = true} : server->settings;
		read_settings(json_object_get(script, "settings"),
			      clock_now(&server->options.clock), &server->settings);
		struct str secret = input_text(script, "secret");
		if (secret.ptr != NULL) {
			buf_clear(&server->secret);
			buf_put_str(&server->secret, secret);
			server->secret_version++;
		}
	}
	pthread_mutex_unlock(&server->lock);
	return result;
}

int cloudwatch_fault(struct cloudwatch *server, struct str script, struct error *err)
{
	json_error_t problem;
	json_t *root = json_loadb(script.ptr != NULL ? script.ptr : "", script.len, 0, &problem);
	if (!json_is_object(root)) {
		json_decref(root);
		return error_set(err, ERR_INPUT, "The script of faults is no JSON object: %s.",
				 problem.text);
	}
	int result = apply(server, root, err);
	json_decref(root);
	return result;
}

void faults_take(struct call *call)
{
	struct cloudwatch *server = call->server;
	pthread_mutex_lock(&server->lock);
	call->settings = server->settings;
	for (size_t i = 0; i < server->fault_count; i++) {
		struct fault *fault = &server->faults[i];
		bool fits = fault->times > 0 &&
			    (fault->op[0] == '\0' || strcmp(fault->op, call->op) == 0);
		if (fits && fault->after > 0) {
			fault->after--;
		} else if (fits) {
			fault->times--;
			call->fault = *fault;
			server->counts.faults++;
			break;
		}
	}
	pthread_mutex_unlock(&server->lock);
}

struct cloudwatch_counts cloudwatch_counts(struct cloudwatch *server)
{
	pthread_mutex_lock(&server->lock);
	struct cloudwatch_counts counts = server->counts;
	pthread_mutex_unlock(&server->lock);
	return counts;
}

void faults_put_stats(struct cloudwatch *server, struct buf *out)
{
	struct cloudwatch_counts counts = cloudwatch_counts(server);
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"calls", counts.calls},
		{"refused_signatures", counts.refused_signatures},
		{"faults", counts.faults},
		{"events", counts.events},
		{"bytes", counts.bytes},
		{"filter_log_events", counts.filter_log_events},
		{"get_log_events", counts.get_log_events},
		{"describe", counts.describe},
		{"sts", counts.sts},
		{"secrets", counts.secrets},
		{"imds", counts.imds},
	};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buf_putf(out, "%s\"%s\":", i > 0 ? "," : "{", members[i].name);
		buf_put_u64(out, members[i].value);
	}
	if (server->options.sql.put_stats != NULL) {
		buf_put_text(out, ",\"sql\":");
		server->options.sql.put_stats(server->options.sql.owner, out);
	}
	buf_put_byte(out, '}');
}

int faults_neighbour(struct cloudwatch *server, struct str lines, struct error *err)
{
	const struct cloudwatch_neighbour *sql = &server->options.sql;
	if (sql->fault == NULL) {
		return error_set(err, ERR_INPUT, "There is no SQL Server beside this endpoint.");
	}
	struct str rest = lines;
	int result = 0;
	while (rest.ptr != NULL && result == 0) {
		struct str line = str_trim(str_split(&rest, '\n'));
		result = line.len > 0 ? sql->fault(sql->owner, line, err) : 0;
	}
	return result;
}
