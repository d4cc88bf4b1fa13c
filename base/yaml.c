#include "base/yaml.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/utf8.h"

#include <libfyaml.h>

/* A mapping with more keys than this remembers them in a table: looking through a list would take time by the square. */
#define KEYS_IN_LIST 16

struct level {
	struct yaml_node *node;
	struct strmap keys; /* used from KEYS_IN_LIST keys on */
	bool has_keys;
};

/* What a parse carries from event to event. */
struct builder {
	struct str input;
	struct arena *arena;
	struct error *err;
	struct yaml_result *result;
	struct yaml_document *document, **document_end;
	struct level stack[YAML_MAX_DEPTH];
	size_t depth;
	size_t node_count;
	bool have_key; /* a mapping's key was read and waits for its value */
	struct str key;
	int key_line, key_column;
};

static int line_of(const struct fy_mark *mark)
{
	return mark != NULL ? mark->line + 1 : 1;
}

static int column_of(const struct fy_mark *mark)
{
	return mark != NULL ? mark->column + 1 : 1;
}

static int fail_at(const struct builder *builder, const struct fy_mark *mark, const char *problem)
{
	builder->result->line = line_of(mark);
	builder->result->column = column_of(mark);
	return error_set(builder->err, ERR_CONFIG, "%s", problem);
}

static struct yaml_node *open_parent(const struct builder *builder)
{
	return builder->depth != 0 ? builder->stack[builder->depth - 1].node : NULL;
}

static bool in_mapping(const struct builder *builder)
{
	return builder->depth != 0 && open_parent(builder)->type == YAML_MAPPING;
}

struct yaml_node *yaml_child(const struct yaml_node *mapping, const char *key)
{
	for (struct yaml_node *child = mapping->first_child; child != NULL; child = child->next) {
		if (str_is(child->key, key)) {
			return child;
		}
	}
	return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
	static const char *const words[] = {"~", "null", "Null", "NULL"};
	if (node->type != YAML_SCALAR || !node->is_plain) {
		return false;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_is(node->text, words[i])) {
			return true;
		}
	}
	return node->text.len == 0;
}

/* Whether the open mapping has the key already; 1, 0 or a failure. */
static int key_stands(struct level *level, struct str key)
{
	if (level->node->child_count < KEYS_IN_LIST) {
		for (const struct yaml_node *child = level->node->first_child; child != NULL;
		     child = child->next) {
			if (str_equal(child->key, key)) {
				return 1;
			}
		}
		return 0;
	}
	if (!level->has_keys) {
		strmap_init(&level->keys, YAML_MAX_NODES);
		level->has_keys = true;
		for (const struct yaml_node *child = level->node->first_child; child != NULL;
		     child = child->next) {
			if (strmap_put(&level->keys, child->key, 0) != 0) {
				return -ERR_NOMEM;
			}
		}
	}
	return strmap_get(&level->keys, key) != NULL ? 1 : strmap_put(&level->keys, key, 0);
}

