#define PCRE2_CODE_UNIT_WIDTH 8

#include "correlator/rules/literal.h"

#include "base/parse.h"
#include "correlator/rules/placeholder.h"

#include <arpa/inet.h>
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>

#define REGEX_MAX_BYTES 65535

/* A longer one with "?" would be tried at each place of a long statement, character by character. */
#define ANY_BYTE_CODES_MAX 1024

/* Whole numbers beyond this are not exact as a double: they are compared as texts. */
#define EXACT_MAX 9007199254740992.0

static int add(struct rule_reader *reader, struct place place, struct literals *out,
	       struct rule_value value)
{
	if (++reader->value_count > PACK_VALUES_MAX) {
		return rule_reader_fail(reader, place, "the rule grows to more than %d values",
					PACK_VALUES_MAX);
	}
	if (out->count == out->capacity) {
		size_t capacity = out->capacity != 0 ? out->capacity * 2 : 8;
		struct rule_value *items =
			arena_alloc(reader->scratch, capacity * sizeof(*out->items));
		if (items == NULL) {
			return rule_reader_full(reader, place);
		}
		if (out->count != 0) {
			memcpy(items, out->items, out->count * sizeof(*items));
		}
		out->items = items;
		out->capacity = capacity;
	}
	out->items[out->count++] = value;
	return 0;
}

bool literal_number(struct str text, double *out_number)
{
	char copy[64], *end;
	if (text.len == 0 || text.len >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	bool hex = str_has_prefix(text, STR_LIT("0x"));
	const char *allowed = hex ? "0123456789abcdefABCDEFx" : "0123456789+-.eE";
	if (strspn(copy, allowed) != text.len || strpbrk(copy, "0123456789") == NULL ||
	    (!hex && copy[0] != '\0' && strchr("eE", copy[0]) != NULL)) {
		return false;
	}
	double number = strtod(copy, &end);
	if (*end != '\0' || !isfinite(number)) {
		return false;
	}
	*out_number = number;
	return true;
}

static bool is_bool(const struct yaml_node *node)
{
	return node->is_plain && (str_equal_fold(node->text, STR_LIT("true")) ||
				  str_equal_fold(node->text, STR_LIT("false")));
}

static int keep_text(struct rule_reader *reader, struct place place, struct str text,
		     struct str *out)
{
	return arena_str(reader->arena, text, out) == 0 ? 0 : rule_reader_full(reader, place);
}

static bool has_any_byte(const struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++) {
		if (pattern->codes[i] == RULE_ANY_BYTE) {
			return true;
		}
	}
	return false;
}

/* A pattern becomes a value that stays. */
static int add_pattern(struct rule_reader *reader, const struct yaml_node *node,
		       const struct pattern *pattern, unsigned alternative, struct literals *out)
{
	struct rule_value value = {.op = RULE_OP_GLOB, .alternative = alternative};
	if (pattern->count > ANY_BYTE_CODES_MAX && has_any_byte(pattern)) {
		return rule_reader_fail(
			reader, rule_reader_at(node),
			"a value with the wildcard \"?\" is longer than %d characters",
			ANY_BYTE_CODES_MAX);
	}
	uint16_t *codes = rule_reader_new(reader, pattern->count + 1, sizeof(*codes));
	if (codes == NULL) {
		return rule_reader_full(reader, rule_reader_at(node));
	}
	if (pattern->count != 0) {
		memcpy(codes, pattern->codes, pattern->count * sizeof(*codes));
	}
	value.glob = codes;
	value.glob_len = pattern->count;
	int result = keep_text(reader, rule_reader_at(node), node->text, &value.text);
	return result == 0 ? add(reader, rule_reader_at(node), out, value) : result;
}

static int add_text(struct rule_reader *reader, const struct modifiers *modifiers,
		    const struct yaml_node *node, unsigned alternative, struct literals *out)
{
	struct place place = rule_reader_at(node);
	struct patterns patterns = {0};
	struct pattern pattern = {0};
	int result;
	if (modifiers->expand) {
		result = placeholder_patterns(reader, node, &patterns);
	} else {
		result = pattern_put_text(reader, place, &pattern, node->text);
		result = result == 0 ? patterns_add(reader, place, &patterns, pattern) : result;
	}
	for (size_t i = 0; i < modifiers->step_count && result == 0; i++) {
		result = patterns_step(reader, place, modifiers->steps[i], &patterns);
	}
	if (result == 0 && modifiers->field.len == 0) { /* a keyword stands anywhere */
		result = patterns_step(reader, place, STEP_CONTAINS, &patterns);
	}
	for (size_t i = 0; i < patterns.count && result == 0; i++) {
		result = add_pattern(reader, node, &patterns.items[i], alternative, out);
	}
	return result;
}

