#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/options.h"
#include "query/import-config.h"

#include <string.h>

static void test_round_trip(void **state)
{
	/* Proves: the temporary configuration loads, holds hostile names as they are, and takes over join and identity. */
	(void)state;
	static const char model_text[] =
		"join: {clock_tolerance: 250ms, require_signature: true}\n"
		"identity:\n  user: [\"$context.authorizer.sub\", 'x: y']\n"
		"  routes:\n    \"GET /a\": [app, \"b\\\"c\"]\n";
	struct config *model;
	struct config *config;
	struct error err;
	static const char *const files[] = {"/tmp/a b", "/tmp/quote\"and\\slash",
					    "/tmp/line\nbreak"};
	struct config_input model_input = {"model", str_of(model_text)};
	assert_int_equal(config_parse(options_schema(), &model_input, &model, NULL, &err), 0);
	struct import_config import = {.store = "/tmp/store: x",
				       .runtime = "/tmp/run",
				       .source = "api-1",
				       .content = "access-log",
				       .log_format = "{\"requestId\":\"$context.requestId\"}",
				       .files = (char *const *)files,
				       .file_count = 3,
				       .model = model};
	struct buf text;
	buf_init(&text, 0);
	import_config_put(&import, &text);
	struct config_input input = {"import", buf_str(&text)};
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, &err), 0);
	assert_string_equal(config_text(config, "", "store"), "/tmp/store: x");
	assert_string_equal(config_text(config, "sources.api-1", "format"), import.log_format);
	assert_int_equal(config_list_count(config, "sources.api-1", "files"), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(config_list(config, "sources.api-1", "files", i), files[i]);
	}
	assert_true(config_int(config, "join", "clock_tolerance") == 250000000);
	assert_true(config_bool(config, "join", "require_signature"));
	assert_false(config_is_set(config, "join", "clock_slack"));
	assert_string_equal(config_list(config, "identity", "user", 1), "x: y");
	assert_string_equal(config_map_key(config, "identity", "routes", 0), "GET /a");
	assert_string_equal(config_map_value(config, "identity", "routes", 0, 1), "b\"c");
	config_free(config);
	config_free(model);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
