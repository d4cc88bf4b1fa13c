#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/texts.h"
#include "tests/unit/texts-sample.h"

#define ROWS   150
#define WORDS  (ROWS / 64 + 1)
#define ROUNDS 120
#define ASKED  40

static bool holds(const struct texts_needle *needle, struct str text)
{
	ptrdiff_t at = needle->ignore_case ? str_find_fold(text, needle->needle, 0)
					   : str_find(text, needle->needle, 0);

	return at >= 0 && (needle->matches == NULL || needle->matches(needle->owner, text));
}

/* Compares what is found with what is so. */
static void check(struct texts_sample *sample, const struct str *texts,
		  const struct texts_needle *needle)
{
	uint64_t rows[WORDS] = {0};
	int result = texts_find(sample->texts, needle, rows, &sample->fixture.err);

	if (result != 0) {
		print_error("%s\n", sample->fixture.err.text);
	}
	assert_int_equal(result, 0);
	for (size_t row = 0; row < sample->about.count; row++) {
		bool found = (rows[row / 64] >> row % 64 & 1) != 0;

		if (found != (texts[row].ptr != NULL && holds(needle, texts[row]))) {
			print_error("needle \"%.*s\"%s, row %zu: %.*s\n", STR_ARG(needle->needle),
				    needle->ignore_case ? " (any case)" : "", row,
				    STR_ARG(texts[row]));
			fail();
		}
	}
}

static bool is_even(void *owner, struct str text)
{
	(void)owner;
	return text.len % 2 == 0;
}

/* A needle that stands in some text, or nearly. */
static struct str draw_needle(struct streams_fixture *random, const struct str *texts, char *space)
{
	struct str text = texts[fixture_random(random) % ROWS];
	uint64_t draw = fixture_random(random);
	size_t len = draw % 8 == 0 ? 60 + (draw >> 8) % 20 : 1 + (draw >> 8) % 12;
	struct str part;

	if (text.len == 0) {
		return STR_LIT("7");
	}
	part = str_slice(text, (draw >> 16) % text.len, len);
	memcpy(space, part.ptr, part.len);
	if ((draw >> 40) % 4 == 0) {
		space[(draw >> 42) % part.len] ^= 0x20;
	}
	return str_make(space, part.len);
}

static void finds_what_stands_there(void **state)
{
	/* proves: a search finds just the texts that hold the needle, wherever it stands and however often one asks */
	struct streams_fixture random = {.seed = 3};
	char space[128];
	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct texts_world world;
		struct texts_sample sample;

		world_make(&world, &random, ROWS);
		sample_open(&sample, &world.about, world.texts);
		for (size_t i = 0; i < ASKED; i++) {
			struct texts_needle needle = {
				.needle = draw_needle(&random, world.texts, space),
				.ignore_case = i % 3 == 0,
				.matches = i % 7 == 0 ? is_even : NULL};

			check(&sample, world.texts, &needle);
		}
		sample_check(&sample, world.texts);
		sample_close(&sample);
		world_done(&world);
	}
}

static void finds_at_borders(void **state)
{
	/* proves: a needle is found across the borders of fixed text, numbers, ids and words, and an empty one in every text */
	static const char *const needles[] = {
		"= 12 AND",
		"id = 1",
		"12",
		"2 A",
		"N'ann",
		"ann",
		"NA",
		"anna@",
		"a@e.co",
		"'/*",
		"id=0f8f",
		"950e*/",
		"0f8fad5b",
		"-a165-",
		"SELECT",
		"T id",
		"x = -12",
		"-12.50",
		"2.5",
		"0 ",
		"",
		"zz",
		"= 12 AND n = N'anna@e.com'/*id=0f8fad5b-d9cb-469f-a165-70867728950e*/",
		"2 AND n = N'anna@e.com'/*id=0f8fad5b-d9cb-469f-a165-70867728950f*/"};
	struct str texts[] = {
		STR_LIT("SELECT id = 12 AND n = "
			"N'anna@e.com'/*id=0f8fad5b-d9cb-469f-a165-70867728950e*/"),
		STR_LIT("SELECT id = 13 AND n = "
			"N'bob@e.com'/*id=0f8fad5b-d9cb-469f-a165-70867728950f*/"),
		STR_LIT("SELECT id = 12 AND n = "
			"N'Hanna@e.com'/*id=0f8fad5b-d9cb-469f-a165-70867728950f*/"),
		STR_LIT("SELECT x = -12.50 "),
		STR_LIT("SELECT x = 2.50 "),
		{NULL, 0},
	};
	(void)state;
	for (int tsql = 0; tsql < 2; tsql++) {
		struct texts_column about = {.column = 3, .is_tsql = tsql == 1, .count = 6};
		struct texts_sample sample;

		sample_open(&sample, &about, texts);
		for (size_t i = 0; i < 2 * sizeof(needles) / sizeof(needles[0]); i++) {
			struct texts_needle needle = {.needle = str_of(needles[i / 2]),
						      .ignore_case = i % 2 == 1};

			check(&sample, texts, &needle);
		}
		sample_close(&sample);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_stands_there),
		cmocka_unit_test(finds_at_borders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
