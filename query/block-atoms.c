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

static int room_for_hits(struct block_atoms *atoms, size_t count, struct error *err)
{
	if (count <= atoms->hit_room) {
		return 0;
	}
	uint8_t *larger = realloc(atoms->hits, count);
	if (larger == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to test %zu values", count);
	}
	atoms->hits = larger;
	atoms->hit_room = count;
	return 0;
}

static int test_codes(struct block_atoms *atoms, const struct column_test *test,
		      const struct scan_codes *codes, struct error *err)
{
	int result = room_for_hits(atoms, codes->dict_count, err);
	if (result != 0) {
		return result;
	}
	bool any = false;
	for (size_t i = 0; i < codes->dict_count; i++) {
		atoms->hits[i] = match_text(&test->atom->match, codes->dict[i]);
		any = any || atoms->hits[i] != 0;
	}
	for (size_t i = 0; any && i < test->rows.count; i++) {
		uint32_t code = codes->code[i];
		if (code != SCAN_ABSENT && atoms->hits[code] != 0) {
			set_bit(atoms, test, i);
		}
	}
	return 0;
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
	struct scan_codes codes;
	int result;
	if (field == PART_TIME || field == PART_LEAF) {
		test_part(atoms, test, field);
		return 0;
	}
	if (field == PART_SOURCE) {
		result = scan_source_of(test->block, test->kind, &codes, err);
		return result != 0 ? result : test_codes(atoms, test, &codes, err);
	}
	enum field_type type = field_info(field)->type;
	if (type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES) {
		result = scan_text_of(test->block, test->kind, (enum field)field, &codes, err);
		return result != 0 ? result : test_codes(atoms, test, &codes, err);
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
