#include "correlator/rules/need.h"

#include "base/utf8.h"
#include "correlator/rules/fold.h"
#include "correlator/rules/regexliteral.h"

#define ATOMS_MAX         65536
#define REGEX_LITERAL_MIN 3

/* How much a byte says: what is frequent in statements and addresses says little. */
static int weight(uint8_t byte)
{
	static const char frequent[] = "etaoinrs";
	static const char rare[] = "jkqvwxyz";

	if (byte >= 0x80 || byte < ' ') {
		return 5;
	}
	if (byte == ' ') {
		return 1;
	}
	if (memchr(frequent, byte, sizeof(frequent) - 1) != NULL) {
		return 2;
	}
	if (memchr(rare, byte, sizeof(rare) - 1) != NULL) {
		return 4;
	}
	return byte >= 'a' && byte <= 'z' ? 3 : 4;
}

static int weigh(struct str text)
{
	int sum = 0;

	for (size_t i = 0; i < text.len; i++) {
		sum += weight((uint8_t)text.ptr[i]);
	}
	return sum;
}

/* The part of a literal that says most. */
static struct str best_part(struct str literal)
{
	struct str part = str_slice(literal, 0, NEED_LITERAL_MAX);
	int sum = weigh(part);
	int best = sum;
	size_t start = 0;

	for (size_t i = NEED_LITERAL_MAX; i < literal.len; i++) {
		sum += weight((uint8_t)literal.ptr[i]) -
		       weight((uint8_t)literal.ptr[i - NEED_LITERAL_MAX]);
		if (sum > best) {
			best = sum;
			start = i + 1 - NEED_LITERAL_MAX;
		}
	}
	return str_slice(literal, start, NEED_LITERAL_MAX);
}

/* What it costs to look at a slot for each event, and how little constants say. */
static int slot_penalty(struct name_ref ref)
{
	switch (ref.kind) {
	case NAME_FACT:
	case NAME_TEXTS:
		return 15;
	case NAME_WIN:
		return ref.what == WIN_DATA ? 8 : 100;
	case NAME_AWS:
	case NAME_PART:
		return 10;
	case NAME_WEB:
	case NAME_REQUEST_EXTRA:
	case NAME_STATEMENT_EXTRA:
		return 2;
	case NAME_STATEMENT_FIELD:
	case NAME_VERDICT_FIELD:
	case NAME_REQUEST_FIELD:
	case NAME_OTHER_FIELD:
	case NAME_ANY_FIELD:
	case NAME_NEVER:
		break;
	}
	return 0;
}

/* The literal folded; false when it is not certain that a folded text holds it. */
static bool fold_literal(struct ruleset *ruleset, bool cased, struct str *literal)
{
	char *folded;

	if (!cased) {
		return literal->len != 0;
	}
	folded = arena_alloc(&ruleset->arena, literal->len);
	if (folded == NULL || literal->len == 0 || utf8_invalid(*literal) >= 0) {
		return false;
	}
	*literal = str_make(folded, fold_text(*literal, folded));
	return true;
}

/* The text that every match of a regular expression holds, folded; false when it says too little. */
static bool regex_literal(struct ruleset *ruleset, struct str pattern, struct str *out_text)
{
	char *bytes = arena_alloc(&ruleset->arena, pattern.len);
	size_t len = bytes != NULL ? regexliteral_find(pattern, bytes) : 0;

	if (len < REGEX_LITERAL_MIN) {
		return false;
	}
	*out_text = best_part(str_make(bytes, fold_text(str_make(bytes, len), bytes)));
	return true;
}

/* The atom that a value of an item needs; false when there is none. */
static bool value_atom(struct ruleset *ruleset, const struct item *item,
		       const struct item_value *value, struct atom *out_atom)
{
	*out_atom = (struct atom){.slot = item->slot};
	if (value->op == RULE_OP_EQUALS && item->part == RULE_PART_NONE) {
		out_atom->kind = ATOM_NUMBER;
		out_atom->number = value->number == 0 ? 0 : value->number; /* -0 is 0 */
		return true;
	}
	if (value->op == RULE_OP_REGEX && item->part == RULE_PART_NONE) {
		out_atom->kind = ATOM_LITERAL;
		return regex_literal(ruleset, value->text, &out_atom->text);
	}
	if (value->op != RULE_OP_GLOB || value->glob.kind == GLOB_ANY ||
	    item->part != RULE_PART_NONE) {
		return false;
	}
	out_atom->text = value->glob.literal;
	if (!fold_literal(ruleset, item->cased, &out_atom->text)) {
		return false;
	}
	if (value->glob.kind == GLOB_WHOLE) {
		out_atom->kind = ATOM_TEXT;
		return true;
	}
	out_atom->kind = ATOM_LITERAL;
	out_atom->text = best_part(out_atom->text);
	return true;
}

