/* What an event must hold for a rule to match: chosen by rarity, joined for alternatives, nothing for negations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/compiled.h"
#include "tests/unit/matcher-fixture.h"

/* The texts of what a selection of a statement needs, each behind a blank; "-" when nothing is known. */
static void expect(const char *detection, const char *wanted)
{
	char text[2048];
	char found[512] = "";
	struct bench_rules rules;
	const struct need *need;

	(void)snprintf(text, sizeof(text),
		       "title: t\nid: r\nlogsource:\n  product: mssql\ndetection:\n%s", detection);
	fixture_open(&rules, text);
	assert_string_equal(fixture_problem(&rules), "");
	need = &rules.ruleset->rules[0].tree->need;
	for (size_t i = 0; i < need->atom_count; i++) {
		size_t len = strlen(found);

		(void)snprintf(found + len, sizeof(found) - len, " %.*s",
			       STR_ARG(need->atoms[i].text));
	}
	assert_string_equal(need->atoms == NULL ? "-" : found, wanted);
	fixture_close(&rules);
}

static void the_rarest_is_chosen(void **state)
{ /* proves that of tests that hold together the one that says most is needed, cut to its rarest part */
	(void)state;
	expect("  s:\n    statement|contains: xp_cmdshell\n    verb: EXECUTE\n  condition: s\n",
	       " xp_cmdshell");
	expect("  s:\n    statement|contains|all: [a, 'jqz/x', select]\n  condition: s\n",
	       " jqz/x");
	expect("  s:\n    statement|contains: 'select a from t where xyz_qjk(1)'\n  condition: s\n",
	       " e xyz_qjk(1)");
}

static void alternatives_are_all_needed(void **state)
{ /* proves that every alternative is there, and that one without a text leaves nothing */
	(void)state;
	expect("  s:\n    statement|contains: [alpha, BETA]\n  condition: s\n", " alpha beta");
	expect("  a:\n    object: One\n  b:\n    object|endswith: two\n  condition: a or b\n",
	       " one two");
	expect("  a:\n    object: one\n  b:\n    object|exists: true\n  condition: a or b\n", "-");
	expect("  s:\n    statement|base64offset|contains|all: [secretsecret]\n  condition: s\n",
	       " c2vjcmv0c2vj ly3jldhnly3j zzwnyzxrzzwn");
}

static void negations_need_nothing(void **state)
{ /* proves that what must not be there never makes a candidate */
	(void)state;
	expect("  a:\n    object: one\n  condition: not a\n", "-");
	expect("  a:\n    object|neq: one\n  condition: a\n", "-");
	expect("  a:\n    object: one\n  b:\n    host: two\n  condition: a and not b\n", " one");
	expect("  a:\n    object: null\n  condition: a\n", "-");
	expect("  a:\n    object: ''\n  condition: a\n", "-");
}

static void patterns_give_their_certain_text(void **state)
{ /* proves texts of wildcards and of regular expressions, folded also where letters count */
	(void)state;
	expect("  a:\n    object: 'ab?cdef*g'\n  condition: a\n", " cdef");
	expect("  a:\n    object|cased|contains: ÄbC\n  condition: a\n", " äbc");
	expect("  a:\n    object|re: '(x|y)Drop\\s+'\n  condition: a\n", " drop");
	expect("  a:\n    object|re: 'ab'\n  condition: a\n", "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rarest_is_chosen),
		cmocka_unit_test(alternatives_are_all_needed),
		cmocka_unit_test(negations_need_nothing),
		cmocka_unit_test(patterns_give_their_certain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
