#include "query/report/section-reader.h"

#include "query/report/form.h"
#include "query/report/section-field.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_MAX 1000000000

static int read_dataset(struct section_reading *reading, const struct yaml_node *node)
{
	struct definition_section *section = reading->section;
	const struct yaml_node *from = yaml_child(node, "from");
	section->dataset = &dataset_trails;
	if (from != NULL) {
		size_t count;
		const struct dataset_type *const *types = dataset_types(&count);
		const char *names[32];
		assert(count <= 32);
		for (size_t i = 0; i < count; i++) {
			names[i] = types[i]->name;
		}
		struct reader_names known = {"dataset", names, count};
		if (from->type != YAML_SCALAR) {
			return reader_fail(reading->reader, from,
					   "from wants the name of a dataset");
		}
		section->dataset = dataset_type_find(from->text);
		if (section->dataset == NULL) {
			return reader_unknown(reading->reader, from, &known);
		}
	}
	reading->words.count = dataset_fields(section->dataset, reading->words.field);
	return 0;
}

/* A filter is read as it will be, so that what is wrong with it is told now. */
static int check_filter(const struct section_reading *reading, const struct yaml_node *node,
			struct str filter)
{
	struct arena arena;
	struct query query;
	struct error local;
	struct zone zone = zone_utc();
	struct plan_options options = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct plan *plan = calloc(1, sizeof(*plan));
	if (plan == NULL) {
		return error_set(reading->reader->err, ERR_NOMEM, "no memory for a filter");
	}
	options.context.zone = &zone;
	arena_init(&arena, 4u << 20);
	error_clear(&local);
	int result = query_parse(filter, &arena, &query, &local);
	result = result == 0 ? plan_make(&query, &options, plan, &local) : result;
	if (result != 0) {
		result = reader_fail(reading->reader, node, "filter: %s", local.text);
	}
	arena_done(&arena);
	free(plan);
	return result;
}

static int read_filter(struct section_reading *reading, const struct yaml_node *node)
{
	struct definition_section *section = reading->section;
	const struct yaml_node *filter = yaml_child(node, "filter");
	int result = reader_text(reading->reader, node, "filter", &section->filter);
	if (result != 0 || filter == NULL) {
		return result;
	}
	if (!section->dataset->takes_filter) {
		return reader_fail_key(reading->reader, filter,
				       "the dataset %s takes no filter; use only and except",
				       section->dataset->name);
	}
	return check_filter(reading, filter, section->filter);
}

static int read_globs(struct section_reading *reading, const struct yaml_node *mapping,
		      const struct yaml_node *node, bool except)
{
	struct definition_section *section = reading->section;
	struct reader_items items;
	struct reader_limit limit = {node->key.ptr, DEFINITION_GLOBS_MAX, true};
	if (section->match_count == DEFINITION_MATCHES_MAX) {
		return reader_fail(reading->reader, node,
				   "only and except have more than %d fields",
				   DEFINITION_MATCHES_MAX);
	}
	struct definition_match *match = &section->match[section->match_count];
	int field = section_field_find(reading, node->key);
	if (field < 0) {
		struct yaml_node place = *node;
		place.text = node->key;
		place.line = node->key_line;
		place.column = node->key_column;
		return section_field_unknown(reading, &place, "field");
	}
	int result = reader_list(reading->reader, mapping, &limit, &items);
	if (result != 0) {
		return result;
	}
	*match = (struct definition_match){.field = (unsigned)field, .except = except};
	const struct yaml_node *item = items.first;
	for (; match->glob_count < items.count; item = item->next) {
		match->glob[match->glob_count++] = str_trim(item->text);
	}
	section->match_count++;
	return 0;
}

static int read_matches(struct section_reading *reading, const struct yaml_node *node,
			const char *key)
{
	const struct yaml_node *mapping = yaml_child(node, key);
	if (mapping == NULL) {
		return 0;
	}
	if (reading->section->dataset->takes_filter) {
		return reader_fail_key(reading->reader, mapping,
				       "the dataset %s has a filter instead of %s",
				       reading->section->dataset->name, key);
	}
	if (mapping->type != YAML_MAPPING) {
		return reader_fail(reading->reader, mapping, "%s wants fields with texts", key);
	}
	int result = 0;
	for (const struct yaml_node *child = mapping->first_child; result == 0 && child != NULL;
	     child = child->next) {
		result = read_globs(reading, mapping, child, strcmp(key, "except") == 0);
	}
	return result;
}

