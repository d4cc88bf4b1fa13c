/* rules-text - rules as text, for tests that need a few of them.
 *
 * Rules:   include it after cmocka.h.
 * Threads: any. */
#ifndef TESTS_UNIT_RULES_TEXT_H
#define TESTS_UNIT_RULES_TEXT_H

#include "correlator/rules/ruleset.h"

/* One rule; documents are joined with "---\n". detection: whole lines, indented by four. */
#define RULE_TEXT(name, service, detection)                                                       \
	"title: Title of " name "\nid: " name "\nlevel: high\ntags:\n  - attack.t1\n"             \
	"logsource:\n  product: querytrail\n  service: " service "\ndetection:\n  s:\n" detection \
	"  condition: s\nquerytrail:\n  explanation: Why " name "\n  next_steps: "                \
	"Do " name "\n"

static inline struct pack *rules_pack(const char *text)
{
	struct pack *pack = NULL;
	struct error err;
	const struct pack_options options = {0};
	assert_int_equal(pack_parse("rules.yml", str_of(text), &options, &pack, &err), 0);
	if (pack_problem_count(pack) > 0) {
		fail_msg("%s", pack_problem(pack, 0)->text);
	}
	return pack;
}

static inline struct ruleset *rules_make(const char *text)
{
	struct ruleset *ruleset = NULL;
	struct error err;
	assert_int_equal(ruleset_new(rules_pack(text), &ruleset, &err), 0);
	if (pack_problem_count(ruleset_pack(ruleset)) > 0) {
		fail_msg("%s", pack_problem(ruleset_pack(ruleset), 0)->text);
	}
	return ruleset;
}

#endif
