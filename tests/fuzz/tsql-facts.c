/* Facts of any bytes keep their limits, name only what is there, and are the same from the cache, also for a text that differs
 * only in the values of its literals. */
#include "model/tsql/facts-cache.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct tsql_name *name)
{
	assert(name->object.len > 0 && name->object.ptr != NULL);
	assert(name->schema.ptr != NULL || name->schema.len == 0);
}

static void check_facts(const struct tsql_facts *facts)
{
	assert(facts->statement_count <= TSQL_STATEMENTS_MAX);
	assert(facts->object_count <= TSQL_OBJECTS_MAX && facts->inner_count <= TSQL_INNER_MAX);
	for (size_t i = 0; i < facts->object_count; i++) {
		check_name(&facts->objects[i].name);
		assert(facts->objects[i].statement < facts->statement_count);
	}
	for (size_t i = 0; i < facts->statement_count; i++) {
		assert(facts->statements[i].depth <= TSQL_DEPTH_MAX);
		assert(tsql_verb_text(facts->statements[i].verb) != NULL);
	}
}

static bool equal_names(const struct tsql_name *a, const struct tsql_name *b)
{
	return str_equal(a->server, b->server) && str_equal(a->database, b->database) &&
	       str_equal(a->schema, b->schema) && str_equal(a->object, b->object);
}

static void check_equal(const struct tsql_facts *a, const struct tsql_facts *b)
{
	assert(a->flags == b->flags && a->verb == b->verb && a->from_values == b->from_values);
	assert(a->statement_count == b->statement_count && a->object_count == b->object_count);
	for (size_t i = 0; i < a->statement_count; i++) {
		const struct tsql_statement *x = &a->statements[i];
		const struct tsql_statement *y = &b->statements[i];

		assert(x->verb == y->verb && x->kind == y->kind && x->via == y->via &&
		       x->depth == y->depth && x->flags == y->flags && x->defined == y->defined);
	}
	for (size_t i = 0; i < a->object_count; i++) {
		assert(equal_names(&a->objects[i].name, &b->objects[i].name));
		assert(a->objects[i].kind == b->objects[i].kind &&
		       a->objects[i].access == b->objects[i].access);
	}
}

/* The text with another value in the place of each number and string. */
static void put_varied(struct str text, struct buf *out)
{
	struct tsql_template template;

	tsql_template_init(&template);
	assert(tsql_template_split(&template, text, NULL) == 0);
	for (size_t i = 0; i < template.literal_count; i++) {
		struct tsql_literal *literal = &template.literals[i];

		if (literal->kind == TSQL_LITERAL_INT && literal->number >= 0) {
			literal->number = literal->number / 3 + 1;
		} else if (literal->kind == TSQL_LITERAL_STRING) {
			literal->text = STR_LIT("other");
		} else if (literal->kind == TSQL_LITERAL_HEX) {
			literal->text = STR_LIT("414243444546");
		}
	}
	assert(tsql_template_join(buf_str(&template.text), template.literals,
				  template.literal_count, out, NULL) == 0);
	tsql_template_done(&template);
}

/* What the cache says of the text after it has seen it, and of another of its template, is what they say themselves. */
static void check_cached(struct tsql_cache *cache, struct tsql_scratch *scratch, struct str text)
{
	const struct tsql_facts *cached;
	struct tsql_facts facts;

	for (int round = 0; round < 2; round++) {
		assert(tsql_cache_facts(cache, text, NULL, &cached) == 0);
		assert(tsql_facts_of(text, NULL, scratch, &facts) == 0);
		check_facts(&facts);
		check_equal(&facts, cached);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct tsql_scratch scratch;
	struct tsql_cache cache;
	struct tsql_facts facts;
	struct buf out;

	tsql_scratch_init(&scratch);
	tsql_cache_init(&cache, 1u << 16);
	buf_init(&out, 0);
	check_cached(&cache, &scratch, text);
	put_varied(text, &out);
	check_cached(&cache, &scratch, buf_str(&out));
	buf_clear(&out);
	assert(tsql_facts_of(text, NULL, &scratch, &facts) == 0);
	tsql_match_text(text, &facts, NULL, &out);
	buf_clear(&out);
	for (size_t i = 0; i < facts.object_count; i++) {
		tsql_name_put(&facts.objects[i].name, &out);
	}
	buf_done(&out);
	tsql_cache_done(&cache);
	tsql_scratch_done(&scratch);
	return 0;
}
