#include "query/report/definition.h"

#include "base/digest.h"
#include "base/io.h"
#include "query/report/head.h"
#include "query/report/section-reader.h"

#include <stdlib.h>

#define ARENA_MAX (24u << 20)

bool definition_name_is_allowed(struct str name)
{
	if (name.len == 0 || name.len > DEFINITION_NAME_MAX || name.ptr[0] == '-') {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
			return false;
		}
	}
	return true;
}

const struct definition_section *definition_section_find(const struct definition *definition,
							 struct str name)
{
	for (size_t i = 0; i < definition->section_count; i++) {
		if (str_equal(definition->sections[i].name, name)) {
			return &definition->sections[i];
		}
	}
	return NULL;
}

static int read_clause(const struct reader *reader, const struct yaml_node *node,
		       struct report_clause *clause)
{
	int result = reader_need(reader, node, "framework", &clause->framework);
	result = result == 0 ? reader_need(reader, node, "clause", &clause->clause) : result;
	return result == 0 ? reader_need(reader, node, "text", &clause->text) : result;
}

static int read_clauses(const struct reader *reader, const struct yaml_node *root,
			struct definition *definition)
{
	static const char *const keys[] = {"framework", "clause", "text"};
	struct reader_names known = {"a clause", keys, sizeof(keys) / sizeof(keys[0])};
	struct reader_items items;
	struct reader_limit limit = {"clauses", DEFINITION_CLAUSES_MAX, false};
	int result = reader_list(reader, root, &limit, &items);
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		result = reader_keys(reader, item, &known);
		result = result == 0 ? read_clause(reader, item, &definition->clause[i]) : result;
		definition->clause_count = i + 1;
	}
	return result;
}

static int read_facts(const struct reader *reader, const struct yaml_node *root,
		      struct definition *definition)
{
	struct reader_items items;
	struct reader_limit limit = {"facts", 32, true};
	struct reader_names known = {.what = "fact"};
	known.names = head_fact_names(&known.count);
	int result = reader_list(reader, root, &limit, &items);
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		bool found = false;
		for (size_t k = 0; k < known.count; k++) {
			found = found || str_is(item->text, known.names[k]);
		}
		if (!found) {
			return reader_unknown(reader, item, &known);
		}
		definition->fact[definition->fact_count++] = item->text;
	}
	return result;
}

static int read_sections(const struct reader *reader, const struct yaml_node *root,
			 struct definition *definition)
{
	struct reader_items items;
	struct reader_limit limit = {"sections", DEFINITION_SECTIONS_MAX, false};
	int result = reader_list(reader, root, &limit, &items);
	if (result != 0 || items.count == 0) {
		return result;
	}
	definition->sections =
		arena_calloc(&definition->arena, items.count, sizeof(*definition->sections));
	if (definition->sections == NULL) {
		return error_set(reader->err, ERR_NOMEM, "no memory for the sections of %s",
				 reader->file);
	}
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		struct definition_section *section = &definition->sections[i];
		result = section_read(reader, item, section);
		if (result == 0 && definition_section_find(definition, section->name) != NULL) {
			return reader_fail(reader, item, "there are two sections named \"%.*s\"",
					   STR_ARG(section->name));
		}
		definition->section_count = i + 1;
	}
	return result;
}

static int read_parts(const struct reader *reader, const struct yaml_node *root,
		      struct definition *definition)
{
	struct reader_items items;
	struct reader_limit limit = {"parts", DEFINITION_PARTS_MAX, true};
	int result = reader_list(reader, root, &limit, &items);
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		struct str name = str_trim(item->text);
		if (!definition_name_is_allowed(name)) {
			return reader_fail(reader, item, "\"%.*s\" cannot be the name of a report",
					   STR_ARG(name));
		}
		for (size_t k = 0; k < definition->part_count; k++) {
			if (str_equal(definition->part[k], name)) {
				return reader_fail(reader, item, "the part \"%.*s\" stands twice",
						   STR_ARG(name));
			}
		}
		definition->part[definition->part_count++] = name;
	}
	return result;
}

/* Whether "part/section" begins with one of the parts; that the part has the section is seen when it is loaded. */
static int check_answer(const struct reader *reader, const struct yaml_node *item,
			const struct definition *definition)
{
	struct str rest = str_trim(item->text);
	struct str part = str_split(&rest, '/');
	const char *names[DEFINITION_PARTS_MAX];
	for (size_t i = 0; i < definition->part_count; i++) {
		names[i] = definition->part[i].ptr;
		if (str_equal(definition->part[i], part)) {
			return 0;
		}
	}
	struct yaml_node named = *item;
	named.text = part;
	struct reader_names known = {"part", names, definition->part_count};
	return reader_unknown(reader, &named, &known);
}

