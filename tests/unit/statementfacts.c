/* A statement's facts as words, and their cache against facts made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "correlator/rules/statementfacts.h"

#include <stdio.h>

static bool has(struct statementfacts *facts, enum name_fact fact, const char *word)
{
	struct str words = statementfacts_words(facts, fact);

	while (words.len != 0) {
		size_t len = strlen(words.ptr);

		if (str_is(str_slice(words, 0, len), word)) {
			return true;
		}
		words = str_slice(words, len + 1, words.len);
	}
	return false;
}

static void read_text(struct statementfacts *facts, const char *text)
{
	struct error err;

	assert_int_equal(statementfacts_of(facts, str_of(text), &err), 0);
}

static void words_are_those_of_the_facts(void **state)
{ /* proves the words of each list, and the names that a table answers to */
	struct statementfacts *facts;
	struct error err;

	(void)state;
	assert_int_equal(statementfacts_new(&facts, &err), 0);
	read_text(facts, "DELETE FROM Shop.sales.[Order Lines]; EXEC sp_who; SELECT * FROM Items");
	assert_true(has(facts, FACT_FLAGS, "delete_without_where"));
	assert_true(has(facts, FACT_VERBS, "DELETE") && has(facts, FACT_VERBS, "SELECT"));
	assert_true(has(facts, FACT_MAIN_VERB, "DELETE"));
	assert_true(has(facts, FACT_TABLES_WRITTEN, "Shop.sales.Order Lines"));
	assert_true(has(facts, FACT_TABLES_WRITTEN, "sales.Order Lines"));
	assert_true(has(facts, FACT_TABLES_WRITTEN, "Order Lines"));
	assert_true(has(facts, FACT_TABLES_READ, "Items") &&
		    has(facts, FACT_TABLES_READ, "dbo.Items"));
	assert_false(has(facts, FACT_TABLES_READ, "Order Lines"));
	assert_true(has(facts, FACT_DATABASES, "Shop"));
	assert_true(has(facts, FACT_PROCEDURES, "sp_who"));
	read_text(facts, "DROP TABLE a");
	assert_true(has(facts, FACT_DDL, "DROP TABLE"));
	statementfacts_free(facts);
}

static void templates_are_read_once(void **state)
{ /* proves that texts that differ in numbers, strings and comments alone are read once */
	struct statementfacts *facts;
	struct error err;
	char text[128];

	(void)state;
	assert_int_equal(statementfacts_new(&facts, &err), 0);
	for (int i = 10; i < 1000; i++) {
		(void)snprintf(text, sizeof(text),
			       "/* r=%d */ SELECT a FROM t1 WHERE b = %d AND c = 'x%d'", i, i, i);
		read_text(facts, text);
		assert_true(has(facts, FACT_TABLES_READ, "t1"));
	}
	assert_int_equal(statementfacts_figures(facts).asked, 990);
	assert_int_equal(statementfacts_figures(facts).computed, 1);
	read_text(facts, "/* r=1 */ SELECT a FROM t2 WHERE b = 11 AND c = 'x1'");
	assert_true(has(facts, FACT_TABLES_READ, "t2"));
	statementfacts_free(facts);
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
	*random = hash_u64(*random + 1);
	return (*random >> 9) % below;
}

static void put_random(uint64_t *random, char text[512])
{
	static const char *const parts[] = {
		"SELECT * FROM ",
		"t",
		"[a b]",
		"[1]",
		"\"2\"",
		" WHERE ",
		"1",
		"=",
		"'a'",
		"'b'",
		"1=1",
		" OR ",
		"x",
		" AND ",
		"''",
		"'%'",
		" LIKE ",
		"0",
		"--",
		"\n",
		"/*",
		"*/",
		";",
		"DELETE FROM t ",
		"EXEC(",
		")",
		"'DROP TABLE '",
		"+",
		"'u'",
		"CHAR(65)",
		"N'x'",
		"@p",
		" EXEC sp_executesql N'select 1'",
		"UPDATE t SET a=",
		"2",
		"<",
		"(",
		"]]",
		"'",
		"INSERT INTO t VALUES ",
		"SELECT a FROM t WHERE a=",
		"]",
		"\"",
		"\x01",
		" IN (1,2)",
		"DECLARE @s varchar(9)='DROP'",
		"a.b.c",
		"UNION SELECT ",
		"CAST(0x44524f50 AS varchar)",
		" BETWEEN 1 AND 2",
		"-",
		"*",
		"WAITFOR DELAY '0:0:5'",
	};
	size_t count = 1 + draw(random, draw(random, 2) != 0 ? 4 : 9);
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		len += (size_t)snprintf(text + len, 512 - len, "%s",
					parts[draw(random, sizeof(parts) / sizeof(parts[0]))]);
	}
}

