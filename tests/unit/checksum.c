#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/checksum.h"

#include <stdlib.h>

static void vectors_of_the_standard(void **state)
{
	/* RFC 3720 B.4: zeros, ones, rising and falling bytes */
	uint8_t bytes[32];
	(void)state;
	memset(bytes, 0, sizeof bytes);
	assert_int_equal(checksum_crc32c(str_make(bytes, 32)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(checksum_crc32c(str_make(bytes, 32)), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++) {
		bytes[i] = i;
	}
	assert_int_equal(checksum_crc32c(str_make(bytes, 32)), 0x46dd794e);
	for (uint8_t i = 0; i < 32; i++) {
		bytes[i] = (uint8_t)(31 - i);
	}
	assert_int_equal(checksum_crc32c(str_make(bytes, 32)), 0x113fdb5c);
	assert_int_equal(checksum_crc32c(str_make(NULL, 0)), 0);
}

static void table_and_instruction_agree(void **state)
{
	/* every length and alignment gives the same value with and without the processor's help */
	char bytes[80];
	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] = (char)(i * 37 + 11);
	}
	for (size_t start = 0; start < 9; start++) {
		for (size_t len = 0; start + len <= sizeof bytes; len++) {
			struct str part = str_make(bytes + start, len);
			assert_int_equal(checksum_crc32c(part), checksum_crc32c_portable(part));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_standard),
		cmocka_unit_test(table_and_instruction_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
