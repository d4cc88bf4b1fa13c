#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/context.h"

static const struct str no_key;

static void check_request_id(const char *statement, const char *id)
{
	struct context context;

	assert_true(context_from_comment(str_of(statement), no_key, &context));
	assert_true(str_is(context.request_id, id));
	assert_int_equal(context.signature, CONTEXT_UNSIGNED);
}

static void leading_and_trailing_comments(void **state)
{
	/* all places and spellings of a comment that counts */
	(void)state;
	check_request_id("/*request_id=a-1*/ SELECT 1", "a-1");
	check_request_id("  \n-- request_id=a-1\nSELECT 1", "a-1");
	check_request_id("(@p0 int)/*request_id='a-1'*/ SELECT @p0", "a-1");
	check_request_id("SELECT 1 /*app='x',request_id='a-1'*/", "a-1");
	check_request_id("SELECT 1 -- request_id=a-1", "a-1");
	check_request_id("SELECT 1 -- request_id=a-1\n ;\n", "a-1");
	check_request_id("SELECT 1 /*request_id='GQ%2FIV%3D'*/;", "GQ/IV=");
	check_request_id("SELECT 1 -- x\n-- request_id=a-1", "a-1");
	check_request_id("SELECT 1 -1 - 2 --- request_id=a-1", "a-1");
	check_request_id("SELECT '2026-01-05'\r\n--x--request_id=z,--\r\n-- request_id=a-1 --;",
			 "a-1");
	check_request_id("/*note='it\\'s',request_id='a-1'*/ SELECT 1", "a-1");
	check_request_id("/* made by x */ SELECT 1 /* request_id=a-1 */", "a-1");
	check_request_id("/*request_id=a-1*/ SELECT 1 /*request_id=b-2*/", "a-1");
	check_request_id("SELECT 1 /*request_id=b-2*/ /*request_id=a-1*/", "a-1");
	check_request_id("/*request_id=a-1,request_id='a-1'*/ SELECT 1", "a-1");
	check_request_id("/* qt1 r=a-1 */ SELECT 1", "a-1");
}

