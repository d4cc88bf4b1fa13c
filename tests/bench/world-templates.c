/* Verbs, parameters, literals and lengths of the 300 templates. Each share is met over rows, that is over the weights of templates: heavy
 * ones first by what is most wanting, light ones fill up. */
#include "tests/bench/world-plan.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double shares[LITERAL_KINDS] = {
	[LITERAL_INT] = 0.47,   [LITERAL_CUSTOMER] = 0.27,  [LITERAL_ORDER] = 0.27,
	[LITERAL_MONEY] = 0.25, [LITERAL_DATE] = 0.20,      [LITERAL_EMAIL] = 0.18,
	[LITERAL_NAME] = 0.16,  [LITERAL_TIMESTAMP] = 0.14, [LITERAL_TEXT] = 0.09,
	[LITERAL_GUID] = 0.03,  [LITERAL_REPEAT] = 0.54,    [LITERAL_CONSTANT] = 0.46,
};

double plan_literal_share(enum literal_kind kind)
{
	assert(kind < LITERAL_KINDS);
	return shares[kind];
}

static uint32_t draw(struct dice *dice, size_t count)
{
	return dice_below(dice, WORLD_TABLES, (uint32_t)count);
}

/* What each template weighs among all rows. */
static void weigh(struct world_plan *plan)
{
	double sum = 0;
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		plan->templates[i].weight = PLAN_ADHOC_PER_REQUEST / PLAN_TEMPLATES;
	}
	for (size_t i = 0; i < PLAN_ROUTES; i++) {
		const struct plan_route *route = &plan->routes[i];
		for (size_t t = 0; t < route->template_count; t++) {
			struct plan_template *template = &plan->templates[route->templates[t]];
			template->weight +=
				route->weight *(1 - PLAN_DENIED) * (1 + PLAN_REPEAT_CHANCE);
			template->on_path = route->path != PATH_NONE;
		}
	}
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		sum += plan->templates[i].weight;
	}
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		plan->templates[i].weight /= sum;
	}
}

/* The verb that suits the method, while there are some left. */
static enum plan_verb pick_verb(const char *method, struct dice *dice, size_t left[VERB_COUNT])
{
	enum plan_verb wanted = VERB_SELECT;
	uint32_t turn = draw(dice, 10);
	if (strcmp(method, "POST") == 0 && turn < 6) {
		wanted = turn == 5 ? VERB_EXEC : VERB_INSERT;
	} else if (strcmp(method, "PUT") == 0 && turn < 6) {
		wanted = VERB_UPDATE;
	} else if (strcmp(method, "DELETE") == 0 && turn < 4) {
		wanted = VERB_DELETE;
	} else if (turn >= 7) { /* reads write too: counters, traces, leases */
		static const enum plan_verb also[] = {VERB_EXEC, VERB_INSERT, VERB_UPDATE};
		wanted = also[turn - 7];
	}
	for (size_t i = 0; left[wanted] == 0; i++) {
		wanted = (enum plan_verb)i;
	}
	left[wanted]--;
	return wanted;
}

static void give_verbs(struct world_plan *plan, struct dice *dice)
{
	size_t left[VERB_COUNT] = {186, 42, 42, 21, 9};
	for (size_t i = 0; i < PLAN_ROUTES; i++) {
		const struct plan_route *route = &plan->routes[i];
		for (size_t t = 0; t < route->template_count; t++) {
			plan->templates[route->templates[t]].verb =
				pick_verb(route->method, dice, left);
		}
	}
	for (size_t i = PLAN_ROUTE_TEMPLATES; i < PLAN_TEMPLATES; i++) {
		size_t at = draw(dice, PLAN_TEMPLATES - i), verb = 0;
		while (at >= left[verb]) {
			at -= left[verb++];
		}
		left[verb]--;
		plan->templates[i].verb = (enum plan_verb)verb;
	}
}

