#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

static const struct {
	const char *given, *made;
} modifiers_with_values_rows[] = {
	{"  s:\n    f: abc\n  condition: s\n", "f:abc"},
	{"  s:\n    f: a*c?\n  condition: s\n", "f:a*c?"},
	{"  s:\n    f: [a, B]\n  condition: s\n", "f:a|B"},
	{"  s:\n    f: 1433\n  condition: s\n", "f:=1433"},
	{"  s:\n    f: '1433'\n  condition: s\n", "f:1433"},
	{"  s:\n    f: -1.5e2\n  condition: s\n", "f:=-150"},
	{"  s:\n    f: 0x1F\n  condition: s\n", "f:=31"},
	{"  s:\n    f: 012\n  condition: s\n", "f:=12"},
	{"  s:\n    f: 1.2.3\n  condition: s\n", "f:1.2.3"},
	{"  s:\n    f: 1e999\n  condition: s\n", "f:1e999"},
	{"  s:\n    f: 9007199254740993\n  condition: s\n", "f:9007199254740993"},
	{"  s:\n    f: null\n  condition: s\n", "f:null"},
	{"  s:\n    f: ~\n  condition: s\n", "f:null"},
	{"  s:\n    f:\n  condition: s\n", "f:null"},
	{"  s:\n    f: 'null'\n  condition: s\n", "f:null"},
	{"  s:\n    f: ''\n  condition: s\n", "f:"},
	{"  s:\n    f: true\n  condition: s\n", "f:true"},
	{"  s:\n    f: 'true'\n  condition: s\n", "f:true"},
	{"  s:\n    f: [null, '']\n  condition: s\n", "f:null|"},
	{"  s:\n    f|contains: a\n  condition: s\n", "f:*a*"},
	{"  s:\n    f|contains: '*a'\n  condition: s\n", "f:*a*"},
	{"  s:\n    f|contains: ''\n  condition: s\n", "f:*"},
	{"  s:\n    f|startswith: a\n  condition: s\n", "f:a*"},
	{"  s:\n    f|endswith: a\n  condition: s\n", "f:*a"},
	{"  s:\n    f|contains: 5\n  condition: s\n", "f:*5*"},
	{"  s:\n    f|startswith: 40\n  condition: s\n", "f:40*"},
	{"  s:\n    f|contains|all: [a, b]\n  condition: s\n", "f:*a*&*b*"},
	{"  s:\n    f|all|contains: [a, b]\n  condition: s\n", "f:*a*&*b*"},
	{"  s:\n    f|all: [a, b]\n  condition: s\n", "f:a&b"},
	{"  s:\n    f|cased: A\n  condition: s\n", "f:cased:A"},
	{"  s:\n    f|contains|cased: A\n  condition: s\n", "f:cased:*A*"},
	{"  s:\n    f|neq: a\n  condition: s\n", "!f:a"},
	{"  s:\n    f|neq: 5\n  condition: s\n", "!f:=5"},
	{"  s:\n    f|neq: null\n  condition: s\n", "!f:null"},
	{"  s:\n    f|contains|neq: a\n  condition: s\n", "!f:*a*"},
	{"  s:\n    f|startswith|endswith: a\n  condition: s\n", "f:*a*"},
	{"  s:\n    f|exists: true\n  condition: s\n", "f:exists1"},
	{"  s:\n    f|exists: false\n  condition: s\n", "f:exists0"},
	{"  s:\n    f|lt: 5\n  condition: s\n", "f:<5"},
	{"  s:\n    f|lte: 5.5\n  condition: s\n", "f:<=5.5"},
	{"  s:\n    f|gt: -1\n  condition: s\n", "f:>-1"},
	{"  s:\n    f|gte: 0\n  condition: s\n", "f:>=0"},
	{"  s:\n    f|gt|neq: 3\n  condition: s\n", "!f:>3"},
	{"  s:\n    f|minute: 59\n  condition: s\n", "f.minute:=59"},
	{"  s:\n    f|hour: 0\n  condition: s\n", "f.hour:=0"},
	{"  s:\n    f|day: 31\n  condition: s\n", "f.day:=31"},
	{"  s:\n    f|week: 53\n  condition: s\n", "f.week:=53"},
	{"  s:\n    f|month: 12\n  condition: s\n", "f.month:=12"},
	{"  s:\n    f|year: 2026\n  condition: s\n", "f.year:=2026"},
	{"  s:\n    f|hour|gte: 8\n  condition: s\n", "f.hour:>=8"},
	{"  s:\n    f|lt|hour: 8\n  condition: s\n", "f.hour:<8"},
	{"  s:\n    f|hour: [1, 2]\n  condition: s\n", "f.hour:=1|=2"},
	{"  s:\n    f|cidr: 10.0.0.0/8\n  condition: s\n", "f:cidr0:10.0.0.0/8"},
	{"  s:\n    f|cidr: ['2001:db8::/32', 192.0.2.1]\n  condition: s\n",
	 "f:cidr0:2001:db8::/32|cidr0:192.0.2.1"},
	{"  s:\n    f|re: 'a.*b'\n  condition: s\n", "f:re0:a.*b"},
	{"  s:\n    f|re|i: a\n  condition: s\n", "f:re1:a"},
	{"  s:\n    f|re|i|m|s: a\n  condition: s\n", "f:re7:a"},
	{"  s:\n    f|re: 5\n  condition: s\n", "f:re0:5"},
	{"  s:\n    f|re|neq: a\n  condition: s\n", "!f:re0:a"},
	{"  s:\n    f|re|all: [a, b]\n  condition: s\n", "f:re0:a&re0:b"},
	{"  s:\n    f|fieldref: g\n  condition: s\n", "f:ref0:g"},
	{"  s:\n    f|fieldref|startswith: g\n  condition: s\n", "f:ref1:g"},
	{"  s:\n    f|fieldref|endswith: g\n  condition: s\n", "f:ref2:g"},
	{"  s:\n    f|fieldref|contains: g\n  condition: s\n", "f:ref3:g"},
	{"  s:\n    f|fieldref|neq: g\n  condition: s\n", "!f:ref0:g"},
	{"  s:\n    f|fieldref|cased: g\n  condition: s\n", "f:cased:ref0:g"},
	{"  s:\n    f|base64: DROP TABLE x\n  condition: s\n", "f:RFJPUCBUQUJMRSB4"},
	{"  s:\n    f|base64: \"\\u00e9\"\n  condition: s\n", "f:w6k="},
	{"  s:\n    f|base64|contains: DROP TABLE x\n  condition: s\n", "f:*RFJPUCBUQUJMRSB4*"},
	{"  s:\n    f|base64: 1\n  condition: s\n", "f:MQ=="},
	{"  s:\n    f|base64offset|contains: xp_cmdshell\n  condition: s\n",
	 "f:*eHBfY21kc2hlbG*~*hwX2NtZHNoZWxs*~*4cF9jbWRzaGVsb*"},
	{"  s:\n    f|base64offset: DROP\n  condition: s\n", "f:RFJPU~RST1~EUk9Q"},
	{"  s:\n    f|base64offset: foobar\n  condition: s\n", "f:Zm9vYmFy~Zvb2Jhc~mb29iYX"},
	{"  s:\n    f|base64offset|contains|all: [DROP, foobar]\n  condition: s\n",
	 "f:*RFJPU*~*RST1*~*EUk9Q*&*Zm9vYmFy*~*Zvb2Jhc*~*mb29iYX*"},
	{"  s:\n    f|wide|base64offset|contains: xp_cmdshell\n  condition: s\n",
	 "f:*eABwAF8AYwBtAGQAcwBoAGUAbABsA*~*gAcABfAGMAbQBkAHMAaABlAGwAbA*~*"
	 "4AHAAXwBjAG0AZABzAGgAZQBsAGwA*"},
	{"  s:\n    f|wide|base64: cmd\n  condition: s\n", "f:YwBtAGQA"},
	{"  s:\n    f|utf16le|base64: cmd\n  condition: s\n", "f:YwBtAGQA"},
	{"  s:\n    f|utf16be|base64: cmd\n  condition: s\n", "f:AGMAbQBk"},
	{"  s:\n    f|utf16|base64: cmd\n  condition: s\n", "f://5jAG0AZAA="},
	{"  s:\n    f|windash: a -x\n  condition: s\n", "f:a -x~a /x~a –x~a —x~a ―x"},
	{"  s:\n    f|windash: a-b\n  condition: s\n", "f:a-b"},
	{"  s:\n    f|windash: '/c'\n  condition: s\n", "f:-c~/c~–c~—c~―c"},
	{"  s:\n    f|windash: \"\\u2014c\"\n  condition: s\n", "f:-c~/c~–c~—c~―c"},
	{"  s:\n    f|windash|contains: '*-a'\n  condition: s\n", "f:*-a*~*/a*~*–a*~*—a*~*―a*"},
	{"  s:\n    f|windash: 'a - b'\n  condition: s\n", "f:a - b"},
	{"  s:\n    '|contains': a\n  condition: s\n", ":*a*"},
	{"  s:\n    '|all': [a, b]\n  condition: s\n", ":*a*&*b*"},
	{"  s:\n    '|re': a\n  condition: s\n", ":re0:a"},
	{"  s:\n    '': a\n  condition: s\n", ":*a*"},
};

