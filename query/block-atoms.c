#include "query/block-atoms.h"

#include <stdlib.h>

enum record_kind side_kind(enum side side)
{
	switch (side) {
	case SIDE_STATEMENT:
		return RECORD_STATEMENT;
	case SIDE_REQUEST:
		return RECORD_REQUEST;
	case SIDE_VERDICT:
		return RECORD_VERDICT;
	}
	return RECORD_STATEMENT;
}

void block_atoms_done(struct block_atoms *atoms)
{
	free(atoms->bits);
	free(atoms->touched);
	free(atoms->hits);
	*atoms = (struct block_atoms){0};
}

struct column_test { /* one atom over one block */
	const struct atom *atom;
	uint64_t bit;
	enum record_kind kind;
	const struct scan_block *block;
	struct scan_rows rows; /* of that kind */
};

static inline void set_bit(struct block_atoms *atoms, const struct column_test *test, size_t i)
{
	uint32_t row = test->rows.row[i];
	if (atoms->bits[row] == 0) {
		atoms->touched[atoms->touched_count++] = row;
	}
	atoms->bits[row] |= test->bit;
}

/* No hits for count rows. */
static int clear_hits(struct block_atoms *atoms, size_t count, struct error *err)
{
	size_t words = count / 64 + 1;
	if (words > atoms->hit_room) {
		free(atoms->hits);
		atoms->hits = malloc(words * sizeof(*atoms->hits));
		atoms->hit_room = atoms->hits != NULL ? words : 0;
	}
	if (words > atoms->hit_room) {
		return error_set(err, ERR_NOMEM, "no memory to test %zu rows", count);
	}
	memset(atoms->hits, 0, words * sizeof(*atoms->hits));
	return 0;
}

static void take_hits(struct block_atoms *atoms, const struct column_test *test)
{
	for (size_t word = 0; word <= test->rows.count / 64; word++) {
		for (uint64_t left = atoms->hits[word]; left != 0; left &= left - 1) {
			set_bit(atoms, test, word * 64 + (size_t)__builtin_ctzll(left));
		}
	}
}

/* A regular expression that gives up again and again would take all day. */
static int check_expression(const struct match *match, struct error *err)
{
	const struct expression *expression = match->expression;
	if (expression == NULL || expression->given_up < EXPRESSION_GIVEN_UP_MAX) {
		return 0;
	}
	return error_set(err, ERR_LIMIT,
			 "the regular expression %.*s takes too much work: it was given up on %d "
			 "texts; repetitions within repetitions, as in (a+)+, are what costs most",
			 (int)(expression->text.len < 200 ? expression->text.len : 200),
			 expression->text.ptr, EXPRESSION_GIVEN_UP_MAX);
}

static int test_texts(struct block_atoms *atoms, const struct column_test *test, unsigned field,
		      struct error *err)
{
	struct block_needle needle;
	struct scan_field where = {test->kind, (enum field)field};
	int result = clear_hits(atoms, test->rows.count, err);
	match_needle(&test->atom->match, &needle);
	result = result != 0 ? result
			     : scan_find_text(test->block, where, &needle, atoms->hits, err);
	if (result == 0) {
		take_hits(atoms, test);
		result = check_expression(&test->atom->match, err);
	}
	return result;
}

static int test_sources(struct block_atoms *atoms, const struct column_test *test,
			struct error *err)
{
	struct scan_codes codes;
	struct block_needle needle;
	int result = clear_hits(atoms, test->rows.count, err);
	result = result != 0 ? result : scan_source_of(test->block, test->kind, &codes, err);
	if (result != 0) {
		return result;
	}
	const struct block_codes same = {codes.code, codes.dict, codes.dict_count};
	match_needle(&test->atom->match, &needle);
	if (!block_needle_in_codes(&needle, &same, test->rows.count, atoms->hits)) {
		return error_set(err, ERR_NOMEM, "no memory to test %zu values", codes.dict_count);
	}
	take_hits(atoms, test);
	return check_expression(&test->atom->match, err);
}

static void test_numbers(struct block_atoms *atoms, const struct column_test *test,
			 const int64_t *values)
{
	for (size_t i = 0; i < test->rows.count; i++) {
		if (values[i] != INT64_MIN && match_number(&test->atom->match, values[i])) {
			set_bit(atoms, test, i);
		}
	}
}

/* Times and leaves are those of every row. */
static void test_part(struct block_atoms *atoms, const struct column_test *test, unsigned part)
{
	const int64_t *times = scan_times(test->block);
	const uint64_t *leaves = scan_leaves(test->block);
	for (size_t i = 0; i < test->rows.count; i++) {
		uint32_t row = test->rows.row[i];
		int64_t value = part == PART_TIME ? times[row] : (int64_t)leaves[row];
		if (match_number(&test->atom->match, value)) {
			set_bit(atoms, test, i);
		}
	}
}

static int test_field(struct block_atoms *atoms, const struct column_test *test, unsigned field,
		      struct error *err)
{
	int result;
	if (field == PART_TIME || field == PART_LEAF) {
		test_part(atoms, test, field);
		return 0;
	}
	if (field == PART_SOURCE) {
		return test_sources(atoms, test, err);
	}
	enum field_type type = field_info(field)->type;
	if (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES) {
		return test_texts(atoms, test, field, err);
	}
	const int64_t *values;
	result = scan_number_of(test->block, test->kind, (enum field)field, &values, err);
	if (result == 0) {
		test_numbers(atoms, test, values);
	}
	return result;
}

/* All bits 0 for a block of row_count rows. */
static int begin(struct block_atoms *atoms, size_t row_count, struct error *err)
{
	for (size_t i = 0; i < atoms->touched_count; i++) {
		atoms->bits[atoms->touched[i]] = 0;
	}
	atoms->touched_count = 0;
	if (row_count <= atoms->room) {
		return 0;
	}
	free(atoms->bits);
	free(atoms->touched);
	atoms->room = 0;
	atoms->bits = calloc(row_count, sizeof(*atoms->bits));
	atoms->touched = malloc(row_count * sizeof(*atoms->touched));
	if (atoms->bits == NULL || atoms->touched == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu rows", row_count);
	}
	atoms->room = row_count;
	return 0;
}

int block_atoms_load(struct block_atoms *atoms, const struct plan *plan, unsigned kinds,
		     const struct scan_block *block, struct error *err)
{
	int result = begin(atoms, scan_row_count(block), err);
	for (size_t i = 0; result == 0 && i < plan->atom_count; i++) {
		const struct atom *atom = &plan->atom[i];
		struct column_test test = {.atom = atom,
					   .bit = UINT64_C(1) << i,
					   .kind = side_kind(atom->side),
					   .block = block};
		if ((kinds >> test.kind & 1u) == 0) {
			continue;
		}
		result = scan_rows_of(block, test.kind, &test.rows, err);
		for (size_t f = 0; result == 0 && test.rows.count > 0 && f < atom->field_count;
		     f++) {
			result = test_field(atoms, &test, atom->field[f], err);
		}
	}
	return result;
}
