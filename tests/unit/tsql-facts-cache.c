#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tsql/facts-cache.h"

static const struct tsql_facts *ask(struct tsql_cache *cache, const char *text)
{
	const struct tsql_facts *facts;

	assert_int_equal(tsql_cache_facts(cache, str_of(text), NULL, &facts), 0);
	return facts;
}

static void values_do_not_matter(void **state)
{
	/* texts of one template are computed once, and names come from the cache's own memory */
	const struct tsql_facts *facts;
	struct tsql_cache cache;
	char text[] = "SELECT a FROM dbo.Orders WHERE id = 5 AND n = 'x' /* 1 */";

	(void)state;
	tsql_cache_init(&cache, 1u << 20);
	(void)ask(&cache, text); /* to fill the cache */
	memset(text, 'Z', sizeof(text) - 1);
	facts = ask(&cache, "SELECT a FROM dbo.Orders WHERE id = 77 AND n = 'other' /* 2 */");
	assert_int_equal(cache.hit_count, 1);
	assert_int_equal(cache.miss_count, 1);
	assert_int_equal(facts->object_count, 1);
	assert_true(str_is(facts->objects[0].name.schema, "dbo"));
	assert_true(str_is(facts->objects[0].name.object, "Orders"));
	assert_null(facts->objects[0].name.server.ptr);
	tsql_cache_done(&cache);
}

static void what_depends_on_values_is_computed(void **state)
{
	/* 1=1 and 1=2, a harmless and a harmful dynamic text, and different comments at the end are told apart */
	static const char *const pairs[][2] = {
		{"DELETE FROM t WHERE 1=2", "DELETE FROM t WHERE 1=1"},
		{"EXEC('SELECT 1')", "EXEC('DROP TABLE x')"},
		{"SELECT CHAR(1)+CHAR(2)+'abcd'", "SELECT CHAR(68)+CHAR(82)+'abcd'"},
		{"SELECT a FROM t WHERE b = 'x' -- note", "SELECT a FROM t WHERE b = 'x' --'"},
	};
	struct tsql_cache cache;

	(void)state;
	tsql_cache_init(&cache, 1u << 20);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		uint32_t first = ask(&cache, pairs[i][0])->flags;
		size_t count = ask(&cache, pairs[i][0])->inner_count;
		const struct tsql_facts *second = ask(&cache, pairs[i][1]);

		assert_true(second->from_values);
		assert_true(first != second->flags || count != second->inner_count ||
			    second->statements[1].verb == TSQL_VERB_DROP);
	}
	assert_int_equal(cache.hit_count, 0);
	assert_int_equal(cache.bypass_count, 3 * sizeof(pairs) / sizeof(pairs[0]));
	tsql_cache_done(&cache);
}

static void kinds_of_literals_matter(void **state)
{
	/* what a template hides but facts see is part of the key: a string of percent signs, a minus, the kind, the option */
	struct tsql_options options = {.quotes_are_strings = true};
	const struct tsql_facts *facts;
	struct tsql_cache cache;

	(void)state;
	tsql_cache_init(&cache, 1u << 20);
	assert_int_equal(ask(&cache, "SELECT a FROM t WHERE b LIKE 'x%'")->flags, 0);
	assert_int_equal(ask(&cache, "SELECT a FROM t WHERE b LIKE '%'")->flags,
			 TSQL_TAUTOLOGY | TSQL_UNBOUNDED_SELECT);
	assert_int_equal(ask(&cache, "SELECT a FROM t WHERE 1 = -1")->flags, 0);
	assert_int_equal(ask(&cache, "SELECT a FROM t WHERE 1 = 1")->flags,
			 TSQL_TAUTOLOGY | TSQL_UNBOUNDED_SELECT);
	assert_int_equal(cache.hit_count, 0);
	assert_int_equal(ask(&cache, "SELECT a FROM \"t\" WHERE x = 1")->object_count, 1);
	assert_int_equal(tsql_cache_facts(&cache, STR_LIT("SELECT a FROM \"t\" WHERE x = 1"),
					  &options, &facts),
			 0);
	assert_int_equal(facts->object_count, 0);
	tsql_cache_done(&cache);
}

static void memory_is_bounded(void **state)
{
	/* more templates than fit drive out others; what is kept stays below the limit, and answers stay right */
	struct tsql_cache cache;
	struct buf text;

	(void)state;
	tsql_cache_init(&cache, 64u << 10);
	buf_init(&text, 0);
	for (unsigned round = 0; round < 5000; round++) {
		const struct tsql_facts *facts;

		buf_clear(&text);
		buf_putf(&text, "SELECT a FROM t%u WHERE b = %u", round % 700, round);
		assert_int_equal(tsql_cache_facts(&cache, buf_str(&text), NULL, &facts), 0);
		assert_true(str_equal(
			facts->objects[0].name.object,
			str_slice(buf_str(&text), 14,
				  (size_t)str_find(buf_str(&text), STR_LIT(" WHERE"), 0) - 14)));
		assert_true(cache.kept_bytes <= cache.max_bytes);
	}
	assert_int_equal(cache.hit_count + cache.miss_count, 5000);
	/* one that takes too much alone is not kept */
	buf_clear(&text);
	buf_put_text(&text, "SELECT a FROM t WHERE b IN (");
	buf_put_fill(&text, 'c', 60000);
	buf_put_text(&text, ")");
	assert_int_equal(ask(&cache, text.ptr)->object_count, 1);
	assert_true(cache.kept_bytes <= cache.max_bytes);
	buf_done(&text);
	tsql_cache_done(&cache);
}

static void labelled_statements_are_the_same_from_the_cache(void **state)
{
	/* the second answer for each labelled statement equals the first */
	static const char *const corpus[] = {
#define CASE(text, statements, objects, flags) text,
#include "tests/unit/tsql-corpus.def"
#undef CASE
	};
	struct tsql_scratch scratch;
	struct tsql_cache cache;
	struct tsql_facts facts;

	(void)state;
	tsql_scratch_init(&scratch);
	tsql_cache_init(&cache, 4u << 20);
	for (size_t i = 0; i < 2 * (sizeof(corpus) / sizeof(corpus[0])); i++) {
		const char *text = corpus[i % (sizeof(corpus) / sizeof(corpus[0]))];
		const struct tsql_facts *cached = ask(&cache, text);

		assert_int_equal(tsql_facts_of(str_of(text), NULL, &scratch, &facts), 0);
		assert_int_equal(cached->flags, facts.flags);
		assert_int_equal(cached->verb, facts.verb);
		assert_int_equal(cached->statement_count, facts.statement_count);
		assert_int_equal(cached->object_count, facts.object_count);
		for (size_t k = 0; k < facts.object_count; k++) {
			assert_true(str_equal(cached->objects[k].name.object,
					      facts.objects[k].name.object));
			assert_int_equal(cached->objects[k].access, facts.objects[k].access);
		}
	}
	assert_true(cache.hit_count > 100);
	tsql_cache_done(&cache);
	tsql_scratch_done(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_do_not_matter),
		cmocka_unit_test(what_depends_on_values_is_computed),
		cmocka_unit_test(kinds_of_literals_matter),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(labelled_statements_are_the_same_from_the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
