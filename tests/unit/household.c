#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/options.h"
#include "tests/unit/daemon-parts.h"

#include <sys/stat.h>

#define API_CONFIG \
	"sources:\n  api:\n    type: cloudwatch\n    region: eu-west-1\n    log_group: g\n"
#define FILE_CONFIG \
	"sources:\n  api:\n    type: file\n    content: access-log\n    files: [/dev/null]\n"

static struct roster_source *source_of(struct parts *parts, const char *name)
{
	return roster_find(keeper_roster(parts->daemon.keeper), str_of(name));
}

static void missing_configuration_is_told(void **state)
{
	/* a file that was named and is not there, or is wrong, is ERR_CONFIG naming it */
	struct daemon daemon = {.options = {.config_path = "/nonexistent/q.yaml"}};
	struct config *config = NULL;
	struct error err;
	struct parts parts;
	(void)state;
	assert_int_equal(household_load(&daemon, &config, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/q.yaml"));
	parts_prepare(&parts, "log_level: loud\n");
	assert_int_equal(household_load(&parts.daemon, &config, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "c.yaml:1"));
	assert_null(config);
	parts_done(&parts);
}

static void nothing_configured_is_fine(void **state)
{
	/* without a file at the usual place the defaults hold */
	struct daemon daemon = {.options = {0}};
	struct config *config = NULL;
	struct error err;
	(void)state;
	if (access(DAEMON_CONFIG_PATH, F_OK) == 0) {
		skip();
	}
	assert_int_equal(household_load(&daemon, &config, &err), 0);
	assert_int_equal(config_name_count(config, "sources"), 0);
	assert_string_equal(config_text(config, "", "log_level"), "info");
	config_free(config);
}

static void places_are_absolute(void **state)
{
	/* --store and --runtime go before the configuration, and relative ones are taken from where the daemon was started */
	char here[4096], wanted[4200];
	struct parts parts;
	(void)state;
	parts_prepare(&parts, "store: /from/config\nruntime: /run/config\n");
	struct daemon *daemon = &parts.daemon;
	assert_int_equal(household_load(daemon, &daemon->config, &parts.err), 0);
	daemon->options.store_dir = NULL;
	daemon->options.runtime_dir = "relative/run";
	household_find_places(daemon);
	assert_non_null(getcwd(here, sizeof here));
	assert_true(snprintf(wanted, sizeof wanted, "%s/relative/run", here) > 0);
	assert_string_equal(daemon->store_dir.ptr, "/from/config");
	assert_string_equal(daemon->runtime_dir.ptr, wanted);
	daemon->options.store_dir = "/else/where";
	daemon->options.runtime_dir = NULL;
	household_find_places(daemon);
	assert_string_equal(daemon->store_dir.ptr, "/else/where");
	assert_string_equal(daemon->runtime_dir.ptr, "/run/config");
	parts_done(&parts);
}

static void sources_are_those_configured(void **state)
{
	/* each named source is known with its type and kinds, heard of now; one that is no longer named stays, but is not waited for */
	struct parts parts;
	(void)state;
	parts_init(&parts, API_CONFIG);
	struct roster_source *api = source_of(&parts, "api");
	assert_non_null(api);
	assert_true(api->configured);
	assert_string_equal(api->about.type, "cloudwatch");
	assert_int_equal(api->about.kinds, settings_source_kinds(parts.daemon.config, "api"));
	assert_true(api->heard_ns > 0);
	api->heard_ns = 5;
	assert_int_equal(household_apply(&parts.daemon, &parts.err), 0);
	assert_true(api->configured);
	assert_int_equal(api->heard_ns, 5);
	parts_write_config(&parts, "sources:\n  web:\n    type: file\n    content: access-log\n    "
				   "files: [/dev/null]\n");
	config_free(parts.daemon.config);
	assert_int_equal(household_load(&parts.daemon, &parts.daemon.config, &parts.err), 0);
	assert_int_equal(household_apply(&parts.daemon, &parts.err), 0);
	assert_false(api->configured);
	assert_true(source_of(&parts, "web")->configured);
	parts_done(&parts);
}

static void import_begins_anew(void **state)
{
	/* what an import before said of a file source does not hold for this one; without an import it stays */
	struct parts parts;
	(void)state;
	parts_init(&parts, FILE_CONFIG);
	struct roster_source *source = source_of(&parts, "api");
	roster_set_state(source, "done", (struct str){0}, 1);
	assert_int_equal(household_apply(&parts.daemon, &parts.err), 0);
	assert_true(roster_is_done(source));
	parts.daemon.options.import = true;
	assert_int_equal(household_apply(&parts.daemon, &parts.err), 0);
	assert_false(roster_is_done(source));
	parts_done(&parts);
}

/* A program of that name that writes its arguments to <name>.said and ends with a status. */
static void put_program(struct parts *parts, const char *name, int status)
{
	char script[300];
	int len = snprintf(script, sizeof script,
			   "#!/bin/sh\nprintf '%%s ' \"$@\" >> %s/%s.said\nexit %d\n",
			   parts->fixture.dir, name, status);
	assert_true(len > 0);
	const char *path = fixture_path(&parts->fixture, name);
	assert_int_equal(io_replace_file(path, str_make(script, (size_t)len), 0700, &parts->err),
			 0);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(setenv("QUERYTRAIL_LIBEXEC", parts->fixture.dir, 1), 0);
}

/* What it wrote; "" when it did not run. */
static void read_said(struct parts *parts, const char *name, char *out, size_t size)
{
	char said[80];
	assert_true(snprintf(said, sizeof said, "%s.said", name) > 0);
	FILE *file = fopen(fixture_path(&parts->fixture, said), "r");
	size_t len = file != NULL ? fread(out, 1, size - 1, file) : 0;
	out[len] = '\0';
	if (file != NULL) {
		(void)fclose(file); /* only read */
	}
}

/* Lets the children run until none does. */
static void wait_children(struct parts *parts)
{
	for (int i = 0; i < 500 && spawn_running(parts->daemon.spawn) > 0; i++) {
		assert_int_equal(loop_step(parts->daemon.loop, 10 * NS_PER_MS, &parts->err), 0);
	}
	assert_int_equal(spawn_running(parts->daemon.spawn), 0);
}

static void children_know_the_places(void **state)
{
	/* a collector for each source and querytrail-serve, with a configuration that holds --store and --runtime */
	char said[400], wanted[400];
	struct config *config = NULL;
	struct parts parts;
	(void)state;
	parts_init(&parts, "store: /not/this\nlog_level: warning\n" API_CONFIG);
	put_program(&parts, "querytrail-collect", 0);
	put_program(&parts, "querytrail-serve", 0);
	put_program(&parts, "querytrail-notify", 0);
	assert_int_equal(household_start_children(&parts.daemon, &parts.err), 0);
	wait_children(&parts);
	assert_true(snprintf(wanted, sizeof wanted, "--config %s/children/querytrail.yaml api ",
			     parts.run) > 0);
	read_said(&parts, "querytrail-collect", said, sizeof said);
	assert_string_equal(said, wanted);
	assert_true(snprintf(wanted, sizeof wanted, "--config %s/children/querytrail.yaml ",
			     parts.run) > 0);
	read_said(&parts, "querytrail-serve", said, sizeof said);
	assert_string_equal(said, wanted);
	read_said(&parts, "querytrail-notify", said, sizeof said);
	assert_string_equal(said, ""); /* no channel: nothing to deliver */
	assert_int_equal(config_load(options_schema(), parts.daemon.children_config.ptr, &config,
				     NULL, &parts.err),
			 0);
	assert_string_equal(config_text(config, "", "store"), parts.store);
	assert_string_equal(config_text(config, "", "runtime"), parts.run);
	assert_string_equal(config_text(config, "", "log_level"), "warning");
	assert_string_equal(config_text(config, "sources.api", "log_group"), "g");
	config_free(config);
	parts_done(&parts);
}

static void children_read_the_file_itself(void **state)
{
	/* without --store and --runtime there is nothing to tell: they read the daemon's own file; with channels notify runs too */
	char said[400], wanted[400], text[400];
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	assert_true(snprintf(text, sizeof text, "store: %s\nruntime: %s\n", parts.store,
			     parts.run) > 0);
	parts_write_config(&parts, text);
	parts.daemon.options.store_dir = NULL;
	parts.daemon.options.runtime_dir = NULL;
	parts.daemon.settings.alerts.channels.count = 1;
	put_program(&parts, "querytrail-serve", 0);
	put_program(&parts, "querytrail-notify", 0);
	assert_int_equal(household_start_children(&parts.daemon, &parts.err), 0);
	wait_children(&parts);
	parts.daemon.settings.alerts.channels.count = 0;
	assert_true(snprintf(wanted, sizeof wanted, "--config %s ", parts.config) > 0);
	read_said(&parts, "querytrail-notify", said, sizeof said);
	assert_string_equal(said, wanted);
	assert_int_not_equal(access(fixture_path(&parts.fixture, "run/children"), F_OK), 0);
	parts_done(&parts);
}

static void failed_collector_fails_the_import(void **state)
{
	/* an import whose collector ends with a fault is over: INPUT, with the source, the status and what it said last */
	char said[400];
	struct parts parts;
	(void)state;
	parts_prepare(&parts, FILE_CONFIG "  live:\n    type: cloudwatch\n    region: eu-west-1\n"
					  "    log_group: g\n");
	parts.daemon.options.import = true;
	parts_open(&parts);
	error_clear(&parts.daemon.import_failed);
	put_program(&parts, "querytrail-collect", 66);
	put_program(&parts, "querytrail-serve", 0);
	roster_set_state(source_of(&parts, "api"), "done", (struct str){0}, 1);
	assert_int_equal(household_start_children(&parts.daemon, &parts.err), 0);
	assert_string_equal(source_of(&parts, "api")->about.state, "ok");
	roster_set_state(source_of(&parts, "api"), "failed", STR_LIT("no such file"), 1);
	wait_children(&parts);
	assert_int_equal(parts.daemon.import_failed.code, ERR_INPUT);
	assert_string_equal(parts.daemon.import_failed.text,
			    "source api could not be imported (its collector ended with status "
			    "66): no such file");
	read_said(&parts, "querytrail-serve", said, sizeof said);
	assert_string_equal(said, "");
	read_said(&parts, "querytrail-collect", said, sizeof said);
	assert_null(strstr(said, "live")); /* it has no end, so no import waits for it */
	parts_done(&parts);
}

static void finished_collector_is_not_started_again(void **state)
{
	/* one that ended in order after its source was done stays ended; another one is started again */
	char said[400];
	struct parts parts;
	(void)state;
	parts_init(&parts, FILE_CONFIG);
	put_program(&parts, "querytrail-collect", 0);
	put_program(&parts, "querytrail-serve", 0);
	assert_int_equal(household_start_children(&parts.daemon, &parts.err), 0);
	roster_set_state(source_of(&parts, "api"), "done", (struct str){0}, 1);
	int64_t end_ns = clock_monotonic_ns() + SPAWN_BACKOFF_FIRST_NS + 400 * NS_PER_MS;
	while (clock_monotonic_ns() < end_ns) {
		assert_int_equal(loop_step(parts.daemon.loop, 50 * NS_PER_MS, &parts.err), 0);
	}
	read_said(&parts, "querytrail-collect", said, sizeof said);
	char *first = strstr(said, "--config");
	assert_non_null(first);
	assert_null(strstr(first + 1, "--config"));
	read_said(&parts, "querytrail-serve", said, sizeof said);
	first = strstr(said, "--config");
	assert_non_null(first);
	assert_non_null(strstr(first + 1, "--config"));
	parts_done(&parts);
}

static void good_reload_is_gone_by(void **state)
{
	/* the new configuration holds, its sources are known, and the store tells of it */
	struct parts parts;
	(void)state;
	parts_init(&parts, "log_level: error\n");
	parts_write_config(&parts, "log_level: error\ndaemon:\n  silence_limit: 3h\n" API_CONFIG);
	assert_int_equal(household_reload(&parts.daemon, &parts.err), 0);
	assert_int_equal(parts.daemon.settings.silence_limit_ns, 3 * PARTS_HOUR_NS);
	assert_true(source_of(&parts, "api")->configured);
	assert_int_equal(parts_count(&parts, RECORD_LIFECYCLE, FIELD_event, "config"), 1);
	parts_done(&parts);
}

static void bad_reload_leaves_all(void **state)
{
	/* a text that is no configuration, and rules that are none, change nothing and are no reason to end */
	struct parts parts;
	(void)state;
	parts_init(&parts, "log_level: error\ndaemon:\n  silence_limit: 3h\n");
	const struct config *config = parts.daemon.config;
	parts_write_config(&parts, "log_level: error\ndaemon:\n  silence_limit: nine\n");
	assert_int_equal(household_reload(&parts.daemon, &parts.err), 0);
	assert_ptr_equal(parts.daemon.config, config);
	parts.daemon.options.records_only = false;
	parts_write_config(&parts, "log_level: error\ndaemon:\n  silence_limit: 9h\nrules:\n  "
				   "folders: [/nonexistent/rules]\n");
	assert_int_equal(household_reload(&parts.daemon, &parts.err), 0);
	assert_ptr_equal(parts.daemon.config, config);
	assert_int_equal(parts.daemon.settings.silence_limit_ns, 3 * PARTS_HOUR_NS);
	assert_int_equal(parts_count(&parts, RECORD_LIFECYCLE, FIELD_event, "config"), 0);
	parts_done(&parts);
}

static void reload_starts_the_children_anew(void **state)
{
	/* collectors of the new configuration run, those of the old one are ended */
	char said[400];
	struct parts parts;
	(void)state;
	parts_init(&parts, "log_level: error\n");
	put_program(&parts, "querytrail-collect", 0);
	put_program(&parts, "querytrail-serve", 0);
	assert_int_equal(household_start_children(&parts.daemon, &parts.err), 0);
	wait_children(&parts);
	parts_write_config(&parts, "log_level: error\n" API_CONFIG);
	assert_int_equal(household_reload(&parts.daemon, &parts.err), 0);
	assert_non_null(parts.daemon.spawn);
	wait_children(&parts);
	read_said(&parts, "querytrail-collect", said, sizeof said);
	assert_non_null(strstr(said, "querytrail.yaml api "));
	parts_done(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_configuration_is_told),
		cmocka_unit_test(nothing_configured_is_fine),
		cmocka_unit_test(places_are_absolute),
		cmocka_unit_test(sources_are_those_configured),
		cmocka_unit_test(import_begins_anew),
		cmocka_unit_test(children_know_the_places),
		cmocka_unit_test(children_read_the_file_itself),
		cmocka_unit_test(failed_collector_fails_the_import),
		cmocka_unit_test(finished_collector_is_not_started_again),
		cmocka_unit_test(good_reload_is_gone_by),
		cmocka_unit_test(bad_reload_leaves_all),
		cmocka_unit_test(reload_starts_the_children_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
