#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/log-proof.h"
#include "tests/unit/log-fixture.h"

static void test_grown(void **state)
{
	/* Proves: between any two checkpoints there is a proof that is accepted; with any byte changed it is not; sizes without a checkpoint, and the newer one first, are refused. */
	(void)state;
	static const uint64_t sizes[] = {300, 310, 600};
	struct log_fixture log;
	struct logpolicy *policy = NULL;
	struct log_proof_heads heads;
	struct error err;
	struct buf out, text;
	buf_init(&out, 0);
	buf_init(&text, 0);
	log_fixture_init(&log, 300);
	log_fixture_grow(&log, 10);
	log_fixture_grow(&log, 290);
	buf_put_text(&text, "log ");
	note_key_put(&log.signer.key, &text);
	buf_put_text(&text, "\nquorum none\n");
	assert_int_equal(logpolicy_parse(buf_str(&text), &policy, &err), 0);
	struct store *store = log.filled.store;
	for (size_t a = 0; a < 3; a++) {
		for (size_t b = a; b < 3; b++) {
			buf_clear(&out);
			assert_int_equal(log_proof_make(store, sizes[a], sizes[b], &out, &err), 0);
			assert_int_equal(log_proof_check(buf_str(&out), policy, &heads, &err), 0);
			assert_int_equal(heads.older.size, sizes[a]);
			assert_int_equal(heads.head.size, sizes[b]);
		}
	}
	buf_clear(&out);
	assert_int_equal(log_proof_make(store, 310, 600, &out, &err), 0);
	for (size_t at = 0; at < out.len; at++) {
		out.ptr[at] ^= 1;
		assert_int_equal(log_proof_check(buf_str(&out), policy, &heads, &err), -ERR_INPUT);
		out.ptr[at] ^= 1;
		assert_int_equal(
			log_proof_check(str_slice(buf_str(&out), 0, at), policy, &heads, &err),
			-ERR_INPUT);
	}
	assert_int_equal(log_proof_make(store, 301, 600, &out, &err), -ERR_GONE);
	assert_int_equal(log_proof_make(store, 600, 300, &out, &err), -ERR_USAGE);
	logpolicy_free(policy);
	buf_done(&out);
	buf_done(&text);
	log_fixture_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_grown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
