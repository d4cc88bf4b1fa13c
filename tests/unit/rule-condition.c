#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

static const struct {
	const char *given, *made;
} conditions_rows[] = {
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a\n", ":*A*"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a and b\n", "(and :*A* :*B*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a or b and c1\n",
	 "(or :*A* (and :*B* :*C*))"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: (a or b) and c1\n",
	 "(and (or :*A* :*B*) :*C*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: not a and b\n",
	 "(and (not :*A*) :*B*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: not (a or b)\n",
	 "(not (or :*A* :*B*))"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: not not a\n", "(not (not :*A*))"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a AND NOT b\n",
	 "(and :*A* (not :*B*))"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of c*\n", "(or :*C* :*D*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: all of c*\n", "(and :*C* :*D*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: any of c*\n", "(or :*C* :*D*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of them\n",
	 "(or :*A* :*B* :*C* :*D*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: all of them\n",
	 "(and :*A* :*B* :*C* :*D*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 2 of c*\n", "(and :*C* :*D*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 3 of them\n",
	 "(or (and :*A* (or (and :*B* (or :*C* :*D*)) (and :*C* :*D*))) (and :*B* (and :*C* "
	 ":*D*)))"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of _*\n", ":*H*"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of *\n",
	 "(or :*A* :*B* :*C* :*D*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: not 1 of c* or a\n",
	 "(or (not (or :*C* :*D*)) :*A*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of c2\n", ":*D*"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of *1\n", ":*C*"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: _h\n", ":*H*"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: [a, b and c1]\n",
	 "(or :*A* (and :*B* :*C*))"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 'a and b'\n", "(and :*A* :*B*)"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a an b\n",
	 "9:16: \"an\" is not expected here in a condition"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a and\n",
	 "9:19: the condition ends too early"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: (a\n",
	 "9:16: a parenthesis is not closed"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a)\n",
	 "9:15: \")\" is not expected here in a condition"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: and a\n",
	 "9:14: \"and\" is not expected here in a condition"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: ab\n",
	 "9:14: the detection has no search \"ab\"; did you mean \"a\"?"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: c*\n",
	 "9:14: the pattern \"c*\" needs \"1 of\" or \"all of\" before it"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of x*\n",
	 "9:19: no search fits \"x*\""},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 5 of them\n",
	 "9:19: \"5 of them\" can't be: 4 searches fit"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 0 of them\n",
	 "9:19: \"0 of them\" can't be: 4 searches fit"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: 1 of (a, b)\n",
	 "9:19: \"(\" is not expected here in a condition"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a | count() by user > 5\n",
	 "9:16: the aggregation \"| count() by user > 5\" is not supported: aggregations were "
	 "taken out of Sigma 2, and correlation rules are not read by this version"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: a | near b\n",
	 "9:16: the aggregation \"| near b\" is not supported: aggregations were taken out of "
	 "Sigma 2, and correlation rules are not read by this version"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: {a: b}\n",
	 "9:14: the condition must be a text or a list of texts"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: []\n",
	 "9:14: the condition must be a text or a list of texts"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: \n",
	 "9:3: the condition must be a text or a list of texts"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: []\n",
	 "9:14: the condition must be a text or a list of texts"},
	{"  a: A\n  b: B\n  c1: C\n  c2: D\n  _h: H\n  condition: "
	 "\"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))"
	 "))))))))))))))))))))))))))))))))))))))))))))))))))))))\"\n",
	 "9:79: the condition is nested deeper than 64"},
};

static void conditions(void **state)
{
	/* precedence, quantifiers, patterns, hidden searches and every mistake with its place */

	(void)state;
	for (size_t i = 0; i < sizeof(conditions_rows) / sizeof(conditions_rows[0]); i++) {
		assert_outcome(outcome_of_detection(conditions_rows[i].given, NULL),
			       conditions_rows[i].made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