/* The library's mark of a quoted text is behind the quote. */
static int quote_before(struct fy_token *token)
{
	enum fy_scalar_style style = token != NULL ? fy_token_scalar_style(token) : FYSS_PLAIN;
	return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED ? 1 : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Appends the line break at `at` of a quoted text and what belongs to it, folded: one break is a blank, further ones are themselves.
 * Returns what is behind it. */
static size_t put_fold(struct str raw, size_t at, struct buf *out)
{
	size_t breaks = 0;
	while (out->len > 0 && is_blank(out->ptr[out->len - 1])) {
		buf_truncate(out, out->len - 1);
	}
	while (at < raw.len && (is_blank(raw.ptr[at]) || raw.ptr[at] == '\n')) {
		breaks += raw.ptr[at++] == '\n';
	}
	if (breaks == 1) {
		buf_put_byte(out, ' ');
	} else {
		buf_put_fill(out, '\n', breaks - 1);
	}
	return at;
}

/* Whether the token is a text in single quotes that holds two quotes side by side (in the file: four). libfyaml 0.7 loses the end of such
 * a text, and memory with it, so they are read from the input; then *out_raw is what stands between the quotes. */
static bool is_misread(const struct builder *builder, struct fy_token *token, struct str *out_raw)
{
	const struct fy_mark *start = fy_token_start_mark(token), *end = fy_token_end_mark(token);
	if (fy_token_scalar_style(token) != FYSS_SINGLE_QUOTED || start == NULL || end == NULL ||
	    end->input_pos > builder->input.len || start->input_pos > end->input_pos) {
		return false;
	}
	*out_raw = str_slice(builder->input, start->input_pos, end->input_pos - start->input_pos);
	return str_find(*out_raw, STR_LIT("''''"), 0) >= 0;
}

static int read_quotes(const struct builder *builder, struct str raw, struct str *out)
{
	struct buf text;
	buf_init(&text, YAML_MAX_BYTES);
	for (size_t at = 0; at < raw.len;) {
		if (raw.ptr[at] == '\n') {
			at = put_fold(raw, at, &text);
			continue;
		}
		buf_put_byte(&text, (uint8_t)raw.ptr[at]);
		at += raw.ptr[at] == '\'' ? 2 : 1;
	}
	bool failed = text.failed || arena_str(builder->arena, buf_str(&text), out) != 0;
	buf_done(&text);
	return failed ? error_set(builder->err, ERR_CONFIG, "the file needs too much memory") : 0;
}

/* The text of a scalar, kept in the arena; the empty one for what is not written. */
static int keep_text(struct builder *builder, struct fy_token *token, const struct fy_mark *mark,
		     struct str *out)
{
	struct str raw;
	if (token != NULL && is_misread(builder, token, &raw)) {
		return read_quotes(builder, raw, out);
	}
	size_t len = 0;
	const char *text = token != NULL ? fy_token_get_text(token, &len) : NULL;
	if (arena_str(builder->arena, str_make(text != NULL ? text : "", text != NULL ? len : 0),
		      out) != 0) {
		return fail_at(builder, mark, "the file needs too much memory");
	}
	return 0;
}

static int take_key(struct builder *builder, struct fy_token *token, const struct fy_mark *mark)
{
	/* a key that is not written, as in ": x", has no place */
	struct str key;
	int result = keep_text(builder, token, mark, &key);
	if (result != 0) {
		return result;
	}
	int stands = key_stands(&builder->stack[builder->depth - 1], key);
	if (stands == 1) {
		builder->result->line = line_of(mark);
		builder->result->column = column_of(mark) - quote_before(token);
		return error_set(builder->err, ERR_CONFIG, "the key \"%s\" stands twice", key.ptr);
	}
	if (stands < 0) {
		return error_set(builder->err, ERR_NOMEM, "no memory for the keys of a mapping");
	}
	builder->have_key = true;
	builder->key = key;
	builder->key_line = line_of(mark);
	builder->key_column = column_of(mark) - quote_before(token);
	return 0;
}

/* Makes a node and hangs it under the one that is open. */
static int add_node(struct builder *builder, enum yaml_type type, const struct fy_mark *mark,
		    struct yaml_node **out_node)
{
	if (++builder->node_count > YAML_MAX_NODES) {
		return fail_at(builder, mark, "the file has too many values");
	}
	struct yaml_node *node = arena_calloc(builder->arena, 1, sizeof(*node));
	if (node == NULL) {
		return fail_at(builder, mark, "the file needs too much memory");
	}
	node->type = type;
	node->line = line_of(mark);
	node->column = column_of(mark);
	node->key = builder->have_key ? builder->key : STR_LIT("");
	node->key_line = builder->have_key ? builder->key_line : node->line;
	node->key_column = builder->have_key ? builder->key_column : node->column;
	if (mark == NULL && builder->have_key) { /* a value that is not written stands at its key */
		node->line = node->key_line;
		node->column = node->key_column;
	}
	builder->have_key = false;
	struct yaml_node *parent = open_parent(builder);
	if (parent == NULL) {
		builder->document->root = node;
	} else {
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

static int open_node(struct builder *builder, enum yaml_type type, const struct fy_mark *mark)
{
	if (in_mapping(builder) && !builder->have_key) {
		return fail_at(builder, mark, "a key must be a text");
	}
	if (builder->depth == YAML_MAX_DEPTH) {
		return fail_at(builder, mark, "nested deeper than 8");
	}
	struct yaml_node *node;
	int result = add_node(builder, type, mark, &node);
	if (result == 0) {
		builder->stack[builder->depth++] = (struct level){.node = node};
	}
	return result;
}

static int add_scalar(struct builder *builder, const struct fy_event_scalar_data *scalar,
		      const struct fy_mark *mark)
{
	if (in_mapping(builder) && !builder->have_key) {
		return take_key(builder, scalar->value, mark);
	}
	struct yaml_node *node;
	int result = add_node(builder, YAML_SCALAR, mark, &node);
	if (result != 0) {
		return result;
	}
	node->is_plain =
		scalar->value == NULL || fy_token_scalar_style(scalar->value) == FYSS_PLAIN;
	node->column -= quote_before(scalar->value);
	result = keep_text(builder, scalar->value, mark, &node->text);
	if (result != 0) {
		return result;
	}
	node->is_null = node->text.len == 0 && node->is_plain;
	if (str_find_byte(node->text, '\0', 0) >= 0) {
		return fail_at(builder, mark, "a text holds a NUL");
	}
	return 0;
}

static void close_level(struct builder *builder)
{
	struct level *level = &builder->stack[--builder->depth];
	if (level->has_keys) {
		strmap_done(&level->keys);
	}
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
		return open_node(builder, YAML_MAPPING, mark);
	case FYET_SEQUENCE_START:
		if (event->sequence_start.anchor != NULL || event->sequence_start.tag != NULL) {
			return fail_at(builder, mark, "anchors and tags are not allowed here");
		}
		return open_node(builder, YAML_SEQUENCE, mark);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		close_level(builder);
		return 0;
	case FYET_ALIAS:
		return fail_at(builder, mark, "aliases are not allowed here");
	case FYET_DOCUMENT_START:
		builder->document = arena_calloc(builder->arena, 1, sizeof(*builder->document));
		return builder->document != NULL
			       ? 0
			       : fail_at(builder, mark, "the file needs too much memory");
	case FYET_DOCUMENT_END:
		*builder->document_end = builder->document;
		builder->document_end = &builder->document->next;
		builder->result->document_count++;
		return 0;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
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
		return fail_at(builder, NULL, "not readable as YAML");
	}
	builder->result->line = first->line;
	builder->result->column = first->column;
	return error_set(builder->err, ERR_CONFIG, "%s", first->msg);
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
static int check_text(struct str text, struct yaml_result *out, struct error *err)
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
	out->line = line;
	out->column = column;
	return error_set(err, ERR_CONFIG, "not UTF-8 text");
}

/* Whether a text without a value is really blank or comments. */
static int check_blank(struct str text, struct yaml_result *out, struct error *err)
{
	struct str rest =
		str_has_prefix(text, STR_LIT("\xef\xbb\xbf")) ? str_slice(text, 3, text.len) : text;
	for (int line = 1; rest.ptr != NULL; line++) {
		struct str words = str_trim(str_split(&rest, '\n'));
		bool marker = str_has_prefix(words, STR_LIT("---")) ||
			      str_has_prefix(words, STR_LIT("...")) ||
			      str_has_prefix(words, STR_LIT("%"));
		if (words.len != 0 && words.ptr[0] != '#' && !marker) {
			out->line = line;
			return error_set(err, ERR_CONFIG, "not readable as YAML");
		}
	}
	return 0;
}

/* Whether any document holds something. */
static bool has_value(const struct yaml_result *result)
{
	for (const struct yaml_document *one = result->first; one != NULL; one = one->next) {
		if (one->root != NULL) {
			return true;
		}
	}
	return false;
}

static int parse_with(struct builder *builder, struct str text, struct fy_diag *diag)
{
	struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_PARSE, .diag = diag};
	struct fy_parser *parser = fy_parser_create(&cfg);
	int result;
	if (parser == NULL || fy_parser_set_string(parser, text.ptr, text.len) != 0) {
		result = error_set(builder->err, ERR_NOMEM, "no memory to read YAML");
	} else {
		result = run(builder, parser, diag);
	}
	while (builder->depth != 0) {
		close_level(builder);
	}
	fy_parser_destroy(parser);
	return result;
}

int yaml_read(struct str text, struct arena *arena, struct yaml_result *out, struct error *err)
{
	*out = (struct yaml_result){.line = 1, .column = 1};
	struct builder builder = {.input = text,
				  .arena = arena,
				  .err = err,
				  .result = out,
				  .document_end = &out->first};
	if (text.len > YAML_MAX_BYTES) {
		return error_set(err, ERR_CONFIG, "larger than 1 MiB");
	}
	if (str_trim(text).len == 0) {
		return 0;
	}
	int result = check_text(text, out, err);
	if (result != 0) {
		return result;
	}
	struct fy_diag_cfg diag_cfg;
	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.output_fn = drop_output;
	struct fy_diag *diag = fy_diag_create(&diag_cfg);
	if (diag == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to read YAML");
	}
	fy_diag_set_collect_errors(diag, true);
	result = parse_with(&builder, text, diag);
	fy_diag_destroy(diag);
	return result == 0 && !has_value(out) ? check_blank(text, out, err) : result;
}

int yaml_parse(const char *name, struct str text, struct arena *arena, struct yaml_node **out_root,
	       struct error *err)
{
	struct yaml_result parsed;
	int result = yaml_read(text, arena, &parsed, err);
	if (result == 0 && parsed.document_count > 1) {
		const struct yaml_node *second = parsed.first->next->root;
		parsed.line = second != NULL ? second->line : 1;
		parsed.column = second != NULL ? second->column : 1;
		result = error_set(err, ERR_CONFIG, "a second document is not allowed");
	}
	if (result != 0) {
		error_prefix(err, "%s:%d:%d", name, parsed.line, parsed.column);
		return result;
	}
	*out_root = parsed.first != NULL ? parsed.first->root : NULL;
	return 0;
}
