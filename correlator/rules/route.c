#include "correlator/rules/route.h"

#include <stdlib.h>

struct wish { /* a rule that is a candidate when the atom is there */
	const struct atom *atom;
	uint32_t place;
};

static int compare(const void *a, const void *b)
{
	const struct wish *x = a;
	const struct wish *y = b;
	int order;

	if (x->atom->slot != y->atom->slot) {
		return x->atom->slot < y->atom->slot ? -1 : 1;
	}
	if (x->atom->kind != y->atom->kind) {
		return x->atom->kind < y->atom->kind ? -1 : 1;
	}
	if (x->atom->kind == ATOM_NUMBER && x->atom->number != y->atom->number) {
		return x->atom->number < y->atom->number ? -1 : 1;
	}
	order = str_compare(x->atom->text, y->atom->text);
	if (order != 0) {
		return order;
	}
	return x->place < y->place ? -1 : x->place > y->place;
}

static bool same_atom(const struct atom *a, const struct atom *b)
{
	return a->slot == b->slot && a->kind == b->kind && a->number == b->number &&
	       str_equal(a->text, b->text);
}

static uint64_t number_bits(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "there is no memory for the rules");
}

/* Gathers what each rule needs; rules that need nothing are always candidates. */
static struct wish *gather(struct ruleset *ruleset, struct route *route, size_t *out_count)
{
	size_t count = 0;
	size_t at = 0;
	struct wish *wishes;

	for (size_t i = 0; i < route->rule_count; i++) {
		count += ruleset->rules[route->rules[i]].tree->need.atom_count;
	}
	wishes = malloc((count + 1) * sizeof(*wishes));
	if (wishes == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < route->rule_count; i++) {
		const struct need *need = &ruleset->rules[route->rules[i]].tree->need;

		if (need->atoms == NULL) {
			route->always[i / 64] |= UINT64_C(1) << (i % 64);
		}
		for (size_t j = 0; j < need->atom_count; j++) {
			wishes[at++] = (struct wish){&need->atoms[j], (uint32_t)i};
		}
	}
	qsort(wishes, count, sizeof(*wishes), compare);
	*out_count = count;
	return wishes;
}

struct filler {
	struct ruleset *ruleset;
	struct route_filter *filter;
	struct rule_list *lists;
	struct automaton_literal *literals;
	size_t list_count, literal_count;
};

/* Takes the wishes of one atom. Returns how many they are, or 0 without memory. */
static size_t take_atom(struct filler *filler, const struct wish *wishes, size_t count)
{
	const struct atom *atom = wishes[0].atom;
	uint32_t *places;
	size_t end = 0;
	size_t used = 0;
	int result = 0;

	while (end < count && same_atom(wishes[end].atom, atom)) {
		end++;
	}
	places = arena_alloc(&filler->ruleset->arena, end * sizeof(*places));
	if (places == NULL) {
		return 0;
	}
	for (size_t i = 0; i < end; i++) {
		if (used == 0 || places[used - 1] != wishes[i].place) {
			places[used++] = wishes[i].place;
		}
	}
	switch (atom->kind) {
	case ATOM_LITERAL:
		filler->literals[filler->literal_count++] =
			(struct automaton_literal){atom->text, (uint32_t)filler->list_count};
		break;
	case ATOM_TEXT:
		filler->filter->text_lengths |= UINT64_C(1) << (atom->text.len % 64);
		result = u64map_put(&filler->filter->texts,
				    hash_bytes(&filler->ruleset->hash_key, atom->text),
				    filler->list_count);
		break;
	case ATOM_NUMBER:
		result = u64map_put(&filler->filter->numbers, number_bits(atom->number),
				    filler->list_count);
		break;
	}
	filler->lists[filler->list_count++] = (struct rule_list){places, used};
	return result == 0 ? end : 0;
}

static int make_filter(struct ruleset *ruleset, struct route_filter *filter,
		       const struct wish *wishes, size_t count, struct error *err)
{
	struct filler filler = {.ruleset = ruleset, .filter = filter};
	size_t at = 0;
	int result = 0;

	filter->slot = wishes[0].atom->slot;
	u64map_init(&filter->texts, count);
	u64map_init(&filter->numbers, count);
	filler.lists = arena_alloc(&ruleset->arena, count * sizeof(*filler.lists));
	filler.literals = malloc(count * sizeof(*filler.literals));
	if (filler.lists == NULL || filler.literals == NULL) {
		free(filler.literals);
		return no_memory(err);
	}
	while (at < count && result == 0) {
		size_t taken = take_atom(&filler, wishes + at, count - at);

		result = taken == 0 ? no_memory(err) : 0;
		at += taken;
	}
	if (result == 0 && filler.literal_count != 0) {
		result = automaton_new(filler.literals, filler.literal_count, &filter->automaton,
				       err);
	}
	filter->lists = filler.lists;
	free(filler.literals);
	return result;
}

static size_t slot_run(const struct wish *wishes, size_t count)
{
	size_t end = 0;

	while (end < count && wishes[end].atom->slot == wishes[0].atom->slot) {
		end++;
	}
	return end;
}

static int make_filters(struct ruleset *ruleset, struct route *route, const struct wish *wishes,
			size_t count, struct error *err)
{
	size_t filters = 0;
	int result = 0;

	for (size_t at = 0; at < count; at += slot_run(wishes + at, count - at)) {
		filters++;
	}
	route->filters = arena_calloc(&ruleset->arena, filters, sizeof(*route->filters));
	if (route->filters == NULL) {
		return no_memory(err);
	}
	for (size_t at = 0; at < count && result == 0;) {
		size_t run = slot_run(wishes + at, count - at);

		result = make_filter(ruleset, &route->filters[route->filter_count++], wishes + at,
				     run, err);
		at += run;
	}
	return result;
}

int route_make(struct ruleset *ruleset, struct route *route, struct error *err)
{
	struct wish *wishes;
	size_t count = 0;
	int result;

	route->always = arena_calloc(&ruleset->arena, route->rule_count / 64 + 1, sizeof(uint64_t));
	if (route->always == NULL) {
		return no_memory(err);
	}
	wishes = gather(ruleset, route, &count);
	result = wishes == NULL ? no_memory(err) : make_filters(ruleset, route, wishes, count, err);
	free(wishes);
	return result;
}

void route_done(struct route *route)
{
	for (size_t i = 0; i < route->filter_count; i++) {
		automaton_free(route->filters[i].automaton);
		u64map_done(&route->filters[i].texts);
		u64map_done(&route->filters[i].numbers);
	}
}

const uint64_t *route_find_text(const struct ruleset *ruleset, const struct route_filter *filter,
				struct str folded)
{
	if ((filter->text_lengths >> (folded.len % 64) & 1) == 0) {
		return NULL;
	}
	return u64map_get(&filter->texts, hash_bytes(&ruleset->hash_key, folded));
}

const uint64_t *route_find_number(const struct route_filter *filter, double number)
{
	return u64map_get(&filter->numbers, number_bits(number == 0 ? 0 : number));
}
