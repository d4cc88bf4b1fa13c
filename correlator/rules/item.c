#include "correlator/rules/item.h"

#include <stdlib.h>

#define ITEMS_MAX (1u << 20)

void item_maker_init(struct item_maker *maker, struct ruleset *ruleset)
{
	*maker = (struct item_maker){.ruleset = ruleset};
	strmap_init(&maker->known, ITEMS_MAX);
	buf_init(&maker->content, 0);
}

void item_maker_done(struct item_maker *maker)
{
	strmap_done(&maker->known);
	buf_done(&maker->content);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "there is no memory for the rules");
}

/* Makes room for one more element. */
static bool grow(void *array, size_t *capacity, size_t count, size_t size)
{
	void **at = array;
	void *grown;
	size_t wanted = *capacity == 0 ? 256 : *capacity * 2;

	if (count < *capacity) {
		return true;
	}
	grown = reallocarray(*at, wanted, size);
	if (grown == NULL) {
		return false;
	}
	*at = grown;
	*capacity = wanted;
	return true;
}

int ruleset_slot(struct ruleset *ruleset, struct name_ref ref, uint32_t *out_slot,
		 struct error *err)
{
	for (size_t i = 0; i < ruleset->slot_count; i++) {
		if (ruleset->slots[i].kind == ref.kind && ruleset->slots[i].what == ref.what) {
			*out_slot = (uint32_t)i;
			return 0;
		}
	}
	if (!grow(&ruleset->slots, &ruleset->slot_capacity, ruleset->slot_count,
		  sizeof(*ruleset->slots))) {
		return no_memory(err);
	}
	ruleset->slots[ruleset->slot_count] = ref;
	*out_slot = (uint32_t)ruleset->slot_count++;
	return 0;
}

static int unknown_name(enum log log, struct str name, struct error *err)
{
	const char *nearest = names_nearest(log, name);

	if (nearest != NULL) {
		return error_set(err, ERR_CONFIG, "%s: no field \"%.*s\"; did you mean \"%s\"?",
				 names_log_text(log), STR_ARG(name), nearest);
	}
	return error_set(err, ERR_CONFIG, "%s: no field \"%.*s\"", names_log_text(log),
			 STR_ARG(name));
}

static int slot_of(struct item_maker *maker, struct str name, uint32_t *out_slot, struct error *err)
{
	struct name_ref ref = {NAME_TEXTS, 0};

	if (name.len != 0 && !names_find(maker->log, name, &ref)) {
		return unknown_name(maker->log, name, err);
	}
	return ruleset_slot(maker->ruleset, ref, out_slot, err);
}

/* Writes down all that makes an item what it is. */
static void put_content(struct item_maker *maker, const struct rule_item *from, uint32_t slot)
{
	struct buf *out = &maker->content;
	uint32_t head[5] = {slot, from->all, from->negated, from->cased, from->part};

	buf_clear(out);
	buf_put(out, head, sizeof(head));
	for (size_t i = 0; i < from->value_count; i++) {
		const struct rule_value *value = &from->values[i];
		bool is_glob = value->op == RULE_OP_GLOB;
		bool joined = i != 0 && value->alternative == from->values[i - 1].alternative;
		uint64_t parts[5] = {value->op, value->flags, joined,
				     is_glob ? value->glob_len : value->text.len, 0};

		memcpy(&parts[4], &value->number, sizeof(value->number));
		if (is_glob) {
			parts[4] = 0;
		}
		buf_put(out, parts, sizeof(parts));
		if (is_glob) {
			buf_put(out, value->glob, value->glob_len * sizeof(*value->glob));
		} else {
			buf_put_str(out, value->text);
		}
	}
}

static int make_regex(struct item_maker *maker, const struct rule_value *from,
		      struct item_value *value, struct error *err)
{
	struct ruleset *ruleset = maker->ruleset;
	int result;

	if (!grow(&ruleset->regexes, &ruleset->regex_capacity, ruleset->regex_count,
		  sizeof(struct regex *))) {
		return no_memory(err);
	}
	result = regex_new(from->text, from->flags, &value->regex, err);
	if (result == 0) {
		ruleset->regexes[ruleset->regex_count++] = value->regex;
	}
	return result;
}

