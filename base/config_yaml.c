#include "base/config_yaml.h"

#include "base/utf8.h"

#include <libfyaml.h>

/* What a parse carries from event to event. */
struct builder {
	const char *name;
	struct arena *arena;
	struct error *err;
	struct config_node *root;
	struct config_node *stack[CONFIG_YAML_MAX_DEPTH];
	size_t depth;
	size_t node_count;
	bool have_key; /* a mapping's key was read and waits for its value */
	struct str key;
	int key_line, key_column;
};

static int fail_at(const struct builder *builder, const struct fy_mark *mark, const char *problem)
{
	int line = mark != NULL ? mark->line + 1 : 1;
	int column = mark != NULL ? mark->column + 1 : 1;
	return error_set(builder->err, ERR_CONFIG, "%s:%d:%d: %s", builder->name, line, column,
			 problem);
}

static bool in_mapping(const struct builder *builder)
{
	return builder->depth != 0 &&
	       builder->stack[builder->depth - 1]->type == CONFIG_NODE_MAPPING;
}

struct config_node *config_node_child(const struct config_node *mapping, const char *key)
{
	for (struct config_node *child = mapping->first_child; child != NULL; child = child->next) {
		if (str_is(child->key, key)) {
			return child;
		}
	}
	return NULL;
}

static int take_key(struct builder *builder, struct fy_token *token, const struct fy_mark *mark)
{
	/* a key that is not written, as in ": x", has no place */
	int line = mark != NULL ? mark->line + 1 : 1;
	int column = mark != NULL ? mark->column + 1 : 1;
	size_t len = 0;
	const char *text = token != NULL ? fy_token_get_text(token, &len) : NULL;
	struct str key;
	if (arena_str(builder->arena, str_make(text != NULL ? text : "", text != NULL ? len : 0),
		      &key) != 0) {
		return fail_at(builder, mark, "the file needs too much memory");
	}
	const struct config_node *mapping = builder->stack[builder->depth - 1];
	for (const struct config_node *child = mapping->first_child; child != NULL;
	     child = child->next) {
		if (str_equal(child->key, key)) {
			return error_set(builder->err, ERR_CONFIG,
					 "%s:%d:%d: the key \"%s\" stands twice", builder->name,
					 line, column, key.ptr);
		}
	}
	builder->have_key = true;
	builder->key = key;
	builder->key_line = line;
	builder->key_column = column;
	return 0;
}

/* Makes a node and hangs it under the one that is open. */
static int add_node(struct builder *builder, enum config_node_type type, const struct fy_mark *mark,
		    struct config_node **out_node)
{
	if (++builder->node_count > CONFIG_YAML_MAX_NODES) {
		return fail_at(builder, mark, "the file has too many values");
	}
	struct config_node *node = arena_calloc(builder->arena, 1, sizeof(*node));
	if (node == NULL) {
		return fail_at(builder, mark, "the file needs too much memory");
	}
	node->type = type;
	node->line = mark != NULL ? mark->line + 1 : 1;
	node->column = mark != NULL ? mark->column + 1 : 1;
	node->key = builder->have_key ? builder->key : STR_LIT("");
	node->key_line = builder->have_key ? builder->key_line : node->line;
	node->key_column = builder->have_key ? builder->key_column : node->column;
	builder->have_key = false;
	if (builder->depth == 0) {
		builder->root = node;
	} else {
		struct config_node *parent = builder->stack[builder->depth - 1];
		if (parent->last_child != NULL) {
			parent->last_child->next = node;
		} else {
			parent->first_child = node;
		}
		parent->last_child = node;
		parent->child_count++;
	}
	*out_node = node;
	return 0;
}

static int open_node(struct builder *builder, enum config_node_type type,
		     const struct fy_mark *mark)
{
	if (in_mapping(builder) && !builder->have_key) {
		return fail_at(builder, mark, "a key must be a text");
	}
	if (builder->depth == CONFIG_YAML_MAX_DEPTH) {
		return fail_at(builder, mark, "nested deeper than 8");
	}
	struct config_node *node;
	int result = add_node(builder, type, mark, &node);
	if (result == 0) {
		builder->stack[builder->depth++] = node;
	}
	return result;
}

static int add_scalar(struct builder *builder, const struct fy_event_scalar_data *scalar,
		      const struct fy_mark *mark)
{
	if (in_mapping(builder) && !builder->have_key) {
		return take_key(builder, scalar->value, mark);
	}
	struct config_node *node;
	int result = add_node(builder, CONFIG_NODE_SCALAR, mark, &node);
	if (result != 0) {
		return result;
	}
	size_t len = 0;
	const char *text = scalar->value != NULL ? fy_token_get_text(scalar->value, &len) : NULL;
	node->is_null =
		text == NULL || (len == 0 && fy_token_scalar_style(scalar->value) == FYSS_PLAIN);
	if (arena_str(builder->arena, str_make(text != NULL ? text : "", text != NULL ? len : 0),
		      &node->text) != 0) {
		return fail_at(builder, mark, "the file needs too much memory");
	}
	if (str_find_byte(node->text, '\0', 0) >= 0) {
		return fail_at(builder, mark, "a text holds a NUL");
	}
	return 0;
}

