#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/tsql/facts.h"

#include <stdlib.h>

#define MEGABYTE (1u << 20)
/* far more than a text of 1 MB takes, also under sanitizers; far less than what grows with the square takes */
#define MEGABYTE_MAX_NS (INT64_C(8000) * NS_PER_MS)

static const char *const corpus[] = {
#define CASE(text, statements, objects, flags) text,
#include "tests/unit/tsql-corpus.def"
#undef CASE
};

static void check_limits(const struct tsql_facts *facts)
{
	assert_true(facts->statement_count <= TSQL_STATEMENTS_MAX);
	assert_true(facts->object_count <= TSQL_OBJECTS_MAX);
	assert_true(facts->inner_count <= TSQL_INNER_MAX);
	for (size_t i = 0; i < facts->object_count; i++) {
		assert_true(facts->objects[i].statement < facts->statement_count);
		assert_true(facts->objects[i].name.object.len > 0);
	}
}

static void every_truncation_is_read(void **state)
{
	/* each labelled statement, cut at each byte at its end and at its start, gives facts within their limits */
	struct tsql_scratch scratch;
	struct tsql_facts facts;

	(void)state;
	tsql_scratch_init(&scratch);
	for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++) {
		struct str text = str_of(corpus[i]);

		for (size_t cut = 0; cut <= text.len; cut++) {
			/* a copy of its own length, so that a read past its end is found */
			char *copy = malloc(cut + 1);

			assert_non_null(copy);
			memcpy(copy, text.ptr, cut);
			assert_int_equal(tsql_facts_of(str_make(copy, cut), NULL, &scratch, &facts),
					 0);
			check_limits(&facts);
			free(copy);
			assert_int_equal(tsql_facts_of(str_slice(text, cut, text.len), NULL,
						       &scratch, &facts),
					 0);
			check_limits(&facts);
		}
	}
	tsql_scratch_done(&scratch);
}

/* The facts of 1 MB of a repeated part; asserts the limits and the time. */
static void read_megabyte(const char *part, struct tsql_scratch *scratch, struct tsql_facts *facts)
{
	struct buf text;
	int64_t start;

	buf_init(&text, 0);
	while (text.len < MEGABYTE) {
		buf_put_text(&text, part);
	}
	start = clock_monotonic_ns();
	assert_int_equal(tsql_facts_of(buf_str(&text), NULL, scratch, facts), 0);
	assert_true(clock_monotonic_ns() - start < MEGABYTE_MAX_NS);
	check_limits(facts);
	buf_done(&text);
}

static void a_megabyte_of_anything_is_linear(void **state)
{
	/* 1 MB of what nests, repeats or folds is read in bounded time and memory */
	static const char *const parts[] = {
		"(",
		"/*",
		"'",
		"[",
		"\"",
		"--\n",
		"'a'+",
		"a.b(),",
		"REVERSE(",
		"REPLACE('a',",
		"EXEC('a');",
		"DELETE a;",
		"x=x OR ",
		"CREATE PROC p ",
		"(SELECT a FROM b,",
		"CASE WHEN ",
		"SET @a+='b';",
		"a,",
		"GO\n",
		"WITH a AS (",
		"IF EXISTS(",
		"EXEC sp_executesql ",
		"CHAR(65)+",
		"SELECT a.b FROM a c JOIN ",
		"CREATE TRIGGER t ON a AFTER INSERT ",
		"EXEC('EXEC(''",
		"GRANT a, ",
		"DROP TABLE a, ",
		"N'",
		"0x",
		"$",
		"@a=",
		"a.",
		"\xC2",
		"REPLACE(REPLACE('aaaaaaaaaaaaaaaaaaaaaa','a','aaaaaaaaaa'),'a','bbbbbbbbbb')+",
		"SELECT a FROM b WHERE c=c UNION ",
		"MERGE a USING b ON c WHEN MATCHED THEN DELETE ",
	};
	struct tsql_scratch scratch;
	struct tsql_facts facts;

	(void)state;
	tsql_scratch_init(&scratch);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		read_megabyte(parts[i], &scratch, &facts);
	}
	tsql_scratch_done(&scratch);
}

