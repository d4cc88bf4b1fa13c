#include "correlator/rules/condition.h"

#include "base/parse.h"

#define DEPTH_MAX 64
#define WAYS_MAX  4096

struct parser {
	struct rule_reader *reader;
	const struct yaml_node *node;
	const struct searches *searches;
	struct str text;
	size_t at;       /* behind the token */
	size_t token_at; /* where it begins */
	struct str token;
	unsigned depth;
};

/* Nodes of a row that are joined at its end. */
struct row {
	const struct rule_node **items;
	size_t count, capacity;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The place of a byte of the condition, as far as the YAML text stands as it was written. */
static struct place place_of(const struct parser *parser, size_t offset)
{
	struct place place = rule_reader_at(parser->node);
	if (str_find_byte(parser->text, '\n', 0) < 0) {
		place.column += (int)offset + (parser->node->is_plain ? 0 : 1);
	}
	return place;
}

static void next(struct parser *parser)
{
	struct str text = parser->text;
	size_t at = parser->at;
	while (at < text.len && is_space(text.ptr[at])) {
		at++;
	}
	parser->token_at = at;
	if (at < text.len && strchr("()|,", text.ptr[at]) != NULL) {
		at++;
	} else {
		while (at < text.len && !is_space(text.ptr[at]) &&
		       strchr("()|,", text.ptr[at]) == NULL) {
			at++;
		}
	}
	parser->token = str_slice(text, parser->token_at, at - parser->token_at);
	parser->at = at;
}

static bool token_is(const struct parser *parser, const char *word)
{
	return str_equal_fold(parser->token, str_of(word));
}

static int unexpected(struct parser *parser)
{
	struct place place = place_of(parser, parser->token_at);
	if (parser->token.len == 0) {
		return rule_reader_fail(parser->reader, place, "the condition ends too early");
	}
	if (token_is(parser, "|")) {
		struct str rest = str_trim(str_slice(parser->text, parser->at, parser->text.len));
		return rule_reader_fail(parser->reader, place,
					"the aggregation \"| %.*s\" is not supported: aggregations "
					"were taken out of Sigma 2, and correlation rules are not "
					"read by this version",
					STR_ARG(rest));
	}
	return rule_reader_fail(parser->reader, place,
				"\"%.*s\" is not expected here in a condition",
				STR_ARG(parser->token));
}

static int row_add(struct parser *parser, struct row *row, const struct rule_node *node)
{
	if (row->count == row->capacity) {
		size_t capacity = row->capacity != 0 ? row->capacity * 2 : 8;
		const struct rule_node **items =
			arena_alloc(parser->reader->scratch, capacity * sizeof(*items));
		if (items == NULL) {
			return rule_reader_full(parser->reader, rule_reader_at(parser->node));
		}
		if (row->count != 0) {
			memcpy(items, row->items, row->count * sizeof(*items));
		}
		row->items = items;
		row->capacity = capacity;
	}
	row->items[row->count++] = node;
	return 0;
}

static int join(struct parser *parser, enum rule_node_type type, const struct row *row,
		const struct rule_node **out)
{
	if (row->count == 1 && type != RULE_NOT) {
		*out = row->items[0];
		return 0;
	}
	struct rule_node *node = rule_reader_node(
		parser->reader, place_of(parser, parser->token_at), type, row->count);
	if (node == NULL) {
		return -ERR_CONFIG;
	}
	memcpy((void *)node->children, row->items, row->count * sizeof(*row->items));
	*out = node;
	return 0;
}

static int read_or(struct parser *parser, const struct rule_node **out);

/* One search by its name. */
static int read_name(struct parser *parser, const struct rule_node **out)
{
	const struct searches *all = parser->searches;
	for (size_t i = 0; i < all->count; i++) {
		if (str_equal(all->items[i].name, parser->token)) {
			*out = all->items[i].node;
			next(parser);
			return 0;
		}
	}
	const char **names = arena_calloc(parser->reader->scratch, all->count, sizeof(*names));
	char hint[96] = "";
	if (names == NULL) {
		return rule_reader_full(parser->reader, rule_reader_at(parser->node));
	}
	for (size_t i = 0; i < all->count; i++) {
		names[i] = all->items[i].name.ptr;
	}
	if (str_find_byte(parser->token, '*', 0) >= 0) {
		return rule_reader_fail(
			parser->reader, place_of(parser, parser->token_at),
			"the pattern \"%.*s\" needs \"1 of\" or \"all of\" before it",
			STR_ARG(parser->token));
	}
	return rule_reader_fail(parser->reader, place_of(parser, parser->token_at),
				"the detection has no search \"%.*s\"%s", STR_ARG(parser->token),
				rule_reader_hint(parser->token, names, all->count, hint));
}

/* "At least k of the members from i on": with member i and k - 1 of the others, or k of the others. need[k] is what it becomes, need[k] and
 * need[k - 1] hold the same for the members behind. */
static int need_more(struct parser *parser, const struct row *row, size_t i, size_t k,
		     const struct rule_node **need)
{
	struct row with = {0}, either = {0};
	const struct rule_node *taken;
	int result = row_add(parser, &with, row->items[i]);
	if (result == 0 && k > 1) {
		result = row_add(parser, &with, need[k - 1]);
	}
	result = result == 0 ? join(parser, RULE_AND, &with, &taken) : result;
	result = result == 0 ? row_add(parser, &either, taken) : result;
	if (result == 0 && row->count - i > k) {
		result = row_add(parser, &either, need[k]);
	}
	return result == 0 ? join(parser, RULE_OR, &either, &need[k]) : result;
}

/* At least `least` of the row: each way is a path through nodes that are shared. */
static int join_some(struct parser *parser, const struct row *row, size_t least,
		     const struct rule_node **out)
{
	size_t ways = 1;
	for (size_t i = 0; i < least; i++) {
		ways = ways * (row->count - i) / (i + 1);
		if (ways > WAYS_MAX) {
			return rule_reader_fail(parser->reader, place_of(parser, parser->token_at),
						"\"%zu of\" %zu searches has too many ways", least,
						row->count);
		}
	}
	const struct rule_node **need =
		arena_calloc(parser->reader->scratch, least + 1, sizeof(*need));
	if (need == NULL) {
		return rule_reader_full(parser->reader, rule_reader_at(parser->node));
	}
	int result = 0;
	for (size_t i = row->count; i-- != 0 && result == 0;) {
		size_t k = least < row->count - i ? least : row->count - i;
		for (; k >= 1 && result == 0; k--) {
			result = need_more(parser, row, i, k, need);
		}
	}
	*out = need[least];
	return result;
}

/* The searches that the token means: all of `them`, or those that fit the pattern. */
static int find_some(struct parser *parser, struct row *out)
{
	struct str pattern = parser->token;
	bool them = token_is(parser, "them");
	int result = 0;
	for (size_t i = 0; i < parser->searches->count && result == 0; i++) {
		const struct search *search = &parser->searches->items[i];
		bool hidden = str_has_prefix(search->name, STR_LIT("_")) &&
			      (them || pattern.ptr[0] != '_');
		if (!hidden && (them || str_glob(search->name, pattern))) {
			result = row_add(parser, out, search->node);
		}
	}
	if (result == 0 && out->count == 0) {
		return rule_reader_fail(parser->reader, place_of(parser, parser->token_at),
					"no search fits \"%.*s\"", STR_ARG(pattern));
	}
	return result;
}

/* How many of the row the quantifier asks for. */
static int count_some(struct parser *parser, struct str quantifier, const struct row *row,
		      size_t *out_least)
{
	uint64_t least = 1;
	if (str_equal_fold(quantifier, STR_LIT("all"))) {
		least = row->count;
	} else if (!str_equal_fold(quantifier, STR_LIT("any")) &&
		   (!parse_u64(quantifier, &least) || least == 0 || least > row->count)) {
		return rule_reader_fail(parser->reader, place_of(parser, parser->token_at),
					"\"%.*s of %.*s\" can't be: %zu searches fit",
					STR_ARG(quantifier), STR_ARG(parser->token), row->count);
	}
	*out_least = (size_t)least;
	return 0;
}

/* `N of PATTERN`: the quantifier is the token before; the token is the pattern. */
static int read_some(struct parser *parser, struct str quantifier, const struct rule_node **out)
{
	struct row row = {0};
	size_t least = 0;
	if (parser->token.len == 0 || strchr("()|,", parser->token.ptr[0]) != NULL) {
		return unexpected(parser);
	}
	int result = find_some(parser, &row);
	result = result == 0 ? count_some(parser, quantifier, &row, &least) : result;
	if (result != 0) {
		return result;
	}
	if (least == row.count) {
		result = join(parser, RULE_AND, &row, out);
	} else if (least == 1) {
		result = join(parser, RULE_OR, &row, out);
	} else {
		result = join_some(parser, &row, least, out);
	}
	next(parser);
	return result;
}

static bool is_quantifier(struct str word)
{
	uint64_t number;
	return str_equal_fold(word, STR_LIT("all")) || str_equal_fold(word, STR_LIT("any")) ||
	       parse_u64(word, &number);
}

static int read_primary(struct parser *parser, const struct rule_node **out)
{
	if (token_is(parser, "(")) {
		next(parser);
		int result = read_or(parser, out);
		if (result == 0 && !token_is(parser, ")")) {
			return parser->token.len != 0
				       ? unexpected(parser)
				       : rule_reader_fail(parser->reader,
							  place_of(parser, parser->token_at),
							  "a parenthesis is not closed");
		}
		if (result == 0) {
			next(parser);
		}
		return result;
	}
	if (parser->token.len == 0 || strchr(")|,", parser->token.ptr[0]) != NULL ||
	    token_is(parser, "and") || token_is(parser, "or")) {
		return unexpected(parser);
	}
	if (is_quantifier(parser->token)) {
		struct parser before = *parser;
		struct str quantifier = parser->token;
		next(parser);
		if (token_is(parser, "of")) {
			next(parser);
			return read_some(parser, quantifier, out);
		}
		*parser = before;
	}
	return read_name(parser, out);
}

static int read_not(struct parser *parser, const struct rule_node **out)
{
	if (++parser->depth > DEPTH_MAX) {
		return rule_reader_fail(parser->reader, place_of(parser, parser->token_at),
					"the condition is nested deeper than %d", DEPTH_MAX);
	}
	int result;
	if (token_is(parser, "not")) {
		struct row row = {0};
		const struct rule_node *child;
		next(parser);
		result = read_not(parser, &child);
		result = result == 0 ? row_add(parser, &row, child) : result;
		result = result == 0 ? join(parser, RULE_NOT, &row, out) : result;
	} else {
		result = read_primary(parser, out);
	}
	parser->depth--;
	return result;
}

/* Terms with `word` between them. */
static int read_row(struct parser *parser, const char *word, enum rule_node_type type,
		    const struct rule_node **out)
{
	struct row row = {0};
	for (;;) {
		const struct rule_node *child;
		int result = type == RULE_OR ? read_row(parser, "and", RULE_AND, &child)
					     : read_not(parser, &child);
		result = result == 0 ? row_add(parser, &row, child) : result;
		if (result != 0) {
			return result;
		}
		if (!token_is(parser, word)) {
			return join(parser, type, &row, out);
		}
		next(parser);
	}
}

static int read_or(struct parser *parser, const struct rule_node **out)
{
	return read_row(parser, "or", RULE_OR, out);
}

static int read_text(struct parser *parser, const struct yaml_node *node,
		     const struct rule_node **out)
{
	if (node->type != YAML_SCALAR || yaml_is_null(node)) {
		return rule_reader_fail(parser->reader, rule_reader_at(node),
					"the condition must be a text or a list of texts");
	}
	parser->node = node;
	parser->text = node->text;
	parser->at = 0;
	next(parser);
	int result = read_or(parser, out);
	return result == 0 && parser->token.len != 0 ? unexpected(parser) : result;
}

int condition_read(struct rule_reader *reader, const struct yaml_node *node,
		   const struct searches *searches, const struct rule_node **out)
{
	struct parser parser = {.reader = reader, .node = node, .searches = searches};
	struct row row = {0};
	if (node->type == YAML_SCALAR) {
		return read_text(&parser, node, out);
	}
	if (node->type == YAML_MAPPING || node->child_count == 0) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"the condition must be a text or a list of texts");
	}
	for (const struct yaml_node *one = node->first_child; one != NULL; one = one->next) {
		const struct rule_node *child;
		int result = read_text(&parser, one, &child);
		result = result == 0 ? row_add(&parser, &row, child) : result;
		if (result != 0) {
			return result;
		}
	}
	return join(&parser, RULE_OR, &row, out);
}