/* 75 templates that make 36 % of the rows. */
static void give_parameters(struct world_plan *plan)
{
	double off = -0.36;
	for (size_t i = 0; i < PLAN_PARAMETERS; i++) {
		struct plan_template *template = &plan->templates[i * 4 + 1];
		template->has_parameters = 1;
		off += template->weight;
	}
	for (int round = 0; round < 100; round++) {
		double best = fabs(off);
		struct plan_template *from = NULL, *to = NULL;
		for (size_t pair = 0; pair < (size_t)PLAN_TEMPLATES * PLAN_TEMPLATES; pair++) {
			struct plan_template *a = &plan->templates[pair / PLAN_TEMPLATES];
			struct plan_template *b = &plan->templates[pair % PLAN_TEMPLATES];
			double left = fabs(off + b->weight - a->weight);
			if (a->has_parameters && !b->has_parameters && left < best - 1e-9) {
				best = left;
				from = a;
				to = b;
			}
		}
		if (from == NULL) {
			break;
		}
		from->has_parameters = 0;
		to->has_parameters = 1;
		off += to->weight - from->weight;
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct plan_template *const *left = a, *const *right = b;
	double x = (*left)->weight, y = (*right)->weight;
	return x < y ? 1 : x > y ? -1 : *left < *right ? -1 : 1;
}

static int may_hold(const struct plan_template *template, enum literal_kind kind)
{
	size_t same = 0, integers = 0;
	for (size_t i = 0; i < template->slot_count; i++) {
		same += template->slots[i].kind == kind ? 1 : 0;
		integers += template->slots[i].kind <= LITERAL_ORDER ? 1 : 0;
	}
	return same < 3 && (kind != LITERAL_REPEAT || template->on_path || integers > 0) &&
	       (kind != LITERAL_CONSTANT || same < 2);
}

/* Adds the kind of literal that is most wanting. */
static void add_slot(struct plan_template *template, struct dice *dice, double *missing)
{
	static const uint16_t pages[] = {10, 20, 25, 50, 100, 200, 500};
	struct plan_slot *slot = &template->slots[template->slot_count];
	int best = -1;
	for (int kind = 0; kind < LITERAL_KINDS; kind++) {
		if (may_hold(template, (enum literal_kind)kind) &&
		    (best < 0 || missing[kind] > missing[best])) {
			best = kind;
		}
	}
	uint32_t turn = draw(dice, 5);
	slot->kind = (uint8_t)best;
	slot->constant = pages[draw(dice, 7)];
	slot->source = turn < 3 ? REPEAT_PATH : turn < 4 ? REPEAT_OWN : REPEAT_REQUEST;
	if (!template->on_path) {
		slot->source = REPEAT_OWN;
	}
	missing[best] -= template->weight;
	template->slot_count++;
}

/* How many literals: of all rows 10 % have 7 and more, 36 % (those with parameters) none. Templates take numbers in turn by the weight
 * that has passed, so that heavy ones do not decide. */
static void give_literals(struct world_plan *plan, struct dice *dice)
{
	static const double share_of[PLAN_SLOTS + 1] = {0,    0.02, 0.10, 0.16, 0.21,
							0.19, 0.14, 0.11, 0.05, 0.02};
	double missing[LITERAL_KINDS], count_missing[PLAN_SLOTS + 1];
	struct plan_template *order[PLAN_TEMPLATES];
	memcpy(missing, shares, sizeof(missing));
	for (size_t i = 0; i <= PLAN_SLOTS; i++) {
		count_missing[i] = share_of[i] * 0.64;
	}
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		order[i] = &plan->templates[i];
	}
	qsort(order, PLAN_TEMPLATES, sizeof(order[0]), by_weight);
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		if (order[i]->has_parameters) {
			continue;
		}
		size_t wanted = 1;
		for (size_t n = 2; n <= PLAN_SLOTS; n++) {
			wanted = count_missing[n] > count_missing[wanted] ? n : wanted;
		}
		if (order[i] >= plan->templates + PLAN_ROUTE_TEMPLATES) {
			wanted = 1 + draw(dice, 4); /* by hand: short */
		}
		count_missing[wanted] -= order[i]->weight;
		while (order[i]->slot_count < wanted) {
			add_slot(order[i], dice, missing);
		}
	}
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) { /* what is still wanting, by light ones */
		struct plan_template *template = order[PLAN_TEMPLATES - 1 - i];
		double all = 0;
		for (int kind = 0; kind < LITERAL_KINDS; kind++) {
			all += missing[kind];
		}
		if (all > template->weight && !template->has_parameters &&
		    template <plan->templates + PLAN_ROUTE_TEMPLATES &&template->slot_count <
			      PLAN_SLOTS) {
			add_slot(template, dice, missing);
		}
	}
}

/* Lengths by quantile of rows: 110, 332 and 577 bytes at 1, 50 and 99 %. */
static void give_lengths(struct world_plan *plan, struct dice *dice)
{
	uint16_t order[PLAN_TEMPLATES];
	double passed = 0;
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		order[i] = (uint16_t)i;
	}
	for (size_t i = PLAN_TEMPLATES - 1; i > 0; i--) {
		size_t other = draw(dice, i + 1);
		uint16_t kept = order[i];
		order[i] = order[other];
		order[other] = kept;
	}
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		struct plan_template *template = &plan->templates[order[i]];
		double at = passed + template->weight / 2;
		passed += template->weight;
		double bytes = at < 0.5 ? 110 + (332 - 110) * pow(at / 0.5, 0.6)
					: 332 + (577 - 332) * pow((at - 0.5) / 0.49, 1.6);
		template->target_bytes = (uint16_t)(bytes > 600 ? 600 : bytes);
		if (order[i] >= PLAN_ROUTE_TEMPLATES) {
			template->target_bytes = (uint16_t)(115 + draw(dice, 80));
		}
	}
}

/* Whether an earlier template has the same text. */
static bool is_known(const struct world_plan *plan, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		if (strcmp(plan->templates[i].text, plan->templates[number].text) == 0) {
			return true;
		}
	}
	return false;
}

void plan_draw_templates(struct world_plan *plan, struct dice *dice)
{
	/* the median of medians of durations, by verb, in ms */
	static const double duration_of[VERB_COUNT] = {3, 5, 6, 15, 8};
	weigh(plan);
	give_verbs(plan, dice);
	give_parameters(plan);
	give_literals(plan, dice);
	give_lengths(plan, dice);
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		struct plan_template *template = &plan->templates[i];
		struct lognormal medians;
		lognormal_init(&medians, duration_of[template->verb], 0.9);
		lognormal_init(&template->duration,
			       0.3 + dice_lognormal(dice, WORLD_TABLES, &medians), 0.7);
		lognormal_init(&medians, 5, 1.2);
		lognormal_init(&template->rows, 0.5 + dice_lognormal(dice, WORLD_TABLES, &medians),
			       0.5);
		template->affected_rows = 0;
		if (template->verb != VERB_SELECT) {
			template->affected_rows = (uint8_t)(1 + draw(dice, 3));
		}
		do {
			template->table = (uint16_t)draw(dice, PLAN_TABLES);
			plan_write_text(plan, dice, template);
		} while (is_known(plan, i));
	}
}
