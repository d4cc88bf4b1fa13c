#include "store/block/layout.h"

#include "store/block/recipe-set.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS    INT64_C(1000000)
#define DURATION_MAX INT64_C(100000000) /* ms; a longer one says nothing of the next statement */
#define PLACES       15u
#define PLACE_FACTOR 16u

bool layout_has(const struct layout *layout, const struct layout_column *column, uint32_t recipe)
{
	const struct recipe *about = recipes_at(layout->recipes, recipe);
	if (about->kind != column->kind) {
		return false;
	}
	if (column->what == LAYOUT_WHAT_KEY) {
		return !about->makes_key;
	}
	if (column->what < LAYOUT_WHAT_SLOT) {
		uint64_t kept =
			about->present[column->what / 64] & ~about->ruled[column->what / 64];
		return (kept >> column->what % 64 & 1) != 0;
	}
	for (size_t i = 0; i < about->slot_count; i++) {
		if (about->slots[i].name == column->name &&
		    about->slots[i].is_number == column->is_number) {
			return true;
		}
	}
	return false;
}

size_t layout_rows(const struct layout *layout, const struct layout_column *column,
		   uint32_t *out_rows)
{
	struct block_run run = layout->runs[column->kind];
	size_t count = 0;
	uint32_t known = UINT32_MAX;
	bool has = false;
	for (uint32_t i = 0; i < run.count; i++) {
		uint32_t recipe = layout->recipe_of[run.first + i];
		if (recipe != known) {
			known = recipe;
			has = layout_has(layout, column, recipe);
		}
		out_rows[count] = i;
		count += has ? 1 : 0;
	}
	return count;
}

static uint32_t code_at(const struct layout_column *column, const struct layout *layout,
			uint32_t row)
{
	struct block_run run = layout->runs[column->kind];
	return column->code != NULL && row - run.first < run.count ? column->code[row - run.first]
								   : UINT32_MAX;
}

bool layout_context(const struct layout *layout, const struct layout_given *given,
		    const uint32_t *rows, size_t count, uint32_t *out_context)
{
	uint32_t first = layout->runs[given->kind].first;
	uint32_t before = UINT32_MAX, place = 0, last = 0;
	const struct layout_column *column =
		given->given < layout->count ? &layout->columns[given->given] : NULL;
	switch ((enum layout_context)given->context) {
	case LAYOUT_GIVEN_NOTHING:
	case LAYOUT_BY_LEAF:
		return false;
	case LAYOUT_GIVEN_COLUMN:
		for (size_t i = 0; i < count; i++) {
			out_context[i] = code_at(column, layout, first + rows[i]);
		}
		return true;
	case LAYOUT_GIVEN_PARENT:
		for (size_t i = 0; i < count; i++) {
			out_context[i] = layout->parents[first + rows[i]];
		}
		return true;
	case LAYOUT_GIVEN_PARENT_COLUMN:
		for (size_t i = 0; i < count; i++) {
			out_context[i] = code_at(column, layout, layout->parents[first + rows[i]]);
		}
		return true;
	case LAYOUT_GIVEN_PLACE:
		for (size_t i = 0; i < count; i++) {
			uint32_t parent = layout->parents[first + rows[i]];
			place = i > 0 && parent == before ? place + (rows[i] - last) : 0;
			before = parent;
			last = rows[i];
			out_context[i] = code_at(column, layout, parent) * PLACE_FACTOR +
					 (parent == BLOCK_NO_ROW ? 0
					  : place < PLACES       ? place
								 : PLACES);
		}
		return true;
	}
	return false;
}

#define DIGIT_BITS 12
#define DIGITS     (1u << DIGIT_BITS)

/* A row and what it is sorted by, side by side. */
struct sorted {
	uint64_t key;
	uint32_t row;
};

