#include "correlator/rules/modifier.h"

enum what { STEP, KIND, COMPARE, PART, REGEX_FLAG, SWITCH };
enum which_switch { SWITCH_ALL, SWITCH_NEQ, SWITCH_CASED, SWITCH_EXPAND };

static const struct word {
	const char *name;
	enum what what;
	unsigned value;
} words[] = {
	{"all", SWITCH, SWITCH_ALL},
	{"startswith", STEP, STEP_STARTSWITH},
	{"endswith", STEP, STEP_ENDSWITH},
	{"contains", STEP, STEP_CONTAINS},
	{"exists", KIND, KIND_EXISTS},
	{"cased", SWITCH, SWITCH_CASED},
	{"neq", SWITCH, SWITCH_NEQ},
	{"windash", STEP, STEP_WINDASH},
	{"re", KIND, KIND_REGEX},
	{"i", REGEX_FLAG, RULE_REGEX_FOLD},
	{"m", REGEX_FLAG, RULE_REGEX_MULTILINE},
	{"s", REGEX_FLAG, RULE_REGEX_DOTALL},
	{"base64", STEP, STEP_BASE64},
	{"base64offset", STEP, STEP_BASE64OFFSET},
	{"utf16", STEP, STEP_UTF16},
	{"utf16le", STEP, STEP_UTF16LE},
	{"wide", STEP, STEP_UTF16LE},
	{"utf16be", STEP, STEP_UTF16BE},
	{"lt", COMPARE, RULE_OP_LT},
	{"lte", COMPARE, RULE_OP_LTE},
	{"gt", COMPARE, RULE_OP_GT},
	{"gte", COMPARE, RULE_OP_GTE},
	{"minute", PART, RULE_PART_MINUTE},
	{"hour", PART, RULE_PART_HOUR},
	{"day", PART, RULE_PART_DAY},
	{"week", PART, RULE_PART_WEEK},
	{"month", PART, RULE_PART_MONTH},
	{"year", PART, RULE_PART_YEAR},
	{"cidr", KIND, KIND_CIDR},
	{"fieldref", KIND, KIND_FIELDREF},
	{"expand", SWITCH, SWITCH_EXPAND},
};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

/* What a chain holds beside its result, for the checks. */
struct chain {
	struct rule_reader *reader;
	struct place place;
	struct modifiers *out;
	uint64_t seen;
	struct str kind_word;    /* that made it no plain text */
	struct str compare_word; /* lt, lte, gt, gte */
};

const char *modifier_step_name(enum modifier_step step)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		if (words[i].what == STEP && words[i].value == (unsigned)step) {
			return words[i].name;
		}
	}
	return "";
}

static int unknown(struct chain *chain, struct str word)
{
	const char *names[WORD_COUNT];
	char hint[96];
	for (size_t i = 0; i < WORD_COUNT; i++) {
		names[i] = words[i].name;
	}
	if (word.len == 0) {
		return rule_reader_fail(chain->reader, chain->place,
					"a modifier is missing behind \"|\"");
	}
	return rule_reader_fail(chain->reader, chain->place, "unknown modifier \"%.*s\"%s",
				STR_ARG(word), rule_reader_hint(word, names, WORD_COUNT, hint));
}

static int clash(struct chain *chain, struct str word, struct str other)
{
	return rule_reader_fail(chain->reader, chain->place,
				"the modifiers \"%.*s\" and \"%.*s\" do not go together",
				STR_ARG(other), STR_ARG(word));
}

/* A step: of a text, or where the text of another field stands. */
static int take_step(struct chain *chain, const struct word *word, struct str text)
{
	struct modifiers *out = chain->out;
	static const unsigned ref_flags[] = {
		[STEP_CONTAINS] = RULE_REF_HOLDS,
		[STEP_STARTSWITH] = RULE_REF_STARTS,
		[STEP_ENDSWITH] = RULE_REF_ENDS,
	};
	if (out->kind == KIND_FIELDREF && word->value <= STEP_ENDSWITH) {
		if (out->flags != 0) {
			return rule_reader_fail(chain->reader, chain->place,
						"fieldref takes one of startswith, endswith and "
						"contains");
		}
		out->flags = ref_flags[word->value];
		return 0;
	}
	if (out->kind != KIND_PLAIN) {
		return clash(chain, text, chain->kind_word);
	}
	if (out->step_count == MODIFIERS_MAX) {
		return rule_reader_fail(chain->reader, chain->place, "more than %d modifiers",
					MODIFIERS_MAX);
	}
	out->steps[out->step_count++] = (enum modifier_step)word->value;
	return 0;
}

