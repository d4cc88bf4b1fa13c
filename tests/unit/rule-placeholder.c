#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

#define TEXT(literal)                           \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

static const struct str two[] = {TEXT("one"), TEXT("t*wo")};
static const struct str pair[] = {TEXT("x"), TEXT("y")};
static const struct str dots[] = {TEXT("a.b"), TEXT("*c?")};
static const struct str nets[] = {TEXT("10.0.0.0/8"), TEXT("192.0.2.0/24")};
static const struct str many[100];
static const struct pack_list lists[] = {
	{TEXT("two"), two, 2},   {TEXT("pair"), pair, 2}, {TEXT("dots"), dots, 2},
	{TEXT("nets"), nets, 2}, {TEXT("empty"), two, 0}, {TEXT("many"), many, 100},
};
static const struct pack_options options = {.lists = lists, .list_count = 6};

static const struct {
	const char *given, *made;
} lists_stand_for_their_members_rows[] = {
	{"  s:\n    f|expand: '%two%'\n  condition: s\n", "f:one~t*wo"},
	{"  s:\n    f|contains|expand: '%two%'\n  condition: s\n", "f:*one*~*t*wo*"},
	{"  s:\n    f|expand|endswith: '\\%two%'\n  condition: s\n", "f:*%two%"},
	{"  s:\n    f|expand: 'CORP\\\\%two%'\n  condition: s\n", "f:CORP\\\\one~CORP\\\\t*wo"},
	{"  s:\n    f|expand: '\\%plain%two%'\n  condition: s\n", "f:%plainone~%plaint*wo"},
	{"  s:\n    f|expand: '%two%-%pair%'\n  condition: s\n", "f:one-x~t*wo-x~one-y~t*wo-y"},
	{"  s:\n    f|expand: '100%'\n  condition: s\n", "f:100%"},
	{"  s:\n    f|expand: '% two%'\n  condition: s\n", "f:% two%"},
	{"  s:\n    f: '%two%'\n  condition: s\n", "f:%two%"},
	{"  s:\n    f|re|expand: '^%dots%$'\n  condition: s\n", "f:re0:^a\\.b$~re0:^.*c.$"},
	{"  s:\n    f|cidr|expand: '%nets%'\n  condition: s\n",
	 "f:cidr0:10.0.0.0/8~cidr0:192.0.2.0/24"},
	{"  s:\n    f|cidr|expand: '%two%'\n  condition: s\n",
	 "5:20: \"one\" is no network such as 10.0.0.0/8 or 2001:db8::/32"},
	{"  s:\n    f|expand: '%none%'\n  condition: s\n",
	 "idle: the list \"none\" is not configured (rules.lists)"},
	{"  s:\n    f|expand: '%empty%'\n  condition: s\n",
	 "idle: the list \"empty\" is empty (rules.lists)"},
	{"  s:\n    f|re|expand: 'x%none%'\n  condition: s\n",
	 "idle: the list \"none\" is not configured (rules.lists)"},
	{"  s:\n    f|expand|all: ['%two%', '%pair%']\n  condition: s\n", "f:one~t*wo&x~y"},
	{"  s:\n    f|expand: [a, '%none%']\n  condition: s\n",
	 "idle: the list \"none\" is not configured (rules.lists)"},
	{"  s:\n    f|expand: '%many%%many%%many%'\n  condition: s\n",
	 "5:15: the lists of this value make more than 65536 values"},
	{"  s:\n    f|expand: "
	 "'%pair%x%pair%x%pair%x%pair%x%pair%x%pair%x%pair%x%pair%x%pair%x%pair%x%pair%x%pair%x%"
	 "pair%x%pair%x%pair%x%pair%x%pair%'\n  condition: s\n",
	 "5:15: a value with more than 16 lists"},
};

static void lists_stand_for_their_members(void **state)
{
	/* names between percent signs become each member of their list, in every place where a value may stand */

	(void)state;
	for (size_t i = 0; i < sizeof(lists_stand_for_their_members_rows) /
				       sizeof(lists_stand_for_their_members_rows[0]);
	     i++) {
		assert_outcome(
			outcome_of_detection(lists_stand_for_their_members_rows[i].given, &options),
			lists_stand_for_their_members_rows[i].made);
	}
}

static void examples_have_lists_of_their_own(void **state)
{
	/* for examples the rule's own lists stand before those of the configuration; else they are not looked at */
	static const char rule[] = "title: t\nlogsource: {product: mssql}\ndetection:\n"
				   "  s: {f|expand: '%two%'}\n  condition: s\n"
				   "querytrail:\n  lists: {two: [mine]}\n";
	struct pack_options own = options;

	(void)state;
	assert_outcome(outcome_with(rule, &own), "f:one~t*wo");
	own.example_lists = true;
	assert_outcome(outcome_with(rule, &own), "f:mine");
	own.list_count = 0;
	assert_outcome(outcome_with(rule, &own), "f:mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_stand_for_their_members),
		cmocka_unit_test(examples_have_lists_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
