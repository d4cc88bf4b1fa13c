/* The arena aligns, limits, and gives everything back at once. */
#include "base/arena.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Allocations are aligned, apart from each other, and counted. */
static void test_alloc(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	char *first = arena_alloc(&arena, 3);
	char *second = arena_alloc(&arena, 0);
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal((uintptr_t)first % 16, 0);
	assert_int_equal((uintptr_t)second % 16, 0);
	assert_true(second >= first + 16);
	assert_int_equal(arena.used_bytes, 32);
	uint64_t *zeroes = arena_calloc(&arena, 100, sizeof(*zeroes));
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(zeroes[i], 0);
	}
	arena_done(&arena);
}

/* The limit holds to the byte, a huge request does not overflow, and clear makes room again. */
static void test_limit(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1024);
	assert_non_null(arena_alloc(&arena, 1008));
	assert_null(arena_alloc(&arena, 17));
	assert_non_null(arena_alloc(&arena, 16));
	assert_null(arena_alloc(&arena, 1));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_calloc(&arena, SIZE_MAX / 2, 4));
	struct str out = STR_LIT("untouched");
	assert_int_equal(arena_str(&arena, STR_LIT("x"), &out), -ERR_LIMIT);
	assert_true(str_is(out, "untouched"));
	arena_clear(&arena);
	assert_int_equal(arena_str(&arena, STR_LIT("text"), &out), 0);
	assert_string_equal(out.ptr, "text");
	arena_done(&arena);
}

/* Many chunks are used and freed; the largest serves again after a clear. */
static void test_chunks(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 64 << 20);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 300; i++) {
			char *bytes = arena_alloc(&arena, 10000);
			assert_non_null(bytes);
			memset(bytes, (int)i, 10000);
		}
		assert_non_null(arena_alloc(&arena, 5 << 20));
		arena_clear(&arena);
	}
	arena_done(&arena);
}

static void count_end(void *owner)
{
	unsigned *const *ends = owner;
	**ends += 1;
}

static void test_ends(void **state)
{
	/* Proves: what was to be called at the end is called once, when the arena is emptied or freed, while its memory is still there. */
	(void)state;
	struct arena arena;
	unsigned ends = 0;
	arena_init(&arena, 1000);
	for (unsigned round = 1; round <= 2; round++) {
		unsigned **owner = arena_alloc(&arena, sizeof(*owner));
		assert_non_null(owner);
		*owner = &ends;
		assert_true(arena_at_end(&arena, count_end, owner));
		assert_int_equal(ends, round - 1);
		if (round == 1) {
			arena_clear(&arena);
		} else {
			arena_done(&arena);
		}
		assert_int_equal(ends, round);
	}
	arena_init(&arena, 8);
	assert_false(arena_at_end(&arena, count_end, &ends));
	arena_done(&arena);
	assert_int_equal(ends, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_chunks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
