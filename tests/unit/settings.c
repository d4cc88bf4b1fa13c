#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/settings.h"
#include "model/options.h"
#include "tests/unit/store-fixture.h"

static struct config *parse(const char *text)
{
	struct config *config = NULL;
	struct error err;
	const struct config_input input = {.name = "test", .text = str_of(text)};
	int rc = config_parse(options_schema(), &input, &config, NULL, &err);
	assert_int_equal(rc, 0);
	return config;
}

static void defaults_without_a_file(void **state)
{
	/* an empty configuration gives the defaults of options.def and no sources */
	struct settings settings;
	struct error err;
	(void)state;
	struct config *config = parse("{}");
	assert_int_equal(settings_read(config, &settings, &err), 0);
	assert_int_equal(settings.log_level, LOG_LEVEL_INFO);
	assert_true(settings.commit_interval_ns == 250 * INT64_C(1000000));
	assert_true(settings.silence_limit_ns == 900 * INT64_C(1000000000));
	assert_true(settings.join.tolerance_ns == 100 * INT64_C(1000000));
	assert_true(settings.join.slack_ns == 5 * INT64_C(1000000000));
	assert_true(settings.join.provisional_ns == 120 * INT64_C(1000000000));
	assert_int_equal(settings.join.signing_key.len, 0);
	assert_int_equal(settings.join.route_count + settings.join.clock_count, 0);
	assert_int_equal(settings_source_kinds(config, "x"), 0);
	assert_false(settings_source_is_finite(config, "x"));
	settings_done(&settings);
	config_free(config);
}

static void everything_is_read(void **state)
{
	/* level, routes with their logins, clock offsets in both directions, kinds and ends of sources */
	struct settings settings;
	struct error err;
	(void)state;
	struct config *config = parse(
		"log_level: debug\n"
		"identity:\n  routes:\n    GET /a: [x, y]\n    GET /b: [z]\n"
		"sources:\n"
		"  api: {type: cloudwatch, region: r, log_group: g}\n"
		"  db: {type: sqlserver, host: h, user: u, password_file: p, clock_offset: 2s}\n"
		"  db2: {type: sqlserver, host: h, user: u, password_file: p, clock_offset: 3s,"
		" clock_ahead: true}\n"
		"  lines: {type: file, files: [f], content: access-log}\n"
		"  rows: {type: file, files: [f], content: audit-rows, follow: true}\n");
	assert_int_equal(settings_read(config, &settings, &err), 0);
	assert_int_equal(settings.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(settings.join.route_count, 2);
	assert_true(str_is(settings.join.routes[0].route, "GET /a"));
	assert_int_equal(settings.join.routes[0].principal_count, 2);
	assert_true(str_is(settings.join.routes[0].principals[1], "y"));
	assert_true(str_is(settings.join.routes[1].principals[0], "z"));
	assert_int_equal(settings.join.clock_count, 2);
	assert_true(settings.join.clocks[0].offset_ns == 2 * INT64_C(1000000000));
	assert_true(settings.join.clocks[1].offset_ns == -3 * INT64_C(1000000000));
	assert_int_equal(settings_source_kinds(config, "api"), 1u << RECORD_REQUEST);
	assert_int_equal(settings_source_kinds(config, "db"), 1u << RECORD_STATEMENT);
	assert_int_equal(settings_source_kinds(config, "lines"), 1u << RECORD_REQUEST);
	assert_int_equal(settings_source_kinds(config, "rows"), 1u << RECORD_STATEMENT);
	assert_true(settings_source_is_finite(config, "lines"));
	assert_false(settings_source_is_finite(config, "rows"));
	assert_false(settings_source_is_finite(config, "api"));
	settings_done(&settings);
	config_free(config);
}

static void missing_key_file_is_told(void **state)
{
	/* a signing key that can't be read is ERR_CONFIG with its path */
	struct settings settings;
	struct error err;
	(void)state;
	struct config *config = parse("join: {signing_key_file: /nowhere/key}\n");
	assert_int_equal(settings_read(config, &settings, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "/nowhere/key"));
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_without_a_file),
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(missing_key_file_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
