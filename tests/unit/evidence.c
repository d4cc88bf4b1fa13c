#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/evidence.h"
#include "tests/unit/log-fixture.h"

static void test_leaves(void **state)
{
	/* Proves: each leaf has a path to the checkpoint that is accepted; a leaf behind the checkpoint is told as not signed; a policy names no key when the store knows none. */
	(void)state;
	struct log_fixture log;
	struct evidence evidence;
	struct tlogproof proof;
	struct error err;
	struct buf policy;
	buf_init(&policy, 0);
	log_fixture_init(&log, 300);
	filled_add(&log.filled, 300, 5);
	assert_int_equal(evidence_open(&evidence, log.filled.store, &err), 0);
	assert_string_equal(evidence.origin, "example.com/log");
	assert_int_equal(evidence.head.size, 300);
	for (uint64_t leaf = 0; leaf < 300; leaf += 23) {
		struct merkle_hash hash;
		assert_int_equal(evidence_leaf(&evidence, leaf, &proof, &err), 0);
		merkle_leaf(str_make(evidence.leaf.entry.bytes, evidence.leaf.entry.len), &hash);
		assert_int_equal(merkle_check_leaf(leaf, &hash, &evidence.head, &proof.path, &err),
				 0);
		assert_true(evidence.leaf.salted);
	}
	assert_int_equal(evidence_leaf(&evidence, 300, &proof, &err), -ERR_AGAIN);
	assert_int_equal(evidence_put_policy(&evidence, NULL, &policy, &err), 0);
	assert_string_equal(policy.ptr, "quorum none\n");
	evidence_close(&evidence);
	buf_done(&policy);
	log_fixture_done(&log);
}

static void test_not_what_was_signed(void **state)
{
	/* Proves: a store whose newest checkpoint has another root, or more leaves, gives no evidence. */
	(void)state;
	for (int longer = 0; longer < 2; longer++) {
		struct log_fixture log;
		struct evidence evidence;
		struct error err;
		log_fixture_init(&log, 30);
		log_fixture_note(&log, longer ? 40 : 30, !longer);
		assert_int_equal(checkpoints_put(log.filled.store, buf_str(&log.note),
						 longer ? 40 : 30, FIXTURE_START_NS, &err),
				 0);
		assert_int_equal(evidence_open(&evidence, log.filled.store, &err), -ERR_CORRUPT);
		evidence_close(&evidence);
		log_fixture_done(&log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_leaves),
					   cmocka_unit_test(test_not_what_was_signed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