static int make_value(struct item_maker *maker, const struct rule_item *item,
		      const struct rule_value *from, struct item_value *value, struct error *err)
{
	*value = (struct item_value){.op = from->op,
				     .flags = from->flags,
				     .alternative = from->alternative,
				     .number = from->number,
				     .text = from->text};
	switch (from->op) {
	case RULE_OP_GLOB:
		return glob_make(&(struct glob_source){from->glob, from->glob_len, !item->cased},
				 &maker->ruleset->arena, &value->glob, err);
	case RULE_OP_REGEX:
		return make_regex(maker, from, value, err);
	case RULE_OP_CIDR:
		if (!cidr_parse(from->text, &value->cidr)) {
			return error_set(err, ERR_CONFIG,
					 "cidr: \"%.*s\" is no network: an address, a slash and a "
					 "prefix, with no bits behind the prefix",
					 STR_ARG(from->text));
		}
		return 0;
	case RULE_OP_FIELDREF:
		return slot_of(maker, from->text, &value->other, err);
	case RULE_OP_LT:
	case RULE_OP_LTE:
	case RULE_OP_GT:
	case RULE_OP_GTE:
	case RULE_OP_EQUALS:
	case RULE_OP_NULL:
	case RULE_OP_EXISTS:
		break;
	}
	return 0;
}

static int make_new(struct item_maker *maker, const struct rule_item *from, struct item *item,
		    struct error *err)
{
	struct item_value *values =
		arena_calloc(&maker->ruleset->arena, from->value_count, sizeof(*values));

	if (values == NULL) {
		return no_memory(err);
	}
	for (size_t i = 0; i < from->value_count; i++) {
		int result = make_value(maker, from, &from->values[i], &values[i], err);

		if (result != 0) {
			return result;
		}
	}
	item->values = values;
	item->value_count = from->value_count;
	return 0;
}

int item_make(struct item_maker *maker, enum log log, const struct rule_item *from,
	      uint32_t *out_item, struct error *err)
{
	struct ruleset *ruleset = maker->ruleset;
	struct item item = {.part = from->part,
			    .all = from->all,
			    .negated = from->negated,
			    .cased = from->cased,
			    .field = from->field};
	const uint64_t *known;
	int result;

	maker->log = log;
	result = slot_of(maker, from->field, &item.slot, err);
	if (result != 0) {
		return result;
	}
	put_content(maker, from, item.slot);
	if (maker->content.failed) {
		return no_memory(err);
	}
	for (size_t i = 0; i < from->value_count; i++) {
		if (from->values[i].op == RULE_OP_FIELDREF) { /* the name depends on the log */
			buf_put(&maker->content, &log, sizeof(log));
		}
	}
	known = strmap_get(&maker->known, buf_str(&maker->content));
	if (known != NULL) {
		*out_item = (uint32_t)*known;
		return 0;
	}
	if (!grow(&ruleset->items, &ruleset->item_capacity, ruleset->item_count,
		  sizeof(*ruleset->items))) {
		return no_memory(err);
	}
	result = make_new(maker, from, &item, err);
	if (result == 0) {
		result = strmap_put(&maker->known, buf_str(&maker->content), ruleset->item_count);
	}
	if (result != 0) {
		return result == -ERR_CONFIG ? result : no_memory(err);
	}
	ruleset->items[ruleset->item_count] = item;
	*out_item = (uint32_t)ruleset->item_count++;
	return 0;
}

int item_cost(const struct ruleset *ruleset, const struct item *item)
{
	struct name_ref ref = ruleset->slots[item->slot];
	int cost = names_is_fact(ref)                             ? 200
		   : ref.kind == NAME_WIN && ref.what == WIN_DATA ? 100
								  : 1;

	for (size_t i = 0; i < item->value_count && cost < 100000; i++) {
		switch (item->values[i].op) {
		case RULE_OP_REGEX:
			cost += 100;
			break;
		case RULE_OP_GLOB:
			cost += item->values[i].glob.kind >= GLOB_HOLDS ? 8 : 1;
			break;
		case RULE_OP_FIELDREF:
			cost += 8;
			break;
		case RULE_OP_CIDR:
		case RULE_OP_LT:
		case RULE_OP_LTE:
		case RULE_OP_GT:
		case RULE_OP_GTE:
		case RULE_OP_EQUALS:
		case RULE_OP_NULL:
		case RULE_OP_EXISTS:
			cost += 2;
			break;
		}
	}
	return cost;
}
