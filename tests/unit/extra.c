/* Values in extra by what they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/extra.h"

static void expect(const char *json, enum name_extra what, const char *wanted)
{
	struct arena arena;
	struct str text = {NULL, 0};

	arena_init(&arena, 1 << 16);
	assert_int_equal(extra_find(str_of(json), what, &arena, &text), wanted != NULL);
	assert_true(str_is(text, wanted != NULL ? wanted : ""));
	arena_done(&arena);
}

static void keys_are_found_by_meaning(void **state)
{ /* proves that spellings of a key are one, escapes are resolved, numbers and words are texts */
	(void)state;
	expect("{\"a\":1,\"Referer\":\"http:\\/\\/x\\u00e9\"}", EXTRA_REFERER, "http://xé");
	expect("{\"context.identity.userArn\":\"arn:x\"}", EXTRA_USER_ARN, "arn:x");
	expect("{\"requestContext.domain_name\":\"h\"}", EXTRA_HOST, "h");
	expect("{\"request-length\":17}", EXTRA_REQUEST_BYTES, "17");
	expect("{\"is_column_permission\":true}", EXTRA_COLUMN_PERMISSION, "true");
}

static void others_are_not(void **state)
{ /* proves that longer keys, inner objects, null and broken JSON give nothing */
	(void)state;
	expect("{\"referers\":\"x\",\"refere\":\"y\"}", EXTRA_REFERER, NULL);
	expect("{\"a\":{\"referer\":\"x\"}}", EXTRA_REFERER, NULL);
	expect("{\"referer\":null,\"b\":\"x\"}", EXTRA_REFERER, NULL);
	expect("{\"referer\":[\"x\"]}", EXTRA_REFERER, NULL);
	expect("{\"referer\":\"x", EXTRA_REFERER, NULL);
	expect("", EXTRA_REFERER, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found_by_meaning),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