static int add_plain(struct rule_reader *reader, const struct modifiers *modifiers,
		     const struct yaml_node *node, unsigned alternative, struct literals *out)
{
	struct rule_value value = {.alternative = alternative};
	bool is_text = modifiers->step_count != 0 || modifiers->field.len == 0 || !node->is_plain;
	if (yaml_is_null(node)) {
		if (modifiers->step_count != 0) {
			return rule_reader_fail(reader, rule_reader_at(node),
						"null does not go with the modifier \"%s\"",
						modifier_step_name(modifiers->steps[0]));
		}
		if (modifiers->field.len == 0) {
			return rule_reader_fail(reader, rule_reader_at(node), "a keyword is empty");
		}
		value.op = RULE_OP_NULL;
		return add(reader, rule_reader_at(node), out, value);
	}
	if (modifiers->field.len == 0 && node->text.len == 0) {
		return rule_reader_fail(reader, rule_reader_at(node), "a keyword is empty");
	}
	if (!is_text && literal_number(node->text, &value.number) &&
	    fabs(value.number) < EXACT_MAX) {
		value.op = RULE_OP_EQUALS;
		int result = keep_text(reader, rule_reader_at(node), node->text, &value.text);
		return result == 0 ? add(reader, rule_reader_at(node), out, value) : result;
	}
	return add_text(reader, modifiers, node, alternative, out);
}

static int check_regex(struct rule_reader *reader, const struct modifiers *modifiers,
		       const struct yaml_node *node, struct str text)
{
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	options |= (modifiers->flags & RULE_REGEX_FOLD) != 0 ? PCRE2_CASELESS : 0u;
	options |= (modifiers->flags & RULE_REGEX_MULTILINE) != 0 ? PCRE2_MULTILINE : 0u;
	options |= (modifiers->flags & RULE_REGEX_DOTALL) != 0 ? PCRE2_DOTALL : 0u;
	int code = 0;
	PCRE2_SIZE at = 0;
	if (text.len > REGEX_MAX_BYTES) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"the regular expression is longer than %d bytes",
					REGEX_MAX_BYTES);
	}
	pcre2_code *compiled =
		pcre2_compile((PCRE2_SPTR)text.ptr, text.len, options, &code, &at, NULL);
	if (compiled == NULL) {
		unsigned char message[256] = "";
		(void)pcre2_get_error_message(code, message, sizeof(message)); /* cut, if longer */
		return rule_reader_fail(reader, rule_reader_at(node),
					"regular expression: %s, at character %zu",
					(const char *)message, (size_t)at + 1);
	}
	pcre2_code_free(compiled);
	return 0;
}

/* Whether text is ADDRESS/BITS, or an address alone. */
static bool is_network(struct str text)
{
	struct str rest = text, address = str_split(&rest, '/');
	uint64_t bits = 0;
	bool v6 = str_find_byte(address, ':', 0) >= 0;
	if (!parse_is_ip(address)) {
		return false;
	}
	return rest.ptr == NULL || (parse_u64(rest, &bits) && bits <= (v6 ? 128u : 32u));
}

/* Whether bits are set behind the prefix: then it names an address, not a network. */
static bool is_host_in_network(struct str text)
{
	char copy[64];
	uint8_t bytes[16];
	struct str rest = text, address = str_split(&rest, '/');
	uint64_t bits = 0;
	if (rest.ptr == NULL || address.len >= sizeof(copy) || !parse_u64(rest, &bits)) {
		return false;
	}
	memcpy(copy, address.ptr, address.len);
	copy[address.len] = '\0';
	bool v6 = strchr(copy, ':') != NULL;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, bytes) != 1) {
		return false;
	}
	for (size_t i = (size_t)bits; i < (v6 ? 128u : 32u); i++) {
		if ((bytes[i / 8] >> (7 - i % 8) & 1) != 0) {
			return true;
		}
	}
	return false;
}