static int read_group(struct section_reading *reading, const struct yaml_node *node)
{
	struct definition_section *section = reading->section;
	struct reader_items items;
	struct reader_limit limit = {"group", TALLY_KEYS_MAX, true};
	int result = reader_list(reading->reader, node, &limit, &items);
	section->grouped = items.count > 0;
	section_tally_init(reading, &section->tally);
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		result = section_field_read(reading, item,
					    &section->tally.key[section->tally.key_count++]);
	}
	return result;
}

static int read_figure(struct section_reading *reading, const struct yaml_node *node,
		       struct definition_column *column)
{
	struct tally_spec *spec = &reading->section->tally;
	struct tally_figure figure = {0};
	struct str about;
	if (!tally_kind_find(column->name, &figure.kind, &about)) {
		struct buf names;
		buf_init(&names, 1024);
		tally_put_names(&names);
		int result = reader_fail(
			reading->reader, node,
			"\"%.*s\" is neither a field of group nor a figure; figures are %.*s",
			STR_ARG(column->name), STR_ARG(buf_str(&names)));
		buf_done(&names);
		return result;
	}
	int result = section_figure_check(reading, node, about, &figure);
	if (result != 0) {
		return result;
	}
	assert(spec->figure_count < TALLY_FIGURES_MAX); /* no more than columns */
	column->of_tally = true;
	column->tally = (unsigned)spec->figure_count;
	column->form = tally_form(figure.kind, reading->words.field[figure.field].type);
	spec->figure[spec->figure_count++] = figure;
	return 0;
}

/* What the column is: a key or figure of the groups, or a field. */
static int resolve_column(struct section_reading *reading, const struct yaml_node *node,
			  struct definition_column *column)
{
	int field = section_field_find(reading, column->name);
	if (!reading->section->grouped) {
		column->field = field < 0 ? 0 : (unsigned)field;
		if (field < 0) {
			struct yaml_node named = *node;
			named.text = column->name;
			return section_field_unknown(reading, &named, "field");
		}
		column->form = section_field_form(&reading->words.field[field]);
		return 0;
	}
	for (size_t i = 0; field >= 0 && i < reading->section->tally.key_count; i++) {
		if (reading->section->tally.key[i] == (unsigned)field) {
			column->field = (unsigned)i;
			column->form = section_field_form(&reading->words.field[field]);
			return 0;
		}
	}
	return read_figure(reading, node, column);
}

static int read_form(const struct section_reading *reading, const struct yaml_node *node,
		     struct definition_column *column)
{
	static const char *const forms[] = {"text", "code",  "number",   "share",
					    "time", "grade", "severity", "bool"};
	struct reader_names known = {"form", forms, sizeof(forms) / sizeof(forms[0])};
	const struct yaml_node *form = yaml_child(node, "form");
	enum report_form wanted;
	if (form == NULL) {
		return 0;
	}
	if (form->type != YAML_SCALAR || !report_form_find(form->text, &wanted)) {
		return reader_unknown(reading->reader, form, &known);
	}
	if (report_form_is_text(wanted) != report_form_is_text(column->form)) {
		return reader_fail(reading->reader, form, "\"%.*s\" cannot be shown as %s",
				   STR_ARG(column->name), report_form_name(wanted));
	}
	column->form = wanted;
	return 0;
}

static int read_column(struct section_reading *reading, const struct yaml_node *node,
		       struct definition_column *column)
{
	static const char *const keys[] = {"name", "title", "form", "width"};
	struct reader_names known = {"a column", keys, sizeof(keys) / sizeof(keys[0])};
	const struct yaml_node *named = node;
	int result = 0;
	if (node->type == YAML_SCALAR) {
		column->name = node->text;
	} else {
		result = reader_keys(reading->reader, node, &known);
		result = result == 0 ? reader_need(reading->reader, node, "name", &column->name)
				     : result;
		result = result == 0 ? reader_text(reading->reader, node, "title", &column->title)
				     : result;
		named = result == 0 ? yaml_child(node, "name") : node;
		column->name = named->text; /* as it is: it is used to its NUL */
	}
	result = result == 0 ? resolve_column(reading, named, column) : result;
	if (result != 0 || node->type == YAML_SCALAR) {
		column->weight = section_field_weight(column->name, column->form);
		return result;
	}
	uint64_t weight = section_field_weight(column->name, column->form);
	result = read_form(reading, node, column);
	result = result == 0 ? reader_number(reading->reader, node, "width", 20, &weight) : result;
	column->weight = (unsigned)weight;
	return result;
}

