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
	free(atoms->hits);
	*atoms = (struct block_atoms){0};
}

static int reserve(void **memory, size_t *room, size_t count, size_t size)
{
	if (count <= *room) {
		return 0;
	}
	void *larger = realloc(*memory, count * size);
	if (larger == NULL) {
		return -ERR_NOMEM;
	}
	*memory = larger;
	*room = count;
	return 0;
}

struct column_test { /* one field of one atom over one block */
	const struct atom *atom;
	uint64_t bit;
	uint8_t kind;
	const uint8_t *kinds;
	size_t row_count;
};

static int test_codes(struct block_atoms *atoms, const struct column_test *test,
		      const struct scan_codes *codes, struct error *err)
{
	void *hits = atoms->hits;
	if (reserve(&hits, &atoms->hit_room, codes->dict_count, 1) != 0) {
		return error_set(err, ERR_NOMEM, "no memory to test %zu values", codes->dict_count);
	}
	atoms->hits = hits;
	bool any = false;
	for (size_t i = 0; i < codes->dict_count; i++) {
		atoms->hits[i] = match_text(&test->atom->match, codes->dict[i]);
		any = any || atoms->hits[i] != 0;
	}
	for (size_t row = 0; any && row < test->row_count; row++) {
		uint32_t code = codes->code[row];
		if (code != SCAN_ABSENT && test->kinds[row] == test->kind &&
		    atoms->hits[code] != 0) {
			atoms->bits[row] |= test->bit;
		}
	}
	return 0;
}

static void test_numbers(struct block_atoms *atoms, const struct column_test *test,
			 const int64_t *values, bool always_present)
{
	for (size_t row = 0; row < test->row_count; row++) {
		if (test->kinds[row] == test->kind &&
		    (always_present || values[row] != INT64_MIN) &&
		    match_number(&test->atom->match, values[row])) {
			atoms->bits[row] |= test->bit;
		}
	}
}

static void test_leaves(struct block_atoms *atoms, const struct column_test *test, uint64_t first)
{
	for (size_t row = 0; row < test->row_count; row++) {
		if (test->kinds[row] == test->kind &&
		    match_number(&test->atom->match, (int64_t)(first + row))) {
			atoms->bits[row] |= test->bit;
		}
	}
}

static int test_field(struct block_atoms *atoms, const struct column_test *test, unsigned field,
		      const struct scan_block *block, struct error *err)
{
	struct scan_codes codes;
	int result;
	if (field == PART_TIME) {
		test_numbers(atoms, test, scan_times(block), true);
		return 0;
	}
	if (field == PART_LEAF) {
		test_leaves(atoms, test, scan_first_leaf(block));
		return 0;
	}
	if (field == PART_SOURCE) {
		result = scan_source_column(block, &codes, err);
		return result != 0 ? result : test_codes(atoms, test, &codes, err);
	}
	enum field_type type = field_info(field)->type;
	if (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES) {
		result = scan_text_column(block, (enum field)field, &codes, err);
		return result != 0 ? result : test_codes(atoms, test, &codes, err);
	}
	const int64_t *values;
	result = scan_number_column(block, (enum field)field, &values, err);
	if (result == 0) {
		test_numbers(atoms, test, values, false);
	}
	return result;
}

int block_atoms_load(struct block_atoms *atoms, const struct plan *plan,
		     const struct scan_block *block, struct error *err)
{
	size_t row_count = scan_row_count(block);
	const uint8_t *kinds = scan_kinds(block);
	void *bits = atoms->bits;
	if (reserve(&bits, &atoms->room, row_count, sizeof(uint64_t)) != 0) {
		return error_set(err, ERR_NOMEM, "no memory for %zu rows", row_count);
	}
	atoms->bits = bits;
	memset(atoms->bits, 0, row_count * sizeof(uint64_t));
	unsigned held = 0;
	for (size_t row = 0; row < row_count; row++) {
		held |= 1u << (kinds[row] & 31);
	}
	for (size_t i = 0; i < plan->atom_count; i++) {
		const struct atom *atom = &plan->atom[i];
		struct column_test test = {atom, UINT64_C(1) << i, (uint8_t)side_kind(atom->side),
					   kinds, row_count};
		if ((held >> test.kind & 1u) == 0) {
			continue;
		}
		for (size_t f = 0; f < atom->field_count; f++) {
			int result = test_field(atoms, &test, atom->field[f], block, err);
			if (result != 0) {
				return result;
			}
		}
	}
	return 0;
}
