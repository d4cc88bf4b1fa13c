#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/golden/story-store.h"
#include "tests/unit/ask.h"

static const char *const plain[] = {"status", NULL};
static const char *const json[] = {"status", "--json", NULL};

static void put_clock(const struct story_store *world, const char *text)
{
	struct store *store = NULL;
	assert_int_equal(store_open(world->dir, STORE_CREATE, &store, NULL), 0);
	assert_int_equal(store_meta_put(store, "clock.sql01", str_of(text), NULL), 0);
	store_close(store);
}

static void test_clocks(void **state)
{
	/* Proves: the daemon's estimate of a server's clock is shown with its side, bound and pairs, in words and in JSON; one that
	 * is not there or cannot be read is not. */
	(void)state;
	static const struct {
		const char *text, *words, *json;
	} cases[] = {
		{"12345678 3100000 512 0",
		 "clock of sql01: 12.345 ms behind the gateway's, within 3.100 ms, by 512 pairs\n",
		 "{\"offset_ns\":12345678,\"bound_ns\":3100000,\"pairs\":512,\"outliers\":0}"},
		{"-1000000 0 1 2",
		 "clock of sql01: 1.000 ms ahead of the gateway's, within 0.000 ms, by 1 pair (2 "
		 "disagree)\n",
		 "{\"offset_ns\":-1000000,\"bound_ns\":0,\"pairs\":1,\"outliers\":2}"},
		{"-9223372036854775808 1 1 1", "9223372036854.775 ms ahead",
		 "-9223372036854775808"},
		{NULL, NULL, "\"clock\":null"},
		{"12 3", NULL, "\"clock\":null}]"},
		{"12 3 4 5 6", NULL, "\"clock\":null}]"},
		{"1 -1 1 1", NULL, "\"clock\":null}]"},
		{"\033[31m 1 1 1", NULL, "\"clock\":null}]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story_store world;
		struct asked asked;
		story_store_init(&world, true, false);
		if (cases[i].text != NULL) {
			put_clock(&world, cases[i].text);
		}
		ask(&asked, world.dir, plain, STORY_NOW_NS);
		assert_int_equal(asked.status, EXIT_FOUND);
		assert_int_equal(asked_said(&asked, "clock of"), cases[i].words != NULL);
		assert_true(cases[i].words == NULL || asked_said(&asked, cases[i].words));
		asked_done(&asked);
		ask(&asked, world.dir, json, STORY_NOW_NS);
		assert_true(asked_said(&asked, cases[i].json));
		asked_done(&asked);
		story_store_done(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_clocks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
