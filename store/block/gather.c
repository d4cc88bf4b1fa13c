#include "store/block/gather.h"

#include <stdlib.h>
#include <string.h>

#define NUMBERS_DISTINCT_MAX 4096
#define FEW                  64 /* values that may all differ */
#define VARINT_ROOM          10
#define TRIAL                4096 /* values after which some must have been seen before */

static bool is_kept(const struct recipe *recipe, unsigned field)
{
	return ((recipe->present[field / 64] & ~recipe->ruled[field / 64]) >> field % 64 & 1) != 0;
}

static char *write_varint(char *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7) {
		*at++ = (char)(value | 0x80);
	}
	*at++ = (char)value;
	return at;
}

static char *write_number(char *at, int64_t number)
{
	return write_varint(at, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

static char *write_text(char *at, struct str text)
{
	at = write_varint(at, text.len);
	if (text.len > 0) {
		memcpy(at, text.ptr, text.len);
	}
	return at + text.len;
}

static uint64_t kept_fields(const struct recipe *recipe, unsigned word)
{
	return recipe->present[word] & ~recipe->ruled[word];
}

/* Room for all that a record keeps. */
static size_t room_for(const struct recipe *recipe, const struct record *record,
		       const struct recipe_fit *fit)
{
	size_t room = VARINT_ROOM + record->key.len;
	for (unsigned word = 0; word < 2; word++) {
		for (uint64_t left = kept_fields(recipe, word); left != 0; left &= left - 1) {
			unsigned field = word * 64 + (unsigned)__builtin_ctzll(left);
			bool is_text = field_info(field)->type <= FIELD_TYPE_BYTES;
			room += VARINT_ROOM + (is_text ? record->value[field].text.len : 0);
		}
	}
	for (size_t i = 0; i < recipe->slot_count; i++) {
		room += VARINT_ROOM + (recipe->slots[i].is_number ? 0 : fit->slot[i].text.len);
	}
	return room;
}

void gather_put(const struct recipe *recipe, const struct record *record,
		const struct recipe_fit *fit, struct buf *out)
{
	if (buf_reserve(out, room_for(recipe, record, fit)) < 0) {
		return;
	}
	char *at = out->ptr + out->len;
	for (unsigned word = 0; word < 2; word++) {
		for (uint64_t left = kept_fields(recipe, word); left != 0; left &= left - 1) {
			unsigned field = word * 64 + (unsigned)__builtin_ctzll(left);
			const union field_value *value = &record->value[field];
			at = field_info(field)->type <= FIELD_TYPE_BYTES
				     ? write_text(at, value->text)
				     : write_number(at, value->number);
		}
	}
	for (size_t i = 0; i < recipe->slot_count; i++) {
		at = recipe->slots[i].is_number ? write_number(at, fit->slot[i].number)
						: write_text(at, fit->slot[i].text);
	}
	if (!recipe->makes_key) {
		at = write_text(at, record->key);
	}
	out->len = (size_t)(at - out->ptr);
	*at = '\0';
}

/* Whether values are still worth counting after so many of them. */
static bool is_repeated(const struct gathered *column)
{
	size_t seen = column->count, distinct = column->distinct;
	return seen < TRIAL || (distinct * 4 <= seen * 3 &&
				(!column->column.is_number || distinct <= NUMBERS_DISTINCT_MAX));
}

/* The values of a column are no longer counted, and stay what they are. */
static void end_counting(struct gathered *column)
{
	if (column->is_counted && column->column.is_number) {
		u64map_done(&column->number_set);
	} else if (column->is_counted) {
		wordset_done(&column->text_set);
	}
	column->is_counted = false;
}

static void forget_distinct(struct gathered *column)
{
	end_counting(column);
	free(column->codes);
	free(column->firsts);
	column->codes = NULL;
	column->firsts = NULL;
}

static void begin_counting(struct gathered *column)
{
	column->is_counted = column->column.what != FIELD_statement;
	if (column->is_counted && column->column.is_number) {
		u64map_init(&column->number_set, NUMBERS_DISTINCT_MAX + TRIAL + 2);
	} else if (column->is_counted) {
		wordset_init(&column->text_set);
	}
}

static int code_text(struct gathered *column, struct str text, uint32_t *out_code)
{
	uint32_t before = column->count > 0 ? column->codes[column->count - 1] : 0;
	if (column->count > 0 && str_equal(wordset_text(&column->text_set, before), text)) {
		*out_code = before;
		return 0;
	}
	return wordset_code(&column->text_set, text, out_code);
}

static int code_number(struct gathered *column, int64_t number, uint32_t *out_code)
{
	const uint64_t *known = u64map_get(&column->number_set, (uint64_t)number);
	*out_code = known != NULL ? (uint32_t)*known : (uint32_t)column->distinct;
	return known != NULL ? 0 : u64map_put(&column->number_set, (uint64_t)number, *out_code);
}

/* Counts the value that comes next. While a row is in the cache this costs least. */
static int count_value(struct gathered *column)
{
	size_t i = column->count;
	uint32_t *code = &column->codes[i];
	if (!is_repeated(column)) {
		forget_distinct(column);
		return 0;
	}
	int rc = column->column.is_number ? code_number(column, column->numbers[i], code)
					  : code_text(column, column->texts[i], code);
	if (rc == -ERR_LIMIT) {
		forget_distinct(column);
		return 0;
	}
	if (rc == 0 && *code == column->distinct) {
		column->firsts[column->distinct++] = (uint32_t)i;
	}
	return rc;
}

int gather_init(struct gather *gather, struct layout *layout)
{
	size_t count = recipes_count(layout->recipes);
	*gather = (struct gather){.layout = layout};
	gather->first_of = malloc((count + 1) * sizeof gather->first_of[0]);
	gather->columns = calloc(LAYOUT_COLUMNS_MAX, sizeof gather->columns[0]);
	if (gather->first_of == NULL || gather->columns == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		gather->first_of[i] = -1;
	}
	return 0;
}

void gather_done(struct gather *gather)
{
	for (size_t i = 0; i < gather->count; i++) {
		forget_distinct(&gather->columns[i]);
		free(gather->columns[i].rows);
		free(gather->columns[i].texts);
		free(gather->columns[i].numbers);
	}
	free(gather->columns);
	free(gather->first_of);
	free(gather->list);
	*gather = (struct gather){0};
}

/* Adds a column to the list of the recipe's, making it when it is new. */
static int list_column(struct gather *gather, const struct layout_column *wanted)
{
	size_t i = 0;
	while (i < gather->count && (gather->columns[i].column.what != wanted->what ||
				     gather->columns[i].column.name != wanted->name ||
				     gather->columns[i].column.is_number != wanted->is_number)) {
		i++;
	}
	if (i == LAYOUT_COLUMNS_MAX) {
		return -ERR_LIMIT;
	}
	if (gather->list_count == gather->list_room) {
		size_t room = gather->list_room > 0 ? 2 * gather->list_room : 256;
		uint32_t *list = realloc(gather->list, room * sizeof list[0]);
		if (list == NULL) {
			return -ERR_NOMEM;
		}
		gather->list = list;
		gather->list_room = room;
	}
	if (i == gather->count) {
		gather->columns[i].column = *wanted;
		begin_counting(&gather->columns[i]);
		gather->count++;
	}
	gather->list[gather->list_count++] = (uint32_t)i;
	return 0;
}

static int list_columns(struct gather *gather, uint32_t number)
{
	const struct recipe *recipe = recipes_at(gather->layout->recipes, number);
	struct layout_column column = {
		.kind = recipe->kind, .given = LAYOUT_NONE, .base = LAYOUT_NONE};
	int rc = 0;
	gather->first_of[number] = (int32_t)gather->list_count;
	for (unsigned field = 1; rc == 0 && field < FIELD_LIMIT; field++) {
		if (is_kept(recipe, field)) {
			column.what = (uint16_t)field;
			column.is_number = field_info(field)->type > FIELD_TYPE_BYTES;
			rc = list_column(gather, &column);
		}
	}
	for (size_t i = 0; rc == 0 && i < recipe->slot_count; i++) {
		column.what = LAYOUT_WHAT_SLOT;
		column.is_number = recipe->slots[i].is_number;
		column.name = recipe->slots[i].name;
		rc = list_column(gather, &column);
	}
	if (rc == 0 && !recipe->makes_key) {
		column.what = LAYOUT_WHAT_KEY;
		column.is_number = false;
		column.name = 0;
		rc = list_column(gather, &column);
	}
	return rc;
}

static bool grow(struct gathered *column)
{
	if (column->count < column->room) {
		return true;
	}
	size_t room = column->room > 0 ? 2 * column->room : 64;
	uint32_t *rows = realloc(column->rows, room * sizeof rows[0]);
	if (rows == NULL) {
		return false;
	}
	column->rows = rows;
	if (column->column.is_number) {
		int64_t *numbers = realloc(column->numbers, room * sizeof numbers[0]);
		if (numbers == NULL) {
			return false;
		}
		column->numbers = numbers;
	} else {
		struct str *texts = realloc(column->texts, room * sizeof texts[0]);
		if (texts == NULL) {
			return false;
		}
		column->texts = texts;
	}
	if (column->is_counted) {
		uint32_t *codes = realloc(column->codes, room * sizeof codes[0]);
		if (codes == NULL) {
			return false;
		}
		column->codes = codes;
		uint32_t *firsts = realloc(column->firsts, room * sizeof firsts[0]);
		if (firsts == NULL) {
			return false;
		}
		column->firsts = firsts;
	}
	column->room = room;
	return true;
}

int gather_row(struct gather *gather, uint32_t row, uint32_t number, struct str bytes)
{
	struct wire_reader reader = wire_reader(bytes);
	if (gather->first_of[number] < 0) {
		int rc = list_columns(gather, number);
		if (rc < 0) {
			return rc;
		}
	}
	for (size_t i = (size_t)gather->first_of[number]; wire_left(&reader) > 0; i++) {
		struct gathered *column = &gather->columns[gather->list[i]];
		if (!grow(column)) {
			return -ERR_NOMEM;
		}
		column->rows[column->count] = row;
		if (column->column.is_number) {
			column->numbers[column->count] = wire_zigzag(&reader);
		} else {
			struct str text = wire_block(&reader, RECORD_MAX_BYTES);
			column->texts[column->count] = text.len > 0 ? text : STR_LIT("");
		}
		int rc = column->is_counted ? count_value(column) : 0;
		if (rc < 0) {
			return rc;
		}
		column->count++;
	}
	return 0;
}

void gather_distinct(struct gather *gather)
{
	for (size_t i = 0; i < gather->count; i++) {
		struct gathered *column = &gather->columns[i];
		end_counting(column);
		if (!column->column.is_number && column->distinct * 2 > column->count &&
		    column->count > FEW) {
			forget_distinct(column);
		}
	}
}

const struct gathered *gather_field(const struct gather *gather, unsigned field)
{
	for (size_t i = 0; i < gather->count; i++) {
		if (gather->columns[i].column.what == field) {
			return &gather->columns[i];
		}
	}
	return NULL;
}

struct str gathered_text(const struct gathered *column, uint32_t row)
{
	size_t low = 0, high = column->count;
	if (row < column->count && column->rows[row] == row) {
		return column->texts[row];
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (column->rows[middle] < row) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < column->count && column->rows[low] == row ? column->texts[low]
							       : (struct str){NULL, 0};
}
