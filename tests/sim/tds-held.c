#include <stdlib.h>

#include "base/hash.h"
#include "tests/sim/tds-select.h"

struct held_row {
	const struct tds_value *value; /* column_count of them, then key_count keys */
	uint64_t ordinal;              /* keeps equal rows in their order */
};

struct tds_held {
	struct tds_scope *scope;
	size_t column_count, key_count;
	const struct tds_item *order;
	bool distinct, sorted;
	struct held_row *row;
	size_t row_count, row_capacity;
	size_t *slot; /* hash table of row numbers from 1; 0: empty */
	size_t slot_count;
	struct hash_key hash_key;
};

struct tds_held *tds_held_new(struct tds_scope *scope, size_t column_count,
			      const struct tds_item *order, bool distinct)
{
	struct tds_held *held = arena_calloc(scope->arena, 1, sizeof(*held));
	if (held == NULL) {
		return NULL;
	}
	*held = (struct tds_held){
		.scope = scope, .column_count = column_count, .order = order, .distinct = distinct};
	for (; order != NULL; order = order->next) {
		held->key_count++;
	}
	held->hash_key = (struct hash_key){.k0 = 0x7164, .k1 = 0x73}; /* the world is no attacker */
	return held;
}

static bool no_memory(struct tds_held *held)
{
	tds_scope_fail(held->scope, 701, 17,
		       "There is insufficient system memory to run this query.%.*s", STR_LIT(""));
	return false;
}

static bool same_row(const struct tds_held *held, const struct tds_value *left,
		     const struct tds_value *right)
{
	for (size_t i = 0; i < held->column_count; i++) {
		if (left[i].null != right[i].null || left[i].number != right[i].number ||
		    !str_equal(left[i].text, right[i].text)) {
			return false;
		}
	}
	return true;
}

static uint64_t hash_row(const struct tds_held *held, const struct tds_value *value)
{
	uint64_t mixed = 0;
	for (size_t i = 0; i < held->column_count; i++) {
		uint64_t one = value[i].null ? 1
					     : hash_bytes(&held->hash_key, value[i].text) ^
						       (uint64_t)value[i].number;
		mixed = hash_u64(mixed ^ one);
	}
	return mixed;
}

/* The slot of a row: the one that holds its like, or the empty one where it belongs. */
static size_t *slot_of(const struct tds_held *held, const struct tds_value *value)
{
	size_t at = hash_row(held, value) & (held->slot_count - 1);
	while (held->slot[at] != 0 && !same_row(held, held->row[held->slot[at] - 1].value, value)) {
		at = (at + 1) & (held->slot_count - 1);
	}
	return &held->slot[at];
}

static bool grow_slots(struct tds_held *held)
{
	if (held->row_count * 2 < held->slot_count) {
		return true;
	}
	size_t count = held->slot_count == 0 ? 64 : held->slot_count * 2;
	held->slot = arena_calloc(held->scope->arena, count, sizeof(*held->slot));
	held->slot_count = count;
	for (size_t i = 0; i < held->row_count && held->slot != NULL; i++) {
		*slot_of(held, held->row[i].value) = i + 1;
	}
	return held->slot != NULL || no_memory(held);
}

static bool grow_rows(struct tds_held *held)
{
	if (held->row_count < held->row_capacity) {
		return true;
	}
	size_t capacity = held->row_capacity == 0 ? 64 : held->row_capacity * 2;
	struct held_row *row = arena_calloc(held->scope->arena, capacity, sizeof(*row));
	if (row == NULL) {
		return no_memory(held);
	}
	if (held->row_count > 0) {
		memcpy(row, held->row, held->row_count * sizeof(*row));
	}
	held->row = row;
	held->row_capacity = capacity;
	return true;
}

bool tds_held_add(struct tds_held *held, const struct tds_value *value, const struct tds_value *key)
{
	size_t *slot = NULL;
	if (held->distinct) {
		if (!grow_slots(held)) {
			return false;
		}
		slot = slot_of(held, value);
		if (*slot != 0) {
			return true;
		}
	}
	size_t count = held->column_count + held->key_count;
	struct tds_value *copy = arena_calloc(held->scope->arena, count + 1, sizeof(*copy));
	if (copy == NULL || !grow_rows(held)) {
		return no_memory(held);
	}
	memcpy(copy, value, held->column_count * sizeof(*copy));
	if (held->key_count > 0) {
		memcpy(copy + held->column_count, key, held->key_count * sizeof(*copy));
	}
	for (size_t i = 0; i < count; i++) {
		copy[i].text = copy[i].text.len > 0
				       ? tds_keep(held->scope, held->scope->arena, copy[i].text)
				       : STR_LIT("");
	}
	held->row[held->row_count] = (struct held_row){.value = copy, .ordinal = held->row_count};
	held->row_count++;
	if (slot != NULL) {
		*slot = held->row_count;
	}
	return !held->scope->failed;
}

/* NULL comes first. */
static int compare_keys(struct tds_scope *scope, const struct tds_value *left,
			const struct tds_value *right)
{
	if (left->null || right->null) {
		return (int)right->null - (int)left->null;
	}
	return tds_compare(scope, *left, *right);
}

static int compare_rows(const void *a, const void *b, void *owner)
{
	const struct tds_held *held = owner;
	const struct held_row *left = a;
	const struct held_row *right = b;
	size_t at = held->column_count;
	for (const struct tds_item *item = held->order; item != NULL; item = item->next) {
		int order = compare_keys(held->scope, &left->value[at], &right->value[at]);
		if (order != 0) {
			return item->descending ? -order : order;
		}
		at++;
	}
	return (left->ordinal > right->ordinal) - (left->ordinal < right->ordinal);
}

size_t tds_held_count(const struct tds_held *held)
{
	return held->row_count;
}

const struct tds_value *tds_held_row(struct tds_held *held, size_t index)
{
	if (!held->sorted && held->key_count > 0) {
		qsort_r(held->row, held->row_count, sizeof(*held->row), compare_rows, held);
	}
	held->sorted = true;
	return held->row[index].value;
}
