#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "model/options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int household_load(struct daemon *daemon, struct config **out_config, struct error *err)
{
	const char *path = daemon->options.config_path;
	if (path == NULL && access(DAEMON_CONFIG_PATH, F_OK) != 0) {
		const struct config_input nothing = {.name = "(no configuration)",
						     .text = STR_LIT("{}")};
		return config_parse(options_schema(), &nothing, out_config, NULL, err);
	}
	return config_load(options_schema(), path != NULL ? path : DAEMON_CONFIG_PATH, out_config,
			   NULL, err);
}

/* A folder as an absolute path: children may run elsewhere. */
static void set_dir(struct buf *out, const char *override, const char *configured)
{
	buf_clear(out);
	if (override != NULL && override[0] != '/') {
		char *folder = getcwd(NULL, 0);
		buf_put_text(out, folder != NULL ? folder : ".");
		buf_put_byte(out, '/');
		free(folder);
	}
	buf_put_text(out, override != NULL ? override : configured);
}

void household_find_places(struct daemon *daemon)
{
	const struct daemon_options *options = &daemon->options;
	set_dir(&daemon->store_dir, options->store_dir, config_text(daemon->config, "", "store"));
	set_dir(&daemon->runtime_dir, options->runtime_dir,
		config_text(daemon->config, "", "runtime"));
}

/* Children learn of --store and --runtime through a configuration of their own in the runtime folder. */
static int write_children_config(struct daemon *daemon, struct error *err)
{
	struct buf *path = &daemon->children_config;
	buf_clear(path);
	const struct daemon_options *options = &daemon->options;
	if (options->store_dir == NULL && options->runtime_dir == NULL &&
	    options->config_path != NULL) {
		buf_put_text(path, options->config_path);
		return 0;
	}
	struct buf text, overrides;
	buf_init(&text, 0);
	buf_init(&overrides, 0);
	config_dump(daemon->config, false, &text);
	buf_put_text(&overrides, "store: ");
	json_put_string(&overrides, buf_str(&daemon->store_dir));
	buf_put_text(&overrides, "\nruntime: ");
	json_put_string(&overrides, buf_str(&daemon->runtime_dir));
	buf_put_text(&overrides, "\n");
	buf_put_str(path, buf_str(&daemon->runtime_dir));
	buf_put_text(path, "/children/conf.d");
	int rc = io_make_dir(path->ptr, 0700, err);
	buf_put_text(path, "/places.yaml");
	rc = rc < 0 ? rc : io_replace_file(path->ptr, buf_str(&overrides), 0600, err);
	buf_clear(path);
	buf_put_str(path, buf_str(&daemon->runtime_dir));
	buf_put_text(path, "/children/querytrail.yaml");
	rc = rc < 0 ? rc : io_replace_file(path->ptr, buf_str(&text), 0600, err);
	buf_done(&text);
	buf_done(&overrides);
	return rc;
}

int household_apply(struct daemon *daemon, struct error *err)
{
	struct roster *roster = keeper_roster(daemon->keeper);
	int64_t now_ns = clock_now_ns();
	for (size_t i = 0; i < roster->count; i++) {
		roster->sources[i]->configured = false;
	}
	size_t count = config_name_count(daemon->config, "sources");
	for (size_t i = 0; i < count; i++) {
		const char *name = config_name(daemon->config, "sources", i);
		struct roster_source *source = NULL;
		int rc = roster_add(roster, str_of(name), &source, err);
		if (rc < 0) {
			return rc;
		}
		char section[128];
		int len = snprintf(section, sizeof section, "sources.%s", name);
		assert(len > 0 && (size_t)len < sizeof section);
		source->configured = true;
		source->heard_ns = source->heard_ns != 0 ? source->heard_ns : now_ns;
		if (daemon->options.import && settings_source_is_finite(daemon->config, name)) {
			/* done by an earlier import is not done by this one */
			roster_set_state(source, "", (struct str){0}, now_ns);
		}
		roster_set_type(source, str_of(config_text(daemon->config, section, "type")),
				settings_source_kinds(daemon->config, name));
	}
	log_set_level(daemon->settings.log_level);
	sealer_set(&daemon->sealer, &daemon->settings.seal);
	if (daemon->life != NULL) {
		life_set(daemon->life, &daemon->settings.retention);
	}
	const struct settings_alerts *alerts = &daemon->settings.alerts;
	alerting_set(keeper_alerting(daemon->keeper),
		     &(struct alerting_settings){.channels = &alerts->channels,
						 .hold_ns = alerts->hold_ns,
						 .resolve_after_ns = alerts->resolve_after_ns,
						 .max_age_ns = alerts->max_age_ns,
						 .all_channels = !daemon->options.import &&
								 !daemon->options.records_only});
	if (daemon->anchoring != NULL) {
		int rc = anchoring_set(daemon->anchoring, daemon->config, err);
		if (rc < 0) {
			return rc;
		}
	}
	if (daemon->dispatch != NULL) {
		dispatch_set(daemon->dispatch, &alerts->channels, alerts->statement_bytes);
	}
	return 0;
}

