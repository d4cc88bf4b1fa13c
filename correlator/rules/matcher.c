#include "correlator/rules/matcher-part.h"
#include "correlator/rules/route.h"

#include <assert.h>
#include <stdlib.h>

#define EPOCH_MAX 0x7FFFFFFEu

int matcher_new(const struct ruleset *ruleset, struct matcher **out_matcher, struct error *err)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));
	int result = 0;

	if (matcher == NULL) {
		return error_set(err, ERR_NOMEM, "there is no memory for a matcher");
	}
	matcher->ruleset = ruleset;
	buf_init(&matcher->line, 0);
	matcher->slots = calloc(ruleset->slot_count + 1, sizeof(*matcher->slots));
	matcher->item_memo = calloc(ruleset->item_count + 1, sizeof(uint32_t));
	matcher->tree_memo = calloc(ruleset->memo_count + 1, sizeof(uint32_t));
	matcher->candidates = calloc(ruleset->rule_count / 64 + 1, sizeof(uint64_t));
	result = values_init(&matcher->values, err);
	if (result == 0) {
		result = regex_scratch_new(&matcher->regex, err);
	}
	if (result == 0 && (matcher->slots == NULL || matcher->item_memo == NULL ||
			    matcher->tree_memo == NULL || matcher->candidates == NULL)) {
		result = error_set(err, ERR_NOMEM, "there is no memory for a matcher");
	}
	if (result != 0) {
		matcher_free(matcher);
		return result;
	}
	*out_matcher = matcher;
	return 0;
}

void matcher_free(struct matcher *matcher)
{
	if (matcher == NULL) {
		return;
	}
	values_done(&matcher->values);
	regex_scratch_free(matcher->regex);
	buf_done(&matcher->line);
	free(matcher->slots);
	free(matcher->item_memo);
	free(matcher->tree_memo);
	free(matcher->candidates);
	free(matcher);
}

struct matcher_figures matcher_figures(const struct matcher *matcher)
{
	return matcher->figures;
}

static void forget(struct matcher *matcher)
{
	const struct ruleset *ruleset = matcher->ruleset;

	memset(matcher->slots, 0, ruleset->slot_count * sizeof(*matcher->slots));
	memset(matcher->item_memo, 0, ruleset->item_count * sizeof(uint32_t));
	memset(matcher->tree_memo, 0, ruleset->memo_count * sizeof(uint32_t));
	matcher->epoch = 0;
}

void matcher_begin(struct matcher *matcher, const struct rules_event *event)
{
	if (matcher->epoch == EPOCH_MAX) {
		forget(matcher);
	}
	matcher->epoch++;
	matcher->failed = false;
	matcher->override_count = 0;
	values_begin(&matcher->values, event);
}

/* The rules for an event, or NULL when there can be none. */
static const struct route *route_for(const struct ruleset *ruleset, const struct rules_event *event)
{
	if (event->stage == RULES_STAGE_TRAIL) {
		return &ruleset->routes[ROUTE_TRAIL];
	}
	if (event->statement != NULL) {
		return &ruleset->routes[ROUTE_SQL];
	}
	if (event->request != NULL) {
		return &ruleset->routes[ROUTE_REQUEST];
	}
	if (event->other == NULL) {
		return NULL;
	}
	switch (event->other->kind) {
	case RECORD_GAP:
		return &ruleset->routes[ROUTE_GAP];
	case RECORD_REJECT:
		return &ruleset->routes[ROUTE_REJECT];
	case RECORD_ACCESS:
		return &ruleset->routes[ROUTE_ACCESS];
	case RECORD_LIFECYCLE:
		return &ruleset->routes[ROUTE_LIFECYCLE];
	case RECORD_REQUEST:
	case RECORD_STATEMENT:
	case RECORD_VERDICT:
	case RECORD_ALERT:
		break;
	}
	return NULL;
}

struct finder {
	uint64_t *candidates;
	const struct rule_list *lists;
};

static void add_list(void *owner, uint32_t list)
{
	struct finder *finder = owner;
	const struct rule_list *rules = &finder->lists[list];

	for (size_t i = 0; i < rules->count; i++) {
		finder->candidates[rules->places[i] / 64] |= UINT64_C(1) << (rules->places[i] % 64);
	}
}

static void find_exact(struct matcher *matcher, const struct route_filter *filter,
		       const struct value *value, struct finder *finder)
{
	const uint64_t *list;
	double number;

	list = route_find_text(matcher->ruleset, filter, value->folded);
	if (list != NULL) {
		add_list(finder, (uint32_t)*list);
	}
	if (filter->numbers.entry_count != 0 && value_number(value, &number)) {
		list = route_find_number(filter, number);
		if (list != NULL) {
			add_list(finder, (uint32_t)*list);
		}
	}
}

/* Marks the rules that may match by what the values of one slot hold. */
static void find_candidates(struct matcher *matcher, const struct route_filter *filter)
{
	struct values values = matcher_slot(matcher, filter->slot);
	struct finder finder = {matcher->candidates, filter->lists};

	for (size_t i = 0; i < values.count; i++) {
		struct value *value = &values.first[i];

		if (value_fold(&matcher->values, value, NULL) != 0) {
			matcher->failed = true;
			return;
		}
		if (filter->automaton != NULL) {
			automaton_scan(filter->automaton, value->folded, add_list, &finder);
		}
		find_exact(matcher, filter, value, &finder);
	}
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "there is no memory to run rules on an event");
}

/* Looks at one candidate. */
static int run_rule(struct matcher *matcher, const struct compiled_rule *rule,
		    const struct matcher_run *run, struct error *err)
{
	struct matcher_hit hit = {.rule = rule->rule};
	bool fires;

	matcher->figures.candidates++;
	if (rule->log == L_SQL && matcher->values.event->statement == NULL) {
		return 0; /* a trail of a request alone */
	}
	fires = evaluate_tree(matcher, rule->tree);
	if (matcher->failed) {
		return no_memory(err);
	}
	if (!fires) {
		return 0;
	}
	matcher->figures.fired++;
	hit.matched = matched_line(matcher, rule->tree);
	if (matcher->failed || matcher->line.failed) {
		return no_memory(err);
	}
	return run->fired(run->owner, &hit, err);
}

int matcher_run(struct matcher *matcher, const struct rules_event *event,
		const struct matcher_run *run, struct error *err)
{
	const struct route *route = route_for(matcher->ruleset, event);
	size_t words;

	matcher->figures.events++;
	if (route == NULL || route->rule_count == 0) {
		return 0;
	}
	words = route->rule_count / 64 + 1;
	matcher_begin(matcher, event);
	memcpy(matcher->candidates, route->always, words * sizeof(uint64_t));
	for (size_t i = 0; i < route->filter_count; i++) {
		find_candidates(matcher, &route->filters[i]);
	}
	if (matcher->failed) {
		return no_memory(err);
	}
	for (size_t word = 0; word < words; word++) {
		for (uint64_t bits = matcher->candidates[word]; bits != 0; bits &= bits - 1) {
			size_t place = word * 64 + (size_t)__builtin_ctzll(bits);
			int result = run_rule(
				matcher, &matcher->ruleset->rules[route->rules[place]], run, err);

			if (result != 0) {
				return result;
			}
		}
	}
	return 0;
}
