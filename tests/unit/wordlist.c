#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/wordlist.h"
#include "tests/unit/streams-fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMN 5

static size_t round_trip(const struct str *texts, size_t count)
{
	struct streams_fixture fixture;
	struct wordlist list;
	fixture_begin(&fixture);
	assert_int_equal(wordlist_put(fixture.writer, COLUMN, 2, texts, count), 0);
	size_t size = fixture_open(&fixture);
	assert_int_equal(wordlist_get(fixture.streams, COLUMN, 2, &list, &fixture.err), 0);
	assert_int_equal(list.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_true(str_equal(list.texts[i], texts[i]));
	}
	wordlist_done(&list);
	fixture_end(&fixture);
	return size;
}

static void test_odd_texts(void **state)
{
	/* Proves: empty texts, NULs, bytes that have a meaning in skeletons, leading zeros and long numbers come back, alone and together. */
	(void)state;
	static const char *const odd[] = {
		"",
		"a",
		"0",
		"00",
		"007",
		"7",
		"a1b22c333",
		"\001",
		"\002\003",
		"\003A5\001",
		"123456789012345678",
		"1234567890123456789",
		"000000000000000000",
		"x000000000000000001y",
		"999999999999999999",
		"9999999999999999990",
		"é12ü",
		"1.2.3.4",
		"10.0.0.255",
	};
	struct str texts[20];
	size_t count = sizeof(odd) / sizeof(odd[0]);
	for (size_t i = 0; i < count; i++) {
		texts[i] = str_of(odd[i]);
		(void)round_trip(&texts[i], 1);
	}
	texts[count++] = str_make("nul\0in 12 it", 12);
	(void)round_trip(texts, count);
	struct str twice[60];
	for (size_t i = 0; i < 60; i++) { /* enough of a kind that they are cut */
		twice[i] = texts[i % count];
	}
	(void)round_trip(twice, 60);
	(void)round_trip(NULL, 0);
}

#define MANY 4000

struct names {
	char bytes[MANY][64];
	struct str text[MANY], sorted[MANY];
	uint32_t code[MANY];
};

/* Size when sorted; checks that the order is one. */
static size_t sorted_size(struct names *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		names->text[i] = str_of(names->bytes[i]);
		names->sorted[i] = (struct str){.ptr = NULL, .len = SIZE_MAX};
	}
	assert_int_equal(wordlist_sort(names->text, count, names->code), 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(names->code[i] < count);
		assert_true(names->sorted[names->code[i]].len == SIZE_MAX);
		names->sorted[names->code[i]] = names->text[i];
	}
	return round_trip(names->sorted, count);
}

static void test_names(void **state)
{
	/* Proves: sorted names that differ by a number take about the bits of its steps, padded with zeros or not; addresses two bytes. */
	(void)state;
	struct names *names = calloc(1, sizeof(*names));
	struct streams_fixture random = {.seed = 1};
	assert_non_null(names);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names->bytes[i], 64, "user%05u@corp.example",
			       (unsigned)((i * 2654435761u) % 10007));
	}
	assert_true(sorted_size(names, MANY) < MANY * 3 / 8);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names->bytes[i], 64, "job-%u", (unsigned)((i * 7919) % 100003));
	}
	assert_true(sorted_size(names, MANY) < MANY);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names->bytes[i], 64, "10.%u.%u.%u",
			       (unsigned)(fixture_random(&random) % 4),
			       (unsigned)(fixture_random(&random) % 250),
			       (unsigned)(fixture_random(&random) % 250));
	}
	assert_true(sorted_size(names, MANY) < MANY * 5 / 2);
	free(names);
}

static void test_limits(void **state)
{
	/* Proves: too many texts and too many bytes are refused before anything is written. */
	(void)state;
	struct streams_fixture fixture;
	fixture_begin(&fixture);
	static char big[1 << 20];
	struct str *texts = calloc(WORDLIST_TEXTS_MAX + 1, sizeof(*texts));
	assert_non_null(texts);
	assert_int_equal(wordlist_put(fixture.writer, COLUMN, 0, texts, WORDLIST_TEXTS_MAX + 1),
			 -ERR_LIMIT);
	for (size_t i = 0; i < 257; i++) {
		texts[i] = str_make(big, sizeof(big));
	}
	assert_int_equal(wordlist_put(fixture.writer, COLUMN, 0, texts, 257), -ERR_LIMIT);
	free(texts);
	fixture_end(&fixture);
}

struct hostile {
	uint8_t part; /* counted from the column's first */
	struct str bytes;
};

static void test_damage(void **state)
{
	/* Proves: counts, fronts, skeletons and numbers that can't be are damage that names file and column, and leave the list empty. */
	(void)state;
	static const struct hostile cases[][4] = {
		{{0, STR_LIT("\1")}},
		{{0, STR_LIT("\1\1")}},                         /* no rests */
		{{0, STR_LIT("\1\2")}, {2, STR_LIT("a\0b\0")}}, /* more skeletons than texts */
		{{0, STR_LIT("\0\1")}, {2, STR_LIT("a\0")}},
		{{0, STR_LIT("\377\377\377\177\1")}, {2, STR_LIT("a\0")}}, /* too many */
		{{0, STR_LIT("\2\2")}, {2, STR_LIT("a\0bc")}},             /* the last has no end */
		{{0, STR_LIT("\1\1")}, {2, STR_LIT("a\0b\0")}},            /* one too many */
		{{0, STR_LIT("\2\2")},
		 {1, STR_LIT("\10\0\2")},
		 {2, STR_LIT("a\0b\0")}},                        /* front of 2 of 1 */
		{{0, STR_LIT("\1\1")}, {2, STR_LIT("\2\0")}},    /* no width */
		{{0, STR_LIT("\1\1")}, {2, STR_LIT("\2\63\0")}}, /* 19 digits */
		{{0, STR_LIT("\1\1")}, {2, STR_LIT("\3\77\0")}}, /* no such escape */
		{{0, STR_LIT("\1\1")},
		 {2, STR_LIT("a\0")},
		 {3, STR_LIT("\0\2\0")}}, /* skeleton 1 of 1 */
		{{0, STR_LIT("\1\1")},
		 {2, STR_LIT("\1\0")},
		 {12, STR_LIT("\0\1\0")}}, /* number -1 */
		{{0, STR_LIT("\1\1")},
		 {2, STR_LIT("\2\42\0")},
		 {12, STR_LIT("\0\310\1\0")}}, /* 100 in two digits */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct streams_fixture fixture;
		struct wordlist list;
		fixture_begin(&fixture);
		for (size_t k = 0; k < 4; k++) {
			if (cases[i][k].bytes.len != 0) {
				streams_put(fixture.writer, COLUMN, (uint8_t)(2 + cases[i][k].part),
					    cases[i][k].bytes, 0);
			}
		}
		(void)fixture_open(&fixture);
		assert_int_equal(wordlist_get(fixture.streams, COLUMN, 2, &list, &fixture.err),
				 -ERR_CORRUPT);
		assert_int_equal(list.count, 0);
		assert_non_null(strstr(fixture.err.text, "blocks/test.qtb: column 5 is damaged"));
		fixture_end(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_odd_texts),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
