#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/proved.h"

static void test_made_and_checked(void **state)
{
	/* Proves: prove writes every file of a record; verify --bundle accepts it without a store, by the folder's policy and by another one; a second run gives the same bytes
	 * and refuses a folder that is not empty; a file that nobody named is told. */
	(void)state;
	static const char *const ids[] = {"leaf:3", "leaf:299", "leaf:3", NULL};
	static const char *const files[] = {
		"3.record",  "3.salt", "3.entry",    "3.tlog-proof", "3.json",
		"299.entry", "policy", "checkpoint", "README.txt",   "manifest-sha256.txt"};
	struct proved proved;
	struct asked asked;
	struct buf first, second;
	buf_init(&first, 0);
	buf_init(&second, 0);
	proved_init(&proved, 300);
	proved_ask(&proved, ids, &asked);
	assert_true(asked_said(&asked, "2 records with proofs"));
	assert_int_equal(asked.status, EXIT_FOUND);
	asked_done(&asked);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		proved_read(&proved, files[i], &second);
		assert_true(second.len > 0);
	}
	proved_read(&proved, "3.tlog-proof", &second);
	assert_true(second.len <= 1536);
	const char *const verify[] = {"verify", "--bundle", proved.bundle, NULL};
	ask(&asked, NULL, verify, FIXTURE_START_NS);
	assert_true(asked_said(&asked, "2 records (0 redacted) are in the log of example.com/log"));
	assert_true(asked_said(&asked, "came with the evidence"));
	assert_int_equal(asked.status, EXIT_FOUND);
	asked_done(&asked);
	proved_read(&proved, "manifest-sha256.txt", &first);
	proved_ask(&proved, ids, &asked);
	assert_true(asked_said(&asked, "is not empty"));
	asked_done(&asked);
	char policy[512];
	proved_path(&proved, "../mine.policy", policy);
	proved_read(&proved, "policy", &second);
	proved_write(&proved, "../mine.policy", buf_str(&second));
	proved_write(&proved, "notes.pdf", STR_LIT("x"));
	const char *const mine[] = {"verify", "--bundle", proved.bundle, "--policy",
				    policy,   "--json",   NULL};
	ask(&asked, NULL, mine, FIXTURE_START_NS);
	assert_true(asked_said(&asked, "\"unknown\":[\"notes.pdf\"],\"trust\":\"policy\""));
	assert_int_equal(asked.status, EXIT_NONE);
	asked_done(&asked);
	store_folder_remove(proved.bundle);
	proved_ask(&proved, ids, &asked);
	assert_int_equal(asked.status, EXIT_FOUND);
	asked_done(&asked);
	proved_read(&proved, "manifest-sha256.txt", &second);
	assert_true(str_equal(buf_str(&first), buf_str(&second)));
	buf_done(&first);
	buf_done(&second);
	proved_done(&proved);
}

static void test_refused(void **state)
{
	/* Proves: without a folder, with an id that nothing has, and for a record that no checkpoint covers while no daemon runs, nothing is written, and it says why. */
	(void)state;
	static const char *const unknown[] = {"no-such-id", NULL};
	static const char *const beyond[] = {"leaf:99", NULL};
	static const char *const fresh[] = {"leaf:12", NULL};
	static const char *const no_folder[] = {"prove", "leaf:1", NULL};
	struct proved proved;
	struct asked asked;
	proved_init(&proved, 10);
	filled_open(&proved.log.filled, STORE_WRITE);
	filled_add(&proved.log.filled, 10, 5);
	store_close(proved.log.filled.store);
	proved.log.filled.store = NULL;
	const struct {
		const char *const *ids;
		const char *says;
	} cases[] = {{unknown, "nothing has the id \"no-such-id\""},
		     {beyond, "leaf:99 is no leaf"},
		     {fresh, "leaf 12 is not signed yet (10 records are), and no daemon runs"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		proved_ask(&proved, cases[i].ids, &asked);
		assert_true(asked_said(&asked, cases[i].says));
		assert_int_equal(asked.status, EXIT_ERROR);
		asked_done(&asked);
	}
	assert_int_equal(access(proved.bundle, F_OK), -1);
	ask(&asked, proved.log.filled.fixture.dir, no_folder, FIXTURE_START_NS);
	assert_true(asked_said(&asked, "needs a folder: -o DIR"));
	asked_done(&asked);
	proved_done(&proved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_made_and_checked),
					   cmocka_unit_test(test_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
