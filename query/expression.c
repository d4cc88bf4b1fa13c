#include "query/expression.h"

#include "correlator/rules/regex.h"
#include "correlator/rules/rule.h"
#include "query/expression-automaton.h"
#include "query/expression-classes.h"
#include "query/expression-must.h"

#define WORK_MAX (64u << 20) /* steps for a text; about a third of a second */

static void free_expression(void *owner)
{
	struct expression *expression = owner;
	regex_free(expression->regex);
	regex_scratch_free(expression->scratch);
	dfa_free(expression->automaton);
}

int expression_new(struct str text, struct arena *arena, struct expression **out_expression,
		   size_t *out_offset, struct error *err)
{
	struct expression *expression = arena_calloc(arena, 1, sizeof(*expression));
	if (expression == NULL || !arena_at_end(arena, free_expression, expression)) {
		return error_set(err, ERR_LIMIT, "the query does not fit its memory limit");
	}
	expression->text = text;
	int result = regex_new_at(text, RULE_REGEX_FOLD, &expression->regex, out_offset, err);
	result = result == 0 ? regex_scratch_new(&expression->scratch, err) : result;
	if (result != 0) {
		return result;
	}
	regex_scratch_bound(expression->scratch, WORK_MAX);
	expression_find_must(expression, arena);
	expression_find_classes(expression);
	expression->automaton = expression_automaton(text);
	*out_expression = expression;
	return 0;
}

bool expression_matches(struct expression *expression, struct str text)
{
	struct dfa *automaton = expression->automaton;
	if (automaton != NULL) {
		uint16_t state = dfa_run(automaton, automaton->start, text);
		state = dfa_end(automaton, state);
		if (state != DFA_DOUBT) {
			return state == DFA_FOUND;
		}
	}
	if (expression->given_up >= EXPRESSION_GIVEN_UP_MAX) {
		return false;
	}
	enum regex_result result = regex_search(expression->regex, expression->scratch, text, NULL);
	expression->given_up += result == REGEX_LIMIT ? 1 : 0;
	return result == REGEX_YES;
}
