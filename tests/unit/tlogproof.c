#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tlogproof.h"

#define HASH_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define HASH_B "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define FRONT  "c2sp.org/tlog-proof@v1\n"
#define NOTE   "example.com/log\n3\n" HASH_A "\n\n\xe2\x80\x94 x AAAA\n"

static void test_both_ways(void **state)
{
	/* Proves: a proof is written as the specification says, and what is written is read again, with extra bytes and without. */
	(void)state;
	static const char with[] = FRONT "extra aGVsbG8=\nindex 2\n" HASH_A "\n" HASH_B "\n\n" NOTE;
	static const char without[] = FRONT "index 0\n\n" NOTE;
	struct tlogproof proof = {.index = 2, .checkpoint = STR_LIT(NOTE)};
	struct tlogproof again;
	struct error err;
	struct buf out, extra;
	buf_init(&out, 0);
	buf_init(&extra, 0);
	proof.path.count = 2;
	proof.path.hashes[1].bytes[0] = 1;
	tlogproof_put(&proof, STR_LIT("hello"), &out);
	assert_string_equal(out.ptr, with);
	assert_int_equal(tlogproof_parse(buf_str(&out), &again, &extra, &err), 0);
	assert_true(str_is(buf_str(&extra), "hello"));
	assert_int_equal(again.index, 2);
	assert_int_equal(again.path.count, 2);
	assert_true(merkle_equal(&again.path.hashes[1], &proof.path.hashes[1]));
	assert_true(str_is(again.checkpoint, NOTE));
	buf_clear(&out);
	buf_clear(&extra);
	proof.index = 0;
	proof.path.count = 0;
	tlogproof_put(&proof, (struct str){0}, &out);
	assert_string_equal(out.ptr, without);
	assert_int_equal(tlogproof_parse(buf_str(&out), &again, &extra, &err), 0);
	assert_int_equal(extra.len, 0);
	assert_int_equal(again.path.count, 0);
	buf_done(&out);
	buf_done(&extra);
}

static void test_refused(void **state)
{
	/* Proves: what is no proof is refused, with its line; each beginning of a good one is too, up to its empty line. */
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "line 1"},
		{"c2sp.org/tlog-proof@v2\nindex 0\n\n", "line 1"},
		{FRONT, "line 2"},
		{FRONT "index\n\n", "line 2"},
		{FRONT "index 01\n\n", "line 2"},
		{FRONT "index +1\n\n", "line 2"},
		{FRONT "index -1\n\n", "line 2"},
		{FRONT "index 1 \n\n", "line 2"},
		{FRONT "index 18446744073709551616\n\n", "line 2"},
		{FRONT "index 9223372036854775808\n\n", "line 2"},
		{FRONT "extra !\nindex 0\n\n", "line 2"},
		{FRONT "extra aGVsbG9=\nindex 0\n\n", "line 2"},
		{FRONT "extra aGVsbG8=\nextra aGVsbG8=\nindex 0\n\n", "line 3"},
		{FRONT "index 0\nAAAA\n\n", "line 3"},
		{FRONT "index 0\n" HASH_A " \n\n", "line 3"},
		{FRONT "index 0\n" HASH_A "\n", "line 4"},
		{FRONT "index 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n", "line 3"},
	};
	struct tlogproof proof;
	struct error err;
	struct buf extra;
	buf_init(&extra, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		error_clear(&err);
		buf_clear(&extra);
		assert_int_equal(tlogproof_parse(str_of(cases[i].text), &proof, &extra, &err),
				 -ERR_INPUT);
		assert_non_null(strstr(err.text, cases[i].says));
	}
	struct buf many;
	buf_init(&many, 0);
	buf_put_text(&many, FRONT "index 0\n");
	for (int i = 0; i <= MERKLE_PROOF_MAX; i++) {
		buf_put_text(&many, HASH_A "\n");
	}
	buf_put_text(&many, "\n" NOTE);
	assert_int_equal(tlogproof_parse(buf_str(&many), &proof, &extra, &err), -ERR_INPUT);
	buf_done(&many);
	buf_done(&extra);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_ways),
					   cmocka_unit_test(test_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