/* A child ended: whether it shall be started again. */
static bool on_child_ended(void *owner, const char *name, int status)
{
	struct daemon *daemon = owner;
	const struct roster_source *source =
		roster_find(keeper_roster(daemon->keeper), str_of(name));
	if (status == 0 && source != NULL && roster_is_done(source)) {
		return false;
	}
	if (daemon->stopping) {
		return false;
	}
	if (daemon->options.import && status != 0) {
		const char *said = source != NULL ? source->about.state_text : "";
		(void)error_set(
			&daemon->import_failed, ERR_INPUT, /* told at the end */
			"source %s could not be imported (its collector ended with status %d)%s%s",
			name, status, said[0] != 0 ? ": " : "", said);
		return false;
	}
	log_write(LOG_LEVEL_WARNING, "child-ended", "%s ended with status %d", name, status);
	return true;
}

int household_start_children(struct daemon *daemon, struct error *err)
{
	daemon->spawn = spawn_new(daemon->loop, on_child_ended, daemon);
	if (daemon->spawn == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the children");
	}
	int rc = write_children_config(daemon, err);
	size_t count = config_name_count(daemon->config, "sources");
	for (size_t i = 0; i < count && rc == 0; i++) {
		const char *name = config_name(daemon->config, "sources", i);
		if (daemon->options.import && !settings_source_is_finite(daemon->config, name)) {
			continue;
		}
		if (daemon->options.import) { /* an import before was done; this one is not */
			struct roster_source *source =
				roster_find(keeper_roster(daemon->keeper), str_of(name));
			assert(source != NULL); /* household_apply added it */
			roster_set_state(source, "ok", (struct str){0}, clock_now_ns());
		}
		const char *const arguments[] = {"querytrail-collect", "--config",
						 daemon->children_config.ptr, name, NULL};
		rc = spawn_add(daemon->spawn, name, arguments, err);
	}
	if (rc == 0 && !daemon->options.import) {
		const char *const arguments[] = {"querytrail-serve", "--config",
						 daemon->children_config.ptr, NULL};
		rc = spawn_add(daemon->spawn, "querytrail-serve", arguments, err);
	}
	bool tells = daemon->settings.alerts.channels.count > 0 ||
		     config_name_count(daemon->config, "anchors") > 0;
	if (rc == 0 && !daemon->options.import && tells) {
		const char *const arguments[] = {"querytrail-notify", "--config",
						 daemon->children_config.ptr, NULL};
		rc = spawn_add(daemon->spawn, "querytrail-notify", arguments, err);
	}
	return rc;
}

/* Goes by a new configuration; on failure the old one stays in force. */
static int go_by(struct daemon *daemon, struct config *config, struct error *err)
{
	struct settings settings;
	struct ruleset *ruleset = NULL;
	int rc = settings_read(config, &settings, err);
	if (rc < 0) {
		return rc;
	}
	if (!daemon->options.records_only) {
		rc = ruleload_read(config, true, &ruleset, err);
	}
	if (rc == 0) {
		rc = keeper_rejoin(daemon->keeper, &settings.join, err);
	}
	if (rc < 0) {
		ruleset_free(ruleset);
	} else if (!daemon->options.records_only) {
		rc = alerting_use(keeper_alerting(daemon->keeper), ruleset, err);
	}
	if (rc < 0) {
		settings_done(&settings);
		return rc;
	}
	settings_done(&daemon->settings);
	config_free(daemon->config);
	daemon->settings = settings;
	daemon->config = config;
	return household_apply(daemon, err);
}

/* Ends the children; meanwhile their batches in flight are taken in and confirmed, as they wait for that. */
static int stop_children(struct daemon *daemon, struct error *err)
{
	int64_t deadline_ns = clock_monotonic_ns() + 2 * NS_PER_SEC;
	int rc = 0;
	spawn_terminate(daemon->spawn);
	do {
		rc = feedserver_drain(daemon->server, err);
		rc = rc < 0 ? rc : intake_commit(daemon, err);
	} while (rc == 0 && spawn_wait(daemon->spawn, 10) > 0 &&
		 clock_monotonic_ns() < deadline_ns);
	spawn_close(daemon->spawn, 0); /* what was in flight all the same comes again */
	daemon->spawn = NULL;
	return rc;
}

int household_reload(struct daemon *daemon, struct error *err)
{
	struct config *config = NULL;
	struct error why;
	int rc = intake_commit(daemon, err);
	if (rc < 0) {
		return rc;
	}
	rc = daemon->paused_ns != 0 ? error_set(&why, ERR_AGAIN, "the disk is full")
				    : household_load(daemon, &config, &why);
	if (rc == 0) {
		rc = go_by(daemon, config, &why);
	}
	if (rc < 0) {
		if (config != NULL && config != daemon->config) {
			config_free(config);
		}
		error_prefix(&why, "the configuration stays as it was");
		log_error(LOG_LEVEL_ERROR, "reload-failed", &why);
		return 0;
	}
	if (daemon->spawn != NULL) {
		rc = stop_children(daemon, err);
		rc = rc < 0 ? rc : household_start_children(daemon, err);
	}
	log_write(LOG_LEVEL_NOTICE, "reloaded", "the configuration was read again");
	rc = rc < 0 ? rc : watch_note(daemon, "config", "the configuration was read again", err);
	return rc < 0 ? rc : intake_commit(daemon, err);
}