static int take_event(struct builder *builder, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	switch (event->type) {
	case FYET_SCALAR:
		if (event->scalar.anchor != NULL || event->scalar.tag != NULL) {
			return fail_at(builder, mark, "anchors and tags are not allowed here");
		}
		return add_scalar(builder, &event->scalar, mark);
	case FYET_MAPPING_START:
		if (event->mapping_start.anchor != NULL || event->mapping_start.tag != NULL) {
			return fail_at(builder, mark, "anchors and tags are not allowed here");
		}
		return open_node(builder, CONFIG_NODE_MAPPING, mark);
	case FYET_SEQUENCE_START:
		if (event->sequence_start.anchor != NULL || event->sequence_start.tag != NULL) {
			return fail_at(builder, mark, "anchors and tags are not allowed here");
		}
		return open_node(builder, CONFIG_NODE_SEQUENCE, mark);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		builder->depth--;
		return 0;
	case FYET_ALIAS:
		return fail_at(builder, mark, "aliases are not allowed here");
	case FYET_DOCUMENT_START:
		return builder->root != NULL
			       ? fail_at(builder, mark, "a second document is not allowed")
			       : 0;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END:
		return 0;
	}
	return 0;
}

/* The library's own complaint, as ours. */
static int syntax_error(const struct builder *builder, struct fy_diag *diag)
{
	void *previous = NULL;
	const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &previous);
	if (first == NULL || first->msg == NULL) {
		return error_set(builder->err, ERR_CONFIG, "%s:1:1: not readable as YAML",
				 builder->name);
	}
	return error_set(builder->err, ERR_CONFIG, "%s:%d:%d: %s", builder->name, first->line,
			 first->column, first->msg);
}

static int run(struct builder *builder, struct fy_parser *parser, struct fy_diag *diag)
{
	struct fy_event *event;
	while ((event = fy_parser_parse(parser)) != NULL) {
		int result = take_event(builder, event);
		fy_parser_event_free(parser, event);
		if (result != 0) {
			return result;
		}
	}
	return fy_parser_get_stream_error(parser) ? syntax_error(builder, diag) : 0;
}

static void drop_output(struct fy_diag *diag, void *user, const char *text, size_t len)
{
	(void)diag; /* the errors are collected and told by syntax_error */
	(void)user;
	(void)text;
	(void)len;
}

/* The library takes bytes that it cannot read for the end of the file: they are looked for before it. */
static int check_text(const char *name, struct str text, struct error *err)
{
	ptrdiff_t bad = utf8_invalid(text);
	if (bad < 0) {
		return 0;
	}
	int line = 1, column = 1;
	for (ptrdiff_t i = 0; i < bad; i++) {
		column = text.ptr[i] == '\n' ? 1 : column + 1;
		line += text.ptr[i] == '\n';
	}
	return error_set(err, ERR_CONFIG, "%s:%d:%d: not UTF-8 text", name, line, column);
}

/* Whether a text without a value is really blank or comments. */
static int check_blank(const char *name, struct str text, struct error *err)
{
	struct str rest =
		str_has_prefix(text, STR_LIT("\xef\xbb\xbf")) ? str_slice(text, 3, text.len) : text;
	for (int line = 1; rest.ptr != NULL; line++) {
		struct str words = str_trim(str_split(&rest, '\n'));
		bool marker = str_has_prefix(words, STR_LIT("---")) ||
			      str_has_prefix(words, STR_LIT("...")) ||
			      str_has_prefix(words, STR_LIT("%"));
		if (words.len != 0 && words.ptr[0] != '#' && !marker) {
			return error_set(err, ERR_CONFIG, "%s:%d:1: not readable as YAML", name,
					 line);
		}
	}
	return 0;
}

int config_yaml_parse(const char *name, struct str text, struct arena *arena,
		      struct config_node **out_root, struct error *err)
{
	struct builder builder = {.name = name, .arena = arena, .err = err};
	if (text.len > CONFIG_YAML_MAX_BYTES) {
		return error_set(err, ERR_CONFIG, "%s:1:1: larger than 1 MiB", name);
	}
	if (str_trim(text).len == 0) {
		*out_root = NULL;
		return 0;
	}
	int result = check_text(name, text, err);
	if (result != 0) {
		return result;
	}
	struct fy_diag_cfg diag_cfg;
	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.output_fn = drop_output;
	struct fy_diag *diag = fy_diag_create(&diag_cfg);
	if (diag == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read %s", name);
	}
	fy_diag_set_collect_errors(diag, true);
	struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_PARSE, .diag = diag};
	struct fy_parser *parser = fy_parser_create(&cfg);
	if (parser == NULL || fy_parser_set_string(parser, text.ptr, text.len) != 0) {
		result = error_set(err, ERR_NOMEM, "no memory to read %s", name);
	} else {
		result = run(&builder, parser, diag);
	}
	if (result == 0 && builder.root == NULL) {
		result = check_blank(name, text, err);
	}
	if (result == 0) {
		*out_root = builder.root;
	}
	fy_parser_destroy(parser);
	fy_diag_destroy(diag);
	return result;
}
