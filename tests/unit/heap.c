#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory that was prepared is taken without the heap growing again. */
static void grows_in_large_steps(void **state)
{
	(void)state;
	(void)heap_prepare((size_t)64 << 20); /* large pages are the kernel's choice */
	char *before = sbrk(0);
	char *pieces[8];
	for (size_t i = 0; i < 8; i++) {
		pieces[i] = malloc((size_t)4 << 20);
		assert_non_null(pieces[i]);
		memset(pieces[i], (int)i + 1, (size_t)4 << 20);
	}
	assert_ptr_equal(sbrk(0), before);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(pieces[i][((size_t)4 << 20) - 1], i + 1);
		free(pieces[i]);
	}
	assert_ptr_equal(sbrk(0), before); /* and is kept */
}

/* A size that no process can want is refused, and memory is still to be had. */
static void refuses_nonsense(void **state)
{
	(void)state;
	assert_false(heap_prepare(SIZE_MAX));
	void *bytes = malloc(1000);
	assert_non_null(bytes);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_in_large_steps),
		cmocka_unit_test(refuses_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
