/* Event ids become keys that are the same for the same event and never the same for two. */
#include "collector/sources/cloudwatch/eventid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"

#define TIME_MS INT64_C(1795342830000)

static void decimal_of(const uint8_t bytes[EVENTID_BYTES], char out[80])
{
	uint8_t rest[EVENTID_BYTES];
	char digits[80];
	size_t count = 0;
	bool any = true;

	memcpy(rest, bytes, sizeof(rest));
	while (any) {
		unsigned carry = 0;
		any = false;
		for (size_t i = 0; i < EVENTID_BYTES; i++) {
			carry = carry * 256 + rest[i];
			rest[i] = (uint8_t)(carry / 10);
			carry %= 10;
			any = any || rest[i] != 0;
		}
		digits[count++] = (char)('0' + carry);
	}
	for (size_t i = 0; i < count; i++) {
		out[i] = digits[count - 1 - i];
	}
	out[count] = '\0';
}

static void bytes_at(int64_t time_ms, uint8_t out[EVENTID_BYTES])
{
	for (size_t i = 0; i < EVENTID_BYTES; i++) {
		out[i] = (uint8_t)(i < 8 ? (uint64_t)time_ms >> (56 - 8 * i) : 200 + i);
	}
}

/* The decimal text of 26 bytes gives the bytes back. */
static void test_round_trip(void **state)
{
	(void)state;
	for (int64_t time_ms = TIME_MS; time_ms < TIME_MS + 1000000; time_ms += 99991) {
		uint8_t bytes[EVENTID_BYTES];
		uint8_t again[EVENTID_BYTES];
		char text[80];
		bytes_at(time_ms, bytes);
		decimal_of(bytes, text);
		assert_int_equal(strlen(text), 56);
		assert_true(eventid_parse(str_of(text), again));
		assert_memory_equal(bytes, again, EVENTID_BYTES);
	}
}

/* Everything that is not such a number is opaque. */
static void test_opaque(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"0",
		"17",
		"3989654819023485673123649871234567890123456789012345678a",
		"03989654819023485673123649871234567890123456789012345678",
		"999999999999999999999999999999999999999999999999999999999999999",
		"9999999999999999999999999999999999999999999999999999999999999999",
		"-9896548190234856731236498712345678901234567890123456789",
		"3989654819023485673123649871234567890123456789012345678 "};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t out[EVENTID_BYTES];
		if (eventid_parse(str_of(bad[i]), out)) {
			fail_msg("%s was taken", bad[i]);
		}
	}
}

/* The key is the 26 bytes only when their time is the event's; else the text itself, or its digest when it is long. */
static void test_key(void **state)
{
	(void)state;
	uint8_t bytes[EVENTID_BYTES];
	uint8_t key[RECORD_KEY_MAX];
	uint8_t digest[DIGEST_BYTES];
	char text[80];
	char longer[100];
	bool exact = false;

	bytes_at(TIME_MS, bytes);
	decimal_of(bytes, text);
	assert_int_equal(eventid_key(str_of(text), TIME_MS + 59999, key, &exact), EVENTID_BYTES);
	assert_true(exact);
	assert_memory_equal(key, bytes, EVENTID_BYTES);
	assert_int_equal(eventid_key(str_of(text), TIME_MS + 60001, key, &exact), 56);
	assert_false(exact);
	assert_memory_equal(key, text, 56);
	assert_int_equal(eventid_key(STR_LIT("17"), TIME_MS, key, &exact), 2);
	assert_int_equal(eventid_key(STR_LIT(""), TIME_MS, key, &exact), 0);
	assert_int_equal(eventid_key(str_of(text), INT64_MIN, key, &exact), 56);
	memset(longer, 'x', sizeof(longer));
	digest_sha256(str_make(longer, sizeof(longer)), digest);
	assert_int_equal(eventid_key(str_make(longer, sizeof(longer)), TIME_MS, key, &exact),
			 DIGEST_BYTES);
	assert_memory_equal(key, digest, DIGEST_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
					   cmocka_unit_test(test_opaque),
					   cmocka_unit_test(test_key)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
