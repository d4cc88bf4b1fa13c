#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

static const struct {
	const char *given, *made;
} searches_become_trees_rows[] = {
	{"  s: [a, b]\n  condition: s\n", ":*a*|*b*"},
	{"  s: a\n  condition: s\n", ":*a*"},
	{"  s: {a: x, b: y}\n  condition: s\n", "(and a:x b:y)"},
	{"  s:\n    - a: x\n    - b: y\n      c: z\n  condition: s\n", "(or a:x (and b:y c:z))"},
	{"  s:\n    - word\n    - a: x\n    - 5\n  condition: s\n", "(or :*word*|*5* a:x)"},
	{"  s: |\n    two\n    lines\n  condition: s\n", ":*two\nlines\n*"},
	{"  s:\n    - [a]\n  condition: s\n", "5:7: a list within a list"},
	{"  s: []\n  condition: s\n", "4:6: the list is empty"},
	{"  s: {}\n  condition: s\n", "4:6: a search without fields"},
	{"  s:\n  condition: s\n", "4:3: the search is empty"},
	{"  s: ['']\n  condition: s\n", "4:7: a keyword is empty"},
	{"  s: [null]\n  condition: s\n", "4:7: a keyword is empty"},
	{"  condition: s\n", "4:3: detection has no search"},
	{"  s: a\n", "3:1: detection has no condition"},
	{"  s: a\n  timeframe: 5m\n  condition: s\n",
	 "5:3: \"timeframe\" belongs to aggregations, which are not supported in detection rules"},
	{"  s: {a: {b: {c: {d: {e: {f: {g: h}}}}}}}\n  condition: s\n",
	 "4:30: nested deeper than 8"},
	{"  s: {a: x, a: y}\n  condition: s\n", "4:13: the key \"a\" stands twice"},
	{"  s: &x a\n  condition: *x\n", "4:9: anchors and tags are not allowed here"},
};

static void searches_become_trees(void **state)
{
	/* mappings, lists, keywords and mixtures of them, and what is none of these */

	(void)state;
	for (size_t i = 0;
	     i < sizeof(searches_become_trees_rows) / sizeof(searches_become_trees_rows[0]); i++) {
		assert_outcome(outcome_of_detection(searches_become_trees_rows[i].given, NULL),
			       searches_become_trees_rows[i].made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches_become_trees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
