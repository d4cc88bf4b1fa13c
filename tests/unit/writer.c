#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/writer.h"
#include "tests/golden/story-store.h"

static void test_writer(void **state)
{
	/* Proves: a store that is open for writing has a writer with our process id; a closed or missing one has none. */
	(void)state;
	struct story_store story;
	struct store *store;
	long pid = 0;
	story_store_init(&story, true, false);
	assert_false(writer_alive(story.dir, &pid));
	assert_int_equal(store_open(story.dir, STORE_WRITE, &store, NULL), 0);
	assert_true(writer_alive(story.dir, &pid));
	assert_int_equal(pid, getpid());
	store_close(store);
	assert_false(writer_alive(story.dir, &pid));
	assert_false(writer_alive("/nonexistent", &pid));
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_writer)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