/* One pass of a radix sort by the digit at shift. */
static void sort_pass(const struct sorted *from, size_t count, unsigned shift, struct sorted *to)
{
	uint32_t next[DIGITS] = {0};
	uint32_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		next[from[i].key >> shift & (DIGITS - 1)]++;
	}
	for (size_t d = 0; d < DIGITS; d++) {
		uint32_t here = next[d];
		next[d] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++) {
		to[next[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
	}
}

bool layout_sort(const uint64_t *keys, uint32_t *rows, size_t count)
{
	uint64_t least = UINT64_MAX, most = 0;
	bool is_sorted = true;
	for (size_t i = 0; i < count; i++) {
		uint64_t key = keys[rows[i]];
		is_sorted = is_sorted && key >= most;
		least = key < least ? key : least;
		most = key > most ? key : most;
	}
	if (is_sorted) {
		return true;
	}
	struct sorted *room = malloc(2 * count * sizeof room[0]);
	if (room == NULL) {
		return false;
	}
	struct sorted *from = room, *to = room + count;
	for (size_t i = 0; i < count; i++) {
		from[i] = (struct sorted){keys[rows[i]] - least, rows[i]};
	}
	for (unsigned shift = 0; shift < 64 && (most - least) >> shift != 0; shift += DIGIT_BITS) {
		sort_pass(from, count, shift, to);
		struct sorted *swap = from;
		from = to;
		to = swap;
	}
	for (size_t i = 0; i < count; i++) {
		rows[i] = from[i].row;
	}
	free(room);
	return true;
}

bool layout_leaf_order(const struct layout *layout, uint8_t kind, unsigned order,
		       uint32_t *out_rows)
{
	struct block_run run = layout->runs[kind];
	uint64_t *keys = malloc(((size_t)run.count + 1) * sizeof keys[0]);
	if (keys == NULL) {
		return false;
	}
	for (uint32_t i = 0; i < run.count; i++) {
		uint32_t parent = layout->parents[run.first + i];
		out_rows[i] = i;
		switch (order) {
		case LAYOUT_LEAVES_BY_TIME:
			keys[i] = (uint64_t)layout->times[run.first + i] ^ UINT64_C(1) << 63;
			break;
		case LAYOUT_LEAVES_BY_PARENT:
			keys[i] = parent != BLOCK_NO_ROW ? layout->leaves[parent] : UINT64_MAX;
			break;
		default:
			keys[i] = i;
			break;
		}
	}
	bool done = layout_sort(keys, out_rows, run.count);
	free(keys);
	return done;
}

uint32_t layout_time_bucket(const struct layout *layout, uint32_t row)
{
	uint32_t parent = layout->parents[row];
	if (parent == BLOCK_NO_ROW) {
		return 2;
	}
	return row > layout->runs[RECORD_STATEMENT].first && layout->parents[row - 1] == parent;
}

int64_t layout_expected_time(const struct layout *layout, uint32_t row, const int64_t *durations)
{
	struct block_run run = layout->runs[RECORD_STATEMENT];
	uint32_t parent = layout->parents[row];
	if (row - run.first >= run.count) {
		return 0;
	}
	if (row == run.first || layout->parents[row - 1] != parent) {
		return parent != BLOCK_NO_ROW ? layout->times[parent] : 0;
	}
	int64_t duration =
		durations != NULL && parent != BLOCK_NO_ROW ? durations[row - 1 - run.first] : 0;
	bool says = duration > 0 && duration < DURATION_MAX;
	return (int64_t)((uint64_t)layout->times[row - 1] +
			 (says ? (uint64_t)(duration * NS_PER_MS) : 0));
}

void layout_save(const struct layout *layout, struct buf *out)
{
	wire_put_varint(out, layout->count);
	for (size_t i = 0; i < layout->count; i++) {
		const struct layout_column *column = &layout->columns[i];
		wire_put_u8(out, column->kind);
		wire_put_u8(out, column->coding);
		wire_put_u8(out, column->context);
		wire_put_u8(out, column->is_number ? 1 : 0);
		wire_put_varint(out, column->what);
		wire_put_varint(out, column->given);
		wire_put_varint(out, column->base);
		if (column->what == LAYOUT_WHAT_SLOT) {
			wire_put_block(out, recipes_name(layout->recipes, column->name));
		}
	}
}

static bool coding_fits(const struct layout_column *column)
{
	switch ((enum layout_coding)column->coding) {
	case LAYOUT_WORDS_RANKS:
	case LAYOUT_TEXTS:
	case LAYOUT_TSQL:
		return !column->is_number && column->context != LAYOUT_BY_LEAF;
	case LAYOUT_LIST_RANKS:
		return column->is_number && column->context != LAYOUT_BY_LEAF;
	case LAYOUT_INTS:
		return column->is_number;
	}
	return false;
}

/* What a column holds must fit the kind, the type and the columns before it. */
static bool column_fits(const struct layout *layout, const struct layout_column *column)
{
	if (column->kind == 0 || column->kind >= RECORD_KIND_COUNT || !coding_fits(column) ||
	    column->what > LAYOUT_WHAT_SLOT || column->context >= LAYOUT_CONTEXTS) {
		return false;
	}
	if (column->what == LAYOUT_WHAT_KEY) {
		return !column->is_number;
	}
	if (column->what < LAYOUT_WHAT_SLOT) {
		const struct field_info *info = field_info(column->what);
		return info->name != NULL && (info->type > FIELD_TYPE_BYTES) == column->is_number;
	}
	for (size_t i = 0; i < layout->count; i++) {
		const struct layout_column *other = &layout->columns[i];
		if (other->what == column->what && other->kind == column->kind &&
		    other->name == column->name && other->is_number == column->is_number) {
			return false;
		}
	}
	return true;
}

/* Columns that it refers to stand before it, and are of the kind that the context needs. */
static bool references_fit(const struct layout *layout, const struct layout_column *column)
{
	const struct layout_column *given =
		column->given < layout->count ? &layout->columns[column->given] : NULL;
	switch ((enum layout_context)column->context) {
	case LAYOUT_GIVEN_NOTHING:
	case LAYOUT_GIVEN_PARENT:
	case LAYOUT_BY_LEAF:
		break;
	case LAYOUT_GIVEN_COLUMN:
		if (given == NULL || given->kind != column->kind || given->coding == LAYOUT_INTS) {
			return false;
		}
		break;
	case LAYOUT_GIVEN_PARENT_COLUMN:
	case LAYOUT_GIVEN_PLACE:
		if (given == NULL || given->kind >= column->kind || given->coding == LAYOUT_INTS) {
			return false;
		}
		break;
	}
	const struct layout_column *base =
		column->base < layout->count ? &layout->columns[column->base] : NULL;
	return column->base == LAYOUT_NONE || (column->coding == LAYOUT_INTS && base != NULL &&
					       base->kind == column->kind && base->is_number);
}

static bool read_column(struct layout *layout, struct recipes *recipes, struct wire_reader *reader)
{
	struct layout_column column = {0};
	column.kind = wire_u8(reader);
	column.coding = wire_u8(reader);
	column.context = wire_u8(reader);
	uint8_t is_number = wire_u8(reader);
	uint64_t what = wire_varint(reader);
	uint64_t given = wire_varint(reader);
	uint64_t base = wire_varint(reader);
	column.is_number = is_number != 0;
	column.what = (uint16_t)what;
	column.given = (uint16_t)given;
	column.base = (uint16_t)base;
	if (reader->failed || is_number > 1 || what > LAYOUT_WHAT_SLOT || given > UINT16_MAX ||
	    base > UINT16_MAX) {
		return false;
	}
	if (what == LAYOUT_WHAT_SLOT) {
		column.name = recipes_name_number(recipes, wire_block(reader, RECORD_MAX_BYTES));
	}
	if (reader->failed || column.name == UINT32_MAX || !column_fits(layout, &column) ||
	    !references_fit(layout, &column)) {
		return false;
	}
	layout->columns[layout->count++] = column;
	return true;
}

int layout_load(struct layout *layout, struct recipes *recipes, struct str bytes)
{
	struct wire_reader reader = wire_reader(bytes);
	uint64_t count = wire_varint(&reader);
	if (reader.failed || count > LAYOUT_COLUMNS_MAX || count > bytes.len) {
		return -ERR_CORRUPT;
	}
	layout->columns = calloc(count + 1, sizeof layout->columns[0]);
	if (layout->columns == NULL) {
		return -ERR_NOMEM;
	}
	for (uint64_t i = 0; i < count; i++) {
		if (!read_column(layout, recipes, &reader)) {
			return recipes->failed ? -ERR_NOMEM : -ERR_CORRUPT;
		}
	}
	return wire_left(&reader) != 0 ? -ERR_CORRUPT : 0;
}
