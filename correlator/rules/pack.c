#include "correlator/rules/pack.h"

#include "base/hash.h"
#include "base/io.h"
#include "correlator/rules/document.h"
#include "correlator/rules/folder.h"

#include <stdio.h>
#include <stdlib.h>

/* What all rules of a pack may take together, and what one file may take while it is read. */
#define ARENA_BYTES   (512u << 20)
#define SCRATCH_BYTES (256u << 20)
#define PROBLEMS_MAX  (2 * PACK_RULES_MAX)

struct pack {
	struct arena arena;
	const struct rule **rules;
	size_t rule_count, rule_capacity;
	struct pack_problem *problems;
	size_t problem_count, problem_capacity;
	size_t disabled_count;
	struct strmap ids; /* of the rules, to their index + 1 at the time */
};

/* A pack while it is read. */
struct intake {
	struct pack *pack;
	const struct pack_options *options;
	struct arena scratch;
	struct buf text;
	struct error *err;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the rules");
}

/* Makes room for one more in an array of the pack. */
static int make_room(void **items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity) {
		return 0;
	}
	size_t more = *capacity != 0 ? *capacity * 2 : 64;
	void *grown = reallocarray(*items, more, size);
	if (grown == NULL) {
		return -ERR_NOMEM;
	}
	*items = grown;
	*capacity = more;
	return 0;
}

static int add_problem(struct pack *pack, const struct pack_problem *problem, struct error *err)
{
	struct str file, text;
	if (pack->problem_count == PROBLEMS_MAX) {
		return 0;
	}
	if (make_room((void **)&pack->problems, pack->problem_count, &pack->problem_capacity,
		      sizeof(*pack->problems)) != 0 ||
	    arena_str(&pack->arena, str_of(problem->file), &file) != 0 ||
	    arena_str(&pack->arena, str_of(problem->text), &text) != 0) {
		return no_memory(err);
	}
	pack->problems[pack->problem_count++] = (struct pack_problem){.file = file.ptr,
								      .line = problem->line,
								      .column = problem->column,
								      .text = text.ptr};
	return 0;
}

int pack_refuse(struct pack *pack, const struct rule *rule, const struct pack_problem *problem,
		struct error *err)
{
	int result = add_problem(pack, problem, err);
	for (size_t i = 0; i < pack->rule_count && result == 0; i++) {
		if (pack->rules[i] == rule) {
			memmove(&pack->rules[i], &pack->rules[i + 1],
				(pack->rule_count - i - 1) * sizeof(struct rule *));
			pack->rule_count--;
			break;
		}
	}
	return result;
}

/* The name of a file without folder and ending. */
static struct str stem(const char *file)
{
	const char *slash = strrchr(file, '/');
	struct str name = str_of(slash != NULL ? slash + 1 : file);
	if (str_has_suffix(name, STR_LIT(".yml"))) {
		return str_slice(name, 0, name.len - 4);
	}
	return str_has_suffix(name, STR_LIT(".yaml")) ? str_slice(name, 0, name.len - 5) : name;
}

static bool is_disabled(const struct pack_options *options, const struct rule *rule)
{
	for (size_t i = 0; i < options->disabled_count; i++) {
		if (str_glob(rule->id, options->disabled[i]) ||
		    str_glob(stem(rule->file), options->disabled[i])) {
			return true;
		}
	}
	return false;
}

/* The rule's id: its own, its name's, or its file's. */
static int name_rule(struct rule_reader *reader, size_t document)
{
	struct rule *rule = reader->rule;
	char text[512];
	if (rule->id.len == 0) {
		rule->id = rule->name;
	}
	if (rule->id.len != 0) {
		return 0;
	}
	struct str name = stem(reader->file);
	if (document == 0) {
		(void)snprintf(text, sizeof(text), "%.*s", STR_ARG(name)); /* cut, if longer */
	} else {
		(void)snprintf(text, sizeof(text), "%.*s-%zu", STR_ARG(name),
			       document + 1); /* cut, if longer */
	}
	return arena_str(reader->arena, str_of(text), &rule->id) == 0
		       ? 0
		       : rule_reader_full(reader, (struct place){1, 1});
}

/* Puts a good rule into the pack, if its id is new. */
static int keep_rule(struct intake *intake, struct rule_reader *reader,
		     const struct yaml_node *root)
{
	struct pack *pack = intake->pack;
	const uint64_t *there = strmap_get(&pack->ids, reader->rule->id);
	if (is_disabled(intake->options, reader->rule)) {
		pack->disabled_count++;
		return 0;
	}
	if (there != NULL) {
		const struct rule *other = (const struct rule *)(uintptr_t)*there;
		const struct yaml_node *id = yaml_child(root, "id");
		return rule_reader_fail(reader, rule_reader_at(id != NULL ? id : root),
					"the id \"%.*s\" stands in %s already",
					STR_ARG(reader->rule->id), other->file);
	}
	if (pack->rule_count == PACK_RULES_MAX) {
		return rule_reader_fail(reader, rule_reader_at(root), "more than %d rules",
					PACK_RULES_MAX);
	}
	if (make_room((void **)&pack->rules, pack->rule_count, &pack->rule_capacity,
		      sizeof(struct rule *)) != 0 ||
	    strmap_put(&pack->ids, reader->rule->id, (uint64_t)(uintptr_t)reader->rule) != 0) {
		return -ERR_NOMEM;
	}
	pack->rules[pack->rule_count++] = reader->rule;
	return 0;
}

