#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

static void backslashes_and_wildcards(void **state)
{
	/* each line of the specification on escaping, and the ends of a text */
	static const struct {
		const char *given, *made;
	} rows[] = {
		{"  s:\n    f: 'a\\b'\n  condition: s\n", "f:a\\\\b"},
		{"  s:\n    f: 'a\\\\b'\n  condition: s\n", "f:a\\\\b"},
		{"  s:\n    f: 'a\\*'\n  condition: s\n", "f:a\\*"},
		{"  s:\n    f: 'a\\?'\n  condition: s\n", "f:a\\?"},
		{"  s:\n    f: 'a\\\\*'\n  condition: s\n", "f:a\\\\*"},
		{"  s:\n    f: 'a\\\\\\*'\n  condition: s\n", "f:a\\\\\\*"},
		{"  s:\n    f: 'a\\\\\\b'\n  condition: s\n", "f:a\\\\\\\\b"},
		{"  s:\n    f: 'a\\\\\\\\b'\n  condition: s\n", "f:a\\\\\\\\b"},
		{"  s:\n    f: 'a\\'\n  condition: s\n", "f:a\\\\"},
		{"  s:\n    f: 'a\\\\'\n  condition: s\n", "f:a\\\\"},
		{"  s:\n    f: '*'\n  condition: s\n", "f:*"},
		{"  s:\n    f: '**'\n  condition: s\n", "f:**"},
		{"  s:\n    f|contains: '\\*'\n  condition: s\n", "f:*\\**"},
		{"  s:\n    f|endswith: '\\cmd.exe'\n  condition: s\n", "f:*\\\\cmd.exe"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_outcome(outcome_of_detection(rows[i].given, NULL), rows[i].made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backslashes_and_wildcards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
