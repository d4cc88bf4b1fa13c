/* Any rule text that is read compiles or is refused, and runs against any event: no crash, no endless loop, one line for what matched. */
#include "correlator/rules/ruleset.h"

#include <assert.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_hit(void *owner, const struct matcher_hit *hit, struct error *err)
{
	(void)owner;
	(void)err;
	assert(hit->rule != NULL && hit->matched.len != 0);
	for (size_t i = 0; i < hit->matched.len; i++) {
		assert((uint8_t)hit->matched.ptr[i] >= ' ');
	}
	return 0;
}

static void run(struct matcher *matcher, const struct rules_event *event)
{
	struct matcher_run how = {check_hit, NULL};
	struct error err;

	assert(matcher_run(matcher, event, &how, &err) == 0);
}

/* The same text as a statement, a path, a user and an application. */
static void run_all(struct matcher *matcher, struct str text)
{
	struct record statement, request, verdict, gap;
	struct rules_event event = {.stage = RULES_STAGE_RECORD, .statement = &statement};

	record_init(&statement, RECORD_STATEMENT);
	record_set_text(&statement, FIELD_statement, text);
	record_set_text(&statement, FIELD_application, text);
	record_set_text(&statement, FIELD_client_ip, STR_LIT("10.0.0.1"));
	record_set_number(&statement, FIELD_rows, (int64_t)text.len);
	statement.time_ns = (int64_t)text.len * 1000000007;
	run(matcher, &event);
	record_init(&request, RECORD_REQUEST);
	record_set_text(&request, FIELD_path, text);
	record_set_text(&request, FIELD_user, text);
	record_set_text(&request, FIELD_extra, text);
	record_set_number(&request, FIELD_status, 404);
	event = (struct rules_event){.stage = RULES_STAGE_RECORD, .request = &request};
	run(matcher, &event);
	record_init(&verdict, RECORD_VERDICT);
	record_set_text(&verdict, FIELD_grade, STR_LIT("X"));
	event = (struct rules_event){RULES_STAGE_TRAIL, &statement, &verdict, &request, NULL};
	run(matcher, &event);
	record_init(&gap, RECORD_GAP);
	record_set_text(&gap, FIELD_reason, text);
	event = (struct rules_event){.stage = RULES_STAGE_RECORD, .other = &gap};
	run(matcher, &event);
}

/* The rules, then a NUL, then the text of the events. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_make(data, size);
	ptrdiff_t end = str_find_byte(input, '\0', 0);
	struct str rules = end < 0 ? input : str_slice(input, 0, (size_t)end);
	struct str text = end < 0 ? input : str_slice(input, (size_t)end + 1, size);
	struct pack_options options = {.folders = NULL};
	struct pack *pack;
	struct ruleset *ruleset;
	struct matcher *matcher;
	struct error err;

	if (pack_parse("fuzz.yml", rules, &options, &pack, &err) != 0) {
		return 0;
	}
	if (ruleset_new(pack, &ruleset, &err) != 0) {
		return 0;
	}
	assert(matcher_new(ruleset, &matcher, &err) == 0);
	run_all(matcher, text);
	run_all(matcher, text);
	for (size_t i = 0; i < pack_rule_count(ruleset_pack(ruleset)); i++) {
		const struct rule *rule = pack_rule(ruleset_pack(ruleset), i);

		for (size_t j = 0; j < rule->example_count; j++) {
			bool fires;

			(void)matcher_try(matcher, rule, rule->examples[j].fields, &fires,
					  &err); /* names may be wrong */
		}
	}
	matcher_free(matcher);
	ruleset_free(ruleset);
	return 0;
}
