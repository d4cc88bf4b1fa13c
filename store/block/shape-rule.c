#include "store/block/shape-rule.h"

static bool has_subject(const struct shape_links *links)
{
	return links->subject_id != NULL && links->subject_leaf <= INT64_MAX;
}

static bool on_statement(const struct shape_links *links)
{
	return links->subject_kind == RECORD_STATEMENT;
}

/* What a rule says of a leaf; UINT64_MAX: nothing. */
static uint64_t leaf_of(unsigned rule, const struct shape_links *links)
{
	if (rule == RULE_STATEMENT_LEAF) {
		return on_statement(links) ? links->subject_leaf : UINT64_MAX;
	}
	return on_statement(links) ? links->request_leaf : links->subject_leaf;
}

static bool leaf_fits(unsigned rule, const struct record *record, const struct shape_links *links)
{
	unsigned field = rule == RULE_STATEMENT_LEAF ? FIELD_statement_leaf : FIELD_request_leaf;
	uint64_t leaf = leaf_of(rule, links);
	if (record->kind != RECORD_VERDICT || !has_subject(links)) {
		return false;
	}
	if (leaf > INT64_MAX) {
		return leaf == UINT64_MAX && !record_has(record, field);
	}
	return record_has(record, field) && record->value[field].number == (int64_t)leaf;
}

static bool table_fits(const struct record *record)
{
	struct str schema = record_text(record, FIELD_schema);
	struct str object = record_text(record, FIELD_object);
	if (schema.len == 0 || object.len == 0) {
		return !record_has(record, FIELD_table);
	}
	struct str table = record_text(record, FIELD_table);
	return table.len == schema.len + 1 + object.len && str_has_prefix(table, schema) &&
	       table.ptr[schema.len] == '.' && str_has_suffix(table, object);
}

static bool id_fits(const struct record *record, const struct shape_links *links)
{
	if (record->kind == RECORD_VERDICT) {
		return has_subject(links) &&
		       (on_statement(links)
				? record_has(record, FIELD_statement_id) &&
					  str_is(record_text(record, FIELD_statement_id),
						 links->subject_id)
				: !record_has(record, FIELD_statement_id));
	}
	char id[RECORD_ID_DIGITS + 1];
	if (record->kind != RECORD_STATEMENT || !record_has(record, FIELD_statement_id)) {
		return false;
	}
	record_stable_id(record->source, record->key, id);
	return str_is(record_text(record, FIELD_statement_id), id);
}

bool rule_fits(unsigned rule, const struct record *record, const struct shape_links *links)
{
	switch (rule) {
	case RULE_TABLE:
		return record->kind == RECORD_STATEMENT && table_fits(record);
	case RULE_STATEMENT_ID:
		return id_fits(record, links);
	case RULE_STATEMENT_LEAF:
	case RULE_REQUEST_LEAF:
		return leaf_fits(rule, record, links);
	case RULE_TIME:
		return record->kind == RECORD_VERDICT && has_subject(links) &&
		       record->time_ns == links->subject_time_ns;
	default:
		return true;
	}
}

static bool render_table(struct rendering *rendering)
{
	struct record *record = rendering->record;
	struct str schema = record_text(record, FIELD_schema);
	struct str object = record_text(record, FIELD_object);
	if (schema.len == 0 || object.len == 0) {
		return true;
	}
	size_t len = schema.len + 1 + object.len;
	char *table = arena_alloc(rendering->arena, len);
	if (table == NULL) {
		return false;
	}
	memcpy(table, schema.ptr, schema.len);
	table[schema.len] = '.';
	memcpy(table + schema.len + 1, object.ptr, object.len);
	record_set_text(record, FIELD_table, str_make(table, len));
	return true;
}

static void render_leaf(struct rendering *rendering, unsigned rule, unsigned field)
{
	uint64_t leaf = leaf_of(rule, rendering->links);
	if (leaf <= INT64_MAX) {
		record_set_number(rendering->record, field, (int64_t)leaf);
	}
}

bool rules_render(const struct recipe *recipe, struct rendering *rendering)
{
	const struct shape_links *links = rendering->links;
	unsigned of_subject = RULE_STATEMENT_LEAF | RULE_REQUEST_LEAF | RULE_TIME;
	bool verdict = recipe->kind == RECORD_VERDICT;
	if (verdict && (recipe->rules & (of_subject | RULE_STATEMENT_ID)) != 0 &&
	    !has_subject(links)) {
		rendering->wrong = true;
		return true;
	}
	if ((recipe->rules & RULE_TIME) != 0) {
		rendering->record->time_ns = links->subject_time_ns;
	}
	if ((recipe->rules & RULE_STATEMENT_LEAF) != 0) {
		render_leaf(rendering, RULE_STATEMENT_LEAF, FIELD_statement_leaf);
	}
	if ((recipe->rules & RULE_REQUEST_LEAF) != 0) {
		render_leaf(rendering, RULE_REQUEST_LEAF, FIELD_request_leaf);
	}
	if (verdict && (recipe->rules & RULE_STATEMENT_ID) != 0 && on_statement(links)) {
		struct str id;
		if (arena_str(rendering->arena, str_of(links->subject_id), &id) != 0) {
			return false;
		}
		record_set_text(rendering->record, FIELD_statement_id, id);
	}
	return (recipe->rules & RULE_TABLE) == 0 || render_table(rendering);
}

bool rules_render_id(struct rendering *rendering)
{
	struct record *record = rendering->record;
	char *id = arena_alloc(rendering->arena, RECORD_ID_DIGITS + 1);
	if (id == NULL) {
		return false;
	}
	record_stable_id(record->source, record->key, id);
	record_set_text(record, FIELD_statement_id, str_make(id, RECORD_ID_DIGITS));
	return true;
}
