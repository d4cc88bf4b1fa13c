/* Many strings in one pass, against a search for each of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "correlator/rules/automaton.h"

#include <stdio.h>

#define IDS 64

static void count(void *owner, uint32_t id)
{
	((size_t *)owner)[id]++;
}

static size_t occurrences(struct str text, struct str part)
{
	size_t found = 0;
	ptrdiff_t at = -1;

	while ((at = str_find(text, part, (size_t)(at + 1))) >= 0) {
		found++;
	}
	return found;
}

static void overlapping_strings_are_all_found(void **state)
{ /* proves that strings within strings, equal ones and ends of others are each reported at each place */
	static const struct automaton_literal literals[] = {
		{{"he", 2}, 0}, {{"she", 3}, 1}, {{"hers", 4}, 2},   {{"his", 3}, 3},
		{{"e", 1}, 4},  {{"he", 2}, 5},  {{"ushers", 6}, 6},
	};
	static const size_t wanted[IDS] = {2, 1, 1, 0, 2, 2, 1};
	size_t found[IDS] = {0};
	struct automaton *automaton;
	struct error err;

	(void)state;
	assert_int_equal(automaton_new(literals, 7, &automaton, &err), 0);
	automaton_scan(automaton, STR_LIT("ushers he"), count, found);
	assert_memory_equal(found, wanted, sizeof(found));
	automaton_scan(automaton, STR_LIT(""), count, found);
	assert_memory_equal(found, wanted, sizeof(found));
	assert_true(automaton_bytes(automaton) < 20000);
	automaton_free(automaton);
	automaton_free(NULL);
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
	*random = hash_u64(*random + 1);
	return (*random >> 9) % below;
}

static void random_strings_are_found_as_often_as_they_occur(void **state)
{ /* proves against str_find, for alphabets that make many overlaps, that each occurrence is reported once */
	uint64_t random = 5;

	(void)state;
	for (int round = 0; round < 400; round++) {
		char bytes[IDS][8], text[300];
		struct automaton_literal literals[IDS];
		size_t literal_count = 1 + draw(&random, IDS);
		size_t len = draw(&random, sizeof(text));
		uint64_t alphabet = 2 + draw(&random, 4);
		size_t found[IDS] = {0};
		struct automaton *automaton;
		struct error err;

		for (size_t i = 0; i < literal_count; i++) {
			size_t size = 1 + draw(&random, 8);

			for (size_t j = 0; j < size; j++) {
				bytes[i][j] = (char)(draw(&random, alphabet) * 60);
			}
			literals[i] =
				(struct automaton_literal){str_make(bytes[i], size), (uint32_t)i};
		}
		for (size_t i = 0; i < len; i++) {
			text[i] = (char)(draw(&random, alphabet) * 60);
		}
		assert_int_equal(automaton_new(literals, literal_count, &automaton, &err), 0);
		automaton_scan(automaton, str_make(text, len), count, found);
		for (size_t i = 0; i < literal_count; i++) {
			assert_int_equal(found[i],
					 occurrences(str_make(text, len), literals[i].text));
		}
		automaton_free(automaton);
	}
}

static void many_strings_take_few_bytes(void **state)
{ /* proves that 28,000 strings of 12 bytes take a few MB */
	static char bytes[28000][12];
	static struct automaton_literal literals[28000];
	struct automaton *automaton;
	uint64_t random = 9;
	struct error err;

	(void)state;
	for (uint32_t i = 0; i < 28000; i++) {
		for (size_t j = 0; j < 12; j++) {
			bytes[i][j] = (char)('a' + draw(&random, 26));
		}
		literals[i] = (struct automaton_literal){str_make(bytes[i], 12), i};
	}
	assert_int_equal(automaton_new(literals, 28000, &automaton, &err), 0);
	print_message("# %zu states, %zu bytes\n", automaton_states(automaton),
		      automaton_bytes(automaton));
	assert_true(automaton_bytes(automaton) < 8u << 20);
	automaton_free(automaton);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlapping_strings_are_all_found),
		cmocka_unit_test(random_strings_are_found_as_often_as_they_occur),
		cmocka_unit_test(many_strings_take_few_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
