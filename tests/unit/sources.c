#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store-filled.h"

static struct store_source sample(const char *name, struct str cursor)
{
	struct store_source source = {
		.type = "cloudwatch",
		.kinds = 1u << RECORD_REQUEST,
		.cursor = cursor,
		.watermark_ns = INT64_MIN,
		.first_time_ns = -5,
		.last_time_ns = INT64_MAX,
		.last_batch_ns = 7,
		.caught_up = true,
		.received = 10,
		.stored = 8,
		.duplicate = 2,
		.rejected = 1,
		.gaps = 3,
		.state = "retrying",
		.state_text = "the \"server\" is away",
		.state_since_ns = 9,
	};
	int len = snprintf(source.name, sizeof source.name, "%s", name);
	assert(len > 0);
	return source;
}

static void all_of_it_comes_back(void **state)
{
	/* sources sorted by name with cursor bytes and all numbers; put again they are replaced; a reader sees them */
	struct filled filled = {0};
	const struct store_source *sources = NULL;
	size_t count = 9;
	char large[100000];
	(void)state;
	memset(large, 'c', sizeof large);
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	assert_int_equal(store_sources(filled.store, &sources, &count, &filled.err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	struct store_source b = sample("b", STR_LIT("cur\0sor"));
	struct store_source a = sample("a", str_make(large, sizeof large));
	struct store_source c = sample("c", str_make(NULL, 0));
	assert_int_equal(store_put_source(filled.store, &b, &filled.err), 0);
	assert_int_equal(store_put_source(filled.store, &a, &filled.err), 0);
	assert_int_equal(store_put_source(filled.store, &c, &filled.err), 0);
	b.received = 11;
	assert_int_equal(store_put_source(filled.store, &b, &filled.err), 0);
	assert_int_equal(store_commit(filled.store, &filled.err), 0);
	store_close(filled.store);
	filled_open(&filled, STORE_READ);
	assert_int_equal(store_sources(filled.store, &sources, &count, &filled.err), 0);
	assert_int_equal(count, 3);
	assert_string_equal(sources[0].name, "a");
	assert_int_equal(sources[0].cursor.len, sizeof large);
	assert_string_equal(sources[1].name, "b");
	assert_true(str_equal(sources[1].cursor, STR_LIT("cur\0sor")));
	assert_int_equal(sources[2].cursor.len, 0);
	assert_int_equal(sources[1].received, 11);
	assert_int_equal(sources[1].kinds, b.kinds);
	assert_true(sources[1].watermark_ns == b.watermark_ns);
	assert_true(sources[1].first_time_ns == b.first_time_ns &&
		    sources[1].last_time_ns == b.last_time_ns);
	assert_true(sources[1].last_batch_ns == b.last_batch_ns);
	assert_int_equal(sources[1].caught_up, b.caught_up);
	assert_int_equal(sources[1].stored, b.stored);
	assert_int_equal(sources[1].duplicate, b.duplicate);
	assert_int_equal(sources[1].rejected, b.rejected);
	assert_int_equal(sources[1].gaps, b.gaps);
	assert_string_equal(sources[1].state, b.state);
	assert_string_equal(sources[1].state_text, b.state_text);
	assert_true(sources[1].state_since_ns == b.state_since_ns);
	filled_done(&filled);
}

static void damaged_source_is_told(void **state)
{
	/* a changed cursor is ERR_CORRUPT, not a place to read on from */
	struct filled filled = {0};
	const struct store_source *sources = NULL;
	size_t count = 9;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	struct store_source a = sample("a", STR_LIT("5"));
	assert_int_equal(store_put_source(filled.store, &a, &filled.err), 0);
	assert_int_equal(store_commit(filled.store, &filled.err), 0);
	filled_sql(&filled, "UPDATE sources SET cursor = x'36'");
	assert_int_equal(store_sources(filled.store, &sources, &count, &filled.err), -ERR_CORRUPT);
	assert_int_equal(count, 9);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(damaged_source_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
