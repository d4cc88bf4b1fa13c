#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/texts.h"
#include "tests/unit/texts-sample.h"

#include <stdio.h>

#define ROWS   150
#define WORDS  (ROWS / 64 + 1)
#define ROUNDS 60
#define FEW    (ROWS / 8) /* that are left open */

static size_t marked(const uint64_t *rows)
{
	size_t count = 0;
	for (size_t i = 0; i < WORDS; i++) {
		count += (size_t)__builtin_popcountll(rows[i]);
	}
	return count;
}

static void finds_every_text(void **state)
{
	/* proves: each text of a column is found by itself, of whatever values it is made */
	struct streams_fixture random = {.seed = 5};
	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct texts_world world;
		struct texts_sample sample;
		world_make(&world, &random, ROWS);
		sample_open(&sample, &world.about, world.texts);
		for (size_t row = 0; row < ROWS; row++) {
			uint64_t rows[WORDS] = {0};
			if (world.texts[row].ptr == NULL || world.texts[row].len == 0) {
				continue;
			}
			assert_int_equal(texts_find_exact(sample.texts, world.texts[row], rows,
							  &sample.fixture.err),
					 0);
			assert_true((rows[row / 64] >> row % 64 & 1) != 0);
		}
		sample_close(&sample);
		world_done(&world);
	}
}

/* An id of some way of writing. */
static size_t put_id(struct streams_fixture *random, size_t form, char out[80])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t a = fixture_random(random), b = fixture_random(random);
	size_t len = 0;
	switch (form) {
	case 0:
	case 1:
		return (size_t)snprintf(out, 80,
					form == 0 ? "%08x-%04x-4%03x-a%03x-%012llx"
						  : "%08X-%04X-4%03X-A%03X-%012llX",
					(unsigned)(a >> 32), (unsigned)a & 0xffff,
					(unsigned)(a >> 16) & 0xfff, (unsigned)b & 0xfff,
					(unsigned long long)(b >> 16));
	case 2:
		return (size_t)snprintf(out, 80, "Root=1-%08x-%08x%016llx", (unsigned)(a >> 32),
					(unsigned)a, (unsigned long long)b);
	case 3:
		return (size_t)snprintf(out, 80, "%016llX%016llX", (unsigned long long)a,
					(unsigned long long)b);
	default:
		for (; len < 15; len++) {
			out[len] = letters[fixture_random(random) % (sizeof(letters) - 1)];
		}
		out[len++] = '=';
		return len;
	}
}

static void finds_ids_alone(void **state)
{
	/* proves: of ids in any way of writing the one that is looked for is marked, and few besides; few when it is changed or cut */
	struct streams_fixture random = {.seed = 9};
	char space[ROWS][80];
	struct str texts[ROWS];
	(void)state;
	for (size_t form = 0; form < 5; form++) {
		struct texts_column about = {.column = 20, .count = ROWS};
		struct texts_sample sample;
		for (size_t row = 0; row < ROWS; row++) {
			texts[row] = str_make(space[row], put_id(&random, form, space[row]));
		}
		sample_open(&sample, &about, texts);
		for (size_t row = 0; row < ROWS; row++) {
			uint64_t rows[WORDS] = {0}, none[WORDS] = {0};
			struct str cut = str_slice(texts[row], 0, texts[row].len - 1);
			assert_int_equal(texts_find_exact(sample.texts, texts[row], rows,
							  &sample.fixture.err),
					 0);
			assert_true((rows[row / 64] >> row % 64 & 1) != 0);
			assert_true(marked(rows) <= FEW);
			assert_int_equal(
				texts_find_exact(sample.texts, cut, none, &sample.fixture.err), 0);
			assert_true(marked(none) <= FEW);
			space[row][7] ^= 1;
			assert_int_equal(texts_find_exact(sample.texts, texts[row], none,
							  &sample.fixture.err),
					 0);
			assert_true(marked(none) <= FEW);
			space[row][7] ^= 1;
		}
		sample_close(&sample);
	}
}

static void takes_any_text(void **state)
{
	/* proves: a text as long as an id, of bytes that no id has, is looked for without harm and not found */
	struct streams_fixture random = {.seed = 11};
	char space[ROWS][80], odd[80];
	struct str texts[ROWS];
	(void)state;
	for (size_t form = 0; form < 5; form++) {
		struct texts_column about = {.column = 20, .count = ROWS};
		struct texts_sample sample;
		uint64_t rows[WORDS] = {0};
		for (size_t row = 0; row < ROWS; row++) {
			texts[row] = str_make(space[row], put_id(&random, form, space[row]));
		}
		sample_open(&sample, &about, texts);
		for (int byte = 0; byte < 256; byte++) {
			memset(odd, byte, texts[0].len);
			assert_int_equal(texts_find_exact(sample.texts, str_make(odd, texts[0].len),
							  rows, &sample.fixture.err),
					 0);
		}
		assert_true(marked(rows) <= FEW);
		sample_close(&sample);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(finds_every_text),
					   cmocka_unit_test(finds_ids_alone),
					   cmocka_unit_test(takes_any_text)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
