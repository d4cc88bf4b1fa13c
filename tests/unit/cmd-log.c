#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/logpolicy.h"
#include "store/sign.h"
#include "tests/unit/proved.h"

static const char *dir_of(const struct proved *proved)
{
	return proved->log.filled.fixture.dir;
}

static void says(const struct proved *proved, const char *const *words, int status,
		 const char *what)
{
	struct asked asked;
	ask(&asked, dir_of(proved), words, FIXTURE_START_NS);
	assert_true(asked_said(&asked, what));
	assert_int_equal(asked.status, status);
	asked_done(&asked);
}

static void test_told(void **state)
{
	/* Proves: origin, size and keys are told; the policy and the key are those that signed; a word that is none is refused. */
	(void)state;
	static const char *const show[] = {"log", NULL};
	static const char *const keys[] = {"log", "keys", NULL};
	static const char *const policy[] = {"log", "policy", NULL};
	static const char *const wrong[] = {"log", "nothing", NULL};
	static const char *const more[] = {"log", "show", "nothing", NULL};
	struct proved proved;
	struct buf key;
	buf_init(&key, 0);
	proved_init(&proved, 12);
	note_key_put(&proved.log.signer.key, &key);
	says(&proved, show, EXIT_FOUND, "origin      example.com/log\nsize        12 records");
	says(&proved, keys, EXIT_FOUND, key.ptr);
	says(&proved, policy, EXIT_FOUND, "\nquorum none\n");
	says(&proved, wrong, EXIT_ERROR, "is show, policy");
	says(&proved, more, EXIT_ERROR, "does not know what to do with \"nothing\"");
	buf_done(&key);
	proved_done(&proved);
}

static void test_continue(void **state)
{
	/* Proves: without --yes nothing changes, without a reason it is refused, while a writer has the store too; then the old key is kept beside the new one, the store says under
	 * which origin it goes on, and a record says what was signed before and why. */
	(void)state;
	static const char *const asks[] = {"log", "continue", NULL};
	static const char *const mute[] = {"log", "continue", "--yes", NULL};
	static const char *const does[] = {"log",      "continue", "--yes",
					   "--reason", "key lost", NULL};
	static const char *const tells[] = {"show", "5", "--json", NULL};
	struct proved proved;
	struct buf origin, key;
	char path[512], kept[600];
	struct sign *sign = NULL;
	buf_init(&origin, 0);
	buf_init(&key, 0);
	proved_init(&proved, 5);
	(void)snprintf(path, sizeof path, "%s/log.key", dir_of(&proved));
	(void)snprintf(kept, sizeof kept, "%s.example.com-old", path);
	assert_int_equal(sign_make_key(path, "example.com/old", NULL), 0);
	says(&proved, asks, EXIT_FOUND, "Nothing was changed");
	says(&proved, mute, EXIT_ERROR, "say why");
	filled_open(&proved.log.filled, STORE_WRITE);
	says(&proved, does, 78, "");
	store_close(proved.log.filled.store);
	assert_int_equal(access(kept, F_OK), -1);
	says(&proved, does, EXIT_FOUND, "the log goes on as ");
	assert_int_equal(access(kept, F_OK), 0);
	const char *file = path;
	assert_int_equal(sign_open(&file, 1, &sign, NULL), 0);
	filled_open(&proved.log.filled, STORE_READ);
	assert_int_equal(store_meta_get(proved.log.filled.store, CHECKPOINTS_ORIGIN, &origin, NULL),
			 0);
	assert_string_equal(origin.ptr, sign_key(sign, 0)->name);
	assert_int_equal(store_leaf_count(proved.log.filled.store), 6);
	says(&proved, tells, EXIT_FOUND, "example.com/log signed 5 records last, root ");
	says(&proved, tells, EXIT_FOUND, "\"note\":\"key lost\"");
	sign_close(sign);
	buf_done(&origin);
	buf_done(&key);
	proved_done(&proved);
}

/* A policy of one key accepts what both keys signed. */
static void accepts(const struct note_key *key, struct str signed_note, int expected)
{
	struct logpolicy *policy = NULL;
	struct logpolicy_verdict verdict;
	struct note note;
	struct buf text;
	buf_init(&text, 0);
	buf_put_text(&text, "log ");
	note_key_put(key, &text);
	buf_put_text(&text, "\nquorum none\n");
	assert_int_equal(logpolicy_parse(buf_str(&text), &policy, NULL), 0);
	assert_int_equal(note_parse(signed_note, &note, NULL), 0);
	assert_int_equal(logpolicy_check(policy, &note, &verdict, NULL), expected);
	logpolicy_free(policy);
	buf_done(&text);
}

static void test_next_key(void **state)
{
	/* Proves: next-key makes a key of the same origin, and does not write over one; while both sign, the policy with the old key and the one with the new key accept the
	 * checkpoint; once only the new one signs, the old policy does not. */
	(void)state;
	struct proved proved;
	char old_path[512], path[512];
	struct sign *both = NULL, *after = NULL;
	struct merkle_head head = {.size = 7};
	struct merkle_proof none = {.count = 0};
	struct buf first, second;
	buf_init(&first, 0);
	buf_init(&second, 0);
	proved_init(&proved, 5);
	(void)snprintf(old_path, sizeof old_path, "%s/log.key", dir_of(&proved));
	(void)snprintf(path, sizeof path, "%s/next.key", dir_of(&proved));
	const char *const next[] = {"log", "next-key", "-o", path, NULL};
	assert_int_equal(sign_make_key(old_path, "example.com/log", NULL), 0);
	says(&proved, next, EXIT_FOUND, "log example.com/log+");
	says(&proved, next, EXIT_ERROR, "that is not there");
	const char *const files[] = {old_path, path};
	assert_int_equal(sign_open(files, 2, &both, NULL), 0);
	assert_int_equal(sign_open(files + 1, 1, &after, NULL), 0);
	assert_int_equal(sign_head(both, &head, &none, &first, NULL), 0);
	assert_int_equal(sign_head(after, &head, &none, &second, NULL), 0);
	accepts(sign_key(both, 0), buf_str(&first), 0);
	accepts(sign_key(both, 1), buf_str(&first), 0);
	accepts(sign_key(both, 0), buf_str(&second), -ERR_INPUT);
	accepts(sign_key(both, 1), buf_str(&second), 0);
	sign_close(both);
	sign_close(after);
	buf_done(&first);
	buf_done(&second);
	proved_done(&proved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_told),
					   cmocka_unit_test(test_continue),
					   cmocka_unit_test(test_next_key)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