static int read_crosswalk_row(const struct reader *reader, const struct yaml_node *node,
			      struct definition *definition)
{
	static const char *const keys[] = {"framework", "clause", "text", "answers", "limits"};
	struct reader_names known = {"a row of the crosswalk", keys,
				     sizeof(keys) / sizeof(keys[0])};
	struct definition_crosswalk *row = &definition->crosswalk[definition->crosswalk_count];
	struct reader_items items;
	struct reader_limit limit = {"answers", DEFINITION_ANSWERS_MAX, true};
	int result = reader_keys(reader, node, &known);
	result = result == 0 ? read_clause(reader, node, &row->clause) : result;
	result = result == 0 ? reader_text(reader, node, "limits", &row->limits) : result;
	result = result == 0 ? reader_list(reader, node, &limit, &items) : result;
	if (result != 0) {
		return result;
	}
	row->line = node->line;
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		result = check_answer(reader, item, definition);
		row->answer[row->answer_count++] = str_trim(item->text);
	}
	definition->crosswalk_count++;
	return result;
}

static int read_crosswalk(const struct reader *reader, const struct yaml_node *root,
			  struct definition *definition)
{
	static const char *const keys[] = {"title", "text", "rows"};
	struct reader_names known = {"crosswalk", keys, sizeof(keys) / sizeof(keys[0])};
	const struct yaml_node *node = yaml_child(root, "crosswalk");
	struct reader_items items = {0};
	struct reader_limit limit = {"rows", DEFINITION_ROWS_MAX, false};
	if (node == NULL) {
		return 0;
	}
	if (definition->part_count == 0) {
		return reader_fail_key(reader, node, "a crosswalk needs parts");
	}
	int result = reader_keys(reader, node, &known);
	result = result == 0 ? reader_need(reader, node, "title", &definition->crosswalk_title)
			     : result;
	result = result == 0 ? reader_text(reader, node, "text", &definition->crosswalk_text)
			     : result;
	result = result == 0 ? reader_list(reader, node, &limit, &items) : result;
	if (result != 0) {
		return result;
	}
	definition->crosswalk =
		arena_calloc(&definition->arena, items.count + 1, sizeof(*definition->crosswalk));
	if (definition->crosswalk == NULL) {
		return error_set(reader->err, ERR_NOMEM, "no memory for the crosswalk of %s",
				 reader->file);
	}
	const struct yaml_node *item = items.first;
	for (size_t i = 0; result == 0 && i < items.count; i++, item = item->next) {
		result = read_crosswalk_row(reader, item, definition);
	}
	return result;
}

static int read_root(const struct reader *reader, const struct yaml_node *root,
		     struct definition *definition)
{
	static const char *const keys[] = {"title",    "purpose", "clauses",  "facts",
					   "sections", "parts",   "crosswalk"};
	struct reader_names known = {"a report", keys, sizeof(keys) / sizeof(keys[0])};
	int result = reader_keys(reader, root, &known);
	result = result == 0 ? reader_need(reader, root, "title", &definition->title) : result;
	result = result == 0 ? reader_need(reader, root, "purpose", &definition->purpose) : result;
	result = result == 0 ? read_clauses(reader, root, definition) : result;
	result = result == 0 ? read_facts(reader, root, definition) : result;
	result = result == 0 ? read_sections(reader, root, definition) : result;
	result = result == 0 ? read_parts(reader, root, definition) : result;
	result = result == 0 ? read_crosswalk(reader, root, definition) : result;
	if (result == 0 && (definition->section_count == 0) == (definition->part_count == 0)) {
		return reader_fail(reader, root, "a report has either sections or parts");
	}
	return result;
}

static void put_digest(struct definition *definition, struct str text)
{
	uint8_t digest[DIGEST_BYTES];
	struct buf hex;
	digest_sha256(text, digest);
	buf_init(&hex, 128);
	buf_put_hex(&hex, str_make(digest, sizeof(digest)));
	if (hex.len == sizeof(definition->digest) - 1) {
		memcpy(definition->digest, hex.ptr, hex.len + 1);
	}
	buf_done(&hex);
}

int definition_parse(const struct definition_input *input, struct definition *out_definition,
		     struct error *err)
{
	struct error local;
	struct yaml_node *root = NULL;
	struct definition *definition = out_definition;
	struct reader reader = {input->file, DEFINITION_TEXT_MAX, &local};
	memset(definition, 0, sizeof(*definition));
	error_clear(&local);
	arena_init(&definition->arena, ARENA_MAX);
	int result = arena_str(&definition->arena, input->name, &definition->name);
	result = result == 0
			 ? yaml_parse(input->file, input->text, &definition->arena, &root, &local)
			 : error_set(&local, ERR_NOMEM, "no memory for %s", input->file);
	if (result == 0) {
		put_digest(definition, input->text);
		result = read_root(&reader, root, definition);
	}
	if (result != 0) {
		definition_done(definition);
		if (err != NULL) {
			*err = local;
		}
	}
	return result;
}

void definition_done(struct definition *definition)
{
	arena_done(&definition->arena);
	memset(definition, 0, sizeof(*definition));
}