static void expect_same(struct statementfacts *kept, const char *text)
{
	struct statementfacts *fresh;
	struct str a, b;
	struct error err;

	assert_int_equal(statementfacts_new(&fresh, &err), 0);
	read_text(kept, text);
	read_text(fresh, text);
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		a = statementfacts_words(kept, fact);
		b = statementfacts_words(fresh, fact);
		if (!str_equal(a, b)) {
			print_error("%s\nfact %u\n", text, fact);
		}
		assert_true(str_equal(a, b));
	}
	assert_int_equal(statementfacts_normalized(kept, &a, &err), 0);
	assert_int_equal(statementfacts_normalized(fresh, &b, &err), 0);
	assert_true(str_equal(a, b));
	statementfacts_free(fresh);
}

static void kept_facts_are_those_made_anew(void **state)
{ /* proves on 8,000 texts of hostile pieces that what the cache gives is what reading the text gives */
	struct statementfacts *kept;
	uint64_t random = 11;
	char text[512];
	struct error err;

	(void)state;
	assert_int_equal(statementfacts_new(&kept, &err), 0);
	for (int i = 0; i < 8000; i++) {
		put_random(&random, text);
		expect_same(kept, text);
	}
	print_message("# %llu of %llu were read\n",
		      (unsigned long long)statementfacts_figures(kept).computed,
		      (unsigned long long)statementfacts_figures(kept).asked);
	statementfacts_free(kept);
}

static void conditions_are_judged_by_their_values(void **state)
{ /* proves that no condition between literals takes the judgement of another of the same shape */
	static const char *const literals[] = {"0",   "1",   "2",       "10",     "1.0",
					       "'a'", "'b'", "''",      "'%'",    "N'a'",
					       "x",   "-1",  "'%%%%%'", "'abcde'"};
	static const char *const operators[] = {
		"=", "<>", "<", ">=", " LIKE ", " IN (1,", " BETWEEN 0 AND ", "+1=", "*"};
	static const char *const starts[] = {"DELETE t WHERE ", "SELECT a FROM t WHERE b=3 OR ",
					     "UPDATE t SET a=1 WHERE NOT "};
	struct statementfacts *kept;
	char text[128];
	struct error err;

	(void)state;
	assert_int_equal(statementfacts_new(&kept, &err), 0);
	for (size_t i = 0; i < 3 * 9 * 14 * 14; i++) {
		const char *sign = operators[i / 3 % 9];

		(void)snprintf(text, sizeof(text), "%s%s%s%s%s", starts[i % 3],
			       literals[i / 27 % 14], sign, literals[i / 378],
			       strchr(sign, '(') != NULL ? ")" : "");
		expect_same(kept, text);
	}
	statementfacts_free(kept);
}

static void normalized_is_the_text_that_rules_match(void **state)
{ /* proves that comments and runs of blanks are gone and what is run within strings is there */
	struct statementfacts *facts;
	struct str text;
	struct error err;

	(void)state;
	assert_int_equal(statementfacts_new(&facts, &err), 0);
	read_text(facts, "SELECT /* x */ a\n\tFROM t -- end");
	assert_int_equal(statementfacts_normalized(facts, &text, &err), 0);
	assert_true(str_is(text, "SELECT a FROM t"));
	read_text(facts, "EXEC('DROP  TABLE t')");
	assert_int_equal(statementfacts_normalized(facts, &text, &err), 0);
	assert_true(str_find(text, STR_LIT("\nDROP TABLE t"), 0) > 0);
	read_text(facts, "SELECT 1");
	assert_int_equal(statementfacts_normalized(facts, &text, &err), 0);
	assert_true(str_is(text, "SELECT 1"));
	statementfacts_free(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_the_facts),
		cmocka_unit_test(templates_are_read_once),
		cmocka_unit_test(kept_facts_are_those_made_anew),
		cmocka_unit_test(conditions_are_judged_by_their_values),
		cmocka_unit_test(normalized_is_the_text_that_rules_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
