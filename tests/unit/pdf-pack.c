#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/report/pdf-pack.h"

#include <stdlib.h>
#include <zlib.h>

#define PLAIN_MAX 1000000

/* Unpacks as any reader of PDF does, with the check; returns the length. */
static size_t unpack(const struct buf *file, char *plain)
{
	uLongf len = PLAIN_MAX;
	assert_int_equal(uncompress((Bytef *)plain, &len, (const Bytef *)file->ptr, file->len),
			 Z_OK);
	return len;
}

/* What was drawn before and after the page was full comes back as one, whatever the lengths are. */
static void test_round_trip(void **state)
{
	(void)state;
	static const size_t lengths[] = {0, 1, 100, 65535, 65536, 200001};
	struct pdf_packer *packer = pdf_packer_new();
	char *plain = malloc(PLAIN_MAX);
	char *source = malloc(PLAIN_MAX);
	struct error err;
	assert_non_null(packer);
	for (size_t i = 0; i < PLAIN_MAX; i++) {
		source[i] = (char)(i * 2654435761u >> 13);
	}
	for (size_t a = 0; a < 6; a++) {
		for (size_t b = 0; b < 6; b++) {
			const struct str pieces[] = {
				str_make(source, lengths[a] / 2),
				str_make(source + lengths[a] / 2, lengths[a] - lengths[a] / 2)};
			struct pdf_packed packed = {0};
			struct buf file;
			buf_init(&file, 0);
			assert_int_equal(pdf_pack(packer, pieces, 2, &packed, &err), 0);
			assert_int_equal(pdf_pack_end(packer, &packed,
						      str_make(source + lengths[a], lengths[b]),
						      &file, &err),
					 0);
			assert_int_equal(unpack(&file, plain), lengths[a] + lengths[b]);
			assert_memory_equal(plain, source, lengths[a] + lengths[b]);
			free(packed.bytes);
			buf_done(&file);
		}
	}
	free(plain);
	free(source);
	pdf_packer_free(packer);
}

/* A page that was never full is its tail alone. */
static void test_tail_alone(void **state)
{
	(void)state;
	struct pdf_packer *packer = pdf_packer_new();
	const struct pdf_packed none = {0};
	struct buf file;
	struct error err;
	char *plain = malloc(PLAIN_MAX);
	buf_init(&file, 0);
	assert_int_equal(pdf_pack_end(packer, &none, STR_LIT("q 1 0 0 rg Q"), &file, &err), 0);
	assert_int_equal(unpack(&file, plain), 12);
	assert_memory_equal(plain, "q 1 0 0 rg Q", 12);
	free(plain);
	buf_done(&file);
	pdf_packer_free(packer);
}

/* A text that repeats itself gets small, also over the pieces it came in. */
static void test_small(void **state)
{
	(void)state;
	struct pdf_packer *packer = pdf_packer_new();
	struct pdf_packed packed = {0};
	struct str pieces[500];
	struct error err;
	for (size_t i = 0; i < 500; i++) {
		pieces[i] = STR_LIT("(SELECT Name FROM dbo.Customers WHERE Id = 1) Tj\n");
	}
	assert_int_equal(pdf_pack(packer, pieces, 500, &packed, &err), 0);
	assert_true(packed.len < 500);
	free(packed.bytes);
	pdf_packer_free(packer);
}

/* A limit of the buffer that takes it is told. */
static void test_limit(void **state)
{
	(void)state;
	struct pdf_packer *packer = pdf_packer_new();
	const struct pdf_packed none = {0};
	struct buf file;
	struct error err;
	buf_init(&file, 8);
	assert_int_equal(pdf_pack_end(packer, &none, STR_LIT("0123456789abcdef"), &file, &err),
			 -ERR_LIMIT);
	buf_done(&file);
	pdf_packer_free(packer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_tail_alone),
		cmocka_unit_test(test_small), cmocka_unit_test(test_limit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