static int take_kind(struct chain *chain, enum modifier_kind kind, struct str text)
{
	struct modifiers *out = chain->out;
	if (out->step_count != 0) {
		return clash(chain, text, str_of(modifier_step_name(out->steps[0])));
	}
	if (out->kind != KIND_PLAIN && out->kind != kind) {
		return clash(chain, text, chain->kind_word);
	}
	out->kind = kind;
	chain->kind_word = text;
	return 0;
}

static int take_compare(struct chain *chain, const struct word *word, struct str text)
{
	int result = take_kind(chain, KIND_COMPARE, text);
	if (result != 0) {
		return result;
	}
	if (word->what == PART) {
		if (chain->out->part != RULE_PART_NONE) {
			return rule_reader_fail(chain->reader, chain->place,
						"only one part of a time can be compared");
		}
		chain->out->part = (enum rule_part)word->value;
		return 0;
	}
	if (chain->compare_word.len != 0) {
		return clash(chain, text, chain->compare_word);
	}
	chain->compare_word = text;
	chain->out->compare = (enum rule_op)word->value;
	return 0;
}

static void take_switch(struct modifiers *out, enum which_switch which)
{
	switch (which) {
	case SWITCH_ALL:
		out->all = true;
		break;
	case SWITCH_NEQ:
		out->negated = true;
		break;
	case SWITCH_CASED:
		out->cased = true;
		break;
	case SWITCH_EXPAND:
		out->expand = true;
		break;
	}
}

static int take_word(struct chain *chain, struct str text)
{
	size_t i = 0;
	while (i < WORD_COUNT && !str_is(text, words[i].name)) {
		i++;
	}
	if (i == WORD_COUNT) {
		return unknown(chain, text);
	}
	if ((chain->seen >> i & 1) != 0) {
		return rule_reader_fail(chain->reader, chain->place,
					"the modifier \"%s\" stands twice", words[i].name);
	}
	chain->seen |= UINT64_C(1) << i;
	switch (words[i].what) {
	case STEP:
		return take_step(chain, &words[i], text);
	case KIND:
		return take_kind(chain, (enum modifier_kind)words[i].value, text);
	case COMPARE:
	case PART:
		return take_compare(chain, &words[i], text);
	case REGEX_FLAG:
		if (chain->out->kind != KIND_REGEX) {
			return rule_reader_fail(chain->reader, chain->place,
						"the modifier \"%s\" stands only behind \"re\"",
						words[i].name);
		}
		chain->out->flags |= words[i].value;
		return 0;
	case SWITCH:
		take_switch(chain->out, (enum which_switch)words[i].value);
		return 0;
	}
	return 0;
}

/* UTF-16 in a log is unreadable bytes: it is looked for in its Base64 form only. */
static int check_steps(struct chain *chain)
{
	const struct modifiers *out = chain->out;
	for (size_t i = 0; i < out->step_count; i++) {
		bool is_utf16 = out->steps[i] >= STEP_UTF16;
		bool encoded = i + 1 < out->step_count && (out->steps[i + 1] == STEP_BASE64 ||
							   out->steps[i + 1] == STEP_BASE64OFFSET);
		if (is_utf16 && !encoded) {
			return rule_reader_fail(
				chain->reader, chain->place,
				"\"%s\" needs base64 or base64offset right behind it",
				modifier_step_name(out->steps[i]));
		}
	}
	return 0;
}

static int check_whole(struct chain *chain)
{
	const struct modifiers *out = chain->out;
	if (out->cased && out->kind != KIND_PLAIN && out->kind != KIND_FIELDREF) {
		return clash(chain, STR_LIT("cased"), chain->kind_word);
	}
	if (out->expand && out->kind != KIND_PLAIN && out->kind != KIND_REGEX &&
	    out->kind != KIND_CIDR) {
		return clash(chain, STR_LIT("expand"), chain->kind_word);
	}
	if (out->kind == KIND_EXISTS && (out->all || out->negated)) {
		return clash(chain, str_of(out->all ? "all" : "neq"), chain->kind_word);
	}
	if (out->field.len == 0 && (out->kind != KIND_PLAIN && out->kind != KIND_REGEX)) {
		return rule_reader_fail(chain->reader, chain->place,
					"the modifier \"%.*s\" needs a field",
					STR_ARG(chain->kind_word));
	}
	return check_steps(chain);
}

int modifiers_read(struct rule_reader *reader, const struct yaml_node *node, struct modifiers *out)
{
	struct str rest = node->key;
	*out = (struct modifiers){.field = str_split(&rest, '|'), .compare = RULE_OP_EQUALS};
	struct chain chain = {.reader = reader, .place = rule_reader_at_key(node), .out = out};
	while (rest.ptr != NULL) {
		int result = take_word(&chain, str_split(&rest, '|'));
		if (result != 0) {
			return result;
		}
	}
	return check_whole(&chain);
}
