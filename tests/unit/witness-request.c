#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parse.h"
#include "witness/request.h"

#define HASH "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"

/* A checkpoint with a signature that nobody checks here. */
static void put_note(struct buf *out, uint64_t size)
{
	struct note_checkpoint checkpoint = {.origin = STR_LIT("example.com/log"),
					     .head.size = size};
	char signature[68] = "keyid";
	note_checkpoint_put(&checkpoint, out);
	buf_put_text(out, "\n\xe2\x80\x94 example.com/log ");
	parse_put_base64(out, str_make(signature, sizeof signature));
	buf_put_byte(out, '\n');
}

static int read_body(const char *before, uint64_t size, struct request *out)
{
	static struct buf body;
	struct error err;
	buf_done(&body);
	buf_init(&body, 0);
	buf_put_text(&body, before);
	put_note(&body, size);
	return request_parse(buf_str(&body), out, &err);
}

static void test_reads(void **state)
{
	/* Old size, proof and checkpoint come out as they stand in the body. */
	struct request request;
	(void)state;
	assert_int_equal(read_body("old 7\n" HASH HASH "\n", 12, &request), 0);
	assert_int_equal(request.old_size, 7);
	assert_int_equal(request.proof.count, 2);
	assert_int_equal(request.proof.hashes[1].bytes[0], 0x8e);
	assert_int_equal(request.checkpoint.head.size, 12);
	assert_true(str_is(request.checkpoint.origin, "example.com/log"));
	assert_int_equal(read_body("old 0\n\n", 0, &request), 0);
	assert_int_equal(request.proof.count, 0);
}

static void test_refuses(void **state)
{
	/* Whatever is not exactly a request is ERR_INPUT. */
	static const char *const bodies[] = {
		"",
		"old 7\n",
		"old 07\n\n",
		"old\n\n",
		"old -7\n\n",
		"old 7 \n\n",
		"Old 7\n\n",
		"old 13\n\n",
		"old 7\nAAAA\n\n",
		("old 7\n" HASH),
		"old 7\n\n\n",
		"old 7\r\n\r\n",
		"old  7\n\n",
		"old 99999999999999999999\n\n",
	};
	struct request request;
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		assert_int_equal(read_body(bodies[i], 12, &request), -ERR_INPUT);
	}
}

static void test_limits(void **state)
{
	/* 63 hashes are read, 64 are not; a body past the limit is not looked at. */
	struct buf before;
	struct request request;
	struct error err;
	(void)state;
	buf_init(&before, 0);
	buf_put_text(&before, "old 7\n");
	for (int i = 0; i < MERKLE_PROOF_MAX; i++) {
		buf_put_text(&before, HASH);
	}
	size_t len = before.len;
	buf_put_text(&before, "\n");
	assert_int_equal(read_body(before.ptr, 12, &request), 0);
	assert_int_equal(request.proof.count, MERKLE_PROOF_MAX);
	buf_truncate(&before, len);
	buf_put_text(&before, HASH "\n");
	assert_int_equal(read_body(before.ptr, 12, &request), -ERR_INPUT);
	buf_put_fill(&before, 'A', REQUEST_MAX_BYTES);
	assert_int_equal(request_parse(buf_str(&before), &request, &err), -ERR_INPUT);
	buf_done(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
