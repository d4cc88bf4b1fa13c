#include "correlator/rules/regex.h"

#include "correlator/rules/rule.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define WORK_MAX       500000000u /* match limit times places where a match may start */
#define MATCH_LIMIT    1000000u
#define MATCH_LIMIT_LO 1000u
#define DEPTH_LIMIT    2000
#define HEAP_LIMIT_KIB 8192
#define JIT_STACK_MIN  (32u << 10)
#define JIT_STACK_MAX  (512u << 10)
#define NESTING_MAX    100

struct regex {
	pcre2_code *code;
};

struct regex_scratch {
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_jit_stack *stack;
	uint32_t work;
};

static int explain(int code, struct error *err)
{
	PCRE2_UCHAR text[256];

	if (pcre2_get_error_message(code, text, sizeof(text)) < 0) {
		text[0] = '\0';
	}
	return error_set(err, ERR_CONFIG, "%s", (const char *)text);
}

static uint32_t options_of(unsigned flags)
{
	uint32_t options = PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

	options |= (flags & RULE_REGEX_FOLD) != 0 ? PCRE2_CASELESS : 0;
	options |= (flags & RULE_REGEX_MULTILINE) != 0 ? PCRE2_MULTILINE : 0;
	options |= (flags & RULE_REGEX_DOTALL) != 0 ? PCRE2_DOTALL : 0;
	return options;
}

int regex_new_at(struct str pattern, unsigned flags, struct regex **out_regex, size_t *out_offset,
		 struct error *err)
{
	struct regex *regex;
	pcre2_compile_context *context;
	int code = 0;
	PCRE2_SIZE offset = 0;

	if (pattern.len > REGEX_PATTERN_MAX) {
		*out_offset = REGEX_PATTERN_MAX;
		return error_set(err, ERR_CONFIG, "it has %zu bytes; at most %d are allowed",
				 pattern.len, REGEX_PATTERN_MAX);
	}
	regex = calloc(1, sizeof(*regex));
	context = pcre2_compile_context_create(NULL);
	if (regex == NULL || context == NULL) {
		free(regex);
		pcre2_compile_context_free(context);
		return error_set(err, ERR_NOMEM, "there is no memory for a regular expression");
	}
	(void)pcre2_set_parens_nest_limit(context, NESTING_MAX); /* can't fail */
	regex->code = pcre2_compile((PCRE2_SPTR)(pattern.len != 0 ? pattern.ptr : ""), pattern.len,
				    options_of(flags), &code, &offset, context);
	pcre2_compile_context_free(context);
	if (regex->code == NULL) {
		free(regex);
		*out_offset = offset;
		return explain(code, err);
	}
	/* without JIT (a pattern too large for it) the interpreter runs it under the same limits */
	(void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
	*out_regex = regex;
	return 0;
}

int regex_new(struct str pattern, unsigned flags, struct regex **out_regex, struct error *err)
{
	struct error what;
	size_t offset = 0;
	int result = regex_new_at(pattern, flags, out_regex, &offset, &what);

	if (result == -ERR_CONFIG && pattern.len > REGEX_PATTERN_MAX) {
		return error_set(err, ERR_CONFIG, "the regular expression: %s", what.text);
	}
	if (result == -ERR_CONFIG) {
		return error_set(err, ERR_CONFIG, "the regular expression is wrong at byte %zu: %s",
				 offset + 1, what.text);
	}
	if (result != 0) {
		return error_set(err, ERR_NOMEM, "%s", what.text);
	}
	return 0;
}

void regex_free(struct regex *regex)
{
	if (regex != NULL) {
		pcre2_code_free(regex->code);
		free(regex);
	}
}

int regex_scratch_new(struct regex_scratch **out_scratch, struct error *err)
{
	struct regex_scratch *scratch = calloc(1, sizeof(*scratch));

	if (scratch != NULL) {
		scratch->work = WORK_MAX;
		scratch->context = pcre2_match_context_create(NULL);
		scratch->data = pcre2_match_data_create(1, NULL);
		scratch->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	}
	if (scratch == NULL || scratch->context == NULL || scratch->data == NULL) {
		regex_scratch_free(scratch);
		return error_set(err, ERR_NOMEM, "there is no memory for regular expressions");
	}
	(void)pcre2_set_depth_limit(scratch->context, DEPTH_LIMIT); /* these can't fail */
	(void)pcre2_set_heap_limit(scratch->context, HEAP_LIMIT_KIB);
	if (scratch->stack != NULL) {
		pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	}
	*out_scratch = scratch;
	return 0;
}

void regex_scratch_free(struct regex_scratch *scratch)
{
	if (scratch != NULL) {
		pcre2_match_context_free(scratch->context);
		pcre2_match_data_free(scratch->data);
		pcre2_jit_stack_free(scratch->stack);
		free(scratch);
	}
}

void regex_scratch_bound(struct regex_scratch *scratch, uint32_t work)
{
	scratch->work = work;
}

/* One window: an inner border is no border of the text for ^ and $. */
static enum regex_result search(const struct regex *regex, struct regex_scratch *scratch,
				struct str text, uint32_t options, struct str *out_found)
{
	int result = pcre2_match(regex->code, (PCRE2_SPTR)(text.len != 0 ? text.ptr : ""), text.len,
				 0, options, scratch->data, scratch->context);

	if (result >= 0) {
		const PCRE2_SIZE *place = pcre2_get_ovector_pointer(scratch->data);

		if (out_found != NULL) { /* \K may put the start behind the end */
			*out_found = place[0] <= place[1]
					     ? str_slice(text, place[0], place[1] - place[0])
					     : str_slice(text, place[1], 0);
		}
		return REGEX_YES;
	}
	return result == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_LIMIT;
}

/* The limit holds for each place where a match may start: the more of them, the lower. */
static void set_limit(struct regex_scratch *scratch, size_t len)
{
	size_t limit = scratch->work / (len + 1);

	limit = limit > MATCH_LIMIT ? MATCH_LIMIT : limit < MATCH_LIMIT_LO ? MATCH_LIMIT_LO : limit;
	(void)pcre2_set_match_limit(scratch->context, (uint32_t)limit); /* can't fail */
}

enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
			       struct str text, struct str *out_found)
{
	enum regex_result worst = REGEX_NO;
	size_t at = 0;

	set_limit(scratch, text.len);
	if (text.len <= REGEX_WINDOW) {
		return search(regex, scratch, text, 0, out_found);
	}
	for (size_t windows = 0; windows < REGEX_WINDOWS_MAX; windows++) {
		bool last = text.len - at <= REGEX_WINDOW;
		uint32_t options = (at != 0 ? PCRE2_NOTBOL : 0) | (last ? 0 : PCRE2_NOTEOL);
		enum regex_result result = search(regex, scratch, str_slice(text, at, REGEX_WINDOW),
						  options, out_found);

		if (result == REGEX_YES) {
			return REGEX_YES;
		}
		worst = result == REGEX_LIMIT ? REGEX_LIMIT : worst;
		if (last) {
			return worst;
		}
		at += REGEX_WINDOW / 2;
	}
	return REGEX_LIMIT;
}
