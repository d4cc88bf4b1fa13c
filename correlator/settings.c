#include "correlator/settings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define SECTION_MAX 128

/* "sources.NAME". */
static void section_of(const char *name, char out[SECTION_MAX])
{
	int len = snprintf(out, SECTION_MAX, "sources.%s", name);
	assert(len > 0 && len < SECTION_MAX); /* the loader limits names */
}

static bool is_configured(const struct config *config, const char *name)
{
	size_t count = config_name_count(config, "sources");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(config_name(config, "sources", i), name) == 0) {
			return true;
		}
	}
	return false;
}

static bool option_is(const struct config *config, const char *section, const char *option,
		      const char *value)
{
	return strcmp(config_text(config, section, option), value) == 0;
}

unsigned settings_source_kinds(const struct config *config, const char *name)
{
	char section[SECTION_MAX];
	if (!is_configured(config, name)) {
		return 0;
	}
	section_of(name, section);
	if (option_is(config, section, "type", "cloudwatch")) {
		return 1u << RECORD_REQUEST;
	}
	if (option_is(config, section, "type", "sqlserver")) {
		return 1u << RECORD_STATEMENT;
	}
	return option_is(config, section, "content", "access-log") ? 1u << RECORD_REQUEST
								   : 1u << RECORD_STATEMENT;
}

bool settings_source_is_finite(const struct config *config, const char *name)
{
	char section[SECTION_MAX];
	if (!is_configured(config, name)) {
		return false;
	}
	section_of(name, section);
	return option_is(config, section, "type", "file") &&
	       !config_bool(config, section, "follow");
}

static enum log_level level_of(const char *word)
{
	static const char *const words[] = {"error", "warning", "notice", "info", "debug"};
	for (int i = 0; i < 5; i++) {
		if (strcmp(word, words[i]) == 0) {
			return (enum log_level)(LOG_LEVEL_ERROR + i);
		}
	}
	return LOG_LEVEL_INFO;
}

static int read_routes(const struct config *config, struct settings *settings)
{
	size_t count = config_map_count(config, "identity", "routes");
	size_t principal_count = 0;
	for (size_t i = 0; i < count; i++) {
		principal_count += config_map_value_count(config, "identity", "routes", i);
	}
	settings->routes = calloc(count + 1, sizeof settings->routes[0]);
	settings->principals = calloc(principal_count + 1, sizeof settings->principals[0]);
	if (settings->routes == NULL || settings->principals == NULL) {
		return -ERR_NOMEM;
	}
	struct str *next = settings->principals;
	for (size_t i = 0; i < count; i++) {
		struct join_route_rule *rule = &settings->routes[i];
		rule->route = str_of(config_map_key(config, "identity", "routes", i));
		rule->principals = next;
		rule->principal_count = config_map_value_count(config, "identity", "routes", i);
		for (size_t j = 0; j < rule->principal_count; j++) {
			*next++ = str_of(config_map_value(config, "identity", "routes", i, j));
		}
	}
	settings->join.routes = settings->routes;
	settings->join.route_count = count;
	return 0;
}

static int read_clocks(const struct config *config, struct settings *settings)
{
	size_t count = config_name_count(config, "sources");
	settings->clocks = calloc(count + 1, sizeof settings->clocks[0]);
	if (settings->clocks == NULL) {
		return -ERR_NOMEM;
	}
	settings->join.clocks = settings->clocks;
	for (size_t i = 0; i < count; i++) {
		char section[SECTION_MAX];
		const char *name = config_name(config, "sources", i);
		section_of(name, section);
		if (!option_is(config, section, "type", "sqlserver")) {
			continue;
		}
		int64_t behind_ns = config_int(config, section, "clock_offset");
		bool ahead = config_bool(config, section, "clock_ahead");
		settings->clocks[settings->join.clock_count++] = (struct join_server_clock){
			.source = str_of(name), .offset_ns = ahead ? -behind_ns : behind_ns};
	}
	return 0;
}

/* These names are those of the daemon, of querytrail-serve, of the command line and of querytrail-notify. */
static int check_names(const struct config *config, struct error *err)
{
	static const char *const own[] = {"querytraild", "querytrail-serve", "querytrail",
					  "notify"};
	for (size_t i = 0; i < config_name_count(config, "sources"); i++) {
		const char *name = config_name(config, "sources", i);
		for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++) {
			if (strcmp(name, own[k]) == 0) {
				return error_set(err, ERR_CONFIG,
						 "sources.%s: this name is querytrail's own; give "
						 "the source another one",
						 name);
			}
		}
	}
	return 0;
}

int settings_read(const struct config *config, struct settings *out, struct error *err)
{
	struct settings settings = {
		.log_level = level_of(config_text(config, "", "log_level")),
		.log = {.key_file = config_text(config, "log", "key_file"),
			.next_key_file = config_text(config, "log", "next_key_file"),
			.interval_ns = config_int(config, "log", "interval")},
		.commit_interval_ns = config_int(config, "daemon", "commit_interval"),
		.silence_limit_ns = config_int(config, "daemon", "silence_limit"),
		.alerts = {.hold_ns = config_int(config, "alerts", "hold"),
			   .resolve_after_ns = config_int(config, "alerts", "resolve_after"),
			   .max_age_ns = config_int(config, "alerts", "max_age"),
			   .statement_bytes =
				   (size_t)config_int(config, "alerts", "statement_bytes")},
		.seal = {.requests = (size_t)config_int(config, "seal", "requests"),
			 .head_bytes = (uint64_t)config_int(config, "seal", "head"),
			 .age_ns = config_int(config, "seal", "age")},
		.retention = {.literals_ns = config_int(config, "retention", "literals"),
			      .records_ns = config_int(config, "retention", "records"),
			      .size_bytes = (uint64_t)config_int(config, "retention", "size"),
			      .interval_ns = config_int(config, "retention", "interval"),
			      .ledger = config_text(config, "retention", "ledger")},
		.join = {.tolerance_ns = config_int(config, "join", "clock_tolerance"),
			 .slack_ns = config_int(config, "join", "clock_slack"),
			 .provisional_ns = config_int(config, "join", "provisional_after"),
			 .require_signature = config_bool(config, "join", "require_signature"),
			 .max_records = SETTINGS_JOIN_RECORDS},
	};
	int rc = check_names(config, err);
	secret_init(&settings.signing_key);
	secret_init(&settings.store_key);
	if (rc < 0) {
		return rc;
	}
	rc = channels_read(config, &settings.alerts.channels, err);
	if (rc < 0) {
		return rc;
	}
	const char *store_key_file = config_text(config, "", "store_key_file");
	if (store_key_file[0] != 0) {
		rc = secret_read(&settings.store_key, store_key_file, err);
	}
	const char *key_file = config_text(config, "join", "signing_key_file");
	if (rc == 0 && key_file[0] != 0) {
		rc = secret_read(&settings.signing_key, key_file, err);
		settings.join.signing_key = secret_peek(&settings.signing_key);
	}
	if (rc == 0 && (read_routes(config, &settings) < 0 || read_clocks(config, &settings) < 0)) {
		rc = error_set(err, ERR_NOMEM, "no memory for the configuration");
	}
	if (rc < 0) {
		settings_done(&settings);
		return rc;
	}
	*out = settings;
	return 0;
}

void settings_done(struct settings *settings)
{
	secret_done(&settings->signing_key);
	secret_done(&settings->store_key);
	channels_done(&settings->alerts.channels);
	free(settings->routes);
	free(settings->principals);
	free(settings->clocks);
	*settings = (struct settings){0};
}