static int read_columns(struct section_reading *reading, const struct yaml_node *node)
{
	struct definition_section *section = reading->section;
	struct reader_items items;
	struct reader_limit limit = {"columns", REPORT_COLUMNS_MAX, false};
	int result = reader_list(reading->reader, node, &limit, &items);
	if (result == 0 && items.count == 0) {
		return reader_fail(reading->reader, node,
				   "the key \"columns\" is missing or empty");
	}
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		result = read_column(reading, item, &section->column[section->column_count]);
		for (size_t k = 0; result == 0 && k < section->column_count; k++) {
			if (str_equal(section->column[k].name, section->column[i].name)) {
				return reader_fail(reading->reader, item,
						   "the column \"%.*s\" stands twice",
						   STR_ARG(section->column[i].name));
			}
		}
		section->column_count++;
	}
	return result;
}

/* Rows that are not grouped stand in the order of time, one way or the other. */
static int read_time_order(struct section_reading *reading, const struct reader_items *items)
{
	struct definition_section *section = reading->section;
	const struct dataset_type *dataset = section->dataset;
	struct str name = str_trim(items->first->text);
	section->newest_first = str_has_prefix(name, STR_LIT("-"));
	name = str_slice(name, section->newest_first ? 1 : 0, name.len);
	if (items->count != 1 || !dataset->has_time || !str_is(name, dataset->times)) {
		return reader_fail(reading->reader, items->first,
				   "rows that are not grouped have the order %s or -%s",
				   dataset->has_time ? dataset->times : "of the dataset",
				   dataset->has_time ? dataset->times : "");
	}
	return 0;
}

static int read_order(struct section_reading *reading, const struct yaml_node *node)
{
	struct definition_section *section = reading->section;
	struct reader_items items;
	struct reader_limit limit = {"order", REPORT_COLUMNS_MAX, true};
	int result = reader_list(reading->reader, node, &limit, &items);
	if (result != 0 || items.count == 0) {
		return result;
	}
	if (!section->grouped) {
		return read_time_order(reading, &items);
	}
	const char *names[REPORT_COLUMNS_MAX];
	const struct yaml_node *item = items.first;
	for (size_t i = 0; i < items.count; i++, item = item->next) {
		struct yaml_node word = *item;
		word.text = str_trim(item->text);
		bool descending = str_has_prefix(word.text, STR_LIT("-"));
		word.text = str_slice(word.text, descending ? 1 : 0, word.text.len);
		unsigned at = 0;
		for (; at < section->column_count; at++) {
			names[at] = section->column[at].name.ptr;
			if (str_equal(section->column[at].name, word.text)) {
				break;
			}
		}
		if (at == section->column_count) {
			struct reader_names known = {"column", names, at};
			return reader_unknown(reading->reader, &word, &known);
		}
		section->order[section->order_count++] = (struct definition_order){at, descending};
	}
	return 0;
}

static int read_texts(struct section_reading *reading, const struct yaml_node *node)
{
	struct definition_section *section = reading->section;
	const struct reader *reader = reading->reader;
	int result = reader_need(reader, node, "name", &section->name);
	if (result == 0 && !definition_name_is_allowed(section->name)) {
		return reader_fail(reader, yaml_child(node, "name"),
				   "a name has 1 to %d of a-z, 0-9 and -", DEFINITION_NAME_MAX);
	}
	result = result == 0 ? reader_need(reader, node, "title", &section->title) : result;
	result = result == 0 ? reader_text(reader, node, "text", &section->text) : result;
	result = result == 0 ? reader_text(reader, node, "empty", &section->empty) : result;
	section->first = UINT64_MAX;
	return result == 0 ? reader_number(reader, node, "first", FIRST_MAX, &section->first)
			   : result;
}

int section_read(const struct reader *reader, const struct yaml_node *node,
		 struct definition_section *out_section)
{
	static const char *const keys[] = {"name",   "title", "text",   "empty", "from",
					   "filter", "only",  "except", "group", "columns",
					   "order",  "first", "charts"};
	struct reader_names known = {"a section", keys, sizeof(keys) / sizeof(keys[0])};
	struct section_reading *reading = calloc(1, sizeof(*reading));
	if (reading == NULL) {
		return error_set(reader->err, ERR_NOMEM, "no memory for a section");
	}
	*out_section = (struct definition_section){0};
	reading->reader = reader;
	reading->section = out_section;
	int result = reader_keys(reader, node, &known);
	result = result == 0 ? read_texts(reading, node) : result;
	result = result == 0 ? read_dataset(reading, node) : result;
	result = result == 0 ? read_filter(reading, node) : result;
	result = result == 0 ? read_matches(reading, node, "only") : result;
	result = result == 0 ? read_matches(reading, node, "except") : result;
	result = result == 0 ? read_group(reading, node) : result;
	result = result == 0 ? read_columns(reading, node) : result;
	result = result == 0 ? read_order(reading, node) : result;
	result = result == 0 ? section_charts_read(reading, node) : result;
	free(reading);
	return result;
}