static void traceparent_gives_a_trace(void **state)
{
	/* a W3C traceparent is taken, one that is not well formed or all zero is not */
	struct context context;

	(void)state;
	assert_true(
		context_from_comment(STR_LIT("SELECT 1 "
					     "/*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-"
					     "00f067aa0ba902b7-01'*/"),
				     no_key, &context));
	assert_true(str_is(context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736"));
	assert_false(
		context_from_comment(STR_LIT("SELECT 1 "
					     "/*traceparent='00-00000000000000000000000000000000-"
					     "00f067aa0ba902b7-01'*/"),
				     no_key, &context));
	assert_false(
		context_from_comment(STR_LIT("SELECT 1 "
					     "/*traceparent='00-4BF92f3577b34da6a3ce929d0e0e4736-"
					     "00f067aa0ba902b7-01'*/"),
				     no_key, &context));
	assert_false(context_from_comment(STR_LIT("SELECT 1 /*traceparent='00-4bf9'*/"), no_key,
					  &context));
}

/* The places of a statement of 200 spaces where a mark may stand. */
#define PLACES 200

static void marks_are_seen_wherever_they_stand(void **state)
{
	/* a statement is looked through many bytes at a time: what opens a string, a comment or doubt counts at each place of it */
	static const struct {
		const char *mark;
		bool counts; /* the comment at the end still does */
	} cases[] = {{"'", false},       {"\"", false},   {"[", false},   {"--", false},
		     {"/*", false},      {"'--'", true},  {"'['", true},  {"$", true},
		     {"- -", true},      {"\\", true},    {"'/*'", true}, {"'\"'", true},
		     {"\xc3\xa4", true}, {"/*x*/", true}, {"\x7f", true}};
	char statement[PLACES + 64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t at = 0; at < PLACES; at++) {
			struct context context;

			memset(statement, ' ', sizeof(statement));
			memcpy(statement, "x", 1);
			memcpy(statement + 1 + at, cases[i].mark, strlen(cases[i].mark));
			memcpy(statement + PLACES + 16, "/*request_id=a-1*/", 18);
			assert_int_equal(context_from_comment(str_make(statement, PLACES + 16 + 18),
							      no_key, &context),
					 cases[i].counts);
		}
	}
}

static void other_places_never_count(void **state)
{
	/* text in literals, quoted names, inner comments and comments in the middle is no context */
	static const char *const statements[] = {
		"SELECT '/*request_id=a*/'",
		"SELECT N'x /*request_id=a*/'",
		"SELECT 1 AS [/*request_id=a*/]",
		"SELECT 1 AS \"/*request_id=a*/\"",
		"SELECT 'it''s /*request_id=a*/'",
		"SELECT 1 /*request_id=a*/ + 2",
		"/* /*request_id=a*/ */ SELECT 1",
		"/* x /* y */ request_id=a */ SELECT 1",
		"-- x /* request_id=a */\nSELECT 1",
		"SELECT 'open --request_id=a",
		"SELECT 1 /* request_id=a",
		"/* request_id=a",
		"SELECT '--request_id=a'",
		"SELECT 1 -- it's\n + '--request_id=a'",
		"/*note='request_id=a'*/ SELECT 1",
		"/*my_request_id=a*/ SELECT 1",
		"/*request_id=a,request_id=b*/ SELECT 1",
		"/*request_id=%zz*/ SELECT 1",
		"/*request_id='a*/ SELECT 1",
		"/*request_id=*/ SELECT 1",
		"/**/",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		struct context context;

		if (context_from_comment(str_of(statements[i]), no_key, &context)) {
			fail_msg("taken for a context: %s", statements[i]);
		}
	}
}

static void decoded_id_lives_in_the_struct(void **state)
{
	/* a percent-encoded id stands in the caller's struct, not in one that is gone */
	struct context context;

	(void)state;
	assert_true(context_from_comment(STR_LIT("/*request_id=a%3D*/SELECT 1"), no_key, &context));
	assert_ptr_equal(context.request_id.ptr, context.decoded);
	assert_true(str_is(context.request_id, "a="));
}

/* Some text of the pieces that borders of strings and comments are made of. */
static size_t put_pieces(uint64_t *random, char *out)
{
	static const char *const pieces[] = {"'",    "''", "a",    " ",  "/",        "*",    "-",
					     "N'x'", "\n", ";",    "1e", "0x",       "$",    "@",
					     "?",    "`",  "[",    "]",  "\"",       "/*",   "*/",
					     "--",   "\\", "\\\n", "=",  "\xc3\xa9", "\xff", "GO"};
	size_t length = 0;

	for (size_t count = *random % 9; count > 0; count--) {
		*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		const char *piece = pieces[(*random >> 33) % (sizeof(pieces) / sizeof(pieces[0]))];

		memcpy(out + length, piece, strlen(piece));
		length += strlen(piece);
	}
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	*random ^= *random >> 29;
	return length;
}

static void plain_statements_read_alike(void **state)
{
	/* the short way to a comment at the end finds what cutting into tokens finds: a name in quotes before the same text forces the
	 * latter, and changes nothing else */
	uint64_t random = 1;
	size_t found = 0;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char text[256] = "\"q\" a ";
		size_t length = strlen(text);
		struct context fast, slow;

		length += put_pieces(&random, text + length);
		memcpy(text + length, "/*request_id=", 13);
		length += 13;
		length += put_pieces(&random, text + length);
		memcpy(text + length, "b*/", 3);
		length += 3;
		if (i % 3 == 0) {
			length += put_pieces(&random, text + length);
		}
		bool is_slow = context_from_comment(str_make(text, length), no_key, &slow);
		bool is_fast = context_from_comment(str_make(text + 4, length - 4), no_key, &fast);

		if (is_slow != is_fast ||
		    (is_slow && !str_equal(slow.request_id, fast.request_id))) {
			fail_msg("read otherwise: %.*s", (int)length, text);
		}
		found += is_slow ? 1 : 0;
	}
	assert_true(found > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leading_and_trailing_comments),
		cmocka_unit_test(traceparent_gives_a_trace),
		cmocka_unit_test(marks_are_seen_wherever_they_stand),
		cmocka_unit_test(other_places_never_count),
		cmocka_unit_test(decoded_id_lives_in_the_struct),
		cmocka_unit_test(plain_statements_read_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
