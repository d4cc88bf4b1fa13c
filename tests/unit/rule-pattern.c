#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

static const struct {
	const char *given, *made;
} escapes_rows[] = {
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

static void escapes(void **state)
{
	/* each line of the specification on escaping, and the ends of a text */

	(void)state;
	for (size_t i = 0; i < sizeof(escapes_rows) / sizeof(escapes_rows[0]); i++) {
		assert_outcome(outcome_of_detection(escapes_rows[i].given, NULL),
			       escapes_rows[i].made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
