/* matcher-fixture - rules from their text, run against records. */
#ifndef TESTS_UNIT_MATCHER_FIXTURE_H
#define TESTS_UNIT_MATCHER_FIXTURE_H

#include "base/yaml.h"
#include "correlator/rules/ruleset.h"

#include <stdio.h>
#include <string.h>

struct bench_rules {
	struct ruleset *ruleset;
	struct matcher *matcher;
	size_t fired;
	char matched[4096]; /* "id=line|id=line" */
};

static inline int fixture_fired(void *owner, const struct matcher_hit *hit, struct error *err)
{
	struct bench_rules *rules = owner;
	size_t len = strlen(rules->matched);

	(void)err;
	rules->fired++;
	(void)snprintf(rules->matched + len, sizeof(rules->matched) - len, "%s%.*s=%.*s",
		       len != 0 ? "|" : "", STR_ARG(hit->rule->id), STR_ARG(hit->matched));
	return 0;
}

/* The same, but ends the run. */
static inline int fixture_stop(void *owner, const struct matcher_hit *hit, struct error *err)
{
	(void)fixture_fired(owner, hit, err);
	return error_set(err, ERR_IO, "stopped");
}

static inline void fixture_open(struct bench_rules *rules, const char *text)
{
	struct pack_options options = {.folders = NULL};
	struct pack *pack = NULL;
	struct error err;

	memset(rules, 0, sizeof(*rules));
	error_clear(&err);
	assert_int_equal(pack_parse("t.yml", str_of(text), &options, &pack, &err), 0);
	assert_int_equal(ruleset_new(pack, &rules->ruleset, &err), 0);
	assert_int_equal(matcher_new(rules->ruleset, &rules->matcher, &err), 0);
}

static inline void fixture_close(struct bench_rules *rules)
{
	matcher_free(rules->matcher);
	ruleset_free(rules->ruleset);
}

/* How many rules fire on the event; what matched stands in rules->matched. */
static inline size_t fixture_run(struct bench_rules *rules, const struct rules_event *event)
{
	struct matcher_run run = {fixture_fired, rules};
	struct error err;

	rules->fired = 0;
	rules->matched[0] = '\0';
	error_clear(&err);
	assert_int_equal(matcher_run(rules->matcher, event, &run, &err), 0);
	return rules->fired;
}

static inline size_t fixture_run_record(struct bench_rules *rules, const struct record *record)
{
	struct rules_event event = {.stage = RULES_STAGE_RECORD};

	if (record->kind == RECORD_STATEMENT) {
		event.statement = record;
	} else if (record->kind == RECORD_REQUEST) {
		event.request = record;
	} else {
		event.other = record;
	}
	return fixture_run(rules, &event);
}

/* The first problem of the pack; the empty text when there is none. */
static inline const char *fixture_problem(const struct bench_rules *rules)
{
	const struct pack *pack = ruleset_pack(rules->ruleset);

	return pack_problem_count(pack) != 0 ? pack_problem(pack, 0)->text : "";
}

/* A rule of one selection for a log source, both as YAML. */
#define RULE_TEXT(id, logsource, detection)                                         \
	"title: t\nid: " id "\nlogsource:\n  " logsource "\ndetection:\n" detection \
	"  condition: s\n"

static inline struct record fixture_statement(const char *text)
{
	struct record record;

	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("sql");
	record.key = STR_LIT("k");
	record.time_ns = INT64_C(1790000000) * 1000000000;
	record_set_text(&record, FIELD_statement, str_of(text));
	record_set_text(&record, FIELD_action, STR_LIT("BCM"));
	record_set_text(&record, FIELD_principal, STR_LIT("App_Orders"));
	record_set_text(&record, FIELD_database, STR_LIT("Shop"));
	record_set_text(&record, FIELD_client_ip, STR_LIT("10.0.3.17"));
	record_set_number(&record, FIELD_rows, 12);
	record_set_number(&record, FIELD_succeeded, 1);
	return record;
}

static inline struct record fixture_request(const char *path)
{
	struct record record;

	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("gw");
	record.key = STR_LIT("k");
	record.time_ns = INT64_C(1790000000) * 1000000000;
	record_set_text(&record, FIELD_path, str_of(path));
	record_set_text(&record, FIELD_method, STR_LIT("GET"));
	record_set_text(&record, FIELD_route, STR_LIT("GET /orders/{id}"));
	record_set_text(&record, FIELD_user, STR_LIT("alice@example.com"));
	record_set_text(&record, FIELD_user_kind, STR_LIT("jwt"));
	record_set_text(&record, FIELD_source_ip, STR_LIT("203.0.113.9"));
	record_set_text(&record, FIELD_user_agent, STR_LIT("sqlmap/1.7"));
	record_set_number(&record, FIELD_status, 404);
	return record;
}

#endif
