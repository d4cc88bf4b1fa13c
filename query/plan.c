#include "query/plan.h"

#include <assert.h>

#define GRADES_ALL ((1u << GRADE_COUNT) - 1)

/* Adds the test of one term on one side, if it looks there. */
static int add_atom(struct plan *plan, const struct node *node, enum side side,
		    const struct match *match, struct error *err)
{
	const struct word *word = &node->term->word;
	struct atom atom = {.side = side, .match = *match};
	for (size_t i = 0; i < word->place_count; i++) {
		if (word->place[i].side == side) {
			atom.field[atom.field_count++] = word->place[i].field;
		}
	}
	if (atom.field_count == 0) {
		return 0;
	}
	if (plan->atom_count >= PLAN_ATOMS_MAX) {
		return error_set(err, ERR_LIMIT, "the query has too many terms");
	}
	uint64_t bit = UINT64_C(1) << plan->atom_count;
	plan->atom[plan->atom_count++] = atom;
	plan->side_bits[side] |= bit;
	plan->term_bits[node->index] |= bit;
	if (side == SIDE_VERDICT && match->type == MATCH_GRADES &&
	    match_text(match, STR_LIT("pending"))) {
		plan->pending_bits |= bit;
	}
	return 0;
}

static int add_terms(struct plan *plan, const struct node *node, const struct plan_options *options,
		     struct error *err)
{
	if (node == NULL || node->type == NODE_ALL) {
		return 0;
	}
	if (node->type != NODE_TERM) {
		int result = add_terms(plan, node->left, options, err);
		return result != 0 ? result : add_terms(plan, node->right, options, err);
	}
	struct match match;
	int result = match_make(plan->query, node->term, &options->context, &match, err);
	static const enum side sides[] = {SIDE_STATEMENT, SIDE_REQUEST, SIDE_VERDICT};
	for (size_t i = 0; result == 0 && i < sizeof(sides) / sizeof(sides[0]); i++) {
		result = add_atom(plan, node, sides[i], &match, err);
	}
	if (result == 0 && match.type == MATCH_GRADES && (match.grades >> GRADE_U2 & 1u) != 0) {
		plan->lone_requests = true;
	}
	return result;
}

/* Narrows the bounds by the terms that every match must fulfil. */
static void narrow(struct plan *plan, const struct node *node)
{
	if (node->type == NODE_AND) {
		narrow(plan, node->left);
		narrow(plan, node->right);
		return;
	}
	if (node->type != NODE_TERM || node->term->word.place[0].field != PART_TIME ||
	    node->term->word.place[0].side != SIDE_STATEMENT) {
		return;
	}
	uint64_t bits = plan->term_bits[node->index];
	const struct match *match = &plan->atom[__builtin_ctzll(bits)].match;
	if (match->type != MATCH_RANGE) {
		return;
	}
	if (match->low > plan->from_ns) {
		plan->from_ns = match->low;
	}
	if (match->high != INT64_MAX && match->high + 1 < plan->to_ns) {
		plan->to_ns = match->high + 1;
	}
}

static bool holds(const struct plan *plan, const struct node *node, uint64_t true_atoms)
{
	switch (node->type) {
	case NODE_ALL:
		return true;
	case NODE_AND:
		return holds(plan, node->left, true_atoms) && holds(plan, node->right, true_atoms);
	case NODE_OR:
		return holds(plan, node->left, true_atoms) || holds(plan, node->right, true_atoms);
	case NODE_NOT:
		return !holds(plan, node->left, true_atoms);
	case NODE_TERM:
		return (plan->term_bits[node->index] & true_atoms) != 0;
	}
	return false;
}

bool plan_holds_tree(const struct plan *plan, uint64_t true_atoms)
{
	return holds(plan, plan->query->root, true_atoms);
}

int plan_make(const struct query *query, const struct plan_options *options, struct plan *out_plan,
	      struct error *err)
{
	struct plan *plan = out_plan;
	memset(plan, 0, sizeof(*plan));
	plan->query = query;
	plan->from_ns = options->from_ns;
	plan->to_ns = options->to_ns;
	plan->grades = options->grades != 0 ? options->grades : GRADES_ALL;
	plan->lone_requests = (options->grades >> GRADE_U2 & 1u) != 0;
	int result = add_terms(plan, query->root, options, err);
	if (result != 0) {
		return result;
	}
	narrow(plan, query->root);
	for (uint64_t atoms = 0; atoms < UINT64_C(1) << PLAN_TABLE_ATOMS; atoms++) {
		plan->table |= (uint64_t)plan_holds_tree(plan, atoms) << atoms;
	}
	return 0;
}

uint64_t plan_given_up(const struct plan *plan)
{
	uint64_t sum = 0;
	for (size_t n = 0; n < plan->query->term_count; n++) {
		uint64_t bits = plan->term_bits[n]; /* atoms of a term share its expression */
		const struct expression *expression =
			bits != 0 ? plan->atom[__builtin_ctzll(bits)].match.expression : NULL;
		sum += expression != NULL ? expression->given_up : 0;
	}
	return sum;
}

static bool field_matches(const struct match *match, unsigned field, const struct record *record,
			  uint64_t leaf)
{
	if (field == PART_TIME) {
		return match_number(match, record->time_ns);
	}
	if (field == PART_SOURCE) {
		return match_text(match, record->source);
	}
	if (field == PART_LEAF) {
		return match_number(match, (int64_t)leaf);
	}
	if (!record_has(record, field)) {
		return false;
	}
	enum field_type type = field_info(field)->type;
	if (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES) {
		return match_text(match, record_text(record, field));
	}
	return match_number(match, record_number(record, field, 0));
}

uint64_t plan_lone_atoms(const struct plan *plan, int64_t time_ns, uint64_t leaf)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < plan->atom_count; i++) {
		const struct atom *atom = &plan->atom[i];
		bool of_row = atom->field[0] == PART_TIME || atom->field[0] == PART_LEAF;
		int64_t value = atom->field[0] == PART_TIME ? time_ns : (int64_t)leaf;
		if (atom->side == SIDE_STATEMENT && of_row && match_number(&atom->match, value)) {
			bits |= UINT64_C(1) << i;
		}
	}
	return bits;
}

uint64_t plan_record_atoms(const struct plan *plan, enum side side, const struct record *record,
			   uint64_t leaf)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < plan->atom_count; i++) {
		const struct atom *atom = &plan->atom[i];
		if (atom->side != side) {
			continue;
		}
		for (size_t f = 0; f < atom->field_count; f++) {
			if (field_matches(&atom->match, atom->field[f], record, leaf)) {
				bits |= UINT64_C(1) << i;
				break;
			}
		}
	}
	return bits;
}