static int check_network(struct rule_reader *reader, const struct yaml_node *node, struct str text)
{
	if (!is_network(text)) {
		return rule_reader_fail(
			reader, rule_reader_at(node),
			"\"%.*s\" is no network such as 10.0.0.0/8 or 2001:db8::/32",
			STR_ARG(text));
	}
	if (is_host_in_network(text)) {
		return rule_reader_fail(
			reader, rule_reader_at(node),
			"\"%.*s\" has bits set behind its prefix, so it is no network",
			STR_ARG(text));
	}
	return 0;
}

static int add_regex_or_cidr(struct rule_reader *reader, const struct modifiers *modifiers,
			     const struct yaml_node *node, unsigned alternative,
			     struct literals *out)
{
	bool regex = modifiers->kind == KIND_REGEX;
	struct str one, *texts = &one;
	size_t count = 1;
	int result = modifiers->expand ? placeholder_texts(reader, node, regex, &texts, &count)
				       : keep_text(reader, rule_reader_at(node), node->text, &one);
	for (size_t i = 0; i < count && result == 0; i++) {
		struct rule_value value = {.op = regex ? RULE_OP_REGEX : RULE_OP_CIDR,
					   .text = texts[i],
					   .flags = modifiers->flags,
					   .alternative = alternative};
		result = regex ? check_regex(reader, modifiers, node, texts[i])
			       : check_network(reader, node, texts[i]);
		result = result == 0 ? add(reader, rule_reader_at(node), out, value) : result;
	}
	return result;
}

static int add_comparison(struct rule_reader *reader, const struct modifiers *modifiers,
			  const struct yaml_node *node, unsigned alternative, struct literals *out)
{
	static const struct {
		const char *name;
		double least, most;
	} ranges[] = {
		[RULE_PART_MINUTE] = {"a minute", 0, 59}, [RULE_PART_HOUR] = {"an hour", 0, 23},
		[RULE_PART_DAY] = {"a day", 1, 31},       [RULE_PART_WEEK] = {"a week", 1, 53},
		[RULE_PART_MONTH] = {"a month", 1, 12},   [RULE_PART_YEAR] = {"a year", 1, 9999},
	};
	struct rule_value value = {.op = modifiers->compare, .alternative = alternative};
	if (!node->is_plain || !literal_number(node->text, &value.number)) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"a number without quotes is needed here, not \"%.*s\"",
					STR_ARG(node->text));
	}
	if (modifiers->part != RULE_PART_NONE && (value.number < ranges[modifiers->part].least ||
						  value.number > ranges[modifiers->part].most)) {
		return rule_reader_fail(reader, rule_reader_at(node),
					"%s is a number from %.0f to %.0f",
					ranges[modifiers->part].name, ranges[modifiers->part].least,
					ranges[modifiers->part].most);
	}
	int result = keep_text(reader, rule_reader_at(node), node->text, &value.text);
	return result == 0 ? add(reader, rule_reader_at(node), out, value) : result;
}

int literals_add(struct rule_reader *reader, const struct modifiers *modifiers,
		 const struct yaml_node *node, unsigned alternative, struct literals *out)
{
	struct rule_value value = {.alternative = alternative, .flags = modifiers->flags};
	if (modifiers->kind == KIND_PLAIN) {
		return add_plain(reader, modifiers, node, alternative, out);
	}
	if (yaml_is_null(node) || node->text.len == 0) {
		return rule_reader_fail(reader, rule_reader_at(node), "a value is needed here");
	}
	switch (modifiers->kind) {
	case KIND_PLAIN:
		break;
	case KIND_REGEX:
	case KIND_CIDR:
		return add_regex_or_cidr(reader, modifiers, node, alternative, out);
	case KIND_COMPARE:
		return add_comparison(reader, modifiers, node, alternative, out);
	case KIND_EXISTS:
		if (!is_bool(node)) {
			return rule_reader_fail(reader, rule_reader_at(node),
						"exists needs true or false without quotes");
		}
		value.op = RULE_OP_EXISTS;
		value.number = str_equal_fold(node->text, STR_LIT("true"));
		return add(reader, rule_reader_at(node), out, value);
	case KIND_FIELDREF:
		value.op = RULE_OP_FIELDREF;
		int result = keep_text(reader, rule_reader_at(node), node->text, &value.text);
		return result == 0 ? add(reader, rule_reader_at(node), out, value) : result;
	}
	return 0;
}
