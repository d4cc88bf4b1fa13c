#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "model/options.h"

static void every_row_is_whole(void **state)
{
	/* each section has rows, each row a name, a sentence and sound limits, and no name stands twice in a section */
	const struct config_schema *schema = options_schema();

	(void)state;
	assert_true(schema->section_count >= 7);
	for (size_t s = 0; s < schema->section_count; s++) {
		const struct config_section *section = &schema->sections[s];

		assert_true(section->option_count > 0);
		for (size_t i = 0; i < section->option_count; i++) {
			const struct config_option *option = &section->options[i];

			assert_true(strlen(option->name) > 0);
			assert_true(strlen(option->help) > 5);
			assert_true(option->min <= option->max);
			assert_int_equal(option->type == CONFIG_ENUM, option->choices != NULL);
			for (size_t k = 0; k < i; k++) {
				assert_string_not_equal(option->name, section->options[k].name);
			}
		}
	}
}

static void a_configuration_loads(void **state)
{
	/* the schema reads a file with a source of each kind and gives their values and defaults */
	static const char text[] =
		"sources:\n"
		"  api:\n    type: cloudwatch\n    region: eu-north-1\n    log_group: /g\n"
		"  db:\n    type: sqlserver\n    host: h\n    user: u\n    password_file: /p\n"
		"  old:\n    type: file\n    content: access-log\n    files: [a.log]\n";
	const struct config_input input = {.name = "t.yaml", .text = str_of(text)};
	struct config *config = NULL;
	struct error err;

	(void)state;
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, &err), 0);
	assert_int_equal(config_name_count(config, "sources"), 3);
	assert_string_equal(config_text(config, "sources.api", "log_group"), "/g");
	assert_int_equal(config_int(config, "sources.db", "port"), 1433);
	assert_string_equal(config_text(config, "sources.old", "content"), "access-log");
	config_free(config);
}

static void a_missing_option_is_told(void **state)
{
	/* a source without a required option is refused by its name */
	static const char text[] =
		"sources:\n  api:\n    type: cloudwatch\n    region: eu-north-1\n";
	const struct config_input input = {.name = "t.yaml", .text = str_of(text)};
	struct config *config = NULL;
	struct error err;

	(void)state;
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "log_group"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(a_configuration_loads),
		cmocka_unit_test(a_missing_option_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