static void limits_are_said(void **state)
{
	/* lists that are full, levels that are too deep, texts in texts and a text that is too long set the flag */
	static const char *const parts[] = {"SELECT 1;", "(", "EXEC('a');",
					    "SELECT a.b()+a.c() FROM d,"};
	struct tsql_scratch scratch;
	struct tsql_facts facts;
	struct buf text;

	(void)state;
	tsql_scratch_init(&scratch);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		read_megabyte(parts[i], &scratch, &facts);
		assert_true((facts.flags & TSQL_TRUNCATED) != 0 || i == 1);
	}
	read_megabyte("SELECT (", &scratch, &facts);
	assert_true((facts.flags & TSQL_TRUNCATED) != 0);
	buf_init(&text, 0);
	buf_put_text(&text, "DROP TABLE first; SELECT '");
	buf_put_fill(&text, 'x', TSQL_TEXT_MAX);
	buf_put_text(&text, "'; DROP TABLE last");
	assert_int_equal(tsql_facts_of(buf_str(&text), NULL, &scratch, &facts), 0);
	assert_true((facts.flags & TSQL_TRUNCATED) != 0);
	assert_int_equal(facts.object_count, 1);
	buf_done(&text);
	tsql_scratch_done(&scratch);
}

static void strings_in_strings_end(void **state)
{
	/* a text that runs itself in a variable is unwrapped to a depth, and no further */
	struct tsql_scratch scratch;
	struct tsql_facts facts;
	struct buf text;

	(void)state;
	tsql_scratch_init(&scratch);
	buf_init(&text, 0);
	for (unsigned depth = 0; depth < 10; depth++) {
		buf_put_text(&text, "EXEC(");
		buf_put_fill(&text, '\'', 1u << depth);
	}
	buf_put_text(&text, "DROP TABLE x");
	for (unsigned depth = 10; depth > 0; depth--) {
		buf_put_fill(&text, '\'', 1u << (depth - 1));
		buf_put_text(&text, ")");
	}
	assert_int_equal(tsql_facts_of(buf_str(&text), NULL, &scratch, &facts), 0);
	assert_true((facts.flags & TSQL_TRUNCATED) != 0);
	assert_int_equal(facts.statement_count, TSQL_DEPTH_MAX + 1);
	buf_done(&text);
	tsql_scratch_done(&scratch);
}

static void random_words_are_read(void **state)
{
	/* random sequences of what the reader looks for keep the limits */
	static const char *const words[] = {"SELECT ",
					    "FROM ",
					    "WHERE ",
					    "(",
					    ")",
					    "a",
					    ".",
					    ",",
					    "'x'",
					    "+",
					    "=",
					    "EXEC",
					    "@s",
					    "N'y'",
					    "WITH ",
					    " AS ",
					    "UNION ",
					    "CASE ",
					    "END ",
					    "DELETE ",
					    "UPDATE ",
					    "SET ",
					    "MERGE ",
					    "USING ",
					    "CREATE ",
					    "PROC ",
					    "GO\n",
					    ";",
					    "sp_executesql ",
					    "CHAR(65)",
					    "REPLACE(",
					    "/*",
					    "*/",
					    "--",
					    "'",
					    "[",
					    "]",
					    "INTO ",
					    "GRANT ",
					    "ON ",
					    "TO ",
					    "::",
					    "OPENQUERY(",
					    "EXISTS",
					    "INSERT ",
					    "1"};
	struct tsql_scratch scratch;
	struct tsql_facts facts;
	struct buf text;
	uint32_t seed = 5;

	(void)state;
	tsql_scratch_init(&scratch);
	buf_init(&text, 0);
	for (int round = 0; round < 20000; round++) {
		buf_clear(&text);
		for (int i = 0; i < 24; i++) {
			seed = seed * 1664525 + 1013904223;
			buf_put_text(&text,
				     words[(seed >> 16) % (sizeof(words) / sizeof(words[0]))]);
		}
		assert_int_equal(tsql_facts_of(buf_str(&text), NULL, &scratch, &facts), 0);
		check_limits(&facts);
	}
	buf_done(&text);
	tsql_scratch_done(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_is_read),
		cmocka_unit_test(a_megabyte_of_anything_is_linear),
		cmocka_unit_test(limits_are_said),
		cmocka_unit_test(strings_in_strings_end),
		cmocka_unit_test(random_words_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
