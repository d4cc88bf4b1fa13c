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

static void write_lock(const struct story_store *story, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/lock", story->dir);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_what_the_file_says(void **state)
{
	/* Proves: a process that runs but does not hold the lock is no writer, nor is one that is gone; a holder whose number is
	 * not in the file is found all the same, by the kernel's list. */
	(void)state;
	struct story_store story;
	struct store *store;
	long pid = 0;
	story_store_init(&story, true, false);
	write_lock(&story, "1\n");
	assert_false(writer_alive(story.dir, &pid));
	char own[32];
	(void)snprintf(own, sizeof(own), "%ld\n", (long)getpid());
	write_lock(&story, own);
	assert_false(writer_alive(story.dir, &pid));
	write_lock(&story, "2147483646\n"); /* past the largest number that a process can have */
	assert_false(writer_alive(story.dir, &pid));
	assert_int_equal(store_open(story.dir, STORE_WRITE, &store, NULL), 0);
	static const char *const texts[] = {"", "no number", "99999999999999\n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_lock(&story, texts[i]);
		pid = 0;
		assert_true(writer_alive(story.dir, &pid));
		assert_int_equal(pid, getpid());
	}
	store_close(store);
	story_store_done(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_what_the_file_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