static void modifiers_with_values(void **state)
{
	/* what each modifier makes of texts, numbers, null and lists (Base64 values were computed by another program) */

	(void)state;
	for (size_t i = 0;
	     i < sizeof(modifiers_with_values_rows) / sizeof(modifiers_with_values_rows[0]); i++) {
		assert_outcome(outcome_of_detection(modifiers_with_values_rows[i].given, NULL),
			       modifiers_with_values_rows[i].made);
	}
}

static const struct {
	const char *given, *made;
} chains_without_meaning_rows[] = {
	{"  s:\n    f|contain: a\n  condition: s\n",
	 "5:5: unknown modifier \"contain\"; did you mean \"contains\"?"},
	{"  s:\n    f|xyzzyq: a\n  condition: s\n", "5:5: unknown modifier \"xyzzyq\""},
	{"  s:\n    f|: a\n  condition: s\n", "5:5: a modifier is missing behind \"|\""},
	{"  s:\n    f|contains|contains: a\n  condition: s\n",
	 "5:5: the modifier \"contains\" stands twice"},
	{"  s:\n    f|re|contains: a\n  condition: s\n",
	 "5:5: the modifiers \"re\" and \"contains\" do not go together"},
	{"  s:\n    f|contains|re: a\n  condition: s\n",
	 "5:5: the modifiers \"contains\" and \"re\" do not go together"},
	{"  s:\n    f|re|cidr: a\n  condition: s\n",
	 "5:5: the modifiers \"re\" and \"cidr\" do not go together"},
	{"  s:\n    f|lt|gt: 5\n  condition: s\n",
	 "5:5: the modifiers \"lt\" and \"gt\" do not go together"},
	{"  s:\n    f|hour|day: 5\n  condition: s\n",
	 "5:5: only one part of a time can be compared"},
	{"  s:\n    f|re|cased: a\n  condition: s\n",
	 "5:5: the modifiers \"re\" and \"cased\" do not go together"},
	{"  s:\n    f|lt|expand: 5\n  condition: s\n",
	 "5:5: the modifiers \"lt\" and \"expand\" do not go together"},
	{"  s:\n    f|exists|all: true\n  condition: s\n",
	 "5:5: the modifiers \"exists\" and \"all\" do not go together"},
	{"  s:\n    f|exists|neq: true\n  condition: s\n",
	 "5:5: the modifiers \"exists\" and \"neq\" do not go together"},
	{"  s:\n    f|i: a\n  condition: s\n", "5:5: the modifier \"i\" stands only behind \"re\""},
	{"  s:\n    f|wide: a\n  condition: s\n",
	 "5:5: \"utf16le\" needs base64 or base64offset right behind it"},
	{"  s:\n    f|fieldref|startswith|endswith: g\n  condition: s\n",
	 "5:5: fieldref takes one of startswith, endswith and contains"},
	{"  s:\n    '|lt': 5\n  condition: s\n", "5:5: the modifier \"lt\" needs a field"},
	{"  s:\n    f|contains: null\n  condition: s\n",
	 "5:17: null does not go with the modifier \"contains\""},
	{"  s:\n    f|re: null\n  condition: s\n", "5:11: a value is needed here"},
	{"  s:\n    f|lt: '5'\n  condition: s\n",
	 "5:11: a number without quotes is needed here, not \"5\""},
	{"  s:\n    f|lt: abc\n  condition: s\n",
	 "5:11: a number without quotes is needed here, not \"abc\""},
	{"  s:\n    f|hour: 24\n  condition: s\n", "5:13: an hour is a number from 0 to 23"},
	{"  s:\n    f|minute: 60\n  condition: s\n", "5:15: a minute is a number from 0 to 59"},
	{"  s:\n    f|day: 0\n  condition: s\n", "5:12: a day is a number from 1 to 31"},
	{"  s:\n    f|week: 54\n  condition: s\n", "5:13: a week is a number from 1 to 53"},
	{"  s:\n    f|month: 13\n  condition: s\n", "5:14: a month is a number from 1 to 12"},
	{"  s:\n    f|exists: 1\n  condition: s\n",
	 "5:15: exists needs true or false without quotes"},
	{"  s:\n    f|exists: 'true'\n  condition: s\n",
	 "5:15: exists needs true or false without quotes"},
	{"  s:\n    f|cidr: 10.0.0.0/33\n  condition: s\n",
	 "5:13: \"10.0.0.0/33\" is no network such as 10.0.0.0/8 or 2001:db8::/32"},
	{"  s:\n    f|cidr: host\n  condition: s\n",
	 "5:13: \"host\" is no network such as 10.0.0.0/8 or 2001:db8::/32"},
	{"  s:\n    f|cidr: 10.0.0.1/8\n  condition: s\n",
	 "5:13: \"10.0.0.1/8\" has bits set behind its prefix, so it is no network"},
	{"  s:\n    f|re: 'a('\n  condition: s\n",
	 "5:11: regular expression: missing closing parenthesis, at character 3"},
	{"  s:\n    f|re: '(?<=a*)b'\n  condition: s\n",
	 "5:11: regular expression: lookbehind assertion is not fixed length, at character 1"},
	{"  s:\n    f|base64: 'a*'\n  condition: s\n",
	 "5:15: a text with wildcards cannot be encoded; write contains, startswith or endswith "
	 "behind the encoding"},
	{"  s:\n    f|contains|base64: a\n  condition: s\n",
	 "5:24: a text with wildcards cannot be encoded; write contains, startswith or endswith "
	 "behind the encoding"},
	{"  s:\n    f|base64offset: a\n  condition: s\n",
	 "5:21: the text is too short for base64offset"},
	{"  s:\n    f|windash: '-a -b -c -d -e -f -g'\n  condition: s\n",
	 "5:16: too many dashes for windash"},
	{"  s:\n    f: []\n  condition: s\n", "5:8: the list of values is empty"},
	{"  s:\n    f: {a: b}\n  condition: s\n",
	 "5:8: a field takes a value or a list of values, not a mapping"},
	{"  s:\n    f: [[a]]\n  condition: s\n",
	 "5:9: a list of values holds texts and numbers only"},
};

static void chains_without_meaning(void **state)
{
	/* a chain or a value that has no meaning is an error that names it and its place */

	(void)state;
	for (size_t i = 0;
	     i < sizeof(chains_without_meaning_rows) / sizeof(chains_without_meaning_rows[0]);
	     i++) {
		assert_outcome(outcome_of_detection(chains_without_meaning_rows[i].given, NULL),
			       chains_without_meaning_rows[i].made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modifiers_with_values),
		cmocka_unit_test(chains_without_meaning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
