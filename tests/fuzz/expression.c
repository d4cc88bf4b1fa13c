/* Proves: any expression compiles or is told to be wrong within its bytes; where it matches, the text holds one of the texts, or the run of bytes, that it must hold.
 * The input is the expression, a zero byte, and the text. */
#include "query/expression.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds) {
		abort();
	}
}

static bool holds_one(const struct expression *expression, struct str text)
{
	for (size_t i = 0; i < expression->must_count; i++) {
		if (str_find_fold(text, expression->must[i], 0) >= 0) {
			return true;
		}
	}
	for (size_t at = 0; expression->class_count > 0 && at < text.len; at++) {
		size_t i = 0;
		while (i < expression->class_count && at + i < text.len &&
		       byteset_has(&expression->classes[i], (uint8_t)text.ptr[at + i])) {
			i++;
		}
		if (i == expression->class_count) {
			return true;
		}
	}
	return expression->must_count == 0 && expression->class_count == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_make(data, size);
	ptrdiff_t zero = str_find_byte(input, '\0', 0);
	size_t len = zero >= 0 ? (size_t)zero : size;
	struct str pattern = str_slice(input, 0, len);
	struct str text = str_slice(input, len + 1, size);
	struct arena arena;
	struct expression *expression = NULL;
	struct error err;
	size_t at = 0;
	arena_init(&arena, 1u << 20);
	int rc = expression_new(pattern, &arena, &expression, &at, &err);
	check(rc == 0 || rc == -ERR_CONFIG || rc == -ERR_LIMIT);
	check(rc != -ERR_CONFIG || at <= pattern.len);
	if (rc == 0 && expression_matches(expression, text)) {
		check(holds_one(expression, text));
	}
	arena_done(&arena);
	return 0;
}