static int take_document(struct intake *intake, const char *file, const struct yaml_node *root,
			 size_t index)
{
	struct pack *pack = intake->pack;
	struct rule_reader reader = {.arena = &pack->arena,
				     .scratch = &intake->scratch,
				     .options = intake->options,
				     .file = file};
	reader.rule = arena_calloc(&pack->arena, 1, sizeof(*reader.rule));
	if (reader.rule == NULL) {
		return no_memory(intake->err);
	}
	reader.rule->file = file;
	int result = document_read(&reader, root);
	result = result == 0 ? name_rule(&reader, index) : result;
	result = result == 0 ? keep_rule(intake, &reader, root) : result;
	if (result != -ERR_CONFIG) {
		return result == 0 ? 0 : no_memory(intake->err);
	}
	struct pack_problem problem = {.file = file,
				       .line = reader.line,
				       .column = reader.column,
				       .text = reader.fault.text};
	return add_problem(pack, &problem, intake->err);
}

static int take_text(struct intake *intake, const char *name, struct str text)
{
	struct yaml_result parsed;
	struct error fault;
	struct str file;
	if (arena_str(&intake->pack->arena, str_of(name), &file) != 0) {
		return no_memory(intake->err);
	}
	arena_clear(&intake->scratch);
	int failure = yaml_read(text, &intake->scratch, &parsed, &fault);
	if (failure == -ERR_NOMEM) {
		return no_memory(intake->err);
	}
	int result = 0;
	size_t index = 0;
	for (const struct yaml_document *one = parsed.first; one != NULL && result == 0;
	     one = one->next) {
		if (one->root != NULL && !yaml_is_null(one->root)) {
			result = take_document(intake, file.ptr, one->root, index++);
		}
	}
	if (result == 0 && (failure != 0 || index == 0)) {
		struct pack_problem problem = {.file = file.ptr,
					       .line = parsed.line,
					       .column = parsed.column,
					       .text = failure != 0 ? fault.text
								    : "the file holds no rule"};
		result = add_problem(intake->pack, &problem, intake->err);
	}
	return result;
}

/* One file that the folders hold; one that can't be read is a problem. */
static int take_file(void *owner, const char *path, const char *fault)
{
	struct intake *intake = owner;
	struct error failure;
	int result = 0;
	if (fault == NULL) {
		buf_clear(&intake->text);
		result = io_read_file(path, YAML_MAX_BYTES, &intake->text, &failure);
		if (result == 0) {
			return take_text(intake, path, buf_str(&intake->text));
		}
		fault = result == -ERR_LIMIT ? "larger than 1 MiB" : failure.text;
	}
	struct pack_problem problem = {.file = path, .text = fault};
	return add_problem(intake->pack, &problem, intake->err);
}

static int intake_begin(struct intake *intake, const struct pack_options *options,
			struct error *err)
{
	struct pack *pack = calloc(1, sizeof(*pack));
	if (pack == NULL) {
		return no_memory(err);
	}
	arena_init(&pack->arena, ARENA_BYTES);
	strmap_init(&pack->ids, PACK_RULES_MAX);
	*intake = (struct intake){.pack = pack, .options = options, .err = err};
	arena_init(&intake->scratch, SCRATCH_BYTES);
	buf_init(&intake->text, YAML_MAX_BYTES + 1);
	return 0;
}

static int intake_end(struct intake *intake, int result, struct pack **out_pack)
{
	arena_done(&intake->scratch);
	buf_done(&intake->text);
	strmap_done(&intake->pack->ids);
	if (result == 0) {
		*out_pack = intake->pack;
	} else {
		pack_free(intake->pack);
	}
	return result;
}

int pack_read(const struct pack_options *options, struct pack **out_pack, struct error *err)
{
	struct intake intake;
	int result = intake_begin(&intake, options, err);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; i < options->folder_count && result == 0; i++) {
		struct folder_walk walk = {.found = take_file, .owner = &intake};
		result = folder_walk(&walk, options->folders[i], err);
	}
	return intake_end(&intake, result, out_pack);
}

int pack_parse(const char *name, struct str text, const struct pack_options *options,
	       struct pack **out_pack, struct error *err)
{
	struct intake intake;
	int result = intake_begin(&intake, options, err);
	if (result == 0) {
		result = take_text(&intake, name, text);
		result = intake_end(&intake, result, out_pack);
	}
	return result;
}

void pack_free(struct pack *pack)
{
	if (pack != NULL) {
		arena_done(&pack->arena);
		strmap_done(&pack->ids);
		free(pack->rules);
		free(pack->problems);
		free(pack);
	}
}

size_t pack_rule_count(const struct pack *pack)
{
	return pack->rule_count;
}

const struct rule *pack_rule(const struct pack *pack, size_t index)
{
	return index < pack->rule_count ? pack->rules[index] : NULL;
}

size_t pack_disabled_count(const struct pack *pack)
{
	return pack->disabled_count;
}

size_t pack_problem_count(const struct pack *pack)
{
	return pack->problem_count;
}

const struct pack_problem *pack_problem(const struct pack *pack, size_t index)
{
	return index < pack->problem_count ? &pack->problems[index] : NULL;
}