static int score(const struct ruleset *ruleset, const struct atom *atom)
{
	int penalty = slot_penalty(ruleset->slots[atom->slot]);

	switch (atom->kind) {
	case ATOM_NUMBER:
		return 6 - penalty;
	case ATOM_TEXT:
		return 4 + weigh(str_slice(atom->text, 0, NEED_LITERAL_MAX)) - penalty;
	case ATOM_LITERAL:
		break;
	}
	return weigh(atom->text) - penalty;
}

/* The score of a set: of its most frequent member, less for each doubling of their number. */
static void rate(const struct ruleset *ruleset, struct need *need)
{
	need->score = INT32_MAX;
	for (size_t i = 0; i < need->atom_count; i++) {
		int of_atom = score(ruleset, &need->atoms[i]);

		need->score = of_atom < need->score ? of_atom : need->score;
	}
	for (size_t count = need->atom_count; count > 1; count /= 2) {
		need->score--;
	}
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "there is no memory for the rules");
}

/* What the values from..to need, of which one has to match. */
static bool need_one(struct ruleset *ruleset, const struct item *item, struct need *need,
		     struct atom *atoms)
{
	for (size_t i = 0; i < need->atom_count; i++) {
		if (!value_atom(ruleset, item, &item->values[i], &atoms[i])) {
			return false;
		}
	}
	need->atoms = atoms;
	rate(ruleset, need);
	return true;
}

int need_of_item(struct ruleset *ruleset, const struct item *item, struct need *out_need,
		 struct error *err)
{
	struct need best = {NULL, 0, 0};
	struct atom *atoms;
	size_t from = 0;

	*out_need = best;
	if (item->negated || item->value_count == 0 || item->value_count > ATOMS_MAX) {
		return 0;
	}
	atoms = arena_calloc(&ruleset->arena, item->value_count, sizeof(*atoms));
	if (atoms == NULL) {
		return no_memory(err);
	}
	while (from < item->value_count) {
		struct need need = {.atom_count = 1};
		struct item rest = *item;

		rest.values += from;
		while (from + need.atom_count < item->value_count &&
		       (!item->all || item->values[from + need.atom_count].alternative ==
					      item->values[from].alternative)) {
			need.atom_count++;
		}
		if (need_one(ruleset, &rest, &need, atoms + from) &&
		    (best.atoms == NULL || need.score > best.score)) {
			best = need;
		}
		from += need.atom_count;
	}
	*out_need = best;
	return 0;
}

static int need_any(struct ruleset *ruleset, const struct tree *tree, struct need *out_need,
		    struct error *err)
{
	struct atom *atoms;
	size_t count = 0;
	size_t at = 0;

	for (size_t i = 0; i < tree->child_count; i++) {
		if (tree->children[i]->need.atoms == NULL) {
			return 0;
		}
		count += tree->children[i]->need.atom_count;
	}
	if (tree->child_count == 1) {
		*out_need = tree->children[0]->need;
		return 0;
	}
	if (count > ATOMS_MAX) {
		return 0;
	}
	atoms = arena_calloc(&ruleset->arena, count, sizeof(*atoms));
	if (atoms == NULL) {
		return no_memory(err);
	}
	for (size_t i = 0; i < tree->child_count; i++) {
		const struct need *need = &tree->children[i]->need;

		memcpy(atoms + at, need->atoms, need->atom_count * sizeof(*atoms));
		at += need->atom_count;
	}
	*out_need = (struct need){.atoms = atoms, .atom_count = count};
	rate(ruleset, out_need);
	return 0;
}

int need_of_tree(struct ruleset *ruleset, const struct tree *tree, struct need *out_need,
		 struct error *err)
{
	*out_need = (struct need){NULL, 0, 0};
	switch (tree->type) {
	case RULE_ITEM:
		return need_of_item(ruleset, &ruleset->items[tree->item], out_need, err);
	case RULE_NOT:
		return 0;
	case RULE_OR:
		return need_any(ruleset, tree, out_need, err);
	case RULE_AND:
		break;
	}
	for (size_t i = 0; i < tree->child_count; i++) {
		const struct need *need = &tree->children[i]->need;

		if (need->atoms != NULL &&
		    (out_need->atoms == NULL || need->score > out_need->score)) {
			*out_need = *need;
		}
	}
	return 0;
}
