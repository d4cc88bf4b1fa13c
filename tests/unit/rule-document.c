#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rule-fixture.h"

static const struct {
	const char *given, *made;
} fields_of_sigma_rows[] = {
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\n", ":*a*"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ncustom: "
	 "x\nteam_notes: [1]\n",
	 ":*a*"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nlevel: hihg\n",
	 "4:8: unknown level \"hihg\"; did you mean \"high\"?"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nlevel: [high]\n",
	 "4:8: level must be a text"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nstatus: tested\n",
	 "4:9: unknown status \"tested\"; did you mean \"test\"?"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ntag: [a]\n",
	 "4:1: unknown field \"tag\"; did you mean \"tags\"?"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ndescripton: x\n",
	 "4:1: unknown field \"descripton\"; did you mean \"description\"?"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ntags: {a: b}\n",
	 "4:7: tags must be a list of texts"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ntags: [[a]]\n",
	 "4:8: tags must be a list of texts"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nfalsepositives: "
	 "Unknown\nreferences:\nlevel:\n",
	 ":*a*"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ntaxonomy: acme\n",
	 "4:11: the taxonomy \"acme\" is not supported"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ntaxonomy: "
	 "sigma\n",
	 ":*a*"},
	{"logsource: {product: mssql}\ndetection: {s: a, condition: s}\n", "1:1: title is missing"},
	{"title: t\ndetection: {s: a, condition: s}\n", "1:1: logsource is missing"},
	{"title: t\nlogsource: {product: mssql}\n", "1:1: detection is missing"},
	{"title: t\nlogsource: mssql\ndetection: {s: a, condition: s}\n",
	 "2:12: logsource must be a mapping"},
	{"title: t\nlogsource: {}\ndetection: {s: a, condition: s}\n",
	 "2:1: logsource needs a category, product or service"},
	{"title: t\nlogsource: {prodct: x}\ndetection: {s: a, condition: s}\n",
	 "2:13: unknown logsource field \"prodct\"; did you mean \"product\"?"},
	{"title: t\nlogsource: {product: [x]}\ndetection: {s: a, condition: s}\n",
	 "2:22: product must be a text"},
	{"title: t\nlogsource: {product: x, definition: y, custom: z}\ndetection: {s: a, "
	 "condition: s}\n",
	 ":*a*"},
	{"title: t\nlogsource: {product: mssql}\ndetection: [a]\n",
	 "3:12: detection must be a mapping"},
	{"- a\n- b\n", "1:1: a rule is a mapping with title, logsource and detection"},
	{"just words\n", "1:1: a rule is a mapping with title, logsource and detection"},
	{"title: t\ncorrelation:\n  type: event_count\n",
	 "2:1: correlation rules are not supported by this version"},
	{"title: t\nlogsource: {product: mssql}\nfilter:\n  rules: [a]\n",
	 "3:1: filters are not supported by this version"},
	{"action: global\ntitle: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\n",
	 "1:1: \"action\" (rule collections of Sigma 1) is not supported"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ntimeframe: 5m\n",
	 "4:1: \"timeframe\" belongs to aggregations, which are not supported"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\ntitle2: [\n",
	 "5:1: flow sequence without a closing bracket"},
};

static void fields_of_sigma(void **state)
{
	/* what must and may stand in a rule, and each mistake with its place */

	(void)state;
	for (size_t i = 0; i < sizeof(fields_of_sigma_rows) / sizeof(fields_of_sigma_rows[0]);
	     i++) {
		assert_outcome(outcome(fields_of_sigma_rows[i].given),
			       fields_of_sigma_rows[i].made);
	}
}

static const struct {
	const char *given, *made;
} own_fields_rows[] = {
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "explanation: x\n  next_steps: [a, b]\n",
	 ":*a*"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "explantion: x\n",
	 "5:3: unknown field \"explantion\"; did you mean \"explanation\"?"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "explanation: {a: b}\n",
	 "5:16: explanation must be a text or a list of texts"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "next_steps: [[a]]\n",
	 "5:16: next_steps must be a text or a list of texts"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: x\n",
	 "5:13: examples must be a list"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [x]\n",
	 "5:14: an example is a mapping with fires and event"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [{fires: true}]\n",
	 "5:14: an example is a mapping with fires and event"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [{fires: maybe, event: {a: b}}]\n",
	 "5:22: fires is true or false"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [{fires: 'true', event: {a: b}}]\n",
	 "5:22: fires is true or false"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [{fires: true, evnt: {a: b}}]\n",
	 "5:28: unknown field \"evnt\"; did you mean \"event\"?"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [{fires: true, event: [a]}]\n",
	 "5:35: event must be a mapping"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [{fires: true, event: {a: {b: c}}}]\n",
	 "5:39: a field of an event is a value or a list of values"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "examples: [{fires: true, event: {a: [[b]]}}]\n",
	 "5:40: a field of an event is a value or a list of values"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "lists: [a]\n",
	 "5:10: lists must be a mapping"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "lists: {a: b}\n",
	 "5:14: the values of a list must be a list"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail:\n  "
	 "lists: {a: [[b]]}\n",
	 "5:15: a list holds texts only"},
	{"title: t\nlogsource: {product: mssql}\ndetection: {s: a, condition: s}\nquerytrail: x\n",
	 "4:13: querytrail must be a mapping"},
};

static void own_fields(void **state)
{
	/* what stands under querytrail:, and each mistake with its place */

	(void)state;
	for (size_t i = 0; i < sizeof(own_fields_rows) / sizeof(own_fields_rows[0]); i++) {
		assert_outcome(outcome(own_fields_rows[i].given), own_fields_rows[i].made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_sigma),
		cmocka_unit_test(own_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
